package app

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

func (c *cli) sourceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "source", Short: "Import files by themselves: from folders, SFTP servers, S3 buckets and e-mails, when they change or on a schedule",
		Example: "  moatmetrics source add psa --path /srv/exports --schedule watch --after move\n  moatmetrics source test psa\n  moatmetrics source run psa\n  moatmetrics source files psa --status quarantined",
	}
	cmd.AddCommand(c.sourceAddCommand(), c.sourceChangeCommand(), c.sourceListCommand(), c.sourceTestCommand(), c.sourceRunCommand(), c.sourceFilesCommand(), c.sourceReleaseCommand(),
		&cobra.Command{Use: "trust SOURCE HOST-KEY", Short: "Say that a server's key, as source test shows it, is the right one", Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				src, err := a.Inbox.Source(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				src.Settings.HostKey = args[1]
				_, err = a.Inbox.Change(ctx, a.Scope, src.ID, src.Spec)
				return err
			})
		}},
		&cobra.Command{Use: "dismiss SOURCE FILE", Short: "Take a file out of quarantine without importing it", Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				_, err := a.Inbox.Dismiss(ctx, a.Scope, args[0], args[1])
				return err
			})
		}},
		&cobra.Command{Use: "remove SOURCE", Short: "Forget a source; what it imported stays", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error { return a.Inbox.Remove(ctx, a.Scope, args[0]) })
		}})
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

// specFlags are the flags that say what a source is.
type specFlags struct {
	spec                           inbox.Spec
	kind, after, tls               string
	mapping, passwordFile, keyFile string
}

// bind makes the flags; what spec holds already are their defaults.
func (s *specFlags) bind(f *pflag.FlagSet) {
	spec, set := &s.spec, &s.spec.Settings
	f.StringVar(&s.kind, "kind", string(cmp.Or(spec.Kind, inbox.Folder)), "folder, sftp, s3 or imap")
	f.StringVar(&set.Path, "path", set.Path, "the folder; of s3 the prefix; of imap the mailbox folder (default INBOX)")
	f.StringVar(&set.Pattern, "pattern", set.Pattern, "which files, such as *.csv (default all)")
	f.StringVar(&set.Host, "host", set.Host, "server of sftp or imap")
	f.IntVar(&set.Port, "port", set.Port, "its port (default 22 of sftp, 993 of imap)")
	f.StringVar(&set.User, "user", set.User, "user on the server; of s3 the access key's id")
	f.StringVar(&s.passwordFile, "password-file", "", "file that holds the password, the SSH key's passphrase, or the access key's secret")
	f.StringVar(&s.keyFile, "private-key-file", "", "file that holds the SSH key")
	f.StringVar(&set.HostKey, "host-key", set.HostKey, "the key of the sftp server; source test shows it")
	f.StringVar(&set.Endpoint, "endpoint", set.Endpoint, "address of s3, such as https://s3.eu-central-1.amazonaws.com")
	f.StringVar(&set.Region, "region", set.Region, "region of s3 (default us-east-1)")
	f.StringVar(&set.Bucket, "bucket", set.Bucket, "bucket of s3")
	f.StringVar(&s.tls, "tls", string(set.TLS), "encryption of imap: implicit, starttls, or none to this machine only (default implicit, starttls on port 143)")
	f.StringSliceVar(&set.Senders, "sender", set.Senders, "of imap: whose e-mails are taken, an address or a domain such as @example.com; may be repeated (default anyone's)")
	f.StringVar(&set.Subject, "subject", set.Subject, "of imap: only e-mails whose subject holds this text")
	f.StringVar(&spec.Schedule, "schedule", spec.Schedule, "watch (folders), or a cron expression such as \"0 6 * * *\" (default: runs by hand only)")
	f.StringVar(&spec.Zone, "zone", spec.Zone, "time zone of the schedule (default UTC)")
	f.StringVar(&spec.Dataset, "dataset", spec.Dataset, "what all files are (default: told from each file)")
	f.StringVar(&spec.SourceSystem, "source-system", spec.SourceSystem, "name kept with every row (default csv)")
	f.StringVar(&s.mapping, "mapping", "", "YAML file that maps columns to fields")
	f.BoolVar(&spec.AllOrNothing, "all-or-nothing", spec.AllOrNothing, "store the files of a run together or not at all")
	f.StringVar(&s.after, "after", string(cmp.Or(spec.After, inbox.Keep)), "what becomes of imported files: keep, move or delete")
	f.BoolVar(&spec.Paused, "paused", spec.Paused, "run by hand only, whatever the schedule says")
}

