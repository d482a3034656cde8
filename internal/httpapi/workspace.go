package httpapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

func (s *server) workspaceRoutes(api huma.API) {
	s.dashboardRoutes(api)
	s.viewRoutes(api)
	s.feedbackRoutes(api)
	get(api, "get-settings", "/settings", "How things are shown", func(ctx context.Context, _ *none) (workspace.Settings, error) {
		return s.Workspace.Settings(ctx, s.scope(ctx))
	})
	send(api, http.MethodPut, http.StatusOK, "put-settings", "/settings", "Set how things are shown", func(ctx context.Context, in *struct{ Body workspace.Settings }) (workspace.Settings, error) {
		return s.Workspace.PutSettings(ctx, s.scope(ctx), in.Body)
	})
	act(api, http.MethodPost, "add-usage", "/usage", "Count uses of features today", func(ctx context.Context, in *struct{ Body usageBody }) error {
		return s.Workspace.Use(ctx, s.scope(ctx), in.Body.Features)
	})
	get(api, "get-usage", "/usage", "How much each feature is used, the most used first", s.usage)
}

func (s *server) dashboardRoutes(api huma.API) {
	get(api, "list-dashboards", "/dashboards", "Dashboards without their content, newest change first", func(ctx context.Context, in *itemsInput) (page[ItemAnswer], error) {
		return items(ctx, s, workspace.KindDashboard, in, itemOf)
	})
	get(api, "list-dashboard-templates", "/dashboards/templates", "Built-in dashboards to begin with", func(context.Context, *none) (page[templateAnswer], error) {
		out := page[templateAnswer]{Items: []templateAnswer{}}
		for _, t := range workspace.Templates() {
			out.Items = append(out.Items, templateAnswer(t))
		}
		return out, nil
	})
	sendChecked(api, http.MethodPost, http.StatusCreated, "create-dashboard", "/dashboards", "Create a dashboard from a template, from content, or empty", func(ctx context.Context, in *struct{ Body strictly[newDashboard] }) (dashboardAnswer, error) {
		return s.createDashboard(ctx, in.Body.is)
	})
	get(api, "get-dashboard", "/dashboards/{id}", "One dashboard", func(ctx context.Context, in *itemPath) (dashboardAnswer, error) {
		return dashboardOf(s.Workspace.Get(ctx, s.scope(ctx), workspace.KindDashboard, in.ID))
	})
	sendChecked(api, http.MethodPut, http.StatusOK, "save-dashboard", "/dashboards/{id}", "Save a dashboard as a new revision; 409 when someone else did meanwhile", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body strictly[savedDashboard]
	}) (dashboardAnswer, error) {
		b := in.Body.is
		return dashboardOf(s.Workspace.Save(ctx, s.scope(ctx), workspace.KindDashboard, in.ID, workspace.Edit{Name: b.Name, Content: b.Content.RawMessage, Based: b.Revision, Autosave: b.Autosave}))
	})
	post(api, "undo-dashboard", "/dashboards/{id}/undo", "Go back to the revision before", func(ctx context.Context, in *itemPath) (dashboardAnswer, error) {
		return dashboardOf(s.Workspace.Undo(ctx, s.scope(ctx), in.ID))
	})
	post(api, "redo-dashboard", "/dashboards/{id}/redo", "Go on to the revision after", func(ctx context.Context, in *itemPath) (dashboardAnswer, error) {
		return dashboardOf(s.Workspace.Redo(ctx, s.scope(ctx), in.ID))
	})
	post(api, "restore-dashboard", "/dashboards/{id}/restore", "Bring a deleted dashboard back", func(ctx context.Context, in *itemPath) (dashboardAnswer, error) {
		return dashboardOf(s.Workspace.Restore(ctx, s.scope(ctx), workspace.KindDashboard, in.ID))
	})
	s.deletion(api, "delete-dashboard", "/dashboards/{id}", "Delete a dashboard; it can be restored for 30 days", workspace.KindDashboard)
}

