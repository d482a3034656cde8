// Package metric is the semantic layer: what a number means, and the one path from a
// question to its answer.
//
// It owns the catalog of measures and dimensions, the query, its translation to SQL, the
// result with units, reasons for nulls, lineage and cache, the roll-ups that make it fast,
// what values are held to be (thresholds.go), and what a tenant says about both
// (settings.go). It does not own why a number changed or what to do about it (insight).
//
// Reading order: the catalog (catalog/*.yaml) names measures, dimensions and facts;
// query.go checks a question; compile.go turns it into SQL over the views of facts_*.go;
// run.go turns sums into values with exact decimals.
package metric

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Measure is a number that can be asked for: a base measure adds up a column of a fact,
// another is a formula over measures, evaluated on their sums.
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
	Expr      string        `yaml:"expr"` // other measures: a formula over measures
	// Special names a kind of measure that is neither a sum nor a formula, see special.go:
	// "median" and "p90" of a fact's column.
	Special string `yaml:"special"`
	Open    string `yaml:"open"` // median, p90: the column that is true while a duration still runs
	// Most caps a formula's value; 0 is no cap.
	Most int64 `yaml:"most"`
	// Assumes names what it rests on that the tenant has to confirm: "work_class".
	Assumes string `yaml:"assumes"`
	// Caveats are what to know before trusting it: gaps of the data, assumptions.
	Caveats []string `yaml:"caveats"`
	// MissingIsZero says that a tenant without the dataset has 0 of it, with a note.
	MissingIsZero bool `yaml:"missing_is_zero"`
	// Classes are what it shows that not everybody may see, in the order of tenant.Classes:
	// of a base measure as the catalog says, of a formula those of its inputs, and margin
	// where revenue and cost meet in it.
	Classes []tenant.Class `yaml:"classes" json:"-"`
	// PayBy is the dimension whose single members are people, or accounts of one person's
	// pay: cut by or filtered to one, the measure shows pay. "" when it never does.
	PayBy string `yaml:"pay_by" json:"-"`
	// Blank says why a base measure has no value where it has no rows; "" when it is 0 there.
	Blank string `yaml:"-" json:"-"`
	// Topic is the heading that the catalog lists it under.
	Topic string `yaml:"-"`
	// Tables are the stored tables that it is computed from.
	Tables []string `yaml:"-"`

	Custom bool `yaml:"-"` // one of the tenant's own (KPI)

	formula *formula
	deps    map[string]*Measure // the measures that the formula names
	base    []string            // base measures it needs, itself when it is one
	special []string            // special measures it needs, itself when it is one
	members []string            // dimensions that it looks at the members of
	wide    bool                // see Wide
	overs   bool                // looks at other spans of time
	earns   bool                // revenue or another amount that is no cost is in it
	payBy   []string            // PayBy of its base measures
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

// BaseInputs returns the base measures that it is computed from, itself when it is one.
func (m *Measure) BaseInputs() []string { return slices.Clone(m.base) }

// Wide reports whether the measure is no function of its cell's sums: it looks at other
// spans of time, members of a dimension or the total, or it is a median of stored values.
func (m *Measure) Wide() bool { return m.wide || len(m.special) > 0 }

// Dimension is a way to cut a measure.
type Dimension struct {
	Name  string `yaml:"name"`
	Label string `yaml:"label"`
	Help  string `yaml:"help"`
	Time  bool   `yaml:"time"`
	// Classes are what its members show that not everybody may see.
	Classes []tenant.Class `yaml:"classes" json:"-"`
	// Key is the column a fact must have to be cut by it; "" for dimensions of time.
	Key string `yaml:"key" json:"-"`
}

// Options tunes a Catalog. The zero value is ready to use.
type Options struct {
	// CacheCells bounds the result cache by the cells it holds. Zero means 2,000,000.
	CacheCells int
	// Settings are what tenants say about their measures. Nil means that they say nothing.
	Settings *Settings
	// Definitions are what tenants define for themselves. Nil means they define nothing.
	Definitions *definition.Store
	// OnSensitive is told before somebody with rights is given pay or personal figures, cached
	// ones, too. They are not given when it fails. Nil tells nobody.
	OnSensitive func(context.Context, tenant.Scope, tenant.Class) error
	// Now is the clock; it decides which month is still running. Nil means time.Now.
	Now func() time.Time
}

