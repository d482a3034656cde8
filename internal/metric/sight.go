package metric

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// What somebody may see is enforced here and nowhere else: every statement is made of a
// question, every question comes from ask, and ask ends with see. see turns the rights of
// who asks into limits, which builder.read puts on the rows of every fact, and refusals.
// The warehouse refuses a statement that obeys other rights than those of its scope.
//
// Classes are those of tenant.Classes. What is hidden cannot be filtered by, ordered by or
// counted either: a condition on a hidden measure is refused like the measure.

// limit keeps the rows of every fact to some values of a key.
type limit struct {
	key  string   // client_key or staff_key
	keys []string // as the sources write them, sorted
	what string   // "clients" or "teams"
	note string   // for the result
}

// on is the condition on the rows of a fact; one without the key has none that may be seen.
func (l limit) on(f *fact) string {
	if len(l.keys) == 0 || !slices.Contains(f.Keys, l.key) {
		return "false"
	}
	texts := make([]string, len(l.keys))
	for i, k := range l.keys {
		texts[i] = warehouse.QuoteText(k)
	}
	return "f." + l.key + " IN (" + strings.Join(texts, ", ") + ")"
}

// classify takes over what an input shows: margin is where revenue and cost meet.
func (m *Measure) classify(in *Measure) {
	has := func(c tenant.Class) bool { return slices.Contains(m.Classes, c) || slices.Contains(in.Classes, c) }
	m.earns = m.earns || in.earns
	m.payBy = union(m.payBy, in.payBy)
	var all []tenant.Class
	for _, c := range tenant.Classes {
		if has(c) || c == tenant.Margin && m.earns && has(tenant.Cost) {
			all = append(all, c)
		}
	}
	m.Classes = all
}

// HiddenFrom returns the first class of a measure that rights hide, "" when they hide none.
func (m *Measure) HiddenFrom(r *tenant.Rights) tenant.Class { return hiddenOf(r, m.Classes) }

// Unseen reports whether rights refuse a measure however it is asked for: what it shows is hidden,
// or it is about all clients or teams and the rights about some.
func (c *Catalog) Unseen(r *tenant.Rights, m *Measure) bool {
	if m.HiddenFrom(r) != "" {
		return true
	}
	whole := func(of []string, key string) bool {
		return of != nil && (slices.ContainsFunc(m.base, func(b string) bool { return !slices.Contains(c.factOf(b).Keys, key) }) ||
			slices.ContainsFunc(m.members, func(d string) bool { return c.keys[d] == key }))
	}
	return r != nil && (whole(r.Clients, "client_key") || whole(r.Teams, "staff_key"))
}

// UnseenCut reports whether rights refuse a dimension.
func (d Dimension) UnseenCut(r *tenant.Rights) bool { return hiddenOf(r, d.Classes) != "" }

func hiddenOf(r *tenant.Rights, classes []tenant.Class) tenant.Class {
	for _, c := range classes {
		if !r.Sees(c) {
			return c
		}
	}
	return ""
}

// hides reports whether rights hide the members of a key.
func (c *Catalog) hides(r *tenant.Rights, key string) bool {
	d, ok := c.dimension(c.dimensionOf(key))
	return ok && hiddenOf(r, d.Classes) != ""
}

// see works out what of a question its asker may see: the limits on its rows, the measures
// that are refused, and what of it is told when it is read. What cannot be left out of the
// question, such as a dimension or a condition, is a Forbidden fault.
func (c *Catalog) see(ctx context.Context, scope tenant.Scope, q Query, out *question) error {
	r := scope.Rights
	out.obeys = r.Key()
	if r == nil {
		return nil
	}
	if len(out.where.attributes) > 0 && len(r.Hidden) > 0 {
		return fault.Newf(fault.Forbidden, "the role %s cannot filter by an attribute: a column that no field takes may hold what is hidden from it", r.Role)
	}
	named := out.read(out.dims)
	for _, name := range named {
		d, _ := c.dimension(name)
		if class := hiddenOf(r, d.Classes); class != "" {
			return fault.ForbiddenFields(fmt.Sprintf("%s shows %s, which is hidden from the role %s: leave it out of the cuts and the filter", d.Name, words[class], r.Role), fault.Field{Path: "by", Message: d.Name + " is hidden"})
		}
		out.sensitive = union(out.sensitive, d.Classes)
	}
	var err error
	if out.limits, err = c.limitsOf(ctx, scope, q.Snapshot, out); err != nil {
		return err
	}
	out.refused = map[string]string{}
	for _, m := range out.measures {
		why, err := c.unseen(ctx, scope, q, out, m, named)
		if err != nil {
			return err
		}
		if why == "" {
			continue
		}
		if m.Name == conditionName {
			return fault.ForbiddenFields("the condition cannot be asked: "+why, fault.Field{Path: "where", Message: why})
		}
		out.refused[m.Name] = why
	}
	if q.rows {
		for _, f := range out.facts {
			for _, k := range f.Keys {
				if d, ok := c.dimension(c.dimensionOf(k)); ok && !c.hides(r, k) {
					out.sensitive = union(out.sensitive, d.Classes)
				}
			}
		}
	}
	out.sensitive = slices.DeleteFunc(out.sensitive, func(c tenant.Class) bool { return c != tenant.Pay && c != tenant.Personal })
	return nil
}