func (s *server) viewRoutes(api huma.API) {
	get(api, "list-views", "/views", "Saved views, newest change first", func(ctx context.Context, in *itemsInput) (page[viewAnswer], error) {
		return items(ctx, s, workspace.KindView, in, viewOf)
	})
	send(api, http.MethodPost, http.StatusCreated, "create-view", "/views", "Save a view: a page with its filters", func(ctx context.Context, in *struct{ Body newView }) (viewAnswer, error) {
		content, err := json.Marshal(in.Body.Content)
		if err != nil {
			return viewAnswer{}, err
		}
		return answered(viewOf)(s.Workspace.Create(ctx, s.scope(ctx), workspace.KindView, in.Body.Name, content))
	})
	send(api, http.MethodPut, http.StatusOK, "save-view", "/views/{id}", "Change a saved view; 409 when someone else did meanwhile", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body savedView
	}) (viewAnswer, error) {
		content, err := json.Marshal(in.Body.Content)
		if err != nil {
			return viewAnswer{}, err
		}
		return answered(viewOf)(s.Workspace.Save(ctx, s.scope(ctx), workspace.KindView, in.ID, workspace.Edit{Name: in.Body.Name, Content: content, Based: in.Body.Revision}))
	})
	post(api, "restore-view", "/views/{id}/restore", "Bring a deleted view back", func(ctx context.Context, in *itemPath) (viewAnswer, error) {
		return answered(viewOf)(s.Workspace.Restore(ctx, s.scope(ctx), workspace.KindView, in.ID))
	})
	s.deletion(api, "delete-view", "/views/{id}", "Delete a saved view; it can be restored for 30 days", workspace.KindView)

	post(api, "create-link", "/links", "A short address of a page; the same for the same path", func(ctx context.Context, in *struct{ Body workspace.Target }) (linkAnswer, error) {
		return answered(linkOf)(s.Workspace.Link(ctx, s.scope(ctx), in.Body.Path))
	})
	get(api, "list-links", "/links", "Short addresses, newest first", func(ctx context.Context, in *itemsInput) (page[linkAnswer], error) {
		return items(ctx, s, workspace.KindLink, in, linkOf)
	})
	get(api, "get-link", "/links/{id}", "Where a short address leads", func(ctx context.Context, in *itemPath) (linkAnswer, error) {
		return answered(linkOf)(s.Workspace.Get(ctx, s.scope(ctx), workspace.KindLink, in.ID))
	})
	s.deletion(api, "delete-link", "/links/{id}", "Delete a short address; asking for its path again brings it back", workspace.KindLink)
}

// send registers a route that writes and answers with a status of its own.
func send[I, O any](api huma.API, method string, status int, id, path, summary string, fn func(context.Context, *I) (O, error)) {
	register(api, huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, DefaultStatus: status}, fn)
}

// sendChecked is send for bodies that the store checks as a whole: it lists every wrong
// part under a path of its own, the schema is for the document only.
func sendChecked[I, O any](api huma.API, method string, status int, id, path, summary string, fn func(context.Context, *I) (O, error)) {
	register(api, huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, DefaultStatus: status, SkipValidateBody: true}, fn)
}

// act registers a route that answers 204 without a body.
func act[I any](api huma.API, method, id, path, summary string, fn func(context.Context, *I) error) {
	huma.Register(api, huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}}, func(ctx context.Context, in *I) (*struct{}, error) {
		if err := fn(ctx, in); err != nil {
			return nil, problemOf(err)
		}
		return nil, nil
	})
}

func (s *server) deletion(api huma.API, id, path, summary string, kind workspace.Kind) {
	act(api, http.MethodDelete, id, path, summary, func(ctx context.Context, in *itemPath) error {
		return s.Workspace.Delete(ctx, s.scope(ctx), kind, in.ID)
	})
}

// strictly is a body of T without unknown fields, which huma leaves unchecked when it does
// not validate.
type strictly[T any] struct{ is T }

// Schema is T's.
func (strictly[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// UnmarshalJSON refuses unknown fields.
func (b *strictly[T]) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(&b.is)
}

// dashboardContent passes a dashboard's content through; the store checks and writes it.
type dashboardContent struct{ json.RawMessage }

// Schema is the dashboard's.
func (dashboardContent) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[workspace.Dashboard](), true, "")
}

type newDashboard struct {
	Name     string           `json:"name" minLength:"1" maxLength:"120"`
	Template string           `json:"template,omitempty" enum:"owner,service,finance" doc:"begin with a built-in dashboard; not together with content"`
	Content  dashboardContent `json:"content,omitempty"`
}

