package insight

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// lacks says that a data set is not imported, "" when it is.
func (c *clientRisks) lacks(dataset, fields string) string {
	if c.tables[dataset] > 0 {
		return ""
	}
	return fmt.Sprintf("no %s are imported: import %s with %s", spoken(dataset), spoken(dataset), fields)
}

// paymentRisk is how late the client pays, and what is open.
func (c *clientRisks) paymentRisk(name string) RiskComponent {
	part := RiskComponent{Name: RiskPayment, Label: "Payment"}
	paid, owed := c.paid[name].sums, c.owed[name].sums
	n := int(paid["invoices_paid"].IntPart())
	late := c.figure(name, "days_beyond_terms", "Days paid beyond the due date", quantity.Days, c.period, paid.of("days_beyond_terms"))
	late.N, late.Of, late.Sure = n, "invoices paid", "the mean of the invoices paid, weighted by money"
	share := c.figure(name, "late_money_share", "Money paid late", quantity.Ratio, c.period, paid.of("late_money_share"))
	share.N, share.Of = n, "invoices paid"
	why := c.lacks("payments", "their invoice, date and amount")
	switch {
	case why != "":
		late, share = late.none(why), share.none(why)
	case late.Value == nil:
		why = "no invoice with a due date was paid in full in these months"
		late, share = late.none(why), share.none(why)
	}
	c.chance(&late, name, "days_beyond_terms", func(limit string) string { return "more than " + limit + " late are expected" })
	c.bands.judge(&late, "days_beyond_terms")
	overdue := c.figure(name, "ar_overdue", "Overdue", quantity.Money, c.end(), owed.of("ar_overdue"))
	old := c.figure(name, "ar_over_90_share", "Of what is open, over 90 days late", quantity.Ratio, c.end(), nil)
	if c.tables["payments"] == 0 {
		overdue, old = overdue.none(why), old.none(why)
	} else if v, ok := ratio(owed["ar_over_90"], owed["receivables"]); ok || owed["receivables"].Sign() <= 0 {
		old.Value = known(v.Round(6)) // nothing open is nothing old
	}
	c.bands.judge(&old, "ar_over_90_share")
	part.Figures = []RiskFigure{late, share, overdue, old}
	if late.Value == nil {
		part.Words, part.Step = asSentence(why), asSentence(why)
		return part
	}
	when, now := plain(late.Value.Abs().Round(1))+" days before", "nothing"
	if late.Value.Sign() >= 0 {
		when = plain(late.Value.Round(1)) + " days after"
	}
	if value(overdue.Value).Sign() > 0 {
		now = amount(*overdue.Value)
	}
	part.Words = fmt.Sprintf("Pays %s the due date on average; %s of the money comes late, %s is overdue now.", when, percent(value(share.Value)), now)
	part.Step = fmt.Sprintf("Agree with %s on direct debit or on payment in advance.", name)
	if value(overdue.Value).Sign() > 0 {
		part.Step = fmt.Sprintf("Call %s about %s overdue, and agree on direct debit.", name, amount(*overdue.Value))
	}
	return part
}

// asSentence is a reason as a sentence.
func asSentence(reason string) string {
	if reason == "" {
		return ""
	}
	return strings.ToUpper(reason[:1]) + reason[1:] + "."
}

