package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Bounds of many operations in one request.
const (
	maxOperations = 100
	atOnce        = 4       // reads that run beside each other
	operationSize = 1 << 20 // of one answer, bytes
)

// alone are the operations that do not go together with others: they take or give files, stream,
// set a cookie, take a password, or are such a request themselves. So are the steps of signing in.
var alone = map[string]bool{
	"operations": true, "create-import": true, "append-upload": true, "get-upload-file": true, "events": true, "batch-events": true,
	"export-query": true, "export-rows": true, "export-question": true, "export-dataset": true, "get-template": true,
	"begin-view": true, "end-view": true, "confirm-self": true, "change-password": true, "export-audit": true,
	"download-report": true, "keep-report-asset": true, "get-report-asset": true,
}

// anyJSON is JSON that is passed on as it is.
type anyJSON struct{ json.RawMessage }

// Schema allows everything.
func (anyJSON) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

type oneOperation struct {
	ID             string  `json:"id,omitempty" maxLength:"100" doc:"comes back with the result; the operation's place, from 1, when left out"`
	Method         string  `json:"method" enum:"GET,POST,PUT,PATCH,DELETE"`
	Path           string  `json:"path" maxLength:"8000" doc:"from /api/v1/ on, with its query"`
	Body           anyJSON `json:"body,omitempty" doc:"as the operation takes it; JSON only"`
	IdempotencyKey string  `json:"idempotency_key,omitempty" maxLength:"200" doc:"of a POST, as the header of that name"`
}

type operationsBody struct {
	Operations []oneOperation `json:"operations" minItems:"1" maxItems:"100" nullable:"false" doc:"done in this order, except that neighboring GETs run beside each other"`
}

type operationResult struct {
	ID         string   `json:"id"`
	Status     int      `json:"status"`
	RetryAfter string   `json:"retry_after,omitempty" doc:"seconds, of 429"`
	Body       *anyJSON `json:"body,omitempty" doc:"the answer, or problem details"`
}

type operationsAnswer struct {
	Results []operationResult `json:"results" nullable:"false" doc:"one for each operation, in their order"`
}

func (s *server) operationRoutes(api huma.API) {
	register(api, huma.Operation{OperationID: "operations", Method: http.MethodPost, Path: "/api/v1/operations", Summary: "Do up to 100 operations, each with its own result",
		Description: "Each operation is allowed, limited and made idempotent as if it were sent by itself, and one that fails does not stop the others. Uploads, files, streams and this address itself are not possible as an operation."},
		func(ctx context.Context, in *struct {
			Body strictly[operationsBody]
		}) (operationsAnswer, error) {
			return s.operate(ctx, in.Body.is.Operations)
		})
}

func (s *server) operate(ctx context.Context, ops []oneOperation) (operationsAnswer, error) {
	if len(ops) == 0 || len(ops) > maxOperations {
		return operationsAnswer{}, fault.WithFields("the operations are not valid", fault.Field{Path: "operations", Message: fmt.Sprintf("must be 1 to %d", maxOperations)})
	}
	if !slices.ContainsFunc(ops, func(o oneOperation) bool { return o.Method != http.MethodGet }) {
		unkept(ctx) // what only reads may be asked again
	}
	seen := map[string]bool{}
	for i := range ops {
		if ops[i].ID == "" {
			ops[i].ID = fmt.Sprint(i + 1)
		}
		if seen[ops[i].ID] {
			return operationsAnswer{}, fault.WithFields("the operations are not valid", fault.Field{Path: fmt.Sprintf("operations[%d].id", i), Message: "is the id of two operations"})
		}
		seen[ops[i].ID] = true
	}
	out := operationsAnswer{make([]operationResult, len(ops))}
	for i := 0; i < len(ops); {
		end := i + 1
		for ops[i].Method == http.MethodGet && end < len(ops) && ops[end].Method == http.MethodGet {
			end++
		}
		var running sync.WaitGroup
		free := make(chan struct{}, atOnce)
		for at := i; at < end; at++ {
			free <- struct{}{}
			running.Go(func() {
				out.Results[at] = s.operateOne(ctx, ops[at], at)
				<-free
			})
		}
		running.Wait()
		i = end
	}
	return out, nil
}

// operateOne sends one operation through the same doors as a request of its own, without
// those that the whole request has passed.
func (s *server) operateOne(ctx context.Context, op oneOperation, at int) (out operationResult) {
	w := &recorded{header: http.Header{}}
	defer func() {
		if recover() != nil { // an answer that was cut off
			w = &recorded{header: http.Header{}}
			writeProblem(w, problemOf(fault.Newf(fault.Internal, "the answer was cut off")))
		}
		out = w.result(op.ID)
	}()
	r, err := s.requestOf(ctx, op, at)
	if err != nil {
		writeProblem(w, problemOf(err))
		return
	}
	s.observe(s.route(s.router, s.inner)).ServeHTTP(w, r)
	return
}

func (s *server) requestOf(ctx context.Context, op oneOperation, at int) (*http.Request, error) {
	wrong := func(path, message string) error {
		return fault.WithFields("the operation is not valid", fault.Field{Path: fmt.Sprintf("operations[%d].%s", at, path), Message: message})
	}
	if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, op.Method) {
		return nil, wrong("method", "must be GET, POST, PUT, PATCH or DELETE")
	}
	u, err := url.Parse(op.Path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.EscapedPath(), "/api/v1/") {
		return nil, wrong("path", "must begin with /api/v1/")
	}
	r, err := http.NewRequestWithContext(ctx, op.Method, op.Path, bytes.NewReader(op.Body.RawMessage))
	if err != nil {
		return nil, wrong("path", "is not an address")
	}
	_, pattern := s.router.Handler(r)
	if id := s.doors.operations[pattern]; alone[id] || id != "" && s.doors.needs[pattern] == access.SignedOut {
		return nil, wrong("path", "cannot be an operation: send it as a request of its own")
	}
	if len(op.Body.RawMessage) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	if op.IdempotencyKey != "" {
		r.Header.Set("Idempotency-Key", op.IdempotencyKey)
	}
	whole := *visitOf(ctx)
	whole.part = true
	r.Header.Set("X-Request-Id", fmt.Sprintf("%.60s.%d", whole.id, at+1))
	return r.WithContext(withVisit(ctx, &whole)), nil
}

// recorded is the answer of an operation.
type recorded struct {
	header http.Header
	code   int
	text   bytes.Buffer
	over   bool
}

func (r *recorded) Header() http.Header { return r.header }

func (r *recorded) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
}

func (r *recorded) Write(b []byte) (int, error) {
	if r.over = r.over || r.text.Len()+len(b) > operationSize; !r.over {
		r.text.Write(b)
	}
	return len(b), nil
}

func (r *recorded) result(id string) operationResult {
	out := operationResult{ID: id, Status: max(r.code, http.StatusOK), RetryAfter: r.header.Get("Retry-After")}
	text := r.text.Bytes()
	if r.over || len(text) > 0 && !json.Valid(text) {
		p := problemOf(fault.Newf(fault.TooLarge, "the answer is larger than %d MB or not JSON: send this operation as a request of its own", operationSize>>20))
		out.Status = p.Status
		text, _ = json.Marshal(p)
	}
	if len(text) > 0 {
		out.Body = &anyJSON{bytes.TrimSpace(text)}
	}
	return out
}
