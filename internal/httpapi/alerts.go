package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/alert"
)

type routePath struct {
	ID string `path:"id" maxLength:"100" doc:"id or name"`
}

type alertPath struct {
	ID string `path:"id" maxLength:"40"`
}

// alertBody is an alert on a measure in one step: the rule and whom it tells.
type alertBody struct {
	alert.Threshold
	Route alert.RouteSpec `json:"route" doc:"whom it tells, how and when; its name and rules are those of the alert"`
}

type noteBody struct {
	Note string `json:"note,omitempty" maxLength:"4000" doc:"for colleagues: what is done about it"`
}

func (s *server) alertRoutes(api huma.API) {
	get(api, "list-alerts", "/alerts", "When rules held and hold, with who was told and who knows, the last begun first", func(ctx context.Context, in *struct {
		Paging
		Open           bool   `query:"open" doc:"only those that hold now"`
		Unacknowledged bool   `query:"unacknowledged" doc:"only those that nobody has acknowledged"`
		Rule           string `query:"rule" maxLength:"80" doc:"only this rule's"`
		Severity       string `query:"severity" enum:"info,warning,critical" doc:"only those of this severity"`
	}) (page[alert.Alert], error) {
		list, err := s.Alerts.List(ctx, s.scope(ctx), alert.Filter{Open: in.Open, Unacknowledged: in.Unacknowledged, Rule: in.Rule, Severity: in.Severity}, in.Limit, in.Cursor)
		out := page[alert.Alert]{Items: orEmpty(list)}
		if len(list) == in.Limit {
			out.Next = in.Cursor + int64(in.Limit)
		}
		return out, err
	})
	sendChecked(api, http.MethodPost, http.StatusCreated, "add-alert", "/alerts", "Alert on a measure or KPI: makes the rule and the route in one step", func(ctx context.Context, in *struct{ Body strictly[alertBody] }) (alert.Route, error) {
		return s.Alerts.AddThreshold(ctx, s.scope(ctx), in.Body.is.Threshold, in.Body.is.Route)
	})
	sendChecked(api, http.MethodPost, http.StatusOK, "acknowledge-alert", "/alerts/{id}/acknowledge", "Say that it is known: nobody is reminded of it any more", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body strictly[noteBody]
	}) (alert.Alert, error) {
		return s.Alerts.Acknowledge(ctx, s.scope(ctx), in.ID, in.Body.is.Note)
	})
	register(api, huma.Operation{OperationID: "unacknowledge-alert", Method: http.MethodDelete, Path: "/api/v1/alerts/{id}/acknowledge", Summary: "Take an acknowledgement back"}, func(ctx context.Context, in *alertPath) (alert.Alert, error) {
		return s.Alerts.Unacknowledge(ctx, s.scope(ctx), in.ID)
	})
	get(api, "list-alert-routes", "/alert-routes", "Whom rules tell, how and when", func(ctx context.Context, _ *none) (page[alert.Route], error) {
		list, err := s.Alerts.Routes(ctx, s.scope(ctx))
		return page[alert.Route]{Items: orEmpty(list)}, err
	})
	sendChecked(api, http.MethodPost, http.StatusCreated, "create-alert-route", "/alert-routes", "Tell people of rules that begin to hold", func(ctx context.Context, in *struct{ Body strictly[alert.RouteSpec] }) (alert.Route, error) {
		return s.Alerts.AddRoute(ctx, s.scope(ctx), in.Body.is)
	})
	get(api, "get-alert-route", "/alert-routes/{id}", "One route", func(ctx context.Context, in *routePath) (alert.Route, error) {
		return s.Alerts.Route(ctx, s.scope(ctx), in.ID)
	})
	sendChecked(api, http.MethodPut, http.StatusOK, "change-alert-route", "/alert-routes/{id}", "Replace what was said about a route; what it has told it does not tell again", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"100"`
		Body strictly[alert.RouteSpec]
	}) (alert.Route, error) {
		return s.Alerts.ChangeRoute(ctx, s.scope(ctx), in.ID, in.Body.is)
	})
	act(api, http.MethodDelete, "delete-alert-route", "/alert-routes/{id}", "Forget a route", func(ctx context.Context, in *routePath) error {
		return s.Alerts.RemoveRoute(ctx, s.scope(ctx), in.ID)
	})
}
