package audit_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// record is a chain with everything that one may hold: entries of the first form, contents
// removed by policy, checkpoints, entries after the last one.
type record struct {
	*audit.Log
	db     *metadb.DB
	now    time.Time
	box    *secret.Box
	kept   audit.Head // a copy of the end, kept elsewhere
	signed []audit.Checkpoint
}

func newRecord(t testing.TB, db *metadb.DB) *record {
	t.Helper()
	box := keyringtest.Box(t, db)
	if err := box.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := &record{db: db, box: box, now: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
	r.Log = audit.New(func() time.Time { r.now = r.now.Add(time.Second); return r.now })
	return r
}

func (r *record) do(t testing.TB, fn func(tx *metadb.Tx) error) {
	t.Helper()
	if err := r.db.Transact(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// old records n entries as the first version did.
func (r *record) old(t testing.TB, n int) {
	t.Helper()
	r.do(t, func(tx *metadb.Tx) error {
		id, err := metadb.EnsureTenant(t.Context(), tx, string(acme.Tenant), r.now)
		if err != nil {
			return err
		}
		var prev string
		for seq := 1; seq <= n; seq++ {
			e := audit.Entry{Seq: int64(seq), At: metadb.Now(r.now), Actor: "cli:anna", Action: "import.commit", Subject: audit.Subject{Kind: "import", ID: fmt.Sprint(seq)}, Detail: json.RawMessage(`{}`), PrevHash: prev, Form: 1}
			e.Hash = audit.HashOf(acme.Tenant, e)
			if _, err := tx.Exec(t.Context(), "INSERT INTO audit_event (tenant_id, seq, at, actor, action, subject_kind, subject_id, snapshot, detail, prev_hash, hash) VALUES ($1, $2, $3, $4, $5, 'import', $6, 0, '{}', $7, $8)",
				id, e.Seq, e.At, string(e.Actor), e.Action, e.Subject.ID, e.PrevHash, e.Hash); err != nil {
				return err
			}
			prev = e.Hash
		}
		_, err = tx.Exec(t.Context(), "INSERT INTO audit_head (tenant_id, seq, hash) VALUES ($1, $2, $3)", id, n, prev)
		return err
	})
}

func (r *record) add(t testing.TB, n int, action string) {
	t.Helper()
	from := tenant.Scope{Tenant: "acme", Actor: "user:17", From: "10.0.0.7"}
	for i := range n {
		r.do(t, func(tx *metadb.Tx) error {
			e, err := r.Append(t.Context(), from, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: "thing", ID: fmt.Sprint(i)}, Snapshot: int64(i), Before: i, After: i + 1, Reason: "because"})
			r.kept = audit.Head{Seq: e.Seq, Hash: e.Hash, Name: "the copy"}
			return err
		})
	}
}

func (r *record) sign(t testing.TB) {
	t.Helper()
	r.do(t, func(tx *metadb.Tx) error {
		c, err := r.Checkpoint(t.Context(), acme, tx, r.box)
		r.signed = append(r.signed, c)
		return err
	})
}

func (r *record) retain(t testing.TB) (n int) {
	t.Helper()
	r.do(t, func(tx *metadb.Tx) (err error) { n, err = r.Retain(t.Context(), acme, tx); return err })
	return n
}

func (r *record) verify(t testing.TB, kept ...audit.Head) audit.Report {
	t.Helper()
	report, err := r.Verify(t.Context(), acme, r.db, kept...)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// whole is a record of about forty entries with everything.
func whole(t testing.TB, db *metadb.DB) *record {
	r := newRecord(t, db)
	r.old(t, 3)
	r.add(t, 6, "import.commit")
	r.do(t, func(tx *metadb.Tx) error {
		return r.SetRetention(t.Context(), acme, tx, audit.Retention{Days: 120, ReadDays: 90}, "our policy")
	})
	r.add(t, 5, "read.pay")
	r.sign(t)
	r.now = r.now.AddDate(0, 0, 200)
	r.add(t, 5, "rule.change")
	if n := r.retain(t); n != 11 {
		t.Fatalf("the content of %d entries was removed, want 11", n)
	}
	r.add(t, 4, "kpi.add")
	r.sign(t)
	r.add(t, 6, "import.undo")
	return r
}

// Whoever holds the database edits it at random, with the triggers dropped. Each edit is
// found at its place.
func TestEveryEditIsFoundAtItsPlace(t *testing.T) {
	t.Parallel()
	edits := 120
	if os.Getenv("MOAT_SOAK") != "" {
		edits = 1000
	}
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		r := whole(t, db)
		if got := r.verify(t, r.kept); len(got.Faults) != 0 || got.Removed != 11 || got.Checkpoints != 3 || got.Entries != r.kept.Seq {
			t.Fatalf("an untouched record: got %+v", got)
		}
		unguard(t, db)
		tables := []string{"audit_event", "audit_head", "audit_checkpoint"}
		for _, table := range tables {
			r.run(t, "CREATE TABLE kept_"+table+" AS SELECT * FROM "+table)
		}
		random := rand.New(rand.NewPCG(6, 24))
		kinds := map[string]int{}
		for n := range edits {
			e := r.edit(t, random)
			kinds[e.kind]++
			r.run(t, e.statements...)
			got := r.verify(t, r.kept)
			if !slices.ContainsFunc(got.Faults, func(f audit.Fault) bool { return f.Seq == e.at }) {
				t.Errorf("edit %d, %s at %d: got %+v\n%s", n, e.kind, e.at, got.Faults, strings.Join(e.statements, ";\n"))
			}
			for _, table := range tables {
				r.run(t, "DELETE FROM "+table, "INSERT INTO "+table+" SELECT * FROM kept_"+table)
			}
		}
		if got := r.verify(t, r.kept); len(got.Faults) != 0 {
			t.Fatalf("after the last edit was taken back: got %+v", got)
		}
		if len(kinds) != 9 {
			t.Errorf("not every kind of edit came up: %v", kinds)
		}
	})
}

