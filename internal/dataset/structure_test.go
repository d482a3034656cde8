package dataset

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// setAside lists the codes of the records that were set aside.
func setAside(t *testing.T, tab *table) []string {
	t.Helper()
	var codes []string
	if tab.broken == nil {
		return nil
	}
	f, err := os.Open(tab.broken.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := newRecordReader(f, plain(','))
	for {
		rec, err := r.next()
		if err == io.EOF {
			return codes
		}
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, rec.Fields[1]+" "+rec.Fields[4])
	}
}

// Four days of work, in a table that each case writes its own way.
const (
	dayHead = "Day,Client,Hours,Note\n"
	dayRows = "2026-03-02,Harbor,1.5,phone\n2026-03-03,Bay Clinic,2,\n2026-03-04,Harbor,0.25,mail\n2026-03-05,Quay,8,on site\n"
)

func TestTheFormOfAFileIsFound(t *testing.T) {
	t.Parallel()
	days := [][]string{{"2026-03-02", "Harbor", "1.5", "phone"}, {"2026-03-03", "Bay Clinic", "2", ""}, {"2026-03-04", "Harbor", "0.25", "mail"}, {"2026-03-05", "Quay", "8", "on site"}}
	with := func(rows [][]string, row, col int, cell string) [][]string {
		out := append([][]string{}, rows...)
		out[row] = append([]string{}, out[row]...)
		out[row][col] = cell
		return out
	}
	split := func(sep string) string { return strings.ReplaceAll(dayHead+dayRows, ",", sep) }
	lines := strings.SplitAfter(dayRows, "\n")
	for _, c := range []struct {
		name, text string
		want       Dialect // of its fields those that are set
		rows       [][]string
		aside      []string
		check      func(*table) bool
	}{
		{name: "plain", text: dayHead + dayRows, want: Dialect{Delimiter: ",", Quote: `"`, Escape: "double", RecordEnd: "lf", HeaderLine: 1, HeaderRows: 1}},
		{name: "semicolons", text: split(";"), want: Dialect{Delimiter: ";"}},
		{name: "number signs", text: split("#"), want: Dialect{Delimiter: "#"}},
		{name: "unit separators", text: split("\x1f"), want: Dialect{Delimiter: "\x1f"}},
		{name: "a comma and a blank", text: split(", "), want: Dialect{Delimiter: ","}},
		{name: "CR LF", text: strings.ReplaceAll(dayHead+dayRows, "\n", "\r\n"), want: Dialect{RecordEnd: "crlf"}},
		{name: "CR", text: strings.ReplaceAll(dayHead+dayRows, "\n", "\r"), want: Dialect{RecordEnd: "cr"}},
		{name: "mixed record ends", text: dayHead + lines[0] + strings.ReplaceAll(lines[1]+lines[2], "\n", "\r\n") + lines[3], want: Dialect{RecordEnd: "mixed"}},
		{name: "apostrophes quote", text: dayHead + "2026-03-02,'Harbor',1.5,'phone'\n2026-03-03,'Bay Clinic',2,''\n2026-03-04,'Harbor',0.25,'mail, twice'\n2026-03-05,'Quay',8,'on site'\n",
			want: Dialect{Quote: "'", Delimiter: ","}, rows: with(days, 2, 3, "mail, twice")},
		{name: "a backslash escapes quotes", text: dayHead + strings.Replace(dayRows, "phone", `"a 10\", a \"b\", c"`, 1), want: Dialect{Escape: "backslash"}, rows: with(days, 0, 3, `a 10", a "b", c`)},
		{name: "title lines with all delimiters", text: "Time report,,,\n,,,\n" + dayHead + dayRows, want: Dialect{HeaderLine: 3, Preamble: 2}},
		{name: "two header rows", text: "When,Who,How,\n(ymd),(full),(long),(free)\n" + dayRows, want: Dialect{HeaderLine: 1, HeaderRows: 2},
			check: func(tab *table) bool { return tab.Layout.Header[2] == "How (long)" }},
		{name: "titles of groups of columns", text: "Day,Work,,Note\n,For,Long,\n" + dayRows, want: Dialect{HeaderRows: 2}, check: func(tab *table) bool {
			return tab.Layout.Header[1] == "Work For" && tab.Layout.Header[2] == "Work Long"
		}},
		{name: "records of nothing are no rows", text: dayHead + lines[0] + ",,,\n" + lines[1] + lines[2] + lines[3] + ",,,\n"},
		{name: "the header twice", text: dayHead + dayHead + dayRows, want: Dialect{HeaderRows: 2}, check: func(tab *table) bool { return tab.Layout.Header[0] == "Day" }},
		{name: "the header on every page", text: dayHead + lines[0] + lines[1] + dayHead + lines[2] + lines[3], check: func(tab *table) bool { return tab.Heads.N == 1 && tab.Heads.First[0] == 4 && tab.Records == 4 }},
		{name: "lines below the table", text: dayHead + dayRows + "\nPrinted by Dana\nPage 1\n", want: Dialect{Footer: 2}, aside: []string{"7 footer_line", "8 footer_line"}},
		{name: "a short line inside the table is a row", text: dayHead + lines[0] + "2026-03-03\n" + lines[2] + lines[3], rows: with(with(with(days, 1, 1, ""), 1, 2, ""), 1, 3, "")},
		{name: "another table below", text: dayHead + dayRows + "Day,Client,Hours\n2026-03-09,Harbor,1\n", want: Dialect{Tables: 2}, aside: []string{"6 other_table", "7 other_table"}},
		{name: "a row with a blank cell in front", text: dayHead + lines[0] + "," + lines[1] + lines[2] + lines[3], check: func(tab *table) bool { return tab.Shifted.N == 1 }},
		{name: "a header with a blank cell too many", text: "Day,,Client,Hours,Note\n" + dayRows, check: func(tab *table) bool { return len(tab.Layout.Header) == 4 }},
		{name: "a column without a name", text: "Day,,Client,Hours,Note,\n2026-03-02,,Harbor,1.5,phone,\n2026-03-03,,Bay Clinic,2,,\n",
			rows: [][]string{{"2026-03-02", "", "Harbor", "1.5", "phone", ""}, {"2026-03-03", "", "Bay Clinic", "2", "", ""}}, check: func(tab *table) bool { return len(tab.Layout.Header) == 6 }},
		{name: "a row of another delimiter", text: dayHead + lines[0] + lines[1] + "2026-03-04;Harbor;0.25;mail\n" + lines[3], check: func(tab *table) bool { return tab.Redone.N == 1 }},
		{name: "a quote too many costs no row", text: dayHead + lines[0] + lines[1] + "2026-03-04,\"Harbor,0.25,mail\n" + lines[3], rows: with(days, 2, 1, `"Harbor`), check: func(tab *table) bool { return tab.Stray.N == 1 }},
		{name: "quotes in a quoted cell", text: dayHead + lines[0] + lines[1] + "2026-03-04,Harbor,0.25,\"the \"big\" mail\"\n" + lines[3], rows: with(days, 2, 3, `the "big" mail`)},
		{name: "figures that come again are rows", text: "1,2\n3,4\n1,2\n1,2\n", rows: [][]string{{"3", "4"}, {"1", "2"}, {"1", "2"}}, check: func(tab *table) bool { return tab.Heads.N == 0 }},
		{name: "a quote that opens at the end", text: dayHead + dayRows + "2026-03-06,Quay,1,\"and th", aside: []string{"6 unterminated_quote"}, check: func(tab *table) bool { return tab.Cut }},
		{name: "a row cut off", text: dayHead + dayRows + "2026-03-06,Qu", rows: append(append([][]string{}, days...), []string{"2026-03-06", "Qu", "", ""}), check: func(tab *table) bool { return tab.Cut }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tab, rows, err := openText(t, "days.csv", c.text)
			if err != nil {
				t.Fatal(err)
			}
			if c.rows == nil {
				c.rows = days
			}
			if d := cmp.Diff(c.rows, rows); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.aside, setAside(t, tab)); d != "" {
				t.Errorf("set aside (-want +got):\n%s", d)
			}
			got := tab.Dialect
			if c.want.HeaderLine == 0 {
				got.HeaderLine = 0
			}
			for _, f := range []struct{ want, got *string }{{&c.want.Delimiter, &got.Delimiter}, {&c.want.Quote, &got.Quote}, {&c.want.Escape, &got.Escape}, {&c.want.RecordEnd, &got.RecordEnd}} {
				if *f.want != "" && *f.want != *f.got {
					t.Errorf("got dialect %+v, want %q instead of %q", got, *f.want, *f.got)
				}
			}
			if got.HeaderLine != c.want.HeaderLine || c.want.HeaderRows > 0 && got.HeaderRows != c.want.HeaderRows || got.Footer != c.want.Footer || got.Tables != c.want.Tables || c.want.Preamble > 0 && got.Preamble != c.want.Preamble {
				t.Errorf("got dialect %+v, want %+v", got, c.want)
			}
			if c.check != nil && !c.check(tab) {
				t.Errorf("got %+v", tab)
			}
		})
	}
}

