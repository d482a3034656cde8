// Package httpapi is HTTP and nothing else: decode, call one method, encode.
//
// It owns routes, problem details, caching headers, security headers, answers as files, the
// stream of events, the OpenAPI document and the web app's files. Every figure comes from
// metric and insight as it is. Until there are accounts it answers this machine only, as its
// owner (host.go). A request passes, in this order: its log line and route (visit.go), host and
// headers (host.go), limits (limit.go), who asks and what for (guard.go), its form (shape.go),
// its idempotency key (once.go) and the caches below.
package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/alert"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/search"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

// Deps are what the API shows.
type Deps struct {
	DB         *metadb.DB
	Warehouse  *warehouse.Warehouse
	Data       *dataset.Service
	Inbox      *inbox.Service
	Notices    *notice.Store
	Reviews    *review.Desk
	Metrics    *metric.Catalog
	Settings   *metric.Settings
	Insights   *insight.Service
	Scenarios  *scenario.Service
	Questions  *question.Service
	Search     *search.Service
	Rules      *insight.Watch
	Benchmarks *insight.Benchmarks
	Delivery   *delivery.Service
	Alerts     *alert.Service
	Audit      *audit.Log
	// Reads puts on the record who reads rows of persons. Nil does not.
	Reads      *audit.Reads
	Workspace  *workspace.Store
	Governance *govern.Service
	Reports    *report.Service
	Policies   *access.Policies
	// Rollback makes an older snapshot the current one, with its audit event.
	Rollback func(ctx context.Context, scope tenant.Scope, to warehouse.Snapshot) (warehouse.Outcome, error)
	// CloseMonth closes a month, or opens it again, with its audit event.
	CloseMonth func(ctx context.Context, scope tenant.Scope, month quantity.Day, closed bool) (changed bool, err error)
	// Verify checks the audit chain, the files and the roll-ups, and says what is wrong.
	Verify func(ctx context.Context, scope tenant.Scope) ([]warehouse.Problem, error)
	// Checkpoint signs where the audit chain ends. Nil cannot.
	Checkpoint func(ctx context.Context, scope tenant.Scope) (audit.Checkpoint, error)
	// Jobs are counted by state. Nil counts none.
	Jobs *job.Queue
	// Dir is the data directory, DatabaseFile the SQLite database; both are only measured,
	// and "" is not.
	Dir, DatabaseFile string
	// Access says who asks. Nil keeps no accounts.
	Access *access.Service
	// Scope is whose data is shown and who asks, until accounts exist.
	Scope tenant.Scope
}

// Options tunes the handler. The zero value is ready to use.
type Options struct {
	// Version is the program's, for the OpenAPI document and ETags.
	Version string
	// MaxUpload bounds one request body. Zero means 2 GiB.
	MaxUpload int64
	// Pause is how long a client may send or take nothing in the middle of a request. Zero means
	// 30 s.
	Pause time.Duration
	// Log receives one line a request, without payloads. Nil discards.
	Log *slog.Logger
	// Limits are how often one may ask once there are accounts.
	Limits Limits
	// Proxies are the networks of reverse proxies, whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// Hosts are the names, in lower case, that the server answers under once there are accounts,
	// besides loopback ones. None: over TLS all, otherwise addresses only.
	Hosts []string
	// Done ends the open event streams when it is closed: a server that shuts down would
	// wait for them. Nil never does.
	Done <-chan struct{}
}

type server struct {
	Deps
	opt     Options
	started time.Time
	events  hub
	verify  sync.Mutex // held while the data is verified
	holding sync.Mutex // held while a change that waited is made
	keys    idempotency
	doors   doors
	router  *http.ServeMux
	limits  limits
	inner   http.Handler // of a request whose actor is known
	served  *prometheus.HistogramVec
	answers *otter.Cache[string, []byte] // encoded answers of GETs by their ETag
}

// Bounds of the cache of encoded answers, bytes.
const (
	answersBytes = 64 << 20
	answerBytes  = 4 << 20
)

