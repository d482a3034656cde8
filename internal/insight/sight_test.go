package insight_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// as is northwind as somebody with rights asks.
func as(r tenant.Rights) tenant.Scope {
	slices.Sort(r.Clients)
	slices.Sort(r.Hidden)
	r.Role = "limited"
	return tenant.Scope{Tenant: northwind.Tenant, Actor: "user:7", Rights: &r}
}

// everything asks for all that the package can tell; a client of those asked for is named.
func everything(t *testing.T, x *world, scope tenant.Scope, client string) map[string]string {
	t.Helper()
	ctx, none := t.Context(), quantity.Period{}
	b := insight.NewBenchmarks(x.Service, metric.NewSettings(x.db, audit.New(clock), clock), x.db, audit.New(clock), clock)
	explain := func(measure, where, versus string, by ...string) func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) {
			return x.Explain(ctx, scope, insight.ExplainRequest{Measure: measure, Where: where, Versus: versus, By: by})
		}
	}
	its := fmt.Sprintf("client = %q", client)
	out := map[string]string{}
	for name, ask := range map[string]func(context.Context) (any, error){
		"findings":            func(ctx context.Context) (any, error) { return x.Analyze(ctx, scope, none) },
		"revenue":             explain("revenue", "", "previous"),
		"revenue of one":      explain("revenue", its, "previous"),
		"hours by person":     explain("hours_worked", "", "previous", "staff"),
		"profit":              explain("gross_profit", "", "previous"),
		"margin to portfolio": explain("gross_margin", its, "portfolio"),
		"rate to portfolio":   explain("gross_hourly_rate", its, "portfolio"),
		"concentration":       explain("client_concentration", "", "previous"),
		"rank by revenue": func(ctx context.Context) (any, error) {
			return x.Rank(ctx, scope, insight.RankRequest{Measure: "revenue"})
		},
		"rank by margin": func(ctx context.Context) (any, error) {
			return x.Rank(ctx, scope, insight.RankRequest{Measure: "gross_margin"})
		},
		"rank by hours": func(ctx context.Context) (any, error) {
			return x.Rank(ctx, scope, insight.RankRequest{Measure: "hours_worked"})
		},
		"series": func(ctx context.Context) (any, error) {
			return x.Series(ctx, scope, insight.SeriesRequest{Measure: "revenue"})
		},
		"trend of cost": func(ctx context.Context) (any, error) {
			return x.Trend(ctx, scope, insight.TrendRequest{Measure: "labor_cost"})
		},
		"anomalies": func(ctx context.Context) (any, error) { return x.Anomalies(ctx, scope, insight.AnomalyRequest{}) },
		"anomalies by client": func(ctx context.Context) (any, error) {
			return x.Anomalies(ctx, scope, insight.AnomalyRequest{Measures: []string{"revenue"}, By: "client"})
		},
		"correlation": func(ctx context.Context) (any, error) {
			return x.Correlate(ctx, scope, insight.CorrelationRequest{Measures: []string{"revenue", "hours_worked"}, By: "client"})
		},
		"prices":          func(ctx context.Context) (any, error) { return x.Reprices(ctx, scope, insight.RepriceRequest{}) },
		"seats to return": func(ctx context.Context) (any, error) { return x.Reclaims(ctx, scope, quantity.Day{}) },
		"cash":            func(ctx context.Context) (any, error) { return x.Cash(ctx, scope, quantity.Day{}) },
		"noise":           func(ctx context.Context) (any, error) { return x.Noise(ctx, scope, period(t, "2026-01", "2026-07")) },
		"recurring tickets": func(ctx context.Context) (any, error) {
			return x.Recurring(ctx, scope, period(t, "2026-01", "2026-07"))
		},
		"tickets at risk": func(ctx context.Context) (any, error) { return x.TicketsAtRisk(ctx, scope, "") },
		"speed": func(ctx context.Context) (any, error) {
			return x.Speed(ctx, scope, client, period(t, "2026-01", "2026-07"))
		},
		"risks of clients":  func(ctx context.Context) (any, error) { return x.ClientRisks(ctx, scope, none) },
		"risks of projects": func(ctx context.Context) (any, error) { return x.ProjectRisks(ctx, scope, quantity.Day{}) },
		"staffing":          func(ctx context.Context) (any, error) { return x.Staffing(ctx, scope, period(t, "2025-07", "2026-07")) },
		"missing time": func(ctx context.Context) (any, error) {
			return x.MissingTime(ctx, scope, period(t, "2026-01", "2026-07"))
		},
		"the books": func(ctx context.Context) (any, error) {
			return x.Reconcile(ctx, scope, period(t, "2026-01", "2026-07"))
		},
		"sure of licenses": func(ctx context.Context) (any, error) {
			return x.SureOfLicenses(ctx, scope, quantity.NewDay(2026, 7, 1), client)
		},
		"what rules find": func(ctx context.Context) (any, error) {
			found, _, err := x.RuleFindings(ctx, scope, map[string]quantity.Period{"Spends": period(t, "2026-01", "2026-07"), "Earns": period(t, "2026-01", "2026-07")})
			return found, err
		},
		"benchmarks of client": func(ctx context.Context) (any, error) {
			return b.Benchmark(ctx, scope, insight.BenchmarkRequest{Client: client})
		},
		"benchmarks of firm": func(ctx context.Context) (any, error) { return b.Benchmark(ctx, scope, insight.BenchmarkRequest{}) },
	} {
		v, err := ask(ctx)
		if err != nil {
			if k := fault.KindOf(err); k == fault.Internal || k == fault.Canceled {
				t.Errorf("%s: %v", name, err)
			}
			out[name] = fmt.Sprintf("%s: %v", fault.KindOf(err), err)
			continue
		}
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		out[name] = text.String()
	}
	return out
}

