package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/metric"
)

func (c *cli) thresholdsCommand() *cobra.Command {
	var measure, source string
	cmd := &cobra.Command{
		Use: "thresholds", Short: "List what values of measures are held to be, with who says so; set or reset your own", Args: cobra.NoArgs,
		Long: "Bands of values with their population, source and date. They are advice, not truth. Kind S is sourced, A is assumed\nby this product, own is set by you.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				all, err := a.Settings.Thresholds(ctx, a.Scope, a.Metrics)
				if err != nil {
					return err
				}
				list := []metric.Threshold{}
				for _, t := range all {
					if measure == "" || t.Measure == measure {
						list = append(list, t)
					}
				}
				if len(list) == 0 && measure != "" {
					if _, err := a.Metrics.Measure(measure); err != nil {
						return err
					}
				}
				return c.printThresholds(list)
			})
		},
	}
	cmd.Flags().StringVar(&measure, "measure", "", "only those of a measure")
	set := &cobra.Command{
		Use: "set ID EDGE…", Short: "Set the edges between a threshold's bands, from low to high", Args: cobra.MinimumNArgs(2),
		Example: "  moatmetrics thresholds set dso 30 40 50 --source \"our bank\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				t, err := a.Settings.SetThreshold(ctx, a.Scope, a.Metrics, args[0], args[1:], source)
				if err != nil {
					return err
				}
				return c.printThresholds([]metric.Threshold{t})
			})
		},
	}
	set.Flags().StringVar(&source, "source", "", "where the edges are from")
	reset := &cobra.Command{
		Use: "reset ID", Short: "Go back to a threshold's built-in edges", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				t, err := a.Settings.ResetThreshold(ctx, a.Scope, a.Metrics, args[0])
				if err != nil {
					return err
				}
				return c.printThresholds([]metric.Threshold{t})
			})
		},
	}
	for _, sub := range []*cobra.Command{set, reset} {
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) printThresholds(list []metric.Threshold) error {
	rows := make([][]string, len(list))
	for i, t := range list {
		rows[i] = []string{t.ID, t.Measure, t.Kind, t.Quality, t.Words(), t.Source, t.Date}
	}
	return c.table([]string{"id", "measure", "kind", "quality", "bands", "source", "date"}, rows, list)
}

func (c *cli) workClassesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "work-classes", Short: "List how tickets are put into classes of work; change or confirm it", Args: cobra.NoArgs,
		Long: "A ticket is reactive, proactive, request, project, alert or internal by your rules on its type, queue, source or\npriority, else by words in type, queue and source. Nothing about reactive hours is valid until the mapping is confirmed.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				w, err := a.Settings.WorkClasses(ctx, a.Scope)
				if err != nil {
					return err
				}
				return c.printWorkClasses(ctx, a, w)
			})
		},
	}
	change := func(use, short string, check cobra.PositionalArgs, to func(*metric.WorkClasses, []string) error) {
		sub := &cobra.Command{Use: use, Short: short, Args: check, RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				w, err := a.Settings.WorkClasses(ctx, a.Scope)
				if err != nil {
					return err
				}
				if err := to(&w, args); err != nil {
					return err
				}
				if w, err = a.Settings.PutWorkClasses(ctx, a.Scope, w); err != nil {
					return err
				}
				return c.printWorkClasses(ctx, a, w)
			})
		}}
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	change("set FIELD=VALUE CLASS", "Put tickets with a value into a class: work-classes set queue=\"Service Desk\" reactive", cobra.ExactArgs(2), func(w *metric.WorkClasses, args []string) error {
		field, value, ok := strings.Cut(args[0], "=")
		if !ok {
			return usageError{fmt.Errorf("%q: write FIELD=VALUE, such as ticket_type=Incident", args[0])}
		}
		w.Remove(field, value)
		w.Rules = append(w.Rules, metric.WorkClassRule{Field: field, Value: value, Class: args[1]})
		return nil
	})
	change("remove FIELD=VALUE", "Forget a rule", cobra.ExactArgs(1), func(w *metric.WorkClasses, args []string) error {
		field, value, _ := strings.Cut(args[0], "=")
		w.Remove(field, value)
		return nil
	})
	change("confirm", "Say that you looked at the mapping and it is right", cobra.NoArgs, func(w *metric.WorkClasses, _ []string) error {
		w.Confirmed = true
		return nil
	})
	return cmd
}

func (c *cli) printWorkClasses(ctx context.Context, a *App, w metric.WorkClasses) error {
	seen, err := a.Metrics.TicketClasses(ctx, a.Scope)
	if err != nil {
		return err
	}
	rows := make([][]string, len(seen))
	for i, s := range seen {
		rows[i] = []string{s.TicketType, s.Queue, s.Class, s.Tickets.String()}
	}
	if err := c.table([]string{"ticket_type", "queue", "class", "tickets"}, rows, map[string]any{"rules": w.Rules, "confirmed": w.Confirmed, "tickets": seen}); err != nil || c.format != "table" {
		return err
	}
	for _, r := range w.Rules {
		fmt.Fprintf(c.out, "rule: %s = %q is %s\n", r.Field, r.Value, r.Class)
	}
	if !w.Confirmed {
		fmt.Fprintln(c.err, "note: nobody has confirmed this yet: moatmetrics work-classes confirm")
	}
	return nil
}
