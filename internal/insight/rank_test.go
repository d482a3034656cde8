package insight_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// practice bills nine clients for a year: eight around a margin of 40 %, of which one has two
// months only, and one that loses every month.
func practice(t testing.TB) *world {
	x := newWorld(t)
	var clients, invoices, entries strings.Builder
	clients.WriteString("client_name,status\n")
	invoices.WriteString("invoice_number,client_name,invoice_date,net_amount\n")
	entries.WriteString("time_entry_id,staff_name,client_name,work_date,hours_worked\n")
	rnd := rand.New(rand.NewPCG(7, 8))
	id := 0
	for i := range 9 {
		name := fmt.Sprintf("Client %d", i+1)
		fmt.Fprintf(&clients, "%s,active\n", name)
		for m := range 12 {
			if i == 7 && m < 10 {
				continue
			}
			hours := 11 + 2*rnd.Float64() // about 60 % of the revenue at 50 an hour
			if i == 7 {
				hours = 21 // two bad months: a margin of −5 %
			}
			if i == 8 {
				hours = 22 + rnd.Float64()
			}
			id++
			day := quantity.NewDay(2025, 7, 5).AddMonths(m)
			fmt.Fprintf(&invoices, "%d,%s,%s,1000\n", id, name, day)
			fmt.Fprintf(&entries, "%d,Dana Ortiz,%s,%s,%.2f\n", id, name, day.AddDays(15), hours)
		}
	}
	x.text(t, "clients.csv", clients.String())
	x.text(t, "staff.csv", "staff_name,cost_rate,weekly_hours,hired_on,valid_from\nDana Ortiz,50,40,2025-01-01,2025-01-01\n")
	x.text(t, "invoices.csv", invoices.String())
	x.text(t, "time_entries.csv", entries.String()+"999999,Dana Ortiz,Client 1,2026-06-28,0.01\n")
	return x
}

func TestASmallClientDoesNotLeadTheRankingByChance(t *testing.T) {
	t.Parallel()
	x := practice(t)
	r, err := x.Rank(t.Context(), northwind, insight.RankRequest{Measure: "gross_margin"})
	if err != nil {
		t.Fatal(err)
	}
	if r.By != "client" || r.Total != 9 || len(r.Rows) != 9 || !r.Limit.IsZero() || r.Above || r.Kind != "ratio" || r.Versions["gross_margin"] < 1 {
		t.Fatalf("%+v", r)
	}
	first, second := r.Rows[0], r.Rows[1]
	if first.Name != "Client 9" || first.Probability == nil || *first.Probability < 0.95 || first.TooFew {
		t.Errorf("the client that loses every month is %+v", first)
	}
	if second.Name != "Client 8" || !second.TooFew || second.N != 2 || second.Raw.String() != "-0.05" || !second.Shrunken.GreaterThan(*second.Raw) || second.Weight >= first.Weight {
		t.Errorf("the client of two months is %+v", second)
	}
	for i, row := range r.Rows {
		if row.Probability == nil || row.Interval == nil || row.Interval.Of != "expected" {
			t.Fatalf("%s has no probability: %+v", row.Name, row)
		}
		if i > 0 && *row.Probability > *r.Rows[i-1].Probability {
			t.Errorf("%s comes after one that is less probable", row.Name)
		}
		// Probability and interval are of one distribution.
		if low := row.Interval.Low; low.Sign() > 0 && *row.Probability > 0.05 {
			t.Errorf("%s: a loss with %v although the interval begins at %s", row.Name, *row.Probability, low)
		}
		sum := decimal.Zero
		for _, d := range row.Drivers {
			sum = sum.Add(d.Contribution)
		}
		if row.Change != nil && !sum.Equal(*row.Change) {
			t.Errorf("%s: drivers add up to %s, the change is %s", row.Name, sum, row.Change)
		}
	}
	again, err := x.Rank(t.Context(), northwind, insight.RankRequest{Measure: "gross_margin", Top: 2})
	if err != nil || len(again.Rows) != 2 || again.Total != 9 || *again.Rows[1].Probability != *second.Probability {
		t.Errorf("the first two: %+v, %v", again, err)
	}
	limit := decimal.RequireFromString("0.45")
	wide, err := x.Rank(t.Context(), northwind, insight.RankRequest{Measure: "gross_margin", Limit: &limit})
	if err != nil || *wide.Rows[8].Probability <= *r.Rows[8].Probability {
		t.Errorf("under another limit: %+v, %v", wide, err)
	}
}

