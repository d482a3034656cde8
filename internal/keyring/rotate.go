package keyring

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Rotation is what a rotation did.
type Rotation struct {
	Key       string     `json:"key"`       // the primary key now
	Resumed   bool       `json:"resumed"`   // it went on with one that had not ended
	Rewrapped int        `json:"rewrapped"` // keys that another master key wraps now
	Columns   []Progress `json:"columns"`
	Retired   []string   `json:"retired"`
}

// AllOld names all keys but the primary one for retirement.
const AllOld = "old"

// Rotate makes a new primary key, wraps all keys by the first master key, seals every value
// under the new one, and then retires the keys that retire names. Everyone goes on working
// meanwhile. One that was cut off is gone on with by the next call. report is told of
// progress; nil tells nobody.
func (s *Service) Rotate(ctx context.Context, scope tenant.Scope, retire []string, report func(string)) (Rotation, error) {
	var r Rotation
	if err := scope.Check(); err != nil {
		return r, err
	}
	if report == nil {
		report = func(string) {}
	}
	if err := s.checkRetire(ctx, retire); err != nil {
		return r, err
	}
	var err error
	if r.Key, r.Resumed, err = s.begin(ctx, scope); err != nil {
		return r, fmt.Errorf("rotate: %w", err)
	}
	if r.Resumed {
		report(fmt.Sprintf("going on with the rotation to %s", r.Key))
	} else {
		report(fmt.Sprintf("%s is the primary key now", r.Key))
	}
	if r.Rewrapped, err = s.rewrap(ctx, scope); err != nil {
		return r, fmt.Errorf("rotate: %w", err)
	}
	if r.Columns, err = s.resealAll(ctx, r.Key, report); err != nil {
		return r, fmt.Errorf("rotate: %w", err)
	}
	if err := s.end(ctx, scope, r); err != nil {
		return r, fmt.Errorf("rotate: %w", err)
	}
	if r.Retired, err = s.retire(ctx, scope, r.Key, retire, report); err != nil {
		return r, fmt.Errorf("retire: %w", err)
	}
	// What lay in the clear, and wrapped keys that are retired, leave the files too.
	return r, s.db.Settle(ctx)
}

// checkRetire refuses names of no key before anything changes.
func (s *Service) checkRetire(ctx context.Context, retire []string) error {
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	for _, id := range retire {
		if id != AllOld && !slices.ContainsFunc(keys, func(k secret.Key) bool { return k.ID == id }) {
			return fault.Newf(fault.NotFound, "there is no key %q that opens values: moatmetrics keys list shows them", id)
		}
	}
	return nil
}

// begin makes a new primary key, or finds the one of a rotation that was cut off.
func (s *Service) begin(ctx context.Context, scope tenant.Scope) (key string, resumed bool, err error) {
	next, err := s.box.NewKey(ctx)
	if err != nil {
		return "", false, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		key, resumed = next.ID, false
		was, done, err := primary(ctx, tx)
		if err != nil {
			return err
		}
		if was != "" && !done {
			key, resumed = was, true
			return nil
		}
		if was != "" {
			n, err := tx.Exec(ctx, queries.Get("step_down"), was)
			if err != nil {
				return err
			}
			if n == 0 {
				return fault.Newf(fault.Conflict, "another rotation has just begun: wait for it")
			}
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_key"), next.ID, next.Master, next.Wrapped, metadb.Now(s.now())); err != nil {
			return err
		}
		return s.record(ctx, scope, tx, "encryption_key.create", next.ID, map[string]string{"master": next.Master, "before": was})
	})
	return key, resumed, err
}

// primary returns the primary key and whether the rotation to it is done; "" is none.
func primary(ctx context.Context, tx *metadb.Tx) (id string, done bool, err error) {
	rows, err := tx.Query(ctx, queries.Get("all_keys"))
	if err != nil {
		return "", false, err
	}
	defer rows.Close()
	for rows.Next() {
		k, err := scanKey(rows.Scan)
		if err != nil {
			return "", false, err
		}
		if k.State == Primary {
			id, done = k.ID, k.ResealedAt != nil
		}
	}
	return id, done, rows.Err()
}

