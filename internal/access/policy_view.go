package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// View is a look at the product as a role, by somebody who has more. It only ever narrows, and
// nothing is changed during it.
type View struct {
	Role  string    `json:"role"`
	Until time.Time `json:"until"`
	Limits
}

// viewFor is how long a look lasts.
const viewFor = time.Hour

// maxView is the longest token, bytes: browsers keep cookies of 4 kB.
const maxView = 3500

// viewToken is a View with whom it is for, as it is signed.
type viewToken struct {
	Tenant tenant.Slug  `json:"t"`
	Actor  tenant.Actor `json:"a"`
	View
}

// BeginView returns a signed token for a look as a role, for whoever may change policies. It is
// of use to the same actor in the same tenant only, and audited.
func (p *Policies) BeginView(ctx context.Context, scope tenant.Scope, role string, l Limits) (token string, v View, err error) {
	if err := scope.Need(PoliciesManage); err != nil {
		return "", v, err
	}
	if _, err := p.Rights(ctx, scope.Tenant, role, l); err != nil {
		return "", v, err
	}
	now := p.now()
	v = View{role, now.Add(viewFor).UTC().Truncate(time.Second), Limits{named(l.Clients), named(l.Teams)}}
	key, err := p.viewKey(ctx, scope, func(tx *metadb.Tx) error {
		_, err := p.log.Append(ctx, scope, tx, audit.Event{Action: "policy.view_as", Subject: audit.Subject{Kind: "role", ID: role}, Detail: map[string]any{"clients": len(l.Clients), "teams": len(l.Teams), "until": metadb.Now(v.Until)}})
		return err
	})
	if err != nil {
		return "", v, fmt.Errorf("view as %s: %w", role, err)
	}
	body, err := json.Marshal(viewToken{scope.Tenant, scope.Actor, v})
	if err != nil {
		return "", v, err
	}
	token = base64.RawURLEncoding.EncodeToString(body) + "." + base64.RawURLEncoding.EncodeToString(sign(key, body))
	if len(token) > maxView {
		return "", v, fault.Newf(fault.Invalid, "these are too many clients and teams for a look: name fewer")
	}
	return token, v, nil
}

// EndView records that a look is over; the caller drops the token.
func (p *Policies) EndView(ctx context.Context, scope tenant.Scope) error {
	role := Owner // of this machine
	if scope.Rights != nil {
		role = scope.Rights.Role
	}
	return p.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := p.log.Append(ctx, scope, tx, audit.Event{Action: "policy.view_end", Subject: audit.Subject{Kind: "role", ID: role}})
		return err
	})
}

// Look narrows a scope to the look that a token stands for. A token that is forged, over, or of
// somebody else changes nothing, and looking is nil.
func (p *Policies) Look(ctx context.Context, scope tenant.Scope, token string) (narrowed tenant.Scope, looking *View, err error) {
	h, err := p.holding(ctx, scope.Tenant)
	if err != nil {
		return scope, nil, err
	}
	left, right, _ := strings.Cut(token, ".")
	body, err1 := base64.RawURLEncoding.DecodeString(left)
	mac, err2 := base64.RawURLEncoding.DecodeString(right)
	if err1 != nil || err2 != nil || h.viewKey == "" || len(token) > maxView || !hmac.Equal(mac, sign(h.viewKey, body)) {
		return scope, nil, nil
	}
	var v viewToken
	if json.Unmarshal(body, &v) != nil || v.Tenant != scope.Tenant || v.Actor != scope.Actor || !p.now().Before(v.Until) {
		return scope, nil, nil
	}
	as, err := p.Rights(ctx, scope.Tenant, v.Role, v.Limits)
	if fault.KindOf(err) == fault.Forbidden {
		// The role went meanwhile: nothing is shown, and the look can still be ended.
		as, err = &tenant.Rights{Role: v.Role, Clients: []string{}, Teams: []string{}, Hidden: inOrder(tenant.Classes), Actions: []tenant.Action{SelfManage}}, nil
	}
	if err != nil {
		return scope, nil, err
	}
	scope.Rights = narrow(scope.Rights, as)
	return scope, &v.View, nil
}

func sign(key string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("view as\x00"))
	mac.Write(body)
	return mac.Sum(nil)
}

// viewKey returns the key of a tenant's looks, which is made on the first one, and runs beside
// in the same transaction. Whoever reads the key can only narrow what he sees with it.
func (p *Policies) viewKey(ctx context.Context, scope tenant.Scope, beside func(*metadb.Tx) error) (key string, err error) {
	err = p.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), p.now())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, policyQueries.Get("begin_policy_head"), t, newViewKey()); err != nil {
			return err
		}
		var version int64
		if err := tx.One(ctx, policyQueries.Get("get_policy_head"), []any{string(scope.Tenant)}, &version, &key); err != nil {
			return err
		}
		return beside(tx)
	})
	p.forget(scope.Tenant)
	return key, err
}

// narrow returns what both may see and do, under the second one's name.
func narrow(own, as *tenant.Rights) *tenant.Rights {
	if own == nil {
		return as
	}
	out := &tenant.Rights{Role: as.Role, Clients: both(own.Clients, as.Clients), Teams: both(own.Teams, as.Teams), Hidden: inOrder(slices.Concat(own.Hidden, as.Hidden)), Actions: []tenant.Action{}}
	for _, a := range as.Actions {
		if own.May(a) {
			out.Actions = append(out.Actions, a)
		}
	}
	return out
}

// both are the names in two lists, of which nil is all.
func both(a, b []string) []string {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	out := []string{}
	for _, n := range a {
		if slices.Contains(b, n) {
			out = append(out, n)
		}
	}
	return out
}

// Narrowed returns what a role with limits may see and do of what the actor may: what a look
// would show.
func (p *Policies) Narrowed(ctx context.Context, scope tenant.Scope, role string, l Limits) (*tenant.Rights, error) {
	as, err := p.Rights(ctx, scope.Tenant, role, l)
	if err != nil {
		return nil, err
	}
	return narrow(scope.Rights, as), nil
}
