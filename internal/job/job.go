// Package job is durable work: enqueued in the transaction of the change that causes it,
// worked later by whichever process runs a worker, retried when it fails, taken over when
// a worker dies.
//
// It owns the queue (the library River, known only here) and knows kinds as strings. It
// does not own what a kind does: app registers that.
package job

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Options tunes a Queue. The zero value is ready to use.
type Options struct {
	// Workers is how many jobs run at once in this process. Zero means 1.
	Workers int
	// MaxAttempts is how often a failing job is tried before it is discarded; after the nth
	// attempt it waits about n⁴ seconds. Zero means 10: over four hours in all.
	MaxAttempts int
	// Timeout bounds one attempt. Zero means 10 minutes.
	Timeout time.Duration
	// RescueAfter is when a job whose worker is gone is taken over; longer than Timeout.
	// Zero means 15 minutes.
	RescueAfter time.Duration
	// Poll is how often a worker looks for jobs. Zero means 1 s.
	Poll time.Duration
}

// Func does one job. It may be called again for a job it has done already, when the process
// died before that was recorded, so it must bear repetition. It returns when ctx ends. An
// error or a panic means: try again later; an error of kind Invalid or NotFound, which
// trying again cannot help, ends the job.
type Func func(ctx context.Context, scope tenant.Scope, args json.RawMessage) error

// Queue enqueues and works jobs. Register everything before Run.
type Queue struct {
	db    *metadb.DB
	log   *slog.Logger
	opt   Options
	funcs map[string]Func
	lite  *river.Client[*sql.Tx]
	pg    *river.Client[pgx.Tx]
}

// task is the one kind that the library sees; Kind says which of ours it is.
type task struct {
	Name   string          `json:"name"`
	Tenant tenant.Slug     `json:"tenant"`
	Args   json.RawMessage `json:"args"`
}

// Kind names the task to the library.
func (task) Kind() string { return "task" }

// New returns a queue on the control database. A nil log discards.
func New(db *metadb.DB, log *slog.Logger, opt Options) (*Queue, error) {
	if log == nil {
		log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if opt.Workers <= 0 {
		opt.Workers = 1
	}
	if opt.MaxAttempts <= 0 {
		opt.MaxAttempts = 10
	}
	if opt.Timeout <= 0 {
		opt.Timeout = 10 * time.Minute
	}
	if opt.RescueAfter <= 0 {
		opt.RescueAfter = max(15*time.Minute, opt.Timeout+time.Minute)
	}
	if opt.Poll <= 0 {
		opt.Poll = time.Second
	}
	if opt.RescueAfter <= opt.Timeout {
		return nil, fmt.Errorf("job queue: RescueAfter (%s) must be longer than Timeout (%s), or running jobs would be worked twice", opt.RescueAfter, opt.Timeout)
	}
	q := &Queue{db: db, log: log, opt: opt, funcs: map[string]Func{}}
	// A client without queues only inserts; Run makes the working one.
	var err error
	if db.Engine() == metadb.Postgres {
		q.pg, err = river.NewClient(riverpgxv5.New(db.Driver().(*pgxpool.Pool)), &river.Config{Logger: log, MaxAttempts: opt.MaxAttempts})
	} else {
		q.lite, err = river.NewClient(riversqlite.New(db.Driver().(*sql.DB)), &river.Config{Logger: log, MaxAttempts: opt.MaxAttempts})
	}
	if err != nil {
		return nil, fmt.Errorf("job queue: %w", err)
	}
	return q, nil
}

// Register says what a kind does. A kind that is not registered stays in the queue.
func (q *Queue) Register(kind string, fn Func) { q.funcs[kind] = fn }

// Enqueue adds a job in the caller's transaction: it is worked only if that commits. args
// becomes JSON.
func (q *Queue) Enqueue(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind string, args any) error {
	if err := scope.Check(); err != nil {
		return err
	}
	if kind == "" {
		return errors.New("job: no kind given")
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("job %s: %w", kind, err)
	}
	t := task{Name: kind, Tenant: scope.Tenant, Args: raw}
	if q.pg != nil {
		_, err = q.pg.InsertTx(ctx, tx.Driver().(pgx.Tx), t, nil)
	} else {
		_, err = q.lite.InsertTx(ctx, tx.Driver().(*sql.Tx), t, nil)
	}
	if err != nil {
		return fmt.Errorf("job %s: %w", kind, err)
	}
	return nil
}

const (
	finishTime = 10 * time.Second // for running jobs, once Run is to end
	cancelTime = 5 * time.Second  // for jobs whose context has ended
)

// Run works jobs until ctx ends. Running jobs then have 10 s to finish; after that their
// context ends, too, and they are tried again later. A job that ignores even this makes
// Run return an error after 5 s more; it is taken over like that of a dead worker.
func (q *Queue) Run(ctx context.Context) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{q: q})
	cfg := &river.Config{
		Logger: q.log, Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: q.opt.Workers}},
		MaxAttempts: q.opt.MaxAttempts, JobTimeout: q.opt.Timeout, RescueStuckJobsAfter: q.opt.RescueAfter, SoftStopTimeout: finishTime,
		FetchPollInterval: q.opt.Poll, FetchCooldown: min(q.opt.Poll, 100*time.Millisecond), PollOnly: q.pg == nil,
	}
	if q.pg != nil {
		return work(ctx, func() (*river.Client[pgx.Tx], error) {
			return river.NewClient(riverpgxv5.New(q.db.Driver().(*pgxpool.Pool)), cfg)
		})
	}
	return work(ctx, func() (*river.Client[*sql.Tx], error) {
		return river.NewClient(riversqlite.New(q.db.Driver().(*sql.DB)), cfg)
	})
}

