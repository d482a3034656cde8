package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) searchCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "search TEXT", Short: "Find clients, staff, agreements, products, findings, KPIs, boards, reports and questions", Args: cobra.MinimumNArgs(1),
		Example: `  moatmetrics search harbor
  moatmetrics search hrabor dental     # misspelled words are found, too
  moatmetrics search qbr harbor       # the reviews that were made for a client`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Search.SearchAll(ctx, a.Scope, strings.Join(args, " "), limit)
				if err != nil {
					return err
				}
				rows := make([][]string, len(r.Hits))
				for i, h := range r.Hits {
					rows[i] = []string{string(h.Kind), h.Label, h.Note, fmt.Sprintf("%.2f", h.Score), h.Address()}
				}
				if err := c.table([]string{"kind", "name", "note", "fits", "page"}, rows, r); err != nil || c.format != "table" {
					return err
				}
				switch {
				case len(r.Hits) == 0:
					fmt.Fprintln(c.out, "Nothing fits. Try fewer letters, or a part of the name.")
				case r.More:
					fmt.Fprintln(c.out, "Others fit, too: --limit shows more, up to 100.")
				}
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "the most results, up to 100")
	return cmd
}
