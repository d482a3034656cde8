package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// This file shows everything as a role sees it, to whoever has more.

// lookCookie holds the signed look as another role.
const lookCookie = "moat_view_as"

type lookKey struct{}

func lookOf(ctx context.Context) *access.View {
	v, _ := ctx.Value(lookKey{}).(*access.View)
	return v
}

// looking returns the request's context with who asks, narrowed when it is a look as a role.
func (s *server) looking(r *http.Request, scope tenant.Scope) (context.Context, error) {
	ctx := r.Context()
	if c, err := r.Cookie(lookCookie); err == nil && s.Policies != nil {
		narrowed, view, err := s.Policies.Look(ctx, scope, c.Value)
		if err != nil {
			return ctx, err
		}
		if view != nil {
			scope, ctx = narrowed, context.WithValue(ctx, lookKey{}, view)
		}
	}
	return context.WithValue(ctx, scopeKey{}, scope), nil
}

// readsByPost are the routes that send a question as a body and change nothing.
var readsByPost = map[string]bool{
	"POST /api/v1/query":           true,
	"POST /api/v1/kpis/preview":    true,
	"POST /api/v1/scenarios/run":   true,
	"POST /api/v1/scenarios/solve": true,
	"DELETE /api/v1/view-as":       true, // ends the look
}

// onlyLooking refuses changes during a look as another role.
func onlyLooking(r *http.Request, pattern string) error {
	v := lookOf(r.Context())
	if v == nil || r.Method == http.MethodGet || r.Method == http.MethodHead || readsByPost[pattern] {
		return nil
	}
	return fault.Newf(fault.Forbidden, "you are looking as %s, and nothing can be changed meanwhile: end the look first", v.Role)
}

// lookAnswer sets the cookie of a look, or drops it.
type lookAnswer struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      struct {
		Viewing *access.View `json:"viewing" doc:"null when the look is over"`
	}
}

func (s *server) lookRoutes(api huma.API) {
	huma.Register(api, huma.Operation{OperationID: "begin-view", Method: http.MethodPost, Path: "/api/v1/view-as", Summary: "Look at everything as a role, for an hour; it narrows, and nothing can be changed meanwhile", Errors: []int{http.StatusForbidden, http.StatusUnprocessableEntity}}, func(ctx context.Context, in *struct {
		Body struct {
			Role    string   `json:"role" minLength:"1" maxLength:"40"`
			Clients []string `json:"clients,omitempty" maxItems:"500"`
			Teams   []string `json:"teams,omitempty" maxItems:"500"`
		}
	}) (*lookAnswer, error) {
		token, v, err := s.Policies.BeginView(ctx, s.scope(ctx), in.Body.Role, access.Limits{Clients: in.Body.Clients, Teams: in.Body.Teams})
		if err != nil {
			return nil, problemOf(err)
		}
		out := &lookAnswer{SetCookie: http.Cookie{Name: lookCookie, Value: token, Path: "/", Expires: v.Until, HttpOnly: true, SameSite: http.SameSiteStrictMode}}
		out.Body.Viewing = &v
		return out, nil
	})
	huma.Register(api, huma.Operation{OperationID: "end-view", Method: http.MethodDelete, Path: "/api/v1/view-as", Summary: "End the look as a role"}, func(ctx context.Context, _ *none) (*lookAnswer, error) {
		if lookOf(ctx) != nil {
			if err := s.Policies.EndView(ctx, s.scope(ctx)); err != nil {
				return nil, problemOf(err)
			}
		}
		return &lookAnswer{SetCookie: http.Cookie{Name: lookCookie, Path: "/", Expires: time.Unix(1, 0), MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode}}, nil
	})
}
