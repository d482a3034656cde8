package question

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
)

// The standing scenarios raise prices by raise, at worstAgreements agreements when it is
// not all.
var raise = decimal.New(6, -2)

const worstAgreements = 10

// standing is one of the standing scenarios; without levers, lacks says why.
type standing struct {
	name   string
	levers []scenario.Lever
	lacks  string
	// behind returns the figures that the levers change.
	behind metric.Query
}

// whatIf lives the period through once more under each of the standing scenarios.
func whatIf(ctx context.Context, a *asked) error {
	if a.req.Client != "" {
		return fault.WithFields("this question is about the whole firm", fault.Field{Path: "client", Message: "leave it out"})
	}
	base, err := a.scenarios.Run(ctx, a.scope, scenario.Definition{Period: a.Period, Snapshot: a.Snapshot})
	if err != nil {
		if several := severalCurrencies(err); several != "" {
			a.Headline, a.Grade, a.Reasons = "This cannot be answered for all at once: "+several+", which are not added.", "no_answer", []string{several}
			a.Next = append(a.Next, "Open What if and choose the currency to count in.")
			return nil
		}
		return a.tooLittle(err)
	}
	a.noteVersions(base.Versions)
	all, err := a.standingScenarios(ctx)
	if err != nil {
		return a.tooLittle(err)
	}
	money := func(name, label string) Column { return in(name, label, quantity.Money) }
	t := Table{
		Title: "The standing scenarios", Note: "The period once more under other terms, nothing else changed and nothing forecast. Change and interval are of gross profit, as hours follow the work. With the present staff, hours that are set free are paid all the same, and whoever joins is paid on top: of hiring, that is the figure. Levers open each in What if.",
		Columns: []Column{text("scenario", "Scenario"), money("revenue", "Revenue"), money("gross_profit", "Gross profit"), money("change", "Change"), money("low", "From"), money("high", "To"),
			in("gross_margin", "Margin", quantity.Ratio), in("margin_low", "Margin from", quantity.Ratio), in("margin_high", "Margin to", quantity.Ratio), money("present_staff", "With the present staff"), text("levers", "Levers")},
	}
	t.Rows = append(t.Rows, scenarioRow("As it was", base, metric.Query{Measures: []string{"revenue", "labor_cost", "direct_cost", "gross_profit", "gross_margin"}, Dimensions: []string{"month"}, Period: a.Period}))
	t.Rows[0].Cells[3], t.Rows[0].Cells[4], t.Rows[0].Cells[5], t.Rows[0].Cells[9], t.Rows[0].Cells[10] = nil, nil, nil, nil, nil
	type outcome struct {
		name   string
		change quantity.Decimal
	}
	var outcomes []outcome
	for _, s := range all {
		s.behind.Period, s.behind.Snapshot = a.Period, a.Snapshot
		if s.lacks == "" {
			var r *scenario.Result
			if r, err = a.scenarios.Run(ctx, a.scope, scenario.Definition{Period: a.Period, Snapshot: a.Snapshot, Levers: s.levers}); err == nil {
				t.Rows = append(t.Rows, scenarioRow(s.name, r, s.behind))
				brings := lineOf(r, "gross_profit").Change
				if !r.StaffingCost.IsZero() {
					brings = r.PresentStaff // people who join cost pay, and no hour more
				}
				if brings != nil {
					outcomes = append(outcomes, outcome{s.name, *brings})
				}
				if len(a.Reasons) == 0 {
					a.Reasons = r.Assumptions
				}
				continue
			}
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.NotFound {
				return err
			}
			s.lacks = fault.Message(err)
		}
		t.Rows = append(t.Rows, Row{Cells: []any{s.name, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil}, Why: capital(s.lacks) + "."})
	}
	a.Tables = []Table{t}
	profit, margin := lineOf(base, "gross_profit"), lineOf(base, "gross_margin")
	if profit.Baseline == nil {
		why := orElse(profit.Reason, lineOf(base, "revenue").Reason, "it has no value")
		a.Headline, a.Grade, a.Reasons = fmt.Sprintf("What the scenarios bring is not known: gross profit of %s has no value, because %s.", a.Period.Words(), why), "no_answer", []string{why}
		return nil
	}
	say := func(d quantity.Decimal) string { return insight.Say(d, quantity.Money, base.Currency) }
	a.Headline = fmt.Sprintf("Gross profit of %s was %s", a.Period.Words(), say(*profit.Baseline))
	if margin.Baseline != nil {
		a.Headline += fmt.Sprintf(" (a margin of %s)", insight.Say(*margin.Baseline, quantity.Ratio, ""))
	}
	slices.SortStableFunc(outcomes, func(x, y outcome) int { return cmp.Or(y.change.Cmp(x.change), strings.Compare(x.name, y.name)) })
	switch n := len(outcomes); n {
	case 0:
		a.Headline += "; none of the scenarios can be computed from this data."
	case 1:
		a.Headline += fmt.Sprintf(". The one scenario that can be computed: %s (%s).", lower(outcomes[0].name), signed(outcomes[0].change, base.Currency))
	default:
		best, worst := outcomes[0], outcomes[n-1]
		a.Headline += fmt.Sprintf(". Of %s, the best is: %s (%s); the worst: %s (%s).", count(n, "scenario"), lower(best.name), signed(best.change, base.Currency), lower(worst.name), signed(worst.change, base.Currency))
	}
	if len(outcomes) > 0 {
		a.Next = append(a.Next, "Open a scenario in What if, change its levers, and save what you decide on.")
	}
	reasons := a.Reasons
	if err := a.sureOf(ctx, "gross_profit", "", a.Period); err != nil {
		return a.tooLittle(err)
	}
	a.Reasons = append(slices.Clone(a.Reasons), reasons...)
	return nil
}

