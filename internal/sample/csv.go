package sample

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// cents is an amount of money in hundredths of the currency: exact, never a float.
type cents int64

// quarters counts quarter hours: 6 is 1.50 h.
type quarters int64

// table writes one CSV file: comma, LF, a header, quotes only where needed. The first
// failed write is kept and reported by close; later calls do nothing useful.
type table struct {
	name string
	file *os.File
	out  *bufio.Writer
	row  []byte
	err  error
}

func createTable(dir, name string, header ...string) (*table, error) {
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, fault.Wrapf(fault.Unavailable, err, "the file %s could not be created", name)
	}
	t := &table{name: name, file: file, out: bufio.NewWriterSize(file, 1<<20)}
	for _, h := range header {
		t.text(h)
	}
	t.end()
	return t, nil
}

func (t *table) comma() {
	if len(t.row) > 0 {
		t.row = append(t.row, ',')
	}
}

func (t *table) text(s string) {
	t.comma()
	if len(t.row) == 0 && s == "" {
		s = `""` // a blank first cell, so that the separator before the next one is not lost
		t.row = append(t.row, s...)
		return
	}
	if !strings.ContainsAny(s, ",\"\n\r") {
		t.row = append(t.row, s...)
		return
	}
	t.row = append(t.row, '"')
	t.row = append(t.row, strings.ReplaceAll(s, `"`, `""`)...)
	t.row = append(t.row, '"')
}

func (t *table) whole(n int) {
	t.comma()
	t.row = strconv.AppendInt(t.row, int64(n), 10)
}

func (t *table) money(c cents) {
	t.comma()
	t.row = appendHundredths(t.row, int64(c))
}

func (t *table) hours(q quarters) {
	t.comma()
	t.row = appendHundredths(t.row, int64(q)*25)
}

func (t *table) day(d quantity.Day) { t.text(d.String()) }

func (t *table) yes(b bool) {
	if b {
		t.text("yes")
		return
	}
	t.text("no")
}

func (t *table) end() {
	t.row = append(t.row, '\n')
	if _, err := t.out.Write(t.row); err != nil && t.err == nil {
		t.err = err
	}
	t.row = t.row[:0]
}

func (t *table) close() error {
	if err := t.out.Flush(); err != nil && t.err == nil {
		t.err = err
	}
	if err := t.file.Close(); err != nil && t.err == nil {
		t.err = err
	}
	if t.err != nil {
		return fault.Wrapf(fault.Unavailable, t.err, "the file %s could not be written", t.name)
	}
	return nil
}

// appendHundredths writes n/100 with two decimals.
func appendHundredths(b []byte, n int64) []byte {
	if n < 0 {
		b = append(b, '-')
		n = -n
	}
	b = strconv.AppendInt(b, n/100, 10)
	return append(b, '.', byte('0'+n/10%10), byte('0'+n%10))
}