// read completes the spec with what the flags name: kinds, files, a folder from here on.
func (s *specFlags) read(f *pflag.FlagSet) error {
	spec := &s.spec
	spec.Kind, spec.After, spec.Settings.TLS = inbox.Kind(s.kind), inbox.After(s.after), inbox.TLS(s.tls)
	if f.Changed("mapping") {
		m, err := readMapping(s.mapping)
		if err != nil {
			return err
		}
		spec.Mapping = dataset.Mapping{} // that of no file is none
		if m != nil {
			spec.Mapping = *m
		}
	}
	password, err := readSecret(s.passwordFile)
	if err != nil {
		return err
	}
	key, err := readSecret(s.keyFile)
	if err != nil {
		return err
	}
	spec.Password, spec.PrivateKey = secret.NewText(strings.TrimRight(password, "\r\n")), secret.NewText(key)
	if f.Changed("path") && spec.Kind == inbox.Folder && spec.Settings.Path != "" {
		spec.Settings.Path, err = filepath.Abs(spec.Settings.Path)
	}
	return err
}

// readSecret reads a file that holds a secret; none is named: "".
func readSecret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fault.Wrapf(fault.Invalid, err, "%s cannot be read", file)
	}
	return string(text), nil
}

func (c *cli) sourceAddCommand() *cobra.Command {
	var flags specFlags
	cmd := &cobra.Command{Use: "add NAME", Short: "Name a source", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		flags.spec.Name = args[0]
		if err := flags.read(cmd.Flags()); err != nil {
			return err
		}
		return c.with(cmd, func(ctx context.Context, a *App) error {
			src, err := a.Inbox.Add(ctx, a.Scope, flags.spec)
			if err != nil {
				return err
			}
			return c.listSources([]inbox.Source{src})
		})
	}}
	flags.bind(cmd.Flags())
	return cmd
}

func (c *cli) sourceChangeCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{Use: "change SOURCE", Short: "Change what the given flags name; the rest stays, files that were seen stay seen", Args: cobra.ExactArgs(1)}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			src, err := a.Inbox.Source(ctx, a.Scope, args[0])
			if err != nil {
				return err
			}
			flags := specFlags{spec: src.Spec}
			if name != "" {
				flags.spec.Name = name
			}
			if err := flags.readGiven(cmd.Flags()); err != nil {
				return err
			}
			src, err = a.Inbox.Change(ctx, a.Scope, src.ID, flags.spec)
			if err != nil {
				return err
			}
			return c.listSources([]inbox.Source{src})
		})
	}
	cmd.Flags().StringVar(&name, "name", "", "what it is called from now on")
	new(specFlags).bind(cmd.Flags())
	return cmd
}

// readGiven takes over those flags that were given and leaves the rest of the spec.
func (s *specFlags) readGiven(flags *pflag.FlagSet) error {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.bind(own)
	if err := given(flags, own); err != nil {
		return err
	}
	return s.read(own)
}

// readMapping reads a mapping file; nil when none is named.
func readMapping(file string) (*dataset.Mapping, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "the mapping file %s cannot be read", file)
	}
	m, err := dataset.ParseMapping(text)
	return &m, err
}

func (c *cli) listSources(list []inbox.Source) error {
	rows := make([][]string, len(list))
	for i, s := range list {
		rows[i] = []string{s.Name, string(s.Kind), s.Where(), s.Schedule, string(s.After), string(s.Status), shortTime(s.LastRun), shortTime(s.NextRun), s.Problem}
	}
	return c.table([]string{"source", "kind", "where", "schedule", "after", "status", "last run", "next run", "problem"}, rows, list)
}

func shortTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

func (c *cli) sourceListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the sources", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			list, err := a.Inbox.Sources(ctx, a.Scope)
			if err != nil {
				return err
			}
			return c.listSources(list)
		})
	}}
}

func (c *cli) sourceTestCommand() *cobra.Command {
	return &cobra.Command{Use: "test SOURCE", Short: "Connect and list the files; nothing is imported", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			list, err := a.Inbox.Test(ctx, a.Scope, args[0])
			if err != nil {
				return err
			}
			rows := make([][]string, len(list))
			for i, e := range list {
				rows[i] = []string{e.Path, fmt.Sprint(e.Bytes), e.Skip}
			}
			return c.table([]string{"file", "bytes", "not taken, as"}, rows, list)
		})
	}}
}

func (c *cli) sourceRunCommand() *cobra.Command {
	return &cobra.Command{Use: "run SOURCE", Short: "Import what is new at a source now", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			r, err := a.Inbox.Run(ctx, a.Scope, args[0])
			if err != nil {
				return err
			}
			return c.table([]string{"files", "imported", "quarantined", "duplicates", "waiting"},
				[][]string{{fmt.Sprint(r.Listed), fmt.Sprint(r.Imported), fmt.Sprint(r.Quarantined), fmt.Sprint(r.Duplicates), fmt.Sprint(r.Waiting)}}, r)
		})
	}}
}

func (c *cli) sourceFilesCommand() *cobra.Command {
	var status string
	cmd := &cobra.Command{Use: "files SOURCE", Short: "Say what became of a source's files, newest first", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			list, err := a.Inbox.Files(ctx, a.Scope, args[0], inbox.FileStatus(status), 1000, 0)
			if err != nil {
				return err
			}
			rows := make([][]string, len(list))
			for i, f := range list {
				rows[i] = []string{f.ID, f.Path, fmt.Sprint(f.Bytes), string(f.Status), shortTime(&f.SeenAt), f.Problem}
			}
			return c.table([]string{"id", "file", "bytes", "status", "seen", "problem"}, rows, list)
		})
	}}
	cmd.Flags().StringVar(&status, "status", "", "only those: imported, duplicate, quarantined, released or dismissed")
	return cmd
}

func (c *cli) sourceReleaseCommand() *cobra.Command {
	var mapping string
	cmd := &cobra.Command{Use: "release SOURCE FILE", Short: "Let the next run try a file again", Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
		m, err := readMapping(mapping)
		if err != nil {
			return err
		}
		return c.with(cmd, func(ctx context.Context, a *App) error {
			_, err := a.Inbox.Release(ctx, a.Scope, args[0], args[1], m)
			return err
		})
	}}
	cmd.Flags().StringVar(&mapping, "mapping", "", "YAML file that says how the file is read")
	return cmd
}

func (c *cli) noticesCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{Use: "notices", Short: "List what needs a person", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			list, err := a.Notices.List(ctx, a.Scope, !all, 200, 0)
			if err != nil {
				return err
			}
			rows := make([][]string, len(list))
			for i, n := range list {
				rows[i] = []string{n.ID, shortTime(&n.CreatedAt), string(n.Kind), n.Message, n.Subject}
			}
			if err := c.table([]string{"id", "at", "kind", "what", "about"}, rows, list); err != nil || c.format != "table" {
				return err
			}
			if slices.ContainsFunc(list, func(n notice.Notice) bool { return n.Kind == notice.DeliveryFailed }) {
				fmt.Fprintln(c.out, "moatmetrics destinations deliveries DELIVERY shows what was not delivered, destinations retry DELIVERY tries it again; what it is about is its id.")
			}
			return nil
		})
	}}
	cmd.Flags().BoolVar(&all, "all", false, "also those that were read")
	read := &cobra.Command{Use: "read ID", Short: "Mark a notice as read", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error { return a.Notices.Read(ctx, a.Scope, args[0]) })
	}}
	wrapArgs(read)
	cmd.AddCommand(read)
	return cmd
}
