package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func (c *cli) kpiCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "kpi", Short: "Define measures of your own as formulas over measures", Args: cobra.NoArgs,
		Long:    "Define measures of your own. They work wherever a built-in measure does: query, dashboards, explain, exports, filters, rules.\nA change is a new version; old versions stay readable. docs/kpis.md describes the formulas.",
		Example: "  moatmetrics kpi preview --formula 'gross_profit / endpoints'\n  moatmetrics kpi add profit_per_endpoint --formula 'gross_profit / endpoints' --direction up_good\n  moatmetrics query --measures profit_per_endpoint --by client --where 'profit_per_endpoint < 20'",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listKPIs) },
	}
	list := &cobra.Command{Use: "list", Short: "List them", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listKPIs) }}
	show := &cobra.Command{Use: "show NAME", Short: "Show one with what it uses, what uses it, and its versions", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error { return c.showKPI(ctx, a, args[0]) })
	}}
	remove := &cobra.Command{Use: "remove NAME", Short: "End one that nothing uses; its versions stay readable", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			if err := a.Metrics.RemoveKPI(ctx, a.Scope, args[0]); err != nil {
				return err
			}
			return c.done("%s is removed", args[0])
		})
	}}
	functions := &cobra.Command{Use: "functions", Short: "List the functions of formulas", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		var rows [][]string
		for _, f := range metric.Functions() {
			how, what, _ := strings.Cut(f, ": ")
			rows = append(rows, []string{how, what})
		}
		return c.table([]string{"function", "what"}, rows, metric.Functions())
	}}
	cmd.AddCommand(list, show, c.putKPICommand(true), c.putKPICommand(false), remove, c.previewKPICommand(), functions)
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

// done says that something was done, as JSON when that is asked for.
func (c *cli) done(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if c.format == "json" {
		return c.printJSON(map[string]string{"done": text})
	}
	_, err := fmt.Fprintln(c.out, text)
	return err
}

func (c *cli) listKPIs(ctx context.Context, a *App) error {
	list, err := a.Metrics.KPIs(ctx, a.Scope)
	if err != nil {
		return err
	}
	if len(list) == 0 && c.format == "table" {
		_, err := fmt.Fprintln(c.out, "No KPIs of your own yet. moatmetrics kpi add NAME --formula 'gross_profit / endpoints' defines one.")
		return err
	}
	rows := make([][]string, len(list))
	for i, k := range list {
		rows[i] = []string{k.Name, string(k.Unit), fmt.Sprint(k.Version), k.Formula, k.Owner, k.Problem}
	}
	return c.table([]string{"kpi", "unit", "version", "formula", "owner", "problem"}, rows, list)
}

func (c *cli) showKPI(ctx context.Context, a *App, name string) error {
	versions, err := a.Metrics.KPIVersions(ctx, a.Scope, name)
	if err != nil {
		return err
	}
	k, err := a.Metrics.KPI(ctx, a.Scope, name)
	if err != nil && !versions[0].Removed {
		return err
	}
	if c.format == "json" {
		return c.printJSON(struct {
			metric.KPIState
			Versions []metric.KPIVersion `json:"versions"`
		}{k, versions})
	}
	if err == nil {
		var users []string
		for _, u := range k.UsedBy {
			users = append(users, string(u.Kind)+" "+u.Name)
		}
		for _, line := range [][2]string{{"label", k.Label}, {"formula", k.Formula}, {"unit", string(k.Unit)}, {"good when", k.Direction}, {"description", k.Description}, {"owner", k.Owner},
			{"uses", strings.Join(k.Uses, ", ")}, {"used by", orText(strings.Join(users, ", "), "nothing")}, {"cut by", strings.Join(k.Dimensions, ", ")}, {"problem", k.Problem}} {
			if line[1] != "" {
				fmt.Fprintf(c.out, "%-12s %s\n", line[0], line[1])
			}
		}
		fmt.Fprintln(c.out)
	}
	rows := make([][]string, len(versions))
	for i, v := range versions {
		rows[i] = []string{fmt.Sprint(v.Version), shortTime(&v.At), string(v.Author), v.Formula, map[bool]string{true: "removed"}[v.Removed]}
	}
	return c.table([]string{"version", "at", "by", "formula", ""}, rows, nil)
}

func (c *cli) kpiFlags(cmd *cobra.Command, k *metric.KPI, unit *string) {
	f := cmd.Flags()
	f.StringVar(&k.Formula, "formula", "", "formula over measures, such as gross_profit / endpoints")
	f.StringVar(&k.Label, "label", "", "name for people")
	f.StringVar(unit, "unit", "", "inferred from the formula; another one is refused")
	f.StringVar(&k.Direction, "direction", "", "up_good, down_good or two_sided")
	f.StringVar(&k.Description, "description", "", "what it means")
	f.StringVar(&k.Owner, "owner", "", "who answers for it")
}

func (c *cli) putKPICommand(add bool) *cobra.Command {
	var k metric.KPI
	var unit string
	cmd := &cobra.Command{Use: "change NAME", Short: "Give one a new version; what is not given stays", Args: cobra.ExactArgs(1)}
	if add {
		cmd.Use, cmd.Short = "add NAME --formula F", "Define one"
	}
	c.kpiFlags(cmd, &k, &unit)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			k.Name, k.Unit = args[0], quantity.Unit(unit)
			if add {
				return c.printKPI(a.Metrics.AddKPI(ctx, a.Scope, k))
			}
			was, err := a.Metrics.KPI(ctx, a.Scope, k.Name)
			if err != nil {
				return err
			}
			for _, p := range []struct{ to, from *string }{{&k.Formula, &was.Formula}, {&k.Label, &was.Label}, {&k.Direction, &was.Direction}, {&k.Description, &was.Description}, {&k.Owner, &was.Owner}} {
				*p.to = orText(*p.to, *p.from)
			}
			return c.printKPI(a.Metrics.ChangeKPI(ctx, a.Scope, k))
		})
	}
	return cmd
}

func (c *cli) printKPI(k metric.KPIState, err error) error {
	if err != nil {
		return err
	}
	return c.table([]string{"kpi", "unit", "version", "formula"}, [][]string{{k.Name, string(k.Unit), fmt.Sprint(k.Version), k.Formula}}, k)
}

func (c *cli) previewKPICommand() *cobra.Command {
	var k metric.KPI
	var unit string
	cmd := &cobra.Command{Use: "preview --formula F [NAME]", Short: "Show what a draft would say: its unit and the last twelve months", Args: cobra.MaximumNArgs(1)}
	c.kpiFlags(cmd, &k, &unit)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			k.Unit = quantity.Unit(unit)
			if len(args) == 1 {
				k.Name = args[0]
			}
			p, err := a.Metrics.PreviewKPI(ctx, a.Scope, k)
			if err != nil {
				return err
			}
			if c.format == "json" {
				return c.printJSON(p)
			}
			fmt.Fprintf(c.err, "unit %s, computed from %s\n", p.Unit, strings.Join(p.Uses, ", "))
			if err := c.printResult(p.Months); err != nil {
				return err
			}
			if c.format == "table" && len(p.Total.Rows) == 1 {
				text := "no value (" + p.Total.Reasons[0][p.Total.Columns[0].Name] + ")"
				if d, ok := p.Total.Rows[0][0].(quantity.Decimal); ok {
					text = show(d, p.Unit)
				}
				fmt.Fprintf(c.out, "together: %s\n", text)
			}
			return nil
		})
	}
	return cmd
}
