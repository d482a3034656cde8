package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func (c *cli) serveCommand() *cobra.Command {
	var listen, target string
	cmd := &cobra.Command{
		Use: "serve", Short: "Serve the pages and the API, and work jobs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if listen != "" {
					a.Config.Listen = listen
				}
				return c.serve(ctx, a, target)
			})
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "address (default 127.0.0.1:8080); loopback only until accounts exist")
	cmd.Flags().StringVar(&target, "target", "all", "all, api or worker")
	return cmd
}

func (c *cli) serve(ctx context.Context, a *App, target string) error {
	if err := checkLoopback(a.Config.Listen); err != nil {
		return err
	}
	return fmt.Errorf("target %s", target)
}
