package question

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// payers says whose money seats are, in words.
var payers = map[string]string{
	insight.PayerClient: "the client's", insight.PayerSelf: "our own", insight.PayerBoth: "both", insight.PayerUnknown: "not known",
}

// reclaim lists the seats that nobody uses, the earliest day to return them first.
func reclaim(ctx context.Context, a *asked) error {
	plan, err := a.insights.Reclaims(ctx, a.scope, a.Period.To)
	if err != nil {
		return a.tooLittle(err)
	}
	a.noteVersions(plan.Versions)
	house, err := a.house(ctx)
	if err != nil {
		return err
	}
	asOf := a.Period.To.AddDays(-1)
	if !plan.AsOf.IsZero() {
		asOf = plan.AsOf
	}
	zone, err := a.metrics.Zone(ctx, a.scope)
	if err != nil {
		return err
	}
	today, passed := quantity.DayOf(a.now().In(zone)), 0
	t := Table{
		Title: "Seats to return", Note: "The earliest last day first; days left are from " + onDay(asOf) + ". What is locked can be lowered at its renewal, or in the vendor's window of 7 days after it.",
		Columns: []Column{day("deadline", "Last day"), in("days_left", "Days left", quantity.Days), by("client", "Client"), by("product", "Product"), of("wasted_seats", "Unused seats", quantity.Count), of("license_waste", "Saving a month", quantity.MoneyPerMonth),
			text("state", "State"), of("waste_until_renewal", "Until its renewal", quantity.Money), text("payer", "Whose money")},
	}
	all, now, locked, open, own := amounts{}, amounts{}, amounts{}, amounts{}, amounts{}
	unpriced := 0
	var seats quantity.Decimal
	var first *insight.Reclaim
	for i, item := range plan.Items {
		if a.req.Client != "" && item.Client != a.req.Client {
			continue
		}
		currency := orElse(item.Currency, house)
		seats = seats.Add(item.Seats)
		if item.Saving == nil {
			unpriced++
		} else {
			all.add(currency, *item.Saving)
			switch item.State {
			case "now":
				now.add(currency, *item.Saving)
				if first == nil && !item.Deadline.IsZero() && !item.Deadline.Before(today) {
					first = &plan.Items[i]
				}
			case "locked":
				locked.add(currency, *item.Saving)
			default:
				open.add(currency, *item.Saving)
			}
			if item.Payer == insight.PayerSelf || item.Payer == insight.PayerBoth {
				own.add(currency, item.Saving.Mul(item.SeatsUnpaid).DivRound(item.Seats, 4))
			}
		}
		deadline, left := any(nil), any(nil)
		if !item.Deadline.IsZero() {
			deadline, left = item.Deadline.String(), whole(item.DaysLeft)
		}
		state := strings.Replace(item.State, "unknown", "term not known", 1)
		if !item.Deadline.IsZero() && item.Deadline.Before(today) {
			state += ", day passed"
			passed++
		}
		where := both(is("client", item.Client), is("product", item.Product), is("vendor", item.Vendor), is("subscription", item.Subscription))
		t.Rows = append(t.Rows, Row{
			Cells:    []any{deadline, left, item.Client, item.Product, item.Seats, known(item.Saving), state, known(item.UntilTerm), payers[item.Payer]},
			Currency: currency, Why: strings.TrimSpace(item.Vendor + ", " + orElse(item.Term, "term not known") + ", subscription " + item.Subscription),
			Query: &metric.Query{Measures: []string{"wasted_seats", "license_waste", "waste_until_renewal"}, Dimensions: []string{"subscription", "deadline"}, Where: where, Period: quantity.Period{To: a.Period.To}, Snapshot: a.Snapshot},
		})
	}
	if passed > 0 {
		t.Note += fmt.Sprintf(" Where the day passed, it was before %s: look up the next one with the vendor.", onDay(today))
	}
	a.Tables = []Table{t}
	if len(t.Rows) == 0 {
		a.Headline = fmt.Sprintf("No seat can be returned as of %s: none is known to be unused.", onDay(asOf))
		if a.rows["license_assignments"] == 0 {
			a.Next = append(a.Next, "Import who holds each seat, or seats in use with the licenses: without it no seat counts as unused.")
		}
	} else {
		a.Headline = fmt.Sprintf("%s is spent on %s that nobody uses, as of %s", all.say(quantity.MoneyPerMonth), seatsOf(seats), onDay(asOf))
		var when []string
		for _, part := range []struct {
			of    amounts
			words string
		}{{now, "%s can be had back now"}, {locked, "%s once a term ends"}, {open, "of %s the term is not known"}} {
			if !part.of.zero() {
				when = append(when, fmt.Sprintf(part.words, part.of.say(quantity.MoneyPerMonth)))
			}
		}
		if len(when) > 0 {
			a.Headline += ": " + strings.Join(when, ", ")
		}
		a.Headline += "."
		if !own.zero() {
			a.Headline += fmt.Sprintf(" %s of it is our own money, the rest is billed to clients.", own.say(quantity.MoneyPerMonth))
		} else if a.rows["agreement_additions"] > 0 {
			a.Headline += " All of it is billed to clients."
		}
		if first != nil {
			a.Next = append(a.Next, fmt.Sprintf("Return the %s of %s at %s by %s.", seatsOf(first.Seats), first.Product, first.Client, onDay(first.Deadline)))
		}
		a.Next = append(a.Next, "Note the renewals of what is locked, and lower the quantity before each.")
	}
	if unpriced > 0 {
		a.Next = append(a.Next, fmt.Sprintf("State what a seat costs of %s.", count(unpriced, "subscription")))
	}
	if err := a.sureOfLicenses(ctx); err != nil {
		return a.tooLittle(err)
	}
	a.Reasons = append(a.Reasons, plan.Notes...)
	return nil
}

