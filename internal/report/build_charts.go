package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// chart is measures by a dimension, or one measure by two.
func (b *builder) chart(ctx context.Context, spec *ChartSpec) ([]document.Block, error) {
	kind := document.ChartKind(spec.Kind)
	q := metric.Query{Measures: spec.Measures, Dimensions: []string{spec.By}, Where: spec.Where, Order: spec.Order, Period: b.in.Period}
	if spec.Split != "" {
		q.Dimensions = append(q.Dimensions, spec.Split)
	}
	if spec.Months > 0 {
		q.Period.From = q.Period.To.AddMonths(-spec.Months)
	}
	first, err := b.firstOnly(&q, spec.Top)
	if err != nil {
		return nil, err
	}
	if spec.Top > 0 && !first {
		q.Top = &metric.Top{N: spec.Top, Dimension: cmp.Or(spec.Split, spec.By)}
		if kind == document.Bars || kind == document.Scatter || spec.Split == "" {
			q.Top.Dimension = spec.By
		}
		if len(q.Order) == 1 && slices.Contains(spec.Measures, strings.TrimPrefix(q.Order[0], "-")) && q.Top.Dimension == spec.By {
			if by, descending := strings.CutPrefix(q.Order[0], "-"); descending {
				q.Top.By = by
			} else {
				q.Top.By = "-" + by
			}
			q.Order = nil
		}
	} else if kind == document.Bars && len(q.Order) == 0 {
		q.Order = []string{"-" + spec.Measures[0], spec.By}
	}
	r, err := b.run(ctx, q)
	if err != nil {
		return nil, err
	}
	c := &document.Chart{Origin: b.origin(), Kind: kind, Title: fill(spec.Title, b.words())}
	if spec.Months > 0 {
		c.Period = words(q.Period)
	}
	if r.Currencies != nil && r.Currency == "" && slices.ContainsFunc(r.Columns, func(c metric.Column) bool { return c.Unit.HasMoney() }) {
		return nil, fault.Newf(fault.Invalid, "%s: its amounts are in several currencies, which no chart may add up: choose one with --currency", c.Title)
	}
	measures := r.Columns[len(r.Columns)-len(spec.Measures):]
	c.Unit = measures[0].Unit
	c.Currency = inMoney(c.Unit, r.Currency)
	if kind == document.Scatter {
		c.Currency = r.Currency
		c.XUnit, c.XLabel = measures[0].Unit, b.label(measures[0].Name)
		c.Unit, c.YLabel = measures[1].Unit, b.label(measures[1].Name)
		c.Points = pointsOf(r)
		c.Subtitle = c.YLabel + " by " + strings.ToLower(c.XLabel)
		return []document.Block{c}, nil
	}
	for _, m := range measures[1:] {
		if m.Unit != c.Unit {
			return nil, fault.Newf(fault.Invalid, "%s: %s and %s have different units, which one axis cannot show", c.Title, measures[0].Name, m.Name)
		}
	}
	c.Subtitle = b.subtitle(c, spec)
	if n := len(r.Rows); first && n > spec.Top {
		c.Subtitle += fmt.Sprintf(", the first %d of %d", spec.Top, n)
		some := *r // others have the result, too
		some.Rows, r = r.Rows[:spec.Top], &some
	}
	if spec.Split != "" {
		b.splitSeries(c, r, spec)
	} else {
		for i := range r.Rows {
			c.Categories = append(c.Categories, categoryOf(spec.By, r.Rows[i][0]))
		}
		for j, m := range measures {
			s := document.Series{Name: b.label(m.Name)}
			for _, row := range r.Rows {
				s.Values = append(s.Values, decimalAt(row, 1+j))
			}
			c.Series = append(c.Series, s)
		}
	}
	if spec.Target != "" {
		d, err := quantity.ParseDecimal(spec.Target)
		if err != nil {
			return nil, err
		}
		c.Target, c.TargetLabel = &d, spec.Label
	}
	return []document.Block{c}, c.Check()
}

