package access_test

import (
	"slices"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

var other = tenant.Scope{Tenant: "other", Actor: "cli:anna"}

func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	w := sqlite(t)
	owner := w.owner()
	admin, _ := w.member(owner.Scope, "ada@example.com", access.Standing{Role: "admin"})
	narrow, _ := w.member(owner.Scope, "nora@example.com", access.Standing{Role: "admin", Clients: []string{"Alder Dental"}})
	for _, c := range []struct {
		name string
		by   tenant.Scope
		as   access.Standing
		want fault.Kind
	}{
		{"an admin makes no owner", admin.Scope, access.Standing{Role: "owner"}, fault.Forbidden},
		{"an admin makes an admin", admin.Scope, access.Standing{Role: "admin"}, ""},
		{"an admin of one client gives that client", narrow.Scope, access.Standing{Role: "viewer", Clients: []string{"Alder Dental"}}, ""},
		{"an admin of one client gives no other", narrow.Scope, access.Standing{Role: "viewer", Clients: []string{"Birch Law"}}, fault.Forbidden},
		{"an admin of one client does not give all", narrow.Scope, access.Standing{Role: "viewer"}, fault.Forbidden},
		{"a role that there is not", owner.Scope, access.Standing{Role: "root"}, fault.Invalid},
		{"the machine's owner gives everything", local, access.Standing{Role: "owner"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := w.Invite(t.Context(), c.by, "new@example.com", c.as)
			kind(t, err, c.want)
		})
	}
	roles, err := w.Roles(t.Context(), admin.Scope)
	if err != nil || slices.Contains(roles, "owner") || !slices.Contains(roles, "finance") {
		t.Errorf("an admin is offered %v: %v", roles, err)
	}
	up := access.Standing{Role: "owner"}
	kind(t, w.ChangeUser(t.Context(), admin.Scope, narrow.Account, access.UserChange{As: &up}), fault.Forbidden)
	wide := access.Standing{Role: "admin"}
	kind(t, w.ChangeUser(t.Context(), narrow.Scope, narrow.Account, access.UserChange{As: &wide}), fault.Forbidden)
	kind(t, w.ChangeUser(t.Context(), admin.Scope, admin.Account, access.UserChange{As: &wide}), fault.Forbidden)
	_, _, err = w.ResetUser(t.Context(), admin.Scope, owner.Account, false)
	kind(t, err, fault.Forbidden) // an admin does not become the owner by a new password
	_, _, err = w.SignInAs(t.Context(), owner.Scope, admin.Account)
	kind(t, err, fault.Forbidden)
}

func TestATenantKeepsAnOwner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.owner()
		less, off := access.Standing{Role: "viewer"}, true
		kind(t, w.ChangeUser(t.Context(), local, owner.Account, access.UserChange{As: &less}), fault.Conflict)
		kind(t, w.ChangeUser(t.Context(), local, owner.Account, access.UserChange{Disabled: &off}), fault.Conflict)
		kind(t, w.RemoveUser(t.Context(), local, owner.Account), fault.Conflict)
		second, _ := w.member(owner.Scope, "otto@example.com", access.Standing{Role: "owner"})
		if err := w.ChangeUser(t.Context(), second.Scope, owner.Account, access.UserChange{As: &less}); err != nil {
			t.Error(err)
		}
	})
}

func TestDisablingEndsEverything(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.owner()
		ines, session := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "analyst"})
		key, _, err := w.CreateKey(t.Context(), ines, access.NewKey{Name: "report", Actions: []tenant.Action{access.FiguresRead}, Days: 30})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.RecognizeKey(t.Context(), key, laptop); err != nil {
			t.Fatal(err)
		}
		off, on := true, false
		if err := w.ChangeUser(t.Context(), owner.Scope, ines.Account, access.UserChange{Disabled: &off}); err != nil {
			t.Fatal(err)
		}
		_, err = w.Recognize(t.Context(), session, laptop)
		kind(t, err, fault.Unauthenticated)
		_, err = w.RecognizeKey(t.Context(), key, laptop)
		kind(t, err, fault.Unauthenticated)
		if err := w.ChangeUser(t.Context(), owner.Scope, ines.Account, access.UserChange{Disabled: &on}); err != nil {
			t.Fatal(err)
		}
		_, err = w.Recognize(t.Context(), session, laptop)
		kind(t, err, fault.Unauthenticated) // enabling brings no old session back
		if err := w.RemoveUser(t.Context(), owner.Scope, ines.Account); err != nil {
			t.Fatal(err)
		}
		_, err = w.SignIn(t.Context(), "ines@example.com", moreWords, laptop)
		kind(t, err, fault.Unauthenticated)
		again, _ := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "viewer"})
		if again.Account != ines.Account || again.Scope.Rights.Role != "viewer" {
			t.Errorf("invited again: %+v", again)
		}
	})
}

