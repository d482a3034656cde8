package dataset_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

const timeHeader = "staff_name,client_name,date,hours\n"

func TestFilesOfEveryFormReadAlike(t *testing.T) {
	t.Parallel()
	plain := "staff_name,client_name,date,hours\nJosé Müller,Café “Zoë” €,2026-03-04,1.5\nDana Ortiz,Bay Clinic,2026-03-05,2\n"
	rows := func(sep string) string {
		return strings.ReplaceAll(strings.ReplaceAll(plain, ",", sep), "\n", "\r\n")
	}
	utf16text := func(order string) string {
		var b bytes.Buffer
		for _, u := range append([]uint16{0xfeff}, utf16.Encode([]rune(rows("\t")))...) {
			if order == "be" {
				b.Write([]byte{byte(u >> 8), byte(u)})
			} else {
				b.Write([]byte{byte(u), byte(u >> 8)})
			}
		}
		return b.String()
	}
	windows, err := charmap.Windows1252.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	var gz bytes.Buffer
	zw := gzip.NewWriter(&gz)
	zw.Write([]byte(plain))
	zw.Close()
	for _, c := range []struct{ name, file, text, encoding, delimiter string }{
		{"comma", "time.csv", plain, "utf-8", ","},
		{"byte order mark", "time.csv", "\ufeff" + plain, "utf-8", ","},
		{"semicolon and CR LF", "time.csv", rows(";"), "utf-8", ";"},
		{"tab", "time.tsv", rows("\t"), "utf-8", "\t"},
		{"pipe", "time.txt", rows("|"), "utf-8", "|"},
		{"CR only", "time.csv", strings.ReplaceAll(plain, "\n", "\r"), "utf-8", ","},
		{"sep line", "time.csv", "sep=;\r\n" + rows(";"), "utf-8", ";"},
		{"windows-1252", "time.csv", windows, "windows-1252", ","},
		{"utf-16 little endian", "time.txt", utf16text("le"), "utf-16le", "\t"},
		{"utf-16 big endian", "time.txt", utf16text("be"), "utf-16be", "\t"},
		{"gzip", "time.csv.gz", gz.String(), "utf-8", ","},
		{"title lines and blank lines above the header", "time.csv", "Time report\n\nMarch 2026,,,\n" + plain, "utf-8", ","},
		{"quoted cells", "time.csv", "\"staff_name\",\"client_name\",date,hours\n\"José Müller\",\"Café “Zoë” €\",2026-03-04,\"1.5\"\nDana Ortiz,\"Bay Clinic\",2026-03-05,2\n", "utf-8", ","},
		{"headers in other words", "x.csv", "Technician;Customer:;Date Worked*;Hours (h)\nJosé Müller;Café “Zoë” €;2026-03-04;1.5\nDana Ortiz;Bay Clinic;2026-03-05;2\n", "utf-8", ";"},
		{"no line end at the end", "time.csv", strings.TrimSuffix(plain, "\n"), "utf-8", ","},
		{"trailing empty columns", "time.csv", "staff_name,client_name,date,hours,,\nJosé Müller,Café “Zoë” €,2026-03-04,1.5,,\nDana Ortiz,Bay Clinic,2026-03-05,2,,\n", "utf-8", ","},
		{"blanks around cells", "time.csv", "staff_name , client_name,date,hours\n José Müller,Café “Zoë” €\u00a0,2026-03-04 , 1.5\nDana Ortiz,Bay Clinic,2026-03-05,2\n", "utf-8", ","},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			r := x.load(t, c.file, c.text)
			want(t, "counts", counts(r), "2 2 0 0 0")
			want(t, "dialect", []string{r.Dialect.Encoding, r.Dialect.Delimiter}, []string{c.encoding, c.delimiter})
			want(t, "rows", x.rows(t, "SELECT p.name, client_key, work_date, hours_worked FROM time_entries JOIN people p ON p.person_key = staff_key ORDER BY 3", "time_entries", "people"),
				[]string{"José Müller|Café “Zoë” €|2026-03-04|1.5", "Dana Ortiz|Bay Clinic|2026-03-05|2"})
		})
	}
}

