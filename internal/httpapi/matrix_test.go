package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// route is a route of the API's document.
type route struct{ id, method, path string }

// allRoutes are those of the document, in order.
func allRoutes(t *testing.T) []route {
	t.Helper()
	text, err := httpapi.OpenAPI("test")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var out []route
	for path, methods := range doc.Paths {
		for method, op := range methods {
			out = append(out, route{op.OperationID, strings.ToUpper(method), path})
		}
	}
	for pattern := range httpapi.Pages {
		if method, path, ok := strings.Cut(pattern, " "); ok {
			out = append(out, route{pattern, method, path})
		}
	}
	slices.SortFunc(out, func(a, b route) int { return strings.Compare(a.id, b.id) })
	return out
}

var inPath = regexp.MustCompile(`\{[^}]+\}`)

// need is the action of the route.
func (r route) need() tenant.Action {
	if a, page := httpapi.Pages[r.id]; page {
		return a
	}
	return httpapi.Needs[r.id]
}

// address is one of the route; what it names need not be there.
func (r route) address() string { return inPath.ReplaceAllString(r.path, "1") }

// cells are role × action, as testdata/matrix.golden holds them.
func cells(t *testing.T) map[string]map[tenant.Action]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "matrix.golden"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[tenant.Action]bool{}
	var roles []string
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || strings.HasPrefix(line, "#") || strings.HasPrefix(line, " "):
		case f[0] == "role":
			roles = f[1:]
		case strings.HasSuffix(f[0], ":"):
		default:
			for i, role := range roles {
				if out[role] == nil {
					out[role] = map[tenant.Action]bool{}
				}
				out[role][tenant.Action(f[0])] = f[i+1] == "yes"
			}
		}
	}
	return out
}

// TestTheMatrixIsCurrent keeps the readable form of who may call what: a new route, or another
// action for one, changes a file that a person looks at.
func TestTheMatrixIsCurrent(t *testing.T) {
	_, deps := serveWith(t, nil)
	var b strings.Builder
	b.WriteString("# Who may call which route: roles by action, then the routes of each action.\n# Written by go test ./internal/httpapi -run TestTheMatrixIsCurrent -update; look at what changes.\n\n")
	fmt.Fprintf(&b, "%-19s", "role")
	for _, r := range access.BuiltIn {
		fmt.Fprintf(&b, " %-13s", r.Name)
	}
	b.WriteString("\n")
	for _, a := range access.Actions {
		fmt.Fprintf(&b, "%-19s", a.Action)
		for _, r := range access.BuiltIn {
			rights, err := deps.Policies.Rights(t.Context(), "default", r.Name, access.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, " %-13s", map[bool]string{true: "yes", false: "-"}[rights.May(a.Action)])
		}
		b.WriteString("\n")
	}
	for _, a := range access.Actions {
		fmt.Fprintf(&b, "\n%s:\n", a.Action)
		for _, r := range allRoutes(t) {
			if r.need() == a.Action {
				fmt.Fprintf(&b, "    %-22s %-6s %s\n", r.id, r.method, r.path)
			}
		}
	}
	got := regexp.MustCompile(`(?m) +$`).ReplaceAllString(b.String(), "")
	file := filepath.Join("testdata", "matrix.golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("who may call what has changed: look at the difference, then run with -update\n%s", got)
	}
}

