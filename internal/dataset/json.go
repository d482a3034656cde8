package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// This file reads JSON Lines, objects one after the other, and arrays of objects as tables.
// An object in an object becomes columns with a dot; a list stays as its text. Numbers keep
// their digits.

const encJSON = "json"

// badObject is a line that is no object; it is rejected with its text.
const badObject flaw = "broken_json"

// jsonRows yields the objects of a file.
type jsonRows struct {
	file    *os.File
	form    jsonForm
	text    *bufio.Reader // of lines
	decoder *json.Decoder // of the other forms
	guard   *sizeGuard
	line    int64
	lines   lineFinder
	columns []string
	place   map[string]int
	seen    bool // every column is known
}

// jsonForm is how objects stand in a file.
type jsonForm int

const (
	noJSON jsonForm = iota
	jsonLines
	jsonStream // one after the other, over several lines
	jsonList
)

// formOf tells the form from the beginning of a file. What only begins like an object or a
// list, such as a CSV file whose first cell does, has none.
func formOf(head []byte) jsonForm {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return noJSON
	}
	d := json.NewDecoder(bytes.NewReader(head))
	if head[0] == '[' {
		if _, err := d.Token(); err != nil || !d.More() {
			return noJSON
		}
	}
	var object json.RawMessage
	if err := d.Decode(&object); err != nil || object[0] != '{' {
		return noJSON
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	switch {
	case head[0] == '[':
		return jsonList
	case json.Valid(line):
		return jsonLines
	}
	return jsonStream
}

// openJSON opens a file that holds objects, and finds out their columns; nil when it holds
// something else.
func openJSON(path string) (*jsonRows, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, diskFault(err)
	}
	r := &jsonRows{file: f, place: map[string]int{}}
	head, err := io.ReadAll(io.LimitReader(f, 4096))
	if err == nil && bytes.IndexAny(bytes.TrimLeft(head, " \t\r\n"), "{[") == 0 { // worth a longer look
		var more []byte
		more, err = io.ReadAll(io.LimitReader(f, maxRecord))
		r.form = formOf(append(head, more...))
	}
	if err != nil || r.form == noJSON {
		f.Close()
		if err != nil {
			err = diskFault(err)
		}
		return nil, err
	}
	if err := r.survey(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// survey finds the columns and goes back to the first object.
func (r *jsonRows) survey() error {
	if err := r.rewind(); err != nil {
		return err
	}
	for {
		_, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(r.columns) > maxColumns {
			return fault.Newf(fault.Invalid, "the objects have more than %d different keys: they are no rows of one table", maxColumns)
		}
	}
	if r.seen = true; len(r.columns) == 0 {
		return fault.Newf(fault.Invalid, "the file holds no object with a value: rows are JSON objects, one a line or in a list")
	}
	return r.rewind()
}

func (r *jsonRows) rewind() error {
	if _, err := r.file.Seek(0, io.SeekStart); err != nil {
		return diskFault(err)
	}
	r.line = 0
	if r.form == jsonLines {
		r.text = bufio.NewReaderSize(r.file, 1<<20)
		return nil
	}
	r.lines.close()
	lines, err := os.Open(r.file.Name())
	if err != nil {
		return diskFault(err)
	}
	r.lines = lineFinder{file: lines, in: bufio.NewReaderSize(lines, 1<<16), line: 1}
	r.guard = &sizeGuard{r: r.file}
	if r.decoder = json.NewDecoder(r.guard); r.form == jsonList {
		if _, err := r.decoder.Token(); err != nil {
			return r.broken(err)
		}
	}
	return nil
}

func (r *jsonRows) close() {
	r.file.Close()
	r.lines.close()
}

func (r *jsonRows) next() (record, error) {
	if r.form == jsonLines {
		return r.nextLine()
	}
	r.guard.from = r.decoder.InputOffset()
	if r.form == jsonList && !r.decoder.More() {
		if _, err := r.decoder.Token(); err != nil { // the closing bracket
			return record{}, r.broken(err)
		}
		return record{}, io.EOF
	}
	var object json.RawMessage
	if err := r.decoder.Decode(&object); errors.Is(err, io.EOF) && r.form == jsonStream {
		return record{}, io.EOF
	} else if err != nil {
		return record{}, r.broken(err)
	}
	return r.row(object, r.lines.at(r.decoder.InputOffset()-int64(len(object)))), nil
}

// sizeGuard refuses an object that is too large to be a row.
type sizeGuard struct {
	r       io.Reader
	n, from int64
}

func (g *sizeGuard) Read(p []byte) (int, error) {
	if g.n-g.from > maxRecord {
		return 0, fault.Newf(fault.Invalid, "an object has more than %d MiB: it is no row of a table", maxRecord>>20)
	}
	n, err := g.r.Read(p)
	g.n += int64(n)
	return n, err
}

// broken refuses a list or a row of objects that ends or breaks in the middle: what follows
// cannot be told apart.
func (r *jsonRows) broken(err error) error {
	if fault.KindOf(err) == fault.Invalid {
		return err
	}
	return fault.Wrapf(fault.Invalid, err, "the JSON breaks off or is damaged after line %d: export it again, best as one object a line (JSON Lines), where a damaged line costs only itself", r.lines.at(r.decoder.InputOffset()))
}

// nextLine is the next line that is not blank.
func (r *jsonRows) nextLine() (record, error) {
	for {
		var text []byte
		for {
			part, err := r.text.ReadSlice('\n')
			if text = append(text, part...); len(text) > maxRecord {
				return record{}, fault.Newf(fault.Invalid, "line %d is longer than %d MiB: it is no row of a table", r.line+1, maxRecord>>20)
			}
			if err == nil || errors.Is(err, io.EOF) {
				break
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				return record{}, diskFault(err)
			}
		}
		if len(text) == 0 {
			return record{}, io.EOF
		}
		r.line++
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return r.row(text, r.line), nil
		}
	}
}

