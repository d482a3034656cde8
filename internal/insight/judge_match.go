package insight

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// MatchJudge decides on what names of imports mean: dataset carries it out, and the figures
// that move come from the metrics. It is safe for concurrent use.
type MatchJudge struct {
	data     *dataset.Service
	insights *Service
}

var _ review.Decider = MatchJudge{}

// NewMatchJudge returns a judge over data's names.
func NewMatchJudge(data *dataset.Service, s *Service) MatchJudge { return MatchJudge{data, s} }

// Deciders are those of all kinds of proposals; without a watch there are none of rules.
func Deciders(data *dataset.Service, s *Service, judge *Judge, watch *Watch) map[string]review.Decider {
	names := NewMatchJudge(data, s)
	out := map[string]review.Decider{FindingReview: judge, review.AppliedFixes: dataset.NewFixJudge(data)}
	for _, kind := range []string{dataset.KindClient, dataset.KindStaff, dataset.KindProduct} {
		out[dataset.MatchKind(kind)] = names
	}
	if watch != nil {
		out[ReviewKind] = RuleJudge{watch}
	}
	return out
}

// Fill asks the question, and puts people's names into proposals about staff.
func (j MatchJudge) Fill(ctx context.Context, scope tenant.Scope, list []review.Proposal) error {
	if err := j.data.FillMatches(ctx, scope, list); err != nil {
		return err
	}
	for i, p := range list {
		var e dataset.MatchEvidence
		if err := json.Unmarshal(p.Evidence, &e); err != nil {
			return fmt.Errorf("evidence of proposal %s: %w", p.ID, err)
		}
		list[i].Title = fmt.Sprintf("Which one is %s?", e.Name)
		if len(e.Candidates) == 1 {
			list[i].Title = fmt.Sprintf("Is %s the same as %s?", e.Name, e.Candidates[0].Name)
		}
	}
	return nil
}

// Complete chooses the only candidate.
func (j MatchJudge) Complete(p review.Proposal, d review.Decision) (review.Decision, error) {
	return dataset.CompleteMatch(p, d)
}

// Decide links or parts the names, for their past and coming rows.
func (j MatchJudge) Decide(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) error {
	_, err := j.data.DecideMatch(ctx, scope, p.ID, d)
	return err
}

// Undo puts the names back as they were.
func (j MatchJudge) Undo(ctx context.Context, scope tenant.Scope, p review.Proposal) error {
	_, err := j.data.UndoMatch(ctx, scope, p.ID)
	return err
}

// movedBy are the measures that show what hangs on a name.
var movedBy = map[string][]string{
	dataset.KindClient:  {"revenue", "hours_worked"},
	dataset.KindStaff:   {"hours_worked"},
	dataset.KindProduct: {"license_cost"},
}

// Preview says which rows and figures would count for another name.
func (j MatchJudge) Preview(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) (review.Effect, error) {
	list := []review.Proposal{p}
	if err := j.data.FillMatches(ctx, scope, list); err != nil {
		return review.Effect{}, err
	}
	var e dataset.MatchEvidence
	if err := json.Unmarshal(list[0].Evidence, &e); err != nil {
		return review.Effect{}, fmt.Errorf("evidence of proposal %s: %w", p.ID, err)
	}
	switch d.Verdict {
	case dataset.VerdictDifferent:
		return review.Effect{Says: []string{fmt.Sprintf("No figure changes: %s goes on to count by itself, and no import asks about these candidates again.", e.Name)}}, nil
	case dataset.VerdictCreate:
		return review.Effect{Says: []string{fmt.Sprintf("No figure changes: %s goes on to count by itself and stands on the list of clients from now on.", e.Name)}}, nil
	}
	to := d.Choice
	for _, c := range e.Candidates {
		if c.Entity == d.Choice {
			to = c.Name
		}
	}
	rows, err := j.data.MatchRows(ctx, scope, e.Kind, e.Key)
	if err != nil {
		return review.Effect{}, err
	}
	out := review.Effect{Rows: rows, Says: []string{
		fmt.Sprintf("%d stored rows of %s count for %s, the coming ones too.", rows, e.Name, to),
		"It is one new snapshot, and undone by one step.",
	}}
	out.Moves, err = j.moves(ctx, scope, e.Kind, e.Name, to)
	return out, err
}

// moves are the figures of all stored months before and after a name counts for another.
func (j MatchJudge) moves(ctx context.Context, scope tenant.Scope, kind, name, to string) ([]review.Move, error) {
	r, err := j.insights.open(ctx, scope)
	if err != nil {
		return nil, err
	}
	r.oneCurrency = true
	out := []review.Move{}
	for _, measure := range movedBy[kind] {
		m, err := r.metrics.Measure(measure)
		if err != nil {
			return nil, err
		}
		rows, err := r.read(ctx, quantity.Period{}, among(kind, []string{name, to}), []string{kind}, measure)
		if fault.KindOf(err) == fault.Forbidden {
			continue // the figure is not the actor's to see
		}
		if err != nil {
			return nil, err
		}
		of := rowsByKey(rows)
		was, extra := of[to], of[name]
		move := review.Move{Measure: measure, Label: m.Label, Of: to, Unit: m.Unit, Currency: only(codesOf(was, extra))}
		if from, known := was.sums[measure]; known {
			move.From = &from
		}
		if move.Reason = r.apart(m.Unit, was, extra); move.Reason == "" {
			if more, known := extra.sums[measure]; known {
				sum := was.sums[measure].Add(more)
				move.To = &sum
			} else {
				move.To = move.From
			}
		}
		if move.From != nil || move.To != nil || move.Reason != "" {
			out = append(out, move)
		}
	}
	return out, nil
}

// apart says why two amounts have no sum, "" when they have one.
func (r reader) apart(unit quantity.Unit, rows ...row) string {
	if !unit.HasMoney() {
		return ""
	}
	return apart(codesOf(rows...)...)
}
