package dataset

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
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
	MaxLine int64     // bytes of the longest line of a clean copy
	Serials dateBasis // workbooks: what a number in a date column counts from
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

// rewrite makes the clean copy of an irregular file or a workbook. Rows with too few
// cells are padded; rows with too many are set aside, never cut.
func rewrite(ctx context.Context, dir, name string, t *table, rows rowSource, progress func(rows int64)) error {
	out, err := createSink(dir, name+".clean.csv")
	if err != nil {
		return err
	}
	defer out.file.Close()
	if t.broken, err = createSink(dir, name+".broken.csv"); err != nil {
		return err
	}
	defer t.broken.file.Close()
	width := len(t.Layout.Header)
	cells := make([]string, width+2)
	for {
		rec, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if t.Records%8192 == 0 {
			if err := ctx.Err(); err != nil {
				return fault.Wrapf(fault.Canceled, err, "the import was canceled")
			}
			if progress != nil {
				progress(t.Records)
			}
		}
		if blank(rec.Fields) {
			continue
		}
		t.Records++
		fields := trimExtra(rec.Fields, width)
		switch {
		case rec.Flaw == openQuote:
			t.setAside(rec, codeUnterminated, "a quote opens in this line and never closes", "close or double the quote")
			continue
		case len(fields) > width:
			t.setAside(rec, codeTooMany, "the row has "+strconv.Itoa(len(fields))+" cells, the header "+strconv.Itoa(width), "quote cells that hold the delimiter (such as 1,234.50 in a comma-separated file)")
			continue
		case len(fields) < width:
			t.RaggedN++
			if len(t.Ragged) < sampleSize {
				t.Ragged = append(t.Ragged, t.Records)
			}
		}
		cells[0], cells[1] = strconv.FormatInt(t.Records, 10), strconv.FormatInt(rec.Line, 10)
		n := copy(cells[2:], fields)
		clear(cells[2+n:])
		out.write(cells...)
	}
	t.Path, t.Clean, t.MaxLine = out.path, true, 2*out.long
	return errors.Join(out.close(), t.broken.close())
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
	t := &table{Upload: u, Path: u.Path, Dialect: Dialect{Encoding: u.Encoding}}
	score := headerScorer(dataset, m)
	name := filepath.Base(u.Path)
	if u.Encoding == encXLSX {
		sheet, err := openSheet(u.Path, dir, m.Options, score)
		if err != nil {
			return nil, err
		}
		defer sheet.close()
		t.Layout = layout{Header: sheet.header, HeaderLine: sheet.headerLine}
		t.Dialect.Sheet, t.Dialect.HeaderLine = sheet.name, sheet.headerLine
		t.Serials = dateBasis(sheet.date1904)
		return t, rewrite(ctx, dir, name, t, sheet, progress)
	}
	var err error
	if t.Layout, err = survey(u.Path, m.Options.delimiter(), m.Options.HeaderLine, score); err != nil {
		return nil, err
	}
	t.Dialect.Delimiter, t.Dialect.Quote, t.Dialect.HeaderLine = string(t.Layout.Delim), string(rune(quote)), t.Layout.HeaderLine
	if t.Layout.Regular {
		t.Records = t.Layout.Records
		return t, nil
	}
	f, err := os.Open(u.Path)
	if err != nil {
		return nil, diskFault(err)
	}
	defer f.Close()
	rows, err := afterHeader(f, t.Layout)
	if err != nil {
		return nil, err
	}
	return t, rewrite(ctx, dir, name, t, rows, progress)
}

// afterHeader reads a file up to and including its header.
func afterHeader(f io.ReadSeeker, l layout) (*recordReader, error) {
	rows := newRecordReader(f, l.Delim)
	for {
		rec, err := rows.next()
		if errors.Is(err, io.EOF) || err == nil && rec.Line >= l.HeaderLine {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
