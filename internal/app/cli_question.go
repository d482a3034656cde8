package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
)

func (c *cli) askCommand() *cobra.Command {
	var req question.Request
	var from, to string
	table := 1
	cmd := &cobra.Command{
		Use: "ask [QUESTION]", Short: "Answer one of the standing questions, by name or number; without one, list them", Args: cobra.MaximumNArgs(1),
		Example: `  moatmetrics ask
  moatmetrics ask losing-clients --top 10
  moatmetrics ask 1 --from 2026-01 --to 2026-07 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if req.Period, err = quantity.ParsePeriod(from, to); err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if len(args) == 0 {
					return c.printQuestions(a.Questions.List())
				}
				req.Question = args[0]
				answer, err := a.Questions.Answer(ctx, a.Scope, req)
				if err != nil {
					return err
				}
				return c.printAnswer(answer, table)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&req.Client, "client", "", "answer for this client; a question about one client needs it")
	f.StringVar(&from, "from", "", "first month; without a period the last twelve complete months count")
	f.StringVar(&to, "to", "", "first month not included")
	f.IntVar(&req.Top, "top", 0, "the most rows of a table, 0 for all")
	f.IntVar(&table, "table", 1, "with --format csv, which table of the answer")
	return cmd
}

func (c *cli) printQuestions(list []question.Question) error {
	rows := make([][]string, len(list))
	for i, q := range list {
		rows[i] = []string{fmt.Sprint(q.Number), q.Name, q.Asks, q.Text}
	}
	return c.table([]string{"number", "name", "asks", "question"}, rows, list)
}

func (c *cli) printAnswer(a *question.Answer, which int) error {
	switch c.format {
	case "json":
		return c.printJSON(a)
	case "csv":
		if which < 1 || which > max(1, len(a.Tables)) {
			return fault.WithFields(fmt.Sprintf("the answer has %d tables", len(a.Tables)), fault.Field{Path: "table", Message: fmt.Sprintf("must be 1 to %d", len(a.Tables))})
		}
		if len(a.Tables) == 0 {
			return fault.Newf(fault.NotFound, "%s", strings.TrimSuffix(a.Headline, "."))
		}
		return c.printPart(a.Tables[which-1])
	}
	fmt.Fprintf(c.out, "%s\n\n%s\n", a.Text, a.Headline)
	if a.Grade != "" {
		fmt.Fprintf(c.out, "How sure: %s. %s\n", strings.ReplaceAll(a.Grade, "_", " "), strings.Join(a.Reasons, "; "))
	}
	for _, t := range a.Tables {
		fmt.Fprintf(c.out, "\n%s\n", t.Title)
		if len(t.Rows) == 0 {
			fmt.Fprintln(c.out, "none")
		} else if err := c.printPart(t); err != nil {
			return err
		}
		if len(t.Rows) < t.Total {
			fmt.Fprintf(c.out, "%d of %d\n", len(t.Rows), t.Total)
		}
		if t.Note != "" {
			fmt.Fprintln(c.out, t.Note)
		}
	}
	for _, n := range a.Missing {
		fmt.Fprintf(c.out, "\nNot imported: %s (%s).", n.Dataset, n.For)
	}
	for _, n := range a.Next {
		fmt.Fprintf(c.out, "\nNext: %s", n)
	}
	_, err := fmt.Fprintf(c.out, "\nSnapshot %d, %s, %d ms\n", a.Snapshot, a.Period.Words(), a.ElapsedMS)
	return err
}

// printPart prints one table of an answer.
func (c *cli) printPart(t question.Table) error {
	head := make([]string, len(t.Columns))
	for i, col := range t.Columns {
		head[i] = strings.ToLower(col.Label)
		if c.format == "csv" {
			head[i] = col.Name
		}
	}
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		for j, cell := range row.Cells {
			rows[i] = append(rows[i], c.shown(cell, t.Columns[j].Unit))
		}
	}
	return c.table(head, rows, t)
}

// shown writes a cell: as people read it in a table, exactly otherwise.
func (c *cli) shown(cell any, u quantity.Unit) string {
	switch v := cell.(type) {
	case nil:
		if c.format == "csv" {
			return ""
		}
		return "-"
	case quantity.Decimal:
		if c.format == "csv" {
			return v.String()
		}
		return show(v, u)
	}
	return fmt.Sprint(cell)
}
