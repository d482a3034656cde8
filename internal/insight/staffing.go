package insight

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Staffing is the demand of the coming month against the capacity of each role.
type Staffing struct {
	Month quantity.Day `json:"month"` // the one that is foreseen
	// Rule says what the forecast is: the same month a year before, or the last month.
	Rule   string    `json:"rule"`
	Roles  []RoleGap `json:"roles"` // the most over capacity first
	People []Load    `json:"people"`
	// Shifts move hours from people over capacity to those of their role who have some free.
	Shifts     []Option           `json:"shifts"`
	Confidence Confidence         `json:"confidence"`
	Snapshot   warehouse.Snapshot `json:"snapshot"`
}

// RoleGap is the hours that a role is short of (positive) or has free (negative) in the
// coming month, at 75 % target utilization.
type RoleGap struct {
	Role     string           `json:"role"`
	People   int              `json:"people"`
	Demand   quantity.Decimal `json:"demand"`
	Capacity quantity.Decimal `json:"capacity"`
	Gap      quantity.Decimal `json:"gap"`
	// Interval is of Gap, from how far the same rule was off in earlier months; null below
	// five of them. Probability is that of being short; Tested the number of months, Bias by
	// how many hours they were above the forecast on average.
	Interval    *Interval        `json:"interval"`
	Probability *float64         `json:"probability"`
	Tested      int              `json:"tested"`
	Bias        quantity.Decimal `json:"bias"`
	Options     []Option         `json:"options"` // where it is short, or may be
}

// Option is a way to close the gap of a role.
type Option struct {
	Role  string            `json:"role"`
	What  string            `json:"what" enum:"hire,shift,overtime"`
	Hours quantity.Decimal  `json:"hours"` // a month that it gives
	Cost  *quantity.Decimal `json:"cost"`  // a month; null when no cost rate is known
	Words string            `json:"words"`
	// Currency is that of Cost, "" when it names none.
	Currency string `json:"currency,omitempty"`
}

// Load is a person's hours a month over the last three months.
type Load struct {
	Name     string           `json:"name"`
	Role     string           `json:"role"`
	Worked   quantity.Decimal `json:"worked"`
	Billable quantity.Decimal `json:"billable"`
	Capacity quantity.Decimal `json:"capacity"`
	// Free is how many hours a month are left to 75 % billable; negative when there are more.
	Free quantity.Decimal `json:"free"`
	Over bool             `json:"over"` // more than 100 % worked, or more than 85 % billable
}

// What counts as overload (domain 2.4), the target utilization of capacity_gap, what an hour
// of overtime costs of a plain one (assumed), from which probability a gap is worth an
// option, and how many people a rate must be of not to be anybody's.
var (
	fullLoad      = number(1, 0)
	billableLoad  = number(85, 2)
	targetLoad    = number(75, 2)
	overtimeTimes = number(15, 1)
)

const (
	worthAnOption = 0.2
	rateOf        = 3
	yearBack      = 11 // months between the last day looked at and the same month a year before the next
)

// Staffing foresees the month after a period of whole months by role: the seasonal-naive
// demand of capacity_gap with an interval from the past errors of that rule, who is over
// capacity now, and what closing a gap costs.
func (s *Service) Staffing(ctx context.Context, scope tenant.Scope, p quantity.Period) (*Staffing, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("staffing: %w", err)
	}
	r.oneCurrency = true
	out, err := r.staffing(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("staffing: %w", err)
	}
	return out, nil
}

