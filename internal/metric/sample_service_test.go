package metric_test

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// totalsEqualPlainSQL asks for totals of the sample in two ways: the catalog, and a statement
// over the stored tables that knows nothing of its views.
func totalsEqualPlainSQL(t *testing.T, c *metric.Catalog) {
	const may = "BETWEEN DATE '2026-05-01' AND DATE '2026-05-31'"
	const ticketHours = "SELECT ticket_number, sum(hours_worked) AS hours, count(*) AS entries, count(DISTINCT staff_key) AS people FROM time_entries WHERE ticket_number IS NOT NULL GROUP BY 1"
	const balances = "SELECT i.number, i.due, i.total - coalesce(p.paid, 0) AS owed FROM (SELECT invoice_number AS number, min(due_date) AS due, sum(net_amount + coalesce(tax_amount, 0)) AS total FROM invoices WHERE status <> 'void' AND invoice_date <= DATE '2026-05-31' GROUP BY 1) i LEFT JOIN (SELECT invoice_number AS number, sum(amount) AS paid FROM payments WHERE payment_date <= DATE '2026-05-31' GROUP BY 1) p USING (number)"
	const paid = "SELECT i.number, i.due, i.total, p.last FROM (SELECT invoice_number AS number, min(due_date) AS due, sum(net_amount + coalesce(tax_amount, 0)) AS total FROM invoices WHERE status <> 'void' GROUP BY 1) i JOIN (SELECT invoice_number AS number, sum(amount) AS paid, max(payment_date) AS last FROM payments GROUP BY 1) p USING (number) WHERE i.total > 0 AND p.paid >= i.total AND p.last " + may
	const closed = "SELECT * FROM tickets WHERE coalesce(closed_at, resolved_at)::DATE " + may
	const current = "SELECT * FROM licenses QUALIFY row_number() OVER (PARTITION BY license_id ORDER BY valid_from DESC) = 1"
	for measure, sql := range map[string]string{
		"internal_hours":          "SELECT sum(hours_worked) FROM time_entries WHERE client_key LIKE '%(internal)' AND work_date " + may,
		"standard_value":          "SELECT sum(hours_worked * bill_rate) FROM time_entries WHERE billable AND work_date " + may,
		"invoiced_labor":          "SELECT sum(net_amount) FROM invoices WHERE status <> 'void' AND revenue_category IN ('recurring_labor', 'project', 't_and_m') AND invoice_date " + may,
		"time_entry_prompt_share": "SELECT count(*) FILTER (WHERE entered_at <= work_date + INTERVAL 2 DAY) / count(*) FROM time_entries WHERE work_date " + may,
		"headcount":               "SELECT count(DISTINCT staff_key) FROM staff WHERE hired_on <= DATE '2026-05-31' AND (left_on IS NULL OR left_on > DATE '2026-05-31')",
		"next_demand":             "SELECT sum(hours_worked) FROM time_entries WHERE billable AND work_date " + may,
		"closed_tickets":          "SELECT count(*) FROM (" + closed + ")",
		"hours_per_ticket":        "SELECT sum(h.hours) / (SELECT count(*) FROM (" + closed + ")) FROM (" + closed + ") t JOIN (" + ticketHours + ") h USING (ticket_number)",
		"touches_per_ticket":      "SELECT sum(h.entries) / count(*) FROM (" + closed + ") t JOIN (" + ticketHours + ") h USING (ticket_number)",
		"single_tech":             "SELECT count(*) FILTER (WHERE h.people = 1) / count(*) FROM (" + closed + ") t JOIN (" + ticketHours + ") h USING (ticket_number)",
		"reopen_rate":             "SELECT count(*) FILTER (WHERE reopen_count > 0) / count(*) FROM (" + closed + ")",
		"reactive_hours":          "SELECT sum(e.hours_worked) FROM time_entries e JOIN tickets t USING (ticket_number) WHERE t.ticket_type = 'incident' AND e.work_date " + may,
		"first_response":          "SELECT median(epoch(responded_at) - epoch(created_at)) / 3600 FROM tickets WHERE created_on " + may,
		"first_response_p90":      "SELECT quantile_disc(epoch(responded_at) - epoch(created_at), 0.9) / 3600 FROM tickets WHERE created_on " + may,
		"sla_response":            "SELECT count(*) FILTER (WHERE responded_at <= respond_by) / count(*) FROM tickets WHERE created_on " + may,
		"sla_attainment":          "SELECT count(*) FILTER (WHERE responded_at <= respond_by AND resolved_at <= resolve_by) / count(*) FROM tickets WHERE resolved_at IS NOT NULL AND created_on " + may,
		"backlog":                 "SELECT count(*) FROM tickets WHERE created_on <= DATE '2026-05-31' AND (coalesce(closed_at, resolved_at) IS NULL OR coalesce(closed_at, resolved_at)::DATE > DATE '2026-05-31')",
		"kill_rate":               "SELECT (SELECT count(*) FROM (" + closed + ")) / count(*) FROM tickets WHERE created_on " + may,
		"nps":                     "SELECT (count(*) FILTER (WHERE score >= 9) - count(*) FILTER (WHERE score <= 6)) / count(*) FROM surveys WHERE kind = 'nps' AND responded_on BETWEEN DATE '2026-03-01' AND DATE '2026-05-31'",
		"ticket_concentration":    "SELECT max(n) / sum(n) FROM (SELECT count(*) AS n FROM tickets WHERE created_on " + may + " GROUP BY client_key)",
		"tool_cost":               "SELECT sum(net_amount) FROM expenses WHERE category = 'cogs_tool' AND expense_date " + may,
		"receivables":             "SELECT sum(owed) FROM (" + balances + ")",
		"ar_current":              "SELECT sum(owed) FROM (" + balances + ") WHERE due >= DATE '2026-05-31'",
		"ar_1_30":                 "SELECT sum(owed) FROM (" + balances + ") WHERE due < DATE '2026-05-31' AND due >= DATE '2026-05-01'",
		"ar_31_60":                "SELECT coalesce(sum(owed), 0) FROM (" + balances + ") WHERE due < DATE '2026-05-01' AND due >= DATE '2026-04-01'",
		"late_payment_rate":       "SELECT count(*) FILTER (WHERE last > due) / count(*) FROM (" + paid + ")",
		"days_beyond_terms":       "SELECT sum(total * (last - due)) / sum(total) FROM (" + paid + ")",
		"top3_share":              "SELECT sum(r) FILTER (WHERE place <= 3) / sum(r) FROM (SELECT sum(net_amount) AS r, row_number() OVER (ORDER BY sum(net_amount) DESC) AS place FROM invoices WHERE status <> 'void' AND invoice_date " + may + " GROUP BY client_key)",
		"win_rate":                "SELECT count(*) FILTER (WHERE status = 'won') / count(*) FROM opportunities WHERE status <> 'open' AND closed_on BETWEEN DATE '2026-01-01' AND DATE '2026-05-31'",
		"acquisition_cost":        "SELECT sum(amount) FROM acquisition_costs WHERE period_start " + may,
		"pipeline_value":          "SELECT sum(12 * recurring_amount + one_time_amount) FROM opportunities WHERE status = 'open' AND opened_on <= DATE '2026-06-30'",
		"project_hours":           "SELECT sum(hours_worked) FROM time_entries WHERE project_name IS NOT NULL AND work_date " + may,
		"project_revenue":         "SELECT sum(net_amount) FROM invoices WHERE status <> 'void' AND project_name IS NOT NULL AND invoice_date " + may,
		"eligible_users":          "SELECT count(*) FROM (SELECT client_key, person_key FROM license_assignments WHERE assigned_on <= DATE '2026-05-31' GROUP BY 1, 2 HAVING bool_or(user_enabled))",
		"seats_active":            "SELECT sum(seats_used - seats_inactive) FROM (" + current + ") WHERE status = 'active'",
		"vendor_seats":            "SELECT sum(seats_purchased) FROM (" + current + ") WHERE status = 'active'",
	} {
		p := period(t, "2026-05", "2026-06")
		switch measure {
		case "win_rate":
			p.From = quantity.NewDay(2026, 1, 1)
		case "nps": // asked once a quarter
			p.From = quantity.NewDay(2026, 3, 1)
		case "pipeline_value":
			p = period(t, "2026-06", "2026-07")
		}
		r, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{measure}, Period: p})
		if err != nil {
			t.Fatal(err)
		}
		got, ok := r.Rows[0][0].(quantity.Decimal)
		if !ok {
			t.Errorf("%s: %v", measure, r.Reasons[0])
			continue
		}
		var uses []warehouse.TableUse
		for _, name := range []string{"time_entries", "tickets", "invoices", "payments", "staff", "surveys", "expenses", "opportunities", "acquisition_costs", "license_assignments", "licenses"} {
			uses = append(uses, warehouse.TableUse{Name: name})
		}
		rows, err := metric.Warehouse(c).Query(t.Context(), acme, warehouse.Statement{SQL: sql, Uses: uses})
		if err != nil {
			t.Fatalf("%s: %v", measure, err)
		}
		var want decimal.Decimal
		switch v := rows.Rows[0][0].(type) {
		case decimal.Decimal:
			want = v
		case int64:
			want = decimal.NewFromInt(v)
		case float64:
			want = decimal.NewFromFloat(v)
		default:
			t.Errorf("%s: plain SQL gives %v", measure, v)
		}
		if got.Sub(want).Abs().GreaterThan(decimal.New(1, -6)) {
			t.Errorf("%s: the catalog says %s, plain SQL %s", measure, got, want)
		}
	}
}
