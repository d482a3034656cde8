package pdffile

import (
	"fmt"
	"math"
)

// Page is a page that is being painted. Measures are points from its top left corner, y down.
type Page struct {
	f             *File
	ref           Ref
	Width, Height float64
	text          []byte
	fonts         map[*Font]bool
	images        map[*Image]bool
	color         [3]uint8 // of fills, as it stands
	colored       bool
	open          *Elem   // whose content is being painted
	marked        bool    // within marked content, an artifact when open is nil
	owners        []*Elem // by marked content
	key           int     // in the parent tree
	annots        []Ref
}

// NewPage begins a page under a number from Alloc, so that others can lead to it beforehand.
func (f *File) NewPage(ref Ref, width, height float64) *Page {
	p := &Page{f: f, ref: ref, Width: width, Height: height, fonts: map[*Font]bool{}, images: map[*Image]bool{}}
	if f.tree != nil {
		p.key = f.tree.key()
	}
	f.pages = append(f.pages, ref)
	return p
}

// Mark says whose content is painted from here on; nil is what only decorates.
func (p *Page) Mark(e *Elem) {
	if p.f.tree == nil || p.marked && p.open == e {
		return
	}
	p.unmark()
	p.open, p.marked = e, true
	if e == nil {
		p.text = append(p.text, "/Artifact BMC\n"...)
		return
	}
	mark := len(p.owners)
	p.owners = append(p.owners, e)
	e.content(p.ref, mark)
	p.text = fmt.Appendf(p.text, "/%s<</MCID %d>>BDC\n", e.kind, mark)
}

func (p *Page) unmark() {
	if p.marked {
		p.text = append(p.text, "EMC\n"...)
		p.open, p.marked = nil, false
	}
}

// Close writes the page.
func (p *Page) Close() {
	p.unmark()
	contents := p.f.Alloc()
	p.f.Stream(contents, "", p.text)
	dict := fmt.Appendf(nil, "<</Type/Page/Parent %s/MediaBox[0 0 %s %s]/Contents %s/Resources<</ProcSet[/PDF/Text/ImageC]", p.f.parent, number(nil, p.Width), number(nil, p.Height), contents)
	if len(p.fonts) > 0 {
		dict = append(dict, "/Font<<"...)
		for _, font := range p.f.fonts {
			if p.fonts[font] {
				dict = fmt.Appendf(dict, "/%s %s", font.name, font.ref)
			}
		}
		dict = append(dict, ">>"...)
	}
	if len(p.images) > 0 {
		dict = append(dict, "/XObject<<"...)
		for image := range p.images { // a page has one at most: the logo
			dict = fmt.Appendf(dict, "/I%d %s", image.ref, image.ref)
		}
		dict = append(dict, ">>"...)
	}
	dict = append(dict, ">>"...)
	if p.f.tree != nil {
		dict = fmt.Appendf(dict, "/StructParents %d/Tabs/S", p.key)
		p.f.tree.page(p.key, p.owners)
	}
	if len(p.annots) > 0 {
		dict = append(dict, "/Annots["...)
		for _, a := range p.annots {
			dict = append(append(dict, a.String()...), ' ')
		}
		dict = append(dict, ']')
	}
	p.f.Object(p.ref, string(append(dict, ">>"...)))
}

// XY is a point.
type XY struct{ X, Y float64 }

// Line is how a line is drawn; nil draws none.
type Line struct {
	Color [3]uint8
	Width float64
	Dash  []float64
}

// Path paints through points.
func (p *Page) Path(points []XY, closed bool, fill *[3]uint8, line *Line) {
	if len(points) == 0 || fill == nil && line == nil {
		return
	}
	p.begin(fill, line)
	for i, at := range points {
		p.xy(at.X, at.Y)
		if i == 0 {
			p.text = append(p.text, "m\n"...)
		} else {
			p.text = append(p.text, "l\n"...)
		}
	}
	p.end(closed, fill, line)
}

// Rect paints a rectangle.
func (p *Page) Rect(x, y, w, h float64, fill *[3]uint8, line *Line) {
	if fill == nil && line == nil {
		return
	}
	p.begin(fill, line)
	p.xy(x, y+h)
	p.text = append(append(number(append(number(p.text, w), ' '), h), ' '), "re\n"...)
	p.end(false, fill, line)
}

// Circle paints a disk, of four curves.
func (p *Page) Circle(x, y, r float64, fill *[3]uint8, line *Line) {
	if r <= 0 || fill == nil && line == nil {
		return
	}
	k := r * 4 / 3 * (math.Sqrt2 - 1)
	p.begin(fill, line)
	p.xy(x+r, y)
	p.text = append(p.text, "m\n"...)
	for _, c := range [][6]float64{
		{x + r, y + k, x + k, y + r, x, y + r}, {x - k, y + r, x - r, y + k, x - r, y},
		{x - r, y - k, x - k, y - r, x, y - r}, {x + k, y - r, x + r, y - k, x + r, y},
	} {
		p.xy(c[0], c[1])
		p.xy(c[2], c[3])
		p.xy(c[4], c[5])
		p.text = append(p.text, "c\n"...)
	}
	p.end(true, fill, line)
}

func (p *Page) xy(x, y float64) {
	p.text = append(number(append(number(p.text, x), ' '), p.Height-y), ' ')
}

