package access

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// confirmedFor is how long after a password or passkey was given the ways to sign in may be
// changed without giving it again.
const confirmedFor = 15 * time.Minute

// touchEvery is how exact the time of the last use is.
const touchEvery = time.Minute

// Who is somebody recognized: a person at a browser, or a program with a person's key.
type Who struct {
	Scope     tenant.Scope
	Account   string
	Session   string // id; "" of a key
	Key       string // id; "" of a session
	Confirmed bool   // whether it was shown lately who it is
}

// Session is a browser that somebody is signed in with.
type Session struct {
	ID          string
	Account     string
	Tenant      tenant.Slug
	Device      string
	Address     string
	CreatedAt   time.Time
	SeenAt      time.Time
	ConfirmedAt time.Time
}

func (s *Service) scanSession(scan func(...any) error) (Session, bool, error) {
	var x Session
	var slug, created, seen, confirmed string
	var disabled int64
	err := scan(&x.ID, &x.Account, &slug, &x.Device, &x.Address, &created, &seen, &confirmed, &disabled)
	x.Tenant, x.CreatedAt, x.SeenAt, x.ConfirmedAt = tenant.Slug(slug), instant(created), instant(seen), instant(confirmed)
	return x, disabled != 0, err
}

func errSignedOut() error {
	return fault.Newf(fault.Unauthenticated, "sign in first")
}

// Recognize returns who holds a session's token. Ended, idle and old sessions, disabled
// accounts and those without a role in the tenant are Unauthenticated.
func (s *Service) Recognize(ctx context.Context, token string, at Place) (Who, error) {
	hash := hashToken(token)
	now := s.now()
	var x Session
	var m Membership
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		var disabled bool
		var err error
		x, disabled, err = s.scanSession(func(dest ...any) error { return tx.One(ctx, queries.Get("session"), []any{hash}, dest...) })
		if err != nil {
			return err
		}
		if disabled || now.Sub(x.SeenAt) >= s.opt.Idle || now.Sub(x.CreatedAt) >= s.opt.Absolute {
			return errSignedOut()
		}
		m, err = s.membership(ctx, tx, x.Account, x.Tenant)
		return err
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return Who{}, errSignedOut()
	}
	if err != nil {
		return Who{}, wrap("session", err)
	}
	if !at.Unattended && (now.Sub(x.SeenAt) >= touchEvery || x.Address != at.Address) {
		if err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
			if _, err := tx.Exec(ctx, queries.Get("touch_session"), hash, metadb.Now(now), at.Address); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, queries.Get("set_seen"), x.Account, metadb.Now(now))
			return err
		}); err != nil {
			return Who{}, wrap("session", err)
		}
	}
	scope := actor(x.Account, x.Tenant, Place{Address: at.Address, Device: x.Device})
	if scope.Rights, err = s.grants(ctx, m); err != nil {
		return Who{}, wrap("session", err)
	}
	return Who{Scope: scope, Account: x.Account, Session: x.ID, Confirmed: now.Sub(x.ConfirmedAt) < confirmedFor}, nil
}

// SignOut ends the session of a token; an unknown one is no error.
func (s *Service) SignOut(ctx context.Context, token string, at Place) error {
	hash := hashToken(token)
	return wrap("sign out", s.db.Transact(ctx, func(tx *metadb.Tx) error {
		x, _, err := s.scanSession(func(dest ...any) error { return tx.One(ctx, queries.Get("session"), []any{hash}, dest...) })
		if errors.Is(err, metadb.ErrNoRow) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("delete_session_by_hash"), hash); err != nil {
			return err
		}
		return s.record(ctx, actor(x.Account, x.Tenant, at), tx, "session.end", "account", x.Account, map[string]string{"session": x.ID})
	}))
}

// Profile is what somebody sees of their own account.
type Profile struct {
	Account       Account
	Role          string
	Tenant        tenant.Slug
	Tenants       []tenant.Slug
	Passkeys      []Passkey
	RecoveryCodes int // left
}

