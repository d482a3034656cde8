package httpapi

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
)

// QuestionInput asks a standing question.
type QuestionInput struct {
	Name   string `path:"name" doc:"name or number of the question"`
	From   string `query:"from" doc:"first month; without a period the last twelve complete months count"`
	To     string `query:"to" doc:"first month not included"`
	Client string `query:"client" doc:"answer for this client; a question about one client needs it"`
	Top    int    `query:"top" minimum:"0" maximum:"10000" doc:"the most rows of a table; 0 is all"`
}

func (s *server) questionRoutes(api huma.API) {
	get(api, "list-questions", "/questions", "The standing questions of a provider's people", func(context.Context, *none) ([]question.Question, error) {
		return s.Questions.List(), nil
	})
	get(api, "answer-question", "/questions/{name}", "Answer a standing question: a sentence, how sure it is, and the rows behind it", func(ctx context.Context, in *QuestionInput) (*question.Answer, error) {
		return s.answer(ctx, in)
	})
	huma.Register(api, fileOf(api, "export-question", "/questions/{name}/export", "A table of the answer of a standing question as a file", nil), func(ctx context.Context, in *struct {
		QuestionInput
		Table  int    `query:"table" minimum:"1" default:"1" doc:"which table of the answer"`
		Format string `query:"format" enum:"csv,xlsx" default:"csv"`
	}) (*huma.StreamResponse, error) {
		a, err := s.answer(ctx, &in.QuestionInput)
		if err == nil && in.Table > len(a.Tables) {
			err = fault.WithFields(fmt.Sprintf("the answer has %d tables", len(a.Tables)), fault.Field{Path: "table", Message: fmt.Sprintf("must be at most %d", len(a.Tables))})
		}
		if err != nil {
			return nil, problemOf(err)
		}
		name, t := strings.Join(append([]string{a.Name, strconv.Itoa(in.Table)}, periodName(a.Period)...), "-"), answerTable(a, in.Table-1)
		if in.Format == "xlsx" {
			return s.workbook(ctx, name, t)
		}
		return attachment(s.opt.Log, name+".csv", csvType, t.writeCSV), nil
	})
}

func (s *server) answer(ctx context.Context, in *QuestionInput) (*question.Answer, error) {
	period, err := quantity.ParsePeriod(in.From, in.To)
	if err != nil {
		return nil, err
	}
	return s.Questions.Answer(ctx, s.scope(ctx), question.Request{Question: in.Name, Period: period, Client: in.Client, Top: in.Top})
}

// answerTable is the file of a table of an answer: its columns, then the currency of its
// amounts and why the row is as it is.
func answerTable(a *question.Answer, which int) *table {
	part := a.Tables[which]
	t := &table{}
	for _, c := range part.Columns {
		kind := "decimal"
		switch c.Unit {
		case quantity.Text:
			kind = "text"
		case quantity.Date:
			kind = "date"
		}
		t.columns = append(t.columns, metric.Column{Name: c.Name, Unit: c.Unit, Type: kind})
	}
	t.columns = append(t.columns, metric.Column{Name: "currency", Unit: quantity.Text, Type: "text"}, metric.Column{Name: "why", Unit: quantity.Text, Type: "text"})
	for _, row := range part.Rows {
		t.rows = append(t.rows, append(slices.Clone(row.Cells), row.Currency, row.Why))
	}
	t.add("Question", a.Text)
	t.add("Answer", a.Headline)
	t.add("How sure", strings.Join(append([]string{strings.ReplaceAll(a.Grade, "_", " ")}, a.Reasons...), "; "))
	t.add("Period", a.Period.From.String(), lastDay(a.Period))
	t.add("Table", part.Title)
	t.add("Note", orNone(part.Note))
	t.add("Snapshot", int64(a.Snapshot))
	return t
}
