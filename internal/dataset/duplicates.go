package dataset

import (
	"context"
	"fmt"
)

// resolveDuplicates deals with rows that have the same key as another one of the file.
func (l *load) resolveDuplicates(ctx context.Context) error {
	staged := l.name("staged")
	repeated, err := l.create(ctx, "TABLE", "repeated", fmt.Sprintf("AS SELECT row_id FROM %s GROUP BY row_id HAVING count(*) > 1", staged))
	if err != nil {
		return err
	}
	rows, err := l.s.Query(ctx, "SELECT count(*) FROM "+repeated)
	if err != nil || rows.Rows[0][0].(int64) == 0 {
		return err
	}
	// n counts the rows of a key, nth those of the key that are equal: the first of a content has nth 1.
	twins, err := l.create(ctx, "TABLE", "twins", fmt.Sprintf(`AS SELECT *, first_value(record) OVER (PARTITION BY row_id ORDER BY record, _row) AS first,
 row_number() OVER (PARTITION BY row_id ORDER BY record, _row) AS n, row_number() OVER (PARTITION BY row_id, content ORDER BY record, _row) AS nth,
 content = first_value(content) OVER (PARTITION BY row_id ORDER BY record, _row) AS same
FROM (SELECT _row, record, row_id, source_id, %s AS content FROM %s WHERE row_id IN (FROM %s))`,
		l.allContent(l.content(l.mutable()...)), l.staged(), repeated))
	if err != nil {
		return err
	}
	// Rows without an id: the ordinal among equal ones is part of the key.
	if err := l.s.Exec(ctx, fmt.Sprintf(`UPDATE %s AS t SET row_id = md5(%s || chr(31) || (%s) || chr(31) || x.n)::UUID FROM %s x WHERE t.rowid = x._row AND x.n > 1 AND x.source_id IS NULL`,
		staged, q(l.source), l.content(), twins)); err != nil {
		return err
	}
	switch {
	case l.mode == byID, l.mode == byRegister, l.mode == byContent && l.m.Options.Duplicates == "drop":
		if err := l.dropTwins(ctx, twins); err != nil {
			return err
		}
	}
	if l.mode == byNatural || l.mode == byRegister {
		// The number of a row counts distinct contents first and does not depend on the order
		// of the rows, so that every import of the file gives the same.
		key := "t.source_id || chr(31) || '#' || x.k"
		if err := l.s.Exec(ctx, fmt.Sprintf(`UPDATE %[1]s AS t SET source_id = %[2]s, row_id = md5(%[3]s || chr(31) || %[2]s)::UUID
FROM (SELECT _row, row_number() OVER (PARTITION BY row_id ORDER BY nth, content) AS k FROM %[4]s WHERE %[5]s) x WHERE t.rowid = x._row AND x.k > 1`,
			staged, key, q(l.source), twins, map[bool]string{true: "nth = 1", false: "true"}[l.mode == byRegister])); err != nil {
			return err
		}
	}
	return l.reportTwins(ctx, twins)
}

// reportTwins adds the findings about rows that were kept although they are equal.
func (l *load) reportTwins(ctx context.Context, twins string) error {
	kept := "nth > 1"
	switch l.mode {
	case byID:
		kept += " AND source_id IS NULL"
	case byRegister:
		return nil
	case byContent:
		if l.m.Options.Duplicates == "drop" {
			return nil
		}
	}
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", twins, kept))
	if err != nil {
		return err
	}
	n := rows.Rows[0][0].(int64)
	if n == 0 {
		return nil
	}
	return l.addRows(ctx, Finding{Code: "possible_duplicates", Severity: Info, Count: n,
		Message:    plural(n, "row is", "rows are") + " equal to another row of the file in every known column; all are stored, as nothing shows that they are the same thing",
		Suggestion: "include an id column in the export to tell repeats from real rows"}, fmt.Sprintf("SELECT record FROM %s WHERE %s", twins, kept))
}

// allContent adds the unknown columns to a row's content: rows that differ only there
// are not repeats.
func (l *load) allContent(content string) string {
	if len(l.unknown) == 0 || l.mode == byContent {
		return content
	}
	return content + " || coalesce(attributes, '')"
}

// dropTwins leaves out rows that repeat another one and, where the key is an id, rejects
// rows that contradict it.
func (l *load) dropTwins(ctx context.Context, twins string) error {
	repeats, dropped := "nth > 1", "nth > 1"
	if l.mode == byContent {
		repeats, dropped = "n > 1", "n > 1"
	}
	if l.mode == byID {
		repeats, dropped = "n > 1 AND same AND source_id IS NOT NULL", "n > 1 AND source_id IS NOT NULL"
	}
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FILTER (%s), count(*) FILTER (%s) FROM %s", repeats, dropped, twins))
	if err != nil {
		return err
	}
	n, all := rows.Rows[0][0].(int64), rows.Rows[0][1].(int64)
	if all > n {
		if err := l.ensureRaw(ctx); err != nil {
			return err
		}
		column := "key"
		if in := l.inputs[l.d.IDField]; in != nil {
			column = in.header
		}
		if err := l.reject(ctx, fmt.Sprintf(`SELECT w.record, r._line, 2000, %s, replace(w.source_id, chr(31), ' / '), 'dup_natural_key', 'stands in record ' || w.first || ' already, with other values', 'keep one of the two rows'
FROM %s w JOIN %s r ON r._record = w.record WHERE n > 1 AND NOT same AND source_id IS NOT NULL`, q(column), twins, l.raw())); err != nil {
			return err
		}
	}
	l.tail = fmt.Sprintf(" WHERE rowid NOT IN (SELECT _row FROM %s WHERE %s)", twins, dropped)
	if l.numbered && l.rejected {
		l.tail += fmt.Sprintf(" AND record NOT IN (SELECT record FROM %s)", l.name("rejects"))
	}
	if n == 0 {
		return nil
	}
	// A record of several rows is dropped when none of them is left.
	gone := fmt.Sprintf("SELECT count(DISTINCT record) FROM %s WHERE %s AND record NOT IN (SELECT record FROM %s)", twins, repeats, l.staged())
	if l.rejected {
		gone += fmt.Sprintf(" AND record NOT IN (SELECT record FROM %s)", l.name("rejects"))
	}
	if rows, err = l.s.Query(ctx, gone); err != nil {
		return err
	}
	l.dropped += rows.Rows[0][0].(int64)
	return l.addRows(ctx, Finding{Code: "duplicate_rows", Severity: Info, Count: n,
		Message: plural(n, "row repeats", "rows repeat") + " another row of the file and count once"}, fmt.Sprintf("SELECT record FROM %s WHERE %s", twins, repeats))
}
