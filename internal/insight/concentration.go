package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// clientShare names the measure of a concentration finding: the client's part of all
// revenue. The catalog's client_concentration, over all clients, is among its facts.
const clientShare = "revenue_share"

// shareFormula is a client's revenue over the revenue of all.
var shareFormula = formula{
	measure: clientShare, unit: quantity.Ratio, sums: []string{"client_revenue", "other_revenue"},
	value: func(c cell) (quantity.Decimal, bool) {
		return ratio(c["client_revenue"], c["client_revenue"].Add(c["other_revenue"]))
	},
}

// concentration finds a dependence on one client, or on few: it is about all of them.
func (a *analysis) concentration(ctx context.Context) error {
	if !a.scope.Rights.SeesAllRows() {
		return nil
	}
	now, err := a.read(ctx, a.period, realClients, []string{"client"}, "revenue")
	if err != nil {
		return err
	}
	if apart(codesOf(now...)...) != "" {
		return nil // shares of amounts in several currencies mean nothing
	}
	total := quantity.Decimal{}
	for _, r := range now {
		total = total.Add(decimal.Max(decimal.Zero, r.sums["revenue"]))
	}
	now = slices.DeleteFunc(now, func(r row) bool { return r.keys[0] == noClient || r.sums["revenue"].Sign() <= 0 })
	if len(now) < 2 || total.Sign() <= 0 {
		return nil
	}
	slices.SortStableFunc(now, func(x, y row) int {
		return cmp.Or(y.sums["revenue"].Cmp(x.sums["revenue"]), cmp.Compare(x.keys[0], y.keys[0]))
	})
	over, err := a.total(ctx, a.period, realClients, "client_concentration")
	if err != nil {
		return err
	}
	hhi, top := over["client_concentration"], now[0]
	share, _ := ratio(top.sums["revenue"], total)
	if !share.GreaterThan(a.ClientShare) && !hhi.GreaterThan(a.ClientHHI) {
		return nil
	}
	return a.reportConcentration(ctx, top.keys[0], share, hhi, total, now)
}

// reportConcentration reports the largest client.
func (a *analysis) reportConcentration(ctx context.Context, name string, share, hhi, total quantity.Decimal, clients []row) error {
	value := share.Round(12)
	f := Finding{
		Kind: ClientConcentration, Subject: Subject{Dimension: "client", Value: name},
		Measure: clientShare, Unit: quantity.Ratio, Currency: only(codesOf(clients...)), Period: a.period, Value: &value,
		Query: metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Where: realClients, Period: a.period, Order: []string{"-revenue"}},
		Facts: map[string]string{"revenue": clients[0].sums["revenue"].String(), "all_revenue": total.String(), "client_concentration": hhi.Round(12).String()},
	}
	effective, _ := ratio(number(1, 0), hhi)
	f.Facts["effective_clients"] = effective.Round(2).String()
	sum := quantity.Decimal{}
	for i, r := range clients[:min(5, len(clients))] {
		sum = sum.Add(r.sums["revenue"])
		if i == 2 || i == 4 {
			part, _ := ratio(sum, total)
			f.Facts[fmt.Sprintf("top%d_share", i+1)] = part.Round(12).String()
		}
	}
	f.Headline = fmt.Sprintf("%s brings %s of all revenue; the %d clients count as %s of equal size.", name, percent(share), len(clients), plain(effective))
	months, err := a.monthly(ctx, a.period, "client", []string{name}, "revenue")
	if err != nil {
		return err
	}
	all, err := a.monthlyTotal(ctx, a.period, realClients, "revenue")
	if err != nil {
		return err
	}
	revenue := func(c cell) quantity.Decimal { return c["revenue"] }
	var h float64
	f.Interval, h = interval(months[name].values(revenue), all.values(revenue), share, number(1, 0))
	f.Confidence = a.quality.concentration(h)
	if err := a.compareShare(ctx, &f, name, clients[0].sums["revenue"], total); err != nil {
		return err
	}
	profits, err := a.total(ctx, a.period, is("client", name), profitSums...)
	if err != nil {
		return err
	}
	atRisk := clients[0].sums["revenue"]
	if p, ok := a.profit(profits); ok && priced(profits) {
		atRisk = decimal.Max(decimal.Zero, p)
		f.Facts["gross_profit"] = p.Round(4).String()
	}
	above, _ := ratio(decimal.Max(decimal.Zero, share.Sub(a.ClientShare)), share)
	f.MoneyAtStake = a.yearly(atRisk.Mul(above))
	f.Recommendation = fmt.Sprintf("Secure %s with a longer term and a notice period, and win others: at the same revenue of %s it takes %s more from other clients a year to bring its share to %s.",
		name, amount(clients[0].sums["revenue"]), amount(a.yearly(missingElsewhere(clients[0].sums["revenue"], total, a.ClientShare))), percent(a.ClientShare))
	a.report(f)
	return nil
}

// missingElsewhere is how much more others must bring for revenue to be only share of all.
func missingElsewhere(revenue, total, share quantity.Decimal) quantity.Decimal {
	wanted, _ := ratio(revenue, share)
	return decimal.Max(decimal.Zero, wanted.Sub(total))
}

// compareShare attributes the change of the share to the client and the others.
func (a *analysis) compareShare(ctx context.Context, f *Finding, name string, revenue, total quantity.Decimal) error {
	before, err := a.read(ctx, a.previous, realClients, []string{"client"}, "revenue")
	if err != nil {
		return err
	}
	if f.Currency != "" && apart(merged([]string{f.Currency}, codesOf(before...))...) != "" {
		before = nil
	}
	was, own, found := cell{}, quantity.Decimal{}, false
	for _, r := range before {
		was["other_revenue"] = was["other_revenue"].Add(decimal.Max(decimal.Zero, r.sums["revenue"]))
		if r.keys[0] == name {
			own, found = decimal.Max(decimal.Zero, r.sums["revenue"]), true
		}
	}
	if !found {
		was = cell{}
	} else {
		was["client_revenue"], was["other_revenue"] = own, was["other_revenue"].Sub(own)
	}
	a.compare(f, shareFormula, was, cell{"client_revenue": revenue, "other_revenue": total.Sub(revenue)}, previousLabel(a.period), a.previous)
	return nil
}
