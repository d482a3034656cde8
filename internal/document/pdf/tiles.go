package pdf

import (
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/pdffile"
)

// row of text in a tile.
type saying struct {
	lines []string
	style style
	gap   float64
}

const (
	tileGap = 10.0
	tilePad = 11.0
)

// tiles is key figures side by side, a piece each row of them.
func (l *layout) tiles(t *document.Tiles) []piece {
	width := l.width(false)
	out := l.subheading(t, side, width)
	if len(t.Items) == 0 {
		out = append(out, l.paragraph(para{kind: "P", text: "There are no key figures to show.", style: body.in(document.Ink2), x: side, width: width, gap: 4})...)
	}
	across := max(1, min(len(t.Items), int((width+tileGap)/(112+tileGap)), 5))
	if n := len(t.Items); n > across { // rows as even as they can be
		rows := (n + across - 1) / across
		across = (n + rows - 1) / rows
	}
	for across > 1 && l.tallest(t, across) > 0.4*l.room(false, false) { // texts too long for a tile
		across--
	}
	var list *pdffile.Elem
	for from := 0; from < len(t.Items); from += across {
		to := min(from+across, len(t.Items))
		begin := func() {
			if from == 0 {
				list = l.tag(l.section, "L", "")
			}
		}
		end := func() {
			if to == len(t.Items) {
				l.close(list)
			}
		}
		if across == 1 {
			out = append(out, l.longTile(t.Items[from], &list, begin, end)...)
			continue
		}
		w := l.tileWidth(across)
		said := make([][]saying, to-from)
		for i, item := range t.Items[from:to] {
			said[i] = l.tile(item, w-2*tilePad)
		}
		h := l.tallest(&document.Tiles{Items: t.Items[from:to]}, across)
		out = append(out, piece{gap: tileGap, h: h, draw: func(top float64) {
			begin()
			for i := range said {
				x := side + float64(i)*(w+tileGap)
				l.artifact()
				l.rect(x, top, w, h, document.Sunken)
				l.rect(x, top, w, 2, l.doc.Brand.Main())
				item := l.tag(list, "LI", "")
				content := l.tag(item, "LBody", "")
				l.say(said[i], content, x+tilePad, top+tilePad)
				l.close(content, item)
			}
			end()
		}})
	}
	from := t.Origin
	from.Explain = nil // the tiles say it themselves
	under := l.origin(from, side, width)
	out[len(out)-1].keep = len(under) > 0
	return append(out, under...)
}

// tileWidth returns how wide tiles side by side are.
func (l *layout) tileWidth(across int) float64 {
	n := float64(max(across, 2))
	return (l.width(false) - tileGap*(n-1)) / n
}

// tallest returns how high the highest tile is.
func (l *layout) tallest(t *document.Tiles, across int) (h float64) {
	for _, item := range t.Items {
		h = max(h, height(l.tile(item, l.tileWidth(across)-2*tilePad))+2*tilePad)
	}
	return h
}

// longTile is a tile over the whole width, whose text may go on over pages.
func (l *layout) longTile(t document.Tile, list **pdffile.Elem, begin, end func()) []piece {
	width := l.width(false)
	var item, content *pdffile.Elem
	said := l.tile(t, width-2*tilePad)
	out := []piece{{h: tilePad, keep: true, draw: func(float64) {
		begin()
		item = l.tag(*list, "LI", "")
		content = l.tag(item, "LBody", "")
	}}}
	for _, s := range said {
		out = append(out, l.paragraph(para{kind: "P", text: strings.Join(s.lines, "\n"), style: s.style, x: side + tilePad, width: width - 2*tilePad, gap: s.gap, under: func() *pdffile.Elem { return content }})...)
	}
	out = backed(append(out, piece{h: tilePad, draw: func(float64) {
		l.close(content, item)
		end()
	}}), func(top, h float64) {
		l.artifact()
		l.rect(side, top, width, h+0.3, document.Sunken)
	})
	out[0].gap = tileGap
	out[len(out)-2].keep = true
	return out
}

func height(said []saying) (h float64) {
	for _, s := range said {
		h += s.gap + float64(len(s.lines))*s.style.leading
	}
	return h
}

// say writes what a tile says, a paragraph each.
func (l *layout) say(said []saying, under *pdffile.Elem, x, y float64) {
	for _, s := range said {
		y += s.gap
		e := l.tag(under, "P", "")
		l.mark(e)
		for _, line := range s.lines {
			l.line(x, s.style.baseline(y), line, s.style)
			y += s.style.leading
		}
		l.close(e)
	}
}

// tile is what one key figure says: its name, the figure, how exact it is, how it moved.
func (l *layout) tile(t document.Tile, w float64) []saying {
	small := note.in(document.Ink2)
	var out []saying
	add := func(text string, s style, gap float64) {
		if text != "" {
			out = append(out, saying{l.wrap(text, s, w), s, gap})
		}
	}
	add(t.Label, second.strong(), 0)
	short := t.Value.Short()
	figure := style{size: 19, bold: true, color: document.Ink}
	for figure.size > 10 && l.measure(short, figure) > w {
		figure.size--
	}
	figure.leading = 27
	add(short, figure, 2)
	if t.Value.Number == nil {
		add(t.Value.Missing, small, 0)
	} else if exact := t.Value.Say(); exact != short {
		add(exact, small, 0)
	}
	if t.Interval != nil {
		add(document.SayInterval(*t.Interval, t.Value.Unit, t.Value.Currency), small, 1)
	}
	if c := t.Change; c != nil {
		text, color := c.Value.SayChange(), document.Ink2
		if n := c.Value.Number; n == nil {
			text = "No change known"
			if c.Value.Missing != "" {
				text += ": " + c.Value.Missing
			}
		} else if n.Sign() > 0 {
			text = "▲ " + text
		} else if n.Sign() < 0 {
			text = "▼ " + text
		}
		switch {
		case c.Good > 0:
			color = document.Good
		case c.Good < 0:
			color = document.Bad
		}
		if c.Versus != "" {
			text += " against " + c.Versus
		}
		add(text, note.in(color).strong(), 4)
	}
	add(t.Note, small, 3)
	period := t.Period
	if l.doc.Layout.Compact && period == l.doc.Period {
		period = ""
	}
	if g := document.SayGrade(t.Grade); g != "" {
		if period != "" {
			period += " · "
		}
		period += g
	}
	add(period, note, 4)
	return out
}
