package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/review"
)

// ruleBody is a rule as it is sent.
type ruleBody struct {
	Name        string `json:"name,omitempty" maxLength:"80" doc:"in an address it stands there"`
	Condition   string `json:"condition" minLength:"1" maxLength:"4000" doc:"on measures, such as gross_margin < 20%"`
	Measure     string `json:"measure,omitempty" doc:"whose value is shown; the first of the condition unless given"`
	Dimension   string `json:"dimension,omitempty" doc:"whose members are judged; the whole firm unless given"`
	Where       string `json:"where,omitempty" maxLength:"4000" doc:"which rows count"`
	Months      int    `json:"months,omitempty" minimum:"0" maximum:"36" doc:"complete months looked at; 1 unless given"`
	Then        string `json:"then,omitempty" enum:"finding,review,notice" doc:"finding unless given"`
	Money       string `json:"money,omitempty" doc:"measure of the money at stake"`
	Severity    string `json:"severity,omitempty" enum:"info,warning,critical" doc:"warning unless given"`
	Description string `json:"description,omitempty" maxLength:"2000" doc:"what to do about it"`
	Owner       string `json:"owner,omitempty" maxLength:"120"`
}

func (b ruleBody) rule(name string) metric.Rule {
	return metric.Rule{Name: orElse(name, b.Name), Condition: b.Condition, Measure: b.Measure, Dimension: b.Dimension, Where: b.Where, Months: b.Months, Then: b.Then, Money: b.Money, Severity: b.Severity, Description: b.Description, Owner: b.Owner}
}

type ruleDecision struct {
	Verdict string `json:"verdict" enum:"acknowledged,dismissed"`
	Reason  string `json:"reason,omitempty" maxLength:"2000"`
}

func (s *server) ruleRoutes(api huma.API) {
	get(api, "list-rules", "/rules", "The tenant's own rules", func(ctx context.Context, _ *none) (page[metric.Rule], error) {
		list, err := s.Metrics.Rules(ctx, s.scope(ctx))
		return page[metric.Rule]{Items: orEmpty(list)}, err
	})
	post(api, "add-rule", "/rules", "Define a rule: a condition, for whom, over which months, and what then", func(ctx context.Context, in *struct{ Body ruleBody }) (metric.Rule, error) {
		return s.Metrics.PutRule(ctx, s.scope(ctx), in.Body.rule(""), true)
	})
	put(api, "change-rule", "/rules/{name}", "Give a rule a new version", func(ctx context.Context, in *struct {
		NamePath
		Body ruleBody
	}) (metric.Rule, error) {
		return s.Metrics.PutRule(ctx, s.scope(ctx), in.Body.rule(in.Name), false)
	})
	act(api, http.MethodDelete, "remove-rule", "/rules/{name}", "End a rule", func(ctx context.Context, in *NamePath) error {
		return s.Metrics.RemoveRule(ctx, s.scope(ctx), in.Name)
	})
	post(api, "evaluate-rules", "/rules/evaluate", "Evaluate the rules now, or one of them", func(ctx context.Context, in *struct {
		Rule string `query:"rule" maxLength:"80" doc:"only this one"`
	}) (insight.Evaluation, error) {
		if in.Rule != "" {
			return s.Rules.Evaluate(ctx, s.scope(ctx), in.Rule)
		}
		return s.Rules.Evaluate(ctx, s.scope(ctx))
	})
	get(api, "list-rule-hits", "/rules/hits", "When the rules held and for whom, the last begun first", func(ctx context.Context, in *struct {
		Paging
		Rule string `query:"rule" maxLength:"80" doc:"only this one"`
	}) (page[insight.Hit], error) {
		list, err := s.Rules.History(ctx, s.scope(ctx), in.Rule, in.Limit, in.Cursor)
		out := page[insight.Hit]{Items: orEmpty(list)}
		if len(list) == in.Limit {
			out.Next = in.Cursor + int64(in.Limit)
		}
		return out, err
	})
	get(api, "list-rule-reviews", "/rules/reviews", "What rules put before people", func(ctx context.Context, in *struct {
		Paging
		Status string `query:"status" enum:"open,decided,withdrawn" default:"open"`
	}) (page[review.Proposal], error) {
		list, err := s.Rules.Reviews(ctx, s.scope(ctx), review.Status(in.Status), in.Limit, in.Cursor)
		out := page[review.Proposal]{Items: orEmpty(list)}
		if len(list) == in.Limit {
			out.Next = in.Cursor + int64(in.Limit)
		}
		return out, err
	})
	act(api, http.MethodPost, "decide-rule-review", "/rules/reviews/{id}/decide", "Say that it is known, or does not matter", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body ruleDecision
	}) error {
		return s.Rules.Decide(ctx, s.scope(ctx), in.ID, in.Body.Verdict, in.Body.Reason)
	})
}
