package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// rightsAnswer is what may be seen and done.
type rightsAnswer struct {
	Role    string          `json:"role" doc:"empty: unlimited, as the owner of this machine"`
	Label   string          `json:"label"`
	Actions []tenant.Action `json:"actions" nullable:"false" doc:"what may be done; nothing else may"`
	Hidden  []tenant.Class  `json:"hidden" nullable:"false" doc:"what may not be seen: pay, cost, margin, personal"`
	Clients []string        `json:"clients" doc:"the only clients whose rows may be seen; null: those of all"`
	Teams   []string        `json:"teams" doc:"the only teams whose rows may be seen; null: those of all"`
	Viewing *access.View    `json:"viewing" doc:"the look as another role that this is, null without one"`
	All     []actionAnswer  `json:"all" nullable:"false" doc:"the actions that there are, in their order, in words"`
}

type actionAnswer struct {
	Action tenant.Action `json:"action"`
	Label  string        `json:"label"`
	Roles  []string      `json:"roles" nullable:"false" doc:"those that may"`
}

// roleAnswer is a role with what it may do and see, before the limits of an account.
type roleAnswer struct {
	access.Role
	Actions []tenant.Action `json:"actions" nullable:"false"`
	Hidden  []tenant.Class  `json:"hidden" nullable:"false"`
	Clients []string        `json:"clients" doc:"null: those of all"`
	Teams   []string        `json:"teams" doc:"null: those of all"`
}

// roleBody is a role as it is sent.
type roleBody struct {
	Name    string          `json:"name,omitempty" doc:"small letters, digits and -; in an address it stands there"`
	Label   string          `json:"label" doc:"1 to 60 characters, what people call it"`
	BasedOn string          `json:"based_on" doc:"a built-in role: whether an account must name clients or teams is taken from it"`
	Actions []tenant.Action `json:"actions" nullable:"false" maxItems:"50"`
	Hidden  []tenant.Class  `json:"hidden" nullable:"false" maxItems:"10"`
	Clients []string        `json:"clients,omitempty" maxItems:"500" doc:"the only clients; null or left out: those of all"`
	Teams   []string        `json:"teams,omitempty" maxItems:"500" doc:"the only teams; null or left out: those of all"`
	Reason  string          `json:"reason,omitempty" maxLength:"2000" doc:"why, for those who approve or read it later"`
}

func (b roleBody) role(name string) *access.CustomRole {
	return &access.CustomRole{Name: orElse(name, b.Name), Label: b.Label, BasedOn: b.BasedOn, Actions: b.Actions, Hidden: b.Hidden, Clients: b.Clients, Teams: b.Teams}
}

// Trying asks what a change would do; exported because huma binds only those embedded.
type Trying struct {
	Try bool `query:"try" doc:"only say what it would do"`
}

// LimitsInput are the limits of an account, as they are asked about.
type LimitsInput struct {
	Clients []string `query:"clients,explode" doc:"limited to these clients; repeated"`
	Teams   []string `query:"teams,explode" doc:"limited to these teams; repeated"`
}

func (l LimitsInput) limits() access.Limits { return access.Limits{Clients: l.Clients, Teams: l.Teams} }

type decisionReason struct {
	Reason string `json:"reason,omitempty" maxLength:"2000"`
}

type versionInput struct {
	Version int64 `path:"version" minimum:"1"`
	Body    decisionReason
}

