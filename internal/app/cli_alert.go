package app

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/moatmetrics/moatmetrics/internal/alert"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

func (c *cli) alertsCommand() *cobra.Command {
	var f alert.Filter
	limit := 1000
	cmd := &cobra.Command{
		Use: "alerts", Short: "See what rules hold for, and say whom they tell", Args: cobra.NoArgs,
		Long:    "A rule that begins to hold is an alert. Routes say whom it is told to, by which way and when; everybody is told only what their role may see.",
		Example: "  moatmetrics alerts add \"Thin margin\" --measure gross_margin --below 20% --by client --role owner --in-app\n  moatmetrics alerts routes add Nights --severity warning --role finance --email office --zone Europe/Berlin --quiet 20:00-07:00 --quiet sat,sun:00:00-00:00 --remind-hours 24\n  moatmetrics alerts list --open\n  moatmetrics alerts ack 3kdj2a8sk2la --note \"a new client\"",
	}
	listing := func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			if limit < 0 {
				return fault.Newf(fault.Invalid, "--limit must be 0 (all) or more")
			}
			most := math.MaxInt
			if limit > 0 {
				most = limit + 1
			}
			list, err := a.Alerts.List(ctx, a.Scope, f, most, 0)
			if err != nil {
				return err
			}
			if limit == 0 || len(list) <= limit {
				return c.printAlerts(list)
			}
			if err := c.printAlerts(list[:limit]); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "There are more than these %d: --limit 0 lists all.\n", limit)
			return nil
		})
	}
	list := &cobra.Command{Use: "list", Short: "List them, the last begun first", Args: cobra.NoArgs, RunE: listing}
	for _, one := range []*cobra.Command{cmd, list} {
		one.RunE = listing
		one.Flags().BoolVar(&f.Open, "open", false, "only those that hold now")
		one.Flags().BoolVar(&f.Unacknowledged, "unacknowledged", false, "only those that nobody has acknowledged")
		one.Flags().IntVar(&limit, "limit", limit, "the most of them, the last begun first; 0 for all")
		one.Flags().StringVar(&f.Rule, "rule", "", "only this rule's")
		one.Flags().StringVar(&f.Severity, "severity", "", "only those: info, warning or critical")
	}
	var note string
	ack := &cobra.Command{Use: "ack ALERT", Short: "Say that it is known: nobody is reminded of it any more", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			one, err := a.Alerts.Acknowledge(ctx, a.Scope, args[0], note)
			if err != nil {
				return err
			}
			return c.printAlerts([]alert.Alert{one})
		})
	}}
	ack.Flags().StringVar(&note, "note", "", "for colleagues: what is done about it")
	unack := &cobra.Command{Use: "unack ALERT", Short: "Take an acknowledgement back", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			one, err := a.Alerts.Unacknowledge(ctx, a.Scope, args[0])
			if err != nil {
				return err
			}
			return c.printAlerts([]alert.Alert{one})
		})
	}}
	run := &cobra.Command{Use: "run", Short: "Evaluate the rules and tell what is due now; a server that runs does it by itself", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			if _, err := a.Rules.Evaluate(ctx, a.Scope); err != nil {
				return err
			}
			told, err := a.Alerts.Run(ctx, a.Scope)
			if err != nil {
				return err
			}
			return c.table([]string{"alerts", "messages"}, [][]string{{fmt.Sprint(told.Hits), fmt.Sprint(told.Messages)}}, told)
		})
	}}
	cmd.AddCommand(list, c.alertAddCommand(), ack, unack, run, c.alertRoutesCommand())
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

func (c *cli) printAlerts(list []alert.Alert) error {
	rows := make([][]string, len(list))
	for i, a := range list {
		state := "holds"
		if a.EndedAt != nil {
			state = "ended " + shortTime(a.EndedAt)
		}
		known := ""
		if a.Acknowledged != nil {
			known = strings.TrimSpace(string(a.Acknowledged.By) + " " + a.Acknowledged.Note)
		}
		rows[i] = []string{a.ID, a.Severity, a.Rule, a.Subject, a.Value, shortTime(&a.FirstAt), state, shortTime(a.ToldAt), known}
	}
	return c.table([]string{"id", "severity", "rule", "for", "value", "since", "state", "told", "acknowledged by"}, rows, list)
}

// routeFlags are the flags that say whom a route tells, how and when.
type routeFlags struct {
	spec  alert.RouteSpec
	users []string
	quiet []string
}

