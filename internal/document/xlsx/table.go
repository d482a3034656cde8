package xlsx

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// tableSays is a table's line in the list of sheets.
func tableSays(t *document.Table) string {
	n := 0
	for range t.Plain() {
		n++
	}
	rows := fmt.Sprintf("%d rows", n)
	if n == 1 {
		rows = "1 row"
	}
	if t.Of > n {
		rows = fmt.Sprintf("the first %d of %d rows", n, t.Of)
	}
	return strings.TrimPrefix(t.Title+": ", ": ") + rows
}

// tableSheet is a table on its way into sheets.
type tableSheet struct {
	*page
	t       *document.Table
	d       *document.Document
	columns int  // that the table has
	why     bool // a last column says what drove a row
	since   int  // index of the first row of this sheet
	head    int  // row of the heads on this sheet
	rows    []int
	formula map[[2]int]bool // sums by (index of row, column) that are formulas
}

// table writes a table, in as many sheets as it needs.
func (b *Book) table(ctx context.Context, name string, d *document.Document, t *document.Table) error {
	s := &tableSheet{t: t, d: d, rows: make([]int, len(t.Rows)), formula: map[[2]int]bool{}}
	for _, r := range t.Rows {
		s.why = s.why || r.Why != ""
	}
	widths := s.columnWidths()
	s.columns = len(widths)
	for wide := sum(widths); wide < lineLong; wide += spare { // what stands above and below needs a line
		widths = append(widths, spare)
	}
	for {
		p, err := b.page(name, widths)
		if err != nil {
			return err
		}
		s.page = p
		from := s.since
		s.begin()
		for s.since < len(t.Rows) && p.row < b.most {
			if s.since%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			s.write(from, s.since)
			s.since++
		}
		s.filter(from)
		more := s.since < len(t.Rows)
		if !more && p.row+12 < b.most {
			s.below()
		}
		if err := p.end(); err != nil || !more {
			return err
		}
	}
}

func (s *tableSheet) columnWidths() []float64 {
	widths := make([]float64, 0, len(s.t.Columns)+1)
	for i, c := range s.t.Columns {
		wide := float64(min(utf8.RuneCountInString(s.label(c)), 16))*1.2 + 5 // the filter's button
		most := 46.0
		for _, r := range s.t.Rows[:min(len(s.t.Rows), measured)] {
			if i < len(r.Cells) && r.Cells[i] != nil && r.Kind != document.Group {
				wide = max(wide, float64(utf8.RuneCountInString(s.t.Cell(r, i)))*1.05+3)
			}
		}
		if i == 0 {
			wide = max(wide, 18)
		}
		widths = append(widths, min(max(wide, 11), most))
	}
	if s.why || len(widths) == 0 {
		longest := 0
		for _, r := range s.t.Rows[:min(len(s.t.Rows), measured)] {
			longest = max(longest, utf8.RuneCountInString(r.Why))
		}
		widths = append(widths, min(max(float64(longest)+3, 20), 60))
	}
	return widths
}

// label is a column's head, with its unit.
func (s *tableSheet) label(c document.Column) string {
	unit := document.SayUnit(c.Unit, c.Currency)
	if unit == "" || c.Unit == quantity.Ratio || c.Unit.HasMoney() && c.Currency == "" {
		return c.Label
	}
	return c.Label + " (" + unit + ")"
}

// begin writes what stands above the rows and keeps it in view.
func (s *tableSheet) begin() {
	said := []string{}
	for _, part := range []string{s.t.Note, period(s.t.Origin, s.d), document.SayGrade(s.t.Grade)} {
		if part != "" {
			said = append(said, part)
		}
	}
	s.head = 4
	s.try(s.s.SetPanes(&excelize.Panes{Freeze: true, YSplit: s.head, TopLeftCell: at(1, s.head+1), ActivePane: "bottomLeft"}))
	s.across(s.t.Title, style{size: 14, bold: true, color: s.b.opt.Brand.Main()})
	s.across(strings.Join(said, "  ·  "), style{color: document.Ink2})
	s.skip(1)
	var heads []cell
	for i, c := range s.t.Columns {
		look := style{bold: true, fill: document.Sunken, bottom: document.Ink3, wrap: true, mid: true, right: document.IsNumber(c.Unit)}
		if i > 0 && !look.right && document.IsNumber(s.t.Columns[i-1].Unit) {
			look.indent = 1
		}
		heads = append(heads, cell{v: s.label(c), style: look})
	}
	if s.why {
		heads = append(heads, cell{v: "Why", style: style{bold: true, fill: document.Sunken, bottom: document.Ink3, mid: true, indent: 1}})
	}
	s.line(s.headHeight(heads), heads...)
	s.try(s.b.f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("'%s'!$%d:$%d", strings.ReplaceAll(s.name, "'", "''"), s.head, s.head), Scope: s.name}))
}

// across writes a text over as many columns as a line is long, in as many lines as it needs:
// left to itself it would run on beyond the table, on paper too.
func (s *tableSheet) across(text string, look style) {
	look.wrap = true
	wide, span := 0.0, 0
	for span < len(s.widths) && wide < lineLong {
		wide += s.widths[span]
		span++
	}
	s.line(0, cell{v: text, style: look, span: span})
}

// lineLong is how many characters a line of text above a table has, about; spare is how many
// a column has that is only there for such lines.
const lineLong, spare = 110.0, 11.0

func sum(widths []float64) (all float64) {
	for _, w := range widths {
		all += w
	}
	return all
}

