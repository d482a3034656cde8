package insight_test

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
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// court is a world with a desk over its findings and names.
type court struct {
	*world
	*insight.Judge
	desk *review.Desk
	log  *audit.Log
}

func newCourt(t *testing.T) *court {
	t.Helper()
	x := newWorld(t)
	log := audit.New(clock)
	// Decisions need an order: each look at the clock is a second later.
	var mu sync.Mutex
	at := clock()
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
	queue := review.New(x.db, log, now)
	judge := insight.NewJudge(x.Service, x.db, queue)
	return &court{x, judge, review.NewDesk(queue, insight.Deciders(x.datasets, x.Service, judge, nil), nil), log}
}

func (x *court) ask(t *testing.T, findings []insight.Finding) insight.Questions {
	t.Helper()
	q, err := x.Ask(t.Context(), northwind, findings)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (x *court) open(t *testing.T) []review.Proposal {
	t.Helper()
	list, err := x.desk.Find(t.Context(), northwind, review.Filter{}, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// revenue is each client's.
func (x *court) revenue(t *testing.T) map[string]string {
	t.Helper()
	r, err := x.metrics.Run(t.Context(), northwind, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, row := range r.Rows {
		out[fmt.Sprint(row[0])] = row[1].(quantity.Decimal).String()
	}
	return out
}

// actions counts the audit record's actions.
func (x *court) actions(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	if err := x.db.Read(t.Context(), func(tx *metadb.Tx) error {
		clear(out)
		entries, err := x.log.List(t.Context(), northwind, tx, 0, 1000)
		for _, e := range entries {
			out[e.Action]++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// doubtful are two findings that a person must review and one that nobody must.
func doubtful() []insight.Finding {
	f := func(kind insight.Kind, client string, review bool) insight.Finding {
		return insight.Finding{Kind: kind, Subject: insight.Subject{Dimension: "client", Value: client}, Measure: "gross_margin", RequiresReview: review,
			Identity: string(kind) + " of " + client, Headline: client + " lost money.", MoneyAtStake: quantity.Decimal{}, Snapshot: 3}
	}
	return []insight.Finding{f(insight.MarginDrop, "Acme", true), f(insight.ClientProfitability, "Bolt", true), f(insight.ClientProfitability, "Core", false)}
}

func TestFindingsAreAskedOnceUntilTheyEnd(t *testing.T) {
	t.Parallel()
	x := newCourt(t)
	all := doubtful()
	if q := x.ask(t, all); q.Open != 2 || len(q.New) != 2 {
		t.Fatalf("%+v", q)
	}
	if q := x.ask(t, all); q.Open != 2 || len(q.New) != 0 {
		t.Errorf("a second time: %+v", q)
	}
	open := x.open(t)
	if open[0].Title != "Acme lost money." || open[0].Label != "Margin drop of Acme" || open[0].Client != "Acme" || open[0].Snapshot != 3 {
		t.Errorf("%+v", open[0])
	}
	decide := func(p review.Proposal, verdict string) {
		t.Helper()
		if _, err := x.desk.Decide(t.Context(), northwind, p.ID, review.Decision{Verdict: verdict, Reason: "a fixed fee"}); err != nil {
			t.Fatal(err)
		}
	}
	decide(open[0], insight.VerdictRejected)
	decide(open[1], insight.VerdictAccepted)
	if q := x.ask(t, all); q.Open != 0 {
		t.Errorf("decided ones are asked again: %+v", q)
	}
	judged, err := x.Judged(t.Context(), northwind, all)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, f := range judged {
		order = append(order, f.Subject.Value)
	}
	if diff := cmp.Diff([]string{"Bolt", "Core", "Acme"}, order); diff != "" || !judged[2].Rejected() || judged[2].Standing.Decision.Reason != "a fixed fee" || judged[0].Rejected() {
		t.Errorf("the rejected one is last: %s", diff)
	}
	if q := x.ask(t, all[2:]); !slices.Equal(q.Ended, []string{all[1].Identity, all[0].Identity}) {
		t.Errorf("ended: %+v", q)
	}
	if _, err := x.desk.Undo(t.Context(), northwind, open[1].ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("undone though the finding is gone: %v", err)
	}
	if q := x.ask(t, all); !slices.Equal(q.New, []string{all[1].Identity}) {
		t.Errorf("what holds anew is asked again unless it was rejected: %+v", q)
	}
	if err := x.desk.ResetTopic(t.Context(), northwind, string(insight.MarginDrop)); err != nil {
		t.Fatal(err)
	}
	if q := x.ask(t, all); !slices.Equal(q.New, []string{all[0].Identity}) {
		t.Errorf("after the reset the rejected one is asked again: %+v", q)
	}
	if q := x.ask(t, nil); q.Open != 0 || len(x.open(t)) != 0 {
		t.Errorf("without findings nothing is open: %+v %+v", q, x.open(t))
	}
}

func TestARealFindingWaitsWithItsEvidence(t *testing.T) {
	t.Parallel()
	x := newCourt(t)
	x.text(t, "invoices.csv", bills+"1,Acme,1000,2026-05-10,paid\n2,Acme,1000,2026-06-11,paid\n")
	x.text(t, "time_logs.csv", "staff_name,client_name,hours,rate,billable,date\nKim,Acme,40,60,yes,2026-05-12\nKim,Acme,40,60,yes,2026-06-12\n")
	findings := x.analyze(t)
	i := slices.IndexFunc(findings, func(f insight.Finding) bool { return f.Kind == insight.ClientProfitability && f.RequiresReview })
	if i < 0 {
		t.Fatalf("no client loses money: %+v", findings)
	}
	x.ask(t, findings)
	open := x.open(t)
	at := slices.IndexFunc(open, func(p review.Proposal) bool { return p.Subject == findings[i].Identity })
	if at < 0 || !open[at].Money.Equal(findings[i].MoneyAtStake) || open[at].Money.Sign() <= 0 {
		t.Fatalf("%s is not asked: %+v", findings[i].Identity, open)
	}
	var kept insight.Finding
	if err := json.Unmarshal(open[at].Evidence, &kept); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(said(t, findings[i]), said(t, kept)); diff != "" {
		t.Errorf("the evidence is not the finding: %s", diff)
	}
	if kept.Snapshot == 0 || open[at].Snapshot != int64(kept.Snapshot) {
		t.Errorf("snapshot %d, of the evidence %d", open[at].Snapshot, kept.Snapshot)
	}
}

// said is a finding as JSON.
func said(t *testing.T, f insight.Finding) string {
	t.Helper()
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestADecisionOnANameMovesFiguresAndUndoBringsThemBack(t *testing.T) {
	t.Parallel()
	x := newCourt(t)
	x.text(t, "clients.csv", "client_name,industry,status\nRiverside Dental (Leeds),Dental,active\nNorthgate Legal,Legal,active\n")
	x.text(t, "invoices.csv", bills+"1,Riverside Dental (Leeds),1000,2026-05-10,paid\n2,Riverside Dental,250.50,2026-05-11,paid\n3,Northgate Legal,70,2026-05-12,paid\n")
	if err := x.Value(t.Context(), northwind); err != nil {
		t.Fatal(err)
	}
	open := x.open(t)
	if len(open) != 1 || open[0].Kind != "client_match" || open[0].Title != "Is Riverside Dental the same as Riverside Dental (Leeds)?" || open[0].Money.String() != "250.5" {
		t.Fatalf("%+v", open)
	}
	id := open[0].ID
	before := x.revenue(t)
	effect, err := x.desk.Preview(t.Context(), northwind, id, review.Decision{Verdict: dataset.VerdictSame})
	if err != nil || len(effect.Moves) != 1 || effect.Moves[0].From.String() != "1000" || effect.Moves[0].To.String() != "1250.5" || effect.Rows != 1 {
		t.Errorf("preview: %+v, %v", effect, err)
	}
	if diff := cmp.Diff(before, x.revenue(t)); diff != "" {
		t.Errorf("a preview changes figures: %s", diff)
	}
	if e, err := x.desk.Preview(t.Context(), northwind, id, review.Decision{Verdict: dataset.VerdictDifferent}); err != nil || len(e.Moves) != 0 || !strings.HasPrefix(e.Says[0], "No figure changes") {
		t.Errorf("preview of different: %+v, %v", e, err)
	}
	// Two decide at once: one wins, the other reads who, and there is one record of it.
	scopes := []tenant.Scope{{Tenant: northwind.Tenant, Actor: "user:1"}, {Tenant: northwind.Tenant, Actor: "user:2"}}
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, scope := range scopes {
		wg.Go(func() {
			_, errs[i] = x.desk.Decide(context.WithoutCancel(t.Context()), scope, id, review.Decision{Verdict: dataset.VerdictSame})
		})
	}
	wg.Wait()
	won := slices.IndexFunc(errs, func(err error) bool { return err == nil })
	if won < 0 || fault.KindOf(errs[1-won]) != fault.Conflict || !strings.Contains(fault.Message(errs[1-won]), string(scopes[won].Actor)) {
		t.Fatalf("got %v", errs)
	}
	if n := x.actions(t)["review.decide"]; n != 1 {
		t.Errorf("%d decisions on the record, want 1", n)
	}
	if got := x.revenue(t); got["Riverside Dental (Leeds)"] != "1250.5" || got["Riverside Dental"] != "" {
		t.Errorf("after the decision: %v", got)
	}
	if _, err := x.desk.Undo(t.Context(), northwind, id); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, x.revenue(t)); diff != "" {
		t.Errorf("undo does not restore the figures: %s", diff)
	}
	if n := x.actions(t)["review.reopen"]; n != 1 {
		t.Errorf("%d undone on the record, want 1", n)
	}
}

func TestAFirstOfTwoDecisionsChangesNoFigure(t *testing.T) {
	t.Parallel()
	x := newCourt(t)
	if _, err := x.desk.SetTerms(t.Context(), northwind, "client_match", review.Terms{DueDays: 7, FourEyes: true}); err != nil {
		t.Fatal(err)
	}
	x.text(t, "clients.csv", "client_name,industry,status\nRiverside Dental (Leeds),Dental,active\n")
	x.text(t, "invoices.csv", bills+"1,Riverside Dental (Leeds),1000,2026-05-10,paid\n2,Riverside Dental,250.50,2026-05-11,paid\n")
	open := x.open(t)
	if len(open) != 1 || !open[0].FourEyes {
		t.Fatalf("%+v", open)
	}
	before := x.revenue(t)
	one, two := tenant.Scope{Tenant: northwind.Tenant, Actor: "user:1"}, tenant.Scope{Tenant: northwind.Tenant, Actor: "user:2"}
	d := review.Decision{Verdict: dataset.VerdictSame}
	if p, err := x.desk.Decide(t.Context(), one, open[0].ID, d); err != nil || p.Status != review.Open {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := x.desk.Decide(t.Context(), one, open[0].ID, d); fault.KindOf(err) != fault.Conflict {
		t.Errorf("one person twice: %v", err)
	}
	if _, err := x.datasets.DecideMatch(t.Context(), one, open[0].ID, d); fault.KindOf(err) != fault.Conflict {
		t.Errorf("one person, past the desk: %v", err)
	}
	if diff := cmp.Diff(before, x.revenue(t)); diff != "" {
		t.Errorf("one person changes figures: %s", diff)
	}
	if p, err := x.desk.Decide(t.Context(), two, open[0].ID, d); err != nil || p.Status != review.Decided {
		t.Fatalf("%+v, %v", p, err)
	}
	if got := x.revenue(t)["Riverside Dental (Leeds)"]; got != "1250.5" {
		t.Errorf("after the second: %s", got)
	}
}
