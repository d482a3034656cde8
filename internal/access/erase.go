package access

import (
	"context"
	"errors"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// erasedName stands for the name of somebody who was erased.
const erasedName = "Erased user"

// reached are the accounts of these addresses that the tenant answers for: its members, and
// those who are members nowhere any more. Others' stay out of its reach.
func (s *Service) reached(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, emails []string) ([]reachedAccount, error) {
	var out []reachedAccount
	for _, e := range emails {
		address, err := cleanEmail(e)
		if err != nil {
			continue // no address, so nobody's account
		}
		a, err := s.account(ctx, tx, "account_by_email", s.digest("email", address))
		if errors.Is(err, metadb.ErrNoRow) {
			continue
		}
		if err != nil {
			return nil, err
		}
		r := reachedAccount{Account: a}
		if r.all, err = s.memberships(ctx, tx, a.ID); err != nil {
			return nil, err
		}
		for i, m := range r.all {
			if m.Tenant == scope.Tenant {
				r.here = &r.all[i]
			}
		}
		if r.here != nil || len(r.all) == 0 {
			out = append(out, r)
		}
	}
	return out, nil
}

// reachedAccount is an account with all that it is, and what it is in the tenant that asks.
type reachedAccount struct {
	Account
	all  []Membership
	here *Membership // nil: a member nowhere
}

// shared reports whether the account belongs to other tenants, too.
func (r reachedAccount) shared() bool { return r.here != nil && len(r.all) > 1 }

// MayErase refuses to erase the users of these addresses when one of them may do more than
// who asks, or is the tenant's last owner.
func (s *Service) MayErase(ctx context.Context, scope tenant.Scope, emails []string) error {
	if has, err := s.HasAccounts(ctx); err != nil || !has {
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	var found []reachedAccount
	err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		if found, err = s.reached(ctx, tx, scope, emails); err != nil {
			return err
		}
		return s.leavesOwner(ctx, tx, scope, found)
	})
	for _, r := range found {
		if err != nil || r.here == nil || scope.Rights == nil {
			continue
		}
		rights, gerr := s.grants(ctx, *r.here)
		if gerr != nil {
			return gerr
		}
		if MayGive(scope.Rights, rights) != nil {
			return fault.Newf(fault.Forbidden, "the user %s may do more than you: an owner has to decide this", r.Email)
		}
	}
	return wrap("erase users", err)
}

