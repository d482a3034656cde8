package question

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// marginChange says why the margin moved: by points, by money to the cent, and by client.
// Without a period it is about the last complete month.
func marginChange(ctx context.Context, a *asked) error {
	if a.req.Period.From.IsZero() && a.req.Period.To.IsZero() {
		a.Period = quantity.MonthOf(a.complete.To.AddMonths(-1))
	}
	explain := func(measure string, by ...string) (*insight.Explanation, error) {
		return a.insights.Explain(ctx, a.scope, insight.ExplainRequest{Measure: measure, Where: a.client(), Period: a.Period, By: by, AsSeen: measure == "gross_profit" && by[0] == insight.Factors})
	}
	margin, err := explain("gross_margin", insight.Factors)
	if err != nil {
		return a.tooLittle(err)
	}
	profit, err := explain("gross_profit", insight.Factors, insight.Factors)
	if err != nil {
		return a.tooLittle(err)
	}
	for _, name := range []string{"gross_margin", "gross_profit"} {
		if m, err := a.metrics.Measure(name); err == nil {
			a.Versions[name] = m.Version
		}
	}
	a.sure(margin.Confidence)
	earlier := margin.From.Period.Words()
	if margin.Change == nil && profit.Change == nil {
		why := margin.Note
		if why == "" {
			why = margin.To.Reason
		}
		a.Headline = fmt.Sprintf("The margin of %s cannot be compared with that of %s: %s.", a.Period.Words(), earlier, strings.TrimSuffix(why, "."))
		a.Grade = "no_answer"
		a.Next = append(a.Next, "Choose a period whose months before are in the data too, one currency at a time.")
		return nil
	}
	a.marginWords(margin, profit, earlier)
	both := &metric.Query{Measures: []string{"revenue", "labor_cost", "direct_cost", "gross_profit", "gross_margin", "hours_worked"}, Dimensions: []string{"month"}, Where: a.client(),
		Period: quantity.Period{From: margin.From.Period.From, To: a.Period.To}, Snapshot: a.Snapshot}
	if margin.Change != nil && margin.Unit == quantity.Ratio {
		a.Tables = append(a.Tables, bridgeOf(margin, "What moved the margin", "Points of the margin; the parts add up to the change.", both))
	}
	a.Tables = append(a.Tables, bridgeOf(profit, "The same in money, to the cent", "Gross profit: what each part would have changed with the others half way; the parts add up to the change exactly."+noted(profit.Note), both))
	if a.req.Client == "" {
		clients, err := explain("gross_profit", "client", insight.Factors)
		if err != nil {
			return a.tooLittle(err)
		}
		a.Tables = append(a.Tables, byClient(clients, both))
	}
	a.Next = append(a.Next, "Open the largest part to see the rows behind it; compare with the same month of the year before when the business is seasonal.")
	return nil
}

// marginWords sets the headline.
func (a *asked) marginWords(margin, profit *insight.Explanation, earlier string) {
	where := "The margin"
	if a.req.Client != "" {
		where += " of " + a.req.Client
	}
	var largest []string
	of := margin
	if margin.Change == nil || margin.Unit != quantity.Ratio {
		of = profit
	}
	for _, d := range of.Drivers {
		if len(largest) == 3 {
			break
		}
		if part := moved(d.Contribution, of.Unit, of.Currency); part != "" {
			largest = append(largest, strings.ReplaceAll(d.Name, "_", " ")+" "+part)
		}
	}
	by := ""
	if len(largest) > 0 {
		by = ", by " + strings.Join(largest, ", ")
	}
	if of == margin {
		from, to := insight.Say(*margin.From.Value, quantity.Ratio, ""), insight.Say(*margin.To.Value, quantity.Ratio, "")
		way := "rose"
		if margin.Change.Sign() < 0 {
			way = "fell"
		}
		if from == to {
			a.Headline = fmt.Sprintf("%s stayed at %s from %s to %s%s.", where, to, earlier, a.Period.Words(), by)
		} else {
			a.Headline = fmt.Sprintf("%s %s from %s (%s) to %s (%s)%s.", where, way, from, earlier, to, a.Period.Words(), by)
		}
	} else {
		a.Headline = fmt.Sprintf("%s has no value in one of the two periods; gross profit went from %s (%s) to %s (%s)%s.", where,
			insight.Say(*profit.From.Value, quantity.Money, profit.Currency), earlier, insight.Say(*profit.To.Value, quantity.Money, profit.Currency), a.Period.Words(), by)
	}
	if profit.Change != nil && of == margin {
		a.Headline += fmt.Sprintf(" In money: %s of gross profit.", signed(*profit.Change, profit.Currency))
	}
}

