package alert

import (
	"context"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// pageOfHits is how many hits are read at once.
const pageOfHits = 1000

// List returns at most limit alerts that the scope may see after the first skip of them, the last
// begun first. Who sees a part of the clients, teams or figures sees those that hold now in what they
// see, with the value there.
func (s *Service) List(ctx context.Context, scope tenant.Scope, f Filter, limit int, skip int64) ([]Alert, error) {
	alertOf, err := s.describe(ctx, scope, "")
	if err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	out := []Alert{}
	for from, more := int64(0), true; more; from += pageOfHits {
		var page []insight.Hit
		if page, more, err = s.visible(ctx, scope, f, from); err != nil {
			return nil, fmt.Errorf("alerts: %w", err)
		}
		for _, h := range page {
			a := alertOf(h)
			switch {
			case f.Unacknowledged && (a.Acknowledged != nil || s.forgotten(h)), f.Severity != "" && a.Severity != f.Severity:
				continue
			case skip > 0:
				skip--
				continue
			case len(out) == limit:
				return out, nil
			}
			out = append(out, a)
		}
	}
	return out, nil
}

// Alert returns one that the scope may see, a NotFound fault otherwise.
func (s *Service) Alert(ctx context.Context, scope tenant.Scope, id string) (Alert, error) {
	if err := scope.Check(); err != nil {
		return Alert{}, err
	}
	hits := []insight.Hit{}
	h, err := s.watch.Hit(ctx, scope.Own(), id)
	switch {
	case err == nil && (h.EndedAt == nil || scope.Rights.Unlimited()):
		hits, err = s.seen(ctx, scope, []insight.Hit{h})
	case fault.KindOf(err) == fault.NotFound:
		err = nil
	}
	if err != nil {
		return Alert{}, fmt.Errorf("alert: %w", err)
	}
	if len(hits) == 0 {
		return Alert{}, fault.Newf(fault.NotFound, "there is no alert %q: moatmetrics alerts list shows them", id)
	}
	alertOf, err := s.describe(ctx, scope, id)
	if err != nil {
		return Alert{}, fmt.Errorf("alert: %w", err)
	}
	return alertOf(hits[0]), nil
}

// describe returns what adds to a hit what was told of it and who knows; of one hit only when it is
// given.
func (s *Service) describe(ctx context.Context, scope tenant.Scope, hit string) (func(insight.Hit) Alert, error) {
	severity, err := s.severities(ctx, scope)
	if err != nil {
		return nil, err
	}
	acks, err := s.acks(ctx, "list_acks", string(scope.Tenant), hit)
	if err != nil {
		return nil, err
	}
	told, err := s.due(ctx, "list_due", string(scope.Tenant), hit)
	if err != nil {
		return nil, err
	}
	of := map[string][]due{}
	for _, d := range told {
		of[d.hit] = append(of[d.hit], d)
	}
	return func(h insight.Hit) Alert {
		a := Alert{Hit: h, Severity: severity[h.Rule]}
		if ack, ok := acks[h.ID]; ok {
			a.Acknowledged = &ack
		}
		for _, d := range of[h.ID] {
			a.Times += d.times
			if d.toldAt != nil && (a.ToldAt == nil || d.toldAt.After(*a.ToldAt)) {
				a.ToldAt = d.toldAt
			}
		}
		return a
	}, nil
}

// forgotten reports whether it is not known any more who was told of a hit and who knows of it.
func (s *Service) forgotten(h insight.Hit) bool {
	return h.EndedAt != nil && h.EndedAt.Before(s.now().Add(-kept))
}

// visible returns hits that a scope may see, the last begun first: a page of all that held, or all
// that hold now, when others are not asked for or may not be seen. More: there may be others after it.
func (s *Service) visible(ctx context.Context, scope tenant.Scope, f Filter, from int64) (page []insight.Hit, more bool, err error) {
	// What held once cannot be looked at with the rights of today.
	if !f.Open && scope.Rights.Unlimited() {
		page, err = s.watch.History(ctx, scope.Own(), f.Rule, pageOfHits, from)
		return page, len(page) == pageOfHits, err
	}
	open, err := s.watch.Open(ctx, scope.Own())
	if err != nil {
		return nil, false, err
	}
	open = filtered(open, func(h insight.Hit) bool { return f.Rule == "" || h.Rule == f.Rule })
	slices.SortStableFunc(open, func(a, b insight.Hit) int { return b.FirstAt.Compare(a.FirstAt) }) // they come by id
	page, err = s.seen(ctx, scope, open)
	return page, false, err
}

// seen are those of some hits that a scope may see now, with the values that it sees.
func (s *Service) seen(ctx context.Context, scope tenant.Scope, hits []insight.Hit) ([]insight.Hit, error) {
	if scope.Rights.Unlimited() {
		return hits, nil
	}
	found, _, err := s.findings(ctx, scope, hits)
	if err != nil {
		return nil, err
	}
	out := []insight.Hit{}
	for _, h := range hits {
		if f, ok := found[h.ID]; ok {
			h.Value = valueOf(f)
			out = append(out, h)
		}
	}
	return out, nil
}

func filtered(all []insight.Hit, keep func(insight.Hit) bool) []insight.Hit {
	out := []insight.Hit{}
	for _, h := range all {
		if keep(h) {
			out = append(out, h)
		}
	}
	return out
}

// What those must be allowed who are told of alerts: figures, and what colleagues made, as rules
// and their words may name anybody.
const (
	needsFigures tenant.Action = access.FiguresRead
	needsBoards  tenant.Action = access.BoardsRead
)

// findings are the hits that a scope may see, by id, with what it sees of them. Who sees a part
// of the clients or teams is told of a hit only when the figure is the same in that part: all of
// what it is made of may be seen, and nothing is learned of the rest. Early are the hits of which
// that cannot be said before the rules are evaluated again, as the figures are newer than the hits.
func (s *Service) findings(ctx context.Context, scope tenant.Scope, hits []insight.Hit) (seen map[string]insight.Finding, early map[string]bool, err error) {
	seen, early = map[string]insight.Finding{}, map[string]bool{}
	if !scope.Rights.May(needsFigures) || !scope.Rights.May(needsBoards) || len(hits) == 0 {
		return seen, early, nil
	}
	over := map[string]quantity.Period{} // the same for all hits of a rule that hold
	for _, h := range hits {
		over[h.Rule] = h.Period
	}
	found, snapshot, err := s.insights.RuleFindings(ctx, scope, over)
	if err != nil {
		return nil, nil, err
	}
	for _, h := range hits {
		for _, f := range found[h.Rule] {
			if f.Subject.String() == h.Subject && (scope.Rights.SeesAllRows() || valueOf(f) == h.Value && h.Value != "") {
				seen[h.ID] = f
			}
		}
		if _, sure := seen[h.ID]; int64(snapshot) > h.Snapshot && !(sure && scope.Rights.SeesAllRows()) {
			early[h.ID] = true
		}
	}
	return seen, early, nil
}

func valueOf(f insight.Finding) string {
	if f.Value == nil {
		return ""
	}
	return f.Value.String()
}
