package access

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed policy_queries.sql
var policyQueriesSQL string

var policyQueries = metadb.MustParseQueries(policyQueriesSQL)

// PolicyQueue is where a change of policies waits for a second person. It works in the
// transaction of what it is about.
type PolicyQueue interface {
	Propose(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, subject string, evidence json.RawMessage) error
	// Find returns the open proposal of a subject, "" when there is none.
	Find(ctx context.Context, scope tenant.Scope, subject string) (id string, err error)
	Decide(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id, verdict, reason string) error
}

// PolicyOptions connects policies with their neighbors. The zero value is ready to use.
type PolicyOptions struct {
	// Queue takes changes that wait. With nil they wait in the history of policies only.
	Queue PolicyQueue
	// Holders counts the accounts that have one of these roles. Nil: there are no accounts,
	// only the owner of this machine.
	Holders func(ctx context.Context, scope tenant.Scope, roles []string) (int, error)
}

// Policies says what each role may do and see in each tenant, and keeps the versions of what
// tenants change of it. It is safe for concurrent use.
type Policies struct {
	db   *metadb.DB
	log  *audit.Log
	now  func() time.Time
	opt  PolicyOptions
	mu   sync.Mutex
	held map[tenant.Slug]*held
}

// held is what is known of a tenant's policies.
type held struct {
	rules   *ruleset
	viewKey string
	until   time.Time
	rights  map[string]*tenant.Rights // by role and limits
}

const (
	// policiesFresh is how long another process's change may go unseen; one of this process
	// counts at once.
	policiesFresh = time.Second
	maxHeldRights = 4096 // of a tenant
)

// NewPolicies returns the policies kept in db.
func NewPolicies(db *metadb.DB, log *audit.Log, now func() time.Time, opt PolicyOptions) *Policies {
	return &Policies{db: db, log: log, now: now, opt: opt, held: map[tenant.Slug]*held{}}
}

// Rights returns what a role may do and see in a tenant, narrowed by limits. They are worked out
// once for each version of the policies; callers must not change them. A role that there is not
// is a Forbidden fault.
func (p *Policies) Rights(ctx context.Context, t tenant.Slug, role string, l Limits) (*tenant.Rights, error) {
	h, err := p.holding(ctx, t)
	if err != nil {
		return nil, err
	}
	key := role + "|" + l.key()
	p.mu.Lock()
	found := h.rights[key]
	p.mu.Unlock()
	if found != nil {
		return found, nil
	}
	if !h.rules.roleNamed(role) {
		return nil, fault.Newf(fault.Forbidden, "there is no role %q any more: ask an administrator of this installation for another", role)
	}
	found = h.rules.rights(t, role, Limits{named(l.Clients), named(l.Teams)})
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(h.rights) >= maxHeldRights {
		clear(h.rights)
	}
	h.rights[key] = found
	return found, nil
}

// Roles lists the roles of a tenant with their rights, without limits of an account.
func (p *Policies) Roles(ctx context.Context, scope tenant.Scope) ([]Role, error) {
	h, err := p.holding(ctx, scope.Tenant)
	if err != nil {
		return nil, err
	}
	return h.rules.roles(scope.Tenant), nil
}

// RolesThatMay lists the roles of a tenant that may do something, by name.
func (p *Policies) RolesThatMay(ctx context.Context, t tenant.Slug, a tenant.Action) ([]string, error) {
	h, err := p.holding(ctx, t)
	if err != nil {
		return nil, err
	}
	return h.rules.rolesThatMay(t, a), nil
}

// RolesThatMayAll is RolesThatMay for several actions together.
func (p *Policies) RolesThatMayAll(ctx context.Context, t tenant.Slug, actions ...tenant.Action) ([]string, error) {
	h, err := p.holding(ctx, t)
	if err != nil {
		return nil, err
	}
	roles := h.rules.names()
	for _, a := range actions {
		may := h.rules.rolesThatMay(t, a)
		roles = slices.DeleteFunc(roles, func(r string) bool { return !slices.Contains(may, r) })
	}
	return roles, nil
}

