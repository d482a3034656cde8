package metric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// labels are the tables that turn keys into what people read. They are small.
var labels = map[string]struct{ tables, sql, join string }{
	"client": {"clients aliases", `current_clients AS (SELECT client_key, industry, account_manager, CASE WHEN is_internal THEN 'internal' ELSE lower(coalesce(status, 'active')) END AS status
  FROM (SELECT *, row_number() OVER (PARTITION BY client_key ORDER BY valid_from DESC NULLS LAST, source_system, source_id) AS nth FROM clients) WHERE nth = 1),
client_aliases AS (SELECT key, min(canonical) AS canonical FROM aliases WHERE kind = 'client' GROUP BY key),
client_labels AS (SELECT k.key, k.client, c.industry, c.account_manager, c.status FROM (
    SELECT key, canonical AS client FROM client_aliases UNION ALL
    SELECT client_key, client_key FROM current_clients WHERE client_key NOT IN (SELECT key FROM client_aliases)) k
  LEFT JOIN current_clients c ON c.client_key = k.client)`, "LEFT JOIN client_labels cl ON cl.key = f.client_key"},
	"staff": {"people staff", `staff_labels AS (SELECT p.person_key, p.name, s.team, s.role FROM (SELECT person_key, min(coalesce(name, email)) AS name FROM people GROUP BY 1) p
  LEFT JOIN (SELECT *, row_number() OVER (PARTITION BY staff_key ORDER BY valid_from DESC NULLS LAST, source_system, source_id) AS nth FROM staff) s ON s.staff_key = p.person_key AND s.nth = 1)`,
		"LEFT JOIN staff_labels sl ON sl.person_key = f.staff_key"},
	"agreement": {"agreements", `agreement_labels AS (SELECT agreement_id, agreement_name, client_key FROM (SELECT *, row_number() OVER (PARTITION BY agreement_id ORDER BY valid_from DESC NULLS LAST, source_system, source_id) AS nth FROM agreements WHERE agreement_id IS NOT NULL) WHERE nth = 1)`,
		"LEFT JOIN agreement_labels al ON al.agreement_id = f.agreement_id"},
}

// dimensionSQL says which key a dimension needs, which labels, and its SQL over f.
var dimensionSQL = map[string]struct{ key, label, sql string }{
	"client":           {"client_key", "client", "coalesce(cl.client, f.client_key, 'unassigned')"},
	"client_status":    {"client_key", "client", "coalesce(cl.status, 'unknown')"},
	"industry":         {"client_key", "client", "coalesce(cl.industry, 'unknown')"},
	"account_manager":  {"client_key", "client", "coalesce(cl.account_manager, 'none')"},
	"agreement":        {"agreement_id", "agreement", "CASE WHEN f.agreement_id IS NULL THEN 'no agreement' ELSE coalesce(al.agreement_name || ' (' || al.client_key || ')', f.agreement_id) END"},
	"revenue_category": {"revenue_category", "", "f.revenue_category"},
	"staff":            {"staff_key", "staff", "coalesce(sl.name, f.staff_key, 'unassigned')"},
	"team":             {"staff_key", "staff", "coalesce(sl.team, 'none')"},
	"role":             {"staff_key", "staff", "coalesce(sl.role, 'none')"},
	"work_type":        {"work_type", "", "coalesce(f.work_type, 'none')"},
	"product":          {"product_name", "", "coalesce(f.product_name, 'none')"},
	"vendor":           {"vendor", "", "coalesce(f.vendor, 'none')"},
	"ticket_type":      {"ticket_type", "", "coalesce(f.ticket_type, 'none')"},
	"priority":         {"priority", "", "coalesce(f.priority, 'none')"},
}

// has reports whether the fact can be cut by a dimension.
func (f *fact) has(dim string) bool {
	switch dim {
	case "month", "quarter", "year":
		return true
	case "day", "week":
		return !f.stock && !f.monthly
	case "currency":
		return f.money
	}
	return slices.Contains(f.keys, dimensionSQL[dim].key)
}

