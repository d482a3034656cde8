package metric

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// segmentCut begins the dimension that cuts by a segment: "segment:Key accounts".
const segmentCut = "segment:"

// maxMembers is the most members that a segment by measures may have.
const maxMembers = 10_000

// Segment is a saved condition: the members of a dimension that meet it.
type Segment struct {
	Name      string `json:"name"`
	Dimension string `json:"dimension"` // whose members it is about, such as client
	// Where is the condition. One on dimensions of the member alone (industry = "Legal")
	// holds by row. With one on a measure (gross_margin < 20%) the members are looked up: the
	// measure is that of each member, over the rows that the rest of the condition leaves.
	Where string `json:"where"`
	// Months is how many months before the end of the query's period the measures are of; 0
	// is the query's own period.
	Months      int    `json:"months"`
	Description string `json:"description"`
	Owner       string `json:"owner"`
	Version     int    `json:"version"`

	split split
}

// membership is what a segment means for a query.
type membership struct {
	inside, outside string // what the dimension says
	where           *where
}

// readSegment compiles a stored segment.
func (c *Catalog) readSegment(d definition.Definition) (*Segment, error) {
	s := &Segment{}
	if err := json.Unmarshal(d.Body, s); err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "segment %q cannot be read", d.Name)
	}
	s.Name, s.Version = d.Name, d.Version
	return s, nil
}

// checkSegment compiles a segment's condition against the catalog.
func (c *Catalog) checkSegment(s *Segment) error {
	var wrong []fault.Field
	d, ok := c.dimension(s.Dimension)
	if !ok || d.Time || s.Dimension == "currency" {
		return fault.WithFields(fmt.Sprintf("segment %q needs a dimension whose members it is about", s.Name), fault.Field{Path: "dimension", Message: fmt.Sprintf("%q is none%s", s.Dimension, nearest(s.Dimension, c.dimensionNames())), Allowed: c.memberDimensions()})
	}
	if s.Months < 0 || s.Months > maxSpan {
		wrong = append(wrong, fault.Field{Path: "months", Message: fmt.Sprintf("must be 0 (the query's period) to %d", maxSpan)})
	}
	if strings.TrimSpace(s.Where) == "" {
		wrong = append(wrong, fault.Field{Path: "where", Message: "the condition is missing; " + whereHelp})
	}
	if len(wrong) > 0 {
		return fault.WithFields(fmt.Sprintf("segment %q is not valid: %s %s", s.Name, wrong[0].Path, wrong[0].Message), wrong...)
	}
	var err error
	if s.split, err = c.splitWhere(s.Where); err != nil {
		return err
	}
	w, err := c.parseWhere(s.split.rows, nil)
	if err != nil {
		return err
	}
	if s.split.cells == nil {
		for _, name := range w.dims {
			if c.keys[name] != d.Key {
				return fault.WithFields(fmt.Sprintf("segment %q: a %s has no %s of its own", s.Name, s.Dimension, name), fault.Field{Path: "where", Message: fmt.Sprintf("without a condition on a measure only what a %s itself is can be asked; add one, such as revenue > 0, to look up those with rows of that %s", s.Dimension, name)})
			}
		}
		if len(w.attributes) > 0 {
			return fault.WithFields("a segment cannot ask for an attribute of rows", fault.Field{Path: "where", Message: "add a condition on a measure, such as revenue > 0"})
		}
	}
	return nil
}

// memberDimensions are the dimensions that have members: all but those of time.
func (c *Catalog) memberDimensions() []string {
	var out []string
	for _, d := range c.dimensions {
		if !d.Time && d.Name != "currency" {
			out = append(out, d.Name)
		}
	}
	return out
}

// segmentOf returns a tenant's segment, an Invalid fault that lists them when there is none.
func (c *Catalog) segmentOf(name string) (*Segment, error) {
	if s, ok := c.segments[name]; ok {
		if why := c.broken["segment "+name]; why != "" {
			return nil, fault.Newf(fault.Invalid, "segment %q cannot be used: %s", name, why)
		}
		return s, nil
	}
	names := make([]string, 0, len(c.segments))
	for n := range c.segments {
		names = append(names, n)
	}
	slices.Sort(names)
	return nil, fault.WithFields(fmt.Sprintf("there is no segment %q%s", name, nearest(name, names)), fault.Field{Path: "where", Message: fmt.Sprintf("unknown segment %q; segments lists them", name), Allowed: names})
}

