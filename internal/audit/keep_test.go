package audit_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/keyring"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func TestRetentionLeavesSealsAndSaysSo(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		r := whole(t, db)
		for _, e := range list(t, db, r.Log) {
			gone := e.Seq >= 4 && e.Seq <= 9 || e.Seq >= 11 && e.Seq <= 15
			if (e.RemovedBy == 22) != gone || gone != (e.Actor == "") || gone != (e.Content != "") || gone != (e.Salt == "" && e.Form == 2) {
				t.Errorf("entry %d: got %+v, want removed %t", e.Seq, e, gone)
			}
		}
		got := r.verify(t)
		if len(got.Removals) != 1 || got.Removals[0].Entries != 11 || got.Removals[0].Seq != 22 || got.Removals[0].First != 4 || got.Removals[0].Last != 15 {
			t.Errorf("got %+v, want the removal of 11 entries from 4 to 15", got.Removals)
		}
		if n := r.retain(t); n != 0 {
			t.Errorf("a second run removed %d", n)
		}
		var due int64
		r.do(t, func(tx *metadb.Tx) (err error) {
			r.now = r.now.AddDate(0, 0, 200)
			due, err = r.Due(t.Context(), acme, tx, audit.Retention{Days: 150})
			return err
		})
		if due != 15 {
			t.Errorf("%d would be removed, want the 15 that are no entries about the record", due)
		}
	})
}

func TestRetentionIsBounded(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	r := newRecord(t, db)
	for _, wrong := range []audit.Retention{{Days: 89}, {Days: -1}, {Days: 400, ReadDays: 1}, {Days: 36501}} {
		err := db.Transact(t.Context(), func(tx *metadb.Tx) error { return r.SetRetention(t.Context(), acme, tx, wrong, "") })
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: got %v, want invalid", wrong, err)
		}
	}
	r.do(t, func(tx *metadb.Tx) error {
		return r.SetRetention(t.Context(), acme, tx, audit.Retention{Days: 365}, "the law")
	})
	entries := list(t, db, r.Log)
	if want := `{"after":{"days":365,"read_days":0},"before":{"days":0,"read_days":0}}`; len(entries) != 1 || string(entries[0].Detail) != want || entries[0].Reason != "the law" {
		t.Errorf("got %+v, want one entry with %s", entries, want)
	}
}

// Who sets the clock ahead, or writes the entry of a removal by hand, removes young contents:
// the chain shows it.
func TestARemovalBeforeItsTimeIsFound(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		r := newRecord(t, db)
		r.add(t, 3, "import.commit")
		entries := list(t, db, r.Log)
		var by audit.Entry
		r.do(t, func(tx *metadb.Tx) (err error) {
			by, err = r.Append(t.Context(), acme, tx, audit.Event{Action: "audit.retain", Detail: map[string]any{"before": metadb.Now(r.now.Add(time.Hour)), "entries": 1, "ranges": [][2]int64{{2, 2}}}})
			return err
		})
		change(t, db, fmt.Sprintf("UPDATE audit_event SET actor = '', action = '', subject_kind = '', subject_id = '', snapshot = 0, detail = '', source = '', reason = '', salt = '', content = '%s', removed_by = %d WHERE seq = 2", audit.SealOf(entries[1]), by.Seq))
		if got := r.verify(t); len(got.Faults) != 1 || got.Faults[0].Seq != by.Seq || !strings.Contains(got.Faults[0].What, "younger than 90 days") {
			t.Errorf("got %+v, want that entry %d removed young contents", got.Faults, by.Seq)
		}
	})
}

