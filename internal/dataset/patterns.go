package dataset

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// patternRows bounds the looks at patterns across the rows of a file.
const patternRows = 2_000_000

// mainColumn is the stored number of a dataset that its rows are judged by.
var mainColumn = map[string]string{"time_entries": "hours_worked", "invoices": "net_amount", "expenses": "net_amount", "payments": "amount"}

// patterns looks for what no single row shows: values far from the client's others,
// documents that look entered twice, months without any row.
func (l *load) patterns(ctx context.Context) error {
	if l.rows == 0 || l.rows > patternRows || l.d.Month == "" {
		return nil
	}
	if err := l.outliers(ctx); err != nil {
		return err
	}
	if err := l.nearDuplicates(ctx); err != nil {
		return err
	}
	return l.periodGaps(ctx)
}

// The rule for outliers: the modified z-score 0.6745 |x − median| ÷ MAD of at least 12
// rows of a client above 10, on the logarithm of the amount (Iglewicz & Hoaglin 1993 take
// 3.5 for roughly normal data; amounts have heavy tails, and a finding costs attention).
const (
	outlierRows  = 12
	outlierScore = 10
)

// outliers reports rows that are far from the others of their client: a slipped decimal
// point or a wrong unit looks like that.
func (l *load) outliers(ctx context.Context) error {
	column := mainColumn[l.d.Name]
	if column == "" || l.constantColumn(column) {
		return nil
	}
	far := fmt.Sprintf(`WITH x AS (SELECT record, client_key, %[1]s AS v, ln(abs(%[1]s)::DOUBLE) AS a FROM %[2]s WHERE %[1]s <> 0 AND client_key IS NOT NULL),
m AS (SELECT client_key, median(a) AS mid FROM x GROUP BY 1 HAVING count(*) >= %[3]d),
d AS (SELECT client_key, any_value(mid) AS mid, greatest(median(abs(a - mid)), 0.1) AS mad FROM x JOIN m USING (client_key) GROUP BY 1 HAVING 0.6745 * max(abs(a - mid)) > %[4]d * mad)
SELECT record, v, abs(a - mid) AS off FROM x JOIN d USING (client_key) WHERE 0.6745 * abs(a - mid) > %[4]d * mad`, column, l.staged(), outlierRows, outlierScore)
	rows, err := l.s.Query(ctx, "SELECT count(*), arg_max(v, off)::VARCHAR FROM ("+far+")")
	if err != nil {
		return err
	}
	n := rows.Rows[0][0].(int64)
	if n == 0 {
		return nil
	}
	header := column
	if in := l.inputs[column]; in != nil {
		header = in.header
	}
	return l.addRows(ctx, Finding{Code: "outlier", Severity: Info, Column: header, Count: n,
		Message:    fmt.Sprintf("%s far from the others of the client, such as %s", plural(n, "value is", "values are"), strings.TrimRight(strings.TrimRight(text(rows.Rows[0][1]), "0"), ".")),
		Suggestion: "look for a slipped decimal point or a wrong unit"}, far)
}

// nearDuplicates reports invoices and bills that agree in everything but number and a few
// days: possibly entered twice.
func (l *load) nearDuplicates(ctx context.Context) error {
	var groups string
	switch l.d.Name {
	case "invoices":
		groups = fmt.Sprintf(`SELECT client_key AS who, invoice_number AS id, min(invoice_date) AS day, sum(net_amount) AS amount, min(record) AS record FROM %s
WHERE client_key IS NOT NULL GROUP BY 1, 2 HAVING sum(net_amount) > 0`, l.staged())
	case "expenses":
		if l.constantColumn("vendor") || l.inputs["expense_id"] == nil {
			return nil
		}
		groups = fmt.Sprintf("SELECT vendor AS who, expense_id AS id, min(expense_date) AS day, sum(net_amount) AS amount, min(record) AS record FROM %s WHERE vendor IS NOT NULL GROUP BY 1, 2", l.staged())
	default:
		return nil
	}
	// Amounts that come every month are what agreements are made of: only two within three days are odd.
	twins := fmt.Sprintf(`SELECT record FROM (SELECT *, lag(day) OVER w AS before FROM (%s) WINDOW w AS (PARTITION BY who, amount ORDER BY day, record)) WHERE day - before <= 3`, groups)
	rows, err := l.s.Query(ctx, "SELECT count(*) FROM ("+twins+")")
	if err != nil {
		return err
	}
	n := rows.Rows[0][0].(int64)
	if n == 0 {
		return nil
	}
	one, many := "invoice has", "invoices have"
	if l.d.Name == "expenses" {
		one, many = "bill has", "bills have"
	}
	return l.addRows(ctx, Finding{Code: "near_duplicate", Severity: Info, Count: n,
		Message:    plural(n, one, many) + " the same party and amount as another one of the three days before, under another number",
		Suggestion: "look whether it was entered twice"}, twins)
}

// periodGaps reports months between the first and the last of the file that have no row,
// neither in it nor stored: an export may have left them out.
func (l *load) periodGaps(ctx context.Context) error {
	day := warehouse.QuoteIdent(l.d.Month)
	rows, err := l.s.Query(ctx, fmt.Sprintf(`WITH m AS (SELECT DISTINCT date_trunc('month', %[1]s)::DATE AS m FROM %[2]s WHERE %[1]s IS NOT NULL),
every AS (SELECT unnest(generate_series((SELECT min(m) FROM m), (SELECT max(m) FROM m), INTERVAL 1 MONTH))::DATE AS m WHERE (SELECT count(*) FROM m) BETWEEN 3 AND 1000),
gone AS (SELECT m FROM every WHERE m NOT IN (FROM m))
SELECT strftime(m, '%%Y-%%m') FROM gone WHERE m NOT IN (SELECT date_trunc('month', %[1]s)::DATE FROM now.%[3]s WHERE %[1]s IS NOT NULL) ORDER BY 1`, day, l.staged(), l.d.Name))
	if err != nil || len(rows.Rows) == 0 {
		return err
	}
	var months []string
	for _, r := range rows.Rows {
		months = append(months, text(r[0]))
	}
	n := len(months)
	if n > maxNamed {
		months = append(months[:maxNamed-1], fmt.Sprintf("… (%d in all)", n))
	}
	l.add(Finding{Code: "period_gap", Severity: Warning, Count: int64(n), Message: plural(int64(n), "month between the first and the last has", "months between the first and the last have") + " no row: " + strings.Join(months, ", "),
		Suggestion: "export these months too; if there was no work, nothing is to be done"})
	return nil
}
