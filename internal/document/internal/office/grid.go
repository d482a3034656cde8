package office

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Grid is the cells that a chart draws: a head, and a row by category.
type Grid struct {
	Columns []GridColumn
	Rows    int
}

// GridColumn is a column of a grid. Its cells are a string, a quantity.Decimal or nil.
type GridColumn struct {
	Head     string
	Unit     quantity.Unit
	Currency string
	Helper   bool // only there for the drawing: no figure of its own
	Cells    []any
}

// labelRunes is how long the name of a category may be on an axis; a column beside the
// figures has the names that are longer.
const labelRunes = 34

// builder makes the grid and the plots of a chart together.
type builder struct {
	c     *document.Chart
	b     document.Brand
	grid  Grid
	plots []plot
}

// plot is a group of series drawn one way.
type plot struct {
	kind     string // "area", "bar", "line" or "scatter"
	dir      string // of bars: "col" or "bar"
	grouping string
	gap      int
	overlap  int
	series   []series
}

// series is what is drawn of a column.
type series struct {
	column int // of the values
	x      int // of the categories, or of the x of a scatter
	fill   document.Color
	line   document.Color // "" draws none
	width  float64        // points
	dashed bool
	marker int              // size, 0 without
	points []document.Color // by row, of bars that differ
	hatch  []bool           // by row, of bars below zero: color is never all that tells
	above  int              // columns of what an interval reaches above and below the value, 0 without
	below  int
	labels []string // by row, "" without; values when nil and shown
	shown  bool     // the values as labels
	at     string   // where labels stand
	places []string // by row where its label stands, of labels that stand in different places
	legend bool
}

// add appends a column and returns its number.
func (m *builder) add(head string, helper bool, cells []any) int {
	m.grid.Columns = append(m.grid.Columns, GridColumn{Head: head, Unit: m.c.Unit, Currency: m.c.Currency, Helper: helper, Cells: cells})
	return len(m.grid.Columns) - 1
}

// build lays a chart out.
func build(c *document.Chart, b document.Brand) *builder {
	m := &builder{c: c, b: b}
	if c.Kind == document.Scatter {
		m.scatter()
		return m
	}
	m.categories()
	switch c.Kind {
	case document.Line:
		m.lines()
	case document.Waterfall:
		m.waterfall()
	default:
		m.bars()
	}
	m.fullNames()
	return m
}

func (m *builder) categories() {
	names := make([]any, len(m.c.Categories))
	for i, name := range m.c.Categories {
		names[i] = Cut(OneLine(name), labelRunes)
	}
	if m.refBar() {
		label := m.c.TargetLabel
		if label == "" {
			label = "Target"
		}
		names = append(names, Cut(OneLine(label), labelRunes))
	}
	m.grid.Rows = len(names)
	m.grid.Columns = []GridColumn{{Head: "Category", Unit: quantity.Text, Cells: names}}
}

// refBar says whether the target is a bar of its own, as no line crosses lying bars in every
// program.
func (m *builder) refBar() bool { return m.c.Kind == document.Bars && m.c.Target != nil }

// fullNames adds the names that are cut on the axis.
func (m *builder) fullNames() {
	full, cut := make([]any, m.grid.Rows), false
	for i, name := range m.c.Categories {
		full[i] = document.Clean(name)
		cut = cut || full[i] != m.grid.Columns[0].Cells[i]
	}
	if cut {
		m.grid.Columns = append(m.grid.Columns, GridColumn{Head: "Full name", Unit: quantity.Text, Cells: full})
	}
}

// column returns a series' values as cells, as many as there are rows.
func (m *builder) column(values []*quantity.Decimal) []any {
	out := make([]any, m.grid.Rows)
	for i, v := range values {
		if v != nil {
			out[i] = *v
		}
	}
	return out
}

func (m *builder) color(n int) document.Color { return m.c.Color(n, m.b) }

func name(s document.Series, n int) string {
	if s.Name == "" {
		return fmt.Sprintf("Series %d", n+1)
	}
	return Cut(OneLine(s.Name), nameRunes)
}

// nameRunes is how long the name of a series may be in a legend.
const nameRunes = 44

