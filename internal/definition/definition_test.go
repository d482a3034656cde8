package definition_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

var (
	acme   = tenant.Scope{Tenant: "acme", Actor: "anna"}
	globex = tenant.Scope{Tenant: "globex", Actor: "bob"}
)

func clock() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func fine(*definition.Book) error { return nil }

func add(name, body string) definition.Change {
	return definition.Change{Kind: definition.KPI, Name: name, Body: json.RawMessage(body), New: true}
}

func TestEveryChangeIsAVersionThatStays(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		log := audit.New(clock)
		s := definition.New(db, log, clock)
		put := func(c definition.Change) definition.Definition {
			t.Helper()
			d, err := s.Put(t.Context(), acme, c, fine)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		put(add("a", `{"x":1}`))
		same := put(definition.Change{Kind: definition.KPI, Name: "a", Body: json.RawMessage(`{"x":1}`)})
		put(definition.Change{Kind: definition.KPI, Name: "a", Body: json.RawMessage(`{"x":2}`)})
		put(definition.Change{Kind: definition.KPI, Name: "a", Remove: true})
		again := put(add("a", `{"x":3}`))
		if same.Version != 1 || again.Version != 4 {
			t.Errorf("versions %d and %d, want 1 and 4", same.Version, again.Version)
		}
		all, err := s.Versions(t.Context(), acme, definition.KPI, "a")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range all {
			got = append(got, fmt.Sprint(d.Version, " ", string(d.Body), " ", d.Removed, " ", d.Author))
		}
		if diff := cmp.Diff([]string{`4 {"x":3} false anna`, `3 {"x":2} true anna`, `2 {"x":2} false anna`, `1 {"x":1} false anna`}, got); diff != "" {
			t.Error(diff)
		}
		var actions []string
		if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
			entries, err := log.List(t.Context(), acme, tx, 0, 100)
			for _, e := range entries {
				actions = append(actions, e.Action)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"kpi.create", "kpi.change", "kpi.remove", "kpi.create"}, actions); diff != "" {
			t.Error(diff)
		}
		if n, err := s.Revision(t.Context(), acme); n != 4 || err != nil {
			t.Errorf("revision %d %v", n, err)
		}
		other, err := s.Book(t.Context(), globex)
		if err != nil || len(other.Current) != 0 || other.Revision != 0 {
			t.Errorf("another tenant sees %+v %v", other, err)
		}
	})
}

func TestAChangeThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		s := definition.New(db, audit.New(clock), clock)
		if _, err := s.Put(t.Context(), acme, add("a", `{}`), fine); err != nil {
			t.Fatal(err)
		}
		no := errors.New("no")
		for what, k := range map[string]struct {
			change definition.Change
			check  func(*definition.Book) error
			kind   fault.Kind
		}{
			"a name that is taken":       {add("a", `{}`), fine, fault.Conflict},
			"one that is not there":      {definition.Change{Kind: definition.KPI, Name: "b", Body: json.RawMessage(`{}`)}, fine, fault.NotFound},
			"removing what is not there": {definition.Change{Kind: definition.Rule, Name: "a", Remove: true}, fine, fault.NotFound},
			"too large":                  {add("c", strings.Repeat("x", 40_000)), fine, fault.TooLarge},
			"what the check refuses":     {add("d", `{}`), func(*definition.Book) error { return no }, fault.Internal},
		} {
			if _, err := s.Put(t.Context(), acme, k.change, k.check); fault.KindOf(err) != k.kind {
				t.Errorf("%s: got %v", what, err)
			}
		}
		book, err := s.Book(t.Context(), acme)
		if err != nil || len(book.Current) != 1 || book.Revision != 1 {
			t.Errorf("%+v %v", book, err)
		}
		if _, err := s.Versions(t.Context(), acme, definition.KPI, "nothing"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("got %v", err)
		}
	})
}

// Two that each fit alone and not together cannot both be made: a uses b, b uses a.
func TestChangesWaitForEachOther(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		s := definition.New(db, audit.New(clock), clock)
		alone := func(after *definition.Book) error {
			if len(after.Current) > 1 {
				return fault.Newf(fault.Conflict, "not together")
			}
			return nil
		}
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() { _, errs[i] = s.Put(t.Context(), acme, add(fmt.Sprint("k", i), `{}`), alone) })
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			switch {
			case err == nil:
				made++
			case fault.KindOf(err) != fault.Conflict:
				t.Errorf("got %v", err)
			}
		}
		if made != 1 {
			t.Errorf("%d were made, want 1", made)
		}
	})
}

func TestEveryStatementPreparesOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, definition.Queries)
}
