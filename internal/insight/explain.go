package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// What an explanation may compare with.
const (
	Previous  = "previous"  // the same cell in the period before, of the same length
	Portfolio = "portfolio" // everything in the same period, scaled to the size of the cell
	YearAgo   = "year_ago"  // the same cell in the same months of the year before
	Elsewhere = "where"     // the cell that Against names
	Restated  = "snapshot"  // the same cell and period in an earlier snapshot
)

// comparisons are those that may be asked for.
var comparisons = []string{Previous, Portfolio, YearAgo, Elsewhere, Restated}

// Against is the other cell of a comparison with Elsewhere: another condition, another
// period, or both.
type Against struct {
	Where string
	// Period is that of the other cell; open means the same one.
	Period quantity.Period
}

// ExplainRequest asks why a measure differs between two cells.
type ExplainRequest struct {
	Measure string
	// Where is the cell, as in metric.Query; "" is everything.
	Where string
	// Period is the period of the cell; when it is open, the last twelve complete months.
	Period quantity.Period
	// Versus is one of the comparisons above; "" means Previous.
	Versus  string
	Against Against
	// Snapshot is the earlier one that Restated compares with.
	Snapshot warehouse.Snapshot
	// Depth is how many levels of drivers are opened, 1 to 4; 0 means 1.
	Depth int
	// By says what the drivers of each level are: dimensions, or Factors. Levels that it does
	// not name are chosen; it may name more than Depth, which then is their number.
	By []string
	// AsSeen compares with the figure of the other period as it was known before this one was
	// over; what was corrected since is a driver of its own. For Previous and YearAgo.
	AsSeen bool
	// Below asks for the probability that the expected value is below it, beside the usual ones.
	Below *quantity.Decimal
	// Brief leaves out the drivers of a measure that adds up, which need a finer question
	// than the two values do; a formula's drivers come with its values in any case.
	Brief bool
}

// Side is one of the two cells of an explanation.
type Side struct {
	Value  *quantity.Decimal           `json:"value"`            // null when it has none
	Reason string                      `json:"reason,omitempty"` // why it has none
	Label  string                      `json:"label"`
	Period quantity.Period             `json:"period"`
	Inputs map[string]quantity.Decimal `json:"inputs"` // the base measures it is computed from
}

// Asked is the measure that was asked for where another one explains it.
type Asked struct {
	Measure string            `json:"measure"`
	Unit    quantity.Unit     `json:"unit"`
	Value   *quantity.Decimal `json:"value"` // in the period; null when it has none
}

// Explanation is the exact attribution of a change. The drivers' contributions add up to
// Change, which is To − From, all in Unit.
type Explanation struct {
	Measure    string             `json:"measure"`
	Unit       quantity.Unit      `json:"unit"`
	Currency   string             `json:"currency,omitempty"` // ISO 4217, of all amounts; "" when none is named, or several
	Where      string             `json:"where"`
	Versus     string             `json:"versus"`
	From       Side               `json:"from"`
	To         Side               `json:"to"`
	Change     *quantity.Decimal  `json:"change"` // null when a side has no value
	Asked      *Asked             `json:"asked,omitempty"`
	Drivers    []Driver           `json:"drivers"`
	Steps      []Step             `json:"steps"`        // the change as a bridge; empty without one
	By         string             `json:"by,omitempty"` // the dimension whose values the drivers are; "" when they are inputs
	Note       string             `json:"note,omitempty"`
	Confidence Confidence         `json:"confidence"`
	Interval   *Interval          `json:"interval"`        // of To, expected
	Band       *Interval          `json:"band,omitempty"`  // of To, descriptive
	Doubt      Doubt              `json:"doubt"`           // which kind of doubt the measure has, and what is too few to say
	Chances    []Chance           `json:"chances"`         // what is probable of the expected value
	Raise      *Raise             `json:"raise,omitempty"` // the cheapest way to a higher confidence
	Headline   string             `json:"headline"`        // the change in one sentence
	Words      string             `json:"words"`
	Query      metric.Query       `json:"query"`
	Snapshot   warehouse.Snapshot `json:"snapshot"`
}

