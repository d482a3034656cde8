package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/keyring"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

func (c *cli) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "List and change the keys that secrets and personal columns are encrypted with",
		Example: "  moatmetrics keys list\n  moatmetrics keys rotate --retire old\n  moatmetrics keys rotate --new-master --retire old",
	}
	cmd.AddCommand(c.keysListCommand(), c.keysRotateCommand())
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

func (c *cli) keysListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the keys, oldest first, and how many values are sealed under each", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			ring, err := a.Keys.List(ctx, a.Scope)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(ring.Keys)+1)
			for _, k := range ring.Keys {
				rows = append(rows, []string{k.ID, string(k.State), k.Master, shortTime(&k.CreatedAt), shortTime(k.ResealedAt), shortTime(k.RetiredAt), fmt.Sprint(k.Values)})
			}
			if ring.Unnamed > 0 {
				rows = append(rows, []string{"(none)", "kept by an earlier version: run keys rotate", "", "", "", "", fmt.Sprint(ring.Unnamed)})
			}
			return c.table([]string{"key", "state", "master key", "made", "all values under it", "retired", "values"}, rows, ring)
		})
	}}
}

func (c *cli) keysRotateCommand() *cobra.Command {
	var retire []string
	var newMaster bool
	cmd := &cobra.Command{
		Use: "rotate", Short: "Make a new key and seal every value under it, while the server runs", Args: cobra.NoArgs,
		Long: "Make a new key, wrap all keys by the first master key, and seal every value under the new one. The server goes on\nworking. If it is cut off, run it again: it goes on where it was. Old keys still open values until they are retired.",
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error { return c.rotate(ctx, a, retire, newMaster) })
	}
	cmd.Flags().StringSliceVar(&retire, "retire", nil, "id of an old key to forget once nothing is sealed under it, or old for all of them; may be repeated")
	cmd.Flags().BoolVar(&newMaster, "new-master", false, "also put a new master key into the key file, and take the old ones out")
	return cmd
}

func (c *cli) rotate(ctx context.Context, a *App, retire []string, newMaster bool) error {
	file := a.MasterKeys.KeyFile()
	if newMaster {
		if file == "" {
			return fault.Newf(fault.Invalid, "--new-master is for key files: with MOAT_MASTER_KEY put a new key before the old one, a comma between them; in Vault rotate the key; then run keys rotate")
		}
		if err := secret.RenewFile(file); err != nil {
			return err
		}
	}
	done, err := a.Keys.Rotate(ctx, a.Scope, retire, func(line string) { fmt.Fprintln(c.err, line) })
	if err != nil {
		return err
	}
	if newMaster {
		if err := secret.TrimFile(file); err != nil {
			return err
		}
	}
	return c.printRotation(done)
}

func (c *cli) printRotation(done keyring.Rotation) error {
	var rows [][]string
	for _, p := range done.Columns {
		rows = append(rows, []string{p.Column, fmt.Sprint(p.Done)})
	}
	if err := c.table([]string{"column", "values sealed under " + done.Key}, rows, done); err != nil || c.format != "table" {
		return err
	}
	_, err := fmt.Fprintf(c.out, "\n%d keys wrapped by another master key, %d retired\n", done.Rewrapped, len(done.Retired))
	return err
}
