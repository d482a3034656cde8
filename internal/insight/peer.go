package insight

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// The rules of the comparison with other tenants (docs/decisions/0014-private-peers.md).
const (
	// fewestPeers is how many others must have a figure before anything of it is released.
	fewestPeers = 5
	// quartilePeers is from how many on the quartiles are released beside the median.
	quartilePeers = 40
	// peerEpsilon is what a release costs, in thousandths; peerBudget is the most that one
	// tenant learns of a measure of the others in a quarter.
	peerEpsilon = 2000
	peerBudget  = 4000
	// peerRest is how long a release stands before changed figures renew it.
	peerRest = 30 * 24 * time.Hour
	// peerStale is how old the last complete month of a tenant may be, in months.
	peerStale = 12
)

// peerMeasure is a measure that peers compare. The grid is public and the same for all: the
// values that can be released at all, of the last twelve complete months.
type peerMeasure struct {
	name string
	grid stats.Grid
}

// peerMeasures have no currency and do not grow with the size of a firm.
var peerMeasures = []peerMeasure{
	{"gross_margin", stats.Grid{Low: -0.2, High: 0.8, Points: 51}},
	{"recurring_share", stats.Grid{Low: 0, High: 1, Points: 51}},
	{"billable_utilization", stats.Grid{Low: 0, High: 1, Points: 51}},
	{"utilization", stats.Grid{Low: 0, High: 1.25, Points: 51}},
	{"agreement_efficiency", stats.Grid{Low: 0, High: 2.5, Points: 51}},
	{"tickets_per_endpoint", stats.Grid{Low: 0, High: 1.5, Points: 51}},
	{"sla_attainment", stats.Grid{Low: 0.5, High: 1, Points: 51}},
	{"csat", stats.Grid{Low: 0.5, High: 1, Points: 51}},
	{"license_utilization", stats.Grid{Low: 0, High: 1, Points: 51}},
	{"dso", stats.Grid{Low: 0, High: 100, Points: 51}},
	{"client_concentration", stats.Grid{Low: 0, High: 0.5, Points: 51}},
}

// peerShares is what a tenant agrees to.
var peerShares = fmt.Sprintf("Taking part shares %d ratios of your last twelve complete months (no client, person, amount of money or text) with the other tenants of this installation that take part, and lets you see theirs. "+
	"None of them sees your figures, nor that a figure is yours: only the median of at least %d others, from %d on the quartiles too, drawn at random so that your figure alone changes the probability of what one of them sees by at most the factor e^ε, with ε = %s a release and at most %s for a measure in a quarter. "+
	"How many take part is no secret. Several tenants who put together what they see may add their ε up. Whoever runs the installation holds all data anyway. "+
	"When you leave, everything drawn from your figures is removed at once; what was seen before cannot be unseen.",
	len(peerMeasures), fewestPeers, quartilePeers, epsilonOf(peerEpsilon), epsilonOf(peerBudget))

func epsilonOf(milli int64) quantity.Decimal { return number(milli, 3) }

// Benchmarks compares figures with references, history and peers, and keeps who takes part
// and what was released. It is safe for concurrent use.
type Benchmarks struct {
	insights *Service
	settings *metric.Settings
	db       *metadb.DB
	log      *audit.Log
	now      func() time.Time
	random   io.Reader // secret
}

// NewBenchmarks returns benchmarks of the figures of s with the bands of settings.
func NewBenchmarks(s *Service, settings *metric.Settings, db *metadb.DB, log *audit.Log, now func() time.Time) *Benchmarks {
	return &Benchmarks{insights: s, settings: settings, db: db, log: log, now: now, random: rand.Reader}
}

