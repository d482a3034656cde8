package dataset_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// BenchmarkImport imports the file named by MOAT_BENCH_FILE into a fresh warehouse and
// reports its phases and rows a second, then imports it again, which changes nothing
// (unless MOAT_BENCH_ONCE is set). MOAT_BENCH_MEMORY_MB bounds the engine.
func BenchmarkImport(b *testing.B) {
	path := os.Getenv("MOAT_BENCH_FILE")
	if path == "" {
		b.Skip("set MOAT_BENCH_FILE to a file to import")
	}
	for b.Loop() {
		memory, _ := strconv.Atoi(os.Getenv("MOAT_BENCH_MEMORY_MB"))
		x := newWorldWith(b, warehouse.Options{MemoryMB: memory})
		start := time.Now()
		var last time.Time = start
		phase := ""
		results, err := x.Import(b.Context(), acme, dataset.ImportRequest{Path: path, Progress: func(p string, _, _ int64) {
			if p != phase {
				b.Logf("%-12s after %.2f s", p, time.Since(last).Seconds())
				last, phase = time.Now(), p
			}
		}})
		if err != nil {
			b.Fatal(err)
		}
		elapsed := time.Since(start)
		b.Logf("last phase %.2f s; total %.2f s; %+v", time.Since(last).Seconds(), elapsed.Seconds(), results[0].Findings)
		b.ReportMetric(float64(results[0].RowsRead)/elapsed.Seconds(), "rows/s")
		if os.Getenv("MOAT_BENCH_ONCE") != "" {
			continue
		}
		start = time.Now()
		if results, err = x.Import(b.Context(), acme, dataset.ImportRequest{Path: path}); err != nil {
			b.Fatal(err)
		}
		b.Logf("again: %.2f s; %s", time.Since(start).Seconds(), counts(results[0]))
	}
}
