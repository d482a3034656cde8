package insight_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// tree writes drivers as "name +part" by path.
func tree(into map[string]string, path string, drivers []insight.Driver) map[string]string {
	for _, d := range drivers {
		into[path+d.Name] = d.Contribution.RoundBank(4).String()
		tree(into, path+d.Name+" > ", d.Drivers)
	}
	return into
}

// shop sells seats and support to two clients over two months.
func shop(t testing.TB) *world {
	x := newWorld(t)
	x.text(t, "clients.csv", "client_name,status\nHarbor Dental,active\nBay Clinic,active\nOld Mill,active\nNew Pier,active\n")
	x.text(t, "invoices.csv", strings.Join([]string{
		"invoice_number,line_number,client_name,invoice_date,revenue_category,product_name,description,quantity,unit_price,net_amount",
		"1,1,Harbor Dental,2026-01-01,recurring_resale,Office,,10,20,200", "1,2,Harbor Dental,2026-01-01,recurring_labor,,Managed Services January 2026,1,1000,1000", "1,3,Harbor Dental,2026-01-05,other,Cable,,1,50,50",
		"2,1,Bay Clinic,2026-01-01,recurring_resale,Office,,10,30,300",
		"3,1,Old Mill,2026-01-01,recurring_labor,Support,,1,400,400",
		"4,1,Harbor Dental,2026-02-01,recurring_resale,Office,,12,22,264", "4,2,Harbor Dental,2026-02-01,recurring_labor,,Managed Services February 2026,1,1100,1100", "4,3,Harbor Dental,2026-02-05,other,Credit,,1,-30,-30",
		"5,1,Bay Clinic,2026-02-01,recurring_resale,Office,,20,30,600", "5,2,Bay Clinic,2026-02-01,recurring_resale,Backup,,5,10,50",
		"6,1,New Pier,2026-02-01,recurring_labor,Support,,1,500,500", "",
	}, "\n"))
	x.text(t, "time_entries.csv", "time_entry_id,staff_name,client_name,work_date,hours_worked\n1,Dana Ortiz,Harbor Dental,2026-01-05,5\n2,Dana Ortiz,Harbor Dental,2026-02-27,5\n")
	return x
}

// Office has 20 seats at 25 and then 32 at 27: an average of 26. Harbor sells 2 more at a
// mean price of 21, Bay 10 more at 30; Harbor's price rises by 2 on a mean of 11 seats.
func TestRevenueIsPriceVolumeMixAndWhatBeganOrEnded(t *testing.T) {
	t.Parallel()
	x := shop(t)
	e := explain(t, x, insight.ExplainRequest{Measure: "revenue", Period: period(t, "2026-02", "2026-03"), By: []string{insight.Factors, "client", "product"}})
	want := map[string]string{
		"price": "122", "price > Harbor Dental": "122", "price > Harbor Dental > Office": "22", "price > Harbor Dental > Managed Services": "100",
		"volume": "312", "volume > Bay Clinic": "260", "volume > Bay Clinic > Office": "260", "volume > Harbor Dental": "52", "volume > Harbor Dental > Office": "52",
		"mix": "30", "mix > Bay Clinic": "40", "mix > Bay Clinic > Office": "40", "mix > Harbor Dental": "-10", "mix > Harbor Dental > Office": "-10",
		"new_products": "50", "new_products > Bay Clinic": "50", "new_products > Bay Clinic > Backup": "50",
		"lost_products": "-50", "lost_products > Harbor Dental": "-50", "lost_products > Harbor Dental > Cable": "-50",
		"new_clients": "500", "new_clients > New Pier": "500", "new_clients > New Pier > Support": "500", "lost_clients": "-400", "lost_clients > Old Mill": "-400", "lost_clients > Old Mill > Support": "-400",
		"credits": "-30", "credits > Harbor Dental": "-30", "credits > Harbor Dental > Credit": "-30",
	}
	if diff := cmp.Diff(want, tree(map[string]string{}, "", e.Drivers)); diff != "" {
		t.Error(diff)
	}
	if e.Change.String() != "534" || levels(e.Drivers) != "" || crosses(e) != "" {
		t.Errorf("change %s; %s; %s", e.Change, levels(e.Drivers), crosses(e))
	}
	if want := "Of new clients, the most is New Pier +500.00."; !strings.Contains(e.Words, want) {
		t.Errorf("words %q, want %q in them", e.Words, want)
	}
	// The same change from the clients down.
	e = explain(t, x, insight.ExplainRequest{Measure: "revenue", Period: period(t, "2026-02", "2026-03"), Depth: 2})
	got := tree(map[string]string{}, "", e.Drivers)
	for name, part := range map[string]string{"Harbor Dental": "84", "Harbor Dental > price": "122", "Harbor Dental > credits": "-30", "Bay Clinic > volume": "260", "Bay Clinic > mix": "40"} {
		if got[name] != part {
			t.Errorf("%s: %s, want %s", name, got[name], part)
		}
	}
}

