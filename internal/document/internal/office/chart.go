package office

import (
	"fmt"
	"math"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Place is where a chart's grid stands: the sheet, and column and row (from 1) of its first
// head.
type Place struct {
	Sheet    string
	Col, Row int
}

// Native is a chart of Office: its cells and its part.
type Native struct {
	Grid
	m *builder
}

// Draw makes a native chart. A heat map is none: it is colored cells.
func Draw(c *document.Chart, b document.Brand) Native {
	m := build(c, b)
	return Native{m.grid, m}
}

// Escape writes a text so that XML holds it.
func Escape(s string) string { return escaper.Replace(document.Clean(s)) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\t", " ", "\n", " ")

// Name returns the letters of a column, from 1.
func Name(column int) string {
	s := ""
	for ; column > 0; column = (column - 1) / 26 {
		s = string(rune('A'+(column-1)%26)) + s
	}
	return s
}

// XML writes the chart's part, with the values of the cells at a place as its cache.
// external is the relationship of the workbook that the chart brings along, "" in a workbook.
func (n Native) XML(at Place, size float64, external string) []byte {
	w := &writer{Native: n, at: at, size: size, font: Font(n.m.b)}
	w.f(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" + `<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><c:date1904 val="0"/><c:roundedCorners val="0"/><c:chart><c:autoTitleDeleted val="1"/><c:plotArea><c:layout/>`)
	order := 0
	for _, p := range n.m.plots {
		order = w.plot(p, order)
	}
	w.axes()
	w.f(`<c:spPr><a:noFill/><a:ln><a:noFill/></a:ln></c:spPr></c:plotArea>`)
	w.legend()
	w.f(`<c:plotVisOnly val="0"/><c:dispBlanksAs val="gap"/></c:chart><c:spPr><a:noFill/><a:ln><a:noFill/></a:ln></c:spPr>`)
	w.f(`<c:txPr><a:bodyPr/><a:lstStyle/><a:p><a:pPr><a:defRPr sz="%d"><a:latin typeface="%s"/></a:defRPr></a:pPr><a:endParaRPr lang="en-US"/></a:p></c:txPr>`, hundredths(size), Escape(w.font))
	if external != "" {
		w.f(`<c:externalData r:id="%s"><c:autoUpdate val="0"/></c:externalData>`, external)
	}
	w.f(`</c:chartSpace>`)
	return []byte(w.String())
}

type writer struct {
	strings.Builder
	Native
	at   Place
	size float64
	font string
}

func (w *writer) f(format string, args ...any) { fmt.Fprintf(w, format, args...) }

func hundredths(points float64) int { return int(math.Round(points * 100)) }

func rgb(c document.Color) string { return strings.TrimPrefix(string(c), "#") }

// ref is the address of rows of a column.
func (w *writer) ref(column, from, to int) string {
	col := Name(w.at.Col + column)
	sheet := "'" + strings.ReplaceAll(w.at.Sheet, "'", "''") + "'"
	if from == to {
		return fmt.Sprintf("%s!$%s$%d", sheet, col, w.at.Row+from)
	}
	return fmt.Sprintf("%s!$%s$%d:$%s$%d", sheet, col, w.at.Row+from, col, w.at.Row+to)
}

// texts writes a reference to texts, its cache with it.
func (w *writer) texts(column, from, to int, values []any) {
	w.f(`<c:strRef><c:f>%s</c:f><c:strCache><c:ptCount val="%d"/>`, Escape(w.ref(column, from, to)), len(values))
	for i, v := range values {
		if s, ok := v.(string); ok {
			w.f(`<c:pt idx="%d"><c:v>%s</c:v></c:pt>`, i, Escape(s))
		}
	}
	w.f(`</c:strCache></c:strRef>`)
}

func (w *writer) numbers(column int) {
	g := w.Columns[column]
	w.f(`<c:numRef><c:f>%s</c:f><c:numCache><c:formatCode>%s</c:formatCode><c:ptCount val="%d"/>`, Escape(w.ref(column, 1, w.Rows)), Escape(Format(g.Unit, g.Currency)), len(g.Cells))
	for i, v := range g.Cells {
		if d, ok := v.(quantity.Decimal); ok {
			w.f(`<c:pt idx="%d"><c:v>%s</c:v></c:pt>`, i, Digits(d))
		}
	}
	w.f(`</c:numCache></c:numRef>`)
}

func (w *writer) plot(p plot, order int) int {
	if len(p.series) == 0 || w.Rows == 0 {
		return order
	}
	switch p.kind {
	case "bar":
		w.f(`<c:barChart><c:barDir val="%s"/><c:grouping val="%s"/>`, p.dir, p.grouping)
	case "scatter":
		w.f(`<c:scatterChart><c:scatterStyle val="lineMarker"/>`)
	default:
		w.f(`<c:%sChart><c:grouping val="%s"/>`, p.kind, p.grouping)
	}
	w.f(`<c:varyColors val="0"/>`)
	for _, s := range p.series {
		w.series(p, s, order)
		order++
	}
	if p.kind == "bar" {
		gap := p.gap
		if w.Rows < 4 { // few bars are no walls
			gap = 400 / (w.Rows + 1)
		}
		w.f(`<c:gapWidth val="%d"/>`, gap)
		if p.overlap != 0 {
			w.f(`<c:overlap val="%d"/>`, p.overlap)
		}
	}
	if p.kind == "line" {
		w.f(`<c:marker val="1"/>`)
	}
	w.f(`<c:axId val="111111111"/><c:axId val="222222222"/></c:%sChart>`, p.kind)
	return order
}

func (w *writer) series(p plot, s series, order int) {
	w.f(`<c:ser><c:idx val="%d"/><c:order val="%d"/><c:tx>`, order, order)
	w.texts(s.column, 0, 0, []any{w.Columns[s.column].Head})
	w.f(`</c:tx>`)
	if p.kind == "scatter" {
		w.f(`<c:spPr><a:ln w="19050"><a:noFill/></a:ln></c:spPr>`)
	} else {
		w.shape(p.kind, s.fill, s)
	}
	if p.kind == "bar" {
		w.f(`<c:invertIfNegative val="0"/>`)
	}
	if p.kind == "line" || p.kind == "scatter" {
		color := s.fill
		if color == "" {
			color = s.line
		}
		if s.marker == 0 {
			w.f(`<c:marker><c:symbol val="none"/></c:marker>`)
		} else {
			w.f(`<c:marker><c:symbol val="circle"/><c:size val="%d"/><c:spPr><a:solidFill><a:srgbClr val="%s"/></a:solidFill><a:ln w="9525"><a:solidFill><a:srgbClr val="FFFFFF"/></a:solidFill></a:ln></c:spPr></c:marker>`, s.marker, rgb(color))
		}
	}
	for i, c := range s.points {
		hatched := s.hatch != nil && s.hatch[i]
		if c != "" && (c != s.fill || hatched) {
			w.f(`<c:dPt><c:idx val="%d"/><c:invertIfNegative val="0"/><c:bubble3D val="0"/>`, i)
			if hatched {
				w.f(`<c:spPr><a:pattFill prst="wdUpDiag"><a:fgClr><a:srgbClr val="%[1]s"/></a:fgClr><a:bgClr><a:srgbClr val="%[2]s"/></a:bgClr></a:pattFill><a:ln><a:noFill/></a:ln></c:spPr>`, rgb(c), rgb(c.Mix(document.Paper, 0.7)))
			} else {
				w.shape(p.kind, c, series{})
			}
			w.f(`</c:dPt>`)
		}
	}
	w.labels(s)
	if s.above > 0 {
		w.f(`<c:errBars><c:errBarType val="both"/><c:errValType val="cust"/><c:noEndCap val="0"/><c:plus>`)
		w.numbers(s.above)
		w.f(`</c:plus><c:minus>`)
		w.numbers(s.below)
		w.f(`</c:minus><c:spPr><a:ln w="12700"><a:solidFill><a:srgbClr val="%s"/></a:solidFill></a:ln></c:spPr></c:errBars>`, rgb(document.Ink))
	}
	x, y := "cat", "val"
	if p.kind == "scatter" {
		x, y = "xVal", "yVal"
	}
	w.f(`<c:%s>`, x)
	if p.kind == "scatter" {
		w.numbers(s.x)
	} else {
		w.texts(s.x, 1, w.Rows, w.Columns[s.x].Cells)
	}
	w.f(`</c:%s><c:%s>`, x, y)
	w.numbers(s.column)
	w.f(`</c:%s>`, y)
	if p.kind == "line" || p.kind == "scatter" {
		w.f(`<c:smooth val="0"/>`)
	}
	w.f(`</c:ser>`)
}

func (w *writer) shape(kind string, fill document.Color, s series) {
	w.f(`<c:spPr>`)
	switch {
	case kind == "line":
	case fill == "":
		w.f(`<a:noFill/>`)
	default:
		w.f(`<a:solidFill><a:srgbClr val="%s"/></a:solidFill>`, rgb(fill))
	}
	if s.line == "" {
		w.f(`<a:ln><a:noFill/></a:ln>`)
	} else {
		w.f(`<a:ln w="%d" cap="rnd"><a:solidFill><a:srgbClr val="%s"/></a:solidFill>`, int(s.width*12700), rgb(s.line))
		if s.dashed {
			w.f(`<a:prstDash val="sysDash"/>`)
		}
		w.f(`<a:round/></a:ln>`)
	}
	w.f(`</c:spPr>`)
}

const noLabels = `<c:showLegendKey val="0"/><c:showVal val="0"/><c:showCatName val="0"/><c:showSerName val="0"/><c:showPercent val="0"/><c:showBubbleSize val="0"/>`

func (w *writer) labels(s series) {
	if !s.shown && s.labels == nil {
		return
	}
	shown := strings.Replace(noLabels, `showVal val="0"`, `showVal val="1"`, 1)
	props := fmt.Sprintf(`sz="%d" b="0"`, hundredths(w.size))
	fill := fmt.Sprintf(`<a:solidFill><a:srgbClr val="%s"/></a:solidFill><a:latin typeface="%s"/>`, rgb(document.Ink), Escape(w.font))
	w.f(`<c:dLbls>`)
	for i, text := range s.labels {
		at := s.at
		if s.places != nil {
			at = s.places[i]
		}
		if text == "" || at == "" {
			continue
		}
		w.f(`<c:dLbl><c:idx val="%d"/><c:layout/><c:tx><c:rich><a:bodyPr/><a:lstStyle/><a:p><a:r><a:rPr lang="en-US" %s>%s</a:rPr><a:t>%s</a:t></a:r></a:p></c:rich></c:tx><c:spPr><a:noFill/><a:ln><a:noFill/></a:ln></c:spPr><c:dLblPos val="%s"/>%s</c:dLbl>`, i, props, fill, Escape(text), at, shown)
	}
	if s.labels != nil {
		w.f(`%s</c:dLbls>`, noLabels)
		return
	}
	w.f(`<c:numFmt formatCode="%s" sourceLinked="0"/><c:spPr><a:noFill/><a:ln><a:noFill/></a:ln></c:spPr><c:txPr><a:bodyPr/><a:lstStyle/><a:p><a:pPr><a:defRPr %s>%s</a:defRPr></a:pPr><a:endParaRPr lang="en-US"/></a:p></c:txPr><c:dLblPos val="%s"/>%s</c:dLbls>`,
		Escape(w.labelFormat()), props, fill, s.at, shown)
}

// labelFormat shows values to about three digits.
func (w *writer) labelFormat() string {
	_, high := w.extent(func(m *builder, s series) int { return s.column })
	if w.m.c.Unit == quantity.Ratio {
		return "0.0%"
	}
	if w.m.c.Unit == quantity.Count && high < 1e4 {
		return "#,##0"
	}
	return ShortFormat(w.m.c.Unit, w.m.c.Currency, high, math.Pow(10, math.Floor(math.Log10(max(high, 1e-6)))-2))
}

func (w *writer) legend() {
	entries, shown, order := strings.Builder{}, 0, 0
	for _, p := range w.m.plots {
		for _, s := range p.series {
			if s.legend {
				shown++
			} else {
				fmt.Fprintf(&entries, `<c:legendEntry><c:idx val="%d"/><c:delete val="1"/></c:legendEntry>`, order)
			}
			order++
		}
	}
	if shown < 2 {
		return
	}
	w.f(`<c:legend><c:legendPos val="b"/>%s<c:overlay val="0"/>%s</c:legend>`, entries.String(), w.textStyle(document.Ink2))
}

func (w *writer) textStyle(c document.Color) string {
	return fmt.Sprintf(`<c:txPr><a:bodyPr/><a:lstStyle/><a:p><a:pPr><a:defRPr sz="%d" b="0"><a:solidFill><a:srgbClr val="%s"/></a:solidFill><a:latin typeface="%s"/></a:defRPr></a:pPr><a:endParaRPr lang="en-US"/></a:p></c:txPr>`, hundredths(w.size), rgb(c), Escape(w.font))
}

// extent returns the least and the greatest number that is drawn.
func (w *writer) extent(column func(*builder, series) int) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range w.m.plots {
		sums, minus := make([]quantity.Decimal, w.Rows), make([]quantity.Decimal, w.Rows)
		for _, s := range p.series {
			for i, v := range w.Columns[column(w.m, s)].Cells {
				d, ok := v.(quantity.Decimal)
				if !ok {
					continue
				}
				switch {
				case p.kind == "area": // cumulative; the unseen base is no extent
					sums[i] = sums[i].Add(d)
					d = sums[i]
				case p.grouping == "stacked" && d.Sign() < 0:
					minus[i] = minus[i].Add(d)
					d = minus[i]
				case p.grouping == "stacked":
					sums[i] = sums[i].Add(d)
					d = sums[i]
				}
				x := quantity.Float(d)
				low, high = min(low, x), max(high, x)
				if s.above > 0 { // the whiskers, too
					if up, ok := w.Columns[s.above].Cells[i].(quantity.Decimal); ok {
						high = max(high, quantity.Float(d.Add(up)))
					}
					if down, ok := w.Columns[s.below].Cells[i].(quantity.Decimal); ok {
						low = min(low, quantity.Float(d.Sub(down)))
					}
				}
			}
		}
	}
	if low > high {
		return 0, 1
	}
	return low, high
}

func (w *writer) axes() {
	c := w.m.c
	low, high := w.extent(func(_ *builder, s series) int { return s.column })
	bars := c.Kind != document.Line && c.Kind != document.Scatter
	y := ScaleOf(low, high, bars)
	if c.Kind == document.Waterfall || bars && w.labeled() { // room for labels beyond the bars
		if high > 0 && y.Max-high < y.Step/3 || c.Kind == document.Waterfall && y.Max-high < y.Step/3 {
			y.Max += y.Step
		}
		if low < 0 && low-y.Min < y.Step/3 && c.Kind != document.Waterfall {
			y.Min -= y.Step
		}
	}
	format := ShortFormat(c.Unit, c.Currency, math.Max(math.Abs(y.Min), math.Abs(y.Max)), y.Step)
	if c.Kind == document.Scatter {
		low, high := w.extent(func(_ *builder, s series) int { return s.x })
		x := ScaleOf(low, high, false)
		w.value("111111111", "222222222", "b", x, ShortFormat(c.XUnit, c.Currency, math.Max(math.Abs(x.Min), math.Abs(x.Max)), x.Step), axisTitle(c.XLabel), false, false, "midCat")
		w.value("222222222", "111111111", "l", y, format, axisTitle(c.YLabel), true, false, "midCat")
		return
	}
	lying := c.Kind == document.Bars
	catPos, valPos, orient := "b", "l", "minMax"
	if lying {
		catPos, valPos, orient = "l", "t", "maxMin"
	}
	skip := ""
	if n := w.Rows; !lying && n > 16 {
		skip = fmt.Sprintf(`<c:tickLblSkip val="%d"/>`, (n+11)/12)
	} else if lying {
		skip = `<c:tickLblSkip val="1"/>`
	}
	w.f(`<c:catAx><c:axId val="111111111"/><c:scaling><c:orientation val="%s"/></c:scaling><c:delete val="0"/><c:axPos val="%s"/><c:numFmt formatCode="General" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="low"/><c:spPr><a:ln w="9525"><a:solidFill><a:srgbClr val="%s"/></a:solidFill></a:ln></c:spPr>%s<c:crossAx val="222222222"/><c:crosses val="autoZero"/><c:auto val="0"/><c:lblAlgn val="ctr"/><c:lblOffset val="100"/>%s<c:noMultiLvlLbl val="1"/></c:catAx>`,
		orient, catPos, rgb(document.Ink3.Mix(document.Paper, 0.4)), w.textStyle(document.Ink2), skip)
	between := "between"
	if c.Kind == document.Line && w.Rows > 1 {
		between = "midCat"
	}
	hidden := lying && w.labeled()
	w.value("222222222", "111111111", valPos, y, format, "", !hidden, hidden, between)
}

// labeled reports whether every bar says its value.
func (w *writer) labeled() bool {
	for _, p := range w.m.plots {
		for _, s := range p.series {
			if !s.shown {
				return false
			}
		}
	}
	return true
}

func axisTitle(s string) string { return Cut(OneLine(s), 60) }

func (w *writer) value(id, cross, pos string, s Scale, format, title string, grid, hidden bool, between string) {
	deleted := 0
	if hidden {
		deleted = 1
	}
	w.f(`<c:valAx><c:axId val="%s"/><c:scaling><c:orientation val="minMax"/><c:max val="%s"/><c:min val="%s"/></c:scaling><c:delete val="%d"/><c:axPos val="%s"/>`, id, number(s.Max), number(s.Min), deleted, pos)
	if grid {
		w.f(`<c:majorGridlines><c:spPr><a:ln w="6350"><a:solidFill><a:srgbClr val="%s"/></a:solidFill></a:ln></c:spPr></c:majorGridlines>`, rgb(document.Rule))
	}
	if title != "" {
		w.f(`<c:title><c:tx><c:rich><a:bodyPr/><a:lstStyle/><a:p><a:pPr><a:defRPr sz="%[1]d" b="0"/></a:pPr><a:r><a:rPr lang="en-US" sz="%[1]d" b="0"><a:solidFill><a:srgbClr val="%[2]s"/></a:solidFill><a:latin typeface="%[3]s"/></a:rPr><a:t>%[4]s</a:t></a:r></a:p></c:rich></c:tx><c:overlay val="0"/></c:title>`, hundredths(w.size), rgb(document.Ink2), Escape(w.font), Escape(title))
	}
	w.f(`<c:numFmt formatCode="%s" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="low"/><c:spPr><a:ln><a:noFill/></a:ln></c:spPr>%s<c:crossAx val="%s"/><c:crosses val="autoZero"/><c:crossBetween val="%s"/><c:majorUnit val="%s"/></c:valAx>`,
		Escape(format), w.textStyle(document.Ink2), cross, between, number(s.Step))
}

func number(x float64) string {
	return decimal.NewFromFloat(x).Round(9).String()
}
