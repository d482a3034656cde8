package access_test

import (
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// erase erases the users of an address as the machine's owner.
func (w *world) erase(in tenant.Scope, email string) (n int64, err error) {
	w.t.Helper()
	if err := w.MayErase(w.t.Context(), in, []string{email}); err != nil {
		return 0, err
	}
	err = w.db.Transact(w.t.Context(), func(tx *metadb.Tx) error {
		n, err = w.Erase(w.t.Context(), in, tx, []string{email, "nobody@example.com", "no address"})
		return err
	})
	return n, err
}

func TestAnErasedUserIsNobodyAnyMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.owner()
		ines, session := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "analyst"})
		key, _, err := w.CreateKey(t.Context(), ines, access.NewKey{Name: "report", Actions: []tenant.Action{access.FiguresRead}, Days: 30})
		if err != nil {
			t.Fatal(err)
		}
		copies, err := w.CopyOf(t.Context(), local, []string{"INES@example.com"})
		if err != nil || len(copies) != 1 || copies[0].ID != ines.Account || len(copies[0].Sessions) != 1 || len(copies[0].Keys) != 1 || copies[0].Roles[0].Role != "analyst" {
			t.Errorf("the copy is %+v, %v", copies, err)
		}
		if n, err := w.erase(local, "ines@example.com"); err != nil || n != 1 {
			t.Fatalf("%d, %v", n, err)
		}
		_, err = w.Recognize(t.Context(), session, laptop)
		kind(t, err, fault.Unauthenticated)
		_, err = w.RecognizeKey(t.Context(), key, laptop)
		kind(t, err, fault.Unauthenticated)
		_, err = w.User(t.Context(), local, "ines@example.com")
		kind(t, err, fault.NotFound)
		if n, err := w.erase(local, "ines@example.com"); err != nil || n != 0 {
			t.Errorf("once more: %d, %v", n, err)
		}
		if w.recorded("account.erase") != 1 {
			t.Error("it is not on the record")
		}
		// The address is free again: whoever comes back is somebody new.
		again, _ := w.member(owner.Scope, "ines@example.com", access.Standing{Role: "viewer"})
		if again.Account == ines.Account {
			t.Error("the old account is back")
		}
	})
}

func TestAnErasedUserStaysInOtherTenants(t *testing.T) {
	w := sqlite(t)
	w.owner()
	if _, err := w.erase(local, ownerMail); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the last owner goes: %v", err)
	}
	ines, session := w.member(local, "ines@example.com", access.Standing{Role: "analyst"})
	token, _, err := w.Invite(t.Context(), other, "ines@example.com", access.Standing{Role: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Use(t.Context(), token, "", "", ines, laptop); err != nil {
		t.Fatal(err)
	}
	if n, err := w.erase(tenant.Scope{Tenant: "third", Actor: "cli:anna"}, "ines@example.com"); err != nil || n != 0 {
		t.Errorf("a tenant that has nothing to do with her: %d, %v", n, err)
	}
	if n, err := w.erase(local, "ines@example.com"); err != nil || n != 1 {
		t.Fatalf("%d, %v", n, err)
	}
	if u, err := w.User(t.Context(), other, "ines@example.com"); err != nil || u.Account.Disabled || u.Account.ID != ines.Account {
		t.Errorf("in the other tenant: %+v, %v", u, err)
	}
	_, err = w.User(t.Context(), local, "ines@example.com")
	kind(t, err, fault.NotFound)
	_, err = w.Recognize(t.Context(), session, laptop)
	kind(t, err, fault.Unauthenticated)
}
