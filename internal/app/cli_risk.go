package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func (c *cli) riskCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "risk", Short: "What is at risk with clients and projects, component by component (docs/risk.md)"}
	cmd.AddCommand(c.clientRiskCommand(), c.projectRiskCommand())
	return cmd
}

func (c *cli) clientRiskCommand() *cobra.Command {
	var from, to string
	var top int
	cmd := &cobra.Command{
		Use: "clients", Short: "Clients by payment, dependence, service, margin and concentration", Args: cobra.NoArgs,
		Long: "Clients by five components, each held against a limit: payment, dependence on one technician, service, margin,\nconcentration. It is a list by rules, no probability of leaving. Without --from/--to the last twelve complete months count.",
		Example: "  moatmetrics risk clients --top 10\n" +
			"  moatmetrics risk clients --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			period, err := quantity.ParsePeriod(from, to)
			if err != nil {
				return err
			}
			if top < 0 {
				return usageError{fmt.Errorf("--top %d: write how many rows at most, 0 for all", top)}
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Insights.ClientRisks(ctx, a.Scope, period)
				if err != nil {
					return err
				}
				if top > 0 && len(r.Clients) > top {
					r.Clients = r.Clients[:top]
				}
				return c.printClientRisks(r)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "first month; without a period the last twelve complete months count")
	f.StringVar(&to, "to", "", "first month not included")
	f.IntVar(&top, "top", 0, "the most clients, 0 for all")
	return cmd
}

func (c *cli) printClientRisks(r *insight.ClientRisks) error {
	rows := make([][]string, len(r.Clients))
	for i, x := range r.Clients {
		rows[i] = []string{x.Client, c.optional(x.Revenue, quantity.Money), c.optional(x.GrossProfit, quantity.Money)}
		for _, part := range x.Components {
			rows[i] = append(rows[i], part.State)
		}
		rows[i] = append(rows[i], x.Step)
	}
	if err := c.table([]string{"client", "revenue_a_year", "gross_profit_a_year", "payment", "dependence", "service", "margin", "concentration", "next_step"}, rows, r); err != nil || c.format != "table" {
		return err
	}
	for _, x := range r.Clients {
		if x.Act > 0 {
			fmt.Fprintf(c.out, "\n%s\n", x.Client)
			for _, d := range x.Drivers {
				fmt.Fprintf(c.out, "  %s\n", d)
			}
		}
	}
	return c.printRiskNotes(r.Rule, r.NotInIt, r.Missing, r.Notes, fmt.Sprintf("%s, snapshot %d", r.Period, r.Snapshot))
}

func (c *cli) projectRiskCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "projects", Short: "Open projects by burn, estimate at completion and the probability of an overrun", Args: cobra.NoArgs,
		Long: "Open projects: hours planned and worked, progress, estimate at completion, what an overrun costs, the probability that\nthe budget is overrun (from at least five finished projects of your own), the planned end, margin.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			period, err := quantity.ParsePeriod("", to)
			if err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Insights.ProjectRisks(ctx, a.Scope, period.To)
				if err != nil {
					return err
				}
				return c.printProjectRisks(r)
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "first day not included; without it the end of the data")
	return cmd
}

func (c *cli) printProjectRisks(r *insight.ProjectRisks) error {
	rows := make([][]string, len(r.Projects))
	for i, x := range r.Projects {
		chance := "-"
		if x.Overrun != nil {
			chance = fmt.Sprintf("%.1f%%", 100**x.Overrun)
		}
		rows[i] = []string{x.Project, x.Client, x.Billing, x.State, c.optional(x.Budget, quantity.Hours), c.optional(x.Worked, quantity.Hours), c.optional(x.Burn, quantity.Ratio), c.optional(x.Progress, quantity.Ratio),
			c.optional(x.EAC, quantity.Hours), c.optional(x.OverrunHours, quantity.Hours), c.optional(x.OverrunCost, quantity.Money), chance, c.optional(x.Slip, quantity.Days), c.optional(x.MarginAtEnd, quantity.Ratio)}
	}
	if err := c.table([]string{"project", "client", "billing", "state", "budget", "worked", "burn", "complete", "estimate", "overrun", "overrun_cost", "probability", "slip", "margin_at_end"}, rows, r); err != nil || c.format != "table" {
		return err
	}
	for _, x := range r.Projects {
		if len(x.Drivers) > 0 {
			fmt.Fprintf(c.out, "\n%s (%s)\n", x.Project, x.Client)
			for _, d := range x.Drivers {
				fmt.Fprintf(c.out, "  %s\n", d)
			}
			if x.Step != "" {
				fmt.Fprintf(c.out, "  next: %s\n", x.Step)
			}
		}
	}
	fmt.Fprintf(c.out, "\n%s\n", r.History.Words)
	return c.printRiskNotes(r.Rule, r.NotInIt, r.Missing, r.Notes, fmt.Sprintf("as of %s, snapshot %d", r.AsOf, r.Snapshot))
}

// printRiskNotes says what a list of risks is and is not.
func (c *cli) printRiskNotes(rule string, notInIt []string, missing []insight.RiskMissing, notes []string, of string) error {
	fmt.Fprintf(c.out, "\n%s\nNot in it:\n", rule)
	for _, n := range notInIt {
		fmt.Fprintf(c.out, "  - %s\n", n)
	}
	for _, m := range missing {
		fmt.Fprintf(c.out, "Import %s to know %s.\n", m.Dataset, m.Tells)
	}
	fmt.Fprintln(c.err, of)
	for _, n := range notes {
		fmt.Fprintf(c.err, "note: %s\n", n)
	}
	return nil
}

// optional shows a figure, or that it is not known.
func (c *cli) optional(d *quantity.Decimal, u quantity.Unit) string {
	switch {
	case d == nil && c.format == "csv":
		return ""
	case d == nil:
		return "-"
	case c.format != "table":
		return d.String()
	}
	return show(*d, u)
}
