package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// ClientPeers is a client among the other clients of the same tenant, exact: whoever asks
// owns all the rows. It is not for the eyes of the client, whose peers are other clients.
type ClientPeers struct {
	Industry string            `json:"industry"` // of the peers; "" when they are all clients
	Group    string            `json:"group"`    // in words, with the reason when the industry is too small
	N        int               `json:"n"`        // other clients with a value
	TooFew   bool              `json:"too_few"`
	Low      *quantity.Decimal `json:"low"` // quartiles of the others
	Median   *quantity.Decimal `json:"median"`
	High     *quantity.Decimal `json:"high"`
	// Percentile is the share of the others that lie below, equal ones counted half.
	Percentile *float64 `json:"percentile"`
	// Shrunken is the client's value drawn towards these others the more, the less is known of
	// it (as in Ranked), with its interval and how much of it is its own.
	Shrunken *quantity.Decimal `json:"shrunken"`
	Interval *Interval         `json:"interval"`
	Weight   float64           `json:"weight"`
	Method   string            `json:"method"`
	Words    string            `json:"words"`
}

// amongClients sets where the client stands among the other clients.
func (x *comparison) amongClients(ctx context.Context, s *Service, scope tenant.Scope, out *BenchmarkReport) error {
	industry, err := x.industry(ctx)
	if err != nil {
		return fmt.Errorf("benchmarks: %w", err)
	}
	all := make([]func() error, len(out.Benchmarks))
	for i := range out.Benchmarks {
		all[i] = func() error { return x.amongClient(ctx, s, scope, &out.Benchmarks[i], industry) }
	}
	return together(all...)
}

// industry is that of the client, "" when it is not known or not one.
func (x *comparison) industry(ctx context.Context) (string, error) {
	rows, err := x.read(ctx, quantity.Period{}, x.where, []string{"industry"}, "revenue", "hours_worked", "ticket_count")
	if err != nil || len(rows) != 1 {
		return "", err
	}
	return rows[0].keys[0], nil
}

func (x *comparison) amongClient(ctx context.Context, s *Service, scope tenant.Scope, b *Benchmark, industry string) error {
	if b.Value == nil {
		return nil
	}
	m, err := x.metrics.Measure(b.Measure)
	if err != nil {
		return err
	}
	if m.Special != "" || m.Custom {
		b.Clients = &ClientPeers{TooFew: true, Group: x.everyone(), Words: "clients cannot be ranked by this measure"}
		return nil
	}
	peers := &ClientPeers{Group: x.everyone()}
	var r *Ranking
	if industry != "" && slices.Contains(x.metrics.DimensionsOf(m), "industry") {
		if r, err = s.Rank(ctx, scope, RankRequest{Measure: b.Measure, Where: both(realClients, is("industry", industry)), Period: x.period}); err != nil {
			return err
		}
		if n := len(x.othersIn(r)); n >= fewest {
			peers.Industry, peers.Group = industry, "clients of the industry "+industry
		} else {
			peers.Group, r = fmt.Sprintf("%s, because only %d others are of the industry %s", x.everyone(), n, industry), nil
		}
	}
	if r == nil {
		if r, err = s.Rank(ctx, scope, RankRequest{Measure: b.Measure, Where: realClients, Period: x.period}); err != nil {
			if fault.KindOf(err) != fault.Invalid {
				return err
			}
			b.Clients = &ClientPeers{TooFew: true, Group: x.everyone(), Words: fault.Message(err)}
			return nil
		}
	}
	x.place(peers, b, r)
	b.Clients = peers
	return nil
}

// othersIn are the values of the other clients of a ranking, sorted; those in another
// currency are not compared.
func (x *comparison) othersIn(r *Ranking) []quantity.Decimal {
	own := slices.IndexFunc(r.Rows, func(row Ranked) bool { return row.Name == x.client })
	var out []quantity.Decimal
	for _, row := range r.Rows {
		if row.Name != x.client && row.Raw != nil && (own < 0 || !isMoney(r.Unit) || row.Currency == r.Rows[own].Currency) {
			out = append(out, *row.Raw)
		}
	}
	slices.SortFunc(out, quantity.Decimal.Cmp)
	return out
}

// place sets the client's place among the others of a ranking.
func (x *comparison) place(p *ClientPeers, b *Benchmark, r *Ranking) {
	others := x.othersIn(r)
	p.N, p.TooFew, p.Method = len(others), len(others) < fewest, r.Method
	if at := slices.IndexFunc(r.Rows, func(row Ranked) bool { return row.Name == x.client }); at >= 0 {
		p.Shrunken, p.Interval, p.Weight = r.Rows[at].Shrunken, r.Rows[at].Interval, r.Rows[at].Weight
	}
	if p.TooFew {
		p.Words = fmt.Sprintf("%d other clients have this figure: too few to compare with (%d are needed)", p.N, fewest)
		return
	}
	values, below := make([]float64, len(others)), 0.0
	for i, v := range others {
		values[i] = float(v)
		below += 0.5 * float64(1+b.Value.Cmp(v))
	}
	at := func(q float64) *quantity.Decimal {
		v := dec(stats.Quantile(values, q))
		return &v
	}
	share := round4(below / float64(len(others)))
	p.Low, p.Median, p.High, p.Percentile = at(0.25), at(0.5), at(0.75), &share
	p.Words = inCurrency(cmp.Or(b.Currency, r.Currency), fmt.Sprintf("%s %d others (%s); their middle is %s, half of them lie between %s and %s",
		above(share), p.N, p.Group, inUnit(*p.Median, b.Unit), inUnit(*p.Low, b.Unit), inUnit(*p.High, b.Unit)))
}
