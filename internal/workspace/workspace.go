// Package workspace is what people keep beside the data: dashboards, saved views, scenarios,
// short links, feedback, which features are used, and a tenant's settings.
//
// It owns their form, their history and their limits. It does not own what measures and
// dimensions a dashboard names (metric knows them), nor how a tile looks.
//
// An Item is a dashboard, a view, a scenario or a link. A dashboard keeps its newest revisions, so a
// change can be undone and done again; a save says which revision it was based on, so
// nobody writes over what someone else did meanwhile.
package workspace

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Kind is a kind of item.
type Kind string

// The kinds.
const (
	KindDashboard Kind = "dashboard" // content is a Dashboard
	KindView      Kind = "view"      // a named address of a page; content is a Target
	KindLink      Kind = "link"      // a short address of a page; content is a Target
	KindScenario  Kind = "scenario"  // a what-if; content is what scenario makes of it
)

// Bounds of items.
const (
	keptItems     = 500                 // of a kind, deleted ones not counted
	keptRevisions = 50                  // of a dashboard
	keptDeleted   = 30 * 24 * time.Hour // how long a deleted item can be restored
	contentBytes  = 256 << 10
)

// Item is something people keep.
type Item struct {
	ID        string // 10 of a-z and 2-7
	Kind      Kind
	Name      string          // "" for links
	Content   json.RawMessage // by Kind; empty for a dashboard in a list
	Revision  int64           // the current one; a number is never used for two contents
	Revisions []Revision      // of one dashboard, oldest first, the current one among them
	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt time.Time    // zero unless deleted
	Author    tenant.Actor // who created it

	last int64 // the highest revision ever given
}

// Revision is a kept state of an item.
type Revision struct {
	Number int64
	At     time.Time
}

// CanUndo reports whether there is a revision before the current one.
func (i Item) CanUndo() bool { return i.beside(-1) != 0 }

// CanRedo reports whether there is a revision after the current one.
func (i Item) CanRedo() bool { return i.beside(1) != 0 }

// beside returns the revision a step before (-1) or after (1) the current one, 0 for none.
func (i Item) beside(step int) int64 {
	for at, r := range i.Revisions {
		if n := at + step; r.Number == i.Revision && n >= 0 && n < len(i.Revisions) {
			return i.Revisions[n].Number
		}
	}
	return 0
}

// Store keeps the workspace in the control database.
type Store struct {
	db  *metadb.DB
	log *audit.Log
	box *secret.Box
	now func() time.Time
}

// New returns a store that records changes in log, seals what is personal with box and takes
// the time from now.
func New(db *metadb.DB, log *audit.Log, box *secret.Box, now func() time.Time) *Store {
	return &Store{db, log, box, now}
}

// List returns up to limit items of a kind from the offset on, newest change first, and
// whether there are more. With deleted it lists those that can be restored instead, the
// last deleted first. Items deleted more than 30 days ago are purged meanwhile.
func (s *Store) List(ctx context.Context, scope tenant.Scope, kind Kind, deleted bool, offset, limit int) (items []Item, more bool, err error) {
	if err := scope.Check(); err != nil {
		return nil, false, err
	}
	oldest := metadb.Now(s.now().Add(-keptDeleted))
	var expired int64
	err = s.db.Read(ctx, func(tx *metadb.Tx) error {
		items, more = nil, false
		if err := tx.One(ctx, queries.Get("count_expired"), []any{string(scope.Tenant), oldest}, &expired); err != nil {
			return err
		}
		text, args := queries.Get("list_items"), []any{string(scope.Tenant), string(kind), limit + 1, offset}
		if deleted {
			text, args = queries.Get("list_deleted"), []any{string(scope.Tenant), string(kind), oldest, limit + 1, offset}
		}
		rows, err := tx.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			i, err := scanItem(kind, rows.Scan)
			if err != nil {
				return err
			}
			items = append(items, i)
		}
		return rows.Err()
	})
	if err == nil && expired > 0 {
		err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
			_, err := tx.Exec(ctx, queries.Get("purge_items"), string(scope.Tenant), oldest)
			return err
		})
	}
	if err != nil {
		return nil, false, fmt.Errorf("%ss: %w", kind, err)
	}
	if len(items) > limit {
		items, more = items[:limit], true
	}
	return slices.DeleteFunc(items, func(i Item) bool { return !i.listed(scope) }), more, nil
}

// listed reports whether an item may be shown to whoever looks through what there is. Filters,
// levers and addresses name clients and people, so who sees the rows of some only is shown
// what is their own. A dashboard's list holds no content.
func (i Item) listed(scope tenant.Scope) bool {
	return i.Kind == KindDashboard || scope.Rights.SeesAllRows() || i.Author == scope.Actor
}

