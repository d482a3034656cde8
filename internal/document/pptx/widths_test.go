package pptx

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Whatever the texts, the columns stay on the slide, and no word is broken where there is room
// for the words of all columns.
func TestColumnsOfASlideBreakNoWords(t *testing.T) {
	word := rapid.SampledFrom([]string{"locked", "State", "opportunities", "Vendor", "Bastion", "Endpoint", "Protect", "a", "Hinterland", "of"})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(word, 1, 9).Draw(t, "words"), " ") })
	rapid.Check(t, func(t *rapid.T) {
		table := &document.Table{}
		n := rapid.IntRange(1, 9).Draw(t, "columns")
		which := make([]int, n)
		for i := range n {
			which[i] = i
			unit := quantity.Text
			if i > 0 && rapid.Bool().Draw(t, "number") {
				unit = quantity.Count
			}
			table.Columns = append(table.Columns, document.Column{Name: "c", Label: text.Draw(t, "label"), Unit: unit})
		}
		for range rapid.IntRange(0, 4).Draw(t, "rows") {
			var r document.Row
			for _, c := range table.Columns {
				if c.Unit == quantity.Count {
					r.Cells = append(r.Cells, rapid.Int64Range(0, 1e6).Draw(t, "count"))
				} else {
					r.Cells = append(r.Cells, text.Draw(t, "cell"))
				}
			}
			table.Rows = append(table.Rows, r)
		}
		const size = 10.0
		widths := columnWidths(table, table.Rows, which, size)
		natural, least := naturals(table, table.Rows, which, size), leasts(table, table.Rows, which, size)
		total, need := 0.0, 0.0
		for i, w := range widths {
			total += w
			if rigid(table, i) {
				need += natural[i]
			} else {
				need += min(least[i], natural[i])
			}
		}
		if total > right-left+0.01 {
			t.Fatalf("%v points wide, the slide has %v", total, right-left)
		}
		if need > right-left {
			return
		}
		for i := range which {
			for _, r := range table.Rows {
				for _, w := range strings.Fields(cellText(table, r, i)) {
					if len(office.Wrap(w, size, false, widths[i]-2*cellX)) > 1 {
						t.Fatalf("column %d of %v points breaks %q", i, widths[i], w)
					}
				}
			}
		}
	})
}
