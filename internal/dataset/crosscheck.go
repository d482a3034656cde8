package dataset

import (
	"context"
	"fmt"
	"slices"
)

// crossChecks compares rows with each other and with what is stored: a person's day, an
// invoice and its lines, an invoice and its payments.
func (l *load) crossChecks(ctx context.Context, m *measured) error {
	staff := l.has("staff_name") || l.has("staff_email") || l.has("staff_id")
	switch l.d.Name {
	case "time_entries":
		if !staff {
			return nil
		}
		if err := l.staffDays(ctx, m); err != nil {
			return err
		}
		return l.overlappingEntries(ctx)
	case "invoices":
		return l.lineSums(ctx, m)
	case "payments":
		return l.overpaid(ctx, m)
	}
	return nil
}

// anyStored reports whether a table holds any row.
func (l *load) anyStored(ctx context.Context, table string) (bool, error) {
	rows, err := l.s.Query(ctx, "SELECT count(*) FROM now."+table)
	if err != nil {
		return false, err
	}
	return rows.Rows[0][0].(int64) > 0, nil
}

// staffDays adds up each person's days, those of other files included.
func (l *load) staffDays(ctx context.Context, m *measured) error {
	from := fmt.Sprintf("SELECT staff_key, work_date, hours_worked, record FROM %s WHERE staff_key IS NOT NULL", l.staged())
	stored, err := l.anyStored(ctx, l.d.Name)
	if err != nil {
		return err
	}
	if stored {
		from += fmt.Sprintf(" UNION ALL SELECT staff_key, work_date, hours_worked, NULL FROM now.time_entries WHERE (staff_key, work_date) IN (SELECT (staff_key, work_date) FROM %[1]s) AND row_id NOT IN (SELECT row_id FROM %[1]s)", l.staged())
	}
	days := "SELECT staff_key, work_date, sum(hours_worked) AS h, min(record) AS record FROM (" + from + ") GROUP BY ALL"
	return l.crossCheck(ctx, m, days, "h > 24", Finding{Code: "staff_day_gt_24h", Severity: Warning, Column: l.inputs["hours_worked"].header, Suggestion: "look for entries that were imported under several names or twice"},
		"person's day has", "persons' days have", " more than 24 hours in sum")
}

// overlappingEntries reports entries of a person that run at the same time as another one
// of the file or of what is stored.
func (l *load) overlappingEntries(ctx context.Context) error {
	if !l.has("started_at") || !l.has("ended_at") {
		return nil
	}
	from := fmt.Sprintf("SELECT record, staff_key, started_at AS a, ended_at AS b FROM %s WHERE staff_key IS NOT NULL AND ended_at > started_at", l.staged())
	stored, err := l.anyStored(ctx, l.d.Name)
	if err != nil {
		return err
	}
	if stored {
		from += fmt.Sprintf(` UNION ALL SELECT NULL, staff_key, started_at, ended_at FROM now.time_entries WHERE staff_key IS NOT NULL AND ended_at > started_at AND row_id NOT IN (SELECT row_id FROM %[1]s)
 AND work_date BETWEEN (SELECT min(work_date) - 1 FROM %[1]s) AND (SELECT max(work_date) + 1 FROM %[1]s)`, l.staged())
	}
	both := fmt.Sprintf(`SELECT record FROM (SELECT record, a, b, max(b) OVER (PARTITION BY staff_key ORDER BY a, b DESC, record ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until,
 lead(a) OVER (PARTITION BY staff_key ORDER BY a, b DESC, record) AS next FROM (%s)) WHERE record IS NOT NULL AND (until > a OR next < b)`, from)
	rows, err := l.s.Query(ctx, "SELECT count(*) FROM ("+both+")")
	if err != nil {
		return err
	}
	n := rows.Rows[0][0].(int64)
	if n == 0 {
		return nil
	}
	return l.addRows(ctx, Finding{Code: "overlapping_entries", Severity: Warning, Column: l.inputs["started_at"].header, Count: n,
		Message: plural(n, "entry runs", "entries run") + " at the same time as another one of the same person", Suggestion: "look for work that was entered twice, or a timer that was left running"}, both)
}