func TestAKeyMayLessThanItsOwnerAndEndsWithTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.owner()
		ines, _ := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "analyst", Clients: []string{"Alder Dental"}})
		ask := func(actions ...tenant.Action) (string, error) {
			key, _, err := w.CreateKey(t.Context(), ines, access.NewKey{Name: "report", Actions: actions, Days: 30})
			return key, err
		}
		_, err := ask(access.AccountsManage)
		kind(t, err, fault.Invalid)
		_, err = ask()
		kind(t, err, fault.Invalid)
		key, err := ask(access.FiguresRead, access.BoardsWrite)
		if err != nil {
			t.Fatal(err)
		}
		who, err := w.RecognizeKey(t.Context(), key, laptop)
		if err != nil {
			t.Fatal(err)
		}
		r := who.Scope.Rights
		if !r.May(access.FiguresRead) || r.May(access.SelfManage) || r.Sees(tenant.Pay) || !slices.Equal(r.Clients, []string{"Alder Dental"}) || who.Scope.From != "192.0.2.1 · key report" {
			t.Errorf("%+v %+v", who.Scope, r)
		}
		_, _, err = w.CreateKey(t.Context(), who, access.NewKey{Name: "another", Actions: []tenant.Action{access.FiguresRead}, Days: 365})
		kind(t, err, fault.Forbidden) // a key makes no keys
		kind(t, w.ChangePassword(t.Context(), who, moreWords, goodWords, laptop), fault.Forbidden)

		less := access.Standing{Role: "viewer"}
		if err := w.ChangeUser(t.Context(), owner.Scope, ines.Account, access.UserChange{As: &less}); err != nil {
			t.Fatal(err)
		}
		if who, err = w.RecognizeKey(t.Context(), key, laptop); err != nil || who.Scope.Rights.May(access.BoardsWrite) {
			t.Errorf("a key follows its owner's role: %+v %v", who.Scope.Rights, err)
		}
		_, err = w.RecognizeKey(t.Context(), key[:len(key)-1]+"_", laptop)
		kind(t, err, fault.Unauthenticated)
		w.pass(30 * 24 * time.Hour)
		_, err = w.RecognizeKey(t.Context(), key, laptop)
		kind(t, err, fault.Unauthenticated)
	})
}

