package metric

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Settings are what a tenant says about its measures: bands of thresholds that differ from
// the built-in ones, and which tickets are which class of work. They are kept in the control
// database; every change is audited with what was before. It is safe for concurrent use.
type Settings struct {
	db  *metadb.DB
	log *audit.Log
	now func() time.Time

	frozen *Frozen // what is answered instead of what is kept; see Catalog.As
}

// NewSettings returns the settings kept in db. Nil for now means time.Now.
func NewSettings(db *metadb.DB, log *audit.Log, now func() time.Time) *Settings {
	if now == nil {
		now = time.Now
	}
	return &Settings{db: db, log: log, now: now}
}

// The kinds of settings.
const (
	kindThreshold = "threshold"
	kindWorkClass = "work_class"
)

// setting is a stored setting.
type setting struct {
	content           string
	changedAt, author string
}

// list returns what a tenant set of a kind, by name.
func (s *Settings) list(ctx context.Context, scope tenant.Scope, kind string) (map[string]setting, error) {
	out := map[string]setting{}
	if s == nil {
		return out, nil
	}
	if s.frozen != nil {
		for name, content := range s.frozen.Settings[kind] {
			out[name] = setting{content: content}
		}
		return out, nil
	}
	if err := scope.Check(); err != nil {
		return nil, err
	}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		clear(out)
		rows, err := tx.Query(ctx, queries.Get("list_settings"), string(scope.Tenant), kind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var v setting
			if err := rows.Scan(&name, &v.content, &v.changedAt, &v.author); err != nil {
				return err
			}
			out[name] = v
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("settings of measures: %w", err)
	}
	return out, nil
}

// put sets a setting, or deletes it when to is nil, and tells the audit what was and is.
func (s *Settings) put(ctx context.Context, scope tenant.Scope, kind, name string, to any) error {
	if err := scope.Check(); err != nil {
		return err
	}
	text, err := json.Marshal(to)
	if err != nil {
		return err
	}
	now := s.now()
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		was := "null"
		if err := tx.One(ctx, queries.Get("get_setting"), []any{string(scope.Tenant), kind, name}, &was); err != nil && !errors.Is(err, metadb.ErrNoRow) {
			return err
		}
		if was == string(text) {
			return nil
		}
		verb := "set"
		if to == nil {
			verb = "reset"
			_, err = tx.Exec(ctx, queries.Get("delete_setting"), t, kind, name)
		} else {
			_, err = tx.Exec(ctx, queries.Get("put_setting"), t, kind, name, string(text), metadb.Now(now), metadb.Text(string(scope.Actor)))
		}
		if err != nil {
			return err
		}
		_, err = s.log.Append(ctx, scope, tx, audit.Event{
			Action: kind + "." + verb, Subject: audit.Subject{Kind: kind, ID: name}, Detail: map[string]json.RawMessage{"before": json.RawMessage(was), "after": text},
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("settings of measures: %w", err)
	}
	return nil
}

// WorkClasses returns a tenant's mapping of tickets to classes of work; without one it has no
// rules and is not confirmed.
func (s *Settings) WorkClasses(ctx context.Context, scope tenant.Scope) (WorkClasses, error) {
	out := WorkClasses{Rules: []WorkClassRule{}}
	stored, err := s.list(ctx, scope, kindWorkClass)
	if err != nil {
		return out, err
	}
	if v, ok := stored[kindWorkClass]; ok {
		if err := json.Unmarshal([]byte(v.content), &out); err != nil {
			return out, fmt.Errorf("mapping of tickets: %w", err)
		}
	}
	return out, nil
}

// PutWorkClasses replaces a tenant's mapping of tickets to classes of work and returns it as
// it is kept. Errors: Invalid with every wrong part.
func (s *Settings) PutWorkClasses(ctx context.Context, scope tenant.Scope, to WorkClasses) (WorkClasses, error) {
	to, err := to.checked()
	if err != nil {
		return to, err
	}
	return to, s.put(ctx, scope, kindWorkClass, kindWorkClass, to)
}

// zone returns a tenant's time zone.
func (s *Settings) zone(ctx context.Context, scope tenant.Scope) (string, error) {
	zone := "UTC"
	if s == nil {
		return zone, nil
	}
	if s.frozen != nil {
		return s.frozen.Zone, nil
	}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("time_zone"), []any{string(scope.Tenant)}, &zone)
	})
	if err != nil && !errors.Is(err, metadb.ErrNoRow) {
		return zone, fmt.Errorf("tenant: %w", err)
	}
	if _, err := time.LoadLocation(zone); err != nil {
		zone = "UTC"
	}
	return zone, nil
}

// Zone returns the tenant's time zone, UTC unless it is set.
func (c *Catalog) Zone(ctx context.Context, scope tenant.Scope) (*time.Location, error) {
	name, err := c.settings.zone(ctx, scope)
	if err != nil {
		return time.UTC, err
	}
	return time.LoadLocation(name)
}
