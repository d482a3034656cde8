package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Session is a scratch database with a connection of its own, for preparing rows. It is
// used by one goroutine. Tables it creates live on disk in its Dir, compressed, so memory
// stays bounded. The tenant's current tables are views in the schema "now". Close drops
// everything.
type Session struct {
	w      *Warehouse
	scope  tenant.Scope
	conn   *sql.Conn
	dir    string
	name   string
	base   *state
	tables int      // counter for names of our own scratch tables
	lock   *os.File // held while the session is open; nil where there are no locks
}

// lockSuffix follows the name of a session's folder: the file of its lock, which is there
// before the folder is.
const lockSuffix = ".lock"

// NewSession opens a session on the tenant's current data.
func (w *Warehouse) NewSession(ctx context.Context, scope tenant.Scope) (*Session, error) {
	if err := scope.Whole("the stored rows"); err != nil {
		return nil, err
	}
	s, err := w.scratch(ctx, scope)
	if err != nil {
		return nil, err
	}
	for _, t := range w.schema.Tables {
		if err := s.Exec(ctx, "CREATE VIEW now."+QuoteIdent(t.Name)+" AS "+w.relation(t, s.base.files[t.Name])); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// View makes the tables of an older snapshot of the tenant readable in the session, as
// views in a schema of that name. A snapshot that is not kept any more is NotFound.
func (s *Session) View(ctx context.Context, snap Snapshot, schema string) error {
	st, err := s.w.stateAt(ctx, s.scope, snap)
	if err != nil {
		return err
	}
	if err := s.Exec(ctx, "CREATE SCHEMA "+QuoteIdent(schema)); err != nil {
		return err
	}
	for _, t := range s.w.schema.Tables {
		if err := s.Exec(ctx, "CREATE VIEW "+QuoteIdent(schema)+"."+QuoteIdent(t.Name)+" AS "+s.w.relation(t, st.files[t.Name])); err != nil {
			return err
		}
	}
	return nil
}

// Overlay adds the rows of a relation of the session to what "now" shows of a table, so
// that what is prepared next sees them. A commit does not look at it.
func (s *Session) Overlay(ctx context.Context, table, relation string) error {
	was := s.table("now")
	if err := s.Exec(ctx, fmt.Sprintf("ALTER VIEW now.%s RENAME TO %s", QuoteIdent(table), was)); err != nil {
		return err
	}
	rows := s.table("overlay")
	if err := s.Exec(ctx, "CREATE TABLE "+rows+" AS FROM "+QuoteIdent(relation)); err != nil {
		return err
	}
	return s.Exec(ctx, fmt.Sprintf("CREATE VIEW now.%s AS FROM now.%s UNION ALL BY NAME FROM %s", QuoteIdent(table), was, rows))
}

// scratch opens a session without the views of current tables: it works also when their
// files are damaged.
func (w *Warehouse) scratch(ctx context.Context, scope tenant.Scope) (*Session, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if err := w.ensureTenant(ctx, scope); err != nil {
		return nil, err
	}
	base, err := w.currentState(ctx, scope)
	if err != nil {
		return nil, err
	}
	id := uuid.NewString()
	s := &Session{w: w, scope: scope, dir: filepath.Join(w.dir, "tmp", "session-"+id), name: "scratch_" + id[:8], base: base}
	if s.lock, err = newLock(s.dir + lockSuffix); err != nil {
		return nil, diskFault(err)
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		s.remove()
		return nil, diskFault(err)
	}
	if s.conn, err = w.engine.db.Conn(ctx); err != nil {
		s.remove()
		return nil, fmt.Errorf("session: %w", err)
	}
	steps := []string{
		"ATTACH " + QuoteText(filepath.Join(s.dir, "scratch.duckdb")) + " AS " + QuoteIdent(s.name),
		"USE " + QuoteIdent(s.name),
		"CREATE SCHEMA now",
	}
	for _, step := range steps {
		if err := s.Exec(ctx, step); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Dir returns the session's own folder inside the data directory: the place for files
// that the session's SQL reads. It is removed by Close.
func (s *Session) Dir() string { return s.dir }

// Base returns the snapshot that the views in "now" show.
func (s *Session) Base() Snapshot { return s.base.snapshot }

// Exec runs a statement.
func (s *Session) Exec(ctx context.Context, text string, args ...any) error {
	_, err := s.conn.ExecContext(ctx, text, args...)
	return engineFault(ctx, err)
}

// Query runs a statement and returns its whole result.
func (s *Session) Query(ctx context.Context, text string, args ...any) (*Rows, error) {
	return queryRows(ctx, s.conn, text, args, 0, nil)
}

// Each runs a statement and calls fn with each row; an error of fn ends it.
func (s *Session) Each(ctx context.Context, text string, fn func(row []any) error) error {
	return eachRow(ctx, s.conn, text, nil, nil, fn)
}

// one runs a statement that yields one row and scans it.
func (s *Session) one(ctx context.Context, text string, dest ...any) error {
	return engineFault(ctx, s.conn.QueryRowContext(ctx, text).Scan(dest...))
}

// table returns a fresh name for a scratch table of our own.
func (s *Session) table(hint string) string {
	s.tables++
	return fmt.Sprintf("w%d_%s", s.tables, hint)
}

// Close drops the scratch database and its folder. It may be called twice.
func (s *Session) Close() error {
	if s.conn == nil {
		return nil
	}
	// Not the caller's context: a canceled import must still let go of its files.
	ctx := context.WithoutCancel(context.Background())
	_, err := s.conn.ExecContext(ctx, "USE memory")
	if err == nil {
		_, err = s.conn.ExecContext(ctx, "DETACH "+QuoteIdent(s.name))
	}
	if cerr := s.conn.Close(); err == nil {
		err = cerr
	}
	s.conn = nil
	if rerr := s.remove(); err == nil {
		err = rerr
	}
	return err
}

// remove deletes the folder, and its lock after it.
func (s *Session) remove() error {
	err := os.RemoveAll(s.dir)
	if s.lock != nil {
		os.Remove(s.lock.Name())
		s.lock.Close()
	}
	return err
}
