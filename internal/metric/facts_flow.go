package metric

import "github.com/moatmetrics/moatmetrics/internal/dataset"

// Views of facts that happen on a day: work, invoices, expenses, payments, tickets. Each
// yields origin (the stored table), row_id, import_id, record, day, its keys and columns.

// What of the invoices counts is said where they are imported, whose preview shows it.
const (
	posted       = dataset.PostedSQL
	revenueLines = dataset.RevenueSQL
)

// timeView is entries with their cost: the entry's own rate, else the staff member's on
// the work date, else, when no staff cost is known at all, the entry's billing rate. A
// staff member's rate is in the currency of the staff row, or in the entry's when that
// names none. The row's currency is that of the cost; a billing value in another one
// stands in a second row, which has no hours and no cost.
// Hours are widened before they are multiplied: DuckDB keeps products of narrow decimals
// in 64 bits, which overflow at 10,000 of labor cost.
var timeView = view{with: []string{"staff_rates", "cost_known"}, sql: `SELECT 'time_entries' AS origin, row_id, import_id, record, work_date AS day, client_key, staff_key, agreement_id, work_type, billable,
  CASE WHEN beside OR rate IS NULL AND shadow_rate IS NOT NULL THEN shadow_currency WHEN rate IS NULL THEN currency ELSE cost_currency END AS currency,
  CASE WHEN beside THEN 0 ELSE hours_worked END AS hours_worked,
  CASE WHEN beside THEN 0 ELSE coalesce(hours_billed, billable_hours) END AS hours_billed, CASE WHEN beside THEN 0 ELSE billable_hours END AS billable_hours,
  CASE WHEN beside THEN 0 ELSE hours_worked::DECIMAL(20,4) * rate * multiplier END AS labor_cost,
  CASE WHEN apart AND NOT beside THEN 0 ELSE hours_worked::DECIMAL(20,4) * shadow_rate END AS shadow_billable,
  CASE WHEN rate IS NULL THEN hours_worked ELSE 0 END AS hours_without_cost, CASE WHEN beside THEN 0 ELSE 1 END AS entries
FROM (SELECT *, unnest(CASE WHEN apart THEN [false, true] ELSE [false] END) AS beside
FROM (SELECT *, rate IS NOT NULL AND shadow_rate IS NOT NULL AND cost_currency IS DISTINCT FROM shadow_currency AS apart
FROM (SELECT e.row_id, e.import_id, e.record, e.work_date, e.client_key, e.staff_key, e.agreement_id, e.work_type,
    coalesce(e.billable, true) AS billable, e.currency, e.hours_worked, e.hours_billed,
    CASE WHEN coalesce(e.billable, true) THEN e.hours_worked ELSE 0 END AS billable_hours,
    coalesce(e.cost_rate, s.paid.rate, CASE WHEN NOT k.known THEN e.bill_rate END)::DECIMAL(18,6) AS rate,
    CASE WHEN e.cost_rate IS NULL THEN coalesce(s.paid.currency, e.currency) ELSE e.currency END AS cost_currency,
    coalesce(e.bill_rate, s.billed.rate)::DECIMAL(18,6) AS shadow_rate,
    CASE WHEN e.bill_rate IS NULL THEN coalesce(s.billed.currency, e.currency) ELSE e.currency END AS shadow_currency,
    coalesce(TRY_CAST(e.cost_multiplier AS DECIMAL(9,4)), 1)::DECIMAL(9,4) AS multiplier
  FROM time_entries e CROSS JOIN cost_known k
  LEFT JOIN staff_rates s ON s.staff_key = e.staff_key AND (s.valid_from IS NULL OR e.work_date >= s.valid_from)
    AND (s.next_from IS NULL OR e.work_date < s.next_from) AND (s.valid_to IS NULL OR e.work_date < s.valid_to))))`}