// lower writes the first letter small.
func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// severalCurrencies is what a scenario says of amounts that need a currency to count in.
func severalCurrencies(err error) string {
	for _, f := range fault.FieldsOf(err) {
		if f.Path == "currency" && len(f.Allowed) > 0 {
			return "amounts are in " + strings.Join(f.Allowed, " and ")
		}
	}
	return ""
}

func lineOf(r *scenario.Result, measure string) scenario.Line {
	for _, l := range r.Lines {
		if l.Measure == measure {
			return l
		}
	}
	return scenario.Line{}
}

func scenarioRow(name string, r *scenario.Result, behind metric.Query) Row {
	revenue, profit, margin := lineOf(r, "revenue"), lineOf(r, "gross_profit"), lineOf(r, "gross_margin")
	var low, high, marginLow, marginHigh any
	if i := profit.ChangeInterval; i != nil {
		low, high = i.Low, i.High
	}
	if i := margin.ScenarioInterval; i != nil {
		marginLow, marginHigh = i.Low, i.High
	}
	var levers []string
	for _, l := range r.Definition.Levers {
		levers = append(levers, l.String())
	}
	return Row{
		Cells:    []any{name, known(revenue.Scenario), known(profit.Scenario), known(profit.Change), low, high, known(margin.Scenario), marginLow, marginHigh, known(r.PresentStaff), orNull(strings.Join(levers, "; "))},
		Currency: r.Currency, Why: orElse(profit.Reason, revenue.Reason, strings.Join(r.Assumptions, "; ")), Query: &behind,
	}
}

// standingScenarios chooses whom and what each of the scenarios is about.
func (a *asked) standingScenarios(ctx context.Context) ([]standing, error) {
	sheet, err := a.insights.Reprices(ctx, a.scope, insight.RepriceRequest{Period: a.Period})
	if err != nil {
		return nil, err
	}
	worst, err := a.raiseWorst(ctx, sheet)
	if err != nil {
		return nil, err
	}
	leave, err := a.loseLargest(ctx)
	if err != nil {
		return nil, err
	}
	hire, err := a.hire(ctx)
	if err != nil {
		return nil, err
	}
	drop, err := a.dropVendor(ctx)
	if err != nil {
		return nil, err
	}
	recurring := map[string][]string{"revenue_category": {"recurring_labor", "recurring_resale"}}
	return []standing{
		worst,
		{name: "Raise all recurring prices by 6%", levers: []scenario.Lever{{Kind: scenario.Price, Percent: &raise, Select: recurring}},
			behind: metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"revenue_category"}, Where: `revenue_category in ["recurring_labor", "recurring_resale"]`}},
		reprice1(sheet), leave, hire, drop,
	}, nil
}

// raiseWorst raises the agreements of the lowest margins among those below the wanted one.
func (a *asked) raiseWorst(ctx context.Context, sheet *insight.RepriceSheet) (standing, error) {
	s := standing{name: "Raise the agreements of the lowest margin by 6%", lacks: "no agreement with recurring revenue is known to be below the wanted margin"}
	billed, err := a.run(ctx, metric.Query{Measures: []string{"recurring_revenue"}, Dimensions: []string{"agreement"}, Period: a.Period})
	if err != nil {
		return s, err
	}
	has := map[string]bool{}
	for _, row := range billed.Rows {
		if v, ok := row[1].(quantity.Decimal); ok && v.Sign() > 0 {
			has[row[0].(string)] = true
		}
	}
	low := slices.DeleteFunc(slices.Clone(sheet.Items), func(i insight.Reprice) bool { return i.Proposed == nil || i.Margin == nil || !has[i.Agreement] })
	slices.SortStableFunc(low, func(x, y insight.Reprice) int {
		return cmp.Or(x.Margin.Cmp(*y.Margin), strings.Compare(x.Agreement, y.Agreement))
	})
	var names []string
	for _, i := range low[:min(worstAgreements, len(low))] {
		names = append(names, i.Agreement)
	}
	if len(names) == 0 {
		return s, nil
	}
	s.name = fmt.Sprintf("Raise the %s of the lowest margin by 6%%", count(len(names), "agreement"))
	s.levers, s.lacks = []scenario.Lever{{Kind: scenario.Price, Percent: &raise, Select: map[string][]string{"agreement": names}}}, ""
	s.behind = metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"agreement"}, Where: among("agreement", names)}
	return s, nil
}