// Get returns one item; a deleted one is NotFound.
func (s *Store) Get(ctx context.Context, scope tenant.Scope, kind Kind, id string) (Item, error) {
	if err := scope.Check(); err != nil {
		return Item{}, err
	}
	var item Item
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		var err error
		item, err = scanItem(kind, func(dest ...any) error {
			return tx.One(ctx, queries.Get("get_item"), []any{string(scope.Tenant), string(kind), metadb.Text(id)}, dest...)
		})
		if err != nil {
			return err
		}
		return s.readRevisions(ctx, scope, tx, &item)
	})
	// A link's random address was told by somebody who may tell it.
	if err == nil && kind != KindLink && !item.listed(scope) {
		err = metadb.ErrNoRow
	}
	if err != nil {
		return Item{}, itemFault(kind, id, err)
	}
	return item, alive(item)
}

// Link returns the link to a path of this program such as "/explore?measures=revenue",
// always the same for the same path.
func (s *Store) Link(ctx context.Context, scope tenant.Scope, path string) (Item, error) {
	if err := scope.Check(); err != nil {
		return Item{}, err
	}
	if f := checkPath("path", path); f != nil {
		return Item{}, fault.WithFields("the link's path is not valid", *f)
	}
	content, err := encode(Target{path})
	if err != nil {
		return Item{}, fmt.Errorf("link: %w", err)
	}
	sum := sha256.Sum256([]byte(path))
	digest := hex.EncodeToString(sum[:])
	var item Item
	read := func(tx *metadb.Tx) error {
		var err error
		item, err = scanItem(KindLink, func(dest ...any) error {
			return tx.One(ctx, queries.Get("get_link"), []any{string(scope.Tenant), digest}, dest...)
		})
		return err
	}
	// Most links exist already: they need no writer.
	if err := s.db.Read(ctx, read); err == nil && item.DeletedAt.IsZero() {
		return item, nil
	} else if err != nil && !errors.Is(err, metadb.ErrNoRow) {
		return Item{}, fmt.Errorf("link: %w", err)
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		now := s.now()
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_link"), t, newID(), string(KindLink), string(content), digest, metadb.Now(now), metadb.Now(now), metadb.Text(string(scope.Actor))); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("revive_link"), t, digest); err != nil {
			return err
		}
		if err := s.bound(ctx, tx, t, KindLink); err != nil {
			return err
		}
		return read(tx)
	})
	if err != nil {
		return Item{}, fmt.Errorf("link: %w", err)
	}
	return item, nil
}

// newID returns 50 random bits as text.
func newID() string { return strings.ToLower(rand.Text()[:10]) }

// bound refuses more items of a kind than are kept. It is asked after the insert, when
// others who add one wait for the audit's head. Links are not audited: two at the same
// moment may go one over.
func (s *Store) bound(ctx context.Context, tx *metadb.Tx, tenantID int64, kind Kind) error {
	var n int64
	if err := tx.One(ctx, queries.Get("count_items"), []any{tenantID, string(kind)}, &n); err != nil {
		return err
	}
	if n > keptItems {
		return fault.Newf(fault.TooLarge, "there are %d %ss already, the most that are kept: delete one that nobody needs, then try again", keptItems, kind)
	}
	return nil
}

func scanItem(kind Kind, scan func(dest ...any) error) (Item, error) {
	i := Item{Kind: kind}
	var content, created, updated, deleted, author string
	if err := scan(&i.ID, &i.Name, &content, &i.Revision, &i.last, &created, &updated, &deleted, &author); err != nil {
		return i, err
	}
	i.Content, i.Author = json.RawMessage(content), tenant.Actor(author)
	var err error
	if i.CreatedAt, err = metadb.ParseTime(created); err != nil {
		return i, err
	}
	if i.UpdatedAt, err = metadb.ParseTime(updated); err != nil {
		return i, err
	}
	if deleted != "" {
		i.DeletedAt, err = metadb.ParseTime(deleted)
	}
	return i, err
}

func (s *Store) readRevisions(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, item *Item) error {
	item.Revisions = nil
	if item.Kind != KindDashboard {
		return nil
	}
	rows, err := tx.Query(ctx, queries.Get("list_revisions"), string(scope.Tenant), item.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r Revision
		var at string
		if err := rows.Scan(&r.Number, &at); err != nil {
			return err
		}
		if r.At, err = metadb.ParseTime(at); err != nil {
			return err
		}
		item.Revisions = append(item.Revisions, r)
	}
	return rows.Err()
}

func itemFault(kind Kind, id string, err error) error {
	if errors.Is(err, metadb.ErrNoRow) {
		return fault.Newf(fault.NotFound, "there is no %s %q", kind, id)
	}
	return fmt.Errorf("%s %s: %w", kind, id, err)
}

func alive(i Item) error {
	if i.DeletedAt.IsZero() {
		return nil
	}
	return fault.Newf(fault.NotFound, "this %s was deleted: restore it first", i.Kind)
}
