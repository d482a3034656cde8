package metric

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// divisionDigits is how many decimals a quotient keeps.
const divisionDigits = 16

// formula is an arithmetic expression over named measures: + - * / and numbers.
type formula struct {
	root   ast.Node
	inputs []string
}

// Parameters that formulas may name besides measures: they describe the cell.
func isParameter(name string) bool { return name == "months" || name == "days" }

func parseFormula(text string) (*formula, error) {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("formula %q: %w", text, err)
	}
	f := &formula{root: tree.Node}
	return f, f.check(tree.Node)
}

func (f *formula) check(n ast.Node) error {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if !slices.Contains(f.inputs, n.Value) {
			f.inputs = append(f.inputs, n.Value)
		}
		return nil
	case *ast.IntegerNode, *ast.FloatNode:
		return nil
	case *ast.UnaryNode:
		if n.Operator == "-" {
			return f.check(n.Node)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "+", "-", "*", "/":
			if err := f.check(n.Left); err != nil {
				return err
			}
			return f.check(n.Right)
		}
	}
	return fmt.Errorf("formula: %s is not allowed; use measures, numbers and + - * /", n.String())
}

// value is a number or the reason why there is none.
type value struct {
	number quantity.Decimal
	reason string // why there is no number; "" when there is one
}

// eval computes the formula; get gives an input's value.
func (f *formula) eval(get func(name string) value) value { return evalNode(f.root, get) }

func evalNode(n ast.Node, get func(string) value) value {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return get(n.Value)
	case *ast.IntegerNode:
		return value{number: decimal.NewFromInt(int64(n.Value))}
	case *ast.FloatNode:
		return value{number: decimal.NewFromFloat(n.Value)}
	case *ast.UnaryNode:
		v := evalNode(n.Node, get)
		v.number = v.number.Neg()
		return v
	case *ast.BinaryNode:
		a, b := evalNode(n.Left, get), evalNode(n.Right, get)
		if a.reason != "" {
			return a
		}
		if b.reason != "" {
			return b
		}
		switch n.Operator {
		case "+":
			return value{number: add(a.number, b.number)}
		case "-":
			return value{number: subtract(a.number, b.number)}
		case "*":
			return value{number: multiply(a.number, b.number)}
		}
		if b.number.Sign() <= 0 {
			return value{reason: fmt.Sprintf("%s is %s", words(n.Right), zeroOrNegative(b.number))}
		}
		return value{number: divide(a.number, b.number)}
	}
	return value{reason: "the formula cannot be computed"}
}

func zeroOrNegative(d quantity.Decimal) string {
	if d.IsZero() {
		return "zero"
	}
	return "negative"
}

func words(n ast.Node) string {
	if id, ok := n.(*ast.IdentifierNode); ok {
		return id.Value
	}
	return n.String()
}

// Evaluate computes a measure's formula from given input values, exactly. ok is false
// when it has no value there (a denominator that is zero or negative). Inputs that are
// measures with formulas of their own are computed from theirs unless given. Use
// FlatInputs for the inputs that must be given.
func (c *Catalog) Evaluate(m *Measure, inputs map[string]quantity.Decimal) (result quantity.Decimal, ok bool) {
	v := c.evaluate(m, func(name string) (value, bool) {
		d, ok := inputs[name]
		return value{number: d}, ok
	})
	return v.number, v.reason == ""
}

// evaluate computes a measure from what given knows: its own value, or else its inputs'.
func (c *Catalog) evaluate(m *Measure, given func(name string) (value, bool)) value {
	if v, ok := given(m.Name); ok {
		return v
	}
	if m.formula == nil {
		return value{reason: m.Name + " is not known here"}
	}
	v := m.formula.eval(func(name string) value {
		if dep, ok := c.byName[name]; ok {
			return c.evaluate(dep, given)
		}
		if v, ok := given(name); ok {
			return v
		}
		return value{reason: name + " is not known here"}
	})
	if most := decimal.NewFromInt(m.Most); m.Most > 0 && v.reason == "" && v.number.GreaterThan(most) {
		v.number = most
	}
	return v
}

// FlatInputs returns the base measures and parameters that a measure is computed from.
func (c *Catalog) FlatInputs(m *Measure) []string {
	out := slices.Clone(m.base)
	var walk func(*Measure)
	walk = func(m *Measure) {
		if m.formula == nil {
			return
		}
		for _, in := range m.formula.inputs {
			if isParameter(in) && !slices.Contains(out, in) {
				out = append(out, in)
			}
			if dep := c.byName[in]; dep != nil {
				walk(dep)
			}
		}
	}
	walk(m)
	return out
}
