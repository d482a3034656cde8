package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/alert"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// ofNobody are the ids in addresses that are the program's own words: the same in every tenant.
var ofNobody = []string{"/datasets/{name}", "/questions/{name}", "/metrics/{name}", "/thresholds/{id}", "/closed-months/{month}", "/reviews/kinds/{kind}"}

// serveWhole is serveWith accounts, definitions, rules and reviews, and no limits.
func serveWhole(t *testing.T) (*httptest.Server, httpapi.Deps) {
	t.Helper()
	return serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		withAccounts(d, o)
		o.Limits = httpapi.Limits{Actor: 90_000, Address: 90_000, SignIn: 90_000}
		d.Metrics = metric.New(d.Warehouse, metric.Options{Settings: d.Settings, Definitions: definition.New(d.DB, d.Audit, time.Now)})
		d.Insights = insight.New(d.Metrics, d.Warehouse, insight.Options{})
		d.Scenarios = scenario.New(d.Metrics)
		d.Questions = question.New(d.Metrics, d.Insights, d.Scenarios, d.Data, d.Warehouse, nil)
		d.Benchmarks = insight.NewBenchmarks(d.Insights, d.Settings, d.DB, d.Audit, time.Now)
		queue := review.New(d.DB, d.Audit, time.Now)
		d.Rules = insight.NewWatch(d.Insights, d.DB, queue, d.Notices, time.Now)
		d.Reviews = review.NewDesk(queue, insight.Deciders(d.Data, d.Insights, insight.NewJudge(d.Insights, d.DB, queue), d.Rules), nil)
		d.Alerts = alert.New(alert.Deps{DB: d.DB, Audit: d.Audit, Jobs: d.Jobs, Metrics: d.Metrics, Insights: d.Insights, Watch: d.Rules, Notices: d.Notices, People: d.Access, Policies: d.Policies, Out: d.Delivery}, time.Now, alert.Options{})
		d.Checkpoint = func(ctx context.Context, scope tenant.Scope) (audit.Checkpoint, error) {
			return audit.Checkpoint{}, fault.Newf(fault.Unavailable, "no key")
		}
	})
}

// world is the data that a tenant begins with; most of what is made in it is about client and person.
type world struct {
	client, person string
	files          []map[string]string
}

var birch = world{"Birch", "Dana", []map[string]string{
	{"invoices.csv": "invoice_id,client_name,amount,date,status\nI-1,Alder,1000.00,2026-01-15,paid\nI-2,Birch,9000.50,2026-01-20,sent\nI-3,Birch,1.50,2026-02-20,sent\nI-4,Birch,oops,2026-01-21,sent\n"},
	{"time_logs.csv": "staff_name,client_name,hours,rate,billable,date\nDana,Birch,500,80,yes,2026-02-10\nDana,Alder,5,80,yes,2026-02-10\n"},
}}

