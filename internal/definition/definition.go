// Package definition is what a tenant defines for itself: KPIs, segments, rules, the fiscal
// calendar. Each is a named text that is never changed: a change is a new version, and old
// versions stay readable.
//
// It owns versions, who wrote them, the order of changes and their audit. It does not own
// what a definition says: metric and insight check that, in the change's own transaction,
// against all that the tenant defines.
package definition

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Kind is a kind of definition.
type Kind string

// The kinds.
const (
	KPI      Kind = "kpi"
	Segment  Kind = "segment"
	Rule     Kind = "rule"
	Calendar Kind = "calendar" // one a tenant
	Report   Kind = "report"   // a template
	Brand    Kind = "brand"    // how reports look
)

// Bounds of definitions.
const (
	maxKept  = 500 // of a kind, removed ones not counted
	maxBytes = 32 << 10
)

// Definition is a version of something that a tenant defined.
type Definition struct {
	Kind    Kind
	Name    string
	Version int             // from 1; removing is a version, too
	Body    json.RawMessage // what its kind says; that of the version before when removed
	Removed bool
	At      time.Time
	Author  tenant.Actor
}

// Book is all that a tenant defines at a moment, by kind and name.
type Book struct {
	// Revision rises with every change of the tenant's definitions; it keys caches.
	Revision int64
	Current  []Definition
}

// Of returns the current definitions of a kind, by name.
func (b *Book) Of(kind Kind) []Definition {
	return slices.DeleteFunc(slices.Clone(b.Current), func(d Definition) bool { return d.Kind != kind })
}

// Get returns the current definition of a name; ok is false when there is none.
func (b *Book) Get(kind Kind, name string) (d Definition, ok bool) {
	i := slices.IndexFunc(b.Current, func(d Definition) bool { return d.Kind == kind && d.Name == name })
	if i < 0 {
		return d, false
	}
	return b.Current[i], true
}

// with returns the book as it is after a change.
func (b *Book) with(d Definition) *Book {
	out := &Book{b.Revision, slices.DeleteFunc(slices.Clone(b.Current), func(o Definition) bool { return o.Kind == d.Kind && o.Name == d.Name })}
	if !d.Removed {
		out.Current = append(out.Current, d)
	}
	return out
}

// Store keeps definitions in the control database.
type Store struct {
	db  *metadb.DB
	log *audit.Log
	now func() time.Time
}

// New returns a store that records changes in log and takes the time from now.
func New(db *metadb.DB, log *audit.Log, now func() time.Time) *Store { return &Store{db, log, now} }

// Revision returns the number of changes of a tenant's definitions.
func (s *Store) Revision(ctx context.Context, scope tenant.Scope) (int64, error) {
	if err := scope.Check(); err != nil {
		return 0, err
	}
	var n int64
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("get_revision"), []any{string(scope.Tenant)}, &n)
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("definitions: %w", err)
	}
	return n, nil
}

// Book returns all that a tenant defines now.
func (s *Store) Book(ctx context.Context, scope tenant.Scope) (*Book, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out *Book
	err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		out, err = read(ctx, tx, scope)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	return out, nil
}

func read(ctx context.Context, tx *metadb.Tx, scope tenant.Scope) (*Book, error) {
	out := &Book{}
	if err := tx.One(ctx, queries.Get("get_revision"), []any{string(scope.Tenant)}, &out.Revision); err != nil {
		if errors.Is(err, metadb.ErrNoRow) {
			return out, nil
		}
		return nil, err
	}
	var err error
	out.Current, err = list(ctx, tx, queries.Get("list_current"), string(scope.Tenant))
	return out, err
}

func list(ctx context.Context, tx *metadb.Tx, text string, args ...any) ([]Definition, error) {
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Definition{}
	for rows.Next() {
		var d Definition
		var kind, body, at, author string
		var version, removed int64
		if err := rows.Scan(&kind, &d.Name, &version, &body, &removed, &at, &author); err != nil {
			return nil, err
		}
		d.Kind, d.Version, d.Body, d.Removed, d.Author = Kind(kind), int(version), json.RawMessage(body), removed != 0, tenant.Actor(author)
		if d.At, err = metadb.ParseTime(at); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// Versions returns every version of a name, newest first; NotFound when there never was one.
func (s *Store) Versions(ctx context.Context, scope tenant.Scope, kind Kind, name string) ([]Definition, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out []Definition
	err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		out, err = list(ctx, tx, queries.Get("list_versions"), string(scope.Tenant), string(kind), metadb.Text(name))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, name, err)
	}
	if len(out) == 0 {
		return nil, fault.Newf(fault.NotFound, "there is no %s %q", kind, name)
	}
	return out, nil
}

