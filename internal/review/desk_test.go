package review_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

var (
	kim = tenant.Scope{Tenant: "acme", Actor: "user:1"}
	lee = tenant.Scope{Tenant: "acme", Actor: "user:2"}
)

// keeper carries out decisions by keeping them, as a package that proposes does.
type keeper struct {
	db    *metadb.DB
	queue *review.Queue
}

func (k keeper) Fill(context.Context, tenant.Scope, []review.Proposal) error { return nil }
func (k keeper) Complete(_ review.Proposal, d review.Decision) (review.Decision, error) {
	return d, nil
}
func (k keeper) Decide(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) error {
	return k.db.Transact(ctx, func(tx *metadb.Tx) error { return k.queue.Decide(ctx, scope, tx, p.ID, d, p.Snapshot) })
}
func (k keeper) Undo(ctx context.Context, scope tenant.Scope, p review.Proposal) error {
	return k.db.Transact(ctx, func(tx *metadb.Tx) error { return k.queue.Reopen(ctx, scope, tx, p.ID, p.Snapshot) })
}
func (k keeper) Preview(context.Context, tenant.Scope, review.Proposal, review.Decision) (review.Effect, error) {
	return review.Effect{Says: []string{"It is kept."}}, nil
}

// office is a desk with its notices and a clock that tests move.
type office struct {
	*review.Desk
	db      *metadb.DB
	log     *audit.Log
	notices *notice.Store
	at      time.Time
	mu      sync.Mutex
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = o.at.Add(time.Millisecond)
	return o.at
}

func (o *office) later(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = o.at.Add(d)
}

func newOffice(db *metadb.DB) *office {
	o := &office{db: db, at: time.Date(2026, 6, 30, 9, 0, 0, 0, time.UTC)}
	o.log = audit.New(o.now)
	q := review.New(db, o.log, o.now)
	k := keeper{db, q}
	o.notices = notice.New(db, o.now)
	o.Desk = review.NewDesk(q, map[string]review.Decider{"finding": k, "client_match": k, "rule": k}, func(context.Context, tenant.Scope) ([]review.Person, error) {
		return []review.Person{{Actor: "user:1", Name: "Kim"}, {Actor: "user:2", Name: "Lee Park"}, {Actor: "user:3", Name: "Lee"}}, nil
	})
	return o
}

// propose adds a question and returns its id.
func (o *office) propose(t *testing.T, p review.Proposal) string {
	t.Helper()
	if p.Evidence == nil {
		p.Evidence = json.RawMessage("{}")
	}
	if err := o.db.Transact(t.Context(), func(tx *metadb.Tx) error { return o.Propose(t.Context(), kim, tx, p) }); err != nil {
		t.Fatal(err)
	}
	list, err := o.Find(t.Context(), kim, review.Filter{}, 1000, 0)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(x review.Proposal) bool { return x.Kind == p.Kind && x.Subject == p.Subject })
	if i < 0 {
		t.Fatalf("%s is not in the queue", p.Subject)
	}
	return list[i].ID
}

