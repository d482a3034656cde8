package insight

import (
	"slices"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func day(t *testing.T, s string) quantity.Day {
	t.Helper()
	v, err := quantity.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSplitByTerm(t *testing.T) {
	t.Parallel()
	asOf := day(t, "2026-07-01")
	for _, tc := range []struct {
		name       string
		term       string
		start      string
		renewal    string
		now, later string
		until      string
		window     bool
	}{
		{"monthly: the next cycle", "monthly", "2025-01-01", "2026-09-01", "100", "0", "", false},
		{"annual: at the renewal", "annual", "2025-09-01", "2026-09-01", "0", "100", "2026-09-01", false},
		{"in the week after the renewal", "annual", "2025-06-26", "2026-06-26", "100", "0", "", true},
		{"a week later it is locked for a year", "annual", "2025-06-24", "2026-06-24", "0", "100", "2027-06-24", false},
		{"in the week after the order", "annual", "2026-06-28", "2027-06-28", "100", "0", "", true},
		{"an old renewal date rolls on", "annual", "2023-02-01", "2024-02-01", "0", "100", "2027-02-01", false},
		{"triennial", "triennial", "2025-02-01", "2028-02-01", "0", "100", "2028-02-01", false},
		{"no term, a renewal to come", "", "", "2026-12-01", "0", "100", "2026-12-01", false},
		{"annual without a date", "annual", "", "", "0", "100", "", false},
		{"nothing known", "", "", "", "0", "0", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			term := licenseTerm{term: tc.term, waste: d("100")}
			if tc.start != "" {
				term.start = day(t, tc.start)
			}
			if tc.renewal != "" {
				term.renewal = day(t, tc.renewal)
			}
			s := splitByTerm([]licenseTerm{term}, asOf)
			now, later := s.share(d("100"))
			if !now.Equal(d(tc.now)) || !later.Equal(d(tc.later)) || s.until.String() != tc.until || s.window != tc.window {
				t.Errorf("now %s, later %s, until %s, window %v", now, later, s.until, s.window)
			}
		})
	}
}

// The license of the domain reference: 50 bought, 44 assigned, 7 of them inactive, 22 a
// month with an annual term: 13 wasted seats, 3,432 a year, at the renewal only.
func TestGoldenLicense(t *testing.T) {
	t.Parallel()
	term := licenseTerm{term: "annual", start: day(t, "2025-09-01"), renewal: day(t, "2026-09-01"), waste: d("286")}
	a := &analysis{Thresholds: Defaults(), forms: map[string]formula{licenseWaste: formulaFor(t, licenseWaste)}, period: quantity.Period{From: day(t, "2025-03-01"), To: day(t, "2026-03-01")}}
	a.quality.known = map[string]bool{"Harbor Dental": true}
	l := licenseLine{client: "Harbor Dental", product: "Premium", asOf: a.period.To, terms: []licenseTerm{term},
		now: cellOf("seats_purchased", "50", "seats_used", "44", "wasted_seats", "13", "license_waste", "286")}
	a.reportWaste(l, d("0.74"))
	f := a.findings[0]
	if !f.MoneyAtStake.Equal(d("3432")) || f.Facts["recoverable_now"] != "0" || f.Facts["locked_until"] != "2026-09-01" {
		t.Errorf("stake %s, facts %v", f.MoneyAtStake, f.Facts)
	}
	if want := "13 of 50 seats of Premium at Harbor Dental are paid for and not used: 286.00 a month."; f.Headline != want {
		t.Errorf("%q, want %q", f.Headline, want)
	}
	if want := "Return 13 of 50 seats of Premium at Harbor Dental; 286.00 a month is locked until 2026-09-01: lower the quantity for that renewal, at the latest in the 7 days after it."; f.Recommendation != want {
		t.Errorf("%q, want %q", f.Recommendation, want)
	}
}

func TestReviewRules(t *testing.T) {
	t.Parallel()
	a := &analysis{Thresholds: Thresholds{}.withDefaults()}
	for _, tc := range []struct {
		name  string
		kind  Kind
		value string
		facts map[string]string
		score float64
		want  []string
	}{
		{"nothing special", ClientProfitability, "0.1", map[string]string{"margin": "0.1"}, 0.9, []string{}},
		{"low confidence", ClientProfitability, "0.1", map[string]string{"margin": "0.1"}, 0.69, []string{"confidence below 0.7"}},
		{"a loss", ClientProfitability, "-0.1", map[string]string{"margin": "-0.1"}, 0.9, []string{"negative margin"}},
		{"a loss without revenue", ClientProfitability, "-500", map[string]string{}, 0.9, []string{"negative margin"}},
		{"license use of 30 %", LicenseWaste, "100", map[string]string{"license_utilization": "0.30"}, 1, []string{}},
		{"license use under 30 %", LicenseWaste, "100", map[string]string{"license_utilization": "0.299"}, 1, []string{"license utilization under 30.0%"}},
		{"trend of 20 %", SpendTrend, "0.20", nil, 0.9, []string{}},
		{"falling by more than 20 %", RevenueTrend, "-0.21", nil, 0.9, []string{"trend over 20.0% a year"}},
		{"utilization of 121 %", StaffUtilization, "1.21", nil, 0.9, []string{"utilization over 120.0%"}},
		{"utilization of 40 %", StaffUtilization, "0.4", nil, 0.9, []string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			value := d(tc.value)
			f := Finding{Kind: tc.kind, Value: &value, Facts: tc.facts, Confidence: Confidence{Score: tc.score}}
			if tc.kind == ClientProfitability && tc.facts["margin"] == "" {
				f.Measure = "gross_profit"
			}
			a.review(&f)
			if !slices.Equal(f.ReviewRules, tc.want) || f.RequiresReview != (len(tc.want) > 0) {
				t.Errorf("%v (%v), want %v", f.ReviewRules, f.RequiresReview, tc.want)
			}
		})
	}
}