// expr returns a dimension's SQL over f; source is the table f comes from.
func (f *fact) expr(dim, source string) string {
	day := "f.day"
	if source != "" {
		day = "f.month"
	}
	switch dim {
	case "day":
		return day
	case "week", "quarter", "year":
		return fmt.Sprintf("date_trunc('%s', %s)::DATE", dim, day)
	case "month":
		if f.stock {
			return "f.month"
		}
		return fmt.Sprintf("date_trunc('month', %s)::DATE", day)
	case "currency":
		return "coalesce(f.currency, 'none')"
	}
	return dimensionSQL[dim].sql
}

// plan is a query ready to run.
type plan struct {
	sql     string
	args    []any
	uses    []warehouse.TableUse
	sources []string // for tests and lineage: the table or roll-up each fact is read from
}

// compile translates a checked query: each fact is summed by the dimensions on its own,
// the parts are laid side by side and summed again, so that no join can multiply rows.
func (c *Catalog) compile(q *question) plan {
	b := &builder{c: c, q: q, used: map[string]bool{}}
	var parts []string
	for _, f := range q.facts {
		parts = append(parts, b.part(f))
	}
	var outer []string
	for i := range q.dims {
		outer = append(outer, fmt.Sprintf("d%d", i+1))
	}
	for _, m := range q.base {
		outer = append(outer, fmt.Sprintf("sum(%s) AS %s", m.Name, m.Name))
	}
	outer = append(outer, "min(lo) AS lo", "max(hi) AS hi", "sum(n)::BIGINT AS n")
	sql := "SELECT " + strings.Join(outer, ", ") + " FROM (\n" + strings.Join(parts, "\nUNION ALL\n") + ")"
	if len(q.dims) > 0 {
		var groups []string
		for i := range q.dims {
			groups = append(groups, fmt.Sprintf("d%d", i+1))
		}
		sql += " GROUP BY " + strings.Join(groups, ", ")
	}
	if len(b.ctes) > 0 {
		sql = "WITH " + strings.Join(b.ctes, ",\n") + "\n" + sql
	}
	return plan{sql: sql, args: b.args, uses: b.uses, sources: b.sources}
}

type builder struct {
	c       *Catalog
	q       *question
	ctes    []string
	args    []any
	uses    []warehouse.TableUse
	sources []string
	used    map[string]bool
}

// part is the SELECT of one fact with all dimensions and, for its own, the measures.
func (b *builder) part(f *fact) string {
	q := b.q
	source := b.source(f)
	b.sources = append(b.sources, orName(source, f.tables[0]))
	from := "(" + f.view + ") f"
	if source != "" {
		from = warehouse.QuoteIdent(source) + " f"
		b.use(source, q.period)
	} else {
		for i, t := range f.tables {
			p := quantity.Period{}
			if i == 0 && !f.stock && !f.monthly {
				p = q.period
			}
			b.use(t, p)
		}
		b.viewTables(f)
	}
	var joins []string
	for _, d := range slices.Concat(q.dims, q.filter.dims) {
		if l := dimensionSQL[d].label; l != "" && !slices.Contains(joins, labels[l].join) {
			joins = append(joins, labels[l].join)
			b.label(l)
		}
	}
	var cols, groups []string
	for i, d := range q.dims {
		cols = append(cols, fmt.Sprintf("%s AS d%d", f.expr(d, source), i+1))
		groups = append(groups, f.expr(d, source))
	}
	for _, m := range q.base {
		if m.Fact == f.name {
			cols = append(cols, fmt.Sprintf("sum(f.%s) AS %s", m.Column, m.Name))
		} else {
			cols = append(cols, "NULL AS "+m.Name)
		}
	}
	if f.money {
		cols = append(cols, "min(f.currency) AS lo", "max(f.currency) AS hi")
	} else {
		cols = append(cols, "NULL::VARCHAR AS lo", "NULL::VARCHAR AS hi")
	}
	cols = append(cols, "count(*) AS n")
	where := []string{}
	if !f.stock {
		day := f.expr("day", source)
		if !q.period.From.IsZero() {
			where = append(where, day+" >= DATE "+warehouse.QuoteText(q.period.From.String()))
		}
		if !q.period.To.IsZero() {
			where = append(where, day+" < DATE "+warehouse.QuoteText(q.period.To.String()))
		}
	}
	if q.filter.text != "" {
		first := len(b.args) + 1
		where = append(where, q.filter.sql(f, source, first))
		b.args = append(b.args, q.filter.args...)
	}
	sql := "SELECT " + strings.Join(cols, ", ") + " FROM " + from + " " + strings.Join(joins, " ")
	if len(where) > 0 {
		sql += " WHERE " + strings.Join(where, " AND ")
	}
	if len(groups) > 0 {
		sql += " GROUP BY " + strings.Join(groups, ", ")
	}
	return sql
}

