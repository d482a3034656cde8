package insight

import (
	"strconv"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// Queries are prepared on both engines by a test.
var Queries = queries

// Overrun is how probable an overrun of the budget is, and the interval of the final hours,
// nil when there is none.
func Overrun(worked, budget float64, progress *float64, ratios []float64) (probability *float64, final *stats.Interval, why string) {
	o := overrunOf(worked, budget, progress, ratios)
	return o.probability, o.final, o.why
}

// CashInvoice is an invoice whose payment is known.
type CashInvoice struct {
	Client            string
	Issued, Due, Paid quantity.Day
	Amount            int64
}

// ForeseeCash is the weeks and the whole of what is foreseen on a day of invoices, each paid
// in one on its day, with what was paid since.
func ForeseeCash(on quantity.Day, seed uint64, invoices []CashInvoice) (weeks, total []CashWeek) {
	var bills []*bill
	for i, v := range invoices {
		bills = append(bills, &bill{client: v.Client, number: strconv.Itoa(i), issued: v.Issued, due: v.Due, dated: true, total: number(v.Amount, 0), received: []receipt{{v.Paid, number(v.Amount, 0)}}})
	}
	p := positionOn(bills, on)
	weeks, total = p.foresee(seed)
	return p.paidSince(weeks), p.paidSince(total)
}

// GapInterval is the interval of a gap of a role of so much capacity, from past errors.
func GapInterval(gap, capacity int64, errors []float64) (low, high float64) {
	g := RoleGap{Gap: number(gap, 0), Capacity: number(capacity, 0)}
	g.judge(errors)
	return float(g.Interval.Low), float(g.Interval.High)
}
