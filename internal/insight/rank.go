package insight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// RankRequest asks which members of a dimension are worst at a measure.
type RankRequest struct {
	Measure string
	// By is the dimension whose members are ranked; "" means client.
	By string
	// Where is a condition, as in metric.Query; "" is everything.
	Where string
	// Period is made of whole months; when it is open, the last twelve complete months.
	Period quantity.Period
	// Limit is the value that a member is worse than with the probability it is ranked by; nil
	// takes the measure's own (a margin of 0, an efficiency of 0.8), or the value of all.
	Limit *quantity.Decimal
	// Top is the most rows; 0 means all.
	Top int
}

// Ranked is a member with its own value beside what it is once the others are considered.
type Ranked struct {
	Name string `json:"name"`
	// Raw is its own value, null when it has none, with the reason.
	Raw    *quantity.Decimal `json:"raw"`
	Reason string            `json:"reason,omitempty"`
	// Shrunken is the value drawn towards the others the more, the less is known of it; null
	// when there is nothing to draw.
	Shrunken *quantity.Decimal `json:"shrunken"`
	Interval *Interval         `json:"interval"` // of Shrunken, expected
	// Weight is how much of Shrunken is its own value, 0 to 1.
	Weight float64 `json:"weight"`
	// Probability is that of being on the bad side of the limit; null without Shrunken.
	Probability *float64          `json:"probability"`
	N           int               `json:"n"`       // months or cases of its own
	TooFew      bool              `json:"too_few"` // fewer than five: its own value alone says too little
	Previous    *quantity.Decimal `json:"previous"`
	Change      *quantity.Decimal `json:"change"` // of Raw; the drivers add up to it
	Drivers     []Driver          `json:"drivers"`
	Currency    string            `json:"currency,omitempty"`
}

// Ranking is the members of a dimension, those first that are worst most probably.
type Ranking struct {
	Measure     string             `json:"measure"`
	Unit        quantity.Unit      `json:"unit"`
	By          string             `json:"by"`
	Where       string             `json:"where"`
	Period      quantity.Period    `json:"period"`
	Limit       quantity.Decimal   `json:"limit"`
	Above       bool               `json:"above"` // the bad side is above the limit
	Kind        string             `json:"kind"`  // of doubt, as in Doubt
	Method      string             `json:"method"`
	Words       string             `json:"words"`
	Rows        []Ranked           `json:"rows"`
	Total       int                `json:"total"` // members, those beyond Top included
	Currency    string             `json:"currency,omitempty"`
	Versions    map[string]int     `json:"definition_versions"`
	Snapshot    warehouse.Snapshot `json:"snapshot"`
	EmptyReason string             `json:"empty_reason,omitempty"` // why there are no rows
}

// Rank orders the members of a dimension by the probability that the expected value of a
// measure is on the bad side of a limit. Small members are drawn towards the others
// (empirical Bayes), so that a client of two months does not lead the list by chance.
//
// Errors: Invalid for an unknown measure, dimension or filter, a measure that cannot be cut
// so, and a period without a whole month; NotFound when there is no complete month.
func (s *Service) Rank(ctx context.Context, scope tenant.Scope, req RankRequest) (*Ranking, error) {
	s, err := s.of(ctx, scope)
	if err != nil {
		return nil, err
	}
	m, err := s.metrics.Measure(req.Measure)
	if err != nil {
		return nil, err
	}
	if m.Wide() {
		return nil, fault.WithFields(m.Name+" cannot be ranked: it looks at other months, at the total, or is a median", fault.Field{Path: "measure", Message: "must be a sum or a formula over sums"})
	}
	req.By = cmp.Or(req.By, "client")
	if by := s.metrics.DimensionsOf(m); !slices.Contains(by, req.By) || slices.Contains([]string{"day", "week", "month", "quarter", "year"}, req.By) {
		return nil, fault.WithFields(fmt.Sprintf("%s cannot be ranked by %s", m.Name, req.By), fault.Field{Path: "by", Message: "must be a dimension of the measure, none of time", Allowed: by})
	}
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	complete, err := r.completeMonths(ctx, quantity.DayOf(s.now().UTC()))
	if err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	if !complete.Bounded() {
		return nil, fault.Newf(fault.NotFound, "there is no complete month of data to rank by")
	}
	if req.Period, err = within(req.Period, complete); err != nil {
		return nil, err
	}
	if err := r.allowed(ctx, metric.Query{Measures: []string{m.Name}, Dimensions: []string{req.By}, Where: req.Where, Period: req.Period}); err != nil {
		return nil, err
	}
	r.lenient = true
	k := &ranking{reader: r, measure: m, req: req, kind: kindOf(s.metrics, m), begins: complete.From}
	out, err := k.rank(ctx, s.thresholds)
	if err != nil {
		return nil, fmt.Errorf("ranking by %s: %w", m.Name, err)
	}
	return out, nil
}

// ranking is one run of Rank.
type ranking struct {
	reader
	measure *metric.Measure
	req     RankRequest
	kind    string
	formula formula
	begins  quantity.Day // of the data
	members []member
}

