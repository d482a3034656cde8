package workspace_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

var (
	acme  = tenant.Scope{Tenant: "acme", Actor: "anna"}
	other = tenant.Scope{Tenant: "other", Actor: "anna"}
	empty = json.RawMessage(`{"tiles":[]}`)
)

// desk is a store whose clock stands until it is moved.
type desk struct {
	*workspace.Store
	db  *metadb.DB
	log *audit.Log
	now time.Time
}

func open(t testing.TB, db *metadb.DB) *desk {
	d := &desk{db: db, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return d.now }
	d.log = audit.New(clock)
	d.Store = workspace.New(db, d.log, keyringtest.Box(t, db), clock)
	return d
}

func each(t *testing.T, fn func(t *testing.T, d *desk)) {
	t.Helper()
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) { fn(t, open(t, db)) })
}

// actions lists what the audit says, oldest first.
func (d *desk) actions(t *testing.T, scope tenant.Scope) []string {
	t.Helper()
	var out []string
	err := d.db.Read(t.Context(), func(tx *metadb.Tx) error {
		entries, err := d.log.List(t.Context(), scope, tx, 0, 1000)
		for _, e := range entries {
			out = append(out, e.Action)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err, fault.FieldsOf(err))
		}
		return v
	}
}

func note(text string) json.RawMessage {
	return fmt.Appendf(nil, `{"period":"last12","tiles":[{"id":"a","x":0,"y":0,"w":4,"h":2,"kind":"note","text":%q}]}`, text)
}

func wantKind(t *testing.T, what string, err error, want fault.Kind, says string) {
	t.Helper()
	if fault.KindOf(err) != want || !strings.Contains(fault.Message(err), says) {
		t.Errorf("%s: got %v (%s), want %s with %q", what, err, fault.KindOf(err), want, says)
	}
}

func TestEveryStatementPreparesOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, workspace.Queries)
}

func TestADashboardIsSavedUndoneAndRedone(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx, item := t.Context(), must[workspace.Item](t)
		one := item(d.Create(ctx, acme, workspace.KindDashboard, "  Monday  ", note("one")))
		if len(one.ID) != 10 || one.Name != "Monday" || one.Revision != 1 || one.Author != "anna" || one.CanUndo() || one.CanRedo() {
			t.Errorf("created: %+v", one)
		}
		save := func(based int64, text string, auto bool) workspace.Item {
			t.Helper()
			d.now = d.now.Add(time.Second)
			return item(d.Save(ctx, acme, workspace.KindDashboard, one.ID, workspace.Edit{Name: "Monday", Content: note(text), Based: based, Autosave: auto}))
		}
		save(1, "two", true)
		three := save(2, "three", false)
		if three.Revision != 3 || !three.CanUndo() || three.CanRedo() || len(three.Revisions) != 3 || !three.UpdatedAt.After(one.UpdatedAt) {
			t.Errorf("saved: %+v", three)
		}
		if same := save(3, "three", true); same.Revision != 3 || len(same.Revisions) != 3 {
			t.Errorf("saved without a change: %+v", same)
		}
		back := item(d.Undo(ctx, acme, one.ID))
		back = item(d.Undo(ctx, acme, one.ID))
		if back.Revision != 1 || string(back.Content) != string(one.Content) || back.CanUndo() || !back.CanRedo() {
			t.Errorf("undone twice: %+v", back)
		}
		_, err := d.Undo(ctx, acme, one.ID)
		wantKind(t, "undo at the start", err, fault.Conflict, "nothing to undo")
		on := item(d.Redo(ctx, acme, one.ID))
		if on.Revision != 2 || !strings.Contains(string(on.Content), "two") || !on.CanRedo() {
			t.Errorf("redone: %+v", on)
		}
		four := save(2, "four", false)
		if four.Revision != 4 || four.CanRedo() || len(four.Revisions) != 3 {
			t.Errorf("saved after an undo: %+v, want revisions 1, 2 and 4", four)
		}
		_, err = d.Redo(ctx, acme, one.ID)
		wantKind(t, "redo after a save", err, fault.Conflict, "nothing to redo")
		if got := item(d.Get(ctx, acme, workspace.KindDashboard, one.ID)); got.Revision != 4 || !got.CanUndo() || string(got.Content) != string(four.Content) {
			t.Errorf("read again: %+v", got)
		}
		want := []string{"dashboard.create", "dashboard.save", "dashboard.save"}
		if diff := cmp.Diff(want, d.actions(t, acme)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestASaveBasedOnAnOldRevisionIsRefusedEvenAfterAnUndo(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx, item := t.Context(), must[workspace.Item](t)
		one := item(d.Create(ctx, acme, workspace.KindDashboard, "A", note("one")))
		edit := func(based int64, text string) workspace.Edit {
			return workspace.Edit{Name: "A", Content: note(text), Based: based}
		}
		item(d.Save(ctx, acme, workspace.KindDashboard, one.ID, edit(1, "two"))) // seen by Ben as revision 2
		item(d.Undo(ctx, acme, one.ID))
		item(d.Save(ctx, acme, workspace.KindDashboard, one.ID, edit(1, "other two")))
		for _, based := range []int64{0, 1, 2, 99} {
			_, err := d.Save(ctx, acme, workspace.KindDashboard, one.ID, edit(based, "lost"))
			wantKind(t, fmt.Sprint("based on ", based), err, fault.Conflict, "someone changed this dashboard meanwhile")
		}
		view := item(d.Create(ctx, acme, workspace.KindView, "V", json.RawMessage(`{"path":"/explore"}`)))
		_, err := d.Save(ctx, acme, workspace.KindView, view.ID, workspace.Edit{Name: "V", Content: json.RawMessage(`{"path":"/explore?a"}`), Based: 7})
		wantKind(t, "a view", err, fault.Conflict, "someone changed this view")
	})
}

