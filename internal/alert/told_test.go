package alert_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/alert"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// one is the alert of a rule about a subject.
func (x *world) one(t *testing.T, rule, subject string) alert.Alert {
	t.Helper()
	all, err := x.List(t.Context(), acme, alert.Filter{Rule: rule}, 1000, 0)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(a alert.Alert) bool { return a.Subject == subject })
	if i < 0 {
		t.Fatalf("no alert of %s about %s", rule, subject)
	}
	return all[i]
}

// count is how many rows of a table there are.
func (x *world) count(t *testing.T, table string) (n int) {
	t.Helper()
	if err := x.db.Read(t.Context(), func(tx *metadb.Tx) error { return tx.One(t.Context(), "SELECT count(*) FROM "+table, nil, &n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

// Between an import and the evaluation of the rules the figure that somebody sees of their part is
// newer than that of the whole: they cannot be compared, and the alert waits.
func TestAnAlertWaitsWhileTheFiguresAreNewerThanIt(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	part, whole := x.join(t, "part", access.Standing{Role: access.Viewer, Clients: []string{"Acme"}}), x.join(t, "whole", access.Standing{Role: access.Viewer})
	x.bill(t, "Acme", "50", "Bolt", "5000")
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.route(t, alert.RouteSpec{Name: "Both", Users: []tenant.Actor{part, whole}, Email: "office"})
	if _, err := x.watch.Evaluate(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	x.bill(t, "Acme", "10")
	if told := x.run(t); told.Messages != 0 || told.Hits != 0 {
		t.Errorf("before the evaluation: %+v", told)
	}
	if a := x.one(t, "Small", "Acme"); a.ToldAt != nil || a.Times != 0 {
		t.Errorf("nobody was told, but it says %v, %d times", a.ToldAt, a.Times)
	}
	if told := x.evaluate(t); told.Messages != 2 || told.Hits != 1 {
		t.Errorf("after the evaluation: %+v", told)
	}
	const says = "Small: revenue of Acme is 60.00 (June 2026)"
	if got, want := x.mails(t), []string{"part@msp.example: " + says, "whole@msp.example: " + says}; !slices.Equal(got, want) {
		t.Errorf("mails %q, want %q", got, want)
	}
	if told := x.evaluate(t); told.Messages != 0 {
		t.Errorf("told again: %+v", told)
	}
}

// Figures that cannot be read now are not figures that hold nothing.
func TestAnAlertWaitsWhileTheFiguresCannotBeRead(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	anna := x.join(t, "anna", access.Standing{Role: access.Viewer, Clients: []string{"Acme"}})
	x.bill(t, "Acme", "50", "Bolt", "5000")
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.route(t, alert.RouteSpec{Name: "One", Users: []tenant.Actor{anna}, Email: "office"})
	if _, err := x.watch.Evaluate(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	var moved []string
	err := filepath.WalkDir(x.dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".parquet") {
			moved = append(moved, path)
		}
		return err
	})
	if err != nil || len(moved) == 0 {
		t.Fatalf("%d files, %v", len(moved), err)
	}
	for _, path := range moved {
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
	}
	if told, err := x.Run(t.Context(), program); err == nil || told.Messages != 0 {
		t.Errorf("with the files away: %+v, %v", told, err)
	}
	if _, err := x.List(t.Context(), x.scope(t, anna), alert.Filter{}, 10, 0); err == nil {
		t.Error("nothing is listed, as if nothing held")
	}
	for _, path := range moved {
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
	}
	if told := x.run(t); told.Messages != 1 || len(x.mails(t)) != 1 {
		t.Errorf("with the files back: %+v, %q", told, x.mails(t))
	}
}

func TestWhatNobodyCouldBeToldOfWaitsForSomebody(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	anna := x.join(t, "anna", access.Standing{Role: access.Viewer})
	x.bill(t, "Acme", "50", "Bolt", "5000")
	x.load(t, "time_logs.csv", "staff_name,client_name,hours,rate,billable,date\nDana,Acme,10,80,yes,2026-06-30\n")
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.rule(t, metric.Rule{Name: "Thin", Condition: "gross_margin < 20%", Dimension: "client"}) // hidden from viewers
	x.route(t, alert.RouteSpec{Name: "All", Users: []tenant.Actor{anna}, Roles: []string{access.Finance}, Email: "office", RemindHours: 24})
	if told := x.evaluate(t); told.Messages != 1 || told.Hits != 1 {
		t.Errorf("told %+v", told)
	}
	if a := x.one(t, "Small", "Acme"); a.ToldAt == nil || a.Times != 1 {
		t.Errorf("what was told: %v, %d times", a.ToldAt, a.Times)
	}
	if a := x.one(t, "Thin", "Acme"); a.ToldAt != nil || a.Times != 0 {
		t.Errorf("what nobody could be told of: %v, %d times", a.ToldAt, a.Times)
	}
	x.join(t, "bert", access.Standing{Role: access.Finance})
	x.to(t, "2026-07-01T10:30:00Z")
	if told := x.evaluate(t); told.Messages != 0 {
		t.Errorf("after half an hour: %+v", told)
	}
	x.to(t, "2026-07-01T11:00:00Z")
	if told := x.evaluate(t); told.Messages != 1 || told.Hits != 1 {
		t.Errorf("after an hour: %+v", told)
	}
	if got := x.mails(t); len(got) != 2 || !strings.HasPrefix(got[1], "bert@msp.example: Thin: ") {
		t.Errorf("mails %q", got)
	}
	if a := x.one(t, "Thin", "Acme"); a.ToldAt == nil || !a.ToldAt.Equal(x.now()) || a.Times != 1 {
		t.Errorf("told at last: %v, %d times", a.ToldAt, a.Times)
	}
	if got := x.recorded(t, "alert.tell")["alert.tell"]; got != 2 {
		t.Errorf("%d tellings on the record, want 2", got)
	}
}

func TestRemindersKeepToOneMessageInSoManyMinutes(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	anna := x.join(t, "anna", access.Standing{Role: access.Viewer})
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.route(t, alert.RouteSpec{Name: "Grouped", Users: []tenant.Actor{anna}, Email: "office", EveryMinutes: 60, RemindHours: 2})
	x.bill(t, "Acme", "50")
	for _, step := range []struct {
		at, bill string
		want     int
	}{
		{at: "2026-07-01T10:00:00Z", want: 1},
		{at: "2026-07-01T11:59:00Z", bill: "Bolt", want: 2},
		{at: "2026-07-01T12:00:00Z", want: 2}, // the reminder of Acme is due
		{at: "2026-07-01T12:58:00Z", want: 2},
		{at: "2026-07-01T12:59:00Z", want: 3},
		{at: "2026-07-01T13:59:00Z", want: 4}, // that of Bolt
	} {
		x.to(t, step.at)
		if step.bill != "" {
			x.bill(t, step.bill, "60")
		}
		x.evaluate(t)
		if got := x.mails(t); len(got) != step.want {
			t.Fatalf("at %s: %q, want %d", step.at, got, step.want)
		}
	}
}

// An alert that goes on for long is not behind the many that began since.
func TestAnOldAlertIsFoundBehindManyThatEnded(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	part := x.join(t, "part", access.Standing{Role: access.Viewer, Clients: []string{"Acme"}})
	x.bill(t, "Acme", "50", "Bolt", "5000")
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.evaluate(t)
	const many = 10_001
	err := x.db.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
INSERT INTO rule_hit (tenant_id, id, rule, version, subject, value, period_from, period_to, snapshot, first_at, last_at, ended_at)
SELECT h.tenant_id, 'past' || n.i, h.rule, h.version, 'Client ' || n.i, '1', h.period_from, h.period_to, h.snapshot, $2, $2, $3 FROM rule_hit h, n`,
			many, metadb.Now(instant(t, "2026-07-01T10:01:00Z")), metadb.Now(instant(t, "2026-07-01T10:02:00Z")))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	x.to(t, "2026-07-01T11:00:00Z")
	for name, scope := range map[string]tenant.Scope{"who sees all": acme, "who sees a part": x.scope(t, part)} {
		if got, want := x.list(t, scope, alert.Filter{Open: true}), []string{"Small: Acme 50"}; !slices.Equal(got, want) {
			t.Errorf("%s lists %d, want %q", name, len(got), want)
		}
	}
	all, err := x.List(t.Context(), acme, alert.Filter{}, many+100, 0)
	if err != nil || len(all) != many+1 || all[many].Subject != "Acme" {
		t.Fatalf("%d alerts, %v, want %d", len(all), err, many+1)
	}
	if last, err := x.List(t.Context(), acme, alert.Filter{}, 10, many); err != nil || len(last) != 1 || last[0].Subject != "Acme" {
		t.Errorf("the last page: %+v, %v", last, err)
	}
	if a, err := x.Acknowledge(t.Context(), x.scope(t, part), all[many].ID, "known"); err != nil || a.Acknowledged == nil {
		t.Errorf("acknowledged: %+v, %v", a, err)
	}
	if a, err := x.Alert(t.Context(), acme, "past1"); err != nil || a.Subject != "Client 1" {
		t.Errorf("one of the past: %+v, %v", a, err)
	}
	// What is past cannot be looked at with the rights of who sees a part.
	if _, err := x.Alert(t.Context(), x.scope(t, part), "past1"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsKnownOfAnAlertIsForgottenLongAfterItsEndOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		x := newWorldOn(t, db)
		anna := x.join(t, "anna", access.Standing{Role: access.Viewer})
		x.bill(t, "Acme", "50", "Bolt", "60", "Core", "70")
		x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
		x.route(t, alert.RouteSpec{Name: "One", Users: []tenant.Actor{anna}, Email: "office"})
		x.evaluate(t)
		for _, subject := range []string{"Acme", "Bolt"} {
			if _, err := x.Acknowledge(t.Context(), acme, x.id(t, subject), "known"); err != nil {
				t.Fatal(err)
			}
		}
		x.to(t, "2026-07-02T10:00:00Z")
		x.bill(t, "Bolt", "500", "Core", "500")
		x.evaluate(t)
		if dues, acks, err := x.Looked(t.Context(), program); err != nil || dues != 1 || acks != 1 {
			t.Errorf("each run reads %d of what was told and %d of who knows, %v: want those of Acme", dues, acks, err)
		}
		step := func(at string, dues, acks, messages int) {
			t.Helper()
			x.to(t, at)
			x.run(t)
			for table, want := range map[string]int{"alert_due": dues, "alert_ack": acks, "alert_message": messages} {
				if got := x.count(t, table); got != want {
					t.Errorf("at %s: %d in %s, want %d", at, got, table, want)
				}
			}
		}
		step("2026-09-29T09:00:00Z", 3, 2, 1)
		if got, want := x.list(t, acme, alert.Filter{Unacknowledged: true}), []string{"Small: Core 70"}; !slices.Equal(got, want) {
			t.Errorf("not acknowledged: %q, want %q", got, want)
		}
		step("2026-09-30T10:00:01Z", 1, 1, 0) // Acme holds on, and is known
		if got := x.list(t, acme, alert.Filter{Unacknowledged: true}); len(got) != 0 {
			t.Errorf("not acknowledged: %q", got)
		}
		if got := x.list(t, acme, alert.Filter{}); len(got) != 3 {
			t.Errorf("alerts: %q", got)
		}
		if _, err := x.Acknowledge(t.Context(), acme, x.id(t, "Core"), "late"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("acknowledged long after its end: %v", err)
		}
	})
}
