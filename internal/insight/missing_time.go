package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// timeWeeks is over how many weeks missing time is looked for; coverageGate the coverage
// below which a week counts as not entered (domain 2.4).
const timeWeeks = 12

var coverageGate = number(70, 2)

// MissingTime is who has not entered time, and what that does to the clients' margins.
type MissingTime struct {
	Weeks  []quantity.Day `json:"weeks"`  // Mondays
	People []Recorded     `json:"people"` // the most hours missing first
	All    Recorded       `json:"all"`
	// Clients are those whose margin the hours missing over Period would lower, the most first.
	Period  quantity.Period `json:"period"`
	Clients []IfEntered     `json:"clients"`
	// Nowhere is the hours missing over Period of people who recorded none on any client.
	Nowhere    quantity.Decimal   `json:"nowhere"`
	Confidence Confidence         `json:"confidence"`
	Snapshot   warehouse.Snapshot `json:"snapshot"`
}

// Recorded is the time that a person entered in the weeks.
type Recorded struct {
	Name     string              `json:"name"`
	Team     string              `json:"team"`
	Coverage []*quantity.Decimal `json:"coverage"` // by week, null without capacity
	Hours    quantity.Decimal    `json:"hours"`
	Capacity quantity.Decimal    `json:"capacity"`
	Missing  quantity.Decimal    `json:"missing"` // hours below capacity, week by week
	Low      int                 `json:"low"`     // weeks below the gate
	// Prompt is the share of entries made within a day of the work, Lag the median delay in
	// hours; null when entries do not say when they were made.
	Prompt *quantity.Decimal `json:"prompt"`
	Lag    *quantity.Decimal `json:"lag"`
}

// IfEntered is a client's margin if the time that is missing had been entered as the time
// that was: the two ends of a band, since how much of it was work for clients is not known.
type IfEntered struct {
	Client   string            `json:"client"`
	Revenue  quantity.Decimal  `json:"revenue"`
	Margin   *quantity.Decimal `json:"margin"`    // as recorded
	MarginAt *quantity.Decimal `json:"margin_at"` // with all of it
	Hours    quantity.Decimal  `json:"hours"`
	Cost     quantity.Decimal  `json:"cost"`
	Currency string            `json:"currency,omitempty"`
}

// Points is by how much the margin would fall.
func (c IfEntered) Points() quantity.Decimal { return value(c.Margin).Sub(value(c.MarginAt)) }

// MissingTime looks at the last twelve whole weeks of a period of whole months for time that
// was not entered, and at the whole period for what that does to margins: each person's hours
// below capacity are spread over clients as the recorded ones are, at the person's cost.
func (s *Service) MissingTime(ctx context.Context, scope tenant.Scope, p quantity.Period) (*MissingTime, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("missing time: %w", err)
	}
	r.oneCurrency = true
	out := &MissingTime{Period: p, People: []Recorded{}, Clients: []IfEntered{}, Snapshot: r.snapshot}
	firm, err := r.total(ctx, p, "", "capacity_hours", "capacity_assumed")
	if err != nil {
		return nil, fmt.Errorf("missing time: %w", err)
	}
	if err := r.recorded(ctx, out); err != nil {
		return nil, fmt.Errorf("missing time: %w", err)
	}
	if err := r.ifEntered(ctx, out); err != nil {
		return nil, fmt.Errorf("missing time: %w", err)
	}
	assumed := share(firm["capacity_assumed"], firm["capacity_hours"])
	if firm["capacity_hours"].IsZero() {
		assumed = 1
	}
	var limits []limit
	if assumed > 0 {
		limits = append(limits, limit{stats.Low, hundred(assumed) + " of the capacity is assumed (40 hours a week)"})
	}
	there := func(table, name string) Component {
		if r.tables[table] > 0 {
			return component(table, 1, name+" are in the data")
		}
		return component(table, 0, name+" are not in the data: who was away looks like time not entered")
	}
	out.Confidence = confide([]Component{component("contract_hours", 1-assumed, hundred(1-assumed)+" of the capacity rests on known contract hours"), there("time_off", "days off"), there("holidays", "public holidays")}, 0, limits...)
	return out, nil
}

