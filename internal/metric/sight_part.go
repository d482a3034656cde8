package metric

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// RunSeen answers what Run does but for the measures that the asker may not see: they are
// null, with the reason, as if their data were missing. It is for answers that are made of
// many measures of which some may be left out.
//
// Errors: those of Run; Forbidden when what is cut by or filtered by may not be seen.
func (c *Catalog) RunSeen(ctx context.Context, scope tenant.Scope, q Query) (*Result, error) {
	if scope.Rights.Unlimited() || q.Compare != "" {
		return c.Run(ctx, scope, q)
	}
	start := time.Now()
	c, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	q = q.normal()
	if q.Snapshot == 0 {
		if q.Snapshot, err = c.w.Current(ctx, scope); err != nil {
			return nil, err
		}
	}
	ready, err := c.prepare(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	checked, err := c.askPart(ctx, scope, ready)
	if err != nil {
		return nil, err
	}
	if len(checked.refused) == 0 {
		return c.Run(ctx, scope, q)
	}
	part := q
	part.Measures = slices.DeleteFunc(slices.Clone(q.Measures), func(m string) bool { return checked.refused[m] != "" })
	if len(part.Measures) == 0 {
		return c.nothingSeen(q, checked), nil
	}
	seen, err := c.Run(ctx, scope, part)
	if err != nil {
		return nil, err
	}
	r := seen.beside(q, checked)
	r.ElapsedMS = float64(time.Since(start).Microseconds()) / 1000
	return r, nil
}

// nothingSeen is the answer of which no measure may be seen: one row without dimensions, to
// hold the reasons, none with some.
func (c *Catalog) nothingSeen(q Query, checked *question) *Result {
	empty := &Result{Snapshot: q.Snapshot, Period: checked.span, counted: checked.counted, DefinitionVersions: map[string]int{}, DataUntil: checked.extent.span.To, DataThrough: checked.extent.through, Rows: [][]any{}, Sources: []string{}}
	for _, d := range checked.dims {
		col := Column{Name: d, Unit: quantity.Text, Type: "text"}
		if slices.Contains(timeSteps, d) {
			col.Unit, col.Type = quantity.Date, "date"
		}
		empty.Columns = append(empty.Columns, col)
	}
	if len(checked.dims) == 0 {
		empty.Rows, empty.Reasons = [][]any{{}}, Reasons{nil}
	}
	return empty.beside(q, checked)
}

// beside is the result with the measures that are refused among its own, as nulls.
func (r *Result) beside(q Query, checked *question) *Result {
	out, n := *r, len(checked.dims)
	at := map[string]int{} // place of what is there
	for i, col := range r.Columns {
		at[col.Name] = i
	}
	out.Columns = slices.Clone(r.Columns[:n])
	for _, m := range checked.measures[:len(q.Measures)] {
		out.Columns = append(out.Columns, Column{Name: m.Name, Unit: m.Unit, Type: "decimal"})
	}
	out.Rows, out.Reasons, out.Currencies = make([][]any, len(r.Rows)), make(Reasons, len(r.Rows)), nil
	for i, row := range r.Rows {
		line, why := slices.Clone(row[:n]), map[string]string{}
		if len(r.Reasons) > 0 {
			maps.Copy(why, r.Reasons[i])
		}
		var codes []string
		for _, name := range q.Measures {
			j, ok := at[name]
			if !ok {
				line, why[name], codes = append(line, nil), checked.refused[name], append(codes, "")
				continue
			}
			line = append(line, row[j])
			if r.Currencies != nil {
				codes = append(codes, r.Currencies[i][j-n])
			}
		}
		out.Rows[i], out.Reasons[i] = line, why
		if r.Currencies != nil {
			out.Currencies = append(out.Currencies, codes)
		}
	}
	out.RowCount = len(out.Rows)
	return &out
}

// Clients returns the clients that the asker may see, as they are called in a snapshot (the
// current one when it is 0); nil stands for all.
//
// Errors: Forbidden when the asker is limited to teams, which clients do not belong to.
func (c *Catalog) Clients(ctx context.Context, scope tenant.Scope, snap warehouse.Snapshot) ([]string, error) {
	if scope.Rights.SeesAllRows() {
		return nil, nil
	}
	if scope.Rights.Teams != nil {
		return nil, fault.Newf(fault.Forbidden, "this is known by client, and the role %s sees the rows of some teams only", scope.Rights.Role)
	}
	c, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	if snap == 0 {
		if snap, err = c.w.Current(ctx, scope); err != nil {
			return nil, err
		}
	}
	e, err := c.extent(ctx, scope, snap)
	if err != nil {
		return nil, err
	}
	names, _, err := c.clientsOf(ctx, scope, snap, &question{extent: e})
	return names, err
}

// Stored runs a statement of the program over stored rows, for what no measure says, and
// leaves the rows of the clients that the asker may see: client is the place of their name
// in each row. shows are the classes that are in the rows.
//
// Errors: those of Clients; Forbidden when one of the classes is hidden.
func (c *Catalog) Stored(ctx context.Context, scope tenant.Scope, s warehouse.Statement, client int, shows ...tenant.Class) ([][]any, error) {
	if class := hiddenOf(scope.Rights, shows); class != "" {
		return nil, fault.Newf(fault.Forbidden, "this shows %s, which is hidden from the role %s", words[class], scope.Rights.Role)
	}
	names, err := c.Clients(ctx, scope, s.Snapshot)
	if err != nil {
		return nil, err
	}
	var seen [][]any
	each := s.Each
	if each == nil {
		each = func(row []any) { seen = append(seen, row) }
	}
	s.Each = func(row []any) {
		if name, _ := row[client].(string); names == nil || slices.Contains(names, name) {
			each(row)
		}
	}
	_, err = c.w.Query(ctx, scope.Own(), s)
	return seen, err
}

// Cuts returns the dimensions that a measure can be cut by and that rights do not hide.
func (c *Catalog) Cuts(r *tenant.Rights, m *Measure) []string {
	return slices.DeleteFunc(c.DimensionsOf(m), func(name string) bool {
		d, _ := c.dimension(name)
		return hiddenOf(r, d.Classes) != ""
	})
}

// mayName refuses a definition of somebody who may not see what it is about: it would
// answer, by a finding, a notice or the members of a segment, what a question may not.
func (c *Catalog) mayName(scope tenant.Scope, what string, measures ...string) error {
	for _, name := range measures {
		if m := c.byName[name]; m != nil && m.HiddenFrom(scope.Rights) != "" {
			return fault.ForbiddenFields(fmt.Sprintf("the %s is about %s, which shows %s: that is hidden from the role %s", what, name, words[m.HiddenFrom(scope.Rights)], scope.Rights.Role), fault.Field{Path: "measure", Message: name + " is hidden"})
		}
	}
	return nil
}

// MayRead reports whether conditions may be shown: they name no measure that is hidden and, to
// somebody who sees some rows only, no client or person but those that are seen.
func (c *Catalog) MayRead(scope tenant.Scope, conditions []string) bool {
	return c.mayRead(scope, conditions)
}

// mayRead reports whether a definition may be shown: it names no measure that is hidden, and
// no value of a dimension to somebody who sees some rows only, except clients that are seen.
func (c *Catalog) mayRead(scope tenant.Scope, conditions []string, measures ...string) bool {
	r := scope.Rights
	if r.Unlimited() {
		return true
	}
	for _, text := range conditions {
		s, err := c.splitWhere(text)
		if err != nil {
			return false
		}
		measures = append(slices.Clone(measures), s.inputs...)
		if r.SeesAllRows() {
			continue
		}
		w, err := c.parseWhere(s.rows, nil)
		if err != nil {
			return false
		}
		for _, value := range w.args {
			if name, _ := value.(string); len(w.dims) > 0 && !slices.Contains(r.Clients, name) && slices.ContainsFunc(w.dims, c.namesRows) {
				return false
			}
		}
	}
	return c.mayName(scope, "definition", measures...) == nil
}

// namesRows reports whether the members of a dimension name clients or people.
func (c *Catalog) namesRows(dimension string) bool {
	return slices.Contains([]string{"client", "agreement", "project", "staff", "team", "account_manager"}, dimension)
}
