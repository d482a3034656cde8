package insight_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

// repriceWorld has an agreement of domain.md 7.2: 3,000 a month, 20 hours at a cost of 52
// billed at 150, products bought at 700 and worth 1,000; and others that lack something.
func repriceWorld(t *testing.T) *world {
	x := newWorld(t)
	x.text(t, "agreements.csv", `agreement_id,client_name,agreement_name,billing_model,start_date,end_date,amount,target_hourly_rate,term_months,billing_cycle,status,currency
A-1,Harbor,Managed,fixed_fee,2025-01-10,,2000.00,,12,monthly,active,USD
A-2,Dune,Care,fixed_fee,2025-03-01,2026-09-30,1200.00,80,,quarterly,active,USD
A-3,Reef,Idle,fixed_fee,2025-01-01,,500.00,,,monthly,active,USD
A-4,Cove,Hourly,t_and_m,2025-01-01,,100.00,,,monthly,active,USD
`)
	x.text(t, "agreement_additions.csv", `addition_id,agreement_id,client_name,product_name,quantity,unit_price,unit_cost,effective_date
D-1,A-1,Harbor,Tools,10,100.00,70.00,2025-01-01
`)
	x.text(t, "staff.csv", "staff_name,cost_rate,bill_rate,weekly_hours,currency\nAnn,52.00,150.00,40,USD\nBob,78.00,150.00,40,USD\n")
	entries, tickets, invoices := []string{"time_entry_id,staff_name,client_name,agreement_id,work_date,hours_worked,billable"}, []string{"ticket_number,client_name,created_at,ticket_type"}, []string{"invoice_number,client_name,invoice_date,agreement_id,amount,revenue_category,currency"}
	for m := 1; m <= 12; m++ {
		day := quantity.NewDay(2025, 6, 1).AddMonths(m).AddDays(27)
		entries = append(entries, fmt.Sprintf("T-%d,Ann,Harbor,A-1,%s,20,yes", m, day))
		who, hours := "Ann", 6
		if m > 6 {
			who, hours = "Bob", 12
		}
		entries = append(entries, fmt.Sprintf("U-%d,%s,Dune,A-2,%s,%d,yes", m, who, day, hours))
		for k := range 3 {
			tickets = append(tickets, fmt.Sprintf("%d,Dune,%s 09:00,incident", 1000+10*m+k, day))
		}
		invoices = append(invoices, fmt.Sprintf("I-%d,Harbor,%s,A-1,3000.00,recurring_labor,USD", m, day.Month()))
	}
	x.text(t, "time_entries.csv", strings.Join(entries, "\n")+"\n")
	x.text(t, "tickets.csv", strings.Join(tickets, "\n")+"\n")
	x.text(t, "invoices.csv", strings.Join(invoices, "\n")+"\n")
	return x
}

func reprices(t *testing.T, x *world, set insight.RepriceSettings) map[string]insight.Reprice {
	t.Helper()
	sheet, err := x.Reprices(t.Context(), northwind, insight.RepriceRequest{RepriceSettings: set})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]insight.Reprice{}
	for _, r := range sheet.Items {
		all[r.Client] = r
	}
	return all
}

func TestRepriceGoldenVectors(t *testing.T) {
	t.Parallel()
	x := repriceWorld(t)
	all := reprices(t, x, insight.RepriceSettings{Margin: decimal.RequireFromString("0.5"), Cap: decimal.RequireFromString("0.1")})
	if len(all) != 3 {
		t.Fatalf("got %d agreements, want Harbor, Dune and Reef: %v", len(all), all)
	}
	show := func(p *quantity.Decimal) string {
		if p == nil {
			return "null"
		}
		return p.Round(4).String()
	}
	line := func(r insight.Reprice) string {
		parts := []string{r.Fee.String(), show(r.Hours), show(r.Labor), r.ProductCost.String(), r.ProductValue.String(), show(r.Shadow), show(r.Margin), show(r.BreakEven), show(r.BreakEvenHours)}
		for _, p := range r.Prices {
			parts = append(parts, fmt.Sprintf("%s %s: %s (%s)", p.Method, p.Target, show(p.Price), show(p.Uplift)))
		}
		return strings.Join(append(parts, "propose "+show(r.Proposed), fmt.Sprint(r.Capped), r.Earliest.String()), " | ")
	}
	for client, want := range map[string]string{
		// domain.md 7.2: 3,480 (+16.0 %) for 50 %; 4,000 (+33.3 %) for efficiency 1.0 at 150.
		"Harbor": "3000 | 20 | 1040 | 700 | 1000 | 3000 | 0.42 | 1740 | 44.2308 | margin 0.5: 3480 (0.16) | efficiency 1: 4000 (0.3333) | hourly_rate 150: 4000 (0.3333) | propose 3300 | true | 2027-01-10",
		// 400 a month; 9 h; (6 x 6 h x 52 + 6 x 12 h x 78) / 12 = 624; target 80 an hour.
		"Dune": "400 | 9 | 624 | 0 | 0 | 1350 | -0.56 | 624 | 5.7692 | margin 0.5: 1248 (2.12) | efficiency 1: 1350 (2.375) | hourly_rate 80: 720 (0.8) | propose 440 | true | 2026-10-01",
		"Reef": "500 | null | null | 0 | 0 | null | null | null | null | margin 0.5: null (null) | efficiency 1: null (null) | hourly_rate 0: null (null) | propose null | false | 2026-08-01",
	} {
		if got := line(all[client]); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", client, got, want)
		}
	}
	if r := all["Harbor"]; r.HoursInterval == nil || !r.HoursInterval.Low.Equal(*r.Hours) || !r.HoursInterval.High.Equal(*r.Hours) || r.Prices[0].Low == nil || !r.Prices[0].Low.Equal(*r.Prices[0].Price) {
		t.Errorf("every month is the same, so the interval has no width: %+v %+v", r.HoursInterval, r.Prices[0])
	}
	if r := all["Dune"]; r.LaborInterval == nil || !r.LaborInterval.Low.LessThan(*r.Labor) || !r.Prices[0].High.GreaterThan(*r.Prices[0].Price) {
		t.Errorf("labor varies, so it has an interval: %+v", r.LaborInterval)
	}
	if len(all["Reef"].Notes) == 0 || all["Reef"].Prices[0].Reason == "" {
		t.Errorf("an agreement without hours says so: %+v", all["Reef"])
	}
}

