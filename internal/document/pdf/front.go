package pdf

import (
	"fmt"
	"iter"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/pdffile"
)

// everything is the document as pieces, in the order of reading.
func (l *layout) everything() iter.Seq[piece] {
	return func(yield func(piece) bool) {
		all := func(pieces []piece) bool {
			for _, p := range pieces {
				if !yield(p) {
					return false
				}
			}
			return true
		}
		d := l.doc
		front := l.titles()
		if d.Layout.Cover {
			front = l.cover()
		}
		if !all(front) || !all(l.letter()) || !all(l.warnings()) || !all(l.contents()) {
			return
		}
		if len(d.Sections) == 0 && !all(l.paragraph(para{kind: "P", text: "This report has no sections, so there is nothing to show.", style: body, x: side, width: l.width(false), gap: 24})) {
			return
		}
		for i, s := range d.Sections {
			if !l.chapter(i, s, yield) {
				return
			}
		}
		begun := false
		for c := range l.leftOver() {
			if !begun {
				begun = true
				heading := l.begin("Values of the charts", headline.in(d.Brand.Main()), nil)
				heading[0].gap = 30
				if !all(heading) {
					return
				}
			}
			for p := range l.rows(l.folded(c.AsTable()), false) {
				if !yield(p) {
					return
				}
			}
		}
		if d.Layout.Compact && !d.Layout.Cover {
			if !all(l.factsLine(d.Facts)) {
				return
			}
		} else if !d.Layout.Cover && len(d.Facts) > 0 {
			heading := l.begin("About this report", headline.in(d.Brand.Main()), nil)
			heading[0].gap = 30
			if !all(heading) || !all(l.facts(d.Facts, l.width(false))) {
				return
			}
		}
		yield(piece{draw: func(float64) { l.close(l.section); l.section = nil }})
	}
}

// name is the title of the document.
func (l *layout) name() string {
	if len(some(l.doc.Title)) == 0 {
		return "Report"
	}
	return l.doc.Title
}

// begin opens a section of the structure with its heading.
func (l *layout) begin(text string, s style, first func(top float64)) []piece {
	return kept(l.paragraph(para{kind: "H1", text: text, style: s, x: side, width: l.width(false),
		under: func() *pdffile.Elem {
			l.close(l.section)
			l.section = l.tag(nil, "Sect", "")
			return l.section
		}, first: first}))
}

// cover is a page of its own.
func (l *layout) cover() []piece {
	d, width, main := l.doc, l.width(false), l.doc.Brand.Main()
	s := display.in(main)
	for _, smaller := range []float64{24, 19, 15, 12} {
		if len(l.wrap(l.name(), s, width)) > 4 {
			s.size, s.leading = smaller, smaller*1.25
		}
	}
	pageW, _ := l.size(false)
	out := []piece{{h: 120, keep: true, draw: func(top float64) {
		l.close(l.section)
		l.section = l.tag(nil, "Sect", "")
		l.artifact()
		l.rect(0, 0, pageW, 10, main)
		l.firm(top, 170, 52)
	}}}
	small := body.in(document.Ink2)
	out = append(out, space(72, true))
	titles := l.paragraph(para{kind: "H1", text: l.name(), style: s, x: side, width: width})
	out = append(out, titles...)
	add := func(kind, text string, s style, gap float64) {
		if text != "" {
			out = append(out, l.paragraph(para{kind: kind, text: text, style: s, x: side, width: width, gap: gap})...)
		}
	}
	add("P", d.Subtitle, style{size: 13, leading: 19, color: document.Ink2}, 8)
	out = append(out, piece{gap: 24, h: 3, draw: func(top float64) {
		l.artifact()
		l.rect(side, top, 56, 3, d.Brand.Second())
	}})
	if d.Client != "" {
		add("P", "Prepared for", small, 24)
		add("P", d.Client, style{size: 16, leading: 22, bold: true, color: document.Ink}, 1)
	}
	add("P", d.Period, style{size: 11, leading: 16, color: document.Ink}, 18)
	if !d.At.IsZero() {
		add("P", document.SayDay(d.At), small, 2)
	}
	facts := l.facts(d.Facts, width)
	used, least := 0.0, 0.0
	for _, p := range out {
		used += p.gap + p.h
	}
	for _, p := range facts {
		least += p.gap + p.h
	}
	foot := l.wrap(d.Brand.Footer, note, width)
	if d.Brand.Footer == "" {
		foot = nil
	}
	least += float64(len(foot))*note.leading + 18
	if foot != nil {
		facts = append(facts, l.paragraph(para{kind: "P", text: d.Brand.Footer, style: note, x: side, width: width, gap: 18})...)
	}
	if len(facts) > 0 { // they stand at the foot
		facts[0].gap = max(30, l.room(false, true)-used-least)
		out = append(out, facts...)
	}
	for i := range out {
		out[i].bareheaded = true
	}
	return out
}

