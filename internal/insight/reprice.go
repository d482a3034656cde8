package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// RepriceSettings are what prices are set for. Zero fields take their default.
type RepriceSettings struct {
	Margin     quantity.Decimal `json:"margin"`      // wanted margin, below 1; zero is the target margin of the thresholds
	Efficiency quantity.Decimal `json:"efficiency"`  // wanted labor revenue ÷ shadow billable value; zero is 1
	Rate       quantity.Decimal `json:"rate"`        // wanted money for an hour; zero is each agreement's own target rate, else what its hours are billed at elsewhere
	NoticeDays int              `json:"notice_days"` // days between telling a client and the new price; zero is 30
	Cap        quantity.Decimal `json:"cap"`         // most that a price rises at once, a ratio of it; zero is 0.25
}

// The defaults of RepriceSettings; ours, to be set by the firm.
const defaultNoticeDays = 30

var (
	defaultEfficiency = number(1, 0)
	defaultCap        = number(25, 2)
	one               = number(1, 0)
)

// RepriceRequest asks for a RepriceSheet.
type RepriceRequest struct {
	// Period is what the work of agreements is learned from; the zero Period is the last
	// twelve complete months.
	Period quantity.Period
	RepriceSettings
}

// The methods by which a price is found (domain.md 2.3).
const (
	ByMargin     = "margin"      // (labor + products' cost) ÷ (1 − margin)
	ByEfficiency = "efficiency"  // efficiency × shadow billable value + product value
	ByHourlyRate = "hourly_rate" // rate × hours + product value
)

// RepriceSheet is the running agreements with the prices that they should have.
type RepriceSheet struct {
	Period             quantity.Period    `json:"period"`
	AsOf               quantity.Day       `json:"as_of"` // the day of the fees
	Settings           RepriceSettings    `json:"settings"`
	Items              []Reprice          `json:"items"` // largest amount missing to the margin first
	Notes              []string           `json:"notes"`
	Snapshot           warehouse.Snapshot `json:"snapshot"`
	DefinitionVersions map[string]int     `json:"definition_versions"`
}

// Reprice is an agreement and the prices that it should have. Money and hours are a month's.
// A figure that is null is not known; Notes say why.
type Reprice struct {
	Agreement string           `json:"agreement"`
	Client    string           `json:"client"`
	Currency  string           `json:"currency,omitempty"`
	Fee       quantity.Decimal `json:"fee"`      // recurring revenue: base fee and additions
	BaseFee   quantity.Decimal `json:"base_fee"` // zero when the agreement's own row does not state it
	Months    int              `json:"months"`   // in which the agreement has figures
	// Expected hours and labor cost, with 90 % intervals from the months.
	Hours         *quantity.Decimal `json:"hours"`
	HoursInterval *Interval         `json:"hours_interval"`
	Labor         *quantity.Decimal `json:"labor"`
	LaborInterval *Interval         `json:"labor_interval"`
	ProductCost   quantity.Decimal  `json:"product_cost"` // vendor bills booked on the agreement, else the cost of its additions
	ProductValue  quantity.Decimal  `json:"product_value"`
	Shadow        *quantity.Decimal `json:"shadow_billable"`
	Margin        *quantity.Decimal `json:"margin"` // at the present fee and the expected work
	Prices        []RepricePrice    `json:"prices"`
	// Proposed is the price by margin, at most the fee raised by the cap; null when the fee is
	// enough.
	Proposed       *quantity.Decimal `json:"proposed"`
	ProposedUplift *quantity.Decimal `json:"proposed_uplift"`
	Capped         bool              `json:"capped"`
	BreakEven      *quantity.Decimal `json:"break_even"`       // price at which nothing is earned
	BreakEvenHours *quantity.Decimal `json:"break_even_hours"` // hours at which nothing is earned at the present fee
	// Earliest is the first day on which a new price can hold, and EarliestWhy how it is known.
	Earliest    quantity.Day `json:"earliest"`
	EarliestWhy string       `json:"earliest_why"`
	// Drivers are what moved the labor cost a month from the earlier to the later half of the
	// months; they add up to LaborChange.
	Drivers     []Driver          `json:"drivers"`
	LaborChange *quantity.Decimal `json:"labor_change"`
	Confidence  Confidence        `json:"confidence"`
	Notes       []string          `json:"notes"`
}

// RepricePrice is a price a month by one method.
type RepricePrice struct {
	Method string            `json:"method"`
	Target quantity.Decimal  `json:"target"` // margin, efficiency, or rate an hour
	Price  *quantity.Decimal `json:"price"`
	Low    *quantity.Decimal `json:"low"` // where the price lies when hours or labor lie in their interval
	High   *quantity.Decimal `json:"high"`
	Uplift *quantity.Decimal `json:"uplift"` // of the present fee, a ratio
	Reason string            `json:"reason,omitempty"`
}

