package insight

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// Every measure of the catalog has a kind, and with it a method; what they are is derived
// from formula and inputs, so a new measure gets one as well.
func TestEveryMeasureHasAKindOfDoubt(t *testing.T) {
	t.Parallel()
	c := metric.New(nil, metric.Options{})
	known := map[string]string{
		"revenue": kindSum, "gross_profit": kindSum, "labor_cost": kindSum, "hours_worked": kindSum, "credits": kindSum,
		"gross_margin": kindRatio, "utilization": kindRatio, "effective_hourly_rate": kindRatio, "labor_cost_rate": kindRatio, "agreement_efficiency": kindRatio, "dso": kindRatio, "recurring_share": kindRatio,
		"sla_attainment": kindShare, "csat": kindShare,
		"ticket_count": kindCount, "csat_responses": kindCount, "tickets_per_endpoint": kindRate,
		"mrr": kindStock, "endpoints": kindStock, "license_waste": kindStock, "license_utilization": kindStock, "receivables": kindStock, "active_clients": kindStock,
		"client_concentration": kindIndex, "resolution_time": kindQuantile, "first_response_p90": kindQuantile,
	}
	kinds := map[string]int{}
	for _, m := range c.Measures() {
		got := kindOf(c, m)
		kinds[got]++
		if want, ok := known[m.Name]; ok && got != want {
			t.Errorf("%s is a %s, want %s", m.Name, got, want)
		}
	}
	for _, k := range []string{kindSum, kindRatio, kindShare, kindCount, kindRate, kindStock, kindIndex, kindQuantile} {
		if kinds[k] == 0 {
			t.Errorf("no measure is a %s: %v", k, kinds)
		}
	}
	if len(kinds) != 8 {
		t.Errorf("kinds %v", kinds)
	}
}

// year makes twelve months of a client.
func year(of func(month int) cell) series {
	var s series
	for m := range 12 {
		s.months = append(s.months, quantity.NewDay(2025, 1, 1).AddMonths(m))
		s.cells = append(s.cells, of(m))
	}
	return s
}

// The months of a margin, linearized, are those of the ratio interval: the same interval by
// another way.
func TestAFormulaIsLinearizedAsTheRatioItIs(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	s := year(func(int) cell {
		return cell{"revenue": dec(1000 + 300*rnd.Float64()), "labor_cost": dec(500 + 200*rnd.Float64()), "direct_cost": dec(100 * rnd.Float64()), "hours_worked": number(10, 0)}
	})
	of, err := byMonths(formulaFor(t, "gross_margin"), s, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := of(level)
	if err != nil {
		t.Fatal(err)
	}
	num := s.values(func(c cell) quantity.Decimal { n, _ := marginParts(c); return n })
	den := s.values(func(c cell) quantity.Decimal { _, d := marginParts(c); return d })
	want, err := stats.RatioInterval(num, den, level)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]float64{{got.Estimate, want.Estimate}, {got.Low, want.Low}, {got.High, want.High}} {
		if math.Abs(pair[0]-pair[1]) > 1e-6 {
			t.Errorf("%v, want %v", got, want)
		}
	}
	// Profit of the year is twelve of its months.
	of, err = byMonths(formulaFor(t, "gross_profit"), s, 12)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range num {
		sum += v
	}
	if i, err := of(level); err != nil || math.Abs(i.Estimate-sum) > 1e-6 || !(i.Low < sum && sum < i.High) {
		t.Errorf("profit %v (%v), want around %v", i, err, sum)
	}
}

