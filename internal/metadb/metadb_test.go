package metadb_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
)

func TestNamedQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, metadb.All())
}

func TestAnErrorRollsTheTransactionBack(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		stop := errors.New("stop")
		err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			if _, err := metadb.EnsureTenant(t.Context(), tx, "acme", time.Now()); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatalf("got %v, want the error of fn", err)
		}
		err = db.Read(t.Context(), func(tx *metadb.Tx) error {
			_, err := metadb.TenantID(t.Context(), tx, "acme")
			return err
		})
		if !errors.Is(err, metadb.ErrNoRow) {
			t.Errorf("after the rollback: got %v, want ErrNoRow", err)
		}
	})
}

func TestReadRefusesToWrite(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		err := db.Read(t.Context(), func(tx *metadb.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO control (key, value) VALUES ('a', 'b')")
			return err
		})
		if err == nil {
			t.Error("a read-only transaction wrote")
		}
	})
}

func TestNumbersAreNeverGivenTwice(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		var mu sync.Mutex
		seen := map[int64]bool{}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 25 {
					id, err := db.NextID(t.Context(), "import")
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if seen[id] {
						t.Errorf("%d was given twice", id)
					}
					seen[id] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(seen) != 100 {
			t.Errorf("got %d numbers, want 100", len(seen))
		}
	})
}

func TestTwoProcessesMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			dsn := metadbtest.DSN(t, e)
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					db, err := metadb.Open(t.Context(), dsn)
					if err != nil {
						t.Error(err)
						return
					}
					defer db.Close()
					if err := db.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestASecondEntryOfAKeyIsAConflict(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			for range 2 {
				if _, err := tx.Exec(t.Context(), "INSERT INTO control (key, value) VALUES ('a', 'b')"); err != nil {
					return err
				}
			}
			return nil
		})
		if got := fault.KindOf(err); got != fault.Conflict {
			t.Errorf("got kind %s (%v), want conflict", got, err)
		}
	})
}

func TestTimesSortAsText(t *testing.T) {
	t.Parallel()
	early := time.Date(2026, 3, 1, 9, 5, 0, 7000, time.FixedZone("", 3600))
	if a, b := metadb.Now(early), metadb.Now(early.Add(time.Microsecond)); a >= b {
		t.Errorf("%s is not before %s", a, b)
	}
	back, err := metadb.ParseTime(metadb.Now(early))
	if err != nil || !back.Equal(early) {
		t.Errorf("got %v %v, want %v", back, err, early)
	}
}
