package metric

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
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
	out := *now
	out.Columns = slices.Clone(now.Columns[:n])
	for _, col := range now.Columns[n:] {
		out.Columns = append(out.Columns, col, Column{col.Name + "_previous", col.Unit, col.Type}, Column{col.Name + "_change", col.Unit, col.Type})
	}
	out.Rows, out.Reasons = nil, nil
	old := map[string]int{}
	for i, row := range before.Rows {
		old[cellKey(row[:n])] = i
	}
	for i, row := range now.Rows {
		k := cellKey(row[:n])
		if j, ok := old[k]; ok {
			out.compared(q, row, before.Rows[j], now.Reasons[i], before.Reasons[j])
		} else {
			out.compared(q, row, c.nothing(row[:n], q.Measures), now.Reasons[i], nil)
		}
		delete(old, k)
	}
	for j, row := range before.Rows {
		if _, left := old[cellKey(row[:n])]; left {
			out.compared(q, c.nothing(row[:n], q.Measures), row, nil, before.Reasons[j])
		}
	}
	return &out, order(&out, q)
}

// compared appends the row of one cell: each measure, its value before, and the change.
func (r *Result) compared(q Query, now, before []any, why, whyBefore map[string]string) {
	n := len(q.Dimensions)
	line := slices.Clone(now[:n])
	reasons := map[string]string{}
	for i, name := range q.Measures {
		a, b := now[n+i], before[n+i]
		x, ok := a.(quantity.Decimal)
		y, had := b.(quantity.Decimal)
		var change any
		if ok && had {
			change = x.Sub(y)
		}
		if !ok {
			reasons[name] = orElse(why[name], "no data in this period")
			reasons[name+"_change"] = reasons[name]
		}
		if !had {
			reasons[name+"_previous"] = orElse(whyBefore[name], "no data in the period before")
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
	slices.SortFunc(index, func(a, b int) int {
		for _, k := range keys {
			if d := compareCells(r.Rows[a][k.at], r.Rows[b][k.at], k.desc); d != 0 {
				return d
			}
		}
		return a - b
	})
	rows, reasons := make([][]any, len(index)), make([]map[string]string, len(index))
	for i, at := range index {
		rows[i], reasons[i] = r.Rows[at], r.Reasons[at]
	}
	if q.Limit > 0 && len(rows) > q.Limit {
		r.Notes = append(slices.Clone(r.Notes), fmt.Sprintf("%d rows in all, the first %d are shown", len(rows), q.Limit))
		rows, reasons = rows[:q.Limit], reasons[:q.Limit]
	}
	r.Rows, r.Reasons, r.RowCount = rows, reasons, len(rows)
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
