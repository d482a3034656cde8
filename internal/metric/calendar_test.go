package metric_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// The years of the retail calendar (4-5-4, ending on the Saturday nearest to January 31)
// as the National Retail Federation publishes it: 2006, 2012, 2017 and 2023 have 53 weeks.
// The others end on the last Saturday of September, as Apple's annual reports say: fiscal
// 2012, 2017 and 2023 have 53 weeks.
func TestFiscalYearsBeginAsPublished(t *testing.T) {
	t.Parallel()
	retail := metric.Calendar{StartMonth: 2, Weeks: "4-5-4", EndsOn: "saturday", Rule: "nearest"}
	september := metric.Calendar{StartMonth: 10, Weeks: "5-4-4", EndsOn: "saturday", Rule: "last"}
	july := metric.Calendar{StartMonth: 7}
	for _, k := range []struct {
		cal   metric.Calendar
		day   string
		start string
		weeks int
	}{
		{retail, "2006-12-25", "2006-01-29", 53}, {retail, "2007-02-03", "2006-01-29", 53}, {retail, "2012-06-01", "2012-01-29", 53}, {retail, "2013-02-03", "2013-02-03", 52},
		{retail, "2017-07-01", "2017-01-29", 53}, {retail, "2022-12-31", "2022-01-30", 52}, {retail, "2023-11-24", "2023-01-29", 53}, {retail, "2024-02-03", "2023-01-29", 53},
		{retail, "2024-02-04", "2024-02-04", 52}, {retail, "2025-02-01", "2024-02-04", 52},
		{september, "2012-01-01", "2011-09-25", 53}, {september, "2017-09-30", "2016-09-25", 53}, {september, "2023-09-30", "2022-09-25", 53}, {september, "2023-10-01", "2023-10-01", 52},
		{july, "2026-06-30", "2025-07-01", 52}, {july, "2026-07-01", "2026-07-01", 52}, {metric.Calendar{}, "2026-12-31", "2026-01-01", 52},
	} {
		s := metric.StepOf("fiscal_year", k.cal)
		start := s.Start(day(t, k.day))
		if start.String() != k.start {
			t.Errorf("%s: the year of %s begins on %s, want %s", k.cal, k.day, start, k.start)
		}
		if n := start.DaysUntil(s.Add(start, 1)) / 7; n != k.weeks {
			t.Errorf("%s: the year of %s has %d weeks, want %d", k.cal, k.day, n, k.weeks)
		}
	}
}

// The periods of retail 2023, counted by hand: 4, 5, 4 weeks a quarter, the 53rd in the last.
func TestFiscalPeriodsOfAYearOf53Weeks(t *testing.T) {
	t.Parallel()
	cal := metric.Calendar{StartMonth: 2, Weeks: "4-5-4", EndsOn: "saturday", Rule: "nearest"}
	s := metric.StepOf("fiscal_period", cal)
	var got []string
	for d := day(t, "2023-01-29"); d.Before(day(t, "2024-03-01")); d = s.Add(d, 1) {
		got = append(got, d.String())
	}
	want := []string{"2023-01-29", "2023-02-26", "2023-04-02", "2023-04-30", "2023-05-28", "2023-07-02", "2023-07-30", "2023-08-27", "2023-10-01", "2023-10-29", "2023-11-26", "2023-12-31", "2024-02-04"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := metric.StepOf("fiscal_quarter", cal).Start(day(t, "2024-02-03")).String(); got != "2023-10-29" {
		t.Errorf("the last day of the 53rd week is in the quarter of %s", got)
	}
}

// Every day lies in its own step, and steps follow each other without a gap.
func TestStepsOfTimeTileTheCalendar(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		cal := metric.Calendar{StartMonth: rapid.IntRange(1, 12).Draw(rt, "month")}
		if rapid.Bool().Draw(rt, "of weeks") {
			cal.Weeks = rapid.SampledFrom([]string{"4-4-5", "4-5-4", "5-4-4"}).Draw(rt, "weeks")
			cal.EndsOn = rapid.SampledFrom([]string{"monday", "saturday", "sunday"}).Draw(rt, "ends on")
			cal.Rule = rapid.SampledFrom([]string{"last", "nearest"}).Draw(rt, "rule")
		}
		s := metric.StepOf(rapid.SampledFrom([]string{"day", "week", "month", "quarter", "year", "fiscal_period", "fiscal_quarter", "fiscal_year"}).Draw(rt, "step"), cal)
		d := quantity.NewDay(2000, 1, 1).AddDays(rapid.IntRange(0, 12000).Draw(rt, "day"))
		start := s.Start(d)
		if d.Before(start) || !d.Before(s.Add(start, 1)) {
			rt.Fatalf("%s lies outside %s to %s", d, start, s.Add(start, 1))
		}
		n := rapid.IntRange(-30, 30).Draw(rt, "n")
		if there := s.Add(start, n); s.Start(there) != there || s.Add(there, -n) != start {
			rt.Fatalf("%d steps from %s is %s, and back %s", n, start, there, s.Add(there, -n))
		}
	})
}

