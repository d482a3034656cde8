package insight

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// mostWindows bounds how many earlier windows a figure is compared with.
const mostWindows = 24

// Window is a figure in an earlier window of the same length.
type Window struct {
	Period quantity.Period   `json:"period"`
	Value  *quantity.Decimal `json:"value"`
	Reason string            `json:"reason,omitempty"` // why it has none
}

// History is a figure among its own earlier windows.
type History struct {
	Windows []Window `json:"windows"` // oldest first, a month apart, the figure's own not among them
	N       int      `json:"n"`       // windows with a value
	TooFew  bool     `json:"too_few"` // fewer than five: no percentile
	// Percentile is the share of the earlier windows that lie below, equal ones counted half.
	Percentile *float64          `json:"percentile"`
	Before     quantity.Period   `json:"before"`   // the window that ends where the figure's begins
	Previous   *quantity.Decimal `json:"previous"` // the figure there; null when the data does not reach back
	Change     *quantity.Decimal `json:"change"`
	Interval   *Interval         `json:"interval"` // of Change, expected
	Words      string            `json:"words"`
}

// readWindows reads all measures in the period and in each earlier window of its length.
func (x *comparison) readWindows(ctx context.Context) error {
	x.windows = []quantity.Period{x.period}
	for back := 1; back <= mostWindows; back++ {
		w := quantity.Period{From: x.period.From.AddMonths(-back), To: x.period.To.AddMonths(-back)}
		if w.From.Before(x.complete.From) {
			break
		}
		x.windows = append(x.windows, w)
	}
	x.figures = make([]row, len(x.windows))
	for i, w := range x.windows {
		x.figures[i] = row{sums: cell{}, why: map[string]string{}, counted: w}
	}
	rest, err := x.rollingWindows(ctx)
	if err != nil {
		return err
	}
	all := make([]func() error, len(x.windows))
	for i := range x.windows {
		all[i] = func() error { return x.into(ctx, &x.figures[i], x.where, rest[i]) }
	}
	return together(all...)
}

// rollingWindows reads the windows' figures in one question by month, where a measure over
// the last months can be asked so, and returns the names of what is left to read of each
// window. It leaves all when there are amounts in several currencies: a window's are those
// of all its months.
func (x *comparison) rollingWindows(ctx context.Context) (rest [][]string, err error) {
	names := namesOf(x.measures)
	for range x.windows {
		rest = append(rest, names)
	}
	if len(x.windows) == 1 {
		return rest, nil
	}
	r := x.reader
	var rolled map[string]string
	r.metrics, rolled = x.metrics.Rolling(len(x.period.Months()), names...)
	var ask []string
	for _, name := range names {
		if m, err := r.metrics.Measure(rolled[name]); err == nil && slices.Contains(r.metrics.DimensionsOf(m), "month") {
			ask = append(ask, m.Name)
		} else {
			delete(rolled, name)
		}
	}
	if len(ask) == 0 {
		return rest, nil
	}
	first := x.windows[len(x.windows)-1]
	rows, err := r.read(ctx, quantity.Period{From: first.To.AddMonths(-1), To: x.period.To}, x.where, []string{"month"}, ask...)
	if fault.KindOf(err) == fault.Invalid {
		return rest, nil
	}
	if err != nil || len(codesOf(rows...)) > 1 {
		return rest, err
	}
	others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return rolled[name] != "" })
	byMonth := map[string]row{}
	for _, row := range rows {
		byMonth[row.keys[0]] = row
	}
	for i, w := range x.windows {
		from, ok := byMonth[w.To.AddMonths(-1).String()]
		if !ok {
			continue // a month without any row
		}
		rest[i] = others
		x.figures[i].codes = from.codes
		for name, text := range rolled {
			if v, known := from.sums[text]; known {
				x.figures[i].sums[name] = v
			} else if why := from.why[text]; why != "" {
				x.figures[i].why[name] = why
			}
		}
	}
	return rest, nil
}

func namesOf(measures []*metric.Measure) []string {
	names := make([]string, len(measures))
	for i, m := range measures {
		names[i] = m.Name
	}
	return names
}

