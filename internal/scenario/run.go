package scenario

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// statement are the measures of a comparison, in the order of a profit and loss statement.
var statement = []string{
	"revenue", "recurring_revenue", "labor_cost", "direct_cost", "gross_profit", "gross_margin",
	"hours_worked", "effective_hourly_rate", "labor_cost_rate", "capacity_hours", "utilization", "billable_utilization", "client_concentration",
}

// level is the nominal coverage of intervals.
const level = 0.9

// Interval is where a value is expected when the months go on as they did.
type Interval struct {
	Low    quantity.Decimal `json:"low"`
	High   quantity.Decimal `json:"high"`
	Level  float64          `json:"level"`
	Method string           `json:"method"`
}

// Line is one measure, as it was and as it would have been.
type Line struct {
	Measure  string            `json:"measure"`
	Label    string            `json:"label"`
	Unit     quantity.Unit     `json:"unit"`
	Baseline *quantity.Decimal `json:"baseline"` // null when it has no value
	Scenario *quantity.Decimal `json:"scenario"`
	Change   *quantity.Decimal `json:"change"`
	// The intervals are null where there is none; a past value is exact, they are about
	// what to expect.
	BaselineInterval *Interval `json:"baseline_interval"`
	ScenarioInterval *Interval `json:"scenario_interval"`
	ChangeInterval   *Interval `json:"change_interval"`
	Reason           string    `json:"reason,omitempty"` // why there is no value
}

// Effect is what one lever brings. The effects of all levers add up to the change of gross
// profit: they are Shapley values over the levers, so the order of the list decides nothing.
type Effect struct {
	Lever  Lever            `json:"lever"`
	Words  string           `json:"words"`
	Change quantity.Decimal `json:"change"` // of gross profit over the period
}

// ClientLine is a client whose figures a scenario changes.
type ClientLine struct {
	Client      string            `json:"client"`
	Revenue     [2]decimalOrNull  `json:"revenue"` // as it was, as it would have been
	GrossProfit [2]decimalOrNull  `json:"gross_profit"`
	GrossMargin [2]decimalOrNull  `json:"gross_margin"`
	Change      *quantity.Decimal `json:"change"` // of gross profit
}

type decimalOrNull = *quantity.Decimal

// Result is a scenario beside the period as it was.
type Result struct {
	Definition Definition   `json:"definition"`
	Months     int          `json:"months"`
	Currency   string       `json:"currency,omitempty"`
	Lines      []Line       `json:"lines"`
	Effects    []Effect     `json:"effects"`
	Clients    []ClientLine `json:"clients"` // those that change, the largest change first
	// PresentStaff is the change of profit when nobody leaves or joins but by a staffing
	// lever: hours that are set free are paid all the same, and hours that come on top are
	// worked by those who are there. Null when gross profit has no value.
	PresentStaff *quantity.Decimal  `json:"present_staff"`
	StaffingCost quantity.Decimal   `json:"staffing_cost"` // pay of those who join, less of those who leave
	Assumptions  []string           `json:"assumptions"`
	Snapshot     warehouse.Snapshot `json:"snapshot"`
	Versions     map[string]int     `json:"definition_versions"`
}

// Run computes a scenario.
//
// Errors: Invalid with every wrong part listed, levers that change nothing among them;
// NotFound when the period has no data; what metric.Catalog.Run returns.
func (s *Service) Run(ctx context.Context, scope tenant.Scope, d Definition) (*Result, error) {
	if err := s.Check(d); err != nil {
		return nil, err
	}
	m, err := s.read(ctx, scope, d)
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	out := &Result{Definition: d, Months: len(m.months), Currency: m.currency, Effects: []Effect{}, Clients: []ClientLine{}, Snapshot: m.Snapshot, Versions: m.versions}
	now, then := outcome{classes: m.classes}, m.apply(m.classes, 1<<len(m.Levers)-1)
	for _, name := range statement {
		line, err := s.line(m, name, now, then)
		if err != nil {
			return nil, fmt.Errorf("scenario: %w", err)
		}
		out.Lines = append(out.Lines, line)
	}
	out.StaffingCost = then.staffing.RoundBank(4)
	change := out.line("gross_profit").Change
	if change != nil {
		stays := change.Add(then.hoursCost).Sub(then.staffing).RoundBank(4)
		out.PresentStaff = &stays
	}
	if out.Effects, err = s.effects(m, change); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	out.Clients = s.clientLines(m, now, then)
	out.Assumptions = m.assumptions()
	return out, nil
}

