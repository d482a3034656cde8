package app

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func (c *cli) usersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "users", Short: "Who may sign in: invite, disable, set anew",
		Example: "  moatmetrics users invite anna@example.com --role analyst\n  moatmetrics users list\n  moatmetrics users reset anna@example.com --forget-factors",
	}
	one := func(use, short string, fn func(ctx context.Context, a *App, id string) error) *cobra.Command {
		return &cobra.Command{Use: use + " NAME", Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				u, err := a.Access.User(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				return fn(ctx, a, u.Account.ID)
			})
		}}
	}
	state := func(off bool) func(ctx context.Context, a *App, id string) error {
		return func(ctx context.Context, a *App, id string) error {
			return a.Access.ChangeUser(ctx, a.Scope, id, access.UserChange{Disabled: &off})
		}
	}
	forget := false
	reset := one("reset", "Print a link with which somebody sets a new password; it works once, for a day", func(ctx context.Context, a *App, id string) error {
		token, l, err := a.Access.ResetUser(ctx, a.Scope, id, forget)
		if err != nil {
			return err
		}
		return c.printLink(a, token, l)
	})
	reset.Flags().BoolVar(&forget, "forget-factors", false, "forget the authenticator app, recovery codes and passkeys too: for those who lost their phone")
	cmd.AddCommand(c.usersListCommand(), c.usersInviteCommand(), c.usersRoleCommand(), reset,
		one("disable", "Keep somebody from signing in; sessions and keys end", state(true)),
		one("enable", "Let somebody sign in again", state(false)),
		one("sign-out", "End all sessions of somebody", func(ctx context.Context, a *App, id string) error {
			return a.Access.EndUserSessions(ctx, a.Scope, id)
		}),
		one("remove", "Take somebody out of this tenant", func(ctx context.Context, a *App, id string) error {
			return a.Access.RemoveUser(ctx, a.Scope, id)
		}))
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

func (c *cli) usersListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "Users and open invitations", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			users, err := a.Access.Users(ctx, a.Scope)
			if err != nil {
				return err
			}
			links, err := a.Access.Invitations(ctx, a.Scope)
			if err != nil {
				return err
			}
			type user struct {
				ID      string   `json:"id"`
				Email   string   `json:"email"`
				Name    string   `json:"name"`
				Role    string   `json:"role"`
				State   string   `json:"state"`
				Clients []string `json:"clients"`
				Teams   []string `json:"teams"`
				Seen    string   `json:"seen"`
				Factors string   `json:"factors"`
			}
			list := []user{}
			for _, u := range users {
				x := user{u.Account.ID, u.Account.Email, u.Account.Name, u.Role, "active", u.Clients, u.Teams, "never", factors(u)}
				if u.Account.Disabled {
					x.State = "disabled"
				}
				if !u.Account.SeenAt.IsZero() {
					x.Seen = u.Account.SeenAt.UTC().Format(time.RFC3339)
				}
				list = append(list, x)
			}
			for _, l := range links {
				list = append(list, user{l.ID, l.Email, "", l.Role, "invited", l.Clients, l.Teams, "never", "-"})
			}
			rows := make([][]string, len(list))
			for i, u := range list {
				rows[i] = []string{u.Email, u.Name, u.Role, u.State, limits(u.Clients), limits(u.Teams), u.Seen, u.Factors, u.ID}
			}
			return c.table([]string{"email", "name", "role", "state", "clients", "teams", "seen", "factors", "id"}, rows, list)
		})
	}}
}

func factors(u access.User) string {
	var out []string
	if u.Account.TOTP {
		out = append(out, "app")
	}
	if u.Passkeys > 0 {
		out = append(out, fmt.Sprintf("%d passkeys", u.Passkeys))
	}
	return orText(strings.Join(out, ", "), "-")
}

func limits(of []string) string {
	if of == nil {
		return "all"
	}
	return orText(strings.Join(of, ", "), "none")
}

