package metric

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

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
	// revision stands for all that the tenant defines, the epoch for what was erased.
	key := fmt.Sprintf("%s\x00%q\x00%s\x00%d\x00%d\x00%s\x00%v\x00%s", scope.Tenant, scope.Rights.Key(), quantity.DayOf(c.now().UTC()), c.w.Epoch(scope), c.revision, text, classes, c.unnamed())
	r, ok := c.cache.GetIfPresent(key)
	if ok {
		if err := c.tell(ctx, scope, r.sensitive); err != nil {
			return nil, err
		}
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
	_, err = c.w.Query(ctx, scope, warehouse.Statement{Obeys: checked.obeys, Snapshot: q.Snapshot, SQL: p.sql, Args: p.args, Uses: p.uses, Helpers: p.helpers, Blends: checked.blends, MaxRows: maxRows, Each: w.add})
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
	r.inCurrency(currencies, checked, c.houseOf(checked.extent))
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
	r := &Result{Snapshot: q.Snapshot, Period: checked.span, counted: checked.counted, sensitive: checked.sensitive, DefinitionVersions: map[string]int{}, DataUntil: e.span.To, DataThrough: e.through, Rows: [][]any{}}
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
	for _, l := range checked.limits {
		r.Notes = append(r.Notes, l.note)
	}
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
		bare := "those that name no currency are taken as they are"
		if e.house != "" {
			bare = "those that name no currency are in " + e.house
		}
		r.Notes = append(r.Notes, fmt.Sprintf("amounts are converted to %s by the exchange rate of their date, at most a month old; %s", checked.currency, bare))
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
