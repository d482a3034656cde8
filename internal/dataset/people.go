package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// normalName is the form in which two spellings of a name are the same: lower case,
// letters and digits, single spaces.
func normalName(v string) string {
	return fmt.Sprintf(`trim(regexp_replace(replace(lower(nfc_normalize(%s)), '''', ''), '[^\p{L}\p{N}]+', ' ', 'g'))`, v)
}

// people makes the relation of persons that the file names and that are new or better
// known now, "" when there are none. Their record is null: they are no records.
func (l *load) people(ctx context.Context) (string, error) {
	kind, names := l.personInputs()
	key := l.pseudonym(names...)
	if kind == "" || strings.HasPrefix(key, "NULL") {
		return "", nil
	}
	name, email := "NULL::VARCHAR", "NULL::VARCHAR"
	for _, n := range []string{"staff_name", "contact_name", "user_name"} {
		if l.has(n) {
			name = "in_" + n
		}
	}
	for _, n := range []string{"staff_email", "contact_email", "user_email"} {
		if l.has(n) {
			email = "in_" + n
		}
	}
	if l.has("staff_id") && !l.has("staff_name") && !l.has("staff_email") {
		name = "in_staff_id"
	}
	if len(l.suppressed) > 0 {
		erased := fmt.Sprintf("(%s IN (%s) OR %s OR %s)", key, l.suppressedList(), l.isSuppressed(name), l.isSuppressed(email))
		name, email = "CASE WHEN NOT "+erased+" THEN "+name+" END", "CASE WHEN NOT "+erased+" THEN "+email+" END"
	}
	// The names, not the key, are tested for null: the engine would otherwise work out the
	// key of every row before it drops the repeated ones.
	rel, err := l.create(ctx, "TABLE", "people", fmt.Sprintf(`AS SELECT md5('people' || chr(31) || %[1]s || chr(31) || f.k)::UUID AS row_id, %[2]s AS source_system, f.k AS source_id, %[3]d::BIGINT AS import_id,
 NULL::BIGINT AS record, NULL::VARCHAR AS attributes, f.k AS person_key, %[1]s AS kind, coalesce(f.name, p.name) AS name, coalesce(f.email, p.email) AS email
FROM (SELECT %[4]s AS k, min(%[5]s) AS name, min(%[6]s) AS email FROM (SELECT DISTINCT %[7]s) WHERE coalesce(%[8]s) IS NOT NULL GROUP BY 1) f
LEFT JOIN (SELECT person_key, any_value(name) AS name, any_value(email) AS email FROM now.people WHERE kind = %[1]s GROUP BY 1) p ON p.person_key = f.k
WHERE p.person_key IS NULL OR (f.email IS NOT NULL AND p.email IS NULL) OR (f.name IS NOT NULL AND p.name IS NULL)`,
		q(kind), q(l.source), l.importID, key, name, email, l.namesSQL(names), l.anyName(names)))
	if err != nil {
		return "", err
	}
	return rel, nil
}

// namesSQL selects the inputs that name persons, of the rows that are kept.
func (l *load) namesSQL(names []string) string {
	var cols []string
	for _, n := range append(names, "user_name") {
		if in := l.inputs[n]; in != nil {
			cols = append(cols, in.value+" AS in_"+n)
		}
	}
	from := l.raw()
	if l.named && !l.rawTable { // no row is rejected then
		from = "(SELECT unnest(names, recursive := true) FROM " + l.name("names") + ")"
	}
	text := strings.Join(cols, ", ") + " FROM " + from + " r"
	if l.rejected {
		text += fmt.Sprintf(" WHERE r._record NOT IN (SELECT record FROM %s)", l.name("rejects"))
	}
	return text
}

// nameCells are the raw cells that name people, as fields of a struct; none when a name
// is a constant.
func (l *load) nameCells() []string {
	_, names := l.personInputs()
	var cells []string
	for _, n := range append(names, "user_name") {
		in := l.inputs[n]
		if in == nil {
			continue
		}
		if in.bind.Columns == nil {
			return nil
		}
		for _, c := range in.bind.Columns {
			if cell := fmt.Sprintf("c%[1]d: c%[1]d", c); !slices.Contains(cells, cell) {
				cells = append(cells, cell)
			}
		}
	}
	return cells
}

// knownClients reports whether the tenant has any clients beside this file.
func (l *load) knownClients(ctx context.Context) (bool, error) {
	rows, err := l.s.Query(ctx, "SELECT count(*) FROM now.clients")
	if err != nil {
		return false, err
	}
	return rows.Rows[0][0].(int64) > 0, nil
}
