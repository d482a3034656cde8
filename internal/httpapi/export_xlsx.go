package httpapi

import (
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// sheetDigits is how many significant digits a spreadsheet keeps of a number.
const sheetDigits = 15

// maxCell is how many characters a spreadsheet keeps of a text.
const maxCell = excelize.TotalCellChars

// numberFormats shows a unit as people read it; the cell holds all digits.
var numberFormats = map[quantity.Unit]string{
	quantity.Money: "#,##0.00", quantity.MoneyPerMonth: "#,##0.00", quantity.MoneyPerHour: "#,##0.00",
	quantity.Ratio: "0.0%", quantity.Hours: "0.00", quantity.Count: "0", quantity.Days: "0.0", quantity.PerEndpoint: "0.00",
	quantity.Date: "yyyy-mm-dd",
}

// workbook is the answer with a table as a workbook: the sheet Data holds it, About says
// what it is.
func (s *server) workbook(name string, t *table) (*huma.StreamResponse, error) {
	f, err := t.xlsx()
	if err != nil {
		return nil, problemOf(fmt.Errorf("workbook: %w", err))
	}
	return attachment(s.opt.Log, name+".xlsx", xlsxType, func(w io.Writer) error {
		defer f.Close()
		return f.Write(w)
	}), nil
}

// xlsx builds the workbook; the caller closes it.
func (t *table) xlsx() (f *excelize.File, err error) {
	f = excelize.NewFile()
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := f.SetSheetName("Sheet1", "Data"); err != nil {
		return nil, err
	}
	if _, err := f.NewSheet("About"); err != nil {
		return nil, err
	}
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	notes, err := t.dataSheet(f, bold)
	if err != nil {
		return nil, err
	}
	return f, t.aboutSheet(f, bold, notes)
}

// sheetNotes counts the cells that could not be kept as they are.
type sheetNotes struct{ rounded, text, cut int64 }

// dataSheet writes the rows under a bold header that stays in view and filters.
func (t *table) dataSheet(f *excelize.File, bold int) (sheetNotes, error) {
	var notes sheetNotes
	sw, err := f.NewStreamWriter("Data")
	if err != nil {
		return notes, err
	}
	styles := make([]int, len(t.columns))
	for i, c := range t.columns {
		form := numberFormats[c.Unit]
		if c.Name == "month" && c.Type == "date" {
			form = "yyyy-mm"
		}
		if form != "" {
			if styles[i], err = f.NewStyle(&excelize.Style{CustomNumFmt: &form}); err != nil {
				return notes, err
			}
		}
		if err := sw.SetColWidth(i+1, i+1, t.width(i)); err != nil {
			return notes, err
		}
	}
	if err := sw.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return notes, err
	}
	corner, err := excelize.CoordinatesToCellName(max(1, len(t.columns)), len(t.rows)+1)
	if err != nil {
		return notes, err
	}
	if err := f.AutoFilter("Data", "A1:"+corner, nil); err != nil {
		return notes, err
	}
	line := make([]any, len(t.columns))
	for i, c := range t.columns {
		line[i] = excelize.Cell{StyleID: bold, Value: c.Name}
	}
	if err := sw.SetRow("A1", line); err != nil {
		return notes, err
	}
	for r, row := range t.rows {
		for i, v := range row {
			line[i] = nil
			if v != nil {
				line[i] = excelize.Cell{StyleID: styles[i], Value: notes.value(v, t.columns[i].Type)}
			}
		}
		if err := sw.SetRow("A"+strconv.Itoa(r+2), line); err != nil {
			return notes, err
		}
	}
	return notes, sw.Flush()
}

// value is what a cell holds: a number, a real date, or a text that is never a formula.
func (n *sheetNotes) value(v any, kind string) any {
	switch v := v.(type) {
	case quantity.Decimal:
		return n.number(v)
	case string:
		if kind == "date" {
			if day, err := quantity.ParseDay(v); err == nil && day.Time().Year() >= 1901 {
				return day.Time()
			}
		}
		if utf8.RuneCountInString(v) > maxCell { // the library would cut it in silence
			n.cut++
		}
		return v
	}
	return v
}

// number is a decimal as the sheet can hold it: a float that reads back as the same number
// to 15 significant digits, more than which no spreadsheet keeps; a text otherwise.
func (n *sheetNotes) number(d quantity.Decimal) any {
	short := d
	if extra := d.NumDigits() - sheetDigits; extra > 0 {
		short = d.Round(-d.Exponent() - int32(extra)) // the library would cut, not round
		if !short.Equal(d) {
			n.rounded++
		}
	}
	x := short.InexactFloat64()
	if back, err := decimal.NewFromString(strconv.FormatFloat(x, 'f', -1, 64)); err != nil || !back.Equal(short) {
		n.text++
		return d.String()
	}
	return x
}

// width is a column's width in characters, from its header and first rows.
func (t *table) width(at int) float64 {
	wide := utf8.RuneCountInString(t.columns[at].Name) + 4 // the filter's button
	for _, row := range t.rows[:min(len(t.rows), 200)] {
		n := 12
		if text, ok := row[at].(string); ok {
			n = utf8.RuneCountInString(text) + 2
		}
		wide = max(wide, n)
	}
	return float64(min(wide, 60))
}

// aboutSheet says what the data is, with a bold first column.
func (t *table) aboutSheet(f *excelize.File, bold int, notes sheetNotes) error {
	sw, err := f.NewStreamWriter("About")
	if err != nil {
		return err
	}
	for i, w := range []float64{26, 40, 18, 10, 100} {
		if err := sw.SetColWidth(i+1, i+1, w); err != nil {
			return err
		}
	}
	lines := [][]any{{"MoatMetrics"}}
	for _, n := range []struct {
		count int64
		what  string
	}{
		{notes.rounded, "have more digits than the 15 that a spreadsheet keeps and are rounded to them: CSV has all"},
		{notes.text, "cannot be held by a spreadsheet as a number and are text"},
		{notes.cut, "have more characters than a spreadsheet keeps: CSV has all"},
	} {
		if n.count > 0 {
			lines = append(lines, []any{"Note", fmt.Sprintf("%d cells %s", n.count, n.what)})
		}
	}
	for i, line := range append(lines, t.about...) {
		cells := make([]any, len(line))
		for j, v := range line {
			if cells[j] = v; j == 0 {
				cells[j] = excelize.Cell{StyleID: bold, Value: v}
			}
		}
		if err := sw.SetRow("A"+strconv.Itoa(i+1), cells); err != nil {
			return fault.Wrapf(fault.Internal, err, "sheet About, row %d", i+1)
		}
	}
	return sw.Flush()
}