// lines are drawn over their bands, which are areas that stand on each other.
func (m *builder) lines() {
	line := plot{kind: "line", grouping: "standard"}
	for i, s := range m.c.Series {
		at := m.add(name(s, i), false, m.column(s.Values))
		draw := series{column: at, line: m.color(i), width: 2.25, dashed: s.Dashed, legend: true}
		if s.Muted {
			draw.width = 1.5
		}
		if known(s.Values) == 1 {
			draw.marker = 7
		}
		line.series = append(line.series, draw)
	}
	area := plot{kind: "area", grouping: "stacked"}
	below := make([]quantity.Decimal, m.grid.Rows) // the upper end of the band before
	for i, s := range m.c.Series {
		if known(s.Low) == 0 {
			continue
		}
		label := s.Band
		if label == "" {
			label = "Range"
		}
		label = name(s, i) + ": " + label
		m.add(label+", low", false, m.column(s.Low))
		m.add(label+", high", false, m.column(s.High))
		lows, highs := spread(s)
		base, height := make([]any, m.grid.Rows), make([]any, m.grid.Rows)
		for j := range lows {
			base[j], height[j] = lows[j].Sub(below[j]), highs[j].Sub(lows[j])
			below[j] = highs[j]
		}
		area.series = append(area.series,
			series{column: m.add(label+", drawn from", true, base)},
			series{column: m.add(label, true, height), fill: m.color(i).Mix(document.Paper, 0.84), legend: true})
	}
	if len(area.series) > 0 {
		m.plots = append(m.plots, area)
	}
	m.plots = append(m.plots, line)
	m.target()
}

func known(values []*quantity.Decimal) (n int) {
	for _, v := range values {
		if v != nil {
			n++
		}
	}
	return n
}

// spread returns a band's ends for all categories: where it has none it is as narrow as a
// line, on the value or else at the middle of the nearest band.
func spread(s document.Series) (lows, highs []quantity.Decimal) {
	lows, highs = make([]quantity.Decimal, len(s.Low)), make([]quantity.Decimal, len(s.Low))
	has := func(i int) bool { return s.Low[i] != nil && i < len(s.High) && s.High[i] != nil }
	two := decimal.New(2, 0)
	for i := range s.Low {
		if has(i) {
			lows[i], highs[i] = *s.Low[i], *s.High[i]
			continue
		}
		if s.Values[i] != nil {
			lows[i], highs[i] = *s.Values[i], *s.Values[i]
			continue
		}
		for d := 1; d < len(s.Low); d++ {
			j := i + d
			if j >= len(s.Low) || !has(j) {
				j = i - d
			}
			if j >= 0 && has(j) {
				middle := s.Low[j].Add(*s.High[j]).Div(two).Round(6)
				lows[i], highs[i] = middle, middle
				break
			}
		}
	}
	return lows, highs
}

// bars are columns, lying bars and stacks.
func (m *builder) bars() {
	p := plot{kind: "bar", dir: "col", grouping: "clustered", gap: 60}
	switch m.c.Kind {
	case document.Bars:
		p.dir, p.gap = "bar", 45
	case document.Stacked:
		p.grouping, p.overlap = "stacked", 100
	}
	few := len(m.c.Series) == 1 && m.grid.Rows <= 16 && (p.dir == "bar" || m.grid.Rows <= 13)
	for i, s := range m.c.Series {
		cells := m.column(s.Values)
		draw := series{fill: m.color(i), shown: few, at: "outEnd", legend: true}
		if p.grouping == "stacked" {
			draw.at = "ctr"
			draw.shown = false
		}
		if s.Dashed { // no fact: only its outline is full
			draw.fill, draw.line, draw.width = m.color(i).Mix(document.Paper, 0.75), m.color(i), 1
		}
		if m.refBar() && i == 0 {
			cells[m.grid.Rows-1] = *m.c.Target
			draw.points = make([]document.Color, m.grid.Rows)
			draw.points[m.grid.Rows-1] = document.Ink3.Mix(document.Paper, 0.45)
		}
		for j, v := range s.Values {
			if v == nil || v.Sign() >= 0 {
				continue
			}
			if draw.points == nil {
				draw.points = make([]document.Color, m.grid.Rows)
			}
			if draw.hatch == nil {
				draw.hatch = make([]bool, m.grid.Rows)
			}
			draw.points[j], draw.hatch[j] = m.color(i), true
			if len(m.c.Series) == 1 {
				draw.points[j] = document.Bad
			}
		}
		draw.column = m.add(name(s, i), false, cells)
		if p.grouping != "stacked" && known(s.Low) > 0 {
			draw.above, draw.below = m.reach(s, name(s, i))
			draw.shown = false // the whisker is where the label would be
		}
		p.series = append(p.series, draw)
	}
	m.plots = append(m.plots, p)
	if m.c.Kind != document.Bars {
		m.target()
	}
}

// reach adds an interval's ends, and how far they are from the values.
func (m *builder) reach(s document.Series, label string) (above, below int) {
	if s.Band != "" {
		label += ": " + Cut(OneLine(s.Band), nameRunes)
	}
	m.add(label+", low", false, m.column(s.Low))
	m.add(label+", high", false, m.column(s.High))
	up, down := make([]any, m.grid.Rows), make([]any, m.grid.Rows)
	for i, v := range s.Values {
		if v != nil && i < len(s.High) && s.Low[i] != nil && s.High[i] != nil {
			up[i], down[i] = s.High[i].Sub(*v), v.Sub(*s.Low[i])
		}
	}
	return m.add(label+", above", true, up), m.add(label+", below", true, down)
}

