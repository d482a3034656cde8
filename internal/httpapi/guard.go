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

// scope is who asks. A request that nobody was found for has the zero scope, which every
// store refuses.
func (s *server) scope(ctx context.Context) tenant.Scope { return visitOf(ctx).scope }

// identify finds out who asks: until there are accounts the owner of this machine, afterwards
// whoever the session or the key is of. A part of a request is asked by who asks for the whole.
func (s *server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visitOf(r.Context())
		v.scope = s.Scope
		if v.accounts {
			if err := s.recognize(r, v); err != nil {
				writeProblem(w, problemOf(err))
				return
			}
			v.scope = v.who.Scope
		}
		if err := s.looking(r, v); err != nil {
			writeProblem(w, problemOf(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// still reports whether who asked a while ago would be let in now, to the same tenant.
func (s *server) still(r *http.Request) bool {
	was := visitOf(r.Context())
	if !was.accounts {
		has, err := s.accounts(r.Context())
		return err == nil && !has
	}
	now := *was
	now.who = access.Who{}
	err := s.recognize(r, &now)
	return err == nil && now.who.Account == was.who.Account && now.who.Scope.Tenant == was.who.Scope.Tenant
}

// doors are the routes of a router by pattern.
type doors struct {
	needs      map[string]tenant.Action
	operations map[string]string          // ids, of routes of the API
	queries    map[string]map[string]bool // names of their query parameters; whether each may stand there more than once
	waits      map[string]*huma.Operation // those that may wait for a second person
}

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
	g.doors.needs[pattern] = need
	g.doors.operations[pattern] = op.OperationID
	known := map[string]bool{}
	for _, p := range op.Parameters {
		if p.In == "query" {
			known[p.Name] = p.Explode != nil && *p.Explode
		}
	}
	g.doors.queries[pattern] = known
	if _, may := mayWait[op.OperationID]; may {
		g.doors.waits[pattern] = op
	}
	g.Adapter.Handle(op, handler)
}

func newDoors(mux *http.ServeMux) (doors, huma.Adapter) {
	d := doors{map[string]tenant.Action{}, map[string]string{}, map[string]map[string]bool{}, map[string]*huma.Operation{}}
	for pattern, need := range pages {
		d.needs[pattern] = need
	}
	return d, guarded{humago.NewAdapter(mux, ""), d}
}

// route finds out which route a request is for.
func (s *server) route(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, visitOf(r.Context()).pattern = mux.Handler(r)
		next.ServeHTTP(w, r)
	})
}

// allow passes on what the actor may do. A route that names no action is refused.
func (s *server) allow(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pattern := visitOf(r.Context()).pattern
		need, named := s.doors.needs[pattern]
		if !named && pattern != "" {
			writeProblem(w, problemOf(fault.Newf(fault.Forbidden, "nobody may do this")))
			return
		}
		if need != access.SignedOut {
			if s.scope(r.Context()).Tenant == "" {
				if pattern == "GET /s/{id}" && strings.Contains(r.Header.Get("Accept"), "text/html") {
					http.Redirect(w, r, "/sign-in#"+r.URL.Path, http.StatusSeeOther)
					return
				}
				writeProblem(w, problemOf(fault.Newf(fault.Unauthenticated, "sign in first, or send an API key")))
				return
			}
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
