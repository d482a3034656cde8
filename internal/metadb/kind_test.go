package metadb_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
)

func TestAFaultyStatementHasTheSameKindOnBothEngines(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, sql string
		want      fault.Kind
	}{
		{"an entry twice", "INSERT INTO control (key, value) VALUES ('a', 'b'), ('a', 'c')", fault.Conflict},
		{"an entry of a tenant that is not there", "INSERT INTO audit_head (tenant_id, seq, hash) VALUES (7, 1, '')", fault.Conflict},
		{"a null where none may be", "INSERT INTO control (key, value) VALUES ('a', NULL)", fault.Internal},
		{"a table that is not there", "INSERT INTO nothing (a) VALUES (1)", fault.Internal},
	}
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		for _, c := range cases {
			err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
				_, err := tx.Exec(t.Context(), c.sql)
				return err
			})
			if got := fault.KindOf(err); got != c.want {
				t.Errorf("%s: got kind %q (%v), want %q", c.name, got, err, c.want)
			}
		}
	})
}

func TestAnErrorOfOneKeepsItsKind(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		err := db.Transact(t.Context(), func(*metadb.Tx) error { return fault.Newf(fault.TooLarge, "too much") })
		if fault.KindOf(err) != fault.TooLarge {
			t.Errorf("got %v, want the kind that fn gave", err)
		}
		err = db.Transact(t.Context(), func(*metadb.Tx) error { return io.ErrUnexpectedEOF })
		if fault.KindOf(err) != fault.Internal || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v (%s): an error of the caller's own reading is not one of the database", err, fault.KindOf(err))
		}
	})
}

func TestACallerWhoGivesUpReadsCanceled(t *testing.T) {
	t.Parallel()
	const endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
	cases := []struct {
		name string
		fn   func(ctx context.Context, cancel func(), tx *metadb.Tx) error
	}{
		{"before a statement", func(ctx context.Context, cancel func(), tx *metadb.Tx) error {
			cancel()
			_, err := tx.Exec(ctx, "INSERT INTO control (key, value) VALUES ('a', 'b')")
			return err
		}},
		{"within a statement", func(ctx context.Context, cancel func(), tx *metadb.Tx) error {
			time.AfterFunc(100*time.Millisecond, cancel)
			var n int64
			return tx.One(ctx, endless, nil, &n)
		}},
		{"before the commit", func(ctx context.Context, cancel func(), tx *metadb.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO control (key, value) VALUES ('a', 'b')"); err != nil {
				return err
			}
			cancel()
			time.Sleep(50 * time.Millisecond) // database/sql rolls back on its own
			return nil
		}},
	}
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		for _, c := range cases {
			ctx, cancel := context.WithCancel(t.Context())
			err := db.Transact(ctx, func(tx *metadb.Tx) error { return c.fn(ctx, cancel, tx) })
			if got := fault.KindOf(err); got != fault.Canceled {
				t.Errorf("%s: got kind %q (%v), want canceled", c.name, got, err)
			}
			var n int
			if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
				return tx.One(t.Context(), "SELECT count(*) FROM control", nil, &n)
			}); err != nil || n != 0 {
				t.Errorf("%s: afterwards got %d entries, %v; want none", c.name, n, err)
			}
		}
	})
}

func TestTwoWritersInEachOthersWayAreAConflict(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		db, dsn := metadbtest.Open(t, metadb.SQLite)
		other, err := metadb.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if _, err := other.Driver().(*sql.DB).ExecContext(t.Context(), "PRAGMA busy_timeout = 50"); err != nil {
			t.Fatal(err)
		}
		err = db.Transact(t.Context(), func(*metadb.Tx) error {
			return other.Transact(t.Context(), func(*metadb.Tx) error { return nil })
		})
		if got := fault.KindOf(err); got != fault.Conflict {
			t.Errorf("got kind %q (%v), want conflict", got, err)
		}
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db, _ := metadbtest.Open(t, metadb.Postgres)
		set(t, db, "a", "1")
		set(t, db, "b", "1")
		touch := func(tx *metadb.Tx, key string) error {
			_, err := tx.Exec(t.Context(), "UPDATE control SET value = '2' WHERE key = $1", key)
			return err
		}
		ready := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
		errs := [2]error{}
		var wg sync.WaitGroup
		for i, order := range [2][2]string{{"a", "b"}, {"b", "a"}} {
			wg.Go(func() {
				errs[i] = db.Transact(t.Context(), func(tx *metadb.Tx) error {
					err := touch(tx, order[0])
					close(ready[i])
					if err != nil {
						return err
					}
					<-ready[1-i]
					return touch(tx, order[1])
				})
			})
		}
		wg.Wait()
		if fault.KindOf(errors.Join(errs[:]...)) != fault.Conflict || errs[0] != nil && errs[1] != nil {
			t.Errorf("got %v and %v, want a conflict for one", errs[0], errs[1])
		}
	})
}

func TestTextForPostgres(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{{"plain ä", "plain ä"}, {"a\x00b", "a\uFFFDb"}, {"a\xff\xfeb", "a\uFFFDb"}, {"", ""}} {
		if got := metadb.Text(c[0]); got != c[1] {
			t.Errorf("%q: got %q, want %q", c[0], got, c[1])
		}
	}
	db, _ := metadbtest.Open(t, metadb.Postgres)
	for _, bad := range []string{"a\x00b", "a\xffb"} {
		err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO control (key, value) VALUES ($1, 'b')", bad)
			return err
		})
		if got := fault.KindOf(err); got != fault.Invalid {
			t.Errorf("%q: got kind %q (%v), want invalid", bad, got, err)
		}
		set(t, db, metadb.Text(bad), "kept")
	}
}

