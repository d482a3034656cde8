// Package inbox brings files in by itself: from sources that a person names, when a folder
// changes or a schedule says so.
//
// It owns sources, what became of each of their files, quarantine, when to try again, and
// notices. It does not own what a file holds or how it is stored (dataset): a run hands what
// it fetched to dataset as one batch.
//
// Nothing at a source is moved or deleted before its import is committed. Every step is
// recorded before the next one begins, so a run that was killed goes on where it was: a
// file is neither lost nor imported twice.
package inbox

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/adhocore/gronx"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Kind is a kind of source.
type Kind string

// The kinds.
const (
	Folder Kind = "folder" // a folder of this machine
	SFTP   Kind = "sftp"   // a folder of an SSH server
)

// After says what becomes of a file at its source once its import is committed.
type After string

// What may become of it.
const (
	Keep   After = "keep"   // it stays where it is
	Move   After = "move"   // to the folder done beside it; one in quarantine to the folder quarantine
	Delete After = "delete" // it is deleted; one in quarantine stays
)

// OnChange is the schedule of a folder that is watched; others are cron expressions.
const OnChange = "watch"

// Spec is what a person says about a source.
type Spec struct {
	Name     string   `json:"name" maxLength:"100" doc:"what people call it; unique"`
	Kind     Kind     `json:"kind" enum:"folder,sftp"`
	Settings Settings `json:"settings"`
	// Password and PrivateKey are kept encrypted and never shown. A change without them
	// keeps those there are.
	Password   secret.Text `json:"password,omitzero" doc:"kept encrypted, never shown; left out to keep the one there is"`
	PrivateKey secret.Text `json:"private_key,omitzero" doc:"of SSH, in OpenSSH form; kept encrypted, never shown"`
	// Schedule is OnChange, a cron expression, or "" for runs by hand only.
	Schedule     string          `json:"schedule,omitempty" doc:"watch (folders), a cron expression such as 0 6 * * *, or nothing for runs by hand"`
	Zone         string          `json:"zone,omitempty" doc:"time zone of the schedule, such as Europe/Berlin; UTC when left out"`
	Dataset      string          `json:"dataset,omitempty" doc:"what all files are; told from each file when left out"`
	SourceSystem string          `json:"source_system,omitempty" doc:"name kept with every row; csv when left out"`
	Mapping      dataset.Mapping `json:"mapping,omitzero" doc:"how all files are read"`
	AllOrNothing bool            `json:"all_or_nothing,omitempty" doc:"the files of one run are stored together or not at all"`
	After        After           `json:"after,omitempty" enum:"keep,move,delete" doc:"what becomes of a file once it is imported; keep when left out"`
	Paused       bool            `json:"paused,omitempty" doc:"runs by hand only"`
}

// Settings say where a source is.
type Settings struct {
	Path    string `json:"path,omitempty" doc:"the folder"`
	Pattern string `json:"pattern,omitempty" doc:"which files, such as *.csv; all when left out"`
	Host    string `json:"host,omitempty" doc:"server of sftp"`
	Port    int    `json:"port,omitempty" doc:"22 when left out"`
	User    string `json:"user,omitempty"`
	HostKey string `json:"host_key,omitempty" doc:"the server's key, such as ssh-ed25519 SHA256:...; a test without it shows the key"`
}

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
	// Box opens what seals secrets. Nil allows sources without secrets only.
	Box func() (*secret.Box, error)
}

// Service runs sources.
type Service struct {
	db   *metadb.DB
	data *dataset.Service
	log  *audit.Log
	now  func() time.Time
	opt  Options

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
	return &Service{db: db, data: data, log: log, now: now, opt: opt, running: map[string]bool{}}
}

// Add makes a source. It is not connected to: Test does that.
func (s *Service) Add(ctx context.Context, scope tenant.Scope, spec Spec) (Source, error) {
	if err := scope.Check(); err != nil {
		return Source{}, err
	}
	if err := s.check(&spec); err != nil {
		return Source{}, err
	}
	id := newID()
	sealed, err := s.seal(scope, id, &spec, "")
	if err != nil {
		return Source{}, err
	}
	now := s.now()
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		config, err := json.Marshal(spec)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_source"), t, id, spec.Name, metadb.Text(string(config)), sealed, enabled(spec), s.firstDue(spec), metadb.Now(now), metadb.Text(string(scope.Actor))); err != nil {
			return named(err, spec.Name)
		}
		return s.record(ctx, scope, tx, "source.create", id, spec)
	})
	if err != nil {
		return Source{}, fmt.Errorf("add source: %w", err)
	}
	return s.Source(ctx, scope, id)
}

