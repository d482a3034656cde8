package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Exit codes of the commands; scripts rely on them.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRejects = 3 // done, but rows were rejected
)

// errRejects ends a command that did its work but had to reject rows.
var errRejects = errors.New("rows were rejected")

// usageError is a mistake in how a command was called.
type usageError struct{ error }

// cli is what all commands share.
type cli struct {
	version string
	in      io.Reader
	out     io.Writer
	err     io.Writer
	data    string
	tenant  string
	json    bool
	format  string
}

// Main runs one command and returns its exit code.
func Main(ctx context.Context, version string, args []string, in io.Reader, out, errOut io.Writer) int {
	c := &cli{version: version, in: in, out: out, err: errOut}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errRejects):
		return exitRejects
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "moatmetrics: %v\nRun moatmetrics %s --help for how to call it.\n", usage.error, commandPath(root, args))
		return exitUsage
	}
	c.printError(err)
	return exitFailed
}

func commandPath(root *cobra.Command, args []string) string {
	if found, _, err := root.Find(args); err == nil && found != root {
		return found.Name()
	}
	return ""
}

// printError shows what a user can do about an error; the operator's part follows only for
// failures of ours.
func (c *cli) printError(err error) {
	fmt.Fprintf(c.err, "moatmetrics: %s\n", userText(err))
	for _, f := range fault.FieldsOf(err) {
		fmt.Fprintf(c.err, "  %s: %s\n", f.Path, f.Message)
		if len(f.Allowed) > 0 {
			fmt.Fprintf(c.err, "    allowed: %s\n", joinList(f.Allowed))
		}
		if how := howToSay(f); how != "" {
			fmt.Fprintf(c.err, "    how: %s\n", how)
		}
	}
}

// howToSay is how a person says on the command line what an import could not decide.
func howToSay(f fault.Field) string {
	option, isOption := strings.CutPrefix(f.Path, "options.")
	switch {
	case f.Message == "undecided" && f.Path == "dataset":
		return "--dataset NAME"
	case f.Message == "undecided" && isOption && len(f.Allowed) > 0:
		return fmt.Sprintf("--mapping FILE, a file that holds options: {%s: %s}", option, f.Allowed[0])
	case f.Message == "undecided" && strings.HasPrefix(f.Path, "units.") && len(f.Allowed) > 0:
		return fmt.Sprintf("--mapping FILE, a file that holds units: {%q: %s}", strings.TrimPrefix(f.Path, "units."), f.Allowed[0])
	case strings.HasPrefix(f.Message, "no column for it"):
		return fmt.Sprintf("rename the column, or --mapping FILE with columns: {your header: %s}", f.Path)
	}
	return ""
}

