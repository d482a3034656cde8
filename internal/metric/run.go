package metric

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// maxRows caps a result; more is an error, never a cut.
const maxRows = 100_000

// Query asks for measures, cut by dimensions.
type Query struct {
	Measures   []string           `json:"measures"`
	Dimensions []string           `json:"by,omitempty"`
	Where      string             `json:"where,omitempty"`
	Period     quantity.Period    `json:"period"`
	Compare    string             `json:"compare,omitempty"`  // "" or "previous"
	Order      []string           `json:"order,omitempty"`    // column names; "-" in front: descending
	Limit      int                `json:"limit,omitempty"`    // 0: all
	Snapshot   warehouse.Snapshot `json:"snapshot,omitempty"` // 0: the current one
}

// Column describes a column of a result.
type Column struct {
	Name string        `json:"name"`
	Unit quantity.Unit `json:"unit"`
	Type string        `json:"type"` // text, date or decimal
}

// Result is the answer to a query. A cell is a string (dimension; dates as 2026-03-01),
// a quantity.Decimal (measure), or nil; Reasons says why a measure is nil.
type Result struct {
	Columns            []Column            `json:"columns"`
	Rows               [][]any             `json:"rows"`
	Reasons            []map[string]string `json:"reasons,omitempty"` // by row: column -> why it is null
	Notes              []string            `json:"notes,omitempty"`   // what holds for the whole result
	Snapshot           warehouse.Snapshot  `json:"snapshot"`
	Period             quantity.Period     `json:"period"` // as asked, or the span of the data
	DefinitionVersions map[string]int      `json:"definition_versions"`
	SourceRows         int64               `json:"source_rows"` // stored or rolled-up rows that were added up
	DataUntil          quantity.Day        `json:"data_until"`  // month after the newest that holds dated rows
	Sources            []string            `json:"sources"`     // tables and roll-ups read
	ElapsedMS          float64             `json:"elapsed_ms"`
}

// question is a checked query.
type question struct {
	measures []*Measure
	base     []*Measure
	facts    []*fact
	dims     []string
	filter   *filter
	period   quantity.Period
	span     quantity.Period   // period, open ends filled from the data
	missing  map[string]string // base measure -> why there is no data for it
	until    quantity.Day
}

