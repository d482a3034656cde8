package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func TestRightsCountAgainWhenAFileIsSent(t *testing.T) {
	t.Parallel()
	partner := access.CustomRole{Name: "partner", Label: "Partner", BasedOn: access.Finance, Actions: []tenant.Action{access.FiguresRead}, Hidden: []tenant.Class{tenant.Pay, tenant.Personal}}
	change := func(t *testing.T, x *world, c access.PolicyChange) {
		t.Helper()
		if _, err := x.policies.Change(t.Context(), firm, c); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, x *world)
		want   string // "": it is sent
	}{
		{"nothing changed", func(*testing.T, *world) {}, ""},
		{"the role sees more now", func(t *testing.T, x *world) {
			p := partner
			p.Hidden = []tenant.Class{tenant.Personal}
			change(t, x, access.PolicyChange{Put: &p})
		}, ""},
		{"the role sees no margins any more", func(t *testing.T, x *world) {
			p := partner
			p.Hidden = tenant.Classes
			change(t, x, access.PolicyChange{Put: &p})
		}, "the role partner may not see"},
		{"the role sees other clients only", func(t *testing.T, x *world) {
			p := partner
			p.Clients = []string{"Birch"}
			change(t, x, access.PolicyChange{Put: &p})
		}, "the role partner may not see"},
		{"the role is gone", func(t *testing.T, x *world) { change(t, x, access.PolicyChange{Remove: "partner"}) }, `no role "partner"`},
		{"who set it up was narrowed", func(t *testing.T, x *world) { x.members["user:1"].Rights.Clients = []string{"Birch"} }, "user:1 may not see"},
		{"who set it up may not send any more", func(t *testing.T, x *world) {
			x.members["user:1"].Rights.Actions = []tenant.Action{access.FiguresRead}
		}, "may not send reports any more"},
		{"who set it up is gone", func(t *testing.T, x *world) { delete(x.members, "user:1") }, "cannot sign in any more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			x.bills(map[string]int{"Alder": 3000, "Birch": 2000})
			change(t, x, access.PolicyChange{Put: &partner, New: true})
			author := x.member("user:1", access.Owner)
			own := *author.Rights
			author.Rights = &own
			x.members["user:1"] = author
			s := spec()
			s.Template, s.Recipients = "client-profitability", []report.Recipient{{Destination: "box", Role: "partner", Clients: []string{"Alder"}}, {Destination: "mail", Address: "a@b.example", Role: "partner"}}
			kept, err := x.AddSchedule(t.Context(), author, s)
			if err != nil {
				t.Fatal(err)
			}
			x.runNow(kept.ID)
			if len(x.sent) != 2 {
				t.Fatalf("%d sent: %s", len(x.sent), x.problem(kept.ID))
			}
			c.change(t, x)
			for _, d := range x.sent {
				m, err := x.Message(t.Context(), firm, d)
				if c.want == "" && (err != nil || len(m.Files) != 1) {
					t.Errorf("%s: %v", d.Destination, err)
				}
				if c.want != "" && (fault.KindOf(err) != fault.Forbidden || !strings.Contains(fault.Message(err), c.want)) {
					t.Errorf("%s: %v, want %q", d.Destination, err, c.want)
				}
			}
		})
	}
	t.Run("a client's review goes on while its author may send", func(t *testing.T) {
		t.Parallel()
		x := newWorld(t)
		x.bills(map[string]int{"Alder": 3000})
		s := spec()
		s.Template, s.Client, s.Recipients = "client-qbr", "Alder", []report.Recipient{{Destination: "mail", Address: "a@alder.example"}}
		_, j := x.begun(s)
		if err := x.attempt(j); err != nil || len(x.sent) != 1 {
			t.Fatalf("%v, %d sent", err, len(x.sent))
		}
		if _, err := x.Message(t.Context(), firm, x.sent[0]); err != nil {
			t.Error(err)
		}
	})
}

