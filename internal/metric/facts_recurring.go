package metric

// Views about what recurs: the monthly recurring revenue on a day, how it moved between
// the two ends of a cell, and the clients served at them.

// recurringRows is the monthly recurring revenue of agreements and additions (domain.md
// 2.1) on the days of a relation, which has day and month; active names the helper that
// holds the agreements active on those days. An addition counts while its agreement does,
// and belongs to the agreement's client when it names none. Its product value follows
// domain.md 2.3: the price; for a price above 5,000 or a cost under 35 % of it the smaller
// of price and cost / 0.70; for a price of 0, cost / 0.70. Without a cost it is the price.
// Its cost is that of all units, those included in the base fee too; 70 % of the price when
// it is not known, the other way round of the same rule. The hours that the fee pays for are
// what is left after that cost, divided by the agreement's target rate.
func recurringRows(days, active string) string {
	return `SELECT 'agreements' AS origin, row_id, import_id, record, day, month, client_key, agreement_id, currency,
  ` + monthly("coalesce(amount, 0)", "billing_cycle") + ` AS mrr, 0::DECIMAL(38,10) AS product_value, 0::DECIMAL(38,10) AS product_cost,
  CASE WHEN target_hourly_rate > 0 THEN ` + byRate(monthly("coalesce(amount, 0)", "billing_cycle"), "target_hourly_rate") + ` END AS hour_budget FROM ` + active + `
UNION ALL
SELECT 'agreement_additions', row_id, import_id, record, day, month, client, agreement_id, currency,
  ` + monthly("units::DECIMAL(20,6) * price", "billing_cycle") + `, ` + monthly("units * value", "billing_cycle") + `, ` + monthly("quantity::DECIMAL(20,6) * cost", "billing_cycle") + `,
  CASE WHEN target > 0 THEN ` + byRate(monthly("units::DECIMAL(20,6) * price - quantity::DECIMAL(20,6) * cost", "billing_cycle"), "target") + ` END
FROM (SELECT *, CASE
    WHEN unit_cost IS NULL THEN price::DECIMAL(38,10)
    WHEN price = 0 THEN marked_up
    WHEN price > 5000 OR unit_cost < price * 0.35 THEN least(price, marked_up)
    ELSE price END AS value
  FROM (SELECT d.*, a.day, a.month, coalesce(d.client_key, k.client_key) AS client, g.target,
      greatest(0, d.quantity - coalesce(d.included_quantity, 0))::DECIMAL(18,6) AS units, coalesce(d.unit_price, 0) AS price, ` + divided("d.unit_cost::DECIMAL(20,6) * 10", "7") + ` AS marked_up, coalesce(d.unit_cost, d.unit_price * 0.7, 0)::DECIMAL(18,6) AS cost
    FROM ` + days + ` a JOIN ` + effective("agreement_additions") + ` d ON ` + holds("d") + `
      AND (d.effective_date IS NULL OR d.effective_date <= a.day) AND (d.cancelled_date IS NULL OR d.cancelled_date > a.day)
    LEFT JOIN known_agreements k ON k.agreement_id = d.agreement_id
    LEFT JOIN (SELECT day, agreement_id, max(target_hourly_rate) AS target FROM ` + active + ` GROUP BY day, agreement_id) g ON g.agreement_id = d.agreement_id AND g.day = a.day
    WHERE k.agreement_id IS NULL OR g.agreement_id IS NOT NULL))`
}

// activeOn is the agreements that are active on the days of a relation.
func activeOn(days string) string {
	return "SELECT a.day, a.month, g.* FROM " + days + " a JOIN " + effective("agreements") + " g ON " + holds("g") + `
    AND (g.start_date IS NULL OR g.start_date <= a.day) AND (g.end_date IS NULL OR g.end_date >= a.day) AND (g.cancelled_on IS NULL OR g.cancelled_on > a.day)
    AND ` + notDead("g")
}

// notDead leaves out agreements that are over without a day on which they ended.
func notDead(g string) string {
	return "(lower(coalesce(" + g + ".status, 'active')) NOT IN ('cancelled', 'canceled', 'expired', 'inactive') OR " + g + ".end_date IS NOT NULL OR " + g + ".cancelled_on IS NOT NULL)"
}

