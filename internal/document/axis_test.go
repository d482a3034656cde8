package document

import (
	"math"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func TestTicksAreNiceExactAndEachItsOwn(t *testing.T) {
	for _, c := range []struct {
		name, low, high string
		unit            quantity.Unit
		wanted          int
		want            []string
	}{
		{"whole percents", "0.31", "0.413", quantity.Ratio, 6, []string{"30%", "32%", "34%", "36%", "38%", "40%", "42%"}},
		{"tenths of percents", "0.3101", "0.3117", quantity.Ratio, 4, []string{"31.0%", "31.1%", "31.2%"}},
		{"thousands as the largest is written", "-2500", "18500.5", quantity.Money, 5, []string{"−$5k", "$0", "$5k", "$10k", "$15k", "$20k"}},
		{"below ten thousand", "0", "7100", quantity.Money, 5, []string{"$0", "$2,000", "$4,000", "$6,000", "$8,000"}},
		{"cents", "0", "0.04", quantity.Money, 5, []string{"$0.00", "$0.01", "$0.02", "$0.03", "$0.04"}},
		{"no half things", "0", "2", quantity.Count, 6, []string{"0", "1", "2"}},
		{"nothing but zero", "0", "0", quantity.Count, 4, []string{"0", "1"}},
		{"all equal", "7", "7", quantity.Count, 4, []string{"0", "2", "4", "6", "8"}},
		{"finer than is written", "0.000001", "0.000002", quantity.Money, 4, []string{"$0.00", "$0.01"}},
		{"huge", "0", "1e15", quantity.Money, 2, []string{"$0", "$500,000bn", "$1,000,000bn"}},
		{"half millions", "0", "1900000", quantity.Money, 5, []string{"$0", "$0.5M", "$1M", "$1.5M", "$2M"}},
		{"below zero only", "-0.2", "-0.12", quantity.Ratio, 4, []string{"−20%", "−18%", "−16%", "−14%", "−12%"}},
	} {
		low, _ := quantity.ParseDecimal(c.low)
		high, _ := quantity.ParseDecimal(c.high)
		_, _, out := ticks(low, high, c.unit, "USD", c.wanted)
		var got []string
		for _, k := range out {
			got = append(got, k.label)
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: got %q, want %q", c.name, got, c.want)
				break
			}
		}
	}
}

func TestTicksOfAnyRange(t *testing.T) {
	units := []quantity.Unit{quantity.Money, quantity.Ratio, quantity.Count, quantity.Hours, quantity.PerEndpoint}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) quantity.Decimal {
			return decimal.New(rapid.Int64Range(-1e6, 1e6).Draw(t, name), int32(rapid.IntRange(-9, 12).Draw(t, name+" power")))
		}
		a, b, wanted := draw("a"), draw("b"), rapid.IntRange(2, 8).Draw(t, "wanted")
		unit := rapid.SampledFrom(units).Draw(t, "unit")
		low, high, out := ticks(decimal.Min(a, b), decimal.Max(a, b), unit, "CHF", wanted)
		if low.GreaterThan(decimal.Min(a, b)) || high.LessThan(decimal.Max(a, b)) {
			t.Fatalf("%s to %s does not hold %s and %s", low, high, a, b)
		}
		if len(out) < 2 || len(out) > wanted+1 || !out[0].value.Equal(low) || !out[len(out)-1].value.Equal(high) {
			t.Fatalf("ticks %v of %s to %s", out, low, high)
		}
		seen := map[string]bool{}
		for i, k := range out {
			if seen[k.label] || !says(k.label, k.value) {
				t.Fatalf("tick %s is written %q among %v", k.value, k.label, out)
			}
			seen[k.label] = true
			if i > 0 && !k.value.Sub(out[i-1].value).Equal(out[1].value.Sub(out[0].value)) {
				t.Fatalf("steps differ: %v", out)
			}
		}
	})
}

func TestALabelThatRoundsDoesNotSayItsTick(t *testing.T) {
	for label, d := range map[string]string{"12.34M": "12342000", "0.0%": "0.0001", "$5": "-5", "$5k": "5", "nothing": "0"} {
		value, _ := quantity.ParseDecimal(d)
		if says(label, value) {
			t.Errorf("%q is taken for %s", label, d)
		}
	}
}

func TestLabelsAreMovedApartAndKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wanted := rapid.SliceOfN(rapid.Float64Range(-50, 250), 1, 20).Draw(t, "wanted")
		at := spread(wanted, 10, 0, 200)
		for i := range at {
			if at[i] < -1e-9 || at[i] > 200+1e-9 {
				t.Fatalf("%g lies outside", at[i])
			}
			for j := range at {
				if i != j && math.Abs(at[i]-at[j]) < 10-1e-6 {
					t.Fatalf("%g and %g are too close: %v", at[i], at[j], at)
				}
				if wanted[i] < wanted[j] && at[i] > at[j] {
					t.Fatalf("%g stands below %g", at[i], at[j])
				}
			}
		}
	})
	if got := spread([]float64{50, 90}, 10, 0, 200); got[0] != 50 || got[1] != 90 {
		t.Errorf("labels with room were moved: %v", got)
	}
}
