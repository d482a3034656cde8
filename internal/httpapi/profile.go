package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

type profileAnswer struct {
	Account       string          `json:"account"`
	Name          string          `json:"name"`
	Email         string          `json:"email"`
	Role          string          `json:"role"`
	Tenant        string          `json:"tenant"`
	Tenants       []string        `json:"tenants"`
	Password      bool            `json:"password" doc:"whether there is one"`
	PasswordAt    string          `json:"password_at,omitempty" format:"date-time"`
	TOTP          bool            `json:"totp" doc:"whether a code is asked for at sign-in"`
	RecoveryCodes int             `json:"recovery_codes" doc:"unused ones"`
	Passkeys      []passkeyAnswer `json:"passkeys"`
	Confirmed     bool            `json:"confirmed" doc:"whether the ways to sign in may be changed without the password"`
}

type passkeyAnswer struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Host      string `json:"host" doc:"address of this server that it works at"`
	CreatedAt string `json:"created_at" format:"date-time"`
	UsedAt    string `json:"used_at,omitempty" format:"date-time"`
}

type deviceAnswer struct {
	ID        string `json:"id"`
	Device    string `json:"device"`
	Address   string `json:"address"`
	CreatedAt string `json:"created_at" format:"date-time"`
	SeenAt    string `json:"seen_at" format:"date-time"`
	Current   bool   `json:"current" doc:"the one that asks"`
}

type keyAnswer struct {
	ID        string          `json:"id"`
	Account   string          `json:"account"`
	Shown     string          `json:"shown" doc:"how it begins"`
	Name      string          `json:"name"`
	Actions   []tenant.Action `json:"actions"`
	CreatedAt string          `json:"created_at" format:"date-time"`
	ExpiresAt string          `json:"expires_at" format:"date-time"`
	Expired   bool            `json:"expired"`
	UsedAt    string          `json:"used_at,omitempty" format:"date-time"`
	UsedFrom  string          `json:"used_from,omitempty"`
}

type newKeyAnswer struct {
	Key string    `json:"key" doc:"shown this once"`
	Is  keyAnswer `json:"is"`
}

type codesAnswer struct {
	Codes []string `json:"codes" doc:"shown this once; each works once"`
}

type enrollmentAnswer struct {
	Key       string `json:"key" doc:"to type into the authenticator app"`
	URI       string `json:"uri"`
	Picture   string `json:"picture" doc:"the same to scan: a data address of a PNG"`
	Challenge string `json:"challenge"`
}

type nameBody struct {
	Name string `json:"name" maxLength:"120"`
}

type passwordBody struct {
	Password string `json:"password" maxLength:"1024"`
}

type newPasswordBody struct {
	Old string `json:"old,omitempty" maxLength:"1024" doc:"left out by those who have none"`
	New string `json:"new" maxLength:"1024"`
}

type tenantBody struct {
	Tenant string `json:"tenant" maxLength:"40"`
}

type keyBody struct {
	Name    string   `json:"name" maxLength:"80"`
	Actions []string `json:"actions" maxItems:"40" doc:"what it may do; never more than its owner"`
	Days    int      `json:"days" minimum:"1" maximum:"365"`
}

// own registers a route of somebody's own account.
func own[I, O any](s *server, api huma.API, method, id, path, summary string, fn func(context.Context, access.Who, *I) (O, error)) {
	huma.Register(api, huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests}}, func(ctx context.Context, in *I) (*body[O], error) {
		who, err := s.who(ctx)
		if err != nil {
			return nil, problemOf(err)
		}
		out, err := fn(ctx, who, in)
		if err != nil {
			return nil, failed(err)
		}
		return &body[O]{out}, nil
	})
}

// ownAct is own for what answers 204 without a body.
func ownAct[I any](s *server, api huma.API, method, id, path, summary string, fn func(context.Context, access.Who, *I) error) {
	huma.Register(api, huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests}}, func(ctx context.Context, in *I) (*struct{}, error) {
		who, err := s.who(ctx)
		if err == nil {
			err = fn(ctx, who, in)
		}
		if err != nil {
			return nil, failed(err)
		}
		return nil, nil
	})
}

