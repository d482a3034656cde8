package insight_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// noise is a fixed sequence between -1 and 1 without season or trend.
func noise(i int) float64 {
	return math.Mod(math.Abs(math.Sin(float64(i)*12.9898)*43758.5453), 1)*2 - 1
}

// invoiced imports one invoice a month of each client, as many months as end with June 2026.
func invoiced(t *testing.T, n int, amount func(client string, month int) float64, clients ...string) *world {
	t.Helper()
	x := newWorld(t)
	var text strings.Builder
	text.WriteString("invoice_number,client_name,invoice_date,net_amount\n")
	first := quantity.NewDay(2026, 7, 1).AddMonths(-n)
	for i := range n {
		for _, c := range clients {
			if v := amount(c, i); v != 0 {
				fmt.Fprintf(&text, "%s-%d,%s,%s,%.2f\n", c, i, c, first.AddMonths(i).AddDays(14), v)
			}
		}
	}
	x.text(t, "invoices.csv", text.String())
	return x
}

func TestATrendASeasonAndAMonthThatStandsOutAreFound(t *testing.T) {
	t.Parallel()
	// 100 more a month, 800 more in December and 800 less in July, and 6,000 in March 2025.
	x := invoiced(t, 48, func(_ string, i int) float64 {
		v := 20_000 + 100*float64(i) + 60*noise(i)
		switch (i + 6) % 12 { // July 2022 is the first month
		case 11:
			v += 800
		case 6:
			v -= 800
		}
		if i == 32 {
			v += 6000
		}
		return v
	}, "A")
	r, err := x.Trend(t.Context(), northwind, insight.TrendRequest{Measure: "revenue"})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Points) != 48 || r.Slope == nil || !r.Slope.Clear || math.Abs(r.Slope.PerYear.InexactFloat64()-1200) > 60 {
		t.Errorf("trend of 1,200 a year: %+v over %d months", r.Slope, len(r.Points))
	}
	if r.Season == nil || !r.Season.There || r.Season.High != 12 || r.Season.Low != 7 || math.Abs(r.Season.Swing.InexactFloat64()-1600) > 200 {
		t.Errorf("season: %+v", r.Season)
	}
	if len(r.Shocks) != 1 || r.Shocks[0].Month != quantity.NewDay(2025, 3, 1) || r.Shocks[0].Kind != stats.Spike || math.Abs(r.Shocks[0].Size.InexactFloat64()-6000) > 300 {
		t.Errorf("months that stand out: %+v", r.Shocks)
	}
	for _, p := range r.Points {
		sum := p.Trend.Add(*p.Season).Add(*p.Rest)
		if d := sum.Sub(p.Value).Abs(); d.GreaterThan(smallest) {
			t.Errorf("%s: the parts add up to %s, the value is %s", p.Month, sum, p.Value)
		}
	}
	if !strings.Contains(r.Words, "rises by") || !strings.Contains(r.Words, "December is highest, July lowest") {
		t.Errorf("words: %s", r.Words)
	}
}

// smallest is what the rounding of statistics to ten decimals may leave of a sum of three.
var smallest = decimalOf("0.0000000003")

func decimalOf(s string) quantity.Decimal {
	d, err := quantity.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestAChangeOfLevelIsDatedAndIsNoMonthThatStandsOut(t *testing.T) {
	t.Parallel()
	x := invoiced(t, 24, func(_ string, i int) float64 {
		if i >= 15 {
			return 9000 + 50*noise(i)
		}
		return 5000 + 50*noise(i)
	}, "A")
	r, err := x.Trend(t.Context(), northwind, insight.TrendRequest{Measure: "revenue", Where: `client = "A"`})
	if err != nil {
		t.Fatal(err)
	}
	want := quantity.NewDay(2024, 7, 1).AddMonths(15)
	if len(r.Changes) != 1 || r.Changes[0].Month != want || want.Before(r.Changes[0].First) || r.Changes[0].Last.Before(want) {
		t.Errorf("changes: %+v, want one in %s", r.Changes, want)
	}
	if len(r.Shocks) != 0 {
		t.Errorf("months that stand out: %+v", r.Shocks)
	}
	if r.Season != nil || !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "season takes 25 months") }) {
		t.Errorf("24 months have no season: %+v, %q", r.Season, r.Notes)
	}
}

