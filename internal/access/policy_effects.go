package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Effect is one thing that a role gains or loses by a change.
type Effect struct {
	Role   string `json:"role"`
	Gained bool   `json:"gained"`
	Kind   string `json:"kind" enum:"role,action,class,client,team"`
	What   string `json:"what" doc:"the action, class, client or team; * is all that are not named"`
}

// String says the effect in words.
func (e Effect) String() string {
	verb := map[bool]string{true: "gains", false: "loses"}[e.Gained]
	switch {
	case e.Kind == "role":
		return fmt.Sprintf("the role %s %s", e.Role, map[bool]string{true: "is new", false: "is removed"}[e.Gained])
	case e.What == all && e.Gained:
		return fmt.Sprintf("%s gains the rows of all %ss", e.Role, e.Kind)
	case e.What == all:
		return fmt.Sprintf("%s %s the rows of all other %ss", e.Role, verb, e.Kind)
	case e.Kind == "class":
		return fmt.Sprintf("%s %s sight of %s", e.Role, verb, e.What)
	case e.Kind == "action":
		return fmt.Sprintf("%s %s %s", e.Role, verb, e.What)
	}
	return fmt.Sprintf("%s %s the rows of the %s %s", e.Role, verb, e.Kind, e.What)
}

const all = "*"

// effects compares what every role may do and see. An account's own limits need no look: only
// the built-in policies ask for them, and these do not change.
func effects(t tenant.Slug, before, after *ruleset) []Effect {
	out := []Effect{}
	for _, role := range inOrder(slices.Concat(before.names(), after.names())) {
		var was, is *tenant.Rights
		nothing := &tenant.Rights{Hidden: tenant.Classes, Clients: []string{}, Teams: []string{}}
		if was = nothing; before.roleNamed(role) {
			was = before.rights(t, role, Limits{})
		} else {
			out = append(out, Effect{role, true, "role", role})
		}
		if is = nothing; after.roleNamed(role) {
			is = after.rights(t, role, Limits{})
		} else {
			out = append(out, Effect{role, false, "role", role})
		}
		out = append(out, compared(role, was, is)...)
	}
	return out
}

func compared(role string, was, is *tenant.Rights) []Effect {
	var out []Effect
	for _, a := range Actions {
		if had, has := slices.Contains(was.Actions, a.Action), slices.Contains(is.Actions, a.Action); had != has {
			out = append(out, Effect{role, has, "action", string(a.Action)})
		}
	}
	for _, c := range tenant.Classes {
		if had, has := !slices.Contains(was.Hidden, c), !slices.Contains(is.Hidden, c); had != has {
			out = append(out, Effect{role, has, "class", string(c)})
		}
	}
	rows := func(kind string, was, is []string) {
		if (was == nil) != (is == nil) {
			out = append(out, Effect{role, is == nil, kind, all})
		}
		for _, n := range inOrder(slices.Concat(was, is)) {
			had, has := was == nil || slices.Contains(was, n), is == nil || slices.Contains(is, n)
			if had != has {
				out = append(out, Effect{role, has, kind, n})
			}
		}
	}
	rows("client", was.Clients, is.Clients)
	rows("team", was.Teams, is.Teams)
	return out
}

// granted refuses effects that give anybody what the actor does not have: nobody gains by a
// change of roles what he could not give. Nil rights, the owner of this machine, have all.
func granted(actor *tenant.Rights, list []Effect) error {
	if actor == nil {
		return nil
	}
	var missing []string
	for _, e := range list {
		if e.Gained && !holds(actor, e) {
			missing = append(missing, e.String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fault.Newf(fault.Forbidden, "nobody gives what he does not have: ask somebody who has it (%s)", said(missing))
}

func said(list []string) string {
	if len(list) > 5 {
		list = append(slices.Clone(list[:5]), fmt.Sprintf("and %d more", len(list)-5))
	}
	return strings.Join(list, "; ")
}

func holds(actor *tenant.Rights, e Effect) bool {
	in := func(of []string) bool { return of == nil || e.What != all && slices.Contains(of, e.What) }
	switch e.Kind {
	case "role":
		return true // what it may do is listed beside it
	case "action":
		return actor.May(tenant.Action(e.What))
	case "class":
		return actor.Sees(tenant.Class(e.What))
	case "client":
		return in(actor.Clients)
	case "team":
		return in(actor.Teams)
	}
	return false
}

// MayGive says whether the actor may give somebody a role with limits: only what he has himself,
// only when it stays within his own limits, and the role owner only when he is one. Accounts ask it
// before a role is given, changed or an invitation is sent; they ask it for the role before, too,
// so that nobody takes from those who have more than he.
func MayGive(actor, given *tenant.Rights) error {
	if actor == nil {
		return nil
	}
	if given == nil {
		return fault.Newf(fault.Forbidden, "nobody gives unlimited rights")
	}
	if given.Role == Owner && actor.Role != Owner {
		return fault.Newf(fault.Forbidden, "only an owner makes somebody an owner, and changes one: ask an owner")
	}
	nothing := &tenant.Rights{Hidden: tenant.Classes, Clients: []string{}, Teams: []string{}}
	return granted(actor, compared(given.Role, nothing, given))
}

// lines says which lines of a text came and went, in their order.
func lines(before, after string) []string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	// Longest common subsequence: texts are at most maxText, mostly a few dozen lines.
	if len(a)*len(b) > 4_000_000 {
		return []string{fmt.Sprintf("%d lines became %d", len(a), len(b))}
	}
	long := make([][]int, len(a)+1)
	for i := range long {
		long[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				long[i][j] = long[i+1][j+1] + 1
			} else {
				long[i][j] = max(long[i+1][j], long[i][j+1])
			}
		}
	}
	out := []string{}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && long[i+1][j] >= long[i][j+1]:
			out, i = append(out, "- "+a[i]), i+1
		default:
			out, j = append(out, "+ "+b[j]), j+1
		}
	}
	return slices.DeleteFunc(out, func(l string) bool { return l == "- " || l == "+ " })
}
