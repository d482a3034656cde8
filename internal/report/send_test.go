package report_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// bills imports six months of invoices and hours of clients, who pay so much a month.
func (x *world) bills(monthly map[string]int) {
	x.t.Helper()
	var invoices, hours strings.Builder
	invoices.WriteString("invoice_id,client_name,amount,date,status,currency\n")
	hours.WriteString("staff_name,client_name,hours,date,billable\n")
	for month := 1; month <= 6; month++ {
		for client, amount := range monthly {
			fmt.Fprintf(&invoices, "%s-%d-%d,%s,%d,2026-%02d-10,paid,USD\n", client, month, amount, client, amount, month)
			fmt.Fprintf(&hours, "Kim,%s,%d,2026-%02d-11,yes\n", client, month+len(client), month)
		}
	}
	x.give("invoices", invoices.String())
	x.give("time_entries", hours.String())
}

// member lets somebody sign in with a role.
func (x *world) member(actor tenant.Actor, role string) tenant.Scope {
	x.t.Helper()
	rights, err := x.policies.Rights(x.t.Context(), firm.Tenant, role, access.Limits{})
	if err != nil {
		x.t.Fatal(err)
	}
	x.members[actor] = tenant.Scope{Tenant: firm.Tenant, Actor: actor, Rights: rights}
	return x.members[actor]
}

// begun is a schedule with the job of its first run.
func (x *world) begun(c report.ScheduleSpec) (*report.Schedule, job) {
	x.t.Helper()
	s, err := x.AddSchedule(x.t.Context(), firm, c)
	if err != nil {
		x.t.Fatal(err)
	}
	if err := x.RunNow(x.t.Context(), firm, s.ID); err != nil {
		x.t.Fatal(err)
	}
	j := x.jobs[len(x.jobs)-1]
	x.jobs = nil
	return s, j
}

func (x *world) attempt(j job) error { return x.WorkSchedule(x.t.Context(), j.scope, j.args) }

func (x *world) problem(id string) string {
	x.t.Helper()
	s, err := x.Schedule(x.t.Context(), firm, id)
	if err != nil {
		x.t.Fatal(err)
	}
	return s.Problem
}

func (x *world) made() []*report.Report {
	x.t.Helper()
	list, _, err := x.List(x.t.Context(), firm, report.Filter{}, 200, "")
	if err != nil {
		x.t.Fatal(err)
	}
	return list
}

func (x *world) count(table string) (n int64) {
	x.t.Helper()
	if err := x.db.Read(x.t.Context(), func(tx *metadb.Tx) error { return tx.One(x.t.Context(), "SELECT count(*) FROM "+table, nil, &n) }); err != nil {
		x.t.Fatal(err)
	}
	return n
}

func TestWhatMayHelpIsTriedAgain(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.bills(map[string]int{"Alder": 1000})
	for kind, again := range map[fault.Kind]bool{fault.Conflict: true, fault.Unavailable: true, fault.Canceled: true, fault.TooOften: true, fault.Internal: true, fault.Forbidden: false, fault.NotFound: false, fault.TooLarge: false} {
		c := spec()
		c.Name, c.Recipients = string(kind), []report.Recipient{{Destination: "box", Role: access.Viewer}, {Destination: "other", Role: access.Viewer}}
		s, j := x.begun(c)
		x.sent = nil
		before := len(x.made())
		x.refuses = func(d delivery.Delivery) error {
			if d.Destination == "box" {
				return fault.Newf(kind, "the disk is full")
			}
			return nil
		}
		if err := x.attempt(j); fault.KindOf(err) == kind != again || err != nil != again {
			t.Errorf("%s: %v", kind, err)
		}
		if p := x.problem(s.ID); !strings.Contains(p, "box: ") || kind != fault.Internal && !strings.Contains(p, "the disk is full") {
			t.Errorf("%s: the schedule says %q", kind, p)
		}
		if len(x.sent) != 1 || x.sent[0].Destination != "other" {
			t.Errorf("%s: %+v were sent: one recipient's error is nobody else's", kind, x.sent)
		}
		x.refuses = nil
		if !again {
			continue
		}
		if err := x.attempt(j); err != nil || x.problem(s.ID) != "" || len(x.sent) != 2 || len(x.made()) != before+1 {
			t.Errorf("%s, again: %v, %q, %d sent, %d made", kind, err, x.problem(s.ID), len(x.sent), len(x.made())-before)
		}
	}
}