func (r *routeFlags) bind(f *pflag.FlagSet) {
	for _, u := range r.spec.Users {
		r.users = append(r.users, string(u))
	}
	for _, w := range r.spec.Quiet {
		r.quiet = append(r.quiet, wordsOf(w))
	}
	s := &r.spec
	// Values hold commas of their own (days), so each of --quiet is one window.
	f.StringArrayVar(&r.quiet, "quiet", r.quiet, "when nothing is told, such as 20:00-07:00 or sat,sun:00:00-00:00; may be repeated")
	f.StringSliceVar(&r.users, "user", r.users, "who is told: an id or an e-mail address; may be repeated")
	f.StringSliceVar(&s.Roles, "role", s.Roles, "role whose members are told; may be repeated")
	f.BoolVar(&s.InApp, "in-app", s.InApp, "as a notice in the program")
	f.BoolVar(&s.Push, "push", s.Push, "in the browsers of those who opted in")
	f.StringVar(&s.Email, "email", s.Email, "e-mail destination that it goes through")
	f.StringSliceVar(&s.Webhooks, "webhook", s.Webhooks, "webhook destination; may be repeated")
	f.StringVar(&s.WebhookRole, "webhook-role", s.WebhookRole, "role whose rights decide what webhooks are told (default viewer)")
	f.StringVar(&s.Zone, "zone", s.Zone, "time zone of the times (default: the tenant's)")
	f.IntVar(&s.EveryMinutes, "every-minutes", s.EveryMinutes, "at most one message in so many minutes")
	f.StringVar(&s.DailyAt, "daily-at", s.DailyAt, "one message a day at this time, such as 08:00")
	f.IntVar(&s.RemindHours, "remind-hours", s.RemindHours, "tell again after so many hours until somebody has acknowledged it")
	f.BoolVar(&s.Paused, "paused", s.Paused, "tells nothing for now")
}

// wordsOf writes a window as --quiet takes it.
func wordsOf(w alert.Window) string {
	text := w.From + "-" + w.To
	if len(w.Days) > 0 {
		text = strings.Join(w.Days, ",") + ":" + text
	}
	return text
}

// windowOf reads what wordsOf writes.
func windowOf(text string) (alert.Window, error) {
	var w alert.Window
	times := text
	if days, rest, found := strings.Cut(text, ":"); found && strings.Trim(days, "0123456789") != "" {
		w.Days, times = strings.Split(strings.ToLower(days), ","), rest
	}
	from, to, ok := strings.Cut(times, "-")
	if !ok {
		return w, fault.Newf(fault.Invalid, "--quiet %s: write 20:00-07:00, or sat,sun:00:00-00:00 with days in front", text)
	}
	w.From, w.To = strings.TrimSpace(from), strings.TrimSpace(to)
	return w, nil
}

// read completes the spec with what the flags name.
func (r *routeFlags) read(ctx context.Context, a *App) error {
	r.spec.Users, r.spec.Quiet = nil, nil
	for _, name := range r.users {
		u, err := a.Access.User(ctx, a.Scope, strings.TrimPrefix(name, "user:"))
		if err != nil {
			return err
		}
		r.spec.Users = append(r.spec.Users, u.Account.Actor())
	}
	for _, text := range r.quiet {
		w, err := windowOf(text)
		if err != nil {
			return err
		}
		r.spec.Quiet = append(r.spec.Quiet, w)
	}
	return nil
}

func (c *cli) alertAddCommand() *cobra.Command {
	var t alert.Threshold
	var flags routeFlags
	cmd := &cobra.Command{Use: "add NAME --measure M --below V", Short: "Alert on a measure or KPI: makes the rule and the route in one step", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			t.Name = args[0]
			if err := flags.read(ctx, a); err != nil {
				return err
			}
			r, err := a.Alerts.AddThreshold(ctx, a.Scope, t, flags.spec)
			if err != nil {
				return err
			}
			return c.printRoutes([]alert.Route{r})
		})
	}}
	f := cmd.Flags()
	f.StringVar(&t.Measure, "measure", "", "measure or KPI")
	f.StringVar(&t.Below, "below", "", "alert when it is below, such as 20% or 1000")
	f.StringVar(&t.Above, "above", "", "alert when it is above")
	f.StringVar(&t.Dimension, "by", "", "dimension whose members are judged; the whole firm unless given")
	f.StringVar(&t.Where, "where", "", "which rows count")
	f.IntVar(&t.Months, "months", 0, "complete months looked at (default 1)")
	f.StringVar(&t.Severity, "severity", "", "info, warning or critical (default warning)")
	f.StringVar(&t.Description, "description", "", "what to do about it")
	flags.bind(f)
	return cmd
}

