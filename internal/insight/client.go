package insight

import (
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// clients finds clients whose margin over the period is low, and those whose margin fell
// within it and stayed low.
func (a *analysis) clients(ctx context.Context) error {
	now, err := a.read(ctx, a.period, realClients, []string{"client"}, profitSums...)
	if err != nil {
		return err
	}
	before, err := a.read(ctx, a.previous, realClients, []string{"client"}, profitSums...)
	if err != nil {
		return err
	}
	was, is, firmNow := rowsByKey(before), rowsByKey(now), row{sums: cell{}}
	var names []string
	for _, r := range now {
		if r.keys[0] == noClient {
			continue
		}
		firmNow.sums.add(r.sums)
		firmNow.codes = merged(firmNow.codes, r.codes)
		if !priced(r.sums) {
			continue // without any cost rate there is no answer
		}
		if profit, ok := a.profit(r.sums); ok && !(profit.IsZero() && r.sums["revenue"].IsZero()) {
			names = append(names, r.keys[0])
		}
	}
	months, err := a.monthly(ctx, quantity.Period{From: a.previous.From, To: a.period.To}, "client", names, profitSums...)
	if err != nil {
		return err
	}
	for _, name := range names {
		c := clientCase{name: name, now: is[name].sums, before: was[name].sums, months: months[name], firm: firmNow.sums, currency: only(is[name].codes)}
		if c.apart = apart(merged(is[name].codes, was[name].codes)...); c.apart != "" {
			c.before, c.months = nil, c.months.in(a.period)
		}
		if apart(merged(is[name].codes, firmNow.codes)...) != "" {
			c.firm = cell{}
		}
		if margin, ok := a.margin(c.now); !ok || margin.LessThan(a.LowMargin) {
			a.reportClient(c)
		} else if drop, ok := a.findDrop(c.months.in(a.period).active(), c.months.active()); ok {
			a.reportDrop(c, drop)
		}
	}
	return nil
}

// realClients leaves out the provider itself, whose hours are internal time.
const realClients = `client_status != "internal"`

// profitSums are the base measures of profit and margin.
var profitSums = []string{"revenue", "hours_worked", "labor_cost", "direct_cost", "hours_without_cost"}

func (a *analysis) profit(c cell) (quantity.Decimal, bool) { return a.forms["gross_profit"].value(c) }
func (a *analysis) margin(c cell) (quantity.Decimal, bool) { return a.forms["gross_margin"].value(c) }

// priced reports whether any of the hours have a cost rate.
func priced(c cell) bool {
	return c["hours_worked"].IsZero() || c["hours_without_cost"].LessThan(c["hours_worked"])
}

// clientCase is what is known of a client.
type clientCase struct {
	name        string
	now, before cell
	months      series // the period before and the period
	firm        cell   // all clients in the period; empty when they are in other currencies
	currency    string // of the amounts in the period
	apart       string // why the period before, in another currency, is left out
}

// reportClient reports a client below the low margin, or with cost and no revenue.
func (a *analysis) reportClient(c clientCase) {
	profit, _ := a.profit(c.now)
	margin, hasMargin := a.margin(c.now)
	f := Finding{
		Kind: ClientProfitability, Subject: Subject{Dimension: "client", Value: c.name},
		Measure: "gross_margin", Unit: quantity.Ratio, Currency: c.currency, Period: a.period,
		Query: metric.Query{Measures: append(slices.Clone(profitSums), "gross_profit", "gross_margin"), Dimensions: []string{"client", "month"}, Where: is("client", c.name), Period: a.period},
		Facts: facts(c.now), Assumptions: a.quality.laborAssumptions(),
	}
	f.Facts["gross_profit"] = profit.Round(4).String()
	if hasMargin {
		value := margin.Round(12)
		f.Value, f.Facts["margin"] = &value, value.String()
		f.Headline = fmt.Sprintf("%s earned %s of its %s revenue as gross profit: a margin of %s.", c.name, amount(profit), amount(c.now["revenue"]), percent(margin))
		if profit.Sign() < 0 {
			f.Headline = fmt.Sprintf("%s lost %s on revenue of %s: a margin of %s.", c.name, amount(profit.Neg()), amount(c.now["revenue"]), percent(margin))
		}
	} else {
		value := profit.Round(4)
		f.Measure, f.Unit, f.Value = "gross_profit", quantity.Money, &value
		f.Headline = fmt.Sprintf("%s cost %s and brought no revenue.", c.name, amount(profit.Neg()))
	}
	// What is missing to the target: target × revenue − profit, a year.
	short := a.TargetMargin.Mul(decimal.Max(c.now["revenue"], decimal.Zero)).Sub(profit)
	f.MoneyAtStake = a.yearly(decimal.Max(short, decimal.Zero))
	var h float64
	f.Interval, f.Band, h = a.marginDoubt(c.months.in(a.period), c.now, f.Unit)
	f.Confidence = a.quality.profit(c.name, h, f.Interval == nil)
	a.explainProfit(&f, c)
	if when, ok := a.findDrop(c.months.in(a.period).active(), c.months.active()); ok {
		f.Facts["since"] = when.month.String()
	}
	f.Recommendation = a.adviseClient(c, f)
	a.report(f)
}

// explainProfit sets the drivers of a client's margin, or of its profit where the margin
// is undefined: against the period before, or the firm when the client is new.
func (a *analysis) explainProfit(f *Finding, c clientCase) {
	form := a.forms[f.Measure]
	if c.apart != "" {
		f.Comparison = &Comparison{Label: previousLabel(a.period), Period: a.previous, Measure: form.measure, Unit: form.unit, Note: c.apart}
		return
	}
	if a.compare(f, form, c.before, c.now, previousLabel(a.period), a.previous) == "" {
		return
	}
	if len(c.before) > 0 && a.compare(f, a.forms["gross_profit"], c.before, c.now, previousLabel(a.period), a.previous) == "" {
		f.Comparison.Note = "in money, because the margin is undefined without revenue"
		return
	}
	if factor, ok := ratio(c.now["revenue"], c.firm["revenue"]); ok {
		if a.compare(f, form, c.firm.scaled(factor), c.now, a.everyone()+", at this client's revenue", a.period) == "" {
			f.Comparison.Note = "the client has no figures in the period before"
		}
	}
}

// compare sets the comparison and the drivers of f and returns "" when the change could be
// attributed, otherwise why not.
func (a *analysis) compare(f *Finding, form formula, from, to cell, label string, period quantity.Period) string {
	f.Comparison = &Comparison{Label: label, Period: period, Measure: form.measure, Unit: form.unit}
	if v, ok := form.value(from); ok && len(from) > 0 {
		v = v.Round(form.places())
		f.Comparison.Value = &v
	}
	if len(from) == 0 {
		f.Comparison.Note = "no figures in the " + label
		return f.Comparison.Note
	}
	c, reason := form.attribute(from, to)
	if reason != "" {
		f.Comparison.Note = reason
		return reason
	}
	f.Comparison.Change, f.Drivers = &c.change, c.drivers
	return ""
}

// previousLabel names the period before p: "previous 12 months".
func previousLabel(p quantity.Period) string { return "previous " + months(len(p.Months())) }

// adviseClient says what would bring the client to the target margin.
func (a *analysis) adviseClient(c clientCase, f Finding) string {
	n := decimal.NewFromInt(int64(len(a.period.Months())))
	revenue, cost := c.now["revenue"], c.now["labor_cost"].Add(c.now["direct_cost"])
	if revenue.Sign() <= 0 {
		return fmt.Sprintf("Bill %s or stop the work: it cost %s a month without revenue.", c.name, amount(cost.Div(n)))
	}
	price := cost.Div(number(1, 0).Sub(a.TargetMargin)).Div(n)
	uplift, _ := ratio(price.Mul(n).Sub(revenue), revenue)
	text := fmt.Sprintf("Raise the revenue from %s by %s to %s a month to reach a %s margin", c.name, percent(uplift), amount(price), percent(a.TargetMargin))
	if profit, _ := a.profit(c.now); profit.Sign() < 0 {
		text += fmt.Sprintf(" (%s a month breaks even)", amount(cost.Div(n)))
	}
	return text + a.orReverse(c.before, c.now, f.Drivers)
}

// orReverse names the other way out: undoing what made the margin worse.
func (a *analysis) orReverse(before, now cell, drivers []Driver) string {
	if len(drivers) == 0 || drivers[0].Contribution.Sign() >= 0 || len(before) == 0 {
		return "."
	}
	d, n := drivers[0], decimal.NewFromInt(int64(len(a.period.Months())))
	switch d.Name {
	case "hours_worked":
		return fmt.Sprintf(", or bring the work back from %s to the %s hours a month of the period before.", plain(d.To.Div(n)), plain(d.From.Div(n)))
	case "direct_cost":
		return fmt.Sprintf(", or pass on the vendor bills that rose from %s to %s a month.", amount(d.From.Div(n)), amount(d.To.Div(n)))
	case inLaborRate:
		return fmt.Sprintf(", or give the work to people whose hour costs %s, as before, rather than %s.", amount(d.From), amount(d.To))
	case "revenue":
		return fmt.Sprintf(", which was %s a month in the period before.", amount(d.From.Div(n)))
	}
	return "."
}

// facts are the sums of a cell by name.
func facts(c cell) map[string]string {
	out := map[string]string{}
	for name, v := range c {
		out[name] = v.String()
	}
	return out
}

// yearly scales money of the period to a year.
func (a *analysis) yearly(d quantity.Decimal) quantity.Decimal {
	return d.Mul(number(yearMonths, 0)).Div(decimal.NewFromInt(int64(len(a.period.Months()))))
}
