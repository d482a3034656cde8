package stats_test

import (
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// The margin of a client that is to be expected, and how probable it is that it loses money.
func ExampleRatioInterval() {
	profit := []float64{300, -150, 420, 80, -60, 510, 240, -200, 330, 150, 90, 270}
	revenue := []float64{2000, 2000, 2100, 2000, 2050, 2100, 2000, 2000, 2100, 2000, 2000, 2050}
	margin, err := stats.RatioInterval(profit, revenue, 0.9)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.1f %%, %.1f to %.1f %%, below zero with %.0f %%\n", 100*margin.Estimate, 100*margin.Low, 100*margin.High, 100*margin.Below(0))
	// Output: 8.1 %, 0.5 to 15.8 %, below zero with 4 %
}

// Two measures that both grow with the firm.
func ExampleCorrelateSeries() {
	tickets := []float64{40, 43, 41, 47, 46, 52, 50, 55, 57, 56, 61, 63}
	revenue := []float64{20, 22, 25, 24, 28, 29, 33, 32, 35, 39, 38, 42}
	c, err := stats.CorrelateSeries(tickets, revenue, 0.9)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("r %.2f, of the steps %.2f\n", c.Pearson.Estimate, c.Changes.Estimate)
	for _, w := range c.Warnings {
		fmt.Println(w.Code)
	}
	// Output:
	// r 0.94, of the steps -0.85
	// common_trend
	// memory
}

// A client with three surveys, all good, beside the others.
func ExampleLearnShares() {
	good, surveys := []int{3, 18, 9, 27, 14, 40, 7}, []int{3, 20, 12, 30, 15, 48, 9}
	group, err := stats.LearnShares(good, surveys)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := group.Posterior(3, 3, 0.9)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("raw 100 %%, shrunken %.0f %%, %.0f to %.0f %%\n", 100*p.Estimate, 100*p.Low, 100*p.High)
	// Output: raw 100 %, shrunken 87 %, 76 to 95 %
}

// The change of hours × rate from 100 × 50 to 130 × 54.
func ExampleAttribute() {
	hours, rate := []string{"100", "130"}, []string{"50", "54"}
	a, err := stats.Attribute(2, func(m uint) (quantity.Decimal, bool) {
		return dec(hours[m&1]).Mul(dec(rate[m>>1&1])), true
	}, stats.Sampling{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.Parts[0], a.Parts[1])
	// Output: 1560 460
}

// How long tickets stay open when some still are.
func ExampleKaplanMeier() {
	days := []float64{1, 2, 2, 3, 4, 6, 7, 9, 12, 15, 20, 30}
	open := []bool{false, false, false, false, true, false, false, true, false, false, true, true}
	s, err := stats.KaplanMeier(days, open, 0.9)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("half are done in %.0f days, %.0f to %.0f\n", s.Median.Estimate, s.Median.Low, s.Median.High)
	// Output: half are done in 7 days, 2 to 15
}
