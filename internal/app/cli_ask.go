package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/parquet"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func (c *cli) queryCommand() *cobra.Command {
	var measures, by, order []string
	var where, from, to, compare, currency string
	var snapshot int64
	var limit, top int
	var topBy, file string
	cmd := &cobra.Command{
		Use:     "query --measures a,b",
		Short:   "Ask for measures by dimensions",
		Long:    "Ask for measures, cut by dimensions. Without --from/--to all data counts. moatmetrics metrics lists what can be asked.",
		Example: "  moatmetrics query --measures revenue,gross_margin --by client,month --from 2026-01 --to 2026-07\n  moatmetrics query --measures revenue --by client --where 'industry = \"Legal\"' --compare previous --from 2026-06 --to 2026-07",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			period, err := quantity.ParsePeriod(from, to)
			if err != nil {
				return err
			}
			q := metric.Query{Measures: measures, Dimensions: by, Where: where, Period: period, Compare: compare, Currency: strings.ToUpper(currency), Order: order, Limit: limit, Snapshot: warehouse.Snapshot(snapshot)}
			if top != 0 {
				q.Top = &metric.Top{N: top, By: topBy}
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Metrics.Run(ctx, a.Scope, q)
				if err != nil {
					return err
				}
				if file != "" {
					return c.saveParquet(ctx, measures, r, file)
				}
				return c.printResult(r)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "parquet", "", "write the answer as a Parquet file instead, numbers as exact decimals")
	f.StringSliceVar(&measures, "measures", nil, "measures, comma-separated")
	f.StringSliceVar(&by, "by", nil, "dimensions, comma-separated")
	f.StringVar(&where, "where", "", `condition, such as client = "X" and month >= 2026-01 and gross_margin < 20%`)
	f.StringVar(&from, "from", "", "first day (2026-03-01, 2026-03 or 2026)")
	f.StringVar(&to, "to", "", "first day not included")
	f.StringVar(&compare, "compare", "", "previous: put the period before beside it")
	f.StringVar(&currency, "currency", "", "convert amounts to this currency (USD) by the exchange rate of their date")
	f.StringSliceVar(&order, "order", nil, "columns to order by; - in front is descending")
	f.IntVar(&limit, "limit", 0, "most rows to show; 0 shows all")
	f.IntVar(&top, "top", 0, "keep so many members of the dimension; all others are one row")
	f.StringVar(&topBy, "top-by", "", "measure that --top goes by, the first unless given; - in front: the smallest first")
	f.Int64Var(&snapshot, "snapshot", 0, "snapshot to ask; 0 is the current one")
	return cmd
}

// saveParquet writes an answer for other programs. With amounts in several currencies each
// measure of money has a column that names its own.
func (c *cli) saveParquet(ctx context.Context, measures []string, r *metric.Result, file string) error {
	columns := make([]document.Column, len(r.Columns))
	var named []int // measures with a currency of their own, by their place in the query
	for i, col := range r.Columns {
		columns[i] = document.Column{Name: col.Name, Unit: col.Unit}
		if at := slices.Index(measures, col.Name); r.Currencies != nil && at >= 0 && col.Unit.HasMoney() {
			named = append(named, at)
		}
	}
	for _, at := range named {
		columns = append(columns, document.Column{Name: measures[at] + "_currency", Unit: quantity.Text})
	}
	rows := func(yield func([]any) bool) {
		for i, row := range r.Rows {
			for _, k := range named {
				row = append(slices.Clip(row), r.Currencies[i][k])
			}
			if !yield(row) {
				return
			}
		}
	}
	if err := writeWhole(file, func(w io.Writer) error { return parquet.Write(ctx, w, columns, rows) }); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.out, "%s: %d rows of snapshot %d\n", file, len(r.Rows), r.Snapshot)
	return err
}

// wireValue is a cell as JSON carries it: money and other decimals as strings.
func wireValue(v any) any {
	if d, ok := v.(quantity.Decimal); ok {
		return d.String()
	}
	return v
}

