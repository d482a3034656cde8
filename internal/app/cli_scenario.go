package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

func (c *cli) scenarioCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "scenario", Short: "What if: a past period under other prices, hours, people, clients or costs",
		Example: "  moatmetrics scenario run --lever 'price +6%' --lever 'churn client=\"Harbor Dental Group\"'\n" +
			"  moatmetrics scenario solve --lever 'price +0% client=\"Harbor Dental Group\"' --client \"Harbor Dental Group\" --target 45%\n" +
			"  moatmetrics scenario run --lever 'staffing +1 role=Technician' --save 'One more technician'\n" +
			"  moatmetrics scenario compare 'One more technician' 'Prices up 6 %'",
	}
	cmd.AddCommand(c.scenarioRunCommand(), c.scenarioSolveCommand(), c.scenarioListCommand(), c.scenarioCompareCommand(), c.scenarioLeversCommand(),
		&cobra.Command{Use: "show NAME|ID", Short: "Compute a saved scenario", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				_, d, err := a.savedScenario(ctx, args[0])
				if err != nil {
					return err
				}
				return c.runScenario(ctx, a, d)
			})
		}},
		&cobra.Command{Use: "delete NAME|ID", Short: "Delete a saved scenario", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				item, _, err := a.savedScenario(ctx, args[0])
				if err != nil {
					return err
				}
				return a.Workspace.Delete(ctx, a.Scope, workspace.KindScenario, item.ID)
			})
		}})
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

// scenarioFlags are what a scenario is made of on the command line.
type scenarioFlags struct {
	levers             []string
	from, to, currency string
}

func (f *scenarioFlags) add(cmd *cobra.Command) {
	// Not a comma-separated list: values of a lever have commas of their own.
	cmd.Flags().StringArrayVar(&f.levers, "lever", nil, `a change, such as 'price +6% client="A","B"'; once for each lever (moatmetrics scenario levers lists the kinds)`)
	cmd.Flags().StringVar(&f.from, "from", "", "first month (2026-03); the last twelve complete months when left out")
	cmd.Flags().StringVar(&f.to, "to", "", "first month not included")
	cmd.Flags().StringVar(&f.currency, "currency", "", "convert amounts to this currency (USD)")
}

func (f *scenarioFlags) definition(ctx context.Context, a *App) (scenario.Definition, error) {
	d := scenario.Definition{Currency: strings.ToUpper(f.currency), Levers: []scenario.Lever{}}
	var err error
	if d.Period, err = quantity.ParsePeriod(f.from, f.to); err != nil {
		return d, err
	}
	for _, text := range f.levers {
		l, err := scenario.ParseLever(text)
		if err != nil {
			return d, err
		}
		d.Levers = append(d.Levers, l)
	}
	complete, err := a.Insights.Complete(ctx, a.Scope)
	if err != nil {
		return d, err
	}
	return d.Over(complete), nil
}

func (c *cli) scenarioRunCommand() *cobra.Command {
	var f scenarioFlags
	var save string
	cmd := &cobra.Command{Use: "run", Short: "Compute a scenario beside the period as it was", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			d, err := f.definition(ctx, a)
			if err != nil {
				return err
			}
			if err := c.runScenario(ctx, a, d); err != nil || save == "" {
				return err
			}
			content, err := json.Marshal(d)
			if err != nil {
				return err
			}
			item, err := a.Workspace.Create(ctx, a.Scope, workspace.KindScenario, save, content)
			if err == nil {
				fmt.Fprintf(c.err, "saved as %s (%s)\n", item.Name, item.ID)
			}
			return err
		})
	}}
	f.add(cmd)
	cmd.Flags().StringVar(&save, "save", "", "keep the scenario under this name")
	return cmd
}

func (c *cli) runScenario(ctx context.Context, a *App, d scenario.Definition) error {
	r, err := a.Scenarios.Run(ctx, a.Scope, d)
	if err != nil {
		return err
	}
	return c.printScenario(r)
}

