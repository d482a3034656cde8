package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func (c *cli) reviewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "review", Short: "List and decide what the program is not sure of", Args: cobra.NoArgs,
		Long: "What the program is not sure of waits for a person: findings of low confidence, hits of rules, what names of the imports mean.\nThe most money at stake comes first; what is overdue comes before it.",
		Example: "  moatmetrics review\n  moatmetrics review show abc123\n  moatmetrics review decide abc123 rejected --reason \"a fixed fee until June\"\n" +
			"  moatmetrics review decide def456 same --choice \"Harbor Dental Group\" --preview\n  moatmetrics review undo abc123\n  moatmetrics review comment abc123 \"@kim, is this so?\"",
	}
	decided := cmd.Flags().Bool("decided", false, "list what was decided instead")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		f := review.Filter{}
		if *decided {
			f.Status = review.Decided
		}
		return c.with(cmd, func(ctx context.Context, a *App) error { return c.listReviews(ctx, a, f) })
	}
	cmd.AddCommand(c.reviewListCommand(), c.reviewShowCommand(), c.reviewDecideCommand(), c.reviewUndoCommand(), c.reviewAssignCommand(), c.reviewCommentCommand(), c.reviewTopicsCommand(), c.reviewTermsCommand())
	for _, v := range []struct{ verdict, short string }{
		{dataset.VerdictSame, "Say that a name means a known one (--as says which when there are several)"},
		{dataset.VerdictDifferent, "Say that a name is none of the known ones"},
		{dataset.VerdictCreate, "Say that a name is a client of its own"},
	} {
		var as, reason string
		sub := &cobra.Command{Use: v.verdict + " ID", Short: v.short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				return c.decideReviews(ctx, a, args, review.Decision{Verdict: v.verdict, Choice: as, Reason: reason})
			})
		}}
		if v.verdict == dataset.VerdictSame {
			sub.Flags().StringVar(&as, "as", "", "the known one that it means")
		}
		sub.Flags().StringVar(&reason, "reason", "", "why, for those who read it later")
		cmd.AddCommand(sub)
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

func (c *cli) reviewListCommand() *cobra.Command {
	var f review.Filter
	var status string
	cmd := &cobra.Command{Use: "list", Short: "List what waits, or was decided", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		all := []review.Status{review.Open, review.Decided, review.Withdrawn, review.Expired}
		if f.Status = review.Status(status); !slices.Contains(all, f.Status) {
			return usageError{fmt.Errorf("--status %s: allowed are open, decided, withdrawn and expired", status)}
		}
		return c.with(cmd, func(ctx context.Context, a *App) error { return c.listReviews(ctx, a, f) })
	}}
	cmd.Flags().StringVar(&status, "status", "open", "open, decided, withdrawn or expired")
	cmd.Flags().StringSliceVar(&f.Kinds, "kind", nil, "only these kinds, such as finding or client_match")
	cmd.Flags().BoolVar(&f.Mine, "mine", false, "only what is assigned to you")
	cmd.Flags().BoolVar(&f.Overdue, "overdue", false, "only what should have been decided")
	return cmd
}

func (c *cli) listReviews(ctx context.Context, a *App, f review.Filter) error {
	list, err := a.Reviews.Find(ctx, a.Scope, f, 1000, 0)
	if err != nil {
		return err
	}
	if len(list) == 0 && c.format == "table" {
		_, err := fmt.Fprintln(c.out, "Nothing waits for a decision.")
		return err
	}
	rows := make([][]string, len(list))
	for i, p := range list {
		rows[i] = []string{p.ID, p.Kind, p.Money.RoundBank(0).StringFixed(0), p.Currency, fmt.Sprint(p.Weight), dueText(p), string(p.Assignee), standingText(p), p.Title}
	}
	return c.table([]string{"id", "kind", "at_stake", "currency", "rows", "due", "assignee", "state", "question"}, rows, list)
}

