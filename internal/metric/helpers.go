package metric

import "strings"

// helper is a named relation that views and dimensions read (WITH name AS (sql)). needs
// are the helpers it reads itself, tables the stored tables.
type helper struct {
	tables []string
	needs  []string
	sql    string
}

// todayMark stands in a helper's text for the day of the question.
const todayMark = "{today}"

// latest is, for each key of an effective-dated table, the newest value that each column
// has had until today: a source that does not name one hides no other's.
func latest(table, key string, columns ...string) string {
	sql := "SELECT " + key
	for _, c := range columns {
		sql += ", " + firstKnown(c, newestFirst) + " AS " + c
	}
	return sql + " FROM " + table + " WHERE " + key + " IS NOT NULL AND (valid_from IS NULL OR valid_from <= " + todayMark + ") GROUP BY " + key
}

// effective adds to each row of an effective-dated table the day from which the next row
// of the same entity holds; holds is true for the row that holds on the day a.day. The
// filled columns keep the value of an earlier row where a later one has none.
func effective(table string, filled ...string) string {
	columns := "*"
	for i, c := range filled {
		filled[i] = lastKnown(c) + " AS " + c
	}
	if len(filled) > 0 {
		columns += " REPLACE (" + strings.Join(filled, ", ") + ")"
	}
	return "(SELECT " + columns + ", lead(valid_from) OVER since AS next_from FROM " + table + " WINDOW since AS (PARTITION BY source_system, source_id ORDER BY valid_from NULLS FIRST))"
}

func holds(t string) string {
	return strings.ReplaceAll("(t.valid_from IS NULL OR t.valid_from <= a.day) AND (t.next_from IS NULL OR t.next_from > a.day) AND (t.valid_to IS NULL OR t.valid_to > a.day)", "t.", t+".")
}

func aliasesOf(kind string) string {
	return "SELECT key, min(canonical) AS canonical FROM aliases WHERE kind = '" + kind + "' AND key IS NOT NULL GROUP BY key"
}

