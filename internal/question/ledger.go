package question

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// ledgerTies lays revenue beside the ledger and labor beside payroll, month by month.
func ledgerTies(ctx context.Context, a *asked) error {
	r, err := a.insights.Reconcile(ctx, a.scope, a.Period)
	if err != nil {
		return a.tooLittle(err)
	}
	a.noteVersions(r.DefinitionVersions)
	money := func(name, label string) Column { return of(name, label, quantity.Money) }
	revenue := Table{
		Title: "Revenue and the ledger", Note: "Gap is what is invoiced here less the ledger's income; likely says what has exactly that amount.",
		Columns: []Column{day("month", "Month"), money("revenue", "Invoiced"), money("revenue_earned", "Earned"), money("ledger_revenue", "Ledger"), money("revenue_gap", "Gap"), text("likely", "Likely")},
	}
	tied, apart, explained, gaps, net := 0, 0, 0, amounts{}, quantity.Decimal{}
	for _, m := range r.Revenue {
		likely := strings.Join(m.Likely, "; ")
		switch {
		case m.Gap == nil:
		case m.Gap.IsZero():
			tied++
		default:
			apart++
			if likely != "" {
				explained++
			}
			gaps.add(r.Currency, m.Gap.Abs())
			net = net.Add(*m.Gap)
		}
		revenue.Rows = append(revenue.Rows, Row{
			Cells: []any{m.Month.String(), known(m.Invoiced), known(m.Earned), known(m.Ledger), known(m.Gap), orNull(likely)}, Currency: r.Currency, Why: m.Reason,
			Query: &metric.Query{Measures: []string{"revenue", "revenue_earned", "ledger_revenue"}, Dimensions: []string{"month"}, Period: quantity.MonthOf(m.Month), Snapshot: a.Snapshot},
		})
	}
	labor := Table{
		Title: "Pay and where it went", Note: "Pay = labor for clients + internal labor + unabsorbed. Unabsorbed = leave + time that nobody entered + rates other than pay, where these are known. Explain it above 5%.",
		Columns: []Column{day("month", "Month"), money("absorbable_payroll", "Pay"), money("client_labor", "For clients"), money("internal_labor", "Internal"), money("unabsorbed_labor", "Unabsorbed"),
			of("unabsorbed_share", "Of pay", quantity.Ratio), in("leave", "Leave", quantity.Money), in("not_entered", "Not entered", quantity.Money), in("rates", "Rates", quantity.Money)},
	}
	paid, lost := amounts{}, amounts{}
	paidMonths := 0
	for _, m := range r.Labor {
		if m.Payroll != nil && m.Unabsorbed != nil {
			paid.add(r.Currency, *m.Payroll)
			lost.add(r.Currency, *m.Unabsorbed)
			paidMonths++
		}
		labor.Rows = append(labor.Rows, Row{
			Cells:    []any{m.Month.String(), known(m.Payroll), known(m.Client), known(m.Internal), known(m.Unabsorbed), known(m.Share), known(m.Leave), known(m.NotEntered), known(m.Rates)},
			Currency: r.Currency, Why: m.Reason,
			Query: &metric.Query{Measures: []string{"absorbable_payroll", "client_labor", "internal_labor", "unabsorbed_labor"}, Dimensions: []string{"month"}, Period: quantity.MonthOf(m.Month), Snapshot: a.Snapshot},
		})
	}
	other := Table{Title: "What other systems count otherwise", Note: "Of the whole period: why a report of another system differs from the figures here.", Columns: []Column{text("name", "What"), text("measure", "Figure"), text("words", "Why")}}
	for _, d := range r.Differences {
		q := d.Query
		other.Rows = append(other.Rows, Row{Cells: []any{strings.ReplaceAll(d.Name, "_", " "), strings.ReplaceAll(d.Measure, "_", " "), d.Words}, Currency: r.Currency, Query: &q})
	}
	a.Tables = []Table{revenue, labor, other}
	a.ledgerWords(r, tied, apart, explained, gaps, net, paid, lost, paidMonths)
	return nil
}

// ledgerWords sets the headline and how sure it is: a comparison of stored sums is exact, so
// it is as sure as months can be compared.
func (a *asked) ledgerWords(r *insight.Reconciliation, tied, apart, explained int, gaps amounts, net quantity.Decimal, paid, lost amounts, paidMonths int) {
	months := len(r.Revenue)
	compared := tied + apart
	switch {
	case compared == 0:
		a.Headline = fmt.Sprintf("Whether revenue ties to the books is not known for %s: there is no ledger of these months in one currency.", a.Period.Words())
	case apart == 0:
		a.Headline = fmt.Sprintf("Revenue ties to the ledger to the cent in all of %s, %s.", count(compared, "month"), a.Period.Words())
	default:
		a.Headline = fmt.Sprintf("Revenue ties to the ledger to the cent in %d of %s, %s; in the others it is off by %s in all", tied, count(compared, "month"), a.Period.Words(), gaps.say(quantity.Money))
		if net.IsZero() {
			a.Headline += " that cancel out"
		}
		switch {
		case explained == apart:
			a.Headline += ", each with a likely reason."
		case explained > 0:
			a.Headline += fmt.Sprintf(", %d with a likely reason.", explained)
		default:
			a.Headline += ", for no reason that was found."
		}
		a.Next = append(a.Next, "Look at the months with a gap, and book or import what is missing.")
	}
	if paidMonths > 0 {
		a.Headline += fmt.Sprintf(" %s of %s of pay is in no time entry", lost.say(quantity.Money), paid.say(quantity.Money))
		if code := r.Currency; len(paid) == 1 && paid[code].Sign() > 0 {
			a.Headline += fmt.Sprintf(" (%s)", insight.Say(lost[code].DivRound(paid[code], 6), quantity.Ratio, ""))
		}
		a.Headline += "."
		a.Next = append(a.Next, "Have the time entered that is paid for, before labor cost by client is relied on.")
	}
	switch {
	case compared == 0 && paidMonths == 0:
		a.Grade = "no_answer"
	case compared < months:
		a.Grade = "medium"
		if 2*compared < months {
			a.Grade = "low"
		}
		a.Reasons = append(a.Reasons, fmt.Sprintf("%d of %s can be compared with a ledger", compared, count(months, "month")))
	default:
		a.Grade = "high"
		a.Reasons = append(a.Reasons, "sums of stored rows are compared: nothing is estimated")
	}
	a.Reasons = append(a.Reasons, r.Notes...)
}
