package metric_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func dec(s string) quantity.Decimal { return decimal.RequireFromString(s) }

// The golden vectors of domain.md 7.2 that are formulas over given numbers.
func TestTheGoldenVectorsOfTheFormulas(t *testing.T) {
	t.Parallel()
	c := metric.New(nil, metric.Options{})
	of := func(name string, inputs map[string]string) string {
		m, err := c.Measure(name)
		if err != nil {
			t.Fatal(err)
		}
		given := map[string]quantity.Decimal{}
		for k, v := range inputs {
			given[k] = dec(v)
		}
		v, ok := c.Evaluate(m, given)
		if !ok {
			return "none"
		}
		return v.Round(4).String()
	}
	fee := map[string]string{"revenue": "3000", "recurring_revenue": "3000", "hours_worked": "20", "direct_cost": "700", "agreement_product_value": "1000", "labor_cost": "1040"}
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	check("hourly rate, gross", of("gross_hourly_rate", fee), "150")
	check("hourly rate, less product cost", of("effective_hourly_rate", fee), "115")
	check("hourly rate, less product retail value", of("labor_hourly_rate", fee), "100")
	check("efficiency at 100 an hour", of("agreement_efficiency", map[string]string{"recurring_revenue": "3000", "agreement_product_value": "0", "shadow_billable": "2000"}), "1.5")
	check("efficiency at 200 an hour", of("agreement_efficiency", map[string]string{"recurring_revenue": "3000", "agreement_product_value": "0", "shadow_billable": "4000"}), "0.75")
	check("agreement profit", of("gross_profit", fee), "1260")
	check("agreement margin", of("gross_margin", fee), "0.42")
	check("utilization", of("utilization", map[string]string{"hours_worked": "132", "capacity_hours": "144"}), "0.9167")
	check("billable utilization", of("billable_utilization", map[string]string{"billable_hours": "108", "capacity_hours": "144"}), "0.75")
	check("days sales outstanding", of("dso", map[string]string{"receivables": "50000", "revenue": "200000", "tax": "0", "days": "30"}), "7.5")
	check("hour budget for a margin of 65 %", of("hour_budget_at_margin", map[string]string{"mrr": "3000", "shadow_billable": "2700", "hours_worked": "20"}), "5.5556")
	desk := map[string]string{"reactive_hours": "62.5", "endpoints": "250", "months": "1", "service_ticket_count": "100", "closed_hours": "62.5", "closed_tickets": "100"}
	check("tickets per endpoint", of("tickets_per_endpoint", desk), "0.4")
	check("hours per ticket", of("hours_per_ticket", desk), "0.625")
	check("reactive hours per endpoint", of("reactive_hours_per_endpoint", desk), "0.25")
	kept := map[string]string{"mrr_start": "100000", "mrr_contraction": "3000", "mrr_churn": "4000", "mrr_expansion": "9000"}
	check("gross retention", of("grr", kept), "0.93")
	check("net retention", of("nrr", kept), "1.02")
	won := map[string]string{"acquisition_cost": "32000", "won_mrr": "2500", "revenue": "100", "labor_cost": "55", "direct_cost": "0"}
	check("payback on revenue", of("payback_on_revenue", won), "12.8")
	check("payback on margin", of("payback_on_margin", won), "28.4444")
	check("margin without revenue", of("gross_margin", map[string]string{"revenue": "0", "labor_cost": "1", "direct_cost": "0"}), "none")

	hhi, _ := metric.Herfindahl([]quantity.Decimal{dec("40"), dec("25"), dec("15"), dec("10"), dec("10")})
	check("concentration", hhi.String(), "0.265")
}

func TestFormulasWithoutADenominatorHaveNoValue(t *testing.T) {
	t.Parallel()
	if _, ok := metric.Herfindahl([]quantity.Decimal{dec("-5"), dec("0")}); ok {
		t.Error("credits alone are concentrated")
	}
}

func TestFastArithmeticIsTheLibrarys(t *testing.T) {
	t.Parallel()
	number := rapid.Custom(func(t *rapid.T) quantity.Decimal {
		coefficient := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1_000_000_000_000, 1_000_000_000_000), rapid.Int64Range(-20, 20)).Draw(t, "coefficient")
		d := decimal.New(coefficient, rapid.Int32Range(-20, 2).Draw(t, "exponent"))
		if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
			d = d.Mul(decimal.New(rapid.Int64().Draw(t, "factor"), -3))
		}
		return d
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		for name, pair := range map[string][2]quantity.Decimal{"+": {metric.Add(a, b), a.Add(b)}, "-": {metric.Subtract(a, b), a.Sub(b)}, "*": {metric.Multiply(a, b), a.Mul(b)}} {
			if !pair[0].Equal(pair[1]) {
				t.Fatalf("%s %s %s = %s, want %s", a, name, b, pair[0], pair[1])
			}
		}
		if !b.IsZero() {
			if got, want := metric.Divide(a, b), a.DivRound(b, metric.DivisionDigits); !got.Equal(want) {
				t.Fatalf("%s / %s = %s, want %s", a, b, got, want)
			}
		}
	})
}