func (r *Result) line(name string) *Line {
	for i := range r.Lines {
		if r.Lines[i].Measure == name {
			return &r.Lines[i]
		}
	}
	return &Line{}
}

// value computes a measure from sums; reason says why it has no value.
func (s *Service) value(m *model, name string, of []class) (v *quantity.Decimal, reason string, err error) {
	measure, err := s.metrics.Measure(name)
	if err != nil {
		return nil, "", err
	}
	for _, in := range s.metrics.FlatInputs(measure) {
		if why := m.unknown[in]; why != "" {
			return nil, why, nil
		}
	}
	if measure.Wide() {
		byClient := map[string]quantity.Decimal{}
		for _, c := range of {
			if c.table == revenueTable {
				byClient[c.client] = byClient[c.client].Add(c.sums["revenue"])
			}
		}
		var amounts []quantity.Decimal
		for _, a := range byClient {
			amounts = append(amounts, a)
		}
		if h, ok := metric.Herfindahl(amounts); ok {
			return &h, "", nil
		}
		return nil, "there is no revenue", nil
	}
	inputs := total(of, func(class) bool { return true })
	for _, t := range tableNames {
		for _, known := range tableMeasures[t] {
			inputs[known] = inputs[known].Add(decimal.Zero)
		}
	}
	inputs["months"] = decimal.NewFromInt(int64(len(m.months)))
	d, ok := s.metrics.Evaluate(measure, inputs)
	if !ok {
		return nil, "its denominator is zero or negative", nil
	}
	return &d, "", nil
}

// ratios are the parts of the measures that are quotients, as base measures; "-" in front
// is subtracted.
var ratios = map[string][2][]string{
	"gross_margin":          {{"revenue", "-labor_cost", "-direct_cost"}, {"revenue"}},
	"effective_hourly_rate": {{"revenue", "-direct_cost"}, {"hours_worked"}},
	"utilization":           {{"hours_worked"}, {"capacity_hours"}},
	"billable_utilization":  {{"billable_hours"}, {"capacity_hours"}},
}

// flows are the parts of measures that add up over months.
var flows = map[string][]string{
	"revenue": {"revenue"}, "recurring_revenue": {"recurring_revenue"}, "labor_cost": {"labor_cost"}, "direct_cost": {"direct_cost"},
	"gross_profit": {"revenue", "-labor_cost", "-direct_cost"}, "hours_worked": {"hours_worked"},
}

func (s *Service) line(m *model, name string, now, then outcome) (Line, error) {
	measure, err := s.metrics.Measure(name)
	if err != nil {
		return Line{}, err
	}
	line := Line{Measure: name, Label: measure.Label, Unit: measure.Unit}
	if line.Baseline, line.Reason, err = s.value(m, name, now.classes); err != nil {
		return line, err
	}
	why := ""
	if line.Scenario, why, err = s.value(m, name, then.classes); err != nil {
		return line, err
	}
	line.Reason = cmp.Or(line.Reason, why)
	if line.Baseline == nil || line.Scenario == nil {
		return line, nil
	}
	change := line.Scenario.Sub(*line.Baseline)
	line.Change = &change
	if parts, ok := ratios[name]; ok {
		line.BaselineInterval = expected(m.byMonth(now, parts[0]), m.byMonth(now, parts[1]), 1)
		line.ScenarioInterval = expected(m.byMonth(then, parts[0]), m.byMonth(then, parts[1]), 1)
	}
	if parts, ok := flows[name]; ok {
		before, after := m.byMonth(now, parts), m.byMonth(then, parts)
		ones, deltas := make([]float64, len(before)), make([]float64, len(before))
		for i := range ones {
			ones[i], deltas[i] = 1, after[i]-before[i]
		}
		n := float64(len(before))
		line.BaselineInterval, line.ScenarioInterval, line.ChangeInterval = expected(before, ones, n), expected(after, ones, n), expected(deltas, ones, n)
	}
	return line, nil
}

// byMonth is a sum of base measures by month, as statistics need it.
func (m *model) byMonth(o outcome, parts []string) []float64 {
	out := make([]quantity.Decimal, len(m.months))
	for _, c := range o.classes {
		for _, p := range parts {
			if p[0] == '-' {
				out[c.month] = out[c.month].Sub(c.sums[p[1:]])
			} else {
				out[c.month] = out[c.month].Add(c.sums[p])
			}
		}
	}
	floats := make([]float64, len(out))
	for i, v := range out {
		floats[i] = v.InexactFloat64()
	}
	return floats
}

