package httpapi

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

type userAnswer struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Email     string   `json:"email"`
	Role      string   `json:"role"`
	Clients   []string `json:"clients" nullable:"true" doc:"the only clients that are seen; null: all"`
	Teams     []string `json:"teams" nullable:"true" doc:"the only teams that are seen; null: all"`
	Disabled  bool     `json:"disabled"`
	TOTP      bool     `json:"totp"`
	Passkeys  int      `json:"passkeys"`
	Sessions  int      `json:"sessions" doc:"open now"`
	CreatedAt string   `json:"created_at" format:"date-time"`
	SeenAt    string   `json:"seen_at,omitempty" format:"date-time"`
	Self      bool     `json:"self"`
}

type invitationAnswer struct {
	ID        string   `json:"id"`
	Email     string   `json:"email"`
	Role      string   `json:"role"`
	Clients   []string `json:"clients" nullable:"true"`
	Teams     []string `json:"teams" nullable:"true"`
	CreatedAt string   `json:"created_at" format:"date-time"`
	ExpiresAt string   `json:"expires_at" format:"date-time"`
}

type standingBody struct {
	Role    string   `json:"role" maxLength:"60"`
	Clients []string `json:"clients,omitempty" nullable:"true" maxItems:"1000" doc:"the only clients that are seen; left out: all"`
	Teams   []string `json:"teams,omitempty" nullable:"true" maxItems:"1000" doc:"the only teams that are seen; left out: all"`
}

func (b standingBody) standing() access.Standing {
	return access.Standing{Role: b.Role, Clients: b.Clients, Teams: b.Teams}
}

type inviteBody struct {
	Email   string   `json:"email" maxLength:"254"`
	Role    string   `json:"role" maxLength:"60"`
	Clients []string `json:"clients,omitempty" nullable:"true" maxItems:"1000" doc:"the only clients that are seen; left out: all"`
	Teams   []string `json:"teams,omitempty" nullable:"true" maxItems:"1000" doc:"the only teams that are seen; left out: all"`
}

type stateBody struct {
	Disabled bool `json:"disabled"`
}

type resetBody struct {
	ForgetFactors bool `json:"forget_factors,omitempty" doc:"forget authenticator app, recovery codes and passkeys too"`
}

type givenLink struct {
	Path      string `json:"path" doc:"to be opened on this server; it works once and is shown this once"`
	ExpiresAt string `json:"expires_at" format:"date-time"`
}

// linkOfToken is where a link is opened. The token stands behind #: browsers send that to
// nobody, so it is in no log.
func linkOfToken(ctx context.Context, token string, l access.Link, err error) (givenLink, error) {
	unkept(ctx)
	if err != nil {
		return givenLink{}, err
	}
	return givenLink{access.LinkPath(token), instantOf(l.ExpiresAt)}, nil
}

type namesAnswer struct {
	Names map[tenant.Actor]string `json:"names" doc:"by how accounts are called on the record"`
}

// seesColleagues are those who learn the names of all accounts: their pages say who did what.
var seesColleagues = []tenant.Action{access.BoardsWrite, access.ReviewsRead, access.AuditRead, access.PoliciesManage, access.AccountsManage}

// names returns the names of a tenant's accounts, also of those who left it but stand on its
// record; to others, such as clients, their own.
func (s *server) names(ctx context.Context, _ *none) (namesAnswer, error) {
	out := namesAnswer{Names: map[tenant.Actor]string{}}
	scope := s.scope(ctx)
	if s.Access == nil {
		return out, nil
	}
	actors := []tenant.Actor{scope.Actor}
	if slices.ContainsFunc(seesColleagues, scope.Rights.May) {
		users, err := s.Access.Users(ctx, scope)
		if err != nil {
			return out, err
		}
		for _, u := range users {
			out.Names[u.Account.Actor()] = u.Account.Name
		}
		if err := s.DB.Read(ctx, func(tx *metadb.Tx) error {
			seen, err := s.Audit.Seen(ctx, scope, tx)
			for _, a := range seen.Actors {
				actors = append(actors, tenant.Actor(a))
			}
			return err
		}); err != nil {
			return out, err
		}
	}
	actors = slices.DeleteFunc(actors, func(a tenant.Actor) bool { return out.Names[a] != "" })
	left, err := s.Access.Names(ctx, actors)
	maps.Copy(out.Names, left)
	return out, err
}

type rolesAnswer struct {
	Roles   []string      `json:"roles" doc:"that may be given"`
	Actions []givenAction `json:"actions"`
}

type givenAction struct {
	Action string `json:"action"`
	Label  string `json:"label"`
}

