package delivery_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// killed are the deliveries of the test of kills.
const killed = 240

// open opens the service of the test of kills on a folder; both the test and the worker that
// it kills do.
func open(t *testing.T, dir string) (*delivery.Service, *metadb.DB) {
	t.Helper()
	db, err := metadb.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	queue, err := job.New(db, nil, job.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := queue.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := delivery.New(db, audit.New(time.Now), queue, time.Now, delivery.Options{Box: keyringtest.Box(t, db), Folders: []string{dir}, Timeout: time.Second})
	s.Register("report", func(_ context.Context, _ tenant.Scope, d delivery.Delivery) (delivery.Message, error) {
		text := make([]byte, 1<<20)
		copy(text, d.Ref)
		return delivery.Message{Subject: d.Ref, Files: []delivery.File{delivery.FileOf(d.Ref+".bin", "application/octet-stream", text)}}, nil
	})
	return s, db
}

// TestWorkerForKills is the worker that TestKilledWorkersSendEachOnce kills.
func TestWorkerForKills(t *testing.T) {
	dir := os.Getenv("MOAT_TEST_DELIVERIES")
	if dir == "" {
		t.Skip("it is started by another test")
	}
	s, _ := open(t, dir)
	for {
		list, err := s.Deliveries(t.Context(), acme, delivery.Filter{Status: delivery.Waiting}, 1000, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return
		}
		for _, d := range list {
			if err := s.Work(t.Context(), acme, fmt.Appendf(nil, `{"id":%q}`, d.ID)); err != nil && fault.KindOf(err) != fault.Unavailable {
				t.Fatal(err)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Workers are killed at random instants: afterwards each file is there once and whole, nothing else
// is, and each delivery stands on the record once.
func TestKilledWorkersSendEachOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, db := open(t, dir)
	out := filepath.Join(dir, "out")
	d, err := s.Add(t.Context(), acme, delivery.Spec{Name: "share", Kind: delivery.Folder, Settings: delivery.Settings{Path: out}})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for n := range killed {
		ref := fmt.Sprintf("report %03d", n)
		want = append(want, ref+".bin")
		if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			_, err := s.Enqueue(t.Context(), acme, tx, delivery.Delivery{Destination: d.ID, Kind: "report", Ref: ref})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	worker := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWorkerForKills$", "-test.count=1")
		cmd.Env = append(os.Environ(), "MOAT_TEST_DELIVERIES="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	rnd := rand.New(rand.NewPCG(7, 1))
	kills := 8
	if os.Getenv("MOAT_SOAK") != "" {
		kills = 60
	}
	for range kills {
		cmd := worker()
		time.Sleep(time.Duration(80+rnd.IntN(150)) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
	}
	if err := worker().Wait(); err != nil {
		t.Fatal(err)
	}
	if got := files(t, out); !slices.Equal(got, want) {
		t.Errorf("got %d files: %q", len(got), got)
	}
	list, err := s.Deliveries(t.Context(), acme, delivery.Filter{Status: delivery.Sent}, 1000, 0)
	if err != nil || len(list) != killed {
		t.Errorf("%d are sent, %v", len(list), err)
	}
	attempts := int64(0)
	for _, one := range list {
		attempts += one.Attempts
	}
	t.Logf("%d attempts for %d deliveries", attempts, len(list))
	var told, subjects int64
	if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
		return tx.One(t.Context(), "SELECT count(*), count(DISTINCT subject_id) FROM audit_event WHERE action = 'delivery.sent'", nil, &told, &subjects)
	}); err != nil || told != killed || subjects != killed {
		t.Errorf("%d stand on the record, %d of them differ, %v", told, subjects, err)
	}
}
