package insight_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

// tightening bills nine clients for 18 months up to June 2026, 1,000 each. A client's hours
// at 50 an hour rise by 1 % of the revenue every month: the margin of month m of all clients
// is 0.5 − 0.01 m, that of twelve months from month s 0.445 − 0.01 s. Client i works
// 0.9 + 0.02 i times as many hours; the first six are of one industry.
func tightening(t testing.TB, currency string) (*world, *insight.Benchmarks) {
	x := newWorld(t)
	var clients, invoices, entries strings.Builder
	clients.WriteString("client_name,status,industry\n")
	invoices.WriteString("invoice_number,client_name,invoice_date,net_amount,currency\n")
	entries.WriteString("time_entry_id,staff_name,client_name,work_date,hours_worked\n")
	for i := 1; i <= 9; i++ {
		industry := "Legal"
		if i > 6 {
			industry = "Retail"
		}
		fmt.Fprintf(&clients, "Client %d,active,%s\n", i, industry)
		for m := range 18 {
			day, id := quantity.NewDay(2025, 1, 5).AddMonths(m), 100*m+i
			fmt.Fprintf(&invoices, "%d,Client %d,%s,1000,%s\n", id, i, day, currency)
			fmt.Fprintf(&entries, "%d,Dana Ortiz,Client %d,%s,%.4f\n", id, i, day.AddDays(27), (10+0.2*float64(m))*(0.9+0.02*float64(i)))
		}
	}
	x.text(t, "clients.csv", clients.String())
	x.text(t, "staff.csv", "staff_name,cost_rate,weekly_hours,hired_on,valid_from\nDana Ortiz,50,40,2024-01-01,2024-01-01\n")
	x.text(t, "invoices.csv", invoices.String())
	x.text(t, "time_entries.csv", entries.String())
	log := audit.New(clock)
	return x, insight.NewBenchmarks(x.Service, metric.NewSettings(x.db, log, clock), x.db, log, clock)
}

func one(t testing.TB, b *insight.Benchmarks, req insight.BenchmarkRequest) insight.Benchmark {
	t.Helper()
	r, err := b.Benchmark(t.Context(), northwind, req)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Benchmarks) != len(req.Measures) {
		t.Fatalf("%d benchmarks of %v", len(r.Benchmarks), req.Measures)
	}
	return r.Benchmarks[0]
}

func near(d *quantity.Decimal, want float64) bool {
	return d != nil && math.Abs(d.InexactFloat64()-want) < 1e-6
}

func TestAFigureStandsBesideEverySourceAndItsHistory(t *testing.T) {
	t.Parallel()
	_, b := tightening(t, "USD")
	got := one(t, b, insight.BenchmarkRequest{Measures: []string{"gross_margin"}})
	if !near(got.Value, 0.385) || got.Interval == nil {
		t.Fatalf("the margin is %v, %v; want 0.385 with an interval", got.Value, got.Interval)
	}
	want := map[string]string{"gross_margin_panel": "middle", "gross_margin_advice": "below the goal", "gross_margin_blended": "below the goal", "gross_margin_tiers": "tier C"}
	for _, r := range got.References {
		if r.Band == nil || r.Threshold.Bands[*r.Band].Label != want[r.Threshold.ID] {
			t.Errorf("%s: band %v, want %s", r.Threshold.ID, r.Band, want[r.Threshold.ID])
		}
		if r.Threshold.Source == "" || r.Threshold.Population == "" || r.Threshold.Quality == "" {
			t.Errorf("%s does not say who says so of whom: %+v", r.Threshold.ID, r.Threshold)
		}
		sum := 0.0
		for _, p := range r.Chances {
			sum += p
		}
		if len(r.Chances) != len(r.Threshold.Bands) || math.Abs(sum-1) > 1e-9 {
			t.Errorf("%s: the chances %v of %d bands", r.Threshold.ID, r.Chances, len(r.Threshold.Bands))
		}
	}
	if len(got.References) != len(want) || !strings.Contains(got.Words, "the 4 sources differ (3 fair, 1 bad)") {
		t.Errorf("%d references, %q", len(got.References), got.Words)
	}
	// The band below 0.38 agrees with the interval: less than 5 % of it where the low end is above.
	panel := got.References[slices.IndexFunc(got.References, func(r insight.Reference) bool { return r.Threshold.ID == "gross_margin_panel" })]
	if low := got.Interval.Low.InexactFloat64(); (low < 0.38) != (panel.Chances[0] > 0.05) {
		t.Errorf("the interval begins at %v and below 0.38 has the probability %v", low, panel.Chances[0])
	}
	h := got.History
	if h.N != 6 || h.TooFew || h.Percentile == nil || *h.Percentile != 0 || h.Previous != nil || !strings.HasPrefix(h.Words, "below all 6 earlier windows of 12 months") {
		t.Errorf("history: %+v", h)
	}
	for s, w := range h.Windows {
		if !near(w.Value, 0.445-0.01*float64(s)) || w.Period.From != quantity.NewDay(2025, 1, 1).AddMonths(s) {
			t.Errorf("window %s is %v, want %v", w.Period, w.Value, 0.445-0.01*float64(s))
		}
	}
}