const jsonLimit = 1 << 20

// New returns the handler of all routes.
func New(deps Deps, opt Options) http.Handler {
	if opt.MaxUpload <= 0 {
		opt.MaxUpload = 2 << 30
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if opt.Pause <= 0 {
		opt.Pause = pauseTime
	}
	if opt.Version == "" {
		opt.Version = "dev"
	}
	s := &server{Deps: deps, opt: opt, started: time.Now(), limits: newLimits(opt.Limits), keys: idempotency{db: deps.DB, now: time.Now}, answers: otter.Must(&otter.Options[string, []byte]{
		MaximumWeight: answersBytes, Weigher: func(_ string, v []byte) uint32 { return uint32(len(v)) + 200 }})}
	s.events.current = s.Warehouse.Current
	registry := prometheus.NewRegistry()
	s.served = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "moatmetrics_http_request_seconds", Help: "Time to answer, by route and status.", Buckets: []float64{.001, .002, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30}}, []string{"route", "status"})
	registry.MustRegister(s.served)

	mux := http.NewServeMux()
	var adapter huma.Adapter
	s.doors, adapter = newDoors(mux)
	s.router = mux
	s.routes(newAPI(adapter, opt.Version))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /s/{id}", s.follow)
	s.app(mux)

	if s.Reviews != nil {
		for _, kind := range []string{review.DefinitionChange, review.Deletion} {
			s.Reviews.Add(kind, heldJudge{s})
		}
	}

	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problem{Status: http.StatusForbidden, Title: "Forbidden", Detail: "another site sent this request: it was refused"})
	}))
	// Outermost first: who may knock, who it is, how often, what for, and only then what is in
	// the request.
	s.inner = s.limitActor(s.allow(s.shape(s.once(s.hold(s.cached(mux))))))
	return s.observe(s.route(mux, s.secure(s.limitAddress(guard.Handler(s.identify(s.inner))))))
}

// newAPI returns the API with its document; huma's own pages are off, since they load
// assets from elsewhere.
func newAPI(adapter huma.Adapter, version string) huma.API {
	cfg := huma.DefaultConfig("MoatMetrics", version)
	cfg.OpenAPIPath = "/api/openapi"
	cfg.DocsPath = ""
	cfg.SchemasPath = ""
	cfg.CreateHooks = nil // no $schema links in bodies
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	cfg.Info.Description = "What an MSP's clients really earn, why, and how sure that is. Money and other decimals are strings. Errors are RFC 9457 problem details."
	asJSON := cfg.Formats["application/json"]
	marshal := asJSON.Marshal
	asJSON.Marshal = func(w io.Writer, v any) error {
		if r, ok := v.(*metric.Result); ok {
			return r.WriteJSON(w)
		}
		return marshal(w, v)
	}
	cfg.Formats = map[string]huma.Format{"application/json": asJSON, "json": asJSON}
	cfg.OnAddOperation = append(cfg.OnAddOperation, func(_ *huma.OpenAPI, op *huma.Operation) {
		if op.Method == http.MethodPost {
			op.Parameters = append(op.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Description: "the same request with the same key is done once; its answer is kept for 24 hours", Schema: &huma.Schema{Type: "string", MaxLength: new(keyLength)}})
		}
	})
	return huma.NewAPI(cfg, adapter)
}

// schemaName names a type by its package and name: both dataset and insight have findings.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if pkg := path.Base(t.PkgPath()); pkg != "." && pkg != "httpapi" {
		return strings.ToUpper(pkg[:1]) + pkg[1:] + name
	}
	return name
}

// OpenAPI returns the API's document as JSON.
func OpenAPI(version string) ([]byte, error) {
	_, adapter := newDoors(http.NewServeMux())
	api := newAPI(adapter, version)
	(&server{}).routes(api)
	return api.OpenAPI().MarshalJSON()
}

