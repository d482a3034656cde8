// Package pptx writes documents as presentations for PowerPoint and its like: one idea a
// slide, native charts that can be edited, tables, and what explains the figures in the
// speaker's notes. Every text is measured: what does not fit is set smaller, goes on on a
// slide of its own, or is cut with the whole of it in the notes.
package pptx

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
)

// Write writes a document as a presentation. The same document gives the same bytes.
func Write(ctx context.Context, w io.Writer, d *document.Document) error {
	k := &deck{d: d, ctx: ctx, wider: office.Wider(d.Brand), listed: map[*document.Text]bool{}}
	k.packet.logo = logoOf(d.Brand)
	if err := k.build(); err != nil {
		return err
	}
	k.packet.properties(d, len(k.slides))
	k.packet.presentation(len(k.slides))
	k.packet.frame(d.Brand)
	k.packet.notesMaster(d.Brand)
	for i, s := range k.slides {
		k.packet.emit(s, i+1, d.Brand)
	}
	k.packet.parts = append(k.packet.parts, k.charts.parts...)
	return k.packet.write(w)
}

// deck is a presentation in the making.
type deck struct {
	d      *document.Document
	ctx    context.Context
	packet packet
	charts packet // their parts come last
	drawn  int
	wider  float64
	slides []*slide
	// message is what the next chart shows; listed are texts that stand on a slide before.
	message string
	listed  map[*document.Text]bool
}

// build makes the slides, in the order of the document.
func (k *deck) build() error {
	if !k.titleSlide() && len(k.d.Warnings) > 0 {
		var ps []para
		for _, w := range k.d.Warnings {
			ps = append(ps, para{text: "▲ " + w, size: 18, color: document.Caution, after: 10})
		}
		k.textSlides("", "Before you read", ps, []string{"What a reader must know before any figure."})
	}
	if len(k.d.Letter) > 0 {
		var ps []para
		for _, l := range k.d.Letter {
			ps = append(ps, para{text: l, size: 16, after: 10})
		}
		k.textSlides("", "Letter", ps, nil)
	}
	for _, s := range k.d.Sections {
		at := len(k.slides)
		for i, b := range s.Blocks {
			if err := k.ctx.Err(); err != nil {
				return err
			}
			if err := k.block(s, b, s.Blocks[i+1:]); err != nil {
				return err
			}
		}
		if made := len(k.slides) - at; made > dividedFrom && s.Title != "" && len(agenda(s)) > 1 { // a slide that opens the section
			rest := append([]*slide{}, k.slides[at:]...)
			k.slides = k.slides[:at]
			k.section(s)
			k.slides = append(k.slides, rest...)
		}
	}
	k.closing()
	return nil
}

// dividedFrom is how many slides a section has at most without a slide that opens it.
const dividedFrom = 4

// block writes a block; rest are those after it.
func (k *deck) block(s document.Section, b document.Block, rest []document.Block) error {
	switch b := b.(type) {
	case *document.Text:
		k.text(s, b, rest)
	case *document.Tiles:
		k.tiles(s, b)
	case *document.Table:
		k.table(s.Title, b, k.noted(b.Origin))
	case *document.Chart:
		return k.chart(s, b)
	case *document.Finding:
		return k.finding(s, b)
	}
	return nil
}

// add begins a slide with its title, and what is cut of it in the notes.
func (k *deck) add(layout int, kicker, title string, notes []string) *slide {
	s := &slide{layout: layout, title: title, kicker: kicker, notes: notes, wider: k.wider}
	k.slides = append(k.slides, s)
	if title == "" {
		title = kicker
	}
	if title == "" {
		title = k.d.Title
	}
	if kicker != "" && kicker != title {
		s.place("Section", `type="body" sz="quarter" idx="13"`, []para{{text: fitLine(office.OneLine(kicker), 11, true, 690), size: 11, bold: true, color: k.d.Brand.Main()}})
	}
	p := fit(title, true, right-left-110, titleHigh, 26, 22, 18, 15, 13, 11)
	if strings.HasSuffix(p.text, "…") && !strings.HasSuffix(title, "…") {
		s.notes = append(s.notes, title)
	}
	s.place("Title", `type="title"`, []para{p})
	return s
}