func TestCountsAreExactUntilTheyVaryMore(t *testing.T) {
	t.Parallel()
	counts := func(of ...int64) series {
		return year(func(m int) cell { return cell{"ticket_count": number(of[m%len(of)], 0)} })
	}
	for _, tc := range []struct {
		name      string
		s         series
		low, high float64
	}{
		// Garwood's limits of 24 events at 90 % are 16.55 and 33.75; Jeffreys' lie within.
		{"as even as chance", counts(2, 1, 3, 2), 16.55, 33.75},
		{"in bursts", counts(0, 0, 12, 0), 0, 16.5},
	} {
		of, err := byCounts("ticket_count", tc.s, 1)
		if err != nil {
			t.Fatal(err)
		}
		i, err := of(level)
		if err != nil || i.Low < tc.low || tc.name == "as even as chance" && (i.High > tc.high || i.Low > 17.5 || i.High < 32.5) || tc.name == "in bursts" && i.Low > tc.high {
			t.Errorf("%s: %+v %v", tc.name, i, err)
		}
	}
	// Four months cannot tell: the exact interval of 20 events is 13.25 to 29.06.
	short := counts(5, 5, 5, 5)
	short.months, short.cells = short.months[:4], short.cells[:4]
	of, err := byCounts("ticket_count", short, 1)
	if err != nil {
		t.Fatal(err)
	}
	if i, err := of(level); err != nil || math.Abs(i.Low-13.25) > 0.01 || math.Abs(i.High-29.06) > 0.01 {
		t.Errorf("four months: %+v %v", i, err)
	}
	if _, err := byCounts("ticket_count", counts(0), 1); err == nil {
		t.Error("no ticket at all has an interval")
	}
}

// The ends of the 90 % interval have 5 % beyond them, whatever the method.
func TestAChanceAgreesWithTheInterval(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	months, err := byMonths(formulaFor(t, "gross_margin"), year(func(int) cell {
		return cell{"revenue": dec(1000), "labor_cost": dec(900 + 200*rnd.Float64()), "direct_cost": dec(0), "hours_worked": number(10, 0)}
	}), 1)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := byCases(number(45, 0), number(50, 0))
	if err != nil {
		t.Fatal(err)
	}
	counts, err := byCounts("ticket_count", year(func(m int) cell { return cell{"ticket_count": number(int64(m%3), 0)} }), 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]estimate{"months": months, "cases": cases, "counts": counts} {
		i, err := of(level)
		if err != nil {
			t.Fatal(err)
		}
		for limit, want := range map[float64]float64{i.Low: 0.05, i.High: 0.95} {
			if got, err := chanceBelow(of, limit); err != nil || math.Abs(got-want) > 2e-4 {
				t.Errorf("%s: below %v with %v (%v), want %v", name, limit, got, err, want)
			}
		}
		if got, _ := chanceBelow(of, i.Low-10*(i.High-i.Low)); got > 0.01 {
			t.Errorf("%s: far below with %v", name, got)
		}
	}
	if got := chances(months, []threshold{{"loss", number(0, 0)}}, "gross_margin", quantity.Ratio); len(got) != 1 || got[0].Of != expected || got[0].Probability <= 0 || got[0].Probability >= 1 {
		t.Errorf("chances %+v", got)
	}
}

