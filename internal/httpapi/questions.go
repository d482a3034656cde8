package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

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
		period, err := quantity.ParsePeriod(in.From, in.To)
		if err != nil {
			return nil, err
		}
		return s.Questions.Answer(ctx, s.scope(), question.Request{Question: in.Name, Period: period, Client: in.Client, Top: in.Top})
	})
}
