package review

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Decider carries out decisions on proposals of its kinds. Decide and Undo do so in one
// transaction with Queue.Decide and Queue.Reopen.
type Decider interface {
	// Fill puts into proposals what is not kept in them: the question, names of people.
	Fill(ctx context.Context, scope tenant.Scope, list []Proposal) error
	// Complete returns a decision with what goes without saying, or says what is missing.
	Complete(p Proposal, d Decision) (Decision, error)
	Decide(ctx context.Context, scope tenant.Scope, p Proposal, d Decision) error
	Undo(ctx context.Context, scope tenant.Scope, p Proposal) error
	// Preview says what a complete decision would change.
	Preview(ctx context.Context, scope tenant.Scope, p Proposal, d Decision) (Effect, error)
}

// Effect is what a decision would change.
type Effect struct {
	Says  []string `json:"says"`  // in words
	Rows  int64    `json:"rows"`  // stored rows that would count elsewhere
	Moves []Move   `json:"moves"` // figures that would change
}

// Move is a figure before and after a decision.
type Move struct {
	Measure  string            `json:"measure"`
	Label    string            `json:"label"`
	Of       string            `json:"of"` // whose figure it is
	Unit     quantity.Unit     `json:"unit"`
	Currency string            `json:"currency"`
	From     *quantity.Decimal `json:"from"` // null when it is not known …
	To       *quantity.Decimal `json:"to"`
	Reason   string            `json:"reason"` // … and why
}

// Desk is where proposals of all kinds are decided.
type Desk struct {
	*Queue
	deciders map[string]Decider
	people   People
}

// NewDesk returns a desk over a queue; deciders are by the kinds of proposals. People names
// those who work with the queue, nil those who have done so.
func NewDesk(q *Queue, deciders map[string]Decider, people People) *Desk {
	if people == nil {
		people = func(context.Context, tenant.Scope) ([]Person, error) { return nil, nil }
	}
	return &Desk{Queue: q, deciders: deciders, people: people}
}

// Add lets a decider carry out decisions of a kind. It is for whoever builds the desk, before it is used.
func (d *Desk) Add(kind string, decider Decider) { d.deciders[kind] = decider }

// Find is Queue.Find with the proposals filled in.
func (d *Desk) Find(ctx context.Context, scope tenant.Scope, f Filter, limit int, skip int64) ([]Proposal, error) {
	list, err := d.Queue.Find(ctx, scope, f, limit, skip)
	if err != nil {
		return nil, err
	}
	return list, d.fill(ctx, scope, list)
}

// Get is Queue.Get with the proposal filled in.
func (d *Desk) Get(ctx context.Context, scope tenant.Scope, id string) (Proposal, error) {
	p, err := d.Queue.Get(ctx, scope, id)
	if err != nil {
		return p, err
	}
	list := []Proposal{p}
	err = d.fill(ctx, scope, list)
	return list[0], err
}

func (d *Desk) fill(ctx context.Context, scope tenant.Scope, list []Proposal) error {
	at := map[string][]int{}
	for i, p := range list {
		at[p.Kind] = append(at[p.Kind], i)
	}
	for i, p := range list {
		list[i].Title = p.name()
	}
	for kind, of := range at {
		decider, ok := d.deciders[kind]
		if !ok {
			continue
		}
		part := make([]Proposal, len(of))
		for i, n := range of {
			part[i] = list[n]
		}
		if err := decider.Fill(ctx, scope, part); err != nil {
			return err
		}
		for i, n := range of {
			list[n] = part[i]
		}
	}
	return nil
}

// complete returns an open proposal and a decision on it that can be carried out.
func (d *Desk) complete(ctx context.Context, scope tenant.Scope, id string, by Decision) (Proposal, Decision, Decider, error) {
	by.Reason = strings.TrimSpace(by.Reason)
	p, err := d.Check(ctx, scope, id, by)
	if err != nil {
		return p, by, nil, err
	}
	decider, ok := d.deciders[p.Kind]
	k, known := kindOf(p.Kind)
	if !ok || !known {
		return p, by, nil, fault.Newf(fault.Conflict, "questions of kind %q cannot be decided here: decide it in the app, under Review", p.Kind)
	}
	if _, err := k.verdict(by); err != nil {
		return p, by, nil, err
	}
	by, err = decider.Complete(p, by)
	return p, by, decider, err
}

// Decide carries a decision out and returns the proposal as it is then. When two people must
// decide, the first decision waits as First and changes nothing else.
func (d *Desk) Decide(ctx context.Context, scope tenant.Scope, id string, by Decision) (Proposal, error) {
	p, by, decider, err := d.complete(ctx, scope, id, by)
	if err != nil {
		return p, err
	}
	if p.FourEyes && !p.seconds(scope.Actor, by) {
		if err := d.first(ctx, scope, id, by); err != nil {
			return p, err
		}
		return d.Get(ctx, scope, id)
	}
	if err := decider.Decide(ctx, scope, p, by); err != nil {
		return p, err
	}
	return d.Get(ctx, scope, id)
}

// owner stands for everybody who acts as the machine's owner, at the command line or in a
// program without accounts: they may be one person.
const owner tenant.Actor = "owner"

func personOf(a tenant.Actor) tenant.Actor {
	if strings.HasPrefix(string(a), "user:") {
		return a
	}
	return owner
}

