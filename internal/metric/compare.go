package metric

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// runCompared puts each measure's value of the previous period, and the change, beside it.
func (c *Catalog) runCompared(ctx context.Context, scope tenant.Scope, q Query) (*Result, error) {
	if !q.Period.Bounded() {
		return nil, fault.WithFields("the comparison needs a period", fault.Field{Path: "compare", Message: "give --from and --to: the previous period is as long as this one"})
	}
	if finest(q.Dimensions) < len(timeSteps) {
		return nil, fault.WithFields("the comparison cannot be cut by time", fault.Field{Path: "by", Message: timeSteps[finest(q.Dimensions)] + " cannot stand beside compare: each row is compared with the period before"})
	}
	plain := q
	plain.Compare, plain.Order, plain.Limit = "", nil, 0
	now, err := c.again(ctx, scope, plain)
	if err != nil {
		return nil, err
	}
	plain.Period = q.Period.Previous()
	plain.hidden = nil // the condition is about the cells of the period
	before, err := c.again(ctx, scope, plain)
	if err != nil {
		return nil, err
	}
	if len(q.hidden) > 0 {
		before = before.only(now, len(q.Dimensions))
	}
	return c.beside(q, side{now, "no data in this period", nil}, side{before, "no data in the period before", nil})
}

// only is the result without the cells that another one has not.
func (r *Result) only(other *Result, dims int) *Result {
	has := map[string]bool{}
	for _, row := range other.Rows {
		has[cellKey(row[:dims])] = true
	}
	out := *r
	out.Rows, out.Reasons, out.Currencies = nil, nil, nil
	for i, row := range r.Rows {
		if !has[cellKey(row[:dims])] {
			continue
		}
		out.Rows, out.Reasons = append(out.Rows, row), append(out.Reasons, r.Reasons[i])
		if r.Currencies != nil {
			out.Currencies = append(out.Currencies, r.Currencies[i])
		}
	}
	return &out
}

// Restate answers a query with, beside each measure, its value in an earlier snapshot over
// the same period (_previous) and the change. An open end of the period is that of both
// snapshots' data. A row of only one of the two has 0 for sums on the other side, and null
// for formulas and for what has no data there at all.
//
// Errors: Invalid together with Compare, NotFound for an unknown snapshot; and those of Run.
func (c *Catalog) Restate(ctx context.Context, scope tenant.Scope, q Query, before warehouse.Snapshot) (*Result, error) {
	start := time.Now()
	c, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	q = q.normal()
	if q.Compare != "" {
		return nil, fault.WithFields("one comparison at a time", fault.Field{Path: "compare", Message: "cannot stand beside versus_snapshot"})
	}
	if before <= 0 {
		return nil, fault.WithFields("the comparison needs a snapshot", fault.Field{Path: "versus_snapshot", Message: "must be the id of a snapshot: list them with snapshots"})
	}
	if q.Snapshot == 0 {
		if q.Snapshot, err = c.w.Current(ctx, scope); err != nil {
			return nil, err
		}
	}
	if q, err = c.prepare(ctx, scope, q); err != nil {
		return nil, err
	}
	if q.Period, err = c.bothSpans(ctx, scope, q, before); err != nil {
		return nil, err
	}
	plain := q
	plain.Order, plain.Limit = nil, 0
	now, err := c.sideAt(ctx, scope, plain, q.Snapshot)
	if err != nil {
		return nil, err
	}
	plain.hidden = nil // the condition is about the cells of the snapshot asked
	then, err := c.sideAt(ctx, scope, plain, before)
	if err != nil {
		return nil, err
	}
	if len(q.hidden) > 0 {
		then.Result = then.only(now.Result, len(q.Dimensions))
	}
	r, err := c.beside(q, now, then)
	if err != nil {
		return nil, err
	}
	r.Notes = append(slices.Clone(r.Notes), fmt.Sprintf("_previous is the value in snapshot %d, for the same period", before))
	for _, n := range then.Notes {
		if !slices.Contains(now.Notes, n) {
			r.Notes = append(r.Notes, fmt.Sprintf("in snapshot %d: %s", before, n))
		}
	}
	r.ElapsedMS = float64(time.Since(start).Microseconds()) / 1000
	return r, nil
}

