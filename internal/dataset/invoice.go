package dataset

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Invoices come in three shapes: one row a line, one row a document with only a total,
// and one row a document with its lines as JSON. All are stored as lines.

// notInvoices are kinds of rows in transaction lists that are no revenue.
var notInvoices = []string{"payment", "received payment", "receive payment", "bill", "vendor bill", "bill payment", "purchase", "purchase order", "expense", "check", "deposit", "journal entry", "transfer"}

// lineGrain reports whether a row of the file is a line of an invoice.
func (l *load) lineGrain() bool {
	return l.has("quantity") || l.has("unit_price") || l.has("product_name") || l.has("line_number")
}

// mutable are the columns that may change without making it another row.
func (l *load) mutable() []string {
	if l.d.Name == "invoices" {
		return []string{"status", "balance", "due_date", "revenue_category", "unit_cost", "tax_basis"}
	}
	return nil
}

// invoiceKey is the key of an invoice line: client, number, and the line's number; when
// lines have none, their content, so that a changed status is the same line.
func (l *load) invoiceKey() (string, keyMode) {
	if l.exportColumn(exportKey) != "" {
		return "in_export_key", byID
	}
	key := "coalesce(client_key, '') || chr(31) || coalesce(invoice_number, '') || chr(31) || "
	switch {
	case l.has("lines_json"):
		return key + "in_ordinal", byID
	case l.has("line_number"):
		return key + "coalesce(line_number, '')", byNatural
	case l.lineGrain():
		return key + "md5(" + l.content(l.mutable()...) + ")", byNatural
	}
	return key + "'1'", byRegister
}

// checkInvoices rejects rows that are no invoices, have no amount, or lines that cannot
// be read.
func (l *load) checkInvoices(ctx context.Context) error {
	if l.d.Name != "invoices" {
		return nil
	}
	if in := l.inputs["invoice_type"]; in != nil && in.bind.Columns != nil {
		if err := l.rejectIf(ctx, 1500, in, oneOf("lower("+in.text+")", notInvoices), in.text,
			"not_an_invoice", "is not an invoice or credit note", "import payments and bills as payments and expenses"); err != nil {
			return err
		}
	}
	if err := l.rejectWithoutAmount(ctx); err != nil {
		return err
	}
	in := l.inputs["lines_json"]
	if in == nil {
		return nil
	}
	if err := l.ensureRaw(ctx); err != nil {
		return err
	}
	if err := l.rejectIf(ctx, 1501, in, fmt.Sprintf("%[1]s IS NOT NULL AND NOT (json_valid(%[1]s) AND coalesce(json_type(CASE WHEN json_valid(%[1]s) THEN %[1]s END), '') = 'ARRAY')", in.text), "left("+in.text+", 200)",
		"lines_unparsable", "is not a JSON list of lines", `write [{"description": "…", "quantity": 1, "unit_price": 100}]`); err != nil {
		return err
	}
	if err := l.readLines(ctx, in); err != nil {
		return err
	}
	return l.reject(ctx, fmt.Sprintf(`SELECT r._record, r._line, 1502, %s, left(x.line, 200), 'amount_unparsable', 'line ' || x.i || ' has no readable quantity and unit price', 'give every line a quantity and unit_price'
FROM (SELECT record, arg_min(line, i) AS line, min(i) AS i FROM %s WHERE broken GROUP BY record) x JOIN %s r ON r._record = x.record`, q(in.header), l.name("lines"), l.raw()))
}

// rejectIf rejects the raw rows that meet a condition.
func (l *load) rejectIf(ctx context.Context, ord int, in *input, cond, value, code, message, suggestion string) error {
	// Looked for first: most files have none, and their rows need no table then.
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", l.raw(), cond))
	if err != nil || rows.Rows[0][0].(int64) == 0 {
		return err
	}
	if err := l.ensureRaw(ctx); err != nil {
		return err
	}
	return l.reject(ctx, fmt.Sprintf("SELECT _record, _line, %d, %s, %s, %s, %s, %s FROM %s WHERE %s", ord, q(in.header), value, q(code), q(message), q(suggestion), l.raw(), cond))
}

