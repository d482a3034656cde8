package metadb

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// ErrOutcomeUnknown says that the commit of a transaction was begun and its answer is
// missing: what it wrote may be stored or not. What belongs to it must not be undone.
var ErrOutcomeUnknown = errors.New("the outcome of the commit is not known")

func outcomeUnknown(cause error) error {
	return fault.Wrapf(fault.Unavailable, errors.Join(ErrOutcomeUnknown, cause), "the control database did not confirm the change, so it may have been stored: look before you try again")
}

// unknownInPostgres reports whether an error of COMMIT leaves open what became of it. It
// does not when the server says that it rolled back. A FATAL answer (shutdown) may come
// after the local commit, and pgx calls a connection that broke while it waited for the
// answer safe to retry, which it is not.
func unknownInPostgres(err error) bool {
	if err == nil || errors.Is(err, pgx.ErrTxCommitRollback) || errors.Is(err, pgx.ErrTxClosed) {
		return false
	}
	var pg *pgconn.PgError
	return !errors.As(err, &pg) || pg.SeverityUnlocalized != "ERROR" || pg.Code == "40003" // statement completion unknown
}

// unknownInSQLite is unknownInPostgres for SQLite. A context that ended is noticed before
// COMMIT; these codes mean that the last page of the transaction was not written. After
// others (an fsync that failed) a later recovery may find the whole transaction.
func unknownInSQLite(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return true
	}
	switch lite.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CONSTRAINT:
		return false
	}
	return true
}
