package metric

import "strings"

// Views about the books: the ledger, payroll, how both agree with what is counted here,
// and what is not billed.

// spread cuts rows with a first and a last day into months: month, and since and until, the
// days of the row's period before the month and up to its end, of days in all. A period
// longer than ten years is taken for a mistake and counts on its first day.
func spread(rows string) string {
	return `(SELECT *, greatest(0, ` + daysFrom("first", "month") + `) AS since, least(days, ` + daysFrom("first", plus("month", 1, "MONTH")) + `) AS until
  FROM (SELECT *, ` + each("MONTH", startOf("month", "first"), "first + (days - 1)::INTEGER") + ` AS month
    FROM (SELECT *, CASE WHEN ` + daysFrom("first", "last") + ` BETWEEN 0 AND 3660 THEN ` + daysFrom("first", "last") + ` + 1 ELSE 1 END AS days
      FROM (` + rows + `))))`
}

// share is the part of an amount that a row of spread has: the parts add up to it exactly
// (differences of a running share).
func share(amount string) string {
	return "CASE WHEN until >= days THEN " + amount + "::DECIMAL(38,10) ELSE " + divided(amount+" * until", "days") + " END - " + divided(amount+" * since", "days")
}

// ledgerClasses are the classes of accounts by the names that charts of accounts give them.
// Other classes (depreciation, interest, tax, other income) are in no measure.
var ledgerClasses = map[string]string{
	"income":   "income,revenue,sales,turnover,operating income,operating revenue",
	"cogs":     "cogs,cost of goods sold,cost of sales,cost of revenue,direct cost,direct costs",
	"payroll":  "payroll,wages,salaries,wages and salaries,salaries and wages,personnel,labor,labour",
	"expense":  "expense,expenses,opex,operating expense,operating expenses,overhead,overheads",
	"add_back": "add_back,add-back,add back,addback,add-backs,add backs",
}

// inClass is true for the accounts of a class.
func inClass(class string) string {
	return "lower(trim(account_class)) IN ('" + strings.ReplaceAll(ledgerClasses[class], ",", "', '") + "')"
}

// ledgerAmount is a row's amount when its account is of a class.
func ledgerAmount(class string) string {
	return "CASE WHEN " + inClass(class) + " THEN amount ELSE 0 END"
}

var ledgerView = view{sql: `SELECT 'ledger' AS origin, row_id, import_id, record, ` + startOf("month", "period_start") + ` AS day, account, account_class, currency,
  ` + ledgerAmount("income") + ` AS ledger_revenue, ` + ledgerAmount("cogs") + ` AS ledger_cogs, ` + ledgerAmount("payroll") + ` AS ledger_payroll, ` + ledgerAmount("expense") + ` AS ledger_expense, ` + ledgerAmount("add_back") + ` AS ledger_add_back
FROM ledger`}

// payrollRows spreads what is paid over the months of its pay period; a row without an end
// is for its month.
var payrollRows = `SELECT 'payroll' AS origin, row_id, import_id, record, month AS day, staff_key, currency,
  ` + share("gross_amount") + ` AS payroll_cost, ` + share("paid_hours") + ` AS paid_hours
FROM ` + spread(`SELECT row_id, import_id, record, staff_key, currency, gross_amount, paid_hours, period_start AS first,
        coalesce(period_end, `+plus(startOf("month", "period_start"), 1, "MONTH")+` - 1) AS last FROM payroll`)

var payrollView = view{sql: payrollRows}

// ledgerTieView is what is counted here beside what the ledger says, of the months that
// both have: a month without a ledger is no gap.
var ledgerTieView = view{with: []string{"ledger_months"}, sql: `SELECT 'ledger' AS origin, l.row_id, l.import_id, l.record, l.day, l.currency,
  NULL::DECIMAL(38,10) AS tied_revenue, CASE WHEN m.income THEN l.ledger_revenue END AS tied_ledger_revenue, NULL::DECIMAL(38,10) AS tied_payroll, CASE WHEN m.paid THEN l.ledger_payroll END AS tied_ledger_payroll
FROM (` + ledgerView.sql + `) l JOIN ledger_months m ON m.month = l.day
UNION ALL SELECT 'invoices', i.row_id, i.import_id, i.record, ` + startOf("month", "i.day") + `, i.currency, i.revenue, NULL, NULL, NULL
FROM (` + invoiceView.sql + `) i JOIN ledger_months m ON m.income AND m.month = ` + startOf("month", "i.day") + `
UNION ALL SELECT 'payroll', p.row_id, p.import_id, p.record, p.day, p.currency, NULL, NULL, p.payroll_cost, NULL
FROM (` + payrollRows + `) p JOIN ledger_months m ON m.paid AND m.month = p.day`}

