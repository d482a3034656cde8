package httpapi

import (
	"bytes"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/govern"
)

type requestPath struct {
	ID string `path:"id" maxLength:"40"`
}

type ruleKept struct {
	Dataset string `json:"dataset,omitempty" maxLength:"100" doc:"left out for uploads, rejects and reports"`
	What    string `json:"what" enum:"rows,private,uploads,rejects,reports"`
	Months  *int   `json:"months,omitempty" doc:"whole months that are kept, 0 for ever; the default again when left out"`
}

type holdBody struct {
	Kind    string `json:"kind" enum:"client,person,dataset"`
	Subject string `json:"subject" maxLength:"500" doc:"name of a client, key of a person, or a dataset; blank with kind dataset is everything"`
	From    string `json:"from,omitempty" maxLength:"10" doc:"first day that is held; open when left out"`
	To      string `json:"to,omitempty" maxLength:"10" doc:"first day that is not held any more; open when left out"`
	Reason  string `json:"reason" minLength:"1" maxLength:"2000"`
}

type requestBody struct {
	Kind       string   `json:"kind" enum:"access,erasure"`
	Person     string   `json:"person" maxLength:"40" doc:"key of a person"`
	ReceivedOn string   `json:"received_on,omitempty" maxLength:"10" doc:"day it was received; today when left out"`
	Also       []string `json:"also,omitempty" maxItems:"20" doc:"further spellings to look for, such as a nickname or a telephone number"`
}

type requestDecision struct {
	Verdict string `json:"verdict" enum:"approve,reject"`
	Reason  string `json:"reason,omitempty" maxLength:"2000"`
}

// personsFound has a name of its own: reviews have a page of their people, too.
type personsFound page[govern.Person]