func TestRankRefuses(t *testing.T) {
	t.Parallel()
	x := practice(t)
	for name, req := range map[string]insight.RankRequest{
		"unknown measure":   {Measure: "profit"},
		"unknown dimension": {Measure: "gross_margin", By: "priority"},
		"by time":           {Measure: "gross_margin", By: "month"},
		"an index":          {Measure: "client_concentration"},
		"a filter":          {Measure: "gross_margin", Where: "client is"},
		"part of a month":   {Measure: "gross_margin", Period: quantity.Period{From: quantity.NewDay(2026, 1, 5), To: quantity.NewDay(2026, 1, 20)}},
	} {
		if _, err := x.Rank(t.Context(), northwind, req); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := x.Rank(t.Context(), northwind, insight.RankRequest{Measure: "revenue", Where: `client = "nobody"`})
	if err != nil || len(r.Rows) != 0 || r.EmptyReason == "" {
		t.Errorf("nobody: %+v, %v", r, err)
	}
	if _, err := newWorld(t).Rank(t.Context(), northwind, insight.RankRequest{Measure: "revenue"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("no data: %v", err)
	}
}

// Without the rates of two of three people the score is what the rates would make of it.
func TestTheCheapestWayToRaiseAConfidence(t *testing.T) {
	t.Parallel()
	load := func(rates string) *world {
		x := newWorld(t)
		x.text(t, "clients.csv", "client_name,status\nHarbor Dental,active\n")
		x.text(t, "staff.csv", "staff_name,cost_rate,weekly_hours,hired_on,valid_from\n"+rates)
		x.text(t, "invoices.csv", "invoice_number,client_name,invoice_date,net_amount,tax_amount\n1,Harbor Dental,2026-05-01,10000,0\n2,Harbor Dental,2026-06-01,10000,0\n")
		x.text(t, "expenses.csv", "expense_id,expense_date,client_name,vendor,category,net_amount\n1,2026-05-05,Harbor Dental,Pax,cogs_product,1000\n2,2026-06-05,Harbor Dental,Pax,cogs_product,1000\n")
		var rows strings.Builder
		rows.WriteString("time_entry_id,staff_name,client_name,work_date,hours_worked\n")
		for i := range 90 {
			fmt.Fprintf(&rows, "%d,%s,Harbor Dental,2026-06-%02d,5.5\n", i, []string{"Ann Lee", "Bo Reed", "Cy Dean"}[i%3], 1+i/3)
		}
		x.text(t, "time_entries.csv", rows.String())
		return x
	}
	june := insight.ExplainRequest{Measure: "gross_margin", Period: period(t, "2026-06", "2026-07")}
	less := explain(t, load("Ann Lee,50,40,2025-01-01,2025-01-01\nBo Reed,,40,2025-01-01,2025-01-01\nCy Dean,,40,2025-01-01,2025-01-01\n"), june)
	if less.Raise == nil || less.Raise.Component != "cost_rates" || less.Raise.Effort != 2 || !strings.HasPrefix(less.Raise.Words, "import the cost rates of 2 people: ") {
		t.Fatalf("raise %+v of %+v", less.Raise, less.Confidence)
	}
	if less.Raise.From != less.Confidence.Score || !strings.HasSuffix(less.Raise.Words, fmt.Sprintf("%.2f → %.2f", less.Raise.From, less.Raise.To)) {
		t.Errorf("%+v does not begin at %v", less.Raise, less.Confidence.Score)
	}
	whole := explain(t, load("Ann Lee,50,40,2025-01-01,2025-01-01\nBo Reed,50,40,2025-01-01,2025-01-01\nCy Dean,50,40,2025-01-01,2025-01-01\n"), june)
	if diff := whole.Confidence.Score - less.Raise.To; diff < -1e-9 || diff > 1e-9 {
		t.Errorf("with the rates the score is %v, said was %v", whole.Confidence.Score, less.Raise.To)
	}
}

// A figure that was corrected after it was seen is compared as it was seen, with the
// correction as a driver.
func TestACorrectionIsADriverOfItsOwn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 10, 9, 0, 0, 0, time.UTC)
	moving := func() time.Time { return now }
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(context.Background(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{Now: moving})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	metrics := metric.New(w, metric.Options{})
	x := &world{Service: insight.New(metrics, w, insight.Options{Now: clock}), datasets: dataset.New(w, db, audit.New(moving), idle{}, moving), metrics: metrics, warehouse: w}
	x.text(t, "clients.csv", "client_name,status\nHarbor Dental,active\n")
	x.text(t, "invoices.csv", "invoice_number,line_number,client_name,invoice_date,net_amount\n1,1,Harbor Dental,2026-05-01,1000\n")
	now = now.AddDate(0, 1, 0)
	x.text(t, "invoices.csv", "invoice_number,line_number,client_name,invoice_date,net_amount\n1,1,Harbor Dental,2026-05-01,900\n2,1,Harbor Dental,2026-06-01,1300\n")
	req := insight.ExplainRequest{Measure: "revenue", Period: period(t, "2026-06", "2026-07"), AsSeen: true}
	e := explain(t, x, req)
	got := parts(e)
	if e.From.Value.String() != "1000" || e.Change.String() != "300" || got[insight.Corrections] != "-100" || got["Harbor Dental"] != "400" || crosses(e) != "" {
		t.Errorf("from %s by %s: %v; %s", e.From.Value, e.Change, got, crosses(e))
	}
	if want := "previous period, as known on 2026-06-10"; e.From.Label != want {
		t.Errorf("label %q, want %q", e.From.Label, want)
	}
	req.AsSeen = false
	if e = explain(t, x, req); e.From.Value.String() != "900" || e.Change.String() != "400" {
		t.Errorf("as it is now: %s by %s", e.From.Value, e.Change)
	}
}

// BenchmarkEveryMeasureOfEveryClient ranks 300 clients over 36 months, 18 months of data before
// them, by every measure that can be cut by client: value, interval, probability, change and
// drivers of each. It must stay under 10 s on 2 cores and 1 GB; run it with -benchtime 1x.
func BenchmarkEveryMeasureOfEveryClient(b *testing.B) {
	dir := b.TempDir()
	if err := sample.Workload(dir, sample.WorkloadOptions{Logs: 150_000, Months: 54}); err != nil {
		b.Fatal(err)
	}
	x := newWorld(b)
	for _, f := range []string{"clients", "invoices", "time_logs", "licenses"} {
		if _, err := x.datasets.Import(b.Context(), northwind, dataset.ImportRequest{Path: dir + "/" + f + ".csv"}); err != nil {
			b.Fatal(err)
		}
	}
	p, err := quantity.ParsePeriod("2023-07", "2026-07")
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		start := time.Now()
		var ranked, cells atomic.Int64
		var both sync.WaitGroup
		room := make(chan struct{}, 2) // as many at once as there are cores
		for _, m := range x.metrics.Measures() {
			if m.Wide() || !slices.Contains(x.metrics.DimensionsOf(m), "client") {
				continue
			}
			room <- struct{}{}
			both.Go(func() {
				defer func() { <-room }()
				r, err := x.Rank(b.Context(), northwind, insight.RankRequest{Measure: m.Name, Period: p})
				if err != nil {
					b.Errorf("%s: %v", m.Name, err)
					return
				}
				ranked.Add(1)
				cells.Add(int64(len(r.Rows)))
			})
		}
		both.Wait()
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		b.ReportMetric(time.Since(start).Seconds(), "s/all")
		b.ReportMetric(float64(ranked.Load()), "measures")
		b.ReportMetric(float64(cells.Load()), "cells")
		b.ReportMetric(float64(mem.Sys)/(1<<20), "MB")
	}
}

// Fewer than five members say nothing of each other: each has its own interval and chance.
func TestFewMembersAreRankedEachByItself(t *testing.T) {
	t.Parallel()
	x := practice(t)
	three := `client in ("Client 1", "Client 2", "Client 9")`
	r, err := x.Rank(t.Context(), northwind, insight.RankRequest{Measure: "gross_margin", Where: three})
	if err != nil || len(r.Rows) != 3 || !strings.Contains(r.Method, "fewer than five") {
		t.Fatalf("%+v %v", r, err)
	}
	for _, row := range r.Rows {
		e := explain(t, x, insight.ExplainRequest{Measure: "gross_margin", Where: fmt.Sprintf("client = %q", row.Name), Period: r.Period})
		if row.Weight != 1 || row.Interval == nil || row.Probability == nil || e.Interval == nil || row.Interval.Low.Sub(e.Interval.Low).Abs().GreaterThan(decimal.New(1, -9)) {
			t.Errorf("%s: %+v, alone it is %+v", row.Name, row, e.Interval)
		}
	}
	if r.Rows[0].Name != "Client 9" || *r.Rows[0].Probability < 0.95 || *r.Rows[1].Probability > 0.05 {
		t.Errorf("order %+v", r.Rows)
	}
}
