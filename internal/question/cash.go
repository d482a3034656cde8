package question

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// latePayers says who owes how much for how long, how late each client pays, and what cash
// the open invoices bring in the next eight weeks.
func latePayers(ctx context.Context, a *asked) error {
	cash, err := a.insights.Cash(ctx, a.scope, a.req.Period.To)
	if err != nil {
		return err
	}
	if cash.AsOf.IsZero() {
		a.Headline, a.Grade = "This cannot be answered yet: no invoice is dated.", "no_answer"
		return nil
	}
	a.sure(cash.Confidence)
	all, late := a.owed(cash)
	who := cmp.Or(a.req.Client, "Clients")
	switch {
	case len(all) == 0:
		a.Headline = fmt.Sprintf("%s %s nothing on %s.", who, map[bool]string{true: "owe", false: "owes"}[a.req.Client == ""], cash.AsOf)
	default:
		a.Headline = fmt.Sprintf("%s %s %s with tax on %s, %s of it past due.", who, map[bool]string{true: "owe", false: "owes"}[a.req.Client == ""], money(all), cash.AsOf, cmp.Or(money(late), "nothing"))
	}
	if a.rows["payments"] == 0 {
		a.Headline += " Without payments nobody can say who pays late: these are the invoices that are not marked paid."
		a.Next = append(a.Next, "Import payments with the number of the invoice that each pays.")
		return nil
	}
	if err := a.payers(ctx, cash); err != nil {
		return err
	}
	a.band(cash)
	return nil
}

// owed lists what clients owe by the days past due, and returns what is owed and what of it
// is past due, by currency.
func (a *asked) owed(cash *insight.Cash) (all, late map[string]quantity.Decimal) {
	t := Table{
		Title: "What clients owe, by the days past due", Note: "With tax. By the invoice date where no due date is known. Payments that name no known invoice are apart, negative.",
		Columns: []Column{by("client", "Client"), of("receivables", "Owed", quantity.Money), in("past_due", "Past due", quantity.Money), of("ar_current", "Not due", quantity.Money), of("ar_1_30", "1 to 30 days", quantity.Money),
			of("ar_31_60", "31 to 60 days", quantity.Money), of("ar_61_90", "61 to 90 days", quantity.Money), of("ar_over_90", "Over 90 days", quantity.Money), of("ar_unapplied", "Not applied", quantity.Money)},
	}
	drill := []string{"receivables"}
	if a.rows["payments"] > 0 {
		drill = append(drill, "ar_current", "ar_1_30", "ar_31_60", "ar_61_90", "ar_over_90", "ar_unapplied")
	}
	all, late = map[string]quantity.Decimal{}, map[string]quantity.Decimal{}
	for _, o := range cash.Owed {
		if a.req.Client != "" && o.Client != a.req.Client {
			continue
		}
		all[o.Currency], late[o.Currency] = all[o.Currency].Add(o.All), late[o.Currency].Add(o.PastDue())
		t.Rows = append(t.Rows, Row{
			Cells:    []any{o.Client, o.All, o.PastDue(), o.NotDue, o.Late[0], o.Late[1], o.Late[2], o.Late[3], o.Unapplied},
			Currency: o.Currency, Query: &metric.Query{Measures: drill, Where: is("client", o.Client), Period: quantity.Period{To: cash.AsOf.AddDays(1)}},
		})
	}
	a.Tables = append(a.Tables, t)
	if len(t.Rows) > 0 && isPositive(t.Rows[0].Cells[2]) {
		a.Next = append(a.Next, fmt.Sprintf("Call %s first: it has most past due.", t.Rows[0].Cells[0]))
	}
	return all, late
}

// money writes amounts by currency, those that are not zero.
func money(by map[string]quantity.Decimal) string {
	var parts []string
	for _, code := range sortedKeys(by) {
		if !by[code].IsZero() {
			parts = append(parts, insight.Say(by[code], quantity.Money, code))
		}
	}
	return strings.Join(parts, " and ")
}

