package document

import (
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// upright paints what has a value axis on the left and categories below: lines, columns,
// stacked columns and waterfalls.
func (p *painter) upright() {
	low, high, whole := p.reach()
	wanted := min(6, max(2, int((p.rest.h-30)/26)))
	low, high, steps := ticks(low, high, p.unit, p.c.Currency, wanted)
	names := p.endNames()
	endWidth, fits := p.endsFit(names, p.rest.h-45)
	p.legend(p.entries(fits))
	if !whole && (low.Sign() > 0 || high.Sign() < 0) {
		p.notFromZero(steps)
	}

	style := TextStyle{Size: small, Color: Ink3, Align: Right}
	plot := area{x: p.rest.x, y: p.rest.y + 5}
	for _, t := range steps {
		plot.x = max(plot.x, p.rest.x+p.on.Width(t.label, style)+5)
	}
	plot.w = p.rest.right() - plot.x - 2
	if fits && len(names) > 0 {
		plot.w -= endWidth + endGap
	}
	across := p.across(plot)
	labels := p.labelled(across, plot)
	plot.h = p.rest.bottom() - plot.y - float64(labels.lines)*leading - 5
	values := p.valueLabels(across.band)
	s := scale{low, high, plot.bottom(), plot.y}
	if values != nil {
		s.to += leading
		if low.Sign() < 0 {
			s.from -= leading
		}
	}

	if p.c.Kind == Line {
		p.bands(s, across)
	}
	for _, t := range steps {
		y := s.at(t.value)
		line := Stroke{Color: Rule, Width: 0.6}
		if t.value.IsZero() {
			line = Stroke{Color: Ink3.Mix(Paper, 0.35), Width: 0.8}
		}
		p.on.Path([]XY{{plot.x, y}, {plot.right(), y}}, false, "", line)
		p.write(plot.x-5, y+small*0.33, t.label, style)
	}
	p.axisLabels(labels, across, plot)
	var at []end
	var inside []written
	switch p.c.Kind {
	case Columns:
		inside = p.columns(s, across, values)
	case Stacked:
		at = p.stacked(s, across)
	case Waterfall:
		inside = p.waterfall(s, across, values)
	default:
		at = p.lines(s, across)
	}
	if t := p.c.Target; t != nil {
		y := s.at(*t)
		p.target(XY{plot.x, y}, XY{plot.right(), y}, inside)
		at = append(at, end{name: p.targetName(), color: Ink2, y: y, leader: true})
	}
	for _, l := range inside {
		p.write(l.x, l.y, l.text, l.as)
	}
	if fits {
		p.ends(plot, at)
	}
}

var targetLine = Stroke{Color: Ink2, Width: 1, Dash: []float64{4, 3}}

// target draws the line to hold values against, broken where a label will stand.
func (p *painter) target(from, to XY, labels []written) {
	p.on.Path([]XY{from, to}, false, "", targetLine)
	line := area{from.X, from.Y, to.X - from.X, to.Y - from.Y}
	line.w, line.h = max(line.w, 0.1), max(line.h, 0.1)
	for _, l := range labels {
		if a := p.room(l.x, l.y, l.text, l.as); l.text != "" && a.meets(line) && p.box.holds(a) {
			left, right, top, bottom := max(a.x-1, p.box.x), min(a.right()+1, p.box.right()), a.y+0.5, a.bottom()-0.5
			p.on.Path([]XY{{left, top}, {right, top}, {right, bottom}, {left, bottom}}, true, Paper, Stroke{})
		}
	}
}

// targetName is the target's label with its value.
func (p *painter) targetName() string {
	label, value := p.c.TargetLabel, p.exactly(*p.c.Target)
	if wholeNumber(value) {
		value = withoutPlaces(value)
	}
	if label == "" {
		label = "Target"
	}
	if strings.Contains(label, value) {
		return label
	}
	return label + " " + value
}

// reach returns the range that the axis must show; whole says that it begins at zero by
// itself.
func (p *painter) reach() (low, high quantity.Decimal, whole bool) {
	all := []*quantity.Decimal{}
	if p.c.Target != nil {
		all = append(all, p.c.Target)
	}
	zero := quantity.Decimal{}
	switch p.c.Kind {
	case Waterfall:
		for _, s := range p.c.Steps() {
			all = append(all, &s.Low, &s.High)
		}
	case Stacked:
		for i := range p.c.Categories {
			up, down := quantity.Decimal{}, quantity.Decimal{}
			for _, s := range p.c.Series {
				if v := s.Values[i]; v != nil && v.Sign() > 0 {
					up = up.Add(*v)
				} else if v != nil {
					down = down.Add(*v)
				}
			}
			all = append(all, &up, &down)
		}
	default:
		for _, s := range p.c.Series {
			all = append(append(append(all, s.Values...), s.Low...), s.High...)
		}
	}
	low, high, _ = extent(all...)
	half := decimal.New(5, -1)
	if p.c.Kind != Line || low.Sign() >= 0 && low.LessThan(high.Mul(half)) || high.Sign() <= 0 && high.GreaterThan(low.Mul(half)) {
		return decimal.Min(low, zero), decimal.Max(high, zero), true
	}
	return low, high, false
}

// notFromZero says in words where a line's axis begins.
func (p *painter) notFromZero(steps []tick) {
	text := "Scale starts at " + steps[0].label + ", not at zero"
	if steps[0].value.Sign() < 0 {
		text = "Scale ends at " + steps[len(steps)-1].label + ", not at zero"
	}
	style := TextStyle{Size: small - 1, Color: Ink3}
	p.write(p.rest.x, p.rest.y+small-1, p.fit(text, style, p.rest.w), style)
	p.take(leading)
}

// endNames are the labels at the right end: of several series their names, of one line its
// last value, and the target.
func (p *painter) endNames() []string {
	var out []string
	switch {
	case p.c.Kind != Line && p.c.Kind != Stacked:
	case len(p.c.Series) > 1:
		for _, s := range p.c.Series {
			if last(s.Values) >= 0 {
				out = append(out, Clean(s.Name))
			}
		}
	case p.c.Kind == Line:
		out = append(out, p.short(*p.c.Series[0].Values[last(p.c.Series[0].Values)]))
	}
	if p.c.Target != nil {
		out = append(out, p.targetName())
	}
	return out
}

// entries are the legend's: what the labels at the ends do not name.
func (p *painter) entries(named bool) []entry {
	var out []entry
	if len(p.c.Series) > 1 && (!named || p.c.Kind == Columns || p.c.Kind == Bars) {
		for i, s := range p.c.Series {
			e := entry{name: s.Name, color: p.color(i), dashed: s.Dashed}
			if p.c.Kind == Line {
				e.as = asLine
			}
			out = append(out, e)
		}
	}
	seen := map[string]bool{}
	for i, s := range p.c.Series {
		if len(s.Low) == 0 || s.Band == "" || seen[s.Band] {
			continue
		}
		seen[s.Band] = true
		switch p.c.Kind {
		case Line:
			out = append(out, entry{name: s.Band, color: bandColor(p.color(i)), as: asBand})
		case Columns, Bars:
			out = append(out, entry{name: s.Band, as: asWhisker})
		}
	}
	if p.c.Target != nil && !named {
		out = append(out, entry{name: p.targetName(), color: Ink2, as: asLine, dashed: true})
	}
	return out
}

// last returns the index of the last value, -1 without one.
func last(values []*quantity.Decimal) int {
	for i := len(values) - 1; i >= 0; i-- {
		if values[i] != nil {
			return i
		}
	}
	return -1
}

// places says where categories stand: the middle of the first, and how far apart.
type places struct{ first, band float64 }

func (a places) middle(i int) float64 { return a.first + a.band*float64(i) }

// across places the categories: lines from edge to edge, columns in the middles of equal
// parts.
func (p *painter) across(plot area) places {
	n := float64(len(p.c.Categories))
	if p.c.Kind == Line && n > 1 {
		const inset = 5
		return places{plot.x + inset, (plot.w - 2*inset) / (n - 1)}
	}
	return places{plot.x + plot.w/n/2, plot.w / n}
}

// axisText is what stands below the categories: lines of text by category, "" for none.
type axisText struct {
	lines int
	text  [][]string
}

// labelled decides how categories are written: on one line; on two when columns are wide
// enough for it; otherwise every second, third and so on, the last always.
func (p *painter) labelled(at places, plot area) axisText {
	style := TextStyle{Size: small}
	out := axisText{lines: 1, text: make([][]string, len(p.c.Categories))}
	widest := 0.0
	for i, c := range p.c.Categories {
		text := p.fit(c, style, min(110, p.box.w/3))
		out.text[i] = []string{text}
		widest = max(widest, p.on.Width(text, style))
	}
	switch {
	case widest <= at.band-5:
	case p.c.Kind != Line && at.band >= 30:
		pairs := !slices.ContainsFunc(p.c.Categories, func(c string) bool { return len(words(c)) != 2 })
		for i, c := range p.c.Categories {
			width := at.band - 4
			if both := words(c); pairs && p.widest(style, both...) <= width {
				out.text[i] = both // all alike: the year below each month
			} else {
				out.text[i] = p.wrap(c, style, width)
			}
			out.lines = max(out.lines, len(out.text[i]))
		}
	default:
		step := int(math.Ceil((widest + 8) / max(at.band, 0.1)))
		for i := range out.text {
			if (len(out.text)-1-i)%step != 0 {
				out.text[i] = nil
			}
		}
	}
	return out
}

// wrap breaks a text in two lines between words where that fits more of it.
func (p *painter) wrap(text string, style TextStyle, width float64) []string {
	all := words(text)
	first := ""
	for i, w := range all {
		next := strings.TrimSpace(first + " " + w)
		if p.on.Width(next, style) > width {
			if i == 0 {
				break
			}
			return []string{first, p.fit(strings.Join(all[i:], " "), style, width)}
		}
		first = next
	}
	return []string{p.fit(text, style, width)}
}

func (p *painter) axisLabels(labels axisText, at places, plot area) {
	style := TextStyle{Size: small, Color: Ink3, Align: Center}
	for i := len(labels.text) - 1; i >= 0; i-- {
		for k, text := range labels.text[i] {
			half := p.on.Width(text, style) / 2
			x := min(max(at.middle(i), p.box.x+half), p.box.right()-half)
			p.write(x, plot.bottom()+5+small*ascent+float64(k)*leading, text, style)
		}
	}
}

// valueLabels are the texts at columns by category, nil when they have none: there is one
// series, and the texts fit.
func (p *painter) valueLabels(band float64) []string {
	if p.c.Kind != Waterfall && (p.c.Kind != Columns || len(p.c.Series) != 1) {
		return nil
	}
	out, widest := make([]string, len(p.c.Categories)), 0.0
	for i, v := range p.c.Series[0].Values {
		if v == nil {
			continue
		}
		out[i] = p.short(*v)
		switch step := p.c.Kind == Waterfall && !p.c.Totals[i]; {
		case step && p.unit == quantity.Ratio:
			out[i] = p.c.Value(v).SayChange() // a difference of shares is points, not percent
		case step && v.Sign() > 0:
			out[i] = "+" + out[i]
		}
		widest = max(widest, p.on.Width(out[i], valueStyle))
	}
	// A waterfall's steps are read by their labels; where some collide the rest still stand.
	if widest > band-1 && (p.c.Kind == Columns || widest > 2*band) {
		return nil
	}
	return out
}

var valueStyle = TextStyle{Size: small, Color: Ink2, Align: Center}

// label is a column's value outside of its end.
func label(x, end float64, text string, down bool) written {
	if down {
		return written{x, end + small + 1, text, valueStyle}
	}
	return written{x, end - 2.5, text, valueStyle}
}
