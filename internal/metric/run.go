package metric

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	Columns  []Column           `json:"columns"`
	Rows     Rows               `json:"rows"`
	RowCount int                `json:"row_count"`
	Reasons  Reasons            `json:"reasons,omitzero"`
	Notes    []string           `json:"notes,omitempty"` // what holds for the whole result
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Period   quantity.Period    `json:"period"`             // as asked, or the span of the data
	Currency string             `json:"currency,omitempty"` // of the amounts, when the data names one and only one
	// Currencies are, when the data names several, by row those of each measure asked for: a
	// code, "" for what is no amount or names none, or several codes with a space between.
	Currencies         [][]string     `json:"currencies,omitempty"`
	DefinitionVersions map[string]int `json:"definition_versions"`
	SourceRows         int64          `json:"source_rows"`  // stored or rolled-up rows that were added up
	DataUntil          quantity.Day   `json:"data_until"`   // month after the newest that holds dated rows
	DataThrough        quantity.Day   `json:"data_through"` // newest day that dated rows have
	// AsOf is the day that stock measures look at: the period's end, or the data's if that
	// comes first; the last one when the query is cut by time. Zero without stock measures.
	AsOf quantity.Day `json:"as_of,omitzero"`
	// PartialMonth is the newest month of the data when the result includes it and it is
	// not over or its data does not reach its end; zero otherwise. Leave it out of trends.
	PartialMonth quantity.Day `json:"partial_month,omitzero"`
	// Partial are the cells of the query's finest step of time, by their first days, that
	// the period or the data covers in part only. Leave them out of trends, too.
	Partial   []quantity.Day `json:"partial,omitempty"`
	Sources   []string       `json:"sources"` // tables and roll-ups read
	ElapsedMS float64        `json:"elapsed_ms"`

	counted quantity.Period // see Counted
}

// Counted is the period in which months, days and working days are counted: Period up to
// the end of the data.
func (r *Result) Counted() quantity.Period { return r.counted }

// CurrencyOf returns the currency of the amounts that the measure at a place in the query
// is made of in a row; "" when none is named, or several are.
func (r *Result) CurrencyOf(row, measure int) string {
	if codes := r.CurrenciesOf(row, measure); len(codes) == 1 {
		return codes[0]
	}
	return ""
}

// CurrenciesOf returns the currencies of those amounts, in order; two when they are several.
func (r *Result) CurrenciesOf(row, measure int) []string {
	if r.Currencies == nil {
		return strings.Fields(r.Currency)
	}
	return strings.Fields(r.Currencies[row][measure])
}

// Reasons say, by row and column, why a measure is null.
type Reasons []map[string]string

// IsZero reports whether there is none.
func (r Reasons) IsZero() bool {
	return !slices.ContainsFunc(r, func(row map[string]string) bool { return len(row) > 0 })
}

// Rows are the cells of a Result by row.
type Rows [][]any

// MarshalJSON writes numbers as strings.
func (r Rows) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("[]"), nil
	}
	parts := 1
	if len(r) > 2*batchRows {
		parts = runtime.GOMAXPROCS(0)
	}
	texts, errs := make([][]byte, parts), make([]error, parts)
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() {
			some := r[len(r)*i/parts : len(r)*(i+1)/parts]
			texts[i], errs[i] = some.appendJSON(make([]byte, 0, len(some)*80))
		})
	}
	wg.Wait()
	return slices.Concat([]byte{'['}, bytes.Join(texts, []byte{','}), []byte{']'}), errors.Join(errs...)
}

