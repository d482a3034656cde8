package access

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Bounds of API keys.
const (
	keyPrefix    = "mm_"
	maxKeyDays   = 365
	keysOfTenant = 200
)

// Key is an API key: a program uses it in the name of an account, for some of what that
// may do. The key itself is shown once.
type Key struct {
	ID        string
	Account   string
	Tenant    tenant.Slug
	Name      string
	Actions   []tenant.Action
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero: never
	UsedFrom  string
}

// Shown is the beginning of a key, enough to tell it from others.
func (k Key) Shown() string { return keyPrefix + k.ID[:8] + "…" }

func scanKey(scan func(...any) error) (Key, bool, error) {
	var k Key
	var slug, actions, created, expires, used string
	var disabled int64
	if err := scan(&k.ID, &k.Account, &slug, &k.Name, &actions, &created, &expires, &used, &k.UsedFrom, &disabled); err != nil {
		return k, false, err
	}
	k.Tenant, k.CreatedAt, k.ExpiresAt, k.UsedAt = tenant.Slug(slug), instant(created), instant(expires), instant(used)
	return k, disabled != 0, json.Unmarshal([]byte(actions), &k.Actions)
}

// NewKey is what is asked for when a key is made.
type NewKey struct {
	Name    string
	Actions []tenant.Action
	Days    int // until it ends: 1 to 365
}

// CreateKey makes a key of somebody's own and returns it, the one time that it is shown.
func (s *Service) CreateKey(ctx context.Context, who Who, in NewKey) (string, Key, error) {
	if err := confirmed(who); err != nil {
		return "", Key{}, err
	}
	return s.createKey(ctx, who.Scope, who.Account, in)
}

// CreateKeyFor makes a key of a member, for the machine's owner.
func (s *Service) CreateKeyFor(ctx context.Context, scope tenant.Scope, account string, in NewKey) (string, Key, error) {
	if scope.Rights != nil {
		return "", Key{}, fault.Newf(fault.Forbidden, "everybody makes their own keys, on their profile")
	}
	return s.createKey(ctx, scope, account, in)
}

func (s *Service) createKey(ctx context.Context, scope tenant.Scope, account string, in NewKey) (string, Key, error) {
	var wrong []fault.Field
	in.Name = strings.TrimSpace(metadb.Text(in.Name))
	if in.Name == "" || len(in.Name) > 80 {
		wrong = append(wrong, fault.Field{Path: "name", Message: "give a name of up to 80 letters that says what uses the key"})
	}
	if in.Days < 1 || in.Days > maxKeyDays {
		wrong = append(wrong, fault.Field{Path: "days", Message: "a key works for 1 to 365 days"})
	}
	slices.Sort(in.Actions)
	in.Actions = slices.Compact(in.Actions)
	known := allActions()
	for _, a := range in.Actions {
		if !slices.Contains(known, a) {
			wrong = append(wrong, fault.Field{Path: "actions", Message: "there is no action " + string(a)})
		}
	}
	if len(in.Actions) == 0 {
		wrong = append(wrong, fault.Field{Path: "actions", Message: "choose what the key may do"})
	}
	if wrong != nil {
		return "", Key{}, fault.WithFields("the key is not complete", wrong...)
	}
	id := newID()
	secretPart, _ := newToken()
	whole := keyPrefix + id + "_" + secretPart
	text, err := json.Marshal(in.Actions)
	if err != nil {
		return "", Key{}, err
	}
	k := Key{ID: id, Account: account, Tenant: scope.Tenant, Name: in.Name, Actions: in.Actions, CreatedAt: s.now(), ExpiresAt: s.now().AddDate(0, 0, in.Days)}
	err = s.change(ctx, scope, "key.create", "key", id, map[string]any{"account": account, "actions": in.Actions, "days": in.Days}, func(tx *metadb.Tx) error {
		m, err := s.membership(ctx, tx, account, scope.Tenant)
		if err != nil {
			return err
		}
		rights, err := s.grants(ctx, m)
		if err != nil {
			return err
		}
		for _, a := range in.Actions {
			if !rights.May(a) {
				return fault.WithFields("the key may not do more than its owner", fault.Field{Path: "actions", Message: "the role " + m.Role + " may not do this: " + string(a)})
			}
		}
		all, err := s.keys(ctx, tx, scope.Tenant)
		if err != nil {
			return err
		}
		if len(all) >= keysOfTenant {
			return fault.Newf(fault.TooLarge, "%d keys are the most: remove those that nobody uses", keysOfTenant)
		}
		_, err = tx.Exec(ctx, queries.Get("insert_key"), id, hashToken(whole), account, in.Name, string(text), metadb.Now(k.CreatedAt), metadb.Now(k.ExpiresAt), string(scope.Tenant))
		return err
	})
	return whole, k, err
}

