package pptx

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
)

// slide is one slide in the making. Shapes are read in the order in which they are added.
type slide struct {
	layout int
	title  string
	kicker string
	shapes strings.Builder
	ids    int
	rels   []rel
	notes  []string
	wider  float64 // texts are set smaller by this
}

// para is a paragraph. Its lines are those of the box that it fits.
type para struct {
	text   string
	size   float64
	bold   bool
	color  document.Color // "" is that of the place
	bullet bool
	right  bool
	after  float64 // points of space below
}

func (s *slide) id() int {
	s.ids++
	return s.ids + 1 // 1 is the tree
}

// rtl reports whether a text runs from right to left: its first letter does.
func rtl(text string) bool {
	for _, r := range text {
		if unicode.IsLetter(r) {
			return unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana)
		}
	}
	return false
}

// xml writes a paragraph.
func (p para) xml(wider float64) string {
	var b strings.Builder
	attr := ""
	if p.bullet {
		attr = ` marL="228600" indent="-228600"`
	}
	switch {
	case rtl(p.text):
		attr = strings.ReplaceAll(attr, "marL", "marR") + ` algn="r" rtl="1"`
	case p.right:
		attr += ` algn="r" rtl="0"`
	default: // said, as LibreOffice keeps the direction of the paragraph before
		attr += ` algn="l" rtl="0"`
	}
	fmt.Fprintf(&b, `<a:p><a:pPr%s>`, attr)
	if p.after > 0 {
		fmt.Fprintf(&b, `<a:spcAft><a:spcPts val="%d"/></a:spcAft>`, int(p.after*100))
	}
	if p.bullet {
		b.WriteString(`<a:buFont typeface="Arial"/><a:buChar char="•"/>`)
	} else {
		b.WriteString(`<a:buNone/>`)
	}
	b.WriteString(`</a:pPr>`)
	props := `lang="en-US"`
	if p.size > 0 {
		props += fmt.Sprintf(` sz="%d"`, int(p.size/wider*100))
	}
	if p.bold {
		props += ` b="1"`
	}
	fill := ""
	if p.color != "" {
		fill = fmt.Sprintf(`<a:solidFill><a:srgbClr val="%s"/></a:solidFill>`, rgb(p.color))
	}
	for i, line := range strings.Split(document.Clean(p.text), "\n") {
		if i > 0 {
			b.WriteString(`<a:br/>`)
		}
		if line != "" {
			fmt.Fprintf(&b, `<a:r><a:rPr %s>%s<a:latin typeface="+mn-lt"/></a:rPr><a:t>%s</a:t></a:r>`, props, fill, office.Escape(line))
		}
	}
	fmt.Fprintf(&b, `<a:endParaRPr %s/></a:p>`, props)
	return b.String()
}

func paragraphs(ps []para, wider float64) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.xml(wider))
	}
	if len(ps) == 0 {
		return `<a:p><a:endParaRPr lang="en-US"/></a:p>`
	}
	return b.String()
}

// place fills a placeholder of the layout.
func (s *slide) place(name, kind string, ps []para) {
	fmt.Fprintf(&s.shapes, `<p:sp><p:nvSpPr><p:cNvPr id="%d" name="%s"/><p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr><p:nvPr><p:ph %s/></p:nvPr></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:lstStyle/>%s</p:txBody></p:sp>`, s.id(), name, kind, paragraphs(ps, s.wider))
}

// box is a text in a place of its own, perhaps on a ground and with a bar on its left.
type box struct {
	name       string
	x, y, w, h float64
	inset      float64
	fill       document.Color
	anchor     string
}