// expected is the interval of times × num/den, nil when the months are too few for one.
func expected(num, den []float64, times float64) *Interval {
	i, err := stats.RatioInterval(num, den, level)
	if err != nil {
		return nil
	}
	round := func(v float64) quantity.Decimal { return decimal.NewFromFloat(v * times).RoundBank(6) }
	return &Interval{Low: round(i.Low), High: round(i.High), Level: level, Method: i.Method}
}

// effects attributes the change of gross profit to the levers.
func (s *Service) effects(m *model, change *quantity.Decimal) ([]Effect, error) {
	out := make([]Effect, len(m.Levers))
	for i, l := range m.Levers {
		out[i] = Effect{Lever: l, Words: l.String()}
	}
	if len(out) == 0 || change == nil {
		return out, nil
	}
	classes := withoutClients(m.classes)
	profit := func(active uint) (quantity.Decimal, bool) {
		t := total(m.apply(classes, active).classes, func(class) bool { return true })
		return t["revenue"].Sub(t["labor_cost"]).Sub(t["direct_cost"]), true
	}
	parts, err := stats.ShapleyDecimal(len(m.Levers), profit)
	if err != nil {
		return nil, err
	}
	left, largest := *change, 0
	for i, p := range parts {
		out[i].Change = p.RoundBank(4)
		left = left.Sub(out[i].Change)
		if p.Abs().GreaterThan(parts[largest].Abs()) {
			largest = i
		}
	}
	out[largest].Change = out[largest].Change.Add(left) // what rounding took; the parts add up exactly
	return out, nil
}

// clientLines are the clients whose gross profit changes.
func (s *Service) clientLines(m *model, now, then outcome) []ClientLine {
	out := []ClientLine{}
	for _, why := range []string{m.unknown["revenue"], m.unknown["labor_cost"], m.unknown["direct_cost"]} {
		if why != "" {
			return out
		}
	}
	before, after := byClient(now), byClient(then)
	for client := range after {
		b, a := before[client], after[client]
		if b == nil {
			b = sums{}
		}
		profit := func(s sums) quantity.Decimal { return s["revenue"].Sub(s["labor_cost"]).Sub(s["direct_cost"]) }
		change := profit(a).Sub(profit(b))
		if change.IsZero() {
			continue
		}
		line := ClientLine{Client: client, Change: &change}
		for i, s := range []sums{b, a} {
			revenue, gross := s["revenue"].Add(decimal.Zero), profit(s)
			line.Revenue[i], line.GrossProfit[i] = &revenue, &gross
			if revenue.Sign() > 0 {
				margin := gross.DivRound(revenue, divisionDigits)
				line.GrossMargin[i] = &margin
			}
		}
		out = append(out, line)
	}
	slices.SortFunc(out, func(a, b ClientLine) int {
		return cmp.Or(b.Change.Abs().Cmp(a.Change.Abs()), strings.Compare(a.Client, b.Client))
	})
	return out
}

func byClient(o outcome) map[string]sums {
	out := map[string]sums{}
	for _, c := range o.classes {
		if c.table == capacityTable {
			continue
		}
		if out[c.client] == nil {
			out[c.client] = sums{}
		}
		out[c.client].add(c.sums)
	}
	return out
}

// assumptions say what a scenario takes for granted.
func (m *model) assumptions() []string {
	out := []string{fmt.Sprintf("%s is lived through once more under these terms, all of it: nothing else changes, and nothing is forecast", m.Period.Words())}
	has := func(k Kind) bool { return slices.ContainsFunc(m.Levers, func(l Lever) bool { return l.Kind == k }) }
	if has(Price) || has(Fee) {
		out = append(out, "no client leaves because of a price: add those that you expect to lose")
	}
	if has(Hours) || has(Churn) {
		out = append(out, "labor cost follows the hours; as long as the same people are paid, the change with the present staff is what counts")
	}
	if has(Staffing) {
		out = append(out, "people who join work 8 hours each weekday, and take over work without more of it coming in")
	}
	if has(Seats) {
		out = append(out, "seats cost what they cost at the end of the period; what clients pay for them stays, and a term may lock them until its renewal")
	}
	if len(m.months) < 5 {
		out = append(out, "fewer than 5 months are too few for intervals")
	}
	for _, t := range tableNames {
		for _, name := range tableMeasures[t] {
			if why := m.unknown[name]; why != "" {
				out = append(out, strings.ReplaceAll(name, "_", " ")+" is not known: "+why)
			}
		}
	}
	return out
}
