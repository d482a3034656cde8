package access

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// LinkKind is what a link is for.
type LinkKind string

// The kinds, with how long each works. Every link works once.
const (
	Invitation LinkKind = "invitation" // makes an account, or adds a tenant to one
	Reset      LinkKind = "reset"      // sets a new password
	SignInLink LinkKind = "sign_in"    // signs in, for the owner of the machine
)

var linkLife = map[LinkKind]time.Duration{Invitation: 7 * 24 * time.Hour, Reset: 24 * time.Hour, SignInLink: 10 * time.Minute}

// Link is a link that was given out. Its token is known to whoever got it only.
type Link struct {
	ID        string
	Kind      LinkKind
	Account   string // of reset and sign-in
	Tenant    tenant.Slug
	Email     string
	Role      string
	Clients   []string
	Teams     []string
	Actor     tenant.Actor
	CreatedAt time.Time
	ExpiresAt time.Time
	Known     bool // an invitation of somebody who has an account already

	emailHash string
}

func (s *Service) scanLink(ctx context.Context, scan func(...any) error) (Link, error) {
	var l Link
	var kind, slug, email, clients, teams, actor, created, expires string
	if err := scan(&l.ID, &kind, &l.Account, &slug, &l.emailHash, &email, &l.Role, &clients, &teams, &actor, &created, &expires); err != nil {
		return l, err
	}
	l.Kind, l.Tenant, l.Actor = LinkKind(kind), tenant.Slug(slug), tenant.Actor(actor)
	l.Clients, l.Teams, l.CreatedAt, l.ExpiresAt = unlist(clients), unlist(teams), instant(created), instant(expires)
	var err error
	l.Email, err = s.open(ctx, linkColumn, email, l.ID)
	return l, err
}

// give makes a link and returns its token, which is kept nowhere else.
func (s *Service) give(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, l Link) (string, Link, error) {
	token, hash := newToken()
	l.ID, l.CreatedAt, l.Tenant, l.Actor = newID(), s.now(), scope.Tenant, scope.Actor
	l.ExpiresAt = l.CreatedAt.Add(linkLife[l.Kind])
	sealed, err := s.seal(ctx, linkColumn, l.Email, l.ID)
	if err != nil {
		return "", l, err
	}
	if _, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), s.now()); err != nil {
		return "", l, err
	}
	_, err = tx.Exec(ctx, queries.Get("insert_link"), hash, l.ID, string(l.Kind), l.Account, s.digest("email", l.Email), sealed, l.Role, list(l.Clients), list(l.Teams),
		string(l.Actor), metadb.Now(l.CreatedAt), metadb.Now(l.ExpiresAt), string(scope.Tenant))
	return token, l, err
}

// Look says what a link is for, without using it.
func (s *Service) Look(ctx context.Context, token string) (Link, error) {
	var l Link
	err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		l, err = s.link(ctx, tx, token)
		return err
	})
	return l, wrap("link", err)
}

func (s *Service) link(ctx context.Context, tx *metadb.Tx, token string) (Link, error) {
	l, err := s.scanLink(ctx, func(dest ...any) error {
		return tx.One(ctx, queries.Get("link"), []any{hashToken(token), metadb.Now(s.now())}, dest...)
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return l, fault.Newf(fault.NotFound, "this link was used already, or is too old: ask for another")
	}
	if err != nil || l.Kind != Invitation {
		return l, err
	}
	a, err := s.account(ctx, tx, "account_by_email", l.emailHash)
	if errors.Is(err, metadb.ErrNoRow) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	all, err := s.memberships(ctx, tx, a.ID)
	l.Known = len(all) > 0
	return l, err
}

// Use does what a link is for, once. A new account and a sign-in link give a session; after
// a reset the person signs in, with the second factor if there is one. An invitation of
// somebody who has an account must be used signed in as them.
func (s *Service) Use(ctx context.Context, token, name, password string, who Who, at Place) (SignedIn, error) {
	if err := s.ready(ctx); err != nil {
		return SignedIn{}, err
	}
	l, err := s.Look(ctx, token)
	if err != nil {
		return SignedIn{}, err
	}
	hash := ""
	switch {
	case l.Kind == Invitation && !l.Known:
		if _, name, err = person(l.Email, name, &password); err != nil {
			return SignedIn{}, err
		}
	case l.Kind == Reset:
		if err := s.checkReset(ctx, l, password); err != nil {
			return SignedIn{}, err
		}
	default:
		password = ""
	}
	if password != "" {
		if hash, err = hashPassword(ctx, password); err != nil {
			return SignedIn{}, err
		}
	}
	var in SignedIn
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		l, err := s.link(ctx, tx, token)
		if err != nil {
			return err
		}
		if err := s.stands(ctx, tx, l); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, queries.Get("delete_link"), hashToken(token))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Newf(fault.NotFound, "this link was used already, or is too old: ask for another")
		}
		switch l.Kind {
		case Invitation:
			in, err = s.accept(ctx, tx, l, name, hash, who, at)
		case Reset:
			err = s.reset(ctx, tx, l, hash, at)
		case SignInLink:
			var a Account
			if a, err = s.account(ctx, tx, "account_by_id", l.Account); err != nil {
				return err
			}
			if a.Disabled {
				return fault.Newf(fault.Forbidden, "this account is disabled: run moatmetrics users enable first")
			}
			in, err = s.begin(ctx, tx, l.Account, l.Tenant, at, "link")
		}
		return err
	})
	return in, wrap("link", err)
}

