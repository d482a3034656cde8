package insight_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// bridge loads two months of two clients: at Harbor Dental 100 h at 50 become 130 h at 54.
func bridge(t testing.TB) *world {
	x := newWorld(t)
	x.text(t, "clients.csv", "client_name,status\nHarbor Dental,active\nBay Clinic,active\nOwn,internal\n")
	x.text(t, "staff.csv", "staff_name,cost_rate,weekly_hours,hired_on,valid_from\nDana Ortiz,50,40,2025-01-01,2025-01-01\nDana Ortiz,54,40,2025-01-01,2026-02-01\n")
	x.text(t, "invoices.csv", strings.Join([]string{
		"invoice_number,client_name,invoice_date,revenue_category,net_amount",
		"1,Harbor Dental,2026-01-01,recurring_labor,9000", "2,Harbor Dental,2026-01-15,project,1000",
		"3,Harbor Dental,2026-02-01,recurring_labor,9500", "4,Harbor Dental,2026-02-15,project,1500",
		"5,Bay Clinic,2026-02-01,recurring_labor,3000", "",
	}, "\n"))
	x.text(t, "expenses.csv", "expense_id,expense_date,client_name,vendor,category,net_amount\n1,2026-01-05,Harbor Dental,Pax,cogs_product,1000\n2,2026-02-05,Harbor Dental,Pax,cogs_product,1300\n3,2026-02-05,Bay Clinic,Pax,cogs_product,200\n")
	var rows strings.Builder
	rows.WriteString("time_entry_id,staff_name,client_name,work_date,hours_worked\n")
	id := 0
	work := func(client, month string, days int, hours string) {
		for day := 1; day <= days; day++ {
			id++
			fmt.Fprintf(&rows, "%d,Dana Ortiz,%s,%s-%02d,%s\n", id, client, month, day, hours)
		}
	}
	work("Harbor Dental", "2026-01", 20, "5")
	work("Harbor Dental", "2026-02", 26, "5")
	work("Bay Clinic", "2026-02", 10, "1")
	work("Own", "2026-02", 10, "2")
	x.text(t, "time_entries.csv", rows.String())
	return x
}

func explain(t testing.TB, x *world, req insight.ExplainRequest) *insight.Explanation {
	t.Helper()
	e, err := x.Explain(t.Context(), northwind, req)
	if err != nil {
		t.Fatalf("%+v: %v", req, err)
	}
	return e
}

func parts(e *insight.Explanation) map[string]string {
	out := map[string]string{}
	for _, d := range e.Drivers {
		out[d.Name] = d.Contribution.String()
	}
	return out
}