// standingFlags bind what somebody is given.
func standingFlags(cmd *cobra.Command, as *access.Standing) {
	cmd.Flags().StringVar(&as.Role, "role", "viewer", "owner, admin, finance, analyst, reviewer, technician, viewer or client-portal")
	cmd.Flags().StringSliceVar(&as.Clients, "client", nil, "the only client whose figures are seen; may be repeated (default all)")
	cmd.Flags().StringSliceVar(&as.Teams, "team", nil, "the only team whose figures are seen; may be repeated (default all)")
}

func (c *cli) usersInviteCommand() *cobra.Command {
	var as access.Standing
	cmd := &cobra.Command{Use: "invite EMAIL", Short: "Print a link with which somebody makes their account; it works once, for a week", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			if has, err := a.Access.HasAccounts(ctx); err != nil {
				return err
			} else if !has && as.Role != "owner" {
				return fault.Newf(fault.Conflict, "there are no accounts yet: the first one is an owner's. Run it with --role owner, or open the page Users")
			}
			token, l, err := a.Access.Invite(ctx, a.Scope, args[0], as)
			if err != nil {
				return err
			}
			return c.printLink(a, token, l)
		})
	}}
	standingFlags(cmd, &as)
	return cmd
}

func (c *cli) usersRoleCommand() *cobra.Command {
	var as access.Standing
	cmd := &cobra.Command{Use: "role NAME", Short: "Give somebody another role and limits", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			u, err := a.Access.User(ctx, a.Scope, args[0])
			if err != nil {
				return err
			}
			return a.Access.ChangeUser(ctx, a.Scope, u.Account.ID, access.UserChange{As: &as})
		})
	}}
	standingFlags(cmd, &as)
	return cmd
}

// printLink prints a link as it is opened on this machine.
func (c *cli) printLink(a *App, token string, l access.Link) error {
	address := a.address() + access.LinkPath(token)
	v := map[string]string{"address": address, "kind": string(l.Kind), "email": l.Email, "expires_at": l.ExpiresAt.UTC().Format(time.RFC3339)}
	if c.format != "table" {
		return c.table([]string{"address", "kind", "email", "expires_at"}, [][]string{{address, string(l.Kind), l.Email, v["expires_at"]}}, v)
	}
	_, err := fmt.Fprintf(c.out, "%s\nIt works once, until %s. Whoever has it can use it: send it to %s only.\n", address, l.ExpiresAt.Local().Format("2006-01-02 15:04"), l.Email)
	return err
}

// address is where a browser finds the server: under its first configured name, or on this
// machine.
func (a *App) address() string {
	scheme := "http://"
	if a.Config.TLSCert != "" {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(a.Config.Listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback())) {
		host = "localhost" // passkeys work at a name only
	}
	if hosts := listOf(a.Config.Hosts); len(hosts) > 0 {
		if host = hosts[0]; a.Config.TrustedProxies != "" {
			return "https://" + host // of the proxy
		}
	}
	return scheme + net.JoinHostPort(host, port)
}

func (c *cli) signInCommand() *cobra.Command {
	var name string
	var listen listening
	cmd := &cobra.Command{
		Use: "sign-in", Short: "Print an address that signs in the owner, or another user, once", Args: cobra.NoArgs,
		Long: "Print an address that signs in without a password: whoever can read the data directory may be anybody anyway. It works\nonce, for ten minutes, while serve runs. It is on the audit record.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if err := listen.into(&a.Config); err != nil {
					return err
				}
				return c.printSignIn(ctx, a, name)
			})
		},
	}
	cmd.Flags().StringVar(&name, "user", "", "e-mail address or id (default the first owner)")
	listen.flags(cmd)
	return cmd
}

func (c *cli) printSignIn(ctx context.Context, a *App, name string) error {
	users, err := a.Access.Users(ctx, a.Scope)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(users, func(u access.User) bool {
		if name != "" {
			return u.Account.ID == name || strings.EqualFold(u.Account.Email, name)
		}
		return u.Role == "owner" && !u.Account.Disabled
	})
	if at < 0 {
		if name == "" {
			return fault.Newf(fault.NotFound, "there are no accounts yet: open %s/users while serve runs, to make the owner's", a.address())
		}
		return fault.Newf(fault.NotFound, "there is no user %s: moatmetrics users list shows all", name)
	}
	token, l, err := a.Access.SignInAs(ctx, a.Scope, users[at].Account.ID)
	if err != nil {
		return err
	}
	return c.printLink(a, token, l)
}