func TestWhoSeesAPartIsToldNothingOfTheRest(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	dir, _ := msp(t, sample.MSPOptions{Clients: 9, Months: 14})
	x.load(t, dir)
	r, err := x.metrics.Run(t.Context(), northwind, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Period: period(t, "2026-01", "2026-07"), Order: []string{"-revenue"}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, row := range r.Rows {
		names = append(names, row[0].(string))
	}
	for name, condition := range map[string]string{"Spends": "labor_cost > 0", "Earns": "revenue > 0"} {
		if _, err := x.metrics.PutRule(t.Context(), northwind, metric.Rule{Name: name, Condition: condition, Dimension: "client"}, true); err != nil {
			t.Fatal(err)
		}
	}
	all := everything(t, x, northwind, names[1])
	refused := func(told map[string]string) (out []string) {
		for name, text := range told {
			if strings.HasPrefix(text, "forbidden") {
				out = append(out, name)
			}
		}
		slices.Sort(out)
		return out
	}
	if got := refused(all); len(got) > 0 {
		t.Errorf("the owner is refused %q", got)
	}
	t.Run("of other clients", func(t *testing.T) {
		visible := []string{names[1], names[3], names[4], names[5]}
		others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(visible, n) })
		others = append(others, "Northwind Managed IT")
		named := func(told map[string]string) (out []string) {
			for name, text := range told {
				if slices.ContainsFunc(others, func(other string) bool { return strings.Contains(text, other) }) {
					out = append(out, name)
				}
			}
			slices.Sort(out)
			return out
		}
		if got := named(all); len(got) < 10 {
			t.Errorf("the owner is told of them by %q only: the test sees nothing", got)
		}
		told := everything(t, x, as(tenant.Rights{Clients: visible}), names[1])
		if got := named(told); len(got) > 0 {
			t.Errorf("others are named by %q", got)
		}
		if got, want := refused(told), []string{"concentration", "missing time", "staffing", "the books"}; !slices.Equal(got, want) {
			t.Errorf("refused are %q, want %q", got, want)
		}
		sum, err := x.metrics.Run(t.Context(), northwind, metric.Query{Measures: []string{"revenue"}, Where: fmt.Sprintf("client in [%q, %q, %q, %q]", visible[0], visible[1], visible[2], visible[3]), Period: period(t, "2025-07", "2026-07")})
		if err != nil {
			t.Fatal(err)
		}
		e, err := x.Explain(t.Context(), as(tenant.Rights{Clients: visible}), insight.ExplainRequest{Measure: "revenue", Period: period(t, "2025-07", "2026-07")})
		if want := sum.Rows[0][0].(quantity.Decimal); err != nil || e.To.Value == nil || !e.To.Value.Equal(want) {
			t.Errorf("revenue of these is %v, want %v (%v)", e.To.Value, want, err)
		}
	})
	t.Run("of cost and margin", func(t *testing.T) {
		var figures []string
		for _, q := range []metric.Query{{Dimensions: []string{"client"}}, {Dimensions: []string{"month"}}, {}} {
			q.Measures = []string{"labor_cost", "direct_cost", "gross_profit", "license_cost", "license_waste_year"}
			for _, q.Period = range []quantity.Period{period(t, "2025-07", "2026-07"), period(t, "2026-01", "2026-07")} {
				r, err := x.metrics.Run(t.Context(), northwind, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range r.Rows {
					for _, v := range row[len(q.Dimensions):] {
						if d, ok := v.(quantity.Decimal); ok && d.Abs().GreaterThan(decimal.NewFromInt(2000)) {
							figures = append(figures, d.Abs().RoundBank(2).String())
						}
					}
				}
			}
		}
		figures = slices.DeleteFunc(figures, func(f string) bool { return !strings.Contains(f, ".") }) // whole amounts are prices, too
		shown := func(told map[string]string) (out []string) {
			for name, text := range told {
				for _, f := range figures {
					if strings.Contains(text, f) {
						out = append(out, name+" "+f)
						break
					}
				}
			}
			slices.Sort(out)
			return out
		}
		if got := shown(all); len(got) < 5 {
			t.Errorf("the owner is shown %q only: the test sees nothing", got)
		}
		told := everything(t, x, as(tenant.Rights{Hidden: []tenant.Class{tenant.Cost, tenant.Margin, tenant.Pay}}), names[1])
		if got := shown(told); len(got) > 0 {
			t.Errorf("hidden figures are shown: %q", got)
		}
		for _, name := range []string{"profit", "margin to portfolio", "rank by margin", "trend of cost", "prices", "seats to return", "the books"} {
			if !strings.HasPrefix(told[name], "forbidden") {
				t.Errorf("%s: %.200s", name, told[name])
			}
		}
		for _, name := range []string{"revenue", "rank by hours", "series", "rate to portfolio", "findings"} {
			if strings.HasPrefix(told[name], "forbidden") {
				t.Errorf("%s: %s", name, told[name])
			}
		}
	})
	t.Run("of people", func(t *testing.T) {
		told := everything(t, x, as(tenant.Rights{Hidden: []tenant.Class{tenant.Personal}}), names[1])
		people, err := x.metrics.Run(t.Context(), northwind, metric.Query{Measures: []string{"hours_worked"}, Dimensions: []string{"staff"}})
		if err != nil {
			t.Fatal(err)
		}
		seen := false
		for _, row := range people.Rows {
			for name, text := range told {
				if strings.Contains(text, row[0].(string)) {
					t.Errorf("%s names %s", name, row[0])
				}
				seen = seen || strings.Contains(all[name], row[0].(string))
			}
		}
		if !seen {
			t.Error("the owner is told no name: the test sees nothing")
		}
	})
}

