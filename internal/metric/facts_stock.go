package metric

import "strings"

// Views of facts that are looked at on a day: look(day, month) holds the days.

// clientView is the clients that are served on each day, one row a client after aliases.
// What one source does not say of a client another may; rows under another name count only
// for a client that has none under its own.
var clientView = view{with: []string{"look", "client_aliases"}, sql: `SELECT 'clients' AS origin, row_id, import_id, record, day, month, client_key, 1 AS active_clients,
  CASE WHEN acquired_on IS NULL THEN 0 ELSE 1 END AS dated_clients, CASE WHEN acquired_on IS NULL THEN 0 ELSE ` + daysFrom("acquired_on", "day") + ` + 1 END AS tenure_days
FROM (SELECT day, month, ` + firstOf("row_id", "import_id", "record", "client_key") + `,
    ` + firstKnown("status", newestFirst) + ` AS status, ` + firstKnown("is_internal", newestFirst) + ` AS is_internal, ` + firstKnown("acquired_on", newestFirst) + ` AS acquired_on, ` + firstKnown("lost_on", newestFirst) + ` AS lost_on
  FROM (SELECT c.*, a.day, a.month, coalesce(n.canonical, c.client_key) AS client
    FROM look a JOIN ` + effective("clients", "status", "is_internal") + ` c ON ` + holds("c") + `
    LEFT JOIN client_aliases n ON n.key = c.client_key
    QUALIFY rank() OVER (PARTITION BY a.day, coalesce(n.canonical, c.client_key) ORDER BY n.canonical NULLS FIRST) = 1)
  GROUP BY day, month, client)
WHERE NOT coalesce(is_internal, false)
  AND lower(coalesce(status, 'active')) NOT IN ('inactive', 'former', 'lost', 'cancelled', 'canceled', 'prospect', 'lead', 'vendor', 'internal')
  AND (acquired_on IS NULL OR acquired_on <= day) AND (lost_on IS NULL OR lost_on > day)`}

const newestFirst = "valid_from DESC NULLS LAST, source_system, source_id"

// firstOf aggregates columns to those of the newest row.
func firstOf(columns ...string) string {
	for i, c := range columns {
		columns[i] = "first(" + c + " ORDER BY " + newestFirst + ") AS " + c
	}
	return strings.Join(columns, ", ")
}

// mrrView is the monthly recurring revenue of agreements and additions (domain.md 2.1). An
// addition counts while its agreement does, and belongs to the agreement's client when it
// names none. Its product value follows domain.md 2.3: the price; for a price above 5,000
// or a cost under 35 % of it the smaller of price and cost / 0.70; for a price of 0, cost /
// 0.70. Without a cost it is the price.
var mrrView = view{with: []string{"look", "agreement_days", "known_agreements"}, sql: `SELECT 'agreements' AS origin, row_id, import_id, record, day, month, client_key, agreement_id, currency,
  ` + monthly("coalesce(amount, 0)", "billing_cycle") + ` AS mrr, 0::DECIMAL(38,10) AS product_value FROM agreement_days
UNION ALL
SELECT 'agreement_additions', row_id, import_id, record, day, month, client, agreement_id, currency,
  ` + monthly("units::DECIMAL(20,6) * price", "billing_cycle") + `, ` + monthly("units * value", "billing_cycle") + `
FROM (SELECT *, CASE
    WHEN unit_cost IS NULL THEN price::DECIMAL(38,10)
    WHEN price = 0 THEN marked_up
    WHEN price > 5000 OR unit_cost < price * 0.35 THEN least(price, marked_up)
    ELSE price END AS value
  FROM (SELECT d.*, a.day, a.month, coalesce(d.client_key, k.client_key) AS client,
      greatest(0, d.quantity - coalesce(d.included_quantity, 0))::DECIMAL(18,6) AS units, coalesce(d.unit_price, 0) AS price, ` + divided("d.unit_cost::DECIMAL(20,6) * 10", "7") + ` AS marked_up
    FROM look a JOIN ` + effective("agreement_additions") + ` d ON ` + holds("d") + `
      AND (d.effective_date IS NULL OR d.effective_date <= a.day) AND (d.cancelled_date IS NULL OR d.cancelled_date > a.day)
    LEFT JOIN known_agreements k ON k.agreement_id = d.agreement_id
    LEFT JOIN (SELECT DISTINCT day, agreement_id FROM agreement_days) g ON g.agreement_id = d.agreement_id AND g.day = a.day
    WHERE k.agreement_id IS NULL OR g.agreement_id IS NOT NULL))`}

var assetView = view{with: []string{"look"}, sql: `SELECT 'assets' AS origin, t.row_id, t.import_id, t.record, a.day, a.month, t.client_key, 1 AS endpoints FROM look a JOIN assets t
  ON coalesce(t.managed, true) AND lower(coalesce(t.asset_type, 'workstation')) IN ('workstation', 'server', 'laptop', 'desktop')
  AND (t.first_seen IS NULL OR t.first_seen <= a.day) AND (t.last_seen IS NULL OR t.last_seen >= a.day - 30)`}
