package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

const (
	ownerMail  = "olga@example.com"
	ownerWords = "harbor lantern quiet meadow"
	otherWords = "violet engine sleeps tonight"
)

// browser sends requests to one server with the cookies that it was given.
type browser struct {
	t      *testing.T
	s      *httptest.Server
	cookie string
}

func (b *browser) ask(method, path, body string, header ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.s.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if b.cookie != "" {
		req.Header.Set("Cookie", b.cookie)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	a := do(b.t, req)
	if set := a.header.Get("Set-Cookie"); set != "" {
		b.cookie, _, _ = strings.Cut(set, ";")
	}
	return a
}

func (b *browser) want(status int, method, path, body string, header ...string) answer {
	b.t.Helper()
	a := b.ask(method, path, body, header...)
	if a.status != status {
		b.t.Errorf("%s %s: %d %s, want %d", method, path, a.status, a.body, status)
	}
	return a
}

// accounts is a server whose owner is set up, with the owner's browser.
func accounts(t *testing.T) (*browser, httpapi.Deps) {
	t.Helper()
	s, deps := serveWith(t, nil)
	owner := &browser{t: t, s: s}
	owner.want(200, http.MethodPost, "/api/v1/set-up", fmt.Sprintf(`{"email":%q,"name":"Olga Owner","password":%q}`, ownerMail, ownerWords))
	return owner, deps
}

// member is the browser of a new member, and the account's id.
func member(t *testing.T, owner *browser, deps httpapi.Deps, in tenant.Slug, email, role string) (*browser, string) {
	t.Helper()
	token, _, err := deps.Access.Invite(t.Context(), tenant.Scope{Tenant: in, Actor: "cli:test"}, email, access.Standing{Role: role})
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, s: owner.s}
	b.want(200, http.MethodPost, "/api/v1/access-links/use", fmt.Sprintf(`{"token":%q,"name":"Member","password":%q}`, token, otherWords))
	var is struct{ Account string }
	if err := json.Unmarshal([]byte(b.want(200, http.MethodGet, "/api/v1/session", "").body), &is); err != nil {
		t.Fatal(err)
	}
	return b, is.Account
}

func TestWithoutAccountsEverythingIsAsItWas(t *testing.T) {
	t.Parallel()
	b := &browser{t: t, s: serve(t)}
	if a := b.want(200, http.MethodGet, "/api/v1/session", ""); !strings.Contains(a.body, `"accounts":false`) || !strings.Contains(a.body, `"signed_in":true`) {
		t.Error(a.body)
	}
	b.want(200, http.MethodGet, "/api/v1/metrics", "")
	b.want(409, http.MethodGet, "/api/v1/profile", "")
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.s.URL+"/api/v1/metrics", nil)
	req.Host = "evil.example"
	if a := do(t, req); a.status != http.StatusMisdirectedRequest {
		t.Errorf("another host name: %d", a.status)
	}
	req, _ = http.NewRequestWithContext(t.Context(), http.MethodPost, b.s.URL+"/api/v1/set-up", strings.NewReader(fmt.Sprintf(`{"email":%q,"name":"Eve","password":%q}`, ownerMail, ownerWords)))
	req.Host = "evil.example"
	req.Header.Set("Content-Type", "application/json")
	if a := do(t, req); a.status != http.StatusMisdirectedRequest {
		t.Errorf("set-up by another host name: %d", a.status)
	}
}

// Every route of the document, with ids that there are not, asked by nobody.
func TestNoRouteAnswersThoseWhoAreNotSignedIn(t *testing.T) {
	t.Parallel()
	owner, _ := accounts(t)
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
	nobody := &browser{t: t, s: owner.s}
	n := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if httpapi.Needs[op.OperationID] == access.SignedOut {
				continue
			}
			n++
			if a := nobody.ask(strings.ToUpper(method), strings.NewReplacer("{", "", "}", "").Replace(path), ""); a.status != http.StatusUnauthorized || !strings.Contains(a.header.Get("Content-Type"), "problem+json") {
				t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d routes were asked", n)
	}
	nobody.want(401, http.MethodGet, "/metrics", "")
	nobody.want(401, http.MethodGet, "/api/v1/metrics", "", "Authorization", "Bearer mm_nothing")
	nobody.want(401, http.MethodGet, "/api/v1/metrics", "", "Authorization", "Basic b2xnYTp4")
	nobody.want(200, http.MethodGet, "/healthz", "")
	nobody.want(200, http.MethodGet, "/", "")
	if a := nobody.want(303, http.MethodGet, "/s/abcdefghij", "", "Accept", "text/html"); a.header.Get("Location") != "/sign-in#/s/abcdefghij" {
		t.Errorf("a link leads to %q", a.header.Get("Location"))
	}
	if a := nobody.want(200, http.MethodGet, "/api/v1/session", ""); strings.Contains(a.body, "figures.read") || !strings.Contains(a.body, `"signed_in":false`) {
		t.Error(a.body)
	}
}

