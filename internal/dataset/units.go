package dataset

import (
	"context"
	"fmt"
	"math"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// leastTold is how many rows must speak before a unit is told from them, or doubted.
const leastTold = 3

// decideUnits finds out what a column of worked hours is measured in when its name does
// not say and half of its values are more than a day: seconds or minutes when they are
// those between start and end, otherwise a person has to say.
func (l *load) decideUnits(ctx context.Context) error {
	if l.d.Name != "time_entries" || l.columnsSeen == nil {
		return nil
	}
	for _, name := range []string{"hours_worked", "hours_billed"} {
		in := l.inputs[name]
		if in == nil || len(in.bind.Columns) == 0 || in.bind.Unit > 1 || l.unitTold(in) || normalizeHeader(in.header).span {
			continue
		}
		col := l.columnsSeen[in.bind.Columns[0]]
		if col.median <= 24 || col.filled < leastTold {
			continue
		}
		unit, err := l.unitOfSpans(ctx, in)
		if err != nil {
			return err
		}
		if unit == "" {
			return fault.WithFields(fmt.Sprintf("column %q: half of the values are over 24 (their middle is %g), too many for hours of one entry: say what they are", in.header, col.median),
				fault.Field{Path: "units." + in.header, Message: undecided, Allowed: []string{"minutes", "seconds", "hours"}})
		}
		in.bind.Unit, in.bind.Confidence = units[unit], math.Max(in.bind.Confidence, confidentBy)
		in.bind.Evidence = []string{"the values are the " + unit + " between start and end"}
	}
	return nil
}

// unitTold reports whether the mapping names the unit of a column.
func (l *load) unitTold(in *input) bool {
	for column := range l.m.Units {
		if columnOf(l.t.Layout.Header, column) == in.bind.Columns[0] {
			return true
		}
	}
	return false
}

// unitOfSpans is the unit in which nearly all values of the first rows are the time from
// start to end, give or take a minute or 2 percent; "" when there is none.
func (l *load) unitOfSpans(ctx context.Context, in *input) (string, error) {
	start, end := l.inputs["started_at"], l.inputs["ended_at"]
	if start == nil || end == nil {
		return "", nil
	}
	is := func(perHour int) string {
		return fmt.Sprintf("count(*) FILTER (abs(v * %d - span) <= greatest(60, 0.02 * span))", 3600/perHour)
	}
	rows, err := l.s.Query(ctx, fmt.Sprintf(`SELECT count(*), %s, %s
FROM (SELECT TRY_CAST(%s AS DOUBLE) AS v, date_diff('second', TRY_CAST(%s AS TIMESTAMPTZ), TRY_CAST(%s AS TIMESTAMPTZ)) AS span FROM %s LIMIT %d) WHERE v > 0 AND span > 0`,
		is(60), is(3600), in.text, start.text, end.text, l.raw(), sampledRows))
	if err != nil {
		return "", err
	}
	n := func(i int) float64 { return float64(rows.Rows[0][i].(int64)) }
	for i, unit := range []string{"minutes", "seconds"} {
		if n(0) >= leastTold && n(i+1) >= sure*n(0) {
			return unit, nil
		}
	}
	return "", nil
}