// The earlier windows are read in one question by month: each must be what its own period says.
func TestEarlierWindowsAreWhatTheirPeriodsSay(t *testing.T) {
	t.Parallel()
	dir, _ := msp(t, sample.MSPOptions{})
	x := newWorld(t)
	x.load(t, dir)
	log := audit.New(clock)
	b := insight.NewBenchmarks(x.Service, metric.NewSettings(x.db, log, clock), x.db, log, clock)
	r, err := b.Benchmark(t.Context(), northwind, insight.BenchmarkRequest{})
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, m := range r.Benchmarks {
		for _, w := range m.History.Windows {
			plain, err := x.metrics.Run(t.Context(), northwind, metric.Query{Measures: []string{m.Measure}, Period: w.Period})
			if err != nil {
				t.Fatal(err)
			}
			want, _ := plain.Rows[0][0].(quantity.Decimal)
			if w.Value != nil {
				known++
			}
			if (w.Value == nil) != (plain.Rows[0][0] == nil) || w.Value != nil && !w.Value.Equal(want) {
				t.Errorf("%s in %s is %v, by itself %v", m.Measure, w.Period, w.Value, plain.Rows[0][0])
			}
		}
	}
	if known < 100 {
		t.Errorf("only %d windows have a value", known)
	}
}

func TestChangeAgainstTheWindowBefore(t *testing.T) {
	t.Parallel()
	_, b := tightening(t, "USD")
	half := one(t, b, insight.BenchmarkRequest{Measures: []string{"gross_margin"}, Period: period(t, "2026-01", "2026-07")})
	if h := half.History; !near(half.Value, 0.355) || !near(h.Previous, 0.415) || !near(h.Change, -0.06) || h.Before.String() != "2025-07-01 to 2026-01-01" || h.N != 12 {
		t.Errorf("half a year: %v, history %+v", half.Value, h)
	}
	if i := half.History.Interval; i == nil || !i.Low.LessThan(*half.History.Change) || !i.High.GreaterThan(*half.History.Change) {
		t.Errorf("the interval of the change is %+v", i)
	}
	short := one(t, b, insight.BenchmarkRequest{Measures: []string{"gross_margin"}, Period: period(t, "2025-03", "2025-05")})
	if h := short.History; h.N != 2 || !h.TooFew || h.Percentile != nil || !strings.Contains(h.Words, "too few") {
		t.Errorf("with two earlier windows: %+v", h)
	}
	if short.Interval != nil || !short.Doubt.TooFew {
		t.Errorf("two months have the interval %+v", short.Interval)
	}
	for _, r := range short.References {
		if r.Band == nil || r.Chances != nil {
			t.Errorf("%s: band %v with the chances %v of two months", r.Threshold.ID, r.Band, r.Chances)
		}
	}
}

