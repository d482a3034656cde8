package xlsx

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// page is a sheet that is written from the top down. The first error stops it.
type page struct {
	b      *Book
	s      *excelize.StreamWriter
	name   string
	widths []float64
	row    int     // the last one written
	least  float64 // height of rows that need no more, 0 leaves it to the program
	err    error
}

// cell is what stands in one place.
type cell struct {
	style
	v       any // quantity.Decimal, string, a number, or nil
	date    bool
	formula string
	span    int // columns that it takes, 0 or 1 is one
	link    string
}

// page begins a sheet with columns as wide as that, in characters.
func (b *Book) page(asked string, widths []float64) (*page, error) {
	name, err := b.sheet(asked)
	if err != nil {
		return nil, fmt.Errorf("workbook: sheet %q: %w", asked, err)
	}
	p := &page{b: b, name: name, widths: widths}
	yes, no, wide, landscape, tall, paper, high := true, false, 1, "landscape", 0, 9, 15.0
	p.try(b.f.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &yes, DefaultRowHeight: &high}))
	if p.err == nil {
		p.s, err = b.f.NewStreamWriter(name)
		p.try(err)
	}
	p.try(b.f.SetSheetView(name, 0, &excelize.ViewOptions{ShowGridLines: &no}))
	if b.opt.Letter {
		paper = 1
	}
	p.try(b.f.SetPageLayout(name, &excelize.PageLayoutOptions{Orientation: &landscape, Size: &paper, FitToWidth: &wide, FitToHeight: &tall}))
	foot := strings.ReplaceAll(cutUnits(document.Clean(strings.TrimSpace(b.opt.Firm+"  "+b.opt.Brand.Footer)), 120), "&", "&&")
	p.try(b.f.SetHeaderFooter(name, &excelize.HeaderFooterOptions{OddFooter: "&L" + foot + "&R&P / &N"}))
	wider := office.Wider(b.opt.Brand)
	for i, w := range widths {
		if p.err == nil {
			p.try(p.s.SetColWidth(i+1, i+1, min(w*wider, excelize.MaxColumnWidth)))
		}
	}
	return p, p.err
}

func (p *page) try(err error) {
	if p.err == nil && err != nil {
		p.err = fmt.Errorf("workbook: sheet %s: %w", p.name, err)
	}
}

// at is the address of a cell.
func at(column, row int) string { return office.Name(column) + strconv.Itoa(row) }

// line writes the next row. A height of 0 is what its texts need where cells are merged, and
// the program's own otherwise.
func (p *page) line(height float64, cells ...cell) {
	p.row++
	if p.err != nil {
		return
	}
	line, column := make([]any, 0, len(p.widths)), 1
	for _, c := range cells {
		id, err := p.b.style(c.style)
		p.try(err)
		one := excelize.Cell{StyleID: id, Formula: c.formula}
		if c.v != nil {
			one.Value = p.b.value(c.v, c.date)
		}
		line = append(line, one)
		for range c.span - 1 {
			line = append(line, excelize.Cell{StyleID: id})
		}
		if c.span > 1 {
			p.try(p.s.MergeCell(at(column, p.row), at(column+c.span-1, p.row)))
		}
		if text, ok := c.v.(string); ok && c.wrap {
			height = max(height, p.needs(text, c, column))
		}
		if c.link != "" {
			p.try(p.b.f.SetCellHyperLink(p.name, at(column, p.row), c.link, "Location"))
		}
		column += max(1, c.span)
	}
	if height = max(height, p.least); height > 0 {
		p.try(p.s.SetRow("A"+strconv.Itoa(p.row), line, excelize.RowOpts{Height: min(height, excelize.MaxRowHeight)}))
		return
	}
	p.try(p.s.SetRow("A"+strconv.Itoa(p.row), line))
}

// needs returns how many points high a text is, 0 for what surely fits a line.
func (p *page) needs(text string, c cell, column int) float64 {
	size := c.size
	if size == 0 {
		size = 10
	}
	wide := -float64(c.indent) * 7
	for _, w := range p.widths[column-1 : min(len(p.widths), column-1+max(1, c.span))] {
		wide += points(w)
	}
	if size <= 10 && float64(len(text))*11 < wide && !strings.Contains(text, "\n") {
		return 0
	}
	return float64(len(office.Wrap(text, size, c.bold, wide-6)))*size*1.3 + 3
}

// points returns how wide a column is whose width is given in characters.
func points(chars float64) float64 { return (chars*7 + 5) * 0.75 }

func (p *page) skip(rows int) {
	if p.least == 0 {
		p.row += rows
		return
	}
	for range rows {
		p.line(0, cell{})
	}
}

// headHeight is what the heads of a table need at the widths of their columns.
func (p *page) headHeight(heads []cell) float64 {
	lines := 1
	for i, h := range heads {
		if text, ok := h.v.(string); ok && i < len(p.widths) {
			lines = max(lines, len(office.Wrap(text, 10, true, points(p.widths[i])-8)))
		}
	}
	return float64(min(lines, 8))*13 + 5
}

// all is how many columns a text that crosses the page takes.
func (p *page) all() int { return len(p.widths) }

// heading begins a part of a page.
func (p *page) heading(text string) {
	p.skip(1)
	p.line(0, cell{v: text, style: style{bold: true, size: 13, color: p.b.opt.Brand.Main(), wrap: true}, span: p.all()})
}

// heads writes the head of a list. Those of numbers begin with ">".
func (p *page) heads(labels ...string) {
	cells := make([]cell, len(labels))
	for i, l := range labels {
		l, number := strings.CutPrefix(l, ">")
		cells[i] = cell{v: l, style: style{bold: true, fill: document.Sunken, bottom: document.Ink3, wrap: true, mid: true, right: number}}
		if !number && i > 0 {
			cells[i].indent = 1
		}
	}
	p.line(p.headHeight(cells), cells...)
}

func (p *page) end() error {
	if p.err == nil {
		p.try(p.s.Flush())
	}
	return p.err
}

// figure is a typed cell of a value; what is not known is a dash.
func figure(v document.Value) cell {
	if v.Number == nil {
		return cell{v: document.Unknown, style: style{right: true, color: document.Ink3}}
	}
	return cell{v: *v.Number, style: style{format: office.FullFormat(v.Unit, v.Currency)}}
}

// changed is a typed cell of a difference, in the color of what it means.
func changed(v document.Value, good int) cell {
	c := figure(v)
	if v.Number != nil {
		c.format = office.ChangeFormat(v.Unit, v.Currency)
		switch {
		case good > 0:
			c.color = document.Good
		case good < 0:
			c.color = document.Bad
		}
	}
	return c
}

// ends are the two cells of an interval.
func ends(i *document.Interval, u quantity.Unit, currency string) (low, high cell) {
	if i == nil {
		return cell{}, cell{}
	}
	return figure(document.Value{Number: &i.Low, Unit: u, Currency: currency}), figure(document.Value{Number: &i.High, Unit: u, Currency: currency})
}

func text(s string) cell { return cell{v: s, style: style{wrap: true}} }

func note(s string) cell {
	return cell{v: s, style: style{wrap: true, color: document.Ink2, indent: 1}}
}
