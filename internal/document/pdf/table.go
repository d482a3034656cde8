package pdf

import (
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/pdffile"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// table is a table as pieces, made one after the other: it may have any number of rows.
func (l *layout) table(t *document.Table) iter.Seq[piece] { return l.rows(t, true) }

// rows is a table whose title contents and bookmarks lead to when it is listed.
func (l *layout) rows(t *document.Table, listed bool) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		all := func(pieces []piece, wide bool) bool {
			for _, p := range pieces {
				p.wide = wide
				if !yield(p) {
					return false
				}
			}
			return true
		}
		var p plan
		if len(t.Columns) > 0 && len(t.Rows) > 0 {
			p = l.planned(t, upright, true)
		}
		width := l.width(p.wide)
		front := l.subheading(t, side, width)
		if !listed {
			front = kept(l.paragraph(para{kind: "H2", text: titleOf(t), style: title, x: side, width: width, gap: 16}))
		}
		if len(some(t.Note)) > 0 {
			front = append(front, kept(l.paragraph(para{kind: "P", text: t.Note, style: second, x: side, width: width, gap: 1}))...)
		}
		if !all(front, p.wide) {
			return
		}
		if len(p.parts) == 0 {
			_ = all(append(l.paragraph(para{kind: "P", text: "There are no rows to show.", style: body.in(document.Ink2), x: side, width: width, gap: 5}), l.origin(t.Origin, side, width)...), false)
			return
		}
		notes := &notes{at: map[string]int{}}
		for i, part := range p.parts {
			if len(p.parts) > 1 {
				text := fmt.Sprintf("Part %d of %d: columns %d to %d of %d", i+1, len(p.parts), part.columns[1]+1, part.columns[len(part.columns)-1]+1, len(t.Columns))
				gap := 4.0
				if i > 0 {
					gap = 18
				}
				if !all(kept(l.paragraph(para{kind: "P", text: text, style: second, x: side, width: width, gap: gap})), p.wide) {
					return
				}
			}
			g := l.grid(t, part, p, notes)
			g.followed = i == len(p.parts)-1 && (t.Of > 0 || len(l.origin(t.Origin, side, width)) > 0)
			for row := range g.pieces() {
				if !yield(row) {
					return
				}
			}
		}
		var back []piece
		if t.Of > 0 {
			shown := 0
			for range t.Plain() {
				shown++
			}
			text := fmt.Sprintf("%s of %s rows shown", grouped(shown), grouped(t.Of))
			back = append(back, l.paragraph(para{kind: "P", text: text, style: note, x: side, width: width, gap: 5})...)
		}
		back = append(append(back, l.notes(notes, width)...), l.origin(t.Origin, side, width)...)
		if len(back) <= fewLines {
			back = together(back) // a page of its own for the last of them would be nearly empty
		}
		all(back, p.wide)
	}
}

// grouped writes a whole number with commas.
func grouped(n int) string {
	d := decimal.NewFromInt(int64(n))
	return document.Value{Number: &d, Unit: quantity.Count}.Say()
}

// notes are why cells are empty, by number.
type notes struct {
	at    map[string]int
	texts []string
}

// fewLines is how many lines below a table stay on one page.
const fewLines = 10

// mostNotes is how many notes stand below a table; further ones stand below their rows.
const mostNotes = 24

// number returns the number of a note, 0 when there are too many.
func (n *notes) number(text string) int {
	if at, ok := n.at[text]; ok {
		return at
	}
	if len(n.texts) == mostNotes {
		return 0
	}
	n.texts = append(n.texts, text)
	n.at[text] = len(n.texts)
	return len(n.texts)
}

