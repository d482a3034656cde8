package workspace_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

func TestFeedbackIsListedNewestFirstAndSummedUp(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx := t.Context()
		if _, sum, err := d.Feedback(ctx, acme, 0, 10); err != nil || sum.NPS != nil || sum.Count != 0 {
			t.Errorf("nothing said: %+v, %v", sum, err)
		}
		for _, score := range []int64{10, 9, 8, 0} {
			must[workspace.Feedback](t)(d.AddFeedback(ctx, acme, workspace.Feedback{Score: &score, Page: "/insights"}))
		}
		last := must[workspace.Feedback](t)(d.AddFeedback(ctx, acme, workspace.Feedback{Comment: " =1+1 "}))
		list, sum, err := d.Feedback(ctx, acme, 0, 2)
		if err != nil || len(list) != 2 || list[0].ID != last.ID || list[0].Score != nil || list[0].Comment != "=1+1" || *list[1].Score != 0 {
			t.Fatalf("first page: %+v, %v", list, err)
		}
		if sum.Count != 5 || sum.Scored != 4 || *sum.NPS != 25 {
			t.Errorf("summary: %+v, NPS %d", sum, *sum.NPS)
		}
		if rest, _, err := d.Feedback(ctx, acme, list[1].ID, 10); err != nil || len(rest) != 3 {
			t.Errorf("the rest: %+v, %v", rest, err)
		}
		if err := d.DeleteFeedback(ctx, acme, last.ID); err != nil {
			t.Error(err)
		}
		wantKind(t, "delete again", d.DeleteFeedback(ctx, acme, last.ID), fault.NotFound, "no feedback")
		for name, f := range map[string]workspace.Feedback{
			"nothing": {Page: "/x"}, "a comment of spaces": {Comment: "  "}, "a low score": {Score: new(int64(-1))}, "a high score": {Score: new(int64(11))},
			"a long comment": {Comment: strings.Repeat("ä", 4001)}, "a long page": {Comment: "x", Page: strings.Repeat("a", 501)},
		} {
			_, err := d.AddFeedback(ctx, acme, f)
			wantKind(t, name, err, fault.Invalid, "not valid")
		}
	})
}

func TestNPSIsRoundedHalfToEven(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ promoters, detractors, scored, want int64 }{
		{1, 0, 1, 100}, {0, 1, 1, -100}, {0, 0, 5, 0}, {1, 0, 3, 33}, {2, 0, 3, 67}, {0, 2, 3, -67},
		{1, 0, 8, 12}, {3, 0, 8, 38}, {0, 1, 8, -12}, {0, 3, 8, -38}, {1, 0, 200, 0}, {3, 0, 200, 2}, {0, 1, 200, 0},
	} {
		if got := workspace.NPS(c.promoters, c.detractors, c.scored); got == nil || *got != c.want {
			t.Errorf("%d - %d of %d: got %v, want %d", c.promoters, c.detractors, c.scored, got, c.want)
		}
	}
	if workspace.NPS(0, 0, 0) != nil {
		t.Error("no score has a figure")
	}
}

func TestUsesAreCountedByDayAndPerson(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx := t.Context()
		ben := tenant.Scope{Tenant: "acme", Actor: "ben"}
		use := func(s tenant.Scope, features ...string) {
			t.Helper()
			if err := d.Use(ctx, s, features); err != nil {
				t.Fatal(err)
			}
		}
		use(acme, "explore", "explore", "dashboard.save")
		use(acme, "explore")
		d.now = d.now.AddDate(0, 0, 2)
		use(ben, "explore")
		use(ben)
		day := quantity.NewDay(2026, time.March, 1)
		want := []workspace.Adoption{{"explore", 4, 2, day, day.AddDays(2)}, {"dashboard.save", 1, 1, day, day}}
		compare := cmp.Comparer(func(a, b quantity.Day) bool { return a == b })
		got := must[[]workspace.Adoption](t)(d.Adoption(ctx, acme, 3))
		if diff := cmp.Diff(want, got, compare); diff != "" {
			t.Error(diff)
		}
		got = must[[]workspace.Adoption](t)(d.Adoption(ctx, acme, 2))
		if diff := cmp.Diff([]workspace.Adoption{{"explore", 1, 1, day.AddDays(2), day.AddDays(2)}}, got, compare); diff != "" {
			t.Error(diff)
		}
		d.now = d.now.AddDate(0, 0, 399) // the first of March is 401 days ago, the third 399
		use(acme, "explore")
		if n := d.count(t, "SELECT COUNT(*) FROM workspace_usage"); n != 2 {
			t.Errorf("%d rows are kept, want 2", n)
		}
		for name, features := range map[string][]string{"an upper case": {"Explore"}, "empty": {""}, "a person": {"anna@example.com"}, "too long": {strings.Repeat("a", 61)}, "too many": make([]string, 51)} {
			wantKind(t, name, d.Use(ctx, acme, features), fault.Invalid, "features")
		}
		for _, days := range []int{0, 401, -1} {
			_, err := d.Adoption(ctx, acme, days)
			wantKind(t, fmt.Sprint(days, " days"), err, fault.Invalid, "days")
		}
	})
}

func TestSettingsHaveDefaultsAndTheirChangesAreRecorded(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		ctx, settings := t.Context(), must[workspace.Settings](t)
		if got := settings(d.Settings(ctx, acme)); got != (workspace.Settings{Locale: "en-US"}) {
			t.Errorf("unset: %+v", got)
		}
		want := workspace.Settings{Name: "Acme IT", Currency: "EUR", Locale: "de-AT", Theme: "dark", Density: "compact"}
		put := want
		put.Name, put.Locale = " Acme IT ", "de-at"
		if got := settings(d.PutSettings(ctx, acme, put)); got != want {
			t.Errorf("put: %+v", got)
		}
		settings(d.PutSettings(ctx, acme, want)) // no change, no event
		if got := settings(d.Settings(ctx, acme)); got != want {
			t.Errorf("read: %+v", got)
		}
		if diff := cmp.Diff([]string{"settings.change"}, d.actions(t, acme)); diff != "" {
			t.Error(diff)
		}
		if n := d.count(t, `SELECT COUNT(*) FROM audit_event WHERE detail LIKE '%"after":{"currency":"EUR"%' AND detail LIKE '%"before":{"currency":""%'`); n != 1 {
			t.Error("the event does not say what the settings were and are")
		}
		cases := []struct {
			name, path string
			s          workspace.Settings
		}{
			{"a long name", "name", workspace.Settings{Name: strings.Repeat("a", 121)}},
			{"a currency in lower case", "currency", workspace.Settings{Currency: "usd"}},
			{"no currency", "currency", workspace.Settings{Currency: "QQQ"}},
			{"no locale", "locale", workspace.Settings{Locale: "english please"}},
			{"an unknown theme", "theme", workspace.Settings{Theme: "pink"}},
			{"an unknown density", "density", workspace.Settings{Density: "roomy"}},
		}
		for _, c := range cases {
			_, err := d.PutSettings(ctx, acme, c.s)
			if f := fault.FieldsOf(err); len(f) != 1 || f[0].Path != c.path {
				t.Errorf("%s: got %v %v", c.name, err, f)
			}
		}
		_, err := d.PutSettings(ctx, acme, workspace.Settings{Currency: "x", Locale: "!", Theme: "y", Density: "z"})
		if n := len(fault.FieldsOf(err)); n != 4 {
			t.Errorf("got %d faults, want all 4", n)
		}
	})
}
