package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// cell makes a text one that can stand in a database: whole characters without zero bytes.
func cell(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "") }

// FuzzTypedText: any text is read as a value of each type or as none, never with an error;
// a value as it is printed is read as the same value.
func FuzzTypedText(f *testing.F) {
	seeds := []string{"1,234.50", "(1.234,5)", "12.00 CR", "1h 30m", "PT1H", "-0:30", "45%", "31/12/2025", "2026-02-30", "Mar 3rd, 26", "45889.5", "2026-03-31T09:15:00+02:00", "9:15 pm", "yes", "99999999999999999999.99", "1e9", "٣", "0001-01-01", "P1DT1H", "9999999999999h"}
	s := session(f)
	type form struct{ sql, again string }
	var forms []form
	both := func(make func(v string) string) { forms = append(forms, form{make("v"), make("w")}) }
	for _, mark := range []string{".", ","} {
		for _, k := range []Kind{Money, Price, Integer} {
			forms = append(forms, form{numberValue("v", mark, k.Type()), numberValue("w", ".", k.Type())})
		}
		for _, unit := range []int64{1, 60, 3600} {
			forms = append(forms, form{hoursValue("v", mark, unit), hoursValue("w", ".", 1)})
		}
		forms = append(forms, form{shareValue("v", mark, false), shareValue("w", ".", false)}, form{shareValue("v", mark, true), shareValue("w", ".", false)})
	}
	for _, order := range []string{"", "dmy", "mdy", "ymd"} {
		for _, d1904 := range []bool{false, true} {
			both(func(v string) string { return dateValue(v, order, d1904) })
			both(func(v string) string { return timestampValue(v, order, d1904) })
		}
	}
	both(func(v string) string { return boolValue(v, false) })
	queries := make([]string, len(forms))
	for i, x := range forms {
		queries[i] = fmt.Sprintf("SELECT w, (%s)::VARCHAR FROM (SELECT (%s)::VARCHAR AS w FROM (SELECT ?::VARCHAR AS v))", x.again, x.sql)
	}
	for i := range seeds {
		f.Add(seeds[i], byte(i))
		f.Add(seeds[i], byte(i+len(forms)/2))
	}
	f.Fuzz(func(t *testing.T, v string, form byte) {
		i := int(form) % len(forms)
		rows, err := s.Query(t.Context(), queries[i], cell(v))
		if err != nil {
			t.Fatalf("%q: %v: %s", v, err, forms[i].sql)
		}
		if first, again := rows.Rows[0][0], rows.Rows[0][1]; first != again {
			t.Errorf("%q is read as %v, which is read as %v: %s", v, first, again, forms[i].sql)
		}
	})
}

// FuzzWrittenAmounts: an amount however people write it is read as what it is, to the last digit.
func FuzzWrittenAmounts(f *testing.F) {
	f.Add(int64(123450), byte(0))
	f.Add(int64(-999999999999), byte(0xff))
	f.Add(int64(5), byte(0x2a))
	s := session(f)
	point, comma := "SELECT CAST(("+numberValue("v", ".", Money.Type())+") AS VARCHAR) FROM (SELECT ? AS v)", "SELECT CAST(("+numberValue("v", ",", Money.Type())+") AS VARCHAR) FROM (SELECT ? AS v)"
	f.Fuzz(func(t *testing.T, cents int64, form byte) {
		if cents %= 1_000_000_000_000_000; cents == 0 {
			return
		}
		units := fmt.Sprint(max(cents, -cents) / 100)
		mark, group := ".", ","
		if form&1 != 0 {
			mark, group = ",", "."
		}
		if form&2 != 0 {
			group = []string{" ", "'", "’", "\u00a0"}[form>>6]
		}
		if form&4 != 0 {
			for i := len(units) - 3; i > 0; i -= 3 {
				units = units[:i] + group + units[i:]
			}
		}
		text := fmt.Sprintf("%s%s%02d", units, mark, max(cents, -cents)%100)
		if form&8 != 0 {
			text = "$" + text
		}
		if cents < 0 && form&16 != 0 {
			text = "(" + text + ")"
		} else if cents < 0 {
			text = "-" + text
		}
		if form&32 != 0 && !strings.Contains(text, "(") {
			text += " EUR"
		}
		query := point
		if mark == "," {
			query = comma
		}
		rows, err := s.Query(t.Context(), query, text)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := new(big.Rat).SetString(fmt.Sprint(rows.Rows[0][0]))
		if !ok || got.Cmp(big.NewRat(cents, 100)) != 0 {
			t.Errorf("%q: got %v, want %d cents", text, rows.Rows[0][0], cents)
		}
	})
}

