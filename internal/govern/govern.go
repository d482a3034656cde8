// Package govern answers for personal data: what is stored of whom and why, how long it is
// kept, what must not be deleted, and what a person may ask for.
//
// It owns the inventory, retention rules, legal holds, and requests of persons with their
// carrying out. It does not own how files are rewritten (warehouse), how names become
// pseudonyms (dataset), or who may decide (access, review).
//
// Nouns. A Person is somebody whom stored rows name, known by a pseudonymous key. A Rule
// says how long something is kept. A Hold says what must not be deleted meanwhile. A Request
// is what a person asked for: a copy of everything, or to be erased. Erasing takes names,
// addresses and free text out of every kept snapshot; amounts, hours and the key stay, so
// that sums do.
package govern

import (
	"context"
	_ "embed"
	"io"
	"log/slog"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// The kinds of our jobs.
const (
	JobErase     = "erase_person"    // carries out an approved erasure: {"id": …}
	JobRetention = "apply_retention" // deletes what is due
)

// Options tunes a Service. The zero value is ready to use.
type Options struct {
	// DataDir is the data directory, looked through for files that hold a person. "" is not.
	DataDir string
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log receives what was deleted, in numbers. Nil discards.
	Log *slog.Logger
	// Box opens and seals the encrypted columns of the control database. Nil is for one that
	// has none.
	Box *secret.Box
	// Accounts are those of the users of this installation. Nil means that there are none.
	Accounts Accounts
	// Reports are the files of reports and what they were made from. Nil means that there are
	// none.
	Reports Reports
	// Pinned returns the snapshots that must not expire. Nil means that all may.
	Pinned func(ctx context.Context, scope tenant.Scope) (map[warehouse.Snapshot]bool, error)
}

// Accounts are what persons sign in with.
type Accounts interface {
	Users(ctx context.Context, scope tenant.Scope) ([]access.User, error)
	CopyOf(ctx context.Context, scope tenant.Scope, emails []string) ([]access.Copy, error)
	MayErase(ctx context.Context, scope tenant.Scope, emails []string) error
	Erase(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, emails []string) (int64, error)
}

// Reports are the files of reports. What takes something away may be called again.
type Reports interface {
	// ForgetPerson takes a person, known by e-mail addresses, out of the files, of what they were
	// made from and of whom they are sent to.
	ForgetPerson(ctx context.Context, scope tenant.Scope, emails []string) error
	// Older says when those were asked for that RemoveOlder would remove, the oldest first.
	Older(ctx context.Context, scope tenant.Scope, before time.Time) ([]time.Time, error)
	// RemoveOlder removes the files of reports that were asked for before an instant, and what
	// they were made from, each with the reason on the record, and returns how many. That they
	// were made stays.
	RemoveOlder(ctx context.Context, scope tenant.Scope, before time.Time, reason string) (int64, error)
}

// noReports stands for an installation that makes none.
type noReports struct{}

func (noReports) ForgetPerson(context.Context, tenant.Scope, []string) error { return nil }
func (noReports) Older(context.Context, tenant.Scope, time.Time) ([]time.Time, error) {
	return nil, nil
}
func (noReports) RemoveOlder(context.Context, tenant.Scope, time.Time, string) (int64, error) {
	return 0, nil
}

// noAccounts stands for an installation that nobody signs in to.
type noAccounts struct{}

func (noAccounts) Users(context.Context, tenant.Scope) ([]access.User, error) { return nil, nil }
func (noAccounts) CopyOf(context.Context, tenant.Scope, []string) ([]access.Copy, error) {
	return []access.Copy{}, nil
}
func (noAccounts) MayErase(context.Context, tenant.Scope, []string) error { return nil }
func (noAccounts) Erase(context.Context, tenant.Scope, *metadb.Tx, []string) (int64, error) {
	return 0, nil
}

// Service is governance of one installation. It is safe for concurrent use.
type Service struct {
	w       *warehouse.Warehouse
	db      *metadb.DB
	data    *dataset.Service
	log     *audit.Log
	reviews *review.Queue
	jobs    dataset.Enqueuer
	opt     Options
}

// New returns a service; nil jobs means that whoever decides also carries out.
func New(w *warehouse.Warehouse, db *metadb.DB, data *dataset.Service, log *audit.Log, jobs dataset.Enqueuer, opt Options) *Service {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if opt.Accounts == nil {
		opt.Accounts = noAccounts{}
	}
	if opt.Reports == nil {
		opt.Reports = noReports{}
	}
	return &Service{w: w, db: db, data: data, log: log, reviews: review.New(db, log, opt.Now), jobs: jobs, opt: opt}
}

// whole refuses those who see a part of the clients or figures: what is held, kept and erased
// here is about all of them.
func whole(scope tenant.Scope) error {
	if err := scope.Check(); err != nil {
		return err
	}
	return scope.Whole("legal holds, retention and requests of persons")
}

// append records an event in the caller's transaction.
func (s *Service) append(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, action, kind, id string, snapshot int64, detail any) error {
	_, err := s.log.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: kind, ID: id}, Snapshot: snapshot, Detail: detail})
	return err
}
