package metric

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Top keeps the first members of a dimension by a measure over the whole period; all others
// are one row, "others", computed from their sums together, so that totals reconcile.
type Top struct {
	N int `json:"n"` // 1 to 1000
	// By is the measure, the query's first unless given; "-" in front: the smallest first.
	By string `json:"by,omitempty"`
	// Dimension is whose members they are: may be left out when the query is cut by one only
	// that is not time.
	Dimension string `json:"dimension,omitempty"`
}

// others is what the row of all other members is called.
const others = "others"

// top is a Top with its members, in order.
type top struct {
	Top
	members []string
	others  string
}

// expr is the dimension with all but the first members put together.
func (t *top) expr(dimension string) string {
	if len(t.members) == 0 {
		return warehouse.QuoteText(t.others)
	}
	names := make([]string, len(t.members))
	for i, m := range t.members {
		names[i] = warehouse.QuoteText(m)
	}
	return "CASE WHEN " + dimension + " IN (" + strings.Join(names, ", ") + ") THEN " + dimension + " ELSE " + warehouse.QuoteText(t.others) + " END"
}

// place is where a member stands: others come last.
func (t *top) place(member any) int {
	text, _ := member.(string)
	if at := slices.Index(t.members, text); at >= 0 {
		return at
	}
	return len(t.members)
}

// findTop looks up the first members that a query asks for.
func (c *Catalog) findTop(ctx context.Context, scope tenant.Scope, q *Query) error {
	if q.Top == nil || q.top != nil {
		return nil
	}
	t := *q.Top
	wrong := func(path, format string, args ...any) error {
		message := fmt.Sprintf(format, args...)
		return fault.WithFields("the query is not valid: "+message, fault.Field{Path: path, Message: message})
	}
	if t.N < 1 || t.N > 1000 {
		return wrong("top.n", "top must be 1 to 1000 members")
	}
	if len(q.hidden) > 0 {
		return wrong("top", "top and a condition on a measure cannot stand together: the others would not be all others; save the condition as a segment and filter by that")
	}
	if t.Dimension == "" {
		for _, d := range q.Dimensions {
			if slices.Contains(timeSteps, d) {
				continue
			}
			if t.Dimension != "" {
				return wrong("top.dimension", "say of which dimension: the query is cut by several")
			}
			t.Dimension = d
		}
	}
	if !slices.Contains(q.Dimensions, t.Dimension) || slices.Contains(timeSteps, t.Dimension) || strings.HasPrefix(t.Dimension, segmentCut) {
		return wrong("top.dimension", "top needs a dimension that the query is cut by and that is not time")
	}
	if t.By == "" && len(q.Measures) > 0 {
		t.By = q.Measures[0]
	}
	measure, smallest := strings.CutPrefix(t.By, "-")
	if _, err := c.Measure(measure); err != nil {
		return err
	}
	ask := Query{Measures: []string{measure}, Dimensions: []string{t.Dimension}, Where: q.Where, Period: q.Period, Currency: q.Currency, Snapshot: q.Snapshot, Order: []string{"-" + measure}, members: q.members}
	if smallest {
		ask.Order = []string{measure}
	}
	r, err := c.runPlain(ctx, scope, ask)
	if err != nil {
		return err
	}
	q.top = &top{Top: t, others: others}
	for _, row := range r.Rows {
		if len(q.top.members) == t.N || row[1] == nil {
			break
		}
		name, _ := row[0].(string)
		q.top.members = append(q.top.members, name)
		if name == q.top.others {
			q.top.others = "(all " + others + ")"
		}
	}
	return nil
}
