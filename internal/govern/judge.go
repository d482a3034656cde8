package govern

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Judge carries out what is decided in the queue of reviews on requests to erase somebody.
type Judge struct{ *Service }

// Fill puts the names into the questions while they are stored, for those who may see
// everything; a proposal keeps none.
func (j Judge) Fill(ctx context.Context, scope tenant.Scope, list []review.Proposal) error {
	if !scope.Rights.Unlimited() {
		return nil
	}
	requests, err := j.Requests(ctx, scope)
	if err != nil {
		return err
	}
	for i, p := range list {
		at := slices.IndexFunc(requests, func(r Request) bool { return r.ID == p.Subject })
		if at < 0 {
			continue
		}
		list[i].Title = fmt.Sprintf("Erase %s? Due on %s", requests[at].Label, requests[at].DueOn)
	}
	return nil
}

// Complete has nothing to add.
func (Judge) Complete(_ review.Proposal, d review.Decision) (review.Decision, error) { return d, nil }

// Decide is Service.Decide for those who may also do so under Governance.
func (j Judge) Decide(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) error {
	if err := scope.Need(access.GovernanceManage); err != nil {
		return err
	}
	_, err := j.Service.Decide(ctx, scope, p.Subject, d.Verdict, d.Reason)
	return err
}

// Undo is a Conflict: an erasure cannot be taken back, and a request that was rejected is
// noted anew.
func (Judge) Undo(context.Context, tenant.Scope, review.Proposal) error {
	return fault.Newf(fault.Conflict, "this cannot be taken back: an erasure is final; note a rejected request anew under Governance")
}

// Preview says in words what the plan counts.
func (j Judge) Preview(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) (review.Effect, error) {
	if err := scope.Need(access.GovernanceManage); err != nil {
		return review.Effect{}, err
	}
	if d.Verdict == Reject {
		return review.Effect{Says: []string{"Nothing is erased. Tell the person why within the time limit."}}, nil
	}
	plan, err := j.Plan(ctx, scope, p.Subject)
	if err != nil {
		return review.Effect{}, err
	}
	e := review.Effect{Says: []string{}}
	if len(plan.Holds) > 0 {
		e.Says = append(e.Says, "It cannot be approved now: "+fault.Message(heldFault(plan.Holds)))
	}
	for _, t := range plan.Tables {
		e.Rows += t.Current
		e.Says = append(e.Says, fmt.Sprintf("%s: names and texts go from %d rows, in %d snapshots.", words(t.Table), t.Rows, t.Snapshots))
	}
	if n := slices.DeleteFunc(slices.Clone(plan.Files), func(f FoundFile) bool { return f.Action != actionDelete }); len(n) > 0 {
		e.Says = append(e.Says, fmt.Sprintf("%d files are deleted.", len(n)))
	}
	for _, n := range plan.Notes {
		e.Says = append(e.Says, strings.TrimSpace(n))
	}
	return e, nil
}
