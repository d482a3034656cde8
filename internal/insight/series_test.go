package insight_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// ledger is one invoice a month of 100, 102, 104, 100, … from January 2025 on.
func ledger(months int, extra ...string) string {
	var b strings.Builder
	b.WriteString("invoice_id,client_name,amount,date,status\n")
	for i := range months {
		fmt.Fprintf(&b, "I-%d,Acme,%d.00,%s,paid\n", i, 100+2*(i%3), quantity.NewDay(2025, 1, 28).AddMonths(i).AddDays(27))
	}
	return b.String() + strings.Join(extra, "")
}

func TestSeriesWithABand(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.text(t, "invoices.csv", ledger(18, "I-x,Acme,500.00,2026-03-10,paid\n", "I-y,Bolt,7.00,2026-02-10,paid\n"))
	s, err := x.Series(t.Context(), northwind, insight.SeriesRequest{Measure: "revenue", Where: `client = "Acme"`})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Points) != 18 || s.Period.String() != "2025-01-01 to 2026-07-01" || s.Band.Level != 0.9 {
		t.Fatalf("%d points of %s, band %+v", len(s.Points), s.Period, s.Band)
	}
	for i, p := range s.Points {
		if (p.Low != nil) != (i >= 5) || p.Value == nil || p.Partial {
			t.Errorf("month %s: %+v", p.Month, p)
		}
		if i < 5 && !strings.Contains(p.Reason, "no band") {
			t.Errorf("month %s does not say why it has no band: %q", p.Month, p.Reason)
		}
		if p.Unusual != (p.Month.String() == "2026-03-01") {
			t.Errorf("month %s unusual %v: %s in %s to %s", p.Month, p.Unusual, p.Value, p.Low, p.High)
		}
	}
	// June 2025 after 100, 102, 104, 100, 102: mean 101.6, s √2.8, t(4; 0.95) 2.131847.
	low, high := s.Points[5].Low.InexactFloat64(), s.Points[5].High.InexactFloat64()
	if want := 2.131847 * 1.6733201 * 1.0954451; high-101.6-want > 1e-4 || want-(101.6-low) > 1e-4 || high-101.6-want < -1e-4 {
		t.Errorf("band %v to %v, want 101.6 ± %v", low, high, want)
	}
	// The months before the period count for its band.
	part, err := x.Series(t.Context(), northwind, insight.SeriesRequest{Measure: "revenue", Where: `client = "Acme"`, Period: period(t, "2025-06", "2025-07")})
	if err != nil {
		t.Fatal(err)
	}
	if len(part.Points) != 1 || !part.Points[0].Low.Equal(*s.Points[5].Low) {
		t.Errorf("one month: %+v", part.Points)
	}
	// A client that came later has no value before, and 0 after its last invoice.
	bolt, err := x.Series(t.Context(), northwind, insight.SeriesRequest{Measure: "revenue", Where: `client = "Bolt"`})
	if err != nil {
		t.Fatal(err)
	}
	if p := bolt.Points[12]; p.Value != nil || p.Reason != "there is no data yet" {
		t.Errorf("before its first month: %+v", p)
	}
	if p := bolt.Points[14]; p.Value == nil || !p.Value.Equal(decimal.Zero) {
		t.Errorf("after its last month: %+v", p)
	}
}

func TestSeriesOfStocksRatiosAndPartialMonths(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.text(t, "invoices.csv", ledger(18, "I-p,Acme,3.00,2026-07-01,paid\n"))
	x.text(t, "agreements.csv", "client_name,agreement_id,agreement_name,agreement_type,billing_model,status,start_date,billing_cycle,amount\nAcme,A-1,Managed Services,Managed,fixed_fee,active,2025-01-01,monthly,100.00\n")
	for _, m := range x.metrics.Measures() {
		s, err := x.Series(t.Context(), northwind, insight.SeriesRequest{Measure: m.Name, Period: period(t, "2025-01", "2027-01")})
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if len(s.Points) != 19 || s.Points[18].Month.String() != "2026-07-01" || !s.Points[18].Partial {
			t.Errorf("%s: %d points, the last %+v", m.Name, len(s.Points), s.Points[len(s.Points)-1])
		}
		for _, p := range s.Points {
			if p.Value == nil && p.Reason == "" || p.Partial && p.Unusual {
				t.Errorf("%s: %+v", m.Name, p)
			}
		}
		if m.Name == "mrr" && (s.Points[10].Value == nil || s.Points[10].Value.String() != "100" || s.Points[10].Unusual) {
			t.Errorf("mrr: %+v", s.Points[10])
		}
	}
	for _, wrong := range []insight.SeriesRequest{
		{Measure: "nonsense"}, {Measure: "revenue", Where: "client like 1"}, {Measure: "revenue", Where: `staff = "x"`},
		{Measure: "revenue", Period: period(t, "2020-01", "2020-03")},
	} {
		if _, err := x.Series(t.Context(), northwind, wrong); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v, want Invalid", wrong, err)
		}
	}
	if _, err := newWorld(t).Series(t.Context(), northwind, insight.SeriesRequest{Measure: "revenue"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("no data: %v, want NotFound", err)
	}
}
