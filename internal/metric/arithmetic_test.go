package metric_test

import (
	"testing"

	"github.com/shopspring/decimal"

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
	fee := map[string]string{"revenue": "3000", "recurring_revenue": "3000", "hours_worked": "20", "direct_cost": "700", "product_value": "1000", "months": "1", "labor_cost": "1040"}
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	check("hourly rate, gross", of("gross_hourly_rate", fee), "150")
	check("hourly rate, less product cost", of("effective_hourly_rate", fee), "115")
	check("hourly rate, less product retail value", of("labor_hourly_rate", fee), "100")
	check("efficiency at 100 an hour", of("agreement_efficiency", map[string]string{"recurring_revenue": "3000", "product_value": "0", "months": "1", "shadow_billable": "2000"}), "1.5")
	check("efficiency at 200 an hour", of("agreement_efficiency", map[string]string{"recurring_revenue": "3000", "product_value": "0", "months": "1", "shadow_billable": "4000"}), "0.75")
	check("agreement profit", of("gross_profit", fee), "1260")
	check("agreement margin", of("gross_margin", fee), "0.42")
	check("utilization", of("utilization", map[string]string{"hours_worked": "132", "capacity_hours": "144"}), "0.9167")
	check("billable utilization", of("billable_utilization", map[string]string{"billable_hours": "108", "capacity_hours": "144"}), "0.75")
	check("days sales outstanding", of("dso", map[string]string{"receivables": "50000", "revenue": "200000", "tax": "0", "days": "30"}), "7.5")
	check("margin without revenue", of("gross_margin", map[string]string{"revenue": "0", "labor_cost": "1", "direct_cost": "0"}), "none")

	price, _ := metric.RepriceForMargin(dec("1740"), dec("0.50"))
	check("reprice to 50 %", price.String(), "3480")
	check("reprice to efficiency 1.0", metric.RepriceForEfficiency(dec("20").Mul(dec("150")), dec("1000"), dec("1")).String(), "4000")
	budget, _ := metric.HourBudget(dec("3000"), dec("135"), dec("0.25"))
	check("hour budget", budget.Round(2).String(), "5.56")
	reactive, _ := metric.ReactiveHours(dec("100"), dec("62.5"), dec("250"))
	check("reactive hours per endpoint", reactive.String(), "0.25")
	r := metric.Retention{Start: dec("100000"), New: dec("12000"), Expansion: dec("9000"), Contraction: dec("3000"), Churn: dec("4000")}
	gross, net, _ := r.Rates()
	check("recurring revenue at the end", r.End().String(), "114000")
	check("gross retention", gross.String(), "0.93")
	check("net retention", net.String(), "1.02")
	hhi, _ := metric.Herfindahl([]quantity.Decimal{dec("40"), dec("25"), dec("15"), dec("10"), dec("10")})
	check("concentration", hhi.String(), "0.265")
	onRevenue, onMargin, _ := metric.Payback(dec("32000"), dec("2500"), dec("0.45"))
	check("payback on revenue", onRevenue.Round(1).String(), "12.8")
	check("payback on margin", onMargin.Round(1).String(), "28.4")
}

func TestFormulasWithoutADenominatorHaveNoValue(t *testing.T) {
	t.Parallel()
	if _, ok := metric.RepriceForMargin(dec("100"), dec("1")); ok {
		t.Error("a margin of 100 % has a price")
	}
	if _, ok := metric.HourBudget(dec("100"), dec("0"), dec("0.25")); ok {
		t.Error("a rate of 0 has a budget")
	}
	if _, ok := metric.ReactiveHours(dec("1"), dec("1"), dec("0")); ok {
		t.Error("no endpoints have hours per endpoint")
	}
	if _, ok := metric.ReactiveHours(dec("0"), dec("0"), dec("5")); ok {
		t.Error("no tickets have hours per ticket")
	}
	if _, _, ok := (metric.Retention{New: dec("5")}).Rates(); ok {
		t.Error("nothing at the start was retained")
	}
	if _, _, ok := metric.Payback(dec("1"), dec("5"), dec("-0.1")); ok {
		t.Error("a negative margin pays back")
	}
	if _, ok := metric.Herfindahl([]quantity.Decimal{dec("-5"), dec("0")}); ok {
		t.Error("credits alone are concentrated")
	}
}
