package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// span are the flags of a period of months and a condition.
type span struct{ from, to, where string }

func (s *span) add(cmd *cobra.Command, without string) {
	cmd.Flags().StringVar(&s.from, "from", "", "first month (2026-03); "+without)
	cmd.Flags().StringVar(&s.to, "to", "", "first month not included")
	cmd.Flags().StringVar(&s.where, "where", "", `condition, such as client = "X"`)
}

func (s *span) period() (quantity.Period, error) { return quantity.ParsePeriod(s.from, s.to) }

func (c *cli) trendCommand() *cobra.Command {
	var s span
	cmd := &cobra.Command{
		Use: "trend MEASURE", Short: "Say how a measure moves: trend, season, changes of level, months that stand out", Args: cobra.ExactArgs(1),
		Example: "  moatmetrics trend revenue\n  moatmetrics trend hours_worked --where 'client = \"Harbor Dental Group\"'",
		RunE: func(cmd *cobra.Command, args []string) error {
			period, err := s.period()
			if err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				t, err := a.Insights.Trend(ctx, a.Scope, insight.TrendRequest{Measure: args[0], Where: s.where, Period: period})
				if err != nil {
					return err
				}
				return c.printTrend(t)
			})
		},
	}
	s.add(cmd, "all complete months without a period")
	return cmd
}

func (c *cli) printTrend(t *insight.TrendReport) error {
	if c.format == "table" {
		fmt.Fprintln(c.out, t.Words)
		for _, x := range t.Shocks {
			fmt.Fprintf(c.out, "%s: %s, %s against %s expected (%s, p %.4f)\n", x.Month.String()[:7], x.Kind, show(x.Value, t.Unit), show(x.Expected, t.Unit), signed(x.Size, t.Unit), x.P)
		}
		fmt.Fprintln(c.out)
	}
	cell := func(d *quantity.Decimal) string {
		switch {
		case d == nil:
			return ""
		case c.format == "csv":
			return d.String()
		}
		return show(*d, t.Unit)
	}
	var rows [][]string
	for _, p := range t.Points {
		rows = append(rows, []string{p.Month.String()[:7], cell(&p.Value), cell(p.Trend), cell(p.Season), cell(p.Rest)})
	}
	if err := c.table([]string{"month", "value", "trend", "season", "rest"}, rows, t); err != nil || c.format != "table" {
		return err
	}
	for _, note := range t.Notes {
		fmt.Fprintln(c.out, "note:", note)
	}
	return nil
}

func (c *cli) anomaliesCommand() *cobra.Command {
	var s span
	var measures []string
	var by string
	var recent int
	cmd := &cobra.Command{
		Use: "anomalies", Short: "List months that stand out of many series, at most one in ten of them by chance", Args: cobra.NoArgs,
		Example: "  moatmetrics anomalies --by client\n  moatmetrics anomalies --measures expense_amount --by vendor --recent 6",
		RunE: func(cmd *cobra.Command, _ []string) error {
			period, err := s.period()
			if err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Insights.Anomalies(ctx, a.Scope, insight.AnomalyRequest{Measures: measures, By: by, Where: s.where, Period: period, Recent: recent})
				if err != nil {
					return err
				}
				var rows [][]string
				for _, x := range r.Anomalies {
					rows = append(rows, []string{x.Month.String()[:7], x.Measure, x.Member, string(x.Kind), show(x.Value, x.Unit), show(x.Expected, x.Unit), signed(x.Size, x.Unit), fmt.Sprintf("%.4f", x.Q)})
				}
				if len(rows) == 0 && c.format == "table" {
					fmt.Fprintf(c.out, "Nothing stands out of %d series.\n", r.Judged)
				} else if err := c.table([]string{"month", "measure", "member", "kind", "value", "expected", "size", "q"}, rows, r); err != nil {
					return err
				}
				fmt.Fprintf(c.err, "%d series judged over their last %d months, %d too short or with holes\n", r.Judged, r.Recent, r.Skipped)
				return nil
			})
		},
	}
	s.add(cmd, "all complete months without a period")
	cmd.Flags().StringSliceVar(&measures, "measures", nil, "measures, comma-separated (default revenue, labor and direct cost, hours, tickets)")
	cmd.Flags().StringVar(&by, "by", "", "dimension whose members have a series each (client, vendor, staff, …)")
	cmd.Flags().IntVar(&recent, "recent", 0, "how many of the last months are judged (default 3)")
	return cmd
}

func (c *cli) correlateCommand() *cobra.Command {
	var s span
	var by string
	var controls []string
	cmd := &cobra.Command{
		Use: "correlate MEASURE MEASURE...", Short: "Say how measures go together, with intervals and warnings", Args: cobra.MinimumNArgs(2),
		Example: "  moatmetrics correlate gross_margin tickets_per_endpoint csat --by client\n  moatmetrics correlate revenue hours_worked --by month",
		RunE: func(cmd *cobra.Command, args []string) error {
			period, err := s.period()
			if err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Insights.Correlate(ctx, a.Scope, insight.CorrelationRequest{Measures: args, By: by, Where: s.where, Controls: controls, Period: period})
				if err != nil {
					return err
				}
				if c.format == "table" {
					for _, p := range r.Pairs {
						fmt.Fprintln(c.out, p.Words)
					}
					fmt.Fprintln(c.out)
				}
				var rows [][]string
				for _, p := range r.Pairs {
					row := []string{p.X, p.Y, fmt.Sprint(p.N)}
					for _, k := range []*insight.Coefficient{p.Spearman, p.Pearson, p.Partial} {
						text := "-"
						if k != nil {
							text = fmt.Sprintf("%.2f (%.2f to %.2f)", k.Value, k.Low, k.High)
						}
						row = append(row, text)
					}
					var warnings []string
					for _, w := range p.Warnings {
						warnings = append(warnings, w.Code)
					}
					rows = append(rows, append(row, fmt.Sprintf("%.3f", p.Q), strings.Join(warnings, ", ")))
				}
				if err := c.table([]string{"x", "y", "points", "rank (90%)", "linear (90%)", "controls taken out", "q", "warnings"}, rows, r); err != nil || c.format != "table" {
					return err
				}
				fmt.Fprintln(c.out, r.Note)
				return nil
			})
		},
	}
	s.add(cmd, "the last twelve complete months without a period, all of them by month")
	cmd.Flags().StringVar(&by, "by", "client", "dimension whose members are the points, or month")
	cmd.Flags().StringSliceVar(&controls, "controls", nil, "measures whose influence is taken out")
	return cmd
}
