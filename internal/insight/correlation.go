package insight

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// CorrelationRequest asks how measures go together: over the members of a dimension, or
// over months.
type CorrelationRequest struct {
	Measures []string // two or more: every pair of them
	// By is the dimension whose members are the pairs' points; "month" pairs months in
	// their order.
	By     string
	Where  string
	Period quantity.Period // as in Analyze
	// Controls are measures whose influence is taken out.
	Controls []string
}

// Coefficient is a coefficient of correlation, -1 to 1, with its interval and test.
type Coefficient struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Level float64 `json:"level"`
	P     float64 `json:"p"` // of "no association"
}

// PairCorrelation is what two measures show together.
type PairCorrelation struct {
	X        string       `json:"x"`
	Y        string       `json:"y"`
	N        int          `json:"n"`
	Dropped  int          `json:"dropped"` // points left out since one of the values is missing
	Pearson  *Coefficient `json:"pearson"` // linear
	Spearman *Coefficient `json:"spearman"`
	Kendall  *Coefficient `json:"kendall"`
	Partial  *Coefficient `json:"partial"` // linear, controls taken out; null without controls
	// Changes is the linear correlation of the steps from month to month; null unless by month.
	Changes  *Coefficient    `json:"changes"`
	Q        float64         `json:"q"` // p of Spearman's, adjusted for all pairs (Benjamini-Hochberg)
	Clear    bool            `json:"clear"`
	Warnings []stats.Warning `json:"warnings"`
	Words    string          `json:"words"`
	Reason   string          `json:"reason,omitempty"` // why there is no coefficient
	Points   []PairPoint     `json:"points,omitempty"` // of a single pair
}

// PairPoint is one point of a pair.
type PairPoint struct {
	Name string            `json:"name"`
	X    *quantity.Decimal `json:"x"`
	Y    *quantity.Decimal `json:"y"`
}

// Correlations is the answer for all pairs, the clearest first.
type Correlations struct {
	By       string             `json:"by"`
	Where    string             `json:"where"`
	Period   quantity.Period    `json:"period"`
	Controls []string           `json:"controls"`
	Pairs    []PairCorrelation  `json:"pairs"`
	Note     string             `json:"note"`
	Snapshot warehouse.Snapshot `json:"snapshot"`
}

// mostCorrelated bounds the measures of one question.
const mostCorrelated = 12

// sizes are measures of how large a client, person or month is: two measures that both grow
// with size go together without any other link.
var sizes = []string{"revenue", "hours_worked"}

// Correlate answers how measures go together. A coefficient never stands alone: it has its
// interval, the number of points, its p adjusted for all pairs that were looked at, and
// warnings about few points, single points that make the picture, common growth and size.
//
// Errors: Invalid for unknown measures, fewer than two, and a dimension that one of them
// cannot be cut by.
func (s *Service) Correlate(ctx context.Context, scope tenant.Scope, req CorrelationRequest) (*Correlations, error) {
	s, err := s.of(ctx, scope)
	if err != nil {
		return nil, err
	}
	names, err := s.checkCorrelation(req)
	if err != nil {
		return nil, err
	}
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("correlation: %w", err)
	}
	r.oneCurrency = true
	complete, err := r.completeMonths(ctx, quantity.DayOf(s.now().UTC()))
	if err != nil {
		return nil, fmt.Errorf("correlation: %w", err)
	}
	if !complete.Bounded() {
		return nil, fault.Newf(fault.NotFound, "there is no complete month of data")
	}
	period := req.Period
	if req.By == "month" && period.From.IsZero() {
		period.From = complete.From // months in their order: as many as there are
	}
	if period, err = within(period, complete); err != nil {
		return nil, err
	}
	rows, err := r.read(ctx, period, req.Where, []string{req.By}, names...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.keys[0], b.keys[0]) })
	out := &Correlations{By: req.By, Where: req.Where, Period: period, Controls: append([]string{}, req.Controls...), Snapshot: r.snapshot,
		Note: "Going together is no cause: what both depend on, and chance, do the same. q is adjusted for all pairs shown."}
	columns := map[string][]float64{}
	for _, name := range names {
		for _, row := range rows {
			v, known := row.sums[name]
			x := math.NaN()
			if known {
				x = float(v)
			}
			columns[name] = append(columns[name], x)
		}
	}
	for i, x := range req.Measures {
		for _, y := range req.Measures[i+1:] {
			out.Pairs = append(out.Pairs, s.pair(req, x, y, columns))
		}
	}
	if err := out.adjust(); err != nil {
		return nil, fmt.Errorf("correlation: %w", err)
	}
	for i := range out.Pairs {
		p := &out.Pairs[i]
		p.Words = p.words(out.By)
		if len(out.Pairs) == 1 {
			p.Points = []PairPoint{}
			for _, row := range rows {
				point := PairPoint{Name: row.keys[0]}
				if v, ok := row.sums[p.X]; ok {
					point.X = &v
				}
				if v, ok := row.sums[p.Y]; ok {
					point.Y = &v
				}
				p.Points = append(p.Points, point)
			}
		}
	}
	slices.SortStableFunc(out.Pairs, func(a, b PairCorrelation) int {
		switch {
		case a.Q < b.Q:
			return -1
		case a.Q > b.Q:
			return 1
		}
		return 0
	})
	return out, nil
}

