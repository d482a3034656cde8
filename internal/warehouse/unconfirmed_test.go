package warehouse_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func TestACommitWhoseAnswerIsLostKeepsItsFiles(t *testing.T) {
	t.Parallel()
	_, dsn := metadbtest.Open(t, metadb.Postgres)
	address, lose := metadbtest.LosingAnswers(t, dsn)
	db, err := metadb.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w := openWarehouse(t, db, t.TempDir())
	first := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "2"})})
	losing := func(context.Context, *metadb.Tx, warehouse.Outcome) error { lose(); return nil }

	second := map[string]string{"hours": hoursSQL([4]string{"2", "2026-01-06", "bob", "3"})}
	_, err = tryCommit(t.Context(), w, acme, second, func(c *warehouse.Change) { c.Within = losing })
	if !errors.Is(err, metadb.ErrOutcomeUnknown) || !strings.Contains(fault.Message(err), "may have been stored") {
		t.Errorf("got %v, want an error that says what may have happened", err)
	}
	if got := ask(t, w, acme, 0, "SELECT who FROM hours ORDER BY who"); strings.Join(got, " ") != "ann bob" {
		t.Errorf("got %v, want the rows of the commit that the server made", got)
	}
	verifyClean(t, w, acme)
	if again := commit(t, w, acme, second); again.Changed {
		t.Error("the same import again changed something")
	}

	if _, err := w.Rollback(t.Context(), acme, first.Snapshot, losing); !errors.Is(err, metadb.ErrOutcomeUnknown) {
		t.Errorf("rollback: got %v, want an unknown outcome", err)
	}
	verifyClean(t, w, acme)
}