// Run answers a query, from the cache when the same was asked of the same snapshot.
func (c *Catalog) Run(ctx context.Context, scope tenant.Scope, q Query) (*Result, error) {
	start := time.Now()
	if q.Snapshot == 0 {
		var err error
		if q.Snapshot, err = c.w.Current(ctx, scope); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	key := string(scope.Tenant) + "\x00" + string(text)
	if r, ok := c.cache.GetIfPresent(key); ok {
		hit := *r
		hit.ElapsedMS = milliseconds(start)
		return &hit, nil
	}
	r, err := c.run(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	c.cache.Set(key, r)
	fresh := *r
	fresh.ElapsedMS = milliseconds(start)
	return &fresh, nil
}

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}

func (c *Catalog) run(ctx context.Context, scope tenant.Scope, q Query) (*Result, error) {
	if q.Compare == "previous" {
		return c.runCompared(ctx, scope, q)
	}
	checked, err := c.ask(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	r, err := c.answer(ctx, scope, q, checked)
	if err != nil {
		return nil, err
	}
	return r, order(r, q)
}

// ask checks a query against the catalog and the data, and reports all that is wrong.
func (c *Catalog) ask(ctx context.Context, scope tenant.Scope, q Query) (*question, error) {
	out := &question{dims: q.Dimensions, period: q.Period, missing: map[string]string{}}
	var wrong []fault.Field
	if len(q.Measures) == 0 {
		wrong = append(wrong, fault.Field{Path: "measures", Message: "name at least one measure", Allowed: c.names()})
	}
	if len(q.Measures) > 30 || len(q.Dimensions) > 8 {
		wrong = append(wrong, fault.Field{Path: "measures", Message: "at most 30 measures and 8 dimensions in one query"})
	}
	if q.Limit < 0 || q.Limit > maxRows {
		wrong = append(wrong, fault.Field{Path: "limit", Message: fmt.Sprintf("must be 0 (no limit) to %d", maxRows)})
	}
	if q.Compare != "" && q.Compare != "previous" {
		wrong = append(wrong, fault.Field{Path: "compare", Message: fmt.Sprintf("%q is not a comparison", q.Compare), Allowed: []string{"previous"}})
	}
	seen := map[string]bool{}
	for i, name := range q.Measures {
		m, ok := c.byName[name]
		if !ok || seen[name] {
			message := fmt.Sprintf("unknown measure %q%s", name, nearest(name, c.names()))
			if ok {
				message = fmt.Sprintf("%q is asked for twice", name)
			}
			wrong = append(wrong, fault.Field{Path: fmt.Sprintf("measures[%d]", i), Message: message, Allowed: c.names()})
			continue
		}
		seen[name] = true
		out.measures = append(out.measures, m)
	}
	for i, name := range q.Dimensions {
		if _, ok := c.dimension(name); !ok || slices.Contains(q.Dimensions[:i], name) {
			wrong = append(wrong, fault.Field{Path: fmt.Sprintf("by[%d]", i), Message: fmt.Sprintf("unknown or doubled dimension %q%s", name, nearest(name, dimensionNames(c))), Allowed: dimensionNames(c)})
		}
	}
	if len(wrong) > 0 {
		return nil, fault.WithFields("the query is not valid: "+wrong[0].Message, wrong...)
	}
	var err error
	if out.filter, err = c.parseFilter(q.Where); err != nil {
		return nil, err
	}
	for _, m := range out.measures {
		allowed := c.DimensionsOf(m)
		for _, d := range slices.Concat(q.Dimensions, out.filter.dims) {
			if !slices.Contains(allowed, d) && (m.Special == "" || dimensionSQL[d].key != "client_key") {
				wrong = append(wrong, fault.Field{Path: "by", Message: fmt.Sprintf("%s cannot be cut by %s", m.Name, d), Allowed: allowed})
			}
		}
		for _, b := range m.base {
			base := c.byName[b]
			if !slices.Contains(out.base, base) {
				out.base = append(out.base, base)
			}
			f := factOf(base.Fact)
			if !slices.Contains(out.facts, f) {
				out.facts = append(out.facts, f)
			}
			if f.monthly && !q.Period.WholeMonths() {
				wrong = append(wrong, fault.Field{Path: "period", Message: fmt.Sprintf("%s is known by month: begin and end the period on the first day of a month", m.Name)})
			}
		}
	}
	if len(wrong) > 0 {
		return nil, fault.WithFields("the query is not valid: "+wrong[0].Message, wrong...)
	}
	return out, c.lookAtData(ctx, scope, q.Snapshot, out)
}

// lookAtData finds the span of the data, to close open periods, and which measures have
// no data at all.
func (c *Catalog) lookAtData(ctx context.Context, scope tenant.Scope, snap warehouse.Snapshot, q *question) error {
	tables, err := c.w.Tables(ctx, scope, snap)
	if err != nil {
		return err
	}
	rows := map[string]int64{}
	var span quantity.Period
	for _, t := range tables {
		rows[t.Name] = t.Rows
		if len(t.Months) == 2 && slices.Contains([]string{"invoices", "time_entries", "tickets", "expenses"}, t.Name) {
			if span.From.IsZero() || t.Months[0].Before(span.From) {
				span.From = t.Months[0]
			}
			if end := t.Months[1].AddMonths(1); span.To.Before(end) {
				span.To = end
			}
		}
	}
	if span.From.IsZero() { // only stock tables: look at this month
		today := quantity.DayOf(time.Now().UTC())
		span = quantity.Period{From: today.Month(), To: today.AddMonths(1)}
	}
	q.until = span.To
	q.span = span
	if !q.period.From.IsZero() {
		q.span.From = q.period.From
	}
	if !q.period.To.IsZero() {
		q.span.To = q.period.To
	}
	if !q.span.From.Before(q.span.To) {
		q.span.From = q.span.To.AddDays(-1).Month()
	}
	if q.span.From.DaysUntil(q.span.To) > 36600 {
		return fault.Newf(fault.Invalid, "the period %s is longer than 100 years", q.span)
	}
	for _, m := range q.base {
		for _, t := range factOf(m.Fact).needs {
			if rows[t] == 0 {
				q.missing[m.Name] = "no " + strings.ReplaceAll(strings.Replace(t, "rollup_time_staff", "time_entries", 1), "_", " ") + " imported"
			}
		}
	}
	return nil
}

// answer runs a checked query and computes the formulas.
func (c *Catalog) answer(ctx context.Context, scope tenant.Scope, q Query, checked *question) (*Result, error) {
	special := slices.ContainsFunc(checked.measures, func(m *Measure) bool { return m.Special != "" })
	p := c.compile(checked)
	rows, err := c.w.Query(ctx, scope, warehouse.Statement{Snapshot: q.Snapshot, SQL: p.sql, Args: p.args, Uses: p.uses, MaxRows: maxRows})
	if err != nil {
		return nil, err
	}
	r := &Result{Snapshot: q.Snapshot, Period: checked.span, DefinitionVersions: map[string]int{}, DataUntil: checked.until, Sources: p.sources, Rows: [][]any{}}
	for _, d := range checked.dims {
		dim, _ := c.dimension(d)
		col := Column{Name: d, Unit: quantity.Text, Type: "text"}
		if dim.Time {
			col.Unit, col.Type = quantity.Date, "date"
		}
		r.Columns = append(r.Columns, col)
	}
	for _, m := range checked.measures {
		r.Columns = append(r.Columns, Column{Name: m.Name, Unit: m.Unit, Type: "decimal"})
		r.DefinitionVersions[m.Name] = m.Version
	}
	concentration := map[string]value{}
	if special {
		if concentration, err = c.concentration(ctx, scope, q, checked); err != nil {
			return nil, err
		}
	}
	for _, raw := range rows.Rows {
		row, reasons := c.cell(checked, raw, concentration)
		if n, ok := raw[len(raw)-1].(int64); ok {
			r.SourceRows += n
		}
		if len(checked.dims) > 0 && emptyCell(row[len(checked.dims):]) && len(checked.missing) == 0 && allZeroRows(raw) {
			continue
		}
		r.Rows = append(r.Rows, row)
		r.Reasons = append(r.Reasons, reasons)
	}
	for name, why := range checked.missing {
		note := name + ": " + why
		if c.byName[name].MissingIsZero {
			note += ", taken as 0"
		}
		r.Notes = append(r.Notes, note)
	}
	slices.Sort(r.Notes)
	if checked.period.To.IsZero() {
		r.Notes = append(r.Notes, "the newest month may be incomplete")
	}
	return r, nil
}

func allZeroRows(raw []any) bool { n, _ := raw[len(raw)-1].(int64); return n == 0 }

func emptyCell(cells []any) bool {
	return !slices.ContainsFunc(cells, func(v any) bool { return v != nil })
}

// cell turns one row of sums into dimension texts and measure values.
func (c *Catalog) cell(q *question, raw []any, concentration map[string]value) ([]any, map[string]string) {
	n := len(q.dims)
	row := make([]any, n, n+len(q.measures))
	for i := range q.dims {
		row[i] = dimensionText(raw[i])
	}
	sums := map[string]value{}
	lo, _ := raw[n+len(q.base)].(string)
	hi, _ := raw[n+len(q.base)+1].(string)
	for i, m := range q.base {
		v := value{number: asDecimal(raw[n+i])}
		if why := q.missing[m.Name]; why != "" && !m.MissingIsZero {
			v = value{reason: why}
		} else if lo != hi && isMoney(m.Unit) {
			v = value{reason: fmt.Sprintf("amounts are in %s and %s: cut by currency, or import exchange rates", lo, hi)}
		}
		sums[m.Name] = v
	}
	get := func(name string) value {
		switch name {
		case "months":
			return value{number: decimal.NewFromInt(int64(max(1, len(cellSpan(q, row).Months()))))}
		case "days":
			s := cellSpan(q, row)
			return value{number: decimal.NewFromInt(int64(s.From.DaysUntil(s.To)))}
		}
		if v, ok := sums[name]; ok {
			return v
		}
		return value{reason: name + " is not known here"}
	}
	var reasons map[string]string
	for _, m := range q.measures {
		v := c.evaluate(m, get)
		if m.Special != "" {
			var ok bool
			if v, ok = concentration[cellKey(row[:n])]; !ok {
				v = value{reason: "there is no revenue"}
			}
		}
		if v.reason != "" {
			if reasons == nil {
				reasons = map[string]string{}
			}
			reasons[m.Name] = v.reason
			row = append(row, nil)
			continue
		}
		row = append(row, v.number)
	}
	return row, reasons
}

// cellSpan is the period of a cell: its month, quarter or year when the query is cut so.
func cellSpan(q *question, row []any) quantity.Period {
	for i, d := range q.dims {
		text, _ := row[i].(string)
		day, err := quantity.ParseDay(text)
		if err != nil {
			continue
		}
		switch d {
		case "month":
			return quantity.MonthOf(day)
		case "quarter":
			return quantity.Period{From: day, To: day.AddMonths(3)}
		case "year":
			return quantity.Period{From: day, To: day.AddMonths(12)}
		case "week":
			return quantity.Period{From: day, To: day.AddDays(7)}
		case "day":
			return quantity.Period{From: day, To: day.AddDays(1)}
		}
	}
	return q.span
}

func isMoney(u quantity.Unit) bool { return u == quantity.Money || u == quantity.MoneyPerMonth }

func dimensionText(v any) any {
	switch v := v.(type) {
	case nil:
		return "none"
	case time.Time:
		return quantity.DayOf(v).String()
	case string:
		return v
	}
	return fmt.Sprint(v)
}

func asDecimal(v any) quantity.Decimal {
	switch v := v.(type) {
	case quantity.Decimal:
		return v
	case int64:
		return decimal.NewFromInt(v)
	case float64:
		return decimal.NewFromFloat(v)
	}
	return quantity.Decimal{}
}

func cellKey(dims []any) string { return fmt.Sprint(dims...) }

// concentration is the Herfindahl index of revenue over clients, by cell.
func (c *Catalog) concentration(ctx context.Context, scope tenant.Scope, q Query, checked *question) (map[string]value, error) {
	by := append(slices.Clone(q.Dimensions), "client")
	r, err := c.Run(ctx, scope, Query{Measures: []string{"revenue"}, Dimensions: by, Where: q.Where, Period: q.Period, Snapshot: q.Snapshot})
	if err != nil {
		return nil, err
	}
	total, squares := map[string]quantity.Decimal{}, map[string]quantity.Decimal{}
	n := len(q.Dimensions)
	for _, row := range r.Rows {
		v, ok := row[n+1].(quantity.Decimal)
		if !ok || v.Sign() <= 0 {
			continue
		}
		k := cellKey(row[:n])
		total[k] = total[k].Add(v)
		squares[k] = squares[k].Add(v.Mul(v))
	}
	out := map[string]value{}
	for k, t := range total {
		out[k] = value{number: squares[k].DivRound(t.Mul(t), divisionDigits)}
	}
	return out, nil
}

// runCompared puts each measure's value of the previous period, and the change, beside it.
func (c *Catalog) runCompared(ctx context.Context, scope tenant.Scope, q Query) (*Result, error) {
	if !q.Period.Bounded() {
		return nil, fault.WithFields("the comparison needs a period", fault.Field{Path: "compare", Message: "give --from and --to: the previous period is as long as this one"})
	}
	for _, d := range q.Dimensions {
		if dim, ok := c.dimension(d); ok && dim.Time {
			return nil, fault.WithFields("the comparison cannot be cut by time", fault.Field{Path: "by", Message: d + " cannot stand beside compare: each row is compared with the period before"})
		}
	}
	plain := q
	plain.Compare, plain.Order, plain.Limit = "", nil, 0
	now, err := c.Run(ctx, scope, plain)
	if err != nil {
		return nil, err
	}
	plain.Period = q.Period.Previous()
	before, err := c.Run(ctx, scope, plain)
	if err != nil {
		return nil, err
	}
	n := len(q.Dimensions)
	index := map[string][]any{}
	for _, row := range before.Rows {
		index[cellKey(row[:n])] = row
	}
	out := *now
	out.Columns = slices.Clone(now.Columns[:n])
	for _, col := range now.Columns[n:] {
		out.Columns = append(out.Columns, col, Column{col.Name + "_previous", col.Unit, col.Type}, Column{col.Name + "_change", col.Unit, col.Type})
	}
	out.Rows, out.Reasons = nil, nil
	add := func(row, old []any, reasons map[string]string) {
		line := slices.Clone(row[:n])
		for i := n; i < n+len(q.Measures); i++ {
			var a, b, change any = row[i], old[i], nil
			if x, ok := a.(quantity.Decimal); ok {
				if y, ok := b.(quantity.Decimal); ok {
					change = x.Sub(y)
				}
			}
			line = append(line, a, b, change)
		}
		out.Rows = append(out.Rows, line)
		out.Reasons = append(out.Reasons, reasons)
	}
	for i, row := range now.Rows {
		k := cellKey(row[:n])
		old, ok := index[k]
		if !ok {
			old = c.nothing(row[:n], q.Measures)
		}
		add(row, old, now.Reasons[i])
		delete(index, k)
	}
	for _, row := range before.Rows {
		if old, left := index[cellKey(row[:n])]; left {
			add(c.nothing(row[:n], q.Measures), old, nil)
		}
	}
	return &out, order(&out, q)
}

// nothing is the row of a cell that has no data in a period: sums are 0, formulas null.
func (c *Catalog) nothing(dims []any, measures []string) []any {
	row := slices.Clone(dims)
	for _, name := range measures {
		if c.byName[name].Base() {
			row = append(row, quantity.Decimal{})
		} else {
			row = append(row, nil)
		}
	}
	return row
}

// order sorts the rows as asked (by the dimensions when nothing is) and applies the limit.
func order(r *Result, q Query) error {
	type key struct {
		at   int
		desc bool
	}
	var keys []key
	for i, name := range q.Order {
		plain, desc := strings.CutPrefix(name, "-")
		at := slices.IndexFunc(r.Columns, func(c Column) bool { return c.Name == plain })
		if at < 0 {
			var names []string
			for _, c := range r.Columns {
				names = append(names, c.Name)
			}
			return fault.WithFields(fmt.Sprintf("cannot order by %q", plain), fault.Field{Path: fmt.Sprintf("order[%d]", i), Message: "not a column of the result", Allowed: names})
		}
		keys = append(keys, key{at, desc})
	}
	for i := range q.Dimensions {
		keys = append(keys, key{i, false})
	}
	index := make([]int, len(r.Rows))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int {
		for _, k := range keys {
			if d := compareCells(r.Rows[a][k.at], r.Rows[b][k.at], k.desc); d != 0 {
				return d
			}
		}
		return 0
	})
	rows, reasons := make([][]any, len(index)), make([]map[string]string, len(index))
	for i, at := range index {
		rows[i], reasons[i] = r.Rows[at], r.Reasons[at]
	}
	if q.Limit > 0 && len(rows) > q.Limit {
		r.Notes = append(slices.Clone(r.Notes), fmt.Sprintf("%d rows in all, the first %d are shown", len(rows), q.Limit))
		rows, reasons = rows[:q.Limit], reasons[:q.Limit]
	}
	r.Rows, r.Reasons = rows, reasons
	return nil
}

// compareCells orders texts and numbers; nulls come last either way.
func compareCells(a, b any, desc bool) int {
	if a == nil || b == nil {
		switch {
		case a == nil && b == nil:
			return 0
		case a == nil:
			return 1
		}
		return -1
	}
	d := 0
	if x, ok := a.(quantity.Decimal); ok {
		if y, ok := b.(quantity.Decimal); ok {
			d = x.Cmp(y)
		}
	} else {
		d = cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
	}
	if desc {
		return -d
	}
	return d
}
