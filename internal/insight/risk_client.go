package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// The components of a client's risk, the one that is cheapest to act on first.
const (
	RiskPayment       = "payment"
	RiskDependence    = "dependence"
	RiskService       = "service"
	RiskMargin        = "margin"
	RiskConcentration = "concentration"
)

// ClientRiskRule says how clients are put in order. There is nothing else to it.
const ClientRiskRule = "A list by rules, no probability of leaving. Each component is held against a limit that you can edit; it is to act on when its figure lies in the worst band and, where a probability is known, the expected value more likely than not lies there, too. " +
	"Clients stand in the order of revenue a year x components to act on (each counts the same); those with none after them, by revenue a year x components to watch, then by revenue. What is not known is shown as unknown, and counts neither way. " +
	"The next step is that of the component to act on (else to watch) that is cheapest to act on: payment, dependence, service, margin, concentration."

// ClientRiskLeavesOut is what a client's risk does not know.
var ClientRiskLeavesOut = []string{
	"when the client's contract ends and what notice it has to give",
	"what people at the client think, plan or are offered elsewhere",
	"whether the client's own business is sound, beyond how it pays",
	"security, liability and compliance",
	"a probability of leaving: no client's past is learned from",
}

// ClientRisks are the clients with their risks, in the order of Rule.
type ClientRisks struct {
	Kind     string             `json:"kind" enum:"rules" doc:"a list by rules, no model and no score"`
	Rule     string             `json:"rule" doc:"how the order comes about"`
	NotInIt  []string           `json:"not_in_it" nullable:"false"`
	Period   quantity.Period    `json:"period"`
	Clients  []ClientRisk       `json:"clients" nullable:"false"`
	Missing  []RiskMissing      `json:"missing" nullable:"false" doc:"data sets that would tell what is unknown"`
	Notes    []string           `json:"notes" nullable:"false"`
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Versions map[string]int     `json:"definition_versions"`
}

// ClientRisk is a client with its five components, those of the first order first.
type ClientRisk struct {
	Client      string            `json:"client"`
	Currency    string            `json:"currency,omitempty"`
	Revenue     *quantity.Decimal `json:"revenue" doc:"a year; null when it is in several currencies"`
	GrossProfit *quantity.Decimal `json:"gross_profit" doc:"a year; null when the cost is not known"`
	Act         int               `json:"act" doc:"components to act on"`
	Watch       int               `json:"watch"`
	Unknown     int               `json:"unknown"`
	Order       *quantity.Decimal `json:"order" doc:"revenue a year x components to act on"`
	Drivers     []string          `json:"drivers" nullable:"false" doc:"what is to act on or to watch, in words"`
	Step        string            `json:"step,omitempty" doc:"the cheapest next step"`
	Components  []RiskComponent   `json:"components" nullable:"false"`
}

// ClientRisks returns the clients that are served at the end of the period with what is at
// risk with each of them, over the last twelve complete months unless a period is given.
//
// Errors: Invalid for a period without a whole month of data.
func (s *Service) ClientRisks(ctx context.Context, scope tenant.Scope, period quantity.Period) (*ClientRisks, error) {
	out := &ClientRisks{Kind: "rules", Rule: ClientRiskRule, NotInIt: ClientRiskLeavesOut, Clients: []ClientRisk{}, Missing: []RiskMissing{}, Notes: []string{}, Versions: map[string]int{}}
	a, err := s.begin(ctx, scope, period)
	if err != nil {
		return nil, err
	}
	if a == nil {
		out.Notes = append(out.Notes, "nothing is imported yet, or no month is complete")
		return out, nil
	}
	c := &clientRisks{analysis: a, out: out}
	if err := c.run(ctx); err != nil {
		return nil, fmt.Errorf("client risks: %w", err)
	}
	return out, nil
}

