package review_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func TestNamedQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, review.NamedQueries())
}

// margin is a number to talk about.
var margin = review.On{Kind: review.OnNumber, Key: "gross_margin\x1fclient = \"A\"\x1f2026-05-01\x1f2026-06-01", Label: "Gross margin of A, May 2026", Link: "/?panel=x"}

func TestACommentTellsWhomItMentions(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		o := newOffice(db)
		c, err := o.Comment(t.Context(), kim, margin, " @lee.park, is this right? Mail kim@lee.example or ask @nobody and @user:1. ")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]tenant.Actor{"user:2", "user:1"}, c.Mentions); diff != "" || c.Name != "Kim" || c.EditableUntil == nil {
			t.Errorf("%s %+v", diff, c)
		}
		list, err := o.notices.List(t.Context(), lee, true, 10, 0)
		if err != nil || len(list) != 1 || list[0].Kind != notice.Mentioned || list[0].Message != "user:1 mentions you on Gross margin of A, May 2026" || list[0].Link != "/?panel=x" {
			t.Errorf("the mentioned: %+v, %v", list, err)
		}
		if list, _ := o.notices.List(t.Context(), kim, true, 10, 0); len(list) != 0 {
			t.Errorf("who mentions is told: %+v", list)
		}
		c, err = o.EditComment(t.Context(), kim, c.ID, "@lee.park and @lee: is this right?")
		if err != nil || c.EditedAt == nil {
			t.Fatalf("%+v, %v", c, err)
		}
		if n, _ := o.notices.Unread(t.Context(), lee); n != 1 {
			t.Errorf("told %d times, want once", n)
		}
		if n, _ := o.notices.Unread(t.Context(), tenant.Scope{Tenant: "acme", Actor: "user:3"}); n != 1 {
			t.Errorf("who is mentioned by the edit has %d notices, want 1", n)
		}
		if got, _ := o.Comments(t.Context(), lee, margin); len(got) != 1 || got[0].Text != "@lee.park and @lee: is this right?" || got[0].EditableUntil != nil {
			t.Errorf("as another reads it: %+v", got)
		}
		if err := o.DeleteComment(t.Context(), kim, c.ID); err != nil {
			t.Fatal(err)
		}
		if n, _ := o.notices.Unread(t.Context(), lee); n != 0 {
			t.Errorf("the notice stays when the comment goes")
		}
		if got, _ := o.Comments(t.Context(), lee, margin); len(got) != 0 {
			t.Errorf("after it is deleted: %+v", got)
		}
		// The record proves that there was a text, and does not hold it.
		if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
			entries, err := o.log.List(t.Context(), kim, tx, 0, 100)
			var actions []string
			for _, e := range entries {
				actions = append(actions, e.Action)
				if strings.Contains(string(e.Detail), "right") || !strings.Contains(string(e.Detail), `"`) {
					t.Errorf("%s holds %s", e.Action, e.Detail)
				}
			}
			if diff := cmp.Diff([]string{"comment.add", "comment.edit", "comment.delete"}, actions); diff != "" {
				t.Error(diff)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}

func TestOnlyWhoWroteACommentChangesItAndNotForLong(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	o := newOffice(db)
	c, err := o.Comment(t.Context(), kim, margin, "mine")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.EditComment(t.Context(), lee, c.ID, "theirs"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("another edits it: %v", err)
	}
	if err := o.DeleteComment(t.Context(), other, c.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another tenant deletes it: %v", err)
	}
	o.later(16 * time.Minute)
	if _, err := o.EditComment(t.Context(), kim, c.ID, "late"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("after 16 minutes: %v", err)
	}
	for _, text := range []string{"", "  ", strings.Repeat("ä", 4001)} {
		if _, err := o.Comment(t.Context(), kim, margin, text); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a text of %d characters: %v", len(text), err)
		}
	}
	limited := tenant.Scope{Tenant: "acme", Actor: "user:7", Rights: &tenant.Rights{Clients: []string{"A"}, Actions: []tenant.Action{"reviews.read"}}}
	if _, err := o.Comments(t.Context(), limited, margin); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a thread on figures for who sees one client: %v", err)
	}
	id := o.propose(t, review.Proposal{Kind: "finding", Subject: "a", Label: "Waste", Client: "A"})
	on := review.On{Kind: review.OnProposal, Key: id}
	if c, err := o.Comment(t.Context(), limited, on, "@kim look"); err != nil || c.On.Label != "Findings: Waste" {
		t.Errorf("on a decision of the client: %+v, %v", c, err)
	}
	if got, err := o.Comments(t.Context(), limited, review.On{Kind: review.OnProposal, Key: o.propose(t, review.Proposal{Kind: "finding", Subject: "b", Client: "B"})}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("on a decision of another client: %v, %v", got, err)
	}
}

func TestPeopleAreThoseWhoTookPartUnlessTheyAreNamed(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	o := newOffice(db)
	o.decide(t, tenant.Scope{Tenant: "acme", Actor: "cli:ann"}, o.propose(t, review.Proposal{Kind: "rule", Subject: "a"}), "dismissed", "")
	desk := review.NewDesk(o.Queue, nil, nil)
	got, err := desk.Persons(t.Context(), tenant.Scope{Tenant: "acme", Actor: "api"})
	want := []review.Person{{Actor: "cli:ann", Name: "ann", Handle: "ann"}, {Actor: "api", Name: "api", Handle: "api"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
