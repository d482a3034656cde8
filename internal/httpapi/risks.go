package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// ProjectRisksInput is the day of project risks.
type ProjectRisksInput struct {
	To string `query:"to" doc:"first day not included; without it the end of the data"`
}

func (s *server) riskRoutes(api huma.API) {
	get(api, "list-client-risks", "/client-risks", "Clients by payment, dependence, service, margin and concentration, each held against a limit", func(ctx context.Context, in *AnalysesInput) (*insight.ClientRisks, error) {
		period, err := quantity.ParsePeriod(in.From, in.To)
		if err != nil {
			return nil, err
		}
		return s.Insights.ClientRisks(ctx, s.scope(ctx), period)
	})
	get(api, "list-project-risks", "/project-risks", "Open projects by burn, estimate at completion and the probability of an overrun", func(ctx context.Context, in *ProjectRisksInput) (*insight.ProjectRisks, error) {
		period, err := quantity.ParsePeriod("", in.To)
		if err != nil {
			return nil, err
		}
		return s.Insights.ProjectRisks(ctx, s.scope(ctx), period.To)
	})
}
