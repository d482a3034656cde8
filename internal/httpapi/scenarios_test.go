package httpapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestAScenarioIsComputedSavedComparedAndDeleted(t *testing.T) {
	t.Parallel()
	s := serve(t)
	empty := send(t, s, http.MethodPost, "/api/v1/scenarios/run", `{"levers":[]}`)
	if empty.status != http.StatusNotFound || !strings.Contains(empty.body, "no complete month of data yet") {
		t.Errorf("without data: %d %s", empty.status, empty.body)
	}
	upload(t, s, map[string]string{
		"invoices.csv":  "invoice_id,client_name,amount,date,status\nI-1,Acme,1000.00,2026-01-15,paid\nI-2,Bolt,250.50,2026-01-20,sent\n",
		"time_logs.csv": "staff_name,client_name,hours,rate,billable,date\nAnn,Acme,4,50,yes,2026-01-30\n",
	})
	const content = `{"period":{"from":"2026-01-01","to":"2026-02-01"},"levers":[{"kind":"price","percent":"0.1","select":{"client":["Acme"]}}]}`
	ran := send(t, s, http.MethodPost, "/api/v1/scenarios/run", content)
	if ran.status != http.StatusOK || !strings.Contains(ran.body, `"measure":"gross_profit","label":"Gross profit","unit":"money","baseline":"1050.5","scenario":"1150.5","change":"100"`) {
		t.Fatalf("run: %d %s", ran.status, ran.body)
	}
	made := send(t, s, http.MethodPost, "/api/v1/scenarios", `{"name":"Acme up","content":`+content+`}`)
	id := regexp.MustCompile(`"id":"(\w+)"`).FindStringSubmatch(made.body)
	if made.status != http.StatusCreated || id == nil {
		t.Fatalf("save: %d %s", made.status, made.body)
	}
	if a := get(t, s, "/api/v1/scenarios/compare?id="+id[1]+","+id[1]); a.status != http.StatusOK || strings.Count(a.body, `"scenario":"1150.5"`) != 2 {
		t.Errorf("compare: %d %s", a.status, a.body)
	}
	if a := get(t, s, "/api/v1/scenarios/"+id[1]+"/result"); a.status != http.StatusOK || !strings.Contains(a.body, `"present_staff":"100"`) {
		t.Errorf("result: %d %s", a.status, a.body)
	}
	solved := send(t, s, http.MethodPost, "/api/v1/scenarios/solve", `{"definition":`+content+`,"lever":0,"measure":"gross_profit","target":"2050.5"}`)
	if solved.status != http.StatusOK || !strings.Contains(solved.body, `"words":"price +100% client=\"Acme\""`) {
		t.Errorf("solve: %d %s", solved.status, solved.body)
	}
	for _, c := range []struct{ body, says string }{
		{`{"levers":[{"kind":"luck"}]}`, "is not a kind of lever"},
		{`{"levers":[{"kind":"price","percent":"0.1","select":{"client":["Zed"]}}],"period":{"from":"2026-01-01","to":"2026-02-01"}}`, `"Zed\" has nothing to change`},
		{`{"leverz":[]}`, "leverz"},
		{`{"levers":[],"period":{"from":"2026-01-02","to":"2026-02-01"}}`, "whole months"},
	} {
		if a := send(t, s, http.MethodPost, "/api/v1/scenarios/run", c.body); a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest || !strings.Contains(a.body, c.says) {
			t.Errorf("%s: %d %s", c.body, a.status, a.body)
		}
	}
	del, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, s.URL+"/api/v1/scenarios/"+id[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := do(t, del); a.status != http.StatusNoContent {
		t.Errorf("delete: %d %s", a.status, a.body)
	}
	if a := get(t, s, "/api/v1/scenarios"); !strings.Contains(a.body, `"items":[]`) {
		t.Errorf("after delete: %s", a.body)
	}
}
