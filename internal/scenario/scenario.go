// Package scenario answers "what if": it changes the sums behind a past period by levers
// (prices, fees, hours, pay, people, clients that leave, costs, seats) and computes the
// measures from the changed sums by the formulas of the catalog, beside those of the
// period as it was.
//
// It owns levers, what they change, the comparison with the period as it was, what each
// lever brings, and the solving for a target. It does not own formulas (metric), nor where
// scenarios are kept (workspace). It forecasts nothing: a scenario is the period once more
// under other terms, and says so.
//
// Reading order: this file says what a scenario is; read.go takes the sums from the
// metrics; apply.go is what each lever does to them; run.go makes the answer; solve.go
// turns it round; text.go reads levers as people write them.
package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Kind is what a lever changes.
type Kind string

// The kinds.
const (
	Price    Kind = "price"    // revenue, by a share or an amount a month
	Fee      Kind = "fee"      // recurring revenue becomes an amount a month
	Hours    Kind = "hours"    // hours worked and what they cost, by a share or hours a month
	Pay      Kind = "pay"      // what an hour costs, by a share or an amount an hour
	Staffing Kind = "staffing" // people who join, or leave when negative
	Churn    Kind = "churn"    // clients that leave: their revenue, hours and costs
	Cost     Kind = "cost"     // direct cost, by a share or an amount a month
	Seats    Kind = "seats"    // license seats more, or fewer when negative
)

// Lever is one change of a scenario. It has a share or an amount, not both.
type Lever struct {
	Kind Kind `json:"kind" enum:"price,fee,hours,pay,staffing,churn,cost,seats"`
	// Select says which rows are meant: those that have one of the values in each of the
	// dimensions. Empty means all.
	Select map[string][]string `json:"select,omitempty" doc:"dimension to values: rows with one of the values in each of them; all rows when left out"`
	// Percent is a share: 0.06 is 6 % more, -0.5 half as much. For Churn it is the share
	// that leaves.
	Percent *quantity.Decimal `json:"percent,omitempty" doc:"share as a fraction: 0.06 is 6 % more"`
	// Amount is by kind: money a month (price, fee, cost), hours a month (hours), money an
	// hour (pay), people (staffing), seats (seats).
	Amount *quantity.Decimal `json:"amount,omitempty" doc:"money a month (price, fee, cost), hours a month, money an hour (pay), people (staffing) or seats"`
	// Rate is what an hour of joining or leaving people costs; nil takes the average of
	// those selected.
	Rate *quantity.Decimal `json:"rate,omitempty" doc:"of staffing: cost of an hour; the average of those selected when left out"`
}

// Definition is what a person says about a scenario.
type Definition struct {
	// Period is the past period that is lived through again; whole months.
	Period quantity.Period `json:"period"`
	// Currency converts amounts, as in metric.Query; "" leaves them as they are.
	Currency string             `json:"currency,omitempty" doc:"ISO 4217 code that amounts are converted to"`
	Levers   []Lever            `json:"levers" maxItems:"8"`
	Snapshot warehouse.Snapshot `json:"snapshot,omitempty" doc:"the snapshot to look at; the current one when left out"`
}

// Over is the definition with its open period filled from the months of complete data: the
// last twelve of them, or as many as there are.
func (d Definition) Over(complete quantity.Period) Definition {
	if d.Period.To.IsZero() {
		d.Period.To = complete.To
	}
	if d.Period.From.IsZero() && !d.Period.To.IsZero() {
		d.Period.From = d.Period.To.AddMonths(-12)
		if d.Period.From.Before(complete.From) {
			d.Period.From = complete.From
		}
	}
	return d
}

// Bounds of a scenario. maxLevers keeps the exact attribution to levers cheap.
const (
	maxLevers = 8
	maxMonths = 60
	maxValues = 200
)

var (
	maxShare  = decimal.NewFromInt(10)
	maxAmount = decimal.New(1, 12)
	one       = decimal.NewFromInt(1)
)

