package stats_test

import (
	"math"
	"math/rand/v2"
)

// gammaDraw draws from Gamma(shape, 1). Source: Marsaglia & Tsang (2000), ACM TOMS 26.
func gammaDraw(rnd *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gammaDraw(rnd, shape+1) * math.Pow(rnd.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		z := rnd.NormFloat64()
		v := math.Pow(1+c*z, 3)
		if v > 0 && math.Log(1-rnd.Float64()) < z*z/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func betaDraw(rnd *rand.Rand, a, b float64) float64 {
	x, y := gammaDraw(rnd, a), gammaDraw(rnd, b)
	return x / (x + y)
}

// poisson draws a count of the given mean, by its parts where it is large.
func poisson(rnd *rand.Rand, mean float64) int {
	n := 0
	for mean > 20 {
		n, mean = n+poisson(rnd, 20), mean-20
	}
	limit, product := math.Exp(-mean), 1.0
	for {
		product *= rnd.Float64()
		if product <= limit {
			return n
		}
		n++
	}
}
