package warehouse_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func TestAStatementThatCannotBeginReleasesWhatItHolds(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w := openWarehouse(t, db, t.TempDir())
	commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "2"})})
	uses := []warehouse.TableUse{{Name: "hours"}}
	for name, c := range map[string]struct {
		st   warehouse.Statement
		want fault.Kind
	}{
		"a table that does not exist":            {warehouse.Statement{Uses: append(uses, warehouse.TableUse{Name: "nothing"})}, fault.NotFound},
		"a helper over one that does not exist":  {warehouse.Statement{Uses: uses, Helpers: []warehouse.Helper{{Name: "h", Tables: []string{"nothing"}, SQL: "SELECT 1"}}}, fault.NotFound},
		"a helper whose statement cannot be run": {warehouse.Statement{Uses: uses, Helpers: []warehouse.Helper{{Name: "h", Tables: []string{"hours"}, SQL: "SELECT nothing FROM hours"}}}, fault.Internal},
	} {
		c.st.SQL = hoursByWho
		if _, err := w.Query(t.Context(), acme, c.st); fault.KindOf(err) != c.want {
			t.Errorf("%s: got %v (%s), want %s", name, err, fault.KindOf(err), c.want)
		}
	}
	if n := w.HeldUsers(); n != 0 {
		t.Errorf("%d statements are counted as running, none is", n)
	}
}

func TestGivenUpStatementsLeaveNoTableBehind(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w := openWarehouse(t, db, t.TempDir())
	commit(t, w, acme, map[string]string{"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "2"})})
	for i := range 300 { // a canceled statement may have made its table all the same
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(200+20*i)*time.Microsecond)
		_, err := w.Query(ctx, acme, warehouse.Statement{SQL: "SELECT * FROM h", Helpers: []warehouse.Helper{{Name: "h", Tables: []string{"hours"}, SQL: fmt.Sprintf("SELECT %d AS a, i FROM range(1000) t(i)", i)}}})
		if err != nil && fault.KindOf(err) != fault.Canceled {
			t.Fatal(err)
		}
		cancel()
	}
	known, made, err := w.HeldTables()
	if err != nil || made != known || w.HeldUsers() != 0 {
		t.Errorf("the engine has %d tables, %d are known and %d in use (%v)", made, known, w.HeldUsers(), err)
	}
}

// Sums are held however large their tables are; what turns out to be larger than sums are is
// read each time, and not made in memory again.
func TestSumsAreHeldUnlessThereAreTooMany(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w := openWarehouse(t, db, t.TempDir())
	commit(t, w, acme, map[string]string{"hours": "SELECT md5(i::VARCHAR)::UUID AS row_id, 'csv' AS source_system, i::VARCHAR AS source_id, 1::BIGINT AS import_id, i AS record, DATE '2026-01-05' AS day, (i % 7)::VARCHAR AS who, 1::DECIMAL(9,4) AS hours FROM range(100001) t(i)"})
	for _, k := range []struct {
		sql         string
		sums        bool
		rows        int64
		known, made int
	}{
		{"SELECT who, sum(hours) AS h FROM hours GROUP BY who", false, 7, 0, 0},
		{"SELECT who, sum(hours) AS h FROM hours GROUP BY who", true, 7, 1, 1},
		{"SELECT record, a FROM hours, (VALUES (1), (2)) t(a)", true, 200_002, 2, 1},
		{"SELECT record, a FROM hours, (VALUES (1), (2)) t(a)", true, 200_002, 2, 1},
	} {
		rows, err := w.Query(t.Context(), acme, warehouse.Statement{SQL: "SELECT count(*) FROM h", Helpers: []warehouse.Helper{{Name: "h", Tables: []string{"hours"}, SQL: k.sql, Sums: k.sums}}})
		if err != nil {
			t.Fatal(err)
		}
		known, made, err := w.HeldTables()
		if rows.Rows[0][0] != k.rows || known != k.known || made != k.made || err != nil || w.HeldUsers() != 0 {
			t.Errorf("%s: %v rows, %d known, %d made, %d in use (%v); want %+v", k.sql, rows.Rows[0][0], known, made, w.HeldUsers(), err, k)
		}
	}
}
