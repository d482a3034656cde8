// Package inbox brings files in by itself: from sources that a person names, when a folder
// changes or a schedule says so.
//
// It owns sources, what became of each of their files, quarantine, and when to try
// again. It does not own what a file holds or how it is stored (dataset): a run hands what
// it fetched to dataset as one batch.
//
// Nothing at a source is moved or deleted before its import is committed. Every step is
// recorded before the next one begins, so a run that was killed goes on where it was: a
// file is neither lost nor imported twice.
package inbox

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	_ "embed"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/cron"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Status says how a source is.
type Status string

// The statuses.
const (
	Untried  Status = "new" // it has not run since it was made or changed
	OK       Status = "ok"
	Retrying Status = "retrying" // it cannot be reached; it is tried again soon
	Failing  Status = "failing"  // it could not be reached several times, or needs a person
)

// Source is where files come from.
type Source struct {
	ID string `json:"id"`
	Spec
	Status    Status       `json:"status"`
	Problem   string       `json:"problem"` // why it is not OK
	Failures  int64        `json:"failures"`
	NextRun   *time.Time   `json:"next_run"`
	LastRun   *time.Time   `json:"last_run"`
	CreatedAt time.Time    `json:"created_at"`
	Actor     tenant.Actor `json:"actor"`

	config string // its spec, encrypted
	sealed string // its secrets, encrypted
	lease  string
}

// Options tunes a Service. The zero value is ready to use.
type Options struct {
	// Settle is how long a file must not have changed before it is fetched. Zero means 2 s.
	Settle time.Duration
	// Poll is how often watched folders are looked at even when the system reports no
	// change, as on network drives. Zero means 30 s.
	Poll time.Duration
	// DataDir may not be a source, nor hold one. "" allows every folder.
	DataDir string
	// Log receives failures of scheduled runs. Nil discards.
	Log *slog.Logger
	// Roots are whose certificates of S3 stores and mail servers are trusted. Nil are those of
	// the system.
	Roots *x509.CertPool
	// Networks are where sources may be beside public addresses. Nil are the private networks and
	// this machine.
	Networks reach.Networks
	// Box seals sources and their secrets. Nil allows no sources.
	Box *secret.Box
}

// Service runs sources.
type Service struct {
	db   *metadb.DB
	data *dataset.Service
	log  *audit.Log
	now  func() time.Time
	opt  Options

	notices *notice.Store

	mu      sync.Mutex
	running map[string]bool // sources that Watch runs now
}

// New returns a service that imports through data.
func New(db *metadb.DB, data *dataset.Service, log *audit.Log, now func() time.Time, opt Options) *Service {
	if opt.Settle <= 0 {
		opt.Settle = 2 * time.Second
	}
	if opt.Poll <= 0 {
		opt.Poll = 30 * time.Second
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return &Service{db: db, data: data, log: log, now: now, opt: opt, notices: notice.New(db, now), running: map[string]bool{}}
}

// guard lets connections through to servers that may be sources.
func (s *Service) guard() reach.Guard {
	return reach.Guard{Networks: s.opt.Networks, What: "a source", Setting: "source_networks"}
}

// Add makes a source. It is not connected to: Test does that.
func (s *Service) Add(ctx context.Context, scope tenant.Scope, spec Spec) (Source, error) {
	if err := scope.Whole("sources"); err != nil {
		return Source{}, err
	}
	if err := scope.Check(); err != nil {
		return Source{}, err
	}
	if err := s.check(&spec); err != nil {
		return Source{}, err
	}
	id := newID()
	sealed, err := s.seal(ctx, scope, id, &spec, "")
	if err != nil {
		return Source{}, err
	}
	config, err := specColumn.SealJSON(ctx, s.opt.Box, spec, string(scope.Tenant), id)
	if err != nil {
		return Source{}, err
	}
	now := s.now()
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_source"), t, id, spec.Name, config, sealed, enabled(spec), s.firstDue(spec), metadb.Now(now), metadb.Text(string(scope.Actor))); err != nil {
			return named(err, spec.Name)
		}
		return s.record(ctx, scope, tx, "source.create", id, forRecord(spec))
	})
	if err != nil {
		return Source{}, fmt.Errorf("add source: %w", err)
	}
	return s.Source(ctx, scope, id)
}