func TestOnlyTheNewestRevisionsAreKept(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx, item := t.Context(), must[workspace.Item](t)
		i := item(d.Create(ctx, acme, workspace.KindDashboard, "A", note("0")))
		for n := range 60 {
			i = item(d.Save(ctx, acme, workspace.KindDashboard, i.ID, workspace.Edit{Name: "A", Content: note(fmt.Sprint("n", n)), Based: i.Revision, Autosave: true}))
		}
		if len(i.Revisions) != 50 || i.Revisions[0].Number != 12 || i.Revision != 61 {
			t.Errorf("got %d revisions from %+v, at %d", len(i.Revisions), i.Revisions[0], i.Revision)
		}
	})
}

func TestADeletedItemIsRestoredWithinThirtyDays(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx, item := t.Context(), must[workspace.Item](t)
		for _, kind := range []workspace.Kind{workspace.KindDashboard, workspace.KindView} {
			content := empty
			if kind == workspace.KindView {
				content = json.RawMessage(`{"path":"/explore?by=client"}`)
			}
			made := item(d.Create(ctx, acme, kind, "A", content))
			if err := d.Delete(ctx, acme, kind, made.ID); err != nil {
				t.Fatal(err)
			}
			wantKind(t, "delete again", d.Delete(ctx, acme, kind, made.ID), fault.NotFound, "no "+string(kind))
			_, err := d.Get(ctx, acme, kind, made.ID)
			wantKind(t, "read deleted", err, fault.NotFound, "restore it")
			_, err = d.Save(ctx, acme, kind, made.ID, workspace.Edit{Name: "A", Content: content, Based: 1})
			wantKind(t, "save deleted", err, fault.NotFound, "restore it")
			live, _, err := d.List(ctx, acme, kind, false, 0, 10)
			gone, _, err2 := d.List(ctx, acme, kind, true, 0, 10)
			if err != nil || err2 != nil || len(live) != 0 || len(gone) != 1 || gone[0].DeletedAt.IsZero() {
				t.Errorf("%s: lists %v and %v (%v, %v)", kind, live, gone, err, err2)
			}
			if got := item(d.Restore(ctx, acme, kind, made.ID)); got.ID != made.ID || !got.DeletedAt.IsZero() {
				t.Errorf("restored: %+v", got)
			}
			item(d.Get(ctx, acme, kind, made.ID))
			if err := d.Delete(ctx, acme, kind, made.ID); err != nil {
				t.Fatal(err)
			}
			d.now = d.now.AddDate(0, 0, 31)
			_, err = d.Restore(ctx, acme, kind, made.ID)
			wantKind(t, "restore too late", err, fault.NotFound, "no "+string(kind))
			if gone, _, err := d.List(ctx, acme, kind, true, 0, 10); err != nil || len(gone) != 0 {
				t.Errorf("after 31 days: %v, %v", gone, err)
			}
			if n := d.count(t, "SELECT COUNT(*) FROM workspace_item") + d.count(t, "SELECT COUNT(*) FROM workspace_revision"); n != 0 {
				t.Errorf("%d rows are left", n)
			}
		}
		want := []string{"dashboard.create", "dashboard.delete", "dashboard.restore", "dashboard.delete", "view.create", "view.delete", "view.restore", "view.delete"}
		if diff := cmp.Diff(want, d.actions(t, acme)); diff != "" {
			t.Error(diff)
		}
	})
}

