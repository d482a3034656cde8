package app

import (
	"encoding/csv"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/document"
)

// table prints rows as the format asks: an aligned table, CSV, or v as JSON.
func (c *cli) table(head []string, rows [][]string, v any) error {
	switch c.format {
	case "json":
		return c.printJSON(v)
	case "csv":
		w := csv.NewWriter(c.out)
		if err := w.Write(head); err != nil {
			return err
		}
		for _, row := range rows {
			for i := range row {
				row[i] = document.Inert(row[i])
			}
			if err := w.Write(row); err != nil {
				return err
			}
		}
		w.Flush()
		return w.Error()
	}
	width := make([]int, len(head))
	numeric := make([]bool, len(head))
	for i, h := range head {
		width[i] = utf8.RuneCountInString(h)
		numeric[i] = len(rows) > 0
		for _, row := range rows {
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
			numeric[i] = numeric[i] && looksNumeric(row[i])
		}
	}
	line := func(cells []string) error {
		var b strings.Builder
		for i, cell := range cells {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if numeric[i] {
				b.WriteString(pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
		}
		_, err := fmt.Fprintln(c.out, strings.TrimRight(b.String(), " "))
		return err
	}
	if err := line(head); err != nil {
		return err
	}
	for _, row := range rows {
		if err := line(row); err != nil {
			return err
		}
	}
	return nil
}

func looksNumeric(s string) bool {
	return s == "" || s == "-" || strings.Trim(s, "-+0123456789.,% ") == ""
}

func joinList(items []string) string {
	const most = 40
	if len(items) > most {
		return strings.Join(items[:most], ", ") + fmt.Sprintf(" and %d more", len(items)-most)
	}
	return strings.Join(items, ", ")
}