func (c *cli) printScenario(r *scenario.Result) error {
	cell := func(d *quantity.Decimal, u quantity.Unit, plain bool) string {
		switch {
		case d == nil && plain:
			return ""
		case d == nil:
			return "-"
		case plain:
			return d.String()
		}
		return show(*d, u)
	}
	plain := c.format == "csv"
	var rows [][]string
	for _, l := range r.Lines {
		row := []string{l.Measure, cell(l.Baseline, l.Unit, plain), cell(l.Scenario, l.Unit, plain), cell(l.Change, l.Unit, plain), ""}
		if l.Change != nil && !plain {
			row[3] = signed(*l.Change, l.Unit)
		}
		if i := l.ScenarioInterval; i != nil {
			row[4] = fmt.Sprintf("%s to %s", cell(&i.Low, l.Unit, plain), cell(&i.High, l.Unit, plain))
		}
		rows = append(rows, row)
	}
	if err := c.table([]string{"measure", "as it was", "scenario", "change", "expected (90%)"}, rows, r); err != nil || c.format != "table" {
		return err
	}
	if len(r.Effects) > 0 {
		rows = rows[:0]
		for _, e := range r.Effects {
			rows = append(rows, []string{e.Words, signed(e.Change, quantity.Money)})
		}
		fmt.Fprintln(c.out)
		if err := c.table([]string{"lever", "gross profit"}, rows, nil); err != nil {
			return err
		}
	}
	if len(r.Clients) > 0 {
		rows = rows[:0]
		for _, l := range r.Clients[:min(10, len(r.Clients))] {
			rows = append(rows, []string{l.Client, cell(l.GrossProfit[0], quantity.Money, false), cell(l.GrossProfit[1], quantity.Money, false), signed(*l.Change, quantity.Money), cell(l.GrossMargin[1], quantity.Ratio, false)})
		}
		fmt.Fprintln(c.out)
		if err := c.table([]string{"client", "gross profit", "scenario", "change", "margin"}, rows, nil); err != nil {
			return err
		}
		if more := len(r.Clients) - 10; more > 0 {
			fmt.Fprintf(c.out, "… and %d more clients (--json lists all)\n", more)
		}
	}
	fmt.Fprintln(c.out)
	if r.PresentStaff != nil {
		fmt.Fprintf(c.out, "With the present staff, who are paid whatever they work, profit changes by %s.\n", signed(*r.PresentStaff, quantity.Money))
	}
	fmt.Fprintf(c.out, "%s, %d months", r.Definition.Period, r.Months)
	if r.Currency != "" {
		fmt.Fprintf(c.out, ", amounts in %s", r.Currency)
	}
	fmt.Fprintf(c.out, ", snapshot %d\n", r.Snapshot)
	for _, text := range r.Assumptions {
		fmt.Fprintln(c.out, "assumed:", text)
	}
	return nil
}

func (c *cli) scenarioSolveCommand() *cobra.Command {
	var f scenarioFlags
	var measure, target, client string
	var move int
	cmd := &cobra.Command{Use: "solve", Short: "Find how far a lever must be moved for a measure to reach a target", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		number, share := strings.CutSuffix(strings.TrimSpace(target), "%")
		to, err := quantity.ParseDecimal(number)
		if err != nil {
			return fault.Newf(fault.Invalid, "--target %q is not a number such as 45%% or 12000", target)
		}
		if share {
			to = to.Shift(-2)
		}
		return c.with(cmd, func(ctx context.Context, a *App) error {
			d, err := f.definition(ctx, a)
			if err != nil {
				return err
			}
			x, err := a.Scenarios.Solve(ctx, a.Scope, scenario.Goal{Definition: d, Lever: move - 1, Measure: measure, Client: client, Target: to})
			if err != nil {
				return err
			}
			if c.format == "table" {
				subject := strings.ReplaceAll(measure, "_", " ")
				if client != "" {
					subject += " of " + client
				}
				fmt.Fprintf(c.out, "%s brings %s from %s to %s.\n\n", x.Words, subject, show(x.Before, x.Unit), show(x.Reached, x.Unit))
				return c.printScenario(x.Result)
			}
			return c.table([]string{"lever", "measure", "before", "reached"}, [][]string{{x.Words, measure, x.Before.String(), x.Reached.String()}}, x)
		})
	}}
	f.add(cmd)
	cmd.Flags().IntVar(&move, "move", 1, "which lever to move, 1 is the first")
	cmd.Flags().StringVar(&measure, "measure", "gross_margin", "the measure that has to reach the target")
	cmd.Flags().StringVar(&client, "client", "", "look at this client's measure alone")
	cmd.Flags().StringVar(&target, "target", "", "the value to reach, such as 45% or 12000")
	return cmd
}

