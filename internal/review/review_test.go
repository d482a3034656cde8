package review_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

var (
	acme  = tenant.Scope{Tenant: "acme", Actor: "cli:kim"}
	other = tenant.Scope{Tenant: "other", Actor: "cli:lee"}
)

func TestAProposalIsDecidedOnceAndCanBeReopened(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := t.Context()
		now := time.Date(2026, 6, 30, 9, 0, 0, 0, time.UTC)
		log := audit.New(func() time.Time { return now })
		queue := review.New(db, log, func() time.Time { now = now.Add(time.Second); return now })
		in := func(fn func(tx *metadb.Tx) error) error { return db.Transact(ctx, fn) }
		propose := func(scope tenant.Scope, subject string, weight int64) {
			t.Helper()
			if err := in(func(tx *metadb.Tx) error {
				return queue.Propose(ctx, scope, tx, review.Proposal{Kind: "client_match", Subject: subject, Evidence: json.RawMessage(fmt.Sprintf(`{"n": %d}`, weight)), Weight: weight})
			}); err != nil {
				t.Fatal(err)
			}
		}
		list := func(scope tenant.Scope, status review.Status) string {
			t.Helper()
			list, err := queue.List(ctx, scope, status, "client_match", 10, 0)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, p := range list {
				out = append(out, fmt.Sprintf("%s %s", p.Subject, p.Evidence))
			}
			return strings.Join(out, ", ")
		}
		propose(acme, "light", 1)
		propose(acme, "heavy", 5)
		propose(acme, "light", 7) // newer evidence for the same question
		propose(other, "light", 2)
		if got, want := list(acme, review.Open), `light {"n": 7}, heavy {"n": 5}`; got != want {
			t.Errorf("open: got %s, want %s", got, want)
		}
		all, _ := queue.List(ctx, acme, review.Open, "", 1, 0)
		id := all[0].ID
		decide := func(scope tenant.Scope) error {
			return in(func(tx *metadb.Tx) error {
				return queue.Decide(ctx, scope, tx, id, review.Decision{Verdict: "same", Choice: "Harbor", Reason: "asked them"}, 3)
			})
		}
		if err := decide(other); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another tenant decides: %v", err)
		}
		if err := decide(acme); err != nil {
			t.Fatal(err)
		}
		if err := decide(acme); fault.KindOf(err) != fault.Conflict {
			t.Errorf("decided twice: %v", err)
		}
		p, err := queue.Get(ctx, acme, id)
		if err != nil || p.Decision == nil || p.Decision.By != "cli:kim" || p.Decision.Reason != "asked them" || p.Decision.Choice != "Harbor" {
			t.Errorf("decided: %+v, %v", p, err)
		}
		propose(acme, "light", 9) // the question comes up again
		reopen := func() error {
			return in(func(tx *metadb.Tx) error { return queue.Reopen(ctx, acme, tx, id, 4) })
		}
		if err := reopen(); fault.KindOf(err) != fault.Conflict {
			t.Errorf("reopened beside the same question: %v", err)
		}
		if err := in(func(tx *metadb.Tx) error {
			return queue.Withdraw(ctx, acme, tx, "client_match", []string{"light", "nothing"})
		}); err != nil {
			t.Fatal(err)
		}
		if err := reopen(); err != nil {
			t.Errorf("reopen: %v", err)
		}
		if n, err := queue.Count(ctx, acme); err != nil || n["client_match"] != 2 {
			t.Errorf("count: %v, %v", n, err)
		}
		if _, err := queue.Get(ctx, other, id); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another tenant reads: %v", err)
		}
		if _, err := queue.Check(ctx, acme, id, review.Decision{Reason: strings.Repeat("ä", 2001)}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a long reason: %v", err)
		}
		if r, err := log.Verify(ctx, acme, db); err != nil || len(r.Faults) > 0 {
			t.Errorf("audit chain: %+v, %v", r.Faults, err)
		}
	})
}
