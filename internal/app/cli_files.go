package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

func (c *cli) exportCommand() *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use: "export DATASET [FILE]", Short: "Write the stored rows of a dataset as CSV that imports unchanged", Args: cobra.RangeArgs(1, 2),
		Example: "  moatmetrics export time_entries time_entries.csv",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if len(args) == 1 {
					return a.Data.Export(ctx, a.Scope, args[0], source, c.out)
				}
				f, err := os.Create(args[1])
				if err != nil {
					return fault.Wrapf(fault.Invalid, err, "the file %s cannot be written", args[1])
				}
				err = a.Data.Export(ctx, a.Scope, args[0], source, f)
				if cerr := f.Close(); err == nil {
					err = cerr
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "source system of the rows, when there are several")
	return cmd
}

// writeRejects writes the rejected rows of imports so that they can be corrected and
// imported: to path, or beside it to one file for each import when they differ in columns.
func (c *cli) writeRejects(ctx context.Context, a *App, path string, lost []dataset.ImportResult) error {
	groups := map[string][]dataset.ImportResult{}
	for _, r := range lost {
		var columns []string
		for _, u := range r.Columns {
			columns = append(columns, u.Source)
		}
		key := strings.Join(columns, "\x1f")
		groups[key] = append(groups[key], r)
	}
	if len(groups) == 0 {
		groups[""] = nil
	}
	for _, group := range groups {
		name := path
		if len(groups) > 1 {
			ext := filepath.Ext(path)
			base := filepath.Base(group[0].File)
			name = strings.TrimSuffix(path, ext) + "-" + strings.TrimSuffix(base, filepath.Ext(base)) + ext
			fmt.Fprintf(c.err, "rejected rows of %s: %s\n", group[0].File, name)
		}
		if err := writeRejectsFile(ctx, a, name, group); err != nil {
			return err
		}
	}
	return nil
}

func writeRejectsFile(ctx context.Context, a *App, path string, group []dataset.ImportResult) error {
	f, err := os.Create(path)
	if err != nil {
		return fault.Wrapf(fault.Invalid, err, "the rejects file %s cannot be written", path)
	}
	defer f.Close()
	var columns dataset.ImportResult
	if len(group) > 0 {
		columns = group[0]
	}
	file, err := dataset.NewRejectsFile(f, columns)
	if err != nil {
		return err
	}
	for _, r := range group {
		if r.ImportID == 0 { // a dry run keeps none
			if err := file.Write(r, r.Rejects); err != nil {
				return err
			}
			continue
		}
		for after := int64(0); ; {
			p, err := a.Data.Rejects(ctx, a.Scope, r.ImportID, after, 1000)
			if err != nil {
				return err
			}
			if err := file.Write(r, p.Rejects); err != nil {
				return err
			}
			if after = p.Next; after == 0 {
				break
			}
		}
	}
	if err := file.Close(); err != nil {
		return err
	}
	return f.Close()
}
