package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Bounds of an input file. Beyond them an import is refused with a clear text.
const (
	maxColumns   = 2000
	maxCell      = 1 << 20
	maxReopens   = 1000 // broken quotes after which a file is not worth reading on
	quote        = '"'
	readerBuffer = 256 << 10
)

// flaw says what is wrong with the form of one record.
type flaw string

const (
	sound         flaw = ""
	openQuote     flaw = "unterminated_quote"
	tooManyFields flaw = "too_many_fields"
)

// record is one row of a delimited file.
type record struct {
	Fields []string
	Line   int64 // physical line of its first character, 1 is the first line of the file
	Flaw   flaw
}

// recordReader reads delimited text after RFC 4180, forgiving where files in the wild are
// not: quotes inside unquoted cells, text after a closing quote, LF, CR LF and CR, cells
// with line breaks, blank lines (skipped). A quote that never closes costs one line, not
// the rest of the file. It holds one record in memory.
type recordReader struct {
	file    io.ReadSeeker
	in      *bufio.Reader
	delim   byte
	offset  int64 // bytes consumed
	line    int64 // line of the next byte
	reopens int
	cell    []byte
}

func newRecordReader(file io.ReadSeeker, delim byte) *recordReader {
	return &recordReader{file: file, in: bufio.NewReaderSize(file, readerBuffer), delim: delim, line: 1}
}

// next returns the next record that is not blank, io.EOF after the last.
func (r *recordReader) next() (record, error) {
	for {
		start, line := r.offset, r.line
		rec, err := r.read()
		if errors.Is(err, errOpenQuote) {
			if r.reopens++; r.reopens > maxReopens {
				return rec, fault.Newf(fault.Invalid, "line %d: more than %d quotes in this file never close: export it again with proper quoting", line, maxReopens)
			}
			return r.firstLine(start, line)
		}
		if err != nil {
			return rec, err
		}
		if len(rec.Fields) == 1 && rec.Fields[0] == "" {
			continue
		}
		return rec, nil
	}
}

var errOpenQuote = errors.New("quote never closes")

func (r *recordReader) read() (record, error) {
	rec := record{Line: r.line}
	r.cell = r.cell[:0]
	quoted, closed, any := false, false, false
	for {
		c, err := r.in.ReadByte()
		if err == io.EOF {
			switch {
			case quoted && !closed:
				return rec, errOpenQuote
			case !any:
				return rec, io.EOF
			}
			return r.endCell(rec)
		}
		if err != nil {
			return rec, fault.Wrapf(fault.Unavailable, err, "the file could not be read")
		}
		r.offset++
		any = true
		inside := quoted && !closed
		switch {
		case c == quote && inside:
			if next, err := r.in.Peek(1); err == nil && next[0] == quote {
				r.in.Discard(1)
				r.offset++
				r.cell = append(r.cell, quote)
				continue
			}
			closed = true
		case c == quote && !quoted && len(bytes.TrimLeft(r.cell, " ")) == 0:
			quoted, r.cell = true, r.cell[:0]
		case c == r.delim && !inside:
			if rec, err = r.endCell(rec); err != nil {
				return rec, err
			}
			quoted, closed = false, false
		case c == '\n' || c == '\r':
			if c == '\r' {
				if next, err := r.in.Peek(1); err == nil && next[0] == '\n' {
					r.in.Discard(1)
					r.offset++
				}
			}
			r.line++
			if !inside {
				return r.endCell(rec)
			}
			r.cell = append(r.cell, '\n')
		case c == 0, closed && c == ' ':
			// NUL bytes and blanks after a closing quote carry nothing.
		default:
			r.cell = append(r.cell, c)
		}
		if len(r.cell) > maxCell {
			if inside {
				return rec, errOpenQuote
			}
			return rec, fault.Newf(fault.Invalid, "line %d: a cell holds more than %d bytes: is this a text table?", rec.Line, maxCell)
		}
	}
}

func (r *recordReader) endCell(rec record) (record, error) {
	if len(rec.Fields) == maxColumns {
		return rec, fault.Newf(fault.Invalid, "line %d has more than %d columns", rec.Line, maxColumns)
	}
	rec.Fields = append(rec.Fields, string(r.cell))
	r.cell = r.cell[:0]
	return rec, nil
}

// firstLine goes back to start and returns the line there as a record of one cell, so
// that what follows it is read as usual.
func (r *recordReader) firstLine(start, line int64) (record, error) {
	if _, err := r.file.Seek(start, io.SeekStart); err != nil {
		return record{}, fault.Wrapf(fault.Unavailable, err, "the file could not be read again")
	}
	r.in.Reset(r.file)
	r.offset, r.line = start, line
	var text []byte
	for {
		c, err := r.in.ReadByte()
		if err != nil && err != io.EOF {
			return record{}, fault.Wrapf(fault.Unavailable, err, "the file could not be read again")
		}
		if err == io.EOF {
			break
		}
		r.offset++
		if c == '\n' {
			r.line++
			break
		}
		if len(text) < maxCell {
			text = append(text, c)
		}
	}
	return record{Fields: []string{string(bytes.TrimRight(text, "\r"))}, Line: line, Flaw: openQuote}, nil
}
