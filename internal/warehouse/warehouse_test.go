package warehouse_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

var acme = tenant.Scope{Tenant: "acme", Actor: "test"}

var provenance = []string{"import_id", "record"}

func system(more ...warehouse.Column) []warehouse.Column {
	return append([]warehouse.Column{
		{ID: 1, Name: "row_id", Type: "UUID"}, {ID: 2, Name: "source_system", Type: "VARCHAR"}, {ID: 3, Name: "source_id", Type: "VARCHAR"},
		{ID: 4, Name: "import_id", Type: "BIGINT"}, {ID: 5, Name: "record", Type: "BIGINT"},
	}, more...)
}

const hoursAtCost = `SELECT date_trunc('month', h.day)::DATE AS month, h.day, h.who, h.hours, h.hours::DECIMAL(18,4) * r.rate AS cost
FROM hours h LEFT JOIN rates r ON r.who = h.who AND r.valid_from IS NULL`

var schema = warehouse.Schema{
	Tables: []warehouse.Table{
		{Name: "hours", Month: "day", Provenance: provenance, Columns: system(
			warehouse.Column{ID: 10, Name: "day", Type: "DATE"}, warehouse.Column{ID: 11, Name: "who", Type: "VARCHAR"}, warehouse.Column{ID: 12, Name: "hours", Type: "DECIMAL(9,4)"})},
		{Name: "rates", Effective: true, Provenance: provenance, Columns: system(
			warehouse.Column{ID: 7, Name: "valid_from", Type: "DATE"}, warehouse.Column{ID: 8, Name: "valid_to", Type: "DATE"},
			warehouse.Column{ID: 10, Name: "who", Type: "VARCHAR"}, warehouse.Column{ID: 11, Name: "rate", Type: "DECIMAL(18,6)"})},
	},
	Rollups: []warehouse.Rollup{{
		Table: warehouse.Table{Name: "rollup_hours", Month: "month", Columns: []warehouse.Column{
			{ID: 1, Name: "month", Type: "DATE"}, {ID: 2, Name: "who", Type: "VARCHAR"}, {ID: 3, Name: "hours", Type: "DECIMAL(38,4)"}, {ID: 4, Name: "cost", Type: "DECIMAL(38,10)"}}},
		Keys: 2, Source: "hours", Joins: []string{"rates"}, Rows: hoursAtCost,
	}, {
		Table: warehouse.Table{Name: "rollup_days", Month: "day", Columns: []warehouse.Column{
			{ID: 1, Name: "day", Type: "DATE"}, {ID: 2, Name: "hours", Type: "DECIMAL(38,4)"}}},
		Keys: 1, Source: "hours", Joins: []string{"rates"}, Rows: hoursAtCost,
	}},
}