// agreementMonthView is what agreements take and give in each month: that of the agreements
// and additions that hold on its last day, as monthly recurring revenue by month counts them.
// A part of a month, where a period or a cell cuts one, has its share by days.
var agreementMonthView = view{with: []string{"month_parts", "month_ends", "agreement_ends", "known_agreements"}, sql: `SELECT origin, row_id, import_id, record, first AS day, client_key, agreement_id, currency,
  ` + share("product_cost") + ` AS agreement_product_cost, ` + share("product_value") + ` AS agreement_product_value, ` + share("hour_budget") + ` AS agreement_hour_budget
FROM (` + recurringRows("month_ends", "agreement_ends") + `) r JOIN month_parts p ON p.month = r.month`}

var mrrView = view{with: []string{"look", "agreement_days", "known_agreements"}, sql: recurringRows("look", "agreement_days")}

// mrrBridgeView is how monthly recurring revenue moved from the day before a cell to its
// last day. What a client's whole change is (new, reactivation, expansion, contraction or
// churn, by currency) its agreements' changes are counted as, so that every cell balances:
// an agreement that is renewed as another is no churn. A client that had recurring revenue
// at an earlier time comes back; one that never had is new.
var mrrBridgeView = view{with: []string{"spans", "moments", "agreement_moments", "known_agreements", "client_aliases", "recurring_since"}, sql: `SELECT origin, row_id, import_id, record, day, month, client_key, agreement_id, currency, mrr_start, mrr_end,
  CASE WHEN kind = 'new' THEN change ELSE 0 END AS mrr_new, CASE WHEN kind = 'reactivation' THEN change ELSE 0 END AS mrr_reactivation,
  CASE WHEN kind = 'expansion' THEN change ELSE 0 END AS mrr_expansion, CASE WHEN kind = 'contraction' THEN -change ELSE 0 END AS mrr_contraction,
  CASE WHEN kind = 'churn' THEN -change ELSE 0 END AS mrr_churn
FROM (SELECT *, mrr_end - mrr_start AS change, CASE
    WHEN before <= 0 AND after > 0 THEN CASE WHEN since <= eve THEN 'reactivation' ELSE 'new' END
    WHEN before > 0 AND after <= 0 THEN 'churn'
    WHEN after < before THEN 'contraction'
    ELSE 'expansion' END AS kind
  FROM (SELECT m.*, n.since, sum(mrr_start) OVER client AS before, sum(mrr_end) OVER client AS after
    FROM (SELECT r.origin, r.row_id, r.import_id, r.record, s.eve, s.day, s.month, r.client_key, coalesce(c.canonical, r.client_key, '') AS client, r.agreement_id, coalesce(r.currency, '') AS code, r.currency,
        sum(CASE WHEN r.day = s.eve THEN r.mrr ELSE 0 END)::DECIMAL(38,10) AS mrr_start, sum(CASE WHEN r.day = s.day THEN r.mrr ELSE 0 END)::DECIMAL(38,10) AS mrr_end
      FROM spans s JOIN (` + recurringRows("moments", "agreement_moments") + `) r ON r.day = s.eve OR r.day = s.day
      LEFT JOIN client_aliases c ON c.key = r.client_key
      GROUP BY ALL) m
    LEFT JOIN recurring_since n ON n.client = m.client AND n.code = m.code
    WINDOW client AS (PARTITION BY m.day, m.client, m.code)))`}

// recurringSince is the first day on which each client had recurring revenue, by currency;
// it is the year 1 when it always had.
const recurringSince = `SELECT coalesce(a.canonical, x.client_key, '') AS client, coalesce(x.currency, '') AS code, min(x.first) AS since
FROM (SELECT g.client_key, g.currency, coalesce(g.start_date, g.valid_from, DATE '0001-01-01') AS first
    FROM agreements g WHERE g.amount > 0 AND (lower(coalesce(g.status, 'active')) NOT IN ('cancelled', 'canceled', 'expired', 'inactive') OR g.end_date IS NOT NULL OR g.cancelled_on IS NOT NULL)
  UNION ALL SELECT coalesce(d.client_key, k.client_key), d.currency, greatest(coalesce(d.effective_date, d.valid_from, DATE '0001-01-01'), coalesce(k.first, DATE '0001-01-01'))
    FROM agreement_additions d LEFT JOIN known_agreements k ON k.agreement_id = d.agreement_id WHERE d.unit_price > 0 AND d.quantity > coalesce(d.included_quantity, 0)) x
LEFT JOIN client_aliases a ON a.key = x.client_key GROUP BY 1, 2`

