package report

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// answer is the answer to a standing question: a sentence, its tables, what to do.
func (b *builder) answer(ctx context.Context, spec *AnswerSpec) ([]document.Block, error) {
	a, err := b.answerTo(ctx, question.Request{Question: spec.Question, Period: b.in.Period, Client: b.in.Client, Top: spec.Top})
	if err != nil {
		return nil, err
	}
	origin := b.origin()
	origin.Period, origin.Grade, origin.Reasons = words(a.Period), a.Grade, a.Reasons
	lead := &document.Text{Origin: origin, Title: fill(spec.Title, b.words()), Tone: document.Lead, Paragraphs: []string{a.Headline}}
	out := []document.Block{lead}
	if spec.Show == "tables" {
		out = nil // each table has its own title
	}
	for i, t := range a.Tables {
		if spec.Show == "words" || len(spec.Tables) > 0 && !slices.Contains(spec.Tables, i+1) {
			continue
		}
		out = append(out, b.tableOf(t, origin))
	}
	if spec.Show != "" {
		return out, nil
	}
	if len(a.Next) > 0 && !b.forClient() {
		out = append(out, &document.Text{Title: "What to do", Items: a.Next})
	}
	if len(a.Missing) > 0 && !b.forClient() {
		var items []string
		for _, m := range a.Missing {
			items = append(items, fmt.Sprintf("%s is not imported: it would add %s.", spoken(m.Dataset), m.For))
		}
		out = append(out, &document.Text{Tone: document.Note, Items: items})
	}
	return out, nil
}

// answerTo asks a question once, however many blocks show parts of its answer.
func (b *builder) answerTo(ctx context.Context, req question.Request) (*question.Answer, error) {
	key := fmt.Sprint(req.Question, " ", req.Top)
	if a, ok := b.answers[key]; ok {
		return a, nil
	}
	a, err := b.questions.Answer(ctx, b.scope, req)
	if err == nil {
		if b.answers == nil {
			b.answers = map[string]*question.Answer{}
		}
		b.answers[key] = a
	}
	return a, err
}

