package insight

import (
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// drive says what moved the labor cost a month between the halves of the months: how many
// devices there are, how often each has a ticket, how long a ticket takes, and what an hour
// costs (who does the work). Without devices or tickets the hours stand for the first three.
func (r *Reprice) drive(s, load series) {
	half := len(s.months) / 2
	if half < 1 {
		return
	}
	from, to := monthOf(s, load, 0, half), monthOf(s, load, len(s.months)-half, len(s.months))
	factors := []factor{{"hours_worked", from["hours_worked"], to["hours_worked"]}}
	tickets := from["service_ticket_count"].Sign() > 0 && to["service_ticket_count"].Sign() > 0
	if tickets {
		factors[0] = factor{name: "hours_per_ticket"}
		factors[0].from, _ = ratio(from["hours_worked"], from["service_ticket_count"])
		factors[0].to, _ = ratio(to["hours_worked"], to["service_ticket_count"])
		counts := factor{"tickets", from["service_ticket_count"], to["service_ticket_count"]}
		if from["endpoints"].Sign() > 0 && to["endpoints"].Sign() > 0 {
			counts.name = "tickets_per_endpoint"
			counts.from, _ = ratio(counts.from, from["endpoints"])
			counts.to, _ = ratio(counts.to, to["endpoints"])
			factors = append(factors, factor{"endpoints", from["endpoints"], to["endpoints"]})
		}
		factors = append(factors, counts)
	}
	cost := factor{name: inLaborRate}
	cost.from, cost.to = rates(from[laborCost], from["hours_worked"], to[laborCost], to["hours_worked"])
	factors = append(factors, cost)
	full := uint(1)<<len(factors) - 1
	parts, _, ok := shapley(len(factors), func(mask uint) (quantity.Decimal, bool) {
		switch mask { // exact, where the product of rounded ratios is not
		case 0:
			return from[laborCost], true
		case full:
			return to[laborCost], true
		}
		product := one
		for i, f := range factors {
			if mask&(1<<i) != 0 {
				product = product.Mul(f.to)
			} else {
				product = product.Mul(f.from)
			}
		}
		return product, true
	})
	if !ok {
		return
	}
	change := to[laborCost].Sub(from[laborCost]).RoundBank(4)
	parts = roundTo(parts, change, 4)
	r.LaborChange = &change
	for i, f := range factors {
		r.Drivers = append(r.Drivers, Driver{Name: f.name, Contribution: parts[i], From: f.from.RoundBank(6), To: f.to.RoundBank(6)})
	}
	byWeight(r.Drivers)
	if !tickets {
		r.Notes = append(r.Notes, "tickets are not known for the agreement alone: hours are not split into devices, tickets and time")
	}
}

// monthOf is the mean month of a part of the months, with the load of the same months.
func monthOf(s, load series, from, to int) cell {
	part := series{months: s.months[from:to], cells: s.cells[from:to]}
	sum := part.sum()
	sum.add(load.in(quantity.Period{From: s.months[from], To: s.months[to-1].AddMonths(1)}).sum())
	out := cell{}
	for name, v := range sum {
		out[name] = v.DivRound(decimal.NewFromInt(int64(to-from)), ratioPlaces)
	}
	return out
}