// clientRisks is one run of ClientRisks.
type clientRisks struct {
	*analysis
	out   *ClientRisks
	bands bands
	// What is read of all clients at once, by client.
	money, paid, owed, desk, open map[string]row
	hours                         map[string][]row // by person, most hours first
	load, next                    map[string]row   // by person
	ranks                         map[string]map[string]Ranked
	months                        map[string]series // revenue
	all                           series
	billed, earned                quantity.Decimal // revenue and gross profit of all clients
	apart                         string           // why shares of revenue mean nothing
}

// What client risks ask for.
var (
	paidSums = []string{"days_beyond_terms", "late_money_share", "invoices_paid"}
	owedSums = []string{"receivables", "ar_overdue", "ar_over_90"}
	deskSums = []string{"sla_met_count", "sla_judged_count", "csat_positive", "csat_responses", "reopen_rate", "reopen_known"}
	openSums = []string{"backlog", "aged_tickets"}
)

func (c *clientRisks) run(ctx context.Context) error {
	c.out.Period, c.out.Snapshot = c.period, c.snapshot
	var err error
	if c.bands, err = bandsOf(ctx, c.reader); err != nil {
		return err
	}
	names, err := c.readAll(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		c.out.Clients = append(c.out.Clients, c.client(name))
	}
	sortClients(c.out.Clients)
	c.tellMissing()
	for _, m := range slices.Concat(profitSums, paidSums, owedSums, deskSums, openSums, []string{"gross_margin", "sla_attainment", "csat", "top_technician_share", "utilization", "next_capacity"}) {
		if of, err := c.metrics.Measure(m); err == nil {
			c.out.Versions[m] = of.Version
		}
	}
	return nil
}

// bandsOf returns the thresholds that hold for the tenant.
func bandsOf(ctx context.Context, r reader) (bands, error) {
	all, err := r.metrics.Bands(ctx, r.scope)
	out := bands{}
	for _, t := range all {
		out[t.ID] = t
	}
	return out, err
}

// end is the last month of the period, whose last day stocks are counted on.
func (c *clientRisks) end() quantity.Period { return quantity.MonthOf(c.period.To.AddDays(-1)) }

// readAll reads the figures of all clients and returns the names of those that are served.
func (c *clientRisks) readAll(ctx context.Context) ([]string, error) {
	var money, active, paid, owed, desk, open, people []row
	ask := func(into *[]row, p quantity.Period, by []string, measures ...string) func() error {
		return func() (err error) {
			*into, err = c.read(ctx, p, realClients, by, measures...)
			return err
		}
	}
	var load, next []row
	if err := together(
		ask(&money, c.period, []string{"client"}, profitSums...), ask(&active, c.end(), []string{"client"}, "active_clients"),
		ask(&paid, c.period, []string{"client"}, paidSums...), ask(&owed, c.end(), []string{"client"}, owedSums...),
		ask(&desk, c.period, []string{"client"}, deskSums...), ask(&open, c.end(), []string{"client"}, openSums...),
		ask(&people, c.period, []string{"client", "staff"}, "hours_worked", "time_entry_count"),
		func() (err error) {
			load, err = c.read(ctx, last(c.period, staffMonths), "", []string{"staff"}, "hours_worked", "capacity_hours", "utilization")
			return err
		},
		func() (err error) {
			next, err = c.read(ctx, c.end(), "", []string{"staff"}, "next_capacity")
			return err
		},
	); err != nil {
		return nil, err
	}
	c.money, c.paid, c.owed, c.desk, c.open, c.load, c.next = rowsByKey(money), rowsByKey(paid), rowsByKey(owed), rowsByKey(desk), rowsByKey(open), rowsByKey(load), rowsByKey(next)
	c.hours = map[string][]row{}
	for _, r := range people {
		c.hours[r.keys[0]] = append(c.hours[r.keys[0]], r)
	}
	for _, list := range c.hours {
		slices.SortStableFunc(list, func(x, y row) int {
			return cmp.Or(y.sums["hours_worked"].Cmp(x.sums["hours_worked"]), cmp.Compare(x.keys[1], y.keys[1]))
		})
	}
	for _, r := range money {
		c.billed = c.billed.Add(decimal.Max(decimal.Zero, r.sums["revenue"]))
		if p, ok := c.profit(r.sums); ok {
			c.earned = c.earned.Add(p)
		}
	}
	c.apart = apart(codesOf(money...)...)
	names := c.served(money, active)
	if err := c.rankAll(ctx); err != nil {
		return nil, err
	}
	var err error
	if c.months, err = c.monthly(ctx, c.period, "client", names, "revenue"); err != nil {
		return nil, err
	}
	c.all, err = c.monthlyTotal(ctx, c.period, realClients, "revenue")
	return names, err
}