// FuzzFixes: what a fix offers to read instead is a value.
func FuzzFixes(f *testing.F) {
	for _, seed := range []string{"1.5O", "about 12 hours", "31.02.2026", "2026-13-01", "l2,50", "...", "-1-", "12.,"} {
		f.Add(seed)
	}
	s := session(f)
	numbers := "SELECT coalesce(" + numberValue("v", ".", Price.Type()) + ", " + numberValue("v", ",", Price.Type()) + ") IS NOT NULL FROM (SELECT ? AS v)"
	f.Fuzz(func(t *testing.T, v string) {
		v = cell(v)
		if to := numberIn(v); to != "" && len(to) < 10 {
			rows, err := s.Query(t.Context(), numbers, to)
			if err != nil || rows.Rows[0][0] != true {
				t.Errorf("%q: offered %q, which is no number (%v)", v, to, err)
			}
		}
		for _, order := range []string{"dmy", "mdy", "ymd"} {
			if to := nearestDate(v, order); to != "" {
				if _, err := time.Parse(time.DateOnly, to); err != nil {
					t.Errorf("%q: offered %q, which is no date", v, to)
				}
			}
		}
	})
}

// FuzzCellText: the text of a cell is that of the number stored or displayed; a date
// displayed is that day.
func FuzzCellText(f *testing.F) {
	f.Add("45889", "2025-08-20", false)
	f.Add("0.0520833333333333", "1:15", false)
	f.Add("1E+308", "1:15:00", true)
	f.Add("-1", "########", false)
	f.Add("60", "29.02.1900", false)
	f.Add("NaN", "x", false)
	f.Fuzz(func(t *testing.T, raw, shown string, date1904 bool) {
		got := cellText(raw, shown, date1904)
		if got == raw || got == shown {
			return
		}
		if _, err := time.Parse(time.DateOnly, got); err == nil {
			return
		}
		if _, err := time.Parse(time.DateTime, got); err == nil {
			return
		}
		if !timeShape.MatchString(got) {
			t.Errorf("%q shown as %q: got %q", raw, shown, got)
		}
	})
}

// FuzzWorkbook: the cells that a workbook is written with are those that are read, and
// none more; any sheet's XML is read or refused in words.
func FuzzWorkbook(f *testing.F) {
	f.Add("client_name\x1fhours\x1eHarbor\x1f1.5\x1eQuay\x1f=cmd", "")
	f.Add("a\x1fb\x1e\x1e1\x1f2\x1f3", "")
	f.Add("", `<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>client_name</t></is></c></row><row r="3"><c r="A3"><v>1</v></c></row></sheetData>`)
	f.Add("", `<sheetData><row r="1048577"><c r="XFE1"><v>1</v></c></row></sheetData>`)
	f.Add("", `<sheetData><row r="-1"><c r="" t="s"><v>9999</v></c></row><row><c t="e"><v>#REF!</v></c></row><row`)
	f.Fuzz(func(t *testing.T, cells, xml string) {
		if xml != "" {
			if tab, _, err := openText(t, "x.xlsx", bookOf(t, map[string]string{"xl/worksheets/sheet1.xml": worksheet(xml)})); err == nil && tab.Records < 0 || err != nil && fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.TooLarge {
				t.Errorf("got %v, want an invalid fault", err)
			}
			return
		}
		book := excelize.NewFile()
		defer book.Close()
		want := 0
		for r, line := range strings.Split(strings.ToValidUTF8(cells, "?"), "\x1e") {
			for c, v := range strings.Split(line, "\x1f") {
				at, err := excelize.CoordinatesToCellName(c+1, r+1)
				if err != nil || len(v) > 1000 || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0xfffe || r == 0xffff }) || strings.Contains(v, "_x") {
					return // what a workbook cannot hold
				}
				if errorCell.MatchString(v) {
					continue
				}
				if err := book.SetCellStr("Sheet1", at, v); err != nil {
					return
				}
				want += letters(v)
			}
		}
		var b bytes.Buffer
		if err := book.Write(&b); err != nil {
			t.Fatal(err)
		}
		tab, rows, err := openText(t, "x.xlsx", b.String())
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("got %v, want an invalid fault", err)
			}
			return
		}
		if tab.Layout.HeaderLine > 1 || tab.Heads.N > 0 {
			return // lines above the header are no part of the table
		}
		got := letters(tab.Layout.Header...) + letters(brokenText(t, tab)...)
		for _, r := range rows {
			got += letters(r...)
		}
		if got != want {
			t.Errorf("%d letters and digits of %d are in what was read from %q", got, want, cells)
		}
	})
}

