package document

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// WriteJSON writes the document as it is, decimals as strings so that no reader rounds them.
// Reading it into a Document gives the same document without its brand.
func WriteJSON(w io.Writer, d *Document) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(d)
}

// bom is the mark of UTF-8 that Excel wants before a CSV file.
const bom = "\ufeff"

// WriteCSV writes all figures of the document as one CSV file: exact, ratios as fractions.
// What the document is about, the key figures, each table and chart, the findings and their
// drivers stand below each other with an empty line between; each line begins with the name of
// its table, so that one of them is a filter away. Texts that a spreadsheet would run as a
// formula have a ' in front; an empty cell is a value that is not known.
func WriteCSV(ctx context.Context, w io.Writer, d *Document) error {
	for i, s := range append([]sheet{aboutSheet(d)}, sheetsOf(d)...) {
		mark := "\n"
		if i == 0 {
			mark = bom
		}
		if _, err := io.WriteString(w, mark); err != nil {
			return err
		}
		if err := s.write(ctx, w, true); err != nil {
			return err
		}
	}
	return nil
}

// WriteTables writes the same as a zip with a CSV file for each table, for other programs.
func WriteTables(ctx context.Context, w io.Writer, d *Document) error {
	out := zip.NewWriter(w)
	for i, s := range append([]sheet{aboutSheet(d)}, sheetsOf(d)...) {
		f, err := out.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%02d-%s.csv", i, slug(s.name)), Method: zip.Deflate, Modified: d.At.UTC()})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(f, bom); err != nil {
			return err
		}
		if err := s.write(ctx, f, false); err != nil {
			return err
		}
	}
	return out.Close()
}

// sheet is a CSV file: a head and rows of string, quantity.Decimal or nil.
type sheet struct {
	name string
	head []string
	rows iter.Seq[[]any]
}

// write writes the head and the rows, each with the sheet's name in front when named is set.
func (s sheet) write(ctx context.Context, w io.Writer, named bool) error {
	out := csv.NewWriter(w)
	line, cells := make([]string, len(s.head)+1), 1
	if !named {
		line, cells = line[1:], 0
	} else {
		line[0] = "Table"
	}
	for i, h := range s.head {
		line[cells+i] = Inert(Clean(h))
	}
	out.Write(line) // an error stays in the writer
	n := 0
	for row := range s.rows {
		if named {
			line[0] = Inert(Clean(s.name))
		}
		for i := range s.head {
			line[cells+i] = ""
			if i < len(row) {
				line[cells+i] = csvCell(row[i])
			}
		}
		if err := out.Write(line); err != nil {
			return err
		}
		if n++; n%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	out.Flush()
	return out.Error()
}

func csvCell(v any) string {
	switch v := v.(type) {
	case quantity.Decimal:
		return v.String()
	case *quantity.Decimal:
		if v != nil {
			return v.String()
		}
	case string:
		return Inert(Clean(v))
	}
	return ""
}

// slug is a title as a part of a file's name.
func slug(title string) string {
	parts := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	name := strings.Join(parts, "-")
	if name == "" {
		return "table"
	}
	return strings.TrimRight(name[:min(len(name), 60)], "-")
}

// sheetsOf returns the document's figures: key figures first, then tables and charts in the
// order of the document, findings and drivers.
func sheetsOf(d *Document) []sheet {
	var tables []sheet
	var tiles []Tile
	var findings []*Finding
	drivers := false
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			switch b := b.(type) {
			case *Tiles:
				tiles = append(tiles, b.Items...)
			case *Table:
				tables = append(tables, b.sheet())
			case *Chart:
				tables = append(tables, b.AsTable().sheet())
			case *Finding:
				findings, drivers = append(findings, b), drivers || len(b.Drivers) > 0
			}
		}
	}
	var out []sheet
	if len(tiles) > 0 {
		out = append(out, tileSheet(tiles))
	}
	out = append(out, tables...)
	if len(findings) > 0 {
		out = append(out, findingSheet(findings))
	}
	if drivers {
		out = append(out, driverSheet(findings))
	}
	return out
}

func aboutSheet(d *Document) sheet {
	rows := [][]any{{"Title", d.Title}, {"Client", d.Client}, {"Period", d.Period}, {"As of", d.At.UTC().Format("2006-01-02")}}
	for _, f := range d.Facts {
		rows = append(rows, []any{f.Label, f.Text})
	}
	for _, w := range d.Warnings {
		rows = append(rows, []any{"Warning", w})
	}
	return sheet{"about", []string{"What", "Value"}, slices.Values(rows)}
}

