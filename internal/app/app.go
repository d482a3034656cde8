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
	"github.com/moatmetrics/moatmetrics/internal/alert"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/keyring"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/search"
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
	Access     *access.Service
	Workspace  *workspace.Store
	MasterKeys secret.Source
	Box        *secret.Box
	Keys       *keyring.Service
	Jobs       *job.Queue
	Data       *dataset.Service
	Inbox      *inbox.Service
	Notices    *notice.Store
	Metrics    *metric.Catalog
	Settings   *metric.Settings
	Insights   *insight.Service
	Scenarios  *scenario.Service
	Questions  *question.Service
	Search     *search.Service
	Rules      *insight.Watch
	Judge      *insight.Judge
	Delivery   *delivery.Service
	Alerts     *alert.Service
	Reviews    *review.Desk
	Benchmarks *insight.Benchmarks
	Governance *govern.Service
	Reports    *report.Service
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
	a.Policies = access.NewPolicies(a.DB, a.Audit, time.Now, access.PolicyOptions{Queue: policyQueue{reviews}, Holders: func(ctx context.Context, scope tenant.Scope, roles []string) (int, error) {
		return a.Access.Holders(ctx, scope, roles)
	}})
	a.Access = access.New(a.DB, a.Audit, a.Box, time.Now, access.Options{Home: a.Scope.Tenant, Policies: a.Policies})
	if a.Jobs, err = job.New(a.DB, a.Log, job.Options{}); err != nil {
		return err
	}
	if err := a.Jobs.Migrate(ctx); err != nil {
		return err
	}
	a.Data = dataset.New(a.Warehouse, a.DB, a.Audit, a.Jobs, time.Now)
	sources, err := networks(a.Config.SourceNetworks)
	if err != nil {
		return fault.Wrapf(fault.Invalid, err, "source_networks: %v", err)
	}
	a.Inbox = inbox.New(a.DB, a.Data, a.Audit, time.Now, inbox.Options{DataDir: a.Config.Data, Log: a.Log, Networks: sources, Box: a.Box})
	a.Settings = metric.NewSettings(a.DB, a.Audit, time.Now)
	definitions := definition.New(a.DB, a.Audit, time.Now)
	a.Metrics = metric.New(a.Warehouse, metric.Options{Settings: a.Settings, Definitions: definitions, OnSensitive: a.noteRead})
	a.Insights = insight.New(a.Metrics, a.Warehouse, insight.Options{})
	a.Notices = notice.New(a.DB, time.Now)
	a.Rules = insight.NewWatch(a.Insights, a.DB, reviews, a.Notices, time.Now)
	a.Judge = insight.NewJudge(a.Insights, a.DB, reviews)
	if err := a.buildDelivery(); err != nil {
		return err
	}
	a.Benchmarks = insight.NewBenchmarks(a.Insights, a.Settings, a.DB, a.Audit, time.Now)
	a.Scenarios = scenario.New(a.Metrics)
	a.Questions = question.New(a.Metrics, a.Insights, a.Scenarios, a.Data, a.Warehouse, time.Now)
	a.Reports = report.New(report.Parts{
		DB: a.DB, Warehouse: a.Warehouse, Audit: a.Audit, Data: a.Data, Metrics: a.Metrics, Insights: a.Insights, Reviews: reviews,
		Policies: a.Policies, Workspace: a.Workspace, Definitions: definitions,
	}, report.Options{Dir: filepath.Join(a.Config.Data, "reports"), Product: a.Config.Product, Names: a.names, Enqueue: a.Jobs.Enqueue, ScopeOf: a.scopeOf, Notices: a.Notices, Box: a.Box,
		Deliver: a.Delivery.Enqueue, Takes: a.Delivery.Takes,
		MayRemove: func(ctx context.Context, scope tenant.Scope) error { return a.Governance.MayRemoveReports(ctx, scope) },
		// Who may see a report may see what became of sending it.
		Sent: func(ctx context.Context, scope tenant.Scope, id string) (delivery.Delivery, error) {
			return a.Delivery.Delivery(ctx, scope.Own(), id)
		}})
	a.Governance = govern.New(a.Warehouse, a.DB, a.Data, a.Audit, a.Jobs, govern.Options{DataDir: a.Config.Data, Log: a.Log, Box: a.Box, Pinned: a.pinned, Accounts: a.Access, Reports: a.Reports})
	deciders := insight.Deciders(a.Data, a.Insights, a.Judge, a.Rules)
	deciders[review.PolicyChange] = policyDecider{a.Policies}
	deciders[review.PersonErasure] = govern.Judge{Service: a.Governance}
	a.Reviews = review.NewDesk(reviews, deciders, a.people)
	a.Search = search.New(a.Metrics, a.Insights, a.Questions, a.Workspace, a.Warehouse, a.Reports, time.Now)
	a.Delivery.Register(report.DeliveryKind, a.Reports.Message)
	a.registerJobs()
	return nil
}

