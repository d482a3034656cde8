package metric

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

const whereHelp = `write conditions such as client = "Harbor Dental", industry in ["Legal", "Retail"], month >= 2026-01, gross_margin < 20%, segment = "Key accounts", joined by and, or, not`

// maxWhere is the longest condition, maxList the longest list in one, maxDepth how deep
// conditions stand in each other; those joined by the same word stand side by side.
const (
	maxWhere = 4000
	maxList  = 1000
	maxDepth = 50
)

// where is a checked condition over dimensions; values are kept apart for binding.
type where struct {
	text       string // with {dimension} and {attribute:n} where their SQL goes and {value:n} where a value goes
	dims       []string
	attributes []string // columns of the imports that no field takes
	args       []any
	source     *source
	members    map[string]*membership // what segments mean here; nil only checks their names
}

// ParseWhere checks a condition such as `client = "X" and month >= 2026-01` and returns
// the dimensions that it names; conditions on measures (gross_margin < 20%) are checked,
// too. The language is that of expr-lang (==, !=, <, <=, >, >=,
// in, not in, contains, startsWith, and, or, not) with = for ==, unquoted dates, and
// round brackets after in; 20 % is a ratio, $5000 and 5000 EUR are amounts. What is wrong is an Invalid fault that says what is allowed.
func (c *Catalog) ParseWhere(text string) ([]string, error) {
	s, err := c.splitWhere(text)
	if err != nil {
		return nil, err
	}
	w, err := c.parseWhere(s.rows, nil)
	if err != nil {
		return nil, err
	}
	return union(nil, w.dims), nil
}

// OnMeasures reports whether a part of a condition is about measures: it holds by cell, and
// with it there are no others to put into one row (see Top).
func (c *Catalog) OnMeasures(text string) (bool, error) {
	s, err := c.splitWhere(text)
	return s.cells != nil, err
}

// parseWhere reads a condition on rows; an empty text is no condition.
func (c *Catalog) parseWhere(text string, members map[string]*membership) (*where, error) {
	w := &where{members: members}
	if strings.TrimSpace(text) == "" {
		return w, nil
	}
	if len(text) > maxWhere {
		return nil, fault.Newf(fault.Invalid, "the filter is longer than %d characters", maxWhere)
	}
	node, s, err := parseText("filter", text, true)
	if err != nil {
		return nil, c.wrongWhere(err)
	}
	w.source = s
	if w.text, err = w.compile(c, node, 0); err != nil {
		return nil, c.wrongWhere(err)
	}
	return w, nil
}

// wrongWhere is the fault of a filter.
func (c *Catalog) wrongWhere(err error) error {
	message := fault.Message(err)
	if strings.Contains(message, "cannot be read") {
		return fault.WithFields("the filter cannot be read", fault.Field{Path: "where", Message: strings.TrimPrefix(message, "the filter cannot be read: ") + "; " + whereHelp})
	}
	return fault.WithFields("the filter is not valid: "+message, fault.Field{Path: "where", Message: message, Allowed: c.dimensionNames()})
}

func (w *where) compile(c *Catalog, n ast.Node, depth int) (string, error) {
	if depth > maxDepth {
		return "", fault.Newf(fault.Invalid, "the conditions stand more than %d deep in each other: use fewer brackets and nots, or in [\"a\", \"b\"]", maxDepth)
	}
	switch n := n.(type) {
	case *ast.BinaryNode:
		op := joins(n)
		if op == "" {
			return w.compare(c, n)
		}
		var parts []string
		for _, side := range sameJoin(n, op, nil) {
			part, err := w.compile(c, side, depth+1)
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
		return "(" + strings.Join(parts, " "+op+" ") + ")", nil
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			inner, err := w.compile(c, n.Node, depth+1)
			return "(NOT " + inner + ")", err
		}
	}
	return "", fault.Newf(fault.Invalid, "%q is not a condition: %s", n.String(), whereHelp)
}

// joins is the SQL word by which a node joins two conditions, "" when it does not.
func joins(n *ast.BinaryNode) string {
	switch n.Operator {
	case "and", "&&":
		return "AND"
	case "or", "||":
		return "OR"
	}
	return ""
}

// sameJoin appends to list the conditions that a node joins by the same word.
func sameJoin(n ast.Node, op string, list []ast.Node) []ast.Node {
	if b, ok := n.(*ast.BinaryNode); ok && joins(b) == op {
		return sameJoin(b.Right, op, sameJoin(b.Left, op, list))
	}
	return append(list, n)
}