func (s *slide) box(b box, ps []para) {
	fill := `<a:noFill/>`
	if b.fill != "" {
		fill = fmt.Sprintf(`<a:solidFill><a:srgbClr val="%s"/></a:solidFill>`, rgb(b.fill))
	}
	if b.anchor == "" {
		b.anchor = "t"
	}
	in := emu(b.inset)
	fmt.Fprintf(&s.shapes, `<p:sp><p:nvSpPr><p:cNvPr id="%d" name="%s"/><p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr><p:spPr>%s<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>%s<a:ln><a:noFill/></a:ln></p:spPr><p:txBody><a:bodyPr wrap="square" lIns="%d" tIns="%d" rIns="%d" bIns="%d" anchor="%s"><a:noAutofit/></a:bodyPr><a:lstStyle/>%s</p:txBody></p:sp>`,
		s.id(), office.Escape(office.Cut(b.name, 80)), xfrm(b.x, b.y, b.w, b.h), fill, in, in, in, in, b.anchor, paragraphs(ps, s.wider))
}

// strip is a colored bar without a text.
func (s *slide) strip(x, y, w, h float64, c document.Color) {
	fmt.Fprintf(&s.shapes, `<p:sp><p:nvSpPr><p:cNvPr id="%d" name="Mark"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr>%s<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:solidFill><a:srgbClr val="%s"/></a:solidFill><a:ln><a:noFill/></a:ln></p:spPr><p:txBody><a:bodyPr/><a:lstStyle/><a:p><a:endParaRPr lang="en-US"/></a:p></p:txBody></p:sp>`, s.id(), xfrm(x, y, w, h), rgb(c))
}

// chart puts a native chart on the slide; part is its number.
func (s *slide) chart(c *document.Chart, part int, x, y, w, h float64) {
	id := fmt.Sprintf("rIdChart%d", part)
	s.rels = append(s.rels, rel{id, "chart", fmt.Sprintf("../charts/chart%d.xml", part)})
	fmt.Fprintf(&s.shapes, `<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="%d" name="Chart %d" descr="%s"/><p:cNvGraphicFramePr><a:graphicFrameLocks noGrp="1"/></p:cNvGraphicFramePr><p:nvPr/></p:nvGraphicFramePr>%s<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart"><c:chart xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" r:id="%s"/></a:graphicData></a:graphic></p:graphicFrame>`,
		s.id(), part, office.Escape(office.Cut(c.Alt(), 2000)), strings.ReplaceAll(xfrm(x, y, w, h), "a:xfrm", "p:xfrm"), id)
}

// gridCell is a cell of a table on a slide.
type gridCell struct {
	para
	fill document.Color
	top  document.Color // a line above it
}

// grid is a table on a slide; the first row is its head.
type grid struct {
	name, alt string
	x, y      float64
	widths    []float64
	heights   []float64
	rows      [][]gridCell
	marginX   float64
	marginY   float64
	firstCol  bool
}

