package metric

import (
	"maps"
	"testing"

	"github.com/maypok86/otter/v2"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
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

// Warehouse is what a catalog reads.
func Warehouse(c *Catalog) *warehouse.Warehouse { return c.w }

// Stock reports whether a base measure is looked at on a day, and so not added over time.
func Stock(c *Catalog, m *Measure) bool { return c.facts[m.Fact].Stock }

// The operations of formulas.
var (
	Add, Subtract, Multiply, Divide = add, subtract, multiply, divide
)

// DivisionDigits is how many decimals a quotient keeps.
const DivisionDigits = divisionDigits

// UnknownThresholds are the measures that thresholds.yaml names and the catalog has not.
func UnknownThresholds(t testing.TB) []string {
	all, err := loadThresholds(catalogFiles)
	if err != nil {
		t.Fatal(err)
	}
	c := New(nil, Options{})
	var out []string
	for _, b := range all {
		if c.byName[b.Measure] == nil {
			out = append(out, b.Measure)
		}
	}
	return out
}

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
