package dataset_test

import (
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

func TestAnImportIsUndoneWhateverCameAfterIt(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	ctx := t.Context()
	const head = "time_entry_id,staff_name,client_name,date,hours\n"
	const rows = "SELECT source_id, hours_worked FROM time_entries ORDER BY 1"
	first := x.load(t, "a.csv", head+"1,Dana,Harbor,2026-01-05,1\n2,Dana,Harbor,2026-01-06,2\n3,Dana,Harbor,2026-01-07,3\n")
	second := x.load(t, "b.csv", head+"2,Dana,Harbor,2026-01-06,22\n3,Dana,Harbor,2026-02-07,33\n4,Dana,Harbor,2026-02-08,4\n")
	x.load(t, "c.csv", head+"3,Dana,Harbor,2026-02-07,333\n5,Dana,Harbor,2026-02-09,5\n")
	if _, err := x.Undo(ctx, acme, second.ImportID); err != nil {
		t.Fatal(err)
	}
	// 2 is as it was, 4 is gone; 3 was changed again later and stays, 5 came later.
	want(t, "after the undo", strings.Join(x.rows(t, rows, "time_entries"), " "), "1|1 2|2 3|333 5|5")
	if _, err := x.Undo(ctx, acme, second.ImportID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("undone twice: %v", err)
	}
	imp, err := x.Record(ctx, acme, second.ImportID)
	if err != nil || imp.Status != "undone" {
		t.Errorf("record: %q, %v", imp.Status, err)
	}
	same := x.load(t, "d.csv", head+"1,Dana,Harbor,2026-01-05,1\n6,Dana,Harbor,2026-02-10,6\n")
	if _, err := x.Undo(ctx, acme, first.ImportID); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "d.csv") {
		t.Errorf("a later file holds a row of it: %v", err)
	}
	if _, err := x.Undo(ctx, acme, same.ImportID); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Undo(ctx, acme, first.ImportID); err != nil {
		t.Fatal(err)
	}
	want(t, "without the first", strings.Join(x.rows(t, rows, "time_entries"), " "), "3|333 5|5")
}

func TestUndoBringsBackWhatAFileReplacedAndEarlierRates(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	ctx := t.Context()
	const rows = "SELECT work_date, hours_worked FROM time_entries ORDER BY 1"
	x.load(t, "a.csv", timeHeader+"Dana,Harbor,2026-01-05,1\nDana,Harbor,2026-01-06,2\n")
	second := x.load(t, "a.csv", timeHeader+"Dana,Harbor,2026-01-05,1.5\nDana,Harbor,2026-01-06,2\n", dataset.ImportRequest{Replace: dataset.ReplacePeriod})
	want(t, "replaced", strings.Join(x.rows(t, rows, "time_entries"), " "), "2026-01-05|1.5 2026-01-06|2")
	x.load(t, "staff.csv", "staff_name,cost_rate,valid_from\nDana,50,2026-01-01\n")
	rate := x.load(t, "staff.csv", "staff_name,cost_rate,valid_from\nDana,55,2026-01-01\nKim,60,2026-02-01\n")
	x.load(t, "more.csv", timeHeader+"Dana,Harbor,2026-03-05,3\n")
	for _, id := range []int64{rate.ImportID, second.ImportID} {
		if _, err := x.Undo(ctx, acme, id); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "hours", strings.Join(x.rows(t, rows, "time_entries"), " "), "2026-01-05|1 2026-01-06|2 2026-03-05|3")
	want(t, "rates", strings.Join(x.rows(t, "SELECT cost_rate, valid_from FROM staff ORDER BY 1", "staff"), " "), "50|2026-01-01")
}

func TestAnImportThatCameAgainUnchangedCanBeUndoneAllTheSame(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	ctx := t.Context()
	const text = "time_entry_id,staff_name,client_name,date,hours\n1,Dana,Harbor,2026-01-05,1\n"
	first := x.load(t, "a.csv", text)
	x.load(t, "clients.csv", "client_name\nHarbor\n")
	again := x.load(t, "a.csv", text)
	if _, err := x.Undo(ctx, acme, first.ImportID); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("its rows came again: %v", err)
	}
	out, err := x.Undo(ctx, acme, again.ImportID)
	if err != nil || out.Changed || out.Snapshot != again.Snapshot {
		t.Fatalf("the import that changed nothing: %+v, %v", out, err)
	}
	want(t, "rows", strings.Join(x.rows(t, "SELECT source_id FROM time_entries", "time_entries"), " "), "1")
	if _, err := x.Undo(ctx, acme, again.ImportID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("undone twice: %v", err)
	}
	if _, err := x.Undo(ctx, acme, first.ImportID); err != nil {
		t.Fatal(err)
	}
	want(t, "rows", strings.Join(x.rows(t, "SELECT source_id FROM time_entries", "time_entries"), " "), "")
}