func dueText(p review.Proposal) string {
	if p.Overdue {
		return p.Due.String() + " (overdue)"
	}
	return p.Due.String()
}

// standingText says where a proposal stands in a few words.
func standingText(p review.Proposal) string {
	switch {
	case p.Decision != nil:
		return strings.TrimSpace(p.Decision.Verdict+" "+p.Decision.Choice) + " by " + string(p.Decision.By)
	case p.First != nil:
		return "first of two: " + strings.TrimSpace(p.First.Verdict+" "+p.First.Choice) + " by " + string(p.First.By)
	case p.Status == review.Open && p.FourEyes:
		return "two people decide"
	case p.Status == review.Open && p.Quiet:
		return "less insistent"
	}
	return string(p.Status)
}

func (c *cli) reviewShowCommand() *cobra.Command {
	return &cobra.Command{Use: "show ID", Short: "Show one question with its evidence, possible answers and comments", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			p, err := a.Reviews.Get(ctx, a.Scope, args[0])
			if err != nil {
				return err
			}
			comments, err := a.Reviews.Comments(ctx, a.Scope, review.On{Kind: review.OnProposal, Key: p.ID})
			if err != nil {
				return err
			}
			kinds, err := a.Reviews.Kinds(ctx, a.Scope)
			if err != nil {
				return err
			}
			return c.printReview(p, kinds, comments)
		})
	}}
}

func (c *cli) printReview(p review.Proposal, kinds []review.Kind, comments []review.Comment) error {
	if c.format == "json" {
		return c.printJSON(map[string]any{"proposal": p, "comments": comments})
	}
	rows := [][]string{
		{"question", p.Title}, {"kind", p.Kind}, {"about", p.Label}, {"state", standingText(p)}, {"at stake", strings.TrimSpace(p.Money.StringFixed(2) + " " + p.Currency)},
		{"due", dueText(p)}, {"expires", p.Expires.String()}, {"assignee", string(p.Assignee)}, {"snapshot", fmt.Sprint(p.Snapshot)}, {"asked", shortTime(&p.CreatedAt)},
	}
	if p.Decision != nil && p.Decision.Reason != "" {
		rows = append(rows, []string{"reason", p.Decision.Reason})
	}
	for _, line := range evidenceLines(p) {
		rows = append(rows, []string{"evidence", line})
	}
	if i := slices.IndexFunc(kinds, func(k review.Kind) bool { return k.Name == p.Kind }); i >= 0 && p.Status == review.Open {
		for _, v := range kinds[i].Verdicts {
			rows = append(rows, []string{"answer", v.Name + ": " + v.Label + map[bool]string{true: " (--reason says why)"}[v.Reason]})
		}
	}
	for _, x := range comments {
		rows = append(rows, []string{"comment", fmt.Sprintf("%s, %s: %s", x.Name, shortTime(&x.CreatedAt), strings.ReplaceAll(x.Text, "\n", " "))})
	}
	return c.table([]string{"what", "is"}, rows, nil)
}

// evidenceLines are what speaks for and against, in words.
func evidenceLines(p review.Proposal) []string {
	var e struct {
		Why        []string                 `json:"why"`
		Candidates []dataset.MatchCandidate `json:"candidates"`
		Rules      []string                 `json:"review_rules"`
		Advice     string                   `json:"recommendation"`
		Confidence struct {
			Score   float64  `json:"score"`
			Grade   string   `json:"grade"`
			Reasons []string `json:"reasons"`
		} `json:"confidence"`
	}
	if json.Unmarshal(p.Evidence, &e) != nil {
		return nil
	}
	out := slices.Clone(e.Why)
	for _, x := range e.Candidates {
		out = append(out, fmt.Sprintf("may mean %s (%.2f): %s", x.Name, x.Score, strings.Join(x.Why, "; ")))
	}
	if e.Confidence.Grade != "" {
		out = append(out, fmt.Sprintf("confidence %s (%.2f)", e.Confidence.Grade, e.Confidence.Score))
		out = append(out, e.Confidence.Reasons...)
	}
	for _, r := range e.Rules {
		out = append(out, "a person must look: "+r)
	}
	if e.Advice != "" {
		out = append(out, e.Advice)
	}
	return out
}

