package document

import (
	"bytes"
	"html"
	"math"
	"strconv"
)

// SVG returns the chart as an SVG picture of w by h points: no script, no style and nothing
// from elsewhere, so that the strictest policy of a page allows it. It has the role of an
// image, with the chart's title, and what it shows in words as its description.
//
// Texts carry the width that they were laid out with, so that nothing collides where the
// reader's machine lacks the font.
func (c *Chart) SVG(w, h float64, b Brand) []byte {
	s := newSVG(b)
	s.out.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" role="img"`)
	s.attribute("width", w*4/3) // CSS pixels
	s.attribute("height", h*4/3)
	s.out.WriteString(` viewBox="0 0 ` + number(w) + ` ` + number(h) + `" aria-label="`)
	s.text(c.Alt())
	s.out.WriteString(`" font-family="`)
	s.text(s.family)
	s.out.WriteString(`">` + "\n<title>")
	s.text(c.Title)
	s.out.WriteString("</title>\n<desc>")
	s.text(c.Alt())
	s.out.WriteString("</desc>\n")
	c.Paint(s, 0, 0, w, h, b)
	s.out.WriteString("</svg>\n")
	return s.out.Bytes()
}

// svg is a Canvas that writes SVG elements.
type svg struct {
	out    bytes.Buffer
	family string
	width  func(text string, size float64, bold bool) float64
}

func (s *svg) Rect(x, y, w, h float64, fill Color, line Stroke) {
	s.out.WriteString("<rect")
	s.attribute("x", x)
	s.attribute("y", y)
	s.attribute("width", max(0, w))
	s.attribute("height", max(0, h))
	s.paint(fill, line)
}

func (s *svg) Path(points []XY, closed bool, fill Color, line Stroke) {
	s.out.WriteString(`<path d="`)
	for i, p := range points {
		letter := "L"
		if i == 0 {
			letter = "M"
		}
		s.out.WriteString(letter + number(p.X) + " " + number(p.Y))
	}
	if closed {
		s.out.WriteByte('Z')
	}
	s.out.WriteByte('"')
	s.paint(fill, line)
}

func (s *svg) Circle(x, y, r float64, fill Color, line Stroke) {
	s.out.WriteString("<circle")
	s.attribute("cx", x)
	s.attribute("cy", y)
	s.attribute("r", r)
	s.paint(fill, line)
}

func (s *svg) Text(x, y float64, text string, as TextStyle) {
	s.out.WriteString("<text")
	s.attribute("x", x)
	s.attribute("y", y)
	s.attribute("font-size", as.Size)
	s.attribute("textLength", s.Width(text, as))
	s.out.WriteString(` lengthAdjust="spacingAndGlyphs"`)
	if as.Bold {
		s.out.WriteString(` font-weight="600"`)
	}
	switch as.Align {
	case Center:
		s.out.WriteString(` text-anchor="middle"`)
	case Right:
		s.out.WriteString(` text-anchor="end"`)
	}
	s.out.WriteString(` fill="`)
	s.text(string(as.Color))
	s.out.WriteString(`">`)
	s.text(text)
	s.out.WriteString("</text>\n")
}

func (s *svg) Width(text string, as TextStyle) float64 { return s.width(text, as.Size, as.Bold) }

// paint ends an element with how it is filled and outlined.
func (s *svg) paint(fill Color, line Stroke) {
	if fill == "" {
		fill = "none"
	}
	s.out.WriteString(` fill="`)
	s.text(string(fill))
	s.out.WriteByte('"')
	if line.Color != "" {
		s.out.WriteString(` stroke="`)
		s.text(string(line.Color))
		s.out.WriteByte('"')
		s.attribute("stroke-width", line.Width)
		s.out.WriteString(` stroke-linejoin="round"`)
		for i, d := range line.Dash {
			if i == 0 {
				s.out.WriteString(` stroke-dasharray="`)
			} else {
				s.out.WriteByte(' ')
			}
			s.out.WriteString(number(d))
		}
		if len(line.Dash) > 0 {
			s.out.WriteByte('"')
		}
	}
	s.out.WriteString("/>\n")
}

func (s *svg) attribute(name string, v float64) {
	s.out.WriteString(" " + name + `="` + number(v) + `"`)
}

func (s *svg) text(text string) { s.out.WriteString(html.EscapeString(Clean(text))) }

// number writes a coordinate with two decimals at most.
func number(v float64) string {
	v = math.Round(v*100) / 100
	if v == 0 {
		v = 0 // not "-0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// newSVG measures texts by the brand's fonts; by the product's own when the brand has none
// that can be used, since a chart is worth more than its letters.
func newSVG(b Brand) *svg {
	fonts, err := b.Fonts()
	if err != nil {
		fonts, err = Brand{}.Fonts()
	}
	s := &svg{family: "Inter, system-ui, sans-serif"}
	if err != nil { // not even the bundled fonts: as wide as wide letters are
		s.width = func(text string, size float64, _ bool) float64 { return size * float64(len(text)) }
		return s
	}
	if fonts.Family != inter {
		s.family = fonts.Family + ", " + s.family
	}
	s.width = fonts.Width
	return s
}
