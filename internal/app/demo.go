package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

// demoFindings is how many findings the demo prints.
const demoFindings = 8

func (c *cli) demoCommand() *cobra.Command {
	var opt sample.MSPOptions
	var asOf string
	var listen listening
	var noServe bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Load a believable demo MSP, print its top findings and serve it", Args: cobra.NoArgs,
		Long: "Generate a demo MSP (same arguments, same data), import it and print the top findings. Use a data directory of its own:\nthe demo's clients would stand among yours.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if opt.AsOf, err = quantity.AskedDay(asOf); err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if err := listen.into(&a.Config); err != nil {
					return err // before the minute that loading may take
				}
				if err := c.loadDemo(ctx, a, opt); err != nil {
					return err
				}
				findings, err := a.Insights.Analyze(ctx, a.Scope, quantity.Period{})
				if err != nil {
					return err
				}
				if err := a.ask(ctx, a.Scope, findings); err != nil {
					return err
				}
				if c.format == "table" {
					fmt.Fprintln(c.out, "\nWhat deserves attention, most important first:")
				}
				if err := c.printFindings(findings, demoFindings); err != nil || noServe {
					return err
				}
				if err := c.demoSignIn(ctx, a); err != nil {
					return err
				}
				return c.serve(ctx, a, "all")
			})
		},
	}
	cmd.Flags().IntVar(&opt.Clients, "clients", 40, "number of clients")
	cmd.Flags().IntVar(&opt.Months, "months", 24, "months of history")
	cmd.Flags().Uint64Var(&opt.Seed, "seed", 1, "seed of the generator")
	cmd.Flags().StringVar(&asOf, "as-of", "2026-06-30", "last day of the data")
	listen.flags(cmd)
	cmd.Flags().BoolVar(&noServe, "no-serve", false, "do not serve afterwards")
	return cmd
}

// loadDemo generates the demo MSP's files and imports them like a user's.
func (c *cli) loadDemo(ctx context.Context, a *App, opt sample.MSPOptions) error {
	imports, err := a.Data.Imports(ctx, a.Scope, 1, 0)
	if err != nil {
		return err
	}
	if len(imports) > 0 && !a.isDemo() {
		return fault.Newf(fault.Conflict, "%s already holds imported data: the demo's clients would stand among yours. Use another directory: moatmetrics demo --data demo-data", a.Config.Data)
	}
	dir := filepath.Join(a.Config.Data, "demo-files")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.Wrapf(fault.Unavailable, err, "%s cannot be written", dir)
	}
	if _, err := sample.MSP(dir, opt); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil {
		return err
	}
	sort.Slice(files, func(i, j int) bool { return importRank(files[i]) < importRank(files[j]) })
	if c.format == "table" {
		fmt.Fprintf(c.out, "Importing the demo MSP's %d files from %s\n", len(files), dir)
	}
	var rows, rejected int64
	for _, f := range files {
		bar := c.progress(f)
		results, err := a.Data.Import(ctx, a.Scope, dataset.ImportRequest{Path: f, Progress: bar.update})
		bar.done()
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(f), err)
		}
		for _, r := range results {
			rows += r.RowsRead
			rejected += r.RowsRejected
		}
	}
	if c.format == "table" {
		fmt.Fprintf(c.out, "%d rows read, %d rejected. The files and what was planted in them (truth.json) lie in that folder.\n", rows, rejected)
	}
	return nil
}

// isDemo reports whether the directory was filled by an earlier demo.
func (a *App) isDemo() bool {
	_, err := os.Stat(filepath.Join(a.Config.Data, "demo-files", "truth.json"))
	return err == nil
}

// importRank puts the tables that others refer to first; rates come before time, so that
// the first import of time already knows its cost.
func importRank(file string) int {
	for i, name := range []string{"clients.csv", "staff.csv", "holidays.csv", "time_off.csv", "agreements.csv", "agreement_additions.csv", "projects.csv"} {
		if filepath.Base(file) == name {
			return i
		}
	}
	return 100
}