// hourlyModels are the billing models whose work no fee pays for.
var hourlyModels = []string{"t_and_m", "t&m", "time and materials", "time & materials", "hourly"}

// repriceSums are what is read of an agreement by month.
var repriceSums = append(slices.Clone(agreementSums), "shadow_billable")

// repriceStocks are what is read of it on the last day.
var repriceStocks = []string{"mrr", "product_cost", "product_value"}

// Reprices returns the running agreements with a fee and the prices that they should have.
//
// Errors: Invalid for settings out of bounds and a period without a whole month of data.
func (s *Service) Reprices(ctx context.Context, scope tenant.Scope, req RepriceRequest) (*RepriceSheet, error) {
	set, err := req.withDefaults(s.thresholds)
	if err != nil {
		return nil, err
	}
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("reprice: %w", err)
	}
	r.oneCurrency = true
	a := &analysis{Thresholds: s.thresholds, reader: r}
	today := quantity.DayOf(s.now().UTC())
	out := &RepriceSheet{Settings: set, Items: []Reprice{}, Notes: []string{}, Snapshot: r.snapshot, DefinitionVersions: map[string]int{}}
	for _, name := range append(slices.Clone(repriceSums), repriceStocks...) {
		if m, err := s.metrics.Measure(name); err == nil {
			out.DefinitionVersions[name] = m.Version
		}
	}
	complete, err := a.completeMonths(ctx, today)
	if err != nil {
		return nil, fmt.Errorf("reprice: %w", err)
	}
	if !complete.Bounded() {
		out.Notes = append(out.Notes, "nothing is imported yet, or no month is complete")
		return out, nil
	}
	if a.period, err = within(req.Period, complete); err != nil {
		return nil, err
	}
	out.Period, out.AsOf = a.period, a.period.To.AddDays(-1)
	if a.house, err = a.reader.house(ctx); err != nil {
		return nil, fmt.Errorf("reprice: %w", err)
	}
	if a.quality, err = a.measureQuality(ctx, a.period); err != nil {
		return nil, fmt.Errorf("reprice: data quality: %w", err)
	}
	if err := a.repriceAll(ctx, out, today); err != nil {
		return nil, fmt.Errorf("reprice: %w", err)
	}
	return out, nil
}

func (req RepriceRequest) withDefaults(t Thresholds) (RepriceSettings, error) {
	set := req.RepriceSettings
	var wrong []fault.Field
	check := func(ok bool, path, message string) {
		if !ok {
			wrong = append(wrong, fault.Field{Path: path, Message: message})
		}
	}
	check(set.Margin.Sign() >= 0 && set.Margin.LessThan(one), "margin", "must be at least 0 and below 1 (0.45 is 45 %)")
	check(set.Efficiency.Sign() >= 0, "efficiency", "must not be negative")
	check(set.Rate.Sign() >= 0, "rate", "must not be negative")
	check(set.NoticeDays >= 0 && set.NoticeDays <= 3660, "notice_days", "must be 0 to 3,660")
	check(set.Cap.Sign() >= 0, "cap", "must not be negative")
	if wrong != nil {
		return set, fault.WithFields("the prices cannot be set like this: "+wrong[0].Path+" "+wrong[0].Message, wrong...)
	}
	if set.Margin.IsZero() {
		set.Margin = t.TargetMargin
	}
	if set.Efficiency.IsZero() {
		set.Efficiency = defaultEfficiency
	}
	if set.NoticeDays == 0 {
		set.NoticeDays = defaultNoticeDays
	}
	if set.Cap.IsZero() {
		set.Cap = defaultCap
	}
	return set, nil
}

