package report

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// kept is the body of a tenant's own template.
type kept struct {
	Text string `json:"text"`
}

// Templates lists the built-in templates and then the tenant's own, by name, without those
// whose conditions name clients or people who may not be seen.
func (s *Service) Templates(ctx context.Context, scope tenant.Scope) ([]*Template, error) {
	book, err := s.Metrics.Definitions(ctx, scope)
	if err != nil {
		return nil, err
	}
	c, err := s.Metrics.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(s.templates)
	for _, d := range book.Of(definition.Report) {
		t, err := readKept(d)
		if err != nil {
			return nil, err
		}
		if c.MayRead(scope, t.conditions()) {
			out = append(out, t)
		}
	}
	return out, nil
}

// Called is the template's title where no report is meant: "Business review for a client".
func (t *Template) Called() string {
	return fill(t.Title, map[string]string{"client": "a client", "firm": "the firm", "period": "the period", "as_of": "the day", "snapshot": "the snapshot"})
}

// conditions are those of a template's blocks.
func (t *Template) conditions() []string {
	var out []string
	for _, b := range t.blocks() {
		switch {
		case b.Tiles != nil:
			out = append(out, b.Tiles.Where)
		case b.Table != nil:
			out = append(out, b.Table.Where)
		case b.Chart != nil:
			out = append(out, b.Chart.Where)
		case b.Series != nil:
			out = append(out, b.Series.Where)
		case b.Drivers != nil:
			out = append(out, b.Drivers.Where)
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return strings.TrimSpace(s) == "" })
}

func readKept(d definition.Definition) (*Template, error) {
	var body kept
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return nil, fmt.Errorf("template %s: %w", d.Name, err)
	}
	t, err := ParseTemplate(body.Text)
	if err != nil { // the form changed under it: it is listed, and says where it is broken
		return &Template{Name: d.Name, Title: d.Name, Description: fault.Message(err), Text: body.Text}, nil
	}
	return t, nil
}

// Template returns a template by name; NotFound lists those that there are.
func (s *Service) Template(ctx context.Context, scope tenant.Scope, name string) (*Template, error) {
	list, err := s.Templates(ctx, scope)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list))
	for i, t := range list {
		if t.Name == name {
			return t, nil
		}
		names[i] = t.Name
	}
	return nil, &fault.Error{Kind: fault.NotFound, Message: fmt.Sprintf("there is no report %q", name), Fields: []fault.Field{{Path: "template", Message: "must be one of those that there are", Allowed: names}}}
}

// template is what a request asks for.
func (s *Service) template(ctx context.Context, scope tenant.Scope, req Request) (*Template, error) {
	if req.Text == "" {
		return s.Template(ctx, scope, req.Template)
	}
	return s.CheckTemplate(ctx, scope, req.Text)
}

// CheckTemplate reads a template and checks it against what the tenant can ask for. An
// Invalid fault names every wrong part with its line.
func (s *Service) CheckTemplate(ctx context.Context, scope tenant.Scope, text string) (*Template, error) {
	t, err := ParseTemplate(text)
	if err != nil {
		return nil, err
	}
	c, err := s.Metrics.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	places, err := placesOf(text)
	if err != nil {
		return nil, err
	}
	wrong, err := s.unknown(ctx, scope, c, t, places)
	if err != nil {
		return nil, err
	}
	if len(wrong) > 0 {
		return nil, fault.WithFields("the template cannot be used: "+wrong[0].Path+": "+wrong[0].Message, wrong...)
	}
	return t, nil
}

