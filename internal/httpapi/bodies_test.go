package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

// schema is as much of a JSON schema as a body is made of.
type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Enum       []any
	Minimum    float64
	Format     string
	Properties map[string]schema
	Required   []string
	Items      *schema
}

// document is as much of the API's document as bodies are made of.
type document struct {
	Paths map[string]map[string]struct {
		OperationID string
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

// of follows a reference.
func (d document) of(s schema) schema {
	if s.Ref != "" {
		return d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	return s
}

// example is a value that fits a schema, with what is required only.
func (d document) example(s schema) any {
	s = d.of(s)
	kind, _ := s.Type.(string)
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case kind == "object":
		out := map[string]any{}
		for _, name := range s.Required {
			out[name] = d.example(s.Properties[name])
		}
		return out
	case kind == "array" || s.Items != nil:
		return []any{d.example(*s.Items)}
	case kind == "integer" || kind == "number":
		return max(s.Minimum, 1)
	case kind == "boolean":
		return false
	case s.Format == "email":
		return "eve@example.com"
	case kind == "string":
		return "xyz"
	}
	return map[string]any{}
}

// Every operation that takes a JSON body, with fields that are another's to set.
func TestNoBodyTakesAFieldThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		withAccounts(d, o)
		o.Limits = httpapi.Limits{Actor: 1e6, Address: 1e6, SignIn: 1e6}
	})
	text, err := httpapi.OpenAPI("test")
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			content, takes := op.RequestBody.Content["application/json"]
			if !takes {
				continue
			}
			tried++
			body, ok := doc.example(content.Schema).(map[string]any)
			if !ok {
				t.Fatalf("%s: the body is no object", op.OperationID)
			}
			own := doc.of(content.Schema).Properties
			for _, field := range []string{"tenant_id", "actor", "id", "role", "rights", "version"} {
				if _, its := own[field]; its {
					continue
				}
				body[field] = "owner"
				sent, _ := json.Marshal(body)
				delete(body, field)
				a := as(t, s, "acme/anna", strings.ToUpper(method), inPath.ReplaceAllString(path, "1"), string(sent))
				if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, field) {
					t.Errorf("%s takes %s: %d %s", op.OperationID, field, a.status, a.body)
				}
			}
		}
	}
	if tried < 50 {
		t.Errorf("only %d operations take a body", tried)
	}
}

// What is answered once must not lie in the database under an Idempotency-Key.
func TestNoSecretIsKeptUnderAnIdempotencyKey(t *testing.T) {
	t.Parallel()
	s, d := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) { withAccounts(d, o); o.Limits.SignIn = 1000 })
	as(t, s, "acme/ines/viewer", http.MethodGet, "/api/v1/profile", "")
	var users struct{ Items []struct{ ID, Role string } }
	if err := json.Unmarshal([]byte(as(t, s, "acme/anna", http.MethodGet, "/api/v1/users", "").body), &users); err != nil {
		t.Fatal(err)
	}
	ines := users.Items[slices.IndexFunc(users.Items, func(u struct{ ID, Role string }) bool { return u.Role == "viewer" })].ID
	n := 0
	post := func(path, body, key string) answer {
		who := "acme/anna"
		if path == "/session" {
			who = "" // a new session would end this one
		}
		return as(t, s, who, http.MethodPost, "/api/v1"+path, body, "Idempotency-Key", key)
	}
	for path, body := range map[string]string{
		"/profile/keys": `{"name":"k","actions":["figures.read"],"days":1}`, "/profile/totp/begin": "", "/invitations": `{"email":"new@example.com","role":"viewer"}`,
		"/users/" + ines + "/reset": `{}`, "/view-as": `{"role":"viewer"}`,
		"/session": fmt.Sprintf(`{"email":"anna@acme.example","password":%q}`, otherWords),
	} {
		n++
		first := post(path, body, fmt.Sprint("k", n))
		again := post(path, body, fmt.Sprint("k", n))
		if first.status != http.StatusOK || again.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%s: %d %s, again %d %s", path, first.status, first.body, again.status, again.body)
		}
	}
	// Neither as a part of many operations, with a key of its own and one of the whole.
	ops := `{"operations":[{"method":"POST","path":"/api/v1/profile/keys","body":{"name":"k","actions":["figures.read"],"days":1},"idempotency_key":"part"}]}`
	if a := post("/operations", ops, "whole"); a.status != http.StatusOK || !strings.Contains(a.body, `"key":"mm_`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := post("/operations", ops, "whole"); a.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("the whole is kept: %s", a.body)
	}
	if a := post("/dashboards", `{"name":"Kept"}`, "board"); a.status != http.StatusCreated {
		t.Fatal(a.body)
	}
	kept := 0
	if err := d.DB.Read(t.Context(), func(tx *metadb.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT body FROM idempotency")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var body string
			if err := rows.Scan(&body); err != nil {
				return err
			}
			if kept++; !strings.Contains(body, "Kept") {
				t.Errorf("kept: %s", body)
			}
		}
		return rows.Err()
	}); err != nil || kept != 1 {
		t.Errorf("%d answers are kept, want the board: %v", kept, err)
	}
}