// dependenceRisk is how far the client's work hangs on one person, and how that one is placed.
func (c *clientRisks) dependenceRisk(name string) RiskComponent {
	part := RiskComponent{Name: RiskDependence, Label: "Dependence on one technician"}
	share := c.figure(name, "top_technician_share", "Share of the hours of one person", quantity.Ratio, c.period, nil)
	share.Query.Measures, share.Query.Dimensions, share.Of = []string{"hours_worked"}, []string{"staff"}, "time entries"
	total, first, second := quantity.Decimal{}, row{}, row{}
	for _, r := range c.hours[name] {
		total = total.Add(r.sums["hours_worked"])
		share.N += int(r.sums["time_entry_count"].IntPart())
		switch {
		case r.keys[1] == noClient:
		case first.keys == nil:
			first = r
		case second.keys == nil:
			second = r
		}
	}
	top, ok := ratio(first.sums["hours_worked"], total)
	why := c.lacks("time_entries", "who worked when for whom")
	if why == "" && !ok {
		why = "no hours by a known person are recorded for this client in these months"
	}
	if why != "" {
		share = share.none(why)
		c.bands.judge(&share, "top_technician_share")
		part.Figures = []RiskFigure{share}
		part.Words, part.Step = asSentence(why), asSentence(why)
		return part
	}
	share.Value = known(top.Round(6))
	c.bands.judge(&share, "top_technician_share")
	person := first.keys[1]
	part.Figures = append([]RiskFigure{share}, c.placed(person, share.State == RiskAct || share.State == RiskWatch)...)
	part.Words = fmt.Sprintf("%s does %s of the %s hours.", person, percent(top), plain(total))
	for _, f := range part.Figures[1:] {
		if f.State == RiskAct && f.Name == "utilization" {
			part.Words += fmt.Sprintf(" That person works at %s of the capacity.", percent(*f.Value))
		}
		if f.State == RiskAct && f.Name == "next_capacity" {
			part.Words += " That person is not there in the month after."
		}
	}
	other := "a second person"
	if second.keys != nil {
		other = fmt.Sprintf("%s, who has worked %s h for them,", second.keys[1], plain(second.sums["hours_worked"]))
	}
	move := quantity.Decimal{}
	if t, ok := c.bands["top_technician_share"]; ok {
		move = top.Sub(*t.Bands[0].UpTo).Mul(total).Div(decimal.NewFromInt(int64(len(c.period.Months()))))
	}
	if move.Sign() > 0 {
		part.Step = fmt.Sprintf("Give %s about %s h a month of %s's work, and write down what only %s knows.", other, plain(move.Ceil()), person, person)
	}
	return part
}

// placed is how a person is placed: the load, and whether there is capacity in the month after.
// They have a state only where much hangs on the person.
func (c *clientRisks) placed(person string, hangs bool) []RiskFigure {
	where, recent := is("staff", person), last(c.period, staffMonths)
	load := c.figure("", "utilization", "Load of that person", quantity.Ratio, recent, c.load[person].sums.of("utilization"))
	load.Query.Where = where
	next := c.figure("", "next_capacity", "Capacity of that person in the month after", quantity.Hours, c.end(), c.next[person].sums.of("next_capacity"))
	next.Query.Where = where
	switch {
	case c.tables["staff"] == 0:
		why := c.lacks("staff", "weekly hours and the day that somebody leaves")
		load, next = load.none(why), next.none(why)
	case next.Value == nil:
		next = next.none("the list of staff does not have this person any more at the period's end")
	}
	if load.Value == nil && load.Reason == "" {
		load.Reason = "no capacity of this person is known: import staff with weekly hours"
	}
	if hangs {
		c.bands.judge(&load, "top_technician_load")
		next.Limit = &RiskLimit{Words: "none: the person leaves or is away (act)", Kind: "A", Source: "by definition"}
		switch {
		case c.tables["staff"] == 0:
			next.State = RiskUnknown
		case value(next.Value).Sign() <= 0:
			next.State = RiskAct
		default:
			next.State = RiskOK
		}
	}
	return []RiskFigure{load, next}
}

