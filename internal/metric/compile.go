package metric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// plan is a query ready to run. Its columns are: a column for each dimension, one for each
// base measure, the number of rows added up for each fact; for each base measure whose
// amounts may be in several currencies the smallest and the greatest of them; and for each
// fact whose amounts are converted the number of rows without an exchange rate and the first
// of their currencies.
type plan struct {
	sql     string
	args    []any
	uses    []warehouse.TableUse
	helpers []warehouse.Helper
	sources []string // the table or roll-up that each fact is read from
}

// compile translates a checked query: each fact is summed by the dimensions on its own,
// the parts are laid side by side and summed again, so that no join can multiply rows.
func compile(q *question) plan {
	b := &builder{q: q}
	var parts []string
	for i, f := range q.facts {
		// A fact without data adds no rows; one part must stay to give the columns.
		if q.extent.lacks(f) == "" || i == len(q.facts)-1 && len(parts) == 0 {
			parts = append(parts, b.part(i))
		}
	}
	var outer, groups []string
	for i := range q.dims {
		outer = append(outer, fmt.Sprintf("d%d", i+1))
	}
	groups = slices.Clone(outer)
	for _, m := range q.base {
		outer = append(outer, fmt.Sprintf("sum(%[1]s) AS %[1]s", m.Name))
	}
	for i := range q.facts {
		outer = append(outer, fmt.Sprintf("sum(n%[1]d)::BIGINT AS n%[1]d", i+1))
	}
	for i, m := range q.base {
		if q.mixed(m) {
			outer = append(outer, fmt.Sprintf("min(lo%[1]d) AS lo%[1]d, max(hi%[1]d) AS hi%[1]d", i+1))
		}
	}
	for i, f := range q.facts {
		if q.converts(f) {
			outer = append(outer, fmt.Sprintf("sum(bare%[1]d)::BIGINT AS bare%[1]d, min(code%[1]d) AS code%[1]d", i+1))
		}
	}
	sql := "SELECT " + strings.Join(outer, ", ") + " FROM (\n" + strings.Join(parts, "\nUNION ALL\n") + ")"
	if len(groups) > 0 {
		sql += " GROUP BY " + strings.Join(groups, ", ")
	}
	return plan{sql: b.withHelpers(sql), args: b.args, uses: b.uses, helpers: b.helpers, sources: b.sources}
}

type builder struct {
	q        *question
	helpers  []warehouse.Helper
	periodic []string
	args     []any
	uses     []warehouse.TableUse
	sources  []string
}

// part is the SELECT of one fact with all dimensions and, for its own, the measures.
func (b *builder) part(at int) string {
	q, f := b.q, b.q.facts[at]
	source := q.source(f)
	r := b.read(f, source, q.dims)
	var cols, groups []string
	for i, d := range q.dims {
		text := q.expr(f, d, r.day)
		cols = append(cols, fmt.Sprintf("%s AS d%d", text, i+1))
		groups = append(groups, text)
	}
	for _, m := range q.base {
		if m.Fact == f.Name && isMoney(m.Unit) && q.converts(f) {
			cols = append(cols, fmt.Sprintf("sum(f.%s * %s) AS %s", m.Column, q.factor(), m.Name))
		} else if m.Fact == f.Name {
			cols = append(cols, fmt.Sprintf("sum(f.%s) AS %s", m.Column, m.Name))
		} else {
			cols = append(cols, "NULL AS "+m.Name)
		}
	}
	for i := range q.facts {
		n := "0"
		if i == at {
			n = "count(*)"
		}
		cols = append(cols, fmt.Sprintf("%s AS n%d", n, i+1))
	}
	for i, m := range q.base {
		if !q.mixed(m) {
			continue
		}
		lo, hi := "NULL::VARCHAR", "NULL::VARCHAR"
		if m.fact == at { // an amount of 0 is in no currency
			some := " FILTER (WHERE f." + m.Column + " <> 0)"
			lo, hi = "min(f.currency)"+some, "max(f.currency)"+some
		}
		cols = append(cols, fmt.Sprintf("%s AS lo%d, %s AS hi%d", lo, i+1, hi, i+1))
	}
	for i, other := range q.facts {
		if !q.converts(other) {
			continue
		}
		bare, code := "0", "NULL::VARCHAR"
		if i == at {
			some := " FILTER (" + q.factor() + " IS NULL AND (" + q.someAmount(at) + "))"
			bare, code = "count(*)"+some, "min("+q.code()+")"+some
		}
		cols = append(cols, fmt.Sprintf("%s AS bare%d, %s AS code%d", bare, i+1, code, i+1))
	}
	sql := "SELECT " + strings.Join(cols, ", ") + r.from()
	if len(groups) > 0 {
		sql += " GROUP BY " + strings.Join(groups, ", ")
	}
	return sql
}

