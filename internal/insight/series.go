package insight

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// seriesMonths is the length of the default series.
const seriesMonths = 24

// bandMonths is the most months before a month that its band is made of.
const bandMonths = 12

// SeriesRequest asks for a measure by month.
type SeriesRequest struct {
	Measure string
	// Where is a condition, as in metric.Query; "" is everything.
	Where string
	// Period is widened to whole months and cut to those of the data; an open end is that of
	// the complete months, and the zero Period the last 24 of them, fewer when fewer.
	Period quantity.Period
}

// SeriesPoint is a month of a Series. Low and High are where its value was expected given
// the months before it, null when these are too few. Reason says why one of them is null.
type SeriesPoint struct {
	Month   quantity.Day      `json:"month"`
	Value   *quantity.Decimal `json:"value"`
	Low     *quantity.Decimal `json:"low"`
	High    *quantity.Decimal `json:"high"`
	Unusual bool              `json:"unusual"` // outside the band; never said of a partial month
	Partial bool              `json:"partial"` // not over, or its data does not reach its end
	Reason  string            `json:"reason,omitempty"`
}

// SeriesBand says what the bands of a Series are.
type SeriesBand struct {
	Level  float64 `json:"level"` // 0.9 is 90 %
	Method string  `json:"method"`
	Words  string  `json:"words"`
}

// Series is a measure by month, with where each month was expected.
type Series struct {
	Measure  string             `json:"measure"`
	Unit     quantity.Unit      `json:"unit"`
	Where    string             `json:"where"`
	Period   quantity.Period    `json:"period"`
	Points   []SeriesPoint      `json:"points"`
	Band     SeriesBand         `json:"band"`
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Currency string             `json:"currency,omitempty"`
}

// Series returns a measure by month, each month beside the band in which it was expected
// given up to 12 months before it (at least 5 with a value, those before the period too).
// A month without facts is 0 for a sum once the data has begun, null for a formula.
//
// Errors: Invalid for an unknown measure or filter, a measure that cannot be cut by month,
// and a period without a month of data; NotFound when there is no complete month.
func (s *Service) Series(ctx context.Context, scope tenant.Scope, req SeriesRequest) (*Series, error) {
	s, err := s.of(ctx, scope)
	if err != nil {
		return nil, err
	}
	m, err := s.metrics.Measure(req.Measure)
	if err != nil {
		return nil, err
	}
	if by := s.metrics.DimensionsOf(m); !slices.Contains(by, "month") {
		inputs := slices.DeleteFunc(m.Inputs(), isParameter)
		return nil, fault.WithFields(fmt.Sprintf("%s is not known by month: ask for its total, for its inputs by month, or cut it by %s", m.Name, strings.Join(by, ", ")),
			fault.Field{Path: "measure", Message: "cannot be cut by month", Allowed: inputs})
	}
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("series: %w", err)
	}
	today := quantity.DayOf(s.now().UTC())
	complete, err := r.completeMonths(ctx, today)
	if err != nil {
		return nil, fmt.Errorf("series: %w", err)
	}
	// One query for the whole history: the bands need months before the period.
	answer, err := r.metrics.Run(ctx, scope, metric.Query{Measures: []string{m.Name}, Dimensions: []string{"month"}, Where: req.Where, Snapshot: r.snapshot})
	if err != nil {
		return nil, err
	}
	out := &Series{Measure: m.Name, Unit: m.Unit, Where: req.Where, Snapshot: r.snapshot, Currency: newestCurrency(answer),
		Band: SeriesBand{Level: level, Method: "Student prediction interval", Words: fmt.Sprintf("Where a month was expected with %.0f%% probability, given the up to %d months before it (at least %d with a value): their mean and how far they spread. It takes the months as alike and independent, so a season or a trend is not part of it.", 100*level, bandMonths, fewest)}}
	if out.Currency == "" {
		if out.Currency, err = r.house(ctx); err != nil {
			return nil, fmt.Errorf("series: %w", err)
		}
	}
	if out.Period, err = seriesPeriod(req.Period, complete, answer.Period); err != nil {
		return nil, err
	}
	out.Points, err = r.points(ctx, m, answer, out.Period, today)
	return out, err
}

// seriesPeriod is the months of a series: those asked for that lie in the data.
func seriesPeriod(asked, complete, data quantity.Period) (quantity.Period, error) {
	p := asked
	if p.To.IsZero() {
		if !complete.Bounded() {
			return p, fault.Newf(fault.NotFound, "there is no complete month of data")
		}
		if p.To = complete.To; p.From.IsZero() {
			p.From = p.To.AddMonths(-seriesMonths)
			if p.From.Before(complete.From) {
				p.From = complete.From
			}
		}
	}
	if p.From.Before(data.From) { // an open start, too
		p.From = data.From
	}
	if data.To.Before(p.To) {
		p.To = data.To
	}
	if p = wholeMonths(p); !p.From.Before(p.To) {
		return p, fault.WithFields(fmt.Sprintf("the period %s holds no month of data: it reaches from %s", asked, data), fault.Field{Path: "period", Message: "holds no month of data"})
	}
	return p, nil
}

