package httpapi_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

const (
	trickyInvoices = "invoice_id,client_name,amount,date,status\nI-1,Acme,1000.10,2026-01-15,paid\nI-2,\"=cmd|'/c calc'!A1\",250.55,2026-01-20,sent\nI-3,Acme,-12345678.87,2026-02-03,sent\nI-4,\"Björk, Söhne\",3.10,2026-02-03,sent\n"
	someHours      = "entry_id,client_name,technician,date,hours,billable\nT-1,Acme,Dana,2026-01-16,1.25,yes\nT-2,Acme,Dana,2026-02-16,2.10,yes\n"
)

type queryAnswer struct {
	Columns []struct{ Name, Unit string }
	Rows    [][]*string
	Reasons []map[string]string
}

func ask(t *testing.T, s *httptest.Server, path string) queryAnswer {
	t.Helper()
	a := get(t, s, path)
	var out queryAnswer
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != http.StatusOK {
		t.Fatalf("%s: %d %s (%v)", path, a.status, a.body, err)
	}
	return out
}

func same(a string, b *string) bool {
	if b == nil {
		return a == ""
	}
	x, err := decimal.NewFromString(a)
	y, err2 := decimal.NewFromString(*b)
	if err == nil && err2 == nil {
		return x.Equal(y)
	}
	return strings.TrimPrefix(a, "'") == *b
}

func TestExportsHoldTheAnswerOfTheQuery(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{"invoices.csv": trickyInvoices})
	upload(t, s, map[string]string{"time.csv": someHours})
	params := "?measures=revenue,hours_worked,labor_cost_rate,gross_margin&by=client,month&from=2026-01&to=2026-03"
	want := ask(t, s, "/api/v1/query"+params)
	if len(want.Rows) != 4 {
		t.Fatalf("%d rows", len(want.Rows))
	}

	file := get(t, s, "/api/v1/query/export"+params+"&format=csv")
	if got := file.header.Get("Content-Disposition"); got != `attachment; filename="revenue-hours_worked-labor_cost_rate-and-1-more-by-client-month-2026-01-2026-02.csv"` {
		t.Errorf("file name: %s", got)
	}
	if file.header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Error(file.header.Get("Content-Type"))
	}
	lines, err := csv.NewReader(strings.NewReader(file.body)).ReadAll()
	if err != nil || len(lines) != len(want.Rows)+1 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, row := range lines[1:] {
		for j, cell := range row {
			if lines[0][j] != want.Columns[j].Name || !same(cell, want.Rows[i][j]) {
				t.Errorf("%s, row %d: %q", lines[0][j], i, cell)
			}
			if strings.HasPrefix(cell, "=") {
				t.Errorf("%q would run as a formula", cell)
			}
		}
	}
	if !strings.Contains(file.body, "'=cmd|") || !strings.Contains(file.body, `"Björk, Söhne"`) || !strings.Contains(file.body, "-12345678.87") {
		t.Errorf("csv: %s", file.body)
	}

	for range 2 { // the second from the cache of answers
		attached := get(t, s, "/api/v1/query/export"+params+"&format=json")
		var got queryAnswer
		if err := json.Unmarshal([]byte(attached.body), &got); err != nil || len(got.Rows) != len(want.Rows) || !strings.HasPrefix(attached.header.Get("Content-Disposition"), "attachment;") {
			t.Errorf("json: %v %v", attached.header, err)
		}
	}

	book := get(t, s, "/api/v1/query/export"+params+"&format=xlsx")
	f, err := excelize.OpenReader(strings.NewReader(book.body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := f.GetRows("Data", excelize.Options{RawCellValue: true})
	if err != nil || len(raw) != len(want.Rows)+1 {
		t.Fatalf("%d rows, %v", len(raw), err)
	}
	for j, c := range want.Columns {
		sum, total := decimal.Zero, decimal.Zero
		for i, row := range want.Rows {
			at, _ := excelize.CoordinatesToCellName(j+1, i+2)
			cell, _ := f.GetCellValue("Data", at, excelize.Options{RawCellValue: true})
			kind, _ := f.GetCellType("Data", at)
			switch {
			case c.Unit == "text":
				if row[j] == nil || cell != *row[j] {
					t.Errorf("%s: %q", at, cell)
				}
				if formula, _ := f.GetCellFormula("Data", at); formula != "" {
					t.Errorf("%s is the formula %s", at, formula)
				}
			case c.Unit == "date":
				shown, _ := f.GetCellValue("Data", at)
				if kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString || shown != (*row[j])[:7] {
					t.Errorf("%s: %v %q, want a date in %s", at, kind, shown, *row[j])
				}
			case row[j] == nil:
				if cell != "" {
					t.Errorf("%s: %q, want an empty cell", at, cell)
				}
			default:
				got, err := decimal.NewFromString(cell)
				exact := decimal.RequireFromString(*row[j])
				if err != nil || kind == excelize.CellTypeInlineString || !got.Equal(significant(exact)) {
					t.Errorf("%s: %q, want %s as a number", at, cell, exact)
				}
				if c.Unit == "money" && !got.Equal(exact) {
					t.Errorf("%s: %s, want exactly %s", at, got, exact)
				}
				sum, total = sum.Add(got), total.Add(significant(exact))
			}
		}
		if !sum.Equal(total) {
			t.Errorf("%s adds up to %s, want %s", c.Name, sum, total)
		}
	}
	if shown, _ := f.GetCellValue("Data", "C2"); !strings.Contains(shown, "-12,345,678.87") && !strings.Contains(strings.Join(column(t, f, "C"), " "), "-12,345,678.87") {
		t.Errorf("money is shown as %q", column(t, f, "C"))
	}
	panes, _ := f.GetPanes("Data")
	if !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("the header is not frozen: %+v", panes)
	}
	style, _ := f.GetCellStyle("Data", "A1")
	if st, err := f.GetStyle(style); err != nil || st.Font == nil || !st.Font.Bold {
		t.Error("the header is not bold")
	}
	about, err := f.GetRows("About")
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, row := range about {
		text += strings.Join(row, "|") + "\n"
	}
	for _, part := range []string{"Period|2026-01-01|2026-02-28\n", "Filter|none\n", "Snapshot|", "Data through|2026-02-16\n", "gross_margin|", "|ratio|", "Empty cells|Why|How many\n", "labor_cost_rate|"} {
		if !strings.Contains(text, part) {
			t.Errorf("About does not say %q:\n%s", part, text)
		}
	}
}

