package govern_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func (x *world) due(t *testing.T, dataset string, what govern.What) govern.Due {
	t.Helper()
	list, err := x.Preview(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(d govern.Due) bool { return d.Dataset == dataset && d.What == what })
	if i < 0 {
		t.Fatalf("there is no rule for %s of %s", what, dataset)
	}
	return list[i]
}

func (x *world) count(t *testing.T, table, where string) int64 {
	t.Helper()
	rows, err := x.w.Query(t.Context(), acme, warehouse.Statement{SQL: "SELECT count(*) FROM " + table + " WHERE " + where, Uses: []warehouse.TableUse{{Name: table}}})
	if err != nil {
		t.Fatal(err)
	}
	return rows.Rows[0][0].(int64)
}

func TestFreeTextGoesFromAllSnapshotsAndRowsGoByASnapshot(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.send(t, "time.csv", timeCSV)
	if d := x.due(t, "time_entries", govern.Rows); d.Rows != 0 {
		t.Errorf("by default something is due: %+v", d)
	}
	x.set(t, "time_entries", govern.Private, 2) // what is older than May 2026
	if d := x.due(t, "time_entries", govern.Private); d.Rows != 3 || d.Cutoff.String() != "2026-05-01" || len(d.Of) != 2 || d.Of[0].String() != "2024-02-01" || d.Of[1].String() != "2026-03-01" {
		t.Errorf("due are %+v", d)
	}
	before := x.totals(t)
	if _, err := x.Apply(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	if left := x.count(t, "time_entries_private", "notes IS NOT NULL"); left != 1 {
		t.Errorf("%d notes are left, want the one of June", left)
	}
	for id, was := range before {
		if now := x.totals(t)[id]; now != was {
			t.Errorf("snapshot %d moved: %s, was %s", id, now, was)
		}
	}
	for _, f := range x.holding(t, "Took over from") {
		if strings.HasPrefix(f, "warehouse") {
			t.Errorf("a note is still in %s", f)
		}
	}
	x.set(t, "time_entries", govern.Rows, 24)
	if d := x.due(t, "time_entries", govern.Rows); d.Rows != 1 {
		t.Errorf("due are %+v", d)
	}
	applied, err := x.Apply(t.Context(), acme)
	if err != nil || len(applied.Due) != 1 {
		t.Fatalf("%+v, %v", applied, err)
	}
	if left := x.count(t, "time_entries", "true"); left != 3 {
		t.Errorf("%d rows are left, want 3", left)
	}
	snaps, err := x.w.Snapshots(t.Context(), acme)
	if err != nil || snaps[0].Kind != "retention" {
		t.Errorf("%+v, %v", snaps[0], err)
	}
	again, err := x.Apply(t.Context(), acme)
	if err != nil || len(again.Due) != 0 || again.Snapshot != applied.Snapshot {
		t.Errorf("a second run did %+v, %v", again, err)
	}
	x.verify(t)
}

func (x *world) set(t *testing.T, dataset string, what govern.What, months int) {
	t.Helper()
	if err := x.SetRule(t.Context(), acme, dataset, what, months); err != nil {
		t.Fatal(err)
	}
}

func TestClosedMonthsAndHoldsKeepWhatIsOld(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.send(t, "time.csv", timeCSV)
	x.set(t, "time_entries", govern.Rows, 1)
	if _, err := x.w.CloseMonth(t.Context(), acme, quantity.NewDay(2024, 2, 1), true, nil); err != nil {
		t.Fatal(err)
	}
	h, err := x.BeginHold(t.Context(), acme, govern.HoldSpec{Kind: govern.HoldDataset, Subject: "time_entries", From: "2026-03-06", To: "2026-03-07", Reason: "a dispute"})
	if err != nil {
		t.Fatal(err)
	}
	if d := x.due(t, "time_entries", govern.Rows); d.Rows != 1 || d.Held != 1 || d.Closed != 1 || len(d.Holds) != 1 || d.Holds[0].ID != h.ID {
		t.Errorf("due are %+v", d)
	}
	if _, err := x.Apply(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	if got := x.count(t, "time_entries", "source_id IN ('T-1', 'T-3', 'T-4')"); got != 3 || x.count(t, "time_entries", "true") != 3 {
		t.Errorf("%d of the rows to keep are there", got)
	}
	if err := x.EndHold(t.Context(), acme, h.ID); err != nil {
		t.Fatal(err)
	}
	if d := x.due(t, "time_entries", govern.Rows); d.Rows != 1 || d.Held != 0 {
		t.Errorf("after the hold %+v", d)
	}
}

func TestARuleMustBeOneThatCanBe(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	for _, c := range []struct {
		name, dataset string
		what          govern.What
		months        int
	}{
		{"rows without a date", "clients", govern.Rows, 12},
		{"no such dataset", "nothing", govern.Rows, 12},
		{"uploads of a dataset", "tickets", govern.Uploads, 12},
		{"nothing that is kept", "tickets", "photos", 12},
		{"a time before now", "tickets", govern.Rows, -1},
	} {
		if err := x.SetRule(t.Context(), acme, c.dataset, c.what, c.months); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
