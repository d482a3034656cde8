package dataset

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// table is one readable table of a file: what the engine reads directly when Regular,
// otherwise a clean copy with the columns _record and _line in front.
type table struct {
	Upload  upload
	Layout  layout
	Dialect Dialect
	Path    string
	Clean   bool      // Path is a clean copy
	Records int64     // records read, rejected ones included
	broken  *csvSink  // records that could not be read as rows, in the columns of Reject; nil when regular
	Ragged  []int64   // the first records with too few cells
	RaggedN int64     // how many there are
	Stray   noted     // records with quotes that were taken as text
	Shifted noted     // records whose blank cell too many was left out
	Redone  noted     // records read with another delimiter than the file's
	Heads   noted     // repeated headers, by physical line
	Footer  int64     // lines below the table, set aside
	Others  int64     // tables below the first, set aside
	Open    bool      // the file ends without a line end
	Cut     bool      // and its last record has too few cells or an open quote
	MaxLine int64     // bytes of the longest line of a clean copy
	Sheet   *sheet    // workbooks: what was noticed of the sheet; it is closed
	Serials dateBasis // workbooks: what a number in a date column counts from
}

// noted counts records of a kind and keeps the first ones' numbers.
type noted struct {
	N     int64
	First []int64
}

func (n *noted) add(record int64) {
	if n.N++; len(n.First) < sampleSize {
		n.First = append(n.First, record)
	}
}

type dateBasis bool // true is the 1904 system

// Reject is one record that was not stored, and why.
type Reject struct {
	Record     int64  `json:"record"`
	Line       int64  `json:"line"`
	Column     string `json:"column"`
	Value      string `json:"value"`
	Code       string `json:"code"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"`
	Row        string `json:"-"` // the record as it stood in the file
}

// Codes of rejects and findings about a file's form.
const (
	codeRagged       = "ragged_row"
	codeTooMany      = string(tooManyFields)
	codeUnterminated = string(openQuote)
	codeStray        = string(strayQuote)
	codeFooter       = "footer_line"
	codeOtherTable   = "other_table"
)

// csvSink writes RFC 4180 text with commas; the first failed write is kept.
type csvSink struct {
	path string
	file *os.File
	out  *bufio.Writer
	err  error
	rows int64
	long int64 // bytes of the longest row
}

func createSink(dir, name string) (*csvSink, error) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, diskFault(err)
	}
	return &csvSink{path: f.Name(), file: f, out: bufio.NewWriterSize(f, 1<<20)}, nil
}

func (s *csvSink) write(cells ...string) {
	size := int64(len(cells))
	for _, c := range cells {
		size += int64(len(c)) + 2
	}
	s.long = max(s.long, size)
	for i, c := range cells {
		if i > 0 {
			s.out.WriteByte(',')
		}
		if strings.ContainsAny(c, ",\"\n\r") || c != "" && (c[0] == ' ' || c[len(c)-1] == ' ') {
			s.out.WriteByte(quote)
			s.out.WriteString(strings.ReplaceAll(strings.ReplaceAll(c, `"`, `""`), "\r", ""))
			s.out.WriteByte(quote)
			continue
		}
		s.out.WriteString(c)
	}
	if err := s.out.WriteByte('\n'); err != nil && s.err == nil {
		s.err = err
	}
	s.rows++
}

func (s *csvSink) close() error {
	if err := s.out.Flush(); err != nil && s.err == nil {
		s.err = err
	}
	if err := s.file.Close(); err != nil && s.err == nil {
		s.err = err
	}
	if s.err != nil {
		return diskFault(s.err)
	}
	return nil
}

// rowSource yields rows of a table: a delimited file or a sheet.
type rowSource interface {
	next() (record, error)
}

// maxPending bounds the short lines that are held until it is known whether they stand
// below the table.
const maxPending = 50

// rewriter makes the clean copy of an irregular file or a workbook.
type rewriter struct {
	t       *table
	out     *csvSink
	cells   []string
	asIs    bool
	named   bool     // the header is one of names: a row of figures that comes again is a row
	other   bool     // inside a table below the first
	pending []record // lines of one cell since the last row
	score   func([]string) int
}

