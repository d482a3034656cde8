package access_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func TestPolicyQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, access.PolicyQueries)
}

// as is somebody with a role, by the policies of the moment.
func as(t *testing.T, p *access.Policies, name, role string, l access.Limits) tenant.Scope {
	t.Helper()
	r, err := p.Rights(t.Context(), "default", role, l)
	if err != nil {
		t.Fatal(err)
	}
	return tenant.Scope{Tenant: "default", Actor: tenant.Actor("user:" + name), Rights: r}
}

func text(s string) access.PolicyChange { return access.PolicyChange{Text: &s} }

func accounts(n int) access.PolicyOptions {
	return access.PolicyOptions{Holders: func(context.Context, tenant.Scope, []string) (int, error) { return n, nil }}
}

func TestAChangeIsAVersionThatCanBeReadLater(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		log := audit.New(time.Now)
		p := access.NewPolicies(db, log, time.Now, access.PolicyOptions{})
		kim := tenant.Scope{Tenant: "default", Actor: "cli:kim"}
		c := text("@id(\"v\")\npermit (principal in Role::\"viewer\", action == Action::\"figures.export\", resource);")
		c.Reason, c.Try = "they asked", true
		tried, err := p.Change(t.Context(), kim, c)
		if err != nil {
			t.Fatal(err)
		}
		if list, err := p.History(t.Context(), kim, "", 0); err != nil || len(list) != 0 {
			t.Fatalf("after trying: %v %v", list, err)
		}
		c.Try = false
		first, err := p.Change(t.Context(), kim, c)
		if err != nil {
			t.Fatal(err)
		}
		want := []access.Effect{{Role: "viewer", Gained: true, Kind: "action", What: "figures.export"}}
		if diff := cmp.Diff(want, tried.Effects); diff != "" || first.Version != 1 || first.Status != access.PolicyApplied {
			t.Errorf("%s %+v", diff, first)
		}
		role := access.CustomRole{Name: "lead", Label: "Team lead", BasedOn: "technician", Actions: []tenant.Action{"figures.read"}, Hidden: []tenant.Class{"pay", "margin", "cost"}}
		if _, err := p.Change(t.Context(), kim, access.PolicyChange{Put: &role, New: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Change(t.Context(), kim, text("")); err != nil {
			t.Fatal(err)
		}
		list, err := p.History(t.Context(), kim, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range list {
			for _, e := range v.Effects {
				got = append(got, e.String())
			}
			got = append(got, v.Lines...)
			if v.Current != (v.Version == 3) || v.Author != "cli:kim" {
				t.Errorf("%+v", v)
			}
		}
		wantWords := []string{
			"viewer loses figures.export", `- @id("v")`, `- permit (principal in Role::"viewer", action == Action::"figures.export", resource);`,
			"the role lead is new", "lead gains figures.read", "lead gains self.manage", "lead gains sight of personal", "lead gains the rows of all clients",
			"viewer gains figures.export", `+ @id("v")`, `+ permit (principal in Role::"viewer", action == Action::"figures.export", resource);`,
		}
		if diff := cmp.Diff(wantWords, got); diff != "" {
			t.Error(diff)
		}
		// A second process over the same database decides the same, and another tenant is untouched.
		again := access.NewPolicies(db, log, time.Now, access.PolicyOptions{})
		r, err := again.Rights(t.Context(), "default", "lead", access.Limits{Teams: []string{"Desk"}})
		if err != nil || rows(r.Teams) != "Desk" || words(r.Hidden) != "cost margin pay" {
			t.Errorf("%+v %v", r, err)
		}
		if _, err := again.Rights(t.Context(), "other", "lead", access.Limits{}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("the role of another tenant: %v", err)
		}
		if other, err := p.History(t.Context(), tenant.Scope{Tenant: "other", Actor: "x"}, "", 0); err != nil || len(other) != 0 {
			t.Errorf("history of another tenant: %v %v", other, err)
		}
		report, err := log.Verify(t.Context(), kim, db)
		if err != nil {
			t.Fatal(err)
		}
		var events []string
		if err := db.Read(t.Context(), func(tx *metadb.Tx) (err error) {
			events = nil
			rows, err := tx.Query(t.Context(), "SELECT action FROM audit_event ORDER BY seq")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var a string
				if err := rows.Scan(&a); err != nil {
					return err
				}
				events = append(events, a)
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
		if strings.Join(events, " ") != "policy.apply policy.apply policy.apply" || len(report.Faults) > 0 {
			t.Errorf("audit: %v %v", events, report.Faults)
		}
	})
}

func TestASecondPersonApprovesWhenThereIsOne(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		p := access.NewPolicies(db, audit.New(time.Now), time.Now, accounts(2))
		anna, bert := as(t, p, "anna", "admin", access.Limits{}), as(t, p, "bert", "owner", access.Limits{})
		c := text(`@id("v") permit (principal in Role::"viewer", action == Action::"figures.export", resource);`)
		v, err := p.Change(t.Context(), anna, c)
		if err != nil || v.Status != access.PolicyProposed || v.Waits == "" {
			t.Fatalf("%+v %v", v, err)
		}
		may := func() bool {
			r, err := p.Rights(t.Context(), "default", "viewer", access.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			return r.May(access.FiguresExport)
		}
		if may() {
			t.Error("a proposal holds before anybody approved it")
		}
		if _, err := p.Decide(t.Context(), anna, v.Version, true, ""); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("the author approves: %v", err)
		}
		viewer := as(t, p, "vera", "viewer", access.Limits{})
		if _, err := p.Decide(t.Context(), viewer, v.Version, true, ""); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a viewer approves: %v", err)
		}
		other, err := p.Change(t.Context(), bert, text(`@id("w") permit (principal in Role::"viewer", action == Action::"boards.write", resource);`))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Decide(t.Context(), bert, v.Version, true, "agreed"); err != nil || got.Status != access.PolicyApplied || got.DecidedBy != bert.Actor || !got.Current {
			t.Fatalf("%+v %v", got, err)
		}
		if !may() {
			t.Error("an approved change does not hold")
		}
		if _, err := p.Decide(t.Context(), bert, v.Version, false, ""); fault.KindOf(err) != fault.Conflict {
			t.Errorf("decided twice: %v", err)
		}
		if _, err := p.Decide(t.Context(), anna, other.Version, true, ""); fault.KindOf(err) != fault.Conflict {
			t.Errorf("approved on another base: %v", err)
		}
		if got, err := p.Decide(t.Context(), bert, other.Version, false, "not needed"); err != nil || got.Status != access.PolicyRejected || got.Current {
			t.Errorf("withdrawn: %+v %v", got, err)
		}
		if open, err := p.History(t.Context(), anna, access.PolicyProposed, 0); err != nil || len(open) != 0 {
			t.Errorf("open: %v %v", open, err)
		}
	})
}

