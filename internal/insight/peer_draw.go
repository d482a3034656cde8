package insight

import (
	"context"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// drawn is what draw tells of a measure: nothing but what is released of it, who is in it,
// and of which snapshots it is. Without enough figures, quartiles are missing.
type drawn struct {
	N         int            `json:"n"`
	Quartiles []PeerQuartile `json:"quartiles"`
	members   []int64
	source    string
}

// draw reads the figures of other tenants and returns what may be told of them. It is the
// only place where one tenant's question reads the data of another: the figures live in this
// function, and neither they nor an error about them leave it.
func (b *Benchmarks) draw(ctx context.Context, others []peer, wanted []peerMeasure) (map[string]drawn, error) {
	values, members, snapshots := map[string][]float64{}, map[string][]int64{}, map[tenant.Slug]warehouse.Snapshot{}
	for _, p := range others {
		scope, err := tenant.NewScope(p.slug, "peers")
		if err != nil {
			return nil, err
		}
		figures, snapshot, _, err := b.insights.yearOf(ctx, scope, b.now(), wanted)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, fault.Newf(fault.Unavailable, "the figures of those who take part cannot be read now: ask again later, or ask whoever runs the installation to run moatmetrics verify for every tenant")
		}
		snapshots[p.slug] = snapshot
		for name, v := range figures {
			values[name], members[name] = append(values[name], float(v)), append(members[name], p.id)
		}
	}
	out := map[string]drawn{}
	for _, m := range wanted {
		d := drawn{N: len(values[m.name]), members: members[m.name], source: b.sourceOf(m, others, snapshots)}
		if d.N >= fewestPeers {
			for _, q := range quartilesFor(d.N) {
				mechanism, err := stats.NewPrivate(m.grid, float(epsilonOf(q.milli)))
				if err != nil {
					return nil, err
				}
				at, err := mechanism.Draw(values[m.name], q.quartile, b.random)
				if err != nil {
					return nil, err
				}
				low, high := mechanism.Range(at, d.N, q.quartile, level)
				d.Quartiles = append(d.Quartiles, PeerQuartile{Quartile: q.quartile, Value: dec(m.grid.At(at)), Low: dec(low), High: dec(high), Epsilon: epsilonOf(q.milli)})
			}
		}
		out[m.name] = d
	}
	return out, nil
}

// quota is a quartile and its part of peerEpsilon.
type quota struct {
	quartile int
	milli    int64
}

// quartilesFor says what is released of n figures.
func quartilesFor(n int) []quota {
	if n < quartilePeers {
		return []quota{{2, peerEpsilon}}
	}
	return []quota{{1, 700}, {2, peerEpsilon - 2*700}, {3, 700}}
}

// yearOf returns a tenant's figures over its last twelve complete months; none when it has
// fewer, or when they are old.
func (s *Service) yearOf(ctx context.Context, scope tenant.Scope, now time.Time, wanted []peerMeasure) (cell, warehouse.Snapshot, quantity.Period, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, 0, quantity.Period{}, err
	}
	today := quantity.DayOf(now.UTC())
	complete, err := r.completeMonths(ctx, today)
	year := quantity.Period{From: complete.To.AddMonths(-yearMonths), To: complete.To}
	if err != nil || !complete.Bounded() || year.From.Before(complete.From) || complete.To.AddMonths(peerStale).Before(today) {
		return nil, r.snapshot, quantity.Period{}, err
	}
	measures := make([]*metric.Measure, len(wanted))
	for i, m := range wanted {
		if measures[i], err = r.metrics.Measure(m.name); err != nil {
			return nil, r.snapshot, year, err
		}
	}
	r.oneCurrency = true
	all, err := r.eachWhole(ctx, year, "", measures)
	return all.sums, r.snapshot, year, err
}

// ownFigures are the asking tenant's own.
func (b *Benchmarks) ownFigures(ctx context.Context, scope tenant.Scope, asked []peerMeasure) (cell, quantity.Period, error) {
	figures, _, period, err := b.insights.yearOf(ctx, scope, b.now(), asked)
	return figures, period, err
}