// firm paints the logo, or the firm's name.
func (l *layout) firm(top, w, h float64) {
	if l.page == nil {
		return
	}
	if l.logo != nil {
		scale := min(w/float64(l.logo.Width), h/float64(l.logo.Height))
		iw, ih := scale*float64(l.logo.Width), scale*float64(l.logo.Height)
		alt := "Logo"
		if l.doc.Brand.Firm != "" {
			alt = "Logo of " + l.doc.Brand.Firm
		}
		_, pageH := l.size(l.lying)
		e := l.tag(l.section, "Figure", fmt.Sprintf("/Alt%s/A<</O/Layout/Placement/Block/BBox[%.2f %.2f %.2f %.2f]>>", pdffile.Text(document.Clean(alt)), float64(side), pageH-top-ih, side+iw, pageH-top))
		l.mark(e)
		l.page.Image(l.logo, side, top, iw, ih)
		l.close(e)
		return
	}
	if l.doc.Brand.Firm != "" {
		s := style{size: 14, leading: 20, bold: true, color: document.Ink}
		e := l.tag(l.section, "P", "")
		l.mark(e)
		for i, line := range l.wrap(l.doc.Brand.Firm, s, l.width(false)) {
			if i < 5 {
				l.line(side, s.baseline(top+float64(i)*s.leading), line, s)
			}
		}
		l.close(e)
	}
}

// titles stand above the first section when there is no cover.
func (l *layout) titles() []piece {
	d, width := l.doc, l.width(false)
	var out []piece
	if d.Brand.Logo != nil {
		out = append(out, piece{h: 44, keep: true, draw: func(top float64) {
			l.close(l.section)
			l.section = l.tag(nil, "Sect", "")
			l.firm(top, 130, 34)
		}})
	} else {
		out = append(out, piece{keep: true, draw: func(float64) {
			l.close(l.section)
			l.section = l.tag(nil, "Sect", "")
		}})
	}
	s := style{size: 22, leading: 28, bold: true, color: d.Brand.Main()}
	out = append(out, kept(l.paragraph(para{kind: "H1", text: l.name(), style: s, x: side, width: width}))...)
	add := func(text string, s style, gap float64) {
		if text != "" {
			out = append(out, l.paragraph(para{kind: "P", text: text, style: s, x: side, width: width, gap: gap})...)
		}
	}
	add(d.Subtitle, style{size: 11.5, leading: 16.5, color: document.Ink2}, 3)
	day := ""
	if !d.At.IsZero() {
		day = document.SayDay(d.At)
	}
	line := ""
	for i, part := range some(d.Client, d.Period, day) {
		if i > 0 {
			line += "  ·  "
		}
		line += part
	}
	add(line, second, 5)
	return append(out, piece{gap: 12, h: 2, draw: func(top float64) {
		l.artifact()
		l.rect(side, top, width, 1.5, d.Brand.Main())
	}})
}

// facts is what the document was made from, as labels and texts.
// factsLine is the facts in small print, for compact documents.
func (l *layout) factsLine(facts []document.Fact) []piece {
	var parts []string
	for _, f := range facts {
		parts = append(parts, some(f.Label+" "+f.Text)...)
	}
	if len(parts) == 0 {
		return nil
	}
	return l.paragraph(para{kind: "P", text: strings.Join(parts, "  ·  "), style: note, x: side, width: l.width(false), gap: 14})
}

func (l *layout) facts(facts []document.Fact, width float64) []piece {
	var out []piece
	label := second
	text := second.in(document.Ink)
	column := 120.0
	var list, item *pdffile.Elem
	for i, f := range facts {
		labels := l.wrap(f.Label, label, column-12)
		lines := l.wrap(f.Text, text, width-column)
		for n := range max(len(labels), len(lines)) {
			p := piece{h: label.leading, keep: n == 0 && max(len(labels), len(lines)) > 1}
			if n == 0 {
				p.gap = 3
			}
			p.draw = func(top float64) {
				if i == 0 && n == 0 {
					list = l.tag(l.section, "L", "")
				}
				if n == 0 {
					item = l.tag(list, "LI", "")
				}
				if n < len(labels) {
					e := l.tag(item, "Lbl", "")
					l.mark(e)
					l.line(side, label.baseline(top), labels[n], label)
					l.close(e)
				}
				if n < len(lines) {
					e := l.tag(item, "LBody", "")
					l.mark(e)
					l.line(side+column, text.baseline(top), lines[n], text)
					l.close(e)
				}
				if n == max(len(labels), len(lines))-1 {
					l.close(item)
					if i == len(facts)-1 {
						l.close(list)
					}
				}
			}
			out = append(out, p)
		}
	}
	return out
}