func openWarehouse(t *testing.T, db *metadb.DB, dir string) *warehouse.Warehouse {
	t.Helper()
	w, err := warehouse.Open(t.Context(), db, dir, schema, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// stage makes a relation of hours rows: "id day who hours" each; id "" is keyed by content.
func hoursSQL(rows ...[4]string) string {
	sql := "SELECT NULL::UUID AS row_id, 'csv' AS source_system, NULL::VARCHAR AS source_id, 1::BIGINT AS import_id, 0::BIGINT AS record, NULL::DATE AS day, NULL::VARCHAR AS who, NULL::DECIMAL(9,4) AS hours WHERE false"
	for i, r := range rows {
		key, id := "'csv"+r[0]+"'", "'"+r[0]+"'"
		if r[0] == "" {
			key, id = fmt.Sprintf("'%s%s%s'", r[1], r[2], r[3]), "NULL"
		}
		sql += fmt.Sprintf(" UNION ALL SELECT md5(%s)::UUID, 'csv', %s, 1, %d, DATE '%s', '%s', %s", key, id, i+1, r[1], r[2], r[3])
	}
	return sql
}

func ratesSQL(rows ...[3]string) string {
	sql := "SELECT NULL::UUID AS row_id, 'csv' AS source_system, NULL::VARCHAR AS source_id, 1::BIGINT AS import_id, 0::BIGINT AS record, NULL::DATE AS valid_from, NULL::DATE AS valid_to, NULL::VARCHAR AS who, NULL::DECIMAL(18,6) AS rate WHERE false"
	for i, r := range rows {
		from := "NULL"
		if r[1] != "" {
			from = "DATE '" + r[1] + "'"
		}
		sql += fmt.Sprintf(" UNION ALL SELECT NULL, 'csv', '%s', 1, %d, %s, NULL, '%s', %s", r[0], i+1, from, r[0], r[2])
	}
	return sql
}

func commit(t *testing.T, w *warehouse.Warehouse, scope tenant.Scope, staged map[string]string, opts ...func(*warehouse.Change)) warehouse.Outcome {
	t.Helper()
	out, err := tryCommit(t.Context(), w, scope, staged, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryCommit(ctx context.Context, w *warehouse.Warehouse, scope tenant.Scope, staged map[string]string, opts ...func(*warehouse.Change)) (warehouse.Outcome, error) {
	s, err := w.NewSession(ctx, scope)
	if err != nil {
		return warehouse.Outcome{}, err
	}
	defer s.Close()
	c := warehouse.Change{Session: s, Kind: "import", Message: "test", Today: quantity.NewDay(2026, 6, 15)}
	for table, sql := range staged {
		if err := s.Exec(ctx, "CREATE TABLE st_"+table+" AS "+sql); err != nil {
			return warehouse.Outcome{}, err
		}
		c.Staged = append(c.Staged, warehouse.Staged{Table: table, Relation: "st_" + table})
	}
	for _, o := range opts {
		o(&c)
	}
	return w.Commit(ctx, scope, c)
}

// ask runs SQL over all tables and returns the rows as text.
func ask(t *testing.T, w *warehouse.Warehouse, scope tenant.Scope, snap warehouse.Snapshot, sql string) []string {
	t.Helper()
	rows, err := w.Query(t.Context(), scope, warehouse.Statement{Snapshot: snap, SQL: sql, Uses: []warehouse.TableUse{{Name: "hours"}, {Name: "rates"}, {Name: "rollup_hours"}}})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, r := range rows.Rows {
		out = append(out, strings.TrimSpace(fmt.Sprintln(r...)))
	}
	return out
}

const hoursByWho = "SELECT who, sum(hours)::VARCHAR AS h, count(*)::VARCHAR FROM hours GROUP BY who ORDER BY who"

func testWarehouse(t *testing.T, open func(t *testing.T) *metadb.DB) {
	t.Run("what is held in memory is dropped for lack of room and made again", func(t *testing.T) {
		t.Parallel()
		w := openWarehouse(t, open(t), t.TempDir())
		held := w.HoldOnly(8)
		const snapshots = 6
		for i := range snapshots { // each has a row more, so its own files
			commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"", fmt.Sprintf("2026-01-%02d", i+1), "ann", "1"})})
		}
		list, err := w.Snapshots(t.Context(), acme)
		if err != nil || len(list) != snapshots+1 { // the first made the tables
			t.Fatal(list, err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i := range 5 * snapshots {
					snap := list[i%snapshots]
					rows, err := w.Query(t.Context(), acme, warehouse.Statement{Snapshot: snap.ID, SQL: "SELECT (SELECT count(*) FROM hours), (SELECT n FROM people)", Uses: []warehouse.TableUse{{Name: "hours"}},
						Helpers: []warehouse.Helper{{Name: "people", Tables: []string{"hours"}, SQL: "WITH h AS (SELECT * FROM hours) SELECT count(*) AS n FROM h"}}})
					if want := int64(snapshots - i%snapshots); err != nil || rows.Rows[0][0] != want || rows.Rows[0][1] != want {
						t.Errorf("snapshot %d: want %d rows: %v %v", snap.ID, want, rows, err)
					}
				}
			})
		}
		wg.Wait()
		if n := held(); n > 8+4*7 { // what running statements use stays
			t.Errorf("%d rows are held", n)
		}
	})
	t.Run("the same rows twice change nothing", func(t *testing.T) {
		t.Parallel()
		w := openWarehouse(t, open(t), t.TempDir())
		rows := map[string]string{"hours": hoursSQL([4]string{"", "2026-01-05", "ann", "2.5"}, [4]string{"7", "2026-02-05", "bob", "1.25"})}
		first := commit(t, w, acme, rows)
		if want := (warehouse.Counts{Added: 2}); first.Counts != want || !first.Changed {
			t.Fatalf("first commit: got %+v changed %v, want %+v", first.Counts, first.Changed, want)
		}
		second := commit(t, w, acme, rows)
		if want := (warehouse.Counts{Unchanged: 2}); second.Counts != want || second.Changed || second.Snapshot != first.Snapshot {
			t.Fatalf("second commit: got %+v snapshot %d changed %v, want %+v snapshot %d", second.Counts, second.Snapshot, second.Changed, want, first.Snapshot)
		}
		if diff := cmp.Diff([]string{"ann 2.5000 1", "bob 1.2500 1"}, ask(t, w, acme, 0, hoursByWho)); diff != "" {
			t.Error(diff)
		}
		verifyClean(t, w, acme)
	})
	t.Run("a row that moved month is found and moved", func(t *testing.T) {
		t.Parallel()
		w := openWarehouse(t, open(t), t.TempDir())
		commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"7", "2025-11-05", "bob", "1"}, [4]string{"8", "2026-01-01", "bob", "2"})})
		out := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"7", "2026-03-05", "bob", "4"})})
		if want := (warehouse.Counts{Updated: 1}); out.Counts != want {
			t.Errorf("got %+v, want %+v", out.Counts, want)
		}
		got := ask(t, w, acme, 0, "SELECT month, hours::VARCHAR FROM rollup_hours ORDER BY month")
		if diff := cmp.Diff([]string{"2026-01-01 00:00:00 +0000 UTC 2.0000", "2026-03-01 00:00:00 +0000 UTC 4.0000"}, got); diff != "" {
			t.Error(diff)
		}
		verifyClean(t, w, acme)
	})
	t.Run("a new rate without a day starts today, an equal one changes nothing", func(t *testing.T) {
		t.Parallel()
		w := openWarehouse(t, open(t), t.TempDir())
		rate := func(r ...[3]string) warehouse.Outcome {
			return commit(t, w, acme, map[string]string{"rates": ratesSQL(r...)})
		}
		rate([3]string{"ann", "", "40"})
		if out := rate([3]string{"ann", "", "40"}); out.Changed {
			t.Error("an equal rate made a snapshot")
		}
		if n := rate([3]string{"ann", "", "50"}, [3]string{"bob", "", "30"}).Counts; n != (warehouse.Counts{Added: 1, Updated: 1}) {
			t.Errorf("a new rate of a known person and a new person: %+v", n)
		}
		if out := rate([3]string{"ann", "", "50"}); out.Changed {
			t.Error("the new rate given again made a snapshot")
		}
		got := ask(t, w, acme, 0, "SELECT coalesce(valid_from::VARCHAR, 'ever'), rate::VARCHAR FROM rates WHERE who = 'ann' ORDER BY valid_from NULLS FIRST")
		if diff := cmp.Diff([]string{"ever 40.000000", "2026-06-15 50.000000"}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a closed month does not change", func(t *testing.T) {
		t.Parallel()
		w := openWarehouse(t, open(t), t.TempDir())
		january := quantity.NewDay(2026, 1, 1)
		first := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"7", "2026-01-05", "ann", "2"})})
		shut := func(closed bool) bool {
			changed, err := w.CloseMonth(t.Context(), acme, january, closed, nil)
			if err != nil {
				t.Fatal(err)
			}
			return changed
		}
		if !shut(true) || shut(true) {
			t.Error("closing twice")
		}
		february := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"8", "2026-02-05", "ann", "3"})})
		for name, staged := range map[string]map[string]string{
			"a row more":              {"hours": hoursSQL([4]string{"9", "2026-01-06", "ann", "1"})},
			"a row changed":           {"hours": hoursSQL([4]string{"7", "2026-01-05", "ann", "2.5"})},
			"a row moved away":        {"hours": hoursSQL([4]string{"7", "2026-02-05", "ann", "2"})},
			"a rate that holds there": {"rates": ratesSQL([3]string{"ann", "", "50"})},
		} {
			if _, err := tryCommit(t.Context(), w, acme, staged); fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.Message(err), "2026-01") {
				t.Errorf("%s: %v", name, err)
			}
		}
		commit(t, w, acme, map[string]string{"rates": ratesSQL([3]string{"ann", "2026-02-01", "50"})})
		if _, err := w.Rollback(t.Context(), acme, first.Snapshot-1, nil); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a rollback to before the month: %v", err)
		}
		if out, err := w.Rollback(t.Context(), acme, february.Snapshot, nil); err != nil || !out.Changed {
			t.Errorf("a rollback that leaves the month as it is: %v", err)
		}
		if _, err := w.CloseMonth(t.Context(), acme, quantity.DayOf(time.Now()), true, nil); fault.KindOf(err) != fault.Invalid {
			t.Errorf("closing the running month: %v", err)
		}
		if months, err := w.ClosedMonths(t.Context(), acme); err != nil || len(months) != 1 || months[0].Month != january || months[0].Actor != "test" {
			t.Errorf("closed: %v %v", months, err)
		}
		if other, err := w.ClosedMonths(t.Context(), tenant.Scope{Tenant: "bolt", Actor: "test"}); err != nil || len(other) != 0 {
			t.Errorf("another tenant's: %v %v", other, err)
		}
		if !shut(false) || shut(false) {
			t.Error("opening twice")
		}
		commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"9", "2026-01-06", "ann", "1"})})
		if problems, err := w.Verify(t.Context(), acme); err != nil || len(problems) > 0 {
			t.Error(problems, err)
		}
	})
	t.Run("a changed rate rebuilds the roll-up in the same snapshot", func(t *testing.T) {
		t.Parallel()
		w := openWarehouse(t, open(t), t.TempDir())
		commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"7", "2026-01-05", "ann", "2"})})
		commit(t, w, acme, map[string]string{"rates": ratesSQL([3]string{"ann", "", "40"})})
		if diff := cmp.Diff([]string{"80.0000000000"}, ask(t, w, acme, 0, "SELECT cost::VARCHAR FROM rollup_hours")); diff != "" {
			t.Error(diff)
		}
		verifyClean(t, w, acme)
	})
	t.Run("rollback shows the old rows again and loses nothing", func(t *testing.T) {
		t.Parallel()
		w := openWarehouse(t, open(t), t.TempDir())
		a := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "2"})})
		before := ask(t, w, acme, 0, hoursByWho)
		b := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "3"}, [4]string{"2", "2026-01-06", "bob", "1"})})
		out, err := w.Rollback(t.Context(), acme, a.Snapshot, nil)
		if err != nil {
			t.Fatal(err)
		}
		if out.Snapshot <= b.Snapshot {
			t.Errorf("rollback made snapshot %d, want one after %d", out.Snapshot, b.Snapshot)
		}
		if diff := cmp.Diff(before, ask(t, w, acme, 0, hoursByWho)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"ann 3.0000 1", "bob 1.0000 1"}, ask(t, w, acme, b.Snapshot, hoursByWho)); diff != "" {
			t.Error("the snapshot between is gone:", diff)
		}
		if again, err := w.Rollback(t.Context(), acme, a.Snapshot, nil); err != nil || again.Changed {
			t.Errorf("second rollback to the same: got %+v %v, want nothing changed", again, err)
		}
		verifyClean(t, w, acme)
	})
	t.Run("rows that a source no longer has are deleted only when it says so", func(t *testing.T) {
		t.Parallel()
		w := openWarehouse(t, open(t), t.TempDir())
		commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "2"}, [4]string{"2", "2026-01-06", "ann", "2"}, [4]string{"3", "2026-01-06", "bob", "2"})})
		out := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "2"})}, func(c *warehouse.Change) { c.Staged[0].Replace = "who = 'ann'" })
		if want := (warehouse.Counts{Unchanged: 1, Deleted: 1}); out.Counts != want {
			t.Errorf("got %+v, want %+v", out.Counts, want)
		}
		if diff := cmp.Diff([]string{"ann 2.0000 1", "bob 2.0000 1"}, ask(t, w, acme, 0, hoursByWho)); diff != "" {
			t.Error(diff)
		}
		verifyClean(t, w, acme)
	})
	t.Run("one tenant never sees another's rows", func(t *testing.T) {
		t.Parallel()
		w := openWarehouse(t, open(t), t.TempDir())
		out := commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "2"})})
		other := tenant.Scope{Tenant: "other", Actor: "test"}
		if got := ask(t, w, other, 0, hoursByWho); len(got) != 0 {
			t.Errorf("other tenant reads %v", got)
		}
		if _, err := w.Query(t.Context(), other, warehouse.Statement{Snapshot: out.Snapshot, SQL: "SELECT 1"}); err == nil {
			t.Error("another tenant's snapshot can be read")
		}
	})
	t.Run("a month with many rows gets its own file", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		w := openWarehouse(t, open(t), dir)
		many := "SELECT md5(i::VARCHAR)::UUID AS row_id, 'csv' AS source_system, NULL::VARCHAR AS source_id, 1::BIGINT AS import_id, i AS record, CASE WHEN i < 60000 THEN DATE '2026-01-10' ELSE DATE '2026-02-10' END AS day, 'w' || (i % 7) AS who, 1::DECIMAL(9,4) AS hours FROM range(60100) r(i)"
		out := commit(t, w, acme, map[string]string{"hours": many})
		if out.Counts.Added != 60100 {
			t.Fatalf("added %d rows, want 60100", out.Counts.Added)
		}
		for _, part := range []string{"2026-01", "2026"} {
			if files, _ := filepath.Glob(filepath.Join(dir, "warehouse", "acme", "hours", part, "*.parquet")); len(files) != 1 {
				t.Errorf("part %s has %d files, want 1", part, len(files))
			}
		}
		if again := commit(t, w, acme, map[string]string{"hours": many}); again.Changed || again.Counts.Unchanged != 60100 {
			t.Errorf("second time: got %+v", again)
		}
		verifyClean(t, w, acme)
	})
}

func verifyClean(t *testing.T, w *warehouse.Warehouse, scope tenant.Scope) {
	t.Helper()
	problems, err := w.Verify(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("verify: %+v", p)
	}
}

func TestWarehouseOnBothEngines(t *testing.T) {
	t.Parallel()
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			testWarehouse(t, func(t *testing.T) *metadb.DB {
				db, _ := metadbtest.Open(t, e)
				return db
			})
		})
	}
}

func TestNamedQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, warehouse.NamedQueries())
}
