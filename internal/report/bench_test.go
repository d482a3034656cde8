package report_test

import (
	"io"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/report"
)

// BenchmarkClientPack makes the review of one client after the other as PDF, as a schedule for
// every client does.
func BenchmarkClientPack(b *testing.B) {
	x := demo(b)
	r, err := x.metrics.Run(b.Context(), firm, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Period: periodOf(b, "2026-04-01", "2026-07-01"), Order: []string{"-revenue"}})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := range b.N {
		client, _ := r.Rows[i%30][0].(string)
		in, err := x.Collect(b.Context(), firm, report.Request{Template: "client-qbr", Client: client})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := x.Write(b.Context(), firm, in, "pdf", io.Discard, nil); err != nil {
			b.Fatal(err)
		}
	}
}