// letter is the cover letter, on a page of its own.
func (l *layout) letter() []piece {
	paragraphs := some(l.doc.Letter...)
	if len(paragraphs) == 0 {
		return nil
	}
	s := style{size: 10.5, leading: 16.5, color: document.Ink}
	var out []piece
	width := min(l.width(false), 440)
	for i, text := range paragraphs {
		p := para{kind: "P", text: text, style: s, x: side, width: width, gap: 10}
		if i == 0 {
			p.under = func() *pdffile.Elem {
				l.close(l.section)
				l.section = l.tag(nil, "Sect", "")
				return l.section
			}
		}
		out = append(out, l.paragraph(p)...)
	}
	if l.doc.Layout.Cover {
		out[0].fresh = true
	} else {
		out[0].gap = 24
	}
	return out
}

// warnings are what a reader must know before any figure.
func (l *layout) warnings() []piece {
	warnings := some(l.doc.Warnings...)
	if len(warnings) == 0 {
		return nil
	}
	width := l.width(false)
	inner := append(l.paragraph(para{kind: "H1", text: "Before you read the figures", style: title.in(document.Caution), x: side + 16, width: width - 32, gap: 10,
		under: func() *pdffile.Elem {
			l.close(l.section)
			l.section = l.tag(nil, "Sect", "")
			return l.section
		}}), l.bullets(warnings, body, side+16, width-32, 4)...)
	inner = append(inner, space(10, false))
	out := l.callout(inner, document.Caution)
	out[0].gap = 22
	if l.doc.Layout.Compact {
		out[0].gap = 10
	}
	if l.doc.Layout.Cover && len(some(l.doc.Letter...)) == 0 {
		out[0].fresh = true
	}
	return together(out)
}

// callout sets pieces off from the text, by a bar at their left and a tint behind them.
func (l *layout) callout(pieces []piece, c document.Color) []piece {
	return backed(pieces, func(top, h float64) {
		l.artifact()
		l.rect(side, top, l.width(l.lying), h+0.3, c.Mix(document.Paper, 0.94))
		l.rect(side, top, 3, h+0.3, c)
	})
}

// contents lists the headings with their pages.
func (l *layout) contents() []piece {
	if !l.doc.Layout.Contents || len(l.entries) == 0 {
		return nil
	}
	out := l.begin("Contents", headline.in(l.doc.Brand.Main()), nil)
	switch {
	case l.doc.Layout.Cover && len(some(l.doc.Warnings...)) == 0:
		out[0].fresh = true
	default:
		out[0].gap = 30
	}
	width := l.width(false)
	// Blocks are listed while that stays a list that one reads.
	listed := 0
	for _, e := range l.entries {
		if e.level < 3 {
			listed++
		}
	}
	deep := listed <= 60
	var toc, item *pdffile.Elem
	started := false
	for i, e := range l.entries {
		s, indent, gap := body, 16.0, 1.0
		if e.level == 1 {
			s, indent, gap = body.strong(), 0, 7
		} else if !deep || e.level > 2 {
			continue
		}
		if !started {
			gap = 10
		}
		lines := l.wrap(e.title, s, width-indent-50)
		for n, text := range lines {
			last := n == len(lines)-1
			p := piece{h: s.leading, keep: !last || e.level == 1, draw: func(top float64) {
				if toc == nil {
					toc = l.tag(l.section, "TOC", "")
				}
				if n == 0 {
					item = l.tag(toc, "TOCI", "")
				}
				link := l.tag(item, "Link", "")
				l.mark(link)
				base := s.baseline(top)
				w := l.line(side+indent, base, text, s)
				if l.page != nil {
					l.page.Link(side, top, width, s.leading, l.refs[l.places[i].page-1], l.places[i].fromFoot, link, document.Clean(e.title))
				}
				if last {
					number := s
					number.align, number.figures = document.Right, true
					page := fmt.Sprint(l.places[i].page)
					l.line(side+width, base, page, number)
					l.artifact()
					l.leaders(side+indent+w+6, side+width-l.measure(page, number)-6, base)
				}
				l.close(link)
				if last {
					l.close(item)
				}
			}}
			if n == 0 {
				p.gap = gap
			}
			out = append(out, p)
		}
		started = true
	}
	out[len(out)-1].keep = false
	return append(out, piece{draw: func(float64) { l.close(toc) }})
}

// leaders are the dots from a heading to its page.
func (l *layout) leaders(from, to, base float64) {
	if l.page == nil || to-from < 12 {
		return
	}
	l.page.Path([]pdffile.XY{{X: from, Y: base - 0.5}, {X: to, Y: base - 0.5}}, false, nil, &pdffile.Line{Color: ink(document.Ink3.Mix(document.Paper, 0.4)), Width: 0.6, Dash: []float64{0.6, 2.6}})
}
