package warehouse_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func TestARollupThatIsDeclaredOtherwiseIsComputedAgain(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		dir := t.TempDir()
		before := openWarehouse(t, db, dir)
		first := commit(t, before, acme, map[string]string{"rates": ratesSQL([3]string{"ann", "", "10"}),
			"hours": hoursSQL([4]string{"1", "2026-01-05", "ann", "2"}, [4]string{"2", "2026-02-05", "ann", "3"})})
		second := commit(t, before, acme, map[string]string{"hours": hoursSQL([4]string{"3", "2026-02-06", "ann", "1"})})
		if _, err := before.CloseMonth(t.Context(), acme, quantity.NewDay(2026, 1, 1), true, nil); err != nil {
			t.Fatal(err)
		}

		double := schema // an upgrade: cost is doubled
		double.Rollups = slices.Clone(schema.Rollups)
		double.Rollups[0].Rows = strings.Replace(double.Rollups[0].Rows, "* r.rate", "* r.rate * 2", 1)
		after := must(warehouse.Open(t.Context(), db, dir, double, warehouse.Options{}))
		defer after.Close()
		costs := func(snap warehouse.Snapshot) string {
			t.Helper()
			return strings.Join(ask(t, after, acme, snap, "SELECT strftime(month, '%m'), cost::DECIMAL(9,0) FROM rollup_hours ORDER BY 1"), ", ")
		}
		if diff := cmp.Diff([]string{"01 40, 02 60", "01 40, 02 80"}, []string{costs(first.Snapshot), costs(second.Snapshot)}); diff != "" {
			t.Errorf("before anything is stored again (-want +got):\n%s", diff)
		}
		verifyClean(t, after, acme)

		// A commit of one month computes all of them again; a closed month is not in the way.
		commit(t, after, acme, map[string]string{"hours": hoursSQL([4]string{"4", "2026-03-06", "ann", "1"})})
		if got := costs(0); got != "01 40, 02 80, 03 20" {
			t.Errorf("after a commit: got %s", got)
		}
		verifyClean(t, after, acme)
		if renewed := must(after.RenewRollups(t.Context(), acme)); renewed {
			t.Error("roll-ups were computed again for nothing")
		}

		// The version before, as a downgrade: nobody commits, the roll-ups are renewed.
		if got := ask(t, before, acme, 0, "SELECT sum(cost)::DECIMAL(9,0) FROM rollup_hours"); got[0] != "70" {
			t.Errorf("after a downgrade: got %s", got)
		}
		if renewed := must(before.RenewRollups(t.Context(), acme)); !renewed {
			t.Error("roll-ups were not computed again")
		}
		if got := ask(t, before, acme, 0, "SELECT sum(cost)::DECIMAL(9,0) FROM rollup_hours"); got[0] != "70" {
			t.Errorf("after they were computed again: got %s", got)
		}
		verifyClean(t, before, acme)
	})
}