// points returns the months of p with their bands, from the answer for all months.
func (r reader) points(ctx context.Context, m *metric.Measure, answer *metric.Result, p quantity.Period, today quantity.Day) ([]SeriesPoint, error) {
	until, err := r.lastRows(ctx, m)
	if err != nil {
		return nil, err
	}
	none := "there is no data yet"
	if len(answer.Rows) == 0 && len(answer.Notes) > 0 { // "revenue: no invoices imported"
		if _, why, ok := strings.Cut(answer.Notes[0], ": "); ok {
			none = why
		}
	}
	at := map[string]int{}
	first := answer.Period.To
	for i, row := range answer.Rows {
		text, _ := row[0].(string)
		at[text] = i
		if month, err := quantity.ParseDay(text); err == nil && month.Before(first) {
			first = month
		}
	}
	currency := newestCurrency(answer)
	var all []SeriesPoint // from the first month of the data on
	for _, month := range (quantity.Period{From: answer.Period.From.Month(), To: p.To}).Months() {
		point := SeriesPoint{Month: month, Partial: month == answer.PartialMonth || today.AddDays(1).Before(month.AddMonths(1))}
		i, has := at[month.String()]
		switch {
		case has:
			v, ok := answer.Rows[i][1].(quantity.Decimal)
			switch code := answer.CurrencyOf(i, 0); {
			case !ok:
				point.Reason = answer.Reasons[i][m.Name]
			case isMoney(m.Unit) && code != "" && code != currency && !v.IsZero():
				point.Reason = fmt.Sprintf("%s in %s; the series is in %s", inCurrency(code, inUnit(v, m.Unit)), code, currency)
			default:
				point.Value = &v
			}
		case month.Before(first):
			point.Reason = none
		case !until.IsZero() && until.Before(month):
			point.Reason = "the data behind it ends in " + monthName(until)
		case m.Blank != "":
			point.Reason = m.Blank
		case m.Base():
			point.Value = new(quantity.Decimal)
		default:
			point.Reason = "there is no data in this month"
		}
		if err := point.expect(all); err != nil {
			return nil, err
		}
		all = append(all, point)
	}
	return slices.DeleteFunc(all, func(x SeriesPoint) bool { return !p.Contains(x.Month) }), nil
}

// newestCurrency is the currency of the newest month whose amounts are in one; months in
// another one cannot stand on the same axis.
func newestCurrency(answer *metric.Result) string {
	for i := len(answer.Rows) - 1; i >= 0; i-- {
		if code := answer.CurrencyOf(i, 0); code != "" {
			return code
		}
	}
	return answer.Currency
}

// span is the months that all dated tables behind a measure hold rows of; the end is that
// of the newest one. It is not bounded when none of them is dated.
func (r reader) span(ctx context.Context, m *metric.Measure) (quantity.Period, error) {
	var p quantity.Period
	tables, err := r.warehouse.Tables(ctx, r.scope, r.snapshot)
	for _, t := range tables {
		if !slices.Contains(m.Tables, t.Name) || len(t.Months) != 2 {
			continue
		}
		if p.From.Before(t.Months[0]) {
			p.From = t.Months[0]
		}
		if end := t.Months[1].AddMonths(1); p.To.Before(end) {
			p.To = end
		}
	}
	return p, err
}

// lastRows is the newest month that holds rows in the dated tables behind a measure; zero
// when it has none.
func (r reader) lastRows(ctx context.Context, m *metric.Measure) (quantity.Day, error) {
	var last quantity.Day
	tables, err := r.warehouse.Tables(ctx, r.scope, r.snapshot)
	for _, t := range tables {
		if slices.Contains(m.Tables, t.Name) && len(t.Months) == 2 && last.Before(t.Months[1]) {
			last = t.Months[1]
		}
	}
	return last, err
}

// expect sets the band of a month from the months before it.
func (x *SeriesPoint) expect(before []SeriesPoint) error {
	var values []float64
	for _, b := range before[max(0, len(before)-bandMonths):] {
		if b.Value != nil && !b.Partial {
			values = append(values, float(*b.Value))
		}
	}
	if len(values) < fewest {
		if x.Reason == "" {
			x.Reason = fmt.Sprintf("fewer than %d of the %d months before have a value: no band", fewest, bandMonths)
		}
		return nil
	}
	band, err := stats.Prediction(values, level)
	if errors.Is(err, stats.ErrTooFew) {
		return nil
	}
	if err != nil {
		return err
	}
	low, high := dec(band.Low), dec(band.High)
	x.Low, x.High = &low, &high
	if x.Value != nil && !x.Partial {
		v := float(*x.Value)
		rounding := 1e-9 * math.Max(math.Abs(v), math.Abs(band.Estimate)) // of floats
		x.Unusual = v < band.Low-rounding || v > band.High+rounding
	}
	return nil
}
