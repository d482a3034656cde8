package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
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
	listenFlag(cmd, &listen)
	cmd.Flags().StringVar(&target, "target", "all", "all, api or worker")
	return cmd
}

// serve runs the parts of target until ctx ends: the HTTP server (api), the job worker
// and the sources of files (worker), or both (all).
func (c *cli) serve(ctx context.Context, a *App, target string) error {
	if err := checkLoopback(a.Config.Listen); err != nil {
		return err
	}
	if !slices.Contains([]string{"all", "api", "worker"}, target) {
		return usageError{fmt.Errorf("--target %s: allowed are all, api and worker", target)}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 3)
	running := 0
	var beside sync.WaitGroup
	defer func() {
		cancel()
		beside.Wait()
	}()
	if target != "api" {
		beside.Go(func() { a.sweepDaily(ctx) })
		beside.Go(func() { a.keepAudit(ctx) })
		running += 2
		go func() { ended <- a.Jobs.Run(ctx) }()
		go func() { ended <- a.Inbox.Watch(ctx, a.Scope) }()
	}
	if target != "worker" {
		listener, err := net.Listen("tcp", a.Config.Listen)
		if err != nil {
			return fault.Wrapf(fault.Unavailable, err, "cannot listen on %s: another program may use it; choose another with --listen 127.0.0.1:8081", a.Config.Listen)
		}
		fmt.Fprintf(c.err, "MoatMetrics serves on http://%s (stop with Ctrl-C)\n", listener.Addr())
		running++
		handler := a.handler(ctx, c.version)
		go func() { ended <- listen(ctx, listener, handler, a.Log) }()
	}
	// The live heap is small and each large answer is garbage soon: collecting less often
	// makes answers faster for some 100 MB.
	debug.SetGCPercent(400)
	if target != "worker" {
		// Mends roll-ups after an upgrade and fills the caches while nobody waits yet.
		beside.Go(func() {
			if renewed, err := a.Warehouse.RenewRollups(ctx, a.Scope); err != nil {
				a.Log.WarnContext(ctx, "roll-ups are not computed again yet, so some answers take longer", "error", err)
			} else if renewed {
				a.Log.InfoContext(ctx, "roll-ups computed again after an upgrade")
			}
			if _, err := a.Insights.Analyze(ctx, a.Scope, quantity.Period{}); err != nil {
				a.Log.DebugContext(ctx, "warming the caches", "error", err)
			}
		})
	}
	var first error
	for range running {
		if err := <-ended; err != nil && first == nil {
			first = err
		}
		cancel() // one part ended: end the others
	}
	return first
}

// listenFlag lets a command that serves choose the address.
func listenFlag(cmd *cobra.Command, listen *string) {
	cmd.Flags().StringVar(listen, "listen", "", "address (default 127.0.0.1:8080); loopback only until accounts exist")
}

// handler answers requests; its open streams end with ctx.
func (a *App) handler(ctx context.Context, version string) http.Handler {
	return httpapi.New(httpapi.Deps{
		DB: a.DB, Policies: a.Policies, Warehouse: a.Warehouse, Data: a.Data, Inbox: a.Inbox, Metrics: a.Metrics, Settings: a.Settings, Insights: a.Insights, Rules: a.Rules, Benchmarks: a.Benchmarks, Scenarios: a.Scenarios, Questions: a.Questions, Audit: a.Audit, Workspace: a.Workspace,
		Rollback: a.Rollback, CloseMonth: a.CloseMonth, Verify: a.Verify, Checkpoint: a.Checkpoint, Jobs: a.Jobs, Dir: a.Config.Data, DatabaseFile: a.databaseFile, Scope: a.Scope,
	}, httpapi.Options{Version: version, Log: a.Log, Done: ctx.Done()})
}

// listen answers requests until ctx ends, then lets running ones finish for up to 10 s.
func listen(ctx context.Context, l net.Listener, handler http.Handler, log *slog.Logger) error {
	// No write timeout: an upload of gigabytes may take its time; the header and idle
	// timeouts keep slow clients from holding connections for nothing.
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http server: %w", err)
	}
	return <-stopped
}