func TestAnEditedEntryIsNotRemoved(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	r := newRecord(t, db)
	r.add(t, 3, "import.commit")
	r.do(t, func(tx *metadb.Tx) error {
		return r.SetRetention(t.Context(), acme, tx, audit.Retention{Days: 90}, "")
	})
	change(t, db, "UPDATE audit_event SET actor = 'nobody' WHERE seq = 2")
	r.now = r.now.AddDate(1, 0, 0)
	err := db.Transact(t.Context(), func(tx *metadb.Tx) error { _, err := r.Retain(t.Context(), acme, tx); return err })
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.Message(err), "entry 2") {
		t.Errorf("got %v, want a conflict that names entry 2", err)
	}
	if got := r.verify(t); got.Removed != 0 || len(got.Faults) != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestManyContentsAreRemovedInParts(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	grow(t, db, 5003)
	r := newRecord(t, db)
	r.now = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	r.do(t, func(tx *metadb.Tx) error {
		return r.SetRetention(t.Context(), acme, tx, audit.Retention{Days: 100}, "")
	})
	for _, want := range []int{5000, 3, 0} {
		if n := r.retain(t); n != want {
			t.Errorf("removed %d, want %d", n, want)
		}
	}
	if got := r.verify(t); got.Removed != 5003 || len(got.Removals) != 2 || len(got.Faults) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestACheckpointIsSignedOnceAndStays(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		r := newRecord(t, db)
		r.add(t, 3, "import.commit")
		r.sign(t)
		r.sign(t)
		if r.signed[0] != r.signed[1] || r.signed[0].Seq != 4 { // the key's own entry is the fourth
			t.Errorf("got %+v", r.signed)
		}
		r.add(t, 1, "import.commit")
		r.sign(t)
		var kept []audit.Checkpoint
		var key audit.Key
		r.do(t, func(tx *metadb.Tx) (err error) {
			if key, err = r.SigningKey(t.Context(), acme, tx, r.box); err != nil {
				return err
			}
			kept, err = r.Checkpoints(t.Context(), acme, tx, 10)
			return err
		})
		if diff := cmp.Diff([]audit.Checkpoint{r.signed[2], r.signed[0]}, kept); diff != "" {
			t.Error(diff)
		}
		if key.Public != kept[0].Key || key.Public != kept[1].Key {
			t.Errorf("the checkpoints are not signed by the key that is shown: %+v", kept)
		}
		// Another master key opens nothing, and nothing is signed.
		master, err := secret.NewMaster(bytes.Repeat([]byte{1}, 32))
		if err != nil {
			t.Fatal(err)
		}
		other := secret.New(keyring.NewStore(db, time.Now), func() ([]secret.Master, error) { return []secret.Master{master}, nil }, time.Now)
		err = db.Transact(t.Context(), func(tx *metadb.Tx) error {
			_, err := r.Checkpoint(t.Context(), acme, tx, other)
			return err
		})
		if fault.KindOf(err) != fault.Forbidden {
			t.Errorf("got %v, want forbidden", err)
		}
	})
}

func TestABrokenChainIsNotSigned(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql string
		at  string
	}{
		"an edit since the last checkpoint": {"UPDATE audit_event SET actor = 'x' WHERE seq = 6", "entry 6"},
		"a deletion":                        {"DELETE FROM audit_event WHERE seq = 6", "entry 6"},
		"a cut tail":                        {"DELETE FROM audit_event WHERE seq > 6", "entry 7"},
		"another entry at the checkpoint":   {"UPDATE audit_event SET hash = 'x' WHERE seq = 4", "entry 4"},
		"another head":                      {"UPDATE audit_head SET hash = 'x'", "entry 7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, _ := metadbtest.Open(t, metadb.SQLite)
			r := newRecord(t, db)
			r.add(t, 3, "import.commit")
			r.sign(t)
			r.add(t, 3, "import.commit")
			change(t, db, c.sql)
			err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
				_, err := r.Checkpoint(t.Context(), acme, tx, r.box)
				return err
			})
			if fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.Message(err), c.at+",") {
				t.Errorf("got %v, want a conflict at %s", err, c.at)
			}
		})
	}
}