func (s *server) userRoutes(api huma.API) {
	get(api, "list-users", "/users", "Who may sign in, the oldest first", s.users)
	get(api, "list-names", "/names", "Names of the accounts behind actors such as user:abc", s.names)
	get(api, "list-user-roles", "/users/roles", "Roles that may be given, and actions that keys may have", func(ctx context.Context, _ *none) (rolesAnswer, error) {
		out := rolesAnswer{Roles: []string{}, Actions: []givenAction{}}
		for _, a := range access.Actions {
			out.Actions = append(out.Actions, givenAction{string(a.Action), a.Label})
		}
		var err error
		out.Roles, err = s.Access.Roles(ctx, s.scope(ctx))
		return out, err
	})
	post(api, "invite-user", "/invitations", "Invite somebody; the link is shown once", func(ctx context.Context, in *struct{ Body inviteBody }) (givenLink, error) {
		token, l, err := s.Access.Invite(ctx, s.scope(ctx), in.Body.Email, access.Standing{Role: in.Body.Role, Clients: in.Body.Clients, Teams: in.Body.Teams})
		return linkOfToken(ctx, token, l, err)
	})
	get(api, "list-invitations", "/invitations", "Open invitations, the newest first", func(ctx context.Context, _ *none) (page[invitationAnswer], error) {
		out := page[invitationAnswer]{Items: []invitationAnswer{}}
		list, err := s.Access.Invitations(ctx, s.scope(ctx))
		for _, l := range list {
			out.Items = append(out.Items, invitationAnswer{l.ID, l.Email, l.Role, l.Clients, l.Teams, instantOf(l.CreatedAt), instantOf(l.ExpiresAt)})
		}
		return out, err
	})
	act(api, http.MethodDelete, "end-invitation", "/invitations/{id}", "End an invitation", func(ctx context.Context, in *IDPath) error {
		return s.Access.DropInvitation(ctx, s.scope(ctx), in.ID)
	})
	act(api, http.MethodPut, "change-user", "/users/{id}", "Give another role or other limits", func(ctx context.Context, in *struct {
		IDPath
		Body standingBody
	}) error {
		as := in.Body.standing()
		return s.Access.ChangeUser(ctx, s.scope(ctx), in.ID, access.UserChange{As: &as})
	})
	act(api, http.MethodPut, "set-user-state", "/users/{id}/state", "Disable or enable; disabling ends sessions and keys", func(ctx context.Context, in *struct {
		IDPath
		Body stateBody
	}) error {
		return s.Access.ChangeUser(ctx, s.scope(ctx), in.ID, access.UserChange{Disabled: &in.Body.Disabled})
	})
	act(api, http.MethodDelete, "remove-user", "/users/{id}", "Take somebody out of this tenant", func(ctx context.Context, in *IDPath) error {
		return s.Access.RemoveUser(ctx, s.scope(ctx), in.ID)
	})
	act(api, http.MethodDelete, "end-user-sessions", "/users/{id}/sessions", "Sign somebody out everywhere", func(ctx context.Context, in *IDPath) error {
		return s.Access.EndUserSessions(ctx, s.scope(ctx), in.ID)
	})
	post(api, "reset-user", "/users/{id}/reset", "A link to set a new password; it is shown once", func(ctx context.Context, in *struct {
		IDPath
		Body resetBody
	}) (givenLink, error) {
		token, l, err := s.Access.ResetUser(ctx, s.scope(ctx), in.ID, in.Body.ForgetFactors)
		return linkOfToken(ctx, token, l, err)
	})
	get(api, "list-keys", "/keys", "Everybody's API keys, the newest first", func(ctx context.Context, _ *none) (page[keyAnswer], error) {
		return keysOf(s.Access.Keys(ctx, s.scope(ctx), ""))
	})
	act(api, http.MethodDelete, "end-key", "/keys/{id}", "End anybody's API key", func(ctx context.Context, in *IDPath) error {
		return s.Access.DropKey(ctx, s.scope(ctx), "", in.ID)
	})
}

// IDPath names something by its id; exported because huma binds the fields of embedded
// structs only when these are.
type IDPath struct {
	ID string `path:"id" maxLength:"400"`
}

func (s *server) users(ctx context.Context, _ *none) (page[userAnswer], error) {
	out := page[userAnswer]{Items: []userAnswer{}}
	list, err := s.Access.Users(ctx, s.scope(ctx))
	self := visitOf(ctx).who.Account
	for _, u := range list {
		out.Items = append(out.Items, userAnswer{u.Account.ID, u.Account.Name, u.Account.Email, u.Role, u.Clients, u.Teams, u.Account.Disabled, u.Account.TOTP, u.Passkeys, u.Sessions,
			instantOf(u.Account.CreatedAt), instantOf(u.Account.SeenAt), u.Account.ID == self})
	}
	return out, err
}
