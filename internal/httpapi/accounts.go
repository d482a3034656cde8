package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// sessionAnswer is who asks, and what the app may offer them.
type sessionAnswer struct {
	Accounts  bool            `json:"accounts" doc:"false: nobody signs in yet, and this machine only is answered"`
	SignedIn  bool            `json:"signed_in"`
	Account   string          `json:"account,omitempty" doc:"id"`
	Name      string          `json:"name,omitempty"`
	Email     string          `json:"email,omitempty"`
	Role      string          `json:"role,omitempty"`
	Tenant    string          `json:"tenant,omitempty"`
	Tenants   []string        `json:"tenants,omitempty" doc:"to switch to"`
	Actions   []tenant.Action `json:"actions" doc:"what may be done; the app offers nothing else"`
	Hidden    []tenant.Class  `json:"hidden" doc:"kinds of figures that are not shown"`
	Confirmed bool            `json:"confirmed" doc:"whether the ways to sign in may be changed without the password"`
}

// stepAnswer is what comes of a step of signing in.
type stepAnswer struct {
	SignedIn  bool   `json:"signed_in"`
	Challenge string `json:"challenge,omitempty" doc:"a code is asked for: send it with this"`
}

// signedIn is a step's answer with its cookie.
type signedIn struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      stepAnswer
}

type signedOut struct {
	SetCookie []string `header:"Set-Cookie"`
}

// passkeyOptions are what the browser's credential functions take as they are.
type passkeyOptions struct {
	Options   json.RawMessage `json:"options"`
	Challenge string          `json:"challenge"`
}

type personBody struct {
	Email    string `json:"email" maxLength:"254" format:"email"`
	Name     string `json:"name" maxLength:"120"`
	Password string `json:"password" maxLength:"1024"`
}

type signInBody struct {
	Email    string `json:"email" maxLength:"254"`
	Password string `json:"password" maxLength:"1024"`
}

type factorBody struct {
	Challenge string `json:"challenge" maxLength:"2000"`
	Code      string `json:"code" maxLength:"40" doc:"six figures of the authenticator app, or a recovery code"`
}

type passkeyBody struct {
	Challenge string          `json:"challenge" maxLength:"4000"`
	Answer    json.RawMessage `json:"answer" doc:"the credential that the browser returned, as JSON"`
	Name      string          `json:"name,omitempty" maxLength:"80" doc:"of a new passkey"`
}

type linkBody struct {
	Token string `json:"token" maxLength:"100"`
}

type useLinkBody struct {
	Token    string `json:"token" maxLength:"100"`
	Name     string `json:"name,omitempty" maxLength:"120"`
	Password string `json:"password,omitempty" maxLength:"1024"`
}

type linkInfo struct {
	Kind      string `json:"kind" enum:"invitation,reset,sign_in"`
	Email     string `json:"email"`
	Tenant    string `json:"tenant"`
	Role      string `json:"role,omitempty"`
	Known     bool   `json:"known" doc:"an invitation of somebody who has an account: it is used signed in"`
	ExpiresAt string `json:"expires_at" format:"date-time"`
}

