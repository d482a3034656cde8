package app

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/govern"
)

func (c *cli) governanceCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "governance", Short: "Personal data: what is stored, how long, holds, and requests of persons"}
	list := func(use, short string, run func(ctx context.Context, a *App) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error { return run(ctx, a) })
		}}
	}
	inventory := list("inventory", "List the fields that hold personal data, whose, why, and how long", func(ctx context.Context, a *App) error {
		items, err := a.Governance.Inventory(ctx, a.Scope)
		if err != nil {
			return err
		}
		rows := make([][]string, len(items))
		for i, x := range items {
			rows[i] = []string{x.Table, x.Field, x.What, x.Whose, x.Why, x.Where, x.Kept, strconv.FormatInt(x.Rows, 10)}
		}
		return c.table([]string{"table", "field", "what", "whose", "why", "where", "kept", "rows"}, rows, items)
	})
	for _, sub := range []*cobra.Command{inventory, c.retentionCommand(), c.holdsCommand(), c.peopleCommand(), c.requestsCommand()} {
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) retentionCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "retention", Short: "List how long what is kept, and what a run would delete now", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				due, err := a.Governance.Preview(ctx, a.Scope)
				if err != nil {
					return err
				}
				return c.printDue(due)
			})
		}}
	set := &cobra.Command{Use: "set WHAT MONTHS", Short: "Say how long something is kept: time_entries/rows, tickets/private, uploads, rejects or reports; 0 is for ever", Args: cobra.ExactArgs(2),
		Example: "  moatmetrics governance retention set time_entries/private 24\n  moatmetrics governance retention set reports 36",
		RunE: func(cmd *cobra.Command, args []string) error {
			months, err := strconv.Atoi(args[1])
			if err != nil {
				return usageError{fmt.Errorf("%q is no number of months", args[1])}
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				dataset, what := ruleOf(args[0])
				return a.Governance.SetRule(ctx, a.Scope, dataset, what, months)
			})
		}}
	reset := &cobra.Command{Use: "reset WHAT", Short: "Go back to the default", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				dataset, what := ruleOf(args[0])
				return a.Governance.ResetRule(ctx, a.Scope, dataset, what)
			})
		}}
	run := &cobra.Command{Use: "run", Short: "Delete what is due now", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				out, err := a.Governance.Apply(ctx, a.Scope)
				if err != nil {
					return err
				}
				return c.printDue(out.Due)
			})
		}}
	for _, sub := range []*cobra.Command{set, reset, run} {
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

// ruleOf reads "time_entries/rows" or "uploads".
func ruleOf(text string) (dataset string, what govern.What) {
	dataset, rest, ok := strings.Cut(text, "/")
	if !ok {
		return "", govern.What(text)
	}
	return dataset, govern.What(rest)
}

func (c *cli) printDue(due []govern.Due) error {
	rows := make([][]string, len(due))
	for i, d := range due {
		months := ""
		if len(d.Of) == 2 {
			months = d.Of[0].String()[:7] + " to " + d.Of[1].String()[:7]
		}
		rows[i] = []string{strings.TrimPrefix(d.Dataset+"/"+string(d.What), "/"), d.Words(), d.Cutoff.String(), strconv.FormatInt(d.Rows, 10), months, strconv.FormatInt(d.Held, 10), strconv.FormatInt(d.Closed, 10)}
	}
	return c.table([]string{"what", "kept", "from", "due", "months", "held", "closed"}, rows, due)
}

func (c *cli) holdsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "holds", Short: "List what must not be deleted", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				list, err := a.Governance.Holds(ctx, a.Scope)
				if err != nil {
					return err
				}
				return c.printHolds(list)
			})
		}}
	var spec govern.HoldSpec
	begin := &cobra.Command{Use: "begin KIND [SUBJECT]", Short: "Hold a client, a person (by key) or a dataset from now on; a dataset without a name is everything", Args: cobra.RangeArgs(1, 2),
		Example: "  moatmetrics governance holds begin client \"Bay Clinic\" --reason \"lawsuit 17/2026\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.Kind = govern.HoldKind(args[0])
			if len(args) > 1 {
				spec.Subject = args[1]
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				h, err := a.Governance.BeginHold(ctx, a.Scope, spec)
				if err != nil {
					return err
				}
				return c.printHolds([]govern.Hold{h})
			})
		}}
	begin.Flags().StringVar(&spec.Reason, "reason", "", "why")
	begin.Flags().StringVar(&spec.From, "from", "", "first day that is held")
	begin.Flags().StringVar(&spec.To, "to", "", "first day that is not held any more")
	end := &cobra.Command{Use: "end ID", Short: "Lift a hold", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error { return a.Governance.EndHold(ctx, a.Scope, args[0]) })
		}}
	for _, sub := range []*cobra.Command{begin, end} {
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) printHolds(list []govern.Hold) error {
	rows := make([][]string, len(list))
	for i, h := range list {
		state := "stands"
		if h.EndedAt != nil {
			state = "lifted " + h.EndedAt.Format(time.DateOnly)
		}
		rows[i] = []string{h.ID, string(h.Kind), h.Label, h.From.String(), h.To.String(), h.Reason, string(h.Author), h.At.Format(time.DateOnly), state}
	}
	return c.table([]string{"id", "kind", "what", "from", "to", "reason", "by", "since", "state"}, rows, list)
}

