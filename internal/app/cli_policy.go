package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func (c *cli) policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "policy", Short: "Say who may see and do what: roles, policies, why something is refused", Args: cobra.NoArgs,
		Long: "What no policy allows is refused. There are eight built-in roles; a tenant adds roles and Cedar policies of its own. Each change\nis a version with who, when and why; where a second person may change policies, it waits for that person. Nobody gives what he\ndoes not have himself. See docs/policies.md.",
		Example: "  moatmetrics policy roles\n  moatmetrics policy why viewer figures.read --resource class:pay\n" +
			"  moatmetrics policy role add regional --label \"Regional manager\" --based-on viewer --actions figures.read --hide pay,cost,margin,personal --clients \"Harbor Dental Group\"",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listPolicies) },
	}
	list := &cobra.Command{Use: "list", Short: "List the policies that hold", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listPolicies) }}
	roles := &cobra.Command{Use: "roles", Short: "List the roles with what each may do and does not see", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listRoles) }}
	var limit int
	history := &cobra.Command{Use: "history", Short: "List the changes: who, when, why, what they gave and took", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			list, err := a.Policies.History(ctx, a.Scope, "", limit)
			if err != nil {
				return err
			}
			return c.printVersions(list)
		})
	}}
	history.Flags().IntVar(&limit, "limit", 50, "most versions to list")
	subs := []*cobra.Command{list, c.showPoliciesCommand(), c.whyCommand(), roles, history, c.setPoliciesCommand(), c.decidePolicyCommand(true), c.decidePolicyCommand(false), c.roleCommand()}
	for _, sub := range subs {
		wrapArgs(sub)
	}
	cmd.AddCommand(subs...)
	return cmd
}

func (c *cli) listPolicies(ctx context.Context, a *App) error {
	now, err := a.Policies.Current(ctx, a.Scope)
	if err != nil {
		return err
	}
	rows := make([][]string, len(now.Policies))
	for i, p := range now.Policies {
		rows[i] = []string{p.ID, p.Effect, p.From, p.Says}
	}
	return c.table([]string{"policy", "effect", "from", "says"}, rows, now)
}

func (c *cli) showPoliciesCommand() *cobra.Command {
	var schema bool
	cmd := &cobra.Command{Use: "show [ID]", Short: "Print policies as Cedar: all, or one", Args: cobra.MaximumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			now, err := a.Policies.Current(ctx, a.Scope)
			if err != nil {
				return err
			}
			if schema {
				_, err := fmt.Fprintln(c.out, strings.TrimSpace(now.Schema))
				return err
			}
			list := now.Policies
			if len(args) == 1 {
				list = slices.DeleteFunc(slices.Clone(list), func(p access.Policy) bool { return p.ID != args[0] })
				if len(list) == 0 {
					return fault.Newf(fault.NotFound, "there is no policy %q: moatmetrics policy list names them", args[0])
				}
			}
			if c.format == "json" {
				return c.printJSON(list)
			}
			for i, p := range list {
				if i > 0 {
					fmt.Fprintln(c.out)
				}
				fmt.Fprintln(c.out, p.Text)
			}
			return nil
		})
	}}
	cmd.Flags().BoolVar(&schema, "schema", false, "print what policies may speak about instead")
	return cmd
}

func (c *cli) whyCommand() *cobra.Command {
	var resource string
	var limits access.Limits
	cmd := &cobra.Command{
		Use: "why ROLE ACTION", Short: "Say whether a role may do something, which policy says so, and who may", Args: cobra.ExactArgs(2),
		Example: "  moatmetrics policy why viewer figures.read --resource class:pay\n  moatmetrics policy why technician figures.read --resource \"team:Service Desk\" --teams Projects",
	}
	cmd.Flags().StringVar(&resource, "resource", "tenant", "tenant, class:pay, client:NAME or team:NAME")
	limitFlags(cmd, &limits)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		on, err := access.ParseResource(resource)
		if err != nil {
			return err
		}
		return c.with(cmd, func(ctx context.Context, a *App) error {
			why, err := a.Policies.Why(ctx, a.Scope, access.Question{Role: args[0], Limits: limits, Action: tenant.Action(args[1]), Resource: on})
			if err != nil {
				return err
			}
			if c.format != "table" {
				rows := [][]string{{yes(why.Allowed), why.Words, strings.Join(why.Who, " ")}}
				return c.table([]string{"allowed", "why", "roles that may"}, rows, why)
			}
			fmt.Fprintf(c.out, "%s\n\nRoles that may: %s\n", why.Words, orText(strings.Join(why.Who, ", "), "none"))
			for _, p := range why.Policies {
				fmt.Fprintf(c.out, "\n%s\n", p.Text)
			}
			return nil
		})
	}
	return cmd
}

