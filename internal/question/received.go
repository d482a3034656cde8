package question

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// served are the measures of the service to a client that the client may see: no cost, no
// price of others, nothing about people. Whatever the answer shows is one of them or made of
// them.
var served = []string{
	"ticket_count", "closed_tickets", "backlog", "hours_worked", "response_met_count", "response_judged_count", "resolution_met_count", "resolution_judged_count", "sla_met_count", "sla_judged_count",
	"csat_responses", "csat_positive", "endpoints", "seats_purchased", "seats_used",
}

// serviceReceived says what a client got for its fee, in words and figures that the client
// itself may see.
func serviceReceived(ctx context.Context, a *asked) error {
	all, err := a.run(ctx, metric.Query{Measures: served, Where: a.client(), Period: a.Period})
	if err != nil {
		return err
	}
	got := map[string]quantity.Decimal{}
	for _, row := range all.Rows {
		for j, m := range served {
			if d, ok := row[j].(quantity.Decimal); ok {
				got[m] = d
			}
		}
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(got)), func(d quantity.Decimal) bool { return !d.IsZero() }) {
		if err := a.clientKnown(ctx); err != nil {
			return err
		}
	}
	speed, err := a.insights.Speed(ctx, a.scope, a.req.Client, a.Period)
	if err != nil {
		return err
	}
	months, err := a.serviceMonths(ctx)
	if err != nil {
		return err
	}
	types, err := a.ticketTypes(ctx)
	if err != nil {
		return err
	}
	products, err := a.seats(ctx)
	if err != nil {
		return err
	}
	promises, said := a.promises(got)
	satisfaction := a.satisfaction(got)
	a.Tables = []Table{months, a.speed(speed), promises, satisfaction, types, a.covered(got), products}
	a.Headline = a.received(got, speed, said)
	a.grade(got)
	return nil
}

// received says in a sentence what was delivered; what is not in the data is not in it.
func (a *asked) received(got map[string]quantity.Decimal, speed *insight.Speed, promises string) string {
	plain := func(m string) string { return insight.Say(got[m].Round(0), quantity.Count, "") }
	var done, end []string
	if a.rows["tickets"] > 0 {
		done = append(done, plain("ticket_count")+" tickets opened and "+plain("closed_tickets")+" closed")
	}
	if a.rows["time_entries"] > 0 {
		done = append(done, plain("hours_worked")+" hours of service")
	}
	if m := speed.Response.Median; m != nil {
		done = append(done, "answered within "+insight.Say(decimal.NewFromFloat(*m).Round(1), quantity.Hours, "")+" (median)")
	}
	if promises != "" {
		done = append(done, promises)
	}
	if p := insight.ProportionOf(got["csat_positive"], got["csat_responses"]); p.Low != nil {
		done = append(done, fmt.Sprintf("%s of %d answers content", insight.Say(fraction(p.Share).(quantity.Decimal), quantity.Ratio, ""), p.Of))
	}
	if a.rows["assets"] > 0 {
		end = append(end, plain("endpoints")+" devices")
	}
	if a.rows["licenses"] > 0 {
		end = append(end, plain("seats_used")+" licenses in use")
	}
	words := fmt.Sprintf("%s from %s: %s", a.req.Client, a.Period.Words(), strings.Join(done, ", "))
	if len(end) > 0 {
		words += "; " + strings.Join(end, " and ") + " at the end"
	}
	return words + "."
}

// grade says how sure the answer is by how much it is made of.
func (a *asked) grade(got map[string]quantity.Decimal) {
	n := int(got["ticket_count"].IntPart())
	a.Reasons = append(a.Reasons, count(n, "ticket")+" in the period")
	switch {
	case n == 0 && got["hours_worked"].IsZero():
		a.Grade = "no_answer"
		a.Headline = fmt.Sprintf("Nothing is recorded for %s from %s: no tickets and no hours.", a.req.Client, a.Period.Words())
	case n < 30 || len(a.Missing) > 2:
		a.Grade = "medium"
	default:
		a.Grade = "high"
	}
	for _, m := range a.Missing {
		a.Reasons = append(a.Reasons, "without "+m.For)
	}
	if n := got["csat_responses"]; n.LessThan(decimal.NewFromInt(5)) && !got["closed_tickets"].IsZero() {
		a.Next = append(a.Next, "Ask for satisfaction after each ticket: too few answers to say how content people are.")
	}
	a.Next = append(a.Next, "Go through the figures together in the next review.")
}

