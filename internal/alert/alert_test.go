package alert_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-message/mail"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/alert"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/delivery/deliverytest"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func TestNamedQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, alert.NamedQueries())
}

// mails are what the server took: "to: subject".
func (x *world) mails(t *testing.T) (out []string) {
	t.Helper()
	for _, m := range x.mail.Mails() {
		r, err := mail.CreateReader(strings.NewReader(m.Content))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := r.Header.Subject()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m.To+": "+subject)
	}
	slices.Sort(out)
	return out
}

func TestEverybodyIsToldOnceByTheWaysOfARouteOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		x := newWorldOn(t, db)
		anna, bert := x.join(t, "anna", access.Standing{Role: access.Viewer}), x.join(t, "bert", access.Standing{Role: access.Finance})
		x.join(t, "carl", access.Standing{Role: access.Viewer}) // not named
		browser := deliverytest.NewBrowser(t)
		if _, err := x.out.PushKey(t.Context(), acme); err != nil {
			t.Fatal(err)
		}
		if _, err := x.out.Subscribe(t.Context(), x.scope(t, anna), delivery.Browser{Endpoint: x.web.URL + "/push", Keys: delivery.BrowserKeys{P256DH: browser.P256DH, Auth: browser.Auth}}); err != nil {
			t.Fatal(err)
		}
		x.bill(t, "Acme", "50", "Bolt", "5000")
		x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client", Description: "Call them."})
		r := x.route(t, alert.RouteSpec{Name: "All", Users: []tenant.Actor{anna}, Roles: []string{access.Finance}, InApp: true, Push: true, Email: "office", Webhooks: []string{"chat"}})
		if r.Email != x.office || r.Webhooks[0] != x.hook || r.WebhookRole != access.Viewer {
			t.Errorf("kept as %+v", r)
		}
		if told := x.evaluate(t); told.Hits != 1 || told.Messages != 6 {
			t.Errorf("told %+v, want 2 notices, 2 mails, 1 browser, 1 webhook", told)
		}
		if told := x.evaluate(t); told.Messages != 0 {
			t.Errorf("told again: %+v", told)
		}
		const says = "Small: revenue of Acme is 50.00 (June 2026)"
		want := []string{"anna@msp.example: " + says, "bert@msp.example: " + says}
		if got := x.mails(t); !slices.Equal(got, want) {
			t.Errorf("mails %q, want %q", got, want)
		}
		if content := x.mail.Mails()[0].Content; !strings.Contains(content, "Call them.") || !strings.Contains(content, "https://moat.example.com/alerts") {
			t.Errorf("the mail says %s", content)
		}
		for actor, want := range map[tenant.Actor]int{anna: 1, bert: 1} {
			scope := x.scope(t, actor)
			scope.Rights = &tenant.Rights{} // a notice to oneself needs none
			if list, err := x.notices.List(t.Context(), scope, true, 10, 0); err != nil || len(list) != want || list[0].Message != says {
				t.Errorf("%s is told %+v, %v", actor, list, err)
			}
		}
		var pushed, hooked int
		for _, c := range x.web.Calls() {
			switch c.Path {
			case "/push":
				pushed++
				if text, err := browser.Open(c.Body); err != nil || !strings.Contains(string(text), "revenue of Acme") {
					t.Errorf("the browser reads %q, %v", text, err)
				}
			case "/hook":
				hooked++
				var got struct {
					Kind string
					Data struct {
						Alerts []struct{ Rule, Subject, Value, Severity, From, To string }
					}
				}
				if err := json.Unmarshal(c.Body, &got); err != nil || got.Kind != "alert" || len(got.Data.Alerts) != 1 || got.Data.Alerts[0].Value != "50" || got.Data.Alerts[0].Severity != metric.Warning || got.Data.Alerts[0].From != "2026-06-01" {
					t.Errorf("the webhook reads %s, %v", c.Body, err)
				}
			}
		}
		if pushed != 1 || hooked != 1 {
			t.Errorf("%d to browsers, %d to webhooks", pushed, hooked)
		}
	})
}