func (l *load) rejectWithoutAmount(ctx context.Context) error {
	var single []string
	var shown *input
	for _, name := range []string{"net_amount", "total_amount", "lines_json"} {
		if in := l.inputs[name]; in != nil {
			single = append(single, in.text)
			if shown == nil {
				shown = in
			}
		}
	}
	cond := "coalesce(" + strings.Join(append(single, "NULL"), ", ") + ") IS NULL"
	if len(single) == 0 {
		cond = "true"
	}
	if quantity, price := l.inputs["quantity"], l.inputs["unit_price"]; quantity != nil && price != nil {
		cond += fmt.Sprintf(" AND (%s IS NULL OR %s IS NULL)", quantity.text, price.text)
		if shown == nil {
			shown = price
		}
	}
	return l.rejectIf(ctx, 1503, shown, cond, "''", "required_missing", "is missing: the row has no amount", "fill in the amount")
}

// readLines makes the table of the lines in JSON: record, i from 1, and what each says.
func (l *load) readLines(ctx context.Context, in *input) error {
	pick := func(names ...string) string {
		var parts []string
		for _, n := range names {
			parts = append(parts, "line ->> '$."+n+"'")
		}
		return "coalesce(" + strings.Join(append(parts, "NULL"), ", ") + ")"
	}
	number := func(text string) string { return "TRY_CAST(" + text + " AS DECIMAL(18,6))" }
	quantity, price, amount := pick("quantity", "qty"), pick("unit_price", "price", "rate"), pick("net_amount", "amount", "net", "total")
	_, err := l.create(ctx, "TABLE", "lines", fmt.Sprintf(`AS SELECT *,
 (quantity_text IS NOT NULL AND quantity IS NULL) OR (price_text IS NOT NULL AND unit_price IS NULL) OR (unit_price IS NULL AND amount IS NULL) AS broken
FROM (SELECT record, i, line::VARCHAR AS line, %[1]s AS description, %[2]s AS product_name, %[3]s AS quantity_text, %[4]s AS price_text,
 coalesce(%[5]s, CASE WHEN %[3]s IS NULL AND %[4]s IS NOT NULL THEN 1 END) AS quantity, %[6]s AS unit_price, %[7]s AS amount, %[8]s AS discount, %[9]s AS tax_rate, %[10]s AS tax, %[11]s AS unit_cost
FROM (SELECT record, unnest(list) AS line, unnest(range(1, len(list) + 1)) AS i
 FROM (SELECT _record AS record, json_extract(t, '$[*]') AS list FROM (SELECT _record, CASE WHEN json_valid(%[12]s) THEN %[12]s END AS t FROM %[13]s) WHERE json_type(t) = 'ARRAY')))`,
		pick("description", "desc", "text"), pick("product", "product_name", "item", "name"), quantity, price, number(quantity), number(price), number(amount),
		number(pick("discount")), number(pick("tax_rate")), number(pick("tax_amount", "tax")), number(pick("unit_cost", "cost")), in.text, l.raw()))
	return err
}

// lineInputs are the inputs that lines in JSON fill.
var lineInputs = []string{"description", "product_name", "quantity", "unit_price", "discount", "net_amount", "tax_amount", "unit_cost"}

