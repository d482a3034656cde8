package insight

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Peers is what other tenants have, as far as that may be told.
type Peers struct {
	Release *PeerRelease `json:"release"`          // null when there is none
	Reason  string       `json:"reason,omitempty"` // why there is none
	// Own is the tenant's own figure of its last twelve complete months, what the others' are
	// of, too; null when it has none.
	Own       *quantity.Decimal `json:"own"`
	OwnPeriod quantity.Period   `json:"own_period"`
	Words     string            `json:"words"`
}

// PeerRelease is what was drawn of the others' figures.
type PeerRelease struct {
	N         int              `json:"n"` // others with a figure
	Quartiles []PeerQuartile   `json:"quartiles"`
	Epsilon   quantity.Decimal `json:"epsilon"` // of all quartiles together
	At        time.Time        `json:"at"`
	Spent     quantity.Decimal `json:"spent"` // of the budget of the quarter
	Budget    quantity.Decimal `json:"budget"`
	Quarter   string           `json:"quarter"`
	// Note says that the figures have changed since and when that will show; "" while it is
	// of the present ones.
	Note string `json:"note,omitempty"`
}

// PeerQuartile is a released quartile: a point of the measure's grid, drawn at random near
// the others' quartile, and where that lies with a probability of 90 %.
type PeerQuartile struct {
	Quartile int              `json:"quartile"` // 1, 2 for the median, or 3
	Value    quantity.Decimal `json:"value"`
	Low      quantity.Decimal `json:"low"`
	High     quantity.Decimal `json:"high"`
	Epsilon  quantity.Decimal `json:"epsilon"`
}

// release is a stored draw.
type release struct {
	measure, quarter, source string
	epsilon                  int64 // thousandths
	content                  string
	at                       time.Time
}