// helpers are the relations by name. "look", "spans", "period_months", "month_parts" and "workdays" depend on the query's period
// and are made by the builder.
var helpers = map[string]helper{
	"fx":              {tables: []string{"exchange_rates"}}, // see question.rates
	"client_aliases":  {tables: []string{"aliases"}, sql: aliasesOf("client")},
	"staff_aliases":   {tables: []string{"aliases"}, sql: aliasesOf("staff")},
	"product_aliases": {tables: []string{"aliases"}, sql: aliasesOf("product")},
	"current_clients": {tables: []string{"clients"}, sql: "SELECT client_key, industry, account_manager, CASE WHEN is_internal THEN 'internal' ELSE lower(coalesce(status, 'active')) END AS status FROM (" +
		latest("clients", "client_key", "industry", "account_manager", "status", "is_internal") + ")"},
	// What a source's client key means: the client after aliases, and what is known of it.
	"client_labels": {needs: []string{"client_aliases", "current_clients"}, sql: `SELECT k.key, k.client, c.industry, c.account_manager, c.status FROM (
    SELECT key, canonical AS client FROM client_aliases UNION ALL
    SELECT client_key, client_key FROM current_clients WHERE client_key NOT IN (SELECT key FROM client_aliases)) k
  LEFT JOIN current_clients c ON c.client_key = k.client`},
	// The month in which each client came: the one it was acquired in, else that of its first
	// recurring revenue.
	"client_cohorts": {tables: []string{"clients", "rollup_invoices"}, needs: []string{"client_aliases"}, sql: clientCohorts},
	"current_staff":  {tables: []string{"staff"}, sql: latest("staff", "staff_key", "team", "role")},
	"person_names":   {tables: []string{"people"}, sql: "SELECT person_key, min(coalesce(name, email)) AS name FROM people WHERE person_key IS NOT NULL GROUP BY person_key"},
	"staff_labels": {needs: []string{"staff_aliases", "current_staff", "person_names"}, sql: `SELECT k.key, coalesce(p.name, k.person) AS name, s.team, s.role FROM (
    SELECT key, canonical AS person FROM staff_aliases UNION ALL
    SELECT person_key, person_key FROM (SELECT person_key FROM person_names UNION SELECT staff_key FROM current_staff) WHERE person_key NOT IN (SELECT key FROM staff_aliases)) k
  LEFT JOIN person_names p ON p.person_key = k.person LEFT JOIN current_staff s ON s.staff_key = k.person`},
	"agreement_labels": {tables: []string{"agreements"}, needs: []string{"client_aliases"}, sql: "SELECT g.agreement_id, g.agreement_name || ' (' || coalesce(a.canonical, g.client_key) || ')' AS name FROM (" +
		latest("agreements", "agreement_id", "agreement_name", "client_key") + ") g LEFT JOIN client_aliases a ON a.key = g.client_key"},
	// The cost and bill rate of each staff key with their currencies and the days they hold:
	// a row without a rate, of another source or a later day, leaves the rate as it is.
	// Aliases are not looked at: roll-ups read this and are kept by source key. An open end is a
	// day that is never reached, not a null: with "or it is null" DuckDB tries every row of
	// staff for every entry.
	"staff_rates": {tables: []string{"staff"}, sql: `SELECT staff_key, ` + lastKnown("paid") + ` AS paid, ` + lastKnown("billed") + ` AS billed,
  coalesce(valid_from, ` + firstDay + `) AS since, least(coalesce(valid_to, ` + lastDay + `), coalesce(lead(valid_from) OVER since, ` + lastDay + `)) AS until
  FROM (SELECT staff_key, valid_from, first(valid_to ORDER BY source_system, source_id) AS valid_to,
      first({rate: cost_rate, currency: currency} ORDER BY source_system, source_id) FILTER (WHERE cost_rate IS NOT NULL) AS paid,
      first({rate: bill_rate, currency: currency} ORDER BY source_system, source_id) FILTER (WHERE bill_rate IS NOT NULL) AS billed
    FROM staff GROUP BY staff_key, valid_from)
  WINDOW since AS (PARTITION BY staff_key ORDER BY valid_from NULLS FIRST)`},
	// True when any staff member's cost is known; only without any is an entry's billing rate
	// taken as its cost (the import says so in a finding).
	"cost_known": {tables: []string{"staff"}, sql: "SELECT count(cost_rate) > 0 AS known FROM staff"},
	// Which client an invoice number belongs to, where it names one only.
	"invoice_clients": {tables: []string{"invoices"}, sql: "SELECT invoice_number, min(client_key) AS client_key FROM invoices WHERE invoice_number IS NOT NULL GROUP BY invoice_number HAVING count(DISTINCT client_key) = 1"},
	// When each invoice is due.
	"invoice_dues": {tables: []string{"invoices"}, sql: "SELECT invoice_number, client_key, min(coalesce(due_date, invoice_date)) AS due FROM invoices WHERE invoice_number IS NOT NULL GROUP BY invoice_number, client_key"},
	"seats_held":   {tables: []string{"license_assignments"}, needs: []string{"look"}, sql: seatsHeld},
	// The hours on each project by month.
	"project_months": {tables: []string{"time_entries"}, sql: "SELECT project_name, client_key, " + startOf("month", "work_date") + " AS month, sum(hours_worked)::DECIMAL(18,4) AS hours FROM time_entries WHERE project_name IS NOT NULL GROUP BY ALL"},
	// The agreements that are active on each day looked at, and those known at all.
	"agreement_days":   {tables: []string{"agreements"}, needs: []string{"look"}, sql: activeOn("look")},
	"known_agreements": {tables: []string{"agreements"}, sql: "SELECT agreement_id, min(client_key) AS client_key, min(coalesce(start_date, valid_from)) AS first FROM agreements WHERE agreement_id IS NOT NULL GROUP BY agreement_id"},
	// The two ends of each cell (see question.spans), their days, and what was active then.
	"spans":             {needs: []string{"look"}},
	"moments":           {needs: []string{"spans"}, sql: "SELECT DISTINCT day, " + startOf("month", "day") + " AS month FROM (SELECT day FROM spans UNION ALL SELECT eve FROM spans)"},
	"agreement_moments": {tables: []string{"agreements"}, needs: []string{"moments"}, sql: activeOn("moments")},
	"recurring_since":   {tables: []string{"agreements", "agreement_additions"}, needs: []string{"known_agreements", "client_aliases"}, sql: recurringSince},
	"agreements_ended":  {tables: []string{"agreements"}, needs: []string{"client_aliases"}, sql: agreementsEnded},
	"block_agreements":  {tables: []string{"agreements"}, sql: "SELECT DISTINCT agreement_id FROM agreements WHERE included_hours > 0"},
	"client_users":      {tables: []string{"clients", "contacts"}, needs: []string{"look", "client_aliases"}, sql: clientUsers},
	// The months of the question, of the ledger and of payroll (facts_ledger.go).
	"period_months":     {},                                 // see question.months
	"month_parts":       {needs: []string{"period_months"}}, // see question.parts
	"month_ends":        {needs: []string{"period_months"}, sql: "SELECT month, next - 1 AS day FROM period_months"},
	"agreement_ends":    {tables: []string{"agreements"}, needs: []string{"month_ends"}, sql: activeOn("month_ends")},
	"ledger_months":     {tables: []string{"ledger", "payroll"}, sql: ledgerMonths},
	"payroll_months":    {tables: []string{"payroll", "ledger"}, sql: payrollMonths},
	"billing_known":     {tables: []string{"time_entries"}, sql: "SELECT count(billed_amount) > 0 AS known FROM time_entries"},
	"hourly_agreements": {tables: []string{"agreements"}, sql: "SELECT DISTINCT agreement_id FROM agreements WHERE lower(billing_model) IN ('t_and_m', 't&m', 'time and materials', 'time & materials', 'hourly')"},
	"adding_clients":    {tables: []string{"agreement_additions"}, needs: []string{"known_agreements", "client_aliases"}, sql: addingClients},
	// The time on each ticket, and what a ticket number means: numbers that several sources
	// use mean the ticket of the first of them.
	"ticket_work": {tables: []string{"time_entries"}, sql: "SELECT ticket_number, count(*) AS entries, count(DISTINCT staff_key) AS people FROM time_entries WHERE ticket_number IS NOT NULL GROUP BY ticket_number"},
	"known_tickets": {tables: []string{"tickets"}, sql: `SELECT ticket_number, first(t ORDER BY source_system).client_key AS client_key, first(t ORDER BY source_system).ticket_type AS ticket_type, first(t ORDER BY source_system).priority AS priority,
    first(t ORDER BY source_system).queue AS queue, first(t ORDER BY source_system).work_class AS work_class, first(t ORDER BY source_system).closed_on AS closed_on
  FROM (SELECT ticket_number, source_system, {client_key: client_key, ticket_type: ticket_type, priority: priority, queue: queue, work_class: work_class, closed_on: closed_on} AS t FROM ` + ticketRows + `) GROUP BY ticket_number`},
	// The working days of the month after each day looked at.
	"next_days": {tables: []string{"holidays"}, needs: []string{"look"}, sql: "SELECT day, month, work_day FROM (SELECT day, month, " + each("DAY", plus("month", 1, "MONTH"), plus("month", 2, "MONTH")+" - 1") + " AS work_day FROM look) WHERE " +
		isWeekday("work_day") + " AND work_day NOT IN (SELECT date FROM holidays WHERE date IS NOT NULL)"},
	// Who worked in which months, and the time off by person and day.
	"busy": {tables: []string{"rollup_time_staff"}, needs: []string{"staff_aliases"}, sql: "SELECT coalesce(a.canonical, r.staff_key) AS staff_key, min(r.month) AS first_month, " +
		plus("max(r.month)", 1, "MONTH") + " AS until FROM rollup_time_staff r LEFT JOIN staff_aliases a ON a.key = r.staff_key WHERE r.staff_key IS NOT NULL GROUP BY 1"},
	"leave": {tables: []string{"time_off"}, needs: []string{"staff_aliases"}, sql: "SELECT coalesce(a.canonical, o.staff_key) AS staff_key, o.date AS day, sum(o.hours)::DECIMAL(18,4) AS hours, bool_or(o.hours IS NULL) AS whole FROM time_off o LEFT JOIN staff_aliases a ON a.key = o.staff_key GROUP BY 1, 2"},
}

