package metric_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/sample"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// BenchmarkScopedDashboard compares the questions of a dashboard as the owner and as somebody
// who sees 30 of 300 clients asks them, over 200,000 time entries and without the result
// cache. ratio is the least time of the latter by that of the former, over all questions: at
// most 1.2. The least, because whatever else the machine does only ever adds to it.
func BenchmarkScopedDashboard(b *testing.B) {
	db, _ := metadbtest.Open(b, metadb.SQLite)
	w, err := warehouse.Open(b.Context(), db, b.TempDir(), warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { w.Close() })
	dir := b.TempDir()
	if err := sample.Workload(dir, sample.WorkloadOptions{Logs: 200_000, Clients: 300, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.csv"))
	imports := dataset.New(w, db, audit.New(sampleClock), noJobs{}, sampleClock)
	for _, f := range files {
		if _, err := imports.Import(b.Context(), acme, dataset.ImportRequest{Path: f}); err != nil {
			b.Fatal(err)
		}
	}
	c := metric.New(w, metric.Options{Now: sampleClock, CacheCells: 1})
	r, err := c.Run(b.Context(), acme, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}})
	if err != nil || len(r.Rows) < 300 {
		b.Fatal(len(r.Rows), err)
	}
	var names []string
	for i := range 30 {
		names = append(names, r.Rows[i*10][0].(string))
	}
	limited := as(tenant.Rights{Clients: names})
	year := r.Period
	year.From = year.To.AddMonths(-12)
	dashboard := []metric.Query{
		{Measures: []string{"revenue", "gross_profit", "gross_margin", "hours_worked"}, Period: year},
		{Measures: []string{"revenue", "gross_profit", "hours_worked"}, Period: year, Compare: "previous"},
		{Measures: []string{"revenue", "labor_cost", "gross_margin"}, Dimensions: []string{"month"}, Period: year},
		{Measures: []string{"revenue", "gross_margin", "effective_hourly_rate"}, Dimensions: []string{"client"}, Period: year, Order: []string{"-revenue"}},
		{Measures: []string{"hours_worked", "billable_hours"}, Dimensions: []string{"client", "month"}, Period: year},
		{Measures: []string{"hours_worked"}, Dimensions: []string{"week"}, Period: year},
		{Measures: []string{"seats_purchased", "license_waste"}, Dimensions: []string{"product"}, Period: year},
		{Measures: []string{"hours_worked", "billable_hours"}, Dimensions: []string{"staff"}, Period: year},
	}
	var whole, part [][]time.Duration
	for _, q := range dashboard {
		var times [2][]time.Duration
		for n := range 2 + max(5, b.N) {
			for i, scope := range []tenant.Scope{acme, limited} {
				start := time.Now()
				if _, err := c.Run(b.Context(), scope, q); err != nil {
					b.Fatal(err)
				}
				if n >= 2 { // the first ones read the files
					times[i] = append(times[i], time.Since(start))
				}
			}
		}
		whole, part = append(whole, times[0]), append(part, times[1])
	}
	var all, limit time.Duration
	for i, q := range dashboard {
		a, l := slices.Min(whole[i]), slices.Min(part[i])
		all, limit = all+a, limit+l
		b.Logf("%v by %v: %v whole, %v limited (%.2f)", q.Measures, q.Dimensions, a, l, float64(l)/float64(a))
	}
	ratio := float64(limit) / float64(all)
	b.ReportMetric(ratio, "ratio")
	if ratio > 1.2 {
		b.Errorf("a limited dashboard takes %.2f times as long, want at most 1.2", ratio)
	}
}
