package metric

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// split is a condition in two: what holds by row, and what holds by cell because it is
// about measures. Both must hold.
type split struct {
	rows     string // the condition on rows, "" for none
	cells    *term  // the condition on cells, nil for none
	inputs   []string
	segments []string // that either names
}

// conditionName is the name of the measure that a condition on cells is computed as.
const conditionName = "(condition)"

// splitWhere reads a condition. Parts joined by and that speak of dimensions only hold by
// row; a part that speaks of a measure holds by cell, and what it says of dimensions is
// about the cell's own.
func (c *Catalog) splitWhere(text string) (split, error) {
	var out split
	if strings.TrimSpace(text) == "" {
		return out, nil
	}
	if len(text) > maxWhere {
		return out, fault.Newf(fault.Invalid, "the filter is longer than %d characters", maxWhere)
	}
	node, s, err := parseText("filter", text, true)
	if err != nil {
		return out, c.wrongWhere(err)
	}
	out.segments = segmentsIn(node)
	r := &formulaReader{source: s}
	r.dimension = func(n *ast.BinaryNode) (*term, error) { return c.onCell(s, n) }
	parts := []ast.Node{node}
	if b, ok := node.(*ast.BinaryNode); ok && joins(b) == "AND" {
		parts = sameJoin(b, "AND", nil)
	}
	var rows, cells []ast.Node
	for _, part := range parts {
		about, err := c.aboutMeasures(s, part)
		if err != nil {
			return out, c.wrongWhere(err)
		}
		if about {
			cells = append(cells, part)
		} else {
			rows = append(rows, part)
		}
	}
	if len(cells) == 0 {
		out.rows = text
		return out, nil
	}
	var texts []string
	for _, n := range rows {
		texts = append(texts, n.String())
	}
	out.rows = strings.Join(texts, " and ")
	all := &term{op: opAnd, text: conditionName}
	for _, n := range cells {
		t, err := r.read(n)
		if err != nil {
			return out, c.wrongWhere(err)
		}
		m, err := t.meaning(c.unit)
		if err == nil && !m.truth {
			err = wrongAt(t, "%s is a number, not a condition: compare it with something, such as %s > 0", t.text, t.text)
		}
		if err != nil {
			return out, c.wrongWhere(err)
		}
		all.args = append(all.args, t)
	}
	out.cells, out.inputs = all, r.inputs
	return out, nil
}

// unit is the unit of a measure or parameter.
func (c *Catalog) unit(name string) (quantity.Unit, bool) {
	switch m := c.byName[name]; {
	case m != nil:
		return m.Unit, true
	case name == "months":
		return quantity.Months, true
	case name == "days":
		return quantity.Days, true
	}
	return "", false
}

// aboutMeasures reports whether a part of a condition speaks of measures.
func (c *Catalog) aboutMeasures(s *source, n ast.Node) (about bool, err error) {
	callees := map[ast.Node]bool{}
	visit(n, func(n ast.Node) {
		if call, ok := n.(*ast.CallNode); ok {
			callees[call.Callee] = true
		}
	})
	visit(n, func(n ast.Node) {
		id, ok := n.(*ast.IdentifierNode)
		if !ok || err != nil {
			return
		}
		if callees[n] {
			if _, known := functions[id.Value]; known {
				about = true
			}
			return
		}
		if _, dim := c.dimension(id.Value); dim || id.Value == "segment" || id.Value == "attribute" {
			return
		}
		if _, known := c.unit(id.Value); known {
			about = true
			return
		}
		if why := c.broken[id.Value]; why != "" {
			err = fault.Newf(fault.Invalid, "%s cannot be used: %s", id.Value, why)
			return
		}
		names := append(c.dimensionNames(), c.names()...)
		err = fault.Newf(fault.Invalid, "%q is not a dimension or measure%s (character %d)", id.Value, nearest(id.Value, names), s.place(id.Location().From))
	})
	return about, err
}

// onCell reads a condition on a dimension that stands in one on measures; nil when it is
// none.
func (c *Catalog) onCell(s *source, n *ast.BinaryNode) (*term, error) {
	id, ok := n.Left.(*ast.IdentifierNode)
	if !ok {
		if m, is := n.Left.(*ast.MemberNode); is {
			return nil, fault.Newf(fault.Invalid, "%s cannot stand in one \"or\" or \"not\" with a measure: join it by and", m.String())
		}
		return nil, nil
	}
	if id.Value == "segment" {
		return nil, fault.Newf(fault.Invalid, `segment cannot stand in one "or" or "not" with a measure: join it by and`)
	}
	d, ok := c.dimension(id.Value)
	if !ok {
		return nil, nil
	}
	// The same checks as for rows, by compiling it as one.
	w := &where{source: s}
	if _, err := w.compare(c, n); err != nil {
		return nil, err
	}
	t := &term{op: opText, name: d.Name, code: n.Operator, text: n.String(), at: s.place(id.Location().From)}
	for _, v := range w.args {
		t.texts = append(t.texts, fmt.Sprint(v))
	}
	return t, nil
}