// words say what a class is about.
var words = map[tenant.Class]string{tenant.Pay: "pay", tenant.Cost: "cost", tenant.Margin: "margin", tenant.Personal: "personal data"}

// spokenOf names a measure; a condition is the measures that it asks for.
func spokenOf(m *Measure) string {
	if m.Name != conditionName {
		return m.Name
	}
	return strings.Join(slices.DeleteFunc(m.Inputs(), isParameter), ", ")
}

// unseen says why a measure of a question may not be seen, "" when it may.
func (c *Catalog) unseen(ctx context.Context, scope tenant.Scope, q Query, out *question, m *Measure, named []string) (string, error) {
	r, name := scope.Rights, spokenOf(m)
	if class := m.HiddenFrom(r); class != "" {
		return fmt.Sprintf("%s shows %s, which is hidden from the role %s", name, words[class], r.Role), nil
	}
	out.sensitive = union(out.sensitive, m.Classes)
	for _, l := range out.limits {
		for _, b := range m.base {
			if !slices.Contains(c.factOf(b).Keys, l.key) {
				return fmt.Sprintf("%s is about the whole firm: %s is not known by %s, and the role %s sees the rows of some %s only", name, b, strings.TrimSuffix(l.what, "s"), r.Role, l.what), nil
			}
		}
		if slices.ContainsFunc(m.members, func(d string) bool { return c.keys[d] == l.key }) {
			return fmt.Sprintf("%s compares all %s, and the role %s sees the rows of some only", name, l.what, r.Role), nil
		}
	}
	return c.showsPay(ctx, scope, q, out, m, named)
}

// fewestPeople is how many people a cell of labor cost has at least when it is cut by team or
// role for somebody who may not see pay: of two, each knows the other's.
const fewestPeople = 3

// showsPay says why a cost shows what single people are paid as it is cut: by person, as
// single rows, or by groups of which one has too few.
func (c *Catalog) showsPay(ctx context.Context, scope tenant.Scope, q Query, out *question, m *Measure, named []string) (string, error) {
	r := scope.Rights
	cuts := union(named, m.members)
	for _, by := range m.payBy {
		single := q.rows || slices.Contains(cuts, by)
		groups := slices.ContainsFunc(cuts, func(d string) bool { return c.keys[d] == c.keys[by] }) || slices.ContainsFunc(out.limits, func(l limit) bool { return l.key == c.keys[by] })
		switch {
		case !single && !groups:
		case r.Sees(tenant.Pay):
			out.sensitive = union(out.sensitive, []tenant.Class{tenant.Pay})
		case single:
			return fmt.Sprintf("%s by %s shows pay, which is hidden from the role %s", spokenOf(m), by, r.Role), nil
		default:
			for _, base := range m.base {
				if c.byName[base].PayBy != by {
					continue
				}
				n, err := c.fewest(ctx, scope, q, out, c.byName[base], by)
				if err != nil {
					return "", err
				}
				if n > 0 && n < fewestPeople {
					return fmt.Sprintf("%s shows pay where a group has fewer than %d people, as one has here: pay is hidden from the role %s", spokenOf(m), fewestPeople, r.Role), nil
				}
			}
		}
	}
	return "", nil
}

