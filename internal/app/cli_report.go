package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/report"
)

// reportFlags say which report is wanted.
type reportFlags struct {
	req              report.Request
	file             string
	from, to, asOf   string
	format, template string
}

func (c *cli) reportCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use: "report [TEMPLATE]", Short: "Make a report as PDF, Excel, PowerPoint, HTML, CSV or JSON; without a template, list what there is", Args: cobra.MaximumNArgs(1),
		Long: "Make a report and keep it in the history. Without -o the file is named after the report in the current folder; -o - writes it to the\n" +
			"standard output. A report about one client takes the one with the highest revenue unless --client names another.",
		Example: `  moatmetrics report executive-summary -o summary.pdf
  moatmetrics report client-qbr --client "Tallgrass Brewing" --format pptx -o review.pptx
  moatmetrics report client-profitability --format xlsx --from 2026-01 --to 2026-07 -o profit.xlsx
  moatmetrics report --template-file own.yaml --format html -o draft.html`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("format") && c.json {
				f.format = "json"
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if len(args) == 0 && f.template == "" {
					return c.printReports(ctx, a, 0)
				}
				if len(args) == 1 {
					f.req.Template = args[0]
				}
				return c.makeReport(ctx, a, f)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "pdf", "pdf, xlsx, pptx, html, csv or json")
	flags.StringVarP(&f.file, "output", "o", "", "file to write; - is the standard output")
	flags.StringVar(&f.req.Client, "client", "", "the client that the report is about")
	flags.StringVar(&f.from, "from", "", "first month; without a period the template's own counts")
	flags.StringVar(&f.to, "to", "", "first month not included")
	flags.StringVar(&f.req.Currency, "currency", "", "convert amounts to this currency (ISO 4217)")
	flags.Int64Var(&f.req.Snapshot, "snapshot", 0, "of this snapshot instead of the current one")
	flags.StringVar(&f.asOf, "as-of", "", "the day that is taken for today")
	flags.StringVar(&f.template, "template-file", "", "make it from this file instead of a kept template")
	for _, sub := range []*cobra.Command{c.reportListCommand(), c.reportShowCommand(), c.reportGetCommand(), c.reportReproduceCommand(), c.reportRemoveCommand(), c.reportTemplateCommand(), c.reportBrandCommand(), c.reportScheduleCommand()} {
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) makeReport(ctx context.Context, a *App, f reportFlags) error {
	var err error
	if f.req.Period, err = quantity.ParsePeriod(f.from, f.to); err != nil {
		return err
	}
	if f.asOf != "" {
		if f.req.AsOf, err = quantity.AskedDay(f.asOf); err != nil {
			return err
		}
	}
	if f.template != "" {
		text, err := os.ReadFile(f.template)
		if err != nil {
			return fault.Wrapf(fault.Invalid, err, "%s cannot be read: %v", f.template, err)
		}
		f.req.Text = string(text)
	}
	r, err := a.Reports.Make(ctx, a.Scope, f.req, f.format, "", c.telling())
	if err != nil {
		return err
	}
	file := f.file
	if file == "" && f.format == "json" {
		file = "-"
	}
	if file == "" {
		file = r.FileName()
	}
	if err := c.saveReport(ctx, a, r.ID, file); err != nil {
		return err
	}
	if file == "-" {
		return nil
	}
	fmt.Fprintf(c.out, "%s: %s, %s (%d kB)\n", file, r.Title, r.Period.Words(), (r.Bytes+1023)/1024)
	if r.Client != "" {
		fmt.Fprintf(c.out, "Client: %s\n", r.Client)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(c.out, "Note: %s\n", n)
	}
	fmt.Fprintf(c.out, "SHA-256 %s, snapshot %d, report %s\n", r.SHA256, r.Snapshot, r.ID)
	return nil
}

// telling shows how far a report is, on a terminal.
func (c *cli) telling() report.Progress {
	if !isTerminal(c.err) {
		return nil
	}
	return func(done, of int, what string) {
		fmt.Fprintf(c.err, "\r\033[K%d of %d %s", done, of, what)
		if done == of {
			fmt.Fprint(c.err, "\r\033[K")
		}
	}
}

// saveReport writes a kept file where somebody wants it, whole or not at all.
func (c *cli) saveReport(ctx context.Context, a *App, id, file string) error {
	_, content, err := a.Reports.Open(ctx, a.Scope, id)
	if err != nil {
		return err
	}
	defer content.Close()
	if file == "-" {
		_, err := io.Copy(c.out, content)
		return err
	}
	return writeWhole(file, func(w io.Writer) error {
		_, err := io.Copy(w, content)
		return err
	})
}

// writeWhole writes a file beside its place and then names it. Who may read it is up to the umask.
func writeWhole(file string, write func(io.Writer) error) (err error) {
	beside := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+"-"+rand.Text())
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fault.Wrapf(fault.Invalid, err, "%s cannot be written: %v", file, err)
	}
	defer os.Remove(f.Name())
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return fault.Wrapf(fault.Invalid, err, "%s cannot be written: %v", file, err)
	}
	return nil
}

