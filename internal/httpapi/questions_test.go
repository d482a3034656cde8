package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestQuestionsAreListedAndAnswered(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for path, want := range map[string]string{
		"/api/v1/questions":                               `"name":"losing-clients"`,
		"/api/v1/questions/losing-clients":                `"headline":"This cannot be answered yet: import invoices and time_entries."`,
		"/api/v1/questions/1":                             `"missing":[{"dataset":"invoices"`,
		"/api/v1/questions/final?from=2026-01&to=2026-03": `"grade":"`,
	} {
		if a := get(t, s, path); a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for path, want := range map[string]string{
		"/api/v1/questions/no-such":                     "losing-clients",
		"/api/v1/questions/1?from=monday":               "monday",
		"/api/v1/questions/1/export":                    "the answer has 0 tables",
		"/api/v1/questions/1/export?format=pdf&table=1": "format",
	} {
		if a := get(t, s, path); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestAnAnswerIsAFile(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{
		"licenses.csv": "client_name,vendor,product_name,seats_purchased,seats_used,unit_cost,status\n=Acme,Microsoft,E3,10,12,20,active\n",
		"invoices.csv": "invoice_number,client_name,invoice_date,net_amount\n1,=Acme,2026-01-05,100\n",
	})
	a := get(t, s, "/api/v1/questions/true-up/export")
	lines := strings.Split(a.body, "\n")
	if a.status != http.StatusOK || lines[0] != "client,vendor,product,term,renewal,seats_purchased,seats_used,over,overdeploy_exposure,true_up_exposure,currency,why" ||
		!strings.HasPrefix(lines[1], "'=Acme,Microsoft,E3,") || !strings.Contains(a.header.Get("Content-Disposition"), "true-up-1") {
		t.Errorf("%d %v\n%s", a.status, a.header, a.body)
	}
	if book := get(t, s, "/api/v1/questions/8/export?format=xlsx"); book.status != http.StatusOK || !strings.HasPrefix(book.body, "PK") {
		t.Errorf("%d", book.status)
	}
}
