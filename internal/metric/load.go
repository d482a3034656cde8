package metric

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

//go:embed catalog/*.yaml
var catalogFiles embed.FS

// topics are the files of measures in the order of the catalog.
var topics = []string{"revenue", "margin", "agreements", "people", "desk", "licenses", "cash", "growth", "projects", "ledger", "drivers"}

// fact is one source of base measures: a view over stored tables that yields a day, keys
// and columns that add up, and the roll-ups that hold its sums. See catalog/facts.yaml.
type fact struct {
	Name    string   `yaml:"name"`
	Tables  []string `yaml:"tables"` // stored tables the view reads; the first is the one that periods cut
	Needs   []string `yaml:"needs"`  // of these, the ones without which there is nothing to say
	Any     bool     `yaml:"any"`    // one of Needs is enough
	Money   bool     `yaml:"money"`  // the view has a currency column
	Stock   bool     `yaml:"stock"`  // looked at on a day: the view joins look(day, month)
	Monthly bool     `yaml:"monthly"`
	Whole   bool     `yaml:"whole"` // its days are not those that place a row of the first table
	Keys    []string `yaml:"keys"`
	// Blank says why a cell without rows has no value; without it the value is 0 there.
	Blank   string       `yaml:"blank"`
	Columns []factColumn `yaml:"columns"`
	Rollups []rollup     `yaml:"rollups"` // the first that can answer is read

	view view
}

// factColumn is a column that adds up.
type factColumn struct {
	Name    string         `yaml:"name"`
	Type    warehouse.Type `yaml:"type"`    // stored type in roll-ups; sums keep every decimal
	Unknown string         `yaml:"unknown"` // why it is null when rows are there and no value is
}

// rollup is a stored sum of a fact by month (or by week and month), currency and some of
// its keys.
type rollup struct {
	Table string   `yaml:"table"`
	Keys  []string `yaml:"keys"`
	Grain string   `yaml:"grain"` // "" is the month, "week" the part of a week in a month
}

// day is the column that the roll-up's dimensions of time are made of.
func (r rollup) day() string {
	if r.Grain == "week" {
		return weekPart
	}
	return "month"
}

// answers reports whether the roll-up tells the steps of time apart and cuts at the period's ends.
func (r rollup) answers(p quantity.Period, steps []step) bool {
	ends := p.WholeMonths() || r.Grain == "week" && p.WholeMonthsOrWeeks()
	return ends && !slices.ContainsFunc(steps, func(s step) bool { return !s.byMonth() && !(r.Grain == "week" && s.name == "week") })
}

// has reports whether the roll-up has all of some keys.
func (r rollup) has(keys []string) bool {
	return !slices.ContainsFunc(keys, func(k string) bool { return !slices.Contains(r.Keys, k) })
}

// view is the SQL of a fact. with names the helper relations that it reads.
type view struct {
	sql  string
	with []string
}

// between reports whether the fact tells what lies between the two ends of each cell: that
// of a longer span is no sum of its steps'.
func (f *fact) between() bool { return slices.Contains(f.view.with, "spans") }

func (f *fact) column(name string) (factColumn, bool) {
	for _, c := range f.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return factColumn{}, false
}

// has reports whether the fact can be cut by a dimension.
func (f *fact) has(d Dimension) bool {
	switch {
	case d.Time:
		return d.Name != "day" && d.Name != "week" || !f.Stock && !f.Monthly
	case d.Key == "currency":
		return f.Money
	}
	return slices.Contains(f.Keys, d.Key)
}

