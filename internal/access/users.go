package access

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// User is a member of a tenant, as those see it who manage them.
type User struct {
	Account  Account
	Role     string
	Clients  []string
	Teams    []string
	Passkeys int
	Sessions int // open now
}

// Users lists a tenant's members, the oldest first.
func (s *Service) Users(ctx context.Context, scope tenant.Scope) ([]User, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out []User
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = nil
		idle, oldest := s.limits()
		rows, err := tx.Query(ctx, queries.Get("members"), string(scope.Tenant), idle, oldest)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var u User
			var email, name, created, seen, clients, teams, codes string
			var disabled, passkeys, sessions int64
			if err := rows.Scan(&u.Account.ID, &email, &name, &disabled, &created, &seen, &u.Role, &clients, &teams, &codes, &passkeys, &sessions); err != nil {
				return err
			}
			u.Account.Disabled, u.Account.CreatedAt, u.Account.SeenAt, u.Account.TOTP = disabled != 0, instant(created), instant(seen), codes != ""
			u.Clients, u.Teams, u.Passkeys, u.Sessions = unlist(clients), unlist(teams), int(passkeys), int(sessions)
			if u.Account.Email, err = s.open(ctx, emailColumn, email, u.Account.ID); err != nil {
				return err
			}
			if u.Account.Name, err = s.open(ctx, nameColumn, name, u.Account.ID); err != nil {
				return err
			}
			out = append(out, u)
		}
		return rows.Err()
	})
	return out, wrap("users", err)
}

// User finds a member by id or e-mail address.
func (s *Service) User(ctx context.Context, scope tenant.Scope, name string) (User, error) {
	all, err := s.Users(ctx, scope)
	if err != nil {
		return User{}, err
	}
	for _, u := range all {
		if u.Account.ID == name || strings.EqualFold(u.Account.Email, name) {
			return u, nil
		}
	}
	return User{}, fault.Newf(fault.NotFound, "there is no user %s: moatmetrics users list shows all", name)
}

// Names returns the names of accounts by how they are called on the record; what is not the
// actor of an account is left out.
func (s *Service) Names(ctx context.Context, actors []tenant.Actor) (map[tenant.Actor]string, error) {
	out := map[tenant.Actor]string{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		clear(out)
		for _, actor := range actors {
			id, ok := strings.CutPrefix(string(actor), "user:")
			if !ok {
				continue
			}
			a, err := s.account(ctx, tx, "account_by_id", id)
			if errors.Is(err, metadb.ErrNoRow) {
				continue
			}
			if err != nil {
				return err
			}
			out[actor] = a.Name
		}
		return nil
	})
	return out, wrap("names of accounts", err)
}

// Standing is what somebody is given in a tenant: a role, and the clients and teams that it is limited to.
type Standing struct {
	Role    string
	Clients []string // nil: all
	Teams   []string // nil: all
}

// Invite makes an invitation and returns its token for the link. Earlier ones of the same
// address end.
func (s *Service) Invite(ctx context.Context, scope tenant.Scope, email string, as Standing) (string, Link, error) {
	address, err := cleanEmail(email)
	if err != nil {
		return "", Link{}, fault.WithFields("the invitation is not complete", fault.Field{Path: "email", Message: fault.Message(err)})
	}
	if err := s.ready(ctx); err != nil {
		return "", Link{}, err
	}
	if err := s.mayGive(ctx, scope, as); err != nil {
		return "", Link{}, err
	}
	var token string
	var l Link
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		a, err := s.account(ctx, tx, "account_by_email", s.digest("email", address))
		if err == nil {
			_, err = s.membership(ctx, tx, a.ID, scope.Tenant)
			if err == nil {
				return fault.Newf(fault.Conflict, "%s is a user already: change the role on the list of users", address)
			}
		}
		if !errors.Is(err, metadb.ErrNoRow) {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("delete_invitations_of"), s.digest("email", address), string(scope.Tenant)); err != nil {
			return err
		}
		token, l, err = s.give(ctx, tx, scope, Link{Kind: Invitation, Email: address, Role: as.Role, Clients: as.Clients, Teams: as.Teams})
		if err != nil {
			return err
		}
		return s.record(ctx, scope, tx, "account.invite", "invitation", l.ID, map[string]any{"role": as.Role, "clients": as.Clients, "teams": as.Teams})
	})
	return token, l, wrap("invite", err)
}

