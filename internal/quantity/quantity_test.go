package quantity

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

func TestAppendDecimalWritesWhatStringDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := decimal.New(rapid.Int64().Draw(t, "coefficient"), rapid.Int32Range(-30, 5).Draw(t, "exponent"))
		if rapid.Bool().Draw(t, "large") {
			d = d.Mul(d)
		}
		if got := string(AppendDecimal(nil, d)); got != d.String() {
			t.Fatalf("AppendDecimal: %s, String: %s", got, d)
		}
	})
}

func TestAPeriodOfImpossibleYearsIsInvalid(t *testing.T) {
	for _, p := range [][2]string{{"0001-01-01", ""}, {"", "0001"}, {"1899-12", "2026"}, {"2026", "9999-12-31"}, {"", "2201"}} {
		if got, err := ParsePeriod(p[0], p[1]); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "1900 to 2200") {
			t.Errorf("%q to %q: got %v %v, want that it is out of range", p[0], p[1], got, err)
		}
	}
	if p, err := ParsePeriod("1900", "2200-12-31"); err != nil || !p.Bounded() {
		t.Errorf("got %v %v", p, err)
	}
}

func TestPeriodsInWordsNameTheirLastDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, want string }{
		{"2026-06", "2026-07", "June 2026"},
		{"2025-07", "2026-07", "July 2025 to June 2026"},
		{"2026-01-05", "2026-01-19", "2026-01-05 to 2026-01-18"},
		{"2026-01-05", "2026-01-06", "2026-01-05"},
		{"2026-01", "", "2026-01-01 to …"},
	} {
		p, err := ParsePeriod(c.from, c.to)
		if err != nil || p.Words() != c.want {
			t.Errorf("%s to %s is %q, want %q (%v)", c.from, c.to, p.Words(), c.want, err)
		}
	}
}

func TestFloatIsTheNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := decimal.New(rapid.Int64().Draw(t, "coefficient"), int32(rapid.IntRange(-30, 5).Draw(t, "exponent")))
		if got, want := Float(d), d.InexactFloat64(); got != want {
			t.Fatalf("%s is %v, want %v", d, got, want)
		}
	})
}
