// Package httpapi is HTTP and nothing else: decode, call one method, encode.
//
// It owns routes, problem details, caching headers, security headers, answers as files, the
// stream of events, the OpenAPI document and the web app's files. Every figure comes from
// metric and insight as it is. There are no accounts yet: it answers loopback hosts only,
// as the one local owner.
package httpapi

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
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
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
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
	Metrics    *metric.Catalog
	Settings   *metric.Settings
	Insights   *insight.Service
	Scenarios  *scenario.Service
	Questions  *question.Service
	Rules      *insight.Watch
	Benchmarks *insight.Benchmarks
	Audit      *audit.Log
	Workspace  *workspace.Store
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
	// Scope is whose data is shown and who asks, until accounts exist.
	Scope tenant.Scope
}

// Options tunes the handler. The zero value is ready to use.
type Options struct {
	// Version is the program's, for the OpenAPI document and ETags.
	Version string
	// MaxUpload bounds one request body. Zero means 2 GiB.
	MaxUpload int64
	// Log receives one line a request, without payloads. Nil discards.
	Log *slog.Logger
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
	keys    idempotency
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
	if opt.Version == "" {
		opt.Version = "dev"
	}
	s := &server{Deps: deps, opt: opt, started: time.Now(), answers: otter.Must(&otter.Options[string, []byte]{
		MaximumWeight: answersBytes, Weigher: func(_ string, v []byte) uint32 { return uint32(len(v)) + 200 }})}
	s.events.current = func(ctx context.Context) (warehouse.Snapshot, error) { return s.Warehouse.Current(ctx, s.Scope) }
	registry := prometheus.NewRegistry()
	s.served = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "moatmetrics_http_request_seconds", Help: "Time to answer, by route and status.", Buckets: []float64{.001, .002, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30}}, []string{"route", "status"})
	registry.MustRegister(s.served)

	mux := http.NewServeMux()
	doors, adapter := newDoors(mux)
	s.routes(newAPI(adapter, opt.Version))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /s/{id}", s.follow)
	s.app(mux)

	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problem{Status: http.StatusForbidden, Title: "Forbidden", Detail: "another site sent this request: it was refused"})
	}))
	return s.observe(s.secure(guard.Handler(s.identify(s.allow(mux, doors, s.cached(mux))))))
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

// status remembers what was answered.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	if s.code == 0 {
		s.code = code
	}
	s.ResponseWriter.WriteHeader(code)
}

func (s *status) Write(b []byte) (int, error) {
	if s.code == 0 {
		s.code = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// observe logs, measures and, when a handler panics, answers 500 without detail.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := r.Header.Get("X-Request-Id")
		if len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) || id == "" {
			id = rand.Text()
		}
		w.Header().Set("X-Request-Id", id)
		st := &status{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.opt.Log.ErrorContext(r.Context(), "handler panicked", slog.String("request_id", id), slog.Any("panic", p))
				if st.code == 0 {
					writeProblem(st, problemOf(fmt.Errorf("panic")))
				}
			}
			took := time.Since(start)
			if w.Header().Get("Content-Type") != eventStream { // its time says nothing about the server
				s.served.WithLabelValues(r.Pattern, fmt.Sprint(st.code)).Observe(took.Seconds())
			}
			s.opt.Log.InfoContext(r.Context(), "request", slog.String("request_id", id), slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", st.code), slog.Duration("took", took))
		}()
		next.ServeHTTP(st, r)
	})
}

// secure sets the security headers, bounds bodies, and refuses host names that are not
// this machine's: a page elsewhere could otherwise rebind its name to 127.0.0.1.
func (s *server) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !localHost(r.Host) {
			writeProblem(w, problem{Status: http.StatusMisdirectedRequest, Title: "Misdirected Request", Detail: "this server answers only on localhost, 127.0.0.1 and [::1]: there are no accounts yet"})
			return
		}
		limit := int64(jsonLimit)
		if t := r.Header.Get("Content-Type"); strings.HasPrefix(t, "multipart/form-data") || t == offsetStream {
			limit = s.opt.MaxUpload
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

func localHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// snapshotPaths are GET answers that depend on nothing but the snapshot, what the tenant
// defines, and the address.
var snapshotPaths = []string{"/api/v1/query", "/api/v1/metrics", "/api/v1/analyses", "/api/v1/insights", "/api/v1/explain", "/api/v1/rankings", "/api/v1/series", "/api/v1/trend", "/api/v1/anomalies", "/api/v1/correlations", "/api/v1/datasets", "/api/v1/status"}

// cached answers before any work when the client or the cache holds the answer of this
// snapshot. The day is part of the tag: which months are complete depends on it.
func (s *server) cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fits := false
		for _, p := range snapshotPaths {
			fits = fits || r.URL.Path == p || strings.HasPrefix(r.URL.Path, p+"/")
		}
		fits = fits && !strings.HasPrefix(r.URL.Path, "/api/v1/metrics/") // a definition shows thresholds, which no snapshot holds
		if r.Method != http.MethodGet || !fits {
			w.Header().Set("Cache-Control", "no-store") // files of the web app set their own
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
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%q\x00%d\x00%d\x00%s\x00%s\x00%s", s.opt.Version, scope.Tenant, scope.Rights.Key(), snap, defined.Revision(), time.Now().UTC().Format(time.DateOnly), r.URL.Path, r.URL.RawQuery))
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
