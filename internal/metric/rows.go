package metric

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// SourceRows are the stored rows behind a number.
type SourceRows struct {
	Measure  string             `json:"measure"` // the base measure whose rows these are
	Table    string             `json:"table"`
	Columns  []string           `json:"columns"` // row_id, import_id, record, then what the measure reads; the last is the amount
	Rows     [][]any            `json:"rows"`
	Next     int                `json:"next,omitempty"` // offset of the next page; 0 when this is the last
	Snapshot warehouse.Snapshot `json:"snapshot"`
}

// RowsBehind returns the stored rows whose amounts add up to a base measure in a query's
// period and filter, largest amounts first. A measure with a formula has the rows of its
// base measures: ask for each of FlatInputs. q.Measures must name one base measure.
func (c *Catalog) RowsBehind(ctx context.Context, scope tenant.Scope, q Query, offset, limit int) (*SourceRows, error) {
	if len(q.Measures) != 1 {
		return nil, fault.Newf(fault.Invalid, "ask for the rows of one measure at a time")
	}
	m, err := c.Measure(q.Measures[0])
	if err != nil {
		return nil, err
	}
	if !m.Base() {
		return nil, fault.WithFields(fmt.Sprintf("%s is a formula: ask for the rows of its inputs", m.Name), fault.Field{Path: "measure", Message: "has no rows of its own", Allowed: m.base})
	}
	if limit <= 0 || limit > 1000 {
		limit = 100
	}
	if offset < 0 {
		return nil, fault.Newf(fault.Invalid, "the offset must not be negative")
	}
	q.Dimensions, q.Compare, q.Order, q.Limit = nil, "", nil, 0
	if q.Snapshot == 0 {
		if q.Snapshot, err = c.w.Current(ctx, scope); err != nil {
			return nil, err
		}
	}
	checked, err := c.ask(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	f := checked.facts[0]
	b := &builder{c: c, q: checked, used: map[string]bool{}}
	for _, t := range f.tables {
		b.use(t, quantity.Period{})
	}
	b.viewTables(f)
	var joins []string
	for _, d := range checked.filter.dims {
		if l := dimensionSQL[d].label; l != "" && !strings.Contains(strings.Join(joins, " "), labels[l].join) {
			joins = append(joins, labels[l].join)
			b.label(l)
		}
	}
	cols := []string{"f.row_id", "f.import_id", "f.record", "f.day"}
	out := &SourceRows{Measure: m.Name, Table: f.tables[0], Columns: []string{"row_id", "import_id", "record", "date"}, Snapshot: q.Snapshot, Rows: [][]any{}}
	for _, k := range f.keys {
		expr := "f." + k
		for dim, d := range dimensionSQL {
			if d.key == k && (dim == "client" || dim == "staff" || dim == "agreement") {
				expr = d.sql
				if !strings.Contains(strings.Join(joins, " "), labels[d.label].join) {
					joins = append(joins, labels[d.label].join)
					b.label(d.label)
				}
			}
		}
		cols = append(cols, expr+" AS "+k)
		out.Columns = append(out.Columns, strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(k, "_key"), "_id"), "_name"))
	}
	if f.money {
		cols = append(cols, "f.currency")
		out.Columns = append(out.Columns, "currency")
	}
	cols = append(cols, "f."+m.Column)
	out.Columns = append(out.Columns, m.Name)
	where := []string{"f." + m.Column + " IS NOT NULL", "f." + m.Column + " <> 0"}
	if !f.stock {
		if !checked.period.From.IsZero() {
			where = append(where, "f.day >= DATE "+warehouse.QuoteText(checked.period.From.String()))
		}
		if !checked.period.To.IsZero() {
			where = append(where, "f.day < DATE "+warehouse.QuoteText(checked.period.To.String()))
		}
	}
	where = append(where, checked.filter.sql(f, "", 1))
	sql := fmt.Sprintf("SELECT %s FROM (%s) f %s WHERE %s ORDER BY abs(f.%s) DESC, f.row_id LIMIT %d OFFSET %d",
		strings.Join(cols, ", "), f.view, strings.Join(joins, " "), strings.Join(where, " AND "), m.Column, limit+1, offset)
	if len(b.ctes) > 0 {
		sql = "WITH " + strings.Join(b.ctes, ",\n") + "\n" + sql
	}
	rows, err := c.w.Query(ctx, scope, warehouse.Statement{Snapshot: q.Snapshot, SQL: sql, Args: checked.filter.args, Uses: b.uses, MaxRows: limit + 1})
	if err != nil {
		return nil, err
	}
	for i, raw := range rows.Rows {
		if i == limit {
			out.Next = offset + limit
			break
		}
		raw[3] = dimensionText(raw[3])
		out.Rows = append(out.Rows, raw)
	}
	return out, nil
}