// Change replaces what a person said about a source. Files that were seen stay seen.
func (s *Service) Change(ctx context.Context, scope tenant.Scope, id string, spec Spec) (Source, error) {
	was, err := s.Source(ctx, scope, id)
	if err != nil {
		return was, err
	}
	if err := s.check(&spec); err != nil {
		return was, err
	}
	kept := was.sealed
	if a, b := was.Settings, spec.Settings; was.Kind != spec.Kind || a.Host != b.Host || a.Port != b.Port || a.User != b.User {
		kept = "" // a secret is not sent to another place than it was given for
	}
	sealed, err := s.seal(scope, was.ID, &spec, kept)
	if err != nil {
		return was, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		config, err := json.Marshal(spec)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("update_source"), string(scope.Tenant), was.ID, spec.Name, metadb.Text(string(config)), sealed, enabled(spec), s.firstDue(spec)); err != nil {
			return named(err, spec.Name)
		}
		return s.record(ctx, scope, tx, "source.change", was.ID, spec)
	})
	if err != nil {
		return was, fmt.Errorf("change source: %w", err)
	}
	return s.Source(ctx, scope, was.ID)
}

// Remove forgets a source and what was seen of it. What it imported stays, and nothing
// changes at the source.
func (s *Service) Remove(ctx context.Context, scope tenant.Scope, id string) error {
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
	return out, nil
}

func scanSource(scan func(...any) error) (Source, error) {
	var s Source
	var name, config, status, due, ran, created, actor string
	var on int64
	if err := scan(&s.ID, &name, &config, &s.sealed, &on, &status, &s.Problem, &s.Failures, &due, &ran, &s.lease, &created, &actor); err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(config), &s.Spec); err != nil {
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

// check completes a spec and lists what is wrong with it.
func (s *Service) check(spec *Spec) error {
	var wrong []fault.Field
	bad := func(path, message string, allowed ...string) {
		wrong = append(wrong, fault.Field{Path: path, Message: message, Allowed: allowed})
	}
	spec.Name = metadb.Text(strings.TrimSpace(spec.Name))
	if spec.Name == "" || len(spec.Name) > 100 {
		bad("name", "must be 1 to 100 bytes")
	}
	switch spec.After {
	case "":
		spec.After = Keep
	case Keep, Move, Delete:
	default:
		bad("after", "is "+string(spec.After), string(Keep), string(Move), string(Delete))
	}
	if spec.Kind == SFTP {
		if spec.Settings.Host == "" || strings.ContainsAny(spec.Settings.Host, "/@ ") {
			bad("settings.host", "must be the server's name")
		}
		if spec.Settings.User == "" {
			bad("settings.user", "must be the user's name")
		}
		if p := spec.Settings.Port; p < 0 || p > 65535 {
			bad("settings.port", "must be 1 to 65535")
		}
		if spec.Settings.Path == "" {
			spec.Settings.Path = "."
		}
	} else if spec.Kind != Folder {
		bad("kind", "is "+string(spec.Kind), string(Folder), string(SFTP))
	} else if err := s.checkFolder(spec.Settings.Path); err != nil {
		bad("settings.path", fault.Message(err))
	} else {
		spec.Settings.Path = filepath.Clean(spec.Settings.Path)
	}
	if _, err := path.Match(spec.Settings.Pattern, ""); err != nil {
		bad("settings.pattern", "is not a pattern: use *.csv, or leave it out")
	}
	if _, err := time.LoadLocation(spec.Zone); err != nil {
		bad("zone", "is not a time zone: use a name such as Europe/Berlin")
	}
	switch {
	case spec.Schedule == "" || spec.Schedule == OnChange && spec.Kind == Folder:
	case spec.Schedule == OnChange:
		bad("schedule", "only folders can be watched: use a cron expression such as */15 * * * *")
	case !gronx.IsValid(spec.Schedule) || len(strings.Fields(spec.Schedule)) > 5:
		bad("schedule", "is not a cron expression of minute, hour, day, month and weekday, such as 0 6 * * *")
	}
	if _, ok := dataset.Find(spec.Dataset); !ok && spec.Dataset != "" {
		bad("dataset", "unknown", dataset.Names()...)
	}
	m := *spec
	m.Dataset = ""
	text, err := json.Marshal(m.mapping())
	if err == nil {
		_, err = dataset.ParseMapping(text) // JSON is YAML
	}
	if err != nil {
		wrong = append(wrong, fault.FieldsOf(err)...)
	}
	if wrong != nil {
		return fault.WithFields("the source cannot be kept like this", wrong...)
	}
	return nil
}

// mapping is how the source's files are read.
func (s Spec) mapping() dataset.Mapping {
	m := s.Mapping
	if s.Dataset != "" {
		m.Dataset = s.Dataset
	}
	if s.SourceSystem != "" {
		m.Options.SourceSystem = s.SourceSystem
	}
	return m
}

// due is when a source is to run after an instant, the zero time for never.
func (s *Service) due(spec Spec, after time.Time) time.Time {
	switch spec.Schedule {
	case "":
		return time.Time{}
	case OnChange:
		return after.Add(s.opt.Poll)
	}
	zone, err := time.LoadLocation(spec.Zone)
	if err != nil {
		return time.Time{}
	}
	t, err := gronx.NextTickAfter(spec.Schedule, after.In(zone), false)
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
