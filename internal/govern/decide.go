package govern

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// The verdicts on a request to erase somebody.
const (
	Approve = "approve"
	Reject  = "reject"
)

// Decide approves or rejects a request to erase somebody. An approved one is carried out by
// the job that it enqueues, or by a call of Erase.
func (s *Service) Decide(ctx context.Context, scope tenant.Scope, id, verdict, reason string) (Request, error) {
	r, err := s.request(ctx, scope, id)
	if err != nil {
		return r, err
	}
	if r.Kind != Erasure {
		return r, fault.Newf(fault.Conflict, "a request for a copy needs no decision: make the copy, then say that it is done")
	}
	if r.State != Waiting {
		return r, fault.Newf(fault.Conflict, "this request was decided already: it is %s", r.State)
	}
	d := review.Decision{Verdict: verdict, Reason: reason}
	if _, err := s.reviews.Check(ctx, scope, r.Proposal, d); err != nil {
		return r, err
	}
	state, ended, terms := Approved, "", r.terms
	switch verdict {
	case Approve:
		p, err := s.Person(ctx, scope, r.Person)
		if err != nil {
			return r, err
		}
		if err := s.mayErase(ctx, scope, r, p); err != nil {
			return r, err
		}
		if terms, err = spell(r, p); err != nil {
			return r, err
		}
	case Reject:
		state, ended, terms = Rejected, metadb.Now(s.opt.Now()), ""
	default:
		return r, fault.WithFields(fmt.Sprintf("%q is not a verdict", verdict), fault.Field{Path: "verdict", Message: "unknown", Allowed: []string{Approve, Reject}})
	}
	snapshot, err := s.w.Current(ctx, scope)
	if err != nil {
		return r, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("decide_request"), string(scope.Tenant), id, string(state), metadb.Now(s.opt.Now()), string(scope.Actor), ended, metadb.Text(terms))
		if err != nil {
			return fmt.Errorf("request: %w", err)
		}
		if n == 0 {
			return fault.Newf(fault.Conflict, "someone else decided this meanwhile: load it again")
		}
		if err := s.reviews.Decide(ctx, scope, tx, r.Proposal, d, int64(snapshot)); err != nil {
			return err
		}
		if state != Approved || s.jobs == nil {
			return nil
		}
		return s.jobs.Enqueue(ctx, scope, tx, JobErase, map[string]string{"id": id})
	})
	if err != nil {
		return r, err
	}
	return s.Request(ctx, scope, id)
}

// mayErase refuses what a hold or an account forbids. It makes no plan when nothing is held.
func (s *Service) mayErase(ctx context.Context, scope tenant.Scope, r Request, p Person) error {
	held, err := s.Held(ctx, scope)
	if err != nil {
		return err
	}
	if held {
		plan, err := s.Plan(ctx, scope, r.ID)
		if err == nil && len(plan.Holds) > 0 {
			err = heldFault(plan.Holds)
		}
		return err
	}
	return s.opt.Accounts.MayErase(ctx, scope, p.Emails)
}

func heldFault(holds []Hold) error {
	var list []string
	for _, h := range holds {
		list = append(list, fmt.Sprintf("%s (%s, since %s)", h.Label, h.ID, h.At.Format(time.DateOnly)))
	}
	return fault.Newf(fault.Conflict, "a legal hold keeps this person's data: %s; lift the hold first, or reject the request; nothing was changed", strings.Join(list, ", "))
}

// Answered closes a request for a copy.
func (s *Service) Answered(ctx context.Context, scope tenant.Scope, id string) (Request, error) {
	r, err := s.request(ctx, scope, id)
	if err != nil {
		return r, err
	}
	if r.Kind != Access || r.State != Open {
		return r, fault.Newf(fault.Conflict, "only an open request for a copy can be closed so: this one is %s", r.State)
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		if err := s.move(ctx, scope, tx, r, Done, "", "{}"); err != nil {
			return err
		}
		return s.append(ctx, scope, tx, "request.answered", "request", id, 0, nil)
	})
	if err != nil {
		return r, err
	}
	return s.Request(ctx, scope, id)
}

// move takes a request to its next state in the caller's transaction, a Conflict when
// another process did so meanwhile.
func (s *Service) move(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, r Request, to State, terms, outcome string) error {
	ended := ""
	if to == Done {
		ended = metadb.Now(s.opt.Now())
	}
	n, err := tx.Exec(ctx, queries.Get("move_request"), string(scope.Tenant), r.ID, string(r.State), string(to), metadb.Text(terms), outcome, ended)
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if n == 0 {
		return fault.Newf(fault.Conflict, "another process carries this request out: wait for it")
	}
	return nil
}
