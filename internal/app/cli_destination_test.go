package app_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// noWorker leaves jobs where they are.
type noWorker struct{}

func (noWorker) Enqueue(context.Context, tenant.Scope, *metadb.Tx, string, any) error { return nil }

// The notice of a delivery that failed says which one it is, and that one can be shown.
func TestANoticeOfAFailedDeliveryNamesIt(t *testing.T) {
	t.Parallel()
	box := t.TempDir()
	p := program{data: t.TempDir(), env: []string{"MOAT_DELIVERY_FOLDERS=" + box}}
	if out := p.ok(t, "notices"); strings.Contains(out, "destinations retry") {
		t.Errorf("without notices it says %s", out)
	}
	p.ok(t, "destinations", "add", "board", "--kind", "folder", "--path", filepath.Join(box, "board"))
	db, err := metadb.Open(t.Context(), filepath.Join(p.data, "moatmetrics.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	scope := tenant.Scope{Tenant: "default", Actor: "cli:test"}
	deliveries := delivery.New(db, audit.New(time.Now), noWorker{}, time.Now, delivery.Options{})
	var where string
	if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
		return tx.One(t.Context(), "SELECT id FROM destination WHERE kind = 'folder'", nil, &where)
	}); err != nil {
		t.Fatal(err)
	}
	var ids []string
	if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		for _, label := range []string{"May report", "June report"} {
			made, err := deliveries.Enqueue(t.Context(), scope, tx, delivery.Delivery{Destination: where, Kind: "report", Ref: label, Label: label})
			if err != nil {
				return err
			}
			ids = append(ids, made...)
		}
		return notice.New(db, time.Now).Send(t.Context(), scope, tx, notice.Notice{Kind: notice.DeliveryFailed, Subject: ids[1], Message: "June report was not delivered: the folder is gone"})
	}); err != nil {
		t.Fatal(err)
	}
	if out := p.ok(t, "notices"); !strings.Contains(out, ids[1]) || strings.Contains(out, ids[0]) || !strings.Contains(out, "destinations deliveries DELIVERY") {
		t.Errorf("notices: %s", out)
	}
	if out := p.ok(t, "notices", "--json"); !strings.Contains(out, `"/destinations?tab=deliveries\u0026row=`+ids[1]+`"`) && !strings.Contains(out, `"/destinations?tab=deliveries&row=`+ids[1]+`"`) {
		t.Errorf("notices as JSON: %s", out)
	}
	if out := p.ok(t, "destinations", "deliveries", ids[1]); !strings.Contains(out, "June report") || strings.Contains(out, "May report") {
		t.Errorf("one delivery: %s", out)
	}
	if out := p.ok(t, "destinations", "deliveries"); !strings.Contains(out, "June report") || !strings.Contains(out, "May report") {
		t.Errorf("all deliveries: %s", out)
	}
	if out, err := p.command("destinations", "deliveries", "nosuch").CombinedOutput(); err == nil || !strings.Contains(string(out), `there is no delivery "nosuch"`) {
		t.Errorf("one that there is not: %v %s", err, out)
	}
}
