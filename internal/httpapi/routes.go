package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// body wraps an answer for huma.
type body[T any] struct{ Body T }

// page is a part of a list; Next is the cursor of the following part, absent at the end.
type page[T any] struct {
	Items []T   `json:"items"`
	Next  int64 `json:"next,omitempty" doc:"pass as cursor for the next page; absent on the last"`
}

// Paging is a part of a list asked for; exported because huma binds the fields of embedded
// structs only when these are.
type Paging struct {
	Limit  int   `query:"limit" default:"50" minimum:"1" maximum:"1000" doc:"most entries of the page"`
	Cursor int64 `query:"cursor" minimum:"0" doc:"next of the page before"`
}

type none struct{}

// get registers a GET; add a POST. Both turn faults into problems.
func get[I, O any](api huma.API, id, path, summary string, fn func(context.Context, *I) (O, error)) {
	register(api, huma.Operation{OperationID: id, Method: http.MethodGet, Path: "/api/v1" + path, Summary: summary}, fn)
}

func post[I, O any](api huma.API, id, path, summary string, fn func(context.Context, *I) (O, error)) {
	register(api, huma.Operation{OperationID: id, Method: http.MethodPost, Path: "/api/v1" + path, Summary: summary}, fn)
}

func register[I, O any](api huma.API, op huma.Operation, fn func(context.Context, *I) (O, error)) {
	op.Errors = []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}
	huma.Register(api, op, func(ctx context.Context, in *I) (*body[O], error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return &body[O]{out}, nil
	})
}

func (s *server) routes(api huma.API) {
	s.accountRoutes(api)
	s.importRoutes(api)
	s.uploadRoutes(api)
	s.batchRoutes(api)
	s.reviewRoutes(api)
	s.sourceRoutes(api)
	s.deliveryRoutes(api)
	s.alertRoutes(api)
	s.commentRoutes(api)
	s.noticeRoutes(api)
	s.workspaceRoutes(api)
	s.scenarioRoutes(api)
	s.thresholdRoutes(api)
	s.governanceRoutes(api)
	s.reclaimRoutes(api)
	s.kpiRoutes(api)
	s.reportRoutes(api)
	get(api, "list-datasets", "/datasets", "Tables with rows, months and quality", func(ctx context.Context, _ *none) ([]dataset.TableSummary, error) {
		return s.Data.Summary(ctx, s.scope(ctx))
	})
	get(api, "list-snapshots", "/snapshots", "Snapshots, newest first", s.snapshots)
	post(api, "roll-back", "/snapshots/{id}/rollback", "Make an older snapshot the current one, as a new snapshot", func(ctx context.Context, in *struct {
		ID int64 `path:"id"`
	}) (rollbackAnswer, error) {
		out, err := s.Rollback(ctx, s.scope(ctx), warehouse.Snapshot(in.ID))
		return rollbackAnswer{out.Snapshot, out.Changed}, err
	})
	get(api, "compare-snapshots", "/snapshots/{id}/compare", "What a snapshot changed: rows by table, and the months whose figures differ", s.compareSnapshots)
	get(api, "list-closed-months", "/closed-months", "Months that no import or rollback may change, oldest first", s.closedMonths)
	post(api, "close-month", "/closed-months/{month}/close", "Close a month that is over", func(ctx context.Context, in *monthInput) (closeAnswer, error) { return s.close(ctx, in, true) })
	post(api, "reopen-month", "/closed-months/{month}/reopen", "Open a closed month for corrections", func(ctx context.Context, in *monthInput) (closeAnswer, error) { return s.close(ctx, in, false) })
	get(api, "get-status", "/status", "What data there is: period, freshness, quality, currency", s.statusOf)
	get(api, "list-metrics", "/metrics", "Measures and dimensions", func(ctx context.Context, _ *none) (catalogAnswer, error) { return s.catalog(ctx) })
	get(api, "query", "/query", "Ask for measures by dimensions", s.queryGet)
	post(api, "query-post", "/query", "Ask for measures by dimensions, the query as JSON", func(ctx context.Context, in *struct{ Body queryBody }) (*metric.Result, error) {
		return s.query(ctx, in.Body)
	})
	s.exportRoutes(api)
	get(api, "query-rows", "/query/rows", "The stored rows behind a base measure", s.rows)
	s.explanationRoutes(api)
	get(api, "series", "/series", "A measure by month, with where each month was expected", s.series)
	s.trendRoutes(api)
	get(api, "run-analyses", "/analyses", "Run the analyses: findings by importance", s.analyses)
	get(api, "list-insights", "/insights", "Findings of the last twelve complete months, by importance", s.analyses)
	get(api, "get-insight", "/insights/{id}", "One finding", func(ctx context.Context, in *FindingInput) (insight.Finding, error) { return s.finding(ctx, in) })
	get(api, "insight-rows", "/insights/{id}/rows", "The stored rows behind a finding, by base measure", s.findingRows)
	s.repriceRoutes(api)
	s.riskRoutes(api)
	s.benchmarkRoutes(api)
	s.questionRoutes(api)
	s.policyRoutes(api)
	s.systemRoutes(api)
	s.eventRoutes(api)
	s.operationRoutes(api)
	s.searchRoutes(api)
	s.auditRoutes(api)
	describeHeld(api)
}

