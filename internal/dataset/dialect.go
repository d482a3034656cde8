package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Dialect says how a file was read; every part was decided from the file or by its
// mapping, and is shown to the user.
type Dialect struct {
	Encoding    string `json:"encoding"`               // utf-8, utf-16le, utf-16be, windows-1252 or xlsx
	Delimiter   string `json:"delimiter"`              // "," ";" tab or "|"; "" for a workbook
	Quote       string `json:"quote"`                  // always the double quote; "" for a workbook
	HeaderLine  int64  `json:"header_line"`            // physical line of the header, 1 is the first
	DateOrder   string `json:"date_order,omitempty"`   // ymd, dmy or mdy; "" when there is no date column
	DecimalMark string `json:"decimal_mark,omitempty"` // "." or ","; "" when there is no number column
	Sheet       string `json:"sheet,omitempty"`        // sheet of a workbook
}

// layout is what the first look at a delimited file shows.
type layout struct {
	Delim      byte
	Header     []string
	HeaderLine int64 // physical line of the header
	BodyLine   int64 // physical line of the first line after the header
	// Regular files have UTF-8 text, one record a line, the same number of cells in every
	// record and quotes only around whole cells: the engine reads them directly.
	Regular bool
	Records int64 // records after the header, counted only in regular files
	Tidy    bool  // regular, and no cell has blanks around it
}

const (
	sampleBytes   = 256 << 10
	sampleRecords = 200
	headerWithin  = 50 // records in which the header is looked for
)

// knownHeader is the score from which on a header is one that some dataset knows.
const knownHeader = 20

var delimiters = []byte{',', ';', '\t', '|'}

// survey finds delimiter and header on a sample; headerScore says how much a row looks
// like a header: the number of cells that a dataset knows.
func survey(path string, delim byte, headerLine int64, headerScore func(cells []string) int) (layout, error) {
	sample, err := readSample(path)
	if err != nil {
		return layout{}, err
	}
	skip := int64(0)
	if first, _, ok := strings.Cut(string(sample), "\n"); ok || len(sample) > 0 {
		if d, isSep := sepLine(strings.TrimRight(first, "\r")); isSep {
			skip = 1
			if delim == 0 {
				delim = d
			}
		}
	}
	candidates := delimiters
	if delim != 0 {
		candidates = []byte{delim}
	}
	var best layout
	var broken error
	bestScore := -1.0
	for _, d := range candidates {
		records, err := sampleOf(sample, d)
		if err != nil {
			broken = err
			continue
		}
		l, score := judge(records, d, skip, headerLine, headerScore)
		if score > bestScore {
			best, bestScore = l, score
		}
	}
	if broken != nil && bestScore < knownHeader {
		return layout{}, broken // the only delimiter that may fit breaks a bound
	}
	if bestScore < 0 || len(best.Header) == 0 {
		return layout{}, fault.Newf(fault.Invalid, "the file holds no table: no header line was found in its first %d lines", headerWithin)
	}
	if len(best.Header) > maxColumns {
		return layout{}, fault.Newf(fault.Invalid, "the header has more than %d columns", maxColumns)
	}
	return best, best.scan(path)
}

func readSample(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, diskFault(err)
	}
	defer f.Close()
	buf := make([]byte, sampleBytes)
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, diskFault(err)
	}
	return buf[:n], nil
}

// sepLine reads Excel's hint "sep=;".
func sepLine(line string) (byte, bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(strings.Trim(line, "\" ")), "sep=")
	if !ok || len(rest) != 1 {
		return 0, false
	}
	return rest[0], true
}

func sampleOf(sample []byte, delim byte) ([]record, error) {
	r := newRecordReader(bytes.NewReader(sample), delim)
	var records []record
	for len(records) < sampleRecords {
		rec, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		records = append(records, rec)
	}
	if len(sample) == sampleBytes && len(records) > 1 && len(records) < sampleRecords {
		records = records[:len(records)-1] // cut off by the sample's end
	}
	return records, nil
}