// Change replaces what a person said about a source. Files that were seen stay seen.
func (s *Service) Change(ctx context.Context, scope tenant.Scope, id string, spec Spec) (Source, error) {
	if err := scope.Whole("sources"); err != nil {
		return Source{}, err
	}
	was, err := s.Source(ctx, scope, id)
	if err != nil {
		return was, err
	}
	if err := s.check(&spec); err != nil {
		return was, err
	}
	kept := was.sealed
	if a, b := was.Settings, spec.Settings; was.Kind != spec.Kind || a.Host != b.Host || a.Port != b.Port || a.User != b.User || a.Endpoint != b.Endpoint || a.TLS != b.TLS {
		kept = "" // a secret is not sent to another place than it was given for
	}
	sealed, err := s.seal(ctx, scope, was.ID, &spec, kept)
	if err != nil {
		return was, err
	}
	config, err := specColumn.SealJSON(ctx, s.opt.Box, spec, string(scope.Tenant), was.ID)
	if err != nil {
		return was, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		if _, err := tx.Exec(ctx, queries.Get("update_source"), string(scope.Tenant), was.ID, spec.Name, config, sealed, enabled(spec), s.firstDue(spec)); err != nil {
			return named(err, spec.Name)
		}
		return s.record(ctx, scope, tx, "source.change", was.ID, forRecord(spec))
	})
	if err != nil {
		return was, fmt.Errorf("change source: %w", err)
	}
	return s.Source(ctx, scope, was.ID)
}

// Remove forgets a source and what was seen of it. What it imported stays, and nothing
// changes at the source.
func (s *Service) Remove(ctx context.Context, scope tenant.Scope, id string) error {
	if err := scope.Whole("sources"); err != nil {
		return err
	}
	was, err := s.Source(ctx, scope, id)
	if err != nil {
		return err
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("delete_source"), string(scope.Tenant), was.ID, metadb.Now(s.now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Newf(fault.Conflict, "%s is running: try again when the run has ended", was.Name)
		}
		if _, err := tx.Exec(ctx, queries.Get("delete_source_files"), string(scope.Tenant), was.ID); err != nil {
			return err
		}
		return s.record(ctx, scope, tx, "source.remove", was.ID, nil)
	})
}

// Source returns a source by its id or name, a NotFound fault when there is none.
func (s *Service) Source(ctx context.Context, scope tenant.Scope, id string) (Source, error) {
	if err := scope.Whole("sources"); err != nil {
		return Source{}, err
	}
	if id == "" {
		return Source{}, fault.Newf(fault.NotFound, "name the source")
	}
	list, err := s.sources(ctx, scope, id)
	if err != nil {
		return Source{}, err
	}
	if len(list) == 0 {
		return Source{}, fault.Newf(fault.NotFound, "there is no source %q", id)
	}
	return list[0], nil
}

// Sources lists a tenant's sources by name.
func (s *Service) Sources(ctx context.Context, scope tenant.Scope) ([]Source, error) {
	if err := scope.Whole("sources"); err != nil {
		return nil, err
	}
	return s.sources(ctx, scope, "")
}

func (s *Service) sources(ctx context.Context, scope tenant.Scope, id string) ([]Source, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	out := []Source{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_sources"), string(scope.Tenant), id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			one, err := scanSource(rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, one)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("sources: %w", err)
	}
	for i := range out {
		if err := specColumn.OpenJSON(ctx, s.opt.Box, out[i].config, string(scope.Tenant), out[i].ID, &out[i].Spec); err != nil {
			return nil, fmt.Errorf("source %s: %w", out[i].ID, err)
		}
	}
	return out, nil
}

func scanSource(scan func(...any) error) (Source, error) {
	var s Source
	var name, status, due, ran, created, actor string
	var on int64
	if err := scan(&s.ID, &name, &s.config, &s.sealed, &on, &status, &s.Problem, &s.Failures, &due, &ran, &s.lease, &created, &actor); err != nil {
		return s, err
	}
	s.Status, s.Actor = Status(status), tenant.Actor(actor)
	var err error
	if s.NextRun, err = optionalTime(due); err != nil {
		return s, err
	}
	if s.LastRun, err = optionalTime(ran); err != nil {
		return s, err
	}
	s.CreatedAt, err = metadb.ParseTime(created)
	return s, err
}

func optionalTime(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	t, err := metadb.ParseTime(text)
	return &t, err
}

// due is when a source is to run after an instant, the zero time for never.
func (s *Service) due(spec Spec, after time.Time) time.Time {
	switch spec.Schedule {
	case "":
		return time.Time{}
	case OnChange:
		return after.Add(s.opt.Poll)
	}
	t, err := cron.Next(spec.Schedule, spec.Zone, after)
	if err != nil {
		return time.Time{}
	}
	return t
}

// firstDue is when a source that was made or changed runs: a watched folder at once.
func (s *Service) firstDue(spec Spec) string {
	if spec.Schedule == OnChange {
		return metadb.Now(s.now())
	}
	return timeText(s.due(spec, s.now()))
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return metadb.Now(t)
}

func enabled(spec Spec) int64 {
	if spec.Paused {
		return 0
	}
	return 1
}

func newID() string { return strings.ToLower(rand.Text()[:12]) }

func named(err error, name string) error {
	if fault.KindOf(err) == fault.Conflict {
		return fault.Wrapf(fault.Conflict, err, "there is a source %q already: choose another name", name)
	}
	return err
}

func (s *Service) record(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, action, id string, detail any) error {
	_, err := s.log.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: "source", ID: id}, Detail: detail})
	return err
}