// mayGive refuses to give a role that there is none of, or more than the giver has.
func (s *Service) mayGive(ctx context.Context, scope tenant.Scope, as Standing) error {
	names, err := s.roleNames(ctx, scope.Tenant)
	if err != nil {
		return err
	}
	if !slices.Contains(names, as.Role) {
		return fault.WithFields("the role is not known", fault.Field{Path: "role", Message: "choose one of the roles", Allowed: names})
	}
	if as.Role == Owner && (as.Clients != nil || as.Teams != nil) {
		return fault.WithFields("an owner sees everything: name no clients and teams, or choose another role", fault.Field{Path: "role", Message: "is not limited"})
	}
	rights, err := s.grants(ctx, Membership{Tenant: scope.Tenant, Role: as.Role, Clients: as.Clients, Teams: as.Teams})
	if err != nil {
		return err
	}
	return MayGive(scope.Rights, rights)
}

// Invitations lists the open invitations of a tenant, the newest first.
func (s *Service) Invitations(ctx context.Context, scope tenant.Scope) ([]Link, error) {
	var out []Link
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, queries.Get("links"), string(scope.Tenant), metadb.Now(s.now()))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			l, err := s.scanLink(ctx, rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, l)
		}
		return rows.Err()
	})
	return out, wrap("invitations", err)
}

// DropInvitation ends an invitation.
func (s *Service) DropInvitation(ctx context.Context, scope tenant.Scope, id string) error {
	return s.change(ctx, scope, "account.invite_end", "invitation", id, nil, func(tx *metadb.Tx) error {
		return oneRow("invitation", id)(tx.Exec(ctx, queries.Get("delete_invitation"), metadb.Text(id), string(scope.Tenant)))
	})
}

// UserChange is what becomes of a user; nil leaves a part as it is.
type UserChange struct {
	As       *Standing
	Disabled *bool
}

// ChangeUser gives another role or other limits, disables or enables.
func (s *Service) ChangeUser(ctx context.Context, scope tenant.Scope, id string, to UserChange) error {
	if to.As != nil {
		if err := s.mayGive(ctx, scope, *to.As); err != nil {
			return err
		}
	}
	detail := map[string]any{}
	return s.change(ctx, scope, "account.change", "account", id, detail, func(tx *metadb.Tx) error {
		tenantID, err := s.lockMembers(ctx, tx, scope)
		if err != nil {
			return err
		}
		a, m, err := s.manage(ctx, tx, scope, id, to.Disabled != nil)
		if err != nil {
			return err
		}
		loses := to.Disabled != nil && *to.Disabled || to.As != nil && to.As.Role != "owner"
		if m.Role == "owner" && loses {
			if err := s.keepsOwner(ctx, tx, scope, id); err != nil {
				return err
			}
		}
		if to.As != nil {
			detail["before"], detail["after"] = map[string]any{"role": m.Role, "clients": m.Clients, "teams": m.Teams}, map[string]any{"role": to.As.Role, "clients": to.As.Clients, "teams": to.As.Teams}
			if err := s.putMembership(ctx, tx, Membership{Account: id, Tenant: scope.Tenant, Role: to.As.Role, Clients: to.As.Clients, Teams: to.As.Teams}); err != nil {
				return err
			}
		}
		if to.Disabled == nil || *to.Disabled == a.Disabled {
			return nil
		}
		detail["disabled"] = *to.Disabled
		flag := int64(0)
		if *to.Disabled {
			flag = 1
			if _, err := tx.Exec(ctx, queries.Get("delete_sessions"), id, ""); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, queries.Get("delete_links_of"), id); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, queries.Get("delete_keys_of"), id, tenantID); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, queries.Get("set_disabled"), id, flag)
		return err
	})
}

