package insight

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// cell holds base sums by measure name; a missing name is an unknown value.
type cell map[string]quantity.Decimal

// add adds other's sums; a sum that only one of them knows stays as that one has it.
func (c cell) add(other cell) {
	for name, v := range other {
		c[name] = c[name].Add(v)
	}
}

// scaled returns the cell with every sum times factor.
func (c cell) scaled(factor quantity.Decimal) cell {
	out := cell{}
	for name, v := range c {
		out[name] = v.Mul(factor)
	}
	return out
}

// factor is one input of a formula in the two cells that are compared.
type factor struct {
	name     string
	from, to quantity.Decimal
}

// formula is a measure as a function of base sums, for an exact attribution of its change.
type formula struct {
	measure string
	unit    quantity.Unit
	// sums are the base measures that a cell must hold.
	sums []string
	// value computes the measure from the sums; false when it is undefined, such as a margin
	// without revenue.
	value func(cell) (quantity.Decimal, bool)
}

// The inputs that are not base measures themselves.
const (
	inLaborRate = "labor_cost_rate" // labor cost an hour
	inUnitCost  = "unit_cost"       // of a wasted or missing seat, a month
	inUsed      = "seats_in_use"    // of the purchased seats, those assigned and active
)

// The base measures that stand for a product of two inputs.
const (
	laborCost    = "labor_cost"          // hours worked × labor cost rate
	licenseWaste = "license_waste"       // wasted seats × unit cost
	wastedSeats  = "wasted_seats"        // seats purchased − seats in use
	overCost     = "overdeploy_exposure" // seats used beyond those purchased × unit cost
)

// formulaOf returns the formula of a measure of the catalog. Base measures other than the
// products above have none.
func formulaOf(c *metric.Catalog, name string) (formula, error) {
	m, err := c.Measure(name)
	if err != nil {
		return formula{}, err
	}
	f := formula{measure: name, unit: m.Unit, sums: c.FlatInputs(m)}
	f.value = func(in cell) (quantity.Decimal, bool) { return c.Evaluate(m, in) }
	switch name {
	case licenseWaste:
		f.sums = append(f.sums, "seats_purchased", wastedSeats)
	case overCost:
		f.sums = append(f.sums, "seats_purchased", "seats_used")
	}
	if slices.Contains(f.sums, laborCost) && !slices.Contains(f.sums, "hours_worked") {
		f.sums = append(f.sums, "hours_worked")
	}
	return f, nil
}

// formulasOf returns the formulas of several measures by name.
func formulasOf(c *metric.Catalog, names ...string) (map[string]formula, error) {
	out := map[string]formula{}
	for _, name := range names {
		f, err := formulaOf(c, name)
		if err != nil {
			return nil, err
		}
		out[name] = f
	}
	return out, nil
}

// factors splits two cells into the inputs people think in: hours and what an hour costs
// rather than labor cost, seats and their price rather than wasted money.
func (f formula) factors(from, to cell) []factor {
	var out []factor
	add := func(name string, before, after quantity.Decimal) { out = append(out, factor{name, before, after}) }
	over := func(c cell) quantity.Decimal {
		return decimal.Max(decimal.Zero, c["seats_used"].Sub(c["seats_purchased"]))
	}
	for _, s := range f.sums {
		switch s {
		case laborCost:
			before, after := rates(from[s], from["hours_worked"], to[s], to["hours_worked"])
			add(inLaborRate, before, after)
		case licenseWaste:
			before, after := rates(from[s], from[wastedSeats], to[s], to[wastedSeats])
			add(inUnitCost, before, after)
		case overCost:
			before, after := rates(from[s], over(from), to[s], over(to))
			add(inUnitCost, before, after)
		case wastedSeats:
			add(inUsed, from["seats_purchased"].Sub(from[s]), to["seats_purchased"].Sub(to[s]))
		default:
			add(s, from[s], to[s])
		}
	}
	return out
}

// assemble is the inverse of factors: the sums that the inputs x make.
func (f formula) assemble(factors []factor, x []quantity.Decimal) cell {
	in := map[string]quantity.Decimal{}
	for i, one := range factors {
		in[one.name] = x[i]
	}
	c := cell{}
	for _, s := range f.sums {
		switch s {
		case laborCost:
			c[s] = in["hours_worked"].Mul(in[inLaborRate])
		case licenseWaste:
			c[s] = decimal.Max(decimal.Zero, in["seats_purchased"].Sub(in[inUsed])).Mul(in[inUnitCost])
		case overCost:
			c[s] = decimal.Max(decimal.Zero, in["seats_used"].Sub(in["seats_purchased"])).Mul(in[inUnitCost])
		case wastedSeats:
			c[s] = decimal.Max(decimal.Zero, in["seats_purchased"].Sub(in[inUsed]))
		default:
			c[s] = in[s]
		}
	}
	return c
}

// ratioPlaces are the decimals that quotients keep: more than any of them is read to.
const ratioPlaces = 20

// ratio divides; it is undefined over nothing or less.
func ratio(a, b quantity.Decimal) (quantity.Decimal, bool) {
	if b.Sign() <= 0 {
		return quantity.Decimal{}, false
	}
	return a.DivRound(b, ratioPlaces), true
}