func (d *desk) count(t *testing.T, text string) int64 {
	t.Helper()
	var n int64
	if err := d.db.Read(t.Context(), func(tx *metadb.Tx) error { return tx.One(t.Context(), text, nil, &n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestARenameIsRecordedWithoutTheName(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx, item := t.Context(), must[workspace.Item](t)
		i := item(d.Create(ctx, acme, workspace.KindDashboard, "For Jane Doe", empty))
		item(d.Save(ctx, acme, workspace.KindDashboard, i.ID, workspace.Edit{Name: "For John Roe", Content: empty, Based: 1, Autosave: true}))
		if got := item(d.Undo(ctx, acme, i.ID)); got.Name != "For Jane Doe" {
			t.Errorf("undone: %+v", got)
		}
		if diff := cmp.Diff([]string{"dashboard.create", "dashboard.rename", "dashboard.rename"}, d.actions(t, acme)); diff != "" {
			t.Error(diff)
		}
		if n := d.count(t, "SELECT COUNT(*) FROM audit_event WHERE detail LIKE '%Jane%' OR detail LIKE '%John%'"); n != 0 {
			t.Errorf("%d events hold a name", n)
		}
	})
}

func TestAtMostFiveHundredItemsOfAKindAreKept(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx, item := t.Context(), must[workspace.Item](t)
		first := item(d.Link(ctx, acme, "/explore?n=0"))
		for n := 1; n < 500; n++ {
			item(d.Link(ctx, acme, fmt.Sprint("/explore?n=", n)))
		}
		_, err := d.Link(ctx, acme, "/explore?n=500")
		wantKind(t, "one more", err, fault.TooLarge, "500 links")
		if again := item(d.Link(ctx, acme, "/explore?n=0")); again.ID != first.ID {
			t.Errorf("an old path: %+v, want %+v", again, first)
		}
		if err := d.Delete(ctx, acme, workspace.KindLink, first.ID); err != nil {
			t.Fatal(err)
		}
		item(d.Link(ctx, acme, "/explore?n=500"))
		item(d.Create(ctx, acme, workspace.KindView, "another kind", json.RawMessage(`{"path":"/a"}`)))
		seen := 0
		for offset, more := 0, true; more; {
			var items []workspace.Item
			if items, more, err = d.List(ctx, acme, workspace.KindLink, false, offset, 200); err != nil {
				t.Fatal(err)
			}
			seen, offset = seen+len(items), offset+len(items)
		}
		if seen != 500 {
			t.Errorf("the pages hold %d links, want 500", seen)
		}
	})
}

func TestTheSamePathIsTheSameLink(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx, item := t.Context(), must[workspace.Item](t)
		a := item(d.Link(ctx, acme, "/explore?measures=revenue&where=client+%3D+%22Müller%22"))
		b := item(d.Link(ctx, acme, "/explore?measures=revenue&where=client+%3D+%22Müller%22"))
		c := item(d.Link(ctx, acme, "/explore"))
		if a.ID != b.ID || a.ID == c.ID {
			t.Errorf("got %s, %s and %s", a.ID, b.ID, c.ID)
		}
		if err := d.Delete(ctx, acme, workspace.KindLink, a.ID); err != nil {
			t.Fatal(err)
		}
		if again := item(d.Link(ctx, acme, "/explore?measures=revenue&where=client+%3D+%22Müller%22")); again.ID != a.ID || !again.DeletedAt.IsZero() {
			t.Errorf("after a delete: %+v", again)
		}
		if got := d.actions(t, acme); got != nil {
			t.Errorf("links are audited: %v", got)
		}
	})
}

