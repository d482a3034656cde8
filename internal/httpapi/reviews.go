package httpapi

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/review"
)

// reviewAnswer is a proposal with its evidence typed.
type reviewAnswer struct {
	review.Proposal
	Evidence dataset.MatchEvidence `json:"evidence"`
}

func reviewOf(p review.Proposal, err error) (reviewAnswer, error) {
	out := reviewAnswer{Proposal: p}
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(p.Evidence, &out.Evidence); err != nil {
		return out, err
	}
	out.fill()
	return out, nil
}

// fill makes lists that are null empty.
func (r *reviewAnswer) fill() {
	if r.Evidence.Why == nil {
		r.Evidence.Why = []string{}
	}
	if r.Evidence.Candidates == nil {
		r.Evidence.Candidates = []dataset.MatchCandidate{}
	}
	for i := range r.Evidence.Candidates {
		if r.Evidence.Candidates[i].Why == nil {
			r.Evidence.Candidates[i].Why = []string{}
		}
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
	Verdict string `json:"verdict" enum:"same,different,create" doc:"same: it means choice; different: none of the candidates; create: a client of its own"`
	Choice  string `json:"choice,omitempty" doc:"the entity that it means; may be left out when there is one candidate" maxLength:"500"`
	Reason  string `json:"reason,omitempty" doc:"why, for those who read it later" maxLength:"2000"`
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
	Status string `query:"status" enum:"open,decided,withdrawn" default:"open"`
	Kind   string `query:"kind" doc:"such as client_match; any when left out"`
}

func (s *server) reviewRoutes(api huma.API) {
	get(api, "list-reviews", "/reviews", "What a person has to decide, or has decided", func(ctx context.Context, in *ReviewsInput) (page[reviewAnswer], error) {
		list, err := s.Data.Matches(ctx, s.scope(ctx), review.Status(in.Status), in.Kind, in.Limit, in.Cursor)
		out := page[reviewAnswer]{Items: []reviewAnswer{}}
		for _, p := range list {
			one, err := reviewOf(p, nil)
			if err != nil {
				return out, err
			}
			out.Items = append(out.Items, one)
		}
		if len(list) == in.Limit {
			out.Next = in.Cursor + int64(in.Limit)
		}
		return out, err
	})
	get(api, "count-reviews", "/reviews/count", "How many proposals are open, by kind", func(ctx context.Context, _ *none) (map[string]int64, error) {
		return s.Data.OpenReviews(ctx, s.scope(ctx))
	})
	get(api, "get-review", "/reviews/{id}", "One proposal with its evidence", func(ctx context.Context, in *reviewPath) (reviewAnswer, error) {
		return reviewOf(s.Data.Match(ctx, s.scope(ctx), in.ID))
	})
	post(api, "decide-review", "/reviews/{id}/decide", "Decide what a name means, for its past and coming rows", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body decisionBody
	}) (reviewAnswer, error) {
		b := in.Body
		return reviewOf(s.Data.DecideMatch(ctx, s.scope(ctx), in.ID, review.Decision{Verdict: b.Verdict, Choice: b.Choice, Reason: b.Reason}))
	})
	post(api, "undo-review", "/reviews/{id}/undo", "Take a decision back; the question is open again", func(ctx context.Context, in *reviewPath) (reviewAnswer, error) {
		return reviewOf(s.Data.UndoMatch(ctx, s.scope(ctx), in.ID))
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