// bothSpans closes the open ends of a period where the data of two snapshots reaches
// differently far, so that both sides are of the same period.
func (c *Catalog) bothSpans(ctx context.Context, scope tenant.Scope, q Query, before warehouse.Snapshot) (quantity.Period, error) {
	p := q.Period
	a, err := c.extent(ctx, scope, q.Snapshot)
	if err != nil {
		return p, err
	}
	b, err := c.extent(ctx, scope, before)
	if err != nil {
		return p, err
	}
	if p.From.IsZero() && a.span.From != b.span.From {
		p.From = a.span.From
		if b.span.From.Before(p.From) {
			p.From = b.span.From
		}
	}
	if p.To.IsZero() && (a.span.To != b.span.To || a.stocks != b.stocks) {
		p.To = a.span.To
		if p.To.Before(b.span.To) {
			p.To = b.span.To
		}
	}
	return p, nil
}

// side is one of the two answers of a comparison.
type side struct {
	*Result
	missing string            // why a cell without a row has no value
	lacks   map[string]string // why a measure has no data at all
}

// sideAt answers a query in a snapshot.
func (c *Catalog) sideAt(ctx context.Context, scope tenant.Scope, q Query, snap warehouse.Snapshot) (side, error) {
	q.Snapshot = snap
	out := side{missing: fmt.Sprintf("no data in snapshot %d", snap), lacks: map[string]string{}}
	checked, err := c.ask(ctx, scope, q)
	if err != nil {
		return out, err
	}
	for _, m := range checked.measures {
		for _, name := range m.base {
			if b := checked.base[checked.slots[name]]; b.lacks != "" && !b.MissingIsZero {
				out.lacks[m.Name] = orElse(out.lacks[m.Name], b.lacks)
			}
		}
	}
	out.Result, err = c.again(ctx, scope, q)
	return out, err
}

// beside puts each measure's value on the other side, and the change, beside it: the rows
// of both, ordered and limited as asked.
func (c *Catalog) beside(q Query, now, before side) (*Result, error) {
	n := len(q.Dimensions)
	out := *now.Result
	out.Columns = slices.Clone(now.Columns[:n])
	for _, col := range now.Columns[n:] {
		out.Columns = append(out.Columns, col, Column{col.Name + "_previous", col.Unit, col.Type}, Column{col.Name + "_change", col.Unit, col.Type})
	}
	out.Rows, out.Reasons, out.Currencies = nil, nil, nil
	switch unnamed := func(s side) bool { return s.Currency == "" && s.Currencies == nil }; {
	case unnamed(now):
		out.Currency = before.Currency
	case now.Currency != before.Currency && !unnamed(before):
		out.Currency = ""
	}
	old := map[string]int{}
	for i, row := range before.Rows {
		old[cellKey(row[:n])] = i
	}
	for i, row := range now.Rows {
		k := cellKey(row[:n])
		if j, ok := old[k]; ok {
			out.compared(q, now, before, i, j)
		} else {
			out.comparedWith(q, now, before, row, c.nothing(row[:n], q.Measures, before), now.Reasons[i], before.lacks, nil)
			out.Currencies = append(out.Currencies, now.codes(len(q.Measures), i))
		}
		delete(old, k)
	}
	for j, row := range before.Rows {
		if _, left := old[cellKey(row[:n])]; left {
			out.comparedWith(q, now, before, c.nothing(row[:n], q.Measures, now), row, now.lacks, before.Reasons[j], nil)
			out.Currencies = append(out.Currencies, before.codes(len(q.Measures), j))
		}
	}
	if out.Currency != "" || now.Currencies == nil && before.Currencies == nil && now.Currency == before.Currency {
		out.Currencies = nil
	}
	if len(out.Rows) > maxRows {
		return nil, fault.Newf(fault.TooLarge, "the comparison has more than %d rows: narrow the period or the filter, or cut by fewer dimensions", maxRows)
	}
	return &out, order(&out, q)
}

// compared appends the row of a cell that both sides have. Amounts of different currencies
// are not subtracted.
func (r *Result) compared(q Query, here, there side, i, j int) {
	n := len(q.Dimensions)
	apart, codes, old := map[string]string{}, here.codes(len(q.Measures), i), there.codes(len(q.Measures), j)
	for k, name := range q.Measures {
		x, _ := here.Rows[i][n+k].(quantity.Decimal)
		y, _ := there.Rows[j][n+k].(quantity.Decimal)
		a, b := here.CurrencyOf(i, k), there.CurrencyOf(j, k)
		codes[k] = orElse(codes[k], old[k])
		if inMoney(here.Columns[n+k].Unit) && a != b && a != "" && b != "" && !x.IsZero() && !y.IsZero() {
			apart[name] = fmt.Sprintf("the amounts are in %s and were in %s: have both converted (currency)", a, b)
		}
	}
	r.comparedWith(q, here, there, here.Rows[i], there.Rows[j], here.Reasons[i], there.Reasons[j], apart)
	r.Currencies = append(r.Currencies, codes)
}

