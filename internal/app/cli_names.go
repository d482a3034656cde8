package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

func (c *cli) qualityCommand() *cobra.Command {
	return &cobra.Command{
		Use: "quality", Short: "Say how fit the data is and what to put right first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Data.QualityReport(ctx, a.Scope)
				if err != nil {
					return err
				}
				if c.format == "json" {
					return c.table(nil, nil, r)
				}
				fmt.Fprintf(c.out, "score %.2f\n\n", r.Score)
				var rows [][]string
				for _, d := range r.Datasets {
					row := []string{d.Name, fmt.Sprint(d.Rows), fmt.Sprintf("%.2f", d.Score)}
					for _, k := range []string{"completeness", "validity", "uniqueness", "coverage", "timeliness"} {
						v, ok := d.Dimensions[k]
						row = append(row, map[bool]string{true: fmt.Sprintf("%.2f", v), false: "-"}[ok])
					}
					rows = append(rows, row)
				}
				if err := c.table([]string{"dataset", "rows", "score", "completeness", "validity", "uniqueness", "coverage", "timeliness"}, rows, nil); err != nil {
					return err
				}
				fmt.Fprintln(c.out)
				rows = nil
				for _, i := range r.Issues[:min(20, len(r.Issues))] {
					rows = append(rows, []string{fmt.Sprintf("+%.3f", i.Gain), i.Message, fmt.Sprintf("%.1f %%", 100*i.Share), i.Suggestion})
				}
				return c.table([]string{"gain", "what", "share", "what to do"}, rows, nil)
			})
		},
	}
}

func (c *cli) aliasCommand() *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use: "aliases", Short: "List what names of the imports are taken for", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				list, err := a.Data.Aliases(ctx, a.Scope, kind)
				if err != nil {
					return err
				}
				rows := make([][]string, len(list))
				for i, x := range list {
					rows[i] = []string{x.KeyName, x.Name, x.How, fmt.Sprintf("%.2f", x.Score)}
				}
				return c.table([]string{"name", "means", "how", "score"}, rows, list)
			})
		},
	}
	cmd.PersistentFlags().StringVar(&kind, "kind", dataset.KindClient, "client, staff or product")
	cmd.AddCommand(&cobra.Command{Use: "set NAME MEANS", Short: "Say that a name means another one", Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error { return a.Data.SetAlias(ctx, a.Scope, kind, args[0], args[1]) })
	}}, &cobra.Command{Use: "part NAME", Short: "Say that a name does not mean what it is taken for", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error { return a.Data.PartAlias(ctx, a.Scope, kind, args[0]) })
	}})
	return cmd
}
