package metric_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func TestTheSameQuestionOfTheSameSnapshotIsAnsweredFromTheCache(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	c, w := openAt(t, func() time.Time { return now })
	small(t, w)
	q := metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Where: ` client = "Acme" `}
	first := ask(t, c, q)
	q.Where = `client = "Acme"`
	second := ask(t, c, q)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	if got := c.CacheStats(); got != (metric.CacheStats{Hits: 1, Misses: 1}) {
		t.Errorf("got %+v, want one hit and one miss", got)
	}
	// Another tenant, another day and a new snapshot are other questions.
	bolt := tenant.Scope{Tenant: "bolt", Actor: "test"}
	if r, err := c.Run(t.Context(), bolt, q); err != nil || len(r.Rows) != 0 {
		t.Errorf("another tenant reads %v, %v", r, err)
	}
	now = now.AddDate(0, 0, 1)
	ask(t, c, q)
	put(t, w, map[string]string{"expenses": "SELECT 'Acme' AS client_key, DATE '2026-03-20' AS expense_date, 1.0 AS net_amount, 'opex' AS category"})
	ask(t, c, q)
	if got := c.CacheStats(); got != (metric.CacheStats{Hits: 1, Misses: 4}) {
		t.Errorf("got %+v, want one hit and four misses", got)
	}
}

func TestAResultSaysWhatItStandsOn(t *testing.T) {
	t.Parallel()
	c, w := openAt(t, func() time.Time { return time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC) })
	small(t, w)
	r, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"gross_margin", "mrr"}, Dimensions: []string{"client"}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Snapshot == 0 || r.SourceRows == 0 || r.RowCount != 3 {
		t.Errorf("snapshot %d, %d source rows, %d rows", r.Snapshot, r.SourceRows, r.RowCount)
	}
	if diff := cmp.Diff(map[string]int{"gross_margin": 1, "mrr": 1}, r.DefinitionVersions); diff != "" {
		t.Error(diff)
	}
	got := []string{r.Period.String(), r.DataUntil.String(), r.DataThrough.String(), r.AsOf.String(), r.PartialMonth.String()}
	want := []string{"2026-01-01 to 2026-03-01", "2026-03-01", "2026-02-28", "2026-02-28", "2026-02-01"} // no hours after February 4
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWriteJSONWritesWhatMarshalReturns(t *testing.T) {
	t.Parallel()
	c, w := openAt(t, func() time.Time { return time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC) })
	small(t, w)
	put(t, w, map[string]string{"expenses": `SELECT 'Client ' || (i % 97) || ' "rows":[]' AS client_key, DATE '2026-03-01' + (i % 31)::INTEGER AS expense_date, i / 100 AS net_amount, 'cogs' AS category FROM range(6000) r(i)`})
	for name, q := range map[string]metric.Query{
		"no rows":   {Measures: []string{"revenue"}, Dimensions: []string{"client"}, Where: `client = "nobody"`},
		"nulls":     {Measures: []string{"gross_margin", "direct_cost"}, Dimensions: []string{"client", "month"}},
		"many rows": {Measures: []string{"direct_cost"}, Dimensions: []string{"client", "day"}},
	} {
		r, err := c.Run(t.Context(), acme, q)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		if err := r.WriteJSON(&got); err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s: differ", name)
		}
		var back struct{ Rows [][]any }
		if err := json.Unmarshal(want, &back); err != nil || len(back.Rows) != len(r.Rows) {
			t.Errorf("%s: %d rows, want %d: %v", name, len(back.Rows), len(r.Rows), err)
		}
		if name == "many rows" && len(r.Rows) < 2500 {
			t.Errorf("%d rows are not many", len(r.Rows))
		}
	}
}