// seconds reports whether who is another person than the one who decided first, and
// decides the same.
func (p Proposal) seconds(who tenant.Actor, d Decision) bool {
	return p.First != nil && personOf(p.First.By) != personOf(who) && p.First.Verdict == d.Verdict && p.First.Choice == d.Choice
}

// first keeps the first of two decisions, and tells people that a second one is wanted. One
// that another person does not agree with gives way to that person's.
func (d *Desk) first(ctx context.Context, scope tenant.Scope, id string, by Decision) error {
	return d.db.Transact(ctx, func(tx *metadb.Tx) error {
		p, err := d.get(ctx, scope, tx, id)
		if err != nil {
			return err
		}
		if err := p.open(); err != nil {
			return err
		}
		action := "review.first"
		switch {
		case p.First == nil:
		case p.seconds(scope.Actor, by):
			return fault.Newf(fault.Conflict, "%s decided the same just now: decide again to confirm it", p.First.By)
		case personOf(p.First.By) != personOf(scope.Actor):
			action = "review.disagree"
			if err := d.notices.Send(ctx, scope, tx, notice.Notice{Kind: notice.SecondWanted, Subject: id, To: p.First.By, Message: fmt.Sprintf("%s does not agree with your decision: %s", scope.Actor, p.name()), Link: linkTo(id)}); err != nil {
				return err
			}
		case p.First.Verdict == by.Verdict && p.First.Choice == by.Choice:
			return fault.Newf(fault.Conflict, "you decided this first: it waits for a second person who decides the same")
		}
		n, err := tx.Exec(ctx, queries.Get("first_decision"), string(scope.Tenant), id, by.Verdict, metadb.Text(by.Choice), metadb.Text(by.Reason), metadb.Now(d.now()), metadb.Text(string(scope.Actor)))
		if err != nil {
			return fmt.Errorf("first decision: %w", err)
		}
		if n == 0 {
			return d.overtaken(ctx, scope, tx, id)
		}
		if p.First == nil {
			if err := d.notices.Send(ctx, scope, tx, notice.Notice{Kind: notice.SecondWanted, Subject: id, Message: "A second decision is wanted: " + p.name(), Link: linkTo(id), Needs: needsDecide}); err != nil {
				return err
			}
		}
		_, err = d.log.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: "proposal", ID: id}, Snapshot: p.Snapshot, Detail: map[string]any{"verdict": by.Verdict, "choice": by.Choice, "reason_given": by.Reason != ""}})
		return err
	})
}

// Preview says what a decision would change, without making it.
func (d *Desk) Preview(ctx context.Context, scope tenant.Scope, id string, by Decision) (Effect, error) {
	if by.Reason == "" {
		by.Reason = "…" // it is asked for when deciding
	}
	p, by, decider, err := d.complete(ctx, scope, id, by)
	if err != nil {
		return Effect{}, err
	}
	e, err := decider.Preview(ctx, scope, p, by)
	if err != nil {
		return e, err
	}
	if p.FourEyes && !p.seconds(scope.Actor, by) {
		e.Says = append([]string{"Two people must decide this: yours waits as the first of two, and nothing changes before."}, e.Says...)
	}
	if e.Moves == nil {
		e.Moves = []Move{}
	}
	return e, nil
}

// Undo takes a decision back and returns the proposal as it is then.
func (d *Desk) Undo(ctx context.Context, scope tenant.Scope, id string) (Proposal, error) {
	p, err := d.Queue.Get(ctx, scope, id)
	if err != nil {
		return p, err
	}
	if err := d.undoable(p); err != nil {
		return p, err
	}
	decider, ok := d.deciders[p.Kind]
	if !ok {
		return p, fault.Newf(fault.Conflict, "decisions of kind %q cannot be taken back here", p.Kind)
	}
	if err := decider.Undo(ctx, scope, p); err != nil {
		return p, err
	}
	return d.Get(ctx, scope, id)
}

// Result is what became of one decision of several.
type Result struct {
	ID      string `json:"id"`
	Status  string `json:"status"` // "decided", "waits" for a second person, or "failed"
	Message string `json:"message"`
}

// mostAtOnce is how many proposals one call may decide.
const mostAtOnce = 200

// DecideAll carries the same decision out on several proposals, each by itself: one that
// fails keeps no other from being decided.
func (d *Desk) DecideAll(ctx context.Context, scope tenant.Scope, ids []string, by Decision) ([]Result, error) {
	if len(ids) == 0 || len(ids) > mostAtOnce {
		return nil, fault.WithFields(fmt.Sprintf("name 1 to %d proposals", mostAtOnce), fault.Field{Path: "ids", Message: fmt.Sprintf("there are %d", len(ids))})
	}
	out := make([]Result, len(ids))
	for i, id := range ids {
		p, err := d.Decide(ctx, scope, id, by)
		switch {
		case ctx.Err() != nil:
			return out[:i], ctx.Err()
		case err != nil:
			out[i] = Result{id, "failed", fault.Message(err)}
		case p.Status == Open:
			out[i] = Result{id, "waits", "waits for a second person"}
		default:
			out[i] = Result{id, "decided", p.Decision.Verdict}
		}
	}
	return out, nil
}

// short cuts a text for a notice.
func short(s string, runes int) string {
	if utf8.RuneCountInString(s) <= runes {
		return s
	}
	return string([]rune(s)[:runes-1]) + "…"
}
