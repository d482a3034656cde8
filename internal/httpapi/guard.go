package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// This file is the one door: who asks is worked out once, and no route answers, from a
// cache or by itself, before its action is allowed.

type scopeKey struct{}

// scope is who asks. A request that nobody was found for has the zero scope, which every
// store refuses.
func (s *server) scope(ctx context.Context) tenant.Scope {
	scope, _ := ctx.Value(scopeKey{}).(tenant.Scope)
	return scope
}

// identify finds out who asks.
func (s *server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := s.looking(r, s.Scope)
		if err != nil {
			writeProblem(w, problemOf(err))
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// doors are the routes of a router with the action that each needs, by pattern.
type doors map[string]tenant.Action

// guarded is huma's adapter that takes only routes whose action is named.
type guarded struct {
	huma.Adapter
	doors doors
}

func (g guarded) Handle(op *huma.Operation, handler func(huma.Context)) {
	pattern := strings.ToUpper(op.Method) + " " + op.Path
	need, named := needs[op.OperationID]
	if !named {
		if op.OperationID != "" { // huma's own: the API's document
			panic(fmt.Sprintf("the route %s (%s) names no action in needs.go: nobody could be allowed or refused", pattern, op.OperationID))
		}
		need = access.SignedOut
	}
	g.doors[pattern] = need
	g.Adapter.Handle(op, handler)
}

func newDoors(mux *http.ServeMux) (doors, huma.Adapter) {
	d := doors{}
	for pattern, need := range pages {
		d[pattern] = need
	}
	return d, guarded{humago.NewAdapter(mux, ""), d}
}

// allow passes on what the actor may do. A route that names no action is refused.
func (s *server) allow(mux *http.ServeMux, d doors, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		need, named := d[pattern]
		if !named && pattern != "" {
			writeProblem(w, problemOf(fault.Newf(fault.Forbidden, "nobody may do this")))
			return
		}
		if need != access.SignedOut {
			if err := s.scope(r.Context()).Need(need); err != nil {
				writeProblem(w, s.refusal(r.Context(), need, err))
				return
			}
		}
		if err := onlyLooking(r, pattern); err != nil {
			writeProblem(w, problemOf(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}