// Whoever may change policies gains nothing by it: neither for himself, nor for a role that he
// could take or give.
func TestNobodyGivesWhatHeDoesNotHave(t *testing.T) {
	t.Parallel()
	p := policies(t, access.PolicyOptions{})
	local := tenant.Scope{Tenant: "default", Actor: "cli:kim"}
	keeper := access.CustomRole{Name: "keeper", Label: "Keeper of roles", BasedOn: "viewer", Actions: []tenant.Action{"figures.read", "policies.manage"}, Hidden: tenant.Classes, Teams: []string{"Desk"}}
	if _, err := p.Change(t.Context(), local, access.PolicyChange{Put: &keeper, New: true}); err != nil {
		t.Fatal(err)
	}
	mallory := as(t, p, "mallory", "keeper", access.Limits{Clients: []string{"Acme"}})
	role := func(change func(*access.CustomRole)) *access.CustomRole {
		r := access.CustomRole{Name: "fresh", Label: "Fresh", BasedOn: "viewer", Actions: []tenant.Action{"figures.read"}, Hidden: tenant.Classes, Clients: []string{"Acme"}, Teams: []string{"Desk"}}
		change(&r)
		return &r
	}
	own := func(change func(*access.CustomRole)) access.PolicyChange {
		r := keeper
		change(&r)
		return access.PolicyChange{Put: &r}
	}
	for name, c := range map[string]access.PolicyChange{
		"an action for the own role":        own(func(r *access.CustomRole) { r.Actions = append(r.Actions, "figures.export") }),
		"a class for the own role":          own(func(r *access.CustomRole) { r.Hidden = []tenant.Class{"pay", "personal"} }),
		"all teams for the own role":        own(func(r *access.CustomRole) { r.Teams = nil }),
		"another team for the own role":     own(func(r *access.CustomRole) { r.Teams = []string{"Desk", "Projects"} }),
		"an action for a new role":          {New: true, Put: role(func(r *access.CustomRole) { r.Actions = []tenant.Action{"data.read"} })},
		"a class for a new role":            {New: true, Put: role(func(r *access.CustomRole) { r.Hidden = []tenant.Class{"cost", "margin", "personal"} })},
		"all clients for a new role":        {New: true, Put: role(func(r *access.CustomRole) { r.Clients = nil })},
		"another client for a new role":     {New: true, Put: role(func(r *access.CustomRole) { r.Clients = []string{"Beta"} })},
		"all teams for a new role":          {New: true, Put: role(func(r *access.CustomRole) { r.Teams = nil })},
		"an action by policy":               text(`@id("m") permit (principal in Role::"keeper", action == Action::"accounts.manage", resource);`),
		"everything for everybody":          text(`@id("m") permit (principal, action, resource);`),
		"a class by policy":                 text(`@id("m") permit (principal in Role::"viewer", action == Action::"figures.read", resource == Class::"pay");`),
		"rows for the portal by policy":     text(`@id("m") permit (principal in Role::"client-portal", action == Action::"figures.read", resource == Client::"Beta");`),
		"all teams for technicians":         text(`@id("m") permit (principal in Role::"technician", action == Action::"figures.read", resource is Team);`),
		"an action by unless":               text(`@id("m") permit (principal, action == Action::"audit.read", resource) unless { principal in Role::"viewer" };`),
		"all rows by a name that is no one": text("@id(\"m\") permit (principal in Role::\"client-portal\", action == Action::\"figures.read\", resource == Client::\"\\0\");"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.Change(t.Context(), mallory, c)
			if k := fault.KindOf(err); err == nil || k != fault.Forbidden && name != "all rows by a name that is no one" {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := p.Change(t.Context(), mallory, access.PolicyChange{New: true, Put: role(func(*access.CustomRole) {})}); err != nil {
		t.Errorf("what he has himself: %v", err)
	}
	if _, err := p.Change(t.Context(), mallory, own(func(r *access.CustomRole) { r.Label = "Keeper" })); err != nil {
		t.Errorf("another label: %v", err)
	}
	// Taking a forbid away is giving, too.
	if _, err := p.Change(t.Context(), local, text(`@id("no") forbid (principal in Role::"analyst", action == Action::"boards.write", resource);`)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Change(t.Context(), mallory, text("")); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("taking a forbid away: %v", err)
	}
}

func TestNobodyApprovesMoreThanHeHas(t *testing.T) {
	t.Parallel()
	p := policies(t, accounts(2))
	owner := as(t, p, "olga", "owner", access.Limits{})
	limited := as(t, p, "lara", "admin", access.Limits{Clients: []string{"Acme"}})
	v, err := p.Change(t.Context(), owner, access.PolicyChange{New: true, Put: &access.CustomRole{Name: "wide", Label: "Wide", BasedOn: "viewer", Actions: []tenant.Action{"figures.read"}, Hidden: tenant.Classes}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Decide(t.Context(), limited, v.Version, true, ""); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("got %v", err)
	}
	if _, err := p.Decide(t.Context(), limited, v.Version, false, "too wide"); err != nil {
		t.Errorf("rejecting: %v", err)
	}
}

func TestBuiltInRolesStayAsTheyAreAndUsedOnesStay(t *testing.T) {
	t.Parallel()
	p := policies(t, access.PolicyOptions{})
	scope := tenant.Scope{Tenant: "default", Actor: "cli:kim"}
	for _, b := range access.BuiltIn {
		r := access.CustomRole{Name: b.Name, Label: "x", BasedOn: "viewer"}
		for _, c := range []access.PolicyChange{{Put: &r}, {Put: &r, New: true}, {Remove: b.Name}} {
			if _, err := p.Change(t.Context(), scope, c); err == nil {
				t.Errorf("%s: %+v was taken", b.Name, c)
			}
		}
	}
	viewer := as(t, p, "vera", "viewer", access.Limits{})
	if _, err := p.Change(t.Context(), viewer, text("")); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a viewer changes policies: %v", err)
	}
	used := policies(t, access.PolicyOptions{Holders: func(_ context.Context, _ tenant.Scope, roles []string) (int, error) {
		if len(roles) == 1 && roles[0] == "lead" {
			return 3, nil
		}
		return 1, nil
	}})
	if _, err := used.Change(t.Context(), scope, access.PolicyChange{New: true, Put: &access.CustomRole{Name: "lead", Label: "Lead", BasedOn: "viewer"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := used.Change(t.Context(), scope, access.PolicyChange{Remove: "lead"}); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "3 accounts") {
		t.Errorf("a used role is removed: %v", err)
	}
}

func TestGivingARoleNeedsAllThatItHas(t *testing.T) {
	t.Parallel()
	p := policies(t, access.PolicyOptions{})
	for _, c := range []struct {
		actor, given string
		al, gl       access.Limits
		ok           bool
	}{
		{"owner", "owner", access.Limits{}, access.Limits{}, true},
		{"admin", "owner", access.Limits{}, access.Limits{}, false},
		{"admin", "admin", access.Limits{}, access.Limits{}, true},
		{"admin", "owner", access.Limits{Clients: []string{"Acme"}}, access.Limits{}, false},
		{"admin", "client-portal", access.Limits{Clients: []string{"Acme"}}, access.Limits{Clients: []string{"Acme"}}, true},
		{"admin", "client-portal", access.Limits{Clients: []string{"Acme"}}, access.Limits{Clients: []string{"Beta"}}, false},
		{"analyst", "reviewer", access.Limits{}, access.Limits{}, false},
		{"analyst", "viewer", access.Limits{}, access.Limits{}, true},
		{"analyst", "finance", access.Limits{}, access.Limits{}, false},
		{"technician", "viewer", access.Limits{Teams: []string{"Desk"}}, access.Limits{}, false},
	} {
		err := access.MayGive(as(t, p, "a", c.actor, c.al).Rights, as(t, p, "b", c.given, c.gl).Rights)
		if (err == nil) != c.ok {
			t.Errorf("%s %v gives %s %v: %v", c.actor, c.al, c.given, c.gl, err)
		}
	}
}

func TestALookOnlyNarrowsAndIsForOneActorForAWhile(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	now := time.Date(2026, 6, 30, 9, 0, 0, 0, time.UTC)
	p := access.NewPolicies(db, audit.New(time.Now), func() time.Time { return now }, access.PolicyOptions{})
	local := tenant.Scope{Tenant: "default", Actor: "cli:kim"}
	token, v, err := p.BeginView(t.Context(), local, "client-portal", access.Limits{Clients: []string{"Acme"}})
	if err != nil || !v.Until.Equal(now.Add(time.Hour)) {
		t.Fatal(v, err)
	}
	look := func(scope tenant.Scope, token string) tenant.Scope {
		t.Helper()
		got, looking, err := p.Look(t.Context(), scope, token)
		if err != nil || (looking == nil) != (got.Rights == scope.Rights) {
			t.Fatal(got, looking, err)
		}
		return got
	}
	if got := look(local, token).Rights; got == nil || rows(got.Clients) != "Acme" || got.Role != "client-portal" || got.May(access.PoliciesManage) {
		t.Errorf("%+v", got)
	}
	body, mac, _ := strings.Cut(token, ".")
	for name, bad := range map[string]string{"nothing": "", "no signature": body + ".", "another signature": body + "." + mac[:len(mac)-2] + "AA", "another body": body[:len(body)-2] + "AA." + mac, "noise": "a.b.c"} {
		if got := look(local, bad).Rights; got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// Somebody else, or another tenant, is not narrowed by it, let alone widened.
	if got := look(tenant.Scope{Tenant: "default", Actor: "cli:lee"}, token).Rights; got != nil {
		t.Errorf("another actor: %+v", got)
	}
	if got := look(tenant.Scope{Tenant: "other", Actor: "cli:kim"}, token).Rights; got != nil {
		t.Errorf("another tenant: %+v", got)
	}
	// The token of an owner who is made a technician meanwhile shows no more than both allow.
	small := as(t, p, "kim", "technician", access.Limits{Teams: []string{"Desk"}})
	small.Actor = local.Actor
	wide, _, err := p.BeginView(t.Context(), local, "owner", access.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got := look(small, wide).Rights
	want := &tenant.Rights{Role: "owner", Teams: []string{"Desk"}, Hidden: []tenant.Class{"cost", "margin", "pay", "personal"}, Actions: []tenant.Action{"boards.read", "figures.read", "self.manage"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, _, err := p.BeginView(t.Context(), small, "viewer", access.Limits{}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a technician looks as a viewer: %v", err)
	}
	// A role that is removed during a look shows nothing from then on, and the look can be ended.
	if _, err := p.Change(t.Context(), local, access.PolicyChange{New: true, Put: &access.CustomRole{Name: "desk", Label: "Desk", BasedOn: "viewer", Actions: []tenant.Action{access.FiguresRead}}}); err != nil {
		t.Fatal(err)
	}
	gone, _, err := p.BeginView(t.Context(), local, "desk", access.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Change(t.Context(), local, access.PolicyChange{Remove: "desk"}); err != nil {
		t.Fatal(err)
	}
	if got := look(local, gone).Rights; got.May(access.FiguresRead) || !got.May(access.SelfManage) || got.SeesAllRows() {
		t.Errorf("%+v", got)
	}
	now = now.Add(time.Hour)
	if got := look(local, token).Rights; got != nil {
		t.Errorf("after an hour: %+v", got)
	}
}

func TestWaitingChangesAreInTheQueueOnce(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	q := &line{open: map[string]string{}}
	opt := accounts(2)
	opt.Queue = q
	p := access.NewPolicies(db, audit.New(time.Now), time.Now, opt)
	anna, bert := as(t, p, "anna", "owner", access.Limits{}), as(t, p, "bert", "owner", access.Limits{})
	v, err := p.Change(t.Context(), anna, text(`@id("v") permit (principal in Role::"viewer", action == Action::"figures.export", resource);`))
	if err != nil || q.open["1"] == "" || !strings.Contains(q.open["1"], "figures.export") {
		t.Fatal(v, err, q)
	}
	if _, err := p.Decide(t.Context(), bert, v.Version, true, "fine"); err != nil || q.open["1"] != "approve fine" {
		t.Error(err, q.open)
	}
}

// line is a queue in memory: review's own is on the same floor and proven there.
type line struct{ open map[string]string }

func (l *line) Propose(_ context.Context, _ tenant.Scope, _ *metadb.Tx, subject string, evidence json.RawMessage) error {
	l.open[subject] = string(evidence)
	return nil
}
func (l *line) Find(_ context.Context, _ tenant.Scope, subject string) (string, error) {
	return subject, nil
}
func (l *line) Decide(_ context.Context, _ tenant.Scope, _ *metadb.Tx, id, verdict, reason string) error {
	l.open[id] = verdict + " " + reason
	return nil
}
