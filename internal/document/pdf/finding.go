package pdf

import (
	"math"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/pdffile"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

const cardPad = 16.0

// finding is a card: what it is, how much, why, and what to do.
func (l *layout) finding(f *document.Finding) []piece {
	x, width := side+cardPad, l.width(false)-2*cardPad
	out := []piece{space(12, true)}
	add := func(text string, s style, gap float64) {
		if text != "" {
			out = append(out, l.paragraph(para{kind: "P", text: text, style: s, x: x, width: width, gap: gap})...)
		}
	}
	color := l.doc.Brand.Main()
	if f.Review != "" {
		color = document.Caution
		add("To be reviewed: "+f.Review, second.in(document.Caution).strong(), 0)
	}
	head := l.subheading(f, x, width)
	if f.Review != "" {
		head[0].gap = 3
	}
	out = append(out, head...)
	add(strings.Join(some(f.Subject, f.Measure), " · "), second, 1)
	out = append(out, l.figure(f, x, width)...)
	if len(f.Drivers) > 0 {
		what := "What moved it"
		if f.Versus != "" {
			what += " against " + f.Versus
		}
		add(what, second.strong(), 9)
		out[len(out)-1].keep = true
		out = append(out, l.drivers(f.Drivers, x, width)...)
	}
	if f.Recommendation != "" {
		add("What to do", second.strong(), 9)
		out[len(out)-1].keep = true
		add(f.Recommendation, body, 1)
	}
	if len(f.Assumptions) > 0 {
		add("Assumed: "+strings.Join(f.Assumptions, "; "), note.in(document.Ink2), 6)
	}
	out = append(out, l.origin(f.Origin, x, width)...)
	if f.Reference != "" {
		add("Finding "+f.Reference, note, 2)
	}
	out = append(out, space(12, false))
	return together(backed(out, func(top, h float64) {
		l.artifact()
		w := l.width(l.lying)
		l.rect(side, top, w, h+0.3, document.Sunken)
		l.rect(side, top, 3, h+0.3, color)
	}))
}

// figure is the value, with how sure it is and what is at stake.
func (l *layout) figure(f *document.Finding, x, width float64) []piece {
	big := style{size: 17, leading: 24, bold: true, color: document.Ink}
	value, stake := f.Value.Say(), f.Stake.Say()
	half := width * 0.55
	under := "Measured"
	switch {
	case f.Value.Number == nil:
		under = f.Value.Missing
	case f.Interval != nil:
		under = document.SayInterval(*f.Interval, f.Value.Unit, f.Value.Currency)
	case f.Measure != "":
		under = f.Measure
	}
	at := "At stake a year"
	if f.Stake.Number == nil && f.Stake.Missing != "" {
		at += ": " + f.Stake.Missing
	}
	small := note.in(document.Ink2)
	left := []saying{{l.wrap(value, big, half-16), big, 0}, {l.wrap(under, small, half-16), small, 0}}
	right := []saying{{l.wrap(stake, big, width-half), big, 0}, {l.wrap(at, small, width-half), small, 0}}
	return []piece{{gap: 7, h: max(height(left), height(right)), draw: func(top float64) {
		l.say(left, l.section, x, top)
		l.say(right, l.section, x+half, top)
	}}}
}

// drivers is a list with signed bars: a piece each.
func (l *layout) drivers(drivers []document.Driver, x, width float64) []piece {
	most := quantity.Decimal{}
	for _, d := range drivers {
		if d.Value.Number != nil {
			most = decimal.Max(most, d.Value.Number.Abs())
		}
	}
	s := second.in(document.Ink)
	number := s
	number.figures, number.align = true, document.Right
	var values float64
	for _, d := range drivers {
		values = max(values, l.measure(d.Value.SayChange(), number))
	}
	values += 4
	names := (width - values) * 0.52
	from, room := x+names+12, width-names-values-24
	var out []piece
	var list *pdffile.Elem
	for i, d := range drivers {
		lines := l.wrap(d.Name, s, names)
		share := 0.0
		if d.Value.Number != nil && !most.IsZero() {
			share, _ = d.Value.Number.Div(most).Float64()
		}
		gap := 2.0
		out = append(out, piece{gap: gap, h: float64(len(lines)) * s.leading, draw: func(top float64) {
			if i == 0 {
				list = l.tag(l.section, "L", "")
			}
			item := l.tag(list, "LI", "")
			e := l.tag(item, "LBody", "")
			l.artifact()
			zero := from + room/2
			l.rect(zero-0.3, top-gap, 0.6, s.leading+gap, document.Ink3.Mix(document.Paper, 0.5))
			// A driver says what moved the figure, not whether that is welcome: both ways have
			// a color that says nothing, and the sign stands beside it.
			w := math.Abs(share) * room / 2
			if share >= 0 {
				l.rect(zero, top+2.5, w, s.leading-5, l.doc.Brand.Main())
			} else {
				l.rect(zero-w, top+2.5, w, s.leading-5, l.doc.Brand.Main().Mix(document.Paper, 0.45))
			}
			l.mark(e)
			for n, line := range lines {
				l.line(x, s.baseline(top+float64(n)*s.leading), line, s)
			}
			l.line(x+width, number.baseline(top), d.Value.SayChange(), number)
			l.close(e, item)
			if i == len(drivers)-1 {
				l.close(list)
			}
		}})
	}
	return out
}
