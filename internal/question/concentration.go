package question

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// worth are the figures that a buyer of the firm looks at, with what each is in words.
var worth = []struct{ measure, label string }{
	{"top1_share", "Revenue of the largest client"}, {"top3_share", "Revenue of the three largest"}, {"top5_share", "Revenue of the five largest"},
	{"client_concentration", "Concentration (Herfindahl index)"}, {"recurring_mix", "Recurring part of earned revenue"}, {"grr", "Recurring revenue kept"}, {"nrr", "Recurring revenue kept and grown"},
	{"logo_churn", "Clients lost"}, {"gross_margin", "Gross margin"}, {"ebitda_margin", "EBITDA of revenue"},
}

// concentration says how dependent the firm is on few clients, and in which bands the
// figures lie that a buyer looks at. It names no multiple: there is none with a source.
func concentration(ctx context.Context, a *asked) error {
	value, why, currency := map[string]any{}, map[string]string{}, map[string]string{}
	var names []string
	for _, w := range worth {
		names = append(names, w.measure)
	}
	books := []string{"ebitda_margin", "ebitda"}
	ours := append(slices.DeleteFunc(names, func(m string) bool { return m == "ebitda_margin" }), "revenue", "arr", "effective_clients")
	for _, measures := range [][]string{ours, books} { // the ledger knows no clients
		r, err := a.run(ctx, metric.Query{Measures: measures, Period: a.Period})
		if err != nil {
			return a.tooLittle(err)
		}
		if len(r.Rows) == 0 {
			continue
		}
		for j, c := range r.Columns {
			value[c.Name], currency[c.Name], why[c.Name] = r.Rows[0][j], r.CurrencyOf(0, j), reason(r, 0, c.Name)
		}
	}
	bands, err := a.metrics.Bands(ctx, a.scope)
	if err != nil {
		return err
	}
	figures := Table{
		Title: "What a buyer looks at", Note: "The bands are statements of others, with who says so; S has a source, A is assumed here, own is set by you. No multiple of earnings is given: none with a source is known.",
		Columns: []Column{text("figure", "Figure"), in("value", "Value", quantity.Ratio), text("band", "Band"), text("verdict", "Held to be"), text("bands", "All bands"), text("source", "Who says so"), text("kind", "Kind")},
	}
	good, judged := 0, 0
	for _, w := range worth {
		behind := &metric.Query{Measures: []string{w.measure}, Period: a.Period, Snapshot: a.Snapshot}
		v, ok := value[w.measure].(quantity.Decimal)
		if !ok {
			figures.Rows = append(figures.Rows, Row{Cells: []any{w.label, nil, nil, nil, nil, nil, nil}, Why: orElse(why[w.measure], "it has no value"), Query: behind})
			continue
		}
		found := false
		for _, t := range bands {
			if t.Measure != w.measure {
				continue
			}
			found = true
			band := t.Of(v)
			judged++
			if band.Verdict == "good" {
				good++
			}
			figures.Rows = append(figures.Rows, Row{Cells: []any{w.label, v, band.Label, band.Verdict, t.Words(), t.Source + " (" + t.Date + ")", t.Kind}, Why: t.Population, Query: behind})
		}
		if !found {
			figures.Rows = append(figures.Rows, Row{Cells: []any{w.label, v, nil, nil, nil, nil, nil}, Query: behind})
		}
	}
	sizes := Table{Title: "Size", Columns: []Column{text("figure", "Figure"), in("value", "Amount", quantity.Money)}}
	for _, s := range []struct{ measure, label string }{{"revenue", "Revenue of the period"}, {"arr", "Recurring revenue a year, at its end"}, {"ebitda", "EBITDA of the period"}} {
		sizes.Rows = append(sizes.Rows, Row{Cells: []any{s.label, value[s.measure]}, Currency: currency[s.measure], Why: why[s.measure], Query: &metric.Query{Measures: []string{s.measure}, Period: a.Period, Snapshot: a.Snapshot}})
	}
	clients, largest, err := a.largestClients(ctx)
	if err != nil {
		return a.tooLittle(err)
	}
	a.Tables = []Table{figures, clients, sizes}
	a.worthWords(value, currency, good, judged, largest)
	if err := a.sureOf(ctx, "client_concentration", "", a.Period); err != nil {
		return a.tooLittle(err)
	}
	if _, ok := value["client_concentration"].(quantity.Decimal); !ok {
		a.Grade = "no_answer"
	}
	if n := len(a.Period.Months()); n != 12 {
		a.Reasons = append(a.Reasons, fmt.Sprintf("the bands are of twelve months; this is %s", count(n, "month")))
	}
	return nil
}