type rollbackAnswer struct {
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Changed  bool               `json:"changed"`
}

type snapshotAnswer struct {
	ID      warehouse.Snapshot `json:"id"`
	At      string             `json:"at"`
	Kind    string             `json:"kind"`
	Author  string             `json:"author"`
	Message string             `json:"message"`
	Rows    map[string]int64   `json:"rows"`
}

func (s *server) snapshots(ctx context.Context, in *Paging) (page[snapshotAnswer], error) {
	list, err := s.Warehouse.Snapshots(ctx, s.scope(ctx))
	out := page[snapshotAnswer]{Items: []snapshotAnswer{}}
	for _, v := range list {
		if in.Cursor > 0 && int64(v.ID) >= in.Cursor {
			continue
		}
		if len(out.Items) == in.Limit {
			out.Next = int64(out.Items[len(out.Items)-1].ID)
			break
		}
		out.Items = append(out.Items, snapshotAnswer{v.ID, v.At.UTC().Format("2006-01-02T15:04:05.000Z"), v.Kind, v.Author, v.Message, v.Rows})
	}
	return out, err
}

type closedAnswer struct {
	Month    string `json:"month"`
	ClosedAt string `json:"closed_at"`
	Actor    string `json:"actor"`
}

func (s *server) closedMonths(ctx context.Context, _ *none) (page[closedAnswer], error) {
	list, err := s.Warehouse.ClosedMonths(ctx, s.scope(ctx))
	out := page[closedAnswer]{Items: []closedAnswer{}}
	for _, c := range list {
		out.Items = append(out.Items, closedAnswer{c.Month.String()[:7], c.At.UTC().Format(time.RFC3339), c.Actor})
	}
	return out, err
}

type monthInput struct {
	Month string `path:"month" doc:"2026-03" pattern:"^[0-9]{4}-[0-9]{2}$"`
}

type closeAnswer struct {
	Month   string `json:"month"`
	Closed  bool   `json:"closed"`
	Changed bool   `json:"changed"`
}

func (s *server) close(ctx context.Context, in *monthInput, closed bool) (closeAnswer, error) {
	month, err := quantity.AskedDay(in.Month)
	if err != nil {
		return closeAnswer{}, err
	}
	changed, err := s.CloseMonth(ctx, s.scope(ctx), month, closed)
	return closeAnswer{in.Month, closed, changed}, err
}

type measureAnswer struct {
	Name       string        `json:"name"`
	Label      string        `json:"label"`
	Unit       quantity.Unit `json:"unit"`
	Direction  string        `json:"direction"`
	Formula    string        `json:"formula"`
	Source     string        `json:"source"`
	Version    int           `json:"version"`
	Topic      string        `json:"topic" doc:"heading that the catalog lists it under"`
	Inputs     []string      `json:"inputs" doc:"measures that its formula names; none for a sum of stored rows"`
	Base       []string      `json:"base" doc:"base measures whose rows are behind it, itself when it is one"`
	Tables     []string      `json:"tables" doc:"stored tables that it is computed from"`
	Dimensions []string      `json:"dimensions"`
	Custom     bool          `json:"custom" doc:"one of the tenant's own: see /kpis"`
	Unseen     bool          `json:"unseen,omitempty" doc:"whoever asks may not see it"`
}

type catalogAnswer struct {
	Measures   []measureAnswer   `json:"measures"`
	Dimensions []dimensionAnswer `json:"dimensions"`
}

type dimensionAnswer struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Help  string `json:"help"`
	Time  bool   `json:"time" doc:"a step of time; its values are the first days"`
	// Unseen is that of its values.
	Unseen bool `json:"unseen,omitempty" doc:"whoever asks may not see it"`
}

