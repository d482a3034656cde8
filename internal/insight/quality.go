package insight

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// quality is how fit the input of a period is, as shares of hours or money, not of rows.
type quality struct {
	period  quantity.Period
	tables  map[string]int64 // stored rows
	firm    cell
	clients map[string]cell
	known   map[string]bool // clients in the client list
	active  map[string]int  // months with revenue or hours, by client
	// ratesStated reports whether any cost rate is in the data; without one the billing rate
	// stands in for it.
	ratesStated bool
	// billableStated is the share of hours that say whether they are billable.
	billableStated float64
}

// qualitySums are the measures that say how complete the others are.
var qualitySums = []string{"revenue", "revenue_tax_unknown", "hours_worked", "hours_without_cost", "labor_cost", "direct_cost"}

// measureQuality reads the quality of the input over p.
func (r reader) measureQuality(ctx context.Context, p quantity.Period) (quality, error) {
	r.lenient = true
	q := quality{period: p, tables: r.tables, clients: map[string]cell{}, known: map[string]bool{}}
	var err error
	if q.firm, err = r.total(ctx, p, "", append([]string{"capacity_hours", "capacity_assumed"}, qualitySums...)...); err != nil {
		return q, err
	}
	rows, err := r.read(ctx, p, "", []string{"client"}, qualitySums...)
	if err != nil {
		return q, err
	}
	q.clients = byKey(rows)
	if q.active, err = r.activeMonths(ctx, p, q.clients); err != nil {
		return q, err
	}
	if q.known, err = r.knownClients(ctx); err != nil {
		return q, err
	}
	return q, r.statedFields(ctx, &q)
}

// activeMonths counts the months in which each client has revenue or hours.
func (r reader) activeMonths(ctx context.Context, p quantity.Period, clients map[string]cell) (map[string]int, error) {
	names := slices.Sorted(maps.Keys(clients))
	all, err := r.monthly(ctx, p, "client", names, profitSums...)
	out := map[string]int{}
	for name, s := range all {
		for _, c := range s.cells {
			if !c["revenue"].IsZero() || !c["hours_worked"].IsZero() {
				out[name]++
			}
		}
	}
	return out, err
}

// component makes a visible part of a confidence from a measured share.
func component(name string, share float64, reason string) Component {
	return Component{Name: name, Value: math.Min(1, math.Max(0, share)), Weight: 1, Reason: reason}
}

// weighing returns the component with another weight in the geometric mean.
func (c Component) weighing(weight float64) Component {
	c.Weight = weight
	return c
}

// share is a/b as a float, and whole when there is nothing to share.
func share(a, b quantity.Decimal) float64 {
	if b.IsZero() {
		return 1
	}
	return float(a) / float(b)
}

// hundred writes a share for a reason: "98%".
func hundred(s float64) string { return fmt.Sprintf("%.0f%%", math.Floor(s*100+1e-9)) }

// costRates is how much of the hours of c has a stated cost rate.
func (q quality) costRates(c cell) (Component, []limit) {
	if c["hours_worked"].Sign() == 0 {
		if q.tables["time_entries"] == 0 {
			return component("cost_rates", 0, "no hours are recorded, so labor cost is not known"), []limit{{stats.Low, "no hours are recorded"}}
		}
		return component("cost_rates", 1, "no hours on it"), nil
	}
	if !q.ratesStated {
		reason := "no cost rates: the billing rate is taken as cost an hour"
		return component("cost_rates", 0, reason), []limit{{stats.Low, reason}}
	}
	s := 1 - share(c["hours_without_cost"], c["hours_worked"])
	return component("cost_rates", s, hundred(s)+" of the hours have a cost rate"), nil
}

// timeCoverage is the recorded share of the capacity. Capacity that is only assumed
// counts as not recorded.
func (q quality) timeCoverage() (float64, Component, []limit) {
	capacity := q.firm["capacity_hours"]
	if capacity.Sign() <= 0 {
		reason := "capacity is not known, so nobody can say how much time was not recorded"
		return 0, component("time_coverage", 0, reason), []limit{{stats.Low, reason}}
	}
	assumed := math.Min(1, share(q.firm["capacity_assumed"], capacity))
	recorded := math.Min(1, share(q.firm["hours_worked"], capacity))
	s := recorded * (1 - assumed)
	reason := hundred(recorded) + " of the capacity is recorded as hours"
	if assumed > 0 {
		reason += fmt.Sprintf(", but %s of the capacity is assumed (40 hours a week)", hundred(assumed))
	}
	c := component("time_coverage", s, reason)
	switch {
	case s < 0.70:
		return s, c, []limit{{stats.Low, "less than 70% of the time is recorded"}}
	case s < 0.85:
		return s, c, []limit{{stats.Medium, "less than 85% of the time is recorded"}}
	}
	return s, c, nil
}

