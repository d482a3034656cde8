package question

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// closing is the number of days after which a month that nobody closed counts as settled:
// two billing runs.
const closing = 62

// final says of each month of the period whether its figures may still change, and why.
func final(ctx context.Context, a *asked) error {
	tables, err := a.data.Summary(ctx, a.scope)
	if err != nil {
		return err
	}
	quality, err := a.data.QualityReport(ctx, a.scope)
	if err != nil {
		return err
	}
	reviews, err := a.data.OpenReviews(ctx, a.scope)
	if err != nil {
		return err
	}
	locked, err := a.closed(ctx)
	if err != nil {
		return err
	}
	today := quantity.DayOf(a.now().UTC())
	scores := map[string]float64{}
	for _, m := range quality.Months {
		scores[m.Name] = m.Score
	}
	months := Table{
		Title: "Months", Note: "Closed: no import may change it. Complete: it is over and its hours reach its end. Partial months are left out of trends.",
		Columns: []Column{day("month", "Month"), text("state", "State"), in("quality", "Data quality", quantity.Ratio)},
	}
	tally := map[string]int{}
	for _, m := range a.Period.Months() {
		state := "complete, may still be corrected"
		switch {
		case locked[m]:
			state = "closed"
		case !m.Before(a.complete.To) || m.Before(a.complete.From):
			state = "partial"
		case !today.Before(m.AddMonths(1).AddDays(closing)):
			state = "complete, settled"
		}
		tally[state]++
		var score any
		if s, ok := scores[m.String()]; ok {
			score = fraction(&s)
		}
		months.Rows = append(months.Rows, Row{Cells: []any{m.String(), state, score}})
	}
	slices.Reverse(months.Rows)
	feeds := Table{Title: "Data", Columns: []Column{text("dataset", "Dataset"), in("rows", "Rows", quantity.Count), day("through", "Newest month"), in("quality", "Data quality", quantity.Ratio)}}
	for _, t := range tables {
		through := any(nil)
		if len(t.Months) > 0 {
			through = t.Months[len(t.Months)-1]
		}
		feeds.Rows = append(feeds.Rows, Row{Cells: []any{t.Name, whole(int(t.Rows)), through, fraction(t.Quality)}})
	}
	issues := Table{Title: "What is not right with it", Note: "By what putting it right gains.", Columns: []Column{text("dataset", "Dataset"), in("rows", "Rows", quantity.Count), in("share", "Share", quantity.Ratio), text("what", "What"), text("fix", "What to do")}}
	for _, i := range quality.Issues {
		issues.Rows = append(issues.Rows, Row{Cells: []any{i.Dataset, whole(int(i.Rows)), fraction(&i.Share), i.Message, i.Suggestion}})
	}
	open := Table{Title: "Decisions that are open", Columns: []Column{text("kind", "Kind"), in("open", "Open", quantity.Count)}}
	waiting := 0
	for _, kind := range slices.Sorted(maps.Keys(reviews)) {
		waiting += int(reviews[kind])
		open.Rows = append(open.Rows, Row{Cells: []any{kind, whole(int(reviews[kind]))}})
	}
	a.Tables = []Table{months, feeds, issues, open}
	var parts []string
	for _, state := range []string{"closed", "complete, settled", "complete, may still be corrected", "partial"} {
		if n := tally[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	a.Headline = fmt.Sprintf("Of %s, %s: %s.", count(len(months.Rows), "month"), a.Period.Words(), strings.Join(parts, "; "))
	a.Grade = "high"
	if tally["complete, may still be corrected"] > 0 {
		a.Grade = "medium"
	}
	if tally["partial"] > 0 {
		a.Grade = "low"
		a.Reasons = append(a.Reasons, count(tally["partial"], "month")+" not over or not wholly recorded")
	}
	if waiting > 0 {
		a.Reasons = append(a.Reasons, count(waiting, "decision")+" open: figures move to another client when a name is matched")
		a.Next = append(a.Next, "Decide the open reviews.")
	}
	if n := len(issues.Rows); n > 0 {
		a.Reasons = append(a.Reasons, count(n, "kind")+" of rows with something missing or wrong")
		a.Next = append(a.Next, fmt.Sprintf("Put right first: %s that %s.", quality.Issues[0].Dataset, quality.Issues[0].Message))
	}
	if tally["complete, may still be corrected"] > 0 {
		a.Next = append(a.Next, "Close the months that are billed and checked.")
	}
	return nil
}

// closed returns the months that no import may change.
func (a *asked) closed(ctx context.Context) (map[quantity.Day]bool, error) {
	list, err := a.warehouse.ClosedMonths(ctx, a.scope)
	out := map[quantity.Day]bool{}
	for _, m := range list {
		out[m.Month] = true
	}
	return out, err
}