// dimensionSQL is a dimension as SQL over a fact f; join brings the relation it reads.
var dimensionSQL = map[string]struct{ sql, with, join string }{
	"client":           {"coalesce(cl.client, f.client_key, 'unassigned')", "client_labels", clientJoin},
	"client_status":    {"coalesce(cl.status, 'unknown')", "client_labels", clientJoin},
	"industry":         {"coalesce(cl.industry, 'unknown')", "client_labels", clientJoin},
	"account_manager":  {"coalesce(cl.account_manager, 'none')", "client_labels", clientJoin},
	"agreement":        {"CASE WHEN f.agreement_id IS NULL THEN 'no agreement' ELSE coalesce(al.name, f.agreement_id) END", "agreement_labels", "LEFT JOIN agreement_labels al ON al.agreement_id = f.agreement_id"},
	"cohort":           {"coalesce(left(co.month::VARCHAR, 7), 'unknown')", "client_cohorts", cohortJoin},
	"cohort_quarter":   {"coalesce(year(co.month) || '-Q' || quarter(co.month), 'unknown')", "client_cohorts", cohortJoin},
	"revenue_category": {"f.revenue_category", "", ""},
	"staff":            {"coalesce(sl.name, f.staff_key, 'unassigned')", "staff_labels", staffJoin},
	"team":             {"coalesce(sl.team, 'none')", "staff_labels", staffJoin},
	"role":             {"coalesce(sl.role, 'none')", "staff_labels", staffJoin},
	"work_type":        {"coalesce(f.work_type, 'none')", "", ""},
	"product":          {"coalesce(pl.canonical, f.product_name, 'none')", "product_aliases", "LEFT JOIN product_aliases pl ON pl.key = f.product_name"},
	"vendor":           {"coalesce(f.vendor, 'none')", "", ""},
	"ticket_type":      {"coalesce(f.ticket_type, 'none')", "", ""},
	"priority":         {"coalesce(f.priority, 'none')", "", ""},
	"account":          {"f.account", "", ""},
	"account_class":    {"f.account_class", "", ""},
	"subscription":     {"coalesce(f.license_id, 'none')", "", ""},
	"term":             {"coalesce(lower(f.term), 'none')", "", ""},
	"renewal":          {"coalesce(CAST(f.renews AS VARCHAR), 'not known')", "", ""},
	"recoverable":      {"f.recoverable", "", ""},
	"deadline":         {"coalesce(CAST(f.deadline AS VARCHAR), 'not known')", "", ""},
	"queue":            {"coalesce(f.queue, 'none')", "", ""},
	"work_class":       {"f.work_class", "", ""},
	"project":          {"coalesce(f.project_name, 'no project')", "", ""},
	"currency":         {"coalesce(f.currency, 'none')", "", ""},
}

const (
	clientJoin = "LEFT JOIN client_labels cl ON cl.key = f.client_key"
	cohortJoin = "LEFT JOIN client_cohorts co ON co.key = f.client_key"
	staffJoin  = "LEFT JOIN staff_labels sl ON sl.key = f.staff_key"
)