func (c *cli) peopleCommand() *cobra.Command {
	return &cobra.Command{Use: "people TEXT", Short: "Find persons by a part of a name or an e-mail address", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				list, err := a.Governance.People(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				rows := make([][]string, len(list))
				for i, p := range list {
					rows[i] = []string{p.Key, strings.Join(p.Names, ", "), strings.Join(p.Emails, ", "), strings.Join(p.Kinds, ", ")}
				}
				return c.table([]string{"key", "names", "e-mail", "kind"}, rows, list)
			})
		}}
}

func (c *cli) requestsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "requests", Short: "List requests of persons: access and erasure", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				list, err := a.Governance.Requests(ctx, a.Scope)
				if err != nil {
					return err
				}
				return c.printRequests(list...)
			})
		}}
	var spec govern.RequestSpec
	add := &cobra.Command{Use: "new KIND KEY", Short: "Note a request: access or erasure, of a person by key", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.Kind, spec.Person = govern.RequestKind(args[0]), args[1]
			return c.one(cmd, func(ctx context.Context, a *App) (govern.Request, error) {
				return a.Governance.NewRequest(ctx, a.Scope, spec)
			})
		}}
	add.Flags().StringVar(&spec.ReceivedOn, "received", "", "day it was received (default today)")
	add.Flags().StringArrayVar(&spec.Also, "also", nil, "a further spelling to look for; may be given again")
	preview := &cobra.Command{Use: "preview ID", Short: "Say what erasing the person would change", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				p, err := a.Governance.Plan(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				return c.printPlan(p)
			})
		}}
	var reason string
	decide := func(verdict, short string) *cobra.Command {
		cmd := &cobra.Command{Use: verdict + " ID", Short: short, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.one(cmd, func(ctx context.Context, a *App) (govern.Request, error) {
					r, err := a.Governance.Decide(ctx, a.Scope, args[0], verdict, reason)
					if err != nil || verdict != govern.Approve {
						return r, err
					}
					return a.Governance.Erase(ctx, a.Scope, r.ID)
				})
			}}
		cmd.Flags().StringVar(&reason, "reason", "", "why, for those who read it later")
		return cmd
	}
	resume := &cobra.Command{Use: "resume ID", Short: "Go on with an erasure that was interrupted", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.one(cmd, func(ctx context.Context, a *App) (govern.Request, error) {
				return a.Governance.Erase(ctx, a.Scope, args[0])
			})
		}}
	var out string
	bundle := &cobra.Command{Use: "export ID", Short: "Write everything that is stored about the person as a zip", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				out = "request-" + args[0] + ".zip"
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				var b bytes.Buffer
				if err := a.Governance.Bundle(ctx, a.Scope, args[0], &b); err != nil {
					return err
				}
				if err := os.WriteFile(out, b.Bytes(), 0o600); err != nil {
					return fault.Wrapf(fault.Unavailable, err, "%s cannot be written", out)
				}
				fmt.Fprintln(c.err, out)
				return nil
			})
		}}
	bundle.Flags().StringVar(&out, "out", "", "file to write (default request-ID.zip)")
	answered := &cobra.Command{Use: "answered ID", Short: "Close a request for a copy", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.one(cmd, func(ctx context.Context, a *App) (govern.Request, error) {
				return a.Governance.Answered(ctx, a.Scope, args[0])
			})
		}}
	for _, sub := range []*cobra.Command{add, preview, decide(govern.Approve, "Approve a request to erase somebody, and carry it out"), decide(govern.Reject, "Reject a request to erase somebody"), resume, bundle, answered} {
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

// one runs what makes or moves a request and prints it.
func (c *cli) one(cmd *cobra.Command, fn func(ctx context.Context, a *App) (govern.Request, error)) error {
	return c.with(cmd, func(ctx context.Context, a *App) error {
		r, err := fn(ctx, a)
		if err != nil {
			return err
		}
		return c.printRequests(r)
	})
}

func (c *cli) printRequests(list ...govern.Request) error {
	rows := make([][]string, len(list))
	for i, r := range list {
		rows[i] = []string{r.ID, string(r.Kind), r.Label, string(r.State), r.ReceivedOn.String(), r.DueOn.String(), strconv.Itoa(r.DaysLeft), string(r.DecidedBy)}
	}
	return c.table([]string{"id", "kind", "person", "state", "received", "due", "days left", "decided by"}, rows, list)
}

func (c *cli) printPlan(p *govern.Plan) error {
	var rows [][]string
	for _, t := range p.Tables {
		rows = append(rows, []string{"table", t.Table, strconv.FormatInt(t.Rows, 10), strconv.Itoa(t.Files), strconv.Itoa(t.Snapshots), "rewritten"})
	}
	for _, h := range p.Control {
		what := "rewritten"
		if h.Kept {
			what = "kept"
		}
		rows = append(rows, []string{"control database", h.Table, strconv.FormatInt(h.Rows, 10), "", "", what})
	}
	for _, f := range p.Files {
		rows = append(rows, []string{"file", f.Name, "", "1", "", f.Action})
	}
	for _, h := range p.Holds {
		rows = append(rows, []string{"hold", h.Label, "", "", "", "forbids it"})
	}
	if err := c.table([]string{"where", "what", "rows", "files", "snapshots", "what happens"}, rows, p); err != nil {
		return err
	}
	for _, n := range p.Notes {
		fmt.Fprintln(c.err, "note: "+n)
	}
	return nil
}