func (s *server) profileRoutes(api huma.API) {
	own(s, api, http.MethodGet, "get-profile", "/profile", "One's own account", s.profile)
	ownAct(s, api, http.MethodPut, "rename-self", "/profile/name", "Set one's own name", func(ctx context.Context, who access.Who, in *struct{ Body nameBody }) error {
		return s.Access.Rename(ctx, who, in.Body.Name)
	})
	ownAct(s, api, http.MethodPost, "confirm-self", "/session/confirm", "Give the password again, to change how one signs in", func(ctx context.Context, who access.Who, in *struct{ Body passwordBody }) error {
		return s.Access.Confirm(ctx, who, in.Body.Password, visitOf(ctx).place)
	})
	ownAct(s, api, http.MethodPut, "switch-tenant", "/session/tenant", "Show another of one's tenants", func(ctx context.Context, who access.Who, in *struct{ Body tenantBody }) error {
		return s.Access.Switch(ctx, who, tenant.Slug(in.Body.Tenant))
	})
	ownAct(s, api, http.MethodPut, "change-password", "/profile/password", "Set a new password; other sessions end", func(ctx context.Context, who access.Who, in *struct{ Body newPasswordBody }) error {
		return s.Access.ChangePassword(ctx, who, in.Body.Old, in.Body.New, visitOf(ctx).place)
	})
	own(s, api, http.MethodPost, "begin-totp", "/profile/totp/begin", "A secret for an authenticator app; nothing changes yet", func(ctx context.Context, who access.Who, _ *none) (enrollmentAnswer, error) {
		unkept(ctx)
		e, err := s.Access.BeginTOTP(ctx, who)
		return enrollmentAnswer(e), err
	})
	own(s, api, http.MethodPost, "enroll-totp", "/profile/totp", "Ask for codes from now on", func(ctx context.Context, who access.Who, in *struct{ Body factorBody }) (codesAnswer, error) {
		unkept(ctx)
		codes, err := s.Access.EnrollTOTP(ctx, who, in.Body.Challenge, in.Body.Code)
		return codesAnswer{orEmpty(codes)}, err
	})
	ownAct(s, api, http.MethodDelete, "drop-totp", "/profile/totp", "Ask for no codes any more", func(ctx context.Context, who access.Who, _ *none) error { return s.Access.DropTOTP(ctx, who) })
	own(s, api, http.MethodPost, "new-recovery-codes", "/profile/recovery-codes", "New recovery codes; those before end", func(ctx context.Context, who access.Who, _ *none) (codesAnswer, error) {
		unkept(ctx)
		codes, err := s.Access.NewRecoveryCodes(ctx, who)
		return codesAnswer{orEmpty(codes)}, err
	})
	own(s, api, http.MethodPost, "begin-passkey", "/profile/passkeys/begin", "What a browser needs to make a passkey", func(ctx context.Context, who access.Who, _ *none) (passkeyOptions, error) {
		unkept(ctx)
		return optionsOf(s.Access.BeginPasskey(ctx, who, visitOf(ctx).site))
	})
	own(s, api, http.MethodPost, "enroll-passkey", "/profile/passkeys", "Keep a passkey", func(ctx context.Context, who access.Who, in *struct{ Body passkeyBody }) (passkeyAnswer, error) {
		k, err := s.Access.EnrollPasskey(ctx, who, visitOf(ctx).site, in.Body.Challenge, in.Body.Name, in.Body.Answer)
		return passkeyOf(k), err
	})
	ownAct(s, api, http.MethodDelete, "drop-passkey", "/profile/passkeys/{id}", "Remove a passkey", func(ctx context.Context, who access.Who, in *IDPath) error {
		return s.Access.DropPasskey(ctx, who, in.ID)
	})
	own(s, api, http.MethodGet, "list-sessions", "/profile/sessions", "Where one is signed in, the last used first", func(ctx context.Context, who access.Who, _ *none) (page[deviceAnswer], error) {
		list, err := s.Access.Sessions(ctx, who)
		out := page[deviceAnswer]{Items: []deviceAnswer{}}
		for _, x := range list {
			out.Items = append(out.Items, deviceAnswer{x.ID, x.Device, x.Address, instantOf(x.CreatedAt), instantOf(x.SeenAt), x.ID == who.Session})
		}
		return out, err
	})
	ownAct(s, api, http.MethodDelete, "end-session", "/profile/sessions/{id}", "Sign out a device", func(ctx context.Context, who access.Who, in *IDPath) error {
		return s.Access.EndSession(ctx, who, in.ID)
	})
	ownAct(s, api, http.MethodDelete, "end-other-sessions", "/profile/sessions", "Sign out all other devices", func(ctx context.Context, who access.Who, _ *none) error { return s.Access.EndOtherSessions(ctx, who) })
	own(s, api, http.MethodGet, "list-own-keys", "/profile/keys", "One's own API keys", func(ctx context.Context, who access.Who, _ *none) (page[keyAnswer], error) {
		return keysOf(s.Access.Keys(ctx, who.Scope, who.Account))
	})
	own(s, api, http.MethodPost, "create-key", "/profile/keys", "Make an API key; it is shown once", func(ctx context.Context, who access.Who, in *struct{ Body keyBody }) (newKeyAnswer, error) {
		unkept(ctx)
		key, k, err := s.Access.CreateKey(ctx, who, newKeyOf(in.Body))
		return newKeyAnswer{key, keyOf(k)}, err
	})
	ownAct(s, api, http.MethodDelete, "end-own-key", "/profile/keys/{id}", "End one of one's own API keys", func(ctx context.Context, who access.Who, in *IDPath) error {
		return s.Access.DropKey(ctx, who.Scope, who.Account, in.ID)
	})
}