// clientsOn is the clients that are served on the days of a relation, one row a client
// after aliases. What one source does not say of a client another may; rows under another
// name count only for a client that has none under its own. The day on which a client was
// lost decides when it is known, else the end of its last agreement, else its status.
func clientsOn(days string) string {
	return `SELECT 'clients' AS origin, row_id, import_id, record, day, month, client_key, client, acquired_on
FROM (SELECT o.*, e.ended FROM (SELECT day, month, client, ` + firstOf("row_id", "import_id", "record", "client_key") + `,
    ` + firstKnown("status", newestFirst) + ` AS status, ` + firstKnown("is_internal", newestFirst) + ` AS is_internal, ` + firstKnown("acquired_on", newestFirst) + ` AS acquired_on, ` + firstKnown("lost_on", newestFirst) + ` AS lost_on
  FROM (SELECT c.*, a.day, a.month, coalesce(n.canonical, c.client_key) AS client
    FROM ` + days + ` a JOIN ` + effective("clients", "status", "is_internal") + ` c ON ` + holds("c") + `
    LEFT JOIN client_aliases n ON n.key = c.client_key
    QUALIFY rank() OVER (PARTITION BY a.day, coalesce(n.canonical, c.client_key) ORDER BY n.canonical NULLS FIRST) = 1)
  GROUP BY day, month, client) o LEFT JOIN agreements_ended e ON e.client = o.client)
WHERE NOT coalesce(is_internal, false)
  AND lower(coalesce(status, 'active')) NOT IN ('prospect', 'lead', 'vendor', 'internal')
  AND (lower(coalesce(status, 'active')) NOT IN ('inactive', 'former', 'lost', 'cancelled', 'canceled') OR coalesce(lost_on, ended) > day)
  AND (acquired_on IS NULL OR acquired_on <= day) AND (lost_on IS NULL OR lost_on > day)`
}

// agreementsEnded is the day after the end of each client's last agreement; null when one
// has no end.
const agreementsEnded = `SELECT client, CASE WHEN count(*) = count(ends) THEN max(ends) END AS ended FROM (
  SELECT coalesce(a.canonical, g.client_key) AS client, coalesce(g.cancelled_on, g.end_date + 1) AS ends FROM agreements g LEFT JOIN client_aliases a ON a.key = g.client_key WHERE g.client_key IS NOT NULL) GROUP BY client`

// clientView is the clients that are served on each day.
var clientView = view{with: []string{"look", "client_aliases", "agreements_ended"}, sql: `SELECT origin, row_id, import_id, record, day, month, client_key, 1 AS active_clients,
  CASE WHEN acquired_on IS NULL THEN 0 ELSE 1 END AS dated_clients, CASE WHEN acquired_on IS NULL THEN 0 ELSE ` + daysFrom("acquired_on", "day") + ` + 1 END AS tenure_days FROM (` + clientsOn("look") + ")"}

// clientMovesView is the clients served the day before a cell and on its last day.
var clientMovesView = view{with: []string{"spans", "moments", "client_aliases", "agreements_ended"}, sql: `SELECT origin, row_id, import_id, record, day, month, client_key,
  was AS clients_start, isnow AS clients_end, greatest(0, isnow - was) AS clients_new, greatest(0, was - isnow) AS clients_lost
FROM (SELECT c.origin, first(c.row_id ORDER BY c.day DESC) AS row_id, first(c.import_id ORDER BY c.day DESC) AS import_id, first(c.record ORDER BY c.day DESC) AS record, s.day, s.month, first(c.client_key ORDER BY c.day DESC) AS client_key,
    max(CASE WHEN c.day = s.eve THEN 1 ELSE 0 END) AS was, max(CASE WHEN c.day = s.day THEN 1 ELSE 0 END) AS isnow
  FROM spans s JOIN (` + clientsOn("moments") + `) c ON c.day = s.eve OR c.day = s.day GROUP BY c.origin, s.day, s.month, c.client)`}