func (s *server) accountRoutes(api huma.API) {
	get(api, "get-session", "/session", "Who asks, and what they may do", s.session)
	step(api, "set-up", "/set-up", "Make the first account, the owner's, and sign it in", func(ctx context.Context, in *struct{ Body personBody }) (*signedIn, error) {
		v := visitOf(ctx)
		done, err := s.Access.SetUp(ctx, in.Body.Email, in.Body.Name, in.Body.Password, v.place)
		return s.stepped(ctx, done, err)
	})
	step(api, "sign-in", "/session", "Sign in with address and password", func(ctx context.Context, in *struct{ Body signInBody }) (*signedIn, error) {
		v := visitOf(ctx)
		done, err := s.Access.SignIn(ctx, in.Body.Email, in.Body.Password, v.place)
		return s.stepped(ctx, done, err)
	})
	step(api, "sign-in-code", "/session/code", "End a sign-in with a code", func(ctx context.Context, in *struct{ Body factorBody }) (*signedIn, error) {
		done, err := s.Access.SecondFactor(ctx, in.Body.Challenge, in.Body.Code, visitOf(ctx).place)
		return s.stepped(ctx, done, err)
	})
	post(api, "begin-passkey-sign-in", "/session/passkey/begin", "What a browser needs to sign in with a passkey", func(ctx context.Context, _ *none) (passkeyOptions, error) {
		return optionsOf(s.Access.BeginPasskeySignIn(ctx, visitOf(ctx).site))
	})
	step(api, "sign-in-passkey", "/session/passkey", "Sign in with a passkey", func(ctx context.Context, in *struct{ Body passkeyBody }) (*signedIn, error) {
		v := visitOf(ctx)
		done, err := s.Access.PasskeySignIn(ctx, v.place, v.site, in.Body.Challenge, in.Body.Answer)
		return s.stepped(ctx, done, err)
	})
	huma.Register(api, huma.Operation{OperationID: "sign-out", Method: http.MethodDelete, Path: "/api/v1/session", Summary: "Sign out", DefaultStatus: http.StatusNoContent}, func(ctx context.Context, _ *none) (*signedOut, error) {
		v := visitOf(ctx)
		if v.token != "" {
			if err := s.Access.SignOut(ctx, v.token, v.place); err != nil {
				return nil, problemOf(err)
			}
		}
		return &signedOut{v.cookie("")}, nil
	})
	post(api, "look-at-link", "/access-links/look", "What an invitation, reset or sign-in link is for, without using it", func(ctx context.Context, in *struct{ Body linkBody }) (linkInfo, error) {
		l, err := s.Access.Look(ctx, in.Body.Token)
		return linkInfo{string(l.Kind), l.Email, string(l.Tenant), l.Role, l.Known, instantOf(l.ExpiresAt)}, err
	})
	step(api, "use-link", "/access-links/use", "Accept an invitation, set a new password, or sign in, by a link that works once", func(ctx context.Context, in *struct{ Body useLinkBody }) (*signedIn, error) {
		v := visitOf(ctx)
		done, err := s.Access.Use(ctx, in.Body.Token, in.Body.Name, in.Body.Password, v.who, v.place)
		return s.stepped(ctx, done, err)
	})
	s.profileRoutes(api)
	s.userRoutes(api)
}

// step registers a step of signing in, which may set the cookie.
func step[I any](api huma.API, id, path, summary string, fn func(context.Context, *I) (*signedIn, error)) {
	huma.Register(api, huma.Operation{OperationID: id, Method: http.MethodPost, Path: "/api/v1" + path, Summary: summary,
		Errors: []int{http.StatusUnauthorized, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests}}, fn)
}

// stepped answers a step. A new session ends the one that the browser had.
func (s *server) stepped(ctx context.Context, done access.SignedIn, err error) (*signedIn, error) {
	if err != nil {
		return nil, failed(err)
	}
	out := &signedIn{Body: stepAnswer{done.Token != "", done.Challenge}}
	if done.Token != "" {
		v := visitOf(ctx)
		if v.token != "" {
			if err := s.Access.SignOut(ctx, v.token, v.place); err != nil {
				return nil, problemOf(err)
			}
		}
		out.SetCookie = v.cookie(done.Token)
	}
	return out, nil
}

// failed is the problem of an error, with the time to wait in its header.
func failed(err error) error {
	var often access.TooOften
	if errors.As(err, &often) {
		return huma.ErrorWithHeaders(problemOf(err), http.Header{"Retry-After": {fmt.Sprint(often.Seconds())}})
	}
	return problemOf(err)
}

func optionsOf(options any, challenge string, err error) (passkeyOptions, error) {
	if err != nil {
		return passkeyOptions{}, err
	}
	text, err := json.Marshal(options)
	return passkeyOptions{text, challenge}, err
}

func (s *server) session(ctx context.Context, _ *none) (sessionAnswer, error) {
	scope := s.scope(ctx)
	out := sessionAnswer{Actions: []tenant.Action{}, Hidden: []tenant.Class{}}
	if s.Access != nil {
		has, err := s.Access.HasAccounts(ctx)
		if err != nil {
			return out, err
		}
		out.Accounts = has
	}
	if scope.Tenant == "" {
		return out, nil
	}
	out.SignedIn, out.Tenant = true, string(scope.Tenant)
	for _, a := range access.Actions {
		if scope.Rights.May(a.Action) {
			out.Actions = append(out.Actions, a.Action)
		}
	}
	if scope.Rights != nil {
		out.Hidden, out.Role = append(out.Hidden, scope.Rights.Hidden...), scope.Rights.Role
	}
	who := visitOf(ctx).who
	if who.Account == "" {
		return out, nil
	}
	p, err := s.Access.Profile(ctx, who)
	if err != nil {
		return out, err
	}
	out.Account, out.Name, out.Email, out.Confirmed = p.Account.ID, p.Account.Name, p.Account.Email, who.Confirmed
	for _, t := range p.Tenants {
		out.Tenants = append(out.Tenants, string(t))
	}
	return out, nil
}