// RemoveUser takes somebody out of the tenant, with sessions and keys there. The account
// stays: its name stands on the record, and other tenants may have it too.
func (s *Service) RemoveUser(ctx context.Context, scope tenant.Scope, id string) error {
	return s.change(ctx, scope, "account.leave", "account", id, nil, func(tx *metadb.Tx) error {
		tenantID, err := s.lockMembers(ctx, tx, scope)
		if err != nil {
			return err
		}
		_, m, err := s.manage(ctx, tx, scope, id, false)
		if err != nil {
			return err
		}
		if m.Role == "owner" {
			if err := s.keepsOwner(ctx, tx, scope, id); err != nil {
				return err
			}
		}
		for _, query := range []string{"delete_membership", "delete_tenant_sessions", "delete_keys_of"} {
			if _, err := tx.Exec(ctx, queries.Get(query), id, tenantID); err != nil {
				return err
			}
		}
		return nil
	})
}

// EndUserSessions signs a user out everywhere.
func (s *Service) EndUserSessions(ctx context.Context, scope tenant.Scope, id string) error {
	return s.change(ctx, scope, "session.end_all", "account", id, nil, func(tx *metadb.Tx) error {
		if _, _, err := s.manage(ctx, tx, scope, id, false); err != nil {
			return err
		}
		tenantID, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, queries.Get("delete_tenant_sessions"), id, tenantID)
		return err
	})
}

// ResetUser returns the token of a link to set a new password. With factors the
// authenticator app, recovery codes and passkeys are forgotten too: for those who lost
// their phone.
func (s *Service) ResetUser(ctx context.Context, scope tenant.Scope, id string, factors bool) (string, Link, error) {
	return s.giveUser(ctx, scope, id, Reset, factors)
}

// SignInAs returns the token of a link that signs somebody in. Only the machine's owner
// gets one: whoever can read the data directory can be anybody anyway.
func (s *Service) SignInAs(ctx context.Context, scope tenant.Scope, id string) (string, Link, error) {
	if scope.Rights != nil {
		return "", Link{}, fault.Newf(fault.Forbidden, "only the command line on this machine gives such a link")
	}
	return s.giveUser(ctx, scope, id, SignInLink, false)
}

func (s *Service) giveUser(ctx context.Context, scope tenant.Scope, id string, kind LinkKind, factors bool) (string, Link, error) {
	if err := s.ready(ctx); err != nil {
		return "", Link{}, err
	}
	var token string
	var l Link
	err := s.change(ctx, scope, "account."+string(kind)+"_link", "account", id, map[string]bool{"factors_forgotten": factors}, func(tx *metadb.Tx) error {
		a, _, err := s.manage(ctx, tx, scope, id, true)
		if err != nil {
			return err
		}
		if factors {
			if err := s.forgetFactors(ctx, tx, id); err != nil {
				return err
			}
		}
		token, l, err = s.give(ctx, tx, scope, Link{Kind: kind, Account: id, Email: a.Email})
		return err
	})
	return token, l, err
}

// forgetFactors drops the authenticator app, recovery codes and passkeys.
func (s *Service) forgetFactors(ctx context.Context, tx *metadb.Tx, account string) error {
	if _, err := tx.Exec(ctx, queries.Get("set_totp"), account, "", int64(0)); err != nil {
		return err
	}
	for _, query := range []string{"delete_recovery_codes", "delete_passkeys"} {
		if _, err := tx.Exec(ctx, queries.Get(query), account); err != nil {
			return err
		}
	}
	return nil
}

