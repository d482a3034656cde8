package insight

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// RuleJudge decides on what rules put before people. It is safe for concurrent use.
type RuleJudge struct{ *Watch }

var _ review.Decider = RuleJudge{}

// Fill takes the question from what the rule found.
func (j RuleJudge) Fill(_ context.Context, _ tenant.Scope, list []review.Proposal) error {
	for i, p := range list {
		var e RuleEvidence
		if err := json.Unmarshal(p.Evidence, &e); err != nil {
			return fmt.Errorf("evidence of proposal %s: %w", p.ID, err)
		}
		if len(e.Why) > 0 {
			list[i].Title = e.Why[0] + "."
		}
	}
	return nil
}

// Complete returns the decision as it is: the desk has checked it.
func (j RuleJudge) Complete(_ review.Proposal, d review.Decision) (review.Decision, error) {
	d.Choice = ""
	return d, nil
}

// Decide keeps a decision on a rule's hit.
func (j RuleJudge) Decide(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) error {
	return j.Watch.Decide(ctx, scope, p.ID, d.Verdict, d.Reason)
}

// Undo takes a decision back while the rule goes on to hold.
func (j RuleJudge) Undo(ctx context.Context, scope tenant.Scope, p review.Proposal) error {
	return j.db.Transact(ctx, func(tx *metadb.Tx) error {
		open, err := j.list(ctx, tx, "open_hits", string(scope.Tenant))
		if err != nil {
			return err
		}
		if p.EndedAt != nil || !slices.ContainsFunc(open, func(h Hit) bool { return proposalSubject(h) == p.Subject }) {
			return fault.Newf(fault.Conflict, "the rule does not hold for this any more: there is nothing left to decide")
		}
		return j.reviews.Reopen(ctx, scope, tx, p.ID, p.Snapshot)
	})
}

// Preview says what a decision changes.
func (j RuleJudge) Preview(_ context.Context, _ tenant.Scope, p review.Proposal, d review.Decision) (review.Effect, error) {
	what := "known"
	if d.Verdict == VerdictDismissed {
		what = "of no concern"
	}
	return review.Effect{Says: []string{
		fmt.Sprintf("%s counts as %s; the finding stays in the list while the rule holds.", p.Subject, what),
		"It is asked again when the rule has ceased to hold for it and begins anew.",
	}}, nil
}
