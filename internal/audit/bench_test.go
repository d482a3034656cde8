package audit_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
)

// grow makes a chain of n entries without a transaction each: the hashes are made as Append
// makes them.
func grow(t testing.TB, db *metadb.DB, n int) {
	t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		id, err := metadb.EnsureTenant(t.Context(), tx, string(acme.Tenant), at)
		if err != nil {
			return err
		}
		const many = 100
		var prev string
		for from := 1; from <= n; from += many {
			var b strings.Builder
			b.WriteString("INSERT INTO audit_event (tenant_id, seq, at, actor, action, subject_kind, subject_id, snapshot, detail, prev_hash, hash, form, source, reason, salt) VALUES ")
			for seq := from; seq < from+many && seq <= n; seq++ {
				e := audit.Entry{Seq: int64(seq), At: metadb.Now(at.Add(time.Duration(seq) * time.Second)), Actor: "user:17", Source: "10.20.30.40", Action: "import.commit", Subject: audit.Subject{Kind: "import", ID: fmt.Sprint(seq)},
					Snapshot: int64(seq), Detail: fmt.Appendf(nil, `{"dataset":"time_entries","file":"time_logs-%d.csv","rows_added":%d}`, seq, seq*7), PrevHash: prev, Form: 2, Salt: fmt.Sprintf("%032x", seq)}
				e.Hash = audit.HashOf(acme.Tenant, e)
				prev = e.Hash
				if seq > from {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, "(%d,%d,'%s','%s','%s','import','%s',%d,'%s','%s','%s',2,'%s','','%s')", id, e.Seq, e.At, e.Actor, e.Action, e.Subject.ID, e.Snapshot, e.Detail, e.PrevHash, e.Hash, e.Source, e.Salt)
			}
			if _, err := tx.Exec(t.Context(), b.String()); err != nil {
				return err
			}
		}
		_, err = tx.Exec(t.Context(), "INSERT INTO audit_head (tenant_id, seq, hash) VALUES ($1, $2, $3)", id, n, prev)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The goal is a million entries in under 5 s on two processors. MOAT_BENCH_ENTRIES sets how
// many there are.
func BenchmarkVerify(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the program does
	n := 100_000
	if s := os.Getenv("MOAT_BENCH_ENTRIES"); s != "" {
		if _, err := fmt.Sscan(s, &n); err != nil {
			b.Fatal(err)
		}
	}
	for _, engine := range metadbtest.Engines {
		b.Run(fmt.Sprintf("%s/%d", engine, n), func(b *testing.B) {
			db, _ := metadbtest.Open(b, engine)
			grow(b, db, n)
			log := audit.New(time.Now)
			for b.Loop() {
				r, err := log.Verify(b.Context(), acme, db)
				if err != nil || len(r.Faults) != 0 || r.Entries != int64(n) {
					b.Fatalf("got %d entries, %d faults and %v", r.Entries, len(r.Faults), err)
				}
			}
		})
	}
}
