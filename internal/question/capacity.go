package question

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// overCapacity says which roles are short of hours next month, who is over capacity now, and
// what hiring, shifting or overtime costs.
func overCapacity(ctx context.Context, a *asked) error {
	s, err := a.insights.Staffing(ctx, a.scope, a.Period)
	if err != nil {
		return a.tooLittle(err)
	}
	a.sure(s.Confidence)
	month := s.Month.Time().Format("January 2006")
	if len(s.Roles) == 0 {
		a.Headline, a.Grade = fmt.Sprintf("This cannot be answered: neither hours nor capacity are known for %s.", month), "no_answer"
		return nil
	}
	roles := Table{
		Title: "Roles in " + month,
		Note: "Demand is foreseen naively: " + s.Rule + ", by the people's roles; it knows no trend, and people who left are still in the demand of their role. The gap is demand less 75 % of capacity, positive when hours are missing. " +
			"Its 90 % interval comes from how far the same rule was off in the months before; fewer than 5 of them are too few to say.",
		Columns: []Column{by("role", "Role"), of("headcount", "People", quantity.Count), of("next_demand", "Demand", quantity.Hours), of("next_capacity", "Capacity", quantity.Hours), of("capacity_gap", "Gap", quantity.Hours), in("low", "From", quantity.Hours), in("high", "To", quantity.Hours),
			in("probability", "Probability of a gap", quantity.Ratio), in("tested", "Months tested", quantity.Count), in("bias", "Was above the forecast by", quantity.Hours)},
	}
	options := Table{Title: "What to do about it", Note: "A month. For roles with a gap or with a probability of one of 20 % or more, and for people over capacity now.", Columns: []Column{by("role", "Role"), text("option", "Option"), in("hours", "Hours", quantity.Hours), in("cost", "Cost", quantity.MoneyPerMonth), text("how", "How")}}
	var short, may []string
	for _, g := range s.Roles {
		var low, high any
		if g.Interval != nil {
			low, high = g.Interval.Low, g.Interval.High
		}
		people, why := whole(g.People), ""
		if g.People == 0 { // the staff list does not say
			people = nil
		}
		if g.Interval == nil {
			why = fmt.Sprintf("too few to say: the rule could be tested on %s", count(g.Tested, "month"))
		}
		roles.Rows = append(roles.Rows, Row{
			Cells: []any{g.Role, people, g.Demand, g.Capacity, g.Gap, low, high, fraction(g.Probability), whole(g.Tested), g.Bias}, Why: why,
			Query: &metric.Query{Measures: []string{"next_demand", "next_capacity", "capacity_gap", "headcount"}, Where: is("role", g.Role), Period: a.Period},
		})
		switch {
		case g.Gap.Sign() > 0:
			short = append(short, fmt.Sprintf("%s by %s", g.Role, insight.Say(g.Gap, quantity.Hours, "")))
		case g.Probability != nil && *g.Probability >= likely:
			may = append(may, fmt.Sprintf("%s (%s)", g.Role, insight.Say(fraction(g.Probability).(quantity.Decimal), quantity.Ratio, "")))
		}
		for _, o := range g.Options {
			why := ""
			if o.Cost == nil {
				why = "no cost rate is known"
			}
			options.Rows = append(options.Rows, Row{Cells: []any{g.Role, o.What, o.Hours, known(o.Cost), o.Words}, Currency: o.Currency, Why: why})
		}
	}
	for _, o := range s.Shifts {
		options.Rows = append(options.Rows, Row{Cells: []any{o.Role, o.What, o.Hours, known(o.Cost), o.Words}})
	}
	people, over := a.loads(s)
	a.Tables = []Table{roles, options, people}
	switch {
	case len(short) > 0:
		a.Headline = fmt.Sprintf("In %s, %s short of hours: %s.", month, count(len(short), "role")+areIs(len(short)), strings.Join(short, ", "))
		a.Next = append(a.Next, "Shift hours first, then weigh overtime against a hire: try the hire as a scenario.")
	default:
		top := s.Roles[0]
		a.Headline = fmt.Sprintf("No role is expected to be over capacity in %s; %s closest with %s free.", month, map[bool]string{true: "people without a role come", false: top.Role + " comes"}[top.Role == "none"], insight.Say(top.Gap.Neg(), quantity.Hours, ""))
	}
	if len(may) > 0 {
		a.Headline += fmt.Sprintf(" Short with a probability of 20%% or more: %s.", strings.Join(may, ", "))
	}
	if over == 0 {
		a.Headline += fmt.Sprintf(" No person was over capacity in the last %s.", count(len(a.lastMonths()), "month"))
	} else {
		who := "1 person was"
		if over > 1 {
			who = fmt.Sprintf("%d people were", over)
		}
		a.Headline += fmt.Sprintf(" %s over capacity in the last %s.", who, count(len(a.lastMonths()), "month"))
		a.Next = append(a.Next, "Talk to the people who are over capacity, and shift hours within their role.")
	}
	return nil
}

// lastMonths are the three months, or fewer, at the end of the period.
func (a *asked) lastMonths() []quantity.Day {
	all := a.Period.Months()
	return all[max(0, len(all)-3):]
}

// loads lists who is over capacity and who has hours free, of the last months.
func (a *asked) loads(s *insight.Staffing) (Table, int) {
	t := Table{
		Title: "People over the last " + count(len(a.lastMonths()), "month"), Note: "Hours a month. Over capacity: more than 100 % of it worked, or more than 85 % billable. Free is what is left to 75 % billable. About load, not about performance: for those who plan the work.",
		Columns: []Column{by("staff", "Person"), by("role", "Role"), in("worked", "Worked", quantity.Hours), in("billable", "Billable", quantity.Hours), in("capacity", "Capacity", quantity.Hours), of("utilization", "Utilization", quantity.Ratio), in("free", "Free", quantity.Hours), text("over", "Over capacity")},
	}
	over := 0
	months := a.lastMonths()
	p := quantity.Period{From: months[0], To: a.Period.To}
	for _, l := range s.People {
		yes := "no"
		if l.Over {
			yes = "yes"
			over++
		}
		t.Rows = append(t.Rows, Row{
			Cells: []any{l.Name, l.Role, l.Worked, l.Billable, l.Capacity, l.Worked.DivRound(l.Capacity, 4), l.Free, yes},
			Query: &metric.Query{Measures: []string{"hours_worked", "billable_hours", "capacity_hours", "utilization", "billable_utilization"}, Dimensions: []string{"month"}, Where: is("staff", l.Name), Period: p},
		})
	}
	return t, over
}
