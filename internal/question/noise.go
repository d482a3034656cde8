package question

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

const isReactive = `work_class = "reactive"`

// noise says which clients and ticket types make more reactive work than their size explains.
func noise(ctx context.Context, a *asked) error {
	n, err := a.insights.Noise(ctx, a.scope, a.Period)
	if err != nil {
		return a.tooLittle(err)
	}
	a.sure(n.Confidence)
	if len(n.Clients) == 0 {
		a.Headline, a.Grade = fmt.Sprintf("No reactive tickets are known from %s.", a.Period.Words()), "no_answer"
		a.Next = append(a.Next, "Look at which tickets fall into which class of work, and confirm it.")
		return nil
	}
	clients := a.noisy(n)
	types, err := a.noisyTypes(ctx)
	if err != nil {
		return err
	}
	pairs, err := a.recurring(ctx)
	if err != nil {
		return err
	}
	a.Tables = []Table{clients, types, pairs}
	a.noiseHeadline(n)
	if n.Unconfirmed {
		a.Next = append(a.Next, "Confirm which tickets are reactive: the classes of work.")
	}
	if a.rows["assets"] > 0 {
		a.Reasons = append(a.Reasons, "tickets do not say which device they are about, so single devices are not told apart")
	}
	return nil
}

// noiseHeadline says where the noise is.
func (a *asked) noiseHeadline(n *insight.Noise) {
	say := func(d *quantity.Decimal) string { return insight.Say(*d, quantity.Hours, "") }
	if n.All.PerEndpoint == nil {
		first := n.Clients[0]
		a.Headline = fmt.Sprintf("%s makes most reactive work from %s: %s on %s tickets. Without endpoints nobody can say whether that is much for its size.", first.Client, a.Period.Words(), say(&first.Hours), first.Tickets)
		return
	}
	above := 0
	for _, c := range n.Clients {
		if c.Low != nil && *c.Low > n.All.TicketRate.InexactFloat64() {
			above++
		}
	}
	a.Headline = fmt.Sprintf("Clients take %s of reactive work per endpoint a month from %s", say(n.All.PerEndpoint), a.Period.Words())
	first := n.Clients[0]
	if a.req.Client != "" {
		for _, c := range n.Clients {
			if c.Client == a.req.Client {
				first = c
			}
		}
	}
	if first.Excess != nil && first.Excess.Sign() > 0 {
		a.Headline += fmt.Sprintf("; %s takes %s, %s a month more than its size explains", first.Client, say(first.PerEndpoint), say(first.Excess))
		if first.FromTickets != nil {
			what := "more tickets per endpoint"
			if first.FromTime.GreaterThan(*first.FromTickets) {
				what = "more time per ticket"
			}
			a.Headline += ", most of it from " + what
		}
		a.Next = append(a.Next, fmt.Sprintf("Look for the cause at %s: its recurring tickets are below.", first.Client))
	}
	a.Headline += fmt.Sprintf(". %s of %d surely open more tickets than their size explains.", capital(count(above, "client")), len(n.Clients))
}