func TestALinkLeadsToThisProgramOnly(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	d := open(t, db)
	for name, path := range map[string]string{
		"empty": "", "another host": "//evil.example/x", "a scheme": "https://evil.example", "a script": "javascript:alert(1)", "relative": "explore", "a backslash": `/\evil.example`,
		"a backslash later": `/a\b`, "a tab": "/\t/evil.example", "a line end": "/a\r\nSet-Cookie: x=1", "NUL": "/a\x00", "a C1 control": "/a\u0085", "broken UTF-8": "/a\xff", "too long": "/" + strings.Repeat("a", 8192),
		"a broken escape": "/100%",
	} {
		_, err := d.Link(t.Context(), acme, path)
		if fault.KindOf(err) != fault.Invalid || len(fault.FieldsOf(err)) != 1 || fault.FieldsOf(err)[0].Path != "path" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, path := range []string{"/", "/explore?a=//b", "/explore?url=https://example.com", "/" + strings.Repeat("a", 8191), "/a:b"} {
		if _, err := d.Link(t.Context(), acme, path); err != nil {
			t.Errorf("%.30s: %v", path, err)
		}
	}
}

func TestNamesAndContentAreCheckedTogether(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	d := open(t, db)
	cases := []struct {
		name, title, content string
		kind                 workspace.Kind
		paths                []string
	}{
		{"nothing", "", "", workspace.KindDashboard, []string{"name", "content"}},
		{"a name of spaces, an unknown field", "   ", `{"x":1}`, workspace.KindDashboard, []string{"name", "x"}},
		{"a long name", strings.Repeat("ä", 121), `{}`, workspace.KindDashboard, []string{"name"}},
		{"a view to another site", "V", `{"path":"//x"}`, workspace.KindView, []string{"content.path"}},
		{"a view with more", "V", `{"path":"/x","y":1}`, workspace.KindView, []string{"content.y"}},
		{"a view that is a list", "V", `[]`, workspace.KindView, []string{"content"}},
	}
	for _, c := range cases {
		_, err := d.Create(t.Context(), acme, c.kind, c.title, json.RawMessage(c.content))
		var got []string
		for _, f := range fault.FieldsOf(err) {
			got = append(got, f.Path)
		}
		if diff := cmp.Diff(c.paths, got); diff != "" || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
	}
	if _, err := d.Create(t.Context(), acme, workspace.KindDashboard, strings.Repeat("ä", 120), empty); err != nil {
		t.Errorf("120 characters: %v", err)
	}
}

func TestOneTenantNeverSeesAnothersWorkspace(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx, item := t.Context(), must[workspace.Item](t)
		dash := item(d.Create(ctx, acme, workspace.KindDashboard, "A", note("a")))
		dash = item(d.Save(ctx, acme, workspace.KindDashboard, dash.ID, workspace.Edit{Name: "A", Content: note("b"), Based: 1}))
		view := item(d.Create(ctx, acme, workspace.KindView, "V", json.RawMessage(`{"path":"/a"}`)))
		link := item(d.Link(ctx, acme, "/a"))
		gone := item(d.Create(ctx, acme, workspace.KindView, "G", json.RawMessage(`{"path":"/g"}`)))
		if err := d.Delete(ctx, acme, workspace.KindView, gone.ID); err != nil {
			t.Fatal(err)
		}
		said := must[workspace.Feedback](t)(d.AddFeedback(ctx, acme, workspace.Feedback{Comment: "hm"}))
		if err := d.Use(ctx, acme, []string{"explore"}); err != nil {
			t.Fatal(err)
		}
		must[workspace.Settings](t)(d.PutSettings(ctx, acme, workspace.Settings{Name: "Acme"}))

		for name, scope := range map[string]tenant.Scope{"a tenant nobody knows": other, "a known tenant": {Tenant: "third", Actor: "anna"}} {
			if name == "a known tenant" {
				item(d.Link(ctx, scope, "/elsewhere"))
			}
			for _, i := range []workspace.Item{dash, view, link} {
				_, err := d.Get(ctx, scope, i.Kind, i.ID)
				wantKind(t, name+" reads "+string(i.Kind), err, fault.NotFound, "")
				wantKind(t, name+" deletes "+string(i.Kind), d.Delete(ctx, scope, i.Kind, i.ID), fault.NotFound, "")
			}
			for _, deleted := range []bool{false, true} {
				for _, kind := range []workspace.Kind{workspace.KindDashboard, workspace.KindView} {
					if items, _, err := d.List(ctx, scope, kind, deleted, 0, 10); err != nil || len(items) != 0 {
						t.Errorf("%s lists %v (%v)", name, items, err)
					}
				}
			}
			_, err := d.Save(ctx, scope, workspace.KindDashboard, dash.ID, workspace.Edit{Name: "X", Content: empty, Based: 2})
			wantKind(t, name+" saves", err, fault.NotFound, "")
			_, err = d.Undo(ctx, scope, dash.ID)
			wantKind(t, name+" undoes", err, fault.NotFound, "")
			_, err = d.Restore(ctx, scope, workspace.KindView, gone.ID)
			wantKind(t, name+" restores", err, fault.NotFound, "")
			wantKind(t, name+" deletes feedback", d.DeleteFeedback(ctx, scope, said.ID), fault.NotFound, "")
			if list, sum, err := d.Feedback(ctx, scope, 0, 10); err != nil || len(list) != 0 || sum.Count != 0 || sum.NPS != nil {
				t.Errorf("%s reads feedback %v %+v (%v)", name, list, sum, err)
			}
			if uses, err := d.Adoption(ctx, scope, 400); err != nil || len(uses) != 0 {
				t.Errorf("%s reads usage %v (%v)", name, uses, err)
			}
			if s := must[workspace.Settings](t)(d.Settings(ctx, scope)); s.Name != "" {
				t.Errorf("%s reads settings %+v", name, s)
			}
		}
		if l := item(d.Link(ctx, other, "/a")); l.ID == link.ID {
			t.Error("two tenants share a link")
		}
		if got := item(d.Get(ctx, acme, workspace.KindDashboard, dash.ID)); got.Revision != 2 {
			t.Errorf("changed by another tenant: %+v", got)
		}
	})
}

