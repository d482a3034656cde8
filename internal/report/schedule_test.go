package report_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// work does the jobs that wait, as a worker does.
func (x *world) work() {
	x.t.Helper()
	for len(x.jobs) > 0 {
		j := x.jobs[0]
		x.jobs = x.jobs[1:]
		var err error
		switch j.kind {
		case report.JobMake:
			var of struct{ ID string }
			if err = json.Unmarshal(j.args, &of); err == nil {
				err = x.Work(x.t.Context(), j.scope, of.ID)
			}
		case report.JobSchedule:
			err = x.WorkSchedule(x.t.Context(), j.scope, j.args)
		}
		if err != nil {
			x.t.Fatalf("%s: %v", j.kind, err)
		}
	}
}

func (x *world) runNow(id string) {
	x.t.Helper()
	if err := x.RunNow(x.t.Context(), firm, id); err != nil {
		x.t.Fatal(err)
	}
	x.work()
}

func spec() report.ScheduleSpec {
	return report.ScheduleSpec{Name: "Monthly", Template: "service-desk", Formats: []string{"json"}, Cron: "0 7 1 * *", Zone: "America/New_York"}
}

func TestAScheduleThatWasMissedRunsOnce(t *testing.T) {
	t.Parallel()
	for _, engine := range []metadb.Engine{metadb.SQLite, metadb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			x := newWorldOn(t, engine)
			x.loadDemo()
			s, err := x.AddSchedule(t.Context(), firm, spec())
			if err != nil {
				t.Fatal(err)
			}
			if want := time.Date(2026, 8, 1, 11, 0, 0, 0, time.UTC); s.NextAt == nil || !s.NextAt.Equal(want) {
				t.Fatalf("next at %v, want %v", s.NextAt, want)
			}
			if err := x.RunDue(t.Context()); err != nil || len(x.jobs) != 0 {
				t.Fatalf("run before its time: %v, %v", x.jobs, err)
			}
			// Down for three of its times; then two servers look at once and again.
			x.at = time.Date(2026, 10, 20, 3, 0, 0, 0, time.UTC)
			for range 3 {
				if err := x.RunDue(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if len(x.jobs) != 1 {
				t.Fatalf("%d jobs, want 1", len(x.jobs))
			}
			again := x.jobs[0]
			x.work()
			x.jobs = append(x.jobs, again) // the worker died before that was noted
			x.work()
			list, _, err := x.List(t.Context(), firm, report.Filter{}, 10, "")
			if err != nil || len(list) != 1 || list[0].State != report.Done {
				t.Fatalf("%d reports, %v", len(list), err)
			}
			if list[0].AsOf.String() != "2026-10-19" {
				t.Errorf("as of %s: it is still the 19th in New York", list[0].AsOf)
			}
			s, err = x.Schedule(t.Context(), firm, s.ID)
			if want := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC); err != nil || !s.NextAt.Equal(want) || s.LastAt == nil || s.Problem != "" {
				t.Errorf("after daylight saving %v, want %v; %+v, %v", s.NextAt, want, s, err)
			}
		})
	}
}

