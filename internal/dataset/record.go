package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Bounds of an input file. Beyond them an import is refused with a clear text.
const (
	maxColumns   = 2000
	maxCell      = 1 << 20
	maxRecord    = 16 << 20
	maxReopens   = 1000 // broken quotes after which a file is not worth reading on
	maxSalvage   = 64 << 10
	quote        = '"'
	readerBuffer = 256 << 10
)

// flaw says what is wrong with the form of one record.
type flaw string

const (
	sound          flaw = ""
	openQuote      flaw = "unterminated_quote"
	tooManyFields  flaw = "too_many_fields"
	strayQuote     flaw = "stray_quote"
	otherDelimiter flaw = "other_delimiter"
)

// grammar says how the bytes of a file become cells.
type grammar struct {
	Delim     byte
	Quote     byte // 0: no character quotes
	Backslash bool // \" is a quote inside a quoted cell; otherwise it is written twice
	Pad       bool // one blank stands after each delimiter
}

// plain is the grammar of RFC 4180 with any delimiter.
func plain(delim byte) grammar { return grammar{Delim: delim, Quote: quote} }

// record is one row of a delimited file.
type record struct {
	Fields []string
	Line   int64 // physical line of its first character, 1 is the first line of the file
	Flaw   flaw
	Gap    bool // a blank line stands before it
}

// lineEnds counts how the records of a file end.
type lineEnds struct{ LF, CRLF, CR int64 }

// recordReader reads delimited text after a grammar, forgiving where files in the wild
// are not: quotes inside cells, LF, CR LF and CR, cells with line breaks, blank lines
// (skipped). A closing quote stands before a delimiter or the record's end; any other
// quote is a stray one and part of the cell. Where stray quotes make a record swallow its
// neighbors, its first line alone is read once more; what then has no place is a record
// of one cell, so that a broken quote never costs more than its line. It holds one record
// in memory.
type recordReader struct {
	grammar
	file    io.ReadSeeker
	in      *bufio.Reader
	width   int       // cells that a record should have; 0: not known
	columns []profile // what they hold; nil: not known
	offset  int64     // bytes consumed
	line    int64     // line of the next byte
	reopens int
	ends    lineEnds
	open    bool  // the last record ends with the file, without a line end
	quoted  int64 // cells in quotes so far
	cell    []byte
	raw     []byte // the first bytes of the record
	first   int    // length of its first line in raw, line end included; 0 while it goes on
}

func newRecordReader(file io.ReadSeeker, g grammar) *recordReader {
	return &recordReader{grammar: g, file: file, in: bufio.NewReaderSize(file, readerBuffer), line: 1}
}

// next returns the next record that is not blank, io.EOF after the last.
func (r *recordReader) next() (record, error) {
	gap := false
	for {
		start, line, ends := r.offset, r.line, r.ends
		rec, err := r.read()
		if err != nil && !errors.Is(err, errOpenQuote) {
			return rec, err
		}
		if err != nil || rec.Flaw == strayQuote && r.line > line+1 {
			rec, err = r.salvage(rec, err, start, line, ends)
			if err != nil {
				return rec, err
			}
		} else if rec.Flaw == strayQuote && r.width > 0 && len(rec.Fields) != r.width {
			if cells, ok := r.splitLine(r.raw, r.width); ok {
				rec.Fields = cells
			}
		} else if r.width > 2 && len(rec.Fields) < r.width && r.line <= line+1 {
			if cells, ok := r.resplit(); ok {
				rec.Fields, rec.Flaw = cells, otherDelimiter
			}
		}
		rec.Gap = gap
		if len(rec.Fields) == 1 && rec.Fields[0] == "" {
			gap = true
			continue
		}
		return rec, nil
	}
}

var errOpenQuote = errors.New("quote never closes")