// repriceAll fills the sheet.
func (a *analysis) repriceAll(ctx context.Context, out *RepriceSheet, today quantity.Day) error {
	where := fmt.Sprintf("agreement != %q", noAgreement)
	fees, err := a.read(ctx, a.period, where, []string{"agreement"}, repriceStocks...)
	if err != nil {
		return err
	}
	terms, err := a.agreementsOf(ctx, a.period.To)
	if err != nil {
		return err
	}
	var names []string
	free, hourly := 0, 0
	for _, r := range fees {
		switch t := terms[r.keys[0]]; {
		case slices.Contains(hourlyModels, t.model):
			hourly++
		case r.sums["mrr"].Sign() > 0:
			names = append(names, r.keys[0])
		case t.name != "" && !t.over(out.AsOf):
			free++
		}
	}
	if hourly > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d agreements that bill by the hour are left out: their price is the rate", hourly))
	}
	if free > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d running agreements have no recurring fee and are left out", free))
	}
	if len(fees) == 0 {
		out.Notes = append(out.Notes, "no running agreement is known: import agreements with their amount")
	}
	work, err := a.monthly(ctx, a.period, "agreement", names, repriceSums...)
	if err != nil {
		return err
	}
	loads, err := a.loads(ctx, terms, names)
	if err != nil {
		return err
	}
	now := rowsByKey(fees)
	for _, name := range names {
		out.Items = append(out.Items, a.repriceOne(out.Settings, name, now[name], terms[name], work[name], loads[name], today))
	}
	missing := func(r Reprice) quantity.Decimal {
		if p := r.Prices[0].Price; p != nil {
			return p.Sub(r.Fee)
		}
		return r.Fee.Neg()
	}
	slices.SortStableFunc(out.Items, func(x, y Reprice) int {
		return cmp.Or(missing(y).Cmp(missing(x)), cmp.Compare(x.Agreement, y.Agreement))
	})
	return nil
}

// loads returns the client's endpoints and tickets by month for each agreement that is its
// client's only one among names: a ticket names a client, not an agreement.
func (a *analysis) loads(ctx context.Context, terms map[string]agreementTerm, names []string) (map[string]series, error) {
	of := map[string][]string{}
	for _, n := range names {
		if c := terms[n].client; c != "" {
			of[c] = append(of[c], n)
		}
	}
	var clients []string
	for c, list := range of {
		if len(list) == 1 {
			clients = append(clients, c)
		}
	}
	if slices.Sort(clients); len(clients) == 0 || a.tables["tickets"] == 0 {
		return nil, nil
	}
	measures := []string{"service_ticket_count"}
	if a.tables["assets"] > 0 {
		measures = append(measures, "endpoints")
	}
	all, err := a.monthly(ctx, a.period, "client", clients, measures...)
	if err != nil {
		return nil, err
	}
	out := map[string]series{}
	for c, s := range all {
		out[of[c][0]] = s
	}
	return out, nil
}

// repriceOne prices an agreement.
func (a *analysis) repriceOne(set RepriceSettings, name string, fee row, term agreementTerm, all, load series, today quantity.Day) Reprice {
	s := all.active()
	sums, n := s.sum(), len(s.months)
	r := Reprice{Agreement: name, Client: cmp.Or(term.client, noClient), Currency: cmp.Or(only(merged(fee.codes, all.codes)), a.house), Fee: fee.sums["mrr"].Round(4), BaseFee: term.fee.Round(4),
		Months: n, ProductCost: fee.sums["product_cost"].Round(4), ProductValue: fee.sums["product_value"].Round(4), Drivers: []Driver{}, Notes: []string{}}
	note := func(format string, args ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, args...)) }
	r.Earliest, r.EarliestWhy = term.newPrice(today.AddDays(set.NoticeDays), set.NoticeDays)
	mixed := apart(merged(fee.codes, all.codes)...)
	_, known := sums[laborCost]
	known = known && priced(sums) && mixed == ""
	worked := n > 0 && sums["hours_worked"].Sign() > 0
	switch {
	case mixed != "":
		note("the fee and the cost of its work are in several currencies, which are not added")
	case !worked:
		note("no hours are booked on the agreement in the period: what its work costs is not known")
	case !known:
		note("no cost rate is known for its hours")
	}
	if !worked || mixed != "" {
		n = 0
	}
	var h float64
	var hours, labor, shadow quantity.Decimal
	if n > 0 {
		count := decimal.NewFromInt(int64(n))
		if spent := sums["direct_cost"]; spent.Sign() > 0 {
			r.ProductCost = spent.DivRound(count, 4)
			note("product cost is what vendors billed for the agreement")
		}
		perMonth := func(measure string) ratioParts {
			return func(c cell) (num, den quantity.Decimal) { return c[measure], one }
		}
		hours = sums["hours_worked"].DivRound(count, ratioPlaces)
		r.Hours = rounded(hours)
		r.HoursInterval, _ = a.expected(s, perMonth("hours_worked"), hours, hours)
		if value, ok := sums["shadow_billable"]; ok && value.Sign() > 0 {
			shadow = value.DivRound(count, ratioPlaces)
			r.Shadow = rounded(shadow)
		}
		if known {
			labor = sums[laborCost].DivRound(count, ratioPlaces)
			r.Labor = rounded(labor)
			r.LaborInterval, h = a.expected(s, perMonth(laborCost), labor, labor)
			margin, _ := ratio(r.Fee.Sub(labor).Sub(r.ProductCost), r.Fee)
			r.Margin = rounded(margin)
			r.BreakEven = rounded(labor.Add(r.ProductCost))
			if rate, ok := ratio(labor, hours); ok && rate.Sign() > 0 {
				free := decimal.Max(decimal.Zero, r.Fee.Sub(r.ProductCost)).DivRound(rate, ratioPlaces)
				r.BreakEvenHours = rounded(free)
			}
			r.drive(s, load)
		}
	}
	r.Prices = []RepricePrice{
		priceBy(ByMargin, set.Margin, r.Fee, r.Labor != nil, "what the work costs is not known", r.LaborInterval, labor, func(labor quantity.Decimal) quantity.Decimal {
			price, _ := reprice(r.Fee, labor.Add(r.ProductCost), set.Margin)
			return price
		}),
		priceBy(ByEfficiency, set.Efficiency, r.Fee, r.Shadow != nil, "no billing rate is known for its hours", r.HoursInterval, hours, func(h quantity.Decimal) quantity.Decimal {
			return set.Efficiency.Mul(shadow).Mul(h).DivRound(hours, ratioPlaces).Add(r.ProductValue)
		}),
		r.priceByRate(set, term, hours, shadow),
	}
	if best := r.Prices[0]; best.Price != nil && best.Price.GreaterThan(r.Fee) {
		most := r.Fee.Mul(one.Add(set.Cap))
		proposed := decimal.Min(*best.Price, most)
		r.Capped = best.Price.GreaterThan(most)
		uplift, _ := ratio(proposed.Sub(r.Fee), r.Fee)
		r.Proposed, r.ProposedUplift = rounded(proposed), rounded(uplift)
	}
	r.Confidence = a.quality.agreement(agreementCase{name: name, now: sums, currency: r.Currency, term: term}, h, r.LaborInterval == nil)
	return r
}

