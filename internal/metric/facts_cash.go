package metric

import "github.com/moatmetrics/moatmetrics/internal/dataset"

// Views of facts about cash, growth and projects (domain.md 2.7).

// receivableView is what clients owe on a day: invoiced with tax until then, less paid
// until then; without payments, the invoices whose status does not say paid.
var receivableView = view{with: []string{"look", "invoice_clients"}, sql: `SELECT 'invoices' AS origin, i.row_id, i.import_id, i.record, a.day, a.month, i.client_key, i.currency, i.net_amount + coalesce(i.tax_amount, 0) AS receivables
FROM look a JOIN (SELECT * FROM invoices WHERE ` + posted + `) i ON i.invoice_date <= a.day
WHERE (SELECT count(*) FROM payments) > 0 OR lower(coalesce(i.status, '')) <> 'paid'
UNION ALL
SELECT 'payments', p.row_id, p.import_id, p.record, a.day, a.month, coalesce(p.client_key, n.client_key), p.currency, -p.received
FROM look a JOIN (SELECT *, ` + dataset.ReceivedAmountSQL + ` AS received FROM payments WHERE ` + dataset.ReceivedSQL + `) p ON p.payment_date <= a.day LEFT JOIN invoice_clients n ON n.invoice_number = p.invoice_number`}

// ageingView is the receivables by the days that each is past due: an invoice line by its
// due date (by its own date when it has none), a payment by that of the invoice it pays.
// Payments that name no invoice that is known are apart.
var ageingView = view{with: append([]string{"invoice_dues"}, receivableView.with...), sql: `SELECT origin, row_id, import_id, record, day, month, client_key, currency,
  CASE WHEN late <= 0 THEN owed ELSE 0 END AS ar_current, CASE WHEN late BETWEEN 1 AND 30 THEN owed ELSE 0 END AS ar_1_30, CASE WHEN late BETWEEN 31 AND 60 THEN owed ELSE 0 END AS ar_31_60,
  CASE WHEN late BETWEEN 61 AND 90 THEN owed ELSE 0 END AS ar_61_90, CASE WHEN late > 90 THEN owed ELSE 0 END AS ar_over_90, CASE WHEN late IS NULL THEN owed ELSE 0 END AS ar_unapplied
FROM (SELECT o.*, a.day, a.month, ` + daysFrom("o.due", "a.day") + ` AS late FROM look a JOIN (
  SELECT 'invoices' AS origin, row_id, import_id, record, invoice_date AS since, client_key, currency, net_amount + coalesce(tax_amount, 0) AS owed, coalesce(due_date, invoice_date) AS due
  FROM invoices WHERE ` + posted + ` AND ((SELECT count(*) FROM payments) > 0 OR lower(coalesce(status, '')) <> 'paid')
  UNION ALL
  SELECT 'payments', p.row_id, p.import_id, p.record, p.payment_date, coalesce(p.client_key, n.client_key), p.currency, -p.received, d.due
  FROM (SELECT *, ` + dataset.ReceivedAmountSQL + ` AS received FROM payments WHERE ` + dataset.ReceivedSQL + `) p
  LEFT JOIN invoice_clients n ON n.invoice_number = p.invoice_number
  LEFT JOIN invoice_dues d ON d.invoice_number = p.invoice_number AND d.client_key = coalesce(p.client_key, n.client_key)) o ON o.since <= a.day)`}

