package pptx

import (
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
)

// tilesMost is how many tiles a slide has at most.
const tilesMost = 8

// tiles writes key figures, in one row or two.
func (k *deck) tiles(sec document.Section, t *document.Tiles) {
	for at := 0; at < len(t.Items); at += tilesMost {
		items := t.Items[at:min(at+tilesMost, len(t.Items))]
		title := t.Title
		if title == "" {
			title = sec.Title
		}
		s := k.add(tableLayout, sec.Title, title, k.noted(t.Origin))
		across, rows := len(items), 1
		if across > 4 {
			across, rows = (len(items)+1)/2, 2
		}
		const gap = 16.0
		w := (right - left - gap*float64(across-1)) / float64(across)
		h := min((bodyBottom-bodyTop-gap*float64(rows-1))/float64(rows), 210)
		w = min(w, 280)
		for i, tile := range items {
			x, y := left+float64(i%across)*(w+gap), bodyTop+float64(i/across)*(h+gap)
			s.box(box{name: tile.Label, x: x, y: y, w: w, h: h, inset: 14, fill: document.Sunken}, k.tile(tile, w-28, h-28))
			s.strip(x, y, w, 3, k.d.Brand.Main())
			s.notes = append(s.notes, tileWords(tile))
		}
	}
}

// tileWords says a tile in full, for the notes.
func tileWords(t document.Tile) string {
	words := []string{t.Label + ": " + t.Value.Say()}
	for _, s := range []string{t.Value.Missing, t.Period, document.SayGrade(t.Grade), t.Note} {
		if s != "" {
			words = append(words, s)
		}
	}
	return strings.Join(words, "; ")
}

// tile sets a tile's lines in a box; the least needed are left out first where they do not
// fit, as the notes have them all.
func (k *deck) tile(t document.Tile, w, h float64) []para {
	one := func(text string, size float64, bold bool, c document.Color, after float64) para {
		return para{text: fitLine(office.OneLine(text), size, bold, w), size: size, bold: bold, color: c, after: after}
	}
	label := withColor(fit(t.Label, true, w, 2*12*lineHigh+1, 12, 11, 10), document.Ink2)
	label.after = 4
	value := one(t.Value.Short(), 30, true, document.Ink, 3)
	for size := 28.0; strings.HasSuffix(value.text, "…") && size >= 12; size -= 2 {
		value = one(t.Value.Short(), size, true, document.Ink, 3)
	}
	ps := []para{label, value}
	left := h - highAll(ps, w)
	try := func(p para) {
		if p.text != "" && p.high(w) <= left {
			ps = append(ps, p)
			left -= p.high(w)
		}
	}
	if exact := t.Value.Say(); exact != t.Value.Short() {
		try(one(exact, 11, false, document.Ink2, 3))
	}
	if t.Value.Number == nil {
		try(withColor(fit(t.Value.Missing, false, w, 3*11*lineHigh+1, 11), document.Ink2))
	}
	if t.Change != nil {
		try(k.change(*t.Change, w))
	}
	if t.Interval != nil {
		try(withColor(fit(document.SayInterval(*t.Interval, t.Value.Unit, t.Value.Currency), false, w, 2*10.5*lineHigh+1, 10.5), document.Ink2))
	}
	about := []string{}
	for _, s := range []string{t.Period, document.SayGrade(t.Grade)} {
		if s != "" {
			about = append(about, s)
		}
	}
	try(withColor(fit(strings.Join(about, "  ·  "), false, w, 2*10*lineHigh+1, 10), document.Ink3))
	try(withColor(fit(t.Note, false, w, 3*10*lineHigh+1, 10), document.Ink3))
	return ps
}

// change is a difference with an arrow, in the color of what it means.
func (k *deck) change(c document.Change, w float64) para {
	arrow, color := "", document.Ink2
	if n := c.Value.Number; n != nil {
		switch n.Sign() {
		case 1:
			arrow = "▲ "
		case -1:
			arrow = "▼ "
		}
	}
	switch c.Good {
	case 1:
		color = document.Good
	case -1:
		color = document.Bad
	}
	text := arrow + c.Value.SayChange()
	if c.Versus != "" {
		text += " vs. " + c.Versus
	}
	p := withColor(fit(text, true, w, 2*11*lineHigh+1, 11), color)
	p.after = 3
	return p
}

// part makes a chart's part with the workbook that it brings along.
func (k *deck) part(c *document.Chart, size float64) (int, error) {
	drawn := office.Draw(c, k.d.Brand)
	book, err := drawn.Workbook(k.d.At, k.d.Brand.Firm)
	if err != nil {
		return 0, fmt.Errorf("presentation: chart %q: %w", c.Title, err)
	}
	k.drawn++
	name := fmt.Sprintf("ppt/charts/chart%d.xml", k.drawn)
	k.charts.parts = append(k.charts.parts, part{name, typeBase + "drawingml.chart+xml", drawn.XML(office.Place{Sheet: office.Sheet, Col: 1, Row: 1}, size, "rId1")})
	k.charts.rels(name, []rel{{"rId1", "package", fmt.Sprintf("../embeddings/workbook%d.xlsx", k.drawn)}})
	k.charts.parts = append(k.charts.parts, part{fmt.Sprintf("ppt/embeddings/workbook%d.xlsx", k.drawn), "", book})
	return k.drawn, nil
}

