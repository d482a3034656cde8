package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/sample"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

var firm = tenant.Scope{Tenant: "firm", Actor: "test"}

// clock is some days after the sample's export.
func clock() time.Time { return time.Date(2026, 7, 6, 9, 30, 0, 0, time.UTC) }

// world is a tenant with data and its reports.
type world struct {
	*report.Service
	t        testing.TB
	db       *metadb.DB
	data     *dataset.Service
	metrics  *metric.Catalog
	settings *metric.Settings
	policies *access.Policies
	insights *insight.Service
	jobs     []job                         // that wait for a worker
	members  map[tenant.Actor]tenant.Scope // who can sign in
	sent     []delivery.Delivery           // enqueued
	refuses  func(delivery.Delivery) error // what the outbox says; nil takes all
	away     error                         // of whoever asks for a member; nil answers
	dir      string                        // of the files
	at       time.Time                     // now
}

type job struct {
	scope tenant.Scope
	kind  string
	args  json.RawMessage
}

func newWorld(t testing.TB) *world { return newWorldOn(t, metadb.SQLite) }

func newWorldOn(t testing.TB, engine metadb.Engine) *world {
	t.Helper()
	db, _ := metadbtest.Open(t, engine)
	return newWorldIn(t, db, t.TempDir())
}

// newWorldIn builds the reports over a control database and the folder of its data.
func newWorldIn(t testing.TB, db *metadb.DB, dir string) *world {
	t.Helper()
	w, err := warehouse.Open(context.Background(), db, dir, warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	log := audit.New(clock)
	x := &world{t: t, db: db, settings: metric.NewSettings(db, log, clock), members: map[tenant.Actor]tenant.Scope{}, at: clock()}
	now := func() time.Time { return x.at }
	definitions := definition.New(db, log, clock)
	x.metrics = metric.New(w, metric.Options{Now: now, Settings: x.settings, Definitions: definitions})
	x.data = dataset.New(w, db, log, idle{}, now)
	x.insights = insight.New(x.metrics, w, insight.Options{Now: now})
	x.policies = access.NewPolicies(db, log, clock, access.PolicyOptions{})
	x.Service = report.New(report.Parts{
		DB: db, Warehouse: w, Audit: log, Data: x.data, Metrics: x.metrics, Insights: x.insights, Reviews: review.New(db, log, clock),
		Policies: x.policies, Workspace: workspace.New(db, log, nil, clock), Definitions: definitions,
	}, report.Options{
		Dir: filepath.Join(dir, "reports"), Product: "test", Now: now, Notices: notice.New(db, now), Box: keyringtest.Box(t, db),
		Enqueue: func(_ context.Context, scope tenant.Scope, _ *metadb.Tx, kind string, args any) error {
			raw, err := json.Marshal(args)
			x.jobs = append(x.jobs, job{scope, kind, raw})
			return err
		},
		ScopeOf: func(_ context.Context, _ tenant.Slug, member tenant.Actor) (tenant.Scope, error) {
			if x.away != nil {
				return tenant.Scope{}, x.away
			}
			scope, ok := x.members[member]
			if !ok {
				return scope, fault.Newf(fault.Forbidden, "%s cannot sign in any more", member)
			}
			return scope, nil
		},
		Deliver: func(_ context.Context, _ tenant.Scope, _ *metadb.Tx, d delivery.Delivery) ([]string, error) {
			if slices.ContainsFunc(x.sent, func(o delivery.Delivery) bool {
				return o.Once == d.Once && o.Destination == d.Destination && strings.EqualFold(strings.Join(o.To, " "), strings.Join(d.To, " "))
			}) {
				return nil, nil
			}
			if x.refuses != nil {
				if err := x.refuses(d); err != nil {
					return nil, err
				}
			}
			x.sent = append(x.sent, d)
			return []string{fmt.Sprint("d", len(x.sent))}, nil
		},
	})
	x.dir = filepath.Join(dir, "reports")
	return x
}

// idle takes jobs and does nothing with them.
type idle struct{}

func (idle) Enqueue(context.Context, tenant.Scope, *metadb.Tx, string, any) error { return nil }

// load imports a file.
func (x *world) load(path, name string) {
	x.t.Helper()
	results, err := x.data.Import(context.Background(), firm, dataset.ImportRequest{Path: path, Dataset: name})
	if err != nil {
		x.t.Fatalf("%s: %v", path, err)
	}
	for _, r := range results {
		if r.RowsRejected > 0 {
			x.t.Fatalf("%s: %+v", path, r.Rejects)
		}
	}
}

// give imports text as a dataset's file.
func (x *world) give(name, text string) {
	x.t.Helper()
	path := filepath.Join(x.t.TempDir(), name+".csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		x.t.Fatal(err)
	}
	x.load(path, name)
}

// demo is the sample as the demo command makes it: a copy of one that is made once for all tests.
func demo(t testing.TB) *world {
	t.Helper()
	demoOnce.Do(func() { demoDir, demoErr = makeDemo(t) })
	if demoErr != nil {
		t.Fatal(demoErr)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(demoDir)); err != nil {
		t.Fatal(err)
	}
	return newWorldIn(t, openAt(t, dir), dir)
}

var (
	demoOnce sync.Once
	demoDir  string
	demoErr  error
)

// makeDemo imports the sample into a folder that outlives the test that needs it first.
func makeDemo(t testing.TB) (string, error) {
	dir, err := os.MkdirTemp("", "moat-report-demo-")
	if err != nil {
		return "", err
	}
	db, err := metadb.Open(context.Background(), filepath.Join(dir, "control.db"))
	if err != nil {
		return dir, err
	}
	if err := db.Migrate(context.Background()); err != nil {
		return dir, err
	}
	x := newWorldIn(t, db, dir)
	x.loadDemo()
	return dir, db.Close()
}

func openAt(t testing.TB, dir string) *metadb.DB {
	t.Helper()
	db, err := metadb.Open(context.Background(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// loadDemo imports the sample.
func (x *world) loadDemo() {
	x.t.Helper()
	files := x.t.TempDir()
	if _, err := sample.MSP(files, sample.MSPOptions{}); err != nil {
		x.t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(files, "*.csv"))
	if err != nil || len(paths) == 0 {
		x.t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, p := range paths {
		x.load(p, "")
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if demoDir != "" {
		os.RemoveAll(demoDir)
	}
	os.Exit(code)
}

func periodOf(t testing.TB, from, to string) quantity.Period {
	t.Helper()
	p, err := quantity.ParsePeriod(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// valueOf is the one figure of a result.
func valueOf(r *metric.Result) document.Value {
	v := document.Value{Unit: r.Columns[0].Unit, Currency: r.Currency}
	if len(r.Rows) > 0 {
		if d, ok := r.Rows[0][0].(quantity.Decimal); ok {
			v.Number = &d
		}
	}
	return v
}
