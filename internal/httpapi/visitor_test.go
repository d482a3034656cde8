package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/search"
)

func TestSearchFindsNothingThatRightsHide(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, withAccounts)
	for _, file := range []map[string]string{
		{"invoices.csv": "invoice_id,client_name,amount,date,status\nI-1,Alder Dental,1000.00,2026-01-15,paid\nI-2,Birch Dental,9000.00,2026-01-20,sent\n"},
		{"time_logs.csv": "staff_name,client_name,hours,rate,billable,date\nDana Dental,Birch Dental,50,50,yes,2026-01-10\n"},
	} {
		if a := upload(t, s, file, "Cookie", cookieOf(t, s, "acme/anna")); a.status != http.StatusCreated {
			t.Fatal(a.body)
		}
	}
	p, _ := peopleOf.Load(s)
	p.(*people).cookies["acme/nora"] = p.(*people).join(t, "acme", "nora", access.Standing{Role: access.Admin, Clients: []string{"Alder Dental"}})
	find := func(who string) string {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			a := as(t, s, who, http.MethodGet, "/api/v1/search?limit=100&q="+url.QueryEscape("dental"), "")
			if a.status != http.StatusOK {
				t.Fatalf("%s: %d %s", who, a.status, a.body)
			}
			if !decoded[search.Answer](t, a).Pending {
				return a.body
			}
			if time.Now().After(deadline) {
				t.Fatal("findings stay pending")
			}
		}
	}
	if all := find("acme/anna"); !strings.Contains(all, "Birch") || !strings.Contains(all, "Dana") || !strings.Contains(all, "Alder") {
		t.Fatalf("the owner finds %s", all)
	}
	if some := find("acme/nora"); strings.Contains(some, "Birch") || strings.Contains(some, "Dana") || !strings.Contains(some, "Alder") {
		t.Errorf("who sees one client finds %s", some)
	}
	if some := find("acme/vera/viewer"); strings.Contains(some, "Dana") || !strings.Contains(some, "Birch") {
		t.Errorf("who sees no persons finds %s", some)
	}
}

// A key counts apart from its account, and one kept answer is not the other's.
func TestAKeyIsSomebodyElseThanItsAccount(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		withAccounts(d, o)
		o.Limits = httpapi.Limits{Actor: 40}
	})
	var keys [2]string
	for i := range keys {
		var k struct{ Key string }
		if err := json.Unmarshal([]byte(as(t, s, "acme/anna", http.MethodPost, "/api/v1/profile/keys", `{"name":"k","actions":["boards.write","figures.read"],"days":1}`).body), &k); err != nil || k.Key == "" {
			t.Fatal(err)
		}
		keys[i] = "Bearer " + k.Key
	}
	for i, key := range keys {
		a := as(t, s, "", http.MethodPost, "/api/v1/dashboards", `{"name":"Mine"}`, "Authorization", key, "Idempotency-Key", "k")
		if a.status != http.StatusCreated || a.header.Get("Idempotent-Replayed") != "" || a.header.Get("RateLimit-Remaining") != "35" {
			t.Errorf("key %d: %d %q left, %s", i, a.status, a.header.Get("RateLimit-Remaining"), a.body)
		}
	}
	if a := as(t, s, "acme/anna", http.MethodPost, "/api/v1/dashboards", `{"name":"Mine"}`, "Idempotency-Key", "k"); a.status != http.StatusCreated || a.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("the account: %d %s", a.status, a.body)
	}
	if a := as(t, s, "", http.MethodPost, "/api/v1/dashboards", `{"name":"Mine"}`, "Authorization", keys[0], "Idempotency-Key", "k"); a.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("the key again: %d %s", a.status, a.body)
	}
}

