package metric

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Bounds of a formula.
const (
	maxFormula = 2000
	maxTerms   = 500
)

// language makes the parser read our functions as plain calls, "if" among them.
var language = func() *conf.Config {
	c := &conf.Config{MaxNodes: 20_000, DisableIfOperator: true, Functions: conf.FunctionsTable{}, Disabled: map[string]bool{}}
	for name := range functions {
		c.Functions[name] = nil
	}
	for _, name := range []string{"percent", "money"} {
		c.Functions[name] = nil
	}
	return c
}()

// parseText parses a text that plain has made of what a person wrote; what is wrong is
// said with its place in the latter.
func parseText(what, text string, dates bool) (ast.Node, *source, error) {
	s := plain(text, dates)
	tree, err := parser.ParseWithConfig(s.text, language)
	if err != nil {
		message := firstLine(err.Error())
		var at *file.Error
		if errors.As(err, &at) {
			message = at.Message
			if n := s.place(at.From); n > 0 {
				message += " (character " + decimal.NewFromInt(int64(n)).String() + ")"
			}
		}
		return nil, s, fault.Newf(fault.Invalid, "the %s cannot be read: %s", what, message)
	}
	return tree.Node, s, nil
}

// source is a text as the parser reads it, with where each of its characters stood.
type source struct {
	text   string
	places []int // by character of text: the character of the original, from 1
}

// place is the character of the original, from 1, of one of the text.
func (s *source) place(at int) int {
	if at < 0 || len(s.places) == 0 {
		return 0
	}
	return s.places[min(at, len(s.places)-1)]
}

var (
	bareDate   = regexp.MustCompile(`^\d{4}-\d{2}(?:-\d{2})?\b`)
	bareWord   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	bareNumber = regexp.MustCompile(`^\d[\d_]*(?:\.\d+)?`)
	percents   = regexp.MustCompile(`^\s?%`)
	codeAfter  = regexp.MustCompile(`^ ?([A-Z]{3})\b`)
	inList     = regexp.MustCompile(`^\s*\(`)
)

// plain turns what people write into the parser's language: = and <> mean == and !=, AND,
// OR, NOT and IN may be in capitals, a list may stand in round brackets after in, 20 % is
// a ratio, $5000 and 5000 EUR are amounts, and dates need no quotes. Quoted texts are not
// touched.
func plain(text string, dates bool) *source {
	var out strings.Builder
	s := &source{}
	put := func(as string, at int) {
		out.WriteString(as)
		place := utf8.RuneCountInString(text[:at]) + 1
		for range utf8.RuneCountInString(as) {
			s.places = append(s.places, place)
		}
	}
	same := func(from, to int) { // as it stands
		for i, r := range text[from:to] {
			put(string(r), from+i)
		}
	}
	var closing []byte // what each open bracket is closed with
	for i := 0; i < len(text); {
		rest := text[i:]
		switch ch := text[i]; {
		case ch == '"' || ch == '\'' || ch == '`':
			n := quoted(rest)
			if utf8.ValidString(rest[:n]) {
				same(i, i+n)
			} else {
				put(rest[:n], i)
			}
			i += n
		case ch == '(' || ch == '[':
			closing = append(closing, map[byte]byte{'(': ')', '[': ']'}[ch])
			put(string(ch), i)
			i++
		case (ch == ')' || ch == ']') && len(closing) > 0:
			if ch == ')' {
				ch = closing[len(closing)-1]
			}
			closing = closing[:len(closing)-1]
			put(string(ch), i)
			i++
		case strings.HasPrefix(rest, "<>"):
			put("!=", i)
			i += 2
		case strings.IndexByte("=!<>", ch) >= 0 && len(rest) > 1 && rest[1] == '=':
			put(rest[:2], i)
			i += 2
		case ch == '=':
			put("==", i)
			i++
		case dates && bareDate.MatchString(rest):
			d := bareDate.FindString(rest)
			put(`"`+d+`"`, i)
			i += len(d)
		case ch == '$' && bareNumber.MatchString(rest[1:]):
			n := bareNumber.FindString(rest[1:])
			put("money("+n+")", i)
			i += 1 + len(n)
		case ch >= '0' && ch <= '9': // a number: not the middle of it
			n := bareNumber.FindString(rest)
			after := rest[len(n):]
			switch sign, code := percents.FindString(after), codeAfter.FindStringSubmatch(after); {
			case sign != "":
				put("percent("+n+")", i)
				i += len(n) + len(sign)
			case code != nil && code[1] != "AND" && code[1] != "NOT":
				put(`money(`+n+`, "`+code[1]+`")`, i)
				i += len(n) + len(code[0])
			default:
				put(n, i)
				i += len(n)
			}
		case bareWord.MatchString(rest):
			word := bareWord.FindString(rest)
			low := strings.ToLower(word)
			as := word
			if low == "and" || low == "or" || low == "not" || low == "in" {
				as = low
			}
			put(as, i)
			i += len(word)
			if at := inList.FindString(text[i:]); low == "in" && at != "" {
				put(" [", i)
				closing = append(closing, ']')
				i += len(at)
			}
		default:
			_, n := utf8.DecodeRuneInString(rest)
			put(rest[:n], i)
			i += n
		}
	}
	s.text = out.String()
	return s
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

// parseFormula reads a formula. What is wrong is an Invalid fault with its place.
func parseFormula(text string) (*formula, error) {
	if len(text) > maxFormula {
		return nil, fault.Newf(fault.Invalid, "the formula is longer than %d characters", maxFormula)
	}
	node, s, err := parseText("formula", text, false)
	if err != nil {
		return nil, err
	}
	r := &formulaReader{source: s}
	root, err := r.read(node)
	if err != nil {
		return nil, err
	}
	return &formula{root: root, inputs: r.inputs}, nil
}

// formulaReader turns the parser's tree into terms.
type formulaReader struct {
	source *source
	inputs []string
	terms  int
	depth  int
	// dimension reads a condition on a dimension, nil when there can be none.
	dimension func(n *ast.BinaryNode) (*term, error)
}

func (r *formulaReader) read(n ast.Node) (*term, error) {
	if r.terms++; r.terms > maxTerms {
		return nil, fault.Newf(fault.Invalid, "the formula has more than %d parts: make measures of some of them", maxTerms)
	}
	if r.depth++; r.depth > maxDepth {
		return nil, fault.Newf(fault.Invalid, "the brackets stand more than %d deep in each other: make measures of some of them", maxDepth)
	}
	defer func() { r.depth-- }()
	t := &term{text: n.String(), at: r.source.place(n.Location().From)}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		t.op, t.name, t.text = opMeasure, n.Value, n.Value
		if !slices.Contains(r.inputs, n.Value) {
			r.inputs = append(r.inputs, n.Value)
		}
		return t, nil
	case *ast.IntegerNode:
		t.number = decimal.NewFromInt(int64(n.Value))
		return t, nil
	case *ast.FloatNode:
		t.number = decimal.NewFromFloat(n.Value)
		if t.number.Exponent() < -12 || t.number.NumDigits() > 18 {
			return nil, wrongAt(t, "%s has too many digits: at most 18, 12 of them decimals", t.text)
		}
		return t, nil
	case *ast.UnaryNode:
		if op, ok := map[string]op{"-": opNegate, "not": opNot, "!": opNot}[n.Operator]; ok {
			t.op = op
			return t, r.arguments(t, n.Node)
		}
	case *ast.BinaryNode:
		return r.binary(t, n)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return r.call(t, callee.Value, n.Arguments)
		}
	case *ast.BuiltinNode:
		return nil, wrongAt(t, "there is no function %q%s; there are %s", n.Name, nearest(n.Name, functionNames()), strings.Join(functionNames(), ", "))
	}
	return nil, wrongAt(t, "%s is not allowed; use measures, numbers, + - * /, comparisons, and, or, not, and the functions %s", t.text, strings.Join(functionNames(), ", "))
}

