package pdf

import (
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/pdffile"
)

// style is how a text is set.
type style struct {
	size    float64
	leading float64 // from one line to the next
	bold    bool
	color   document.Color
	align   document.Align
	figures bool // of equal width
}

// The typographic scale.
var (
	display  = style{size: 30, leading: 36, bold: true}
	headline = style{size: 19, leading: 25, bold: true, color: document.Ink}
	title    = style{size: 11.5, leading: 16, bold: true, color: document.Ink}
	lead     = style{size: 12, leading: 18.5, color: document.Ink}
	body     = style{size: 9.5, leading: 14.5, color: document.Ink}
	second   = style{size: 8.5, leading: 12.5, color: document.Ink2}
	note     = style{size: 7.5, leading: 11, color: document.Ink3}
)

func (s style) in(c document.Color) style { s.color = c; return s }

func (s style) strong() style { s.bold = true; return s }

// baseline returns where the letters stand in a line whose top is given.
func (s style) baseline(top float64) float64 { return top + s.leading/2 + 0.36*s.size }

// mark says whose what follows is; nil is only decoration.
func (l *layout) mark(e *pdffile.Elem) {
	if l.page != nil {
		l.page.Mark(e)
	}
}

func (l *layout) artifact() { l.mark(nil) }

// tag begins an element of the structure below another, the document when it is nil.
func (l *layout) tag(under *pdffile.Elem, kind, attrs string) *pdffile.Elem {
	if l.file == nil {
		return nil
	}
	if under == nil {
		under = l.top
	}
	return under.Add(kind, attrs)
}

func (l *layout) close(elems ...*pdffile.Elem) {
	for _, e := range elems {
		if e != nil {
			e.Close()
		}
	}
}

func ink(c document.Color) [3]uint8 {
	r, g, b := c.RGB()
	return [3]uint8{r, g, b}
}

// rect fills a rectangle.
func (l *layout) rect(x, y, w, h float64, fill document.Color) {
	if l.page != nil {
		c := ink(fill)
		l.page.Rect(x, y, w, h, &c, nil)
		l.spy.rect(l, x, y, w, h)
	}
}

// line writes one line at a baseline, and returns its width.
func (l *layout) line(x, y float64, text string, s style) float64 {
	if l.page == nil || text == "" {
		return 0
	}
	var w float64
	if s.align != document.Left || l.spy != nil {
		w = l.measure(text, s)
	}
	switch s.align {
	case document.Center:
		x -= w / 2
	case document.Right:
		x -= w
	}
	l.spy.text(l, x, y, w, s, text)
	if s.figures {
		if glyphs, ok := l.numerals(text, s.bold); ok {
			font := l.fonts.Font(s.bold)
			return l.page.Text(l.face(font), s.size, x, y, glyphs, text, ink(s.color), l.fonts.Faux(font, s.bold))
		}
	}
	from := x
	for _, r := range l.set(text, s) {
		x += l.page.Text(l.face(r.run.Font), s.size, x, y, r.glyphs, r.run.Text, ink(s.color), l.fonts.Faux(r.run.Font, s.bold))
	}
	return x - from
}

// setRun is a run with its glyphs.
type setRun struct {
	run    document.Run
	glyphs []pdffile.Glyph
}

type setKey struct {
	text          string
	bold, figures bool
}

// keptLines bounds the memory of lines that were set: a table says the same again and again.
const keptLines = 1 << 12

// set returns the runs of a line with their glyphs.
func (l *layout) set(text string, s style) []setRun {
	key := setKey{text, s.bold, s.figures}
	if had, ok := l.kept[key]; ok {
		return had
	}
	runs := l.fonts.Split(text, s.bold)
	out := make([]setRun, len(runs))
	for i, r := range runs {
		shaped := l.fonts.Shape(r, s.figures)
		glyphs := make([]pdffile.Glyph, len(shaped))
		for n, g := range shaped {
			glyphs[n] = pdffile.Glyph(g)
		}
		l.spy.run(r, shaped)
		out[i] = setRun{r, glyphs}
	}
	if len(l.kept) >= keptLines || l.kept == nil {
		l.kept = make(map[setKey][]setRun, 256)
	}
	l.kept[key] = out
	return out
}

// face returns a font of the file.
func (l *layout) face(f *document.Font) *pdffile.Font {
	face, ok := l.faces[f]
	if !ok {
		added, err := l.file.AddFont(f.Name, f.Data)
		if err != nil && l.err == nil { // they were checked before
			l.err = err
		}
		face, l.faces[f] = added, added
	}
	return face
}

// measure returns the width of a line.
func (l *layout) measure(text string, s style) float64 {
	if s.figures {
		if glyphs, ok := l.numerals(text, s.bold); ok {
			var w float64
			for _, g := range glyphs {
				w += g.Advance
			}
			return w * s.size / 1000
		}
		return l.fonts.FiguresWidth(text, s.size, s.bold)
	}
	return l.fonts.Width(text, s.size, s.bold)
}