func (s *server) governanceRoutes(api huma.API) {
	get(api, "get-inventory", "/governance/inventory", "Which fields hold personal data, whose, why, where, and how long", func(ctx context.Context, _ *none) (page[govern.Item], error) {
		list, err := s.Governance.Inventory(ctx, s.scope(ctx))
		return page[govern.Item]{Items: list}, err
	})
	raw(api, huma.Operation{OperationID: "export-inventory", Method: http.MethodGet, Path: "/api/v1/governance/inventory.csv", Summary: "The inventory of personal data as CSV",
		Responses: map[string]*huma.Response{"200": {Description: "one row a field", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}},
	}, func(ctx huma.Context) error {
		list, err := s.Governance.Inventory(ctx.Context(), s.scope(ctx.Context()))
		if err != nil {
			return err
		}
		return sendFile(ctx, "text/csv; charset=utf-8", "personal-data.csv", func(b *bytes.Buffer) error { return govern.WriteInventory(b, list) })
	})
	get(api, "list-retention", "/governance/retention", "How long what is kept, and what a run would delete now", func(ctx context.Context, _ *none) (page[govern.Due], error) {
		list, err := s.Governance.Preview(ctx, s.scope(ctx))
		return page[govern.Due]{Items: list}, err
	})
	send(api, http.MethodPut, http.StatusOK, "set-retention", "/governance/retention", "Say how long something is kept; nothing is deleted before the next run", func(ctx context.Context, in *struct{ Body ruleKept }) (page[govern.Due], error) {
		b := in.Body
		var err error
		if b.Months == nil {
			err = s.Governance.ResetRule(ctx, s.scope(ctx), b.Dataset, govern.What(b.What))
		} else {
			err = s.Governance.SetRule(ctx, s.scope(ctx), b.Dataset, govern.What(b.What), *b.Months)
		}
		if err != nil {
			return page[govern.Due]{}, err
		}
		list, err := s.Governance.Preview(ctx, s.scope(ctx))
		return page[govern.Due]{Items: list}, err
	})
	post(api, "apply-retention", "/governance/retention/apply", "Delete what is due now", func(ctx context.Context, _ *none) (govern.Applied, error) {
		return s.Governance.Apply(ctx, s.scope(ctx))
	})
	get(api, "list-holds", "/governance/holds", "What must not be deleted, and what was held before", func(ctx context.Context, _ *none) (page[govern.Hold], error) {
		list, err := s.Governance.Holds(ctx, s.scope(ctx))
		return page[govern.Hold]{Items: list}, err
	})
	send(api, http.MethodPost, http.StatusCreated, "begin-hold", "/governance/holds", "Hold something from now on", func(ctx context.Context, in *struct{ Body holdBody }) (govern.Hold, error) {
		b := in.Body
		return s.Governance.BeginHold(ctx, s.scope(ctx), govern.HoldSpec{Kind: govern.HoldKind(b.Kind), Subject: b.Subject, From: b.From, To: b.To, Reason: b.Reason})
	})
	act(api, http.MethodPost, "end-hold", "/governance/holds/{id}/end", "Lift a hold", func(ctx context.Context, in *requestPath) error {
		return s.Governance.EndHold(ctx, s.scope(ctx), in.ID)
	})
	get(api, "find-people", "/governance/people", "Find persons by a part of a name or an e-mail address", func(ctx context.Context, in *struct {
		Text string `query:"q" maxLength:"200"`
	}) (personsFound, error) {
		list, err := s.Governance.People(ctx, s.scope(ctx), in.Text)
		return personsFound{Items: list}, err
	})
	get(api, "list-requests", "/governance/requests", "Requests of persons, newest first", func(ctx context.Context, _ *none) (page[govern.Request], error) {
		list, err := s.Governance.Requests(ctx, s.scope(ctx))
		return page[govern.Request]{Items: list}, err
	})
	send(api, http.MethodPost, http.StatusCreated, "create-request", "/governance/requests", "Note what a person asks for", func(ctx context.Context, in *struct{ Body requestBody }) (govern.Request, error) {
		b := in.Body
		return s.Governance.NewRequest(ctx, s.scope(ctx), govern.RequestSpec{Kind: govern.RequestKind(b.Kind), Person: b.Person, ReceivedOn: b.ReceivedOn, Also: b.Also})
	})
	get(api, "get-request", "/governance/requests/{id}", "One request, and what was done", func(ctx context.Context, in *requestPath) (govern.Request, error) {
		return s.Governance.Request(ctx, s.scope(ctx), in.ID)
	})
	get(api, "preview-request", "/governance/requests/{id}/preview", "What erasing the person would change", func(ctx context.Context, in *requestPath) (*govern.Plan, error) {
		return s.Governance.Plan(ctx, s.scope(ctx), in.ID)
	})
	raw(api, huma.Operation{OperationID: "export-request", Method: http.MethodGet, Path: "/api/v1/governance/requests/{id}/bundle", Summary: "Everything that is stored about the person, as a zip of JSON and CSV files",
		Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}},
		Responses:  map[string]*huma.Response{"200": {Description: "the files", Content: map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}},
	}, func(ctx huma.Context) error {
		id := ctx.Param("id")
		return sendFile(ctx, "application/zip", "request-"+id+".zip", func(b *bytes.Buffer) error {
			return s.Governance.Bundle(ctx.Context(), s.scope(ctx.Context()), id, b)
		})
	})
	post(api, "decide-request", "/governance/requests/{id}/decide", "Approve or reject a request to erase somebody; an approved one is carried out at once", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body requestDecision
	}) (govern.Request, error) {
		return s.Governance.Decide(ctx, s.scope(ctx), in.ID, in.Body.Verdict, in.Body.Reason)
	})
	post(api, "answer-request", "/governance/requests/{id}/answered", "Close a request for a copy", func(ctx context.Context, in *requestPath) (govern.Request, error) {
		return s.Governance.Answered(ctx, s.scope(ctx), in.ID)
	})
}

// sendFile answers with a file for download, once all of it is made.
func sendFile(ctx huma.Context, media, name string, fill func(b *bytes.Buffer) error) error {
	var b bytes.Buffer
	if err := fill(&b); err != nil {
		return err
	}
	ctx.SetHeader("Content-Type", media)
	ctx.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
	_, err := ctx.BodyWriter().Write(b.Bytes())
	return err
}