func (l *layout) notes(n *notes, width float64) []piece {
	var out []piece
	var list, item *pdffile.Elem
	for i, text := range n.texts {
		gap := 1.0
		if i == 0 {
			gap = 5
		}
		out = append(out, l.paragraph(para{kind: "LBody", text: text, style: note, x: side + 12, width: width - 12, gap: gap,
			under: func() *pdffile.Elem {
				if i == 0 {
					list = l.tag(l.section, "L", "")
				}
				item = l.tag(list, "LI", "")
				return item
			},
			first: func(top float64) {
				label := l.tag(item, "Lbl", "")
				l.mark(label)
				l.line(side, note.baseline(top), strconv.Itoa(i+1), note)
				l.close(label)
			},
			last: func() {
				l.close(item)
				if i == len(n.texts)-1 {
					l.close(list)
				}
			}})...)
	}
	return out
}

// grid is the columns of a table that are set side by side.
type grid struct {
	l     *layout
	t     *document.Table
	part  part
	wide  bool
	notes *notes
	text  style // of cells
	top   style // of heads
	table *pdffile.Elem
	head  head
	// followed says that lines stand below that belong to it; unitless, that its heads name no
	// units.
	followed, unitless bool
}

func (l *layout) grid(t *document.Table, p part, as plan, n *notes) *grid {
	g := &grid{l: l, t: t, part: p, wide: as.wide, notes: n}
	g.text = style{size: as.size, leading: as.size * 1.42, color: document.Ink}
	g.top = style{size: as.size * 0.92, leading: as.size * 1.28, bold: true, color: document.Ink2}
	return g
}

// cell is what stands in a column of a row.
type cell struct {
	lines []string
	mark  string // of a note
	units int    // how many of the lines are a unit, of a head
	right bool
	style style
	in    float64 // further space before it
}

// fewRows is how many rows at the head and at the end of a table stay on one page.
const fewRows = 3

// rowPad is the space above and below the text of a row.
const rowPad = 3.0

// pieces are the head, and a piece each row, or several for a row that no page holds.
func (g *grid) pieces() iter.Seq[piece] {
	return func(yield func(piece) bool) {
		heads, lines := g.heads()
		g.head = head{h: float64(lines)*g.top.leading + 2*rowPad, draw: func(top float64) { g.paintHead(top, heads, nil) }}
		if !yield(piece{gap: 7, h: g.head.h, keep: true, wide: g.wide, draw: func(top float64) {
			g.table = g.l.tag(g.l.section, "Table", "")
			row := g.l.tag(g.table, "TR", "")
			g.paintHead(top, heads, row)
			g.l.close(row)
		}}) {
			return
		}
		rows := g.t.Rows
		for i, r := range rows {
			// A heading of a group stays with its first row, a sum with the row before it, and
			// few rows stand on no page alone.
			keep := r.Kind == document.Group || g.followed && i == len(rows)-1 || i < min(fewRows, len(rows))-1 || i >= len(rows)-fewRows && i < len(rows)-1
			if i+1 < len(rows) {
				next := rows[i+1].Kind
				keep = keep || next == document.Subtotal || next == document.Total
			}
			for _, p := range g.row(r, keep, i == len(rows)-1) {
				if !yield(p) {
					return
				}
			}
		}
		yield(piece{wide: g.wide, keep: g.followed, draw: func(float64) { g.l.close(g.table) }})
	}
}

// mostHead is how many lines a column's name takes in the head; a longer one stands in full
// in a note.
const mostHead = 14

// heads are the names of the columns over their units.
func (g *grid) heads() (cells []cell, lines int) {
	for i, c := range g.part.columns {
		column := g.t.Columns[c]
		in := g.l.apart(g.t, c) * g.text.size
		h := cell{lines: g.l.wrap(column.Label, g.top, g.part.widths[i]-2*cellPad-in), right: document.IsNumber(column.Unit), style: g.top, in: in}
		if len(h.lines) > mostHead {
			h.lines = append(h.lines[:mostHead-1:mostHead-1], "…")
			g.notes.number(column.Label)
		}
		if u := g.l.unit(column); u != "" && !g.unitless {
			units := g.l.wrap(u, g.unitStyle(), g.part.widths[i]-2*cellPad-in)
			h.lines, h.units = append(h.lines, units...), len(units)
		}
		cells = append(cells, h)
		lines = max(lines, len(h.lines))
	}
	return cells, lines
}

