package insight_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// watched is a world with rules, their reviews and notices.
type watched struct {
	*world
	*insight.Watch
	notices *notice.Store
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	dir := t.TempDir()
	w, err := warehouse.Open(t.Context(), db, dir, warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	log := audit.New(clock)
	metrics := metric.New(w, metric.Options{Now: clock, Definitions: definition.New(db, log, clock)})
	x := &world{Service: insight.New(metrics, w, insight.Options{Now: clock}), datasets: dataset.New(w, db, log, idle{}, clock), metrics: metrics, warehouse: w}
	box := notice.New(db, clock)
	return &watched{x, insight.NewWatch(x.Service, db, review.New(db, log, clock), box, clock), box}
}

func (x *watched) rule(t *testing.T, r metric.Rule) {
	t.Helper()
	if _, err := x.metrics.PutRule(t.Context(), northwind, r, true); err != nil {
		t.Fatal(err, fault.FieldsOf(err))
	}
}

func (x *watched) evaluate(t *testing.T) insight.Evaluation {
	t.Helper()
	e, err := x.Evaluate(t.Context(), northwind)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func subjects(hits []insight.Hit) []string {
	out := []string{}
	for _, h := range hits {
		out = append(out, h.Rule+": "+h.Subject)
	}
	slices.Sort(out)
	return out
}

const bills = "invoice_id,client_name,amount,date,status\n"

func TestARuleTellsOnceUntilItHasCeased(t *testing.T) {
	t.Parallel()
	x := newWatched(t)
	x.rule(t, metric.Rule{Name: "Small", Condition: "revenue < 100", Dimension: "client", Then: metric.ThenReview, Money: "revenue"})
	x.rule(t, metric.Rule{Name: "Firm", Condition: "revenue < 1000", Then: metric.ThenNotice})
	if e := x.evaluate(t); e.Rules != 0 || len(e.Findings) != 0 {
		t.Errorf("without data: %+v", e)
	}
	x.text(t, "invoices.csv", bills+"1,Acme,50,2026-05-10,paid\n2,Bolt,500,2026-05-11,paid\n3,Core,70,2026-05-12,paid\n")
	first := x.evaluate(t)
	if diff := cmp.Diff([]string{"Firm: the firm", "Small: Acme", "Small: Core"}, subjects(first.Began)); diff != "" {
		t.Fatal(diff)
	}
	for _, f := range first.Findings {
		if f.Subject.Value == "Acme" && (f.Value.String() != "50" || f.MoneyAtStake.String() != "600" || !f.RequiresReview || f.Kind != insight.RuleHolds) {
			t.Errorf("%+v", f)
		}
	}
	if again := x.evaluate(t); len(again.Began)+len(again.Ended) != 0 || len(again.Findings) != 3 {
		t.Errorf("a second time: %+v", again)
	}
	notices, err := x.notices.List(t.Context(), northwind, true, 10, 0)
	if err != nil || len(notices) != 1 || notices[0].Kind != notice.RuleHolds || !strings.Contains(notices[0].Message, "Firm: revenue of the firm is") {
		t.Errorf("notices: %+v %v", notices, err)
	}
	open, err := x.Reviews(t.Context(), northwind, review.Open, 10, 0)
	if err != nil || len(open) != 2 {
		t.Fatalf("reviews: %+v %v", open, err)
	}
	at := slices.IndexFunc(open, func(p review.Proposal) bool { return strings.Contains(p.Subject, "Acme") })
	if _, err := x.datasets.DecideMatch(t.Context(), northwind, open[at].ID, review.Decision{Verdict: "same", Choice: "Bolt"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("decided as a question about a name: %v", err)
	}
	if err := x.Decide(t.Context(), northwind, open[at].ID, "maybe", ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
	if err := x.Decide(t.Context(), northwind, open[at].ID, insight.VerdictAcknowledged, "a new client"); err != nil {
		t.Fatal(err)
	}
	if again := x.evaluate(t); len(again.Began) != 0 {
		t.Errorf("proposed again after the decision: %+v", again.Began)
	}
	// Core and the firm recover in the next month, Acme does not.
	x.text(t, "invoices.csv", bills+"4,Acme,60,2026-06-10,paid\n5,Bolt,900,2026-06-11,paid\n6,Core,700,2026-06-12,paid\n")
	later := x.evaluate(t)
	if diff := cmp.Diff([]string{"Firm: the firm", "Small: Core"}, subjects(later.Ended)); diff != "" || len(later.Began) != 0 {
		t.Errorf("%s, began %v", diff, subjects(later.Began))
	}
	if open, _ := x.Reviews(t.Context(), northwind, review.Open, 10, 0); len(open) != 0 {
		t.Errorf("the question about Core is still open: %+v", open)
	}
	if err := x.metrics.RemoveRule(t.Context(), northwind, "Small"); err != nil {
		t.Fatal(err)
	}
	if gone := x.evaluate(t); len(gone.Ended) != 1 {
		t.Errorf("a removed rule still holds: %+v", gone)
	}
	history, err := x.History(t.Context(), northwind, "Small", 10, 0)
	if err != nil || len(history) != 2 || slices.ContainsFunc(history, func(h insight.Hit) bool { return h.EndedAt == nil }) {
		t.Errorf("history: %+v %v", history, err)
	}
	if _, err := x.Evaluate(t.Context(), northwind, "Nothing"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
	other := tenant.Scope{Tenant: "other", Actor: "test"}
	if hits, err := x.History(t.Context(), other, "", 10, 0); err != nil || len(hits) != 0 {
		t.Errorf("another tenant sees %+v %v", hits, err)
	}
	if e, err := x.Evaluate(context.WithoutCancel(t.Context()), other); err != nil || e.Rules != 0 {
		t.Errorf("another tenant has %+v %v", e, err)
	}
}

func TestOwnMeasuresAreExplainedAndFollowedByMonth(t *testing.T) {
	t.Parallel()
	x := newWatched(t)
	if _, err := x.metrics.AddKPI(t.Context(), northwind, metric.KPI{Name: "rest", Formula: "revenue - tax * 2"}); err != nil {
		t.Fatal(err)
	}
	x.text(t, "invoices.csv", bills+"1,Acme,50,2026-05-10,paid\n2,Acme,80,2026-06-11,paid\n")
	s, err := x.Series(t.Context(), northwind, insight.SeriesRequest{Measure: "rest"})
	if err != nil || len(s.Points) != 2 || s.Points[1].Value.String() != "80" {
		t.Errorf("%+v %v", s, err)
	}
	june := period(t, "2026-06", "2026-07")
	e, err := x.Explain(t.Context(), northwind, insight.ExplainRequest{Measure: "rest", Period: june, Versus: insight.Previous})
	if err != nil || e.Change == nil || e.Change.String() != "30" {
		t.Errorf("%+v %v", e, err)
	}
}

func TestEveryStatementOfRulesPreparesOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, insight.Queries)
}

func TestOwnMeasuresAreRankedJudgedAndCorrelated(t *testing.T) {
	t.Parallel()
	x := newWatched(t)
	for name, formula := range map[string]string{"rest": "revenue - tax * 2", "change": "revenue - lag(revenue, 1)"} {
		if _, err := x.metrics.AddKPI(t.Context(), northwind, metric.KPI{Name: name, Formula: formula}); err != nil {
			t.Fatal(err)
		}
	}
	rows := bills
	for c := range 6 {
		for m := range 14 {
			rows += fmt.Sprintf("%d,C%d,%d,%s,paid\n", 100*c+m, c, 100*(c+1)+7*(m%3), quantity.NewDay(2025, 5, 10).AddMonths(m).AddDays(9))
		}
	}
	x.text(t, "invoices.csv", rows)
	r, err := x.Rank(t.Context(), northwind, insight.RankRequest{Measure: "rest"})
	if err != nil || len(r.Rows) != 6 || r.Rows[0].Name != "C0" || r.Kind != "sum" {
		t.Errorf("rank: %+v %v", r, err)
	}
	if _, err := x.Rank(t.Context(), northwind, insight.RankRequest{Measure: "change"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a measure that looks at other months is ranked: %v", err)
	}
	if trend, err := x.Trend(t.Context(), northwind, insight.TrendRequest{Measure: "rest"}); err != nil || len(trend.Points) != 14 {
		t.Errorf("trend: %+v %v", trend, err)
	}
	if a, err := x.Anomalies(t.Context(), northwind, insight.AnomalyRequest{Measures: []string{"rest"}, By: "client"}); err != nil || a.Judged != 6 {
		t.Errorf("anomalies: %+v %v", a, err)
	}
	c, err := x.Correlate(t.Context(), northwind, insight.CorrelationRequest{Measures: []string{"rest", "revenue"}, By: "client"})
	if err != nil || len(c.Pairs) != 1 || c.Pairs[0].N != 6 {
		t.Errorf("correlation: %+v %v", c, err)
	}
}
