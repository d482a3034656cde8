package metric_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// byLabel is an answer cut by one dimension: the last column by the first, null as "null".
func byLabel(t *rapid.T, c *metric.Catalog, q metric.Query) map[string]string {
	r, err := c.Run(t.Context(), acme, q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	out := map[string]string{}
	for _, row := range r.Rows {
		label := ""
		if len(row) > 1 {
			label, _ = row[0].(string)
		}
		out[label] = "null"
		if v, ok := row[len(row)-1].(quantity.Decimal); ok {
			out[label] = v.String()
		}
	}
	return out
}

// A function over time is the plain measure over the span that it looks at: rolling margins
// are ratios of sums, cumulated flows differ by the flow, a lag is the span before.
func functionsAgree(t *testing.T, c *metric.Catalog) {
	measures := []string{"revenue", "gross_margin", "labor_cost_rate", "mrr", "utilization", "license_waste", "dso", "mrr_churn", "mrr_expansion", "nrr", "clients_lost"}
	for _, m := range measures {
		for name, formula := range map[string]string{"_rolling": "rolling(" + m + ", 3)", "_lag": "lag(" + m + ", 2)", "_cumulative": "cumulative(" + m + ")"} {
			kpi(t, c, m+name, formula)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.SampledFrom(measures).Draw(rt, "measure")
		month := quantity.NewDay(2026, 1, 1).AddMonths(rapid.IntRange(2, 5).Draw(rt, "month"))
		span := quantity.Period{From: month, To: month.AddMonths(1)}
		for _, k := range []struct {
			name string
			over quantity.Period
		}{{"_rolling", quantity.Period{From: month.AddMonths(-2), To: span.To}}, {"_lag", quantity.Period{From: month.AddMonths(-2), To: month.AddMonths(-1)}}, {"_cumulative", quantity.Period{From: quantity.NewDay(2026, 1, 1), To: span.To}}} {
			want := byLabel(rt, c, metric.Query{Measures: []string{m}, Period: k.over})[""]
			if got := byLabel(rt, c, metric.Query{Measures: []string{m + k.name}, Period: span})[""]; got != want {
				rt.Errorf("%s%s of %s: got %s, want %s", m, k.name, span, got, want)
			}
			// Cut by month, in a longer period.
			long := metric.Query{Measures: []string{m + k.name}, Dimensions: []string{"month"}, Period: quantity.Period{From: quantity.NewDay(2026, 1, 1), To: span.To}}
			if got := byLabel(rt, c, long)[month.String()]; got != want {
				rt.Errorf("%s%s by month: %s is %s, want %s", m, k.name, month, got, want)
			}
		}
		if m != "revenue" {
			return
		}
		sums := byLabel(rt, c, metric.Query{Measures: []string{"revenue_cumulative"}, Dimensions: []string{"month"}})
		flow := byLabel(rt, c, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"month"}})
		now, before := decimal.RequireFromString(sums[month.String()]), decimal.RequireFromString(sums[month.AddMonths(-1).String()])
		if got := now.Sub(before).String(); got != flow[month.String()] {
			rt.Errorf("cumulated revenue rises by %s in %s, the flow is %s", got, month, flow[month.String()])
		}
	})
}

// For any measure that adds up, the first members and all others make the total; a ratio of
// the others is that of their sums.
func othersReconcile(t *testing.T, c *metric.Catalog) {
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.SampledFrom([]string{"revenue", "labor_cost", "hours_worked", "gross_profit", "ticket_count", "mrr", "receivables"}).Draw(rt, "measure")
		dim := rapid.SampledFrom([]string{"client", "industry"}).Draw(rt, "dimension")
		q := metric.Query{Measures: []string{m}, Period: quantity.Period{From: quantity.NewDay(2026, 2, 1), To: quantity.NewDay(2026, 6, 1)}}
		total := decimal.RequireFromString(byLabel(rt, c, q)[""])
		q.Dimensions, q.Top = []string{dim}, &metric.Top{N: rapid.IntRange(1, 9).Draw(rt, "n")}
		r, err := c.Run(rt.Context(), acme, q)
		if err != nil {
			rt.Fatal(err)
		}
		sum := decimal.Zero
		var kept []string
		for i, row := range r.Rows {
			sum = sum.Add(row[1].(quantity.Decimal))
			name, _ := row[0].(string)
			if name == "others" && i != len(r.Rows)-1 {
				rt.Errorf("others stand at %d of %d", i, len(r.Rows))
			}
			kept = append(kept, name)
		}
		if !sum.Equal(total) || len(r.Rows) > q.Top.N+1 {
			rt.Errorf("%s by the first %d of %s: %d rows add up to %s, the total is %s", m, q.Top.N, dim, len(r.Rows), sum, total)
		}
		if !slices.Contains(kept, "others") {
			return
		}
		q.Measures, q.Top.By = []string{"gross_margin"}, m
		got := byLabel(rt, c, q)["others"]
		rest := metric.Query{Measures: []string{"gross_margin"}, Period: q.Period}
		for _, name := range kept {
			if name != "others" {
				if rest.Where != "" {
					rest.Where += " and "
				}
				rest.Where += dim + " != \"" + name + "\""
			}
		}
		if want := byLabel(rt, c, rest)[""]; got != want {
			rt.Errorf("the margin of the others is %s, that of their sums %s", got, want)
		}
	})
}

// A measure that looks at the members of a dimension stands beside measures that cannot be
// cut by it, and neither changes the other.
func TestConcentrationsStandBesideMeasuresWithoutTheirDimension(t *testing.T) {
	t.Parallel()
	c := sampled(t)
	p := period(t, "2026-02", "2026-06")
	for _, by := range [][]string{nil, {"client"}, {"month"}} {
		both, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"ticket_type_concentration", "revenue", "gross_margin"}, Dimensions: by, Period: p})
		if err != nil {
			t.Fatalf("by %v: %v", by, err)
		}
		n := len(by)
		for i, name := range []string{"ticket_type_concentration", "revenue", "gross_margin"} {
			alone, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{name}, Dimensions: by, Period: p})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for _, row := range alone.Rows {
				want[fmt.Sprint(row[:n])] = fmt.Sprint(row[n])
			}
			for _, row := range both.Rows {
				if got, key := fmt.Sprint(row[n+i]), fmt.Sprint(row[:n]); want[key] != "" && got != want[key] {
					t.Errorf("%s of %s beside others is %s, alone %s", name, key, got, want[key])
				}
			}
		}
	}
}
