package httpapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// This file lets changes wait for a second person where the terms of their kind want two:
// the request is kept as a proposal, and made as it was, in the name and with the rights of
// whoever sent it, when somebody else approves.

// mayWait are the operations that may wait, by the kind of their proposals.
var mayWait = map[string]string{
	"set-calendar":   review.DefinitionChange,
	"add-kpi":        review.DefinitionChange,
	"change-kpi":     review.DefinitionChange,
	"remove-kpi":     review.DefinitionChange,
	"add-rule":       review.DefinitionChange,
	"change-rule":    review.DefinitionChange,
	"remove-rule":    review.DefinitionChange,
	"add-segment":    review.DefinitionChange,
	"change-segment": review.DefinitionChange,
	"remove-segment": review.DefinitionChange,

	"undo-import": review.Deletion,
	"roll-back":   review.Deletion,

	setTerms: review.DefinitionChange,
}

// setTerms changes the terms of a kind. Where that kind wants two people, two change its terms:
// otherwise whoever wants to decide alone would say first that one person is enough.
const setTerms = "set-review-terms"

// heldChange is a request that waits.
type heldChange struct {
	Operation string          `json:"operation"`
	Summary   string          `json:"summary"`
	Method    string          `json:"method"`
	Path      string          `json:"path" doc:"with its query"`
	Body      json.RawMessage `json:"body,omitempty"`
	Needs     tenant.Action   `json:"needs" doc:"what those must be allowed to do who approve"`
	From      string          `json:"from" doc:"where it was asked from"`
}

// heldAnswer tells whoever asked that it waits.
type heldAnswer struct {
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Proposal string `json:"proposal"` // id
}

// describeHeld writes the answer of what waits into the API's document.
func describeHeld(api huma.API) {
	answer := jsonResponse(api, "it waits for a second person; nothing has changed yet", heldAnswer{})
	for _, item := range api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Post, item.Put, item.Delete} {
			if op != nil && mayWait[op.OperationID] != "" {
				op.Responses["202"] = answer
			}
		}
	}
}

// hold keeps a change that must wait, and lets everything else pass.
func (s *server) hold(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pattern := visitOf(r.Context()).pattern
		op, may := s.doors.waits[pattern]
		if !may {
			next.ServeHTTP(w, r)
			return
		}
		kind := mayWait[op.OperationID]
		if op.OperationID == setTerms {
			kind = path.Base(r.URL.Path)
		}
		waits, err := s.waits(r.Context(), kind, s.doors.needs[pattern], review.Needs(mayWait[op.OperationID]))
		if err == nil && waits {
			err = s.propose(w, r, op, s.doors.needs[pattern])
		}
		if err != nil {
			writeProblem(w, problemOf(err))
			return
		}
		if !waits {
			next.ServeHTTP(w, r)
		}
	})
}

// waits reports whether a change needs a second person, and there is one who may do what it
// needs and sees its question.
func (s *server) waits(ctx context.Context, kind string, needs ...tenant.Action) (bool, error) {
	scope := s.scope(ctx)
	if s.Access == nil || s.Policies == nil || scope.Rights == nil { // the owner of this machine may do anything to it anyway
		return false, nil
	}
	if two, err := s.Reviews.Holds(ctx, scope, kind); err != nil || !two {
		return false, err
	}
	roles, err := s.Policies.RolesThatMayAll(ctx, scope.Tenant, append(needs, access.ReviewsRead, access.ReviewsDecide)...)
	if err != nil {
		return false, err
	}
	n, err := s.Access.Holders(ctx, scope, roles)
	for _, role := range roles {
		if role == scope.Rights.Role {
			n--
			break
		}
	}
	return n > 0, err
}

func (s *server) propose(w http.ResponseWriter, r *http.Request, op *huma.Operation, need tenant.Action) error {
	scope := s.scope(r.Context())
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fault.Wrapf(fault.TooLarge, err, "the request cannot be read")
	}
	if len(body) > 0 && !json.Valid(body) {
		return fault.Newf(fault.Invalid, "the body is not JSON")
	}
	change := heldChange{op.OperationID, op.Summary, r.Method, r.URL.RequestURI(), body, need, scope.From}
	evidence, err := json.Marshal(change)
	if err != nil {
		return err
	}
	p := review.Proposal{Kind: mayWait[op.OperationID], Subject: strings.ToLower(rand.Text()[:12]), Label: change.name(), Evidence: evidence}
	if err := s.DB.Transact(r.Context(), func(tx *metadb.Tx) error { return s.Reviews.Propose(r.Context(), scope, tx, p) }); err != nil {
		return err
	}
	id, err := s.Reviews.OpenOf(r.Context(), scope, p.Kind, p.Subject)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	return json.NewEncoder(w).Encode(heldAnswer{"Waits for a second person", http.StatusAccepted, "This waits for a second person to approve it, under Review. Nothing has changed yet.", id})
}