// subtitle names the measure and its unit.
func (b *builder) subtitle(c *document.Chart, spec *ChartSpec) string {
	names := make([]string, len(spec.Measures))
	for i, m := range spec.Measures {
		names[i] = b.label(m)
	}
	text := strings.Join(names, ", ")
	if u := document.SayUnit(c.Unit, c.Currency); u != "" {
		text += " (" + u + ")"
	}
	return text + ", by " + strings.ToLower(b.label(spec.By))
}

// splitSeries makes a series of each member of the second dimension.
func (b *builder) splitSeries(c *document.Chart, r *metric.Result, spec *ChartSpec) {
	at := map[string]int{}
	place := map[string]int{}
	for _, row := range r.Rows {
		cat, name := categoryOf(spec.By, row[0]), categoryOf(spec.Split, row[1])
		if _, ok := at[cat]; !ok {
			at[cat] = len(c.Categories)
			c.Categories = append(c.Categories, cat)
		}
		if _, ok := place[name]; !ok {
			place[name] = len(c.Series)
			c.Series = append(c.Series, document.Series{Name: name})
		}
	}
	for i := range c.Series {
		c.Series[i].Values = make([]*quantity.Decimal, len(c.Categories))
	}
	for _, row := range r.Rows {
		c.Series[place[categoryOf(spec.Split, row[1])]].Values[at[categoryOf(spec.By, row[0])]] = decimalAt(row, 2)
	}
}

// pointsOf are the rows of two measures by a dimension; the outer ones carry their label.
func pointsOf(r *metric.Result) []document.Point {
	var out []document.Point
	for _, row := range r.Rows {
		x, y := decimalAt(row, 1), decimalAt(row, 2)
		if x == nil || y == nil {
			continue // neither place on the chart is known
		}
		out = append(out, document.Point{Label: categoryOf("", row[0]), X: *x, Y: *y})
	}
	mark := func(less func(a, b document.Point) int) {
		order := slices.SortedStableFunc(slices.Values(out), less)
		for _, p := range order[:min(3, len(order))] {
			i := slices.IndexFunc(out, func(o document.Point) bool { return o.Label == p.Label })
			out[i].Marked = true
		}
	}
	mark(func(a, b document.Point) int { return b.X.Cmp(a.X) })
	mark(func(a, b document.Point) int { return a.Y.Cmp(b.Y) })
	return out
}

func decimalAt(row []any, i int) *quantity.Decimal {
	if d, ok := row[i].(quantity.Decimal); ok {
		return &d
	}
	return nil
}

// categoryOf is a dimension's member as a label: "Jul 2025" for a month.
func categoryOf(dimension string, cell any) string {
	text, ok := cell.(string)
	if !ok {
		return "none"
	}
	if dimension == "month" {
		if d, err := quantity.ParseDay(text); err == nil {
			return d.Time().Format("Jan 2006")
		}
	}
	return text
}

