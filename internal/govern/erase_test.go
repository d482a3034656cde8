package govern_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func TestAnErasedPersonIsInNoFileAndNoFigureMoved(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t)
	before := x.totals(t)
	if len(before) < 6 || !strings.Contains(before[slices.Max(slices.Collect(maps.Keys(before)))], "3300.15") {
		t.Fatalf("the totals are %v", before)
	}
	traces := []string{"dana", "ortiz"}
	if n := len(x.holding(t, traces...)); n < 5 {
		t.Fatalf("only %d files hold the person: the test means nothing", n)
	}
	r := x.approve(t, "Dana Ortiz")
	if r, err := x.Erase(t.Context(), acme, r.ID); err != nil || r.State != govern.Done || r.EndedAt == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if left := x.holding(t, traces...); len(left) > 0 {
		t.Errorf("still found: %v", left)
	}
	if got := x.totals(t); !maps.Equal(got, before) {
		t.Errorf("the totals were\n%v\nand are\n%v", before, got)
	}
	x.verify(t)
	if left := x.holding(t, "Lee Park"); len(left) == 0 {
		t.Error("somebody else is gone, too")
	}
	snaps, err := x.w.Snapshots(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	if snaps[0].Kind != "erasure" {
		t.Errorf("the newest snapshot is %+v", snaps[0])
	}
	// The corrected row is still corrected: history is rewritten, not cut.
	for _, sn := range snaps {
		rows, err := x.w.Query(t.Context(), acme, warehouse.Statement{Snapshot: sn.ID, SQL: "SELECT count(*) FROM time_entries WHERE source_id = 'T-1' AND hours_worked = 1.5 AND staff_key IS NOT NULL", Uses: []warehouse.TableUse{{Name: "time_entries"}}})
		if err != nil {
			t.Fatal(err)
		}
		if sn.ID == snaps[len(snaps)-4].ID && rows.Rows[0][0].(int64) != 1 {
			t.Errorf("snapshot %d lost the first version of the row", sn.ID)
		}
	}
}

func TestTheRequestAndTheAuditRecordSayWhatWasDoneWithoutTheName(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t)
	r := x.approve(t, "Dana Ortiz")
	r, err := x.Erase(t.Context(), acme, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Epoch    int64
		Files    []govern.FoundFile
		Rewrites []warehouse.RewrittenFile
		Tables   []warehouse.Affected
	}
	if err := json.Unmarshal(r.Outcome, &out); err != nil {
		t.Fatal(err)
	}
	if out.Epoch != 1 || len(out.Rewrites) < 4 || len(out.Files) < 5 || len(out.Tables) < 4 {
		t.Errorf("the outcome is %s", r.Outcome)
	}
	found := false
	err = x.db.Read(t.Context(), func(tx *metadb.Tx) error {
		list, err := x.log.List(t.Context(), acme, tx, 0, 1000)
		for _, e := range list {
			if e.Action == "person.erase" {
				found = true
				if !strings.Contains(string(e.Detail), out.Rewrites[0].BeforeSHA256) || !strings.Contains(string(e.Detail), out.Rewrites[0].AfterSHA256) {
					t.Errorf("the audit event lacks the hashes: %s", e.Detail)
				}
			}
		}
		return err
	})
	if err != nil || !found {
		t.Errorf("no audit event: %v", err)
	}
	if _, err := x.Erase(t.Context(), acme, r.ID); err != nil {
		t.Errorf("once more: %v", err)
	}
}

// Files vanish while an erasure writes others: who looks at persons meanwhile sees them before
// or after, and no error.
func TestPersonsAreReadWhileSomebodyIsErased(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t)
	r := x.approve(t, "Dana Ortiz")
	done := make(chan error, 1)
	go func() {
		_, err := x.Erase(t.Context(), acme, r.ID)
		done <- err
	}()
	for {
		if list, err := x.Requests(t.Context(), acme); err != nil || len(list) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		if list, err := x.People(t.Context(), acme, "lee@harbordental"); err != nil || len(list) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}

func TestAClientsContactIsErased(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t)
	p := x.find(t, "lee@harbordental")
	if !slices.Contains(p.Kinds, "client_contact") || !slices.Contains(p.Kinds, "contact") {
		t.Errorf("found as %+v", p)
	}
	r := x.approve(t, "Lee Park")
	if _, err := x.Erase(t.Context(), acme, r.ID); err != nil {
		t.Fatal(err)
	}
	if left := x.holding(t, "lee@", "lee park", "555-0100"); len(left) > 0 {
		t.Errorf("still found: %v", left)
	}
	if left := x.holding(t, "555-0199"); len(left) == 0 {
		t.Error("another client's contact is gone, too")
	}
	x.verify(t)
}