// A new method that somebody asks fails until it stands here, with a question in everything
// or the reason why none is needed.
func TestEveryMethodOfTheInsightsIsLookedAt(t *testing.T) {
	t.Parallel()
	asked, own, firm := "see everything", "what it returns is not about rows", "for whole firms only"
	checked := map[string]string{
		"Service.Analyze": asked, "Service.Explain": asked, "Service.Rank": asked, "Service.Series": asked, "Service.Trend": asked, "Service.Anomalies": asked, "Service.Correlate": asked,
		"Service.Reprices": asked, "Service.Reclaims": asked, "Service.Cash": asked, "Service.Noise": asked, "Service.Recurring": asked, "Service.TicketsAtRisk": asked, "Service.Speed": asked,
		"Service.ClientRisks": asked, "Service.ProjectRisks": asked, "Service.Staffing": asked, "Service.MissingTime": asked, "Service.Reconcile": asked, "Service.SureOfLicenses": asked, "Service.RuleFindings": asked,
		"Service.Complete": own, "Benchmarks.Benchmark": asked, "Benchmarks.Join": own, "Benchmarks.Leave": own, "Benchmarks.Status": own,
		"Watch.Evaluate": firm, "Watch.History": firm, "Watch.Decide": firm, "Watch.Reviews": firm, "Watch.Open": firm, "Watch.Hit": firm,
	}
	scope := reflect.TypeFor[tenant.Scope]()
	for _, of := range []reflect.Type{reflect.TypeFor[*insight.Service](), reflect.TypeFor[*insight.Benchmarks](), reflect.TypeFor[*insight.Watch]()} {
		for i := range of.NumMethod() {
			m, name := of.Method(i), of.Elem().Name()+"."+of.Method(i).Name
			for at := range m.Type.NumIn() {
				if m.Type.In(at) == scope && checked[name] == "" {
					t.Errorf("%s takes a scope: say here what keeps it to the rights of who asks", name)
				}
			}
			delete(checked, name)
		}
	}
	for name := range checked {
		t.Errorf("there is no method %s", name)
	}
	part := as(tenant.Rights{Clients: []string{"Harbor Dental"}})
	w := &insight.Watch{}
	_, evaluate := w.Evaluate(t.Context(), part)
	_, history := w.History(t.Context(), part, "", 10, 0)
	_, reviews := w.Reviews(t.Context(), part, "open", 10, 0)
	_, open := w.Open(t.Context(), part)
	_, hit := w.Hit(t.Context(), part, "1")
	for name, err := range map[string]error{"evaluate": evaluate, "history": history, "reviews": reviews, "open": open, "hit": hit, "decide": w.Decide(t.Context(), part, "1", insight.VerdictDismissed, "")} {
		if fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s in part: %v", name, err)
		}
	}
}
