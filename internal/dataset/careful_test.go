package dataset

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// When the engine counts other records than our look at the file did, the file is read
// again the careful way, with the same result.
func TestAFileTheEngineReadsOtherwiseIsReadCarefully(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(ctx, db, t.TempDir(), warehouse.Schema{Tables: Tables()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	now := func() time.Time { return time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC) }
	svc := New(w, db, audit.New(now), nil, now)
	scope := tenant.Scope{Tenant: "acme", Actor: "test"}
	s, err := w.NewSession(ctx, scope)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := &copier{dir: s.Dir()}
	uploads, err := c.open(ctx, "time.csv", strings.NewReader("staff_name,client_name,date,hours\nDana,A,2026-03-01,1\nDana,B,bad,2\nDana,C,2026-03-03,3\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := Mapping{Options: MappingOptions{SourceSystem: "csv"}}
	tab, d, err := openTable(ctx, s.Dir(), uploads[0], m, ImportRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if !tab.Layout.Regular || tab.Clean {
		t.Fatal("the file should look regular")
	}
	tab.Records += 7 // as if we had miscounted
	set := &setTable{m: m, t: tab, d: d}
	if err := svc.importOne(ctx, scope, s, set); err != nil {
		t.Fatal(err)
	}
	r := set.Result
	if !tab.Clean || r.RowsRead != 3 || r.RowsAdded != 2 || r.RowsRejected != 1 || r.Rejects[0].Line != 3 || r.Rejects[0].Row != "Dana,B,bad,2" {
		t.Errorf("got clean %v, %+v", tab.Clean, r)
	}
}
