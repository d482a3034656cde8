package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Noise is where reactive work comes from.
type Noise struct {
	Period quantity.Period `json:"period"`
	// All is every client with endpoints together: what each is compared with.
	All     Noisy   `json:"all"`
	Clients []Noisy `json:"clients"` // the most hours above all others first
	// Unconfirmed says that nobody has confirmed which tickets are reactive.
	Unconfirmed bool               `json:"unconfirmed"`
	Confidence  Confidence         `json:"confidence"`
	Snapshot    warehouse.Snapshot `json:"snapshot"`
}

// Noisy is the reactive work of a client. Rates are a month; those per endpoint are null
// without endpoints at the period's end.
type Noisy struct {
	Client    string           `json:"client"`
	Endpoints quantity.Decimal `json:"endpoints"`
	Tickets   quantity.Decimal `json:"tickets"`
	Hours     quantity.Decimal `json:"hours"`
	// PerEndpoint is hours per endpoint: TicketRate (tickets per endpoint) × PerTicket (hours
	// per ticket).
	PerEndpoint *quantity.Decimal `json:"hours_per_endpoint"`
	TicketRate  *quantity.Decimal `json:"tickets_per_endpoint"`
	PerTicket   *quantity.Decimal `json:"hours_per_ticket"`
	// Change is PerEndpoint less that of all, FromTickets and FromTime what more tickets and
	// more time per ticket make of it; they add up to it.
	Change      *quantity.Decimal `json:"change"`
	FromTickets *quantity.Decimal `json:"from_tickets"`
	FromTime    *quantity.Decimal `json:"from_time"`
	// Excess is the hours a month that the client takes beyond what all do per endpoint.
	Excess *quantity.Decimal `json:"excess_hours"`
	// Expected is TicketRate drawn to the other clients the more, the fewer its tickets, with
	// the 90 % interval; null below five clients.
	Expected, Low, High *float64 `json:"-"`
}

// reactive is the condition on tickets that something broke.
const reactive = `work_class = "reactive"`

// Noise says which clients cause reactive work beyond their size over whole months, and
// whether they open more tickets or each takes longer.
//
// Errors: Invalid when the period holds no whole month.
func (s *Service) Noise(ctx context.Context, scope tenant.Scope, p quantity.Period) (*Noise, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("noise: %w", err)
	}
	classes, err := r.metrics.WorkClasses(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("noise: %w", err)
	}
	rows, err := r.read(ctx, p, `client_status != "internal"`, []string{"client"}, "reactive_ticket_count", "reactive_hours", "endpoints", "ticket_hours")
	if err != nil {
		return nil, fmt.Errorf("noise: %w", err)
	}
	classed, err := r.read(ctx, p, "", []string{"work_class"}, "ticket_count")
	if err != nil {
		return nil, fmt.Errorf("noise: %w", err)
	}
	out := &Noise{Period: p, Clients: []Noisy{}, Unconfirmed: !classes.Confirmed, Snapshot: r.snapshot}
	months := number(int64(max(1, len(p.Months()))), 0)
	for _, row := range rows {
		c := Noisy{Client: row.keys[0], Endpoints: row.sums["endpoints"], Tickets: row.sums["reactive_ticket_count"], Hours: row.sums["reactive_hours"]}
		if c.Tickets.IsZero() && c.Hours.IsZero() && c.Endpoints.IsZero() {
			continue
		}
		out.Clients = append(out.Clients, c)
		if c.Endpoints.Sign() > 0 {
			out.All.Endpoints, out.All.Tickets, out.All.Hours = out.All.Endpoints.Add(c.Endpoints), out.All.Tickets.Add(c.Tickets), out.All.Hours.Add(c.Hours)
		}
	}
	out.All.rates(months)
	for i := range out.Clients {
		out.Clients[i].rates(months)
		if err := out.Clients[i].against(out.All); err != nil {
			return nil, fmt.Errorf("noise of %s: %w", out.Clients[i].Client, err)
		}
	}
	out.draw(float(months))
	slices.SortStableFunc(out.Clients, func(a, b Noisy) int {
		if (a.Excess == nil) != (b.Excess == nil) {
			if a.Excess == nil {
				return 1
			}
			return -1
		}
		return cmp.Or(value(b.Excess).Cmp(value(a.Excess)), b.Hours.Cmp(a.Hours), cmp.Compare(a.Client, b.Client))
	})
	out.Confidence = r.noiseConfidence(out, classed)
	return out, nil
}

// rates computes the rates a month that have a denominator.
func (c *Noisy) rates(months quantity.Decimal) {
	if v, ok := ratio(c.Hours, c.Tickets); ok {
		c.PerTicket = &v
	}
	if c.Endpoints.Sign() <= 0 {
		return
	}
	exposure := c.Endpoints.Mul(months)
	h, t := c.Hours.DivRound(exposure, ratioPlaces), c.Tickets.DivRound(exposure, ratioPlaces)
	c.PerEndpoint, c.TicketRate = &h, &t
}

// against splits the difference of the hours per endpoint from those of all into tickets and
// time by the midpoint rule: each factor changes at the mean of the other.
func (c *Noisy) against(all Noisy) error {
	if c.PerEndpoint == nil || all.PerEndpoint == nil {
		return nil
	}
	change := c.PerEndpoint.Sub(*all.PerEndpoint)
	excess := change.Mul(c.Endpoints)
	c.Change, c.Excess = &change, &excess
	if c.PerTicket == nil || all.PerTicket == nil {
		return nil
	}
	from, to := []quantity.Decimal{*all.TicketRate, *all.PerTicket}, []quantity.Decimal{*c.TicketRate, *c.PerTicket}
	parts, err := stats.ShapleyDecimal(2, func(mask uint) (quantity.Decimal, bool) {
		switch mask { // the corners as they stand, so that no rounding of a rate is in the sum
		case 0:
			return *all.PerEndpoint, true
		case 3:
			return *c.PerEndpoint, true
		case 1:
			return to[0].Mul(from[1]), true
		}
		return from[0].Mul(to[1]), true
	})
	if err != nil {
		return err
	}
	c.FromTickets, c.FromTime = &parts[0], &parts[1]
	return nil
}

