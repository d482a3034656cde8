package quantity

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
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
