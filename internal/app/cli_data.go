package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
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

func (c *cli) snapshotsCommand() *cobra.Command {
	type row struct {
		ID      warehouse.Snapshot `json:"id"`
		At      time.Time          `json:"at"`
		Kind    string             `json:"kind"`
		Author  string             `json:"author"`
		Message string             `json:"message"`
		Rows    map[string]int64   `json:"rows"`
	}
	return &cobra.Command{
		Use: "snapshots", Short: "List the snapshots, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				list, err := a.Warehouse.Snapshots(ctx, a.Scope)
				if err != nil {
					return err
				}
				out := []row{}
				var rows [][]string
				for _, s := range list {
					out = append(out, row(s))
					rows = append(rows, []string{fmt.Sprint(int64(s.ID)), s.At.Local().Format("2006-01-02 15:04:05"), s.Kind, s.Author, s.Message, rowSummary(s.Rows)})
				}
				return c.table([]string{"snapshot", "at", "kind", "by", "what", "rows"}, rows, out)
			})
		},
	}
}

// rowSummary lists the three largest tables and counts the others.
func rowSummary(rows map[string]int64) string {
	names := make([]string, 0, len(rows))
	for n := range rows {
		if !strings.HasSuffix(n, "_private") && n != dataset.TablePeople && n != dataset.TableAliases {
			names = append(names, n)
		}
	}
	sort.Slice(names, func(i, j int) bool {
		return rows[names[i]] > rows[names[j]] || rows[names[i]] == rows[names[j]] && names[i] < names[j]
	})
	var parts []string
	for i, n := range names {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("%d more tables", len(names)-3))
			break
		}
		parts = append(parts, fmt.Sprintf("%s %d", n, rows[n]))
	}
	return strings.Join(parts, ", ")
}

// closeCommand is close, which without a month lists the closed ones, and reopen.
func (c *cli) closeCommand(closed bool) *cobra.Command {
	cmd := &cobra.Command{Use: "close [MONTH]", Short: "Close a month: no import or rollback may change its rows any more; lists the closed ones", Args: cobra.MaximumNArgs(1), Example: "  moatmetrics close 2026-03"}
	done := "closed"
	if !closed {
		cmd = &cobra.Command{Use: "reopen MONTH", Short: "Open a closed month for corrections", Args: cobra.ExactArgs(1), Example: "  moatmetrics reopen 2026-03"}
		done = "open"
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			if len(args) == 0 {
				return c.printClosed(ctx, a)
			}
			month, err := quantity.AskedDay(args[0])
			if err != nil || len(args[0]) != len("2006-01") {
				return usageError{fmt.Errorf("%q is not a month such as 2026-03", args[0])}
			}
			changed, err := a.CloseMonth(ctx, a.Scope, month, closed)
			if err != nil {
				return err
			}
			if c.format == "json" {
				return c.printJSON(map[string]any{"month": args[0], "closed": closed, "changed": changed})
			}
			if !changed {
				done += " already"
			}
			_, err = fmt.Fprintf(c.out, "%s is %s\n", args[0], done)
			return err
		})
	}
	return cmd
}

func (c *cli) printClosed(ctx context.Context, a *App) error {
	months, err := a.Warehouse.ClosedMonths(ctx, a.Scope)
	if err != nil {
		return err
	}
	list := []map[string]string{}
	for _, m := range months {
		list = append(list, map[string]string{"month": m.Month.String()[:7], "closed_at": m.At.UTC().Format(time.RFC3339), "actor": m.Actor})
	}
	if c.format == "json" {
		return c.printJSON(list)
	}
	if len(list) == 0 {
		_, err = fmt.Fprintln(c.out, "no month is closed")
		return err
	}
	for _, m := range list {
		if _, err := fmt.Fprintf(c.out, "%s  closed %s by %s\n", m["month"], m["closed_at"], m["actor"]); err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) rollbackCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rollback SNAPSHOT", Short: "Make an older snapshot the current one (as a new snapshot; nothing is lost)", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usageError{fmt.Errorf("%q is not a snapshot number; list them with moatmetrics snapshots", args[0])}
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				out, err := a.Rollback(ctx, a.Scope, warehouse.Snapshot(id))
				if err != nil {
					return err
				}
				if c.format == "json" {
					return c.printJSON(map[string]any{"snapshot": out.Snapshot, "changed": out.Changed})
				}
				if !out.Changed {
					_, err = fmt.Fprintf(c.out, "snapshot %d already holds the same data\n", out.Snapshot)
					return err
				}
				_, err = fmt.Fprintf(c.out, "snapshot %d now shows the data of snapshot %d\n", out.Snapshot, id)
				return err
			})
		},
	}
}

