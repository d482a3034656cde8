package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/metric"
)

// ThresholdsInput asks for bands.
type ThresholdsInput struct {
	Measure string `query:"measure" doc:"only those of a measure"`
}

type thresholdPath struct {
	ID string `path:"id" maxLength:"100"`
}

type thresholdBody struct {
	Edges  []string `json:"edges" minItems:"1" maxItems:"20" doc:"between the bands, from low to high"`
	Source string   `json:"source,omitempty" maxLength:"500" doc:"where the edges are from"`
}

type workClassAnswer struct {
	metric.WorkClasses
	Tickets []metric.TicketClass `json:"tickets" nullable:"false" doc:"what falls into which class, most tickets first"`
}

func (s *server) thresholdRoutes(api huma.API) {
	get(api, "list-thresholds", "/thresholds", "What values of measures are held to be, with population, source and date", func(ctx context.Context, in *ThresholdsInput) (page[metric.Threshold], error) {
		out := page[metric.Threshold]{Items: []metric.Threshold{}}
		all, err := s.Settings.Thresholds(ctx, s.scope(ctx), s.Metrics)
		for _, t := range all {
			if in.Measure == "" || t.Measure == in.Measure {
				out.Items = append(out.Items, t)
			}
		}
		return out, err
	})
	send(api, http.MethodPut, http.StatusOK, "set-threshold", "/thresholds/{id}", "Set the edges between a threshold's bands", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"100"`
		Body thresholdBody
	}) (metric.Threshold, error) {
		return s.Settings.SetThreshold(ctx, s.scope(ctx), s.Metrics, in.ID, in.Body.Edges, in.Body.Source)
	})
	post(api, "reset-threshold", "/thresholds/{id}/reset", "Go back to a threshold's built-in edges", func(ctx context.Context, in *thresholdPath) (metric.Threshold, error) {
		return s.Settings.ResetThreshold(ctx, s.scope(ctx), s.Metrics, in.ID)
	})
	get(api, "get-metric", "/metrics/{name}", "The definition of a measure: formula, filters, tables, caveats, thresholds", func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"100"`
	}) (metric.Definition, error) {
		catalog, err := s.Metrics.For(ctx, s.scope(ctx))
		if err != nil {
			return metric.Definition{}, err
		}
		bands, err := s.Settings.Thresholds(ctx, s.scope(ctx), catalog)
		if err != nil {
			return metric.Definition{}, err
		}
		if m, err := catalog.Measure(in.Name); err == nil && m.Custom { // its formula may hold figures
			if _, err := s.Metrics.KPI(ctx, s.scope(ctx), m.Name); err != nil {
				return metric.Definition{}, err
			}
		}
		return catalog.Definition(in.Name, bands)
	})
	get(api, "get-work-classes", "/work-classes", "How tickets are put into classes of work, and what falls into which", func(ctx context.Context, _ *none) (workClassAnswer, error) {
		w, err := s.Settings.WorkClasses(ctx, s.scope(ctx))
		return s.withTickets(ctx, w, err)
	})
	send(api, http.MethodPut, http.StatusOK, "put-work-classes", "/work-classes", "Replace or confirm the mapping of tickets to classes of work", func(ctx context.Context, in *struct{ Body metric.WorkClasses }) (workClassAnswer, error) {
		w, err := s.Settings.PutWorkClasses(ctx, s.scope(ctx), in.Body)
		return s.withTickets(ctx, w, err)
	})
}

func (s *server) withTickets(ctx context.Context, w metric.WorkClasses, err error) (workClassAnswer, error) {
	if err != nil {
		return workClassAnswer{}, err
	}
	seen, err := s.Metrics.TicketClasses(ctx, s.scope(ctx))
	return workClassAnswer{w, seen}, err
}