// lineSums compares the totals of invoices with their lines.
func (l *load) lineSums(ctx context.Context, m *measured) error {
	if !l.has("total_amount") {
		return nil
	}
	// A total that differs from line to line of an invoice is the line's own.
	docs := fmt.Sprintf(`SELECT min(record) AS record, count(*) AS n, sum(net_amount) AS net, sum(net_amount + coalesce(tax_amount, 0)) AS gross, max(_total) AS total
FROM %s WHERE tax_basis = 'net' AND _total IS NOT NULL GROUP BY client_key, invoice_number HAVING min(_total) = max(_total)`, l.staged())
	return l.crossCheck(ctx, m, docs, "abs(gross - total) > 0.01 * n AND abs(net - total) > 0.01 * n", Finding{Code: "line_sum_ne_header", Severity: Warning, Column: l.inputs["total_amount"].header,
		Suggestion: "the lines are what counts; correct the invoice or its total"}, "invoice has", "invoices have", " a total that differs from the sum of the lines by more than a cent a line")
}

// overpaid compares the payments of invoices, those of other files included, with the
// invoices' totals: of invoices whose tax is known, as without it the total is not.
func (l *load) overpaid(ctx context.Context, m *measured) error {
	if !l.has("invoice_number") || !l.has("amount") {
		return nil
	}
	if stored, err := l.anyStored(ctx, "invoices"); err != nil || !stored {
		return err
	}
	const paid = "amount - coalesce(refunded_amount, 0)"
	// A payment that names no client is of the one invoice with that number.
	sums := fmt.Sprintf(`WITH names AS (SELECT key, any_value(canonical) AS canonical FROM now.aliases WHERE kind = 'client' GROUP BY key),
p AS (SELECT invoice_number AS number, coalesce(canonical, client_key) AS client, %[1]s AS amount, record FROM %[2]s LEFT JOIN names ON key = client_key
 UNION ALL SELECT invoice_number, coalesce(canonical, client_key), %[1]s, NULL FROM now.payments LEFT JOIN names ON key = client_key WHERE row_id NOT IN (SELECT row_id FROM %[2]s)),
i AS (SELECT invoice_number AS number, coalesce(canonical, client_key) AS client, sum(net_amount + coalesce(tax_amount, 0)) AS total, count(*) AS n, count(*) OVER (PARTITION BY invoice_number) AS alike
 FROM now.invoices LEFT JOIN names ON key = client_key GROUP BY 1, 2 HAVING bool_and(tax_amount IS NOT NULL OR tax_basis <> 'net'))
SELECT i.number, min(p.record) AS record, sum(p.amount) AS paid, any_value(i.total) AS total, any_value(i.n) AS n
FROM p JOIN i ON i.number = p.number AND (i.client = p.client OR p.client IS NULL AND i.alike = 1) GROUP BY i.number, i.client HAVING min(p.record) IS NOT NULL`, paid, l.staged())
	return l.crossCheck(ctx, m, sums, "paid > total + 0.01 * n AND total >= 0", Finding{Code: "payment_gt_invoice", Severity: Warning, Column: l.inputs["invoice_number"].header,
		Suggestion: "look for a payment that was entered twice or names the wrong invoice"}, "invoice has", "invoices have", " payments of more than its total")
}

func (l *load) crossCheck(ctx context.Context, m *measured, groups, failing string, f Finding, one, many, message string) error {
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*), count(*) FILTER (%[1]s), coalesce(min(record, %[2]d) FILTER (%[1]s), []) FROM (%[3]s)", failing, sampleSize, groups))
	if err != nil {
		return err
	}
	m.checked, m.failed = m.checked+rows.Rows[0][0].(int64), m.failed+rows.Rows[0][1].(int64)
	if f.Count = rows.Rows[0][1].(int64); f.Count == 0 {
		return nil
	}
	f.Message = plural(f.Count, one, many) + message
	for _, record := range rows.Rows[0][2].([]any) {
		f.Records = append(f.Records, record.(int64))
	}
	f.Records = slices.Compact(f.Records)
	l.add(f)
	return nil
}