// noisy lists the clients by the hours beyond their size.
func (a *asked) noisy(n *insight.Noise) Table {
	t := Table{
		Title: "Reactive work by client",
		Note: "Hours per endpoint a month are tickets per endpoint × hours per ticket. The difference from all clients is split into the two (each at the mean of the other); the two parts add up to it. " +
			"The expected ticket rate is drawn towards all clients the more, the fewer tickets there are (gamma-Poisson), with its 90 % interval. Ordered by the hours a month beyond what the client's size explains.",
		Columns: []Column{by("client", "Client"), of("endpoints", "Endpoints", quantity.Count), of("reactive_ticket_count", "Tickets", quantity.Count), of("reactive_hours", "Hours", quantity.Hours), of("reactive_hours_per_endpoint", "Hours per endpoint", quantity.Hours),
			in("change", "More than all", quantity.Hours), in("from_tickets", "From tickets", quantity.Hours), in("from_time", "From time", quantity.Hours), in("excess", "Hours a month beyond size", quantity.Hours),
			of("reactive_tickets_per_endpoint", "Tickets per endpoint", quantity.PerEndpoint), in("expected", "Expected", quantity.PerEndpoint), in("low", "From", quantity.PerEndpoint), in("high", "To", quantity.PerEndpoint), of("hours_per_reactive_ticket", "Hours per ticket", quantity.Hours)},
	}
	for _, c := range n.Clients {
		if a.req.Client != "" && c.Client != a.req.Client {
			continue
		}
		why := ""
		if c.PerEndpoint == nil {
			why = "no endpoints are known at the end of the period"
		} else if c.Tickets.LessThan(fewTickets) {
			why = "fewer than 5 tickets: too few to say"
		}
		t.Rows = append(t.Rows, Row{
			Cells: []any{c.Client, c.Endpoints, c.Tickets, c.Hours, known(c.PerEndpoint), known(c.Change), known(c.FromTickets), known(c.FromTime), known(c.Excess), known(c.TicketRate), fraction(c.Expected), fraction(c.Low), fraction(c.High), known(c.PerTicket)},
			Why:   why,
			Query: &metric.Query{Measures: []string{"reactive_hours", "reactive_ticket_count", "endpoints", "reactive_hours_per_endpoint", "reactive_tickets_per_endpoint", "hours_per_reactive_ticket"}, Where: is("client", c.Client), Period: a.Period},
		})
	}
	return t
}

// fewTickets is the number of tickets below which a rate is no rate.
var fewTickets = decimal.NewFromInt(5)

// noisyTypes lists the classes and types of tickets by hours.
func (a *asked) noisyTypes(ctx context.Context) (Table, error) {
	t := Table{Title: "Work by class and type of ticket", Note: "Only reactive work is in the other tables. The cost is the labor of the tickets closed in the period, whenever it was done; hours and tickets are those of the period.",
		Columns: []Column{by("work_class", "Class of work"), by("ticket_type", "Type"), of("ticket_count", "Tickets", quantity.Count), of("ticket_hours", "Hours", quantity.Hours), of("closed_labor_cost", "Labor cost", quantity.Money)}}
	r, err := a.run(ctx, metric.Query{Measures: []string{"ticket_count", "ticket_hours", "closed_labor_cost"}, Dimensions: []string{"work_class", "ticket_type"}, Where: a.client(), Period: a.Period})
	if err != nil {
		return t, err
	}
	for i, row := range r.Rows {
		class, _ := row[0].(string)
		name, _ := row[1].(string)
		cells, why := append([]any{}, row...), ""
		if len(r.CurrenciesOf(i, 2)) > 1 {
			cells[4], why = nil, "its cost is in several currencies, which are not added"
		}
		t.Rows = append(t.Rows, Row{Cells: cells, Currency: r.CurrencyOf(i, 2), Why: why, Query: &metric.Query{Measures: []string{"ticket_count", "ticket_hours", "closed_labor_cost"}, Dimensions: []string{"month"}, Where: both(is("work_class", class), is("ticket_type", name), a.client()), Period: a.Period}})
	}
	sortRows(t.Rows, 3, 2)
	return t, nil
}

// recurring lists the pairs of client and type that come again and again.
func (a *asked) recurring(ctx context.Context) (Table, error) {
	t := Table{Title: "What comes again and again", Note: "Pairs of client and type with 5 reactive tickets or more in at least half of the months, the most hours first.",
		Columns: []Column{by("client", "Client"), by("ticket_type", "Type"), of("ticket_count", "Tickets", quantity.Count), in("months", "Months with some", quantity.Count), of("ticket_hours", "Hours", quantity.Hours), of("closed_labor_cost", "Labor cost", quantity.Money)}}
	pairs, err := a.insights.Recurring(ctx, a.scope, a.Period)
	if err != nil {
		return t, err
	}
	for _, p := range pairs {
		if a.req.Client != "" && p.Client != a.req.Client {
			continue
		}
		t.Rows = append(t.Rows, Row{
			Cells: []any{p.Client, p.Type, p.Tickets, whole(p.Months), p.Hours, known(p.Cost)}, Currency: p.Currency,
			Query: &metric.Query{Measures: []string{"ticket_count", "ticket_hours", "closed_labor_cost"}, Dimensions: []string{"month"}, Where: both(isReactive, is("client", p.Client), is("ticket_type", p.Type)), Period: a.Period},
		})
	}
	return t, nil
}
