package dataset_test

import (
	"slices"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

const ownForm = "wer,wen,wann,wielange\nDana,Harbor,03/04/2026,90\n"

func TestAMappingIsKeptForTheNextFileOfItsFormUntilItIsForgotten(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	m := dataset.Mapping{Dataset: "time_entries", Columns: map[string]string{"wer": "staff_name", "wen": "client_name", "wann": "work_date", "wielange": "hours_worked"},
		Units: map[string]string{"wielange": "minutes"}, Options: dataset.MappingOptions{DateOrder: "dmy"}}
	x.fixed(t, "april.csv", ownForm, m)
	list, err := x.Mappings(t.Context(), acme)
	if err != nil || len(list) != 1 {
		t.Fatalf("got %v, %v, want one mapping", list, err)
	}
	want(t, "says", list[0].Mapping.Words(), "wann is work_date, wen is client_name, wer is staff_name, wielange is hours_worked, wielange is in minutes, dates are dmy")

	r := x.load(t, "may.csv", "Wer,Wen,Wann,Wielange\nDana,Harbor,03/05/2026,30\n", dataset.ImportRequest{})
	want(t, "used", codes(r)["saved_mapping"], int64(1))
	want(t, "hours", x.rows(t, "SELECT work_date, hours_worked FROM time_entries ORDER BY 1", "time_entries"), []string{"2026-04-03|1.5", "2026-05-03|0.5"})

	// Another word replaces it; a mapping of another source is its own.
	m.Options.DateOrder = "mdy"
	x.fixed(t, "june.csv", "wer,wen,wann,wielange\nDana,Harbor,06/07/2026,60\n", m)
	m.Options.SourceSystem = "other"
	x.fixed(t, "other.csv", "wer,wen,wann,wielange\nDana,Harbor,07/07/2026,60\n", m)
	if list, err = x.Mappings(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	want(t, "kept", len(list), 2)
	own := list[slices.IndexFunc(list, func(m dataset.SavedMapping) bool { return m.SourceSystem == "csv" })]
	want(t, "replaced", own.Mapping.Options.DateOrder, "mdy")

	if err := x.ForgetMapping(t.Context(), acme, own.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := x.SavedMapping(t.Context(), acme, own.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v, want not found", err)
	}
	x.fails(t, "july.csv", ownForm, "none of its columns is known", dataset.ImportRequest{})
}

func TestAFixOfOneFileIsNotKeptForTheNext(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	soon, half := "soon", "0.5"
	x.fixed(t, "time.csv", "staff_name,client_name,date,hours\nDana,Harbor,2026-03-01,soon\n", dataset.Mapping{Corrections: []dataset.Correction{{Column: "hours", Is: &soon, Set: &half}}})
	list, err := x.Mappings(t.Context(), acme)
	if err != nil || len(list) != 0 {
		t.Errorf("got %v, %v, want none", list, err)
	}
}
