package report

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Remove removes a report's file by hand; its record stays. Conflict: it is being made, or
// must be kept.
func (s *Service) Remove(ctx context.Context, scope tenant.Scope, id, reason string) error {
	r, err := s.get(ctx, scope, id)
	if err != nil {
		return err
	}
	if r.RemovedAt == nil && s.opt.MayRemove != nil {
		if err := s.opt.MayRemove(ctx, scope); err != nil {
			return err
		}
	}
	return s.remove(ctx, scope, r, reason)
}

// remove removes a report's file whatever keeps it: retention and erasures know of holds.
func (s *Service) remove(ctx context.Context, scope tenant.Scope, r *Report, reason string) error {
	id := r.ID
	if r.State == Waiting || r.State == Running {
		return fault.Newf(fault.Conflict, "the report is %s: cancel it first", r.State)
	}
	if r.RemovedAt != nil {
		return nil
	}
	others := int64(1)
	if err := s.DB.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("remove"), string(scope.Tenant), id, metadb.Now(s.opt.Now()))
		if err != nil || n == 0 { // somebody else removed it meanwhile
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("forget_input"), string(scope.Tenant), r.InputHash); err != nil {
			return err
		}
		if err := tx.One(ctx, queries.Get("with_file"), []any{string(scope.Tenant), r.SHA256, id}, &others); err != nil {
			return err
		}
		_, err = s.Audit.Append(ctx, scope, tx, audit.Event{Action: "report.remove", Subject: audit.Subject{Kind: "report", ID: id}, Reason: reason, Detail: map[string]string{"sha256": r.SHA256}})
		return err
	}); err != nil {
		return err
	}
	if others == 0 && r.SHA256 != "" {
		if err := os.Remove(s.path(scope, r.SHA256)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fault.Wrapf(fault.Unavailable, err, "the file of the report cannot be removed")
		}
	}
	return nil
}

// Older says when the reports were asked for that RemoveOlder would remove, the oldest first.
func (s *Service) Older(ctx context.Context, scope tenant.Scope, before time.Time) (out []time.Time, err error) {
	_, out, err = s.older(ctx, scope, before)
	return out, err
}

// RemoveOlder removes the files of reports that were asked for before an instant, and what they
// were made from, also of those that failed, and returns how many; see Remove. What is being
// made is left. It is for the retention of a tenant: it asks for no rights.
func (s *Service) RemoveOlder(ctx context.Context, scope tenant.Scope, before time.Time, reason string) (removed int64, err error) {
	ids, _, err := s.older(ctx, scope, before)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		r, err := s.get(ctx, scope.Own(), id)
		if err != nil {
			return removed, err
		}
		if err := s.remove(ctx, scope.Own(), r, reason); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

func (s *Service) older(ctx context.Context, scope tenant.Scope, before time.Time) (ids []string, asked []time.Time, err error) {
	if err := scope.Check(); err != nil {
		return nil, nil, err
	}
	err = s.DB.Read(ctx, func(tx *metadb.Tx) error {
		ids, asked = nil, nil
		rows, err := tx.Query(ctx, queries.Get("older"), string(scope.Tenant), metadb.Now(before))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, made string
			if err := rows.Scan(&id, &made); err != nil {
				return err
			}
			at, err := metadb.ParseTime(made)
			if err != nil {
				return err
			}
			ids, asked = append(ids, id), append(asked, at)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reports: %w", err)
	}
	return ids, asked, nil
}

// Pinned are the snapshots that kept reports can be made from again.
func (s *Service) Pinned(ctx context.Context, scope tenant.Scope) ([]int64, error) {
	out := []int64{}
	err := s.DB.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("snapshots"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n int64
			if err := rows.Scan(&n); err != nil {
				return err
			}
			out = append(out, n)
		}
		return rows.Err()
	})
	return out, err
}

// forgetPersonal removes the files, and what they were made from, of reports that may name
// single people, so that no file of before names who was erased. Those that are not done are
// canceled.
func (s *Service) forgetPersonal(ctx context.Context, scope tenant.Scope) (removed int, err error) {
	for cursor := ""; ; {
		list, next, err := s.List(ctx, scope.Own(), Filter{}, 200, cursor)
		if err != nil {
			return removed, err
		}
		for _, r := range list {
			if r.RemovedAt != nil || !r.rights.Sees(tenant.Personal) {
				continue
			}
			if r.State == Waiting || r.State == Running {
				_, err := s.Cancel(ctx, scope.Own(), r.ID)
				if err != nil && fault.KindOf(err) != fault.Conflict { // done meanwhile, or the database is busy: then it is not removed
					return removed, err
				}
			}
			if r, err = s.get(ctx, scope.Own(), r.ID); err != nil { // its state may be another
				return removed, err
			}
			if err := s.remove(ctx, scope.Own(), r, "a person was erased"); err != nil {
				return removed, err
			}
			removed++
		}
		if cursor = next; cursor == "" {
			return removed, nil
		}
	}
}