func (c *cli) printResult(r *metric.Result) error {
	if c.format == "json" {
		rows := make([][]any, len(r.Rows))
		for i, row := range r.Rows {
			rows[i] = make([]any, len(row))
			for j, v := range row {
				rows[i][j] = wireValue(v)
			}
		}
		out := struct {
			*metric.Result
			Rows [][]any `json:"rows"`
		}{r, rows}
		return c.printJSON(out)
	}
	head := make([]string, len(r.Columns))
	for i, col := range r.Columns {
		head[i] = col.Name
	}
	rows := make([][]string, len(r.Rows))
	var why []string
	for i, row := range r.Rows {
		rows[i] = make([]string, len(row))
		for j, v := range row {
			switch d, ok := v.(quantity.Decimal); {
			case ok && c.format == "csv":
				rows[i][j] = d.String()
			case ok:
				rows[i][j] = show(d, r.Columns[j].Unit)
			case v == nil && c.format == "table":
				rows[i][j] = "-"
				if reason := r.Reasons[i][r.Columns[j].Name]; reason != "" && len(why) < 5 {
					line := r.Columns[j].Name + " is empty where " + reason
					if !strings.Contains(strings.Join(why, "\n"), line) {
						why = append(why, line)
					}
				}
			case v != nil:
				rows[i][j] = fmt.Sprint(v)
			}
		}
	}
	if err := c.table(head, rows, nil); err != nil || c.format == "csv" {
		return err
	}
	fmt.Fprintf(c.err, "%s, snapshot %d, %d rows\n", r.Period, r.Snapshot, len(rows))
	for _, line := range append(why, r.Notes...) {
		fmt.Fprintf(c.err, "note: %s\n", line)
	}
	return nil
}

// show writes a number for people, rounded half-even as its unit asks.
func show(d quantity.Decimal, u quantity.Unit) string {
	switch u {
	case quantity.Ratio:
		return d.Mul(decimal.NewFromInt(100)).RoundBank(1).StringFixed(1) + "%"
	case quantity.Count:
		if d.IsInteger() {
			return d.StringFixed(0)
		}
		return d.RoundBank(2).String()
	case quantity.Days:
		return d.RoundBank(1).StringFixed(1)
	}
	return grouped(d.RoundBank(2).StringFixed(2))
}

// grouped puts commas between thousands.
func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, frac, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if frac != "" {
		frac = "." + frac
	}
	return sign + whole + frac
}

// catalog is the catalog with the tenant's own measures, the built-in one where there is no
// data yet: asking for it creates none.
func (c *cli) catalog(cmd *cobra.Command) (*metric.Catalog, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, "moatmetrics.db")); err != nil && cfg.Database == "" {
		return metric.New(nil, metric.Options{}), nil
	}
	var out *metric.Catalog
	err = c.with(cmd, func(ctx context.Context, a *App) (err error) {
		out, err = a.Metrics.For(ctx, a.Scope)
		return err
	})
	return out, err
}

