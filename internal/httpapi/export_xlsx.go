package httpapi

import (
	"context"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/document/xlsx"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// workbook is the answer with a table as a workbook: the sheet Data holds it, About says
// what it is.
func (s *server) workbook(ctx context.Context, name string, t *table) (*huma.StreamResponse, error) {
	b, err := t.xlsx(ctx, name)
	if err != nil {
		return nil, problemOf(err)
	}
	return attachment(s.opt.Log, name+".xlsx", xlsxType, func(w io.Writer) error {
		defer b.Close()
		_, err := b.WriteTo(w)
		return err
	}), nil
}

// xlsx builds the workbook; the caller closes it.
func (t *table) xlsx(ctx context.Context, title string) (*xlsx.Book, error) {
	b, err := xlsx.New(xlsx.Options{Title: title})
	if err != nil {
		return nil, err
	}
	if err := t.sheets(ctx, b); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (t *table) sheets(ctx context.Context, b *xlsx.Book) error {
	columns := make([]xlsx.Column, len(t.columns))
	for i, c := range t.columns {
		columns[i] = xlsx.Column{Name: c.Name, Unit: c.Unit}
		if c.Type == "date" {
			columns[i].Unit, columns[i].Months = quantity.Date, c.Name == "month"
		}
	}
	if _, err := b.Rows(ctx, "Data", columns, func(yield func([]any, error) bool) {
		for _, row := range t.rows {
			if !yield(row, nil) {
				return
			}
		}
	}); err != nil {
		return err
	}
	lines := [][]any{{"MoatMetrics"}}
	for _, note := range b.Notes.Sentences() {
		lines = append(lines, []any{"Note", note})
	}
	return b.Lines("About", []float64{26, 40, 18, 10, 100}, append(lines, t.about...))
}