func TestExplainByHand(t *testing.T) {
	t.Parallel()
	x := bridge(t)
	february := period(t, "2026-02", "2026-03")
	harbor := `client = "Harbor Dental"`
	for _, tc := range []struct {
		name             string
		req              insight.ExplainRequest
		measure          string
		from, to, change string
		want             map[string]string
		words            string
	}{
		{
			name: "labor bridge", req: insight.ExplainRequest{Measure: "labor_cost", Where: harbor, Period: february}, measure: "labor_cost",
			from: "5000", to: "7020", change: "2020", want: map[string]string{"hours_worked": "1560", "labor_cost_rate": "460"},
			words: `The labor cost of Harbor Dental rose from 5,000.00 (previous period) to 7,020.00, by hours worked +1,560.00, labor cost rate +460.00.`,
		},
		{
			name: "gross profit", req: insight.ExplainRequest{Measure: "gross_profit", Where: harbor, Period: february}, measure: "gross_profit",
			from: "4000", to: "2680", change: "-1320", want: map[string]string{"revenue": "1000", "hours_worked": "-1560", "labor_cost_rate": "-460", "direct_cost": "-300"},
		},
		{
			name: "revenue by category", req: insight.ExplainRequest{Measure: "revenue", Where: harbor, Period: february}, measure: "revenue",
			from: "10000", to: "11000", change: "1000", want: map[string]string{"recurring_labor": "500", "project": "500"},
		},
		{
			name: "revenue by client", req: insight.ExplainRequest{Measure: "revenue", Period: february}, measure: "revenue",
			from: "10000", to: "14000", change: "4000", want: map[string]string{"Bay Clinic": "3000", "Harbor Dental": "1000"},
		},
		{
			// 1 - 540/3000 - 200/3000 against 1 - 7560/14000 - 1500/14000; at Bay Clinic's 3,000
			// the portfolio has 30 h at 54 and 321.43 of vendor cost.
			name: "margin against the portfolio", req: insight.ExplainRequest{Measure: "gross_margin", Where: `client = "Bay Clinic"`, Period: february, Versus: insight.Portfolio}, measure: "gross_margin",
			from: "0.352857142857", to: "0.753333333333", change: "0.400476190476",
			want: map[string]string{"hours_worked": "0.36", "direct_cost": "0.040476190476", "revenue": "0", "labor_cost_rate": "0"},
		},
		{
			name: "margin without revenue before is explained in money", req: insight.ExplainRequest{Measure: "gross_margin", Where: `client = "Bay Clinic"`, Period: february}, measure: "gross_profit",
			from: "0", to: "2260", change: "2260", want: map[string]string{"revenue": "3000", "hours_worked": "-540", "direct_cost": "-200", "labor_cost_rate": "0"},
		},
		{
			name: "revenue against the average client", req: insight.ExplainRequest{Measure: "revenue", Where: harbor, Period: february, Versus: insight.Portfolio}, measure: "revenue",
			from: "7000", to: "11000", change: "4000", want: map[string]string{"recurring_labor": "3250", "project": "750"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := explain(t, x, tc.req)
			if e.Measure != tc.measure || e.From.Value == nil || e.To.Value == nil || e.Change == nil {
				t.Fatalf("%+v", e)
			}
			if e.From.Value.String() != tc.from || e.To.Value.String() != tc.to || e.Change.String() != tc.change {
				t.Errorf("%s to %s: %s; want %s to %s: %s", e.From.Value, e.To.Value, e.Change, tc.from, tc.to, tc.change)
			}
			if diff := cmp.Diff(tc.want, parts(e)); diff != "" {
				t.Error(diff)
			}
			if tc.words != "" && e.Words != tc.words {
				t.Errorf("words %q, want %q", e.Words, tc.words)
			}
			if e.Confidence.Score <= 0 || e.Confidence.Score > 1 || e.Snapshot == 0 {
				t.Errorf("confidence %+v, snapshot %d", e.Confidence, e.Snapshot)
			}
		})
	}
}