func TestTheZeroScopeIsRefused(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	d, ctx, no := open(t, db), t.Context(), tenant.Scope{}
	score := int64(5)
	for name, fn := range map[string]func() error{
		"list":   func() error { _, _, err := d.List(ctx, no, workspace.KindView, false, 0, 1); return err },
		"get":    func() error { _, err := d.Get(ctx, no, workspace.KindView, "x"); return err },
		"create": func() error { _, err := d.Create(ctx, no, workspace.KindDashboard, "x", empty); return err },
		"save": func() error {
			_, err := d.Save(ctx, no, workspace.KindDashboard, "x", workspace.Edit{Name: "x", Content: empty})
			return err
		},
		"undo":     func() error { _, err := d.Undo(ctx, no, "x"); return err },
		"delete":   func() error { return d.Delete(ctx, no, workspace.KindView, "x") },
		"link":     func() error { _, err := d.Link(ctx, no, "/x"); return err },
		"feedback": func() error { _, err := d.AddFeedback(ctx, no, workspace.Feedback{Score: &score}); return err },
		"read":     func() error { _, _, err := d.Feedback(ctx, no, 0, 1); return err },
		"forget":   func() error { return d.DeleteFeedback(ctx, no, 1) },
		"use":      func() error { return d.Use(ctx, no, []string{"x"}) },
		"adoption": func() error { _, err := d.Adoption(ctx, no, 1); return err },
		"settings": func() error { _, err := d.Settings(ctx, no); return err },
		"put":      func() error { _, err := d.PutSettings(ctx, no, workspace.Settings{}); return err },
	} {
		if err := fn(); err == nil || !strings.Contains(err.Error(), "tenant") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTwoSavesAtOnceAreOneSaveAndOneConflict(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		i := must[workspace.Item](t)(d.Create(t.Context(), acme, workspace.KindDashboard, "A", note("0")))
		errs := make(chan error)
		for n := range 4 {
			go func() {
				_, err := d.Save(t.Context(), acme, workspace.KindDashboard, i.ID, workspace.Edit{Name: "A", Content: note(fmt.Sprint("n", n)), Based: 1})
				errs <- err
			}()
		}
		saved := 0
		for range 4 {
			if err := <-errs; err == nil {
				saved++
			} else {
				wantKind(t, "late", err, fault.Conflict, "")
			}
		}
		if saved != 1 {
			t.Errorf("%d saves went through, want 1", saved)
		}
	})
}