// condition is the condition on cells as a measure that is 1 where it holds.
func (s split) condition(c *Catalog) ([]*Measure, *term) {
	if s.cells == nil {
		return nil, nil
	}
	m := &Measure{Name: conditionName, Unit: quantity.Ratio, formula: &formula{root: s.cells, inputs: s.inputs}}
	for _, in := range s.inputs {
		if dep := c.byName[in]; dep != nil {
			m.link(dep)
		}
	}
	if err := m.linkFunctions(c); err != nil {
		return nil, nil // checked when it was read
	}
	return []*Measure{m}, s.cells
}

// prepare splits the condition of a query, looks up its segments, and finds its first
// members.
func (c *Catalog) prepare(ctx context.Context, scope tenant.Scope, q Query) (Query, error) {
	s, err := c.splitWhere(q.Where)
	if err != nil {
		return q, err
	}
	q.Where = s.rows
	q.hidden, q.having = s.condition(c)
	if s.cells != nil && len(q.hidden) == 0 {
		return q, fault.Newf(fault.Internal, "the condition %q was not linked", s.cells.text)
	}
	for _, d := range s.cellDimensions() {
		if !slices.Contains(q.Dimensions, d) {
			return q, fault.WithFields(fmt.Sprintf("%s stands in one condition with a measure: cut by %s, too, or join the two by and", d, d), fault.Field{Path: "where", Message: d + " is not known of the result's cells"})
		}
	}
	names := slices.Clone(s.segments)
	for _, d := range q.Dimensions {
		if name, ok := strings.CutPrefix(d, segmentCut); ok {
			names = append(names, name)
		} else if d == "segment" {
			return q, fault.WithFields("say which segment to cut by", fault.Field{Path: "by", Message: `write segment:NAME, such as "segment:Key accounts"`})
		}
	}
	if len(names) > 0 {
		q.members, q.used = map[string]*membership{}, map[string]int{}
		for _, name := range names {
			if err := c.lookUp(ctx, scope, q, name, nil, q.members); err != nil {
				return q, err
			}
		}
		for name := range q.members {
			q.used[segmentCut+name] = c.segments[name].Version
		}
	}
	return q, c.findTop(ctx, scope, &q)
}

// cellDimensions are the dimensions that a condition on cells names.
func (s split) cellDimensions() []string {
	var out []string
	if s.cells != nil {
		s.cells.conditions(func(t *term) {
			if !slices.Contains(out, t.name) {
				out = append(out, t.name)
			}
		})
	}
	return out
}

// conditions calls fn for each condition on a dimension; those that name one for a
// function are none.
func (t *term) conditions(fn func(*term)) {
	if t.op == opText && t.code != "" {
		fn(t)
	}
	for _, arg := range t.args {
		arg.conditions(fn)
	}
}

// keep leaves the rows for which the condition on cells holds, and takes its column away.
func (r *Result) keep() {
	at := len(r.Columns) - 1
	rows, reasons, codes, unknown := [][]any{}, Reasons{}, [][]string{}, map[string]int{}
	for i, row := range r.Rows {
		v, known := row[at].(quantity.Decimal)
		if !known {
			unknown[r.Reasons[i][conditionName]]++
			continue
		}
		if v.IsZero() {
			continue
		}
		why := map[string]string{}
		for name, reason := range r.Reasons[i] {
			if name != conditionName {
				why[name] = reason
			}
		}
		if len(why) == 0 {
			why = nil
		}
		rows, reasons = append(rows, row[:at]), append(reasons, why)
		if r.Currencies != nil {
			codes = append(codes, r.Currencies[i][:len(r.Currencies[i])-1])
		}
	}
	for why, n := range unknown {
		r.Notes = append(r.Notes, fmt.Sprintf("%s left out because the condition is not known there: %s", plural(n, "row"), why))
	}
	slices.Sort(r.Notes)
	if r.Currencies != nil {
		r.Currencies = codes
	}
	r.Columns, r.Rows, r.Reasons = r.Columns[:at], rows, reasons
	delete(r.DefinitionVersions, conditionName)
}