func (r *formulaReader) arguments(t *term, nodes ...ast.Node) error {
	for _, n := range nodes {
		arg, err := r.read(n)
		if err != nil {
			return err
		}
		t.args = append(t.args, arg)
	}
	return nil
}

func (r *formulaReader) binary(t *term, n *ast.BinaryNode) (*term, error) {
	if op := joins(n); op != "" {
		t.op = opAnd
		if op == "OR" {
			t.op = opOr
		}
		return t, r.arguments(t, sameJoin(n, op, nil)...)
	}
	if r.dimension != nil {
		if condition, err := r.dimension(n); err != nil || condition != nil {
			return condition, err
		}
	}
	switch n.Operator {
	case "+":
		t.op = opAdd
	case "-":
		t.op = opSubtract
	case "*":
		t.op = opMultiply
	case "/":
		t.op = opDivide
	case "<", "<=", ">", ">=", "==", "!=":
		t.op, t.name = opCompare, n.Operator
	default:
		return nil, wrongAt(t, "%s is not an operator of formulas; use + - * /, comparisons, and, or, not", n.Operator)
	}
	return t, r.arguments(t, n.Left, n.Right)
}

func (r *formulaReader) call(t *term, name string, args []ast.Node) (*term, error) {
	if name == "percent" || name == "money" {
		return r.literal(t, name, args)
	}
	t.op, t.name = opCall, name
	f := functions[name]
	for i, n := range args {
		if id, ok := n.(*ast.IdentifierNode); ok && f.over != "" && i == f.dimension {
			t.args = append(t.args, &term{op: opText, name: id.Value, text: id.Value, at: r.source.place(n.Location().From)})
			continue
		}
		if text, ok := n.(*ast.StringNode); ok && f.over != "" && i > 0 {
			t.args = append(t.args, &term{op: opText, name: text.Value, text: n.String(), at: r.source.place(n.Location().From)})
			continue
		}
		if err := r.arguments(t, n); err != nil {
			return nil, err
		}
	}
	return t, t.checkCall()
}

// literal reads a percentage or an amount.
func (r *formulaReader) literal(t *term, name string, args []ast.Node) (*term, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, wrongAt(t, "write a percentage as 20%% and an amount as $5000 or 5000 EUR")
	}
	number, err := r.read(args[0])
	if err != nil {
		return nil, err
	}
	if number.op != opNumber {
		return nil, wrongAt(t, "write a percentage as 20%% and an amount as $5000 or 5000 EUR")
	}
	t.number, t.unit = number.number, amount
	if name == "percent" {
		t.number, t.unit = t.number.Shift(-2), percentage
		t.text = number.text + "%"
		return t, nil
	}
	t.text = number.text
	if len(args) == 2 {
		code, ok := args[1].(*ast.StringNode)
		if !ok || !isoCode.MatchString(code.Value) {
			return nil, wrongAt(t, "write an amount as $5000 or 5000 EUR")
		}
		t.code, t.text = code.Value, t.text+" "+code.Value
	}
	return t, nil
}
