package dataset

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// keyMode says what identifies a row and what a second row with the same key means.
type keyMode int

const (
	// byContent: no id; the row's content and its ordinal among equal rows. All are kept.
	byContent keyMode = iota
	// byID: an id, or the natural key of an entity. An equal row is not stored again, a
	// differing one is rejected.
	byID
	// byNatural: a fact's natural key. Further rows are kept under a number of their own.
	byNatural
	// byRegister: one row is one document. Equal rows are not stored again, differing
	// ones are kept under a number of their own.
	byRegister
)

// separator joins the parts of a key; exporters do not use it.
const separator = "chr(31)"

// reject stores rejects; sel yields record, line, ord, column, value, code, message,
// suggestion and, if the raw row is not in the file's relation, the row. The lowest ord of
// a record is the one reported.
func (l *load) reject(ctx context.Context, sel string) error {
	if !l.rejected {
		if _, err := l.create(ctx, "TABLE", "rejects", `(record BIGINT, line BIGINT, ord INTEGER, "column" VARCHAR, value VARCHAR, code VARCHAR, message VARCHAR, suggestion VARCHAR, source_row VARCHAR)`); err != nil {
			return err
		}
		l.rejected = true
	}
	columns := `(record, line, ord, "column", value, code, message, suggestion, source_row)`
	if !strings.Contains(sel, "source_row") {
		columns = strings.Replace(columns, ", source_row", "", 1)
	}
	return l.s.Exec(ctx, "INSERT INTO "+l.name("rejects")+" "+columns+" "+sel)
}

// check rejects the rows that cannot be stored: unreadable amounts, dates and hours, and
// missing required values.
func (l *load) check(ctx context.Context) error {
	if err := l.skip(ctx); err != nil {
		return err
	}
	if err := l.unreadable(ctx); err != nil {
		return err
	}
	for i, f := range l.d.Fields {
		if !f.Required || f.Column == ColClient && l.d.Name != "clients" {
			continue // a row without a client is kept as unassigned
		}
		var texts, headers []string
		complete := false
		for _, name := range append([]string{f.Name}, f.Instead...) {
			if in := l.inputs[name]; in != nil {
				texts, headers = append(texts, in.text), append(headers, in.header)
				complete = complete || in.known && in.filled == l.rows
			}
		}
		if complete || len(texts) == 0 {
			continue
		}
		if err := l.ensureRaw(ctx); err != nil {
			return err
		}
		first := "coalesce(c0, c1, '')"
		if len(l.t.Layout.Header) == 1 {
			first = "coalesce(c0, '')"
		}
		sel := fmt.Sprintf(`SELECT _record, _line, %d, %s, '', CASE WHEN is_total THEN 'total_row' ELSE 'required_missing' END,
 CASE WHEN is_total THEN %s ELSE 'is missing' END, CASE WHEN is_total THEN %s ELSE %s END
FROM (SELECT _record, _line, regexp_matches(%s, %s) AS is_total FROM %s WHERE coalesce(%s) IS NULL)`,
			1000+i, q(headers[0]), q(totalMessage), q(totalSuggestion), q("fill in "+f.Help), first, q(totalForm), l.raw(), strings.Join(append(texts, "NULL"), ", "))
		if err := l.reject(ctx, sel); err != nil {
			return err
		}
	}
	if err := l.checkBounds(ctx); err != nil {
		return err
	}
	return l.checkInvoices(ctx)
}

// A row that begins with totalForm and lacks what a row needs, or has it for a date, is a total.
const (
	totalForm       = `(?i)^\s*(?:(?:grand|sub|net)[ -]?)?(?:totals?|summe|gesamt|gesamtsumme|somme|totaal|suma)\b`
	totalMessage    = "is a total, not a row"
	totalSuggestion = "nothing to do: totals are computed"
)