func TestWhatCannotBeOpenedIsUnavailableOrInvalid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	damaged := filepath.Join(dir, "damaged.db")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, dsn string
		want      fault.Kind
	}{
		{"a folder that is not there", filepath.Join(dir, "nowhere", "moat.db"), fault.Unavailable},
		{"a file that is no database", damaged, fault.Unavailable},
		{"an address that cannot be read", "postgres://localhost:notaport/x", fault.Invalid},
		{"a server that does not answer", "postgres://moat@/x?host=" + dir, fault.Unavailable},
	}
	for _, c := range cases {
		db, err := metadb.Open(t.Context(), c.dsn)
		if err == nil {
			db.Close()
		}
		if got := fault.KindOf(err); got != c.want {
			t.Errorf("%s: got kind %q (%v), want %q", c.name, got, err, c.want)
		}
	}
}

func TestTheFileIsItsOwnersOnlyAndMayHaveAnyName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?c#d%20.db")
	db, err := metadb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, side := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + side)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s: got mode %o, want 600", side, got)
		}
	}
}

// A commit that cannot be written must leave neither half an entry nor a writer that is
// stuck in the dead transaction. The limit on a file's size stands in for a full disk.
func TestAFailedCommitChangesNothingAndTheNextWorks(t *testing.T) {
	if os.Getenv(childArg) == "" {
		t.Parallel()
		if out, err := child(t, "TestAFailedCommitChangesNothingAndTheNextWorks", "x").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	db, dsn := metadbtest.Open(t, metadb.SQLite)
	set(t, db, "a", "kept")
	wal, err := os.Stat(dsn + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	var unlimited syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(wal.Size()) + 64<<10, Max: unlimited.Max}); err != nil {
		t.Fatal(err)
	}
	committing := false
	err = db.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO control (key, value) VALUES ('big', $1)", strings.Repeat("x", 1<<20)) // less than the page cache
		committing = err == nil
		return err
	})
	if fault.KindOf(err) != fault.Unavailable || !committing {
		t.Errorf("got %v (%s, within the commit: %t), want unavailable at the commit", err, fault.KindOf(err), committing)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
		t.Fatal(err)
	}
	set(t, db, "b", "next")
	var got string
	if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
		return tx.One(t.Context(), "SELECT group_concat(key, ' ') FROM (SELECT key FROM control ORDER BY key)", nil, &got)
	}); err != nil || got != "a b" {
		t.Errorf("got keys %q %v, want a b", got, err)
	}
}

func TestAServerThatGoesAwayIsUnavailableUntilItIsBack(t *testing.T) {
	t.Parallel()
	dsn := metadbtest.DSN(t, metadb.Postgres)
	way := openWay(t, dsn)
	db, err := metadb.Open(t.Context(), way.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	kind := func(moment string, err error) {
		t.Helper()
		if got := fault.KindOf(err); got != fault.Unavailable {
			t.Errorf("%s: got kind %q (%v), want unavailable", moment, got, err)
		}
	}
	insert := func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO control (key, value) VALUES ('a', 'b')")
		return err
	}
	kind("lost between statements", db.Transact(t.Context(), func(tx *metadb.Tx) error {
		if err := insert(tx); err != nil {
			t.Error(err)
		}
		way.cut()
		var n int
		return tx.One(t.Context(), "SELECT 1", nil, &n)
	}))
	kind("lost before the transaction", db.Transact(t.Context(), insert))
	kind("lost before reading", db.Read(t.Context(), func(tx *metadb.Tx) error { return nil }))
	way.mend(t)
	if err := db.Transact(t.Context(), insert); err != nil {
		t.Fatalf("the server is back, nothing of the lost transactions stayed: got %v", err)
	}
	kind("lost before the commit", db.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE control SET value = 'c'")
		way.cut()
		return err
	}))
}

// way carries connections to a server and can be cut.
type way struct {
	dsn      string
	address  string
	forward  func() (net.Conn, error)
	mu       sync.Mutex
	listener net.Listener
	open     []net.Conn
}

func openWay(t *testing.T, dsn string) *way {
	t.Helper()
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(cfg.Host, cfg.Port)
	w := &way{address: "127.0.0.1:0", forward: func() (net.Conn, error) { return net.Dial(network, address) }}
	w.mend(t)
	t.Cleanup(w.cut)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = w.address
	q := u.Query()
	q.Del("host")
	u.RawQuery = q.Encode()
	w.dsn = u.String()
	return w
}

func (w *way) mend(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.listener, w.address = listener, listener.Addr().String()
	w.mu.Unlock()
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := w.forward()
			if err != nil {
				near.Close()
				continue
			}
			w.mu.Lock()
			w.open = append(w.open, near, far)
			w.mu.Unlock()
			go io.Copy(near, far)
			go io.Copy(far, near)
		}
	}()
}

func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listener.Close()
	for _, c := range w.open {
		c.Close()
	}
	w.open = nil
}
