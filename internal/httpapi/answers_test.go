package httpapi_test

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func sheetXML(t *testing.T, book string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestACorrectionIsRestatedBetweenSnapshots(t *testing.T) {
	t.Parallel()
	s, deps := serveWith(t, nil)
	current := func() warehouse.Snapshot {
		t.Helper()
		snap, err := deps.Warehouse.Current(t.Context(), deps.Scope)
		if err != nil {
			t.Fatal(err)
		}
		return snap
	}
	file := "invoice_id,client_name,amount,date,status\nI-1,Acme,1000.00,2026-01-15,paid\nI-2,Bolt,%s,2026-02-20,sent\n"
	upload(t, s, map[string]string{"invoices.csv": fmt.Sprintf(file, "250.50")})
	before := current()
	upload(t, s, map[string]string{"invoices.csv": fmt.Sprintf(file, "239.13")})
	after := current()

	want := `"rows":[["2026-01-01","1000","1000","0"],["2026-02-01","239.13","250.5","-11.37"]]`
	if a := get(t, s, fmt.Sprintf("/api/v1/query?measures=revenue&by=month&versus_snapshot=%d", before)); !strings.Contains(a.body, want) {
		t.Errorf("restated: %s", a.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/query", strings.NewReader(fmt.Sprintf(`{"measures":["revenue"],"by":["month"],"versus_snapshot":%d}`, before)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if a := do(t, req); !strings.Contains(a.body, want) {
		t.Errorf("restated, as JSON: %s", a.body)
	}
	if a := get(t, s, fmt.Sprintf("/api/v1/query/export?measures=revenue&by=month&versus_snapshot=%d", before)); !strings.Contains(a.body, "month,revenue,revenue_previous,revenue_change\n") || !strings.Contains(a.body, "2026-02-01,239.13,250.5,-11.37\n") || !strings.Contains(a.header.Get("Content-Disposition"), fmt.Sprintf("versus-snapshot-%d.csv", before)) {
		t.Errorf("restated file: %s %s", a.header.Get("Content-Disposition"), a.body)
	}

	for _, query := range []string{"", fmt.Sprintf("?with=%d", before)} {
		a := get(t, s, fmt.Sprintf("/api/v1/snapshots/%d/compare%s", after, query))
		for _, part := range []string{
			fmt.Sprintf(`"from":{"id":%d,`, before), fmt.Sprintf(`"to":{"id":%d,`, after), `{"name":"invoices","rows_before":2,"rows_after":2,"change":0}`,
			`"measure":"revenue","label":"`, `"rows":[{"month":"2026-02-01","before":"250.5","after":"239.13","change":"-11.37"}]`, `"measure":"hours_worked"`,
		} {
			if !strings.Contains(a.body, part) {
				t.Errorf("compare%s: no %s in %s", query, part, a.body)
			}
		}
	}
	for path, status := range map[string]int{
		"/api/v1/snapshots/999/compare":                                                                                   404,
		fmt.Sprintf("/api/v1/snapshots/%d/compare?with=999", after):                                                       404,
		"/api/v1/query?measures=revenue&by=month&versus_snapshot=999":                                                     404,
		fmt.Sprintf("/api/v1/query?measures=revenue&compare=previous&from=2026-02&to=2026-03&versus_snapshot=%d", before): 422,
		"/api/v1/query?measures=revenue&versus_snapshot=-1":                                                               422,
	} {
		if a := get(t, s, path); a.status != status || !strings.Contains(a.header.Get("Content-Type"), "problem+json") {
			t.Errorf("%s: %d %s, want %d", path, a.status, a.body, status)
		}
	}
}

func TestASeriesIsAnswered(t *testing.T) {
	t.Parallel()
	s := serve(t)
	var b strings.Builder
	b.WriteString("invoice_id,client_name,amount,date,status\n")
	for m := 1; m <= 8; m++ {
		fmt.Fprintf(&b, "I-%d,Acme,%d.00,2025-%02d-28,paid\n", m, 100+m%3, m)
	}
	upload(t, s, map[string]string{"invoices.csv": b.String()})
	a := get(t, s, "/api/v1/series?measure=revenue&from=2025-03&to=2025-09")
	var got struct {
		Points []struct {
			Month, Value string
			Low, High    *string
		}
		Band struct {
			Level         float64
			Method, Words string
		}
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.header.Get("ETag") == "" {
		t.Fatalf("%s: %v", a.body, err)
	}
	if len(got.Points) != 6 || got.Points[0].Month != "2025-03-01" || got.Points[0].Low != nil || got.Points[3].Low == nil || got.Band.Level != 0.9 || got.Band.Words == "" {
		t.Errorf("%s", a.body)
	}
	for _, path := range []string{"/api/v1/series?measure=nonsense", "/api/v1/series", "/api/v1/series?measure=revenue&from=x"} {
		if a := get(t, s, path); a.status != 422 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