// codes are the currencies of n measures in a row, as in Result.Currencies.
func (s side) codes(n, row int) []string {
	out := make([]string, n)
	units := s.Columns[len(s.Columns)-n:]
	for k := range out {
		if inMoney(units[k].Unit) {
			out[k] = strings.Join(s.CurrenciesOf(row, k), " ")
		}
	}
	return out
}

func inMoney(u quantity.Unit) bool {
	switch u {
	case quantity.Money, quantity.MoneyPerMonth, quantity.MoneyPerHour:
		return true
	case quantity.Hours, quantity.Ratio, quantity.Count, quantity.Days, quantity.PerEndpoint:
		return false
	}
	return u.HasMoney()
}

// comparedWith appends the row of one cell: each measure, its value before, and the change
// unless apart says why there is none.
func (r *Result) comparedWith(q Query, here, there side, now, before []any, why, whyBefore, apart map[string]string) {
	n := len(q.Dimensions)
	line := slices.Clone(now[:n])
	reasons := map[string]string{}
	for i, name := range q.Measures {
		a, b := now[n+i], before[n+i]
		x, ok := a.(quantity.Decimal)
		y, had := b.(quantity.Decimal)
		var change any
		switch {
		case apart[name] != "":
			reasons[name+"_change"] = apart[name]
		case ok && had:
			change = x.Sub(y)
		}
		if !ok {
			reasons[name] = orElse(why[name], here.missing)
			reasons[name+"_change"] = reasons[name]
		}
		if !had {
			reasons[name+"_previous"] = orElse(whyBefore[name], there.missing)
			reasons[name+"_change"] = orElse(reasons[name+"_change"], reasons[name+"_previous"])
		}
		line = append(line, a, b, change)
	}
	if len(reasons) == 0 {
		reasons = nil
	}
	r.Rows = append(r.Rows, line)
	r.Reasons = append(r.Reasons, reasons)
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// nothing is the row of a cell that has no data on a side: sums are 0, formulas and what
// has no data there at all null.
func (c *Catalog) nothing(dims []any, measures []string, on side) []any {
	row := slices.Clone(dims)
	for _, name := range measures {
		if c.byName[name].Base() && on.lacks[name] == "" {
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
	rank := -1 // of the first members, unless another order is asked for
	if q.top != nil && len(q.Order) == 0 {
		rank = slices.Index(q.Dimensions, q.top.Dimension)
	}
	index := make([]int, len(r.Rows))
	for i := range index {
		index[i] = i
	}
	slices.SortFunc(index, func(a, b int) int {
		for _, k := range keys {
			d := 0
			if k.at == rank {
				d = q.top.place(r.Rows[a][k.at]) - q.top.place(r.Rows[b][k.at])
			} else {
				d = compareCells(r.Rows[a][k.at], r.Rows[b][k.at], k.desc)
			}
			if d != 0 {
				return d
			}
		}
		return a - b
	})
	rows, reasons, codes := make([][]any, len(index)), make([]map[string]string, len(index)), r.Currencies
	if codes != nil {
		codes = make([][]string, len(index))
	}
	for i, at := range index {
		rows[i], reasons[i] = r.Rows[at], r.Reasons[at]
		if codes != nil {
			codes[i] = r.Currencies[at]
		}
	}
	if q.Limit > 0 && len(rows) > q.Limit {
		r.Notes = append(slices.Clone(r.Notes), fmt.Sprintf("%d rows in all, the first %d are shown", len(rows), q.Limit))
		rows, reasons, codes = rows[:q.Limit], reasons[:q.Limit], codes[:min(q.Limit, len(codes))]
	}
	r.Rows, r.Reasons, r.Currencies, r.RowCount = rows, reasons, codes, len(rows)
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
	switch x := a.(type) {
	case quantity.Decimal:
		d = x.Cmp(b.(quantity.Decimal)) // a column's cells are of one kind
	case string:
		d = strings.Compare(x, b.(string))
	}
	if desc {
		return -d
	}
	return d
}