// Profile returns somebody's own account.
func (s *Service) Profile(ctx context.Context, who Who) (Profile, error) {
	var p Profile
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		var err error
		if p.Account, err = s.account(ctx, tx, "account_by_id", who.Account); err != nil {
			return err
		}
		all, err := s.memberships(ctx, tx, who.Account)
		if err != nil {
			return err
		}
		p.Tenant, p.Tenants = who.Scope.Tenant, nil
		for _, m := range all {
			p.Tenants = append(p.Tenants, m.Tenant)
			if m.Tenant == p.Tenant {
				p.Role = m.Role
			}
		}
		if p.Passkeys, err = s.passkeys(ctx, tx, who.Account); err != nil {
			return err
		}
		var n int64
		err = tx.One(ctx, queries.Get("count_recovery_codes"), []any{who.Account}, &n)
		p.RecoveryCodes = int(n)
		return err
	})
	return p, wrap("profile", err)
}

// Rename sets somebody's own name.
func (s *Service) Rename(ctx context.Context, who Who, name string) error {
	_, name, err := person("somebody@example.com", name, nil)
	if err != nil {
		return err
	}
	sealed, err := s.seal(ctx, nameColumn, name, who.Account)
	if err != nil {
		return err
	}
	return s.change(ctx, who.Scope, "account.rename", "account", who.Account, nil, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("set_name"), who.Account, sealed)
		return err
	})
}

// Sessions lists somebody's own sessions, the last used first.
func (s *Service) Sessions(ctx context.Context, who Who) ([]Session, error) {
	var out []Session
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		idle, oldest := s.limits()
		rows, err := tx.Query(ctx, queries.Get("sessions"), who.Account, idle, oldest)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			x, _, err := s.scanSession(rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, x)
		}
		return rows.Err()
	})
	return out, wrap("sessions", err)
}

// limits are the instants after which a session must have been used, and begun.
func (s *Service) limits() (idle, oldest string) {
	return metadb.Now(s.now().Add(-s.opt.Idle)), metadb.Now(s.now().Add(-s.opt.Absolute))
}

// EndSession ends one of somebody's own sessions.
func (s *Service) EndSession(ctx context.Context, who Who, id string) error {
	return s.change(ctx, who.Scope, "session.end", "account", who.Account, map[string]string{"session": id}, func(tx *metadb.Tx) error {
		return oneRow("session", id)(tx.Exec(ctx, queries.Get("delete_session"), who.Account, metadb.Text(id)))
	})
}

// EndOtherSessions ends all of somebody's own sessions but the one that asks.
func (s *Service) EndOtherSessions(ctx context.Context, who Who) error {
	return s.change(ctx, who.Scope, "session.end_others", "account", who.Account, nil, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("delete_sessions"), who.Account, who.Session)
		return err
	})
}

// Switch makes another of somebody's tenants the one that the session shows.
func (s *Service) Switch(ctx context.Context, who Who, to tenant.Slug) error {
	if who.Session == "" {
		return fault.Newf(fault.Forbidden, "an API key belongs to one tenant: make another key there")
	}
	scope := who.Scope
	scope.Tenant = to
	if err := scope.Check(); err != nil {
		return err
	}
	return s.change(ctx, scope, "session.switch", "account", who.Account, map[string]string{"session": who.Session}, func(tx *metadb.Tx) error {
		all, err := s.memberships(ctx, tx, who.Account)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(m Membership) bool { return m.Tenant == to }) {
			return fault.Newf(fault.NotFound, "there is no tenant %q that you belong to", to)
		}
		_, err = tx.Exec(ctx, queries.Get("move_session"), who.Session, string(to))
		return err
	})
}

// Confirm takes somebody's password again, so that they may change how they sign in.
func (s *Service) Confirm(ctx context.Context, who Who, password string, at Place) error {
	if err := s.checkOwn(ctx, who, password, at); err != nil {
		return err
	}
	return s.change(ctx, who.Scope, "session.confirm", "account", who.Account, map[string]string{"session": who.Session}, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("confirm_session"), who.Session, metadb.Now(s.now()))
		return err
	})
}

