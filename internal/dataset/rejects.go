package dataset

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

func (l *load) countRejects(ctx context.Context) (int64, error) {
	if !l.rejected {
		return 0, nil
	}
	rows, err := l.s.Query(ctx, "SELECT count(DISTINCT record) FROM "+l.name("rejects"))
	if err != nil {
		return 0, err
	}
	return rows.Rows[0][0].(int64), nil
}

// countLost counts the rejected rows that nobody asked to leave out.
func (l *load) countLost(ctx context.Context) (int64, error) {
	if !l.rejected {
		return 0, nil
	}
	rows, err := l.s.Query(ctx, "SELECT count(DISTINCT record) FROM "+l.name("rejects")+" WHERE record NOT IN (SELECT record FROM "+l.name("rejects")+" WHERE code = 'skipped')")
	if err != nil {
		return 0, err
	}
	return rows.Rows[0][0].(int64), nil
}

// listRejects calls fn with the rejects in the order of the file, skipping the first
// skip, up to limit of them in batches: one for each record, the first column's reason.
func (l *load) listRejects(ctx context.Context, skip, limit int64, fn func([]Reject) error) error {
	if !l.rejected {
		return nil
	}
	row, join := "source_row", ""
	if l.rawTable {
		cells := make([]string, len(l.t.Layout.Header))
		delim := l.t.Dialect.Delimiter
		if delim == "" {
			delim = ","
		}
		for i := range cells {
			cells[i] = quotedCell(fmt.Sprintf("c%d", i), delim)
		}
		row = fmt.Sprintf("coalesce(source_row, left(concat_ws(%s, %s), %d))", q(delim), strings.Join(cells, ", "), maxRowText)
		join = " LEFT JOIN " + l.raw() + " w ON w._record = j.record"
	}
	var batch []Reject
	err := l.s.Each(ctx, fmt.Sprintf(`SELECT j.record, j.line, "column", value, code, message || CASE WHEN more > 0 THEN ' (and ' || more || ' more in this row)' ELSE '' END, suggestion, %s FROM (
 SELECT record, min(line) AS line, arg_min("column", ord) AS "column", arg_min(value, ord) AS value, arg_min(code, ord) AS code, arg_min(message, ord) AS message, arg_min(suggestion, ord) AS suggestion,
  min(source_row) AS source_row, count(*) - 1 AS more FROM %s GROUP BY record) j%s ORDER BY j.record LIMIT %d OFFSET %d`, row, l.name("rejects"), join, limit, skip),
		func(v []any) error {
			text := func(i int) string { s, _ := v[i].(string); return s }
			batch = append(batch, Reject{Record: v[0].(int64), Line: v[1].(int64), Column: text(2), Value: cutText(text(3), 1000), Code: text(4), Message: text(5), Suggestion: text(6), Row: text(7)})
			if len(batch) < rejectBatch {
				return nil
			}
			full := batch
			batch = nil
			return fn(full)
		})
	if err != nil || len(batch) == 0 {
		return err
	}
	return fn(batch)
}

// keepRejects writes all rejects before the commit: too many for its transaction.
func (s *Service) keepRejects(ctx context.Context, l *load) error {
	next := int64(1)
	err := l.listRejects(ctx, 0, l.rows+l.t.Records, func(batch []Reject) error {
		err := s.db.Transact(ctx, func(tx *metadb.Tx) error { return insertRejects(ctx, tx, l.importID, next, batch) })
		next += int64(len(batch))
		return err
	})
	if err != nil {
		s.forgetRejects(context.WithoutCancel(ctx), l.importID)
		return fmt.Errorf("rejected rows: %w", err)
	}
	return nil
}

// forgetRejects removes the rejects of an import that did not commit. What it cannot
// remove belongs to no import and is never shown.
func (s *Service) forgetRejects(ctx context.Context, importID int64) {
	_ = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("delete_rejects"), importID)
		return err
	})
}
