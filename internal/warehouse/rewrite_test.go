package warehouse_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

var beta = tenant.Scope{Tenant: "beta", Actor: "test"}

// rename gives a person another name in the table, its roll-up and the rates, everywhere.
func rename(was, is string) []warehouse.Edit {
	var edits []warehouse.Edit
	for _, table := range []string{"hours", "rates", "rollup_hours"} {
		edits = append(edits, warehouse.Edit{Table: table, Rows: "r.who = '" + was + "'", Set: map[string]string{"who": "CASE WHEN r.who = '" + was + "' THEN '" + is + "' ELSE r.who END"}})
	}
	edits[1].Set["source_id"] = strings.ReplaceAll(edits[1].Set["who"], "r.who", "r.source_id")
	return edits
}

func rewrite(ctx context.Context, w *warehouse.Warehouse, scope tenant.Scope, r warehouse.Rewriting) (warehouse.Rewritten, error) {
	s, err := w.NewSession(ctx, scope)
	if err != nil {
		return warehouse.Rewritten{}, err
	}
	defer s.Close()
	return s.Rewrite(ctx, r)
}

func holding(t *testing.T, dir, text string) []string {
	t.Helper()
	var found []string
	for _, f := range must(filepath.Glob(filepath.Join(dir, "warehouse", "*", "*", "*", "*.parquet"))) {
		if bytes.Contains(must(os.ReadFile(f)), []byte(text)) {
			found = append(found, f)
		}
	}
	return found
}

func TestARewritingReachesEverySnapshotAndKeepsTheSums(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		dir := t.TempDir()
		w := openWarehouse(t, db, dir)
		commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "annabelle", "2"}, [4]string{"2", "2026-02-05", "bob", "3"}), "rates": ratesSQL([3]string{"annabelle", "", "50"}, [3]string{"bob", "", "40"})})
		commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "annabelle", "5"})})
		commit(t, w, beta, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "annabelle", "7"})})
		const sums = "SELECT strftime(month, '%Y-%m'), count(*), sum(hours)::DECIMAL(18,4), sum(cost)::DECIMAL(18,4) FROM rollup_hours GROUP BY 1 ORDER BY 1"
		snaps := must(w.Snapshots(t.Context(), acme))
		before := map[warehouse.Snapshot][]string{}
		for _, sn := range snaps {
			before[sn.ID] = ask(t, w, acme, sn.ID, sums)
		}
		if len(holding(t, dir, "annabelle")) < 4 {
			t.Fatal("the name is in too few files for the test to mean anything")
		}
		held := must(w.NewSession(t.Context(), acme)) // an import that was prepared before
		defer held.Close()

		session := must(w.NewSession(t.Context(), acme))
		defer session.Close()
		affected := must(session.Affected(t.Context(), rename("annabelle", "p_1")))
		if len(affected) != 3 || affected[0].Rows != 1 || affected[0].Current != 1 || affected[0].Files != 2 || affected[0].Snapshots != 2 {
			t.Errorf("the preview is %+v", affected)
		}
		told := warehouse.Rewritten{}
		out := must(session.Rewrite(t.Context(), warehouse.Rewriting{Edits: rename("annabelle", "p_1"), Kind: "erasure", Message: "test",
			Within: func(_ context.Context, _ *metadb.Tx, o warehouse.Rewritten) error { told = o; return nil }}))
		if out.Epoch != 1 || told.Snapshot != out.Snapshot || must(w.Current(t.Context(), acme)) != out.Snapshot {
			t.Errorf("the outcome is %+v, told %+v", out, told)
		}
		for _, f := range out.Files {
			if f.BeforeSHA256 == f.AfterSHA256 || len(f.AfterSHA256) != 64 || f.Rows == 0 {
				t.Errorf("file %+v", f)
			}
		}
		for _, sn := range snaps {
			if got := ask(t, w, acme, sn.ID, sums); strings.Join(got, "|") != strings.Join(before[sn.ID], "|") {
				t.Errorf("snapshot %d: %v became %v", sn.ID, before[sn.ID], got)
			}
			if got := ask(t, w, acme, sn.ID, "SELECT count(*) FROM hours WHERE who = 'annabelle'"); got[0] != "0" {
				t.Errorf("snapshot %d still shows the name", sn.ID)
			}
		}
		must(w.SweepNow(t.Context(), acme))
		for _, f := range holding(t, dir, "annabelle") {
			if !strings.Contains(f, string(filepath.Separator)+"beta"+string(filepath.Separator)) {
				t.Errorf("%s still holds the name", f)
			}
		}
		if got := ask(t, w, beta, 0, "SELECT who FROM hours"); got[0] != "annabelle" {
			t.Errorf("another tenant's row is %v", got)
		}
		verifyClean(t, w, acme)
		if err := held.Exec(t.Context(), "CREATE TABLE st AS "+hoursSQL([4]string{"9", "2026-01-09", "annabelle", "1"})); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(t.Context(), acme, warehouse.Change{Session: held, Kind: "import", Staged: []warehouse.Staged{{Table: "hours", Relation: "st"}}}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("what was prepared before the rewriting committed: %v", err)
		}
		if _, err := w.Rollback(t.Context(), acme, snaps[0].ID, nil); err != nil {
			t.Errorf("a rollback to a rewritten snapshot: %v", err)
		}
		verifyClean(t, w, acme)
	})
}