// tableOf is a table of an answer. How sure we are is for us: a client's has no intervals.
func (b *builder) tableOf(t question.Table, origin document.Origin) *document.Table {
	if b.forClient() && t.Plain != "" {
		t = withoutBounds(t)
	}
	out := &document.Table{Origin: origin, Title: t.Title, Note: t.Note}
	if t.Total > len(t.Rows) {
		out.Of = t.Total
	}
	one, several := "", false
	for _, r := range t.Rows {
		if r.Currency != "" {
			several = several || one != "" && one != r.Currency
			one = r.Currency
		}
	}
	for _, c := range t.Columns {
		b.use(c.Measure)
		col := document.Column{Name: c.Name, Label: c.Label, Unit: c.Unit, Months: c.Unit == quantity.Date && (c.Dimension == "month" || c.Name == "month"), Change: c.Name == "points"}
		if !several && c.Unit.HasMoney() {
			col.Currency = one
		}
		out.Columns = append(out.Columns, col)
	}
	for _, r := range t.Rows {
		row := document.Row{Cells: slices.Clone(r.Cells), Why: r.Why}
		if several {
			row.Currency = r.Currency
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// withoutBounds is a table without the ends of intervals.
func withoutBounds(t question.Table) question.Table {
	out := t
	out.Note, out.Columns, out.Rows = t.Plain, nil, slices.Clone(t.Rows)
	for i := range out.Rows {
		out.Rows[i].Cells = nil
	}
	for n, c := range t.Columns {
		if c.Bound() {
			continue
		}
		out.Columns = append(out.Columns, c)
		for i, r := range t.Rows {
			out.Rows[i].Cells = append(out.Rows[i].Cells, r.Cells[n])
		}
	}
	return out
}

// attention is what deserves it, as cards or as a table; what a person rejected is left out.
func (b *builder) attention(ctx context.Context, spec *FindingsSpec) ([]document.Block, error) {
	if !b.analyzed {
		var err error
		if b.findings, err = b.insights.Analyze(ctx, b.scope, b.in.Period); err != nil {
			return nil, err
		}
		b.analyzed = true
	}
	var chosen []insight.Finding
	for _, f := range b.findings {
		if len(spec.Kinds) > 0 && !slices.Contains(spec.Kinds, string(f.Kind)) || b.in.Client != "" && !about(f, b.in.Client) || b.in.Observed.Standings[f.Identity] == insight.VerdictRejected {
			continue
		}
		chosen = append(chosen, f)
	}
	all := len(chosen)
	if spec.Top > 0 {
		chosen = chosen[:min(spec.Top, all)]
	}
	title := fill(spec.Title, b.words())
	if all == 0 && !b.in.Rights.Unlimited() {
		// Whether there is none, or none that the reader may see, is not for the reader to know.
		return nil, fault.Newf(fault.Forbidden, "the role %s sees a part of the findings, and none of these", roleOf(b.in.Rights))
	}
	if all == 0 {
		return []document.Block{&document.Text{Origin: b.origin(), Title: title, Paragraphs: []string{"Nothing of this kind needs attention in this period."}}}, nil
	}
	for _, f := range chosen {
		b.use(f.Measure)
	}
	if spec.Brief {
		return []document.Block{b.findingTable(title, chosen, all)}, nil
	}
	var out []document.Block
	if title != "" {
		text := &document.Text{Origin: b.origin(), Title: title}
		said, order := count(all, "finding", "findings"), ", by what needs a person's eye, then by money at stake and how sure it is."
		if all > len(chosen) {
			said = fmt.Sprintf("The first %d of %d", len(chosen), all)
		}
		if b.forClient() {
			order = "."
		}
		text.Paragraphs = []string{said + order}
		out = append(out, text)
	}
	for _, f := range chosen {
		out = append(out, b.card(f))
	}
	return out, nil
}

// about reports whether a finding is about a client.
func about(f insight.Finding, client string) bool {
	for s := &f.Subject; s != nil; s = s.Within {
		if s.Dimension == "client" {
			return s.Value == client
		}
	}
	return false
}

// card is a finding with its reasons.
func (b *builder) card(f insight.Finding) *document.Finding {
	origin := b.origin()
	origin.Period, origin.Grade, origin.Reasons = words(f.Period), f.Confidence.Grade, f.Confidence.Reasons
	out := &document.Finding{
		Origin: origin, Headline: f.Headline, Subject: f.Subject.String(), Measure: b.label(f.Measure),
		Value:          document.Value{Number: f.Value, Unit: f.Unit, Currency: inMoney(f.Unit, f.Currency), Missing: "no value"},
		Stake:          document.Value{Number: &f.MoneyAtStake, Unit: quantity.Money, Currency: f.Currency},
		Recommendation: f.Recommendation, Assumptions: f.Assumptions, Review: b.reviewOf(f), Reference: f.ID,
	}
	if f.Value != nil {
		out.Value.Missing = ""
	}
	if b.forClient() {
		out.Reference = ""
	}
	out.Interval = intervalOf(cmp.Or(f.Interval, f.Band))
	if f.Comparison != nil {
		out.Versus = f.Comparison.Label
		for _, d := range f.Moved() {
			out.Drivers = append(out.Drivers, document.Driver{Name: b.label(d.Name), Value: document.Value{Number: &d.Contribution, Unit: f.Comparison.Unit, Currency: inMoney(f.Comparison.Unit, f.Currency)}})
		}
	}
	return out
}

// reviewOf says why a person must look at a finding, "" when nobody must or one has, and
// notes that it waits.
func (b *builder) reviewOf(f insight.Finding) string {
	switch standing := b.in.Observed.Standings[f.Identity]; {
	case b.forClient():
		return ""
	case standing != "" && standing != "open":
		return ""
	case f.RequiresReview:
		if b.waiting == nil {
			b.waiting = map[string]bool{}
		}
		b.waiting[f.Identity] = true
		return strings.Join(f.ReviewRules, "; ")
	}
	return ""
}

// findingTable is findings a line each.
func (b *builder) findingTable(title string, list []insight.Finding, all int) *document.Table {
	t := &document.Table{Origin: b.origin(), Title: title, Columns: []document.Column{
		{Name: "headline", Label: "What", Unit: quantity.Text}, {Name: "money_at_stake", Label: "At stake a year", Unit: quantity.Money},
		{Name: "confidence", Label: "How sure", Unit: quantity.Text}, {Name: "recommendation", Label: "What to do", Unit: quantity.Text},
	}}
	if all > len(list) {
		t.Of = all
	}
	one := ""
	for _, f := range list {
		if one == "" {
			one = f.Currency
		}
		if one != f.Currency {
			one = "several"
		}
	}
	if one != "several" {
		t.Columns[1].Currency = one
	}
	for _, f := range list {
		row := document.Row{Cells: []any{f.Headline, f.MoneyAtStake, f.Confidence.Grade, f.Recommendation}}
		if one == "several" {
			row.Currency = f.Currency
		}
		if b.reviewOf(f) != "" {
			row.Cells[2] = f.Confidence.Grade + ", to be reviewed"
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// quality is how fit the data is: the score, its parts, and what to put right first.
func (b *builder) quality(spec *QualitySpec) ([]document.Block, error) {
	if err := b.scope.Need(access.DataRead); err != nil {
		return nil, err
	}
	q := b.in.Observed.Quality
	if q == nil {
		return nil, fault.Newf(fault.Forbidden, "the quality of the data is about all clients and every kind of figure, and the role %s sees a part of them", roleOf(b.in.Rights))
	}
	score := share(q.Score)
	origin := b.origin()
	origin.Period = "all data"
	tiles := &document.Tiles{Origin: origin, Title: fill(spec.Title, b.words()), Items: []document.Tile{{Label: "Data quality", Period: "all data", Value: document.Value{Number: &score, Unit: quantity.Ratio}}}}
	for _, name := range slices.Sorted(maps.Keys(q.Dimensions)) {
		d := share(q.Dimensions[name])
		tiles.Items = append(tiles.Items, document.Tile{Label: strings.ToUpper(name[:1]) + name[1:], Period: "all data", Value: document.Value{Number: &d, Unit: quantity.Ratio}})
	}
	issues := &document.Table{Origin: origin, Title: "What to put right first", Note: "Gain is what the whole score would rise by. Shares are of hours or money, not of rows.", Columns: []document.Column{
		{Name: "dataset", Label: "Table", Unit: quantity.Text}, {Name: "message", Label: "What", Unit: quantity.Text}, {Name: "rows", Label: "Rows", Unit: quantity.Count},
		{Name: "share", Label: "Share", Unit: quantity.Ratio}, {Name: "gain", Label: "Gain", Unit: quantity.Ratio, Change: true}, {Name: "suggestion", Label: "What to do", Unit: quantity.Text},
	}}
	for i, is := range q.Issues {
		if spec.Issues > 0 && i == spec.Issues {
			issues.Of = len(q.Issues)
			break
		}
		what := is.Message
		if _, after, found := strings.Cut(what, ": "); found { // how many rows of which table has columns of its own
			what = after
		}
		issues.Rows = append(issues.Rows, document.Row{Cells: []any{spoken(is.Dataset), what, whole(is.Rows), share(is.Share), share(is.Gain), is.Suggestion}})
	}
	return []document.Block{tiles, qualityTable(origin, "By table", "Table", q.Datasets), issues, qualityTable(origin, "By month", "Month", q.Months), qualityTable(origin, "By client, the worst first", "Client", q.Clients)}, nil
}

func qualityTable(origin document.Origin, title, of string, list []dataset.QualityOf) *document.Table {
	unit := quantity.Text
	if of == "Month" {
		unit = quantity.Date
	}
	t := &document.Table{Origin: origin, Title: title, Columns: []document.Column{{Name: "name", Label: of, Unit: unit, Months: of == "Month"}, {Name: "rows", Label: "Rows", Unit: quantity.Count}, {Name: "score", Label: "Quality", Unit: quantity.Ratio}}}
	for _, q := range list {
		name := q.Name
		if name == "" {
			name = "unassigned"
		}
		if of == "Table" {
			name = spoken(name)
		}
		t.Rows = append(t.Rows, document.Row{Cells: []any{name, whole(q.Rows), share(q.Score)}})
	}
	return t
}

// share is a score or share of the statistics as a decimal.
func share(f float64) quantity.Decimal { return decimal.NewFromFloat(f).Round(6) }

func whole(n int64) quantity.Decimal { return decimal.NewFromInt(n) }

// record is what was done, by whom, and whether the record is whole.
func (b *builder) record(ctx context.Context, spec *AuditSpec) ([]document.Block, error) {
	if err := b.scope.Need(access.AuditRead); err != nil {
		return nil, err
	}
	zone := b.in.Settings.Zone
	end := b.in.Period.To
	if today := b.in.AsOf.AddDays(1); end.Before(today) {
		end = today // the record goes on after the last complete month
	}
	from, err := midnight(b.in.Period.From, zone)
	if err != nil {
		return nil, err
	}
	to, err := midnight(end, zone)
	if err != nil {
		return nil, err
	}
	var x audit.Extract
	if err := b.s.DB.Read(ctx, func(tx *metadb.Tx) (err error) {
		x, err = b.s.Audit.Extract(ctx, b.scope, tx, b.in.Audit, from, to, spec.Entries)
		return err
	}); err != nil {
		return nil, err
	}
	origin := b.origin()
	origin.Period = document.SayDay(b.in.Period.From.Time()) + " to " + document.SayDay(end.AddDays(-1).Time())
	lead := &document.Text{Origin: origin, Title: fill(spec.Title, b.words()), Tone: document.Lead, Paragraphs: []string{b.chainWords()}}
	entries := &document.Table{Origin: origin, Title: "Entries, newest first", Note: "Times are UTC. Traces of reading the record and of making reports are left out, so that a report does not change what it reports.", Columns: []document.Column{
		{Name: "seq", Label: "No.", Unit: quantity.Count}, {Name: "at", Label: "When", Unit: quantity.Text}, {Name: "actor", Label: "Who", Unit: quantity.Text},
		{Name: "action", Label: "What", Unit: quantity.Text}, {Name: "subject", Label: "Of what", Unit: quantity.Text}, {Name: "reason", Label: "Why", Unit: quantity.Text}, {Name: "hash", Label: "Hash", Unit: quantity.Text},
	}}
	for _, e := range x.Entries {
		subject := strings.TrimSpace(spoken(e.Subject.Kind) + " " + e.Subject.ID)
		if e.RemovedBy > 0 {
			subject = fmt.Sprintf("removed by policy, entry %d", e.RemovedBy)
		}
		entries.Rows = append(entries.Rows, document.Row{Cells: []any{whole(e.Seq), day(e.At), b.called(e.Actor), e.Action, subject, e.Reason, e.Hash[:min(12, len(e.Hash))]}})
	}
	if int64(len(x.Entries)) < x.Count {
		entries.Of = int(x.Count)
	}
	tally := func(title, label string, list []audit.Tally, name func(string) string) *document.Table {
		t := &document.Table{Origin: origin, Title: title, Columns: []document.Column{{Name: "name", Label: label, Unit: quantity.Text}, {Name: "count", Label: "Entries", Unit: quantity.Count}}}
		for _, v := range list {
			t.Rows = append(t.Rows, document.Row{Cells: []any{name(v.Name), whole(v.Count)}})
		}
		if len(list) > 0 {
			t.Rows = append(t.Rows, document.Row{Kind: document.Total, Cells: []any{"Total", whole(x.Count)}})
		}
		return t
	}
	out := []document.Block{lead,
		tally("By what was done", "What", x.Actions, func(s string) string { return s }),
		tally("By who did it", "Who", x.Actors, func(s string) string { return b.called(tenant.Actor(s)) })}
	if c := b.in.Observed.Chain; c != nil && len(c.Faults) > 0 {
		broken := &document.Table{Origin: origin, Title: "Where the record is broken", Columns: []document.Column{{Name: "seq", Label: "No.", Unit: quantity.Count}, {Name: "what", Label: "What", Unit: quantity.Text}}}
		for _, f := range c.Faults {
			broken.Rows = append(broken.Rows, document.Row{Cells: []any{whole(f.Seq), f.What}})
		}
		out = append(out, broken)
	}
	return append(out, entries), nil
}

// midnight is when a day begins in a time zone.
func midnight(d quantity.Day, zone string) (time.Time, error) {
	at, err := time.LoadLocation(zone)
	if err != nil {
		return time.Time{}, fault.Wrapf(fault.Internal, err, "time zone %q", zone)
	}
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, at), nil
}

// chainWords say where the record ends and whether it is whole.
func (b *builder) chainWords() string {
	p, c := b.in.Audit, b.in.Observed.Chain
	if p.Seq == 0 {
		return "Nothing is recorded yet."
	}
	at := fmt.Sprintf("The record up to entry %d of %s UTC, hash %s.", p.Seq, day(p.At), p.Hash)
	switch {
	case c == nil:
		return at
	case len(c.Faults) > 0:
		return fmt.Sprintf("The record is broken at %s: see below. %s", count(len(c.Faults)+int(c.More), "place", "places"), at)
	}
	signed := "no checkpoint is signed yet"
	if c.Checkpoints > 0 {
		signed = count(c.Checkpoints, "signed checkpoint agrees", "signed checkpoints agree")
	}
	return fmt.Sprintf("The record is whole: every entry follows from the one before it, and %s. %s", signed, at)
}

// called is what a member is called.
func (b *builder) called(a tenant.Actor) string {
	if name := b.in.Observed.Names[a]; name != "" {
		return name
	}
	return string(a)
}

// clientWords say what measures mean where the catalog's words are for those who keep the
// figures.
var clientWords = map[string]string{
	"hours_worked":    "hours that our people worked for you",
	"sla_attainment":  "tickets within the agreed times, of those whose time was due",
	"csat":            "positive answers, of all answers",
	"seats_used":      "licenses assigned to somebody at the period's end, where that is known",
	"seats_purchased": "licenses held at the period's end",
}

// definitions say what the measures of the report mean.
func (b *builder) definitions(spec *DefinitionsSpec) ([]document.Block, error) {
	title := spec.Title
	if title == "" {
		title = "What the figures mean"
	}
	t := &document.Table{Origin: b.origin(), Title: title, Columns: []document.Column{
		{Name: "label", Label: "Figure", Unit: quantity.Text}, {Name: "unit", Label: "Unit", Unit: quantity.Text}, {Name: "formula", Label: "Formula", Unit: quantity.Text},
		{Name: "version", Label: "Version", Unit: quantity.Count}, {Name: "source", Label: "Source", Unit: quantity.Text},
	}}
	if b.forClient() {
		t.Columns = t.Columns[:3]
	}
	for _, name := range b.used {
		m, err := b.metrics.Measure(name)
		if err != nil {
			return nil, err
		}
		unit := document.SayUnit(m.Unit, "")
		if unit == "" {
			unit = spoken(string(m.Unit))
		}
		formula := m.Formula
		if formula == "" {
			formula = m.Expr
		}
		if words := clientWords[name]; words != "" && b.forClient() {
			formula = words
		}
		t.Rows = append(t.Rows, document.Row{Cells: []any{m.Label, unit, formula, whole(int64(m.Version)), m.Source}[:len(t.Columns)]})
	}
	if len(t.Rows) == 0 {
		return nil, nil
	}
	return []document.Block{t}, nil
}

// day writes an instant of the record for people, in UTC as the record keeps it.
func day(at string) string {
	if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
		return t.UTC().Format("2006-01-02 15:04:05")
	}
	return at
}