// stands refuses a link whose giver could not give it now: somebody who lost the right, was
// disabled or taken out must not come back, or become somebody else, by a link made before. So
// does a link to set a new password when the account has joined another tenant since. Links of
// the command line stand.
func (s *Service) stands(ctx context.Context, tx *metadb.Tx, l Link) error {
	if !strings.HasPrefix(string(l.Actor), "user:") {
		return nil
	}
	giver, err := s.scopeOf(ctx, tx, l.Tenant, l.Actor, "")
	if err == nil {
		err = giver.Need(AccountsManage)
	}
	switch {
	case err != nil:
	case l.Kind == Invitation:
		err = s.mayGive(ctx, giver, Standing{Role: l.Role, Clients: l.Clients, Teams: l.Teams})
	default:
		_, _, err = s.manage(ctx, tx, giver, l.Account, true)
	}
	if k := fault.KindOf(err); k == fault.Forbidden || k == fault.NotFound || k == fault.Invalid {
		return fault.Newf(fault.Conflict, "whoever gave you this link may not do so any more: ask for another")
	}
	return err
}

func (s *Service) accept(ctx context.Context, tx *metadb.Tx, l Link, name, hash string, who Who, at Place) (SignedIn, error) {
	id := who.Account
	if l.Known {
		a, err := s.account(ctx, tx, "account_by_email", l.emailHash)
		if err != nil {
			return SignedIn{}, err
		}
		if a.ID != who.Account || who.Session == "" {
			return SignedIn{}, fault.Newf(fault.Conflict, "there is an account of %s already: sign in with it, then open this link again", l.Email)
		}
	} else {
		if hash == "" {
			return SignedIn{}, fault.Newf(fault.Conflict, "the account is not there any more: open the link again")
		}
		var err error
		if id, err = s.admit(ctx, tx, l, name, hash); err != nil {
			return SignedIn{}, err
		}
	}
	if err := s.putMembership(ctx, tx, Membership{Account: id, Tenant: l.Tenant, Role: l.Role, Clients: l.Clients, Teams: l.Teams}); err != nil {
		return SignedIn{}, err
	}
	if err := s.record(ctx, actor(id, l.Tenant, at), tx, "account.join", "account", id, map[string]any{"role": l.Role, "invitation": l.ID, "invited_by": string(l.Actor)}); err != nil {
		return SignedIn{}, err
	}
	if l.Known {
		return SignedIn{Account: id}, nil
	}
	return s.begin(ctx, tx, id, l.Tenant, at, "invitation")
}

// admit makes the account of an invitation. One that belongs to no tenant any more begins
// anew, with nothing of how it signed in before.
func (s *Service) admit(ctx context.Context, tx *metadb.Tx, l Link, name, hash string) (string, error) {
	a, err := s.account(ctx, tx, "account_by_email", l.emailHash)
	if errors.Is(err, metadb.ErrNoRow) {
		return s.insertAccount(ctx, tx, l.Email, name, hash)
	}
	if err != nil {
		return "", err
	}
	sealed, err := s.seal(ctx, nameColumn, name, a.ID)
	if err != nil {
		return "", err
	}
	if err := s.forgetFactors(ctx, tx, a.ID); err != nil {
		return "", err
	}
	for query, args := range map[string][]any{
		"set_password": {a.ID, hash, metadb.Now(s.now())},
		"set_name":     {a.ID, sealed},
		"set_disabled": {a.ID, int64(0)},
	} {
		if _, err := tx.Exec(ctx, queries.Get(query), args...); err != nil {
			return "", err
		}
	}
	return a.ID, nil
}

func (s *Service) checkReset(ctx context.Context, l Link, password string) error {
	var a Account
	if err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		a, err = s.account(ctx, tx, "account_by_id", l.Account)
		return err
	}); err != nil {
		return wrap("reset", err)
	}
	if err := CheckPassword(password, a.Email, a.Name); err != nil {
		return fault.WithFields("this password is not good enough", fault.Field{Path: "password", Message: fault.Message(err)})
	}
	return nil
}

func (s *Service) reset(ctx context.Context, tx *metadb.Tx, l Link, hash string, at Place) error {
	if _, err := tx.Exec(ctx, queries.Get("set_password"), l.Account, hash, metadb.Now(s.now())); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, queries.Get("delete_sessions"), l.Account, ""); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, queries.Get("delete_links_of"), l.Account); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, queries.Get("forget_failure"), s.triesOf(l.Email, at).account); err != nil {
		return err
	}
	return s.record(ctx, actor(l.Account, l.Tenant, at), tx, "account.password", "account", l.Account, map[string]string{"how": "reset link", "given_by": string(l.Actor)})
}

// LinkPath is where a link is opened. The token stands behind #: browsers send that to no
// server, so that it is in no log.
func LinkPath(token string) string { return "/welcome#" + token }
