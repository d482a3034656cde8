package insight_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// desk is two clients of ten endpoints and one without: Harbor has 20 incidents of 2 hours,
// Elm 10 of 1 hour, Oak 6 of half an hour, all in June 2026; each closed, at 50 an hour.
func desk(t testing.TB) *world {
	x := newWorld(t)
	var tickets, entries, assets strings.Builder
	tickets.WriteString("ticket_number,client_name,ticket_type,priority,status,created_at,responded_at,resolved_at,respond_by,resolve_by\n")
	entries.WriteString("time_entry_id,ticket_number,staff_name,client_name,work_date,hours_worked\n")
	assets.WriteString("asset_id,client_name,name,asset_type,managed,first_seen,last_seen\n")
	id := 0
	for _, c := range []struct {
		name               string
		tickets, endpoints int
		hours              string
	}{{"Harbor", 20, 10, "2"}, {"Elm", 10, 10, "1"}, {"Oak", 6, 0, "0.5"}} {
		for i := range c.tickets {
			id++
			day := quantity.NewDay(2026, 6, 1+i)
			// Answered after i+1 hours, due within 4; solved after 20, due within 24.
			fmt.Fprintf(&tickets, "%d,%s,incident,High,closed,%s 01:00,%s %02d:00,%s 21:00,%s 05:00,%s 01:00\n", id, c.name, day, day, 2+i%20, day, day, day.AddDays(1))
			fmt.Fprintf(&entries, "%d,%d,Dana Ortiz,%s,%s,%s\n", id, id, c.name, day, c.hours)
		}
		for i := range c.endpoints {
			fmt.Fprintf(&assets, "%[1]s-%[2]d,%[1]s,PC %[2]d,workstation,yes,2025-01-01,2026-06-30\n", c.name, i)
		}
	}
	x.text(t, "clients.csv", "client_name,status\nHarbor,active\nElm,active\nOak,active\n")
	x.text(t, "staff.csv", "staff_name,cost_rate,weekly_hours,hired_on,valid_from\nDana Ortiz,50,40,2025-01-01,2025-01-01\n")
	x.text(t, "tickets.csv", tickets.String())
	x.text(t, "time_entries.csv", entries.String()+"9999,,Dana Ortiz,Elm,2026-06-30,0.01\n")
	x.text(t, "assets.csv", assets.String())
	return x
}

func TestNoiseIsSplitIntoTicketsAndTime(t *testing.T) {
	t.Parallel()
	n, err := desk(t).Noise(t.Context(), northwind, period(t, "2026-06", "2026-07"))
	if err != nil {
		t.Fatal(err)
	}
	// All: 50 hours on 30 tickets and 20 endpoints, 2.5 = 1.5 × 5/3. Harbor: 4 = 2 × 2.
	if got := n.All.PerEndpoint.String(); got != "2.5" {
		t.Errorf("all: %s hours per endpoint", got)
	}
	h := n.Clients[0]
	if h.Client != "Harbor" || h.PerEndpoint.String() != "4" || h.Change.String() != "1.5" || h.Excess.String() != "15" {
		t.Fatalf("%+v", h)
	}
	// (2 - 1.5) × (2 + 5/3) / 2 and (2 - 5/3) × (2 + 1.5) / 2
	if got := h.FromTickets.Round(6).String(); got != "0.916667" {
		t.Errorf("from tickets: %s", got)
	}
	if got := h.FromTime.Round(6).String(); got != "0.583333" {
		t.Errorf("from time: %s", got)
	}
	for _, c := range n.Clients {
		if c.Change != nil && !c.FromTickets.Add(*c.FromTime).Equal(*c.Change) {
			t.Errorf("%s: %s + %s is not %s", c.Client, c.FromTickets, c.FromTime, c.Change)
		}
	}
	if last := n.Clients[2]; last.Client != "Oak" || last.PerEndpoint != nil || last.Hours.String() != "3" || last.Expected != nil {
		t.Errorf("the client without endpoints: %+v", last)
	}
	if !n.Unconfirmed || n.Confidence.Grade != "low" {
		t.Errorf("nobody confirmed the classes: %v, %s", n.Unconfirmed, n.Confidence.Grade)
	}
}

func TestRecurringPairs(t *testing.T) {
	t.Parallel()
	x := desk(t)
	got, err := x.Recurring(t.Context(), northwind, period(t, "2026-06", "2026-07"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Client != "Harbor" || got[0].Tickets.String() != "20" || got[0].Hours.String() != "40" || got[0].Cost.String() != "2000" || got[2].Client != "Oak" || got[2].Months != 1 {
		t.Errorf("%+v", got)
	}
	if got, err := x.Recurring(t.Context(), northwind, period(t, "2026-04", "2026-07")); err != nil || len(got) != 0 {
		t.Errorf("one month of three is not again and again: %+v, %v", got, err)
	}
}
