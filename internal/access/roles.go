package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// The built-in roles.
const (
	Owner        = "owner"
	Admin        = "admin"
	Analyst      = "analyst"
	Reviewer     = "reviewer"
	Finance      = "finance"
	Technician   = "technician"
	Viewer       = "viewer"
	ClientPortal = "client-portal"
)

// BuiltIn lists the roles that every tenant has, from the one that may do most. What they may do
// stands in policies.cedar.
var BuiltIn = []struct{ Name, Label, For string }{
	{Owner, "Owner", "Everything. There is always one."},
	{Admin, "Admin", "Everything; what is changed of roles and policies waits for a second person."},
	{Analyst, "Analyst", "Figures with cost and margin, boards and definitions."},
	{Reviewer, "Reviewer", "What an analyst does, and decisions."},
	{Finance, "Finance", "All figures with pay, exports, settings and imports."},
	{Technician, "Technician", "Figures of the own team's work, without cost, margin and pay."},
	{Viewer, "Viewer", "Figures without cost, margin, pay and personal data."},
	{ClientPortal, "Client portal", "A client's own figures, and nothing else."},
}

func builtIn(name string) bool {
	for _, r := range BuiltIn {
		if r.Name == name {
			return true
		}
	}
	return false
}

// CustomRole is a role that a tenant made. It allows what it lists and nothing else.
type CustomRole struct {
	Name    string          `json:"name"`
	Label   string          `json:"label"`
	BasedOn string          `json:"based_on"` // a built-in role: whether an account must name teams or clients is taken from it
	Actions []tenant.Action `json:"actions" nullable:"false"`
	Hidden  []tenant.Class  `json:"hidden" nullable:"false"`
	Clients []string        `json:"clients" doc:"the only clients whose rows may be seen; null: those of all"`
	Teams   []string        `json:"teams" doc:"the only teams whose rows may be seen; null: those of all"`
}

// Bounds of what a tenant may add.
const (
	maxRoles    = 50
	maxPolicies = 200
	maxText     = 64 << 10
	maxNamed    = 500 // clients or teams of a role
)

var roleForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`)

// check returns an Invalid fault with every wrong part of the role, and puts its lists in order.
func (r *CustomRole) check() error {
	var wrong []fault.Field
	say := func(path, format string, args ...any) {
		wrong = append(wrong, fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	r.Label = strings.TrimSpace(r.Label)
	switch {
	case !roleForm.MatchString(r.Name):
		say("name", "use 2 to 40 of a-z, 0-9 and -, beginning with a letter")
	case builtIn(r.Name):
		say("name", "%s is a built-in role: take another name", r.Name)
	}
	if r.Label == "" || len([]rune(r.Label)) > 60 {
		say("label", "say in 1 to 60 characters what the role is called")
	}
	if !builtIn(r.BasedOn) || r.BasedOn == Owner {
		say("based_on", "take a built-in role other than owner")
	}
	for _, a := range r.Actions {
		if !knownAction(a) {
			say("actions", "there is no action %q", a)
		}
	}
	for _, c := range r.Hidden {
		if !slices.Contains(tenant.Classes, c) {
			say("hidden", "there is no class %q: pay, cost, margin or personal", c)
		}
	}
	if slices.Contains(r.Hidden, tenant.Cost) != slices.Contains(r.Hidden, tenant.Margin) {
		say("hidden", "cost and margin give each other away beside revenue: hide both or neither")
	}
	for path, named := range map[string][]string{"clients": r.Clients, "teams": r.Teams} {
		if len(named) > maxNamed || slices.ContainsFunc(named, func(s string) bool { return s == "" || len(s) > 500 || strings.ContainsRune(s, 0) }) {
			say(path, "name at most %d, none of them empty", maxNamed)
		}
	}
	if len(wrong) > 0 {
		slices.SortFunc(wrong, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
		return fault.WithFields("this role cannot be kept", wrong...)
	}
	r.Actions, r.Hidden, r.Clients, r.Teams = inOrder(r.Actions), inOrder(r.Hidden), named(r.Clients), named(r.Teams)
	return nil
}

func knownAction(a tenant.Action) bool {
	for _, known := range Actions {
		if known.Action == a {
			return true
		}
	}
	return false
}

// inOrder returns a sorted copy without repetitions, never nil.
func inOrder[T ~string](of []T) []T {
	out := slices.Clone(of)
	if out == nil {
		out = []T{}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// named is inOrder that keeps nil, which means all.
func named(of []string) []string {
	if of == nil {
		return nil
	}
	return inOrder(of)
}

// cedar writes the role as policies, which are shown and evaluated like all others.
func (r *CustomRole) cedar() string {
	var b strings.Builder
	permit := func(id, says, action, resource, when string) {
		fmt.Fprintf(&b, "@id(%q)\n@says(%s)\npermit (principal in Role::%q, %s, resource is %s)", "role."+r.Name+"."+id, quoted(says), r.Name, action, resource)
		if when != "" {
			fmt.Fprintf(&b, "\nwhen { %s }", when)
		}
		b.WriteString(";\n\n")
	}
	const read = `action == Action::"figures.read"`
	if len(r.Actions) > 0 {
		list := make([]string, len(r.Actions))
		for i, a := range r.Actions {
			list[i] = fmt.Sprintf("Action::%q", string(a))
		}
		permit("does", r.Label+" may do what was chosen for the role.", "action in ["+strings.Join(list, ", ")+"]", "Tenant", "")
	}
	var seen []string
	for _, c := range tenant.Classes {
		if !slices.Contains(r.Hidden, c) {
			seen = append(seen, string(c))
		}
	}
	if len(seen) > 0 {
		permit("classes", r.Label+" sees "+strings.Join(seen, ", ")+".", read, "Class", oneOf("Class", seen))
	}
	rows := func(id, kind, attr string, of []string, must bool) {
		var when []string
		says := r.Label + " sees the rows of all " + id + "."
		if must {
			when = append(when, fmt.Sprintf("principal has %s && principal.%s.contains(resource)", attr, attr))
			says = r.Label + " sees the rows of the " + id + " that the account names."
		}
		if of != nil {
			when = append(when, oneOf(kind, of))
			says = r.Label + " sees the rows of these " + id + " only."
		}
		if of == nil || len(of) > 0 {
			permit(id, says, read, kind, strings.Join(when, " && "))
		}
	}
	rows("clients", "Client", "clients", r.Clients, r.BasedOn == ClientPortal)
	rows("teams", "Team", "teams", r.Teams, r.BasedOn == Technician)
	return b.String()
}

// oneOf is a condition that the resource is one of those named.
func oneOf(kind string, names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = kind + "::" + quoted(n)
	}
	return "[" + strings.Join(list, ", ") + "].contains(resource)"
}

// quoted writes a string as Cedar does: names are data and may hold quotes.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, "\\u{%x}", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
