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

// Special measures cannot be made of sums: each is computed in a statement of its own, cut
// as the question is, and laid beside the sums cell by cell. Formulas may use them.
//
// A median or p90 is of a column of a fact; its expr names the base measure that counts the
// values. A median is the middle value or the mean of the two middle ones, a p90 the
// smallest value that nine tenths do not exceed. With an open column the values are
// durations of which some still run: the Kaplan–Meier estimate, the smallest duration by
// which half (nine tenths) have ended [Kaplan and Meier 1958].

// specialValues are the values of special measures by name and cell.
type specialValues map[string]map[string]value

// everywhere is the key of what holds in every cell that has no value of its own.
const everywhere = ""

const nothing = "there is nothing to compute it from"

// at returns a special measure's value; ok is false when there is no such measure here.
func (s specialValues) at(name string, dims []any) (v value, ok bool) {
	cells, ok := s[name]
	if !ok {
		return v, false
	}
	if v, ok = cells[cellKey(dims)]; ok {
		return v, true
	}
	if v, ok = cells[everywhere]; !ok {
		v.reason = nothing
	}
	return v, true
}

// checkSpecial refuses a special measure that is not complete.
func (c *Catalog) checkSpecial(m *Measure) error {
	if len(m.formula.inputs) != 1 {
		return fmt.Errorf("%s is of one measure", m.Special)
	}
	of := c.byName[m.formula.inputs[0]]
	switch m.Special {
	case "median", "p90":
		if of == nil || !of.Base() {
			return fmt.Errorf("%s needs a base measure that counts its values", m.Special)
		}
		for _, column := range []string{m.Column, orElse(m.Open, m.Column)} {
			if _, ok := c.facts[of.Fact].column(column); !ok {
				return fmt.Errorf("fact %q has no column %q", of.Fact, column)
			}
		}
		return nil
	}
	return fmt.Errorf("special %q is not median or p90", m.Special)
}

// specials computes the special measures that a question needs.
func (c *Catalog) specials(ctx context.Context, scope tenant.Scope, q Query, checked *question) (specialValues, error) {
	out := specialValues{}
	for _, asked := range checked.measures {
		for _, name := range asked.special {
			if out[name] != nil {
				continue
			}
			m := c.byName[name]
			var err error
			if out[name], err = c.quantile(ctx, scope, q, checked, m); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// quantile is a median or p90 of a fact's column by cell.
func (c *Catalog) quantile(ctx context.Context, scope tenant.Scope, q Query, checked *question, m *Measure) (map[string]value, error) {
	f := c.factOf(m.base[0])
	if why := checked.extent.lacks(f); why != "" {
		return map[string]value{everywhere: {reason: why}}, nil
	}
	b := &builder{q: checked}
	r := b.read(f, nil, checked.dims)
	r.where = append(r.where, "f."+m.Column+" IS NOT NULL")
	var cols, names []string
	for i, d := range checked.dims {
		names = append(names, fmt.Sprintf("d%d", i+1))
		cols = append(cols, checked.expr(f, d, r.day)+" AS "+names[i])
	}
	sql := "SELECT " + strings.Join(append(cols, "f."+m.Column+"::DECIMAL(18,6) AS v", orElse(m.Open, "false")+" AS running"), ", ") + r.from()
	group := func(more ...string) string { return strings.Join(append(slices.Clone(names), more...), ", ") }
	switch {
	case m.Open != "":
		sql = survivalQuantile(sql, group, m.Special)
	case m.Special == "median":
		sql = "SELECT " + group("median(v)", "count(*)") + " FROM (" + sql + ")"
	default:
		sql = "SELECT " + group("quantile_disc(v, 0.9)", "count(*)") + " FROM (" + sql + ")"
	}
	if len(names) > 0 {
		sql += " GROUP BY " + group()
	}
	out := map[string]value{}
	_, err := c.w.Query(ctx, scope, warehouse.Statement{Obeys: checked.obeys, Snapshot: q.Snapshot, SQL: b.withHelpers(sql), Args: b.args, Uses: b.uses, Helpers: b.helpers, Blends: checked.blends, MaxRows: maxRows, Each: func(raw []any) {
		dims := make([]any, len(names))
		for i := range dims {
			dims[i] = dimensionText(raw[i])
		}
		v := value{number: asDecimal(raw[len(names)])}
		if raw[len(names)] == nil {
			v = value{reason: nothing}
			if n, _ := raw[len(names)+1].(int64); n > 0 {
				v.reason = "too many are still open to say by when they end"
			}
		}
		out[cellKey(dims)] = v
	}})
	return out, err
}

// Observed are the values that a median or p90 is of.
type Observed struct {
	Share   float64   // that the quantile is of: 0.5 or 0.9
	Values  []float64 // in the measure's unit
	Running []bool    // whether a value, a duration, still ran when it was looked at
}

// Observed returns the values behind a median or p90 over a query's period and condition;
// q.Measures names it alone, its dimensions and order are ignored. More than 100,000 values
// are a TooLarge fault.
func (c *Catalog) Observed(ctx context.Context, scope tenant.Scope, q Query) (*Observed, error) {
	c, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	m, err := c.Measure(q.Measures[0])
	if err != nil {
		return nil, err
	}
	if m.Special == "" {
		return nil, fault.Newf(fault.Invalid, "%s is no median", m.Name)
	}
	q = Query{rows: true, Measures: m.base[:1], Where: q.Where, Period: q.Period, Snapshot: q.Snapshot}
	if q.Snapshot == 0 {
		if q.Snapshot, err = c.w.Current(ctx, scope); err != nil {
			return nil, err
		}
	}
	if q, err = c.prepare(ctx, scope, q); err != nil {
		return nil, err
	}
	checked, err := c.ask(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	b := &builder{q: checked}
	r := b.read(checked.facts[0], nil, nil)
	r.where = append(r.where, "f."+m.Column+" IS NOT NULL")
	sql := "SELECT f." + m.Column + "::DECIMAL(18,6), " + orElse(m.Open, "false") + r.from()
	out := &Observed{Share: 0.5}
	if m.Special == "p90" {
		out.Share = 0.9
	}
	_, err = c.w.Query(ctx, scope, warehouse.Statement{Obeys: checked.obeys, Snapshot: q.Snapshot, SQL: b.withHelpers(sql), Args: b.args, Uses: b.uses, Helpers: b.helpers, MaxRows: maxRows, Each: func(raw []any) {
		out.Values = append(out.Values, asDecimal(raw[0]).InexactFloat64())
		out.Running = append(out.Running, raw[1] == true)
	}})
	return out, err
}

// survivalQuantile is the Kaplan–Meier quantile of values that may still run. The product
// of shares is a float and is only compared, with a tolerance for ties; the answer is one of
// the values.
func survivalQuantile(sql string, group func(...string) string, special string) string {
	left := "0.5"
	if special == "p90" {
		left = "0.1"
	}
	by := group()
	if by != "" {
		by = "PARTITION BY " + by + " "
	}
	sql = "SELECT " + group("v", "count(*) AS n", "count(*) FILTER (WHERE NOT running) AS ended") + " FROM (" + sql + ") GROUP BY " + group("v")
	sql = "SELECT *, sum(n) OVER (" + by + "ORDER BY v DESC) AS at_risk FROM (" + sql + ")"
	sql = "SELECT *, product(1 - ended::DOUBLE / at_risk) OVER (" + by + "ORDER BY v) AS surviving FROM (" + sql + ")"
	return "SELECT " + group("min(v) FILTER (WHERE surviving <= "+left+" + 1e-12)", "count(*)") + " FROM (" + sql + ")"
}
