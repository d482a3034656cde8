package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
)

// Dialect says how a file was read; every part was decided from the file or by its
// mapping, and is shown to the user.
type Dialect struct {
	Encoding    string `json:"encoding"`               // utf-8, utf-16le, utf-16be, windows-1252, windows-1251, iso-8859-1 or xlsx
	Compression string `json:"compression,omitempty"`  // gzip or zip; "" when the file came as it is
	Delimiter   string `json:"delimiter"`              // one character; "" for a workbook
	Quote       string `json:"quote"`                  // " or ', "" when nothing quotes and for a workbook
	Escape      string `json:"escape,omitempty"`       // how a quote is written in a quoted cell: twice, or after a backslash
	RecordEnd   string `json:"record_end,omitempty"`   // lf, crlf, cr or mixed; "" when the file has one line
	HeaderLine  int64  `json:"header_line"`            // physical line of the header, 1 is the first
	HeaderRows  int    `json:"header_rows,omitempty"`  // records that make the header
	Preamble    int64  `json:"preamble,omitempty"`     // lines above the header
	Footer      int64  `json:"footer,omitempty"`       // lines below the table, reported as rejected
	Tables      int    `json:"tables,omitempty"`       // tables in the file, when there are several; the first is imported
	DateOrder   string `json:"date_order,omitempty"`   // ymd, dmy or mdy; "" when there is no date column
	DecimalMark string `json:"decimal_mark,omitempty"` // "." or ","; "" when there is no number column
	Sheet       string `json:"sheet,omitempty"`        // sheet of a workbook
	Evidence    string `json:"evidence,omitempty"`     // what the decisions stand on
}

// layout is what the first look at a delimited file shows.
type layout struct {
	grammar
	width      int // cells expected while the header is looked for, 0 when not known
	Header     []string
	HeaderLine int64      // physical line of the header
	HeaderEnd  int64      // physical line on which the header's last record begins
	HeaderRows [][]string // the records that make the header, as they stand
	Titles     []string   // short lines above the header
	Above      int64      // records above the header that are not blank
	AboveRows  int64      // those of them with several filled cells
	BodyLine   int64      // physical line of the first line after the header
	// Regular files have UTF-8 text, one record a line, the same number of cells in every
	// record and quotes only around whole cells: the engine reads them directly.
	Regular  bool
	Records  int64 // records after the header, counted only in regular files
	Tidy     bool  // regular, and no cell has blanks around it
	Ends     lineEnds
	Open     bool // regular, and the last record has no line end
	Profile  []profile
	Evidence []string
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
	if l.BodyLine != l.HeaderLine+1 || len(l.Header) < 2 || l.Quote == '\'' || l.Backslash || l.Pad || l.Delim == ' ' {
		return nil
	}
	repeated := l.headerText(f, rr.offset)
	pieces, err := split(f, rr.offset)
	if err != nil {
		return diskFault(err)
	}
	var looks sync.WaitGroup
	found, errs := make([]lines, len(pieces)), make([]error, len(pieces))
	for i, p := range pieces {
		looks.Go(func() { found[i], errs[i] = l.scanLines(p, repeated) })
	}
	looks.Wait()
	if err := errors.Join(errs...); err != nil {
		return diskFault(err)
	}
	all := lines{regular: true, tidy: true, crlf: -1}
	for _, p := range found {
		all.regular = all.regular && p.regular && (all.crlf < 0 || p.crlf < 0 || p.crlf == all.crlf)
		all.tidy, all.open = all.tidy && p.tidy, p.open
		all.crlf, all.n = max(all.crlf, p.crlf), all.n+p.n
	}
	if l.Tidy = all.regular && all.tidy; all.regular && all.n > 0 {
		l.Regular, l.Records, l.Ends, l.Open = true, all.n, rr.ends.add(all.crlf, all.n), all.open
	}
	return nil
}