func (c *cli) alertRoutesCommand() *cobra.Command {
	listing := func(ctx context.Context, a *App) error {
		list, err := a.Alerts.Routes(ctx, a.Scope)
		if err != nil {
			return err
		}
		return c.printRoutes(list)
	}
	cmd := &cobra.Command{Use: "routes", Short: "Say whom rules tell, how and when", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, listing) }}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List them", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, listing) }},
		&cobra.Command{Use: "remove ROUTE", Short: "Forget one", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if err := a.Alerts.RemoveRoute(ctx, a.Scope, args[0]); err != nil {
					return err
				}
				return c.done("%s is removed", args[0])
			})
		}},
		c.routeAddCommand(), c.routeChangeCommand())
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

// ofRules are the flags that choose rules.
func ofRules(f *pflag.FlagSet, spec *alert.RouteSpec) {
	f.StringSliceVar(&spec.Rules, "rule", spec.Rules, "rule that it tells of; may be repeated (default all)")
	f.StringSliceVar(&spec.Severities, "severity", spec.Severities, "severity of rules that it tells of; may be repeated (default all)")
}

func (c *cli) routeAddCommand() *cobra.Command {
	var flags routeFlags
	cmd := &cobra.Command{Use: "add NAME", Short: "Tell people of rules that begin to hold", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			flags.spec.Name = args[0]
			if err := flags.read(ctx, a); err != nil {
				return err
			}
			r, err := a.Alerts.AddRoute(ctx, a.Scope, flags.spec)
			if err != nil {
				return err
			}
			return c.printRoutes([]alert.Route{r})
		})
	}}
	flags.bind(cmd.Flags())
	ofRules(cmd.Flags(), &flags.spec)
	return cmd
}

func (c *cli) routeChangeCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{Use: "change ROUTE", Short: "Change what the given flags name; the rest stays", Args: cobra.ExactArgs(1)}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			r, err := a.Alerts.Route(ctx, a.Scope, args[0])
			if err != nil {
				return err
			}
			flags := routeFlags{spec: r.RouteSpec}
			if name != "" {
				flags.spec.Name = name
			}
			own := pflag.NewFlagSet("", pflag.ContinueOnError)
			flags.bind(own)
			ofRules(own, &flags.spec)
			if err := given(cmd.Flags(), own); err != nil {
				return err
			}
			if err := flags.read(ctx, a); err != nil {
				return err
			}
			if r, err = a.Alerts.ChangeRoute(ctx, a.Scope, r.ID, flags.spec); err != nil {
				return err
			}
			return c.printRoutes([]alert.Route{r})
		})
	}
	cmd.Flags().StringVar(&name, "name", "", "what it is called from now on")
	var shown routeFlags
	shown.bind(cmd.Flags())
	ofRules(cmd.Flags(), &shown.spec)
	return cmd
}

func (c *cli) printRoutes(list []alert.Route) error {
	rows := make([][]string, len(list))
	for i, r := range list {
		about := append(append([]string{}, r.Rules...), r.Severities...)
		var to, ways, quiet []string
		for _, u := range r.Users {
			to = append(to, string(u))
		}
		to = append(to, r.Roles...)
		for _, w := range []struct {
			name string
			on   bool
		}{{"in the program", r.InApp}, {"browsers", r.Push}, {"e-mail", r.Email != ""}, {"webhooks", len(r.Webhooks) > 0}} {
			if w.on {
				ways = append(ways, w.name)
			}
		}
		for _, w := range r.Quiet {
			quiet = append(quiet, wordsOf(w))
		}
		rows[i] = []string{r.Name, orText(strings.Join(about, ", "), "all rules"), orText(strings.Join(to, ", "), "everybody"), strings.Join(ways, ", "), strings.Join(quiet, " "), whenOf(r), shortTime(r.SentAt), r.Problem}
	}
	return c.table([]string{"route", "rules", "to", "by", "quiet", "when", "last told", "problem"}, rows, list)
}

// whenOf says how messages are grouped, and whether they remind.
func whenOf(r alert.Route) string {
	text := "at once"
	switch {
	case r.Paused:
		return "paused"
	case r.DailyAt != "":
		text = "daily at " + r.DailyAt
	case r.EveryMinutes > 0:
		text = fmt.Sprintf("once in %d minutes", r.EveryMinutes)
	}
	if r.RemindHours > 0 {
		text += fmt.Sprintf(", reminds every %d hours", r.RemindHours)
	}
	return text
}