func (c *cli) analyzeCommand() *cobra.Command {
	var from, to string
	var limit int
	cmd := &cobra.Command{
		Use: "analyze", Short: "Run the analyses and print findings by importance", Args: cobra.NoArgs,
		Long: "Run the analyses. Without --from/--to the last twelve complete months of data count.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			period, err := quantity.ParsePeriod(from, to)
			if err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				findings, err := a.Insights.Analyze(ctx, a.Scope, period)
				if err != nil {
					return err
				}
				if findings, err = a.Judge.Judged(ctx, a.Scope, findings); err != nil {
					return err
				}
				if err := c.printFindings(findings, limit); err != nil {
					return err
				}
				return c.noteCurrencies(ctx, a, period)
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first day (2026-03-01, 2026-03 or 2026)")
	cmd.Flags().StringVar(&to, "to", "", "first day not included")
	cmd.Flags().IntVar(&limit, "limit", 0, "most findings to print; 0 prints all")
	return cmd
}

func (c *cli) printFindings(findings []insight.Finding, limit int) error {
	all := len(findings)
	if limit > 0 && len(findings) > limit {
		findings = findings[:limit]
	}
	if c.format != "table" {
		rows := make([][]string, len(findings))
		for i, f := range findings {
			rows[i] = []string{f.ID, string(f.Kind), f.Subject.String(), f.Headline, f.MoneyAtStake.RoundBank(2).StringFixed(2), f.Currency, f.Confidence.Grade, fmt.Sprint(f.RequiresReview), f.Recommendation}
		}
		return c.table([]string{"id", "kind", "subject", "headline", "money_at_stake", "currency", "confidence", "requires_review", "recommendation"}, rows, findings)
	}
	if all == 0 {
		_, err := fmt.Fprintln(c.out, "Nothing deserves attention, or nothing is imported yet (moatmetrics datasets shows what is).")
		return err
	}
	for i, f := range findings {
		fmt.Fprintf(c.out, "%2d. %s\n", i+1, f.Headline)
		if f.Standing != nil && f.Standing.Decision != nil {
			d := f.Standing.Decision
			fmt.Fprintf(c.out, "    %s by %s on %s%s\n", d.Verdict, d.By, d.At.Local().Format(time.DateOnly), quoted(d.Reason))
		}
		if f.Rejected() {
			continue // folded
		}
		if f.Standing != nil && f.Standing.Quiet {
			fmt.Fprintln(c.out, "    findings of this kind were rejected three times in a row (moatmetrics review topics)")
		}
		fmt.Fprintf(c.out, "    at stake %s a year · confidence %s (%.2f)", f.Stake(), f.Confidence.Grade, f.Confidence.Score)
		if f.Interval != nil {
			fmt.Fprintf(c.out, " · %s %s to %s (%.0f%%)", f.Interval.Of, show(f.Interval.Low, f.Unit), show(f.Interval.High, f.Unit), 100*f.Interval.Level)
		}
		if f.RequiresReview {
			fmt.Fprintf(c.out, " · review: %s", strings.Join(f.ReviewRules, "; "))
		}
		fmt.Fprintf(c.out, "\n    %s\n", f.Recommendation)
		if len(f.Drivers) > 0 && f.Comparison != nil {
			fmt.Fprintf(c.out, "    since the %s: %s\n", f.Comparison.Label, driverLine(f.Moved(), f.Comparison.Unit))
		}
	}
	if all > len(findings) {
		fmt.Fprintf(c.out, "… and %d more (moatmetrics analyze)\n", all-len(findings))
	}
	return nil
}

// quoted is a reason after what was decided, "" for none.
func quoted(reason string) string {
	if reason == "" {
		return ""
	}
	return ": “" + reason + "”"
}

// noteCurrencies says what the analyses left out because amounts of several currencies are
// not added.
func (c *cli) noteCurrencies(ctx context.Context, a *App, period quantity.Period) error {
	r, err := a.Metrics.Run(ctx, a.Scope, metric.Query{Measures: []string{"gross_profit"}, Period: period})
	if err != nil {
		return err
	}
	for _, why := range r.Reasons {
		if strings.HasPrefix(why["gross_profit"], "amounts are in ") {
			fmt.Fprintf(c.err, "note: figures of the whole firm, and of clients with several currencies, are left out: %s\n", why["gross_profit"])
		}
	}
	return nil
}

func driverLine(drivers []insight.Driver, u quantity.Unit) string {
	if len(drivers) == 0 {
		return "nothing changed"
	}
	parts := make([]string, len(drivers))
	for i, d := range drivers {
		parts[i] = strings.ReplaceAll(d.Name, "_", " ") + " " + signed(d.Contribution, u)
	}
	return strings.Join(parts, ", ")
}

func signed(d quantity.Decimal, u quantity.Unit) string {
	text := show(d, u)
	if u == quantity.Ratio {
		text = d.Mul(decimal.NewFromInt(100)).RoundBank(1).StringFixed(1) + " points"
	}
	if d.Sign() > 0 {
		return "+" + text
	}
	return text
}