// Two people at 40 and 80 an hour: who works moves the rate, and so do a raise and overtime.
func TestLaborIsHoursPayStaffMixAndOvertime(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.text(t, "clients.csv", "client_name,status\nHarbor Dental,active\n")
	x.text(t, "staff.csv", "staff_name,cost_rate,weekly_hours,hired_on,valid_from\nJo Junior,40,40,2025-01-01,2025-01-01\nSam Senior,80,40,2025-01-01,2025-01-01\nJo Junior,44,40,2025-01-01,2026-02-01\n")
	x.text(t, "invoices.csv", "invoice_number,client_name,invoice_date,net_amount\n1,Harbor Dental,2026-01-01,10000\n2,Harbor Dental,2026-02-01,10000\n")
	x.text(t, "time_entries.csv", strings.Join([]string{
		"time_entry_id,staff_name,client_name,work_date,hours_worked,work_type,cost_multiplier",
		"1,Jo Junior,Harbor Dental,2026-01-05,10,Remote,", "2,Sam Senior,Harbor Dental,2026-01-05,10,On site,",
		"3,Jo Junior,Harbor Dental,2026-02-05,10,Remote,", "4,Sam Senior,Harbor Dental,2026-02-05,10,On site,", "5,Sam Senior,Harbor Dental,2026-02-27,10,On site,1.5", "",
	}, "\n"))
	february := period(t, "2026-02", "2026-03")
	e := explain(t, x, insight.ExplainRequest{Measure: "labor_cost", Period: february, Depth: 2})
	// 20 h at 60 are 1,200; 30 h at 2,440/30 are 2,440. Hours: 10 at a mean rate of
	// 70.6667. The rate is 533.3333: Jo's raise 4 on 10 h; Sam's multiplier 1 to 1.25, each
	// order of hours and multiplier: 0.25 × 80 × a mean of 15 h = 300; the rest is that Sam
	// works ten hours more at a mean of 90, not 70.6667.
	want := map[string]string{
		"hours_worked": "706.6667", "labor_cost_rate": "533.3333",
		"labor_cost_rate > pay_rate": "40", "labor_cost_rate > overtime": "300", "labor_cost_rate > staff_mix": "193.3333",
	}
	got := tree(map[string]string{}, "", e.Drivers)
	for name, part := range want {
		if got[name] != part {
			t.Errorf("%s: %s, want %s\n%v", name, got[name], part, got)
		}
	}
	if levels(e.Drivers) != "" || e.Change.String() != "1240" {
		t.Errorf("%s: %s", e.Change, levels(e.Drivers))
	}
	// A margin moves by the same, divided by the revenue of 10,000.
	e = explain(t, x, insight.ExplainRequest{Measure: "gross_margin", Period: february, Depth: 2})
	got = tree(map[string]string{}, "", e.Drivers)
	if got["labor_cost_rate > overtime"] != "-0.03" || got["labor_cost_rate > pay_rate"] != "-0.004" || levels(e.Drivers) != "" {
		t.Errorf("margin: %v %s", got, levels(e.Drivers))
	}
	// Levels by dimensions that only some inputs have: revenue has no work type.
	e = explain(t, x, insight.ExplainRequest{Measure: "gross_margin", Period: february, By: []string{"client", "work_type"}})
	got = tree(map[string]string{}, "", e.Drivers)
	if got["Harbor Dental > On site"] != "-0.12" || got["Harbor Dental > Remote"] != "-0.004" || levels(e.Drivers) != "" {
		t.Errorf("by client and work type: %v %s", got, levels(e.Drivers))
	}
}