type savedDashboard struct {
	Name     string           `json:"name" minLength:"1" maxLength:"120"`
	Content  dashboardContent `json:"content"`
	Revision int64            `json:"revision" doc:"the revision that was changed"`
	Autosave bool             `json:"autosave,omitempty" doc:"saved by the editor by itself: not told to the audit"`
}

type newView struct {
	Name    string           `json:"name" minLength:"1" maxLength:"120"`
	Content workspace.Target `json:"content"`
}

type savedView struct {
	Name     string           `json:"name" minLength:"1" maxLength:"120"`
	Content  workspace.Target `json:"content"`
	Revision int64            `json:"revision" doc:"the revision that was changed"`
}

type itemPath struct {
	ID string `path:"id" maxLength:"40"`
}

type itemsInput struct {
	Limit   int   `query:"limit" default:"50" minimum:"1" maximum:"1000" doc:"most entries of the page"`
	Cursor  int64 `query:"cursor" minimum:"0" doc:"next of the page before"`
	Deleted bool  `query:"deleted" doc:"true: those that can be restored, the last deleted first"`
}

// ItemAnswer is what all items say; huma sees embedded structs only when they are exported.
type ItemAnswer struct {
	ID        string       `json:"id"`
	Kind      string       `json:"kind" enum:"dashboard,view,scenario"`
	Name      string       `json:"name"`
	Revision  int64        `json:"revision" doc:"send it with a change"`
	CreatedAt string       `json:"created_at" format:"date-time"`
	UpdatedAt string       `json:"updated_at" format:"date-time"`
	DeletedAt string       `json:"deleted_at,omitempty" format:"date-time"`
	Author    tenant.Actor `json:"author" doc:"who created it"`
}

type revisionAnswer struct {
	Revision int64  `json:"revision"`
	At       string `json:"at" format:"date-time"`
}

type dashboardAnswer struct {
	ItemAnswer
	Content   dashboardContent `json:"content"`
	Revisions []revisionAnswer `json:"revisions" nullable:"false" doc:"kept ones, oldest first; the current one may stand in the middle after an undo"`
	CanUndo   bool             `json:"can_undo"`
	CanRedo   bool             `json:"can_redo"`
}

type viewAnswer struct {
	ItemAnswer
	Content workspace.Target `json:"content"`
}

type linkAnswer struct {
	ID   string `json:"id"`
	Path string `json:"path"`
	URL  string `json:"url" doc:"short address, without host"`
}

type templateAnswer struct {
	Key         string              `json:"key" enum:"owner,service,finance"`
	Label       string              `json:"label"`
	Description string              `json:"description"`
	Content     workspace.Dashboard `json:"content"`
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func itemOf(i workspace.Item) (ItemAnswer, error) {
	return ItemAnswer{i.ID, string(i.Kind), i.Name, i.Revision, instant(i.CreatedAt), instant(i.UpdatedAt), instant(i.DeletedAt), i.Author}, nil
}

func dashboardOf(i workspace.Item, err error) (dashboardAnswer, error) {
	if err != nil {
		return dashboardAnswer{}, err
	}
	head, err := itemOf(i)
	out := dashboardAnswer{head, dashboardContent{i.Content}, []revisionAnswer{}, i.CanUndo(), i.CanRedo()}
	for _, r := range i.Revisions {
		out.Revisions = append(out.Revisions, revisionAnswer{r.Number, instant(r.At)})
	}
	return out, err
}

func viewOf(i workspace.Item) (viewAnswer, error) {
	var out viewAnswer
	var err error
	if out.ItemAnswer, err = itemOf(i); err != nil {
		return out, err
	}
	return out, json.Unmarshal(i.Content, &out.Content)
}

func linkOf(i workspace.Item) (linkAnswer, error) {
	var t workspace.Target
	err := json.Unmarshal(i.Content, &t)
	return linkAnswer{i.ID, t.Path, "/s/" + i.ID}, err
}

// answered makes an answer of what a method of the store returned.
func answered[O any](of func(workspace.Item) (O, error)) func(workspace.Item, error) (O, error) {
	return func(i workspace.Item, err error) (O, error) {
		if err != nil {
			var zero O
			return zero, err
		}
		return of(i)
	}
}

// items is a page of a list; its cursor counts entries, since the order changes with
// every save.
func items[O any](ctx context.Context, s *server, kind workspace.Kind, in *itemsInput, of func(workspace.Item) (O, error)) (page[O], error) {
	out := page[O]{Items: []O{}}
	list, more, err := s.Workspace.List(ctx, s.scope(ctx), kind, in.Deleted, int(min(in.Cursor, math.MaxInt32)), in.Limit)
	if err != nil {
		return out, err
	}
	for _, i := range list {
		answer, err := of(i)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, answer)
	}
	if more {
		out.Next = in.Cursor + int64(len(list))
	}
	return out, nil
}