// ledgerMonths is the months of the ledger: whether it has income in them, and whether both
// it and payroll have pay.
var ledgerMonths = `SELECT month, bool_or(income) AS income, bool_or(paid) AND bool_or(payroll) AS paid FROM (
  SELECT ` + startOf("month", "period_start") + ` AS month, ` + inClass("income") + ` AS income, ` + inClass("payroll") + ` AS paid, false AS payroll FROM ledger
  UNION ALL SELECT day, false, false, true FROM (` + payrollRows + `)) GROUP BY month HAVING bool_or(income) OR bool_or(paid)`

// laborTieView is where the payroll of each month went: to clients, to internal work, or
// nowhere that time was entered for. Payroll is that of its own dataset, of the ledger in
// months that it does not have.
var laborTieView = view{with: append([]string{"payroll_months", "client_labels"}, timeView.with...), sql: `SELECT 'payroll' AS origin, row_id, import_id, record, day, currency,
  payroll_cost AS absorbable_payroll, 0::DECIMAL(38,14) AS client_labor, 0::DECIMAL(38,14) AS internal_labor, 0::DECIMAL(38,4) AS tied_service_revenue FROM (` + payrollRows + `)
UNION ALL SELECT 'ledger', l.row_id, l.import_id, l.record, l.day, l.currency, l.ledger_payroll, 0, 0, 0
FROM (` + ledgerView.sql + `) l JOIN payroll_months m ON m.month = l.day AND NOT m.own
UNION ALL SELECT 'time_entries', t.row_id, t.import_id, t.record, ` + startOf("month", "t.day") + `, t.currency, 0,
  CASE WHEN t.client_key IS NULL OR c.status = 'internal' THEN 0 ELSE t.labor_cost END, CASE WHEN t.client_key IS NULL OR c.status = 'internal' THEN t.labor_cost ELSE 0 END, 0
FROM (` + timeView.sql + `) t JOIN payroll_months m ON m.month = ` + startOf("month", "t.day") + ` LEFT JOIN client_labels c ON c.key = t.client_key
UNION ALL SELECT 'invoices', i.row_id, i.import_id, i.record, ` + startOf("month", "i.day") + `, i.currency, 0, 0, 0, i.service_revenue
FROM (` + invoiceView.sql + `) i JOIN payroll_months m ON m.month = ` + startOf("month", "i.day")}

// payrollMonths is the months whose payroll is known, and whether by its own dataset.
var payrollMonths = `SELECT month, bool_or(own) AS own FROM (SELECT day AS month, true AS own FROM (` + payrollRows + `)
  UNION ALL SELECT ` + startOf("month", "period_start") + `, false FROM ledger WHERE ` + inClass("payroll") + `) GROUP BY month`

// fteView is the full-time equivalents of each month by person: the part of the month
// between hire and leave x contract hours a week / 40.
var fteView = view{with: []string{"period_months", "busy", "staff_aliases"}, sql: `SELECT origin, row_id, import_id, record, day, staff_key, ` + divided("daily * 0.125 * employed", "days") + ` AS fte_months
FROM (SELECT e.origin, e.row_id, e.import_id, e.record, e.staff_key, e.daily, m.month AS day, ` + daysFrom("m.month", "m.next") + ` AS days,
    ` + daysFrom("greatest(m.month, coalesce(e.starts, m.month), coalesce(e.valid_from, m.month))", "least(m.next, coalesce(e.ends, m.next), coalesce(e.next_from, m.next))") + ` AS employed
  FROM period_months m CROSS JOIN ` + staffed + ` e) WHERE employed > 0`}

// unbilledView is billable work for clients that no agreement covers and of which the source
// says that nothing was billed. Where no entry says what was billed it is not known.
var unbilledView = view{with: []string{"staff_rates", "billing_known", "hourly_agreements", "client_labels"}, sql: `SELECT 'time_entries' AS origin, e.row_id, e.import_id, e.record, e.work_date AS day, e.client_key, e.staff_key, e.work_type,
  CASE WHEN e.bill_rate IS NULL THEN coalesce(s.billed.currency, e.currency) ELSE e.currency END AS currency,
  CASE WHEN k.known THEN coalesce(e.hours_billed, e.hours_worked) END AS unbilled_hours,
  CASE WHEN k.known THEN coalesce(e.hours_billed, e.hours_worked)::DECIMAL(20,4) * coalesce(e.bill_rate, s.billed.rate)::DECIMAL(18,6) END AS unbilled_wip
FROM time_entries e CROSS JOIN billing_known k
LEFT JOIN staff_rates s ON s.staff_key = e.staff_key AND e.work_date >= s.since AND e.work_date < s.until
LEFT JOIN hourly_agreements h ON h.agreement_id = e.agreement_id
LEFT JOIN client_labels c ON c.key = e.client_key
WHERE coalesce(e.billable, true) AND coalesce(e.billed_amount, 0) = 0 AND (e.agreement_id IS NULL OR h.agreement_id IS NOT NULL)
  AND e.client_key IS NOT NULL AND coalesce(c.status, 'active') <> 'internal'`}

