package pdf

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// long is a table of n rows under ten columns.
func long(n int) *document.Table {
	t := &document.Table{Origin: document.Origin{Period: "July 2025 to June 2026", Snapshot: 42}, Title: fmt.Sprintf("%d time entries", n),
		Columns: []document.Column{
			{Name: "id", Label: "Entry", Unit: quantity.Text}, {Name: "client", Label: "Client", Unit: quantity.Text}, {Name: "technician", Label: "Technician", Unit: quantity.Text},
			{Name: "day", Label: "Day", Unit: quantity.Date}, {Name: "hours", Label: "Hours", Unit: quantity.Hours}, {Name: "rate", Label: "Rate", Unit: quantity.MoneyPerHour, Currency: "USD"},
			{Name: "billed", Label: "Billed", Unit: quantity.Money, Currency: "USD"}, {Name: "cost", Label: "Cost", Unit: quantity.Money, Currency: "USD"},
			{Name: "profit", Label: "Profit", Unit: quantity.Money, Currency: "USD"}, {Name: "margin", Label: "Margin", Unit: quantity.Ratio},
		}}
	t.Rows = make([]document.Row, n)
	for i := range t.Rows {
		hours, rate := decimal.New(int64(i%80), -1), decimal.New(int64(9000+i%4000), -2)
		billed, cost := hours.Mul(rate), hours.Mul(decimal.New(5525, -2))
		t.Rows[i] = document.Row{Cells: []any{fmt.Sprintf("T%07d", i), fmt.Sprintf("Client %d of the north", i%300), fmt.Sprintf("Technician %d", i%40),
			fmt.Sprintf("2026-%02d-%02d", 1+i%12, 1+i%28), hours, rate, billed, cost, billed.Sub(cost), decimal.New(int64(i%9000), -4)}}
	}
	return t
}

// pages20 is a report of twenty pages: every kind of block, and some 200 rows.
func pages20(t testing.TB) *document.Document {
	d := board(t)
	d.Sections = append(d.Sections, document.Section{Title: "Time entries", Blocks: []document.Block{long(170)}})
	for range 2 {
		d.Sections = append(d.Sections, d.Sections[0])
	}
	return d
}

func BenchmarkTwentyPages(b *testing.B) {
	d := pages20(b)
	b.ReportAllocs()
	var high uint64
	for b.Loop() {
		if err := Write(b.Context(), new(count), d); err != nil {
			b.Fatal(err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		high = max(high, m.HeapInuse)
	}
	b.ReportMetric(float64(high)/(1<<20), "heap-MB")
}

func BenchmarkLongTable(b *testing.B) {
	for _, n := range []int{2_000, 20_000, 200_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := &document.Document{Title: "Time entries", Period: "2026", Sections: []document.Section{{Title: "Entries", Blocks: []document.Block{long(n)}}}}
			size := 0
			for b.Loop() {
				var out count
				if err := Write(b.Context(), &out, d); err != nil {
					b.Fatal(err)
				}
				size = int(out)
			}
			b.ReportMetric(float64(size)/1e6, "MB-of-file")
		})
	}
}

// count counts what is written.
type count int

func (c *count) Write(b []byte) (int, error) { *c += count(len(b)); return len(b), nil }
