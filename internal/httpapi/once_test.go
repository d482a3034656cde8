package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
)

func TestEveryStatementPreparesOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, httpapi.Queries)
}

func TestAKeyIsDoneOnceAlsoAcrossARestart(t *testing.T) {
	t.Parallel()
	s, deps := serveWith(t, withAccounts)
	post := func(s *httptest.Server, who, body, key string) answer {
		return as(t, s, who, http.MethodPost, "/api/v1/dashboards", body, "Idempotency-Key", key)
	}
	const body = `{"name":"Once"}`
	first := post(s, "acme/anna", body, "k-1")
	if first.status != http.StatusCreated || first.header.Get("Idempotent-Replayed") != "" {
		t.Fatalf("%d %s", first.status, first.body)
	}
	same := func(name string, a answer) {
		t.Helper()
		if a.status != first.status || a.body != first.body || a.header.Get("Idempotent-Replayed") != "true" || a.header.Get("Content-Type") != first.header.Get("Content-Type") {
			t.Errorf("%s: %d %v %s, want %s", name, a.status, a.header, a.body, first.body)
		}
	}
	same("again", post(s, "acme/anna", body, "k-1"))
	restarted := httptest.NewServer(httpapi.New(deps, httpapi.Options{}))
	defer restarted.Close()
	known, _ := peopleOf.Load(s)
	peopleOf.Store(restarted, known)
	same("after a restart", post(restarted, "acme/anna", body, "k-1"))

	for name, a := range map[string]answer{"another body": post(s, "acme/anna", `{"name":"Other"}`, "k-1"), "a query": as(t, s, "acme/anna", http.MethodPost, "/api/v1/dashboards?x=1", body, "Idempotency-Key", "k-1")} {
		if a.status != http.StatusUnprocessableEntity || a.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for name, a := range map[string]answer{"another actor": post(s, "acme/bob", body, "k-1"), "another tenant": post(s, "bolt/anna", body, "k-1"), "another key": post(s, "acme/anna", body, "k-2"),
		"another route": as(t, s, "acme/anna", http.MethodPost, "/api/v1/feedback", `{"comment":"x"}`, "Idempotency-Key", "k-1")} {
		if a.status != http.StatusCreated || a.body == first.body || a.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	// What only reads is not kept: answers would fill the disk, and may be asked for again.
	for path, body := range map[string]string{"/api/v1/query": `{"measures":["revenue"]}`, "/api/v1/operations": `{"operations":[{"method":"GET","path":"/api/v1/dashboards"}]}`} {
		for range 2 {
			if a := as(t, s, "acme/anna", http.MethodPost, path, body, "Idempotency-Key", "k-3"); a.header.Get("Idempotent-Replayed") != "" {
				t.Errorf("%s is kept: %d %s", path, a.status, a.body)
			}
		}
	}
	for _, key := range []string{strings.Repeat("x", 201), "é"} {
		if a := post(s, "acme/anna", body, key); a.status != http.StatusUnprocessableEntity {
			t.Errorf("key %q: %d", key, a.status)
		}
	}
	// What was refused has changed nothing and may be sent again, corrected.
	if a := post(s, "acme/anna", `{"name":""}`, "k-3"); a.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := post(s, "acme/anna", body, "k-3"); a.status != http.StatusCreated {
		t.Errorf("after a refusal: %d %s", a.status, a.body)
	}
	// After a day the key is forgotten.
	err := deps.DB.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE idempotency SET created_at = '2026-01-01T00:00:00.000000Z'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := post(s, "acme/anna", body, "k-1"); a.status != http.StatusCreated || a.body == first.body {
		t.Errorf("after a day: %d %s", a.status, a.body)
	}
}

func TestManyRequestsOfOneKeyAtTheSameTimeDoItOnce(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, withAccounts)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			a := as(t, s, "acme/anna", http.MethodPost, "/api/v1/feedback", `{"comment":"once"}`, "Idempotency-Key", "k")
			if a.status != http.StatusCreated && !(a.status == http.StatusConflict && a.header.Get("Retry-After") == "1") {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	all.Wait()
	if a := as(t, s, "acme/anna", http.MethodGet, "/api/v1/feedback", ""); !strings.Contains(a.body, `"count":1,`) {
		t.Errorf("it was done more than once: %s", a.body)
	}
}

func TestAKeyWhoseHolderIsGoneIsTakenOver(t *testing.T) {
	t.Parallel()
	s, deps := serveWith(t, nil)
	create := func() answer {
		return as(t, s, "", http.MethodPost, "/api/v1/dashboards", `{"name":"Mine"}`, "Idempotency-Key", "k")
	}
	create()
	set := func(until string) {
		t.Helper()
		err := deps.DB.Transact(t.Context(), func(tx *metadb.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE idempotency SET status = 0, runner = 'gone', held_until = $1", until)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	set("2999-01-01T00:00:00.000000Z")
	if a := create(); a.status != http.StatusConflict {
		t.Errorf("while it is held: %d %s", a.status, a.body)
	}
	set("2026-01-01T00:00:00.000000Z")
	if a := create(); a.status != http.StatusCreated || a.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("after its lease: %d %s", a.status, a.body)
	}
}

func TestManyOperationsInOneRequestEachHaveTheirResult(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		withAccounts(d, o)
		o.Limits = httpapi.Limits{Actor: 60}
	})
	type result struct {
		ID         string
		Status     int
		RetryAfter string `json:"retry_after"`
		Body       map[string]any
	}
	send := func(who, ops string, header ...string) []result {
		t.Helper()
		a := as(t, s, who, http.MethodPost, "/api/v1/operations", `{"operations":[`+ops+`]}`, header...)
		if a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return decoded[struct{ Results []result }](t, a).Results
	}
	got := send("acme/anna", `{"method":"GET","path":"/api/v1/dashboards"},
		{"id":"make","method":"POST","path":"/api/v1/dashboards","body":{"name":"Made"},"idempotency_key":"k"},
		{"method":"GET","path":"/api/v1/dashboards?limit=5"},
		{"method":"GET","path":"/api/v1/query?measures=nonsense"},
		{"id":"again","method":"POST","path":"/api/v1/dashboards","body":{"name":"Made"},"idempotency_key":"k"},
		{"method":"GET","path":"/api/v1/nothing"},
		{"method":"POST","path":"/api/v1/operations","body":{"operations":[]}},
		{"method":"POST","path":"/api/v1/imports"},
		{"method":"GET","path":"/api/v1/events"},
		{"method":"GET","path":"/api/v1/uploads/1/file"},
		{"method":"GET","path":"/metrics"},
		{"method":"GET","path":"//attacker.example/api/v1/datasets"},
		{"method":"GET","path":"http://attacker.example/api/v1/datasets"},
		{"method":"GET","path":"/api/v1/%2e%2e/%2e%2e/metrics"},
		{"method":"POST","path":"/api/v1/dashboards","body":{"name":"Made"}}`)
	want := []int{200, 201, 200, 422, 201, 404, 422, 422, 422, 422, 422, 422, 422, 404, 201}
	for i, w := range want {
		if got[i].Status != w {
			t.Errorf("operation %d: %d %v, want %d", i+1, got[i].Status, got[i].Body, w)
		}
	}
	count := func(r result) int { items, _ := r.Body["items"].([]any); return len(items) }
	if count(got[0]) != 0 || count(got[2]) != 1 {
		t.Errorf("a read sees what stands before it: %v, %v", got[0].Body, got[2].Body)
	}
	if got[1].ID != "make" || got[2].ID != "3" || fmt.Sprint(got[4].Body) != fmt.Sprint(got[1].Body) {
		t.Errorf("ids and keys: %+v", got)
	}
	// Rights and limits are each operation's own.
	few := send("bolt/bea/viewer", `{"method":"GET","path":"/api/v1/dashboards"},{"method":"POST","path":"/api/v1/dashboards","body":{"name":"x"}},{"method":"GET","path":"/api/v1/audit"}`)
	if few[0].Status != 200 || few[1].Status != 403 || few[2].Status != 403 {
		t.Errorf("with few rights: %+v", few)
	}
	over := send("bolt/cem", strings.TrimSuffix(strings.Repeat(`{"method":"POST","path":"/api/v1/rules/evaluate"},`, 5), ","))
	if last := over[4]; last.Status != http.StatusTooManyRequests || last.RetryAfter == "" {
		t.Errorf("100 tokens of 60: %+v", over)
	}
	for name, ops := range map[string]string{"none": "", "too many": strings.TrimSuffix(strings.Repeat(`{"method":"GET","path":"/api/v1/datasets"},`, 101), ","), "the same id twice": `{"id":"a","method":"GET","path":"/api/v1/datasets"},{"id":"a","method":"GET","path":"/api/v1/datasets"}`} {
		if a := as(t, s, "acme/dora", http.MethodPost, "/api/v1/operations", `{"operations":[`+ops+`]}`); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}
