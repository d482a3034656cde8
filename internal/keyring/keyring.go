// Package keyring keeps the keys that secrets and personal columns are sealed under, and
// changes them while the program runs.
//
// It owns the keys' rows, their rotation and the list of all sealed columns; it does not own
// encryption and master keys (secret) nor what sealed values mean (each store).
package keyring

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// State says what a key is for.
type State string

// The states.
const (
	Primary State = "primary" // it seals and opens
	Open    State = "open"    // it only opens
	Retired State = "retired" // it is forgotten; its name stays
)

// Store keeps the keys in the control database. It is a secret.Store.
type Store struct {
	db  *metadb.DB
	now func() time.Time
}

// NewStore returns a store of keys.
func NewStore(db *metadb.DB, now func() time.Time) *Store { return &Store{db, now} }

// Keys returns the keys that open values, oldest first.
func (s *Store) Keys(ctx context.Context) ([]secret.Key, error) {
	var out []secret.Key
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, queries.Get("open_keys"))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var k secret.Key
			var state string
			if err := rows.Scan(&k.ID, &k.Master, &k.Wrapped, &state); err != nil {
				return err
			}
			k.Primary = State(state) == Primary
			out = append(out, k)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return out, nil
}

// firstWait bounds First: in a write transaction of SQLite it would wait for that one's end.
const firstWait = 10 * time.Second

// First keeps the first key, unless there is a primary one. It must not be called in a write
// transaction.
func (s *Store) First(ctx context.Context, k secret.Key) error {
	ctx, cancel := context.WithTimeout(ctx, firstWait)
	defer cancel()
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("first_key"), k.ID, k.Master, k.Wrapped, metadb.Now(s.now()))
		return err
	})
}

// Recorder writes what happened to a key to the audit record, in the transaction of the
// change. detail holds names of keys and counts, never a key.
type Recorder func(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, action, key string, detail any) error

// Options tunes a Service. The zero value is ready to use.
type Options struct {
	// Grace is how long after a key stopped sealing it may be retired: a value that was
	// sealed with it may still wait for its transaction. Zero means 15 s.
	Grace time.Duration
	// Batch is how many values are read at once. Zero means 100.
	Batch int
}

// Service lists and changes keys.
type Service struct {
	*Store
	box     *secret.Box
	columns []secret.Column
	record  Recorder
	opt     Options
}

// New returns a service over all sealed columns. box must be on a Store of db.
func New(db *metadb.DB, box *secret.Box, columns []secret.Column, record Recorder, now func() time.Time, opt Options) *Service {
	if opt.Grace <= 0 {
		opt.Grace = 15 * time.Second
	}
	if opt.Batch <= 0 {
		opt.Batch = 100
	}
	return &Service{NewStore(db, now), box, columns, record, opt}
}

// Key is a key for people.
type Key struct {
	ID         string     `json:"id"`
	State      State      `json:"state"`
	Master     string     `json:"master"` // what wraps it
	CreatedAt  time.Time  `json:"created_at"`
	ResealedAt *time.Time `json:"resealed_at"` // when all values were under it; nil: a rotation to it is not done
	RetiredAt  *time.Time `json:"retired_at"`
	Values     int64      `json:"values"` // how many values are sealed under it
}

// Ring is all keys and what is sealed under none of them.
type Ring struct {
	Keys []Key `json:"keys"`
	// Unnamed counts values of versions before keys had names, and personal values of
	// versions before they were sealed. The next rotation seals them.
	Unnamed int64 `json:"unnamed"`
}

// List lists the keys, oldest first.
func (s *Service) List(ctx context.Context, scope tenant.Scope) (Ring, error) {
	r := Ring{Keys: []Key{}}
	if err := scope.Check(); err != nil {
		return r, err
	}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		counts, err := s.count(ctx, tx)
		if err != nil {
			return err
		}
		r = Ring{Keys: []Key{}, Unnamed: counts[""]}
		rows, err := tx.Query(ctx, queries.Get("all_keys"))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			k, err := scanKey(rows.Scan)
			if err != nil {
				return err
			}
			k.Values = counts[k.ID]
			r.Keys = append(r.Keys, k)
		}
		return rows.Err()
	})
	if err != nil {
		return r, fmt.Errorf("keys: %w", err)
	}
	return r, nil
}

func scanKey(scan func(...any) error) (Key, error) {
	var k Key
	var state, created, resealed, retired string
	if err := scan(&k.ID, &k.Master, &state, &created, &resealed, &retired); err != nil {
		return k, err
	}
	k.State = State(state)
	var err error
	if k.CreatedAt, err = metadb.ParseTime(created); err != nil {
		return k, err
	}
	if k.ResealedAt, err = optionalTime(resealed); err != nil {
		return k, err
	}
	k.RetiredAt, err = optionalTime(retired)
	return k, err
}

func optionalTime(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	t, err := metadb.ParseTime(text)
	return &t, err
}