// trueUp lists the subscriptions with more seats in use than were bought.
func trueUp(ctx context.Context, a *asked) error {
	end := quantity.MonthOf(a.Period.To.AddDays(-1))
	r, err := a.run(ctx, metric.Query{
		Measures:   []string{"seats_purchased", "seats_used", "overdeploy_exposure", "true_up_exposure"},
		Dimensions: []string{"client", "vendor", "product", "subscription", "term", "renewal"}, Where: a.client(), Period: end,
		Order: []string{"-true_up_exposure", "client", "product", "subscription"},
	})
	if err != nil {
		return a.tooLittle(err)
	}
	house, err := a.house(ctx)
	if err != nil {
		return err
	}
	t := Table{
		Title: "More seats in use than bought", Note: "At the end of the period. Exposure is the seats too few × cost a month × months until the renewal, one month for monthly terms.",
		Columns: []Column{by("client", "Client"), by("vendor", "Vendor"), by("product", "Product"), text("term", "Term"), day("renewal", "Renewal"), of("seats_purchased", "Bought", quantity.Count), of("seats_used", "In use", quantity.Count),
			in("over", "Too few", quantity.Count), of("overdeploy_exposure", "A month", quantity.MoneyPerMonth), of("true_up_exposure", "Exposure", quantity.Money)},
	}
	exposure, monthly := amounts{}, amounts{}
	var over quantity.Decimal
	unknown, unpriced := 0, 0
	for i, row := range r.Rows {
		bought, a1 := row[6].(quantity.Decimal)
		used, a2 := row[7].(quantity.Decimal)
		if !a1 || !a2 {
			unknown++
			continue
		}
		if !used.GreaterThan(bought) {
			continue
		}
		currency := orElse(r.CurrencyOf(i, 2), r.CurrencyOf(i, 3), house)
		over = over.Add(used.Sub(bought))
		if v, ok := row[8].(quantity.Decimal); ok {
			monthly.add(currency, v)
		}
		if v, ok := row[9].(quantity.Decimal); ok {
			exposure.add(currency, v)
		} else {
			unpriced++
		}
		renewal := any(row[5])
		if _, err := quantity.ParseDay(fmt.Sprint(row[5])); err != nil {
			renewal = nil
		}
		client, vendor, product, subscription := row[0].(string), row[1].(string), row[2].(string), row[3].(string)
		t.Rows = append(t.Rows, Row{
			Cells: []any{client, vendor, product, row[4], renewal, bought, used, used.Sub(bought), row[8], row[9]}, Currency: currency, Why: orElse(reason(r, i, "true_up_exposure"), "Subscription "+subscription+"."),
			Query: &metric.Query{Measures: []string{"seats_purchased", "seats_used", "overdeploy_exposure", "true_up_exposure"}, Dimensions: []string{"subscription"}, Where: both(is("client", client), is("vendor", vendor), is("product", product), is("subscription", subscription)), Period: end, Snapshot: a.Snapshot},
		})
	}
	a.Tables = []Table{t}
	asOf := a.Period.To.AddDays(-1)
	if !r.AsOf.IsZero() {
		asOf = r.AsOf
	}
	switch {
	case len(t.Rows) == 0 && unknown == len(r.Rows):
		a.Headline, a.Grade = fmt.Sprintf("Whether more seats are in use than were bought is not known as of %s: no subscription says how many are in use.", onDay(asOf)), "no_answer"
		a.Reasons = []string{"seats in use are not stated"}
		a.Next = append(a.Next, "Import seats in use with the licenses, or who holds each seat.")
		return nil
	case len(t.Rows) == 0:
		a.Headline = fmt.Sprintf("No subscription has more seats in use than were bought, as of %s (%s compared).", onDay(asOf), count(len(r.Rows)-unknown, "subscription"))
	default:
		a.Headline = fmt.Sprintf("%s is owed if vendors count now, as of %s: %s too few on %s, %s.", exposure.say(quantity.Money), onDay(asOf), seatsOf(over), count(len(t.Rows), "subscription"), monthly.say(quantity.MoneyPerMonth))
		a.Next = append(a.Next, "Buy the seats or remove the users before the vendor counts, and bill the clients for them.")
	}
	if unpriced > 0 {
		a.Reasons = append(a.Reasons, fmt.Sprintf("what a seat costs, or the renewal, is not known of %s, whose exposure is not counted", count(unpriced, "subscription")))
	}
	if unknown > 0 {
		a.Reasons = append(a.Reasons, fmt.Sprintf("of %d of %s the seats in use are not known", unknown, count(len(r.Rows), "subscription")))
	}
	kept := a.Reasons
	if err := a.sureOfLicenses(ctx); err != nil {
		return a.tooLittle(err)
	}
	a.Reasons = append(kept, a.Reasons...)
	return nil
}
