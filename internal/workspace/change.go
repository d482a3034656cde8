package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

const nameRunes = 120

// Edit is a changed name and content of a dashboard, a view or a scenario.
type Edit struct {
	Name     string
	Content  json.RawMessage
	Based    int64 // the revision that was changed
	Autosave bool  // saved by the editor by itself: its content is not recorded in the audit
}

// Create adds a dashboard, a view or a scenario. Every wrong part is listed at once.
func (s *Store) Create(ctx context.Context, scope tenant.Scope, kind Kind, name string, content json.RawMessage) (Item, error) {
	if err := scope.Check(); err != nil {
		return Item{}, err
	}
	name, content, err := checked(kind, name, content)
	if err != nil {
		return Item{}, err
	}
	now := s.now()
	at := metadb.Now(now)
	item := Item{ID: newID()}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_item"), t, item.ID, string(kind), name, string(content), at, at, metadb.Text(string(scope.Actor))); err != nil {
			return err
		}
		if kind == KindDashboard {
			if _, err := tx.Exec(ctx, queries.Get("insert_revision"), t, item.ID, int64(1), name, string(content), at); err != nil {
				return err
			}
		}
		if item, err = s.take(ctx, scope, tx, t, kind, item.ID); err != nil {
			return err
		}
		if err := s.record(ctx, scope, tx, item, "create"); err != nil {
			return err
		}
		return s.bound(ctx, tx, t, kind)
	})
	if err != nil {
		return Item{}, fmt.Errorf("new %s: %w", kind, err)
	}
	return item, nil
}

// Save writes an edit as a new revision; what could have been redone is gone. An edit that
// changes nothing makes none. It is a Conflict when the edit is based on another revision
// than the current one.
func (s *Store) Save(ctx context.Context, scope tenant.Scope, kind Kind, id string, e Edit) (Item, error) {
	name, content, err := checked(kind, e.Name, e.Content)
	if err != nil {
		return Item{}, err
	}
	return s.change(ctx, scope, kind, id, func(tx *metadb.Tx, t int64, item *Item) error {
		if err := alive(*item); err != nil {
			return err
		}
		if item.Revision != e.Based {
			return fault.Newf(fault.Conflict, "someone changed this %s meanwhile (revision %d is current, yours was based on %d): load it again and repeat your change, or save yours as a new %s", kind, item.Revision, e.Based, kind)
		}
		renamed, edited := item.Name != name, string(item.Content) != string(content)
		if renamed || edited {
			if _, err := tx.Exec(ctx, queries.Get("cut_revisions"), t, id, item.Revision); err != nil {
				return err
			}
			item.last++
			item.Name, item.Content, item.Revision = name, content, item.last
			if err := s.put(ctx, tx, t, item); err != nil {
				return err
			}
			if kind == KindDashboard {
				if _, err := tx.Exec(ctx, queries.Get("insert_revision"), t, id, item.Revision, name, string(content), metadb.Now(item.UpdatedAt)); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, queries.Get("prune_revisions"), t, id, keptRevisions); err != nil {
					return err
				}
			}
		}
		if renamed {
			if err := s.record(ctx, scope, tx, *item, "rename"); err != nil {
				return err
			}
		}
		if e.Autosave {
			return nil
		}
		return s.record(ctx, scope, tx, *item, "save")
	})
}

// Undo goes back to the revision before the current one, a Conflict when there is none.
func (s *Store) Undo(ctx context.Context, scope tenant.Scope, id string) (Item, error) {
	return s.step(ctx, scope, id, -1, "there is nothing to undo")
}

// Redo goes on to the revision after the current one, a Conflict when there is none.
func (s *Store) Redo(ctx context.Context, scope tenant.Scope, id string) (Item, error) {
	return s.step(ctx, scope, id, 1, "there is nothing to redo")
}

func (s *Store) step(ctx context.Context, scope tenant.Scope, id string, by int, nothing string) (Item, error) {
	return s.change(ctx, scope, KindDashboard, id, func(tx *metadb.Tx, t int64, item *Item) error {
		if err := alive(*item); err != nil {
			return err
		}
		to, was := item.beside(by), item.Name
		if to == 0 {
			return fault.Newf(fault.Conflict, "%s", nothing)
		}
		var content string
		if err := tx.One(ctx, queries.Get("get_revision"), []any{t, id, to}, &item.Name, &content); err != nil {
			return err
		}
		item.Content, item.Revision = json.RawMessage(content), to
		if err := s.put(ctx, tx, t, item); err != nil {
			return err
		}
		if item.Name == was {
			return nil
		}
		return s.record(ctx, scope, tx, *item, "rename")
	})
}

