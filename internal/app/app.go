// Package app builds the product from its parts, in floor order, and runs it: the
// commands, the server, the worker. It is the only package that knows everyone.
package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/keyring"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

// App is the product, built and ready. Close releases it.
type App struct {
	Config     Config
	Scope      tenant.Scope
	Log        *slog.Logger
	DB         *metadb.DB
	Warehouse  *warehouse.Warehouse
	Audit      *audit.Log
	Reads      *audit.Reads
	Workspace  *workspace.Store
	MasterKeys secret.Source
	Box        *secret.Box
	Keys       *keyring.Service
	Jobs       *job.Queue
	Data       *dataset.Service
	Inbox      *inbox.Service
	Metrics    *metric.Catalog
	Settings   *metric.Settings
	Insights   *insight.Service
	Scenarios  *scenario.Service
	Questions  *question.Service
	Rules      *insight.Watch
	Benchmarks *insight.Benchmarks
	Policies   *access.Policies

	databaseFile string // of SQLite, "" otherwise
}

// Open builds the product on the data directory of c, which is created when missing.
func Open(ctx context.Context, c Config, actor tenant.Actor, logTo io.Writer) (*App, error) {
	scope, err := tenant.NewScope(tenant.Slug(c.Tenant), actor)
	if err != nil {
		return nil, err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "log_level %q is not a level", c.LogLevel)
	}
	a := &App{Config: c, Scope: scope, Log: slog.New(secret.Redacted(slog.NewTextHandler(logTo, &slog.HandlerOptions{Level: level})))}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fault.Wrapf(fault.Unavailable, err, "the data directory %s cannot be created", c.Data)
	}
	dsn := c.Database
	if dsn == "" {
		dsn = filepath.Join(c.Data, "moatmetrics.db")
	}
	if a.DB, err = metadb.Open(ctx, dsn); err != nil {
		return nil, err
	}
	if a.DB.Engine() == metadb.SQLite {
		a.databaseFile = dsn
	}
	if err := a.build(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *App) build(ctx context.Context) error {
	if err := a.DB.Migrate(ctx); err != nil {
		return err
	}
	schema := warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}
	var err error
	a.Warehouse, err = warehouse.Open(ctx, a.DB, a.Config.Data, schema, warehouse.Options{MemoryMB: a.Config.MemoryMB, Threads: a.Config.Threads, Log: a.Log})
	if err != nil {
		return err
	}
	a.Audit = audit.New(time.Now)
	a.Reads = audit.NewReads(a.Audit, a.DB)
	a.buildKeys()
	a.Workspace = workspace.New(a.DB, a.Audit, a.Box, time.Now)
	reviews := review.New(a.DB, a.Audit, time.Now)
	a.Policies = access.NewPolicies(a.DB, a.Audit, time.Now, access.PolicyOptions{Queue: policyQueue{reviews}})
	if a.Jobs, err = job.New(a.DB, a.Log, job.Options{}); err != nil {
		return err
	}
	if err := a.Jobs.Migrate(ctx); err != nil {
		return err
	}
	a.Data = dataset.New(a.Warehouse, a.DB, a.Audit, a.Jobs, time.Now)
	a.Inbox = inbox.New(a.DB, a.Data, a.Audit, time.Now, inbox.Options{DataDir: a.Config.Data, Log: a.Log, Box: a.Box})
	a.Settings = metric.NewSettings(a.DB, a.Audit, time.Now)
	a.Metrics = metric.New(a.Warehouse, metric.Options{Settings: a.Settings, Definitions: definition.New(a.DB, a.Audit, time.Now)})
	a.Insights = insight.New(a.Metrics, a.Warehouse, insight.Options{})
	a.Rules = insight.NewWatch(a.Insights, a.DB, reviews, a.Inbox, time.Now)
	a.Benchmarks = insight.NewBenchmarks(a.Insights, a.Settings, a.DB, a.Audit, time.Now)
	a.Scenarios = scenario.New(a.Metrics)
	a.Questions = question.New(a.Metrics, a.Insights, a.Scenarios, a.Data, a.Warehouse, time.Now)
	a.registerJobs()
	return nil
}

// buildKeys makes what seals and opens, and what changes its keys. No key is read yet.
func (a *App) buildKeys() {
	a.MasterKeys = secret.Source{
		URI: os.Getenv("MOAT_MASTER_KEY_URI"), Text: os.Getenv("MOAT_MASTER_KEY"),
		File: cmp.Or(os.Getenv("MOAT_MASTER_KEY_FILE"), filepath.Join(a.Config.Data, "master.key")), Getenv: os.Getenv,
	}
	a.Box = secret.New(keyring.NewStore(a.DB, time.Now), a.MasterKeys.Masters, time.Now)
	record := func(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, action, key string, detail any) error {
		_, err := a.Audit.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: "key", ID: key}, Detail: detail})
		return err
	}
	a.Keys = keyring.New(a.DB, a.Box, SealedColumns(), record, time.Now, keyring.Options{})
}

