package insight

import (
	"cmp"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// The components of a project's risk.
const (
	RiskHours  = "hours"
	RiskDates  = "dates"
	RiskProfit = "margin"
)

// project puts a project together.
func (p *projectRisks) project(s projectState) ProjectRisk {
	key := [2]string{s.client, s.name}
	plan, money := p.plans[key].sums, p.money[key]
	r := ProjectRisk{Project: s.name, Client: s.client, Status: s.status, Billing: s.billedAs(), Drivers: []string{}, Start: s.start, End: s.end, Progress: s.progress,
		Currency: cmp.Or(only(money.codes), s.currency, p.house)}
	if budget := plan["project_budget_hours"]; budget.Sign() > 0 {
		r.Budget = known(budget)
	}
	if v := plan.of("project_hours_to_date"); v != nil && p.tables["time_entries"] > 0 && (v.Sign() > 0 || value(s.progress).Sign() <= 0) {
		r.Worked = v // progress without hours is time that names no project
	}
	if r.Worked != nil && r.Budget != nil {
		r.Burn = rounded(plan["project_burn"])
		if s.progress != nil {
			r.Gap = rounded(plan["project_burn_gap"])
		}
	}
	if v := plan.of("project_eac_hours"); v != nil && r.Worked != nil && v.Sign() > 0 {
		r.EAC = rounded(*v)
	}
	p.expect(&r, money.sums, s)
	r.Components = []RiskComponent{p.hoursRisk(&r, s), p.datesRisk(&r, s), p.profitRisk(&r, money.sums, s)}
	var states []string
	for i := range r.Components {
		c := &r.Components[i]
		c.settle()
		c.Words, c.Step = inCurrency(r.Currency, c.Words), inCurrency(r.Currency, c.Step)
		for j := range c.Figures {
			f := &c.Figures[j]
			if isMoney(f.Unit) {
				f.Currency = r.Currency
			}
		}
		if c.State == RiskOK {
			c.Step = ""
		}
		states = append(states, c.State)
	}
	r.State = worstOf(states...)
	for _, state := range []string{RiskAct, RiskWatch, RiskUnknown} {
		for _, c := range r.Components {
			if c.State == state {
				if state != RiskUnknown {
					r.Drivers = append(r.Drivers, c.Words)
				}
				r.Step = cmp.Or(r.Step, c.Step)
			}
		}
	}
	return r
}

// expect sets how the project is expected to come out.
func (p *projectRisks) expect(r *ProjectRisk, money cell, s projectState) {
	switch {
	case r.Budget == nil:
		r.Why = "no budget in hours is stated"
	case r.Worked == nil:
		r.Why = "no hours name the project"
	default:
		var progress *float64
		if s.progress != nil {
			f := float(*s.progress)
			progress = &f
		}
		o := overrunOf(float(*r.Worked), float(*r.Budget), progress, p.ratios)
		r.Overrun, r.Why = o.probability, o.why
		if i := o.final; i != nil {
			r.FinalHours = &Interval{Low: dec(i.Low).Round(4), High: dec(i.High).Round(4), Level: level, Method: i.Method, Of: expected}
		}
	}
	rate, cost := hourly(money, "project_labor_cost", r.Worked)
	price, priced := hourly(money, "project_revenue", r.Worked)
	if s.price != nil && r.Budget != nil {
		price, priced = ratio(*s.price, *r.Budget)
	}
	if r.EAC == nil {
		return
	}
	if r.Budget != nil {
		over := r.EAC.Sub(*r.Budget)
		r.OverrunHours = rounded(over)
		if cost {
			r.OverrunCost = known(over.Mul(rate).Round(4))
		}
		if priced {
			r.OverrunPrice = known(over.Mul(price).Round(4))
		}
	}
	brought := quantity.Decimal{}
	switch {
	case r.Billing == BillingFixed && s.price != nil:
		brought = *s.price
	case r.Billing == BillingHourly && priced:
		if at, ok := hourly(money, "project_revenue", r.Worked); ok {
			brought = at.Mul(*r.EAC)
		}
	}
	if cost && brought.Sign() > 0 {
		profit := brought.Sub(rate.Mul(*r.EAC)).Sub(money["project_direct_cost"])
		margin, _ := ratio(profit, brought)
		r.ProfitAtEnd, r.MarginAtEnd = known(profit.Round(4)), rounded(margin)
	}
}

// hourly is money of a project for each of its hours; false when it is not known, or nothing.
func hourly(money cell, measure string, hours *quantity.Decimal) (quantity.Decimal, bool) {
	v, ok := money[measure]
	if !ok || hours == nil || v.Sign() <= 0 {
		return quantity.Decimal{}, false
	}
	return ratio(v, *hours)
}

// figure begins a figure of a project.
func (p *projectRisks) figure(s projectState, measure, label string, unit quantity.Unit, value *quantity.Decimal, why string) RiskFigure {
	f := RiskFigure{Name: measure, Label: label, Unit: unit, Value: value, Sure: "counted, as sure as the data", Query: p.query(s, measure)}
	if value == nil {
		f.Reason = why
	}
	return f
}

// hoursRisk is hours worked and estimated against the budget, and against progress.
func (p *projectRisks) hoursRisk(r *ProjectRisk, s projectState) RiskComponent {
	part := RiskComponent{Name: RiskHours, Label: "Hours"}
	noBudget, noHours, noProgress := "no budget in hours is stated: import projects with budget_hours", "no hours name the project: enter time on it", "no progress is stated: import projects with percent_complete"
	worked := ""
	if r.Worked == nil {
		worked = noHours
	}
	budget := worked
	if r.Budget == nil {
		budget = noBudget
	}
	progress := budget
	if s.progress == nil {
		progress = noProgress
	}
	burn := p.figure(s, "project_burn", "Worked of the budget", quantity.Ratio, r.Burn, budget)
	gap := p.figure(s, "project_burn_gap", "Burn beyond progress", quantity.Ratio, r.Gap, progress)
	var share *quantity.Decimal
	if r.EAC != nil && r.Budget != nil {
		v, _ := ratio(*r.EAC, *r.Budget)
		share = rounded(v)
	}
	why := progress
	if why == "" {
		why = "there is no progress yet, from which it could be estimated"
	}
	eac := p.figure(s, "project_eac_share", "Estimate at completion by budget", quantity.Ratio, share, why)
	eac.Sure = "hours so far / progress, as if the rest goes as it went so far; no interval of its own"
	if r.Overrun != nil {
		one := RiskChance{Limit: one, Above: true, Probability: *r.Overrun, Words: "the budget is overrun with a probability of " + percent(dec(*r.Overrun))}
		eac.Chances, eac.Sure = []RiskChance{one}, r.Why
		if i := r.FinalHours; i != nil {
			eac.Interval = &Interval{Low: i.Low.DivRound(*r.Budget, 4), High: i.High.DivRound(*r.Budget, 4), Level: i.Level, Method: i.Method, Of: i.Of}
		}
		// The same probability answers for the limit: what lies above it lies above the budget.
		if t, ok := p.bands["project_eac_share"]; ok {
			if edge, above, ok := worstEdge(t); ok && above {
				eac.Chances = append(eac.Chances, RiskChance{Limit: edge, Above: true, Probability: *r.Overrun, Words: one.Words})
			}
		}
	}
	p.bands.judge(&burn, "project_burn")
	p.bands.judge(&gap, "project_burn_gap")
	p.bands.judge(&eac, "project_eac_share")
	eac.Chances = eac.Chances[:min(1, len(eac.Chances))]
	if zero := value(s.progress); s.progress != nil && zero.IsZero() && value(r.Worked).IsZero() && r.Budget != nil {
		eac.State, eac.Reason = RiskOK, "not begun" // nothing is worked and nothing is done
	}
	part.Figures = []RiskFigure{burn, gap, eac,
		p.figure(s, projectMeasure, "Hours worked", quantity.Hours, r.Worked, noHours), p.figure(s, "project_budget_hours", "Hours planned", quantity.Hours, r.Budget, noBudget)}
	switch {
	case r.Worked == nil:
		part.Words = asSentence(noHours)
	case r.Budget == nil:
		part.Words = fmt.Sprintf("%s hours are worked; no budget is stated.", plain(*r.Worked))
	case s.progress == nil:
		part.Words = fmt.Sprintf("%s of %s hours are worked (%s); no progress is stated.", plain(*r.Worked), plain(*r.Budget), percent(*r.Burn))
	default:
		part.Words = fmt.Sprintf("%s of %s hours are worked (%s) and %s is done", plain(*r.Worked), plain(*r.Budget), percent(*r.Burn), percent(*s.progress))
		if r.EAC != nil {
			part.Words += fmt.Sprintf(": it comes to %s hours at this pace", plain(*r.EAC))
		}
		if r.OverrunCost != nil && r.OverrunHours.Sign() > 0 {
			part.Words += fmt.Sprintf(", %s over, which cost %s", plain(*r.OverrunHours), amount(*r.OverrunCost))
		}
		part.Words += "."
	}
	if r.Overrun != nil {
		part.Words += fmt.Sprintf(" Probability of an overrun: %s.", percent(dec(*r.Overrun)))
	}
	switch {
	case r.Worked == nil, r.Budget == nil, s.progress == nil:
		for _, f := range part.Figures[:3] {
			if f.State == RiskUnknown && part.Step == "" {
				part.Step = asSentence(f.Reason)
			}
		}
	case r.Billing == BillingFixed:
		part.Step = fmt.Sprintf("The fee is fixed: agree on a change order for what was not in the plan, or cut what is left to %s hours.", plain(decimal.Max(decimal.Zero, r.Budget.Sub(*r.Worked))))
	case r.Billing == BillingHourly:
		part.Step = fmt.Sprintf("Tell %s before the budget is gone: every further hour is theirs to agree to.", r.Client)
	default:
		part.Step = "Tell the client before the budget is gone; state how the project is billed (billing_method), which tells who bears the overrun."
	}
	return part
}

// datesRisk is the expected end against the planned one.
func (p *projectRisks) datesRisk(r *ProjectRisk, s projectState) RiskComponent {
	part := RiskComponent{Name: RiskDates, Label: "Dates"}
	f := RiskFigure{Name: "slip_days", Label: "Expected end after the planned one", Unit: quantity.Days, Sure: "at the pace of the progress since the start; no interval", Query: p.query(s, projectMeasure),
		Limit: &RiskLimit{Words: "up to 0 days: in time; above: late (watch)", Kind: "A", Source: "by definition"}, State: RiskUnknown}
	past := !s.end.IsZero() && s.end.Before(p.out.AsOf)
	switch days := s.start.DaysUntil(p.out.AsOf.AddDays(1)); {
	case s.end.IsZero():
		f.Reason = "no planned end is stated: import projects with end_date"
	case s.start.IsZero() && !past:
		f.Reason = "no start is stated: import projects with start_date"
	case value(s.progress).Sign() > 0 && !s.start.IsZero() && days > 0:
		all := decimal.NewFromInt(int64(days)).Div(*s.progress).Ceil()
		r.Expected = s.start.AddDays(int(all.IntPart()) - 1)
		if past && r.Expected.Before(p.out.AsOf) {
			r.Expected = p.out.AsOf
		}
	case past:
		r.Expected = p.out.AsOf
		f.Sure = "the planned end has passed; it can only be later than this"
	case s.progress == nil:
		f.Reason = "no progress is stated: import projects with percent_complete"
	default:
		f.Reason = "there is no progress yet, from which an end could be expected"
	}
	if f.Reason == "" {
		r.Slip = known(decimal.NewFromInt(int64(s.end.DaysUntil(r.Expected))))
		f.Value, f.State = r.Slip, RiskOK
		if r.Slip.Sign() > 0 {
			f.State = RiskWatch
		}
	}
	part.Figures = []RiskFigure{f}
	switch {
	case r.Slip == nil:
		part.Words, part.Step = asSentence(f.Reason), asSentence(f.Reason)
	case r.Slip.Sign() > 0:
		part.Words = fmt.Sprintf("The end is expected on %s, %s after the planned one.", r.Expected, inUnit(*r.Slip, quantity.Days))
		part.Step = fmt.Sprintf("Agree with %s on a new end, or put more people on it.", r.Client)
	default:
		part.Words = fmt.Sprintf("The end is expected on %s, planned is %s.", r.Expected, s.end)
	}
	return part
}

// profitRisk is the margin so far, and when the hours come out as estimated.
func (p *projectRisks) profitRisk(r *ProjectRisk, money cell, s projectState) RiskComponent {
	part := RiskComponent{Name: RiskProfit, Label: "Margin"}
	soFar := "nothing is billed on the project yet"
	switch {
	case p.tables["invoices"] == 0:
		soFar = "no invoices are imported: import invoices whose lines name the project"
	case r.Worked == nil:
		soFar = "no hours name the project, so its cost is not known"
	case r.Worked.Sign() > 0:
		if _, ok := hourly(money, "project_labor_cost", r.Worked); !ok {
			soFar = "no cost rate is known for its hours: import staff with cost rates"
		} else {
			r.MarginSoFar = money.of("project_margin")
		}
	}
	now := p.figure(s, "project_margin", "Margin so far", quantity.Ratio, r.MarginSoFar, soFar)
	end := p.figure(s, "project_margin", "Margin when the hours come out as estimated", quantity.Ratio, r.MarginAtEnd, "")
	end.Sure = "the fee, or what an hour brought so far, against what an hour cost so far, at the estimated hours; no interval"
	if end.Value == nil {
		switch {
		case r.Billing == BillingOther:
			end.Reason = "the project is not billed"
		case r.Billing == BillingUnknown:
			end.Reason = "how the project is billed is not stated: import projects with billing_method"
		case r.EAC == nil:
			end.Reason = "there is no estimate of its hours"
		case r.Billing == BillingFixed && s.price == nil:
			end.Reason = "the fee is not stated: import projects with budget_amount"
		default:
			end.Reason = soFar
		}
	}
	if r.Billing == BillingOther {
		part.Words = "The project is not billed."
		part.Figures = []RiskFigure{now, end}
		return part
	}
	p.bands.judge(&now, "project_margin")
	if r.Billing == BillingFixed && end.Value != nil {
		now.Limit, now.State = nil, "" // a fee is billed when it is agreed, not as the work goes on
	}
	p.bands.judge(&end, "project_margin")
	part.Figures = []RiskFigure{now, end}
	switch {
	case r.MarginAtEnd != nil:
		part.Words = fmt.Sprintf("It comes to a margin of %s, %s.", percent(*r.MarginAtEnd), amount(*r.ProfitAtEnd))
	case r.MarginSoFar != nil:
		part.Words = fmt.Sprintf("A margin of %s so far; at the end: %s.", percent(*r.MarginSoFar), end.Reason)
	default:
		part.Words = asSentence(end.Reason)
	}
	for _, f := range part.Figures {
		if f.Limit != nil && f.State == RiskUnknown && part.Step == "" {
			part.Step = asSentence(f.Reason)
		}
		if f.State == RiskAct || f.State == RiskWatch {
			part.Step = "See what an hour brings and costs on it; the price, or who does it, is too dear."
			break
		}
	}
	return part
}
