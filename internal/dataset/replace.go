package dataset

import (
	"context"
	"fmt"

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

// replace adds to the staged relations the condition of the rows that they replace.
func (l *load) replace(ctx context.Context, r Replace, staged []warehouse.Staged) error {
	if r == "" {
		return nil
	}
	cond := "source_system = " + q(l.source)
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