// PeerStatus is whether a tenant takes part and what that means.
type PeerStatus struct {
	Taking       bool             `json:"taking_part"`
	Since        *time.Time       `json:"since"` // null when it does not
	By           string           `json:"by,omitempty"`
	Participants int              `json:"participants"` // of the installation, this one included
	Needed       int              `json:"needed"`       // others with a figure, before anything is released
	Shares       string           `json:"shares"`       // what taking part shares
	Measures     []PeerGrid       `json:"measures"`
	Quarter      string           `json:"quarter"` // that the budget is for, such as 2026-Q4
	Epsilon      quantity.Decimal `json:"epsilon"` // of one release
	Budget       quantity.Decimal `json:"budget"`  // for a measure in the quarter
	// UsedIn is in how many releases to others of this quarter a figure of this tenant is;
	// MostLoss what any one of them has learned at most, all measures together, and TotalLoss
	// what all of them have if they put it together.
	UsedIn    int              `json:"used_in"`
	MostLoss  quantity.Decimal `json:"most_loss"`
	TotalLoss quantity.Decimal `json:"total_loss"`
}

// PeerGrid is the public bounds of a measure that peers compare, and what is spent of its
// budget.
type PeerGrid struct {
	Measure string           `json:"measure"`
	Unit    quantity.Unit    `json:"unit"`
	Low     quantity.Decimal `json:"low"` // figures outside count as the nearest bound
	High    quantity.Decimal `json:"high"`
	Step    quantity.Decimal `json:"step"`
	Spent   quantity.Decimal `json:"spent"` // by this tenant's questions, this quarter
}

// Join makes a tenant take part in the comparison of peers; it may already.
func (b *Benchmarks) Join(ctx context.Context, scope tenant.Scope) (PeerStatus, error) {
	return b.turn(ctx, scope, "peers.join", func(ctx context.Context, tx *metadb.Tx, id int64) (int64, error) {
		return tx.Exec(ctx, queries.Get("join_peer"), id, metadb.Now(b.now()), metadb.Text(string(scope.Actor)))
	})
}

// Leave ends a tenant's part in it. What was drawn from its figures is no longer served.
func (b *Benchmarks) Leave(ctx context.Context, scope tenant.Scope) (PeerStatus, error) {
	return b.turn(ctx, scope, "peers.leave", func(ctx context.Context, tx *metadb.Tx, id int64) (int64, error) {
		// The row first: a draw that holds it is waited for, and then withdrawn.
		n, err := tx.Exec(ctx, queries.Get("leave_peer"), id)
		if err != nil {
			return n, err
		}
		_, err = tx.Exec(ctx, queries.Get("withdraw_releases"), id)
		return n, err
	})
}

// turn changes the part of a tenant with its audit event.
func (b *Benchmarks) turn(ctx context.Context, scope tenant.Scope, action string, fn func(context.Context, *metadb.Tx, int64) (int64, error)) (PeerStatus, error) {
	if err := scope.Check(); err != nil {
		return PeerStatus{}, err
	}
	err := b.db.Transact(ctx, func(tx *metadb.Tx) error {
		id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), b.now())
		if err != nil {
			return err
		}
		changed, err := fn(ctx, tx, id)
		if err != nil || changed == 0 {
			return err
		}
		_, err = b.log.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: "peers", ID: string(scope.Tenant)}})
		return err
	})
	if err != nil {
		return PeerStatus{}, fmt.Errorf("peers: %w", err)
	}
	return b.Status(ctx, scope)
}

// Status says whether a tenant takes part, what that shares, and what was spent.
func (b *Benchmarks) Status(ctx context.Context, scope tenant.Scope) (PeerStatus, error) {
	state, err := b.peerState(ctx, scope)
	if err != nil {
		return PeerStatus{}, err
	}
	out := PeerStatus{Participants: len(state.peers), Needed: fewestPeers, Shares: peerShares, Quarter: state.quarter, Epsilon: epsilonOf(peerEpsilon), Budget: epsilonOf(peerBudget),
		UsedIn: state.usedIn, Measures: []PeerGrid{}}
	if own := state.own(scope.Tenant); own != nil {
		out.Taking, out.Since, out.By = true, &own.joined, own.author
	}
	for _, m := range peerMeasures {
		one, err := b.insights.metrics.Measure(m.name)
		if err != nil {
			return PeerStatus{}, err
		}
		out.Measures = append(out.Measures, PeerGrid{Measure: m.name, Unit: one.Unit, Low: dec(m.grid.Low), High: dec(m.grid.High), Step: dec(m.grid.Step()), Spent: epsilonOf(state.spent(m.name))})
	}
	var most, total int64
	for _, milli := range state.lost {
		most, total = max(most, milli), total+milli
	}
	out.MostLoss, out.TotalLoss = epsilonOf(most), epsilonOf(total)
	return out, nil
}