// Each is told what they may see: a rule on a hidden measure, a client outside their reach, a figure that
// is another one in the part that they see, and names of persons stay away.
func TestNobodyIsToldWhatTheyMayNotSee(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.bill(t, "Acme", "50", "Bolt", "5000")
	x.load(t, "time_logs.csv", "staff_name,client_name,hours,rate,billable,date\nDana,Acme,10,80,yes,2026-06-10\nErik,Bolt,1,80,yes,2026-06-30\n")
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.rule(t, metric.Rule{Name: "Thin", Condition: "gross_margin < 20%", Dimension: "client"})
	x.rule(t, metric.Rule{Name: "Firm", Condition: "revenue < 100000"})
	x.rule(t, metric.Rule{Name: "Busy", Condition: "hours_worked > 5", Dimension: "staff"})
	all := map[string]tenant.Actor{}
	for name, as := range map[string]access.Standing{
		"admin": {Role: access.Admin}, "analyst": {Role: access.Analyst}, "viewer": {Role: access.Viewer},
		"acmes": {Role: access.Viewer, Clients: []string{"Acme"}}, "bolts": {Role: access.Viewer, Clients: []string{"Bolt"}},
		"portal": {Role: access.ClientPortal, Clients: []string{"Acme"}}, "tech": {Role: access.Technician, Teams: []string{"Desk"}},
	} {
		all[name] = x.join(t, name, as)
	}
	var users []tenant.Actor
	for _, u := range all {
		users = append(users, u)
	}
	x.route(t, alert.RouteSpec{Name: "All", Users: users, Email: "office", Webhooks: []string{"chat"}})
	x.evaluate(t)
	heard := map[string]string{}
	for _, m := range x.mail.Mails() {
		name, _, _ := strings.Cut(m.To, "@")
		text := strings.ReplaceAll(m.Content, "=\r\n", "")
		for _, rule := range []string{"Small", "Thin", "Firm", "Busy"} {
			if strings.Contains(text, "] "+rule+":") {
				heard[name] += rule + " "
			}
		}
		if name != "admin" && strings.Contains(text, "Dana") {
			t.Errorf("%s reads a name: %s", name, text)
		}
		if name == "acmes" && strings.Contains(text, "Bolt") || name == "bolts" && strings.Contains(text, "Acme") {
			t.Errorf("%s reads of another client: %s", name, text)
		}
	}
	for name, want := range map[string]string{"admin": "Small Thin Firm Busy ", "analyst": "Small Thin Firm ", "viewer": "Small Firm ", "acmes": "Small ", "bolts": "", "portal": "", "tech": ""} {
		if heard[name] != want {
			t.Errorf("%s hears %q, want %q", name, heard[name], want)
		}
		var listed []string
		for _, one := range x.list(t, x.scope(t, all[name]), alert.Filter{}) {
			rule, _, _ := strings.Cut(one, ":")
			listed = append(listed, rule)
		}
		slices.Sort(listed)
		told := strings.Fields(want)
		slices.Sort(told)
		if !slices.Equal(listed, told) && len(listed)+len(told) > 0 {
			t.Errorf("%s lists %q, is told %q", name, listed, told)
		}
	}
	for _, c := range x.web.Calls() { // as a viewer
		if text := string(c.Body); strings.Contains(text, "Thin") || strings.Contains(text, "Dana") || !strings.Contains(text, "Small") {
			t.Errorf("the webhook reads %s", text)
		}
	}
	id := x.id(t, "Acme")
	_, err := x.Acknowledge(t.Context(), x.scope(t, all["bolts"]), id, "mine")
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("who does not see an alert acknowledges it: %v", err)
	}
	if got := x.list(t, tenant.Scope{Tenant: "other", Actor: "cli:x"}, alert.Filter{}); len(got) != 0 {
		t.Errorf("another tenant sees %q", got)
	}
}

