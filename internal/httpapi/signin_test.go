package httpapi_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/httpapi"
)

func TestAttemptsToSignInAreFewForAnAddress(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		withAccounts(d, o)
		o.Limits, o.Proxies = httpapi.Limits{SignIn: 3}, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	try := func(from, path, body string) answer {
		return as(t, s, "", http.MethodPost, path, body, "X-Forwarded-For", from)
	}
	right := fmt.Sprintf(`{"email":%q,"password":%q}`, ownerMail, ownerWords)
	// Each is of another kind, and all count together, the right ones too.
	for i, c := range []struct{ path, body string }{{"session", right}, {"session/code", `{"challenge":"x","code":"123456"}`}, {"access-links/look", `{"token":"x"}`}} {
		if a := try("203.0.113.5", "/api/v1/"+c.path, c.body); a.status == http.StatusTooManyRequests {
			t.Errorf("attempt %d: %d %s", i+1, a.status, a.body)
		}
	}
	a := try("203.0.113.5", "/api/v1/session", right)
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, `"code":"too_often"`) {
		t.Errorf("the fourth: %d %s", a.status, a.body)
	}
	if a := try("203.0.113.6", "/api/v1/session", right); a.status != http.StatusOK {
		t.Errorf("another address: %d %s", a.status, a.body)
	}
	// Whoever is signed in guesses no faster: neither the own password nor in many operations.
	if a := as(t, s, "default/anna", http.MethodPost, "/api/v1/session/confirm", `{"password":"x"}`, "X-Forwarded-For", "203.0.113.5"); a.status != http.StatusTooManyRequests {
		t.Errorf("confirming: %d %s", a.status, a.body)
	}
	ops := as(t, s, "default/anna", http.MethodPost, "/api/v1/operations", `{"operations":[{"method":"POST","path":"/api/v1/session","body":`+right+`},{"method":"POST","path":"/api/v1/session/confirm","body":{"password":"x"}}]}`)
	if got := decoded[struct{ Results []struct{ Status int } }](t, ops).Results; len(got) != 2 || got[0].Status != 422 || got[1].Status != 422 {
		t.Errorf("as operations: %s", ops.body)
	}
}
