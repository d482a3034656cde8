package insight_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// What holds over the same data, imported once.
func TestOverASmallProvider(t *testing.T) {
	t.Parallel()
	dir, truth := msp(t, sample.MSPOptions{Clients: 12, Months: 14})
	x := newWorld(t)
	x.load(t, dir)
	first := x.analyze(t)
	wrong, extra := judge(truth, first)
	if len(wrong) > 0 || len(extra) > 2 {
		t.Errorf("missing or wrong: %v; not planted: %v", wrong, extra)
	}
	checkForm(t, first)
	t.Run("repeatable", func(t *testing.T) {
		t.Parallel()
		if diff := cmp.Diff(first, x.analyze(t), cmp.Comparer(func(a, b quantity.Day) bool { return a == b }), cmp.Comparer(func(a, b quantity.Decimal) bool { return a.Equal(b) }), cmpopts.IgnoreUnexported(metric.Query{})); diff != "" {
			t.Errorf("two runs over the same snapshot differ:\n%s", diff)
		}
	})
	t.Run("tenants apart", func(t *testing.T) {
		t.Parallel()
		other, err := x.Analyze(t.Context(), tenant.Scope{Tenant: "other", Actor: "test"}, insight.DefaultPeriod)
		if err != nil || len(other) != 0 {
			t.Errorf("another tenant sees %d findings, %v", len(other), err)
		}
		if _, err := x.Analyze(t.Context(), tenant.Scope{}, insight.DefaultPeriod); err == nil {
			t.Error("the zero scope was accepted")
		}
	})
	t.Run("thresholds are editable", func(t *testing.T) {
		t.Parallel()
		if _, ok := find(first, insight.StaffUtilization, truth.Overloaded.Staff); !ok {
			t.Fatalf("%s is not found with the defaults", truth.Overloaded.Staff)
		}
		strict := x.with(insight.Options{Now: clock, Thresholds: insight.Thresholds{StaffOver: decimal.New(15, -1), ReviewConfidence: decimal.New(999, -3)}})
		findings := strict.analyze(t)
		if f, ok := find(findings, insight.StaffUtilization, truth.Overloaded.Staff); ok {
			t.Errorf("found above a threshold of 150 %%: %s", f.Headline)
		}
		for _, f := range findings {
			if f.Confidence.Score < 0.999 && !f.RequiresReview {
				t.Errorf("%s: score %.2f needs no review", f.Headline, f.Confidence.Score)
			}
		}
	})
	t.Run("drivers add up", func(t *testing.T) {
		t.Parallel()
		driversAddUp(t, x, truth)
	})
}

// The four files of the simplest form give findings, with little confidence and the
// assumptions said.
func TestFourSimpleFiles(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.text(t, "clients.csv", "client_name,industry,status,contract_value\nHarbor Dental,Healthcare,active,2400\nBay Clinic,Healthcare,active,900\n")
	var invoices, logs strings.Builder
	invoices.WriteString("invoice_id,client_name,amount,date,status\n")
	logs.WriteString("staff_name,client_name,hours,rate,billable,date\n")
	for month := 1; month <= 6; month++ {
		fmt.Fprintf(&invoices, "A%d,Harbor Dental,2400.00,2026-%02d-01,paid\nB%d,Bay Clinic,%d.00,2026-%02d-01,paid\n", month, month, month, 850+10*month, month)
		for day := 1; day <= 26; day += 3 {
			fmt.Fprintf(&logs, "Dana Ortiz,Harbor Dental,%d.%d,60,yes,2026-%02d-%02d\n", 1+day%2, month%3, month, day)
			fmt.Fprintf(&logs, "Dana Ortiz,Bay Clinic,2.%d,60,yes,2026-%02d-%02d\n", month%4, month, day+1)
		}
	}
	x.text(t, "invoices.csv", invoices.String())
	x.text(t, "time_logs.csv", logs.String())
	x.text(t, "licenses.csv", "client_name,product_name,seats_purchased,seats_used,cost_per_seat,status\nHarbor Dental,Planner,40,8,10,active\n")
	findings := x.analyze(t)
	loss, ok := find(findings, insight.ClientProfitability, "Bay Clinic")
	if !ok || loss.Value.Sign() >= 0 || loss.Confidence.Grade != "low" || !loss.RequiresReview {
		t.Fatalf("loss at Bay Clinic: %v, %+v", ok, loss)
	}
	if said := strings.Join(loss.Assumptions, " "); !strings.Contains(said, "billing rate is taken as cost") || !strings.Contains(said, "Vendor cost is taken as nothing") {
		t.Errorf("assumptions %v", loss.Assumptions)
	}
	waste, ok := find(findings, insight.LicenseWaste, "Planner")
	if !ok || waste.Value.String() != "320" || waste.MoneyAtStake.String() != "3840" {
		t.Errorf("waste: %v, %+v", ok, waste)
	}
	if load, ok := find(findings, insight.StaffUtilization, "Dana Ortiz"); !ok || !strings.Contains(strings.Join(load.Assumptions, " "), "40 hours a week are assumed") || load.Confidence.Grade != "low" {
		t.Errorf("load: %v, %+v", ok, load)
	}
	checkForm(t, findings)
}