// load reads the catalog's files and refuses what contradicts itself.
func load(files fs.FS) (*Catalog, error) {
	c := &Catalog{byName: map[string]*Measure{}, facts: map[string]*fact{}, keys: map[string]string{}}
	var dims struct {
		Dimensions []Dimension `yaml:"dimensions"`
	}
	if err := read(files, "dimensions", &dims); err != nil {
		return nil, err
	}
	c.dimensions = dims.Dimensions
	facts, err := loadFacts(files)
	if err != nil {
		return nil, err
	}
	for _, f := range facts {
		c.facts[f.Name] = f
	}
	for _, topic := range topics {
		var file struct {
			Topic    string     `yaml:"topic"`
			Measures []*Measure `yaml:"measures"`
		}
		if err := read(files, topic, &file); err != nil {
			return nil, err
		}
		for _, m := range file.Measures {
			if c.byName[m.Name] != nil {
				return nil, fmt.Errorf("metric catalog: %q stands twice", m.Name)
			}
			m.Topic = file.Topic
			c.byName[m.Name] = m
			c.measures = append(c.measures, m)
		}
	}
	for _, d := range c.dimensions {
		c.keys[d.Name] = d.Key
		if _, ok := dimensionSQL[d.Name]; !ok && !d.Time {
			return nil, fmt.Errorf("metric catalog: dimension %s has no SQL", d.Name)
		}
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
	if c.thresholds, err = loadThresholds(files); err != nil {
		return nil, err
	}
	c.thresholds = slices.DeleteFunc(c.thresholds, func(t Threshold) bool { return c.byName[t.Measure] == nil })
	return c, nil
}

func loadFacts(files fs.FS) ([]*fact, error) {
	var file struct {
		Facts []*fact `yaml:"facts"`
	}
	if err := read(files, "facts", &file); err != nil {
		return nil, err
	}
	for _, f := range file.Facts {
		var ok bool
		if f.view, ok = views[f.Name]; !ok {
			return nil, fmt.Errorf("metric catalog: fact %s has no view", f.Name)
		}
		for _, name := range f.view.with {
			if _, ok := helpers[name]; !ok && !isPeriodic(name) {
				return nil, fmt.Errorf("metric catalog: fact %s reads %q, which is no helper", f.Name, name)
			}
		}
		for _, r := range f.Rollups {
			if r.Grain != "" && r.Grain != "week" {
				return nil, fmt.Errorf("metric catalog: fact %s: %q is no grain of %s", f.Name, r.Grain, r.Table)
			}
			for _, k := range r.Keys {
				if keyIDs[k] == 0 || !slices.Contains(f.Keys, k) {
					return nil, fmt.Errorf("metric catalog: fact %s: %s cannot be a key of %s", f.Name, k, r.Table)
				}
			}
			for _, col := range f.Columns {
				if col.Type == "" {
					return nil, fmt.Errorf("metric catalog: fact %s: column %s needs a type for %s", f.Name, col.Name, r.Table)
				}
			}
		}
	}
	return file.Facts, nil
}

func read(files fs.FS, name string, into any) error {
	text, err := fs.ReadFile(files, "catalog/"+name+".yaml")
	if err != nil {
		return fmt.Errorf("metric catalog: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
		return fmt.Errorf("metric catalog: %s: %w", name, err)
	}
	return nil
}

func (c *Catalog) check(m *Measure) error {
	switch {
	case m.Version < 1 || m.Label == "" || m.Formula == "" || m.Source == "" || m.Unit == "":
		return fmt.Errorf("needs a label, unit, formula, source and version")
	case !slices.Contains([]string{"up_good", "down_good", "two_sided"}, m.Direction):
		return fmt.Errorf("direction %q is not up_good, down_good or two_sided", m.Direction)
	case m.Base():
		f := c.facts[m.Fact]
		if f == nil {
			return fmt.Errorf("there is no fact %q", m.Fact)
		}
		if d, ok := c.dimension(m.PayBy); m.PayBy != "" && (!ok || !f.has(d)) {
			return fmt.Errorf("pay_by: fact %q cannot be cut by %q", m.Fact, m.PayBy)
		}
		if _, ok := f.column(m.Column); !ok {
			return fmt.Errorf("fact %q has no column %q", m.Fact, m.Column)
		}
	case m.PayBy != "" || len(m.Classes) > 0:
		return fmt.Errorf("a formula has the classes of its inputs: give it none")
	case m.Expr == "":
		return fmt.Errorf("has neither a fact nor a formula")
	default:
		var err error
		if m.formula, err = parseFormula(m.Expr); err != nil {
			return err
		}
	}
	if m.Special != "" {
		return c.checkSpecial(m)
	}
	return nil
}

// resolve finds the base measures and tables of a formula and refuses circles.
func (c *Catalog) resolve(m *Measure, path []string) error {
	if slices.Contains(path, m.Name) {
		return fmt.Errorf("%s is defined by itself: %s", m.Name, strings.Join(append(path, m.Name), " -> "))
	}
	if m.base != nil {
		return nil
	}
	if m.Base() {
		m.base = []string{m.Name}
		m.Blank = c.facts[m.Fact].Blank
		m.Tables = c.facts[m.Fact].Tables
		m.earns = isMoney(m.Unit) && !slices.Contains(m.Classes, tenant.Cost)
		if m.PayBy != "" {
			m.payBy = []string{m.PayBy}
		}
		return nil
	}
	if m.Special != "" {
		m.special = []string{m.Name}
	}
	for _, in := range m.formula.inputs {
		if isParameter(in) {
			continue
		}
		dep, ok := c.byName[in]
		if !ok {
			return fmt.Errorf("%s uses %q, which is not a measure%s", m.Name, in, nearest(in, c.names()))
		}
		if err := c.resolve(dep, append(path, m.Name)); err != nil {
			return err
		}
		m.link(dep)
	}
	return m.linkFunctions(c)
}

// link notes a measure that the formula names, and all that it needs.
func (m *Measure) link(dep *Measure) {
	if m.deps == nil {
		m.deps = map[string]*Measure{}
	}
	m.deps[dep.Name] = dep
	m.base = union(m.base, dep.base)
	m.Tables = union(m.Tables, dep.Tables)
	m.special = union(m.special, dep.special)
	m.members = union(m.members, dep.members)
	m.wide, m.overs = m.wide || dep.wide, m.overs || dep.overs
	m.classify(dep)
}

// linkFunctions notes what the formula's functions look at, and checks the dimensions.
func (m *Measure) linkFunctions(c *Catalog) error {
	var wrong error
	m.formula.root.walk(func(t *term) {
		if t.op != opCall || functions[t.name].over == "" {
			return
		}
		m.wide = true
		m.overs = m.overs || functions[t.name].over == "time"
		at := functions[t.name].dimension
		if at < 0 || at >= len(t.args) {
			return
		}
		dim := t.args[at]
		if d, ok := c.dimension(dim.name); dim.op != opText || !ok || d.Time {
			wrong = wrongAt(dim, "%s needs a dimension that is not time here, and %q is none%s", t.name, dim.text, nearest(dim.text, c.dimensionNames()))
		} else if t.name != "share" && t.name != "rank" {
			m.members = union(m.members, []string{dim.name})
		}
	})
	return wrong
}

// union appends to a what b has beyond it.
func union[T comparable](a, b []T) []T {
	a = slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