func (s *server) catalog(ctx context.Context) (catalogAnswer, error) {
	var out catalogAnswer
	defined, err := s.Metrics.For(ctx, s.scope(ctx))
	if err != nil {
		return out, err
	}
	rights := s.scope(ctx).Rights
	for _, m := range defined.Measures() {
		if m.Custom && m.HiddenFrom(rights) != "" {
			continue
		}
		inputs := m.Inputs()
		if inputs == nil {
			inputs = []string{}
		}
		out.Measures = append(out.Measures, measureAnswer{m.Name, m.Label, m.Unit, m.Direction, m.Formula, m.Source, m.Version, m.Topic, inputs, m.BaseInputs(), m.Tables, defined.DimensionsOf(m), m.Custom, defined.Unseen(rights, m)})
	}
	for _, d := range s.Metrics.Dimensions() {
		out.Dimensions = append(out.Dimensions, dimensionAnswer{d.Name, d.Label, d.Help, d.Time, d.UnseenCut(rights)})
	}
	return out, nil
}

type queryBody struct {
	Measures []string `json:"measures"`
	By       []string `json:"by,omitempty"`
	Where    string   `json:"where,omitempty" doc:"condition such as client = \"X\" and month >= 2026-01"`
	From     string   `json:"from,omitempty" doc:"first day: 2026-03-01, 2026-03 or 2026"`
	To       string   `json:"to,omitempty" doc:"first day not included"`
	Compare  string   `json:"compare,omitempty" doc:"previous: put the period before beside it"`
	Currency string   `json:"currency,omitempty" doc:"ISO 4217 code to convert amounts to, by the exchange rate of their date"`
	Order    []string `json:"order,omitempty" doc:"columns; - in front is descending"`
	Limit    int      `json:"limit,omitempty"`
	Top      *topBody `json:"top,omitempty" doc:"keep the first members of a dimension; all others are one row"`
	Snapshot int64    `json:"snapshot,omitempty" doc:"0 is the current one"`
	Versus   int64    `json:"versus_snapshot,omitempty" minimum:"0" doc:"put the values of this snapshot beside it, over the same period; not together with compare"`
}

// topBody is metric.Top as it is sent.
type topBody struct {
	N         int    `json:"n" minimum:"1" maximum:"1000"`
	By        string `json:"by,omitempty" doc:"measure, the first unless given; - in front: the smallest first"`
	Dimension string `json:"dimension,omitempty" doc:"may be left out when the query is cut by one only that is not time"`
}

func (q queryBody) query() (metric.Query, error) {
	period, err := quantity.ParsePeriod(q.From, q.To)
	return metric.Query{Measures: q.Measures, Dimensions: q.By, Where: q.Where, Period: period, Compare: q.Compare, Currency: q.Currency, Order: q.Order, Limit: q.Limit, Top: (*metric.Top)(q.Top), Snapshot: warehouse.Snapshot(q.Snapshot)}, err
}

func (s *server) query(ctx context.Context, in queryBody) (*metric.Result, error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	if in.Versus != 0 {
		return s.Metrics.Restate(ctx, s.scope(ctx), q, warehouse.Snapshot(in.Versus))
	}
	return s.Metrics.Run(ctx, s.scope(ctx), q)
}

// QueryParams is queryBody as query parameters; lists are comma-separated.
type QueryParams struct {
	Measures string `query:"measures" doc:"comma-separated"`
	By       string `query:"by" doc:"comma-separated dimensions"`
	Where    string `query:"where" doc:"condition such as client = \"X\" and month >= 2026-01"`
	From     string `query:"from" doc:"first day: 2026-03-01, 2026-03 or 2026"`
	To       string `query:"to" doc:"first day not included"`
	Compare  string `query:"compare" doc:"previous: put the period before beside it"`
	Currency string `query:"currency" doc:"ISO 4217 code to convert amounts to, by the exchange rate of their date"`
	Order    string `query:"order" doc:"comma-separated columns; - in front is descending"`
	Limit    int    `query:"limit" doc:"0 shows all"`
	Top      int    `query:"top" minimum:"0" maximum:"1000" doc:"keep so many members of the dimension, by top_by; all others are one row"`
	TopBy    string `query:"top_by" doc:"measure, the first unless given; - in front: the smallest first"`
	Snapshot int64  `query:"snapshot" doc:"0 is the current one"`
	Versus   int64  `query:"versus_snapshot" minimum:"0" doc:"put the values of this snapshot beside it, over the same period; not together with compare"`
}

