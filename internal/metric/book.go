package metric

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// For returns the catalog as a tenant has it: with its KPIs and segments and its fiscal
// calendar, as they are now. It goes on answering by these when they are changed.
func (c *Catalog) For(ctx context.Context, scope tenant.Scope) (*Catalog, error) {
	if c.store == nil || c.pinned {
		return c, nil
	}
	revision, err := c.store.Revision(ctx, scope)
	if err != nil {
		return nil, err
	}
	if v, ok := c.views.GetIfPresent(string(scope.Tenant)); ok && v.revision == revision {
		return v, nil
	}
	book, err := c.store.Book(ctx, scope)
	if err != nil {
		return nil, err
	}
	v := c.with(book)
	c.views.Set(string(scope.Tenant), v)
	return v, nil
}

// Lookup returns a measure by name as a tenant has it, built-in or its own.
func (c *Catalog) Lookup(ctx context.Context, scope tenant.Scope, name string) (*Measure, error) {
	v, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	return v.Measure(name)
}

// Revision rises with every change of what the tenant defines; 0 without definitions.
func (c *Catalog) Revision() int64 { return c.revision }

// Calendar returns the fiscal calendar that the catalog cuts by.
func (c *Catalog) Calendar() Calendar { return c.calendar }

// with returns the catalog with a tenant's definitions. What cannot be used, because the
// built-in catalog changed under it, is kept apart with the reason.
func (c *Catalog) with(book *definition.Book) *Catalog {
	v := *c
	v.pinned, v.revision, v.origin = true, book.Revision, c.base()
	v.byName, v.measures = maps.Clone(c.byName), slices.Clone(c.measures)
	v.kpis, v.segments, v.rules, v.broken = map[string]KPI{}, map[string]*Segment{}, map[string]Rule{}, map[string]string{}
	var own []*Measure
	for _, d := range book.Current {
		switch d.Kind {
		case definition.KPI:
			k, m, err := v.readKPI(d)
			v.kpis[d.Name] = k
			if err == nil && c.byName[d.Name] != nil {
				err = fault.Newf(fault.Invalid, "there is a built-in measure of this name now")
			}
			if err != nil {
				v.broken[d.Name] = fault.Message(err)
				continue
			}
			v.byName[d.Name] = m
			own = append(own, m)
		case definition.Segment:
			s, err := v.readSegment(d)
			if err != nil {
				v.broken["segment "+d.Name] = fault.Message(err)
				s = &Segment{Name: d.Name, Version: d.Version}
			}
			v.segments[d.Name] = s
		case definition.Rule:
			r, err := readRule(d)
			if err != nil {
				v.broken["rule "+d.Name] = fault.Message(err)
			}
			v.rules[d.Name] = r
		case definition.Calendar:
			if err := json.Unmarshal(d.Body, &v.calendar); err != nil {
				v.broken["calendar"] = err.Error()
			}
			v.calendarVersion = d.Version
		}
	}
	v.resolveOwn(own)
	for _, name := range slices.Sorted(maps.Keys(v.segments)) {
		if v.broken["segment "+name] == "" {
			if err := v.checkSegment(v.segments[name]); err != nil {
				v.broken["segment "+name] = said(err)
			}
		}
	}
	for name := range v.segments {
		if path := v.segmentCircle(name, nil); path != nil {
			v.broken["segment "+name] = "it is defined by itself: " + strings.Join(path, " -> ")
		}
	}
	return &v
}

// resolveOwn links the tenant's measures and infers their units, those first that others
// are made of.
func (c *Catalog) resolveOwn(own []*Measure) {
	drop := func(m *Measure, why string) {
		c.broken[m.Name] = why
		delete(c.byName, m.Name)
	}
	var settle func(m *Measure, path []string)
	settled := map[string]bool{}
	settle = func(m *Measure, path []string) {
		if settled[m.Name] {
			return
		}
		if slices.Contains(path, m.Name) {
			drop(m, fmt.Sprintf("it is defined by itself: %s", strings.Join(append(path, m.Name), " -> ")))
			return
		}
		for _, in := range m.formula.inputs {
			if dep := c.byName[in]; dep != nil && dep.Custom {
				settle(dep, append(path, m.Name))
			}
		}
		settled[m.Name] = true
		if c.byName[m.Name] == nil { // part of a circle
			return
		}
		if err := c.finish(m); err != nil {
			drop(m, fault.Message(err))
			return
		}
		c.measures = append(c.measures, m)
	}
	for _, m := range own {
		settle(m, nil)
	}
}

// Rolling returns the catalog with measures over the last n steps of time, for those of the
// named ones that have such; names gives theirs by the name of what they roll.
func (c *Catalog) Rolling(n int, measures ...string) (rolled *Catalog, names map[string]string) {
	v := *c
	v.byName, v.measures, v.broken = maps.Clone(c.byName), slices.Clone(c.measures), map[string]string{}
	var own []*Measure
	names = map[string]string{}
	for _, m := range measures {
		text := fmt.Sprintf("rolling(%s, %d)", m, n)
		f, err := parseFormula(text)
		if err != nil {
			continue
		}
		names[m] = text // no name that a measure may have
		v.byName[text] = &Measure{Name: text, Label: text, Formula: text, Expr: text, Custom: true, formula: f}
		own = append(own, v.byName[text])
	}
	v.resolveOwn(own)
	maps.DeleteFunc(names, func(_, name string) bool { return v.byName[name] == nil })
	return &v, names
}

