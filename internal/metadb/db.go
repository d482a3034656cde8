// Package metadb is the control database: SQLite by default, PostgreSQL in production.
//
// It owns opening, migrating and transactions, and the tables of all stores as
// migrations; it does not own what those tables mean. One transaction type, Tx, serves
// both engines, so that facts' catalog rows, import records, audit events and jobs commit
// together. Statements number their parameters $1, $2, … in order of first appearance,
// which both engines read alike.
package metadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Engine is the database program behind a DB.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// ErrNoRow says that a statement expected to yield a row yielded none.
var ErrNoRow = &fault.Error{Kind: fault.NotFound, Message: "there is no such entry"}

// DB is an open control database. It is safe for concurrent use; several processes may
// share one database.
type DB struct {
	engine Engine
	writer *sql.DB // SQLite: one connection, write transactions begin immediately
	reader *sql.DB // SQLite: read-only connections
	pool   *pgxpool.Pool
}

// Open opens the database that dsn names: a file path for SQLite (created when missing),
// a postgres:// or postgresql:// address for PostgreSQL. Call Migrate before use.
func Open(ctx context.Context, dsn string) (*DB, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		pool, err := pgxpool.New(ctx, dsn)
		if err != nil {
			return nil, fault.Wrapf(fault.Invalid, err, "the PostgreSQL address is not valid")
		}
		if err := pool.Ping(ctx); err != nil {
			pool.Close()
			return nil, fault.Wrapf(fault.Unavailable, err, "PostgreSQL does not answer: check the address, the user and that the server runs")
		}
		return &DB{engine: Postgres, pool: pool}, nil
	}
	path := "file:" + (&url.URL{Path: dsn}).EscapedPath() + "?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)"
	writer, err := sql.Open("sqlite", path+"&_pragma=journal_mode(WAL)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dsn, err)
	}
	writer.SetMaxOpenConns(1)
	if err := writer.PingContext(ctx); err != nil {
		writer.Close()
		return nil, dbFault(fmt.Errorf("open %s: %w", dsn, err))
	}
	reader, err := sql.Open("sqlite", path+"&_pragma=query_only(1)")
	if err != nil {
		writer.Close()
		return nil, fmt.Errorf("open %s: %w", dsn, err)
	}
	reader.SetMaxOpenConns(8)
	reader.SetMaxIdleConns(8)
	return &DB{engine: SQLite, writer: writer, reader: reader}, nil
}

// Close releases all connections.
func (db *DB) Close() error {
	if db.engine == Postgres {
		db.pool.Close()
		return nil
	}
	return errors.Join(db.reader.Close(), db.writer.Close())
}

// Engine returns the program behind db.
func (db *DB) Engine() Engine { return db.engine }

// Driver returns the writer *sql.DB or the *pgxpool.Pool. Only package job may ask: its
// queue library needs the driver's own handle.
func (db *DB) Driver() any {
	if db.engine == Postgres {
		return db.pool
	}
	return db.writer
}

// Transact runs fn in a write transaction and commits it; an error of fn, or a panic,
// rolls it back. Errors get their kind: Conflict when others were in the way, Unavailable
// when the disk is full or the database away.
func (db *DB) Transact(ctx context.Context, fn func(tx *Tx) error) error {
	if db.engine == Postgres {
		return dbFault(pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error { return fn(&Tx{engine: Postgres, pg: tx}) }))
	}
	return dbFault(inSQLite(ctx, db.writer, nil, fn))
}

// Read runs fn in a read-only transaction that sees one consistent state.
func (db *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	if db.engine == Postgres {
		opt := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
		return dbFault(pgx.BeginTxFunc(ctx, db.pool, opt, func(tx pgx.Tx) error { return fn(&Tx{engine: Postgres, pg: tx}) }))
	}
	return dbFault(inSQLite(ctx, db.reader, &sql.TxOptions{ReadOnly: true}, fn))
}

func inSQLite(ctx context.Context, pool *sql.DB, opt *sql.TxOptions, fn func(tx *Tx) error) error {
	tx, err := pool.BeginTx(ctx, opt)
	if err != nil {
		return err
	}
	defer tx.Rollback() // a no-op after Commit
	if err := fn(&Tx{engine: SQLite, lite: tx}); err != nil {
		return err
	}
	return tx.Commit()
}

// Tx is a transaction. It is used by one goroutine.
type Tx struct {
	engine Engine
	lite   *sql.Tx
	pg     pgx.Tx
}

// Engine returns the program behind the transaction.
func (tx *Tx) Engine() Engine { return tx.engine }

// Driver returns the *sql.Tx or pgx.Tx. Only package job may ask.
func (tx *Tx) Driver() any {
	if tx.engine == Postgres {
		return tx.pg
	}
	return tx.lite
}

// Exec runs a statement and returns how many rows it touched.
func (tx *Tx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	if tx.engine == Postgres {
		tag, err := tx.pg.Exec(ctx, text, args...)
		return tag.RowsAffected(), dbFault(err)
	}
	res, err := tx.lite.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, dbFault(err)
	}
	n, err := res.RowsAffected()
	return n, dbFault(err)
}