// rewrap has the first master key wrap all keys, so that the others are needed no more.
func (s *Service) rewrap(ctx context.Context, scope tenant.Scope) (int, error) {
	first, err := s.box.FirstMaster()
	if err != nil {
		return 0, err
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return 0, err
	}
	done := 0
	for _, k := range keys {
		if k.Master == first {
			continue
		}
		now, err := s.box.Rewrap(ctx, k)
		if err != nil {
			return done, err
		}
		if err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
			n, err := tx.Exec(ctx, queries.Get("rewrap_key"), k.ID, now.Master, now.Wrapped, k.Wrapped)
			if err != nil || n == 0 {
				return err
			}
			return s.record(ctx, scope, tx, "encryption_key.rewrap", k.ID, map[string]string{"master": now.Master, "before": k.Master})
		}); err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}

func (s *Service) resealAll(ctx context.Context, key string, report func(string)) ([]Progress, error) {
	out := []Progress{}
	for _, c := range s.columns {
		p, err := s.reseal(ctx, c, key, func(p Progress) {
			report(fmt.Sprintf("%s: %d values sealed anew", p.Column, p.Done))
		})
		if err != nil {
			return out, err
		}
		out = append(out, p)
	}
	return out, nil
}

// end says that the rotation is done, unless some values could not be opened.
func (s *Service) end(ctx context.Context, scope tenant.Scope, r Rotation) error {
	sealed, closed := map[string]int64{}, int64(0)
	for _, p := range r.Columns {
		sealed[p.Column] = p.Done
		closed += p.Closed
	}
	if closed > 0 {
		return fault.Newf(fault.Forbidden, "%d values open with no key that is here, all others are sealed under %s: bring back the master key that they were kept with, or enter those secrets again, then run keys rotate once more", closed, r.Key)
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("set_resealed"), r.Key, metadb.Now(s.now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Newf(fault.Conflict, "another rotation has begun: its key takes over what is left of this one")
		}
		return s.record(ctx, scope, tx, "encryption_key.reseal", r.Key, map[string]any{"values": sealed})
	})
}

// retire forgets keys that nothing is sealed under.
func (s *Service) retire(ctx context.Context, scope tenant.Scope, key string, names []string, report func(string)) ([]string, error) {
	out := []string{}
	if len(names) == 0 {
		return out, nil
	}
	if err := s.waitGrace(ctx, scope, key, report); err != nil {
		return out, err
	}
	// What was sealed under an old key while its transaction waited.
	if _, err := s.resealAll(ctx, key, report); err != nil {
		return out, err
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return out, err
	}
	for _, k := range keys {
		if k.Primary || !slices.Contains(names, k.ID) && !slices.Contains(names, AllOld) {
			continue
		}
		if err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
			counts, err := s.count(ctx, tx)
			if err != nil {
				return err
			}
			if n := counts[k.ID]; n > 0 {
				return fault.Newf(fault.Conflict, "%d values are still sealed under %s: run keys rotate again", n, k.ID)
			}
			n, err := tx.Exec(ctx, queries.Get("retire_key"), k.ID, metadb.Now(s.now()))
			if err != nil || n == 0 {
				return err
			}
			return s.record(ctx, scope, tx, "encryption_key.retire", k.ID, nil)
		}); err != nil {
			return out, err
		}
		out = append(out, k.ID)
		report(k.ID + " is retired")
	}
	return out, nil
}

// waitGrace waits until no transaction can still hold a value of an old key.
func (s *Service) waitGrace(ctx context.Context, scope tenant.Scope, key string, report func(string)) error {
	ring, err := s.List(ctx, scope)
	if err != nil {
		return err
	}
	for _, k := range ring.Keys {
		wait := k.CreatedAt.Add(s.opt.Grace).Sub(s.now())
		if k.ID != key || wait <= 0 {
			continue
		}
		report(fmt.Sprintf("waiting %d s for what is being written", int(wait.Seconds())+1))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	return nil
}
