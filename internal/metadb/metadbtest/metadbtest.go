// Package metadbtest gives tests a control database on both engines: a fresh SQLite file,
// and a fresh database on a throw-away PostgreSQL server that ends with the test process.
package metadbtest

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

// Engines are the engines that every store test runs on.
var Engines = []metadb.Engine{metadb.SQLite, metadb.Postgres}

// Each runs fn as a subtest on every engine with a fresh, migrated database.
func Each(t *testing.T, fn func(t *testing.T, db *metadb.DB)) {
	t.Helper()
	for _, e := range Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			db, _ := Open(t, e)
			fn(t, db)
		})
	}
}

// Open returns a fresh, migrated database and its address. It is closed with the test.
func Open(t testing.TB, engine metadb.Engine) (*metadb.DB, string) {
	t.Helper()
	dsn := DSN(t, engine)
	db, err := metadb.Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db, dsn
}

var databases atomic.Int64

// DSN returns the address of a fresh, empty database.
func DSN(t testing.TB, engine metadb.Engine) string {
	t.Helper()
	if engine == metadb.SQLite {
		return filepath.Join(t.TempDir(), "moatmetrics.db")
	}
	server, err := startServer()
	if err != nil {
		t.Fatalf("a throw-away PostgreSQL server is needed: %v\nscripts/test-deps.sh installs PostgreSQL 15", err)
	}
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), databases.Add(1))
	run := func(statement string) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, fmt.Sprintf(server, "postgres"))
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, statement)
		return err
	}
	if err := run("CREATE DATABASE " + name); err != nil {
		t.Fatalf("create test database: %v", err)
	}
	t.Cleanup(func() { run("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") })
	return fmt.Sprintf(server, name)
}

// PrepareAll prepares every statement on both engines, so that a typo fails.
func PrepareAll(t *testing.T, queries metadb.Queries) {
	t.Helper()
	Each(t, func(t *testing.T, db *metadb.DB) {
		names := make([]string, 0, len(queries))
		for name := range queries {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			if strings.HasSuffix(name, "_postgres") && db.Engine() != metadb.Postgres || strings.HasSuffix(name, "_sqlite") && db.Engine() != metadb.SQLite {
				continue
			}
			if err := prepare(t.Context(), db, queries.Get(name)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func prepare(ctx context.Context, db *metadb.DB, text string) error {
	return db.Transact(ctx, func(tx *metadb.Tx) error {
		switch driver := tx.Driver().(type) {
		case pgx.Tx:
			_, err := driver.Prepare(ctx, "", text)
			return err
		case *sql.Tx:
			st, err := driver.PrepareContext(ctx, text)
			if err != nil {
				return err
			}
			return st.Close()
		default:
			return fmt.Errorf("unknown driver %T", driver)
		}
	})
}

var server struct {
	once  sync.Once
	url   string
	err   error
	alive io.WriteCloser // the watching shell's standard input: closes when this process ends
}

// startServer starts PostgreSQL once a process and returns an address with %s for the
// database. MOAT_TEST_POSTGRES names a running one instead.
func startServer() (string, error) {
	server.once.Do(func() {
		if given := os.Getenv("MOAT_TEST_POSTGRES"); given != "" {
			server.url = given
			return
		}
		server.url, server.err = launch()
	})
	return server.url, server.err
}

// launch makes a cluster in a temporary folder, reachable through a socket in it only,
// as a non-root user, without fsync (it holds nothing that must last). A watching shell
// stops and removes it when this process ends, however it ends.
func launch() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", fmt.Errorf("no initdb below /usr/lib/postgresql")
	}
	sort.Strings(found)
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "moat-pg-")
	if err != nil {
		return "", err
	}
	name := "moat"
	as := []string{}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return "", fmt.Errorf("root may not run PostgreSQL and there is no user postgres: %w", err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", err
		}
		as = []string{"setpriv", "--reuid=" + u.Uid, "--regid=" + u.Gid, "--clear-groups"}
	}
	run := func(args ...string) error {
		all := append(append([]string{}, as...), args...)
		cmd := exec.Command(all[0], all[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	data := filepath.Join(dir, "data")
	if err := run(filepath.Join(bin, "initdb"), "-D", data, "-U", name, "-A", "trust", "-N", "-E", "UTF8", "--locale=C"); err != nil {
		return "", err
	}
	options := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories='%s' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200 -c shared_buffers=64MB", dir)
	if err := run(filepath.Join(bin, "pg_ctl"), "-D", data, "-w", "-t", "60", "-l", filepath.Join(dir, "log"), "-o", options, "start"); err != nil {
		return "", err
	}
	stop := fmt.Sprintf("cat >/dev/null; %s %s -D %s -m immediate stop >/dev/null 2>&1; rm -rf %s", strings.Join(as, " "), filepath.Join(bin, "pg_ctl"), data, dir)
	watch := exec.Command("sh", "-c", stop)
	watch.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	alive, err := watch.StdinPipe()
	if err != nil {
		return "", err
	}
	server.alive = alive // kept, so that it is not collected and closed
	if err := watch.Start(); err != nil {
		return "", err
	}
	return fmt.Sprintf("postgres://%s@/%%s?host=%s", name, dir), nil
}
