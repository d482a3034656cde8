package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func (c *cli) rankCommand() *cobra.Command {
	var by, where, from, to, limit string
	var top int
	cmd := &cobra.Command{
		Use: "rank MEASURE", Short: "Who is worst at a measure most probably, small ones drawn towards the others", Args: cobra.ExactArgs(1),
		Example: `  moatmetrics rank gross_margin --by client
  moatmetrics rank sla_attainment --by client --limit 0.9 --top 10`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req := insight.RankRequest{Measure: args[0], By: by, Where: where, Top: top}
			var err error
			if req.Period, err = quantity.ParsePeriod(from, to); err != nil {
				return err
			}
			if req.Limit, err = limitFlag(limit); err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Insights.Rank(ctx, a.Scope, req)
				if err != nil {
					return err
				}
				return c.printRanking(r)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&by, "by", "client", "the dimension whose members are ranked")
	f.StringVar(&where, "where", "", `a condition, such as industry = "Legal"`)
	f.StringVar(&from, "from", "", "first month; without a period the last twelve complete months count")
	f.StringVar(&to, "to", "", "first month not included")
	f.StringVar(&limit, "limit", "", "rank by the probability of being worse than this; each measure has its own")
	f.IntVar(&top, "top", 0, "the most rows, 0 for all")
	return cmd
}

func (c *cli) printRanking(r *insight.Ranking) error {
	value := func(d *quantity.Decimal) string {
		switch {
		case d == nil:
			return "-"
		case c.format != "table":
			return d.String()
		}
		return show(*d, r.Unit)
	}
	rows := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		chance := "-"
		if row.Probability != nil {
			chance = fmt.Sprintf("%.1f%%", 100**row.Probability)
		}
		few := ""
		if row.TooFew {
			few = "too few"
		}
		if row.Reason != "" {
			few = row.Reason
		}
		rows[i] = []string{row.Name, value(row.Raw), value(row.Shrunken), chance, fmt.Sprint(row.N), value(row.Change), few}
	}
	if err := c.table([]string{r.By, "raw", "shrunken", "probability", "n", "change", "note"}, rows, r); err != nil || c.format != "table" {
		return err
	}
	if r.EmptyReason != "" {
		fmt.Fprintln(c.out, r.EmptyReason)
	}
	_, err := fmt.Fprintf(c.out, "%s\n%s\n", r.Words, r.Method)
	return err
}