func TestAClientsReviewGoesToNoOtherClient(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.bills(map[string]int{"Alder": 3000, "Birch": 2000})
	outside := func(clients ...string) report.Recipient {
		return report.Recipient{Destination: "mail", Address: "owner@alder.example", Clients: clients}
	}
	place := func(clients ...string) report.Recipient {
		return report.Recipient{Destination: "box", Clients: clients}
	}
	x.member("user:1", access.Owner)
	for _, c := range []struct {
		name   string
		client string
		every  bool
		to     report.Recipient
		refuse string         // what the refusal says to do
		sent   map[string]int // by client, when it runs all the same
	}{
		{name: "the client with the highest revenue, to an address", to: outside(), refuse: "name the client"},
		{name: "and a limit does not help", to: outside("Alder"), refuse: "name the client"},
		{name: "every client to one address", every: true, to: outside(), refuse: "say which clients"},
		{name: "a client that is not among those of the address", client: "Birch", to: outside("Alder"), refuse: "Birch is not among"},
		{name: "a named client", client: "Alder", to: outside(), sent: map[string]int{"Alder": 1}},
		{name: "a named client of the address", client: "Alder", to: outside("Alder"), sent: map[string]int{"Alder": 1}},
		{name: "every client, of which the address has one", every: true, to: outside("Birch"), sent: map[string]int{"Birch": 1}},
		{name: "every client to a place", every: true, to: place(), sent: map[string]int{"Alder": 1, "Birch": 1}},
		{name: "every client to a place, with the portal's role", every: true, to: report.Recipient{Destination: "box", Role: access.ClientPortal}, sent: map[string]int{"Alder": 1, "Birch": 1}},
		{name: "the highest revenue to a place", to: place(), sent: map[string]int{"Alder": 1}},
		{name: "the highest revenue to a member", to: report.Recipient{Actor: "user:1"}, sent: map[string]int{}},
	} {
		s := spec()
		s.Name, s.Template, s.Client, s.EveryClient, s.Recipients = c.name, "client-qbr", c.client, c.every, []report.Recipient{c.to}
		_, err := x.AddSchedule(t.Context(), firm, s)
		if c.refuse != "" && (fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), c.refuse)) || c.refuse == "" && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		// One that was kept before these were checked.
		s.Paused = true
		kept, err := x.AddSchedule(t.Context(), firm, s)
		if err != nil {
			t.Fatal(err)
		}
		x.sent = nil
		x.runNow(kept.ID)
		got := map[string]int{}
		for _, d := range x.sent {
			id, _, _ := strings.Cut(d.Ref, " ")
			r, err := x.Get(t.Context(), firm, id)
			if err != nil {
				t.Fatal(err)
			}
			got[r.Client]++
		}
		if fmt.Sprint(got) != fmt.Sprint(c.sent) {
			t.Errorf("%s: sent %v, want %v", c.name, got, c.sent)
		}
		if p := x.problem(kept.ID); p == "" != (c.refuse == "") || !strings.Contains(p, c.refuse) {
			t.Errorf("%s: the schedule says %q", c.name, p)
		}
	}

	nobody := spec()
	nobody.Template, nobody.EveryClient, nobody.Recipients = "client-qbr", true, []report.Recipient{outside("Alder", "Elm")}
	if _, err := x.AddSchedule(t.Context(), firm, nobody); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), `there is no client "Elm"`) {
		t.Errorf("a client that is not there: %v", err)
	}
	nobody.Recipients = []report.Recipient{outside("BIRCH", "birch")}
	if in, err := x.AddSchedule(t.Context(), firm, nobody); err != nil || !slices.Equal(in.Recipients[0].Clients, []string{"Birch"}) {
		t.Errorf("a client in another case: %+v, %v", in, err)
	}

	// Birch pays more than Alder now: a place that is Alder's gets nothing about Birch, of a
	// report inside neither.
	desk := "name: desk\ntitle: Desk of {{client}}\nof_client: true\nperiod: last_quarter\nsections:\n  - title: One\n    blocks:\n      - tiles: {measures: [revenue]}\n"
	if _, err := x.PutTemplate(t.Context(), firm, desk, true); err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, template := range []string{"client-qbr", "desk"} {
		s := spec()
		s.Name, s.Template, s.Recipients = template, template, []report.Recipient{place("Alder")}
		s.Recipients[0].Role = map[string]string{"desk": access.Viewer}[template]
		k, err := x.AddSchedule(t.Context(), firm, s)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, k.ID)
	}
	x.bills(map[string]int{"Birch": 9000})
	x.sent = nil
	for _, id := range kept {
		x.runNow(id)
	}
	for _, r := range x.made() {
		if r.Client == "Birch" && slices.ContainsFunc(x.sent, func(d delivery.Delivery) bool { return strings.Contains(d.Ref, r.ID) }) {
			t.Errorf("%s about %s was sent to a place of Alder's", r.Template, r.Client)
		}
	}
	if p := x.problem(kept[0]); !strings.Contains(p, "about Birch") {
		t.Errorf("the schedule says %q", p)
	}
}
