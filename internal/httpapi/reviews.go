package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// reviewAnswer is a proposal with its evidence typed: that of a name, of a finding or of a
// rule's hit, whichever it is about.
type reviewAnswer struct {
	review.Proposal
	Evidence *dataset.MatchEvidence `json:"evidence,omitempty" doc:"of kinds that end in _match"`
	Finding  *insight.Finding       `json:"finding,omitempty" doc:"of the kind finding, as it was on the proposal's snapshot"`
	Rule     *insight.RuleEvidence  `json:"rule,omitempty" doc:"of the kind rule"`
	Fixes    *dataset.FixedEvidence `json:"fixes,omitempty" doc:"of the kind applied_fixes"`
	Change   *heldChange            `json:"change,omitempty" doc:"of the kinds definition_change and deletion"`
	Policy   *policySays            `json:"policy,omitempty" doc:"of the kind policy_change"`
}

type policySays struct {
	Version int64    `json:"version"`
	Reason  string   `json:"reason"`
	Says    []string `json:"says" nullable:"false" doc:"what each role gains and loses"`
}

func reviewOf(p review.Proposal, err error) (reviewAnswer, error) {
	out := reviewAnswer{Proposal: p}
	if err != nil {
		return out, err
	}
	var into any
	switch p.Kind {
	case insight.FindingReview:
		out.Finding = &insight.Finding{}
		into = out.Finding
	case insight.ReviewKind:
		out.Rule = &insight.RuleEvidence{}
		into = out.Rule
	case review.AppliedFixes:
		out.Fixes = &dataset.FixedEvidence{}
		into = out.Fixes
	case review.DefinitionChange, review.Deletion:
		out.Change = &heldChange{}
		into = out.Change
	case review.PolicyChange:
		var e access.PolicyEvidence
		if err := json.Unmarshal(p.Evidence, &e); err != nil {
			return out, fmt.Errorf("evidence of proposal %s: %w", p.ID, err)
		}
		out.Policy = &policySays{e.Version, e.Reason, e.Says()}
		return out, nil
	default:
		out.Evidence = &dataset.MatchEvidence{}
		into = out.Evidence
	}
	if err := json.Unmarshal(p.Evidence, into); err != nil {
		return out, fmt.Errorf("evidence of proposal %s: %w", p.ID, err)
	}
	if out.Evidence != nil {
		out.fill()
	}
	return out, nil
}