// noteRead puts on the record that somebody reads pay or personal figures.
func (a *App) noteRead(ctx context.Context, scope tenant.Scope, class tenant.Class) error {
	return a.Reads.Note(ctx, scope, audit.Read{Class: class, What: audit.Subject{Kind: "figures"}})
}

// people are the members of a tenant who can sign in: they can be mentioned and given decisions.
func (a *App) people(ctx context.Context, scope tenant.Scope) ([]review.Person, error) {
	users, err := a.Access.Users(ctx, scope)
	var out []review.Person
	for _, u := range users {
		if !u.Account.Disabled {
			out = append(out, review.Person{Actor: u.Account.Actor(), Name: u.Account.Name})
		}
	}
	return out, err
}

// names are what members are called, by how the record calls them.
func (a *App) names(ctx context.Context, scope tenant.Scope) (map[tenant.Actor]string, error) {
	people, err := a.people(ctx, scope)
	out := make(map[tenant.Actor]string, len(people))
	for _, p := range people {
		out[p.Actor] = p.Name
	}
	return out, err
}

// scopeOf is a member with the rights of now, for what is made for them.
func (a *App) scopeOf(ctx context.Context, t tenant.Slug, member tenant.Actor) (tenant.Scope, error) {
	return a.Access.ScopeOf(ctx, t, member, "")
}

// buildKeys makes what seals and opens, and what changes its keys. No key is read yet.
func (a *App) buildKeys() {
	a.MasterKeys = secret.Source{
		URI: os.Getenv("MOAT_MASTER_KEY_URI"), Text: os.Getenv("MOAT_MASTER_KEY"),
		File: cmp.Or(os.Getenv("MOAT_MASTER_KEY_FILE"), filepath.Join(a.Config.Data, "master.key")), Getenv: os.Getenv,
	}
	a.Box = secret.New(keyring.NewStore(a.DB, time.Now), a.MasterKeys.Masters, time.Now)
	record := func(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, action, key string, detail any) error {
		_, err := a.Audit.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: "encryption_key", ID: key}, Detail: detail})
		return err
	}
	a.Keys = keyring.New(a.DB, a.Box, SealedColumns(), record, time.Now, keyring.Options{})
}

// SealedColumns names every column of the control database whose values are sealed. A store
// that seals one is named here, so that rotation finds it.
func SealedColumns() []secret.Column {
	return slices.Concat(inbox.Sealed(), workspace.Sealed(), audit.Sealed(), access.Sealed(), delivery.Sealed(), report.Sealed())
}

