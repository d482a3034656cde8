package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/metric"
)

func (c *cli) segmentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "segment", Short: "Save conditions under a name", Args: cobra.NoArgs,
		Long:    "A segment is the members of a dimension that meet a condition. Filter by it (segment = \"Key accounts\") or cut by it\n(--by \"segment:Key accounts\").",
		Example: "  moatmetrics segment add \"Key accounts\" --of client --where 'revenue > $5000' --months 12\n  moatmetrics query --measures gross_margin --by month --where 'segment = \"Key accounts\"'",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listSegments) },
	}
	list := &cobra.Command{Use: "list", Short: "List them", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listSegments) }}
	remove := &cobra.Command{Use: "remove NAME", Short: "End one that nothing uses", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			if err := a.Metrics.RemoveSegment(ctx, a.Scope, args[0]); err != nil {
				return err
			}
			return c.done("%s is removed", args[0])
		})
	}}
	cmd.AddCommand(list, remove)
	for _, add := range []bool{true, false} {
		var s metric.Segment
		sub := &cobra.Command{Use: "change NAME --of DIMENSION --where C", Short: "Give one a new version", Args: cobra.ExactArgs(1)}
		if add {
			sub.Use, sub.Short = "add NAME --of DIMENSION --where C", "Save one"
		}
		f := sub.Flags()
		f.StringVar(&s.Dimension, "of", "client", "dimension whose members it is about")
		f.StringVar(&s.Where, "where", "", "condition, such as industry = \"Legal\" or gross_margin < 20%")
		f.IntVar(&s.Months, "months", 0, "months before the end of the query's period that measures are of; 0 is that period")
		f.StringVar(&s.Description, "description", "", "what it is for")
		f.StringVar(&s.Owner, "owner", "", "who answers for it")
		sub.RunE = func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				s.Name = args[0]
				kept, err := a.Metrics.PutSegment(ctx, a.Scope, s, add)
				if err != nil {
					return err
				}
				return c.table([]string{"segment", "of", "where", "version"}, [][]string{{kept.Name, kept.Dimension, kept.Where, fmt.Sprint(kept.Version)}}, kept)
			})
		}
		cmd.AddCommand(sub)
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

func (c *cli) listSegments(ctx context.Context, a *App) error {
	list, err := a.Metrics.Segments(ctx, a.Scope)
	if err != nil {
		return err
	}
	if len(list) == 0 && c.format == "table" {
		_, err := fmt.Fprintln(c.out, "No segments yet. moatmetrics segment add \"Key accounts\" --of client --where 'revenue > $5000' saves one.")
		return err
	}
	rows := make([][]string, len(list))
	for i, s := range list {
		rows[i] = []string{s.Name, s.Dimension, s.Where, fmt.Sprint(s.Months), fmt.Sprint(s.Version), s.Problem}
	}
	return c.table([]string{"segment", "of", "where", "months", "version", "problem"}, rows, list)
}

func (c *cli) calendarCommand() *cobra.Command {
	print := func(cal metric.Calendar) error {
		return c.table([]string{"fiscal calendar"}, [][]string{{cal.String()}}, cal)
	}
	cmd := &cobra.Command{
		Use: "calendar", Short: "Show or set the fiscal calendar", Args: cobra.NoArgs,
		Long:    "The fiscal calendar makes the dimensions fiscal_period, fiscal_quarter and fiscal_year: calendar months from a start month on, or\n4-4-5, 4-5-4 or 5-4-4 weeks with 52 or 53 weeks a year.",
		Example: "  moatmetrics calendar set --start-month 7\n  moatmetrics calendar set --start-month 2 --weeks 4-5-4 --ends-on saturday --rule nearest",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				defined, err := a.Metrics.For(ctx, a.Scope)
				if err != nil {
					return err
				}
				return print(defined.Calendar())
			})
		},
	}
	var cal metric.Calendar
	set := &cobra.Command{Use: "set", Short: "Set it", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			kept, err := a.Metrics.SetCalendar(ctx, a.Scope, cal)
			if err != nil {
				return err
			}
			return print(kept)
		})
	}}
	f := set.Flags()
	f.IntVar(&cal.StartMonth, "start-month", 1, "month, 1 to 12, that the year begins with or near")
	f.StringVar(&cal.Weeks, "weeks", "", "4-4-5, 4-5-4 or 5-4-4; calendar months unless given")
	f.StringVar(&cal.EndsOn, "ends-on", "", "weekday that a year of weeks ends on")
	f.StringVar(&cal.Rule, "rule", "", "last: the last of the month before; nearest: the nearest to its end")
	wrapArgs(set)
	cmd.AddCommand(set)
	return cmd
}
