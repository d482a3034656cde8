package report

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// builder makes a document from a template and its inputs.
type builder struct {
	*world
	s    *Service
	in   *Inputs
	t    *Template
	doc  *document.Document
	used []string // measures that are shown, in order
	// findings are analyzed once, when a block asks for them.
	findings []insight.Finding
	analyzed bool
	answers  map[string]*question.Answer // by question
	waiting  map[string]bool             // identities of the findings shown that wait for a person
	// left says what could not be shown to the reader, and why.
	left []string
}

// Build makes the document of some inputs.
func (s *Service) Build(ctx context.Context, scope tenant.Scope, in *Inputs, tell Progress) (*document.Document, error) {
	b, err := s.builder(scope, in)
	if err != nil {
		return nil, err
	}
	return b.build(ctx, scope, tell)
}

func (s *Service) builder(scope tenant.Scope, in *Inputs) (*builder, error) {
	t, err := ParseTemplate(in.Template)
	if err != nil {
		return nil, err
	}
	w, err := s.world(scope, in)
	if err != nil {
		return nil, err
	}
	return &builder{world: w, s: s, in: in, t: t}, nil
}

func (b *builder) build(ctx context.Context, scope tenant.Scope, tell Progress) (*document.Document, error) {
	if err := b.head(ctx, scope); err != nil {
		return nil, err
	}
	done, of := 0, len(b.t.blocks())
	for _, spec := range b.t.Sections {
		section := document.Section{Title: fill(spec.Title, b.words()), NewPage: spec.NewPage}
		for _, block := range spec.Blocks {
			if err := ctx.Err(); err != nil {
				return nil, fault.Wrapf(fault.Canceled, err, "the report was canceled")
			}
			if tell != nil {
				tell(done, of, section.Title)
			}
			made, err := b.block(ctx, block)
			if err != nil {
				if made, err = b.without(section.Title, err); err != nil {
					return nil, fmt.Errorf("report %s, section %q: %w", b.t.Name, spec.Title, err)
				}
			}
			section.Blocks = append(section.Blocks, made...)
			done++
		}
		if len(section.Blocks) > 0 {
			b.doc.Sections = append(b.doc.Sections, section)
		}
	}
	if len(b.doc.Sections) == 0 {
		return nil, fault.Newf(fault.Forbidden, "the role %s may see nothing of this report: %s", roleOf(b.in.Rights), strings.Join(b.left, "; "))
	}
	b.doc.Warnings = b.warnings()
	if tell != nil {
		tell(of, of, "")
	}
	return b.doc, nil
}

func roleOf(r *tenant.Rights) string {
	if r == nil {
		return "owner"
	}
	return r.Role
}

// without says what stands in place of a block that could not be made: a note when the data
// does not hold it, nothing when the reader may not see it. Other errors stay errors.
func (b *builder) without(section string, err error) ([]document.Block, error) {
	switch fault.KindOf(err) {
	case fault.Forbidden:
		b.left = append(b.left, section+": "+fault.Message(err))
		return nil, nil
	case fault.NotFound, fault.Invalid:
		return []document.Block{&document.Text{Tone: document.Note, Paragraphs: []string{"Not available: " + strings.TrimSuffix(fault.Message(err), ".") + "."}}}, nil
	}
	return nil, err
}

// forClient reports whether the document is given to a client, who is told nothing of how the
// firm keeps its figures: no snapshot, no identity of a finding, nobody's review.
func (b *builder) forClient() bool { return b.t != nil && b.t.Audience == audienceClient }

// words are the values of placeholders. Without data the report's day stands for the data's.
func (b *builder) words() map[string]string {
	through := b.in.Observed.DataThrough
	if through.IsZero() {
		through = b.in.AsOf
	}
	return map[string]string{
		"client": b.in.Client, "firm": b.in.Firm, "period": words(b.in.Period), "as_of": document.SayDay(b.in.AsOf.Time()),
		"snapshot": fmt.Sprint(b.in.Snapshot), "data_through": document.SayDay(through.Time()),
	}
}

// words writes a period of whole months: "July 2025 to June 2026".
func words(p quantity.Period) string {
	if !p.WholeMonths() {
		return p.Words()
	}
	first, last := p.From.Time().Format("January 2006"), p.To.AddDays(-1).Time().Format("January 2006")
	if first == last {
		return first
	}
	return first + " to " + last
}

// head fills what stands before the first section.
func (b *builder) head(ctx context.Context, scope tenant.Scope) error {
	values := b.words()
	brand, err := b.s.brand(ctx, scope, b.in)
	if err != nil {
		return err
	}
	b.doc = &document.Document{
		Template: b.t.Name, Title: fill(b.t.Title, values), Client: b.in.Client, Period: words(b.in.Period),
		At: b.in.AsOf.Time(), Snapshot: b.in.Snapshot, Layout: b.t.Layout, Brand: brand, Sections: []document.Section{},
	}
	if b.forClient() {
		b.doc.Snapshot = 0
	}
	letter := b.t.Letter
	if len(b.in.Brand.Letter) > 0 && b.forClient() {
		letter = b.in.Brand.Letter
	}
	for _, p := range letter {
		b.doc.Letter = append(b.doc.Letter, fill(p, values))
	}
	b.doc.Facts = b.facts()
	return nil
}

