package insight

import (
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// resale are the revenue categories that pay for products rather than for work.
var resale = []string{"recurring_resale", "hardware"}

// agreementSums are what an agreement brings and takes.
var agreementSums = append(slices.Clone(profitSums), "revenue_tax_unknown")

// agreements finds running agreements that earn too little for the work they take.
func (a *analysis) agreements(ctx context.Context) error {
	where := fmt.Sprintf("agreement != %q", noAgreement)
	now, err := a.read(ctx, a.period, where, []string{"agreement"}, agreementSums...)
	if err != nil {
		return err
	}
	before, err := a.read(ctx, a.previous, where, []string{"agreement"}, profitSums...)
	if err != nil {
		return err
	}
	categories, err := a.read(ctx, a.period, where, []string{"agreement", "revenue_category"}, "revenue")
	if err != nil {
		return err
	}
	lately, err := a.read(ctx, last(a.period, 3), where, []string{"agreement"}, "revenue")
	if err != nil {
		return err
	}
	terms, err := a.agreementsOf(ctx, a.period.To)
	if err != nil {
		return err
	}
	products := map[string]quantity.Decimal{}
	for _, r := range categories {
		if slices.Contains(resale, r.keys[1]) {
			products[r.keys[0]] = products[r.keys[0]].Add(r.sums["revenue"])
		}
	}
	was, recent := rowsByKey(before), byKey(lately)
	var all []agreementCase
	for _, r := range now {
		g := agreementCase{name: r.keys[0], now: r.sums, before: was[r.keys[0]].sums, currency: only(r.codes), products: products[r.keys[0]], term: terms[r.keys[0]]}
		if apart(merged(r.codes, was[g.name].codes)...) != "" {
			g.before = nil
		}
		if recent[g.name]["revenue"].Sign() > 0 && !g.term.over(a.period.To.AddDays(-1)) && a.poor(g) {
			all = append(all, g)
		}
	}
	var names []string
	for _, g := range all {
		names = append(names, g.name)
	}
	series, err := a.monthly(ctx, a.period, "agreement", names, profitSums...)
	if err != nil {
		return err
	}
	for _, g := range all {
		a.reportAgreement(ctx, g, series[g.name])
	}
	return nil
}

// agreementCase is what is known of an agreement.
type agreementCase struct {
	name        string
	now, before cell             // before is nil when there was none, or in another currency
	currency    string           // of the amounts
	products    quantity.Decimal // revenue of resold products in the period
	term        agreementTerm
}

// work is what the agreement earns for work and what that costs. Vendor bills count when
// some are booked on the agreement, and then so do the products they are for; otherwise
// both are left out.
func (g agreementCase) work() (earned, cost quantity.Decimal) {
	if g.now["direct_cost"].Sign() > 0 {
		return g.now["revenue"], g.now["labor_cost"].Add(g.now["direct_cost"])
	}
	return g.now["revenue"].Sub(g.products), g.now["labor_cost"]
}

// poor reports whether the margin after labor is low.
func (a *analysis) poor(g agreementCase) bool {
	if _, known := g.now[laborCost]; !known || !priced(g.now) || g.now["hours_worked"].Sign() <= 0 {
		return false
	}
	earned, cost := g.work()
	margin, ok := ratio(earned.Sub(cost), earned)
	return ok && margin.LessThan(a.LowMargin)
}

// reprice returns the price that leaves margin g over cost, and by how much it is above
// base (domain 2.3: P* = cost ÷ (1 − g)). The margin must be below 1.
func reprice(base, cost, g quantity.Decimal) (price, uplift quantity.Decimal) {
	price, _ = ratio(cost, number(1, 0).Sub(g))
	uplift, _ = ratio(price.Sub(base), base)
	return price, uplift
}

// reportAgreement reports an agreement with a low margin after labor. The value is the
// effective hourly rate as the catalog defines it.
func (a *analysis) reportAgreement(ctx context.Context, g agreementCase, s series) {
	rate, ok := a.forms["effective_hourly_rate"].value(g.now)
	if !ok {
		return
	}
	value := rate.Round(6)
	earned, cost := g.work()
	margin, _ := ratio(earned.Sub(cost), earned)
	earnedRate, _ := ratio(earned, g.now["hours_worked"])
	n := decimal.NewFromInt(int64(len(s.active().months)))
	price, uplift := reprice(earned, cost, a.TargetMargin)
	f := Finding{
		Kind: AgreementProfitability, Subject: Subject{Dimension: "agreement", Value: g.name},
		Measure: "effective_hourly_rate", Unit: quantity.MoneyPerHour, Currency: g.currency, Period: a.period, Value: &value,
		Query: metric.Query{Measures: append(slices.Clone(profitSums), "effective_hourly_rate"), Dimensions: []string{"agreement", "month"}, Where: is("agreement", g.name), Period: a.period},
		Facts: facts(g.now), Assumptions: a.quality.laborAssumptions(),
	}
	f.Facts["margin"], f.Facts["earned_for_work"], f.Facts["earned_for_work_an_hour"] = margin.Round(12).String(), earned.String(), earnedRate.Round(6).String()
	f.Facts["reprice_to"], f.Facts["reprice_uplift"] = price.Div(n).Round(4).String(), uplift.Round(12).String()
	against := ""
	if g.term.target.Sign() > 0 {
		f.Facts["target_hourly_rate"] = g.term.target.String()
		against = fmt.Sprintf(" against a target of %s", amount(g.term.target))
	}
	if g.term.client != "" {
		f.Facts["client"] = g.term.client
	}
	f.Headline = fmt.Sprintf("%s earns %s an hour with everything invoiced on it, %s for its work alone%s: a margin after labor of %s.",
		g.name, amount(rate), amount(earnedRate), against, percent(margin))
	if g.now["direct_cost"].Sign() <= 0 {
		f.Assumptions = append(f.Assumptions, "Resold products and their vendor bills are left out, because no vendor bill names the agreement.")
	}
	f.MoneyAtStake = a.yearly(decimal.Max(decimal.Zero, a.TargetMargin.Mul(earned).Sub(earned.Sub(cost))))
	var h float64
	f.Interval, h = a.expected(s.active(), rateOverHours, rate, dec(0))
	f.Confidence = a.quality.agreement(g, h, f.Interval == nil)
	if a.compare(&f, a.forms["effective_hourly_rate"], g.before, g.now, previousLabel(a.period), a.previous) != "" {
		a.againstFirm(ctx, &f, g)
	}
	fee := ""
	if g.term.fee.Sign() > 0 {
		fee = fmt.Sprintf(" (base fee %s)", amount(g.term.fee))
	}
	f.Recommendation = fmt.Sprintf("Raise the fee of %s by %s to %s a month%s to reach a %s margin, or bring the work down from %s to %s hours a month.",
		g.name, percent(uplift), amount(price.Div(n)), fee, percent(a.TargetMargin), plain(g.now["hours_worked"].Div(n)), plain(a.affordable(g).Div(n)))
	a.report(f)
}

// affordable is how many hours the earnings pay for at the target margin and the present
// cost an hour.
func (a *analysis) affordable(g agreementCase) quantity.Decimal {
	earned, cost := g.work()
	other := cost.Sub(g.now["labor_cost"])
	rate, ok := ratio(g.now["labor_cost"], g.now["hours_worked"])
	if !ok || rate.Sign() <= 0 {
		return quantity.Decimal{}
	}
	return decimal.Max(decimal.Zero, earned.Mul(number(1, 0).Sub(a.TargetMargin)).Sub(other).Div(rate))
}

// againstFirm compares a new agreement with all agreements, scaled to its hours.
func (a *analysis) againstFirm(ctx context.Context, f *Finding, g agreementCase) {
	all, err := a.total(ctx, a.period, fmt.Sprintf("agreement != %q", noAgreement), profitSums...)
	if err != nil {
		return
	}
	if factor, ok := ratio(g.now["hours_worked"], all["hours_worked"]); ok {
		if a.compare(f, a.forms["effective_hourly_rate"], all.scaled(factor), g.now, "all agreements, at this one's hours", a.period) == "" {
			f.Comparison.Note = "the agreement has no figures in the period before"
		}
	}
}
