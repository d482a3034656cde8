package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func (c *cli) reclaimCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "reclaim", Short: "List wasted license seats by the day until which they can be returned", Args: cobra.NoArgs,
		Long: "Wasted license seats by deadline: the saving a month, whether it is recoverable now or locked until the renewal, and\nwho pays for the seats (msp: no agreement bills them to the client).",
		RunE: func(cmd *cobra.Command, _ []string) error {
			period, err := quantity.ParsePeriod("", to)
			if err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				plan, err := a.Insights.Reclaims(ctx, a.Scope, period.To)
				if err != nil {
					return err
				}
				money := func(d *quantity.Decimal) string {
					if d == nil {
						return "not known"
					}
					return show(*d, quantity.Money)
				}
				rows := make([][]string, len(plan.Items))
				for i, r := range plan.Items {
					deadline := "not known"
					if !r.Deadline.IsZero() {
						deadline = r.Deadline.String()
					}
					rows[i] = []string{deadline, r.Client, r.Product, r.Seats.String(), money(r.Saving), r.State, money(r.UntilTerm), r.Payer}
				}
				if err := c.table([]string{"deadline", "client", "product", "seats", "saving_a_month", "state", "locked_cost", "payer"}, rows, plan); err != nil || c.format != "table" {
					return err
				}
				if len(rows) == 0 {
					fmt.Fprintln(c.out, "No seats are known to be wasted.")
				}
				for _, n := range plan.Notes {
					fmt.Fprintln(c.err, "note:", n)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "first day not included; without it the end of the data")
	return cmd
}