// made are the things of a tenant by where their ids stand in addresses.
func made(t *testing.T, s *httptest.Server, d httpapi.Deps, who string, of world) map[string]string {
	t.Helper()
	scope := tenant.Scope{Tenant: tenant.Slug(strings.Split(who, "/")[0]), Actor: "cli:test"}
	ids := map[string]string{}
	call := func(method, path, body string) map[string]any {
		t.Helper()
		a := as(t, s, who, method, "/api/v1"+path, body)
		var got map[string]any
		if a.status >= 300 || json.Unmarshal([]byte(a.body), &got) != nil {
			t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
		return got
	}
	keep := func(at, path, body string) {
		t.Helper()
		ids[at] = fmt.Sprint(call(http.MethodPost, path, body)["id"])
	}
	first := func(path string) map[string]any { // of the client, if there is one of theirs
		t.Helper()
		text := as(t, s, who, http.MethodGet, "/api/v1"+path, "").body
		var list struct{ Items []map[string]any }
		if json.Unmarshal([]byte(text), &list) != nil {
			_ = json.Unmarshal([]byte(text), &list.Items)
		}
		if len(list.Items) == 0 {
			t.Fatalf("%s is empty: %s", path, text)
		}
		for _, item := range list.Items {
			if strings.Contains(fmt.Sprint(item), of.client) {
				return item
			}
		}
		return list.Items[0]
	}
	for _, file := range of.files {
		if a := upload(t, s, file, "Cookie", cookieOf(t, s, who)); a.status != http.StatusCreated {
			t.Fatal(a.body)
		}
	}
	ids["/imports/{id}"], ids["/snapshots/{id}"] = fmt.Sprint(first("/imports")["id"]), fmt.Sprint(first("/snapshots")["id"])
	ids["/insights/{id}"] = fmt.Sprint(first("/insights?from=2026-01&to=2026-03")["id"])
	keep("/dashboards/{id}", "/dashboards", `{"name":"Mine"}`)
	keep("/views/{id}", "/views", `{"name":"Mine","content":{"path":"/explore?by=client"}}`)
	keep("/links/{id}", "/links", `{"path":"/clients/`+of.client+`"}`)
	ids["/s/{id}"] = ids["/links/{id}"]
	keep("/scenarios/{id}", "/scenarios", `{"name":"Mine","content":`+aScenario(of.client)+`}`)
	keep("/feedback/{id}", "/feedback", `{"comment":"mine"}`)
	keep("/uploads/{id}", "/uploads", `{"name":"a.csv","bytes":4}`)
	call(http.MethodPost, "/kpis", `{"name":"mine","formula":"revenue * 2"}`)
	call(http.MethodPost, "/segments", `{"name":"Mine","dimension":"client","where":"client = \"`+of.client+`\""}`)
	call(http.MethodPost, "/rules", `{"name":"Mine","condition":"revenue > 1","dimension":"client","then":"review"}`)
	ids["/kpis/{name}"], ids["/segments/{name}"], ids["/rules/{name}"] = "mine", "Mine", "Mine"
	call(http.MethodPost, "/rules/evaluate", "")
	ids["/alerts/{id}"] = fmt.Sprint(first("/alerts")["id"])
	keep("/destinations/{id}", "/destinations", `{"name":"mine","kind":"email","settings":{"host":"smtp.example.com","from":"a@b.example"}}`)
	keep("/alert-routes/{id}", "/alert-routes", `{"name":"mine","in_app":true,"severities":["critical"]}`)
	keep("/push-subscriptions/{id}", "/push-subscriptions", aBrowser(who))
	ids["/report-templates/{name}"] = fmt.Sprint(call(http.MethodPost, "/report-templates", templateBody(mineOf(of.client)))["name"])
	keep("/schedules/{id}", "/schedules", aSchedule("mine", ids["/destinations/{id}"]))
	ids["/report-assets/{hash}"] = anAsset(t, s, who)
	keep("/reports/{id}", "/reports", `{"template":"mine","client":"`+of.client+`","format":"json"}`)
	work(t, d, func() bool { return call(http.MethodGet, "/reports/"+ids["/reports/{id}"], "")["state"] == "done" })
	ids["/deliveries/{id}"] = aDelivery(t, d, scope, ids["/destinations/{id}"])
	ids["/rules/reviews/{id}"] = fmt.Sprint(first("/rules/reviews")["id"])
	ids["/reviews/{id}"] = fmt.Sprint(first("/reviews?kind=rule")["id"])
	keep("/comments/{id}", "/comments", `{"kind":"number","measure":"revenue","where":"client = \"`+of.client+`\"","from":"2026-01-01","to":"2026-02-01","text":"mine"}`)
	if err := d.DB.Transact(t.Context(), func(tx *metadb.Tx) error {
		return d.Notices.NotifyRule(t.Context(), scope, tx, "Mine", "mine of "+of.client)
	}); err != nil {
		t.Fatal(err)
	}
	ids["/notices/{id}"] = fmt.Sprint(first("/notices")["id"])

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "odd.csv"), []byte("foo,bar\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keep("/sources/{id}", "/sources", fmt.Sprintf(`{"name":"mine","kind":"folder","settings":{"path":%q}}`, dir))
	call(http.MethodPost, "/sources/mine/run", "")
	ids["{file}"] = fmt.Sprint(first("/sources/mine/files")["id"])

	text := "foo,bar\n" + of.client + ",Legal\n"
	up := fmt.Sprint(call(http.MethodPost, "/uploads", fmt.Sprintf(`{"name":"c.csv","bytes":%d}`, len(text)))["id"])
	if a := as(t, s, who, http.MethodPatch, "/api/v1/uploads/"+up, text, "Content-Type", "application/offset+octet-stream", "Upload-Offset", "0"); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	keep("/batches/{id}", "/batches", `{"files":[{"upload":"`+up+`","mapping":{"dataset":"clients","columns":{"foo":"client_name","bar":"industry"}}}]}`)
	as(t, s, who, http.MethodGet, "/api/v1/batches/"+ids["/batches/{id}"]+"/events", "") // to its end
	ids["/uploads/{id}"] = up
	ids["/mappings/{id}"] = fmt.Sprint(first("/mappings")["id"])

	key := fmt.Sprint(first("/governance/people?q=" + url.QueryEscape(of.person))["key"])
	keep("/governance/holds/{id}", "/governance/holds", `{"kind":"client","subject":"`+of.client+`","reason":"a lawsuit"}`)
	keep("/governance/requests/{id}", "/governance/requests", `{"kind":"erasure","person":"`+key+`"}`)

	call(http.MethodPost, "/roles", `{"name":"mine","label":"Mine","based_on":"viewer","actions":["figures.read"],"hidden":["pay"]}`)
	ids["/roles/{name}"] = "mine"
	ids["/policies/versions/{version}"] = fmt.Sprint(first("/policies/versions")["version"])
	call(http.MethodPost, "/invitations", `{"email":"new@example.com","role":"viewer"}`)
	ids["/invitations/{id}"] = fmt.Sprint(first("/invitations")["id"])
	mine := call(http.MethodPost, "/profile/keys", `{"name":"k","actions":["figures.read"],"days":1}`)["is"].(map[string]any)
	ids["/keys/{id}"], ids["/profile/keys/{id}"] = fmt.Sprint(mine["id"]), fmt.Sprint(mine["id"])
	ids["/profile/sessions/{id}"] = fmt.Sprint(first("/profile/sessions")["id"])
	ids["/users/{id}"] = fmt.Sprint(first("/users")["id"])
	ids["/profile/passkeys/{id}"] = "cGFzc2tleQ"
	ids["/audit/checkpoints/{seq}"] = "1"
	return ids
}

// mineOf is a template of one's own about a client, with all that may be hidden of it.
func mineOf(client string) string {
	return `
name: mine
title: Mine
of_client: true
sections:
  - title: Mine
    blocks:
      - tiles: {measures: [revenue, labor_cost, gross_margin]}
      - table: {title: People, measures: [hours_worked, labor_cost], by: [staff]}
      - table: {title: Only, measures: [revenue], by: [client], where: 'client = "` + client + `"'}
`
}

func templateBody(text string) string {
	body, _ := json.Marshal(map[string]string{"text": text})
	return string(body)
}

// aSchedule sends to somebody outside what a viewer may see.
func aSchedule(name, destination string) string {
	return fmt.Sprintf(`{"name":%q,"template":"service-desk","formats":["json"],"cron":"0 7 1 * *","zone":"UTC","recipients":[{"address":"board@example.com","destination":%q,"role":"viewer"}]}`, name, destination)
}

// anAsset keeps a logo and returns its hash.
func anAsset(t *testing.T, s *httptest.Server, who string) string {
	t.Helper()
	var logo bytes.Buffer
	if err := png.Encode(&logo, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	a := as(t, s, who, http.MethodPost, "/api/v1/report-assets", logo.String(), "Content-Type", "application/octet-stream")
	var got struct{ SHA256 string }
	if json.Unmarshal([]byte(a.body), &got); a.status != http.StatusCreated || got.SHA256 == "" {
		t.Fatal(a.status, a.body)
	}
	return got.SHA256
}

// aBrowser is what a browser says that opts in.
func aBrowser(of string) string {
	const key = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4" // RFC 8291, section 5
	return fmt.Sprintf(`{"endpoint":"https://push.example.com/%s","keys":{"p256dh":%q,"auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`, url.PathEscape(of), key)
}

// aDelivery waits to be sent.
func aDelivery(t *testing.T, d httpapi.Deps, scope tenant.Scope, destination string) (id string) {
	t.Helper()
	if err := d.DB.Transact(t.Context(), func(tx *metadb.Tx) error {
		ids, err := d.Delivery.Enqueue(t.Context(), scope, tx, delivery.Delivery{Destination: destination, To: []string{"anna@example.com"}, Kind: "report", Ref: "r"})
		if err == nil {
			id = ids[0]
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return id
}

func aScenario(client string) string {
	return `{"period":{"from":"2026-01-01","to":"2026-02-01"},"levers":[{"kind":"price","percent":"0.1","select":{"client":["` + client + `"]}}]}`
}

// bodies are valid ones of the operations that take an id and a body: what is refused is the id.
var bodies = map[string]string{
	"edit-comment": `{"text":"theirs"}`, "save-dashboard": `{"name":"theirs","content":{"tiles":[]},"revision":1}`, "change-kpi": `{"formula":"revenue * 3"}`,
	"assign-review": `{"assignee":"","due":""}`, "decide-review": `{"verdict":"accepted"}`, "change-role": `{"label":"Theirs","based_on":"viewer","actions":["figures.read"],"hidden":["pay"]}`,
	"change-rule": `{"condition":"revenue > 2"}`, "decide-rule-review": `{"verdict":"dismissed","reason":"theirs"}`, "save-scenario": `{"name":"theirs","content":` + aScenario("Birch") + `,"revision":1}`,
	"change-segment": `{"dimension":"client","where":"client = \"x\""}`, "change-source": `{"name":"theirs","kind":"sftp","settings":{"host":"files.example.com","user":"anna"}}`,
	"change-destination": `{"name":"theirs","kind":"email","settings":{"host":"smtp.example.com","from":"c@d.example"}}`, "test-destination": `{"to":"a@b.example"}`,
	"change-report-template": templateBody(mineOf("Alder")), "change-schedule": aSchedule("theirs", "nowhere"),
	"change-alert-route": `{"name":"theirs","in_app":true}`, "acknowledge-alert": `{"note":"theirs"}`,
	"release-source-file": `{}`, "change-user": `{"role":"viewer"}`, "set-user-state": `{"disabled":true}`, "reset-user": `{}`, "approve-policies": `{}`, "reject-policies": `{"reason":"theirs"}`,
	"save-view": `{"name":"theirs","content":{"path":"/explore"},"revision":1}`, "append-upload": "a,b\n",
	"decide-request": `{"verdict":"reject","reason":"theirs"}`,
}

// askFor sends a route with an id.
func askFor(t *testing.T, s *httptest.Server, who string, r route, at, id, file string) answer {
	t.Helper()
	path := strings.Replace(r.path, at[strings.Index(at, "{"):], id, 1)
	path = strings.Replace(path, "{file}", file, 1)
	switch {
	case strings.Contains(path, "/insights/"):
		path += "?from=2026-01&to=2026-03"
	case r.id == "preview-review":
		path += "?verdict=dismissed"
	}
	if r.id == "append-upload" {
		return as(t, s, who, r.method, path, bodies[r.id], "Content-Type", "application/offset+octet-stream", "Upload-Offset", "0")
	}
	return as(t, s, who, r.method, path, bodies[r.id])
}

// places are the routes that take an id, with where it stands; those of the program's own words are left out.
func places(t *testing.T, ids map[string]string) map[route]string {
	t.Helper()
	out := map[route]string{}
next:
	for _, r := range allRoutes(t) {
		if !strings.Contains(r.path, "{") {
			continue
		}
		path := strings.TrimPrefix(r.path, "/api/v1")
		for _, own := range ofNobody {
			if strings.HasPrefix(path, own) {
				continue next
			}
		}
		for at := range ids {
			if strings.HasPrefix(path, at) && len(at) > len(out[r]) {
				out[r] = at
			}
		}
		if out[r] == "" {
			t.Errorf("%s %s takes an id that this test does not try", r.method, r.path)
		}
	}
	return out
}

// nowhere is an id of the same form that there is not.
func nowhere(id string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return '9'
		}
		return 'z'
	}, id) + "9"
}

func eventsOf(t *testing.T, d httpapi.Deps, of tenant.Slug) int {
	t.Helper()
	d.Scope.Tenant = of
	return audited(t, d)
}

// Every route of the table that takes an id, asked by the owner of another tenant: as if there
// were no such thing, and nothing happens.
func TestEveryIdOfAnotherTenantIsAsIfItWereNot(t *testing.T) {
	t.Parallel()
	s, d := serveWhole(t)
	ids := made(t, s, d, "acme/anna", birch)
	tried := places(t, ids)
	for r, at := range tried { // there is something to be refused
		if r.method != http.MethodGet || r.id == "get-audit-checkpoint" || r.id == "preview-request" { // this server signs none
			continue
		}
		if a := askFor(t, s, "acme/anna", r, at, ids[at], ids["{file}"]); a.status >= 400 {
			t.Errorf("%s of its own tenant: %d %s", r.id, a.status, a.body)
		}
	}
	cookieOf(t, s, "bolt/bea")
	before := eventsOf(t, d, "acme")
	for r, at := range tried {
		there := askFor(t, s, "bolt/bea", r, at, ids[at], ids["{file}"])
		not := askFor(t, s, "bolt/bea", r, at, nowhere(ids[at]), nowhere(ids["{file}"]))
		same := strings.NewReplacer(ids[at], "ID", nowhere(ids[at]), "ID")
		if there.status != http.StatusNotFound && there.status != http.StatusForbidden || there.status != not.status || same.Replace(there.body) != same.Replace(not.body) {
			t.Errorf("%s %s:\n  of another tenant %d %s\n  nowhere %d %s", r.method, r.path, there.status, there.body, not.status, not.body)
		}
	}
	if after := eventsOf(t, d, "acme"); after != before {
		t.Errorf("%d events in the other tenant", after-before)
	}
	if len(tried) < 60 {
		t.Errorf("only %d routes take an id", len(tried))
	}
}

// ofNoClient are the ids of what belongs to the whole tenant and is about no client: whoever may
// do it at all may do it to them, and figures are asked for under one's own rights.
var ofNoClient = []string{"/dashboards/", "/views/", "/links/", "/s/", "/scenarios/", "/feedback/", "/kpis/", "/segments/", "/rules/{name}", "/roles/", "/policies/", "/invitations/", "/keys/", "/users/",
	"/profile/", "/audit/", "/report-assets/", "GET /snapshots/"}

// Every route that takes an id of something about a client, asked by an owner who sees another
// client only: as if there were no such thing, and nothing happens.
func TestEveryIdOfAClientOutOfScopeIsAsIfItWereNot(t *testing.T) {
	t.Parallel()
	s, d := serveWhole(t)
	ids := made(t, s, d, "acme/anna", birch)
	p, _ := peopleOf.Load(s)
	p.(*people).cookies["acme/nora"] = p.(*people).join(t, "acme", "nora", access.Standing{Role: access.Admin, Clients: []string{"Alder"}})
	before, tried := eventsOf(t, d, "acme"), 0
next:
	for r, at := range places(t, ids) {
		path := strings.TrimPrefix(r.path, "/api/v1")
		for _, prefix := range ofNoClient {
			if strings.HasPrefix(path, prefix) || strings.HasPrefix(r.method+" "+path, prefix) {
				continue next
			}
		}
		tried++
		there := askFor(t, s, "acme/nora", r, at, ids[at], ids["{file}"])
		not := askFor(t, s, "acme/nora", r, at, nowhere(ids[at]), nowhere(ids["{file}"]))
		same := strings.NewReplacer(ids[at], "ID", nowhere(ids[at]), "ID")
		if there.status != http.StatusNotFound && there.status != http.StatusForbidden || there.status != not.status || same.Replace(there.body) != same.Replace(not.body) {
			t.Errorf("%s %s:\n  of another client %d %s\n  nowhere %d %s", r.method, r.path, there.status, there.body, not.status, not.body)
		}
		if strings.Contains(there.body, "Birch") {
			t.Errorf("%s %s names the client: %s", r.method, r.path, there.body)
		}
	}
	if a := as(t, s, "acme/nora", http.MethodPost, "/api/v1/closed-months/2026-01/close", ""); a.status != http.StatusForbidden {
		t.Errorf("closing a month of all clients: %d %s", a.status, a.body)
	}
	if after := eventsOf(t, d, "acme"); after != before {
		t.Errorf("%d events", after-before)
	}
	if tried < 25 {
		t.Errorf("only %d routes", tried)
	}
}
