package metric

import (
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Who sees a part of the rows is answered from roll-ups of that part: they are summed when a
// question first needs them and held in memory, one for all who see the same (docs/decisions/0006).
// From a roll-up that has the keys of the limits that takes milliseconds; otherwise all rows
// are read, once.

// visibleIn chooses of the roll-ups that can answer a question the one whose visible part does:
// the first that has the keys of the limits, else the first that is small enough to be summed
// from the rows. It is nil when there is none.
func (q *question) visibleIn(f *fact, can []*rollup) *rollup {
	var keys []string
	for _, l := range q.limits {
		if !slices.Contains(f.Keys, l.key) {
			return nil
		}
		keys = append(keys, l.key)
	}
	for _, r := range can {
		if r.has(keys) {
			return r
		}
	}
	for _, r := range can {
		if q.extent.rows[r.Table] <= warehouse.MaxSums {
			return r
		}
	}
	return nil
}

// visible is the part of a roll-up that may be seen, summed to the keys that a question names.
// Where the rows must be read for it, their sums by all keys of the roll-up are held, too, so
// that they are not read again for the next question.
func (q *question) visible(f *fact, r *rollup, dims []string) warehouse.Helper {
	of, keys := f.rollup(*r), []string{}
	var conditions []string
	for _, l := range q.limits {
		conditions, keys = append(conditions, l.on(f)), append(keys, l.key)
	}
	where, sums := strings.Join(conditions, " AND "), warehouse.Helper{Name: "visible_" + r.Table, Sums: true}
	asked, _ := q.cutKeys(dims)
	if r.has(keys) {
		sums.Tables, sums.SQL = []string{r.Table}, summed(of, asked, warehouse.QuoteIdent(r.Table)+" f WHERE "+where)
		return sums
	}
	all := warehouse.Helper{Name: "all_" + sums.Name, Sums: true, Tables: f.Tables, SQL: summed(of, r.Keys, "("+of.Rows+") f WHERE "+where)}
	sums.Of, sums.SQL = []warehouse.Helper{all}, summed(of, asked, all.Name)
	return sums
}

// summed is the sums of a roll-up by day, currency and some of its keys, in their order.
func summed(r warehouse.Rollup, keys []string, from string) string {
	var groups, cols []string
	for i, c := range r.Table.Columns {
		switch {
		case i >= r.Keys:
			cols = append(cols, "sum("+c.Name+")::"+string(c.Type)+" AS "+c.Name)
		case c.Name == r.Table.Month || c.Name == "currency" || slices.Contains(keys, c.Name):
			groups = append(groups, c.Name)
		}
	}
	by := strings.Join(groups, ", ")
	return "SELECT " + strings.Join(slices.Concat(groups, cols), ", ") + " FROM " + from + " GROUP BY " + by + " ORDER BY " + by
}
