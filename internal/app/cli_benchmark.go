package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func (c *cli) benchmarkCommand() *cobra.Command {
	var from, to, client string
	cmd := &cobra.Command{
		Use: "benchmark [MEASURE…]", Short: "Compare figures with published bands, their own history, and peers",
		Long: "Each figure beside the bands that somebody holds its values to be (with population and source; advice, not truth), where\nit stands among its own earlier windows of the same length, and peers: other tenants of this installation that take part\n(see peers), or with --client the other clients.",
		Example: `  moatmetrics benchmark
  moatmetrics benchmark gross_margin dso --from 2026-01 --to 2026-07
  moatmetrics benchmark --client "Harbor Dental Group"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			period, err := quantity.ParsePeriod(from, to)
			if err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Benchmarks.Benchmark(ctx, a.Scope, insight.BenchmarkRequest{Measures: args, Client: client, Period: period})
				if err != nil {
					return err
				}
				return c.printBenchmarks(r)
			})
		},
	}
	cmd.Flags().StringVar(&client, "client", "", "one client, among the other clients")
	cmd.Flags().StringVar(&from, "from", "", "first month; without a period the last twelve complete months count")
	cmd.Flags().StringVar(&to, "to", "", "first month not included")
	return cmd
}

func (c *cli) printBenchmarks(r *insight.BenchmarkReport) error {
	rows, why := [][]string{}, []string{}
	for _, b := range r.Benchmarks {
		rows = append(rows, c.benchmarkRows(b)...)
		if p := b.Peers; p != nil && p.Release == nil && !slices.Contains(why, p.Reason) {
			why = append(why, p.Reason)
		}
	}
	if err := c.table([]string{"measure", "value", "beside", "says", "probability", "of"}, rows, r); err != nil || c.format != "table" {
		return err
	}
	for _, reason := range why {
		fmt.Fprintf(c.out, "Other tenants: %s.\n", reason)
	}
	_, err := fmt.Fprintf(c.out, "%s. %s\n", r.Period.Words(), r.Note)
	return err
}

// benchmarkRows are a row for each thing that a figure is compared with.
func (c *cli) benchmarkRows(b insight.Benchmark) [][]string {
	value := "-"
	if b.Value != nil {
		value = c.cell(*b.Value, b.Unit)
		if b.Interval != nil && c.format == "table" {
			value += fmt.Sprintf(" (%s to %s)", show(b.Interval.Low, b.Unit), show(b.Interval.High, b.Unit))
		}
	}
	var out [][]string
	add := func(beside, says, chance, of string) {
		name, shown := b.Measure, value
		if len(out) > 0 && c.format == "table" {
			name, shown = "", ""
		}
		out = append(out, []string{name, shown, beside, says, chance, of})
	}
	for _, r := range b.References {
		says, chance := "not compared: "+r.Reason, "-"
		if r.Band != nil {
			band := r.Threshold.Bands[*r.Band]
			says = fmt.Sprintf("%s (%s)", band.Label, band.Verdict)
		}
		if r.Band != nil && r.Chances != nil {
			chance = likely(r.Chances[*r.Band])
		}
		add("band, "+r.Threshold.Quality, says, chance, r.Threshold.Source)
	}
	if len(b.References) == 0 {
		add("band", "none is published", "-", "")
	}
	if b.History.Words != "" {
		add("own history", b.History.Words, "-", fmt.Sprintf("n = %d", b.History.N))
	}
	if b.Peers != nil && b.Peers.Release != nil {
		p := b.Peers.Release
		of := fmt.Sprintf("n = %d, ε = %s, %s; %s of %s spent in %s", p.N, p.Epsilon, p.At.Format("2006-01-02"), p.Spent, p.Budget, p.Quarter)
		if p.Note != "" {
			of += "; " + p.Note
		}
		add("other tenants", b.Peers.Words, "-", of)
	}
	if b.Clients != nil {
		add("other clients", b.Clients.Words, "-", fmt.Sprintf("n = %d", b.Clients.N))
		if s := b.Clients.Shrunken; s != nil {
			add("drawn to them", c.cell(*s, b.Unit), "-", b.Clients.Method)
		}
	}
	if b.Value == nil {
		out[0][3] = "no figure: " + b.Reason
	}
	return out
}

// likely writes a probability; no finite number of months makes anything certain.
func likely(p float64) string {
	switch {
	case p >= 0.995:
		return ">99%"
	case p < 0.005:
		return "<1%"
	}
	return fmt.Sprintf("%.0f%%", 100*p)
}

// cell writes a value for people in a table, exactly elsewhere.
func (c *cli) cell(d quantity.Decimal, unit quantity.Unit) string {
	if c.format != "table" {
		return d.String()
	}
	return show(d, unit)
}

func (c *cli) peersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "peers", Short: "Whether this tenant takes part in the comparison with other tenants; join or leave it", Args: cobra.NoArgs,
		Example: "  moatmetrics peers status\n  moatmetrics peers join",
		RunE:    c.peersRun((*insight.Benchmarks).Status),
	}
	for _, v := range []struct {
		use, short string
		do         peersDo
	}{
		{"status", "Say whether this tenant takes part, what that shares and what was spent", (*insight.Benchmarks).Status},
		{"join", "Take part: share ratios of the last twelve months, see the middle of the others", (*insight.Benchmarks).Join},
		{"leave", "Take no part any more; what was drawn from this tenant's figures is removed", (*insight.Benchmarks).Leave},
	} {
		sub := &cobra.Command{Use: v.use, Short: v.short, Args: cobra.NoArgs, RunE: c.peersRun(v.do)}
		wrapArgs(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

// peersDo changes or tells a tenant's part in the comparison.
type peersDo func(*insight.Benchmarks, context.Context, tenant.Scope) (insight.PeerStatus, error)

func (c *cli) peersRun(do peersDo) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			s, err := do(a.Benchmarks, ctx, a.Scope)
			if err != nil {
				return err
			}
			return c.printPeers(s)
		})
	}
}

func (c *cli) printPeers(s insight.PeerStatus) error {
	rows := make([][]string, len(s.Measures))
	for i, m := range s.Measures {
		rows[i] = []string{m.Measure, c.cell(m.Low, m.Unit), c.cell(m.High, m.Unit), c.cell(m.Step, m.Unit), m.Spent.String(), s.Budget.String()}
	}
	if c.format == "table" {
		part := "This tenant does not take part (moatmetrics peers join)."
		if s.Taking {
			part = fmt.Sprintf("This tenant takes part since %s, by %s (moatmetrics peers leave ends it).", s.Since.Format("2006-01-02"), s.By)
		}
		fmt.Fprintf(c.out, "%s\n%d tenants of this installation take part; a figure shows from %d others on.\n\n%s\n\n", part, s.Participants, s.Needed, s.Shares)
	}
	if err := c.table([]string{"measure", "from", "to", "step", "spent", "budget"}, rows, s); err != nil || c.format != "table" {
		return err
	}
	_, err := fmt.Fprintf(c.out, "\nIn %s your figures are in %d releases to others: one of them learned at most ε = %s, all of them together %s.\n", s.Quarter, s.UsedIn, s.MostLoss, s.TotalLoss)
	return err
}