func (c *cli) scenarioListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the saved scenarios", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			list, _, err := a.Workspace.List(ctx, a.Scope, workspace.KindScenario, false, 0, 500)
			if err != nil {
				return err
			}
			type saved struct {
				ID      string              `json:"id"`
				Name    string              `json:"name"`
				Content scenario.Definition `json:"content"`
			}
			all, rows := []saved{}, [][]string{}
			for _, item := range list {
				one := saved{ID: item.ID, Name: item.Name}
				if err := json.Unmarshal(item.Content, &one.Content); err != nil {
					return err
				}
				words := make([]string, len(one.Content.Levers))
				for i, l := range one.Content.Levers {
					words[i] = l.String()
				}
				all = append(all, one)
				rows = append(rows, []string{one.ID, one.Name, one.Content.Period.String(), strings.Join(words, "; ")})
			}
			if len(rows) == 0 && c.format == "table" {
				fmt.Fprintln(c.out, "No scenario is saved yet: moatmetrics scenario run --lever 'price +6%' --save 'Prices up 6 %'")
				return nil
			}
			return c.table([]string{"id", "name", "period", "levers"}, rows, all)
		})
	}}
}

func (c *cli) scenarioCompareCommand() *cobra.Command {
	return &cobra.Command{Use: "compare NAME|ID...", Short: "Put saved scenarios side by side", Args: cobra.RangeArgs(1, 6), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			type one struct {
				Name   string           `json:"name"`
				Result *scenario.Result `json:"result"`
			}
			var all []one
			head := []string{"measure", "as it was"}
			for _, name := range args {
				item, d, err := a.savedScenario(ctx, name)
				if err != nil {
					return err
				}
				r, err := a.Scenarios.Run(ctx, a.Scope, d)
				if err != nil {
					return fmt.Errorf("%s: %w", item.Name, err)
				}
				all, head = append(all, one{item.Name, r}), append(head, item.Name)
			}
			var rows [][]string
			for i, l := range all[0].Result.Lines {
				value := func(d *quantity.Decimal) string {
					if d == nil {
						return "-"
					}
					return show(*d, l.Unit)
				}
				row := []string{l.Measure, value(l.Baseline)}
				for _, x := range all {
					row = append(row, value(x.Result.Lines[i].Scenario))
				}
				rows = append(rows, row)
			}
			if slices.ContainsFunc(all, func(x one) bool { return x.Result.Definition.Period != all[0].Result.Definition.Period }) {
				fmt.Fprintln(c.err, "note: the scenarios are of different periods; \"as it was\" is the first one's")
			}
			return c.table(head, rows, all)
		})
	}}
}

func (c *cli) scenarioLeversCommand() *cobra.Command {
	return &cobra.Command{Use: "levers", Short: "List the kinds of levers", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(_ context.Context, a *App) error {
			kinds := a.Scenarios.Kinds()
			var rows [][]string
			for _, k := range kinds {
				takes := k.AmountUnit
				if k.Percent && takes != "" {
					takes = "% or " + takes
				} else if k.Percent {
					takes = "%"
				}
				rows = append(rows, []string{string(k.Kind), takes, k.Help, strings.Join(k.Dimensions, ", ")})
			}
			return c.table([]string{"kind", "change", "what", "select by"}, rows, kinds)
		})
	}}
}

// savedScenario finds a saved scenario by its id, or by its name when only one has it.
func (a *App) savedScenario(ctx context.Context, name string) (workspace.Item, scenario.Definition, error) {
	var d scenario.Definition
	list, _, err := a.Workspace.List(ctx, a.Scope, workspace.KindScenario, false, 0, 500)
	if err != nil {
		return workspace.Item{}, d, err
	}
	var found []workspace.Item
	for _, item := range list {
		if item.ID == name || strings.EqualFold(item.Name, name) {
			found = append(found, item)
		}
	}
	switch len(found) {
	case 0:
		return workspace.Item{}, d, fault.Newf(fault.NotFound, "there is no scenario %q: moatmetrics scenario list shows those that are saved", name)
	case 1:
		return found[0], d, json.Unmarshal(found[0].Content, &d)
	}
	return workspace.Item{}, d, fault.Newf(fault.Conflict, "%d scenarios are called %q: name one by its id (moatmetrics scenario list)", len(found), name)
}