// KindInfo describes a kind of lever for people.
type KindInfo struct {
	Kind       Kind     `json:"kind"`
	Label      string   `json:"label"`
	Help       string   `json:"help"`
	Percent    bool     `json:"percent"`     // takes a share
	AmountUnit string   `json:"amount_unit"` // of an amount; "" when it takes none
	Dimensions []string `json:"dimensions"`  // by which rows can be selected
}

// kind is a kind of lever with what it reads.
type kind struct {
	KindInfo
	tables []string // that it changes
	only   []string // dimensions it can select by, beyond what the tables allow; nil: all of these
	need   []string // dimensions of which one must be named
}

var kinds = []kind{
	{KindInfo{Kind: Price, Label: "Prices", Help: "what was invoiced becomes more or less; hours and costs stay", Percent: true, AmountUnit: "money a month"}, []string{revenueTable}, nil, nil},
	{KindInfo{Kind: Fee, Label: "Monthly fee", Help: "recurring revenue of a client or agreement becomes this a month, as on another plan", AmountUnit: "money a month"}, []string{revenueTable}, nil, []string{"client", "agreement"}},
	{KindInfo{Kind: Hours, Label: "Hours", Help: "hours worked and what they cost become more or less; revenue stays", Percent: true, AmountUnit: "hours a month"}, []string{laborTable}, nil, nil},
	{KindInfo{Kind: Pay, Label: "Pay", Help: "what an hour costs becomes more or less", Percent: true, AmountUnit: "money an hour"}, []string{laborTable}, nil, nil},
	{KindInfo{Kind: Staffing, Label: "Staffing", Help: "people join, or leave when negative, each for 40 hours a week", AmountUnit: "people"}, []string{capacityTable}, nil, nil},
	{KindInfo{Kind: Churn, Label: "Clients that leave", Help: "revenue, hours and direct cost of these clients go", Percent: true}, []string{revenueTable, laborTable, costTable}, []string{"client", "industry", "account_manager", "agreement"}, []string{"client", "industry", "account_manager", "agreement"}},
	{KindInfo{Kind: Cost, Label: "Direct cost", Help: "what vendors are paid becomes more or less, as when a tool is dropped", Percent: true, AmountUnit: "money a month"}, []string{costTable}, nil, nil},
	{KindInfo{Kind: Seats, Label: "License seats", Help: "seats are bought or returned at what a seat costs now; fees stay", AmountUnit: "seats"}, []string{costTable}, []string{"client", "product", "vendor"}, []string{"product"}},
}

func kindOf(k Kind) *kind {
	for i := range kinds {
		if kinds[i].Kind == k {
			return &kinds[i]
		}
	}
	return nil
}

// Service computes scenarios. It is safe for concurrent use.
type Service struct{ metrics *metric.Catalog }

// New returns a Service over the measures of c.
func New(c *metric.Catalog) *Service { return &Service{c} }

// Kinds lists the kinds of levers.
func (s *Service) Kinds() []KindInfo {
	out := make([]KindInfo, len(kinds))
	for i, k := range kinds {
		out[i] = k.KindInfo
		out[i].Dimensions = s.dimensionsOf(&k)
	}
	return out
}

// dimensionsOf returns the dimensions that a kind of lever can select by.
func (s *Service) dimensionsOf(k *kind) []string {
	out := []string{}
	for _, d := range s.metrics.Dimensions() {
		ok := !d.Time && d.Name != "currency" && (k.only == nil || slices.Contains(k.only, d.Name))
		for _, t := range k.tables {
			m, err := s.metrics.Measure(tableMeasures[t][0])
			ok = ok && err == nil && slices.Contains(s.metrics.DimensionsOf(m), d.Name)
		}
		if ok {
			out = append(out, d.Name)
		}
	}
	return out
}

