package inbox_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

var (
	acme  = tenant.Scope{Tenant: "acme", Actor: "anna"}
	other = tenant.Scope{Tenant: "other", Actor: "anna"}
)

// world is a tenant's warehouse, the sources under test and a clock that is moved by hand.
type world struct {
	*inbox.Service
	data *dataset.Service
	db   *metadb.DB
	dir  string // a folder for sources
	mu   sync.Mutex
	at   time.Time

	settle func(time.Duration) // starts over with that wait
}

func (x *world) now() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.at
}

func (x *world) later(d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at = x.at.Add(d)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	return newWorldOn(t, db)
}

func newWorldOn(t *testing.T, db *metadb.DB) *world {
	t.Helper()
	x := &world{db: db, dir: t.TempDir(), at: time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)}
	w, err := warehouse.Open(context.Background(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	log := audit.New(x.now)
	x.data = dataset.New(w, db, log, nil, x.now)
	t.Cleanup(func() { x.data.Close() })
	x.settle = func(d time.Duration) {
		x.Service = inbox.New(db, x.data, log, x.now, inbox.Options{Settle: d, Poll: time.Minute, Box: sync.OnceValues(func() (*secret.Box, error) { return secret.New(make([]byte, 32)) })})
	}
	x.settle(20 * time.Millisecond)
	return x
}

func (x *world) put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(x.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (x *world) add(t *testing.T, spec inbox.Spec) inbox.Source {
	t.Helper()
	if spec.Name == "" {
		spec.Name = "exports"
	}
	if spec.Kind == "" {
		spec.Kind, spec.Settings.Path = inbox.Folder, x.dir
	}
	src, err := x.Add(t.Context(), acme, spec)
	if err != nil {
		t.Fatal(err, fault.FieldsOf(err))
	}
	return src
}

func (x *world) run(t *testing.T, id string) inbox.RunResult {
	t.Helper()
	r, err := x.Run(t.Context(), acme, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fates says what became of each file, by path.
func (x *world) fates(t *testing.T, id string) map[string]inbox.FileStatus {
	t.Helper()
	list, err := x.Files(t.Context(), acme, id, "", 1000, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]inbox.FileStatus{}
	for _, f := range list {
		out[f.Path] = f.Status
	}
	return out
}

// left lists the source's folder and those that moving makes, without ids in names.
func (x *world) left(t *testing.T) []string {
	t.Helper()
	out := []string{}
	for _, dir := range []string{"", "done", "quarantine"} {
		entries, err := os.ReadDir(filepath.Join(x.dir, dir))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := e.Name()
			if e.IsDir() {
				continue
			}
			if dir != "" {
				_, name, _ = strings.Cut(name, "-")
			}
			out = append(out, filepath.Join(dir, name))
		}
	}
	slices.Sort(out)
	return out
}

// imports counts the tenant's committed imports.
func (x *world) imports(t *testing.T) int {
	t.Helper()
	list, err := x.data.Imports(t.Context(), acme, 1000, 0)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

const (
	clients  = "client_name,industry,status,contract_value\nAcorn,Legal,active,1000\nBirch,Health,active,2000\n"
	invoices = "invoice_id,client_name,amount,date,status\nI1,Acorn,100.00,2026-05-01,paid\nI2,Birch,200.00,2026-05-02,paid\n"
	unknown  = "foo,bar\n1,2\n"
)

func TestQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, inbox.Queries)
}

func TestARunImportsWhatIsNewAndKeepsWhatItSaw(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	src := x.add(t, inbox.Spec{})
	x.put(t, "invoices.csv", invoices)
	x.put(t, "clients.csv", clients)
	x.put(t, ".hidden.csv", clients)
	x.put(t, "clients.csv.part", clients)
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2, Imported: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2}); got != want {
		t.Errorf("again: got %+v, want %+v", got, want)
	}
	x.put(t, "copy.csv", clients)
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 3, Duplicates: 1}); got != want {
		t.Errorf("a copy: got %+v, want %+v", got, want)
	}
	x.put(t, "clients.csv", clients+"Cedar,Retail,active,3000\n")
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 3, Imported: 1}); got != want {
		t.Errorf("a changed file: got %+v, want %+v", got, want)
	}
	if n := x.imports(t); n != 3 {
		t.Errorf("got %d imports, want 3", n)
	}
	if diff := cmp.Diff([]string{".hidden.csv", "clients.csv", "clients.csv.part", "copy.csv", "invoices.csv"}, x.left(t)); diff != "" {
		t.Error(diff)
	}
}

func TestTwoFilesOfOneRunThatHoldTheSameAreImportedOnce(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	src := x.add(t, inbox.Spec{After: inbox.Delete})
	x.put(t, "a.csv", clients)
	x.put(t, "b.csv", clients)
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2, Imported: 1, Duplicates: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{}, x.left(t)); diff != "" || x.imports(t) != 1 {
		t.Error(diff, x.imports(t))
	}
}

