package question

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// reprice lists the agreements whose fee is too low for the wanted margin, with the prices
// that they should have, from when, and what to write to the client.
func reprice(ctx context.Context, a *asked) error {
	sheet, err := a.insights.Reprices(ctx, a.scope, insight.RepriceRequest{Period: a.Period})
	if err != nil {
		return a.tooLittle(err)
	}
	a.noteVersions(sheet.DefinitionVersions)
	prices := Table{
		Title: "Agreements below the wanted margin",
		Note: fmt.Sprintf("Money is a month. The price by margin reaches %s, by efficiency earns what the hours are worth at their billing rates, by hourly rate earns the wanted rate; the interval is that of the price by margin (90%%). Proposed is the price by margin, at most %s above the fee at once.",
			insight.Say(sheet.Settings.Margin, quantity.Ratio, ""), insight.Say(sheet.Settings.Cap, quantity.Ratio, "")),
		Columns: []Column{
			by("agreement", "Agreement"), by("client", "Client"), of("mrr", "Fee now", quantity.MoneyPerMonth), in("margin", "Margin", quantity.Ratio),
			in("price_margin", "By margin", quantity.MoneyPerMonth), in("low", "From", quantity.MoneyPerMonth), in("high", "To", quantity.MoneyPerMonth),
			in("price_efficiency", "By efficiency", quantity.MoneyPerMonth), in("price_rate", "By hourly rate", quantity.MoneyPerMonth),
			in("proposed", "Proposed", quantity.MoneyPerMonth), in("uplift", "Uplift", quantity.Ratio), day("earliest", "Not before"), text("grade", "How sure"),
		},
	}
	letters := Table{Title: "What to write to the client", Note: "Drafts without cost or margin: safe to send once you have read them.", Columns: []Column{by("agreement", "Agreement"), by("client", "Client"), text("draft", "Draft")}}
	missing, brings := amounts{}, amounts{}
	var parts []stake
	considered, unknown, capped := 0, 0, 0
	var first insight.Reprice
	for _, i := range sheet.Items {
		if a.req.Client != "" && i.Client != a.req.Client {
			continue
		}
		if considered++; first.Agreement == "" && i.Proposed != nil {
			first = i
		}
		if i.Prices[0].Price == nil {
			unknown++
		}
		if i.Proposed == nil {
			continue
		}
		gap := i.Prices[0].Price.Sub(i.Fee)
		missing.add(i.Currency, gap)
		brings.add(i.Currency, i.Proposed.Sub(i.Fee))
		parts = append(parts, stake{i.Agreement, gap, i.Confidence})
		if i.Capped {
			capped++
		}
		prices.Rows = append(prices.Rows, Row{
			Cells: []any{i.Agreement, i.Client, i.Fee, known(i.Margin), known(i.Prices[0].Price), known(i.Prices[0].Low), known(i.Prices[0].High),
				known(i.Prices[1].Price), known(i.Prices[2].Price), known(i.Proposed), known(i.ProposedUplift), i.Earliest.String(), i.Confidence.Grade},
			Currency: i.Currency, Why: repriceWhy(i),
			Query: &metric.Query{Measures: []string{"mrr", "recurring_revenue", "labor_cost", "direct_cost", "hours_worked"}, Dimensions: []string{"month"}, Where: is("agreement", i.Agreement), Period: sheet.Period, Snapshot: a.Snapshot},
		})
		letters.Rows = append(letters.Rows, Row{Cells: []any{i.Agreement, i.Client, draft(i, sheet.Period)}, Currency: i.Currency})
	}
	if unknown > 0 {
		prices.Note += fmt.Sprintf(" What the work costs is not known of %s, which are not judged.", count(unknown, "agreement"))
	}
	prices.Note = strings.TrimSpace(strings.Join(append([]string{prices.Note}, ended(sheet.Notes)...), " "))
	a.Tables = []Table{prices, letters}
	target := insight.Say(sheet.Settings.Margin, quantity.Ratio, "")
	switch {
	case considered == 0:
		a.Headline, a.Grade = "No running agreement with a recurring fee is known, so there is nothing to reprice"+of2(a.req.Client)+".", "no_answer"
		a.Reasons = sheet.Notes
		a.Next = append(a.Next, "Import agreements with their amount and the additions on them.")
	case len(parts) == 0 && unknown == considered:
		a.Headline, a.Grade = fmt.Sprintf("The price of %s cannot be judged: what their work costs is not known.", count(considered, "agreement")), "no_answer"
		a.Reasons = []string{"no hours with a cost rate are booked on these agreements"}
		a.Next = append(a.Next, "Import time entries that name their agreement, and the cost rates of the staff.")
	case len(parts) == 0:
		a.Headline = fmt.Sprintf("None of %s needs a higher price: each reaches a margin of %s by the work of %s.", count(considered-unknown, "judged agreement"), target, a.Period.Words())
		for _, i := range sheet.Items {
			if a.req.Client == "" || i.Client == a.req.Client {
				parts = append(parts, stake{i.Agreement, i.Fee, i.Confidence})
			}
		}
	default:
		a.Headline = fmt.Sprintf("%s is missing to a margin of %s at %d of %s, by the work of %s; the proposed prices bring %s.",
			missing.say(quantity.MoneyPerMonth), target, len(prices.Rows), count(considered, "agreement"), a.Period.Words(), brings.say(quantity.MoneyPerMonth))
		if capped > 0 {
			a.Headline += fmt.Sprintf(" %d of them are held at %s more at once.", capped, insight.Say(sheet.Settings.Cap, quantity.Ratio, ""))
		}
		a.Next = append(a.Next, fmt.Sprintf("Start with %s: send the draft in time for %s.", first.Agreement, onDay(first.Earliest)), "Set another margin, rate, notice or cap where prices are worked on.")
	}
	a.sureOfHalf(parts, "agreement")
	return nil
}

