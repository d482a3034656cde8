package metric

import (
	"maps"

	"github.com/maypok86/otter/v2"
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

// Stock reports whether a base measure is looked at on a day.
func Stock(c *Catalog, m *Measure) bool { return c.facts[m.Fact].Stock }

// The operations of formulas.
var (
	Add, Subtract, Multiply, Divide = add, subtract, multiply, divide
)

// DivisionDigits is how many decimals a quotient keeps.
const DivisionDigits = divisionDigits