// Check returns an Invalid fault that lists every wrong part of a definition.
func (s *Service) Check(d Definition) error {
	var wrong []fault.Field
	bad := func(path, message string, allowed ...string) {
		wrong = append(wrong, fault.Field{Path: path, Message: message, Allowed: allowed})
	}
	switch p := d.Period; {
	case !p.Bounded() || !p.WholeMonths() || !p.From.Before(p.To):
		bad("period", "must be whole months, such as 2025-07 to 2026-07 (the end is the first month not included)")
	case len(p.Months()) > maxMonths:
		bad("period", fmt.Sprintf("must be at most %d months", maxMonths))
	}
	if len(d.Levers) > maxLevers {
		bad("levers", fmt.Sprintf("at most %d levers in one scenario: save the rest as another one", maxLevers))
	}
	for i, l := range d.Levers {
		s.checkLever(l, "levers["+strconv.Itoa(i)+"].", bad)
	}
	if wrong != nil {
		return fault.WithFields("the scenario is not valid: "+wrong[0].Path+" "+wrong[0].Message, wrong...)
	}
	return nil
}

func (s *Service) checkLever(l Lever, at string, bad func(path, message string, allowed ...string)) {
	k := kindOf(l.Kind)
	if k == nil {
		names := make([]string, len(kinds))
		for i := range kinds {
			names[i] = string(kinds[i].Kind)
		}
		bad(at+"kind", fmt.Sprintf("%q is not a kind of lever", l.Kind), names...)
		return
	}
	switch {
	case l.Percent != nil && l.Amount != nil:
		bad(at+"amount", "stands beside percent: give one of them")
	case l.Percent != nil && !k.Percent:
		bad(at+"percent", fmt.Sprintf("%s takes an amount (%s), no share", k.Kind, k.AmountUnit))
	case l.Amount != nil && k.AmountUnit == "":
		bad(at+"amount", fmt.Sprintf("%s takes a share, no amount", k.Kind))
	case l.Percent == nil && l.Amount == nil && k.Kind != Churn:
		bad(at+"amount", fmt.Sprintf("is missing: say by how much (%s)", k.takes()))
	}
	if p := l.Percent; p != nil {
		low, high := one.Neg(), maxShare
		if k.Kind == Churn {
			low, high = decimal.Zero, one
		}
		if p.LessThan(low) || p.GreaterThan(high) {
			bad(at+"percent", fmt.Sprintf("must be %s to %s (a fraction: 0.06 is 6 %%)", low, high))
		}
	}
	if a := l.Amount; a != nil && (a.Abs().GreaterThan(maxAmount) || k.Kind == Fee && a.Sign() < 0) {
		bad(at+"amount", "is out of range")
	}
	if l.Rate != nil && (k.Kind != Staffing || l.Rate.Sign() < 0 || l.Rate.GreaterThan(maxAmount)) {
		bad(at+"rate", "is the cost of an hour of staffing, not below 0")
	}
	allowed, named := s.dimensionsOf(k), len(k.need) == 0
	for d, values := range l.Select {
		if !slices.Contains(allowed, d) {
			bad(at+"select."+d, fmt.Sprintf("%s cannot be selected by %s", k.Kind, d), allowed...)
		}
		if len(values) == 0 || len(values) > maxValues {
			bad(at+"select."+d, fmt.Sprintf("must have 1 to %d values", maxValues))
		}
		named = named || slices.Contains(k.need, d)
	}
	if !named {
		bad(at+"select", fmt.Sprintf("%s needs one of %s", k.Kind, strings.Join(k.need, ", ")), k.need...)
	}
}

// takes says what a kind of lever is changed by.
func (k *kind) takes() string {
	switch {
	case k.Percent && k.AmountUnit != "":
		return "a share such as +6%, or " + k.AmountUnit
	case k.Percent:
		return "a share such as 50%"
	}
	return k.AmountUnit
}

// share is the change that a lever with a share makes: 0.06 for 6 % more.
func (l Lever) share() quantity.Decimal {
	switch {
	case l.Kind == Churn && l.Percent == nil:
		return one.Neg()
	case l.Kind == Churn:
		return l.Percent.Neg()
	}
	return *l.Percent
}
