package document_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// plainReport has every kind of block and of row.
func plainReport() *document.Document {
	hours := func(text string) document.Value { return document.Value{Number: num(text), Unit: quantity.Hours} }
	return &document.Document{
		Template: "review", Title: "Review", Client: "=cmd|' /C calc'!A0", Period: "June 2026", At: time.Date(2026, 7, 9, 8, 0, 0, 0, time.UTC), Snapshot: 7,
		Facts: []document.Fact{{Label: "Snapshot", Text: "7"}}, Warnings: []string{"stale"}, Letter: []string{"Dear"}, Layout: document.Layout{Cover: true},
		Sections: []document.Section{
			{Title: "One", NewPage: true, Blocks: []document.Block{
				&document.Text{Tone: document.Lead, Paragraphs: []string{"A"}, Items: []string{"b"}},
				&document.Tiles{Items: []document.Tile{
					{Label: "Hours", Value: hours("12.3456"), Period: "June 2026", Interval: &document.Interval{Low: *num("10"), High: *num("14"), Level: 0.9, Of: "expected"}, Change: &document.Change{Value: hours("-3"), Versus: "May 2026", Good: -1}},
					{Label: "Margin", Value: document.Value{Unit: quantity.Ratio, Missing: "no revenue"}},
				}},
				&document.Table{
					Title: "Margins, by client!", Note: "n",
					Columns: []document.Column{{Name: "client", Label: "Client", Unit: quantity.Text}, {Name: "since", Label: "Since", Unit: quantity.Date}, {Name: "revenue", Label: "Revenue", Unit: quantity.Money, Currency: "USD"}, {Name: "margin", Label: "Margin", Unit: quantity.Ratio}},
					Rows: []document.Row{
						{Kind: document.Group, Cells: []any{"Dental"}},
						{Cells: []any{"+1+1", "2026-03-01", *num("-1200.12345"), *num("0.44170001")}, Why: "price"},
						{Cells: []any{"株式会社", nil, nil, nil}},
						{Kind: document.Subtotal, Cells: []any{"Subtotal", nil, *num("-1200.12345"), nil}},
						{Kind: document.Total, Cells: []any{nil, nil, *num("-1200.12345"), nil}},
					},
				},
				gallery()["bars"],
			}},
			{Title: "Two", Blocks: []document.Block{
				&document.Finding{Origin: document.Origin{Grade: "low"}, Headline: "H", Subject: "@S", Measure: "Hours", Value: hours("9"), Stake: document.Value{Number: num("10.5"), Unit: quantity.Money, Currency: "EUR"}, Drivers: []document.Driver{{Name: "Mix", Value: hours("-2")}}, Versus: "May", Reference: "f-1"},
			}},
		},
	}
}

func TestJSONHoldsTheDocument(t *testing.T) {
	var b bytes.Buffer
	if err := document.WriteJSON(&b, plainReport()); err != nil {
		t.Fatal(err)
	}
	var got document.Document
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	same := cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) })
	if diff := cmp.Diff(plainReport(), &got, same); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(b.String(), `"-1200.12345"`) || strings.Contains(b.String(), "<") {
		t.Errorf("%s", b.String())
	}
}

// filesOf returns the CSV files of a document by name, and the names in order.
func filesOf(t *testing.T, d *document.Document) (files map[string][][]string, names []string) {
	t.Helper()
	var b bytes.Buffer
	if err := document.WriteTables(t.Context(), &b, d); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := document.WriteTables(t.Context(), &again, d); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Fatalf("the same document gives other bytes (%v)", err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][][]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !f.Modified.Equal(d.At) {
			t.Errorf("%s is of %s", f.Name, f.Modified)
		}
		names = append(names, f.Name)
		files[f.Name] = rowsOf(t, text)
	}
	return files, names
}

func rowsOf(t *testing.T, text []byte) [][]string {
	t.Helper()
	rest, found := bytes.CutPrefix(text, []byte("\ufeff"))
	rows, err := csv.NewReader(bytes.NewReader(rest)).ReadAll()
	if err != nil || !found {
		t.Fatalf("%v: %s", err, text)
	}
	return rows
}

