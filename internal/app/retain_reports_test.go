package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/report"
)

// Files of reports are kept for ever, unless somebody says how long; then the old ones go, but
// not while a legal hold stands, and that they were made stays.
func TestFilesOfReportsAreKeptAsLongAsSomebodySays(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	ok(t, data, "import", write(t, t.TempDir(), "invoices.csv", "invoice_id,client_name,amount,date,status\nI-1,Bay Clinic,900.00,2026-05-15,paid\n"))
	for _, format := range []string{"csv", "json", "html"} {
		ok(t, data, "report", "client-qbr", "--client", "Bay Clinic", "--from", "2026-05", "--to", "2026-06", "--format", format, "-o", filepath.Join(t.TempDir(), "review."+format))
	}
	reports := func() map[string]report.Report {
		var all struct{ Reports []report.Report }
		if err := json.Unmarshal([]byte(ok(t, data, "report", "list", "--json")), &all); err != nil {
			t.Fatal(err)
		}
		out := map[string]report.Report{}
		for _, r := range all.Reports {
			out[r.Format] = r
		}
		return out
	}
	due := func(args ...string) govern.Due {
		t.Helper()
		var list []govern.Due
		if err := json.Unmarshal([]byte(ok(t, data, append([]string{"governance", "retention", "--json"}, args...)...)), &list); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(d govern.Due) bool { return d.What == govern.ReportFiles })
		if i < 0 {
			return govern.Due{}
		}
		return list[i]
	}
	there := func(r report.Report) bool {
		_, err := os.Stat(filepath.Join(data, "reports", "default", "files", r.SHA256))
		return err == nil
	}
	// Two were made months ago.
	made := reports()
	if len(made) != 3 || !there(made["csv"]) {
		t.Fatalf("%+v", made)
	}
	db, err := metadb.Open(t.Context(), filepath.Join(data, "moatmetrics.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ago := func(months int) time.Time { return time.Now().UTC().AddDate(0, -months, -1) }
	for format, at := range map[string]time.Time{"csv": ago(30), "json": ago(4)} {
		if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE report SET made_at = $1 WHERE id = $2", metadb.Now(at), made[format].ID)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if d := due(); d.Months != 0 || !d.Default || d.Rows != 0 {
		t.Errorf("by default %+v", d)
	}
	ok(t, data, "governance", "retention", "run")
	if !there(made["csv"]) {
		t.Error("by default a file was removed")
	}

	ok(t, data, "governance", "retention", "set", "reports", "3")
	if d := due(); d.Rows != 2 || d.Held != 0 || len(d.Of) != 2 || d.Of[0].String()[:7] != ago(30).Format("2006-01") || d.Of[1].String()[:7] != ago(4).Format("2006-01") {
		t.Errorf("due are %+v", d)
	}
	ok(t, data, "governance", "holds", "begin", "client", "Bay Clinic", "--reason", "a dispute")
	if d := due(); d.Rows != 0 || d.Held != 2 || len(d.Holds) != 1 {
		t.Errorf("under a hold are due %+v", d)
	}
	ok(t, data, "governance", "retention", "run")
	if r := reports()["csv"]; r.RemovedAt != nil || !there(r) {
		t.Errorf("the hold kept nothing: %+v", r)
	}
	var holds []govern.Hold
	if err := json.Unmarshal([]byte(ok(t, data, "governance", "holds", "--json")), &holds); err != nil || len(holds) != 1 {
		t.Fatal(holds, err)
	}
	if code, _, errOut := run(t, data, "report", "remove", made["html"].ID); code != 1 || !strings.Contains(errOut, "legal hold") || !strings.Contains(errOut, holds[0].ID) || !strings.Contains(errOut, "Bay Clinic") {
		t.Errorf("by hand under the hold: exit %d, %q", code, errOut)
	}
	s := program{data: data}.serve(t)
	if status, text, err := s.send(t.Context(), http.MethodDelete, "/api/v1/reports/"+made["html"].ID, ""); err != nil || status != http.StatusConflict || !strings.Contains(text, holds[0].ID) {
		t.Errorf("by HTTP under the hold: %d %s, %v", status, text, err)
	}
	if r := reports()["html"]; r.RemovedAt != nil || !there(r) {
		t.Errorf("the hold kept nothing from being removed by hand: %+v", r)
	}
	ok(t, data, "governance", "holds", "end", holds[0].ID)

	if d := due("run"); d.Rows != 2 {
		t.Errorf("a run removed %+v", d)
	}
	for format, r := range reports() {
		if old := format != "html"; old != (r.RemovedAt != nil) || old == there(r) {
			t.Errorf("%s: removed %v, there %v", format, r.RemovedAt, there(r))
		}
	}
	if d := due(); d.Rows != 0 {
		t.Errorf("after the run are due %+v", d)
	}
	if ok(t, data, "report", "remove", made["html"].ID); there(made["html"]) {
		t.Error("after the hold the file stays")
	}
	if out := ok(t, data, "report", "show", made["csv"].ID); !strings.Contains(out, "removed on") || !strings.Contains(out, made["csv"].SHA256) {
		t.Errorf("the history says %s", out)
	}
	if code, _, errOut := run(t, data, "report", "get", made["csv"].ID, "-o", filepath.Join(t.TempDir(), "x.csv")); code == 0 || !strings.Contains(errOut, "removed") {
		t.Errorf("the removed file is given: %d %s", code, errOut)
	}
	trail := ok(t, data, "audit", "--limit", "0", "--format", "csv")
	for _, want := range []string{"retention.reports", "report.remove", "kept for 3 months: its time is over"} {
		if !strings.Contains(trail, want) {
			t.Errorf("the record does not tell of %s", want)
		}
	}
	ok(t, data, "verify")
	ok(t, data, "governance", "retention", "reset", "reports")
	if d := due(); d.Months != 0 || !d.Default {
		t.Errorf("after a reset %+v", d)
	}
}
