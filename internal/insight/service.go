package insight

import (
	"context"
	"fmt"
	"math"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Duration is how long something took a client's tickets, in clock hours.
type Duration struct {
	N int `json:"n"` // tickets, those that still run included
	// Median is the middle one with its 90 % interval, P90 what nine of ten do not exceed; null
	// where the tickets are too few or too many of them still run.
	Median *float64 `json:"median"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
	P90    *float64 `json:"p90"`
	Method string   `json:"method"`
}

// Speed is how fast a client's tickets were answered and solved.
type Speed struct {
	Response   Duration           `json:"response"`
	Resolution Duration           `json:"resolution"` // open tickets counted as not solved yet
	Snapshot   warehouse.Snapshot `json:"snapshot"`
}

// ticketTimes answers how long each of a client's tickets created from $2 to before $3 took
// to its first answer and to its solution, running ones until $4, as first_response and
// resolution_time count it.
const ticketTimes = `SELECT CASE WHEN responded_at >= created_at THEN (date_diff('second', created_at, responded_at) / 3600.0)::DOUBLE END AS answered,
  coalesce(resolution_hours::DOUBLE, CASE WHEN done >= created_at THEN (date_diff('second', created_at, done) / 3600.0)::DOUBLE WHEN running AND created_at < $4::TIMESTAMP THEN (date_diff('second', created_at, $4::TIMESTAMP) / 3600.0)::DOUBLE END) AS solved, running, $1 AS client
FROM (SELECT t.*, coalesce(t.resolved_at, t.closed_at) AS done, t.resolved_at IS NULL AND t.closed_at IS NULL AND t.resolution_hours IS NULL AND lower(coalesce(t.status, '')) NOT IN ('closed', 'resolved', 'completed', 'complete', 'done', 'solved', 'cancelled', 'canceled') AS running
  FROM tickets t LEFT JOIN (SELECT key, min(canonical) AS canonical FROM aliases WHERE kind = 'client' AND key IS NOT NULL GROUP BY key) n ON n.key = t.client_key
  WHERE coalesce(n.canonical, t.client_key, 'unassigned') = $1 AND t.created_on >= $2::DATE AND t.created_on < $3::DATE)`

// Speed says how fast the tickets that a client opened in a bounded period were answered and
// solved. The median answer has the interval of order statistics, the median solution that
// of Kaplan and Meier.
func (s *Service) Speed(ctx context.Context, scope tenant.Scope, client string, p quantity.Period) (*Speed, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("speed of service: %w", err)
	}
	out := &Speed{Snapshot: r.snapshot}
	if r.tables["tickets"] == 0 {
		return out, nil
	}
	end, err := r.endOfData(ctx)
	if err != nil {
		return nil, fmt.Errorf("speed of service: %w", err)
	}
	var answered []float64
	var solved stats.Durations
	rows, err := r.stored(ctx, ticketTimes, []any{client, p.From.String(), p.To.String(), end.String()}, 3, nil, "tickets", "aliases")
	if err != nil {
		return nil, fmt.Errorf("speed of service: %w", err)
	}
	for _, v := range rows {
		if t, ok := v[0].(float64); ok {
			answered = append(answered, t)
		}
		if t, ok := v[1].(float64); ok {
			solved.Add(t, v[2] == true)
		}
	}
	out.Response, out.Resolution = answeredIn(answered), solvedIn(solved)
	return out, nil
}

func answeredIn(times []float64) Duration {
	d := Duration{N: len(times)}
	if i, err := stats.MedianInterval(times, level); err == nil {
		d.Median, d.Low, d.High, d.Method = &i.Estimate, &i.Low, &i.High, i.Method
	}
	if i, err := stats.QuantileInterval(times, 0.9, level); err == nil {
		d.P90 = &i.Estimate
	}
	return d
}

func solvedIn(times stats.Durations) Duration {
	d := Duration{N: len(times.Times)}
	km, err := stats.KaplanMeier(times.Times, times.Censored, level)
	if err != nil {
		return d
	}
	bound := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	d.Median, d.Low, d.High, d.Method = bound(km.Median.Estimate), bound(km.Median.Low), bound(km.Median.High), km.Median.Method
	for _, s := range km.Steps {
		if s.Survival <= 0.1+1e-12 {
			d.P90 = bound(s.Time)
			break
		}
	}
	return d
}
