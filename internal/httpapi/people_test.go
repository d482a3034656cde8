package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// withAccounts serves with accounts: those who ask by as have a real one, and a session.
func withAccounts(d *httpapi.Deps, _ *httpapi.Options) {
	if _, err := d.Access.SetUp(context.Background(), ownerMail, "Olga Owner", ownerWords, access.Place{}); err != nil {
		panic(err)
	}
}

// people are the accounts of a server's tests with their sessions' cookies, by "tenant/name".
type people struct {
	of *access.Service

	mu      sync.Mutex
	cookies map[string]string
}

var peopleOf sync.Map // *httptest.Server -> *people

// cookie is the session of who, "tenant/name" or "tenant/name/role" (owner when it is left out),
// whose account is made when there is none.
func (p *people) cookie(t *testing.T, who string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.cookies[who]; ok {
		return c
	}
	part := append(strings.Split(who, "/"), access.Owner)
	c := p.join(t, part[0], part[1], access.Standing{Role: part[2]})
	p.cookies[who] = c
	return c
}

// join makes an account by an invitation and returns the cookie of its session.
func (p *people) join(t *testing.T, in, name string, as access.Standing) string {
	t.Helper()
	token, _, err := p.of.Invite(t.Context(), tenant.Scope{Tenant: tenant.Slug(in), Actor: "cli:test"}, fmt.Sprintf("%s@%s.example", name, in), as)
	if err != nil {
		t.Fatal(err)
	}
	done, err := p.of.Use(t.Context(), token, name, otherWords, access.Who{}, access.Place{Address: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return "moatmetrics=" + done.Token
}

// as sends a request of someone, "" is nobody.
func as(t *testing.T, s *httptest.Server, who, method, path, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		req.Header.Set("Cookie", cookieOf(t, s, who))
	}
	for i := 0; i+1 < len(header); i += 2 {
		if req.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	return do(t, req)
}

// cookieOf is the cookie of somebody at a server.
func cookieOf(t *testing.T, s *httptest.Server, who string) string {
	t.Helper()
	p, ok := peopleOf.Load(s)
	if !ok {
		t.Fatal("this server was not made by serveWith")
	}
	return p.(*people).cookie(t, who)
}