func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	if _, err := s.Warehouse.Current(r.Context(), s.Scope); err != nil {
		writeProblem(w, problemOf(err))
		return
	}
	io.WriteString(w, "ready\n")
}

// snapshotPaths are GET answers that depend on nothing but the snapshot, what the tenant
// defines, and the address.
var snapshotPaths = []string{"/api/v1/query", "/api/v1/metrics", "/api/v1/analyses", "/api/v1/insights", "/api/v1/explain", "/api/v1/rankings", "/api/v1/series", "/api/v1/trend", "/api/v1/anomalies", "/api/v1/correlations", "/api/v1/datasets", "/api/v1/status"}

// cached answers before any work when the client or the cache holds the answer of this
// snapshot. The day is part of the tag: which months are complete depends on it; so is the
// epoch: an erasure changes what old snapshots show.
func (s *server) cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fits := false
		for _, p := range snapshotPaths {
			fits = fits || r.URL.Path == p || strings.HasPrefix(r.URL.Path, p+"/")
		}
		fits = fits && !strings.HasPrefix(r.URL.Path, "/api/v1/metrics/") // a definition shows thresholds, which no snapshot holds
		if r.Method != http.MethodGet || !fits {
			w.Header().Set("Cache-Control", "no-store") // files of the web app set their own
			if strings.HasPrefix(r.URL.Path, "/api/v1/query") {
				_, _ = s.Warehouse.Current(r.Context(), s.scope(r.Context())) // learns the epoch, which is part of the keys of kept results
			}
			next.ServeHTTP(w, r)
			return
		}
		scope := s.scope(r.Context())
		snap, err := s.Warehouse.Current(r.Context(), scope)
		if err != nil {
			writeProblem(w, problemOf(err))
			return
		}
		defined, err := s.Metrics.For(r.Context(), scope)
		if err != nil {
			writeProblem(w, problemOf(err))
			return
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%q\x00%d\x00%d\x00%d\x00%s\x00%s\x00%s", s.opt.Version, scope.Tenant, scope.Rights.Key(), snap, s.Warehouse.Epoch(scope), defined.Revision(), time.Now().UTC().Format(time.DateOnly), r.URL.Path, r.URL.RawQuery))
		tag := `"` + hex.EncodeToString(sum[:12]) + `"`
		w.Header().Set("Cache-Control", "private, no-cache")
		for _, have := range strings.Split(r.Header.Get("If-None-Match"), ",") {
			if strings.TrimPrefix(strings.TrimSpace(have), "W/") == tag {
				w.Header().Set("ETag", tag)
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		if body, ok := s.answers.GetIfPresent(tag); ok {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("ETag", tag)
			w.Write(body)
			return
		}
		t := &tagged{ResponseWriter: w, tag: tag}
		next.ServeHTTP(t, r)
		if t.code == http.StatusOK && len(t.body) > 0 && w.Header().Get("Content-Disposition") == "" && w.Header().Get("Content-Type") == "application/json" {
			s.answers.Set(tag, t.body)
		}
	})
}

// tagged adds the ETag to successful answers, and keeps what is small enough to cache.
type tagged struct {
	http.ResponseWriter
	tag  string
	code int
	body []byte // nil when too large
	over bool
}

func (t *tagged) WriteHeader(code int) {
	if t.code == 0 {
		t.code = code
		if code == http.StatusOK {
			t.Header().Set("ETag", t.tag)
		}
	}
	t.ResponseWriter.WriteHeader(code)
}

func (t *tagged) Write(b []byte) (int, error) {
	if t.code == 0 {
		t.WriteHeader(http.StatusOK)
	}
	if t.over = t.over || len(t.body)+len(b) > answerBytes; t.over {
		t.body = nil
	} else {
		t.body = append(t.body, b...)
	}
	return t.ResponseWriter.Write(b)
}

// notFound is the fault of an id that does not exist.
func notFound(what string, id any) error {
	return fault.Newf(fault.NotFound, "there is no %s %v", what, id)
}