func TestBandsThatDoNotFitAreNotCompared(t *testing.T) {
	t.Parallel()
	_, b := tightening(t, "EUR")
	perHead := one(t, b, insight.BenchmarkRequest{Measures: []string{"labor_cost_rate"}})
	if perHead.Value == nil || len(perHead.References) != 1 || perHead.References[0].Band != nil || !strings.Contains(perHead.References[0].Reason, "in USD, the figure in EUR") {
		t.Errorf("dollars beside euros: %+v", perHead)
	}
	top := one(t, b, insight.BenchmarkRequest{Measures: []string{"top1_share"}, Period: period(t, "2026-01", "2026-07")})
	if len(top.References) != 3 || top.References[0].Band != nil || !strings.Contains(top.References[0].Reason, "speak of 12 months, the figure of 6 months") {
		t.Errorf("half a year beside a year: %+v", top.References)
	}
	year := one(t, b, insight.BenchmarkRequest{Measures: []string{"top1_share"}})
	if r := year.References[0]; r.Band == nil || r.Chances != nil || year.Interval != nil {
		t.Errorf("nothing is estimated of a share of revenue that is known: %+v", r)
	}
	surveys := one(t, b, insight.BenchmarkRequest{Measures: []string{"csat"}})
	if surveys.Value != nil || surveys.Reason == "" || surveys.References[0].Band != nil || surveys.References[0].Reason != surveys.Reason {
		t.Errorf("without surveys: %+v", surveys)
	}
}

func TestAClientStandsAmongClientsOfItsIndustry(t *testing.T) {
	t.Parallel()
	_, b := tightening(t, "USD")
	legal := one(t, b, insight.BenchmarkRequest{Client: "Client 1", Measures: []string{"gross_margin"}})
	p := legal.Clients
	if p == nil || p.Industry != "Legal" || p.N != 5 || p.TooFew || *p.Percentile != 1 || !near(p.Median, 1-0.615*0.98) || !near(p.Low, 1-0.615) || !near(p.High, 1-0.615*0.96) || legal.Peers != nil {
		t.Fatalf("among five of its industry: %+v", p)
	}
	if p.Shrunken == nil || !p.Shrunken.LessThan(*legal.Value) || p.Weight < 0 || p.Weight >= 1 {
		t.Errorf("it is not drawn towards them: %v, weight %v", p.Shrunken, p.Weight)
	}
	retail := one(t, b, insight.BenchmarkRequest{Client: "Client 9", Measures: []string{"gross_margin"}}).Clients
	if retail == nil || retail.Industry != "" || retail.N != 8 || !strings.Contains(retail.Group, "only 2 others are of the industry Retail") || *retail.Percentile != 0 {
		t.Errorf("with two others of its industry: %+v", retail)
	}
}

func TestBenchmarkRefuses(t *testing.T) {
	t.Parallel()
	_, b := tightening(t, "USD")
	for name, c := range map[string]struct {
		req  insight.BenchmarkRequest
		kind fault.Kind
	}{
		"unknown measure":          {insight.BenchmarkRequest{Measures: []string{"profit"}}, fault.Invalid},
		"unknown client":           {insight.BenchmarkRequest{Client: "Nobody"}, fault.NotFound},
		"firm's measure by client": {insight.BenchmarkRequest{Client: "Client 1", Measures: []string{"ebitda_margin"}}, fault.Invalid},
		"part of a month":          {insight.BenchmarkRequest{Period: quantity.Period{From: quantity.NewDay(2026, 1, 5), To: quantity.NewDay(2026, 1, 20)}}, fault.Invalid},
	} {
		if _, err := b.Benchmark(t.Context(), northwind, c.req); fault.KindOf(err) != c.kind || fault.Message(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