// segment compiles segment = "Name", != and in.
func (w *where) segment(c *Catalog, n *ast.BinaryNode) (string, error) {
	var names []string
	one := func(n ast.Node) bool {
		text, ok := n.(*ast.StringNode)
		if ok {
			names = append(names, text.Value)
		}
		return ok
	}
	ok := false
	switch n.Operator {
	case "==", "!=":
		ok = one(n.Right)
	case "in":
		if list, is := n.Right.(*ast.ArrayNode); is && len(list.Nodes) > 0 && len(list.Nodes) <= maxList {
			ok = !slices.ContainsFunc(list.Nodes, func(n ast.Node) bool { return !one(n) })
		}
	}
	if !ok {
		return "", fault.Newf(fault.Invalid, `write segment = "Key accounts" or segment in ("A", "B")`)
	}
	var parts []string
	for _, name := range names {
		s, err := c.segmentOf(name)
		if err != nil {
			return "", err
		}
		if m := w.members[name]; m != nil {
			parts = append(parts, w.include(m.where))
			continue
		}
		w.dims = append(w.dims, s.Dimension)
		parts = append(parts, "(true)")
	}
	text := "(" + strings.Join(parts, " OR ") + ")"
	if n.Operator == "!=" {
		text = "(NOT " + text + ")"
	}
	return text, nil
}

// segmentsIn are the segments that a condition names.
func segmentsIn(n ast.Node) []string {
	var out []string
	visit(n, func(n ast.Node) {
		b, ok := n.(*ast.BinaryNode)
		if !ok {
			return
		}
		if left, ok := b.Left.(*ast.IdentifierNode); !ok || left.Value != "segment" {
			return
		}
		visit(b.Right, func(n ast.Node) {
			if text, ok := n.(*ast.StringNode); ok && !slices.Contains(out, text.Value) {
				out = append(out, text.Value)
			}
		})
	})
	return out
}

// visit calls fn for a node and all below it.
func visit(n ast.Node, fn func(ast.Node)) { ast.Walk(&n, visitor(fn)) }

type visitor func(ast.Node)

// Visit is called by the parser's walk.
func (v visitor) Visit(n *ast.Node) { v(*n) }

// cuts are the dimensions that the query's rows must have to be cut as asked.
func (q *question) cuts() []string {
	var out []string
	for _, d := range q.dims {
		if s := q.segments[d]; s != nil {
			out = union(out, s.where.dims)
		} else {
			out = union(out, []string{d})
		}
	}
	return out
}

// cutBySegments returns the segments among the dimensions of a query.
func (c *Catalog) cutBySegments(q Query) (map[string]*membership, error) {
	out := map[string]*membership{}
	for _, d := range q.Dimensions {
		name, ok := strings.CutPrefix(d, segmentCut)
		if !ok {
			continue
		}
		m := q.members[name]
		if m == nil {
			if _, err := c.segmentOf(name); err != nil {
				return nil, err
			}
			return nil, fault.Newf(fault.Internal, "segment %q was not looked up", name)
		}
		out[d] = m
	}
	return out, nil
}

// lookUp finds what a segment means for a query.
func (c *Catalog) lookUp(ctx context.Context, scope tenant.Scope, q Query, name string, path []string, into map[string]*membership) error {
	if into[name] != nil {
		return nil
	}
	s, err := c.segmentOf(name)
	if err != nil {
		return err
	}
	if slices.Contains(path, name) {
		return fault.Newf(fault.Invalid, "segment %q is defined by itself", name)
	}
	for _, inner := range s.split.segments {
		if err := c.lookUp(ctx, scope, q, inner, append(path, name), into); err != nil {
			return err
		}
	}
	m := &membership{inside: name, outside: "not " + name}
	if s.split.cells == nil {
		if m.where, err = c.parseWhere(s.split.rows, into); err != nil {
			return err
		}
		into[name] = m
		return nil
	}
	period, err := c.segmentPeriod(ctx, scope, q, s)
	if err != nil {
		return err
	}
	ask := Query{Dimensions: []string{s.Dimension}, Where: s.split.rows, Period: period, Currency: q.Currency, Snapshot: q.Snapshot, members: into}
	ask.hidden, ask.having = s.split.condition(c)
	r, err := c.runPlain(ctx, scope, ask)
	if err != nil {
		return fmt.Errorf("segment %q: %w", name, err)
	}
	if len(r.Rows) > maxMembers {
		return fault.Newf(fault.TooLarge, "segment %q has more than %d members", name, maxMembers)
	}
	m.where = &where{text: "(false)", dims: []string{s.Dimension}}
	var places []string
	for i, row := range r.Rows {
		m.where.args = append(m.where.args, row[0])
		places = append(places, fmt.Sprintf("{value:%d}", i+1))
	}
	if len(places) > 0 {
		m.where.text = "({" + s.Dimension + "} IN (" + strings.Join(places, ", ") + "))"
	}
	into[name] = m
	return nil
}

// segmentPeriod is the period over which a segment's measures are taken.
func (c *Catalog) segmentPeriod(ctx context.Context, scope tenant.Scope, q Query, s *Segment) (quantity.Period, error) {
	if s.Months == 0 {
		return q.Period, nil
	}
	to := q.Period.To
	if to.IsZero() {
		e, err := c.extent(ctx, scope, q.Snapshot)
		if err != nil {
			return q.Period, err
		}
		if to = e.span.To; !e.partial.IsZero() {
			to = e.partial
		}
	}
	to = to.Month()
	return quantity.Period{From: to.AddMonths(-s.Months), To: to}, nil
}