func (c *cli) reportListCommand() *cobra.Command {
	limit := 20
	cmd := &cobra.Command{
		Use: "list", Short: "List the templates and the files that were made", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error { return c.printReports(ctx, a, limit) })
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "the most files, newest first; 0 lists the templates only")
	return cmd
}

// printReports prints the templates and, when most is above 0, the newest files.
func (c *cli) printReports(ctx context.Context, a *App, most int) error {
	templates, err := a.Reports.Templates(ctx, a.Scope)
	if err != nil {
		return err
	}
	made := []*report.Report{}
	if most > 0 {
		if made, _, err = a.Reports.List(ctx, a.Scope, report.Filter{}, most, ""); err != nil {
			return err
		}
	}
	if c.format == "json" {
		return c.printJSON(map[string]any{"templates": templates, "reports": made, "formats": report.Formats})
	}
	rows := make([][]string, len(templates))
	for i, t := range templates {
		rows[i] = []string{t.Name, t.For, t.Called(), t.Description}
	}
	if err := c.table([]string{"template", "for", "title", "what it holds"}, rows, nil); err != nil || most == 0 {
		return err
	}
	fmt.Fprintln(c.out)
	if len(made) == 0 {
		_, err := fmt.Fprintln(c.out, "No file was made yet: moatmetrics report TEMPLATE -o FILE makes one.")
		return err
	}
	rows = make([][]string, len(made))
	for i, r := range made {
		state := r.State
		if r.RemovedAt != nil {
			state = "removed"
		}
		rows[i] = []string{r.ID, r.MadeAt.Format(time.DateTime), r.Template, r.Format, r.Client, r.Period.Words(), state, fmt.Sprint(r.Snapshot), r.SHA256[:min(12, len(r.SHA256))]}
	}
	return c.table([]string{"report", "made (UTC)", "template", "format", "client", "period", "state", "snapshot", "sha-256"}, rows, nil)
}

func (c *cli) reportShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show REPORT", Short: "Show what a file was made from, and who got it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Reports.Get(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				rows := [][]string{
					{"title", r.Title}, {"template", r.Template}, {"format", r.Format}, {"client", r.Client}, {"period", r.Period.Words()}, {"as of", r.AsOf.String()}, {"state", r.State},
					{"snapshot", fmt.Sprint(r.Snapshot)}, {"audit position", fmt.Sprint(r.AuditSeq)}, {"definitions", fmt.Sprintf("revision %d", r.Definitions)}, {"settings", r.SettingsHash}, {"inputs", r.InputHash},
					{"role", r.Role}, {"sha-256", r.SHA256}, {"bytes", fmt.Sprint(r.Bytes)}, {"made by", r.MadeBy}, {"made at", r.MadeAt.Format(time.RFC3339)}, {"program", r.Product},
				}
				if r.RemovedAt != nil {
					rows = append(rows, []string{"removed on", r.RemovedAt.Format(time.RFC3339)})
				}
				for _, x := range r.Receipts {
					rows = append(rows, []string{"received", fmt.Sprintf("%s by %s, %s", x.Receiver, x.Channel, x.At.Format(time.RFC3339))})
				}
				for _, n := range r.Notes {
					rows = append(rows, []string{"note", n})
				}
				if r.Problem != "" {
					rows = append(rows, []string{"problem", r.Problem})
				}
				return c.table([]string{"what", "value"}, rows, r)
			})
		},
	}
}