// FuzzObjects: any text that begins like JSON is read or refused in words; each value of
// a valid line is in its row.
func FuzzObjects(f *testing.F) {
	for _, seed := range []string{"{\"a\": 1.10, \"b\": {\"c\": [1]}}\n{\"a\": \"x\"}\n", "[{\"a\": 1}, {\"b\": null}]", "{\"a\":1}{\"a\":2}", "{\n\"a\": 1}\n{", "[{\"a\": 1}", "{\"a\":1,\"a\":2}", "{\"a\": 1e400}\n{\"a\": {}}\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "x.jsonl")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := openJSON(path)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("got %v, want an invalid fault", err)
			}
			return
		}
		if r == nil {
			return
		}
		defer r.close()
		lines := strings.Split(text, "\n")
		for {
			rec, err := r.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				if fault.KindOf(err) != fault.Invalid {
					t.Errorf("got %v, want an invalid fault", err)
				}
				return
			}
			if rec.Flaw == badObject || r.form != jsonLines {
				continue
			}
			d := json.NewDecoder(strings.NewReader(lines[rec.Line-1]))
			d.UseNumber()
			var object map[string]any
			if err := d.Decode(&object); err != nil {
				t.Fatalf("line %d is a row, but no object: %v", rec.Line, err)
			}
			for key, v := range object {
				at, ok := r.place[key]
				if n, number := v.(json.Number); number && (!ok || rec.Fields[at] != n.String()) {
					t.Errorf("line %d: %q is %s, got %q", rec.Line, key, n, rec.Fields[at])
				}
			}
		}
	})
}

// FuzzInertCells: no cell of a file that we write runs as a formula, and what is taken off
// again gives the cell back.
func FuzzInertCells(f *testing.F) {
	for _, seed := range []string{"=cmd|' /C calc'!A0", "'=1", "''=1", "-3", "+49 30 1234", "@SUM(A1)", "\tx", "-", "x"} {
		f.Add(seed)
	}
	s := session(f)
	f.Fuzz(func(t *testing.T, v string) {
		v = cell(v)
		out := InertCell(v)
		if out != "" && strings.ContainsRune("=+-@\t\r", rune(out[0])) && !plainNumber.MatchString(out) {
			t.Fatalf("%q runs as a formula", out)
		}
		rows, err := s.Query(t.Context(), "SELECT "+quoteOff("v")+" FROM (SELECT ? AS v)", out)
		if err != nil || fmt.Sprint(rows.Rows[0][0]) != v {
			t.Errorf("%q came back as %v (%v)", v, rows.Rows[0][0], err)
		}
	})
}

// FuzzMappingRoundTrip: a mapping that is written out says what it said.
func FuzzMappingRoundTrip(f *testing.F) {
	f.Add("Client: Name", "client_name", "1.50", "notes", "~", uint8(3))
	f.Add("- x", "", "yes", "null", "0x1F", uint8(0xff))
	f.Add("'", "\"", "\n", " # ", "|", uint8(0))
	f.Fuzz(func(t *testing.T, header, field, value, is, set string, form uint8) {
		for _, s := range []string{header, field, value, is, set} {
			if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
				return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0xfffe || r == 0xfeff
			}) {
				return // not in YAML
			}
		}
		m := Mapping{Columns: map[string]string{header: field}, Constants: map[string]string{field: value}, Corrections: []Correction{{Column: header, Is: &is, Set: &set, Rule: form&1 != 0}}}
		if form&2 != 0 {
			m.Options.DateOrder = "dmy"
		}
		if form&4 != 0 {
			m.Corrections = append(m.Corrections, Correction{Record: int64(form), Skip: true})
		}
		if m.check() != nil {
			return
		}
		text, err := m.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseMapping(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if d := cmp.Diff(m, again); d != "" {
			t.Errorf("%s\n(-written +read):\n%s", text, d)
		}
	})
}