func (s *server) policyRoutes(api huma.API) {
	get(api, "get-rights", "/rights", "What one may see and do; with a role, what that role may of it", s.rights)
	get(api, "list-roles", "/roles", "Roles with what each may do and see", func(ctx context.Context, _ *none) (page[roleAnswer], error) {
		list, err := s.Policies.Roles(ctx, s.scope(ctx))
		out := page[roleAnswer]{Items: []roleAnswer{}}
		for _, r := range list {
			out.Items = append(out.Items, roleAnswer{r, r.Rights.Actions, orEmpty(r.Rights.Hidden), r.Rights.Clients, r.Rights.Teams})
		}
		return out, err
	})
	post(api, "add-role", "/roles", "Make a role", func(ctx context.Context, in *struct {
		Trying
		Body roleBody
	}) (access.PolicyVersion, error) {
		return s.changePolicies(ctx, access.PolicyChange{Put: in.Body.role(""), New: true, Reason: in.Body.Reason, Try: in.Try})
	})
	send(api, http.MethodPut, http.StatusOK, "change-role", "/roles/{name}", "Change a role that was made here", func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"40"`
		Trying
		Body roleBody
	}) (access.PolicyVersion, error) {
		return s.changePolicies(ctx, access.PolicyChange{Put: in.Body.role(in.Name), Reason: in.Body.Reason, Try: in.Try})
	})
	send(api, http.MethodDelete, http.StatusOK, "remove-role", "/roles/{name}", "Remove a role that was made here and that no account has", func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"40"`
		Trying
		Reason string `query:"reason" maxLength:"2000"`
	}) (access.PolicyVersion, error) {
		return s.changePolicies(ctx, access.PolicyChange{Remove: in.Name, Reason: in.Reason, Try: in.Try})
	})
	get(api, "get-policies", "/policies", "The policies that hold, built-in ones first", func(ctx context.Context, _ *none) (access.CurrentPolicies, error) {
		return s.Policies.Current(ctx, s.scope(ctx))
	})
	send(api, http.MethodPut, http.StatusOK, "set-policies", "/policies", "Replace the tenant's own policies", func(ctx context.Context, in *struct {
		Trying
		Body struct {
			Text   string `json:"text" maxLength:"65536" doc:"Cedar; empty for none"`
			Reason string `json:"reason,omitempty" maxLength:"2000" doc:"why, for those who approve or read it later"`
		}
	}) (access.PolicyVersion, error) {
		return s.changePolicies(ctx, access.PolicyChange{Text: &in.Body.Text, Reason: in.Body.Reason, Try: in.Try})
	})
	get(api, "explain-decision", "/policies/why", "Whether a role may do something, which policies say so, and who may", func(ctx context.Context, in *struct {
		LimitsInput
		Role     string        `query:"role" required:"true" maxLength:"40"`
		Action   tenant.Action `query:"action" required:"true" maxLength:"40"`
		Resource string        `query:"resource" maxLength:"600" doc:"tenant, class:pay, client:NAME or team:NAME"`
	}) (access.Reason, error) {
		on, err := access.ParseResource(in.Resource)
		if err != nil {
			return access.Reason{}, err
		}
		return s.Policies.Why(ctx, s.scope(ctx), access.Question{Role: in.Role, Limits: in.limits(), Action: in.Action, Resource: on})
	})
	get(api, "list-policy-versions", "/policies/versions", "Changes of roles and policies, newest first", func(ctx context.Context, in *struct {
		Status string `query:"status" enum:"proposed,applied,rejected"`
		Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
	}) (page[access.PolicyVersion], error) {
		list, err := s.Policies.History(ctx, s.scope(ctx), in.Status, in.Limit)
		return page[access.PolicyVersion]{Items: orEmpty(list)}, err
	})
	post(api, "approve-policies", "/policies/versions/{version}/approve", "Let a proposed change take effect, as a second person", func(ctx context.Context, in *versionInput) (access.PolicyVersion, error) {
		return s.Policies.Decide(ctx, s.scope(ctx), in.Version, true, in.Body.Reason)
	})
	post(api, "reject-policies", "/policies/versions/{version}/reject", "Reject a proposed change, or withdraw one's own", func(ctx context.Context, in *versionInput) (access.PolicyVersion, error) {
		return s.Policies.Decide(ctx, s.scope(ctx), in.Version, false, in.Body.Reason)
	})
	s.lookRoutes(api)
}

func (s *server) changePolicies(ctx context.Context, c access.PolicyChange) (access.PolicyVersion, error) {
	return s.Policies.Change(ctx, s.scope(ctx), c)
}

func (s *server) rights(ctx context.Context, in *struct {
	LimitsInput
	Role string `query:"role" maxLength:"40" doc:"one's own rights when left out; asking about others needs policies.manage"`
}) (rightsAnswer, error) {
	scope := s.scope(ctx)
	of := scope.Rights
	out := rightsAnswer{Actions: []tenant.Action{}, Hidden: []tenant.Class{}, All: []actionAnswer{}}
	roles, err := s.Policies.Roles(ctx, scope)
	if err != nil {
		return out, err
	}
	for _, a := range access.Actions {
		one := actionAnswer{a.Action, a.Label, []string{}}
		for _, r := range roles {
			if r.Rights.May(a.Action) {
				one.Roles = append(one.Roles, r.Name)
			}
		}
		out.All = append(out.All, one)
	}
	if in.Role != "" {
		err := scope.Need(access.PoliciesManage)
		if err == nil {
			of, err = s.Policies.Narrowed(ctx, scope, in.Role, in.limits())
		}
		if err != nil {
			return out, err
		}
	} else {
		out.Viewing = visitOf(ctx).look
	}
	if of == nil {
		for _, a := range access.Actions {
			out.Actions = append(out.Actions, a.Action)
		}
		return out, nil
	}
	out.Role, out.Actions, out.Hidden, out.Clients, out.Teams = of.Role, of.Actions, orEmpty(of.Hidden), of.Clients, of.Teams
	for _, r := range roles {
		if r.Name == of.Role {
			out.Label = r.Label
		}
	}
	return out, nil
}

// refusal says an action that is missing, and which roles have it.
func (s *server) refusal(ctx context.Context, need tenant.Action, err error) problem {
	p := problemOf(err)
	if s.Policies == nil {
		return p
	}
	who, whoErr := s.Policies.RolesThatMay(ctx, s.scope(ctx).Tenant, need)
	if whoErr != nil {
		return p
	}
	for _, a := range access.Actions {
		if a.Action == need {
			p.Errors = append(p.Errors, problemField{Path: "action", Message: a.Label, Allowed: who})
		}
	}
	return p
}