func TestAShortSeriesIsRefusedOrSaysWhatItCannotSay(t *testing.T) {
	t.Parallel()
	x := invoiced(t, 6, func(_ string, i int) float64 { return 100 + float64(i) }, "A")
	r, err := x.Trend(t.Context(), northwind, insight.TrendRequest{Measure: "revenue"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Slope != nil || r.Season != nil || r.Changes != nil || r.Shocks != nil || len(r.Notes) != 3 {
		t.Errorf("six months: %+v", r)
	}
	few := invoiced(t, 4, func(_ string, i int) float64 { return 100 }, "A")
	if _, err := few.Trend(t.Context(), northwind, insight.TrendRequest{Measure: "revenue"}); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "too few") {
		t.Errorf("four months: %v", err)
	}
}

func TestWhatStandsOutOfManySeriesIsNamedWithItsMember(t *testing.T) {
	t.Parallel()
	var clients []string
	for i := range 30 {
		clients = append(clients, fmt.Sprintf("C%02d", i))
	}
	x := invoiced(t, 24, func(c string, i int) float64 {
		n := int(c[1]-'0')*10 + int(c[2]-'0')
		v := 1000*float64(n+1) + 20*float64(n+1)*noise(24*n+i)
		if c == "C07" && i == 22 {
			v *= 1.5
		}
		if c == "C29" && i < 15 {
			return 0 // began nine months ago: too short
		}
		return v
	}, clients...)
	r, err := x.Anomalies(t.Context(), northwind, insight.AnomalyRequest{Measures: []string{"revenue"}, By: "client"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Judged != 29 || r.Skipped != 1 {
		t.Errorf("judged %d, skipped %d; want 29 and 1", r.Judged, r.Skipped)
	}
	if len(r.Anomalies) == 0 || r.Anomalies[0].Member != "C07" || r.Anomalies[0].Month != quantity.NewDay(2026, 5, 1) || r.Anomalies[0].Where != `client = "C07"` {
		t.Fatalf("anomalies: %+v", r.Anomalies)
	}
	if len(r.Anomalies) > 3 {
		t.Errorf("%d anomalies where one was planted", len(r.Anomalies))
	}
	if _, err := x.Anomalies(t.Context(), northwind, insight.AnomalyRequest{Measures: []string{"revenue"}, By: "staff"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("revenue by staff: %v", err)
	}
}

func TestCorrelationsComeWithWhatTheyAreWorth(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	invoices, entries, tickets := "invoice_number,client_name,invoice_date,net_amount\n", "time_entry_id,staff_name,client_name,work_date,hours_worked\n", "ticket_number,client_name,created_at\n"
	for i := range 20 {
		client, size := fmt.Sprintf("C%02d", i), 1+i
		for m := 1; m <= 6; m++ {
			// Hours and tickets follow the client's size, each with noise of its own.
			invoices += fmt.Sprintf("%s-%d,%s,2026-%02d-05,%d\n", client, m, client, m, 1000*size)
			entries += fmt.Sprintf("%s-%d,Ann,%s,2026-%02d-28,%.2f\n", client, m, client, m, float64(size)*(1+0.3*noise(i)))
			for k := range int(float64(size) * (1 + 0.3*noise(i+500))) {
				tickets += fmt.Sprintf("%s-%d-%d,%s,2026-%02d-10 09:00\n", client, m, k, client, m)
			}
		}
	}
	x.text(t, "invoices.csv", invoices)
	x.text(t, "time_entries.csv", entries)
	x.text(t, "tickets.csv", tickets)
	r, err := x.Correlate(t.Context(), northwind, insight.CorrelationRequest{Measures: []string{"hours_worked", "ticket_count"}, By: "client"})
	if err != nil {
		t.Fatal(err)
	}
	p := r.Pairs[0]
	if p.N != 20 || !p.Clear || p.Pearson.Value < 0.7 || p.Pearson.Low >= p.Pearson.Value || p.Pearson.High <= p.Pearson.Value || len(p.Points) != 20 {
		t.Errorf("hours and tickets: %+v", p)
	}
	if !slices.ContainsFunc(p.Warnings, func(w stats.Warning) bool { return w.Code == "confounded" && strings.Contains(w.Text, "revenue") }) {
		t.Errorf("both follow the size of the client: %+v", p.Warnings)
	}
	held, err := x.Correlate(t.Context(), northwind, insight.CorrelationRequest{Measures: []string{"hours_worked", "ticket_count"}, By: "client", Controls: []string{"revenue"}})
	if err != nil {
		t.Fatal(err)
	}
	if c := held.Pairs[0].Partial; c == nil || math.Abs(c.Value) > 0.5 {
		t.Errorf("size taken out: %+v", c)
	}
	all, err := x.Correlate(t.Context(), northwind, insight.CorrelationRequest{Measures: []string{"revenue", "hours_worked", "ticket_count"}, By: "client"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all.Pairs {
		if len(all.Pairs) != 3 || p.Q < p.Spearman.P {
			t.Errorf("q of %d pairs is at least p: %+v", len(all.Pairs), p)
		}
	}
	for _, bad := range []insight.CorrelationRequest{
		{Measures: []string{"revenue"}, By: "client"},
		{Measures: []string{"revenue", "revenue"}, By: "client"},
		{Measures: []string{"revenue", "hours_worked"}, By: "staff"},
		{Measures: []string{"revenue", "nonsense"}, By: "client"},
	} {
		if _, err := x.Correlate(t.Context(), northwind, bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