var invoiceView = view{sql: `SELECT 'invoices' AS origin, row_id, import_id, record, invoice_date AS day, client_key, agreement_id, coalesce(revenue_category, 'other') AS revenue_category, product_name, currency,
  net_amount AS revenue, CASE WHEN revenue_category LIKE 'recurring%' THEN net_amount ELSE 0 END AS recurring_revenue,
  coalesce(tax_amount, 0) AS tax, CASE WHEN tax_basis = 'unknown' THEN net_amount ELSE 0 END AS revenue_tax_unknown, 1 AS lines
FROM invoices WHERE ` + revenueLines}

// earnedView spreads each line over the months of its service period by days; the parts
// of a line add up to it exactly (differences of a running share). A period longer than
// ten years is taken for a mistake and the line counts on its first day.
var earnedView = view{sql: `SELECT 'invoices' AS origin, row_id, import_id, record, month AS day, client_key, agreement_id, revenue_category, product_name, currency,
  CASE WHEN until >= days THEN net::DECIMAL(38,10) ELSE ` + divided("net * until", "days") + ` END - ` + divided("net * since", "days") + ` AS revenue_earned
FROM (SELECT *, greatest(0, ` + daysFrom("first", "month") + `) AS since, least(days, ` + daysFrom("first", plus("month", 1, "MONTH")) + `) AS until
  FROM (SELECT *, ` + each("MONTH", startOf("month", "first"), "first + (days - 1)::INTEGER") + ` AS month
    FROM (SELECT *, CASE WHEN ` + daysFrom("first", "last") + ` BETWEEN 0 AND 3660 THEN ` + daysFrom("first", "last") + ` + 1 ELSE 1 END AS days
      FROM (SELECT row_id, import_id, record, client_key, agreement_id, coalesce(revenue_category, 'other') AS revenue_category, product_name, currency, net_amount AS net,
          CASE WHEN service_period_end IS NULL THEN invoice_date ELSE coalesce(service_period_start, invoice_date) END AS first,
          coalesce(CASE WHEN service_period_start IS NOT NULL THEN service_period_end END, invoice_date) AS last
        FROM invoices WHERE ` + revenueLines + `))))`}

var expenseView = view{sql: `SELECT 'expenses' AS origin, row_id, import_id, record, expense_date AS day, client_key, agreement_id, vendor, product_name, currency,
  net_amount AS expense_amount, CASE WHEN lower(category) LIKE 'cogs%' THEN net_amount ELSE 0 END AS direct_cost FROM expenses`}

// paymentView gives a payment that names only its invoice the invoice's client.
var paymentView = view{with: []string{"invoice_clients"}, sql: `SELECT 'payments' AS origin, p.row_id, p.import_id, p.record, p.payment_date AS day, coalesce(p.client_key, i.client_key) AS client_key, p.currency, p.received AS payments_received
FROM (SELECT *, ` + dataset.ReceivedAmountSQL + ` AS received FROM payments WHERE ` + dataset.ReceivedSQL + `) p LEFT JOIN invoice_clients i ON i.invoice_number = p.invoice_number`}

var ticketView = view{sql: `SELECT 'tickets' AS origin, row_id, import_id, record, created_on AS day, client_key, staff_key, agreement_id, ticket_type, priority, 1 AS tickets,
  CASE WHEN lower(coalesce(ticket_type, '')) LIKE 'project%' THEN 0 ELSE 1 END AS service_tickets,
  CASE WHEN sla_met THEN 1 ELSE 0 END AS sla_met, CASE WHEN sla_met IS NOT NULL THEN 1 ELSE 0 END AS sla_judged FROM tickets`}

var surveyView = view{sql: `SELECT 'surveys' AS origin, row_id, import_id, record, responded_on AS day, client_key, 1 AS responses,
  CASE WHEN score >= 0.75 * coalesce(scale, 5) THEN 1 ELSE 0 END AS positive FROM surveys WHERE lower(coalesce(kind, 'csat')) = 'csat'`}

