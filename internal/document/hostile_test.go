package document_test

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// valueSets are values that charts are easily wrong with: by category and series.
var valueSets = map[string]func(i, k int) *quantity.Decimal{
	"all equal":    func(int, int) *quantity.Decimal { return num("7") },
	"all zero":     func(int, int) *quantity.Decimal { return num("0") },
	"all negative": func(i, k int) *quantity.Decimal { return num(fmt.Sprint(-100 - 13*i - 40*k)) },
	"both signs":   func(i, k int) *quantity.Decimal { return num(fmt.Sprint((i*37+k*11)%90 - 40)) },
	"huge":         func(i, k int) *quantity.Decimal { return num(fmt.Sprintf("%d000000000000", 900+7*i+k)) },
	"tiny":         func(i, k int) *quantity.Decimal { d := decimal.New(int64(1+i+k), -6); return &d },
	"one of many": func(i, k int) *quantity.Decimal {
		if i != 0 || k != 0 {
			return nil
		}
		return num("5")
	},
}

func TestHostileChartsOfEachSize(t *testing.T) {
	sized := fonts(t, document.Brand{})
	for _, kind := range allKinds {
		for set, value := range valueSets {
			for _, n := range []int{1, 7, 120} {
				for _, series := range []int{1, 5, 20} {
					c := &document.Chart{Kind: kind, Title: set, Unit: quantity.Money, Currency: "CHF", XUnit: quantity.Hours, XLabel: "Hours worked", YLabel: "Rate", Target: value(0, 0), Totals: make([]bool, n)}
					if kind == document.Waterfall && series > 1 {
						continue
					}
					for i := range n {
						c.Categories = append(c.Categories, names[i%len(names)])
						for k := range series {
							if x, y := value(i, k), value(k, i); x != nil && y != nil {
								c.Points = append(c.Points, document.Point{Label: names[(i+k)%len(names)], X: *x, Y: *y, Marked: i%3 == 0})
							}
						}
					}
					for k := range series {
						s := document.Series{Name: names[k%len(names)]}
						for i := range n {
							s.Values = append(s.Values, value(i, k))
						}
						c.Series = append(c.Series, s)
					}
					for _, size := range [][2]float64{{140, 90}, {300, 180}, {520, 260}} {
						r := &record{fonts: sized}
						c.Paint(r, 10, 20, size[0], size[1], document.Brand{})
						if faults := r.faults(size[0], size[1]); len(faults) > 0 {
							t.Errorf("%s, %s, %d × %d, at %g × %g: %q", kind, set, n, series, size[0], size[1], faults[:min(3, len(faults))])
						}
						if len(r.texts) == 0 || len(r.ends) < 4 {
							t.Errorf("%s, %s, %d × %d, at %g × %g: hardly anything is painted", kind, set, n, series, size[0], size[1])
						}
					}
				}
			}
		}
	}
}