func TestSortFindings(t *testing.T) {
	t.Parallel()
	all := []Finding{
		{ID: "small", MoneyAtStake: d("10"), Confidence: Confidence{Score: 1}},
		{ID: "unsure", MoneyAtStake: d("100"), Confidence: Confidence{Score: 0.5}},
		{ID: "sure", MoneyAtStake: d("90"), Confidence: Confidence{Score: 0.9}},
		{ID: "review", MoneyAtStake: d("1"), Confidence: Confidence{Score: 0.5}, RequiresReview: true},
	}
	sortFindings(all)
	var got []string
	for _, f := range all {
		got = append(got, f.ID)
	}
	if want := []string{"review", "sure", "unsure", "small"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	id := func(change func(*Finding)) string {
		f := Finding{Kind: LicenseWaste, Subject: Subject{Dimension: "product", Value: "Planner", Within: &Subject{Dimension: "client", Value: "Bay"}}, Period: quantity.MonthOf(quantity.NewDay(2026, 6, 1))}
		if change != nil {
			change(&f)
		}
		f.identify()
		return f.ID
	}
	base := id(nil)
	if id(func(f *Finding) { v := d("9"); f.Value = &v; f.Snapshot = 7; f.Headline = "x" }) != base {
		t.Error("the id depends on more than kind, subject and period")
	}
	for name, change := range map[string]func(*Finding){
		"kind":    func(f *Finding) { f.Kind = LicenseOverdeployment },
		"value":   func(f *Finding) { f.Subject.Value = "Visio" },
		"within":  func(f *Finding) { f.Subject.Within.Value = "Pier" },
		"no more": func(f *Finding) { f.Subject.Within = nil },
		"period":  func(f *Finding) { f.Period = f.Period.Previous() },
	} {
		if id(change) == base {
			t.Errorf("%s: the id did not change", name)
		}
	}
}

// margins makes monthly cells with revenue 1,000 and the given margins in percent.
func margins(first quantity.Day, percents ...int64) series {
	var s series
	for i, p := range percents {
		s.months = append(s.months, first.AddMonths(i))
		s.cells = append(s.cells, cell{"revenue": d("1000"), "hours_worked": d("10"), "labor_cost": number(1000-10*p, 0), "direct_cost": d("0")})
	}
	return s
}

func TestFindDrop(t *testing.T) {
	t.Parallel()
	c := metric.New(nil, metric.Options{})
	forms, err := formulasOf(c, "gross_profit", "gross_margin")
	if err != nil {
		t.Fatal(err)
	}
	a := &analysis{Thresholds: Defaults(), forms: forms}
	for _, tc := range []struct {
		name     string
		percents []int64
		since    string
	}{
		{"fell by 25 points three months ago", []int64{50, 51, 49, 50, 52, 50, 49, 50, 51, 25, 26, 25}, "2026-04-01"},
		{"fell six months ago", []int64{50, 51, 49, 50, 52, 50, 25, 27, 24, 25, 26, 25}, "2026-01-01"},
		{"came back in the last month", []int64{50, 51, 49, 50, 52, 50, 49, 50, 51, 25, 26, 55}, ""},
		{"two months are not yet a drop", []int64{50, 51, 49, 50, 52, 50, 49, 50, 51, 50, 25, 26}, ""},
		{"ten points are below the threshold", []int64{50, 51, 49, 50, 52, 50, 49, 50, 51, 40, 41, 40}, ""},
		{"wild months prove nothing", []int64{80, 10, 70, 20, 60, 30, 75, 15, 65, 25, 30, 20}, ""},
		{"rose", []int64{25, 25, 25, 25, 25, 25, 50, 50, 50, 50, 50, 50}, ""},
		{"too little history", []int64{50, 51, 25, 26, 25}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := margins(day(t, "2026-07-01").AddMonths(-len(tc.percents)), tc.percents...)
			found, ok := a.findDrop(s, s)
			if ok != (tc.since != "") || found.month.String() != tc.since {
				t.Errorf("%v %s, want %q", ok, found.month, tc.since)
			}
		})
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	data := quantity.Period{From: day(t, "2024-07-01"), To: day(t, "2026-06-01")}
	for _, tc := range []struct{ name, from, to, want string }{
		{"default: the last year", "", "", "2025-06-01 to 2026-06-01"},
		{"as asked", "2025-01", "2025-04", "2025-01-01 to 2025-04-01"},
		{"partial months at both ends", "2025-01-15", "2025-04-20", "2025-02-01 to 2025-04-01"},
		{"later than the data", "2026-01", "2027-01", "2026-01-01 to 2026-06-01"},
		{"earlier than the data", "2020-01", "2025-01", "2024-07-01 to 2025-01-01"},
		{"open end", "2026-02", "", "2026-02-01 to 2026-06-01"},
		{"outside", "2020-01", "2021-01", ""},
		{"not a whole month", "2025-01-10", "2025-02-20", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			asked, err := quantity.ParsePeriod(tc.from, tc.to)
			if err != nil {
				t.Fatal(err)
			}
			got, err := within(asked, data)
			if (err == nil) != (tc.want != "") || err == nil && got.String() != tc.want {
				t.Errorf("%s, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestPartsStayWithinBounds(t *testing.T) {
	t.Parallel()
	if got := parts([]string{"a", "b"}, 24); len(got) != 1 || got[0] != nil {
		t.Errorf("few values need no filter: %v", got)
	}
	var names []string
	for i := range 9_000 {
		names = append(names, "A client with quite a long name "+string(rune('a'+i%26)))
	}
	count := 0
	for _, p := range parts(names, 24) {
		count += len(p)
		if text := among("client", p); len(text) > 4_000 || len(p)*24 > 100_000 {
			t.Fatalf("%d values, filter of %d characters", len(p), len(text))
		}
	}
	if count != len(names) {
		t.Errorf("%d of %d values", count, len(names))
	}
}
