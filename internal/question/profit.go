package question

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// likely is the probability of a loss from which a client is shown: below it, a reader has
// better things to look at.
const likely = 0.2

// losingClients ranks clients by the probability that they lose money after labor.
func losingClients(ctx context.Context, a *asked) error {
	r, err := a.insights.Rank(ctx, a.scope, insight.RankRequest{Measure: "gross_margin", Where: both(`client_status != "internal"`, a.client()), Period: a.Period, Limit: &quantity.Decimal{}})
	if err != nil {
		return a.tooLittle(err)
	}
	findings, err := a.insights.Analyze(ctx, a.scope, a.Period)
	if err != nil {
		return err
	}
	about := map[string]insight.Finding{}
	for _, f := range findings {
		if f.Kind == insight.ClientProfitability {
			about[f.Subject.Value] = f
		}
	}
	profit, err := a.run(ctx, metric.Query{Measures: []string{"gross_profit"}, Dimensions: []string{"client"}, Period: a.Period})
	if err != nil {
		return err
	}
	earned := map[any]any{}
	for _, row := range profit.Rows {
		earned[row[0]] = row[1]
	}
	t := Table{
		Title: "Clients that lose money, or may",
		Note:  r.Words + " " + r.Method + ".",
		Columns: []Column{
			by("client", "Client"), of("gross_profit", "Gross profit", quantity.Money), of("gross_margin", "Margin", quantity.Ratio),
			in("expected", "Expected margin", quantity.Ratio), in("low", "From", quantity.Ratio), in("high", "To", quantity.Ratio),
			in("probability", "Probability of a loss", quantity.Ratio), in("months", "Months", quantity.Count), text("grade", "How sure"),
		},
	}
	losing, possible := 0, 0
	for _, row := range r.Rows {
		lost := row.Raw != nil && row.Raw.Sign() < 0 || row.Raw == nil && isNegative(earned[row.Name])
		switch {
		case lost:
			losing++
		case row.Probability != nil && *row.Probability >= likely:
			possible++
		case a.req.Client == "":
			continue
		}
		f, found := about[row.Name]
		why := row.Reason
		if found {
			why = f.Headline + " " + f.Recommendation
		}
		var low, high any
		if row.Interval != nil {
			low, high = row.Interval.Low, row.Interval.High
		}
		t.Rows = append(t.Rows, Row{
			Cells:    []any{row.Name, earned[row.Name], known(row.Raw), known(row.Shrunken), low, high, fraction(row.Probability), whole(row.N), orNull(f.Confidence.Grade)},
			Currency: row.Currency, Why: strings.TrimSpace(why),
			Query: &metric.Query{Measures: []string{"revenue", "labor_cost", "direct_cost", "gross_profit", "gross_margin"}, Dimensions: []string{"month"}, Where: is("client", row.Name), Period: a.Period},
		})
	}
	a.Tables = []Table{t}
	a.Headline = fmt.Sprintf("%s of %d lost money after labor from %s; %s may, with a probability of 20%% or more.", capital(count(losing, "client")), r.Total, a.Period.Words(), count(possible, "other"))
	a.worst(t, about)
	if losing > 0 {
		a.Next = append(a.Next, "Open the first client and see what drives it; then ask what to reprice.")
	}
	return nil
}

// worst makes the answer as sure as the least sure of the clients it names.
func (a *asked) worst(t Table, about map[string]insight.Finding) {
	least := insight.Confidence{Score: 1, Grade: "high", Reasons: []string{"no client is near a loss"}}
	for i, row := range t.Rows {
		name, _ := row.Cells[0].(string)
		if f, ok := about[name]; ok && (i == 0 || f.Confidence.Score < least.Score) {
			least = f.Confidence
		}
	}
	a.sure(least)
}
