package govern_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

const words = "a lantern over still water"

// Dana works with the program, too, and others write of her in all that people can write.
func TestAUserIsErasedWithWhatOthersWroteOfHer(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	ctx := t.Context()
	x.send(t, "staff.csv", staffCSV)
	owner, err := x.users.SetUp(ctx, "olga@msp.example", "Olga Owner", words, access.Place{})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := x.users.Invite(ctx, acme, "dana.ortiz@msp.example", access.Standing{Role: "finance"})
	if err != nil {
		t.Fatal(err)
	}
	dana, err := x.users.Use(ctx, token, "Dana Ortiz", words+" deep", access.Who{}, access.Place{Address: "203.0.113.7", Device: "Firefox on Linux"})
	if err != nil {
		t.Fatal(err)
	}
	who, err := x.users.Recognize(ctx, dana.Token, access.Place{})
	if err != nil {
		t.Fatal(err)
	}
	p := x.find(t, "Dana Ortiz")
	if !slices.Equal(p.Users, []string{who.Account}) || !slices.Contains(p.Kinds, "user") || !slices.Contains(p.Kinds, "staff") {
		t.Errorf("found as %+v", p)
	}
	comment, err := x.desk.Comment(ctx, acme, review.On{Kind: review.OnFinding, Key: "f", Label: "a finding of Dana Ortiz"}, "ask Dana Ortiz about it")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.space.AddFeedback(ctx, acme, workspace.Feedback{Comment: "Dana Ortiz likes it", Page: "/"}); err != nil {
		t.Fatal(err)
	}
	if err := x.db.Transact(ctx, func(tx *metadb.Tx) error {
		if err := notice.New(x.db, clock).Send(ctx, acme, tx, notice.Notice{Kind: notice.Mentioned, Subject: comment.ID, Message: "Dana Ortiz mentions you", To: "user:1"}); err != nil {
			return err
		}
		return review.New(x.db, x.log, clock).Propose(ctx, acme, tx, review.Proposal{Kind: "finding", Subject: "f", Label: "Overtime of Dana Ortiz", Evidence: []byte(`{"headline":"Dana Ortiz worked 300 hours"}`)})
	}); err != nil {
		t.Fatal(err)
	}
	r := x.approve(t, "Dana Ortiz")
	if _, err := x.Erase(ctx, acme, r.ID); err != nil {
		t.Fatal(err)
	}
	if left := x.holding(t, "dana", "ortiz", "203.0.113.7"); len(left) > 1 || len(left) == 1 && !strings.Contains(left[0], "203.0.113.7") { // where from stands on the record
		t.Errorf("still found: %v", left)
	}
	if _, err := x.users.Recognize(ctx, dana.Token, access.Place{}); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("the session goes on: %v", err)
	}
	if _, err := x.users.Recognize(ctx, owner.Token, access.Place{}); err != nil {
		t.Errorf("the owner is signed out: %v", err)
	}
	list, err := x.users.Users(ctx, acme)
	if err != nil || len(list) != 1 {
		t.Errorf("users are %+v, %v", list, err)
	}
	said, err := x.desk.Comments(ctx, acme, review.On{Kind: review.OnFinding, Key: "f"})
	if err != nil || len(said) != 1 || said[0].Text != "ask [erased] about it" {
		t.Errorf("comments are %+v, %v", said, err)
	}
	thought, _, err := x.space.Feedback(ctx, acme, 0, 10)
	if err != nil || len(thought) != 1 || thought[0].Comment != "[erased] likes it" {
		t.Errorf("feedback is %+v, %v", thought, err)
	}
	acted := false
	if err := x.db.Read(ctx, func(tx *metadb.Tx) error {
		entries, err := x.log.List(ctx, acme, tx, 0, 1000)
		for _, e := range entries {
			acted = acted || e.Actor == who.Scope.Actor
		}
		return err
	}); err != nil || !acted {
		t.Errorf("the record lost what she did: %v", err)
	}
	x.verify(t)
}

func TestNobodyErasesThoseWhoMayDoMoreNorTheLastOwner(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	ctx := t.Context()
	if _, err := x.users.SetUp(ctx, "olga@msp.example", "Olga Owner", words, access.Place{}); err != nil {
		t.Fatal(err)
	}
	r, err := x.NewRequest(ctx, acme, govern.RequestSpec{Kind: govern.Erasure, Person: x.find(t, "olga@msp").Key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Decide(ctx, acme, r.ID, govern.Approve, ""); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the last owner goes: %v", err)
	}
	second, _, err := x.users.Invite(ctx, acme, "otto@msp.example", access.Standing{Role: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.users.Use(ctx, second, "Otto", words+" too", access.Who{}, access.Place{}); err != nil {
		t.Fatal(err)
	}
	rights, err := access.NewPolicies(x.db, x.log, clock, access.PolicyOptions{}).Rights(ctx, acme.Tenant, "admin", access.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	admin := tenant.Scope{Tenant: acme.Tenant, Actor: "user:admin", Rights: narrower(rights)}
	if _, err := x.Decide(ctx, admin, r.ID, govern.Approve, ""); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an owner is erased by somebody who may less: %v", err)
	}
}

// narrower are rights that see all but lack an action.
func narrower(r *tenant.Rights) *tenant.Rights {
	out := *r
	out.Actions = slices.DeleteFunc(slices.Clone(r.Actions), func(a tenant.Action) bool { return a == access.PoliciesManage })
	return &out
}

func TestAHoldKeepsTheRecordAndNotices(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	ctx := t.Context()
	later := func() time.Time { return clock().AddDate(0, 0, 200) }
	log, notices := audit.New(later), notice.New(x.db, later)
	h, err := x.BeginHold(ctx, acme, govern.HoldSpec{Kind: govern.HoldDataset, Reason: "a lawsuit"})
	if err != nil {
		t.Fatal(err)
	}
	old, fresh := notice.Notice{Kind: notice.RuleHolds, Message: "old"}, notice.Notice{Kind: notice.RuleHolds, Message: "new"}
	try := func() (removed int, due int64, kept int) {
		t.Helper()
		if err := x.db.Transact(ctx, func(tx *metadb.Tx) (err error) {
			if err = notices.Send(ctx, acme, tx, fresh); err != nil {
				return err
			}
			if due, err = log.Due(ctx, acme, tx, audit.Retention{Days: 100}); err != nil {
				return err
			}
			removed, err = log.Retain(ctx, acme, tx)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		list, err := notices.List(ctx, acme, false, 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range list {
			if n.Message == old.Message {
				kept++
			}
		}
		return removed, due, kept
	}
	if err := x.db.Transact(ctx, func(tx *metadb.Tx) error {
		if err := notice.New(x.db, clock).Send(ctx, acme, tx, old); err != nil {
			return err
		}
		return x.log.SetRetention(ctx, acme, tx, audit.Retention{Days: 100}, "")
	}); err != nil {
		t.Fatal(err)
	}
	if removed, due, kept := try(); removed != 0 || due != 0 || kept != 1 {
		t.Errorf("under a hold: %d entries removed, %d due, %d old notices", removed, due, kept)
	}
	if err := x.EndHold(ctx, acme, h.ID); err != nil {
		t.Fatal(err)
	}
	if removed, due, kept := try(); removed == 0 || int64(removed) != due || kept != 0 {
		t.Errorf("after it: %d entries removed, %d due, %d old notices", removed, due, kept)
	}
}