// numerals sets a number without asking the shaper for each: tables have millions.
func (l *layout) numerals(text string, bold bool) ([]pdffile.Glyph, bool) {
	n, known := 0, l.figures[b2i(bold)]
	out := make([]pdffile.Glyph, 0, len(text))
	for _, r := range text {
		g, ok := known[r]
		if !ok {
			if !strings.ContainsRune("0123456789.,−-+% $€£:/—\u00a0", r) {
				return nil, false
			}
			runs := l.fonts.Split(string(r), bold)
			if len(runs) != 1 || runs[0].Font != l.fonts.Font(bold) {
				return nil, false
			}
			set := l.fonts.Shape(runs[0], true)
			if len(set) != 1 {
				return nil, false
			}
			l.spy.run(runs[0], set)
			g, known[r] = set[0], set[0]
		}
		out = append(out, pdffile.Glyph(g))
		n++
	}
	return out, n > 0
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// wrap breaks a text into lines. What surely fits is not measured by the shaper.
func (l *layout) wrap(text string, s style, width float64) []string {
	sum, known := 0.0, &l.ascii[b2i(s.bold)]
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return l.fonts.Lines(text, s.size, s.bold, width)
		}
		sum += known[text[i]]
	}
	if sum*s.size/1000*1.02 <= width {
		return []string{strings.TrimRight(text, " ")}
	}
	return l.fonts.Lines(text, s.size, s.bold, width)
}

// short cuts a text to a width, with an ellipsis: only for running lines, whose text stands
// in full elsewhere.
func (l *layout) short(text string, s style, width float64) string {
	text = l.fonts.Legible(text)
	if l.fonts.Width(text, s.size, s.bold) <= width {
		return text
	}
	lines := l.fonts.Lines(text, s.size, s.bold, width-l.fonts.Width(" …", s.size, s.bold))
	return lines[0] + "…"
}

// para is a paragraph to be set.
type para struct {
	kind          string // of element
	text          string
	style         style
	x, width, gap float64
	under         func() *pdffile.Elem // nil: the section
	first         func(top float64)    // also paints, beside the first line
	last          func()               // runs when the paragraph is painted
}

// paragraph is the lines of a text as pieces; two at least stand together at a break.
func (l *layout) paragraph(p para) []piece {
	lines, s := l.wrap(p.text, p.style, p.width), p.style
	out := make([]piece, len(lines))
	var e *pdffile.Elem
	for i, line := range lines {
		out[i] = piece{h: s.leading, keep: len(lines) > 1 && (i == 0 || i == len(lines)-2), draw: func(top float64) {
			if i == 0 {
				under := l.section
				if p.under != nil {
					under = p.under()
				}
				if p.first != nil {
					p.first(top)
				}
				e = l.tag(under, p.kind, "")
			}
			l.mark(e)
			at := p.x
			switch s.align {
			case document.Right:
				at += p.width
			case document.Center:
				at += p.width / 2
			}
			l.line(at, s.baseline(top), line, s)
			if i == len(lines)-1 {
				l.close(e)
				if p.last != nil {
					p.last()
				}
			}
		}}
	}
	out[0].gap = p.gap
	return out
}

// bullets is a list as pieces.
func (l *layout) bullets(items []string, s style, x, width, gap float64) []piece {
	var out []piece
	var list, item *pdffile.Elem
	for i, text := range items {
		between := 3.0
		if i == 0 {
			between = gap
		}
		out = append(out, l.paragraph(para{kind: "LBody", text: text, style: s, x: x + 12, width: width - 12, gap: between,
			under: func() *pdffile.Elem {
				if i == 0 {
					list = l.tag(l.section, "L", "/A<</O/List/ListNumbering/Disc>>")
				}
				item = l.tag(list, "LI", "")
				return item
			},
			first: func(top float64) {
				label := l.tag(item, "Lbl", "")
				l.mark(label)
				l.line(x+2, s.baseline(top), "•", s)
				l.close(label)
			},
			last: func() {
				l.close(item)
				if i == len(items)-1 {
					l.close(list)
				}
			}})...)
	}
	return out
}

// together keeps pieces on one page.
func together(pieces []piece) []piece {
	for i := range pieces[:max(0, len(pieces)-1)] {
		pieces[i].keep = true
	}
	return pieces
}

// kept keeps pieces on one page with what follows.
func kept(pieces []piece) []piece {
	for i := range pieces {
		pieces[i].keep = true
	}
	return pieces
}

// backed paints something behind pieces, their gaps with them.
func backed(pieces []piece, paint func(top, h float64)) []piece {
	for i, p := range pieces {
		gap := p.gap
		pieces[i].gap, pieces[i].h = 0, p.h+gap
		pieces[i].draw = func(top float64) {
			paint(top, p.h+gap)
			p.draw(top + gap)
		}
	}
	return pieces
}

// space is an empty piece.
func space(h float64, keep bool) piece {
	return piece{h: h, keep: keep, draw: func(float64) {}}
}