// serviceRisk is how the client is served: service agreements, satisfaction, what lies about.
func (c *clientRisks) serviceRisk(name string) RiskComponent {
	part := RiskComponent{Name: RiskService, Label: "Service"}
	desk, open := c.desk[name].sums, c.open[name].sums
	sla := c.figure(name, "sla_attainment", "Tickets within SLA", quantity.Ratio, c.period, nil)
	sla.N, sla.Of = int(desk["sla_judged_count"].IntPart()), "tickets with an SLA result"
	csat := c.figure(name, "csat", "Satisfied", quantity.Ratio, c.period, nil)
	csat.N, csat.Of = int(desk["csat_responses"].IntPart()), "answers"
	aged := c.figure(name, "aged_tickets", "Open tickets older than 14 days", quantity.Count, c.end(), open.of("aged_tickets"))
	back := c.figure(name, "reopen_rate", "Opened again", quantity.Ratio, c.period, desk.of("reopen_rate"))
	back.N, back.Of = int(desk["reopen_known"].IntPart()), "tickets closed"
	tickets := c.lacks("tickets", "their dates and whether the SLA was met")
	if v, ok := ratio(desk["sla_met_count"], desk["sla_judged_count"]); ok {
		sla.Value = known(v.Round(6))
		c.chance(&sla, name, "sla_attainment", func(limit string) string { return "less than " + limit + " within SLA is expected" })
	} else if sla.Reason = tickets; tickets == "" {
		sla.Reason = "no ticket of these months says whether its SLA was met"
	}
	if v, ok := ratio(desk["csat_positive"], desk["csat_responses"]); ok {
		csat.Value = known(v.Round(6))
		if i, err := stats.Wilson(int(desk["csat_positive"].IntPart()), csat.N, level); err == nil && csat.N >= fewest {
			csat.Interval, csat.Sure = &Interval{Low: dec(i.Low), High: dec(i.High), Level: level, Method: i.Method, Of: expected}, "what is expected of further answers: "+i.Method
		}
	} else if csat.Reason = c.lacks("surveys", "their client, date, score and scale"); csat.Reason == "" {
		csat.Reason = "nobody answered a survey in these months"
	}
	if tickets != "" {
		aged, back = aged.none(tickets), back.none(tickets)
	} else if aged.Value == nil {
		aged.Value = known(quantity.Decimal{}) // tickets are known, and none of them is open
	}
	c.bands.judge(&sla, "sla_attainment")
	c.bands.judge(&csat, "client_csat")
	c.bands.judge(&aged, "client_aged_tickets")
	part.Figures = []RiskFigure{sla, csat, aged, back}
	part.Words = fmt.Sprintf("%s; %s; %s.", said(sla, "%s of the tickets within SLA"), said(csat, "%s satisfied"), said(aged, "%s open tickets older than 14 days"))
	switch {
	case aged.State == RiskAct || aged.State == RiskWatch:
		part.Step = fmt.Sprintf("Close or plan the %s open tickets of %s that are older than 14 days.", plain(*aged.Value), name)
	case csat.State == RiskAct || csat.State == RiskWatch:
		part.Step = fmt.Sprintf("Call those of %s who were not satisfied: %s of %d answers.", name, plain(desk["csat_responses"].Sub(desk["csat_positive"])), csat.N)
	case sla.State == RiskAct || sla.State == RiskWatch:
		part.Step = fmt.Sprintf("Look at the %s tickets of %s that missed their SLA: by priority and by who had them.", plain(desk["sla_judged_count"].Sub(desk["sla_met_count"])), name)
	default:
		for _, f := range part.Figures[:3] {
			if f.State == RiskUnknown && part.Step == "" {
				part.Step = asSentence(f.Reason)
			}
		}
	}
	return part
}

// said puts a figure in words, or that it is not known.
func said(f RiskFigure, format string) string {
	if f.Value == nil {
		return f.Label + " not known"
	}
	return fmt.Sprintf(format, inUnit(*f.Value, f.Unit))
}

