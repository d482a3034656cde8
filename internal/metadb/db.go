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
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // registers the driver

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

// Open opens the database that dsn names: a file path for SQLite (created when missing,
// readable by its owner only), a postgres:// or postgresql:// address for PostgreSQL. Call
// Migrate before use. Errors are Invalid for an address that cannot be read and Unavailable
// for a database that cannot be reached.
func Open(ctx context.Context, dsn string) (*DB, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return openPostgres(ctx, dsn)
	}
	return openSQLite(ctx, dsn)
}

// poolSize is how many PostgreSQL connections a process may hold when its address does not
// say (pool_max_conns): the queue keeps two or three to itself.
const poolSize = 16

func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "the PostgreSQL address is not valid")
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		cfg.MaxConns = max(cfg.MaxConns, poolSize)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "the PostgreSQL address is not valid")
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fault.Wrapf(fault.Unavailable, err, "PostgreSQL does not answer: check the address, the user and that the server runs")
	}
	return &DB{engine: Postgres, pool: pool}, nil
}

func openSQLite(ctx context.Context, file string) (*DB, error) {
	_, err := os.Stat(file)
	fresh := errors.Is(err, fs.ErrNotExist)
	address := "file:" + (&url.URL{Path: file}).EscapedPath() + "?_pragma=busy_timeout(" + strconv.FormatInt(lockWait.Milliseconds(), 10) + ")&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)"
	// What is overwritten or deleted is gone from the file too, not only out of use.
	writer, err := sql.Open("sqlite", address+"&_pragma=secure_delete(1)&_pragma=journal_mode(WAL)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	writer.SetMaxOpenConns(1)
	if err := connect(ctx, writer); err != nil {
		writer.Close()
		return nil, kinded(fmt.Errorf("open %s: %w", file, err))
	}
	if fresh {
		// By name, not through a second handle: closing one would drop SQLite's own locks.
		// Later side files take the mode of the database.
		for _, side := range []string{"", "-wal", "-shm"} {
			if err := os.Chmod(file+side, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
				writer.Close()
				return nil, fault.Wrapf(fault.Unavailable, err, "the control database cannot be kept private: check the owner of the data directory")
			}
		}
	}
	reader, err := sql.Open("sqlite", address+"&_pragma=query_only(1)")
	if err != nil {
		writer.Close()
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	reader.SetMaxOpenConns(8)
	reader.SetMaxIdleConns(8)
	return &DB{engine: SQLite, writer: writer, reader: reader}, nil
}

// lockWait is how long a statement on SQLite waits for another process to finish its own.
const lockWait = 10 * time.Second

// connect opens the first connection of pool. A new file's first openers may meet while one
// of them turns it to write-ahead logging: for that SQLite refuses the others at once, with
// no regard to busy_timeout (https://www.sqlite.org/c3ref/busy_handler.html: a wait that
// could be a deadlock is not begun), so they ask again here.
func connect(ctx context.Context, pool *sql.DB) error {
	for end := time.Now().Add(lockWait); ; {
		err := pool.PingContext(ctx)
		if fault.KindOf(kinded(err)) != fault.Conflict || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
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
// rolls it back. On PostgreSQL it is read committed; on SQLite it is the only writer, so fn
// must be short and must not call Transact again. fn returns every error of a statement:
// after one, PostgreSQL refuses the rest. Errors get their kind: Conflict when others were
// in the way, Unavailable when the disk is full or the database away, Canceled when ctx
// ended first. An error that is ErrOutcomeUnknown may stand for a commit that happened;
// after every other one nothing was stored.
func (db *DB) Transact(ctx context.Context, fn func(tx *Tx) error) error {
	if db.engine == Postgres {
		return inPostgres(ctx, db.pool, pgx.TxOptions{}, fn)
	}
	return inSQLite(ctx, db.writer, nil, fn)
}

// Read runs fn in a read-only transaction that sees one consistent state, whatever others
// commit meanwhile. Errors get their kind as in Transact.
func (db *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	if db.engine == Postgres {
		return inPostgres(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, fn)
	}
	return inSQLite(ctx, db.reader, &sql.TxOptions{ReadOnly: true}, fn)
}

func inPostgres(ctx context.Context, pool *pgxpool.Pool, opt pgx.TxOptions, fn func(tx *Tx) error) error {
	tx, err := pool.BeginTx(ctx, opt)
	if err != nil {
		return linked(err)
	}
	defer func() { // a no-op after Commit; must happen although ctx has ended
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = tx.Rollback(end) // a connection that cannot roll back is thrown away by the pool
	}()
	if err := fn(&Tx{engine: Postgres, pg: tx}); err != nil {
		return kinded(err)
	}
	if err := ctx.Err(); err != nil { // before anything of the commit is sent
		return kinded(err)
	}
	err = tx.Commit(ctx)
	if opt.AccessMode != pgx.ReadOnly && unknownInPostgres(err) {
		return outcomeUnknown(err)
	}
	return linked(err)
}

func inSQLite(ctx context.Context, pool *sql.DB, opt *sql.TxOptions, fn func(tx *Tx) error) error {
	tx, err := pool.BeginTx(ctx, opt)
	if err != nil {
		return kinded(err)
	}
	defer tx.Rollback() // a no-op after Commit
	if err := fn(&Tx{engine: SQLite, lite: tx}); err != nil {
		return kinded(ended(ctx, err))
	}
	err = ended(ctx, tx.Commit())
	if (opt == nil || !opt.ReadOnly) && unknownInSQLite(err) {
		return outcomeUnknown(err)
	}
	return kinded(err)
}

// ended names the cause when database/sql rolled a transaction back because ctx ended.
func ended(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Settle moves what SQLite keeps in its write-ahead log into the file and empties the log, so
// that neither holds what was overwritten. Readers that stay in the way for longer than
// statements wait leave the log for later. PostgreSQL does this by itself (VACUUM).
func (db *DB) Settle(ctx context.Context) error {
	if db.engine == Postgres {
		return nil
	}
	_, err := db.writer.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return kinded(err)
}

const timeForm = "2006-01-02T15:04:05.000000Z"

// Now writes an instant as all our tables keep it in both engines: fixed-width UTC text
// that sorts by time.
func Now(t time.Time) string { return t.UTC().Format(timeForm) }

// ParseTime reads what Now writes.
func ParseTime(s string) (time.Time, error) { return time.Parse(timeForm, s) }

// EnsureTenant returns the id of the tenant named slug and creates it when missing, in
// UTC and US dollars until someone says otherwise.
func EnsureTenant(ctx context.Context, tx *Tx, slug string, now time.Time) (int64, error) {
	id, err := TenantID(ctx, tx, slug)
	if !errors.Is(err, ErrNoRow) {
		return id, err
	}
	// Another transaction may be creating it: then this waits for that one and adds nothing.
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

// Tenants returns the names of all tenants, the oldest first.
func Tenants(ctx context.Context, tx *Tx) ([]string, error) {
	rows, err := tx.Query(ctx, queries.Get("tenants"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var slug string
		if err := rows.Scan(&slug); err != nil {
			return nil, err
		}
		out = append(out, slug)
	}
	return out, rows.Err()
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

// Compact makes the database let go of the pages of rows that were deleted or changed, so
// that their bytes are gone from its files. On SQLite it writes the whole file anew and
// empties the write-ahead log; on PostgreSQL it does so with the named tables, which nobody
// can use meanwhile, while the server's own log goes when the server recycles it. It is
// Unavailable while others keep the file from being written anew: try again.
func (db *DB) Compact(ctx context.Context, tables []string) error {
	if db.engine == Postgres {
		for _, t := range tables {
			if _, err := db.pool.Exec(ctx, "VACUUM (FULL) "+t); err != nil {
				return linked(err)
			}
		}
		return nil
	}
	if _, err := db.writer.ExecContext(ctx, "VACUUM"); err != nil {
		return kinded(ended(ctx, err))
	}
	var busy, log, moved int
	if err := db.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &moved); err != nil {
		return kinded(ended(ctx, err))
	}
	if busy != 0 {
		return fault.Newf(fault.Unavailable, "others are reading the control database, so what was deleted is still in its log: try again")
	}
	return nil
}