// Every id of this package, asked for by somebody else and from another tenant.
func TestIdsOfOthersAreNotFound(t *testing.T) {
	w := sqlite(t)
	owner := w.owner()
	ines, _ := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "analyst"})
	foreign, _ := w.member(other, "otto@example.com", access.Standing{Role: "owner"})
	_, key, err := w.CreateKey(t.Context(), ines, access.NewKey{Name: "report", Actions: []tenant.Action{access.FiguresRead}, Days: 30})
	if err != nil {
		t.Fatal(err)
	}
	_, link, err := w.Invite(t.Context(), owner.Scope, "new@example.com", access.Standing{Role: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	addPasskey(t, w.db, "key-of-ines", ines.Account)
	as, off := access.Standing{Role: "viewer"}, true
	for name, try := range map[string]func() error{
		"a session of another person":     func() error { return w.EndSession(t.Context(), owner, ines.Session) },
		"a passkey of another person":     func() error { return w.DropPasskey(t.Context(), owner, "key-of-ines") },
		"a key of another person":         func() error { return w.DropKey(t.Context(), owner.Scope, owner.Account, key.ID) },
		"a key of another tenant":         func() error { return w.DropKey(t.Context(), foreign.Scope, "", key.ID) },
		"an invitation of another tenant": func() error { return w.DropInvitation(t.Context(), foreign.Scope, link.ID) },
		"a user's role in another tenant": func() error {
			return w.ChangeUser(t.Context(), foreign.Scope, ines.Account, access.UserChange{As: &as})
		},
		"a user's state in another tenant": func() error {
			return w.ChangeUser(t.Context(), foreign.Scope, ines.Account, access.UserChange{Disabled: &off})
		},
		"removing a user of another tenant": func() error { return w.RemoveUser(t.Context(), foreign.Scope, ines.Account) },
		"sessions in another tenant":        func() error { return w.EndUserSessions(t.Context(), foreign.Scope, ines.Account) },
		"a reset in another tenant": func() error {
			_, _, err := w.ResetUser(t.Context(), foreign.Scope, ines.Account, true)
			return err
		},
		"a key for a user of another tenant": func() error {
			_, _, err := w.CreateKeyFor(t.Context(), other, ines.Account, access.NewKey{Name: "k", Actions: []tenant.Action{access.FiguresRead}, Days: 1})
			return err
		},
		"a tenant that one does not belong to": func() error { return w.Switch(t.Context(), ines, "other") },
	} {
		t.Run(name, func(t *testing.T) { kind(t, try(), fault.NotFound) })
	}
	if users, err := w.Users(t.Context(), foreign.Scope); err != nil || len(users) != 1 || users[0].Account.Email != "otto@example.com" {
		t.Errorf("users of the other tenant: %+v %v", users, err)
	}
	if keys, err := w.Keys(t.Context(), foreign.Scope, ""); err != nil || len(keys) != 0 {
		t.Errorf("keys of the other tenant: %+v %v", keys, err)
	}
	if err := w.EndSession(t.Context(), ines, ines.Session); err != nil {
		t.Errorf("one's own session: %v", err)
	}
}

func addPasskey(t *testing.T, db *metadb.DB, id, account string) {
	t.Helper()
	if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO passkey (id, account_id, host, name, credential, created_at, used_at) VALUES ($1, $2, 'localhost', 'x', '{}', '', '')", id, account)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// Whoever manages one tenant must not get into another through an account in both.
func TestAnAccountOfTwoTenantsIsNotTakenOverByOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.owner()
		ines, session := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "viewer"})
		boss, _ := w.member(other, "otto@example.com", access.Standing{Role: "owner"})
		token, _, err := w.Invite(t.Context(), boss.Scope, "ines@example.com", access.Standing{Role: "owner"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Use(t.Context(), token, "Not Ines", goodWords, access.Who{}, laptop)
		kind(t, err, fault.Conflict) // the link alone is not enough: there is an account
		if _, err := w.Use(t.Context(), token, "", "", ines, laptop); err != nil {
			t.Fatal(err)
		}
		off := true
		_, _, err = w.ResetUser(t.Context(), owner.Scope, ines.Account, true)
		kind(t, err, fault.Forbidden)
		kind(t, w.ChangeUser(t.Context(), owner.Scope, ines.Account, access.UserChange{Disabled: &off}), fault.Forbidden)
		if err := w.Switch(t.Context(), ines, "other"); err != nil {
			t.Fatal(err)
		}
		if who := w.known(session); who.Scope.Tenant != "other" || who.Scope.Rights.Role != "owner" {
			t.Errorf("%+v", who.Scope)
		}
		if err := w.RemoveUser(t.Context(), boss.Scope, ines.Account); err != nil {
			t.Fatal(err)
		}
		_, err = w.Recognize(t.Context(), session, laptop)
		kind(t, err, fault.Unauthenticated)
		if _, err := w.SignIn(t.Context(), "ines@example.com", moreWords, laptop); err != nil {
			t.Errorf("the first tenant is still hers: %v", err)
		}
	})
}

func TestEveryChangeIsOnTheRecord(t *testing.T) {
	w := sqlite(t)
	owner := w.owner()
	ines, _ := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "analyst"})
	w.second(ines)
	as := access.Standing{Role: "finance"}
	if err := w.ChangeUser(t.Context(), owner.Scope, ines.Account, access.UserChange{As: &as}); err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"account.set_up", "session.begin", "account.invite", "account.join", "account.totp_on", "account.change"} {
		if w.recorded(action) == 0 {
			t.Errorf("%s is not recorded", action)
		}
	}
	for _, e := range w.events("default") {
		if e.Action == "account.change" && string(e.Detail) != `{"after":{"clients":null,"role":"finance","teams":null},"before":{"clients":null,"role":"analyst","teams":null}}` {
			t.Errorf("before and after: %s", e.Detail)
		}
	}
	before := len(w.events("default"))
	if err := w.EndSession(t.Context(), owner, "nosuchsession"); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
	if after := len(w.events("default")); after != before {
		t.Error("what did not happen is recorded")
	}
}

