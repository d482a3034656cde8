package metric

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

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
