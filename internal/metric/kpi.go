package metric

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// MaxKPI is the most KPIs of a tenant.
const MaxKPI = 200

// KPI is a measure that a tenant defines as a formula over measures.
type KPI struct {
	Name    string `json:"name"` // as queries say it: small letters, digits and _
	Label   string `json:"label"`
	Formula string `json:"formula"` // see Functions
	// Unit is inferred from the formula; giving another one is a mistake.
	Unit        quantity.Unit `json:"unit"`
	Direction   string        `json:"direction"` // up_good, down_good or two_sided
	Description string        `json:"description"`
	Owner       string        `json:"owner"`
	Version     int           `json:"version"`
	// At and Author are those of the version.
	At     time.Time    `json:"at"`
	Author tenant.Actor `json:"author"`
}

// KPIState is a KPI with its place among the definitions.
type KPIState struct {
	KPI
	Uses       []string `json:"uses"`    // measures that the formula names
	UsedBy     []User   `json:"used_by"` // definitions that name it
	Dimensions []string `json:"dimensions"`
	Problem    string   `json:"problem"` // why it cannot be used, "" when it can
}

// kpiBody is a KPI as it is kept.
type kpiBody struct {
	Label       string        `json:"label"`
	Formula     string        `json:"formula"`
	Unit        quantity.Unit `json:"unit"`
	Direction   string        `json:"direction"`
	Description string        `json:"description"`
	Owner       string        `json:"owner"`
}

var (
	kpiName    = regexp.MustCompile(`^[a-z][a-z0-9_]{1,59}$`)
	directions = []string{"up_good", "down_good", "two_sided"}
	// reserved words cannot name a KPI: the language has them.
	reserved = []string{"and", "or", "not", "in", "if", "else", "let", "true", "false", "nil", "months", "days", "segment", "attribute", "percent", "money", "contains", "matches"}
)

// readKPI compiles a stored KPI.
func (c *Catalog) readKPI(d definition.Definition) (KPI, *Measure, error) {
	var b kpiBody
	k := KPI{Name: d.Name, Version: d.Version, At: d.At, Author: d.Author}
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return k, nil, fault.Wrapf(fault.Invalid, err, "the KPI cannot be read")
	}
	k.Label, k.Formula, k.Unit, k.Direction, k.Description, k.Owner = b.Label, b.Formula, b.Unit, b.Direction, b.Description, b.Owner
	f, err := parseFormula(b.Formula)
	if err != nil {
		return k, nil, err
	}
	return k, &Measure{Name: d.Name, Label: b.Label, Unit: b.Unit, Direction: b.Direction, Formula: b.Formula, Source: "own definition", Version: d.Version, Expr: b.Formula, Topic: "Own KPIs", Custom: true, formula: f}, nil
}

