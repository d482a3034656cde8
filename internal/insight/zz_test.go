package insight_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/sample"
)

func TestZZ(t *testing.T) {
	seed, _ := strconv.Atoi(os.Getenv("SEED"))
	dir, truth := msp(t, sample.MSPOptions{Seed: uint64(seed)})
	x := newWorld(t)
	start := time.Now()
	x.load(t, dir)
	fmt.Println("load", time.Since(start))
	start = time.Now()
	fs := x.analyze(t)
	fmt.Println("analyze", time.Since(start))
	for _, f := range fs {
		fmt.Printf("%-24s %-50s stake %10s score %.2f %-6s rev %v\n   %s\n   -> %s\n   iv %v band %v\n", f.Kind, f.Subject, f.MoneyAtStake, f.Confidence.Score, f.Confidence.Grade, f.ReviewRules, f.Headline, f.Recommendation, f.Interval, f.Band)
		for _, d := range f.Drivers {
			fmt.Printf("      %s %s (%s -> %s)\n", d.Name, d.Contribution, d.From, d.To)
		}
		fmt.Println("     ", f.Confidence.Reasons)
	}
	fmt.Println("LOSS")
	for _, c := range truth.LossClients {
		fmt.Println(c.Client, c.Cause, c.Since, c.GrossMargin)
	}
	fmt.Println("DROP")
	for _, c := range truth.MarginDrops {
		fmt.Println(c.Client, c.Cause, c.Month, c.Before.GrossMargin, c.After.GrossMargin)
	}
	fmt.Println("WASTE")
	for _, c := range truth.WastedLicenses {
		fmt.Println(c.Client, c.Product, c.WasteSeats, c.MonthlyMoney)
	}
	fmt.Println("OVER")
	for _, c := range truth.OverDeployed {
		fmt.Println(c.Client, c.Product, c.OverSeats, c.MonthlyMoney)
	}
	fmt.Println(truth.Overloaded, truth.Underused, truth.LargestClient, truth.RisingVendor, truth.NewClients, truth.LostClients)
}