// served returns the clients with revenue or hours that are still served at the period's end,
// all of them when the list of clients does not say.
func (c *clientRisks) served(money, active []row) []string {
	still := map[string]bool{}
	for _, r := range active {
		if r.sums["active_clients"].Sign() > 0 {
			still[r.keys[0]] = true
		}
	}
	var names []string
	left := 0
	for _, r := range money {
		switch {
		case r.keys[0] == noClient:
			if r.sums["revenue"].Sign() != 0 {
				c.out.Notes = append(c.out.Notes, "revenue or hours that name no client are in no client's figures: match them first")
			}
		case r.sums["revenue"].IsZero() && r.sums["hours_worked"].IsZero() && len(r.codes) == 0:
		case len(still) > 0 && !still[r.keys[0]]:
			left++
		default:
			names = append(names, r.keys[0])
		}
	}
	if left > 0 {
		c.out.Notes = append(c.out.Notes, fmt.Sprintf("clients that are no longer served, or not on the list of clients, are left out: %d", left))
	}
	if c.apart != "" {
		c.out.Notes = append(c.out.Notes, "revenue is in several currencies: clients stand by currency first, and amounts are not compared across")
	}
	return names
}

// rankAll finds how probable it is of each client that what is expected lies beyond the limits.
func (c *clientRisks) rankAll(ctx context.Context) error {
	c.ranks = map[string]map[string]Ranked{}
	for _, of := range []struct{ measure, threshold string }{
		{"gross_margin", "gross_margin_tiers"}, {"gross_margin", ""}, {"days_beyond_terms", "days_beyond_terms"}, {"sla_attainment", "sla_attainment"},
	} {
		limit := quantity.Decimal{}
		if t, ok := c.bands[of.threshold]; ok {
			if limit, _, ok = worstEdge(t); !ok {
				continue
			}
		}
		m, err := c.metrics.Measure(of.measure)
		if err != nil {
			return err
		}
		k := &ranking{reader: c.reader, measure: m, kind: kindOf(c.metrics, m), req: RankRequest{Measure: m.Name, By: "client", Where: realClients, Period: c.period, Limit: &limit}}
		ranked, err := k.rank(ctx, c.Thresholds)
		if err != nil {
			return err
		}
		byName := map[string]Ranked{}
		for _, r := range ranked.Rows {
			byName[r.Name] = r
		}
		c.ranks[of.measure+of.threshold] = byName
	}
	return nil
}

// client puts a client together.
func (c *clientRisks) client(name string) ClientRisk {
	r := ClientRisk{Client: name, Currency: cmp.Or(only(c.money[name].codes), c.house), Drivers: []string{}}
	if v := c.money[name].sums.of("revenue"); v != nil {
		r.Revenue = known(c.yearly(*v).Round(4))
	}
	if p, ok := c.profit(c.money[name].sums); ok && c.profitKnown(name) {
		r.GrossProfit = known(c.yearly(p).Round(4))
	}
	r.Components = []RiskComponent{c.paymentRisk(name), c.dependenceRisk(name), c.serviceRisk(name), c.marginRisk(name), c.concentrationRisk(name)}
	for i := range r.Components {
		part := &r.Components[i]
		part.settle()
		part.Words, part.Step = inCurrency(r.Currency, part.Words), inCurrency(r.Currency, part.Step)
		switch part.State {
		case RiskAct:
			r.Act++
		case RiskWatch:
			r.Watch++
		case RiskUnknown:
			r.Unknown++
		}
		if part.State == RiskOK {
			part.Step = ""
		}
		for j := range part.Figures {
			f := &part.Figures[j]
			f.Query.Snapshot = c.snapshot
			if isMoney(f.Unit) {
				f.Currency = r.Currency
			}
		}
	}
	for _, state := range []string{RiskAct, RiskWatch, RiskUnknown} {
		for _, part := range r.Components {
			if part.State != state {
				continue
			}
			if state != RiskUnknown {
				r.Drivers = append(r.Drivers, part.Words)
			}
			r.Step = cmp.Or(r.Step, part.Step)
		}
	}
	if r.Revenue != nil {
		r.Order = known(r.Revenue.Mul(number(int64(r.Act), 0)))
	}
	return r
}