func TestRecipientsGetWhatTheirOwnRoleMaySee(t *testing.T) {
	t.Parallel()
	x := demo(t)
	for actor, role := range map[tenant.Actor]string{"user:1": access.Owner, "user:2": access.Analyst, "user:3": access.Viewer} {
		rights, err := x.policies.Rights(t.Context(), firm.Tenant, role, access.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		x.members[actor] = tenant.Scope{Tenant: firm.Tenant, Actor: actor, Rights: rights}
	}
	c := spec()
	c.Template = "client-profitability"
	c.Recipients = []report.Recipient{{Actor: "user:1"}, {Actor: "user:2"}, {Actor: "user:3"}, {Actor: "user:4"}, {Destination: "box", Role: access.Viewer}}
	if _, err := x.AddSchedule(t.Context(), firm, c); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.FieldsOf(err)[0].Path, "recipients[3]") {
		t.Fatalf("somebody who is no member is a recipient: %v", err)
	}
	c.Recipients = append(c.Recipients[:3:3], c.Recipients[4])
	s, err := x.AddSchedule(t.Context(), x.members["user:1"], c)
	if err != nil {
		t.Fatal(err)
	}
	x.runNow(s.ID)
	list, _, err := x.List(t.Context(), firm, report.Filter{}, 10, "")
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]string{}
	for _, r := range list {
		full, err := x.Get(t.Context(), firm, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range full.Receipts {
			roles[got.Receiver] = full.Role
		}
		_, f, err := x.Open(t.Context(), firm, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		d := &document.Document{}
		err = json.NewDecoder(f).Decode(d)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		margins := 0
		for fig := range d.Figures() {
			if strings.Contains(fig.Where, "gross_margin") && fig.Value.Number != nil {
				margins++
			}
		}
		if (margins > 0) != (full.Role != access.Viewer) {
			t.Errorf("the file for the role %s shows %d margins", full.Role, margins)
		}
	}
	for who, want := range map[string]string{"user:1": access.Owner, "user:2": access.Analyst, "user:3": access.Viewer, "box": access.Viewer} {
		if roles[who] != want {
			t.Errorf("%s got a file made for %q, want %q", who, roles[who], want)
		}
	}
	if len(x.sent) != 1 || x.sent[0].Destination != "box" || x.sent[0].Kind != report.DeliveryKind {
		t.Fatalf("sent %+v", x.sent)
	}

	// Who set it up is narrowed: what leaves the house is, too.
	x.members["user:1"] = tenant.Scope{Tenant: firm.Tenant, Actor: "user:1", Rights: &tenant.Rights{Role: "narrow", Hidden: tenant.Classes, Clients: []string{"Alder Creek Plastics"}, Actions: []tenant.Action{access.FiguresExport, access.FiguresRead, access.ReportsSend}}}
	x.runNow(s.ID)
	if s, err = x.Schedule(t.Context(), firm, s.ID); err != nil || !strings.Contains(s.Problem, "may see more than user:1") {
		t.Errorf("%+v, %v", s, err)
	}
	x.members["user:1"].Rights.Actions = []tenant.Action{access.FiguresRead}
	x.runNow(s.ID)
	if s, err = x.Schedule(t.Context(), firm, s.ID); err != nil || !strings.Contains(s.Problem, "may not send reports any more") {
		t.Errorf("%+v, %v", s, err)
	}
	delete(x.members, "user:1")
	x.runNow(s.ID)
	if s, err = x.Schedule(t.Context(), firm, s.ID); err != nil || !strings.Contains(s.Problem, "cannot sign in any more") {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestTwoRolesAtOnePlaceGetAFileEach(t *testing.T) {
	t.Parallel()
	x := demo(t)
	c := spec()
	c.Template = "client-profitability"
	c.Recipients = []report.Recipient{
		{Destination: "box", Role: access.Viewer}, {Destination: "box", Role: access.Finance}, // a folder of two departments
		{Destination: "box", Role: access.Finance},                                   // said twice
		{Destination: "other", Role: access.Viewer},                                  // a place of one role
		{Destination: "mail", Address: "Ann@client.example", Role: access.Viewer},    // one reader,
		{Destination: "mail", Address: "ann@client.example", Role: access.Finance},   // two files
		{Destination: "mail", Address: "board@client.example", Role: access.Analyst}, // another reader
	}
	s, err := x.AddSchedule(t.Context(), firm, c)
	if err != nil {
		t.Fatal(err)
	}
	x.runNow(s.ID)
	x.runNow(s.ID) // the job again, as after a crash: the same due time
	if s, err = x.Schedule(t.Context(), firm, s.ID); err != nil || s.Problem != "" {
		t.Fatalf("%+v, %v", s, err)
	}
	type sent struct{ place, to, file, subject, role string }
	var got []sent
	for _, d := range x.sent {
		m, err := x.Message(t.Context(), firm, d)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Files) != 1 {
			t.Fatalf("%s holds %d files", d.Ref, len(m.Files))
		}
		id, _, _ := strings.Cut(d.Ref, " ")
		r, err := x.Get(t.Context(), firm, id)
		if err != nil {
			t.Fatal(err)
		}
		if r.SHA256 != m.Files[0].SHA256 {
			t.Errorf("%s is not the file of %s", m.Files[0].Name, id)
		}
		got = append(got, sent{d.Destination, strings.Join(d.To, " "), m.Files[0].Name, m.Subject, r.Role})
	}
	const file, title = "client-profitability-2025-07-to-2026-06", "Client profitability, July 2025 to June 2026"
	want := []sent{
		{"box", "", file + "-viewer.json", title + ", for the role viewer", access.Viewer},
		{"box", "", file + "-finance.json", title + ", for the role finance", access.Finance},
		{"other", "", file + ".json", title, access.Viewer},
		{"mail", "Ann@client.example", file + "-viewer.json", title + ", for the role viewer", access.Viewer},
		{"mail", "ann@client.example", file + "-finance.json", title + ", for the role finance", access.Finance},
		{"mail", "board@client.example", file + ".json", title, access.Analyst},
	}
	if !slices.Equal(got, want) {
		t.Errorf("sent\n%+v, want\n%+v", got, want)
	}
}

func TestARoleThatSeesMoreThanTheAuthorIsRefused(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	rights, err := x.policies.Rights(t.Context(), firm.Tenant, access.Analyst, access.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	analyst := tenant.Scope{Tenant: firm.Tenant, Actor: "user:2", Rights: rights}
	for role, allowed := range map[string]bool{access.Finance: false, access.Owner: false, access.Analyst: true, access.Viewer: true} {
		c := spec()
		c.Recipients = []report.Recipient{{Destination: "box", Role: role}}
		_, err := x.AddSchedule(t.Context(), analyst, c)
		if (err == nil) != allowed {
			t.Errorf("an analyst sends with the role %s: %v", role, err)
		}
	}
}

func TestAReportWaitsForDataAndDecisions(t *testing.T) {
	t.Parallel()
	x := demo(t)
	c := spec()
	c.Stale = report.Wait
	s, err := x.AddSchedule(t.Context(), firm, c)
	if err != nil {
		t.Fatal(err)
	}
	x.at = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC) // the data ends in June
	if err := x.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.work()
	s, err = x.Schedule(t.Context(), firm, s.ID)
	if err != nil || !strings.Contains(s.Problem, "waits for newer data: it ends on June 30, 2026") || !s.NextAt.Equal(x.at.Add(time.Hour)) {
		t.Fatalf("%+v, %v", s, err)
	}
	if list, _, _ := x.List(t.Context(), firm, report.Filter{}, 10, ""); len(list) != 0 {
		t.Fatalf("%d reports of old data", len(list))
	}
	x.give("time_entries", "staff_name,client_name,hours,date,billable\nNadia Brooks,Tallgrass Brewing,7,2026-08-31,yes\n")
	x.at = x.at.Add(time.Hour)
	if err := x.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.work()
	list, _, err := x.List(t.Context(), firm, report.Filter{}, 10, "")
	if err != nil || len(list) != 1 {
		t.Fatalf("%d reports once there are newer data, %v", len(list), err)
	}
	// A report that says so instead.
	c.Stale = report.Say
	if _, err := x.ChangeSchedule(t.Context(), firm, s.ID, c); err != nil {
		t.Fatal(err)
	}
	x.at = time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	x.runNow(s.ID)
	list, _, err = x.List(t.Context(), firm, report.Filter{}, 10, "")
	if err != nil || len(list) != 2 || len(list[0].Notes) == 0 || !strings.Contains(list[0].Notes[0], "The data ends on August 31, 2026") {
		t.Fatalf("%+v, %v", list[0], err)
	}
}

func TestEveryClientGetsItsOwnPack(t *testing.T) {
	t.Parallel()
	x := demo(t)
	c := spec()
	c.Template, c.EveryClient, c.Recipients = "client-qbr", true, []report.Recipient{{Destination: "box"}}
	s, err := x.AddSchedule(t.Context(), firm, c)
	if err != nil {
		t.Fatal(err)
	}
	x.runNow(s.ID)
	list, _, err := x.List(t.Context(), firm, report.Filter{}, 200, "")
	if err != nil {
		t.Fatal(err)
	}
	clients := map[string]bool{}
	for _, r := range list {
		clients[r.Client] = true
		if r.Role != access.ClientPortal {
			t.Errorf("%s is made for the role %s", r.Client, r.Role)
		}
	}
	if len(list) < 30 || len(clients) != len(list) || len(x.sent) != len(list) {
		t.Errorf("%d packs of %d clients, %d sent", len(list), len(clients), len(x.sent))
	}
}

func TestWrongSchedulesAreRefusedWithEveryReason(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	_, err := x.AddSchedule(t.Context(), firm, report.ScheduleSpec{Name: " ", Template: "none", Formats: []string{"doc", "pdf", "pdf"}, Cron: "every day", Zone: "Mars/Olympus", Recipients: []report.Recipient{{}, {Actor: "user:1", Address: "a@b.example"}, {Address: "a@b.example"}, {Destination: "box"}}})
	var paths []string
	for _, f := range fault.FieldsOf(err) {
		paths = append(paths, f.Path)
	}
	want := "name template formats[0] formats[2] zone cron recipients[0] recipients[1] recipients[2] recipients[3]"
	if got := strings.Join(paths, " "); got != want {
		t.Errorf("got  %s\nwant %s\n%v", got, want, err)
	}
}
