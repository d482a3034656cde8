package pdf

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// plan is how a table is set: in which type, on which paper, and in how many parts.
type plan struct {
	size  float64
	wide  bool
	parts []part
}

// part is columns that stand side by side; the first column is in each.
type part struct {
	columns []int
	widths  []float64
}

// cellPad is the space on each side of a cell's text.
const cellPad = 4.0

// apart is the further space before a text that follows a column of numbers, as a share of
// the size of the type: it begins where they end.
const apart = 0.9

func (l *layout) apart(t *document.Table, column int) float64 {
	if column > 0 && document.IsNumber(t.Columns[column-1].Unit) && !document.IsNumber(t.Columns[column].Unit) {
		return apart
	}
	return 0
}

// demand is what a column asks for at a size of one point: least is its longest word or
// number, two what its longest text takes on two lines, most what that takes on one.
type demand struct{ least, two, most float64 }

// sizes of type that a table is tried in: first upright, then on paper that lies.
var upright, lying = []float64{8.5, 8, 7.5, 7}, []float64{8, 7.5, 7, 6.5}

// planned finds the largest type in which a table's columns stand side by side with texts over
// two lines at most, or else without breaking words or numbers; paper that lies and then several
// parts are the last resorts.
func (l *layout) planned(t *document.Table, sizes []float64, mayLie bool) plan {
	demands := l.demands(t)
	for _, size := range sizes {
		if size < sizes[0]-1 { // a little smaller is better read than names over three lines
			break
		}
		if widths, ok := fit(twoLines(demands), size, l.width(false)); ok {
			return plan{size, false, []part{{all(len(demands)), widths}}}
		}
	}
	for _, size := range sizes {
		if widths, ok := fit(demands, size, l.width(false)); ok {
			return plan{size, false, []part{{all(len(demands)), widths}}}
		}
	}
	wide := mayLie && !l.doc.Layout.Landscape
	if mayLie {
		for _, size := range lying {
			if widths, ok := fit(demands, size, l.width(wide)); ok {
				return plan{size, wide, []part{{all(len(demands)), widths}}}
			}
		}
	}
	p := plan{size: lying[len(lying)-1], wide: wide}
	for from := 1; from < len(demands); {
		to := from + 1
		for to < len(demands) {
			if _, ok := fit(picked(demands, from, to+1), p.size, l.width(wide)); !ok {
				break
			}
			to++
		}
		columns := append([]int{0}, all(len(demands))[from:to]...)
		widths, _ := fit(picked(demands, from, to), p.size, l.width(wide))
		p.parts = append(p.parts, part{columns, widths})
		from = to
	}
	if len(p.parts) == 0 { // one column
		widths, _ := fit(demands, p.size, l.width(wide))
		p.parts = []part{{all(len(demands)), widths}}
	}
	return p
}

// twoLines are demands whose least is what two lines take.
func twoLines(demands []demand) []demand {
	out := slices.Clone(demands)
	for i := range out {
		out[i].least = out[i].two
	}
	return out
}

