package insight

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// FindingReview is the kind of the proposals of findings. Their evidence is the finding as
// it was on the proposal's snapshot.
const FindingReview = "finding"

// The verdicts on a proposal of a finding.
const (
	VerdictAccepted  = "accepted"  // it is so
	VerdictRejected  = "rejected"  // it is not so, or does not matter: it is folded from then on
	VerdictCorrected = "corrected" // it is so but for what the reason says, which stays with it
)

// Judge puts findings before people and keeps what they made of them. It is safe for
// concurrent use.
type Judge struct {
	insights *Service
	db       *metadb.DB
	reviews  *review.Queue
}

// NewJudge returns a judge over s's findings.
func NewJudge(s *Service, db *metadb.DB, reviews *review.Queue) *Judge {
	return &Judge{insights: s, db: db, reviews: reviews}
}

// Questions is what Ask did.
type Questions struct {
	Open  int      `json:"open"`  // findings that wait for a decision
	New   []string `json:"new"`   // identities of those that wait since now
	Ended []string `json:"ended"` // identities of those that do not hold any more
}

// Ask puts those of an analysis' findings into the queue that a person must review, once for
// each identity: again only when it ceased to hold in between, nobody decided in time, or its
// rejection was reset. What is not among the findings any more has ended, and its open
// proposal is withdrawn.
func (j *Judge) Ask(ctx context.Context, scope tenant.Scope, findings []Finding) (Questions, error) {
	out := Questions{New: []string{}, Ended: []string{}}
	topics, err := j.reviews.Topics(ctx, scope)
	if err != nil {
		return out, err
	}
	err = j.db.Transact(ctx, func(tx *metadb.Tx) error {
		out = Questions{New: []string{}, Ended: []string{}}
		last, err := j.reviews.Last(ctx, scope, tx, FindingReview)
		if err != nil {
			return err
		}
		holds := map[string]bool{}
		var settled []string
		for _, f := range findings {
			holds[f.Identity] = true
			was, asked := last[f.Identity]
			if !f.asks() {
				if asked && was.Status == review.Open {
					settled = append(settled, f.Identity)
				}
				continue
			}
			if asked && !again(was, topics) {
				continue
			}
			p, err := f.proposal()
			if err != nil {
				return err
			}
			if err := j.reviews.Propose(ctx, scope, tx, p); err != nil {
				return err
			}
			if out.Open++; !asked || was.Status != review.Open {
				out.New = append(out.New, f.Identity)
			}
		}
		for subject, p := range last {
			if !holds[subject] && p.EndedAt == nil {
				out.Ended = append(out.Ended, subject)
			}
		}
		slices.Sort(out.Ended)
		if err := j.reviews.Withdraw(ctx, scope, tx, FindingReview, settled); err != nil {
			return err
		}
		return j.reviews.End(ctx, scope, tx, FindingReview, out.Ended)
	})
	if err != nil {
		return out, fmt.Errorf("findings for review: %w", err)
	}
	return out, nil
}

// asks reports whether a person must decide on the finding. What a rule puts before people
// is a proposal of the rule.
func (f Finding) asks() bool {
	return f.RequiresReview && (f.Kind != RuleHolds || f.Facts["then"] != metric.ThenReview)
}

// again reports whether a finding that was asked about is asked about now.
func again(was review.Proposal, topics []review.Topic) bool {
	switch was.Status {
	case review.Open, review.Withdrawn:
		return true
	case review.Decided:
		if was.Decision.Verdict != VerdictRejected {
			return was.EndedAt != nil
		}
		i := slices.IndexFunc(topics, func(t review.Topic) bool { return t.Topic == was.Topic })
		return i >= 0 && topics[i].ResetAt != nil && !was.Decision.At.After(*topics[i].ResetAt)
	}
	return was.EndedAt != nil
}

// proposal is the question about a finding.
func (f Finding) proposal() (review.Proposal, error) {
	evidence, err := json.Marshal(f)
	if err != nil {
		return review.Proposal{}, fmt.Errorf("evidence of %s: %w", f.Identity, err)
	}
	return review.Proposal{Kind: FindingReview, Subject: f.Identity, Label: titled(string(f.Kind)) + " of " + f.Subject.String(), Evidence: evidence, Topic: string(f.Kind), Client: f.client(), Classes: f.classes(),
		Money: f.MoneyAtStake, Currency: f.Currency, Snapshot: int64(f.Snapshot)}, nil
}

// client is the one client that the finding is about, "" for none.
func (f Finding) client() string {
	switch {
	case f.Subject.Dimension == "client":
		return f.Subject.Value
	case f.Subject.Within != nil && f.Subject.Within.Dimension == "client":
		return f.Subject.Within.Value
	}
	return ""
}

// classes are what those must be allowed to see who read the finding; nil is all of them.
func (f Finding) classes() []tenant.Class {
	switch f.Kind {
	case ClientProfitability, MarginDrop, AgreementProfitability, ClientConcentration:
		return []tenant.Class{tenant.Cost, tenant.Margin}
	case LicenseWaste, LicenseOverdeployment, SpendTrend, Leakage:
		return []tenant.Class{tenant.Cost}
	case UnbilledWork, RevenueTrend:
		return []tenant.Class{}
	}
	return nil
}