// payers lists how late the clients pay.
func (a *asked) payers(ctx context.Context, cash *insight.Cash) error {
	r, err := a.run(ctx, metric.Query{Measures: []string{"days_beyond_terms"}, Dimensions: []string{"client"}, Where: a.client(), Period: quantity.Period{To: a.req.Period.To}})
	if err != nil {
		return err
	}
	beyond, twice := map[any]any{}, map[any]bool{}
	for i, row := range r.Rows {
		beyond[row[0]], twice[row[0]] = row[1], len(r.CurrenciesOf(i, 0)) > 1
	}
	t := Table{
		Title: "How late clients pay",
		Note: "Days count from the due date to the last payment, negative when earlier. The median counts open invoices as not paid yet (Kaplan-Meier, 90 % interval); days beyond terms weigh by money. " +
			"The expected share late is drawn towards all clients the more, the fewer invoices a client has paid; the list is ordered by it. Fewer than 5 paid invoices are too few to say how a client pays.",
		Columns: []Column{by("client", "Client"), in("paid", "Invoices paid", quantity.Count), in("late", "Paid late", quantity.Count), in("share", "Expected share late", quantity.Ratio), in("share_low", "From", quantity.Ratio), in("share_high", "To", quantity.Ratio),
			in("median", "Median days after due", quantity.Days), in("median_low", "From", quantity.Days), in("median_high", "To", quantity.Days), in("p90", "Nine of ten within", quantity.Days),
			of("days_beyond_terms", "Days beyond terms, by money", quantity.Days), in("open", "Open invoices", quantity.Count)},
	}
	few := 0
	for _, p := range cash.Payers {
		if a.req.Client != "" && p.Client != a.req.Client {
			continue
		}
		cells := []any{p.Client, whole(p.Paid), whole(p.Late), fraction(p.Share), fraction(p.ShareLow), fraction(p.ShareHigh), place(p.Median), place(p.MedianLow), place(p.MedianHigh), place(p.P90), beyond[p.Client], whole(p.Open)}
		why := ""
		if p.LikeAll {
			few++
			why = fmt.Sprintf("Too few to say: %s. Its open invoices are foreseen as all clients pay.", count(p.Paid, "paid invoice"))
			for j := 6; j < 10; j++ {
				cells[j] = nil
			}
		}
		if twice[p.Client] {
			cells[10] = nil
			why = strings.TrimSpace(why + " Days by money are not added over two currencies.")
		}
		t.Rows = append(t.Rows, Row{Cells: cells, Why: why, Query: &metric.Query{Measures: []string{"invoices_paid", "invoices_paid_late", "late_payment_rate", "days_beyond_terms"}, Dimensions: []string{"month"}, Where: is("client", p.Client), Period: quantity.Period{To: a.req.Period.To}}})
	}
	a.Tables = append(a.Tables, t)
	if few > 0 {
		a.Reasons = append(a.Reasons, fmt.Sprintf("%s paid fewer than 5 invoices and %s foreseen as all clients pay", count(few, "client"), map[bool]string{true: "is", false: "are"}[few == 1]))
	}
	return nil
}

// band lists the cash of the next weeks, what is left out of it, and how the same rule did
// eight weeks earlier.
func (a *asked) band(cash *insight.Cash) {
	if a.req.Client != "" {
		return // the band is of all clients: a client's own few invoices make none
	}
	if cash.Reason != "" {
		a.Headline += " What comes in the next 8 weeks cannot be said: " + cash.Reason + "."
		return
	}
	week := []Column{text("week", "Week from"), in("expected", "Expected", quantity.Money), in("low", "At least", quantity.Money), in("high", "At most", quantity.Money)}
	t := Table{
		Title: "Cash of the next 8 weeks", Columns: week,
		Note: "Of invoices that are open now: those not issued yet, such as the recurring ones of the coming months, are left out. Each client's days to payment, drawn to those of all as if 3 of their invoices were its own, give the chance of each week for an invoice as old as it is. " +
			"Invoices of a client with one due date are taken to be paid on one day. Nine of ten times the money lies between the last two columns; bands of single weeks do not add up.",
	}
	var said []string
	for _, w := range cash.Total {
		say := func(d quantity.Decimal) string { return insight.Say(d, quantity.Money, w.Currency) }
		said = append(said, fmt.Sprintf("%s (%s to %s)", say(w.Expected), say(w.Low), say(w.High)))
		t.Rows = append(t.Rows, Row{Cells: []any{"all 8 weeks", w.Expected, w.Low, w.High}, Currency: w.Currency})
	}
	for _, w := range cash.Weeks {
		t.Rows = append(t.Rows, Row{Cells: []any{w.From.String(), w.Expected, w.Low, w.High}, Currency: w.Currency})
	}
	if len(said) > 0 {
		a.Headline += fmt.Sprintf(" In the 8 weeks from %s, %s of it is expected; invoices not issued yet come on top.", cash.AsOf.AddDays(1), strings.Join(said, " and "))
	}
	a.Tables = append(a.Tables, t)
	if len(cash.LeftOut) > 0 {
		t := Table{Title: "Owed and not expected", Columns: []Column{text("why", "Why"), in("invoices", "Invoices", quantity.Count), in("amount", "Amount", quantity.Money)}}
		for _, l := range cash.LeftOut {
			t.Rows = append(t.Rows, Row{Cells: []any{l.Why, whole(l.Invoices), l.Amount}, Currency: l.Currency})
		}
		a.Tables = append(a.Tables, t)
		a.Next = append(a.Next, "Settle what is owed and not expected: disputed invoices, credits, and invoices marked paid without a payment.")
	}
	if len(cash.Tested) == 0 {
		return
	}
	test := Table{Title: "The same rule 8 weeks earlier", Columns: append(week[:4:4], in("paid", "Was paid", quantity.Money), text("inside", "Inside")), Note: "Made with the invoices and payments that were known then, beside what was paid of the invoices that were open."}
	for _, w := range append(cash.TestedTotal[:len(cash.TestedTotal):len(cash.TestedTotal)], cash.Tested...) {
		name := w.From.String()
		if w.From.DaysUntil(w.To) > 7 {
			name = "all 8 weeks"
		}
		test.Rows = append(test.Rows, Row{Cells: []any{name, w.Expected, w.Low, w.High, known(w.Paid), map[bool]string{true: "yes", false: "no"}[w.Inside()]}, Currency: w.Currency})
	}
	a.Tables = append(a.Tables, test)
	for _, w := range cash.TestedTotal {
		say := func(d quantity.Decimal) string { return insight.Say(d, quantity.Money, w.Currency) }
		a.Reasons = append(a.Reasons, fmt.Sprintf("8 weeks earlier %s were expected (%s to %s) and %s paid", say(w.Expected), say(w.Low), say(w.High), say(*w.Paid)))
	}
}

// place returns a number that may be missing as a cell, to one decimal.
func place(v *float64) any {
	if v == nil {
		return nil
	}
	return decimal.NewFromFloat(*v).Round(1)
}
