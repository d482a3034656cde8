package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Limits are how many tokens a minute there are. A bucket holds a minute's tokens; a read
// costs 1, a write 5, heavy work 20. Zero fields take the defaults.
type Limits struct {
	Actor   int // of one actor in one tenant; zero means 1,200
	Address int // of one address, also before it is known who asks, 1 for each request; zero means 3,000
	SignIn  int // attempts to sign in, or the like, of one address; zero means 10
}

const (
	readCost  = 1
	writeCost = 5
	heavyCost = 20
)

// heavy are the operations that take the engine, or the disk, for long.
var heavy = map[string]bool{
	"export-query": true, "export-rows": true, "export-question": true, "export-dataset": true, "verify": true,
	"run-analyses": true, "compare-snapshots": true, "evaluate-rules": true, "run-scenario": true, "solve-scenario": true,
	"create-import": true, "create-batch": true, "undo-import": true, "roll-back": true, "run-source": true, "test-source": true, "export-audit": true, "verify-audit": true,
	"preview-report": true, "make-report": true, "reproduce-report": true, "run-schedule": true,
	"check-report-template": true, "add-report-template": true, "change-report-template": true, // each block is tried
}

// costOf is what an operation takes of its actor's tokens.
func costOf(method, operation string) int {
	switch {
	case heavy[operation]:
		return heavyCost
	case operation == "append-upload" || method == http.MethodGet || method == http.MethodHead:
		return readCost // a part of a file is one of hundreds
	}
	return writeCost
}

// Bounds of what is remembered of who asked how often.
const (
	keptBuckets = 100_000
	bucketLife  = 10 * time.Minute // a bucket is full again long before
)

// buckets are the token buckets of one policy.
type buckets struct {
	name  string
	quota int // tokens a minute
	of    *otter.Cache[string, *rate.Limiter]
}

func newBuckets(name string, quota, orElse int) *buckets {
	if quota <= 0 {
		quota = orElse
	}
	return &buckets{name, quota, otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: keptBuckets, ExpiryCalculator: otter.ExpiryAccessing[string, *rate.Limiter](bucketLife)})}
}

// take takes tokens out of a key's bucket, or nothing when there are too few, and says so in
// the headers: RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers-11, and
// the RateLimit-Limit, -Remaining and -Reset of its sixth version, which more clients know, of
// the policy that has the least left.
func (b *buckets) take(h http.Header, key string, cost int) (ok bool) {
	bucket, _ := b.of.ComputeIfAbsent(key, func() (*rate.Limiter, bool) {
		return rate.NewLimiter(rate.Limit(float64(b.quota)/60), b.quota), false
	})
	now := time.Now()
	cost = min(cost, b.quota)
	ok = bucket.AllowN(now, cost)
	tokens := bucket.TokensAt(now)
	left := max(0, int(tokens))
	seconds := func(n float64) int { return max(0, int(math.Ceil(n*60/float64(b.quota)))) }
	reset := seconds(float64(b.quota) - tokens)
	h.Add("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=60", b.name, b.quota))
	h.Add("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", b.name, left, reset))
	if said, err := strconv.Atoi(h.Get("RateLimit-Remaining")); err != nil || left < said {
		h.Set("RateLimit-Limit", strconv.Itoa(b.quota))
		h.Set("RateLimit-Remaining", strconv.Itoa(left))
		h.Set("RateLimit-Reset", strconv.Itoa(reset))
	}
	if !ok {
		h.Set("Retry-After", strconv.Itoa(max(1, seconds(float64(cost)-tokens))))
	}
	return ok
}

// limits are the policies in force.
type limits struct{ actor, address, signIn *buckets }

func newLimits(l Limits) limits {
	return limits{newBuckets("actor", l.Actor, 1200), newBuckets("address", l.Address, 3000), newBuckets("sign-in", l.SignIn, 10)}
}

// addressKey is who an address is for its limit: of IPv6 the network, which one customer has
// to itself.
func addressKey(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// limitAddress lets an address ask only so often, whoever it says it is. The owner of a
// machine without accounts is not limited, nor is the look whether the server lives.
func (s *server) limitAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visitOf(r.Context())
		if !v.accounts || r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			next.ServeHTTP(w, r)
			return
		}
		key := addressKey(v.from)
		if !s.limits.address.take(w.Header(), key, 1) {
			tooMany(w)
			return
		}
		if s.guessable(r.Method, v.pattern) && !s.limits.signIn.take(w.Header(), key, 1) {
			tooMany(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// guessable reports whether a route takes what somebody could guess: passwords, codes and links.
func (s *server) guessable(method, pattern string) bool {
	id := s.doors.operations[pattern]
	return method == http.MethodPost && id != "" && s.doors.needs[pattern] == access.SignedOut || id == "confirm-self" || id == "change-password"
}

// limitActor lets an actor of a tenant ask only so much.
func (s *server) limitActor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visitOf(r.Context())
		if !v.accounts || v.scope.Actor == "" || s.doors.needs[v.pattern] == access.SignedOut {
			next.ServeHTTP(w, r)
			return
		}
		if !s.limits.actor.take(w.Header(), v.asker(), costOf(r.Method, s.doors.operations[v.pattern])) {
			tooMany(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func tooMany(w http.ResponseWriter) {
	writeProblem(w, problem{Status: http.StatusTooManyRequests, Title: http.StatusText(http.StatusTooManyRequests), Code: string(fault.TooOften),
		Detail: "this was asked too often: ask again in " + w.Header().Get("Retry-After") + " s (Retry-After)"})
}
