package httpapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// visit is what is found out about a request on its way to its handler, each thing once: from
// where and for what it comes, who asks, and what they may see. One request's middleware runs in
// order, so it needs no lock.
type visit struct {
	id       string // of the request, for the log and the client
	from     netip.Addr
	place    access.Place
	site     access.Site
	secure   bool   // came by TLS, to this server or to a trusted proxy
	token    string // of the session, "" without
	accounts bool   // whether there are any; if not, whoever is at this machine is its owner
	who      access.Who
	scope    tenant.Scope // of who, or as narrow as their look; zero: of nobody
	look     *access.View // as a role, nil without
	pattern  string       // of the route, "GET /api/v1/imports/{id}"; "" until it is known
	part     bool         // one of several operations of a request
}

// asker stands for who asks, for what is counted and kept for each of them: an API key is
// another than the account that it belongs to.
func (v *visit) asker() string {
	return string(v.scope.Tenant) + "\x00" + string(v.scope.Actor) + "\x00" + v.who.Key
}

type visitKey struct{}

func withVisit(ctx context.Context, v *visit) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}

// visitOf returns the visit that observe began; before it, a new one.
func visitOf(ctx context.Context) *visit {
	v, ok := ctx.Value(visitKey{}).(*visit)
	if !ok {
		return &visit{}
	}
	return v
}

// status remembers what was answered, and gives a client that reads slowly only so much time.
type status struct {
	http.ResponseWriter
	out   *http.ResponseController
	pause time.Duration
	code  int
	bytes int64
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
	written := 0
	for {
		s.allow()
		n, err := s.ResponseWriter.Write(b[written:min(len(b), written+sendPart)])
		written += n
		s.bytes += int64(n)
		if err != nil || written == len(b) {
			return written, err
		}
	}
}

// allow sets until when the next part must be on its way. Where there is no connection, there
// is nothing to wait for.
func (s *status) allow() {
	if s.out != nil {
		_ = s.out.SetWriteDeadline(time.Now().Add(s.pause))
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// observe begins the visit, logs and measures it and, when a handler panics, answers 500
// without detail. The log names the route, never the address: addresses hold names, filters
// and file names.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		v := visitOf(r.Context())
		v.id = requestID(r)
		if !v.part {
			s.see(r, v)
		}
		w.Header().Set("X-Request-Id", v.id)
		st := &status{ResponseWriter: w, pause: s.opt.Pause}
		if !v.part {
			st.out = http.NewResponseController(w)
		}
		r = r.WithContext(withVisit(r.Context(), v))
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				s.opt.Log.ErrorContext(r.Context(), "handler panicked", slog.String("request_id", v.id), slog.Any("panic", p))
				if st.code == 0 {
					writeProblem(st, problemOf(fmt.Errorf("panic")))
				}
			}
			st.allow() // for what is not sent yet
			s.record(r, v, st, time.Since(start))
			if p == http.ErrAbortHandler {
				panic(p)
			}
		}()
		next.ServeHTTP(st, r)
	})
}

func (s *server) record(r *http.Request, v *visit, st *status, took time.Duration) {
	code := st.code
	if code == 0 {
		code = http.StatusOK // nothing was written
	}
	if st.Header().Get("Content-Type") != eventStream { // its time says nothing about the server
		s.served.WithLabelValues(v.pattern, fmt.Sprint(code)).Observe(took.Seconds())
	}
	s.opt.Log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("request_id", v.id), slog.String("from", v.from.String()),
		slog.String("tenant", string(v.scope.Tenant)), slog.String("actor", string(v.scope.Actor)), slog.String("method", r.Method), slog.String("route", v.pattern),
		slog.Int("status", code), slog.Int64("bytes", st.bytes), slog.Duration("took", took))
}

// requestID is the client's own id of a request when it is short and plain, otherwise a new
// one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return rand.Text()
	}
	return id
}

// source is the address that a request comes from. What X-Forwarded-For says counts only as
// far as trusted proxies wrote it: the last address that is not one of theirs.
func (s *server) source(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	from := peer.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(from); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		from = hop.Unmap().WithZone("")
	}
	return from
}

// trusted reports whether an address is a proxy's that was configured.
func (s *server) trusted(a netip.Addr) bool {
	for _, p := range s.opt.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