// series is a measure by month beside the band in which each month was expected.
func (b *builder) series(ctx context.Context, spec *SeriesSpec) ([]document.Block, error) {
	m, err := b.metrics.Measure(spec.Measure)
	if err != nil {
		return nil, err
	}
	p := b.in.Period
	p.From = p.To.AddMonths(-cmp.Or(spec.Months, 24))
	s, err := b.insights.Series(ctx, b.scope, insight.SeriesRequest{Measure: spec.Measure, Where: b.narrowed(spec.Where), Period: p})
	if err != nil {
		return nil, err
	}
	b.use(spec.Measure)
	c := &document.Chart{Origin: b.origin(), Kind: document.Line, Title: fill(spec.Title, b.words()), Unit: s.Unit, Currency: inMoney(s.Unit, s.Currency)}
	c.Period = words(s.Period)
	c.Subtitle = m.Label
	if u := document.SayUnit(s.Unit, s.Currency); u != "" {
		c.Subtitle += " (" + u + ")"
	}
	c.Subtitle += ", by month; the band is where each month was expected"
	c.Explain = []string{s.Band.Words}
	line := document.Series{Name: m.Label, Band: fmt.Sprintf("%g%% band", s.Band.Level*100)}
	var unusual []string
	for _, pt := range s.Points {
		c.Categories = append(c.Categories, pt.Month.Time().Format("Jan 2006"))
		line.Values, line.Low, line.High = append(line.Values, pt.Value), append(line.Low, pt.Low), append(line.High, pt.High)
		if pt.Unusual {
			unusual = append(unusual, pt.Month.Time().Format("January 2006"))
		}
	}
	if !slices.ContainsFunc(line.Low, func(d *quantity.Decimal) bool { return d != nil }) {
		line.Low, line.High, line.Band = nil, nil, ""
	}
	if len(unusual) > 0 {
		c.Explain = append(c.Explain, "Outside the band: "+strings.Join(unusual, ", ")+".")
	}
	c.Series = []document.Series{line}
	return []document.Block{c}, c.Check()
}

// drivers are why a measure changed: a sentence, and a waterfall that adds up.
func (b *builder) drivers(ctx context.Context, spec *DriversSpec) ([]document.Block, error) {
	x, err := b.insights.Explain(ctx, b.scope, insight.ExplainRequest{Measure: spec.Measure, Where: b.narrowed(spec.Where), Period: b.in.Period, Versus: spec.Versus})
	if err != nil {
		return nil, err
	}
	b.use(x.Measure)
	origin := b.origin()
	origin.Grade, origin.Reasons = x.Confidence.Grade, x.Confidence.Reasons
	origin.Explain = append([]string{}, x.Words)
	lead := &document.Text{Origin: origin, Title: fill(spec.Title, b.words()), Tone: document.Lead, Paragraphs: []string{x.Headline}}
	if x.Note != "" {
		lead.Paragraphs = append(lead.Paragraphs, x.Note)
	}
	if len(x.Steps) == 0 {
		return []document.Block{lead}, nil
	}
	c := &document.Chart{Origin: origin, Kind: document.Waterfall, Title: cmp.Or(fill(spec.Title, b.words()), "Why "+spoken(x.Measure)+" changed"), Unit: x.Unit, Currency: inMoney(x.Unit, x.Currency)}
	lead.Title = ""
	c.Subtitle = b.label(x.Measure)
	if u := document.SayUnit(x.Unit, x.Currency); u != "" {
		c.Subtitle += " (" + u + ")"
	}
	series := document.Series{Name: b.label(x.Measure)}
	const most = 10
	steps := x.Steps
	for i, s := range steps {
		name := s.Name
		switch s.Kind {
		case "start":
			if name = x.From.Label; x.Versus == insight.Previous || x.Versus == insight.YearAgo {
				words := versusWords(x.Versus, b.in.Period)
				name = strings.ToUpper(words[:1]) + words[1:]
			}
		case "end":
			name = b.doc.Period
		default:
			if m, err := b.metrics.Measure(name); err == nil {
				name = m.Label
			}
		}
		amount := s.Amount
		if s.Kind == "step" && i == most && len(steps) > most+2 {
			// The smallest together, so that the bars still add up.
			rest := steps[i : len(steps)-1]
			for _, r := range rest[1:] {
				amount = amount.Add(r.Amount)
			}
			name = fmt.Sprintf("%d others", len(rest))
		} else if s.Kind == "step" && i > most && len(steps) > most+2 {
			continue
		}
		c.Categories = append(c.Categories, name)
		c.Totals = append(c.Totals, s.Kind != "step")
		series.Values = append(series.Values, &amount)
	}
	c.Series = []document.Series{series}
	return []document.Block{lead, c}, c.Check()
}
