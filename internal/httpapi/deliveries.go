package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
)

type destinationPath struct {
	ID string `path:"id" maxLength:"100" doc:"id or name"`
}

type deliveryPath struct {
	ID string `path:"id" maxLength:"40"`
}

type testBody struct {
	To string `json:"to,omitempty" maxLength:"254" doc:"of email: the address, or a user such as user:17"`
}

func (s *server) deliveryRoutes(api huma.API) {
	get(api, "list-destinations", "/destinations", "Where reports and alerts can be sent", func(ctx context.Context, _ *none) (page[delivery.Destination], error) {
		list, err := s.Delivery.Destinations(ctx, s.scope(ctx))
		if err == nil {
			err = s.destinationsFor(ctx, list)
		}
		return page[delivery.Destination]{Items: orEmpty(list)}, err
	})
	sendChecked(api, http.MethodPost, http.StatusCreated, "create-destination", "/destinations", "Name a destination; nothing is sent yet", func(ctx context.Context, in *struct{ Body strictly[delivery.Spec] }) (delivery.Destination, error) {
		return s.Delivery.Add(ctx, s.scope(ctx), in.Body.is)
	})
	get(api, "get-destination", "/destinations/{id}", "One destination", func(ctx context.Context, in *destinationPath) (delivery.Destination, error) {
		if err := s.destinationsFor(ctx, nil); err != nil { // before it is known whether there is one
			return delivery.Destination{}, err
		}
		d, err := s.Delivery.Destination(ctx, s.scope(ctx), in.ID)
		if err != nil {
			return d, err
		}
		one := []delivery.Destination{d}
		err = s.destinationsFor(ctx, one)
		return one[0], err
	})
	sendChecked(api, http.MethodPut, http.StatusOK, "change-destination", "/destinations/{id}", "Replace what was said about a destination; what waits goes to where it is from now on", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"100"`
		Body strictly[delivery.Spec]
	}) (delivery.Destination, error) {
		return s.Delivery.Change(ctx, s.scope(ctx), in.ID, in.Body.is)
	})
	act(api, http.MethodDelete, "delete-destination", "/destinations/{id}", "Forget a destination; what waits for it is canceled", func(ctx context.Context, in *destinationPath) error {
		return s.Delivery.Remove(ctx, s.scope(ctx), in.ID)
	})
	sendChecked(api, http.MethodPost, http.StatusOK, "test-destination", "/destinations/{id}/test", "Send a message that says that it is a test", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"100"`
		Body strictly[testBody]
	}) (delivery.Receipt, error) {
		return s.Delivery.Test(ctx, s.scope(ctx), in.ID, in.Body.is.To)
	})
	get(api, "list-deliveries", "/deliveries", "What was sent or is to be, the newest first", func(ctx context.Context, in *struct {
		Paging
		Status string `query:"status" enum:"waiting,sent,failed,canceled" doc:"all when left out"`
		Kind   string `query:"kind" maxLength:"40" doc:"such as report or alert; all when left out"`
		Ref    string `query:"ref" maxLength:"200" doc:"only what is known by this"`
	}) (page[delivery.Delivery], error) {
		list, err := s.Delivery.Deliveries(ctx, s.scope(ctx), delivery.Filter{Status: delivery.Status(in.Status), Kind: in.Kind, Ref: in.Ref}, in.Limit, in.Cursor)
		out := page[delivery.Delivery]{Items: orEmpty(list)}
		if len(list) == in.Limit {
			out.Next = in.Cursor + int64(in.Limit)
		}
		return out, err
	})
	get(api, "get-delivery", "/deliveries/{id}", "One delivery", func(ctx context.Context, in *deliveryPath) (delivery.Delivery, error) {
		return s.Delivery.Delivery(ctx, s.scope(ctx), in.ID)
	})
	post(api, "cancel-delivery", "/deliveries/{id}/cancel", "End a delivery that waits", func(ctx context.Context, in *deliveryPath) (delivery.Delivery, error) {
		return s.Delivery.Cancel(ctx, s.scope(ctx), in.ID)
	})
	post(api, "retry-delivery", "/deliveries/{id}/retry", "Try a delivery that failed or was canceled again", func(ctx context.Context, in *deliveryPath) (delivery.Delivery, error) {
		return s.Delivery.Retry(ctx, s.scope(ctx), in.ID)
	})
	get(api, "get-push-key", "/push-key", "The key that a browser subscribes with", func(ctx context.Context, _ *none) (pushKeyAnswer, error) {
		key, err := s.Delivery.PushKey(ctx, s.scope(ctx))
		return pushKeyAnswer{key}, err
	})
	get(api, "list-push-devices", "/push-subscriptions", "The own devices that messages go to", func(ctx context.Context, _ *none) (page[delivery.Subscription], error) {
		list, err := s.Delivery.Subscriptions(ctx, s.scope(ctx))
		return page[delivery.Subscription]{Items: orEmpty(list)}, err
	})
	sendChecked(api, http.MethodPost, http.StatusCreated, "subscribe-push", "/push-subscriptions", "Opt in to messages in this browser", func(ctx context.Context, in *struct{ Body strictly[delivery.Browser] }) (delivery.Subscription, error) {
		return s.Delivery.Subscribe(ctx, s.scope(ctx), in.Body.is)
	})
	act(api, http.MethodDelete, "unsubscribe-push", "/push-subscriptions/{id}", "End messages on a device of one's own", func(ctx context.Context, in *deliveryPath) error {
		return s.Delivery.Unsubscribe(ctx, s.scope(ctx), in.ID)
	})
}

type pushKeyAnswer struct {
	Key string `json:"key" doc:"applicationServerKey, as base64url"`
}

// destinationsFor leaves of destinations what the asker needs of them: who manages them sees
// all but secrets, who may make alerts or schedules sees which there are, others nothing.
func (s *server) destinationsFor(ctx context.Context, list []delivery.Destination) error {
	scope := s.scope(ctx)
	if scope.Rights.May(access.DestinationsManage) {
		return nil
	}
	if !scope.Rights.May(access.DefinitionsWrite) {
		if err := scope.Need(access.ReportsSend); err != nil {
			return err
		}
	}
	for i := range list {
		list[i].Settings = delivery.Settings{}
	}
	return nil
}