func (r reader) staffing(ctx context.Context, p quantity.Period) (*Staffing, error) {
	out := &Staffing{Month: p.To, Roles: []RoleGap{}, People: []Load{}, Shifts: []Option{}, Snapshot: r.snapshot}
	now, err := r.read(ctx, p, "", []string{"role"}, "next_demand", "next_capacity", "capacity_gap", "headcount")
	if err != nil {
		return nil, err
	}
	if out.People, err = r.loads(ctx, last(p, staffMonths)); err != nil {
		return nil, err
	}
	errors, seasonal, err := r.forecastErrors(ctx, p)
	if err != nil {
		return nil, err
	}
	if out.Rule = "the billable hours of the same month a year before"; !seasonal {
		out.Rule = "the billable hours of the last month, because the data does not reach back a year"
	}
	rates, codes, err := r.rolesCost(ctx, p)
	if err != nil {
		return nil, err
	}
	assumed, err := r.total(ctx, last(p, staffMonths), "", "capacity_hours", "capacity_assumed")
	if err != nil {
		return nil, err
	}
	tested := math.MaxInt
	for _, row := range now {
		g := RoleGap{Role: row.keys[0], Demand: row.sums["next_demand"], Capacity: row.sums["next_capacity"], Options: []Option{}}
		if g.Demand.IsZero() && g.Capacity.IsZero() {
			continue
		}
		g.People = int(row.sums["headcount"].IntPart())
		g.Gap = g.Demand.Sub(g.Capacity.Mul(targetLoad))
		g.judge(errors[g.Role])
		tested = min(tested, g.Tested)
		if g.Gap.Sign() > 0 || g.Probability != nil && *g.Probability >= worthAnOption {
			g.Options = options(g, out.People, rates, codes)
		}
		out.Roles = append(out.Roles, g)
	}
	slices.SortStableFunc(out.Roles, func(a, b RoleGap) int {
		return cmp.Or(b.Gap.Cmp(a.Gap), cmp.Compare(a.Role, b.Role))
	})
	stated := 1 - share(assumed["capacity_assumed"], assumed["capacity_hours"])
	limits := []limit{{stats.Medium, "a naive forecast: it knows the season and no trend, no clients won or lost since"}}
	if stated < 1 {
		limits = append(limits, limit{stats.Low, "contract hours are assumed"})
	}
	if tested < fewCases {
		limits = append(limits, limit{stats.Low, "the rule could be tested on fewer than 5 months: no interval"})
	}
	h := 0.0
	for _, g := range out.Roles {
		if g.Interval != nil && g.Capacity.Sign() > 0 {
			h = math.Max(h, float(g.Interval.High.Sub(g.Interval.Low))/2/float(g.Capacity))
		}
	}
	out.Confidence = confide([]Component{
		component("contract_hours", stated, hundred(stated)+" of the capacity rests on known contract hours"),
		component("holidays", map[bool]float64{true: 1}[r.tables["holidays"] > 0], map[bool]string{true: "public holidays are in the data", false: "public holidays are not in the data"}[r.tables["holidays"] > 0]).weighing(0.5),
		component("time_off", map[bool]float64{true: 1}[r.tables["time_off"] > 0], map[bool]string{true: "days off are in the data", false: "days off are not in the data"}[r.tables["time_off"] > 0]).weighing(0.5),
	}, h, limits...)
	out.Shifts = relief(out.People)
	return out, nil
}