func (o *office) decide(t *testing.T, scope tenant.Scope, id, verdict, reason string) review.Proposal {
	t.Helper()
	p, err := o.Decide(t.Context(), scope, id, review.Decision{Verdict: verdict, Reason: reason})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// subjects are what is open, in its order.
func (o *office) subjects(t *testing.T, scope tenant.Scope, f review.Filter) string {
	t.Helper()
	list, err := o.Find(t.Context(), scope, f, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.Subject
	}
	return strings.Join(out, " ")
}

// actions are the audit record's, in order.
func (o *office) actions(t *testing.T) []string {
	t.Helper()
	var out []string
	if err := o.db.Read(t.Context(), func(tx *metadb.Tx) error {
		entries, err := o.log.List(t.Context(), kim, tx, 0, 1000)
		out = nil
		for _, e := range entries {
			out = append(out, e.Action+" "+string(e.Actor))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func money(t *testing.T, s string) quantity.Decimal {
	t.Helper()
	d, err := quantity.ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheQueueIsInTheOrderOfWhatIsAtStake(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		o := newOffice(db)
		o.propose(t, review.Proposal{Kind: "client_match", Subject: "light", Weight: 1})
		o.propose(t, review.Proposal{Kind: "client_match", Subject: "heavy", Weight: 9})
		o.propose(t, review.Proposal{Kind: "finding", Subject: "dear", Money: money(t, "10000.5")})
		o.propose(t, review.Proposal{Kind: "finding", Subject: "cheap", Money: money(t, "900")})
		if got := o.subjects(t, kim, review.Filter{}); got != "dear cheap heavy light" {
			t.Errorf("got %s", got)
		}
		o.later(8 * 24 * time.Hour) // names are due after 7 days, findings after 14
		if got := o.subjects(t, kim, review.Filter{}); got != "heavy light dear cheap" {
			t.Errorf("overdue first: got %s", got)
		}
		if got := o.subjects(t, kim, review.Filter{Overdue: true}); got != "heavy light" {
			t.Errorf("only overdue: got %s", got)
		}
		if got := o.subjects(t, kim, review.Filter{Kinds: []string{"finding"}}); got != "dear cheap" {
			t.Errorf("only findings: got %s", got)
		}
	})
}

func TestFourEyesAreThoseOfTwoPeople(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		o := newOffice(db)
		if _, err := o.SetTerms(t.Context(), kim, "finding", review.Terms{DueDays: 3, ExpireDays: 30, FourEyes: true}); err != nil {
			t.Fatal(err)
		}
		id := o.propose(t, review.Proposal{Kind: "finding", Subject: "waste"})
		first := o.decide(t, kim, id, "accepted", "")
		if first.Status != review.Open || first.First == nil || first.First.By != kim.Actor || first.Decision != nil {
			t.Fatalf("after the first: %+v", first)
		}
		if _, err := o.Decide(t.Context(), kim, id, review.Decision{Verdict: "accepted"}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("the same person decides twice: %v", err)
		}
		// Not even the package that carries decisions out can close it for one person.
		for _, scope := range []tenant.Scope{kim, {Tenant: "acme", Actor: "user:2"}} {
			verdict := "accepted"
			if scope.Actor == lee.Actor {
				verdict = "rejected" // another person, but not the same decision
			}
			err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
				return o.Queue.Decide(t.Context(), scope, tx, id, review.Decision{Verdict: verdict}, 0)
			})
			if fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s closes it with %s: %v", scope.Actor, verdict, err)
			}
		}
		if p := o.decide(t, lee, id, "rejected", "it is a spare"); p.Status != review.Open || p.First.By != lee.Actor {
			t.Errorf("who does not agree becomes the first: %+v", p)
		}
		if p := o.decide(t, kim, id, "rejected", "yes, a spare"); p.Status != review.Decided || p.Decision.By != kim.Actor || p.First.By != lee.Actor {
			t.Errorf("the second of two: %+v", p)
		}
		want := []string{"review.terms user:1", "review.propose user:1", "review.first user:1", "review.disagree user:2", "review.decide user:1"}
		if diff := cmp.Diff(want, o.actions(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheOwnerOfTheMachineIsOnePersonInAllWaysIn(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	o := newOffice(db)
	if _, err := o.SetTerms(t.Context(), kim, "finding", review.Terms{FourEyes: true}); err != nil {
		t.Fatal(err)
	}
	id := o.propose(t, review.Proposal{Kind: "finding", Subject: "waste"})
	o.decide(t, tenant.Scope{Tenant: "acme", Actor: "cli:kim"}, id, "accepted", "")
	if _, err := o.Decide(t.Context(), tenant.Scope{Tenant: "acme", Actor: "api"}, id, review.Decision{Verdict: "accepted"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the command line and the program may be one person: %v", err)
	}
}

func TestOfTwoWhoDecideAtOnceOneWinsAndTheOtherReadsWho(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		o := newOffice(db)
		id := o.propose(t, review.Proposal{Kind: "finding", Subject: "waste"})
		scopes := []tenant.Scope{kim, lee}
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, scope := range scopes {
			wg.Go(func() {
				_, errs[i] = o.Decide(t.Context(), scope, id, review.Decision{Verdict: "rejected", Reason: "no"})
			})
		}
		wg.Wait()
		won := slices.IndexFunc(errs, func(err error) bool { return err == nil })
		if won < 0 || errs[1-won] == nil {
			t.Fatalf("got %v", errs)
		}
		if lost := errs[1-won]; fault.KindOf(lost) != fault.Conflict || !strings.Contains(fault.Message(lost), string(scopes[won].Actor)+" decided this already") {
			t.Errorf("the other reads %q", fault.Message(lost))
		}
		decided := 0
		for _, a := range o.actions(t) {
			if strings.HasPrefix(a, "review.decide") {
				decided++
			}
		}
		if decided != 1 {
			t.Errorf("%d decisions on the record, want 1", decided)
		}
	})
}

func TestADecisionCanBeTakenBackForThirtyDays(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		o := newOffice(db)
		early, late := o.propose(t, review.Proposal{Kind: "rule", Subject: "a"}), o.propose(t, review.Proposal{Kind: "rule", Subject: "b"})
		o.decide(t, kim, early, "dismissed", "")
		o.decide(t, kim, late, "dismissed", "")
		o.later(29 * 24 * time.Hour)
		p, err := o.Undo(t.Context(), lee, early)
		if err != nil || p.Status != review.Open || p.Overdue || p.Due.String() != "2026-08-12" {
			t.Errorf("after 29 days: %+v, %v", p, err)
		}
		o.later(2 * 24 * time.Hour)
		if _, err := o.Undo(t.Context(), kim, late); fault.KindOf(err) != fault.Conflict {
			t.Errorf("after 31 days: %v", err)
		}
	})
}

func TestWhatNobodyDecidesIsToldOnceAndThenNotAskedAnyMore(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		o := newOffice(db)
		id := o.propose(t, review.Proposal{Kind: "finding", Subject: "waste", Label: "Waste of Harbor"})
		if _, err := o.Assign(t.Context(), kim, id, "user:9", quantity.Day{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("given to nobody who takes part: %v", err)
		}
		if p, err := o.Assign(t.Context(), kim, id, lee.Actor, quantity.NewDay(2026, 7, 2)); err != nil || p.Assignee != lee.Actor {
			t.Fatalf("%+v, %v", p, err)
		}
		if got := o.subjects(t, lee, review.Filter{Mine: true}) + "|" + o.subjects(t, kim, review.Filter{Mine: true}); got != "waste|" {
			t.Errorf("mine: got %s", got)
		}
		messages := func(scope tenant.Scope) string {
			list, err := o.notices.List(t.Context(), scope, true, 10, 0)
			if err != nil {
				t.Fatal(err)
			}
			out := make([]string, len(list))
			for i, n := range list {
				out[i] = n.Message
			}
			return strings.Join(out, "; ")
		}
		tend := func(expired, escalated int) {
			t.Helper()
			got, err := o.Tend(t.Context(), kim)
			if err != nil || len(got.Expired) != expired || len(got.Escalated) != escalated {
				t.Errorf("got %+v, %v, want %d expired and %d escalated", got, err, expired, escalated)
			}
		}
		tend(0, 0)
		o.later(3 * 24 * time.Hour)
		tend(0, 1)
		tend(0, 0)
		if got, want := messages(lee), "A decision became overdue; Overdue since 2026-07-02: Findings: Waste of Harbor; A decision is yours: Findings: Waste of Harbor"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := messages(kim), "A decision became overdue"; got != want {
			t.Errorf("others: got %s", got)
		}
		o.later(90 * 24 * time.Hour)
		tend(1, 0)
		if p, err := o.Get(t.Context(), kim, id); err != nil || p.Status != review.Expired {
			t.Errorf("got %+v, %v", p, err)
		}
		if _, err := o.Decide(t.Context(), kim, id, review.Decision{Verdict: "accepted"}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("decided after it expired: %v", err)
		}
	})
}