// The default period leaves out a month that is not over, or whose hours stop in it.
func TestPartialMonthIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, lastDay, want string }{
		{"hours up to the tenth", "2026-06-10", "2026-04-01 to 2026-06-01"},
		{"hours up to the end", "2026-06-30", "2026-04-01 to 2026-07-01"},
		{"a month that is not over on the day of the run", "2026-07-01", "2026-04-01 to 2026-07-01"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			x.text(t, "clients.csv", "client_name,status\nHarbor Dental,active\n")
			rows := "time_entry_id,staff_name,client_name,work_date,hours_worked,cost_rate\n1,Dana,Harbor Dental,2026-04-02,5,50\n2,Dana,Harbor Dental,2026-05-29,5,50\n"
			if tc.lastDay > "2026-06-30" {
				rows += "4,Dana,Harbor Dental,2026-06-29,5,50\n"
			}
			x.text(t, "time_entries.csv", rows+"3,Dana,Harbor Dental,"+tc.lastDay+",5,50\n")
			e := explain(t, x, insight.ExplainRequest{Measure: "hours_worked"})
			if got := e.To.Period.String(); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

// Losing time entries at random does not make the findings more certain on average.
func TestLostRowsAreNotMoreCertain(t *testing.T) {
	t.Parallel()
	dir, _ := msp(t, sample.MSPOptions{Clients: 12, Months: 14})
	full := newWorld(t)
	full.load(t, dir, beside...)
	before := map[string]float64{}
	for _, f := range full.analyze(t) {
		before[f.ID] = f.Confidence.Score
	}
	path := filepath.Join(dir, "time_entries.csv")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	was, is, shared := 0.0, 0.0, 0
	draws := uint64(2)
	if os.Getenv("MOAT_SOAK") != "" {
		draws = 200
	}
	for seed := range draws {
		dice := rand.New(rand.NewPCG(seed, 1))
		kept := lines[:1:1]
		for _, line := range lines[1:] {
			if dice.Float64() >= 0.2 {
				kept = append(kept, line)
			}
		}
		if err := os.WriteFile(path, []byte(strings.Join(kept, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprint("draw ", seed), func(t *testing.T) { // so that each draw's world is closed
			x := newWorld(t)
			x.load(t, dir, beside...)
			for _, f := range x.analyze(t) {
				if old, ok := before[f.ID]; ok {
					was, is, shared = was+old, is+f.Confidence.Score, shared+1
				}
			}
		})
	}
	t.Logf("mean score %.4f with all rows, %.4f with four of five, over %d findings of %d draws", was/float64(shared), is/float64(shared), shared, draws)
	if shared < 8 || is > was {
		t.Errorf("mean score %.4f with all rows, %.4f with four of five, over %d findings", was/float64(shared), is/float64(shared), shared)
	}
}

// A client invoiced in dollars whose work is paid in euros has no profit until one of them
// is converted; shares over clients in different currencies mean nothing.
func TestAmountsOfSeveralCurrenciesAreNeverOneFinding(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	var invoices, entries strings.Builder
	invoices.WriteString("invoice_number,client_name,invoice_date,net_amount,currency\n")
	entries.WriteString("time_entry_id,staff_name,client_name,work_date,hours_worked\n")
	for month := 1; month <= 12; month++ {
		for i, c := range []struct{ client, currency, staff string }{{"Paris", "EUR", "Ann"}, {"Boston", "USD", "Bob"}, {"Abroad", "USD", "Ann"}} {
			fmt.Fprintf(&invoices, "%d-%d,%s,2025-%02d-01,100,%s\n", month, i, c.client, month, c.currency)
			fmt.Fprintf(&entries, "%d-%d,%s,%s,2025-%02d-05,40\n", month, i, c.staff, c.client, month)
		}
		fmt.Fprintf(&invoices, "%d-a,Both,2025-%02d-01,100,EUR\n%d-b,Both,2025-%02d-01,900,USD\n", month, month, month, month)
	}
	x.text(t, "staff.csv", "staff_name,cost_rate,currency\nAnn,50,EUR\nBob,60,USD\n")
	x.text(t, "invoices.csv", invoices.String())
	x.text(t, "time_entries.csv", entries.String())
	findings, err := x.Analyze(t.Context(), northwind, quantity.Period{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range findings {
		if f.Kind == insight.StaffUtilization {
			continue
		}
		got[string(f.Kind)+" of "+f.Subject.Value] = f.Currency + ": " + f.Headline
	}
	want := map[string]string{
		"client_profitability of Paris":  "EUR: Paris lost €20,900.00 on revenue of €1,100.00: a margin of −1,900.0%.",
		"client_profitability of Boston": "USD: Boston lost $25,300.00 on revenue of $1,100.00: a margin of −2,300.0%.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
