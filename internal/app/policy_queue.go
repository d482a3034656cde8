package app

import (
	"context"
	"encoding/json"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// policyChange is the kind of a proposal to change policies; its subject is the version.
const policyChange = "policy_change"

// policyQueue puts changes of policies into the queue of reviews: both packages stand on one
// floor, so neither knows the other.
type policyQueue struct{ reviews *review.Queue }

// Propose puts a version into the queue.
func (q policyQueue) Propose(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, subject string, evidence json.RawMessage) error {
	return q.reviews.Propose(ctx, scope, tx, review.Proposal{Kind: policyChange, Subject: subject, Evidence: evidence})
}

// Find returns the open proposal of a version, "" when there is none.
func (q policyQueue) Find(ctx context.Context, scope tenant.Scope, subject string) (string, error) {
	const most = 1000
	list, err := q.reviews.List(ctx, scope, review.Open, policyChange, most, 0)
	for _, p := range list {
		if p.Subject == subject {
			return p.ID, err
		}
	}
	return "", err
}

// Decide closes a proposal with a decision.
func (q policyQueue) Decide(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id, verdict, reason string) error {
	return q.reviews.Decide(ctx, scope, tx, id, review.Decision{Verdict: verdict, Reason: reason}, 0)
}