// loads are the people's hours a month over a period, the most loaded first.
func (r reader) loads(ctx context.Context, p quantity.Period) ([]Load, error) {
	rows, err := r.read(ctx, p, "", []string{"staff", "role"}, "hours_worked", "billable_hours", "capacity_hours")
	if err != nil {
		return nil, err
	}
	n := number(int64(max(1, len(p.Months()))), 0)
	out := []Load{}
	for _, row := range rows {
		l := Load{Name: row.keys[0], Role: row.keys[1], Worked: row.sums["hours_worked"].DivRound(n, ratioPlaces), Billable: row.sums["billable_hours"].DivRound(n, ratioPlaces), Capacity: row.sums["capacity_hours"].DivRound(n, ratioPlaces)}
		if l.Name == noClient || l.Capacity.Sign() <= 0 {
			continue
		}
		l.Free = l.Capacity.Mul(targetLoad).Sub(l.Billable)
		l.Over = l.Worked.GreaterThan(l.Capacity.Mul(fullLoad)) || l.Billable.GreaterThan(l.Capacity.Mul(billableLoad))
		out = append(out, l)
	}
	slices.SortStableFunc(out, func(a, b Load) int {
		return cmp.Or(b.Worked.Mul(a.Capacity).Cmp(a.Worked.Mul(b.Capacity)), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// forecastErrors are by role how many hours more than foreseen were billable in the months
// before, under the rule that the forecast at the period's end follows.
func (r reader) forecastErrors(ctx context.Context, p quantity.Period) (map[string][]float64, bool, error) {
	all, err := r.read(ctx, quantity.Period{To: p.To}, "", []string{"role", "month"}, "next_demand", "billable_hours")
	if err != nil {
		return nil, false, err
	}
	first := p.To
	foreseen, was := map[string]map[quantity.Day]float64{}, map[string]map[quantity.Day]float64{}
	for _, row := range all {
		m, err := quantity.ParseDay(row.keys[1])
		if err != nil {
			continue
		}
		if foreseen[row.keys[0]] == nil {
			foreseen[row.keys[0]], was[row.keys[0]] = map[quantity.Day]float64{}, map[quantity.Day]float64{}
		}
		foreseen[row.keys[0]][m], was[row.keys[0]][m] = float(row.sums["next_demand"]), float(row.sums["billable_hours"])
		if row.sums["billable_hours"].Sign() > 0 && m.Before(first) {
			first = m
		}
	}
	seasonal := func(m quantity.Day) bool { return !m.AddMonths(-yearBack).Before(first) }
	rule := seasonal(p.To.AddMonths(-1))
	out := map[string][]float64{}
	for role := range foreseen {
		for m := first; m.AddMonths(1).Before(p.To); m = m.AddMonths(1) {
			if seasonal(m) == rule {
				out[role] = append(out[role], was[role][m.AddMonths(1)]-foreseen[role][m])
			}
		}
	}
	return out, rule, nil
}

// judge sets the interval of the gap and the probability of being short from past errors.
func (g *RoleGap) judge(errors []float64) {
	if g.Tested = len(errors); g.Tested == 0 {
		return
	}
	sum := 0.0
	for _, e := range errors {
		sum += e
	}
	g.Bias = dec(sum / float64(g.Tested)).Round(2)
	next, err := stats.PastErrors(errors, level)
	if err != nil {
		return
	}
	low := decimal.Max(g.Gap.Sub(dec(next.Half)), g.Capacity.Mul(targetLoad).Neg()) // no less than no demand
	g.Interval = &Interval{Low: low, High: g.Gap.Add(dec(next.Half)), Level: level, Method: "Student's t of the past errors of the same rule", Of: "expected"}
	short := next.Below(float(g.Gap)) // as likely as an error above -Gap
	g.Probability = &short
}

// rolesCost are the cost an hour of each role over a period, "" being that of all. A role of
// fewer than three people has none of its own: it would be somebody's pay.
func (r reader) rolesCost(ctx context.Context, p quantity.Period) (map[string]quantity.Decimal, map[string]string, error) {
	people, err := r.read(ctx, p, "", []string{"role", "staff"}, "hours_worked")
	if err != nil {
		return nil, nil, err
	}
	counted := map[string]int{}
	for _, row := range people {
		if row.sums["hours_worked"].Sign() > 0 {
			counted[row.keys[0]]++
		}
	}
	rows, err := r.read(ctx, p, "", []string{"role"}, "labor_cost_rate")
	if err != nil {
		return nil, nil, err
	}
	all, err := r.whole(ctx, p, "", "labor_cost_rate")
	if err != nil {
		return nil, nil, err
	}
	rates, codes := map[string]quantity.Decimal{}, map[string]string{}
	if v, ok := all.sums["labor_cost_rate"]; ok {
		rates[""], codes[""] = v, only(all.codes)
	}
	for _, row := range rows {
		if v, ok := row.sums["labor_cost_rate"]; ok && counted[row.keys[0]] >= rateOf {
			rates[row.keys[0]], codes[row.keys[0]] = v, only(row.codes)
		}
	}
	return rates, codes, nil
}

// options prices the ways to close the gap of a role: at least to the expected demand, and
// where that is no gap, to the upper end of the interval.
func options(g RoleGap, people []Load, rates map[string]quantity.Decimal, codes map[string]string) []Option {
	short, what := g.Gap, "the expected gap"
	if short.Sign() <= 0 && g.Interval != nil {
		short, what = g.Interval.High, "the upper end of the interval"
	}
	if short.Sign() <= 0 {
		return []Option{}
	}
	rate, ok := rates[g.Role]
	whose, code := "the role's average cost", codes[g.Role]
	if !ok {
		rate, ok = rates[""]
		whose, code = "the average cost of all people, because fewer than three have the role,", codes[""]
	}
	priced := func(hours quantity.Decimal) *quantity.Decimal {
		if !ok {
			return nil
		}
		v := hours.Mul(rate).RoundBank(2)
		return &v
	}
	out := []Option{shift(g, short, people)}
	if g.People > 0 && g.Capacity.Sign() > 0 {
		each := g.Capacity.DivRound(number(int64(g.People), 0), ratioPlaces)
		heads := short.DivRound(each.Mul(targetLoad), ratioPlaces).Ceil()
		out = append(out, Option{Role: g.Role, What: "hire", Hours: heads.Mul(each).Mul(targetLoad).Round(2), Cost: priced(heads.Mul(each)), Currency: code,
			Words: fmt.Sprintf("hire %s for %s of %s h, at %s and 75 %% utilization", plain(heads), what, plain(short), whose)})
	}
	return append(out, Option{Role: g.Role, What: "overtime", Hours: short.Round(2), Cost: priced(short.Mul(overtimeTimes)), Currency: code,
		Words: fmt.Sprintf("overtime for %s, at %s times 1.5 (assumed)", what, whose)})
}

// shift gives the hours to people of the role who have some free; they are paid already.
func shift(g RoleGap, short quantity.Decimal, people []Load) Option {
	zero := quantity.Decimal{}
	o := Option{Role: g.Role, What: "shift", Cost: &zero}
	free := slices.DeleteFunc(slices.Clone(people), func(l Load) bool { return l.Role != g.Role || l.Free.LessThan(number(1, 0)) })
	slices.SortStableFunc(free, func(a, b Load) int { return b.Free.Cmp(a.Free) })
	words := ""
	for _, l := range free {
		take := decimal.Min(l.Free, short.Sub(o.Hours))
		if take.Sign() <= 0 {
			break
		}
		o.Hours = o.Hours.Add(take)
		if words != "" {
			words += ", "
		}
		words += fmt.Sprintf("%s h to %s", plain(take), l.Name)
	}
	o.Hours = o.Hours.Round(2)
	if words == "" {
		o.Words = "nobody of the role has hours free"
		return o
	}
	o.Words = "shift " + words + ": no extra pay, they have the hours free"
	return o
}

// relief gives the hours that people over capacity have beyond 75 % billable to those of
// their role who have hours free, each hour once.
func relief(people []Load) []Option {
	left := map[string]quantity.Decimal{}
	for _, l := range people {
		left[l.Name] = l.Free
	}
	free := slices.Clone(people)
	slices.SortStableFunc(free, func(a, b Load) int { return b.Free.Cmp(a.Free) })
	out := []Option{}
	for _, from := range people {
		if !from.Over || from.Free.Sign() >= 0 {
			continue
		}
		zero, need := quantity.Decimal{}, from.Free.Neg()
		o, to := Option{Role: from.Role, What: "shift", Cost: &zero}, ""
		for _, l := range free {
			take := decimal.Min(left[l.Name], need.Sub(o.Hours))
			if l.Role != from.Role || l.Over || take.LessThan(number(1, 0)) {
				continue
			}
			left[l.Name], o.Hours = left[l.Name].Sub(take), o.Hours.Add(take)
			if to != "" {
				to += ", "
			}
			to += fmt.Sprintf("%s h to %s", plain(take), l.Name)
		}
		if o.Hours.Sign() > 0 {
			o.Hours = o.Hours.Round(2)
			o.Words = fmt.Sprintf("from %s, who has %s h too many: %s; no extra pay, they have the hours free", from.Name, plain(need), to)
			out = append(out, o)
		}
	}
	return out
}
