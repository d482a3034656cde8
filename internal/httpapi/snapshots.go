package httpapi

import (
	"context"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// restated are the measures that a comparison of snapshots shows by month.
var restated = []string{"revenue", "labor_cost", "direct_cost", "gross_profit", "hours_worked"}

type snapshotChange struct {
	From     snapshotHead     `json:"from"`
	To       snapshotHead     `json:"to"`
	Tables   []tableChange    `json:"tables" doc:"those that hold rows in either"`
	Measures []measureRestate `json:"measures"`
}

type snapshotHead struct {
	ID      warehouse.Snapshot `json:"id"`
	At      string             `json:"at"`
	Message string             `json:"message"`
}

type tableChange struct {
	Name   string `json:"name"`
	Before int64  `json:"rows_before"`
	After  int64  `json:"rows_after"`
	Change int64  `json:"change"`
}

type measureRestate struct {
	Measure string         `json:"measure"`
	Label   string         `json:"label"`
	Unit    quantity.Unit  `json:"unit"`
	Rows    []monthRestate `json:"rows" doc:"only the months that differ"`
}

type monthRestate struct {
	Month        string            `json:"month"`
	Before       *quantity.Decimal `json:"before"`
	After        *quantity.Decimal `json:"after"`
	Change       *quantity.Decimal `json:"change" doc:"null when either is, or when their currencies differ"`
	ReasonBefore string            `json:"reason_before,omitempty"`
	ReasonAfter  string            `json:"reason_after,omitempty"`
}

func (s *server) compareSnapshots(ctx context.Context, in *struct {
	ID   int64 `path:"id"`
	With int64 `query:"with" minimum:"0" doc:"the snapshot to compare with; without it the one before"`
}) (snapshotChange, error) {
	out := snapshotChange{Tables: []tableChange{}, Measures: []measureRestate{}}
	list, err := s.Warehouse.Snapshots(ctx, s.scope(ctx))
	if err != nil {
		return out, err
	}
	at := func(id int64) int {
		return slices.IndexFunc(list, func(v warehouse.SnapshotInfo) bool { return int64(v.ID) == id })
	}
	to := at(in.ID)
	if to < 0 {
		return out, notFound("snapshot", in.ID)
	}
	from := to + 1 // newest first
	if in.With > 0 {
		if from = at(in.With); from < 0 {
			return out, notFound("snapshot", in.With)
		}
	} else if from == len(list) {
		return out, fault.Newf(fault.NotFound, "snapshot %d is the oldest that is kept: there is none before it", in.ID)
	}
	head := func(v warehouse.SnapshotInfo) snapshotHead {
		return snapshotHead{v.ID, v.At.UTC().Format("2006-01-02T15:04:05.000Z"), v.Message}
	}
	out.From, out.To = head(list[from]), head(list[to])
	for _, t := range dataset.Tables() {
		if before, after := list[from].Rows[t.Name], list[to].Rows[t.Name]; before != 0 || after != 0 {
			out.Tables = append(out.Tables, tableChange{t.Name, before, after, after - before})
		}
	}
	r, err := s.Metrics.Restate(ctx, s.scope(ctx), metric.Query{Measures: restated, Dimensions: []string{"month"}, Snapshot: out.To.ID}, out.From.ID)
	if err != nil {
		return out, err
	}
	for i, name := range restated {
		m, err := s.Metrics.Measure(name)
		if err != nil {
			return out, err
		}
		out.Measures = append(out.Measures, measureRestate{m.Name, m.Label, m.Unit, restatedMonths(r, m.Name, 1+3*i)})
	}
	return out, nil
}

// restatedMonths returns the months in which a measure differs; its value, the one before
// and the change are the columns from at on.
func restatedMonths(r *metric.Result, name string, at int) []monthRestate {
	out := []monthRestate{}
	number := func(v any) *quantity.Decimal {
		if d, ok := v.(quantity.Decimal); ok {
			return &d
		}
		return nil
	}
	for i, row := range r.Rows {
		month, _ := row[0].(string)
		x := monthRestate{month, number(row[at+1]), number(row[at]), number(row[at+2]), r.Reasons[i][name+"_previous"], r.Reasons[i][name]}
		if x.Before == nil && x.After == nil || x.Change != nil && x.Change.IsZero() {
			continue
		}
		out = append(out, x)
	}
	return out
}
