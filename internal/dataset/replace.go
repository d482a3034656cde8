package dataset

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Replace says which stored rows a file takes the place of.
type Replace string

// What a file may replace.
const (
	ReplacePeriod Replace = "period" // the days from its first to its last
	ReplaceTable  Replace = "table"  // the whole dataset, of its source
)

func (r Replace) check() error {
	switch r {
	case "", ReplacePeriod, ReplaceTable:
		return nil
	}
	return fault.WithFields(fmt.Sprintf("%q is not a way to replace", r), fault.Field{Path: "replace", Message: "unknown", Allowed: []string{string(ReplacePeriod), string(ReplaceTable)}})
}

// replace adds to the staged relations the condition of the rows that they replace. It
// refuses what looks like a mistake: a file without rows, and one whose days span months
// that it says nothing of.
func (l *load) replace(ctx context.Context, r Replace, staged []warehouse.Staged) error {
	if r == "" {
		return nil
	}
	cond := "source_system = " + q(l.source)
	if n, err := l.countLost(ctx); err != nil || n > 0 { // such a file may not replace, which commit says
		return err
	}
	rows, err := l.s.Query(ctx, "SELECT count(*) FROM "+l.staged())
	if err != nil {
		return err
	}
	if rows.Rows[0][0].(int64) == 0 {
		return fault.Newf(fault.Invalid, "%s holds no row, so all that it replaces would be deleted: check the export's filter and period; nothing was changed", l.t.Upload.Name)
	}
	switch {
	case r == ReplacePeriod && l.d.Month == "":
		return fault.WithFields(l.d.Title+" have no dates, so no period can be replaced", fault.Field{Path: "replace", Message: "not for " + l.d.Name, Allowed: []string{string(ReplaceTable)}})
	case r == ReplacePeriod:
		rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT min(%[1]s)::VARCHAR, max(%[1]s)::VARCHAR FROM %[2]s", warehouse.QuoteIdent(l.d.Month), l.staged()))
		if err != nil {
			return err
		}
		from, ok := rows.Rows[0][0].(string)
		to, _ := rows.Rows[0][1].(string)
		if !ok {
			return fault.Newf(fault.Invalid, "%s holds no dated row, so it spans no period to replace", l.t.Upload.Name)
		}
		cond += fmt.Sprintf(" AND %s BETWEEN DATE %s AND DATE %s", warehouse.QuoteIdent(l.d.Month), q(from), q(to))
		if err := l.silentMonths(ctx, cond, from, to); err != nil {
			return err
		}
	case l.d.Effective:
		// Earlier periods of an entity that the file holds are its history, not absence.
		kept, err := l.create(ctx, "TABLE", "entities_kept", fmt.Sprintf("AS SELECT DISTINCT source_id AS kept FROM %s", l.staged()))
		if err != nil {
			return err
		}
		cond += fmt.Sprintf(" AND source_id NOT IN (SELECT kept FROM %s WHERE kept IS NOT NULL)", kept)
	}
	for i := range staged {
		st := &staged[i]
		switch {
		case st.Replace != "":
			st.Replace = "(" + cond + ") OR (" + st.Replace + ")"
		case st.Beside && !l.d.Effective: // what belongs to a row that stays, stays
			st.Replace = fmt.Sprintf("%s AND row_id NOT IN (SELECT row_id FROM %s)", cond, staged[0].Relation)
		default:
			st.Replace = cond
		}
	}
	return nil
}

// silentMonths refuses to replace a span of days when stored rows of it that would go are
// in months of which the file has no row: one mistyped date makes the span that long.
func (l *load) silentMonths(ctx context.Context, cond, from, to string) error {
	month := "strftime(" + warehouse.QuoteIdent(l.d.Month) + ", '%Y-%m')"
	rows, err := l.s.Query(ctx, fmt.Sprintf(`SELECT %[1]s, count(*) FROM now.%[2]s WHERE %[3]s
AND %[1]s NOT IN (SELECT %[1]s FROM %[4]s WHERE %[5]s IS NOT NULL) AND row_id NOT IN (SELECT row_id FROM %[4]s) GROUP BY 1 ORDER BY 1`,
		month, l.d.Name, cond, l.staged(), warehouse.QuoteIdent(l.d.Month)))
	if err != nil || len(rows.Rows) == 0 {
		return err
	}
	var months []string
	var n int64
	for _, r := range rows.Rows {
		months = append(months, r[0].(string))
		n += r[1].(int64)
	}
	list := strings.Join(months, ", ")
	if len(months) > maxNamed {
		list = fmt.Sprintf("%s, … %s (%d months)", strings.Join(months[:maxNamed-1], ", "), months[len(months)-1], len(months))
	}
	return fault.Newf(fault.Invalid, "the dates of %s reach from %s to %s, but it holds no row of %s, where %s would be deleted. If a date is mistyped, correct it; if the rows are meant to go, import a file for each period, or replace the whole table; nothing was changed",
		l.t.Upload.Name, from, to, list, plural(n, "stored row", "stored rows"))
}

// maxNamed is how many months a message names.
const maxNamed = 6