func work[T any](ctx context.Context, open func() (*river.Client[T], error)) error {
	client, err := open()
	if err != nil {
		return fmt.Errorf("job worker: %w", err)
	}
	detached := context.WithoutCancel(ctx)
	if err := client.Start(detached); err != nil {
		return fmt.Errorf("job worker: %w", err)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(detached, finishTime+cancelTime)
	defer cancel()
	if err := client.Stop(stop); err != nil {
		return fmt.Errorf("job worker: a job does not end: %w", err)
	}
	return nil
}

// Counts returns how many jobs are in each state ("available", "running", "retryable",
// "completed", "discarded", …), of all tenants.
func (q *Queue) Counts(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	err := q.db.Read(ctx, func(tx *metadb.Tx) error {
		clear(counts)
		rows, err := tx.Query(ctx, queries.Get("count_jobs"))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var state string
			var n int
			if err := rows.Scan(&state, &n); err != nil {
				return err
			}
			counts[state] = n
		}
		return rows.Err()
	})
	return counts, err
}

// worker hands the library's jobs to our functions.
type worker struct {
	river.WorkerDefaults[task]
	q *Queue
}

// Work does one job with the scope it was enqueued for.
func (w *worker) Work(ctx context.Context, j *river.Job[task]) error {
	fn, ok := w.q.funcs[j.Args.Name]
	if !ok {
		return river.JobSnooze(time.Minute) // a newer version's kind, or one of another role
	}
	scope, err := tenant.NewScope(j.Args.Tenant, tenant.Actor("job:"+j.Args.Name))
	if err != nil {
		return river.JobCancel(err)
	}
	err = fn(ctx, scope, j.Args.Args)
	if err != nil {
		w.q.log.WarnContext(ctx, "job failed", slog.String("kind", j.Args.Name), slog.Int("attempt", j.Attempt), slog.Any("error", err))
		if fault.KindOf(err) == fault.Invalid || fault.KindOf(err) == fault.NotFound {
			return river.JobCancel(err) // trying again cannot help
		}
	}
	return err
}