// clientKnown refuses a client that the data does not know at all: one without service in a
// period may be known by another.
func (a *asked) clientKnown(ctx context.Context) error {
	// Not through run: what a client is known by is no part of the answer.
	r, err := a.metrics.Run(ctx, a.scope, metric.Query{Measures: []string{"ticket_count", "hours_worked", "endpoints", "seats_purchased", "revenue"}, Dimensions: []string{"client"}, Where: a.client(), Snapshot: a.Snapshot})
	if err != nil {
		return err
	}
	if len(r.Rows) > 0 {
		return nil
	}
	return fault.WithFields(fmt.Sprintf("there is no client %q", a.req.Client), fault.Field{Path: "client", Message: "must be the name of a client"})
}

// behind is the query of a row of this answer.
func (a *asked) behind(where string, dimensions []string, measures ...string) *metric.Query {
	return &metric.Query{Measures: measures, Dimensions: dimensions, Where: both(a.client(), where), Period: a.Period}
}

func (a *asked) serviceMonths(ctx context.Context) (Table, error) {
	shown := []string{"ticket_count", "closed_tickets", "hours_worked"}
	t := Table{Title: "Month by month", Columns: []Column{day("month", "Month"), of(shown[0], "Opened", quantity.Count), of(shown[1], "Closed", quantity.Count), of(shown[2], "Hours of service", quantity.Hours)}}
	r, err := a.run(ctx, *a.behind("", []string{"month"}, shown...))
	if err != nil {
		return t, err
	}
	for _, row := range r.Rows {
		month, _ := row[0].(string)
		from, err := quantity.ParseDay(month)
		if err != nil {
			continue
		}
		q := a.behind("", nil, shown...)
		q.Period = quantity.Period{From: from, To: from.AddMonths(1)}
		t.Rows = append(t.Rows, Row{Cells: slices.Clone(row), Query: q})
	}
	return t, nil
}

// speed lists how fast tickets were answered and solved.
func (a *asked) speed(s *insight.Speed) Table {
	t := Table{
		Title: "How fast", Note: "Clock hours, nights and weekends included; 90 % intervals. Tickets that are still open count as not solved yet. Fewer than 5 are too few to say.",
		Plain:   "Clock hours, nights and weekends included. Tickets that are still open count as not solved yet. Fewer than 5 are too few to say.",
		Columns: []Column{text("stage", "Stage"), in("tickets", "Tickets", quantity.Count), in("median", "Half within", quantity.Hours), in("low", "From", quantity.Hours), in("high", "To", quantity.Hours), in("p90", "Nine of ten within", quantity.Hours)},
	}
	for _, d := range []struct {
		name, measure string
		insight.Duration
	}{{"first answer", "first_response", s.Response}, {"solution", "resolution_time", s.Resolution}} {
		if d.N == 0 {
			continue
		}
		why := ""
		if d.Median == nil {
			why = "too few to say"
		}
		t.Rows = append(t.Rows, Row{Cells: []any{d.name, whole(d.N), hours(d.Median), hours(d.Low), hours(d.High), hours(d.P90)}, Why: why, Query: a.behind("", []string{"month"}, d.measure, "ticket_count")})
	}
	return t
}

// hours returns a number of hours that may be missing as a cell, to two decimals.
func hours(v *float64) any {
	if v == nil {
		return nil
	}
	return decimal.NewFromFloat(*v).Round(2)
}