// TestEveryRouteAnswersOnlyRolesThatMay asks every route as every role, of one server whose
// caches the owner has filled before. What the matrix does not allow is 403, names the action
// that is missing, and leaves no trace.
func TestEveryRouteAnswersOnlyRolesThatMay(t *testing.T) {
	t.Parallel()
	s, deps := serveWith(t, nil)
	upload(t, s, files)
	allowed := cells(t)
	all := allRoutes(t)
	for _, r := range all { // as the owner, who fills the caches
		if r.method == http.MethodGet && r.id != "events" && r.id != "batch-events" {
			get(t, s, r.address()+fillers[r.id])
		}
	}
	for _, role := range access.BuiltIn {
		rights, err := deps.Policies.Rights(t.Context(), deps.Scope.Tenant, role.Name, access.Limits{Clients: []string{"Acme"}, Teams: []string{"Desk"}})
		if err != nil {
			t.Fatal(err)
		}
		limited := deps
		limited.Scope.Actor, limited.Scope.Rights = tenant.Actor("user:"+role.Name), rights
		as := httptest.NewServer(httpapi.New(limited, httpapi.Options{}))
		t.Cleanup(as.Close)
		look := lookAs(t, s, role.Name)
		before := audited(t, deps)
		refused := 0
		for _, r := range all {
			need := r.need()
			may := allowed[role.Name][need] || need == access.SignedOut
			if may && r.method != http.MethodGet || may && strings.HasSuffix(r.id, "events") {
				continue // what it does is tested elsewhere: here only that it is not refused
			}
			for how, res := range map[string]answer{
				"as " + role.Name: askAs(t, as, r, ""),
				"through the owner's cache as " + role.Name:    askAs(t, s, r, look),
				"as " + role.Name + ", by another conditional": askAs(t, s, r, look, "If-None-Match", "*"),
			} {
				if may {
					// Whose rows are limited is refused what is about the whole, which names no action.
					if res.status == http.StatusForbidden && strings.Contains(res.body, `"path":"action"`) {
						t.Errorf("%s %s: refused: %s", r.id, how, res.body)
					}
					continue
				}
				refused++
				if res.status != http.StatusForbidden || !strings.Contains(res.body, `"path":"action"`) || !strings.Contains(res.body, `"owner"`) {
					t.Errorf("%s %s (needs %s): got %d %s", r.id, how, need, res.status, res.body)
				}
				if res.header.Get("ETag") != "" {
					t.Errorf("%s %s: a refusal carries the tag of an answer", r.id, how)
				}
			}
		}
		if n := audited(t, deps); n != before {
			t.Errorf("%s: refused requests left %d events", role.Name, n-before)
		}
		if owner := role.Name == access.Owner || role.Name == access.Admin; owner != (refused == 0) {
			t.Errorf("%s was refused %d times", role.Name, refused)
		}
	}
}

// fillers are what some routes need to answer at all.
var fillers = map[string]string{
	"query": "?measures=revenue", "series": "?measure=revenue", "get-trend": "?measure=revenue", "explain": "?measure=revenue&from=2026-01-01&to=2026-03-01&versus=previous", "rank": "?measure=revenue&by=client",
}

var files = map[string]string{"invoices.csv": "invoice_id,client_name,amount,date,status\n1,Acme,100.00,2026-01-15,paid\n2,Beta,50.00,2026-02-15,paid\n"}

func askAs(t *testing.T, s *httptest.Server, r route, cookie string, header ...string) answer {
	t.Helper()
	var body io.Reader
	if r.method != http.MethodGet {
		body = strings.NewReader("{}")
	}
	req, err := http.NewRequestWithContext(t.Context(), r.method, s.URL+r.address()+fillers[r.id], body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(t, req)
}

// lookAs begins a look as a role and returns its cookie.
func lookAs(t *testing.T, s *httptest.Server, role string) string {
	t.Helper()
	res := send(t, s, http.MethodPost, "/api/v1/view-as", fmt.Sprintf(`{"role":%q,"clients":["Acme"],"teams":["Desk"]}`, role))
	cookie := res.header.Get("Set-Cookie")
	if res.status != http.StatusOK || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") {
		t.Fatalf("view as %s: %d %s %s", role, res.status, cookie, res.body)
	}
	cookie, _, _ = strings.Cut(cookie, ";")
	return cookie
}

