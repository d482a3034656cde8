package metric

import (
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// meaning is what a term yields.
type meaning struct {
	of    quantity.Quantity
	bare  bool // a literal number: it takes the unit of what it stands beside
	truth bool // true or false
}

// unitsOf are the units of the measures and parameters that a formula may name.
type unitsOf func(name string) (quantity.Unit, bool)

// infer returns the unit of a formula, or an Invalid fault that names the two operands
// that do not go together and says what can be done.
func (f *formula) infer(units unitsOf) (quantity.Unit, error) {
	m, err := f.root.meaning(units)
	if err != nil {
		return "", err
	}
	if m.truth {
		return "", fault.Newf(fault.Invalid, "the formula says true or false: put it into if(…, a, b), or use it as a filter")
	}
	if m.bare {
		return quantity.Ratio, nil
	}
	u, ok := m.of.Unit()
	if !ok {
		return "", fault.Newf(fault.Invalid, "the formula gives %s, which is no unit: look for a product of two things that should be a quotient", m.of.Words())
	}
	if u == quantity.Ratio && f.root.perEndpoint() {
		return quantity.PerEndpoint, nil
	}
	return u, nil
}

// perEndpoint reports whether things are divided by devices.
func (t *term) perEndpoint() bool {
	switch {
	case t.op == opDivide, t.op == opCall && t.name == "per":
		return t.args[1].text == "endpoints"
	case t.op == opCall && functions[t.name].over == "time" && t.name != "growth" && t.name != "yoy", t.op == opCall && t.name == "round":
		return t.args[0].perEndpoint()
	}
	return false
}

func (t *term) meaning(units unitsOf) (meaning, error) {
	switch t.op {
	case opNumber:
		switch t.unit {
		case percentage:
			return meaning{}, nil
		case amount:
			q, _ := quantity.QuantityOf(quantity.Money)
			return meaning{of: q}, nil
		}
		return meaning{bare: true}, nil
	case opMeasure:
		u, ok := units(t.name)
		if !ok {
			return meaning{}, wrongAt(t, "%q is not a measure", t.name)
		}
		q, ok := quantity.QuantityOf(u)
		if !ok {
			return meaning{}, wrongAt(t, "%s is %s, which cannot be reckoned with", t.name, u)
		}
		return meaning{of: q}, nil
	case opText:
		return meaning{truth: true}, nil
	case opCall:
		return t.meaningOfCall(units)
	}
	all := make([]meaning, len(t.args))
	for i, arg := range t.args {
		var err error
		if all[i], err = arg.meaning(units); err != nil {
			return meaning{}, err
		}
		if logical := t.op == opAnd || t.op == opOr || t.op == opNot; all[i].truth != logical {
			return meaning{}, t.confused(arg, logical)
		}
	}
	switch t.op {
	case opAnd, opOr, opNot:
		return meaning{truth: true}, nil
	case opNegate:
		return all[0], nil
	case opMultiply:
		return meaning{of: all[0].of.Times(all[1].of), bare: all[0].bare && all[1].bare}, nil
	case opDivide:
		return meaning{of: all[0].of.Per(all[1].of), bare: all[0].bare && all[1].bare}, nil
	case opCompare:
		_, err := t.alike(t.args, all)
		return meaning{truth: true}, err
	}
	return t.alike(t.args, all)
}

// confused is the fault of a number where a condition must stand, or the reverse.
func (t *term) confused(arg *term, wantsTruth bool) error {
	if wantsTruth {
		return wrongAt(arg, "%s is a number, not a condition: compare it with something, such as %s > 0", arg.text, arg.text)
	}
	return wrongAt(arg, "%s is a condition, not a number: put it into if(%s, 1, 0)", arg.text, arg.text)
}

// alike returns what all the arguments are, or a fault that names two that differ.
func (t *term) alike(args []*term, all []meaning) (meaning, error) {
	out, of := meaning{bare: true}, -1
	for i, m := range all {
		switch {
		case m.truth:
			return m, t.confused(args[i], false)
		case m.bare:
		case of < 0:
			out, of = m, i
		case m.of != out.of:
			return m, wrongAt(args[i], "these do not go together: %s", quantity.Mismatch(args[of].text, out.of, args[i].text, m.of))
		}
	}
	return out, nil
}

func (t *term) meaningOfCall(units unitsOf) (meaning, error) {
	var all []meaning
	for i, arg := range t.args {
		if arg.op == opText && functions[t.name].over != "" {
			continue
		}
		m, err := arg.meaning(units)
		if err != nil {
			return m, err
		}
		if m.truth != (t.name == "if" && i == 0) {
			return m, t.confused(arg, !m.truth)
		}
		all = append(all, m)
	}
	if functions[t.name].over != "" && all[0].bare {
		return meaning{}, wrongAt(t, "%s needs a measure, not a number: %s", t.name, functions[t.name].usage)
	}
	additive := func() error {
		if all[0].of == (quantity.Quantity{}) {
			return wrongAt(t.args[0], "%s adds up %s, which is a ratio: ratios are not added; use an amount, hours or a count", t.name, t.args[0].text)
		}
		return nil
	}
	switch t.name {
	case "ratio":
		if _, err := t.alike(t.args, all); err != nil {
			return meaning{}, fault.Newf(fault.Invalid, "%s; for a rate write per(%s, %s)", strings.TrimSuffix(fault.Message(err), "."), t.args[0].text, t.args[1].text)
		}
		return meaning{}, nil
	case "per":
		return meaning{of: all[0].of.Per(all[1].of)}, nil
	case "if":
		return t.alike(t.args[1:], all[1:])
	case "round", "abs", "lag", "rolling", "cumulative", "percentile":
		return all[0], nil
	case "growth", "yoy":
		return meaning{}, nil
	case "share", "hhi", "top_share":
		return meaning{}, additive()
	case "rank":
		q, _ := quantity.QuantityOf(quantity.Count)
		return meaning{of: q}, nil
	}
	return t.alike(t.args, all)
}