func TestOnlyATrustedProxySaysThatTheConnectionIsEncrypted(t *testing.T) {
	t.Parallel()
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, ownerMail, ownerWords)
	for _, trusted := range []bool{false, true} {
		s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
			withAccounts(d, o)
			if trusted {
				o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
			}
		})
		a := as(t, s, "", http.MethodPost, "/api/v1/session", body, "X-Forwarded-Proto", "https")
		cookie := a.header.Get("Set-Cookie")
		if a.status != http.StatusOK || strings.HasPrefix(cookie, "__Host-") != trusted || strings.Contains(cookie, "; Secure") != trusted || (a.header.Get("Strict-Transport-Security") != "") != trusted {
			t.Errorf("trusted %v: %d %q", trusted, a.status, cookie)
		}
		if !trusted {
			continue
		}
		cookie, _, _ = strings.Cut(cookie, ";")
		if b := as(t, s, "", http.MethodGet, "/api/v1/profile", "", "X-Forwarded-Proto", "https", "Cookie", cookie); b.status != http.StatusOK {
			t.Errorf("with its cookie: %d %s", b.status, b.body)
		}
		look := as(t, s, "", http.MethodPost, "/api/v1/view-as", `{"role":"viewer"}`, "X-Forwarded-Proto", "https", "Cookie", cookie)
		if set := look.header.Get("Set-Cookie"); look.status != http.StatusOK || !strings.Contains(set, "; Secure") {
			t.Errorf("the cookie of a look: %d %q", look.status, set)
		}
	}
}

// The answers to a known, an unknown, a disabled and a strange address differ in nothing but time
// and chance; how long they take is measured in internal/access.
func TestAnswersDoNotTellWhichAccountsThereAre(t *testing.T) {
	t.Parallel()
	s, d := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) { withAccounts(d, o); o.Limits.SignIn = 100 })
	as(t, s, "default/gone/viewer", http.MethodGet, "/api/v1/session", "")
	gone, err := d.Access.User(t.Context(), d.Scope, "gone@default.example")
	if err != nil {
		t.Fatal(err)
	}
	off := true
	if err := d.Access.ChangeUser(t.Context(), d.Scope, gone.Account.ID, access.UserChange{Disabled: &off}); err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, c := range [][2]string{{ownerMail, "wrong words all over"}, {"nobody@example.com", "wrong words all over"}, {"gone@default.example", otherWords}, {"no address", "x"}, {"A\u030angstro\u0308m", "x"}} {
		a := as(t, s, "", http.MethodPost, "/api/v1/session", fmt.Sprintf(`{"email":%q,"password":%q}`, c[0], c[1]))
		for _, chance := range []string{"Date", "X-Request-Id", "Ratelimit", "Ratelimit-Remaining", "Ratelimit-Reset"} {
			a.header.Del(chance)
		}
		said[fmt.Sprint(a.status, a.header, a.body)] = true
	}
	if len(said) != 1 {
		t.Errorf("the answers differ: %v", said)
	}
}

// What an open page asks by itself is no use of a session; what a person does is one.
func TestWhatPagesAskByThemselvesKeepsNoSession(t *testing.T) {
	t.Parallel()
	owner, deps := accounts(t)
	seen := func() (at string) {
		t.Helper()
		if err := deps.DB.Read(t.Context(), func(tx *metadb.Tx) error { return tx.One(t.Context(), "SELECT seen_at FROM session", nil, &at) }); err != nil {
			t.Fatal(err)
		}
		return at
	}
	before := metadb.Now(time.Now().Add(-time.Hour))
	if err := deps.DB.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE session SET seen_at = $1", before)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	owner.want(200, http.MethodGet, "/api/v1/notices/count", "")
	if at := seen(); at != before {
		t.Errorf("the count of notices is a use of the session: %s", at)
	}
	owner.want(200, http.MethodGet, "/api/v1/profile", "")
	if at := seen(); at <= before {
		t.Errorf("the profile is none: %s", at)
	}
}

func TestWhoLooksAsARoleCanSignOut(t *testing.T) {
	t.Parallel()
	owner, _ := accounts(t)
	session := owner.cookie
	owner.want(200, http.MethodPost, "/api/v1/view-as", `{"role":"viewer"}`)
	owner.cookie = session + "; " + owner.cookie
	owner.want(403, http.MethodPut, "/api/v1/profile/name", `{"name":"Olga"}`)
	owner.want(204, http.MethodDelete, "/api/v1/session", "")
	owner.cookie = session
	owner.want(401, http.MethodGet, "/api/v1/profile", "")
}
