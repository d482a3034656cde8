package httpapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

const (
	keyLength = 200
	keyLife   = 24 * time.Hour
	keyLease  = time.Minute // a request that runs says so three times in it
	keptBytes = 1 << 20     // an answer above is not kept
)

// idempotency keeps the answers of POSTs by their key in the control database, so that a
// request that is sent again after a broken connection, or a restart, is not done twice.
type idempotency struct {
	db    *metadb.DB
	now   func() time.Time
	swept atomic.Int64 // Unix time when old answers were last forgotten
}

// claim is a key that this request holds.
type claim struct {
	tenant int64
	id     string
	runner string
}

// kept is an answer under a key.
type kept struct {
	request string // digest of the request that it is the answer of
	status  int
	media   string
	body    string
}

// take claims a key; ok is false when the key has an answer, or another request holds it
// (status 0).
func (k *idempotency) take(ctx context.Context, of *visit, path, key string) (c claim, was kept, ok bool, err error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q%q%q", of.asker(), path, key))
	c = claim{id: hex.EncodeToString(sum[:]), runner: rand.Text()}
	now := k.now()
	old := metadb.Now(now.Add(-keyLife))
	err = k.db.Transact(ctx, func(tx *metadb.Tx) error {
		if last := k.swept.Load(); now.Unix()-last > 3600 && k.swept.CompareAndSwap(last, now.Unix()) {
			if _, err := tx.Exec(ctx, queries.Get("forget_keys"), old); err != nil {
				return err
			}
		}
		if c.tenant, err = metadb.EnsureTenant(ctx, tx, string(of.scope.Tenant), now); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, queries.Get("claim_key"), c.tenant, c.id, c.runner, metadb.Now(now.Add(keyLease)), metadb.Now(now), old)
		if ok = n == 1; ok || err != nil {
			return err
		}
		return tx.One(ctx, queries.Get("get_key"), []any{c.tenant, c.id}, &was.request, &was.status, &was.media, &was.body)
	})
	return c, was, ok, err
}

// hold says that the request still runs until it is stopped.
func (k *idempotency) hold(ctx context.Context, c claim) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(keyLease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			_ = k.exec(ctx, "hold_key", c.tenant, c.id, c.runner, metadb.Now(k.now().Add(keyLease))) // the next tick tries again
		}
	}()
	return func() { cancel(); <-ended }
}

func (k *idempotency) exec(ctx context.Context, name string, args ...any) error {
	return k.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get(name), args...)
		return err
	})
}

type unkeptKey struct{}

// unkept says that the answer of this request, and of the one that it is a part of, must not be
// kept under its key: it holds a secret, or says that only a part was done.
func unkept(ctx context.Context) {
	if no, ok := ctx.Value(unkeptKey{}).(func()); ok {
		no()
	}
}

// once answers a POST whose Idempotency-Key was seen before with the answer from then. Only
// answers of what was done are kept: after a refusal nothing has changed, and the
// request may be sent again.
func (s *server) once(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		v := visitOf(r.Context())
		if key == "" || r.Method != http.MethodPost || s.doors.needs[v.pattern] == access.SignedOut || readsByPost[v.pattern] && s.doors.operations[v.pattern] != "operations" { // steps of signing in are nobody's, and work once; what only reads may be asked again
			next.ServeHTTP(w, r)
			return
		}
		if len(key) > keyLength || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
			writeProblem(w, problemOf(fault.Newf(fault.Invalid, "the Idempotency-Key is not valid: 1 to %d printable ASCII characters, such as a UUID", keyLength)))
			return
		}
		ctx := context.WithoutCancel(r.Context()) // what was done is kept also when the client is gone
		c, was, mine, err := s.keys.take(ctx, v, r.URL.Path, key)
		if err != nil {
			writeProblem(w, problemOf(fmt.Errorf("idempotency key: %w", err)))
			return
		}
		if !mine {
			s.replay(w, r, was)
			return
		}
		answer := &held{ResponseWriter: w}
		digest := newDigest(r)
		r.Body = &tee{r.Body, digest}
		stop, done := s.keys.hold(ctx, c), false
		var no atomic.Bool // parts run beside each other
		defer func() {
			stop()
			if done {
				return
			}
			if err := s.keys.exec(ctx, "release_key", c.tenant, c.id, c.runner); err != nil {
				s.opt.Log.WarnContext(ctx, "an idempotency key is held until its lease ends", slog.Any("error", err))
			}
		}()
		next.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), unkeptKey{}, func() { no.Store(true); unkept(r.Context()) })))
		if code := answer.status(); code >= 200 && code < 300 && !answer.open && !no.Load() {
			io.Copy(io.Discard, r.Body) // the rest belongs to the request, too
			if err := s.keys.exec(ctx, "keep_answer", c.tenant, c.id, c.runner, digest.sum(), code, metadb.Text(w.Header().Get("Content-Type")), metadb.Text(answer.text.String())); err != nil {
				s.opt.Log.ErrorContext(ctx, "an answer is not kept under its idempotency key", slog.Any("error", err))
			} else {
				done = true
			}
		}
		digest.close()
		answer.send()
	})
}

