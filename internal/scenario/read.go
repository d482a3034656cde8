package scenario

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// The sums that levers change, each group read by one query.
const (
	revenueTable  = "revenue"
	laborTable    = "labor"
	costTable     = "cost"
	capacityTable = "capacity"
)

var tableNames = []string{revenueTable, laborTable, costTable, capacityTable}

// tableMeasures are the base measures of each table; the first decides its dimensions.
var tableMeasures = map[string][]string{
	revenueTable:  {"revenue", "recurring_revenue"},
	laborTable:    {"labor_cost", "hours_worked", "billable_hours", "hours_without_cost"},
	costTable:     {"direct_cost"},
	capacityTable: {"capacity_hours"},
}

// sums are amounts by base measure; a measure that is not there is 0.
type sums map[string]quantity.Decimal

func (s sums) add(o sums) {
	for name, v := range o {
		s[name] = s[name].Add(v)
	}
}

// class is what is changed alike: the rows of a table of one client and month that the same
// levers select.
type class struct {
	table  string
	client string // "" of capacity
	month  int    // place in the period
	levers uint   // bit i: lever i selects it
	sums   sums
	extra  bool // added by a lever, not there in the period
}

// model is a period taken apart so that levers can be applied to it.
type model struct {
	Definition
	months   []quantity.Day
	classes  []class
	unknown  map[string]string // base measure -> why the period has no value of it
	currency string
	seatCost []quantity.Decimal // by lever, of Seats: what a seat costs a month
	rate     []quantity.Decimal // by lever, of Staffing: what an hour costs
	versions map[string]int
}