// Catalog knows the measures and answers queries. It is safe for concurrent use.
type Catalog struct {
	w          *warehouse.Warehouse
	now        func() time.Time
	measures   []*Measure
	byName     map[string]*Measure
	facts      map[string]*fact
	dimensions []Dimension
	keys       map[string]string // dimension -> key column
	thresholds []Threshold
	settings   *Settings
	cache      *otter.Cache[string, *Result]
	extents    *otter.Cache[string, *extent]
	sights     *otter.Cache[string, []limit]
	fewests    *otter.Cache[string, int64] // people of the smallest cell by question
	sensitive  func(context.Context, tenant.Scope, tenant.Class) error
	views      *otter.Cache[string, *Catalog] // by tenant: see For
	counts     *counts

	// What a tenant defines; see For.
	store           *definition.Store
	origin          *Catalog // without it, nil when this is the one
	pinned          bool
	revision        int64
	calendar        Calendar
	calendarVersion int
	kpis            map[string]KPI
	segments        map[string]*Segment
	rules           map[string]Rule
	broken          map[string]string // why a definition cannot be used
}

// counts are the queries by whether the cache had them.
type counts struct{ hits, misses atomic.Int64 }

// New reads the built-in catalog. It panics when the catalog contradicts itself, which a
// test rules out. Without a warehouse (nil) the catalog describes measures and answers no
// query.
func New(w *warehouse.Warehouse, opt Options) *Catalog {
	c, err := load(catalogFiles)
	if err != nil {
		panic(err)
	}
	c.w, c.now, c.settings, c.store, c.counts = w, opt.Now, opt.Settings, opt.Definitions, &counts{}
	if c.now == nil {
		c.now = time.Now
	}
	cells := opt.CacheCells
	if cells <= 0 {
		cells = 2_000_000
	}
	c.cache = otter.Must(&otter.Options[string, *Result]{
		MaximumWeight: uint64(cells),
		Weigher:       func(_ string, r *Result) uint32 { return uint32(16 + len(r.Rows)*len(r.Columns)) },
	})
	c.extents = otter.Must(&otter.Options[string, *extent]{MaximumSize: 1000})
	c.sights = otter.Must(&otter.Options[string, []limit]{MaximumSize: 1000})
	c.fewests = otter.Must(&otter.Options[string, int64]{MaximumSize: 1000})
	c.sensitive = opt.OnSensitive
	c.views = otter.Must(&otter.Options[string, *Catalog]{MaximumSize: 1000})
	return c
}

// CacheStats counts the queries answered from the cache, and those that were not.
type CacheStats struct {
	Hits, Misses int64
}

// CacheStats returns the counts since the start.
func (c *Catalog) CacheStats() CacheStats {
	return CacheStats{Hits: c.counts.hits.Load(), Misses: c.counts.misses.Load()}
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
	if why := c.broken[name]; why != "" {
		return nil, fault.WithFields(fmt.Sprintf("%s cannot be used: %s", name, why), fault.Field{Path: "measures", Message: why})
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

// DimensionsOf returns the dimensions that a measure can be cut by: those that every fact
// it needs has. A concentration over clients cannot be cut by client.
func (c *Catalog) DimensionsOf(m *Measure) []string {
	var out []string
	for _, d := range c.dimensions {
		ok := !slices.Contains(m.members, d.Name)
		for _, b := range m.base {
			ok = ok && c.factOf(b).has(d) && !(c.factOf(b).Monthly && d.Time && !step{d.Name, c.calendar}.byMonth())
		}
		if ok {
			out = append(out, d.Name)
		}
	}
	return out
}

// factOf returns the fact of a base measure.
func (c *Catalog) factOf(base string) *fact { return c.facts[c.byName[base].Fact] }

func (c *Catalog) dimension(name string) (Dimension, bool) {
	for _, d := range c.dimensions {
		if d.Name == name {
			return d, true
		}
	}
	return Dimension{}, false
}

func (c *Catalog) dimensionNames() []string {
	names := make([]string, len(c.dimensions))
	for i, d := range c.dimensions {
		names[i] = d.Name
	}
	return names
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
