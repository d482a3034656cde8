package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

func (c *cli) importCommand() *cobra.Command {
	var name, mapping, rejects string
	var dry, together, recognized bool
	var replace string
	cmd := &cobra.Command{
		Use:   "import FILE|FOLDER...",
		Short: "Import CSV, TSV, XLSX, .gz or .zip files, or folders of them",
		Long: "Import files. The dataset is guessed from the headers unless --dataset says it. Every row is stored or reported with its\n" +
			"line, column, value, reason and a suggestion; importing a file again changes nothing. Several files are imported in the\n" +
			"order in which they build on each other: clients before invoices.",
		Example: "  moatmetrics import clients.csv invoices.csv time_logs.csv licenses.csv\n  moatmetrics import exports/ --all-or-nothing\n  moatmetrics import export.csv --dataset invoices --mapping mapping.yaml --dry-run",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			var mappingText []byte
			if mapping != "" {
				var err error
				if mappingText, err = os.ReadFile(mapping); err != nil {
					return fault.Wrapf(fault.Invalid, err, "the mapping file %s cannot be read", mapping)
				}
			}
			req := dataset.ImportRequest{Dataset: name, Mapping: mappingText, DryRun: dry, Replace: dataset.Replace(replace)}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if recognized {
					return c.printRecognized(ctx, a, files, req)
				}
				return c.importFiles(ctx, a, files, req, rejects, together)
			})
		},
	}
	cmd.Flags().StringVar(&name, "dataset", "", "dataset of the files (guessed when not given)")
	cmd.Flags().StringVar(&mapping, "mapping", "", "YAML file that maps columns to fields")
	cmd.Flags().StringVar(&replace, "replace", "", "delete stored rows of the same source that the file does not hold: of its period, or of the whole table")
	cmd.Flags().BoolVar(&together, "all-or-nothing", false, "store nothing unless every row of every file can be stored")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would happen, change nothing")
	cmd.Flags().BoolVar(&recognized, "print-mapping", false, "print what the columns are taken for, as a mapping file to edit; import nothing")
	cmd.Flags().StringVar(&rejects, "rejects", "", "write rejected rows with reasons to this CSV file")
	return cmd
}

// importFiles imports the files as a set and prints what became of each in the order of
// the arguments. A file that fails does not keep the others from being imported, unless
// all or nothing was asked for; the first failure is returned at the end.
func (c *cli) importFiles(ctx context.Context, a *App, args []string, req dataset.ImportRequest, rejectsFile string, together bool) error {
	files, err := filesIn(args)
	if err != nil {
		return err
	}
	reqs := make([]dataset.ImportRequest, len(files))
	for i, file := range files {
		bar := c.progress(file)
		defer bar.done()
		reqs[i] = req
		reqs[i].Path, reqs[i].Progress = file, bar.update
	}
	set, err := a.Data.ImportSet(ctx, a.Scope, reqs, together)
	if err != nil {
		return err
	}
	var lost []dataset.ImportResult // those with rejected rows
	var first error
	for _, t := range set {
		if t.Err == nil {
			if err := c.printImport(t.Result, req); err != nil {
				return err
			}
		} else {
			err := fmt.Errorf("%s: %w", t.Name, t.Err)
			if len(set) > 1 {
				fmt.Fprintf(c.err, "%s: ", t.Name)
				c.printError(t.Err)
			}
			if first == nil {
				first = err
			}
		}
		if len(t.Result.Rejects) > 0 {
			lost = append(lost, t.Result)
		}
	}
	if rejectsFile != "" {
		if err := c.writeRejects(ctx, a, rejectsFile, lost); err != nil {
			return err
		}
	}
	if first != nil {
		return first
	}
	if len(lost) > 0 {
		return errRejects
	}
	return nil
}

// filesIn replaces folders by the files in them, not those in folders below.
func filesIn(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		st, err := os.Stat(arg)
		if err != nil || !st.IsDir() {
			out = append(out, arg) // a file that is not there is told when it is opened
			continue
		}
		list, err := os.ReadDir(arg)
		if err != nil {
			return nil, fault.Wrapf(fault.Invalid, err, "the folder %s cannot be read: check its permissions", arg)
		}
		n := len(out)
		for _, e := range list {
			if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
				out = append(out, filepath.Join(arg, e.Name()))
			}
		}
		if len(out) == n {
			return nil, fault.Newf(fault.Invalid, "the folder %s holds no file", arg)
		}
	}
	return out, nil
}

// bar shows progress when a person watches the terminal.
type bar struct{ p *progressbar.ProgressBar }

func (c *cli) progress(file string) *bar {
	if c.format != "table" || !isTerminal(c.err) {
		return &bar{}
	}
	return &bar{progressbar.NewOptions64(100, progressbar.OptionSetWriter(c.err), progressbar.OptionSetDescription(filepath.Base(file)),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))}
}

