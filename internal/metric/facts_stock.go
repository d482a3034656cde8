package metric

import "strings"

// Views of facts that are looked at on a day: look(day, month) holds the days.

const newestFirst = "valid_from DESC NULLS LAST, source_system, source_id"

// firstOf aggregates columns to those of the newest row.
func firstOf(columns ...string) string {
	for i, c := range columns {
		columns[i] = "first(" + c + " ORDER BY " + newestFirst + ") AS " + c
	}
	return strings.Join(columns, ", ")
}

var assetView = view{with: []string{"look"}, sql: `SELECT 'assets' AS origin, t.row_id, t.import_id, t.record, a.day, a.month, t.client_key, 1 AS endpoints FROM look a JOIN assets t
  ON coalesce(t.managed, true) AND lower(coalesce(t.asset_type, 'workstation')) IN ('workstation', 'server', 'laptop', 'desktop')
  AND (t.first_seen IS NULL OR t.first_seen <= a.day) AND (t.last_seen IS NULL OR t.last_seen >= a.day - 30)`}