// Change is a change of one definition.
type Change struct {
	Kind Kind
	Name string
	Body json.RawMessage
	// New says that the name must not be defined yet, otherwise it must be.
	New bool
	// Remove ends the definition. Body is ignored.
	Remove bool
}

// subject is what the audit calls a definition: never a name that people choose freely,
// which may be a person's. What a version says stands in the versions.
func subject(c Change) string {
	if c.Kind == KPI || c.Kind == Calendar {
		return c.Name
	}
	sum := sha256.Sum256([]byte(c.Name))
	return hex.EncodeToString(sum[:6])
}

// Put makes a change, when check finds the book as it would be in order; book is before it
// when something is removed. Others who change the tenant's definitions wait. A body that
// is the current one makes no version.
//
// Errors: Conflict when a new name is taken, NotFound when another one is not there,
// TooLarge when there are too many, and what check returns.
func (s *Store) Put(ctx context.Context, scope tenant.Scope, c Change, check func(after *Book) error) (Definition, error) {
	if err := scope.Check(); err != nil {
		return Definition{}, err
	}
	if len(c.Body) > maxBytes {
		return Definition{}, fault.Newf(fault.TooLarge, "this %s is larger than %d kB", c.Kind, maxBytes>>10)
	}
	now := s.now()
	var out Definition
	err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("begin_head"), t); err != nil {
			return err
		}
		var revision int64
		if err := tx.One(ctx, queries.Get("take_head"), []any{t}, &revision); err != nil {
			return err
		}
		book, err := read(ctx, tx, scope)
		if err != nil {
			return err
		}
		was, known := book.Get(c.Kind, c.Name)
		switch {
		case c.New && known:
			return fault.Newf(fault.Conflict, "there is a %s %q already: change it, or take another name", c.Kind, c.Name)
		case !c.New && !known:
			return fault.Newf(fault.NotFound, "there is no %s %q", c.Kind, c.Name)
		case c.New && len(book.Of(c.Kind)) >= maxKept:
			return fault.Newf(fault.TooLarge, "there are %d %ss already, the most that are kept: remove one that nobody needs", maxKept, c.Kind)
		}
		var last int64
		if err := tx.One(ctx, queries.Get("last_version"), []any{t, string(c.Kind), c.Name}, &last); err != nil {
			return err
		}
		out = Definition{Kind: c.Kind, Name: c.Name, Version: int(last) + 1, Body: c.Body, Removed: c.Remove, Author: scope.Actor}
		verb := "change"
		switch {
		case c.Remove:
			out.Body, verb = was.Body, "remove"
		case c.New:
			verb = "create"
		}
		if err := check(book.with(out)); err != nil {
			return err
		}
		if known && !c.Remove && string(was.Body) == string(c.Body) {
			out = was
			return nil
		}
		at := metadb.Now(now)
		if out.At, err = metadb.ParseTime(at); err != nil {
			return err
		}
		removed := int64(0)
		if c.Remove {
			removed = 1
		}
		if _, err := tx.Exec(ctx, queries.Get("retire"), t, string(c.Kind), c.Name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert"), t, string(c.Kind), c.Name, int64(out.Version), string(out.Body), 1-removed, removed, at, metadb.Text(string(scope.Actor))); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("set_head"), t, revision+1); err != nil {
			return err
		}
		_, err = s.log.Append(ctx, scope, tx, audit.Event{Action: string(c.Kind) + "." + verb, Subject: audit.Subject{Kind: string(c.Kind), ID: subject(c)}, Detail: map[string]int{"version": out.Version}})
		return err
	})
	if err != nil {
		return Definition{}, fmt.Errorf("%s %s: %w", c.Kind, c.Name, err)
	}
	return out, nil
}