// When a margin is said to be negative with some probability, it is so often: of clients whose
// true margin is drawn around zero and estimated from twelve months each, those with a
// probability of 10 to 30 % are losing in about that share. Draws: 2,000 a run, 20,000 in full.
func TestEvalChancesOfALossAreCalibrated(t *testing.T) {
	t.Parallel()
	draws := 2000
	if os.Getenv("MOAT_SOAK") != "" {
		draws = 20000
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	f := formulaFor(t, "gross_margin")
	said, lost, n := map[string]float64{}, map[string]float64{}, map[string]float64{}
	for range draws {
		// The prior is wide beside the error of an estimate, as the probability assumes.
		margin := rnd.Float64()*0.8 - 0.4
		of, err := byMonths(f, year(func(int) cell {
			return cell{"revenue": dec(1000), "labor_cost": dec(1000 * (1 - margin + 0.25*rnd.NormFloat64())), "direct_cost": dec(0), "hours_worked": number(1, 0)}
		}), 1)
		if err != nil {
			t.Fatal(err)
		}
		p, err := chanceBelow(of, 0)
		if err != nil {
			t.Fatal(err)
		}
		bin := fmt.Sprintf("%.0f0%%", math.Floor(p*5)*2)
		said[bin], n[bin] = said[bin]+p, n[bin]+1
		if margin < 0 {
			lost[bin]++
		}
	}
	for bin := range n {
		if got, want := lost[bin]/n[bin], said[bin]/n[bin]; n[bin] > 40 && math.Abs(got-want) > 0.13 {
			t.Errorf("from %s: %.2f lose of %.0f, said is %.2f", bin, got, n[bin], want)
		}
		t.Logf("from %s: said %.3f, true %.3f, n %.0f", bin, said[bin]/n[bin], lost[bin]/n[bin], n[bin])
	}
}

func TestSentencesAgreeWithFigures(t *testing.T) {
	t.Parallel()
	value := func(s string) *quantity.Decimal { v := d(s); return &v }
	x := &explanation{}
	for _, tc := range []struct {
		name     string
		out      Explanation
		headline string
		words    string
	}{
		{
			"a margin that fell", Explanation{Measure: "gross_margin", Unit: quantity.Ratio, Where: `client = "Bay Clinic"`, Versus: YearAgo, From: Side{Value: value("0.42"), Label: "a year ago"}, To: Side{Value: value("0.3")}, Change: value("-0.12"),
				Drivers: []Driver{
					{Name: "hours_worked", Contribution: d("-0.1"), Drivers: []Driver{{Name: "On site", Contribution: d("-0.09")}, {Name: "Remote", Contribution: d("-0.01")}}},
					{Name: "revenue", Contribution: d("-0.0199")}, {Name: "direct_cost", Contribution: d("-0.0001")},
				},
				Interval: &Interval{Low: d("-0.02"), High: d("0.62"), Level: 0.9}, Chances: []Chance{{Name: "loss", Probability: 0.062}}},
			"The gross margin of Bay Clinic fell from 42.0% (a year ago) to 30.0%.",
			"The gross margin of Bay Clinic fell from 42.0% (a year ago) to 30.0%, by hours worked −10.0 points, revenue −2.0 points. Of hours worked, the most is On site −9.0 points, Remote −1.0 points. Expected is −2.0% to 62.0% with a probability of 90.0%, a loss with 6.2%.",
		},
		{
			"money in its currency", Explanation{Measure: "revenue", Unit: quantity.Money, Currency: "EUR", Versus: Elsewhere, From: Side{Value: value("1000"), Label: "Harbor Dental"}, To: Side{Value: value("1250.5")}, Change: value("250.5"), Drivers: []Driver{{Name: "price", Contribution: d("250.5")}}},
			"The revenue is €1,250.50 against €1,000.00 (Harbor Dental).",
			"The revenue is €1,250.50 against €1,000.00 (Harbor Dental), by price +€250.50.",
		},
		{
			"the same as it was", Explanation{Measure: "mrr", Unit: quantity.MoneyPerMonth, Versus: Restated, From: Side{Value: value("10"), Label: "snapshot 3"}, To: Side{Value: value("10")}, Change: value("0")},
			"The mrr is 10.00 a month, as in snapshot 3.", "The mrr is 10.00 a month, as in snapshot 3.",
		},
		{
			"no comparison", Explanation{Measure: "csat", Unit: quantity.Ratio, From: Side{Label: "previous period"}, Note: "the data begins in May 2026"},
			"The csat cannot be compared with the previous period: the data begins in May 2026.", "The csat cannot be compared with the previous period: the data begins in May 2026.",
		},
	} {
		x.say(&tc.out)
		if diff := cmp.Diff([]string{tc.headline, tc.words}, []string{tc.out.Headline, tc.out.Words}); diff != "" {
			t.Errorf("%s:\n%s", tc.name, diff)
		}
	}
}
