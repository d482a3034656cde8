package notice_test

import (
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func TestNamedQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, notice.NamedQueries())
}

func TestEverybodyReadsNoticesForThemselves(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		now := time.Date(2026, 6, 30, 9, 0, 0, 0, time.UTC)
		s := notice.New(db, func() time.Time { now = now.Add(time.Second); return now })
		kim, lee := tenant.Scope{Tenant: "acme", Actor: "user:1"}, tenant.Scope{Tenant: "acme", Actor: "user:2"}
		clerk := tenant.Scope{Tenant: "acme", Actor: "user:3", Rights: &tenant.Rights{Clients: []string{"A"}, Actions: []tenant.Action{"data.read", "figures.read"}}}
		send := func(n notice.Notice) {
			t.Helper()
			if err := db.Transact(t.Context(), func(tx *metadb.Tx) error { return s.Send(t.Context(), kim, tx, n) }); err != nil {
				t.Fatal(err)
			}
		}
		unread := func(scope tenant.Scope, want int64) {
			t.Helper()
			if n, err := s.Unread(t.Context(), scope); err != nil || n != want {
				t.Errorf("%s: got %d unread, %v, want %d", scope.Actor, n, err, want)
			}
		}
		send(notice.Notice{Kind: notice.RowsRejected, Subject: "b 1", Message: "3 rows were not stored"})
		send(notice.Notice{Kind: notice.RuleHolds, Subject: "Thin", Message: "margin of B is 3 %"})
		send(notice.Notice{Kind: notice.Assigned, Subject: "p1", Message: "yours", To: "user:2", Link: "/review?row=p1"})
		unread(kim, 2)
		unread(lee, 3)
		unread(clerk, 0) // sees one client: not what is said to all
		list, err := s.List(t.Context(), lee, true, 2, 1)
		if err != nil || len(list) != 2 || list[0].Kind != notice.RuleHolds || list[1].Link != "/import/batch/b%201" {
			t.Fatalf("the second page: %+v, %v", list, err)
		}
		if err := s.Read(t.Context(), lee, list[0].ID); err != nil {
			t.Fatal(err)
		}
		unread(lee, 2)
		unread(kim, 2)
		if err := s.Read(t.Context(), clerk, list[0].ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("reads what is hidden: %v", err)
		}
		if err := s.ReadAll(t.Context(), lee); err != nil {
			t.Fatal(err)
		}
		unread(lee, 0)
		unread(tenant.Scope{Tenant: "other", Actor: "user:2"}, 0)
		sender := tenant.Scope{Tenant: "acme", Actor: "user:4", Rights: &tenant.Rights{Actions: []tenant.Action{"destinations.manage"}}}
		send(notice.Notice{Kind: notice.DeliveryFailed, Subject: "d 1", Message: "June was not delivered"})
		if list, err := s.List(t.Context(), sender, true, 10, 0); err != nil || len(list) != 1 || list[0].Link != "/destinations?tab=deliveries&row=d+1" || list[0].Subject != "d 1" {
			t.Errorf("who manages destinations is told %+v, %v", list, err)
		}
		unread(clerk, 0)
		now = now.Add(91 * 24 * time.Hour)
		send(notice.Notice{Kind: notice.SourceFailing, Subject: "s", Message: "new"})
		unread(kim, 1) // what is older than 90 days is forgotten
	})
}