func (c *cli) verifyCommand() *cobra.Command {
	var heads []string
	cmd := &cobra.Command{
		Use: "verify", Short: "Check the audit chain, file checksums, catalog against files, and roll-ups", Args: cobra.NoArgs,
		Long: "Check the audit chain, the checksums of the files, the catalog against the files, and the roll-ups. With --head the audit chain is\n" +
			"compared with checkpoints that you kept elsewhere, too: that finds a cut end and a rewritten chain.",
		Example: "  moatmetrics verify\n  moatmetrics verify --head /mnt/elsewhere/audit-2026-03-01.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				kept, err := readHeads(a.Scope.Tenant, heads)
				if err != nil {
					return err
				}
				return c.verify(ctx, a, kept)
			})
		},
	}
	cmd.Flags().StringArrayVar(&heads, "head", nil, "file with a checkpoint or head of the audit chain that was kept elsewhere; may be given several times")
	return cmd
}

// readHeads reads the files that hold heads of the audit chain.
func readHeads(t tenant.Slug, files []string) ([]audit.Head, error) {
	var out []audit.Head
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fault.Wrapf(fault.Invalid, err, "the head %s cannot be read: check the name of the file", file)
		}
		head, _, err := audit.ParseHead(text, t)
		if err != nil {
			return nil, fault.Wrapf(fault.KindOf(err), err, "%s: %s", file, fault.Message(err))
		}
		head.Name += " (" + filepath.Base(file) + ")"
		out = append(out, head)
	}
	return out, nil
}

func (c *cli) verify(ctx context.Context, a *App, kept []audit.Head) error {
	problems, chain, err := a.verify(ctx, a.Scope, kept...)
	if err != nil {
		return err
	}
	type problem struct {
		What   string `json:"what"`
		Where  string `json:"where"`
		Detail string `json:"detail"`
	}
	list := []problem{}
	rows := [][]string{}
	for _, p := range problems {
		list = append(list, problem(p))
		rows = append(rows, []string{p.What, p.Where, p.Detail})
	}
	if c.format == "json" {
		err = c.printJSON(map[string]any{"clean": len(list) == 0, "problems": list, "audit_entries": chain.Entries, "audit_head": chain.Head, "audit_removed": chain.Removed, "audit_checkpoints": chain.Checkpoints})
	} else if len(list) == 0 {
		_, err = fmt.Fprintf(c.out, "clean: every file of the current snapshot is there with its checksum, the roll-ups agree with their rows,\nand the audit chain of %d entries is whole (head %s)\n%s", chain.Entries, orText(chain.Head, "none"), chainWords(chain, len(kept)))
	} else {
		err = c.table([]string{"what", "where", "detail"}, rows, nil)
	}
	if err == nil && len(list) > 0 {
		err = fault.Newf(fault.Conflict, "verify found %d problems: %s", len(list), whatToDo(len(problems) > len(chain.Faults), len(chain.Faults) > 0))
	}
	return err
}

// chainWords says what else was found of a whole chain.
func chainWords(r audit.Report, kept int) string {
	var out string
	if r.Removed > 0 {
		out = fmt.Sprintf("the content of %d audit entries was removed by policy; their seals are whole\n", r.Removed)
	}
	if r.Checkpoints > 0 {
		out += fmt.Sprintf("it agrees with %d checkpoints", r.Checkpoints)
		if kept > 0 {
			out += fmt.Sprintf(", %d of them kept elsewhere", kept)
		}
		out += "\n"
	}
	return out
}

// whatToDo is what helps with problems of files and of the audit chain.
func whatToDo(files, chain bool) string {
	var out []string
	if files {
		out = append(out, "restore the named files from a backup, or roll back to a snapshot that does not use them")
	}
	if chain {
		out = append(out, "the audit record was changed outside the program: find out who had access to the database, and compare with a backup and with checkpoints kept elsewhere (docs/audit.md)")
	}
	return strings.Join(out, "; ")
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