// unknown lists the measures, dimensions, questions and conditions that there are not, by
// asking for a month of each block.
func (s *Service) unknown(ctx context.Context, scope tenant.Scope, c *metric.Catalog, t *Template, p places) (wrong []fault.Field, failed error) {
	month := quantity.DayOf(s.opt.Now()).Month()
	month = month.AddMonths(-1)
	add := func(at string, err error) {
		if err == nil {
			return
		}
		f := fault.Field{Path: p.at(at), Message: fault.Message(err)}
		if fields := fault.FieldsOf(err); len(fields) > 0 {
			f.Allowed = fields[0].Allowed
		}
		wrong = append(wrong, f)
	}
	measures := func(at string, names ...string) {
		for i, name := range names {
			_, err := c.Measure(name)
			if at[len(at)-1] == 's' {
				add(fmt.Sprintf("%s[%d]", at, i), err)
			} else {
				add(at, err)
			}
		}
	}
	check := func(at string, q metric.Query) {
		known := len(wrong)
		for _, f := range wrong {
			if strings.Contains(f.Path, strings.TrimPrefix(at, "$.")) {
				return // its measures are wrong already
			}
		}
		q.Period = quantity.Period{From: month, To: month.AddMonths(1)}
		_, err := c.Run(ctx, scope, q)
		switch fault.KindOf(err) {
		case fault.Invalid:
			add(at, err)
		case fault.Canceled, fault.Internal, fault.Unavailable:
			if err != nil && known == len(wrong) {
				failed = err
			}
		}
	}
	for i, section := range t.Sections {
		for j, b := range section.Blocks {
			at := fmt.Sprintf("$.sections[%d].blocks[%d]", i, j)
			switch {
			case b.Tiles != nil:
				measures(at+".tiles.measures", b.Tiles.Measures...)
				check(at+".tiles", metric.Query{Measures: b.Tiles.Measures, Where: b.Tiles.Where})
			case b.Table != nil:
				measures(at+".table.measures", b.Table.Measures...)
				check(at+".table", metric.Query{Measures: b.Table.Measures, Dimensions: b.Table.By, Where: b.Table.Where, Order: b.Table.Order})
			case b.Chart != nil:
				measures(at+".chart.measures", b.Chart.Measures...)
				q := metric.Query{Measures: b.Chart.Measures, Dimensions: []string{b.Chart.By}, Where: b.Chart.Where, Order: b.Chart.Order}
				if b.Chart.Split != "" {
					q.Dimensions = append(q.Dimensions, b.Chart.Split)
				}
				check(at+".chart", q)
			case b.Series != nil:
				measures(at+".series.measure", b.Series.Measure)
			case b.Drivers != nil:
				measures(at+".drivers.measure", b.Drivers.Measure)
			case b.Answer != nil:
				add(at+".answer.question", checkQuestion(b.Answer.Question, t))
			}
		}
	}
	return wrong, failed
}

// checkQuestion refuses questions that there are not, and the one that is about this moment.
func checkQuestion(name string, t *Template) error {
	q, err := question.Find(name)
	switch {
	case err != nil:
		return err
	case q.Name == "final":
		return fault.Newf(fault.Invalid, "the question final is about this moment and has no place in a report that can be made again: use quality")
	case q.OfClient && !t.OfClient:
		return fault.Newf(fault.Invalid, "the question %s is about one client: write of_client: true", q.Name)
	}
	return nil
}

// PutTemplate keeps a template of the tenant's own under its name. Errors: Invalid with every
// wrong part and its line; Conflict when new is set and the name is taken, or it is that of a
// built-in one.
func (s *Service) PutTemplate(ctx context.Context, scope tenant.Scope, text string, isNew bool) (*Template, error) {
	t, err := s.CheckTemplate(ctx, scope, text)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(s.templates, func(b *Template) bool { return b.Name == t.Name }) {
		return nil, fault.Newf(fault.Conflict, "%s is a built-in report, which stays as it is: give yours another name", t.Name)
	}
	if !isNew {
		if _, err := s.Template(ctx, scope, t.Name); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(kept{t.Text})
	if err != nil {
		return nil, err
	}
	_, err = s.Definitions.Put(ctx, scope, definition.Change{Kind: definition.Report, Name: t.Name, Body: body, New: isNew}, func(*definition.Book) error { return nil })
	return t, err
}

// RemoveTemplate removes one of the tenant's own templates. What was made from it stays.
func (s *Service) RemoveTemplate(ctx context.Context, scope tenant.Scope, name string) error {
	if slices.ContainsFunc(s.templates, func(b *Template) bool { return b.Name == name }) {
		return fault.Newf(fault.Conflict, "%s is a built-in report and cannot be removed", name)
	}
	if _, err := s.Template(ctx, scope, name); err != nil {
		return err
	}
	_, err := s.Definitions.Put(ctx, scope, definition.Change{Kind: definition.Report, Name: name, Remove: true}, func(*definition.Book) error { return nil })
	return err
}

// Versions lists the versions of one of the tenant's own templates, newest first.
func (s *Service) Versions(ctx context.Context, scope tenant.Scope, name string) ([]definition.Definition, error) {
	return s.Definitions.Versions(ctx, scope, definition.Report, name)
}
