package httpapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestNoCacheGivesOneTheAnswerOfAnother(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, withAccounts)
	file := "invoice_id,client_name,amount,date,status\nI-1,%,1.00,2026-01-15,paid\n"
	for _, who := range []string{"acme", "bolt"} {
		if a := upload(t, s, map[string]string{"i.csv": strings.ReplaceAll(file, "%", "Client of "+who)}, "Cookie", cookieOf(t, s, who+"/anna")); a.status != http.StatusCreated {
			t.Fatal(a.body)
		}
	}
	tags := map[string]string{}
	for _, path := range []string{"/api/v1/query?measures=revenue&by=client", "/api/v1/status", "/api/v1/insights", "/api/v1/metrics", "/api/v1/datasets"} {
		for _, who := range []string{"acme/anna", "bolt/anna", "acme/vera/viewer", "acme/ada/analyst"} {
			a := as(t, s, who, http.MethodGet, path, "")
			tag := a.header.Get("ETag")
			if cc := a.header.Get("Cache-Control"); a.status == http.StatusOK && !strings.Contains(cc, "private") && !strings.Contains(cc, "no-store") {
				t.Errorf("%s: others may keep it: %q", path, cc)
			}
			if tag == "" {
				continue
			}
			if before, seen := tags[tag]; seen {
				t.Errorf("%s of %s has the tag of %s", path, who, before)
			}
			tags[tag] = path + " of " + who
			if strings.Contains(a.body, "Client of ") && !strings.Contains(a.body, "Client of "+who[:4]) {
				t.Errorf("%s of %s: %s", path, who, a.body)
			}
		}
	}
	if len(tags) < 8 {
		t.Errorf("only %d answers were compared", len(tags))
	}
	mine := as(t, s, "acme/anna", http.MethodGet, "/api/v1/query?measures=revenue&by=client", "").header.Get("ETag")
	if a := as(t, s, "bolt/anna", http.MethodGet, "/api/v1/query?measures=revenue&by=client", "", "If-None-Match", mine); a.status != http.StatusOK || !strings.Contains(a.body, "Client of bolt") {
		t.Errorf("with the tag of another: %d %s", a.status, a.body)
	}
	// Whoever is found nothing for does not get what was kept for others.
	if a := as(t, s, "", http.MethodGet, "/api/v1/query?measures=revenue&by=client", "", "If-None-Match", mine); a.status != http.StatusUnauthorized {
		t.Errorf("signed out: %d %s", a.status, a.body)
	}
	if a := as(t, s, "acme/anna", http.MethodGet, "/api/v1/query?measures=revenue", "", "X-Forwarded-Host", "attacker.example", "X-Original-URL", "/evil"); strings.Contains(a.body, "attacker") || strings.Contains(a.body, "evil") {
		t.Errorf("a header is in the answer: %s", a.body)
	}
}

func TestWhatIsOfAnotherTenantIsAsIfItWereNot(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, withAccounts)
	id := regexp.MustCompile(`"id":"?([^",]+)"?`)
	made := func(a answer) string {
		m := id.FindStringSubmatch(a.body)
		if a.status >= 300 || m == nil {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return m[1]
	}
	board := made(as(t, s, "acme/anna", http.MethodPost, "/api/v1/dashboards", `{"name":"Mine"}`))
	file := made(as(t, s, "acme/anna", http.MethodPost, "/api/v1/uploads", `{"name":"a.csv","bytes":4}`))
	source := made(as(t, s, "acme/anna", http.MethodPost, "/api/v1/sources", `{"name":"mine","kind":"sftp","settings":{"host":"files.example.com","user":"anna"},"password":"p"}`))
	upload(t, s, map[string]string{"i.csv": invoicesCSV}, "Cookie", cookieOf(t, s, "acme/anna"))
	for _, c := range []struct{ path, there, nowhere string }{
		{"/api/v1/dashboards/", board, "0123456789abcdef"},
		{"/api/v1/uploads/", file, "0123456789abcdef"},
		{"/api/v1/sources/", source, "0123456789abcdef"},
		{"/api/v1/imports/", "1", "999"},
	} {
		if own := as(t, s, "acme/anna", http.MethodGet, c.path+c.there, ""); own.status != http.StatusOK {
			t.Fatalf("%s of its own tenant: %d %s", c.path, own.status, own.body)
		}
		a, b := as(t, s, "bolt/bea", http.MethodGet, c.path+c.there, ""), as(t, s, "bolt/bea", http.MethodGet, c.path+c.nowhere, "")
		if a.status != http.StatusNotFound || a.status != b.status || strings.ReplaceAll(a.body, c.there, "ID") != strings.ReplaceAll(b.body, c.nowhere, "ID") {
			t.Errorf("%s: of another tenant %d %s, nowhere %d %s", c.path, a.status, a.body, b.status, b.body)
		}
	}
}