func BenchmarkRecognize(b *testing.B) {
	db, _ := metadbtest.Open(b, metadb.SQLite)
	w := newWorld(b, db)
	in, err := w.SetUp(b.Context(), ownerMail, "Olga Owner", goodWords, laptop)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := w.Recognize(b.Context(), in.Token, laptop); err != nil {
			b.Fatal(err)
		}
	}
}

// Whoever lost the right to give a link must not come back by one that was made before.
func TestALinkEndsWithTheRightToGiveIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.owner()
		ada, _ := w.member(owner.Scope, "ada@example.com", access.Standing{Role: "admin"})
		ines, _ := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "viewer"})
		back, _, err := w.Invite(t.Context(), ada.Scope, "ada@private.example", access.Standing{Role: "admin"})
		if err != nil {
			t.Fatal(err)
		}
		fine, _, err := w.Invite(t.Context(), owner.Scope, "new@example.com", access.Standing{Role: "admin"})
		if err != nil {
			t.Fatal(err)
		}
		reset, _, err := w.ResetUser(t.Context(), ada.Scope, ines.Account, true)
		if err != nil {
			t.Fatal(err)
		}
		less := access.Standing{Role: "viewer"}
		if err := w.ChangeUser(t.Context(), owner.Scope, ada.Account, access.UserChange{As: &less}); err != nil {
			t.Fatal(err)
		}
		for name, token := range map[string]string{"an invitation": back, "a reset link": reset} {
			if _, err := w.Use(t.Context(), token, "Ada", goodWords, access.Who{}, laptop); fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s of somebody who may not invite any more: %v", name, err)
			}
		}
		if _, err := w.SignIn(t.Context(), "ines@example.com", moreWords, laptop); err != nil {
			t.Errorf("the password is changed: %v", err)
		}
		if _, err := w.Use(t.Context(), fine, "New", goodWords, access.Who{}, laptop); err != nil {
			t.Error(err)
		}
	})
}

// A link to set a new password does not reach into a tenant that the account joined since.
func TestALinkOfOneTenantDoesNotReachIntoAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.owner()
		ines, _ := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "viewer"})
		reset, _, err := w.ResetUser(t.Context(), owner.Scope, ines.Account, true)
		if err != nil {
			t.Fatal(err)
		}
		token, _, err := w.Invite(t.Context(), other, "ines@example.com", access.Standing{Role: "owner"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Use(t.Context(), token, "", "", ines, laptop); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Use(t.Context(), reset, "", goodWords, access.Who{}, laptop); fault.KindOf(err) != fault.Conflict {
			t.Errorf("one tenant's owner sets the password of another's: %v", err)
		}
	})
}

func TestAnOwnerIsNotLimited(t *testing.T) {
	w := sqlite(t)
	owner := w.owner()
	part := access.Standing{Role: "owner", Clients: []string{"Alder Dental"}}
	_, _, err := w.Invite(t.Context(), owner.Scope, "otto@example.com", part)
	kind(t, err, fault.Invalid)
	second, _ := w.member(owner.Scope, "otto@example.com", access.Standing{Role: "owner"})
	kind(t, w.ChangeUser(t.Context(), owner.Scope, second.Account, access.UserChange{As: &part}), fault.Invalid)
}

// A role may be removed while nobody who can sign in has it: who has it can still be given another.
func TestAUserWhoseRoleIsGoneCanBeGivenAnother(t *testing.T) {
	w := sqlite(t)
	owner := w.owner()
	ines, _ := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "viewer"})
	if err := w.db.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE membership SET role = 'gone' WHERE account_id = $1", ines.Account)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	to := access.Standing{Role: "analyst"}
	if err := w.ChangeUser(t.Context(), owner.Scope, ines.Account, access.UserChange{As: &to}); err != nil {
		t.Error(err)
	}
}

// An open page asks by itself every minute: a browser that was left is signed out all the same.
func TestAnOpenPageKeepsNoSession(t *testing.T) {
	w := sqlite(t)
	_, session := w.member(w.owner().Scope, "ines@example.com", access.Standing{Role: "viewer"})
	open := laptop
	open.Unattended = true
	var err error
	for range 9 {
		w.pass(time.Hour)
		_, err = w.Recognize(t.Context(), session, open)
	}
	kind(t, err, fault.Unauthenticated)
}
