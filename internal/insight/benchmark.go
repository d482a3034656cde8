package insight

import (
	"cmp"
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

// BenchmarkRequest asks how figures compare with public references, their own history and peers.
type BenchmarkRequest struct {
	// Measures by name; empty takes those that bands, peers or a client are usually asked for.
	Measures []string
	// Client narrows everything to one client, whose peers are other clients; "" is the firm,
	// whose peers are other tenants of the installation.
	Client string
	// Period is made of whole months; when it is open, the last twelve complete months.
	Period quantity.Period
}

// Benchmark is a figure beside what it is compared with.
type Benchmark struct {
	Measure    string            `json:"measure"`
	Label      string            `json:"label"`
	Unit       quantity.Unit     `json:"unit"`
	Direction  string            `json:"direction"` // up_good, down_good or two_sided
	Version    int               `json:"definition_version"`
	Value      *quantity.Decimal `json:"value"`
	Reason     string            `json:"reason,omitempty"` // why it has none
	Currency   string            `json:"currency,omitempty"`
	Interval   *Interval         `json:"interval"` // expected; null where nothing is estimated or there is too little
	Doubt      Doubt             `json:"doubt"`
	References []Reference       `json:"references"`
	// Words say whether the sources agree; "" without any.
	Words   string       `json:"words"`
	History History      `json:"history"`
	Peers   *Peers       `json:"peers,omitempty"`   // of the firm, for measures that peers share
	Clients *ClientPeers `json:"clients,omitempty"` // of a client
}

// Reference is a published or assumed set of bands and where the figure lies in it.
type Reference struct {
	Threshold metric.Threshold `json:"threshold"`
	Band      *int             `json:"band"` // of the threshold's bands, from 0; null when it is not compared
	// Chances are the probability of each band for the expected value; null without an interval.
	Chances []float64 `json:"chances"`
	Reason  string    `json:"reason,omitempty"` // why it is not compared
}

// BenchmarkReport is a list of benchmarks of one subject and period.
type BenchmarkReport struct {
	Client     string             `json:"client,omitempty"`
	Period     quantity.Period    `json:"period"`
	Benchmarks []Benchmark        `json:"benchmarks"`
	Note       string             `json:"note"`
	Snapshot   warehouse.Snapshot `json:"snapshot"`
}

const benchmarkNote = "Bands are advice, not truth: most are statements of vendors and consultants, each for its own population and by its own definition. Where sources differ, each is shown; they are never averaged. Earlier windows are a month apart; longer ones overlap, so they are not independent of each other."

// firmMeasures and clientMeasures are compared unless others are asked for.
var (
	firmMeasures = []string{"gross_margin", "service_gross_margin", "ebitda_margin", "recurring_share", "revenue_per_employee", "billable_utilization", "utilization",
		"agreement_efficiency", "tickets_per_endpoint", "hours_per_ticket", "sla_attainment", "csat", "license_utilization", "dso", "top1_share", "client_concentration", "logo_churn", "nrr"}
	clientMeasures = []string{"gross_margin", "effective_hourly_rate", "agreement_efficiency", "recurring_share", "tickets_per_endpoint", "hours_per_ticket", "sla_attainment", "csat",
		"license_utilization", "days_beyond_terms"}
)

// Benchmark compares figures with the bands of the tenant's thresholds, with their own
// earlier windows, and with peers: other tenants for the firm, other clients for a client.
//
// Errors: Invalid for an unknown measure and a period without a whole month; NotFound for an
// unknown client and when there is no complete month.
func (b *Benchmarks) Benchmark(ctx context.Context, scope tenant.Scope, req BenchmarkRequest) (*BenchmarkReport, error) {
	x, err := b.open(ctx, scope, req)
	if err != nil {
		return nil, err
	}
	out := &BenchmarkReport{Client: req.Client, Period: x.period, Note: benchmarkNote, Snapshot: x.snapshot, Benchmarks: make([]Benchmark, len(x.measures))}
	bands, err := b.settings.Thresholds(ctx, scope, x.metrics)
	if err != nil {
		return nil, fmt.Errorf("benchmarks: %w", err)
	}
	if err := x.readWindows(ctx); err != nil {
		return nil, fmt.Errorf("benchmarks: %w", err)
	}
	all := make([]func() error, len(x.measures))
	for i, m := range x.measures {
		all[i] = func() (err error) {
			out.Benchmarks[i], err = x.benchmark(ctx, m, bands)
			return err
		}
	}
	if err := together(all...); err != nil {
		return nil, fmt.Errorf("benchmarks: %w", err)
	}
	if req.Client != "" {
		return out, x.amongClients(ctx, b.insights, scope, out)
	}
	return out, b.amongTenants(ctx, scope, out)
}

// comparison is one run of Benchmark.
type comparison struct {
	reader
	client   string
	where    string
	period   quantity.Period
	complete quantity.Period
	measures []*metric.Measure
	house    string
	windows  []quantity.Period // the period first, then the earlier ones
	figures  []row             // of each window
}

// open checks what is asked.
func (b *Benchmarks) open(ctx context.Context, scope tenant.Scope, req BenchmarkRequest) (*comparison, error) {
	r, err := b.insights.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("benchmarks: %w", err)
	}
	r.lenient = true
	x := &comparison{reader: r, client: req.Client}
	names := req.Measures
	if len(names) == 0 && req.Client != "" {
		names = clientMeasures
	} else if len(names) == 0 {
		names = firmMeasures
	}
	for _, name := range names {
		m, err := r.metrics.Measure(name)
		if err != nil {
			return nil, err
		}
		if req.Client != "" && !slices.Contains(r.metrics.DimensionsOf(m), "client") {
			return nil, fault.WithFields(fmt.Sprintf("%s is not known by client", m.Name), fault.Field{Path: "measures", Message: m.Name + " is of the firm as a whole", Allowed: clientMeasures})
		}
		x.measures = append(x.measures, m)
	}
	if x.complete, err = r.completeMonths(ctx, quantity.DayOf(b.now().UTC())); err != nil {
		return nil, fmt.Errorf("benchmarks: %w", err)
	}
	if !x.complete.Bounded() {
		return nil, fault.Newf(fault.NotFound, "there is no complete month of data to compare: import invoices and time entries first")
	}
	if x.period, err = within(req.Period, x.complete); err != nil {
		return nil, err
	}
	x.oneCurrency = true
	if x.house, err = x.reader.house(ctx); err != nil {
		return nil, fmt.Errorf("benchmarks: %w", err)
	}
	if req.Client == "" {
		return x, nil
	}
	x.where = is("client", req.Client)
	rows, err := x.read(ctx, quantity.Period{}, x.where, []string{"client"}, "revenue", "hours_worked", "ticket_count")
	if err != nil {
		return nil, fmt.Errorf("benchmarks: %w", err)
	}
	if len(rows) == 0 {
		return nil, fault.Newf(fault.NotFound, "no client %q has revenue, hours or tickets: list them with query --measures revenue --by client", req.Client)
	}
	return x, nil
}