func (c *cli) reportGetCommand() *cobra.Command {
	file := ""
	cmd := &cobra.Command{
		Use: "get REPORT", Short: "Write the file of a past report", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Reports.Get(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				if file == "" {
					file = r.FileName()
				}
				if err := c.saveReport(ctx, a, r.ID, file); err != nil || file == "-" {
					return err
				}
				_, err = fmt.Fprintln(c.out, file)
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write; - is the standard output")
	return cmd
}

func (c *cli) reportReproduceCommand() *cobra.Command {
	file := ""
	cmd := &cobra.Command{
		Use: "reproduce REPORT", Short: "Make a past report again from its inputs and compare it to the byte", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				var out *report.Reproduction
				again := func(w io.Writer) (err error) {
					out, err = a.Reports.Reproduce(ctx, a.Scope, args[0], w)
					return err
				}
				var err error
				if file != "" {
					err = writeWhole(file, again)
				} else {
					err = again(nil)
				}
				if err != nil {
					return err
				}
				if c.format == "json" {
					if err := c.printJSON(out); err != nil {
						return err
					}
				} else if out.Same {
					fmt.Fprintf(c.out, "The same to the byte: SHA-256 %s\n", out.SHA256)
				}
				if !out.Same {
					return fault.Newf(fault.Conflict, "it differs from what was made then (%s, now %s): %s", out.Report.SHA256, out.SHA256, out.Why)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "also write the file")
	return cmd
}

func (c *cli) reportRemoveCommand() *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use: "remove REPORT", Short: "Remove the file of a past report; that it was made stays on the record", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if err := a.Reports.Remove(ctx, a.Scope, args[0], reason); err != nil {
					return err
				}
				_, err := fmt.Fprintln(c.out, "The file is removed.")
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit record")
	return cmd
}

func (c *cli) reportTemplateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "template", Short: "Show, check, keep and remove templates of reports"}
	show := &cobra.Command{
		Use: "show TEMPLATE", Short: "Print a template's text, to be changed and kept under another name", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				t, err := a.Reports.Template(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				if c.format == "json" {
					return c.printJSON(t)
				}
				_, err = io.WriteString(c.out, t.Text)
				return err
			})
		},
	}
	check := &cobra.Command{
		Use: "check FILE", Short: "Say what is wrong with a template, line by line", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				text, err := os.ReadFile(args[0])
				if err != nil {
					return fault.Wrapf(fault.Invalid, err, "%s cannot be read: %v", args[0], err)
				}
				t, err := a.Reports.CheckTemplate(ctx, a.Scope, string(text))
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.out, "%s: %s can be used.\n", t.Name, t.Title)
				return err
			})
		},
	}
	change := false
	put := &cobra.Command{
		Use: "put FILE", Short: "Keep a template of your own under the name that it gives itself", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				text, err := os.ReadFile(args[0])
				if err != nil {
					return fault.Wrapf(fault.Invalid, err, "%s cannot be read: %v", args[0], err)
				}
				t, err := a.Reports.PutTemplate(ctx, a.Scope, string(text), !change)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.out, "%s is kept.\n", t.Name)
				return err
			})
		},
	}
	put.Flags().BoolVar(&change, "change", false, "the template is there already: make this its next version")
	remove := &cobra.Command{
		Use: "remove TEMPLATE", Short: "Remove a template of your own; files that were made from it stay", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if err := a.Reports.RemoveTemplate(ctx, a.Scope, args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(c.out, "%s is removed.\n", args[0])
				return err
			})
		},
	}
	for _, sub := range []*cobra.Command{show, check, put, remove} {
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) reportBrandCommand() *cobra.Command {
	var logo, regular, bold string
	var to report.Brand
	var primary, accent string
	cmd := &cobra.Command{
		Use: "brand", Short: "Show or set the logo, colors, font, footer and cover letter of reports", Args: cobra.NoArgs,
		Example: `  moatmetrics report brand --logo logo.png --primary "#0B62A8" --footer "Confidential"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				is, err := a.Reports.BrandOf(ctx, a.Scope)
				if err != nil {
					return err
				}
				set := cmd.Flags().Changed
				changed := false
				for _, f := range []struct {
					name string
					put  func()
				}{
					{"primary", func() { is.Primary = document.Color(primary) }}, {"accent", func() { is.Accent = document.Color(accent) }},
					{"footer", func() { is.Footer = to.Footer }}, {"font", func() { is.Font = to.Font }}, {"letter", func() { is.Letter = to.Letter }},
				} {
					if set(f.name) {
						f.put()
						changed = true
					}
				}
				for name, file := range map[string]struct {
					path string
					into *string
				}{"logo": {logo, &is.Logo}, "regular": {regular, &is.Regular}, "bold": {bold, &is.Bold}} {
					if !set(name) {
						continue
					}
					changed = true
					if *file.into = ""; file.path == "" {
						continue
					}
					content, err := os.ReadFile(file.path)
					if err != nil {
						return fault.Wrapf(fault.Invalid, err, "%s cannot be read: %v", file.path, err)
					}
					if *file.into, err = a.Reports.KeepAsset(ctx, a.Scope, content); err != nil {
						return err
					}
				}
				if changed {
					if is, err = a.Reports.PutBrand(ctx, a.Scope, is); err != nil {
						return err
					}
				}
				rows := [][]string{{"primary", string(is.Primary)}, {"accent", string(is.Accent)}, {"footer", is.Footer}, {"letter", strings.Join(is.Letter, " / ")}, {"logo", is.Logo}, {"font", is.Font}, {"regular", is.Regular}, {"bold", is.Bold}}
				return c.table([]string{"what", "value"}, rows, is)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&logo, "logo", "", "PNG or JPEG file; \"\" removes it")
	f.StringVar(&primary, "primary", "", "color of titles and the first series, #RRGGBB; \"\" is the product's own")
	f.StringVar(&accent, "accent", "", "color of what stands out, #RRGGBB")
	f.StringVar(&to.Footer, "footer", "", "on every page")
	f.StringVar(&to.Font, "font", "", "name of your own font")
	f.StringVar(&regular, "regular", "", "TrueType file of your own font")
	f.StringVar(&bold, "bold", "", "TrueType file of its bold face")
	f.StringArrayVar(&to.Letter, "letter", nil, "a paragraph of the letter before reports for clients; may be repeated")
	return cmd
}
