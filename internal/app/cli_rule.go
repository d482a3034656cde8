package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/review"
)

func (c *cli) ruleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rule", Short: "Say by rules of your own what deserves attention", Args: cobra.NoArgs,
		Long:    "A rule is a condition on measures, for the members of a dimension or the whole firm, over the last complete months. What it\nfinds is a finding of analyze, and, as it says, a question for review or a notice: once until it has ceased to hold. Rules are\nevaluated after each import and by moatmetrics rule run.",
		Example: "  moatmetrics rule add \"Thin clients\" --condition 'gross_margin < 20% and revenue > 1000' --by client --months 3 --then review\n  moatmetrics rule run\n  moatmetrics rule history",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listRules) },
	}
	list := &cobra.Command{Use: "list", Short: "List them", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listRules) }}
	remove := &cobra.Command{Use: "remove NAME", Short: "End one", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			if err := a.Metrics.RemoveRule(ctx, a.Scope, args[0]); err != nil {
				return err
			}
			return c.done("%s is removed", args[0])
		})
	}}
	run := &cobra.Command{Use: "run [NAME...]", Short: "Evaluate all of them, or some, now", Args: cobra.ArbitraryArgs, RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			e, err := a.Rules.Evaluate(ctx, a.Scope, args...)
			if err != nil {
				return err
			}
			return c.printEvaluation(e)
		})
	}}
	history := &cobra.Command{Use: "history [NAME]", Short: "List when they held and for whom", Args: cobra.MaximumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			hits, err := a.Rules.History(ctx, a.Scope, name, 200, 0)
			if err != nil {
				return err
			}
			rows := make([][]string, len(hits))
			for i, h := range hits {
				rows[i] = []string{h.Rule, h.Subject, h.Value, h.Period.String(), shortTime(&h.FirstAt), orText(shortTime(h.EndedAt), "holds")}
			}
			return c.table([]string{"rule", "for", "value", "period", "since", "until"}, rows, hits)
		})
	}}
	reviews := &cobra.Command{Use: "reviews", Short: "List what rules put before people", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			open, err := a.Rules.Reviews(ctx, a.Scope, review.Open, 200, 0)
			if err != nil {
				return err
			}
			rows := make([][]string, len(open))
			for i, p := range open {
				rows[i] = []string{p.ID, shortTime(&p.CreatedAt), p.Subject}
			}
			return c.table([]string{"id", "at", "what"}, rows, open)
		})
	}}
	cmd.AddCommand(list, c.putRuleCommand(true), c.putRuleCommand(false), remove, run, history, reviews)
	for _, v := range []struct{ use, verdict, short string }{{"acknowledge ID", insight.VerdictAcknowledged, "Say of a question that it is so and known"}, {"dismiss ID", insight.VerdictDismissed, "Say of a question that it does not matter"}} {
		var reason string
		sub := &cobra.Command{Use: v.use, Short: v.short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if err := a.Rules.Decide(ctx, a.Scope, args[0], v.verdict, reason); err != nil {
					return err
				}
				return c.done("%s", v.verdict)
			})
		}}
		sub.Flags().StringVar(&reason, "reason", "", "why, for those who read it later")
		cmd.AddCommand(sub)
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

func (c *cli) listRules(ctx context.Context, a *App) error {
	list, err := a.Metrics.Rules(ctx, a.Scope)
	if err != nil {
		return err
	}
	if len(list) == 0 && c.format == "table" {
		_, err := fmt.Fprintln(c.out, "No rules of your own yet. moatmetrics rule add \"Thin clients\" --condition 'gross_margin < 20%' --by client defines one.")
		return err
	}
	rows := make([][]string, len(list))
	for i, r := range list {
		rows[i] = []string{r.Name, r.Condition, orText(r.Dimension, "the firm"), r.Where, fmt.Sprint(r.Months), r.Then, r.Severity, fmt.Sprint(r.Version)}
	}
	return c.table([]string{"rule", "condition", "for", "where", "months", "then", "severity", "version"}, rows, list)
}

func (c *cli) putRuleCommand(add bool) *cobra.Command {
	var r metric.Rule
	cmd := &cobra.Command{Use: "change NAME", Short: "Give one a new version; what is not given stays", Args: cobra.ExactArgs(1)}
	if add {
		cmd.Use, cmd.Short = "add NAME --condition C", "Define one"
	}
	f := cmd.Flags()
	f.StringVar(&r.Condition, "condition", "", "on measures, such as gross_margin < 20%")
	f.StringVar(&r.Measure, "measure", "", "whose value is shown; the first of the condition unless given")
	f.StringVar(&r.Dimension, "by", "", "dimension whose members are judged; the whole firm unless given")
	f.StringVar(&r.Where, "where", "", "which rows count")
	f.IntVar(&r.Months, "months", 0, "complete months looked at (default 1)")
	f.StringVar(&r.Then, "then", "", "finding, review or notice (default finding)")
	f.StringVar(&r.Money, "money", "", "measure of the money at stake")
	f.StringVar(&r.Severity, "severity", "", "info, warning or critical: whom it alerts, and when (default warning)")
	f.StringVar(&r.Description, "description", "", "what to do about it")
	f.StringVar(&r.Owner, "owner", "", "who answers for it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			r.Name = args[0]
			if !add {
				list, err := a.Metrics.Rules(ctx, a.Scope)
				if err != nil {
					return err
				}
				for _, was := range list {
					if was.Name != r.Name {
						continue
					}
					for _, p := range []struct{ to, from *string }{{&r.Condition, &was.Condition}, {&r.Measure, &was.Measure}, {&r.Dimension, &was.Dimension}, {&r.Where, &was.Where}, {&r.Then, &was.Then}, {&r.Money, &was.Money}, {&r.Severity, &was.Severity}, {&r.Description, &was.Description}, {&r.Owner, &was.Owner}} {
						*p.to = orText(*p.to, *p.from)
					}
					if r.Months == 0 {
						r.Months = was.Months
					}
				}
			}
			kept, err := a.Metrics.PutRule(ctx, a.Scope, r, add)
			if err != nil {
				return err
			}
			return c.table([]string{"rule", "condition", "then", "version"}, [][]string{{kept.Name, kept.Condition, kept.Then, fmt.Sprint(kept.Version)}}, kept)
		})
	}
	return cmd
}

func (c *cli) printEvaluation(e insight.Evaluation) error {
	if c.format != "table" {
		rows := make([][]string, len(e.Findings))
		for i, f := range e.Findings {
			rows[i] = []string{f.Facts["rule"], f.Subject.String(), f.Headline}
		}
		return c.table([]string{"rule", "for", "what"}, rows, e)
	}
	fmt.Fprintf(c.out, "%d rules evaluated: %d hold, %d began, %d ended\n", e.Rules, len(e.Findings), len(e.Began), len(e.Ended))
	for _, f := range e.Findings {
		fmt.Fprintf(c.out, "  %s\n    %s\n", f.Headline, f.Recommendation)
	}
	for _, p := range e.Problems {
		fmt.Fprintf(c.err, "note: %s\n", p)
	}
	return nil
}
