package metadb_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
)

func TestNamedQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, metadb.NamedQueries())
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

func TestAReaderSeesOneStateWhileOthersCommit(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		set(t, db, "a", "before")
		err := db.Read(t.Context(), func(tx *metadb.Tx) error {
			for _, moment := range []string{"first", "second"} {
				var got string
				if err := tx.One(t.Context(), "SELECT value FROM control WHERE key = $1", []any{"a"}, &got); err != nil {
					return err
				}
				if got != "before" {
					t.Errorf("%s look: got %q, want before", moment, got)
				}
				set(t, db, "a", "after "+moment) // a writer is not held up by the open reader
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// set commits one entry of table control.
func set(t *testing.T, db *metadb.DB, key, value string) {
	t.Helper()
	err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO control (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPanicRollsTheTransactionBack(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			db.Transact(t.Context(), func(tx *metadb.Tx) error {
				if _, err := metadb.EnsureTenant(t.Context(), tx, "acme", time.Now()); err != nil {
					t.Error(err)
				}
				panic("defect")
			})
		}()
		err := db.Transact(t.Context(), func(tx *metadb.Tx) error { // the writer is free again
			_, err := metadb.TenantID(t.Context(), tx, "acme")
			return err
		})
		if !errors.Is(err, metadb.ErrNoRow) {
			t.Errorf("after the panic: got %v, want ErrNoRow", err)
		}
	})
}

func TestATenantIsCreatedOnceByManyAtATime(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ids := make([]int64, 8)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				if err := db.Transact(t.Context(), func(tx *metadb.Tx) (err error) {
					ids[i], err = metadb.EnsureTenant(t.Context(), tx, "acme", time.Now())
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id == 0 || id != ids[0] {
				t.Errorf("got ids %v, want one and the same", ids)
				break
			}
		}
	})
}

func TestRowsAreReadInOrderAndNullsAsPointers(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		var got []string
		err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			n, err := tx.Exec(t.Context(), "INSERT INTO data_file_extra (data_file_id, sha256, first_day) VALUES ($1, $2, $3), ($4, $2, NULL)", 1, "x", "2026-03-01", 2)
			if err != nil {
				return err
			}
			if n != 2 {
				t.Errorf("got %d rows touched, want 2", n)
			}
			rows, err := tx.Query(t.Context(), "SELECT first_day FROM data_file_extra ORDER BY data_file_id")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var day *string
				if err := rows.Scan(&day); err != nil {
					return err
				}
				if day == nil {
					got = append(got, "null")
				} else {
					got = append(got, *day)
				}
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"2026-03-01", "null"}, got); diff != "" {
			t.Error(diff)
		}
	})
}