// WriteJSON writes what json.Marshal returns. It does not copy the rows, which that does
// twice and which takes as long as the query.
func (r *Result) WriteJSON(w io.Writer) error {
	rows, err := r.Rows.MarshalJSON()
	if err != nil {
		return err
	}
	rest := *r
	rest.Rows = nil
	text, err := json.Marshal(&rest)
	if err != nil {
		return err
	}
	before, after, ok := bytes.Cut(text, []byte(`"rows":[]`)) // no text can hold a bare quote
	if !ok {
		return errors.New("result: no rows in its JSON")
	}
	for _, part := range [][]byte{before, []byte(`"rows":`), rows, after} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func (r Rows) appendJSON(out []byte) ([]byte, error) {
	for i, row := range r {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '[')
		for j, cell := range row {
			if j > 0 {
				out = append(out, ',')
			}
			switch cell := cell.(type) {
			case nil:
				out = append(out, "null"...)
			case quantity.Decimal:
				out = append(quantity.AppendDecimal(append(out, '"'), cell), '"')
			case string:
				if plainText(cell) {
					out = append(append(append(out, '"'), cell...), '"')
					break
				}
				text, err := json.Marshal(cell)
				if err != nil {
					return nil, err
				}
				out = append(out, text...)
			default:
				text, err := json.Marshal(cell)
				if err != nil {
					return nil, err
				}
				out = append(out, text...)
			}
		}
		out = append(out, ']')
	}
	return out, nil
}

