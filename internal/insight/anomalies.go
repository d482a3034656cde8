package insight

import (
	"cmp"
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

// Shock is a month that stands out of its series.
type Shock struct {
	Month    quantity.Day     `json:"month"`
	Kind     stats.ShockKind  `json:"kind" enum:"spike,shift" doc:"spike: this month alone; shift: from it on"`
	Value    quantity.Decimal `json:"value"`
	Expected quantity.Decimal `json:"expected"` // had nothing happened
	Size     quantity.Decimal `json:"size"`     // value less expected; of a shift the mean effect since
	P        float64          `json:"p"`
	Q        float64          `json:"q"` // p adjusted for everything that was looked at
}

func shockOf(f stats.Find, month quantity.Day, value float64) Shock {
	return Shock{Month: month, Kind: f.Kind, Value: dec(value), Expected: dec(f.Expected), Size: dec(f.Size), P: f.P, Q: f.Q}
}

// falseShare is the share of shocks that may be nothing (Benjamini-Hochberg).
const falseShare = 0.10

// AnomalyRequest asks which months stand out in many series.
type AnomalyRequest struct {
	Measures []string // empty: those of Defaults
	// By is a dimension: each of its members has a series of its own; "" is the firm as a whole.
	By     string
	Where  string
	Period quantity.Period // as in TrendRequest
	// Recent is how many of the last months are judged; the others are what they are held
	// against. Zero means 3.
	Recent int
}

// Anomaly is a shock of one series.
type Anomaly struct {
	Shock
	Measure  string        `json:"measure"`
	Unit     quantity.Unit `json:"unit"`
	Currency string        `json:"currency,omitempty"`
	Member   string        `json:"member,omitempty"` // of the dimension
	Where    string        `json:"where"`            // the condition of its series
	Words    string        `json:"words"`
}

// AnomalyReport is the months that stand out, the most certain first.
type AnomalyReport struct {
	Anomalies []Anomaly          `json:"anomalies"`
	Judged    int                `json:"judged"`  // series that are long enough
	Skipped   int                `json:"skipped"` // series of fewer than 12 months, or with holes
	Recent    int                `json:"recent"`
	FalseRate float64            `json:"false_rate"` // at most this share of them is expected to be nothing
	Period    quantity.Period    `json:"period"`
	Snapshot  warehouse.Snapshot `json:"snapshot"`
}

// anomalyMeasures are looked at unless others are asked for.
var anomalyMeasures = []string{"revenue", "labor_cost", "direct_cost", "hours_worked", "ticket_count"}

// Bounds of a search for anomalies.
const (
	recentMonths   = 3
	mostMembers    = 2000
	mostShockMonth = 36
)

// Anomalies looks for single months and shifts that stand out of their series, over all
// series at once: the share of false ones among what is found is held at 10 %.
//
// Errors: as Trend; Invalid for a dimension that a measure cannot be cut by.
func (s *Service) Anomalies(ctx context.Context, scope tenant.Scope, req AnomalyRequest) (*AnomalyReport, error) {
	s, err := s.of(ctx, scope)
	if err != nil {
		return nil, err
	}
	usual := len(req.Measures) == 0
	if usual {
		req.Measures = anomalyMeasures
	}
	req.Recent = cmp.Or(req.Recent, recentMonths)
	if req.Recent < 1 || req.Recent > mostShockMonth {
		return nil, fault.WithFields("recent is out of range", fault.Field{Path: "recent", Message: fmt.Sprintf("must be 1 to %d months", mostShockMonth)})
	}
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("anomalies: %w", err)
	}
	complete, err := r.completeMonths(ctx, quantity.DayOf(s.now().UTC()))
	if err != nil {
		return nil, fmt.Errorf("anomalies: %w", err)
	}
	if !complete.Bounded() {
		return nil, fault.Newf(fault.NotFound, "there is no complete month of data")
	}
	period := complete
	if !req.Period.From.IsZero() || !req.Period.To.IsZero() {
		if period, err = within(quantity.Period{From: cmp.Or(req.Period.From, complete.From), To: req.Period.To}, complete); err != nil {
			return nil, err
		}
	}
	out := &AnomalyReport{Anomalies: []Anomaly{}, Recent: req.Recent, FalseRate: falseShare, Period: period, Snapshot: r.snapshot}
	var all []anomalySeries
	for _, name := range req.Measures {
		list, err := s.anomalySeries(ctx, r, req, name, period)
		if usual && fault.KindOf(err) == fault.Forbidden {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return out, out.find(all)
}

// anomalySeries is one series that is judged.
type anomalySeries struct {
	Anomaly
	months []quantity.Day
	values []float64
}

// anomalySeries returns the series of a measure, one for each member. Months without rows
// are 0 for sums from a member's first month on; a member of a formula with holes is left out.
func (s *Service) anomalySeries(ctx context.Context, r reader, req AnomalyRequest, name string, period quantity.Period) ([]anomalySeries, error) {
	m, err := s.metrics.Measure(name)
	if err != nil {
		return nil, err
	}
	by := s.metrics.DimensionsOf(m)
	if !slices.Contains(by, "month") || req.By != "" && !slices.Contains(by, req.By) {
		return nil, fault.WithFields(fmt.Sprintf("%s is not known by %s and month", m.Name, cmp.Or(req.By, "itself")), fault.Field{Path: "by", Message: m.Name + " cannot be cut so", Allowed: by})
	}
	var members []string
	byMember := map[string]series{}
	if req.By == "" {
		total, err := r.monthlyTotal(ctx, period, req.Where, m.Name)
		if err != nil {
			return nil, err
		}
		members, byMember[""] = []string{""}, total
	} else {
		rows, err := r.read(ctx, period, req.Where, []string{req.By}, m.Name)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			members = append(members, row.keys[0])
		}
		if len(members) > mostMembers {
			return nil, fault.Newf(fault.TooLarge, "%s has more than %d members: narrow the search by a condition", req.By, mostMembers)
		}
		slices.Sort(members)
		if byMember, err = r.monthly(ctx, period, req.By, members, m.Name); err != nil {
			return nil, err
		}
	}
	var out []anomalySeries
	for _, member := range members {
		one := anomalySeries{Anomaly: Anomaly{Measure: m.Name, Unit: m.Unit, Currency: only(byMember[member].codes), Member: member, Where: req.Where}}
		if req.By != "" {
			one.Where = both(req.Where, is(req.By, member))
		}
		active := byMember[member].active()
		whole := len(active.codes) < 2
		for i, c := range active.cells {
			v, known := c[m.Name]
			whole = whole && (known || m.Base())
			one.months, one.values = append(one.months, active.months[i]), append(one.values, float(v))
		}
		if !whole {
			one.values = nil
		}
		out = append(out, one)
	}
	return out, nil
}

// find judges the series together.
func (a *AnomalyReport) find(all []anomalySeries) error {
	var kept []anomalySeries
	for _, s := range all {
		if len(s.values) < leastChangeMonths || spread(s.values) == 0 {
			a.Skipped++
			continue
		}
		// A series that ended before the recent months has nothing to judge.
		if s.months[len(s.months)-1].AddMonths(a.Recent).Before(a.Period.To) {
			a.Skipped++
			continue
		}
		kept = append(kept, s)
	}
	values := make([][]float64, len(kept))
	for i, s := range kept {
		values[i] = s.values
	}
	finds, judged, err := stats.FindShocks(values, yearMonths, stats.Window{Spikes: a.Recent, Shifts: max(a.Recent, yearMonths)}, falseShare)
	if err != nil && !errors.Is(err, stats.ErrTooFew) {
		return err
	}
	a.Judged = judged
	for _, f := range finds {
		s := kept[f.Series]
		one := s.Anomaly
		one.Shock = shockOf(f, s.months[f.At], s.values[f.At])
		one.Words = inCurrency(one.Currency, one.words())
		a.Anomalies = append(a.Anomalies, one)
	}
	return nil
}

func spread(x []float64) float64 { return slices.Max(x) - slices.Min(x) }

func (a Anomaly) words() string {
	subject := sentenceOf(a.Measure)
	if a.Member != "" {
		subject += " of " + a.Member
	}
	way := "above"
	if a.Size.Sign() < 0 {
		way = "below"
	}
	if a.Kind == stats.Spike {
		return fmt.Sprintf("%s in %s is %s, %s %s what its other months let expect (%s).", subject, monthName(a.Month), inUnit(a.Value, a.Unit), changeIn(a.Size, a.Unit), way, inUnit(a.Expected, a.Unit))
	}
	return fmt.Sprintf("%s has been %s a month %s what its earlier months let expect since %s.", subject, changeIn(a.Size, a.Unit), way, monthName(a.Month))
}
