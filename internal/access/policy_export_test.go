package access

import (
	"github.com/cedar-policy/cedar-go"

	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// PolicyQueries are prepared by a test.
var PolicyQueries = policyQueries

// CheckPolicies says what is wrong with a tenant's own policies and roles.
func CheckPolicies(book PolicyBook) error {
	r, err := compile(1, book)
	if err == nil {
		err = r.sound("default")
	}
	return err
}

// SchemaActions are the actions that the schema lets policies speak about.
func SchemaActions() string { return schemaText }

// Decider decides without a cache, as a benchmark needs it.
func Decider(t tenant.Slug, role string) func() bool {
	r, err := builtInRules()
	if err != nil {
		panic(err)
	}
	who := askerOf(t, role, Limits{})
	return func() bool {
		ok, _ := r.decide(who, FiguresRead, Resource{Kind: ofTenant})
		return ok
	}
}

// DecideFor says what the built-in policies say of another tenant's resource.
func DecideFor(own tenant.Slug, role string, a tenant.Action, other tenant.Slug) (bool, cedar.Diagnostic) {
	r, err := builtInRules()
	if err != nil {
		panic(err)
	}
	return r.decide(askerOf(own, role, Limits{}), a, Resource{ofTenant, string(other)})
}