// peer is a tenant that takes part.
type peer struct {
	id     int64
	slug   tenant.Slug
	joined time.Time
	author string
}

// peerState is what the control database knows of the peers of a tenant.
type peerState struct {
	peers    []peer // by id, the tenant itself among them
	releases []release
	quarter  string
	usedIn   int
	lost     map[int64]int64 // thousandths of ε this quarter, by who asked
}

func (s *peerState) own(of tenant.Slug) *peer {
	for i, p := range s.peers {
		if p.slug == of {
			return &s.peers[i]
		}
	}
	return nil
}

// others are the peers of a tenant.
func (s *peerState) others(of tenant.Slug) []peer {
	out := []peer{}
	for _, p := range s.peers {
		if p.slug != of {
			out = append(out, p)
		}
	}
	return out
}

// spent is what a tenant's questions about a measure have cost this quarter, in thousandths.
func (s *peerState) spent(measure string) int64 {
	var sum int64
	for _, r := range s.releases {
		if r.measure == measure && r.quarter == s.quarter {
			sum += r.epsilon
		}
	}
	return sum
}

// latest is the last release of a measure that may still be served, nil without one.
func (s *peerState) latest(measure string) *release {
	for i := len(s.releases) - 1; i >= 0; i-- {
		if r := &s.releases[i]; r.measure == measure && r.content != "" {
			return r
		}
	}
	return nil
}

func (b *Benchmarks) peerState(ctx context.Context, scope tenant.Scope) (*peerState, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out *peerState
	err := b.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		out, err = b.readPeers(ctx, tx, scope)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	return out, nil
}

func (b *Benchmarks) readPeers(ctx context.Context, tx *metadb.Tx, scope tenant.Scope) (*peerState, error) {
	now := b.now().UTC()
	out := &peerState{quarter: fmt.Sprintf("%d-Q%d", now.Year(), (int(now.Month())+2)/3), lost: map[int64]int64{}}
	err := scan(ctx, tx, "list_peers", nil, func(rows *metadb.Rows) error {
		var p peer
		var slug, at string
		if err := rows.Scan(&p.id, &slug, &at, &p.author); err != nil {
			return err
		}
		joined, err := metadb.ParseTime(at)
		p.slug, p.joined = tenant.Slug(slug), joined
		out.peers = append(out.peers, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = scan(ctx, tx, "list_releases", []any{string(scope.Tenant)}, func(rows *metadb.Rows) error {
		var r release
		var at string
		if err := rows.Scan(&r.measure, &r.quarter, &r.source, &r.epsilon, &r.content, &at); err != nil {
			return err
		}
		var err error
		r.at, err = metadb.ParseTime(at)
		out.releases = append(out.releases, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, scan(ctx, tx, "releases_with", []any{string(scope.Tenant), out.quarter}, func(rows *metadb.Rows) error {
		var asker, milli int64
		if err := rows.Scan(&asker, &milli); err != nil {
			return err
		}
		out.usedIn++
		out.lost[asker] += milli
		return nil
	})
}

// scan calls fn for each row of a statement.
func scan(ctx context.Context, tx *metadb.Tx, name string, args []any, fn func(*metadb.Rows) error) error {
	rows, err := tx.Query(ctx, queries.Get(name), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