func orName(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// source chooses the smallest roll-up that can answer, "" for the base table.
func (b *builder) source(f *fact) string {
	q := b.q
	if !q.period.WholeMonths() {
		return ""
	}
	for _, d := range slices.Concat(q.dims, q.filter.dims) {
		if d == "day" || d == "week" {
			return ""
		}
	}
	for _, r := range f.rollups {
		fits := true
		for _, d := range slices.Concat(q.dims, q.filter.dims) {
			if key := dimensionSQL[d].key; key != "" && !slices.Contains(r.keys, key) {
				fits = false
			}
		}
		if fits {
			return r.table
		}
	}
	return ""
}

func (b *builder) use(table string, p quantity.Period) {
	for i, u := range b.uses {
		if u.Name == table {
			if u.Period != p {
				b.uses[i].Period = quantity.Period{} // two parts of one table: take all of it
			}
			return
		}
	}
	b.uses = append(b.uses, warehouse.TableUse{Name: table, Period: p})
}

func (b *builder) cte(name, sql string) {
	if !b.used[name] {
		b.used[name] = true
		b.ctes = append(b.ctes, sql)
	}
}

func (b *builder) label(l string) {
	for _, t := range strings.Fields(labels[l].tables) {
		b.use(t, quantity.Period{})
	}
	b.cte("label "+l, labels[l].sql)
}

// viewTables adds the helper tables that a fact's view reads.
func (b *builder) viewTables(f *fact) {
	switch {
	case f == &timeFact:
		b.cte("staff_rates", staffRates)
		b.cte("cost_known", costKnown)
	case f == &capacityFact:
		span := b.q.span
		sql := strings.NewReplacer("$from", warehouse.QuoteText(span.From.Month().String()), "$to", warehouse.QuoteText(span.To.String())).Replace(capacityTables)
		b.cte("capacity", sql)
	case f.stock:
		b.cte("look", b.q.asOf())
	}
}

// asOf is the table of days that stock measures look at: each month's last day when the
// query is cut by time, otherwise the period's last day.
func (q *question) asOf() string {
	cut := ""
	for _, d := range q.dims {
		switch d {
		case "month", "quarter", "year":
			if cut != "month" {
				cut = d
			}
		}
	}
	last := q.span.To.AddDays(-1)
	if cut == "" {
		return fmt.Sprintf("look AS (SELECT DATE '%s' AS day, date_trunc('month', DATE '%s')::DATE AS month)", last, last)
	}
	return fmt.Sprintf("look AS (SELECT least((m + INTERVAL 1 %[1]s)::DATE - 1, DATE '%[2]s') AS day, date_trunc('month', least((m + INTERVAL 1 %[1]s)::DATE - 1, DATE '%[2]s'))::DATE AS month FROM (SELECT unnest(generate_series(date_trunc('%[1]s', DATE '%[3]s'), DATE '%[2]s', INTERVAL 1 %[1]s)) AS m))",
		cut, last, q.span.From)
}