// write writes the row with an index; from is the first of this sheet.
func (s *tableSheet) write(from, index int) {
	r := s.t.Rows[index]
	s.rows[index] = s.row + 1
	look := style{bottom: document.Rule}
	switch r.Kind {
	case document.Group:
		look = style{bold: true, color: s.b.opt.Brand.Main(), bottom: document.Rule}
	case document.Subtotal:
		look = style{bold: true, top: document.Ink3, bottom: document.Rule}
	case document.Total:
		look = style{bold: true, top: document.Ink, bottom: document.Ink, fill: document.Sunken}
	}
	cells := make([]cell, 0, len(s.widths))
	for i, c := range s.t.Columns {
		one := cell{style: look}
		if i < len(r.Cells) {
			one.v = r.Cells[i]
		}
		switch one.v.(type) {
		case quantity.Decimal:
			currency := ""
			if c.Currency == "" {
				currency = s.t.CurrencyAt(r, i)
			}
			one.format = office.Format(c.Unit, currency)
			if s.t.IsChange(r, i) {
				one.format = office.ChangeFormat(c.Unit, currency)
			}
			if r.Kind == document.Subtotal || r.Kind == document.Total {
				one.formula = s.sum(from, index, i)
			}
		case string:
			one.wrap = r.Kind != document.Group
			if i > 0 && document.IsNumber(s.t.Columns[i-1].Unit) {
				one.indent = 1
			}
			if c.Unit == quantity.Date && r.Kind == document.PlainRow {
				one.date, one.left, one.format = true, true, office.Format(quantity.Date, "")
				if c.Months {
					one.format = "mmm yyyy"
				}
			}
		}
		cells = append(cells, one)
	}
	if s.why {
		cells = append(cells, cell{v: r.Why, style: style{wrap: true, indent: 1, color: document.Ink2, bottom: look.bottom, top: look.top, fill: look.fill}})
	}
	s.line(0, cells...)
}

// filter lets the plain rows be filtered; sums at the end stay.
func (s *tableSheet) filter(from int) {
	last := 0
	for i := s.since - 1; i >= from && last == 0; i-- {
		if s.t.Rows[i].Kind == document.PlainRow {
			last = s.rows[i]
		}
	}
	if len(s.t.Columns) == 0 {
		return
	}
	s.try(s.b.f.AutoFilter(s.name, at(1, s.head)+":"+at(s.columns, max(last, s.head+1)), nil))
}

// below says what the rows mean.
func (s *tableSheet) below() {
	lines := []string{}
	n := 0
	for range s.t.Plain() {
		n++
	}
	if s.t.Of > n {
		lines = append(lines, fmt.Sprintf("These are the first %d of %d rows.", n, s.t.Of))
	}
	if n == 0 {
		lines = append(lines, "There are no rows.")
	}
	lines = append(append(lines, s.t.Explain...), s.t.Reasons...)
	if len(s.t.Sources) > 0 {
		lines = append(lines, "From: "+strings.Join(s.t.Sources, ", "))
	}
	s.skip(1)
	for _, l := range lines[:min(len(lines), 10)] {
		s.across(l, style{color: document.Ink2})
	}
}

// runsMost bounds the parts of a sum.
const runsMost = 30

// sum returns the formula of a sum when the rows that it names add up to just the given
// number, in decimals, as the cells hold them. Otherwise it is "" and the number stands alone.
func (s *tableSheet) sum(from, index, column int) string {
	r, c := s.t.Rows[index], s.t.Columns[column]
	given := r.Cells[column].(quantity.Decimal)
	switch {
	case c.Unit == quantity.Money, c.Unit == quantity.MoneyPerMonth, c.Unit == quantity.Hours, c.Unit == quantity.Count:
	default: // averages, ratios and rates do not add up but by chance
		return ""
	}
	begin := 0
	if r.Kind == document.Subtotal {
		for begin = index; begin > 0 && s.t.Rows[begin-1].Kind == document.PlainRow; begin-- {
		}
	}
	if begin < from || begin == index {
		return "" // not all on this sheet
	}
	sum, runs, nested, plain := quantity.Decimal{}, [][2]int{}, true, 0
	for i := begin; i < index; i++ {
		other := s.t.Rows[i]
		if other.Kind != document.PlainRow {
			if column < len(other.Cells) && other.Cells[column] != nil && other.Kind != document.Group && !s.formula[[2]int{i, column}] {
				nested = false
			}
			continue
		}
		if column < len(other.Cells) {
			if d, ok := other.Cells[column].(quantity.Decimal); ok {
				if _, kept := office.Number(d); kept != office.Exact || s.t.CurrencyAt(other, column) != s.t.CurrencyAt(r, column) {
					return ""
				}
				sum = sum.Add(d)
				plain++
			}
		}
		if n := len(runs); n > 0 && runs[n-1][1] == s.rows[i]-1 {
			runs[n-1][1]++
		} else if len(runs) <= runsMost {
			runs = append(runs, [2]int{s.rows[i], s.rows[i]})
		}
	}
	if _, kept := office.Number(given); kept != office.Exact || !sum.Equal(given) || plain == 0 {
		return ""
	}
	s.formula[[2]int{index, column}] = true
	col := office.Name(column + 1)
	if nested { // SUBTOTAL leaves out the SUBTOTALs between; 109 the rows that are filtered out
		return fmt.Sprintf("SUBTOTAL(109,%s%d:%s%d)", col, s.rows[begin], col, s.rows[index]-1)
	}
	if len(runs) > runsMost {
		s.formula[[2]int{index, column}] = false
		return ""
	}
	ranges := make([]string, len(runs))
	for i, run := range runs {
		ranges[i] = fmt.Sprintf("%s%d:%s%d", col, run[0], col, run[1])
	}
	return "SUM(" + strings.Join(ranges, ",") + ")"
}