// recorded reads the time of each person by week.
func (r reader) recorded(ctx context.Context, out *MissingTime) error {
	end := out.Period.To
	for end.Time().Weekday() != 1 {
		end = end.AddDays(-1)
	}
	span := quantity.Period{From: end.AddDays(-7 * timeWeeks), To: end}
	for span.From.Before(out.Period.From) {
		span.From = span.From.AddDays(7)
	}
	at := map[string]int{}
	for d := span.From; d.Before(end); d = d.AddDays(7) {
		at[d.String()] = len(out.Weeks)
		out.Weeks = append(out.Weeks, d)
	}
	if len(out.Weeks) == 0 {
		return nil
	}
	rows, err := r.read(ctx, span, "", []string{"staff", "team", "week"}, "hours_worked", "capacity_hours")
	if err != nil {
		return err
	}
	type sums struct{ hours, capacity []quantity.Decimal }
	people, team := map[string]*sums{}, map[string]string{}
	fresh := func() *sums {
		return &sums{make([]quantity.Decimal, len(out.Weeks)), make([]quantity.Decimal, len(out.Weeks))}
	}
	all := fresh()
	for _, row := range rows {
		i, ok := at[row.keys[2]]
		if !ok || row.keys[0] == noClient {
			continue
		}
		if people[row.keys[0]] == nil {
			people[row.keys[0]], team[row.keys[0]] = fresh(), row.keys[1]
		}
		for _, s := range []*sums{people[row.keys[0]], all} {
			s.hours[i], s.capacity[i] = s.hours[i].Add(row.sums["hours_worked"]), s.capacity[i].Add(row.sums["capacity_hours"])
		}
	}
	delays, err := r.read(ctx, span, "", []string{"staff"}, "time_entry_prompt_share", "time_entry_lag")
	if err != nil {
		return err
	}
	late := rowsByKey(delays)
	person := func(name string, s *sums) Recorded {
		p := Recorded{Name: name, Team: team[name]}
		for i := range out.Weeks {
			p.Hours, p.Capacity = p.Hours.Add(s.hours[i]), p.Capacity.Add(s.capacity[i])
			share, ok := ratio(s.hours[i], s.capacity[i])
			if !ok {
				p.Coverage = append(p.Coverage, nil)
				continue
			}
			p.Coverage = append(p.Coverage, &share)
			p.Missing = p.Missing.Add(decimal.Max(decimal.Zero, s.capacity[i].Sub(s.hours[i])))
			if share.LessThan(coverageGate) {
				p.Low++
			}
		}
		if v, ok := late[name].sums["time_entry_prompt_share"]; ok {
			p.Prompt = &v
		}
		if v, ok := late[name].sums["time_entry_lag"]; ok {
			p.Lag = &v
		}
		return p
	}
	for name, s := range people {
		if p := person(name, s); p.Capacity.Sign() > 0 {
			out.People = append(out.People, p)
		}
	}
	slices.SortFunc(out.People, func(a, b Recorded) int {
		return cmp.Or(cmp.Compare(b.Low, a.Low), b.Missing.Cmp(a.Missing), cmp.Compare(a.Name, b.Name))
	})
	out.All = person("", all)
	return nil
}

// ifEntered spreads each person's missing hours over clients as the recorded ones are.
func (r reader) ifEntered(ctx context.Context, out *MissingTime) error {
	people, err := r.read(ctx, out.Period, "", []string{"staff"}, "hours_worked", "capacity_hours")
	if err != nil {
		return err
	}
	entries, err := r.read(ctx, out.Period, "", []string{"staff", "client"}, "hours_worked", "labor_cost")
	if err != nil {
		return err
	}
	clients, err := r.read(ctx, out.Period, `client_status != "internal"`, []string{"client"}, "revenue", "gross_profit", "gross_margin")
	if err != nil {
		return err
	}
	more := map[string]quantity.Decimal{} // hours missing by hour recorded
	for _, row := range people {
		worked := row.sums["hours_worked"]
		missing := decimal.Max(decimal.Zero, row.sums["capacity_hours"].Sub(worked))
		if row.keys[0] == noClient {
			continue
		}
		if v, ok := ratio(missing, worked); ok {
			more[row.keys[0]] = v
		} else {
			out.Nowhere = out.Nowhere.Add(missing)
		}
	}
	hours, cost, codes := map[string]quantity.Decimal{}, map[string]quantity.Decimal{}, map[string][]string{}
	for _, row := range entries {
		by := more[row.keys[0]]
		hours[row.keys[1]] = hours[row.keys[1]].Add(row.sums["hours_worked"].Mul(by))
		cost[row.keys[1]] = cost[row.keys[1]].Add(row.sums["labor_cost"].Mul(by))
		codes[row.keys[1]] = merged(codes[row.keys[1]], row.codes)
	}
	for _, row := range clients {
		c := IfEntered{Client: row.keys[0], Revenue: row.sums["revenue"], Hours: hours[row.keys[0]].Round(2), Cost: cost[row.keys[0]].RoundBank(2), Currency: only(merged(row.codes, codes[row.keys[0]]))}
		margin, known := row.sums["gross_margin"]
		profit, too := row.sums["gross_profit"]
		if c.Client == noClient || !known || !too || c.Hours.IsZero() || len(merged(row.codes, codes[c.Client])) > 1 {
			continue
		}
		if at, ok := ratio(profit.Sub(cost[c.Client]), c.Revenue); ok {
			c.Margin, c.MarginAt = &margin, &at
			out.Clients = append(out.Clients, c)
		}
	}
	slices.SortFunc(out.Clients, func(a, b IfEntered) int {
		return cmp.Or(b.Points().Cmp(a.Points()), cmp.Compare(a.Client, b.Client))
	})
	return nil
}