// Dune's labor rises from 6 h at 52 to 12 h at 78, from 312 to 936: with three tickets in
// every month it is time a ticket (2 to 4 h) and who works. Shapley by hand, for a product of
// two factors: 6 x (52 + 78) / 2 = 390 and 26 x (6 + 12) / 2 = 234.
func TestRepriceSaysWhatDroveTheLabor(t *testing.T) {
	t.Parallel()
	r := reprices(t, repriceWorld(t), insight.RepriceSettings{})["Dune"]
	if r.LaborChange == nil || !r.LaborChange.Equal(decimal.New(624, 0)) {
		t.Fatalf("labor changed by %v, want 624", r.LaborChange)
	}
	want := map[string]string{"hours_per_ticket": "390", "labor_cost_rate": "234", "tickets": "0"}
	sum := decimal.Zero
	for _, d := range r.Drivers {
		sum = sum.Add(d.Contribution)
		if d.Contribution.String() != want[d.Name] {
			t.Errorf("%s contributes %s, want %s", d.Name, d.Contribution, want[d.Name])
		}
	}
	if len(r.Drivers) != len(want) || !sum.Equal(*r.LaborChange) {
		t.Errorf("drivers %v add up to %s", r.Drivers, sum)
	}
}

func TestRepriceRefusesImpossibleSettings(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	for _, set := range []insight.RepriceSettings{{Margin: decimal.New(1, 0)}, {Margin: decimal.New(-1, 0)}, {Rate: decimal.New(-1, 0)}, {NoticeDays: -1}, {Cap: decimal.New(-1, 0)}, {Efficiency: decimal.New(-1, 0)}} {
		if _, err := x.Reprices(t.Context(), northwind, insight.RepriceRequest{RepriceSettings: set}); fault.KindOf(err) != fault.Invalid || len(fault.FieldsOf(err)) != 1 {
			t.Errorf("%+v: %v", set, err)
		}
	}
	sheet, err := x.Reprices(t.Context(), northwind, insight.RepriceRequest{})
	if err != nil || sheet.Items == nil || len(sheet.Items) != 0 || len(sheet.Notes) == 0 {
		t.Errorf("without data: %+v, %v", sheet, err)
	}
}

// The agreements that the sample prices too low are the ones whose price is missing most of
// their fee.
func TestRepriceFindsTheUnderpricedAgreementsOfTheSample(t *testing.T) {
	t.Parallel()
	dir, truth := msp(t, sample.MSPOptions{Clients: 16, Months: 12})
	x := newWorld(t)
	x.load(t, dir)
	all := reprices(t, x, insight.RepriceSettings{})
	if len(all) < 10 {
		t.Fatalf("only %d agreements", len(all))
	}
	for _, c := range truth.LossClients {
		r, ok := all[c.Client]
		if !ok || r.Prices[0].Uplift == nil || !r.Prices[0].Uplift.GreaterThan(decimal.New(15, -2)) && c.Cause != sample.CauseDirectCost {
			t.Errorf("%s (%s): %+v", c.Client, c.Cause, r)
		}
	}
	for client, r := range all {
		if r.LaborChange == nil {
			t.Errorf("%s: no drivers: %v", client, r.Notes)
			continue
		}
		sum := decimal.Zero
		for _, d := range r.Drivers {
			sum = sum.Add(d.Contribution)
		}
		if !sum.Equal(*r.LaborChange) || len(r.Drivers) != 4 {
			t.Errorf("%s: %v add up to %s, want %s", client, r.Drivers, sum, r.LaborChange)
		}
	}
}
