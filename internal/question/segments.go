package question

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// among is the condition that a dimension has one of the values.
func among(dimension string, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	return dimension + " in [" + strings.Join(quoted, ", ") + "]"
}

// fewestClients is the least number of clients of a segment of which its margin says more
// than of its clients.
const fewestClients = 5

const notInternal = `client_status != "internal"`

// segmentSums are what a segment earns.
var segmentSums = []string{"revenue", "labor_cost", "direct_cost", "gross_profit", "gross_margin"}

// segments says what each industry, size of client and kind of revenue earns.
func segments(ctx context.Context, a *asked) error {
	if a.client() != "" {
		a.Next = append(a.Next, "Segments are of all clients: the client is left out of account.")
	}
	clients, err := a.run(ctx, metric.Query{Measures: []string{"revenue", "gross_profit"}, Dimensions: []string{"client", "industry"}, Where: notInternal, Period: a.Period, Order: []string{"-revenue", "client"}})
	if err != nil {
		return a.tooLittle(err)
	}
	of := map[string]int{} // clients by industry
	var bySize []string    // clients with revenue, largest first
	codes := map[string]bool{}
	for i, row := range clients.Rows {
		name, industry := row[0].(string), row[1].(string)
		if v, ok := row[2].(quantity.Decimal); ok && v.Sign() > 0 && name != unassigned {
			of[industry]++
			bySize = append(bySize, name)
			codes[clients.CurrencyOf(i, 0)] = true
		}
	}
	industries, best, err := a.byIndustry(ctx, of)
	if err != nil {
		return a.tooLittle(err)
	}
	sizes := Table{Title: "By size of client", Note: "Thirds of the clients by their revenue in the period.", Columns: segmentColumns(text("segment", "Size"))}
	if len(codes) > 1 {
		sizes.Note = "Clients pay in several currencies, so they are not put in order of size."
	} else if sizes, err = a.bySize(ctx, bySize); err != nil {
		return a.tooLittle(err)
	}
	kinds, err := a.byCategory(ctx)
	if err != nil {
		return a.tooLittle(err)
	}
	services, err := a.byLine(ctx)
	if err != nil {
		return a.tooLittle(err)
	}
	a.Tables = []Table{industries, sizes, kinds, services}
	if len(bySize) == 0 {
		a.Headline, a.Grade = fmt.Sprintf("No client has revenue in %s, so no segment earns any.", a.Period.Words()), "no_answer"
		a.Reasons = []string{"no revenue of clients"}
		return nil
	}
	if best == "" {
		best = fmt.Sprintf("What an industry earns is not known for %s: margins need revenue and labor cost in one currency.", a.Period.Words())
	}
	a.Headline = best
	if line := services.Rows; len(line) == 2 && line[0].Cells[3] != nil && line[1].Cells[3] != nil {
		a.Headline += fmt.Sprintf(" Services leave %s and products %s.", insight.Say(line[0].Cells[3].(quantity.Decimal), quantity.Ratio, ""), insight.Say(line[1].Cells[3].(quantity.Decimal), quantity.Ratio, ""))
	}
	a.Next = append(a.Next, "Look at the clients behind the weakest segment before drawing a rule from it; most segments are a few clients.")
	if err := a.sureOf(ctx, "gross_margin", notInternal, a.Period); err != nil {
		return a.tooLittle(err)
	}
	small := 0
	for _, n := range of {
		if n < fewestClients {
			small++
		}
	}
	if small > 0 {
		a.Reasons = append(a.Reasons, fmt.Sprintf("%d of %d industries have fewer than %d clients: too few to say something of the industry", small, len(of), fewestClients))
		if 2*small > len(of) && (a.Grade == "high" || a.Grade == "medium") {
			a.Grade = "low"
		}
	}
	return nil
}

func segmentColumns(first Column) []Column {
	return []Column{first, in("clients", "Clients", quantity.Count), of("revenue", "Revenue", quantity.Money), of("gross_profit", "Gross profit", quantity.Money), of("gross_margin", "Margin", quantity.Ratio),
		in("expected", "Expected margin", quantity.Ratio), in("low", "From", quantity.Ratio), in("high", "To", quantity.Ratio), in("weight", "Own share of it", quantity.Ratio), text("mind", "Mind")}
}

// tooFew says of how few clients a segment is, "" of enough.
func tooFew(clients int) any {
	if clients < fewestClients {
		return count(clients, "client") + ": too few to say"
	}
	return nil
}