func TestIrregularRowsAreKeptOrRejectedNeverLost(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "time.csv", "staff_name,client_name,date,hours,notes\n"+
		"Dana,Harbor,2026-03-01,1,\"first line\nsecond line\"\n"+ // lines 2 and 3
		"Dana,Harbor,2026-03-02,2\n"+ // too few
		"Dana,Harbor,2026-03-03,3,a,b,c\n"+ // too many
		"\n"+
		"Dana,Harbor,2026-03-04,4,,\n"+ // extra cell is blank
		"Dana,Harbor,2026-03-05,five,x\n"+
		"Dana,Harbor,2026-03-06,6,say \"hi\"\n"+
		"Dana,Harbor,2026-03-07,7,\"never closes\n"+
		"Dana,Harbor,2026-03-08,8,fine\n")
	want(t, "counts", counts(r), "8 6 0 0 2")
	var got []string
	for _, j := range r.Rejects {
		got = append(got, fmt.Sprintf("%d@%d %s %s", j.Record, j.Line, j.Column, j.Code))
	}
	want(t, "rejects", got, []string{"3@5  too_many_fields", "5@8 hours hours_unparsable"})
	want(t, "raw row", r.Rejects[0].Row, "Dana,Harbor,2026-03-03,3,a,b,c")
	want(t, "raw row", r.Rejects[1].Row, "Dana,Harbor,2026-03-05,five,x")
	want(t, "findings", codes(r)["ragged_row"], int64(1))
	want(t, "stray quotes", codes(r)["stray_quote"], int64(1))
	want(t, "notes", x.rows(t, "SELECT t.work_date, hours_worked, notes, t.record FROM time_entries t JOIN time_entries_private p USING (row_id) ORDER BY 1", "time_entries", "time_entries_private"),
		[]string{"2026-03-01|1|first line\nsecond line|1", "2026-03-02|2|<nil>|2", "2026-03-04|4|<nil>|4", "2026-03-06|6|say \"hi\"|6", "2026-03-07|7|\"never closes|7", "2026-03-08|8|fine|8"})
	page, err := x.Rejects(t.Context(), acme, r.ImportID, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "page", []int64{int64(len(page.Rejects)), page.Next}, []int64{1, 1})
	if page, err = x.Rejects(t.Context(), acme, r.ImportID, page.Next, 2); err != nil {
		t.Fatal(err)
	}
	want(t, "last page", []any{len(page.Rejects), page.Next, page.Rejects[0].Code}, []any{1, int64(0), "hours_unparsable"})
}

func TestLinesOfRejectsAreThoseOfTheFile(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	var b strings.Builder
	b.WriteString("Report\n" + timeHeader)
	for i := range 5000 {
		hours := "1"
		if i == 49 || i == 4999 {
			hours = "bad"
		}
		fmt.Fprintf(&b, "Dana,Client %d,2026-03-04,%s\n", i, hours)
	}
	r := x.load(t, "time.csv", b.String())
	want(t, "counts", counts(r), "5000 4998 0 0 2")
	want(t, "lines", []int64{r.Rejects[0].Record, r.Rejects[0].Line, r.Rejects[1].Record, r.Rejects[1].Line}, []int64{50, 52, 5000, 5002})
	want(t, "row", r.Rejects[1].Row, "Dana,Client 4999,2026-03-04,bad")
	want(t, "stored", x.rows(t, "SELECT count(*), min(record), max(record), count(DISTINCT client_key) FROM time_entries WHERE client_key = 'Client ' || (record - 1)", "time_entries"), []string{"4998|1|4999|4998"})
	want(t, "5,000 rows may be a cut-off export", codes(r)["maybe_truncated"], int64(5000))
}