func (s *server) createDashboard(ctx context.Context, in newDashboard) (dashboardAnswer, error) {
	content := in.Content.RawMessage
	switch {
	case in.Template != "" && content != nil:
		return dashboardAnswer{}, fault.WithFields("the dashboard is not valid", fault.Field{Path: "template", Message: "stands beside content: send one of them"})
	case in.Template != "":
		t, err := workspace.TemplateOf(in.Template)
		if err != nil {
			return dashboardAnswer{}, err
		}
		if content, err = json.Marshal(t.Content); err != nil {
			return dashboardAnswer{}, err
		}
	case content == nil:
		content = json.RawMessage("{}")
	}
	return dashboardOf(s.Workspace.Create(ctx, s.scope(ctx), workspace.KindDashboard, in.Name, content))
}

// follow leads from a short address to its page.
func (s *server) follow(w http.ResponseWriter, r *http.Request) {
	link, err := answered(linkOf)(s.Workspace.Get(r.Context(), s.scope(r.Context()), workspace.KindLink, r.PathValue("id")))
	if fault.KindOf(err) == fault.NotFound && strings.Contains(r.Header.Get("Accept"), "text/html") {
		assets()["/index.html"].serve(w, r, false) // the app says that there is no such page
		return
	}
	if err != nil {
		writeProblem(w, problemOf(err))
		return
	}
	http.Redirect(w, r, link.Path, http.StatusFound)
}

type feedbackBody struct {
	Score   *int64 `json:"score,omitempty" nullable:"true" minimum:"0" maximum:"10" doc:"how likely you recommend MoatMetrics; it or a comment"`
	Comment string `json:"comment,omitempty" maxLength:"4000"`
	Page    string `json:"page,omitempty" maxLength:"500" doc:"path of the page it is about"`
}

type feedbackAnswer struct {
	ID      int64  `json:"id"`
	At      string `json:"at" format:"date-time"`
	Score   *int64 `json:"score" nullable:"true"`
	Comment string `json:"comment"`
	Page    string `json:"page"`
}

type feedbackSummary struct {
	Count  int64  `json:"count"`
	Scored int64  `json:"scored" doc:"of these, with a score"`
	NPS    *int64 `json:"nps" nullable:"true" doc:"% of scores 9 and 10 less % of scores 0 to 6; null without a score"`
}

type feedbackPage struct {
	Items   []feedbackAnswer `json:"items" nullable:"false"`
	Next    int64            `json:"next,omitempty" doc:"pass as cursor for the next page; absent on the last"`
	Summary feedbackSummary  `json:"summary" doc:"of all, not of the page"`
}

func feedbackOf(f workspace.Feedback) feedbackAnswer {
	return feedbackAnswer{f.ID, instant(f.At), f.Score, f.Comment, f.Page}
}

