package dataset

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Rows without an id overlap with another file's in two ways. A row that equals a stored
// one may be the same or a second one: it is not stored again, and a person decides. New
// rows in a period that was imported before may be corrections of what is stored.

// importsOf lists the imports of a file with that hash: their rows are the file's own.
func (s *Service) importsOf(ctx context.Context, scope tenant.Scope, sha256 string) ([]int64, error) {
	var ids []int64
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		ids = ids[:0]
		rows, err := tx.Query(ctx, queries.Get("imports_of"), string(scope.Tenant), sha256)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("earlier imports: %w", err)
	}
	return ids, nil
}

// others is the relation of stored rows without an id that other files brought.
func (l *load) others() string {
	text := fmt.Sprintf("SELECT row_id FROM now.%s WHERE source_system = %s AND source_id IS NULL", l.d.Name, q(l.source))
	if len(l.before) > 0 {
		text += " AND import_id NOT IN (" + strings.Trim(strings.ReplaceAll(fmt.Sprint(l.before), " ", ", "), "[]") + ")"
	}
	return text
}

// byContentToo reports whether rows of the file may be known by their content only. Those
// of an export are what was stored.
func (l *load) byContentToo() bool {
	return l.d.Month != "" && l.exportColumn(exportKey) == "" && (l.mode == byContent || l.mode == byID)
}

// addOverlap numbers rows that equal stored ones of other files after those, when a person
// said that they are further rows. Importing the file again gives the same numbers.
func (l *load) addOverlap(ctx context.Context) error {
	if l.m.Options.Overlap != "add" || !l.byContentToo() {
		return nil
	}
	key := func(ordinal string) string {
		return fmt.Sprintf("md5(%s || chr(31) || content || chr(31) || %s)::UUID", q(l.source), ordinal)
	}
	same, err := l.create(ctx, "TABLE", "overlap", fmt.Sprintf(`AS SELECT _row, row_id, content, row_number() OVER (PARTITION BY content ORDER BY record, _row) AS n, 0::BIGINT AS m
FROM (SELECT _row, record, row_id, %s AS content FROM %s WHERE source_id IS NULL)`, l.content(), l.staged()))
	if err != nil {
		return err
	}
	for m := 1; ; m++ {
		rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE m = %d AND %s IN (%s)", same, m-1, key(fmt.Sprint(m)), l.others()))
		if err != nil {
			return err
		}
		if rows.Rows[0][0].(int64) == 0 {
			break
		}
		if err := l.s.Exec(ctx, fmt.Sprintf("UPDATE %s SET m = %d WHERE m = %d AND %s IN (%s)", same, m, m-1, key(fmt.Sprint(m)), l.others())); err != nil {
			return err
		}
	}
	return l.s.Exec(ctx, fmt.Sprintf("UPDATE %s AS t SET row_id = %s FROM %s x WHERE t.rowid = x._row AND x.m > 0", l.name("staged"), key("(x.n + x.m)"), same))
}

// overlap warns of rows without an id that equal stored ones of another file, and of new
// ones in a period that holds such rows already.
func (l *load) overlap(ctx context.Context) error {
	if !l.byContentToo() {
		return nil
	}
	month := warehouse.QuoteIdent(l.d.Month)
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM now.%s WHERE source_system = %s AND source_id IS NULL", l.d.Name, q(l.source)))
	if err != nil || rows.Rows[0][0].(int64) == 0 {
		return err
	}
	again := fmt.Sprintf("SELECT record FROM %s WHERE source_id IS NULL AND row_id IN (%s)", l.staged(), l.others())
	rows, err = l.s.Query(ctx, fmt.Sprintf(`WITH mine AS (SELECT row_id, %[1]s AS day FROM %[2]s WHERE source_id IS NULL), span AS (SELECT min(day) AS a, max(day) AS b FROM mine),
old AS (SELECT row_id FROM now.%[3]s, span WHERE source_system = %[4]s AND source_id IS NULL AND %[1]s BETWEEN a AND b)
SELECT (SELECT count(*) FROM mine WHERE row_id NOT IN (SELECT row_id FROM old)), (SELECT count(*) FROM old), (SELECT count(*) FROM old WHERE row_id NOT IN (SELECT row_id FROM mine)), (SELECT count(*) FROM (%[5]s))`,
		month, l.staged(), l.d.Name, q(l.source), again))
	if err != nil {
		return err
	}
	added, there, gone, same := rows.Rows[0][0].(int64), rows.Rows[0][1].(int64), rows.Rows[0][2].(int64), rows.Rows[0][3].(int64)
	f := Finding{Code: "possible_overlap", Severity: Warning, Count: same, again: same > 0 && l.m.Options.Overlap == ""}
	var said []string
	if f.again {
		said = append(said, plural(same, "row equals a stored one of another file and was not stored again", "rows equal stored ones of another file and were not stored again"))
		f.Suggestion = "nothing to do when they are the same; when they are other rows, import the file again so that they are stored, too (overlap: add); "
	} else {
		f.Count = 0
	}
	if added > 0 && there > 0 && l.m.Options.Overlap == "" {
		f.Count += added
		said = append(said, fmt.Sprintf("%s new in a period that was imported before; %s there already and %s not in this file", plural(added, "row is", "rows are"), plural(there, "row was", "rows were"), plural(gone, "of them is", "of them are")))
		f.Suggestion += "if this file corrects the earlier one, import it again so that it replaces its period, which deletes what it does not hold of these days; "
	}
	if f.Count == 0 {
		return nil
	}
	f.Message, f.Suggestion = strings.Join(said, "; "), f.Suggestion+"an id column in the export settles it"
	return l.addRows(ctx, f, again)
}
