package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

type newScenario struct {
	Name    string              `json:"name" minLength:"1" maxLength:"120"`
	Content scenario.Definition `json:"content"`
}

type savedScenario struct {
	Name     string              `json:"name" minLength:"1" maxLength:"120"`
	Content  scenario.Definition `json:"content"`
	Revision int64               `json:"revision" doc:"the revision that was changed"`
}

type scenarioAnswer struct {
	ItemAnswer
	Content scenario.Definition `json:"content"`
}

type comparedScenario struct {
	ID     string           `json:"id"`
	Name   string           `json:"name"`
	Result *scenario.Result `json:"result"`
}

// mostCompared bounds a comparison: more do not fit side by side.
const mostCompared = 6

func (s *server) scenarioRoutes(api huma.API) {
	get(api, "list-levers", "/scenarios/levers", "Kinds of levers: what each changes, and by what rows can be selected", func(context.Context, *none) (page[scenario.KindInfo], error) {
		return page[scenario.KindInfo]{Items: s.Scenarios.Kinds()}, nil
	})
	sendChecked(api, http.MethodPost, http.StatusOK, "run-scenario", "/scenarios/run", "A period under other terms, beside the period as it was; nothing is kept", func(ctx context.Context, in *struct {
		Body strictly[scenario.Definition]
	}) (*scenario.Result, error) {
		d, err := s.overComplete(ctx, in.Body.is)
		if err != nil {
			return nil, err
		}
		return s.Scenarios.Run(ctx, s.scope(ctx), d)
	})
	sendChecked(api, http.MethodPost, http.StatusOK, "solve-scenario", "/scenarios/solve", "How far a lever must be moved for a measure to reach a target", func(ctx context.Context, in *struct{ Body strictly[scenario.Goal] }) (*scenario.Solution, error) {
		g := in.Body.is
		var err error
		if g.Definition, err = s.overComplete(ctx, g.Definition); err != nil {
			return nil, err
		}
		return s.Scenarios.Solve(ctx, s.scope(ctx), g)
	})
	get(api, "compare-scenarios", "/scenarios/compare", "Saved scenarios side by side, as of the current snapshot unless they name one", s.compareScenarios)
	get(api, "list-scenarios", "/scenarios", "Saved scenarios, newest change first", func(ctx context.Context, in *itemsInput) (page[scenarioAnswer], error) {
		return items(ctx, s, workspace.KindScenario, in, scenarioOf)
	})
	sendChecked(api, http.MethodPost, http.StatusCreated, "create-scenario", "/scenarios", "Save a scenario", func(ctx context.Context, in *struct{ Body strictly[newScenario] }) (scenarioAnswer, error) {
		content, err := s.scenarioContent(ctx, in.Body.is.Content)
		if err != nil {
			return scenarioAnswer{}, err
		}
		return answered(scenarioOf)(s.Workspace.Create(ctx, s.scope(ctx), workspace.KindScenario, in.Body.is.Name, content))
	})
	get(api, "get-scenario", "/scenarios/{id}", "One saved scenario", func(ctx context.Context, in *itemPath) (scenarioAnswer, error) {
		return answered(scenarioOf)(s.Workspace.Get(ctx, s.scope(ctx), workspace.KindScenario, in.ID))
	})
	sendChecked(api, http.MethodPut, http.StatusOK, "save-scenario", "/scenarios/{id}", "Change a saved scenario; 409 when someone else did meanwhile", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body strictly[savedScenario]
	}) (scenarioAnswer, error) {
		b := in.Body.is
		content, err := s.scenarioContent(ctx, b.Content)
		if err != nil {
			return scenarioAnswer{}, err
		}
		return answered(scenarioOf)(s.Workspace.Save(ctx, s.scope(ctx), workspace.KindScenario, in.ID, workspace.Edit{Name: b.Name, Content: content, Based: b.Revision}))
	})
	get(api, "get-scenario-result", "/scenarios/{id}/result", "A saved scenario computed, as of the current snapshot unless it names one", func(ctx context.Context, in *itemPath) (*scenario.Result, error) {
		saved, err := answered(scenarioOf)(s.Workspace.Get(ctx, s.scope(ctx), workspace.KindScenario, in.ID))
		if err != nil {
			return nil, err
		}
		return s.Scenarios.Run(ctx, s.scope(ctx), saved.Content)
	})
	post(api, "restore-scenario", "/scenarios/{id}/restore", "Bring a deleted scenario back", func(ctx context.Context, in *itemPath) (scenarioAnswer, error) {
		return answered(scenarioOf)(s.Workspace.Restore(ctx, s.scope(ctx), workspace.KindScenario, in.ID))
	})
	s.deletion(api, "delete-scenario", "/scenarios/{id}", "Delete a scenario; it can be restored for 30 days", workspace.KindScenario)
}

// overComplete fills an open period with the last complete months of data.
func (s *server) overComplete(ctx context.Context, d scenario.Definition) (scenario.Definition, error) {
	if d.Period.Bounded() {
		return d, nil
	}
	complete, err := s.Insights.Complete(ctx, s.scope(ctx))
	if err != nil {
		return d, err
	}
	if !complete.Bounded() {
		return d, fault.Newf(fault.NotFound, "there is no complete month of data yet: import invoices and time entries first")
	}
	return d.Over(complete), nil
}

// scenarioContent is a checked definition as it is kept, its period fixed.
func (s *server) scenarioContent(ctx context.Context, d scenario.Definition) (json.RawMessage, error) {
	d, err := s.overComplete(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := s.Scenarios.Check(d); err != nil {
		return nil, err
	}
	return json.Marshal(d)
}

func scenarioOf(i workspace.Item) (scenarioAnswer, error) {
	var out scenarioAnswer
	var err error
	if out.ItemAnswer, err = itemOf(i); err != nil {
		return out, err
	}
	return out, json.Unmarshal(i.Content, &out.Content)
}

func (s *server) compareScenarios(ctx context.Context, in *struct {
	IDs string `query:"id" required:"true" doc:"ids with commas between, at most 6"`
}) (page[comparedScenario], error) {
	out := page[comparedScenario]{Items: []comparedScenario{}}
	ids := strings.Split(in.IDs, ",")
	if len(ids) > mostCompared {
		return out, fault.WithFields("at most 6 scenarios are compared at once", fault.Field{Path: "id", Message: "names more than 6"})
	}
	for _, id := range ids {
		saved, err := answered(scenarioOf)(s.Workspace.Get(ctx, s.scope(ctx), workspace.KindScenario, strings.TrimSpace(id)))
		if err != nil {
			return out, err
		}
		r, err := s.Scenarios.Run(ctx, s.scope(ctx), saved.Content)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, comparedScenario{saved.ID, saved.Name, r})
	}
	return out, nil
}