func TestAKindRejectedThreeTimesInARowComesLastUntilItIsReset(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		o := newOffice(db)
		for i := range 3 {
			id := o.propose(t, review.Proposal{Kind: "finding", Subject: fmt.Sprint("drop", i), Topic: "margin_drop", Money: money(t, "5")})
			o.decide(t, kim, id, "rejected", "a known client")
		}
		o.propose(t, review.Proposal{Kind: "finding", Subject: "drop", Topic: "margin_drop", Money: money(t, "5000")})
		o.propose(t, review.Proposal{Kind: "finding", Subject: "waste", Topic: "license_waste", Money: money(t, "50")})
		if got := o.subjects(t, kim, review.Filter{}); got != "waste drop" {
			t.Errorf("got %s", got)
		}
		topics, err := o.Topics(t.Context(), kim)
		if err != nil || len(topics) != 1 || topics[0].Rejected != 3 || !topics[0].Quiet {
			t.Errorf("topics: %+v, %v", topics, err)
		}
		if err := o.ResetTopic(t.Context(), kim, "margin_drop"); err != nil {
			t.Fatal(err)
		}
		if got := o.subjects(t, kim, review.Filter{}); got != "drop waste" {
			t.Errorf("after the reset: got %s", got)
		}
		if err := o.ResetTopic(t.Context(), kim, "no such"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a topic that there is not: %v", err)
		}
	})
}

