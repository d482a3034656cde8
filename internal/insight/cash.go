package insight

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

const (
	// cashWeeks is how far cash is foreseen.
	cashWeeks = 8
	// lagMonths is how far back the days to payment are learned from.
	lagMonths = 36
	// fewPaid is the number of paid invoices below which a client is taken to pay as all do.
	fewPaid = 5
	// likeAll is how many invoices of all clients each client's own are drawn towards.
	likeAll = 3
	// staleDays is how many days payments may end before the data does.
	staleDays = 14
)

// Cash is who pays how late, and what of the open invoices comes in when.
type Cash struct {
	// AsOf is the day that invoices are open on: the last day of the data, or of the period.
	AsOf    quantity.Day `json:"as_of,omitzero"`
	Owed    []Owed       `json:"owed"`   // by client and currency, the most past due first
	Payers  []Payer      `json:"payers"` // the latest first
	All     Payer        `json:"all"`    // all clients
	Weeks   []CashWeek   `json:"weeks"`  // the next eight, by currency
	Total   []CashWeek   `json:"total"`  // the eight weeks together, a row a currency
	LeftOut []LeftOut    `json:"left_out"`
	// Reason says why no cash is foreseen, "" when it is.
	Reason string `json:"reason,omitempty"`
	// Tested is the same foreseen eight weeks earlier with what was known then, with what was
	// paid; TestedTotal the eight weeks together.
	Tested      []CashWeek         `json:"tested"`
	TestedTotal []CashWeek         `json:"tested_total"`
	Confidence  Confidence         `json:"confidence"`
	Snapshot    warehouse.Snapshot `json:"snapshot"`
}

// Owed is what a client owes in a currency, with tax, by the days past due (by the invoice
// date where no due date is known). Unapplied are payments that name no known invoice,
// negative. The parts add up to All.
type Owed struct {
	Client    string              `json:"client"`
	Currency  string              `json:"currency,omitempty"`
	All       quantity.Decimal    `json:"all"`
	NotDue    quantity.Decimal    `json:"not_due"`
	Late      [4]quantity.Decimal `json:"late"` // 1 to 30, 31 to 60, 61 to 90, more than 90 days
	Unapplied quantity.Decimal    `json:"unapplied"`
}

// PastDue is what is past due of it.
func (o Owed) PastDue() quantity.Decimal { return decimal.Sum(o.Late[0], o.Late[1:]...) }

// Payer is how late a client pays. Days count from the due date, negative when earlier.
type Payer struct {
	Client string `json:"client"`
	Paid   int    `json:"paid"` // invoices paid in full
	Late   int    `json:"late"` // of these, after the due date
	Open   int    `json:"open"`
	// Median is the Kaplan–Meier median with its interval, open invoices counted as not paid
	// yet; P90 the time by which nine of ten are paid. Null below five invoices.
	Median, MedianLow, MedianHigh, P90 *float64 `json:"-"`
	// Share is the share paid late, drawn to all clients, with its 90 % interval.
	Share, ShareLow, ShareHigh *float64 `json:"-"`
	// LikeAll says that it is foreseen as all clients pay, for want of own invoices.
	LikeAll bool `json:"like_all"`
}

// CashWeek is the money that comes of open invoices in the seven days from From on.
type CashWeek struct {
	From     quantity.Day      `json:"from"`
	To       quantity.Day      `json:"to"` // the day after
	Currency string            `json:"currency,omitempty"`
	Expected quantity.Decimal  `json:"expected"`
	Low      quantity.Decimal  `json:"low"` // 90 % of the time it lies between
	High     quantity.Decimal  `json:"high"`
	Paid     *quantity.Decimal `json:"paid"` // what was paid, of a test
}

// Inside reports whether what was paid lies within the band.
func (w CashWeek) Inside() bool {
	return w.Paid != nil && !w.Paid.LessThan(w.Low) && !w.Paid.GreaterThan(w.High)
}

// LeftOut is money that is owed and not foreseen, and why.
type LeftOut struct {
	Why      string           `json:"why"`
	Invoices int              `json:"invoices"`
	Amount   quantity.Decimal `json:"amount"`
	Currency string           `json:"currency,omitempty"`
}

// Cash says who pays late and what cash the open invoices bring in the eight weeks after the
// last day before to, or after the data's last day when that is zero or later. Invoices not
// issued yet are not foreseen.
func (s *Service) Cash(ctx context.Context, scope tenant.Scope, to quantity.Day) (*Cash, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("cash: %w", err)
	}
	c, err := r.cash(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("cash: %w", err)
	}
	return c, nil
}