// explodeLines makes one row of inputs for each line. A document without lines keeps one
// row. A number that stands twice in the file counts once if it says the same, otherwise
// the later is rejected.
func (l *load) explodeLines(ctx context.Context) error {
	base, err := l.create(ctx, "TABLE", "documents", "AS "+l.inputSQL())
	if err != nil {
		return err
	}
	client := l.stored(ColClient)
	key := fmt.Sprintf("coalesce(%s, '') || chr(31) || in_invoice_number", client)
	var all []string
	for _, name := range l.order {
		all = append(all, "chr(31) || coalesce(in_"+name+"::VARCHAR, '')")
	}
	twins, err := l.create(ctx, "TABLE", "documents_twice", fmt.Sprintf(`AS SELECT record, k, first_value(record) OVER w AS first, row_number() OVER w AS n, content = first_value(content) OVER w AS same
FROM (SELECT record, %s AS k, concat(%s) AS content FROM %s) WINDOW w AS (PARTITION BY k ORDER BY record)`, key, strings.Join(all, ", "), base))
	if err != nil {
		return err
	}
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FILTER (same), count(*) FILTER (NOT same) FROM %s WHERE n > 1", twins))
	if err != nil {
		return err
	}
	if n := rows.Rows[0][0].(int64); n > 0 {
		l.dropped += n
		if err := l.addRows(ctx, Finding{Code: "duplicate_rows", Severity: Info, Count: n, Message: plural(n, "row repeats", "rows repeat") + " another row of the file and count once"},
			fmt.Sprintf("SELECT record FROM %s WHERE n > 1 AND same", twins)); err != nil {
			return err
		}
	}
	if rows.Rows[0][1].(int64) > 0 {
		if err := l.reject(ctx, fmt.Sprintf(`SELECT w.record, r._line, 2000, %s, replace(w.k, chr(31), ' / '), 'dup_natural_key', 'stands in record ' || w.first || ' already, with other values', 'keep one of the two rows'
FROM %s w JOIN %s r ON r._record = w.record WHERE n > 1 AND NOT same`, q(l.inputs["invoice_number"].header), twins, l.raw())); err != nil {
			return err
		}
	}
	var hidden []string
	for _, name := range lineInputs {
		if l.has(name) {
			hidden = append(hidden, "in_"+name)
		}
	}
	net := fmt.Sprintf("coalesce(TRY_CAST(x.amount AS DECIMAL(18,4)), %s)", halfEven("x.quantity * x.unit_price - coalesce(x.discount, 0)"))
	rate := "CASE WHEN x.tax_rate > 1 THEN x.tax_rate / 100 ELSE x.tax_rate END"
	except := ""
	if len(hidden) > 0 {
		except = " EXCLUDE (" + strings.Join(hidden, ", ") + ")"
	}
	_, err = l.create(ctx, "TABLE", "exploded", fmt.Sprintf(`AS SELECT b.*%s, coalesce(x.i, 1)::VARCHAR AS in_ordinal, x.description AS in_description, x.product_name AS in_product_name, x.quantity AS in_quantity,
 x.unit_price AS in_unit_price, TRY_CAST(x.discount AS DECIMAL(18,4)) AS in_discount, %s AS in_net_amount, coalesce(TRY_CAST(x.tax AS DECIMAL(18,4)), %s) AS in_tax_amount, x.unit_cost AS in_unit_cost
FROM %s b LEFT JOIN %s x ON x.record = b.record WHERE b.record NOT IN (SELECT record FROM %s WHERE n > 1)`,
		except, net, halfEven("("+net+")::DECIMAL(18,4) * CAST("+rate+" AS DECIMAL(9,6))"), base, l.name("lines"), twins))
	for _, name := range lineInputs {
		f, _ := l.d.Field(name)
		l.inputs[name] = &input{field: f, header: l.inputs["lines_json"].header}
	}
	return err
}

// halfEven rounds an exact decimal to four places, ties to the even digit; null when it
// does not fit.
func halfEven(x string) string {
	r := "TRY_CAST((" + x + ") AS DECIMAL(18,4))" // the engine rounds ties away from zero
	return fmt.Sprintf("CASE WHEN abs((%[1]s) - %[2]s) = 0.00005 AND CAST(%[2]s * 10000 AS HUGEINT) %% 2 <> 0 THEN %[2]s - sign(%[1]s) * 0.0001::DECIMAL(18,4) ELSE %[2]s END", x, r)
}