// checkOwn compares a password with somebody's own, counted like a sign-in.
func (s *Service) checkOwn(ctx context.Context, who Who, password string, at Place) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	var a Account
	if err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		a, err = s.account(ctx, tx, "account_by_id", who.Account)
		return err
	}); err != nil {
		return wrap("account", err)
	}
	var of tries
	if err := s.db.Transact(ctx, func(tx *metadb.Tx) (err error) {
		of, err = s.try(ctx, tx, a.Email, at)
		return err
	}); err != nil {
		return wrap("password", err)
	}
	same, err := samePassword(ctx, a.hash, password)
	if err != nil {
		return wrap("password", err)
	}
	if !same {
		return s.refused(ctx, a.ID, "password", at, fault.WithFields("the password is not right", fault.Field{Path: "password", Message: "this is not your password"}))
	}
	return wrap("password", s.db.Transact(ctx, func(tx *metadb.Tx) error { return s.succeeded(ctx, tx, of) }))
}

// ChangePassword sets somebody's own password, which they give first if they have one, and
// ends their other sessions.
func (s *Service) ChangePassword(ctx context.Context, who Who, old, next string, at Place) error {
	if who.Session == "" {
		return errBrowser()
	}
	var a Account
	if err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		a, err = s.account(ctx, tx, "account_by_id", who.Account)
		return err
	}); err != nil {
		return wrap("account", err)
	}
	if a.Password {
		if err := s.checkOwn(ctx, who, old, at); err != nil {
			return err
		}
	} else if err := confirmed(who); err != nil {
		return err
	}
	if err := CheckPassword(next, a.Email, a.Name); err != nil {
		return fault.WithFields("this password is not good enough", fault.Field{Path: "new", Message: fault.Message(err)})
	}
	hash, err := hashPassword(ctx, next)
	if err != nil {
		return err
	}
	return s.change(ctx, who.Scope, "account.password", "account", who.Account, nil, func(tx *metadb.Tx) error {
		if _, err := tx.Exec(ctx, queries.Get("set_password"), who.Account, hash, metadb.Now(s.now())); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("delete_links_of"), who.Account); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, queries.Get("delete_sessions"), who.Account, who.Session)
		return err
	})
}

// confirmed refuses unless it was shown lately who asks: a browser left open, or a key,
// must not be enough to change how somebody signs in.
func confirmed(who Who) error {
	if who.Session == "" {
		return errBrowser()
	}
	if !who.Confirmed {
		return fault.Newf(fault.Forbidden, "show first that it is you: give your password again, or sign in anew")
	}
	return nil
}

func errBrowser() error {
	return fault.Newf(fault.Forbidden, "an API key cannot do this: sign in with a browser")
}

// change runs fn and records what it did in the same transaction.
func (s *Service) change(ctx context.Context, scope tenant.Scope, action, kind, id string, detail any, fn func(tx *metadb.Tx) error) error {
	return wrap(action, s.db.Transact(ctx, func(tx *metadb.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return s.record(ctx, scope, tx, action, kind, id, detail)
	}))
}

// oneRow makes touching no row a NotFound.
func oneRow(what, id string) func(int64, error) error {
	return func(n int64, err error) error {
		if err == nil && n == 0 {
			err = fault.Newf(fault.NotFound, "there is no %s %s", what, id)
		}
		return err
	}
}

// Tidy removes what is over: sessions, links, counts of failures and spent challenges.
func (s *Service) Tidy(ctx context.Context) error {
	now := s.now()
	idle, oldest := s.limits()
	return wrap("tidying accounts", s.db.Transact(ctx, func(tx *metadb.Tx) error {
		for query, args := range map[string][]any{
			"delete_old_sessions": {idle, oldest},
			"delete_old_links":    {metadb.Now(now)},
			"delete_old_failures": {metadb.Now(now.Add(-forgetAfter))},
			"delete_old_tokens":   {metadb.Now(now)},
		} {
			if _, err := tx.Exec(ctx, queries.Get(query), args...); err != nil {
				return err
			}
		}
		return nil
	}))
}
