package stats_test

import (
	"fmt"
	"math"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func ExampleFindShocks() {
	// Tickets of ten clients over three years; the fourth has a bad last month.
	var clients [][]float64
	for c := range 10 {
		y := make([]float64, 36)
		for i := range y {
			wobble := math.Sin(float64(7*i*i + 3*c)) // stands for noise
			y[i] = float64(50+10*c) * (1 + 0.2*math.Sin(2*math.Pi*float64(i)/12) + 0.05*wobble)
		}
		clients = append(clients, y)
	}
	clients[3][35] *= 1.6
	finds, judged, err := stats.FindShocks(clients, 12, stats.Window{Spikes: 1, Shifts: 12}, 0.1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(judged, "series judged")
	for _, f := range finds {
		fmt.Printf("series %d, month %d: a %s of %+.0f\n", f.Series, f.At, f.Kind, f.Size)
	}
	// Output:
	// 10 series judged
	// series 3, month 35: a spike of +51
}

func ExampleTrendWithMemory() {
	hours := []float64{102, 98, 105, 107, 103, 110, 112, 108, 115, 117, 113, 121}
	trend, err := stats.TrendWithMemory(hours, 0.9)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.1f hours a month (%.1f to %.1f), p %.1g\n", trend.Estimate, trend.Low, trend.High, trend.P)
	// Output:
	// 1.7 hours a month (1.6 to 2.0), p 0.0005
}
