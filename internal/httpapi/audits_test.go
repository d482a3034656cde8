package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// recorded serves a record of five entries of two persons.
func recorded(t *testing.T) (get func(path string) answer, post func(path, body string) answer, deps httpapi.Deps) {
	t.Helper()
	s, deps := serveWith(t, func(d *httpapi.Deps, _ *httpapi.Options) {
		own := *d
		box := keyringtest.Box(t, d.DB)
		if err := box.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.Checkpoint = func(ctx context.Context, scope tenant.Scope) (c audit.Checkpoint, err error) {
			err = own.DB.Transact(ctx, func(tx *metadb.Tx) error {
				c, err = own.Audit.Checkpoint(ctx, scope, tx, box)
				return err
			})
			return c, err
		}
	})
	if err := deps.DB.Transact(t.Context(), func(tx *metadb.Tx) error {
		for i := range 5 {
			scope := deps.Scope
			scope.Actor, scope.From = tenant.Actor(fmt.Sprintf("user:%d", i%2)), "10.0.0.7"
			if _, err := deps.Audit.Append(t.Context(), scope, tx, audit.Event{Action: "thing.change", Subject: audit.Subject{Kind: "thing", ID: fmt.Sprint(i)}, Before: "=1", After: i, Reason: "because"}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, body string) answer {
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		return do(t, req)
	}
	return func(path string) answer { return ask(http.MethodGet, path, "") }, func(path, body string) answer {
		method, path, _ := strings.Cut(path, " ")
		return ask(method, path, body)
	}, deps
}

func TestTheAuditRecordIsSearchedByPages(t *testing.T) {
	t.Parallel()
	get, _, _ := recorded(t)
	for query, want := range map[string]string{
		"":                                "[1 2 3 4 5] 0",
		"?limit=2":                        "[1 2] 2",
		"?limit=2&cursor=2":               "[3 4] 4",
		"?order=newest&limit=2":           "[5 4] 4",
		"?order=newest&limit=2&cursor=4":  "[3 2] 2",
		"?actor=user:1":                   "[2 4] 0",
		"?action=thing.&subject_id=3":     "[4] 0",
		"?search=BECAUSE&order=newest":    "[5 4 3 2 1] 0",
		"?source=10.0.0.8":                "[] 0",
		"?from=2020&to=2021":              "[] 0",
		"?from=2020&subject_kind=nothing": "[] 0",
	} {
		a := get("/api/v1/audit" + query)
		var p struct {
			Items []audit.Entry
			Next  int64
		}
		if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != http.StatusOK {
			t.Fatal(query, a, err)
		}
		seqs := []int64{}
		for _, e := range p.Items {
			seqs = append(seqs, e.Seq)
		}
		if got := fmt.Sprint(seqs, p.Next); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	for _, wrong := range []string{"?order=sideways", "?from=yesterday", "?limit=0", "?cursor=-1"} {
		if a := get("/api/v1/audit" + wrong); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %d, want 422", wrong, a.status)
		}
	}
}

func TestTheAuditRecordIsExported(t *testing.T) {
	t.Parallel()
	get, _, _ := recorded(t)
	a := get("/api/v1/audit/export?actor=user:1&order=newest")
	lines := strings.Split(strings.TrimSpace(a.body), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "4,") || !strings.Contains(lines[1], `,because,0,"""=1""",3,`) || !strings.Contains(a.header.Get("Content-Disposition"), ".csv") {
		t.Errorf("got %s\n%v", a.body, a.header)
	}
	a = get("/api/v1/audit/export?format=json")
	var d struct {
		Tenant  string
		Entries []struct {
			Hash       string
			DetailText string `json:"detail_text"`
		}
	}
	if err := json.Unmarshal([]byte(a.body), &d); err != nil || d.Tenant != "default" || len(d.Entries) != 5 || d.Entries[4].DetailText != `{"after":4,"before":"=1"}` {
		t.Errorf("got %s, %v", a.body, err)
	}
}

func TestTheAuditRecordIsSignedAndVerified(t *testing.T) {
	t.Parallel()
	get, ask, deps := recorded(t)
	var before struct{ Key audit.Key }
	if a := get("/api/v1/audit/state"); a.status != 200 || json.Unmarshal([]byte(a.body), &before) != nil || before.Key.Public != "" {
		t.Errorf("before the first checkpoint: got %+v", a)
	}
	signed := ask("POST /api/v1/audit/checkpoints", "")
	var c audit.Checkpoint
	if err := json.Unmarshal([]byte(signed.body), &c); err != nil || signed.status != http.StatusOK || c.Seq != 6 || c.Check() != nil {
		t.Fatal(signed, err)
	}
	file := get(fmt.Sprintf("/api/v1/audit/checkpoints/%d", c.Seq))
	if head, _, err := audit.ParseHead([]byte(file.body), "default"); err != nil || head.Seq != 6 || !strings.Contains(file.header.Get("Content-Disposition"), "-6.json") {
		t.Errorf("the file: got %+v, %v", file, err)
	}
	if a := get("/api/v1/audit/checkpoints/5"); a.status != http.StatusNotFound {
		t.Errorf("a checkpoint that is not there: got %d", a.status)
	}
	var state struct {
		Actors      []string
		Checkpoints []audit.Checkpoint
		Key         audit.Key
	}
	if a := get("/api/v1/audit/state"); json.Unmarshal([]byte(a.body), &state) != nil || len(state.Checkpoints) != 1 || state.Key.Public != c.Key || len(state.Actors) != 3 {
		t.Errorf("got %s", a.body)
	}
	verdict := func(head string) (v struct {
		OK          bool
		Entries     int64
		Checkpoints int
		Faults      []audit.Fault
	}, status int) {
		body, err := json.Marshal(map[string]string{"head": head})
		if err != nil {
			t.Fatal(err)
		}
		a := ask("POST /api/v1/audit/verify", string(body))
		if a.status == http.StatusOK {
			if err := json.Unmarshal([]byte(a.body), &v); err != nil {
				t.Fatal(err)
			}
		}
		return v, a.status
	}
	if v, _ := verdict(file.body); !v.OK || v.Entries != 6 || v.Checkpoints != 2 {
		t.Errorf("got %+v", v)
	}
	if _, status := verdict("nonsense"); status != http.StatusUnprocessableEntity {
		t.Errorf("a file that is no head: got %d, want 422", status)
	}
	if err := deps.DB.Transact(t.Context(), func(tx *metadb.Tx) error {
		for _, s := range []string{"DROP TRIGGER audit_event_update", "UPDATE audit_event SET actor = 'nobody' WHERE seq = 3"} {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if v, _ := verdict(""); v.OK || len(v.Faults) != 1 || v.Faults[0].Seq != 3 {
		t.Errorf("an edited record: got %+v", v)
	}
}

func TestTheRetentionOfTheAuditRecordIsPreviewedAndSet(t *testing.T) {
	t.Parallel()
	get, ask, _ := recorded(t)
	if a := get("/api/v1/audit/retention?days=100"); a.status != 200 || !strings.Contains(a.body, `"due":0`) {
		t.Errorf("got %+v", a)
	}
	if a := ask("PUT /api/v1/audit/retention", `{"days": 30, "read_days": 0}`); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "at least 90 days") {
		t.Errorf("got %+v", a)
	}
	if a := ask("PUT /api/v1/audit/retention", `{"days": 400, "read_days": 90, "reason": "our policy"}`); a.status != 200 {
		t.Errorf("got %+v", a)
	}
	if a := get("/api/v1/audit?action=audit.retention"); !strings.Contains(a.body, `"reason":"our policy"`) || !strings.Contains(a.body, `"days":400`) {
		t.Errorf("got %s", a.body)
	}
}
