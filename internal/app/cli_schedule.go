package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/report"
)

func (c *cli) reportScheduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "schedule", Short: "Have reports made and sent by themselves; without a word, list them", Args: cobra.NoArgs,
		Long: "Schedules run while moatmetrics serve does. One that was missed while nothing ran is run once.",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.printSchedules) },
	}
	list := &cobra.Command{Use: "list", Short: "List the schedules", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.printSchedules) }}
	for _, sub := range []*cobra.Command{list, c.scheduleAddCommand(), c.schedulePauseCommand("pause", true), c.schedulePauseCommand("resume", false), c.scheduleRunCommand(), c.scheduleRemoveCommand()} {
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) printSchedules(ctx context.Context, a *App) error {
	list, err := a.Reports.Schedules(ctx, a.Scope)
	if err != nil {
		return err
	}
	if len(list) == 0 && c.format == "table" {
		_, err := fmt.Fprintln(c.out, "There is no schedule: moatmetrics report schedule add --help says how to make one.")
		return err
	}
	rows := make([][]string, len(list))
	for i, s := range list {
		next, last := "paused", "never"
		if s.NextAt != nil {
			next = s.NextAt.Format(time.DateTime)
		}
		if s.LastAt != nil {
			last = s.LastAt.Format(time.DateTime)
		}
		rows[i] = []string{s.ID, s.Name, s.Template, strings.Join(s.Formats, ","), s.Cron + " " + s.Zone, next, last, fmt.Sprint(len(s.Recipients)), s.Problem}
	}
	return c.table([]string{"schedule", "name", "template", "formats", "when", "next (utc)", "last (utc)", "recipients", "problem"}, rows, list)
}

