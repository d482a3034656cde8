package insight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// licenseSums are the measures of a license line at the end of a period.
var licenseSums = []string{"seats_purchased", "seats_used", wastedSeats, licenseWaste, overCost}

// licenses finds the license lines (client and product) that are paid for and hardly
// used, and those that more people use than were bought, at the end of the period.
func (a *analysis) licenses(ctx context.Context) error {
	dimensions := []string{"client", "product"}
	end := quantity.MonthOf(a.period.To.AddDays(-1))
	now, err := a.read(ctx, end, "", dimensions, licenseSums...)
	if err != nil {
		return err
	}
	before, err := a.read(ctx, quantity.MonthOf(a.period.From.AddDays(-1)), "", dimensions, licenseSums...)
	if err != nil {
		return err
	}
	terms, err := a.licenseTerms(ctx, a.period.To)
	if err != nil {
		return err
	}
	was := map[[2]string]row{}
	for _, r := range before {
		was[[2]string(r.keys)] = r
	}
	for _, r := range now {
		line := [2]string(r.keys)
		l := licenseLine{client: line[0], product: line[1], now: r.sums, before: was[line].sums, currency: only(r.codes), terms: terms[line], asOf: a.period.To, period: end}
		if apart(merged(r.codes, was[line].codes)...) != "" {
			l.before = nil
		}
		used := r.sums["seats_purchased"].Sub(r.sums[wastedSeats])
		use, ok := ratio(used, r.sums["seats_purchased"])
		switch {
		case r.sums["seats_used"].GreaterThan(r.sums["seats_purchased"]):
			a.reportOver(l)
		case ok && use.LessThan(a.LicenseUse) && !r.sums[licenseWaste].LessThan(a.LicenseMoney):
			a.reportWaste(l, use)
		}
	}
	return nil
}

// licenseLine is a product at a client.
type licenseLine struct {
	client, product string
	now, before     cell   // before is nil when there was none, or in another currency
	currency        string // of the amounts
	terms           []licenseTerm
	asOf            quantity.Day
	period          quantity.Period // the last month, whose end the figures are of
}

func (l licenseLine) finding(kind Kind, measure string) Finding {
	return Finding{
		Kind: kind, Subject: Subject{Dimension: "product", Value: l.product, Within: &Subject{Dimension: "client", Value: l.client}},
		Measure: measure, Unit: quantity.MoneyPerMonth, Currency: l.currency, Period: l.period,
		Query: metric.Query{Measures: licenseSums, Dimensions: []string{"client", "product"}, Where: both(is("client", l.client), is("product", l.product)), Period: l.period},
		Facts: facts(l.now),
	}
}

// reportWaste reports a line whose seats are paid for and not used; use is the share of
// the purchased seats that are assigned and active.
func (a *analysis) reportWaste(l licenseLine, use quantity.Decimal) {
	f := l.finding(LicenseWaste, licenseWaste)
	waste, seats := l.now[licenseWaste], l.now[wastedSeats]
	value := waste.Round(4)
	f.Value = &value
	f.Facts["license_utilization"] = use.Round(12).String()
	f.MoneyAtStake = waste.Mul(number(yearMonths, 0))
	f.Headline = fmt.Sprintf("%s of %s seats of %s at %s are paid for and not used: %s a month.",
		plain(seats), plain(l.now["seats_purchased"]), l.product, l.client, amount(waste))
	split := splitByTerm(l.terms, l.asOf)
	now, later := split.share(waste)
	f.Facts["recoverable_now"], f.Facts["locked"] = now.String(), later.String()
	if !split.until.IsZero() {
		f.Facts["locked_until"] = split.until.String()
	}
	f.Assumptions = a.quality.licenseAssumptions(l.terms)
	f.Confidence = a.quality.license(l.terms)
	if a.compare(&f, a.forms[licenseWaste], l.before, l.now, "end of the "+previousLabel(a.period), quantity.MonthOf(a.period.From.AddDays(-1))) != "" && len(l.before) == 0 {
		f.Comparison.Note = "the client did not have this product at the " + f.Comparison.Label
	}
	f.Recommendation = adviseWaste(l, split, now, later)
	a.report(f)
}