// Explain attributes the change of a measure between two cells to its inputs, or, for a
// measure that adds up and has none, to the values of a dimension. A margin that is
// undefined without revenue is explained as gross profit, and Note says so.
//
// Errors: Invalid for an unknown measure, filter or comparison and for measures that
// cannot be compared so, NotFound when there is no data; and what metric.Catalog.Run returns.
func (s *Service) Explain(ctx context.Context, scope tenant.Scope, req ExplainRequest) (*Explanation, error) {
	if req.Versus == "" {
		req.Versus = Previous
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	s, err := s.of(ctx, scope)
	if err != nil {
		return nil, err
	}
	m, err := s.metrics.Measure(req.Measure)
	if err != nil {
		return nil, err
	}
	if err := s.checkPath(m, req.By); err != nil {
		return nil, err
	}
	if m.Wide() && req.Versus == Portfolio {
		return nil, fault.Newf(fault.Invalid, "%s looks at other cells than its own: compare it with the previous period", m.Name)
	}
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("explanation: %w", err)
	}
	if !req.Period.Bounded() {
		data, err := r.completeMonths(ctx, quantity.DayOf(s.now().UTC()))
		if err != nil {
			return nil, fmt.Errorf("explanation: %w", err)
		}
		if !data.Bounded() {
			return nil, fault.Newf(fault.NotFound, "there is no complete month of data to explain")
		}
		if req.Period, err = within(req.Period, data); err != nil {
			return nil, err
		}
	}
	asked := metric.Query{Measures: []string{m.Name}, Where: req.Where, Period: req.Period}
	if err := r.allowed(ctx, asked); err != nil {
		return nil, err
	}
	r.lenient = true
	x := explanation{reader: r, measure: m, req: req, thresholds: s.thresholds}
	if err := x.other(ctx); err != nil {
		return nil, fmt.Errorf("explanation of %s: %w", m.Name, err)
	}
	out, err := x.explain(ctx)
	if err != nil {
		return nil, fmt.Errorf("explanation of %s: %w", m.Name, err)
	}
	return out, nil
}

// explanation is one run of Explain.
type explanation struct {
	reader
	measure    *metric.Measure
	req        ExplainRequest
	thresholds Thresholds
	from       corner // the other cell
	quality    quality
	data       quantity.Period // months of the data behind the measure
	// gains are what one more of each input brings, by input; see formula.attribute.
	gains map[string]quantity.Decimal
	seats quantity.Decimal // purchased at the end of the period, where licenses are asked about
}

func (x *explanation) explain(ctx context.Context) (*Explanation, error) {
	out := &Explanation{
		Measure: x.measure.Name, Unit: x.measure.Unit, Where: x.req.Where, Versus: x.req.Versus, Snapshot: x.snapshot, Drivers: []Driver{},
		Query: metric.Query{Measures: []string{x.measure.Name}, Where: x.req.Where, Period: x.req.Period, Snapshot: x.snapshot},
		To:    Side{Label: x.req.Period.String(), Period: x.req.Period},
		From:  Side{Label: x.from.label, Period: x.from.period}, Steps: []Step{}, Chances: []Chance{},
	}
	var err error
	if x.data, err = x.span(ctx, x.measure); err != nil {
		return nil, err
	}
	if err := together(
		func() (err error) { x.quality, err = x.measureQuality(ctx, wholeMonths(x.req.Period)); return err },
		func() error { return x.attribute(ctx, out) },
	); err != nil {
		return nil, err
	}
	x.limitToData(out)
	if x.req.AsSeen && out.Change != nil {
		if err := x.asSeen(ctx, out); err != nil {
			return nil, err
		}
	}
	out.Steps = bridge(out)
	if x.measure.Wide() {
		if err := x.wideDoubt(ctx, out); err != nil {
			return nil, err
		}
		x.say(out)
		return out, nil
	}
	if out.Measure == "license_utilization" {
		c, err := x.total(ctx, x.req.Period, x.req.Where, "seats_purchased")
		if err != nil {
			return nil, err
		}
		x.seats = c["seats_purchased"]
	}
	if err := x.doubt(ctx, out); err != nil {
		return nil, err
	}
	if out.To.Value == nil {
		out.Interval = nil
	}
	if out.Currency == "" {
		if out.Currency, err = x.house(ctx); err != nil {
			return nil, err
		}
	}
	x.say(out)
	return out, nil
}

