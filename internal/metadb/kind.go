package metadb

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

const (
	twiceOrDangling = "the entry exists already or refers to one that does not"
	canceledText    = "the request was canceled"
)

// kinded gives a driver's error its kind. Errors that have one keep it; what no user can
// mend (a faulty statement, a null where none may be) stays Internal.
func kinded(err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrapf(fault.Canceled, err, canceledText)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return kindedSQLite(err, lite.Code())
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return kindedPostgres(err, pg.Code)
	}
	var conn *pgconn.ConnectError
	if errors.As(err, &conn) {
		return fault.Wrapf(fault.Unavailable, err, "PostgreSQL does not answer: check that the server runs")
	}
	return err
}

// kindedSQLite reads a result code (https://www.sqlite.org/rescode.html), whose low byte
// is the primary one.
func kindedSQLite(err error, code int) error {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return fault.Wrapf(fault.Conflict, err, twiceOrDangling)
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault.Wrapf(fault.Conflict, err, "the data directory is busy with another change: try again")
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
		return fault.Wrapf(fault.Unavailable, err, "the control database could not be written: check free disk space; nothing was changed")
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fault.Wrapf(fault.Unavailable, err, "the control database cannot be opened for writing: check that the data directory exists and may be written")
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fault.Wrapf(fault.Unavailable, err, "the control database is damaged: restore it from a backup; do not delete the warehouse folder")
	case sqlite3.SQLITE_INTERRUPT:
		return fault.Wrapf(fault.Canceled, err, canceledText)
	}
	return err
}

// kindedPostgres reads an SQLSTATE (PostgreSQL 15 documentation, appendix A), whose first
// two characters are the class.
func kindedPostgres(err error, code string) error {
	switch code {
	case "40001", "40P01", "55P03": // serialization failure, deadlock, lock not available
		return fault.Wrapf(fault.Conflict, err, "another change was in the way: try again")
	case "23505", "23503", "23P01": // unique, foreign key, exclusion
		return fault.Wrapf(fault.Conflict, err, twiceOrDangling)
	case "22021", "22P05": // a byte or character that the encoding has not
		return fault.Wrapf(fault.Invalid, err, "the text holds a byte that cannot be kept: save the file as UTF-8 without NUL bytes")
	case "25006":
		return fault.Wrapf(fault.Unavailable, err, "PostgreSQL accepts no changes now: check that the address names the primary server")
	case "57014": // query canceled
		return fault.Wrapf(fault.Canceled, err, canceledText)
	}
	for _, class := range []string{"08", "53", "57", "58"} { // connection, resources, operator, system
		if strings.HasPrefix(code, class) {
			return fault.Wrapf(fault.Unavailable, err, "PostgreSQL refused the work: check its disk, memory and connection limits")
		}
	}
	return err
}

// linked is kinded for errors that PostgreSQL's driver itself returned, where an error of
// the network means that the server is away. Elsewhere it may mean anything.
func linked(err error) error {
	err = kinded(err)
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var network net.Error
	if errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) {
		return fault.Wrapf(fault.Unavailable, err, "the connection to PostgreSQL was lost: check that the server runs, then try again")
	}
	return err
}

// Text returns s with everything that PostgreSQL's text cannot hold (NUL and broken UTF-8)
// replaced by U+FFFD. Stores use it for text from outside, such as names of files.
func Text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