func (r reader) cash(ctx context.Context, to quantity.Day) (*Cash, error) {
	out := &Cash{Owed: []Owed{}, Payers: []Payer{}, Weeks: []CashWeek{}, Total: []CashWeek{}, LeftOut: []LeftOut{}, Tested: []CashWeek{}, TestedTotal: []CashWeek{}, Snapshot: r.snapshot}
	result, err := r.metrics.Run(ctx, r.scope, metric.Query{Measures: []string{"receivables"}, Period: quantity.Period{To: to}, Snapshot: r.snapshot})
	if err != nil {
		return nil, err
	}
	if out.AsOf = result.AsOf; out.AsOf.IsZero() || r.tables["invoices"] == 0 {
		out.Reason = "no invoices are imported"
		return out, nil
	}
	bills, err := r.bills(ctx, out.AsOf.AddMonths(-lagMonths))
	if err != nil {
		return nil, err
	}
	now := positionOn(bills, out.AsOf)
	out.Owed = owedBy(bills, out.AsOf, r.tables["payments"] > 0)
	if r.tables["payments"] == 0 {
		out.Reason = "no payments are imported, so nobody can say when invoices are paid"
		out.Confidence = confide([]Component{component("payments", 0, "payments are not in the data")}, 0, limit{stats.Low, "payments are not in the data"})
		return out, nil
	}
	out.Payers, out.All, out.LeftOut = now.payers(), now.payer("", now.all), now.leftOut
	seed := seedOf(r.scope.Tenant, r.snapshot)
	out.Weeks, out.Total = now.foresee(seed)
	if out.Weeks == nil {
		out.Weeks, out.Total = []CashWeek{}, []CashWeek{}
		out.Reason = "fewer than five invoices, or fewer than two paid ones, are known: too few to say when the open ones are paid"
	}
	then := positionOn(bills, out.AsOf.AddDays(-7*cashWeeks))
	if weeks, total := then.foresee(seed); weeks != nil {
		out.Tested, out.TestedTotal = then.paidSince(weeks), then.paidSince(total)
	}
	out.Confidence = now.confidence(out)
	return out, nil
}

// position is what is known on a day: the open invoices, and how long others took.
type position struct {
	on      quantity.Day
	bills   []*bill
	open    []openBill
	lags    map[string]*stats.Durations // days from the due date to the last payment, by client
	late    map[string]int
	all     stats.Durations
	leftOut []LeftOut
	// Shares of the invoices whose due date is known, and of the money received that names an
	// invoice; the newest payment.
	dated, applied float64
	newest         quantity.Day
}

// openBill is an invoice with what is still owed of it.
type openBill struct {
	*bill
	left quantity.Decimal
}

// positionOn looks at the bills as of a day. Credits, overpayments and payments that name no
// invoice are taken off the client's open invoices, the oldest first.
func positionOn(bills []*bill, on quantity.Day) *position {
	p := &position{on: on, bills: bills, lags: map[string]*stats.Durations{}, late: map[string]int{}}
	pot := map[[2]string]quantity.Decimal{} // by client and currency, what is to be taken off
	left := map[[2]string]*LeftOut{}
	note := func(why, currency string, amount quantity.Decimal) {
		key := [2]string{why, currency}
		if left[key] == nil {
			left[key] = &LeftOut{Why: why, Currency: currency}
		}
		left[key].Invoices++
		left[key].Amount = left[key].Amount.Add(amount)
	}
	known, counted, named, received := 0, 0, quantity.Decimal{}, quantity.Decimal{}
	for _, b := range bills {
		for _, r := range b.received {
			if on.Before(r.day) {
				continue
			}
			if received = received.Add(r.amount); b.number != "" {
				named = named.Add(r.amount)
			}
			if p.newest.Before(r.day) {
				p.newest = r.day
			}
		}
		if b.number != "" && on.Before(b.issued) {
			continue
		}
		if b.number != "" {
			if counted++; b.dated {
				known++
			}
		}
		switch owed := b.owed(on); {
		case owed.Sign() < 0:
			pot[[2]string{b.client, b.currency}] = pot[[2]string{b.client, b.currency}].Sub(owed)
		case owed.Sign() > 0 && b.state() != "":
			note(b.state(), b.currency, owed)
			continue
		case owed.Sign() > 0:
			p.open = append(p.open, openBill{b, owed})
			continue
		}
		if day, ok := b.paidOn(on); ok {
			p.ended(b, day)
		}
	}
	slices.SortStableFunc(p.open, func(a, b openBill) int {
		return cmp.Or(a.due.Time().Compare(b.due.Time()), cmp.Compare(a.client, b.client), cmp.Compare(a.number, b.number))
	})
	for i, o := range p.open {
		key := [2]string{o.client, o.currency}
		take := decimal.Min(pot[key], o.left)
		pot[key] = pot[key].Sub(take)
		p.open[i].left = o.left.Sub(take)
	}
	p.open = slices.DeleteFunc(p.open, func(o openBill) bool { return o.left.Sign() <= 0 })
	for _, o := range p.open {
		p.lag(o.client).Add(float64(o.due.DaysUntil(on)), true)
		p.all.Add(float64(o.due.DaysUntil(on)), true)
	}
	for key, rest := range pot {
		if rest.Sign() > 0 {
			note("credit that nothing open is left for", key[1], rest.Neg())
		}
	}
	for _, l := range left {
		p.leftOut = append(p.leftOut, *l)
	}
	slices.SortFunc(p.leftOut, func(a, b LeftOut) int { return cmp.Or(cmp.Compare(a.Why, b.Why), cmp.Compare(a.Currency, b.Currency)) })
	p.dated, p.applied = float64(known)/math.Max(1, float64(counted)), share(named, received)
	return p
}

