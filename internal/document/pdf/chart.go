package pdf

import (
	"fmt"
	"iter"
	"slices"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/pdffile"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// chart is a chart under its title, with its values below it where they are not written in
// it and few enough; others stand at the end of the document (see leftOver).
func (l *layout) chart(c *document.Chart) []piece {
	width := l.width(false)
	out := l.subheading(c, side, width)
	if c.Subtitle != "" {
		out = append(out, kept(l.paragraph(para{kind: "P", text: c.Subtitle, style: second, x: side, width: width, gap: 1}))...)
	}
	if c.Empty() {
		out = append(out, l.paragraph(para{kind: "P", text: "There are no values to draw.", style: body.in(document.Ink2), x: side, width: width, gap: 4})...)
		return append(out, l.origin(c.Origin, side, width)...)
	}
	h := l.chartHeight(c, width)
	out = append(out, piece{gap: 8, h: h, draw: func(top float64) {
		if l.page == nil {
			return
		}
		_, pageH := l.size(l.lying)
		e := l.tag(l.section, "Figure", fmt.Sprintf("/Alt%s/A<</O/Layout/Placement/Block/BBox[%.2f %.2f %.2f %.2f]>>",
			pdffile.Text(document.Clean(c.Alt())), float64(side), pageH-top-h, side+width, pageH-top))
		l.mark(e)
		c.Paint(canvas{l}, side, top, width, h, l.doc.Brand)
		l.close(e)
	}})
	if !l.written(c, width, h) {
		if t, p, ok := l.beside(c); ok {
			g := l.grid(t, p.parts[0], p, &notes{at: map[string]int{}})
			g.unitless, g.followed = true, len(l.origin(c.Origin, side, width)) > 0
			out[len(out)-1].keep = true
			out = append(out, slices.Collect(g.pieces())...)
		}
	}
	return together(append(out, l.origin(c.Origin, side, width)...))
}

// compactChart is how high a chart of a compact document is at most.
const compactChart = 120

func (l *layout) chartHeight(c *document.Chart, width float64) float64 {
	h := min(c.Height(width), l.room(false, false)-60)
	if l.doc.Layout.Compact {
		h = min(h, compactChart)
	}
	return h
}

// written reports whether every value of a chart is written in it.
func (l *layout) written(c *document.Chart, width, h float64) bool {
	seen := &listener{layout: l, texts: map[string]bool{}}
	c.Paint(seen, side, 0, width, h, l.doc.Brand)
	one := document.Document{Sections: []document.Section{{Blocks: []document.Block{c}}}}
	for f := range one.Figures() {
		if !seen.texts[f.Value.Short()] && !seen.texts[f.Value.Say()] && !seen.texts[f.Value.SayChange()] {
			return false
		}
	}
	return true
}

// beside returns the values of a chart as a small table, a row each series, when that fits
// the width.
func (l *layout) beside(c *document.Chart) (*document.Table, plan, bool) {
	if c.Kind == document.Scatter || len(c.Series) > 8 || len(c.Categories) > 16 {
		return nil, plan{}, false
	}
	t := &document.Table{Title: c.Title}
	t.Columns = []document.Column{{Name: "series", Label: document.SayUnit(c.Unit, c.Currency), Unit: quantity.Text}}
	for i, label := range c.Categories {
		if utf8.RuneCountInString(label) > 60 { // a head that would be cut
			return nil, plan{}, false
		}
		t.Columns = append(t.Columns, document.Column{Name: fmt.Sprint(i), Label: label, Unit: c.Unit, Currency: c.Currency})
	}
	for _, s := range c.Series {
		cells := []any{s.Name}
		for i := range c.Categories {
			var value any
			if i < len(s.Values) && s.Values[i] != nil {
				value = *s.Values[i]
			}
			cells = append(cells, value)
		}
		t.Rows = append(t.Rows, document.Row{Cells: cells})
	}
	p := l.planned(t, []float64{7.5, 7, 6.5}, false)
	return t, p, len(p.parts) == 1 && p.size >= 6.5 && !p.wide && l.fits(t, p)
}

func (l *layout) fits(t *document.Table, p plan) bool {
	_, ok := fit(l.demands(t), p.size, l.width(false))
	return ok
}

// leftOver are the charts whose values stand neither in them nor below them.
func (l *layout) leftOver() iter.Seq[*document.Chart] {
	return func(yield func(*document.Chart) bool) {
		for _, s := range l.doc.Sections {
			for _, b := range s.Blocks {
				c, ok := b.(*document.Chart)
				if !ok || c.Empty() {
					continue
				}
				width := l.width(false)
				if l.written(c, width, l.chartHeight(c, width)) {
					continue
				}
				if _, _, ok := l.beside(c); !ok && !yield(c) {
					return
				}
			}
		}
	}
}

// folds are how many columns of rows a table of a chart's values is folded into, at most.
// wholeName is how long a name is, at a size of one point, that is not broken for it.
const folds, wholeName = 4, 16.0

// folded sets the rows of a long narrow table side by side, as many as fit the width, so that
// they read down and then on to the right. It has no origin: the chart names it.
func (l *layout) folded(t *document.Table) *document.Table {
	out := *t
	out.Origin = document.Origin{}
	for n := min(folds, len(t.Rows)/4); n > 1; n-- {
		deep := (len(t.Rows) + n - 1) / n
		side := document.Table{Title: t.Title, Note: t.Note, Rows: make([]document.Row, deep)}
		for range n {
			side.Columns = append(side.Columns, t.Columns...)
		}
		for i, r := range t.Rows {
			side.Rows[i%deep].Cells = append(side.Rows[i%deep].Cells, r.Cells...)
		}
		need := 0.0
		for _, d := range l.demands(&side) {
			need += max(d.least, min(d.most, wholeName))*upright[len(upright)-1] + 2*cellPad
		}
		if need <= l.width(false) {
			return &side
		}
	}
	return &out
}

// canvas is where charts are painted: the open page.
type canvas struct{ l *layout }

func (c canvas) Rect(x, y, w, h float64, fill document.Color, line document.Stroke) {
	c.l.page.Rect(x, y, w, h, filled(fill), stroked(line))
}

func (c canvas) Path(points []document.XY, closed bool, fill document.Color, line document.Stroke) {
	path := make([]pdffile.XY, len(points))
	for i, p := range points {
		path[i] = pdffile.XY(p)
	}
	c.l.page.Path(path, closed, filled(fill), stroked(line))
}

func (c canvas) Circle(x, y, r float64, fill document.Color, line document.Stroke) {
	c.l.page.Circle(x, y, r, filled(fill), stroked(line))
}

func (c canvas) Text(x, y float64, text string, as document.TextStyle) {
	c.l.line(x, y, text, style{size: as.Size, bold: as.Bold, color: as.Color, align: as.Align})
}

func (c canvas) Width(text string, as document.TextStyle) float64 {
	return c.l.fonts.Width(text, as.Size, as.Bold)
}

func filled(c document.Color) *[3]uint8 {
	if c == "" {
		return nil
	}
	out := ink(c)
	return &out
}

func stroked(s document.Stroke) *pdffile.Line {
	if s.Color == "" || s.Width <= 0 {
		return nil
	}
	return &pdffile.Line{Color: ink(s.Color), Width: s.Width, Dash: s.Dash}
}

// listener hears what a chart writes, and paints nothing.
type listener struct {
	*layout
	texts map[string]bool
}

func (listener) Rect(_, _, _, _ float64, _ document.Color, _ document.Stroke) {}
func (listener) Path([]document.XY, bool, document.Color, document.Stroke)    {}
func (listener) Circle(_, _, _ float64, _ document.Color, _ document.Stroke)  {}
func (l *listener) Text(_, _ float64, text string, _ document.TextStyle)      { l.texts[text] = true }
func (l *listener) Width(text string, as document.TextStyle) float64 {
	return l.fonts.Width(text, as.Size, as.Bold)
}
