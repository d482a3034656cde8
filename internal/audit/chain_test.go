package audit_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

var other = tenant.Scope{Tenant: "other", Actor: "test"}

func TestNamedQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, audit.NamedQueries())
}

// guards are the triggers that keep the record from being changed, by table.
var guards = map[metadb.Engine]map[string][]string{
	metadb.SQLite: {
		"audit_event": {"audit_event_insert", "audit_event_update", "audit_event_delete"}, "audit_head": {"audit_head_update", "audit_head_delete"},
		"audit_checkpoint": {"audit_checkpoint_insert", "audit_checkpoint_update", "audit_checkpoint_delete"},
	},
	metadb.Postgres: {
		"audit_event": {"audit_event_update", "audit_event_delete", "audit_event_truncate"}, "audit_head": {"audit_head_update", "audit_head_delete", "audit_head_truncate"},
		"audit_checkpoint": {"audit_checkpoint_change", "audit_checkpoint_truncate"},
	},
}

// unguard drops the triggers, as whoever holds the file can.
func unguard(t testing.TB, db *metadb.DB) {
	t.Helper()
	err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		for table, names := range guards[tx.Engine()] {
			for _, name := range names {
				drop := "DROP TRIGGER IF EXISTS " + name
				if tx.Engine() == metadb.Postgres {
					drop += " ON " + table
				}
				if _, err := tx.Exec(t.Context(), drop); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// change runs statements behind the log's back, with the triggers dropped.
func change(t *testing.T, db *metadb.DB, statements ...string) {
	t.Helper()
	unguard(t, db)
	err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// add appends events in one transaction and returns their entries.
func add(t *testing.T, db *metadb.DB, scope tenant.Scope, events ...audit.Event) []audit.Entry {
	t.Helper()
	log := audit.New(time.Now)
	var out []audit.Entry
	err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		out = nil
		for _, e := range events {
			entry, err := log.Append(t.Context(), scope, tx, e)
			if err != nil {
				return err
			}
			out = append(out, entry)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAnEntryReadsBackAsItWasRecorded(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		at := time.Date(2026, 3, 1, 11, 0, 0, 5000, time.FixedZone("", 3600))
		log := audit.New(func() time.Time { return at })
		var recorded audit.Entry
		err := db.Transact(t.Context(), func(tx *metadb.Tx) (err error) {
			from := acme
			from.From = "10.0.0.7"
			recorded, err = log.Append(t.Context(), from, tx, audit.Event{Action: "import.commit", Subject: audit.Subject{Kind: "file", ID: "a\x00b\xff.csv"},
				Snapshot: 7, Reason: "asked by Anna", Detail: map[string]any{"file": "<ä>\x00", "rows": 1e15}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := audit.Entry{Seq: 1, At: "2026-03-01T10:00:00.000005Z", Actor: "test", Action: "import.commit", Subject: audit.Subject{Kind: "file", ID: "a\uFFFDb\uFFFD.csv"},
			Snapshot: 7, Detail: recorded.Detail, Hash: recorded.Hash, Form: 2, Salt: recorded.Salt, Source: "10.0.0.7", Reason: "asked by Anna"}
		if diff := cmp.Diff(want, recorded); diff != "" {
			t.Error(diff)
		}
		var read []audit.Entry
		if err := db.Read(t.Context(), func(tx *metadb.Tx) (err error) {
			read, err = log.List(t.Context(), acme, tx, 0, 10)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]audit.Entry{recorded}, read); diff != "" {
			t.Error(diff)
		}
		if r := verify(t, db, log); len(r.Faults) != 0 || r.Head != recorded.Hash {
			t.Errorf("got %+v, want a whole chain that ends in %s", r, recorded.Hash)
		}
	})
}

func TestADetailIsCanonicalJSON(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		detail any
		want   string
	}{
		{"none", nil, `{}`},
		{"the fields of a struct are sorted", struct {
			Z int    `json:"z"`
			A string `json:"a"`
		}{1, "x"}, `{"a":"x","z":1}`},
		{"raw JSON loses its space and gets an order, at every depth", json.RawMessage(`{ "b": {"d": 1, "c": [ 2, 1 ]}, "a": null }`), `{"a":null,"b":{"c":[2,1],"d":1}}`},
		{"large numbers keep every digit", json.RawMessage(`{"n":9007199254740993,"m":1.10}`), `{"m":1.10,"n":9007199254740993}`},
	}
	db, _ := metadbtest.Open(t, metadb.SQLite)
	for _, c := range cases {
		if got := string(add(t, db, acme, audit.Event{Action: "x", Detail: c.detail})[0].Detail); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestADetailThatIsNoJSONIsRefused(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := audit.New(time.Now).Append(t.Context(), acme, tx, audit.Event{Action: "x", Detail: func() {}})
		return err
	})
	if err == nil {
		t.Error("a function was recorded")
	}
}

// The hashes were computed by another program (Python's hashlib and struct) from the recipe
// that docs/audit.md gives. They may not change: recorded chains would no longer verify.
func TestTheHashesOfKnownEntries(t *testing.T) {
	t.Parallel()
	rows := []string{
		`(1, '2026-03-01T10:00:00.000000Z', 'cli:anna', 'import.commit', 'import', '17', 42, '{"file":"März.csv","rows":3}', '', '` + knownHash1 + `', 1, '', '', '')`,
		`(2, '2026-03-01T10:00:01.000000Z', 'user:17', 'settings.change', 'settings', 'acme', 0, '{"after":{"n":1}}', '` + knownHash1 + `', '` + knownHash2 + `', 2, '10.0.0.7', 'asked by Anna', '000102030405060708090a0b0c0d0e0f')`,
	}
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		statements := []string{"INSERT INTO tenant (slug, name, time_zone, currency, created_at) VALUES ('acme', 'acme', 'UTC', 'USD', '')"}
		for _, row := range rows {
			statements = append(statements, "INSERT INTO audit_event (tenant_id, seq, at, actor, action, subject_kind, subject_id, snapshot, detail, prev_hash, hash, form, source, reason, salt) VALUES ((SELECT id FROM tenant), "+row[1:])
		}
		change(t, db, append(statements, "INSERT INTO audit_head (tenant_id, seq, hash) SELECT tenant_id, seq, hash FROM audit_event WHERE seq = 2")...)
		if r := verify(t, db, audit.New(time.Now)); len(r.Faults) != 0 || r.Entries != 2 || r.Head != knownHash2 {
			t.Errorf("got %+v, want a whole chain of 2", r)
		}
	})
}

const (
	knownHash1 = "1c9f313cab45eddcf6ac6412a54ab0591e908d1b385e0a4fd0d18976363bb518"
	knownHash2 = "936b6d2c810c927fddcb6e1c4812bb6231e08820e6447ccd8f0355fbb6c7b630"
)

func TestAnEditWithAFreshHashShowsInWhatFollows(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		log := fill(t, db, 5)
		forged := list(t, db, log)[2]
		forged.Detail = json.RawMessage(`{"rows":1000000}`)
		hash := audit.HashOf(acme.Tenant, forged)
		change(t, db, fmt.Sprintf("UPDATE audit_event SET detail = '%s', hash = '%s' WHERE seq = 3", forged.Detail, hash))
		want := []audit.Fault{{Seq: 4, What: "does not follow the entry before it"}}
		if diff := cmp.Diff(want, verify(t, db, log).Faults); diff != "" {
			t.Error(diff)
		}
	})
}

func list(t *testing.T, db *metadb.DB, log *audit.Log) (out []audit.Entry) {
	t.Helper()
	if err := db.Read(t.Context(), func(tx *metadb.Tx) (err error) {
		out, err = log.List(t.Context(), acme, tx, 0, 10_000)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAReplacedLastEntryShowsAgainstTheHead(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		log := fill(t, db, 3)
		// Cut the tail, turn the head back, record something else, restore the old head: every
		// entry is well formed and follows the one before, only the head knows another.
		var old string
		if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
			return tx.One(t.Context(), "SELECT hash FROM audit_head", nil, &old)
		}); err != nil {
			t.Fatal(err)
		}
		change(t, db, "DELETE FROM audit_event WHERE seq = 3", "UPDATE audit_head SET seq = 2, hash = (SELECT hash FROM audit_event WHERE seq = 2)")
		add(t, db, acme, audit.Event{Action: "forged"})
		if r := verify(t, db, log); len(r.Faults) != 0 {
			t.Fatalf("the forged chain is whole in itself, only a kept copy of the head betrays it: got %+v", r.Faults)
		} else if r.Head == old {
			t.Error("the forged chain has the old head")
		}
		change(t, db, fmt.Sprintf("UPDATE audit_head SET hash = '%s'", old))
		if r := verify(t, db, log); len(r.Faults) != 1 || r.Faults[0].Seq != 3 {
			t.Errorf("got %+v, want one fault at entry 3", r.Faults)
		}
	})
}

func TestAnEntryMovedToAnotherTenantShows(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		log := fill(t, db, 2)
		change(t, db, "INSERT INTO tenant (slug, name, time_zone, currency, created_at) VALUES ('other', 'other', 'UTC', 'USD', '')",
			"UPDATE audit_event SET tenant_id = (SELECT id FROM tenant WHERE slug = 'other') WHERE seq = 1",
			"INSERT INTO audit_head (tenant_id, seq, hash) SELECT tenant_id, seq, hash FROM audit_event WHERE seq = 1")
		for scope, want := range map[tenant.Scope]int64{acme: 1, other: 1} {
			r, err := log.Verify(t.Context(), scope, db)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Faults) == 0 || r.Faults[0].Seq != want {
				t.Errorf("%s: got %+v, want a fault at entry %d", scope.Tenant, r.Faults, want)
			}
		}
	})
}

