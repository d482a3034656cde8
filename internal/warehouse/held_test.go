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
