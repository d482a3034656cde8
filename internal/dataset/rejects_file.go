package dataset

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// rejectColumns are the columns of a rejects file that say why; they follow the file's own
// and are left out when the corrected file is imported.
var rejectColumns = []string{"reject_file", "reject_record", "reject_line", "reject_column", "reject_value", "reject_code", "reject_message", "reject_suggestion", "reject_row"}

// RejectsFile writes rejected rows as CSV in the columns of their own file, so that they
// can be corrected and imported alone, followed by where they stood and why they were
// rejected. No cell runs as a formula in a spreadsheet: those that would have a ' in front,
// which the import of the file takes off again.
type RejectsFile struct {
	w     *csv.Writer
	width int
}

// NewRejectsFile begins a file for the rejects of files that have the columns of r.
func NewRejectsFile(w io.Writer, r ImportResult) (*RejectsFile, error) {
	x := &RejectsFile{w: csv.NewWriter(w), width: len(r.Columns)}
	var head []string
	for _, c := range r.Columns {
		head = append(head, InertCell(c.Source))
	}
	return x, x.w.Write(append(head, rejectColumns...))
}

// Write adds rejects of the result's file. A row that does not have the file's columns, as
// it is broken, stands as it was in the last column alone.
func (x *RejectsFile) Write(r ImportResult, rejects []Reject) error {
	for _, j := range rejects {
		cells, whole := make([]string, x.width), j.Row
		if own := cellsOf(j.Row, r.Dialect.Delimiter); len(own) == x.width && len(j.Row) < maxRowText {
			cells, whole = own, ""
		}
		row := append(cells, r.File, fmt.Sprint(j.Record), fmt.Sprint(j.Line), j.Column, j.Value, j.Code, j.Message, j.Suggestion, whole)
		for i := range row {
			row[i] = InertCell(row[i])
		}
		if err := x.w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is left; the writer stays open.
func (x *RejectsFile) Close() error {
	x.w.Flush()
	return x.w.Error()
}

// cellsOf takes a rejected row apart.
func cellsOf(row, delim string) []string {
	r := csv.NewReader(strings.NewReader(row + "\n"))
	r.FieldsPerRecord = -1
	if c, _ := utf8.DecodeRuneInString(delim); delim != "" {
		r.Comma = c
	}
	cells, err := r.Read()
	if err != nil {
		return nil
	}
	if _, err := r.Read(); err != io.EOF {
		return nil
	}
	return cells
}

var (
	runsAsFormula = regexp.MustCompile(`^'*[=+\-@\t\r]`)
	plainNumber   = regexp.MustCompile(`^[+-]?\d[\d.,]*$`)
)

// InertCell is a cell that no spreadsheet runs as a formula.
func InertCell(s string) string {
	if runsAsFormula.MatchString(s) && !plainNumber.MatchString(s) {
		return "'" + s
	}
	return s
}

// quotedCell is the SQL of a cell as it stands in a row of text.
func quotedCell(cell, delim string) string {
	return fmt.Sprintf(`CASE WHEN contains(%[1]s, %[2]s) OR contains(%[1]s, '"') OR contains(%[1]s, chr(10)) OR contains(%[1]s, chr(13)) THEN '"' || replace(%[1]s, '"', '""') || '"' ELSE coalesce(%[1]s, '') END`, cell, q(delim))
}

// ownHeaders are the headers of a file without those of a rejects file, and whether it is one.
func ownHeaders(headers []string) ([]string, bool) {
	if !slices.Contains(headers, "reject_line") || !slices.Contains(headers, "reject_code") {
		return headers, false
	}
	return slices.DeleteFunc(slices.Clone(headers), func(h string) bool { return slices.Contains(rejectColumns, h) }), true
}

// leaveReasonsOut makes the columns of a rejects file or an export that are no fields no
// part of its rows.
func (l *load) leaveReasonsOut() {
	_, rejects := ownHeaders(l.t.Layout.Header)
	if l.ours = rejects || l.exportColumn(exportKey) != ""; !l.ours {
		return
	}
	left := map[string]string{}
	for _, h := range l.t.Layout.Header {
		if slices.Contains(rejectColumns, h) || h == exportKey || h == exportAttributes {
			left[h] = ""
		}
	}
	l.m.Columns = merged(l.m.Columns, left)
}

// takeQuotesOff undoes what keeps the cells of our own files from running as formulas.
func (l *load) takeQuotesOff(ctx context.Context) error {
	if !l.ours {
		return nil
	}
	var set []string
	for i := range l.t.Layout.Header {
		set = append(set, fmt.Sprintf("c%d = %s", i, quoteOff(fmt.Sprintf("c%d", i))))
	}
	return l.s.Exec(ctx, "UPDATE "+l.name("raw")+" SET "+strings.Join(set, ", "))
}

// quoteOff is the SQL of a cell without the quote that [InertCell] put in front.
func quoteOff(cell string) string {
	return fmt.Sprintf(`CASE WHEN regexp_matches(%[1]s, '^''+[=+@\t\r-]') THEN substr(%[1]s, 2) ELSE %[1]s END`, cell)
}
