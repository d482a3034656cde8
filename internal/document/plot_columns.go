package document

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// thick is how much of its part of the axis a category's columns take up, up to a width.
const thick, thickest = 0.7, 34.0

// columns paints the columns and returns their values' labels.
func (p *painter) columns(s scale, at places, values []string) (labels []written) {
	n := float64(len(p.c.Series))
	w := min(at.band*thick, thickest*n)
	each := w / n
	gap := 0.0
	if n > 1 && each > 4 {
		gap = 1
	}
	for k, series := range p.c.Series {
		for i, v := range series.Values {
			if v == nil {
				continue
			}
			x := at.middle(i) - w/2 + each*float64(k)
			negative := v.Sign() < 0
			p.bar(x, s.zero(), x+each-gap, s.at(*v), p.signed(k, *v), negative, series.Dashed)
			end := *v
			if low, high, ok := series.interval(i); ok {
				middle := x + (each-gap)/2
				p.whisker(XY{middle, s.at(low)}, XY{middle, s.at(high)})
				if end = decimal.Max(*v, high); negative {
					end = decimal.Min(*v, low)
				}
			}
			if values != nil {
				labels = append(labels, label(at.middle(i), s.at(end), values[i], negative))
			}
		}
	}
	return labels
}

// interval returns where the value of a category may lie; ok is false without a band there.
func (s Series) interval(i int) (low, high quantity.Decimal, ok bool) {
	if i >= len(s.Low) || i >= len(s.High) || s.Low[i] == nil || s.High[i] == nil {
		return low, high, false
	}
	return *s.Low[i], *s.High[i], true
}

// whisker draws an interval at a bar's end: a line with a short one across at each end.
func (p *painter) whisker(a, b XY) {
	const half = 2.2
	line := Stroke{Color: Ink, Width: 0.9}
	across := XY{half, 0}
	if a.Y == b.Y {
		across = XY{0, half}
	}
	p.on.Path([]XY{a, b}, false, "", line)
	for _, end := range []XY{a, b} {
		p.on.Path([]XY{{end.X - across.X, end.Y - across.Y}, {end.X + across.X, end.Y + across.Y}}, false, "", line)
	}
}

// signed is the color of a value: in a chart of one series, negative values have their own.
func (p *painter) signed(series int, v quantity.Decimal) Color {
	if v.Sign() < 0 && len(p.c.Series) == 1 {
		return Bad
	}
	return p.color(series)
}

// stacked paints parts that add up, those below zero downwards, and returns what stands at
// the last column's parts.
func (p *painter) stacked(s scale, at places) []end {
	w := min(at.band*thick, thickest)
	var ends []end
	for i := range p.c.Categories {
		up, down := quantity.Decimal{}, quantity.Decimal{}
		for k, series := range p.c.Series {
			v := series.Values[i]
			if v == nil {
				continue
			}
			from := &up
			if v.Sign() < 0 {
				from = &down
			}
			to := from.Add(*v)
			y1, y2 := s.at(*from), s.at(to)
			x := at.middle(i) - w/2
			p.bar(x, y1, x+w, y2, p.color(k), v.Sign() < 0, series.Dashed)
			if from.Sign() != 0 && w > 3 { // a thin line of paper between parts
				p.on.Path([]XY{{x, y1}, {x + w, y1}}, false, "", Stroke{Color: Paper, Width: 0.7})
			}
			*from = to
			if i == last(series.Values) {
				ends = append(ends, end{name: series.Name, color: p.color(k), y: (y1 + y2) / 2, leader: i == len(p.c.Categories)-1})
			}
		}
	}
	if len(p.c.Series) == 1 {
		return nil
	}
	return ends
}

// waterfall paints levels and steps, each beginning where the one before it ended, and
// returns the labels that lie on no bar, those of levels first, should some not find room.
func (p *painter) waterfall(s scale, at places, values []string) (labels []written) {
	w := min(at.band*thick, thickest)
	steps := p.c.Steps()
	bars := make([]area, len(steps))
	for i, step := range steps {
		x := at.middle(i) - w/2
		color := Good
		switch {
		case step.Total:
			color = p.b.Main()
		case step.Value.Sign() < 0:
			color = Bad
		}
		bars[i] = area{x, s.at(step.High), w, s.at(step.Low) - s.at(step.High)}
		p.bar(x, s.at(step.From), x+w, s.at(step.To), color, step.Value.Sign() < 0, p.c.Series[0].Dashed)
		if i+1 < len(steps) {
			y := s.at(step.To)
			p.on.Path([]XY{{x + w, y}, {at.middle(i+1) - w/2, y}}, false, "", Stroke{Color: Ink3, Width: 0.6})
		}
	}
	if values == nil {
		return nil
	}
	for _, totals := range []bool{true, false} {
		for i, step := range steps {
			if step.Total != totals {
				continue
			}
			down, end := step.Value.Sign() < 0, step.High
			if down {
				end = step.Low
			}
			l := label(at.middle(i), s.at(end), values[i], down)
			if !slices.ContainsFunc(bars, p.room(l.x, l.y, l.text, l.as).meets) {
				labels = append(labels, l)
			}
		}
	}
	return labels
}