// chart writes a chart on a slide of its own.
func (k *deck) chart(sec document.Section, c *document.Chart) error {
	if err := c.Check(); err != nil {
		return fmt.Errorf("presentation: %w", err)
	}
	if c.Kind == document.HeatMap && !c.Empty() {
		k.heatMap(sec, c)
		return nil
	}
	s := k.add(tableLayout, sec.Title, c.Title, append(k.noted(c.Origin), c.Alt()))
	if c.Empty() {
		s.box(box{name: "Text", x: left, y: bodyTop, w: right - left, h: 40}, []para{{text: "There are no values.", size: 16, color: document.Ink2}})
		return nil
	}
	top, bottom := k.around(s, c.Subtitle, c.Origin)
	n, err := k.part(c, 12)
	if err != nil {
		return err
	}
	s.chart(c, n, left, top, right-left, bottom-top)
	return nil
}

// around writes what stands above and below a chart, and returns the place between.
func (k *deck) around(s *slide, above string, o document.Origin) (top, bottom float64) {
	top, bottom = bodyTop-8, bodyBottom+6
	if k.message != "" {
		p := fit(k.message, false, right-left, 2*18*lineHigh+1, 18, 16, 14, 12)
		h := p.high(right - left)
		s.box(box{name: "Message", x: left, y: top, w: right - left, h: h}, []para{p})
		s.notes = append(s.notes, k.message)
		k.message = ""
		top += h + 8
	}
	if above != "" {
		p := withColor(fit(above, false, right-left, 2*13*lineHigh+1, 13, 12, 11), document.Ink2)
		h := p.high(right - left)
		s.box(box{name: "Subtitle", x: left, y: top, w: right - left, h: h}, []para{p})
		top += h + 8
	}
	if len(o.Explain) > 0 {
		p := withColor(fit(o.Explain[0], false, right-left, 2*12*lineHigh+1, 12, 11), document.Ink2)
		h := p.high(right - left)
		bottom -= h
		s.box(box{name: "Explanation", x: left, y: bottom, w: right - left, h: h}, []para{p})
		bottom -= 8
	}
	return top, bottom
}

// heatMost are the most columns and rows of a heat map on a slide.
const heatColumns, heatRows = 13, 14

// heatMap writes a heat map as a table of colored cells.
func (k *deck) heatMap(sec document.Section, c *document.Chart) {
	columns, rows := min(len(c.Categories), heatColumns), min(len(c.Series), heatRows)
	s := k.add(tableLayout, sec.Title, c.Title, append(k.noted(c.Origin), c.Alt()))
	above := c.Subtitle
	if columns < len(c.Categories) || rows < len(c.Series) {
		above = strings.TrimPrefix(fmt.Sprintf("%s. The first %d of %d columns and %d of %d rows; the rest is in the workbook.", above, columns, len(c.Categories), rows, len(c.Series)), ". ")
	}
	top, bottom := k.around(s, above, c.Origin)
	heat := c.Heat(k.d.Brand)
	const first = 190.0
	w := min((right-left-first)/float64(max(1, columns)), 110)
	g := grid{name: c.Title, alt: c.Alt(), x: left, y: top, widths: []float64{first}, marginX: 5, marginY: 3, firstCol: true}
	head := []gridCell{{para: para{size: 10.5}, fill: document.Sunken}}
	high1 := 22.0
	for _, name := range c.Categories[:columns] {
		p := fit(name, true, w-10, 3*10.5*lineHigh+1, 10.5, 9)
		p.right = true
		high1 = max(high1, p.high(w-10)+8)
		head = append(head, gridCell{para: p, fill: document.Sunken})
		g.widths = append(g.widths, w)
	}
	g.rows, g.heights = append(g.rows, head), append(g.heights, high1)
	each := min((bottom-top-high1)/float64(max(1, rows)), 40)
	for _, ser := range c.Series[:rows] {
		line := []gridCell{{para: fit(ser.Name, false, first-10, each-6, 12, 11, 10, 9)}}
		for _, v := range ser.Values[:columns] {
			value := c.Value(v)
			p := fit(value.Short(), false, w-10, each-6, 12, 11, 10, 9, 8)
			p.right = true
			one := gridCell{para: p}
			if v != nil {
				one.fill = heat(*v)
			}
			line = append(line, one)
		}
		g.rows, g.heights = append(g.rows, line), append(g.heights, each)
	}
	s.grid(g)
}