func (p *position) lag(client string) *stats.Durations {
	if p.lags[client] == nil {
		p.lags[client] = &stats.Durations{}
	}
	return p.lags[client]
}

// ended notes an invoice that was paid on a day.
func (p *position) ended(b *bill, day quantity.Day) {
	lag := b.due.DaysUntil(day)
	p.lag(b.client).Add(float64(lag), false)
	p.all.Add(float64(lag), false)
	if lag > 0 {
		p.late[b.client]++
		p.late[""]++
	}
}

// payers are the clients, those first of whose invoices most are paid late once all are
// considered.
func (p *position) payers() []Payer {
	var out []Payer
	var late, paid []int
	for client, d := range p.lags {
		out = append(out, p.payer(client, *d))
	}
	slices.SortFunc(out, func(a, b Payer) int { return cmp.Compare(a.Client, b.Client) })
	for _, c := range out {
		late, paid = append(late, c.Late), append(paid, c.Paid)
	}
	group, err := stats.LearnShares(late, paid)
	for i := range out {
		if err != nil {
			continue
		}
		if post, err := group.Posterior(out[i].Late, out[i].Paid, level); err == nil {
			out[i].Share, out[i].ShareLow, out[i].ShareHigh = &post.Estimate, &post.Low, &post.High
		}
	}
	slices.SortStableFunc(out, func(a, b Payer) int {
		return cmp.Or(cmp.Compare(orBefore(b.Share), orBefore(a.Share)), cmp.Compare(b.Late, a.Late))
	})
	return out
}

// orBefore orders a missing share before all others.
func orBefore(v *float64) float64 {
	if v == nil {
		return -1
	}
	return *v
}

// payer describes the days to payment of a client, "" for all.
func (p *position) payer(client string, d stats.Durations) Payer {
	c := Payer{Client: client, Paid: d.Ended(), Late: p.late[client]}
	c.Open, c.LikeAll = len(d.Times)-c.Paid, c.Paid < fewPaid
	if len(d.Times) == 0 {
		return c
	}
	first := slices.Min(d.Times)
	shifted := make([]float64, len(d.Times))
	for i, t := range d.Times {
		shifted[i] = t - first // Kaplan–Meier counts from 0
	}
	km, err := stats.KaplanMeier(shifted, d.Censored, level)
	if err != nil {
		return c
	}
	back := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		v += first
		return &v
	}
	c.Median, c.MedianLow, c.MedianHigh = back(km.Median.Estimate), back(km.Median.Low), back(km.Median.High)
	for _, s := range km.Steps {
		if s.Survival <= 0.1+1e-12 {
			c.P90 = back(s.Time)
			break
		}
	}
	return c
}

// confidence is how sure the foreseen cash is.
func (p *position) confidence(out *Cash) Confidence {
	components := []Component{
		component("due_dates", p.dated, hundred(p.dated)+" of the invoices have a due date"),
		component("payments", p.applied, hundred(p.applied)+" of the money received names its invoice"),
		component("invoices", math.Min(1, float64(out.All.Paid)/30), fmt.Sprintf("%d paid invoices are learned from", out.All.Paid)),
	}
	var limits []limit
	if gap := p.newest.DaysUntil(p.on); !p.newest.IsZero() && gap > staleDays {
		limits = append(limits, limit{stats.Low, fmt.Sprintf("the newest payment is %d days older than the data: invoices may look open that are paid", gap)})
	}
	if out.Reason != "" {
		limits = append(limits, limit{stats.NoAnswer, out.Reason})
	}
	h := 0.0
	for _, t := range out.Total {
		if t.Expected.Sign() > 0 {
			h = math.Max(h, float(t.High.Sub(t.Low))/2/float(t.Expected))
		}
	}
	for _, t := range out.TestedTotal {
		if !t.Inside() {
			limits = append(limits, limit{stats.Low, "eight weeks ago the same rule missed what was paid since"})
		}
	}
	return confide(components, h, limits...)
}