// converts reports whether a fact's amounts must be converted row by row.
func (q *question) converts(f *fact) bool {
	return q.currency != "" && f.Money && q.extent.lacks(f) == "" && q.extent.currency[f.Name] != q.currency
}

// code is the currency of an amount of f that is to be converted: one that names none is in the
// only one that the data names, if there is one.
func (q *question) code() string {
	if q.extent.house == "" {
		return "f.currency"
	}
	return "coalesce(f.currency, " + warehouse.QuoteText(q.extent.house) + ")"
}

// factor is what an amount of f is multiplied by: null without an exchange rate. Amounts
// in a currency that nothing names are taken as they are.
func (q *question) factor() string {
	return "CASE WHEN " + q.code() + " IS NULL OR " + q.code() + " = " + warehouse.QuoteText(q.currency) + " THEN 1::DECIMAL(18,6) ELSE fx.rate END"
}

// someAmount is the condition that a row of a fact has an amount that is asked for.
func (q *question) someAmount(fact int) string {
	any := "false"
	for _, m := range q.base {
		if m.fact == fact && isMoney(m.Unit) {
			any += " OR f." + m.Column + " <> 0"
		}
	}
	return any
}

// mixed reports whether the amounts of a base measure may be in several currencies.
func (q *question) mixed(m baseMeasure) bool {
	f := q.facts[m.fact]
	return f.Money && isMoney(m.Unit) && q.currency == "" && q.extent.lacks(f) == "" && q.extent.currency[f.Name] == ""
}

// reading is where the rows of a fact come from, and which of them are meant.
type reading struct {
	relation string
	joins    []string
	where    []string
	day      string // the column that dimensions of time are made of
}

func (r reading) from() string {
	sql := " FROM " + r.relation + " f"
	for _, j := range r.joins {
		sql += " " + j
	}
	if len(r.where) > 0 {
		sql += " WHERE " + strings.Join(r.where, " AND ")
	}
	return sql
}