// limitFlags take names one by one, since names hold commas.
func limitFlags(cmd *cobra.Command, l *access.Limits) {
	cmd.Flags().StringArrayVar(&l.Clients, "clients", nil, "limited to this client; give it once for each")
	cmd.Flags().StringArrayVar(&l.Teams, "teams", nil, "limited to this team; give it once for each")
}

func yes(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }

func (c *cli) listRoles(ctx context.Context, a *App) error {
	list, err := a.Policies.Roles(ctx, a.Scope)
	if err != nil {
		return err
	}
	type shown struct {
		access.Role
		Actions []tenant.Action `json:"actions"`
		Hidden  []tenant.Class  `json:"hidden"`
		Clients []string        `json:"clients"`
		Teams   []string        `json:"teams"`
	}
	out := make([]shown, len(list))
	rows := make([][]string, len(list))
	for i, r := range list {
		out[i] = shown{r, r.Rights.Actions, append([]tenant.Class{}, r.Rights.Hidden...), r.Rights.Clients, r.Rights.Teams}
		does := fmt.Sprintf("%d of %d", len(r.Rights.Actions), len(access.Actions))
		if len(r.Rights.Actions) <= 8 {
			does = joined(r.Rights.Actions)
		}
		rows[i] = []string{r.Name, r.Label, does, orText(joined(r.Rights.Hidden), "nothing"), whose(r.Rights.Clients), whose(r.Rights.Teams)}
	}
	return c.table([]string{"role", "label", "may", "does not see", "clients", "teams"}, rows, out)
}

func joined[T ~string](of []T) string {
	out := make([]string, len(of))
	for i, o := range of {
		out[i] = string(o)
	}
	return strings.Join(out, " ")
}

func whose(of []string) string {
	switch {
	case of == nil:
		return "all"
	case len(of) == 0:
		return "those that the account names"
	}
	return joinList(of)
}

func (c *cli) setPoliciesCommand() *cobra.Command {
	var reason string
	var try bool
	cmd := &cobra.Command{Use: "set FILE", Short: "Replace the tenant's own policies by those of a file (- is standard input)", Args: cobra.ExactArgs(1)}
	changeFlags(cmd, &reason, &try)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var text []byte
		var err error
		if args[0] == "-" {
			text, err = io.ReadAll(c.in)
		} else {
			text, err = os.ReadFile(args[0])
		}
		if err != nil {
			return fault.Wrapf(fault.Invalid, err, "%s cannot be read: %v", args[0], err)
		}
		own := string(text)
		return c.changePolicies(cmd, access.PolicyChange{Text: &own, Reason: reason, Try: try})
	}
	return cmd
}

func changeFlags(cmd *cobra.Command, reason *string, try *bool) {
	cmd.Flags().StringVar(reason, "reason", "", "why, for those who approve or read it later")
	cmd.Flags().BoolVar(try, "try", false, "only say what it would do")
}

func (c *cli) changePolicies(cmd *cobra.Command, change access.PolicyChange) error {
	return c.with(cmd, func(ctx context.Context, a *App) error {
		v, err := a.Policies.Change(ctx, a.Scope, change)
		if err != nil {
			return err
		}
		if err := c.printVersions([]access.PolicyVersion{v}); err != nil || c.format != "table" {
			return err
		}
		switch {
		case change.Try:
			fmt.Fprintln(c.err, "note: nothing is changed: this is what it would do")
		case v.Waits != "":
			fmt.Fprintf(c.err, "note: this waits for %s: moatmetrics policy approve %d\n", v.Waits, v.Version)
		default:
			fmt.Fprintln(c.err, "note: this holds at once, since nobody else may approve it")
		}
		return nil
	})
}

func (c *cli) printVersions(list []access.PolicyVersion) error {
	rows := make([][]string, len(list))
	for i, v := range list {
		var what []string
		for _, e := range v.Effects {
			what = append(what, e.String())
		}
		what = append(what, v.Lines...)
		status := v.Status
		if v.Current {
			status = "in force"
		}
		at := ""
		if !v.At.IsZero() {
			at = shortTime(&v.At)
		}
		rows[i] = []string{fmt.Sprint(v.Version), at, string(v.Author), status, string(v.DecidedBy), v.Reason, strings.Join(what, "; ")}
	}
	return c.table([]string{"version", "at", "by", "status", "decided by", "why", "what"}, rows, list)
}

