package metric

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

const filterHelp = `write conditions such as client = "Harbor Dental", industry in ["Legal", "Retail"], month >= 2026-01, joined by and, or, not`

// filter is a checked condition over dimensions; values are kept apart for binding.
type filter struct {
	text string // with {dimension} where its SQL goes and {value:n} where a value goes
	dims []string
	args []any
}

// parseFilter reads a condition such as `client = "X" and month >= 2026-01`. An empty text
// is no condition.
func (c *Catalog) parseFilter(text string) (*filter, error) {
	f := &filter{}
	if strings.TrimSpace(text) == "" {
		return f, nil
	}
	if len(text) > 4000 {
		return nil, fault.Newf(fault.Invalid, "the filter is longer than 4,000 characters")
	}
	tree, err := parser.Parse(normalizeFilter(text))
	if err != nil {
		return nil, fault.WithFields("the filter cannot be read", fault.Field{Path: "where", Message: firstLine(err.Error()) + "; " + filterHelp})
	}
	sql, err := f.compile(c, tree.Node)
	if err != nil {
		return nil, fault.WithFields("the filter is not valid", fault.Field{Path: "where", Message: fault.Message(err), Allowed: dimensionNames(c)})
	}
	f.text = sql
	return f, nil
}

var (
	quotedPart = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`)
	bareDate   = regexp.MustCompile(`\b\d{4}-\d{2}(?:-\d{2})?\b`)
	oneEquals  = regexp.MustCompile(`([^=!<>])=([^=])`)
)

// normalizeFilter turns what people write into the parser's language: = means ==, dates
// need no quotes, and a list may stand in round brackets after in.
func normalizeFilter(text string) string {
	var parts []string
	last := 0
	outside := func(s string) string {
		s = bareDate.ReplaceAllString(s, `"$0"`)
		s = oneEquals.ReplaceAllString(s, "$1==$2")
		return s
	}
	for _, at := range quotedPart.FindAllStringIndex(text, -1) {
		parts = append(parts, outside(text[last:at[0]]+" "), text[at[0]:at[1]])
		last = at[1]
	}
	parts = append(parts, outside(text[last:]))
	joined := strings.Join(parts, "")
	return inList.ReplaceAllString(joined, "in [$1]")
}

var inList = regexp.MustCompile(`\bin\s*\(((?:\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\w.-]+)\s*,?)*)\)`)

func (f *filter) compile(c *Catalog, n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			a, err := f.compile(c, n.Left)
			if err != nil {
				return "", err
			}
			b, err := f.compile(c, n.Right)
			if err != nil {
				return "", err
			}
			op := "AND"
			if n.Operator == "or" || n.Operator == "||" {
				op = "OR"
			}
			return "(" + a + " " + op + " " + b + ")", nil
		}
		return f.compare(c, n)
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			inner, err := f.compile(c, n.Node)
			return "(NOT " + inner + ")", err
		}
	}
	return "", fault.Newf(fault.Invalid, "%q is not a condition: %s", n.String(), filterHelp)
}

func (f *filter) compare(c *Catalog, n *ast.BinaryNode) (string, error) {
	id, ok := n.Left.(*ast.IdentifierNode)
	if !ok {
		return "", fault.Newf(fault.Invalid, "%q: a dimension must stand on the left; %s", n.String(), filterHelp)
	}
	d, ok := c.dimension(id.Value)
	if !ok {
		return "", fault.Newf(fault.Invalid, "%q is not a dimension%s", id.Value, nearest(id.Value, dimensionNames(c)))
	}
	f.dims = append(f.dims, d.Name)
	column := "{" + d.Name + "}"
	switch n.Operator {
	case "==", "!=":
		v, err := f.value(d, n.Right)
		if err != nil {
			return "", err
		}
		if n.Operator == "!=" {
			return fmt.Sprintf("(%s IS DISTINCT FROM %s)", column, v), nil
		}
		return fmt.Sprintf("(%s = %s)", column, v), nil
	case "<", "<=", ">", ">=":
		if !d.Time {
			return "", fault.Newf(fault.Invalid, "%s works on dates, and %s is not one; use =, != or in", n.Operator, d.Name)
		}
		v, err := f.value(d, n.Right)
		return fmt.Sprintf("(%s %s %s)", column, n.Operator, v), err
	case "in":
		list, ok := n.Right.(*ast.ArrayNode)
		if !ok || len(list.Nodes) == 0 || len(list.Nodes) > 1000 {
			return "", fault.Newf(fault.Invalid, "in needs a list of 1 to 1,000 values: %s in [\"a\", \"b\"]", d.Name)
		}
		values := make([]string, len(list.Nodes))
		for i, item := range list.Nodes {
			var err error
			if values[i], err = f.value(d, item); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("(%s IN (%s))", column, strings.Join(values, ", ")), nil
	case "contains", "startsWith":
		if d.Time {
			return "", fault.Newf(fault.Invalid, "%s works on text, and %s is a date", n.Operator, d.Name)
		}
		v, err := f.value(d, n.Right)
		if n.Operator == "contains" {
			return fmt.Sprintf("contains(lower(%s), lower(%s))", column, v), err
		}
		return fmt.Sprintf("starts_with(lower(%s), lower(%s))", column, v), err
	}
	return "", fault.Newf(fault.Invalid, "%q is not an operator for filters; %s", n.Operator, filterHelp)
}

// value binds a literal and returns its place in the text.
func (f *filter) value(d Dimension, n ast.Node) (string, error) {
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
		day, err := quantity.ParseDay(text)
		if err != nil {
			return "", err
		}
		f.args = append(f.args, day.String())
		return fmt.Sprintf("CAST({value:%d} AS DATE)", len(f.args)), nil
	}
	f.args = append(f.args, text)
	return fmt.Sprintf("{value:%d}", len(f.args)), nil
}

// sql returns the condition for a fact; first is the number of the first value.
func (f *filter) sql(of *fact, source string, first int) string {
	if f.text == "" {
		return "true"
	}
	text := f.text
	for _, d := range f.dims {
		text = strings.ReplaceAll(text, "{"+d+"}", of.expr(d, source))
	}
	for i := range f.args {
		text = strings.ReplaceAll(text, fmt.Sprintf("{value:%d}", i+1), fmt.Sprintf("$%d", first+i))
	}
	return text
}

func dimensionNames(c *Catalog) []string {
	names := make([]string, len(c.dimensions))
	for i, d := range c.dimensions {
		names[i] = d.Name
	}
	return names
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