// An administrator of less than everything tries each way to more.
func TestNobodyRaisesThemselves(t *testing.T) {
	t.Parallel()
	s, d := serveWith(t, withAccounts)
	if a := as(t, s, "acme/anna", http.MethodPost, "/api/v1/roles", `{"name":"steward","label":"Steward","based_on":"viewer","actions":["accounts.manage","figures.read","policies.manage","self.manage"],"hidden":["cost","margin","pay","personal"]}`); a.status != http.StatusOK {
		t.Fatal(a.status, a.body)
	}
	as(t, s, "acme/stan/steward", http.MethodGet, "/api/v1/profile", "")
	var self struct{ Account string }
	if err := json.Unmarshal([]byte(as(t, s, "acme/stan/steward", http.MethodGet, "/api/v1/session", "").body), &self); err != nil {
		t.Fatal(err)
	}
	rights := func() string { return as(t, s, "acme/stan/steward", http.MethodGet, "/api/v1/rights", "").body }
	before := rights()
	more := `"label":"Steward","based_on":"viewer","actions":["accounts.manage","data.read","figures.read","policies.manage","self.manage"],"hidden":[]`
	for _, c := range []struct{ method, path, body string }{
		{"PUT", "/roles/steward", `{` + more + `}`},
		{"POST", "/roles", `{"name":"more",` + more + `}`},
		{"PUT", "/policies", `{"text":"permit (principal, action, resource);"}`},
		{"PUT", "/users/" + self.Account, `{"role":"owner"}`},
		{"POST", "/invitations", `{"email":"eve@example.com","role":"admin"}`},
		{"POST", "/profile/keys", `{"name":"k","actions":["audit.read"],"days":1}`},
	} {
		if a := as(t, s, "acme/stan/steward", c.method, "/api/v1"+c.path, c.body); a.status != http.StatusForbidden && a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
		}
	}
	// A look as somebody who has more shows no more.
	look := as(t, s, "acme/stan/steward", http.MethodPost, "/api/v1/view-as", `{"role":"owner"}`)
	cookie, _, _ := strings.Cut(look.header.Get("Set-Cookie"), ";")
	if a := as(t, s, "", http.MethodGet, "/api/v1/audit", "", "Cookie", cookieOf(t, s, "acme/stan/steward")+"; "+cookie); a.status != http.StatusForbidden {
		t.Errorf("the record, looking as the owner: %d %s", a.status, a.body)
	}
	// Nor does a look that somebody else began.
	look = as(t, s, "acme/anna", http.MethodPost, "/api/v1/view-as", `{"role":"admin"}`)
	cookie, _, _ = strings.Cut(look.header.Get("Set-Cookie"), ";")
	if a := as(t, s, "", http.MethodGet, "/api/v1/audit", "", "Cookie", cookieOf(t, s, "acme/stan/steward")+"; "+cookie); a.status != http.StatusForbidden {
		t.Errorf("the record, by another's look: %d %s", a.status, a.body)
	}
	if after := rights(); after != before {
		t.Errorf("the rights were\n%s\nand are\n%s", before, after)
	}
	if r, err := d.Policies.Rights(t.Context(), "acme", "steward", access.Limits{}); err != nil || r.May(access.AuditRead) || r.Sees("pay") {
		t.Errorf("%+v %v", r, err)
	}
}
