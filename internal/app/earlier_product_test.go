package app_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/unicode"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

// What went wrong in an earlier product of the same purpose, each as a test. Blocking,
// failed uploads and retries over HTTP are in httpapi. Its faults of authentication, rate
// limits and report files have no test here, as that is not built yet.

// invoiceRows are n invoices of 10, that of one row saying something else.
func invoiceRows(n, odd int, amount string) string {
	var b strings.Builder
	b.WriteString("invoice_id,client_name,amount,date,status\n")
	for i := 1; i <= n; i++ {
		a := "10"
		if i == odd {
			a = amount
		}
		fmt.Fprintf(&b, "%d,Acme,%s,2026-01-%02d,paid\n", i, a, 1+i%28)
	}
	return b.String()
}

func utf16(t *testing.T, text string) string {
	t.Helper()
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return wide
}

func workbook(t *testing.T, text string) string {
	t.Helper()
	f := excelize.NewFile()
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var cells []any
		for _, c := range strings.Split(line, ",") {
			cells = append(cells, c)
		}
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells); err != nil {
			t.Fatal(err)
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhatWentWrongInAnEarlierProduct(t *testing.T) {
	t.Parallel()
	const invoices = "invoice_id,client_name,amount,date,status\n"
	const logs = "staff_name,client_name,hours,rate,billable,date\n"
	type file struct {
		name, text string
		code       int    // exit status
		counts     string // read added updated unchanged rejected
		says       string // in findings and messages
	}
	for _, c := range []struct {
		name  string
		files []file
		query []string
		rows  string // of the query, as JSON
	}{
		{"a bad row in the middle is told, the others are stored", []file{{"invoices.csv", invoiceRows(100, 50, "ten"), 3, "100 99 0 0 1", "amount_unparsable"}}, []string{"--measures", "revenue"}, `[["990"]]`},
		{"a bad last row is told, the others are stored", []file{{"invoices.csv", invoiceRows(100, 100, "ten"), 3, "100 99 0 0 1", "amount_unparsable"}}, []string{"--measures", "revenue"}, `[["990"]]`},
		{"an invoice number twice counts as it is reported", []file{{"invoices.csv", invoices + "1,Acme,10,2026-01-01,paid\n2,Acme,20,2026-01-02,paid\n2,Acme,20,2026-01-02,paid\n", 0, "3 2 0 1 0", "duplicate_rows"}}, []string{"--measures", "revenue"}, `[["30"]]`},
		{"the same file twice does not double the time", []file{{"time_logs.csv", logs + "Dana,Acme,10,60,Yes,2026-01-12\n", 0, "1 1 0 0 0", ""}, {"time_logs.csv", logs + "Dana,Acme,10,60,Yes,2026-01-12\n", 0, "1 0 0 1 0", ""}}, []string{"--measures", "hours_worked"}, `[["10"]]`},
		{"licenses are stored", []file{{"licenses.csv", "client_name,product_name,seats_purchased,seats_used,cost_per_seat,status\nAcme,Office,10,4,20,active\n", 0, "1 1 0 0 0", ""}}, []string{"--measures", "seats_used"}, `[["4"]]`},
		{"a workbook is read", []file{{"invoices.xlsx", workbook(t, invoices+"1,Acme,10,2026-01-01,paid\n"), 0, "1 1 0 0 0", ""}}, []string{"--measures", "revenue"}, `[["10"]]`},
		{"a credit note and a numeric invoice number are stored", []file{{"invoices.csv", invoices + "1001,Acme,100,2026-01-01,paid\n1002,Acme,-50,2026-01-02,paid\n", 0, "2 2 0 0 0", "credit_note"}}, []string{"--measures", "revenue"}, `[["50"]]`},
		{"No is not billable", []file{{"time_logs.csv", logs + "Dana,Acme,10,60,No,2026-01-12\nDana,Acme,2,60,Yes,2026-01-12\n", 0, "2 2 0 0 0", ""}}, []string{"--measures", "billable_hours,hours_worked"}, `[["2","12"]]`},
		{"dates of a column are read in one order", []file{{"invoices.csv", invoices + "1,Acme,10,03/04/2024,paid\n2,Acme,20,13/04/2024,paid\n", 0, "2 2 0 0 0", ""}}, []string{"--measures", "revenue", "--by", "month"}, `[["2024-04-01","30"]]`},
		{"without a rate there is no cost, not a cost of 0", []file{{"time_logs.csv", "staff_name,client_name,hours,date\nDana,Acme,10,2026-01-12\n", 0, "1 1 0 0 0", ""}}, []string{"--measures", "labor_cost"}, `[[null]]`},
		{"a total that its lines do not make is told", []file{{"invoices.csv", "invoice_number,client_name,date,total_amount,lines_json\n1,Acme,2026-01-01,999,\"[{\"\"quantity\"\": 1, \"\"unit_price\"\": 10}]\"\n", 0, "1 1 0 0 0", "line_sum_ne_header"}}, []string{"--measures", "revenue"}, `[["10"]]`},
		{"a header alone is no success", []file{{"invoices.csv", invoices, 0, "0 0 0 0 0", "no_rows"}}, nil, ""},
		{"wrong headers are the cause that is told", []file{{"invoices.csv", "foo,bar\n1,2\n3,4\n", 1, "", "foo, bar"}}, nil, ""},
		{"missing headers are named", []file{{"invoices.csv", "invoice_id,client_name,date,status\n1,Acme,2026-01-01,paid\n", 1, "", "amount"}}, nil, ""},
		{"headers in other letters and with blanks", []file{{"invoices.csv", " Invoice ID , CLIENT NAME,Amount ,DATE,Status\n1,Acme,10,2026-01-01,paid\n", 0, "1 1 0 0 0", ""}}, []string{"--measures", "revenue", "--by", "client"}, `[["Acme","10"]]`},
		{"semicolons", []file{{"invoices.csv", strings.ReplaceAll(invoices+"1,Acme,10,2026-01-01,paid\n", ",", ";"), 0, "1 1 0 0 0", ""}}, []string{"--measures", "revenue"}, `[["10"]]`},
		{"UTF-16", []file{{"invoices.csv", utf16(t, invoices+"1,Café Zoë,10,2026-01-01,paid\n"), 0, "1 1 0 0 0", ""}}, []string{"--measures", "revenue", "--by", "client"}, `[["Café Zoë","10"]]`},
		{"every month comes back", []file{{"invoices.csv", invoices + "1,Acme,10,2026-01-31,paid\n2,Acme,20,2026-02-28,paid\n3,Acme,30,2026-03-31,paid\n", 0, "3 3 0 0 0", ""}}, []string{"--measures", "revenue", "--by", "month"}, `[["2026-01-01","10"],["2026-02-01","20"],["2026-03-01","30"]]`},
		{"two currencies are not added", []file{{"invoices.csv", "invoice_id,client_name,amount,date,status,currency\n1,Acme,10,2026-01-31,paid,EUR\n2,Acme,20,2026-01-31,paid,USD\n", 0, "2 2 0 0 0", ""}}, []string{"--measures", "revenue"}, `[[null]]`},
		{"void invoices are no revenue", []file{{"invoices.csv", invoices + "1,Acme,10,2026-01-31,paid\n2,Acme,20,2026-01-31,void\n", 0, "2 2 0 0 0", ""}}, []string{"--measures", "revenue"}, `[["10"]]`},
		{"labor costs what staff cost, not what they are billed at", []file{{"staff.csv", "staff_name,cost_rate,bill_rate\nDana,40,150\n", 0, "1 1 0 0 0", ""}, {"time_entries.csv", "staff_name,client_name,hours,billing_rate,date\nDana,Acme,10,150,2026-01-12\n", 0, "1 1 0 0 0", ""}}, []string{"--measures", "labor_cost"}, `[["400"]]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, data := t.TempDir(), t.TempDir()
			for _, f := range c.files {
				code, out, errOut := run(t, data, "import", "--json", write(t, dir, f.name, f.text))
				if code != f.code || !strings.Contains(out+errOut, f.says) {
					t.Fatalf("%s: exit %d, want %d and %q:\n%s%s", f.name, code, f.code, f.says, out, errOut)
				}
				if f.counts == "" {
					continue
				}
				var r dataset.ImportResult
				if err := json.Unmarshal([]byte(out), &r); err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprint(r.RowsRead, r.RowsAdded, r.RowsUpdated, r.RowsUnchanged, r.RowsRejected); got != f.counts {
					t.Errorf("%s: counts %s, want %s", f.name, got, f.counts)
				}
			}
			if c.query == nil {
				return
			}
			var a answer
			if err := json.Unmarshal([]byte(ok(t, data, append([]string{"query", "--json"}, c.query...)...)), &a); err != nil {
				t.Fatal(err)
			}
			if got, _ := json.Marshal(a.Rows); string(got) != c.rows {
				t.Errorf("query %v: got %s, want %s", c.query, got, c.rows)
			}
		})
	}
}

func TestItsOwnTemplatesAreImportedWhole(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	for _, name := range dataset.Names() {
		text := ok(t, data, "template", name)
		if code, out, errOut := run(t, data, "import", "--dataset", name, write(t, dir, filepath.Base(name)+".csv", text)); code != 0 || !strings.Contains(out, " 0 rejected") {
			t.Errorf("%s: exit %d\n%s%s", name, code, out, errOut)
		}
	}
}