// draw learns what the clients' ticket rates have in common.
func (n *Noise) draw(months float64) {
	var events []int
	var exposure []float64
	var at []int
	for i, c := range n.Clients {
		if c.Endpoints.Sign() > 0 {
			events, exposure, at = append(events, int(c.Tickets.IntPart())), append(exposure, float(c.Endpoints)*months), append(at, i)
		}
	}
	group, err := stats.LearnRates(events, exposure)
	if err != nil {
		return
	}
	for k, i := range at {
		if post, err := group.Posterior(events[k], exposure[k], level); err == nil {
			n.Clients[i].Expected, n.Clients[i].Low, n.Clients[i].High = &post.Estimate, &post.Low, &post.High
		}
	}
}

// noiseConfidence is how sure the noise is.
func (r reader) noiseConfidence(n *Noise, classed []row) Confidence {
	tickets, known := quantity.Decimal{}, quantity.Decimal{}
	for _, c := range classed {
		tickets = tickets.Add(c.sums["ticket_count"])
		if c.keys[0] != "unclassified" {
			known = known.Add(c.sums["ticket_count"])
		}
	}
	hours, sized := quantity.Decimal{}, quantity.Decimal{}
	for _, c := range n.Clients {
		hours = hours.Add(c.Hours)
		if c.Endpoints.Sign() > 0 {
			sized = sized.Add(c.Hours)
		}
	}
	class, size := share(known, tickets), share(sized, hours)
	if n.All.Endpoints.IsZero() {
		size = 0
	}
	var limits []limit
	if n.Unconfirmed {
		limits = append(limits, limit{stats.Low, "nobody has confirmed which tickets are reactive: it is assumed from words in their type, queue and source"})
	}
	if n.All.Endpoints.IsZero() {
		limits = append(limits, limit{stats.Low, "endpoints are not known, so nobody can say what is much for a client's size"})
	}
	if hours.IsZero() {
		limits = append(limits, limit{stats.Low, "no hours are recorded on reactive tickets"})
	}
	return confide([]Component{
		component("work_class", class, hundred(class)+" of the tickets fall into a class of work"),
		component("endpoints", size, hundred(size)+" of the reactive hours belong to clients with endpoints"),
		component("tickets", min(1, float(tickets)/100), fmt.Sprintf("%s tickets in the period", plain(tickets))),
	}, 0, limits...)
}

// Recurring is the reactive tickets of a client of one type, which come again and again.
type Recurring struct {
	Client  string            `json:"client"`
	Type    string            `json:"type"`
	Tickets quantity.Decimal  `json:"tickets"`
	Months  int               `json:"months"` // in which such tickets came
	Hours   quantity.Decimal  `json:"hours"`
	Cost    *quantity.Decimal `json:"cost"` // of the tickets closed in the period; null when not known
	// Currency is that of Cost, "" when it names none.
	Currency string `json:"currency,omitempty"`
}

// leastRecurring is how many tickets make a pair recurring, in at least half of the months.
const leastRecurring = 5

// Recurring returns the pairs of client and ticket type with reactive tickets in half of the
// months or more, the most hours first.
func (s *Service) Recurring(ctx context.Context, scope tenant.Scope, p quantity.Period) ([]Recurring, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("recurring tickets: %w", err)
	}
	r.oneCurrency = true
	months, err := r.read(ctx, p, reactive, []string{"client", "ticket_type", "month"}, "ticket_count")
	if err != nil {
		return nil, fmt.Errorf("recurring tickets: %w", err)
	}
	sums, err := r.read(ctx, p, reactive, []string{"client", "ticket_type"}, "ticket_hours", "closed_labor_cost")
	if err != nil {
		return nil, fmt.Errorf("recurring tickets: %w", err)
	}
	at := map[[2]string]*Recurring{}
	for _, row := range months {
		key := [2]string{row.keys[0], row.keys[1]}
		if n := row.sums["ticket_count"]; n.Sign() > 0 {
			if at[key] == nil {
				at[key] = &Recurring{Client: key[0], Type: key[1]}
			}
			at[key].Tickets = at[key].Tickets.Add(n)
			at[key].Months++
		}
	}
	for _, row := range sums {
		if c := at[[2]string{row.keys[0], row.keys[1]}]; c != nil {
			c.Hours = row.sums["ticket_hours"]
			if cost, ok := row.sums["closed_labor_cost"]; ok {
				c.Cost, c.Currency = &cost, only(row.codes)
			}
		}
	}
	out := []Recurring{}
	for _, c := range at {
		if 2*c.Months >= len(p.Months()) && c.Tickets.GreaterThanOrEqual(decimal.NewFromInt(leastRecurring)) {
			out = append(out, *c)
		}
	}
	slices.SortFunc(out, func(a, b Recurring) int {
		return cmp.Or(b.Hours.Cmp(a.Hours), b.Tickets.Cmp(a.Tickets), cmp.Compare(a.Client, b.Client), cmp.Compare(a.Type, b.Type))
	})
	return out, nil
}
