package dataset

import (
	"errors"
	"io"
	"os"
	"path"
	"strings"
	"testing"
	"unicode"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// letters counts letters and digits.
func letters(cells ...string) int {
	n := 0
	for _, c := range cells {
		for _, r := range c {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				n++
			}
		}
	}
	return n
}

// conserved checks that every letter and digit of a delimited file is in its preamble,
// its header, a row, a rejected record or a header that comes again.
func conserved(t *testing.T, name, text string) {
	t.Helper()
	tab, rows, err := openText(t, name, text)
	if err != nil {
		if fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.TooLarge {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	if tab.Dialect.Encoding == encXLSX {
		return
	}
	decoded, err := os.ReadFile(tab.Upload.Path)
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	head := newRecordReader(strings.NewReader(string(decoded)), tab.Layout.grammar)
	head.width = tab.Layout.width
	for {
		rec, err := head.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got += letters(rec.Fields...)
		if rec.Line >= tab.Layout.HeaderEnd {
			break
		}
	}
	for _, r := range rows {
		got += letters(r...)
	}
	for _, h := range tab.Layout.HeaderRows {
		if len(tab.Layout.HeaderRows) == 1 {
			got += int(tab.Heads.N) * letters(h...)
		}
	}
	got += letters(brokenText(t, tab)...)
	if want := letters(string(decoded)); got != want && (len(tab.Layout.HeaderRows) == 1 || tab.Heads.N == 0) {
		t.Errorf("%s: %d letters and digits of %d are in what was read", name, got, want)
	}
}

// brokenText is the text of the records that could not be read as rows.
func brokenText(t *testing.T, tab *table) (texts []string) {
	t.Helper()
	if tab.broken == nil {
		return nil
	}
	f, err := os.Open(tab.broken.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := newRecordReader(f, plain(',')); ; {
		rec, err := r.next()
		if err != nil {
			return texts
		}
		texts = append(texts, rec.Fields[7])
	}
}

func TestNoCharacterOfAFileIsLost(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"pollock_polluted.tar.gz", "pollock_survey_sample.tar.gz", "dialect_corpus.tar.gz", "csv_spectrum.tar.gz", "messytables_horror.tar.gz", "invoiceninja_import_samples.tar.gz"} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			for file, text := range corpus(t, set) {
				if dir := path.Dir(file); text == "" || dir == "json" || dir == "clean" || dir == "parameters" || strings.HasSuffix(file, "_annotations.txt") {
					continue
				}
				conserved(t, path.Base(file), text)
			}
		})
	}
}

// FuzzTable: any bytes are read without a panic, and nothing of them is lost.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "a;b;c\n1;\"x\n2;y\";3\n", "Report\n\na,b,c\n1,2,3\na,b,c\n4,5,6\nend\n", "a,b,c\n1,,2,3\n,1,2,3\n1,2,3,\n1,2\n", "a,b\n\"1,2\n3,4\n5,\"6\n",
		"'a','b'\n'1','2'\n", "a|b\\\"|\"c\\\"\"\n", "\xff\xfea\x00,\x00b\x00\n\x00", "\x1f\x8b", "PK\x03\x04", "sep=;\na;b\n1;2", "a,b\r1,2\r\n3,4\n", "caf\xe9,b\n\xc3\xa9,\xff\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(text, "PK") || strings.HasPrefix(text, "\x1f\x8b") {
			return // archives: their tests are elsewhere
		}
		conserved(t, "x.csv", text)
	})
}
