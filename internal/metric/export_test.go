package metric

import (
	"maps"

	"github.com/maypok86/otter/v2"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// WithoutRollups returns a catalog over the same data that reads base tables only.
func WithoutRollups(c *Catalog) *Catalog {
	out := New(c.w, Options{Now: c.now})
	out.facts = maps.Clone(c.facts)
	for name, f := range out.facts {
		plain := *f
		plain.Rollups = nil
		out.facts[name] = &plain
	}
	out.cache = otter.Must(&otter.Options[string, *Result]{MaximumSize: 1})
	return out
}

// The operations of formulas.
var (
	Add, Subtract, Multiply, Divide = add, subtract, multiply, divide
)

// DivisionDigits is how many decimals a quotient keeps.
const DivisionDigits = divisionDigits

// StepOf is a step of time by a calendar.
func StepOf(name string, cal Calendar) step { return step{name, cal} }

// Start and Add are the first day of a step that holds a day, and that of the n-th after.
func (s step) Start(d quantity.Day) quantity.Day          { return s.start(d) }
func (s step) Add(first quantity.Day, n int) quantity.Day { return s.add(first, n) }

// InferredUnit is the unit of a formula over the catalog's measures.
func (c *Catalog) InferredUnit(formula string) (quantity.Unit, error) {
	f, err := parseFormula(formula)
	if err != nil {
		return "", err
	}
	return f.infer(c.unit)
}
