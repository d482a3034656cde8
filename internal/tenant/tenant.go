// Package tenant says whose data is meant and who asks.
//
// Every method that touches a tenant's rows takes a Scope as its second parameter,
// after the context. The zero Scope is refused by every store, so forgetting it
// cannot read another tenant's data.
package tenant

import (
	"regexp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Slug names a tenant in commands, addresses and folders: 1 to 40 of a-z, 0-9, "_" and
// "-", beginning with a letter or digit.
type Slug string

var slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// Actor names who acts: "cli:anna", "api", "job:rollup", "user:17".
type Actor string

// Scope is one tenant and who asks. Its zero value is invalid.
type Scope struct {
	Tenant Slug
	Actor  Actor
	// Rights limit what the actor may see and do. Nil limits nothing: the machine's owner at
	// the command line, and the program's own work.
	Rights *Rights
	// From is where the actor acts from, for the audit record: an address, a device or the
	// name of an API key; "" for the command line and the program's own work.
	From string
	// Snapshot is what is looked at instead of the current data; 0 is the current data. Whoever
	// writes does not set it.
	Snapshot int64
}

// NewScope checks both parts and returns the scope.
func NewScope(t Slug, a Actor) (Scope, error) {
	s := Scope{Tenant: t, Actor: a}
	return s, s.Check()
}

// Check returns an Invalid fault unless the scope names a tenant and an actor.
func (s Scope) Check() error {
	if !slugForm.MatchString(string(s.Tenant)) {
		return fault.Newf(fault.Invalid, "tenant %q is not a valid name: use 1 to 40 of a-z, 0-9, - and _, beginning with a letter or digit", s.Tenant)
	}
	if s.Actor == "" {
		return fault.Newf(fault.Internal, "tenant %q: no actor given", s.Tenant)
	}
	return nil
}