// read prepares the rows of a fact, from a roll-up or, when source is nil, from the view,
// within the query's period and condition, with the labels of dims.
func (b *builder) read(f *fact, source *rollup, dims []string) reading {
	q := b.q
	v := q.viewOf(f, dims)
	r := reading{relation: "(" + q.withMarks(v.sql) + ")", day: "f.day"}
	switch {
	case source != nil && len(q.limits) > 0:
		h := q.visible(f, source, dims)
		r.relation, r.day = h.Name, "f."+source.day()
		b.sources, b.helpers = append(b.sources, source.Table), append(b.helpers, h)
	case source != nil:
		r.relation, r.day = warehouse.QuoteIdent(source.Table), "f."+source.day()
		b.sources = append(b.sources, source.Table)
		b.use(source.Table, q.period)
	default:
		b.sources = append(b.sources, f.Tables[0])
		for i, t := range f.Tables {
			p := quantity.Period{}
			if i == 0 && !f.Stock && !f.Monthly && !f.Whole {
				p = q.period
			}
			b.use(t, p)
		}
		b.with(v.with...)
	}
	for _, d := range q.read(dims) {
		s := dimensionSQL[d]
		if fiscal(d) && q.calendar.Weeks != "" {
			s.join = q.fiscalJoin(r.day)
		}
		if s.join != "" && !slices.Contains(r.joins, s.join) {
			r.joins = append(r.joins, s.join)
			b.with(s.with)
		}
	}
	if q.converts(f) {
		b.with("fx")
		r.joins = append(r.joins, "LEFT JOIN fx ON fx.from_currency = "+q.code()+" AND f.day >= fx.first AND f.day < fx.until")
	}
	if !f.Stock {
		if !q.period.From.IsZero() {
			r.where = append(r.where, r.day+" >= "+dateText(q.period.From))
		}
		if !q.period.To.IsZero() {
			r.where = append(r.where, r.day+" < "+dateText(q.period.To))
		}
	}
	if source == nil { // otherwise what cannot be seen is not in the sums
		for _, l := range q.limits {
			r.where = append(r.where, l.on(f))
		}
	}
	if q.where.text != "" {
		r.where = append(r.where, q.where.sql(q, f, r.day, len(b.args)+1))
		b.args = append(b.args, q.where.args...)
	}
	return r
}

// viewOf is the view of a fact, without rates where hours are all that is asked for.
func (q *question) viewOf(f *fact, dims []string) view {
	if f.Name != "time" || q.rows || q.converts(f) || slices.Contains(q.read(dims), "currency") {
		return f.view
	}
	for _, m := range q.base {
		if q.facts[m.fact] == f && !slices.Contains(hoursColumns, m.Column) {
			return f.view
		}
	}
	return hoursView
}

// source chooses the first roll-up that can answer, nil for the base table.
func (q *question) source(f *fact) *rollup {
	if len(q.blends) > 0 || q.converts(f) || len(q.where.attributes) > 0 {
		return nil
	}
	keys, steps := q.cutKeys(q.dims)
	var can []*rollup
	for i, r := range f.Rollups {
		if r.answers(q.period, steps) && r.has(keys) {
			can = append(can, &f.Rollups[i])
		}
	}
	return q.visibleIn(f, can)
}

// cutKeys returns the keys and the steps of time that a question with these dimensions tells apart.
func (q *question) cutKeys(dims []string) (keys []string, steps []step) {
	for _, d := range q.read(dims) {
		if key := q.keys[d]; key == "" {
			steps = append(steps, q.step(d))
		} else if key != "currency" {
			keys = append(keys, key)
		}
	}
	return keys, steps
}

// expr returns the SQL over f of what the query is cut by.
func (q *question) expr(f *fact, dim, day string) string {
	if s := q.segments[dim]; s != nil {
		return "CASE WHEN " + s.where.literal(q, f, day) + " THEN " + warehouse.QuoteText(s.inside) + " ELSE " + warehouse.QuoteText(s.outside) + " END"
	}
	if t := q.top; t != nil && t.Dimension == dim {
		return t.expr(f.expr(dim, day))
	}
	if fiscal(dim) {
		return q.fiscalExpr(dim, day)
	}
	return f.expr(dim, day)
}

// read returns the dimensions that must be read for those of a query and its condition.
func (q *question) read(dims []string) []string {
	out := []string{}
	for _, d := range slices.Concat(dims, q.where.dims) {
		if s := q.segments[d]; s != nil {
			out = union(out, s.where.dims)
		} else {
			out = union(out, []string{d})
		}
	}
	return out
}

// step is a dimension of time with the question's calendar.
func (q *question) step(dim string) step { return step{dim, q.calendar} }

// expr returns a dimension's SQL over f.
func (f *fact) expr(dim, day string) string {
	switch dim {
	case "day":
		return day
	case "week", "month", "quarter", "year":
		return startOf(dim, day)
	}
	return dimensionSQL[dim].sql
}