func TestEveryDecisionCanBeOverridden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, options string
		want                [][]string
	}{
		{"delimiter", "a;b,c\n1;2,3\n", "delimiter: ','", [][]string{{"a;b", "c"}, {"1;2", "3"}}},
		{"quote", "a,b\n'1',2\n'3',4\n", "quote: none", [][]string{{"a", "b"}, {"'1'", "2"}, {"'3'", "4"}}},
		{"escape", "a,b\n\"1\\\",2\n", "escape: double", [][]string{{"a", "b"}, {`1\`, "2"}}},
		{"header line", "a,b\nc,d\n1,2\n", "header_line: 2", [][]string{{"c", "d"}, {"1", "2"}}},
		{"header rows", "a,b\nc,d\n1,2\n", "header_rows: 2", [][]string{{"a c", "b d"}, {"1", "2"}}},
		{"rows", "a,b,c\n1,2,3\na,b,c\nend\n", "rows: as_is", [][]string{{"a", "b", "c"}, {"1", "2", "3"}, {"a", "b", "c"}, {"end", "", ""}}},
		{"encoding", "a,b\n\xe9,1\n", "encoding: windows-1251", [][]string{{"a", "b"}, {"й", "1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, err := ParseMapping([]byte("options: {" + c.options + "}"))
			if err != nil {
				t.Fatal(err)
			}
			tab, rows, err := openTextWith(t, "x.csv", strings.NewReader(c.text), m)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, append([][]string{tab.Layout.Header}, rows...)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestEncodingsAreToldFromTheBytes(t *testing.T) {
	t.Parallel()
	encode := func(cm *charmap.Charmap, s string) string {
		out, err := cm.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, c := range []struct {
		name, text, encoding, cell string
		invalid                    int64
	}{
		{"utf-8", "name,n\nCafé,1\n", encUTF8, "Café", 0},
		{"windows-1252", "name,n\n" + encode(charmap.Windows1252, "Café “Zoë” 5 €") + ",1\n", encWindows1252, "Café “Zoë” 5 €", 0},
		{"windows-1251", "name,n\n" + encode(charmap.Windows1251, "Москва, завод") + "\n", encWindows1251, "Москва", 0},
		{"utf-8 with one damaged byte", "name,n\nCafé éàü öß\xff,1\n", encUTF8, "Café éàü öß\ufffd", 1},
		{"utf-8 cut in a character", "name,n\nCafé éàü öß\xc3", encUTF8, "Café éàü öß\ufffd", 1},
		{"an accent as the last byte", "name,n\nCaf\xe9", encWindows1252, "Café", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tab, rows, err := openText(t, "x.csv", c.text)
			if err != nil {
				t.Fatal(err)
			}
			if tab.Dialect.Encoding != c.encoding || tab.Upload.Invalid != c.invalid || rows[0][0] != c.cell {
				t.Errorf("got %s, %d invalid bytes and %q; want %s, %d and %q", tab.Dialect.Encoding, tab.Upload.Invalid, rows[0][0], c.encoding, c.invalid, c.cell)
			}
		})
	}
}

// TestACutFileIsReadAndReportedOrRefused: wherever a file is cut, the rows before the cut
// are there and something is said, unless it is cut just after a record, where nothing
// shows it.
func TestACutFileIsReadAndReportedOrRefused(t *testing.T) {
	t.Parallel()
	text := "Day;Client;Hours;Note\n" + strings.Repeat("2026-03-02;Café Zoë;1,5;\"a \"\"b\"\"; c\"\n2026-03-03;Bay;2,25;\"two\nlines\"\n2026-03-04;Quay;8;x\n", 3)
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	zw.Write([]byte(text))
	zw.Close()
	for _, c := range []struct {
		name, text string
		whole      func(cut int) bool // the cut leaves whole records
	}{
		{"utf-8", text, func(cut int) bool {
			return strings.HasSuffix(text[:cut], "\n") && strings.Count(text[:cut], `"`)%2 == 0
		}},
		{"utf-16", wide, func(cut int) bool {
			return cut%2 == 0 && strings.HasSuffix(wide[:cut], "\n\x00") && strings.Count(wide[:cut], `"`)%2 == 0
		}},
		{"gzip", packed.String(), func(int) bool { return false }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for cut := range c.text {
				tab, rows, err := openText(t, "x.csv", c.text[:cut])
				if err != nil {
					if k := fault.KindOf(err); k != fault.Invalid && cut > 0 {
						t.Errorf("cut at %d: %v", cut, err)
					}
					continue
				}
				if said := tab.Cut || tab.Open || tab.Upload.Invalid > 0 || len(setAside(t, tab)) > 0; !said && !c.whole(cut) {
					t.Errorf("cut at %d of %d: %d rows and not a word", cut, len(c.text), len(rows))
				}
			}
		})
	}
}

