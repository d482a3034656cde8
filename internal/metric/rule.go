package metric

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// The ways in which a rule says that it holds.
const (
	ThenFinding = "finding"
	ThenReview  = "review" // a proposal that a person decides
	ThenNotice  = "notice"
)

// How much a rule matters. An alert about a critical one waits neither for quiet hours nor for
// the daily summary.
const (
	Info     = "info"
	Warning  = "warning"
	Critical = "critical"
)

// Severities are all of them, the least first.
var Severities = []string{Info, Warning, Critical}

// Rule says when something deserves attention: a condition on a measure, for the members of
// a dimension, over the last complete months. insight evaluates it.
type Rule struct {
	Name      string `json:"name"`
	Measure   string `json:"measure"`   // whose value is shown
	Condition string `json:"condition"` // on measures, such as gross_margin < 20%
	Dimension string `json:"dimension"` // whose members are judged; "" is the whole firm
	Where     string `json:"where"`     // which rows count, "" for all
	Months    int    `json:"months"`    // complete months looked at, 1 to 36
	Then      string `json:"then"`      // finding, review or notice
	// Money is the measure of the money at stake a year, scaled from the months looked at;
	// "" when none is said.
	Money       string       `json:"money"`
	Severity    string       `json:"severity"`    // info, warning or critical
	Description string       `json:"description"` // what to do about it
	Owner       string       `json:"owner"`
	Version     int          `json:"version"`
	At          time.Time    `json:"at"`
	Author      tenant.Actor `json:"author"`
}

func readRule(d definition.Definition) (Rule, error) {
	r := Rule{}
	err := json.Unmarshal(d.Body, &r)
	r.Severity = cmp.Or(r.Severity, Warning) // rules of versions before there were severities
	r.Name, r.Version, r.At, r.Author = d.Name, d.Version, d.At, d.Author
	return r, err
}

// checkName returns a name of a segment or rule as it is kept.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > 80 || !utf8.ValidString(name) || strings.ContainsAny(name, "\"\\,\x00\n\r\t") {
		return name, fault.WithFields("the name is not valid", fault.Field{Path: "name", Message: `must have 1 to 80 characters without ", \ and commas`})
	}
	return name, nil
}

// check checks a rule against a tenant's catalog and fills what is left out.
func (c *Catalog) checkRule(r Rule) (Rule, error) {
	var err error
	if r.Name, err = checkName(r.Name); err != nil {
		return r, err
	}
	if r.Months == 0 {
		r.Months = 1
	}
	if r.Then == "" {
		r.Then = ThenFinding
	}
	r.Severity = cmp.Or(r.Severity, Warning)
	var wrong []fault.Field
	if !slices.Contains(Severities, r.Severity) {
		wrong = append(wrong, fault.Field{Path: "severity", Message: "is not known", Allowed: Severities})
	}
	if r.Months < 1 || r.Months > 36 {
		wrong = append(wrong, fault.Field{Path: "months", Message: "must be 1 to 36"})
	}
	if then := []string{ThenFinding, ThenReview, ThenNotice}; !slices.Contains(then, r.Then) {
		wrong = append(wrong, fault.Field{Path: "then", Message: "is not what a rule can do", Allowed: then})
	}
	if r.Dimension != "" && !slices.Contains(c.memberDimensions(), r.Dimension) {
		wrong = append(wrong, fault.Field{Path: "dimension", Message: "is not a dimension with members" + nearest(r.Dimension, c.dimensionNames()), Allowed: c.memberDimensions()})
	}
	if utf8.RuneCountInString(r.Description) > 2000 || utf8.RuneCountInString(r.Owner) > 120 {
		wrong = append(wrong, fault.Field{Path: "description", Message: "must have at most 2000 characters, the owner 120"})
	}
	s, err := c.splitWhere(r.Condition)
	switch {
	case err != nil:
		wrong = append(wrong, fault.Field{Path: "condition", Message: said(err)})
	case s.cells == nil || s.rows != "":
		wrong = append(wrong, fault.Field{Path: "condition", Message: "must be about measures, such as gross_margin < 20%; what is about dimensions belongs into where"})
	default:
		if r.Measure == "" {
			r.Measure = s.inputs[0]
		}
	}
	if rows, err := c.splitWhere(r.Where); err != nil {
		wrong = append(wrong, fault.Field{Path: "where", Message: said(err)})
	} else if rows.cells != nil {
		wrong = append(wrong, fault.Field{Path: "where", Message: "must be about dimensions; what is about measures belongs into condition"})
	}
	for _, m := range []struct{ path, name string }{{"measure", r.Measure}, {"money", r.Money}} {
		if m.name == "" {
			continue
		}
		if found, err := c.Measure(m.name); err != nil {
			wrong = append(wrong, fault.Field{Path: m.path, Message: fault.Message(err)})
		} else if m.path == "money" && !inMoney(found.Unit) {
			wrong = append(wrong, fault.Field{Path: m.path, Message: fmt.Sprintf("%s is %s, not an amount", m.name, found.Unit)})
		}
	}
	if len(wrong) > 0 {
		return r, fault.WithFields(fmt.Sprintf("the rule is not valid: %s: %s", wrong[0].Path, wrong[0].Message), wrong...)
	}
	return r, nil
}

