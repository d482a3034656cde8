package metric_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// set returns settings over a database, and the actions that their audit has recorded.
func set(db *metadb.DB) (*metric.Settings, func(*testing.T) []string) {
	log := audit.New(time.Now)
	return metric.NewSettings(db, log, nil), func(t *testing.T) []string {
		var actions []string
		if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
			entries, err := log.List(t.Context(), acme, tx, 0, 100)
			for _, e := range entries {
				actions = append(actions, e.Action+" "+e.Subject.ID)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return actions
	}
}

func TestATenantSetsAndResetsItsOwnEdges(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		s, actions := set(db)
		c := metric.New(nil, metric.Options{})
		of := func(scope tenant.Scope) metric.Threshold {
			all, err := s.Thresholds(t.Context(), scope, c)
			if err != nil {
				t.Fatal(err)
			}
			return all[slices.IndexFunc(all, func(t metric.Threshold) bool { return t.ID == "ar_over_90_share" })]
		}
		built := of(acme)
		if built.Kind != "A" || built.Of(decimal.RequireFromString("0.05")).Verdict != "bad" || built.Of(decimal.RequireFromString("0.0499")).Verdict != "good" {
			t.Errorf("built in: %s %s", built.Kind, built.Words())
		}
		own, err := s.SetThreshold(t.Context(), acme, c, "ar_over_90_share", []string{"0.02"}, "our bank")
		if err != nil || own.Kind != "own" || own.Source != "our bank" || own.Words() != "below 0.02: good (good), from 0.02: collect (bad)" {
			t.Errorf("set: %+v %v", own, err)
		}
		if got := of(acme); got.Words() != own.Words() || got.Changed == "" {
			t.Errorf("kept: %s", got.Words())
		}
		if other := of(tenant.Scope{Tenant: "other", Actor: "test"}); other.Words() != built.Words() {
			t.Errorf("another tenant has %s", other.Words())
		}
		if _, err := s.SetThreshold(t.Context(), acme, c, "ar_over_90_share", []string{"0.02"}, "our bank"); err != nil {
			t.Error(err)
		}
		if back, err := s.ResetThreshold(t.Context(), acme, c, "ar_over_90_share"); err != nil || back.Words() != built.Words() || of(acme).Kind != "A" {
			t.Errorf("reset: %s %v", back.Words(), err)
		}
		if got, want := strings.Join(actions(t), ", "), "threshold.set ar_over_90_share, threshold.reset ar_over_90_share"; got != want {
			t.Errorf("audit: got %s, want %s", got, want)
		}
	})
}

func TestEdgesThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	s, _ := set(db)
	c := metric.New(nil, metric.Options{})
	for _, k := range []struct {
		name, id, want string
		edges          []string
		kind           fault.Kind
	}{
		{"unknown", "dsoo", `did you mean "dso"`, []string{"1"}, fault.NotFound},
		{"too few", "dso", "needs 3 edges", []string{"1"}, fault.Invalid},
		{"falling", "dso", "are not valid", []string{"40", "30", "50"}, fault.Invalid},
		{"no number", "dso", "are not valid", []string{"thirty", "40", "50"}, fault.Invalid},
	} {
		if _, err := s.SetThreshold(t.Context(), acme, c, k.id, k.edges, ""); fault.KindOf(err) != k.kind || !strings.Contains(fault.Message(err), k.want) {
			t.Errorf("%s: got %v (%v), want %q", k.name, err, fault.KindOf(err), k.want)
		}
	}
}

// Bands of measures that this version does not have are left out; a new name is a mistake
// unless it stands here.
func TestEveryThresholdIsOfAMeasure(t *testing.T) {
	t.Parallel()
	for _, name := range metric.UnknownThresholds(t) {
		t.Errorf("there is no measure %q that thresholds.yaml names", name)
	}
}

