package insight

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func d(s string) quantity.Decimal { return decimal.RequireFromString(s) }

func cellOf(pairs ...string) cell {
	c := cell{}
	for i := 0; i < len(pairs); i += 2 {
		c[pairs[i]] = d(pairs[i+1])
	}
	return c
}

func formulaFor(t interface {
	Helper()
	Fatal(...any)
}, name string) formula {
	t.Helper()
	f, err := formulaOf(metric.New(nil, metric.Options{}), name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func contributions(c change) map[string]string {
	out := map[string]string{}
	for _, driver := range c.drivers {
		out[driver.Name] = driver.Contribution.String()
	}
	return out
}

func TestAttributeByHand(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, measure string
		from, to      cell
		change        string
		want          map[string]string
	}{
		{
			// The labor bridge of the domain reference: hours 1,560 + rate 460.
			name: "labor bridge", measure: "labor_cost",
			from: cellOf("hours_worked", "100", "labor_cost", "5000"), to: cellOf("hours_worked", "130", "labor_cost", "7020"),
			change: "2020", want: map[string]string{"hours_worked": "1560", "labor_cost_rate": "460"},
		},
		{
			// Revenue and vendor cost move profit one to one, labor as in the bridge.
			name: "profit", measure: "gross_profit",
			from:   cellOf("revenue", "10000", "hours_worked", "100", "labor_cost", "5000", "direct_cost", "1000"),
			to:     cellOf("revenue", "11000", "hours_worked", "130", "labor_cost", "7020", "direct_cost", "1300"),
			change: "-1320", want: map[string]string{"revenue": "1000", "hours_worked": "-1560", "labor_cost_rate": "-460", "direct_cost": "-300"},
		},
		{
			// Margin 1 - 5000/10000 to 1 - 5000/20000; only revenue moved.
			name: "only revenue moves the margin", measure: "gross_margin",
			from:   cellOf("revenue", "10000", "hours_worked", "100", "labor_cost", "5000", "direct_cost", "0"),
			to:     cellOf("revenue", "20000", "hours_worked", "100", "labor_cost", "5000", "direct_cost", "0"),
			change: "0.25", want: map[string]string{"revenue": "0.25", "hours_worked": "0", "labor_cost_rate": "0", "direct_cost": "0"},
		},
		{
			// Two factors: the mean of both orders. 120/100 = 1.2 to 90/150 = 0.6.
			// hours first: 0.9-1.2 = -0.3, last: 0.6-0.8 = -0.2, mean -0.25.
			name: "utilization", measure: "utilization",
			from: cellOf("hours_worked", "120", "capacity_hours", "100"), to: cellOf("hours_worked", "90", "capacity_hours", "150"),
			change: "-0.6", want: map[string]string{"hours_worked": "-0.25", "capacity_hours": "-0.35"},
		},
		{
			// 10 of 50 seats at 20 to 30 of 60 at 22: waste 200 to 660. By hand over the six
			// orders of purchased (+10), in use (40 to 30) and cost (+2).
			name: "license waste", measure: "license_waste",
			from:   cellOf("seats_purchased", "50", "wasted_seats", "10", "license_waste", "200"),
			to:     cellOf("seats_purchased", "60", "wasted_seats", "30", "license_waste", "660"),
			change: "460", want: map[string]string{"seats_purchased": "210", "seats_in_use": "210", "unit_cost": "40"},
		},
		{
			// No hours before: the rate is the same on both sides, all of it is hours.
			name: "new work", measure: "labor_cost",
			from: cellOf("hours_worked", "0", "labor_cost", "0"), to: cellOf("hours_worked", "10", "labor_cost", "450"),
			change: "450", want: map[string]string{"hours_worked": "450", "labor_cost_rate": "0"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, reason := formulaFor(t, tc.measure).attribute(tc.from, tc.to)
			if reason != "" {
				t.Fatal(reason)
			}
			if !c.change.Equal(d(tc.change)) {
				t.Errorf("change = %s, want %s", c.change, tc.change)
			}
			if diff := cmp.Diff(tc.want, contributions(c)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAttributeSaysWhyNot(t *testing.T) {
	t.Parallel()
	full := cellOf("revenue", "100", "hours_worked", "1", "labor_cost", "50", "direct_cost", "0")
	empty := cellOf("revenue", "0", "hours_worked", "1", "labor_cost", "50", "direct_cost", "0")
	margin := formulaFor(t, "gross_margin")
	if _, reason := margin.attribute(empty, full); reason != "gross_margin has no value in the period before" {
		t.Errorf("before: %q", reason)
	}
	if _, reason := margin.attribute(full, empty); reason != "gross_margin has no value in the period" {
		t.Errorf("after: %q", reason)
	}
	if _, reason := margin.attribute(full, cellOf("revenue", "100")); reason == "" {
		t.Error("a margin without labor cost was explained")
	}
	if c, reason := formulaFor(t, "gross_profit").attribute(empty, full); reason != "" || !c.change.Equal(d("100")) {
		t.Errorf("profit: %s, %q", c.change, reason)
	}
}

// Whatever the cells, the contributions are the change to the last decimal kept.
func TestContributionsAddUp(t *testing.T) {
	t.Parallel()
	for _, measure := range []string{"labor_cost", "gross_profit", "gross_margin", "effective_hourly_rate", "utilization", "billable_utilization", "license_utilization", "license_waste", "overdeploy_exposure", "sla_attainment"} {
		f := formulaFor(t, measure)
		t.Run(measure, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				draw := func(label string) cell {
					c := cell{}
					for _, s := range f.sums {
						c[s] = decimal.New(rapid.Int64Range(1, 9_999_999_999).Draw(t, label+" "+s), -4)
					}
					if purchased, ok := c["seats_purchased"]; ok && f.measure == licenseWaste {
						c[wastedSeats] = decimal.Min(c[wastedSeats], purchased)
					}
					return c
				}
				c, reason := f.attribute(draw("from"), draw("to"))
				if reason != "" {
					t.Fatal(reason)
				}
				sum := quantity.Decimal{}
				for _, driver := range c.drivers {
					sum = sum.Add(driver.Contribution)
				}
				if !sum.Equal(c.change) || !c.from.Add(c.change).Equal(c.to) {
					t.Fatalf("drivers add up to %s, the change is %s (%s to %s)", sum, c.change, c.from, c.to)
				}
			})
		})
	}
}

func TestBreakDown(t *testing.T) {
	t.Parallel()
	before, after := map[string]cell{}, map[string]cell{}
	for i, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		before[name] = cell{"revenue": decimal.New(int64(100*i), 0)}
		after[name] = cell{"revenue": decimal.New(int64(103*i), 0)}
	}
	delete(after, "b")                             // a lost client: -100
	after["new"] = cell{"revenue": d("1000.1234")} // and a new one
	c := breakDown("revenue", quantity.Money, before, after)
	if c.from.String() != "4500" || c.to.String() != "5532.1234" || c.change.String() != "1032.1234" {
		t.Fatalf("from %s to %s: %s", c.from, c.to, c.change)
	}
	got := contributions(c)
	want := map[string]string{"new": "1000.1234", "b": "-100", "j": "27", "i": "24", "h": "21", "g": "18", "f": "15", "e": "12", "3 others": "15"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c.drivers[0].Name != "new" || c.drivers[1].Name != "b" {
		t.Errorf("order: %v", c.drivers)
	}
}

func TestReprice(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, base, cost, margin, price, uplift string }{
		{"fee 3,000, 20 h at 52, vendor 700, to 50 %", "3000", "1740", "0.50", "3480", "16.0%"},
		{"already there", "2000", "1000", "0.50", "2000", "0.0%"},
		{"to 45 %", "1000", "1100", "0.45", "2000", "100.0%"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			price, uplift := reprice(d(tc.base), d(tc.cost), d(tc.margin))
			if !price.Equal(d(tc.price)) || percent(uplift) != tc.uplift {
				t.Errorf("%s, %s; want %s, %s", price, percent(uplift), tc.price, tc.uplift)
			}
		})
	}
}