func (s *Service) leavesOwner(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, found []reachedAccount) error {
	for _, r := range found {
		if r.here != nil && r.here.Role == "owner" {
			if err := s.keepsOwner(ctx, tx, scope, r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Erase ends what the users of these addresses have in the tenant, and takes their name and
// address out of their accounts, in the caller's transaction: what they did stands on the
// record under the id alone. An account that also belongs to other tenants only leaves this
// one. It returns how many accounts it changed. MayErase must have been called before: it reads
// the key that addresses are found by.
func (s *Service) Erase(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, emails []string) (int64, error) {
	s.mu.Lock()
	none := s.lookup == nil
	s.mu.Unlock()
	if none {
		return 0, nil
	}
	in, err := s.lockMembers(ctx, tx, scope)
	if err != nil {
		return 0, err
	}
	found, err := s.reached(ctx, tx, scope, emails)
	if err != nil {
		return 0, wrap("erase users", err)
	}
	if err := s.leavesOwner(ctx, tx, scope, found); err != nil {
		return 0, err
	}
	for _, e := range emails {
		if address, err := cleanEmail(e); err == nil {
			if _, err := tx.Exec(ctx, queries.Get("delete_invitations_of"), s.digest("email", address), string(scope.Tenant)); err != nil {
				return 0, wrap("erase users", err)
			}
		}
	}
	for _, r := range found {
		for _, query := range []string{"delete_membership", "delete_tenant_sessions", "delete_keys_of"} {
			if _, err := tx.Exec(ctx, queries.Get(query), r.ID, in); err != nil {
				return 0, wrap("erase users", err)
			}
		}
		if !r.shared() {
			if err := s.anonymize(ctx, tx, r.Account); err != nil {
				return 0, wrap("erase users", err)
			}
		}
		if err := s.record(ctx, scope, tx, "account.erase", "account", r.ID, map[string]any{"stays_in_other_tenants": r.shared()}); err != nil {
			return 0, err
		}
	}
	return int64(len(found)), nil
}

// anonymize leaves nothing of an account but its id.
func (s *Service) anonymize(ctx context.Context, tx *metadb.Tx, a Account) error {
	if err := s.forgetFactors(ctx, tx, a.ID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, queries.Get("delete_sessions"), a.ID, ""); err != nil {
		return err
	}
	for query, arg := range map[string]string{"delete_links_of": a.ID, "delete_all_keys_of": a.ID, "forget_failure": s.digest("try account", a.Email)} {
		if _, err := tx.Exec(ctx, queries.Get(query), arg); err != nil {
			return err
		}
	}
	address := a.ID + "@erased.invalid"
	email, err := s.seal(ctx, emailColumn, address, a.ID)
	if err != nil {
		return err
	}
	name, err := s.seal(ctx, nameColumn, erasedName, a.ID)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, queries.Get("erase_account"), a.ID, s.digest("email", address), email, name)
	return err
}

// Copy is what the accounts hold of a user, for a person who asks for everything.
type Copy struct {
	ID        string       `json:"id"`
	Email     string       `json:"email"`
	Name      string       `json:"name"`
	CreatedAt time.Time    `json:"created_at"`
	SeenAt    time.Time    `json:"seen_at"`
	Roles     []CopyRole   `json:"roles"`
	Sessions  []CopyDevice `json:"sessions"`
	Keys      []CopyDevice `json:"keys"`
	Passkeys  []CopyDevice `json:"passkeys"`
}

// CopyRole is what a user is in the tenant.
type CopyRole struct {
	Tenant  tenant.Slug `json:"tenant"`
	Role    string      `json:"role"`
	Clients []string    `json:"clients"`
	Teams   []string    `json:"teams"`
}

// CopyDevice is what a user signs in with, and from where it was used last.
type CopyDevice struct {
	Name      string    `json:"name"`
	Address   string    `json:"address,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at"`
}

// CopyOf returns what the accounts hold of the users of these addresses; of other tenants
// nothing.
func (s *Service) CopyOf(ctx context.Context, scope tenant.Scope, emails []string) ([]Copy, error) {
	out := []Copy{}
	if has, err := s.HasAccounts(ctx); err != nil || !has {
		return out, err
	}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		found, err := s.reached(ctx, tx, scope, emails)
		if err != nil {
			return err
		}
		keys, err := s.keys(ctx, tx, scope.Tenant)
		if err != nil {
			return err
		}
		for _, r := range found {
			c := Copy{ID: r.ID, Email: r.Email, Name: r.Name, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt, Roles: []CopyRole{}, Sessions: []CopyDevice{}, Keys: []CopyDevice{}, Passkeys: []CopyDevice{}}
			if r.here != nil {
				c.Roles = append(c.Roles, CopyRole{r.here.Tenant, r.here.Role, r.here.Clients, r.here.Teams})
			}
			for _, k := range keys {
				if k.Account == r.ID {
					c.Keys = append(c.Keys, CopyDevice{k.Name, k.UsedFrom, k.CreatedAt, k.UsedAt})
				}
			}
			passkeys, err := s.passkeys(ctx, tx, r.ID)
			if err != nil {
				return err
			}
			for _, k := range passkeys {
				c.Passkeys = append(c.Passkeys, CopyDevice{k.Name, k.Host, k.CreatedAt, k.UsedAt})
			}
			out = append(out, c)
		}
		return nil
	})
	if err != nil {
		return nil, wrap("copy of users", err)
	}
	for i := range out {
		sessions, err := s.Sessions(ctx, Who{Account: out[i].ID})
		if err != nil {
			return nil, err
		}
		for _, x := range sessions {
			if x.Tenant == scope.Tenant {
				out[i].Sessions = append(out[i].Sessions, CopyDevice{x.Device, x.Address, x.CreatedAt, x.SeenAt})
			}
		}
	}
	return out, nil
}