func TestABadFileGoesToQuarantineAndCanBeReleasedWithAMapping(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) { releaseFromQuarantine(t, newWorldOn(t, db)) })
}

func releaseFromQuarantine(t *testing.T, x *world) {
	t.Helper()
	src := x.add(t, inbox.Spec{After: inbox.Move})
	x.put(t, "clients.csv", clients)
	x.put(t, "odd.csv", unknown)
	x.put(t, "empty.csv", "")
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 3, Imported: 1, Quarantined: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"done/clients.csv", "quarantine/empty.csv", "quarantine/odd.csv"}, x.left(t)); diff != "" {
		t.Error(diff)
	}
	notices, err := x.Notices(t.Context(), acme, true, 10, 0)
	if err != nil || len(notices) != 2 || notices[0].Kind != inbox.FileQuarantined {
		t.Fatalf("got %+v, %v, want 2 notices of files in quarantine", notices, err)
	}
	if err := x.Read(t.Context(), acme, notices[0].ID); err != nil {
		t.Fatal(err)
	}
	if rest, _ := x.Notices(t.Context(), acme, true, 10, 0); len(rest) != 1 {
		t.Errorf("got %d unread notices, want 1", len(rest))
	}
	list, err := x.Files(t.Context(), acme, src.ID, inbox.Quarantined, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Problem == "" {
			t.Errorf("%s is in quarantine without a reason", f.Path)
		}
		if f.Path == "empty.csv" {
			_, err = x.Dismiss(t.Context(), acme, src.ID, f.ID)
		} else {
			_, err = x.Release(t.Context(), acme, src.ID, f.ID, &dataset.Mapping{Dataset: "clients", Columns: map[string]string{"foo": "client_name", "bar": "industry"}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, want := x.run(t, src.ID), (inbox.RunResult{Imported: 1}); got != want {
		t.Errorf("released: got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"done/clients.csv", "done/odd.csv", "quarantine/empty.csv"}, x.left(t)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]inbox.FileStatus{"clients.csv": inbox.Imported, "odd.csv": inbox.Imported, "empty.csv": inbox.Dismissed}, x.fates(t, src.ID)); diff != "" {
		t.Error(diff)
	}
}

func TestAFileThatIsStillWrittenWaits(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.settle(2 * time.Second) // also on a busy machine the writer writes within that
	src := x.add(t, inbox.Spec{After: inbox.Delete})
	x.put(t, "clients.csv", clients)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		f, err := os.OpenFile(filepath.Join(x.dir, "clients.csv"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				fmt.Fprintf(f, "Client %d,Legal,active,1000\n", i)
			}
		}
	})
	time.Sleep(20 * time.Millisecond)
	got := x.run(t, src.ID)
	close(stop)
	wg.Wait()
	if want := (inbox.RunResult{Listed: 1, Waiting: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 1, Imported: 1}); got != want {
		t.Errorf("when it stands still: got %+v, want %+v", got, want)
	}
}

func TestAllOrNothingStoresNothingWhenOneFileIsBad(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	src := x.add(t, inbox.Spec{After: inbox.Delete, AllOrNothing: true})
	x.put(t, "clients.csv", clients)
	x.put(t, "odd.csv", unknown)
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2, Quarantined: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"clients.csv", "odd.csv"}, x.left(t)); diff != "" || x.imports(t) != 0 {
		t.Error(diff, x.imports(t))
	}
}

func TestARunThatWasKilledIsGoneOnWith(t *testing.T) {
	t.Parallel()
	for name, until := range map[string]func(*world, context.Context, tenant.Scope, string) error{
		"after the files were fetched": func(x *world, ctx context.Context, s tenant.Scope, id string) error { return x.FetchOnly(ctx, s, id) },
		"after the import, before the move": func(x *world, ctx context.Context, s tenant.Scope, id string) error {
			return x.ImportOnly(ctx, s, id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			src := x.add(t, inbox.Spec{After: inbox.Move})
			x.put(t, "clients.csv", clients)
			x.put(t, "odd.csv", unknown)
			if err := until(x, t.Context(), acme, src.ID); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"clients.csv", "odd.csv"}, x.left(t)); diff != "" {
				t.Error(diff)
			}
			x.run(t, src.ID)
			x.run(t, src.ID)
			if diff := cmp.Diff([]string{"done/clients.csv", "quarantine/odd.csv"}, x.left(t)); diff != "" {
				t.Error(diff)
			}
			if n := x.imports(t); n != 1 {
				t.Errorf("got %d imports, want 1", n)
			}
		})
	}
}