func TestAnyTwoCellsAreCompared(t *testing.T) {
	t.Parallel()
	x := bridge(t)
	february, harbor, bay := period(t, "2026-02", "2026-03"), `client = "Harbor Dental"`, `client = "Bay Clinic"`
	for _, tc := range []struct {
		name                    string
		req                     insight.ExplainRequest
		from, to, label, change string
	}{
		{"two clients' profit", insight.ExplainRequest{Measure: "gross_profit", Where: harbor, Period: february, Versus: insight.Elsewhere, Against: insight.Against{Where: bay}}, "2260", "2680", "Bay Clinic", "420"},
		{"two clients' margin, at the same size", insight.ExplainRequest{Measure: "gross_margin", Where: harbor, Period: february, Versus: insight.Elsewhere, Against: insight.Against{Where: bay}}, "0.753333333333", "0.243636363636", "Bay Clinic, at the same revenue", "-0.509696969697"},
		{"another period", insight.ExplainRequest{Measure: "revenue", Where: harbor, Period: february, Versus: insight.Elsewhere, Against: insight.Against{Period: period(t, "2026-01", "2026-02")}}, "10000", "11000", "2026-01-01 to 2026-02-01", "1000"},
	} {
		e := explain(t, x, tc.req)
		if e.Change == nil || e.From.Value.String() != tc.from || e.To.Value.String() != tc.to || e.From.Label != tc.label || e.Change.String() != tc.change || crosses(e) != "" {
			t.Errorf("%s: %v to %v by %v (%s), want %s to %s by %s (%s): %s", tc.name, e.From.Value, e.To.Value, e.Change, e.From.Label, tc.from, tc.to, tc.change, tc.label, e.Note)
		}
	}
	e := explain(t, x, insight.ExplainRequest{Measure: "revenue", Where: harbor, Period: february, Versus: insight.YearAgo})
	if e.Change != nil || e.From.Value != nil || e.From.Reason != "the data begins in January 2026" || len(e.Steps) != 0 {
		t.Errorf("a year before the data: %+v", e)
	}
	for name, req := range map[string]insight.ExplainRequest{
		"no other cell":             {Versus: insight.Elsewhere},
		"another cell for previous": {Against: insight.Against{Where: bay}},
		"half a period":             {Versus: insight.Elsewhere, Against: insight.Against{Period: quantity.Period{From: february.From}}},
		"no snapshot":               {Versus: insight.Restated},
		"a snapshot to come":        {Versus: insight.Restated, Snapshot: 1 << 40},
		"a snapshot for previous":   {Snapshot: 1},
		"too deep":                  {Depth: 9},
		"no such level":             {By: []string{"priority"}},
		"a level twice":             {By: []string{"client", "client"}},
		"seen elsewhere":            {Versus: insight.Portfolio, Where: harbor, AsSeen: true},
	} {
		req.Measure, req.Period = "revenue", february
		if _, err := x.Explain(t.Context(), northwind, req); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a figure differs by from last week's is told by what was imported since.
func TestARestatementIsToldByWhatChanged(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.text(t, "clients.csv", "client_name,status\nHarbor Dental,active\n")
	x.text(t, "staff.csv", "staff_name,cost_rate,weekly_hours,hired_on,valid_from\nDana Ortiz,50,40,2025-01-01,2025-01-01\n")
	x.text(t, "invoices.csv", "invoice_number,line_number,client_name,invoice_date,net_amount\n1,1,Harbor Dental,2026-01-01,1000\n2,1,Harbor Dental,2026-02-01,1000\n")
	x.text(t, "time_entries.csv", "time_entry_id,staff_name,client_name,work_date,hours_worked\n1,Dana Ortiz,Harbor Dental,2026-02-05,4\n2,Dana Ortiz,Harbor Dental,2026-02-27,2\n")
	before, err := x.warehouse.Current(t.Context(), northwind)
	if err != nil {
		t.Fatal(err)
	}
	x.text(t, "time_entries.csv", "time_entry_id,staff_name,client_name,work_date,hours_worked\n2,Dana Ortiz,Harbor Dental,2026-02-27,5\n3,Dana Ortiz,Harbor Dental,2026-02-26,1\n")
	x.text(t, "staff.csv", "staff_name,cost_rate,weekly_hours,hired_on,valid_from\nDana Ortiz,60,40,2025-01-01,2025-01-01\n")
	february := period(t, "2026-02", "2026-03")
	e := explain(t, x, insight.ExplainRequest{Measure: "labor_cost", Period: february, Versus: insight.Restated, Snapshot: before})
	// 6 h at 50 are 10 h at 60. The three hours more of entry 2 and the one of entry 3 count
	// at a mean of 55; ten more an hour on a mean of 8 hours.
	want := map[string]string{"rows_changed": "165", "rows_added": "55", "rate_changes": "80"}
	if diff := cmp.Diff(want, parts(e)); diff != "" || e.Change.String() != "300" {
		t.Errorf("change %s\n%s", e.Change, diff)
	}
	if e.Note != "rows that differ since: staff: 1 changed; time entries: 1 added, 1 changed" || crosses(e) != "" {
		t.Errorf("note %q; %s", e.Note, crosses(e))
	}
	if want := "The labor cost is 600.00 and was 300.00 in snapshot"; !strings.HasPrefix(e.Words, want) {
		t.Errorf("words %q, want %q", e.Words, want)
	}
	e = explain(t, x, insight.ExplainRequest{Measure: "gross_margin", Period: february, Versus: insight.Restated, Snapshot: before})
	if diff := cmp.Diff(map[string]string{"rows_changed": "-0.165", "rows_added": "-0.055", "rate_changes": "-0.08"}, parts(e)); diff != "" {
		t.Error(diff)
	}
	e = explain(t, x, insight.ExplainRequest{Measure: "revenue", Period: february, Versus: insight.Restated, Snapshot: before})
	if e.Change == nil || !e.Change.IsZero() || len(e.Drivers) != 0 {
		t.Errorf("revenue did not change: %+v", e)
	}
}