// userText is the message of a fault, or for our own defects the whole error: on the
// command line the user is the operator.
func userText(err error) string {
	if fault.KindOf(err) == fault.Internal {
		return "internal error: " + secret.Scrub(err.Error())
	}
	return fault.Message(err)
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "moatmetrics",
		Short:         "What your clients really earn, why, and how sure that is",
		Long:          "MoatMetrics imports a managed service provider's exports and answers which clients lose money after labor, which\nagreement to reprice, which licenses are wasted, and why. Everything stays in one folder on this machine.\n\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 done with rejected rows.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&c.data, "data", "", "data directory (default ./data, or MOAT_DATA_DIR)")
	flags.StringVar(&c.tenant, "tenant", "", "tenant (default \"default\")")
	flags.BoolVar(&c.json, "json", false, "print JSON (same as --format json)")
	flags.StringVar(&c.format, "format", "table", "output: table, csv or json")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if c.json {
			c.format = "json"
		}
		switch c.format {
		case "table", "csv", "json":
			return nil
		}
		return usageError{fmt.Errorf("--format %s: allowed are table, csv and json", c.format)}
	}
	root.AddCommand(
		c.serveCommand(),
		c.demoCommand(),
		c.importCommand(),
		c.templateCommand(),
		c.exportCommand(),
		c.datasetsCommand(),
		c.queryCommand(),
		c.metricsCommand(),
		c.analyzeCommand(),
		c.explainCommand(),
		c.scenarioCommand(),
		c.snapshotsCommand(),
		c.trendCommand(),
		c.anomaliesCommand(),
		c.correlateCommand(),
		c.importsCommand(),
		c.undoCommand(),
		c.mappingsCommand(),
		c.sourceCommand(), c.destinationsCommand(), c.alertsCommand(),
		c.noticesCommand(),
		c.qualityCommand(),
		c.reviewCommand(),
		c.aliasCommand(),
		c.rollbackCommand(),
		c.closeCommand(true),
		c.closeCommand(false),
		c.verifyCommand(),
		c.keysCommand(),
		c.auditCommand(),
		c.reportCommand(),
		c.configCommand(),
		c.versionCommand(),
		c.riskCommand(),
		c.repriceCommand(),
		c.reconcileCommand(),
		c.thresholdsCommand(),
		c.workClassesCommand(),
		c.reclaimCommand(),
		c.kpiCommand(),
		c.ruleCommand(),
		c.segmentCommand(),
		c.calendarCommand(),
		c.rankCommand(),
		c.benchmarkCommand(),
		c.peersCommand(),
		c.askCommand(),
		c.searchCommand(),
		c.governanceCommand(),
		c.policyCommand(),
		c.usersCommand(),
		c.apiKeysCommand(),
		c.signInCommand(),
	)
	for _, cmd := range root.Commands() {
		wrapArgs(cmd)
	}
	return root
}

// wrapArgs makes wrong arguments a usage error.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
}

// open builds the app for a command; the caller closes it.
func (c *cli) open(ctx context.Context) (*App, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	return Open(ctx, cfg, tenant.Actor("cli:"+osUser()), c.err)
}

func (c *cli) config() (Config, error) {
	cfg, err := loadConfig(c.data)
	if err != nil {
		return cfg, err
	}
	cfg.Product = c.version
	if c.tenant != "" {
		cfg.Tenant = c.tenant
	}
	return cfg, nil
}

// with opens the app, runs fn and closes it.
func (c *cli) with(cmd *cobra.Command, fn func(ctx context.Context, a *App) error) error {
	a, err := c.open(cmd.Context())
	if err != nil {
		return err
	}
	err = fn(cmd.Context(), a)
	if cerr := a.Close(); err == nil {
		err = cerr
	}
	return err
}

func (c *cli) printJSON(v any) error {
	enc := json.NewEncoder(c.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (c *cli) configCommand() *cobra.Command {
	return &cobra.Command{
		Use: "config", Short: "Print the settings in force, secrets hidden", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := c.config()
			if err != nil {
				return err
			}
			r := cfg.redacted()
			return c.table([]string{"setting", "value"}, [][]string{
				{"data", r.Data}, {"database", orText(r.Database, "SQLite in the data directory")}, {"tenant", r.Tenant}, {"listen", r.Listen}, {"tls_cert", orText(r.TLSCert, "none")}, {"tls_key", orText(r.TLSKey, "none")}, {"hosts", orText(r.Hosts, "see docs/serving.md")},
				{"trusted_proxies", orText(r.TrustedProxies, "none")}, {"source_networks", r.SourceNetworks}, {"delivery_networks", r.DeliveryNetworks}, {"delivery_folders", orText(r.DeliveryFolders, "none")}, {"rate_actor", fmt.Sprint(r.RateActor)}, {"rate_address", fmt.Sprint(r.RateAddress)}, {"rate_sign_in", fmt.Sprint(r.RateSignIn)},
				{"memory_mb", fmt.Sprint(r.MemoryMB)}, {"threads", fmt.Sprint(r.Threads)}, {"log_level", r.LogLevel}}, r)
		},
	}
}

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if c.format == "json" {
				return c.printJSON(map[string]string{"version": c.version})
			}
			_, err := fmt.Fprintln(c.out, "moatmetrics", c.version)
			return err
		},
	}
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// isTerminal reports whether w is a terminal a person watches.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
