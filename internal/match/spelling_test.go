package match

import (
	"math"
	"testing"
)

// The published pairs of Winkler (1990).
func TestJaroWinklerAgreesWithThePublishedPairs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{{"MARTHA", "MARHTA", 0.9611}, {"DIXON", "DICKSONX", 0.8133}} {
		if got := jaroWinkler(c.a, c.b); math.Abs(got-c.want) > 0.00005 {
			t.Errorf("%s and %s: %.4f, want %.4f", c.a, c.b, got, c.want)
		}
	}
}
