package delivery_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

var (
	acme  = tenant.Scope{Tenant: "acme", Actor: "user:1"}
	other = tenant.Scope{Tenant: "other", Actor: "user:1"}
)

// world is a service on a control database with a queue and a clock that is moved by hand.
type world struct {
	*delivery.Service
	db    *metadb.DB
	log   *audit.Log
	jobs  *job.Queue
	mu    sync.Mutex
	at    time.Time
	texts map[string]delivery.Message // by ref
}

func (x *world) now() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.at
}

func (x *world) later(d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at = x.at.Add(d)
}

func newWorld(t *testing.T, opt delivery.Options) *world {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	return newWorldOn(t, db, opt)
}

func newWorldOn(t *testing.T, db *metadb.DB, opt delivery.Options) *world {
	t.Helper()
	x := &world{db: db, at: time.Date(2026, 7, 1, 7, 0, 0, 0, time.UTC), texts: map[string]delivery.Message{}}
	x.log = audit.New(x.now)
	var err error
	if x.jobs, err = job.New(db, nil, job.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := x.jobs.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	opt.Box = keyringtest.Box(t, db)
	if opt.Address == nil {
		opt.Address = func(_ context.Context, _ tenant.Slug, actor tenant.Actor) (string, error) {
			if actor == "user:404" {
				return "", fault.Newf(fault.Forbidden, "gone")
			}
			return string(actor[5:]) + "@users.example", nil
		}
	}
	x.Service = delivery.New(db, x.log, x.jobs, x.now, opt)
	x.Register("report", func(_ context.Context, _ tenant.Scope, d delivery.Delivery) (delivery.Message, error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		m, ok := x.texts[d.Ref]
		if !ok {
			return m, fault.Newf(fault.NotFound, "the report %s was deleted", d.Ref)
		}
		return m, nil
	})
	return x
}

func (x *world) has(ref string, m delivery.Message) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.texts[ref] = m
}

func (x *world) add(t *testing.T, spec delivery.Spec) delivery.Destination {
	t.Helper()
	d, err := x.Add(t.Context(), acme, spec)
	if err != nil {
		t.Fatalf("%v %+v", err, fault.FieldsOf(err))
	}
	return d
}

func (x *world) enqueue(t *testing.T, d delivery.Delivery) []string {
	t.Helper()
	ids, err := x.tryEnqueue(t, d)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func (x *world) tryEnqueue(t *testing.T, d delivery.Delivery) (ids []string, err error) {
	t.Helper()
	err = x.db.Transact(t.Context(), func(tx *metadb.Tx) (err error) {
		ids, err = x.Enqueue(t.Context(), acme, tx, d)
		return err
	})
	return ids, err
}

// work does the job of a delivery.
func (x *world) work(t *testing.T, id string) error {
	t.Helper()
	return x.Work(t.Context(), tenant.Scope{Tenant: "acme", Actor: "job:deliver"}, fmt.Appendf(nil, `{"id":%q}`, id))
}

func (x *world) delivery(t *testing.T, id string) delivery.Delivery {
	t.Helper()
	d, err := x.Delivery(t.Context(), acme, id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// actions are what stands on the record of acme, in order.
func (x *world) actions(t *testing.T) (out []string) {
	t.Helper()
	err := x.db.Read(t.Context(), func(tx *metadb.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT action FROM audit_event ORDER BY tenant_id, seq")
		if err != nil {
			return err
		}
		defer rows.Close()
		out = nil
		for rows.Next() {
			var a string
			if err := rows.Scan(&a); err != nil {
				return err
			}
			out = append(out, a)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (x *world) notices(t *testing.T) (out []string) {
	t.Helper()
	list, err := notice.New(x.db, x.now).List(t.Context(), acme, false, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range list {
		out = append(out, n.Message+" "+n.Link)
	}
	return out
}

func isKind(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if fault.KindOf(err) != want {
		t.Errorf("got %v (%s), want %s", err, fault.KindOf(err), want)
	}
}

// trusting are options of a service that trusts a test server on this machine.
func trusting(roots *x509.CertPool) delivery.Options {
	return delivery.Options{Roots: roots, PushNetworks: reach.Loopback}
}

func message(subject, text string, files ...delivery.File) delivery.Message {
	return delivery.Message{ID: "m1", At: time.Date(2026, 7, 1, 6, 0, 0, 0, time.UTC), Kind: "report", Subject: subject, Text: text, Files: files}
}
