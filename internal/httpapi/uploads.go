package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// offsetStream is the media type of a part of a file.
const offsetStream = "application/offset+octet-stream"

type newUpload struct {
	Name  string `json:"name" minLength:"1" maxLength:"255" doc:"file name"`
	Bytes int64  `json:"bytes" minimum:"1" doc:"size of the whole file"`
}

type uploadPath struct {
	ID string `path:"id" maxLength:"40"`
}

func (s *server) uploadRoutes(api huma.API) {
	send(api, http.MethodPost, http.StatusCreated, "create-upload", "/uploads", "Announce a file; its bytes follow in parts", func(ctx context.Context, in *struct{ Body newUpload }) (dataset.Upload, error) {
		return s.Data.NewUpload(ctx, s.scope(ctx), in.Body.Name, in.Body.Bytes)
	})
	get(api, "get-upload", "/uploads/{id}", "How much of a file is there", func(ctx context.Context, in *uploadPath) (dataset.Upload, error) {
		return s.Data.UploadOf(ctx, s.scope(ctx), in.ID)
	})
	act(api, http.MethodDelete, "delete-upload", "/uploads/{id}", "Forget a file that no import used", func(ctx context.Context, in *uploadPath) error {
		return s.Data.Discard(ctx, s.scope(ctx), in.ID)
	})
	id := &huma.Param{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}
	raw(api, huma.Operation{OperationID: "append-upload", Method: http.MethodPatch, Path: "/api/v1/uploads/{id}", Summary: "Send a part of a file",
		Description: "The body is the bytes from Upload-Offset on, which must be the upload's received; 409 says where to go on otherwise. What arrived before a connection broke is kept: ask for the upload, then send on. The file is complete when sha256 is set.",
		Parameters:  []*huma.Param{id, {Name: "Upload-Offset", In: "header", Required: true, Schema: &huma.Schema{Type: "integer"}}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{offsetStream: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}},
		Responses:   map[string]*huma.Response{"200": jsonResponse(api, "how much is there now", dataset.Upload{}), "409": {Description: "another offset comes next; problem details"}},
	}, s.appendUpload)
	raw(api, huma.Operation{OperationID: "get-upload-file", Method: http.MethodGet, Path: "/api/v1/uploads/{id}/file", Summary: "The file as it came", Parameters: []*huma.Param{id},
		Responses: map[string]*huma.Response{"200": {Description: "the bytes", Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}},
	}, s.uploadFile)
}

func (s *server) appendUpload(ctx huma.Context) error {
	offset, err := strconv.ParseInt(ctx.Header("Upload-Offset"), 10, 64)
	if err != nil || offset < 0 {
		return fault.WithFields("say where the bytes belong", fault.Field{Path: "Upload-Offset", Message: "must be the number of bytes before them"})
	}
	u, err := s.Data.Append(ctx.Context(), s.scope(ctx.Context()), ctx.Param("id"), offset, ctx.BodyReader())
	if err != nil {
		return bodyFault(err)
	}
	ctx.SetHeader("Content-Type", "application/json")
	return json.NewEncoder(ctx.BodyWriter()).Encode(u)
}

func (s *server) uploadFile(ctx huma.Context) error {
	if err := s.noteRead(ctx.Context(), audit.Subject{Kind: "upload", ID: ctx.Param("id")}); err != nil {
		return err
	}
	u, f, err := s.Data.Original(ctx.Context(), s.scope(ctx.Context()), ctx.Param("id"))
	if err != nil {
		return err
	}
	defer f.Close()
	r, w := humago.Unwrap(ctx)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": u.Name}))
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

type batchPath struct {
	ID string `path:"id" maxLength:"40"`
}

func (s *server) batchRoutes(api huma.API) {
	sendChecked(api, http.MethodPost, http.StatusAccepted, "create-batch", "/batches", "Import uploaded files, or look at what importing them would do (dry_run)", func(ctx context.Context, in *struct {
		Body strictly[dataset.BatchRequest]
	}) (dataset.Batch, error) {
		return s.Data.StartBatch(ctx, s.scope(ctx), in.Body.is)
	})
	get(api, "list-batches", "/batches", "Imports of several files, newest first", func(ctx context.Context, in *Paging) (page[dataset.Batch], error) {
		list, err := s.Data.Batches(ctx, s.scope(ctx), in.Limit, in.Cursor)
		out := page[dataset.Batch]{Items: list}
		if len(list) == in.Limit {
			out.Next = in.Cursor + int64(in.Limit)
		}
		return out, err
	})
	get(api, "get-batch", "/batches/{id}", "What became of an import of several files", func(ctx context.Context, in *batchPath) (dataset.Batch, error) {
		return s.Data.BatchOf(ctx, s.scope(ctx), in.ID)
	})
	post(api, "cancel-batch", "/batches/{id}/cancel", "Stop an import; what it has stored stays", func(ctx context.Context, in *batchPath) (dataset.Batch, error) {
		return s.Data.CancelBatch(ctx, s.scope(ctx), in.ID)
	})
	progress := api.OpenAPI().Components.Schemas
	raw(api, huma.Operation{OperationID: "batch-events", Method: http.MethodGet, Path: "/api/v1/batches/{id}/events", Summary: "How far an import is, as server-sent events",
		Description: "progress while it runs, then end once, after which the batch has its answer.",
		Parameters:  []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}},
		Responses: map[string]*huma.Response{"200": {Description: "the events", Content: map[string]*huma.MediaType{eventStream: {Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{
			"event": {Type: "string", Enum: []any{"progress", "end"}}, "data": progress.Schema(reflect.TypeFor[batchEvent](), true, "")}}}}}},
	}, s.batchEvents)
}

type batchEvent struct {
	Status   dataset.BatchStatus   `json:"status"`
	Progress dataset.BatchProgress `json:"progress"`
}

// batchPoll is how often a batch's record is looked at while someone watches it.
const batchPoll = 200 * time.Millisecond

func (s *server) batchEvents(ctx huma.Context) error {
	id := ctx.Param("id")
	b, err := s.Data.BatchOf(ctx.Context(), s.scope(ctx.Context()), id)
	if err != nil {
		return err
	}
	_, leave, err := s.events.join(s.scope(ctx.Context()).Tenant)
	if err != nil {
		return err
	}
	defer leave()
	r, w := humago.Unwrap(ctx)
	out := newEventWriter(w)
	defer out.end()
	tick, beat := time.NewTicker(batchPoll), time.NewTicker(beatEvery)
	defer tick.Stop()
	defer beat.Stop()
	last := ""
	for {
		e := batchEvent{b.Status, b.Progress}
		if b.Status.Ended() {
			out.event("end", e)
			return nil
		}
		if now := fmt.Sprint(e); now != last {
			if last = now; !out.event("progress", e) {
				return nil
			}
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.opt.Done:
			return nil
		case <-beat.C:
			if !s.still(r) || !out.send(": still here\n\n") {
				return nil
			}
		case <-tick.C:
		}
		if b, err = s.Data.BatchOf(r.Context(), s.scope(ctx.Context()), id); err != nil {
			return nil // the stream ends; whoever watches asks again
		}
	}
}
