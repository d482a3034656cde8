package dataset

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// FuzzRecords: any bytes are read to their end without a panic, with any grammar and any
// expected width; lines only grow; no cell appears that the text does not hold; what the
// standard library reads without complaint, we read alike.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\"a\"\"b\",c\r\n\"x\ny\",z", "a;b\rc;d", "\"open\nnext,1\n", "a,\"b\" c,d\n", " \"x\" ,y\n", "\"\"\n\n,,\n", "x\x00y,1"} {
		for form := range byte(4) {
			f.Add([]byte(seed), byte(','), form, byte(2))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, delim, form, width byte) {
		if delim == quote || delim == '\n' || delim == '\r' || delim == 0 || delim >= 0x80 || delim == ' ' || delim == '\'' || delim == '\\' {
			return
		}
		g := []grammar{plain(delim), {Delim: delim, Quote: '\''}, {Delim: delim, Quote: quote, Backslash: true}, {Delim: delim, Quote: quote, Pad: true}, {Delim: delim}}[form%5]
		r := newRecordReader(bytes.NewReader(text), g)
		r.width = int(width % 8)
		var got [][]string
		flawed := false
		last := int64(0)
		size := 0
		for {
			rec, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				if fault.KindOf(err) != fault.Invalid {
					t.Fatalf("got error %v, want an invalid fault", err)
				}
				return
			}
			if rec.Line <= last {
				t.Fatalf("line %d after line %d", rec.Line, last)
			}
			last = rec.Line
			flawed = flawed || rec.Flaw != sound
			for _, c := range rec.Fields {
				size += len(c)
			}
			got = append(got, rec.Fields)
		}
		if size > len(text) {
			t.Fatalf("read %d bytes of cells from %d bytes of text", size, len(text))
		}
		if flawed || g != plain(delim) || bytes.ContainsAny(text, "\r\x00 ") || bytes.Contains(text, []byte(`""`)) && bytes.Contains(text, []byte("\n\n")) {
			return
		}
		std := csv.NewReader(bytes.NewReader(text))
		std.Comma, std.FieldsPerRecord = rune(delim), -1
		wants, err := std.ReadAll()
		if err != nil {
			return
		}
		var kept [][]string
		for _, w := range wants {
			if len(w) != 1 || w[0] != "" {
				kept = append(kept, w)
			}
		}
		if len(kept) != len(got) {
			t.Fatalf("got %d records, the standard library %d", len(got), len(kept))
		}
		for i := range kept {
			if strings.Join(kept[i], "\x01") != strings.Join(got[i], "\x01") {
				t.Fatalf("record %d: got %q, the standard library %q", i, got[i], kept[i])
			}
		}
	})
}

// FuzzSurvey: any bytes are looked at without a panic; what is called regular has as many
// records as the careful reader finds.
func FuzzSurvey(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "name;hours\n\"x;y\";1\n", "sep=|\na|b\n1|2\n", "a,b\r\n1,2\r\n3,\r\n", "a,b\n\"1\",\"\"\n", "a,b\n1\n", "\n\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "x.csv")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := survey(path, MappingOptions{}, func([]string) int { return 0 })
		if err != nil || !l.Regular {
			return
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		r, err := afterHeader(file, l)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for {
			rec, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || rec.Flaw != sound || len(rec.Fields) != len(l.Header) || rec.Line != l.HeaderLine+n+1 {
				t.Fatalf("record %d: %+v, %v in a regular file with header %q", n+1, rec, err, l.Header)
			}
			n++
		}
		if n != l.Records {
			t.Fatalf("got %d records, the careful reader finds %d", l.Records, n)
		}
	})
}

// FuzzHeaders: any header is matched without a panic, each column and field once.
func FuzzHeaders(f *testing.F) {
	f.Add("Client Name,Invoice #,Date,Amount")
	f.Add("First Name,Last Name,Duration (min),Billable?")
	f.Add(",,\ufeff*ContactName,İ,(,),[x")
	f.Fuzz(func(t *testing.T, line string) {
		headers := strings.Split(line, ",")
		for _, d := range datasets {
			bound, err := bindHeaders(d, headers, Mapping{})
			if err != nil {
				t.Fatal(err)
			}
			used := map[int]string{}
			for name, b := range bound {
				if name == "started_at" || name == "ended_at" {
					continue // a day may be part of them
				}
				if _, ok := d.Field(name); !ok {
					t.Fatalf("%s has no field %s", d.Name, name)
				}
				for _, c := range b.Columns {
					if c < 0 || c >= len(headers) || used[c] != "" {
						t.Fatalf("%s: column %d for %s is taken by %q", d.Name, c, name, used[c])
					}
					used[c] = name
				}
			}
		}
		if _, err := guess("x.csv", nil, headers, Mapping{}); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatalf("got %v, want an invalid fault", err)
		}
	})
}

// FuzzMapping: any text is a mapping or an invalid fault.
func FuzzMapping(f *testing.F) {
	f.Add([]byte("dataset: invoices\ncolumns: {a: net_amount}\noptions: {date_order: dmy}"))
	f.Add([]byte("constants: [1, 2]"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("options: {delimiter: \"\\\"\"}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseMapping(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("got %v, want an invalid fault", err)
			}
			return
		}
		if err := m.check(); err != nil {
			t.Fatalf("accepted, then refused: %v", err)
		}
	})
}
