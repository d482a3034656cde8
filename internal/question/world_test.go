package question_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/sample"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

var firm = tenant.Scope{Tenant: "firm", Actor: "test"}

// clock is the day after the sample's export.
func clock() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

// idle takes jobs and does nothing with them.
type idle struct{}

func (idle) Enqueue(context.Context, tenant.Scope, *metadb.Tx, string, any) error { return nil }

// world is a tenant with data and the questions about it.
type world struct {
	*question.Service
	metrics   *metric.Catalog
	warehouse *warehouse.Warehouse
	data      *dataset.Service
}

func newWorld(t testing.TB, dir string) *world {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(context.Background(), db, dir, warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	metrics := metric.New(w, metric.Options{Now: clock})
	data := dataset.New(w, db, audit.New(clock), idle{}, clock)
	return &world{question.New(metrics, insight.New(metrics, w, insight.Options{Now: clock}), scenario.New(metrics), data, w, clock), metrics, w, data}
}

// of returns a tenant with files, given as dataset and text.
func of(t testing.TB, files ...string) *world {
	t.Helper()
	x := newWorld(t, t.TempDir())
	t.Cleanup(func() { x.warehouse.Close() })
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(t.TempDir(), files[i]+".csv")
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
		x.load(t, path, files[i])
	}
	return x
}

func (x *world) load(t testing.TB, path, name string) {
	t.Helper()
	results, err := x.data.Import(context.Background(), firm, dataset.ImportRequest{Path: path, Dataset: name})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, r := range results {
		if r.RowsRejected > 0 {
			t.Fatalf("%s: %+v", path, r.Rejects)
		}
	}
}

// demo is the sample as the demo command makes it.
func demo(t testing.TB) (*world, sample.Truth) {
	t.Helper()
	x := newWorld(t, t.TempDir())
	t.Cleanup(func() { x.warehouse.Close() })
	files := t.TempDir()
	truth, err := sample.MSP(files, sample.MSPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(files, "*.csv"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, p := range paths {
		x.load(t, p, "")
	}
	return x, truth
}
