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

const whereHelp = `write conditions such as client = "Harbor Dental", industry in ["Legal", "Retail"], month >= 2026-01, joined by and, or, not`

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
}

// ParseWhere checks a condition such as `client = "X" and month >= 2026-01` and returns
// the dimensions that it names. The language is that of expr-lang (==, !=, <, <=, >, >=,
// in, not in, contains, startsWith, and, or, not) with = for ==, unquoted dates, and
// round brackets after in. What is wrong is an Invalid fault that says what is allowed.
func (c *Catalog) ParseWhere(text string) ([]string, error) {
	w, err := c.parseWhere(text)
	if err != nil {
		return nil, err
	}
	return union(nil, w.dims), nil
}

// parseWhere reads a condition; an empty text is no condition.
func (c *Catalog) parseWhere(text string) (*where, error) {
	w := &where{}
	if strings.TrimSpace(text) == "" {
		return w, nil
	}
	if len(text) > maxWhere {
		return nil, fault.Newf(fault.Invalid, "the filter is longer than %d characters", maxWhere)
	}
	tree, err := parser.Parse(plainWhere(text))
	if err != nil {
		return nil, fault.WithFields("the filter cannot be read", fault.Field{Path: "where", Message: firstLine(err.Error()) + "; " + whereHelp})
	}
	sql, err := w.compile(c, tree.Node, 0)
	if err != nil {
		return nil, fault.WithFields("the filter is not valid: "+fault.Message(err), fault.Field{Path: "where", Message: fault.Message(err), Allowed: c.dimensionNames()})
	}
	w.text = sql
	return w, nil
}

var (
	bareDate = regexp.MustCompile(`^\d{4}-\d{2}(?:-\d{2})?\b`)
	bareWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	inList   = regexp.MustCompile(`^\s*\(`)
)

// plainWhere turns what people write into the parser's language: = and <> mean == and !=,
// AND, OR, NOT and IN may be in capitals, dates need no quotes, and a list may stand in
// round brackets after in. Quoted texts are not touched.
func plainWhere(text string) string {
	var out strings.Builder
	var closing []byte // what each open bracket is closed with
	for i := 0; i < len(text); {
		rest := text[i:]
		switch ch := text[i]; {
		case ch == '"' || ch == '\'' || ch == '`':
			n := quoted(rest)
			out.WriteString(rest[:n])
			i += n
		case ch == '(' || ch == '[':
			closing = append(closing, map[byte]byte{'(': ')', '[': ']'}[ch])
			out.WriteByte(ch)
			i++
		case (ch == ')' || ch == ']') && len(closing) > 0:
			if ch == ')' {
				ch = closing[len(closing)-1]
			}
			closing = closing[:len(closing)-1]
			out.WriteByte(ch)
			i++
		case strings.HasPrefix(rest, "<>"):
			out.WriteString("!=")
			i += 2
		case strings.IndexByte("=!<>", ch) >= 0 && len(rest) > 1 && rest[1] == '=':
			out.WriteString(rest[:2])
			i += 2
		case ch == '=':
			out.WriteString("==")
			i++
		case bareDate.MatchString(rest):
			d := bareDate.FindString(rest)
			out.WriteString(`"` + d + `"`)
			i += len(d)
		case ch >= '0' && ch <= '9': // a number: not the middle of it
			n := 1
			for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9') {
				n++
			}
			out.WriteString(rest[:n])
			i += n
		case bareWord.MatchString(rest):
			word := bareWord.FindString(rest)
			i += len(word)
			if low := strings.ToLower(word); low == "and" || low == "or" || low == "not" || low == "in" {
				word = low
			}
			out.WriteString(word)
			if at := inList.FindString(text[i:]); word == "in" && at != "" {
				out.WriteString(" [")
				closing = append(closing, ']')
				i += len(at)
			}
		default:
			out.WriteByte(ch)
			i++
		}
	}
	return out.String()
}

// quoted is the length of the quoted text that s begins with, all of s when it is open.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] != '`':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
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
			return d, "", fault.Newf(fault.Invalid, "%q is not a dimension%s", left.Value, nearest(left.Value, c.dimensionNames()))
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
func (w *where) sql(f *fact, day string, first int) string {
	text := w.text
	for _, d := range w.dims {
		text = strings.ReplaceAll(text, "{"+d+"}", f.expr(d, day))
	}
	for i, name := range w.attributes {
		text = strings.ReplaceAll(text, fmt.Sprintf("{attribute:%d}", i+1), f.attribute(name))
	}
	for i := range w.args {
		text = strings.ReplaceAll(text, fmt.Sprintf("{value:%d}", i+1), fmt.Sprintf("$%d", first+i))
	}
	return text
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
