package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func (c *cli) explainCommand() *cobra.Command {
	var where, from, to, versus, otherWhere, otherFrom, otherTo, by, below string
	var depth int
	var steps, asSeen bool
	cmd := &cobra.Command{
		Use: "explain MEASURE [SNAPSHOT]", Short: "Say what drove a measure, adding up exactly", Args: cobra.RangeArgs(1, 2),
		Example: `  moatmetrics explain gross_margin --where 'client = "X"' --from 2026-06 --to 2026-07 --versus previous
  moatmetrics explain revenue --by client,factors --from 2026-01 --to 2026-07 --versus year_ago
  moatmetrics explain gross_margin --where 'client = "X"' --versus where --other-where 'client = "Y"'
  moatmetrics explain labor_cost --from 2026-06 --to 2026-07 --versus snapshot 12 --steps`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req := insight.ExplainRequest{Measure: args[0], Where: where, Versus: versus, Depth: depth, AsSeen: asSeen, Against: insight.Against{Where: otherWhere}}
			var err error
			if req.Period, err = quantity.ParsePeriod(from, to); err != nil {
				return err
			}
			if req.Against.Period, err = quantity.ParsePeriod(otherFrom, otherTo); err != nil {
				return err
			}
			if len(args) == 2 { // --versus snapshot 12
				id, err := strconv.ParseInt(args[1], 10, 64)
				if err != nil {
					return fault.WithFields(fmt.Sprintf("%q is not a snapshot", args[1]), fault.Field{Path: "snapshot", Message: "must be the id of a snapshot: list them with snapshots"})
				}
				req.Snapshot = warehouse.Snapshot(id)
			}
			if by != "" {
				req.By = strings.Split(by, ",")
			}
			if req.Below, err = limitFlag(below); err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				e, err := a.Insights.Explain(ctx, a.Scope, req)
				if err != nil {
					return err
				}
				return c.printExplanation(e, steps)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&where, "where", "", `the cell, such as client = "X"`)
	f.StringVar(&from, "from", "", "first day (2026-03-01, 2026-03 or 2026)")
	f.StringVar(&to, "to", "", "first day not included")
	f.StringVar(&versus, "versus", insight.Previous, "previous (the period before), year_ago, portfolio (everything), where (another cell) or snapshot (as it was in SNAPSHOT)")
	f.StringVar(&otherWhere, "other-where", "", "the condition of the other cell, with --versus where")
	f.StringVar(&otherFrom, "other-from", "", "the first day of the other cell, with --versus where")
	f.StringVar(&otherTo, "other-to", "", "the first day not included in the other cell")
	f.IntVar(&depth, "depth", 1, "levels of drivers, 1 to 4")
	f.StringVar(&by, "by", "", "what the drivers of each level are: dimensions or factors, such as client,agreement,factors")
	f.BoolVar(&steps, "steps", false, "print the change as a bridge from start to end")
	f.BoolVar(&asSeen, "as-seen", false, "compare with the earlier period as it was known then: corrections are a driver")
	f.StringVar(&below, "below", "", "also say how probable a value below this is")
	return cmd
}

// limitFlag reads a number that may be missing.
func limitFlag(text string) (*quantity.Decimal, error) {
	if text == "" {
		return nil, nil
	}
	limit, err := quantity.ParseDecimal(text)
	if err != nil {
		return nil, fault.WithFields(fmt.Sprintf("%q is not a number", text), fault.Field{Path: "below", Message: "must be a number such as 0 or 0.25"})
	}
	return &limit, nil
}

func (c *cli) printExplanation(e *insight.Explanation, steps bool) error {
	if c.format != "table" {
		if steps {
			rows := make([][]string, len(e.Steps))
			for i, s := range e.Steps {
				rows[i] = []string{s.Name, s.Kind, s.Amount.String(), s.Total.String()}
			}
			return c.table([]string{"step", "kind", "amount", "total"}, rows, e)
		}
		return c.table([]string{"driver", "contribution", "from", "to"}, driverRows(nil, "", e.Drivers), e)
	}
	fmt.Fprintln(c.out, e.Words)
	value := func(s insight.Side) string {
		if s.Value == nil {
			return "no value (" + s.Reason + ")"
		}
		return show(*s.Value, e.Unit)
	}
	fmt.Fprintf(c.out, "%s: %s\n%s: %s\n", e.From.Label, value(e.From), e.To.Label, value(e.To))
	if err := c.printDrivers(e, steps); err != nil {
		return err
	}
	for _, ch := range e.Chances {
		fmt.Fprintln(c.out, ch.Words)
	}
	if e.Doubt.TooFew {
		fmt.Fprintln(c.out, e.Doubt.Words)
	}
	if e.Note != "" {
		fmt.Fprintln(c.out, "note:", e.Note)
	}
	fmt.Fprintf(c.out, "confidence %s (%.2f)", e.Confidence.Grade, e.Confidence.Score)
	if len(e.Confidence.Reasons) > 0 {
		fmt.Fprintf(c.out, ": %s", strings.Join(e.Confidence.Reasons, "; "))
	}
	_, err := fmt.Fprintln(c.out)
	if e.Raise != nil {
		_, err = fmt.Fprintln(c.out, "cheapest way to a higher one:", e.Raise.Words)
	}
	return err
}

// printDrivers prints the change as drivers, or as the steps of a bridge.
func (c *cli) printDrivers(e *insight.Explanation, steps bool) error {
	if e.Change == nil {
		return nil
	}
	if !steps {
		rows := driverTree(nil, 0, e.Drivers, e.Unit)
		rows = append(rows, []string{"change", signed(*e.Change, e.Unit), "", ""})
		return c.table([]string{"driver", "contribution", "before", "after"}, rows, nil)
	}
	var rows [][]string
	for _, s := range e.Steps {
		amount := show(s.Amount, e.Unit)
		if s.Kind == "step" {
			amount = signed(s.Amount, e.Unit)
		}
		rows = append(rows, []string{strings.ReplaceAll(s.Name, "_", " "), amount, show(s.Total, e.Unit)})
	}
	return c.table([]string{"step", "amount", "total"}, rows, nil)
}

// driverTree appends the drivers as rows of a table, those of a driver indented below it.
func driverTree(rows [][]string, depth int, drivers []insight.Driver, u quantity.Unit) [][]string {
	for _, d := range drivers {
		before, after := d.From.RoundBank(2).String(), d.To.RoundBank(2).String()
		if d.Part {
			before, after = "", ""
		}
		rows = append(rows, []string{strings.Repeat("  ", depth) + strings.ReplaceAll(d.Name, "_", " "), signed(d.Contribution, u), before, after})
		rows = driverTree(rows, depth+1, d.Drivers, u)
	}
	return rows
}

// driverRows appends the drivers as rows of a file, those of a driver named by their path.
func driverRows(rows [][]string, path string, drivers []insight.Driver) [][]string {
	for _, d := range drivers {
		before, after := d.From.String(), d.To.String()
		if d.Part {
			before, after = "", ""
		}
		rows = append(rows, []string{path + d.Name, d.Contribution.String(), before, after})
		rows = driverRows(rows, path+d.Name+" > ", d.Drivers)
	}
	return rows
}