// A letter that waits is not sent to somebody whose rights have become others.
func TestRightsCountWhenALetterLeaves(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	anna, bert := x.join(t, "anna", access.Standing{Role: access.Analyst}), x.join(t, "bert", access.Standing{Role: access.Analyst})
	x.bill(t, "Acme", "50")
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.route(t, alert.RouteSpec{Name: "All", Users: []tenant.Actor{anna, bert}, Email: "office"})
	if _, err := x.watch.Evaluate(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	if told, err := x.Run(t.Context(), program); err != nil || told.Messages != 2 {
		t.Fatalf("%+v, %v", told, err)
	}
	if err := x.users.ChangeUser(t.Context(), acme, strings.TrimPrefix(string(anna), "user:"), access.UserChange{As: &access.Standing{Role: access.Viewer}}); err != nil {
		t.Fatal(err)
	}
	off := true
	if err := x.users.ChangeUser(t.Context(), acme, strings.TrimPrefix(string(bert), "user:"), access.UserChange{Disabled: &off}); err != nil {
		t.Fatal(err)
	}
	x.send(t)
	if got := x.mails(t); len(got) != 0 {
		t.Errorf("sent %q", got)
	}
	list, err := x.out.Deliveries(t.Context(), acme, delivery.Filter{Status: delivery.Canceled}, 10, 0)
	if err != nil || len(list) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestWhatBeginsInQuietHoursIsToldOnceWhenTheyEnd(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	anna := x.join(t, "anna", access.Standing{Role: access.Viewer})
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.rule(t, metric.Rule{Name: "Huge", Condition: "revenue > 100000", Dimension: "client", Severity: metric.Critical})
	x.route(t, alert.RouteSpec{Name: "Nights", Users: []tenant.Actor{anna}, Email: "office", Zone: "Europe/Berlin", Quiet: []alert.Window{{From: "20:00", To: "07:00"}}})
	x.to(t, "2026-07-01T19:30:00Z") // 21:30 in Berlin
	x.bill(t, "Acme", "50", "Bolt", "60", "Core", "70", "Dune", "200000")
	if told := x.evaluate(t); told.Hits != 1 || !strings.Contains(x.mails(t)[0], "Critical: Huge") {
		t.Errorf("at night: %+v, %q", told, x.mails(t))
	}
	x.to(t, "2026-07-02T03:00:00Z")
	x.bill(t, "Core", "500") // has ceased before anybody was told
	if told := x.evaluate(t); told.Messages != 0 {
		t.Errorf("still at night: %+v", told)
	}
	// The server was down until the afternoon; several processes start at once.
	x.to(t, "2026-07-02T13:00:00Z")
	var together sync.WaitGroup
	for range 4 {
		together.Go(func() {
			if _, err := x.Run(t.Context(), program); err != nil && fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		})
	}
	together.Wait()
	x.run(t)
	got := x.mails(t)
	if len(got) != 2 || !strings.Contains(got[0]+got[1], "2 alerts, the first: Small: ") {
		t.Errorf("mails %q", got)
	}
	if content := x.mail.Mails()[1].Content; strings.Contains(content, "Core") || !strings.Contains(content, "Acme") || !strings.Contains(content, "Bolt") {
		t.Errorf("the mail says %s", content)
	}
}

func TestMessagesAreGroupedAndRemindUntilAcknowledged(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	anna := x.join(t, "anna", access.Standing{Role: access.Viewer})
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.route(t, alert.RouteSpec{Name: "Grouped", Users: []tenant.Actor{anna}, Email: "office", EveryMinutes: 60, RemindHours: 24})
	step := func(at string, mails int) {
		t.Helper()
		x.to(t, at)
		x.evaluate(t)
		if got := x.mails(t); len(got) != mails {
			t.Fatalf("at %s: %q, want %d", at, got, mails)
		}
	}
	x.bill(t, "Acme", "50")
	step("2026-07-01T10:00:00Z", 1)
	x.bill(t, "Bolt", "60")
	step("2026-07-01T10:10:00Z", 1)
	x.bill(t, "Core", "70")
	step("2026-07-01T10:50:00Z", 1)
	step("2026-07-01T11:00:00Z", 2)
	if last := x.mail.Mails()[1].Content; !strings.Contains(last, "Subject: 2 alerts") || strings.Contains(last, "Acme") {
		t.Errorf("the second: %s", last)
	}
	step("2026-07-02T09:00:00Z", 2)
	step("2026-07-02T10:00:00Z", 3) // Acme again
	if last := x.mail.Mails()[2].Content; !strings.Contains(last, "Still: Small") || !strings.Contains(last, "has acknowledged") {
		t.Errorf("the reminder: %s", last)
	}
	acme1, seen := x.id(t, "Acme"), x.scope(t, anna)
	a, err := x.Acknowledge(t.Context(), seen, acme1, " it is a new client ")
	if err != nil || a.Acknowledged == nil || a.Acknowledged.By != anna || a.Acknowledged.Note != "it is a new client" || a.Times != 2 {
		t.Fatalf("%+v, %v", a, err)
	}
	_, err = x.Acknowledge(t.Context(), acme, acme1, "")
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("acknowledged twice: %v", err)
	}
	if got, want := x.list(t, acme, alert.Filter{Unacknowledged: true}), []string{"Small: Bolt 60", "Small: Core 70"}; !slices.Equal(got, want) {
		t.Errorf("not acknowledged: %q", got)
	}
	step("2026-07-02T11:00:00Z", 4) // the two others
	step("2026-07-03T10:30:00Z", 4) // Acme no more
	if _, err := x.Unacknowledge(t.Context(), seen, acme1); err != nil {
		t.Fatal(err)
	}
	step("2026-07-03T11:00:00Z", 5) // the two others, again
	step("2026-07-04T10:40:00Z", 6) // Acme, a day after it was taken back
	// What ceases and begins again is another alert, which nobody knows of.
	if _, err := x.Acknowledge(t.Context(), acme, acme1, ""); err != nil {
		t.Fatal(err)
	}
	x.bill(t, "Acme", "500")
	step("2026-07-04T10:50:00Z", 6)
	if got := x.list(t, acme, alert.Filter{Open: true, Unacknowledged: true}); len(got) != 2 {
		t.Errorf("open: %q", got)
	}
	want := map[string]int{"alert_route.create": 1, "alert.tell": 6, "alert.acknowledge": 2, "alert.unacknowledge": 1}
	if got := x.recorded(t, "alert"); !maps.Equal(got, want) {
		t.Errorf("on the record: %v, want %v", got, want)
	}
	_, err = x.Unacknowledge(t.Context(), acme, "nothing")
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestADailySummaryComesOnce(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	anna := x.join(t, "anna", access.Standing{Role: access.Viewer})
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.route(t, alert.RouteSpec{Name: "Daily", Users: []tenant.Actor{anna}, Email: "office", Zone: "America/New_York", DailyAt: "08:00"})
	x.bill(t, "Acme", "50", "Bolt", "60")
	for _, step := range []struct {
		at   string
		want int
	}{{"2026-07-01T10:00:00Z", 0}, {"2026-07-01T12:00:00Z", 1}, {"2026-07-01T12:01:00Z", 1}, {"2026-07-02T12:00:00Z", 1}} {
		x.to(t, step.at)
		x.evaluate(t)
		if got := x.mails(t); len(got) != step.want {
			t.Errorf("at %s: %q", step.at, got)
		}
	}
}

func TestAnAlertOnAMeasureIsMadeInOneStep(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	anna := x.join(t, "anna", access.Standing{Role: access.Viewer})
	x.bill(t, "Acme", "50", "Bolt", "5000")
	if _, err := x.metrics.AddKPI(t.Context(), acme, metric.KPI{Name: "double", Formula: "revenue * 2"}); err != nil {
		t.Fatal(err)
	}
	spec := alert.RouteSpec{Users: []tenant.Actor{anna}, Email: "office"}
	r, err := x.AddThreshold(t.Context(), acme, alert.Threshold{Name: "Low double", Measure: "double", Below: "200", Dimension: "client", Severity: metric.Critical}, spec)
	if err != nil || r.Name != "Low double" || !slices.Equal(r.Rules, []string{"Low double"}) {
		t.Fatalf("%+v, %v", r, err)
	}
	x.evaluate(t)
	if got := x.mails(t); len(got) != 1 || !strings.Contains(got[0], "Critical: Low double") {
		t.Errorf("mails %q", got)
	}
	for name, bad := range map[string]alert.Threshold{
		"no threshold":   {Name: "x", Measure: "revenue"},
		"two":            {Name: "x", Measure: "revenue", Below: "1", Above: "2"},
		"a formula":      {Name: "x", Measure: "revenue", Below: "1 or revenue > 0"},
		"no measure":     {Name: "x", Measure: "nothing", Below: "1"},
		"no dimension":   {Name: "x", Measure: "revenue", Below: "1", Dimension: "nothing"},
		"no name":        {Measure: "revenue", Below: "1"},
		"a second route": {Name: "Low double", Measure: "revenue", Below: "1"},
	} {
		if _, err := x.AddThreshold(t.Context(), acme, bad, spec); fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := x.AddThreshold(t.Context(), acme, alert.Threshold{Name: "y", Measure: "revenue", Below: "1"}, alert.RouteSpec{Email: "nowhere", Users: spec.Users}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a route to nowhere: %v", err)
	}
	if rules, err := x.metrics.Rules(t.Context(), acme); err != nil || len(rules) != 1 {
		t.Errorf("rules are left: %+v, %v", rules, err)
	}
}

func TestARouteThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	anna := x.join(t, "anna", access.Standing{Role: access.Viewer})
	analyst := x.scope(t, x.join(t, "analyst", access.Standing{Role: access.Analyst}))
	for name, spec := range map[string]alert.RouteSpec{
		"no name":            {InApp: true},
		"no way":             {Name: "x", Users: []tenant.Actor{anna}},
		"mail to nobody":     {Name: "x", Email: "office"},
		"no such user":       {Name: "x", InApp: true, Users: []tenant.Actor{"user:404"}},
		"no such role":       {Name: "x", InApp: true, Roles: []string{"chief"}},
		"no such rule":       {Name: "x", InApp: true, Rules: []string{"none"}},
		"no such severity":   {Name: "x", InApp: true, Severities: []string{"bad"}},
		"mail to a webhook":  {Name: "x", Email: "chat", Users: []tenant.Actor{anna}},
		"a hook that mails":  {Name: "x", Webhooks: []string{"office"}},
		"no such zone":       {Name: "x", InApp: true, Zone: "Mars/Olympus"},
		"always quiet":       {Name: "x", InApp: true, Quiet: []alert.Window{{From: "00:00", To: "12:00"}, {From: "12:00", To: "00:00"}}},
		"no such hour":       {Name: "x", InApp: true, Quiet: []alert.Window{{From: "25:00", To: "7"}}},
		"no such day":        {Name: "x", InApp: true, Quiet: []alert.Window{{Days: []string{"someday"}, From: "20:00", To: "07:00"}}},
		"two groupings":      {Name: "x", InApp: true, DailyAt: "08:00", EveryMinutes: 10},
		"reminds every year": {Name: "x", InApp: true, RemindHours: 9000},
	} {
		if _, err := x.AddRoute(t.Context(), acme, spec); fault.KindOf(err) != fault.Invalid || len(fault.FieldsOf(err)) == 0 {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// Nobody has a webhook told more than they see themselves.
	if _, err := x.AddRoute(t.Context(), analyst, alert.RouteSpec{Name: "x", Webhooks: []string{"chat"}, WebhookRole: access.Finance}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an analyst tells a webhook about pay: %v", err)
	}
	if _, err := x.AddRoute(t.Context(), x.scope(t, anna), alert.RouteSpec{Name: "x", InApp: true}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a viewer makes a route: %v", err)
	}
	r := x.route(t, alert.RouteSpec{Name: "Chat", Webhooks: []string{"chat"}, InApp: true})
	if err := x.out.Remove(t.Context(), acme, x.hook); err != nil {
		t.Fatal(err)
	}
	if r, err := x.Route(t.Context(), acme, r.ID); err != nil || !strings.Contains(r.Problem, "was removed") {
		t.Errorf("%+v, %v", r, err)
	}
	x.bill(t, "Acme", "50")
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	if told := x.evaluate(t); told.Messages != 1 { // in the program, to everybody who sees everything
		t.Errorf("told %+v", told)
	}
	if list, err := x.notices.List(t.Context(), acme, true, 10, 0); err != nil || len(list) != 1 || list[0].To != "" {
		t.Errorf("%+v, %v", list, err)
	}
	if err := x.RemoveRoute(t.Context(), acme, "Chat"); err != nil {
		t.Fatal(err)
	}
	if all, err := x.Routes(t.Context(), acme); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

// A webhook that is away keeps nobody else from being told, and is told later.
func TestAWayThatIsAwayHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	anna := x.join(t, "anna", access.Standing{Role: access.Viewer})
	x.bill(t, "Acme", "50")
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client"})
	x.route(t, alert.RouteSpec{Name: "All", Users: []tenant.Actor{anna}, Email: "office", Webhooks: []string{"chat"}})
	x.web.Away()
	if _, err := x.watch.Evaluate(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Run(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	work := func() (failed int) {
		list, err := x.out.Deliveries(t.Context(), acme, delivery.Filter{Status: delivery.Waiting}, 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if err := x.out.Work(t.Context(), program, []byte(`{"id":"`+d.ID+`"}`)); err != nil {
				failed++
			}
		}
		return failed
	}
	if failed := work(); failed != 1 || len(x.mails(t)) != 1 {
		t.Errorf("%d failed, mails %q", failed, x.mails(t))
	}
	x.web.Answer(nil)
	if failed := work(); failed != 0 || len(x.web.Calls()) != 2 || len(x.mails(t)) != 1 {
		t.Errorf("%d failed, %d calls, mails %q", failed, len(x.web.Calls()), x.mails(t))
	}
}
