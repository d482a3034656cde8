package insight

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// invoiceStates answers, for each invoice from the day $1 on and each older one that is not
// paid exactly, what it is over and what was received for it by day; and the payments that
// name no known invoice, without a number. Amounts are with tax, as in receivables.
const invoiceStates = `WITH names AS (SELECT key, min(canonical) AS canonical FROM aliases WHERE kind = 'client' AND key IS NOT NULL GROUP BY key),
owner AS (SELECT invoice_number, min(client_key) AS client_key FROM invoices WHERE invoice_number IS NOT NULL GROUP BY invoice_number HAVING count(DISTINCT client_key) = 1),
owed AS (SELECT invoice_number, client_key, min(currency) AS currency, min(invoice_date) AS issued, min(due_date) AS due, sum(net_amount + coalesce(tax_amount, 0)) AS total, min(lower(coalesce(status, ''))) AS status
  FROM invoices WHERE ` + dataset.PostedSQL + ` GROUP BY invoice_number, client_key),
paid AS (SELECT p.invoice_number, coalesce(p.client_key, o.client_key) AS client_key, p.payment_date AS day, min(p.currency) AS currency, sum(` + dataset.ReceivedAmountSQL + `) AS amount
  FROM payments p LEFT JOIN owner o ON o.invoice_number = p.invoice_number WHERE ` + dataset.ReceivedSQL + ` GROUP BY 1, 2, 3)
SELECT coalesce(n.canonical, i.client_key, 'unassigned') AS client, i.invoice_number, coalesce(i.currency, '') AS currency, i.issued, i.due, i.total::DECIMAL(38,4) AS total, i.status, p.day, p.amount::DECIMAL(38,4) AS amount, i.client_key, coalesce(p.currency, '') AS paid_in
FROM owed i LEFT JOIN paid p ON p.invoice_number = i.invoice_number AND p.client_key = i.client_key LEFT JOIN names n ON n.key = i.client_key
QUALIFY i.issued >= $1::DATE OR i.total <> coalesce(sum(p.amount) OVER (PARTITION BY i.invoice_number, i.client_key), 0)
UNION ALL
SELECT coalesce(n.canonical, p.client_key, 'unassigned'), NULL, coalesce(p.currency, ''), NULL, NULL, 0, '', p.day, p.amount, p.client_key, coalesce(p.currency, '')
FROM paid p LEFT JOIN names n ON n.key = p.client_key
WHERE NOT EXISTS (SELECT 1 FROM owed i WHERE i.invoice_number = p.invoice_number AND i.client_key = p.client_key)
ORDER BY 1, 2, 10, 8`

// bill is an invoice with what was received for it; without a number it is a payment that
// names none.
type bill struct {
	client, number, currency, status string
	key                              string // of the client in its source
	issued, due                      quantity.Day
	dated                            bool // its due date is known
	total                            quantity.Decimal
	received                         []receipt // by day
}

type receipt struct {
	day    quantity.Day
	amount quantity.Decimal
}

// owed is what is not paid of it on a day.
func (b *bill) owed(on quantity.Day) quantity.Decimal {
	left := b.total
	for _, r := range b.received {
		if !on.Before(r.day) {
			left = left.Sub(r.amount)
		}
	}
	return left
}

// paidOn is the day of the last payment once they reach the total; ok is false while they
// do not on a day.
func (b *bill) paidOn(on quantity.Day) (day quantity.Day, ok bool) {
	for _, r := range b.received {
		if !on.Before(r.day) {
			day = r.day
		}
	}
	return day, b.total.Sign() > 0 && !day.IsZero() && b.owed(on).Sign() <= 0
}

// state says why an invoice that is not paid is not expected to be, "" when it is.
func (b *bill) state() string {
	last := quantity.NewDay(9999, 12, 31)
	switch {
	case strings.Contains(b.status, "disput"):
		return "disputed"
	case strings.Contains(b.status, "written") || strings.Contains(b.status, "uncollect") || strings.Contains(b.status, "bad debt"):
		return "written off"
	case b.status == "paid" && b.owed(last).Sign() > 0:
		return "marked paid, without the payment"
	}
	return ""
}

// bills reads the invoices and what was received for them.
func (r reader) bills(ctx context.Context, since quantity.Day) ([]*bill, error) {
	uses := []warehouse.TableUse{{Name: "invoices"}, {Name: "payments"}, {Name: "aliases"}}
	var out, others []*bill
	_, err := r.metrics.Stored(ctx, r.scope, warehouse.Statement{Snapshot: r.snapshot, Uses: uses, SQL: invoiceStates, Args: []any{since.String()}, MaxRows: 2_000_000, Each: func(v []any) {
		b := &bill{client: text(v[0]), number: text(v[1]), currency: text(v[2]), issued: dayOf(v[3]), due: dayOf(v[4]), total: decimalOf(v[5]), status: text(v[6]), key: text(v[9])}
		if n := len(out); n > 0 && b.number != "" && out[n-1].number == b.number && out[n-1].key == b.key {
			b = out[n-1]
		} else {
			if b.dated = !b.due.IsZero(); !b.dated {
				b.due = b.issued
			}
			out = append(out, b)
		}
		if v[7] == nil {
			return
		}
		paid := receipt{dayOf(v[7]), decimalOf(v[8])}
		if in := text(v[10]); in != "" && b.currency != "" && in != b.currency {
			others = append(others, &bill{client: b.client, currency: in, received: []receipt{paid}}) // never added to an amount in another currency
			return
		}
		b.received = append(b.received, paid)
	}}, 0)
	out = append(out, others...)
	var codes []string
	for _, b := range out {
		if b.currency != "" {
			codes = merged(codes, []string{b.currency})
		}
	}
	for _, b := range out { // what names no currency is in the only one that is named
		b.currency = cmp.Or(b.currency, only(codes))
	}
	return out, err
}

// owedBy adds up what each client owes on a day; without any payments an invoice that is
// marked paid is paid, as in receivables.
func owedBy(bills []*bill, on quantity.Day, payments bool) []Owed {
	at := map[[2]string]*Owed{}
	for _, b := range bills {
		left := b.owed(on)
		if left.IsZero() || b.number != "" && on.Before(b.issued) || !payments && b.status == "paid" {
			continue
		}
		key := [2]string{b.client, b.currency}
		if at[key] == nil {
			at[key] = &Owed{Client: b.client, Currency: b.currency}
		}
		o := at[key]
		part := &o.NotDue
		switch late := b.due.DaysUntil(on); {
		case b.number == "":
			part = &o.Unapplied
		case late > 0:
			part = &o.Late[min(3, (late-1)/30)]
		}
		*part, o.All = part.Add(left), o.All.Add(left)
	}
	out := []Owed{}
	for _, o := range at {
		out = append(out, *o)
	}
	slices.SortFunc(out, func(a, b Owed) int {
		return cmp.Or(b.PastDue().Cmp(a.PastDue()), b.All.Cmp(a.All), cmp.Compare(a.Client, b.Client), cmp.Compare(a.Currency, b.Currency))
	})
	return out
}
