package insight

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// The fewest complete months for each statement about a series.
const (
	leastTrendMonths  = 8  // a trend with an interval
	leastChangeMonths = 12 // change points and shocks
	leastSeasonMonths = 25 // a season: two years and the month after
)

// seasonal is the p below which the months of the year are said to differ.
const seasonal = 0.05

// TrendRequest asks how a measure moves over time.
type TrendRequest struct {
	Measure string
	// Where is a condition, as in metric.Query; "" is everything.
	Where string
	// Period as in SeriesRequest, but the zero Period is all complete months.
	Period quantity.Period
}

// TrendPoint is a month of a TrendReport. Trend and Season are null when the series is not
// decomposed, Season also when there is none.
type TrendPoint struct {
	Month  quantity.Day      `json:"month"`
	Value  quantity.Decimal  `json:"value"`
	Trend  *quantity.Decimal `json:"trend"`
	Season *quantity.Decimal `json:"season"` // what the month of the year adds
	Rest   *quantity.Decimal `json:"rest"`   // value less trend and season
}

// Slope is a robust trend.
type Slope struct {
	PerYear  quantity.Decimal  `json:"per_year"` // in the measure's unit
	Share    *quantity.Decimal `json:"share"`    // of the median month's level; null when that is not positive, or for ratios
	Interval Interval          `json:"interval"` // of PerYear
	P        float64           `json:"p"`        // of "no trend"
	Method   string            `json:"method"`
	Clear    bool              `json:"clear"` // the interval is on one side of zero
}

// Season says whether the months of the year differ.
type Season struct {
	P        float64           `json:"p"`        // of "no season"
	There    bool              `json:"there"`    // P is below 0.05
	Strength float64           `json:"strength"` // share of the variance, 0 to 1
	High     int               `json:"high"`     // month of the year that adds most, 1 is January; 0 when there is no season
	Low      int               `json:"low"`
	Swing    *quantity.Decimal `json:"swing"` // between the two
}

// LevelChange is a month from which on a series has another level.
type LevelChange struct {
	Month  quantity.Day     `json:"month"`
	First  quantity.Day     `json:"first"` // the months that the date may be, at 90 %
	Last   quantity.Day     `json:"last"`
	Before quantity.Decimal `json:"before"`
	After  quantity.Decimal `json:"after"`
}

// TrendReport says how a measure moves over time: a robust trend, a season, changes of
// level, and months that stand out. What the series is too short for is null, and Notes
// say so.
type TrendReport struct {
	Measure  string             `json:"measure"`
	Unit     quantity.Unit      `json:"unit"`
	Currency string             `json:"currency,omitempty"`
	Where    string             `json:"where"`
	Period   quantity.Period    `json:"period"`
	Points   []TrendPoint       `json:"points"` // complete months with a value
	Slope    *Slope             `json:"slope"`
	Season   *Season            `json:"season"`
	Changes  []LevelChange      `json:"changes"` // null when the series is too short
	Shocks   []Shock            `json:"shocks"`  // single months that stand out of trend, season and level; null when too short
	Notes    []string           `json:"notes"`
	Words    string             `json:"words"`
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Version  int                `json:"definition_version"`
}

// Trend describes a measure over the complete months of data.
//
// Errors: as Series; Invalid also when fewer than 5 months have a value, or months without
// one lie between others, since a series with holes has no trend that could be trusted.
func (s *Service) Trend(ctx context.Context, scope tenant.Scope, req TrendRequest) (*TrendReport, error) {
	s, err := s.of(ctx, scope)
	if err != nil {
		return nil, err
	}
	complete, err := s.Complete(ctx, scope)
	if err != nil {
		return nil, err
	}
	if req.Period.From.IsZero() {
		req.Period.From = complete.From
	}
	series, err := s.Series(ctx, scope, SeriesRequest(req))
	if err != nil {
		return nil, err
	}
	m, err := s.metrics.Measure(req.Measure)
	if err != nil {
		return nil, err
	}
	out := &TrendReport{Measure: series.Measure, Unit: series.Unit, Currency: series.Currency, Where: series.Where, Period: series.Period, Snapshot: series.Snapshot, Version: m.Version, Notes: []string{}, Points: []TrendPoint{}}
	values, err := out.take(series)
	if err != nil {
		return nil, err
	}
	if err := out.judge(values); err != nil {
		return nil, fmt.Errorf("trend of %s: %w", req.Measure, err)
	}
	out.Words = inCurrency(out.Currency, out.words())
	return out, nil
}

