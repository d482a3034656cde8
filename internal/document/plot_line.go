package document

import "github.com/moatmetrics/moatmetrics/internal/quantity"

// bandColor is a series' color as its interval band has it.
func bandColor(c Color) Color { return c.Mix(Paper, 0.84) }

// bands paints the intervals below everything else.
func (p *painter) bands(s scale, at places) {
	for k, series := range p.c.Series {
		if len(series.Low) == 0 || len(series.High) == 0 {
			continue
		}
		color := bandColor(p.color(k))
		both := make([]*quantity.Decimal, len(series.Low))
		for i := range both {
			if series.Low[i] != nil && series.High[i] != nil {
				both[i] = series.Low[i]
			}
		}
		for from, to := range runs(both) {
			if to-from == 1 {
				x, y1, y2 := at.middle(from), s.at(*series.High[from]), s.at(*series.Low[from])
				p.on.Rect(x-2, min(y1, y2), 4, max(y1, y2)-min(y1, y2), color, Stroke{})
				continue
			}
			var around []XY
			for i := from; i < to; i++ {
				around = append(around, XY{at.middle(i), s.at(*series.High[i])})
			}
			for i := to - 1; i >= from; i-- {
				around = append(around, XY{at.middle(i), s.at(*series.Low[i])})
			}
			p.on.Path(around, true, color, Stroke{})
		}
	}
}

// lines paints the series, the first on top, and returns what stands at their ends.
func (p *painter) lines(s scale, at places) []end {
	var ends []end
	for k := len(p.c.Series) - 1; k >= 0; k-- {
		series, color := p.c.Series[k], p.color(k)
		line := Stroke{Color: color, Width: 1.8}
		if series.Muted {
			line.Width = 1.3
		}
		if series.Dashed {
			line.Dash = []float64{4, 2.5}
		}
		for from, to := range runs(series.Values) {
			if to-from == 1 {
				p.on.Circle(at.middle(from), s.at(*series.Values[from]), 2, color, Stroke{})
				continue
			}
			var points []XY
			for i := from; i < to; i++ {
				points = append(points, XY{at.middle(i), s.at(*series.Values[i])})
			}
			p.on.Path(points, false, "", line)
		}
		i := last(series.Values)
		if i < 0 {
			continue
		}
		y := s.at(*series.Values[i])
		p.on.Circle(at.middle(i), y, 2.3, color, Stroke{Color: Paper, Width: 0.8})
		name := series.Name
		if len(p.c.Series) == 1 {
			name = p.short(*series.Values[i])
		}
		ends = append(ends, end{name: name, color: color, y: y, leader: i == len(series.Values)-1})
	}
	return ends
}

// runs yields the stretches [from, to) of values that have no gap.
func runs(values []*quantity.Decimal) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		from := -1
		for i := 0; i <= len(values); i++ {
			has := i < len(values) && values[i] != nil
			switch {
			case has && from < 0:
				from = i
			case !has && from >= 0:
				if !yield(from, i) {
					return
				}
				from = -1
			}
		}
	}
}
