package dataset

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// The columns of an export that keep what the fields do not say: the key of a row, and its
// columns that no field takes.
const (
	exportKey        = "export_key"
	exportAttributes = "export_attributes"
)

// keyMark stands in exported keys for the separator of their parts, which editors lose.
const keyMark = "␟"

// Export writes the stored rows of a dataset that came from one source system as CSV in
// its fields: imported again for the same source, it changes nothing. With source "" the
// rows must all be of one. Cells that would run as formulas are as in a RejectsFile.
func (s *Service) Export(ctx context.Context, scope tenant.Scope, dataset, source string, w io.Writer) error {
	if err := scope.Whole("exports of stored tables"); err != nil {
		return err
	}
	d, ok := Find(dataset)
	if !ok {
		return fault.WithFields("there is no dataset "+dataset, fault.Field{Path: "dataset", Message: "unknown", Allowed: Names()})
	}
	session, err := s.w.NewSession(ctx, scope)
	if err != nil {
		return fmt.Errorf("export %s: %w", dataset, err)
	}
	defer session.Close()
	if source, err = sourceOf(ctx, session, d, source); err != nil {
		return err
	}
	cells := []struct{ header, sql string }{{exportKey, fmt.Sprintf("replace(t.source_id, chr(31), %s)", q(keyMark))}}
	for _, f := range d.Fields {
		if sql := f.exportSQL(); sql != "" {
			cells = append(cells, struct{ header, sql string }{f.Name, sql})
		}
	}
	cells = append(cells, struct{ header, sql string }{exportAttributes, "t.attributes"})
	from := d.exportFrom(source)
	var counts []string
	for _, c := range cells {
		counts = append(counts, "count("+c.sql+")")
	}
	rows, err := session.Query(ctx, "SELECT "+strings.Join(counts, ", ")+" FROM "+from)
	if err != nil {
		return fmt.Errorf("export %s: %w", dataset, err)
	}
	var header, columns []string
	for i, c := range cells {
		if rows.Rows[0][i].(int64) > 0 || c.header == exportKey {
			header, columns = append(header, c.header), append(columns, "coalesce("+c.sql+", '')")
		}
	}
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	order := "t.import_id, t.record, t.row_id"
	if d.Effective {
		order = "t.valid_from NULLS FIRST, " + order
	}
	err = session.Each(ctx, fmt.Sprintf("SELECT [%s] FROM %s ORDER BY %s", strings.Join(columns, ", "), from, order), func(row []any) error {
		record := make([]string, 0, len(header))
		for _, v := range list(row[0]) {
			record = append(record, InertCell(text(v)))
		}
		return out.Write(record)
	})
	if err != nil {
		return fmt.Errorf("export %s: %w", dataset, err)
	}
	out.Flush()
	return out.Error()
}

// sourceOf is the source system to export: the one wanted, or the only one.
func sourceOf(ctx context.Context, s *warehouse.Session, d Dataset, wanted string) (string, error) {
	rows, err := s.Query(ctx, "SELECT DISTINCT source_system FROM now."+d.Name+" ORDER BY 1")
	if err != nil {
		return "", fmt.Errorf("export %s: %w", d.Name, err)
	}
	var all []string
	for _, r := range rows.Rows {
		all = append(all, text(r[0]))
	}
	switch {
	case wanted == "" && len(all) == 1:
		return all[0], nil
	case wanted == "" && len(all) > 1:
		return "", fault.WithFields(d.Title+" come from several sources: export one at a time", fault.Field{Path: "source", Message: "is missing", Allowed: all})
	case wanted != "" && !slices.Contains(all, wanted):
		return "", fault.WithFields("there are no "+d.Title+" of the source "+wanted, fault.Field{Path: "source", Message: "unknown", Allowed: all})
	}
	return wanted, nil
}

// exportSQL is a field's text as the import reads it, "" when it is none of the export.
func (f Field) exportSQL() string {
	switch f.Name {
	case "staff_name", "contact_name", "user_name":
		if !f.Private {
			return "m.name"
		}
	case "staff_email", "contact_email", "user_email":
		if !f.Private {
			return "m.email"
		}
	}
	if f.Column == "" {
		return ""
	}
	column := "t." + warehouse.QuoteIdent(f.Column)
	if f.Private {
		column = "p." + warehouse.QuoteIdent(f.Column)
	}
	switch f.Kind {
	case Boolean:
		return "CASE WHEN " + column + " THEN 'yes' WHEN NOT " + column + " THEN 'no' END"
	case Share:
		return "CAST(" + column + " * 100 AS VARCHAR) || '%'"
	}
	return "CAST(" + column + " AS VARCHAR)"
}

// exportFrom joins a dataset's rows of a source with what is kept apart from them.
func (d Dataset) exportFrom(source string) string {
	from := "now." + d.Name + " t"
	if _, ok := d.privateTable(); ok {
		id := "t.row_id"
		if d.Effective {
			id = "md5(t.source_system || chr(31) || t.source_id)::UUID"
		}
		from += fmt.Sprintf(" LEFT JOIN now.%s p ON p.row_id = %s", PrivateTable(d.Name), id)
	}
	for _, f := range d.Fields {
		if f.Column == ColStaff || f.Column == ColPerson {
			from += fmt.Sprintf(" LEFT JOIN (SELECT person_key, any_value(name) AS name, any_value(email) AS email FROM now.people GROUP BY 1) m ON m.person_key = t.%s", f.Column)
		}
	}
	return from + " WHERE t.source_system = " + q(source)
}

// exportColumn is the SQL of a column of an export over the raw rows, "" when the file has none.
func (l *load) exportColumn(name string) string {
	if i := slices.Index(l.t.Layout.Header, name); i >= 0 && slices.Contains(l.t.Layout.Header, exportKey) {
		return fmt.Sprintf("nullif(c%d, '')", i)
	}
	return ""
}

// leaveHistory leaves out the rows of an export that hold since ever and are stored so:
// without a day they would be taken for a change of today where a later row holds now.
func (l *load) leaveHistory(ctx context.Context) error {
	if !l.d.Effective || l.exportColumn(exportKey) == "" {
		return nil
	}
	same := []string{"n.row_id = s.row_id", "n.valid_from IS NULL", "s.valid_from IS NULL"}
	for _, c := range l.d.Columns(false) {
		same = append(same, fmt.Sprintf("n.%[1]s IS NOT DISTINCT FROM s.%[1]s", warehouse.QuoteIdent(c.Name)))
	}
	past, err := l.create(ctx, "TABLE", "history", fmt.Sprintf("AS SELECT s._row FROM %s s JOIN now.%s n ON %s", l.staged(), l.d.Name, strings.Join(same, " AND ")))
	if err != nil {
		return err
	}
	rows, err := l.s.Query(ctx, "SELECT count(*) FROM "+past)
	if err != nil || rows.Rows[0][0].(int64) == 0 {
		return err
	}
	l.dropped += rows.Rows[0][0].(int64)
	word := " WHERE"
	if l.tail != "" {
		word = " AND"
	}
	l.tail += fmt.Sprintf("%s rowid NOT IN (SELECT _row FROM %s)", word, past)
	return nil
}