// PutRule adds a rule, or with add false gives it a new version.
func (c *Catalog) PutRule(ctx context.Context, scope tenant.Scope, r Rule, add bool) (Rule, error) {
	v, err := c.For(ctx, scope)
	if err != nil {
		return r, err
	}
	if r, err = v.checkRule(r); err != nil {
		return r, err
	}
	if err := v.mayRule(scope, r); err != nil {
		return r, err
	}
	r.Version, r.At, r.Author = 0, time.Time{}, ""
	body, err := json.Marshal(r)
	if err != nil {
		return r, err
	}
	d, err := c.put(ctx, scope, definition.Change{Kind: definition.Rule, Name: r.Name, Body: body, New: add}, func(after *Catalog) error {
		_, err := after.checkRule(r)
		return err
	})
	if err != nil {
		return r, err
	}
	return readRule(d)
}

// RemoveRule ends a rule.
func (c *Catalog) RemoveRule(ctx context.Context, scope tenant.Scope, name string) error {
	_, err := c.put(ctx, scope, definition.Change{Kind: definition.Rule, Name: name, Remove: true}, nil)
	return err
}

// Rules returns the tenant's rules by name.
func (c *Catalog) Rules(ctx context.Context, scope tenant.Scope) ([]Rule, error) {
	v, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := []Rule{}
	for _, r := range v.rules {
		if v.mayRule(scope, r) == nil && v.mayRead(scope, []string{r.Where}) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Rule) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// mayRule refuses a rule about what somebody may not see.
func (c *Catalog) mayRule(scope tenant.Scope, r Rule) error {
	s, err := c.splitWhere(r.Condition)
	if err != nil { // one that cannot be used any more
		return scope.Whole("rules that cannot be read")
	}
	return c.mayName(scope, "rule", append(slices.Clone(s.inputs), r.Measure, r.Money)...)
}

// PutSegment adds a segment, or with add false gives it a new version.
func (c *Catalog) PutSegment(ctx context.Context, scope tenant.Scope, s Segment, add bool) (Segment, error) {
	var err error
	if s.Name, err = checkName(s.Name); err != nil {
		return s, err
	}
	if utf8.RuneCountInString(s.Description) > 2000 || utf8.RuneCountInString(s.Owner) > 120 {
		return s, fault.WithFields("the segment is not valid", fault.Field{Path: "description", Message: "must have at most 2000 characters, the owner 120"})
	}
	v, err := c.For(ctx, scope)
	if err != nil {
		return s, err
	}
	if err := v.checkSegment(&s); err != nil {
		return s, err
	}
	if err := v.mayName(scope, "segment", s.split.inputs...); err != nil {
		return s, err
	}
	s.Version = 0
	body, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	d, err := c.put(ctx, scope, definition.Change{Kind: definition.Segment, Name: s.Name, Body: body, New: add}, nil)
	s.Version = d.Version
	return s, err
}

// RemoveSegment ends a segment: a Conflict that names them while other definitions use it.
func (c *Catalog) RemoveSegment(ctx context.Context, scope tenant.Scope, name string) error {
	_, err := c.put(ctx, scope, definition.Change{Kind: definition.Segment, Name: name, Remove: true}, nil)
	return err
}

// SegmentState is a segment with its place among the definitions.
type SegmentState struct {
	Segment
	UsedBy  []User `json:"used_by"`
	Problem string `json:"problem"` // why it cannot be used, "" when it can
}

// Segments returns the tenant's segments by name.
func (c *Catalog) Segments(ctx context.Context, scope tenant.Scope) ([]SegmentState, error) {
	v, err := c.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := []SegmentState{}
	for name, s := range v.segments {
		if !v.mayRead(scope, []string{s.Where}) {
			continue
		}
		out = append(out, SegmentState{*s, v.usersOf(definition.Segment, name), v.broken["segment "+name]})
	}
	slices.SortFunc(out, func(a, b SegmentState) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