func (c *cli) decidePolicyCommand(approve bool) *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: "reject VERSION", Short: "Reject a proposed change, or withdraw your own", Args: cobra.ExactArgs(1)}
	if approve {
		cmd.Use, cmd.Short = "approve VERSION", "Let a change that somebody else proposed take effect"
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who read it later")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		version, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return usageError{fmt.Errorf("%q is no version: moatmetrics policy history lists them", args[0])}
		}
		return c.with(cmd, func(ctx context.Context, a *App) error {
			v, err := a.Policies.Decide(ctx, a.Scope, version, approve, reason)
			if err != nil {
				return err
			}
			return c.printVersions([]access.PolicyVersion{v})
		})
	}
	return cmd
}

func (c *cli) roleCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "role", Short: "Add, change and remove roles of your own", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listRoles) }}
	var reason string
	var try bool
	remove := &cobra.Command{Use: "remove NAME", Short: "Remove one that no account has", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.changePolicies(cmd, access.PolicyChange{Remove: args[0], Reason: reason, Try: try})
	}}
	changeFlags(remove, &reason, &try)
	for _, sub := range []*cobra.Command{c.putRoleCommand(true), c.putRoleCommand(false), remove} {
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) putRoleCommand(add bool) *cobra.Command {
	var r access.CustomRole
	var actions, hidden []string
	var limits access.Limits
	var reason string
	var try bool
	cmd := &cobra.Command{Use: "change NAME", Short: "Change one; what is not given stays", Args: cobra.ExactArgs(1)}
	if add {
		cmd.Use, cmd.Short = "add NAME --label L --based-on ROLE --actions A,B", "Make one"
	}
	f := cmd.Flags()
	f.StringVar(&r.Label, "label", "", "name for people")
	f.StringVar(&r.BasedOn, "based-on", access.Viewer, "built-in role from which it takes whether accounts must name teams or clients")
	f.StringSliceVar(&actions, "actions", nil, "what it may do, such as figures.read,figures.export")
	f.StringSliceVar(&hidden, "hide", nil, "what it does not see: pay, cost, margin, personal")
	limitFlags(cmd, &limits)
	changeFlags(cmd, &reason, &try)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		change := access.PolicyChange{Put: &r, New: add, Reason: reason, Try: try}
		r.Name = args[0]
		if !add {
			was, err := c.roleAsItIs(cmd, args[0])
			if err != nil {
				return err
			}
			if !f.Changed("label") {
				r.Label = was.Label
			}
			if !f.Changed("based-on") {
				r.BasedOn = was.BasedOn
			}
			r.Actions, r.Hidden, r.Clients, r.Teams = was.Actions, was.Hidden, was.Clients, was.Teams
		} else if !f.Changed("hide") {
			r.Hidden = tenant.Classes // the closed default: what is not said is hidden
		}
		if f.Changed("actions") {
			r.Actions = typed[tenant.Action](actions)
		}
		if f.Changed("hide") {
			r.Hidden = typed[tenant.Class](hidden)
		}
		if f.Changed("clients") {
			r.Clients = limits.Clients
		}
		if f.Changed("teams") {
			r.Teams = limits.Teams
		}
		return c.changePolicies(cmd, change)
	}
	return cmd
}

func typed[T ~string](of []string) []T {
	out := []T{}
	for _, o := range of {
		if o = strings.TrimSpace(o); o != "" {
			out = append(out, T(o))
		}
	}
	return out
}

// roleAsItIs returns a role that was made here.
func (c *cli) roleAsItIs(cmd *cobra.Command, name string) (access.CustomRole, error) {
	var out access.CustomRole
	err := c.with(cmd, func(ctx context.Context, a *App) error {
		list, err := a.Policies.Roles(ctx, a.Scope)
		if err != nil {
			return err
		}
		for _, r := range list {
			if r.Name == name && r.Custom != nil {
				out = *r.Custom
				return nil
			}
			if r.Name == name {
				return fault.Newf(fault.Forbidden, "the role %s is built in and cannot be changed: make a role based on it", name)
			}
		}
		return fault.Newf(fault.NotFound, "there is no role %q", name)
	})
	return out, err
}