// read takes a period apart. It refuses levers that select nothing.
func (s *Service) read(ctx context.Context, scope tenant.Scope, d Definition) (*model, error) {
	m := &model{Definition: d, months: d.Period.Months(), unknown: map[string]string{}, seatCost: make([]quantity.Decimal, len(d.Levers)), rate: make([]quantity.Decimal, len(d.Levers)), versions: map[string]int{}}
	if err := s.readTotals(ctx, scope, m); err != nil {
		return nil, err
	}
	seen := make([]map[string]map[string]bool, len(d.Levers)) // lever -> dimension -> values that rows have
	for i := range seen {
		seen[i] = map[string]map[string]bool{}
	}
	for _, t := range tableNames {
		if err := s.readTable(ctx, scope, m, t, seen); err != nil {
			return nil, err
		}
	}
	var wrong []fault.Field
	for i, l := range d.Levers {
		if l.Kind == Seats {
			continue // seats are no costs of the period: readSeats looks for them
		}
		before := len(wrong)
		for dim, values := range l.Select {
			for _, v := range values {
				if !seen[i][dim][v] {
					known := slices.Sorted(maps.Keys(seen[i][dim]))
					wrong = append(wrong, fault.Field{Path: fmt.Sprintf("levers[%d].select.%s", i, dim), Message: fmt.Sprintf("%s %q has nothing to change in %s", dim, v, d.Period.Words()), Allowed: known[:min(len(known), 50)]})
				}
			}
		}
		if len(wrong) == before && l.Amount == nil && !slices.ContainsFunc(m.classes, func(c class) bool { return c.levers&(1<<i) != 0 }) {
			wrong = append(wrong, fault.Field{Path: fmt.Sprintf("levers[%d]", i), Message: fmt.Sprintf("%s has nothing to change in %s", l, d.Period.Words())})
		}
	}
	if wrong != nil {
		return nil, fault.WithFields(wrong[0].Message, wrong...)
	}
	for i, l := range d.Levers {
		var err error
		switch l.Kind {
		case Seats:
			err = s.readSeats(ctx, scope, m, i)
		case Staffing:
			err = s.readRate(ctx, scope, m, i)
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

// run asks for measures of the model's period and snapshot.
func (s *Service) run(ctx context.Context, scope tenant.Scope, m *model, by []string, where string, measures ...string) (*metric.Result, error) {
	r, err := s.metrics.Run(ctx, scope, metric.Query{Measures: measures, Dimensions: by, Where: where, Period: m.Period, Currency: m.Currency, Snapshot: m.Snapshot})
	if err == nil {
		m.Snapshot = r.Snapshot // the same for all that follows
		maps.Copy(m.versions, r.DefinitionVersions)
	}
	return r, err
}

// readTotals finds the currency, and which measures the period has no value of.
func (s *Service) readTotals(ctx context.Context, scope tenant.Scope, m *model) error {
	var all []string
	for _, t := range tableNames {
		all = append(all, tableMeasures[t]...)
	}
	r, err := s.run(ctx, scope, m, nil, "", all...)
	if err != nil {
		return err
	}
	m.currency = r.Currency
	if m.Currency != "" {
		m.currency = m.Currency
	}
	for j, name := range all {
		if len(r.Rows) == 0 {
			m.unknown[name] = "nothing is imported for this period"
			continue
		}
		if r.Rows[0][j] == nil {
			m.unknown[name] = r.Reasons[0][name]
			if codes := r.CurrenciesOf(0, j); len(codes) > 1 {
				return fault.WithFields("amounts are in "+strings.Join(codes, " and ")+": say which currency to count in", fault.Field{Path: "currency", Message: "is needed: amounts are in several", Allowed: codes})
			}
		}
	}
	if r.SourceRows == 0 {
		return fault.Newf(fault.NotFound, "there is no data in %s: choose a period that has some (moatmetrics datasets shows which)", m.Period.Words())
	}
	return nil
}

// readTable adds the classes of a table, and notes which values rows have for each lever.
func (s *Service) readTable(ctx context.Context, scope tenant.Scope, m *model, table string, seen []map[string]map[string]bool) error {
	var measures []string
	for _, name := range tableMeasures[table] {
		if m.unknown[name] == "" {
			measures = append(measures, name)
		}
	}
	var by []string
	if table != capacityTable {
		by = append(by, "client")
	}
	var touches []int
	for i, l := range m.Levers {
		if !slices.Contains(kindOf(l.Kind).tables, table) || l.Kind == Seats {
			continue
		}
		touches = append(touches, i)
		for d := range l.Select {
			if !slices.Contains(by, d) {
				by = append(by, d)
			}
		}
	}
	slices.Sort(by)
	if len(measures) == 0 {
		return nil
	}
	at := map[string]int{}
	index := map[string]int{} // class -> place
	for n, month := range m.months {
		at[month.String()] = n
	}
	for _, part := range monthParts(m.Period, len(by)) {
		r, err := s.metrics.Run(ctx, scope, metric.Query{Measures: measures, Dimensions: append(slices.Clone(by), "month"), Period: part, Currency: m.Currency, Snapshot: m.Snapshot})
		if err != nil {
			return err
		}
		for _, row := range r.Rows {
			month, _ := row[len(by)].(string)
			n, ok := at[month]
			if !ok {
				continue
			}
			c := class{table: table, month: n, sums: sums{}}
			key := map[string]string{}
			for j, d := range by {
				key[d], _ = row[j].(string)
			}
			c.client = key["client"]
			for _, i := range touches {
				hit := true
				for d, values := range m.Levers[i].Select {
					if seen[i][d] == nil {
						seen[i][d] = map[string]bool{}
					}
					seen[i][d][key[d]] = true
					hit = hit && slices.Contains(values, key[d])
				}
				if hit {
					c.levers |= 1 << i
				}
			}
			for j, name := range measures {
				if v, ok := row[len(by)+1+j].(quantity.Decimal); ok {
					c.sums[name] = v
				}
			}
			id := fmt.Sprintf("%q %d %d", c.client, c.month, c.levers)
			if place, ok := index[id]; ok {
				m.classes[place].sums.add(c.sums)
				continue
			}
			index[id] = len(m.classes)
			m.classes = append(m.classes, c)
		}
	}
	return nil
}

// monthParts cuts a period into months when more dimensions than the client are asked for:
// their combinations may be more than one answer holds.
func monthParts(p quantity.Period, dimensions int) []quantity.Period {
	if dimensions < 2 {
		return []quantity.Period{p}
	}
	var out []quantity.Period
	for _, m := range p.Months() {
		out = append(out, quantity.MonthOf(m))
	}
	return out
}

// readSeats finds what one of the seats of a lever costs a month.
func (s *Service) readSeats(ctx context.Context, scope tenant.Scope, m *model, i int) error {
	l := m.Levers[i]
	r, err := s.run(ctx, scope, m, nil, l.where(), "license_cost", "seats_purchased")
	if err != nil {
		return err
	}
	at := fmt.Sprintf("levers[%d]", i)
	if len(r.Rows) == 0 || r.Rows[0][1] == nil || r.Rows[0][1].(quantity.Decimal).Sign() <= 0 {
		return fault.WithFields("there are no such seats at the end of the period", fault.Field{Path: at + ".select", Message: "selects no active license"})
	}
	cost, ok := r.Rows[0][0].(quantity.Decimal)
	if !ok {
		return fault.WithFields("what these seats cost is not known: "+r.Reasons[0]["license_cost"], fault.Field{Path: at, Message: "needs the unit cost of the license"})
	}
	seats := r.Rows[0][1].(quantity.Decimal)
	if l.Amount.Neg().GreaterThan(seats) {
		return fault.WithFields(fmt.Sprintf("only %s such seats are there", seats), fault.Field{Path: at + ".amount", Message: fmt.Sprintf("returns more than the %s seats there are", seats)})
	}
	m.seatCost[i] = cost.DivRound(seats, divisionDigits)
	return nil
}

// readRate finds what an hour of those whom a staffing lever selects costs.
func (s *Service) readRate(ctx context.Context, scope tenant.Scope, m *model, i int) error {
	l := m.Levers[i]
	if l.Rate != nil {
		m.rate[i] = *l.Rate
		return nil
	}
	r, err := s.run(ctx, scope, m, nil, l.where(), "labor_cost_rate")
	if err != nil {
		return err
	}
	rate, ok := quantity.Decimal{}, false
	if len(r.Rows) > 0 {
		rate, ok = r.Rows[0][0].(quantity.Decimal)
	}
	if !ok {
		return fault.WithFields("what an hour of these people costs is not known", fault.Field{Path: fmt.Sprintf("levers[%d].rate", i), Message: "is needed: no cost rate is known for them"})
	}
	m.rate[i] = rate
	return nil
}

// where is the condition by which a lever selects, as a query's filter.
func (l Lever) where() string {
	var parts []string
	for _, d := range slices.Sorted(maps.Keys(l.Select)) {
		quoted := make([]string, len(l.Select[d]))
		for i, v := range l.Select[d] {
			quoted[i] = strconv.Quote(v)
		}
		parts = append(parts, fmt.Sprintf("%s in [%s]", d, strings.Join(quoted, ", ")))
	}
	return strings.Join(parts, " and ")
}