func TestSomebodyErasedStaysErasedWhenTheSameFilesComeAgain(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t)
	before := x.totals(t)
	r := x.approve(t, "Dana Ortiz")
	if _, err := x.Erase(t.Context(), acme, r.ID); err != nil {
		t.Fatal(err)
	}
	for _, f := range [][2]string{{"staff.csv", staffCSV}, {"clients.csv", clientsCSV}, {"time.csv", strings.Replace(timeCSV, "T-4,", "T-5,", 1)}} {
		b := x.send(t, f[0], f[1])
		if !strings.Contains(jsonOf(t, b), "erased_person") {
			t.Errorf("%s: no finding says that somebody erased came again", f[0])
		}
	}
	if list, err := x.People(t.Context(), acme, "dana"); err != nil || len(list) > 0 {
		t.Errorf("found again: %+v, %v", list, err)
	}
	if _, err := x.data.Sweep(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	rows, err := x.w.Query(t.Context(), acme, warehouse.Statement{SQL: "SELECT count(DISTINCT staff_key), count(*) FROM time_entries", Uses: []warehouse.TableUse{{Name: "time_entries"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := rows.Rows[0]; got[0].(int64) != 2 || got[1].(int64) != 6 {
		t.Errorf("%v keys and rows, want the same 2 people and one row more", got)
	}
	for id, was := range before {
		if now := x.totals(t)[id]; now != was {
			t.Errorf("snapshot %d: %s became %s", id, was, now)
		}
	}
	x.verify(t)
	// Mentions in the texts of others are not known again; names, addresses and keys are.
	for _, left := range x.holding(t, "dana.ortiz@msp.example") {
		t.Errorf("still found: %s", left)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNothingIsErasedBeforeSomebodyDecides(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t)
	key := x.find(t, "Dana Ortiz").Key
	r, err := x.NewRequest(t.Context(), acme, govern.RequestSpec{Kind: govern.Erasure, Person: key, ReceivedOn: "2026-05-31"})
	if err != nil {
		t.Fatal(err)
	}
	if r.DueOn.String() != "2026-06-30" || r.DaysLeft != -15 || r.Proposal == "" || r.Label != "Dana Ortiz" {
		t.Errorf("got %+v", r)
	}
	if _, err := x.Erase(t.Context(), acme, r.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("an undecided request was carried out: %v", err)
	}
	if _, err := x.NewRequest(t.Context(), acme, govern.RequestSpec{Kind: govern.Erasure, Person: key}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second request: %v", err)
	}
	plan, err := x.Plan(t.Context(), acme, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]warehouse.Affected{}
	for _, a := range plan.Tables {
		tables[a.Table] = a
	}
	// Her two entries and the mention by Sam; T-1 has two versions.
	if a := tables["time_entries_private"]; a.Rows != 3 || a.Current != 3 || a.Snapshots < 4 {
		t.Errorf("the preview of notes is %+v", a)
	}
	if a := tables["tickets"]; a.Rows != 1 {
		t.Errorf("the preview of unknown columns is %+v", a)
	}
	if len(plan.Files) != 7 { // all but the license assignments
		t.Errorf("the preview of files is %+v", plan.Files)
	}
	if r, err = x.Decide(t.Context(), acme, r.ID, govern.Reject, "not her"); err != nil || r.State != govern.Rejected || r.EndedAt == nil {
		t.Errorf("rejected: %+v, %v", r, err)
	}
	if x.find(t, "Dana Ortiz").Erased {
		t.Error("she is erased although the request was rejected")
	}
}

func TestAHoldForbidsAnErasure(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t)
	dana, lee := x.find(t, "Dana Ortiz").Key, x.find(t, "Lee Park").Key
	for _, c := range []struct {
		name   string
		hold   govern.HoldSpec
		person string
		blocks bool
	}{
		{"of the person", govern.HoldSpec{Kind: govern.HoldPerson, Subject: dana}, dana, true},
		{"of another person", govern.HoldSpec{Kind: govern.HoldPerson, Subject: x.find(t, "Ana Wood").Key}, lee, false},
		{"of everything", govern.HoldSpec{Kind: govern.HoldDataset}, dana, true},
		{"of a client that the person worked for", govern.HoldSpec{Kind: govern.HoldClient, Subject: "Bay Clinic"}, dana, true},
		{"of a dataset that does not have the person", govern.HoldSpec{Kind: govern.HoldDataset, Subject: "payments"}, dana, false},
		{"of a dataset in a time without the person", govern.HoldSpec{Kind: govern.HoldDataset, Subject: "expenses", From: "2020-01-01", To: "2021-01-01"}, x.find(t, "Sam Reyes").Key, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.hold.Reason = "a lawsuit"
			h, err := x.BeginHold(t.Context(), acme, c.hold)
			if err != nil {
				t.Fatal(err)
			}
			r, err := x.NewRequest(t.Context(), acme, govern.RequestSpec{Kind: govern.Erasure, Person: c.person})
			if err != nil {
				t.Fatal(err)
			}
			plan, err := x.Plan(t.Context(), acme, r.ID)
			if err != nil || (len(plan.Holds) > 0) != c.blocks {
				t.Errorf("the preview names the holds %+v, %v", plan.Holds, err)
			}
			_, err = x.Decide(t.Context(), acme, r.ID, govern.Approve, "")
			if blocked := fault.KindOf(err) == fault.Conflict; blocked != c.blocks {
				t.Errorf("approving: %v", err)
			}
			if c.blocks {
				if _, err := x.Decide(t.Context(), acme, r.ID, govern.Reject, "held"); err != nil {
					t.Error(err)
				}
			} else if _, err := x.Decide(t.Context(), acme, r.ID, govern.Reject, ""); err == nil {
				t.Error("decided twice")
			}
			if err := x.EndHold(t.Context(), acme, h.ID); err != nil {
				t.Error(err)
			}
		})
	}
}

// Whoever closes the page while a preview is made ends it, and nothing else.
func TestAPreviewThatIsGivenUpIsAnError(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.send(t, "staff.csv", staffCSV)
	r, err := x.NewRequest(t.Context(), acme, govern.RequestSpec{Kind: govern.Erasure, Person: x.find(t, "Dana Ortiz").Key})
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	for wait := time.Millisecond; wait < time.Second; wait *= 2 {
		ctx, stop := context.WithTimeout(t.Context(), wait)
		if _, err := x.Plan(ctx, acme, r.ID); err != nil {
			ended++
		}
		stop()
	}
	if ended == 0 {
		t.Error("no preview was given up: the test means nothing")
	}
}
