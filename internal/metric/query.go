package metric

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// The bounds of a query. More rows than maxRows is an error, never a cut.
const (
	maxRows       = 100_000
	maxMeasures   = 30
	maxDimensions = 8
	maxDays       = 36_600 // about a hundred years
)

// Query asks for measures, cut by dimensions.
type Query struct {
	Measures   []string        `json:"measures"`
	Dimensions []string        `json:"by,omitempty"`
	Where      string          `json:"where,omitempty"` // see ParseWhere
	Period     quantity.Period `json:"period"`
	// Grain cuts by a step of time, as naming that dimension last does; "" is no cut.
	Grain   quantity.Grain `json:"grain,omitempty"`
	Compare string         `json:"compare,omitempty"` // "" or "previous"
	// Currency, when set, is the ISO 4217 code that amounts are converted to, each by the
	// exchange rate of its date; a missing rate gives null with a reason.
	Currency string   `json:"currency,omitempty"`
	Order    []string `json:"order,omitempty"` // column names; "-" in front: descending
	Limit    int      `json:"limit,omitempty"` // 0: all
	// Top keeps the first members of a dimension and puts all others into one row.
	Top      *Top               `json:"top,omitempty"`
	Snapshot warehouse.Snapshot `json:"snapshot,omitempty"` // 0: the current one

	// What prepare makes of the above: the condition on cells, as a measure that is not shown,
	// what the segments mean, and the first members.
	hidden  []*Measure
	having  *term
	members map[string]*membership
	top     *top
	used    map[string]int // versions of the segments, and of the calendar
	rows    bool           // asks for single rows, not for sums of them
}

// plain reports whether nothing was prepared that the query's JSON does not say.
func (q Query) plain() bool { return len(q.hidden) == 0 && len(q.members) == 0 && q.top == nil }

// normal returns the query with its grain as a dimension and blanks trimmed.
func (q Query) normal() Query {
	q.Where = strings.TrimSpace(q.Where)
	if g := string(q.Grain); g != "" && !slices.Contains(q.Dimensions, g) {
		q.Dimensions = append(slices.Clone(q.Dimensions), g)
	}
	q.Grain = ""
	return q
}

// question is a checked query.
type question struct {
	measures []*Measure
	base     []baseMeasure
	slots    map[string]int // base measure -> place in base
	facts    []*fact
	dims     []string
	keys     map[string]string // dimension -> key column, "" for dimensions of time
	where    *where
	segments map[string]*membership // those that the query is cut by, by the name of the dimension
	top      *top                   // see Query.Top
	hidden   int                    // the last measures are not shown: the condition asks for them
	having   *term                  // condition on the result's cells
	calendar Calendar
	currency string // to convert to, "" to leave amounts as they are
	period   quantity.Period
	span     quantity.Period // period, open ends filled from the data
	counted  quantity.Period // span up to the end of the data: what months, days and working days are counted in
	planned  bool            // the open end leaves out rows of the future
	asOf     quantity.Day    // the day that stock measures look at, the last one of a series
	extent   *extent
	blends   map[string]warehouse.Blend // tables that are not as in the snapshot

	// What the asker may see of it; see sight.go.
	limits    []limit
	refused   map[string]string // why a measure is not shown
	obeys     string            // the Key of the rights that it keeps to
	sensitive []tenant.Class    // what is told of who reads it
	rows      bool              // see Query.rows

	workClass WorkClasses
	zone      string // the tenant's time zone
}

// zoneText is the time zone as SQL.
func (q *question) zoneText() string { return warehouse.QuoteText(orElse(q.zone, "UTC")) }

// baseMeasure is a base measure of a question.
type baseMeasure struct {
	*Measure
	fact    int    // place in question.facts
	lacks   string // why there is no data for it at all, "" when there is
	unknown string // why it is null where rows are and no value is
}