// read reads one record. A record with a stray quote has that flaw.
func (r *recordReader) read() (record, error) {
	rec := record{Line: r.line}
	r.cell, r.raw, r.first = r.cell[:0], r.raw[:0], 0
	quoted, closed, any := false, false, false
	size, padded := 0, false
	for {
		c, err := r.in.ReadByte()
		if err == io.EOF {
			switch {
			case quoted && !closed:
				return rec, errOpenQuote
			case !any:
				return rec, io.EOF
			}
			r.open = true
			return r.endCell(rec)
		}
		if err != nil {
			return rec, fault.Wrapf(fault.Unavailable, err, "the file could not be read")
		}
		r.take(c)
		any = true
		inside := quoted && !closed
		switch {
		case inside && r.Backslash && c == '\\':
			next, err := r.in.Peek(1)
			if err == nil && (next[0] == r.Quote || next[0] == '\\') {
				r.in.Discard(1)
				r.take(next[0])
				c = next[0]
			}
			r.cell = append(r.cell, c)
		case inside && c == r.Quote:
			switch next, err := r.in.Peek(1); {
			case r.closes():
				closed = true
				r.quoted++
			case err == nil && next[0] == r.Quote && !r.Backslash:
				r.in.Discard(1)
				r.take(r.Quote)
				r.cell = append(r.cell, r.Quote)
			default:
				rec.Flaw = strayQuote
				r.cell = append(r.cell, r.Quote)
			}
		case c == r.Quote && r.Quote != 0 && !quoted && len(bytes.TrimLeft(r.cell, " ")) == 0:
			quoted, r.cell = true, r.cell[:0]
		case c == r.Delim && !inside:
			if rec, err = r.endCell(rec); err != nil {
				return rec, err
			}
			quoted, closed, padded = false, false, r.Pad
			continue
		case c == '\n' || c == '\r':
			crlf := false
			if c == '\r' {
				if next, err := r.in.Peek(1); err == nil && next[0] == '\n' {
					crlf = true
					r.in.Discard(1)
					r.take('\n')
				}
			}
			r.line++
			if r.first == 0 {
				r.first = len(r.raw)
			}
			if !inside {
				switch {
				case crlf:
					r.ends.CRLF++
				case c == '\r':
					r.ends.CR++
				default:
					r.ends.LF++
				}
				return r.endCell(rec)
			}
			r.cell = append(r.cell, '\n')
		case c == 0, closed && c == ' ', padded && c == ' ':
			// NUL bytes, blanks after a closing quote and the blank after a delimiter
			// carry nothing.
		default:
			r.cell = append(r.cell, c)
		}
		padded = false
		if size++; len(r.cell) > maxCell || size > maxRecord {
			if inside {
				return rec, errOpenQuote
			}
			return rec, fault.Newf(fault.Invalid, "line %d: a cell holds more than %d bytes, or the line more than %d: is this a text table?", rec.Line, maxCell, maxRecord)
		}
	}
}

// take counts a consumed byte and remembers it for a second reading.
func (r *recordReader) take(c byte) {
	r.offset++
	r.open = false
	if len(r.raw) <= maxSalvage {
		r.raw = append(r.raw, c)
	}
}

// closes reports whether the quote just read ends its cell: a delimiter, the record's end
// or blanks before one of them follow.
func (r *recordReader) closes() bool {
	for n := 1; n < 64; n++ {
		next, err := r.in.Peek(n)
		if len(next) < n {
			return errors.Is(err, io.EOF)
		}
		switch c := next[n-1]; {
		case c == r.Delim, c == '\n', c == '\r':
			return true
		case c != ' ' && c != 0:
			return false
		}
	}
	return false
}

func (r *recordReader) endCell(rec record) (record, error) {
	if len(rec.Fields) == maxColumns {
		return rec, fault.Newf(fault.Invalid, "line %d has more than %d columns", rec.Line, maxColumns)
	}
	rec.Fields = append(rec.Fields, string(r.cell))
	r.cell = r.cell[:0]
	return rec, nil
}

// salvage decides what becomes of a record whose quotes span lines wrongly. When its
// first line and the one after it have the right number of cells each with their stray
// quotes taken as text, the first line is the record; when the record is whole as read, it
// stays; otherwise its first line is a record of one cell.
func (r *recordReader) salvage(rec record, open error, start, line int64, ends lineEnds) (record, error) {
	if r.width > 0 && r.first > 0 && r.first <= maxSalvage {
		first := r.raw[:r.first]
		cells, ok := r.splitLine(first, r.width)
		if ok {
			_, ok = r.splitLine(r.raw[r.first:], r.width)
		}
		if ok {
			if err := r.rewind(start+int64(r.first), line+1); err != nil {
				return rec, err
			}
			r.ends = ends
			r.endOf(first)
			return record{Fields: cells, Line: line, Flaw: strayQuote}, nil
		}
	}
	if open == nil && (r.width == 0 || len(rec.Fields) == r.width) {
		return rec, nil
	}
	if r.reopens++; r.reopens > maxReopens {
		return rec, fault.Newf(fault.Invalid, "line %d: more than %d quotes in this file never close: export it again with proper quoting", line, maxReopens)
	}
	r.ends = ends
	return r.firstLine(start, line)
}

func (r *recordReader) endOf(line []byte) {
	switch {
	case bytes.HasSuffix(line, []byte("\r\n")):
		r.ends.CRLF++
	case bytes.HasSuffix(line, []byte("\r")):
		r.ends.CR++
	default:
		r.ends.LF++
	}
}

// cutLine returns what stands before the first line end.
func cutLine(text []byte) []byte {
	if i := bytes.IndexAny(text, "\r\n"); i >= 0 {
		return text[:i]
	}
	return text
}

