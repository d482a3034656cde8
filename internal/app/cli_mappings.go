package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

func (c *cli) mappingsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "mappings", Short: "List the mappings that are kept for the next files of their form", Args: cobra.NoArgs,
		Long: "What you say of a file with --mapping, or in the web app, is kept for the next files of the same source with the same headers.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				list, err := a.Data.Mappings(ctx, a.Scope)
				if err != nil {
					return err
				}
				rows := make([][]string, len(list))
				for i, m := range list {
					rows[i] = []string{m.ID, m.SourceSystem, m.Dataset, m.Mapping.Words(), fmt.Sprint(m.ImportID), m.SavedAt.Local().Format("2006-01-02 15:04"), string(m.SavedBy)}
				}
				return c.table([]string{"mapping", "source", "dataset", "says", "import", "at", "by"}, rows, list)
			})
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use: "show MAPPING", Short: "Print a kept mapping as a mapping file", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				m, err := a.Data.SavedMapping(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				return c.printMapping(m.Mapping)
			})
		},
	}, &cobra.Command{
		Use: "forget MAPPING", Short: "Drop a kept mapping; what was imported with it stays", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if err := a.Data.ForgetMapping(ctx, a.Scope, args[0]); err != nil {
					return err
				}
				fmt.Fprintf(c.out, "mapping %s is forgotten\n", args[0])
				return nil
			})
		},
	})
	return cmd
}

func (c *cli) printMapping(m dataset.Mapping) error {
	text, err := m.YAML()
	if err == nil {
		_, err = c.out.Write(text)
	}
	return err
}

// printRecognized prints what each table's columns are taken for, as mapping files to edit.
func (c *cli) printRecognized(ctx context.Context, a *App, args []string, req dataset.ImportRequest) error {
	files, err := filesIn(args)
	if err != nil {
		return err
	}
	reqs := make([]dataset.ImportRequest, len(files))
	for i, file := range files {
		reqs[i] = req
		reqs[i].Path, reqs[i].DryRun = file, true
	}
	set, err := a.Data.ImportSet(ctx, a.Scope, reqs, false)
	if err != nil {
		return err
	}
	var first error
	for _, t := range set {
		r := t.Result
		if t.Err != nil {
			r = dataset.ImportResult{Dataset: t.Dataset, Columns: t.Columns}
			if len(t.Columns) == 0 {
				if first == nil {
					first = t.Err
				}
				continue
			}
		}
		if len(set) > 1 {
			fmt.Fprintf(c.out, "---\n# %s\n", t.Name)
		}
		if err := c.printMapping(r.RecognizedMapping()); err != nil {
			return err
		}
	}
	return first
}