func TestAFileThatWasReplacedAfterItsImportIsNotDeleted(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	src := x.add(t, inbox.Spec{After: inbox.Delete})
	x.put(t, "clients.csv", clients)
	if err := x.ImportOnly(t.Context(), acme, src.ID); err != nil {
		t.Fatal(err)
	}
	x.put(t, "clients.csv", clients+"Cedar,Retail,active,3000\n")
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 1, Imported: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestLinksAreNotFollowedOutOfAFolder(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	secret := filepath.Join(t.TempDir(), "clients.csv")
	if err := os.WriteFile(secret, []byte(clients), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(x.dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	src := x.add(t, inbox.Spec{After: inbox.Delete})
	if got, want := x.run(t, src.ID), (inbox.RunResult{}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	list, err := x.Test(t.Context(), acme, src.ID)
	if err != nil || len(list) != 1 || list[0].Skip != "it is a symbolic link" {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestASourceThatIsAwayIsTriedAgainThenFailing(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	gone := filepath.Join(x.dir, "gone")
	src := x.add(t, inbox.Spec{Kind: inbox.Folder, Settings: inbox.Settings{Path: gone}, Schedule: "0 6 * * *"})
	for try := range 6 {
		if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Unavailable {
			t.Fatalf("got %v, want that the folder is not there", err)
		}
		now, err := x.Source(t.Context(), acme, src.Name)
		if err != nil || now.Problem == "" {
			t.Fatalf("got %+v, %v", now, err)
		}
		if try == 5 {
			if now.Status != inbox.Failing || !now.NextRun.Equal(*src.NextRun) {
				t.Errorf("got %s, next run at %v, want failing and the schedule's next run", now.Status, now.NextRun)
			}
			break
		}
		if wait := now.NextRun.Sub(x.now()); now.Status != inbox.Retrying || wait != 30*time.Second<<try {
			t.Errorf("failure %d: got %s and a wait of %s", try+1, now.Status, wait)
		}
		x.later(time.Second)
	}
	if list, err := x.Notices(t.Context(), acme, true, 10, 0); err != nil || len(list) != 1 || list[0].Kind != inbox.SourceFailing {
		t.Errorf("got %+v, %v, want one notice", list, err)
	}
	if err := os.Mkdir(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	x.run(t, src.ID)
	if src, err := x.Source(t.Context(), acme, src.ID); err != nil || src.Status != inbox.OK || src.Problem != "" {
		t.Errorf("got %+v", src)
	}
}

func TestASourceBelongsToItsTenant(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	src := x.add(t, inbox.Spec{})
	if _, err := x.Run(t.Context(), other, src.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("run: got %v", err)
	}
	if err := x.Remove(t.Context(), other, src.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("remove: got %v", err)
	}
	if list, err := x.Sources(t.Context(), other); err != nil || len(list) != 0 {
		t.Errorf("list: got %v, %v", list, err)
	}
	if err := x.Remove(t.Context(), acme, src.ID); err != nil {
		t.Error(err)
	}
}

func TestWhatIsWrongWithASourceIsListedAtOnce(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	_, err := x.Add(t.Context(), acme, inbox.Spec{Kind: inbox.Folder, Settings: inbox.Settings{Path: "here", Pattern: "["}, Schedule: "every day", Zone: "Mars/Base", Dataset: "foo", After: "burn"})
	var paths []string
	for _, f := range fault.FieldsOf(err) {
		paths = append(paths, f.Path)
	}
	if diff := cmp.Diff([]string{"name", "after", "settings.path", "settings.pattern", "zone", "schedule", "dataset"}, paths); diff != "" {
		t.Error(diff)
	}
	x.add(t, inbox.Spec{Name: "twice"})
	if _, err := x.Add(t.Context(), acme, inbox.Spec{Name: "twice", Kind: inbox.Folder, Settings: inbox.Settings{Path: x.dir}}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v, want a conflict", err)
	}
}

func TestSchedulesKeepToTheirTimeZone(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	src := x.add(t, inbox.Spec{Schedule: "0 6 * * *", Zone: "Europe/Berlin"})
	if want := time.Date(2026, 7, 1, 4, 0, 0, 0, time.UTC); src.NextRun == nil || !src.NextRun.Equal(want) {
		t.Errorf("got %v, want %v", src.NextRun, want)
	}
}

func TestAWatchedFolderIsImportedWhenAFileComes(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	src := x.add(t, inbox.Spec{Schedule: inbox.OnChange})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- x.Watch(ctx, acme) }()
	for i, name := range []string{"clients.csv", "invoices.csv"} { // the clock stands: the second one is seen by its change only
		x.put(t, name, []string{clients, invoices}[i])
		for range 300 {
			if x.fates(t, src.ID)[name] == inbox.Imported {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]inbox.FileStatus{"clients.csv": inbox.Imported, "invoices.csv": inbox.Imported}, x.fates(t, src.ID)); diff != "" {
		t.Error(diff)
	}
}