// rewrite makes the clean copy of an irregular file or a workbook. Rows with too few
// cells are padded; rows with too many, lines below the table and other tables are set
// aside, never cut.
func rewrite(ctx context.Context, dir, name string, t *table, rows rowSource, asIs bool, score func([]string) int, progress func(rows int64)) error {
	out, err := createSink(dir, name+".clean.csv")
	if err != nil {
		return err
	}
	defer out.file.Close()
	if t.broken, err = createSink(dir, name+".broken.csv"); err != nil {
		return err
	}
	defer t.broken.file.Close()
	w := &rewriter{t: t, out: out, cells: make([]string, len(t.Layout.Header)+2), asIs: asIs, named: names(t.Layout.Header), score: score}
	for n := int64(0); ; n++ {
		rec, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if n%8192 == 0 {
			if err := ctx.Err(); err != nil {
				return fault.Wrapf(fault.Canceled, err, "the import was canceled")
			}
			if progress != nil {
				progress(t.Records)
			}
		}
		if !blank(rec.Fields) {
			w.take(rec)
		}
	}
	for _, rec := range w.pending {
		t.Records++
		t.Footer++
		t.setAside(rec, codeFooter, "the line stands below the table", "nothing to do when it is a note; otherwise give it the cells of a row, or import with options: {rows: as_is}")
		t.Cut = false
	}
	if r, ok := rows.(*recordReader); ok {
		t.Open, t.Layout.Ends = r.open, r.ends
		t.Cut = t.Cut && t.Open
	}
	t.Path, t.Clean, t.MaxLine = out.path, true, 2*out.long
	return errors.Join(out.close(), t.broken.close())
}

// take decides what a record is: a row, a header again, a line below the table, or part
// of another table.
func (w *rewriter) take(rec record) {
	t, width := w.t, len(w.t.Layout.Header)
	if !w.asIs && width > 1 && rec.Flaw == sound {
		switch {
		case w.named && slices.ContainsFunc(t.Layout.HeaderRows, func(h []string) bool { return slices.EqualFunc(rightTrim(h), rightTrim(rec.Fields), sameName) }):
			w.flush()
			t.Heads.add(rec.Line)
			w.other = false
			return
		case w.startsTable(rec):
			w.flush()
			w.other = true
			t.Others++
		}
		if w.other {
			t.Records++
			t.setAside(rec, codeOtherTable, "the line belongs to another table below the first", "save each table as a file of its own")
			return
		}
		if w.note(rec) && len(w.pending) < maxPending {
			w.pending = append(w.pending, rec)
			return
		}
	}
	w.flush()
	w.row(rec)
}

// note reports whether a record may be a line below the table: one cell of at least
// three; where the others are there and blank, words in a column of something else.
func (w *rewriter) note(rec record) bool {
	width, columns := len(w.t.Layout.Header), w.t.Layout.Profile
	if width < 3 || len(rightTrim(rec.Fields)) != 1 {
		return false
	}
	if len(rec.Fields) < width || len(columns) == 0 {
		return len(rec.Fields) < width
	}
	k, ok := columns[0].typical()
	return ok && k != word && kindOf(rec.Fields[0]) == word
}

// flush takes the lines held back for rows, as a row follows them.
func (w *rewriter) flush() {
	for _, rec := range w.pending {
		w.row(rec)
	}
	w.pending = w.pending[:0]
}

// startsTable reports whether a record is the header of another table: names only, as
// many cells as the header has not, and either most of its names or, after a blank line,
// names that a dataset knows.
func (w *rewriter) startsTable(rec record) bool {
	fields, header := rightTrim(rec.Fields), rightTrim(w.t.Layout.Header)
	if len(fields) == len(header) && !rec.Gap || len(fields) < 2 || filled(fields) < len(fields) || !names(fields) {
		return false
	}
	same := 0
	for _, f := range fields {
		if slices.ContainsFunc(header, func(h string) bool { return sameName(f, h) }) {
			same++
		}
	}
	return len(fields) != len(header) && same > 1 && 4*same >= 3*min(len(fields), len(header)) ||
		rec.Gap && w.score(fields) >= knownHeader && same < len(fields)
}

