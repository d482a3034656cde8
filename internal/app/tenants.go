package app

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// One process serves all tenants of its database: what the program does by itself, it does
// for each of them.

// tenants are all of the database, and the one of the configuration also before it is there.
func (a *App) tenants(ctx context.Context) ([]tenant.Slug, error) {
	out := []tenant.Slug{a.Scope.Tenant}
	err := a.DB.Read(ctx, func(tx *metadb.Tx) error {
		all, err := metadb.Tenants(ctx, tx)
		out = out[:1]
		for _, slug := range all {
			if t := tenant.Slug(slug); !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
		return err
	})
	return out, err
}

// eachTenant does something for every tenant as a job. What fails for one is logged, and is
// done for the others all the same.
func (a *App) eachTenant(ctx context.Context, as tenant.Actor, do func(tenant.Scope) error) {
	all, err := a.tenants(ctx)
	if err != nil && ctx.Err() == nil {
		a.Log.WarnContext(ctx, "the tenants cannot be listed", slog.Any("error", err))
	}
	for _, t := range all {
		if err := do(tenant.Scope{Tenant: t, Actor: as}); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "a task of the program failed", slog.String("tenant", string(t)), slog.String("task", string(as)), slog.Any("error", err))
		}
	}
}

// lookForTenants is how often new tenants are looked for.
const lookForTenants = time.Minute

// watchSources imports from the sources of every tenant until ctx ends.
func (a *App) watchSources(ctx context.Context) error {
	tick := time.NewTicker(lookForTenants)
	defer tick.Stop()
	watched := map[tenant.Slug]bool{}
	ended := make(chan error, 1)
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // one that ended ends the others
	for {
		all, err := a.tenants(ctx)
		if err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "the tenants cannot be listed", slog.Any("error", err))
		}
		for _, t := range all {
			if watched[t] {
				continue
			}
			watched[t] = true
			running.Go(func() {
				if err := a.Inbox.Watch(ctx, tenant.Scope{Tenant: t, Actor: "job:inbox"}); err != nil {
					select {
					case ended <- err:
					default:
					}
				}
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case <-tick.C:
		}
	}
}

// lookForReports is how often schedules of reports that are due are looked for.
const lookForReports = 10 * time.Second

// runSchedules has reports made when their schedules are due, until ctx ends.
func (a *App) runSchedules(ctx context.Context) {
	tick := time.NewTicker(lookForReports)
	defer tick.Stop()
	for {
		if err := a.Reports.RunDue(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "schedules of reports cannot be run", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