// invoiceSQL selects the stored columns of invoice lines from their inputs: amounts net
// of tax where the file shows them, credit notes negative. _total is the document's total
// and _credit marks amounts whose sign was turned.
func (l *load) invoiceSQL(source string) string {
	net, basis := "NULL::DECIMAL(18,4)", "NULL"
	type choice struct{ cond, value, basis string }
	var choices []choice
	if l.has("net_amount") {
		choices = append(choices, choice{"in_net_amount IS NOT NULL", "in_net_amount", "'net'"})
	}
	if l.has("quantity") && l.has("unit_price") {
		choices = append(choices, choice{"in_quantity IS NOT NULL AND in_unit_price IS NOT NULL", halfEven("in_quantity * in_unit_price - coalesce(" + l.in("discount") + ", 0)"), "'net'"})
	}
	if l.has("total_amount") {
		if l.has("tax_amount") {
			choices = append(choices, choice{"in_total_amount IS NOT NULL AND in_tax_amount IS NOT NULL", "in_total_amount - in_tax_amount", "'net'"})
		}
		choices = append(choices, choice{"in_total_amount IS NOT NULL", "in_total_amount", q(l.totalBasis())})
	}
	if len(choices) > 0 {
		net, basis = "CASE", "CASE"
		for _, c := range choices {
			net += " WHEN " + c.cond + " THEN TRY_CAST(" + c.value + " AS DECIMAL(18,4))"
			basis += " WHEN " + c.cond + " THEN " + c.basis
		}
		net, basis = net+" END", basis+" END"
	}
	credit := "false"
	if l.has("invoice_type") {
		credit = "regexp_matches(lower(coalesce(in_invoice_type, '')), 'credit|refund')"
	}
	flip := func(column string) string {
		return fmt.Sprintf("CASE WHEN _credit THEN -abs(%[1]s) ELSE %[1]s END", column)
	}
	var cols []string
	for _, c := range l.fieldColumns() {
		if l.constantColumn(c.Name) {
			continue
		}
		value := l.stored(c.Name)
		switch c.Name {
		case "net_amount":
			value = flip("_net")
		case "tax_amount", "quantity":
			value = flip(value)
		case "tax_basis":
			value = "coalesce(" + l.in("tax_basis") + ", " + basis + ")"
		}
		cols = append(cols, fmt.Sprintf("CAST(%s AS %s) AS %s", value, c.Type, warehouse.QuoteIdent(c.Name)))
	}
	if l.rawTable {
		cols = append(cols, "record")
	}
	if l.has("lines_json") {
		cols = append(cols, "in_ordinal")
	}
	if l.hasAttributes() {
		cols = append(cols, "attributes")
	}
	if l.exportColumn(exportKey) != "" {
		cols = append(cols, "in_export_key")
	}
	cols = append(cols, flip(l.in("total_amount"))+" AS _total", "_credit")
	return fmt.Sprintf("SELECT %s FROM (SELECT *, %s AS _net, coalesce(%s AND (%s) > 0, false) AS _credit FROM (%s))", strings.Join(cols, ", "), net, credit, net, source)
}

// totalBasis says what a total without lines and tax is.
func (l *load) totalBasis() string {
	if o := l.m.Options.TaxBasis; o != "" {
		return o
	}
	if in := l.inputs["total_amount"]; in != nil {
		switch normalizeHeader(in.header).full {
		case "gross", "grossamount", "totalincltax":
			return "gross"
		}
	}
	return "unknown"
}

// replacedLines is the condition of stored lines that a file with whole documents
// replaces: those of its documents that it does not have any more.
func (l *load) replacedLines(ctx context.Context) (string, error) {
	if l.d.Name != "invoices" || !l.has("lines_json") {
		return "", nil
	}
	keys, err := l.create(ctx, "TABLE", "documents_kept", fmt.Sprintf("AS SELECT DISTINCT client_key AS kept_client, invoice_number AS kept_number FROM %s", l.staged()))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("source_system = %s AND EXISTS (SELECT 1 FROM %s WHERE kept_client IS NOT DISTINCT FROM client_key AND kept_number = invoice_number)", q(l.source), keys), nil
}
