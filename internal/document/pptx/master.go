package pptx

import (
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
)

// The page and its parts in points.
const (
	pageWidth, pageHeight = 960.0, 540.0
	left, right           = 48.0, 912.0
	kickerTop             = 26.0
	titleTop, titleHigh   = 42.0, 58.0
	bodyTop, bodyBottom   = 118.0, 486.0
	footTop               = 507.0
)

// The layouts.
const (
	titleLayout = iota + 1
	sectionLayout
	contentLayout
	tableLayout
)

var layoutNames = []string{"", "Title", "Section", "Content", "Table or chart"}

func emu(points float64) int { return int(points*12700 + 0.5) }

func rgb(c document.Color) string { return strings.TrimPrefix(string(c), "#") }

func xfrm(x, y, w, h float64) string {
	return fmt.Sprintf(`<a:xfrm><a:off x="%d" y="%d"/><a:ext cx="%d" cy="%d"/></a:xfrm>`, emu(x), emu(y), emu(w), emu(h))
}

// theme carries the brand: its colors and typeface.
func theme(b document.Brand) string {
	var c strings.Builder
	for _, e := range []struct {
		name  string
		color document.Color
	}{{"dk1", document.Ink}, {"lt1", document.Paper}, {"dk2", document.Ink2}, {"lt2", document.Sunken}, {"accent1", b.Main()}, {"accent2", b.Second()},
		{"accent3", b.Series(2)}, {"accent4", b.Series(3)}, {"accent5", b.Series(4)}, {"accent6", b.Series(5)}, {"hlink", b.Main()}, {"folHlink", document.Ink3}} {
		fmt.Fprintf(&c, `<a:%[1]s><a:srgbClr val="%[2]s"/></a:%[1]s>`, e.name, rgb(e.color))
	}
	font := office.Escape(office.Font(b))
	faces := fmt.Sprintf(`<a:latin typeface="%s"/><a:ea typeface=""/><a:cs typeface=""/>`, font)
	fill, line, effect := `<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>`, `<a:ln w="6350"><a:solidFill><a:schemeClr val="phClr"/></a:solidFill></a:ln>`, `<a:effectStyle><a:effectLst/></a:effectStyle>`
	return xmlHead + `<a:theme xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" name="Brand"><a:themeElements><a:clrScheme name="Brand">` + c.String() + `</a:clrScheme><a:fontScheme name="Brand"><a:majorFont>` + faces + `</a:majorFont><a:minorFont>` + faces + `</a:minorFont></a:fontScheme><a:fmtScheme name="Brand"><a:fillStyleLst>` +
		strings.Repeat(fill, 3) + `</a:fillStyleLst><a:lnStyleLst>` + strings.Repeat(line, 3) + `</a:lnStyleLst><a:effectStyleLst>` + strings.Repeat(effect, 3) + `</a:effectStyleLst><a:bgFillStyleLst>` + strings.Repeat(fill, 3) + `</a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>`
}

const colorMap = `<p:clrMap bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" accent1="accent1" accent2="accent2" accent3="accent3" accent4="accent4" accent5="accent5" accent6="accent6" hlink="hlink" folHlink="folHlink"/>`

const noInsets = `<a:bodyPr wrap="square" lIns="0" tIns="0" rIns="0" bIns="0"`

// holder is a placeholder of the master or a layout.
func holder(id int, name, kind string, x, y, w, h float64, anchor, list, text string) string {
	return fmt.Sprintf(`<p:sp><p:nvSpPr><p:cNvPr id="%d" name="%s"/><p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr><p:nvPr><p:ph %s/></p:nvPr></p:nvSpPr><p:spPr>%s<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr><p:txBody>%s anchor="%s"><a:noAutofit/></a:bodyPr><a:lstStyle>%s</a:lstStyle>%s</p:txBody></p:sp>`,
		id, name, kind, xfrm(x, y, w, h), noInsets, anchor, list, text)
}