// titleSlide reports whether the warnings stand on it: few and short ones do.
func (k *deck) titleSlide() bool {
	s := &slide{layout: titleLayout, title: k.d.Title, wider: k.wider}
	k.slides = append(k.slides, s)
	title := k.d.Title
	if title == "" {
		title = "Report"
	}
	s.place("Title", `type="ctrTitle"`, []para{fit(title, true, right-72, 120, 40, 32, 26, 20, 16, 13)})
	if k.d.Subtitle != "" {
		s.place("Subtitle", `type="subTitle" idx="1"`, []para{withColor(fit(k.d.Subtitle, false, right-72, 60, 20, 16, 13, 11), document.Ink2)})
	}
	var about []para
	day := ""
	if !k.d.At.IsZero() {
		day = document.SayDay(k.d.At)
	}
	client := k.d.Client
	if strings.Contains(title, client) { // it is said already
		client = ""
	}
	for _, text := range []string{client, k.d.Period, strings.Trim(k.d.Brand.Firm+"  ·  "+day, " ·")} {
		if text != "" {
			about = append(about, para{text: fitLine(office.OneLine(text), 14, false, right-72), size: 14, color: document.Ink2, after: 2})
		}
	}
	s.place("About", `type="body" sz="quarter" idx="13"`, about)
	s.notes = append([]string{k.d.Title, k.d.Subtitle, k.d.Client, k.d.Period}, k.d.Warnings...)
	if k.d.Snapshot > 0 {
		s.notes = append(s.notes, fmt.Sprintf("Snapshot %d", k.d.Snapshot))
	}
	var warnings []para
	for _, w := range k.d.Warnings {
		warnings = append(warnings, para{text: "▲ " + office.OneLine(w), size: 13, color: document.Caution, after: 2})
	}
	if high := highAll(warnings, right-72); high > 0 && high <= warningsHigh {
		s.box(box{name: "Before you read", x: 72, y: bodyBottom + 10 - warningsHigh, w: right - 72, h: warningsHigh, anchor: "b"}, warnings)
		return true
	}
	return false
}

// warningsHigh is how high the warnings on the first slide are at most.
const warningsHigh = 36

func withColor(p para, c document.Color) para {
	p.color = c
	return p
}

func (k *deck) section(sec document.Section) {
	s := &slide{layout: sectionLayout, title: sec.Title, notes: []string{sec.Title}, wider: k.wider}
	k.slides = append(k.slides, s)
	title := fit(sec.Title, true, right-left, 130, 36, 28, 22, 18, 14)
	s.place("Title", `type="title"`, []para{title})
	var lines []para
	top := 236 + title.high(right-left) + 14
	for _, name := range agenda(sec) { // as far as there is room
		p := para{text: fitLine(office.OneLine(name), 15, false, right-left), size: 15, color: document.Ink2, after: 4}
		if top+highAll(lines, right-left)+p.high(right-left) <= bodyBottom {
			lines = append(lines, p)
		}
	}
	if len(lines) > 0 {
		s.box(box{name: "In this section", x: left, y: top, w: right - left, h: bodyBottom - top}, lines)
	}
}

// agenda is what a section holds, by the titles of its blocks.
func agenda(sec document.Section) (names []string) {
	for _, b := range sec.Blocks {
		name := ""
		switch b := b.(type) {
		case *document.Text:
			if len(b.Paragraphs) > 0 {
				name = b.Title
			}
		case *document.Table:
			name = b.Title
		case *document.Chart:
			name = b.Title
		}
		if strings.TrimSpace(name) != "" {
			names = append(names, name)
		}
	}
	return names
}

// noted is what the notes say of where figures come from.
func (k *deck) noted(o document.Origin) []string {
	notes := append([]string{}, o.Explain...)
	period := o.Period
	if period == "" {
		period = k.d.Period
	}
	if period != "" {
		notes = append(notes, "Period: "+period)
	}
	snapshot := o.Snapshot
	if snapshot == 0 {
		snapshot = k.d.Snapshot
	}
	if snapshot > 0 {
		notes = append(notes, fmt.Sprintf("Snapshot: %d", snapshot))
	}
	if grade := document.SayGrade(o.Grade); grade != "" {
		notes = append(notes, strings.TrimSuffix(grade+": "+strings.Join(o.Reasons, " "), ": "))
	}
	if len(o.Sources) > 0 {
		notes = append(notes, "From: "+strings.Join(o.Sources, ", "))
	}
	return notes
}