// of2 names the asked client in a sentence, when there is one.
func of2(client string) string {
	if client == "" {
		return ""
	}
	return " for " + client
}

// ended makes sentences of notes.
func ended(notes []string) []string {
	out := make([]string, len(notes))
	for i, n := range notes {
		out[i] = capital(n) + "."
	}
	return out
}

// repriceWhy says what moved the cost of the work, and when the price can change.
func repriceWhy(i insight.Reprice) string {
	var said []string
	if i.LaborChange != nil && !i.LaborChange.IsZero() {
		way := "rose"
		if i.LaborChange.Sign() < 0 {
			way = "fell"
		}
		var by []string
		for _, d := range i.Drivers {
			if !d.Contribution.Round(2).IsZero() {
				by = append(by, fmt.Sprintf("%s %s", strings.ReplaceAll(d.Name, "_", " "), insight.Say(d.Contribution, quantity.Money, i.Currency)))
			}
		}
		said = append(said, fmt.Sprintf("The cost of the work %s by %s from the earlier to the later half of the months: %s.", way, insight.Say(i.LaborChange.Abs(), quantity.MoneyPerMonth, i.Currency), strings.Join(by, ", ")))
	}
	said = append(said, "Not before "+onDay(i.Earliest)+": "+i.EarliestWhy+".")
	return strings.Join(append(said, ended(i.Notes)...), " ")
}

// loads are the drivers of an agreement's work that a client may read: never what an hour
// costs the provider.
var loads = map[string]string{
	"endpoints":            "the devices that we look after went from %s to %s",
	"tickets_per_endpoint": "the tickets of each device went from %s to %s a month",
	"tickets":              "the tickets went from %s to %s a month",
	"hours_per_ticket":     "the time that a ticket takes went from %s to %s hours",
	"hours_worked":         "the hours that we work for you went from %s to %s a month",
}

// draft writes to the client. It holds no cost and no margin.
func draft(i insight.Reprice, worked quantity.Period) string {
	name := strings.TrimSuffix(i.Agreement, " ("+i.Client+")")
	var why []string
	for _, d := range i.Drivers {
		from, to := insight.Say(d.From.RoundBank(1), quantity.Count, ""), insight.Say(d.To.RoundBank(1), quantity.Count, "")
		if form, ok := loads[d.Name]; ok && d.Contribution.Sign() > 0 && d.To.GreaterThan(d.From) && from != to {
			why = append(why, fmt.Sprintf(form, from, to))
		}
	}
	because := "The new price reflects the work that your service takes today."
	if len(why) > 0 {
		because = fmt.Sprintf("Your service takes more work than before: from the earlier to the later half of %s, %s.", worked.Words(), withOthers(why, len(why)))
	}
	return fmt.Sprintf("Dear %s, from %s the monthly fee for %s will be %s instead of %s (%s more). %s We are glad to go through it with you, and to look together at what would lower the need for it.",
		i.Client, onDay(i.Earliest), name, insight.Say(*i.Proposed, quantity.Money, i.Currency), insight.Say(i.Fee, quantity.Money, i.Currency), insight.Say(*i.ProposedUplift, quantity.Ratio, ""), because)
}

// noteVersions keeps the versions of the definitions that an analysis used.
func (a *asked) noteVersions(of map[string]int) {
	for name, v := range of {
		a.Versions[name] = v
	}
}
