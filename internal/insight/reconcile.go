package insight

import (
	"context"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Reconciliation says whether revenue and labor are what the books say, by month, and why
// figures here may differ from those of the systems that the data comes from. A figure that
// is null is not known; Reason says why.
type Reconciliation struct {
	Period      quantity.Period `json:"period"`
	Currency    string          `json:"currency,omitempty"`
	Revenue     []RevenueTie    `json:"revenue"`
	Labor       []LaborTie      `json:"labor"`
	Differences []Difference    `json:"differences"` // of the whole period
	// Notes say what is missing, and which kind of cost rate the staff's rates are.
	Notes              []string           `json:"notes"`
	Snapshot           warehouse.Snapshot `json:"snapshot"`
	DefinitionVersions map[string]int     `json:"definition_versions"`
}

// RevenueTie is a month's revenue beside the ledger's income.
type RevenueTie struct {
	Month    quantity.Day      `json:"month"`
	Invoiced *quantity.Decimal `json:"invoiced"`
	Earned   *quantity.Decimal `json:"earned"`
	Ledger   *quantity.Decimal `json:"ledger"`
	Gap      *quantity.Decimal `json:"gap"` // invoiced − ledger
	// Likely are explanations whose amount is the gap to the cent.
	Likely []string `json:"likely"`
	Reason string   `json:"reason,omitempty"`
}

// LaborTie is a month's pay and where it went: pay = client labor + internal labor +
// unabsorbed, and unabsorbed = leave + not entered + rates where these are known.
type LaborTie struct {
	Month      quantity.Day      `json:"month"`
	Payroll    *quantity.Decimal `json:"payroll"`
	Client     *quantity.Decimal `json:"client_labor"`
	Internal   *quantity.Decimal `json:"internal_labor"`
	Unabsorbed *quantity.Decimal `json:"unabsorbed"`
	Share      *quantity.Decimal `json:"unabsorbed_share"` // of payroll, a ratio
	Leave      *quantity.Decimal `json:"leave"`            // paid hours beyond capacity (holidays, time off), at the cost of a paid hour
	NotEntered *quantity.Decimal `json:"not_entered"`      // capacity beyond the hours entered, at that cost
	Rates      *quantity.Decimal `json:"rates"`            // entered hours at that cost − their labor cost: cost rates other than pay
	Reason     string            `json:"reason,omitempty"`
}

// Difference is a reason why a figure of another system differs from one here.
type Difference struct {
	Name    string           `json:"name"`
	Measure string           `json:"measure"` // the figure here that is affected
	Amount  quantity.Decimal `json:"amount"`
	Unit    quantity.Unit    `json:"unit"`
	Words   string           `json:"words"`
	// Query returns the figures behind it, and from them the rows.
	Query metric.Query `json:"query"`
}

var (
	revenueTies = []string{"revenue", "revenue_earned", "ledger_revenue", "revenue_draft", "revenue_void", "revenue_down_payment", "tax"}
	laborTies   = []string{"absorbable_payroll", "client_labor", "internal_labor", "unabsorbed_labor", "unabsorbed_share", "paid_hours", "payroll_cost", "capacity_hours", "hours_worked"}
)

// Reconcile compares revenue with the ledger and labor with payroll over the whole months of
// period, and lists why figures differ from those of other systems. The zero Period is the
// last twelve complete months.
//
// Errors: Invalid when the period holds no whole month of data.
func (s *Service) Reconcile(ctx context.Context, scope tenant.Scope, period quantity.Period) (*Reconciliation, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	r.oneCurrency = true
	out := &Reconciliation{Revenue: []RevenueTie{}, Labor: []LaborTie{}, Differences: []Difference{}, Notes: []string{}, Snapshot: r.snapshot, DefinitionVersions: map[string]int{}}
	for _, name := range slices.Concat(revenueTies, laborTies) {
		if m, err := s.metrics.Measure(name); err == nil {
			out.DefinitionVersions[name] = m.Version
		}
	}
	complete, err := r.completeMonths(ctx, quantity.DayOf(s.now().UTC()))
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	if !complete.Bounded() {
		out.Notes = append(out.Notes, "nothing is imported yet, or no month is complete")
		return out, nil
	}
	if out.Period, err = within(period, complete); err != nil {
		return nil, err
	}
	if out.Currency, err = r.house(ctx); err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	for _, one := range []struct {
		name string
		run  func(context.Context, *Reconciliation) error
	}{{"revenue", r.tieRevenue}, {"labor", r.tieLabor}, {"differences", r.differences}, {"cost rates", r.kindOfRates}} {
		if err := one.run(ctx, out); err != nil {
			return nil, fmt.Errorf("reconcile %s: %w", one.name, err)
		}
	}
	return out, nil
}

// byMonth returns the rows of the measures by month of p; a month without facts has none.
func (r reader) byMonth(ctx context.Context, p quantity.Period, measures ...string) (map[string]row, error) {
	rows, err := r.read(ctx, p, "", []string{"month"}, measures...)
	return rowsByKey(rows), err
}

// of is a known figure of the row to four decimals, nil when it is not known.
func (c cell) of(measure string) *quantity.Decimal {
	v, ok := c[measure]
	if !ok {
		return nil
	}
	v = v.RoundBank(4)
	return &v
}

func (r reader) tieRevenue(ctx context.Context, out *Reconciliation) error {
	if r.tables["ledger"] == 0 {
		out.Notes = append(out.Notes, "no ledger imported: whether revenue is what the books say is not known (import ledger)")
	}
	rows, err := r.byMonth(ctx, out.Period, revenueTies...)
	if err != nil {
		return err
	}
	months := out.Period.Months()
	gap := func(m quantity.Day) (quantity.Decimal, bool) {
		c := rows[m.String()].sums
		ours, a := c["revenue"]
		books, b := c["ledger_revenue"]
		return ours.Sub(books), a && b
	}
	for _, m := range months {
		x := rows[m.String()]
		tie := RevenueTie{Month: m, Invoiced: x.sums.of("revenue"), Earned: x.sums.of("revenue_earned"), Ledger: x.sums.of("ledger_revenue"), Likely: []string{}}
		if g, ok := gap(m); ok {
			tie.Gap = rounded(g)
			if !g.IsZero() {
				before, hasBefore := gap(m.AddMonths(-1))
				after, hasAfter := gap(m.AddMonths(1))
				tie.Likely = likely(g, x.sums, before, hasBefore, after, hasAfter)
			}
		} else if tie.Reason = x.why["ledger_revenue"]; tie.Reason == "" {
			tie.Reason = "revenue or ledger of this month is not known in one currency"
		}
		out.Revenue = append(out.Revenue, tie)
	}
	return nil
}

// likely lists what has exactly the amount of a gap between invoices and ledger.
func likely(gap quantity.Decimal, c cell, before quantity.Decimal, hasBefore bool, after quantity.Decimal, hasAfter bool) []string {
	out := []string{}
	for _, x := range []struct {
		measure string
		sign    int64
		words   string
	}{
		{"revenue_draft", -1, "the ledger counts the draft invoices of the month"},
		{"revenue_void", -1, "the ledger counts invoices that are void here"},
		{"revenue_down_payment", -1, "the ledger counts down payments as income"},
		{"tax", -1, "the ledger's income includes sales tax"},
	} {
		if v := c[x.measure]; !v.IsZero() && v.Mul(number(x.sign, 0)).Equal(gap) {
			out = append(out, x.words)
		}
	}
	if earned, ok := c["revenue_earned"]; ok && earned.Sub(c["ledger_revenue"]).Round(2).IsZero() {
		out = append(out, "the ledger spreads invoices over their service period, as earned revenue does")
	}
	if hasAfter && after.Equal(gap.Neg()) {
		out = append(out, "the month after has the opposite gap: the ledger books it a month earlier or later")
	}
	if hasBefore && before.Equal(gap.Neg()) {
		out = append(out, "the month before has the opposite gap: the ledger books it a month earlier or later")
	}
	return out
}

func (r reader) tieLabor(ctx context.Context, out *Reconciliation) error {
	if r.tables["payroll"] == 0 && r.tables["ledger"] == 0 {
		out.Notes = append(out.Notes, "no payroll imported: how much of the pay is in labor cost is not known (import payroll)")
	}
	rows, err := r.byMonth(ctx, out.Period, laborTies...)
	if err != nil {
		return err
	}
	for _, m := range out.Period.Months() {
		x := rows[m.String()]
		c := x.sums
		tie := LaborTie{Month: m, Payroll: c.of("absorbable_payroll"), Client: c.of("client_labor"), Internal: c.of("internal_labor"), Unabsorbed: c.of("unabsorbed_labor"), Share: c.of("unabsorbed_share")}
		if tie.Unabsorbed == nil {
			if tie.Reason = x.why["unabsorbed_labor"]; tie.Reason == "" {
				tie.Reason = "pay or labor of this month is not known in one currency"
			}
		}
		paid, capacity := c["paid_hours"], c["capacity_hours"]
		pay, ok := c["payroll_cost"]
		if cost, known := ratio(pay, paid); ok && known && tie.Unabsorbed != nil && capacity.Sign() > 0 {
			leave := cost.Mul(paid.Sub(capacity)).Round(4)
			idle := cost.Mul(capacity.Sub(c["hours_worked"])).Round(4)
			rest := tie.Unabsorbed.Sub(leave).Sub(idle)
			tie.Leave, tie.NotEntered, tie.Rates = &leave, &idle, &rest
		}
		out.Labor = append(out.Labor, tie)
	}
	return nil
}

// differences lists what other systems commonly count otherwise (domain.md 1.2).
func (r reader) differences(ctx context.Context, out *Reconciliation) error {
	total, err := r.total(ctx, out.Period, "", "revenue", "revenue_earned", "revenue_draft", "revenue_void", "revenue_down_payment", "tax", "revenue_tax_unknown", "hours_billed", "billable_hours", "hours_worked", "hours_at_no_cost", "labor_cost_by_multiplier", "hours_without_cost")
	if err != nil {
		return err
	}
	internal, err := r.total(ctx, out.Period, `client_status = "internal"`, "hours_worked", "labor_cost")
	if err != nil {
		return err
	}
	unassigned, err := r.total(ctx, out.Period, is("client", noClient), "hours_worked")
	if err != nil {
		return err
	}
	add := func(name, measure string, value quantity.Decimal, unit quantity.Unit, words, where string, behind ...string) {
		if value = value.RoundBank(4); value.IsZero() {
			return
		}
		out.Differences = append(out.Differences, Difference{Name: name, Measure: measure, Amount: value, Unit: unit, Words: inCurrency(out.Currency, fmt.Sprintf(words, changeIn(value, unit))),
			Query: metric.Query{Measures: behind, Dimensions: []string{"month"}, Where: where, Period: out.Period, Snapshot: r.snapshot}})
	}
	rounding := total["hours_billed"].Sub(total["billable_hours"])
	more := "more"
	if rounding.Sign() < 0 {
		more = "fewer"
	}
	add("rounded_hours", "hours_worked", rounding, quantity.Hours, "a report by billed (rounded) hours shows %s "+more+" than were worked on billable time; cost and hourly rates here are by hours worked", "", "hours_billed", "billable_hours")
	add("internal_time", "hours_worked", internal["hours_worked"], quantity.Hours, "a report of client time leaves out %s of internal time, which is in hours worked and labor cost of the whole here", `client_status = "internal"`, "hours_worked", "labor_cost")
	add("unassigned_time", "hours_worked", unassigned["hours_worked"], quantity.Hours, "a report by client leaves out %s that name no client, which are kept as unassigned here", is("client", noClient), "hours_worked")
	add("hours_at_no_cost", "labor_cost", total["hours_at_no_cost"], quantity.Hours, "%s have a work type with a cost multiplier of 0: they cost nothing here and in a report that knows the multiplier", "", "hours_at_no_cost")
	add("cost_multipliers", "labor_cost", total["labor_cost_by_multiplier"], quantity.Money, "a report by cost rate alone differs by %s, which work type multipliers add to or take from labor cost here", "", "labor_cost_by_multiplier")
	add("hours_without_cost", "labor_cost", total["hours_without_cost"], quantity.Hours, "%s have no cost rate and no labor cost here", "", "hours_without_cost")
	add("drafts", "revenue", total["revenue_draft"], quantity.Money, "a list of all invoices includes %s of drafts, which are no revenue here", "", "revenue_draft")
	add("void_invoices", "revenue", total["revenue_void"], quantity.Money, "a list of all invoices includes %s of void ones, which are no revenue here", "", "revenue_void")
	add("down_payments", "revenue", total["revenue_down_payment"], quantity.Money, "%s of down payments are owed to the client until they are applied, and no revenue here", "", "revenue_down_payment")
	add("sales_tax", "revenue", total["tax"], quantity.Money, "invoice totals include %s of sales tax, which is apart from revenue here", "", "tax")
	add("tax_basis_unknown", "revenue", total["revenue_tax_unknown"], quantity.Money, "%s of revenue is from files that do not say whether amounts include tax: it may be too high here", "", "revenue_tax_unknown")
	if earned, ok := total["revenue_earned"]; ok {
		words := "a report of earned revenue shows %s more than was invoiced in the period; margins by gross_margin_earned are on that basis"
		if earned.LessThan(total["revenue"]) {
			words = "a report of earned revenue shows %s less than was invoiced in the period; margins by gross_margin_earned are on that basis"
		}
		add("earned_basis", "revenue", earned.Sub(total["revenue"]), quantity.Money, words, "", "revenue", "revenue_earned")
	}
	return nil
}

// kindOfRates notes which kind of cost rate the staff's rates are nearer to.
func (r reader) kindOfRates(ctx context.Context, out *Reconciliation) error {
	c, err := r.total(ctx, out.Period, "", "labor_cost_rate", "paid_hour_cost", "productive_hour_cost")
	if err != nil {
		return err
	}
	rate, ok := c["labor_cost_rate"]
	paid, okPaid := c["paid_hour_cost"]
	productive, okProductive := c["productive_hour_cost"]
	if !ok || !okPaid || !okProductive {
		return nil
	}
	kind, other := "a paid hour", "a productive one"
	if rate.Sub(productive).Abs().LessThan(rate.Sub(paid).Abs()) {
		kind, other = "a productive hour", "a paid one"
	}
	out.Notes = append(out.Notes, inCurrency(out.Currency, fmt.Sprintf("an hour of labor costs %s here: nearer to what %s costs by payroll than %s (%s paid, %s productive)", amount(rate), kind, other, amount(paid), amount(productive))))
	return nil
}
