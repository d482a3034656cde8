package dataset

import (
	"context"
	"fmt"
	"strings"
)

// rule is a check of stored rows that stores them all the same (domain: 1.3).
type rule struct {
	code       string
	severity   Severity
	when       string   // SQL condition over a staged row
	needs      []string // fields the file must have for the rule to mean anything
	column     string   // field it is about
	message    string   // follows "12 rows: "
	suggestion string
	invalid    bool // counts against validity
}

// rules of every dataset that has the fields; TODAY is the tenant's day.
var rules = map[string][]rule{
	"": {
		{code: "no_client_reference", severity: Warning, when: "client_key IS NULL", needs: []string{"client_name|client_id"}, column: "client_name", message: "no client is named; they are kept as unassigned", suggestion: "fill in the client, or leave internal work on your own company"},
	},
	"clients": {
		{code: "end_before_start", severity: Warning, when: "lost_on < acquired_on", needs: []string{"lost_on", "acquired_on"}, column: "lost_on", message: "lost before acquired", invalid: true},
	},
	"agreements": {
		{code: "agreement_end_lt_start", severity: Warning, when: "end_date < start_date", needs: []string{"end_date", "start_date"}, column: "end_date", message: "the end is before the start", invalid: true},
		{code: "currency_missing", severity: Info, when: "currency IS NULL AND amount IS NOT NULL", needs: []string{"currency"}, column: "currency", message: "an amount without a currency"},
	},
	"agreement_additions": {
		{code: "cost_gt_price", severity: Warning, when: "unit_cost > unit_price", needs: []string{"unit_cost", "unit_price"}, column: "unit_cost", message: "the cost is higher than the price"},
		{code: "unit_cost_missing", severity: Warning, when: "coalesce(unit_cost, 0) = 0 AND unit_price > 0", needs: []string{"unit_price"}, column: "unit_cost", message: "a price but no cost: margins on them are not known", suggestion: "add the unit cost in your PSA"},
		{code: "end_before_start", severity: Warning, when: "cancelled_date < effective_date", needs: []string{"cancelled_date", "effective_date"}, column: "cancelled_date", message: "canceled before it began", invalid: true},
	},
	"invoices": {
		{code: "tax_basis_unknown", severity: Warning, when: "tax_basis = 'unknown'", column: "total_amount", message: "only a total is given: whether it includes tax is not known, and it is taken as revenue as it stands", suggestion: "export net amounts, or say that totals are net (tax_basis)"},
		{code: "tax_included", severity: Warning, when: "tax_basis = 'gross'", column: "total_amount", message: "the total includes tax and no tax is given: revenue is overstated by the tax", suggestion: "export net amounts or the tax"},
		{code: "credit_made_negative", severity: Info, when: "_credit", column: "net_amount", message: "credit notes with a positive amount were stored as negative"},
		{code: "credit_note", severity: Info, when: "net_amount < 0", column: "net_amount", message: "negative amounts: credit notes and corrections, taken off revenue"},
		{code: "zero_price", severity: Info, when: "unit_price = 0", needs: []string{"unit_price"}, column: "unit_price", message: "a price of 0: nothing is billed for them", suggestion: "look whether they are free or a price is missing"},
		{code: "due_before_invoice", severity: Info, when: "due_date < invoice_date", needs: []string{"due_date"}, column: "due_date", message: "due before the invoice's date", invalid: true},
		{code: "future_date", severity: Warning, when: "invoice_date > TODAY", column: "invoice_date", message: "dated in the future", invalid: true},
		{code: "currency_missing", severity: Info, when: "currency IS NULL", needs: []string{"currency"}, column: "currency", message: "an amount without a currency"},
		{code: "end_before_start", severity: Warning, when: "service_period_end < service_period_start", needs: []string{"service_period_end", "service_period_start"}, column: "service_period_end", message: "the service ends before it begins", invalid: true},
		{code: "cost_gt_price", severity: Warning, when: "unit_cost > unit_price AND unit_price > 0", needs: []string{"unit_cost", "unit_price"}, column: "unit_cost", message: "the cost is higher than the price"},
	},
	"payments": {
		{code: "future_date", severity: Warning, when: "payment_date > TODAY", column: "payment_date", message: "dated in the future", invalid: true},
		{code: "payment_not_received", severity: Info, when: "NOT (" + ReceivedSQL + ")", needs: []string{"status"}, column: "status", message: "failed, canceled or pending: kept, and not counted as money received"},
	},
	"staff": {
		{code: "zero_rate", severity: Warning, when: "cost_rate = 0", needs: []string{"cost_rate"}, column: "cost_rate", message: "a cost rate of 0: their work costs nothing", suggestion: "enter what an hour costs you"},
		{code: "cost_rate_missing", severity: Warning, when: "cost_rate IS NULL", needs: []string{"cost_rate"}, column: "cost_rate", message: "no cost rate: their hours have no cost"},
		{code: "end_before_start", severity: Warning, when: "left_on < hired_on", needs: []string{"left_on", "hired_on"}, column: "left_on", message: "left before hired", invalid: true},
		{code: "cost_gt_price", severity: Info, when: "cost_rate > bill_rate AND bill_rate > 0", needs: []string{"cost_rate", "bill_rate"}, column: "cost_rate", message: "the cost rate is higher than the billing rate"},
	},
	"time_entries": {
		{code: "hours_gt_24_entry", severity: Warning, when: "hours_worked > 24", column: "hours_worked", message: "more than 24 hours in one entry", suggestion: "are these minutes? Name the column minutes", invalid: true},
		{code: "negative_hours", severity: Info, when: "hours_worked < 0", column: "hours_worked", message: "negative hours: kept as reversals"},
		{code: "future_date", severity: Warning, when: "work_date > TODAY", column: "work_date", message: "dated in the future", invalid: true},
		{code: "billable_missing", severity: Info, when: "billable IS NULL", needs: []string{"billable"}, column: "billable", message: "billable or not is not said: counted as billable"},
		{code: "zero_rate", severity: Info, when: "bill_rate = 0 AND coalesce(billable, true)", needs: []string{"bill_rate"}, column: "bill_rate", message: "billable at a rate of 0"},
		{code: "no_staff_reference", severity: Warning, when: "staff_key IS NULL", needs: []string{"staff_name|staff_email|staff_id"}, column: "staff_name", message: "nobody is named: no cost rate can apply"},
		{code: "end_before_start", severity: Warning, when: "ended_at < started_at", needs: []string{"started_at", "ended_at"}, column: "ended_at", message: "the end is before the start", suggestion: "give work over midnight the date of its end, or correct the times", invalid: true},
		{code: "hours_ne_times", severity: Warning, when: "ended_at >= started_at AND (hours_worked > " + spanSQL + " + 0.25 OR hours_worked >= 0 AND hours_worked < " + spanSQL + " / 2 - 0.25)", needs: []string{"started_at", "ended_at"}, column: "hours_worked", message: "more hours than between start and end, or less than half of them", suggestion: "the hours are what counts: correct them, or the times", invalid: true},
		{code: "zero_cost_multiplier", severity: Warning, when: "cost_multiplier = 0", needs: []string{"cost_multiplier"}, column: "cost_multiplier", message: "a cost multiplier of 0: the work costs nothing"},
	},
	"tickets": {
		{code: "closed_before_created", severity: Warning, when: "closed_at < created_at OR resolved_at < created_at OR responded_at < created_at", needs: []string{"closed_at|resolved_at|responded_at"}, column: "closed_at", message: "answered or closed before opened", invalid: true},
		{code: "future_date", severity: Warning, when: "created_on > TODAY", column: "created_at", message: "dated in the future", invalid: true},
	},
	"projects": {
		{code: "end_before_start", severity: Warning, when: "end_date < start_date", needs: []string{"end_date", "start_date"}, column: "end_date", message: "the end is before the start", invalid: true},
	},
	"licenses": {
		{code: "used_gt_purchased", severity: Warning, when: "seats_used > seats_purchased", needs: []string{"seats_used"}, column: "seats_used", message: "more seats are used than bought: a true-up is due"},
		{code: "unit_cost_missing", severity: Warning, when: "unit_cost IS NULL", column: "unit_cost", message: "no cost a seat: waste cannot be put in money"},
		{code: "cost_gt_price", severity: Warning, when: "unit_cost > unit_price AND unit_price > 0", needs: []string{"unit_cost", "unit_price"}, column: "unit_cost", message: "the cost is higher than the price"},
		{code: "end_before_start", severity: Warning, when: "renewal_date < start_date", needs: []string{"renewal_date", "start_date"}, column: "renewal_date", message: "the end is before the start", invalid: true},
	},
	"expenses": {
		{code: "future_date", severity: Warning, when: "expense_date > TODAY", column: "expense_date", message: "dated in the future", invalid: true},
		{code: "category_missing", severity: Warning, when: "category IS NULL", column: "category", message: "no category: they are not counted as direct cost", suggestion: "use cogs_product, cogs_tool, cogs_subcontract or opex"},
	},
}

