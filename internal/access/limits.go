package access

import (
	"context"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// grants works out what a member may see and do.
func (s *Service) grants(ctx context.Context, m Membership) (*tenant.Rights, error) {
	return s.opt.Policies.Rights(ctx, m.Tenant, m.Role, Limits{Clients: sorted(m.Clients), Teams: sorted(m.Teams)})
}

// roleNames lists the roles that a tenant may give.
func (s *Service) roleNames(ctx context.Context, t tenant.Slug) ([]string, error) {
	roles, err := s.opt.Policies.Roles(ctx, tenant.Scope{Tenant: t, Actor: "accounts"})
	var out []string
	for _, r := range roles {
		out = append(out, r.Name)
	}
	return out, err
}

func allActions() []tenant.Action {
	var out []tenant.Action
	for _, a := range Actions {
		out = append(out, a.Action)
	}
	return out
}

func sorted(of []string) []string {
	out := slices.Clone(of)
	slices.Sort(out)
	return out
}
