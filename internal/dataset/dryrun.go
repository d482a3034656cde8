package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// dryRun counts what a commit would do, by comparing with what is stored now.
func (s *Service) dryRun(ctx context.Context, scope tenant.Scope, l *load, c warehouse.Change, r ImportResult) (ImportResult, error) {
	var parts []string
	for _, st := range c.Staged {
		t, _ := l.d.privateTable()
		if st.Table == l.d.Name {
			t = l.d.Table()
		}
		parts = append(parts, l.compareSQL(t, st.Relation))
		if st.Replace != "" {
			rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM now.%s WHERE (%s) AND row_id NOT IN (SELECT row_id FROM %s)", t.Name, st.Replace, st.Relation))
			if err != nil {
				return r, err
			}
			r.RowsDeleted = rows.Rows[0][0].(int64)
		}
	}
	rows, err := l.s.Query(ctx, fmt.Sprintf(`SELECT count(*) FILTER (fresh), count(*) FILTER (NOT fresh AND NOT same), count(*) FILTER (same AND NOT fresh)
FROM (SELECT record, bool_and(fresh) AS fresh, bool_and(same) AS same FROM (%s) GROUP BY record)`, strings.Join(parts, " UNION ALL ")))
	if err != nil {
		return r, err
	}
	v := rows.Rows[0]
	r.RowsAdded, r.RowsUpdated, r.RowsUnchanged = v[0].(int64), v[1].(int64), v[2].(int64)+l.dropped
	r.Snapshot, err = s.w.Current(ctx, scope)
	return r, err
}

// compareSQL selects record, fresh and same of each staged row against the stored table.
func (l *load) compareSQL(t warehouse.Table, rel string) string {
	equal := func(a, b string, but ...string) string {
		var parts []string
		for _, c := range t.Columns {
			if c.Name != ColRowID && !slices.Contains(t.Provenance, c.Name) && !slices.Contains(but, c.Name) {
				n := warehouse.QuoteIdent(c.Name)
				parts = append(parts, a+"."+n+" IS NOT DISTINCT FROM "+b+"."+n)
			}
		}
		return strings.Join(parts, " AND ")
	}
	if !t.Effective {
		return fmt.Sprintf("SELECT r.record, c.row_id IS NULL AS fresh, c.row_id IS NOT NULL AND (r.source_id IS NULL OR (%s)) AS same FROM %s r LEFT JOIN now.%s c ON c.row_id = r.row_id", equal("r", "c"), rel, t.Name)
	}
	// As the warehouse resolves a missing first day: the newest row of the entity decides.
	return fmt.Sprintf(`SELECT r.record, c.source_id IS NULL AS fresh, c.source_id IS NOT NULL AND (%[1]s) AS same FROM (
 SELECT s.* REPLACE (CASE WHEN s.valid_from IS NOT NULL OR n.source_id IS NULL THEN s.valid_from WHEN %[2]s THEN n.valid_from ELSE DATE %[3]s END AS valid_from)
 FROM %[4]s s LEFT JOIN (SELECT * FROM now.%[5]s QUALIFY row_number() OVER (PARTITION BY source_system, source_id ORDER BY valid_from DESC NULLS LAST) = 1) n ON n.source_system = s.source_system AND n.source_id = s.source_id) r
LEFT JOIN now.%[5]s c ON c.source_system = r.source_system AND c.source_id = r.source_id AND c.valid_from IS NOT DISTINCT FROM r.valid_from`,
		equal("r", "c"), equal("n", "s", ColValidFrom, ColValidTo), q(l.today.String()), rel, t.Name)
}