func (c *cli) scheduleAddCommand() *cobra.Command {
	var spec report.ScheduleSpec
	var to []string
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Add a schedule", Args: cobra.ExactArgs(1),
		Long: "Each --to is a member (user:17, or the member's e-mail address), an address outside (board@client.example via DESTINATION as ROLE) or a place\n" +
			"(DESTINATION as ROLE). An address or a place gets reports about some clients only when their names follow: for CLIENT; CLIENT. A member gets what\n" +
			"the member's own role may see. moatmetrics destinations list shows the destinations.",
		Example: `  moatmetrics report schedule add "Monthly summary" --template executive-summary --cron "0 7 1 * *" --to anna@msp.example
  moatmetrics report schedule add "Client packs" --template client-qbr --every-client --cron "0 6 2 */3 *" --to "archive as client-portal" \
      --to "kim@bay.example via office for Bay Clinic"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.Name = args[0]
			return c.with(cmd, func(ctx context.Context, a *App) error {
				for _, text := range to {
					r, err := a.recipient(ctx, text)
					if err != nil {
						return err
					}
					spec.Recipients = append(spec.Recipients, r)
				}
				s, err := a.Reports.AddSchedule(ctx, a.Scope, spec)
				if err != nil {
					return err
				}
				if c.format == "json" {
					return c.printJSON(s)
				}
				_, err = fmt.Fprintf(c.out, "%s is kept as %s; it runs next at %s.\n", s.Name, s.ID, s.NextAt.Format(time.RFC3339))
				return err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&spec.Template, "template", "", "the report")
	f.StringSliceVar(&spec.Formats, "formats", []string{"pdf"}, "pdf, xlsx, pptx, html, csv, json")
	f.StringVar(&spec.Cron, "cron", "", "minute hour day month weekday, such as \"0 7 1 * *\" for the first of a month at seven")
	f.StringVar(&spec.Zone, "zone", "", "time zone, such as America/New_York; the tenant's without one")
	f.StringVar(&spec.Client, "client", "", "the client that the report is about")
	f.BoolVar(&spec.EveryClient, "every-client", false, "a report for each client with revenue")
	f.StringVar(&spec.Currency, "currency", "", "convert amounts to this currency")
	f.StringVar(&spec.Stale, "when-stale", "", "say or wait: what to do when no newer data came")
	f.StringVar(&spec.Review, "when-in-review", "", "say or wait: what to do while findings wait for a decision")
	f.StringArrayVar(&to, "to", nil, "who gets it, and about which clients; may be repeated")
	for _, must := range []string{"template", "cron"} {
		if err := cmd.MarkFlagRequired(must); err != nil {
			panic(err) // the flag is named above
		}
	}
	return cmd
}

// recipient reads "user:17", "anna@msp.example", "x@client.example via D as ROLE" or "D as ROLE",
// the latter two also with " for CLIENT; CLIENT".
func (a *App) recipient(ctx context.Context, text string) (report.Recipient, error) {
	var r report.Recipient
	rest, clients, named := cutClients(text)
	if named {
		var err error
		if r.Clients, err = clientsOf(clients); err != nil {
			return r, err
		}
	}
	rest, role, _ := strings.Cut(rest, " as ")
	who, via, sent := strings.Cut(strings.TrimSpace(rest), " via ")
	who = strings.TrimSpace(who)
	r.Role, r.Destination = strings.TrimSpace(role), strings.TrimSpace(via)
	if sent {
		d, err := a.Delivery.Destination(ctx, a.Scope, r.Destination)
		if err != nil {
			return r, err
		}
		r.Destination = d.ID
	}
	switch {
	case strings.HasPrefix(who, "user:"):
		r.Actor = who
	case strings.Contains(who, "@"):
		users, err := a.Access.Users(ctx, a.Scope)
		if err != nil {
			return r, err
		}
		if r.Role == "" {
			for _, u := range users {
				if strings.EqualFold(u.Account.Email, who) {
					r.Actor = string(u.Account.Actor())
					return r, nil
				}
			}
			if !sent {
				return r, fault.WithFields(fmt.Sprintf("%s is no member here", who), fault.Field{Path: "to", Message: "write how it is sent, and with whose rights the file is made: " + who + " via DESTINATION as " + access.Viewer})
			}
		}
		r.Address = who
	default:
		d, err := a.Delivery.Destination(ctx, a.Scope, who)
		if err != nil {
			return r, err
		}
		r.Destination = d.ID
	}
	return r, nil
}

// cutClients parts whom a recipient's reports are about from who it is. A client's name may have
// any of the words in it.
func cutClients(text string) (who, clients string, named bool) {
	who, clients, named = strings.Cut(text, " for ")
	if !named && strings.HasSuffix(text, " for") {
		return strings.TrimSuffix(text, " for"), "", true
	}
	return who, clients, named
}

// clientsOf reads names of clients with semicolons between them, as commas are in names.
func clientsOf(text string) ([]string, error) {
	names := strings.Split(text, ";")
	for i, name := range names {
		if names[i] = strings.TrimSpace(name); names[i] == "" {
			return nil, fault.WithFields("a client's name is missing after \"for\"", fault.Field{Path: "to", Message: "write the names as they stand under Clients, with semicolons between them: archive as " + access.Viewer + " for Bay Clinic; Alder Dental"})
		}
	}
	return names, nil
}

func (c *cli) schedulePauseCommand(verb string, paused bool) *cobra.Command {
	short := "Let a schedule rest"
	if !paused {
		short = "Go on with a schedule that rests"
	}
	return &cobra.Command{
		Use: verb + " SCHEDULE", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				s, err := a.Reports.Schedule(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				spec := s.ScheduleSpec
				spec.Paused = paused
				if _, err := a.Reports.ChangeSchedule(ctx, a.Scope, s.ID, spec); err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.out, "Done.")
				return err
			})
		},
	}
}

func (c *cli) scheduleRunCommand() *cobra.Command {
	return &cobra.Command{
		Use: "run SCHEDULE", Short: "Run a schedule now, beside its times, and wait for it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				s, err := a.Reports.Schedule(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				job, err := json.Marshal(map[string]string{"id": s.ID, "due": time.Now().UTC().Format(time.RFC3339Nano)})
				if err != nil {
					return err
				}
				if err := a.Reports.WorkSchedule(ctx, a.Scope, job); err != nil {
					return err
				}
				if s, err = a.Reports.Schedule(ctx, a.Scope, s.ID); err != nil {
					return err
				}
				if s.Problem != "" {
					return fault.Newf(fault.Conflict, "%s", s.Problem)
				}
				_, err = fmt.Fprintln(c.out, "The reports are made; a running moatmetrics serve sends them. moatmetrics report list shows them.")
				return err
			})
		},
	}
}

func (c *cli) scheduleRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove SCHEDULE", Short: "Remove a schedule; what it made stays", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if err := a.Reports.RemoveSchedule(ctx, a.Scope, args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintln(c.out, "The schedule is removed.")
				return err
			})
		},
	}
}
