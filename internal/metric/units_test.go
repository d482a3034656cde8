package metric_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func TestUnitsOfFormulas(t *testing.T) {
	t.Parallel()
	c := metric.New(nil, metric.Options{})
	for formula, want := range map[string]quantity.Unit{
		"revenue": "money", "revenue - labor_cost": "money", "revenue * 1.1": "money", "revenue + 100": "money", "revenue - $100": "money", "-revenue": "money",
		"revenue / hours_worked": "money_per_hour", "hours_worked * labor_cost_rate": "money", "revenue / labor_cost": "ratio", "gross_margin - 45%": "ratio", "1 - gross_margin": "ratio",
		"mrr": "money_per_month", "mrr * months": "money", "revenue / months": "money_per_month", "revenue / active_clients": "money_per_count", "hours_worked / ticket_count": "hours_per_count",
		"ticket_count / endpoints": "per_endpoint", "rolling(ticket_count / endpoints, 12)": "per_endpoint", "endpoints / active_clients": "ratio", "receivables / revenue * days": "days",
		"hours_worked / days": "hours_per_day", "ticket_count / hours_worked": "count_per_hour", "1 / hours_worked": "1_per_hour", "hours_worked * hours_worked / hours_worked": "hours",
		"ratio(labor_cost, revenue)": "ratio", "per(revenue, hours_worked)": "money_per_hour", "sum(labor_cost, direct_cost)": "money", "if(gross_margin < 20%, revenue, 0)": "money",
		"if(revenue > 5 and not (hours_worked < 1 or gross_margin = 0), 1, 0)": "ratio", "coalesce(revenue / hours_worked, 0)": "money_per_hour", "max(gross_margin, 0)": "ratio",
		"lag(revenue, 3)": "money", "growth(revenue, 1)": "ratio", "yoy(hours_worked)": "ratio", "cumulative(revenue)": "money", "percentile(gross_margin, client, 0.5)": "ratio",
		"share(revenue)": "ratio", "hhi(hours_worked, staff)": "ratio", "top_share(revenue, client, 3)": "ratio", "rank(revenue)": "count", "round(revenue / 7, 2)": "money",
	} {
		if got, err := c.InferredUnit(formula); err != nil || got != want {
			t.Errorf("%s: got %q %v, want %q", formula, got, err, want)
		}
	}
	for formula, says := range map[string]string{
		"revenue + hours_worked":                 "revenue is an amount of money and hours_worked is hours: value the hours first (hours_worked * labor_cost_rate)",
		"hours_worked - revenue":                 "value the hours first (hours_worked * labor_cost_rate)",
		"mrr + revenue":                          "multiply mrr by months",
		"revenue - gross_margin":                 "multiply by the ratio instead",
		"revenue > hours_worked":                 "do not go together",
		"revenue > 5":                            "true or false",
		"revenue * revenue":                      "no unit",
		"hours_worked * hours_worked":            "no unit",
		"ratio(revenue, hours_worked)":           "per(revenue, hours_worked)",
		"share(gross_margin)":                    "ratios are not added",
		"if(revenue, 1, 2)":                      "not a condition",
		"if(revenue > 5, revenue, hours_worked)": "do not go together",
		"sum(revenue, ticket_count)":             "do not go together",
		"revenue + (hours_worked > 5)":           "not a number",
		"revenue and hours_worked":               "not a condition",
		"lag(5)":                                 "needs a measure",
		"revenue < 20%":                          "do not go together",
		"lag(revenue, 0)":                        "whole number of 1 to 120",
		"rolling(revenue)":                       "has 1 arguments",
		"rolling(revenue, hours_worked)":         "whole number",
		"percentile(revenue, client, 50)":        "0 to 1",
		`cumulative(revenue, "week")`:            "period",
		"round(revenue, 1.5)":                    "whole number",
		`revenue + "a"`:                          "not allowed",
		"revenue ** 2":                           "not an operator",
		"revenue[0]":                             "not allowed",
		"len(revenue)":                           "no function",
		"client":                                 "not a measure",
		strings.Repeat("(", 60) + "revenue":      "cannot be read",
		strings.Repeat("-", 100) + "revenue":     "deep",
		strings.Repeat("revenue + ", 300) + "1":  "longer than",
		strings.Repeat("tax + ", 300) + "1":      "deep",
		"0.1234567890123456789 * revenue":        "",
	} {
		_, err := c.InferredUnit(formula)
		if says == "" {
			continue
		}
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), says) {
			t.Errorf("%.40s: got %v, want %q", formula, err, says)
		}
	}
}

// The built-in formulas give the units that the catalog declares.
func TestTheCatalogDeclaresTheUnitsOfItsFormulas(t *testing.T) {
	t.Parallel()
	c := metric.New(nil, metric.Options{})
	for _, m := range c.Measures() {
		if m.Expr == "" || m.Special != "" { // a median is in the unit of its values
			continue
		}
		got, err := c.InferredUnit(m.Expr)
		if at := slices.Index(perThing, m.Name); at >= 0 {
			if err == nil && got == m.Unit {
				t.Errorf("%s needs no exception: it is in %s", m.Name, got)
			}
			continue
		}
		if err != nil || got != m.Unit {
			t.Errorf("%s = %s: declared %s, inferred %s %v", m.Name, m.Expr, m.Unit, got, err)
		}
	}
}

// perThing are the measures whose label says per what (a ticket, an endpoint, a year) and
// whose unit is that of what is counted, as people read it: "cost per ticket, 62 dollars".
var perThing = []string{"arpu", "arr", "average_fte", "backlog_days", "break_even_hours", "cac", "client_lifetime", "client_tenure", "cost_per_endpoint", "cost_per_ticket", "days_beyond_terms", "effective_clients", "endpoints_per_tech", "hour_budget_at_margin", "hours_per_reactive_ticket", "hours_per_ticket", "license_waste_year", "ltv", "mrr_per_endpoint", "payback_on_margin", "payback_on_revenue", "reactive_hours_per_endpoint", "reactive_tickets_per_endpoint", "revenue_per_employee", "tickets_per_endpoint", "touches_per_ticket"}

func FuzzFormula(f *testing.F) {
	c := metric.New(nil, metric.Options{})
	for _, s := range []string{"revenue / hours_worked", "if(gross_margin < 20%, lag(revenue, 1), $5)", "percentile(revenue, client, 0.9) - 5 EUR", `cumulative(revenue, "period")`, "sum(1,2", "hhi(revenue, client", "percent(1)", "money(money(1))", "if", "let x = 1; x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if u, err := c.InferredUnit(text); err != nil && fault.KindOf(err) != fault.Invalid || err == nil && u == "" {
			t.Errorf("%q: %q %v", text, u, err)
		}
	})
}

func FuzzWhere(f *testing.F) {
	c := metric.New(nil, metric.Options{})
	for _, s := range []string{`client in ("A", "B") and month >= 2026-01 and gross_margin < 20%`, `not (client = "X") or revenue > $5000`, `segment = "Key"`, `attribute["a"] contains "x"`, `share(revenue) > 5 % and 5 EUR < revenue`, "a = 1 2 3", "client = 5000 EUR"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := c.ParseWhere(text); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	})
}
