package metadb_test

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
)

// child runs the named test of this program in a process of its own, which finds arg in
// the environment under childArg.
func child(t *testing.T, test, arg string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), childArg+"="+arg)
	return cmd
}

const childArg = "MOAT_METADB_CHILD"

func TestSeveralProcessesMayMigrateAtOnce(t *testing.T) {
	if dsn := os.Getenv(childArg); dsn != "" {
		db, err := metadb.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Parallel()
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			dsn := metadbtest.DSN(t, e)
			type run struct {
				cmd *exec.Cmd
				out strings.Builder
			}
			runs := make([]*run, 4)
			for i := range runs {
				runs[i] = &run{cmd: child(t, "TestSeveralProcessesMayMigrateAtOnce", dsn)}
				runs[i].cmd.Stdout, runs[i].cmd.Stderr = &runs[i].out, &runs[i].out
				if err := runs[i].cmd.Start(); err != nil {
					t.Fatal(err)
				}
			}
			for _, r := range runs {
				if err := r.cmd.Wait(); err != nil {
					t.Errorf("%v\n%s", err, r.out.String())
				}
			}
			files, err := filepath.Glob("migrations/" + string(e) + "/*.sql")
			if err != nil {
				t.Fatal(err)
			}
			if got := applied(t, dsn); got != len(files) || got == 0 {
				t.Errorf("got %d migrations applied, want each of %d once", got, len(files))
			}
		})
	}
}

func TestOpeningWaitsForAnotherProcessThatCreatesTheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "moatmetrics.db")
	other, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "CREATE TABLE first (x)"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		time.Sleep(200 * time.Millisecond)
		ended <- tx.Commit()
	}()
	db, err := metadb.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// applied counts the migrations that a database says it has.
func applied(t *testing.T, dsn string) int {
	t.Helper()
	db, err := metadb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
		return tx.One(t.Context(), "SELECT count(*) FROM goose_db_version WHERE version_id > 0", nil, &n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Another process commits the first migration between our looking and our writing: on
// SQLite nothing but the repetition helps.
func TestAMigrationThatAnotherProcessTookIsNotAnError(t *testing.T) {
	t.Parallel()
	dsn := metadbtest.DSN(t, metadb.SQLite)
	first, err := os.ReadFile("migrations/sqlite/0001_create_tenant.sql")
	if err != nil {
		t.Fatal(err)
	}
	open := func() *metadb.DB {
		db, err := metadb.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	other, ours := open(), open()
	exec := func(tx *metadb.Tx, statements ...string) error {
		for _, s := range statements {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return err
			}
		}
		return nil
	}
	err = other.Transact(t.Context(), func(tx *metadb.Tx) error {
		return exec(tx, "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))",
			"INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)")
	})
	if err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	err = other.Transact(t.Context(), func(tx *metadb.Tx) error {
		go func() { migrated <- ours.Migrate(t.Context()) }()
		time.Sleep(300 * time.Millisecond) // ours has looked by now and waits for the lock
		return exec(tx, string(first), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, 1)")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	set(t, ours, "a", "b") // the tables of the later migrations' version are there
}

func TestMigratingAgainKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		set(t, db, "a", "kept")
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got string
		err := db.Read(t.Context(), func(tx *metadb.Tx) error {
			return tx.One(t.Context(), "SELECT value FROM control WHERE key = 'a'", nil, &got)
		})
		if err != nil || got != "kept" {
			t.Errorf("got %q %v, want kept", got, err)
		}
	})
}

func TestADatabaseOfANewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			applied := "1"
			if tx.Engine() == metadb.Postgres {
				applied = "true"
			}
			_, err := tx.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, "+applied+")")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Migrate(t.Context())
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "newer version") {
			t.Errorf("got %v (%s), want a refusal that names the newer version", err, fault.KindOf(err))
		}
	})
}
