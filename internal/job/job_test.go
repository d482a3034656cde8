package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

var acme = tenant.Scope{Tenant: "acme", Actor: "test"}

func open(t testing.TB, db *metadb.DB, opt job.Options) *job.Queue {
	t.Helper()
	opt.Poll = 20 * time.Millisecond
	q, err := job.New(db, nil, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return q
}

// run works jobs until done is closed or a minute has passed.
func run(t *testing.T, q *job.Queue, done <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("the job was not worked within a minute")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAJobIsWorkedOnlyIfItsTransactionCommits(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q := open(t, db, job.Options{})
		done := make(chan struct{})
		var got atomic.Value
		q.Register("greet", func(_ context.Context, scope tenant.Scope, args json.RawMessage) error {
			got.Store(string(scope.Tenant) + " " + string(args))
			close(done)
			return nil
		})
		forget := errors.New("forget")
		err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			if err := q.Enqueue(t.Context(), acme, tx, "greet", "never"); err != nil {
				return err
			}
			return forget
		})
		if !errors.Is(err, forget) {
			t.Fatal(err)
		}
		if err := db.Transact(t.Context(), func(tx *metadb.Tx) error { return q.Enqueue(t.Context(), acme, tx, "greet", "hello") }); err != nil {
			t.Fatal(err)
		}
		run(t, q, done)
		if got.Load() != `acme "hello"` {
			t.Errorf("got %v, want the committed job with its tenant", got.Load())
		}
		counts, err := q.Counts(t.Context())
		if err != nil || counts["completed"] != 1 || len(counts) != 1 {
			t.Errorf("got %v %v, want one completed job", counts, err)
		}
	})
}

func TestAFailingJobIsTriedAgain(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q := open(t, db, job.Options{})
		done := make(chan struct{})
		var tries atomic.Int32
		q.Register("flaky", func(context.Context, tenant.Scope, json.RawMessage) error {
			if tries.Add(1) == 1 {
				return errors.New("not yet")
			}
			close(done)
			return nil
		})
		if err := db.Transact(t.Context(), func(tx *metadb.Tx) error { return q.Enqueue(t.Context(), acme, tx, "flaky", nil) }); err != nil {
			t.Fatal(err)
		}
		run(t, q, done)
	})
}

// TestMain lets a killed process stand in for a worker that dies in mid-job.
func TestMain(m *testing.M) {
	if dsn := os.Getenv("MOAT_JOB_CHILD"); dsn != "" {
		db, err := metadb.Open(context.Background(), dsn)
		if err != nil {
			panic(err)
		}
		q, err := job.New(db, nil, job.Options{Poll: 20 * time.Millisecond})
		if err != nil {
			panic(err)
		}
		q.Register("long", func(context.Context, tenant.Scope, json.RawMessage) error {
			os.WriteFile(os.Getenv("MOAT_JOB_MARK"), []byte("started"), 0o600)
			time.Sleep(time.Hour)
			return nil
		})
		panic(q.Run(context.Background()))
	}
	os.Exit(m.Run())
}

func TestAJobWhoseWorkerWasKilledIsWorkedAgain(t *testing.T) {
	t.Parallel()
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			db, dsn := metadbtest.Open(t, e)
			q := open(t, db, job.Options{Timeout: time.Second, RescueAfter: 2 * time.Second})
			if err := db.Transact(t.Context(), func(tx *metadb.Tx) error { return q.Enqueue(t.Context(), acme, tx, "long", nil) }); err != nil {
				t.Fatal(err)
			}
			mark := filepath.Join(t.TempDir(), "mark")
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), "MOAT_JOB_CHILD="+dsn, "MOAT_JOB_MARK="+mark)
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
				if b, err := os.ReadFile(mark); err == nil && strings.Contains(string(b), "started") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the child never started the job")
				}
			}
			child.Process.Kill()
			child.Wait()
			done := make(chan struct{})
			q.Register("long", func(context.Context, tenant.Scope, json.RawMessage) error { close(done); return nil })
			run(t, q, done)
		})
	}
}
