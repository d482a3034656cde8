package httpapi

import (
	"context"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// statusAnswer says what data there is; a page needs it before it can ask for figures.
type statusAnswer struct {
	Version     string             `json:"version"`
	Tenant      string             `json:"tenant"`
	Empty       bool               `json:"empty" doc:"nothing is imported yet"`
	Snapshot    warehouse.Snapshot `json:"snapshot"`
	SnapshotAt  string             `json:"snapshot_at,omitempty" doc:"when the data last changed, UTC"`
	Today       quantity.Day       `json:"today"`
	DataFrom    quantity.Day       `json:"data_from,omitzero" doc:"first month of complete data"`
	DataThrough quantity.Day       `json:"data_through,omitzero" doc:"newest day that dated rows have"`
	Complete    quantity.Period    `json:"complete" doc:"months of complete data; default periods end with them"`
	Currencies  []string           `json:"currencies" doc:"of the revenue, the largest first"`
	Currency    string             `json:"currency,omitempty" doc:"when there is only one"`
	Rows        int64              `json:"rows" doc:"stored rows of all tables"`
	Quality     *float64           `json:"quality" doc:"0 to 1, mean of the tables by rows; null when unknown"`
}

func (s *server) statusOf(ctx context.Context, _ *none) (statusAnswer, error) {
	out := statusAnswer{Version: s.opt.Version, Tenant: string(s.scope(ctx).Tenant), Today: quantity.DayOf(time.Now().UTC()), Currencies: []string{}}
	tables, err := s.Data.Summary(ctx, s.scope(ctx))
	if fault.KindOf(err) == fault.Forbidden { // who sees a part learns neither rows nor quality
		list, err := s.Warehouse.Snapshots(ctx, s.scope(ctx))
		if out.Empty = len(list) == 0; err != nil || out.Empty {
			return out, err
		}
	} else if err != nil {
		return out, err
	} else if out.Empty = len(tables) == 0; out.Empty {
		out.Snapshot, err = s.Warehouse.Current(ctx, s.scope(ctx))
		return out, err
	}
	var judged int64
	var sum float64
	for _, t := range tables {
		out.Rows += t.Rows
		if t.Quality != nil {
			judged += t.Rows
			sum += *t.Quality * float64(t.Rows)
		}
	}
	if judged > 0 {
		mean := sum / float64(judged)
		out.Quality = &mean
	}
	list, err := s.Warehouse.Snapshots(ctx, s.scope(ctx))
	if err != nil {
		return out, err
	}
	if len(list) > 0 {
		out.Snapshot, out.SnapshotAt = list[0].ID, list[0].At.UTC().Format(time.RFC3339)
	}
	if out.Complete, err = s.Insights.Complete(ctx, s.scope(ctx)); err != nil {
		return out, err
	}
	out.DataFrom = out.Complete.From
	r, err := s.Metrics.RunSeen(ctx, s.scope(ctx), metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"currency"}, Order: []string{"-revenue"}})
	if err != nil {
		return out, err
	}
	out.DataThrough = r.DataThrough
	for _, row := range r.Rows {
		if code, ok := row[0].(string); ok && len(code) == 3 {
			out.Currencies = append(out.Currencies, code)
		}
	}
	if out.Currency = r.Currency; out.Currency == "" && len(out.Currencies) == 1 {
		out.Currency = out.Currencies[0]
	}
	return out, nil
}