// Delete hides an item; for 30 days Restore brings it back. Deleting a deleted one is
// NotFound.
func (s *Store) Delete(ctx context.Context, scope tenant.Scope, kind Kind, id string) error {
	_, err := s.change(ctx, scope, kind, id, func(tx *metadb.Tx, t int64, item *Item) error {
		if !item.DeletedAt.IsZero() {
			return metadb.ErrNoRow
		}
		item.DeletedAt = s.now()
		if err := s.put(ctx, tx, t, item); err != nil || kind == KindLink {
			return err
		}
		return s.record(ctx, scope, tx, *item, "delete")
	})
	return err
}

// Restore brings a deleted item back; one that is there stays as it is.
func (s *Store) Restore(ctx context.Context, scope tenant.Scope, kind Kind, id string) (Item, error) {
	return s.change(ctx, scope, kind, id, func(tx *metadb.Tx, t int64, item *Item) error {
		if item.DeletedAt.IsZero() {
			return nil
		}
		if item.DeletedAt.Before(s.now().Add(-keptDeleted)) {
			return metadb.ErrNoRow // due to be purged
		}
		item.DeletedAt = time.Time{}
		if err := s.put(ctx, tx, t, item); err != nil || kind == KindLink {
			return err
		}
		if err := s.record(ctx, scope, tx, *item, "restore"); err != nil {
			return err
		}
		return s.bound(ctx, tx, t, kind)
	})
}

// change reads an item for writing, lets fn change it, and returns it as it is then.
func (s *Store) change(ctx context.Context, scope tenant.Scope, kind Kind, id string, fn func(tx *metadb.Tx, tenantID int64, item *Item) error) (Item, error) {
	if err := scope.Check(); err != nil {
		return Item{}, err
	}
	var item Item
	err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
		if err != nil {
			return err
		}
		if item, err = s.take(ctx, scope, tx, t, kind, metadb.Text(id)); err != nil {
			return err
		}
		if !item.listed(scope) {
			return metadb.ErrNoRow
		}
		if err := fn(tx, t, &item); err != nil {
			return err
		}
		return s.readRevisions(ctx, scope, tx, &item)
	})
	if err != nil {
		return Item{}, itemFault(kind, id, err)
	}
	return item, nil
}

func (s *Store) take(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, tenantID int64, kind Kind, id string) (Item, error) {
	item, err := scanItem(kind, func(dest ...any) error {
		return tx.One(ctx, queries.Get("take_item"), []any{tenantID, string(kind), id}, dest...)
	})
	if err != nil {
		return item, err
	}
	return item, s.readRevisions(ctx, scope, tx, &item)
}

// put writes a changed item.
func (s *Store) put(ctx context.Context, tx *metadb.Tx, tenantID int64, i *Item) error {
	var err error
	at := metadb.Now(s.now())
	if i.UpdatedAt, err = metadb.ParseTime(at); err != nil { // as it is kept
		return err
	}
	deleted := ""
	if !i.DeletedAt.IsZero() {
		deleted = metadb.Now(i.DeletedAt)
	}
	_, err = tx.Exec(ctx, queries.Get("set_item"), tenantID, i.ID, i.Name, string(i.Content), i.Revision, i.last, at, deleted)
	return err
}

// record tells the audit what was done; never the name, which may be a person's.
func (s *Store) record(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, i Item, verb string) error {
	_, err := s.log.Append(ctx, scope, tx, audit.Event{
		Action: string(i.Kind) + "." + verb, Subject: audit.Subject{Kind: string(i.Kind), ID: i.ID}, Detail: map[string]int64{"revision": i.Revision},
	})
	return err
}

// checked returns the name and the content as they are kept, or every wrong part of them.
func checked(kind Kind, name string, content json.RawMessage) (string, json.RawMessage, error) {
	name = metadb.Text(strings.TrimSpace(name))
	var wrong []fault.Field
	if n := utf8.RuneCountInString(name); n < 1 || n > nameRunes {
		wrong = append(wrong, fault.Field{Path: "name", Message: fmt.Sprintf("must have 1 to %d characters", nameRunes)})
	}
	var err error
	var kept any
	switch kind {
	case KindDashboard:
		kept, err = DecodeDashboard(content)
	case KindView:
		kept, err = decodeTarget(content)
	case KindScenario:
		kept, err = content, nil
		if len(content) > contentBytes || !json.Valid(content) {
			err = fault.Newf(fault.Invalid, "the scenario is no JSON of at most %d KiB", contentBytes>>10)
		}
	default:
		return "", nil, fault.Newf(fault.Internal, "a %s is not written like this", kind)
	}
	if err != nil && fault.FieldsOf(err) == nil {
		return "", nil, err
	}
	if wrong = append(wrong, fault.FieldsOf(err)...); len(wrong) > 0 {
		return "", nil, fault.WithFields(fmt.Sprintf("the %s is not valid: nothing was saved", kind), wrong...)
	}
	text, err := encode(kept)
	return name, text, err
}