// finding writes what was found, what moved it and what to do.
func (k *deck) finding(sec document.Section, f *document.Finding) error {
	notes := append(k.noted(f.Origin), f.Headline, f.Measure+" of "+f.Subject+": "+f.Value.Say(), f.Recommendation)
	for _, d := range f.Drivers {
		notes = append(notes, d.Name+": "+d.Value.SayChange())
	}
	for _, a := range f.Assumptions {
		notes = append(notes, "Assumption: "+a)
	}
	notes = append(notes, f.Review)
	if f.Reference != "" {
		notes = append(notes, "Reference: "+f.Reference)
	}
	s := k.add(tableLayout, sec.Title, f.Headline, notes)
	w := right - left
	if len(f.Drivers) > 0 {
		w = 384
	}
	y, inner := bodyTop, w-32
	card := []para{withColor(fit(strings.Trim(f.Measure+"  ·  "+f.Subject, " ·"), true, inner, 2*14*lineHigh+1, 14, 12, 10), document.Ink2), fit(f.Value.Say(), true, inner, 40*lineHigh, 36, 30, 26, 22, 18, 14, 11)}
	card[0].after, card[1].after = 4, 3
	if f.Value.Number == nil && f.Value.Missing != "" {
		card = append(card, withColor(fit(f.Value.Missing, false, inner, 3*11*lineHigh+1, 11), document.Ink2))
	}
	if f.Interval != nil {
		card = append(card, withColor(fit(document.SayInterval(*f.Interval, f.Value.Unit, f.Value.Currency), false, inner, 2*13*lineHigh+1, 13, 11), document.Ink2))
	}
	if f.Stake.Number != nil {
		card = append(card, fit("At stake: "+f.Stake.Say()+" a year", true, inner, 2*15*lineHigh+1, 15, 13))
	}
	if grade := document.SayGrade(f.Grade); grade != "" {
		card = append(card, withColor(fit(grade, false, inner, 13*lineHigh+1, 12), document.Ink3))
	}
	h := highAll(card, inner) + 32
	s.box(box{name: "Value", x: left, y: y, w: w, h: h, inset: 16, fill: document.Sunken}, card)
	s.strip(left, y, 4, h, k.d.Brand.Main())
	y += h + 14
	var todo []para
	if f.Review != "" {
		p := withColor(fit("▲ To be reviewed first: "+f.Review, true, w, 3*12*lineHigh+1, 12, 11, 10), document.Caution)
		p.after = 8
		todo = append(todo, p)
	}
	if f.Recommendation != "" {
		todo = append(todo, para{text: "What to do", size: 13, bold: true, color: k.d.Brand.Main(), after: 3})
		p := fit(f.Recommendation, false, w, bodyBottom-y-highAll(todo, w)-4, 17, 15, 13, 11, 10)
		p.after = 10
		todo = append(todo, p)
	}
	for i, text := range append(append([]string{}, f.Explain...), f.Assumptions...) { // as far as there is room
		if i >= len(f.Explain) {
			text = "Assumption: " + text
		}
		p := para{text: text, size: 12, color: document.Ink2, after: 4}
		if highAll(todo, w)+p.high(w) > bodyBottom-y {
			break
		}
		todo = append(todo, p)
	}
	if len(todo) > 0 {
		s.box(box{name: "What to do", x: left, y: y, w: w, h: bodyBottom - y}, todo)
	}
	if len(f.Drivers) == 0 {
		return nil
	}
	c := driverChart(f)
	p := fit(c.Title, true, right-left-w-40, 2*12*lineHigh+1, 12, 11, 10)
	s.box(box{name: "Chart title", x: left + w + 40, y: bodyTop, w: right - left - w - 40, h: p.high(right - left - w - 40)}, []para{p})
	top := bodyTop + p.high(right-left-w-40) + 6
	n, err := k.part(c, 11)
	if err != nil {
		return err
	}
	s.chart(c, n, left+w+40, top, right-left-w-40, min(bodyBottom-top, float64(len(c.Categories))*64+30))
	return nil
}

// driversMost is how many drivers a slide draws; the notes have all.
const driversMost = 10

// driverChart draws what moved a measure.
func driverChart(f *document.Finding) *document.Chart {
	first := f.Drivers[0].Value
	c := &document.Chart{Origin: f.Origin, Kind: document.Bars, Title: "What moved it", Unit: first.Unit, Currency: first.Currency}
	if f.Versus != "" {
		c.Title += ", against the " + f.Versus
	}
	s := document.Series{Name: "Contribution"}
	for _, d := range f.Drivers[:min(len(f.Drivers), driversMost)] {
		c.Categories, s.Values = append(c.Categories, d.Name), append(s.Values, d.Value.Number)
	}
	c.Series = []document.Series{s}
	return c
}
