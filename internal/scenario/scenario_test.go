package scenario_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

var firm = tenant.Scope{Tenant: "firm", Actor: "test"}

func clock() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

// idle takes jobs and does nothing with them.
type idle struct{}

func (idle) Enqueue(context.Context, tenant.Scope, *metadb.Tx, string, any) error { return nil }

// open returns a service over the files, given as name and text.
func open(t *testing.T, files ...string) *scenario.Service {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(t.Context(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	data := dataset.New(w, db, audit.New(clock), idle{}, clock)
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(t.TempDir(), files[i]+".csv")
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
		results, err := data.Import(t.Context(), firm, dataset.ImportRequest{Path: path, Dataset: files[i]})
		if err != nil {
			t.Fatalf("%s: %v", files[i], err)
		}
		if results[0].RowsRejected > 0 {
			t.Fatalf("%s: %+v", files[i], results[0].Rejects)
		}
	}
	return scenario.New(metric.New(w, metric.Options{Now: clock}))
}

// small is six equal months: A pays 3,000 for 20 hours of Ann and 700 of Pax8; B pays 1,000
// and 500 of hardware for 10 hours of Ann and 10 of Bob, and 100 of Datto. Ann costs 50 an
// hour, Bob 40. A month earns 4,500 - 1,900 - 800 = 1,800, a margin of 40 %.
func small(t *testing.T) *scenario.Service {
	t.Helper()
	var invoices, entries, expenses strings.Builder
	invoices.WriteString("invoice_number,client_name,invoice_date,net_amount,revenue_category\n")
	entries.WriteString("time_entry_id,staff_name,client_name,work_date,hours_worked,billable\n")
	expenses.WriteString("expense_id,client_name,expense_date,net_amount,category,vendor\n")
	for m := 1; m <= 6; m++ {
		fmt.Fprintf(&invoices, "A%[1]d,A,2026-%02[1]d-05,3000,recurring_labor\nB%[1]d,B,2026-%02[1]d-05,1000,recurring_labor\nH%[1]d,B,2026-%02[1]d-06,500,hardware\n", m)
		fmt.Fprintf(&entries, "a%[1]d,Ann,A,2026-%02[1]d-28,20,yes\nb%[1]d,Ann,B,2026-%02[1]d-28,10,yes\nc%[1]d,Bob,B,2026-%02[1]d-28,10,no\n", m)
		fmt.Fprintf(&expenses, "p%[1]d,A,2026-%02[1]d-07,700,cogs_product,Pax8\nd%[1]d,B,2026-%02[1]d-07,100,cogs_tool,Datto\n", m)
	}
	return open(t,
		"clients", "client_name,industry\nA,Legal\nB,Retail\n",
		"staff", "staff_name,cost_rate,weekly_hours,role\nAnn,50,40,Senior\nBob,40,40,Junior\n",
		"invoices", invoices.String(), "time_entries", entries.String(), "expenses", expenses.String(),
		"licenses", "client_name,vendor,product_name,seats_purchased,seats_used,unit_cost,status\nA,Microsoft,E3,10,4,20,active\n")
}

var halfYear = quantity.Period{From: quantity.NewDay(2026, 1, 1), To: quantity.NewDay(2026, 7, 1)}

func levers(t testing.TB, texts ...string) scenario.Definition {
	t.Helper()
	d := scenario.Definition{Period: halfYear}
	for _, text := range texts {
		l, err := scenario.ParseLever(text)
		if err != nil {
			t.Fatal(err)
		}
		d.Levers = append(d.Levers, l)
	}
	return d
}

func run(t *testing.T, s *scenario.Service, texts ...string) *scenario.Result {
	t.Helper()
	r, err := s.Run(t.Context(), firm, levers(t, texts...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// value is a line as "baseline scenario".
func value(r *scenario.Result, measure string) string {
	for _, l := range r.Lines {
		if l.Measure == measure {
			text := func(d *quantity.Decimal) string {
				if d == nil {
					return "(" + l.Reason + ")"
				}
				return d.Round(4).String()
			}
			return text(l.Baseline) + " " + text(l.Scenario)
		}
	}
	return "no line"
}

func TestEachLeverChangesWhatItSays(t *testing.T) {
	t.Parallel()
	s := small(t)
	// Six months have 22+20+22+22+21+22 = 129 weekdays: one more person is 1,032 hours.
	for _, c := range []struct {
		levers       []string
		measure      string
		want         string
		presentStaff string
	}{
		{nil, "gross_profit", "10800 10800", "0"},
		{nil, "gross_margin", "0.4 0.4", "0"},
		{[]string{"price +6%"}, "gross_profit", "10800 12420", "1620"},
		{[]string{`price +6% client="B" revenue_category="hardware"`}, "revenue", "27000 27180", "180"},
		{[]string{`price +90 client=B`}, "revenue", "27000 27540", "540"},
		{[]string{"fee 4000 client=A"}, "gross_profit", "10800 16800", "6000"},
		{[]string{"fee 4000 client=A"}, "recurring_revenue", "24000 30000", "6000"},
		{[]string{"hours -10% client=B"}, "labor_cost", "11400 10860", "0"},
		{[]string{"hours -10% client=B"}, "gross_profit", "10800 11340", "0"},
		{[]string{"hours +10 client=A"}, "labor_cost", "11400 14400", "0"},
		{[]string{"pay +10% staff=Ann"}, "labor_cost", "11400 12300", "-900"},
		{[]string{"pay +2"}, "labor_cost", "11400 11880", "-480"},
		{[]string{"churn client=A"}, "gross_profit", "10800 3000", "-13800"},
		{[]string{"churn 50% client=A"}, "gross_profit", "10800 6900", "-6900"},
		{[]string{"churn client=A"}, "client_concentration", "0.5556 1", "-13800"},
		{[]string{"cost -100% vendor=Pax8"}, "direct_cost", "4800 600", "4200"},
		{[]string{"cost +50"}, "direct_cost", "4800 5100", "-300"},
		{[]string{`seats -6 product=E3 client=A`}, "direct_cost", "4800 4080", "720"},
		{[]string{"staffing +1 rate=30"}, "gross_profit", "10800 10800", "-30960"},
		{[]string{"staffing +1"}, "capacity_hours", "2064 3096", "-49020"},
		{[]string{"staffing -1 role=Senior"}, "capacity_hours", "2064 1032", "51600"},
		{[]string{"price +6%", "churn client=A"}, "gross_profit", "10800 3540", "-13260"},
		{[]string{"fee 500 client=A", "churn client=A"}, "gross_profit", "10800 3000", "-13800"},
	} {
		r := run(t, s, c.levers...)
		if got := value(r, c.measure); got != c.want {
			t.Errorf("%v: %s: got %s, want %s", c.levers, c.measure, got, c.want)
		}
		if got := r.PresentStaff.String(); got != c.presentStaff {
			t.Errorf("%v: with the present staff: got %s, want %s", c.levers, got, c.presentStaff)
		}
	}
}

func TestEffectsOfLeversAreShapleyValues(t *testing.T) {
	t.Parallel()
	r := run(t, small(t), "price +6%", "churn client=A")
	// Alone 1,620 and -7,800, together -7,260.
	var got []string
	for _, e := range r.Effects {
		got = append(got, e.Words+" "+e.Change.String())
	}
	if want := []string{`price +6% 1080`, `churn client="A" -8340`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(r.Clients) != 2 || r.Clients[0].Client != "A" || r.Clients[0].Change.String() != "-7800" || r.Clients[1].Change.String() != "540" {
		t.Errorf("clients: %+v", r.Clients)
	}
}

// Whatever is done: the effects add up to the change of gross profit, and so do the clients.
func TestPartsAddUpToTheChange(t *testing.T) {
	t.Parallel()
	s := small(t)
	choices := []string{"price %+d%%", "price %+d", "price %+d%% client=A", "fee %d client=B", "hours %+d%% client=B", "hours %+d staff=Ann", "pay %+d%% role=Junior", "churn %d%% client=A", "churn %d%% industry=Retail", "cost %+d%% vendor=Datto", "cost %+d client=A", "seats %+d product=E3", "staffing %+d"}
	rapid.Check(t, func(rt *rapid.T) {
		var texts []string
		for range rapid.IntRange(0, 5).Draw(rt, "levers") {
			form := rapid.SampledFrom(choices).Draw(rt, "lever")
			n := rapid.IntRange(1, 90).Draw(rt, "n")
			if !strings.HasPrefix(form, "churn") && !strings.HasPrefix(form, "fee") && rapid.Bool().Draw(rt, "down") {
				n = -n
			}
			if strings.HasPrefix(form, "seats") {
				n = max(n, -10)
			}
			texts = append(texts, fmt.Sprintf(form, n))
		}
		r, err := s.Run(t.Context(), firm, levers(t, texts...))
		if err != nil {
			rt.Fatalf("%q: %v", texts, err)
		}
		var change quantity.Decimal
		for _, l := range r.Lines {
			if l.Measure == "gross_profit" {
				change = *l.Change
			}
		}
		effects, clients := decimal.Zero, decimal.Zero
		for _, e := range r.Effects {
			effects = effects.Add(e.Change)
		}
		for _, c := range r.Clients {
			clients = clients.Add(*c.Change)
		}
		if len(r.Effects) > 0 && !effects.Equal(change) {
			rt.Errorf("%q: effects add up to %s, the change is %s", texts, effects, change)
		}
		if !clients.Round(10).Equal(change.Round(10)) {
			rt.Errorf("%q: clients add up to %s, the change is %s", texts, clients, change)
		}
	})
}

func TestSolveFindsTheSmallestChangeThatMeetsTheTarget(t *testing.T) {
	t.Parallel()
	s := small(t)
	for _, c := range []struct {
		levers  []string
		move    int
		measure string
		target  string
		want    string
		reached string
	}{
		// (R - 2,700) / R = 0.45 at R = 4,909.09, 9.0909 % more than 4,500.
		{[]string{"price +0%"}, 0, "gross_margin", "0.45", "price +9.1%", "0.45"},
		{[]string{"price +0"}, 0, "gross_margin", "0.45", "price +409.1", "0.45"},
		{[]string{"hours +0%"}, 0, "gross_margin", "0.45", "hours -11.85%", "0.45"},
		{[]string{"pay +0%"}, 0, "gross_profit", "0", "pay +94.74%", "-0.36"},
		{[]string{"churn client=A", "fee 1 client=B"}, 1, "gross_profit", "0", `fee 500 client="B"`, "0"},
	} {
		target, err := quantity.ParseDecimal(c.target)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Solve(t.Context(), firm, scenario.Goal{Definition: levers(t, c.levers...), Lever: c.move, Measure: c.measure, Target: target})
		if err != nil {
			t.Errorf("%v: %v", c.levers, err)
			continue
		}
		if diff := cmp.Diff(c.want+" "+c.reached, got.Words+" "+got.Reached.Round(4).String()); diff != "" {
			t.Errorf("%v: %s", c.levers, diff)
		}
	}
	// B alone earns 1,500 - 900 - 100; a margin of 50 % takes 2,000 a month.
	own, err := s.Solve(t.Context(), firm, scenario.Goal{Definition: levers(t, "price +0 client=B"), Measure: "gross_margin", Client: "B", Target: decimal.RequireFromString("0.5")})
	if err != nil || own.Words != `price +500 client="B"` || own.Before.Round(4).String() != "0.3333" || !own.Reached.Equal(decimal.RequireFromString("0.5")) {
		t.Errorf("of one client: %+v, %v", own, err)
	}
	_, err = s.Solve(t.Context(), firm, scenario.Goal{Definition: levers(t, "cost -1%"), Measure: "gross_margin", Target: decimal.RequireFromString("0.9")})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "cannot reach") {
		t.Errorf("out of reach: %v", err)
	}
}

func TestWhatCannotBeDoneIsSaid(t *testing.T) {
	t.Parallel()
	s := small(t)
	for _, c := range []struct{ lever, want string }{
		{"churn", "needs one of client"},
		{"churn client=C", `client "C" has nothing to change`},
		{"price +6% staff=Ann", "cannot be selected by staff"},
		{"price +2000%", "must be -1 to 10"},
		{"fee 10%", "takes an amount"},
		{"fee 100", "needs one of client, agreement"},
		{"price", "is missing: say by how much"},
		{"seats -11 product=E3", "only 10 such seats are there"},
		{"seats -1 product=E5", "there are no such seats"},
		{"hours +5 rate=3", "cost of an hour of staffing"},
	} {
		_, err := s.Run(t.Context(), firm, levers(t, c.lever))
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), c.want) {
			t.Errorf("%s: got %v, want %q", c.lever, err, c.want)
		}
	}
	d := levers(t, "price +1%")
	d.Period = quantity.Period{From: quantity.NewDay(2020, 1, 1), To: quantity.NewDay(2020, 7, 1)}
	if _, err := s.Run(t.Context(), firm, d); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a period without data: %v", err)
	}
	if _, err := s.Run(t.Context(), tenant.Scope{Tenant: "other", Actor: "x"}, levers(t, "price +1%")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another tenant's data: %v", err)
	}
}

func TestUnknownCostLeavesProfitUnknown(t *testing.T) {
	t.Parallel()
	s := open(t, "invoices", "invoice_number,client_name,invoice_date,net_amount\n1,A,2026-01-05,100\n")
	d := levers(t, "price +10%")
	d.Period = quantity.Period{From: quantity.NewDay(2026, 1, 1), To: quantity.NewDay(2026, 2, 1)}
	r, err := s.Run(t.Context(), firm, d)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := value(r, "revenue"), "100 110"; got != want {
		t.Errorf("revenue: got %s, want %s", got, want)
	}
	if got := value(r, "gross_profit"); !strings.Contains(got, "no time entries imported") || r.PresentStaff != nil {
		t.Errorf("gross profit without hours: %s, present staff %v", got, r.PresentStaff)
	}
}

func TestLeversAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{` Price  −6%  client="A ""x"" , B",C `, `price -6% client="A ""x"" , B","C"`},
		{"staffing 2 role=Technician rate=48.5", `staffing +2 rate=48.5 role="Technician"`},
		{"fee 2400 client=A", `fee 2400 client="A"`},
		{"churn client=A", `churn client="A"`},
	} {
		l, err := scenario.ParseLever(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		again, err := scenario.ParseLever(l.String())
		if l.String() != c.want || err != nil || again.String() != c.want {
			t.Errorf("%s: got %s, then %s (%v), want %s", c.text, l, again, err, c.want)
		}
	}
	for _, bad := range []string{"", "raise +6%", "price six", "price +1% +2%", `price +1% client="A`, "price +1% client=", "price +1% client=A client=B", "=x", "price +1e9999999999%"} {
		if l, err := scenario.ParseLever(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: got %v, %v", bad, l, err)
		}
	}
}

func FuzzLever(f *testing.F) {
	for _, s := range []string{`price +6% client="A","B"`, "staffing +1 rate=3", `x="`, "churn 50% client=A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := scenario.ParseLever(text)
		if err != nil {
			return
		}
		again, err := scenario.ParseLever(l.String())
		if err != nil || again.String() != l.String() {
			t.Errorf("%q is written %q, which is read as %q (%v)", text, l, again, err)
		}
	})
}
