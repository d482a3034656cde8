package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// policyQueue puts changes of policies into the queue of reviews: both packages stand on one
// floor, so neither knows the other.
type policyQueue struct{ reviews *review.Queue }

// Propose puts a version into the queue.
func (q policyQueue) Propose(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, subject string, evidence json.RawMessage) error {
	return q.reviews.Propose(ctx, scope, tx, review.Proposal{Kind: review.PolicyChange, Subject: subject, Label: "version " + subject, Evidence: evidence})
}

// Find returns the open proposal of a version, "" when there is none.
func (q policyQueue) Find(ctx context.Context, scope tenant.Scope, subject string) (string, error) {
	return q.reviews.OpenOf(ctx, scope, review.PolicyChange, subject)
}

// Decide closes a proposal with a decision.
func (q policyQueue) Decide(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id, verdict, reason string) error {
	return q.reviews.Decide(ctx, scope, tx, id, review.Decision{Verdict: verdict, Reason: reason}, 0)
}

// policyDecider decides on changes of policies at the desk: access carries it out, and refuses
// whoever proposed the change or may not make it.
type policyDecider struct{ policies *access.Policies }

var _ review.Decider = policyDecider{}

func policyEvidenceOf(p review.Proposal) (access.PolicyEvidence, error) {
	var e access.PolicyEvidence
	if err := json.Unmarshal(p.Evidence, &e); err != nil {
		return e, fmt.Errorf("evidence of proposal %s: %w", p.ID, err)
	}
	return e, nil
}

// Fill asks the question.
func (d policyDecider) Fill(_ context.Context, _ tenant.Scope, list []review.Proposal) error {
	for i, p := range list {
		e, err := policyEvidenceOf(p)
		if err != nil {
			return err
		}
		list[i].Title = fmt.Sprintf("Version %d of the roles and policies", e.Version)
		if e.Reason != "" {
			list[i].Title += ": " + e.Reason
		}
	}
	return nil
}

// Complete returns the decision as it is: the desk has checked it.
func (d policyDecider) Complete(_ review.Proposal, by review.Decision) (review.Decision, error) {
	by.Choice = ""
	return by, nil
}

// Decide approves or rejects the version.
func (d policyDecider) Decide(ctx context.Context, scope tenant.Scope, p review.Proposal, by review.Decision) error {
	version, err := strconv.ParseInt(p.Subject, 10, 64)
	if err != nil {
		return fmt.Errorf("proposal %s: %w", p.ID, err)
	}
	_, err = d.policies.Decide(ctx, scope, version, by.Verdict == "approve", by.Reason)
	return err
}

// Undo is refused: what policies said meanwhile was acted on.
func (d policyDecider) Undo(context.Context, tenant.Scope, review.Proposal) error {
	return fault.Newf(fault.Conflict, "a decision on policies stays: change them back on the page Roles & policies, as a version of its own")
}

// Preview says what every role gains and loses.
func (d policyDecider) Preview(_ context.Context, _ tenant.Scope, p review.Proposal, by review.Decision) (review.Effect, error) {
	e, err := policyEvidenceOf(p)
	if err != nil {
		return review.Effect{}, err
	}
	if by.Verdict == "reject" {
		return review.Effect{Says: []string{"Nothing changes, and the version is kept as rejected."}}, nil
	}
	return review.Effect{Says: e.Says()}, nil
}