// checkCorrelation returns all measures that must be read, the sizes among them.
func (s *Service) checkCorrelation(req CorrelationRequest) ([]string, error) {
	var wrong []fault.Field
	if n := len(req.Measures); n < 2 || n > mostCorrelated {
		wrong = append(wrong, fault.Field{Path: "measures", Message: fmt.Sprintf("name 2 to %d measures", mostCorrelated)})
	}
	var names []string
	for _, name := range slices.Concat(req.Measures, req.Controls) {
		m, err := s.metrics.Measure(name)
		switch {
		case err != nil:
			return nil, err
		case slices.Contains(names, name):
			wrong = append(wrong, fault.Field{Path: "measures", Message: name + " stands twice"})
		case !slices.Contains(s.metrics.DimensionsOf(m), req.By):
			wrong = append(wrong, fault.Field{Path: "by", Message: fmt.Sprintf("%s cannot be cut by %q", name, req.By), Allowed: s.metrics.DimensionsOf(m)})
		}
		names = append(names, name)
	}
	if wrong != nil {
		return nil, fault.WithFields("the correlation is not valid: "+wrong[0].Message, wrong...)
	}
	for _, size := range sizes {
		m, err := s.metrics.Measure(size)
		if err == nil && !slices.Contains(names, size) && slices.Contains(s.metrics.DimensionsOf(m), req.By) {
			names = append(names, size)
		}
	}
	return names, nil
}

// pair computes one pair; what cannot be computed is a reason, never an error.
func (s *Service) pair(req CorrelationRequest, x, y string, columns map[string][]float64) PairCorrelation {
	out := PairCorrelation{X: x, Y: y, Q: 1, Warnings: []stats.Warning{}}
	correlate := stats.Correlate
	if req.By == "month" {
		correlate = stats.CorrelateSeries
	}
	c, err := correlate(columns[x], columns[y], level)
	if err != nil {
		out.Reason = err.Error()
		if errors.Is(err, stats.ErrTooFew) {
			out.Reason = "too few points have both values: it takes 5"
		}
		return out
	}
	out.N, out.Dropped, out.Warnings = c.N, c.Dropped, append(out.Warnings, c.Warnings...)
	out.Pearson, out.Spearman, out.Kendall = coefficient(&c.Pearson), coefficient(&c.Spearman), coefficient(&c.Kendall)
	out.Changes = coefficient(c.Changes)
	if len(req.Controls) > 0 {
		out.Partial, out.Reason = partial(columns, x, y, req.Controls)
	}
	for _, size := range sizes {
		if slices.Contains([]string{x, y}, size) || slices.Contains(req.Controls, size) || columns[size] == nil {
			continue
		}
		// Clear as it is, not clear any more without size: size is what makes it.
		left, why := partial(columns, x, y, append(slices.Clone(req.Controls), size))
		if why == "" && out.Pearson.P < 0.05 && left.P >= 0.05 {
			out.Warnings = append(out.Warnings, stats.Warning{Code: "confounded", Text: fmt.Sprintf("both go with %s: without its influence %s is left (p %.2f)", spoken(size), hundredths(left.Value), left.P)})
		}
	}
	return out
}

func coefficient(a *stats.Association) *Coefficient {
	if a == nil || a.N == 0 {
		return nil
	}
	return &Coefficient{Value: a.Estimate, Low: a.Low, High: a.High, Level: a.Level, P: a.P}
}

// partial is the correlation over the points that have all values.
func partial(columns map[string][]float64, x, y string, controls []string) (*Coefficient, string) {
	all := append([]string{x, y}, controls...)
	kept := make([][]float64, len(all))
	for i := range columns[x] {
		if slices.ContainsFunc(all, func(name string) bool { return math.IsNaN(columns[name][i]) }) {
			continue
		}
		for j, name := range all {
			kept[j] = append(kept[j], columns[name][i])
		}
	}
	a, err := stats.Partial(kept[0], kept[1], kept[2:], level)
	if err != nil {
		return nil, "the influence of the controls cannot be taken out: " + err.Error()
	}
	return coefficient(&a), ""
}

// adjust sets q over all pairs that have a coefficient.
func (c *Correlations) adjust() error {
	var at []int
	var p []float64
	for i, pair := range c.Pairs {
		if pair.Spearman != nil {
			at, p = append(at, i), append(p, pair.Spearman.P)
		}
	}
	if len(p) == 0 {
		return nil
	}
	q, err := stats.BenjaminiHochberg(p)
	if err != nil {
		return err
	}
	for n, i := range at {
		c.Pairs[i].Q = q[n]
		c.Pairs[i].Clear = q[n] < 0.05
	}
	return nil
}

func (p PairCorrelation) words(by string) string {
	if p.Spearman == nil {
		return fmt.Sprintf("Whether %s and %s go together cannot be said: %s.", spoken(p.X), spoken(p.Y), p.Reason)
	}
	text := fmt.Sprintf("Over %d %s, ", p.N, plural(by))
	switch {
	case !p.Clear:
		text += fmt.Sprintf("no clear link between %s and %s", spoken(p.X), spoken(p.Y))
	case p.Spearman.Value > 0:
		text += fmt.Sprintf("%s is higher where %s is higher", spoken(p.Y), spoken(p.X))
	default:
		text += fmt.Sprintf("%s is lower where %s is higher", spoken(p.Y), spoken(p.X))
	}
	text += fmt.Sprintf(" (rank correlation %s, with 90%% probability %s to %s).", hundredths(p.Spearman.Value), hundredths(p.Spearman.Low), hundredths(p.Spearman.High))
	for _, w := range p.Warnings {
		text += " Mind: " + w.Text + "."
	}
	return text
}

// plural is the members of a dimension: "clients", "people".
func plural(by string) string {
	switch by {
	case "staff":
		return "people"
	case "industry":
		return "industries"
	case "priority":
		return "priorities"
	}
	return spoken(by) + "s"
}
