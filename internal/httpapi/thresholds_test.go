package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

// has fails unless an answer has a status and holds all texts.
func (a answer) has(t *testing.T, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d: %s", a.status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%q is not in %s", text, a.body)
		}
	}
}

func TestThresholdsAreReadSetAndReset(t *testing.T) {
	t.Parallel()
	s := serve(t)
	get(t, s, "/api/v1/thresholds?measure=dso").has(t, 200, `"id":"dso"`, `"up_to":"30"`, `"kind":"S"`, `"date":"undated, read 2026"`)
	get(t, s, "/api/v1/thresholds?measure=nothing").has(t, 200, `"items":[]`)
	get(t, s, "/api/v1/metrics/dso").has(t, 200, `"kind":"S"`, `"up_to":"30"`)
	send(t, s, http.MethodPut, "/api/v1/thresholds/dso", `{"edges": ["20", "25", "30"], "source": "our bank"}`).has(t, 200, `"kind":"own"`, `"up_to":"20"`, "our bank")
	get(t, s, "/api/v1/metrics/dso").has(t, 200, `"up_to":"25"`, `"expr":"receivables / (revenue + tax) * days"`, `"needs":["invoices"]`)
	send(t, s, http.MethodPut, "/api/v1/thresholds/dso", `{"edges": ["20"]}`).has(t, 422, "needs 3 edges")
	send(t, s, http.MethodPost, "/api/v1/thresholds/dso/reset", "").has(t, 200, `"kind":"S"`, `"up_to":"30"`)
	get(t, s, "/api/v1/metrics/dso").has(t, 200, `"kind":"S"`, "undated, read 2026")
	send(t, s, http.MethodPost, "/api/v1/thresholds/dsoo/reset", "").has(t, 404, "did you mean")
	get(t, s, "/api/v1/metrics/dsoo").has(t, 422, "did you mean")
	get(t, s, "/api/v1/audit").has(t, 200, "threshold.set", "threshold.reset")
}

func TestWorkClassesAreReadAndReplaced(t *testing.T) {
	t.Parallel()
	s := serve(t)
	get(t, s, "/api/v1/work-classes").has(t, 200, `"rules":[]`, `"confirmed":false`, `"tickets":[]`)
	upload(t, s, map[string]string{"tickets.csv": "ticket_number,client_name,ticket_type,queue,created_at\n1,Acme,Incident,Desk,2026-06-01 08:00\n2,Acme,Oddity,Desk,2026-06-01 09:00\n"})
	get(t, s, "/api/v1/work-classes").has(t, 200, `"class":"reactive"`, `"class":"unclassified"`)
	send(t, s, http.MethodPut, "/api/v1/work-classes", `{"rules": [{"field": "ticket_type", "value": "Oddity", "class": "proactive"}], "confirmed": true}`).has(t, 200, `"class":"proactive"`, `"confirmed":true`)
	send(t, s, http.MethodPut, "/api/v1/work-classes", `{"rules": [{"field": "color", "value": "red", "class": "proactive"}], "confirmed": true}`).has(t, 422)
}

func TestReclaimsTellWhyThereAreNone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	get(t, s, "/api/v1/reclaims").has(t, 200, `"items":[]`, "no licenses imported", `"unit":"money_per_month"`)
	upload(t, s, map[string]string{"licenses.csv": "client_name,product_name,vendor,term,seats_purchased,seats_used,unit_cost,start_date,renewal_date\nAcme,Suite,Microsoft,annual,50,37,22,2024-09-01,2099-09-01\n"})
	get(t, s, "/api/v1/reclaims").has(t, 200, `"seats":"13"`, `"saving":"286"`, `"state":"locked"`, `"deadline":"2099-09-01"`, `"payer":"unknown"`)
	get(t, s, "/api/v1/reclaims?to=soon").has(t, 422)
}