func TestEachTableIsAFileOfTheZip(t *testing.T) {
	d := plainReport()
	files, names := filesOf(t, d)
	if diff := cmp.Diff([]string{"00-about.csv", "01-key-figures.csv", "02-margins-by-client.csv", "03-which-clients-earn-what.csv", "04-findings.csv", "05-drivers-of-findings.csv"}, names); diff != "" {
		t.Fatal(diff)
	}
	for name, want := range map[string][][]string{
		"00-about.csv": {{"What", "Value"}, {"Title", "Review"}, {"Client", "'=cmd|' /C calc'!A0"}, {"Period", "June 2026"}, {"As of", "2026-07-09"}, {"Snapshot", "7"}, {"Warning", "stale"}},
		"01-key-figures.csv": {
			{"Figure", "Value", "Unit", "Currency", "Period", "Low", "High", "Interval of", "Change", "Change versus", "Confidence", "Note"},
			{"Hours", "12.3456", "hours", "", "June 2026", "10", "14", "expected", "-3", "May 2026", "", ""},
			{"Margin", "", "ratio", "", "", "", "", "", "", "", "", "no revenue"},
		},
		"02-margins-by-client.csv": {
			{"Group", "Client", "Since", "Revenue (USD)", "Margin (fraction)", "Row", "Why"},
			{"Dental", "'+1+1", "2026-03-01", "-1200.12345", "0.44170001", "", "price"},
			{"Dental", "株式会社", "", "", "", "", ""},
			{"Dental", "Subtotal", "", "-1200.12345", "", "subtotal", ""},
			{"", "", "", "-1200.12345", "", "total", ""},
		},
		"04-findings.csv": {
			{"Finding", "Headline", "Subject", "Measure", "Value", "Unit", "Currency", "Low", "High", "Interval of", "At stake in a year", "Stake's currency", "Confidence", "Recommendation", "Review"},
			{"f-1", "H", "'@S", "Hours", "9", "hours", "", "", "", "", "10.5", "EUR", "low", "", ""},
		},
		"05-drivers-of-findings.csv": {{"Finding", "Driver", "Effect", "Unit", "Currency", "Versus"}, {"f-1", "Mix", "-2", "hours", "", "May"}},
	} {
		if diff := cmp.Diff(want, files[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	var all []string
	for _, rows := range files {
		for _, row := range rows {
			all = append(all, row...)
		}
	}
	has := map[string]bool{}
	for _, cell := range all {
		has[cell] = true
	}
	for f := range d.Figures() {
		if f.Value.Number != nil && !has[f.Value.Number.String()] {
			t.Errorf("%s: %s is in no file", f.Where, f.Value.Number)
		}
	}
}

func TestOneFileHoldsEveryTable(t *testing.T) {
	d := &document.Document{Title: "Margins", Period: "June 2026", Sections: []document.Section{{Title: "A", Blocks: []document.Block{
		&document.Table{Title: "By client", Columns: []document.Column{{Name: "client", Label: "Client", Unit: quantity.Text}, {Name: "gross_margin", Label: "Margin", Unit: quantity.Ratio}}, Rows: []document.Row{{Cells: []any{"=1+1", decimal.RequireFromString("-0.25")}}}},
		&document.Chart{Kind: document.Bars, Title: "Who", Unit: quantity.Count, Categories: []string{"Ann"}, Series: []document.Series{{Name: "Tickets", Values: []*quantity.Decimal{ptr("3")}}}},
	}}}}
	var b, again bytes.Buffer
	if err := document.WriteCSV(t.Context(), &b, d); err != nil {
		t.Fatal(err)
	}
	want := "\ufeffTable,What,Value\nabout,Title,Margins\nabout,Client,\nabout,Period,June 2026\nabout,As of,0001-01-01\n" +
		"\nTable,Client,Margin (fraction)\nBy client,'=1+1,-0.25\n" +
		"\nTable,Category,Tickets\nWho,Ann,3\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	if err := document.WriteCSV(t.Context(), &again, d); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("the same document gives other bytes", err)
	}
}

func ptr(s string) *quantity.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

func TestWritingCSVEndsWithItsContext(t *testing.T) {
	table := &document.Table{Columns: []document.Column{{Name: "n", Unit: quantity.Count}}}
	for range 5000 {
		table.Rows = append(table.Rows, document.Row{Cells: []any{*num("1")}})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := &document.Document{Sections: []document.Section{{Blocks: []document.Block{table}}}}
	if err := document.WriteCSV(ctx, io.Discard, d); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNoTextRunsAsAFormula(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "Contoso": "Contoso", "-": "-", "-12.50": "-12.50", "+3.2%": "+3.2%", "-1,234.50": "-1,234.50", "-5 %": "-5 %",
		"=1+1": "'=1+1", "+1+1": "'+1+1", "-2-2": "'-2-2", "@SUM(1)": "'@SUM(1)", "\tx": "'\tx", "\r=1": "'\r=1", "=5": "'=5", "@5": "'@5",
		"+": "'+", "-.": "'-.", "-1.": "'-1.", "-,": "'-,", "-1%%": "'-1%%", "- 1": "'- 1", "−5": "−5",
	} {
		if got := document.Inert(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
