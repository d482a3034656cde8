package document_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func dec(s string) quantity.Decimal { return decimal.RequireFromString(s) }

// Beside a waterfall stand its levels as they are, and its steps as signed differences: those
// of a ratio are points, no percents.
func TestStepsOfAWaterfallAreSignedDifferences(t *testing.T) {
	for _, c := range []struct {
		name     string
		unit     quantity.Unit
		currency string
		values   []string
		want     []string
	}{
		{"ratio", quantity.Ratio, "", []string{"0.41", "-0.0154", "0.0044", "0.399"}, []string{"41.0%", "−1.5\u00a0pp", "+0.4\u00a0pp", "39.9%"}},
		{"money", quantity.Money, "USD", []string{"100", "-1500.5", "20", "-1380.5"}, []string{"100.00", "−1,500.50", "+20.00", "−1,380.50"}},
	} {
		chart := &document.Chart{Kind: document.Waterfall, Title: c.name, Unit: c.unit, Currency: c.currency, Categories: []string{"before", "price", "mix", "now"}, Totals: []bool{true, false, false, true}}
		line := document.Series{Name: "M"}
		for _, v := range c.values {
			d := dec(v)
			line.Values = append(line.Values, &d)
		}
		chart.Series = []document.Series{line}
		table, got := chart.AsTable(), []string{}
		for _, r := range table.Rows {
			got = append(got, table.Cell(r, 1))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestAnIntervalSaysOfWhatItIs(t *testing.T) {
	i := document.Interval{Low: dec("773.47"), High: dec("868.69"), Level: 0.9, Of: "expected"}
	if got := document.SayInterval(i, quantity.Count, ""); got != "expected 773 to 869 (90% interval)" {
		t.Error(got)
	}
	i.Of, i.Level = "", 0
	if got := document.SayInterval(i, quantity.Count, ""); got != "773 to 869 (sensitivity)" {
		t.Error(got)
	}
}