// attribute is the SQL of what a row's import said in a column that no field takes, blank
// when it said nothing. It is looked up in the fact's first table.
func (f *fact) attribute(name string) string {
	return fmt.Sprintf(`coalesce((SELECT json_extract_string(x.attributes, %s) FROM %s x WHERE x.row_id = f.row_id), '')`, warehouse.QuoteText(`$."`+name+`"`), warehouse.QuoteIdent(f.Tables[0]))
}

// use notes a table that is read; two parts of one table are all of it.
func (b *builder) use(table string, p quantity.Period) {
	for i, u := range b.uses {
		if u.Name == table {
			if u.Period != p {
				b.uses[i].Period = quantity.Period{}
			}
			return
		}
	}
	b.uses = append(b.uses, warehouse.TableUse{Name: table, Period: p})
}

// with adds helpers: those that depend on the query's period to its text, after those that
// they read; the others as relations that the warehouse keeps.
func (b *builder) with(names ...string) {
	for _, n := range names {
		if n == "" || slices.Contains(b.periodic, n) || slices.ContainsFunc(b.helpers, func(h warehouse.Helper) bool { return h.Name == n }) {
			continue
		}
		if !isPeriodic(n) {
			b.helpers = append(b.helpers, standing(n, b.q))
			continue
		}
		b.with(helpers[n].needs...)
		b.periodic = append(b.periodic, n)
		if n == "workdays" {
			b.use("holidays", quantity.Period{})
		}
		for _, t := range helpers[n].tables {
			b.use(t, quantity.Period{})
		}
	}
}

func isPeriodic(helper string) bool {
	return helper == "look" || helper == "workdays" || helper == "period_months" || helper == "fx" || slices.ContainsFunc(helpers[helper].needs, isPeriodic)
}

// standing is a helper that depends on the stored tables, the day and the tenant only.
func standing(name string, q *question) warehouse.Helper {
	h := warehouse.Helper{Name: name}
	var ctes []string
	for _, n := range withNeeds([]string{name}, nil) {
		h.Tables = union(h.Tables, helpers[n].tables)
		if n == name {
			h.SQL = q.withMarks(withText(ctes, helpers[n].sql))
		}
		ctes = append(ctes, n+" AS ("+helpers[n].sql+")")
	}
	return h
}

func (b *builder) withHelpers(sql string) string {
	var ctes []string
	for _, n := range b.periodic {
		text := helpers[n].sql
		switch n {
		case "look":
			text = b.q.look()
		case "spans":
			text = b.q.spans()
		case "period_months":
			text = b.q.months()
		case "month_parts":
			text = b.q.parts()
		case "workdays":
			text = b.q.workdays()
		case "fx":
			text = b.q.rates()
		}
		ctes = append(ctes, n+" AS ("+text+")")
	}
	return withText(ctes, sql)
}

func withText(ctes []string, sql string) string {
	if len(ctes) == 0 {
		return sql
	}
	return "WITH " + strings.Join(ctes, ",\n") + "\n" + sql
}

// rates is the exchange rates to the query's currency with the days that they hold: from
// their date to the next one's, at most a month. A pair that is only known the other way
// round is inverted.
func (q *question) rates() string {
	to := warehouse.QuoteText(q.currency)
	direct := "FROM exchange_rates WHERE rate > 0 AND upper(to_currency) = " + to
	return "SELECT from_currency, rate, date AS first, least(coalesce(lead(date) OVER (PARTITION BY from_currency ORDER BY date), " + plus("date", 32, "DAY") + "), " + plus("date", 32, "DAY") + `) AS until
  FROM (SELECT from_currency, date, arg_min(rate, source_id) AS rate FROM (
      SELECT upper(from_currency) AS from_currency, date, source_id, rate::DECIMAL(20,10) AS rate ` + direct + `
      UNION ALL SELECT upper(to_currency), date, source_id, ` + inverted("rate") + ` FROM exchange_rates
      WHERE rate > 0 AND upper(from_currency) = ` + to + ` AND upper(to_currency) NOT IN (SELECT upper(from_currency) ` + direct + ` AND from_currency IS NOT NULL))
    GROUP BY 1, 2)`
}

