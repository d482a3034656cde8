package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

func TestTheRejectsFileIsCorrectedAndImportedAlone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	send := func(name, text string) dataset.ImportResult {
		t.Helper()
		a := upload(t, s, map[string]string{name: text})
		var got struct{ Results []dataset.ImportResult }
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusCreated || len(got.Results) != 1 {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		return got.Results[0]
	}
	first := send("invoices.csv", invoicesCSV+"=I-4,\"Acme, \"\"Inc\"\"\",-5O,2026-01-22,sent\n")
	if first.RowsRejected != 2 {
		t.Fatalf("rejected: %+v", first)
	}
	file := get(t, s, fmt.Sprintf("/api/v1/imports/%d/rejects?format=csv", first.ImportID)).body
	head, _, _ := strings.Cut(file, "\n")
	if head != "invoice_id,client_name,amount,date,status,reject_file,reject_record,reject_line,reject_column,reject_value,reject_code,reject_message,reject_suggestion,reject_row" || !strings.Contains(file, "\n'=I-4,") {
		t.Errorf("rejects file:\n%s", file)
	}
	again := send("rejects.csv", strings.NewReplacer("I-3,Bolt,oops", "I-3,Bolt,7", "'-5O,2026", "-50,2026").Replace(file))
	if again.RowsAdded != 2 || again.RowsRejected != 0 || again.Dataset != "invoices" {
		t.Errorf("corrected: %+v", again)
	}
	for _, c := range again.Columns {
		if strings.HasPrefix(c.Source, "reject_") && c.Field != nil {
			t.Errorf("column %s was taken for %s", c.Source, *c.Field)
		}
	}
	if a := get(t, s, "/api/v1/query?measures=revenue&by=client"); !strings.Contains(a.body, `[["Acme","950"],["Bolt","257.5"]]`) {
		t.Errorf("revenue: %s", a.body)
	}
	// The number is what it was in the file, without what keeps it from running as a formula.
	if same := send("same.csv", "invoice_id,client_name,amount,date,status\n=I-4,\"Acme, \"\"Inc\"\"\",-50,2026-01-22,sent\n"); same.RowsUnchanged != 1 {
		t.Errorf("the same row again: %+v", same)
	}
}

func TestADatasetIsExportedAndImportedUnchanged(t *testing.T) {
	t.Parallel()
	s := serve(t)
	if a := upload(t, s, map[string]string{"invoices.csv": invoicesCSV}); a.status != http.StatusCreated {
		t.Fatal(a.body)
	}
	file := get(t, s, "/api/v1/datasets/invoices/export")
	if file.status != http.StatusOK || !strings.HasPrefix(file.header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(file.body, "export_key,client_name,") {
		t.Fatalf("export: %d %v\n%s", file.status, file.header, file.body)
	}
	if a := upload(t, s, map[string]string{"invoices.csv": file.body}); !strings.Contains(a.body, `"rows_read":2,"rows_added":0,"rows_updated":0,"rows_unchanged":2`) {
		t.Errorf("imported again: %s", a.body)
	}
	for path, says := range map[string]string{"/api/v1/datasets/nonsense/export": "no dataset", "/api/v1/datasets/invoices/export?source=x": "no invoices of the source"} {
		if a := get(t, s, path); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