func (c *cli) reviewDecideCommand() *cobra.Command {
	var d review.Decision
	var preview bool
	cmd := &cobra.Command{
		Use: "decide ID... VERDICT", Short: "Decide one question, or the same on several", Args: cobra.MinimumNArgs(2),
		Long: "Decide. The verdicts of a name are same, different and create; of a finding accepted, rejected and corrected (with a reason); of\na rule's hit acknowledged and dismissed. Where two people must decide, the first decision waits for another person's.",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids := args[:len(args)-1]
			d.Verdict = args[len(args)-1]
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if preview {
					return c.previewReviews(ctx, a, ids, d)
				}
				return c.decideReviews(ctx, a, ids, d)
			})
		},
	}
	cmd.Flags().StringVar(&d.Choice, "choice", "", "what a name means when there are several candidates")
	cmd.Flags().StringVar(&d.Reason, "reason", "", "why, for those who read it later")
	cmd.Flags().BoolVar(&preview, "preview", false, "only say what it would change")
	return cmd
}

func (c *cli) decideReviews(ctx context.Context, a *App, ids []string, d review.Decision) error {
	if len(ids) == 1 {
		p, err := a.Reviews.Decide(ctx, a.Scope, ids[0], d)
		if err != nil {
			return err
		}
		return c.done("%s: %s", orText(p.Label, p.Title), standingText(p))
	}
	results, err := a.Reviews.DecideAll(ctx, a.Scope, ids, d)
	if err != nil {
		return err
	}
	rows := make([][]string, len(results))
	failed := 0
	for i, r := range results {
		rows[i] = []string{r.ID, r.Status, r.Message}
		if r.Status == "failed" {
			failed++
		}
	}
	if err := c.table([]string{"id", "status", "message"}, rows, results); err != nil || failed == 0 {
		return err
	}
	return fault.Newf(fault.Conflict, "%d of %d were not decided", failed, len(results))
}

func (c *cli) previewReviews(ctx context.Context, a *App, ids []string, d review.Decision) error {
	all := map[string]review.Effect{}
	var rows [][]string
	for _, id := range ids {
		e, err := a.Reviews.Preview(ctx, a.Scope, id, d)
		if err != nil {
			return err
		}
		all[id] = e
		for _, s := range e.Says {
			rows = append(rows, []string{id, s, "", ""})
		}
		for _, m := range e.Moves {
			value := func(v *quantity.Decimal) string {
				if v == nil {
					return "-"
				}
				return show(*v, m.Unit)
			}
			rows = append(rows, []string{id, fmt.Sprintf("%s of %s, all months %s", m.Label, m.Of, m.Currency), value(m.From), orText(m.Reason, value(m.To))})
		}
	}
	return c.table([]string{"id", "what", "from", "to"}, rows, all)
}

func (c *cli) reviewUndoCommand() *cobra.Command {
	return &cobra.Command{Use: "undo ID", Short: "Take a decision of the last 30 days back", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			p, err := a.Reviews.Undo(ctx, a.Scope, args[0])
			if err != nil {
				return err
			}
			return c.done("%s: open again", orText(p.Label, p.Title))
		})
	}}
}

