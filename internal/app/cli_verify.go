package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

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
	debug.SetGCPercent(400) // a million entries are garbage soon, as in the server
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