// Keys lists the keys of an account in the scope's tenant, the newest first; "" lists
// everybody's.
func (s *Service) Keys(ctx context.Context, scope tenant.Scope, account string) ([]Key, error) {
	var all []Key
	err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		all, err = s.keys(ctx, tx, scope.Tenant)
		return err
	})
	if account != "" {
		all = slices.DeleteFunc(all, func(k Key) bool { return k.Account != account })
	}
	return all, wrap("keys", err)
}

func (s *Service) keys(ctx context.Context, tx *metadb.Tx, in tenant.Slug) ([]Key, error) {
	rows, err := tx.Query(ctx, queries.Get("keys"), string(in))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Key
	for rows.Next() {
		k, _, err := scanKey(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

// DropKey ends a key of an account, or with "" anybody's in the tenant.
func (s *Service) DropKey(ctx context.Context, scope tenant.Scope, account, id string) error {
	return s.change(ctx, scope, "key.end", "key", id, nil, func(tx *metadb.Tx) error {
		all, err := s.keys(ctx, tx, scope.Tenant)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(k Key) bool { return k.ID == id && (account == "" || k.Account == account) }) {
			return fault.Newf(fault.NotFound, "there is no key %s", id)
		}
		_, err = tx.Exec(ctx, queries.Get("delete_key"), id, string(scope.Tenant))
		return err
	})
}

// RecognizeKey returns who uses a key. Ended and old ones, and those of disabled accounts,
// are Unauthenticated. The rights are those of the account now, narrowed to the key's.
func (s *Service) RecognizeKey(ctx context.Context, key string, at Place) (Who, error) {
	now := s.now()
	var k Key
	var m Membership
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		var disabled bool
		var err error
		k, disabled, err = scanKey(func(dest ...any) error { return tx.One(ctx, queries.Get("key"), []any{hashToken(key)}, dest...) })
		if err != nil {
			return err
		}
		if disabled || !now.Before(k.ExpiresAt) {
			return metadb.ErrNoRow
		}
		m, err = s.membership(ctx, tx, k.Account, k.Tenant)
		return err
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return Who{}, fault.Newf(fault.Unauthenticated, "this API key is not known, or is over: make another on your profile")
	}
	if err != nil {
		return Who{}, wrap("key", err)
	}
	if now.Sub(k.UsedAt) >= touchEvery || k.UsedFrom != at.Address {
		if err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
			_, err := tx.Exec(ctx, queries.Get("touch_key"), k.ID, metadb.Now(now), at.Address)
			return err
		}); err != nil {
			return Who{}, wrap("key", err)
		}
	}
	scope := actor(k.Account, k.Tenant, Place{Address: at.Address, Device: "key " + k.Name})
	rights, err := s.grants(ctx, m)
	if err != nil {
		return Who{}, wrap("key", err)
	}
	scope.Rights = narrowed(rights, k.Actions)
	return Who{Scope: scope, Account: k.Account, Key: k.ID}, nil
}

// narrowed are rights with only some of their actions.
func narrowed(r *tenant.Rights, to []tenant.Action) *tenant.Rights {
	out := tenant.Rights{Role: "API key"}
	if r != nil {
		out = *r
	}
	out.Actions = slices.DeleteFunc(slices.Clone(to), func(a tenant.Action) bool { return !r.May(a) })
	return &out
}
