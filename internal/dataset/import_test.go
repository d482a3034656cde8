package dataset_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

var acme = tenant.Scope{Tenant: "acme", Actor: "test"}

// clock is the fixed instant of all tests.
func clock() time.Time { return time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC) }

// world is a tenant's warehouse and the service under test.
type world struct {
	*dataset.Service
	w    *warehouse.Warehouse
	db   *metadb.DB
	jobs jobs
}

// jobs counts what was enqueued in transactions.
type jobs struct{ kinds []string }

func (j *jobs) Enqueue(_ context.Context, _ tenant.Scope, _ *metadb.Tx, kind string, _ any) error {
	j.kinds = append(j.kinds, kind)
	return nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldWith(t, warehouse.Options{})
}

func newWorldWith(t testing.TB, opt warehouse.Options) *world {
	t.Helper()
	return newWorldOn(t, metadb.SQLite, opt)
}

func newWorldOn(t testing.TB, engine metadb.Engine, opt warehouse.Options) *world {
	t.Helper()
	db, _ := metadbtest.Open(t, engine)
	w, err := warehouse.Open(context.Background(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables()}, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	x := &world{w: w, db: db}
	x.Service = dataset.New(w, db, audit.New(clock), &x.jobs, clock)
	return x
}

// load imports a text as a file of that name and wants it to succeed.
func (x *world) load(t testing.TB, name, text string, req ...dataset.ImportRequest) dataset.ImportResult {
	t.Helper()
	r := dataset.ImportRequest{}
	if len(req) > 0 {
		r = req[0]
	}
	r.Name, r.Reader = name, strings.NewReader(text)
	results, err := x.Import(t.Context(), acme, r)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(results) != 1 {
		t.Fatalf("%s: got %d results, want 1", name, len(results))
	}
	res := results[0]
	if sum := res.RowsAdded + res.RowsUpdated + res.RowsUnchanged + res.RowsRejected; sum != res.RowsRead {
		t.Fatalf("%s: %d rows read, but added %d + updated %d + unchanged %d + rejected %d = %d", name, res.RowsRead, res.RowsAdded, res.RowsUpdated, res.RowsUnchanged, res.RowsRejected, sum)
	}
	return res
}

// rows runs a SELECT over the named tables of the current snapshot and prints each row.
func (x *world) rows(t testing.TB, sql string, tables ...string) []string {
	t.Helper()
	var uses []warehouse.TableUse
	for _, n := range tables {
		uses = append(uses, warehouse.TableUse{Name: n})
	}
	res, err := x.w.Query(t.Context(), acme, warehouse.Statement{Uses: uses, SQL: sql})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, r := range res.Rows {
		var cells []string
		for _, v := range r {
			if d, ok := v.(time.Time); ok {
				v = strings.TrimSuffix(d.Format("2006-01-02 15:04:05"), " 00:00:00")
			}
			cells = append(cells, fmt.Sprint(v))
		}
		out = append(out, strings.Join(cells, "|"))
	}
	return out
}

func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func codes(r dataset.ImportResult) map[string]int64 {
	out := map[string]int64{}
	for _, f := range r.Findings {
		out[f.Code] += f.Count
	}
	return out
}

// counts prints a result's counts: read added updated unchanged rejected.
func counts(r dataset.ImportResult) string {
	return fmt.Sprint(r.RowsRead, r.RowsAdded, r.RowsUpdated, r.RowsUnchanged, r.RowsRejected)
}

// fourFiles is the simple form that every small MSP can export.
var fourFiles = map[string]string{
	"clients.csv":   "client_name,industry,status,contract_value\nHarbor Dental,Healthcare,active,2400\nBay Clinic,Healthcare,active,1800.50\nOld Mill,Retail,former,\n",
	"invoices.csv":  "invoice_id,client_name,amount,date,status\nINV-1,Harbor Dental,2400,2026-03-01,paid\nINV-2,Bay Clinic,1800.50,2026-03-01,sent\n1003,HARBOR DENTAL,-50,2026-03-15,sent\n",
	"time_logs.csv": "staff_name,client_name,hours,rate,billable,date\nDana Ortiz,Harbor Dental,1.5,80,Yes,2026-03-04\nSam Reyes,Bay Clinic,2.25,75,No,2026-03-05\nDana Ortiz,Harbor Dental,1.5,80,Yes,2026-03-04\n",
	"licenses.csv":  "client_name,product_name,seats_purchased,seats_used,cost_per_seat,status\nHarbor Dental,Microsoft 365,50,44,22,active\nBay Clinic,Microsoft 365,10,12,22,active\n",
}

func TestTheFourFileFormImports(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	for _, name := range []string{"clients.csv", "invoices.csv", "time_logs.csv", "licenses.csv"} {
		first := x.load(t, name, fourFiles[name])
		want(t, name+" first", counts(first), fmt.Sprint(first.RowsRead, first.RowsRead, 0, 0, 0))
		again := x.load(t, name, fourFiles[name])
		want(t, name+" again", counts(again), fmt.Sprint(first.RowsRead, 0, 0, first.RowsRead, 0))
		want(t, name+" snapshot", again.Snapshot, first.Snapshot)
	}
	want(t, "invoices", x.rows(t, "SELECT client_key, invoice_number, invoice_date, net_amount, status, tax_basis FROM invoices ORDER BY 2", "invoices"),
		[]string{"HARBOR DENTAL|1003|2026-03-15|-50|sent|unknown", "Harbor Dental|INV-1|2026-03-01|2400|paid|unknown", "Bay Clinic|INV-2|2026-03-01|1800.5|sent|unknown"})
	want(t, "time", x.rows(t, "SELECT client_key, work_date, hours_worked, bill_rate, billable, source_id FROM time_entries ORDER BY 1, 2", "time_entries"),
		[]string{"Bay Clinic|2026-03-05|2.25|75|false|<nil>", "Harbor Dental|2026-03-04|1.5|80|true|<nil>", "Harbor Dental|2026-03-04|1.5|80|true|<nil>"})
	want(t, "people", x.rows(t, "SELECT name, kind, length(person_key) FROM people ORDER BY 1", "people"), []string{"Dana Ortiz|staff|18", "Sam Reyes|staff|18"})
	want(t, "licenses", x.rows(t, "SELECT client_key, product_name, seats_purchased, seats_used, unit_cost, status, valid_from FROM licenses ORDER BY 1", "licenses"),
		[]string{"Bay Clinic|Microsoft 365|10|12|22|active|<nil>", "Harbor Dental|Microsoft 365|50|44|22|active|<nil>"})
	want(t, "alias", x.rows(t, "SELECT kind, key, canonical FROM aliases", "aliases"), []string{"client|HARBOR DENTAL|Harbor Dental"})
	want(t, "clients", x.rows(t, "SELECT client_key, industry, status, contract_value FROM clients ORDER BY 1", "clients"),
		[]string{"Bay Clinic|Healthcare|active|1800.5", "Harbor Dental|Healthcare|active|2400", "Old Mill|Retail|former|<nil>"})
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// data returns the path of public test data that is not part of the product, and skips
// the test where it is not there.
func data(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("MOAT_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("public test data is not here: set MOAT_DATA (%v)", err)
	}
	return path
}