// row writes a record as a row or sets it aside.
func (w *rewriter) row(rec record) {
	t, width := w.t, len(w.t.Layout.Header)
	t.Records++
	t.Cut = false
	fields, shifted, fits := rec.Fields, false, true
	if len(fields) > width {
		if fields, shifted, fits = align(fields, t.Layout.Profile, width, w.asIs); !fits {
			fields = trimExtra(fields, width)
		}
	}
	switch {
	case rec.Flaw == openQuote:
		t.Cut = true
		t.setAside(rec, codeUnterminated, "a quote opens in this line and never closes", "close or double the quote")
		return
	case rec.Flaw == badObject:
		t.Cut = true
		t.setAside(rec, string(badObject), "the line is no JSON object", "write the row as one object with its values, such as {\"amount\": 12.50}")
		return
	case len(fields) > width:
		t.setAside(rec, codeTooMany, "the row has "+strconv.Itoa(len(fields))+" cells, the header "+strconv.Itoa(width), "quote cells that hold the delimiter (such as 1,234.50 in a comma-separated file)")
		return
	case !fits:
		t.setAside(rec, codeTooMany, "the row has "+strconv.Itoa(len(rec.Fields))+" cells, the header "+strconv.Itoa(width)+", and it is not clear which blank one is too many", "remove the blank cell that does not belong")
		return
	case len(fields) < width:
		t.Cut = true
		t.RaggedN++
		if len(t.Ragged) < sampleSize {
			t.Ragged = append(t.Ragged, t.Records)
		}
	}
	switch {
	case rec.Flaw == strayQuote:
		t.Stray.add(t.Records)
	case rec.Flaw == otherDelimiter:
		t.Redone.add(t.Records)
	case shifted:
		t.Shifted.add(t.Records)
	}
	w.cells[0], w.cells[1] = strconv.FormatInt(t.Records, 10), strconv.FormatInt(rec.Line, 10)
	n := copy(w.cells[2:], fields)
	clear(w.cells[2+n:])
	w.out.write(w.cells...)
}

// clearly is by how much one alignment of a row must fit its columns better than the next
// to be taken.
const clearly = 0.5

// align leaves out the blank cells that a row has too many. Trailing ones go, unless the
// row has one cell too many and leaving out another blank cell makes its cells fit the
// columns clearly better: then the row was shifted. The last result is false when several
// readings are as good.
func align(fields []string, columns []profile, width int, asIs bool) (row []string, shifted, ok bool) {
	trimmed := trimExtra(fields, width)
	if len(fields) != width+1 || asIs || len(columns) != width {
		return trimmed, false, true
	}
	before, after := make([]float64, width+1), make([]float64, width+1) // fit of the cells up to i in place, of those from i one to the left
	for i := range width {
		k := kindOf(fields[i])
		before[i+1] = before[i] + columns[i].fit(k)
	}
	for i := width - 1; i >= 0; i-- {
		after[i] = after[i+1] + columns[i].fit(kindOf(fields[i+1]))
	}
	best, second, at := -1.0, -1.0, -1
	for i := width; i >= 0; i-- {
		if strings.TrimSpace(fields[i]) != "" || i < width && strings.TrimSpace(fields[i+1]) == "" {
			continue // of neighboring blanks the last stands for all
		}
		switch fit := before[i] + after[i]; {
		case fit > best:
			best, second, at = fit, best, i
		case fit > second:
			second = fit
		}
	}
	switch trailing := len(trimmed) == width; {
	case at < 0, trailing && best-before[width]-after[width] < clearly:
		return trimmed, false, true
	case second >= 0 && best-second < clearly:
		return fields, false, false
	}
	return slices.Delete(slices.Clone(fields), at, at+1), true, true
}

func blank(fields []string) bool {
	for _, f := range fields {
		if strings.TrimSpace(f) != "" {
			return false
		}
	}
	return true
}

// trimExtra drops blank cells beyond the header's width.
func trimExtra(fields []string, width int) []string {
	for len(fields) > width && strings.TrimSpace(fields[len(fields)-1]) == "" {
		fields = fields[:len(fields)-1]
	}
	return fields
}