// checked returns a KPI as it is kept, or every wrong part but the formula.
func (k KPI) checked(c *Catalog) (KPI, error) {
	var wrong []fault.Field
	say := func(path, format string, args ...any) {
		wrong = append(wrong, fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	k.Name, k.Label, k.Formula = strings.TrimSpace(k.Name), strings.TrimSpace(k.Label), strings.TrimSpace(k.Formula)
	k.Description, k.Owner = strings.TrimSpace(k.Description), strings.TrimSpace(k.Owner)
	_, function := functions[k.Name]
	_, dim := c.dimension(k.Name)
	switch {
	case !kpiName.MatchString(k.Name):
		say("name", "must be 2 to 60 small letters, digits and _, the first a letter, such as profit_per_endpoint")
	case c.base().byName[k.Name] != nil:
		say("name", "%s is a built-in measure: take another name", k.Name)
	case function || dim || slices.Contains(reserved, k.Name):
		say("name", "%s is a word of the language: take another name", k.Name)
	}
	if k.Label == "" {
		k.Label = strings.ToUpper(k.Name[:min(1, len(k.Name))]) + strings.ReplaceAll(k.Name[min(1, len(k.Name)):], "_", " ")
	}
	for _, text := range []struct {
		path, value string
		most        int
	}{{"label", k.Label, 120}, {"description", k.Description, 2000}, {"owner", k.Owner, 120}} {
		if utf8.RuneCountInString(text.value) > text.most || !utf8.ValidString(text.value) || strings.ContainsRune(text.value, 0) {
			say(text.path, "must have at most %d characters", text.most)
		}
	}
	if k.Formula == "" {
		say("formula", "is missing: write one such as gross_profit / endpoints")
	}
	if k.Direction == "" {
		k.Direction = "two_sided"
	}
	if !slices.Contains(directions, k.Direction) {
		wrong = append(wrong, fault.Field{Path: "direction", Message: "is not a direction", Allowed: directions})
	}
	if len(wrong) > 0 {
		return k, fault.WithFields(fmt.Sprintf("the KPI is not valid: %s %s", wrong[0].Path, wrong[0].Message), wrong...)
	}
	return k, nil
}

func (k KPI) body() json.RawMessage {
	text, err := json.Marshal(kpiBody{k.Label, k.Formula, k.Unit, k.Direction, k.Description, k.Owner})
	if err != nil {
		panic(err) // texts always encode
	}
	return text
}

// KPIs returns the tenant's KPIs by name.
func (c *Catalog) KPIs(ctx context.Context, scope tenant.Scope) ([]KPIState, error) {
	v, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := []KPIState{}
	for name := range v.kpis {
		if v.mayRead(scope, nil, name) {
			out = append(out, v.state(name))
		}
	}
	slices.SortFunc(out, func(a, b KPIState) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// KPI returns one of the tenant's KPIs, NotFound when there is none of that name.
func (c *Catalog) KPI(ctx context.Context, scope tenant.Scope, name string) (KPIState, error) {
	v, err := c.For(ctx, scope)
	if err != nil {
		return KPIState{}, err
	}
	if _, ok := v.kpis[name]; !ok {
		return KPIState{}, fault.Newf(fault.NotFound, "there is no KPI %q%s", name, nearest(name, v.kpiNames()))
	}
	if err := v.mayName(scope, "KPI", name); err != nil {
		return KPIState{}, err
	}
	return v.state(name), nil
}

func (c *Catalog) kpiNames() []string {
	var out []string
	for name := range c.kpis {
		out = append(out, name)
	}
	return out
}

func (c *Catalog) state(name string) KPIState {
	s := KPIState{KPI: c.kpis[name], Uses: []string{}, UsedBy: c.usersOf(definition.KPI, name), Dimensions: []string{}, Problem: c.broken[name]}
	if m := c.byName[name]; m != nil && m.Custom {
		s.Unit, s.Uses, s.Dimensions = m.Unit, slices.DeleteFunc(m.Inputs(), isParameter), c.DimensionsOf(m)
	}
	return s
}

// AddKPI defines a new KPI: a Conflict when the name is taken, Invalid with every wrong
// part when the formula cannot be read, does not fit in its units, or runs in a circle.
func (c *Catalog) AddKPI(ctx context.Context, scope tenant.Scope, k KPI) (KPIState, error) {
	return c.putKPI(ctx, scope, k, true)
}

// ChangeKPI gives a KPI a new version, unless nothing is changed.
func (c *Catalog) ChangeKPI(ctx context.Context, scope tenant.Scope, k KPI) (KPIState, error) {
	return c.putKPI(ctx, scope, k, false)
}

func (c *Catalog) putKPI(ctx context.Context, scope tenant.Scope, k KPI, add bool) (KPIState, error) {
	k, err := k.checked(c)
	if err != nil {
		return KPIState{}, err
	}
	_, err = c.put(ctx, scope, definition.Change{Kind: definition.KPI, Name: k.Name, Body: k.body(), New: add}, func(after *Catalog) error {
		if err := after.mayName(scope, "KPI", k.Name); err != nil {
			return err
		}
		if len(after.kpis) > MaxKPI {
			return fault.Newf(fault.TooLarge, "there are %d KPIs already, the most that are kept: remove one that nobody needs", MaxKPI)
		}
		return nil
	})
	if err != nil {
		return KPIState{}, err
	}
	return c.KPI(ctx, scope, k.Name)
}

// RemoveKPI ends a KPI: a Conflict that names them while other definitions use it. Its
// versions stay readable.
func (c *Catalog) RemoveKPI(ctx context.Context, scope tenant.Scope, name string) error {
	_, err := c.put(ctx, scope, definition.Change{Kind: definition.KPI, Name: name, Remove: true}, nil)
	return err
}

// KPIVersion is a version of a KPI.
type KPIVersion struct {
	KPI
	Removed bool `json:"removed"` // the version that ended it
}

// KPIVersions returns every version of a KPI, newest first, of a removed one, too.
func (c *Catalog) KPIVersions(ctx context.Context, scope tenant.Scope, name string) ([]KPIVersion, error) {
	if c.store == nil {
		return nil, fault.Newf(fault.Unavailable, "definitions are not kept here")
	}
	v, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	if err := v.mayName(scope, "KPI", name); err != nil {
		return nil, err
	}
	if _, known := v.byName[name]; !known { // a formula that cannot be classed
		if err := scope.Whole("removed KPIs"); err != nil {
			return nil, err
		}
	}
	all, err := c.store.Versions(ctx, scope, definition.KPI, name)
	if err != nil {
		return nil, err
	}
	out := []KPIVersion{}
	for _, d := range all {
		k, _, _ := c.readKPI(d) // one that cannot be used any more is still shown
		out = append(out, KPIVersion{k, d.Removed})
	}
	return out, nil
}

// Preview is what a draft of a KPI would say.
type Preview struct {
	Unit       quantity.Unit `json:"unit"`
	Uses       []string      `json:"uses"`
	Dimensions []string      `json:"dimensions"`
	Months     *Result       `json:"months"` // by month, the last twelve of the data
	Total      *Result       `json:"total"`  // over these months together
}

// previewMonths is how many months a preview shows.
const previewMonths = 12

// PreviewKPI answers by a draft without keeping it. The draft may change a KPI that is
// there.
func (c *Catalog) PreviewKPI(ctx context.Context, scope tenant.Scope, k KPI) (*Preview, error) {
	if k.Name == "" {
		k.Name = "draft"
	}
	k, err := k.checked(c)
	if err != nil {
		return nil, err
	}
	book := &definition.Book{}
	if c.store != nil {
		if book, err = c.store.Book(ctx, scope); err != nil {
			return nil, err
		}
	}
	draft := definition.Definition{Kind: definition.KPI, Name: k.Name, Body: k.body()}
	if was, ok := book.Get(definition.KPI, k.Name); ok {
		draft.Version = was.Version
	}
	book.Current = append(slices.DeleteFunc(book.Current, func(d definition.Definition) bool { return d.Kind == definition.KPI && d.Name == k.Name }), draft)
	v := c.base().with(book)
	if why := v.broken[k.Name]; why != "" {
		return nil, fault.WithFields("the formula is not valid: "+why, fault.Field{Path: "formula", Message: why})
	}
	m := v.byName[k.Name]
	out := &Preview{Unit: m.Unit, Uses: slices.DeleteFunc(m.Inputs(), isParameter), Dimensions: v.DimensionsOf(m)}
	q := Query{Measures: []string{k.Name}}
	if q.Snapshot, err = c.w.Current(ctx, scope); err != nil {
		return nil, err
	}
	e, err := v.extent(ctx, scope, q.Snapshot)
	if err != nil {
		return nil, err
	}
	q.Period = quantity.Period{From: e.span.To.AddMonths(-previewMonths), To: e.span.To}
	if q.Period.From.Before(e.span.From) {
		q.Period.From = e.span.From
	}
	if out.Total, err = v.run(ctx, scope, q); err != nil {
		return nil, err
	}
	q.Dimensions = []string{"month"}
	out.Months, err = v.run(ctx, scope, q)
	return out, err
}