// A session that somebody put into another's browser must not become that other's.
func TestASessionFromBeforeSigningInIsNotUsed(t *testing.T) {
	t.Parallel()
	owner, deps := accounts(t)
	attacker, _ := member(t, owner, deps, "default", "eve@example.com", "viewer")
	planted := attacker.cookie
	for _, fixed := range []string{"moatmetrics=chosenbyanother", planted} {
		victim := &browser{t: t, s: owner.s, cookie: fixed}
		victim.want(200, http.MethodPost, "/api/v1/session", fmt.Sprintf(`{"email":%q,"password":%q}`, ownerMail, ownerWords))
		if victim.cookie == fixed {
			t.Errorf("the session %q was kept", fixed)
		}
		(&browser{t: t, s: owner.s, cookie: fixed}).want(401, http.MethodGet, "/api/v1/profile", "")
		victim.want(200, http.MethodGet, "/api/v1/profile", "")
	}
}

func TestASignedOutCookieIsRefused(t *testing.T) {
	t.Parallel()
	owner, _ := accounts(t)
	stolen := &browser{t: t, s: owner.s, cookie: owner.cookie}
	stolen.want(200, http.MethodGet, "/api/v1/profile", "")
	owner.want(204, http.MethodDelete, "/api/v1/session", "")
	stolen.want(401, http.MethodGet, "/api/v1/profile", "")
	if owner.cookie != "moatmetrics=" {
		t.Errorf("the browser keeps %q", owner.cookie)
	}
}

func TestTheCookieIsForThisServerOnly(t *testing.T) {
	t.Parallel()
	var handler http.Handler
	plain, deps := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) { handler = httpapi.New(*d, *o) })
	tls := httptest.NewTLSServer(handler)
	defer tls.Close()
	if _, err := deps.Access.SetUp(t.Context(), ownerMail, "Olga Owner", ownerWords, access.Place{}); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, ownerMail, ownerWords)
	for s, want := range map[*httptest.Server][]string{plain: {"moatmetrics="}, tls: {"__Host-moatmetrics=", "; Secure"}} {
		res, err := s.Client().Post(s.URL+"/api/v1/session", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		cookie := res.Header.Get("Set-Cookie")
		for _, part := range append(want, "; Path=/", "; HttpOnly", "; SameSite=Lax") {
			if !strings.Contains(cookie, part) {
				t.Errorf("%s: %q has no %q", s.URL, cookie, part)
			}
		}
		if strings.Contains(cookie, "Domain") || s == plain && strings.Contains(cookie, "Secure") {
			t.Errorf("%s: %q", s.URL, cookie)
		}
	}
}

func TestAnotherSitesFormIsRefused(t *testing.T) {
	t.Parallel()
	owner, _ := accounts(t)
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		owner.want(403, http.MethodDelete, "/api/v1/profile/sessions", "", header[0], header[1])
		owner.want(403, http.MethodPost, "/api/v1/invitations", `{"email":"eve@example.com","role":"owner"}`, header[0], header[1])
	}
	owner.want(204, http.MethodDelete, "/api/v1/profile/sessions", "", "Sec-Fetch-Site", "same-origin")
}

// Fields that a form does not have are refused and change nothing.
func TestNobodyGivesThemselvesMoreByAnotherField(t *testing.T) {
	t.Parallel()
	owner, deps := accounts(t)
	ines, id := member(t, owner, deps, "default", "ines@example.com", "viewer")
	for path, body := range map[string]string{
		"PUT /api/v1/profile/name":      `{"name":"Ines","role":"owner"}`,
		"PUT /api/v1/session/tenant":    `{"tenant":"default","role":"owner"}`,
		"PUT /api/v1/profile/password":  `{"old":"` + otherWords + `","new":"` + ownerWords + `","account":"x"}`,
		"POST /api/v1/profile/keys":     `{"name":"k","actions":["figures.read"],"days":1,"account":"x","clients":["A"]}`,
		"POST /api/v1/session":          `{"email":"ines@example.com","password":"` + otherWords + `","role":"owner"}`,
		"POST /api/v1/session/confirm":  `{"password":"` + otherWords + `","confirmed":true}`,
		"POST /api/v1/set-up":           `{"email":"eve@example.com","name":"Eve","password":"` + otherWords + `","tenant":"default"}`,
		"POST /api/v1/access-links/use": `{"token":"x","role":"owner"}`,
	} {
		method, path, _ := strings.Cut(path, " ")
		ines.want(422, method, path, body)
	}
	if a := ines.want(200, http.MethodGet, "/api/v1/session", ""); !strings.Contains(a.body, `"role":"viewer"`) {
		t.Error(a.body)
	}
	owner.want(422, http.MethodPut, "/api/v1/users/"+id, `{"role":"viewer","id":"x"}`)
	owner.want(422, http.MethodPut, "/api/v1/users/"+id+"/state", `{"disabled":false,"role":"owner"}`)
}