// split cuts the rest of a file from an offset on at line ends, into as many pieces as
// there are processors, a small one not at all.
func split(f *os.File, from int64) ([]io.Reader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	const least = 8 << 20
	n := min(int64(runtime.GOMAXPROCS(0)), (info.Size()-from)/least)
	var out []io.Reader
	step := (info.Size() - from) / max(n, 1)
	for i := int64(1); i < n; i++ {
		near := make([]byte, 1<<20)
		at := from + step
		k, err := f.ReadAt(near, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		line := bytes.IndexByte(near[:k], '\n')
		if line < 0 {
			break
		}
		end := at + int64(line) + 1
		out = append(out, io.NewSectionReader(f, from, end-from))
		from = end
	}
	return append(out, io.NewSectionReader(f, from, info.Size()-from)), nil
}

// lines is what scanLines found.
type lines struct {
	n       int64
	crlf    int  // 1 when they end with CR LF, 0 with LF, -1 without any end
	regular bool // each is one record of the layout's width
	tidy    bool // no cell has blanks around it
	open    bool // the last one has no end
}

// scanLines walks whole lines up to the first that is not regular.
func (l *layout) scanLines(r io.Reader, repeated []byte) (lines, error) {
	in := bufio.NewReaderSize(r, 1<<20)
	want := len(l.Header) - 1
	untidy := edges(l.Delim)
	out := lines{crlf: -1, tidy: true}
	for ; ; out.n++ {
		line, err := in.ReadSlice('\n')
		last := errors.Is(err, io.EOF)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return out, nil // a line over 1 MiB
		case err != nil && !last:
			return out, err
		case last && len(line) == 0:
			out.regular = true
			return out, nil
		case !last:
			line = line[:len(line)-1]
			cr := 0
			if len(line) > 0 && line[len(line)-1] == '\r' {
				cr, line = 1, line[:len(line)-1]
			}
			if out.crlf >= 0 && out.crlf != cr {
				return out, nil
			}
			out.crlf = cr
		}
		if !regularLine(line, l.Delim, want) || bytes.Equal(line, repeated) {
			return out, nil
		}
		out.tidy = out.tidy && !untidy(line)
		if last {
			out.n, out.regular, out.open = out.n+1, true, true
			return out, nil
		}
	}
}

// headerText is the header's line when it stands on one line just before the body.
func (l *layout) headerText(f *os.File, body int64) []byte {
	from := max(0, body-maxSalvage)
	text := make([]byte, body-from)
	if _, err := f.ReadAt(text, from); err != nil {
		return nil
	}
	if !names(l.Header) {
		return nil
	}
	text = bytes.TrimRight(text, "\r\n")
	return text[bytes.LastIndexAny(text, "\r\n")+1:]
}

// add counts n records that end alike.
func (e lineEnds) add(crlf int, n int64) lineEnds {
	if crlf == 1 {
		e.CRLF += n
	} else {
		e.LF += n
	}
	return e
}

// String names the line end that all records share.
func (e lineEnds) String() string {
	switch (lineEnds{min(e.LF, 1), min(e.CRLF, 1), min(e.CR, 1)}) {
	case lineEnds{}:
		return ""
	case lineEnds{LF: 1}:
		return "lf"
	case lineEnds{CRLF: 1}:
		return "crlf"
	case lineEnds{CR: 1}:
		return "cr"
	}
	return "mixed"
}

// edges returns a cheap test for lines that may have blanks around a cell. It errs on the
// side of yes: the first bytes of wide blanks also begin other characters.
func edges(delim byte) func(line []byte) bool {
	beside := func(line []byte, mark byte) bool { // a blank before or after the mark
		for at := 0; ; at++ {
			i := bytes.IndexByte(line[at:], mark)
			if i < 0 {
				return false
			}
			if at += i; at > 0 && line[at-1] == ' ' || at+1 < len(line) && line[at+1] == ' ' {
				return true
			}
		}
	}
	return func(line []byte) bool {
		if line[0] == ' ' || line[len(line)-1] == ' ' || beside(line, delim) || beside(line, quote) {
			return true
		}
		if delim != '\t' && bytes.IndexByte(line, '\t') >= 0 {
			return true
		}
		return bytes.IndexByte(line, 0xc2) >= 0 || bytes.IndexByte(line, 0xe2) >= 0 || bytes.IndexByte(line, 0xef) >= 0
	}
}

// regularLine reports whether a line is one whole record with want delimiters and not
// only these.
func regularLine(line []byte, delim byte, want int) bool {
	if len(line) <= want || bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0 {
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

// knowsNumbers reports whether the file's format tells numbers from text.
func (t *table) knowsNumbers() bool {
	return t.Dialect.Encoding == encXLSX || t.Dialect.Encoding == encJSON || t.Dialect.Encoding == encParquet
}