// settledView is the invoices by the day that their last payment came, when the payments
// reach their total. Amounts weigh the days that they were paid beyond the due date; an
// invoice paid early counts with its negative days.
var settledView = view{with: []string{"invoice_clients"}, sql: `SELECT 'invoices' AS origin, i.row_id, i.import_id, i.record, p.paid_on AS day, i.client_key, i.currency,
  1 AS invoices_paid, CASE WHEN p.paid_on > i.due THEN 1 ELSE 0 END AS invoices_paid_late, CASE WHEN p.paid_on > i.due THEN i.total ELSE 0 END AS paid_late_amount, i.total AS paid_amount, i.total * ` + daysFrom("i.due", "p.paid_on") + ` AS paid_days
FROM (SELECT invoice_number, client_key, min(row_id) AS row_id, min(import_id) AS import_id, min(record) AS record, min(currency) AS currency, min(due_date) AS due, sum(net_amount + coalesce(tax_amount, 0)) AS total
  FROM invoices WHERE ` + posted + ` AND due_date IS NOT NULL GROUP BY invoice_number, client_key) i
JOIN (SELECT p.invoice_number, coalesce(p.client_key, n.client_key) AS client_key, max(p.payment_date) AS paid_on, sum(` + dataset.ReceivedAmountSQL + `) AS paid
  FROM payments p LEFT JOIN invoice_clients n ON n.invoice_number = p.invoice_number WHERE ` + dataset.ReceivedSQL + ` GROUP BY 1, 2) p
ON p.invoice_number = i.invoice_number AND p.client_key = i.client_key AND i.total > 0 AND p.paid >= i.total`}

// trailingView is the revenue of the twelve months up to that of each day looked at.
var trailingView = view{with: []string{"look"}, sql: `SELECT f.origin, f.row_id, f.import_id, f.record, a.day, a.month, f.client_key, f.currency, f.revenue AS revenue_ttm
FROM look a JOIN (` + invoiceView.sql + `) f ON f.day <= a.day AND f.day >= ` + plus("a.month", -11, "MONTH")}

// clientChangeView is the clients won and lost, one row a client after aliases, by what the
// newest rows say. The own company, prospects, leads and vendors are no clients.
var clientChangeView = view{with: []string{"client_aliases"}, sql: `SELECT 'clients' AS origin, row_id, import_id, record, CASE WHEN won THEN acquired_on ELSE lost_on END AS day, client_key,
  CASE WHEN won THEN 1 ELSE 0 END AS clients_won, CASE WHEN won THEN 0 ELSE 1 END AS lost_clients, CASE WHEN NOT won AND acquired_on IS NOT NULL THEN ` + daysFrom("acquired_on", "lost_on") + ` ELSE 0 END AS lost_tenure_days
FROM (SELECT *, unnest([true, false]) AS won FROM (SELECT ` + firstOf("row_id", "import_id", "record", "client_key") + `,
    ` + firstKnown("status", newestFirst) + ` AS status, ` + firstKnown("is_internal", newestFirst) + ` AS is_internal, ` + firstKnown("acquired_on", newestFirst) + ` AS acquired_on, ` + firstKnown("lost_on", newestFirst) + ` AS lost_on
  FROM (SELECT c.*, coalesce(n.canonical, c.client_key) AS client FROM clients c LEFT JOIN client_aliases n ON n.key = c.client_key
    QUALIFY rank() OVER (PARTITION BY coalesce(n.canonical, c.client_key) ORDER BY n.canonical NULLS FIRST) = 1)
  GROUP BY client) WHERE NOT coalesce(is_internal, false) AND lower(coalesce(status, 'active')) NOT IN ('prospect', 'lead', 'vendor', 'internal'))
WHERE CASE WHEN won THEN acquired_on ELSE lost_on END IS NOT NULL`}

var acquisitionView = view{sql: `SELECT 'acquisition_costs' AS origin, row_id, import_id, record, period_start AS day, currency, amount AS acquisition_cost, new_clients FROM acquisition_costs`}

// dealRows are the opportunities with what became of them and their value in the first year.
const dealRows = `(SELECT *, CASE WHEN lower(coalesce(status, stage, '')) LIKE '%won%' THEN 'won' WHEN lower(coalesce(status, stage, '')) LIKE '%lost%' OR lower(coalesce(status, '')) IN ('cancelled', 'canceled') THEN 'lost' ELSE 'open' END AS fate,
  coalesce(closed_on, expected_close) AS decided_on, coalesce(recurring_amount, 0) * 12 + coalesce(one_time_amount, 0) AS first_year FROM opportunities)`

