package metric

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// call computes a function over time or members at a frame.
func (w *wide) call(m *Measure, t *term, f frame) value {
	if functions[t.name].over == "time" {
		return w.overTime(m, t, f)
	}
	switch t.name {
	case "share", "rank":
		return w.among(m, t, f)
	}
	values, why := w.members(m, t, f)
	if why.reason != "" && t.name != "percentile" {
		return why
	}
	if len(values) == 0 {
		if why.reason != "" {
			return why
		}
		return null("there is no %s", t.args[0].text)
	}
	slices.SortFunc(values, func(a, b quantity.Decimal) int { return a.Cmp(b) })
	switch t.name {
	case "percentile":
		return value{number: percentileOf(values, t.args[2].number)}
	case "top_share":
		share, ok := TopShare(values, t.whole(2, 1))
		if !ok {
			return null("there is no %s", t.args[0].text)
		}
		return value{number: share}
	}
	index, ok := Herfindahl(values)
	if !ok {
		return null("there is no %s", t.args[0].text)
	}
	return value{number: index}
}

// part is a part of a total, null when the total is zero or negative.
func (w *wide) part(part, total quantity.Decimal, t *term) value {
	if total.Sign() <= 0 {
		return null("%s is %s in all", t.args[0].text, zeroOrNegative(total))
	}
	return value{number: divide(part, total)}
}

// overTime computes a function over time.
func (w *wide) overTime(m *Measure, t *term, f frame) value {
	there := f
	there.span = w.window(t, f.span)
	there.moved = f.moved || there.span != f.span
	before := w.term(m, t.args[0], there)
	if t.name != "growth" && t.name != "yoy" {
		return before
	}
	now := w.term(m, t.args[0], f)
	switch {
	case now.reason != "":
		return now
	case before.reason != "":
		return before
	case before.number.Sign() <= 0:
		return null("%s was %s in %s", t.args[0].text, zeroOrNegative(before.number), there.span)
	}
	return value{number: subtract(divide(now.number, before.number), decimal.NewFromInt(1))}
}

// members are the values of the argument for each member of the function's dimension in
// the cell; why is the reason of one that has none.
func (w *wide) members(m *Measure, t *term, f frame) (values []quantity.Decimal, why value) {
	dims := append(slices.Clone(f.dims), t.args[1].name)
	cube, err := w.cube(dims, f.span)
	if err != nil {
		w.err = err
		return nil, null("the query failed")
	}
	for _, g := range cube.within[f.key] {
		if !w.present(g, f.span) {
			continue
		}
		v := w.term(m, t.args[0], frame{dims: dims, key: cellKey(g.values), values: g.values, span: f.span, moved: f.moved})
		if v.reason != "" {
			why = v
			continue
		}
		values = append(values, v.number)
	}
	return values, why
}

// present reports whether a group has rows in a span.
func (w *wide) present(g *group, span quantity.Period) bool {
	return w.step == nil || slices.ContainsFunc(g.cells, func(c groupCell) bool { return span.Contains(c.first) })
}

// among places the cell among those around it: all of the same span, or those that differ
// from it in one dimension only.
func (w *wide) among(m *Measure, t *term, f frame) value {
	own := w.term(m, t.args[0], f)
	if own.reason != "" {
		return own
	}
	dims, values := []string{}, []any{}
	for i, d := range f.dims {
		if len(t.args) == 2 && d != t.args[1].name {
			dims, values = append(dims, d), append(values, f.values[i])
		}
	}
	if len(t.args) == 2 && len(dims) == len(f.dims) {
		return null("the answer is not cut by %s", t.args[1].text)
	}
	around := frame{dims: dims, key: cellKey(values), values: values, span: f.span, moved: f.moved}
	if t.name == "share" {
		total := w.term(m, t.args[0], around)
		if total.reason != "" {
			return total
		}
		return w.part(own.number, total.number, t)
	}
	cube, err := w.cube(f.dims, f.span)
	if err != nil {
		w.err = err
		return null("the query failed")
	}
	rank := int64(1)
	for _, g := range cube.groups {
		same := true
		for i, d := range f.dims {
			if at := slices.Index(dims, d); at >= 0 {
				same = same && g.values[i] == values[at]
			}
		}
		if !same || !w.present(g, f.span) {
			continue
		}
		if v := w.term(m, t.args[0], frame{dims: f.dims, key: cellKey(g.values), values: g.values, span: f.span, moved: f.moved}); v.reason == "" && v.number.GreaterThan(own.number) {
			rank++
		}
	}
	return value{number: decimal.NewFromInt(rank)}
}
