package warehouse_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// batchRows is the size of one commit of the child: a half commit shows as another count.
const batchRows = 500

// TestMain lets this binary stand in for a process that commits until it is killed
// (MOAT_CHILD=commit), or that runs into a full disk (MOAT_CHILD=fill).
func TestMain(m *testing.M) {
	switch os.Getenv("MOAT_CHILD") {
	case "commit":
		childCommits(os.Getenv("MOAT_CHILD_DB"), os.Getenv("MOAT_CHILD_DIR"), 1<<30)
	case "once":
		childCommits(os.Getenv("MOAT_CHILD_DB"), os.Getenv("MOAT_CHILD_DIR"), 1)
	case "rewrite":
		childRewrites(os.Getenv("MOAT_CHILD_DB"), os.Getenv("MOAT_CHILD_DIR"))
	case "fill":
		childFillsDisk(os.Getenv("MOAT_CHILD_DIR"))
	default:
		os.Exit(m.Run())
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func childOpen(dsn, dir string) *warehouse.Warehouse {
	ctx := context.Background()
	db := must(metadb.Open(ctx, dsn))
	if err := db.Migrate(ctx); err != nil {
		panic(err)
	}
	return must(warehouse.Open(ctx, db, dir, schema, warehouse.Options{}))
}

func batchSQL(batch, rows int) string {
	return fmt.Sprintf("SELECT md5('%[1]d/' || i)::UUID AS row_id, 'csv' AS source_system, '%[1]d/' || i AS source_id, %[1]d::BIGINT AS import_id, i AS record, DATE '2026-01-01' + (i %% 90)::INTEGER AS day, 'w' || (i %% 5) AS who, 1::DECIMAL(9,4) AS hours FROM range(%[2]d) r(i)", batch, rows)
}

// childCommits commits one batch after the other and says each number once it is durable.
func childCommits(dsn, dir string, batches int) {
	w := childOpen(dsn, dir)
	start, _ := strconv.Atoi(os.Getenv("MOAT_CHILD_START"))
	for i := range batches {
		batch := start + i
		must(tryCommit(context.Background(), w, acme, map[string]string{"hours": batchSQL(batch, batchRows)}))
		fmt.Println("committed", batch)
	}
}

func kills(short, soak int) int {
	if os.Getenv("MOAT_SOAK") != "" {
		return soak
	}
	return short
}

func TestKillsAtRandomInstantsLoseNothingAndLeaveNothingHalf(t *testing.T) {
	t.Parallel()
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			_, dsn := metadbtest.Open(t, e)
			dir := t.TempDir()
			rnd := rand.New(rand.NewPCG(1, uint64(len(e))))
			acknowledged := map[int]bool{}
			for kill := range kills(20, 500) {
				child := exec.Command(os.Args[0])
				child.Env = append(os.Environ(), "MOAT_CHILD=commit", "MOAT_CHILD_DB="+dsn, "MOAT_CHILD_DIR="+dir, fmt.Sprintf("MOAT_CHILD_START=%d", kill*1000))
				out := must(child.StdoutPipe())
				if err := child.Start(); err != nil {
					t.Fatal(err)
				}
				lines := make(chan string)
				go func() {
					defer close(lines)
					for s := bufio.NewScanner(out); s.Scan(); {
						lines <- s.Text()
					}
				}()
				// Kill within the life of a commit: wait for the first, then a random instant.
				var timer <-chan time.Time
				for open := true; open; {
					select {
					case line, ok := <-lines:
						open = ok
						if n, err := strconv.Atoi(strings.TrimPrefix(line, "committed ")); ok && err == nil {
							acknowledged[n] = true
						}
						if timer == nil {
							timer = time.After(time.Duration(rnd.IntN(250)) * time.Millisecond)
						}
					case <-timer:
						child.Process.Kill()
						timer = make(chan time.Time)
					}
				}
				child.Wait()
			}
			db := must(metadb.Open(t.Context(), dsn))
			defer db.Close()
			later := func() time.Time { return time.Now().Add(25 * time.Hour) }
			w := must(warehouse.Open(t.Context(), db, dir, schema, warehouse.Options{Now: later}))
			defer w.Close()
			rows := must(w.Query(t.Context(), acme, warehouse.Statement{SQL: "SELECT import_id, count(*) FROM hours GROUP BY 1", Uses: []warehouse.TableUse{{Name: "hours"}}}))
			stored := map[int]bool{}
			for _, r := range rows.Rows {
				stored[int(r[0].(int64))] = true
				if r[1].(int64) != batchRows {
					t.Errorf("batch %d has %d of %d rows", r[0], r[1], batchRows)
				}
			}
			for n := range acknowledged {
				if !stored[n] {
					t.Errorf("batch %d was acknowledged and is gone", n)
				}
			}
			if len(acknowledged) < kills(20, 500) {
				t.Errorf("only %d commits were acknowledged: the test kills too early to mean anything", len(acknowledged))
			}
			verifyClean(t, w, acme)
			must(w.Sweep(t.Context()))
			assertNoOrphans(t, w, db, dir)
			t.Logf("%d acknowledged, %d stored", len(acknowledged), len(stored))
		})
	}
}

