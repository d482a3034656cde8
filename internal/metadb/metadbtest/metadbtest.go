// Package metadbtest gives tests a control database on both engines: a fresh SQLite file,
// and a fresh database on a throw-away PostgreSQL server that ends with the test process.
package metadbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	name := "test_" + strings.ToLower(rand.Text())
	run := func(statement string) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, server.String())
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
	t.Cleanup(func() {
		if err := run("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	mine := *server
	mine.Path = "/" + name
	return mine.String()
}

// PrepareAll prepares every statement on both engines, so that a typo fails. A name that
// ends in "_postgres" or "_sqlite" is for that engine only.
func PrepareAll(t *testing.T, queries metadb.Queries) {
	t.Helper()
	Each(t, func(t *testing.T, db *metadb.DB) { Prepare(t, db, queries) })
}

// Prepare prepares every statement on db, whose tables may be more than the migrations'.
func Prepare(t *testing.T, db *metadb.DB, queries metadb.Queries) {
	t.Helper()
	if len(queries) == 0 {
		t.Error("there are no statements to prepare")
	}
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		if strings.HasSuffix(name, "_postgres") && db.Engine() != metadb.Postgres || strings.HasSuffix(name, "_sqlite") && db.Engine() != metadb.SQLite {
			continue
		}
		if err := prepare(t.Context(), db, queries.Get(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
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
	url   *url.URL
	err   error
	alive io.WriteCloser // the watching shell's standard input: closes when this process ends
}

// startServer starts PostgreSQL once a process and returns the address of a database in
// which others may be created. MOAT_TEST_POSTGRES names a running one instead.
func startServer() (*url.URL, error) {
	server.once.Do(func() {
		address := os.Getenv("MOAT_TEST_POSTGRES")
		if address == "" {
			if address, server.err = launch(); server.err != nil {
				return
			}
		}
		if server.url, server.err = url.Parse(address); server.err != nil {
			server.err = fmt.Errorf("MOAT_TEST_POSTGRES: %w", server.err)
		}
	})
	return server.url, server.err
}

// launch makes a cluster in a temporary folder, reachable through a socket in it only,
// as a non-root user, without fsync (it holds nothing that must last). A watching shell
// stops and removes it when this process ends, however it ends.
func launch() (string, error) {
	bin, err := programs()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "moat-pg-")
	if err == nil && len(dir) > 85 { // a socket's path has 107 bytes at most
		os.Remove(dir)
		dir, err = os.MkdirTemp("/tmp", "moat-pg-")
	}
	if err != nil {
		return "", err
	}
	as, err := serverUser(dir)
	if err != nil {
		os.Remove(dir)
		return "", err
	}
	data := filepath.Join(dir, "data")
	if err := watch(dir, append(slices.Clone(as), filepath.Join(bin, "pg_ctl"), "-D", data, "-m", "immediate", "stop")); err != nil {
		os.Remove(dir)
		return "", err
	}
	run := func(args ...string) error {
		all := append(slices.Clone(as), args...)
		cmd := exec.Command(all[0], all[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	if err := run(filepath.Join(bin, "initdb"), "-D", data, "-U", "moat", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"); err != nil {
		return "", err
	}
	options := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories='%s' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=400 -c shared_buffers=64MB", dir)
	if err := run(filepath.Join(bin, "pg_ctl"), "-D", data, "-w", "-t", "60", "-l", filepath.Join(dir, "log"), "-o", options, "start"); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return "", fmt.Errorf("%w\n%s", err, log)
	}
	return "postgres://moat@/postgres?host=" + dir, nil
}

// programs returns the folder of the newest installed server's programs.
func programs() (string, error) {
	newest, highest := "", -1
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, initdb := range found {
		bin := filepath.Dir(initdb)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > highest {
			newest, highest = bin, version
		}
	}
	if newest != "" {
		return newest, nil
	}
	if initdb, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(initdb), nil
	}
	return "", errors.New("there is no initdb in /usr/lib/postgresql/*/bin or on the PATH")
}

// serverUser returns the words in front of a command that make it run as a user whom
// PostgreSQL accepts, and gives that user dir. Only root needs them.
func serverUser(dir string) ([]string, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("root may not run PostgreSQL and there is no user postgres: %w", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return []string{"setpriv", "--reuid=" + u.Uid, "--regid=" + u.Gid, "--clear-groups"}, os.Chown(dir, uid, gid)
}

// watch starts a shell, in a session of its own, that runs stop and removes dir once this
// process has ended: then nobody holds the other end of its standard input.
func watch(dir string, stop []string) error {
	shell := exec.Command("sh", append([]string{"-c", `dir=$1; shift; cat >/dev/null; cd /; "$@" >/dev/null 2>&1; rm -rf "$dir"`, "sh", dir}, stop...)...)
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	alive, err := shell.StdinPipe()
	if err != nil {
		return err
	}
	server.alive = alive // kept, so that it is not collected and closed
	return shell.Start()
}
