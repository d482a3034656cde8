package insight

import (
	"math"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// floor is what a component counts for when its input is missing altogether: enough to
// keep the order among the other components visible.
const floor = 0.25

// confide makes a confidence of visible parts (domain 5.4): q is the geometric mean of
// floor + (1 − floor) × component, h the half width relative to the decision scale, and
// the limits are caps. What is missing altogether is a component of 0, so that leaving out
// a field or a dataset never counts for more than having it badly.
func confide(components []Component, h float64, limits ...limit) Confidence {
	in := stats.ConfidenceInput{RelativeHalfWidth: h}
	for _, c := range components {
		in.Quality = append(in.Quality, stats.Quality{Name: c.Name, Score: floor + (1-floor)*c.Value, Weight: c.Weight, Reason: c.Reason})
	}
	for _, l := range limits {
		in.Caps = append(in.Caps, stats.Cap{Grade: l.grade, Reason: l.reason})
	}
	got := stats.Judge(in)
	out := Confidence{Score: got.Score, Grade: string(got.Grade), Reasons: []string{}, Components: components, Quality: got.QualityScore, HalfWidth: got.RelativeHalfWidth}
	add := func(reason string) {
		if !slices.Contains(out.Reasons, reason) {
			out.Reasons = append(out.Reasons, reason)
		}
	}
	for _, r := range got.Reasons { // what holds the score down, the weakest first
		add(r)
	}
	for _, c := range components { // then what is in order
		add(c.Reason)
	}
	return out
}

// profit is the confidence of a client's margin; h is its half width, and noInterval says
// that the months are too few for one.
func (q quality) profit(client string, h float64, noInterval bool) Confidence {
	c := q.clients[client]
	rates, limits := q.costRates(c)
	_, time, more := q.timeCoverage()
	limits = append(limits, more...)
	match, more := q.matched()
	limits = append(limits, more...)
	direct, more := q.directCost()
	limits = append(limits, more...)
	if noInterval {
		limits = append(limits, limit{stats.Medium, "fewer than 5 months: too few for an interval, so the figure is only the past one"})
	}
	return confide([]Component{rates, time, q.revenueBasis(c), match, direct, q.monthsOf(client)}, h, limits...)
}

// agreement is the confidence of what an agreement earns.
func (q quality) agreement(g agreementCase, h float64, noInterval bool) Confidence {
	rates, limits := q.costRates(g.now)
	_, time, more := q.timeCoverage()
	limits = append(limits, more...)
	direct, more := q.directCost()
	limits = append(limits, more...)
	if noInterval {
		limits = append(limits, limit{stats.Medium, "fewer than 5 months: too few for an interval, so the figure is only the past one"})
	}
	terms := component("terms", 1, "the agreement's terms are in the data")
	if g.term.name == "" {
		terms = component("terms", 0, "the agreement itself is not in the data, only its id on invoices and hours")
	}
	return confide([]Component{rates, time, q.revenueBasis(g.now), direct, terms}, h, limits...)
}

// license is the confidence of a license line: a count at a day, not a sample.
func (q quality) license(terms []licenseTerm) Confidence {
	known := func(of func(licenseTerm) bool) float64 {
		n := 0.0
		for _, t := range terms {
			if of(t) {
				n++
			}
		}
		return n / math.Max(1, float64(len(terms)))
	}
	used := known(func(t licenseTerm) bool { return t.usedKnown })
	cost := known(func(t licenseTerm) bool { return t.costKnown })
	inactive := known(func(t licenseTerm) bool { return t.inactiveKnown })
	term := known(func(t licenseTerm) bool { return t.term != "" || !t.renewal.IsZero() })
	match, _ := q.matched()
	components := []Component{
		component("seats_used", used, "seats in use are stated on "+hundred(used)+" of the subscriptions"),
		component("unit_cost", cost, "the cost a seat is stated on "+hundred(cost)+" of the subscriptions"),
		component("activity", inactive, "inactive seats are stated on "+hundred(inactive)+" of the subscriptions"),
		component("terms", term, "the term or renewal is stated on "+hundred(term)+" of the subscriptions"),
		match,
	}
	return confide(components, 0)
}

// staff is the confidence of a person's load over so many months.
func (q quality) staff(c cell, n int) Confidence {
	stated := 1 - share(c["capacity_assumed"], c["capacity_hours"])
	reason := "contract hours are in the data"
	var limits []limit
	if stated < 1 {
		reason = "40 hours a week are assumed"
		limits = append(limits, limit{stats.Low, "contract hours are assumed"})
	}
	there := func(table, name string) Component {
		if q.tables[table] > 0 {
			return component(table, 1, name+" are in the data")
		}
		return component(table, 0, name+" are not in the data")
	}
	components := []Component{
		component("contract_hours", stated, reason), there("holidays", "public holidays").weighing(0.5), there("time_off", "days off").weighing(0.5),
		component("months", float64(n)/staffMonths, months(n)+" are judged"),
	}
	return confide(components, 0, limits...)
}

// trend is the confidence of a trend.
func (q quality) trend(t trendCase, h float64) Confidence {
	have := 0
	for _, c := range t.months.cells {
		if c != nil {
			have++
		}
	}
	components := []Component{present(have, len(t.months.cells))}
	if t.kind == RevenueTrend {
		components = append(components, q.revenueBasis(q.firm))
	}
	return confide(components, h)
}

// concentration is the confidence of a client's share.
func (q quality) concentration(h float64) Confidence {
	match, limits := q.matched()
	return confide([]Component{q.revenueBasis(q.firm), match}, h, limits...)
}