// amongTenants sets what other tenants have beside the firm's figures.
func (b *Benchmarks) amongTenants(ctx context.Context, scope tenant.Scope, out *BenchmarkReport) error {
	if !scope.Rights.Unlimited() { // peers are compared with the whole firm, by every figure
		return nil
	}
	var asked []peerMeasure
	for _, m := range peerMeasures {
		if slices.ContainsFunc(out.Benchmarks, func(x Benchmark) bool { return x.Measure == m.name }) {
			asked = append(asked, m)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	all, err := b.peersOf(ctx, scope, asked)
	if err != nil {
		return fmt.Errorf("benchmarks: peers: %w", err)
	}
	for i := range out.Benchmarks {
		x := &out.Benchmarks[i]
		if p, ok := all[x.Measure]; ok {
			p.say(*x)
			x.Peers = &p
		}
	}
	return nil
}

// peersOf returns the peers by measure, of a stored release while it stands and of a new draw
// otherwise.
func (b *Benchmarks) peersOf(ctx context.Context, scope tenant.Scope, asked []peerMeasure) (map[string]Peers, error) {
	state, err := b.peerState(ctx, scope)
	if err != nil {
		return nil, err
	}
	out, others := map[string]Peers{}, state.others(scope.Tenant)
	why := ""
	switch {
	case state.own(scope.Tenant) == nil:
		why = "you do not take part: moatmetrics peers join shares yours and shows theirs"
	case len(others) < fewestPeers:
		why = fmt.Sprintf("%d others take part: nothing is shown below %d, because it would say too much of each", len(others), fewestPeers)
	}
	if why != "" {
		for _, m := range asked {
			out[m.name] = Peers{Reason: why}
		}
		return out, nil
	}
	snapshots, err := b.snapshotsOf(ctx, others)
	if err != nil {
		return nil, err
	}
	var wanted []peerMeasure
	for _, m := range asked {
		if b.due(state, m, b.sourceOf(m, others, snapshots)) {
			wanted = append(wanted, m)
		}
	}
	few := map[string]bool{}
	if len(wanted) > 0 {
		draws, err := b.draw(ctx, others, wanted)
		if err != nil {
			return nil, err
		}
		for name, d := range draws {
			few[name] = len(d.Quartiles) == 0
		}
		if state, err = b.keep(ctx, scope, draws); err != nil {
			return nil, err
		}
	}
	own, period, err := b.ownFigures(ctx, scope, asked)
	if err != nil {
		return nil, err
	}
	for _, m := range asked {
		p := Peers{OwnPeriod: period, Reason: fmt.Sprintf("fewer than %d of the %d others that take part have this figure over twelve complete months", fewestPeers, len(others))}
		if v, ok := own[m.name]; ok {
			p.Own = &v
		}
		latest := state.latest(m.name)
		switch {
		case latest != nil:
			if p.Release, err = b.told(state, m, latest, b.sourceOf(m, others, snapshots)); err != nil {
				return nil, err
			}
			p.Reason = ""
		case !few[m.name] && state.spent(m.name)+peerEpsilon > peerBudget:
			p.Reason = fmt.Sprintf("the budget of ε = %s for %s is used up, and what was drawn with it is withdrawn because someone left: ask again next quarter", epsilonOf(peerBudget), state.quarter)
		}
		out[m.name] = p
	}
	return out, nil
}

// due reports whether a measure is to be drawn: there is no release, or one of other figures
// that has stood long enough, and the budget allows it.
func (b *Benchmarks) due(s *peerState, m peerMeasure, source string) bool {
	if s.spent(m.name)+peerEpsilon > peerBudget {
		return false
	}
	r := s.latest(m.name)
	return r == nil || r.source != source && b.now().Sub(r.at) >= peerRest
}

// sourceOf names what a release is drawn from: the measure's meaning and bounds, who takes
// part, and the snapshot of each.
func (b *Benchmarks) sourceOf(m peerMeasure, others []peer, snapshots map[tenant.Slug]warehouse.Snapshot) string {
	version := 0
	if one, err := b.insights.metrics.Measure(m.name); err == nil {
		version = one.Version
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s %d %v", m.name, version, m.grid)
	for _, p := range others {
		fmt.Fprintf(&text, "\n%s %d", p.slug, snapshots[p.slug])
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:])
}

func (b *Benchmarks) snapshotsOf(ctx context.Context, peers []peer) (map[tenant.Slug]warehouse.Snapshot, error) {
	out := map[tenant.Slug]warehouse.Snapshot{}
	for _, p := range peers {
		scope, err := tenant.NewScope(p.slug, "peers")
		if err != nil {
			return nil, err
		}
		if out[p.slug], err = b.insights.warehouse.Current(ctx, scope); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keep stores what was drawn and returns what is known then. What another question stored in
// the meantime stands, and what nobody stored was never seen.
func (b *Benchmarks) keep(ctx context.Context, scope tenant.Scope, draws map[string]drawn) (*peerState, error) {
	var state *peerState
	if !slices.ContainsFunc(slices.Collect(maps.Values(draws)), func(d drawn) bool { return len(d.Quartiles) > 0 }) {
		return b.peerState(ctx, scope)
	}
	err := b.db.Transact(ctx, func(tx *metadb.Tx) error {
		before, err := b.readPeers(ctx, tx, scope)
		if err != nil {
			return err
		}
		// Whoever leaves and whoever asks waits here, all in the order of their ids.
		var locked []int64
		for _, p := range before.peers {
			n, err := tx.Exec(ctx, queries.Get("touch_peer"), p.id)
			if err != nil {
				return err
			}
			if n > 0 {
				locked = append(locked, p.id)
			}
		}
		if before, err = b.readPeers(ctx, tx, scope); err != nil { // what others stored while this waited
			return err
		}
		own := before.own(scope.Tenant)
		for _, m := range peerMeasures {
			d, ok := draws[m.name]
			if !ok || len(d.Quartiles) == 0 || own == nil || !b.due(before, m, d.source) {
				continue
			}
			if slices.ContainsFunc(d.members, func(id int64) bool { return !slices.Contains(locked, id) }) {
				return fault.Newf(fault.Conflict, "someone has just stopped taking part: ask again")
			}
			if err := b.store(ctx, tx, own.id, m.name, before.quarter, d); err != nil {
				return err
			}
		}
		state, err = b.readPeers(ctx, tx, scope)
		return err
	})
	return state, err
}

func (b *Benchmarks) store(ctx context.Context, tx *metadb.Tx, asker int64, measure, quarter string, d drawn) error {
	content, err := json.Marshal(d)
	if err != nil {
		return err
	}
	id := rand.Text()
	if _, err := tx.Exec(ctx, queries.Get("insert_release"), id, asker, measure, quarter, d.source, int64(peerEpsilon), string(content), metadb.Now(b.now())); err != nil {
		return err
	}
	for _, member := range d.members {
		if _, err := tx.Exec(ctx, queries.Get("insert_release_member"), id, member); err != nil {
			return err
		}
	}
	return nil
}

// told is a stored release as it is served.
func (b *Benchmarks) told(s *peerState, m peerMeasure, r *release, source string) (*PeerRelease, error) {
	var d drawn
	if err := json.Unmarshal([]byte(r.content), &d); err != nil {
		return nil, fmt.Errorf("release of %s: %w", m.name, err)
	}
	out := &PeerRelease{N: d.N, Quartiles: d.Quartiles, Epsilon: epsilonOf(r.epsilon), At: r.at, Spent: epsilonOf(s.spent(m.name)), Budget: epsilonOf(peerBudget), Quarter: s.quarter}
	if r.source != source {
		switch {
		case s.spent(m.name)+peerEpsilon > peerBudget:
			out.Note = fmt.Sprintf("figures have changed since; the budget of ε = %s for %s is used up, so this stands until the next quarter", out.Budget, s.quarter)
		default:
			out.Note = fmt.Sprintf("figures have changed since; a new one is drawn from %s on", r.at.Add(peerRest).UTC().Format(time.DateOnly))
		}
	}
	return out, nil
}

// say puts the own figure beside the others' middle.
func (p *Peers) say(b Benchmark) {
	if p.Release == nil {
		p.Words = p.Reason
		return
	}
	at := slices.IndexFunc(p.Release.Quartiles, func(q PeerQuartile) bool { return q.Quartile == 2 })
	middle := p.Release.Quartiles[at]
	text := fmt.Sprintf("the middle of %d others is about %s, with 90%% probability between %s and %s (ε = %s)", p.Release.N, inUnit(middle.Value, b.Unit), inUnit(middle.Low, b.Unit), inUnit(middle.High, b.Unit), middle.Epsilon)
	switch {
	case p.Own == nil:
	case p.Own.LessThan(middle.Low):
		text = fmt.Sprintf("yours, %s, is below the middle: ", inUnit(*p.Own, b.Unit)) + text
	case p.Own.GreaterThan(middle.High):
		text = fmt.Sprintf("yours, %s, is above the middle: ", inUnit(*p.Own, b.Unit)) + text
	default:
		text = fmt.Sprintf("yours, %s, cannot be told from the middle: ", inUnit(*p.Own, b.Unit)) + text
	}
	p.Words = text
}