func (p *Page) begin(fill *[3]uint8, line *Line) {
	if fill != nil {
		p.fill(*fill)
	}
	if line == nil {
		return
	}
	p.text = append(p.text, "q "...)
	p.text = append(rgb(p.text, line.Color), "RG "...)
	p.text = append(number(p.text, line.Width), " w 1 j "...)
	if len(line.Dash) > 0 {
		p.text = append(p.text, '[')
		for _, d := range line.Dash {
			p.text = append(number(p.text, d), ' ')
		}
		p.text = append(p.text, "]0 d "...)
	}
}

func (p *Page) end(closed bool, fill *[3]uint8, line *Line) {
	switch {
	case fill != nil && line != nil && closed:
		p.text = append(p.text, "b Q\n"...)
	case fill != nil && line != nil:
		p.text = append(p.text, "B Q\n"...)
	case fill != nil:
		p.text = append(p.text, "f\n"...)
	case closed:
		p.text = append(p.text, "s Q\n"...)
	default:
		p.text = append(p.text, "S Q\n"...)
	}
}

func (p *Page) fill(c [3]uint8) {
	if p.colored && p.color == c {
		return
	}
	p.color, p.colored = c, true
	p.text = append(rgb(p.text, c), "rg\n"...)
}

func rgb(b []byte, c [3]uint8) []byte {
	for _, v := range c {
		b = append(number3(b, float64(v)/255), ' ')
	}
	return b
}

// number3 keeps three decimals: two would make steps in colors.
func number3(b []byte, v float64) []byte {
	n := int(math.Round(v * 1000))
	switch n {
	case 0:
		return append(b, '0')
	case 1000:
		return append(b, '1')
	}
	return append(b, '.', byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
}

// Glyph is one glyph to paint; measures are thousandths of the size.
type Glyph struct {
	ID            uint16
	Advance, X, Y float64
	Text          string // what it stands for
}

// Text writes glyphs from left to right from a point on the baseline. said is what they say
// in the order of reading. faux makes them bolder. It returns how far it came, in points.
func (p *Page) Text(font *Font, size, x, y float64, glyphs []Glyph, said string, color [3]uint8, faux bool) float64 {
	if len(glyphs) == 0 {
		return 0
	}
	p.fonts[font] = true
	plain := true
	for _, g := range glyphs {
		plain = font.use(g.ID, g.Text) && plain
	}
	p.fill(color)
	if !plain {
		p.text = fmt.Appendf(p.text, "/Span<</ActualText%s>>BDC\n", Text(said))
	}
	if faux {
		p.text = append(rgb(append(p.text, "q "...), color), "RG "...)
		p.text = append(number(p.text, size*0.025), " w 2 Tr\n"...)
	}
	p.text = append(p.text, "BT/"...)
	p.text = append(append(p.text, font.name...), ' ')
	p.text = append(number(p.text, size), " Tf 1 0 0 1 "...)
	p.xy(x, y)
	p.text = append(p.text, "Tm["...)
	open := false          // within <...>
	var pen, shift float64 // where the file's pen is from where it should be
	for _, g := range glyphs {
		if g.Y != 0 {
			if open {
				p.text, open = append(p.text, '>'), false
			}
			p.text = append(p.text, "]TJ "...)
			p.text = append(number(p.text, g.Y*size/1000), " Ts["...)
		}
		if shift = g.X - pen; math.Abs(shift) > 0.05 {
			if open {
				p.text, open = append(p.text, '>'), false
			}
			p.text = number(p.text, -shift)
			pen += shift
		}
		if !open {
			p.text, open = append(p.text, '<'), true
		}
		p.text = appendHex(p.text, g.ID)
		pen += font.width(g.ID) - g.Advance
		if g.Y != 0 {
			p.text, open = append(p.text, ">]TJ 0 Ts["...), false
		}
	}
	if open {
		p.text = append(p.text, '>')
	}
	p.text = append(p.text, "]TJ ET\n"...)
	if faux {
		p.text = append(p.text, "Q\n"...)
	}
	if !plain {
		p.text = append(p.text, "EMC\n"...)
	}
	var advance float64
	for _, g := range glyphs {
		advance += g.Advance
	}
	return advance * size / 1000
}

func appendHex(b []byte, v uint16) []byte {
	const digits = "0123456789ABCDEF"
	return append(b, digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15])
}

// Link makes a rectangle lead to a place on a page. said is for those who do not see it.
func (p *Page) Link(x, y, w, h float64, to Ref, top float64, e *Elem, said string) {
	a := p.f.Alloc()
	body := fmt.Appendf(nil, "<</Type/Annot/Subtype/Link/Border[0 0 0]/F 4/Contents%s/Rect[", Text(said))
	body = number(append(number(append(number(append(number(body, x), ' '), p.Height-y-h), ' '), x+w), ' '), p.Height-y)
	body = fmt.Appendf(body, "]/Dest[%s/XYZ 0 %s null]", to, number(nil, top))
	if e != nil && p.f.tree != nil {
		body = fmt.Appendf(body, "/StructParent %d", p.f.tree.annotation(e, p.ref, a))
	}
	p.f.Object(a, string(append(body, ">>"...)))
	p.annots = append(p.annots, a)
}

// Image paints a picture.
func (p *Page) Image(image *Image, x, y, w, h float64) {
	p.images[image] = true
	p.text = append(p.text, "q "...)
	p.text = append(number(append(number(p.text, w), " 0 0 "...), h), ' ')
	p.xy(x, y+h)
	p.text = fmt.Appendf(p.text, "cm/I%d Do Q\n", image.ref)
}
