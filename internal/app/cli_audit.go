package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func (c *cli) auditCommand() *cobra.Command {
	var actor, from, to string
	var oldest bool
	var f audit.Filter
	var limit int
	cmd := &cobra.Command{
		Use: "audit", Short: "Show, search and export the audit record: who did what, when and why", Args: cobra.NoArgs,
		Long: "Show the audit record, the newest entries first. With --oldest --limit 0 --format json it is the whole chain, as docs/audit.md\n" +
			"needs it to check it without MoatMetrics.",
		Example: "  moatmetrics audit --actor user:17 --action import. --from 2026-03-01\n  moatmetrics audit --search invoices --limit 0 --format csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			period, err := quantity.ParsePeriod(from, to)
			if err != nil {
				return err
			}
			f.Actor, f.Newest = tenant.Actor(actor), !oldest
			if !period.From.IsZero() {
				f.From = period.From.Time()
			}
			if !period.To.IsZero() {
				f.To = period.To.Time()
			}
			return c.with(cmd, func(ctx context.Context, a *App) error { return c.printAudit(ctx, a, f, limit) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&actor, "actor", "", "only what this one did, such as cli:anna or user:17")
	flags.StringVar(&f.Action, "action", "", "only actions that begin so, such as import. or import.undo")
	flags.StringVar(&f.Subject.Kind, "subject", "", "only about this kind of thing, such as import")
	flags.StringVar(&f.Subject.ID, "id", "", "only about the thing of this name or number")
	flags.StringVar(&f.Source, "source", "", "only from this address, device or key")
	flags.StringVar(&from, "from", "", "first day (UTC)")
	flags.StringVar(&to, "to", "", "first day not included (UTC)")
	flags.StringVar(&f.Text, "search", "", "a text of the action, the subject, the reason or the detail")
	flags.BoolVar(&oldest, "oldest", false, "the oldest first")
	flags.IntVar(&limit, "limit", 50, "most entries; 0 is all")
	for _, sub := range []*cobra.Command{c.auditCheckpointCommand(), c.auditKeyCommand(), c.auditRetentionCommand()} {
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) printAudit(ctx context.Context, a *App, f audit.Filter, limit int) error {
	switch c.format {
	case "json":
		return a.Audit.WriteJSON(ctx, a.Scope, a.DB, f, limit, c.out)
	case "csv":
		return a.Audit.WriteCSV(ctx, a.Scope, a.DB, f, limit, c.out)
	}
	if limit == 0 {
		limit = 1_000_000
	}
	var found []audit.Entry
	if err := a.DB.Read(ctx, func(tx *metadb.Tx) (err error) {
		found, err = a.Audit.Search(ctx, a.Scope, tx, f, audit.Page{Limit: limit})
		return err
	}); err != nil {
		return err
	}
	rows := make([][]string, len(found))
	for i, e := range found {
		what := e.Action
		if e.RemovedBy != 0 {
			what = fmt.Sprintf("(removed by policy, see entry %d)", e.RemovedBy)
		}
		rows[i] = []string{fmt.Sprint(e.Seq), localTime(e.At), string(e.Actor), orText(e.Source, "-"), what, strings.TrimSpace(e.Subject.Kind + " " + e.Subject.ID), entryWords(&e)}
	}
	return c.table([]string{"entry", "at", "who", "from", "what", "about", "detail"}, rows, nil)
}

// localTime is an instant of the record in the machine's zone.
func localTime(at string) string {
	t, err := metadb.ParseTime(at)
	if err != nil {
		return at
	}
	return t.Local().Format(time.DateTime)
}

// mostDetail is how many characters of a detail the table shows.
const mostDetail = 90

// entryWords is what was, what is and why, on one line.
func entryWords(e *audit.Entry) string {
	before, after, rest := e.Change()
	var parts []string
	if rest != "" && rest != "null" {
		parts = append(parts, rest)
	}
	if before != "" || after != "" {
		parts = append(parts, orText(before, "nothing")+" → "+orText(after, "nothing"))
	}
	if e.Reason != "" {
		parts = append(parts, "why: "+e.Reason)
	}
	out := []rune(strings.Join(parts, "; "))
	if len(out) > mostDetail {
		return string(out[:mostDetail-1]) + "…"
	}
	return string(out)
}

func (c *cli) auditCheckpointCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "checkpoint", Short: "Sign where the audit chain ends, to be kept elsewhere", Args: cobra.NoArgs,
		Long: "Sign where the audit chain ends and print that, or write it to a file. Keep it where nobody who can change the database can\n" +
			"write: moatmetrics verify --head FILE then finds a cut end and a rewritten chain.",
		Example: "  moatmetrics audit checkpoint -o /mnt/elsewhere/audit-2026-03-01.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				signed, err := a.Checkpoint(ctx, a.Scope)
				if err != nil || file == "" {
					if err == nil {
						err = c.printJSON(signed)
					}
					return err
				}
				text, err := json.MarshalIndent(signed, "", "  ")
				if err != nil {
					return err
				}
				if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
					return fault.Wrapf(fault.Invalid, err, "%s cannot be written: check the folder and its rights", file)
				}
				_, err = fmt.Fprintf(c.out, "signed the audit chain at entry %d: %s\n", signed.Seq, file)
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write instead of printing")
	return cmd
}

func (c *cli) auditKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Print the public key that signs checkpoints", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				key, err := a.SigningKey(ctx, a.Scope)
				if err != nil {
					return err
				}
				if c.format != "table" {
					return c.table([]string{"id", "public"}, [][]string{{key.ID, key.Public}}, key)
				}
				_, err = fmt.Fprintf(c.out, "key %s (Ed25519)\n%s\n%s", key.ID, key.Public, key.PEM)
				return err
			})
		},
	}
}