func levels(size float64, bold int, color, font string) string {
	return fmt.Sprintf(`<a:lvl1pPr><a:defRPr sz="%d" b="%d"><a:solidFill><a:schemeClr val="%s"/></a:solidFill><a:latin typeface="%s"/></a:defRPr></a:lvl1pPr>`, int(size*100), bold, color, font)
}

const group = `<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="0" cy="0"/><a:chOff x="0" y="0"/><a:chExt cx="0" cy="0"/></a:xfrm></p:grpSpPr>`

func said(text string) string {
	return `<a:p><a:r><a:rPr lang="en-US"/><a:t>` + office.Escape(text) + `</a:t></a:r></a:p>`
}

// frame adds theme, master and layouts.
func (p *packet) frame(b document.Brand) {
	p.add("ppt/theme/theme1.xml", typeBase+"theme+xml", theme(b))
	shapes := holder(2, "Title", `type="title"`, left, titleTop, right-left, titleHigh, "t", "", said("Title")) +
		holder(3, "Text", `type="body" idx="1"`, left, bodyTop, right-left, bodyBottom-bodyTop, "t", "", said("Text")) +
		p.foot(b, 4)
	if p.logo != nil {
		w, h := p.logo.within(96, 22)
		shapes += picture(6, b, right-w, 20, w, h)
	}
	var ids strings.Builder
	rels := []rel{{"rId1", "theme", "../theme/theme1.xml"}}
	for i := titleLayout; i <= tableLayout; i++ {
		fmt.Fprintf(&ids, `<p:sldLayoutId id="%d" r:id="rId%d"/>`, 2147483648+i, i+1)
		rels = append(rels, rel{fmt.Sprintf("rId%d", i+1), "slideLayout", fmt.Sprintf("../slideLayouts/slideLayout%d.xml", i)})
	}
	if p.logo != nil {
		rels = append(rels, rel{"rIdLogo", "image", "../media/" + p.logo.name})
		p.parts = append(p.parts, part{"ppt/media/" + p.logo.name, "", p.logo.body})
	}
	var body strings.Builder
	for n := 1; n <= 9; n++ {
		fmt.Fprintf(&body, `<a:lvl%[1]dpPr marL="0" indent="0"><a:buNone/><a:defRPr sz="1600"><a:solidFill><a:schemeClr val="tx1"/></a:solidFill><a:latin typeface="+mn-lt"/></a:defRPr></a:lvl%[1]dpPr>`, n)
	}
	p.add("ppt/slideMasters/slideMaster1.xml", typeBase+"presentationml.slideMaster+xml", xmlHead+`<p:sldMaster `+spaces+`><p:cSld><p:bg><p:bgPr><a:solidFill><a:schemeClr val="bg1"/></a:solidFill><a:effectLst/></p:bgPr></p:bg><p:spTree>`+group+shapes+`</p:spTree></p:cSld>`+colorMap+`<p:sldLayoutIdLst>`+ids.String()+`</p:sldLayoutIdLst><p:txStyles><p:titleStyle>`+levels(26, 1, "tx1", "+mj-lt")+`</p:titleStyle><p:bodyStyle>`+body.String()+`</p:bodyStyle><p:otherStyle>`+levels(14, 0, "tx1", "+mn-lt")+`</p:otherStyle></p:txStyles></p:sldMaster>`)
	p.rels("ppt/slideMasters/slideMaster1.xml", rels)
	for i := titleLayout; i <= tableLayout; i++ {
		p.layout(b, i)
	}
}

// foot are the footer and the number of a slide.
func (p *packet) foot(b document.Brand, id int) string {
	return holder(id, "Footer", `type="ftr" sz="quarter" idx="11"`, left, footTop, 700, 16, "ctr", levels(9, 0, "tx2", "+mn-lt"), said(footer(b))) +
		holder(id+1, "Slide number", `type="sldNum" sz="quarter" idx="12"`, right-100, footTop, 100, 16, "ctr", strings.Replace(levels(9, 0, "tx2", "+mn-lt"), "<a:lvl1pPr>", `<a:lvl1pPr algn="r">`, 1), `<a:p><a:fld id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}" type="slidenum"><a:rPr lang="en-US"/><a:t>‹#›</a:t></a:fld><a:endParaRPr lang="en-US"/></a:p>`)
}