// assertNoOrphans checks that every Parquet file is in the catalog and no scratch is left.
func assertNoOrphans(t *testing.T, w *warehouse.Warehouse, db *metadb.DB, dir string) {
	t.Helper()
	listed := map[string]bool{}
	err := db.Read(t.Context(), func(tx *metadb.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT path FROM ducklake_data_file")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p string
			if err := rows.Scan(&p); err != nil {
				return err
			}
			listed[filepath.Base(p)] = true
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	files := must(filepath.Glob(filepath.Join(dir, "warehouse", "*", "*", "*", "*")))
	for _, f := range files {
		if !listed[filepath.Base(f)] {
			t.Errorf("orphan %s was not swept", f)
		}
	}
	if len(files) == 0 {
		t.Error("there are no files at all")
	}
	if left := must(filepath.Glob(filepath.Join(dir, "tmp", "session-*"))); len(left) > 0 {
		t.Errorf("scratch folders were not swept: %v", left)
	}
}

// TestFilesAreDurableBeforeTheCommit reads the order of system calls, which a kill cannot
// show: fsync of the file, rename, fsync of its folder, and only then the write-ahead log.
func TestFilesAreDurableBeforeTheCommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("strace", "-f", "-y", "-s", "0", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2", "-o", trace, os.Args[0])
	cmd.Env = append(os.Environ(), "MOAT_CHILD=once", "MOAT_CHILD_DB="+filepath.Join(data, "m.db"), "MOAT_CHILD_DIR="+data, "MOAT_CHILD_START=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("strace: %v\n%s(scripts/test-deps.sh installs it)", err, out)
	}
	lines := strings.Split(string(must(os.ReadFile(trace))), "\n")
	renamed := regexp.MustCompile(`rename[at2]*\(.*"([^"]*tmp/session-[^"]*\.parquet)"\.*, .*"([^"]*\.parquet)"`)
	synced := regexp.MustCompile(`f(?:data)?sync\(\d+<([^>]*)>`)
	lastWAL, files := -1, 0
	for i, l := range lines {
		if m := synced.FindStringSubmatch(l); m != nil && strings.HasSuffix(m[1], "m.db-wal") {
			lastWAL = i
		}
	}
	for i, l := range lines {
		m := renamed.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		files++
		before, after := false, -1
		for j, k := range lines {
			s := synced.FindStringSubmatch(k)
			if s == nil {
				continue
			}
			if j < i && s[1] == m[1] {
				before = true
			}
			if j > i && after < 0 && s[1] == filepath.Dir(m[2]) {
				after = j
			}
		}
		if !before {
			t.Errorf("%s was renamed before its content was synced", m[2])
		}
		if after < 0 || after > lastWAL {
			t.Errorf("the folder of %s was not synced before the commit (rename at %d, folder at %d, last log sync at %d)", m[2], i, after, lastWAL)
		}
	}
	if files < 2 {
		t.Errorf("the trace shows %d renamed Parquet files, want at least the table's and the roll-up's", files)
	}
}

// childFillsDisk commits a little, then more than the disk holds, and prints what it sees.
func childFillsDisk(dir string) {
	w := childOpen(filepath.Join(dir, "m.db"), dir)
	ctx := context.Background()
	first := must(tryCommit(ctx, w, acme, map[string]string{"hours": batchSQL(1, batchRows)}))
	_, err := tryCommit(ctx, w, acme, map[string]string{"hours": batchSQL(2, 2_000_000)})
	fmt.Println("kind", fault.KindOf(err))
	now := must(w.Current(ctx, acme))
	fmt.Println("kept", now == first.Snapshot)
	problems := must(w.Verify(ctx, acme))
	fmt.Println("problems", len(problems))
	after := must(tryCommit(ctx, w, acme, map[string]string{"hours": batchSQL(3, batchRows)}))
	fmt.Println("added", after.Counts.Added)
}

func TestAFullDiskGivesAnErrorAndLeavesTheLastSnapshot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// A private mount namespace: nothing outside the child sees the small disk.
	script := fmt.Sprintf("mount -t tmpfs -o size=24m tmpfs %s && exec %s", dir, os.Args[0])
	cmd := exec.Command("unshare", "--map-root-user", "--mount", "sh", "-c", script)
	cmd.Env = append(os.Environ(), "MOAT_CHILD=fill", "MOAT_CHILD_DIR="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "kind unavailable\nkept true\nproblems 0\nadded 500\n"
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestConcurrentCommitsOfTwoProcessesAllCount(t *testing.T) {
	t.Parallel()
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			_, dsn := metadbtest.Open(t, e)
			dir := t.TempDir()
			open := func() *warehouse.Warehouse {
				db := must(metadb.Open(t.Context(), dsn))
				t.Cleanup(func() { db.Close() })
				return openWarehouse(t, db, dir)
			}
			one, two := open(), open() // two processes share nothing but the database and the folder
			errs := make(chan error)
			for i, w := range []*warehouse.Warehouse{one, two} {
				go func() {
					for n := range 4 {
						if _, err := tryCommit(t.Context(), w, acme, map[string]string{"hours": batchSQL(i*100+n, 20)}); err != nil {
							errs <- err
							return
						}
					}
					errs <- nil
				}()
			}
			for range 2 {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			rows := must(two.Query(t.Context(), acme, warehouse.Statement{SQL: "SELECT count(*), sum(hours)::VARCHAR FROM hours", Uses: []warehouse.TableUse{{Name: "hours"}}}))
			if got := fmt.Sprint(rows.Rows[0]...); got != "160160.0000" && rows.Rows[0][0].(int64) != 160 {
				t.Errorf("got %v, want 160 rows", rows.Rows[0])
			}
			verifyClean(t, one, acme)
		})
	}
}

func TestAStatementIsBounded(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w := must(warehouse.Open(t.Context(), db, t.TempDir(), schema, warehouse.Options{Timeout: 300 * time.Millisecond}))
	t.Cleanup(func() { w.Close() })
	cases := []struct {
		name, sql string
		max       int
		kind      fault.Kind
	}{
		{"more rows than the cap", "SELECT * FROM range(11)", 10, fault.TooLarge},
		{"longer than the time", "SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE hash(a.range + b.range) = 1", 10, fault.TooLarge},
		{"a file outside the data directory", "SELECT * FROM read_text('/etc/hostname')", 10, fault.Internal},
		{"loading an extension", "LOAD httpfs", 10, fault.Internal},
		{"changing a setting", "SET memory_limit = '100GB'", 10, fault.Internal},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.Query(t.Context(), acme, warehouse.Statement{SQL: c.sql, MaxRows: c.max})
			if got := fault.KindOf(err); got != c.kind {
				t.Errorf("got kind %q (%v), want %q", got, err, c.kind)
			}
		})
	}
	t.Run("the caller's cancellation", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := w.Query(ctx, acme, warehouse.Statement{SQL: cases[1].sql})
		if got := fault.KindOf(err); got != fault.Canceled {
			t.Errorf("got kind %q (%v), want canceled", got, err)
		}
	})
}

