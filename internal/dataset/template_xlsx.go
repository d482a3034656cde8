package dataset

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// notesSheet explains the columns of an XLSX template; an import leaves it out.
const notesSheet = "Notes"

// templateRows is for how many rows an XLSX template has formats and lists.
const templateRows = 10_000

// TemplateXLSX is [Template] as a workbook: what a column means stands as a note on its head
// and on a sheet of its own, dates and amounts have their formats, and cells that take one
// of a few values offer them.
func TemplateXLSX(name string) ([]byte, error) {
	fields, rows, err := templateOf(name)
	if err != nil {
		return nil, err
	}
	f := excelize.NewFile()
	defer f.Close()
	b := &book{File: f, sheet: strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")}
	b.do(f.SetSheetName("Sheet1", b.sheet))
	b.table(fields, rows)
	b.notes(fields)
	if b.err != nil {
		return nil, fmt.Errorf("template %s: %w", name, b.err)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// book writes a workbook until the first error.
type book struct {
	*excelize.File
	sheet string
	err   error
}

func (b *book) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *book) style(s *excelize.Style) int {
	id, err := b.NewStyle(s)
	b.do(err)
	return id
}

func (b *book) table(fields []Field, rows [][]string) {
	head := b.style(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E5EFF8"}}})
	needed := b.style(&excelize.Style{Font: &excelize.Font{Bold: true, Color: "FFFFFF"}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"0B62A8"}}})
	formats := map[Kind]int{}
	for i, field := range fields {
		col, err := excelize.ColumnNumberToName(i + 1)
		b.do(err)
		style, ok := formats[field.Kind]
		if !ok {
			style = b.style(&excelize.Style{CustomNumFmt: new(formatOf(field.Kind))})
			formats[field.Kind] = style
		}
		b.do(b.SetColStyle(b.sheet, col, style))
		b.do(b.SetColWidth(b.sheet, col, col, float64(max(12, len(field.Name)+4))))
		b.do(b.SetCellStr(b.sheet, col+"1", field.Name))
		b.do(b.SetCellStyle(b.sheet, col+"1", col+"1", map[bool]int{true: needed, false: head}[field.Required]))
		b.do(b.AddComment(b.sheet, excelize.Comment{Cell: col + "1", Author: "MoatMetrics", Text: noteOf(field)}))
		for r, row := range rows {
			b.cell(fmt.Sprintf("%s%d", col, r+2), field.Kind, row[i], style)
		}
		if values := choicesOf(field); values != nil {
			v := excelize.NewDataValidation(true)
			v.SetSqref(fmt.Sprintf("%[1]s2:%[1]s%[2]d", col, templateRows))
			b.do(v.SetDropList(values))
			v.SetError(excelize.DataValidationErrorStyleWarning, field.Name, "usual are: "+strings.Join(values, ", "))
			b.do(b.AddDataValidation(b.sheet, v))
		}
	}
	b.do(b.SetPanes(b.sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
}

// cell writes an example as the type of its field.
func (b *book) cell(at string, kind Kind, text string, style int) {
	switch kind {
	case Date, Timestamp:
		for _, form := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04:05Z"} {
			if day, err := time.Parse(form, text); err == nil {
				b.do(b.SetCellValue(b.sheet, at, day))
				b.do(b.SetCellStyle(b.sheet, at, at, style))
				return
			}
		}
	case Money, Price, Share, Hours, Integer:
		if isNumber(text) && text != "" {
			b.do(b.SetCellDefault(b.sheet, at, text))
			return
		}
	}
	b.do(b.SetCellStr(b.sheet, at, text))
}

// formatOf is the number format of a kind's cells; text keeps leading zeros of ids.
func formatOf(kind Kind) string {
	switch kind {
	case Date:
		return "yyyy-mm-dd"
	case Timestamp:
		return "yyyy-mm-dd hh:mm"
	case Money:
		return "#,##0.00"
	case Price, Share, Hours:
		return "0.00##"
	case Integer:
		return "0"
	}
	return "@"
}

var listOfWords = regexp.MustCompile(`^[a-z_]+(, [a-z_]+)* or [a-z_]+`)

// choicesOf are the values that a field takes, nil when there are too many: yes and no, or
// what its help lists when the example is one of them.
func choicesOf(f Field) []string {
	if f.Kind == Boolean {
		return []string{"yes", "no"}
	}
	values := strings.FieldsFunc(strings.ReplaceAll(listOfWords.FindString(f.Help), " or ", ", "), func(r rune) bool { return r == ',' || r == ' ' })
	if f.Kind != Text || !slices.Contains(values, f.Example) {
		return nil
	}
	return values
}

func noteOf(f Field) string {
	note := f.Help + "."
	if f.Required {
		note = "Needed: " + note
		if len(f.Instead) > 0 {
			note += " Instead: " + strings.Join(f.Instead, " or ") + "."
		}
	}
	return note
}

var kindNames = map[Kind]string{
	ID: "number or code", Text: "text", Date: "date", Timestamp: "date and time", Money: "amount", Price: "number", Share: "share", Hours: "hours", Integer: "whole number", Boolean: "yes or no", JSON: "list",
}

func (b *book) notes(fields []Field) {
	_, err := b.NewSheet(notesSheet)
	b.do(err)
	bold := b.style(&excelize.Style{Font: &excelize.Font{Bold: true}})
	b.do(b.SetSheetRow(notesSheet, "A1", &[]any{"Column", "Needed", "What it is", "Meaning", "Values"}))
	b.do(b.SetCellStyle(notesSheet, "A1", "E1", bold))
	for i, f := range fields {
		needed := ""
		if f.Required {
			needed = "yes"
		}
		b.do(b.SetSheetRow(notesSheet, fmt.Sprintf("A%d", i+2), &[]any{f.Name, needed, kindNames[f.Kind], f.Help, strings.Join(choicesOf(f), ", ")}))
	}
	b.do(b.SetSheetRow(notesSheet, fmt.Sprintf("A%d", len(fields)+3), &[]any{"Delete the example rows. Other columns may be added: they are kept. Import the file as it is; this sheet is left out."}))
	b.do(b.SetColWidth(notesSheet, "A", "C", 20))
	b.do(b.SetColWidth(notesSheet, "D", "E", 60))
}