// signed writes money with its sign.
func signed(d quantity.Decimal, currency string) string {
	if d.Sign() > 0 {
		return "+" + insight.Say(d, quantity.Money, currency)
	}
	return insight.Say(d, quantity.Money, currency)
}

// moved writes what a part contributes, "" when it is only rounding.
func moved(d quantity.Decimal, u quantity.Unit, currency string) string {
	if u != quantity.Ratio {
		if d.Round(2).IsZero() {
			return ""
		}
		return signed(d, currency)
	}
	points := d.Shift(2).RoundBank(1)
	if points.IsZero() {
		return ""
	}
	sign := "+"
	if points.Sign() < 0 {
		sign = quantity.Minus
	}
	return sign + points.Abs().StringFixed(1) + " points"
}

// bridgeOf lists the steps of a change, each with what it is made of.
func bridgeOf(e *insight.Explanation, title, note string, behind *metric.Query) Table {
	t := Table{Title: title, Note: note, Columns: []Column{text("part", "Part"), in("contribution", "Contribution", e.Unit), in("total", "Total after it", e.Unit)}}
	about := map[string]insight.Driver{}
	for _, d := range e.Drivers {
		about[d.Name] = d
	}
	for _, s := range e.Steps {
		row := Row{Cells: []any{strings.ReplaceAll(s.Name, "_", " "), s.Amount, s.Total}, Currency: e.Currency, Query: behind}
		switch s.Kind {
		case "start":
			row.Cells[0], row.Cells[1] = e.From.Period.Words(), nil
		case "end":
			row.Cells[0], row.Cells[1] = e.To.Period.Words(), nil
		default:
			row.Why = madeOf(about[s.Name], e)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// madeOf says what a part is made of.
func madeOf(d insight.Driver, e *insight.Explanation) string {
	var parts []string
	for _, in := range d.Drivers {
		if part := moved(in.Contribution, e.Unit, e.Currency); part != "" {
			parts = append(parts, strings.ReplaceAll(in.Name, "_", " ")+" "+part)
		}
	}
	return strings.Join(parts, ", ")
}

// othersName is the name of what stands for the members that have none of their own.
var othersName = regexp.MustCompile(`^\d+ others$`)

// byClient lists the change of gross profit by client, largest first.
func byClient(e *insight.Explanation, behind *metric.Query) Table {
	t := Table{Title: "By client", Note: "Change of gross profit; the rows add up to it. Those that moved little are one row.",
		Columns: []Column{by("client", "Client"), in("contribution", "Change of gross profit", quantity.Money), text("parts", "By")}}
	var named []string
	for _, d := range e.Drivers {
		if !othersName.MatchString(d.Name) {
			named = append(named, d.Name)
		}
	}
	drivers := slices.Clone(e.Drivers)
	slices.SortStableFunc(drivers, func(x, y insight.Driver) int {
		return cmp.Compare(len(othersName.FindString(x.Name)), len(othersName.FindString(y.Name))) // the others last
	})
	for _, d := range drivers {
		q := *behind
		q.Where = is("client", d.Name)
		if othersName.MatchString(d.Name) {
			q.Where = "not (" + among("client", named) + ")"
		}
		t.Rows = append(t.Rows, Row{Cells: []any{d.Name, d.Contribution, orNull(madeOf(d, e))}, Currency: e.Currency, Query: &q})
	}
	return t
}

// noted makes a sentence of a note.
func noted(note string) string {
	if note == "" {
		return ""
	}
	return " " + capital(note) + "."
}
