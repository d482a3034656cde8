package app

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

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
