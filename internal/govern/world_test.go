package govern_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/keyring"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

var acme = tenant.Scope{Tenant: "acme", Actor: "cli:kim"}

// clock is a day after all test data.
func clock() time.Time { return time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC) }

// The data is about Dana Ortiz, who works here, and Lee Park, who is a client's contact.
// Both are written in several ways, also where nobody asked for a name.
const (
	clientsCSV = `client_name,client_id,account_manager,contact_name,contact_email,contact_phone
Harbor Dental Group,1042,Dana Ortiz,Lee Park,lee@harbordental.example,555-0100
Bay Clinic,1043,Sam Reyes,Ana Wood,ana@bayclinic.example,555-0199
`
	staffCSV = `staff_name,staff_email,role,team,cost_rate,weekly_hours
Dana Ortiz,dana.ortiz@msp.example,Technician,Desk,48.00,40
Sam Reyes,sam@msp.example,Technician,Desk,52.50,40
`
	timeCSV = `time_entry_id,work_date,client_name,staff_name,hours_worked,billable,bill_rate,notes
T-1,2024-02-04,Harbor Dental Group,Dana Ortiz,1.50,yes,150,Reset MFA for the front desk
T-2,2026-03-05,Harbor Dental Group,Sam Reyes,2.25,yes,150,Took over from dana ortiz after lunch
T-3,2026-03-06,Bay Clinic,Dana Ortiz,3.00,no,120,Called lee@harbordental.example back
T-4,2026-06-07,Bay Clinic,Sam Reyes,0.75,yes,120,Nothing of note
`
	// Dana's first entry, corrected: the snapshots before still show the other one.
	correctionCSV = `time_entry_id,work_date,client_name,staff_name,hours_worked,billable,bill_rate,notes
T-1,2024-02-04,Harbor Dental Group,Dana Ortiz,1.75,yes,150,Reset MFA again
`
	ticketsCSV = `ticket_number,client_name,title,staff_name,created_at,status,Raised by
48213,Harbor Dental Group,"Printer of Ortiz, Dana offline",Sam Reyes,2026-03-04 09:12,Closed,Dana Ortiz
48214,Bay Clinic,Cable broken,Dana Ortiz,2026-03-05 09:12,Closed,Ana Wood
`
	invoicesCSV = `client_name,invoice_number,invoice_date,net_amount,description
Harbor Dental Group,INV-1,2026-03-31,2400.10,Work of Dana Ortiz in March
Bay Clinic,INV-2,2026-03-31,900.05,Managed services March
`
	assignmentsCSV = `license_id,client_name,product_name,user_email,user_name
L-1,Harbor Dental Group,Microsoft 365 Business Premium,lee@harbordental.example,Lee Park
`
	rejectedCSV = `time_entry_id,work_date,client_name,staff_name,hours_worked
T-9,not a day,Bay Clinic,Dana Ortiz,1.00
T-10,2026-03-09,Bay Clinic,Sam Reyes,1.00
`
)

// world is one installation with data.
type world struct {
	*govern.Service
	data    *dataset.Service
	metrics *metric.Catalog
	w       *warehouse.Warehouse
	db      *metadb.DB
	log     *audit.Log
	users   *access.Service
	desk    *review.Desk
	space   *workspace.Store
	dir     string
}

// idle takes jobs and does nothing with them: tests carry out themselves.
type idle struct{}

func (idle) Enqueue(context.Context, tenant.Scope, *metadb.Tx, string, any) error { return nil }

// open builds an installation in dir. Its control database is in the same folder, as it is
// outside of tests.
func open(dir string) (*world, error) {
	ctx := context.Background()
	db, err := metadb.Open(ctx, filepath.Join(dir, "moatmetrics.db"))
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, err
	}
	return openOn(db, dir)
}

// openOn builds an installation in dir on a control database that is elsewhere.
func openOn(db *metadb.DB, dir string) (*world, error) {
	ctx := context.Background()
	w, err := warehouse.Open(ctx, db, dir, warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		return nil, err
	}
	log := audit.New(clock)
	data := dataset.New(w, db, log, idle{}, clock)
	master, err := secret.NewMaster(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	box := secret.New(keyring.NewStore(db, clock), func() ([]secret.Master, error) { return []secret.Master{master}, nil }, clock)
	users := access.New(db, log, box, clock, access.Options{Home: acme.Tenant})
	service := govern.New(w, db, data, log, nil, govern.Options{DataDir: dir, Now: clock, Box: box, Accounts: users})
	desk := review.NewDesk(review.New(db, log, clock), map[string]review.Decider{govern.ReviewKind: govern.Judge{Service: service}}, nil)
	return &world{Service: service, data: data, metrics: metric.New(w, metric.Options{}), w: w, db: db, log: log, users: users, desk: desk, space: workspace.New(db, log, box, clock), dir: dir}, nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	x, err := open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.data.Close(); x.w.Close(); x.db.Close() })
	return x
}