func TestAnotherProcessReadsTheRewrittenFiles(t *testing.T) {
	t.Parallel()
	db, dsn := metadbtest.Open(t, metadb.SQLite)
	dir := t.TempDir()
	here := openWarehouse(t, db, dir)
	one := commit(t, here, acme, map[string]string{"hours": batchSQL(1, 50)})
	commit(t, here, acme, map[string]string{"hours": batchSQL(2, 50)})
	other := must(metadb.Open(t.Context(), dsn))
	defer other.Close()
	there := openWarehouse(t, other, dir)
	for range 2 { // the second answer comes from what it keeps in memory
		if got := ask(t, there, acme, one.Snapshot, "SELECT count(*) FROM hours WHERE who = 'w1'"); got[0] != "10" {
			t.Fatalf("got %v", got)
		}
	}
	must(rewrite(t.Context(), here, acme, warehouse.Rewriting{Edits: rename("w1", "gone"), Kind: "erasure"}))
	must(here.SweepNow(t.Context(), acme))
	if got := ask(t, there, acme, one.Snapshot, "SELECT count(*) FILTER (who = 'w1'), count(*) FILTER (who = 'gone') FROM hours"); got[0] != "0 10" {
		t.Errorf("the other process sees %v", got)
	}
}

// childRewrites gives one person a new name again and again, each in all snapshots.
func childRewrites(dsn, dir string) {
	w := childOpen(dsn, dir)
	was := os.Getenv("MOAT_CHILD_NAME")
	for i := 0; ; i++ {
		is := fmt.Sprintf("%s.%d", os.Getenv("MOAT_CHILD_START"), i)
		must(rewrite(context.Background(), w, acme, warehouse.Rewriting{Edits: rename(was, is), Kind: "erasure"}))
		fmt.Println("renamed", is)
		was = is
	}
}

func TestAKilledRewritingIsWhollyDoneOrNotAtAll(t *testing.T) {
	t.Parallel()
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			db, dsn := metadbtest.Open(t, e)
			dir := t.TempDir()
			w := openWarehouse(t, db, dir)
			for n := range 3 {
				commit(t, w, acme, map[string]string{"hours": batchSQL(n, 100), "rates": ratesSQL([3]string{"w1", "", strconv.Itoa(50 + n)})})
			}
			snaps := must(w.Snapshots(t.Context(), acme))
			rnd := rand.New(rand.NewPCG(2, uint64(len(e))))
			done := 0
			for kill := range kills(10, 200) {
				name := names(t, w, snaps)
				child := exec.Command(os.Args[0])
				child.Env = append(os.Environ(), "MOAT_CHILD=rewrite", "MOAT_CHILD_DB="+dsn, "MOAT_CHILD_DIR="+dir, "MOAT_CHILD_NAME="+name, fmt.Sprintf("MOAT_CHILD_START=k%d", kill))
				out := must(child.StdoutPipe())
				if err := child.Start(); err != nil {
					t.Fatal(err)
				}
				var timer <-chan time.Time
				lines := make(chan string)
				go func() {
					defer close(lines)
					for s := bufio.NewScanner(out); s.Scan(); {
						lines <- s.Text()
					}
				}()
				for open := true; open; {
					select {
					case _, ok := <-lines:
						if open = ok; ok {
							done++
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
			names(t, w, snaps)
			if done < kills(10, 200) {
				t.Errorf("only %d rewritings ended: the test kills too early to mean anything", done)
			}
			verifyClean(t, w, acme)
		})
	}
}

// names returns the one name that the person has in every snapshot and table; two at once
// are a half rewriting.
func names(t *testing.T, w *warehouse.Warehouse, snaps []warehouse.SnapshotInfo) string {
	t.Helper()
	found := map[string]bool{}
	for _, sn := range snaps {
		if sn.Kind != "import" {
			continue
		}
		for _, table := range []string{"hours", "rates", "rollup_hours"} {
			for _, n := range ask(t, w, acme, sn.ID, "SELECT DISTINCT who FROM "+table+" WHERE who NOT IN ('w0', 'w2', 'w3', 'w4')") {
				found[n] = true
			}
		}
	}
	if len(found) != 1 {
		t.Fatalf("the person has the names %v", found)
	}
	for n := range found {
		return n
	}
	return ""
}

// What a killed process was preparing may hold what must be gone; what another one prepares
// is its own.
func TestFoldersOfKilledProcessesGoAtOnceAndThoseInUseStay(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	dir := t.TempDir()
	w := openWarehouse(t, db, dir)
	live := must(w.NewSession(t.Context(), acme))
	dead := filepath.Join(dir, "tmp", "session-dead")
	if err := os.Mkdir(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{dead + ".lock", filepath.Join(dead, "out.parquet")} {
		if err := os.WriteFile(f, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must(w.SweepNow(t.Context(), acme))
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("the folder of a killed process is left: %v", err)
	}
	if _, err := os.Stat(live.Dir()); err != nil {
		t.Errorf("the folder of a session in use: %v", err)
	}
	if err := live.Close(); err != nil {
		t.Error(err)
	}
	if left := must(filepath.Glob(filepath.Join(dir, "tmp", "session-*"))); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