// splitLine reads one line as exactly width cells, taking as few quotes as possible for
// text. It fails when no reading has that many cells.
func (r *recordReader) splitLine(line []byte, width int) ([]string, bool) {
	line = cutLine(line)
	if len(line) == 0 || width > 200 || len(line) > maxSalvage {
		return nil, false
	}
	type state struct{ at, left int }
	type step struct {
		cost, next int
		text       bool // the cell is not quoted
	}
	memo := map[state]step{}
	const never = 1 << 30
	work := 0 // bytes looked at: a line made to cost much is not worth it
	var best func(s state) step
	best = func(s state) step {
		if s.left == 0 {
			return step{cost: never}
		}
		if known, ok := memo[s]; ok {
			return known
		}
		out := step{cost: never}
		if work > 1<<22 {
			return out
		}
		try := func(end, cost int, text bool) {
			switch {
			case end == len(line):
				if s.left != 1 {
					return
				}
			default:
				rest := best(state{end + 1, s.left - 1})
				if rest.cost == never {
					return
				}
				cost += rest.cost
			}
			if cost < out.cost {
				out = step{cost, end, text}
			}
		}
		from := s.at
		for from < len(line) && line[from] == ' ' && r.Delim != ' ' {
			from++
		}
		if r.Quote != 0 && from < len(line) && line[from] == r.Quote {
			for i, stray := from+1, 0; i < len(line); i++ {
				work++
				if r.Backslash && line[i] == '\\' {
					i++
					continue
				}
				if line[i] != r.Quote {
					continue
				}
				end := i + 1
				for end < len(line) && line[end] == ' ' && r.Delim != ' ' {
					end++
				}
				if end == len(line) || line[end] == r.Delim {
					try(end, 2*stray, false)
					break
				}
				if !r.Backslash && i+1 < len(line) && line[i+1] == r.Quote {
					i++
					continue
				}
				stray++
			}
		}
		end := len(line)
		if i := bytes.IndexByte(line[s.at:], r.Delim); i >= 0 {
			end = s.at + i
		}
		cost := 0
		if r.Quote != 0 {
			cost = 3 * bytes.Count(line[s.at:end], []byte{r.Quote})
		}
		try(end, cost, true)
		memo[s] = out
		return out
	}
	if best(state{0, width}).cost == never {
		return nil, false
	}
	cells := make([]string, 0, width)
	for s := (state{0, width}); s.left > 0; {
		move := best(s)
		cell := string(line[s.at:move.next])
		if r.Pad {
			cell = strings.TrimPrefix(cell, " ")
		}
		if !move.text {
			cell = strings.Trim(cell, " ")
			cell = cell[1 : len(cell)-1]
			if q := string(rune(r.Quote)); r.Backslash {
				cell = strings.ReplaceAll(cell, `\`+q, q)
			} else {
				cell = strings.ReplaceAll(cell, q+q, q)
			}
		}
		cells = append(cells, strings.ReplaceAll(cell, "\x00", ""))
		s = state{move.next + 1, s.left - 1}
	}
	return cells, true
}

// resplit reads the line of a record that has too few cells with another delimiter. It
// must have the right number of cells then, with every one of at least two columns of
// numbers or dates filled as usual.
func (r *recordReader) resplit() ([]string, bool) {
	if len(r.raw) > maxSalvage || len(r.columns) != r.width {
		return nil, false
	}
	line := bytes.TrimRight(cutLine(r.raw), string(rune(0)))
	for _, d := range []byte{';', '\t', '|', ',', ' '} {
		if d == r.Delim || bytes.Count(line, []byte{d}) < r.width-1 {
			continue
		}
		other := &recordReader{grammar: grammar{Delim: d, Quote: r.Quote, Backslash: r.Backslash}}
		cells, ok := other.splitLine(line, r.width)
		if !ok {
			continue
		}
		typed := 0
		for i, p := range r.columns {
			k, ok := p.typical()
			switch {
			case !ok || k != number && k != moment:
			case kindOf(cells[i]) == k:
				typed++
			default:
				typed = -r.width
			}
		}
		if typed >= 2 {
			return cells, true
		}
	}
	return nil, false
}

func (r *recordReader) rewind(offset, line int64) error {
	if _, err := r.file.Seek(offset, io.SeekStart); err != nil {
		return fault.Wrapf(fault.Unavailable, err, "the file could not be read again")
	}
	r.in.Reset(r.file)
	r.offset, r.line, r.open = offset, line, false
	return nil
}

// firstLine goes back to start and returns the line there as a record of one cell, so
// that what follows it is read as usual.
func (r *recordReader) firstLine(start, line int64) (record, error) {
	if err := r.rewind(start, line); err != nil {
		return record{}, err
	}
	var text []byte
	for {
		c, err := r.in.ReadByte()
		if err != nil && err != io.EOF {
			return record{}, fault.Wrapf(fault.Unavailable, err, "the file could not be read again")
		}
		if err == io.EOF {
			r.open = true
			break
		}
		r.offset++
		if c == '\n' || c == '\r' {
			if next, err := r.in.Peek(1); c == '\r' && err == nil && next[0] == '\n' {
				r.in.Discard(1)
				r.offset++
			}
			r.line++
			break
		}
		if r.offset-start > maxRecord {
			return record{}, fault.Newf(fault.Invalid, "line %d holds more than %d bytes: is this a text table?", line, maxRecord)
		}
		if len(text) < maxCell && c != 0 {
			text = append(text, c)
		}
	}
	return record{Fields: []string{string(text)}, Line: line, Flaw: openQuote}, nil
}
