package httpapi_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/httpapi"
)

func TestAnActorMayAskOnlySoMuch(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		withAccounts(d, o)
		o.Limits = httpapi.Limits{Actor: 30, Address: 1000}
	})
	ask := func(who, method, path, body string) answer { return as(t, s, who, method, path, body) }
	first := ask("acme/anna", http.MethodGet, "/api/v1/datasets", "")
	for name, want := range map[string]string{"RateLimit-Limit": "30", "RateLimit-Remaining": "29"} {
		if got := first.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := first.header.Values("RateLimit-Policy"); fmt.Sprint(got) != `["address";q=1000;w=60 "actor";q=30;w=60]` {
		t.Errorf("policy: %q", got)
	}
	if got := first.header.Values("RateLimit"); len(got) != 2 || !strings.HasPrefix(got[1], `"actor";r=29;t=`) {
		t.Errorf("left: %q", got)
	}
	if a := ask("acme/anna", http.MethodPost, "/api/v1/rules/evaluate", ""); a.status == http.StatusTooManyRequests {
		t.Fatalf("heavy work at once: %d", a.status)
	}
	refused := answer{}
	for range 15 { // the bucket gets half a token a second
		if refused = ask("acme/anna", http.MethodGet, "/api/v1/datasets", ""); refused.status == http.StatusTooManyRequests {
			break
		}
	}
	wait, err := strconv.Atoi(refused.header.Get("Retry-After"))
	if refused.status != http.StatusTooManyRequests || err != nil || wait < 1 || wait > 60 || !strings.Contains(refused.body, `"code":"too_often"`) {
		t.Errorf("after heavy work: %d, wait %q, %s", refused.status, refused.header.Get("Retry-After"), refused.body)
	}
	for _, other := range []string{"acme/bob", "bolt/anna"} {
		if a := ask(other, http.MethodGet, "/api/v1/datasets", ""); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", other, a.status, a.body)
		}
	}
	if a := ask("", http.MethodGet, "/healthz", ""); a.status != http.StatusOK || a.header.Get("RateLimit") != "" {
		t.Errorf("healthz: %d", a.status)
	}
}

func TestAnAddressMayAskOnlySoOftenWhoeverItSaysItIs(t *testing.T) {
	t.Parallel()
	limited := func(proxies ...netip.Prefix) func(string) int {
		s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
			withAccounts(d, o)
			o.Limits, o.Proxies = httpapi.Limits{Address: 10}, proxies
		})
		n := 0
		return func(from string) int {
			n++
			return as(t, s, fmt.Sprintf("acme/user%d", n%2), http.MethodGet, "/api/v1/datasets", "", "X-Forwarded-For", from).status
		}
	}
	count := func(ask func(string) int, from func(i int) string) (refused int) {
		for i := range 20 {
			if ask(from(i)) == http.StatusTooManyRequests {
				refused++
			}
		}
		return refused
	}
	changing := func(i int) string { return fmt.Sprintf("203.0.113.%d", i) }
	if n := count(limited(), changing); n == 0 {
		t.Error("whoever writes another X-Forwarded-For each time is never limited")
	}
	proxy := netip.MustParsePrefix("127.0.0.1/32")
	if n := count(limited(proxy), changing); n != 0 {
		t.Errorf("%d of 20 clients behind a trusted proxy are taken for one", n)
	}
	if n := count(limited(proxy), func(i int) string { return changing(i) + ", 198.51.100.7" }); n == 0 {
		t.Error("what the client wrote before the proxy is believed")
	}
	if n := count(limited(proxy), func(i int) string { return fmt.Sprintf("2001:db8:1:2::%x", i+1) }); n == 0 {
		t.Error("every address of an IPv6 network has a limit of its own")
	}
}

func TestTheOwnerWithoutAccountsIsNotLimited(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, func(_ *httpapi.Deps, o *httpapi.Options) {
		o.Limits = httpapi.Limits{Actor: 1, Address: 1, SignIn: 1}
	})
	for range 20 {
		if a := get(t, s, "/api/v1/datasets"); a.status != http.StatusOK || a.header.Get("RateLimit") != "" {
			t.Fatalf("%d %v", a.status, a.header)
		}
	}
}

func TestTheAccessLogSaysWhoAndWhatButNothingOfIt(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		withAccounts(d, o)
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	as(t, s, "acme/anna", http.MethodGet, "/api/v1/query?measures=revenue&where=client+%3D+%22Confidential%22", "", "X-Request-Id", "req-7", "Authorization", "Bearer hush")
	as(t, s, "acme/anna", http.MethodPost, "/api/v1/uploads", `{"name":"salaries.csv","bytes":4}`)
	as(t, s, "acme/anna", http.MethodGet, "/api/v1/questions/whatever?client=Confidential", "")
	as(t, s, "", http.MethodGet, "/nothing/secret-path.js", "")
	s.Close() // all lines are written
	text := log.String()
	for _, part := range []string{"request_id=req-7", "from=127.0.0.1", "tenant=acme", "actor=user:", `route="GET /api/v1/query"`, `route="POST /api/v1/uploads"`, `route="GET /api/v1/questions/{name}"`, "status=201", "bytes=", "took="} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in\n%s", part, text)
		}
	}
	for _, hidden := range []string{"Confidential", "salaries", "hush", "whatever", "secret-path", "where"} {
		if strings.Contains(text, hidden) {
			t.Errorf("%s is in\n%s", hidden, text)
		}
	}
}