// attributes is the JSON of the unknown columns that hold something, null when none does.
func (l *load) attributes() string {
	if kept := l.exportColumn(exportAttributes); kept != "" {
		return kept
	}
	if len(l.unknown) == 0 {
		return "NULL::VARCHAR"
	}
	var parts []string
	seen := map[string]int{}
	for _, i := range l.unknown {
		name := strings.TrimSpace(l.t.Layout.Header[i])
		if name == "" {
			name = "column " + strconv.Itoa(i+1)
		}
		if seen[name]++; seen[name] > 1 {
			name += " (" + strconv.Itoa(seen[name]) + ")"
		}
		parts = append(parts, fmt.Sprintf("to_json(%s) || ':' || to_json(%s)", q(name), trimmed(fmt.Sprintf("c%d", i), l.t.Layout.Tidy)))
	}
	joined := "concat_ws(',', " + strings.Join(parts, ", ") + ")"
	return fmt.Sprintf("CASE WHEN %s <> '' THEN '{' || %s || '}' END", joined, joined)
}

func (l *load) hasAttributes() bool {
	return len(l.unknown) > 0 || l.exportColumn(exportAttributes) != ""
}

// inputSQL selects the inputs as in_<field>, with record when rows have numbers already,
// without the rejected rows.
func (l *load) inputSQL() string {
	var cols []string
	if l.rawTable {
		cols = append(cols, "r._record AS record")
	}
	from := l.raw() + " r"
	for _, name := range l.order {
		in := l.inputs[name]
		cols = append(cols, in.value+" AS in_"+name)
		if in.lookup != "" {
			from += fmt.Sprintf(" LEFT JOIN %s ON %s.v = %s", in.lookup, in.lookup, in.text)
		}
	}
	cols = append(cols, l.attributes()+" AS attributes")
	if key := l.exportColumn(exportKey); key != "" {
		cols = append(cols, fmt.Sprintf("replace(%s, %s, chr(31)) AS in_export_key", key, q(keyMark)))
	}
	text := "SELECT " + strings.Join(cols, ", ") + " FROM " + from
	if l.rejected {
		text += fmt.Sprintf(" WHERE r._record NOT IN (SELECT record FROM %s)", l.name("rejects"))
	}
	return text
}

// in is an input's value, a typed null when the file does not have it.
func (l *load) in(field string) string {
	f, _ := l.d.Field(field)
	if l.inputs[field] == nil {
		return "NULL::" + string(f.Kind.Type())
	}
	return "in_" + field
}

func (l *load) has(field string) bool { return l.inputs[field] != nil }

// pseudonym is the key under which a person's rows are kept.
func (l *load) pseudonym(names ...string) string {
	name := l.anyName(names)
	if name == "NULL" {
		return "NULL::VARCHAR"
	}
	return fmt.Sprintf("'p_' || substr(md5(%s || lower(%s)), 1, 16)", q(l.salt), name)
}

// anyName is the first of the inputs that says something, "NULL" when the file has none.
func (l *load) anyName(names []string) string {
	var parts []string
	for _, n := range names {
		if l.has(n) {
			parts = append(parts, "in_"+n)
		}
	}
	if len(parts) == 0 {
		return "NULL"
	}
	return "coalesce(" + strings.Join(append(parts, "NULL"), ", ") + ")"
}

// personInputs are the inputs that name the person of a dataset, the one that decides the
// key first; the kind is "staff" or "contact".
func (l *load) personInputs() (kind string, names []string) {
	switch l.d.Name {
	case "contacts":
		return "contact", []string{"contact_email", "contact_name"}
	case "license_assignments":
		return "contact", []string{"user_email"}
	}
	if _, ok := l.d.Field("staff_name"); ok {
		return "staff", []string{"staff_name", "staff_email", "staff_id"}
	}
	return "", nil
}

