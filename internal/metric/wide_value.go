package metric

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// row computes a row of the answer.
func (w *wide) row(f frame, currencies map[string]bool) (row []any, reasons map[string]string, codes []string) {
	q := w.asked
	row = w.labels(f)
	codes = make([]string, len(q.measures))
	for i, m := range q.measures {
		w.lo, w.hi = "", ""
		v := w.measure(m, f)
		if w.lo != "" {
			currencies[w.lo], currencies[w.hi] = true, true
		}
		if v = inOneCurrency(m, v, w.lo, w.hi); inMoney(m.Unit) {
			if codes[i] = w.lo; w.lo != w.hi {
				codes[i] += " " + w.hi
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
	return row, reasons, codes
}

// labels are a frame's values of the question's dimensions, in their order.
func (w *wide) labels(f frame) []any {
	row, at := make([]any, 0, len(w.asked.dims)+len(w.asked.measures)), 0
	for _, d := range w.asked.dims {
		if slices.Contains(timeSteps, d) {
			row = append(row, w.asked.step(d).start(f.span.From).String())
			continue
		}
		row = append(row, f.values[at])
		at++
	}
	return row
}

// once evaluates something at a frame, from memory the second time.
func (w *wide) once(of any, f frame, compute func() value) value {
	k := known{of, strings.Join(f.dims, "\x00"), f.key, f.span, f.moved}
	v, ok := w.known[k]
	if !ok {
		lo, hi := w.lo, w.hi
		w.lo, w.hi = "", ""
		v.value = compute()
		v.lo, v.hi = w.lo, w.hi
		w.known[k] = v
		w.lo, w.hi = lo, hi
	}
	w.inCurrency(v.lo, v.hi)
	return v.value
}

func (w *wide) inCurrency(lo, hi string) {
	if lo == "" {
		return
	}
	if w.lo == "" || lo < w.lo {
		w.lo = lo
	}
	w.hi = max(w.hi, hi)
}

// measure evaluates a measure at a frame.
func (w *wide) measure(m *Measure, f frame) value {
	switch {
	case m.Base():
		return w.base(m, f)
	case m.Special == "":
		return w.once(m, f, func() value { return m.capped(w.term(m, m.formula.root, f)) })
	case f.moved || !slices.Equal(f.dims, w.dims):
		return null("%s is known for the cells of the question only, not for other spans or members", m.Name)
	}
	v, _ := w.special.at(m.Name, w.labels(f))
	return v
}

// term evaluates a part of a measure's formula at a frame.
func (w *wide) term(m *Measure, t *term, f frame) value {
	return t.eval(place{
		get: func(name string) value {
			if dep := m.deps[name]; dep != nil {
				return w.measure(dep, f)
			}
			return w.parameter(name, f)
		},
		call:  func(t *term) value { return w.once(t, f, func() value { return w.call(m, t, f) }) },
		label: w.label(f),
	})
}

// label gives a frame's value of a dimension.
func (w *wide) label(f frame) func(string) (string, bool) {
	return func(dim string) (string, bool) {
		if i := slices.Index(f.dims, dim); i >= 0 {
			text, ok := f.values[i].(string)
			return text, ok
		}
		if w.step != nil && slices.Contains(w.asked.dims, dim) {
			return w.asked.step(dim).start(f.span.From).String(), true
		}
		return "", false
	}
}

// parameter is the number of months or days of a frame, up to the end of the data.
func (w *wide) parameter(name string, f frame) value {
	span := f.span
	if until := w.asked.counted.To; until.Before(span.To) && span.From.Before(until) {
		span.To = until
	}
	if from := w.asked.counted.From; !f.moved && span.From.Before(from) && from.Before(span.To) {
		span.From = from
	}
	if name == "months" {
		return value{number: monthsIn(span)}
	}
	return value{number: decimal.NewFromInt(int64(span.From.DaysUntil(span.To)))}
}

// base is the sum of a base measure over a frame.
func (w *wide) base(m *Measure, f frame) value {
	if f.moved {
		if v := w.history(w.asked.base[w.asked.slots[m.Name]], f.span); v.reason != "" {
			return v
		}
	}
	steps, only := w.step != nil, (*fact)(nil)
	if of := w.asked.facts[w.asked.base[w.asked.slots[m.Name]].fact]; steps && of.between() && w.step.add(f.span.From, 1).Before(f.span.To) {
		steps, only = false, of
	}
	cube, err := w.readCube(f.dims, f.span, steps, only)
	if err != nil {
		w.err = err
		return null("the query failed")
	}
	s, at := w.sums(cube, f), cube.q.slots[m.Name]
	w.inCurrency(s.lo[at], s.hi[at])
	return s.values[at]
}

// history is null when a base measure has no data at the beginning of a span: what is not
// there must not look like zero.
func (w *wide) history(b baseMeasure, span quantity.Period) value {
	if b.lacks != "" {
		return value{}
	}
	f := w.asked.facts[b.fact]
	begins := w.asked.extent.begins(f, b.MissingIsZero)
	if f.Stock {
		if !begins.Before(span.To) {
			return null("the data begins on %s, after the span %s that is looked back at", begins, span)
		}
		return value{}
	}
	if span.From.Before(begins) {
		return null("%s is known from %s on, and %s is looked back at", b.Name, begins, span)
	}
	return value{}
}

// sums are the base sums of a frame, merged from its cells.
func (w *wide) sums(c *cube, f frame) *sums {
	k := known{c, strings.Join(f.dims, "\x00"), f.key, f.span, false}
	if s := w.summed[k]; s != nil {
		return s
	}
	var raws [][]any
	var last quantity.Day
	if g := c.groups[f.key]; g != nil {
		for _, cell := range g.cells {
			if !c.steps || f.span.Contains(cell.first) {
				raws = append(raws, cell.raw)
				last = cell.first
			}
		}
	}
	atEnd := !c.steps || len(raws) > 0 && last == w.lastStep(f.span)
	s := &sums{}
	w.c.read(c.q, merged(c.q, raws, atEnd), s)
	w.summed[k] = s
	return s
}

// merged adds up rows of a statement. Stocks are those of the last row, of none unless it
// is of the span's last step.
func merged(q *question, raws [][]any, atEnd bool) []any {
	n, facts := len(q.dims), len(q.facts)
	width := n + len(q.base) + facts
	for _, b := range q.base {
		if q.mixed(b) {
			width += 2
		}
	}
	for _, f := range q.facts {
		if q.converts(f) {
			width += 2
		}
	}
	out := make([]any, width)
	for i, raw := range raws {
		stocks := atEnd && i == len(raws)-1
		for at, b := range q.base {
			if !q.facts[b.fact].Stock || stocks {
				out[n+at] = plus2(out[n+at], raw[n+at])
			}
		}
		at := n + len(q.base)
		for k, f := range q.facts {
			if !f.Stock || stocks {
				out[at+k] = plus2(out[at+k], raw[at+k])
			}
		}
		at += facts
		for _, b := range q.base {
			if q.mixed(b) {
				if !q.facts[b.fact].Stock || stocks {
					out[at], out[at+1] = extreme(out[at], raw[at], -1), extreme(out[at+1], raw[at+1], 1)
				}
				at += 2
			}
		}
		for _, f := range q.facts {
			if q.converts(f) {
				if !f.Stock || stocks {
					out[at], out[at+1] = plus2(out[at], raw[at]), extreme(out[at+1], raw[at+1], -1)
				}
				at += 2
			}
		}
	}
	return out
}

// plus2 adds two sums of a statement, either of which may be null.
func plus2(a, b any) any {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return x + y
		}
	}
	return add(asDecimal(a), asDecimal(b))
}

// extreme is the smaller (side -1) or greater (1) of two texts, either of which may be null.
func extreme(a, b any, side int) any {
	x, ok := a.(string)
	y, had := b.(string)
	switch {
	case !ok:
		return b
	case !had || strings.Compare(y, x) != side:
		return a
	}
	return b
}