// footer is the line below every slide, as much of it as fits.
func footer(b document.Brand) string {
	parts := []string{}
	for _, s := range []string{b.Firm, b.Footer} {
		if s = office.OneLine(s); s != "" {
			parts = append(parts, s)
		}
	}
	return fitLine(strings.Join(parts, "  ·  "), 9, false, 690)
}

func picture(id int, b document.Brand, x, y, w, h float64) string {
	return fmt.Sprintf(`<p:pic><p:nvPicPr><p:cNvPr id="%d" name="Logo" descr="%s"/><p:cNvPicPr><a:picLocks noChangeAspect="1"/></p:cNvPicPr><p:nvPr userDrawn="1"/></p:nvPicPr><p:blipFill><a:blip r:embed="rIdLogo"/><a:stretch><a:fillRect/></a:stretch></p:blipFill><p:spPr>%s<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr></p:pic>`,
		id, office.Escape("Logo of "+office.Cut(document.Clean(b.Firm), 120)), xfrm(x, y, w, h))
}

func bar(id int, name string, x, y, w, h float64, color string) string {
	return fmt.Sprintf(`<p:sp><p:nvSpPr><p:cNvPr id="%d" name="%s"/><p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr><p:spPr>%s<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:solidFill><a:schemeClr val="%s"/></a:solidFill><a:ln><a:noFill/></a:ln></p:spPr><p:txBody><a:bodyPr/><a:lstStyle/><a:p><a:endParaRPr lang="en-US"/></a:p></p:txBody></p:sp>`, id, name, xfrm(x, y, w, h), color)
}

func (p *packet) layout(b document.Brand, kind int) {
	name := fmt.Sprintf("ppt/slideLayouts/slideLayout%d.xml", kind)
	rels := []rel{{"rId1", "slideMaster", "../slideMasters/slideMaster1.xml"}}
	shapes, attr := "", ""
	kicker := holder(9, "Section", `type="body" sz="quarter" idx="13"`, left, kickerTop, 700, 14, "t", levels(11, 1, "accent1", "+mn-lt"), said("Section"))
	title := holder(2, "Title", `type="title"`, left, titleTop, right-left, titleHigh, "t", "", said("Title"))
	switch kind {
	case titleLayout:
		attr = ` type="title" showMasterSp="0"`
		shapes = bar(7, "Band", 0, 0, 16, pageHeight, "accent1") +
			holder(2, "Title", `type="ctrTitle"`, 72, 168, right-72, 120, "b", levels(40, 1, "tx1", "+mj-lt"), said("Title")) +
			holder(3, "Subtitle", `type="subTitle" idx="1"`, 72, 300, right-72, 60, "t", levels(20, 0, "tx2", "+mn-lt"), said("Subtitle")) +
			holder(9, "About", `type="body" sz="quarter" idx="13"`, 72, 380, right-72, 80, "t", levels(14, 0, "tx2", "+mn-lt"), said("Period and date"))
		if p.logo != nil {
			w, h := p.logo.within(220, 56)
			shapes += picture(8, b, 72, 64, w, h)
			rels = append(rels, rel{"rIdLogo", "image", "../media/" + p.logo.name})
		}
	case sectionLayout:
		attr = ` type="secHead"`
		shapes = bar(7, "Band", left, 214, 56, 5, "accent1") +
			holder(2, "Title", `type="title"`, left, 236, right-left, 130, "t", levels(36, 1, "tx1", "+mj-lt"), said("Section"))
	case contentLayout:
		attr = ` type="obj"`
		shapes = kicker + title + holder(3, "Text", `idx="1"`, left, bodyTop, right-left, bodyBottom-bodyTop, "t", "", said("Text"))
	default:
		attr = ` type="titleOnly"`
		shapes = kicker + title
	}
	p.add(name, typeBase+"presentationml.slideLayout+xml", xmlHead+`<p:sldLayout `+spaces+attr+` preserve="1"><p:cSld name="`+layoutNames[kind]+`"><p:spTree>`+group+shapes+p.foot(b, 4)+`</p:spTree></p:cSld><p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr></p:sldLayout>`)
	p.rels(name, rels)
}