// Query runs a statement that yields rows. The caller closes them before the next
// statement of the transaction.
func (tx *Tx) Query(ctx context.Context, text string, args ...any) (*Rows, error) {
	if tx.engine == Postgres {
		rows, err := tx.pg.Query(ctx, text, args...)
		return &Rows{pg: rows}, dbFault(err)
	}
	rows, err := tx.lite.QueryContext(ctx, text, args...)
	return &Rows{lite: rows}, dbFault(err)
}

// One runs a statement that yields one row and scans it; none is ErrNoRow.
func (tx *Tx) One(ctx context.Context, text string, args []any, dest ...any) error {
	var err error
	if tx.engine == Postgres {
		err = tx.pg.QueryRow(ctx, text, args...).Scan(dest...)
	} else {
		err = tx.lite.QueryRowContext(ctx, text, args...).Scan(dest...)
	}
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, pgx.ErrNoRows) {
		return ErrNoRow
	}
	return dbFault(err)
}

// Rows is the result of Query.
type Rows struct {
	lite *sql.Rows
	pg   pgx.Rows
}

// Next moves to the next row.
func (r *Rows) Next() bool {
	if r.pg != nil {
		return r.pg.Next()
	}
	return r.lite.Next()
}

// Scan reads the row's columns; a column that may be null needs a pointer to a pointer.
func (r *Rows) Scan(dest ...any) error {
	if r.pg != nil {
		return r.pg.Scan(dest...)
	}
	return r.lite.Scan(dest...)
}

// Err returns the error that ended the rows, if any.
func (r *Rows) Err() error {
	if r.pg != nil {
		return dbFault(r.pg.Err())
	}
	return dbFault(r.lite.Err())
}

// Close releases the rows; it may be called twice.
func (r *Rows) Close() {
	if r.pg != nil {
		r.pg.Close()
		return
	}
	r.lite.Close()
}

// dbFault gives a driver's error its kind. Errors that have one keep it.
func dbFault(err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.Wrapf(fault.Canceled, err, "the request was canceled")
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return fault.Wrapf(fault.Conflict, err, "the data directory is busy with another import: try again")
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
			return fault.Wrapf(fault.Unavailable, err, "the control database could not be written: check free disk space; nothing was changed")
		case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
			return fault.Wrapf(fault.Unavailable, err, "the control database cannot be opened for writing: check that the data directory exists and may be written")
		case sqlite3.SQLITE_CONSTRAINT:
			return fault.Wrapf(fault.Conflict, err, "the entry exists already or refers to one that does not")
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return fault.Wrapf(fault.Unavailable, err, "the control database is damaged: restore it from a backup; do not delete the warehouse folder")
		}
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == "40001", pg.Code == "40P01", pg.Code == "55P03":
			return fault.Wrapf(fault.Conflict, err, "another change was in the way: try again")
		case strings.HasPrefix(pg.Code, "23"):
			return fault.Wrapf(fault.Conflict, err, "the entry exists already or refers to one that does not")
		case strings.HasPrefix(pg.Code, "53"), strings.HasPrefix(pg.Code, "57"), strings.HasPrefix(pg.Code, "08"):
			return fault.Wrapf(fault.Unavailable, err, "PostgreSQL refused the work: check its disk, memory and connection limits")
		}
	}
	var conn *pgconn.ConnectError
	if errors.As(err, &conn) {
		return fault.Wrapf(fault.Unavailable, err, "PostgreSQL does not answer")
	}
	return err
}

const timeForm = "2006-01-02T15:04:05.000000Z"

// Now writes an instant as all our tables keep it in both engines: fixed-width UTC text
// that sorts by time.
func Now(t time.Time) string { return t.UTC().Format(timeForm) }

// ParseTime reads what Now writes.
func ParseTime(s string) (time.Time, error) { return time.Parse(timeForm, s) }

// EnsureTenant returns the id of the tenant named slug and creates it when missing.
func EnsureTenant(ctx context.Context, tx *Tx, slug string, now time.Time) (int64, error) {
	if _, err := tx.Exec(ctx, queries.Get("insert_tenant"), slug, slug, Now(now)); err != nil {
		return 0, err
	}
	return TenantID(ctx, tx, slug)
}

// TenantID returns the id of the tenant named slug, ErrNoRow when there is none.
func TenantID(ctx context.Context, tx *Tx, slug string) (int64, error) {
	var id int64
	err := tx.One(ctx, queries.Get("tenant_id"), []any{slug}, &id)
	return id, err
}

// NextID returns the next number of a named series, 1 first. It commits on its own, so a
// number may be lost but is never given twice.
func (db *DB) NextID(ctx context.Context, series string) (int64, error) {
	var id int64
	err := db.Transact(ctx, func(tx *Tx) error {
		return tx.One(ctx, queries.Get("next_id"), []any{series}, &id)
	})
	return id, err
}