// target is a dashed line across.
func (m *builder) target() {
	if m.c.Target == nil {
		return
	}
	label := m.c.TargetLabel
	if label == "" {
		label = "Target"
	}
	cells := make([]any, m.grid.Rows)
	for i := range cells {
		cells[i] = *m.c.Target
	}
	draw := series{column: m.add(label, false, cells), line: document.Ink2, width: 1.25, dashed: true, legend: true}
	if last := len(m.plots) - 1; m.plots[last].kind == "line" {
		m.plots[last].series = append(m.plots[last].series, draw)
		return
	}
	m.plots = append(m.plots, plot{kind: "line", grouping: "standard", series: []series{draw}})
}

// waterfall stands each step on what no one sees. What is above zero and what is below are
// stacked apart, as Office does with numbers of two signs.
func (m *builder) waterfall() {
	steps := m.c.Steps()
	m.add(name(m.c.Series[0], 0), false, m.column(m.c.Series[0].Values))
	var parts [4][]any // unseen above, seen above, unseen below, seen below
	for i := range parts {
		parts[i] = make([]any, len(steps))
	}
	top, labels, colors, down := make([]any, len(steps)), make([]string, len(steps)), make([]document.Color, len(steps)), make([]bool, len(steps))
	zero := quantity.Decimal{}
	for i, s := range steps {
		low, high := decimal.Max(s.Low, zero), decimal.Max(s.High, zero)
		parts[0][i], parts[1][i] = low, high.Sub(low)
		low, high = decimal.Min(s.Low, zero), decimal.Min(s.High, zero)
		parts[2][i], parts[3][i] = high, low.Sub(high)
		top[i] = s.High
		down[i] = s.Value.Sign() < 0
		value := m.c.Value(m.c.Series[0].Values[i])
		switch {
		case s.Total:
			colors[i], labels[i] = m.b.Main(), value.Short()
		case s.Value.Sign() < 0:
			colors[i], labels[i] = document.Bad, shortChange(value)
		default:
			colors[i], labels[i] = document.Good, shortChange(value)
		}
		if value.Number == nil {
			labels[i] = document.Unknown
		}
	}
	p := plot{kind: "bar", dir: "col", grouping: "stacked", overlap: 100, gap: 45}
	for i, head := range []string{"unseen above zero", "drawn above zero", "unseen below zero", "drawn below zero"} {
		draw := series{column: m.add(head, true, parts[i])}
		if i%2 == 1 {
			draw.fill, draw.points, draw.hatch = document.Good, colors, down
		}
		p.series = append(p.series, draw)
	}
	label := series{column: m.add("label stands at", true, top), labels: labels, at: "t"}
	m.plots = append(m.plots, p, plot{kind: "line", grouping: "standard", series: []series{label}})
}

// shortChange writes what a step adds: points of a ratio are no percents.
func shortChange(v document.Value) string {
	switch {
	case v.Number == nil, v.Unit == quantity.Ratio:
		return v.SayChange()
	case v.Number.Sign() > 0:
		return "+" + v.Short()
	}
	return v.Short()
}

func (m *builder) scatter() {
	c := m.c
	n := len(c.Points)
	names, xs, ys, marked, labels := make([]any, n), make([]any, n), make([]any, n), make([]any, n), make([]string, n)
	some := false
	for i, p := range c.Points {
		names[i], xs[i] = document.Clean(p.Label), p.X
		if p.Marked { // in one series or the other, as programs differ in which they draw on top
			marked[i], labels[i], some = p.Y, Cut(OneLine(p.Label), 28), true
		} else {
			ys[i] = p.Y
		}
	}
	m.grid.Rows = len(c.Points)
	head := func(label, other string) string {
		if label == "" {
			return other
		}
		return Cut(OneLine(label), nameRunes)
	}
	m.grid.Columns = []GridColumn{{Head: "Name", Unit: quantity.Text, Cells: names},
		{Head: head(c.XLabel, "x"), Unit: c.XUnit, Currency: c.Currency, Cells: xs}}
	label := head(c.YLabel, "y")
	p := plot{kind: "scatter", series: []series{{x: 1, column: m.add(label, false, ys), fill: m.b.Main().Mix(document.Paper, 0.35), marker: 7, legend: some}}}
	if some {
		p.series = append(p.series, series{x: 1, column: m.add(label+", marked", false, marked), fill: m.b.Second(), marker: 9, labels: labels, places: beside(c.Points, labels), legend: true})
	}
	m.plots = []plot{p}
}
