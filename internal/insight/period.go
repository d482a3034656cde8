package insight

import (
	"context"
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// yearMonths is the length of the default period.
const yearMonths = 12

// Complete returns the months of complete data, what an analysis or explanation without a
// period looks back from; it is not bounded when there is none.
func (s *Service) Complete(ctx context.Context, scope tenant.Scope) (quantity.Period, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return quantity.Period{}, fmt.Errorf("complete months: %w", err)
	}
	return r.completeMonths(ctx, quantity.DayOf(s.now().UTC()))
}

// completeMonths returns the months that hold business data up to the last complete one;
// today is the day of the run. It is not bounded when there is none. A month is complete
// when its last day has come and, where hours are recorded, they reach its last days.
func (r reader) completeMonths(ctx context.Context, today quantity.Day) (quantity.Period, error) {
	var all quantity.Period
	r.lenient = true
	r.oneCurrency = false // amounts in several currencies are data, too
	rows, err := r.read(ctx, quantity.Period{}, "", []string{"month"}, "revenue", "hours_worked", "direct_cost")
	if err != nil {
		return all, err
	}
	for _, row := range rows {
		month, err := quantity.ParseDay(row.keys[0])
		if err != nil || noData(row.sums) && len(row.codes) == 0 || today.AddDays(1).Before(month.AddMonths(1)) {
			continue
		}
		if all.From.IsZero() || month.Before(all.From) {
			all.From = month
		}
		if all.To.Before(month.AddMonths(1)) {
			all.To = month.AddMonths(1)
		}
	}
	if !all.Bounded() {
		return quantity.Period{}, nil
	}
	whole, err := r.reachesEnd(ctx, quantity.MonthOf(all.To.AddDays(-1)))
	if err != nil || whole {
		return all, err
	}
	all.To = all.To.AddMonths(-1)
	if !all.From.Before(all.To) {
		return quantity.Period{}, nil
	}
	return all, nil
}

// noData reports whether none of the sums is known and not zero.
func noData(c cell) bool {
	for _, v := range c {
		if !v.IsZero() {
			return false
		}
	}
	return true
}

// lastDays is how close to its end the hours of a complete month come: a long weekend.
const lastDays = 5

// reachesEnd reports whether the recorded hours of a month go on to its last days. A month
// of a firm that does not record hours counts as whole.
func (r reader) reachesEnd(ctx context.Context, month quantity.Period) (bool, error) {
	ever, err := r.total(ctx, quantity.Period{}, "", "hours_worked")
	if err != nil || ever["hours_worked"].IsZero() {
		return err == nil, err
	}
	end, err := r.total(ctx, quantity.Period{From: month.To.AddDays(-lastDays), To: month.To}, "", "hours_worked")
	if err != nil {
		return false, err
	}
	return end["hours_worked"].Sign() > 0, nil
}

// within narrows the period that was asked for to whole months of data; the zero Period
// becomes the last year of it.
func within(asked, data quantity.Period) (quantity.Period, error) {
	p := asked
	if p.To.IsZero() || data.To.Before(p.To) {
		p.To = data.To
	}
	p.To = p.To.Month()
	if p.From.IsZero() && asked.To.IsZero() {
		p.From = p.To.AddMonths(-yearMonths)
	}
	if p.From.Before(data.From) {
		p.From = data.From
	}
	if p.From != p.From.Month() {
		p.From = p.From.AddMonths(1)
	}
	if !p.From.Before(p.To) {
		return p, fault.Newf(fault.Invalid, "the period %s holds no whole month of data: complete months are %s", asked, data)
	}
	return p, nil
}

// last returns the last n months of p, or all of it when it is shorter.
func last(p quantity.Period, n int) quantity.Period {
	from := p.To.AddMonths(-n)
	if from.Before(p.From) {
		from = p.From
	}
	return quantity.Period{From: from, To: p.To}
}

// DefaultPeriod asks Analyze for the last twelve complete months of data.
var DefaultPeriod quantity.Period