// fewest counts the people of the smallest cell of a base measure, 0 without any. The cells
// are those of the cuts and of all that the filter names: what a filter leaves out could
// otherwise be told from the difference to the whole.
func (c *Catalog) fewest(ctx context.Context, scope tenant.Scope, q Query, out *question, m *Measure, person string) (int64, error) {
	f := c.factOf(m.Name)
	if out.extent.lacks(f) != "" {
		return 0, nil
	}
	all := *out
	all.where, all.dims = &where{}, slices.Clone(out.dims)
	for _, d := range out.where.dims {
		if !slices.Contains(timeSteps, d) {
			all.dims = union(all.dims, []string{d})
		}
	}
	b, by := &builder{q: &all}, all
	by.dims = union(all.dims, []string{person})
	rows := b.read(f, by.source(f), by.dims)
	rows.where = append(rows.where, "f."+m.Column+" <> 0")
	cols := []string{"count(DISTINCT " + all.expr(f, person, rows.day) + ") AS people"}
	var groups []string
	for _, d := range all.dims {
		groups = append(groups, all.expr(f, d, rows.day))
	}
	sql := "SELECT " + strings.Join(cols, ", ") + rows.from()
	if len(groups) > 0 {
		sql += " GROUP BY " + strings.Join(groups, ", ")
	}
	sql = b.withHelpers("SELECT coalesce(min(people), 0) FROM (" + sql + ") WHERE people > 0")
	key := fmt.Sprintf("%s\x00%d\x00%s\x00%q\x00%s", scope.Tenant, q.Snapshot, out.extent.today, out.obeys, sql)
	if n, ok := c.fewests.GetIfPresent(key); ok {
		return n, nil
	}
	found, err := c.w.Query(ctx, scope, warehouse.Statement{Obeys: out.obeys, Snapshot: q.Snapshot, SQL: sql, Args: b.args, Uses: b.uses, Helpers: b.helpers})
	if err != nil {
		return 0, err
	}
	n, _ := found.Rows[0][0].(int64)
	c.fewests.Set(key, n)
	return n, nil
}

// refusal is the fault of a question whose measures may not all be seen.
func (q *question) refusal() error {
	var fields []fault.Field
	for _, m := range q.measures {
		if why := q.refused[m.Name]; why != "" {
			fields = append(fields, fault.Field{Path: "measures", Message: why})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return fault.ForbiddenFields(fields[0].Message, fields...)
}

// tell says what of pay and personal data somebody with rights is about to be given.
func (c *Catalog) tell(ctx context.Context, scope tenant.Scope, classes []tenant.Class) error {
	if c.sensitive == nil || scope.Rights == nil {
		return nil
	}
	for _, class := range classes {
		if err := c.sensitive(ctx, scope, class); err != nil {
			return err
		}
	}
	return nil
}

// limitsOf returns the limits on rows in a snapshot. Clients and teams are followed through
// the aliases: who may see a client still does when it is renamed or merged.
func (c *Catalog) limitsOf(ctx context.Context, scope tenant.Scope, snap warehouse.Snapshot, q *question) ([]limit, error) {
	r := scope.Rights
	if r.SeesAllRows() {
		return nil, nil
	}
	key := fmt.Sprintf("%s\x00%d\x00%s\x00%q", scope.Tenant, snap, q.extent.today, r.Key())
	if known, ok := c.sights.GetIfPresent(key); ok {
		return known, nil
	}
	var out []limit
	if r.Clients != nil {
		_, keys, err := c.clientsOf(ctx, scope, snap, q)
		if err != nil {
			return nil, err
		}
		out = append(out, limit{"client_key", keys, "clients", fmt.Sprintf("only what belongs to %s is counted: the others are not visible to you", plural(len(r.Clients), "client"))})
	}
	if r.Teams != nil {
		keys := []string{}
		rows, err := c.labels(ctx, scope, snap, q, "staff_labels", "key, team")
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			key, _ := row[0].(string)
			team, of := row[1].(string)
			if of && slices.Contains(r.Teams, team) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		out = append(out, limit{"staff_key", keys, "teams", fmt.Sprintf("only what belongs to %s is counted: the others are not visible to you", plural(len(r.Teams), "team"))})
	}
	c.sights.Set(key, out)
	return out, nil
}

// clientsOf returns the clients that may be seen, as they are called now, and the keys that
// sources write for them.
func (c *Catalog) clientsOf(ctx context.Context, scope tenant.Scope, snap warehouse.Snapshot, q *question) (names, keys []string, err error) {
	rows, err := c.labels(ctx, scope, snap, q, "client_aliases", "key, canonical")
	if err != nil {
		return nil, nil, err
	}
	canonical := map[string]string{}
	for _, row := range rows {
		key, _ := row[0].(string)
		canonical[key], _ = row[1].(string)
	}
	names, keys = []string{}, []string{}
	for _, name := range scope.Rights.Clients {
		names = union(names, []string{orElse(canonical[name], name)})
	}
	for _, name := range names {
		if canonical[name] == "" {
			keys = append(keys, name)
		}
	}
	for key, of := range canonical {
		if slices.Contains(names, of) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return names, slices.Compact(keys), nil
}

// labels reads a helper whole, for the program's own use.
func (c *Catalog) labels(ctx context.Context, scope tenant.Scope, snap warehouse.Snapshot, q *question, helper, columns string) ([][]any, error) {
	rows, err := c.w.Query(ctx, scope.Own(), warehouse.Statement{Snapshot: snap, Helpers: []warehouse.Helper{standing(helper, q)}, SQL: "SELECT " + columns + " FROM " + helper + " WHERE key IS NOT NULL", MaxRows: 1_000_000})
	if err != nil {
		return nil, err
	}
	return rows.Rows, nil
}