// member is what is known of one of the ranked.
type member struct {
	name        string
	now, before row
	months      series
	value       *quantity.Decimal
	// own is its estimate and its standard error; known only from five months or cases on.
	own, se float64
	of      estimate // the same at any level; nil when there are too few
	n       int
	few     bool
}

func (k *ranking) rank(ctx context.Context, t Thresholds) (*Ranking, error) {
	var err error
	if k.formula, err = formulaOf(k.metrics, k.measure.Name); err != nil {
		return nil, err
	}
	out := &Ranking{Measure: k.measure.Name, Unit: k.measure.Unit, By: k.req.By, Where: k.req.Where, Period: k.req.Period, Kind: k.kind, Rows: []Ranked{},
		Above: k.measure.Direction == "down_good", Snapshot: k.snapshot, Versions: map[string]int{k.measure.Name: k.measure.Version}}
	if err := k.load(ctx); err != nil {
		return nil, err
	}
	out.Total = len(k.members)
	if out.Total == 0 {
		out.EmptyReason = fmt.Sprintf("no %s has %s in %s", k.req.By, spoken(k.measure.Name), k.req.Period.Words())
	}
	if out.Limit, err = k.limit(ctx, t); err != nil {
		return nil, err
	}
	out.Rows = make([]Ranked, len(k.members))
	for i, one := range k.members {
		out.Rows[i] = k.row(one)
		if i == 0 {
			out.Currency = out.Rows[i].Currency
		} else if out.Rows[i].Currency != out.Currency {
			out.Currency = ""
		}
	}
	out.Method = k.shrink(out)
	slices.SortStableFunc(out.Rows, func(a, b Ranked) int { return worse(a, b, out.Above) })
	if k.req.Top > 0 && len(out.Rows) > k.req.Top {
		out.Rows = out.Rows[:k.req.Top]
	}
	side := "below"
	if out.Above {
		side = "above"
	}
	out.Words = inCurrency(out.Currency, fmt.Sprintf("Ranked by the probability that the expected %s is %s %s. Each value is drawn towards the others the more, the less is known of it; the raw value stands beside it.", spoken(k.measure.Name), side, inUnit(out.Limit, out.Unit)))
	return out, nil
}

// worse orders the ranked: by probability, then by value, those without any last.
func worse(a, b Ranked, above bool) int {
	at := func(r Ranked) (p, v float64) {
		p, v = -1, math.Inf(1)
		if r.Probability != nil {
			p = *r.Probability
		}
		if r.Shrunken != nil {
			v = float(*r.Shrunken)
		} else if r.Raw != nil {
			v = float(*r.Raw)
		}
		if above && !math.IsInf(v, 1) {
			v = -v
		}
		return p, v
	}
	pa, va := at(a)
	pb, vb := at(b)
	return cmp.Or(cmp.Compare(pb, pa), cmp.Compare(va, vb), cmp.Compare(a.Name, b.Name))
}

// load reads the members: their figures in the period and in the one before, and by month.
// Three questions answer for all of them.
func (k *ranking) load(ctx context.Context) error {
	bases := k.siblings(slices.DeleteFunc(slices.Clone(k.formula.sums), isParameter))
	k.oneCurrency = true
	var now, before []row
	months := map[string]series{}
	if err := together(
		func() (err error) {
			now, err = k.read(ctx, k.req.Period, k.req.Where, []string{k.req.By}, bases...)
			return err
		},
		func() (err error) {
			if !k.begins.Before(k.req.Period.Previous().To) {
				return nil // the data begins later
			}
			before, err = k.read(ctx, k.req.Period.Previous(), k.req.Where, []string{k.req.By}, bases...)
			return err
		},
		func() (err error) { months, err = k.byMonth(ctx, bases); return err },
	); err != nil {
		return err
	}
	was := rowsByKey(before)
	for _, r := range now {
		if r.keys[0] == noClient || r.keys[0] == noAgreement {
			continue
		}
		one := member{name: r.keys[0], now: k.counted(r), before: k.counted(was[r.keys[0]]), months: months[r.keys[0]].active()}
		if v, ok := k.formula.value(one.now.sums); ok {
			v = v.Round(k.formula.places())
			one.value = &v
			k.estimate(&one)
		}
		k.members = append(k.members, one)
	}
	k.pool()
	return nil
}

// mostSiblings bounds how many measures are asked for at once.
const mostSiblings = 24

// siblings returns all base measures of the table that the bases are of, when there is one and
// they are not too many: the next measure of it is then answered from the cache.
func (k *ranking) siblings(bases []string) []string {
	fact, all := "", []string{}
	for _, b := range bases {
		m, err := k.metrics.Measure(b)
		if err != nil || fact != "" && m.Fact != fact {
			return bases
		}
		fact = m.Fact
	}
	for _, m := range k.metrics.Measures() {
		if m.Base() && m.Fact == fact {
			all = append(all, m.Name)
		}
	}
	if len(all) > mostSiblings {
		return bases
	}
	return all
}

