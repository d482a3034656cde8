package metric

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// divisionDigits is how many decimals a quotient keeps.
const divisionDigits = 16

// formula is an expression over named measures: see parse.go for how it is written and
// functions.go for its functions.
type formula struct {
	root   *term
	inputs []string // measures and parameters it names, in order
}

// term is a part of a formula.
type term struct {
	op     op
	name   string           // of a measure, parameter, dimension or function
	number quantity.Decimal // of a literal
	unit   literalUnit      // of a literal
	code   string           // of a literal amount, "" when it names no currency
	texts  []string         // of a condition on a dimension
	args   []*term
	text   string // as it was written, for messages
	at     int    // place in the text, in characters from 1
}

// op is what a term does with its arguments.
type op int

const (
	opNumber op = iota
	opMeasure
	opNegate
	opAdd
	opSubtract
	opMultiply
	opDivide
	opCompare // name is the operator
	opAnd
	opOr
	opNot
	opText // a condition on a dimension; name is the dimension, code the operator
	opCall // name is the function
)

// literalUnit says what a literal number counts.
type literalUnit int

const (
	bare literalUnit = iota // takes the unit of what it is added to or compared with
	percentage
	amount
)

// Parameters that formulas may name besides measures: they describe the cell.
func isParameter(name string) bool { return name == "months" || name == "days" }

// value is a number or the reason why there is none. A truth is 1 or 0.
type value struct {
	number quantity.Decimal
	reason string // why there is no number; "" when there is one
}

func null(format string, args ...any) value { return value{reason: fmt.Sprintf(format, args...)} }

func truth(b bool) value {
	if b {
		return value{number: decimal.NewFromInt(1)}
	}
	return value{}
}

// place is where a formula is computed: get gives an input's value, call that of a function
// over time or members, label the cell's value of a dimension.
type place struct {
	get   func(name string) value
	call  func(t *term) value
	label func(dimension string) (string, bool)
}

// eval computes the formula at a place.
func (f *formula) eval(p place) value { return f.root.eval(p) }

func (t *term) eval(p place) value {
	switch t.op {
	case opNumber:
		return value{number: t.number}
	case opMeasure:
		return p.get(t.name)
	case opNegate:
		v := t.args[0].eval(p)
		v.number = v.number.Neg()
		return v
	case opAnd, opOr:
		return t.joined(p)
	case opNot:
		v := t.args[0].eval(p)
		if v.reason != "" {
			return v
		}
		return truth(v.number.IsZero())
	case opText:
		if p.label == nil {
			return null("%s is not known here", t.name)
		}
		return t.textual(p)
	case opCall:
		return t.called(p)
	}
	a, b := t.args[0].eval(p), t.args[1].eval(p)
	if a.reason != "" {
		return a
	}
	if b.reason != "" {
		return b
	}
	switch t.op {
	case opAdd:
		return value{number: add(a.number, b.number)}
	case opSubtract:
		return value{number: subtract(a.number, b.number)}
	case opMultiply:
		return value{number: multiply(a.number, b.number)}
	case opCompare:
		return truth(holdsFor(t.name, a.number.Cmp(b.number)))
	}
	return quotient(a.number, b.number, t.args[1])
}

// quotient is a / b, null when b is zero or negative.
func quotient(a, b quantity.Decimal, divisor *term) value {
	if b.Sign() <= 0 {
		return null("%s is %s", divisor.text, zeroOrNegative(b))
	}
	return value{number: divide(a, b)}
}

// joined is "and" or "or": what is unknown decides nothing unless the other side does.
func (t *term) joined(p place) value {
	unknown := value{}
	for _, arg := range t.args {
		v := arg.eval(p)
		switch {
		case v.reason != "":
			unknown = v
		case v.number.IsZero() == (t.op == opAnd):
			return v
		}
	}
	if unknown.reason != "" {
		return unknown
	}
	return truth(t.op == opAnd)
}

func holdsFor(operator string, cmp int) bool {
	switch operator {
	case "<":
		return cmp < 0
	case "<=":
		return cmp <= 0
	case ">":
		return cmp > 0
	case ">=":
		return cmp >= 0
	case "!=":
		return cmp != 0
	}
	return cmp == 0
}

func zeroOrNegative(d quantity.Decimal) string {
	if d.IsZero() {
		return "zero"
	}
	return "negative"
}

// walk calls fn for the term and all below it.
func (t *term) walk(fn func(*term)) {
	fn(t)
	for _, arg := range t.args {
		arg.walk(fn)
	}
}

// Evaluate computes a measure's formula from given input values, exactly. ok is false
// when it has no value there (a denominator that is zero or negative), or when it looks at
// other cells than its own (Measure.Wide). Inputs that are measures with formulas of their
// own are computed from theirs unless given. Use FlatInputs for the inputs that must be
// given.
func (c *Catalog) Evaluate(m *Measure, inputs map[string]quantity.Decimal) (result quantity.Decimal, ok bool) {
	v := evaluate(m, func(name string) (value, bool) {
		d, ok := inputs[name]
		return value{number: d}, ok
	}, nil)
	return v.number, v.reason == ""
}

// evaluate computes a measure from what given knows: its own value, or else its inputs'.
func evaluate(m *Measure, given func(name string) (value, bool), label func(string) (string, bool)) value {
	if v, ok := given(m.Name); ok {
		return v
	}
	if m.formula == nil || m.Special != "" { // a median's formula counts its values
		return null("%s is not known here", m.Name)
	}
	v := m.formula.eval(place{label: label, get: func(name string) value {
		if dep, ok := m.deps[name]; ok {
			return evaluate(dep, given, nil)
		}
		if v, ok := given(name); ok {
			return v
		}
		return null("%s is not known here", name)
	}})
	return m.capped(v)
}

// capped is a value of the measure that is at most its bound.
func (m *Measure) capped(v value) value {
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
			if dep := m.deps[in]; dep != nil {
				walk(dep)
			}
		}
	}
	walk(m)
	return out
}

// wrongAt is a fault of a formula or condition that says where in the text it is.
func wrongAt(t *term, format string, args ...any) error {
	where := ""
	if t.at > 0 {
		where = fmt.Sprintf(" (character %d)", t.at)
	}
	return fault.Newf(fault.Invalid, "%s%s", fmt.Sprintf(format, args...), where)
}
