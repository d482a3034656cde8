package metadb_test

import (
	"context"
	"errors"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
)

func TestACommitWhoseAnswerIsLostHasAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	_, dsn := metadbtest.Open(t, metadb.Postgres)
	address, lose := metadbtest.LosingAnswers(t, dsn)
	db, err := metadb.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Transact(t.Context(), func(tx *metadb.Tx) error {
		lose()
		_, err := tx.Exec(t.Context(), "INSERT INTO control (key, value) VALUES ('a', 'b')")
		return err
	})
	if !errors.Is(err, metadb.ErrOutcomeUnknown) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v (%s), want an unknown outcome that is unavailable", err, fault.KindOf(err))
	}
	var got string
	if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
		return tx.One(t.Context(), "SELECT value FROM control WHERE key = 'a'", nil, &got)
	}); err != nil || got != "b" {
		t.Errorf("got %q %v: the test is worth nothing unless the server committed", got, err)
	}
}

func TestATransactionThatNeverCommittedHasAKnownOutcome(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ended, cancel := context.WithCancel(t.Context())
		for name, err := range map[string]error{
			"refused by its own function": db.Transact(t.Context(), func(tx *metadb.Tx) error { return errors.New("no") }),
			"given up before the commit": db.Transact(ended, func(tx *metadb.Tx) error {
				_, err := tx.Exec(t.Context(), "INSERT INTO control (key, value) VALUES ('a', 'b')")
				cancel()
				return err
			}),
			"rolled back by the server": db.Transact(t.Context(), func(tx *metadb.Tx) error {
				if _, err := tx.Exec(t.Context(), "INSERT INTO control (key, value) VALUES ('a', NULL)"); err == nil {
					t.Error("got a null value stored")
				}
				if tx.Engine() == metadb.SQLite {
					return errors.New("SQLite goes on after a failed statement")
				}
				return nil
			}),
		} {
			if err == nil || errors.Is(err, metadb.ErrOutcomeUnknown) {
				t.Errorf("%s: got %v, want an error that says nothing was stored", name, err)
			}
		}
	})
}