// demoSignIn prints an address to sign in once there are accounts.
func (c *cli) demoSignIn(ctx context.Context, a *App) error {
	if has, err := a.Access.HasAccounts(ctx); err != nil || !has {
		return err
	}
	return c.printSignIn(ctx, a, "")
}

func (c *cli) apiKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "apikeys", Short: "Keys with which programs use the API in somebody's name",
		Example: "  moatmetrics apikeys add report --user anna@example.com --action figures.read --days 90\n  moatmetrics apikeys list\n  moatmetrics apikeys end KEY",
	}
	cmd.AddCommand(c.apiKeysAddCommand(),
		&cobra.Command{Use: "list", Short: "All keys, the newest first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				keys, err := a.Access.Keys(ctx, a.Scope, "")
				if err != nil {
					return err
				}
				return c.printKeys(ctx, a, keys)
			})
		}},
		&cobra.Command{Use: "end KEY", Short: "End a key", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error { return a.Access.DropKey(ctx, a.Scope, "", args[0]) })
		}})
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

func (c *cli) apiKeysAddCommand() *cobra.Command {
	var user string
	var actions []string
	in := access.NewKey{}
	cmd := &cobra.Command{Use: "add NAME", Short: "Make a key of a user and print it, this once", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		in.Name = args[0]
		for _, a := range actions {
			in.Actions = append(in.Actions, tenant.Action(a))
		}
		return c.with(cmd, func(ctx context.Context, a *App) error {
			u, err := a.Access.User(ctx, a.Scope, user)
			if err != nil {
				return err
			}
			key, k, err := a.Access.CreateKeyFor(ctx, a.Scope, u.Account.ID, in)
			if err != nil {
				return err
			}
			if c.format == "table" {
				_, err = fmt.Fprintf(c.out, "%s\nIt is not shown again. It works until %s, for %s.\n", key, k.ExpiresAt.Local().Format(time.DateOnly), joinActions(k.Actions))
				return err
			}
			return c.table([]string{"key", "id", "expires_at"}, [][]string{{key, k.ID, k.ExpiresAt.UTC().Format(time.RFC3339)}}, map[string]string{"key": key, "id": k.ID, "expires_at": k.ExpiresAt.UTC().Format(time.RFC3339)})
		})
	}}
	cmd.Flags().StringVar(&user, "user", "", "e-mail address or id of the user in whose name the key works")
	cmd.Flags().StringSliceVar(&actions, "action", []string{string(access.FiguresRead)}, "what it may do; may be repeated")
	cmd.Flags().IntVar(&in.Days, "days", 90, "days until it ends, 1 to 365")
	cmd.MarkFlagRequired("user")
	return cmd
}

func joinActions(of []tenant.Action) string {
	out := make([]string, len(of))
	for i, a := range of {
		out[i] = string(a)
	}
	return strings.Join(out, ", ")
}

func (c *cli) printKeys(ctx context.Context, a *App, keys []access.Key) error {
	users, err := a.Access.Users(ctx, a.Scope)
	if err != nil {
		return err
	}
	type key struct {
		ID      string          `json:"id"`
		Name    string          `json:"name"`
		User    string          `json:"user"`
		Actions []tenant.Action `json:"actions"`
		Expires string          `json:"expires_at"`
		Used    string          `json:"used"`
	}
	list := make([]key, len(keys))
	rows := make([][]string, len(keys))
	for i, k := range keys {
		x := key{k.ID, k.Name, k.Account, k.Actions, k.ExpiresAt.UTC().Format(time.RFC3339), "never"}
		if at := slices.IndexFunc(users, func(u access.User) bool { return u.Account.ID == k.Account }); at >= 0 {
			x.User = users[at].Account.Email
		}
		if !k.UsedAt.IsZero() {
			x.Used = k.UsedAt.UTC().Format(time.RFC3339) + " from " + k.UsedFrom
		}
		list[i], rows[i] = x, []string{x.Name, x.User, joinActions(x.Actions), x.Expires, x.Used, x.ID}
	}
	return c.table([]string{"name", "user", "actions", "expires", "used", "id"}, rows, list)
}
