package question

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// smallGroup is the number of people below which a team is not told apart from them.
const smallGroup = 3

// missingTime says who has not entered time in the last weeks, and how far the margins of
// clients would move if they had.
func missingTime(ctx context.Context, a *asked) error {
	m, err := a.insights.MissingTime(ctx, a.scope, a.Period)
	if err != nil {
		return a.tooLittle(err)
	}
	a.sure(m.Confidence)
	if len(m.People) == 0 || len(m.Weeks) == 0 {
		a.Headline, a.Grade = "This cannot be answered: there is no whole week with a person's hours or capacity.", "no_answer"
		return nil
	}
	span := quantity.Period{From: m.Weeks[0], To: m.Weeks[len(m.Weeks)-1].AddDays(7)}
	low := 0
	var names []string
	for _, p := range m.People {
		if 2*p.Low > len(m.Weeks) {
			names = append(names, p.Name)
		}
		if p.Low > 0 {
			low++
		}
	}
	a.Headline = fmt.Sprintf("%s of capacity was entered in the %s to %s; %d of %d people have weeks below 70%%", insight.Say(m.All.Hours.DivRound(m.All.Capacity, 4), quantity.Ratio, ""), count(len(m.Weeks), "week"), span.To.AddDays(-1), low, len(m.People))
	if len(names) > 0 {
		a.Headline += fmt.Sprintf(", %s in more than half of them", strings.Join(names, ", "))
		a.Next = append(a.Next, fmt.Sprintf("Ask %s for the time that is missing, or for days off that are not in the data.", strings.Join(names, " and ")))
	}
	a.Headline += "."
	people, heat := a.recorded(m, span)
	a.Tables = []Table{a.teams(m, span), people, heat, a.ifEntered(m)}
	if len(m.Clients) > 0 {
		c := m.Clients[0]
		a.Headline += fmt.Sprintf(" Were all time missing from %s work for clients, the margin of %s would fall most: from %s to %s.", a.Period.Words(), c.Client, insight.Say(*c.Margin, quantity.Ratio, ""), insight.Say(*c.MarginAt, quantity.Ratio, ""))
	}
	if m.Nowhere.Sign() > 0 {
		a.Reasons = append(a.Reasons, insight.Say(m.Nowhere, quantity.Hours, "")+" of capacity belong to people who entered nothing at all: they cannot be spread over clients")
	}
	return nil
}

// teams lists the coverage by team; teams of fewer than three people stand together.
func (a *asked) teams(m *insight.MissingTime, span quantity.Period) Table {
	t := Table{Title: "Teams", Note: "Entered hours of the capacity of the weeks. Teams of fewer than 3 people stand together.", Columns: []Column{by("team", "Team"), in("people", "People", quantity.Count), of("hours_worked", "Entered", quantity.Hours), of("capacity_hours", "Capacity", quantity.Hours), of("time_coverage", "Coverage", quantity.Ratio)}}
	type sums struct {
		people          int
		hours, capacity quantity.Decimal
	}
	teams := map[string]sums{}
	for _, p := range m.People {
		s := teams[p.Team]
		teams[p.Team] = sums{s.people + 1, s.hours.Add(p.Hours), s.capacity.Add(p.Capacity)}
	}
	var small sums
	for _, name := range sortedKeys(teams) {
		s := teams[name]
		if s.people < smallGroup {
			small = sums{small.people + s.people, small.hours.Add(s.hours), small.capacity.Add(s.capacity)}
			continue
		}
		t.Rows = append(t.Rows, Row{Cells: []any{name, whole(s.people), s.hours, s.capacity, s.hours.DivRound(s.capacity, 4)}, Query: &metric.Query{Measures: []string{"hours_worked", "capacity_hours", "time_coverage"}, Dimensions: []string{"week"}, Where: is("team", name), Period: span}})
	}
	if small.people > 0 {
		t.Rows = append(t.Rows, Row{Cells: []any{"smaller teams", whole(small.people), small.hours, small.capacity, small.hours.DivRound(small.capacity, 4)}, Why: "fewer than 3 people each"})
	}
	return t
}

// recorded lists the people and, week by week, how much of their capacity they entered.
func (a *asked) recorded(m *insight.MissingTime, span quantity.Period) (people, heat Table) {
	people = Table{
		Title: "People", Note: "Missing are the hours below capacity, week by week. Late entries are made later than a day after the work. A list of recorded time, not of performance, for those who approve time sheets; it shows no pay.",
		Columns: []Column{by("staff", "Person"), by("team", "Team"), in("low", "Weeks below 70 %", quantity.Count), of("hours_worked", "Entered", quantity.Hours), of("capacity_hours", "Capacity", quantity.Hours), of("time_coverage", "Coverage", quantity.Ratio), in("missing", "Missing", quantity.Hours), of("time_entry_prompt_share", "Entered within a day", quantity.Ratio), of("time_entry_lag", "Median delay", quantity.Hours)},
	}
	heat = Table{Title: "Coverage by week", Note: "Entered hours of capacity by the week's Monday; below 70 % a week counts as not entered. Empty: no capacity, such as a holiday.", Columns: []Column{by("staff", "Person")}}
	for _, w := range m.Weeks {
		heat.Columns = append(heat.Columns, in(w.String(), w.Time().Format("Jan 2"), quantity.Ratio))
	}
	for _, p := range m.People {
		why := ""
		if p.Prompt == nil {
			why = "its entries do not say when they were made"
		}
		q := &metric.Query{Measures: []string{"hours_worked", "capacity_hours", "time_coverage"}, Dimensions: []string{"week"}, Where: is("staff", p.Name), Period: span}
		people.Rows = append(people.Rows, Row{Cells: []any{p.Name, p.Team, whole(p.Low), p.Hours, p.Capacity, p.Hours.DivRound(p.Capacity, 4), p.Missing, known(p.Prompt), known(p.Lag)}, Why: why, Query: q})
		cells := []any{p.Name}
		for _, c := range p.Coverage {
			cells = append(cells, known(c))
		}
		heat.Rows = append(heat.Rows, Row{Cells: cells, Query: q})
	}
	return people, heat
}

// ifEntered lists the margins as recorded and with the missing time.
func (a *asked) ifEntered(m *insight.MissingTime) Table {
	t := Table{
		Title: "What it does to margins", Note: "Over the whole period. The margin lies between the two: as recorded, and with each person's hours below capacity spread over clients as the recorded ones are, at cost. How much of the missing time was work for clients nobody knows.",
		Columns: []Column{by("client", "Client"), of("revenue", "Revenue", quantity.Money), in("hours", "Hours more, at most", quantity.Hours), in("cost", "Labor cost more, at most", quantity.Money), in("margin_from", "Margin from", quantity.Ratio), of("gross_margin", "To, as recorded", quantity.Ratio), in("points", "Difference", quantity.Ratio)},
	}
	for _, c := range m.Clients {
		if a.req.Client != "" && c.Client != a.req.Client {
			continue
		}
		t.Rows = append(t.Rows, Row{
			Cells: []any{c.Client, c.Revenue, c.Hours, c.Cost, known(c.MarginAt), known(c.Margin), c.Points()}, Currency: c.Currency,
			Query: &metric.Query{Measures: []string{"revenue", "labor_cost", "hours_worked", "gross_margin"}, Dimensions: []string{"month"}, Where: is("client", c.Client), Period: a.Period},
		})
	}
	return t
}