// marginRisk is what is left after labor and direct cost.
func (c *clientRisks) marginRisk(name string) RiskComponent {
	part := RiskComponent{Name: RiskMargin, Label: "Margin"}
	sums := c.money[name].sums
	f := c.figure(name, "gross_margin", "Gross margin", quantity.Ratio, c.period, nil)
	f.Of = "months with figures"
	if r, ok := c.ranks["gross_margin"][name]; ok {
		f.N = r.N
	}
	why := ""
	margin, ok := c.margin(sums)
	switch {
	case c.tables["time_entries"] == 0:
		why = c.lacks("time_entries", "hours by client")
	case !c.profitKnown(name):
		why = "no cost rate is known for the hours: import staff with cost rates"
	case !ok:
		why = "there is no revenue to relate the cost to"
	}
	if why != "" {
		f = f.none(why)
		c.bands.judge(&f, "gross_margin_tiers")
		part.Figures, part.Words, part.Step = []RiskFigure{f}, asSentence(why), asSentence(why)
		return part
	}
	f.Value = known(margin.Round(6))
	c.chance(&f, name, "gross_margin_tiers", func(limit string) string { return "a margin below " + limit + " is expected" })
	c.chance(&f, name, "", func(string) string { return "a loss is expected" })
	c.bands.judge(&f, "gross_margin_tiers")
	profit, _ := c.profit(sums)
	part.Figures = []RiskFigure{f}
	part.Words = fmt.Sprintf("A margin of %s: %s a year after labor and direct cost.", percent(margin), amount(c.yearly(profit)))
	cost, n := sums["labor_cost"].Add(sums["direct_cost"]), decimal.NewFromInt(int64(len(c.period.Months())))
	if price, uplift := reprice(sums["revenue"], cost, c.TargetMargin); uplift.Sign() > 0 {
		part.Step = fmt.Sprintf("Raise the revenue from %s by %s to %s a month, which makes a margin of %s, or lower the hours.", name, percent(uplift), amount(price.Div(n)), percent(c.TargetMargin))
	}
	return part
}

// concentrationRisk is how much of the revenue is the client's, and what remains without it.
func (c *clientRisks) concentrationRisk(name string) RiskComponent {
	part := RiskComponent{Name: RiskConcentration, Label: "Concentration"}
	own := decimal.Max(decimal.Zero, c.money[name].sums["revenue"])
	f := c.figure(name, clientShare, "Share of all revenue", quantity.Ratio, c.period, nil)
	f.Query = metric.Query{Measures: []string{"revenue"}, Where: is("client", name), Period: c.period}
	share, ok := ratio(own, c.billed)
	if c.apart != "" || !ok {
		why := "there is no revenue: import invoices"
		if c.apart != "" {
			why = c.apart
		}
		f = f.none(why)
		c.bands.judge(&f, "top1_share_flag")
		part.Figures, part.Words, part.Step = []RiskFigure{f}, asSentence(why), asSentence(why)
		return part
	}
	f.Value = known(share.Round(6))
	revenue := func(x cell) quantity.Decimal { return x["revenue"] }
	if f.Interval, _ = interval(c.months[name].values(revenue), c.all.values(revenue), share, number(1, 0)); f.Interval != nil {
		f.Sure = "the share is counted; the interval is what is expected: " + f.Interval.Method
	}
	c.bands.judge(&f, "top1_share_flag")
	left := c.figure(name, "gross_profit", "Gross profit a year without it, before overhead", quantity.Money, c.period, nil)
	left.Query.Where = both(realClients, fmt.Sprintf("client != %q", name))
	part.Words = fmt.Sprintf("Brings %s of all revenue", percent(share))
	if profit, ok := c.profit(c.money[name].sums); ok && c.profitKnown(name) {
		left.Value = known(c.yearly(c.earned.Sub(profit)).Round(4))
		part.Words += fmt.Sprintf("; without it %s of %s gross profit a year remain", amount(*left.Value), amount(c.yearly(c.earned)))
	} else {
		left.Reason = "the cost of its work is not known"
	}
	part.Words += "."
	part.Figures = []RiskFigure{f, left}
	if t, ok := c.bands["top1_share_flag"]; ok {
		edge := *t.Bands[len(t.Bands)-2].UpTo
		if need := missingElsewhere(own, c.billed, edge); need.Sign() > 0 {
			part.Step = fmt.Sprintf("Secure %s with a longer term and notice; it takes %s more from others a year to bring its share to %s.", name, amount(c.yearly(need)), percent(edge))
		} else {
			part.Step = fmt.Sprintf("Secure %s with a longer term and notice.", name)
		}
	}
	return part
}