func (b *bar) update(phase string, done, total int64) {
	if b.p == nil || total <= 0 {
		return
	}
	b.p.Describe(phase)
	b.p.Set64(100 * done / total)
}

func (b *bar) done() {
	if b.p != nil {
		b.p.Finish()
	}
}

func (c *cli) printImport(r dataset.ImportResult, req dataset.ImportRequest) error {
	if c.format == "json" {
		enc := json.NewEncoder(c.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(r)
	}
	verb := "imported"
	if req.DryRun {
		verb = "would import"
	}
	deleted := ""
	if req.Replace != "" || r.RowsDeleted > 0 {
		deleted = fmt.Sprintf(", %d deleted", r.RowsDeleted)
	}
	fmt.Fprintf(c.out, "%s: %s %d %s rows: %d added, %d updated, %d unchanged, %d rejected%s\n", filepath.Base(r.File), verb, r.RowsRead, r.Dataset, r.RowsAdded, r.RowsUpdated, r.RowsUnchanged, r.RowsRejected, deleted)
	for _, f := range r.Findings {
		if f.Severity != dataset.Error || len(r.Rejects) > shownRejects { // few rows are listed each
			fmt.Fprintf(c.out, "  %s: %s\n", f.Severity, f.Message)
		}
	}
	for _, e := range r.Effect {
		if len(r.Effect) <= shownEffects {
			fmt.Fprintf(c.out, "  effect: %s %s %s\n", strings.ReplaceAll(e.Measure, "_", " "), e.Month[:7], strings.TrimSpace(withSign(e.Change)+" "+e.Currency))
		}
	}
	for i, rej := range r.Rejects {
		if i == shownRejects {
			fmt.Fprintf(c.out, "  … and %d more rejected rows (--rejects FILE writes them all)\n", len(r.Rejects)-i)
			break
		}
		fmt.Fprintf(c.out, "  line %d, %s %q: %s. %s\n", rej.Line, rej.Column, rej.Value, rej.Message, rej.Suggestion)
	}
	return nil
}

// How many rejected rows and how many months of effects are printed.
const (
	shownRejects = 10
	shownEffects = 12
)

// withSign writes a decimal with its sign and without needless zeros.
func withSign(decimal string) string {
	if strings.Contains(decimal, ".") {
		decimal = strings.TrimRight(strings.TrimRight(decimal, "0"), ".")
	}
	if !strings.HasPrefix(decimal, "-") {
		decimal = "+" + decimal
	}
	return decimal
}

func (c *cli) importsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "imports", Short: "List the imports, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				list, err := a.Data.Imports(ctx, a.Scope, 200, 0)
				if err != nil {
					return err
				}
				rows := make([][]string, len(list))
				for i, x := range list {
					r := x.Result
					rows[i] = []string{fmt.Sprint(x.ID), x.FinishedAt.Local().Format("2006-01-02 15:04"), x.Status, r.Dataset, r.File, fmt.Sprint(r.RowsRead), fmt.Sprint(r.RowsAdded), fmt.Sprint(r.RowsUpdated), fmt.Sprint(r.RowsRejected), fmt.Sprintf("%.2f", r.Quality.Score)}
				}
				return c.table([]string{"import", "at", "status", "dataset", "file", "rows", "added", "updated", "rejected", "quality"}, rows, list)
			})
		},
	}
}

func (c *cli) undoCommand() *cobra.Command {
	return &cobra.Command{
		Use: "undo IMPORT", Short: "Take an import back, whatever came after it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fault.Newf(fault.Invalid, "%q is no number of an import: see moatmetrics imports", args[0])
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				out, err := a.Data.Undo(ctx, a.Scope, id)
				if err == nil {
					fmt.Fprintf(c.out, "import %d is undone; snapshot %d\n", id, out.Snapshot)
				}
				return err
			})
		},
	}
}

func (c *cli) templateCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "template DATASET", Short: "Write a template with headers and two example rows", Args: cobra.ExactArgs(1),
		Long:    "Print a CSV template, or write it to a file: as a workbook with notes and lists when its name ends in .xlsx.",
		Example: "  moatmetrics template invoices\n  moatmetrics template time_entries -o time_entries.xlsx",
		RunE: func(_ *cobra.Command, args []string) error {
			write := dataset.Template
			if strings.EqualFold(filepath.Ext(file), ".xlsx") {
				write = dataset.TemplateXLSX
			}
			text, err := write(args[0])
			if err != nil {
				return err
			}
			if file == "" {
				_, err = c.out.Write(text)
				return err
			}
			if err := os.WriteFile(file, text, 0o600); err != nil {
				return fault.Wrapf(fault.Invalid, err, "%s cannot be written", file)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write (.csv or .xlsx) instead of printing")
	return cmd
}
