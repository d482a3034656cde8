package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/adhocore/gronx"

	"github.com/moatmetrics/moatmetrics/internal/fault"
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
	next, err := nextRun(x.ScheduleSpec, now)
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

// nextRun is the first instant after another at which a schedule is due: when the clock of its
// zone first shows one of its times. A time that the clock skips is due right after the gap, one
// that it shows twice the first time only.
func nextRun(spec ScheduleSpec, after time.Time) (time.Time, error) {
	zone, err := time.LoadLocation(spec.Zone)
	if err != nil {
		return time.Time{}, fault.Wrapf(fault.Invalid, err, "%q is no time zone: write one such as America/New_York", spec.Zone)
	}
	// The library counts on a clock that never changes.
	next, err := gronx.NextTickAfter(spec.Cron, lastShown(after, zone), false)
	if err != nil {
		return next, fault.Wrapf(fault.Invalid, err, "%q has no next time", spec.Cron)
	}
	return firstShown(next, zone), nil
}

// lastShown is the latest time that the clock of a zone has shown up to an instant, as if it
// were UTC: after it was put back that is what it showed before.
func lastShown(at time.Time, zone *time.Location) time.Time {
	shown := wall(at.In(zone))
	if begin, _ := at.In(zone).ZoneBounds(); !begin.IsZero() {
		if before := wall(begin.Add(-time.Second)); before.After(shown) {
			return before
		}
	}
	return shown
}

// firstShown is the instant at which the clock of a zone first shows a time, which is given as
// if it were UTC, or a later one.
func firstShown(shown time.Time, zone *time.Location) time.Time {
	from := shown.Add(-24 * time.Hour).In(zone) // no clock shows it yet
	for {
		_, offset := from.Zone()
		at := shown.Add(-time.Duration(offset) * time.Second)
		_, end := from.ZoneBounds()
		switch {
		case at.Before(from): // skipped when the clock was put ahead
			return from.UTC()
		case end.IsZero() || at.Before(end):
			return at
		}
		from = end
	}
}

// wall is what the clock of a time's zone shows, as if it were UTC.
func wall(at time.Time) time.Time {
	_, offset := at.Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}