// take keeps the complete months with a value, without holes.
func (t *TrendReport) take(series *Series) ([]float64, error) {
	var values []float64
	for _, p := range series.Points {
		switch {
		case p.Partial:
			t.Notes = append(t.Notes, monthName(p.Month)+" is not complete and left out")
		case p.Value != nil:
			if n := len(t.Points); n > 0 && t.Points[n-1].Month.AddMonths(1) != p.Month {
				return nil, fault.Newf(fault.Invalid, "%s has no value in %s, between months that have one: choose a period without holes", t.Measure, monthName(t.Points[n-1].Month.AddMonths(1)))
			}
			t.Points = append(t.Points, TrendPoint{Month: p.Month, Value: *p.Value})
			values = append(values, float(*p.Value))
		}
	}
	if len(values) < fewest {
		return nil, fault.Newf(fault.Invalid, "%s has a value in %s of this period: too few to say anything about a trend (it takes %d)", t.Measure, months(len(values)), fewest)
	}
	t.Period = quantity.Period{From: t.Points[0].Month, To: t.Points[len(t.Points)-1].Month.AddMonths(1)}
	return values, nil
}

// judge fills in what the length of the series allows.
func (t *TrendReport) judge(values []float64) error {
	rest := values // without the season
	if len(values) < leastSeasonMonths {
		t.Notes = append(t.Notes, fmt.Sprintf("a season takes %d months to tell: there are %d", leastSeasonMonths, len(values)))
	} else {
		parts, err := stats.STL(values, stats.STLDefaults(yearMonths, true))
		if err != nil {
			return err
		}
		if err := t.season(values, parts); err != nil {
			return err
		}
		if t.Season.There {
			rest = make([]float64, len(values))
		}
		for i := range t.Points {
			season := parts.Seasonal[i]
			if !t.Season.There {
				season = 0 // it is noise: it goes to the rest
			} else {
				rest[i] = values[i] - season
			}
			trend, left := dec(parts.Trend[i]), dec(values[i]-parts.Trend[i]-season)
			t.Points[i].Trend, t.Points[i].Rest = &trend, &left
			if t.Season.There {
				s := dec(season)
				t.Points[i].Season = &s
			}
		}
	}
	if err := t.slope(rest); err != nil {
		return err
	}
	if len(values) < leastChangeMonths {
		t.Notes = append(t.Notes, fmt.Sprintf("changes of level take %d months to tell: there are %d", leastChangeMonths, len(values)))
		return nil
	}
	t.Changes, t.Shocks = []LevelChange{}, []Shock{}
	changes, err := stats.ChangePoints(rest, level)
	if err != nil {
		return err
	}
	// A line is cut into steps: of a series that clearly rises or falls these say nothing.
	if t.Slope != nil && t.Slope.Clear && len(changes) != 1 {
		changes = nil
	}
	steps := make([]float64, len(values)) // what the changes of level add to each month
	for _, c := range changes {
		t.Changes = append(t.Changes, LevelChange{Month: t.Points[c.At].Month, First: t.Points[c.First].Month, Last: t.Points[c.Last].Month, Before: dec(c.Before), After: dec(c.After)})
		for i := c.At; i < len(steps); i++ {
			steps[i] += c.After - c.Before
		}
	}
	return t.shocks(values, steps)
}

func (t *TrendReport) season(values []float64, parts stats.Components) error {
	_, p, err := stats.SeasonKruskalWallis(values, yearMonths)
	if errors.Is(err, stats.ErrConstant) {
		p = 1
	} else if err != nil {
		return err
	}
	_, strength := parts.Strength()
	t.Season = &Season{P: p, There: p < seasonal, Strength: strength}
	if !t.Season.There {
		return nil
	}
	high, low := 0, 0
	last := len(values) - yearMonths
	for i := last; i < len(values); i++ {
		if parts.Seasonal[i] > parts.Seasonal[last+high] {
			high = i - last
		}
		if parts.Seasonal[i] < parts.Seasonal[last+low] {
			low = i - last
		}
	}
	swing := dec(parts.Seasonal[last+high] - parts.Seasonal[last+low])
	t.Season.High, t.Season.Low, t.Season.Swing = int(t.Points[last+high].Month.Time().Month()), int(t.Points[last+low].Month.Time().Month()), &swing
	return nil
}

