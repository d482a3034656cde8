package office

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
)

func TestLabelsOfAScatterStandApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		points []([2]int64)
		labels []string
		want   []string
	}{
		"one":                           {[][2]int64{{50, 50}}, []string{"A client"}, []string{"r"}},
		"at the right edge":             {[][2]int64{{0, 10}, {119, 50}}, []string{"", "A client with a name"}, []string{"", "l"}},
		"close above each other":        {[][2]int64{{50, 50}, {50, 52}, {0, 0}, {100, 100}}, []string{"A client", "Another", "", ""}, []string{"r", "l", "", ""}},
		"in a heap, the last has none":  {[][2]int64{{50, 50}, {50, 50}, {50, 50}, {50, 50}, {50, 50}}, []string{"A", "B", "C", "D", "E"}, []string{"r", "l", "t", "b", ""}},
		"those that are not marked":     {[][2]int64{{50, 50}, {50, 51}}, []string{"", "Another"}, []string{"", "r"}},
		"beside another":                {[][2]int64{{50, 50}, {55, 50}, {0, 0}, {100, 100}}, []string{"A client", "B", "", ""}, []string{"l", "r", "", ""}},
		"all at the same place as zero": {[][2]int64{{0, 0}}, []string{"A client"}, []string{"r"}},
	} {
		var points []document.Point
		for _, p := range c.points {
			points = append(points, document.Point{X: decimal.NewFromInt(p[0]), Y: decimal.NewFromInt(p[1])})
		}
		if diff := cmp.Diff(c.want, beside(points, c.labels)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