// stored is the SQL of a stored column over the inputs.
func (l *load) stored(column string) string {
	switch column {
	case ColClient:
		if l.d.Name == "clients" || !l.has("client_id") {
			return l.in("client_name")
		}
		return "coalesce(" + l.in("client_name") + ", 'id:' || in_client_id)"
	case ColStaff, ColPerson:
		_, names := l.personInputs()
		return l.pseudonym(names...)
	case "created_on":
		return "coalesce(" + l.in("created_on") + ", CAST(" + l.in("created_at") + " AS DATE))"
	case "ended_at":
		if l.has("started_at") && l.has("ended_at") && l.has("hours_worked") {
			// Work over midnight whose end has only a time: the hours tell that it is the next day's.
			return "CASE WHEN in_ended_at < in_started_at AND abs(in_hours_worked - 24 - date_diff('second', in_started_at, in_ended_at) / 3600) <= 0.25 THEN in_ended_at + INTERVAL 1 DAY ELSE in_ended_at END"
		}
	case "currency":
		if !l.has("currency") {
			break
		}
		return "upper(" + l.in("currency") + ")"
	case "status":
		if l.has("is_active") && l.d.Name != "staff" {
			return "coalesce(" + l.in("status") + ", CASE in_is_active WHEN true THEN 'active' WHEN false THEN 'inactive' END)"
		}
	}
	return l.in(column)
}

// fieldColumns lists the dataset's stored columns, private ones included.
func (l *load) fieldColumns() []warehouse.Column {
	return append(l.d.Columns(false), l.d.Columns(true)...)
}

// content is the canonical text of a row: every filled column with its field id, so that
// a column added later does not change it. Columns in leave out are not part of it.
func (l *load) content(leaveOut ...string) string {
	parts := []string{"''"}
	add := func(tag, column string) { // one concat of short constants is the engine's fastest way
		parts = append(parts, fmt.Sprintf("CASE WHEN %[2]s IS NULL THEN '' ELSE chr(31) || '%[1]s=' END, %[2]s", tag, column))
	}
	for _, c := range l.fieldColumns() {
		if !slices.Contains(leaveOut, c.Name) && !l.constantColumn(c.Name) {
			add(strconv.Itoa(c.ID), warehouse.QuoteIdent(c.Name))
		}
	}
	if l.d.Effective {
		add("from", "valid_from")
	}
	return "concat(" + strings.Join(parts, ", ") + ")"
}

// constantColumn reports whether a column is null in every row of this file.
func (l *load) constantColumn(column string) bool {
	if l.d.Name == "invoices" && (column == "net_amount" || column == "tax_basis") {
		return false // computed
	}
	return strings.HasPrefix(l.stored(column), "NULL::")
}

// source id of a row: its id, else its natural key, else null.
func (l *load) sourceID() (string, keyMode) {
	if l.exportColumn(exportKey) != "" {
		return "in_export_key", byID
	}
	id := "NULL::VARCHAR"
	if l.d.IDField != "" && l.has(l.d.IDField) {
		id = "in_" + l.d.IDField
	}
	fact := l.d.Month != ""
	if len(l.d.Natural) == 0 || fact && id != "NULL::VARCHAR" {
		if id == "NULL::VARCHAR" {
			return id, byContent
		}
		return id, byID
	}
	var parts []string
	for _, n := range l.d.Natural {
		f, _ := l.d.Field(n)
		if f.Column != "" {
			parts = append(parts, "coalesce("+l.stored(f.Column)+"::VARCHAR, '')")
		}
	}
	natural := strings.Join(parts, " || "+separator+" || ")
	if fact {
		return natural, byNatural
	}
	if l.d.Name == "clients" {
		known := "NULL"
		if id != "NULL::VARCHAR" {
			known = fmt.Sprintf("CASE WHEN %[1]s IN (SELECT source_id FROM now.clients WHERE source_system = %[2]s) THEN %[1]s END", id, q(l.source))
		}
		return "coalesce(" + known + ", stored_id, " + id + ", " + natural + ")", byID
	}
	if id == "NULL::VARCHAR" {
		return natural, byID
	}
	return "coalesce(" + id + ", " + natural + ")", byID
}

// rowID is the key of a row: md5 of source system and id, or of source system, content
// and ordinal 1 when it has no id.
func (l *load) rowID() string {
	plain := fmt.Sprintf("md5(%s || chr(31) || (%s) || chr(31) || '1')::UUID", q(l.source), l.content())
	keyed := fmt.Sprintf("md5(%s || chr(31) || source_id)::UUID", q(l.source))
	switch {
	case l.mode == byContent:
		return plain
	case l.d.Effective:
		return fmt.Sprintf("md5(%s || chr(31) || source_id || chr(31) || coalesce(valid_from::VARCHAR, ''))::UUID", q(l.source))
	case l.mode == byID && l.d.Month != "":
		return fmt.Sprintf("CASE WHEN source_id IS NULL THEN %s ELSE %s END", plain, keyed)
	}
	return keyed // every row has a source id
}

