package insight

import (
	"context"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// SureOfLicenses says how sure figures of the subscriptions on the last day before end are,
// of all clients or of one: how many state the seats in use, what a seat costs, which are
// inactive, and the term.
func (s *Service) SureOfLicenses(ctx context.Context, scope tenant.Scope, end quantity.Day, client string) (Confidence, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return Confidence{}, fmt.Errorf("licenses: %w", err)
	}
	q, err := r.measureQuality(ctx, quantity.MonthOf(end.AddDays(-1)))
	if err != nil {
		return Confidence{}, fmt.Errorf("licenses: data quality: %w", err)
	}
	lines, err := r.licenseTerms(ctx, end)
	if err != nil {
		return Confidence{}, fmt.Errorf("licenses: %w", err)
	}
	var all []licenseTerm
	for key, terms := range lines {
		if client == "" || key[0] == client {
			all = append(all, terms...)
		}
	}
	if len(all) == 0 {
		c := q.license(nil)
		return Confidence{Grade: "no_answer", Reasons: []string{"no active paid subscription is known"}, Components: slices.Clip(c.Components)}, nil
	}
	return q.license(all), nil
}
