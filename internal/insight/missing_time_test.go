package insight_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Ann enters 8 hours each weekday of April to June 2026 on Elm, Ben 2 on Harbor; both have
// 520 hours of capacity.
func TestMissingTimeLowersTheMarginItWouldHaveGoneTo(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	var entries strings.Builder
	entries.WriteString("time_entry_id,staff_name,client_name,work_date,hours_worked,entered_at\n")
	id := 0
	for d := quantity.NewDay(2026, 4, 1); d.Before(quantity.NewDay(2026, 7, 1)); d = d.AddDays(1) {
		if w := d.Time().Weekday(); w == 0 || w == 6 {
			continue
		}
		id++
		fmt.Fprintf(&entries, "%d,Ann,Elm,%s,8,%s 18:00\n", 2*id, d, d)
		fmt.Fprintf(&entries, "%d,Ben,Harbor,%s,2,%s 12:00\n", 2*id+1, d, d.AddDays(3))
	}
	x.text(t, "clients.csv", "client_name,status\nHarbor,active\nElm,active\n")
	x.text(t, "staff.csv", "staff_name,team,cost_rate,weekly_hours,hired_on,valid_from\nAnn,Desk,50,40,2025-01-01,2025-01-01\nBen,Desk,50,40,2025-01-01,2025-01-01\nCy,Desk,50,40,2026-06-01,2026-06-01\n")
	x.text(t, "time_entries.csv", entries.String())
	x.text(t, "invoices.csv", "invoice_number,client_name,invoice_date,net_amount\n1,Harbor,2026-05-01,10000\n2,Elm,2026-05-01,40000\n")
	m, err := x.MissingTime(t.Context(), northwind, period(t, "2026-04", "2026-07"))
	if err != nil {
		t.Fatal(err)
	}
	// Whole weeks before the last Monday, 29 June, from 6 April on.
	if len(m.Weeks) != 12 || m.Weeks[0].String() != "2026-04-06" || m.Weeks[11].String() != "2026-06-22" {
		t.Fatalf("weeks %v", m.Weeks)
	}
	ben := m.People[0]
	if ben.Name != "Ben" || ben.Low != 12 || ben.Coverage[0].String() != "0.25" || ben.Missing.String() != "360" || ben.Prompt.String() != "0" || ben.Lag.String() != "60" {
		t.Errorf("Ben: %+v", ben)
	}
	if ann := m.People[2]; ann.Name != "Ann" || ann.Low != 0 || !ann.Missing.IsZero() || ann.Prompt.String() != "1" {
		t.Errorf("Ann: %+v", ann)
	}
	if cy := m.People[1]; cy.Name != "Cy" || cy.Low != 4 || cy.Coverage[0] != nil {
		t.Errorf("Cy, who began in June: %+v", cy)
	}
	// Ben entered 130 of 520 hours: 390 more would have cost 19,500.
	if len(m.Clients) != 1 {
		t.Fatalf("%+v", m.Clients)
	}
	if h := m.Clients[0]; h.Client != "Harbor" || h.Hours.String() != "390" || h.Cost.String() != "19500" || h.Margin.String() != "0.35" || h.MarginAt.String() != "-1.6" || h.Points().String() != "1.95" {
		t.Errorf("%+v", h)
	}
	if m.Nowhere.String() != "176" { // Cy's 22 weekdays of June
		t.Errorf("nowhere: %s", m.Nowhere)
	}
}