func (w *where) compare(c *Catalog, n *ast.BinaryNode) (string, error) {
	if left, ok := n.Left.(*ast.IdentifierNode); ok && left.Value == "segment" {
		return w.segment(c, n)
	}
	d, column, err := w.left(c, n)
	if err != nil {
		return "", err
	}
	switch n.Operator {
	case "==", "!=":
		v, err := w.value(d, n.Right)
		if err != nil {
			return "", err
		}
		if n.Operator == "!=" {
			return fmt.Sprintf("(%s <> %s)", column, v), nil
		}
		return fmt.Sprintf("(%s = %s)", column, v), nil
	case "<", "<=", ">", ">=":
		if !d.Time {
			return "", fault.Newf(fault.Invalid, "%s works on dates, and %s is not one; use =, != or in", n.Operator, d.Name)
		}
		v, err := w.value(d, n.Right)
		return fmt.Sprintf("(%s %s %s)", column, n.Operator, v), err
	case "in":
		list, ok := n.Right.(*ast.ArrayNode)
		if !ok || len(list.Nodes) == 0 || len(list.Nodes) > maxList {
			return "", fault.Newf(fault.Invalid, "in needs a list of 1 to %d values: %s in [\"a\", \"b\"]", maxList, d.Name)
		}
		values := make([]string, len(list.Nodes))
		for i, item := range list.Nodes {
			var err error
			if values[i], err = w.value(d, item); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("(%s IN (%s))", column, strings.Join(values, ", ")), nil
	case "contains", "startsWith":
		if d.Time {
			return "", fault.Newf(fault.Invalid, "%s works on text, and %s is a date", n.Operator, d.Name)
		}
		v, err := w.value(d, n.Right)
		if n.Operator == "contains" {
			return hasText(column, v), err
		}
		return beginsWith(column, v), err
	}
	return "", fault.Newf(fault.Invalid, "%q is not an operator for filters; %s", n.Operator, whereHelp)
}

// left is what a comparison is about: a dimension, or an attribute as attribute["Region"].
func (w *where) left(c *Catalog, n *ast.BinaryNode) (Dimension, string, error) {
	switch left := n.Left.(type) {
	case *ast.IdentifierNode:
		d, ok := c.dimension(left.Value)
		if !ok {
			return d, "", fault.Newf(fault.Invalid, "%q is not a dimension%s (character %d)", left.Value, nearest(left.Value, c.dimensionNames()), w.source.place(left.Location().From))
		}
		w.dims = append(w.dims, d.Name)
		return d, "{" + d.Name + "}", nil
	case *ast.MemberNode:
		of, ok := left.Node.(*ast.IdentifierNode)
		name, isText := left.Property.(*ast.StringNode)
		if ok && of.Value == "attribute" && isText && name.Value != "" && !strings.ContainsAny(name.Value, `"\`) {
			w.attributes = append(w.attributes, name.Value)
			return Dimension{Name: "attribute " + name.Value}, fmt.Sprintf("{attribute:%d}", len(w.attributes)), nil
		}
	}
	return Dimension{}, "", fault.Newf(fault.Invalid, "%q: a dimension or attribute[\"its name\"] must stand on the left; %s", n.String(), whereHelp)
}

// value binds a literal and returns its place in the text.
func (w *where) value(d Dimension, n ast.Node) (string, error) {
	var text string
	switch n := n.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.IntegerNode:
		text = fmt.Sprint(n.Value)
	case *ast.BoolNode:
		text = fmt.Sprint(n.Value)
	default:
		return "", fault.Newf(fault.Invalid, "%q is not a value: put text in double quotes", n.String())
	}
	if d.Time {
		day, err := quantity.AskedDay(text)
		if err != nil {
			return "", err
		}
		w.args = append(w.args, day.String())
		return fmt.Sprintf("CAST({value:%d} AS DATE)", len(w.args)), nil
	}
	w.args = append(w.args, text)
	return fmt.Sprintf("{value:%d}", len(w.args)), nil
}

// sql returns the condition for a fact whose day column is given; first is the number of
// the first bound value.
func (w *where) sql(q *question, f *fact, day string, first int) string {
	return w.fill(q, f, day, func(i int) string { return fmt.Sprintf("$%d", first+i) })
}

// literal is sql with the values in the text.
func (w *where) literal(q *question, f *fact, day string) string {
	return w.fill(q, f, day, func(i int) string { return warehouse.QuoteText(fmt.Sprint(w.args[i])) })
}

var mark = regexp.MustCompile(`\{(?:(value|attribute):(\d+)|([a-z_]+))\}`)

// fill puts columns and values where their marks are.
func (w *where) fill(q *question, f *fact, day string, value func(i int) string) string {
	return mark.ReplaceAllStringFunc(w.text, func(m string) string {
		part := mark.FindStringSubmatch(m)
		n, _ := strconv.Atoi(part[2])
		switch part[1] {
		case "value":
			return value(n - 1)
		case "attribute":
			return f.attribute(w.attributes[n-1])
		}
		if fiscal(part[3]) {
			return q.fiscalExpr(part[3], day)
		}
		return f.expr(part[3], day)
	})
}

// include takes over another condition and returns its text with the marks renumbered.
func (w *where) include(inner *where) string {
	values, attributes := len(w.args), len(w.attributes)
	w.dims, w.args, w.attributes = append(w.dims, inner.dims...), append(w.args, inner.args...), append(w.attributes, inner.attributes...)
	return mark.ReplaceAllStringFunc(inner.text, func(m string) string {
		part := mark.FindStringSubmatch(m)
		n, _ := strconv.Atoi(part[2])
		switch part[1] {
		case "value":
			return fmt.Sprintf("{value:%d}", n+values)
		case "attribute":
			return fmt.Sprintf("{attribute:%d}", n+attributes)
		}
		return m
	})
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