// judge picks the header among the sample's records and scores the delimiter: known
// header cells count most, then the share of records with the most common width.
func judge(records []record, delim byte, skip, headerLine int64, headerScore func([]string) int) (layout, float64) {
	widths := map[int]int{}
	for _, rec := range records {
		widths[len(rec.Fields)]++
	}
	modal := 0
	for w, n := range widths {
		if n > widths[modal] || n == widths[modal] && w > modal {
			modal = w
		}
	}
	header, known := -1, 0
	for i, rec := range records {
		switch {
		case rec.Line <= skip:
			continue
		case headerLine > 0 && rec.Line == headerLine:
			header, known = i, headerScore(rec.Fields)
		case headerLine > 0 || i >= headerWithin:
			continue
		case header < 0 || headerScore(rec.Fields) > max(known, 1):
			header, known = i, headerScore(rec.Fields)
		}
	}
	if header < 0 {
		return layout{}, -1
	}
	if known < 2 && headerLine == 0 {
		// Nothing is known: the first row that is as wide as most.
		for i, rec := range records {
			if rec.Line > skip && len(rec.Fields) == modal {
				header = i
				break
			}
		}
	}
	rec := records[header]
	l := layout{Delim: delim, Header: rec.Fields, HeaderLine: rec.Line}
	same := 0
	for _, r := range records[header:] {
		if len(r.Fields) == len(rec.Fields) {
			same++
		}
	}
	score := float64(known)*10 + float64(same)/float64(len(records)-header)
	if len(rec.Fields) > 1 {
		score += 2
	}
	return l, score
}

// scan walks the lines after the header once and decides whether the file is regular.
func (l *layout) scan(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return diskFault(err)
	}
	defer f.Close()
	// The header itself may span lines; read it the careful way.
	rr, err := afterHeader(f, *l)
	if err != nil {
		return err
	}
	l.BodyLine = rr.line
	if l.BodyLine != l.HeaderLine+1 || len(l.Header) < 2 {
		return nil
	}
	if _, err := f.Seek(rr.offset, io.SeekStart); err != nil {
		return diskFault(err)
	}
	in := bufio.NewReaderSize(f, 1<<20)
	want := len(l.Header) - 1
	crlf := -1
	untidy := edges(l.Delim)
	l.Tidy = true
	for n := int64(0); ; n++ {
		line, err := in.ReadSlice('\n')
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			if errors.Is(err, bufio.ErrBufferFull) {
				l.Tidy = false
				return nil // a line over 1 MiB
			}
			return diskFault(err)
		}
		if last && len(line) == 0 {
			l.Regular, l.Records = n > 0, n
			return nil
		}
		ended := !last
		if ended {
			line = line[:len(line)-1]
			cr := 0
			if len(line) > 0 && line[len(line)-1] == '\r' {
				cr, line = 1, line[:len(line)-1]
			}
			if crlf >= 0 && crlf != cr {
				return nil
			}
			crlf = cr
		}
		if !regularLine(line, l.Delim, want) {
			l.Tidy = false
			return nil
		}
		l.Tidy = l.Tidy && !untidy(line)
		if last {
			l.Regular, l.Records = true, n+1
			return nil
		}
	}
}

// edges returns a cheap test for lines that may have blanks around a cell. It errs on the
// side of yes: the first bytes of wide blanks also begin other characters.
func edges(delim byte) func(line []byte) bool {
	var pairs [][]byte
	for _, b := range []byte{' ', '\t'} {
		if b != delim {
			pairs = append(pairs, []byte{delim, b}, []byte{b, delim}, []byte{quote, b}, []byte{b, quote})
		}
	}
	return func(line []byte) bool {
		first, last := line[0], line[len(line)-1]
		if first == ' ' || first == '\t' && delim != '\t' || last == ' ' || last == '\t' && delim != '\t' {
			return true
		}
		for _, p := range pairs[:2] {
			if bytes.Contains(line, p) {
				return true
			}
		}
		if bytes.IndexByte(line, quote) >= 0 {
			for _, p := range pairs {
				if bytes.Contains(line, p) {
					return true
				}
			}
		}
		if len(pairs) > 4 && bytes.IndexByte(line, '\t') >= 0 {
			return true
		}
		return bytes.IndexByte(line, 0xc2) >= 0 || bytes.IndexByte(line, 0xe2) >= 0 || bytes.IndexByte(line, 0xef) >= 0
	}
}

// regularLine reports whether a line is one whole record with want delimiters.
func regularLine(line []byte, delim byte, want int) bool {
	if len(line) == 0 || bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0 {
		return false
	}
	if bytes.IndexByte(line, quote) < 0 {
		return bytes.Count(line, []byte{delim}) == want
	}
	seen := 0
	for i := 0; ; {
		if i < len(line) && line[i] == quote {
			i++
			for {
				j := bytes.IndexByte(line[i:], quote)
				if j < 0 {
					return false
				}
				i += j + 1
				if i < len(line) && line[i] == quote {
					i++
					continue
				}
				break
			}
			if i < len(line) && line[i] != delim {
				return false
			}
		} else {
			j := bytes.IndexByte(line[i:], delim)
			end := len(line)
			if j >= 0 {
				end = i + j
			}
			if bytes.IndexByte(line[i:end], quote) >= 0 {
				return false
			}
			i = end
		}
		if i >= len(line) {
			return seen == want
		}
		seen++
		i++ // the delimiter
		if i == len(line) {
			return seen == want // an empty last cell
		}
	}
}