// registerJobs names the follow-up work of commits.
func (a *App) registerJobs() {
	a.Jobs.Register(dataset.JobAfterImport, func(ctx context.Context, scope tenant.Scope, _ json.RawMessage) error {
		if _, err := a.Governance.Expire(ctx, scope); err != nil {
			return err
		}
		if err := a.sweep(ctx, scope); err != nil {
			return err
		}
		// Also warms the result cache, so that the first visitor after an import need not wait.
		findings, err := a.Insights.Analyze(ctx, scope, quantity.Period{})
		if err != nil {
			return err
		}
		if err := a.ask(ctx, scope, findings); err != nil {
			return err
		}
		return a.alert(ctx, scope)
	})
	a.Jobs.Register(govern.JobErase, func(ctx context.Context, scope tenant.Scope, args json.RawMessage) error {
		var of struct{ ID string }
		if err := json.Unmarshal(args, &of); err != nil {
			return fault.Wrapf(fault.Invalid, err, "a job to erase somebody without a request")
		}
		if _, err := a.Governance.Erase(ctx, scope, of.ID); err != nil {
			return err
		}
		if err := a.Delivery.Tidy(ctx, scope, a.isMember(scope.Tenant)); err != nil {
			return err
		}
		return a.alert(ctx, scope) // the figures are newer than what the rules found
	})
	a.Jobs.Register(delivery.JobDeliver, a.Delivery.Work)
	a.Jobs.Register(alert.Job, func(ctx context.Context, scope tenant.Scope, _ json.RawMessage) error { return a.alert(ctx, scope) })
	a.Jobs.Register(govern.JobRetention, func(ctx context.Context, scope tenant.Scope, _ json.RawMessage) error {
		if _, err := a.Governance.Apply(ctx, scope); err != nil {
			return err
		}
		return a.alert(ctx, scope) // what was removed, and a month that has ended, change the figures
	})
	a.Jobs.Register(report.JobMake, func(ctx context.Context, scope tenant.Scope, args json.RawMessage) error {
		var of struct{ ID string }
		if err := json.Unmarshal(args, &of); err != nil {
			return fault.Wrapf(fault.Invalid, err, "a job to make a report without one")
		}
		return a.Reports.Work(ctx, scope, of.ID)
	})
	a.Jobs.Register(report.JobSchedule, a.Reports.WorkSchedule)
	a.Jobs.Register(dataset.JobBatch, func(ctx context.Context, scope tenant.Scope, args json.RawMessage) error {
		var of struct{ ID string }
		if err := json.Unmarshal(args, &of); err != nil {
			return fault.Wrapf(fault.Invalid, err, "a batch job without an id")
		}
		return a.Data.ResumeBatch(ctx, scope, of.ID)
	})
}

// pinned are the snapshots that questions, decisions and kept reports rest on.
func (a *App) pinned(ctx context.Context, scope tenant.Scope) (map[warehouse.Snapshot]bool, error) {
	list, err := a.Reviews.Pinned(ctx, scope)
	pinned := make(map[warehouse.Snapshot]bool, len(list))
	if err != nil {
		return nil, err
	}
	made, err := a.Reports.Pinned(ctx, scope)
	for _, id := range append(list, made...) {
		pinned[warehouse.Snapshot(id)] = true
	}
	return pinned, err
}

// ask puts findings before people, says what is at stake in names, and tends the queue.
func (a *App) ask(ctx context.Context, scope tenant.Scope, findings []insight.Finding) error {
	if _, err := a.Judge.Ask(ctx, scope, findings); err != nil {
		return err
	}
	if err := a.Judge.Value(ctx, scope); err != nil {
		return err
	}
	_, err := a.Reviews.Tend(ctx, scope)
	return err
}

// sweep removes files that nothing needs any more.
func (a *App) sweep(ctx context.Context, scope tenant.Scope) error {
	if _, err := a.Warehouse.Sweep(ctx); err != nil {
		return err
	}
	if err := a.Reports.Sweep(ctx, scope); err != nil {
		return err
	}
	return a.Governance.SweepUploads(ctx, scope)
}

// sweepDaily sweeps and applies retention soon after the start and then every day until ctx
// ends, also when nothing is imported: what is old does not stay, and decisions become overdue.
func (a *App) sweepDaily(ctx context.Context) {
	next := time.NewTimer(time.Minute)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			next.Reset(24 * time.Hour)
			if err := a.Access.Tidy(ctx); err != nil && ctx.Err() == nil {
				a.Log.WarnContext(ctx, "sessions and links that are over are not removed yet", "error", err)
			}
			a.eachTenant(ctx, "job:daily", func(scope tenant.Scope) error { return a.daily(ctx, scope) })
		}
	}
}

// daily is what is done for a tenant every day.
func (a *App) daily(ctx context.Context, scope tenant.Scope) error {
	_, overdue := a.Reviews.Tend(ctx, scope)
	old := a.sweep(ctx, scope)
	if old == nil {
		old = a.DB.Transact(ctx, func(tx *metadb.Tx) error { return a.Jobs.Enqueue(ctx, scope, tx, govern.JobRetention, nil) })
	}
	return errors.Join(overdue, old, a.Delivery.Tidy(ctx, scope, a.isMember(scope.Tenant)))
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

// Verify checks the files, keys and roll-ups of the current snapshot, the audit chain and the
// kept reports, and returns what is wrong.
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
	damaged, err := a.Reports.Verify(ctx, scope)
	for _, d := range damaged {
		problems = append(problems, warehouse.Problem{What: "report", Where: d.SHA256, Detail: d.What})
	}
	return problems, chain, err
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
