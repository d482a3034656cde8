package question

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// projectOverruns lists the open fixed-fee projects by their risk to overrun.
func projectOverruns(ctx context.Context, a *asked) error {
	r, err := a.insights.ProjectRisks(ctx, a.scope, a.Period.To)
	if err != nil {
		return a.tooLittle(err)
	}
	a.noteVersions(r.Versions)
	t := Table{
		Title: "Open projects for a fixed fee, or of which it is not stated", Note: r.Rule + " " + capital(r.History.Words),
		Columns: []Column{text("project", "Project"), by("client", "Client"), text("billing", "Billed"), text("state", "State"), in("budget", "Budget", quantity.Hours), of("project_hours", "Worked", quantity.Hours), in("burn", "Burn", quantity.Ratio), in("progress", "Progress", quantity.Ratio),
			in("estimate", "Estimate", quantity.Hours), in("low", "From", quantity.Hours), in("high", "To", quantity.Hours), in("probability", "Overrun, P", quantity.Ratio), in("cost", "Overrun costs", quantity.Money), day("end", "Planned end"), day("expected_end", "Expected end"), in("slip", "Slip", quantity.Days)},
	}
	others := Table{Title: "Other open projects", Note: "Billed by the hour, where an overrun is the client's to agree to, or not billed.", Columns: t.Columns}
	cost := amounts{}
	act, watch, unknown, unstated := 0, 0, 0, 0
	var late *insight.ProjectRisk
	for i, p := range r.Projects {
		if a.req.Client != "" && p.Client != a.req.Client {
			continue
		}
		switch p.Billing {
		case insight.BillingFixed:
		case insight.BillingUnknown: // it may be for a fixed fee
			unstated++
		default:
			others.Rows = append(others.Rows, a.projectRow(p))
			continue
		}
		switch p.State {
		case "act":
			act++
			if late == nil {
				late = &r.Projects[i]
			}
			if p.OverrunCost != nil && p.OverrunCost.Sign() > 0 {
				cost.add(p.Currency, *p.OverrunCost)
			}
		case "watch":
			watch++
		case "unknown":
			unknown++
		}
		t.Rows = append(t.Rows, a.projectRow(p))
	}
	a.Tables = []Table{t, others}
	asOf := onDay(a.Period.To.AddDays(-1))
	judged := len(t.Rows) - unknown
	kind := "open project"
	switch unstated {
	case 0:
		kind = "open fixed-fee project"
	case len(t.Rows):
		a.Reasons = append(a.Reasons, "how the projects are billed is not stated: they may be by the hour")
	default:
		a.Reasons = append(a.Reasons, fmt.Sprintf("how %d of %s are billed is not stated", unstated, count(len(t.Rows), "project")))
	}
	switch {
	case len(t.Rows) == 0:
		a.Headline, a.Grade = fmt.Sprintf("No open project for a fixed fee is known as of %s.", asOf), "no_answer"
		if n := len(others.Rows); n > 0 {
			a.Headline = strings.TrimSuffix(a.Headline, ".") + fmt.Sprintf("; %s billed by the hour or not at all.", map[bool]string{true: "1 other is", false: count(n, "other") + " are"}[n == 1])
			a.Reasons = append(a.Reasons, "every open project says that it is not for a fixed fee")
			a.Grade = "high"
			return nil
		}
		a.Next = append(a.Next, "Import projects with their billing method, budget and percent complete.")
		return nil
	case judged == 0:
		a.Headline, a.Grade = fmt.Sprintf("Which of %s will overrun is not known as of %s: budgets or progress are missing.", count(len(t.Rows), kind), asOf), "no_answer"
		a.Next = append(a.Next, "Import the budget and the percent complete of open projects.")
		return nil
	case act == 0:
		a.Headline = fmt.Sprintf("None of %s must be acted on as of %s; %s to watch.", count(judged, kind), asOf, count(watch, ""))
	default:
		a.Headline = fmt.Sprintf("%d of %s must be acted on as of %s", act, count(judged, kind), asOf)
		if !cost.zero() {
			a.Headline += fmt.Sprintf(": their hours come out %s dearer than planned", cost.say(quantity.Money))
		}
		a.Headline += "."
		a.Next = append(a.Next, fmt.Sprintf("Start with %s at %s. %s", late.Project, late.Client, late.Step))
	}
	// A band of estimates: as sure as there is history to judge by, never high.
	a.Grade = "medium"
	if r.History.N < 5 {
		a.Grade = "low"
	}
	a.Reasons = append(a.Reasons, count(r.History.N, "finished project")+" with a budget to learn from")
	if unknown > 0 {
		a.Grade = "low"
		a.Reasons = append(a.Reasons, "too much is not known to judge "+count(unknown, "project"))
	}
	for _, n := range r.NotInIt {
		a.Reasons = append(a.Reasons, "not in it: "+n)
	}
	a.Reasons = append(a.Reasons, r.Notes...)
	return nil
}

var stateWords = map[string]string{"act": "act", "watch": "watch", "unknown": "not known", "ok": "well"}

// projectRow is an open project.
func (a *asked) projectRow(p insight.ProjectRisk) Row {
	var low, high, end, expected any
	if p.FinalHours != nil {
		low, high = p.FinalHours.Low, p.FinalHours.High
	}
	if !p.End.IsZero() {
		end = p.End.String()
	}
	if !p.Expected.IsZero() {
		expected = p.Expected.String()
	}
	why := withOthers(p.Drivers, len(p.Drivers))
	if why != "" {
		why = capital(why) + "."
	}
	return Row{
		Cells:    []any{p.Project, p.Client, strings.ReplaceAll(p.Billing, "_", " "), stateWords[p.State], known(p.Budget), known(p.Worked), known(p.Burn), known(p.Progress), known(p.EAC), low, high, fraction(p.Overrun), known(p.OverrunCost), end, expected, known(p.Slip)},
		Currency: p.Currency, Why: strings.TrimSpace(why + " " + p.Step + " " + noted(p.Why)),
		Query: &metric.Query{Measures: []string{"project_hours", "project_labor_cost"}, Dimensions: []string{"month"}, Where: both(is("project", p.Project), is("client", p.Client)), Period: quantity.Period{To: a.Period.To}, Snapshot: a.Snapshot},
	}
}
