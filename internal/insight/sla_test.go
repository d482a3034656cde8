package insight_test

import (
	"math"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func TestTicketsAtRiskByWhatIsDueFirst(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.text(t, "clients.csv", "client_name,status\nHarbor,active\nElm,active\n")
	x.text(t, "tickets.csv", `ticket_number,client_name,ticket_type,priority,status,created_at,responded_at,resolved_at,respond_by,resolve_by
1,Harbor,incident,High,Open,2026-06-29 08:00,,,2026-06-29 12:00,2026-07-01 08:00
2,Harbor,incident,Low,In Progress,2026-06-28 08:00,2026-06-28 09:00,,2026-06-28 12:00,2026-07-02 08:00
3,Elm,incident,Low,Open,2026-06-28 08:00,2026-06-28 09:00,,2026-06-28 12:00,2026-07-20 08:00
4,Elm,request,Low,Waiting on customer,2026-06-20 08:00,2026-06-20 09:00,,2026-06-20 12:00,2026-06-22 08:00
5,Elm,request,Low,Open,2026-06-20 08:00,,,,
6,Elm,request,Low,Closed,2026-06-30 08:00,2026-06-30 09:00,2026-06-30 20:00,2026-06-30 12:00,2026-06-30 22:00
7,Elm,request,Low,Resolved,2026-06-10 08:00,,,2026-06-10 12:00,2026-06-11 22:00
`)
	r, err := x.TicketsAtRisk(t.Context(), northwind, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.AsOf.Format("2006-01-02 15:04"); got != "2026-06-30 20:00" {
		t.Errorf("as of %s", got)
	}
	if r.Open != 5 || len(r.Tickets) != 2 || r.Passed != 1 || r.Waiting != 1 || r.WaitingPassed != 1 || r.NoTarget != 1 || r.Later != 1 {
		t.Fatalf("%+v", r)
	}
	if first := r.Tickets[0]; first.Number != "1" || first.Stage != "response" || first.HoursLeft != -32 {
		t.Errorf("first: %+v", first)
	}
	if second := r.Tickets[1]; second.Number != "2" || second.Stage != "resolution" || second.HoursLeft != 36 {
		t.Errorf("second: %+v", second)
	}
	if r, err := x.TicketsAtRisk(t.Context(), northwind, "Elm"); err != nil || r.Open != 3 || len(r.Tickets) != 0 {
		t.Errorf("of Elm: %+v, %v", r, err)
	}
}

func TestProportionsHaveTheWilsonInterval(t *testing.T) {
	t.Parallel()
	d := decimal.NewFromInt
	// Wilson at 90 % of 81 of 263, Brown, Cai & DasGupta's formula by hand: z = 1.64485.
	p := insight.ProportionOf(d(81), d(263))
	if math.Abs(*p.Low-0.263) > 0.001 || math.Abs(*p.High-0.357) > 0.001 || p.Of != 263 {
		t.Errorf("%v to %v", *p.Low, *p.High)
	}
	if p := insight.ProportionOf(d(4), d(4)); p.Low != nil || *p.Share != 1 {
		t.Errorf("four are too few: %+v", p)
	}
	if p := insight.ProportionOf(d(0), d(0)); p.Share != nil {
		t.Errorf("of none: %+v", p)
	}
}

func TestSpeedIsWhatTheMeasuresSay(t *testing.T) {
	t.Parallel()
	x := desk(t)
	p := period(t, "2026-06", "2026-07")
	s, err := x.Speed(t.Context(), northwind, "Harbor", p)
	if err != nil {
		t.Fatal(err)
	}
	// Answered after 1, 2, … 20 hours: 10.5; all solved after 20.
	if s.Response.N != 20 || *s.Response.Median != 10.5 || *s.Resolution.Median != 20 || s.Response.P90 != nil {
		t.Errorf("%+v %+v", s.Response, s.Resolution)
	}
	// Order statistics at 90 % of n = 20: between the 6th and 7th, and the 14th and 15th.
	if *s.Response.Low < 6 || *s.Response.Low > 7 || *s.Response.High < 14 || *s.Response.High > 15 {
		t.Errorf("median from %v to %v", *s.Response.Low, *s.Response.High)
	}
	r, err := x.metrics.Run(t.Context(), northwind, metric.Query{Measures: []string{"first_response", "resolution_time"}, Where: `client = "Harbor"`, Period: p})
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows[0][0].(quantity.Decimal).InexactFloat64() != *s.Response.Median || r.Rows[0][1].(quantity.Decimal).InexactFloat64() != *s.Resolution.Median {
		t.Errorf("the measures say %v", r.Rows[0])
	}
	if s, err := x.Speed(t.Context(), northwind, "Nobody", p); err != nil || s.Response.N != 0 || s.Response.Median != nil {
		t.Errorf("of nobody: %+v, %v", s, err)
	}
}