// endless is a line that never ends, of n bytes, that takes no memory.
type endless struct {
	head string
	fill byte
	n    int64
	at   int64
}

func (e *endless) Read(b []byte) (int, error) {
	b = b[:min(int64(len(b)), e.n-e.at)]
	if len(b) == 0 {
		return 0, io.EOF
	}
	for i := range b {
		if b[i] = e.fill; e.at+int64(i) < int64(len(e.head)) {
			b[i] = e.head[e.at+int64(i)]
		}
	}
	e.at += int64(len(b))
	return len(b), nil
}

func (e *endless) Seek(offset int64, _ int) (int64, error) { e.at = offset; return offset, nil }

func TestEndlessLinesAreRefusedInBoundedMemory(t *testing.T) {
	for _, head := range []string{"", "\"", "a,\"b", "a,b\n\""} {
		for _, fill := range []byte{'x', '"', ',', '\\'} {
			t.Run(fmt.Sprintf("%q %c", head, fill), func(t *testing.T) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				r := newRecordReader(&endless{head: head, fill: fill, n: 2 << 30}, plain(','))
				var err error
				for err == nil {
					_, err = r.next()
				}
				runtime.ReadMemStats(&after)
				if fault.KindOf(err) != fault.Invalid {
					t.Errorf("got %v, want an invalid fault", err)
				}
				if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
					t.Errorf("%d bytes were used", used)
				}
			})
		}
	}
}