// notesMaster is the page of the speaker's notes.
func (p *packet) notesMaster(b document.Brand) {
	p.add("ppt/theme/theme2.xml", typeBase+"theme+xml", theme(b))
	p.add("ppt/notesMasters/notesMaster1.xml", typeBase+"presentationml.notesMaster+xml", xmlHead+`<p:notesMaster `+spaces+`><p:cSld><p:bg><p:bgPr><a:solidFill><a:schemeClr val="bg1"/></a:solidFill><a:effectLst/></p:bgPr></p:bg><p:spTree>`+group+slideImage(2)+
		holder(3, "Notes", `type="body" sz="quarter" idx="1"`, 54, 360, 432, 306, "t", "", said("Notes"))+`</p:spTree></p:cSld>`+colorMap+`<p:notesStyle>`+levels(11, 0, "tx1", "+mn-lt")+`</p:notesStyle></p:notesMaster>`)
	p.rels("ppt/notesMasters/notesMaster1.xml", []rel{{"rId1", "theme", "../theme/theme2.xml"}})
}

func slideImage(id int) string {
	return fmt.Sprintf(`<p:sp><p:nvSpPr><p:cNvPr id="%d" name="Slide"/><p:cNvSpPr><a:spLocks noGrp="1" noRot="1" noChangeAspect="1"/></p:cNvSpPr><p:nvPr><p:ph type="sldImg"/></p:nvPr></p:nvSpPr><p:spPr>%s<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr></p:sp>`, id, xfrm(54, 54, 432, 243))
}

// presentation adds what holds the slides together.
func (p *packet) presentation(slides int) {
	var ids strings.Builder
	rels := []rel{{"rId1", "slideMaster", "slideMasters/slideMaster1.xml"}, {"rId2", "notesMaster", "notesMasters/notesMaster1.xml"}, {"rId3", "presProps", "presProps.xml"}, {"rId4", "viewProps", "viewProps.xml"}, {"rId5", "theme", "theme/theme1.xml"}, {"rId6", "tableStyles", "tableStyles.xml"}}
	for i := 1; i <= slides; i++ {
		fmt.Fprintf(&ids, `<p:sldId id="%d" r:id="rId%d"/>`, 255+i, 6+i)
		rels = append(rels, rel{fmt.Sprintf("rId%d", 6+i), "slide", fmt.Sprintf("slides/slide%d.xml", i)})
	}
	p.add("ppt/presentation.xml", typeBase+"presentationml.presentation.main+xml", xmlHead+`<p:presentation `+spaces+` saveSubsetFonts="1"><p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst><p:notesMasterIdLst><p:notesMasterId r:id="rId2"/></p:notesMasterIdLst><p:sldIdLst>`+ids.String()+`</p:sldIdLst>`+fmt.Sprintf(`<p:sldSz cx="%d" cy="%d"/><p:notesSz cx="6858000" cy="9144000"/>`, emu(pageWidth), emu(pageHeight))+`<p:defaultTextStyle>`+levels(14, 0, "tx1", "+mn-lt")+`</p:defaultTextStyle></p:presentation>`)
	p.rels("ppt/presentation.xml", rels)
	p.add("ppt/presProps.xml", typeBase+"presentationml.presProps+xml", xmlHead+`<p:presentationPr `+spaces+`/>`)
	p.add("ppt/viewProps.xml", typeBase+"presentationml.viewProps+xml", xmlHead+`<p:viewPr `+spaces+`/>`)
	p.add("ppt/tableStyles.xml", typeBase+"presentationml.tableStyles+xml", xmlHead+`<a:tblStyleLst xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" def="{5C22544A-7EE6-4342-B048-85BDC9FD1C3A}"/>`)
	p.rels("", []rel{{"rId1", "officeDocument", "ppt/presentation.xml"}, {"rId2", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties", "docProps/core.xml"}, {"rId3", "extended-properties", "docProps/app.xml"}})
}
