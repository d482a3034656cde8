package access

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed policies.cedar
var builtInText string

//go:embed policies.cedarschema
var schemaText string

// Where a policy is from.
const (
	FromProduct = "built-in"
	FromRole    = "role"   // written from a custom role
	FromTenant  = "tenant" // written by the tenant
)

// Policy is one rule as it is evaluated.
type Policy struct {
	ID     string `json:"id"`
	Says   string `json:"says"`   // in words; "" when nobody wrote them
	Effect string `json:"effect"` // permit or forbid
	From   string `json:"from" enum:"built-in,role,tenant"`
	Text   string `json:"text"` // Cedar
}

// PolicyBook is what a tenant says beside the built-in policies, as one version keeps it.
type PolicyBook struct {
	Roles    []CustomRole `json:"roles" nullable:"false"`
	Policies string       `json:"policies"` // Cedar
}

// role returns the custom role of a name.
func (b *PolicyBook) role(name string) (int, bool) {
	i := slices.IndexFunc(b.Roles, func(r CustomRole) bool { return r.Name == name })
	return i, i >= 0
}

// Limits narrow an account beyond its role. Nil limits nothing.
type Limits struct {
	Clients []string `json:"clients"`
	Teams   []string `json:"teams"`
}

// key stands for the limits.
func (l Limits) key() string {
	part := func(of []string) string {
		if of == nil {
			return "all"
		}
		return fmt.Sprintf("%q", of)
	}
	return part(l.Clients) + "|" + part(l.Teams)
}

// Role is a role with what it may do.
type Role struct {
	Name   string         `json:"name"`
	Label  string         `json:"label"`
	For    string         `json:"for" doc:"what it is for"`
	Custom *CustomRole    `json:"custom" doc:"null for built-in roles, which cannot be changed"`
	Rights *tenant.Rights `json:"-"`
	// NeedsClients and NeedsTeams say that an account of the role sees nothing unless it names some.
	NeedsClients bool `json:"needs_clients"`
	NeedsTeams   bool `json:"needs_teams"`
}

// ruleset is a set of policies ready to decide. It is never changed.
type ruleset struct {
	version  int64 // of the tenant's book, 0 without one
	book     PolicyBook
	policies *cedar.PolicySet
	list     []Policy
	clients  []string // that any policy names
	teams    []string
}

// builtInRules are those of a tenant that added nothing.
var builtInRules = sync.OnceValues(func() (*ruleset, error) { return compile(0, PolicyBook{Roles: []CustomRole{}}) })

// compile makes a book ready to decide, or says what is wrong with it and where.
func compile(version int64, book PolicyBook) (*ruleset, error) {
	r := &ruleset{version: version, book: book, policies: cedar.NewPolicySet()}
	if err := r.add(FromProduct, "policies.cedar", builtInText); err != nil {
		return nil, fault.Wrapf(fault.Internal, err, "built-in policies")
	}
	if len(book.Roles) > maxRoles {
		return nil, fault.Newf(fault.Invalid, "there are %d roles, more than %d: remove one that nobody has", len(book.Roles), maxRoles)
	}
	for i := range book.Roles {
		role := &book.Roles[i]
		if err := role.check(); err != nil {
			return nil, err
		}
		if at, _ := book.role(role.Name); at != i {
			return nil, fault.Newf(fault.Invalid, "there are two roles %q", role.Name)
		}
		if err := r.add(FromRole, role.Name, role.cedar()); err != nil {
			return nil, fmt.Errorf("role %s: %w", role.Name, err)
		}
	}
	if err := r.add(FromTenant, "policies", book.Policies); err != nil {
		return nil, err
	}
	slices.Sort(r.clients)
	slices.Sort(r.teams)
	r.clients, r.teams = slices.Compact(r.clients), slices.Compact(r.teams)
	return r, nil
}

// add takes in a text of policies.
func (r *ruleset) add(from, name, text string) error {
	if len(text) > maxText && from == FromTenant {
		return fault.Newf(fault.Invalid, "the policies are longer than %d kB: shorten them", maxText>>10)
	}
	list, err := cedar.NewPolicyListFromBytes(name, []byte(text))
	if err != nil {
		return atPlace(err)
	}
	if from == FromTenant && len(list) > maxPolicies {
		return fault.Newf(fault.Invalid, "there are %d policies, more than %d", len(list), maxPolicies)
	}
	for _, p := range list {
		id := string(p.Annotations()["id"])
		if err := r.fits(from, id, p); err != nil {
			return err
		}
		effect := "permit"
		if p.Effect() == cedar.Forbid {
			effect = "forbid"
		}
		r.policies.Add(cedar.PolicyID(id), p)
		r.list = append(r.list, Policy{id, string(p.Annotations()["says"]), effect, from, strings.TrimSpace(string(p.MarshalCedar()))})
	}
	return nil
}

// roleNamed says whether there is a role of the name.
func (r *ruleset) roleNamed(name string) bool {
	_, custom := r.book.role(name)
	return custom || builtIn(name)
}

