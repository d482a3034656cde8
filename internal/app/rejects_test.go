package app_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corrected reads a rejects file, applies the replacements to each row's text, and writes
// it as a spreadsheet would.
func corrected(t *testing.T, text string, replace ...string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	change := strings.NewReplacer(replace...)
	var b strings.Builder
	w := csv.NewWriter(&b)
	for i, row := range rows {
		for c := range row {
			if i > 0 && !strings.HasPrefix(rows[0][c], "reject_") {
				row[c] = change.Replace(row[c])
			}
		}
		w.Write(row)
	}
	w.Flush()
	return b.String()
}

func TestRejectedRowsAreCorrectedAndImportedAlone(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	source := write(t, dir, "time.csv", "id;staff_name;client_name;date;hours;notes\n"+
		"1;Dana;Harbor;2026-03-01;1;a\n2;Dana;\"Bay; Clinic\";2026-03-02;soon;=1+2\n3;Dana;Harbor;2026-02-31;-2;\"two\nlines\"\n4;Dana;Harbor;2026-03-04;4;b\n5;Dana;Harbor;2026-03-05;9;c;too;many\n")
	file := filepath.Join(dir, "rejects.csv")
	code, out, errOut := run(t, data, "import", source, "--rejects", file)
	if code != 3 {
		t.Fatalf("exit %d\n%s%s", code, out, errOut)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cells []string
	for _, row := range rows {
		cells = append(cells, strings.Join(row[:6], "|")+" "+row[11]+" "+row[14])
	}
	if got, want := strings.Join(cells, "\n"), "id|staff_name|client_name|date|hours|notes reject_code reject_row\n2|Dana|Bay; Clinic|2026-03-02|soon|'=1+2 hours_unparsable \n3|Dana|Harbor|2026-02-31|-2|two\nlines date_unparsable \n||||| too_many_fields 5;Dana;Harbor;2026-03-05;9;c;too;many"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	fixed := write(t, dir, "corrected.csv", corrected(t, string(text), "soon", "0.5", "2026-02-31", "2026-02-28"))
	code, out, errOut = run(t, data, "import", fixed)
	if code != 3 || !strings.Contains(out, "2 added, 0 updated, 0 unchanged, 1 rejected") {
		t.Fatalf("exit %d\n%s%s", code, out, errOut)
	}
	if got := query(t, data, "--measures", "hours_worked,billable_hours,labor_cost", "--by", "client"); len(got) != 2 {
		t.Errorf("clients: %v", got)
	}
	// The rest is as it was, and the whole file again changes nothing of what was corrected.
	if code, out, _ := run(t, data, "import", source); code != 3 || !strings.Contains(out, "0 added, 0 updated, 2 unchanged, 3 rejected") {
		t.Errorf("the file again: exit %d\n%s", code, out)
	}
}

func TestRejectsOfSeveralFilesStandInFilesOfTheirColumns(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "rejects.csv")
	run(t, data, "import", write(t, dir, "time.csv", "staff_name,client_name,date,hours\nDana,Harbor,2026-03-01,soon\n"),
		write(t, dir, "invoices.csv", "invoice_id,client_name,amount,date,status\n1,Harbor,ten,2026-03-01,sent\n"), "--rejects", file)
	for _, name := range []string{"rejects-time.csv", "rejects-invoices.csv"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		ok(t, data, "import", write(t, dir, "fixed-"+name, corrected(t, string(text), "soon", "1", "ten", "10")))
	}
}
