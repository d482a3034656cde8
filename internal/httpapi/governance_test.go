package httpapi_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

const danasFile = `time_entry_id,work_date,client_name,staff_name,hours_worked,billable,bill_rate,notes
T-1,2024-02-04,Bay Clinic,Dana Ortiz,1.50,yes,150,Reset MFA
T-2,2026-03-05,Bay Clinic,Sam Reyes,2.25,yes,150,Took over from Dana Ortiz
`

// field reads one text of a JSON answer.
func field(t *testing.T, a answer, name string) string {
	t.Helper()
	var of map[string]any
	if err := json.Unmarshal([]byte(a.body), &of); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	text, _ := of[name].(string)
	return text
}

func TestGovernanceByHTTP(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, nil)
	upload(t, s, map[string]string{"time_entries.csv": danasFile})
	people := get(t, s, "/api/v1/governance/people?q=ortiz")
	var found struct {
		Items []struct {
			Key   string
			Names []string
		}
	}
	if err := json.Unmarshal([]byte(people.body), &found); err != nil || len(found.Items) != 1 {
		t.Fatalf("%v: %s", err, people.body)
	}
	key := found.Items[0].Key
	hold := field(t, send(t, s, "POST", "/api/v1/governance/holds", `{"kind":"person","subject":"`+key+`","reason":"a lawsuit"}`), "id")
	access := field(t, send(t, s, "POST", "/api/v1/governance/requests", `{"kind":"access","person":"`+key+`","received_on":"2026-01-31"}`), "id")
	erasure := field(t, send(t, s, "POST", "/api/v1/governance/requests", `{"kind":"erasure","person":"`+key+`"}`), "id")
	if hold == "" || access == "" || erasure == "" {
		t.Fatalf("hold %q, access %q, erasure %q", hold, access, erasure)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		holds              string
	}{
		{"GET", "/inventory", "", 200, `"table":"time_entries_private"`},
		{"GET", "/inventory.csv", "", 200, "table,field,what"},
		{"GET", "/people?q=", "", 200, `"items":[]`},
		{"GET", "/people?q=nobody", "", 200, `"items":[]`},
		{"GET", "/retention", "", 200, `"what":"uploads"`},
		{"PUT", "/retention", `{"dataset":"time_entries","what":"rows","months":12}`, 200, `"held":1`},
		{"PUT", "/retention", `{"dataset":"time_entries","what":"rows","months":-1}`, 422, "months"},
		{"PUT", "/retention", `{"dataset":"nothing","what":"rows","months":12}`, 422, "nothing"},
		{"PUT", "/retention", `{"what":"photos","months":12}`, 422, "what"},
		{"POST", "/retention/apply", "", 200, `"due":[]`},
		{"PUT", "/retention", `{"dataset":"time_entries","what":"rows"}`, 200, `"default":true`},
		{"GET", "/holds", "", 200, `"label":"Dana Ortiz"`},
		{"POST", "/holds", `{"kind":"person","subject":"` + key + `","reason":""}`, 422, "reason"},
		{"POST", "/holds", `{"kind":"client","subject":"Nobody Inc","reason":"x"}`, 422, "Nobody Inc"},
		{"POST", "/holds/none/end", "", 404, "none"},
		{"GET", "/requests", "", 200, `"due_on":"2026-02-28"`},
		{"GET", "/requests/" + access, "", 200, `"state":"open"`},
		{"GET", "/requests/none", "", 404, "none"},
		{"POST", "/requests", `{"kind":"erasure","person":"` + key + `"}`, 409, "still under way"},
		{"POST", "/requests", `{"kind":"erasure","person":"p_0000000000000000"}`, 404, "p_0000000000000000"},
		{"GET", "/requests/" + erasure + "/preview", "", 200, `"reason":"a lawsuit"`},
		{"POST", "/requests/" + erasure + "/decide", `{"verdict":"approve"}`, 409, "a legal hold keeps"},
		{"POST", "/holds/" + hold + "/end", "", 204, ""},
		{"POST", "/requests/" + erasure + "/decide", `{"verdict":"maybe"}`, 422, "verdict"},
		{"POST", "/requests/" + erasure + "/decide", `{"verdict":"approve","reason":"identity checked"}`, 200, `"state":"approved"`},
		{"POST", "/requests/" + erasure + "/decide", `{"verdict":"reject"}`, 409, "decided already"},
		{"POST", "/requests/" + access + "/answered", "", 200, `"state":"done"`},
		{"POST", "/requests/" + access + "/answered", "", 409, "done"},
	} {
		if a := send(t, s, c.method, "/api/v1/governance"+c.path, c.body); a.status != c.status || !strings.Contains(a.body, c.holds) {
			t.Errorf("%s %s %s: %d %s, want %d with %s", c.method, c.path, c.body, a.status, a.body, c.status, c.holds)
		}
	}
	bundle := get(t, s, "/api/v1/governance/requests/"+access+"/bundle")
	z, err := zip.NewReader(bytes.NewReader([]byte(bundle.body)), int64(len(bundle.body)))
	if err != nil || len(z.File) < 6 {
		t.Errorf("the copy: %d, %v", bundle.status, err)
	}
	if a := get(t, s, "/api/v1/audit/retention?days=365"); !strings.Contains(a.body, `"held":false`) {
		t.Errorf("without a hold: %s", a.body)
	}
}

// TestARequestIsDecidedInTheQueueToo decides a request to erase somebody where all decisions wait.
func TestARequestIsDecidedInTheQueueToo(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, nil)
	upload(t, s, map[string]string{"time_entries.csv": danasFile})
	var found struct{ Items []struct{ Key string } }
	if err := json.Unmarshal([]byte(get(t, s, "/api/v1/governance/people?q=ortiz").body), &found); err != nil || len(found.Items) != 1 {
		t.Fatal(found, err)
	}
	r := send(t, s, "POST", "/api/v1/governance/requests", `{"kind":"erasure","person":"`+found.Items[0].Key+`"}`)
	proposal := field(t, r, "proposal")
	for _, c := range []struct {
		method, path, body string
		status             int
		holds              string
	}{
		{"GET", "/reviews?kind=person_erasure", "", 200, "Erase Dana Ortiz?"},
		{"GET", "/reviews/" + proposal + "/preview?verdict=approve", "", 200, "time entries private: names and texts go from 2 rows"},
		{"POST", "/reviews/" + proposal + "/decide", `{"verdict":"reject"}`, 422, "reason"},
		{"POST", "/reviews/" + proposal + "/decide", `{"verdict":"reject","reason":"not her"}`, 200, `"status":"decided"`},
		{"POST", "/reviews/" + proposal + "/undo", "", 409, "final"},
		{"GET", "/governance/requests/" + field(t, r, "id"), "", 200, `"state":"rejected"`},
	} {
		if a := send(t, s, c.method, "/api/v1"+c.path, c.body); a.status != c.status || !strings.Contains(a.body, c.holds) {
			t.Errorf("%s %s %s: %d %s, want %d with %s", c.method, c.path, c.body, a.status, a.body, c.status, c.holds)
		}
	}
}