// facts say what the report was made from.
func (b *builder) facts() []document.Fact {
	in := b.in
	out := []document.Fact{{Label: "Period", Text: b.doc.Period}, {Label: "As of", Text: document.SayDay(in.AsOf.Time())}}
	if !in.Observed.DataThrough.IsZero() {
		out = append(out, document.Fact{Label: "Data through", Text: document.SayDay(in.Observed.DataThrough.Time())})
	}
	if b.forClient() {
		return out
	}
	out = append(out, document.Fact{Label: "Snapshot", Text: fmt.Sprint(in.Snapshot)},
		document.Fact{Label: "Definitions", Text: fmt.Sprintf("revision %d", in.Definitions.Revision)},
		document.Fact{Label: "Settings", Text: in.SettingsHash()[:12]})
	if in.Currency != "" {
		out = append(out, document.Fact{Label: "Amounts", Text: "converted to " + in.Currency + " at the rate of each date"})
	}
	if r := in.Rights; !r.Unlimited() {
		out = append(out, document.Fact{Label: "Shows", Text: "what the role " + r.Role + " may see"})
	}
	return out
}

// warnings are what a reader must know before any figure, once all blocks are there.
func (b *builder) warnings() []string {
	in, out := b.in, []string{}
	if through := in.Observed.DataThrough; !through.IsZero() {
		switch days := through.DaysUntil(in.AsOf); {
		case days <= b.s.opt.StaleAfter:
		case b.forClient():
			out = append(out, fmt.Sprintf("Figures run to %s.", document.SayDay(through.Time())))
		default:
			out = append(out, fmt.Sprintf("The data ends on %s, %d days before this report: import newer files for newer figures.", document.SayDay(through.Time()), days))
		}
	} else {
		out = append(out, "Nothing is imported yet: there are no figures to show.")
	}
	switch n := len(b.waiting); {
	case n == 1:
		out = append(out, "1 finding here waits for a person's review: it is marked.")
	case n > 1:
		out = append(out, fmt.Sprintf("%d findings here wait for a person's review: they are marked.", n))
	}
	return out
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// block makes the blocks of a part of a template.
func (b *builder) block(ctx context.Context, spec BlockSpec) ([]document.Block, error) {
	switch {
	case spec.Text != nil:
		return b.text(spec.Text), nil
	case spec.Tiles != nil:
		return b.tiles(ctx, spec.Tiles)
	case spec.Table != nil:
		return b.table(ctx, spec.Table)
	case spec.Chart != nil:
		return b.chart(ctx, spec.Chart)
	case spec.Series != nil:
		return b.series(ctx, spec.Series)
	case spec.Drivers != nil:
		return b.drivers(ctx, spec.Drivers)
	case spec.Answer != nil:
		return b.answer(ctx, spec.Answer)
	case spec.Findings != nil:
		return b.attention(ctx, spec.Findings)
	case spec.Quality != nil:
		return b.quality(spec.Quality)
	case spec.Audit != nil:
		return b.record(ctx, spec.Audit)
	case spec.Definitions != nil:
		return b.definitions(spec.Definitions)
	}
	return nil, fault.Newf(fault.Invalid, "a block of nothing")
}

func (b *builder) text(spec *TextSpec) []document.Block {
	values := b.words()
	each := func(in []string) []string {
		var out []string
		for _, s := range in {
			out = append(out, fill(s, values))
		}
		return out
	}
	return []document.Block{&document.Text{Title: fill(spec.Title, values), Tone: document.Tone(spec.Tone), Paragraphs: each(spec.Paragraphs), Items: each(spec.Items)}}
}

// use notes that measures are shown, for the definitions at the end. What is no measure of
// the catalog, such as a share that a finding is about, is explained where it stands.
func (b *builder) use(measures ...string) {
	for _, m := range measures {
		if _, err := b.metrics.Measure(m); err == nil && !slices.Contains(b.used, m) {
			b.used = append(b.used, m)
		}
	}
}

// narrowed adds the report's client to a condition.
func (b *builder) narrowed(where string) string {
	if b.in.Client == "" {
		return where
	}
	client := "client = " + strconv.Quote(b.in.Client)
	if strings.TrimSpace(where) == "" {
		return client
	}
	return client + " and (" + where + ")"
}

// origin is where figures of the report's period come from.
func (b *builder) origin() document.Origin {
	if b.forClient() {
		return document.Origin{Period: b.doc.Period} // a snapshot says nothing to a client
	}
	return document.Origin{Period: b.doc.Period, Snapshot: b.in.Snapshot}
}
