package xlsx

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Column is a column of a plain table. Its cells are quantity.Decimal, string, int64, bool,
// time.Time or nil; with the unit Date, texts such as 2026-03-01 become dates.
type Column struct {
	Name   string
	Unit   quantity.Unit
	Months bool // dates are first days of months
}

func (c Column) format() string {
	if c.Months && c.Unit == quantity.Date {
		return "yyyy-mm"
	}
	return office.Format(c.Unit, "")
}

// measured is how many rows a column's width is measured on.
const measured = 200

// Rows streams a table into a sheet, under a bold head that stays in view and filters. What
// one sheet cannot hold goes on in the next, under the same head. It returns how many rows
// there were; an error of rows is returned as it is.
func (b *Book) Rows(ctx context.Context, name string, columns []Column, rows iter.Seq2[[]any, error]) (int64, error) {
	next, stop := iter.Pull2(rows)
	defer stop()
	styles, err := b.plainStyles(columns)
	if err != nil {
		return 0, err
	}
	// The first rows give the widths.
	var early [][]any
	for len(early) < measured {
		row, err, ok := next()
		if err != nil {
			return 0, err
		}
		if !ok {
			break
		}
		early = append(early, slices.Clone(row)) // whoever yields may use it again
	}
	widths := plainWidths(columns, early)
	total := int64(0)
	pull := func() ([]any, error, bool) {
		if len(early) > 0 {
			row := early[0]
			early = early[1:]
			return row, nil, true
		}
		if total < measured { // all of them were early
			return nil, nil, false
		}
		return next()
	}
	for row, err, more := pull(); ; {
		s, failed := b.plainSheet(name, columns, widths)
		if failed != nil {
			return total, failed
		}
		line := make([]any, len(columns))
		cells := make([]excelize.Cell, len(columns))
		at := 1
		for ; more && at < b.most; row, err, more = pull() {
			if err != nil {
				return total, err
			}
			if at%1024 == 0 && ctx.Err() != nil {
				return total, ctx.Err()
			}
			at++
			total++
			for i := range columns {
				if line[i] = nil; i < len(row) && row[i] != nil {
					cells[i] = excelize.Cell{StyleID: styles[i], Value: b.value(row[i], columns[i].Unit == quantity.Date)}
					line[i] = &cells[i]
				}
			}
			if err := s.SetRow("A"+strconv.Itoa(at), line); err != nil {
				return total, fmt.Errorf("workbook: sheet %s, row %d: %w", s.Sheet, at, err)
			}
		}
		if err != nil {
			return total, err
		}
		if failed := b.plainEnd(s, len(columns), at); failed != nil {
			return total, failed
		}
		if !more {
			return total, nil
		}
	}
}

func (b *Book) plainStyles(columns []Column) ([]int, error) {
	styles := make([]int, len(columns))
	for i, c := range columns {
		var err error
		if styles[i], err = b.style(style{format: c.format()}); err != nil {
			return nil, err
		}
	}
	return styles, nil
}

// plainSheet begins a sheet with its head.
func (b *Book) plainSheet(asked string, columns []Column, widths []float64) (*excelize.StreamWriter, error) {
	name, err := b.sheet(asked)
	if err != nil {
		return nil, fmt.Errorf("workbook: sheet %q: %w", asked, err)
	}
	s, err := b.f.NewStreamWriter(name)
	if err != nil {
		return nil, fmt.Errorf("workbook: sheet %s: %w", name, err)
	}
	for i, w := range widths {
		if err := s.SetColWidth(i+1, i+1, w); err != nil {
			return nil, fmt.Errorf("workbook: sheet %s: %w", name, err)
		}
	}
	head, err := b.headStyle(false)
	if err != nil {
		return nil, err
	}
	if err := s.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, fmt.Errorf("workbook: sheet %s: %w", name, err)
	}
	line := make([]any, len(columns))
	for i, c := range columns {
		line[i] = excelize.Cell{StyleID: head, Value: b.text(c.Name)}
	}
	return s, s.SetRow("A1", line)
}

// plainEnd puts the filter on and ends the sheet: the filter must be there before that.
func (b *Book) plainEnd(s *excelize.StreamWriter, columns, rows int) error {
	corner, err := excelize.CoordinatesToCellName(max(1, columns), rows)
	if err == nil {
		err = b.f.AutoFilter(s.Sheet, "A1:"+corner, nil)
	}
	if err == nil {
		err = s.Flush()
	}
	if err != nil {
		return fmt.Errorf("workbook: sheet %s: %w", s.Sheet, err)
	}
	return nil
}

// plainWidths are in characters, from the head and the first rows.
func plainWidths(columns []Column, rows [][]any) []float64 {
	widths := make([]float64, len(columns))
	for i, c := range columns {
		wide := utf8.RuneCountInString(c.Name) + 4 // the filter's button
		for _, row := range rows {
			n := 12
			if i < len(row) {
				if text, ok := row[i].(string); ok {
					n = utf8.RuneCountInString(text) + 2
				}
			}
			wide = max(wide, n)
		}
		widths[i] = float64(min(wide, 60))
	}
	return widths
}

// Lines writes a small sheet of texts and numbers with a bold first column: what a table's
// sheets are about.
func (b *Book) Lines(name string, widths []float64, lines [][]any) error {
	name, err := b.sheet(name)
	if err != nil {
		return fmt.Errorf("workbook: %w", err)
	}
	s, err := b.f.NewStreamWriter(name)
	if err != nil {
		return fmt.Errorf("workbook: sheet %s: %w", name, err)
	}
	for i, w := range widths {
		if err := s.SetColWidth(i+1, i+1, w); err != nil {
			return fmt.Errorf("workbook: sheet %s: %w", name, err)
		}
	}
	bold, err := b.style(style{bold: true})
	if err != nil {
		return err
	}
	plain, err := b.style(style{})
	if err != nil {
		return err
	}
	for i, line := range lines {
		cells := make([]any, len(line))
		for j, v := range line {
			id := plain
			if j == 0 {
				id = bold
			}
			cells[j] = excelize.Cell{StyleID: id, Value: b.value(v, false)}
		}
		if err := s.SetRow("A"+strconv.Itoa(i+1), cells); err != nil {
			return fmt.Errorf("workbook: sheet %s, row %d: %w", name, i+1, err)
		}
	}
	if err := s.Flush(); err != nil {
		return fmt.Errorf("workbook: sheet %s: %w", name, err)
	}
	return nil
}