// revenueBasis is how much of the revenue of c is known to be net of tax.
func (q quality) revenueBasis(c cell) Component {
	s := 1 - math.Abs(share(c["revenue_tax_unknown"], c["revenue"]))
	if c["revenue"].IsZero() {
		return component("revenue_basis", 1, "no revenue on it")
	}
	return component("revenue_basis", s, hundred(math.Max(0, s))+" of the revenue is known to be net of tax")
}

// unmatchedRevenue is the share of revenue without a client from which on margins by
// client are no answer (domain 5.4).
const unmatchedRevenue = 0.30

// matched is how much of the firm's revenue, hours and vendor bills belong to a client,
// and to one on the client list.
func (q quality) matched() (Component, []limit) {
	if len(q.known) == 0 {
		return component("client_match", 0, "there is no client list to check names against"), nil
	}
	least, what := 1.0, ""
	for _, measure := range []string{"revenue", "hours_worked"} {
		all, good := 0.0, 0.0
		for name, c := range q.clients {
			all += math.Abs(float(c[measure]))
			if q.known[name] {
				good += math.Abs(float(c[measure]))
			}
		}
		if all > 0 && good/all < least {
			least, what = good/all, spoken(measure)
		}
	}
	if least == 1 {
		return component("client_match", 1, "all revenue and hours belong to a client on the client list"), nil
	}
	var limits []limit
	if s := share(q.clients[noClient]["revenue"], q.firm["revenue"]); s > unmatchedRevenue {
		limits = []limit{{stats.NoAnswer, hundred(s) + " of the revenue belongs to no client"}}
	}
	return component("client_match", least, hundred(least)+" of the "+what+" belongs to a client on the client list"), limits
}

// directCost is how much of the vendor cost is in the data and matched to clients.
func (q quality) directCost() (Component, []limit) {
	all := q.firm["direct_cost"]
	if all.Sign() <= 0 {
		reason := "no vendor cost (expenses of a cogs category) is in the data"
		return component("direct_cost", 0, reason), []limit{{stats.Low, reason}}
	}
	s := 1 - share(q.clients[noClient]["direct_cost"], all)
	return component("direct_cost", s, hundred(s)+" of the vendor cost belongs to a client"), nil
}

// monthsOf is in how many months of the period a client has revenue.
func (q quality) monthsOf(client string) Component {
	return present(q.active[client], len(q.period.Months()))
}

// present is how many of the months have figures.
func present(have, of int) Component {
	return component("months", float64(have)/math.Max(1, float64(of)), fmt.Sprintf("%d of %s have figures", have, months(of))).weighing(0.5)
}

// limit caps a grade, with the reason.
type limit struct {
	grade  stats.Grade
	reason string
}

// laborAssumptions are what a figure with labor cost in it takes for granted.
func (q quality) laborAssumptions() []string {
	out := []string{}
	if !q.ratesStated && q.tables["time_entries"] > 0 {
		out = append(out, "The billing rate is taken as cost an hour, because no cost rates are in the data.")
	}
	if q.firm["direct_cost"].Sign() <= 0 {
		out = append(out, "Vendor cost is taken as nothing, because no expenses of a cogs category are in the data.")
	}
	return out
}

// capacityAssumptions are what utilization takes for granted.
func (q quality) capacityAssumptions(c cell) []string {
	out := []string{}
	if c["capacity_assumed"].Sign() > 0 {
		out = append(out, fmt.Sprintf("40 hours a week are assumed for %s of the capacity, because contract hours are not in the data.", hundred(share(c["capacity_assumed"], c["capacity_hours"]))))
	}
	if q.tables["holidays"] == 0 {
		out = append(out, "No public holidays are in the data; all weekdays count as working days.")
	}
	if q.tables["time_off"] == 0 {
		out = append(out, "No time off is in the data; everybody counts as present on all working days.")
	}
	return out
}

// licenseAssumptions are what the waste of a license line takes for granted.
func (q quality) licenseAssumptions(terms []licenseTerm) []string {
	out := []string{}
	for _, t := range terms {
		if t.term == "" && t.renewal.IsZero() {
			out = append(out, "The term of the subscription is not in the data.")
			break
		}
	}
	for _, t := range terms {
		if !t.inactiveKnown {
			return append(out, "Assigned seats count as used, because nothing in the data says which of them are inactive.")
		}
	}
	return out
}

// stored returns the rows of a statement over stored tables, for what no metric says: those
// of the clients that the asker may see; client is the place of the name in a row.
func (r reader) stored(ctx context.Context, sql string, args []any, client int, shows []tenant.Class, tables ...string) ([][]any, error) {
	uses := make([]warehouse.TableUse, len(tables))
	for i, t := range tables {
		uses[i] = warehouse.TableUse{Name: t}
	}
	return r.metrics.Stored(ctx, r.scope, warehouse.Statement{Snapshot: r.snapshot, Uses: uses, SQL: sql, Args: args}, client, shows...)
}