func TestAHeadKeptElsewhereIsRead(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	r := newRecord(t, db)
	r.add(t, 3, "import.commit")
	r.sign(t)
	good := r.signed[0]
	text := func(c audit.Checkpoint) []byte {
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	head, c, err := audit.ParseHead(text(good), "acme")
	if err != nil || head.Seq != 4 || head.Hash != good.Hash || *c != good {
		t.Errorf("got %+v, %v", head, err)
	}
	for name, text := range map[string]string{"verify --json": fmt.Sprintf(`{"clean": true, "audit_entries": 4, "audit_head": %q}`, good.Hash), "the hash": "  " + strings.ToUpper(good.Hash) + "\n"} {
		head, c, err := audit.ParseHead([]byte(text), "acme")
		if err != nil || c != nil || head.Hash != good.Hash {
			t.Errorf("%s: got %+v, %v", name, head, err)
		}
		if got := r.verify(t, head); len(got.Faults) != 0 {
			t.Errorf("%s: got %+v", name, got.Faults)
		}
	}
	changed := map[string]func(*audit.Checkpoint){
		"number":    func(c *audit.Checkpoint) { c.Seq++ },
		"hash":      func(c *audit.Checkpoint) { c.Hash = strings.Repeat("0", 64) },
		"time":      func(c *audit.Checkpoint) { c.At = "2025-01-02T00:00:00.000000Z" },
		"tenant":    func(c *audit.Checkpoint) { c.Tenant = "other" },
		"key":       func(c *audit.Checkpoint) { c.Key = base64.StdEncoding.EncodeToString(make([]byte, 32)) },
		"signature": func(c *audit.Checkpoint) { c.Signature = base64.StdEncoding.EncodeToString(make([]byte, 64)) },
		"short key": func(c *audit.Checkpoint) { c.Key = "AAAA" },
	}
	for name, change := range changed {
		c := good
		change(&c)
		if _, _, err := audit.ParseHead(text(c), c.Tenant); fault.KindOf(err) != fault.Invalid {
			t.Errorf("another %s: got %v, want invalid", name, err)
		}
	}
	for _, no := range []string{"", "{}", "abc", `{"audit_entries": 3}`} {
		if _, _, err := audit.ParseHead([]byte(no), "acme"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: got %v, want invalid", no, err)
		}
	}
	if _, _, err := audit.ParseHead(text(good), "other"); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "--tenant") {
		t.Errorf("a checkpoint of another tenant: got %v", err)
	}
}