// counted adds the parameters that describe the period.
func (k *ranking) counted(r row) row {
	sums := cell{}
	for name, v := range r.sums {
		sums[name] = v
	}
	if len(r.keys) > 0 {
		sums["months"] = decimal.NewFromInt(int64(max(1, len(r.counted.Months()))))
		sums["days"] = decimal.NewFromInt(int64(r.counted.From.DaysUntil(r.counted.To)))
	}
	r.sums = sums
	return r
}

// byMonth reads the members' months, a year at a time when they are too many at once.
func (k *ranking) byMonth(ctx context.Context, bases []string) (map[string]series, error) {
	out := map[string]series{}
	if k.kind == kindStock || k.kind == kindShare || !k.monthly(bases) {
		return out, nil
	}
	months, places := k.req.Period.Months(), map[string]int{}
	for i, m := range months {
		places[m.String()] = i
	}
	add := func(p quantity.Period) error {
		rows, err := k.read(ctx, p, k.req.Where, []string{k.req.By, "month"}, bases...)
		for _, r := range rows {
			s, ok := out[r.keys[0]]
			if !ok {
				s = series{months: months, cells: make([]cell, len(months))}
			}
			if i, ok := places[r.keys[1]]; ok {
				s.cells[i], s.codes = r.sums, merged(s.codes, r.codes)
			}
			out[r.keys[0]] = s
		}
		return err
	}
	err := add(k.req.Period)
	if !tooMany(err) {
		return out, err
	}
	for from := k.req.Period.From; from.Before(k.req.Period.To); from = from.AddMonths(12) {
		to := from.AddMonths(12)
		if k.req.Period.To.Before(to) {
			to = k.req.Period.To
		}
		if err := add(quantity.Period{From: from, To: to}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// monthly reports whether all base measures are known by month.
func (k *ranking) monthly(bases []string) bool {
	return !slices.ContainsFunc(bases, func(b string) bool {
		m, err := k.metrics.Measure(b)
		return err != nil || !slices.Contains(k.metrics.DimensionsOf(m), "month")
	})
}

// estimate sets a member's own estimate and standard error.
func (k *ranking) estimate(one *member) {
	one.own, one.n = float(*one.value), len(one.months.cells)
	if k.kind == kindShare {
		under := k.measure.Inputs()[1]
		one.n = int(one.now.sums[under].IntPart())
		one.few = one.n < fewest
		return
	}
	of, err := k.estimateOf(k.measure.Name, k.kind, one.months, one.now.sums, *one.value)
	if k.kind == kindStock || errors.Is(err, errNoInterval) {
		return // exact
	}
	one.few = true
	if err != nil {
		return
	}
	// 68.27 % of a normal distribution lie within one standard deviation.
	if i, err := of(0.6827); err == nil && !math.IsNaN(i.Low) && !math.IsNaN(i.High) {
		one.own, one.se, one.few, one.of = i.Estimate, i.HalfWidth(), false, of
	}
}

// pool gives members with too few months of their own the spread that a month of the others
// has, so that they can be drawn towards these.
func (k *ranking) pool() {
	var spread []float64
	for _, one := range k.members {
		if one.se > 0 {
			spread = append(spread, one.se*math.Sqrt(float64(one.n)))
		}
	}
	if len(spread) == 0 {
		return
	}
	slices.Sort(spread)
	middle := stats.Quantile(spread, 0.5)
	for i, one := range k.members {
		if one.value != nil && one.few && one.n > 0 {
			k.members[i].se = middle / math.Sqrt(float64(one.n))
		}
	}
}

// limit is the value that the ranking turns on.
func (k *ranking) limit(ctx context.Context, t Thresholds) (quantity.Decimal, error) {
	if k.req.Limit != nil {
		return *k.req.Limit, nil
	}
	if own := limitsOf(k.measure.Name, t); len(own) > 0 {
		return own[0].below, nil
	}
	if k.kind == kindSum || k.kind == kindCount || k.kind == kindStock { // of what adds up, the middle member
		var values []float64
		for _, one := range k.members {
			if one.value != nil {
				values = append(values, float(*one.value))
			}
		}
		slices.Sort(values)
		if middle := stats.Quantile(values, 0.5); !math.IsNaN(middle) {
			return dec(middle).Round(k.formula.places()), nil
		}
		return quantity.Decimal{}, nil
	}
	all, err := k.whole(ctx, k.req.Period, k.req.Where, k.measure.Name)
	return all.sums[k.measure.Name].Round(k.formula.places()), err
}

// row is a member as it is shown, not yet drawn towards the others.
func (k *ranking) row(one member) Ranked {
	out := Ranked{Name: one.name, Raw: one.value, N: one.n, TooFew: one.few, Weight: 1, Drivers: []Driver{}, Currency: only(one.now.codes)}
	if one.value == nil {
		_, out.Reason = side(k.formula, one.now)
		return out
	}
	if apart(merged(one.now.codes, one.before.codes)...) != "" || len(one.before.keys) == 0 {
		return out
	}
	if c, why := k.formula.attribute(one.before.sums, one.now.sums); why == "" {
		out.Previous, out.Change, out.Drivers = &c.from, &c.change, c.drivers
	}
	return out
}