// priceByRate is the price at which an hour earns the wanted rate: that of the settings,
// else the agreement's, else what its hours are billed at elsewhere.
func (r *Reprice) priceByRate(set RepriceSettings, term agreementTerm, hours, shadow quantity.Decimal) RepricePrice {
	rate, reason := set.Rate, "no hours are booked on it, or no rate is wanted of it"
	if rate.IsZero() {
		rate = term.target
	}
	if rate.IsZero() {
		rate, _ = ratio(shadow, hours)
		rate = rate.Round(6)
	}
	return priceBy(ByHourlyRate, rate, r.Fee, r.Hours != nil && rate.Sign() > 0, reason, r.HoursInterval, hours, func(h quantity.Decimal) quantity.Decimal {
		return rate.Mul(h).Add(r.ProductValue)
	})
}

// priceBy is the price that a method gives for what is expected, and for the ends of its
// interval.
func priceBy(method string, target, fee quantity.Decimal, known bool, reason string, i *Interval, expected quantity.Decimal, price func(quantity.Decimal) quantity.Decimal) RepricePrice {
	p := RepricePrice{Method: method, Target: target}
	if !known {
		p.Reason = reason
		return p
	}
	value := price(expected)
	uplift, _ := ratio(value.Sub(fee), fee)
	p.Price, p.Uplift = rounded(value), rounded(uplift)
	if i != nil {
		p.Low, p.High = rounded(price(decimal.Max(decimal.Zero, i.Low))), rounded(price(i.High))
	}
	return p
}

// rounded is a figure for the sheet, to six decimals.
func rounded(d quantity.Decimal) *quantity.Decimal {
	d = d.RoundBank(6)
	return &d
}

// longestTerm is the longest term in months that is no mistake.
const longestTerm = 600

// newPrice is the first day not before from on which the agreement lets its price change:
// at a renewal when it has a term, after its end when it has one, else on the first day of a
// month.
func (t agreementTerm) newPrice(from quantity.Day, notice int) (quantity.Day, string) {
	after := fmt.Sprintf("after %d days of notice", notice)
	switch {
	case t.term > 0 && t.term <= longestTerm && !t.start.IsZero():
		renewal := t.start
		for k := 1; renewal.Before(from); k++ {
			renewal = sameDay(t.start, k*t.term)
		}
		return renewal, fmt.Sprintf("first renewal %s: a term of %s from %s", after, months(t.term), t.start)
	case !t.end.IsZero() && !t.end.Before(from.AddDays(-1)):
		return t.end.AddDays(1), "the day after its end on " + t.end.String()
	}
	first := from.Month()
	if first.Before(from) {
		first = first.AddMonths(1)
	}
	return first, "no term is stated: the first month " + after
}

// sameDay is the day n months after start, the last of its month when that is shorter.
func sameDay(start quantity.Day, n int) quantity.Day {
	month := start.AddMonths(n)
	day, last := month.AddDays(start.Time().Day()-1), month.AddMonths(1).AddDays(-1)
	if last.Before(day) {
		return last
	}
	return day
}