func (p QueryParams) body() queryBody {
	var top *topBody
	if p.Top > 0 {
		top = &topBody{N: p.Top, By: p.TopBy}
	}
	return queryBody{list(p.Measures), list(p.By), p.Where, p.From, p.To, p.Compare, p.Currency, list(p.Order), p.Limit, top, p.Snapshot, p.Versus}
}

func list(s string) []string {
	var out []string
	for _, v := range strings.Split(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

func (s *server) queryGet(ctx context.Context, in *QueryParams) (*metric.Result, error) {
	return s.query(ctx, in.body())
}

// RowsParams asks for the rows behind a measure.
type RowsParams struct {
	Measure string `query:"measure" doc:"a base measure; the inputs of a formula are listed by /metrics"`
	Where   string `query:"where"`
	From    string `query:"from"`
	To      string `query:"to"`
}

func (p RowsParams) query() (metric.Query, error) {
	return queryBody{Measures: []string{p.Measure}, Where: p.Where, From: p.From, To: p.To}.query()
}

func (s *server) rows(ctx context.Context, in *struct {
	RowsParams
	Paging
}) (*metric.SourceRows, error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	return s.Metrics.RowsBehind(ctx, s.scope(ctx), q, int(in.Cursor), in.Limit)
}

func (s *server) series(ctx context.Context, in *struct {
	Measure string `query:"measure"`
	Where   string `query:"where" doc:"condition such as client = \"X\""`
	From    string `query:"from" doc:"first month; without a period the last 24 complete months count"`
	To      string `query:"to" doc:"first month not included"`
}) (*insight.Series, error) {
	period, err := quantity.ParsePeriod(in.From, in.To)
	if err != nil {
		return nil, err
	}
	return s.Insights.Series(ctx, s.scope(ctx), insight.SeriesRequest{Measure: in.Measure, Where: in.Where, Period: period})
}

// AnalysesInput is the period of analyses.
type AnalysesInput struct {
	From string `query:"from" doc:"first day; without a period the last twelve complete months count"`
	To   string `query:"to" doc:"first day not included"`
}

func (s *server) analyses(ctx context.Context, in *AnalysesInput) ([]insight.Finding, error) {
	period, err := quantity.ParsePeriod(in.From, in.To)
	if err != nil {
		return nil, err
	}
	return s.Insights.Analyze(ctx, s.scope(ctx), period)
}

// FindingInput names a finding of a period.
type FindingInput struct {
	ID string `path:"id"`
	AnalysesInput
}

func (s *server) finding(ctx context.Context, in *FindingInput) (insight.Finding, error) {
	all, err := s.analyses(ctx, &in.AnalysesInput)
	if err != nil {
		return insight.Finding{}, err
	}
	for _, f := range all {
		if f.ID == in.ID {
			return f, nil
		}
	}
	return insight.Finding{}, notFound("finding", in.ID)
}

// findingRows returns, for each base measure behind a finding, the first rows.
func (s *server) findingRows(ctx context.Context, in *struct {
	FindingInput
	Limit int `query:"limit" default:"20" minimum:"1" maximum:"1000"`
}) ([]*metric.SourceRows, error) {
	f, err := s.finding(ctx, &in.FindingInput)
	if err != nil {
		return nil, err
	}
	return s.rowsOf(ctx, f, in.Limit)
}

func (s *server) rowsOf(ctx context.Context, f insight.Finding, limit int) ([]*metric.SourceRows, error) {
	seen := map[string]bool{}
	out := []*metric.SourceRows{}
	for _, name := range f.Query.Measures {
		m, err := s.Metrics.Lookup(ctx, s.scope(ctx), name)
		if err != nil {
			return nil, err
		}
		for _, base := range m.BaseInputs() {
			if seen[base] {
				continue
			}
			seen[base] = true
			q := f.Query
			q.Measures = []string{base}
			rows, err := s.Metrics.RowsBehind(ctx, s.scope(ctx), q, 0, limit)
			if err != nil {
				return nil, fmt.Errorf("rows of %s: %w", base, err)
			}
			if len(rows.Rows) > 0 && rows.Measure != "capacity_hours" && rows.Measure != "capacity_assumed" {
				out = append(out, rows)
			}
		}
	}
	return out, nil
}
