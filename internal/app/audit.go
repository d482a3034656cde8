package app

import (
	"context"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Checkpoint signs where the audit chain ends.
func (a *App) Checkpoint(ctx context.Context, scope tenant.Scope) (c audit.Checkpoint, err error) {
	if err := a.Box.Ready(ctx); err != nil {
		return c, err
	}
	err = a.DB.Transact(ctx, func(tx *metadb.Tx) (err error) {
		c, err = a.Audit.Checkpoint(ctx, scope, tx, a.Box)
		return err
	})
	return c, err
}

// SigningKey returns the public key of checkpoints.
func (a *App) SigningKey(ctx context.Context, scope tenant.Scope) (k audit.Key, err error) {
	if err := a.Box.Ready(ctx); err != nil {
		return k, err
	}
	err = a.DB.Transact(ctx, func(tx *metadb.Tx) (err error) {
		k, err = a.Audit.SigningKey(ctx, scope, tx, a.Box)
		return err
	})
	return k, err
}

// retainAudit removes the contents of audit entries that the policy lets go, and returns how
// many those were.
func (a *App) retainAudit(ctx context.Context, scope tenant.Scope) (int, error) {
	for all := 0; ; {
		var n int
		if err := a.DB.Transact(ctx, func(tx *metadb.Tx) (err error) {
			n, err = a.Audit.Retain(ctx, scope, tx)
			return err
		}); err != nil || n == 0 {
			return all, err
		}
		all += n
	}
}

// dayOfAudit applies the retention and signs a checkpoint when the last one is a day old. An
// empty record needs neither.
func (a *App) dayOfAudit(ctx context.Context, scope tenant.Scope) error {
	var empty bool
	var last []audit.Checkpoint
	if err := a.DB.Read(ctx, func(tx *metadb.Tx) error {
		entries, err := a.Audit.List(ctx, scope, tx, 0, 1)
		if err != nil {
			return err
		}
		empty = len(entries) == 0
		last, err = a.Audit.Checkpoints(ctx, scope, tx, 1)
		return err
	}); err != nil || empty {
		return err
	}
	if len(last) > 0 {
		if at, err := metadb.ParseTime(last[0].At); err == nil && time.Since(at) < 24*time.Hour {
			return nil
		}
	}
	// First signed, then shortened: what goes has stood under a signature.
	if _, err := a.Checkpoint(ctx, scope); err != nil {
		return err
	}
	_, err := a.retainAudit(ctx, scope)
	return err
}

// keepAudit looks after the record until ctx ends: once a day, also when the program does not
// run for a whole one.
func (a *App) keepAudit(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		a.eachTenant(ctx, "job:audit", func(scope tenant.Scope) error {
			if err := a.dayOfAudit(ctx, scope); err != nil {
				return fmt.Errorf("the audit record has no checkpoint of today: %w", err)
			}
			return nil
		})
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