func TestAFaultBeyondTheFirstThousandIsFound(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		events := make([]audit.Event, 2003)
		for i := range events {
			events[i] = audit.Event{Action: "x"}
		}
		add(t, db, acme, events...)
		log := audit.New(time.Now)
		if r := verify(t, db, log); r.Entries != 2003 || len(r.Faults) != 0 {
			t.Fatalf("got %d entries and %+v", r.Entries, r.Faults)
		}
		change(t, db, "DELETE FROM audit_event WHERE seq IN (1000, 1001)", "UPDATE audit_event SET at = '' WHERE seq = 2002")
		want := []audit.Fault{{Seq: 1000, What: "entries 1000 to 1001 are missing"}, {Seq: 2002, What: "was edited: its content does not match its hash"}}
		if diff := cmp.Diff(want, verify(t, db, log).Faults); diff != "" {
			t.Error(diff)
		}
	})
}

func TestManyAtATimeMakeOneUnbrokenChain(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		log := audit.New(time.Now)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
						_, err := log.Append(t.Context(), acme, tx, audit.Event{Action: "x"})
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if r := verify(t, db, log); r.Entries != 80 || len(r.Faults) != 0 {
			t.Errorf("got %d entries and %+v, want 80 in a whole chain", r.Entries, r.Faults)
		}
	})
}

func TestTenantsHaveChainsOfTheirOwn(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		log := fill(t, db, 3)
		entry := add(t, db, other, audit.Event{Action: "x"})[0]
		if entry.Seq != 1 || entry.PrevHash != "" {
			t.Errorf("got entry %d after %q, want the first of its own chain", entry.Seq, entry.PrevHash)
		}
		change(t, db, "UPDATE audit_event SET detail = 'x' WHERE action = 'x'")
		if r := verify(t, db, log); r.Entries != 3 || len(r.Faults) != 0 {
			t.Errorf("another tenant's fault shows here: %+v", r)
		}
	})
}

func TestTheZeroScopeIsRefused(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	log := audit.New(time.Now)
	var none tenant.Scope
	calls := map[string]func(tx *metadb.Tx) error{
		"Append": func(tx *metadb.Tx) error {
			_, err := log.Append(t.Context(), none, tx, audit.Event{Action: "x"})
			return err
		},
		"List":   func(tx *metadb.Tx) error { _, err := log.List(t.Context(), none, tx, 0, 1); return err },
		"Verify": func(*metadb.Tx) error { _, err := log.Verify(t.Context(), none, db); return err },
	}
	for name, call := range calls {
		if err := db.Transact(t.Context(), call); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
}