// profitKnown reports whether the cost of a client's work is known.
func (c *clientRisks) profitKnown(name string) bool {
	_, cost := c.money[name].sums["labor_cost"]
	return cost && c.tables["time_entries"] > 0 && priced(c.money[name].sums)
}

// sortClients puts clients in the order of ClientRiskRule.
func sortClients(all []ClientRisk) {
	weight := func(r ClientRisk, n int) quantity.Decimal {
		if r.Revenue == nil {
			return quantity.Decimal{}
		}
		return r.Revenue.Mul(number(int64(n), 0))
	}
	slices.SortStableFunc(all, func(x, y ClientRisk) int {
		return cmp.Or(cmp.Compare(x.Currency, y.Currency), cmp.Compare(min(1, y.Act), min(1, x.Act)), weight(y, y.Act).Cmp(weight(x, x.Act)),
			weight(y, y.Watch).Cmp(weight(x, x.Watch)), weight(y, 1).Cmp(weight(x, 1)), cmp.Compare(x.Client, y.Client))
	})
}

// tellMissing lists the data sets without which components are unknown for everyone.
func (c *clientRisks) tellMissing() {
	for _, m := range []RiskMissing{
		{"payments", "who pays late, and by how many days"},
		{"time_entries", "the margin, and on whose head a client hangs"},
		{"tickets", "whether service agreements are kept"},
		{"surveys", "how satisfied clients are"},
		{"staff", "what an hour costs, and who is over capacity or leaving"},
		{"clients", "which clients are still served"},
	} {
		if c.tables[m.Dataset] == 0 {
			c.out.Missing = append(c.out.Missing, m)
		}
	}
}

// figure begins a figure of a client.
func (c *clientRisks) figure(client, measure, label string, unit quantity.Unit, p quantity.Period, value *quantity.Decimal) RiskFigure {
	f := RiskFigure{Name: measure, Label: label, Unit: unit, Value: value, Sure: "counted, as sure as the data",
		Query: metric.Query{Measures: []string{measure}, Where: is("client", client), Period: p}}
	if value != nil {
		f.Value = known(value.Round(6))
	}
	return f
}

// chance sets how probable it is that what is expected of a client lies beyond the limit of a
// threshold, from the ranking of all clients.
func (c *clientRisks) chance(f *RiskFigure, client, threshold string, say func(limit string) string) {
	r, ok := c.ranks[f.Name+threshold][client]
	if !ok || r.Probability == nil || r.TooFew {
		return
	}
	limit, above := quantity.Decimal{}, false
	if t, ok := c.bands[threshold]; ok {
		limit, above, _ = worstEdge(t)
	}
	f.Interval, f.Sure = r.Interval, "what is expected, the client's own value drawn towards those of the others"
	f.Chances = append(f.Chances, RiskChance{Limit: limit, Above: above, Probability: *r.Probability, Words: fmt.Sprintf("%s with a probability of %s", say(inUnit(limit, f.Unit)), percent(dec(*r.Probability)))})
}

// none is a figure that is not known, for a reason.
func (f RiskFigure) none(reason string) RiskFigure {
	f.Value, f.Reason = nil, reason
	return f
}
