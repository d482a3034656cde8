package document

import (
	"fmt"
	"iter"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// ChartKind is a kind of chart.
type ChartKind string

// The kinds. A gauge is not among them: a tile says the same and more.
const (
	Line      ChartKind = "line"      // series over Categories, perhaps each with an interval band
	Columns   ChartKind = "columns"   // upright bars by category, side by side
	Bars      ChartKind = "bars"      // lying bars: a ranking, the first category on top
	Stacked   ChartKind = "stacked"   // upright bars of parts that add up
	Waterfall ChartKind = "waterfall" // one series of signed steps; Totals say which are levels
	HeatMap   ChartKind = "heat_map"  // a row each series, a column each category
	Scatter   ChartKind = "scatter"   // Points
)

// Chart is the one description of a chart that every format draws from.
type Chart struct {
	Origin
	Kind     ChartKind     `json:"kind"`
	Title    string        `json:"title"` // the question that the chart answers
	Subtitle string        `json:"subtitle,omitempty"`
	Unit     quantity.Unit `json:"unit"` // of the values; of Y in a scatter
	Currency string        `json:"currency,omitempty"`
	// Categories are the labels along the axis.
	Categories []string `json:"categories,omitempty"`
	Series     []Series `json:"series,omitempty"`
	// Totals say, by category of a waterfall, that the value is a level and not a step.
	Totals []bool        `json:"totals,omitempty"`
	Points []Point       `json:"points,omitempty"`
	XUnit  quantity.Unit `json:"x_unit,omitempty"`
	XLabel string        `json:"x_label,omitempty"`
	YLabel string        `json:"y_label,omitempty"`
	// Target is a line to hold the values against, TargetLabel what it is.
	Target      *quantity.Decimal `json:"target,omitempty"`
	TargetLabel string            `json:"target_label,omitempty"`
}

// Series is a line, a set of bars, or a row of a heat map.
type Series struct {
	Name string `json:"name"`
	// Values are by category; nil where there is none.
	Values []*quantity.Decimal `json:"values"`
	// Low and High are the ends of an interval band by category; empty without a band, nil
	// where it has none. Lines, columns and bars show it.
	Low  []*quantity.Decimal `json:"low,omitempty"`
	High []*quantity.Decimal `json:"high,omitempty"`
	Band string              `json:"band,omitempty"` // what the band is: "90% interval"
	// Dashed marks what is no fact: forecasts, plans, months that are not over.
	Dashed bool `json:"dashed,omitempty"`
	// Muted marks what others are compared with, such as an earlier period.
	Muted bool `json:"muted,omitempty"`
}

// Point is a point of a scatter chart.
type Point struct {
	Label string           `json:"label"`
	X     quantity.Decimal `json:"x"`
	Y     quantity.Decimal `json:"y"`
	// Marked points carry their label.
	Marked bool `json:"marked,omitempty"`
}

// Check returns an error when the parts of the chart do not fit together.
func (c *Chart) Check() error {
	if c.Kind == Scatter {
		return nil
	}
	for _, s := range c.Series {
		for _, v := range [][]*quantity.Decimal{s.Values, s.Low, s.High} {
			if len(v) > 0 && len(v) != len(c.Categories) {
				return fmt.Errorf("chart %q: series %q has %d values for %d categories", c.Title, s.Name, len(v), len(c.Categories))
			}
		}
		if len(s.Values) == 0 && len(c.Categories) > 0 {
			return fmt.Errorf("chart %q: series %q has no values", c.Title, s.Name)
		}
	}
	if c.Kind == Waterfall && (len(c.Series) != 1 || len(c.Totals) != len(c.Categories)) {
		return fmt.Errorf("chart %q: a waterfall has one series, and says of each step whether it is a total", c.Title)
	}
	return nil
}

// Empty reports whether there is nothing to draw.
func (c *Chart) Empty() bool {
	if c.Kind == Scatter {
		return len(c.Points) == 0
	}
	for _, s := range c.Series {
		for _, v := range s.Values {
			if v != nil {
				return false
			}
		}
	}
	return true
}

// Value returns a number in the chart's unit.
func (c *Chart) Value(d *quantity.Decimal) Value {
	v := Value{Number: d, Unit: c.Unit, Currency: c.Currency}
	if d == nil {
		v.Missing = "no value"
	}
	return v
}

// Step is one bar of a waterfall: from Low to High, Low below High.
type Step struct {
	Label     string
	Value     quantity.Decimal // as given: the level, or the signed step
	From, To  quantity.Decimal // the running total before and after; From is 0 for a level
	Total     bool
	Low, High quantity.Decimal
}

// Color returns the color of a series, the same in every format: gray for those that others
// are compared with.
func (c *Chart) Color(n int, b Brand) Color {
	if c.Series[n].Muted {
		return Ink3.Mix(Paper, 0.35)
	}
	return b.Series(n)
}

// Steps returns the bars of a waterfall. Its values stand where the running total puts
// them, also across zero; a missing step is a step of nothing.
func (c *Chart) Steps() []Step {
	if c.Kind != Waterfall || len(c.Series) == 0 {
		return nil
	}
	out, at := make([]Step, len(c.Categories)), quantity.Decimal{}
	for i, label := range c.Categories {
		s := Step{Label: label, Total: c.Totals[i]}
		if v := c.Series[0].Values[i]; v != nil {
			s.Value = *v
		}
		if s.Total {
			s.To = s.Value
		} else {
			s.From, s.To = at, at.Add(s.Value)
		}
		at = s.To
		s.Low, s.High = decimal.Min(s.From, s.To), decimal.Max(s.From, s.To)
		out[i] = s
	}
	return out
}

// AsTable returns the chart's values as a table: what stands beside a chart for those who do
// not see it, and below it in a workbook. The steps of a waterfall are differences.
func (c *Chart) AsTable() *Table {
	t := &Table{Origin: c.Origin, Title: c.Title, Note: c.Subtitle}
	if c.Kind == Scatter {
		t.Columns = []Column{{Name: "label", Label: "Name", Unit: quantity.Text}, {Name: "x", Label: c.XLabel, Unit: c.XUnit, Currency: c.Currency}, {Name: "y", Label: c.YLabel, Unit: c.Unit, Currency: c.Currency}}
		for _, p := range c.Points {
			t.Rows = append(t.Rows, Row{Cells: []any{p.Label, p.X, p.Y}})
		}
		return t
	}
	t.Columns = []Column{{Name: "category", Label: "", Unit: quantity.Text}}
	for i, s := range c.Series {
		t.Columns = append(t.Columns, Column{Name: fmt.Sprintf("series_%d", i+1), Label: s.Name, Unit: c.Unit, Currency: c.Currency})
		if len(s.Low) > 0 {
			t.Columns = append(t.Columns, Column{Name: fmt.Sprintf("low_%d", i+1), Label: s.Name + ", low", Unit: c.Unit, Currency: c.Currency},
				Column{Name: fmt.Sprintf("high_%d", i+1), Label: s.Name + ", high", Unit: c.Unit, Currency: c.Currency})
		}
	}
	for i, label := range c.Categories {
		cells := []any{label}
		for _, s := range c.Series {
			cells = append(cells, cellOf(s.Values, i))
			if len(s.Low) > 0 {
				cells = append(cells, cellOf(s.Low, i), cellOf(s.High, i))
			}
		}
		t.Rows = append(t.Rows, Row{Cells: cells, Change: c.Kind == Waterfall && !c.Totals[i]})
	}
	return t
}

func cellOf(values []*quantity.Decimal, i int) any {
	if i >= len(values) || values[i] == nil {
		return nil
	}
	return *values[i]
}

// Alt says in words what a chart shows, for those who do not see it.
func (c *Chart) Alt() string {
	if c.Empty() {
		return c.Title + ": no values."
	}
	var parts []string
	switch c.Kind {
	case Scatter:
		parts = append(parts, fmt.Sprintf("%d points of %s by %s", len(c.Points), c.YLabel, c.XLabel))
	case Waterfall:
		for _, s := range c.Steps() {
			v := c.Value(&s.Value)
			if s.Total {
				parts = append(parts, s.Label+" "+v.Say())
			} else {
				parts = append(parts, s.Label+" "+v.SayChange())
			}
		}
	default:
		for _, s := range c.Series {
			if words := s.words(c); words != "" {
				parts = append(parts, words)
			}
		}
	}
	return c.Title + ": " + strings.Join(parts, "; ") + "."
}

// words says where a series begins and ends, and between what it lies.
func (s Series) words(c *Chart) string {
	first, last := -1, -1
	var low, high quantity.Decimal
	for i, v := range s.Values {
		if v == nil {
			continue
		}
		if first < 0 {
			first, low, high = i, *v, *v
		}
		last, low, high = i, decimal.Min(low, *v), decimal.Max(high, *v)
	}
	if first < 0 {
		return ""
	}
	say := func(d quantity.Decimal) string { return c.Value(&d).Say() }
	if first == last {
		return fmt.Sprintf("%s %s (%s)", s.Name, say(*s.Values[first]), c.Categories[first])
	}
	if c.Kind == Line || c.Kind == Columns || c.Kind == Stacked {
		return fmt.Sprintf("%s from %s (%s) to %s (%s), between %s and %s", s.Name, say(*s.Values[first]), c.Categories[first], say(*s.Values[last]), c.Categories[last], say(low), say(high))
	}
	return fmt.Sprintf("%s between %s and %s, %s %s first", s.Name, say(low), say(high), c.Categories[first], say(*s.Values[first]))
}

// figures yields the values of the chart.
func (c *Chart) figures() iter.Seq[Figure] {
	return func(yield func(Figure) bool) {
		at := "chart " + c.Title
		for _, p := range c.Points {
			if !yield(Figure{at + " / " + p.Label + " / x", Value{Number: &p.X, Unit: c.XUnit, Currency: c.Currency}}) ||
				!yield(Figure{at + " / " + p.Label + " / y", c.Value(&p.Y)}) {
				return
			}
		}
		for _, s := range c.Series {
			for i, v := range s.Values {
				if v != nil && !yield(Figure{at + " / " + s.Name + " / " + c.Categories[i], c.Value(v)}) {
					return
				}
			}
		}
	}
}
