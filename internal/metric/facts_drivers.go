package metric

// Views of facts that tell apart what a change of revenue and labor cost is made of: units
// and their price, and the cost of an hour with and without its multiplier.

// lineView names what a line sells by its product, or by its text without dates: units are
// added up and have a price only where they are of one thing.
var lineView = view{sql: `SELECT 'invoices' AS origin, row_id, import_id, record, invoice_date AS day, client_key, agreement_id, coalesce(revenue_category, 'other') AS revenue_category, coalesce(product_name, ` + undated("description") + `) AS product_name, currency,
  CASE WHEN net_amount < 0 THEN 0 WHEN quantity > 0 THEN quantity ELSE 1 END AS units,
  CASE WHEN net_amount < 0 THEN 0 ELSE net_amount END AS charged, CASE WHEN net_amount < 0 THEN net_amount ELSE 0 END AS credited
FROM invoices WHERE ` + revenueLines}

// workView is the time view with the cost of each entry divided by its multiplier again.
var workView = view{with: timeView.with, sql: `SELECT t.origin, t.row_id, t.import_id, t.record, t.day, t.client_key, t.staff_key, t.agreement_id, t.work_type, t.billable, t.currency,
  CASE WHEN m.multiplier > 0 AND m.multiplier <> 1 THEN ` + divided("t.labor_cost * 10000", "(m.multiplier * 10000)::BIGINT") + `::DECIMAL(38,14) ELSE t.labor_cost::DECIMAL(38,14) END AS plain_cost
FROM (` + timeView.sql + `) t JOIN (SELECT row_id, TRY_CAST(cost_multiplier AS DECIMAL(9,4)) AS multiplier FROM time_entries) m ON m.row_id = t.row_id`}
