package tenant

import (
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Class is a kind of figures and columns that not everybody may see.
type Class string

// The classes. Whoever may not see cost may not see margin either: one gives the other.
const (
	Pay      Class = "pay"      // what single people cost
	Cost     Class = "cost"     // labor, product and other cost
	Margin   Class = "margin"   // profit and everything that is made of revenue and cost
	Personal Class = "personal" // names, addresses and free text of single people
)

// Classes lists all of them.
var Classes = []Class{Pay, Cost, Margin, Personal}

// Action names what somebody wants to do: a noun and a verb, such as "figures.read".
type Action string

// Rights are what one actor may see and do in one tenant, worked out once for a request and
// never changed afterwards.
type Rights struct {
	Role    string   // for messages and the audit record
	Clients []string // the only clients whose rows may be seen, sorted; nil: those of all
	Teams   []string // the only teams whose rows may be seen, sorted; nil: those of all
	Hidden  []Class  // what may not be seen, sorted
	Actions []Action // what may be done, sorted; nothing else may
}

// May reports whether an action is allowed. Nil rights allow everything.
func (r *Rights) May(a Action) bool {
	if r == nil {
		return true
	}
	_, ok := slices.BinarySearch(r.Actions, a)
	return ok
}

// Sees reports whether a class may be seen. Nil rights see everything. Where cost is hidden,
// margin is, too.
func (r *Rights) Sees(c Class) bool {
	if r == nil {
		return true
	}
	_, hidden := slices.BinarySearch(r.Hidden, c)
	return !hidden && (c != Margin || r.Sees(Cost))
}

// SeesAllRows reports whether the rows of all clients and teams may be seen.
func (r *Rights) SeesAllRows() bool { return r == nil || r.Clients == nil && r.Teams == nil }

// Unlimited reports whether the rows of all clients and teams may be seen, with all classes.
func (r *Rights) Unlimited() bool {
	return r == nil || r.Clients == nil && r.Teams == nil && len(r.Hidden) == 0
}

// Key stands for what may be seen: answers are kept apart by it. It is "" for those who see
// everything.
func (r *Rights) Key() string {
	if r.Unlimited() {
		return ""
	}
	var b strings.Builder
	part := func(name string, of []string) {
		if of == nil {
			return
		}
		b.WriteString(name)
		for _, s := range of {
			b.WriteString("\x00" + s)
		}
		b.WriteString("\x01")
	}
	part("clients", r.Clients)
	part("teams", r.Teams)
	hidden := make([]string, len(r.Hidden))
	for i, c := range r.Hidden {
		hidden[i] = string(c)
	}
	part("hidden", hidden)
	return b.String()
}

// Whole returns a Forbidden fault unless the scope's actor may see the rows of all clients
// and teams with all classes. what names, as a plural, that which cannot be shown in part.
func (s Scope) Whole(what string) error {
	if s.Rights.Unlimited() {
		return nil
	}
	return fault.Newf(fault.Forbidden, "%s are about all clients and every kind of figure, and the role %s sees a part of them: ask somebody who sees everything", what, s.Rights.Role)
}

// AllRows returns a Forbidden fault unless the scope's actor may see the rows of all clients
// and teams, whatever kinds of figures are hidden. what names, as a plural, that which cannot
// be shown in part.
func (s Scope) AllRows(what string) error {
	if s.Rights.SeesAllRows() {
		return nil
	}
	return fault.Newf(fault.Forbidden, "%s are about all clients, and the role %s sees some of them: ask somebody who sees all", what, s.Rights.Role)
}

// Own returns the scope for what the program itself has to know to answer, such as how far
// the data reaches. Its answers must not be handed on as they are.
func (s Scope) Own() Scope {
	s.Rights = nil
	return s
}

// Need returns a Forbidden fault unless the scope's actor may do a.
func (s Scope) Need(a Action) error {
	if s.Rights.May(a) {
		return nil
	}
	return fault.Newf(fault.Forbidden, "the role %s may not do this (%s): ask an administrator of this installation", s.Rights.Role, a)
}