func (r *ruleset) rolesThatMay(t tenant.Slug, a tenant.Action) []string {
	out := []string{}
	for _, name := range r.names() {
		if ok, _ := r.decide(askerOf(t, name, Limits{}), a, Resource{Kind: ofTenant}); ok {
			out = append(out, name)
		}
	}
	return out
}

func (r *ruleset) roles(t tenant.Slug) []Role {
	var out []Role
	one := func(role Role) {
		role.Rights = r.rights(t, role.Name, Limits{})
		role.NeedsClients = role.Rights.Clients != nil && len(role.Rights.Clients) == 0
		role.NeedsTeams = role.Rights.Teams != nil && len(role.Rights.Teams) == 0
		out = append(out, role)
	}
	for _, b := range BuiltIn {
		one(Role{Name: b.Name, Label: b.Label, For: b.For})
	}
	for _, c := range r.book.Roles {
		one(Role{Name: c.Name, Label: c.Label, For: "Made here, based on " + c.BasedOn + ".", Custom: &c})
	}
	return out
}

// CurrentPolicies is what holds in a tenant now.
type CurrentPolicies struct {
	Version  int64    `json:"version" doc:"0 while only the built-in policies hold"`
	Policies []Policy `json:"policies" nullable:"false"`
	Own      string   `json:"own" doc:"the tenant's own policies, in Cedar"`
	Schema   string   `json:"schema" doc:"what policies may speak about"`
	Alone    bool     `json:"alone" doc:"a change takes effect at once, since nobody else may approve it"`
}

// Current returns what holds in a tenant.
func (p *Policies) Current(ctx context.Context, scope tenant.Scope) (CurrentPolicies, error) {
	h, err := p.holding(ctx, scope.Tenant)
	if err != nil {
		return CurrentPolicies{}, err
	}
	alone, err := p.alone(ctx, scope, h.rules)
	return CurrentPolicies{h.rules.version, h.rules.list, h.rules.book.Policies, schemaText, alone}, err
}

// holding returns what is known of a tenant's policies, at most policiesFresh old.
func (p *Policies) holding(ctx context.Context, t tenant.Slug) (*held, error) {
	now := time.Now() // of this machine: how fresh something is, is no fact that a test sets
	p.mu.Lock()
	h := p.held[t]
	p.mu.Unlock()
	if h != nil && now.Before(h.until) {
		return h, nil
	}
	var version int64
	var viewKey, body string
	err := p.db.Read(ctx, func(tx *metadb.Tx) error {
		version, viewKey, body = 0, "", ""
		err := tx.One(ctx, policyQueries.Get("get_policy_head"), []any{string(t)}, &version, &viewKey)
		if errors.Is(err, metadb.ErrNoRow) {
			return nil
		}
		if err != nil || version == 0 || h != nil && h.rules.version == version {
			return err
		}
		v, err := readVersion(ctx, tx, t, version)
		body = v.body
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	next := &held{viewKey: viewKey, until: now.Add(policiesFresh), rights: map[string]*tenant.Rights{}}
	switch {
	case h != nil && h.rules.version == version:
		p.mu.Lock()
		next.rules, next.rights = h.rules, h.rights
		p.mu.Unlock()
	case version == 0:
		if next.rules, err = builtInRules(); err != nil {
			return nil, err
		}
	default:
		var book PolicyBook
		if err := json.Unmarshal([]byte(body), &book); err != nil {
			return nil, fmt.Errorf("policies, version %d: %w", version, err)
		}
		if next.rules, err = compile(version, book); err != nil {
			return nil, fault.Wrapf(fault.Internal, err, "policies, version %d", version)
		}
	}
	p.mu.Lock()
	p.held[t] = next
	p.mu.Unlock()
	return next, nil
}

// forget makes the next decision read the policies anew.
func (p *Policies) forget(t tenant.Slug) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.held, t)
}

// newViewKey is a key for the looks as other roles.
func newViewKey() string { return rand.Text() + rand.Text() }
