package metric

import "slices"

// Definition is all that is to be known of a measure before it is believed.
type Definition struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Topic      string      `json:"topic"`
	Unit       string      `json:"unit"`
	Direction  string      `json:"direction"`
	Formula    string      `json:"formula" doc:"in words"`
	Expr       string      `json:"expr,omitempty" doc:"over measures"`
	Version    int         `json:"version"`
	Source     string      `json:"source"`
	Kind       string      `json:"kind" doc:"sum of stored rows, formula, or a kind of its own"`
	Inputs     []string    `json:"inputs" nullable:"false" doc:"measures that its formula names"`
	Base       []string    `json:"base" nullable:"false" doc:"base measures whose rows are behind it"`
	Tables     []string    `json:"tables" nullable:"false"`
	Needs      []string    `json:"needs" nullable:"false" doc:"tables without which it has no value; none of them is taken for zero"`
	Dimensions []string    `json:"dimensions" nullable:"false" doc:"what it can be cut and filtered by"`
	Classes    []string    `json:"classes" nullable:"false" doc:"what it shows that not everybody may see: pay, cost, margin"`
	PayBy      []string    `json:"pay_by" nullable:"false" doc:"dimensions by whose single members it shows pay"`
	Caveats    []string    `json:"caveats" nullable:"false" doc:"known gaps and assumptions"`
	Thresholds []Threshold `json:"thresholds" nullable:"false"`
}

// Definition returns a measure's definition; bands are the thresholds to choose its own
// from. Errors: Invalid for an unknown measure.
func (c *Catalog) Definition(name string, bands []Threshold) (Definition, error) {
	m, err := c.Measure(name)
	if err != nil {
		return Definition{}, err
	}
	d := Definition{
		Name: m.Name, Label: m.Label, Topic: m.Topic, Unit: string(m.Unit), Direction: m.Direction, Formula: m.Formula, Expr: m.Expr, Version: m.Version, Source: m.Source,
		Kind: "formula", Inputs: m.Inputs(), Base: m.BaseInputs(), Tables: m.Tables, Needs: []string{}, Dimensions: c.DimensionsOf(m), Classes: []string{}, PayBy: append([]string{}, m.payBy...), Caveats: []string{}, Thresholds: []Threshold{},
	}
	for _, class := range m.Classes {
		d.Classes = append(d.Classes, string(class))
	}
	switch {
	case m.Base():
		d.Kind = "sum of stored rows"
	case m.Special != "":
		d.Kind = map[string]string{"median": "median", "p90": "90th percentile"}[m.Special] + " of stored values"
	}
	if d.Inputs == nil {
		d.Inputs = []string{}
	}
	for _, b := range m.base {
		if f := c.factOf(b); !c.byName[b].MissingIsZero && !f.Any {
			d.Needs = union(d.Needs, f.Needs)
		}
	}
	// What is known about its inputs holds for it too.
	for _, name := range append([]string{m.Name}, c.reach(m, nil)...) {
		d.Caveats = union(d.Caveats, c.byName[name].Caveats)
	}
	for _, t := range bands {
		if t.Measure == m.Name {
			d.Thresholds = append(d.Thresholds, t)
		}
	}
	return d, nil
}

// reach appends to done all measures that a measure is made of.
func (c *Catalog) reach(m *Measure, done []string) []string {
	for _, in := range m.Inputs() {
		if dep := c.byName[in]; dep != nil && !slices.Contains(done, in) {
			done = c.reach(dep, append(done, in))
		}
	}
	return done
}
