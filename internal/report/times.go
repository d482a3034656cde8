package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/cron"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// RunDue puts every schedule that is due before a worker. One that was missed while nothing
// ran is run once.
func (s *Service) RunDue(ctx context.Context) error {
	type due struct{ tenant, id, at string }
	now := s.opt.Now()
	var list []due
	err := s.DB.Read(ctx, func(tx *metadb.Tx) error {
		list = list[:0]
		rows, err := tx.Query(ctx, queries.Get("due_schedules"), metadb.Now(now))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d due
			if err := rows.Scan(&d.tenant, &d.id, &d.at); err != nil {
				return err
			}
			list = append(list, d)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("schedules: %w", err)
	}
	var failed error
	for _, d := range list {
		scope := tenant.Scope{Tenant: tenant.Slug(d.tenant), Actor: "job:reports"}
		if err := s.claim(ctx, scope, d.id, d.at, now); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// claim takes a due run: the next time is set, and a job does the run, in one transaction.
func (s *Service) claim(ctx context.Context, scope tenant.Scope, id, at string, now time.Time) error {
	x, err := s.Schedule(ctx, scope, id)
	if err != nil {
		return err
	}
	next, err := cron.Next(x.Cron, x.Zone, now)
	if err != nil {
		return err
	}
	return s.DB.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("claim_schedule"), string(scope.Tenant), id, at, metadb.Now(next))
		if err != nil || n == 0 {
			return err
		}
		return s.opt.Enqueue(ctx, scope, tx, JobSchedule, map[string]string{"id": id, "due": at})
	})
}

// RunNow runs a schedule at once, beside its times.
func (s *Service) RunNow(ctx context.Context, scope tenant.Scope, id string) error {
	if _, err := s.Schedule(ctx, scope, id); err != nil {
		return err
	}
	return s.DB.Transact(ctx, func(tx *metadb.Tx) error {
		return s.opt.Enqueue(ctx, scope, tx, JobSchedule, map[string]string{"id": id, "due": metadb.Now(s.opt.Now())})
	})
}
