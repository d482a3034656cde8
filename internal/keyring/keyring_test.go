package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/keyring"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

var (
	acme    = tenant.Scope{Tenant: "acme", Actor: "anna"}
	columns = []secret.Column{
		{Table: "vault_text", Column: "body"},
		{Table: "vault_number", Column: "body", Key: "nr", WasClear: true},
		{Table: "vault_all", Column: "body", Global: true},
	}
)

// world is a database with tables that have sealed columns of every shape.
type world struct {
	db      *metadb.DB
	from    secret.Source
	box     *secret.Box
	actions []string // what the audit record was told
	failing error    // of the audit record
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		w := &world{db: db, from: secret.Source{File: filepath.Join(t.TempDir(), "master.key")}}
		w.box = w.process()
		w.exec(t, "CREATE TABLE vault_text (tenant_id BIGINT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant_id, id))")
		w.exec(t, "CREATE TABLE vault_number (tenant_id BIGINT NOT NULL, nr BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant_id, nr))")
		w.exec(t, "CREATE TABLE vault_all (id TEXT PRIMARY KEY, body TEXT)")
		fn(t, w)
	})
}

// process returns a box as another process has it.
func (w *world) process() *secret.Box {
	return secret.New(keyring.NewStore(w.db, time.Now), func() ([]secret.Master, error) { return w.from.Masters() }, time.Now)
}

func (w *world) service(opt keyring.Options) *keyring.Service {
	if opt.Grace == 0 {
		opt.Grace = time.Millisecond
	}
	return keyring.New(w.db, w.process(), columns, func(_ context.Context, _ tenant.Scope, _ *metadb.Tx, action, key string, detail any) error {
		w.actions = append(w.actions, fmt.Sprint(action, " ", key))
		return w.failing
	}, time.Now, opt)
}

func (w *world) exec(t *testing.T, text string, args ...any) {
	t.Helper()
	if err := w.db.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), text, args...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// fill keeps n values of each column for two tenants, and some of an earlier version.
