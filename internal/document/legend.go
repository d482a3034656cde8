package document

import "fmt"

// sample is how a legend shows what a name belongs to.
type sample int

const (
	asBar sample = iota
	asLine
	asBand
	asWhisker
)

// entry is a line of a legend.
type entry struct {
	name   string
	color  Color
	as     sample
	dashed bool
}

// legend writes entries in rows at the top of what is left, and says how many it had no room
// for. It takes at most a third of the height.
func (p *painter) legend(entries []entry) {
	if len(entries) == 0 {
		return
	}
	const mark, gap = 12.0, 12.0
	style := TextStyle{Size: small, Color: Ink2}
	rows := max(1, int(p.box.h/3/leading))
	x, row := p.rest.x, 0
	for i, e := range entries {
		left := len(entries) - i
		more := fmt.Sprintf("and %d more", left)
		name := p.fit(e.name, style, min(p.rest.w-mark-2*pad, 150))
		w := mark + pad + p.on.Width(name, style)
		end := p.rest.right()
		if row == rows-1 && left > 1 {
			end -= p.on.Width(more, style) + gap
		}
		if x > p.rest.x && x+w > end {
			if row == rows-1 {
				p.write(x, p.rest.y+float64(row)*leading+small, more, style)
				break
			}
			x, row = p.rest.x, row+1
		}
		base := p.rest.y + float64(row)*leading + small
		p.sample(x, base, mark, e)
		p.write(x+mark+pad, base, name, style)
		x += w + gap
	}
	p.take(float64(row+1)*leading + pad)
}

func (p *painter) sample(x, base, w float64, e entry) {
	middle := base - small*0.33
	switch e.as {
	case asLine:
		line := Stroke{Color: e.color, Width: 1.75}
		if e.dashed {
			line.Dash = []float64{3, 2}
		}
		p.on.Path([]XY{{x, middle}, {x + w, middle}}, false, "", line)
	case asWhisker:
		p.whisker(XY{x, middle}, XY{x + w, middle})
	case asBand:
		p.on.Rect(x, middle-3.5, w, 7, e.color, Stroke{})
	default:
		p.bar(x+2, middle-3.5, x+w-1, middle+3.5, e.color, false, e.dashed)
	}
}

// take uses up height at the top.
func (p *painter) take(h float64) { p.rest.y, p.rest.h = p.rest.y+h, p.rest.h-h }

// end is a label at the right end of a plot, at the height of what it names.
type end struct {
	name   string
	color  Color
	y      float64 // where it wants to be
	leader bool    // a thin line leads to it when it cannot be there
}

const endGap = 7.0

// endStyle is how labels at the ends are written: in a color that can be read.
func endStyle(c Color) TextStyle { return TextStyle{Size: small, Color: c.readable()} }

// endsFit reports whether labels fit at the right of a plot, and how wide they are.
func (p *painter) endsFit(names []string, height float64) (float64, bool) {
	w := p.widest(TextStyle{Size: small}, names...)
	return w, w <= 0.3*p.box.w && float64(len(names))*leading <= height
}

// ends writes labels right of a plot.
func (p *painter) ends(plot area, labels []end) {
	wanted := make([]float64, len(labels))
	for i, l := range labels {
		wanted[i] = l.y
	}
	at := spread(wanted, leading, plot.y+leading/2, plot.bottom()-leading/2)
	for i, l := range labels {
		x := plot.right() + endGap
		if d := at[i] - l.y; l.leader && (d > 3 || d < -3) {
			p.on.Path([]XY{{plot.right() + 1, l.y}, {x - 1.5, at[i]}}, false, "", Stroke{Color: l.color.Mix(Paper, 0.4), Width: 0.5})
		}
		style := endStyle(l.color)
		p.write(x, at[i]+small*0.33, p.fit(l.name, style, p.box.right()-x), style)
	}
}
