package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func (c *cli) metricsCommand() *cobra.Command {
	type row struct {
		Name       string        `json:"name"`
		Label      string        `json:"label"`
		Unit       quantity.Unit `json:"unit"`
		Formula    string        `json:"formula"`
		Source     string        `json:"source"`
		Version    int           `json:"version"`
		Dimensions []string      `json:"dimensions"`
	}
	return &cobra.Command{
		Use: "metrics [NAME]", Short: "List the measures and the dimensions, or print the definition page of a measure", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return c.with(cmd, func(ctx context.Context, a *App) error {
					catalog, err := a.Metrics.For(ctx, a.Scope)
					if err != nil {
						return err
					}
					bands, err := a.Settings.Thresholds(ctx, a.Scope, catalog)
					if err != nil {
						return err
					}
					d, err := catalog.Definition(args[0], bands)
					if err != nil {
						return err
					}
					return c.printDefinition(d)
				})
			}
			catalog, err := c.catalog(cmd)
			if err != nil {
				return err
			}
			list := []row{}
			var rows [][]string
			for _, m := range catalog.Measures() {
				list = append(list, row{m.Name, m.Label, m.Unit, m.Formula, m.Source, m.Version, catalog.DimensionsOf(m)})
				rows = append(rows, []string{m.Name, string(m.Unit), m.Formula, m.Source})
			}
			if err := c.table([]string{"measure", "unit", "formula", "source"}, rows, map[string]any{"measures": list, "dimensions": catalog.Dimensions()}); err != nil || c.format != "table" {
				return err
			}
			var dims [][]string
			for _, d := range catalog.Dimensions() {
				dims = append(dims, []string{d.Name, orText(d.Help, d.Label)})
			}
			fmt.Fprintln(c.out)
			return c.table([]string{"dimension", "what"}, dims, nil)
		},
	}
}

// printDefinition prints all that is to be known of a measure.
func (c *cli) printDefinition(d metric.Definition) error {
	rows := [][]string{
		{"measure", d.Name}, {"label", d.Label}, {"topic", d.Topic}, {"formula", d.Formula}, {"unit", d.Unit}, {"good when", strings.ReplaceAll(strings.TrimSuffix(d.Direction, "_good"), "_", " ")},
		{"kind", d.Kind}, {"over measures", orText(d.Expr, "-")}, {"rows behind", strings.Join(d.Base, ", ")}, {"tables", strings.Join(d.Tables, ", ")},
		{"empty without", orText(strings.Join(d.Needs, ", "), "-")}, {"cut and filter by", strings.Join(d.Dimensions, ", ")}, {"version", fmt.Sprint(d.Version)}, {"definition", d.Source},
	}
	for _, caveat := range d.Caveats {
		rows = append(rows, []string{"caveat", caveat})
	}
	for _, t := range d.Thresholds {
		rows = append(rows, []string{"band " + t.ID, t.Words()}, []string{"", fmt.Sprintf("%s: %s; %s; %s", t.Kind, t.Population, t.Source, t.Date)})
	}
	return c.table([]string{"what", "is"}, rows, d)
}