func (s *slide) grid(g grid) {
	w, h := 0.0, 0.0
	for _, x := range g.widths {
		w += x
	}
	for _, x := range g.heights {
		h += x
	}
	first := ""
	if g.firstCol {
		first = ` firstCol="1"`
	}
	fmt.Fprintf(&s.shapes, `<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="%d" name="%s" descr="%s"/><p:cNvGraphicFramePr><a:graphicFrameLocks noGrp="1"/></p:cNvGraphicFramePr><p:nvPr/></p:nvGraphicFramePr>%s<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/table"><a:tbl><a:tblPr firstRow="1"%s/><a:tblGrid>`,
		s.id(), office.Escape(office.Cut(g.name, 80)), office.Escape(office.Cut(g.alt, 500)), strings.ReplaceAll(xfrm(g.x, g.y, w, h), "a:xfrm", "p:xfrm"), first)
	for _, x := range g.widths {
		fmt.Fprintf(&s.shapes, `<a:gridCol w="%d"/>`, emu(x))
	}
	s.shapes.WriteString(`</a:tblGrid>`)
	for i, row := range g.rows {
		fmt.Fprintf(&s.shapes, `<a:tr h="%d">`, emu(g.heights[i]))
		for _, c := range row {
			edge := func(side string, color document.Color, width float64) string {
				if color == "" {
					return fmt.Sprintf(`<a:%s w="0"><a:noFill/></a:%s>`, side, side)
				}
				return fmt.Sprintf(`<a:%[1]s w="%[2]d"><a:solidFill><a:srgbClr val="%[3]s"/></a:solidFill></a:%[1]s>`, side, emu(width), rgb(color))
			}
			below, fill := document.Rule, `<a:noFill/>`
			if i == 0 {
				below = document.Ink3
			}
			if c.fill != "" {
				fill = fmt.Sprintf(`<a:solidFill><a:srgbClr val="%s"/></a:solidFill>`, rgb(c.fill))
			}
			fmt.Fprintf(&s.shapes, `<a:tc><a:txBody><a:bodyPr/><a:lstStyle/>%s</a:txBody><a:tcPr marL="%[2]d" marR="%[2]d" marT="%[3]d" marB="%[3]d" anchor="ctr">%s%s%s%s%s</a:tcPr></a:tc>`,
				c.xml(s.wider), emu(g.marginX), emu(g.marginY), edge("lnL", "", 0), edge("lnR", "", 0), edge("lnT", c.top, 0.75), edge("lnB", below, 0.5), fill)
		}
		s.shapes.WriteString(`</a:tr>`)
	}
	s.shapes.WriteString(`</a:tbl></a:graphicData></a:graphic></p:graphicFrame>`)
}

// emit writes the slide and its notes as parts.
func (p *packet) emit(s *slide, n int, b document.Brand) {
	name := fmt.Sprintf("ppt/slides/slide%d.xml", n)
	if s.layout != titleLayout {
		s.place("Footer", `type="ftr" sz="quarter" idx="11"`, []para{{text: footer(b), size: 9, color: document.Ink2}})
		fmt.Fprintf(&s.shapes, `<p:sp><p:nvSpPr><p:cNvPr id="%d" name="Slide number"/><p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr><p:nvPr><p:ph type="sldNum" sz="quarter" idx="12"/></p:nvPr></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:lstStyle/><a:p><a:fld id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}" type="slidenum"><a:rPr lang="en-US"/><a:t>%d</a:t></a:fld><a:endParaRPr lang="en-US"/></a:p></p:txBody></p:sp>`, s.id(), n)
	}
	p.add(name, typeBase+"presentationml.slide+xml", xmlHead+`<p:sld `+spaces+`><p:cSld><p:spTree>`+group+s.shapes.String()+`</p:spTree></p:cSld><p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr></p:sld>`)
	p.rels(name, append([]rel{{"rId1", "slideLayout", fmt.Sprintf("../slideLayouts/slideLayout%d.xml", s.layout)}, {"rId2", "notesSlide", fmt.Sprintf("../notesSlides/notesSlide%d.xml", n)}}, s.rels...))

	notes := make([]para, 0, len(s.notes))
	for _, text := range s.notes {
		if text != "" {
			notes = append(notes, para{text: text, after: 3})
		}
	}
	name = fmt.Sprintf("ppt/notesSlides/notesSlide%d.xml", n)
	p.add(name, typeBase+"presentationml.notesSlide+xml", xmlHead+`<p:notes `+spaces+`><p:cSld><p:spTree>`+group+slideImage(2)+
		fmt.Sprintf(`<p:sp><p:nvSpPr><p:cNvPr id="3" name="Notes"/><p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr><p:nvPr><p:ph type="body" sz="quarter" idx="1"/></p:nvPr></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:lstStyle/>%s</p:txBody></p:sp>`, paragraphs(notes, 1))+`</p:spTree></p:cSld><p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr></p:notes>`)
	p.rels(name, []rel{{"rId1", "notesMaster", "../notesMasters/notesMaster1.xml"}, {"rId2", "slide", fmt.Sprintf("../slides/slide%d.xml", n)}})
}
