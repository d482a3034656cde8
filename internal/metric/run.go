package metric

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Column describes a column of a result.
type Column struct {
	Name string        `json:"name"`
	Unit quantity.Unit `json:"unit"`
	Type string        `json:"type"` // text, date or decimal
}

// Result is the answer to a query. A cell is a string (dimension; dates as 2026-03-01),
// a quantity.Decimal (measure), or nil; Reasons says why a measure is nil. It is shared
// with later callers: do not change its rows.
type Result struct {
	Columns            []Column            `json:"columns"`
	Rows               [][]any             `json:"rows"`
	RowCount           int                 `json:"row_count"`
	Reasons            []map[string]string `json:"reasons,omitempty"` // by row: column -> why it is null
	Notes              []string            `json:"notes,omitempty"`   // what holds for the whole result
	Snapshot           warehouse.Snapshot  `json:"snapshot"`
	Period             quantity.Period     `json:"period"`             // as asked, or the span of the data
	Currency           string              `json:"currency,omitempty"` // of the amounts, when the data names one and only one
	DefinitionVersions map[string]int      `json:"definition_versions"`
	SourceRows         int64               `json:"source_rows"`  // stored or rolled-up rows that were added up
	DataUntil          quantity.Day        `json:"data_until"`   // month after the newest that holds dated rows
	DataThrough        quantity.Day        `json:"data_through"` // newest day that dated rows have
	// AsOf is the day that stock measures look at: the period's end, or the data's if that
	// comes first; the last one when the query is cut by time. Zero without stock measures.
	AsOf quantity.Day `json:"as_of,omitzero"`
	// PartialMonth is the newest month of the data when the result includes it and it is
	// not over or its data does not reach its end; zero otherwise. Leave it out of trends.
	PartialMonth quantity.Day `json:"partial_month,omitzero"`
	Sources      []string     `json:"sources"` // tables and roll-ups read
	ElapsedMS    float64      `json:"elapsed_ms"`
}