func (s *server) feedbackRoutes(api huma.API) {
	send(api, http.MethodPost, http.StatusCreated, "add-feedback", "/feedback", "Say what you think; it stays on this machine", func(ctx context.Context, in *struct{ Body feedbackBody }) (feedbackAnswer, error) {
		f, err := s.Workspace.AddFeedback(ctx, s.scope(ctx), workspace.Feedback{Score: in.Body.Score, Comment: in.Body.Comment, Page: in.Body.Page})
		return feedbackOf(f), err
	})
	raw(api, huma.Operation{OperationID: "list-feedback", Method: http.MethodGet, Path: "/api/v1/feedback", Summary: "Feedback, newest first, as JSON or (format=csv) all of it as a file",
		Parameters: []*huma.Param{{Name: "format", In: "query", Schema: &huma.Schema{Type: "string", Enum: []any{"json", "csv"}}},
			{Name: "limit", In: "query", Schema: &huma.Schema{Type: "integer", Minimum: new(1.0), Maximum: new(1000.0), Default: 50}}, {Name: "cursor", In: "query", Schema: &huma.Schema{Type: "integer", Minimum: new(0.0)}}},
		Responses: map[string]*huma.Response{"200": jsonResponse(api, "a page and the summary of all", feedbackPage{})},
	}, s.feedback)
	act(api, http.MethodDelete, "delete-feedback", "/feedback/{id}", "Delete one entry", func(ctx context.Context, in *struct {
		ID int64 `path:"id"`
	}) error {
		return s.Workspace.DeleteFeedback(ctx, s.scope(ctx), in.ID)
	})
}

func (s *server) feedback(ctx huma.Context) error {
	switch ctx.Query("format") {
	case "csv":
		return s.feedbackFile(ctx)
	case "", "json":
	default:
		return fault.WithFields("format is not valid", fault.Field{Path: "format", Message: "is not a format", Allowed: []string{"json", "csv"}})
	}
	limit, cursor := int64(50), int64(0)
	for _, p := range []struct {
		name        string
		to          *int64
		least, most int64
	}{{"limit", &limit, 1, 1000}, {"cursor", &cursor, 0, math.MaxInt64}} {
		if text := ctx.Query(p.name); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < p.least || n > p.most {
				return fault.WithFields(p.name+" is not valid", fault.Field{Path: p.name, Message: fmt.Sprintf("must be %d to %d", p.least, p.most)})
			}
			*p.to = n
		}
	}
	list, sum, err := s.Workspace.Feedback(ctx.Context(), s.scope(ctx.Context()), cursor, int(limit))
	if err != nil {
		return err
	}
	out := feedbackPage{Items: []feedbackAnswer{}, Summary: feedbackSummary(sum)}
	for _, f := range list {
		out.Items = append(out.Items, feedbackOf(f))
	}
	if len(list) == int(limit) {
		out.Next = list[len(list)-1].ID
	}
	ctx.SetHeader("Content-Type", "application/json")
	return json.NewEncoder(ctx.BodyWriter()).Encode(out)
}

// feedbackFile writes all feedback as CSV; cells cannot run as formulas in a spreadsheet.
func (s *server) feedbackFile(ctx huma.Context) error {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	w.Write([]string{"id", "at", "score", "comment", "page"})
	for before := int64(0); ; {
		list, _, err := s.Workspace.Feedback(ctx.Context(), s.scope(ctx.Context()), before, 1000)
		if err != nil {
			return err
		}
		for _, f := range list {
			score := ""
			if f.Score != nil {
				score = fmt.Sprint(*f.Score)
			}
			w.Write([]string{fmt.Sprint(f.ID), instant(f.At), score, document.Inert(f.Comment), document.Inert(f.Page)})
		}
		if len(list) < 1000 {
			break
		}
		before = list[len(list)-1].ID
	}
	w.Flush()
	ctx.SetHeader("Content-Type", "text/csv; charset=utf-8")
	ctx.SetHeader("Content-Disposition", `attachment; filename="feedback.csv"`)
	_, err := ctx.BodyWriter().Write(buf.Bytes())
	return err
}

type usageBody struct {
	Features []string `json:"features" nullable:"false" maxItems:"50" doc:"names such as explore.export; one named twice was used twice"`
}

type adoptionAnswer struct {
	Feature string       `json:"feature"`
	Uses    int64        `json:"uses"`
	People  int64        `json:"people" doc:"different people"`
	First   quantity.Day `json:"first" format:"date"`
	Last    quantity.Day `json:"last" format:"date"`
}

func (s *server) usage(ctx context.Context, in *struct {
	Days int `query:"days" default:"90" minimum:"1" maximum:"400" doc:"the last days, today included"`
}) (page[adoptionAnswer], error) {
	out := page[adoptionAnswer]{Items: []adoptionAnswer{}}
	list, err := s.Workspace.Adoption(ctx, s.scope(ctx), in.Days)
	for _, a := range list {
		out.Items = append(out.Items, adoptionAnswer(a))
	}
	return out, err
}
