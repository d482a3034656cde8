// Package review is what people decide: a proposal says what the machine is not sure of,
// with its evidence, and a decision what a person made of it.
//
// It owns the queue, who decided what and why, and the audit events of both. It does not
// own what a decision leads to: the package that proposed carries it out, in the
// decision's own transaction.
package review

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
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
)

// Proposal is one thing for a person to decide. There is one open proposal for a kind
// and subject at most.
type Proposal struct {
	ID        string          `json:"id"`
	Kind      string          `json:"kind"`    // "client_match", …
	Subject   string          `json:"subject"` // what it is about, in the words of its kind
	Evidence  json.RawMessage `json:"evidence"`
	Weight    int64           `json:"weight"` // rows that hang on it; the heaviest come first
	ImportID  int64           `json:"import_id"`
	Snapshot  int64           `json:"snapshot"` // on which the evidence was gathered
	Status    Status          `json:"status"`
	CreatedAt time.Time       `json:"created_at"`
	CreatedBy tenant.Actor    `json:"created_by"`
	Decision  *Decision       `json:"decision"` // null while open
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
	db  *metadb.DB
	log *audit.Log
	now func() time.Time
}

// New returns the queue in a control database.
func New(db *metadb.DB, log *audit.Log, now func() time.Time) *Queue {
	return &Queue{db: db, log: log, now: now}
}

// Propose puts a proposal into the queue in the caller's transaction; only what is given
// of Kind, Subject, Evidence, Weight, ImportID and Snapshot counts. An open proposal of the same kind and
// subject takes the new evidence instead, without an audit event.
func (q *Queue) Propose(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, p Proposal) error {
	now := q.now()
	t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
	if err != nil {
		return fmt.Errorf("proposal: %w", err)
	}
	evidence := metadb.Text(string(p.Evidence))
	n, err := tx.Exec(ctx, queries.Get("renew_proposal"), t, p.Kind, p.Subject, evidence, p.Weight, p.ImportID, p.Snapshot)
	if err != nil || n > 0 {
		return err
	}
	p.ID = strings.ToLower(rand.Text()[:12])
	if _, err := tx.Exec(ctx, queries.Get("insert_proposal"), t, p.ID, p.Kind, metadb.Text(p.Subject), evidence, p.Weight, p.ImportID, p.Snapshot, metadb.Now(now), metadb.Text(string(scope.Actor))); err != nil {
		return fmt.Errorf("proposal: %w", err)
	}
	_, err = q.log.Append(ctx, scope, tx, audit.Event{Action: "review.propose", Subject: audit.Subject{Kind: "proposal", ID: p.ID}, Snapshot: p.Snapshot, Detail: map[string]any{"kind": p.Kind, "import_id": p.ImportID}})
	return err
}

// Withdraw closes open proposals of a kind and subjects without a decision.
func (q *Queue) Withdraw(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind string, subjects []string) error {
	for _, s := range subjects {
		if _, err := tx.Exec(ctx, queries.Get("withdraw_proposal"), string(scope.Tenant), kind, s); err != nil {
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
	}
	return nil
}

// Decide closes an open proposal with a decision in the caller's transaction, a Conflict
// when it is not open any more. Snapshot is the one that the decision led to.
func (q *Queue) Decide(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string, d Decision, snapshot int64) error {
	n, err := tx.Exec(ctx, queries.Get("decide_proposal"), string(scope.Tenant), id, d.Verdict, metadb.Text(d.Choice), metadb.Text(d.Reason), metadb.Now(q.now()), metadb.Text(string(scope.Actor)))
	if err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	if n == 0 {
		return fault.Newf(fault.Conflict, "someone else decided this meanwhile: load it again")
	}
	// The reason is a person's free text: the audit keeps that there is one, the queue the text.
	_, err = q.log.Append(ctx, scope, tx, audit.Event{Action: "review.decide", Subject: audit.Subject{Kind: "proposal", ID: id}, Snapshot: snapshot, Detail: map[string]any{"verdict": d.Verdict, "choice": d.Choice, "reason_given": d.Reason != ""}})
	return err
}

// Reopen takes a decision back in the caller's transaction, a Conflict when there is none
// or when the same question is open again.
func (q *Queue) Reopen(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string, snapshot int64) error {
	n, err := tx.Exec(ctx, queries.Get("reopen_proposal"), string(scope.Tenant), id)
	if fault.KindOf(err) == fault.Conflict {
		return fault.Newf(fault.Conflict, "the same question is open again: decide that one")
	}
	if err != nil {
		return fmt.Errorf("reopen: %w", err)
	}
	if n == 0 {
		return fault.Newf(fault.Conflict, "this is not decided: there is nothing to undo")
	}
	_, err = q.log.Append(ctx, scope, tx, audit.Event{Action: "review.reopen", Subject: audit.Subject{Kind: "proposal", ID: id}, Snapshot: snapshot})
	return err
}

// Get returns one proposal, a NotFound fault when the tenant has none of that id.
func (q *Queue) Get(ctx context.Context, scope tenant.Scope, id string) (Proposal, error) {
	if err := scope.Check(); err != nil {
		return Proposal{}, err
	}
	var p Proposal
	err := q.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		p, err = scan(func(dest ...any) error {
			return tx.One(ctx, queries.Get("get_proposal"), []any{string(scope.Tenant), id}, dest...)
		})
		return err
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return p, fault.Newf(fault.NotFound, "there is no proposal %q", id)
	}
	if err != nil {
		return p, fmt.Errorf("proposal %s: %w", id, err)
	}
	return p, nil
}

// List returns a page of a tenant's proposals of a status and, unless "", a kind: the
// heaviest first while open, the last decided first afterwards.
func (q *Queue) List(ctx context.Context, scope tenant.Scope, status Status, kind string, limit int, skip int64) ([]Proposal, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out []Proposal
	err := q.db.Read(ctx, func(tx *metadb.Tx) error {
		out = []Proposal{}
		rows, err := tx.Query(ctx, queries.Get("list_proposals"), string(scope.Tenant), string(status), kind, limit, skip)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p, err := scan(rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("proposals: %w", err)
	}
	return out, nil
}

// Count returns how many proposals are open, by kind.
func (q *Queue) Count(ctx context.Context, scope tenant.Scope) (map[string]int64, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	out := map[string]int64{}
	err := q.db.Read(ctx, func(tx *metadb.Tx) error {
		clear(out)
		rows, err := tx.Query(ctx, queries.Get("count_open"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			var n int64
			if err := rows.Scan(&kind, &n); err != nil {
				return err
			}
			out[kind] = n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("proposals: %w", err)
	}
	return out, nil
}

func scan(scan func(dest ...any) error) (Proposal, error) {
	var p Proposal
	var d Decision
	var evidence, status, created, by, decided, decidedBy string
	if err := scan(&p.ID, &p.Kind, &p.Subject, &evidence, &p.Weight, &p.ImportID, &p.Snapshot, &status, &created, &by, &d.Verdict, &d.Choice, &d.Reason, &decided, &decidedBy); err != nil {
		return p, err
	}
	p.Evidence, p.Status, p.CreatedBy = json.RawMessage(evidence), Status(status), tenant.Actor(by)
	var err error
	if p.CreatedAt, err = metadb.ParseTime(created); err != nil {
		return p, err
	}
	if p.Status != Decided {
		return p, nil
	}
	d.By = tenant.Actor(decidedBy)
	d.At, err = metadb.ParseTime(decided)
	p.Decision = &d
	return p, err
}