func TestVerifyNamesDamage(t *testing.T) {
	t.Parallel()
	damage := []struct {
		name, what string
		do         func(path string) error
	}{
		{"a missing file", "missing file", os.Remove},
		{"a changed byte", "checksum", func(p string) error {
			b := must(os.ReadFile(p))
			b[len(b)/2] ^= 1
			return os.WriteFile(p, b, 0o600)
		}},
		{"a cut file", "file size", func(p string) error { return os.Truncate(p, 100) }},
	}
	for _, d := range damage {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			db, _ := metadbtest.Open(t, metadb.SQLite)
			dir := t.TempDir()
			w := openWarehouse(t, db, dir)
			commit(t, w, acme, map[string]string{"hours": batchSQL(1, 50)})
			files := must(filepath.Glob(filepath.Join(dir, "warehouse", "acme", "hours", "*", "*.parquet")))
			if err := d.do(files[0]); err != nil {
				t.Fatal(err)
			}
			problems := must(w.Verify(t.Context(), acme))
			if len(problems) != 1 || problems[0].What != d.what {
				t.Errorf("got %+v, want one %q", problems, d.what)
			}
		})
	}
}

func TestExpiredSnapshotsFreeTheirFiles(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		dir := t.TempDir()
		w := openWarehouse(t, db, dir)
		var last warehouse.Outcome
		for n := range 3 {
			last = commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", fmt.Sprint(n + 1)})})
		}
		future := must(warehouse.Open(t.Context(), db, dir, schema, warehouse.Options{Now: func() time.Time { return time.Now().AddDate(3, 0, 0) }}))
		defer future.Close()
		gone := must(future.Expire(t.Context(), acme, warehouse.Retention{}, nil))
		if gone != 3 { // the creation of the tables and two commits
			t.Errorf("%d snapshots expired, want 3", gone)
		}
		removed := must(future.Sweep(t.Context()))
		if removed != 6 { // two old versions of the table and of its two roll-ups
			t.Errorf("%d files removed, want 6", removed)
		}
		if now := must(future.Current(t.Context(), acme)); now != last.Snapshot {
			t.Errorf("current snapshot is %d, want %d", now, last.Snapshot)
		}
		verifyClean(t, future, acme)
	})
}

func TestASnapshotThatAnotherNodeExpiredIsNotRolledBackTo(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		dir := t.TempDir()
		here := openWarehouse(t, db, dir)
		one := commit(t, here, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "2"})})
		two := commit(t, here, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "5"})})
		must(here.Snapshots(t.Context(), acme)) // this node has looked at the old one
		there := must(warehouse.Open(t.Context(), db, dir, schema, warehouse.Options{Now: func() time.Time { return time.Now().AddDate(3, 0, 0) }}))
		defer there.Close()
		must(there.Expire(t.Context(), acme, warehouse.Retention{}, nil))
		must(there.Sweep(t.Context()))
		if _, err := here.Rollback(t.Context(), acme, one.Snapshot, nil); fault.KindOf(err) != fault.NotFound {
			t.Errorf("got %v, want that it is not found", err)
		}
		if now := must(here.Current(t.Context(), acme)); now != two.Snapshot {
			t.Errorf("current snapshot is %d, want %d", now, two.Snapshot)
		}
		verifyClean(t, here, acme)
	})
}