func (c *cli) auditRetentionCommand() *cobra.Command {
	var days, readDays int
	var reason string
	var now bool
	cmd := &cobra.Command{
		Use: "retention", Short: "Show or set how long audit entries keep their content", Args: cobra.NoArgs,
		Long: "Show how long audit entries keep their content, or set it. The server removes older contents daily and leaves their seals, so\n" +
			"that the chain still verifies; --now does it at once.",
		Example: "  moatmetrics audit retention --days 1095 --read-days 365 --reason \"our policy\"",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				var r audit.Retention
				var due int64
				var removed int
				set := cmd.Flags().Changed("days") || cmd.Flags().Changed("read-days")
				err := a.DB.Transact(ctx, func(tx *metadb.Tx) (err error) {
					if r, err = a.Audit.RetentionOf(ctx, a.Scope, tx); err != nil {
						return err
					}
					if cmd.Flags().Changed("days") {
						r.Days = days
					}
					if cmd.Flags().Changed("read-days") {
						r.ReadDays = readDays
					}
					if set {
						if err := a.Audit.SetRetention(ctx, a.Scope, tx, r, reason); err != nil {
							return err
						}
					}
					due, err = a.Audit.Due(ctx, a.Scope, tx, r)
					return err
				})
				if err != nil {
					return err
				}
				if now {
					if removed, err = a.retainAudit(ctx, a.Scope); err != nil {
						return err
					}
					due -= int64(removed)
				}
				return c.table([]string{"entries_keep_days", "reads_keep_days", "due_now", "removed"}, [][]string{{daysOrEver(r.Days), daysOrEver(r.ReadDays), fmt.Sprint(due), fmt.Sprint(removed)}},
					map[string]any{"days": r.Days, "read_days": r.ReadDays, "due": due, "removed": removed})
			})
		},
	}
	cmd.Flags().IntVar(&days, "days", 0, "days that entries keep their content, at least 90; 0 is for ever")
	cmd.Flags().IntVar(&readDays, "read-days", 0, "the same for entries that somebody read something")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	cmd.Flags().BoolVar(&now, "now", false, "remove at once what is due")
	return cmd
}

func daysOrEver(days int) string {
	if days == 0 {
		return "for ever"
	}
	return fmt.Sprint(days)
}
