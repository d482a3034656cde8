package document

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Sizes of charts, in points.
const (
	small   = 8.0 // text
	leading = 10.5
	ascent  = 0.78 // of a text's size, above its baseline
	descent = 0.24
	pad     = 4.0

	leastWidth, leastHeight = 140, 90 // under them nothing could be read
	leastRows               = 40      // the height of a few rows
)

// area is a rectangle.
type area struct{ x, y, w, h float64 }

func (a area) right() float64  { return a.x + a.w }
func (a area) bottom() float64 { return a.y + a.h }

func (a area) meets(b area) bool {
	const close = 0.01
	return a.x < b.right()-close && b.x < a.right()-close && a.y < b.bottom()-close && b.y < a.bottom()-close
}

func (a area) holds(b area) bool {
	const close = 0.01
	return b.x >= a.x-close && b.y >= a.y-close && b.right() <= a.right()+close && b.bottom() <= a.bottom()+close
}

// painter paints one chart into a box. Every text goes through write, so that none lies
// over another or outside of the box.
type painter struct {
	on    Canvas
	c     *Chart
	b     Brand
	box   area // the whole
	rest  area // what is not used yet
	texts []area

	unit    quantity.Unit
	largest quantity.Decimal // of the values, without its sign
	whole   bool             // no value has places to write
}

// Paint paints a chart into a box; nothing is painted outside of it and no text over
// another. The title and subtitle, which says what the values count, are not painted: the
// formats write them as text of their own, where they can be searched and read aloud.
func (c *Chart) Paint(on Canvas, x, y, w, h float64, b Brand) {
	p := &painter{on: on, c: c, b: b, box: area{x, y, w, h}, unit: onAxis(c.Unit)}
	p.rest = p.box
	if c.Empty() || c.Check() != nil || w < leastWidth || h < c.least() {
		text := "No values"
		if !c.Empty() {
			text = "No room for a chart"
		}
		style := TextStyle{Size: small + 1, Color: Ink3, Align: Center}
		p.write(x+w/2, y+h/2+small/3, p.fit(text, style, w), style)
		return
	}
	p.measure()
	switch c.Kind {
	case Bars:
		p.bars()
	case HeatMap:
		p.cells()
	case Scatter:
		p.points()
	default:
		p.upright()
	}
}

// measure looks at all values, so that each is written as the others are.
func (p *painter) measure() {
	all := []*quantity.Decimal{p.c.Target}
	for _, s := range p.c.Series {
		all = append(all, s.Values...)
	}
	for i := range p.c.Points {
		all = append(all, &p.c.Points[i].Y)
	}
	low, high, _ := extent(all...)
	p.largest, p.whole = decimal.Max(low.Abs(), high.Abs()), true
	for _, v := range all {
		if v != nil && !wholeNumber(p.exactly(*v)) {
			p.whole = false
			return
		}
	}
}

func (p *painter) exactly(d quantity.Decimal) string {
	return Value{Number: &d, Unit: p.unit, Currency: p.c.Currency}.ShortBeside(p.largest)
}

// short writes a value beside its mark.
func (p *painter) short(d quantity.Decimal) string {
	if p.whole {
		return withoutPlaces(p.exactly(d))
	}
	return p.exactly(d)
}

func (p *painter) color(n int) Color { return p.c.Color(n, p.b) }

// written is a text and where it is to stand.
type written struct {
	x, y float64
	text string
	as   TextStyle
}

// write writes a text where there is room for it and reports whether there was.
func (p *painter) write(x, y float64, text string, as TextStyle) bool {
	if text == "" {
		return false
	}
	at := p.room(x, y, text, as)
	if !p.box.holds(at) || slices.ContainsFunc(p.texts, at.meets) {
		return false
	}
	p.texts = append(p.texts, at)
	p.on.Text(x, y, text, as)
	return true
}

// room returns what a text takes up.
func (p *painter) room(x, y float64, text string, as TextStyle) area {
	w := p.on.Width(text, as)
	switch as.Align {
	case Center:
		x -= w / 2
	case Right:
		x -= w
	}
	return area{x, y - ascent*as.Size, w, (ascent + descent) * as.Size}
}

// fit shortens a text to a width, "" when not even a letter fits.
func (p *painter) fit(text string, as TextStyle, width float64) string {
	text = strings.Join(words(text), " ")
	if p.on.Width(text, as) <= width {
		return text
	}
	low, high := 0, utf8.RuneCountInString(text) // the most letters that fit lie in [low, high)
	runes := []rune(text)
	for high-low > 1 {
		mid := (low + high) / 2
		if p.on.Width(strings.TrimRight(string(runes[:mid]), " ")+"…", as) <= width {
			low = mid
		} else {
			high = mid
		}
	}
	if low == 0 {
		return ""
	}
	return strings.TrimRight(string(runes[:low]), " ") + "…"
}

