package metric

import "github.com/moatmetrics/moatmetrics/internal/dataset"

// Views of facts that happen on a day: work, invoices, expenses, payments, tickets. Each
// yields origin (the stored table), row_id, import_id, record, day, its keys and columns.

// What of the invoices counts is said where they are imported, whose preview shows it.
const (
	posted       = dataset.PostedSQL
	revenueLines = dataset.RevenueSQL
)

// ratedEntries is each entry with its cost rate, its billing rate and their currencies.
const ratedEntries = `SELECT e.row_id, e.import_id, e.record, e.work_date, e.client_key, e.staff_key, e.agreement_id, e.work_type, e.ticket_number, e.project_name,
    coalesce(e.billable, true) AS billable, e.currency, e.hours_worked, e.hours_billed,
    CASE WHEN coalesce(e.billable, true) THEN e.hours_worked ELSE 0 END AS billable_hours,
    coalesce(e.cost_rate, s.paid.rate, CASE WHEN NOT k.known THEN e.bill_rate END)::DECIMAL(18,6) AS rate,
    CASE WHEN e.cost_rate IS NULL THEN coalesce(s.paid.currency, e.currency) ELSE e.currency END AS cost_currency,
    coalesce(e.bill_rate, s.billed.rate)::DECIMAL(18,6) AS shadow_rate,
    CASE WHEN e.bill_rate IS NULL THEN coalesce(s.billed.currency, e.currency) ELSE e.currency END AS shadow_currency,
    coalesce(TRY_CAST(e.cost_multiplier AS DECIMAL(9,4)), 1)::DECIMAL(9,4) AS multiplier
  FROM time_entries e CROSS JOIN cost_known k
  LEFT JOIN staff_rates s ON s.staff_key = e.staff_key AND e.work_date >= s.since AND e.work_date < s.until`

// timeView is entries with their cost: the entry's own rate, else the staff member's on
// the work date, else, when no staff cost is known at all, the entry's billing rate. A
// staff member's rate is in the currency of the staff row, or in the entry's when that
// names none. The row's currency is that of the cost; a billing value in another one
// stands in a second row, which has no hours and no cost.
// Hours are widened before they are multiplied: DuckDB keeps products of narrow decimals
// in 64 bits, which overflow at 10,000 of labor cost.
var timeView = view{with: []string{"staff_rates", "cost_known"}, sql: `SELECT 'time_entries' AS origin, row_id, import_id, record, work_date AS day, client_key, staff_key, agreement_id, work_type, billable, ticket_number, project_name,
  CASE WHEN beside OR rate IS NULL AND shadow_rate IS NOT NULL THEN shadow_currency WHEN rate IS NULL THEN currency ELSE cost_currency END AS currency,
  CASE WHEN beside THEN 0 ELSE hours_worked END AS hours_worked,
  CASE WHEN beside THEN 0 ELSE coalesce(hours_billed, billable_hours) END AS hours_billed, CASE WHEN beside THEN 0 ELSE billable_hours END AS billable_hours,
  CASE WHEN beside THEN 0 ELSE hours_worked::DECIMAL(20,4) * rate * multiplier END AS labor_cost,
  CASE WHEN apart AND NOT beside THEN 0 ELSE hours_worked::DECIMAL(20,4) * shadow_rate END AS shadow_billable,
  CASE WHEN rate IS NULL THEN hours_worked ELSE 0 END AS hours_without_cost, CASE WHEN beside THEN 0 ELSE 1 END AS entries,
  CASE WHEN apart AND NOT beside THEN 0 ELSE billable_hours::DECIMAL(20,4) * shadow_rate END AS standard_value
FROM (SELECT *, unnest(CASE WHEN apart THEN [false, true] ELSE [false] END) AS beside
FROM (SELECT *, rate IS NOT NULL AND shadow_rate IS NOT NULL AND cost_currency IS DISTINCT FROM shadow_currency AS apart
FROM (` + ratedEntries + `)))`}

// hoursView is timeView without what needs a rate, for questions about hours alone that no
// roll-up answers, such as those by client and person.
var hoursView = view{sql: `SELECT 'time_entries' AS origin, row_id, import_id, record, work_date AS day, client_key, staff_key, agreement_id, work_type, billable, ticket_number, project_name,
  hours_worked, coalesce(hours_billed, billable_hours) AS hours_billed, billable_hours, 1 AS entries
FROM (SELECT * REPLACE (coalesce(billable, true) AS billable), CASE WHEN coalesce(billable, true) THEN hours_worked ELSE 0 END AS billable_hours FROM time_entries)`}

// hoursColumns are what hoursView adds up.
var hoursColumns = []string{"hours_worked", "hours_billed", "billable_hours", "entries"}