// opportunityView is the opportunities decided, by the day of it (the expected one when it
// is not known).
var opportunityView = view{sql: `SELECT 'opportunities' AS origin, row_id, import_id, record, decided_on AS day, client_key, currency,
  CASE WHEN fate = 'won' THEN 1 ELSE 0 END AS deals_won, 1 AS deals_decided,
  CASE WHEN fate = 'won' THEN coalesce(recurring_amount, 0) ELSE 0 END AS won_mrr, CASE WHEN fate = 'won' THEN first_year ELSE 0 END AS won_value,
  CASE WHEN fate = 'won' AND opened_on <= decided_on THEN 1 ELSE 0 END AS deals_timed, CASE WHEN fate = 'won' AND opened_on <= decided_on THEN ` + daysFrom("opened_on", "decided_on") + ` END AS deal_days
FROM ` + dealRows + ` WHERE fate <> 'open'`}

// pipelineView is the opportunities that are open as the newest import has them, and the
// value won in the twelve months up to each day looked at.
var pipelineView = view{with: []string{"look"}, sql: `SELECT 'opportunities' AS origin, o.row_id, o.import_id, o.record, a.day, a.month, o.client_key, o.currency,
  CASE WHEN fate = 'open' THEN first_year ELSE 0 END AS pipeline_value, CASE WHEN fate = 'open' THEN first_year * coalesce(probability, 0) ELSE 0 END AS pipeline_weighted, CASE WHEN fate = 'won' THEN first_year ELSE 0 END AS won_ttm
FROM look a JOIN ` + dealRows + ` o ON o.fate = 'open' AND (o.opened_on IS NULL OR o.opened_on <= a.day) OR o.fate = 'won' AND o.decided_on <= a.day AND o.decided_on > ` + plus("a.day", -12, "MONTH")}

// projectTimeView is the time on projects with its cost.
var projectTimeView = view{with: timeView.with, sql: `SELECT origin, row_id, import_id, record, day, client_key, staff_key, project_name, currency, hours_worked AS project_hours, labor_cost AS project_labor_cost
FROM (` + timeView.sql + `) WHERE project_name IS NOT NULL`}

// projectBillingView is the invoice lines of projects, and the cost that they state.
var projectBillingView = view{sql: `SELECT 'invoices' AS origin, row_id, import_id, record, invoice_date AS day, client_key, project_name, currency, net_amount AS project_revenue,
  coalesce(quantity::DECIMAL(20,6) * unit_cost, 0) AS project_direct_cost
FROM invoices WHERE ` + revenueLines + ` AND project_name IS NOT NULL`}

// projectView is the projects on each day looked at: their plan, and the hours worked until
// then. A project without a budget or a percentage has no part in what needs one. Progress
// is that of the newest import.
var projectView = view{with: []string{"look", "project_months"}, sql: `SELECT 'projects' AS origin, p.row_id, p.import_id, p.record, a.day, a.month, p.client_key, p.project_name,
  1 AS projects, coalesce(w.hours, 0) AS hours_to_date,
  CASE WHEN p.budget_hours > 0 THEN p.budget_hours ELSE 0 END AS budget_hours, CASE WHEN p.budget_hours > 0 THEN coalesce(w.hours, 0) ELSE 0 END AS budgeted_hours,
  CASE WHEN p.budget_hours > 0 AND p.percent_complete IS NOT NULL THEN p.budget_hours::DECIMAL(18,4) * p.percent_complete ELSE 0 END AS earned_hours,
  CASE WHEN p.budget_hours > 0 AND p.percent_complete IS NOT NULL THEN p.budget_hours ELSE 0 END AS measured_hours,
  CASE WHEN p.percent_complete > 0 THEN ` + divided("coalesce(w.hours, 0) * 1000000", "(p.percent_complete * 1000000)::BIGINT") + ` END AS eac_hours,
  CASE WHEN p.budget_hours > 0 AND coalesce(w.hours, 0) > (p.percent_complete + 0.1) * p.budget_hours THEN 1 ELSE 0 END AS projects_at_risk
FROM look a JOIN projects p ON p.start_date IS NULL OR p.start_date <= a.day
LEFT JOIN (SELECT a.day, m.project_name, m.client_key, sum(m.hours) AS hours FROM look a JOIN project_months m ON m.month <= a.month GROUP BY ALL) w
  ON w.day = a.day AND w.project_name = p.project_name AND (w.client_key = p.client_key OR p.client_key IS NULL)`}