func TestManyDecisionsHaveOneResultEach(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	o := newOffice(db)
	a, b := o.propose(t, review.Proposal{Kind: "finding", Subject: "a"}), o.propose(t, review.Proposal{Kind: "client_match", Subject: "b"})
	got, err := o.DecideAll(t.Context(), kim, []string{a, "none", b}, review.Decision{Verdict: "accepted"})
	if err != nil {
		t.Fatal(err)
	}
	want := []review.Result{{ID: a, Status: "decided", Message: "accepted"}, {ID: "none", Status: "failed", Message: `there is no proposal "none"`}, {ID: b, Status: "failed", Message: `"accepted" is not a verdict on this`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := o.DecideAll(t.Context(), kim, nil, review.Decision{Verdict: "accepted"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("none named: %v", err)
	}
	if _, err := o.Decide(t.Context(), kim, o.propose(t, review.Proposal{Kind: "finding", Subject: "c"}), review.Decision{Verdict: "rejected", Reason: " "}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("rejected without a reason: %v", err)
	}
}

func TestProposalsAreForThoseWhoMaySeeWhatTheyShow(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	o := newOffice(db)
	o.propose(t, review.Proposal{Kind: "finding", Subject: "margin-of-a", Client: "A", Classes: []tenant.Class{tenant.Margin}})
	o.propose(t, review.Proposal{Kind: "finding", Subject: "trend-of-a", Client: "A", Classes: []tenant.Class{}})
	hidden := o.propose(t, review.Proposal{Kind: "finding", Subject: "margin-of-b", Client: "B", Classes: []tenant.Class{tenant.Margin}})
	o.propose(t, review.Proposal{Kind: "client_match", Subject: "name"})
	actions := []tenant.Action{"reviews.decide", "reviews.read"}
	cases := []struct {
		name   string
		rights tenant.Rights
		want   string
	}{
		{"all clients, no margin", tenant.Rights{Hidden: []tenant.Class{tenant.Margin}, Actions: actions}, "trend-of-a name"},
		{"one client", tenant.Rights{Clients: []string{"A"}, Actions: actions}, "margin-of-a trend-of-a"},
		{"one team", tenant.Rights{Teams: []string{"Desk"}, Actions: actions}, ""},
	}
	for _, c := range cases {
		scope := tenant.Scope{Tenant: "acme", Actor: "user:7", Rights: &c.rights}
		if got := o.subjects(t, scope, review.Filter{}); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if _, err := o.Get(t.Context(), scope, hidden); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s reads what is hidden: %v", c.name, err)
		}
		if _, err := o.Decide(t.Context(), scope, hidden, review.Decision{Verdict: "accepted"}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s decides what is hidden: %v", c.name, err)
		}
	}
}