func (r *record) run(t testing.TB, statements ...string) {
	t.Helper()
	r.do(t, func(tx *metadb.Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
}

type edit struct {
	kind       string
	at         int64 // where it must be found
	statements []string
}

var (
	texts   = []string{"at", "actor", "action", "subject_kind", "subject_id", "detail", "prev_hash", "hash", "source", "reason", "salt", "content"}
	numbers = []string{"snapshot", "form", "removed_by"}
	columns = "tenant_id, seq, at, actor, action, subject_kind, subject_id, snapshot, detail, prev_hash, hash, form, source, reason, salt, content, removed_by"
)

// edit makes one up. The first checkpoint is at entry 16, before the removal.
func (r *record) edit(t testing.TB, random *rand.Rand) edit {
	last := r.kept.Seq
	k := 1 + random.Int64N(last)
	update := func(set string) string { return fmt.Sprintf("UPDATE audit_event SET %s WHERE seq = %d", set, k) }
	switch random.IntN(9) {
	case 0:
		c := texts[random.IntN(len(texts))]
		return edit{"change of a text", k, []string{update(c + " = " + c + " || 'x'")}}
	case 1:
		c := numbers[random.IntN(len(numbers))]
		return edit{"change of a number", k, []string{update(fmt.Sprintf("%s = %s + %d", c, c, 1+random.IntN(5)))}}
	case 2:
		return edit{"deletion", k, []string{fmt.Sprintf("DELETE FROM audit_event WHERE seq = %d", k)}}
	case 3: // those that follow move up by one, and the head with them
		return edit{"insertion", k, []string{
			fmt.Sprintf("UPDATE audit_event SET seq = seq + 1000001 WHERE seq >= %d", k), "UPDATE audit_event SET seq = seq - 1000000 WHERE seq > 1000000",
			fmt.Sprintf("INSERT INTO audit_event (%s) SELECT tenant_id, %d, at, 'forged', action, subject_kind, subject_id, snapshot, detail, prev_hash, hash, form, source, reason, salt, content, removed_by FROM audit_event WHERE seq = %d", columns, k, k+1),
			"UPDATE audit_head SET seq = seq + 1"}}
	case 4:
		j := 1 + (k+random.Int64N(last-1))%last
		return edit{"swap", min(k, j), []string{fmt.Sprintf("UPDATE audit_event SET seq = -seq WHERE seq IN (%d, %d)", k, j), fmt.Sprintf("UPDATE audit_event SET seq = %d + seq WHERE seq < 0", k+j)}}
	case 5: // cut, and everything in the database made to agree with it
		k = 1 + random.Int64N(last-1)
		return edit{"cut of the tail", k + 1, []string{fmt.Sprintf("DELETE FROM audit_event WHERE seq > %d", k), fmt.Sprintf("UPDATE audit_head SET seq = %d, hash = (SELECT hash FROM audit_event WHERE seq = %d)", k, k),
			fmt.Sprintf("DELETE FROM audit_checkpoint WHERE seq > %d", k)}}
	case 6: // a seal as the retention would make it, under the entry that removed others
		k = last - random.Int64N(6)
		return edit{"removal outside the policy", k, []string{update("actor = '', action = '', subject_kind = '', subject_id = '', snapshot = 0, detail = '', source = '', reason = '', salt = '', removed_by = 22, content = '" + r.sealOf(t, k) + "'")}}
	case 7:
		sets := []string{"hash = prev_of(hash)", "seq = seq + 1", "seq = seq - 1"}
		set := sets[random.IntN(len(sets))]
		at := map[string]int64{sets[0]: last, sets[1]: last + 1, sets[2]: last}[set]
		return edit{"change of the head", at, []string{"UPDATE audit_head SET " + strings.Replace(set, "prev_of(hash)", "'0' || hash", 1)}}
	}
	c := []string{"hash", "at", "signature", "public"}[random.IntN(4)]
	signed := r.signed[random.IntN(len(r.signed))].Seq
	return edit{"change of a checkpoint", signed, []string{fmt.Sprintf("UPDATE audit_checkpoint SET %s = 'AA' || substr(%s, 3) || 'A' WHERE seq = %d", c, c, signed)}}
}

// sealOf is the seal of an entry's content.
func (r *record) sealOf(t testing.TB, seq int64) (seal string) {
	t.Helper()
	if err := r.db.Read(t.Context(), func(tx *metadb.Tx) error {
		list, err := r.List(t.Context(), acme, tx, seq-1, 1)
		if err == nil {
			seal = audit.SealOf(list[0])
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return seal
}

// A chain that was changed and hashed anew from there agrees with itself: a copy kept
// elsewhere betrays it, and the checkpoints say between which entries.
func TestARewrittenChainIsFoundBetweenCheckpoints(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		r := whole(t, db)
		entries := list(t, db, r.Log)
		from, prev := r.signed[1].Seq+2, ""
		statements := []string{}
		for i := range entries {
			e := &entries[i]
			if e.Seq == from {
				e.Actor = "nobody"
			}
			if e.Seq >= from {
				e.PrevHash = prev
				e.Hash = audit.HashOf(acme.Tenant, *e)
				statements = append(statements, fmt.Sprintf("UPDATE audit_event SET actor = '%s', prev_hash = '%s', hash = '%s' WHERE seq = %d", e.Actor, e.PrevHash, e.Hash, e.Seq))
			}
			prev = e.Hash
		}
		change(t, db, append(statements, fmt.Sprintf("UPDATE audit_head SET hash = '%s'", prev))...)
		if got := r.verify(t); len(got.Faults) != 0 {
			t.Fatalf("without the copy: got %+v, want a chain that agrees with itself", got.Faults)
		}
		got := r.verify(t, r.kept)
		if want := fmt.Sprintf("the chain is not that of the copy: an entry from %d to %d was replaced or removed", r.signed[1].Seq+1, r.kept.Seq); len(got.Faults) != 1 || got.Faults[0] != (audit.Fault{Seq: r.signed[1].Seq + 1, What: want}) {
			t.Errorf("got %+v, want %s", got.Faults, want)
		}
		if got := r.verify(t, audit.Head{Hash: r.kept.Hash, Name: "a hash"}); len(got.Faults) != 1 || !strings.Contains(got.Faults[0].What, "no entry has the hash") {
			t.Errorf("the hash alone: got %+v", got.Faults)
		}
		// Without the last checkpoint it is only known to be after the one before.
		change(t, db, fmt.Sprintf("DELETE FROM audit_checkpoint WHERE seq = %d", r.signed[1].Seq))
		if got := r.verify(t, r.kept); len(got.Faults) != 1 || got.Faults[0].Seq != r.signed[0].Seq+1 {
			t.Errorf("without the last checkpoint: got %+v, want one fault from %d", got.Faults, r.signed[0].Seq+1)
		}
	})
}

// What the database itself refuses while its triggers are there.
func TestTheDatabaseRefusesToChangeTheRecord(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		r := whole(t, db)
		empty := "actor = '', action = '', subject_kind = '', subject_id = '', snapshot = 0, detail = '', source = '', reason = '', salt = ''"
		seal := strings.Repeat("0", 64)
		statements := map[string]string{
			"an edit":                                "UPDATE audit_event SET actor = 'x' WHERE seq = 5",
			"an edit that changes nothing":           "UPDATE audit_event SET actor = actor WHERE seq = 30",
			"a deletion":                             "DELETE FROM audit_event WHERE seq = 5",
			"a deletion of all":                      "DELETE FROM audit_event",
			"a move":                                 "UPDATE audit_event SET seq = 1000 WHERE seq = 32",
			"a removal that no entry names":          fmt.Sprintf("UPDATE audit_event SET %s, content = '%s', removed_by = 1000 WHERE seq = 30", empty, seal),
			"a removal that another entry names":     fmt.Sprintf("UPDATE audit_event SET %s, content = '%s', removed_by = 5 WHERE seq = 30", empty, seal),
			"a removal without a seal":               fmt.Sprintf("UPDATE audit_event SET %s, content = '', removed_by = 22 WHERE seq = 30", empty),
			"a removal that leaves something":        fmt.Sprintf("UPDATE audit_event SET %s, content = '%s', removed_by = 22 WHERE seq = 30", strings.Replace(empty, "reason = ''", "reason = 'x'", 1), seal),
			"a removal of what the first form holds": fmt.Sprintf("UPDATE audit_event SET %s, content = '%s', removed_by = 22 WHERE seq = 1", empty, seal),
			"a seal changed":                         fmt.Sprintf("UPDATE audit_event SET content = '%s' WHERE seq = 5", seal),
			"a head turned back":                     "UPDATE audit_head SET seq = seq - 1",
			"a head lost":                            "DELETE FROM audit_head",
			"a checkpoint changed":                   "UPDATE audit_checkpoint SET hash = 'x'",
			"a checkpoint lost":                      "DELETE FROM audit_checkpoint",
		}
		if db.Engine() == metadb.SQLite {
			statements["a replacement"] = fmt.Sprintf("INSERT OR REPLACE INTO audit_event (%s) SELECT %s FROM audit_event WHERE seq = 30", columns, strings.Replace(columns, "actor", "'x'", 1))
			statements["a checkpoint replaced"] = "INSERT OR REPLACE INTO audit_checkpoint SELECT tenant_id, seq, 'x', at, public, signature FROM audit_checkpoint"
		} else {
			statements["all at once"] = "TRUNCATE audit_event"
			statements["all checkpoints at once"] = "TRUNCATE audit_checkpoint"
			statements["all heads at once"] = "TRUNCATE audit_head"
		}
		for name, s := range statements {
			if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
				_, err := tx.Exec(t.Context(), s)
				return err
			}); err == nil {
				t.Errorf("%s was not refused: %s", name, s)
			}
		}
		if got := r.verify(t, r.kept); len(got.Faults) != 0 || got.Entries != r.kept.Seq {
			t.Errorf("got %+v", got)
		}
	})
}
