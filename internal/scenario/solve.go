package scenario

import (
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Goal asks by how much one lever has to be moved for a measure to reach a target.
type Goal struct {
	Definition Definition `json:"definition"`
	Lever      int        `json:"lever" minimum:"0" doc:"place of the lever to move, 0 is the first; its own change is only where the search begins"`
	Measure    string     `json:"measure" doc:"one of the lines of a scenario, such as gross_margin"`
	// Client asks for the measure of this client alone; "" is that of all together.
	Client string           `json:"client,omitempty" doc:"the measure of this client alone; of all together when left out"`
	Target quantity.Decimal `json:"target" doc:"in the measure's unit: 0.45 is 45 %"`
}

// Solution is how far a lever has to be moved.
type Solution struct {
	Lever   Lever            `json:"lever"` // with the change that reaches the target
	Words   string           `json:"words"`
	Measure string           `json:"measure"`
	Client  string           `json:"client,omitempty"`
	Unit    quantity.Unit    `json:"unit"`
	Before  quantity.Decimal `json:"before"` // with the lever at rest, all others as defined
	Reached quantity.Decimal `json:"reached"`
	Result  *Result          `json:"result"` // the scenario with this change
}

// solvable are the lines that rise or fall all the way as a lever is moved.
var solvable = slices.DeleteFunc(slices.Clone(statement), func(name string) bool { return name == "client_concentration" })

// steps bound the search; each halves what is left of the range.
const steps = 200

// Solve finds the smallest change of a lever at which a measure reaches a target, to the
// hundredth of a percent or the cent, on the side that meets it. The measures of a scenario
// are monotone in each lever, so halving finds it.
//
// Errors: as Run; Invalid when the lever does not move the measure, or not so far.
func (s *Service) Solve(ctx context.Context, scope tenant.Scope, g Goal) (*Solution, error) {
	if err := s.Check(g.Definition); err != nil {
		return nil, err
	}
	var wrong []fault.Field
	if g.Lever < 0 || g.Lever >= len(g.Definition.Levers) {
		wrong = append(wrong, fault.Field{Path: "lever", Message: fmt.Sprintf("must be 0 to %d", len(g.Definition.Levers)-1)})
	}
	if !slices.Contains(solvable, g.Measure) {
		wrong = append(wrong, fault.Field{Path: "measure", Message: "cannot be solved for", Allowed: solvable})
	}
	if wrong != nil {
		return nil, fault.WithFields("the question is not valid: "+wrong[0].Path+" "+wrong[0].Message, wrong...)
	}
	m, err := s.read(ctx, scope, g.Definition)
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	x, err := s.search(m, g)
	if err != nil {
		return nil, err
	}
	d := g.Definition
	d.Levers = slices.Clone(d.Levers)
	d.Levers[g.Lever] = m.Levers[g.Lever].moved(x.at)
	d.Snapshot = m.Snapshot
	out := &Solution{Lever: d.Levers[g.Lever], Words: d.Levers[g.Lever].String(), Measure: g.Measure, Client: g.Client, Before: x.before, Reached: x.reached}
	if out.Result, err = s.Run(ctx, scope, d); err != nil {
		return nil, err
	}
	out.Unit = out.Result.line(g.Measure).Unit
	return out, nil
}

// moved is the lever with another change of the same form.
func (l Lever) moved(to quantity.Decimal) Lever {
	if l.Amount != nil {
		l.Amount = &to
	} else {
		l.Percent = &to
	}
	return l
}

// found is the change that meets the target, and the measure with the lever at rest and there.
type found struct{ at, before, reached quantity.Decimal }

// search halves the range of a lever until the target is bracketed to its smallest step.
func (s *Service) search(m *model, g Goal) (found, error) {
	lever, classes := m.Levers[g.Lever], m.classes
	if g.Client == "" {
		classes = withoutClients(classes)
	}
	at := func(x quantity.Decimal) (*quantity.Decimal, error) {
		moved := *m
		moved.Levers = slices.Clone(m.Levers)
		moved.Levers[g.Lever] = lever.moved(x)
		of := moved.apply(classes, 1<<len(m.Levers)-1).classes
		if g.Client != "" {
			of = slices.DeleteFunc(of, func(c class) bool { return c.client != g.Client })
		}
		v, _, err := s.value(&moved, g.Measure, of)
		return v, err
	}
	rest, low, high, step := lever.range_()
	before, err := at(rest)
	if err != nil {
		return found{}, err
	}
	if before == nil {
		return found{}, fault.Newf(fault.Invalid, "%s has no value in this scenario: choose another measure, or a client that has some", g.Measure)
	}
	if before.Equal(g.Target) {
		return found{rest, *before, *before}, nil
	}
	// On the side of rest where the measure moves towards the target.
	for _, end := range []quantity.Decimal{high, low} {
		v, err := at(end)
		if err != nil {
			return found{}, err
		}
		if v == nil || v.Sub(*before).Sign() != g.Target.Sub(*before).Sign() {
			continue
		}
		if v.Sub(g.Target).Sign() == before.Sub(g.Target).Sign() && !v.Equal(g.Target) {
			return found{}, fault.WithFields(fmt.Sprintf("%s cannot reach %s by this lever: at %s it is %s", g.Measure, g.Target, lever.moved(end), v.RoundBank(4)), fault.Field{Path: "target", Message: "is out of reach of this lever"})
		}
		return halve(at, g, found{end, *before, *v}, rest, step)
	}
	return found{}, fault.WithFields(fmt.Sprintf("%s does not move towards %s by this lever", g.Measure, g.Target), fault.Field{Path: "lever", Message: "does not move the measure towards the target"})
}

// halve narrows the range between miss, which misses the target, and what meets it to one
// step.
func halve(at func(quantity.Decimal) (*quantity.Decimal, error), g Goal, meet found, miss, step quantity.Decimal) (found, error) {
	two := decimal.NewFromInt(2)
	for range steps {
		mid := miss.Add(meet.at).Div(two).Div(step).Round(0).Mul(step)
		if meet.at.Sub(miss).Abs().LessThanOrEqual(step) || mid.Equal(miss) || mid.Equal(meet.at) {
			break
		}
		v, err := at(mid)
		if err != nil {
			return meet, err
		}
		if v != nil && v.Sub(g.Target).Sign() != meet.before.Sub(g.Target).Sign() {
			meet.at, meet.reached = mid, *v
		} else {
			miss = mid
		}
	}
	return meet, nil
}

// range_ is where a lever is at rest, how far it goes, and its smallest step.
func (l Lever) range_() (rest, low, high, step quantity.Decimal) {
	cent := decimal.New(1, -2)
	switch {
	case l.Kind == Churn:
		return decimal.Zero, decimal.Zero, one, decimal.New(1, -4)
	case l.Amount == nil:
		return decimal.Zero, one.Neg(), maxShare, decimal.New(1, -4)
	case l.Kind == Fee:
		return decimal.Zero, decimal.Zero, decimal.New(1, 9), cent
	case l.Kind == Staffing:
		return decimal.Zero, decimal.NewFromInt(-1000), decimal.NewFromInt(1000), cent
	case l.Kind == Seats:
		return decimal.Zero, decimal.NewFromInt(-1000000), decimal.NewFromInt(1000000), one
	}
	return decimal.Zero, decimal.New(-1, 9), decimal.New(1, 9), cent
}
