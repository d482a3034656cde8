package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Question asks whether a role with limits may do something, and why.
type Question struct {
	Role     string
	Limits   Limits
	Action   tenant.Action
	Resource Resource
}

// Reason is the answer to a Question.
type Reason struct {
	Allowed  bool     `json:"allowed"`
	Words    string   `json:"words" doc:"why, in a sentence"`
	Policies []Policy `json:"policies" nullable:"false" doc:"those that decided; none when nothing allows it"`
	Who      []string `json:"who" nullable:"false" doc:"roles that may, before limits of an account"`
}

// Why says which policies allow or refuse something.
func (p *Policies) Why(ctx context.Context, scope tenant.Scope, q Question) (Reason, error) {
	h, err := p.holding(ctx, scope.Tenant)
	if err != nil {
		return Reason{}, err
	}
	return h.rules.why(scope.Tenant, q)
}

func (r *ruleset) why(t tenant.Slug, q Question) (Reason, error) {
	if !r.roleNamed(q.Role) {
		return Reason{}, fault.WithFields(fmt.Sprintf("there is no role %q", q.Role), fault.Field{Path: "role", Message: "take one of these", Allowed: r.names()})
	}
	if !knownAction(q.Action) {
		var allowed []string
		for _, a := range Actions {
			allowed = append(allowed, string(a.Action))
		}
		return Reason{}, fault.WithFields(fmt.Sprintf("there is no action %q", q.Action), fault.Field{Path: "action", Message: "take one of these", Allowed: allowed})
	}
	if q.Resource.Kind != ofTenant && q.Action != FiguresRead {
		return Reason{}, fault.WithFields("only figures.read is about clients, teams and classes", fault.Field{Path: "action", Message: "take figures.read, or leave the resource out", Allowed: []string{string(FiguresRead)}})
	}
	ok, diag := r.decide(askerOf(t, q.Role, q.Limits), q.Action, q.Resource)
	out := Reason{Allowed: ok, Policies: []Policy{}, Who: []string{}}
	for _, d := range diag.Reasons {
		at := slices.IndexFunc(r.list, func(p Policy) bool { return cedar.PolicyID(p.ID) == d.PolicyID })
		out.Policies = append(out.Policies, r.list[at])
	}
	slices.SortFunc(out.Policies, func(a, b Policy) int { return strings.Compare(a.ID, b.ID) })
	for _, name := range r.names() {
		if may, _ := r.decide(askerOf(t, name, Limits{}), q.Action, q.Resource); may {
			out.Who = append(out.Who, name)
		}
	}
	what := q.what()
	by := out.by()
	// Seeing a class opens nothing unless figures may be read at all; and cost and margin go together.
	rights := r.rights(t, q.Role, q.Limits)
	switch {
	case len(diag.Errors) > 0:
		out.Words = fmt.Sprintf("%s may not %s: the policy %s could not be evaluated (%s), and then everything is refused.", q.Role, what, diag.Errors[0].PolicyID, diag.Errors[0].Message)
	case ok && q.Resource.Kind == ofClass && !rights.Sees(tenant.Class(q.Resource.Name)):
		out.Allowed, out.Words = false, fmt.Sprintf("%s may not %s: cost and margin give each other away beside revenue, and the other one is hidden.", q.Role, what)
	case ok && q.Resource.Kind != ofTenant && !rights.May(FiguresRead):
		out.Allowed, out.Words = false, fmt.Sprintf("%s may not %s: the role may not read figures at all.", q.Role, what)
	case ok:
		out.Words = fmt.Sprintf("%s may %s: %s", q.Role, what, by)
	case len(out.Policies) > 0:
		out.Words = fmt.Sprintf("%s may not %s, whatever else allows it: %s", q.Role, what, by)
	default:
		out.Words = fmt.Sprintf("%s may not %s: no policy allows it, and what is not allowed is refused.%s", q.Role, what, missingLimits(q))
	}
	return out, nil
}

// by are the sentences of the deciding policies.
func (r Reason) by() string {
	var out []string
	for _, p := range r.Policies {
		out = append(out, strings.TrimSpace(p.Says+" ("+p.ID+")"))
	}
	return strings.Join(out, " ")
}

func (q Question) what() string {
	switch q.Resource.Kind {
	case ofClass:
		return "see figures of the class " + q.Resource.Name
	case ofClient, ofTeam:
		return fmt.Sprintf("see the rows of the %s %s", strings.ToLower(q.Resource.Kind), q.Resource.Name)
	}
	for _, a := range Actions {
		if a.Action == q.Action {
			return fmt.Sprintf("%s (%s)", strings.ToLower(a.Label[:1])+a.Label[1:], a.Action)
		}
	}
	return string(q.Action)
}

// missingLimits says what an account of some roles has to name.
func missingLimits(q Question) string {
	switch {
	case q.Resource.Kind == ofTeam && q.Role == Technician && q.Limits.Teams == nil:
		return " The account names no team."
	case q.Resource.Kind == ofClient && q.Role == ClientPortal && q.Limits.Clients == nil:
		return " The account names no client."
	}
	return ""
}