func reviewsOf(list []review.Proposal) ([]reviewAnswer, error) {
	out := []reviewAnswer{}
	for _, p := range list {
		one, err := reviewOf(p, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// fill makes lists that are null empty.
func (r *reviewAnswer) fill() {
	r.Evidence.Why = orEmpty(r.Evidence.Why)
	r.Evidence.Candidates = orEmpty(r.Evidence.Candidates)
	for i := range r.Evidence.Candidates {
		r.Evidence.Candidates[i].Why = orEmpty(r.Evidence.Candidates[i].Why)
	}
}

// savedMapping is a kept mapping with what it says in words.
type savedMapping struct {
	dataset.SavedMapping
	Says string `json:"says"`
}

type reviewPath struct {
	ID string `path:"id" maxLength:"40"`
}

type decisionBody struct {
	Verdict string `json:"verdict" maxLength:"40" doc:"one of the kind's (list-review-kinds), such as same, different, create, accepted, rejected or corrected"`
	Choice  string `json:"choice,omitempty" doc:"the entity that a name means; may be left out when there is one candidate" maxLength:"500"`
	Reason  string `json:"reason,omitempty" doc:"why, for those who read it later" maxLength:"2000"`
}

func (b decisionBody) decision() review.Decision {
	return review.Decision{Verdict: b.Verdict, Choice: b.Choice, Reason: b.Reason}
}

type aliasBody struct {
	Kind      string `json:"kind" enum:"client,staff,product"`
	Key       string `json:"key" doc:"the name that is another one for canonical" minLength:"1" maxLength:"500"`
	Canonical string `json:"canonical" doc:"what it means" minLength:"1" maxLength:"500"`
}

type partBody struct {
	Kind string `json:"kind" enum:"client,staff,product"`
	Key  string `json:"key" minLength:"1" maxLength:"500"`
}

// ReviewsInput asks for a page of proposals.
type ReviewsInput struct {
	Paging
	Status  string   `query:"status" enum:"open,decided,withdrawn,expired" default:"open"`
	Kind    []string `query:"kind" doc:"any of these, such as client_match,finding; all when left out"`
	Mine    bool     `query:"mine" doc:"only what is assigned to who asks"`
	Overdue bool     `query:"overdue" doc:"only what should have been decided"`
}

type assignmentBody struct {
	Assignee string `json:"assignee" maxLength:"200" doc:"an actor of list-people; empty for nobody in particular"`
	Due      string `json:"due" maxLength:"10" doc:"2026-07-01; empty for never"`
}

type manyBody struct {
	IDs     []string `json:"ids" minItems:"1" maxItems:"200"`
	Verdict string   `json:"verdict" maxLength:"40"`
	Choice  string   `json:"choice,omitempty" maxLength:"500"`
	Reason  string   `json:"reason,omitempty" maxLength:"2000"`
}

type topicBody struct {
	Topic string `json:"topic" minLength:"1" maxLength:"200"`
}

type termsBody struct {
	DueDays    int  `json:"due_days" minimum:"0" maximum:"730" doc:"days until it is due; 0 for never"`
	ExpireDays int  `json:"expire_days" minimum:"0" maximum:"730" doc:"days until it is not asked any more; 0 for never"`
	FourEyes   bool `json:"four_eyes" doc:"two people must decide the same"`
}

func (s *server) reviewRoutes(api huma.API) {
	get(api, "list-reviews", "/reviews", "What a person has to decide, in the order of its priority, or has decided", func(ctx context.Context, in *ReviewsInput) (page[reviewAnswer], error) {
		list, err := s.Reviews.Find(ctx, s.scope(ctx), review.Filter{Status: review.Status(in.Status), Kinds: in.Kind, Mine: in.Mine, Overdue: in.Overdue}, in.Limit, in.Cursor)
		out := page[reviewAnswer]{}
		if err != nil {
			return out, err
		}
		if len(list) == in.Limit {
			out.Next = in.Cursor + int64(in.Limit)
		}
		out.Items, err = reviewsOf(list)
		return out, err
	})
	get(api, "count-reviews", "/reviews/count", "How many proposals are open, by kind", func(ctx context.Context, _ *none) (map[string]int64, error) {
		return s.Reviews.Count(ctx, s.scope(ctx))
	})
	get(api, "list-review-kinds", "/reviews/kinds", "The kinds of questions, their verdicts and terms", func(ctx context.Context, _ *none) (page[review.Kind], error) {
		list, err := s.Reviews.Kinds(ctx, s.scope(ctx))
		return page[review.Kind]{Items: list}, err
	})
	put(api, "set-review-terms", "/reviews/kinds/{kind}", "Say how long questions of a kind may wait, and whether two people decide", func(ctx context.Context, in *struct {
		Kind string `path:"kind" maxLength:"40"`
		Body termsBody
	}) (review.Kind, error) {
		return s.Reviews.SetTerms(ctx, s.scope(ctx), in.Kind, review.Terms(in.Body))
	})
	get(api, "list-topics", "/reviews/topics", "What was rejected how often in a row; what comes last by that", func(ctx context.Context, _ *none) (page[review.Topic], error) {
		list, err := s.Reviews.Topics(ctx, s.scope(ctx))
		return page[review.Topic]{Items: list}, err
	})
	act(api, http.MethodPost, "reset-topic", "/reviews/topics/reset", "Make a topic as insistent as it was", func(ctx context.Context, in *struct{ Body topicBody }) error {
		return s.Reviews.ResetTopic(ctx, s.scope(ctx), in.Body.Topic)
	})
	get(api, "list-standings", "/reviews/standings", "What people made of findings, by the finding's identity", func(ctx context.Context, _ *none) (page[review.Proposal], error) {
		list, err := s.Reviews.Standings(ctx, s.scope(ctx), insight.FindingReview)
		return page[review.Proposal]{Items: list}, err
	})
	get(api, "list-people", "/reviews/people", "Who can be mentioned and given decisions", func(ctx context.Context, _ *none) (page[review.Person], error) {
		list, err := s.Reviews.Persons(ctx, s.scope(ctx))
		return page[review.Person]{Items: list}, err
	})
	post(api, "decide-reviews", "/reviews/decide", "Decide the same on several proposals; each has its own result", func(ctx context.Context, in *struct{ Body manyBody }) (page[review.Result], error) {
		list, err := s.Reviews.DecideAll(ctx, s.scope(ctx), in.Body.IDs, review.Decision{Verdict: in.Body.Verdict, Choice: in.Body.Choice, Reason: in.Body.Reason})
		return page[review.Result]{Items: list}, err
	})
	get(api, "get-review", "/reviews/{id}", "One proposal with its evidence", func(ctx context.Context, in *reviewPath) (reviewAnswer, error) {
		return reviewOf(s.Reviews.Get(ctx, s.scope(ctx), in.ID))
	})
	get(api, "preview-review", "/reviews/{id}/preview", "What a decision would change, without making it", func(ctx context.Context, in *struct {
		ID      string `path:"id" maxLength:"40"`
		Verdict string `query:"verdict" required:"true" maxLength:"40"`
		Choice  string `query:"choice" maxLength:"500"`
	}) (review.Effect, error) {
		return s.Reviews.Preview(ctx, s.scope(ctx), in.ID, review.Decision{Verdict: in.Verdict, Choice: in.Choice})
	})
	post(api, "decide-review", "/reviews/{id}/decide", "Decide; when two people must, the first decision waits for the second", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body decisionBody
	}) (reviewAnswer, error) {
		return reviewOf(s.Reviews.Decide(ctx, s.scope(ctx), in.ID, in.Body.decision()))
	})
	post(api, "undo-review", "/reviews/{id}/undo", "Take a decision of the last 30 days back; the question is open again", func(ctx context.Context, in *reviewPath) (reviewAnswer, error) {
		return reviewOf(s.Reviews.Undo(ctx, s.scope(ctx), in.ID))
	})
	post(api, "assign-review", "/reviews/{id}/assign", "Give a question to somebody, and say until when", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body assignmentBody
	}) (reviewAnswer, error) {
		var due quantity.Day
		if in.Body.Due != "" {
			var err error
			if due, err = quantity.AskedDay(in.Body.Due); err != nil {
				return reviewAnswer{}, err
			}
		}
		return reviewOf(s.Reviews.Assign(ctx, s.scope(ctx), in.ID, tenant.Actor(in.Body.Assignee), due))
	})
	get(api, "list-mappings", "/mappings", "Mappings that are kept for the next files of their form", func(ctx context.Context, _ *none) (page[savedMapping], error) {
		list, err := s.Data.Mappings(ctx, s.scope(ctx))
		out := page[savedMapping]{Items: make([]savedMapping, len(list))}
		for i, m := range list {
			out.Items[i] = savedMapping{m, m.Mapping.Words()}
		}
		return out, err
	})
	get(api, "get-mapping", "/mappings/{id}", "A kept mapping", func(ctx context.Context, in *reviewPath) (savedMapping, error) {
		m, err := s.Data.SavedMapping(ctx, s.scope(ctx), in.ID)
		return savedMapping{m, m.Mapping.Words()}, err
	})
	act(api, http.MethodDelete, "forget-mapping", "/mappings/{id}", "Drop a kept mapping; what was imported with it stays", func(ctx context.Context, in *reviewPath) error {
		return s.Data.ForgetMapping(ctx, s.scope(ctx), in.ID)
	})
	get(api, "get-quality", "/quality", "How fit the data is, where it is not, and what to put right first", func(ctx context.Context, _ *none) (dataset.QualityReport, error) {
		return s.Data.QualityReport(ctx, s.scope(ctx))
	})
	get(api, "list-aliases", "/aliases", "What names of the imports are taken for", func(ctx context.Context, in *struct {
		Kind string `query:"kind" enum:"client,staff,product" default:"client"`
	}) (page[dataset.Alias], error) {
		list, err := s.Data.Aliases(ctx, s.scope(ctx), in.Kind)
		return page[dataset.Alias]{Items: list}, err
	})
	act(api, http.MethodPost, "set-alias", "/aliases", "Say that a name means another one, for its past and coming rows", func(ctx context.Context, in *struct{ Body aliasBody }) error {
		return s.Data.SetAlias(ctx, s.scope(ctx), in.Body.Kind, in.Body.Key, in.Body.Canonical)
	})
	act(api, http.MethodPost, "part-alias", "/aliases/part", "Say that a name does not mean what it is taken for; no import links them again", func(ctx context.Context, in *struct{ Body partBody }) error {
		return s.Data.PartAlias(ctx, s.scope(ctx), in.Body.Kind, in.Body.Key)
	})
}