// Value sets what is at stake in the open questions about names of clients: the revenue of
// the name over the last complete months, in one currency.
func (j *Judge) Value(ctx context.Context, scope tenant.Scope) error {
	open, err := j.reviews.List(ctx, scope, review.Open, "client_match", 10_000, 0)
	if err != nil || len(open) == 0 {
		return err
	}
	r, err := j.insights.open(ctx, scope)
	if err != nil {
		return err
	}
	r.oneCurrency = true
	months, err := r.completeMonths(ctx, quantity.DayOf(j.insights.now().UTC()))
	if err != nil || !months.Bounded() {
		return err
	}
	names := make([]string, len(open))
	for i, p := range open {
		names[i] = p.Subject
	}
	rows, err := r.read(ctx, last(months, yearMonths), among("client", names), []string{"client"}, "revenue")
	if err != nil {
		return err
	}
	of := rowsByKey(rows)
	return j.db.Transact(ctx, func(tx *metadb.Tx) error {
		for _, p := range open {
			row := of[p.Subject]
			money := row.sums["revenue"].Abs().RoundBank(2)
			if money.Equal(p.Money) {
				continue
			}
			if err := j.reviews.Value(ctx, scope, tx, p.ID, money, only(row.codes)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Fill takes the question from the finding.
func (j *Judge) Fill(_ context.Context, _ tenant.Scope, list []review.Proposal) error {
	for i, p := range list {
		var f Finding
		if err := json.Unmarshal(p.Evidence, &f); err != nil {
			return fmt.Errorf("evidence of proposal %s: %w", p.ID, err)
		}
		list[i].Title = f.Headline
	}
	return nil
}

// Complete returns the decision as it is: the desk has checked it.
func (j *Judge) Complete(_ review.Proposal, d review.Decision) (review.Decision, error) {
	d.Choice = ""
	return d, nil
}

// Decide keeps a decision on a finding.
func (j *Judge) Decide(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) error {
	return j.db.Transact(ctx, func(tx *metadb.Tx) error { return j.reviews.Decide(ctx, scope, tx, p.ID, d, p.Snapshot) })
}

// Undo takes a decision on a finding back while it holds.
func (j *Judge) Undo(ctx context.Context, scope tenant.Scope, p review.Proposal) error {
	if p.EndedAt != nil {
		return fault.Newf(fault.Conflict, "this finding does not hold any more: there is nothing left to decide")
	}
	return j.db.Transact(ctx, func(tx *metadb.Tx) error { return j.reviews.Reopen(ctx, scope, tx, p.ID, p.Snapshot) })
}

// Preview says what a decision changes in the list of findings.
func (j *Judge) Preview(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) (review.Effect, error) {
	kind := spoken(p.Topic)
	switch d.Verdict {
	case VerdictAccepted:
		return review.Effect{Says: []string{"It stays in the list, marked as confirmed by you.", "It is not asked again while it holds."}}, nil
	case VerdictCorrected:
		return review.Effect{Says: []string{"It stays in the list with your note.", "It is not asked again while it holds."}}, nil
	}
	e := review.Effect{Says: []string{"It is folded in the list, with your name and reason, and not asked again until the kind is reset in the settings."}}
	topics, err := j.reviews.Topics(ctx, scope)
	if err != nil {
		return e, err
	}
	times := 1
	if i := slices.IndexFunc(topics, func(t review.Topic) bool { return t.Topic == p.Topic }); i >= 0 {
		times += topics[i].Rejected
	}
	open, err := j.reviews.List(ctx, scope, review.Open, FindingReview, 10_000, 0)
	others := 0
	for _, o := range open {
		if o.Topic == p.Topic && o.ID != p.ID {
			others++
		}
	}
	switch {
	case times >= 3:
		e.Says = append(e.Says, fmt.Sprintf("It is rejection %d in a row of the kind %s: findings of the kind come last then, also the %d that wait now.", times, kind, others))
	default:
		e.Says = append(e.Says, fmt.Sprintf("It is rejection %d in a row of the kind %s; from the third on findings of the kind come last.", times, kind))
	}
	return e, err
}

// Standing is what people made of a finding before.
type Standing struct {
	Proposal string           `json:"proposal"` // its id
	Decision *review.Decision `json:"decision"` // null while it waits
	Quiet    bool             `json:"quiet"`    // its kind was rejected three times in a row
}

// Judged returns findings with what people made of them: those of kinds that were rejected
// again and again come after the others, those that are rejected themselves last.
func (j *Judge) Judged(ctx context.Context, scope tenant.Scope, findings []Finding) ([]Finding, error) {
	standings, err := j.reviews.Standings(ctx, scope, FindingReview)
	if err != nil {
		return nil, err
	}
	topics, err := j.reviews.Topics(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(findings)
	place := map[string]int{}
	for i, f := range out {
		if n := slices.IndexFunc(standings, func(p review.Proposal) bool { return p.Subject == f.Identity }); n >= 0 {
			out[i].Standing = &Standing{Proposal: standings[n].ID, Decision: standings[n].Decision}
		}
		quiet := slices.ContainsFunc(topics, func(t review.Topic) bool { return t.Topic == string(f.Kind) && t.Quiet })
		if quiet {
			if out[i].Standing == nil {
				out[i].Standing = &Standing{}
			}
			out[i].Standing.Quiet = true
			place[f.Identity] = 1
		}
		if out[i].Rejected() {
			place[f.Identity] = 2
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return place[a.Identity] - place[b.Identity] })
	return out, nil
}

// Rejected reports whether a person rejected the finding.
func (f Finding) Rejected() bool {
	return f.Standing != nil && f.Standing.Decision != nil && f.Standing.Decision.Verdict == VerdictRejected
}

var _ review.Decider = (*Judge)(nil)
