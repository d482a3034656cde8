package report_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Old reports lose their files and what they were made from, but for a file that a newer one
// shares; that they were made stays, and so does what is still being made.
func TestOldReportsAreRemovedAndStayInTheHistory(t *testing.T) {
	t.Parallel()
	for _, engine := range []metadb.Engine{metadb.SQLite, metadb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			x := newWorldOn(t, engine)
			x.give("invoices", "invoice_id,client_name,amount,date,status\nI-1,Tallgrass Brewing,900.00,2026-05-15,paid\nI-2,Tallgrass Brewing,900.00,2026-06-15,paid\n")
			request := report.Request{Template: "cash-and-receivables", AsOf: quantity.DayOf(clock())}
			make := func(format string) *report.Report {
				r, err := x.Make(t.Context(), firm, request, format, "", nil)
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			shared, alone := make("csv"), make("json")
			waiting, err := x.Begin(t.Context(), firm, request, "html", "")
			if err != nil {
				t.Fatal(err)
			}
			x.at = x.at.AddDate(0, 3, 0)
			again := make("csv")
			if again.SHA256 != shared.SHA256 || again.SHA256 == alone.SHA256 {
				t.Fatal("the same report twice is not one file")
			}
			before := x.at.AddDate(0, -2, 0)

			old, err := x.Older(t.Context(), firm, before)
			if err != nil || len(old) != 2 || !old[0].Equal(clock()) {
				t.Fatalf("older are %v, %v", old, err)
			}
			if n, err := x.RemoveOlder(t.Context(), firm, clock(), "nothing is older"); n != 0 || err != nil {
				t.Errorf("an instant that all are younger than removed %d, %v", n, err)
			}
			if n, err := x.RemoveOlder(t.Context(), firm, before, "kept for 2 months"); n != 2 || err != nil {
				t.Fatalf("removed %d, %v", n, err)
			}
			if n, err := x.RemoveOlder(t.Context(), firm, before, "again"); n != 0 || err != nil {
				t.Errorf("a second time removed %d, %v", n, err)
			}

			for _, r := range []*report.Report{shared, alone} {
				got, err := x.Get(t.Context(), firm, r.ID)
				if err != nil || got.RemovedAt == nil || !got.RemovedAt.Equal(x.at) || got.SHA256 != r.SHA256 {
					t.Errorf("in the history: %+v, %v", got, err)
				}
			}
			for sum, want := range map[string]bool{again.SHA256: true, alone.SHA256: false} {
				if _, err := os.Stat(filepath.Join(x.dir, "firm", "files", sum)); (err == nil) != want {
					t.Errorf("file %s: %v, want it there: %v", sum, err, want)
				}
			}
			if damage, err := x.Verify(t.Context(), firm); err != nil || len(damage) > 0 {
				t.Errorf("%+v, %v", damage, err)
			}
			// What others were made from is there still.
			x.work()
			if got, err := x.Get(t.Context(), firm, waiting.ID); err != nil || got.State != report.Done {
				t.Errorf("what waited became %+v, %v", got, err)
			}
			var events []audit.Entry
			if err := x.db.Read(t.Context(), func(tx *metadb.Tx) (err error) {
				events, err = x.Audit.Search(t.Context(), firm, tx, audit.Filter{Action: "report.remove"}, audit.Page{Limit: 10})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			var of []string
			for _, e := range events {
				if of = append(of, e.Subject.ID); e.Reason != "kept for 2 months" {
					t.Errorf("the record says %+v", e)
				}
			}
			want := []string{shared.ID, alone.ID}
			slices.Sort(of)
			slices.Sort(want)
			if !slices.Equal(of, want) {
				t.Errorf("the record tells of %v, want %v", of, want)
			}
		})
	}
}

// Of the newest reports those are told that somebody may see, and no older ones instead.
func TestTheNewestReportsAreThoseOfTheAsker(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.give("invoices", "invoice_id,client_name,amount,date,status\nI-1,Tallgrass Brewing,900.00,2026-06-15,paid\nI-2,Oak Terrace,900.00,2026-06-15,paid\n")
	var ids []string
	for _, client := range []string{"Tallgrass Brewing", "Oak Terrace", "Oak Terrace"} {
		x.at = x.at.Add(time.Minute)
		r, err := x.Begin(t.Context(), firm, report.Request{Template: "client-qbr", Client: client}, "csv", "")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	tallgrass := firm
	tallgrass.Rights = &tenant.Rights{Role: "narrow", Clients: []string{"Tallgrass Brewing"}, Actions: []tenant.Action{access.FiguresExport, access.FiguresRead}}
	newest := func(scope tenant.Scope, limit int) []*report.Report {
		list, err := x.Newest(t.Context(), scope, limit)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for _, c := range []struct {
		name string
		of   []*report.Report
		want []string
	}{
		{"all", newest(firm, 10), []string{ids[2], ids[1], ids[0]}},
		{"two", newest(firm, 2), []string{ids[2], ids[1]}},
		{"of one client", newest(tallgrass, 10), []string{ids[0]}},
		{"of one client among two", newest(tallgrass, 2), nil},
	} {
		var got []string
		for _, r := range c.of {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