// A report that somebody waits for is tried again as a schedule's is.
func TestAReportThatFindsTheDatabaseBusyIsMadeLater(t *testing.T) {
	t.Parallel()
	db, at := metadbtest.Open(t, metadb.SQLite)
	x := newWorldIn(t, db, t.TempDir())
	x.bills(map[string]int{"Alder": 1000})
	r, err := x.Begin(t.Context(), firm, report.Request{Template: "service-desk"}, "json", "")
	if err != nil {
		t.Fatal(err)
	}
	other, err := metadb.Open(t.Context(), at) // another process
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- other.Transact(t.Context(), func(tx *metadb.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE report SET product = product")
			close(held)
			<-release
			return err
		})
	}()
	<-held
	err = x.Work(t.Context(), firm, r.ID)
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("the job is done with: %v", err)
	}
	if r, err = x.Get(t.Context(), firm, r.ID); err != nil || r.State != report.Waiting {
		t.Errorf("meanwhile %+v, %v", r, err)
	}
	if err := x.Work(t.Context(), firm, r.ID); err != nil {
		t.Error(err)
	}
	if r, err = x.Get(t.Context(), firm, r.ID); err != nil || r.State != report.Done {
		t.Errorf("afterwards %+v, %v", r, err)
	}
}

func TestAnAuthorWhoCannotBeAskedForNowIsNotGone(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.bills(map[string]int{"Alder": 1000})
	author := x.member("user:1", access.Owner)
	s, err := x.AddSchedule(t.Context(), author, spec())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.RunNow(t.Context(), firm, s.ID); err != nil {
		t.Fatal(err)
	}
	x.away = fault.Newf(fault.Conflict, "the database is busy")
	if err := x.attempt(x.jobs[0]); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v", err)
	}
	if p := x.problem(s.ID); strings.Contains(p, "cannot sign in") {
		t.Errorf("the schedule says %q", p)
	}
}

func TestOneClientsErrorStopsNoOther(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.bills(map[string]int{"Alder": 3000, "Birch": 2000, "Cedar": 1000, "Doveton": 500})
	c := spec()
	c.Template, c.EveryClient, c.Recipients = "client-qbr", true, []report.Recipient{{Destination: "box"}}
	s, j := x.begun(c)
	x.refuses = func(d delivery.Delivery) error {
		if strings.Contains(d.Label, "Alder") {
			return errors.New("a defect")
		}
		return nil
	}
	if err := x.attempt(j); err == nil || !strings.Contains(err.Error(), "a defect") {
		t.Errorf("got %v", err)
	}
	if len(x.sent) != 3 {
		t.Errorf("%d were sent, want the other 3", len(x.sent))
	}
	if p := x.problem(s.ID); !strings.Contains(p, "Alder") {
		t.Errorf("the schedule says %q", p)
	}
	x.refuses = nil
	if err := x.attempt(j); err != nil || len(x.sent) != 4 || len(x.made()) != 4 || x.problem(s.ID) != "" {
		t.Errorf("again: %v, %d sent, %d made, %q", err, len(x.sent), len(x.made()), x.problem(s.ID))
	}
}

