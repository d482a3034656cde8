package document

import (
	"math"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// cells paints a heat map: a row each series, a column each category, with the value in each
// cell that has room for it, and a key of the colors.
func (p *painter) cells() {
	var all []*quantity.Decimal
	names := make([]string, len(p.c.Series))
	for i, s := range p.c.Series {
		all, names[i] = append(all, s.Values...), s.Name
	}
	heat := p.c.heatOf(p.b)
	p.key(heat)

	name := TextStyle{Size: small, Color: Ink, Align: Right}
	left := min(p.widest(name, names...), 0.3*p.box.w)
	plot := area{p.rest.x + left + pad + 1, p.rest.y, 0, 0}
	plot.w = p.rest.right() - plot.x
	band := plot.w / float64(len(p.c.Categories))
	p.c.columnHeads(p, plot, band)
	plot.y, plot.h = p.rest.y, p.rest.h
	row := plot.h / float64(len(p.c.Series))
	row = min(row, 26)

	value := TextStyle{Size: small, Align: Center}
	widest := 0.0
	for _, v := range all {
		if v != nil {
			widest = max(widest, p.on.Width(p.short(*v), value))
		}
	}
	written := widest <= band-3 && row >= leading
	step := int(math.Ceil(leading / row))
	gap := 0.0
	if band > 5 && row > 5 {
		gap = 1.2
	}
	for k, s := range p.c.Series {
		y := plot.y + row*float64(k)
		if k%step == 0 {
			p.write(p.rest.x+left, y+row/2+small*0.33, p.fit(s.Name, name, left), name)
		}
		for i, v := range s.Values {
			x := plot.x + band*float64(i)
			if v == nil {
				p.on.Rect(x, y, band-gap, row-gap, Paper, Stroke{})
				p.hatch(area{x, y, band - gap, row - gap}, Rule)
				continue
			}
			fill := heat.of(*v)
			p.on.Rect(x, y, band-gap, row-gap, fill, Stroke{})
			if written {
				style := value
				if style.Color = Ink; Ink.Contrast(fill) < Paper.Contrast(fill) {
					style.Color = Paper
				}
				p.write(x+(band-gap)/2, y+(row-gap)/2+small*0.33, p.short(*v), style)
			}
		}
	}
}

// columnHeads writes the categories above the cells: all, or every second, third and so on.
func (c *Chart) columnHeads(p *painter, plot area, band float64) {
	style := TextStyle{Size: small, Color: Ink3, Align: Center}
	texts := make([]string, len(c.Categories))
	widest := 0.0
	for i, text := range c.Categories {
		texts[i] = p.fit(text, style, max(band-3, min(60, p.box.w/5)))
		widest = max(widest, p.on.Width(texts[i], style))
	}
	step := 1
	if widest > band-2 {
		step = int(math.Ceil((widest + 6) / band))
	}
	for i := len(texts) - 1; i >= 0; i -= step {
		half := p.on.Width(texts[i], style) / 2
		x := min(max(plot.x+band*(float64(i)+0.5), p.box.x+half), p.box.right()-half)
		p.write(x, p.rest.y+small*ascent+1, texts[i], style)
	}
	p.take(leading + 2)
}

// heat is how values become colors: from paper to the main color, and below zero to that of
// bad, no stronger than lets text on it be read.
type heat struct {
	low, high quantity.Decimal
	above     Color // the strongest of values above zero
	below     Color
}

func (c *Chart) heatOf(b Brand) heat {
	var all []*quantity.Decimal
	for _, s := range c.Series {
		all = append(all, s.Values...)
	}
	low, high, _ := extent(all...)
	return heat{low, high, strongest(b.Main()), strongest(Bad)}
}

// Heat returns the color of a heat map's cell, on which ink can be read: the same in every
// format.
func (c *Chart) Heat(b Brand) func(quantity.Decimal) Color { return c.heatOf(b).of }

// strongest returns the strongest mix of a color with paper on which ink reads at 4.5:1.
func strongest(c Color) Color {
	for share := 0.1; share < 1; share += 0.02 {
		if m := c.Mix(Paper, share); Ink.Contrast(m) >= 4.5 {
			return m
		}
	}
	return Paper
}

// of returns the color of a value. When all have one sign the scale runs over what there is;
// otherwise it is the same on both sides of zero.
func (h heat) of(v quantity.Decimal) Color {
	const palest = 0.08
	share := func(part, whole quantity.Decimal) float64 {
		if whole.IsZero() {
			return 0.5
		}
		return palest + (1-palest)*quantity.Float(part)/quantity.Float(whole)
	}
	switch {
	case h.low.Sign() < 0 && h.high.Sign() > 0:
		far := h.high
		if h.low.Abs().GreaterThan(far) {
			far = h.low.Abs()
		}
		if v.IsZero() {
			return Sunken
		}
		if v.Sign() < 0 {
			return Sunken.Mix(h.below, share(v.Abs(), far))
		}
		return Sunken.Mix(h.above, share(v, far))
	case h.low.Sign() < 0: // the farthest below zero is the strongest
		return Sunken.Mix(h.below, share(h.high.Sub(v), h.high.Sub(h.low)))
	}
	return Sunken.Mix(h.above, share(v.Sub(h.low), h.high.Sub(h.low)))
}

// key writes the ends of the scale with its colors between, at the right above the cells; with
// fewer colors, or not at all, where there is no room.
func (p *painter) key(h heat) {
	const swatch = 11.0
	style := TextStyle{Size: small, Color: Ink2, Align: Right}
	low, high := p.short(h.low), p.short(h.high)
	if h.low.Equal(h.high) {
		low = ""
	}
	n := min(5, int((p.rest.w-p.on.Width(low, style)-p.on.Width(high, style)-2*pad)/swatch))
	if low == "" {
		n = min(n, 1)
	}
	if n < 1 || n == 1 && low != "" {
		return
	}
	base, x := p.rest.y+small*ascent+1, p.rest.right()
	p.write(x, base, high, style)
	x -= p.on.Width(high, style) + pad
	for i := n - 1; i >= 0; i-- {
		at := h.low
		if i > 0 {
			at = at.Add(h.high.Sub(h.low).Mul(decimalOf(i)).Div(decimalOf(n - 1)))
		}
		x -= swatch
		p.on.Rect(x, base-6.5, swatch, 7.5, h.of(at), Stroke{})
	}
	if low != "" {
		p.write(x-pad, base, low, style)
	}
	p.take(leading + pad)
}
