package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func TestNamedQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		open(t, db, job.Options{})
		metadbtest.Prepare(t, db, job.NamedQueries())
	})
}

func enqueue(t *testing.T, db *metadb.DB, q *job.Queue, scope tenant.Scope, kind string, args any) {
	t.Helper()
	if err := db.Transact(t.Context(), func(tx *metadb.Tx) error { return q.Enqueue(t.Context(), scope, tx, kind, args) }); err != nil {
		t.Fatal(err)
	}
}

// until works jobs until as many as want are in each state, and fails after a minute.
func until(t *testing.T, q *job.Queue, want map[string]int) {
	t.Helper()
	done := make(chan struct{})
	var counts map[string]int
	go func() {
		defer close(done)
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && !cmp.Equal(counts, want); time.Sleep(20 * time.Millisecond) {
			var err error
			if counts, err = q.Counts(t.Context()); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	run(t, q, done)
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
}

func TestSeveralProcessesMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			db, dsn := metadbtest.Open(t, e)
			var wg sync.WaitGroup
			for range 6 { // each has connections and locks of its own, as a process has
				own, err := metadb.Open(t.Context(), dsn)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { own.Close() })
				wg.Go(func() {
					q, err := job.New(own, nil, job.Options{})
					if err != nil {
						t.Error(err)
						return
					}
					if err := q.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			q := open(t, db, job.Options{})
			if counts, err := q.Counts(t.Context()); err != nil || len(counts) != 0 {
				t.Errorf("got %v %v, want an empty queue", counts, err)
			}
		})
	}
}

func TestAJobOutlivesTheProcessThatEnqueuedIt(t *testing.T) {
	t.Parallel()
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			dsn := metadbtest.DSN(t, e)
			start := func() (*metadb.DB, *job.Queue) {
				db, err := metadb.Open(t.Context(), dsn)
				if err != nil {
					t.Fatal(err)
				}
				if err := db.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
				return db, open(t, db, job.Options{})
			}
			db, q := start()
			enqueue(t, db, q, acme, "greet", "hello")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db, q = start()
			defer db.Close()
			var got atomic.Value
			q.Register("greet", func(_ context.Context, _ tenant.Scope, args json.RawMessage) error {
				got.Store(string(args))
				return nil
			})
			until(t, q, map[string]int{"completed": 1})
			if got.Load() != `"hello"` {
				t.Errorf("got %v, want hello", got.Load())
			}
		})
	}
}

func TestWhatBecomesOfAFailingJob(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		opt   job.Options
		fn    job.Func
		tries int32
		state string
	}{
		{"is discarded after its last attempt", job.Options{MaxAttempts: 2}, func(context.Context, tenant.Scope, json.RawMessage) error { return errors.New("no") }, 2, "discarded"},
		{"a panic is a failure and spares the process", job.Options{MaxAttempts: 1}, func(context.Context, tenant.Scope, json.RawMessage) error { panic("defect") }, 1, "discarded"},
		{"is not tried again when its input is wrong", job.Options{}, func(context.Context, tenant.Scope, json.RawMessage) error {
			return fmt.Errorf("job: %w", fault.Newf(fault.Invalid, "wrong"))
		}, 1, "cancelled"},
		{"its time is bounded", job.Options{MaxAttempts: 1, Timeout: 100 * time.Millisecond}, func(ctx context.Context, _ tenant.Scope, _ json.RawMessage) error {
			<-ctx.Done()
			return ctx.Err()
		}, 1, "discarded"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
				q := open(t, db, c.opt)
				var tries atomic.Int32
				q.Register("failing", func(ctx context.Context, scope tenant.Scope, args json.RawMessage) error {
					tries.Add(1)
					return c.fn(ctx, scope, args)
				})
				enqueue(t, db, q, acme, "failing", nil)
				until(t, q, map[string]int{c.state: 1})
				if got := tries.Load(); got != c.tries {
					t.Errorf("got %d attempts, want %d", got, c.tries)
				}
			})
		})
	}
}

func TestAKindThatIsNotRegisteredStaysInTheQueue(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q := open(t, db, job.Options{MaxAttempts: 1})
		enqueue(t, db, q, acme, "of a newer version", nil)
		until(t, q, map[string]int{"scheduled": 1})
	})
}

func TestEachJobIsWorkedOnceForItsTenant(t *testing.T) {
	t.Parallel()
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			db, dsn := metadbtest.Open(t, e)
			second, err := metadb.Open(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer second.Close()
			const jobs = 60
			var mu sync.Mutex
			worked := map[string]int{}
			count := func(_ context.Context, scope tenant.Scope, args json.RawMessage) error {
				if scope.Actor != "job:count" {
					t.Errorf("got actor %q, want job:count", scope.Actor)
				}
				mu.Lock()
				defer mu.Unlock()
				worked[string(scope.Tenant)+string(args)]++
				return nil
			}
			q := open(t, db, job.Options{Workers: 3})
			other := open(t, second, job.Options{Workers: 3})
			q.Register("count", count)
			other.Register("count", count)
			want := map[string]int{}
			for i := range jobs {
				scope := tenant.Scope{Tenant: tenant.Slug(fmt.Sprintf("t%d", i%2)), Actor: "test"}
				enqueue(t, db, q, scope, "count", i)
				want[fmt.Sprintf("t%d%d", i%2, i)] = 1
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- other.Run(ctx) }()
			until(t, q, map[string]int{"completed": jobs})
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, worked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARunningJobFinishesBeforeRunReturns(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q := open(t, db, job.Options{})
		started := make(chan struct{})
		q.Register("short", func(ctx context.Context, _ tenant.Scope, _ json.RawMessage) error {
			close(started)
			select {
			case <-time.After(500 * time.Millisecond):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		enqueue(t, db, q, acme, "short", nil)
		run(t, q, started) // ends the worker as soon as the job has begun
		if counts, err := q.Counts(t.Context()); err != nil || counts["completed"] != 1 {
			t.Errorf("got %v %v, want one completed job", counts, err)
		}
	})
}

func TestAnIdleWorkerDoesNotHoldUpWriters(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q := open(t, db, job.Options{Workers: 4})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- q.Run(ctx) }()
		const most = 3 * time.Second // one busy machine; a poll that held the writer would take its own 10 s
		for i := range 200 {
			began := time.Now()
			if err := db.Transact(ctx, func(tx *metadb.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO control (key, value) VALUES ($1, '')", fmt.Sprint(i))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > most {
				t.Errorf("write %d took %s, want at most %s", i, took, most)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestWrongUseIsRefused(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	if _, err := job.New(db, nil, job.Options{Timeout: time.Hour, RescueAfter: time.Minute}); err == nil {
		t.Error("jobs may be taken over while they run")
	}
	q := open(t, db, job.Options{})
	cases := map[string]func(tx *metadb.Tx) error{
		"no tenant": func(tx *metadb.Tx) error { return q.Enqueue(t.Context(), tenant.Scope{}, tx, "x", nil) },
		"no kind":   func(tx *metadb.Tx) error { return q.Enqueue(t.Context(), acme, tx, "", nil) },
		"no JSON":   func(tx *metadb.Tx) error { return q.Enqueue(t.Context(), acme, tx, "x", func() {}) },
	}
	for name, call := range cases {
		if err := db.Transact(t.Context(), call); err == nil {
			t.Errorf("%s: was enqueued", name)
		}
	}
}