func (c *cli) reviewAssignCommand() *cobra.Command {
	var to, due string
	cmd := &cobra.Command{Use: "assign ID", Short: "Give a question to somebody, with a day", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			p, err := a.Reviews.Get(ctx, a.Scope, args[0])
			if err != nil {
				return err
			}
			day := p.Due
			if cmd.Flags().Changed("due") {
				day = quantity.Day{}
				if due != "" {
					if day, err = quantity.AskedDay(due); err != nil {
						return err
					}
				}
			}
			who := p.Assignee
			if cmd.Flags().Changed("to") {
				who = tenant.Actor(to)
			}
			if p, err = a.Reviews.Assign(ctx, a.Scope, args[0], who, day); err != nil {
				return err
			}
			return c.done("%s: %s, due %s", orText(p.Label, p.Title), orText(string(p.Assignee), "nobody in particular"), orText(p.Due.String(), "never"))
		})
	}}
	cmd.Flags().StringVar(&to, "to", "", "an actor such as cli:kim; empty for nobody in particular")
	cmd.Flags().StringVar(&due, "due", "", "until when, such as 2026-07-01; empty for never")
	return cmd
}

func (c *cli) reviewCommentCommand() *cobra.Command {
	return &cobra.Command{Use: "comment ID TEXT", Short: "Say something on a question; @name tells somebody", Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			x, err := a.Reviews.Comment(ctx, a.Scope, review.On{Kind: review.OnProposal, Key: args[0]}, args[1])
			if err != nil {
				return err
			}
			if c.format == "json" {
				return c.printJSON(x)
			}
			return c.done("%s: said", x.On.Label)
		})
	}}
}

func (c *cli) reviewTopicsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "topics", Short: "List what was rejected again and again", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			list, err := a.Reviews.Topics(ctx, a.Scope)
			if err != nil {
				return err
			}
			rows := make([][]string, len(list))
			for i, t := range list {
				rows[i] = []string{t.Topic, fmt.Sprint(t.Rejected), map[bool]string{true: "comes last", false: ""}[t.Quiet], shortTime(&t.LastAt), shortTime(t.ResetAt)}
			}
			return c.table([]string{"topic", "rejected_in_a_row", "effect", "last", "reset"}, rows, list)
		})
	}}
	reset := &cobra.Command{Use: "reset TOPIC", Short: "Make a topic as insistent as it was", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			if err := a.Reviews.ResetTopic(ctx, a.Scope, args[0]); err != nil {
				return err
			}
			return c.done("%s is as insistent as it was", args[0])
		})
	}}
	wrapArgs(reset)
	cmd.AddCommand(reset)
	return cmd
}

func (c *cli) reviewTermsCommand() *cobra.Command {
	var due, expire int
	var four bool
	cmd := &cobra.Command{Use: "terms [KIND]", Short: "Show or set how long questions may wait and who decides", Args: cobra.MaximumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			kinds, err := a.Reviews.Kinds(ctx, a.Scope)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				i := slices.IndexFunc(kinds, func(k review.Kind) bool { return k.Name == args[0] })
				if i < 0 {
					return fault.Newf(fault.NotFound, "there is no kind of question %q", args[0])
				}
				to := kinds[i].Terms
				for name, set := range map[string]func(){"due-days": func() { to.DueDays = due }, "expire-days": func() { to.ExpireDays = expire }, "four-eyes": func() { to.FourEyes = four }} {
					if cmd.Flags().Changed(name) {
						set()
					}
				}
				k, err := a.Reviews.SetTerms(ctx, a.Scope, args[0], to)
				if err != nil {
					return err
				}
				kinds = []review.Kind{k}
			}
			rows := make([][]string, len(kinds))
			for i, k := range kinds {
				rows[i] = []string{k.Name, k.Label, fmt.Sprint(k.Terms.DueDays), fmt.Sprint(k.Terms.ExpireDays), fmt.Sprint(k.Terms.FourEyes)}
			}
			return c.table([]string{"kind", "what", "due_days", "expire_days", "four_eyes"}, rows, kinds)
		})
	}}
	cmd.Flags().IntVar(&due, "due-days", 0, "days until it is due; 0 for never")
	cmd.Flags().IntVar(&expire, "expire-days", 0, "days until it is not asked any more; 0 for never")
	cmd.Flags().BoolVar(&four, "four-eyes", false, "two people must decide the same")
	return cmd
}