// ask checks a query against the catalog, the data and what the asker may see, and reports
// all that is wrong.
func (c *Catalog) ask(ctx context.Context, scope tenant.Scope, q Query) (*question, error) {
	out, err := c.askPart(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	if err := out.refusal(); err != nil {
		return nil, err
	}
	return out, c.tell(ctx, scope, out.sensitive)
}

// askPart is ask that leaves it to the caller what to do about measures that may not be
// seen: they are in refused.
func (c *Catalog) askPart(ctx context.Context, scope tenant.Scope, q Query) (*question, error) {
	out := &question{dims: q.Dimensions, period: q.Period, currency: q.Currency, keys: c.keys, slots: map[string]int{}, calendar: c.calendar, top: q.top, having: q.having, rows: q.rows}
	wrong := c.checkNames(q, out)
	if len(wrong) > 0 {
		return nil, fault.WithFields("the query is not valid: "+wrong[0].Message, wrong...)
	}
	var err error
	if out.where, err = c.parseWhere(q.Where, q.members); err != nil {
		return nil, err
	}
	if out.segments, err = c.cutBySegments(q); err != nil {
		return nil, err
	}
	out.measures, out.hidden = append(out.measures, q.hidden...), len(q.hidden)
	for _, m := range out.measures {
		wrong = append(wrong, c.checkCuts(m, out)...)
		out.add(c, m)
	}
	if len(wrong) > 0 {
		return nil, fault.WithFields("the query is not valid: "+wrong[0].Message, wrong...)
	}
	if out.workClass, err = c.settings.WorkClasses(ctx, scope); err != nil {
		return nil, err
	}
	if out.zone, err = c.settings.zone(ctx, scope); err != nil {
		return nil, err
	}
	if out.extent, err = c.extent(ctx, scope, q.Snapshot); err != nil {
		return nil, err
	}
	if err := out.place(c); err != nil {
		return nil, err
	}
	return out, c.see(ctx, scope, q, out)
}

// add notes the base measures and facts that a measure needs.
func (q *question) add(c *Catalog, m *Measure) {
	for _, name := range m.base {
		if _, known := q.slots[name]; known {
			continue
		}
		f := c.factOf(name)
		if !slices.Contains(q.facts, f) {
			q.facts = append(q.facts, f)
		}
		base := baseMeasure{Measure: c.byName[name], fact: slices.Index(q.facts, f)}
		column, _ := f.column(base.Column)
		base.unknown = column.Unknown
		q.slots[name] = len(q.base)
		q.base = append(q.base, base)
	}
}

// checkNames finds the query's measures and checks its names and bounds.
func (c *Catalog) checkNames(q Query, out *question) []fault.Field {
	var wrong []fault.Field
	add := func(path, message string, allowed []string) {
		wrong = append(wrong, fault.Field{Path: path, Message: message, Allowed: allowed})
	}
	if len(q.Measures) == 0 && len(q.hidden) == 0 {
		add("measures", "name at least one measure", c.names())
	}
	if len(q.Measures) > maxMeasures || len(q.Dimensions) > maxDimensions {
		add("measures", fmt.Sprintf("at most %d measures and %d dimensions in one query", maxMeasures, maxDimensions), nil)
	}
	if q.Limit < 0 || q.Limit > maxRows {
		add("limit", fmt.Sprintf("limit must be 0 (all rows) to %d", maxRows), nil)
	}
	if q.Compare != "" && q.Compare != "previous" {
		add("compare", fmt.Sprintf("%q is not a comparison", q.Compare), []string{"previous"})
	}
	if q.Currency != "" && !isoCode.MatchString(q.Currency) {
		add("currency", fmt.Sprintf("%q is not an ISO 4217 code such as USD", q.Currency), nil)
	}
	for _, d := range []quantity.Day{q.Period.From, q.Period.To} {
		if !d.IsZero() && !d.Askable() {
			add("period", fmt.Sprintf("%s is out of range: the years 1900 to 2200 can be asked about", d), nil)
		}
	}
	if p := q.Period; p.Bounded() && !p.From.Before(p.To) {
		add("period", fmt.Sprintf("the period %s is empty: the end is the first day not included", p), nil)
	}
	for i, name := range q.Measures {
		m, ok := c.byName[name]
		switch {
		case !ok:
			add("measures["+strconv.Itoa(i)+"]", fmt.Sprintf("unknown measure %q%s", name, nearest(name, c.names())), c.names())
		case slices.Contains(out.measures, m):
			add("measures["+strconv.Itoa(i)+"]", fmt.Sprintf("%q is asked for twice", name), nil)
		default:
			out.measures = append(out.measures, m)
		}
	}
	for i, name := range q.Dimensions {
		if _, ok := c.dimension(name); !ok && !strings.HasPrefix(name, segmentCut) {
			add("by["+strconv.Itoa(i)+"]", fmt.Sprintf("unknown dimension %q%s", name, nearest(name, c.dimensionNames())), c.dimensionNames())
		} else if slices.Contains(q.Dimensions[:i], name) {
			add("by["+strconv.Itoa(i)+"]", fmt.Sprintf("%q is named twice", name), nil)
		}
	}
	return wrong
}

// checkCuts checks that a measure can be cut and filtered as asked.
func (c *Catalog) checkCuts(m *Measure, q *question) []fault.Field {
	var wrong []fault.Field
	allowed := c.DimensionsOf(m)
	for _, d := range q.cuts() {
		if !slices.Contains(allowed, d) {
			wrong = append(wrong, fault.Field{Path: "by", Message: fmt.Sprintf("%s cannot be cut by %s; it can by %s", m.Name, d, strings.Join(allowed, ", ")), Allowed: allowed})
		}
	}
	allowed = union(allowed, m.members)
	for _, d := range q.where.dims {
		if !slices.Contains(allowed, d) {
			wrong = append(wrong, fault.Field{Path: "where", Message: fmt.Sprintf("%s cannot be filtered by %s; it can by %s", m.Name, d, strings.Join(allowed, ", ")), Allowed: allowed})
		}
	}
	needsPeriod := m.formula != nil && slices.ContainsFunc(c.FlatInputs(m), isParameter)
	for _, b := range m.base {
		f := c.factOf(b)
		needsPeriod = needsPeriod || f.Stock
		if len(q.where.attributes) > 0 && (f.Stock || f.Name == "capacity" || f.Name == "agreement_months") {
			wrong = append(wrong, fault.Field{Path: "where", Message: fmt.Sprintf("%s cannot be filtered by an attribute: %s is no sum of imported rows", m.Name, b)})
		}
		if f.Monthly && !q.period.WholeMonths() {
			wrong = append(wrong, fault.Field{Path: "period", Message: fmt.Sprintf("%s is known by month: begin and end the period on the first day of a month", m.Name)})
		}
	}
	if m.overs {
		wrong = append(wrong, q.checkSteps(m)...)
	}
	if (needsPeriod || m.overs) && finest(q.where.dims) < finest(q.dims) || m.overs && finest(q.where.dims) < len(timeSteps) {
		wrong = append(wrong, fault.Field{Path: "where", Message: fmt.Sprintf("%s depends on the length or end of the period: give the period itself instead of a condition on time", m.Name)})
	}
	return wrong
}

var isoCode = regexp.MustCompile(`^[A-Z]{3}$`)

var timeSteps = []string{"day", "week", "fiscal_period", "month", "fiscal_quarter", "quarter", "fiscal_year", "year"}

// finest is the place in timeSteps of the finest dimension of time, past the end when
// there is none.
func finest(dims []string) int {
	at := len(timeSteps)
	for _, d := range dims {
		if i := slices.Index(timeSteps, d); i >= 0 {
			at = min(at, i)
		}
	}
	return at
}

// place fits the question into the data: open ends of the period, the day that stock
// measures look at, and the measures that have no data at all.
func (q *question) place(c *Catalog) error {
	q.span = q.extent.span
	if !q.period.From.IsZero() {
		q.span.From = q.period.From
	}
	switch {
	case !q.period.To.IsZero():
		q.span.To = q.period.To
	case !q.span.From.Before(q.span.To): // asks for the future only
		q.span.To = q.extent.end
	case q.span.To.Before(q.extent.end):
		q.period.To, q.planned = q.span.To, true
	}
	if !q.span.From.Before(q.span.To) { // an open end beyond the data
		if q.period.To.IsZero() {
			q.span.To = q.span.From.AddMonths(1)
		} else {
			q.span.From = q.span.To.AddDays(-1).Month()
		}
	}
	if q.span.From.DaysUntil(q.span.To) > maxDays {
		return fault.WithFields("the period is too long", fault.Field{Path: "period", Message: fmt.Sprintf("%s is longer than %d days", q.span, maxDays)})
	}
	q.counted = q.span
	if until := q.extent.span.To; until.Before(q.counted.To) && q.counted.From.Before(until) {
		q.counted.To = until
	}
	end := q.extent.stocks
	if !q.period.To.IsZero() && q.period.To.Before(end) {
		end = q.period.To
	}
	if finest(q.dims) < len(timeSteps) && q.span.To.Before(end) {
		end = q.span.To
	}
	q.asOf = end.AddDays(-1)
	for i := range q.base {
		q.base[i].lacks = q.extent.lacks(q.facts[q.base[i].fact])
	}
	return nil
}

// assumes reports whether the answer rests on a mapping of tickets that nobody confirmed.
func (q *question) assumes() bool {
	return !q.workClass.Confirmed && (slices.Contains(q.dims, "work_class") || slices.Contains(q.where.dims, "work_class") ||
		slices.ContainsFunc(q.base, func(b baseMeasure) bool { return b.Assumes == "work_class" }))
}

// counts reports whether the answer depends on a number of months, days or working days.
func (q *question) counts(c *Catalog) bool {
	return slices.ContainsFunc(q.facts, func(f *fact) bool {
		return slices.Contains(f.view.with, "workdays") || slices.Contains(f.view.with, "month_parts")
	}) ||
		slices.ContainsFunc(q.measures, func(m *Measure) bool { return slices.ContainsFunc(c.FlatInputs(m), isParameter) })
}

// lacks says why a fact has no data at all, "" when it has.
func (e *extent) lacks(f *fact) string {
	var none []string
	for _, t := range f.Needs {
		if e.rows[t] == 0 {
			none = append(none, strings.ReplaceAll(strings.Replace(t, "rollup_time_staff", "time_entries", 1), "_", " "))
		}
	}
	if len(none) == 0 || f.Any && len(none) < len(f.Needs) {
		return ""
	}
	return "no " + strings.Join(none, " and ") + " imported"
}
