package pdf

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
)

// chapter is a section as pieces.
func (l *layout) chapter(n int, s document.Section, yield func(piece) bool) bool {
	heading := l.begin(titled(s.Title), headline.in(l.doc.Brand.Main()), func(top float64) { l.reach(top) })
	heading[0].gap = 30
	// The first section begins a page when a cover, a letter or contents stand before it.
	front := l.doc.Layout.Cover || l.doc.Layout.Contents || len(some(l.doc.Letter...)) > 0
	heading[0].fresh, heading[0].soft = n == 0 && front, s.NewPage
	lies := l.lies(s.Blocks)
	for _, p := range heading {
		p.wide = lies > 0
		if !yield(p) {
			return false
		}
	}
	if len(s.Blocks) == 0 {
		for _, p := range l.paragraph(para{kind: "P", text: "There is nothing to show in this section.", style: body.in(document.Ink2), x: side, width: l.width(false), gap: 8}) {
			if !yield(p) {
				return false
			}
		}
	}
	for i, b := range s.Blocks {
		first := true
		var next document.Block
		if i+1 < len(s.Blocks) {
			next = s.Blocks[i+1]
		}
		for p := range l.block(b, next, i < lies) {
			if first {
				first = false
				p.gap = 20
				if i == 0 {
					p.gap = 10
				}
				if t, ok := b.(*document.Text); ok && i > 0 && t.Title == "" {
					p.gap = 12
				}
			}
			if !yield(p) {
				return false
			}
		}
	}
	return true
}

// lies counts the texts at the head of a section that stand on the page that lies of the table
// after them: a page of their own would be nearly empty.
func (l *layout) lies(blocks []document.Block) int {
	for i, b := range blocks {
		switch b := b.(type) {
		case *document.Text:
			if b.Tone != document.Warning {
				continue
			}
		case *document.Table:
			if len(b.Columns) > 0 && len(b.Rows) > 0 && l.planned(b, upright, true).wide {
				return i
			}
		}
		break
	}
	return 0
}

// block is a block as pieces; next is the one after it, and wide says that a text stands on a
// page that lies.
func (l *layout) block(b, next document.Block, wide bool) func(func(piece) bool) {
	if t, ok := b.(*document.Table); ok {
		return l.table(t)
	}
	return func(yield func(piece) bool) {
		var pieces []piece
		switch b := b.(type) {
		case *document.Text:
			pieces = l.text(b, next, wide)
		case *document.Tiles:
			pieces = l.tiles(b)
		case *document.Chart:
			pieces = l.chart(b)
		case *document.Finding:
			pieces = l.finding(b)
		}
		for _, p := range pieces {
			if !yield(p) {
				return
			}
		}
	}
}

// subheading is the title of a block, kept with what follows.
func (l *layout) subheading(b document.Block, x, width float64) []piece {
	text := titleOf(b)
	if text == "" {
		return nil
	}
	return kept(l.paragraph(para{kind: "H2", text: text, style: title, x: x, width: width, first: func(top float64) { l.reach(top) }}))
}

// text is prose. Where its figures come from is said below the next block when that says the
// same; what leads to findings stays with the first, and a sentence with the chart it is about.
func (l *layout) text(t *document.Text, next document.Block, wide bool) []piece {
	s, x, width := body, float64(side), l.width(wide)
	switch t.Tone {
	case document.Lead:
		s = lead
	case document.Note:
		s = note
	case document.Warning:
		x, width = x+16, width-32
	}
	out := l.subheading(t, x, width)
	paragraphs, items := some(t.Paragraphs...), some(t.Items...)
	for i, text := range paragraphs {
		gap := 7.0
		if i == 0 {
			gap = 4
		}
		out = append(out, l.paragraph(para{kind: "P", text: text, style: s, x: x, width: width, gap: gap})...)
	}
	out = append(out, l.bullets(items, s, x, width, 5)...)
	if len(paragraphs)+len(items) == 0 {
		out = append(out, l.paragraph(para{kind: "P", text: "There is nothing to say here.", style: s.in(document.Ink2), x: x, width: width, gap: 4})...)
	}
	if _, ok := next.(*document.Finding); !same(t.Origin, next) || ok {
		out = append(out, l.origin(t.Origin, x, width)...)
	}
	_, finding := next.(*document.Finding)
	_, chart := next.(*document.Chart)
	if finding || chart && t.Title == "" && len(paragraphs)+len(items) == 1 {
		out = together(out)
		out[len(out)-1].keep = true
	}
	if t.Tone == document.Warning {
		out[0].gap = 10
		out = l.callout(append(out, space(10, false)), document.Caution)
		return together(out)
	}
	for i := range out {
		out[i].wide = wide
	}
	return out
}

// same reports whether a block comes from just there.
func same(o document.Origin, b document.Block) bool {
	switch b := b.(type) {
	case *document.Table:
		return reflect.DeepEqual(o, b.Origin)
	case *document.Chart:
		return reflect.DeepEqual(o, b.Origin)
	}
	return false
}

// brief is what a compact document says of an origin: how sure the figures are and the first
// reason, and the period where it is not the document's.
func (l *layout) brief(o document.Origin) document.Origin {
	out := document.Origin{Grade: o.Grade, Reasons: o.Reasons[:min(1, len(o.Reasons))]}
	if o.Period != l.doc.Period {
		out.Period = o.Period
	}
	return out
}

// origin says where the figures of a block come from, and how to read them.
func (l *layout) origin(o document.Origin, x, width float64) []piece {
	if l.doc.Layout.Compact {
		o = l.brief(o)
	}
	parts := some(o.Period)
	if o.Snapshot != 0 {
		parts = append(parts, "Snapshot "+strconv.FormatInt(o.Snapshot, 10))
	}
	grade := document.SayGrade(o.Grade)
	if grade != "" && len(o.Reasons) > 0 {
		grade += ": " + strings.Join(o.Reasons, "; ")
	}
	parts = append(parts, some(grade)...)
	if len(o.Sources) > 0 {
		parts = append(parts, "From "+strings.Join(o.Sources, ", "))
	}
	var out []piece
	for i, text := range o.Explain {
		gap := 3.0
		if i == 0 {
			gap = 7
		}
		out = append(out, l.paragraph(para{kind: "P", text: text, style: second, x: x, width: width, gap: gap})...)
	}
	if len(parts) > 0 {
		out = append(out, l.paragraph(para{kind: "P", text: strings.Join(parts, "  ·  "), style: note, x: x, width: width, gap: 5})...)
	}
	return out
}