func column(t *testing.T, f *excelize.File, name string) []string {
	t.Helper()
	var out []string
	for _, at := range []string{"2", "3", "4", "5"} {
		v, err := f.GetCellValue("Data", name+at)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// significant rounds to the 15 digits that a spreadsheet keeps.
func significant(d quantity.Decimal) quantity.Decimal {
	if extra := d.NumDigits() - 15; extra > 0 {
		return d.Round(-d.Exponent() - int32(extra))
	}
	return d
}

func TestTheAutoFilterIsInTheFile(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{"invoices.csv": trickyInvoices})
	book := get(t, s, "/api/v1/query/export?measures=revenue&by=client&format=xlsx")
	if !strings.Contains(sheetXML(t, book.body), `<autoFilter ref="$A$1:$B$4">`) && !strings.Contains(sheetXML(t, book.body), `<autoFilter ref="A1:B4"`) {
		t.Errorf("no filter in %.600s", sheetXML(t, book.body))
	}
	if got := book.header.Get("Content-Disposition"); got != `attachment; filename="revenue-by-client-2026-01-2026-02.xlsx"` {
		t.Error(got)
	}
}

func TestRowsAreExported(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{"invoices.csv": trickyInvoices})
	a := get(t, s, "/api/v1/query/rows/export?measure=revenue&from=2026-01&to=2026-03&format=csv")
	lines, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil || len(lines) != 5 || a.header.Get("Content-Disposition") != `attachment; filename="rows-of-revenue-2026-01-2026-02.csv"` {
		t.Fatalf("%d %v %s %v", a.status, a.header, a.body, err)
	}
	sum := decimal.Zero
	for _, l := range lines[1:] {
		sum = sum.Add(decimal.RequireFromString(l[len(l)-1]))
	}
	if total := ask(t, s, "/api/v1/query?measures=revenue&from=2026-01&to=2026-03"); sum.String() != *total.Rows[0][0] {
		t.Errorf("rows add up to %s, the query says %s", sum, *total.Rows[0][0])
	}
	book := get(t, s, "/api/v1/query/rows/export?measure=revenue&format=xlsx")
	f, err := excelize.OpenReader(bytes.NewReader([]byte(book.body)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("Data", excelize.Options{RawCellValue: true})
	if err != nil || len(rows) != 5 || rows[1][len(rows[0])-1] != "-12345678.87" {
		t.Errorf("%v %v", rows, err)
	}
	if shown, _ := f.GetCellValue("Data", "E2"); shown != "2026-02-03" {
		t.Errorf("date: %q", shown)
	}
}

func TestWrongExportsGetProblemDetails(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{"invoices.csv": trickyInvoices})
	for _, path := range []string{
		"/api/v1/query/export?measures=revenu", "/api/v1/query/export?measures=revenue&format=pdf", "/api/v1/query/rows/export?measure=gross_margin",
		"/api/v1/query/rows/export?measure=revenue&from=yesterday", "/api/v1/query/rows/export?measure=revenue&format=json",
	} {
		a := get(t, s, path)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.header.Get("Content-Type"), "application/problem+json") || a.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
}