// benchmark is the figure with its interval, bands and history.
func (x *comparison) benchmark(ctx context.Context, m *metric.Measure, bands []metric.Threshold) (Benchmark, error) {
	out := Benchmark{Measure: m.Name, Label: m.Label, Unit: m.Unit, Direction: m.Direction, Version: m.Version, References: []Reference{}, Doubt: Doubt{Kind: kindOf(x.metrics, m)}}
	out.Value, out.Reason = x.figure(0, m)
	if isMoney(m.Unit) {
		out.Currency = cmp.Or(only(x.figures[0].codes), x.house)
	}
	var of estimate
	if out.Value != nil {
		var err error
		of, out.Doubt, out.Interval, err = x.expect(ctx, m, x.period, *out.Value)
		if err != nil {
			return out, err
		}
	}
	for _, t := range bands {
		if t.Measure == m.Name {
			out.References = append(out.References, x.refer(t, out, of))
		}
	}
	out.Words = agreement(out.References)
	var err error
	out.History, err = x.history(ctx, m, out)
	return out, err
}

// figure is a measure in a window or why it has none.
func (x *comparison) figure(window int, m *metric.Measure) (*quantity.Decimal, string) {
	r := x.figures[window]
	if v, ok := r.sums[m.Name]; ok {
		return &v, ""
	}
	if why := r.why[m.Name]; why != "" {
		return nil, why
	}
	if isMoney(m.Unit) {
		return nil, "there are no amounts, or they are in several currencies"
	}
	return nil, "there is no data for it in " + x.windows[window].Words()
}