func TestWorkClassesAreAssumedUntilConfirmed(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(t.Context(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	s, actions := set(db)
	c := metric.New(w, metric.Options{Settings: s})
	put(t, w, map[string]string{
		"tickets":      "SELECT unnest(['1', '2', '3']) AS ticket_number, unnest(['Incident', 'Service', 'Request']) AS ticket_type, 'Desk' AS queue, DATE '2026-06-10' AS created_on",
		"time_entries": "SELECT unnest(['1', '2', '3']) AS ticket_number, unnest([1.0, 10.0, 100.0]) AS hours_worked, DATE '2026-06-11' AS work_date",
	})
	reactive := func() (string, bool) {
		r, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"reactive_hours"}, Period: period(t, "2026-06", "2026-07")})
		if err != nil {
			t.Fatal(err)
		}
		return r.Rows[0][0].(decimal.Decimal).String(), slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "until somebody confirms it") })
	}
	if hours, noted := reactive(); hours != "1" || !noted {
		t.Errorf("by words: %s, noted %v", hours, noted)
	}
	kept, err := s.PutWorkClasses(t.Context(), acme, metric.WorkClasses{Rules: []metric.WorkClassRule{{Field: "ticket_type", Value: " SERVICE ", Class: "reactive"}}})
	if err != nil || kept.Rules[0].Value != "service" {
		t.Fatal(kept, err)
	}
	if hours, noted := reactive(); hours != "11" || !noted {
		t.Errorf("by a rule: %s, noted %v", hours, noted)
	}
	kept.Rules = append(kept.Rules, metric.WorkClassRule{Field: "queue", Value: "Desk", Class: "project"}) // the type goes first
	kept.Confirmed = true
	if _, err := s.PutWorkClasses(t.Context(), acme, kept); err != nil {
		t.Fatal(err)
	}
	if hours, noted := reactive(); hours != "10" || noted {
		t.Errorf("confirmed: %s, noted %v", hours, noted)
	}
	seen, err := c.TicketClasses(t.Context(), acme)
	if err != nil || len(seen) != 3 {
		t.Fatal(seen, err)
	}
	for _, k := range seen {
		if want := map[string]string{"Incident": "project", "Service": "reactive", "Request": "project"}[k.TicketType]; k.Class != want {
			t.Errorf("%s is %s, want %s", k.TicketType, k.Class, want)
		}
	}
	if got := len(actions(t)); got != 2 {
		t.Errorf("%d audit events, want 2", got)
	}
	_, err = s.PutWorkClasses(t.Context(), acme, metric.WorkClasses{Rules: []metric.WorkClassRule{{Field: "color", Value: "x", Class: "reactive"}, {Field: "queue", Value: "", Class: "fast"}}})
	if len(fault.FieldsOf(err)) != 3 {
		t.Errorf("got %v", fault.FieldsOf(err))
	}
}

func TestADefinitionHasItsCaveatsAndBands(t *testing.T) {
	t.Parallel()
	c := metric.New(nil, metric.Options{})
	d, err := c.Definition("reactive_hours_per_endpoint", c.Thresholds())
	if err != nil {
		t.Fatal(err)
	}
	if d.Kind != "formula" || !slices.Equal(d.Inputs, []string{"reactive_hours", "endpoints", "months"}) || !slices.Equal(d.Needs, []string{"time_entries", "tickets", "assets"}) || len(d.Caveats) != 1 || len(d.Thresholds) != 1 {
		t.Errorf("%+v", d)
	}
	for name, want := range map[string]string{"first_response": "median of stored values", "resolution_time_p90": "90th percentile of stored values", "top3_share": "formula", "revenue": "sum of stored rows"} {
		if d, err := c.Definition(name, nil); err != nil || d.Kind != want {
			t.Errorf("%s: %s %v, want %s", name, d.Kind, err, want)
		}
	}
	if _, err := c.Definition("revenu", nil); fault.KindOf(err) != fault.Invalid {
		t.Errorf("unknown: %v", err)
	}
}

func TestTopShares(t *testing.T) {
	t.Parallel()
	amounts := func(texts ...string) (out []decimal.Decimal) {
		for _, s := range texts {
			out = append(out, decimal.RequireFromString(s))
		}
		return out
	}
	for _, k := range []struct {
		of   []decimal.Decimal
		n    int
		want string
	}{
		{amounts("10", "40", "25", "10", "15"), 1, "0.4"}, {amounts("10", "40", "25", "10", "15"), 3, "0.8"}, {amounts("10", "40", "25", "10", "15"), 9, "1"},
		{amounts("10", "-40", "0", "30"), 1, "0.75"}, {amounts("-1"), 1, ""}, {nil, 1, ""},
	} {
		got, ok := metric.TopShare(k.of, k.n)
		if ok != (k.want != "") || ok && got.String() != k.want {
			t.Errorf("top %d of %v: got %s %v, want %s", k.n, k.of, got, ok, k.want)
		}
	}
}