// plainText reports whether JSON writes a text as it is.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// Run answers a query, from the cache when the same was asked of the same snapshot.
//
// Errors: Invalid with every wrong part listed, NotFound for an unknown snapshot, TooLarge
// when the result has more than 100,000 rows, Canceled when time or the caller ran out.
func (c *Catalog) Run(ctx context.Context, scope tenant.Scope, q Query) (*Result, error) {
	start := time.Now()
	c, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	q = q.normal()
	if q.Snapshot == 0 {
		if q.Snapshot, err = c.w.Current(ctx, scope); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	classes, err := c.settings.WorkClasses(ctx, scope)
	if err != nil {
		return nil, err
	}
	// The day is part of the key: it decides which month is partial and which rows hold. The
	// revision stands for all that the tenant defines.
	key := fmt.Sprintf("%s\x00%s\x00%d\x00%s\x00%v", scope.Tenant, quantity.DayOf(c.now().UTC()), c.revision, text, classes)
	r, ok := c.cache.GetIfPresent(key)
	if ok {
		c.counts.hits.Add(1)
	} else {
		c.counts.misses.Add(1)
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
	q, err := c.prepare(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	if q.Compare == "previous" {
		return c.runCompared(ctx, scope, q)
	}
	return c.runPlain(ctx, scope, q)
}

// runPlain answers a prepared query without a comparison.
func (c *Catalog) runPlain(ctx context.Context, scope tenant.Scope, q Query) (*Result, error) {
	checked, err := c.ask(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	r, err := c.answer(ctx, scope, q, checked)
	if err != nil {
		return nil, err
	}
	if checked.hidden > 0 {
		r.keep()
	}
	maps.Copy(r.DefinitionVersions, q.used)
	if c.calendarVersion > 0 && slices.ContainsFunc(slices.Concat(checked.dims, checked.where.dims), fiscal) {
		r.DefinitionVersions["calendar"] = c.calendarVersion
	}
	return r, order(r, q)
}

// again answers a prepared query that is a part of another, from the cache when its JSON
// says all of it.
func (c *Catalog) again(ctx context.Context, scope tenant.Scope, q Query) (*Result, error) {
	if q.plain() {
		return c.Run(ctx, scope, q)
	}
	return c.runPlain(ctx, scope, q)
}

// answer runs a checked query and computes the formulas.
func (c *Catalog) answer(ctx context.Context, scope tenant.Scope, q Query, checked *question) (*Result, error) {
	if slices.ContainsFunc(checked.measures, func(m *Measure) bool { return m.wide }) {
		return c.answerWide(ctx, scope, q, checked)
	}
	special, err := c.specials(ctx, scope, q, checked)
	if err != nil {
		return nil, err
	}
	p := compile(checked)
	w := &cells{c: c, q: checked, special: special}
	_, err = c.w.Query(ctx, scope, warehouse.Statement{Snapshot: q.Snapshot, SQL: p.sql, Args: p.args, Uses: p.uses, Helpers: p.helpers, Blends: checked.blends, MaxRows: maxRows, Each: w.add})
	batches := w.finish()
	if err != nil {
		return nil, err
	}
	r := c.head(q, checked)
	r.Sources = p.sources
	currencies := map[string]bool{}
	for _, b := range batches {
		r.Rows, r.Reasons, r.Currencies = append(r.Rows, b.rows...), append(r.Reasons, b.reasons...), append(r.Currencies, b.codes...)
		r.SourceRows += b.n
		maps.Copy(currencies, b.currencies)
	}
	if len(currencies) <= 1 {
		r.Currencies = nil
		for code := range currencies {
			r.Currency = code
		}
	}
	return r, nil
}

// cells computes rows of the result while the statement's later rows are still read.
type cells struct {
	c       *Catalog
	q       *question
	special specialValues
	raw     [][]any
	batches []*batch
	wg      sync.WaitGroup
}

// batch is a run of rows of the result.
type batch struct {
	rows       [][]any
	reasons    []map[string]string
	codes      [][]string      // see Result.Currencies
	n          int64           // rows added up
	currencies map[string]bool // of the amounts
}

const batchRows = 1024

func (w *cells) add(raw []any) {
	if w.raw = append(w.raw, raw); len(w.raw) == batchRows {
		w.compute()
	}
}

func (w *cells) compute() {
	raw, b := w.raw, &batch{currencies: map[string]bool{}}
	w.raw, w.batches = make([][]any, 0, batchRows), append(w.batches, b)
	w.wg.Go(func() {
		var s sums
		b.rows, b.reasons, b.codes = make([][]any, len(raw)), make([]map[string]string, len(raw)), make([][]string, len(raw))
		codes, n := make([]string, len(raw)*len(w.q.measures)), len(w.q.measures)
		for i, line := range raw {
			w.c.read(w.q, line, &s)
			for _, n := range s.rows {
				b.n += n
			}
			for at := range s.lo {
				if s.lo[at] != "" {
					b.currencies[s.lo[at]], b.currencies[s.hi[at]] = true, true
				}
			}
			b.codes[i] = codes[i*n : (i+1)*n]
			b.rows[i], b.reasons[i] = w.c.cell(w.q, line, &s, w.special, b.codes[i])
		}
	})
}

func (w *cells) finish() []*batch {
	if len(w.raw) > 0 {
		w.compute()
	}
	w.wg.Wait()
	return w.batches
}

// head is the result without its rows.
func (c *Catalog) head(q Query, checked *question) *Result {
	e := checked.extent
	r := &Result{Snapshot: q.Snapshot, Period: checked.span, counted: checked.counted, DefinitionVersions: map[string]int{}, DataUntil: e.span.To, DataThrough: e.through, Rows: [][]any{}}
	for _, d := range checked.dims {
		col := Column{Name: d, Unit: quantity.Text, Type: "text"}
		if slices.Contains(timeSteps, d) {
			col.Unit, col.Type = quantity.Date, "date"
		}
		r.Columns = append(r.Columns, col)
	}
	for _, m := range checked.measures {
		r.Columns = append(r.Columns, Column{Name: m.Name, Unit: m.Unit, Type: "decimal"})
		r.DefinitionVersions[m.Name] = m.Version
		m.versions(r.DefinitionVersions)
	}
	for _, b := range checked.base {
		if b.lacks == "" {
			continue
		}
		note := b.Name + ": " + b.lacks
		if b.MissingIsZero {
			note += ", taken as 0"
		}
		r.Notes = append(r.Notes, note)
	}
	slices.Sort(r.Notes)
	if checked.assumes() {
		r.Notes = append(r.Notes, assumedClasses)
	}
	if checked.planned {
		r.Notes = append(r.Notes, fmt.Sprintf("what is dated after %s, the end of this month, is left out: give the end of the period to see it", checked.span.To.AddDays(-1)))
	}
	if checked.counted != checked.span && checked.counts(c) {
		r.Notes = append(r.Notes, fmt.Sprintf("months, days and working days are counted up to %s, the end of the data", checked.counted.To.AddDays(-1)))
	}
	if slices.ContainsFunc(checked.facts, checked.converts) {
		r.Notes = append(r.Notes, fmt.Sprintf("amounts are converted to %s by the exchange rate of their date, at most a month old; those that name no currency are taken as they are", checked.currency))
	}
	if slices.ContainsFunc(checked.facts, func(f *fact) bool { return f.Stock }) {
		r.AsOf = checked.asOf
		if checked.span.To.AddDays(-1) != r.AsOf {
			r.Notes = append(r.Notes, fmt.Sprintf("seats, recurring revenue, endpoints, clients and receivables are those of %s, the last day of the data", r.AsOf))
		}
	}
	r.Partial = checked.partial()
	if m := e.partial; !m.IsZero() && m.Before(checked.span.To) && checked.span.From.Before(m.AddMonths(1)) {
		r.PartialMonth = m
		r.Notes = append(r.Notes, fmt.Sprintf("%s is not complete: the data reaches %s", m.String()[:7], e.through))
	}
	return r
}

// partial are the steps of time that the question covers in part only.
func (q *question) partial() []quantity.Day {
	at := finest(q.dims)
	if at == len(timeSteps) || timeSteps[at] == "day" {
		return nil
	}
	var out []quantity.Day
	s := q.step(timeSteps[at])
	first := s.start(q.span.From)
	if first.Before(q.span.From) {
		out = append(out, first)
	}
	until := q.extent.span.To // the data is complete up to here
	if !q.extent.partial.IsZero() {
		until = q.extent.partial
	}
	if q.span.To.Before(until) {
		until = q.span.To
	}
	for d := s.start(until); d.Before(q.span.To) && d.Before(q.extent.span.To); d = s.add(d, 1) {
		if s.add(d, 1) != until && until.Before(s.add(d, 1)) && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// sums are the base sums of one cell: values and currencies by the place of their measure
// in question.base, the rest by the place of the fact in question.facts.
type sums struct {
	values []value
	lo, hi []string // smallest and greatest currency, "" when there is none
	rows   []int64  // rows added up
	bare   []string // why amounts cannot be converted, "" when they can
	days   map[time.Time]any
}

// read fills s from one row of the statement; its columns are those of plan.
func (c *Catalog) read(q *question, raw []any, s *sums) {
	s.values, s.rows, s.lo, s.hi = s.values[:0], s.rows[:0], s.lo[:0], s.hi[:0]
	after := raw[len(q.dims)+len(q.base):]
	currencies := after[len(q.facts):]
	for i := range q.facts {
		n, _ := after[i].(int64)
		s.rows = append(s.rows, n)
	}
	for _, m := range q.base {
		var lo, hi string
		f := q.facts[m.fact]
		switch {
		case !isMoney(m.Unit):
		case q.mixed(m):
			lo, _ = currencies[0].(string)
			hi, _ = currencies[1].(string)
			currencies = currencies[2:]
		case s.rows[m.fact] == 0:
		case q.converts(f):
			lo, hi = q.currency, q.currency
		default:
			lo = q.extent.currency[f.Name]
			hi = lo
		}
		s.lo, s.hi = append(s.lo, lo), append(s.hi, hi)
	}
	s.bare = s.bare[:0]
	for _, f := range q.facts {
		why := ""
		if q.converts(f) {
			if n, _ := currencies[0].(int64); n > 0 {
				why = fmt.Sprintf("no exchange rate from %v to %s for %d of the amounts: import exchange_rates", currencies[1], q.currency, n)
			}
			currencies = currencies[2:]
		}
		s.bare = append(s.bare, why)
	}
	for i, b := range q.base {
		sum := raw[len(q.dims)+i]
		v := value{}
		switch {
		case b.lacks != "" && !b.MissingIsZero:
			v.reason = b.lacks
		case isMoney(b.Unit) && s.bare[b.fact] != "":
			v.reason = s.bare[b.fact]
		case sum == nil && s.rows[b.fact] > 0:
			v.reason = b.unknown
		case sum == nil:
			v.reason = b.Blank
		}
		if v.reason == "" {
			v.number = asDecimal(sum)
		}
		s.values = append(s.values, v)
	}
}

// text is dimensionText that makes the text of a day once.
func (s *sums) text(v any) any {
	day, ok := v.(time.Time)
	if !ok {
		return dimensionText(v)
	}
	text, known := s.days[day]
	if !known {
		if s.days == nil {
			s.days = map[time.Time]any{}
		}
		text = dimensionText(v)
		s.days[day] = text
	}
	return text
}

// cell returns the row of the result that a row of the statement and its sums give, and
// the reasons for its nulls; codes gets the currency of each measure.
func (c *Catalog) cell(q *question, raw []any, s *sums, special specialValues, codes []string) ([]any, map[string]string) {
	row := make([]any, len(q.dims), len(q.dims)+len(q.measures))
	for i := range row {
		row[i] = s.text(raw[i])
	}
	dims := row
	get := func(name string) (value, bool) {
		if i, ok := q.slots[name]; ok {
			return s.values[i], true
		}
		if v, ok := special.at(name, dims); ok {
			return v, true
		}
		switch name {
		case "months":
			return value{number: monthsIn(cellSpan(q, dims))}, true
		case "days":
			span := cellSpan(q, dims)
			return value{number: decimal.NewFromInt(int64(span.From.DaysUntil(span.To)))}, true
		}
		return value{}, false
	}
	var reasons map[string]string
	for i, m := range q.measures {
		v := evaluate(m, get, func(dim string) (string, bool) {
			at := slices.Index(q.dims, dim)
			if at < 0 {
				return "", false
			}
			text, ok := dims[at].(string)
			return text, ok
		})
		lo, hi := q.currencies(m, s)
		if v = inOneCurrency(m, v, lo, hi); inMoney(m.Unit) {
			if codes[i] = lo; lo != hi {
				codes[i] += " " + hi
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

// inOneCurrency is a measure's value unless its amounts are in two currencies.
func inOneCurrency(m *Measure, v value, lo, hi string) value {
	if v.reason != "" {
		return v
	}
	if lo != hi {
		return null("amounts are in %s and %s: cut by currency, filter one of them, or have them converted (currency)", lo, hi)
	}
	if code := m.code(); code != "" && lo != "" && lo != code {
		return null("the formula speaks of %s and the amounts are in %s", code, lo)
	}
	return v
}

// code is the currency that the formula's amounts name, "" when they name none.
func (m *Measure) code() string {
	code := ""
	if m.formula != nil {
		m.formula.root.walk(func(t *term) {
			if t.op == opNumber && t.code != "" {
				code = t.code
			}
		})
	}
	return code
}

// currencies returns the smallest and greatest currency of the amounts that a measure is
// made of; both are "" when none is named.
func (q *question) currencies(m *Measure, s *sums) (lo, hi string) {
	for _, name := range m.base {
		l, h := s.lo[q.slots[name]], s.hi[q.slots[name]]
		if l == "" {
			continue
		}
		if lo == "" || l < lo {
			lo = l
		}
		hi = max(hi, h)
	}
	return lo, hi
}

// cellSpan is the period of a cell: its day, week, month, quarter or year, within the
// query's span and up to the end of the data; a cell beyond that is counted in full.
func cellSpan(q *question, dims []any) quantity.Period {
	if p := cellIn(q, dims, q.counted); p.From.Before(p.To) {
		return p
	}
	return cellIn(q, dims, q.span)
}

func cellIn(q *question, dims []any, span quantity.Period) quantity.Period {
	at := finest(q.dims)
	if at == len(timeSteps) {
		return span
	}
	text, _ := dims[slices.Index(q.dims, timeSteps[at])].(string)
	first, err := quantity.ParseDay(text)
	if err != nil {
		return span
	}
	end := q.step(timeSteps[at]).add(first, 1)
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
	switch t := v.(type) {
	case nil:
		return "none"
	case time.Time:
		return quantity.DayOf(t).String()
	case string:
		return v // as it came: not boxed again
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
