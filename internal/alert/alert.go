// Package alert tells people when a rule begins to hold: whom, by which way, and when.
//
// It owns routes, what each route has told, acknowledgements and the words of alerts. It does not
// own rules and when they hold (insight.Watch), nor how a message is sent (delivery).
//
// Everybody is told what they may see themselves, and nothing else: for each recipient the rule
// is evaluated anew with their rights when they are told. Run does all of it; it is called after
// each evaluation of the rules and every minute, by any number of processes, and tells each thing
// once.
package alert

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Job is the kind of the job that evaluates the rules and tells what is due.
const Job = "alerts"

// Kind is the kind of the deliveries of alerts: register Open for it.
const Kind = "alert"

// queue enqueues jobs; *job.Queue is one.
type queue interface {
	Enqueue(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind string, args any) error
}

// Deps are what alerts are made of.
type Deps struct {
	DB       *metadb.DB
	Audit    *audit.Log
	Jobs     queue
	Metrics  *metric.Catalog
	Insights *insight.Service
	Watch    *insight.Watch
	Notices  *notice.Store
	People   *access.Service
	Policies *access.Policies
	Out      *delivery.Service
}

// Options tunes a Service. The zero value is ready to use.
type Options struct {
	// Address is where the app is, such as https://moat.example.com, for links. "" puts none into
	// messages.
	Address string
	// Log receives what could not be told yet. Nil discards.
	Log *slog.Logger
}

// Service tells people. It is safe for concurrent use.
type Service struct {
	db       *metadb.DB
	log      *audit.Log
	jobs     queue
	metrics  *metric.Catalog
	insights *insight.Service
	watch    *insight.Watch
	notices  *notice.Store
	people   *access.Service
	policies *access.Policies
	out      *delivery.Service
	now      func() time.Time
	opt      Options
}

// New returns a service. It registers how the content of its deliveries is read.
func New(d Deps, now func() time.Time, opt Options) *Service {
	if opt.Log == nil {
		opt.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s := &Service{db: d.DB, log: d.Audit, jobs: d.Jobs, metrics: d.Metrics, insights: d.Insights, watch: d.Watch, notices: d.Notices, people: d.People, policies: d.Policies, out: d.Out, now: now, opt: opt}
	d.Out.Register(Kind, s.Open)
	return s
}

// Alert is a time in which a rule holds for a subject, with what people did about it.
type Alert struct {
	insight.Hit
	Severity string     `json:"severity"` // of the rule now; "" when it is gone
	ToldAt   *time.Time `json:"told_at"`  // when somebody was told last; null: nobody yet, or forgotten
	Times    int64      `json:"times"`    // how often a route told of it, reminders included
	// Acknowledged is who knows of it; null: nobody said so, or it is forgotten. What was told and who
	// knows is kept for 90 days after an alert has ended.
	Acknowledged *Acknowledgement `json:"acknowledged"`
}

// Acknowledgement says that somebody knows of an alert and has it in hand.
type Acknowledgement struct {
	By   tenant.Actor `json:"by"`
	At   time.Time    `json:"at"`
	Note string       `json:"note"`
}

// Filter chooses alerts; the zero value chooses all.
type Filter struct {
	Open           bool   // only those that hold now
	Unacknowledged bool   // only those that nobody has acknowledged, of those of which that is still kept
	Rule           string // only one rule's
	Severity       string // only those of a severity
}

// severities are those of the rules that a scope may see, by name.
func (s *Service) severities(ctx context.Context, scope tenant.Scope) (map[string]string, error) {
	rules, err := s.metrics.Rules(ctx, scope)
	out := map[string]string{}
	for _, r := range rules {
		out[r.Name] = r.Severity
	}
	return out, err
}

// maxNote is how many characters a note has at most.
const maxNote = 1000

// Acknowledge says that the actor knows of an alert that they may see: nobody is told of it any
// more, until it begins anew. A Conflict when somebody was first.
func (s *Service) Acknowledge(ctx context.Context, scope tenant.Scope, id, note string) (Alert, error) {
	note = strings.TrimSpace(note)
	if len([]rune(note)) > maxNote {
		return Alert{}, fault.WithFields("the note is too long", fault.Field{Path: "note", Message: fmt.Sprintf("must have at most %d characters", maxNote)})
	}
	a, err := s.Alert(ctx, scope, id)
	if err != nil {
		return a, err
	}
	if s.forgotten(a.Hit) {
		return a, fault.Newf(fault.Conflict, "it ended on %s, and who knows of an alert is kept for %d days after it has ended: there is nothing to acknowledge", quantity.DayOf(a.EndedAt.UTC()), keptDays)
	}
	now := s.now()
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_ack"), t, a.ID, metadb.Text(note), metadb.Now(now), metadb.Text(string(scope.Actor))); err != nil {
			if fault.KindOf(err) == fault.Conflict {
				return fault.Wrapf(fault.Conflict, err, "it is acknowledged already")
			}
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("end_hit_due"), string(scope.Tenant), a.ID); err != nil {
			return err
		}
		return s.record(ctx, scope, tx, "alert.acknowledge", "alert", a.ID, map[string]any{"note": note != ""})
	})
	if err != nil {
		return a, fmt.Errorf("acknowledge alert: %w", err)
	}
	return s.Alert(ctx, scope, id)
}