// audited counts the events of the audit record.
func audited(t *testing.T, deps httpapi.Deps) int {
	t.Helper()
	var list []audit.Entry
	if err := deps.DB.Read(t.Context(), func(tx *metadb.Tx) (err error) {
		list, err = deps.Audit.List(t.Context(), deps.Scope, tx, 0, 10_000)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// A role of one tenant is nobody in another, whatever its name allows there.
func TestARoleOfOneTenantIsNobodyInAnother(t *testing.T) {
	t.Parallel()
	s, deps := serveWith(t, nil)
	role := `{"name":"lead","label":"Lead","based_on":"viewer","actions":["figures.read"],"hidden":["pay"]}`
	if res := send(t, s, http.MethodPost, "/api/v1/roles", role); res.status != http.StatusOK {
		t.Fatal(res.status, res.body)
	}
	if _, err := deps.Policies.Rights(t.Context(), "default", "lead", access.Limits{}); err != nil {
		t.Fatal(err)
	}
	if r, err := deps.Policies.Rights(t.Context(), "other", "lead", access.Limits{}); err == nil {
		t.Errorf("got %+v", r)
	}
	other := deps
	other.Scope.Tenant = "other"
	foreign := httptest.NewServer(httpapi.New(other, httpapi.Options{}))
	t.Cleanup(foreign.Close)
	if res := askAs(t, foreign, route{"get-policies", http.MethodGet, "/api/v1/policies"}, lookAs(t, s, "viewer")); res.status != http.StatusOK {
		t.Errorf("a look of another tenant narrows: %d", res.status)
	}
	if res := get(t, foreign, "/api/v1/roles"); res.status != http.StatusOK || strings.Contains(res.body, "lead") {
		t.Errorf("roles of another tenant: %d %s", res.status, res.body)
	}
	if res := get(t, foreign, "/api/v1/policies/versions"); res.status != http.StatusOK || !strings.Contains(res.body, `"items":[]`) {
		t.Errorf("versions of another tenant: %d %s", res.status, res.body)
	}
	for _, verb := range []string{"approve", "reject"} {
		if res := send(t, foreign, http.MethodPost, "/api/v1/policies/versions/1/"+verb, "{}"); res.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", verb, res.status, res.body)
		}
	}
}

func TestALookNarrowsChangesNothingAndEnds(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, nil)
	look := lookAs(t, s, "finance")
	if res := askAs(t, s, route{"", http.MethodGet, "/api/v1/rights"}, look); !strings.Contains(res.body, `"role":"finance"`) || !strings.Contains(res.body, `"clients":["Acme"]`) || !strings.Contains(res.body, `"viewing":{`) {
		t.Errorf("rights: %d %s", res.status, res.body)
	}
	// Finance may change settings; nobody may while he only looks.
	if res := askAs(t, s, route{"", http.MethodPut, "/api/v1/settings"}, look); res.status != http.StatusForbidden || !strings.Contains(res.body, "nothing can be changed meanwhile") {
		t.Errorf("changing settings: %d %s", res.status, res.body)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/query", strings.NewReader(`{"measures":["hours_worked"]}`)) // known by client and by team
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", look)
	if res := do(t, req); res.status == http.StatusForbidden {
		t.Errorf("a question by POST: %d %s", res.status, res.body)
	}
	// A look is begun by those who may change policies, so not out of a look as somebody who may not.
	req, _ = http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/view-as", strings.NewReader(`{"role":"owner"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", look)
	if res := do(t, req); res.status != http.StatusForbidden {
		t.Errorf("a look out of a look: %d", res.status)
	}
	end := askAs(t, s, route{"", http.MethodDelete, "/api/v1/view-as"}, look)
	if end.status != http.StatusOK || !strings.Contains(end.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("ending: %d %s %s", end.status, end.header.Get("Set-Cookie"), end.body)
	}
	if res := get(t, s, "/api/v1/rights", "Cookie", look[:len(look)-2]+"AA"); !strings.Contains(res.body, `"viewing":null`) || !strings.Contains(res.body, `"role":""`) {
		t.Errorf("a forged look: %s", res.body)
	}
	trail := get(t, s, "/api/v1/audit").body
	for _, action := range []string{"policy.view_as", "policy.view_end"} {
		if !strings.Contains(trail, action) {
			t.Errorf("%s is not on the audit record", action)
		}
	}
}

func TestRightsOfAnotherRoleAreForThoseWhoChangePolicies(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, nil)
	if res := get(t, s, "/api/v1/rights?role=client-portal&clients=Acme&clients=Beta%2C%20Gamma"); res.status != http.StatusOK || !strings.Contains(res.body, `"clients":["Acme","Beta, Gamma"]`) {
		t.Errorf("%d %s", res.status, res.body)
	}
	if res := get(t, s, "/api/v1/rights?role=owner", "Cookie", lookAs(t, s, "analyst")); res.status != http.StatusForbidden {
		t.Errorf("an analyst asks about the owner: %d %s", res.status, res.body)
	}
	if res := get(t, s, "/api/v1/rights?role=root"); res.status != http.StatusForbidden {
		t.Errorf("a role that there is not: %d %s", res.status, res.body)
	}
	if res := get(t, s, "/api/v1/policies/why?role=viewer&action=figures.read&resource=class:pay"); !strings.Contains(res.body, `"allowed":false`) || !strings.Contains(res.body, `"who":["owner","admin","finance"]`) {
		t.Errorf("%d %s", res.status, res.body)
	}
	bad := send(t, s, http.MethodPut, "/api/v1/policies?try=true", `{"text":"@id(\"a\")\npermit (principal, action);"}`)
	if bad.status != http.StatusUnprocessableEntity || !strings.Contains(bad.body, "line 2, column") {
		t.Errorf("%d %s", bad.status, bad.body)
	}
}
