package metric

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// SourceRows are the stored rows behind a number.
type SourceRows struct {
	Measure string `json:"measure"` // the base measure whose rows these are
	Table   string `json:"table"`   // the main table; each row names its own
	// Columns are table, row_id, import_id, record (its number in that import's file), date,
	// number (the source's own: an invoice's number, otherwise the id, null without one),
	// then what the rows are cut by; the last is the amount. Capacity that is only assumed
	// has no stored row.
	Columns  []string           `json:"columns"`
	Rows     [][]any            `json:"rows"`
	Next     int                `json:"next,omitempty"` // offset of the next page; 0 when this is the last
	Snapshot warehouse.Snapshot `json:"snapshot"`
}

// maxPage is the most rows of one page of SourceRows.
const maxPage = 1000

// RowsBehind returns the stored rows whose amounts add up to a base measure in a query's
// period and condition, largest amounts first, at most 1,000 from offset on (100 when
// limit is 0). A measure with a formula has the rows of its base measures: ask for each of
// FlatInputs. q.Measures must name one base measure; its dimensions and order are ignored.
func (c *Catalog) RowsBehind(ctx context.Context, scope tenant.Scope, q Query, offset, limit int) (*SourceRows, error) {
	if limit <= 0 || limit > maxPage {
		limit = 100
	}
	if offset < 0 {
		return nil, fault.Newf(fault.Invalid, "the offset must not be negative")
	}
	return c.rowsBehind(ctx, scope, q, fmt.Sprintf(" LIMIT %d OFFSET %d", limit+1, offset), limit, offset+limit)
}

// AllRowsBehind returns what RowsBehind does, all rows at once: more than 100,000 are a
// TooLarge fault, never a cut.
func (c *Catalog) AllRowsBehind(ctx context.Context, scope tenant.Scope, q Query) (*SourceRows, error) {
	return c.rowsBehind(ctx, scope, q, "", maxRows, 0)
}

// rowsBehind reads rows: at most limit, one more says that there is a page at next.
func (c *Catalog) rowsBehind(ctx context.Context, scope tenant.Scope, q Query, cut string, limit, next int) (*SourceRows, error) {
	if len(q.Measures) != 1 {
		return nil, fault.Newf(fault.Invalid, "ask for the rows of one measure at a time")
	}
	c, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	m, err := c.Measure(q.Measures[0])
	if err != nil {
		return nil, err
	}
	if !m.Base() {
		return nil, fault.WithFields(fmt.Sprintf("%s is a formula: ask for the rows of its inputs", m.Name), fault.Field{Path: "measure", Message: "has no rows of its own", Allowed: m.base})
	}
	q.rows = true
	q.Dimensions, q.Grain, q.Compare, q.Order, q.Limit, q.Top = nil, "", "", nil, 0, nil
	if q.Snapshot == 0 {
		if q.Snapshot, err = c.w.Current(ctx, scope); err != nil {
			return nil, err
		}
	}
	if q, err = c.prepare(ctx, scope, q); err != nil {
		return nil, err
	}
	if len(q.hidden) > 0 {
		return nil, fault.WithFields("a condition on a measure chooses cells, not rows", fault.Field{Path: "where", Message: "name the cells, such as client = \"Harbor Dental\", or a segment"})
	}
	checked, err := c.ask(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	f := checked.facts[0]
	out := &SourceRows{Measure: m.Name, Table: f.Tables[0], Columns: []string{"table", "row_id", "import_id", "record", "date", "number"}, Snapshot: q.Snapshot, Rows: [][]any{}}
	cols := []string{"f.origin", "f.row_id", "f.import_id", "f.record", "f.day", "NULL"}
	var named []string
	for _, k := range f.Keys {
		if c.hides(scope.Rights, k) {
			continue
		}
		if dim := c.dimensionOf(k); dim != "" {
			named = append(named, dim)
			cols = append(cols, f.expr(dim, "f.day"))
			out.Columns = append(out.Columns, dim)
		} else {
			cols = append(cols, "f."+k)
			out.Columns = append(out.Columns, k)
		}
	}
	if f.Money {
		cols = append(cols, "f.currency")
		out.Columns = append(out.Columns, "currency")
	}
	column := "f." + m.Column
	cols = append(cols, column)
	out.Columns = append(out.Columns, m.Name)
	b := &builder{q: checked}
	r := b.read(f, nil, named)
	r.where = append(r.where, column+" IS NOT NULL", column+" <> 0")
	sql := b.withHelpers(fmt.Sprintf("SELECT %s%s ORDER BY abs(%s) DESC, f.day, f.row_id%s", strings.Join(cols, ", "), r.from(), column, cut))
	most := limit
	if cut != "" {
		most++
	}
	rows, err := c.w.Query(ctx, scope, warehouse.Statement{Obeys: checked.obeys, Snapshot: q.Snapshot, SQL: sql, Args: b.args, Uses: b.uses, Helpers: b.helpers, MaxRows: most})
	if err != nil {
		return nil, err
	}
	for i, raw := range rows.Rows {
		if i == limit {
			out.Next = next
			break
		}
		raw[4] = dimensionText(raw[4])
		out.Rows = append(out.Rows, raw)
	}
	return out, c.number(ctx, scope, checked.obeys, out)
}

// number fills in what the source calls each row. A key that the import made of several
// fields, or of a person, is no number. The rows are those of a question that obeys the
// rights of its asker.
func (c *Catalog) number(ctx context.Context, scope tenant.Scope, obeys string, out *SourceRows) error {
	at := slices.Index(out.Columns, "number")
	of := map[string][]string{}
	for _, row := range out.Rows {
		if table, ok := row[0].(string); ok && row[1] != nil {
			of[table] = append(of[table], "'"+fmt.Sprint(row[1])+"'") // a UUID
		}
	}
	numbers := map[string]any{}
	for _, table := range slices.Sorted(maps.Keys(of)) {
		d, ok := dataset.Find(table)
		if !ok || d.Month == "" {
			continue
		}
		name := "source_id"
		if _, ok := d.Field("invoice_number"); ok && table == "invoices" {
			name = "invoice_number"
		}
		for ids := range slices.Chunk(of[table], maxPage) {
			rows, err := c.w.Query(ctx, scope, warehouse.Statement{Obeys: obeys, Snapshot: out.Snapshot, Uses: []warehouse.TableUse{{Name: table}}, MaxRows: len(ids),
				SQL: fmt.Sprintf("SELECT row_id, CASE WHEN NOT contains(%[1]s, chr(31)) THEN %[1]s END FROM %[2]s WHERE row_id IN (%[3]s)", name, warehouse.QuoteIdent(table), strings.Join(ids, ", "))})
			if err != nil {
				return err
			}
			for _, row := range rows.Rows {
				numbers[table+" "+fmt.Sprint(row[0])] = row[1]
			}
		}
	}
	for _, row := range out.Rows {
		row[at] = numbers[fmt.Sprint(row[0], " ", row[1])]
	}
	return nil
}

// dimensionOf returns the first dimension of a key column: the one that shows the key
// itself. It is "" for keys that no dimension shows.
func (c *Catalog) dimensionOf(key string) string {
	for _, d := range c.dimensions {
		if d.Key == key {
			return d.Name
		}
	}
	return ""
}