func (r *jsonRows) row(text []byte, line int64) record {
	cells := make([]string, len(r.columns))
	if !json.Valid(text) || text[0] != '{' || !r.walk("", text, &cells) {
		return record{Fields: []string{string(text)}, Line: line, Flaw: badObject}
	}
	return record{Fields: cells, Line: line}
}

// walk puts an object's values into their cells; the first time it makes the columns.
func (r *jsonRows) walk(prefix string, object []byte, cells *[]string) bool {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return false
	}
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		var value json.RawMessage
		if err != nil || !ok || d.Decode(&value) != nil {
			return false
		}
		if value[0] == '{' {
			if strings.Count(prefix, ".") > 8 || !r.walk(prefix+name+".", value, cells) {
				return false
			}
			continue
		}
		at, known := r.place[prefix+name]
		if !known {
			if r.seen {
				return false
			}
			at = len(r.columns)
			r.place[prefix+name] = at
			r.columns = append(r.columns, prefix+name)
		}
		for len(*cells) <= at {
			*cells = append(*cells, "")
		}
		(*cells)[at] = scalar(value)
	}
	return true
}

// scalar is a value's text; numbers as they are written, nothing for null.
func scalar(value json.RawMessage) string {
	switch value[0] {
	case 'n':
		return ""
	case '"':
		var s string
		if json.Unmarshal(value, &s) == nil {
			return s
		}
	case '[':
		var out bytes.Buffer
		if json.Compact(&out, value) == nil {
			return out.String()
		}
	}
	return string(value)
}

// lineFinder tells the lines of growing places in a file.
type lineFinder struct {
	file   *os.File
	in     *bufio.Reader
	offset int64
	line   int64
}

func (l *lineFinder) at(offset int64) int64 {
	for ; l.offset < offset; l.offset++ {
		b, err := l.in.ReadByte()
		if err != nil {
			break
		}
		if b == '\n' {
			l.line++
		}
	}
	return l.line
}

func (l *lineFinder) close() {
	if l.file != nil {
		l.file.Close()
	}
}