// worthWords sets the headline.
func (a *asked) worthWords(value map[string]any, currency map[string]string, good, judged int, names []string) {
	say := func(measure string) string {
		if v, ok := value[measure].(quantity.Decimal); ok {
			return insight.Say(v, quantity.Ratio, "")
		}
		return ""
	}
	if say("top1_share") == "" {
		a.Headline = fmt.Sprintf("How concentrated revenue is cannot be said for %s: there is no revenue in one currency.", a.Period.Words())
		return
	}
	first := "the largest client"
	if len(names) > 0 {
		first = names[0]
	}
	a.Headline = fmt.Sprintf("%s of revenue is of %s and %s of the five largest clients, %s", say("top1_share"), first, say("top5_share"), a.Period.Words())
	if v, ok := value["client_concentration"].(quantity.Decimal); ok {
		a.Headline += "; the concentration index is " + v.Round(3).String()
		if e, ok := value["effective_clients"].(quantity.Decimal); ok {
			a.Headline += ", as if there were " + e.Round(1).String() + " clients of one size"
		}
	}
	a.Headline += "."
	var more []string
	if v, ok := value["recurring_mix"].(quantity.Decimal); ok && v.IsZero() {
		more = append(more, "no revenue is known to be recurring")
	} else if v := say("recurring_mix"); v != "" {
		more = append(more, v+" of revenue is recurring")
	}
	if v := say("grr"); v != "" {
		more = append(more, v+" of recurring revenue was kept")
	}
	if e, ok := value["ebitda"].(quantity.Decimal); ok {
		more = append(more, fmt.Sprintf("EBITDA was %s (%s of revenue)", insight.Say(e, quantity.Money, currency["ebitda"]), orElse(say("ebitda_margin"), "no part")))
	}
	if len(more) > 0 {
		a.Headline += " " + capital(strings.Join(more, ", ")) + "."
	}
	if judged > 0 {
		a.Headline += fmt.Sprintf(" Of %s that somebody sets for such figures, ours lie in the good part of %d.", count(judged, "band"), good)
	}
	a.Next = append(a.Next, "Lengthen the term of the largest client and win others: what matters to a buyer is the worst band above.")
	if _, ok := value["ebitda"].(quantity.Decimal); !ok {
		a.Next = append(a.Next, "Import the ledger with the owners' market pay, so that EBITDA is known.")
	}
}

// largestClients lists the clients by revenue with their share, each currency by itself.
func (a *asked) largestClients(ctx context.Context) (Table, []string, error) {
	t := Table{Title: "Clients by revenue", Note: "Share of the revenue of all clients in its currency.", Columns: []Column{by("client", "Client"), of("revenue", "Revenue", quantity.Money), in("share", "Share", quantity.Ratio)}}
	r, err := a.run(ctx, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Where: `client_status != "internal"`, Period: a.Period, Order: []string{"-revenue", "client"}})
	if err != nil {
		return t, nil, err
	}
	all := amounts{}
	for i, row := range r.Rows {
		if v, ok := row[1].(quantity.Decimal); ok && v.Sign() > 0 {
			all.add(r.CurrencyOf(i, 0), v)
		}
	}
	var names []string
	for i, row := range r.Rows {
		v, ok := row[1].(quantity.Decimal)
		if !ok || v.Sign() <= 0 {
			continue
		}
		name, code := row[0].(string), r.CurrencyOf(i, 0)
		if name != unassigned {
			names = append(names, name)
		}
		t.Rows = append(t.Rows, Row{Cells: []any{name, v, v.DivRound(all[code], 6)}, Currency: code,
			Query: &metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"month"}, Where: is("client", name), Period: a.Period, Snapshot: a.Snapshot}})
	}
	return t, names, nil
}