func (w *world) fill(t *testing.T, n int) {
	t.Helper()
	for _, slug := range []string{"acme", "bolt"} {
		var id int64
		if err := w.db.Transact(t.Context(), func(tx *metadb.Tx) (err error) {
			id, err = metadb.EnsureTenant(t.Context(), tx, slug, time.Now())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			w.exec(t, "INSERT INTO vault_text (tenant_id, id, body) VALUES ($1, $2, $3)", id, fmt.Sprint("r", i), w.seal(t, columns[0], slug, fmt.Sprint("r", i)))
			body := w.seal(t, columns[1], slug, i)
			if i == 0 {
				body = plainOf(columns[1], slug, i)
			}
			w.exec(t, "INSERT INTO vault_number (tenant_id, nr, body) VALUES ($1, $2, $3)", id, i, body)
		}
		w.exec(t, "INSERT INTO vault_text (tenant_id, id, body) VALUES ($1, 'empty', '')", id)
	}
	for i := range n {
		w.exec(t, "INSERT INTO vault_all (id, body) VALUES ($1, $2)", fmt.Sprint("g", i), w.seal(t, columns[2], "", fmt.Sprint("g", i)))
	}
	w.exec(t, "INSERT INTO vault_all (id, body) VALUES ('null', NULL)")
}

func plainOf(c secret.Column, slug string, row any) string {
	return "clear text of " + c.Use(slug, row)
}

func (w *world) seal(t *testing.T, c secret.Column, slug string, row any) string {
	t.Helper()
	sealed, err := c.Seal(t.Context(), w.box, plainOf(c, slug, row), slug, row)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// check reads every value and counts the keys they are sealed under.
func (w *world) check(t *testing.T, box *secret.Box) map[string]int {
	t.Helper()
	type cell struct {
		c    secret.Column
		slug string
		row  any
		body string
	}
	var all []cell
	if err := w.db.Read(t.Context(), func(tx *metadb.Tx) error {
		for i, text := range []string{
			"SELECT t.slug, x.id, x.body FROM vault_text x JOIN tenant t ON t.id = x.tenant_id WHERE x.body <> ''",
			"SELECT t.slug, x.nr, x.body FROM vault_number x JOIN tenant t ON t.id = x.tenant_id",
			"SELECT '', id, body FROM vault_all WHERE body IS NOT NULL",
		} {
			rows, err := tx.Query(t.Context(), text)
			if err != nil {
				return err
			}
			for rows.Next() {
				one := cell{c: columns[i]}
				if err := rows.Scan(&one.slug, &one.row, &one.body); err != nil {
					return err
				}
				all = append(all, one)
			}
			rows.Close()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	under := map[string]int{}
	for _, one := range all {
		under[secret.KeyOf(one.body)]++
		if got, err := one.c.Open(t.Context(), box, one.body, one.slug, one.row); err != nil || got != plainOf(one.c, one.slug, one.row) {
			t.Errorf("%s: got %q, %v", one.c.Use(one.slug, one.row), got, err)
		}
	}
	return under
}

func TestARotationSealsEveryValueUnderTheNewKeyAndRetiresTheOld(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(t, 7)
		first, err := w.service(keyring.Options{}).List(t.Context(), acme)
		if err != nil || len(first.Keys) != 1 || first.Keys[0].Values != 33 || first.Unnamed != 2 || first.Keys[0].State != keyring.Primary {
			t.Fatalf("got %+v, %v, want one key with 33 values and 2 of an earlier version", first, err)
		}
		r, err := w.service(keyring.Options{Batch: 3}).Rotate(t.Context(), acme, []string{keyring.AllOld}, nil)
		if err != nil {
			t.Fatal(err)
		}
		old := first.Keys[0].ID
		if r.Key == old || r.Resumed || len(r.Retired) != 1 || r.Retired[0] != old || r.Columns[0].Done != 14 || r.Columns[1].Done != 14 || r.Columns[2].Done != 7 {
			t.Errorf("got %+v", r)
		}
		for who, box := range map[string]*secret.Box{"one that was open": w.box, "a new one": w.process()} {
			if under := w.check(t, box); len(under) != 1 || under[r.Key] != 35 {
				t.Errorf("%s: got %v, want 35 under %s", who, under, r.Key)
			}
		}
		after, err := w.service(keyring.Options{}).List(t.Context(), acme)
		if err != nil || len(after.Keys) != 2 || after.Keys[0].State != keyring.Retired || after.Keys[0].RetiredAt == nil || after.Keys[1].Values != 35 || after.Keys[1].ResealedAt == nil || after.Unnamed != 0 {
			t.Errorf("got %+v, %v", after, err)
		}
		if want := fmt.Sprint([]string{"encryption_key.create " + r.Key, "encryption_key.reseal " + r.Key, "encryption_key.retire " + old}); fmt.Sprint(w.actions) != want {
			t.Errorf("got %v, want %s", w.actions, want)
		}
		if _, err := w.service(keyring.Options{}).Rotate(t.Context(), acme, []string{old}, nil); fault.KindOf(err) != fault.NotFound {
			t.Errorf("got %v, want that there is no such key", err)
		}
	})
}

func TestARotationThatWasCutOffGoesOnWhereItWas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(t, 20)
		ctx, cancel := context.WithCancel(t.Context())
		steps := 0
		_, err := w.service(keyring.Options{Batch: 4}).Rotate(ctx, acme, nil, func(string) {
			if steps++; steps == 3 {
				cancel()
			}
		})
		if err == nil {
			t.Fatal("the rotation was not cut off")
		}
		under := w.check(t, w.process())
		ring, err := w.service(keyring.Options{}).List(t.Context(), acme)
		if err != nil || len(ring.Keys) != 2 || ring.Keys[1].ResealedAt != nil || len(under) != 3 {
			t.Fatalf("got %+v, %v, %v, want values under both keys and of an earlier version", ring, under, err)
		}
		r, err := w.service(keyring.Options{}).Rotate(t.Context(), acme, []string{ring.Keys[0].ID}, nil)
		if err != nil || !r.Resumed || r.Key != ring.Keys[1].ID {
			t.Fatalf("got %+v, %v, want the same rotation", r, err)
		}
		if under := w.check(t, w.process()); len(under) != 1 || under[r.Key] != 100 {
			t.Errorf("got %v", under)
		}
		if next, err := w.service(keyring.Options{}).Rotate(t.Context(), acme, nil, nil); err != nil || next.Resumed || next.Key == r.Key {
			t.Errorf("got %+v, %v, want a rotation of its own", next, err)
		}
	})
}

func TestAMasterKeyTakesOverFromAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(t, 3)
		if err := secret.RenewFile(w.from.File); err != nil {
			t.Fatal(err)
		}
		r, err := w.service(keyring.Options{}).Rotate(t.Context(), acme, nil, nil)
		if err != nil || r.Rewrapped != 1 {
			t.Fatalf("got %+v, %v, want the first key wrapped anew", r, err)
		}
		if err := secret.TrimFile(w.from.File); err != nil {
			t.Fatal(err)
		}
		w.check(t, w.process())
		w.check(t, w.box)
	})
}

func TestAValueThatNoKeyOpensKeepsTheRotationOpenAndTheOthersAreSealed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(t, 5)
		w.exec(t, "UPDATE vault_text SET body = 'bm90IG9uZSBvZiBvdXJz' WHERE id = 'r1'")
		for range 2 {
			r, err := w.service(keyring.Options{Batch: 2}).Rotate(t.Context(), acme, []string{keyring.AllOld}, nil)
			if fault.KindOf(err) != fault.Forbidden || !strings.Contains(fault.Message(err), "2 values") || len(r.Retired) != 0 {
				t.Fatalf("got %+v, %v, want that 2 values do not open", r, err)
			}
		}
		w.exec(t, "DELETE FROM vault_text WHERE id = 'r1'")
		r, err := w.service(keyring.Options{}).Rotate(t.Context(), acme, []string{keyring.AllOld}, nil)
		if err != nil || !r.Resumed || len(r.Retired) != 1 {
			t.Errorf("got %+v, %v", r, err)
		}
		if under := w.check(t, w.process()); len(under) != 1 {
			t.Errorf("got %v", under)
		}
	})
}

func TestNoKeyChangesWithoutItsAuditEvent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(t, 1)
		w.failing = errors.New("no record")
		if _, err := w.service(keyring.Options{}).Rotate(t.Context(), acme, nil, nil); !errors.Is(err, w.failing) {
			t.Errorf("got %v", err)
		}
		if keys, err := keyring.NewStore(w.db, time.Now).Keys(t.Context()); err != nil || len(keys) != 1 {
			t.Errorf("got %v, %v, want the first key only", keys, err)
		}
	})
}

func TestProcessesThatStartTogetherAgreeOnTheFirstKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		keys := make([]string, 8)
		for i := range keys {
			all.Go(func() {
				sealed, err := w.process().Seal(t.Context(), secret.NewText("x"), "a")
				if err != nil {
					t.Error(err)
				}
				keys[i] = secret.KeyOf(sealed)
			})
		}
		all.Wait()
		for _, k := range keys {
			if k == "" || k != keys[0] {
				t.Fatalf("got %v, want one key", keys)
			}
		}
	})
}

func TestABoxThatIsReadySealsInAWriteTransaction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.box.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := w.db.Transact(ctx, func(tx *metadb.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO vault_all (id, body) VALUES ('x', '')"); err != nil {
				return err
			}
			sealed, err := columns[2].Seal(ctx, w.box, "clear", "", "x")
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "UPDATE vault_all SET body = $1 WHERE id = 'x'", sealed)
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}

func TestEveryStatementIsPreparedOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, keyring.Queries)
}
