package question

import (
	"context"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// stage is a promise of a service level: the measures that count it.
type stage struct{ name, share, met, judged string }

var stages = []stage{
	{"first response", "sla_response", "response_met_count", "response_judged_count"},
	{"resolution", "sla_resolution", "resolution_met_count", "resolution_judged_count"},
	{"the SLA as the source states it", "sla_attainment", "sla_met_count", "sla_judged_count"},
}

// serviceLevels says whether promises to clients are kept by stage, priority and client, and
// which open tickets are about to break one.
func serviceLevels(ctx context.Context, a *asked) error {
	all, judged, err := a.stages(ctx)
	if err != nil {
		return err
	}
	risk, err := a.insights.TicketsAtRisk(ctx, a.scope, a.req.Client)
	if err != nil {
		return err
	}
	a.Tables = append(a.Tables, all)
	for _, cut := range []struct{ dimension, title string }{{"priority", "By priority"}, {"client", "By client"}} {
		t, err := a.attainment(ctx, cut.dimension, cut.title)
		if err != nil {
			return err
		}
		a.Tables = append(a.Tables, t)
	}
	a.risk(risk)
	a.Grade = "high"
	switch {
	case judged == 0:
		a.Grade = "no_answer"
		a.Reasons = append(a.Reasons, "no ticket has a time by which it is due, or says whether its SLA was met")
		a.Next = append(a.Next, "Import tickets with respond_by and resolve_by, or sla_met.")
	case judged < 30:
		a.Grade = "low"
		a.Reasons = append(a.Reasons, fmt.Sprintf("%s with a result: few to go by", count(judged, "ticket")))
	default:
		a.Reasons = append(a.Reasons, fmt.Sprintf("%d tickets with a result", judged))
	}
	if judged == 0 {
		a.Headline = fmt.Sprintf("Nobody can say whether the SLA is met from %s: no ticket has a due time or an SLA result. %s open.", a.Period.Words(), capital(count(risk.Open, "ticket")+areIs(risk.Open)))
		return nil
	}
	if risk.Passed > 0 {
		a.Next = append(a.Next, fmt.Sprintf("Work the tickets that are past due first: %s.", risk.Tickets[0].Number))
	}
	if risk.NoTarget > 0 {
		a.Next = append(a.Next, fmt.Sprintf("Give the %s without a due time one, or say that they have no SLA.", count(risk.NoTarget, "open ticket")))
	}
	return nil
}

func areIs(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

// stages lists how often each promise was kept, against its target, and starts the headline;
// judged is how many tickets the best known stage has.
func (a *asked) stages(ctx context.Context) (t Table, judged int, err error) {
	var measures []string
	for _, s := range stages {
		measures = append(measures, s.met, s.judged)
	}
	measures = append(measures, "ticket_count")
	r, err := a.run(ctx, metric.Query{Measures: measures, Where: a.client(), Period: a.Period})
	if err != nil {
		return t, 0, err
	}
	t = Table{
		Title: "Stages", Note: "Met of those met or missed, tickets created in the period; 90 % Wilson interval. Open tickets past due are missed, open ones not due yet and those without an SLA are apart. A target is met when the whole interval is at or above it.",
		Columns: []Column{text("stage", "Stage"), in("met", "Met", quantity.Count), in("judged", "Of", quantity.Count), in("share", "Attainment", quantity.Ratio), in("low", "From", quantity.Ratio), in("high", "To", quantity.Ratio), in("target", "Target", quantity.Ratio), text("verdict", "Verdict"), text("source", "Whose target"), in("apart", "Not judged", quantity.Count)},
	}
	if len(r.Rows) == 0 {
		return t, 0, nil
	}
	total, _ := r.Rows[0][len(measures)-1].(quantity.Decimal)
	var said []string
	for i, s := range stages {
		met, _ := r.Rows[0][2*i].(quantity.Decimal)
		of, _ := r.Rows[0][2*i+1].(quantity.Decimal)
		if of.IsZero() {
			continue
		}
		judged = max(judged, int(of.IntPart()))
		p := insight.ProportionOf(met, of)
		target, source, err := a.target(ctx, s.share)
		if err != nil {
			return t, 0, err
		}
		verdict := verdictOf(p, target)
		t.Rows = append(t.Rows, Row{
			Cells: []any{s.name, met, of, fraction(p.Share), fraction(p.Low), fraction(p.High), known(target), verdict, orNull(source), total.Sub(of)},
			Query: &metric.Query{Measures: []string{s.share, s.met, s.judged}, Dimensions: []string{"month"}, Where: a.client(), Period: a.Period},
		})
		words := fmt.Sprintf("%s %s", s.name, insight.Say(fraction(p.Share).(quantity.Decimal), quantity.Ratio, ""))
		if target != nil {
			words += fmt.Sprintf(" (target %s, %s)", insight.Say(*target, quantity.Ratio, ""), verdict)
		}
		said = append(said, words)
	}
	if len(said) > 0 {
		a.Headline = fmt.Sprintf("SLA met from %s: %s.", a.Period.Words(), strings.Join(said, ", "))
	}
	return t, judged, nil
}

// target is the value from which a measure is good, the tenant's own if it has set one, and
// whose it is; nil without any.
func (a *asked) target(ctx context.Context, measure string) (*quantity.Decimal, string, error) {
	bands, err := a.metrics.Bands(ctx, a.scope)
	if err != nil {
		return nil, "", err
	}
	for _, t := range bands {
		if n := len(t.Bands); t.Measure == measure && n > 1 && t.Bands[n-1].Verdict == "good" {
			return t.Bands[n-2].UpTo, t.Source, nil
		}
	}
	return nil, "", nil
}

func verdictOf(p insight.Proportion, target *quantity.Decimal) string {
	switch {
	case target == nil:
		return "no target"
	case p.Low == nil:
		return "too few to say"
	case *p.Low >= target.InexactFloat64():
		return "met"
	case *p.High < target.InexactFloat64():
		return "missed"
	}
	return "not clear"
}

// attainment lists how often the promises were kept by the members of a dimension, those of
// the lowest resolution first whose interval is lowest.
func (a *asked) attainment(ctx context.Context, dimension, title string) (Table, error) {
	r, err := a.run(ctx, metric.Query{Measures: []string{"response_met_count", "response_judged_count", "resolution_met_count", "resolution_judged_count", "sla_met_count", "sla_judged_count"}, Dimensions: []string{dimension}, Where: a.client(), Period: a.Period})
	if err != nil {
		return Table{}, err
	}
	t := Table{Title: title, Note: "Ordered by the upper end of the interval of the resolution, the lowest first: those that most surely miss. Fewer than 5 tickets have no interval.", Columns: []Column{by(dimension, title[3:])}}
	for i, s := range stages {
		short := []string{"Response", "Resolution", "SLA"}[i]
		t.Columns = append(t.Columns, of(s.share, short, quantity.Ratio), in(s.share+"_low", "From", quantity.Ratio), in(s.share+"_high", "To", quantity.Ratio), of(s.judged, "Of", quantity.Count))
	}
	t.Columns[0].Label = capital(t.Columns[0].Label)
	for _, row := range r.Rows {
		name, _ := row[0].(string)
		cells, any := []any{name}, false
		for i := range stages {
			met, _ := row[1+2*i].(quantity.Decimal)
			of, _ := row[2+2*i].(quantity.Decimal)
			p := insight.ProportionOf(met, of)
			any = any || p.Of > 0
			cells = append(cells, fraction(p.Share), fraction(p.Low), fraction(p.High), of)
		}
		if any {
			t.Rows = append(t.Rows, Row{Cells: cells, Query: &metric.Query{Measures: []string{"sla_response", "sla_resolution", "sla_attainment", "resolution_judged_count"}, Dimensions: []string{"month"}, Where: both(is(dimension, name), a.client()), Period: a.Period}})
		}
	}
	column := 7 // upper end of the resolution, or of the whole where no resolution is due
	if len(t.Rows) > 0 && t.Rows[0].Cells[7] == nil {
		column = 11
	}
	sortRows(t.Rows, column)
	flip(t.Rows, column)
	return t, nil
}

// risk lists the open tickets that are about to break a promise.
func (a *asked) risk(risk *insight.TicketsAtRisk) {
	if risk.AsOf.IsZero() {
		return
	}
	as := risk.AsOf.In(risk.Zone).Format("2006-01-02 15:04")
	t := Table{
		Title: "Open tickets past due or due within 7 days", Note: fmt.Sprintf("As of %s, the last instant of the tickets. What is due first counts: the first response while there is none, else the resolution. Clock hours; negative: past due.", as),
		Columns: []Column{text("ticket", "Ticket"), by("client", "Client"), by("priority", "Priority"), by("ticket_type", "Type"), text("stage", "Due"), text("due", "At"), in("hours_left", "Hours left", quantity.Hours), text("status", "Status")},
	}
	for _, o := range risk.Tickets {
		t.Rows = append(t.Rows, Row{
			Cells: []any{o.Number, o.Client, o.Priority, o.Type, o.Stage, o.Due.In(risk.Zone).Format("2006-01-02 15:04"), decimal.NewFromFloat(o.HoursLeft).Round(1), orNull(o.Status)},
			Query: &metric.Query{Measures: []string{"backlog"}, Where: both(is("client", o.Client), is("priority", o.Priority), is("ticket_type", o.Type))},
		})
	}
	apart := Table{Title: "Other open tickets", Columns: []Column{text("which", "Which"), in("tickets", "Tickets", quantity.Count)}, Rows: []Row{
		{Cells: []any{"wait for somebody else, not past due", whole(risk.Waiting - risk.WaitingPassed)}}, {Cells: []any{"wait for somebody else, past due", whole(risk.WaitingPassed)}},
		{Cells: []any{"without a due time", whole(risk.NoTarget)}}, {Cells: []any{"due later", whole(risk.Later)}},
	}}
	a.Tables = append(a.Tables, t, apart)
	a.Headline += fmt.Sprintf(" Of %s on %s, %d past due and %d due within 7 days.", count(risk.Open, "open ticket"), as, risk.Passed, len(risk.Tickets)-risk.Passed)
}
