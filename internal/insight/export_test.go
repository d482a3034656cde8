package insight

import "github.com/moatmetrics/moatmetrics/internal/stats"

// Queries are prepared on both engines by a test.
var Queries = queries

// Overrun is how probable an overrun of the budget is, and the interval of the final hours,
// nil when there is none.
func Overrun(worked, budget float64, progress *float64, ratios []float64) (probability *float64, final *stats.Interval, why string) {
	o := overrunOf(worked, budget, progress, ratios)
	return o.probability, o.final, o.why
}