var invoiceView = view{sql: `SELECT 'invoices' AS origin, row_id, import_id, record, invoice_date AS day, client_key, agreement_id, coalesce(revenue_category, 'other') AS revenue_category, product_name, currency,
  net_amount AS revenue, CASE WHEN revenue_category LIKE 'recurring%' THEN net_amount ELSE 0 END AS recurring_revenue,
  coalesce(tax_amount, 0) AS tax, CASE WHEN tax_basis = 'unknown' THEN net_amount ELSE 0 END AS revenue_tax_unknown, 1 AS lines,
  CASE WHEN revenue_category IN ('recurring_resale', 'hardware') THEN 0 ELSE net_amount END AS service_revenue,
  CASE WHEN revenue_category IN ('recurring_labor', 'project', 't_and_m') THEN net_amount ELSE 0 END AS invoiced_labor
FROM invoices WHERE ` + revenueLines}

// earnedView spreads each line over the months of its service period by days.
var earnedView = view{sql: `SELECT *, CASE WHEN revenue_category LIKE 'recurring%' THEN revenue_earned ELSE 0 END AS recurring_revenue_earned
FROM (SELECT 'invoices' AS origin, row_id, import_id, record, month AS day, client_key, agreement_id, revenue_category, product_name, currency, ` + share("net") + ` AS revenue_earned
  FROM ` + spread(`SELECT row_id, import_id, record, client_key, agreement_id, coalesce(revenue_category, 'other') AS revenue_category, product_name, currency, net_amount AS net,
          CASE WHEN service_period_end IS NULL THEN invoice_date ELSE coalesce(service_period_start, invoice_date) END AS first,
          coalesce(CASE WHEN service_period_start IS NOT NULL THEN service_period_end END, invoice_date) AS last
        FROM invoices WHERE `+revenueLines) + `)`}

// expenseView tells products from what the firm needs to serve (tools, subcontractors), and
// what no client is charged with: direct cost without a client or of the firm's own.
var expenseView = view{with: []string{"client_labels"}, sql: `SELECT 'expenses' AS origin, e.row_id, e.import_id, e.record, e.expense_date AS day, e.client_key, e.agreement_id, e.vendor, e.product_name, e.currency,
  e.net_amount AS expense_amount, CASE WHEN lower(e.category) LIKE 'cogs%' THEN e.net_amount ELSE 0 END AS direct_cost,
  CASE WHEN lower(e.category) LIKE 'cogs%' AND lower(e.category) NOT LIKE 'cogs_product%' THEN e.net_amount ELSE 0 END AS service_cost,
  CASE WHEN lower(e.category) LIKE 'cogs%' AND (e.client_key IS NULL OR c.status = 'internal') THEN e.net_amount ELSE 0 END AS unallocated_cost,
  CASE WHEN lower(e.category) = 'cogs_tool' THEN e.net_amount ELSE 0 END AS tool_cost
FROM expenses e LEFT JOIN client_labels c ON c.key = e.client_key`}

// paymentView gives a payment that names only its invoice the invoice's client.
var paymentView = view{with: []string{"invoice_clients"}, sql: `SELECT 'payments' AS origin, p.row_id, p.import_id, p.record, p.payment_date AS day, coalesce(p.client_key, i.client_key) AS client_key, p.currency, p.received AS payments_received
FROM (SELECT *, ` + dataset.ReceivedAmountSQL + ` AS received FROM payments WHERE ` + dataset.ReceivedSQL + `) p LEFT JOIN invoice_clients i ON i.invoice_number = p.invoice_number`}

// views are the facts' views by name.
var views = map[string]view{
	"time": timeView, "invoices": invoiceView, "earned": earnedView, "expenses": expenseView, "payments": paymentView, "tickets": ticketView, "surveys": surveyView, "capacity": capacityView,
	"lines": lineView, "work": workView,
	"clients": clientView, "licenses": licenseView, "mrr": mrrView, "assets": assetView, "receivables": receivableView,
	"mrr_bridge": mrrBridgeView, "client_moves": clientMovesView,
	"ledger": ledgerView, "payroll": payrollView, "ledger_ties": ledgerTieView, "labor_ties": laborTieView, "fte": fteView,
	"unbilled": unbilledView, "leakage": leakageView, "left_out": leftOutView, "multipliers": multiplierView, "users": userView, "block_hours": blockView, "agreement_months": agreementMonthView,
	// people and desk
	"overtime": overtimeView, "internal_time": internalView, "stamps": stampView, "next_month": nextMonthView, "staffing": staffingView,
	"closed": closedView, "closed_work": closedWorkView, "closed_time": closedTimeView, "ticket_time": ticketTimeView, "backlog": backlogView, "nps": npsView,
	// licenses
	"license_users": licenseUserView, "quantities": quantityView, "renewals": renewalView,
	// cash, growth, projects
	"ageing": ageingView, "settled": settledView, "trailing": trailingView, "client_changes": clientChangeView, "acquisition": acquisitionView,
	"opportunities": opportunityView, "pipeline": pipelineView, "project_time": projectTimeView, "project_billing": projectBillingView, "projects": projectView,
}
