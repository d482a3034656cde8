package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Factors stands, among the levels that drivers are opened by, for the inputs of a formula
// and, below these, for what each is made of: price, volume and mix of revenue; pay, staff
// mix and overtime of the labor cost rate; seats and their cost of direct cost.
const Factors = "factors"

// atom is the smallest part of a change that is told apart. All drivers at all levels are
// sums of atoms, so that each level adds up to the one above it whatever it is opened by
// (docs/decisions/0012).
type atom struct {
	input string            // the factor of the formula that it belongs to
	fine  string            // what of that factor it is; "" when it is not told apart
	keys  map[string]string // its values of the dimensions
	part  quantity.Decimal  // of the measure's change, in the measure's unit
	// base is the base measure whose figures are below, "" when they stand in another atom.
	base     string
	from, to quantity.Decimal
}

// open gives the drivers of a change their own drivers, as deep as asked.
func (x *explanation) open(ctx context.Context, out *Explanation) error {
	depth := max(1, x.req.Depth, len(x.req.By))
	if out.Change == nil || x.req.Brief || depth == 1 && len(x.req.By) == 0 {
		return nil
	}
	f, err := formulaOf(x.metrics, out.Measure)
	if err != nil {
		return err
	}
	t := &tree{explanation: x, formula: f, unit: out.Unit, path: x.path(out, f, depth), all: pair{out.From.Inputs, out.To.Inputs}}
	if err := t.split(ctx, out); err != nil {
		return err
	}
	drivers := t.group(t.atoms, t.path, *out.Change, t.all)
	if len(drivers) == 0 {
		return nil
	}
	out.Drivers, out.By = drivers, drivers[0].Of
	if out.By == Factors {
		out.By = ""
	}
	return nil
}

// path completes the levels that were asked for.
func (x *explanation) path(out *Explanation, f formula, depth int) []string {
	path := slices.Clone(x.req.By)
	next := func(level string) {
		if len(path) < depth {
			path = append(path, level)
		}
	}
	if len(path) == 0 {
		next(cmp.Or(out.By, Factors))
	}
	factors := slices.Contains(path, Factors)
	if !factors {
		next(Factors)
	}
	if len(f.factors(cell{}, cell{})) > 1 && !slices.Contains(x.req.By, Factors) {
		next(Factors) // once the inputs, once what they are made of
	}
	for _, d := range breakdowns {
		if !slices.Contains(path, d) && !strings.Contains(x.req.Where, d) && d != "month" && x.cuts(f, d) {
			next(d)
		}
	}
	return path
}

// cuts reports whether any of the formula's sums can be cut by a dimension.
func (x *explanation) cuts(f formula, dimension string) bool {
	return slices.ContainsFunc(f.sums, func(s string) bool { return slices.Contains(x.dimensionsOf(s), dimension) })
}

// dimensionsOf are the dimensions of a base measure; none for a parameter.
func (r reader) dimensionsOf(sum string) []string {
	if isParameter(sum) {
		return nil
	}
	m, err := r.metrics.Measure(sum)
	if err != nil {
		return nil
	}
	return r.metrics.Cuts(r.scope.Rights, m)
}

// tree is a change in atoms.
type tree struct {
	*explanation
	formula formula
	unit    quantity.Unit
	path    []string
	all     pair // the inputs of the two cells
	atoms   []atom
}

// pair is what a group of atoms has of the base measures on both sides.
type pair struct{ from, to cell }

// gain is what one more of a factor brings to the measure.
func (t *tree) gain(factor string) quantity.Decimal {
	if g, ok := t.gains[factor]; ok {
		return g
	}
	if factor == t.formula.measure {
		return number(1, 0)
	}
	return quantity.Decimal{}
}