func TestALineOf2GBIsRefusedBeforeItFillsTheDisk(t *testing.T) {
	for _, head := range []string{"", "a,b\n\"", "a,b\r1,2\r"} {
		dir := t.TempDir()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		line := &endless{head: head, fill: 'x', n: 2 << 30}
		_, err := (&copier{dir: dir}).open(t.Context(), "x.csv", line)
		runtime.ReadMemStats(&after)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fmt.Sprint(err), "is this a text table") {
			t.Errorf("%q: got %v, want an invalid fault", head, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 || line.at > 64<<20 {
			t.Errorf("%q: %d bytes of memory were used and %d read", head, used, line.at)
		}
	}
}

func TestFilesMadeToHurtAreRefusedInWords(t *testing.T) {
	t.Parallel()
	zipped := func(write func(io.Writer)) string {
		var b bytes.Buffer
		zw := zip.NewWriter(&b)
		w, err := zw.Create("a.csv")
		if err != nil {
			t.Fatal(err)
		}
		write(w)
		zw.Close()
		return b.String()
	}
	blanks := func(w io.Writer) { io.Copy(w, &endless{head: "a,b\n", fill: '\n', n: bombFloor + 1<<20}) }
	var gz bytes.Buffer
	zw := gzip.NewWriter(&gz)
	blanks(zw)
	zw.Close()
	for _, c := range []struct {
		name, text, says string
		kind             fault.Kind
	}{
		{"a bomb in a zip archive", zipped(blanks), "times its size", fault.TooLarge},
		{"a bomb in gzip", gz.String(), "times its size", fault.TooLarge},
		{"an archive in an archive", zipped(func(w io.Writer) { io.WriteString(w, zipped(func(io.Writer) {})) }), "archive inside an archive", fault.Invalid},
		{"10,000 columns", strings.Repeat("a,", 9999) + "b\n" + strings.Repeat("1,", 9999) + "2\n", "more than 2000 columns", fault.Invalid},
		{"10,000 columns below a header", "a,b\n" + strings.Repeat("1,", 9999) + "2\n", "more than 2000 columns", fault.Invalid},
		{"a long line", "a,b\n" + strings.Repeat("x", 3<<20), "is this a text table", fault.Invalid},
		{"only zero bytes", strings.Repeat("\x00", 4096), "no table", fault.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, rows, err := openText(t, "x", c.text)
			if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("got %d rows and %v, want it to say %q", len(rows), err, c.says)
			}
		})
	}
}

func TestZeroBytesAreLeftOutAndCounted(t *testing.T) {
	t.Parallel()
	tab, rows, err := openText(t, "x.csv", "a,b\n1,\x002\n\x003,4\n")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]string{{"1", "2"}, {"3", "4"}}, rows); d != "" || tab.Upload.NULs != 2 {
		t.Errorf("got %d zero bytes; rows (-want +got):\n%s", tab.Upload.NULs, d)
	}
}
