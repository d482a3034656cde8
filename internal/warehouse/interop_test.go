package warehouse_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// readWithDuckLake attaches a catalog with DuckDB's official ducklake extension (Python,
// pinned in scripts/requirements.txt) and prints the answer of each statement.
const readWithDuckLake = `
import duckdb, importlib, sys, pathlib
con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
con.execute("SET autoinstall_known_extensions=false; SET autoload_known_extensions=false")
for name in ("sqlite_scanner", "postgres_scanner", "ducklake"):
    module = importlib.import_module("duckdb_extension_" + name)
    found = sorted(p for root in module.__path__ for p in pathlib.Path(root).rglob("*.duckdb_extension"))
    con.execute("LOAD '%s'" % found[0])
con.execute("ATTACH 'ducklake:%s' AS lake (READ_ONLY)" % sys.argv[1].replace("'", "''"))
for statement in sys.argv[2:]:
    print(con.execute(statement).fetchall())
`

// duckLake runs statements through the official extension.
func duckLake(t *testing.T, catalog string, statements ...string) []string {
	t.Helper()
	python := os.Getenv("MOAT_PYTHON")
	if python == "" {
		python = filepath.Join("..", "..", ".cache", "venv", "bin", "python")
	}
	script := filepath.Join(t.TempDir(), "read.py")
	if err := os.WriteFile(script, []byte(readWithDuckLake), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, append([]string{script, catalog}, statements...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("the official extension: %v\n%s\n(scripts/test-deps.sh installs it)", err, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func testInterop(t *testing.T, db *metadb.DB, catalog string) {
	w := openWarehouse(t, db, t.TempDir())
	first := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "2.5"}, [4]string{"", "2026-02-05", "bob", "1.25"}), "rates": ratesSQL([3]string{"ann", "", "40"})})
	second := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "3"}, [4]string{"9", "2026-04-05", "cy", "8"})})
	back, err := w.Rollback(t.Context(), acme, first.Snapshot, nil)
	if err != nil {
		t.Fatal(err)
	}
	last := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"10", "2026-02-06", "dee", "7"})})
	sum := "SELECT count(*), sum(hours)::VARCHAR, min(day)::VARCHAR, max(who) FROM "
	at := func(table string, s warehouse.Snapshot) string {
		return sum + "lake.acme." + table + " AT (VERSION => " + fmt.Sprint(int64(s)) + ")"
	}
	got := duckLake(t, catalog,
		sum+"lake.acme.hours", at("hours", first.Snapshot), at("hours", second.Snapshot), at("hours", back.Snapshot), at("hours", last.Snapshot),
		"SELECT sum(cost)::VARCHAR, sum(hours)::VARCHAR FROM lake.acme.rollup_hours",
		"SELECT who, rate::VARCHAR FROM lake.acme.rates",
		"SELECT count(*) FROM lake.acme.hours WHERE day >= DATE '2026-02-01'",
		"SELECT count(*) > 3 FROM ducklake_snapshots('lake')")
	want := []string{
		"[(3, '10.7500', '2026-01-05', 'dee')]",
		"[(2, '3.7500', '2026-01-05', 'bob')]",
		"[(3, '12.2500', '2026-01-05', 'cy')]",
		"[(2, '3.7500', '2026-01-05', 'bob')]",
		"[(3, '10.7500', '2026-01-05', 'dee')]",
		"[('100.0000000000', '10.7500')]",
		"[('ann', '40.000000')]",
		"[(2,)]",
		"[(True,)]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheOfficialExtensionReadsOurCatalog(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		db, dsn := metadbtest.Open(t, metadb.SQLite)
		testInterop(t, db, "sqlite:"+dsn)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db, dsn := metadbtest.Open(t, metadb.Postgres)
		testInterop(t, db, "postgres:"+dsn)
	})
}