// clientCohorts is the month in which each client came, by the keys that sources give it.
const clientCohorts = `SELECT n.key, date_trunc('month', coalesce(min(n.acquired_on), min(n.month)))::DATE AS month
FROM (SELECT k.key, x.acquired_on, x.month FROM (
    SELECT coalesce(a.canonical, c.client_key) AS client, c.acquired_on, NULL::DATE AS month FROM clients c LEFT JOIN client_aliases a ON a.key = c.client_key
    UNION ALL SELECT coalesce(a.canonical, r.client_key), NULL, r.month FROM rollup_invoices r LEFT JOIN client_aliases a ON a.key = r.client_key WHERE r.recurring_revenue > 0) x
  JOIN (SELECT key, canonical AS client FROM client_aliases
    UNION SELECT client_key, client_key FROM (SELECT client_key FROM clients UNION SELECT client_key FROM rollup_invoices) WHERE client_key NOT IN (SELECT key FROM client_aliases)) k ON k.client = x.client) n
GROUP BY n.key`

// clientUsers is how many people each client has on each day looked at: its employees, else
// its active contacts. Clients of which neither is known are not there.
var clientUsers = `SELECT day, month, client, row_id, import_id, record, client_key, users FROM (
  SELECT day, month, c.client, row_id, import_id, record, client_key, coalesce(nullif(employees, 0), k.contacts) AS users
  FROM (SELECT day, month, client, ` + firstOf("row_id", "import_id", "record", "client_key") + `, ` + firstKnown("employees", newestFirst) + ` AS employees
    FROM (SELECT c.*, a.day, a.month, coalesce(n.canonical, c.client_key) AS client FROM look a JOIN ` + effective("clients", "employees") + ` c ON ` + holds("c") + ` LEFT JOIN client_aliases n ON n.key = c.client_key)
    GROUP BY day, month, client) c
  LEFT JOIN (SELECT coalesce(n.canonical, p.client_key) AS client, count(*) AS contacts FROM contacts p LEFT JOIN client_aliases n ON n.key = p.client_key WHERE coalesce(p.active, true) GROUP BY 1) k ON k.client = c.client) WHERE users > 0`

// userView is the users of clients with recurring revenue, and that revenue, of the clients
// whose users are known: a ratio of the two leaves the others out on both sides.
var userView = view{with: []string{"look", "agreement_days", "known_agreements", "client_aliases", "client_users"}, sql: `SELECT * FROM (
  SELECT 'clients' AS origin, row_id, import_id, record, day, month, client_key, client, NULL::VARCHAR AS currency, users, 0::DECIMAL(38,10) AS user_mrr FROM client_users
  UNION ALL SELECT r.origin, r.row_id, r.import_id, r.record, r.day, r.month, r.client_key, u.client, r.currency, 0, r.mrr
  FROM (` + recurringRows("look", "agreement_days") + `) r LEFT JOIN client_aliases n ON n.key = r.client_key JOIN client_users u ON u.day = r.day AND u.client = coalesce(n.canonical, r.client_key))
QUALIFY sum(user_mrr) OVER (PARTITION BY day, client) > 0`}

// blockView is the hours that base fees buy, by month, of agreements that hold at its end, and
// the hours that are used of them.
var blockView = view{with: []string{"period_months", "block_agreements"}, sql: `SELECT 'agreements' AS origin, g.row_id, g.import_id, g.record, a.month AS day, g.client_key, g.agreement_id,
  ` + monthly("g.included_hours", "g.billing_cycle") + ` AS block_hours_bought, 0::DECIMAL(38,4) AS block_hours_used
FROM (SELECT month, next - 1 AS day FROM period_months) a JOIN ` + effective("agreements") + ` g ON ` + holds("g") + ` AND g.included_hours > 0
  AND (g.start_date IS NULL OR g.start_date <= a.day) AND (g.end_date IS NULL OR g.end_date >= a.day) AND (g.cancelled_on IS NULL OR g.cancelled_on > a.day) AND ` + notDead("g") + `
UNION ALL SELECT 'time_entries', e.row_id, e.import_id, e.record, ` + startOf("month", "e.work_date") + `, e.client_key, e.agreement_id, 0, e.hours_worked
FROM time_entries e JOIN block_agreements b ON b.agreement_id = e.agreement_id`}