// Unacknowledge takes an acknowledgement back: the routes remind of the alert again.
func (s *Service) Unacknowledge(ctx context.Context, scope tenant.Scope, id string) (Alert, error) {
	a, err := s.Alert(ctx, scope, id)
	if err != nil {
		return a, err
	}
	if a.Acknowledged == nil {
		return a, fault.Newf(fault.Conflict, "it is not acknowledged")
	}
	routes, err := s.routes(ctx, scope.Own(), "")
	if err != nil {
		return a, err
	}
	known, err := s.due(ctx, "list_due", string(scope.Tenant), a.ID)
	if err != nil {
		return a, err
	}
	zone, err := s.zone(ctx, scope)
	if err != nil {
		return a, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("delete_ack"), string(scope.Tenant), a.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Newf(fault.Conflict, "it is not acknowledged")
		}
		for _, r := range routes {
			for _, d := range known {
				if d.route != r.ID || a.EndedAt != nil {
					continue
				}
				// One that nobody was told of yet is told now, others when they would be reminded.
				from := s.now()
				if d.times > 0 {
					if r.RemindHours == 0 {
						continue
					}
					from = from.Add(time.Duration(r.RemindHours) * time.Hour)
				}
				due, err := r.when(from, a.Severity == metric.Critical, zoneOf(r, zone))
				if err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, queries.Get("wait_due"), string(scope.Tenant), r.ID, a.ID, metadb.Now(due)); err != nil {
					return err
				}
			}
		}
		return s.record(ctx, scope, tx, "alert.unacknowledge", "alert", a.ID, nil)
	})
	if err != nil {
		return a, fmt.Errorf("acknowledge alert: %w", err)
	}
	return s.Alert(ctx, scope, id)
}

func (s *Service) acks(ctx context.Context, query string, args ...any) (map[string]Acknowledgement, error) {
	out := map[string]Acknowledgement{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		clear(out)
		rows, err := tx.Query(ctx, queries.Get(query), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var hit, at, actor string
			var a Acknowledgement
			if err := rows.Scan(&hit, &a.Note, &at, &actor); err != nil {
				return err
			}
			a.By = tenant.Actor(actor)
			if a.At, err = metadb.ParseTime(at); err != nil {
				return err
			}
			out[hit] = a
		}
		return rows.Err()
	})
	return out, err
}

// zone is the tenant's time zone.
func (s *Service) zone(ctx context.Context, scope tenant.Scope) (*time.Location, error) {
	return s.metrics.Zone(ctx, scope)
}

// zoneOf is a route's own time zone, or the tenant's.
func zoneOf(r Route, tenants *time.Location) *time.Location {
	if r.Zone == "" {
		return tenants
	}
	zone, err := time.LoadLocation(r.Zone)
	if err != nil { // of an older installation, with other zones
		return tenants
	}
	return zone
}

func mayDefine(scope tenant.Scope) error {
	if err := scope.Check(); err != nil {
		return err
	}
	if err := scope.AllRows("routes of alerts"); err != nil {
		return err
	}
	return scope.Need(access.DefinitionsWrite)
}

func newID() string { return strings.ToLower(rand.Text()[:12]) }

func optionalTime(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	t, err := metadb.ParseTime(text)
	return &t, err
}

func (s *Service) record(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, action, kind, id string, detail any) error {
	_, err := s.log.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: kind, ID: id}, Detail: detail})
	return err
}