// SealedColumns names every column of the control database whose values are sealed. A store
// that seals one is named here, so that rotation finds it.
func SealedColumns() []secret.Column {
	return slices.Concat(inbox.Sealed(), workspace.Sealed(), audit.Sealed())
}

// registerJobs names the follow-up work of commits.
func (a *App) registerJobs() {
	a.Jobs.Register(dataset.JobAfterImport, func(ctx context.Context, scope tenant.Scope, _ json.RawMessage) error {
		if _, err := a.Warehouse.Expire(ctx, scope, warehouse.Retention{}, nil); err != nil {
			return err
		}
		if err := a.sweep(ctx, scope); err != nil {
			return err
		}
		// Warms the result cache, so that the first visitor after an import need not wait.
		if _, err := a.Insights.Analyze(ctx, scope, quantity.Period{}); err != nil {
			return err
		}
		_, err := a.Rules.Evaluate(ctx, scope)
		return err
	})
	a.Jobs.Register(dataset.JobBatch, func(ctx context.Context, scope tenant.Scope, args json.RawMessage) error {
		var of struct{ ID string }
		if err := json.Unmarshal(args, &of); err != nil {
			return fault.Wrapf(fault.Invalid, err, "a batch job without an id")
		}
		return a.Data.ResumeBatch(ctx, scope, of.ID)
	})
}

// sweep removes files that nothing needs any more.
func (a *App) sweep(ctx context.Context, scope tenant.Scope) error {
	if _, err := a.Warehouse.Sweep(ctx); err != nil {
		return err
	}
	_, err := a.Data.Sweep(ctx, scope)
	return err
}

// sweepDaily sweeps every day until ctx ends, also when nothing is imported: files that
// were sent and never imported do not stay.
func (a *App) sweepDaily(ctx context.Context) {
	tick := time.NewTicker(24 * time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := a.sweep(ctx, a.Scope); err != nil && ctx.Err() == nil {
				a.Log.WarnContext(ctx, "old files are not removed yet", "error", err)
			}
		}
	}
}

// CloseMonth closes a month, or opens it again, with its audit event.
func (a *App) CloseMonth(ctx context.Context, scope tenant.Scope, month quantity.Day, closed bool) (changed bool, err error) {
	action := "month.close"
	if !closed {
		action = "month.reopen"
	}
	return a.Warehouse.CloseMonth(ctx, scope, month, closed, func(ctx context.Context, tx *metadb.Tx) error {
		_, err := a.Audit.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: "month", ID: month.String()[:7]}})
		return err
	})
}

// Rollback makes an older snapshot the current one, with its audit event.
func (a *App) Rollback(ctx context.Context, scope tenant.Scope, to warehouse.Snapshot) (warehouse.Outcome, error) {
	return a.Warehouse.Rollback(ctx, scope, to, func(ctx context.Context, tx *metadb.Tx, out warehouse.Outcome) error {
		if !out.Changed {
			return nil
		}
		_, err := a.Audit.Append(ctx, scope, tx, audit.Event{Action: "snapshot.rollback", Subject: audit.Subject{Kind: "snapshot", ID: fmt.Sprint(int64(to))}, Snapshot: int64(out.Snapshot)})
		return err
	})
}

// Verify checks the files, keys and roll-ups of the current snapshot and the audit chain, and
// returns what is wrong.
func (a *App) Verify(ctx context.Context, scope tenant.Scope) ([]warehouse.Problem, error) {
	problems, _, err := a.verify(ctx, scope)
	return problems, err
}

// verify is Verify with what it found of the audit chain, also against heads kept elsewhere.
func (a *App) verify(ctx context.Context, scope tenant.Scope, kept ...audit.Head) ([]warehouse.Problem, audit.Report, error) {
	problems, err := a.Warehouse.Verify(ctx, scope)
	if err != nil {
		return nil, audit.Report{}, err
	}
	chain, err := a.Audit.Verify(ctx, scope, a.DB, kept...)
	if err != nil {
		return nil, chain, err
	}
	for _, f := range chain.Faults {
		problems = append(problems, warehouse.Problem{What: "audit", Where: fmt.Sprintf("entry %d", f.Seq), Detail: f.What})
	}
	return problems, chain, nil
}

// Close releases everything; it may be called on a half-built App.
func (a *App) Close() error {
	var errs []error
	if a.Data != nil {
		errs = append(errs, a.Data.Close())
	}
	if a.Warehouse != nil {
		errs = append(errs, a.Warehouse.Close())
	}
	if a.DB != nil {
		errs = append(errs, a.DB.Close())
	}
	return errors.Join(errs...)
}
