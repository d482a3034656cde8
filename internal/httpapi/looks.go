package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// This file shows everything as a role sees it, to whoever has more.

// lookCookie holds the signed look as another role.
const lookCookie = "moat_view_as"

// looking narrows a visit that looks as a role.
func (s *server) looking(r *http.Request, v *visit) error {
	c, err := r.Cookie(lookCookie)
	if err != nil || s.Policies == nil {
		return nil
	}
	narrowed, look, err := s.Policies.Look(r.Context(), v.scope, c.Value)
	if err == nil && look != nil {
		v.scope, v.look = narrowed, look
	}
	return err
}

// readsByPost are the routes that send a question as a body and change nothing.
var readsByPost = map[string]bool{
	"POST /api/v1/query":                  true,
	"POST /api/v1/kpis/preview":           true,
	"POST /api/v1/scenarios/run":          true,
	"POST /api/v1/scenarios/solve":        true,
	"POST /api/v1/report-previews":        true,
	"POST /api/v1/report-templates/check": true,
	"POST /api/v1/operations":             true, // each of them is looked at
	"DELETE /api/v1/view-as":              true, // ends the look
	"DELETE /api/v1/session":              true, // signs out
}

// onlyLooking refuses changes during a look as another role.
func onlyLooking(r *http.Request, pattern string) error {
	v := visitOf(r.Context()).look
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
		unkept(ctx)
		token, v, err := s.Policies.BeginView(ctx, s.scope(ctx), in.Body.Role, access.Limits{Clients: in.Body.Clients, Teams: in.Body.Teams})
		if err != nil {
			return nil, problemOf(err)
		}
		out := &lookAnswer{SetCookie: http.Cookie{Name: lookCookie, Value: token, Path: "/", Expires: v.Until, HttpOnly: true, Secure: visitOf(ctx).secure, SameSite: http.SameSiteStrictMode}}
		out.Body.Viewing = &v
		return out, nil
	})
	huma.Register(api, huma.Operation{OperationID: "end-view", Method: http.MethodDelete, Path: "/api/v1/view-as", Summary: "End the look as a role"}, func(ctx context.Context, _ *none) (*lookAnswer, error) {
		if visitOf(ctx).look != nil {
			if err := s.Policies.EndView(ctx, s.scope(ctx)); err != nil {
				return nil, problemOf(err)
			}
		}
		return &lookAnswer{SetCookie: http.Cookie{Name: lookCookie, Path: "/", Expires: time.Unix(1, 0), MaxAge: -1, HttpOnly: true, Secure: visitOf(ctx).secure, SameSite: http.SameSiteStrictMode}}, nil
	})
}
