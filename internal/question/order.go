package question

import (
	"maps"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// sortRows orders rows by the numbers in the columns, the largest first, those without one
// last.
func sortRows(rows []Row, columns ...int) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		for _, c := range columns {
			x, has := a.Cells[c].(quantity.Decimal)
			y, too := b.Cells[c].(quantity.Decimal)
			switch {
			case has != too && has:
				return -1
			case has != too:
				return 1
			}
			if by := y.Cmp(x); by != 0 {
				return by
			}
		}
		return 0
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// isPositive reports whether a cell is a number above zero.
func isPositive(cell any) bool {
	d, ok := cell.(quantity.Decimal)
	return ok && d.Sign() > 0
}

// flip turns the order of the rows that have a number in a column, so that sorted ones have
// the smallest first; those without one stay last.
func flip(rows []Row, column int) {
	n := len(rows)
	for n > 0 && rows[n-1].Cells[column] == nil {
		n--
	}
	slices.Reverse(rows[:n])
}