// look is the days that stock measures look at: the last day of each month (quarter, year)
// when the query is cut by time, the last of them not after asOf; otherwise asOf.
func (q *question) look() string {
	last := dateText(q.asOf)
	at := finest(q.dims)
	if at == len(timeSteps) {
		return "SELECT " + last + " AS day, " + startOf("month", last) + " AS month"
	}
	step := timeSteps[at]
	if fiscal(step) {
		return q.lastDays(q.step(step))
	}
	day := "least(" + plus("first", 1, step) + " - 1, " + last + ")"
	return "SELECT " + day + " AS day, " + startOf("month", day) + " AS month FROM (SELECT " + each(step, startOf(step, dateText(q.span.From)), last) + " AS first)"
}

// spans is the two ends of each cell: the day before it, eve, and its last day, day.
func (q *question) spans() string {
	eve := dateText(q.span.From.AddDays(-1))
	if at := finest(q.dims); at < len(timeSteps) {
		eve = "greatest(" + q.expr(nil, timeSteps[at], "day") + " - 1, " + eve + ")"
	}
	return "SELECT least(" + eve + ", day) AS eve, day, month FROM look"
}

// months is the months of the period, up to the end of the data, with the day after each.
func (q *question) months() string {
	first := dateText(q.counted.From.Month())
	return "SELECT month, " + plus("month", 1, "MONTH") + " AS next FROM (SELECT " + each("MONTH", first, dateText(q.counted.To.AddDays(-1))) + " AS month)"
}

// parts is the months of the period cut at its ends and wherever a step of time begins that
// the query is cut or filtered by: the first day of each part, and the days of its month
// before it (since), up to its end (until) and in all.
func (q *question) parts() string {
	from, to := dateText(q.counted.From), dateText(q.counted.To)
	starts := "SELECT month AS first FROM period_months"
	for _, d := range q.read(q.dims) {
		if slices.Contains(timeSteps, d) && !q.step(d).byMonth() {
			starts += " UNION ALL " + q.starts(q.step(d))
		}
	}
	return "SELECT first, m.month, " + daysFrom("m.month", "first") + " AS since, " + daysFrom("m.month", "until") + " AS until, " + daysFrom("m.month", "m.next") + ` AS days
  FROM (SELECT first, coalesce(lead(first) OVER (ORDER BY first), ` + to + `) AS until FROM (SELECT DISTINCT greatest(first, ` + from + `) AS first FROM (` + starts + `)) WHERE first < ` + to + `) p
  JOIN period_months m ON p.first >= m.month AND p.first < m.next`
}

// starts is the first days of the steps that the period touches.
func (q *question) starts(s step) string {
	last := q.counted.To.AddDays(-1)
	if !fiscal(s.name) {
		return "SELECT " + each(s.name, startOf(s.name, dateText(q.counted.From)), dateText(last))
	}
	var days []string
	for d := s.start(q.counted.From); !last.Before(d); d = s.add(d, 1) {
		days = append(days, "("+dateText(d)+")")
	}
	return "SELECT first FROM (VALUES " + strings.Join(days, ", ") + ") v(first)"
}

// workdays is the weekdays of the period, up to the end of the data, that are no public
// holidays.
func (q *question) workdays() string {
	return "SELECT day FROM (SELECT " + each("DAY", dateText(q.counted.From), dateText(q.counted.To.AddDays(-1))) + " AS day) WHERE " + isWeekday("day") +
		" AND day NOT IN (SELECT date FROM holidays WHERE date IS NOT NULL)"
}
