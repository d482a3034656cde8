package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// ReclaimsInput is the day of a reclaim plan.
type ReclaimsInput struct {
	To string `query:"to" doc:"first day not included; without it the end of the data"`
}

func (s *server) reclaimRoutes(api huma.API) {
	get(api, "list-reclaims", "/reclaims", "Wasted license seats by the day until which they can be returned, with the saving and whose money it is", func(ctx context.Context, in *ReclaimsInput) (*insight.ReclaimPlan, error) {
		period, err := quantity.ParsePeriod("", in.To)
		if err != nil {
			return nil, err
		}
		return s.Insights.Reclaims(ctx, s.scope(ctx), period.To)
	})
}