// Every route of this part that takes an id, with another's.
func TestIdsOfOthersAreNotFoundByTheRoutes(t *testing.T) {
	t.Parallel()
	owner, deps := accounts(t)
	ines, inesID := member(t, owner, deps, "default", "ines@example.com", "analyst")
	rival, _ := member(t, owner, deps, "other", "otto@example.com", "owner")
	var key struct {
		Is struct{ ID string }
	}
	if err := json.Unmarshal([]byte(ines.want(200, http.MethodPost, "/api/v1/profile/keys", `{"name":"k","actions":["figures.read"],"days":1}`).body), &key); err != nil {
		t.Fatal(err)
	}
	var sessions struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(ines.want(200, http.MethodGet, "/api/v1/profile/sessions", "").body), &sessions); err != nil {
		t.Fatal(err)
	}
	owner.want(200, http.MethodPost, "/api/v1/invitations", `{"email":"new@example.com","role":"viewer"}`)
	var invited struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(owner.want(200, http.MethodGet, "/api/v1/invitations", "").body), &invited); err != nil {
		t.Fatal(err)
	}
	ofAll := tenant.Scope{Tenant: "default", Actor: "job:test"}
	if err := deps.DB.Transact(t.Context(), func(tx *metadb.Tx) error {
		return deps.Notices.Send(t.Context(), ofAll, tx, notice.Notice{Kind: notice.RuleHolds, Subject: "Thin", Message: "a rule holds"})
	}); err != nil {
		t.Fatal(err)
	}
	told, err := deps.Notices.List(t.Context(), ofAll, true, 1, 0)
	if err != nil || len(told) != 1 {
		t.Fatal(told, err)
	}
	var device struct{ ID string }
	if err := json.Unmarshal([]byte(ines.want(201, http.MethodPost, "/api/v1/push-subscriptions", aBrowser("ines")).body), &device); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{"unsubscribe-push": device.ID, "read-notice": told[0].ID, "end-session": sessions.Items[0].ID, "drop-passkey": "nosuchkey", "end-own-key": key.Is.ID, "end-invitation": invited.Items[0].ID,
		"change-user": inesID, "set-user-state": inesID, "remove-user": inesID, "end-user-sessions": inesID, "reset-user": inesID, "end-key": key.Is.ID}
	bodies := map[string]string{"change-user": `{"role":"owner"}`, "set-user-state": `{"disabled":true}`, "reset-user": `{}`}
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
	for path, methods := range doc.Paths {
		for method, op := range methods {
			need := httpapi.Needs[op.OperationID]
			if !strings.Contains(path, "{id}") || need != access.SelfManage && need != access.AccountsManage {
				continue
			}
			id, known := ids[op.OperationID]
			if !known {
				t.Errorf("%s takes an id that this test does not try", op.OperationID)
			}
			rival.want(404, strings.ToUpper(method), strings.Replace(path, "{id}", id, 1), bodies[op.OperationID])
			delete(ids, op.OperationID)
		}
	}
	if len(ids) != 0 {
		t.Errorf("no such routes: %v", ids)
	}
	ines.want(200, http.MethodGet, "/api/v1/profile", "")
	if a := rival.want(200, http.MethodGet, "/api/v1/users", ""); strings.Contains(a.body, "ines@") {
		t.Error("another tenant's users are listed")
	}
}

