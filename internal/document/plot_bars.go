package document

import (
	"math"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// bars paints lying bars: names left, values at the ends, negative ones left of zero.
func (p *painter) bars() {
	p.legend(p.entries(true))
	if p.c.Target != nil {
		p.take(leading)
	}
	var all []*quantity.Decimal
	var above, below []string // values right and left of the bars
	for _, s := range p.c.Series {
		all = append(append(append(all, s.Values...), s.Low...), s.High...)
		for _, v := range s.Values {
			if v != nil && v.Sign() < 0 {
				below = append(below, p.short(*v))
			} else if v != nil {
				above = append(above, p.short(*v))
			}
		}
	}
	zero := quantity.Decimal{}
	low, high, _ := extent(append(all, p.c.Target, &zero)...)
	if low.Equal(high) {
		high = one
	}
	value := TextStyle{Size: small, Color: Ink2}
	name := TextStyle{Size: small, Color: Ink}
	n := float64(len(p.c.Series))
	plot := area{y: p.rest.y, h: p.rest.h}
	labeled := plot.h/float64(len(p.c.Categories))*thick/n >= small*0.9 // values find room beside bars
	if !labeled {
		plot.h -= leading + 2 // for an axis in their place
		above, below = nil, nil
	}
	row := plot.h / float64(len(p.c.Categories))
	names := min(p.widest(name, p.c.Categories...), 0.36*p.box.w)
	plot.x = p.rest.x + names + 2*pad + p.roomBelow(below, value)
	plot.w = max(10, p.rest.right()-plot.x-p.widest(value, above...)-2*pad)
	s := scale{low, high, plot.x, plot.right()}
	if !labeled {
		s = p.below(plot, low, high)
	}

	step := int(math.Ceil(leading / row)) // names of every so many rows
	thickness := min(row*thick, 15*n)
	each := thickness / n
	var values []written
	for i, label := range p.c.Categories {
		middle := plot.y + row*(float64(i)+0.5)
		if i%step == 0 {
			base := min(max(middle+small*0.33, p.box.y+small*ascent), p.box.bottom()-small*descent)
			p.write(p.rest.x+names, base, p.fit(label, name, names), TextStyle{Size: small, Color: Ink, Align: Right})
		}
		for k, series := range p.c.Series {
			v := series.Values[i]
			if v == nil {
				if n == 1 && labeled {
					p.write(s.zero()+pad, middle+small*0.33, Unknown, TextStyle{Size: small, Color: Ink3})
				}
				continue
			}
			y := middle - thickness/2 + each*float64(k)
			gap := 0.0
			if n > 1 && each > 4 {
				gap = 1
			}
			p.bar(s.zero(), y, s.at(*v), y+each-gap, p.signed(k, *v), v.Sign() < 0, series.Dashed)
			left, right := *v, *v
			if low, high, ok := series.interval(i); ok {
				left, right = decimal.Min(left, low), decimal.Max(right, high)
				p.whisker(XY{s.at(low), y + (each-gap)/2}, XY{s.at(high), y + (each-gap)/2})
			}
			if !labeled {
				continue
			}
			base := y + (each-gap)/2 + small*0.33
			if v.Sign() < 0 {
				values = append(values, written{s.at(left) - pad, base, p.short(*v), TextStyle{Size: small, Color: Ink2, Align: Right}})
			} else {
				values = append(values, written{s.at(right) + pad, base, p.short(*v), value})
			}
		}
	}
	p.on.Path([]XY{{s.zero(), plot.y}, {s.zero(), plot.bottom()}}, false, "", Stroke{Color: Ink3.Mix(Paper, 0.35), Width: 0.8})
	if p.c.Target != nil {
		x := s.at(*p.c.Target)
		p.target(XY{x, plot.y}, XY{x, plot.bottom()}, values)
		style := TextStyle{Size: small, Color: Ink2, Align: Center}
		text := p.fit(p.targetName(), style, p.box.w)
		half := p.on.Width(text, style) / 2
		p.write(min(max(x, p.box.x+half), p.box.right()-half), plot.y-pad, text, style)
	}
	for _, v := range values {
		p.write(v.x, v.y, v.text, v.as)
	}
}

// below paints a value axis under the rows.
func (p *painter) below(plot area, low, high quantity.Decimal) scale {
	style := TextStyle{Size: small, Color: Ink3, Align: Center}
	low, high, steps := ticks(low, high, p.unit, p.c.Currency, max(2, int(plot.w/60)))
	s := scale{low, high, plot.x, plot.right()}
	for _, t := range steps {
		x := s.at(t.value)
		p.on.Path([]XY{{x, plot.y}, {x, plot.bottom()}}, false, "", Stroke{Color: Rule, Width: 0.6})
		half := p.on.Width(t.label, style) / 2
		p.write(min(x, p.box.right()-half), plot.bottom()+2+small*ascent, t.label, style)
	}
	return s
}

// roomBelow returns how much room the texts of negative bars need left of the longest one.
func (p *painter) roomBelow(texts []string, as TextStyle) float64 {
	if len(texts) == 0 {
		return 0
	}
	return p.widest(as, texts...) + pad
}