// stage makes the table of stored columns: one row for each record that is kept, several
// for a document with lines.
func (l *load) stage(ctx context.Context) error {
	var id, inner string
	id, l.mode = l.sourceID()
	if l.d.Name == "invoices" {
		source := l.inputSQL()
		if l.has("lines_json") {
			if err := l.explodeLines(ctx); err != nil {
				return err
			}
			source = "SELECT * FROM " + l.name("exploded")
		}
		id, l.mode = l.invoiceKey()
		inner = "SELECT *, " + id + " AS source_id FROM (" + l.invoiceSQL(source) + ")"
	} else {
		inner = l.stageSQL(id)
	}
	l.numbered = l.rawTable
	_, err := l.create(ctx, "TABLE", "staged", "AS SELECT *, "+l.rowID()+" AS row_id FROM ("+inner+")")
	return err
}

// stageSQL selects the stored columns from the inputs.
func (l *load) stageSQL(id string) string {
	var cols []string
	if l.rawTable {
		cols = append(cols, "record")
	}
	if l.mode != byContent {
		cols = append(cols, id+" AS source_id")
	}
	if l.hasAttributes() {
		cols = append(cols, "attributes")
	}
	if l.d.Effective {
		cols = append(cols, l.in("valid_from")+" AS valid_from")
	}
	for _, c := range l.fieldColumns() {
		if !l.constantColumn(c.Name) {
			cols = append(cols, fmt.Sprintf("CAST(%s AS %s) AS %s", l.stored(c.Name), c.Type, warehouse.QuoteIdent(c.Name)))
		}
	}
	from := " FROM (" + l.inputSQL() + ")"
	switch {
	case l.d.Name == "clients":
		// A client that came without an id, or now comes without one, is still the same.
		from += fmt.Sprintf(` LEFT JOIN (SELECT client_key AS stored_name, min(source_id) AS stored_id FROM now.clients WHERE source_system = %s GROUP BY 1 HAVING count(DISTINCT source_id) = 1) ON stored_name = in_client_name`, q(l.source))
	case l.joinedProducts():
		from = " FROM (SELECT * REPLACE (trim(unnest(string_split(in_product_name, '+'))) AS in_product_name) FROM (" + l.inputSQL() + "))"
	}
	return "SELECT " + strings.Join(cols, ", ") + from
}

// joinedProducts reports whether a cell may name several products: Microsoft's user
// exports join them with "+".
func (l *load) joinedProducts() bool {
	in := l.inputs["product_name"]
	if l.d.Name != "license_assignments" || in == nil {
		return false
	}
	h := normalizeHeader(in.header).full
	return h == "licenses" || h == "assignedproducts"
}

// staged is the relation of staged rows with their record numbers and every column of the
// dataset; what the file does not have is null and takes no room.
func (l *load) staged() string {
	cols := []string{"rowid AS _row", "*"}
	if !l.numbered {
		cols = append(cols, "rowid + 1 AS record")
	}
	if l.mode == byContent {
		cols = append(cols, "NULL::VARCHAR AS source_id")
	}
	if !l.hasAttributes() {
		cols = append(cols, "NULL::VARCHAR AS attributes")
	}
	for _, c := range l.fieldColumns() {
		if l.constantColumn(c.Name) {
			cols = append(cols, fmt.Sprintf("NULL::%s AS %s", c.Type, warehouse.QuoteIdent(c.Name)))
		}
	}
	return fmt.Sprintf("(SELECT %s FROM %s%s)", strings.Join(cols, ", "), l.name("staged"), l.tail)
}

// addRows adds a finding with the first records that sel yields.
func (l *load) addRows(ctx context.Context, f Finding, sel string) error {
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT DISTINCT record FROM (%s) ORDER BY record LIMIT %d", sel, sampleSize))
	if err != nil {
		return err
	}
	for _, r := range rows.Rows {
		f.Records = append(f.Records, r[0].(int64))
	}
	l.add(f)
	return nil
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}
