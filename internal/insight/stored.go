package insight

import (
	"context"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// The statements below read what no metric says: which clients are on the list, which
// fields are filled at all, and the terms of subscriptions, agreements and projects. Values that
// vary are bound.
const (
	// clientList answers which client names the tenant knows, after aliases.
	clientList = `SELECT DISTINCT coalesce(a.canonical, c.client_key) AS client
FROM clients c LEFT JOIN aliases a ON a.kind = 'client' AND a.key = c.client_key WHERE c.client_key IS NOT NULL`

	// filledFields answers, by client, whether any cost rate is in the data, and how much of
	// the hours from $1 to before $2 says whether it is billable.
	filledFields = `SELECT coalesce(a.canonical, e.client_key, 'unassigned') AS client, (SELECT count(cost_rate) FROM staff) + count(e.cost_rate) AS rates,
  coalesce(sum(CASE WHEN e.billable IS NOT NULL THEN e.hours_worked ELSE 0 END), 0)::DECIMAL(38,4) AS stated,
  coalesce(sum(e.hours_worked), 0)::DECIMAL(38,4) AS hours
FROM time_entries e LEFT JOIN (SELECT key, min(canonical) AS canonical FROM aliases WHERE kind = 'client' AND key IS NOT NULL GROUP BY key) a ON a.key = e.client_key
WHERE e.work_date >= $1::DATE AND e.work_date < $2::DATE GROUP BY 1`

	// subscriptions answers the terms of the paid subscriptions on the day $1, with the
	// wasted seats and their cost per billing cycle.
	subscriptions = `SELECT coalesce(c.canonical, l.client_key, 'unassigned') AS client, coalesce(l.product_name, 'none') AS product,
  lower(coalesce(l.term, '')) AS term, lower(coalesce(l.billing_cycle, 'monthly')) AS cycle, l.start_date, l.renewal_date,
  coalesce(least(l.seats_purchased, greatest(0, l.seats_purchased - coalesce(l.seats_used, l.seats_purchased)) + coalesce(l.seats_inactive, 0))::DECIMAL(20,6) * l.unit_cost, 0)::DECIMAL(38,6) AS waste,
  l.seats_used IS NOT NULL AS used_known, l.seats_inactive IS NOT NULL AS inactive_known, l.unit_cost IS NOT NULL AS cost_known
FROM (SELECT *, lead(valid_from) OVER (PARTITION BY source_system, source_id ORDER BY valid_from NULLS FIRST) AS next_from FROM licenses) l
LEFT JOIN aliases c ON c.kind = 'client' AND c.key = l.client_key
WHERE (l.valid_from IS NULL OR l.valid_from <= $1::DATE) AND (l.next_from IS NULL OR l.next_from > $1::DATE)
  AND (l.valid_to IS NULL OR l.valid_to > $1::DATE) AND (l.start_date IS NULL OR l.start_date <= $1::DATE)
  AND lower(coalesce(l.status, 'active')) IN ('active', 'enabled', 'warning', 'true', 'yes') AND NOT coalesce(l.is_free_or_trial, false)`

	// agreementTerms answers the latest state, before the day $1, of each agreement, under the
	// name that the dimension agreement has; the newest of a name comes last.
	agreementTerms = `SELECT agreement_name || ' (' || client_key || ')' AS agreement, coalesce(a.canonical, g.client_key, 'unassigned') AS client, agreement_name, lower(coalesce(billing_model, '')) AS billing_model,
  target_hourly_rate, start_date, end_date, cancelled_on, amount, lower(coalesce(billing_cycle, 'monthly')) AS cycle, term_months
FROM (SELECT *, row_number() OVER (PARTITION BY source_system, source_id ORDER BY valid_from DESC NULLS LAST) AS newest FROM agreements
  WHERE valid_from IS NULL OR valid_from < $1::DATE) g
LEFT JOIN aliases a ON a.kind = 'client' AND a.key = g.client_key
WHERE newest = 1 AND agreement_id IS NOT NULL ORDER BY start_date, agreement_id`

	// projectStates answers what the projects state, under the names that the dimensions client
	// and project have.
	projectStates = `SELECT coalesce(a.canonical, p.client_key, 'unassigned') AS client, p.project_name, lower(trim(coalesce(p.status, ''))) AS status, lower(trim(coalesce(p.billing_method, ''))) AS billing,
  p.budget_amount, p.currency, p.start_date, p.end_date, p.percent_complete
FROM projects p LEFT JOIN aliases a ON a.kind = 'client' AND a.key = p.client_key ORDER BY p.start_date, p.project_id`
)

// knownClients returns the names on the client list.
func (r reader) knownClients(ctx context.Context) (map[string]bool, error) {
	rows, err := r.stored(ctx, clientList, nil, 0, nil, "clients", "aliases")
	known := map[string]bool{}
	if fault.KindOf(err) == fault.Forbidden { // who sees some teams only knows no list
		return known, nil
	}
	for _, row := range rows {
		known[text(row[0])] = true
	}
	return known, err
}

// statedFields sets what q knows of fields that are filled.
func (r reader) statedFields(ctx context.Context, q *quality) error {
	rows, err := r.stored(ctx, filledFields, []any{q.period.From.String(), q.period.To.String()}, 0, nil, "staff", "time_entries", "aliases")
	if fault.KindOf(err) == fault.Forbidden { // hours of teams are not by client: how complete the whole is
		r.scope = r.scope.Own()
		return r.statedFields(ctx, q)
	}
	if err != nil {
		return err
	}
	var stated, hours quantity.Decimal
	for _, row := range rows {
		q.ratesStated = q.ratesStated || decimalOf(row[1]).Sign() > 0
		stated, hours = stated.Add(decimalOf(row[2])), hours.Add(decimalOf(row[3]))
	}
	q.billableStated = share(stated, hours)
	return nil
}

// licenseTerms returns the terms of the subscriptions on the last day before end, by
// client and product.
func (r reader) licenseTerms(ctx context.Context, end quantity.Day) (map[[2]string][]licenseTerm, error) {
	rows, err := r.stored(ctx, subscriptions, []any{end.AddDays(-1).String()}, 0, []tenant.Class{tenant.Cost}, "licenses", "aliases")
	if err != nil {
		return nil, err
	}
	all := map[[2]string][]licenseTerm{}
	for _, row := range rows {
		t := licenseTerm{client: text(row[0]), product: text(row[1]), term: strings.TrimSpace(text(row[2])), start: dayOf(row[4]), renewal: dayOf(row[5]),
			usedKnown: row[7] == true, inactiveKnown: row[8] == true, costKnown: row[9] == true}
		t.waste = decimalOf(row[6]).Mul(perMonth(text(row[3])))
		key := [2]string{t.client, t.product}
		all[key] = append(all[key], t)
	}
	for _, terms := range all {
		sortTerms(terms)
	}
	return all, nil
}

// agreementTerm is what an agreement states.
type agreementTerm struct {
	client, name, model   string
	target                quantity.Decimal // rate an hour it should earn; zero when not stated
	start, end, cancelled quantity.Day
	fee                   quantity.Decimal // base fee a month; zero when not stated
	term                  int              // months; zero when not stated
}

// over reports whether the agreement had ended before day.
func (t agreementTerm) over(day quantity.Day) bool {
	return !t.end.IsZero() && t.end.Before(day) || !t.cancelled.IsZero() && t.cancelled.Before(day)
}

// agreementsOf returns what the agreements state on the last day before end, by the value
// of the dimension agreement.
func (r reader) agreementsOf(ctx context.Context, end quantity.Day) (map[string]agreementTerm, error) {
	rows, err := r.stored(ctx, agreementTerms, []any{end.String()}, 1, nil, "agreements", "aliases")
	if err != nil {
		return nil, err
	}
	all := map[string]agreementTerm{}
	for _, row := range rows {
		all[text(row[0])] = agreementTerm{client: text(row[1]), name: text(row[2]), model: text(row[3]), target: decimalOf(row[4]),
			start: dayOf(row[5]), end: dayOf(row[6]), cancelled: dayOf(row[7]), fee: decimalOf(row[8]).Mul(perMonth(text(row[9]))), term: int(decimalOf(row[10]).IntPart())}
	}
	return all, nil
}

// projectState is what a project states.
type projectState struct {
	client, name, status, billing, currency string
	price, progress                         *quantity.Decimal // nil when not stated
	start, end                              quantity.Day
	same                                    int // projects of this client and name
}

// projectStates returns what the projects state; several of one client and name are one.
func (r reader) projectStates(ctx context.Context) ([]projectState, error) {
	rows, err := r.stored(ctx, projectStates, nil, 0, nil, "projects", "aliases")
	if err != nil {
		return nil, err
	}
	at := map[[2]string]int{}
	var all []projectState
	for _, row := range rows {
		p := projectState{client: text(row[0]), name: text(row[1]), status: text(row[2]), billing: text(row[3]), price: decimalIn(row[4]), currency: text(row[5]), start: dayOf(row[6]), end: dayOf(row[7]), progress: decimalIn(row[8]), same: 1}
		key := [2]string{p.client, p.name}
		if i, ok := at[key]; ok {
			p.same += all[i].same
			all[i] = p
			continue
		}
		at[key] = len(all)
		all = append(all, p)
	}
	return all, nil
}

// perMonth turns an amount of a billing cycle into a month's (domain 2.1).
func perMonth(cycle string) quantity.Decimal {
	twelfths := map[string]int64{
		"weekly": 52, "biweekly": 26, "two-weekly": 26, "four-weekly": 13, "quarterly": 4, "half-yearly": 2, "semiannual": 2, "semi-annual": 2,
		"yearly": 1, "annual": 1, "annually": 1,
	}
	if n, ok := twelfths[cycle]; ok {
		return number(n, 0).DivRound(number(12, 0), ratioPlaces)
	}
	if cycle == "triennial" || cycle == "three-yearly" {
		return number(1, 0).DivRound(number(36, 0), ratioPlaces)
	}
	return number(1, 0)
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func dayOf(v any) quantity.Day {
	if t, ok := v.(time.Time); ok {
		return quantity.DayOf(t)
	}
	return quantity.Day{}
}

func decimalOf(v any) quantity.Decimal {
	switch v := v.(type) {
	case quantity.Decimal:
		return v
	case int64:
		return number(v, 0)
	}
	return quantity.Decimal{}
}