func TestEachTenantSeesItsOwn(t *testing.T) {
	t.Parallel()
	owner, deps := accounts(t)
	rival, _ := member(t, owner, deps, "other", "otto@example.com", "owner")
	if a := upload(t, owner.s, map[string]string{"clients.csv": "client_name,industry\nAlder Dental,Health\n"}, "Cookie", owner.cookie, "Idempotency-Key", "same"); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := owner.want(200, http.MethodGet, "/api/v1/status", ""); strings.Contains(a.body, `"snapshot":0,`) {
		t.Errorf("the owner's own: %s", a.body)
	}
	if a := rival.want(200, http.MethodGet, "/api/v1/datasets", ""); strings.Contains(a.body, `"rows":1,`) {
		t.Errorf("another tenant's rows: %s", a.body)
	}
	if a := upload(t, owner.s, map[string]string{"clients.csv": "client_name,industry\nBirch Law,Legal\n"}, "Cookie", rival.cookie, "Idempotency-Key", "same"); a.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("another tenant's answer is given: %s", a.body)
	}
}

func TestARoleLimitsWhatIsDone(t *testing.T) {
	t.Parallel()
	owner, deps := accounts(t)
	viewer, _ := member(t, owner, deps, "default", "vera@example.com", "viewer")
	viewer.want(200, http.MethodGet, "/api/v1/metrics", "")
	viewer.want(403, http.MethodGet, "/api/v1/users", "")
	viewer.want(403, http.MethodGet, "/api/v1/keys", "")
	viewer.want(403, http.MethodPost, "/api/v1/invitations", `{"email":"eve@example.com","role":"viewer"}`)
	viewer.want(403, http.MethodGet, "/api/v1/audit", "")
	viewer.want(403, http.MethodGet, "/metrics", "")
	owner.want(200, http.MethodGet, "/metrics", "")
}

func TestAKeyWorksWithoutACookieAndACookieNotBesideIt(t *testing.T) {
	t.Parallel()
	owner, _ := accounts(t)
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(owner.want(200, http.MethodPost, "/api/v1/profile/keys", `{"name":"report","actions":["figures.read"],"days":30}`).body), &made); err != nil {
		t.Fatal(err)
	}
	program := &browser{t: t, s: owner.s}
	program.want(200, http.MethodGet, "/api/v1/metrics", "", "Authorization", "Bearer "+made.Key)
	program.want(403, http.MethodGet, "/api/v1/audit", "", "Authorization", "Bearer "+made.Key)
	owner.want(403, http.MethodGet, "/api/v1/audit", "", "Authorization", "Bearer "+made.Key) // the cookie beside it gives nothing
	owner.want(401, http.MethodGet, "/api/v1/metrics", "", "Authorization", "Bearer mm_wrong")
	if a := owner.want(200, http.MethodGet, "/api/v1/profile/keys", ""); strings.Contains(a.body, made.Key) || !strings.Contains(a.body, `"used_from":"127.0.0.1"`) {
		t.Error(a.body)
	}
}

func TestWhoTriesTooOftenIsToldHowLongToWait(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		withAccounts(d, o)
		o.Limits.SignIn = 100
	})
	nobody := &browser{t: t, s: s}
	try := func(password string) answer {
		return nobody.ask(http.MethodPost, "/api/v1/session", fmt.Sprintf(`{"email":%q,"password":%q}`, ownerMail, password))
	}
	a := try("wrong words all over")
	for n := 1; a.status == http.StatusUnauthorized && n < 15; n++ { // the waits double: a slow machine may outlast the first ones
		a = try("wrong words all over")
	}
	if wait, err := strconv.Atoi(a.header.Get("Retry-After")); a.status != http.StatusTooManyRequests || err != nil || wait < 1 || !strings.Contains(a.body, "too many tries") {
		t.Errorf("%d %q %s", a.status, a.header.Get("Retry-After"), a.body)
	}
	if a := try(ownerWords); a.status != http.StatusTooManyRequests {
		t.Errorf("the right words while the wait is on: %d", a.status)
	}
}

// A stream of a session that ended must not go on. It is looked at with every beat.
func TestAStreamEndsWithItsSession(t *testing.T) {
	owner, _ := accounts(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, owner.s.URL+"/api/v1/events", nil)
	req.Header.Set("Cookie", owner.cookie)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	if res.StatusCode != 200 || !lines.Scan() || lines.Text() != "event: hello" {
		t.Fatalf("%d %q", res.StatusCode, lines.Text())
	}
	owner.want(204, http.MethodDelete, "/api/v1/session", "")
	var rest []string
	for lines.Scan() {
		rest = append(rest, lines.Text())
	}
	if ctx.Err() != nil || slices.Contains(rest, ": still here") {
		t.Errorf("the stream goes on: %v %q", ctx.Err(), rest)
	}
}