// Run answers a query, from the cache when the same was asked of the same snapshot.
//
// Errors: Invalid with every wrong part listed, NotFound for an unknown snapshot, TooLarge
// when the result has more than 100,000 rows, Canceled when time or the caller ran out.
func (c *Catalog) Run(ctx context.Context, scope tenant.Scope, q Query) (*Result, error) {
	start := time.Now()
	q = q.normal()
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
	// The day is part of the key: it decides which month is partial and which rows hold.
	key := fmt.Sprintf("%s\x00%s\x00%s", scope.Tenant, quantity.DayOf(c.now().UTC()), text)
	r, ok := c.cache.GetIfPresent(key)
	if ok {
		c.hits.Add(1)
	} else {
		c.misses.Add(1)
		if r, err = c.run(ctx, scope, q); err != nil {
			return nil, err
		}
		c.cache.Set(key, r)
	}
	out := *r
	out.ElapsedMS = float64(time.Since(start).Microseconds()) / 1000
	return &out, nil
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

// answer runs a checked query and computes the formulas.
func (c *Catalog) answer(ctx context.Context, scope tenant.Scope, q Query, checked *question) (*Result, error) {
	p := compile(checked)
	rows, err := c.w.Query(ctx, scope, warehouse.Statement{Snapshot: q.Snapshot, SQL: p.sql, Args: p.args, Uses: p.uses, MaxRows: maxRows})
	if err != nil {
		return nil, err
	}
	r := c.head(q, checked)
	r.Sources = p.sources
	var concentration map[string]value
	if slices.ContainsFunc(checked.measures, func(m *Measure) bool { return m.Special != "" }) {
		if concentration, err = c.concentration(ctx, scope, q); err != nil {
			return nil, err
		}
	}
	currencies := map[string]bool{}
	for _, raw := range rows.Rows {
		s := c.sums(checked, raw)
		r.SourceRows += s.n
		for _, m := range checked.base {
			if isMoney(m.Unit) && s.lo[m.Fact] != "" {
				currencies[s.lo[m.Fact]], currencies[s.hi[m.Fact]] = true, true
			}
		}
		row, reasons := c.cell(checked, s, concentration)
		r.Rows = append(r.Rows, row)
		r.Reasons = append(r.Reasons, reasons)
	}
	if len(currencies) == 1 {
		for code := range currencies {
			r.Currency = code
		}
	}
	return r, nil
}

// head is the result without its rows.
func (c *Catalog) head(q Query, checked *question) *Result {
	e := checked.extent
	r := &Result{Snapshot: q.Snapshot, Period: checked.span, DefinitionVersions: map[string]int{}, DataUntil: e.span.To, DataThrough: e.through, Rows: [][]any{}}
	for _, d := range checked.dims {
		col := Column{Name: d, Unit: quantity.Text, Type: "text"}
		if checked.keys[d] == "" {
			col.Unit, col.Type = quantity.Date, "date"
		}
		r.Columns = append(r.Columns, col)
	}
	for _, m := range checked.measures {
		r.Columns = append(r.Columns, Column{Name: m.Name, Unit: m.Unit, Type: "decimal"})
		r.DefinitionVersions[m.Name] = m.Version
	}
	for name, why := range checked.missing {
		note := name + ": " + why
		if c.byName[name].MissingIsZero {
			note += ", taken as 0"
		}
		r.Notes = append(r.Notes, note)
	}
	slices.Sort(r.Notes)
	if slices.ContainsFunc(checked.facts, func(f *fact) bool { return f.Stock }) {
		r.AsOf = checked.asOf
		if checked.span.To.AddDays(-1) != r.AsOf {
			r.Notes = append(r.Notes, fmt.Sprintf("seats, recurring revenue, endpoints, clients and receivables are those of %s, the last day of the data", r.AsOf))
		}
	}
	if m := e.partial; !m.IsZero() && m.Before(checked.span.To) && checked.span.From.Before(m.AddMonths(1)) {
		r.PartialMonth = m
		r.Notes = append(r.Notes, fmt.Sprintf("%s is not complete: the data reaches %s", m.String()[:7], e.through))
	}
	return r
}

// sums are the base sums of one cell.
type sums struct {
	dims   []any
	values map[string]value
	n      int64             // rows added up
	lo, hi map[string]string // smallest and greatest currency by fact
}

// sums reads one row of the statement; its columns are those of plan.
func (c *Catalog) sums(q *question, raw []any) sums {
	s := sums{values: map[string]value{}, lo: map[string]string{}, hi: map[string]string{}}
	for i := range q.dims {
		s.dims = append(s.dims, dimensionText(raw[i]))
	}
	after := len(q.dims) + len(q.base)
	rows := map[string]int64{}
	for i, f := range q.facts {
		rows[f.Name], _ = raw[after+3*i].(int64)
		s.lo[f.Name], _ = raw[after+3*i+1].(string)
		s.hi[f.Name], _ = raw[after+3*i+2].(string)
		s.n += rows[f.Name]
	}
	for i, m := range q.base {
		sum := raw[len(q.dims)+i]
		v := value{number: asDecimal(sum)}
		column, _ := c.facts[m.Fact].column(m.Column)
		switch why := q.missing[m.Name]; {
		case why != "" && !m.MissingIsZero:
			v = value{reason: why}
		case sum == nil && rows[m.Fact] > 0 && column.Unknown != "":
			v = value{reason: column.Unknown}
		}
		s.values[m.Name] = v
	}
	return s
}

// cell turns sums into a row of the result and the reasons for its nulls.
func (c *Catalog) cell(q *question, s sums, concentration map[string]value) ([]any, map[string]string) {
	row := append(make([]any, 0, len(s.dims)+len(q.measures)), s.dims...)
	span := cellSpan(q, s.dims)
	get := func(name string) value {
		switch name {
		case "months":
			return value{number: monthsIn(span)}
		case "days":
			return value{number: decimal.NewFromInt(int64(span.From.DaysUntil(span.To)))}
		}
		if v, ok := s.values[name]; ok {
			return v
		}
		return value{reason: name + " is not known here"}
	}
	var reasons map[string]string
	for _, m := range q.measures {
		v := c.evaluate(m, get)
		if m.Special != "" {
			var ok bool
			if v, ok = concentration[cellKey(s.dims)]; !ok {
				v = value{reason: "there is no revenue"}
			}
		}
		if lo, hi := c.currencies(m, s); lo != hi && v.reason == "" {
			v = value{reason: fmt.Sprintf("amounts are in %s and %s: cut by currency, or filter one of them", lo, hi)}
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

// currencies returns the smallest and greatest currency of the amounts that a measure is
// made of; both are "" when none is named.
func (c *Catalog) currencies(m *Measure, s sums) (lo, hi string) {
	for _, b := range m.base {
		base := c.byName[b]
		if !isMoney(base.Unit) || s.lo[base.Fact] == "" {
			continue
		}
		if l := s.lo[base.Fact]; lo == "" || l < lo {
			lo = l
		}
		hi = max(hi, s.hi[base.Fact])
	}
	return lo, hi
}

// cellSpan is the period of a cell: its day, week, month, quarter or year, within the
// query's span.
func cellSpan(q *question, dims []any) quantity.Period {
	span := q.span
	at := finest(q.dims)
	if at == len(timeSteps) {
		return span
	}
	text, _ := dims[slices.Index(q.dims, timeSteps[at])].(string)
	first, err := quantity.ParseDay(text)
	if err != nil {
		return span
	}
	end := map[string]quantity.Day{
		"day": first.AddDays(1), "week": first.AddDays(7), "month": first.AddMonths(1), "quarter": first.AddMonths(3), "year": first.AddMonths(12),
	}[timeSteps[at]]
	if span.From.Before(first) {
		span.From = first
	}
	if end.Before(span.To) {
		span.To = end
	}
	return span
}

// monthsIn is the length of a period in months; a part of a month counts by its days.
func monthsIn(p quantity.Period) quantity.Decimal {
	total := decimal.Zero
	for _, m := range p.Months() {
		from, to := m, m.AddMonths(1)
		all := int64(from.DaysUntil(to))
		if from.Before(p.From) {
			from = p.From
		}
		if p.To.Before(to) {
			to = p.To
		}
		if n := int64(from.DaysUntil(to)); n == all {
			total = total.Add(decimal.NewFromInt(1))
		} else {
			total = total.Add(decimal.NewFromInt(n).DivRound(decimal.NewFromInt(all), divisionDigits))
		}
	}
	return total
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
	}
	return quantity.Decimal{}
}

// cellKey tells the cells of a result apart.
func cellKey(dims []any) string { return fmt.Sprintf("%q", dims) }

// concentration is the Herfindahl index of revenue over clients, by cell. Clients whose
// credits exceed their invoices have no share.
func (c *Catalog) concentration(ctx context.Context, scope tenant.Scope, q Query) (map[string]value, error) {
	by := append(slices.Clone(q.Dimensions), "client")
	r, err := c.Run(ctx, scope, Query{Measures: []string{"revenue"}, Dimensions: by, Where: q.Where, Period: q.Period, Snapshot: q.Snapshot})
	if err != nil {
		return nil, err
	}
	n := len(q.Dimensions)
	shares := map[string][]quantity.Decimal{}
	unknown := map[string]string{}
	for i, row := range r.Rows {
		k := cellKey(row[:n])
		if v, ok := row[n+1].(quantity.Decimal); ok {
			shares[k] = append(shares[k], v)
		} else {
			unknown[k] = r.Reasons[i]["revenue"]
		}
	}
	out := map[string]value{}
	for k, s := range shares {
		if h, ok := Herfindahl(s); ok {
			out[k] = value{number: h}
		}
	}
	for k, why := range unknown {
		out[k] = value{reason: why}
	}
	return out, nil
}