// spanSQL is the time from start to end, in hours.
const spanSQL = "date_diff('second', started_at, ended_at) / 3600"

// applies reports whether the file has what the rule needs; "a|b" needs one of them.
func (l *load) applies(r rule) bool {
	for _, need := range r.needs {
		found := false
		for _, alternative := range strings.Split(need, "|") {
			found = found || l.has(alternative)
		}
		if !found {
			return false
		}
	}
	return true
}

// measured is what the rules counted for the quality score.
type measured struct {
	rows       int64 // staged rows
	filled     map[string]int64
	invalid    int64 // rows that break a validity rule
	checked    int64 // cross-checks made
	failed     int64 // cross-checks that do not hold
	matched    int64 // rows whose client is known
	anyClients bool
	newest     string
	attributed int64 // rows with a client
}

// review runs the dataset's rules in one pass over the staged rows, then those that look
// at several rows or other tables.
func (l *load) review(ctx context.Context) (measured, error) {
	m := measured{filled: map[string]int64{}}
	list := rules[l.d.Name]
	if _, ok := l.d.Field("client_id"); ok && l.d.Name != "clients" {
		list = append(append([]rule{}, rules[""]...), list...)
	}
	var active []rule
	today := "DATE " + q(l.today.String())
	asked := []string{"count(*)"}
	anyInvalid := "false"
	for _, r := range list {
		if !l.applies(r) {
			continue
		}
		r.when = strings.ReplaceAll(r.when, "TODAY", today)
		active = append(active, r)
		asked = append(asked, fmt.Sprintf("count(*) FILTER (%s)", r.when))
		if r.invalid {
			anyInvalid += " OR coalesce(" + r.when + ", false)"
		}
	}
	asked = append(asked, "count(*) FILTER ("+anyInvalid+")")
	important := l.important()
	for _, c := range important {
		asked = append(asked, "count("+c+")")
	}
	newest := "NULL"
	if l.d.Month != "" {
		newest = "max(" + l.d.Month + ")::VARCHAR"
	}
	asked = append(asked, newest)
	rows, err := l.s.Query(ctx, "SELECT "+strings.Join(asked, ", ")+" FROM "+l.staged())
	if err != nil {
		return m, err
	}
	row := rows.Rows[0]
	m.rows = row[0].(int64)
	for i, r := range active {
		n := row[i+1].(int64)
		if n == 0 {
			continue
		}
		f := Finding{Code: r.code, Severity: r.severity, Count: n, Column: r.column, Suggestion: r.suggestion, Message: plural(n, "row", "rows") + ": " + r.message}
		if in := l.inputs[r.column]; in != nil {
			f.Column = in.header
		}
		if err := l.addRows(ctx, f, fmt.Sprintf("SELECT record FROM %s WHERE %s", l.staged(), r.when)); err != nil {
			return m, err
		}
	}
	m.invalid = row[len(active)+1].(int64)
	for i, c := range important {
		m.filled[c] = row[len(active)+2+i].(int64)
	}
	m.newest, _ = row[len(row)-1].(string)
	if err := l.crossChecks(ctx, &m); err != nil {
		return m, err
	}
	if err := l.damagedIDs(ctx); err != nil {
		return m, err
	}
	if err := l.sameContent(ctx); err != nil {
		return m, err
	}
	if err := l.patterns(ctx); err != nil {
		return m, err
	}
	return m, l.references(ctx, &m)
}

