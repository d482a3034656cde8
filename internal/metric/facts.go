package metric

import (
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// fact is one source of base measures: a SELECT over stored tables that yields a date,
// keys, and columns to add up; and the roll-ups that hold its sums.
type fact struct {
	name   string
	tables []string // stored tables the view reads
	needs  []string // of these, the ones without which there is nothing to say
	// view yields the fact's rows. Stock facts read look(day, month): the days to look at.
	view    string
	stock   bool
	monthly bool     // its days are first days of months: no finer grain, whole months only
	keys    []string // key columns of the view that dimensions use
	columns []string // columns that add up
	money   bool     // the view has a currency column
	rollups []rollup // smallest first
}

// rollup is a stored sum of a fact by month and some of its keys.
type rollup struct {
	table string
	keys  []string
}

// keyIDs are the stable Parquet field ids of roll-ups' key columns.
var keyIDs = map[string]int{"client_key": 10, "staff_key": 11, "agreement_id": 12, "work_type": 13, "billable": 14, "revenue_category": 15}

// staffRates is the cost and bill rate of each staff member with the days they hold.
const staffRates = `staff_rates AS (SELECT staff_key, cost_rate, bill_rate, valid_from, valid_to,
  lead(valid_from) OVER (PARTITION BY staff_key ORDER BY valid_from NULLS FIRST) AS next_from
FROM (SELECT *, row_number() OVER (PARTITION BY staff_key, valid_from ORDER BY source_system, source_id) AS nth FROM staff) WHERE nth = 1)`

// costKnown is true when any staff member's cost is known; only without any is an entry's
// billing rate taken as its cost (the import says so in a finding).
const costKnown = `cost_known AS (SELECT count(cost_rate) > 0 AS known FROM staff)`

// Products begin with a factor of more than 18 digits: the engine computes them in 128 bits
// then, and a large amount cannot overflow.
var timeFact = fact{
	name: "time", tables: []string{"time_entries", "staff"}, needs: []string{"time_entries"}, money: true,
	view: `SELECT row_id, import_id, record, work_date AS day, client_key, staff_key, agreement_id, work_type, billable, currency, hours_worked,
  coalesce(hours_billed, billable_hours) AS hours_billed, billable_hours,
  hours_worked::DECIMAL(20,4) * rate * multiplier AS labor_cost,
  (hours_worked::DECIMAL(20,4) * shadow_rate)::DECIMAL(38,10) AS shadow_billable,
  CASE WHEN rate IS NULL THEN hours_worked ELSE 0 END AS hours_without_cost, 1 AS entries
FROM (` + timeRows + `)`,
	keys:    []string{"client_key", "staff_key", "agreement_id", "work_type", "billable"},
	columns: []string{"hours_worked", "hours_billed", "billable_hours", "labor_cost", "shadow_billable", "hours_without_cost", "entries"},
	rollups: []rollup{
		{"rollup_time_staff", []string{"staff_key", "work_type", "billable"}},
		{"rollup_time_client", []string{"client_key", "agreement_id", "work_type", "billable"}},
	},
}

const timeRows = `SELECT e.row_id, e.import_id, e.record, e.work_date, e.client_key, e.staff_key, e.agreement_id, e.work_type,
    coalesce(e.billable, true) AS billable, e.currency, e.hours_worked, e.hours_billed,
    CASE WHEN coalesce(e.billable, true) THEN e.hours_worked ELSE 0 END AS billable_hours,
    coalesce(e.cost_rate, s.cost_rate, CASE WHEN NOT k.known THEN e.bill_rate END)::DECIMAL(15,6) AS rate,
    coalesce(e.bill_rate, s.bill_rate)::DECIMAL(15,6) AS shadow_rate,
    coalesce(e.cost_multiplier, 1)::DECIMAL(9,4) AS multiplier
  FROM time_entries e CROSS JOIN cost_known k
  LEFT JOIN staff_rates s ON s.staff_key = e.staff_key AND (s.valid_from IS NULL OR e.work_date >= s.valid_from)
    AND (s.next_from IS NULL OR e.work_date < s.next_from) AND (s.valid_to IS NULL OR e.work_date < s.valid_to)`

var invoiceFact = fact{
	name: "invoices", tables: []string{"invoices"}, needs: []string{"invoices"}, money: true,
	view: `SELECT row_id, import_id, record, invoice_date AS day, client_key, agreement_id, coalesce(revenue_category, 'other') AS revenue_category, currency,
  net_amount AS revenue, CASE WHEN revenue_category LIKE 'recurring%' THEN net_amount ELSE 0 END AS recurring_revenue,
  coalesce(tax_amount, 0) AS tax, CASE WHEN tax_basis = 'unknown' THEN net_amount ELSE 0 END AS revenue_tax_unknown, 1 AS lines
FROM invoices
WHERE lower(coalesce(status, '')) NOT IN ('void', 'voided', 'draft', 'deleted', 'cancelled', 'canceled')
  AND lower(coalesce(invoice_type, '')) NOT IN ('down payment', 'downpayment')`,
	keys:    []string{"client_key", "agreement_id", "revenue_category"},
	columns: []string{"revenue", "recurring_revenue", "tax", "revenue_tax_unknown", "lines"},
	rollups: []rollup{{"rollup_invoices", []string{"client_key", "agreement_id", "revenue_category"}}},
}

// earnedFact spreads each line over the months of its service period by days; the parts of
// a line add up to it exactly (differences of a running share).
var earnedFact = fact{
	name: "earned", tables: []string{"invoices"}, needs: []string{"invoices"}, money: true, monthly: true,
	view: `SELECT row_id, import_id, record, month AS day, client_key, agreement_id, revenue_category, currency,
  (CASE WHEN until >= days THEN net ELSE net * until / days END)::DECIMAL(28,10) - (net * since / days)::DECIMAL(28,10) AS revenue_earned
FROM (SELECT row_id, import_id, record, month, client_key, agreement_id, revenue_category, currency, net, days,
    greatest(0, month - first) AS since, least(days, (month + INTERVAL 1 MONTH)::DATE - first) AS until
  FROM (SELECT row_id, import_id, record, client_key, agreement_id, coalesce(revenue_category, 'other') AS revenue_category, currency, net_amount AS net,
      coalesce(service_period_start, invoice_date) AS first,
      CASE WHEN service_period_start IS NULL OR service_period_end IS NULL OR service_period_end < service_period_start THEN 1 ELSE service_period_end - service_period_start + 1 END AS days,
      unnest(generate_series(date_trunc('month', coalesce(service_period_start, invoice_date)),
        CASE WHEN service_period_start IS NULL OR service_period_end IS NULL OR service_period_end < service_period_start THEN coalesce(service_period_start, invoice_date) ELSE service_period_end END, INTERVAL 1 MONTH))::DATE AS month
    FROM invoices
    WHERE lower(coalesce(status, '')) NOT IN ('void', 'voided', 'draft', 'deleted', 'cancelled', 'canceled')
      AND lower(coalesce(invoice_type, '')) NOT IN ('down payment', 'downpayment')))`,
	keys:    []string{"client_key", "agreement_id", "revenue_category"},
	columns: []string{"revenue_earned"},
}

var expenseFact = fact{
	name: "expenses", tables: []string{"expenses"}, needs: []string{"expenses"}, money: true,
	view: `SELECT row_id, import_id, record, expense_date AS day, client_key, agreement_id, vendor, product_name, currency,
  net_amount AS expense_amount, CASE WHEN lower(category) LIKE 'cogs%' THEN net_amount ELSE 0 END AS direct_cost FROM expenses`,
	keys:    []string{"client_key", "agreement_id", "vendor", "product_name"},
	columns: []string{"expense_amount", "direct_cost"},
}

var paymentFact = fact{
	name: "payments", tables: []string{"payments"}, needs: []string{"payments"}, money: true,
	view:    `SELECT row_id, import_id, record, payment_date AS day, client_key, currency, amount AS payments_received FROM payments`,
	keys:    []string{"client_key"},
	columns: []string{"payments_received"},
}

var ticketFact = fact{
	name: "tickets", tables: []string{"tickets"}, needs: []string{"tickets"},
	view: `SELECT row_id, import_id, record, created_on AS day, client_key, agreement_id, ticket_type, priority, 1 AS tickets,
  CASE WHEN lower(coalesce(ticket_type, '')) LIKE 'project%' THEN 0 ELSE 1 END AS service_tickets,
  CASE WHEN sla_met THEN 1 ELSE 0 END AS sla_met, CASE WHEN sla_met IS NOT NULL THEN 1 ELSE 0 END AS sla_judged FROM tickets`,
	keys:    []string{"client_key", "agreement_id", "ticket_type", "priority"},
	columns: []string{"tickets", "service_tickets", "sla_met", "sla_judged"},
}

var surveyFact = fact{
	name: "surveys", tables: []string{"surveys"}, needs: []string{"surveys"},
	view: `SELECT row_id, import_id, record, responded_on AS day, client_key, 1 AS responses,
  CASE WHEN score >= 0.75 * coalesce(scale, 5) THEN 1 ELSE 0 END AS positive FROM surveys WHERE lower(coalesce(kind, 'csat')) = 'csat'`,
	keys:    []string{"client_key"},
	columns: []string{"responses", "positive"},
}

// licenseRows are the active subscriptions on each as-of day. A month's factor turns a
// cost per billing cycle into a month's (domain.md 2.1, mrr).
var licenseFact = fact{
	name: "licenses", tables: []string{"licenses"}, needs: []string{"licenses"}, money: true, stock: true,
	view: `SELECT row_id, import_id, record, day, month, client_key, vendor, product_name, currency, seats_purchased, seats_used, wasted AS wasted_seats,
  (wasted::DECIMAL(20,2) * unit_cost * factor)::DECIMAL(38,10) AS license_waste,
  (greatest(0, seats_used - seats_purchased)::DECIMAL(20,2) * unit_cost * factor)::DECIMAL(38,10) AS overdeploy_exposure,
  (seats_purchased::DECIMAL(20,2) * unit_cost * factor)::DECIMAL(38,10) AS license_cost
FROM (SELECT l.row_id, l.import_id, l.record, a.day, a.month, l.client_key, l.vendor, l.product_name, l.currency,
    l.seats_purchased::DECIMAL(12,2) AS seats_purchased, coalesce(l.seats_used, l.seats_purchased)::DECIMAL(12,2) AS seats_used,
    l.unit_cost::DECIMAL(16,6) AS unit_cost,
    least(l.seats_purchased, greatest(0, l.seats_purchased - coalesce(l.seats_used, l.seats_purchased)) + coalesce(l.seats_inactive, 0))::DECIMAL(12,2) AS wasted,
    ` + monthFactor("l.billing_cycle") + ` AS factor
  FROM look a JOIN (SELECT *, lead(valid_from) OVER (PARTITION BY source_system, source_id ORDER BY valid_from NULLS FIRST) AS next_from FROM licenses) l
    ON (l.valid_from IS NULL OR l.valid_from <= a.day) AND (l.next_from IS NULL OR l.next_from > a.day) AND (l.valid_to IS NULL OR l.valid_to > a.day)
    AND (l.start_date IS NULL OR l.start_date <= a.day)
    AND lower(coalesce(l.status, 'active')) IN ('active', 'enabled', 'warning', 'true', 'yes')
    AND NOT coalesce(l.is_free_or_trial, false))`,
	keys:    []string{"client_key", "vendor", "product_name"},
	columns: []string{"seats_purchased", "seats_used", "wasted_seats", "license_waste", "overdeploy_exposure", "license_cost"},
}

// mrrFact is the monthly recurring revenue of agreements and additions (domain.md 2.1).
// The product value of an addition follows domain.md 2.3.
var mrrFact = fact{
	name: "mrr", tables: []string{"agreements", "agreement_additions"}, needs: []string{"agreements"}, money: true, stock: true,
	view: `SELECT row_id, import_id, record, day, month, client_key, agreement_id, currency, mrr, product_value FROM (
  SELECT g.row_id, g.import_id, g.record, a.day, a.month, g.client_key, g.agreement_id, g.currency,
    (coalesce(g.amount, 0)::DECIMAL(20,4) * ` + monthFactor("g.billing_cycle") + `)::DECIMAL(38,10) AS mrr, 0::DECIMAL(38,10) AS product_value
  FROM look a JOIN (SELECT *, lead(valid_from) OVER (PARTITION BY source_system, source_id ORDER BY valid_from NULLS FIRST) AS next_from FROM agreements) g
    ON (g.valid_from IS NULL OR g.valid_from <= a.day) AND (g.next_from IS NULL OR g.next_from > a.day)
    AND (g.start_date IS NULL OR g.start_date <= a.day) AND (g.end_date IS NULL OR g.end_date >= a.day) AND (g.cancelled_on IS NULL OR g.cancelled_on > a.day)
    AND (lower(coalesce(g.status, 'active')) NOT IN ('cancelled', 'canceled', 'expired', 'inactive') OR g.end_date IS NOT NULL OR g.cancelled_on IS NOT NULL)
  UNION ALL
  SELECT d.row_id, d.import_id, d.record, a.day, a.month, d.client_key, d.agreement_id, d.currency,
    (d.units::DECIMAL(20,4) * d.price * d.factor)::DECIMAL(38,10), (d.units::DECIMAL(20,4) * (CASE
      WHEN d.price = 0 THEN d.cost / 0.70
      WHEN d.price > 5000 OR d.cost / d.price < 0.35 THEN least(d.price, d.cost / 0.70)
      ELSE d.price END)::DECIMAL(14,6) * d.factor)::DECIMAL(38,10)
  FROM look a JOIN (SELECT *, lead(valid_from) OVER (PARTITION BY source_system, source_id ORDER BY valid_from NULLS FIRST) AS next_from,
      greatest(0, quantity - coalesce(included_quantity, 0))::DECIMAL(12,4) AS units, coalesce(unit_price, 0)::DECIMAL(14,6) AS price,
      coalesce(unit_cost, 0)::DECIMAL(14,6) AS cost, ` + monthFactor("billing_cycle") + ` AS factor FROM agreement_additions) d
    ON (d.valid_from IS NULL OR d.valid_from <= a.day) AND (d.next_from IS NULL OR d.next_from > a.day)
    AND (d.effective_date IS NULL OR d.effective_date <= a.day) AND (d.cancelled_date IS NULL OR d.cancelled_date > a.day))`,
	keys:    []string{"client_key", "agreement_id"},
	columns: []string{"mrr", "product_value"},
}

var assetFact = fact{
	name: "assets", tables: []string{"assets"}, needs: []string{"assets"}, stock: true,
	view: `SELECT t.row_id, t.import_id, t.record, a.day, a.month, t.client_key, 1 AS endpoints FROM look a JOIN assets t
  ON coalesce(t.managed, true) AND lower(coalesce(t.asset_type, 'workstation')) IN ('workstation', 'server', 'laptop', 'desktop')
  AND (t.first_seen IS NULL OR t.first_seen <= a.day) AND (t.last_seen IS NULL OR t.last_seen >= a.day - 30)`,
	keys:    []string{"client_key"},
	columns: []string{"endpoints"},
}

// receivableFact is what clients owe at a day: invoiced with tax until then, less paid
// until then; without payments, the invoices whose status does not say paid.
var receivableFact = fact{
	name: "receivables", tables: []string{"invoices", "payments"}, needs: []string{"invoices"}, money: true, stock: true,
	view: `SELECT i.row_id, i.import_id, i.record, a.day, a.month, i.client_key, i.currency, i.net_amount + coalesce(i.tax_amount, 0) AS receivables
FROM look a JOIN invoices i ON i.invoice_date <= a.day
WHERE lower(coalesce(i.status, '')) NOT IN ('void', 'voided', 'draft', 'deleted', 'cancelled', 'canceled')
  AND ((SELECT count(*) FROM payments) > 0 OR lower(coalesce(i.status, '')) <> 'paid')
UNION ALL
SELECT p.row_id, p.import_id, p.record, a.day, a.month, p.client_key, p.currency, -p.amount FROM look a JOIN payments p ON p.payment_date <= a.day`,
	keys:    []string{"client_key"},
	columns: []string{"receivables"},
}

// capacityFact is the hours a staff member could work in a month: contract hours (40 a
// week when not known) on weekdays between hire and leave, less public holidays and time
// off (domain.md 2.4). People who have entries but no staff row count from the month of
// their first entry to that of their last.
var capacityFact = fact{
	name: "capacity", tables: []string{"staff", "time_off", "holidays", "rollup_time_staff"}, needs: []string{"rollup_time_staff"}, monthly: true,
	view: `SELECT NULL::UUID AS row_id, NULL::BIGINT AS import_id, NULL::BIGINT AS record, m.month AS day, p.staff_key,
  greatest(0, sum(p.daily) - max(coalesce(o.hours_off, 0)))::DECIMAL(18,4) AS capacity_hours,
  CASE WHEN bool_or(p.assumed) THEN greatest(0, sum(p.daily) - max(coalesce(o.hours_off, 0)))::DECIMAL(18,4) ELSE 0 END AS capacity_assumed
FROM months m JOIN workdays w ON w.month = m.month
JOIN (SELECT s.staff_key, (coalesce(s.weekly_hours, 40) / 5)::DECIMAL(9,4) AS daily, s.weekly_hours IS NULL AS assumed, s.valid_from, s.next_from,
    coalesce(s.hired_on, b.first_month) AS starts, coalesce(s.left_on, CASE WHEN coalesce(s.active, true) THEN NULL ELSE b.last_month + INTERVAL 1 MONTH END) AS ends
  FROM (SELECT *, lead(valid_from) OVER (PARTITION BY staff_key ORDER BY valid_from NULLS FIRST) AS next_from
    FROM (SELECT *, row_number() OVER (PARTITION BY staff_key, valid_from ORDER BY source_system, source_id) AS nth FROM staff) WHERE nth = 1) s
  LEFT JOIN busy b ON b.staff_key = s.staff_key
  UNION ALL SELECT b.staff_key, 8, true, NULL, NULL, b.first_month, b.last_month + INTERVAL 1 MONTH FROM busy b
    WHERE b.staff_key IS NOT NULL AND b.staff_key NOT IN (SELECT staff_key FROM staff WHERE staff_key IS NOT NULL)) p
  ON (p.starts IS NULL OR w.day >= p.starts) AND (p.ends IS NULL OR w.day < p.ends)
  AND (p.valid_from IS NULL OR w.day >= p.valid_from) AND (p.next_from IS NULL OR w.day < p.next_from)
LEFT JOIN (SELECT staff_key, date_trunc('month', date)::DATE AS month, sum(coalesce(hours, 8)) AS hours_off FROM time_off GROUP BY 1, 2) o
  ON o.staff_key = p.staff_key AND o.month = m.month
GROUP BY m.month, p.staff_key`,
	keys:    []string{"staff_key"},
	columns: []string{"capacity_hours", "capacity_assumed"},
}

// capacityTables are the helper tables of capacityFact: who worked when, the months
// asked for, and their working days.
const capacityTables = `busy AS (SELECT staff_key, min(month) AS first_month, max(month) AS last_month FROM rollup_time_staff GROUP BY 1),
months AS (SELECT unnest(generate_series(date_trunc('month', $from::DATE), $to::DATE - 1, INTERVAL 1 MONTH))::DATE AS month),
workdays AS (SELECT date_trunc('month', d)::DATE AS month, d::DATE AS day FROM (SELECT unnest(generate_series($from::DATE, $to::DATE - 1, INTERVAL 1 DAY)) AS d)
  WHERE isodow(d) < 6 AND d::DATE NOT IN (SELECT date FROM holidays))`

var facts = []*fact{&timeFact, &invoiceFact, &earnedFact, &expenseFact, &paymentFact, &ticketFact, &surveyFact, &licenseFact, &mrrFact, &assetFact, &receivableFact, &capacityFact}

func factOf(name string) *fact {
	for _, f := range facts {
		if f.name == name {
			return f
		}
	}
	return nil
}

// monthFactor is the SQL of a billing cycle's months factor: weekly 52/12, two-weekly
// 26/12, four-weekly 13/12, monthly 1, quarterly 1/3, half-yearly 1/6, yearly 1/12,
// three-yearly 1/36 (domain.md 2.1). An unknown or missing cycle is a month.
func monthFactor(column string) string {
	var b strings.Builder
	b.WriteString("(CASE lower(" + column + ")")
	for _, c := range cycles {
		b.WriteString(" WHEN '" + c.name + "' THEN " + c.factor)
	}
	b.WriteString(" ELSE 1 END)::DECIMAL(18,16)")
	return b.String()
}

var cycles = []struct{ name, factor string }{
	{"weekly", "52.0000000000/12"}, {"biweekly", "26.0000000000/12"}, {"two-weekly", "26.0000000000/12"}, {"four-weekly", "13.0000000000/12"},
	{"quarterly", "1.0000000000/3"}, {"half-yearly", "1.0000000000/6"}, {"semiannual", "1.0000000000/6"}, {"semi-annual", "1.0000000000/6"},
	{"yearly", "1.0000000000/12"}, {"annual", "1.0000000000/12"}, {"annually", "1.0000000000/12"}, {"three-yearly", "1.0000000000/36"}, {"triennial", "1.0000000000/36"},
}

// sumTypes are the stored types of roll-up columns; sums keep every decimal.
var sumTypes = map[string]warehouse.Type{
	"hours_worked": "DECIMAL(38,4)", "hours_billed": "DECIMAL(38,4)", "billable_hours": "DECIMAL(38,4)", "hours_without_cost": "DECIMAL(38,4)",
	"labor_cost": "DECIMAL(38,14)", "shadow_billable": "DECIMAL(38,10)", "entries": "BIGINT",
	"revenue": "DECIMAL(38,4)", "recurring_revenue": "DECIMAL(38,4)", "tax": "DECIMAL(38,4)", "revenue_tax_unknown": "DECIMAL(38,4)", "lines": "BIGINT",
}

// Rollups declares the stored sums; the warehouse rebuilds them in the commit of their
// source.
func Rollups() []warehouse.Rollup {
	var out []warehouse.Rollup
	for _, f := range facts {
		for _, r := range f.rollups {
			out = append(out, f.rollup(r))
		}
	}
	return out
}

func (f *fact) rollup(r rollup) warehouse.Rollup {
	t := warehouse.Table{Name: r.table, Month: "month", Columns: []warehouse.Column{{ID: 1, Name: "month", Type: "DATE"}, {ID: 2, Name: "currency", Type: "VARCHAR"}}}
	selects := []string{"month", "currency"}
	for _, k := range r.keys {
		kind := warehouse.Type("VARCHAR")
		if k == "billable" {
			kind = "BOOLEAN"
		}
		t.Columns = append(t.Columns, warehouse.Column{ID: keyIDs[k], Name: k, Type: kind})
		selects = append(selects, k)
	}
	groups := strings.Join(selects, ", ")
	for i, c := range f.columns {
		t.Columns = append(t.Columns, warehouse.Column{ID: 30 + i, Name: c, Type: sumTypes[c]})
		selects = append(selects, "sum("+c+")::"+string(sumTypes[c])+" AS "+c)
	}
	return warehouse.Rollup{Table: t, Source: f.tables[0], Joins: f.tables[1:],
		SQL: f.helpers() + "SELECT " + strings.Join(selects, ", ") + " FROM (SELECT *, date_trunc('month', day)::DATE AS month FROM (" + f.view + ")) GROUP BY " + groups}
}

// helpers are the common tables that a fact's view reads, for a statement of its own.
func (f *fact) helpers() string {
	if f == &timeFact {
		return "WITH " + staffRates + ", " + costKnown + " "
	}
	return ""
}
