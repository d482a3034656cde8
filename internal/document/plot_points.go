package document

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func decimalOf(n int) quantity.Decimal { return decimal.NewFromInt(int64(n)) }

// points paints a scatter: marked points large with their labels, the others pale.
func (p *painter) points() {
	var xs, ys []*quantity.Decimal
	for i := range p.c.Points {
		xs, ys = append(xs, &p.c.Points[i].X), append(ys, &p.c.Points[i].Y)
	}
	if p.c.Target != nil {
		ys = append(ys, p.c.Target)
	}
	style := TextStyle{Size: small, Color: Ink3, Align: Right}
	strong := TextStyle{Size: small, Color: Ink2}
	lowX, highX, _ := extent(xs...)
	lowY, highY, _ := extent(ys...)
	lowX, highX = nearZero(lowX, highX)
	lowY, highY = nearZero(lowY, highY)
	lowX, highX, right := ticks(lowX, highX, onAxis(p.c.XUnit), p.c.Currency, max(2, int(p.rest.w/75)))
	lowY, highY, up := ticks(lowY, highY, p.unit, p.c.Currency, min(6, max(2, int((p.rest.h-30)/26))))
	var targets []string
	if p.c.Target != nil {
		targets = append(targets, p.targetName())
	}
	endWidth, fits := p.endsFit(targets, p.rest.h)
	p.legend(p.entries(fits))

	if p.write(p.rest.x, p.rest.y+small, p.fit(p.c.YLabel, strong, p.rest.w), strong) {
		p.take(leading + 2)
	}
	plot := area{x: p.rest.x, y: p.rest.y + 5}
	for _, t := range up {
		plot.x = max(plot.x, p.rest.x+p.on.Width(t.label, style)+5)
	}
	plot.w = p.rest.right() - plot.x - 4
	if fits && p.c.Target != nil {
		plot.w -= endWidth + endGap
	}
	plot.h = p.rest.bottom() - plot.y - leading - 5
	if p.c.XLabel != "" {
		plot.h -= leading
		strong.Align = Right
		p.write(plot.right(), p.rest.bottom()-2, p.fit(p.c.XLabel, strong, plot.w), strong)
	}
	across, along := scale{lowX, highX, plot.x, plot.right()}, scale{lowY, highY, plot.bottom(), plot.y}
	grid := Stroke{Color: Rule, Width: 0.6}
	for _, t := range up {
		y := along.at(t.value)
		p.on.Path([]XY{{plot.x, y}, {plot.right(), y}}, false, "", grid)
		p.write(plot.x-5, y+small*0.33, t.label, style)
	}
	below := style
	below.Align = Center
	for _, t := range right {
		x := across.at(t.value)
		p.on.Path([]XY{{x, plot.y}, {x, plot.bottom()}}, false, "", grid)
		half := p.on.Width(t.label, below) / 2
		p.write(min(max(x, p.box.x+half), p.box.right()-half), plot.bottom()+5+small*ascent, t.label, below)
	}
	if p.c.Target != nil {
		y := along.at(*p.c.Target)
		p.on.Path([]XY{{plot.x, y}, {plot.right(), y}}, false, "", targetLine)
		if fits {
			p.ends(plot, []end{{name: p.targetName(), color: Ink2, y: y}})
		}
	}
	p.dots(across, along)
}

// nearZero extends a range to zero when that leaves most of it to the values.
func nearZero(low, high quantity.Decimal) (quantity.Decimal, quantity.Decimal) {
	half := decimal.New(5, -1)
	switch {
	case low.Sign() > 0 && low.LessThan(high.Mul(half)):
		low = quantity.Decimal{}
	case high.Sign() < 0 && high.GreaterThan(low.Mul(half)):
		high = quantity.Decimal{}
	}
	return low, high
}

// dots paints the points, and the labels of marked ones where no other text or marked point
// is: right of the point, left, above or below.
func (p *painter) dots(across, along scale) {
	const r, marked = 2.4, 3.4
	at := func(pt Point) (float64, float64) { return across.at(pt.X), along.at(pt.Y) }
	for _, pt := range p.c.Points {
		if x, y := at(pt); !pt.Marked {
			p.on.Circle(x, y, r, p.b.Main().Mix(Paper, 0.45), Stroke{Color: Paper, Width: 0.5})
		}
	}
	var disks []area
	for _, pt := range p.c.Points {
		if x, y := at(pt); pt.Marked {
			p.on.Circle(x, y, marked, p.b.Second(), Stroke{Color: Paper, Width: 0.8})
			disks = append(disks, area{x - marked, y - marked, 2 * marked, 2 * marked})
		}
	}
	style := TextStyle{Size: small, Color: Ink}
	for _, pt := range p.c.Points {
		if !pt.Marked {
			continue
		}
		x, y := at(pt)
		text := p.fit(pt.Label, style, 0.35*p.box.w)
		for _, place := range []struct {
			x, y  float64
			align Align
		}{{x + marked + 2, y + small*0.33, Left}, {x - marked - 2, y + small*0.33, Right}, {x, y - marked - 2.5, Center}, {x, y + marked + small, Center}} {
			style.Align = place.align
			room := p.room(place.x, place.y, text, style)
			if !slices.ContainsFunc(disks, room.meets) && p.write(place.x, place.y, text, style) {
				break
			}
		}
	}
}