// replay sends a kept answer, when the request is the same.
func (s *server) replay(w http.ResponseWriter, r *http.Request, was kept) {
	if was.status == 0 {
		w.Header().Set("Retry-After", "1")
		writeProblem(w, problemOf(fault.Newf(fault.Conflict, "a request with this Idempotency-Key still runs: ask again soon")))
		return
	}
	digest := newDigest(r)
	if _, err := io.Copy(digest, r.Body); err != nil {
		digest.close()
		writeProblem(w, unreadable(err))
		return
	}
	if digest.sum() != was.request {
		writeProblem(w, problemOf(fault.Newf(fault.Invalid, "this Idempotency-Key was used with another request: use a new one")))
		return
	}
	w.Header().Set("Idempotent-Replayed", "true")
	if was.media != "" {
		w.Header().Set("Content-Type", was.media)
	}
	w.WriteHeader(was.status)
	io.WriteString(w, was.body)
}

// digest is the hash of a request: its query and its body. Of a form it is that of its parts,
// since whoever sends it again chooses another boundary between them.
type digest struct {
	io.Writer
	hash hash.Hash
	end  func()
}

func newDigest(r *http.Request) *digest {
	h := sha256.New()
	fmt.Fprintf(h, "%q", r.URL.RawQuery)
	d := &digest{h, h, func() {}}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return d
	}
	from, to := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		form := multipart.NewReader(from, params["boundary"])
		for {
			part, err := form.NextRawPart()
			if err != nil {
				break
			}
			of := sha256.New()
			n, err := io.Copy(of, part)
			if err != nil {
				break
			}
			fmt.Fprintf(h, "%q%q%d%x", part.FormName(), part.FileName(), n, of.Sum(nil))
		}
		io.Copy(io.Discard, from)
	}()
	d.Writer = to
	d.end = func() { to.Close(); <-ended }
	return d
}

// close ends the reading of the form; it may be called again.
func (d *digest) close() { d.end() }

func (d *digest) sum() string {
	d.close()
	return hex.EncodeToString(d.hash.Sum(nil))
}

// tee writes what is read of a body to its digest.
type tee struct {
	io.ReadCloser
	to *digest
}

func (t *tee) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	if n > 0 {
		t.to.Write(b[:n])
	}
	return n, err
}

// held holds an answer back until it is kept, unless it is too large to be.
type held struct {
	http.ResponseWriter
	code int
	text bytes.Buffer
	open bool // it is on its way
}

func (h *held) status() int { return max(h.code, http.StatusOK) }

func (h *held) WriteHeader(code int) {
	if h.code == 0 {
		h.code = code
	}
}

func (h *held) Write(b []byte) (int, error) {
	if !h.open && h.text.Len()+len(b) > keptBytes {
		h.send()
	}
	if h.open {
		return h.ResponseWriter.Write(b)
	}
	return h.text.Write(b)
}

// send sends what was held.
func (h *held) send() {
	if h.open {
		return
	}
	h.open = true
	h.ResponseWriter.WriteHeader(h.status())
	h.ResponseWriter.Write(h.text.Bytes())
}

// Unwrap lets http.ResponseController reach the connection.
func (h *held) Unwrap() http.ResponseWriter { return h.ResponseWriter }
