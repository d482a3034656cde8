package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/review"
)

func (c *cli) reviewCommand() *cobra.Command {
	var decided bool
	cmd := &cobra.Command{
		Use: "review", Short: "List and decide what names of the imports mean", Args: cobra.NoArgs,
		Example: "  moatmetrics review\n  moatmetrics review same abc123 --as \"Harbor Dental Group\"\n  moatmetrics review undo abc123",
		RunE: func(cmd *cobra.Command, _ []string) error {
			status := review.Open
			if decided {
				status = review.Decided
			}
			return c.with(cmd, func(ctx context.Context, a *App) error { return c.listReviews(ctx, a, status) })
		},
	}
	cmd.Flags().BoolVar(&decided, "decided", false, "list what was decided instead")
	for _, v := range []struct{ verdict, short string }{
		{dataset.VerdictSame, "Say that a name means a known one (--as says which when there are several)"},
		{dataset.VerdictDifferent, "Say that a name is none of the known ones"},
		{dataset.VerdictCreate, "Say that a name is a client of its own"},
	} {
		var as, reason string
		sub := &cobra.Command{Use: v.verdict + " ID", Short: v.short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				p, err := a.Data.DecideMatch(ctx, a.Scope, args[0], review.Decision{Verdict: v.verdict, Choice: as, Reason: reason})
				if err != nil {
					return err
				}
				fmt.Fprintf(c.out, "%s: %s\n", p.Subject, v.verdict)
				return nil
			})
		}}
		if v.verdict == dataset.VerdictSame {
			sub.Flags().StringVar(&as, "as", "", "the known one that it means")
		}
		sub.Flags().StringVar(&reason, "reason", "", "why, for those who read it later")
		cmd.AddCommand(sub)
	}
	cmd.AddCommand(&cobra.Command{Use: "undo ID", Short: "Take a decision back", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			p, err := a.Data.UndoMatch(ctx, a.Scope, args[0])
			if err == nil {
				fmt.Fprintf(c.out, "%s: open again\n", p.Subject)
			}
			return err
		})
	}})
	return cmd
}

func (c *cli) listReviews(ctx context.Context, a *App, status review.Status) error {
	list, err := a.Data.Matches(ctx, a.Scope, status, "", 1000, 0)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, p := range list {
		var e dataset.MatchEvidence
		if err := json.Unmarshal(p.Evidence, &e); err != nil {
			return err
		}
		var may []string
		for _, x := range e.Candidates {
			may = append(may, fmt.Sprintf("%s (%.2f)", x.Name, x.Score))
		}
		verdict := ""
		if p.Decision != nil {
			verdict = strings.TrimSpace(p.Decision.Verdict + " " + p.Decision.Choice)
		}
		rows = append(rows, []string{p.ID, e.Kind, e.Name, fmt.Sprint(e.Rows), strings.Join(may, ", "), strings.Join(e.Why, "; "), verdict})
	}
	return c.table([]string{"id", "kind", "name", "rows", "may mean", "why", "decided"}, rows, list)
}

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
