package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// kpiBody is a KPI as it is sent.
type kpiBody struct {
	Name        string        `json:"name,omitempty" maxLength:"60" doc:"small letters, digits and _; in an address it stands there"`
	Label       string        `json:"label,omitempty" maxLength:"120" doc:"the name in words unless given"`
	Formula     string        `json:"formula" minLength:"1" maxLength:"2000" doc:"over measures, such as gross_profit / endpoints or rolling(gross_margin, 12); see docs/kpis.md"`
	Unit        quantity.Unit `json:"unit,omitempty" doc:"inferred from the formula; another one is a mistake"`
	Direction   string        `json:"direction,omitempty" enum:"up_good,down_good,two_sided"`
	Description string        `json:"description,omitempty" maxLength:"2000"`
	Owner       string        `json:"owner,omitempty" maxLength:"120"`
}

func (b kpiBody) kpi(name string) metric.KPI {
	return metric.KPI{Name: orElse(name, b.Name), Label: b.Label, Formula: b.Formula, Unit: b.Unit, Direction: b.Direction, Description: b.Description, Owner: b.Owner}
}

type functionsAnswer struct {
	Functions []string `json:"functions" doc:"how each is written and what it gives"`
}

func (s *server) kpiRoutes(api huma.API) {
	get(api, "list-kpis", "/kpis", "The tenant's own measures, with what they use and what uses them", func(ctx context.Context, _ *none) (page[metric.KPIState], error) {
		list, err := s.Metrics.KPIs(ctx, s.scope(ctx))
		return page[metric.KPIState]{Items: orEmpty(list)}, err
	})
	get(api, "list-kpi-functions", "/kpis/functions", "The functions of formulas", func(context.Context, *none) (functionsAnswer, error) {
		return functionsAnswer{metric.Functions()}, nil
	})
	post(api, "add-kpi", "/kpis", "Define a measure as a formula over measures", func(ctx context.Context, in *struct{ Body kpiBody }) (metric.KPIState, error) {
		return s.Metrics.AddKPI(ctx, s.scope(ctx), in.Body.kpi(""))
	})
	post(api, "preview-kpi", "/kpis/preview", "What a draft would say: its unit and the last twelve months", func(ctx context.Context, in *struct{ Body kpiBody }) (*metric.Preview, error) {
		return s.Metrics.PreviewKPI(ctx, s.scope(ctx), in.Body.kpi(""))
	})
	get(api, "get-kpi", "/kpis/{name}", "One of the tenant's own measures", func(ctx context.Context, in *NamePath) (metric.KPIState, error) {
		return s.Metrics.KPI(ctx, s.scope(ctx), in.Name)
	})
	put(api, "change-kpi", "/kpis/{name}", "Give a KPI a new version", func(ctx context.Context, in *struct {
		NamePath
		Body kpiBody
	}) (metric.KPIState, error) {
		return s.Metrics.ChangeKPI(ctx, s.scope(ctx), in.Body.kpi(in.Name))
	})
	act(api, http.MethodDelete, "remove-kpi", "/kpis/{name}", "End a KPI; refused while something uses it, and its versions stay readable", func(ctx context.Context, in *NamePath) error {
		return s.Metrics.RemoveKPI(ctx, s.scope(ctx), in.Name)
	})
	get(api, "list-kpi-versions", "/kpis/{name}/versions", "Every version of a KPI, newest first", func(ctx context.Context, in *NamePath) (page[metric.KPIVersion], error) {
		list, err := s.Metrics.KPIVersions(ctx, s.scope(ctx), in.Name)
		return page[metric.KPIVersion]{Items: orEmpty(list)}, err
	})
	s.segmentRoutes(api)
	s.ruleRoutes(api)
}

// segmentBody is a segment as it is sent.
type segmentBody struct {
	Name        string `json:"name,omitempty" maxLength:"80" doc:"in an address it stands there"`
	Dimension   string `json:"dimension" doc:"whose members it is about, such as client"`
	Where       string `json:"where" minLength:"1" maxLength:"4000" doc:"condition such as industry = \"Legal\" or gross_margin < 20%"`
	Months      int    `json:"months,omitempty" minimum:"0" maximum:"120" doc:"months before the end of the query's period that measures are of; 0 is that period"`
	Description string `json:"description,omitempty" maxLength:"2000"`
	Owner       string `json:"owner,omitempty" maxLength:"120"`
}

func (b segmentBody) segment(name string) metric.Segment {
	return metric.Segment{Name: orElse(name, b.Name), Dimension: b.Dimension, Where: b.Where, Months: b.Months, Description: b.Description, Owner: b.Owner}
}

func (s *server) segmentRoutes(api huma.API) {
	get(api, "list-segments", "/segments", "Saved conditions, with what uses them", func(ctx context.Context, _ *none) (page[metric.SegmentState], error) {
		list, err := s.Metrics.Segments(ctx, s.scope(ctx))
		return page[metric.SegmentState]{Items: orEmpty(list)}, err
	})
	post(api, "add-segment", "/segments", "Save a condition under a name", func(ctx context.Context, in *struct{ Body segmentBody }) (metric.Segment, error) {
		return s.Metrics.PutSegment(ctx, s.scope(ctx), in.Body.segment(""), true)
	})
	put(api, "change-segment", "/segments/{name}", "Give a segment a new version", func(ctx context.Context, in *struct {
		NamePath
		Body segmentBody
	}) (metric.Segment, error) {
		return s.Metrics.PutSegment(ctx, s.scope(ctx), in.Body.segment(in.Name), false)
	})
	act(api, http.MethodDelete, "remove-segment", "/segments/{name}", "End a segment; refused while something uses it", func(ctx context.Context, in *NamePath) error {
		return s.Metrics.RemoveSegment(ctx, s.scope(ctx), in.Name)
	})
	get(api, "get-calendar", "/calendar", "The fiscal calendar", func(ctx context.Context, _ *none) (metric.Calendar, error) {
		c, err := s.Metrics.For(ctx, s.scope(ctx))
		if err != nil {
			return metric.Calendar{}, err
		}
		return c.Calendar(), nil
	})
	put(api, "set-calendar", "/calendar", "Set the fiscal calendar", func(ctx context.Context, in *struct{ Body metric.Calendar }) (metric.Calendar, error) {
		return s.Metrics.SetCalendar(ctx, s.scope(ctx), in.Body)
	})
}

// NamePath names a definition in the address; exported because huma binds the fields of
// embedded structs only when these are.
type NamePath struct {
	Name string `path:"name" maxLength:"120"`
}

// put adds a PUT.
func put[I, O any](api huma.API, id, path, summary string, fn func(context.Context, *I) (O, error)) {
	register(api, huma.Operation{OperationID: id, Method: http.MethodPut, Path: "/api/v1" + path, Summary: summary}, fn)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