// eachWhole is whole for measures of any kind.
func (r reader) eachWhole(ctx context.Context, p quantity.Period, where string, measures []*metric.Measure) (row, error) {
	out := row{sums: cell{}, why: map[string]string{}, counted: p}
	err := r.into(ctx, &out, where, namesOf(measures))
	return out, err
}

// into adds measures of any kind over the row's period to it: where one of them cannot be
// asked with the others, each is asked by itself, and that one has no value but the reason.
func (r reader) into(ctx context.Context, out *row, where string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	all, err := r.whole(ctx, out.counted, where, names...)
	switch {
	case fault.KindOf(err) == fault.Invalid && len(names) > 1:
		for _, name := range names {
			if err := r.into(ctx, out, where, []string{name}); err != nil {
				return err
			}
		}
		return nil
	case fault.KindOf(err) == fault.Invalid:
		out.why[names[0]] = fault.Message(err)
		return nil
	case err != nil:
		return err
	}
	out.codes = merged(out.codes, all.codes)
	maps.Copy(out.sums, all.sums)
	maps.Copy(out.why, all.why)
	return nil
}

// history places a figure among its earlier windows.
func (x *comparison) history(ctx context.Context, m *metric.Measure, b Benchmark) (History, error) {
	out := History{Windows: []Window{}, Before: x.period.Previous()}
	data, err := x.span(ctx, m)
	if err != nil {
		return out, err
	}
	below, previous := 0.0, -1
	for i := len(x.windows) - 1; i > 0; i-- {
		if data.Bounded() && x.windows[i].From.Before(data.From) {
			continue // what begins before the data does is no fair comparison
		}
		one := Window{Period: x.windows[i]}
		one.Value, one.Reason = x.figure(i, m)
		if one.Value != nil && isMoney(m.Unit) && only(x.figures[i].codes) != only(x.figures[0].codes) {
			one.Value, one.Reason = nil, "the amounts are in another currency"
		}
		out.Windows = append(out.Windows, one)
		if one.Value == nil {
			continue
		}
		out.N++
		if b.Value != nil {
			below += 0.5 * float64(1+b.Value.Cmp(*one.Value))
		}
		if one.Period == out.Before {
			previous = len(out.Windows) - 1
		}
	}
	out.TooFew = out.N < fewest
	if b.Value != nil && !out.TooFew {
		p := round4(below / float64(out.N))
		out.Percentile = &p
	}
	if previous >= 0 && b.Value != nil {
		out.Previous = out.Windows[previous].Value
		change := b.Value.Sub(*out.Previous)
		out.Change = &change
		if b.Interval != nil {
			_, _, was, err := x.expect(ctx, m, out.Before, *out.Previous)
			if err != nil {
				return out, err
			}
			out.Interval = difference(*b.Value, b.Interval, *out.Previous, was)
		}
	}
	out.Words = out.words(b, len(x.period.Months()))
	return out, nil
}

// difference is the interval of a − b from those of two independent estimates, which need
// not be symmetric. Source: Zou & Donner (2008), Construction of confidence limits about
// effect measures, Statistics in Medicine 27 (MOVER).
func difference(a quantity.Decimal, ia *Interval, b quantity.Decimal, ib *Interval) *Interval {
	if ia == nil || ib == nil {
		return nil
	}
	d := float(a) - float(b)
	down := math.Hypot(float(a)-float(ia.Low), float(ib.High)-float(b))
	up := math.Hypot(float(ia.High)-float(a), float(b)-float(ib.Low))
	return &Interval{Low: dec(d - down), High: dec(d + up), Level: level, Method: "difference of two estimates (MOVER)", Of: expected}
}

// above says how much of several values lies below one.
func above(share float64) string {
	switch share {
	case 0:
		return "below all"
	case 1:
		return "above all"
	}
	return fmt.Sprintf("above %.0f%% of the", 100*share)
}

func (h History) words(b Benchmark, length int) string {
	if b.Value == nil {
		return ""
	}
	span := months(length)
	if h.TooFew {
		return fmt.Sprintf("%d earlier windows of %s have a value: too few to say where this one stands (%d are needed)", h.N, span, fewest)
	}
	return fmt.Sprintf("%s %d earlier windows of %s", above(*h.Percentile), h.N, span)
}
