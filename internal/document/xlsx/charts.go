package xlsx

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// chartColumns are how many columns a sheet of charts is wide, at least.
const chartColumns = 8

// chartSheet writes the charts of a section below each other, each above its figures.
func (b *Book) chartSheet(sheet, section string, parts []part) error {
	most, label := chartColumns, 24.0
	names := map[int]bool{} // columns of long names
	var charts []*document.Chart
	for _, p := range parts {
		if c, ok := p.block.(*document.Chart); ok && p.sheet == sheet {
			charts = append(charts, c)
			if c.Kind == document.HeatMap {
				most = max(most, len(c.Categories)+1)
				for _, s := range c.Series {
					label = max(label, float64(utf8.RuneCountInString(s.Name)))
				}
				continue
			}
			columns := office.Draw(c, b.opt.Brand).Columns
			most = max(most, len(columns))
			if last := len(columns) - 1; last > 0 && columns[last].Unit == quantity.Text {
				names[last] = true
			}
			for _, name := range c.Categories {
				label = max(label, float64(utf8.RuneCountInString(name)))
			}
		}
	}
	widths := make([]float64, most)
	for i := range widths {
		if widths[i] = 15; names[i] {
			widths[i] = 44
		}
	}
	widths[0] = min(label+2, 38)
	p, err := b.page(sheet, widths)
	if err != nil {
		return err
	}
	p.least = 15 // charts lie over rows: all programs must see them as high
	p.line(0, cell{v: section, style: style{size: 16, bold: true, wrap: true, color: b.opt.Brand.Main()}, span: chartColumns})
	for i, c := range charts {
		p.skip(1)
		if i > 0 { // on paper each has a page of its own
			p.try(p.s.InsertPageBreak(at(1, p.row+1)))
		}
		p.line(0, cell{v: c.Title, style: style{size: 12, bold: true, wrap: true}, span: chartColumns})
		if c.Subtitle != "" {
			p.line(0, cell{v: c.Subtitle, style: style{color: document.Ink2, wrap: true}, span: chartColumns})
		}
		switch {
		case c.Empty():
			p.line(0, cell{v: "There are no values.", style: style{color: document.Ink2}})
		case c.Kind == document.HeatMap:
			b.heatMap(p, c)
		default:
			b.chart(p, c)
		}
		for i, s := range c.Series {
			if c.Kind != document.HeatMap && utf8.RuneCountInString(s.Name) > 40 { // cut in the legend
				p.line(0, cell{v: fmt.Sprintf("Series %d: %s", i+1, s.Name), style: style{color: document.Ink2, wrap: true}, span: chartColumns})
			}
		}
		if said := strings.Join(slices.Concat(c.Explain, c.Reasons), " "); said != "" {
			p.line(0, cell{v: said, style: style{color: document.Ink2, wrap: true}, span: chartColumns})
		}
	}
	return p.end()
}

// chartRows is how many rows a chart covers.
const chartRows = 18

// chart writes a native chart and the cells that it draws.
func (b *Book) chart(p *page, c *document.Chart) {
	drawn := office.Draw(c, b.opt.Brand)
	anchor := p.row + 1
	p.skip(chartRows + 1)
	place := office.Place{Sheet: p.name, Col: 1, Row: p.row + 1}
	var heads []cell
	for i, col := range drawn.Columns {
		look := style{bold: true, fill: document.Sunken, bottom: document.Ink3, wrap: true, mid: true, right: i > 0 && document.IsNumber(col.Unit)}
		if col.Helper {
			look.bold, look.color = false, document.Ink3
		}
		heads = append(heads, cell{v: col.Head, style: look})
	}
	p.line(p.headHeight(heads), heads...)
	for r := range drawn.Rows {
		cells := make([]cell, len(drawn.Columns))
		for i, col := range drawn.Columns {
			cells[i] = cell{v: col.Cells[r], style: style{bottom: document.Rule}}
			cells[i].wrap = i > 0 && col.Unit == quantity.Text
			if _, ok := col.Cells[r].(quantity.Decimal); ok {
				cells[i].format = office.Format(col.Unit, col.Currency)
				if c.Kind == document.Waterfall && !col.Helper && !c.Totals[r] { // a step
					cells[i].format = office.ChangeFormat(col.Unit, col.Currency)
				}
			}
			if col.Helper {
				cells[i].color = document.Ink3
			}
		}
		p.line(0, cells...)
	}
	if p.err != nil {
		return
	}
	b.charts++
	wide := 0.0
	for _, w := range p.widths[:chartColumns] {
		wide += w*7 + 5
	}
	no := false
	p.try(b.f.AddChart(p.name, at(1, anchor), &excelize.Chart{Type: excelize.Col, // stands in for the part below
		Series:    []excelize.ChartSeries{{Name: "x", Values: fmt.Sprintf("'%s'!$A$1", strings.ReplaceAll(p.name, "'", "''"))}},
		Format:    excelize.GraphicOptions{AltText: cutUnits(document.Clean(c.Alt()), 250), Name: cutUnits(document.Clean(c.Title), 60), OffsetX: 4, OffsetY: 4, Locked: &no},
		Dimension: excelize.ChartDimension{Width: uint(min(wide, 980)), Height: chartRows * 18}, // the library counts 18 to a row of 15 points,
	}))
	b.f.Pkg.Store(fmt.Sprintf("xl/charts/chart%d.xml", b.charts), drawn.XML(place, 9, ""))
}

// heatMap colors the cells of a table, on both sides of zero when there are numbers of two
// signs.
func (b *Book) heatMap(p *page, c *document.Chart) {
	heads := []cell{{v: "", style: style{fill: document.Sunken, bottom: document.Ink3}}}
	for _, name := range c.Categories {
		heads = append(heads, cell{v: name, style: style{bold: true, fill: document.Sunken, bottom: document.Ink3, wrap: true, mid: true, right: true}})
	}
	p.line(p.headHeight(heads), heads...)
	first := p.row + 1
	for _, s := range c.Series {
		cells := []cell{{v: s.Name, style: style{wrap: true}}}
		for _, v := range s.Values {
			one := cell{}
			if v != nil {
				one = cell{v: *v, style: style{format: office.Format(c.Unit, c.Currency)}}
			}
			cells = append(cells, one)
		}
		p.line(0, cells...)
	}
	if p.err != nil || len(c.Categories) == 0 || len(c.Series) == 0 {
		return
	}
	low, high := quantity.Decimal{}, quantity.Decimal{}
	some := false
	for _, ser := range c.Series {
		for _, v := range ser.Values {
			if v != nil {
				if !some {
					low, high, some = *v, *v, true
				}
				low, high = decimal.Min(low, *v), decimal.Max(high, *v)
			}
		}
	}
	heat := c.Heat(b.opt.Brand) // the colors of the ends are those of the other formats
	rule := excelize.ConditionalFormatOptions{Type: "2_color_scale", Criteria: "=", MinType: "min", MaxType: "max", MinColor: string(heat(low)), MaxColor: string(heat(high))}
	if low.Sign() < 0 && high.Sign() > 0 {
		rule.Type, rule.MidType, rule.MidValue, rule.MidColor = "3_color_scale", "num", "0", string(heat(quantity.Decimal{}))
	}
	p.try(b.f.SetConditionalFormat(p.name, at(2, first)+":"+at(len(c.Categories)+1, p.row), []excelize.ConditionalFormatOptions{rule}))
}