func TestExplainRefuses(t *testing.T) {
	t.Parallel()
	x := bridge(t)
	february := period(t, "2026-02", "2026-03")
	for name, req := range map[string]insight.ExplainRequest{
		"unknown measure":          {Measure: "profit", Period: february},
		"unknown comparison":       {Measure: "revenue", Period: february, Versus: "plan"},
		"portfolio without a cell": {Measure: "gross_margin", Period: february, Versus: insight.Portfolio},
		"a filter that is none":    {Measure: "revenue", Period: february, Where: "client is Harbor"},
		"the index of all clients": {Measure: "client_concentration", Period: february, Where: `industry = "Healthcare"`, Versus: insight.Portfolio},
		"tickets of one priority":  {Measure: "ticket_count", Period: february, Where: `priority = "High"`, Versus: insight.Portfolio},
	} {
		if _, err := x.Explain(t.Context(), northwind, req); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	empty := newWorld(t)
	if _, err := empty.Explain(t.Context(), northwind, insight.ExplainRequest{Measure: "revenue"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("no data: %v", err)
	}
	if got := empty.analyze(t); got == nil || len(got) != 0 {
		t.Errorf("no data: findings %v", got)
	}
}

func TestABriefExplanationHasTheSameValuesWithoutDrivers(t *testing.T) {
	t.Parallel()
	x := bridge(t)
	for _, measure := range []string{"revenue", "hours_worked", "gross_margin"} {
		req := insight.ExplainRequest{Measure: measure, Period: period(t, "2026-02", "2026-03")}
		whole := explain(t, x, req)
		req.Brief = true
		brief := explain(t, x, req)
		if !brief.To.Value.Equal(*whole.To.Value) || !brief.From.Value.Equal(*whole.From.Value) || !brief.Change.Equal(*whole.Change) {
			t.Errorf("%s: brief %s to %s, whole %s to %s", measure, brief.From.Value, brief.To.Value, whole.From.Value, whole.To.Value)
		}
		if brief.Confidence.Score != whole.Confidence.Score {
			t.Errorf("%s: confidence %v, want %v", measure, brief.Confidence.Score, whole.Confidence.Score)
		}
		if measure != "gross_margin" && (len(brief.Drivers) != 0 || len(whole.Drivers) == 0) {
			t.Errorf("%s: %d drivers in brief, %d in whole", measure, len(brief.Drivers), len(whole.Drivers))
		}
	}
}

func TestAnIndexOfAllClientsIsComparedAsAWhole(t *testing.T) {
	t.Parallel()
	x := bridge(t)
	e := explain(t, x, insight.ExplainRequest{Measure: "client_concentration", Period: period(t, "2026-02", "2026-03")})
	if e.To.Value == nil || e.From.Value == nil || e.Change == nil || len(e.Drivers) != 0 || e.Note == "" {
		t.Fatalf("got %+v", e)
	}
	if !e.To.Value.Sub(*e.From.Value).Equal(*e.Change) {
		t.Errorf("%s to %s is not %s", e.From.Value, e.To.Value, e.Change)
	}
}

func TestExplanationAsJSON(t *testing.T) {
	t.Parallel()
	e := explain(t, bridge(t), insight.ExplainRequest{Measure: "labor_cost", Where: `client = "Harbor Dental"`, Period: period(t, "2026-02", "2026-03")})
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Measure, Unit string
		From, To      struct{ Value string }
		Change        string
		Drivers       []struct{ Name, Contribution string }
		Confidence    struct {
			Score   float64
			Grade   string
			Reasons []string
		}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Measure != "labor_cost" || got.Unit != "money" || got.From.Value != "5000" || got.To.Value != "7020" || got.Change != "2020" || len(got.Drivers) != 2 || got.Confidence.Grade == "" || len(got.Confidence.Reasons) == 0 {
		t.Errorf("%s", text)
	}
}

// driversAddUp checks over the sample that the drivers of any cell and measure add up to
// the change, and that the value is the one that the metrics give.
func driversAddUp(t *testing.T, x *world, truth sample.Truth) {
	where := []string{
		"", `client = "` + truth.LargestClient.Client + `"`, `client = "` + truth.LossClients[0].Client + `"`,
		`industry in ["Healthcare", "Legal"]`, `client = "nobody"`,
	}
	measures := []string{
		"gross_margin", "gross_profit", "effective_hourly_rate", "labor_cost", "labor_cost_rate", "revenue", "hours_worked", "direct_cost",
		"license_waste", "license_utilization", "overdeploy_exposure", "ticket_count", "sla_attainment", "csat", "agreement_efficiency", "tickets_per_endpoint", "dso",
	}
	explained := 0
	rapid.Check(t, func(r *rapid.T) {
		to := truth.Period.To.AddMonths(-rapid.IntRange(0, 4).Draw(r, "back"))
		p := quantity.Period{From: to.AddMonths(-rapid.IntRange(1, 3).Draw(r, "months")), To: to}
		req := insight.ExplainRequest{Measure: rapid.SampledFrom(measures).Draw(r, "measure"), Where: rapid.SampledFrom(where).Draw(r, "where"), Period: p, Versus: rapid.SampledFrom([]string{insight.Previous, insight.Portfolio, insight.YearAgo, insight.Elsewhere}).Draw(r, "versus"), Depth: rapid.IntRange(1, 3).Draw(r, "depth")}
		if req.Versus == insight.Elsewhere {
			req.Against = insight.Against{Where: rapid.SampledFrom(where[1:4]).Draw(r, "against"), Period: p.Previous()}
		}
		if rapid.Bool().Draw(r, "path") {
			req.By = []string{rapid.SampledFrom([]string{"client", "agreement", insight.Factors}).Draw(r, "first level")}
		}
		e, err := x.Explain(t.Context(), northwind, req)
		if fault.KindOf(err) == fault.Invalid && (req.Versus == insight.Portfolio || len(req.By) > 0) || fault.KindOf(err) == fault.NotFound {
			return
		}
		if err != nil {
			r.Fatalf("%+v: %v", req, err)
		}
		if e.Words == "" || strings.Contains(e.Words, "%!") {
			r.Fatalf("%+v: words %q", req, e.Words)
		}
		if e.Change == nil {
			if len(e.Drivers) > 0 || e.Note == "" {
				r.Fatalf("%+v: no change, drivers %v, note %q", req, e.Drivers, e.Note)
			}
			return
		}
		explained++
		sum := decimal.Zero
		for _, d := range e.Drivers {
			sum = sum.Add(d.Contribution)
		}
		if !sum.Equal(*e.Change) || !e.From.Value.Add(*e.Change).Equal(*e.To.Value) {
			r.Fatalf("%+v: drivers add up to %s, change %s, %s to %s", req, sum, e.Change, e.From.Value, e.To.Value)
		}
		if why := levels(e.Drivers); why != "" {
			r.Fatalf("%+v: %s", req, why)
		}
		if why := crosses(e); why != "" {
			r.Fatalf("%+v: %s", req, why)
		}
		result, err := x.metrics.Run(t.Context(), northwind, e.Query)
		if err != nil {
			r.Fatal(err)
		}
		if got, ok := result.Rows[0][0].(quantity.Decimal); e.Measure == req.Measure && (!ok || !got.Sub(*e.To.Value).Abs().LessThan(decimal.New(1, -4))) {
			r.Fatalf("%+v: explained %s, the metric says %v", req, e.To.Value, result.Rows[0][0])
		}
	})
	if explained < 20 {
		t.Errorf("only %d cells were explained", explained)
	}
}

// levels says which driver's own drivers do not add up to it, "" when all do.
func levels(drivers []insight.Driver) string {
	for _, d := range drivers {
		if len(d.Drivers) == 0 {
			continue
		}
		sum := decimal.Zero
		for _, inner := range d.Drivers {
			sum = sum.Add(inner.Contribution)
		}
		if !sum.Equal(d.Contribution) {
			return fmt.Sprintf("the drivers of %s add up to %s, it is %s", d.Name, sum, d.Contribution)
		}
		if why := levels(d.Drivers); why != "" {
			return why
		}
	}
	return ""
}

// crosses says how a bridge does not lead from one side to the other, "" when it does.
func crosses(e *insight.Explanation) string {
	if len(e.Steps) < 2 || e.Steps[0].Kind != "start" || !e.Steps[0].Amount.Equal(*e.From.Value) {
		return fmt.Sprintf("the bridge does not begin at %s: %+v", e.From.Value, e.Steps)
	}
	total := decimal.Zero
	for _, s := range e.Steps[:len(e.Steps)-1] {
		if total = total.Add(s.Amount); !s.Total.Equal(total) {
			return fmt.Sprintf("step %s stands at %s, want %s", s.Name, s.Total, total)
		}
	}
	if end := e.Steps[len(e.Steps)-1]; end.Kind != "end" || !end.Amount.Equal(total) || !total.Equal(*e.To.Value) {
		return fmt.Sprintf("the bridge ends at %s of %s, want %s", total, end.Amount, e.To.Value)
	}
	return ""
}

func TestAmountsOfSeveralCurrenciesAreNotExplainedAsOne(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.text(t, "clients.csv", "client_name,status\nHarbor Dental,active\nBay Clinic,active\n")
	x.text(t, "staff.csv", "staff_name,cost_rate,currency\nDana Ortiz,50,USD\n")
	x.text(t, "time_entries.csv", "time_entry_id,staff_name,client_name,work_date,hours_worked\n1,Dana Ortiz,Harbor Dental,2026-01-05,5\n2,Dana Ortiz,Harbor Dental,2026-02-27,5\n")
	x.text(t, "invoices.csv", "invoice_number,client_name,invoice_date,net_amount,currency\n1,Harbor Dental,2026-01-01,1000,EUR\n2,Harbor Dental,2026-02-01,1200,USD\n3,Bay Clinic,2026-02-01,300,EUR\n4,Bay Clinic,2026-01-01,200,EUR\n")
	february := period(t, "2026-02", "2026-03")
	value := func(s insight.Side) string {
		if s.Value == nil {
			return "none: " + s.Reason
		}
		return s.Value.String()
	}
	several := `amounts are in EUR and USD: explain one currency at a time, such as currency = "EUR"`
	for _, c := range []struct{ measure, where, from, to, change string }{
		{"revenue", `client = "Harbor Dental"`, "1000", "1200", ""},
		{"revenue", "", "1200", "none: " + several, ""},
		{"gross_profit", `client = "Harbor Dental"`, "none: " + several, "950", ""},
		{"gross_margin", `client = "Harbor Dental"`, "none: " + several, "0.791666666667", ""},
		{"revenue", `client = "Bay Clinic"`, "200", "300", "100"},
	} {
		e := explain(t, x, insight.ExplainRequest{Measure: c.measure, Where: c.where, Period: february})
		change := ""
		if e.Change != nil {
			change = e.Change.String()
		}
		if diff := cmp.Diff([]string{c.from, c.to, c.change}, []string{value(e.From), value(e.To), change}); diff != "" {
			t.Errorf("%s where %s (-want +got):\n%s", c.measure, c.where, diff)
		}
		if c.change == "" && (e.Note != several || len(e.Drivers) != 0) {
			t.Errorf("%s where %s: note %q, drivers %+v", c.measure, c.where, e.Note, e.Drivers)
		}
	}
}

// The interval of a median is that of its order statistics; when some tickets are still open,
// that of Kaplan and Meier's curve. Both are computed here from the tickets alone.
func TestAMedianHasAnIntervalOfItsOwnValues(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	var closed, open strings.Builder
	head := "ticket_number,client_name,created_at,resolved_at\n"
	var hours []float64
	var running []bool
	for i := range 40 {
		h := float64(1 + i*i%37)
		fmt.Fprintf(&closed, "%d,Acme,2026-05-%02d 08:00,2026-05-%02d %02d:%02d\n", i+1, 1+i%27, 1+i%27+int(8+h)/24, (8+int(h))%24, 0)
		hours, running = append(hours, h), append(running, false)
	}
	x.text(t, "tickets.csv", head+closed.String())
	may := period(t, "2026-05", "2026-06")
	e := explain(t, x, insight.ExplainRequest{Measure: "resolution_time", Period: may})
	want, err := stats.QuantileInterval(hours, 0.5, 0.9)
	if err != nil || e.Interval == nil || e.Doubt.Kind != "quantile" || e.Doubt.N != 40 {
		t.Fatalf("%+v %+v %v", e.Doubt, e.Interval, err)
	}
	if low, high := e.Interval.Low.InexactFloat64(), e.Interval.High.InexactFloat64(); math.Abs(low-want.Low) > 1e-6 || math.Abs(high-want.High) > 1e-6 || e.To.Value.String() != "13" { // the 20th of 40
		t.Errorf("%s from %v to %v, want %+v", e.To.Value, low, high, want)
	}
	for _, c := range e.Confidence.Components {
		if strings.Contains(c.Reason, "revenue is known to be net") {
			t.Errorf("a median of tickets is judged by %q", c.Reason)
		}
	}
	few := explain(t, x, insight.ExplainRequest{Measure: "resolution_time", Where: `client = "Nobody"`, Period: may})
	if few.Interval != nil || few.To.Value != nil || few.To.Reason == "" {
		t.Errorf("of nothing: %+v", few.To)
	}
	// The same with every fourth ticket still open at the end of the data.
	y := newWorld(t)
	last := time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)
	for i := range hours {
		made := time.Date(2026, 5, 1+i%27, 8, 0, 0, 0, time.UTC)
		done := made.Add(time.Duration(hours[i] * float64(time.Hour))).Format("2006-01-02 15:04")
		if i%4 == 0 {
			done, hours[i], running[i] = "", last.Sub(made).Hours(), true
		}
		fmt.Fprintf(&open, "%d,Acme,%s,%s\n", i+1, made.Format("2006-01-02 15:04"), done)
	}
	y.text(t, "tickets.csv", head+open.String()+"99,Acme,2026-06-29 08:00,2026-06-30 00:00\n")
	e = explain(t, y, insight.ExplainRequest{Measure: "resolution_time_p90", Period: may})
	s, err := stats.KaplanMeier(hours, running, 0.9)
	if want := s.Quantile(0.9); err != nil || !math.IsNaN(want.Estimate) && e.To.Value == nil {
		t.Errorf("p90 %+v, want %+v %v", e.To, want, err)
	}
	e = explain(t, y, insight.ExplainRequest{Measure: "resolution_time", Period: may})
	if want := s.Quantile(0.5); e.To.Value == nil || e.To.Value.InexactFloat64() != want.Estimate || e.Interval == nil || e.Interval.Low.InexactFloat64() != want.Low || e.Interval.High.InexactFloat64() != want.High {
		t.Errorf("median with open tickets %+v %+v, want %+v", e.To, e.Interval, want)
	}
}