// Resource is what is asked about: the tenant itself, rows of a client or team, or a class.
type Resource struct{ Kind, Name string }

// The kinds of resources.
const (
	ofTenant = "Tenant"
	ofClient = "Client"
	ofTeam   = "Team"
	ofClass  = "Class"
)

// ParseResource reads "" or "tenant", "class:pay", "client:Harbor Dental" and "team:Service Desk".
func ParseResource(s string) (Resource, error) {
	kind, name, named := strings.Cut(s, ":")
	switch {
	case s == "" || s == "tenant":
		return Resource{Kind: ofTenant}, nil
	case kind == "class" && slices.Contains(tenant.Classes, tenant.Class(name)):
		return Resource{ofClass, name}, nil
	case kind == "client" && named && name != "":
		return Resource{ofClient, name}, nil
	case kind == "team" && named && name != "":
		return Resource{ofTeam, name}, nil
	}
	return Resource{}, fault.WithFields(fmt.Sprintf("%q is nothing that policies are about", s), fault.Field{Path: "resource", Message: "write tenant, class:pay, client:NAME or team:NAME", Allowed: []string{"tenant", "class:pay", "class:cost", "class:margin", "class:personal", "client:NAME", "team:NAME"}})
}

// asker is a principal with all that policies may know of it.
type asker struct {
	entities cedar.EntityMap
	tenant   tenant.Slug
}

// self is the one principal of a decision: policies speak of roles, not of single users.
var self = cedar.NewEntityUID("User", "who asks")

func askerOf(t tenant.Slug, role string, l Limits) asker {
	attrs := cedar.RecordMap{"tenant": cedar.NewEntityUID(ofTenant, cedar.String(t))}
	set := func(kind types.EntityType, of []string) cedar.Set {
		list := make([]cedar.Value, len(of))
		for i, n := range of {
			list[i] = cedar.NewEntityUID(kind, cedar.String(n))
		}
		return cedar.NewSet(list...)
	}
	if l.Clients != nil {
		attrs["clients"] = set(ofClient, l.Clients)
	}
	if l.Teams != nil {
		attrs["teams"] = set(ofTeam, l.Teams)
	}
	return asker{cedar.EntityMap{self: {UID: self, Parents: cedar.NewEntityUIDSet(cedar.NewEntityUID("Role", cedar.String(role))), Attributes: cedar.NewRecord(attrs)}}, t}
}

// decide says whether an action on a resource is allowed, and by which policies. A policy that
// fails to evaluate refuses: a forbid must not vanish by an error.
func (r *ruleset) decide(who asker, a tenant.Action, on Resource) (bool, cedar.Diagnostic) {
	name := on.Name
	if on.Kind == ofTenant && name == "" {
		name = string(who.tenant)
	}
	ok, why := cedar.Authorize(r.policies, who.entities, cedar.Request{
		Principal: self, Action: cedar.NewEntityUID("Action", cedar.String(a)), Resource: cedar.NewEntityUID(types.EntityType(on.Kind), cedar.String(name)),
	})
	return bool(ok) && len(why.Errors) == 0, why
}

// anyOther is the name of a client or team that no policy names: what is allowed for it is
// allowed for all that are not named. No stored name holds a zero byte.
const anyOther = "\x00"

// rights works out what a role with limits may do and see.
func (r *ruleset) rights(t tenant.Slug, role string, l Limits) *tenant.Rights {
	who := askerOf(t, role, l)
	out := &tenant.Rights{Role: role, Actions: []tenant.Action{}}
	for _, a := range Actions {
		if ok, _ := r.decide(who, a.Action, Resource{Kind: ofTenant}); ok {
			out.Actions = append(out.Actions, a.Action)
		}
	}
	slices.Sort(out.Actions)
	sees := func(kind, name string) bool {
		ok, _ := r.decide(who, FiguresRead, Resource{kind, name})
		return ok
	}
	for _, c := range tenant.Classes {
		if !sees(ofClass, string(c)) {
			out.Hidden = append(out.Hidden, c)
		}
	}
	// One gives the other away beside revenue, so both are hidden when one is.
	if cost, margin := slices.Contains(out.Hidden, tenant.Cost), slices.Contains(out.Hidden, tenant.Margin); cost && !margin {
		out.Hidden = append(out.Hidden, tenant.Margin)
	} else if margin && !cost {
		out.Hidden = append(out.Hidden, tenant.Cost)
	}
	slices.Sort(out.Hidden)
	rows := func(kind string, named, limit []string) []string {
		candidates := inOrder(slices.Concat(named, limit))
		allowed := slices.DeleteFunc(slices.Clone(candidates), func(n string) bool { return !sees(kind, n) })
		if sees(kind, anyOther) && len(allowed) == len(candidates) {
			return nil
		}
		// "All but these" cannot be said by rights: then only those named are left.
		return allowed
	}
	out.Clients, out.Teams = rows(ofClient, r.clients, l.Clients), rows(ofTeam, r.teams, l.Teams)
	return out
}
