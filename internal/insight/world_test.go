package insight_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

var northwind = tenant.Scope{Tenant: "northwind", Actor: "test"}

// clock is the day after the sample's export.
func clock() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

// world is a tenant with data and the service under test.
type world struct {
	*insight.Service
	datasets  *dataset.Service
	metrics   *metric.Catalog
	warehouse *warehouse.Warehouse
	db        *metadb.DB
}

// with returns the same data under a service with other options.
func (x *world) with(opt insight.Options) *world {
	out := *x
	out.Service = insight.New(x.metrics, x.warehouse, opt)
	return &out
}

// idle takes jobs and does nothing with them.
type idle struct{}

func (idle) Enqueue(context.Context, tenant.Scope, *metadb.Tx, string, any) error { return nil }

func newWorld(t testing.TB) *world {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(context.Background(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	log := audit.New(clock)
	metrics := metric.New(w, metric.Options{Definitions: definition.New(db, log, clock)})
	return &world{
		Service:  insight.New(metrics, w, insight.Options{Now: clock}),
		datasets: dataset.New(w, db, log, idle{}, clock), metrics: metrics, warehouse: w, db: db,
	}
}

// load imports the CSV files of dir as one set, without those in except.
func (x *world) load(t testing.TB, dir string, except ...string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var set []dataset.ImportRequest
	for _, f := range files {
		if !slices.Contains(except, strings.TrimSuffix(filepath.Base(f), ".csv")) {
			set = append(set, dataset.ImportRequest{Path: f})
		}
	}
	results, err := x.datasets.ImportSet(t.Context(), northwind, set, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil || r.Result.RowsRejected > 0 {
			t.Fatalf("%s: %v; %d of %d rows rejected: %+v", r.Name, r.Err, r.Result.RowsRejected, r.Result.RowsRead, r.Result.Rejects[:min(3, len(r.Result.Rejects))])
		}
	}
}

// text imports a text as the file name.
func (x *world) text(t testing.TB, name, content string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	results, err := x.datasets.Import(t.Context(), northwind, dataset.ImportRequest{Path: path})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, r := range results {
		if r.RowsRejected > 0 {
			t.Fatalf("%s: %+v", name, r.Rejects)
		}
	}
}

func (x *world) analyze(t testing.TB) []insight.Finding {
	t.Helper()
	findings, err := x.Analyze(t.Context(), northwind, insight.DefaultPeriod)
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// msp generates the sample provider.
func msp(t testing.TB, opt sample.MSPOptions) (string, sample.Truth) {
	t.Helper()
	dir := t.TempDir()
	truth, err := sample.MSP(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return dir, truth
}

func find(findings []insight.Finding, kind insight.Kind, subject string) (insight.Finding, bool) {
	for _, f := range findings {
		if f.Kind == kind && f.Subject.Value == subject {
			return f, true
		}
	}
	return insight.Finding{}, false
}

func period(t testing.TB, from, to string) quantity.Period {
	t.Helper()
	p, err := quantity.ParsePeriod(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
