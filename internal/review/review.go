// Package review is what people decide and say: a proposal says what the machine is not sure
// of, with its evidence, a decision what a person made of it, a comment what people tell each
// other about it.
//
// It owns the queue with its order, terms and assignments, who decided what and why, comments
// and mentions, and the audit events of all of them. It does not own what a decision leads
// to: the package that proposed carries it out, in the decision's own transaction (Decider).
package review

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Status says where a proposal stands.
type Status string

// The statuses.
const (
	Open      Status = "open"
	Decided   Status = "decided"
	Withdrawn Status = "withdrawn" // what it was about is settled or gone
	Expired   Status = "expired"   // nobody decided in time
)

// Proposal is one thing for a person to decide. There is one open proposal for a kind
// and subject at most.
type Proposal struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`    // "client_match", …: see Kinds
	Subject  string          `json:"subject"` // what it is about, in the words of its kind
	Label    string          `json:"label"`   // the same for people, without figures; may be ""
	Title    string          `json:"title"`   // the question, filled in when it is read at the desk
	Evidence json.RawMessage `json:"evidence"`
	// Topic is of what sort it is within its kind, such as the kind of a finding: what is
	// rejected again and again is asked less insistently. "" for none.
	Topic    string           `json:"topic"`
	Client   string           `json:"client"` // the one client that it is about, "" for none or several
	Classes  []tenant.Class   `json:"-"`      // what those must be allowed to see who read it; nil: as its kind says
	Money    quantity.Decimal `json:"money_at_stake"`
	Currency string           `json:"currency"` // of Money, "" when none is named
	Weight   int64            `json:"weight"`   // rows that hang on it
	ImportID int64            `json:"import_id"`
	Snapshot int64            `json:"snapshot"` // on which the evidence was gathered
	Status   Status           `json:"status"`
	Assignee tenant.Actor     `json:"assignee"` // "" for nobody in particular
	Due      quantity.Day     `json:"due"`      // "" for never
	Expires  quantity.Day     `json:"expires"`  // the day on which it is not asked any more, "" for never
	Overdue  bool             `json:"overdue"`
	FourEyes bool             `json:"four_eyes"` // two people must decide the same
	First    *Decision        `json:"first"`     // the first of two decisions, null before
	Quiet    bool             `json:"quiet"`     // its topic was rejected three times in a row
	// EndedAt is when what it was about ceased to hold, null while it does.
	EndedAt   *time.Time   `json:"ended_at"`
	CreatedAt time.Time    `json:"created_at"`
	CreatedBy tenant.Actor `json:"created_by"`
	Decision  *Decision    `json:"decision"` // null while open
}

// Decision is what a person made of a proposal.
type Decision struct {
	Verdict string       `json:"verdict"` // a word of the proposal's kind, such as "same"
	Choice  string       `json:"choice"`  // which of the candidates, when there were several
	Reason  string       `json:"reason"`
	At      time.Time    `json:"at"`
	By      tenant.Actor `json:"by"`
}

// Queue keeps proposals.
type Queue struct {
	db      *metadb.DB
	log     *audit.Log
	now     func() time.Time
	notices *notice.Store
}

// New returns the queue in a control database.
func New(db *metadb.DB, log *audit.Log, now func() time.Time) *Queue {
	return &Queue{db: db, log: log, now: now, notices: notice.New(db, now)}
}

// Propose puts a proposal into the queue in the caller's transaction; only what is given
// of Kind, Subject, Label, Evidence, Topic, Client, Classes, Money, Currency, Weight, ImportID and
// Snapshot counts, the terms are those of its kind. An open proposal of the same kind and
// subject takes the new evidence instead, without an audit event.
func (q *Queue) Propose(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, p Proposal) error {
	now := q.now()
	t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
	if err != nil {
		return fmt.Errorf("proposal: %w", err)
	}
	evidence, client, classes := metadb.Text(string(p.Evidence)), metadb.Text(p.Client), joined(p.Classes)
	n, err := tx.Exec(ctx, queries.Get("renew_proposal"), t, p.Kind, metadb.Text(p.Subject), evidence, p.Weight, p.ImportID, p.Snapshot, p.Money.String(), p.Currency, client, classes)
	if err != nil || n > 0 {
		return err
	}
	due, expires, four, err := q.term(ctx, scope, tx, p.Kind)
	if err != nil {
		return fmt.Errorf("proposal: %w", err)
	}
	p.ID = strings.ToLower(rand.Text()[:12])
	if _, err := tx.Exec(ctx, queries.Get("insert_proposal"), t, p.ID, p.Kind, metadb.Text(p.Subject), evidence, p.Weight, p.ImportID, p.Snapshot, metadb.Now(now), metadb.Text(string(scope.Actor)),
		metadb.Text(p.Label), metadb.Text(p.Topic), client, classes, p.Money.String(), p.Currency, due.String(), expires.String(), flag(four)); err != nil {
		return fmt.Errorf("proposal: %w", err)
	}
	if asked(p.Kind) {
		if err := q.notices.Send(ctx, scope, tx, notice.Notice{Kind: notice.SecondWanted, Subject: p.ID, Message: "A second person is wanted: " + p.name(), Link: linkTo(p.ID), Needs: needsDecide}); err != nil {
			return err
		}
	}
	_, err = q.log.Append(ctx, scope, tx, audit.Event{Action: "review.propose", Subject: audit.Subject{Kind: "proposal", ID: p.ID}, Snapshot: p.Snapshot, Detail: map[string]any{"kind": p.Kind, "import_id": p.ImportID}})
	return err
}

// term is until when a question of a kind that comes up now may wait, and whether two people
// must decide it.
func (q *Queue) term(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind string) (due, expires quantity.Day, four bool, err error) {
	of, err := terms(ctx, tx, string(scope.Tenant), kind)
	if of.DueDays > 0 {
		due = q.today().AddDays(of.DueDays)
	}
	if of.ExpireDays > 0 {
		expires = q.today().AddDays(of.ExpireDays)
	}
	k, _ := kindOf(kind)
	return due, expires, of.FourEyes && !k.Held, err // who asked for a held change is the first
}

func (q *Queue) today() quantity.Day { return quantity.DayOf(q.now().UTC()) }

// noClasses stands for a proposal that everybody may read, "" for what its kind says.
const noClasses = "none"

func joined(classes []tenant.Class) string {
	if classes != nil && len(classes) == 0 {
		return noClasses
	}
	out := make([]string, len(classes))
	for i, c := range classes {
		out[i] = string(c)
	}
	return strings.Join(out, ",")
}

// Withdraw closes open proposals of a kind and subjects without a decision.
func (q *Queue) Withdraw(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind string, subjects []string) error {
	for _, s := range subjects {
		if _, err := tx.Exec(ctx, queries.Get("withdraw_proposal"), string(scope.Tenant), kind, metadb.Text(s)); err != nil {
			return fmt.Errorf("withdraw proposal: %w", err)
		}
	}
	return nil
}

// WithdrawImport closes the open proposals of an import without a decision.
func (q *Queue) WithdrawImport(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, importID int64) error {
	if _, err := tx.Exec(ctx, queries.Get("withdraw_import"), string(scope.Tenant), importID); err != nil {
		return fmt.Errorf("withdraw proposals: %w", err)
	}
	return nil
}

// maxReason is the longest reason, in characters.
const maxReason = 2000

// Check returns the open proposal of that id and refuses a decision on it that could not be kept.
func (q *Queue) Check(ctx context.Context, scope tenant.Scope, id string, d Decision) (Proposal, error) {
	if utf8.RuneCountInString(d.Reason) > maxReason {
		return Proposal{}, fault.WithFields("the reason is too long", fault.Field{Path: "reason", Message: fmt.Sprintf("at most %d characters", maxReason)})
	}
	p, err := q.Get(ctx, scope, id)
	if err != nil {
		return p, err
	}
	return p, p.open()
}

func (p Proposal) open() error {
	switch p.Status {
	case Decided:
		return fault.Newf(fault.Conflict, "%s decided this already (%s): undo that decision first", p.Decision.By, p.Decision.Verdict)
	case Withdrawn:
		return fault.Newf(fault.Conflict, "this is settled: there is nothing left to decide")
	case Expired:
		return fault.Newf(fault.Conflict, "nobody decided this in time: it is not asked any more")
	}
	return nil
}

// Decide closes an open proposal with a decision in the caller's transaction: a Conflict
// that says who decided when it is not open any more, or when two people must decide the
// same and nobody else has (see First). Snapshot is the one that the decision led to.
func (q *Queue) Decide(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string, d Decision, snapshot int64) error {
	p, err := q.get(ctx, scope, tx, id)
	if err != nil {
		return err
	}
	if err := p.open(); err != nil {
		return err
	}
	first := tenant.Actor("")
	// The reason is a person's free text: the audit keeps that there is one, the queue the text.
	detail := map[string]any{"verdict": d.Verdict, "choice": d.Choice, "reason_given": d.Reason != ""}
	if p.FourEyes {
		if !p.seconds(scope.Actor, d) {
			return fault.Newf(fault.Conflict, "two people must decide this: decide it under review, where the first decision waits for the second")
		}
		first = p.First.By
		detail["first_by"] = first
	}
	n, err := tx.Exec(ctx, queries.Get("decide_proposal"), string(scope.Tenant), id, d.Verdict, metadb.Text(d.Choice), metadb.Text(d.Reason), metadb.Now(q.now()), metadb.Text(string(scope.Actor)), string(first))
	if err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	if n == 0 {
		return q.overtaken(ctx, scope, tx, id)
	}
	if err := q.notices.Withdraw(ctx, scope, tx, notice.SecondWanted, id); err != nil {
		return err
	}
	if asked(p.Kind) && p.CreatedBy != scope.Actor {
		if err := q.notices.Send(ctx, scope, tx, notice.Notice{Kind: notice.Answered, Subject: id, To: p.CreatedBy, Message: answered(p, d), Link: linkTo(id)}); err != nil {
			return err
		}
	}
	_, err = q.log.Append(ctx, scope, tx, audit.Event{Action: "review.decide", Subject: audit.Subject{Kind: "proposal", ID: id}, Snapshot: snapshot, Detail: detail})
	return err
}

// overtaken says who closed a proposal between reading it and deciding it. On PostgreSQL the
// update waited for their transaction, so what they wrote can be read now.
func (q *Queue) overtaken(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string) error {
	p, err := q.get(ctx, scope, tx, id)
	if err != nil {
		return err
	}
	if err := p.open(); err != nil {
		return err
	}
	return fault.Newf(fault.Conflict, "someone else decided this meanwhile: load it again")
}

// asked reports whether proposals of a kind are what a person asks another for.
func asked(kind string) bool {
	k, _ := kindOf(kind)
	return k.Held || kind == PolicyChange
}

// answered tells who asked what became of it.
func answered(p Proposal, d Decision) string {
	k, _ := kindOf(p.Kind)
	done := d.Verdict
	if v, err := k.verdict(d); err == nil {
		done = v.Done
	}
	text := fmt.Sprintf("Your change was %s: %s", done, p.name())
	if d.Reason != "" {
		text += " (" + short(d.Reason, 200) + ")"
	}
	return text
}

// undoDays is for how many days a decision can be taken back.
const undoDays = 30

// Reopen takes a decision back in the caller's transaction, a Conflict when there is none,
// when it is too old, or when the same question came up again since.
func (q *Queue) Reopen(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string, snapshot int64) error {
	p, err := q.get(ctx, scope, tx, id)
	if err != nil {
		return err
	}
	if err := q.undoable(p); err != nil {
		return err
	}
	var later int64
	if err := tx.One(ctx, queries.Get("count_later"), []any{string(scope.Tenant), p.Kind, metadb.Text(p.Subject), metadb.Now(p.CreatedAt)}, &later); err != nil {
		return err
	}
	if later > 0 {
		return fault.Newf(fault.Conflict, "the same question came up again since: decide or undo that one")
	}
	due, expires, _, err := q.term(ctx, scope, tx, p.Kind)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, queries.Get("reopen_proposal"), string(scope.Tenant), id, due.String(), expires.String())
	if fault.KindOf(err) == fault.Conflict {
		return fault.Newf(fault.Conflict, "the same question came up again since: decide or undo that one")
	}
	if err != nil {
		return fmt.Errorf("reopen: %w", err)
	}
	if n == 0 {
		return fault.Newf(fault.Conflict, "someone else took this back meanwhile: load it again")
	}
	_, err = q.log.Append(ctx, scope, tx, audit.Event{Action: "review.reopen", Subject: audit.Subject{Kind: "proposal", ID: id}, Snapshot: snapshot, Detail: map[string]any{"verdict": p.Decision.Verdict, "decided_by": p.Decision.By}})
	return err
}

func (q *Queue) undoable(p Proposal) error {
	if p.Status != Decided {
		return fault.Newf(fault.Conflict, "this is not decided: there is nothing to undo")
	}
	if p.Decision.At.Before(q.now().AddDate(0, 0, -undoDays)) {
		return fault.Newf(fault.Conflict, "this was decided on %s: after %d days a decision stays; what it led to can still be changed where it shows", p.Decision.At.Format(time.DateOnly), undoDays)
	}
	return nil
}

// Get returns one proposal, a NotFound fault when the tenant has none of that id that the
// actor may see.
func (q *Queue) Get(ctx context.Context, scope tenant.Scope, id string) (Proposal, error) {
	if err := scope.Check(); err != nil {
		return Proposal{}, err
	}
	var p Proposal
	err := q.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		p, err = q.get(ctx, scope, tx, id)
		return err
	})
	return p, err
}

func (q *Queue) get(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string) (Proposal, error) {
	p, err := q.scan(func(dest ...any) error {
		return tx.One(ctx, queries.Get("get_proposal"), []any{string(scope.Tenant), metadb.Text(id)}, dest...)
	})
	if errors.Is(err, metadb.ErrNoRow) || err == nil && !p.visible(scope.Rights) {
		return Proposal{}, fault.Newf(fault.NotFound, "there is no proposal %q", id)
	}
	if err != nil {
		return p, fmt.Errorf("proposal %s: %w", id, err)
	}
	return p, nil
}

// visible reports whether those rights see all that a proposal shows: its client's rows,
// and every class of figures in it.
func (p Proposal) visible(r *tenant.Rights) bool {
	if r == nil {
		return true
	}
	k, _ := kindOf(p.Kind)
	if k.needs != "" { // not about figures
		return r.May(k.needs) && (k.Name != AppliedFixes || r.Unlimited()) // fixes show stored values, as imports do
	}
	if r.Teams != nil || r.Clients != nil && (p.Client == "" || !slices.Contains(r.Clients, p.Client)) {
		return false
	}
	classes := p.Classes
	if classes == nil {
		classes = k.sees
	}
	return !slices.ContainsFunc(classes, func(c tenant.Class) bool { return !r.Sees(c) })
}

func (q *Queue) scan(scan func(dest ...any) error) (Proposal, error) {
	var p Proposal
	var d, first Decision
	var evidence, status, created, by, decided, decidedBy, classes, money, assignee, due, expires, ended, firstAt, firstBy string
	var four int64
	if err := scan(&p.ID, &p.Kind, &p.Subject, &evidence, &p.Weight, &p.ImportID, &p.Snapshot, &status, &created, &by, &d.Verdict, &d.Choice, &d.Reason, &decided, &decidedBy,
		&p.Label, &p.Topic, &p.Client, &classes, &money, &p.Currency, &assignee, &due, &expires, &four, &ended, &first.Verdict, &first.Choice, &first.Reason, &firstAt, &firstBy); err != nil {
		return p, err
	}
	p.Evidence, p.Status, p.CreatedBy, p.Assignee, p.FourEyes = json.RawMessage(evidence), Status(status), tenant.Actor(by), tenant.Actor(assignee), four > 0
	switch classes {
	case "":
	case noClasses:
		p.Classes = []tenant.Class{}
	default:
		for _, c := range strings.Split(classes, ",") {
			p.Classes = append(p.Classes, tenant.Class(c))
		}
	}
	var err error
	if p.Money, err = quantity.ParseDecimal(money); err != nil {
		return p, err
	}
	for _, x := range []struct {
		text string
		to   *quantity.Day
	}{{due, &p.Due}, {expires, &p.Expires}} {
		if x.text != "" {
			if *x.to, err = quantity.ParseDay(x.text); err != nil {
				return p, err
			}
		}
	}
	p.Overdue = p.Status == Open && !p.Due.IsZero() && p.Due.Before(q.today())
	if p.CreatedAt, err = metadb.ParseTime(created); err != nil {
		return p, err
	}
	if ended != "" {
		at, err := metadb.ParseTime(ended)
		if err != nil {
			return p, err
		}
		p.EndedAt = &at
	}
	if firstBy != "" {
		first.By = tenant.Actor(firstBy)
		if first.At, err = metadb.ParseTime(firstAt); err != nil {
			return p, err
		}
		p.First = &first
	}
	if p.Status != Decided {
		return p, nil
	}
	d.By = tenant.Actor(decidedBy)
	d.At, err = metadb.ParseTime(decided)
	p.Decision = &d
	return p, err
}