func TestReadsAreRecordedOnceAnHour(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		var mu sync.Mutex
		now := time.Date(2026, 3, 1, 10, 30, 0, 0, time.UTC)
		log := audit.New(func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
		anna, bert, job := acme, acme, acme
		anna.Actor, bert.Actor, job.Actor = "user:1", "user:2", "job:rollup"
		pay, cost := audit.Read{Class: tenant.Pay, What: audit.Subject{Kind: "measure", ID: "labor_cost"}}, audit.Read{Class: tenant.Cost, What: audit.Subject{Kind: "measure", ID: "direct_cost"}}
		// Two processes, each with goroutines that read at once.
		var wg sync.WaitGroup
		for range 2 {
			reads := audit.NewReads(log, db)
			for range 4 {
				wg.Go(func() {
					for _, who := range []tenant.Scope{anna, bert, job} {
						if err := reads.Note(t.Context(), who, pay, cost, pay, audit.Read{}); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		if got := len(list(t, db, log)); got != 4 {
			t.Fatalf("got %d entries, want one for each of two persons and two classes", got)
		}
		mu.Lock()
		now = now.Add(30 * time.Minute)
		mu.Unlock()
		if err := audit.NewReads(log, db).Note(t.Context(), anna, pay); err != nil {
			t.Fatal(err)
		}
		got := list(t, db, log)
		last := got[len(got)-1]
		if len(got) != 5 || last.Action != "read.pay" || last.Actor != "user:1" || last.Subject.ID != "labor_cost" || string(last.Detail) != `{"hour":"2026-03-01T11"}` {
			t.Errorf("got %d entries, the last %+v, want one of the next hour", len(got), last)
		}
	})
}

// A look that cannot be recorded fails, and is tried again.
func TestAReadThatIsNotRecordedIsAnError(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	log := audit.New(time.Now)
	reads := audit.NewReads(log, db)
	change(t, db, "ALTER TABLE audit_head RENAME TO away")
	pay := audit.Read{Class: tenant.Pay, What: audit.Subject{Kind: "measure", ID: "x"}}
	if err := reads.Note(t.Context(), acme, pay); err == nil {
		t.Fatal("a look was allowed that nothing records")
	}
	change(t, db, "ALTER TABLE away RENAME TO audit_head")
	if err := reads.Note(t.Context(), acme, pay); err != nil {
		t.Fatal(err)
	}
	if got := list(t, db, log); len(got) != 1 {
		t.Errorf("got %d entries, want 1", len(got))
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
		log := audit.New(func() time.Time { return now })
		record := func(actor tenant.Actor, from, action, kind, id, reason string, detail any) {
			now = now.Add(time.Hour)
			scope := tenant.Scope{Tenant: "acme", Actor: actor, From: from}
			if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
				_, err := log.Append(t.Context(), scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: kind, ID: id}, Reason: reason, Detail: detail})
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		record("user:1", "10.0.0.7", "import.commit", "import", "17", "", map[string]string{"file": "Invoices_2026.csv"})      // 11:00
		record("user:2", "10.0.0.8", "import.undo", "import", "17", "wrong file", nil)                                         // 12:00
		record("cli:anna", "", "importance.set", "thing", "100%", "", map[string]int{"percent": 7})                            // 13:00
		record("user:1", "key:billing", "settings.change", "settings", "acme", "", map[string]string{"name": "A\\B 'quoted'"}) // 14:00
		cases := []struct {
			name   string
			filter audit.Filter
			want   []int64
		}{
			{"all", audit.Filter{}, []int64{1, 2, 3, 4}},
			{"the newest first", audit.Filter{Newest: true}, []int64{4, 3, 2, 1}},
			{"by actor", audit.Filter{Actor: "user:1"}, []int64{1, 4}},
			{"by a group of actions", audit.Filter{Action: "import."}, []int64{1, 2}},
			{"by an action", audit.Filter{Action: "import.undo"}, []int64{2}},
			{"by the subject's kind", audit.Filter{Subject: audit.Subject{Kind: "import"}}, []int64{1, 2}},
			{"by the subject", audit.Filter{Subject: audit.Subject{Kind: "import", ID: "18"}}, nil},
			{"by source", audit.Filter{Source: "key:billing"}, []int64{4}},
			{"from an instant", audit.Filter{From: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, []int64{2, 3, 4}},
			{"up to an instant", audit.Filter{To: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, []int64{1}},
			{"a text of the detail in another case", audit.Filter{Text: "INVOICES_2026"}, []int64{1}},
			{"a text of the reason", audit.Filter{Text: " wrong "}, []int64{2}},
			{"a text of the action", audit.Filter{Text: "importance"}, []int64{3}},
			{"a percent sign is itself", audit.Filter{Text: "0%"}, []int64{3}},
			{"an underscore is itself", audit.Filter{Text: "s_2"}, []int64{1}},
			{"a backslash is itself", audit.Filter{Text: `\`}, []int64{4}},
			{"a quote is itself", audit.Filter{Text: `'quoted'`}, []int64{4}},
			{"no wildcard", audit.Filter{Text: "i%17"}, nil},
			{"several at once", audit.Filter{Actor: "user:1", Action: "import.", Newest: true}, []int64{1}},
		}
		for _, c := range cases {
			var got []int64
			// By pages of one, as a cursor goes.
			for after, more := int64(0), true; more; {
				if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
					found, err := log.Search(t.Context(), acme, tx, c.filter, audit.Page{After: after, Limit: 1})
					if more = len(found) == 1; more {
						after = found[0].Seq
						got = append(got, after)
					}
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
		var seen audit.Seen
		if err := db.Read(t.Context(), func(tx *metadb.Tx) (err error) {
			seen, err = log.Seen(t.Context(), acme, tx)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(audit.Seen{Actors: []string{"cli:anna", "user:1", "user:2"}, Actions: []string{"import.commit", "import.undo", "importance.set", "settings.change"}}, seen); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSecretsAreNeverRecorded(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	const plain = "correct-horse"
	entry := add(t, db, acme, audit.Event{Action: "source.change",
		Before: map[string]any{"password": plain, "host": "a"},
		After:  map[string]any{"password": secret.NewText(plain), "list": []any{map[string]any{"api_key": plain, "private_key": "", "token": true}}},
		Detail: map[string]any{"secret": map[string]string{"deep": plain}}})[0]
	want := `{"after":{"list":[{"api_key":"•••","private_key":"","token":true}],"password":"•••"},"before":{"host":"a","password":"•••"},"secret":"•••"}`
	if string(entry.Detail) != want {
		t.Errorf("got %s, want %s", entry.Detail, want)
	}
	err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := audit.New(time.Now).Append(t.Context(), acme, tx, audit.Event{Action: "x", Detail: 7, Before: 1})
		return err
	})
	if err == nil {
		t.Error("a number beside before and after was recorded as an object")
	}
}

// The program that docs/audit.md gives to auditors finds what this one finds.
func TestTheAuditorsProgramAgrees(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	text, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(text), "```python\n")
	program, _, ok := strings.Cut(program, "```")
	if !ok {
		t.Fatal("docs/audit.md has no program")
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "check.py")
	if err := os.WriteFile(script, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	db, _ := metadbtest.Open(t, metadb.SQLite)
	r := whole(t, db)
	run := func(name string) (string, error) {
		var b bytes.Buffer
		if err := r.WriteJSON(t.Context(), acme, db, audit.Filter{}, 0, &b); err != nil {
			t.Fatal(err)
		}
		checkpoint, err := json.Marshal(r.signed[1])
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(file, b.Bytes(), 0o600), os.WriteFile(file+".checkpoint", checkpoint, 0o600)); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), python, script, file, file+".checkpoint").CombinedOutput()
		return string(out), err
	}
	if out, err := run("good.json"); err != nil || !strings.Contains(out, "whole: 32 entries") || !strings.Contains(out, "11 contents removed") {
		t.Errorf("an untouched record: got %v\n%s", err, out)
	}
	change(t, db, "UPDATE audit_event SET reason = 'x' WHERE seq = 25")
	if out, err := run("bad.json"); err == nil || !strings.Contains(out, "entry 25 was edited") {
		t.Errorf("an edited one: got %v\n%s", err, out)
	}
	change(t, db, "DELETE FROM audit_event WHERE seq > 24")
	if out, err := run("cut.json"); err == nil || !strings.Contains(out, "entry 26 of the checkpoint") {
		t.Errorf("a cut one: got %v\n%s", err, out)
	}
}

func TestAnExportHoldsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	log := audit.New(func() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) })
	var hashes []string
	for _, e := range []audit.Event{
		{Action: "settings.change", Subject: audit.Subject{Kind: "settings", ID: "=1+1"}, Before: -5, After: "x, \"y\"", Reason: "@home"},
		{Action: "import.commit", Subject: audit.Subject{Kind: "import", ID: "2"}, Snapshot: 7, Detail: map[string]int{"rows": 3}},
	} {
		if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
			entry, err := log.Append(t.Context(), acme, tx, e)
			hashes = append(hashes, entry.Hash)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	head := "seq,at,actor,source,action,subject_kind,subject_id,reason,snapshot,before,after,detail,removed_by,prev_hash,hash\n"
	one := `1,2026-03-01T10:00:00.000000Z,test,,settings.change,settings,'=1+1,'@home,0,-5,"""x, \""y\""""",,,,` + hashes[0] + "\n"
	two := `2,2026-03-01T10:00:00.000000Z,test,,import.commit,import,2,,7,,,"{""rows"":3}",,` + hashes[0] + "," + hashes[1] + "\n"
	for _, c := range []struct {
		filter audit.Filter
		most   int
		want   string
	}{{audit.Filter{}, 0, head + one + two}, {audit.Filter{Newest: true}, 1, head + two}, {audit.Filter{Action: "settings."}, 0, head + one}, {audit.Filter{Actor: "nobody"}, 0, head}} {
		var b strings.Builder
		if err := log.WriteCSV(t.Context(), acme, db, c.filter, c.most, &b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, b.String()); diff != "" {
			t.Errorf("%+v: %s", c.filter, diff)
		}
	}
}