// name says in words what is to be done.
func (c heldChange) name() string {
	parts := strings.Split(strings.SplitN(c.Path, "?", 2)[0], "/")
	last := parts[len(parts)-1]
	if c.Method == http.MethodPost && c.Operation != "undo-import" {
		var of struct{ Name string }
		json.Unmarshal(c.Body, &of) // a body without a name is named by its summary
		last = of.Name
	}
	return strings.TrimSpace(c.Summary + " " + last)
}

// heldJudge carries out changes that waited.
type heldJudge struct{ s *server }

var _ review.Decider = heldJudge{}

func heldChangeOf(p review.Proposal) (heldChange, error) {
	var c heldChange
	if err := json.Unmarshal(p.Evidence, &c); err != nil {
		return c, fmt.Errorf("evidence of proposal %s: %w", p.ID, err)
	}
	return c, nil
}

// Fill asks the question.
func (j heldJudge) Fill(_ context.Context, _ tenant.Scope, list []review.Proposal) error {
	for i, p := range list {
		c, err := heldChangeOf(p)
		if err != nil {
			return err
		}
		list[i].Title = c.name()
	}
	return nil
}

// Complete returns the decision as it is: the desk has checked it.
func (j heldJudge) Complete(_ review.Proposal, d review.Decision) (review.Decision, error) {
	d.Choice = ""
	return d, nil
}

// Decide makes the change, then keeps the decision: a crash between the two leaves a
// question whose change is made already, never an approval without its change. Whoever
// asked may withdraw the change, but not approve it.
func (j heldJudge) Decide(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) error {
	c, err := heldChangeOf(p)
	if err != nil {
		return err
	}
	j.s.holding.Lock() // while a change is made, nobody else makes or withdraws it
	defer j.s.holding.Unlock()
	if _, err := j.s.Reviews.Check(ctx, scope, p.ID, d); err != nil {
		return err
	}
	if d.Verdict == "approved" {
		if p.CreatedBy == scope.Actor {
			return fault.Newf(fault.Forbidden, "you asked for this yourself: a second person has to approve it")
		}
		if err := scope.Need(c.Needs); err != nil {
			return err
		}
		as, err := j.s.Access.ScopeOf(ctx, scope.Tenant, p.CreatedBy, c.From)
		if err != nil {
			return err
		}
		if err := as.Need(c.Needs); err != nil {
			return fault.Newf(fault.Forbidden, "whoever asked for this may not do it any more: reject it, and do it yourself")
		}
		if err := j.perform(ctx, as, c); err != nil {
			return err
		}
	}
	return j.s.DB.Transact(ctx, func(tx *metadb.Tx) error { return j.s.Reviews.Queue.Decide(ctx, scope, tx, p.ID, d, 0) })
}

// perform sends the request to the routes as somebody; it does not wait again.
func (j heldJudge) perform(ctx context.Context, as tenant.Scope, c heldChange) error {
	v := &visit{scope: as, who: access.Who{Scope: as}, accounts: true, part: true}
	r, err := http.NewRequestWithContext(withVisit(ctx, v), c.Method, c.Path, bytes.NewReader(c.Body))
	if err != nil {
		return err
	}
	if len(c.Body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	answer := &recorded{header: http.Header{}}
	j.s.observe(j.s.route(j.s.router, j.s.allow(j.s.shape(j.s.router)))).ServeHTTP(answer, r)
	if answer.code < 300 {
		return nil
	}
	var said problem
	if err := json.Unmarshal(answer.text.Bytes(), &said); err != nil || said.Detail == "" {
		said.Detail = fmt.Sprintf("it was answered with %d", answer.code)
	}
	return fault.Newf(fault.Conflict, "the change cannot be made now, so it is still open: %s", said.Detail)
}

// Undo is refused: others have worked with the change since.
func (j heldJudge) Undo(context.Context, tenant.Scope, review.Proposal) error {
	return fault.Newf(fault.Conflict, "the change is made: take it back where it shows, as a change of its own")
}

// Preview says what is done.
func (j heldJudge) Preview(_ context.Context, _ tenant.Scope, p review.Proposal, d review.Decision) (review.Effect, error) {
	c, err := heldChangeOf(p)
	if err != nil {
		return review.Effect{}, err
	}
	if d.Verdict != "approved" {
		return review.Effect{Says: []string{"Nothing changes; whoever asked reads why under Review."}}, nil
	}
	return review.Effect{Says: []string{c.name() + ", as it was asked for: see below.", "It stands on the record in the name of whoever asked, with your approval beside it."}}, nil
}