// sheet is the table with its units in the head. Headings of groups become a column, sums
// are kept and say what they are.
func (t *Table) sheet() sheet {
	groups := slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Kind == Group })
	sums := slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Kind == Subtotal || r.Kind == Total })
	currencies := slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Currency != "" })
	whys := slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Why != "" })
	var head []string
	optional := func(has bool, name string) {
		if has {
			head = append(head, name)
		}
	}
	optional(groups, "Group")
	for _, c := range t.Columns {
		head = append(head, csvHead(c))
	}
	optional(currencies, "Currency")
	optional(sums, "Row")
	optional(whys, "Why")
	return sheet{t.Title, head, func(yield func([]any) bool) {
		group, row := "", make([]any, 0, len(head))
		for _, r := range t.Rows {
			if r.Kind == Group {
				group = ""
				if len(r.Cells) > 0 {
					group, _ = r.Cells[0].(string)
				}
				continue
			}
			row = row[:0]
			if r.Kind == Total {
				group = ""
			}
			if groups {
				row = append(row, group)
			}
			for i := range t.Columns {
				if i < len(r.Cells) {
					row = append(row, r.Cells[i])
				} else {
					row = append(row, nil)
				}
			}
			if currencies {
				row = append(row, r.Currency)
			}
			if sums {
				row = append(row, string(r.Kind))
			}
			if whys {
				row = append(row, r.Why)
			}
			if !yield(row) {
				return
			}
		}
	}}
}

// csvHead names a column with its unit; a ratio is written as a fraction.
func csvHead(c Column) string {
	label := c.Label
	if label == "" {
		label = strings.ToUpper(c.Name[:min(1, len(c.Name))]) + c.Name[min(1, len(c.Name)):]
	}
	unit := SayUnit(c.Unit, c.Currency)
	switch {
	case c.Unit == quantity.Ratio:
		unit = "fraction"
	case c.Unit.HasMoney() && c.Currency == "":
		unit = ""
	}
	if unit == "" {
		return label
	}
	return label + " (" + unit + ")"
}

func tileSheet(tiles []Tile) sheet {
	return sheet{"key figures", []string{"Figure", "Value", "Unit", "Currency", "Period", "Low", "High", "Interval of", "Change", "Change versus", "Confidence", "Note"}, func(yield func([]any) bool) {
		for _, t := range tiles {
			low, high := ends(t.Interval)
			var change, versus any
			if t.Change != nil {
				change, versus = t.Change.Value.Number, t.Change.Versus
			}
			note := t.Note
			if t.Value.Number == nil {
				note = strings.TrimSpace(t.Value.Missing + " " + note)
			}
			if !yield([]any{t.Label, t.Value.Number, string(t.Value.Unit), t.Value.Currency, t.Period, low, high, ofWhat(t.Interval), change, versus, t.Grade, note}) {
				return
			}
		}
	}}
}

func ends(i *Interval) (low, high any) {
	if i == nil {
		return nil, nil
	}
	return i.Low, i.High
}

func ofWhat(i *Interval) any {
	if i == nil {
		return nil
	}
	return i.Of
}

func findingSheet(findings []*Finding) sheet {
	return sheet{"findings", []string{"Finding", "Headline", "Subject", "Measure", "Value", "Unit", "Currency", "Low", "High", "Interval of", "At stake in a year", "Stake's currency", "Confidence", "Recommendation", "Review"}, func(yield func([]any) bool) {
		for _, f := range findings {
			low, high := ends(f.Interval)
			if !yield([]any{f.Reference, f.Headline, f.Subject, f.Measure, f.Value.Number, string(f.Value.Unit), f.Value.Currency, low, high, ofWhat(f.Interval), f.Stake.Number, f.Stake.Currency, f.Grade, f.Recommendation, f.Review}) {
				return
			}
		}
	}}
}

func driverSheet(findings []*Finding) sheet {
	return sheet{"drivers of findings", []string{"Finding", "Driver", "Effect", "Unit", "Currency", "Versus"}, func(yield func([]any) bool) {
		for _, f := range findings {
			for _, d := range f.Drivers {
				if !yield([]any{f.Reference, d.Name, d.Value.Number, string(d.Value.Unit), d.Value.Currency, f.Versus}) {
					return
				}
			}
		}
	}}
}
