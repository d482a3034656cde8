package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

func (c *cli) sourceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "source", Short: "Import files by themselves: from folders and SFTP servers, when they change or on a schedule",
		Example: "  moatmetrics source add psa --path /srv/exports --schedule watch --after move\n  moatmetrics source test psa\n  moatmetrics source run psa\n  moatmetrics source files psa --status quarantined",
	}
	cmd.AddCommand(c.sourceAddCommand(), c.sourceListCommand(), c.sourceTestCommand(), c.sourceRunCommand(), c.sourceFilesCommand(), c.sourceReleaseCommand(),
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

func (c *cli) sourceAddCommand() *cobra.Command {
	var spec inbox.Spec
	var kind, after, mapping, password, key string
	cmd := &cobra.Command{Use: "add NAME", Short: "Name a source", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		spec.Name, spec.Kind, spec.After = args[0], inbox.Kind(kind), inbox.After(after)
		m, err := readMapping(mapping)
		if err != nil {
			return err
		}
		if m != nil {
			spec.Mapping = *m
		}
		for file, to := range map[string]*secret.Text{password: &spec.Password, key: &spec.PrivateKey} {
			if file == "" {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return fault.Wrapf(fault.Invalid, err, "%s cannot be read", file)
			}
			*to = secret.NewText(strings.TrimRight(string(text), "\r\n"))
			if to == &spec.PrivateKey {
				*to = secret.NewText(string(text))
			}
		}
		if spec.Kind == inbox.Folder && spec.Settings.Path != "" {
			if spec.Settings.Path, err = filepath.Abs(spec.Settings.Path); err != nil {
				return err
			}
		}
		return c.with(cmd, func(ctx context.Context, a *App) error {
			src, err := a.Inbox.Add(ctx, a.Scope, spec)
			if err != nil {
				return err
			}
			return c.listSources([]inbox.Source{src})
		})
	}}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", string(inbox.Folder), "folder or sftp")
	f.StringVar(&spec.Settings.Host, "host", "", "server of sftp")
	f.IntVar(&spec.Settings.Port, "port", 0, "its port (default 22)")
	f.StringVar(&spec.Settings.User, "user", "", "user on the server")
	f.StringVar(&spec.Settings.HostKey, "host-key", "", "the server's key; source test shows it")
	f.StringVar(&password, "password-file", "", "file that holds the password, or the key's passphrase")
	f.StringVar(&key, "private-key-file", "", "file that holds the SSH key")
	f.StringVar(&spec.Settings.Path, "path", "", "the folder")
	f.StringVar(&spec.Settings.Pattern, "pattern", "", "which files, such as *.csv (default all)")
	f.StringVar(&spec.Schedule, "schedule", "", "watch, or a cron expression such as \"0 6 * * *\" (default: runs by hand only)")
	f.StringVar(&spec.Zone, "zone", "", "time zone of the schedule (default UTC)")
	f.StringVar(&spec.Dataset, "dataset", "", "what all files are (default: told from each file)")
	f.StringVar(&spec.SourceSystem, "source-system", "", "name kept with every row (default csv)")
	f.StringVar(&mapping, "mapping", "", "YAML file that maps columns to fields")
	f.BoolVar(&spec.AllOrNothing, "all-or-nothing", false, "store the files of a run together or not at all")
	f.StringVar(&after, "after", string(inbox.Keep), "what becomes of imported files: keep, move or delete")
	f.BoolVar(&spec.Paused, "paused", false, "run by hand only, whatever the schedule says")
	return cmd
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
		rows[i] = []string{s.Name, string(s.Kind), s.Settings.Path, s.Schedule, string(s.After), string(s.Status), shortTime(s.LastRun), shortTime(s.NextRun), s.Problem}
	}
	return c.table([]string{"source", "kind", "path", "schedule", "after", "status", "last run", "next run", "problem"}, rows, list)
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
			list, err := a.Inbox.Notices(ctx, a.Scope, !all, 200, 0)
			if err != nil {
				return err
			}
			rows := make([][]string, len(list))
			for i, n := range list {
				rows[i] = []string{n.ID, shortTime(&n.CreatedAt), string(n.Kind), n.Message}
			}
			return c.table([]string{"id", "at", "kind", "what"}, rows, list)
		})
	}}
	cmd.Flags().BoolVar(&all, "all", false, "also those that were read")
	read := &cobra.Command{Use: "read ID", Short: "Mark a notice as read", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error { return a.Inbox.Read(ctx, a.Scope, args[0]) })
	}}
	wrapArgs(read)
	cmd.AddCommand(read)
	return cmd
}