// textWide is the width of prose.
const textWide = right - left - 60

// textSlides writes paragraphs over as many slides as they need.
func (k *deck) textSlides(kicker, title string, ps []para, notes []string) {
	const w, h = textWide, bodyBottom - bodyTop
	for _, larger := range []float64{1.4, 1.2} { // little text is set larger
		grown := make([]para, len(ps))
		for i, p := range ps {
			p.size, p.after = p.size*larger, p.after*larger
			grown[i] = p
		}
		if highAll(grown, w) < h*0.7 {
			ps = grown
			break
		}
	}
	pages := flow(ps, w, h)
	for i, page := range pages {
		name := title
		if len(pages) > 1 {
			name = fmt.Sprintf("%s (%d of %d)", office.Cut(title, 160), i+1, len(pages))
		}
		s := k.add(contentLayout, kicker, name, notes)
		s.place("Text", `idx="1"`, page)
	}
}

// text writes prose. A list that only says what to do stands with the prose that it follows
// from, not on a slide of its own; what leads to findings lists them; a sentence without a
// title is the message of the chart below it.
func (k *deck) text(sec document.Section, t *document.Text, rest []document.Block) {
	if k.listed[t] {
		return
	}
	if len(rest) > 0 {
		if c, ok := rest[0].(*document.Chart); ok && t.Title == "" && len(t.Paragraphs) == 1 && len(t.Items) == 0 && !c.Empty() && c.Kind != document.HeatMap {
			k.message = t.Paragraphs[0]
			return
		}
	}
	ps := k.prose(t)
	var heads []string
	for _, b := range rest {
		switch b := b.(type) {
		case *document.Finding:
			heads = append(heads, b.Headline)
			continue
		case *document.Text:
			if len(b.Paragraphs) == 0 && len(b.Items) > 0 && len(ps) > 0 {
				more := append([]para{{text: b.Title, size: 17, bold: true, color: k.d.Brand.Main(), after: 6}}, k.prose(b)...)
				if b.Title == "" {
					more = more[1:]
				}
				ps[len(ps)-1].after = 20
				if highAll(ps, textWide)+highAll(more, textWide) <= bodyBottom-bodyTop {
					ps, k.listed[b] = append(ps, more...), true
				}
				continue
			}
		case *document.Table, *document.Chart:
			continue
		}
		break
	}
	for _, h := range heads {
		p := para{text: h, size: 14, bullet: true, after: 5}
		if highAll(ps, textWide)+p.high(textWide) > bodyBottom-bodyTop {
			break
		}
		ps = append(ps, p)
	}
	if len(ps) == 0 {
		return
	}
	title := t.Title
	if title == "" {
		title = sec.Title
	}
	k.textSlides(sec.Title, title, ps, k.noted(t.Origin))
}

// prose is what a text says.
func (k *deck) prose(t *document.Text) []para {
	size, color, bold, mark := 17.0, document.Color(""), false, ""
	switch t.Tone {
	case document.Lead:
		size = 20
	case document.Note:
		size, color = 14, document.Ink2
	case document.Warning:
		color, bold, mark = document.Caution, true, "▲ "
	}
	var ps []para
	for _, p := range t.Paragraphs {
		ps = append(ps, para{text: mark + p, size: size, color: color, bold: bold, after: 10})
	}
	for _, item := range t.Items {
		ps = append(ps, para{text: item, size: min(size, 17), color: color, bullet: true, after: 6})
	}
	return ps
}

// closing says how the figures were made.
func (k *deck) closing() {
	if len(k.d.Facts) == 0 {
		return
	}
	var labels, texts = document.Column{Name: "what", Label: "Made from"}, document.Column{Name: "fact", Label: "Value"}
	t := &document.Table{Title: "How these figures were made", Columns: []document.Column{labels, texts}}
	for _, f := range k.d.Facts {
		t.Rows = append(t.Rows, document.Row{Cells: []any{f.Label, f.Text}})
	}
	k.table("", t, k.noted(document.Origin{}))
}