// words splits a text where a line may break.
func words(text string) []string {
	return strings.FieldsFunc(Clean(text), func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' })
}

// widest returns the width of the widest text.
func (p *painter) widest(as TextStyle, texts ...string) float64 {
	w := 0.0
	for _, t := range texts {
		w = max(w, p.on.Width(t, as))
	}
	return w
}

// bar fills a rectangle between two corners. Negative ones are hatched, so that color is
// never all that tells them; those that are no fact are pale with a dashed outline.
func (p *painter) bar(x1, y1, x2, y2 float64, color Color, negative, dashed bool) {
	a := area{min(x1, x2), min(y1, y2), math.Abs(x2 - x1), math.Abs(y2 - y1)}
	switch {
	case dashed:
		p.on.Rect(a.x, a.y, a.w, a.h, color.Mix(Paper, 0.75), Stroke{})
		if a.w > 2 && a.h > 2 {
			p.on.Path([]XY{{a.x + .4, a.y + .4}, {a.right() - .4, a.y + .4}, {a.right() - .4, a.bottom() - .4}, {a.x + .4, a.bottom() - .4}}, true, "", Stroke{color, 0.8, []float64{2.5, 2}})
		}
	default:
		p.on.Rect(a.x, a.y, a.w, a.h, color, Stroke{})
	}
	if negative && !dashed {
		p.hatch(a, color.Mix(Paper, 0.45))
	}
}

// hatch draws lines from the lower left to the upper right, cut at the rectangle.
func (p *painter) hatch(a area, color Color) {
	const apart = 4.0
	if a.w < 2 || a.h < 2 {
		return
	}
	for d := apart; d < a.w+a.h; d += apart {
		x1, y1 := a.x, a.y+d
		if y1 > a.bottom() {
			x1, y1 = a.x+d-a.h, a.bottom()
		}
		x2, y2 := a.x+d, a.y
		if x2 > a.right() {
			x2, y2 = a.right(), a.y+d-a.w
		}
		p.on.Path([]XY{{x1, y1}, {x2, y2}}, false, "", Stroke{Color: color, Width: 0.9})
	}
}

// spread moves labels apart that would collide: each is at least so far below the one above,
// all lie between top and bottom, and none moves farther than it must. It returns the middles
// in the order given.
func spread(wanted []float64, apart, top, bottom float64) []float64 {
	order := make([]int, len(wanted))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case wanted[a] < wanted[b]:
			return -1
		case wanted[a] > wanted[b]:
			return 1
		}
		return 0
	})
	// Clusters of labels that touch, each around the mean of what its labels want.
	type cluster struct {
		first, n int
		sum      float64 // of the places of its first label that its labels want
	}
	var all []cluster
	start := func(c cluster) float64 {
		return max(top, min(bottom-apart*float64(c.n-1), c.sum/float64(c.n)))
	}
	for i, at := range order {
		all = append(all, cluster{i, 1, wanted[at]})
		for len(all) > 1 {
			a, b := all[len(all)-2], all[len(all)-1]
			if start(a)+apart*float64(a.n) <= start(b) {
				break
			}
			all[len(all)-2] = cluster{a.first, a.n + b.n, a.sum + b.sum - apart*float64(a.n)*float64(b.n)}
			all = all[:len(all)-1]
		}
	}
	out := make([]float64, len(wanted))
	for _, c := range all {
		for k := range c.n {
			out[order[c.first+k]] = start(c) + apart*float64(k)
		}
	}
	return out
}

// least is the height under which nothing could be read.
func (c *Chart) least() float64 {
	if c.Kind == Bars || c.Kind == HeatMap {
		return leastRows
	}
	return leastHeight
}

// Height returns how high the chart is best painted at a width, in points: rankings and heat
// maps by their rows, others in a calm proportion.
func (c *Chart) Height(w float64) float64 {
	n := len(c.Series)
	switch {
	case c.Empty():
		return 72
	case c.Kind == Bars:
		h := float64(len(c.Categories)) * max(18, 7+leading*float64(n))
		if n > 1 || c.Target != nil {
			h += 2 * leading
		}
		return min(max(h, leastRows), 640)
	case c.Kind == HeatMap:
		return min(max(float64(n)*20+2*leading+2*pad, leastRows), 640)
	}
	return min(max(w*0.42, 150), 230)
}
