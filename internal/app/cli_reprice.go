package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func (c *cli) repriceCommand() *cobra.Command {
	var from, to, margin, efficiency, rate, most string
	var notice int
	cmd := &cobra.Command{
		Use: "reprice", Short: "Say what each agreement should cost, by margin, efficiency and hourly rate, and from when", Args: cobra.NoArgs,
		Long: "Say what each running agreement with a fee should cost, from what its work takes. Without --from/--to the last twelve\ncomplete months count. Prices are a month's.",
		Example: "  moatmetrics reprice --margin 50%\n" +
			"  moatmetrics reprice --rate 150 --notice-days 60 --cap 10%",
		RunE: func(cmd *cobra.Command, _ []string) error {
			req := insight.RepriceRequest{RepriceSettings: insight.RepriceSettings{NoticeDays: notice}}
			for _, f := range []struct {
				name, text string
				into       *quantity.Decimal
			}{{"margin", margin, &req.Margin}, {"efficiency", efficiency, &req.Efficiency}, {"rate", rate, &req.Rate}, {"cap", most, &req.Cap}} {
				if f.text == "" {
					continue
				}
				v, err := numberOrPercent(f.text)
				if err != nil {
					return usageError{fmt.Errorf("--%s %s: write a number or a percentage, such as 0.5 or 50%%", f.name, f.text)}
				}
				*f.into = v
			}
			var err error
			if req.Period, err = quantity.ParsePeriod(from, to); err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				sheet, err := a.Insights.Reprices(ctx, a.Scope, req)
				if err != nil {
					return err
				}
				return c.printReprices(sheet)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "first day (2026-03-01, 2026-03 or 2026)")
	f.StringVar(&to, "to", "", "first day not included")
	f.StringVar(&margin, "margin", "", "wanted margin (default 45%)")
	f.StringVar(&efficiency, "efficiency", "", "wanted labor revenue over what the hours are billed at elsewhere (default 1)")
	f.StringVar(&rate, "rate", "", "wanted money for an hour (default: each agreement's target rate, else what its hours are billed at elsewhere)")
	f.IntVar(&notice, "notice-days", 0, "days of notice before a new price (0 is 30)")
	f.StringVar(&most, "cap", "", "most that a price rises at once (default 25%)")
	return cmd
}

// numberOrPercent reads 0.5 or 50%.
func numberOrPercent(text string) (quantity.Decimal, error) {
	digits, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := quantity.ParseDecimal(strings.TrimSpace(digits))
	if percent {
		v = v.Shift(-2)
	}
	return v, err
}

func (c *cli) printReprices(sheet *insight.RepriceSheet) error {
	optional := func(d *quantity.Decimal, u quantity.Unit) string {
		if d == nil {
			return "-"
		}
		return show(*d, u)
	}
	rows := make([][]string, len(sheet.Items))
	for i, r := range sheet.Items {
		rows[i] = []string{r.Agreement, show(r.Fee, quantity.Money), optional(r.Hours, quantity.Hours), optional(r.Margin, quantity.Ratio)}
		for _, p := range r.Prices {
			rows[i] = append(rows[i], optional(p.Price, quantity.Money))
		}
		rows[i] = append(rows[i], optional(r.BreakEven, quantity.Money), optional(r.Proposed, quantity.Money), optional(r.ProposedUplift, quantity.Ratio), r.Earliest.String(), r.Confidence.Grade)
	}
	if err := c.table([]string{"agreement", "fee", "hours", "margin", "by_margin", "by_efficiency", "by_rate", "break_even", "propose", "uplift", "earliest", "confidence"}, rows, sheet); err != nil || c.format != "table" {
		return err
	}
	for _, r := range sheet.Items {
		if r.Proposed == nil || r.LaborChange == nil || len(r.Drivers) == 0 {
			continue
		}
		fmt.Fprintf(c.out, "%s: labor a month changed by %s (%s); new price %s\n", r.Agreement, signed(*r.LaborChange, quantity.Money), driverLine(r.Drivers, quantity.Money), r.EarliestWhy)
	}
	if len(sheet.Items) == 0 {
		fmt.Fprintln(c.out, "No agreement can be priced.")
	} else {
		fmt.Fprintf(c.err, "%s, snapshot %d; margin %s, efficiency %s, at most %s up at once\n", sheet.Period, sheet.Snapshot, show(sheet.Settings.Margin, quantity.Ratio), sheet.Settings.Efficiency, show(sheet.Settings.Cap, quantity.Ratio))
	}
	for _, n := range sheet.Notes {
		fmt.Fprintf(c.err, "note: %s\n", n)
	}
	return nil
}

func (c *cli) reconcileCommand() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use: "reconcile", Short: "Compare revenue with the ledger and labor with payroll, and say why other systems differ", Args: cobra.NoArgs,
		Long: "Compare revenue with the ledger and labor with payroll by month, and list why figures differ from those of other\nsystems. Without --from/--to the last twelve complete months count.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			period, err := quantity.ParsePeriod(from, to)
			if err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				r, err := a.Insights.Reconcile(ctx, a.Scope, period)
				if err != nil {
					return err
				}
				return c.printReconciliation(r)
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first day (2026-03-01, 2026-03 or 2026)")
	cmd.Flags().StringVar(&to, "to", "", "first day not included")
	return cmd
}

func (c *cli) printReconciliation(r *insight.Reconciliation) error {
	optional := func(d *quantity.Decimal) string {
		if d == nil {
			return "-"
		}
		return show(*d, quantity.Money)
	}
	rows := make([][]string, len(r.Revenue))
	for i, m := range r.Revenue {
		l := r.Labor[i]
		share := "-"
		if l.Share != nil {
			share = show(*l.Share, quantity.Ratio)
		}
		rows[i] = []string{m.Month.String()[:7], optional(m.Invoiced), optional(m.Earned), optional(m.Ledger), optional(m.Gap), optional(l.Payroll), optional(l.Client), optional(l.Internal), optional(l.Unabsorbed), share, optional(l.Leave), optional(l.NotEntered), optional(l.Rates)}
	}
	if err := c.table([]string{"month", "invoiced", "earned", "ledger", "gap", "payroll", "client_labor", "internal_labor", "unabsorbed", "share", "leave", "not_entered", "rates"}, rows, r); err != nil || c.format != "table" {
		return err
	}
	for _, m := range r.Revenue {
		if m.Gap != nil && !m.Gap.IsZero() {
			why := "no explanation has exactly this amount"
			if len(m.Likely) > 0 {
				why = strings.Join(m.Likely, "; ")
			}
			fmt.Fprintf(c.out, "%s differs by %s: %s\n", m.Month.String()[:7], signed(*m.Gap, quantity.Money), why)
		}
	}
	if len(r.Differences) > 0 {
		fmt.Fprintln(c.out, "Figures may differ from those of your PSA because")
		for _, d := range r.Differences {
			fmt.Fprintf(c.out, "  %s\n", d.Words)
		}
	}
	fmt.Fprintf(c.err, "%s, snapshot %d\n", r.Period, r.Snapshot)
	for _, n := range r.Notes {
		fmt.Fprintf(c.err, "note: %s\n", n)
	}
	return nil
}