// reprice1 moves the agreement that misses most to its proposed price.
func reprice1(sheet *insight.RepriceSheet) standing {
	s := standing{name: "Move the worst agreement to its proposed price", lacks: "no agreement is known to be below the wanted margin"}
	for _, i := range sheet.Items {
		if i.Proposed == nil {
			continue
		}
		fee := i.Proposed.RoundBank(2)
		s.name = fmt.Sprintf("Move %s to its proposed price", i.Agreement)
		s.levers, s.lacks = []scenario.Lever{{Kind: scenario.Fee, Amount: &fee, Select: map[string][]string{"agreement": {i.Agreement}}}}, ""
		s.behind = metric.Query{Measures: []string{"recurring_revenue"}, Dimensions: []string{"month"}, Where: is("agreement", i.Agreement)}
		return s
	}
	return s
}

// largest is the member of a dimension with most of a measure, "" when there is none.
func (a *asked) largest(ctx context.Context, measure, dimension, where string, none ...string) (string, error) {
	r, err := a.run(ctx, metric.Query{Measures: []string{measure}, Dimensions: []string{dimension}, Where: where, Period: a.Period, Order: []string{"-" + measure, dimension}})
	if err != nil {
		return "", err
	}
	for _, row := range r.Rows {
		if v, ok := row[1].(quantity.Decimal); ok && v.Sign() > 0 && !slices.Contains(none, row[0].(string)) {
			return row[0].(string), nil
		}
	}
	return "", nil
}

func (a *asked) loseLargest(ctx context.Context) (standing, error) {
	s := standing{name: "Lose the largest client", lacks: "no client with revenue is known"}
	client, err := a.largest(ctx, "revenue", "client", `client_status != "internal"`, unassigned)
	if err != nil || client == "" {
		return s, err
	}
	s.name, s.lacks = "Lose the largest client, "+client, ""
	s.levers = []scenario.Lever{{Kind: scenario.Churn, Select: map[string][]string{"client": {client}}}}
	s.behind = metric.Query{Measures: []string{"revenue", "labor_cost", "direct_cost", "gross_profit"}, Dimensions: []string{"month"}, Where: is("client", client)}
	return s, nil
}

// hire adds one person of the role with most hours for clients.
func (a *asked) hire(ctx context.Context) (standing, error) {
	one := decimal.NewFromInt(1)
	s := standing{name: "Add a technician", lacks: "no capacity of the staff is known: import staff"}
	if a.rows["staff"] == 0 {
		return s, nil
	}
	role, err := a.largest(ctx, "hours_worked", "role", `client_status != "internal"`, unassigned, "none", "unknown")
	if err != nil {
		return s, err
	}
	lever := scenario.Lever{Kind: scenario.Staffing, Amount: &one}
	s.behind = metric.Query{Measures: []string{"capacity_hours"}, Dimensions: []string{"role"}}
	if role != "" {
		s.name = "Add a person: " + role
		lever.Select = map[string][]string{"role": {role}}
		s.behind.Where = is("role", role)
	}
	s.levers, s.lacks = []scenario.Lever{lever}, ""
	return s, nil
}

// dropVendor stops the largest tool; without tools told apart, the largest vendor.
func (a *asked) dropVendor(ctx context.Context) (standing, error) {
	s := standing{name: "Drop the largest tool vendor", lacks: "no direct cost names a vendor"}
	vendor, err := a.largest(ctx, "tool_cost", "vendor", "", unassigned, "none")
	if err != nil {
		return s, err
	}
	name := "Drop the largest tool, of "
	if vendor == "" {
		if vendor, err = a.largest(ctx, "direct_cost", "vendor", "", unassigned, "none"); err != nil || vendor == "" {
			return s, err
		}
		name = "Drop the largest vendor (what is sold on included), "
	}
	all := decimal.NewFromInt(-1)
	s.name, s.lacks = name+vendor, ""
	s.levers = []scenario.Lever{{Kind: scenario.Cost, Percent: &all, Select: map[string][]string{"vendor": {vendor}}}}
	s.behind = metric.Query{Measures: []string{"direct_cost"}, Dimensions: []string{"month"}, Where: is("vendor", vendor)}
	return s, nil
}