// rates returns total per unit on both sides. A side without units takes the rate of the
// other, so that the whole change then belongs to the units.
func rates(totalFrom, unitsFrom, totalTo, unitsTo quantity.Decimal) (from, to quantity.Decimal) {
	from, fromOK := ratio(totalFrom, unitsFrom)
	to, toOK := ratio(totalTo, unitsTo)
	switch {
	case !fromOK:
		from = to
	case !toOK:
		to = from
	}
	return from, to
}

// change is an exact attribution: the contributions add up to Change = To − From.
type change struct {
	from, to, change quantity.Decimal
	drivers          []Driver
	gains            map[string]quantity.Decimal // what one more of a factor brings, by its name
	sampled          float64                     // standard error of a part when there are too many for exact ones
	apart            string                      // why the amounts must not be compared: they are in several currencies
}

// attribute explains the change of the formula's value between two cells by exact Shapley
// values over its factors. The reason is not "" when that is impossible, because the value
// is undefined in a cell or in a mixture of the two.
func (f formula) attribute(from, to cell) (out change, reason string) {
	before, ok := f.value(from)
	if !ok {
		return out, f.measure + " has no value in the period before"
	}
	after, ok := f.value(to)
	if !ok {
		return out, f.measure + " has no value in the period"
	}
	factors := f.factors(from, to)
	mixed := func(mask uint) (quantity.Decimal, bool) {
		x := make([]quantity.Decimal, len(factors))
		for i, in := range factors {
			x[i] = in.from
			if mask>>i&1 == 1 {
				x[i] = in.to
			}
		}
		return f.value(f.assemble(factors, x))
	}
	parts, sampled, ok := shapley(len(factors), mixed)
	if !ok {
		return out, f.measure + " is undefined for a mixture of the two periods' inputs"
	}
	places := f.places()
	out.from, out.to = before.Round(places), after.Round(places)
	out.change = out.to.Sub(out.from)
	out.sampled = sampled
	out.gains = map[string]quantity.Decimal{}
	for i := range factors {
		out.gains[factors[i].name] = f.gain(factors, i, parts[i])
	}
	for i, part := range roundTo(parts, out.change, places) {
		out.drivers = append(out.drivers, Driver{Name: factors[i].name, Contribution: part, From: factors[i].from.Round(6), To: factors[i].to.Round(6)})
	}
	byWeight(out.drivers)
	return out, ""
}

// gain is what one more of a factor brings: its part of the change by its own change. A
// factor that did not change takes the slope halfway, so that members of it that moved
// against each other still show what each of them brought.
func (f formula) gain(factors []factor, i int, part quantity.Decimal) quantity.Decimal {
	if moved := factors[i].to.Sub(factors[i].from); !moved.IsZero() {
		return part.DivRound(moved, ratioPlaces)
	}
	step := factors[i].to.Abs().Mul(number(1, 3))
	if step.IsZero() {
		step = number(1, 0)
	}
	at := func(by quantity.Decimal) (quantity.Decimal, bool) {
		x := make([]quantity.Decimal, len(factors))
		for k, one := range factors {
			x[k] = one.from.Add(one.to).Mul(number(5, 1))
		}
		x[i] = x[i].Add(by)
		return f.value(f.assemble(factors, x))
	}
	high, ok := at(step)
	low, okLow := at(step.Neg())
	if !ok || !okLow {
		return quantity.Decimal{}
	}
	return high.Sub(low).DivRound(step.Mul(number(2, 0)), ratioPlaces)
}

// places are the decimals of the formula's value and contributions: four for money, six
// for rates, twelve for ratios.
func (f formula) places() int32 { return placesOf(f.unit) }

func placesOf(u quantity.Unit) int32 {
	switch u {
	case quantity.Money, quantity.MoneyPerMonth, quantity.Hours, quantity.Count, quantity.Days:
		return 4
	case quantity.MoneyPerHour:
		return 6
	}
	return 12
}

// shapley returns the Shapley values of a game whose coalitions are bit masks. They are exact
// for up to 12 players; for more, sampled says the largest standard error of a part.
func shapley(n int, value func(mask uint) (quantity.Decimal, bool)) (parts []quantity.Decimal, sampled float64, ok bool) {
	got, err := stats.Attribute(n, value, stats.Sampling{Seed: 1})
	for _, se := range got.SE {
		sampled = max(sampled, se)
	}
	return got.Parts, sampled, err == nil
}

// roundTo rounds the parts and gives what is left of total to the largest of them, so that
// they add up to it exactly.
func roundTo(parts []quantity.Decimal, total quantity.Decimal, places int32) []quantity.Decimal {
	rounded := make([]quantity.Decimal, len(parts))
	rest, largest := total, 0
	for i, p := range parts {
		rounded[i] = p.Round(places)
		rest = rest.Sub(rounded[i])
		if rounded[i].Abs().GreaterThan(rounded[largest].Abs()) {
			largest = i
		}
	}
	if len(rounded) > 0 {
		rounded[largest] = rounded[largest].Add(rest)
	}
	return rounded
}