func all(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func picked(demands []demand, from, to int) []demand {
	return append([]demand{demands[0]}, demands[from:to]...)
}

// fit shares the width of the text among columns. ok is false when their least does not fit;
// the widths then break words.
func fit(demands []demand, size, width float64) (widths []float64, ok bool) {
	var least, two, most float64
	for _, d := range demands {
		least += d.least*size + 2*cellPad
		two += d.two*size + 2*cellPad
		most += d.most*size + 2*cellPad
	}
	widths = make([]float64, len(demands))
	switch {
	case least > width+0.01:
		for i, d := range demands {
			widths[i] = (d.least*size + 2*cellPad) * width / least
		}
		return widths, false
	case most <= width:
		// What is left is shared by what each takes, up to half of it again.
		share := min(width/most, 1.5)
		rest := width
		for i, d := range demands {
			widths[i] = (d.most*size + 2*cellPad) * share
			rest -= widths[i]
		}
		widths[0] += rest
	case two <= width+0.01: // no text needs a third line; what is left saves second ones
		share := max(width-two, 0) / max(most-two, 0.01)
		for i, d := range demands {
			widths[i] = (d.two+(d.most-d.two)*share)*size + 2*cellPad
		}
	default:
		share := max(width-least, 0) / (two - least)
		for i, d := range demands {
			widths[i] = (d.least+(d.two-d.least)*share)*size + 2*cellPad
		}
	}
	return widths, true
}

// samples bounds how many texts of a column are measured: all of a table of usual length,
// and of longer ones the first and whichever is longer than all before.
const samples = 400

// Limits of what a column of text may ask for, at a size of one point.
const (
	mostText = 30 // then it is broken into lines
	mostWord = 13 // then it is broken
	oneLine  = 9  // up to which it is better not broken, as a day and an hour
)

func (l *layout) demands(t *document.Table) []demand {
	out := make([]demand, len(t.Columns))
	for i, c := range t.Columns {
		d := &out[i]
		number := document.IsNumber(c.Unit)
		for _, word := range strings.Fields(c.Label) {
			d.least = max(d.least, min(l.measure(word, style{size: 1, bold: true}), mostWord))
		}
		label := l.measure(c.Label, style{size: 1, bold: true})
		d.least = max(d.least, min(label/6, mostWord)) // a head is no tower
		if number {
			label = label/2 + 1 // over two lines: names need the room more
		}
		d.most = max(d.least, min(label, 12))
		unit := l.unit(c)
		d.least = max(d.least, min(l.measure(unit, style{size: 1})*0.92, mostWord))
		longest, measured := 0, 0
		for _, r := range t.Rows {
			if i >= len(r.Cells) || r.Kind == document.Group && i == 0 {
				continue
			}
			text := t.Cell(r, i)
			n := utf8.RuneCountInString(text)
			if measured >= samples && n <= longest {
				continue
			}
			measured++
			longest = max(longest, n)
			bold := r.Kind != document.PlainRow
			s := style{size: 1, bold: bold, figures: number}
			w := l.measure(text, s)
			if number {
				w += 0.9 // the mark of a note
			}
			if number || c.Unit == quantity.Date && w < mostWord {
				d.least, d.most = max(d.least, w), max(d.most, w)
				continue
			}
			d.most = max(d.most, min(w+0.1, mostText))
			if w > oneLine && w < 2*mostText { // the width of a longer one is cut anyway
				w = l.halved(text, s)
			}
			d.two = max(d.two, min(w+0.1, mostText))
			d.least = max(d.least, min(l.longestWord(text, bold), mostWord))
		}
		if !number && c.Unit != quantity.Date {
			d.least = max(d.least, min(d.most, 7)) // texts are not squeezed to a word a line
		}
		d.two = max(d.two, min(label/1.5, 12)) // a head of three lines, or two
		d.least, d.two, d.most = d.least+l.apart(t, i), d.two+l.apart(t, i), d.most+l.apart(t, i)
		d.least = math.Ceil(d.least*100) / 100
		d.most = max(d.most, d.least)
		d.two = min(max(d.two, d.least), d.most)
	}
	return out
}

// halved is the least width in which a text takes two lines, or one.
func (l *layout) halved(text string, s style) float64 {
	words := strings.Fields(text)
	if len(words) == 0 {
		return 0
	}
	least := l.measure(text, s)
	for i := 1; i < len(words); i++ {
		least = min(least, max(l.measure(strings.Join(words[:i], " "), s), l.measure(strings.Join(words[i:], " "), s)))
	}
	return least
}

func (l *layout) longestWord(text string, bold bool) float64 {
	return l.fonts.Longest(text, 1, bold) + 0.05
}

// unit is what stands below a column's name.
func (l *layout) unit(c document.Column) string {
	if c.Unit.HasMoney() && c.Currency == "" {
		return "" // each row names its currency
	}
	if c.Change && c.Unit == quantity.Ratio {
		return "" // each cell says points
	}
	return document.SayUnit(c.Unit, c.Currency)
}