func (g *grid) unitStyle() style {
	s := g.top.in(document.Ink3)
	s.bold = false
	return s
}

// paintHead paints the head; where it is repeated it is decoration.
func (g *grid) paintHead(top float64, heads []cell, row *pdffile.Elem) {
	l := g.l
	l.artifact()
	l.rect(side, top, l.width(g.wide), g.head.h, document.Sunken)
	l.rect(side, top+g.head.h-0.8, l.width(g.wide), 0.8, document.Ink3.Mix(document.Paper, 0.35))
	x := float64(side)
	for i, h := range heads {
		var e *pdffile.Elem
		if row != nil {
			e = l.tag(row, "TH", "/A<</O/Table/Scope/Column>>")
		}
		l.mark(e)
		y := top + g.head.h - rowPad - float64(len(h.lines))*g.top.leading
		for n, text := range h.lines {
			s := g.top
			if n >= len(h.lines)-h.units {
				s = g.unitStyle()
			}
			g.write(x+h.in, y, g.part.widths[i]-h.in, text, s, h.right)
			y += g.top.leading
		}
		l.close(e)
		x += g.part.widths[i]
	}
}

// write puts a line into a column.
func (g *grid) write(x, top, width float64, text string, s style, right bool) {
	if right {
		s.align = document.Right
		x += width - cellPad
	} else {
		x += cellPad
	}
	g.l.line(x, s.baseline(top), text, s)
}

// row is a row as pieces.
func (g *grid) row(r document.Row, keep, last bool) []piece {
	l := g.l
	cells, spans := g.cells(r)
	why := g.why(r)
	lines := 1
	for _, c := range cells {
		lines = max(lines, len(c.lines))
	}
	var below []string
	small := note.in(document.Ink2)
	small.size, small.leading = min(note.size, g.text.size*0.92), g.text.leading*0.95
	if why != "" {
		below = l.wrap(why, small, l.width(g.wide)-4*cellPad)
	}
	// How many lines a page holds; longer rows are cut between lines.
	holds := max(1, int((l.room(g.wide, false)-g.head.h-2*rowPad-small.leading*2)/g.text.leading))
	total := lines + len(below)
	var out []piece
	var row *pdffile.Elem
	tags := make([]*pdffile.Elem, len(cells))
	for from := 0; from < total; from += holds {
		to := min(from+holds, total)
		h := 0.0
		for n := from; n < to; n++ {
			if n < lines {
				h += g.text.leading
			} else {
				h += small.leading
			}
		}
		first, end := from == 0, to == total
		if first {
			h += rowPad
		}
		if end {
			h += rowPad
		}
		out = append(out, piece{h: h, keep: keep && total <= holds, wide: g.wide, again: &g.head, draw: func(top float64) {
			if first {
				row = l.tag(g.table, "TR", "")
			}
			g.backdrop(r, top, h, first, end, last)
			y := top
			if first {
				y += rowPad
			}
			x := float64(side)
			for i, c := range cells {
				if first {
					kind, attrs := "TD", ""
					if spans {
						kind, attrs = "TH", fmt.Sprintf("/A<</O/Table/Scope/Row/ColSpan %d>>", len(g.part.columns))
					}
					tags[i] = l.tag(row, kind, attrs)
				}
				l.mark(tags[i])
				width := g.part.widths[i]
				if spans {
					width = l.width(g.wide)
				}
				for n := from; n < min(to, len(c.lines)); n++ {
					g.put(c, n, x+c.in, y+float64(n-from)*g.text.leading, width-c.in)
				}
				x += width
			}
			if len(below) > 0 && to > lines {
				l.mark(tags[0])
				at := y + float64(max(0, lines-from))*g.text.leading
				for n := max(0, from-lines); n < to-lines; n++ {
					l.line(side+cellPad, small.baseline(at), below[n], small)
					at += small.leading
				}
			}
			if end {
				l.close(tags...)
				l.close(row)
			}
		}})
	}
	return out
}

