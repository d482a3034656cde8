package app

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

func (c *cli) datasetsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "datasets", Short: "List the tables with rows, months and data quality", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				list, err := a.Data.Summary(ctx, a.Scope)
				if err != nil {
					return err
				}
				rows := make([][]string, len(list))
				for i, d := range list {
					rows[i] = []string{d.Name, strconv.FormatInt(d.Rows, 10), monthSpan(d), quality(d)}
				}
				return c.table([]string{"dataset", "rows", "months", "quality"}, rows, list)
			})
		},
	}
}

// monthSpan is "2024-07 to 2026-06", or empty.
func monthSpan(d dataset.TableSummary) string {
	if len(d.Months) != 2 {
		return ""
	}
	return d.Months[0].String()[:7] + " to " + d.Months[1].String()[:7]
}

func quality(d dataset.TableSummary) string {
	if d.Quality == nil {
		return ""
	}
	return fmt.Sprintf("%.0f%%", 100**d.Quality)
}
