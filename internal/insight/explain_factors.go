package insight

import (
	"context"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// What revenue, the labor cost rate and direct cost are made of.
const (
	finePrice        = "price"         // the same units at another price
	fineVolume       = "volume"        // more or fewer units, at the average price of their product
	fineMix          = "mix"           // units moved to where they are dearer or cheaper than that
	fineNewClients   = "new_clients"   // clients without revenue before
	fineLostClients  = "lost_clients"  // clients without revenue now
	fineNewProducts  = "new_products"  // what a client bought for the first time
	fineLostProducts = "lost_products" // what a client no longer buys
	fineCredits      = "credits"

	finePay      = "pay_rate"  // the same people for another rate
	fineStaffMix = "staff_mix" // hours moved to people who cost more or less than the average
	fineOvertime = "overtime"  // other multipliers of the rate, such as that of overtime

	fineSeats    = "seats"     // more or fewer seats
	fineSeatCost = "seat_cost" // the same seats at another cost
	fineOther    = "other_direct_cost"
)

// half is the mean of two. A change of units × rate is attributed by the midpoint rule, which
// is exact (domain 5.5): the units' part at the mean rate and the rate's at the mean units.
func half(a, b quantity.Decimal) quantity.Decimal { return a.Add(b).Mul(number(5, 1)) }

// rated makes the atoms of a total that is units × rate: those of the units, and those of the
// rate, which members move by their own rate and by their share of the units.
func (t *tree) rated(ctx context.Context, total, units, rate string) error {
	staff := total == laborCost && t.factorsAsked() && slices.Contains(t.dimensionsOf(total), "staff")
	measures, more := []string{total, units}, []string(nil)
	if total == licenseWaste {
		measures = append(measures, "seats_purchased")
	}
	if staff {
		measures, more = append(measures, "plain_labor_cost"), []string{"staff"}
	}
	figures, err := t.sides(ctx, t.keysOf(total, more...), measures...)
	if tooMany(err) && staff {
		staff = false
		figures, err = t.sides(ctx, t.keysOf(total), total, units)
	}
	if err != nil {
		return err
	}
	var all pair
	all.from, all.to = cell{}, cell{}
	for _, one := range figures {
		all.from.add(one.from)
		all.to.add(one.to)
	}
	before, after := rates(all.from[total], all.from[units], all.to[total], all.to[units])
	mean, meanUnits := half(before, after), half(all.from[units], all.to[units])
	rateGain := quantity.Decimal{}
	if !meanUnits.IsZero() {
		rateGain = t.gain(rate).DivRound(meanUnits, ratioPlaces)
	}
	for _, one := range figures {
		moved := one.to[units].Sub(one.from[units])
		if total == licenseWaste {
			t.seats(one)
		} else {
			t.atoms = append(t.atoms, atom{input: units, keys: one.keys, part: t.gain(units).Mul(moved), base: units, from: one.from[units], to: one.to[units]})
		}
		a := atom{input: rate, keys: one.keys, base: total, from: one.from[total], to: one.to[total]}
		own := one.to[total].Sub(one.from[total]).Sub(mean.Mul(moved))
		if !staff {
			a.part = rateGain.Mul(own)
			t.atoms = append(t.atoms, a)
			continue
		}
		pay, overtime := payAndOvertime(one, total, units)
		for _, fine := range []struct {
			name   string
			amount quantity.Decimal
		}{{finePay, pay}, {fineOvertime, overtime}, {fineStaffMix, own.Sub(pay).Sub(overtime)}} {
			a.fine, a.part = fine.name, rateGain.Mul(fine.amount)
			t.atoms = append(t.atoms, a)
			a.base, a.from, a.to = "", quantity.Decimal{}, quantity.Decimal{}
		}
	}
	return nil
}

// seats makes the atoms of the seats behind wasted ones.
func (t *tree) seats(one figure) {
	bought, boughtTo := one.from["seats_purchased"], one.to["seats_purchased"]
	used, usedTo := bought.Sub(one.from[wastedSeats]), boughtTo.Sub(one.to[wastedSeats])
	t.atoms = append(t.atoms,
		atom{input: "seats_purchased", keys: one.keys, part: t.gain("seats_purchased").Mul(boughtTo.Sub(bought)), base: "seats_purchased", from: bought, to: boughtTo},
		atom{input: inUsed, keys: one.keys, part: t.gain(inUsed).Mul(usedTo.Sub(used)), base: wastedSeats, from: one.from[wastedSeats], to: one.to[wastedSeats]})
}

// payAndOvertime are the parts of a person's cost that come from another rate and from
// another multiplier: cost = hours × rate × multiplier, attributed by exact Shapley values.
// Who has no hours on a side has the same rate and multiplier there.
func payAndOvertime(one figure, total, units string) (pay, overtime quantity.Decimal) {
	rate, rateTo := rates(one.from["plain_labor_cost"], one.from[units], one.to["plain_labor_cost"], one.to[units])
	times, timesTo := rates(one.from[total], one.from["plain_labor_cost"], one.to[total], one.to["plain_labor_cost"])
	x := [3][2]quantity.Decimal{{one.from[units], one.to[units]}, {rate, rateTo}, {times, timesTo}}
	parts, _, ok := shapley(3, func(mask uint) (quantity.Decimal, bool) {
		v := number(1, 0)
		for i := range x {
			v = v.Mul(x[i][mask>>i&1])
		}
		return v, true
	})
	if !ok {
		return quantity.Decimal{}, quantity.Decimal{}
	}
	return parts[1], parts[2]
}

// revenue makes the atoms of revenue by what was sold: price, volume and mix of what a client
// buys on an agreement in both periods, what began and what ended, and credits. Units are of
// one product, so volume and mix are told apart within each.
func (t *tree) revenue(ctx context.Context) error {
	items := []string{"client", "agreement", "product"}
	if t.from.where != t.req.Where {
		items = []string{"product"} // other clients cannot have the same agreements
	}
	figures, err := t.sides(ctx, t.keysOf("amount_charged", items...), "units_billed", "amount_charged", "credits")
	if tooMany(err) {
		return t.plain(ctx, "revenue")
	}
	if err != nil {
		return err
	}
	if !t.same(figures, "revenue", "amount_charged", "credits") {
		return t.plain(ctx, "revenue") // a condition on products means stated ones only
	}
	clients, products := map[string]pair{}, map[string]pair{}
	for _, one := range figures {
		tally(clients, one.keys["client"], one)
		if sold(one.from) && sold(one.to) {
			tally(products, one.keys["product"], one)
		}
	}
	gain := t.gain("revenue")
	for _, one := range figures {
		a := atom{input: "revenue", keys: one.keys, base: "revenue", from: one.from["amount_charged"].Add(one.from["credits"]), to: one.to["amount_charged"].Add(one.to["credits"])}
		add := func(fine string, amount quantity.Decimal) {
			if amount.IsZero() && a.base == "" {
				return
			}
			a.fine, a.part = fine, gain.Mul(amount)
			t.atoms = append(t.atoms, a)
			a.base, a.from, a.to = "", quantity.Decimal{}, quantity.Decimal{}
		}
		moved := one.to["amount_charged"].Sub(one.from["amount_charged"])
		client := clients[one.keys["client"]]
		switch {
		case sold(one.from) && sold(one.to):
			average, averageTo := prices(products[one.keys["product"]])
			price, priceTo := prices(pair{one.from, one.to})
			ofPrice := priceTo.Sub(price).Mul(half(one.from["units_billed"], one.to["units_billed"]))
			volume := one.to["units_billed"].Sub(one.from["units_billed"]).Mul(half(average, averageTo))
			add(finePrice, ofPrice)
			add(fineVolume, volume)
			add(fineMix, moved.Sub(ofPrice).Sub(volume))
		case client.from["amount_charged"].IsZero():
			add(fineNewClients, moved)
		case client.to["amount_charged"].IsZero():
			add(fineLostClients, moved)
		case sold(one.to):
			add(fineNewProducts, moved)
		default:
			add(fineLostProducts, moved)
		}
		add(fineCredits, one.to["credits"].Sub(one.from["credits"]))
	}
	return nil
}

// same reports whether some measures of the figures add up to what both cells have of another.
func (t *tree) same(figures []figure, whole string, parts ...string) bool {
	var before, after quantity.Decimal
	for _, one := range figures {
		for _, p := range parts {
			before, after = before.Add(one.from[p]), after.Add(one.to[p])
		}
	}
	least := number(1, 4)
	return before.Sub(t.all.from[whole]).Abs().LessThan(least) && after.Sub(t.all.to[whole]).Abs().LessThan(least)
}

// sold reports whether a side has units at a price.
func sold(c cell) bool { return c["units_billed"].Sign() > 0 && c["amount_charged"].Sign() > 0 }

// prices is the price of a unit on both sides.
func prices(p pair) (from, to quantity.Decimal) {
	return rates(p.from["amount_charged"], p.from["units_billed"], p.to["amount_charged"], p.to["units_billed"])
}

func tally(into map[string]pair, key string, one figure) {
	p, ok := into[key]
	if !ok {
		p = pair{cell{}, cell{}}
		into[key] = p
	}
	p.from.add(one.from)
	p.to.add(one.to)
}

// directCost makes the atoms of direct cost: seats × what a seat costs for the products that
// are licensed, and the rest. Seats are those at the end of each side's period.
func (t *tree) directCost(ctx context.Context) error {
	keys := t.keysOf("direct_cost", "client", "product")
	if !slices.Contains(keys, "client") || !slices.Contains(keys, "product") {
		return t.plain(ctx, "direct_cost")
	}
	figures, err := t.sides(ctx, keys, "direct_cost")
	if tooMany(err) {
		return t.plain(ctx, "direct_cost")
	}
	if err != nil {
		return err
	}
	seats := map[string]pair{}
	if t.tables["licenses"] > 0 && t.seatsFilterable() {
		licensed, err := t.sides(ctx, []string{"client", "product"}, "seats_purchased")
		if err != nil {
			return err
		}
		for _, one := range licensed {
			tally(seats, one.keys["client"]+"\x00"+one.keys["product"], one)
		}
	}
	gain := t.gain("direct_cost")
	for _, one := range figures {
		before, after := one.from["direct_cost"], one.to["direct_cost"]
		a := atom{input: "direct_cost", keys: one.keys, base: "direct_cost", from: before, to: after}
		have := seats[one.keys["client"]+"\x00"+one.keys["product"]]
		was, is := have.from["seats_purchased"], have.to["seats_purchased"]
		if was.Sign() <= 0 || is.Sign() <= 0 || before.Sign() <= 0 || after.Sign() <= 0 {
			a.fine, a.part = fineOther, gain.Mul(after.Sub(before))
			t.atoms = append(t.atoms, a)
			continue
		}
		cost, costTo := rates(before, was, after, is)
		ofCost := costTo.Sub(cost).Mul(half(was, is))
		a.fine, a.part = fineSeatCost, gain.Mul(ofCost)
		t.atoms = append(t.atoms, a)
		t.atoms = append(t.atoms, atom{input: a.input, fine: fineSeats, keys: a.keys, part: gain.Mul(after.Sub(before).Sub(ofCost))})
	}
	return nil
}

// seatsFilterable reports whether licenses can be filtered as both cells are.
func (t *tree) seatsFilterable() bool {
	can := t.dimensionsOf("seats_purchased")
	for _, where := range []string{t.req.Where, t.from.where} {
		dims, err := t.metrics.ParseWhere(where)
		if err != nil || slices.ContainsFunc(dims, func(d string) bool { return !slices.Contains(can, d) }) {
			return false
		}
	}
	return true
}
