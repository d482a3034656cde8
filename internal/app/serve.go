package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func (c *cli) serveCommand() *cobra.Command {
	var listen listening
	var target string
	cmd := &cobra.Command{
		Use: "serve", Short: "Serve the pages and the API, and work jobs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if err := listen.into(&a.Config); err != nil {
					return err
				}
				return c.serve(ctx, a, target)
			})
		},
	}
	listen.flags(cmd)
	cmd.Flags().StringVar(&target, "target", "all", "all, api or worker")
	return cmd
}

// serve runs the parts of target until ctx ends: the HTTP server (api), the job worker
// and the sources of files (worker), or both (all).
func (c *cli) serve(ctx context.Context, a *App, target string) error {
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
		beside.Go(func() { a.tellWhatIsDue(ctx) })
		beside.Go(func() { a.runSchedules(ctx) })
		running += 2
		go func() { ended <- a.Jobs.Run(ctx) }()
		go func() { ended <- a.watchSources(ctx) }()
	}
	if target != "worker" {
		listener, err := net.Listen("tcp", a.Config.Listen)
		if err != nil {
			return fault.Wrapf(fault.Unavailable, err, "cannot listen on %s: another program may use it; choose another with --listen 127.0.0.1:8081", a.Config.Listen)
		}
		var cert *certificate
		scheme := "http"
		if a.Config.TLSCert != "" {
			scheme = "https"
			if cert, err = newCertificate(a.Config.TLSCert, a.Config.TLSKey, a.Log); err != nil {
				listener.Close()
				return err
			}
		}
		fmt.Fprintf(c.err, "MoatMetrics serves on %s://%s (stop with Ctrl-C)\n", scheme, listener.Addr())
		accounts, err := a.Access.HasAccounts(ctx)
		if err != nil {
			listener.Close()
			return err
		}
		for _, w := range a.Config.warnings(accounts) {
			fmt.Fprintf(c.err, "Warning: %s\n", w)
		}
		handler, err := a.handler(ctx, c.version)
		if err != nil {
			listener.Close()
			return err
		}
		running++
		go func() { ended <- listen(ctx, listener, cert, handler, a.Log) }()
	}
	// The live heap is small and each large answer is garbage soon: collecting less often
	// makes answers faster for some 100 MB.
	debug.SetGCPercent(400)
	slog.SetDefault(a.Log) // what no logger was handed to goes the same way, without secrets
	if target != "worker" {
		// Mends roll-ups after an upgrade and fills the caches while nobody waits yet.
		beside.Go(func() {
			a.eachTenant(ctx, "job:upgrade", func(scope tenant.Scope) error {
				renewed, err := a.Warehouse.RenewRollups(ctx, scope)
				if err != nil {
					return fmt.Errorf("roll-ups are not computed again yet, so some answers take longer: %w", err)
				}
				if renewed {
					a.Log.InfoContext(ctx, "roll-ups computed again after an upgrade", "tenant", scope.Tenant)
				}
				return nil
			})
			if _, err := a.Insights.Analyze(ctx, a.Scope, quantity.Period{}); err != nil {
				a.Log.DebugContext(ctx, "warming the caches", "error", err)
			}
			if _, err := a.Search.SearchAll(ctx, a.Scope, "a", 1); err != nil {
				a.Log.DebugContext(ctx, "warming the search", "error", err)
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

// handler answers requests; its open streams end with ctx.
func (a *App) handler(ctx context.Context, version string) (http.Handler, error) {
	proxies, err := prefixes(a.Config.TrustedProxies)
	if err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "trusted_proxies: %v", err)
	}
	return httpapi.New(httpapi.Deps{
		DB: a.DB, Access: a.Access, Policies: a.Policies, Warehouse: a.Warehouse, Data: a.Data, Inbox: a.Inbox, Notices: a.Notices, Reviews: a.Reviews, Metrics: a.Metrics, Settings: a.Settings, Insights: a.Insights, Rules: a.Rules, Delivery: a.Delivery, Alerts: a.Alerts, Benchmarks: a.Benchmarks, Scenarios: a.Scenarios, Questions: a.Questions, Search: a.Search, Audit: a.Audit, Reads: a.Reads, Workspace: a.Workspace, Governance: a.Governance, Reports: a.Reports,
		Rollback: a.Rollback, CloseMonth: a.CloseMonth, Verify: a.Verify, Checkpoint: a.Checkpoint, Jobs: a.Jobs, Dir: a.Config.Data, DatabaseFile: a.databaseFile, Scope: a.Scope,
	}, httpapi.Options{Version: version, Log: a.Log, Done: ctx.Done(), Proxies: proxies, Hosts: listOf(a.Config.Hosts),
		Limits: httpapi.Limits{Actor: a.Config.RateActor, Address: a.Config.RateAddress, SignIn: a.Config.RateSignIn}}), nil
}
