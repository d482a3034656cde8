package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// The statuses of what a route knows of a hit.
const (
	waiting = "waiting" // it is told when it is due
	told    = "told"    // it was told, and is not told again
)

// Messages are kept for so long, and what was told of an alert and who knows of it for so long after
// it has ended.
const (
	keptDays = 90
	kept     = keptDays * 24 * time.Hour
)

// lookAgain is how long it is waited with what nobody could be told of: somebody may have come.
const lookAgain = time.Hour

// due is what a route knows of a hit.
type due struct {
	route, hit, status string
	at                 time.Time
	toldAt             *time.Time
	times              int64
}

// Told is what Run did.
type Told struct {
	Messages int `json:"messages"` // to people and webhooks
	Hits     int `json:"hits"`     // that routes told of
}

// Run learns what the rules hold for and tells what is due. A route that cannot be worked is
// logged and left for the next time.
func (s *Service) Run(ctx context.Context, scope tenant.Scope) (Told, error) {
	var out Told
	if err := scope.Whole("alerts"); err != nil {
		return out, err
	}
	routes, err := s.routes(ctx, scope, "")
	if err != nil {
		return out, err
	}
	if len(routes) == 0 {
		return out, s.forget(ctx, scope)
	}
	state, err := s.look(ctx, scope)
	if err != nil {
		return out, fmt.Errorf("alerts: %w", err)
	}
	var failed []error
	for _, r := range routes {
		if r.Paused {
			continue
		}
		one, err := s.runRoute(ctx, scope, r, state)
		if err != nil && ctx.Err() != nil {
			return out, err
		}
		if err != nil && !errors.Is(err, errOvertaken) {
			s.opt.Log.WarnContext(ctx, "a route of alerts could not tell", slog.String("route", r.ID), slog.Any("error", err))
			failed = append(failed, fmt.Errorf("route %s: %w", r.ID, err))
		}
		out.Messages += one.Messages
		out.Hits += one.Hits
	}
	if err := s.forget(ctx, scope); err != nil {
		failed = append(failed, err)
	}
	return out, errors.Join(failed...)
}

// state is what all routes look at.
type state struct {
	open     []insight.Hit
	severity map[string]string
	acked    map[string]Acknowledgement
	known    map[string][]due // by route: of what holds, and of what waits
	zone     *time.Location
}

func (s *Service) look(ctx context.Context, scope tenant.Scope) (x state, err error) {
	if x.open, err = s.watch.Open(ctx, scope); err != nil {
		return x, err
	}
	if x.severity, err = s.severities(ctx, scope); err != nil {
		return x, err
	}
	if x.acked, err = s.acks(ctx, "list_open_acks", string(scope.Tenant)); err != nil {
		return x, err
	}
	all, err := s.due(ctx, "list_open_due", string(scope.Tenant))
	if err != nil {
		return x, err
	}
	x.known = map[string][]due{}
	for _, d := range all {
		x.known[d.route] = append(x.known[d.route], d)
	}
	x.zone, err = s.zone(ctx, scope)
	return x, err
}

func (x state) critical(h insight.Hit) bool { return x.severity[h.Rule] == metric.Critical }

// about reports whether a route tells of a hit.
func (r Route) about(h insight.Hit, severity string) bool {
	return (len(r.Rules) == 0 || slices.Contains(r.Rules, h.Rule)) && (len(r.Severities) == 0 || slices.Contains(r.Severities, severity))
}

// runRoute learns of hits, forgets those that are over, and tells what is due.
func (s *Service) runRoute(ctx context.Context, scope tenant.Scope, r Route, x state) (Told, error) {
	now, zone := s.now(), zoneOf(r, x.zone)
	known := x.known[r.ID]
	knows := map[string]bool{}
	for _, d := range known {
		knows[d.hit] = true
	}
	var begun, over, later, ripe []due
	for _, h := range x.open {
		if _, acked := x.acked[h.ID]; acked || !r.about(h, x.severity[h.Rule]) || knows[h.ID] {
			continue
		}
		at, err := r.when(now, x.critical(h), zone)
		if err != nil {
			return Told{}, err
		}
		begun = append(begun, due{route: r.ID, hit: h.ID, status: waiting, at: at})
	}
	for _, d := range append(slices.Clone(known), begun...) {
		if d.status != waiting {
			continue
		}
		i := slices.IndexFunc(x.open, func(h insight.Hit) bool { return h.ID == d.hit })
		if i < 0 || !r.about(x.open[i], x.severity[x.open[i].Rule]) {
			over = append(over, d) // it ceased before it was told, or the route is about others now
			continue
		}
		if d.at.After(now) {
			continue
		}
		// The route may have told something else since this became due.
		if next, ok := r.pauseEnds(); ok && next.After(now) {
			d.at = next
			later = append(later, d)
			continue
		}
		// Quiet hours may have been set since, or the server was down until they began again.
		if loud, ok := untilLoud(r.Quiet, now, zone); ok && loud.After(now) && !x.critical(x.open[i]) {
			d.at = loud
			later = append(later, d)
			continue
		}
		ripe = append(ripe, d)
	}
	if len(begun)+len(over)+len(later) > 0 {
		if err := s.keep(ctx, scope, begun, over, later); err != nil {
			return Told{}, err
		}
	}
	if len(ripe) == 0 {
		return Told{}, nil
	}
	hits := filtered(x.open, func(h insight.Hit) bool { return slices.ContainsFunc(ripe, func(d due) bool { return d.hit == h.ID }) })
	return s.tell(ctx, scope, r, x, hits, ripe)
}

// keep writes what a route has learned.
func (s *Service) keep(ctx context.Context, scope tenant.Scope, begun, over, later []due) error {
	now := s.now()
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		for _, d := range begun {
			if _, err := tx.Exec(ctx, queries.Get("insert_due"), t, d.route, d.hit, metadb.Now(d.at)); err != nil {
				return err
			}
		}
		for _, d := range over {
			if _, err := tx.Exec(ctx, queries.Get("end_due"), string(scope.Tenant), d.route, d.hit); err != nil {
				return err
			}
		}
		for _, d := range later {
			if _, err := tx.Exec(ctx, queries.Get("postpone_due"), string(scope.Tenant), d.route, d.hit, metadb.Now(d.at)); err != nil {
				return err
			}
		}
		return nil
	})
}

// due lists what the routes know of.
func (s *Service) due(ctx context.Context, query string, args ...any) (out []due, err error) {
	err = s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, queries.Get(query), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d due
			var at, told string
			if err := rows.Scan(&d.route, &d.hit, &d.status, &at, &told, &d.times); err != nil {
				return err
			}
			if d.at, err = metadb.ParseTime(at); err != nil {
				return err
			}
			if d.toldAt, err = optionalTime(told); err != nil {
				return err
			}
			out = append(out, d)
		}
		return rows.Err()
	})
	return out, err
}

// errOvertaken says that another process has told, or something has changed meanwhile.
var errOvertaken = fault.Newf(fault.Conflict, "the alerts have changed meanwhile")

// forget deletes what was told long ago, and what is known of what ended long ago.
func (s *Service) forget(ctx context.Context, scope tenant.Scope) error {
	before := metadb.Now(s.now().Add(-kept))
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		for _, query := range []string{"forget_messages", "forget_due", "forget_acks"} {
			if _, err := tx.Exec(ctx, queries.Get(query), string(scope.Tenant), before); err != nil {
				return err
			}
		}
		return nil
	})
}