func (t *TrendReport) slope(values []float64) error {
	if len(values) < leastTrendMonths {
		t.Notes = append(t.Notes, fmt.Sprintf("a trend takes %d months to tell: there are %d", leastTrendMonths, len(values)))
		return nil
	}
	line, err := stats.TrendWithMemory(values, level)
	if errors.Is(err, stats.ErrConstant) {
		t.Notes = append(t.Notes, "all months are equal")
		return nil
	}
	if err != nil {
		return err
	}
	year := func(v float64) quantity.Decimal { return dec(v * yearMonths) }
	t.Slope = &Slope{PerYear: year(line.Estimate), P: line.P, Method: line.Method, Clear: line.Low > 0 || line.High < 0,
		Interval: Interval{Low: year(line.Low), High: year(line.High), Level: level, Of: "expected", Method: line.Method}}
	sorted := slices.Sorted(slices.Values(values))
	if middle := stats.Quantile(sorted, 0.5); middle > 0 && t.Unit != quantity.Ratio {
		share := dec(line.Estimate * yearMonths / middle)
		t.Slope.Share = &share
	}
	return nil
}

// shocks looks for single months that stand out of this one series.
func (t *TrendReport) shocks(values, steps []float64) error {
	flat := make([]float64, len(values))
	for i := range flat {
		flat[i] = values[i] - steps[i]
	}
	if spread(flat) == 0 {
		return nil
	}
	finds, _, err := stats.FindShocks([][]float64{flat}, yearMonths, stats.Window{Spikes: len(values)}, falseShare)
	if err != nil && !errors.Is(err, stats.ErrTooFew) {
		return err
	}
	for _, f := range finds {
		f.Expected += steps[f.At]
		t.Shocks = append(t.Shocks, shockOf(f, t.Points[f.At].Month, values[f.At]))
	}
	return nil
}

// words says the report in a few sentences.
func (t *TrendReport) words() string {
	text := ""
	switch {
	case t.Slope == nil:
		text = fmt.Sprintf("%s: too short for a trend.", sentenceOf(t.Measure))
	case !t.Slope.Clear:
		text = fmt.Sprintf("%s has no clear trend: between %s and %s a year.", sentenceOf(t.Measure), t.signed(t.Slope.Interval.Low), t.signed(t.Slope.Interval.High))
	default:
		text = fmt.Sprintf("%s %s by %s a year", sentenceOf(t.Measure), direction(t.Slope.PerYear), changeIn(t.Slope.PerYear, t.Unit))
		if t.Slope.Share != nil {
			text += fmt.Sprintf(" (%s of its usual month)", percent(t.Slope.Share.Abs()))
		}
		text += fmt.Sprintf("; with 90%% probability between %s and %s.", t.signed(t.Slope.Interval.Low), t.signed(t.Slope.Interval.High))
	}
	if s := t.Season; s != nil {
		if s.There {
			text += fmt.Sprintf(" It has a season: %s is highest, %s lowest, %s apart.", monthOfYear(s.High), monthOfYear(s.Low), changeIn(*s.Swing, t.Unit))
		} else {
			text += " The months of the year do not differ beyond chance."
		}
	}
	for _, c := range t.Changes {
		text += fmt.Sprintf(" From %s on its level is %s instead of %s.", monthName(c.Month), inUnit(c.After, t.Unit), inUnit(c.Before, t.Unit))
	}
	return text
}

func (t *TrendReport) signed(d quantity.Decimal) string {
	sign := "+"
	if d.Sign() < 0 {
		sign = quantity.Minus
	}
	return sign + changeIn(d, t.Unit)
}

func monthOfYear(n int) string {
	return quantity.NewDay(2000, 1, 1).AddMonths(n - 1).Time().Format("January")
}

// sentenceOf is a measure's name at the beginning of a sentence.
func sentenceOf(name string) string {
	text := spoken(name)
	return string(text[0]-'a'+'A') + text[1:]
}
