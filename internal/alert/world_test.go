package alert_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/alert"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/delivery/deliverytest"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// acme as its owner, and as the program.
var (
	acme    = tenant.Scope{Tenant: "acme", Actor: "cli:owner"}
	program = tenant.Scope{Tenant: "acme", Actor: "job:alerts"}
)

const words = "a lantern over still water"

// world is a tenant with rules, accounts, a mail server, browsers, webhooks, and a clock that is
// moved by hand.
type world struct {
	*alert.Service
	db      *metadb.DB
	data    *dataset.Service
	metrics *metric.Catalog
	watch   *insight.Watch
	out     *delivery.Service
	users   *access.Service
	notices *notice.Store
	queue   *job.Queue
	mail    *deliverytest.SMTP
	web     *deliverytest.Web
	office  string // id of the mail destination
	hook    string // id of the webhook
	dir     string // of the warehouse

	mu sync.Mutex
	at time.Time
	n  int
}

func (x *world) now() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.at
}

func (x *world) to(t *testing.T, text string) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at = instant(t, text)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	return newWorldOn(t, db)
}

func newWorldOn(t *testing.T, db *metadb.DB) *world {
	t.Helper()
	x := &world{db: db, at: instant(t, "2026-07-01T10:00:00Z"), mail: deliverytest.StartSMTP(t), web: deliverytest.StartWeb(t), dir: t.TempDir()}
	w, err := warehouse.Open(t.Context(), db, x.dir, warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	log, box := audit.New(x.now), keyringtest.Box(t, db)
	if x.queue, err = job.New(db, nil, job.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := x.queue.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.metrics = metric.New(w, metric.Options{Now: x.now, Settings: metric.NewSettings(db, log, x.now), Definitions: definition.New(db, log, x.now)})
	insights := insight.New(x.metrics, w, insight.Options{Now: x.now})
	x.data = dataset.New(w, db, log, x.queue, x.now)
	t.Cleanup(func() { x.data.Close() })
	x.notices = notice.New(db, x.now)
	x.watch = insight.NewWatch(insights, db, review.New(db, log, x.now), x.notices, x.now)
	policies := access.NewPolicies(db, log, x.now, access.PolicyOptions{})
	x.users = access.New(db, log, box, x.now, access.Options{Home: "acme", Policies: policies})
	roots := x.mail.Roots.Clone()
	roots.AddCert(x.web.Certificate())
	x.out = delivery.New(db, log, x.queue, x.now, delivery.Options{Box: box, Roots: roots, PushNetworks: reach.Loopback, Address: func(ctx context.Context, t tenant.Slug, actor tenant.Actor) (string, error) {
		u, err := x.users.User(ctx, tenant.Scope{Tenant: t, Actor: "job:deliver"}, string(actor)[len("user:"):])
		return u.Account.Email, err
	}})
	x.Service = alert.New(alert.Deps{DB: db, Audit: log, Jobs: x.queue, Metrics: x.metrics, Insights: insights, Watch: x.watch, Notices: x.notices, People: x.users, Policies: policies, Out: x.out}, x.now, alert.Options{Address: "https://moat.example.com"})
	office, err := x.out.Add(t.Context(), acme, delivery.Spec{Name: "office", Kind: delivery.Email, Password: secret.NewText(deliverytest.Password),
		Settings: delivery.Settings{Host: x.mail.Host, Port: x.mail.StartTLS, User: deliverytest.User, From: "alerts@msp.example"}})
	if err != nil {
		t.Fatal(err)
	}
	hook, err := x.out.Add(t.Context(), acme, delivery.Spec{Name: "chat", Kind: delivery.Webhook, Password: secret.NewText("0123456789abcdef"), Settings: delivery.Settings{URL: x.web.URL + "/hook"}})
	if err != nil {
		t.Fatal(err)
	}
	x.office, x.hook = office.ID, hook.ID
	if _, err := x.users.SetUp(t.Context(), "olga@msp.example", "Olga Owner", words, access.Place{}); err != nil {
		t.Fatal(err)
	}
	return x
}

// join makes a user and returns how they are called on the record.
func (x *world) join(t *testing.T, name string, as access.Standing) tenant.Actor {
	t.Helper()
	token, _, err := x.users.Invite(t.Context(), acme, name+"@msp.example", as)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.users.Use(t.Context(), token, name, words+" deep", access.Who{}, access.Place{}); err != nil {
		t.Fatal(err)
	}
	u, err := x.users.User(t.Context(), acme, name+"@msp.example")
	if err != nil {
		t.Fatal(err)
	}
	return u.Account.Actor()
}

// scope is what a user may see and do.
func (x *world) scope(t *testing.T, actor tenant.Actor) tenant.Scope {
	t.Helper()
	s, err := x.users.ScopeOf(t.Context(), "acme", actor, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bill imports invoices: client, amount.
func (x *world) bill(t *testing.T, pairs ...string) {
	t.Helper()
	text := "invoice_id,client_name,amount,date,status\n"
	for i := 0; i < len(pairs); i += 2 {
		x.n++
		text += fmt.Sprintf("I-%d,%s,%s,2026-06-%02d,paid\n", x.n, pairs[i], pairs[i+1], i/2+1)
	}
	x.load(t, "invoices.csv", text)
}

func (x *world) load(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := x.data.Import(t.Context(), acme, dataset.ImportRequest{Path: path}); err != nil {
		t.Fatal(err)
	}
}

func (x *world) rule(t *testing.T, r metric.Rule) {
	t.Helper()
	if _, err := x.metrics.PutRule(t.Context(), acme, r, true); err != nil {
		t.Fatal(err, fault.FieldsOf(err))
	}
}

func (x *world) route(t *testing.T, spec alert.RouteSpec) alert.Route {
	t.Helper()
	r, err := x.AddRoute(t.Context(), acme, spec)
	if err != nil {
		t.Fatal(err, fault.FieldsOf(err))
	}
	return r
}

// evaluate evaluates the rules and tells what is due.
func (x *world) evaluate(t *testing.T) alert.Told {
	t.Helper()
	e, err := x.watch.Evaluate(t.Context(), program)
	if err != nil || len(e.Problems) > 0 {
		t.Fatal(err, e.Problems)
	}
	return x.run(t)
}

// run tells what is due and sends it.
func (x *world) run(t *testing.T) alert.Told {
	t.Helper()
	told, err := x.Run(t.Context(), program)
	if err != nil {
		t.Fatal(err)
	}
	x.send(t)
	return told
}

// send sends what waits.
func (x *world) send(t *testing.T) {
	t.Helper()
	list, err := x.out.Deliveries(t.Context(), acme, delivery.Filter{Status: delivery.Waiting}, 1000, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if err := x.out.Work(t.Context(), program, fmt.Appendf(nil, `{"id":%q}`, d.ID)); err != nil {
			t.Fatal(err)
		}
	}
}

// list are the alerts that somebody sees, as "rule: subject value".
func (x *world) list(t *testing.T, scope tenant.Scope, f alert.Filter) []string {
	t.Helper()
	all, err := x.List(t.Context(), scope, f, 1000, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, a := range all {
		out = append(out, a.Rule+": "+a.Subject+" "+a.Value)
	}
	slices.Sort(out)
	return out
}

// id is that of the alert about a subject.
func (x *world) id(t *testing.T, subject string) string {
	t.Helper()
	all, err := x.List(t.Context(), acme, alert.Filter{}, 1000, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Subject == subject {
			return a.ID
		}
	}
	t.Fatalf("no alert about %s", subject)
	return ""
}

// recorded counts what stands on the record, by the actions that begin so.
func (x *world) recorded(t *testing.T, prefix string) map[string]int {
	t.Helper()
	out := map[string]int{}
	err := x.db.Read(t.Context(), func(tx *metadb.Tx) error {
		clear(out)
		rows, err := tx.Query(t.Context(), "SELECT action, count(*) FROM audit_event WHERE action LIKE $1 GROUP BY action", prefix+"%")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var action string
			var n int
			if err := rows.Scan(&action, &n); err != nil {
				return err
			}
			out[action] = n
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
