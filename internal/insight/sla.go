package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Proportion is so many of so many, with the 90 % Wilson interval of the share; a share of
// fewer than five has none.
type Proportion struct {
	Of    int      `json:"of"`
	Share *float64 `json:"share"` // null of none
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// ProportionOf returns the proportion of k among n.
func ProportionOf(k, n quantity.Decimal) Proportion {
	p := Proportion{Of: int(n.IntPart())}
	i, err := stats.Wilson(int(k.IntPart()), p.Of, level)
	if err != nil {
		return p
	}
	p.Share = &i.Estimate
	if p.Of >= fewCases {
		p.Low, p.High = &i.Low, &i.High
	}
	return p
}

// fewCases is the number below which nothing is said of how sure a figure is.
const fewCases = 5

// OpenTicket is a ticket that is open and has a time by which something is due.
type OpenTicket struct {
	Number    string    `json:"number"`
	Client    string    `json:"client"`
	Priority  string    `json:"priority"`
	Type      string    `json:"type"`
	Status    string    `json:"status"`
	Stage     string    `json:"stage" enum:"response,resolution"` // what is due first
	Due       time.Time `json:"due"`                              // UTC
	HoursLeft float64   `json:"hours_left"`                       // negative when it has passed
}

// TicketsAtRisk is the open tickets by what is due of them.
type TicketsAtRisk struct {
	// AsOf is the last instant that the tickets know of, UTC.
	AsOf time.Time `json:"as_of,omitzero"`
	Open int       `json:"open"`
	// Tickets are those due within seven days or past due, the earliest first; tickets that
	// wait for somebody else are apart.
	Tickets []OpenTicket `json:"tickets"`
	Passed  int          `json:"passed"` // of these, past due
	Waiting int          `json:"waiting"`
	// WaitingPassed are tickets that wait and are past due all the same.
	WaitingPassed int                `json:"waiting_passed"`
	NoTarget      int                `json:"no_target"` // nothing says by when they are due
	Later         int                `json:"later"`     // due after the seven days
	Zone          *time.Location     `json:"-"`
	Snapshot      warehouse.Snapshot `json:"snapshot"`
}

// openTickets answers which tickets are open, with what is due of them, and the last instant
// before $1 that any ticket knows of.
const openTickets = `WITH t AS (SELECT *, CASE WHEN created_at < $1::TIMESTAMP THEN created_at END AS c, CASE WHEN responded_at < $1::TIMESTAMP THEN responded_at END AS r, CASE WHEN resolved_at < $1::TIMESTAMP THEN resolved_at END AS s, CASE WHEN closed_at < $1::TIMESTAMP THEN closed_at END AS d FROM tickets)
SELECT t.ticket_number, coalesce(n.canonical, t.client_key, 'unassigned') AS client, coalesce(t.priority, 'none') AS priority, coalesce(t.ticket_type, 'none') AS ticket_type, coalesce(t.status, '') AS status,
  t.respond_by, t.resolve_by, t.responded_at, (SELECT max(greatest(c, r, s, d)) FROM t) AS last
FROM t LEFT JOIN (SELECT key, min(canonical) AS canonical FROM aliases WHERE kind = 'client' AND key IS NOT NULL GROUP BY key) n ON n.key = t.client_key
WHERE t.resolved_at IS NULL AND t.closed_at IS NULL AND t.resolution_hours IS NULL AND t.created_at < $1::TIMESTAMP
  AND lower(coalesce(t.status, '')) NOT IN ('closed', 'resolved', 'completed', 'complete', 'done', 'solved', 'cancelled', 'canceled') ORDER BY t.ticket_number`

// waits are words of a status that says that somebody else is to act.
var waits = []string{"wait", "hold", "pending", "customer", "client", "vendor", "third party", "scheduled"}

// TicketsAtRisk returns the open tickets that are past due or due within seven days of the
// last instant of the data, of a client or ("") of all.
func (s *Service) TicketsAtRisk(ctx context.Context, scope tenant.Scope, client string) (*TicketsAtRisk, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("tickets at risk: %w", err)
	}
	out, err := r.atRisk(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("tickets at risk: %w", err)
	}
	return out, nil
}

func (r reader) atRisk(ctx context.Context, client string) (*TicketsAtRisk, error) {
	out := &TicketsAtRisk{Tickets: []OpenTicket{}, Zone: time.UTC, Snapshot: r.snapshot}
	if r.tables["tickets"] == 0 {
		return out, nil
	}
	end, err := r.endOfData(ctx)
	if err != nil {
		return nil, err
	}
	if out.Zone, err = r.metrics.Zone(ctx, r.scope); err != nil {
		return nil, err
	}
	rows, err := r.stored(ctx, openTickets, []any{end.String()}, 1, nil, "tickets", "aliases")
	if err != nil {
		return nil, err
	}
	for _, v := range rows {
		out.AsOf, _ = v[8].(time.Time)
		if client != "" && text(v[1]) != client {
			continue
		}
		out.Open++
		t := OpenTicket{Number: text(v[0]), Client: text(v[1]), Priority: text(v[2]), Type: text(v[3]), Status: text(v[4])}
		reply, _ := v[5].(time.Time)
		solve, _ := v[6].(time.Time)
		if v[7] == nil && !reply.IsZero() {
			t.Stage, t.Due = "response", reply
		}
		if !solve.IsZero() && (t.Due.IsZero() || solve.Before(t.Due)) {
			t.Stage, t.Due = "resolution", solve
		}
		t.HoursLeft = t.Due.Sub(out.AsOf).Hours()
		status := strings.ToLower(t.Status)
		switch waiting := slices.ContainsFunc(waits, func(w string) bool { return strings.Contains(status, w) }); {
		case waiting:
			if out.Waiting++; !t.Due.IsZero() && t.HoursLeft < 0 {
				out.WaitingPassed++
			}
		case t.Due.IsZero():
			out.NoTarget++
		case t.HoursLeft > 7*24:
			out.Later++
		default:
			if t.HoursLeft < 0 {
				out.Passed++
			}
			out.Tickets = append(out.Tickets, t)
		}
	}
	slices.SortStableFunc(out.Tickets, func(a, b OpenTicket) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Number, b.Number))
	})
	return out, nil
}

// endOfData is the first day after the data, until which what is open has been so.
func (r reader) endOfData(ctx context.Context) (quantity.Day, error) {
	result, err := r.metrics.Run(ctx, r.scope, metric.Query{Measures: []string{"ticket_count"}, Snapshot: r.snapshot})
	if err != nil {
		return quantity.Day{}, err
	}
	return result.DataThrough.AddDays(1), nil
}