// adviseWaste says how many seats to return and when that takes effect.
func adviseWaste(l licenseLine, split termSplit, now, later quantity.Decimal) string {
	parts := []string{}
	if now.Sign() > 0 {
		when := "from the next billing cycle"
		if split.window {
			when = "now, within the 7 days after the renewal"
		}
		parts = append(parts, fmt.Sprintf("%s a month is recoverable %s", amount(now), when))
	}
	if later.Sign() > 0 {
		when := "the end of its term, whose date is not in the data"
		if !split.until.IsZero() {
			when = split.until.String() + ": lower the quantity for that renewal, at the latest in the 7 days after it"
		}
		parts = append(parts, fmt.Sprintf("%s a month is locked until %s", amount(later), when))
	}
	if len(parts) == 0 {
		parts = append(parts, "the term is not in the data, so check when the quantity can be lowered")
	}
	return fmt.Sprintf("Return %s of %s seats of %s at %s; %s.", plain(l.now[wastedSeats]), plain(l.now["seats_purchased"]), l.product, l.client, strings.Join(parts, "; "))
}

// reportOver reports a line with more seats in use than bought.
func (a *analysis) reportOver(l licenseLine) {
	f := l.finding(LicenseOverdeployment, overCost)
	over := l.now["seats_used"].Sub(l.now["seats_purchased"])
	value := l.now[overCost].Round(4)
	f.Value = &value
	f.MoneyAtStake = value.Mul(number(yearMonths, 0))
	if use, ok := ratio(l.now["seats_used"], l.now["seats_purchased"]); ok {
		f.Facts["license_utilization"] = use.Round(12).String()
	}
	f.Headline = fmt.Sprintf("%s seats of %s are in use at %s and %s are bought: %s too few, %s a month.",
		plain(l.now["seats_used"]), l.product, l.client, plain(l.now["seats_purchased"]), plain(over), amount(value))
	f.Assumptions = a.quality.licenseAssumptions(l.terms)
	f.Confidence = a.quality.license(l.terms)
	a.compare(&f, a.forms[overCost], l.before, l.now, "end of the "+previousLabel(a.period), quantity.MonthOf(a.period.From.AddDays(-1)))
	f.Recommendation = fmt.Sprintf("Buy %s more seats of %s for %s, or remove as many users, before the vendor counts; seats can be added at any time. Bill the client for them.", plain(over), l.product, l.client)
	a.report(f)
}

// licenseTerm is what a subscription row says about its seats and its term.
type licenseTerm struct {
	client, product string
	term            string // lower case; "" when unknown
	start, renewal  quantity.Day
	waste           quantity.Decimal // money a month, as stated on the row
	usedKnown       bool
	inactiveKnown   bool
	costKnown       bool
}

// window is how long after an order or renewal a term's quantity can be lowered
// (domain 2.6: Microsoft's new commerce rules; other vendors are treated alike).
const window = 7

// termSplit is the money a month of a line by when it can be saved.
type termSplit struct {
	now, later quantity.Decimal
	until      quantity.Day // the latest renewal that is waited for
	window     bool         // what is recoverable now is so because of the window
}

// share divides waste as the rows' money is divided.
func (s termSplit) share(waste quantity.Decimal) (now, later quantity.Decimal) {
	part, ok := ratio(s.now, s.now.Add(s.later))
	if !ok {
		return decimal.Zero, decimal.Zero
	}
	now = waste.Mul(part).Round(4)
	return now, waste.Round(4).Sub(now)
}

// splitByTerm says what each row's waste waits for on the day asOf: a monthly term for
// the next cycle, a longer one for its renewal, or for nothing in the days after it. A
// row without a term but with a renewal in the future counts as locked until then.
func splitByTerm(terms []licenseTerm, asOf quantity.Day) termSplit {
	var s termSplit
	for _, t := range terms {
		renewal := t.renewal
		for !renewal.IsZero() && !asOf.Before(renewal.AddDays(window)) && t.years() > 0 {
			renewal = quantity.NewDay(renewal.Time().Year()+t.years(), renewal.Time().Month(), renewal.Time().Day())
		}
		begun := func(d quantity.Day) bool {
			return !d.IsZero() && !asOf.Before(d) && asOf.Before(d.AddDays(window))
		}
		switch {
		case t.term == "monthly":
			s.now = s.now.Add(t.waste)
		case begun(renewal) || begun(t.start):
			s.now, s.window = s.now.Add(t.waste), true
		case t.years() > 0 || !renewal.IsZero() && asOf.Before(renewal):
			s.later = s.later.Add(t.waste)
			if s.until.Before(renewal) {
				s.until = renewal
			}
		}
	}
	return s
}

// years is the length of the term, 0 for a monthly or unknown one.
func (t licenseTerm) years() int {
	switch t.term {
	case "annual", "yearly", "1 year", "p1y", "12 months", "annually":
		return 1
	case "triennial", "3 year", "3 years", "p3y", "36 months":
		return 3
	}
	return 0
}

// sortTerms puts the rows into a stable order.
func sortTerms(terms []licenseTerm) {
	slices.SortStableFunc(terms, func(a, b licenseTerm) int { return strings.Compare(a.renewal.String(), b.renewal.String()) })
}