// capacityView is the hours that a person could work on each working day of the period:
// a fifth of the contract hours a week (40 when not known), between hire and leave, less
// time off (domain.md 2.4). Time off beyond 24 hours on one date is a block of several
// days and is taken off as it stands. People who have entries but no staff row count from
// the month of their first entry to that of their last. What a row does not say holds as
// an earlier one said it; a leave ends with a later row that says active.
var capacityView = view{with: []string{"workdays", "staff_aliases", "busy", "leave"}, sql: `SELECT p.origin, p.row_id, p.import_id, p.record, p.day, p.staff_key,
  p.daily - p.off AS capacity_hours, CASE WHEN p.assumed THEN p.daily - p.off ELSE 0 END AS capacity_assumed
FROM (SELECT e.*, w.day, (CASE WHEN o.whole THEN e.daily WHEN o.hours > 24 THEN o.hours ELSE least(e.daily, coalesce(o.hours, 0)) END)::DECIMAL(18,5) AS off
FROM workdays w JOIN (
  SELECT 'staff' AS origin, s.row_id, s.import_id, s.record, s.person AS staff_key, (coalesce(s.weekly_hours, 40)::DECIMAL(9,4) * 0.2)::DECIMAL(18,5) AS daily, s.weekly_hours IS NULL AS assumed,
    s.valid_from, s.next_from, coalesce(s.hired_on, b.first_month) AS starts,
    coalesce(CASE WHEN s.active AND s.active_from > s.left_from THEN NULL ELSE s.left_on END, CASE WHEN coalesce(s.active, true) THEN NULL ELSE b.until END) AS ends
  FROM (SELECT person, row_id, import_id, record, valid_from, lead(valid_from) OVER since AS next_from,
      ` + lastKnown("weekly_hours") + ` AS weekly_hours, ` + lastKnown("hired_on") + ` AS hired_on, ` + lastKnown("left_on") + ` AS left_on, ` + lastKnown("active") + ` AS active,
      ` + lastKnown("CASE WHEN left_on IS NOT NULL THEN "+sinceEver+" END") + ` AS left_from, ` + lastKnown("CASE WHEN active IS NOT NULL THEN "+sinceEver+" END") + ` AS active_from
    FROM (SELECT person, valid_from, ` + firstOf("row_id", "import_id", "record") + `,
        ` + firstKnown("weekly_hours", newestFirst) + ` AS weekly_hours, ` + firstKnown("hired_on", newestFirst) + ` AS hired_on, ` + firstKnown("left_on", newestFirst) + ` AS left_on, ` + firstKnown("active", newestFirst) + ` AS active
      FROM (SELECT t.*, coalesce(a.canonical, t.staff_key) AS person FROM staff t LEFT JOIN staff_aliases a ON a.key = t.staff_key WHERE t.staff_key IS NOT NULL
        QUALIFY rank() OVER (PARTITION BY coalesce(a.canonical, t.staff_key) ORDER BY a.canonical NULLS FIRST) = 1)
      GROUP BY person, valid_from)
    WINDOW since AS (PARTITION BY person ORDER BY valid_from NULLS FIRST)) s
  LEFT JOIN busy b ON b.staff_key = s.person
  UNION ALL SELECT 'time_entries', NULL, NULL, NULL, b.staff_key, 8, true, NULL, NULL, b.first_month, b.until FROM busy b
  WHERE b.staff_key NOT IN (SELECT coalesce(a.canonical, t.staff_key) FROM staff t LEFT JOIN staff_aliases a ON a.key = t.staff_key WHERE t.staff_key IS NOT NULL)) e
  ON (e.starts IS NULL OR w.day >= e.starts) AND (e.ends IS NULL OR w.day < e.ends) AND (e.valid_from IS NULL OR w.day >= e.valid_from) AND (e.next_from IS NULL OR w.day < e.next_from)
LEFT JOIN leave o ON o.staff_key = e.staff_key AND o.day = w.day) p`}

// sinceEver is the first day of a row, also of one that has none.
const sinceEver = "coalesce(valid_from, DATE '0001-01-01')"

// views are the facts' views by name.
var views = map[string]view{
	"time": timeView, "invoices": invoiceView, "earned": earnedView, "expenses": expenseView, "payments": paymentView, "tickets": ticketView, "surveys": surveyView, "capacity": capacityView,
	"lines": lineView, "work": workView,
	"clients": clientView, "licenses": licenseView, "mrr": mrrView, "assets": assetView, "receivables": receivableView,
}