// expect is the estimator of a measure over p, what is uncertain about it, and its interval.
func (x *comparison) expect(ctx context.Context, m *metric.Measure, p quantity.Period, value quantity.Decimal) (estimate, Doubt, *Interval, error) {
	doubt := Doubt{Kind: kindOf(x.metrics, m)}
	if m.Wide() || m.Special != "" {
		doubt.Words = "it is computed from the stored values of a closed period: there is nothing to estimate"
		return nil, doubt, nil, nil
	}
	f, err := formulaOf(x.metrics, m.Name)
	if err != nil {
		return nil, doubt, nil, err
	}
	whole, err := x.sums(ctx, f, p, x.where)
	if err != nil {
		return nil, doubt, nil, err
	}
	of, n, err := x.estimator(ctx, m, p, x.where, whole.sums, value)
	doubt.N = n
	var i stats.Interval
	if err == nil {
		i, err = of(level)
	}
	switch {
	case errors.Is(err, errNoInterval):
		doubt.Words = "it is counted on a day, or an input of it is not in the data: nothing is estimated"
		return nil, doubt, nil, nil
	case errors.Is(err, stats.ErrTooFew), err == nil && (math.IsNaN(i.Low+i.High) || math.IsInf(i.High-i.Low, 0)):
		doubt.TooFew, doubt.Words = true, "too few months or cases to say what to expect: look at the rows behind it"
		return nil, doubt, nil, nil
	case err != nil:
		return nil, doubt, nil, err
	}
	out := &Interval{Low: dec(i.Low), High: dec(i.High), Level: level, Method: i.Method, Of: expected}
	doubt.Words = fmt.Sprintf("expected between %s and %s with a probability of %.0f%% (%s)", inUnit(out.Low, m.Unit), inUnit(out.High, m.Unit), 100*level, i.Method)
	return of, doubt, out, nil
}

// refer places the figure in a set of bands.
func (x *comparison) refer(t metric.Threshold, b Benchmark, of estimate) Reference {
	out := Reference{Threshold: t}
	switch {
	case b.Value == nil:
		out.Reason = b.Reason
	case t.Currency != "" && b.Currency != "" && t.Currency != b.Currency:
		out.Reason = fmt.Sprintf("the bands are in %s, the figure in %s: they are not compared", t.Currency, b.Currency)
	case t.Months > 0 && len(x.period.Months()) != t.Months:
		out.Reason = fmt.Sprintf("the bands speak of %d months, the figure of %s: ask for a period of %d", t.Months, months(len(x.period.Months())), t.Months)
	default:
		at := slices.IndexFunc(t.Bands, func(one metric.Band) bool { return one.UpTo == nil || b.Value.LessThan(*one.UpTo) })
		out.Band, out.Chances = &at, bandChances(of, t)
	}
	return out
}

// bandChances are the probabilities that the expected value lies in each band; nil without
// an estimator.
func bandChances(of estimate, t metric.Threshold) []float64 {
	if of == nil {
		return nil
	}
	out, below := make([]float64, len(t.Bands)), 0.0
	for i, one := range t.Bands {
		to := 1.0
		if one.UpTo != nil {
			p, err := chanceBelow(of, float(*one.UpTo))
			if err != nil {
				return nil
			}
			to = max(below, p)
		}
		out[i], below = round4(to-below), to
	}
	return out
}

// agreement says whether the sources agree about the figure.
func agreement(all []Reference) string {
	counts, judged := map[string]int{}, 0
	for _, r := range all {
		if r.Band != nil {
			counts[r.Threshold.Bands[*r.Band].Verdict]++
			judged++
		}
	}
	switch {
	case judged == 0:
		return ""
	case judged == 1:
		return "one source, so nothing contradicts it and nothing confirms it"
	case len(counts) == 1:
		return fmt.Sprintf("all %d sources judge it alike", judged)
	}
	var parts []string
	for _, verdict := range []string{"good", "fair", "bad"} {
		if n := counts[verdict]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, verdict))
		}
	}
	return fmt.Sprintf("the %d sources differ (%s): their populations and definitions do, too", judged, strings.Join(parts, ", "))
}