// setAside notes a record that cannot be a row. The sink's columns are those of Reject.
func (t *table) setAside(rec record, code, message, suggestion string) {
	row := strings.Join(rec.Fields, t.Dialect.Delimiter)
	t.broken.write(strconv.FormatInt(t.Records, 10), strconv.FormatInt(rec.Line, 10), "", cutText(row, 200), code, message, suggestion, cutText(row, maxRowText))
}

// maxRowText bounds the copy of a rejected row.
const maxRowText = 64 << 10

// cutText shortens s to at most n bytes at a character's edge.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

// readTable surveys an upload and makes it readable for the engine.
func readTable(ctx context.Context, dir string, u upload, dataset string, m Mapping, progress func(rows int64)) (*table, error) {
	t := &table{Upload: u, Path: u.Path, Dialect: Dialect{Encoding: u.Encoding, Compression: u.Packed}}
	score := headerScorer(dataset, m)
	name := filepath.Base(u.Path)
	if u.Encoding == encXLSX {
		sheet, err := openSheet(u.Path, dir, m.Options, score)
		if err != nil {
			return nil, err
		}
		defer sheet.close()
		t.Layout = layout{Header: sheet.header, HeaderLine: sheet.headerLine, HeaderRows: [][]string{sheet.header}}
		t.Dialect.Sheet, t.Dialect.HeaderLine = sheet.name, sheet.headerLine
		t.Serials = dateBasis(sheet.date1904)
		t.Sheet = sheet
		return t, rewrite(ctx, dir, name, t, sheet, m.Options.asIs(), score, progress)
	}
	o := m.Options
	if u.Encoding == encParquet { // our own text: nothing to find out
		o = MappingOptions{Delimiter: ",", Quote: `"`, HeaderLine: 1, HeaderRows: 1, Rows: "as_is"}
	} else if rows, err := openJSON(u.Path); err != nil {
		return nil, err
	} else if rows != nil {
		defer rows.close()
		t.Layout = layout{Header: rows.columns, HeaderRows: [][]string{rows.columns}}
		t.Dialect.Encoding = encJSON
		return t, rewrite(ctx, dir, name, t, rows, true, score, progress)
	}
	var err error
	if t.Layout, err = survey(u.Path, o, score); err != nil {
		return nil, err
	}
	t.Dialect.Delimiter = string(rune(t.Layout.Delim))
	if t.Layout.Regular {
		t.Records, t.Open = t.Layout.Records, t.Layout.Open
	} else if err := careful(ctx, dir, name, t, o.asIs(), score, progress); err != nil {
		return nil, err
	}
	if u.Encoding != encParquet {
		t.Dialect.describe(t)
	} else {
		t.Dialect.Delimiter = ""
	}
	return t, nil
}

// careful makes the clean copy of a delimited file.
func careful(ctx context.Context, dir, name string, t *table, asIs bool, score func([]string) int, progress func(rows int64)) error {
	f, err := os.Open(t.Upload.Path)
	if err != nil {
		return diskFault(err)
	}
	defer f.Close()
	rows, err := afterHeader(f, t.Layout)
	if err != nil {
		return err
	}
	if rows.width, rows.columns = len(t.Layout.Header), t.Layout.Profile; asIs {
		rows.width = 0
	}
	return rewrite(ctx, dir, name, t, rows, asIs, score, progress)
}

// describe fills in what is known of a delimited file once it was read.
func (d *Dialect) describe(t *table) {
	l := t.Layout
	if l.Quote != 0 {
		d.Quote, d.Escape = string(rune(l.Quote)), "double"
	}
	if l.Backslash {
		d.Escape = "backslash"
	}
	d.RecordEnd = l.Ends.String()
	d.HeaderLine, d.HeaderRows, d.Preamble = l.HeaderLine, len(l.HeaderRows), l.HeaderLine-1
	d.Footer, d.Evidence = t.Footer, strings.Join(l.Evidence, "; ")
	if t.Others > 0 {
		d.Tables = int(t.Others) + 1
	}
}

// afterHeader reads a file up to and including its header.
func afterHeader(f io.ReadSeeker, l layout) (*recordReader, error) {
	rows := newRecordReader(f, l.grammar)
	rows.width = l.width
	for {
		rec, err := rows.next()
		if errors.Is(err, io.EOF) || err == nil && rec.Line >= l.HeaderEnd {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
