package office

import (
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func TestANumberReadsBackAsItWasToFifteenDigits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`-?[0-9]{1,22}`).Draw(t, "digits")
		c, err := decimal.NewFromString(digits)
		if err != nil {
			t.Skip()
		}
		d := c.Shift(int32(rapid.IntRange(-30, 10).Draw(t, "exponent")))
		x, kept := Number(d)
		back, err := decimal.NewFromString(strconv.FormatFloat(x, 'f', -1, 64))
		if err != nil {
			t.Fatal(err)
		}
		want, _ := decimal.NewFromString(Digits(d))
		switch kept {
		case Exact:
			if !back.Equal(d) {
				t.Fatalf("%s is said to be exact and reads back as %s", d, back)
			}
		case Rounded:
			if back.Equal(d) || !back.Equal(want) || want.Sub(d).Abs().GreaterThan(d.Abs().Shift(-14)) {
				t.Fatalf("%s reads back as %s, want %s", d, back, want)
			}
		case AsText:
			if d.NumDigits() <= SheetDigits && d.Exponent() >= -22 && d.Exponent() <= 0 {
				t.Fatalf("%s would be held as a number", d)
			}
		}
	})
}

func TestFormatsOfUnits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, got, want string }{
		{"money under a head that names the currency", Format(quantity.Money, ""), "#,##0.00"},
		{"money with a sign", Format(quantity.Money, "USD"), `"$"#,##0.00;-"$"#,##0.00`},
		{"money with a code", Format(quantity.Money, "CHF"), "\"CHF\u00a0\"#,##0.00;-\"CHF\u00a0\"#,##0.00"},
		{"a ratio", Format(quantity.Ratio, ""), "0.0%"},
		{"a change of money", ChangeFormat(quantity.Money, "EUR"), `+"€"#,##0.00;-"€"#,##0.00;"€"#,##0.00`},
		{"a change of a ratio", ChangeFormat(quantity.Ratio, ""), `+0.0%" pts";-0.0%" pts";0.0%" pts"`},
		{"an amount a month alone", FullFormat(quantity.MoneyPerMonth, "USD"), `"$"#,##0.00" / month";-"$"#,##0.00" / month"`},
		{"hours alone", FullFormat(quantity.Hours, ""), `#,##0.0" h"`},
		{"an axis in thousands", ShortFormat(quantity.Money, "USD", 60000, 5000), `"$"#,##0,"k";-"$"#,##0,"k";"$"0`},
		{"an axis in half millions", ShortFormat(quantity.Money, "USD", 2e6, 5e5), `"$"#,##0.0,,"M";-"$"#,##0.0,,"M";"$"0`},
		{"an axis of many things", ShortFormat(quantity.Count, "", 60000, 5000), `#,##0,"k";-#,##0,"k";0`},
		{"an axis of a ratio in steps of 2.5 points", ShortFormat(quantity.Ratio, "", 0.3, 0.025), "0.0%"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestAnAxisHoldsItsNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Float64Range(-1e9, 1e9).Draw(t, "a"), rapid.Float64Range(-1e9, 1e9).Draw(t, "b")
		low, high, zero := min(a, b), max(a, b), rapid.Bool().Draw(t, "bars")
		s := ScaleOf(low, high, zero)
		near := s.Step * 1e-6
		if s.Step <= 0 || s.Min > low+near || s.Max < high-near || zero && (s.Min > 0 || s.Max < 0) || (s.Max-s.Min)/s.Step > 13 {
			t.Fatalf("%g to %g: %+v", low, high, s)
		}
	})
}

func TestLinesAreNoWiderThanAsked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-zA-Z 漢🦊ש]{0,200}`).Draw(t, "text")
		width := rapid.Float64Range(30, 400).Draw(t, "width")
		lines := Wrap(text, 12, false, width)
		if strings.Join(lines, "") != text {
			t.Fatalf("%q became %q", text, lines)
		}
		for _, l := range lines {
			if Width(strings.TrimRight(l, " "), 12, false) > width+0.01 {
				t.Fatalf("%q is wider than %g", l, width)
			}
		}
	})
}