// damagedIDs reports ids that a spreadsheet has turned into rounded numbers.
func (l *load) damagedIDs(ctx context.Context) error {
	for _, name := range l.order {
		in := l.inputs[name]
		if in.field.Kind != ID || in.field.Column == "" || in.bind.Columns == nil {
			continue
		}
		cond := fmt.Sprintf(`contains("%[1]s", 'E+') AND regexp_full_match("%[1]s", '\d([.,]\d+)?E\+\d+')`, in.field.Column)
		rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", l.staged(), cond))
		if err != nil {
			return err
		}
		if n := rows.Rows[0][0].(int64); n > 0 {
			if err := l.addRows(ctx, Finding{Code: "damaged_id", Severity: Warning, Count: n, Column: in.header, Message: plural(n, "id looks", "ids look") + " like 1.23E+11: a spreadsheet rounded them, and they no longer tell rows apart",
				Suggestion: "export again without opening the file in a spreadsheet, or format the column as text"}, fmt.Sprintf("SELECT record FROM %s WHERE %s", l.staged(), cond)); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameContentRows bounds the search for equal rows with different ids.
const sameContentRows = 1_000_000

// sameContent reports facts that are equal but for their id: possibly entered twice.
func (l *load) sameContent(ctx context.Context) error {
	id := l.inputs[l.d.IDField]
	if l.mode != byID || l.d.Month == "" || id == nil || l.rows > sameContentRows || l.d.Name == "tickets" {
		return nil
	}
	groups := fmt.Sprintf("SELECT count(*) - 1 AS n, max(record) AS record FROM (SELECT record, md5_number(%s) AS h FROM %s) GROUP BY h HAVING count(*) > 1", l.content(id.field.Column), l.staged())
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT coalesce(sum(n), 0)::BIGINT FROM (%s)", groups))
	if err != nil {
		return err
	}
	n := rows.Rows[0][0].(int64)
	if n == 0 {
		return nil
	}
	return l.addRows(ctx, Finding{Code: "dup_content_other_key", Severity: Info, Count: n, Column: id.header, Message: plural(n, "row equals", "rows equal") + " another one in everything but the id: possibly entered twice"}, groups)
}

// important lists the stored columns whose filling is completeness: those of required
// fields, and who and for whom when the dataset knows them.
func (l *load) important() []string {
	var cols []string
	for _, f := range l.d.Fields {
		if f.Column == "" || f.Private {
			continue
		}
		if f.Required || f.Column == ColClient || f.Column == ColStaff {
			cols = append(cols, `"`+f.Column+`"`)
		}
	}
	if l.d.Name == "invoices" {
		cols = append(cols, `"net_amount"`)
	}
	return cols
}

// references compares keys with other tables, those that hold anything.
func (l *load) references(ctx context.Context, m *measured) error {
	var err error
	if m.anyClients, err = l.knownClients(ctx); err != nil {
		return err
	}
	if _, ok := l.d.Field("client_id"); ok && l.d.Name != "clients" && (l.has("client_name") || l.has("client_id")) && m.anyClients {
		known := fmt.Sprintf("SELECT %[1]s AS n FROM %[2]s WHERE client_key IS NOT NULL UNION SELECT 'id ' || client_id FROM %[2]s WHERE client_id IS NOT NULL UNION SELECT %[3]s FROM now.aliases WHERE kind = 'client' AND key IS NOT NULL", normalName("client_key"), "now.clients", normalName("key"))
		if len(l.found.aliases) > 0 {
			known += fmt.Sprintf(" UNION SELECT %s FROM %s WHERE kind = 'client'", normalName("key"), l.name("aliases"))
		}
		rows, err := l.s.Query(ctx, fmt.Sprintf(`SELECT count(*) FILTER (NOT known), coalesce(sum(n) FILTER (known), 0)::BIGINT, coalesce(sum(n), 0)::BIGINT, min(key) FILTER (NOT known)
FROM (SELECT key, n, (%s IN (%s)) AS known FROM (SELECT client_key AS key, count(*) AS n FROM %s WHERE client_key IS NOT NULL GROUP BY 1))`, normalName("key"), known, l.staged()))
		if err != nil {
			return err
		}
		m.matched, m.attributed = rows.Rows[0][1].(int64), rows.Rows[0][2].(int64)
		if n := rows.Rows[0][0].(int64); n > 0 {
			l.add(Finding{Code: "unknown_client", Severity: Info, Count: n, Message: fmt.Sprintf("%s not in clients, such as %q", plural(n, "client name is", "client names are"), rows.Rows[0][3]), Suggestion: "import the clients, or merge the spelling with a known one"})
		}
	}
	for _, o := range []struct{ field, table, column, code, what string }{
		{"agreement_id", "agreements", "agreement_id", "orphan_agreement", "agreement"},
		{"ticket_number", "tickets", "ticket_number", "orphan_ticket", "ticket"},
		{ColStaff, "staff", ColStaff, "orphan_staff", "staff member"},
	} {
		if err := l.orphans(ctx, o.field, o.table, o.column, o.code, o.what); err != nil {
			return err
		}
	}
	return l.rateTakenAsCost(ctx)
}

// orphans counts references to rows of another table that it does not have.
func (l *load) orphans(ctx context.Context, field, table, column, code, what string) error {
	if l.d.Name == table || !l.has(field) && !(field == ColStaff && (l.has("staff_name") || l.has("staff_email") || l.has("staff_id"))) {
		return nil
	}
	known := fmt.Sprintf("SELECT %s FROM now.%s WHERE %s IS NOT NULL", column, table, column)
	if table == "agreements" {
		known += " UNION SELECT agreement_name FROM now.agreements WHERE agreement_name IS NOT NULL"
	}
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM (%s)", known))
	if err != nil || rows.Rows[0][0].(int64) == 0 {
		return err
	}
	rows, err = l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT DISTINCT %[1]s AS k FROM %[2]s WHERE %[1]s IS NOT NULL) WHERE k NOT IN (%[3]s)", field, l.staged(), known))
	if err != nil {
		return err
	}
	if n := rows.Rows[0][0].(int64); n > 0 {
		l.add(Finding{Code: code, Severity: Info, Count: n, Message: fmt.Sprintf("%s not in %s", plural(n, what+" is", what+"s are"), table), Suggestion: "import the " + table})
	}
	return nil
}

// rateTakenAsCost says that the billing rate stands in for a cost rate nobody gave.
func (l *load) rateTakenAsCost(ctx context.Context) error {
	if l.d.Name != "time_entries" || !l.has("bill_rate") || l.has("cost_rate") {
		return nil
	}
	rows, err := l.s.Query(ctx, "SELECT count(*) FROM now.staff WHERE cost_rate IS NOT NULL")
	if err != nil || rows.Rows[0][0].(int64) > 0 {
		return err
	}
	in := l.inputs["bill_rate"]
	l.add(Finding{Code: "rate_taken_as_cost", Severity: Warning, Count: l.rows, Column: in.header, Message: fmt.Sprintf("no cost rates of staff are known: column %q is taken as the cost of an hour", in.header),
		Suggestion: "import staff with cost_rate; if the column is a billing rate, profits are understated until then"})
	return nil
}