// promises lists how often the service level was kept.
func (a *asked) promises(got map[string]quantity.Decimal) (Table, string) {
	t := Table{Title: "Service level", Note: "Of the tickets that were due; 90 % Wilson interval.", Plain: "Of the tickets that were due.", Columns: []Column{text("stage", "Stage"), in("met", "In time", quantity.Count), in("judged", "Of", quantity.Count), in("share", "Share", quantity.Ratio), in("low", "From", quantity.Ratio), in("high", "To", quantity.Ratio)}}
	said := ""
	for _, s := range stages {
		p := insight.ProportionOf(got[s.met], got[s.judged])
		if p.Of == 0 {
			continue
		}
		if s.share == "sla_resolution" {
			said = fmt.Sprintf("%s solved in time", insight.Say(fraction(p.Share).(quantity.Decimal), quantity.Ratio, ""))
		}
		name := s.name
		if s.share == "sla_attainment" {
			name = "service level as agreed"
		}
		t.Rows = append(t.Rows, Row{Cells: []any{name, got[s.met], got[s.judged], fraction(p.Share), fraction(p.Low), fraction(p.High)}, Query: a.behind("", []string{"month"}, s.share, s.met, s.judged)})
	}
	return t, said
}

// satisfaction lists how content those were who answered, and how many did.
func (a *asked) satisfaction(got map[string]quantity.Decimal) Table {
	t := Table{Title: "How content people were", Note: "Positive are answers of at least three quarters of the scale; 90 % Wilson interval. Few of many answering say little about the others.",
		Plain: "Positive are answers of at least three quarters of the scale. Few of many answering say little about the others.", Columns: []Column{in("answers", "Answers", quantity.Count), in("positive", "Positive", quantity.Count), in("share", "Share", quantity.Ratio), in("low", "From", quantity.Ratio), in("high", "To", quantity.Ratio), in("rate", "Answered, of tickets closed", quantity.Ratio)}}
	p := insight.ProportionOf(got["csat_positive"], got["csat_responses"])
	if p.Of == 0 {
		return t
	}
	var rate any
	if closed := got["closed_tickets"]; closed.Sign() > 0 {
		rate = got["csat_responses"].DivRound(closed, 4)
	}
	t.Rows = append(t.Rows, Row{Cells: []any{whole(p.Of), got["csat_positive"], fraction(p.Share), fraction(p.Low), fraction(p.High), rate}, Query: a.behind("", []string{"month"}, "csat", "csat_positive", "csat_responses")})
	return t
}

func (a *asked) ticketTypes(ctx context.Context) (Table, error) {
	t := Table{Title: "What it was about", Columns: []Column{by("ticket_type", "Type"), of("ticket_count", "Opened", quantity.Count), of("closed_tickets", "Closed", quantity.Count)}}
	r, err := a.run(ctx, *a.behind("", []string{"ticket_type"}, "ticket_count", "closed_tickets"))
	if err != nil {
		return t, err
	}
	for _, row := range r.Rows {
		name, _ := row[0].(string)
		t.Rows = append(t.Rows, Row{Cells: slices.Clone(row), Query: a.behind(is("ticket_type", name), []string{"month"}, "ticket_count", "closed_tickets")})
	}
	sortRows(t.Rows, 1)
	return t, nil
}

// covered lists what is looked after at the period's end.
func (a *asked) covered(got map[string]quantity.Decimal) Table {
	t := Table{Title: "Looked after at the end of the period", Columns: []Column{text("what", "What"), in("number", "Number", quantity.Count)}}
	for _, c := range []struct{ name, measure string }{{"workstations and servers", "endpoints"}, {"licenses", "seats_purchased"}, {"licenses in use", "seats_used"}, {"open tickets", "backlog"}} {
		if n, ok := got[c.measure]; ok {
			t.Rows = append(t.Rows, Row{Cells: []any{c.name, n}, Query: a.behind("", nil, c.measure)})
		}
	}
	return t
}

func (a *asked) seats(ctx context.Context) (Table, error) {
	t := Table{Title: "Licenses in use", Columns: []Column{by("product", "Product"), of("seats_used", "In use", quantity.Count), of("seats_purchased", "Licensed", quantity.Count)}}
	if a.rows["licenses"] == 0 {
		return t, nil
	}
	r, err := a.run(ctx, *a.behind("", []string{"product"}, "seats_used", "seats_purchased"))
	if err != nil {
		return t, err
	}
	for _, row := range r.Rows {
		name, _ := row[0].(string)
		t.Rows = append(t.Rows, Row{Cells: slices.Clone(row), Query: a.behind(is("product", name), nil, "seats_used", "seats_purchased")})
	}
	sortRows(t.Rows, 1)
	return t, nil
}