func TestACalendarThatContradictsItselfIsRefused(t *testing.T) {
	t.Parallel()
	c, _, _ := defined(t)
	for _, bad := range []metric.Calendar{{StartMonth: 13}, {StartMonth: -1}, {Weeks: "4-4-4", EndsOn: "friday", Rule: "last"}, {Weeks: "4-4-5"}, {Weeks: "4-4-5", EndsOn: "someday", Rule: "last"}, {EndsOn: "friday"}} {
		if _, err := c.SetCalendar(t.Context(), acme, bad); fault.KindOf(err) != fault.Invalid || len(fault.FieldsOf(err)) == 0 {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}

func TestFiguresByFiscalQuarter(t *testing.T) {
	t.Parallel()
	c, w, _ := defined(t)
	put(t, w, map[string]string{
		"invoices":   "SELECT 'Acme' AS client_key, unnest([DATE '2024-02-03', DATE '2024-02-04', DATE '2024-05-04', DATE '2024-05-05', DATE '2024-06-30']) AS invoice_date, unnest([1.0, 10.0, 100.0, 1000.0, 10000.0]) AS net_amount",
		"agreements": "SELECT 'Acme' AS client_key, 'A' AS agreement_id, 12.0 AS amount, DATE '2024-05-01' AS start_date",
	})
	if _, err := c.SetCalendar(t.Context(), acme, metric.Calendar{StartMonth: 2, Weeks: "4-5-4", EndsOn: "saturday", Rule: "nearest"}); err != nil {
		t.Fatal(err)
	}
	q := metric.Query{Measures: []string{"revenue", "mrr"}, Dimensions: []string{"fiscal_quarter"}}
	want := []string{"2023-10-29 | 1 | 0", "2024-02-04 | 110 | 12", "2024-05-05 | 11000 | 12"}
	if diff := cmp.Diff(want, ask(t, c, q)); diff != "" {
		t.Error(diff)
	}
	if got := ask(t, c, metric.Query{Measures: []string{"revenue"}, Where: "fiscal_quarter = 2024-02-04"}); len(got) != 1 || got[0] != "110" {
		t.Errorf("filtered by the quarter: %v", got)
	}
	if _, err := c.SetCalendar(t.Context(), acme, metric.Calendar{StartMonth: 6}); err != nil {
		t.Fatal(err)
	}
	want = []string{"2023-12-01 | 11 | 0", "2024-03-01 | 1100 | 12", "2024-06-01 | 10000 | 12"}
	if diff := cmp.Diff(want, ask(t, c, q)); diff != "" {
		t.Error(diff)
	}
	r, err := c.Run(t.Context(), acme, q)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("[2023-12-01 2024-06-01]", text(r.Partial)); diff != "" || r.DefinitionVersions["calendar"] != 2 {
		t.Errorf("the data begins in February and ends in June: %s, calendar version %d", diff, r.DefinitionVersions["calendar"])
	}
}

// Weeks that cut months have the shares of them by days, and add up to the months.
func TestAgreementCostsByFiscalPeriodsOfWeeks(t *testing.T) {
	t.Parallel()
	c, w, _ := defined(t)
	put(t, w, map[string]string{
		"invoices":            "SELECT 'Acme' AS client_key, unnest([DATE '2024-02-04', DATE '2024-05-31']) AS invoice_date, 1.0 AS net_amount",
		"agreements":          "SELECT 'Acme' AS client_key, 'A' AS agreement_id, 12.0 AS amount, DATE '2024-03-05' AS start_date",
		"agreement_additions": "SELECT 'A' AS agreement_id, 1.0 AS quantity, 100.0 AS unit_price, 62.0 AS unit_cost",
	})
	if _, err := c.SetCalendar(t.Context(), acme, metric.Calendar{StartMonth: 2, Weeks: "4-5-4", EndsOn: "saturday", Rule: "nearest"}); err != nil {
		t.Fatal(err)
	}
	q := metric.Query{Measures: []string{"agreement_product_cost"}, Dimensions: []string{"fiscal_period"}, Period: period(t, "2024-02", "2024-06")}
	// Periods begin on 4 February, 3 March, 7 April and 5 May: 2/31 of March; 29/31 of it and 6/30
	// of April; 24/30 and 4/31 of May; 27/31.
	if diff := cmp.Diff([]string{"2024-02-04 | 4", "2024-03-03 | 70.4", "2024-04-07 | 57.6", "2024-05-05 | 54"}, ask(t, c, q)); diff != "" {
		t.Error(diff)
	}
	q.Dimensions = []string{"fiscal_period", "month"}
	if got := ask(t, c, q); len(got) != 6 || got[0] != "2024-02-04 | 2024-03-01 | 4" || got[1] != "2024-03-03 | 2024-03-01 | 58" {
		t.Errorf("by period and month: %v", got)
	}
	if got := ask(t, c, metric.Query{Measures: q.Measures, Where: "fiscal_period = 2024-04-07", Period: q.Period}); len(got) != 1 || got[0] != "57.6" {
		t.Errorf("filtered by the period: %v", got)
	}
}