// split makes the atoms.
func (t *tree) split(ctx context.Context, out *Explanation) error {
	done := map[string]bool{}
	for _, s := range t.formula.sums {
		if done[s] {
			continue
		}
		var err error
		switch {
		case isParameter(s):
			t.atoms = append(t.atoms, atom{input: s, part: t.gain(s).Mul(out.To.Inputs[s].Sub(out.From.Inputs[s])), base: s, from: out.From.Inputs[s], to: out.To.Inputs[s]})
		case s == laborCost:
			done["hours_worked"] = true
			err = t.rated(ctx, laborCost, "hours_worked", inLaborRate)
		case s == licenseWaste:
			done[wastedSeats], done["seats_purchased"] = true, true
			err = t.rated(ctx, licenseWaste, wastedSeats, inUnitCost)
		case s == "hours_worked" && slices.Contains(t.formula.sums, laborCost), s == wastedSeats:
			// comes with what it is rated by
		case s == "revenue" && t.factorsAsked():
			err = t.revenue(ctx)
		case s == "direct_cost" && t.factorsAsked():
			err = t.directCost(ctx)
		default:
			err = t.plain(ctx, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// factorsAsked reports whether any level tells apart what inputs are made of.
func (t *tree) factorsAsked() bool {
	n := 0
	for _, d := range t.path {
		if d == Factors {
			n++
		}
	}
	return n > 1 || n == 1 && len(t.formula.factors(cell{}, cell{})) == 1
}

// keysOf are the dimensions of the path that a base measure can be cut by, and more.
func (t *tree) keysOf(sum string, more ...string) []string {
	can := t.dimensionsOf(sum)
	var keys []string
	for _, d := range slices.Concat(t.path, more) {
		if d != Factors && slices.Contains(can, d) && !slices.Contains(keys, d) {
			keys = append(keys, d)
		}
	}
	return keys
}

// figure is what both sides have of some base measures under the same keys.
type figure struct {
	keys     map[string]string
	from, to cell
}

// sides reads base measures by dimensions in both cells, those of the other one scaled.
func (t *tree) sides(ctx context.Context, dimensions []string, measures ...string) ([]figure, error) {
	var rows [2][]row
	at := []corner{t.from, t.to()}
	var reads []func() error
	for i := range at {
		reads = append(reads, func() (err error) {
			rows[i], err = at[i].read(ctx, at[i].period, at[i].where, dimensions, measures...)
			return err
		})
	}
	if err := together(reads...); err != nil {
		return nil, err
	}
	places, out := map[string]int{}, []figure{}
	for i := range rows {
		for _, r := range rows[i] {
			key := strings.Join(r.keys, "\x00")
			n, known := places[key]
			if !known {
				n = len(out)
				places[key] = n
				keys := map[string]string{}
				for k, d := range dimensions {
					keys[d] = r.keys[k]
				}
				out = append(out, figure{keys, cell{}, cell{}})
			}
			if sums := r.sums; i == 1 {
				out[n].to = sums
			} else if t.from.scale != nil {
				out[n].from = sums.scaled(*t.from.scale)
			} else {
				out[n].from = sums
			}
		}
	}
	slices.SortFunc(out, func(a, b figure) int { // map order must not show in rounding
		for _, d := range dimensions {
			if c := cmp.Compare(a.keys[d], b.keys[d]); c != 0 {
				return c
			}
		}
		return 0
	})
	return out, nil
}

// plain makes the atoms of a base measure that is a factor itself.
func (t *tree) plain(ctx context.Context, sum string) error {
	figures, err := t.sides(ctx, t.keysOf(sum), sum)
	if err != nil {
		return err
	}
	gain := t.gain(sum)
	for _, one := range figures {
		before, after := one.from[sum], one.to[sum]
		t.atoms = append(t.atoms, atom{input: sum, keys: one.keys, part: gain.Mul(after.Sub(before)), base: sum, from: before, to: after})
	}
	return nil
}

// group sums atoms by the first level of a path, and each group's by the rest. The parts
// add up to total, which is what the atoms add up to but for rounding.
func (t *tree) group(atoms []atom, path []string, total quantity.Decimal, sides pair) []Driver {
	for len(path) > 0 && !t.tells(atoms, path[0], path) {
		path = path[1:]
	}
	if len(path) == 0 {
		return nil
	}
	level, rest := path[0], path[1:]
	byInput := level == Factors && t.severalInputs(atoms)
	groups, order := map[string][]atom{}, []string{}
	for _, a := range atoms {
		name, is := a.keys[level]
		switch {
		case byInput, !is && level != Factors:
			name = a.input
		case level == Factors:
			name = cmp.Or(a.fine, a.input)
		}
		if groups[name] == nil {
			order = append(order, name)
		}
		groups[name] = append(groups[name], a)
	}
	if !byInput { // inputs that did not move are told, members that did not are many
		order = slices.DeleteFunc(order, func(name string) bool {
			return !slices.ContainsFunc(groups[name], func(a atom) bool { return !a.part.IsZero() })
		})
	}
	if len(order) == 0 {
		return nil
	}
	slices.Sort(order)
	drivers := make([]Driver, len(order))
	inputs := map[string]factor{}
	if byInput {
		for _, in := range t.formula.factors(sides.from, sides.to) {
			inputs[in.name] = in
		}
	}
	for i, name := range order {
		drivers[i] = Driver{Name: name, Of: level}
		for _, a := range groups[name] {
			drivers[i].Contribution = drivers[i].Contribution.Add(a.part)
		}
		if in, ok := inputs[name]; ok {
			drivers[i].From, drivers[i].To = in.from.Round(6), in.to.Round(6)
		} else {
			t.valueOf(&drivers[i], groups[name], level)
		}
	}
	drivers, merged := largest(drivers)
	if len(merged) > 0 {
		last := drivers[len(drivers)-1].Name
		for _, name := range merged {
			groups[last] = append(groups[last], groups[name]...)
		}
		t.valueOf(&drivers[len(drivers)-1], groups[last], level)
	}
	parts := make([]quantity.Decimal, len(drivers))
	for i, d := range drivers {
		parts[i] = d.Contribution
	}
	for i, p := range roundTo(parts, total, placesOf(t.unit)) {
		d := &drivers[i]
		d.Contribution = p
		d.Drivers = t.group(groups[d.Name], rest, p, sidesOf(groups[d.Name], sides))
	}
	byWeight(drivers)
	return drivers
}

// tells reports whether a level tells atoms apart: one on which all are the same adds nothing,
// unless it was asked for.
func (t *tree) tells(atoms []atom, level string, path []string) bool {
	if level == Factors {
		if t.severalInputs(atoms) {
			return true
		}
		return slices.ContainsFunc(atoms, func(a atom) bool { return a.fine != "" })
	}
	named := slices.ContainsFunc(atoms, func(a atom) bool { _, is := a.keys[level]; return is })
	return named && (len(path) == len(t.path) || slices.Contains(t.req.By, level) || slices.ContainsFunc(atoms, func(a atom) bool { return a.keys[level] != atoms[0].keys[level] }))
}

func (t *tree) severalInputs(atoms []atom) bool {
	return slices.ContainsFunc(atoms, func(a atom) bool { return a.input != atoms[0].input })
}

// sidesOf adds up the figures of atoms; parameters, which no atom of a group has, stay.
func sidesOf(atoms []atom, whole pair) pair {
	out := pair{cell{}, cell{}}
	for name, v := range whole.from {
		if isParameter(name) {
			out.from[name], out.to[name] = v, whole.to[name]
		}
	}
	for _, a := range atoms {
		if a.base != "" && !isParameter(a.base) {
			out.from[a.base], out.to[a.base] = out.from[a.base].Add(a.from), out.to[a.base].Add(a.to)
		}
	}
	return out
}

// valueOf sets what a driver was and is: the value of the measure, or of the one base measure
// that its atoms are of; otherwise it is only a part.
func (t *tree) valueOf(d *Driver, atoms []atom, level string) {
	d.From, d.To, d.Part = quantity.Decimal{}, quantity.Decimal{}, true
	if level == Factors && atoms[0].fine != "" {
		return
	}
	sides := sidesOf(atoms, pair{})
	if len(sides.to) == 1 {
		for name := range sides.to {
			d.From, d.To, d.Part = sides.from[name].Round(6), sides.to[name].Round(6), false
		}
		return
	}
	before, ok := t.formula.value(sides.from)
	after, okAfter := t.formula.value(sides.to)
	if ok && okAfter {
		d.From, d.To, d.Part = before.Round(t.formula.places()), after.Round(t.formula.places()), false
	}
}

// largest keeps the largest drivers and makes the others one; it returns the names of those.
func largest(all []Driver) ([]Driver, []string) {
	byWeight(all)
	if len(all) <= mostParts+1 {
		return all, nil
	}
	rest := Driver{Name: fmt.Sprintf("%d %s", len(all)-mostParts, others), Of: all[0].Of}
	var names []string
	for _, d := range all[mostParts:] {
		rest.Contribution = rest.Contribution.Add(d.Contribution)
		names = append(names, d.Name)
	}
	return append(slices.Clone(all[:mostParts]), rest), names
}

// tooMany reports that a question has more rows than may be asked for.
func tooMany(err error) bool { return fault.KindOf(err) == fault.TooLarge }
