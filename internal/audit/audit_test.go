package audit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

var acme = tenant.Scope{Tenant: "acme", Actor: "test"}

func fill(t *testing.T, db *metadb.DB, n int) *audit.Log {
	t.Helper()
	log := audit.New(time.Now)
	for i := range n {
		err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			_, err := log.Append(t.Context(), acme, tx, audit.Event{Action: "import.commit", Subject: audit.Subject{Kind: "import", ID: fmt.Sprint(i)}, Snapshot: int64(i), Detail: map[string]int{"rows": i}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return log
}

func verify(t *testing.T, db *metadb.DB, log *audit.Log) audit.Report {
	t.Helper()
	r, err := log.Verify(t.Context(), acme, db)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryTamperingIsLocated(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, sql string
		seq       int64
		what      string
	}{
		{"an edited detail", `UPDATE audit_event SET detail = '{"rows":7}' WHERE seq = 3`, 3, "edited"},
		{"an edited actor", `UPDATE audit_event SET actor = 'nobody' WHERE seq = 5`, 5, "edited"},
		{"a deleted entry", `DELETE FROM audit_event WHERE seq = 4`, 4, "missing"},
		{"a cut tail", `DELETE FROM audit_event WHERE seq > 6`, 7, "tail"},
		{"a lost head", `DELETE FROM audit_head`, 8, "head"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
				log := fill(t, db, 8)
				if r := verify(t, db, log); len(r.Faults) != 0 || r.Entries != 8 {
					t.Fatalf("an untouched chain: got %+v", r)
				}
				change(t, db, c.sql)
				r := verify(t, db, log)
				if len(r.Faults) == 0 || r.Faults[0].Seq != c.seq || !strings.Contains(r.Faults[0].What, c.what) {
					t.Errorf("got %+v, want entry %d %q", r.Faults, c.seq, c.what)
				}
			})
		})
	}
}

func TestSwappedEntriesAreFound(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		log := fill(t, db, 5)
		change(t, db, "UPDATE audit_event SET seq = 99 WHERE seq = 2", "UPDATE audit_event SET seq = 2 WHERE seq = 3", "UPDATE audit_event SET seq = 3 WHERE seq = 99")
		if r := verify(t, db, log); len(r.Faults) == 0 || r.Faults[0].Seq != 2 {
			t.Errorf("got %+v, want a fault at entry 2", r.Faults)
		}
	})
}

func TestARolledBackChangeLeavesNoEvent(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		log := fill(t, db, 2)
		stop := errors.New("stop")
		err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			if _, err := log.Append(t.Context(), acme, tx, audit.Event{Action: "x"}); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		if r := verify(t, db, log); r.Entries != 2 || len(r.Faults) != 0 {
			t.Errorf("got %+v, want 2 entries", r)
		}
	})
}

func TestOneTenantNeverSeesAnothersEvents(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		log := fill(t, db, 2)
		err := db.Read(t.Context(), func(tx *metadb.Tx) error {
			entries, err := log.List(t.Context(), tenant.Scope{Tenant: "other", Actor: "test"}, tx, 0, 10)
			if len(entries) != 0 {
				t.Errorf("other tenant reads %d entries", len(entries))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