func TestARepeatedJobTellsNobodyTwice(t *testing.T) {
	t.Parallel()
	for _, engine := range []metadb.Engine{metadb.SQLite, metadb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			x := newWorldOn(t, engine)
			x.bills(map[string]int{"Alder": 1000})
			ann := x.member("user:1", access.Viewer)
			c := spec()
			c.Formats = []string{"json", "csv"}
			// The two addresses read alike in the history; both get theirs. Ann reads it here and by mail.
			c.Recipients = []report.Recipient{{Actor: "user:1"}, {Actor: "user:1", Destination: "mail"}, {Address: "kate@client.example", Destination: "mail", Role: access.Viewer}, {Address: "karl@client.example", Destination: "mail", Role: access.Viewer}}
			_, j := x.begun(c)
			if err := x.attempt(j); err != nil {
				t.Fatal(err)
			}
			made := x.made()
			if _, f, err := x.Open(t.Context(), ann, made[0].ID); err != nil {
				t.Fatal(err)
			} else {
				f.Close()
			}
			for range 2 {
				if err := x.attempt(j); err != nil {
					t.Fatal(err)
				}
			}
			list, err := notice.New(x.db, func() time.Time { return x.at }).List(t.Context(), ann, false, 10, 0)
			if err != nil || len(list) != 1 {
				t.Errorf("%d notices, %v", len(list), err)
			}
			if n := x.count("report_receipt"); len(x.made()) != 2 || len(x.sent) != 3 || n != 2*4+1 {
				t.Errorf("%d files, %d deliveries, %d receipts; want 2, 3, and 4 for each file and a download", len(x.made()), len(x.sent), n)
			}
		})
	}
}

