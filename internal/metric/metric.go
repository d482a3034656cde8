// Package metric is the semantic layer: what a number means, and the one path from a
// question to its answer.
//
// It owns the catalog of measures and dimensions, the query, its translation to SQL, the
// result with units, reasons for nulls, lineage and cache, and the roll-ups that make it
// fast. It does not own why a number changed or what to do about it (insight).
package metric

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/maypok86/otter/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

//go:embed catalog.yaml
var catalogYAML []byte

// Measure is a number that can be asked for.
type Measure struct {
	Name      string        `yaml:"name"`
	Label     string        `yaml:"label"`
	Unit      quantity.Unit `yaml:"unit"`
	Direction string        `yaml:"direction"` // up_good, down_good or two_sided
	Formula   string        `yaml:"formula"`   // in words
	Source    string        `yaml:"source"`    // section of the domain reference
	Version   int           `yaml:"version"`   // rises when the meaning changes
	Fact      string        `yaml:"fact"`      // base measures: the fact and its column
	Column    string        `yaml:"column"`
	Expr      string        `yaml:"expr"`    // other measures: a formula over measures
	Special   string        `yaml:"special"` // "hhi": computed over clients
	// MissingIsZero says that a tenant without the dataset has 0 of it, with a reason.
	MissingIsZero bool `yaml:"missing_is_zero"`

	formula *formula
	base    []string // base measures it needs, itself when it is one
}

// Base reports whether the measure adds up a stored column.
func (m *Measure) Base() bool { return m.Fact != "" }

// Inputs returns the measures that the formula names, in order; none for a base measure.
func (m *Measure) Inputs() []string {
	if m.formula == nil {
		return nil
	}
	return slices.Clone(m.formula.inputs)
}

// Dimension is a way to cut a measure.
type Dimension struct {
	Name  string `yaml:"name"`
	Label string `yaml:"label"`
	Help  string `yaml:"help"`
	Time  bool   `yaml:"time"`
}

// Options tunes a Catalog. The zero value is ready to use.
type Options struct {
	// CacheCells bounds the result cache by the cells it holds. Zero means 2,000,000.
	CacheCells int
}

// Catalog knows the measures and answers queries. It is safe for concurrent use.
type Catalog struct {
	w          *warehouse.Warehouse
	measures   []*Measure
	byName     map[string]*Measure
	dimensions []Dimension
	cache      *otter.Cache[string, *Result]
}

// New reads the built-in catalog. It panics when the catalog contradicts itself, which a
// test rules out.
func New(w *warehouse.Warehouse, opt Options) *Catalog {
	c, err := load(catalogYAML)
	if err != nil {
		panic(err)
	}
	c.w = w
	cells := opt.CacheCells
	if cells <= 0 {
		cells = 2_000_000
	}
	c.cache = otter.Must(&otter.Options[string, *Result]{
		MaximumWeight: uint64(cells),
		Weigher:       func(_ string, r *Result) uint32 { return uint32(16 + len(r.Rows)*len(r.Columns)) },
	})
	return c
}

func load(text []byte) (*Catalog, error) {
	var file struct {
		Measures   []*Measure  `yaml:"measures"`
		Dimensions []Dimension `yaml:"dimensions"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("metric catalog: %w", err)
	}
	c := &Catalog{measures: file.Measures, dimensions: file.Dimensions, byName: map[string]*Measure{}}
	for _, m := range c.measures {
		if c.byName[m.Name] != nil {
			return nil, fmt.Errorf("metric catalog: %q stands twice", m.Name)
		}
		c.byName[m.Name] = m
	}
	for _, m := range c.measures {
		if err := c.check(m); err != nil {
			return nil, fmt.Errorf("metric catalog: %s: %w", m.Name, err)
		}
	}
	for _, m := range c.measures {
		if err := c.resolve(m, nil); err != nil {
			return nil, fmt.Errorf("metric catalog: %w", err)
		}
	}
	return c, nil
}

func (c *Catalog) check(m *Measure) error {
	switch {
	case m.Base():
		f := factOf(m.Fact)
		if f == nil || !slices.Contains(f.columns, m.Column) {
			return fmt.Errorf("fact %q has no column %q", m.Fact, m.Column)
		}
	case m.Expr == "":
		return fmt.Errorf("has neither a fact nor a formula")
	default:
		var err error
		if m.formula, err = parseFormula(m.Expr); err != nil {
			return err
		}
	}
	return nil
}

// resolve finds the base measures of a formula and refuses circles.
func (c *Catalog) resolve(m *Measure, path []string) error {
	if slices.Contains(path, m.Name) {
		return fmt.Errorf("%s is defined by itself: %s", m.Name, strings.Join(append(path, m.Name), " -> "))
	}
	if m.base != nil {
		return nil
	}
	if m.Base() {
		m.base = []string{m.Name}
		return nil
	}
	for _, in := range m.formula.inputs {
		if isParameter(in) {
			continue
		}
		dep, ok := c.byName[in]
		if !ok {
			return fmt.Errorf("%s uses %q, which is not a measure", m.Name, in)
		}
		if err := c.resolve(dep, append(path, m.Name)); err != nil {
			return err
		}
		for _, b := range dep.base {
			if !slices.Contains(m.base, b) {
				m.base = append(m.base, b)
			}
		}
	}
	return nil
}

// Measures lists the catalog.
func (c *Catalog) Measures() []*Measure { return c.measures }

// Dimensions lists the ways to cut.
func (c *Catalog) Dimensions() []Dimension { return c.dimensions }

// Measure returns the named measure; an unknown name is an Invalid fault that lists what
// is there.
func (c *Catalog) Measure(name string) (*Measure, error) {
	if m, ok := c.byName[name]; ok {
		return m, nil
	}
	return nil, fault.WithFields(fmt.Sprintf("there is no measure %q%s", name, nearest(name, c.names())), fault.Field{Path: "measures", Message: fmt.Sprintf("unknown measure %q", name), Allowed: c.names()})
}

func (c *Catalog) names() []string {
	names := make([]string, len(c.measures))
	for i, m := range c.measures {
		names[i] = m.Name
	}
	return names
}

// DimensionsOf returns the dimensions that a measure can be cut by.
func (c *Catalog) DimensionsOf(m *Measure) []string {
	var out []string
	for _, d := range c.dimensions {
		ok := m.Special == "" || d.Time
		for _, b := range m.base {
			ok = ok && factOf(c.byName[b].Fact).has(d.Name)
		}
		if ok {
			out = append(out, d.Name)
		}
	}
	return out
}

func (c *Catalog) dimension(name string) (Dimension, bool) {
	for _, d := range c.dimensions {
		if d.Name == name {
			return d, true
		}
	}
	return Dimension{}, false
}

// nearest returns ", did you mean …?" when a name is close to a known one.
func nearest(name string, known []string) string {
	best, at := 3, ""
	for _, k := range known {
		if d := editDistance(name, k); d < best {
			best, at = d, k
		}
	}
	if at == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", at)
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