// byIndustry ranks industries by margin, the most likely loss first, and names the best and
// the worst of those with enough clients.
func (a *asked) byIndustry(ctx context.Context, clients map[string]int) (Table, string, error) {
	t := Table{Title: "By industry", Columns: segmentColumns(by("industry", "Industry"))}
	r, err := a.insights.Rank(ctx, a.scope, insight.RankRequest{Measure: "gross_margin", By: "industry", Where: notInternal, Period: a.Period, Limit: &quantity.Decimal{}})
	if err != nil {
		return t, "", err
	}
	sums, err := a.run(ctx, metric.Query{Measures: segmentSums, Dimensions: []string{"industry"}, Where: notInternal, Period: a.Period})
	if err != nil {
		return t, "", err
	}
	at := map[string]int{}
	for i, row := range sums.Rows {
		at[row[0].(string)] = i
	}
	t.Note = r.Words + " " + capital(r.Method) + "."
	var best, worst *insight.Ranked
	for n := range r.Rows {
		row := &r.Rows[n]
		i, known_ := at[row.Name]
		if !known_ || clients[row.Name] == 0 && row.Raw == nil {
			continue
		}
		var low, high any
		if row.Interval != nil {
			low, high = row.Interval.Low, row.Interval.High
		}
		weight := row.Weight
		t.Rows = append(t.Rows, Row{
			Cells:    []any{row.Name, whole(clients[row.Name]), sums.Rows[i][1], sums.Rows[i][4], known(row.Raw), known(row.Shrunken), low, high, fraction(&weight), tooFew(clients[row.Name])},
			Currency: row.Currency, Why: row.Reason,
			Query: &metric.Query{Measures: segmentSums, Dimensions: []string{"client"}, Where: both(notInternal, is("industry", row.Name)), Period: a.Period, Snapshot: a.Snapshot},
		})
		if row.Raw == nil {
			continue
		}
		if worst == nil || row.Raw.LessThan(*worst.Raw) {
			worst = row
		}
		if best == nil || row.Raw.GreaterThan(*best.Raw) {
			best = row
		}
	}
	say := func(row *insight.Ranked) string {
		return fmt.Sprintf("%s %s (%s)", row.Name, insight.Say(*row.Raw, quantity.Ratio, ""), count(clients[row.Name], "client"))
	}
	switch {
	case best == nil:
		return t, "", nil
	case best == worst:
		return t, fmt.Sprintf("The margin of the only industry, %s, is: %s.", a.Period.Words(), say(best)), nil
	}
	return t, fmt.Sprintf("Margins by industry, %s, go from %s to %s.", a.Period.Words(), say(worst), say(best)), nil
}

// bySize cuts the clients into thirds by revenue, the largest first.
func (a *asked) bySize(ctx context.Context, clients []string) (Table, error) {
	t := Table{Title: "By size of client", Note: "Thirds of the clients by their revenue in the period. The interval is that of the third's own margin: three are too few to draw towards each other.", Columns: segmentColumns(text("segment", "Size"))}
	names := []string{"Largest third", "Middle third", "Smallest third"}
	from := 0
	for k, name := range names {
		to := (len(clients)*(k+1) + 2) / 3
		part := clients[from:to]
		if from = to; len(part) == 0 {
			continue
		}
		slices.Sort(part)
		where := among("client", part)
		if len(where) > longestFilter {
			row, err := a.added(ctx, name, part)
			if err != nil {
				return t, err
			}
			t.Rows = append(t.Rows, row)
			continue
		}
		e, err := a.insights.Explain(ctx, a.scope, insight.ExplainRequest{Measure: "gross_margin", Where: where, Period: a.Period, Brief: true})
		if err != nil {
			return t, err
		}
		r, err := a.run(ctx, metric.Query{Measures: segmentSums, Where: where, Period: a.Period})
		if err != nil {
			return t, err
		}
		if len(r.Rows) == 0 {
			continue
		}
		var low, high any
		if i := e.Interval; i != nil && len(part) >= fewestClients {
			low, high = i.Low, i.High
		}
		t.Rows = append(t.Rows, Row{
			Cells: []any{name, whole(len(part)), r.Rows[0][0], r.Rows[0][3], r.Rows[0][4], nil, low, high, nil, tooFew(len(part))}, Currency: r.CurrencyOf(0, 0), Why: reason(r, 0, "gross_margin"),
			Query: &metric.Query{Measures: segmentSums, Dimensions: []string{"client"}, Where: where, Period: a.Period, Snapshot: a.Snapshot},
		})
	}
	return t, nil
}

// longestFilter is how long a condition may be that names clients; a filter has at most 4,000
// characters.
const longestFilter = 3900