func TestNoFileOfBeforeAnErasureIsMadeAfterIt(t *testing.T) {
	t.Parallel()
	erase := func(t *testing.T, x *world) {
		t.Helper()
		session, err := x.Warehouse.NewSession(t.Context(), firm)
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		if _, err := session.Rewrite(t.Context(), warehouse.Rewriting{Kind: "erasure", Message: "test", Edits: []warehouse.Edit{{Table: "time_entries", Rows: "true", Set: map[string]string{"time_entry_id": "'gone'"}}}}); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("one that waits is canceled", func(t *testing.T) {
		t.Parallel()
		x := newWorld(t)
		x.bills(map[string]int{"Alder": 1000})
		r, err := x.Begin(t.Context(), firm, report.Request{Template: "service-desk"}, "json", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := x.ForgetPerson(t.Context(), firm, []string{"kim@msp.example"}); err != nil {
			t.Fatal(err)
		}
		if r, err = x.Get(t.Context(), firm, r.ID); err != nil || r.State != report.Canceled || r.RemovedAt == nil || x.count("report_input") != 0 {
			t.Errorf("%+v, %d inputs, %v", r, x.count("report_input"), err)
		}
		x.work()
		if r, err = x.Get(t.Context(), firm, r.ID); err != nil || r.State != report.Canceled {
			t.Errorf("after its job %+v, %v", r, err)
		}
	})
	t.Run("one that is made meanwhile fails", func(t *testing.T) {
		t.Parallel()
		x := newWorld(t)
		x.bills(map[string]int{"Alder": 1000})
		r, err := x.Begin(t.Context(), firm, report.Request{Template: "service-desk"}, "json", "")
		if err != nil {
			t.Fatal(err)
		}
		erase(t, x)
		x.work()
		if r, err = x.Get(t.Context(), firm, r.ID); err != nil || r.State != report.Failed || !strings.Contains(r.Problem, "make it again") || x.count("report_input") != 0 {
			t.Errorf("%+v, %d inputs, %v", r, x.count("report_input"), err)
		}
		if files, err := filepath.Glob(filepath.Join(x.dir, "firm", "files", "*")); err != nil || len(files) != 0 {
			t.Errorf("%v stay, %v", files, err)
		}
	})
	t.Run("one during whose making it happens is made anew", func(t *testing.T) {
		t.Parallel()
		x := newWorld(t)
		x.bills(map[string]int{"Alder": 1000})
		once := sync.OnceFunc(func() { erase(t, x) })
		_, err := x.Make(t.Context(), firm, report.Request{Template: "service-desk"}, "json", "", func(int, int, string) { once() })
		if fault.KindOf(err) != fault.Conflict { // for which a schedule's run is tried again
			t.Errorf("got %v", err)
		}
		if list := x.made(); len(list) != 1 || list[0].State != report.Failed || x.count("report_input") != 0 {
			t.Errorf("%+v, %d inputs", list, x.count("report_input"))
		}
		if _, err := x.Make(t.Context(), firm, report.Request{Template: "service-desk"}, "json", "", nil); err != nil {
			t.Errorf("again: %v", err)
		}
	})
}

func TestAChangedScheduleStillWaits(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.bills(map[string]int{"Alder": 1000})
	c := spec()
	c.Stale = report.Wait
	s, err := x.AddSchedule(t.Context(), firm, c)
	if err != nil {
		t.Fatal(err)
	}
	x.at = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	if err := x.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.work()
	look, regular := x.at.Add(time.Hour), time.Date(2026, 10, 1, 11, 0, 0, 0, time.UTC)
	next := func(c report.ScheduleSpec) *time.Time {
		s, err := x.ChangeSchedule(t.Context(), firm, s.ID, c)
		if err != nil {
			t.Fatal(err)
		}
		return s.NextAt
	}
	c.Name, c.Formats = "Every month", []string{"csv"}
	if at := next(c); !at.Equal(look) {
		t.Errorf("after another name %v, want %v: the run that waits is lost", at, look)
	}
	zoned := c
	zoned.Zone = "America/Chicago"
	if at := next(zoned); !at.Equal(regular.Add(time.Hour)) {
		t.Errorf("in another zone %v, want %v", at, regular.Add(time.Hour))
	}
	if at := next(c); !at.Equal(regular) {
		t.Errorf("back %v, want %v", at, regular)
	}
	c.Paused = true
	if at := next(c); at != nil {
		t.Errorf("paused %v", at)
	}
	x.at = time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	c.Paused = false
	if at := next(c); !at.Equal(time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("resumed %v: what was due while it was paused is not made up for", at)
	}
}

func TestAScheduleWithABrokenRecipientCanBePaused(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.member("user:1", access.Viewer)
	c := spec()
	c.Recipients = []report.Recipient{{Actor: "user:1"}}
	s, err := x.AddSchedule(t.Context(), firm, c)
	if err != nil {
		t.Fatal(err)
	}
	delete(x.members, "user:1")
	c.Paused = true
	if s, err = x.ChangeSchedule(t.Context(), firm, s.ID, c); err != nil || !s.Paused {
		t.Fatalf("%+v, %v", s, err)
	}
	c.Paused = false
	if _, err := x.ChangeSchedule(t.Context(), firm, s.ID, c); fault.KindOf(err) != fault.Invalid || fault.FieldsOf(err)[0].Path != "recipients[0]" {
		t.Errorf("it goes on: %v", err)
	}
	c.Paused, c.Recipients = true, []report.Recipient{{Role: access.Viewer}}
	if _, err := x.ChangeSchedule(t.Context(), firm, s.ID, c); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a recipient that names nobody: %v", err)
	}
}

func TestAScheduleWithoutDataSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	c := spec()
	c.Stale = report.Wait
	s, j := x.begun(c)
	if err := x.attempt(j); err != nil || x.problem(s.ID) != "waits for data: nothing is imported yet" {
		t.Errorf("%v, %q", err, x.problem(s.ID))
	}
}

func TestAFileThatCannotBeReadIsNoDefect(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.bills(map[string]int{"Alder": 1000})
	c := spec()
	c.Recipients = []report.Recipient{{Destination: "box", Role: access.Viewer}}
	_, j := x.begun(c)
	if err := x.attempt(j); err != nil {
		t.Fatal(err)
	}
	m, err := x.Message(t.Context(), firm, x.sent[0])
	if err != nil {
		t.Fatal(err)
	}
	files, id := filepath.Join(x.dir, "firm", "files"), x.made()[0].ID
	check := func(want fault.Kind, text string) {
		t.Helper()
		_, err := m.Files[0].Open()
		_, _, direct := x.Open(t.Context(), firm, id)
		for _, err := range []error{err, direct} {
			if fault.KindOf(err) != want || !strings.Contains(fault.Message(err), text) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	}
	if err := os.RemoveAll(files); err != nil {
		t.Fatal(err)
	}
	check(fault.NotFound, "make it again")
	if err := os.WriteFile(files, nil, 0o600); err != nil { // a disk that cannot be read
		t.Fatal(err)
	}
	check(fault.Unavailable, "cannot be read now")
}