func (s *server) profile(ctx context.Context, who access.Who, _ *none) (profileAnswer, error) {
	p, err := s.Access.Profile(ctx, who)
	out := profileAnswer{Account: p.Account.ID, Name: p.Account.Name, Email: p.Account.Email, Role: p.Role, Tenant: string(p.Tenant), Tenants: []string{},
		Password: p.Account.Password, PasswordAt: instantOf(p.Account.PasswordAt), TOTP: p.Account.TOTP, RecoveryCodes: p.RecoveryCodes, Passkeys: []passkeyAnswer{}, Confirmed: who.Confirmed}
	for _, t := range p.Tenants {
		out.Tenants = append(out.Tenants, string(t))
	}
	for _, k := range p.Passkeys {
		out.Passkeys = append(out.Passkeys, passkeyOf(k))
	}
	return out, err
}

func passkeyOf(k access.Passkey) passkeyAnswer {
	return passkeyAnswer{k.ID, k.Name, k.Host, instantOf(k.CreatedAt), instantOf(k.UsedAt)}
}

func newKeyOf(b keyBody) access.NewKey {
	out := access.NewKey{Name: b.Name, Days: b.Days}
	for _, a := range b.Actions {
		out.Actions = append(out.Actions, tenant.Action(a))
	}
	return out
}

func keyOf(k access.Key) keyAnswer {
	if k.ID == "" {
		return keyAnswer{}
	}
	return keyAnswer{k.ID, k.Account, k.Shown(), k.Name, k.Actions, instantOf(k.CreatedAt), instantOf(k.ExpiresAt), !time.Now().Before(k.ExpiresAt), instantOf(k.UsedAt), k.UsedFrom}
}

func keysOf(list []access.Key, err error) (page[keyAnswer], error) {
	out := page[keyAnswer]{Items: []keyAnswer{}}
	for _, k := range list {
		out.Items = append(out.Items, keyOf(k))
	}
	return out, err
}

// instantOf writes a time; zero is "".
func instantOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