// load imports everything, each file as an upload, as the web app does.
func (x *world) load(t testing.TB) {
	t.Helper()
	for _, f := range [][2]string{{"clients.csv", clientsCSV}, {"staff.csv", staffCSV}, {"time.csv", timeCSV}, {"time-dana-ortiz.csv", correctionCSV}, {"tickets.csv", ticketsCSV},
		{"invoices.csv", invoicesCSV}, {"license_assignments.csv", assignmentsCSV}, {"time-rejected.csv", rejectedCSV}} {
		x.send(t, f[0], f[1])
	}
}

// send uploads a file and imports it.
func (x *world) send(t testing.TB, name, text string) dataset.Batch {
	t.Helper()
	ctx := context.Background()
	u, err := x.data.NewUpload(ctx, acme, name, int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.data.Append(ctx, acme, u.ID, 0, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	b, err := x.data.NewBatch(ctx, acme, dataset.BatchRequest{Files: []dataset.BatchFile{{Upload: u.ID}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.data.RunBatch(ctx, acme, b.ID); err != nil {
		t.Fatal(err)
	}
	if b, err = x.data.BatchOf(ctx, acme, b.ID); err != nil || b.Status != "done" {
		t.Fatalf("%s: %+v, %v", name, b, err)
	}
	return b
}

// totals are the figures that an erasure must not move, in the current and all old snapshots.
func (x *world) totals(t testing.TB) map[warehouse.Snapshot]string {
	t.Helper()
	snaps, err := x.w.Snapshots(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	out := map[warehouse.Snapshot]string{}
	for _, sn := range snaps {
		if sn.Kind != "import" {
			continue
		}
		var all []string
		for _, q := range []metric.Query{
			{Measures: []string{"revenue", "labor_cost", "hours_worked", "gross_margin"}, Period: period("2024-01-01", "2026-07-01")},
			{Measures: []string{"hours_worked", "labor_cost"}, Dimensions: []string{"client"}, Period: period("2024-01-01", "2026-07-01")},
			{Measures: []string{"hours_worked", "labor_cost"}, Grain: "month", Period: period("2024-01-01", "2026-07-01")},
		} {
			q.Snapshot = sn.ID
			r, err := x.metrics.Run(t.Context(), acme, q)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprint(r.Rows))
		}
		out[sn.ID] = strings.Join(all, "\n")
	}
	return out
}

func period(from, to string) quantity.Period {
	p, err := quantity.ParsePeriod(from, to)
	if err != nil {
		panic(err)
	}
	return p
}

// holding lists the files of the data directory, the control database included, that hold
// one of the texts in any case of letters: by their bytes, and Parquet also unpacked.
func (x *world) holding(t testing.TB, texts ...string) []string {
	t.Helper()
	session, err := x.w.NewSession(context.Background(), acme)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	var out []string
	err = filepath.WalkDir(x.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Ext(path) == ".parquet" {
			if err := session.Each(context.Background(), "SELECT CAST(r AS VARCHAR) FROM read_parquet("+warehouse.QuoteText(path)+") r", func(row []any) error {
				b = append(append(b, row[0].(string)...), 0)
				return nil
			}); err != nil {
				return err
			}
		}
		for _, s := range texts {
			if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(s))) {
				rel, _ := filepath.Rel(x.dir, path)
				out = append(out, rel+" has "+s)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// find returns the one person of that name.
func (x *world) find(t testing.TB, name string) govern.Person {
	t.Helper()
	list, err := x.People(context.Background(), acme, name)
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: %+v, %v", name, list, err)
	}
	return list[0]
}

// request notes a request to erase somebody and approves it.
func (x *world) approve(t testing.TB, name string) govern.Request {
	t.Helper()
	r, err := x.NewRequest(context.Background(), acme, govern.RequestSpec{Kind: govern.Erasure, Person: x.find(t, name).Key})
	if err != nil {
		t.Fatal(err)
	}
	if r, err = x.Decide(context.Background(), acme, r.ID, govern.Approve, "identity checked"); err != nil || r.State != govern.Approved {
		t.Fatalf("%+v, %v", r, err)
	}
	return r
}

func (x *world) verify(t testing.TB) {
	t.Helper()
	problems, err := x.w.Verify(context.Background(), acme)
	if err != nil || len(problems) > 0 {
		t.Errorf("verify: %+v, %v", problems, err)
	}
	r, err := x.log.Verify(context.Background(), acme, x.db)
	if err != nil || len(r.Faults) > 0 {
		t.Errorf("audit: %+v, %v", r.Faults, err)
	}
}
