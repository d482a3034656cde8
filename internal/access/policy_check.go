package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// validator checks policies against the schema, strictly.
var validator = sync.OnceValues(func() (*validate.Validator, error) {
	var s schema.Schema
	s.SetFilename("policies.cedarschema")
	if err := s.UnmarshalCedar([]byte(schemaText)); err != nil {
		return nil, err
	}
	resolved, err := s.Resolve()
	if err != nil {
		return nil, err
	}
	return validate.New(resolved), nil
})

var (
	idForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,79}$`)
	placeForm = regexp.MustCompile(`at [^ ]*?:?(\d+):(\d+) (?:"(?:[^"\\]|\\.)*": )?(.*)`)
	wantForm  = regexp.MustCompile(`^exact got (.*) want (.*)$`)
)

// atPlace says a syntax error with its line and column.
func atPlace(err error) error {
	message := "this is not Cedar"
	if m := placeForm.FindStringSubmatch(err.Error()); m != nil {
		return wrong(m[1], m[2], message+": "+wantForm.ReplaceAllString(m[3], "found $1 instead of $2"))
	}
	return fault.WithFields("the policies cannot be kept", fault.Field{Path: "policies", Message: message + ": " + err.Error()})
}

func wrong(line, column any, message string) error {
	return fault.WithFields("the policies cannot be kept", fault.Field{Path: "policies", Message: fmt.Sprintf("line %v, column %v: %s", line, column, message)})
}

// fits refuses a policy that the schema does not know, or whose effect could not be worked out
// once for a role: rights depend on role and limits only, so that they can be kept.
func (r *ruleset) fits(from, id string, p *cedar.Policy) error {
	at := p.Position()
	say := func(format string, args ...any) error { return wrong(at.Line, at.Column, fmt.Sprintf(format, args...)) }
	switch {
	case id == "":
		return say(`the policy has no id: write @id("a-name") above it, so that a refusal can name it`)
	case !idForm.MatchString(id):
		return say("%q is no id: use a-z, 0-9, dots and dashes", id)
	case r.policies.Get(cedar.PolicyID(id)) != nil, from == FromTenant && (strings.HasPrefix(id, "base.") || strings.HasPrefix(id, "role.")):
		return say("the id %q is taken: choose another", id)
	}
	v, err := validator()
	if err != nil {
		return fault.Wrapf(fault.Internal, err, "schema of policies")
	}
	if err := v.Policy(id, (*ast.Policy)(p.AST())); err != nil {
		return say("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	text, err := p.MarshalJSON()
	if err != nil {
		return err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	var found []error
	walk(tree, func(node map[string]any) {
		kind, _ := node["type"].(string)
		name, _ := node["id"].(string)
		if strings.ContainsRune(name, 0) {
			found = append(found, say("a name holds a zero byte"))
		}
		switch kind {
		case ofClass:
			if !slices.Contains(tenant.Classes, tenant.Class(name)) {
				found = append(found, say("there is no class %q: pay, cost, margin or personal", name))
			}
		case "User":
			found = append(found, say("policies are about roles, not about single users: give the user another role"))
		case "Role":
			if !r.roleNamed(name) {
				found = append(found, say("there is no role %q", name))
			}
		case ofClient:
			r.clients = append(r.clients, name)
		case ofTeam:
			r.teams = append(r.teams, name)
		}
		if from != FromTenant {
			return
		}
		for _, op := range []string{".", "has", "getTag", "hasTag"} {
			if _, ok := node[op]; ok {
				found = append(found, say("conditions ask for roles and resources only: limits of accounts are applied by the built-in policies"))
			}
		}
	})
	return errors.Join(found...)
}

// walk calls fn for every object of a JSON tree.
func walk(node any, fn func(map[string]any)) {
	switch n := node.(type) {
	case map[string]any:
		fn(n)
		for _, child := range n {
			walk(child, fn)
		}
	case []any:
		for _, child := range n {
			walk(child, fn)
		}
	}
}

// sound refuses sets of policies that would lock the owner out or could not be kept as rights.
func (r *ruleset) sound(t tenant.Slug) error {
	owner := r.rights(t, Owner, Limits{})
	if !owner.Unlimited() || len(owner.Actions) != len(Actions) {
		return fault.Newf(fault.Forbidden, `the owner may not lose a right: add unless { principal in Role::"owner" } to what you forbid`)
	}
	for _, role := range r.names() {
		who := askerOf(t, role, Limits{})
		if ok, _ := r.decide(who, SelfManage, Resource{Kind: ofTenant}); !ok {
			return fault.Newf(fault.Invalid, "the role %s may not lose %s: nobody could end a session that was stolen", role, SelfManage)
		}
		for kind, named := range map[string][]string{ofClient: r.clients, ofTeam: r.teams} {
			if others, _ := r.decide(who, FiguresRead, Resource{kind, anyOther}); !others {
				continue
			}
			for _, n := range named {
				if ok, _ := r.decide(who, FiguresRead, Resource{kind, n}); !ok {
					return fault.Newf(fault.Invalid, "the role %s would see all but %s %q: name those that it may see in a role of its own instead", role, strings.ToLower(kind), n)
				}
			}
		}
	}
	return nil
}

// names are all roles, built-in ones first.
func (r *ruleset) names() []string {
	var out []string
	for _, b := range BuiltIn {
		out = append(out, b.Name)
	}
	for _, c := range r.book.Roles {
		out = append(out, c.Name)
	}
	return out
}