// attribute sets both sides of out and the drivers of their difference.
func (x *explanation) attribute(ctx context.Context, out *Explanation) error {
	switch {
	case x.req.Versus == Restated:
		return x.restate(ctx, out)
	case x.measure.Wide():
		return x.asWhole(ctx, out)
	case !x.measure.Base(), x.measure.Name == laborCost, x.measure.Name == licenseWaste, x.measure.Name == overCost:
		if err := x.byInputs(ctx, out); err != nil {
			return err
		}
	default:
		if err := x.byDimension(ctx, out); err != nil {
			return err
		}
	}
	return x.open(ctx, out)
}

// together runs functions at once and returns the first one's error of those that fail.
func together(all ...func() error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, f := range all {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// limitToData takes back values of periods that the data does not cover: outside of it
// there is nothing known, which is not zero, and a period that begins before the data does
// is no fair comparison.
func (x *explanation) limitToData(out *Explanation) {
	data := x.data
	if !data.Bounded() {
		return
	}
	last := data.To.AddDays(-1)
	if to := &out.To; !to.Period.From.Before(data.To) || !data.From.Before(to.Period.To) {
		to.Value, to.Reason = nil, fmt.Sprintf("the data reaches from %s to %s", monthName(data.From), monthName(last))
		out.Note = to.Reason
	}
	if from := &out.From; out.Versus != Portfolio && out.Versus != Restated && x.beginsLater(from.Period) {
		from.Value, from.Reason = nil, "the data begins in "+monthName(data.From)
		if out.Note == "" {
			out.Note = from.Reason
		}
	}
	if out.From.Value == nil || out.To.Value == nil {
		out.Change, out.Drivers, out.By = nil, []Driver{}, ""
	}
}

// beginsLater reports whether the data does not reach back to the beginning of a period.
func (x *explanation) beginsLater(p quantity.Period) bool { return p.From.Before(x.data.From) }

// asWhole sets both sides of a measure that has no formula over sums and adds nothing up,
// such as a concentration: there are no parts to attribute its change to.
func (x *explanation) asWhole(ctx context.Context, out *Explanation) error {
	for i, s := range []*Side{&out.From, &out.To} {
		at := []corner{x.from, x.to()}[i]
		all, err := at.whole(ctx, at.period, at.where, x.measure.Name)
		if err != nil {
			return err
		}
		if v, ok := all.sums[x.measure.Name]; ok {
			s.Value = &v
		} else {
			s.Reason = cmp.Or(all.why[x.measure.Name], "no "+spoken(x.measure.Inputs()[0])+" in the data")
		}
	}
	if out.From.Value != nil && out.To.Value != nil {
		change := out.To.Value.Sub(*out.From.Value)
		out.Change = &change
	}
	out.Note = "it is computed over all clients at once and has no parts; revenue by client shows who makes it up"
	return nil
}

// wholeMonths widens p to the months that it touches.
func wholeMonths(p quantity.Period) quantity.Period {
	return quantity.Period{From: p.From.Month(), To: p.To.AddDays(-1).AddMonths(1)}
}

// byInputs attributes the change to the inputs of the measure's formula.
func (x *explanation) byInputs(ctx context.Context, out *Explanation) error {
	f, err := formulaOf(x.metrics, x.measure.Name)
	if err != nil {
		return err
	}
	var now, before row
	if err := together(
		func() (err error) { now, err = x.sums(ctx, f, out.To.Period, x.req.Where); return err },
		func() (err error) { before, err = x.sums(ctx, f, x.from.period, x.from.where); return err },
	); err != nil {
		return err
	}
	to, from := now.sums, before.sums
	codes := merged(now.codes, before.codes)
	out.Currency = only(codes)
	if out.Note = apart(codes...); out.Note != "" {
		out.From.Inputs, out.To.Inputs = from, to
		if out.To.Value, out.To.Reason = side(f, now); apart(now.codes...) != "" {
			out.To.Value, out.To.Reason = nil, apart(now.codes...)
		}
		if out.From.Value, out.From.Reason = side(f, before); apart(before.codes...) != "" {
			out.From.Value, out.From.Reason = nil, apart(before.codes...)
		}
		return nil
	}
	if x.req.Versus == Portfolio || x.from.where != x.req.Where && !extensive(x.metrics, x.measure) {
		size := sizeOf(f)
		factor, ok := ratio(to[size], from[size])
		if !ok {
			out.Note = fmt.Sprintf("the %s cannot be scaled: %s is zero", out.From.Label, spoken(size))
		} else {
			from = scaleSums(from, factor)
			before.sums, x.from.scale = from, &factor
			out.From.Label += fmt.Sprintf(", at the same %s", spoken(size))
		}
	}
	out.From.Inputs, out.To.Inputs = from, to
	out.From.Value, out.From.Reason = side(f, before)
	out.To.Value, out.To.Reason = side(f, now)
	c, reason := f.attribute(from, to)
	if reason != "" && f.measure == "gross_margin" && !x.req.Brief && !x.beginsLater(out.From.Period) {
		return x.inMoney(out, before, now, reason)
	}
	if reason != "" {
		out.Note = reason
		return nil
	}
	out.Change, out.Drivers, x.gains = &c.change, c.drivers, c.gains
	if c.sampled > 0 {
		out.Note = fmt.Sprintf("there are too many inputs for exact parts: they are sampled, with a standard error of up to %s", changeIn(dec(c.sampled), f.unit))
	}
	return nil
}

// inMoney explains gross profit where the margin is undefined.
func (x *explanation) inMoney(out *Explanation, from, to row, why string) error {
	f, err := formulaOf(x.metrics, "gross_profit")
	if err != nil {
		return err
	}
	c, reason := f.attribute(from.sums, to.sums)
	if reason != "" {
		out.Note = cmp.Or(out.To.Reason, out.From.Reason, reason)
		return nil
	}
	out.Asked = &Asked{Measure: out.Measure, Unit: out.Unit, Value: out.To.Value}
	out.Measure, out.Unit, out.Note = f.measure, f.unit, why+"; explained as gross profit, in money"
	out.From.Value, out.From.Reason = side(f, from)
	out.To.Value, out.To.Reason = side(f, to)
	out.Change, out.Drivers, x.gains = &c.change, c.drivers, c.gains
	return nil
}

// side is the value of a formula over a row or why it has none.
func side(f formula, r row) (*quantity.Decimal, string) {
	v, ok := f.value(r.sums)
	if !ok {
		for _, s := range f.sums {
			if _, known := r.sums[s]; !known {
				return nil, cmp.Or(r.why[s], "no "+spoken(s)+" in the data")
			}
		}
		return nil, "what it is divided by is zero or less"
	}
	v = v.Round(f.places())
	return &v, ""
}

// sums reads the base measures of a formula, and its parameters.
func (r reader) sums(ctx context.Context, f formula, p quantity.Period, where string) (row, error) {
	measures := slices.DeleteFunc(slices.Clone(f.sums), isParameter)
	all, err := r.whole(ctx, p, where, measures...)
	c := all.sums
	for _, s := range f.sums {
		switch s {
		case "months":
			c[s] = number(int64(max(1, len(all.counted.Months()))), 0)
		case "days":
			c[s] = number(int64(all.counted.From.DaysUntil(all.counted.To)), 0)
		}
	}
	return all, err
}

// isParameter reports whether an input describes the period rather than the data.
func isParameter(name string) bool { return name == "months" || name == "days" }

// sizeOf is the sum by which the portfolio is scaled to the cell.
func sizeOf(f formula) string {
	order := []string{"capacity_hours", "seats_purchased", "revenue", "hours_worked"}
	if f.unit == quantity.MoneyPerHour || f.measure == laborCost {
		order = []string{"hours_worked"}
	}
	for _, s := range order {
		if slices.Contains(f.sums, s) {
			return s
		}
	}
	sums := slices.DeleteFunc(slices.Clone(f.sums), isParameter)
	return sums[len(sums)-1]
}

// scaleSums scales what adds up and leaves the parameters.
func scaleSums(c cell, factor quantity.Decimal) cell {
	out := c.scaled(factor)
	for name, v := range c {
		if isParameter(name) {
			out[name] = v
		}
	}
	return out
}

// everybody is the filter of the portfolio: a client is compared with clients, so the
// provider's internal time stays out.
func (x *explanation) everybody() string {
	for _, d := range []string{"client", "industry", "account_manager", "agreement"} {
		if strings.Contains(x.req.Where, d) && slices.Contains(x.metrics.DimensionsOf(x.measure), "client_status") {
			return realClients
		}
	}
	return ""
}