func TestWorkbooksKeepDatesDurationsAndExactNumbers(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	f.SetSheetName("Sheet1", "Notes")
	f.SetCellValue("Notes", "A1", "nothing here")
	f.NewSheet("Time")
	style := func(format string) int {
		id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	builtin, err := f.NewStyle(&excelize.Style{NumFmt: 14})
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range []string{"Technician", "Client", "Work Date", "Hours", "Rate", "Billable"} {
		cell, _ := excelize.CoordinatesToCellName(i+1, 3)
		f.SetCellValue("Time", cell, h)
	}
	f.SetCellValue("Time", "A1", "Time report")
	for r, row := range [][]any{
		{"Dana", "Harbor", 45889, 0.0520833333333333, 80.125, true},
		{"Dana", "Harbor", 45890, 0.75, 80, false},
		{"Dana", "Harbor", "2025-08-22", 1.5, "80", "yes"},
		{"Dana", "Harbor", 45892, 2, "#N/A", nil},
	} {
		for c, v := range row {
			cell, _ := excelize.CoordinatesToCellName(c+1, r+4)
			f.SetCellValue("Time", cell, v)
		}
	}
	f.SetCellStyle("Time", "C4", "C4", style("dd/mm/yyyy"))
	f.SetCellStyle("Time", "C5", "C5", builtin)
	f.SetCellStyle("Time", "D4", "D4", style("[h]:mm"))
	f.SetCellStyle("Time", "E4", "E4", style(`"$"#,##0.00`))
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	x := newWorld(t)
	r := x.load(t, "time.xlsx", b.String())
	want(t, "counts", counts(r), "4 4 0 0 0")
	want(t, "dialect", []any{r.Dialect.Encoding, r.Dialect.Sheet, r.Dialect.HeaderLine}, []any{"xlsx", "Time", int64(3)})
	want(t, "errors", codes(r)["error_cell"], int64(1))
	// The workbook's third date is 45892 without a date format: a serial number all the same.
	want(t, "rows", x.rows(t, "SELECT work_date, hours_worked, bill_rate, billable FROM time_entries ORDER BY record", "time_entries"),
		[]string{"2025-08-20|1.25|80.125|true", "2025-08-21|0.75|80|false", "2025-08-22|1.5|80|true", "2025-08-23|2|<nil>|<nil>"})
}

func TestArchivesImportEveryMemberClientsFirst(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for _, name := range []string{"time_logs.csv", "licenses.csv", "invoices.csv", "clients.csv"} {
		w, err := zw.Create("export/" + name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(fourFiles[name]))
	}
	zw.Close()
	x := newWorld(t)
	results, err := x.Import(t.Context(), acme, dataset.ImportRequest{Name: "export.zip", Reader: &b})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range results {
		got = append(got, r.Dataset+" "+counts(r))
	}
	want(t, "results", got, []string{"clients 3 3 0 0 0", "invoices 3 3 0 0 0", "time_entries 3 3 0 0 0", "licenses 2 2 0 0 0"})
}

func TestWhatIsNoTableIsRefusedWithItsCause(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, text, says string }{
		{"empty", "time.csv", "", "is empty"},
		{"only blank lines", "time.csv", "\n\n\n", "no table"},
		{"a PDF", "time.pdf", "%PDF-1.4", "is a PDF"},
		{"an old workbook", "time.xls", "\xd0\xcf\x11\xe0rest", "old Excel"},
		{"a broken archive", "time.zip", "PK\x03\x04garbage", "cannot be unpacked"},
		{"a broken gzip", "time.csv.gz", "\x1f\x8bgarbage", "cannot be unpacked"},
		{"unknown columns", "x.csv", "alpha,beta\n1,2\n", "none of its columns is known"},
		{"a required column is missing", "time_logs.csv", "staff_name,client_name,date\nDana,Harbor,2026-03-01\n", "hours_worked"},
		{"too many columns", "time.csv", strings.Repeat("a,", 2500) + "b\n1,2\n", "2000 columns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			_, err := x.Import(t.Context(), acme, dataset.ImportRequest{Name: c.file, Reader: strings.NewReader(c.text)})
			want(t, "kind", fault.KindOf(err), fault.Invalid)
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %q, want it to say %q", err, c.says)
			}
		})
	}
}

func TestAHeaderWithoutRowsIsNoSuccess(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "time.csv", timeHeader)
	want(t, "counts", counts(r), "0 0 0 0 0")
	if _, ok := codes(r)["no_rows"]; !ok {
		t.Errorf("got findings %v, want no_rows", r.Findings)
	}
	want(t, "score", r.Quality.Score, 0.0)
	i, err := x.Record(t.Context(), acme, r.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "status", i.Status, "empty")
}