// leakageView is, for each client and product, the seats that the vendor charges for beside
// those that agreements bill. A client without any additions is not known to be billed
// otherwise than by them.
var leakageView = view{with: []string{"look", "client_aliases", "product_aliases", "agreement_days", "known_agreements", "adding_clients"}, sql: `SELECT 'licenses' AS origin, l.row_id, l.import_id, l.record, l.day, l.month, l.client_key, l.vendor, l.product_name, CASE WHEN d.price IS NULL THEN l.currency ELSE d.currency END AS currency,
  CASE WHEN k.client IS NOT NULL THEN coalesce(d.seats, 0) END AS billed_seats,
  CASE WHEN k.client IS NOT NULL THEN greatest(0, l.seats - coalesce(d.seats, 0)) END AS leaked_seats,
  CASE WHEN k.client IS NOT NULL THEN greatest(0, coalesce(d.seats, 0) - l.seats) END AS overbilled_seats,
  CASE WHEN k.client IS NOT NULL THEN CASE WHEN l.seats <= coalesce(d.seats, 0) THEN 0 ELSE (l.seats - coalesce(d.seats, 0))::DECIMAL(18,6) * coalesce(d.price, l.price)::DECIMAL(20,10) END END AS leakage
FROM (SELECT day, month, client, product, ` + firstOf("row_id", "import_id", "record", "client_key", "vendor", "product_name", "currency") + `, sum(seats_purchased) AS seats, max(` + monthly("unit_price", "billing_cycle") + `) AS price
  FROM (SELECT l.*, a.day, a.month, coalesce(c.canonical, l.client_key) AS client, lower(coalesce(p.canonical, l.product_name)) AS product
    FROM look a JOIN ` + effective("licenses") + ` l ON ` + holds("l") + ` AND ` + paidLicense + `
    LEFT JOIN client_aliases c ON c.key = l.client_key LEFT JOIN product_aliases p ON p.key = l.product_name WHERE l.client_key IS NOT NULL) GROUP BY day, month, client, product) l
LEFT JOIN adding_clients k ON k.client = l.client
LEFT JOIN (SELECT day, client, product, sum(quantity) AS seats, max(` + monthly("unit_price", "billing_cycle") + `) AS price, first(currency ORDER BY row_id) AS currency
  FROM (SELECT d.*, a.day, coalesce(c.canonical, d.client_key, n.canonical, g.client_key) AS client, lower(coalesce(p.canonical, d.product_name)) AS product
    FROM look a JOIN ` + effective("agreement_additions") + ` d ON ` + holds("d") + `
      AND (d.effective_date IS NULL OR d.effective_date <= a.day) AND (d.cancelled_date IS NULL OR d.cancelled_date > a.day)
    LEFT JOIN known_agreements g ON g.agreement_id = d.agreement_id
    LEFT JOIN (SELECT DISTINCT day, agreement_id FROM agreement_days) o ON o.agreement_id = d.agreement_id AND o.day = a.day
    LEFT JOIN client_aliases c ON c.key = d.client_key LEFT JOIN client_aliases n ON n.key = g.client_key LEFT JOIN product_aliases p ON p.key = d.product_name
    WHERE g.agreement_id IS NULL OR o.agreement_id IS NOT NULL) GROUP BY day, client, product) d ON d.day = l.day AND d.client = l.client AND d.product = l.product`}

// addingClients is the clients that have any additions.
const addingClients = `SELECT DISTINCT coalesce(c.canonical, d.client_key, n.canonical, g.client_key) AS client FROM agreement_additions d
LEFT JOIN known_agreements g ON g.agreement_id = d.agreement_id LEFT JOIN client_aliases c ON c.key = d.client_key LEFT JOIN client_aliases n ON n.key = g.client_key
WHERE coalesce(d.client_key, g.client_key) IS NOT NULL`

// leftOutView is the lines of invoices that revenue does not count, and why.
var leftOutView = view{sql: `SELECT 'invoices' AS origin, row_id, import_id, record, invoice_date AS day, client_key, currency,
  CASE WHEN lower(coalesce(status, '')) = 'draft' THEN net_amount ELSE 0 END AS revenue_draft,
  CASE WHEN lower(coalesce(status, '')) <> 'draft' AND NOT (` + posted + `) THEN net_amount ELSE 0 END AS revenue_void,
  CASE WHEN ` + posted + ` THEN net_amount ELSE 0 END AS revenue_down_payment
FROM invoices WHERE NOT (` + revenueLines + `)`}

// multiplierView is the entries whose work type multiplies the cost rate, at the rate alone.
var multiplierView = view{with: []string{"staff_rates", "cost_known"}, sql: `SELECT 'time_entries' AS origin, row_id, import_id, record, work_date AS day, client_key, staff_key, work_type, cost_currency AS currency,
  CASE WHEN multiplier = 0 THEN hours_worked ELSE 0 END AS hours_at_no_cost,
  hours_worked::DECIMAL(20,4) * rate * (multiplier - 1) AS labor_cost_by_multiplier
FROM (` + ratedEntries + `) WHERE multiplier <> 1`}