// finish links a measure of the tenant and infers its unit.
func (c *Catalog) finish(m *Measure) error {
	for _, in := range m.formula.inputs {
		if why := c.broken[in]; why != "" {
			return fault.Newf(fault.Invalid, "it uses %s, which cannot be used: %s", in, why)
		}
		if _, ok := c.unit(in); !ok {
			hint := nearest(in, c.names())
			if _, dim := c.dimension(in); dim {
				hint = ", it is a dimension"
			}
			return fault.Newf(fault.Invalid, "%q is not a measure%s", in, hint)
		}
	}
	if err := c.resolve(m, nil); err != nil {
		return err
	}
	if len(m.base) == 0 {
		return fault.Newf(fault.Invalid, "the formula names no measure")
	}
	unit, err := m.formula.infer(c.unit)
	if err != nil {
		return err
	}
	if m.Unit != "" && m.Unit != unit {
		return fault.WithFields(fmt.Sprintf("the formula gives %s, not %s", unit, m.Unit), fault.Field{Path: "unit", Message: "leave it out, or give the formula's own", Allowed: []string{string(unit)}})
	}
	m.Unit = unit
	return nil
}

// segmentCircle is the way from a segment back to itself, nil when there is none.
func (c *Catalog) segmentCircle(name string, path []string) []string {
	if slices.Contains(path, name) {
		return append(path, name)
	}
	s := c.segments[name]
	if s == nil || len(path) > len(c.segments) {
		return nil
	}
	for _, inner := range s.split.segments {
		if found := c.segmentCircle(inner, append(slices.Clone(path), name)); found != nil && (len(path) > 0 || found[len(found)-1] == name) {
			return found
		}
	}
	return nil
}

// said is a fault's message with those of its fields.
func said(err error) string {
	text := fault.Message(err)
	for _, f := range fault.FieldsOf(err) {
		if !strings.Contains(text, f.Message) {
			text += ": " + f.Message
		}
	}
	return text
}

// User is a definition that uses another.
type User struct {
	Kind definition.Kind `json:"kind"`
	Name string          `json:"name"`
}

// usersOf are the definitions that name a measure or segment.
func (c *Catalog) usersOf(kind definition.Kind, name string) []User {
	out := []User{}
	names := func(s split) bool {
		if kind == definition.Segment {
			return slices.Contains(s.segments, name)
		}
		return slices.Contains(s.inputs, name)
	}
	for _, m := range c.measures {
		if m.Custom && kind == definition.KPI && slices.Contains(m.formula.inputs, name) {
			out = append(out, User{definition.KPI, m.Name})
		}
	}
	for _, s := range c.segments {
		if names(s.split) {
			out = append(out, User{definition.Segment, s.Name})
		}
	}
	for _, r := range c.rules {
		cells, err := c.splitWhere(r.Condition)
		rows, err2 := c.splitWhere(r.Where)
		if kind == definition.KPI && r.Measure == name || err == nil && names(cells) || err2 == nil && names(rows) {
			out = append(out, User{definition.Rule, r.Name})
		}
	}
	slices.SortFunc(out, func(a, b User) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Name, b.Name))
	})
	return out
}

func list(users []User) string {
	var out []string
	for _, u := range users {
		out = append(out, fmt.Sprintf("%s %q", u.Kind, u.Name))
	}
	return strings.Join(out, ", ")
}

// put makes a change of a definition, when it and all that use it can be used afterwards.
func (c *Catalog) put(ctx context.Context, scope tenant.Scope, change definition.Change, extra func(after *Catalog) error) (definition.Definition, error) {
	if c.store == nil {
		return definition.Definition{}, fault.Newf(fault.Unavailable, "definitions are not kept here")
	}
	before, err := c.For(ctx, scope)
	if err != nil {
		return definition.Definition{}, err
	}
	return c.store.Put(ctx, scope, change, func(book *definition.Book) error {
		after := c.base().with(book)
		key := change.Name
		switch change.Kind {
		case definition.Segment:
			key = "segment " + key
		case definition.Rule:
			key = "rule " + key
		}
		if change.Remove {
			if change.Kind == definition.KPI || change.Kind == definition.Segment {
				if users := before.usersOf(change.Kind, change.Name); len(users) > 0 {
					return fault.Newf(fault.Conflict, "the %s %q is used by %s: change or remove those first", change.Kind, change.Name, list(users))
				}
			}
			return nil
		}
		if why := after.broken[key]; why != "" {
			return fault.WithFields(fmt.Sprintf("the %s %q is not valid: %s", change.Kind, change.Name, why), fault.Field{Path: map[definition.Kind]string{definition.KPI: "formula", definition.Segment: "where", definition.Rule: "condition"}[change.Kind], Message: why})
		}
		for name, why := range after.broken {
			if before.broken[name] == "" {
				return fault.Newf(fault.Conflict, "this change would break %q: %s", name, why)
			}
		}
		if extra != nil {
			return extra(after)
		}
		return nil
	})
}

// base is the catalog without a tenant's definitions.
func (c *Catalog) base() *Catalog {
	if c.origin != nil {
		return c.origin
	}
	return c
}

// SetCalendar writes the tenant's fiscal calendar as a new version and returns it as it is
// kept. Every wrong part is listed.
func (c *Catalog) SetCalendar(ctx context.Context, scope tenant.Scope, to Calendar) (Calendar, error) {
	to, err := to.checked()
	if err != nil {
		return to, err
	}
	body, err := json.Marshal(to)
	if err != nil {
		return to, err
	}
	v, err := c.For(ctx, scope)
	if err != nil {
		return to, err
	}
	_, err = c.put(ctx, scope, definition.Change{Kind: definition.Calendar, Name: "fiscal", Body: body, New: v.calendarVersion == 0}, nil)
	return to, err
}

// versions adds those of the tenant's own measures that a measure is made of.
func (m *Measure) versions(into map[string]int) {
	for name, dep := range m.deps {
		if dep.Custom {
			into[name] = dep.Version
		}
		dep.versions(into)
	}
}