// manage returns the member that somebody wants to change. Others' members are NotFound,
// those who may do more are Forbidden, and so is what changes the account itself (whole)
// when it also belongs to another tenant: it would give one tenant's administrator
// another's data. The machine's owner may always.
func (s *Service) manage(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, id string, whole bool) (Account, Membership, error) {
	m, err := s.membership(ctx, tx, metadb.Text(id), scope.Tenant)
	if errors.Is(err, metadb.ErrNoRow) {
		return Account{}, m, fault.Newf(fault.NotFound, "there is no user %s", id)
	}
	if err != nil {
		return Account{}, m, err
	}
	a, err := s.account(ctx, tx, "account_by_id", id)
	if err != nil || scope.Rights == nil {
		return a, m, err
	}
	if scope.Actor == actor(id, scope.Tenant, Place{}).Actor {
		return a, m, fault.Newf(fault.Forbidden, "your own account is changed on your profile; its role and state by somebody else")
	}
	rights, err := s.grants(ctx, m)
	if fault.KindOf(err) == fault.Forbidden {
		rights, err = &tenant.Rights{Role: m.Role, Hidden: tenant.Classes, Clients: []string{}, Teams: []string{}}, nil // the role went: it allows nothing
	}
	if err != nil {
		return a, m, err
	}
	if MayGive(scope.Rights, rights) != nil {
		return a, m, fault.Newf(fault.Forbidden, "this user may do more than you: ask an owner")
	}
	if whole {
		all, err := s.memberships(ctx, tx, id)
		if err != nil {
			return a, m, err
		}
		if len(all) > 1 {
			return a, m, fault.Newf(fault.Forbidden, "this account belongs to other tenants too: take it out of this one instead, or ask the owner of the machine")
		}
	}
	return a, m, nil
}

func (s *Service) lockMembers(ctx context.Context, tx *metadb.Tx, scope tenant.Scope) (int64, error) {
	if err := scope.Check(); err != nil {
		return 0, err
	}
	id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), s.now())
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, queries.Get("lock_members"), id)
	return id, err
}

// keepsOwner refuses what would leave the tenant without an owner who can sign in.
func (s *Service) keepsOwner(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, without string) error {
	rows, err := tx.Query(ctx, queries.Get("owners"), string(scope.Tenant))
	if err != nil {
		return err
	}
	defer rows.Close()
	others := 0
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		if id != without {
			others++
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if others == 0 {
		return fault.Newf(fault.Conflict, "this is the last owner: make somebody else an owner first")
	}
	return nil
}

// ScopeOf is the scope of a member by how it is called on the record, with the rights that it
// has now: Forbidden when it cannot sign in any more.
func (s *Service) ScopeOf(ctx context.Context, t tenant.Slug, member tenant.Actor, from string) (tenant.Scope, error) {
	var out tenant.Scope
	err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		out, err = s.scopeOf(ctx, tx, t, member, from)
		return err
	})
	return out, wrap("member", err)
}

func (s *Service) scopeOf(ctx context.Context, tx *metadb.Tx, t tenant.Slug, member tenant.Actor, from string) (tenant.Scope, error) {
	id, _ := strings.CutPrefix(string(member), "user:")
	a, err := s.account(ctx, tx, "account_by_id", metadb.Text(id))
	var m Membership
	if err == nil {
		m, err = s.membership(ctx, tx, a.ID, t)
	}
	if errors.Is(err, metadb.ErrNoRow) || err == nil && a.Disabled {
		return tenant.Scope{}, fault.Newf(fault.Forbidden, "whoever asked for this cannot sign in any more: reject it, and do it yourself")
	}
	if err != nil {
		return tenant.Scope{}, err
	}
	rights, err := s.grants(ctx, m)
	return tenant.Scope{Tenant: t, Actor: member, Rights: rights, From: from}, err
}

// Holders counts the members who have one of these roles and can sign in.
func (s *Service) Holders(ctx context.Context, scope tenant.Scope, roles []string) (int, error) {
	n := 0
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		n = 0
		rows, err := tx.Query(ctx, queries.Get("holders"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var role string
			if err := rows.Scan(&role); err != nil {
				return err
			}
			if slices.Contains(roles, role) {
				n++
			}
		}
		return rows.Err()
	})
	return n, wrap("holders of roles", err)
}

// Roles lists the roles that somebody may give.
func (s *Service) Roles(ctx context.Context, scope tenant.Scope) ([]string, error) {
	names, err := s.roleNames(ctx, scope.Tenant)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, name := range names {
		if s.mayGive(ctx, scope, Standing{Role: name}) == nil {
			out = append(out, name)
		}
	}
	return out, nil
}
