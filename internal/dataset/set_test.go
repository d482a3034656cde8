package dataset_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

func files(texts ...string) []dataset.ImportRequest {
	var reqs []dataset.ImportRequest
	for i := 0; i < len(texts); i += 2 {
		reqs = append(reqs, dataset.ImportRequest{Name: texts[i], Reader: strings.NewReader(texts[i+1])})
	}
	return reqs
}

func (x *world) set(t testing.TB, together bool, reqs []dataset.ImportRequest) []dataset.SetResult {
	t.Helper()
	set, err := x.ImportSet(t.Context(), acme, reqs, together)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

const (
	setTime    = "staff_name,client_name,date,hours\nDana,HARBOR DENTAL GROUP,2026-03-01,2\nDana,Summit Logistics,2026-03-02,3\n"
	setBadTime = setTime + "Dana,Harbor,2026-03-03,soon\n"
)

func TestFilesBuildOnEachOtherInWhateverOrderTheyCome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		together, dry bool
		snapshots     int // that of the empty tables included
	}{{"each", false, false, 3}, {"together", true, false, 2}, {"dry", false, true, 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			reqs := files("time.csv", setTime, "clients.csv", knownClients)
			reqs[0].DryRun, reqs[1].DryRun = c.dry, c.dry
			set := x.set(t, c.together, reqs)
			want(t, "order of results", set[0].Name+" "+set[1].Name, "time.csv clients.csv")
			want(t, "rows", fmt.Sprint(set[0].Result.RowsAdded, set[1].Result.RowsAdded), "2 4")
			// The names are linked with clients that came second in the list.
			want(t, "aliases", codes(set[0].Result)["client_alias"], int64(2))
			list, err := x.w.Snapshots(t.Context(), acme)
			if err != nil {
				t.Fatal(err)
			}
			want(t, "snapshots", len(list), c.snapshots)
		})
	}
}

func TestADryRunOfASetTellsTheEffectOfEachOfItsTables(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	reqs := files("time.csv", setTime, "invoices.csv", "invoice_id,client_name,date,net amount\nI-1,Harbor,2026-06-01,10.00\n", "more.csv", "invoice_id,client_name,date,net amount\nI-1,Harbor,2026-06-01,12.00\n")
	for i := range reqs {
		reqs[i].DryRun = true
	}
	var told []string
	for _, r := range x.set(t, false, reqs) {
		for _, e := range r.Result.Effect {
			told = append(told, fmt.Sprintf("%s %s %s %s", r.Name, e.Measure, e.Month, e.Change))
		}
	}
	want(t, "effects", told, []string{"time.csv hours_worked 2026-03-01 5.0000", "invoices.csv revenue 2026-06-01 10.0000", "more.csv revenue 2026-06-01 2.0000"})
}

func TestAllOrNothingStoresNothingWhenARowIsLost(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	set := x.set(t, true, files("clients.csv", knownClients, "time.csv", setBadTime))
	if fault.KindOf(set[0].Err) != fault.Conflict || fault.KindOf(set[1].Err) != fault.Invalid || set[1].Result.RowsRejected != 1 {
		t.Fatalf("got %v; %v", set[0].Err, set[1].Err)
	}
	list, err := x.w.Snapshots(t.Context(), acme)
	if err != nil || len(list) != 1 {
		t.Errorf("snapshots: %v, %v", list, err)
	}
	reqs := files("clients.csv", knownClients, "time.csv", setBadTime)
	reqs[1].Mapping = []byte("corrections: [{record: 3, skip: true}]")
	set = x.set(t, true, reqs)
	if set[0].Err != nil || set[1].Err != nil || set[0].Result.Snapshot != set[1].Result.Snapshot {
		t.Fatalf("with the row left out: %v; %v", set[0].Err, set[1].Err)
	}
	want(t, "counts apart", fmt.Sprint(set[0].Result.RowsAdded, set[1].Result.RowsAdded, set[1].Result.RowsRejected), "4 2 1")
	// Each is undone on its own.
	if _, err := x.Undo(t.Context(), acme, set[1].Result.ImportID); err != nil {
		t.Fatal(err)
	}
	want(t, "hours left", len(x.rows(t, "SELECT 1 FROM time_entries", "time_entries")), 0)
	want(t, "clients left", len(x.rows(t, "SELECT 1 FROM clients", "clients")), 4)
}

func TestADryRunShowsRowsAndEffect(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	const head = "invoice_number,client_name,invoice_date,net_amount,currency,status\n"
	x.load(t, "i.csv", head+"1,Harbor,2026-05-01,100,USD,sent\n2,Harbor,2026-06-01,200,USD,sent\n")
	reqs := files("i.csv", head+"2,Harbor,2026-06-01,250.5,USD,sent\n3,Harbor,2026-06-02,1190,USD,sent\n4,Harbor,2026-06-03,999,USD,void\n5,Acme,2026-06-03,10,EUR,sent\n")
	reqs[0].DryRun = true
	r := x.set(t, false, reqs)[0].Result
	want(t, "counts", fmt.Sprint(r.RowsAdded, r.RowsUpdated, r.RowsUnchanged), "3 1 0")
	want(t, "effect", r.Effect, []dataset.Effect{{Measure: "revenue", Month: "2026-06-01", Currency: "EUR", Change: "10.0000"}, {Measure: "revenue", Month: "2026-06-01", Currency: "USD", Change: "1240.5000"}})
	var first []string
	for _, c := range r.Preview.Rows[0] {
		first = append(first, *c)
	}
	want(t, "preview", strings.Join(r.Preview.Fields, " ")+": "+strings.Join(first, " "), "client_name invoice_number invoice_date status net_amount currency: Harbor 2 2026-06-01 sent 250.5000 USD")
}
