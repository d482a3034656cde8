package insight

import (
	"context"
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// overlooked is the age in days from which work that is on no invoice counts as forgotten:
// until then the next billing run may bring it (domain 2.1).
const overlooked = 30

// unbilledWork finds clients whose billable hours, older than overlooked, are on no invoice.
func (a *analysis) unbilledWork(ctx context.Context) error {
	old := quantity.Period{From: a.period.From, To: a.period.To.AddDays(-overlooked)}
	if !old.From.Before(old.To) {
		return nil
	}
	rows, err := a.read(ctx, old, "", []string{"client"}, "unbilled_hours", "unbilled_wip")
	if err != nil {
		return err
	}
	for _, r := range rows {
		worth, priced := r.sums["unbilled_wip"]
		if hours := r.sums["unbilled_hours"]; !priced || worth.Sign() <= 0 || hours.Sign() <= 0 {
			continue
		}
		value := worth.Round(4)
		f := Finding{
			Kind: UnbilledWork, Subject: Subject{Dimension: "client", Value: r.keys[0]}, Measure: "unbilled_wip", Unit: quantity.Money, Currency: only(r.codes), Period: old, Value: &value,
			Query: metric.Query{Measures: []string{"unbilled_hours", "unbilled_wip"}, Dimensions: []string{"month", "staff"}, Where: is("client", r.keys[0]), Period: old},
			Facts: facts(r.sums), MoneyAtStake: worth,
			Headline:       fmt.Sprintf("%s billable hours for %s, more than %d days old, are on no invoice: %s at the billing rates.", plain(r.sums["unbilled_hours"]), r.keys[0], overlooked, amount(worth)),
			Recommendation: fmt.Sprintf("Invoice the hours for %s, or mark them as not billable; the rows behind this name the day, the person and the work.", r.keys[0]),
		}
		match, limits := a.quality.matched()
		f.Confidence = confide([]Component{component("billing", 1, "the time entries say what was billed for each"), match}, 0, limits...)
		a.report(f)
	}
	return nil
}

// leaks finds products of which the vendor charges more seats for a client than its
// agreements bill, at the end of the period.
func (a *analysis) leaks(ctx context.Context) error {
	end := quantity.MonthOf(a.period.To.AddDays(-1))
	measures := []string{"billed_seats", "leaked_seats", "leakage"}
	rows, err := a.read(ctx, end, "leaked_seats > 0", []string{"client", "product"}, measures...)
	if err != nil {
		return err
	}
	for _, r := range rows {
		money, priced := r.sums["leakage"]
		if !priced || money.Sign() <= 0 {
			continue
		}
		client, product, value := r.keys[0], r.keys[1], money.Round(4)
		f := Finding{
			Kind: Leakage, Subject: Subject{Dimension: "product", Value: product, Within: &Subject{Dimension: "client", Value: client}},
			Measure: "leakage", Unit: quantity.MoneyPerMonth, Currency: only(r.codes), Period: end, Value: &value,
			Query: metric.Query{Measures: measures, Dimensions: []string{"client", "product"}, Where: both(is("client", client), is("product", product)), Period: end},
			Facts: facts(r.sums), MoneyAtStake: money.Mul(number(yearMonths, 0)),
			Headline: fmt.Sprintf("%s seats of %s at %s are charged by the vendor and billed to nobody: %s a month.", plain(r.sums["leaked_seats"]), product, client, amount(money)),
			Recommendation: fmt.Sprintf("Raise the quantity of %s on the agreement of %s from %s to %s, and ask since when it is so.", product, client,
				plain(r.sums["billed_seats"]), plain(r.sums["billed_seats"].Add(r.sums["leaked_seats"]))),
			Assumptions: []string{"products of licenses and agreements match by name or alias: under two names one looks unbilled"},
		}
		f.Confidence = confide([]Component{component("billing", 1, "the additions of the client's agreements say what is billed"),
			component("names", 0.8, "the product is matched by its name")}, 0)
		a.report(f)
	}
	return nil
}
