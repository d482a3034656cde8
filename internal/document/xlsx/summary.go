package xlsx

import (
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
)

// summaryWidths are of: label, value, change, versus, from, to, confidence, period, note.
var summaryWidths = []float64{38, 18, 18, 22, 15, 15, 21, 22, 42}

// summary writes what the document says, and what the other sheets hold.
func (b *Book) summary(p *page, d *document.Document, parts []part, findings []*document.Finding, index []string) {
	b.title(p, d)
	if len(d.Warnings) > 0 {
		p.heading("Before you read")
		for _, w := range d.Warnings {
			p.line(0, cell{v: "▲ " + w, style: style{wrap: true, color: document.Caution, bold: true}, span: p.all()})
		}
	}
	if len(d.Letter) > 0 {
		p.skip(1)
		for _, paragraph := range d.Letter {
			p.line(0, cell{v: paragraph, style: style{wrap: true}, span: 8})
		}
	}
	for _, s := range d.Sections {
		b.says(p, s)
	}
	if len(findings) > 0 {
		p.heading("Findings")
		intervals := make([]*document.Interval, len(findings))
		for i, f := range findings {
			intervals[i] = f.Interval
		}
		of, _ := ofWhat(intervals)
		p.heads("What", ">Value", ">At stake a year", "Versus", ">"+of+" from", ">"+of+" to", "Confidence", "Details", "What to do")
		for i, f := range findings {
			low, high := ends(f.Interval, f.Value.Unit, f.Value.Currency)
			_, row, _ := strings.Cut(index[i], "!A")
			more := cell{v: "Findings, row " + row, style: style{indent: 1, color: b.opt.Brand.Main()}, link: index[i]}
			p.line(0, text(f.Headline), figure(f.Value), figure(f.Stake), note(f.Versus), low, high, note(document.SayGrade(f.Grade)), more, cell{v: f.Recommendation, style: style{wrap: true, indent: 1}})
		}
	}
	if len(parts) > 0 {
		p.heading("In this workbook")
		p.heads("Sheet", "What it holds", "", "", "", "", "", "", "")
		for _, part := range parts {
			link := cell{v: part.sheet, style: style{color: b.opt.Brand.Main()}, link: "'" + strings.ReplaceAll(part.sheet, "'", "''") + "'!A1"}
			p.line(0, link, cell{v: part.says, style: style{wrap: true, indent: 1, color: document.Ink2}, span: 8})
		}
	}
	if len(d.Facts) > 0 {
		p.heading("How these figures were made")
		for _, f := range d.Facts {
			p.line(0, cell{v: f.Label, style: style{color: document.Ink2, wrap: true}}, cell{v: f.Text, style: style{wrap: true}, span: 8})
		}
	}
}

// title is the head of the summary.
func (b *Book) title(p *page, d *document.Document) {
	p.line(0, cell{v: d.Title, style: style{size: 20, bold: true, color: b.opt.Brand.Main(), wrap: true}, span: p.all()})
	if d.Subtitle != "" {
		p.line(0, cell{v: d.Subtitle, style: style{size: 12, color: document.Ink2, wrap: true}, span: p.all()})
	}
	var about []string
	day := ""
	if !d.At.IsZero() {
		day = document.SayDay(d.At)
	}
	for _, s := range []string{d.Client, d.Period, day, b.opt.Firm} {
		if s != "" {
			about = append(about, s)
		}
	}
	p.line(0, cell{v: strings.Join(about, "  ·  "), style: style{color: document.Ink2, wrap: true}, span: p.all()})
}

// says writes the tiles and texts of a section.
func (b *Book) says(p *page, s document.Section) {
	begun := false
	begin := func() {
		if !begun {
			p.heading(s.Title)
			begun = true
		}
	}
	for _, block := range s.Blocks {
		switch block := block.(type) {
		case *document.Text:
			begin()
			b.paragraphs(p, block)
		case *document.Tiles:
			begin()
			if block.Title != "" {
				p.line(0, cell{v: block.Title, style: style{bold: true, wrap: true}, span: p.all()})
			}
			intervals := make([]*document.Interval, len(block.Items))
			for i, t := range block.Items {
				intervals[i] = t.Interval
			}
			of, mixed := ofWhat(intervals)
			p.heads("Figure", ">Value", ">Change", "Versus", ">"+of+" from", ">"+of+" to", "Confidence", "Period", "Note")
			for _, t := range block.Items {
				if mixed && t.Interval != nil {
					t.Note = strings.TrimPrefix(t.Note+". Interval: "+t.Interval.Of, ". ")
				}
				b.tile(p, t)
			}
			p.skip(1)
		}
	}
}

// ofWhat is the head of a list's intervals, "Expected" when all are of what is expected, and
// whether they are of several things.
func ofWhat(list []*document.Interval) (head string, mixed bool) {
	first := true
	for _, i := range list {
		switch {
		case i == nil:
		case first:
			head, first = i.Of, false
		case i.Of != head:
			return "Interval", true
		}
	}
	if head == "" {
		return "Interval", false
	}
	return strings.ToUpper(head[:1]) + head[1:], false
}

func (b *Book) tile(p *page, t document.Tile) {
	change, versus := cell{}, ""
	if t.Change != nil {
		change, versus = changed(t.Change.Value, t.Change.Good), t.Change.Versus
	}
	low, high := ends(t.Interval, t.Value.Unit, t.Value.Currency)
	value := figure(t.Value)
	value.bold = true
	said := []string{}
	for _, s := range []string{t.Value.Missing, t.Note} {
		if s != "" {
			said = append(said, s)
		}
	}
	p.line(0, text(t.Label), value, change, note(versus), low, high, note(document.SayGrade(t.Grade)), note(t.Period), note(strings.Join(said, ". ")))
}

func (b *Book) paragraphs(p *page, t *document.Text) {
	look := style{wrap: true}
	mark := ""
	switch t.Tone {
	case document.Lead:
		look.size, look.bold = 12, true
	case document.Note:
		look.color = document.Ink2
	case document.Warning:
		look.color, look.bold, mark = document.Caution, true, "▲ "
	}
	if t.Title != "" {
		p.line(0, cell{v: t.Title, style: style{bold: true, wrap: true}, span: 8})
	}
	for _, s := range t.Paragraphs {
		p.line(0, cell{v: mark + s, style: look, span: 8})
	}
	look.size, look.bold = 0, false
	for _, s := range t.Items {
		p.line(0, cell{v: "•  " + s, style: look, span: 8})
	}
	p.skip(1)
}

// period is what a block's figures cover.
func period(o document.Origin, d *document.Document) string {
	if o.Period != "" {
		return o.Period
	}
	return d.Period
}
