package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

const (
	eventStream = "text/event-stream"
	// maxStreams bounds the open streams: each holds a connection.
	maxStreams = 200
	// pollEvery is how often the current snapshot is looked up: another process may have
	// imported.
	pollEvery = time.Second
	// beatEvery is how often an idle stream says that it lives: proxies cut silent ones.
	beatEvery = 15 * time.Second
	// sendWithin bounds one write to a client that does not read.
	sendWithin = 10 * time.Second
)

// hub tells the open streams which snapshot is the current one. It looks only while there
// are any.
type hub struct {
	current func(context.Context, tenant.Scope) (warehouse.Snapshot, error)

	mu      sync.Mutex
	streams map[chan warehouse.Snapshot]tenant.Slug
	stop    context.CancelFunc // of the polling, nil when there is none
}

// join returns a channel that gets the newest snapshot when another became the current one;
// leave must be called once.
func (h *hub) join(of tenant.Slug) (news <-chan warehouse.Snapshot, leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.streams) >= maxStreams {
		return nil, nil, fault.Newf(fault.Unavailable, "%d event streams are open, the most there may be: close some, or ask again later", maxStreams)
	}
	if h.streams == nil {
		h.streams = map[chan warehouse.Snapshot]tenant.Slug{}
	}
	ch := make(chan warehouse.Snapshot, 1)
	h.streams[ch] = of
	if h.stop == nil {
		ctx, cancel := context.WithCancel(context.Background()) // of the hub, not of one client
		h.stop = cancel
		go h.poll(ctx)
	}
	return ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.streams, ch)
		if len(h.streams) == 0 && h.stop != nil {
			h.stop()
			h.stop = nil
		}
	}, nil
}

// poll looks up the current snapshot until ctx ends. A failed look-up is left to the next.
func (h *hub) poll(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	last := map[tenant.Slug]warehouse.Snapshot{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, of := range h.tenants() {
			snap, err := h.current(ctx, tenant.Scope{Tenant: of, Actor: "events"})
			if before, seen := last[of]; err != nil || seen && snap == before {
				continue
			}
			last[of] = snap
			h.tell(of, snap)
		}
	}
}

// tenants lists those that streams are open for.
func (h *hub) tenants() []tenant.Slug {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Compact(slices.Sorted(maps.Values(h.streams)))
}

func (h *hub) tell(of tenant.Slug, snap warehouse.Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch, its := range h.streams {
		if its != of {
			continue
		}
		select {
		case <-ch: // what was not read yet is old
		default:
		}
		ch <- snap
	}
}

type helloEvent struct {
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Version  string             `json:"version"`
}

type snapshotEvent struct {
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Before   warehouse.Snapshot `json:"before"`
}

func (s *server) eventRoutes(api huma.API) {
	event := func(name string, data any) *huma.Schema {
		return &huma.Schema{Type: "object", Required: []string{"event", "data"}, Properties: map[string]*huma.Schema{
			"event": {Type: "string", Enum: []any{name}}, "data": api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(data), true, "")}}
	}
	raw(api, huma.Operation{OperationID: "events", Method: http.MethodGet, Path: "/api/v1/events", Summary: "What happens, as server-sent events",
		Description: "First comes hello with the current snapshot, then snapshot whenever another one becomes the current one, also when another process imported. A comment line every 15 seconds says that the stream lives. At most 200 streams are open at once.",
		Responses: map[string]*huma.Response{"200": {Description: "the events", Content: map[string]*huma.MediaType{eventStream: {Schema: &huma.Schema{OneOf: []*huma.Schema{
			event("hello", helloEvent{}), event("snapshot", snapshotEvent{})}}}}}, "503": {Description: "too many streams; problem details"}},
	}, s.stream)
}

// stream writes events until the client leaves or the server ends.
func (s *server) stream(ctx huma.Context) error {
	r, w := humago.Unwrap(ctx)
	news, leave, err := s.events.join(s.scope(ctx.Context()).Tenant)
	if err != nil {
		return err
	}
	defer leave()
	snap, err := s.Warehouse.Current(r.Context(), s.scope(ctx.Context()))
	if err != nil {
		return err
	}
	out := newEventWriter(w)
	defer out.end()
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	going := out.event("hello", helloEvent{snap, s.opt.Version})
	for going {
		select {
		case <-r.Context().Done():
			return nil
		case <-s.opt.Done:
			return nil
		case <-beat.C:
			going = s.still(r) && out.send(": still here\n\n") // a session that ended ends its streams
		case now := <-news:
			if now != snap {
				going = out.event("snapshot", snapshotEvent{now, snap})
				snap = now
			}
		}
	}
	return nil // the client is gone
}

// eventWriter writes server-sent events to a client; each write says whether the client is
// still there.
type eventWriter struct {
	w   http.ResponseWriter
	out *http.ResponseController
}

func newEventWriter(w http.ResponseWriter) *eventWriter {
	w.Header().Set("Content-Type", eventStream)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	return &eventWriter{w, http.NewResponseController(w)}
}

// end lets the connection serve again.
func (e *eventWriter) end() { e.out.SetWriteDeadline(time.Time{}) }

func (e *eventWriter) send(text string) bool {
	e.out.SetWriteDeadline(time.Now().Add(sendWithin))
	_, err := fmt.Fprint(e.w, text)
	return err == nil && e.out.Flush() == nil
}

func (e *eventWriter) event(name string, data any) bool {
	text, err := json.Marshal(data)
	return err == nil && e.send("event: "+name+"\ndata: "+string(text)+"\n\n")
}