// added is the row of more clients than a filter can name: their figures added up.
func (a *asked) added(ctx context.Context, name string, part []string) (Row, error) {
	r, err := a.run(ctx, metric.Query{Measures: segmentSums, Dimensions: []string{"client"}, Period: a.Period})
	if err != nil {
		return Row{}, err
	}
	out := Row{Cells: []any{name, whole(len(part)), nil, nil, nil, nil, nil, nil, nil, tooFew(len(part))}, Why: "more clients than a filter can name: their figures are added up, without an interval"}
	revenue, profit, known, codes := quantity.Decimal{}, quantity.Decimal{}, true, map[string]bool{}
	for i, row := range r.Rows {
		if client, _ := row[0].(string); !slices.Contains(part, client) {
			continue
		}
		codes[r.CurrencyOf(i, 0)] = true
		v, hasRevenue := row[1].(quantity.Decimal)
		p, hasProfit := row[4].(quantity.Decimal)
		revenue, profit, known = revenue.Add(v), profit.Add(p), known && hasRevenue && hasProfit
	}
	if len(codes) > 1 {
		out.Why = "the amounts are in several currencies"
		return out, nil
	}
	for code := range codes {
		out.Currency = code
	}
	out.Cells[2] = revenue
	if known {
		out.Cells[3] = profit
	}
	if known && revenue.Sign() > 0 {
		out.Cells[4] = profit.DivRound(revenue, 12)
	}
	return out, nil
}

// byCategory lists revenue by category, each currency by itself.
func (a *asked) byCategory(ctx context.Context) (Table, error) {
	t := Table{Title: "By kind of revenue", Note: "Hours do not say which kind of revenue they are for, so a category has no margin of its own.", Columns: []Column{by("revenue_category", "Category"), of("revenue", "Revenue", quantity.Money), in("share", "Share", quantity.Ratio)}}
	r, err := a.run(ctx, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"revenue_category", "currency"}, Where: notInternal, Period: a.Period, Order: []string{"-revenue", "revenue_category"}})
	if err != nil {
		return t, err
	}
	all := amounts{}
	for i, row := range r.Rows {
		if v, ok := row[2].(quantity.Decimal); ok {
			all.add(r.CurrencyOf(i, 0), v)
		}
	}
	for i, row := range r.Rows {
		v, ok := row[2].(quantity.Decimal)
		if !ok || v.IsZero() {
			continue
		}
		code := r.CurrencyOf(i, 0)
		share := any(nil)
		if all[code].Sign() > 0 {
			share = v.DivRound(all[code], 6)
		}
		t.Rows = append(t.Rows, Row{Cells: []any{row[0], v, share}, Currency: code,
			Query: &metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Where: both(notInternal, is("revenue_category", row[0].(string)), is("currency", row[1].(string))), Period: a.Period, Snapshot: a.Snapshot}})
	}
	return t, nil
}

// byLine lists what services and products earn.
func (a *asked) byLine(ctx context.Context) (Table, error) {
	t := Table{Title: "Services and products", Note: "Services carry all labor; products are resale and hardware.", Columns: []Column{text("segment", "Line"), in("revenue", "Revenue", quantity.Money), in("gross_profit", "Gross profit", quantity.Money), in("gross_margin", "Margin", quantity.Ratio)}}
	lines := []struct {
		name     string
		measures []string // gross profit, its margin, and what its revenue is: the first less the others
	}{
		{"Services", []string{"service_gross_profit", "service_gross_margin", "service_revenue"}},
		{"Products", []string{"product_gross_profit", "product_gross_margin", "revenue", "service_revenue"}},
	}
	for _, l := range lines {
		r, err := a.run(ctx, metric.Query{Measures: l.measures, Where: notInternal, Period: a.Period})
		if err != nil || len(r.Rows) == 0 {
			return t, err
		}
		row := r.Rows[0]
		revenue, ok := row[2].(quantity.Decimal)
		for _, less := range row[3:] {
			d, known := less.(quantity.Decimal)
			revenue, ok = revenue.Sub(d), ok && known
		}
		cells := []any{l.name, nil, row[0], row[1]}
		if ok {
			cells[1] = revenue
		}
		t.Rows = append(t.Rows, Row{Cells: cells, Currency: r.CurrencyOf(0, 0), Why: orElse(reason(r, 0, l.measures[1]), reason(r, 0, l.measures[0])),
			Query: &metric.Query{Measures: l.measures, Dimensions: []string{"client"}, Where: notInternal, Period: a.Period, Snapshot: a.Snapshot}})
	}
	return t, nil
}
