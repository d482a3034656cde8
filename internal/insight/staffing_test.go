package insight_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// team is Ann, who has 150 and 160 billable hours in turn in the months November 2025 to June
// 2026, and Ben of the same role with 10 contract hours a week and 20 billable a month.
func team(t testing.TB) *world {
	x := newWorld(t)
	var entries strings.Builder
	entries.WriteString("time_entry_id,staff_name,client_name,work_date,hours_worked,billable\n")
	id := 0
	for m := range 8 {
		month := quantity.NewDay(2025, 11, 1).AddMonths(m)
		ann := 15 + m%2
		for i := range ann {
			id++
			fmt.Fprintf(&entries, "%d,Ann,Harbor,%s,10,yes\n", id, month.AddDays(27-i))
		}
		id++
		fmt.Fprintf(&entries, "%d,Ben,Harbor,%s,20,yes\n", id, month.AddDays(27))
	}
	x.text(t, "clients.csv", "client_name,status\nHarbor,active\n")
	x.text(t, "staff.csv", "staff_name,role,cost_rate,weekly_hours,hired_on,valid_from\nAnn,Technician,50,40,2025-01-01,2025-01-01\nBen,Technician,50,10,2025-01-01,2025-01-01\n")
	x.text(t, "time_entries.csv", entries.String())
	return x
}

func TestTheGapOfARoleWithItsIntervalAndPrices(t *testing.T) {
	t.Parallel()
	s, err := team(t).Staffing(t.Context(), northwind, period(t, "2025-11", "2026-07"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Month.String() != "2026-07-01" || !strings.Contains(s.Rule, "last month") || len(s.Roles) != 1 {
		t.Fatalf("%+v", s)
	}
	// July 2026 has 23 weekdays: 184 + 46 hours, of which 75 % are 172.5. Demand is June's, 180.
	g := s.Roles[0]
	if g.Demand.String() != "180" || g.Capacity.String() != "230" || g.Gap.String() != "7.5" || g.People != 2 {
		t.Errorf("%+v", g)
	}
	// The rule was off by 10 hours in each of seven months: t(7; 0.95) = 1.8946.
	if g.Tested != 7 || math.Abs(g.Interval.High.InexactFloat64()-(7.5+18.946)) > 0.01 || math.Abs(g.Interval.Low.InexactFloat64()-(7.5-18.946)) > 0.01 {
		t.Errorf("%d months, %+v", g.Tested, g.Interval)
	}
	// P(T7 < 0.75) = 0.7612.
	if math.Abs(*g.Probability-0.7612) > 0.001 {
		t.Errorf("probability %v", *g.Probability)
	}
	want := map[string][2]string{"shift": {"7.5", "0"}, "hire": {"86.25", "5750"}, "overtime": {"7.5", "562.5"}}
	for _, o := range g.Options {
		if w := want[o.What]; o.Hours.String() != w[0] || o.Cost.String() != w[1] {
			t.Errorf("%s: %s hours for %s, want %v", o.What, o.Hours, o.Cost, w)
		}
		if o.What == "shift" && !strings.Contains(o.Words, "7.5 h to Ben") {
			t.Errorf("shift: %s", o.Words)
		}
		if o.What == "hire" && !strings.Contains(o.Words, "fewer than three have the role") {
			t.Errorf("the pay of two people is shown: %s", o.Words)
		}
	}
	if len(g.Options) != 3 {
		t.Errorf("options: %+v", g.Options)
	}
	// April to June: 470 of 520 hours of capacity, all billable: more than 85 %. Ben has 12.5 free.
	if ann := s.People[0]; ann.Name != "Ann" || !ann.Over || ann.Worked.Round(2).String() != "156.67" || s.People[1].Over {
		t.Errorf("%+v", s.People)
	}
	if len(s.Shifts) != 1 || s.Shifts[0].Hours.String() != "12.5" || !strings.Contains(s.Shifts[0].Words, "from Ann") {
		t.Errorf("%+v", s.Shifts)
	}
}

// The estimand is the gap of the coming month. The generator: demand is normal around the
// forecast with sd 12, as it was in the 12 months before.
func TestTheIntervalOfAGapCovers(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(5, 6))
	inside, worlds := 0, 4000
	for range worlds {
		errors := make([]float64, 12)
		for i := range errors {
			errors[i] = 12 * rnd.NormFloat64()
		}
		low, high := insight.GapInterval(100, 500, errors)
		if next := 100 + 12*rnd.NormFloat64(); next >= low && next <= high {
			inside++
		}
	}
	if share := float64(inside) / float64(worlds); share < 0.88 || share > 0.92 {
		t.Errorf("a nominal 90 %% interval holds %.3f", share)
	}
}
