package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Who pays for wasted seats.
const (
	PayerClient  = "client"  // an agreement bills them to the client
	PayerSelf    = "msp"     // nobody is billed for them
	PayerBoth    = "both"    // an agreement bills some of them
	PayerUnknown = "unknown" // what agreements bill is not imported
)

// Reclaim is the wasted seats of one subscription: what can be saved, by when, whose money.
type Reclaim struct {
	Client       string           `json:"client"`
	Vendor       string           `json:"vendor"`
	Product      string           `json:"product"`
	Subscription string           `json:"subscription" doc:"id in its source; none when there is none"`
	Term         string           `json:"term"`
	Seats        quantity.Decimal `json:"seats" doc:"wasted seats"`
	State        string           `json:"state" enum:"now,locked,unknown" doc:"recoverable now, locked until the renewal, or unknown because the term is"`
	// Deadline is the last day to lower the quantity; zero when it is not known. For a locked
	// one it is the renewal, after which the vendor's window of some days is still open.
	Deadline    quantity.Day      `json:"deadline,omitzero"`
	DaysLeft    int               `json:"days_left" doc:"from the day of the plan to the deadline; 0 when that is not known"`
	Saving      *quantity.Decimal `json:"saving" doc:"a month; absent when what a seat costs is not known"`
	UntilTerm   *quantity.Decimal `json:"locked_cost" doc:"what the seats still cost until the renewal"`
	Payer       string            `json:"payer" enum:"client,msp,both,unknown"`
	SeatsUnpaid quantity.Decimal  `json:"seats_msp" doc:"of the seats, those that no agreement bills to the client"`
	Currency    string            `json:"currency,omitempty"`
}

// ReclaimPlan is the wasted seats of all subscriptions on a day, the earliest deadline first.
type ReclaimPlan struct {
	AsOf     quantity.Day       `json:"as_of,omitzero"`
	Items    []Reclaim          `json:"items" nullable:"false"`
	Notes    []string           `json:"notes" nullable:"false"`
	Unit     quantity.Unit      `json:"unit" doc:"of saving"`
	Period   quantity.Period    `json:"period"`
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Versions map[string]int     `json:"definition_versions"`
}

// Reclaims returns the plan by which wasted license seats can be returned, as the
// subscriptions are on the last day before to (the end of the data when it is zero). Seats of
// one subscription stand in one row.
func (s *Service) Reclaims(ctx context.Context, scope tenant.Scope, to quantity.Day) (*ReclaimPlan, error) {
	q := metric.Query{Measures: []string{wastedSeats, licenseWaste, "waste_until_renewal"}, Period: quantity.Period{To: to},
		Dimensions: []string{"deadline", "client", "vendor", "product", "subscription", "term", "recoverable"}}
	r, err := s.metrics.Run(ctx, scope, q)
	if err != nil {
		return nil, fmt.Errorf("reclaim plan: %w", err)
	}
	plan := &ReclaimPlan{AsOf: r.AsOf, Items: []Reclaim{}, Notes: append([]string{}, r.Notes...), Unit: quantity.MoneyPerMonth, Period: r.Period, Snapshot: r.Snapshot, Versions: r.DefinitionVersions}
	unpaid, err := s.unbilled(ctx, scope, to, r.Snapshot)
	if err != nil {
		return nil, fmt.Errorf("reclaim plan: %w", err)
	}
	unknown := 0
	for i, row := range r.Rows {
		seats, known := row[7].(quantity.Decimal)
		if !known {
			unknown++
		}
		if seats.Sign() <= 0 {
			continue
		}
		c := Reclaim{Client: text(row[1]), Vendor: text(row[2]), Product: text(row[3]), Subscription: text(row[4]), Term: text(row[5]), State: text(row[6]), Seats: seats,
			Saving: decimalIn(row[8]), UntilTerm: decimalIn(row[9]), Payer: PayerUnknown, Currency: r.CurrencyOf(i, 1)}
		if day, err := quantity.ParseDay(text(row[0])); err == nil { // "not known" is none
			c.Deadline, c.DaysLeft = day, r.AsOf.DaysUntil(day)
		}
		plan.Items = append(plan.Items, c)
	}
	if unknown > 0 {
		plan.Notes = append(plan.Notes, fmt.Sprintf("of %d subscriptions the seats in use are not known", unknown))
	}
	slices.SortStableFunc(plan.Items, func(a, b Reclaim) int {
		if a.Deadline.IsZero() != b.Deadline.IsZero() {
			if a.Deadline.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(a.Deadline.Time().Compare(b.Deadline.Time()), value(b.Saving).Cmp(value(a.Saving)))
	})
	for i := range plan.Items {
		plan.Items[i].pay(unpaid)
	}
	return plan, nil
}

// unbilled returns, by client and product, the seats that no agreement bills; nil when that
// is not known.
func (s *Service) unbilled(ctx context.Context, scope tenant.Scope, to quantity.Day, snap warehouse.Snapshot) (map[[2]string]quantity.Decimal, error) {
	r, err := s.metrics.Run(ctx, scope, metric.Query{Measures: []string{"seats_unbilled"}, Dimensions: []string{"client", "product"}, Period: quantity.Period{To: to}, Snapshot: snap})
	if err != nil {
		return nil, err
	}
	var out map[[2]string]quantity.Decimal
	for _, row := range r.Rows {
		if n, ok := row[2].(quantity.Decimal); ok {
			if out == nil {
				out = map[[2]string]quantity.Decimal{}
			}
			out[[2]string{text(row[0]), text(row[1])}] = n
		}
	}
	return out, nil
}

// pay says whose money the seats are. Seats that no agreement bills are given out to the
// subscriptions of a product one after the other.
func (c *Reclaim) pay(unbilled map[[2]string]quantity.Decimal) {
	if unbilled == nil {
		return
	}
	key := [2]string{c.Client, c.Product}
	c.SeatsUnpaid = quantity.Decimal{}
	if left := unbilled[key]; left.Sign() > 0 {
		c.SeatsUnpaid = left
		if c.Seats.LessThan(left) {
			c.SeatsUnpaid = c.Seats
		}
		unbilled[key] = left.Sub(c.SeatsUnpaid)
	}
	switch {
	case c.SeatsUnpaid.IsZero():
		c.Payer = PayerClient
	case c.SeatsUnpaid.Equal(c.Seats):
		c.Payer = PayerSelf
	default:
		c.Payer = PayerBoth
	}
}

func decimalIn(v any) *quantity.Decimal {
	if d, ok := v.(quantity.Decimal); ok {
		return &d
	}
	return nil
}

func value(d *quantity.Decimal) quantity.Decimal {
	if d == nil {
		return quantity.Decimal{}
	}
	return *d
}