// put writes a line of a cell. A number that is wider than all that were measured is set
// smaller, so that nothing lies over its neighbor.
func (g *grid) put(c cell, n int, x, top, width float64) {
	s := c.style
	if c.right {
		room := width - 2*cellPad
		for s.size > 3 && g.l.measure(c.lines[n], s) > room {
			s.size -= 0.25
		}
	}
	if c.mark != "" {
		raised := s
		raised.size, raised.color = s.size*0.72, document.Ink2
		w := g.l.measure(c.mark, raised)
		if c.right {
			g.write(x, top-s.size*0.28, width, c.mark, raised, true)
			g.write(x, top, width-w-1, c.lines[n], s, true)
		} else {
			at := g.l.measure(c.lines[n], s)
			g.write(x, top, width, c.lines[n], s, false)
			g.write(x+at+1, top-s.size*0.28, width, c.mark, raised, false)
		}
		return
	}
	g.write(x, top, width, c.lines[n], s, c.right)
}

// backdrop is what lies behind a row: rules and tints.
func (g *grid) backdrop(r document.Row, top, h float64, first, end, last bool) {
	l := g.l
	l.artifact()
	width := l.width(g.wide)
	strong := document.Ink3.Mix(document.Paper, 0.35)
	switch r.Kind {
	case document.Group:
		l.rect(side, top, width, h, l.doc.Brand.Main().Mix(document.Paper, 0.93))
	case document.Subtotal:
		if first {
			l.rect(side, top, width, 0.6, strong)
		}
	case document.Total:
		l.rect(side, top, width, h, document.Sunken)
		if first {
			l.rect(side, top, width, 1.1, document.Ink2)
		}
	}
	if end {
		c := document.Rule
		if last {
			c = strong
		}
		l.rect(side, top+h-0.5, width, 0.5, c)
	}
}

// cells are the texts of a row. spans says that the first takes the whole width: the
// heading of a group.
func (g *grid) cells(r document.Row) (cells []cell, spans bool) {
	s := g.text
	if r.Kind != document.PlainRow {
		s.bold = true
	}
	if r.Kind == document.Group && !slices.ContainsFunc(r.Cells[min(1, len(r.Cells)):], func(c any) bool { return c != nil && c != "" }) {
		text := ""
		if len(r.Cells) > 0 {
			text = g.t.Cell(document.Row{Cells: []any{fmt.Sprint(r.Cells[0])}}, 0)
		}
		s.color = g.l.doc.Brand.Main().Mix("#000000", 0.15)
		return []cell{{lines: g.l.wrap(text, s, g.l.width(g.wide)-2*cellPad), style: s}}, true
	}
	for i, column := range g.part.columns {
		c := g.t.Columns[column]
		out := cell{style: s, in: g.l.apart(g.t, column) * g.text.size}
		if column >= len(r.Cells) || r.Cells[column] == nil && (r.Kind == document.Group || r.Kind != document.PlainRow && !document.IsNumber(c.Unit)) {
			cells = append(cells, out)
			continue
		}
		value := r.Cells[column]
		text := g.t.Cell(r, column)
		number := document.IsNumber(c.Unit)
		out.right = number
		out.style.figures = number
		switch {
		case number:
			out.lines = []string{text}
		default:
			out.lines = g.l.wrap(text, s, g.part.widths[i]-2*cellPad-out.in)
		}
		if value == nil {
			out.style.color = document.Ink3
			if r.Why != "" {
				if n := g.notes.number(r.Why); n > 0 {
					out.mark = strconv.Itoa(n)
				}
			}
		}
		cells = append(cells, out)
	}
	return cells, false
}

// why returns what stands below a row: what drove it, when no cell's mark leads to it.
func (g *grid) why(r document.Row) string {
	if r.Why == "" || g.part.columns[len(g.part.columns)-1] != len(g.t.Columns)-1 {
		return ""
	}
	if slices.Contains(r.Cells, nil) && g.notes.number(r.Why) > 0 {
		return ""
	}
	return r.Why
}
