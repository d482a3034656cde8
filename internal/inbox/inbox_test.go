package inbox_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/notice"
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
	notices *notice.Store
	data    *dataset.Service
	db      *metadb.DB
	dir     string         // a folder for sources
	roots   *x509.CertPool // trusted by the next that settle starts
	mu      sync.Mutex
	at      time.Time

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
		x.notices = notice.New(db, x.now)
		x.Service = inbox.New(db, x.data, log, x.now, inbox.Options{Settle: d, Poll: time.Minute, Roots: x.roots, Box: keyringtest.Box(t, db)})
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

// fates says what became of each file, by name.
func (x *world) fates(t *testing.T, id string) map[string]inbox.FileStatus {
	t.Helper()
	list, err := x.Files(t.Context(), acme, id, "", 1000, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]inbox.FileStatus{}
	for _, f := range list {
		out[path.Base(f.Path)] = f.Status
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
			out = append(out, withoutID(filepath.Join(dir, name)))
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
	if list, err := x.notices.List(t.Context(), acme, true, 10, 0); err != nil || len(list) != 1 || list[0].Kind != notice.SourceFailing {
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

func TestATimeOfASourceComesOnceWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	for name, c := range map[string]struct{ schedule, zone, at, want string }{
		"the midnight is skipped":  {"0 0 * * *", "America/Havana", "2026-03-07T12:00:00Z", "2026-03-08T05:00:00Z"},
		"the time is skipped":      {"30 2 * * *", "America/New_York", "2026-03-07T08:00:00Z", "2026-03-08T07:00:00Z"},
		"the time has come before": {"30 1 * * *", "America/New_York", "2026-11-01T05:40:00Z", "2026-11-02T06:30:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		x.later(at.Sub(x.now()))
		src := x.add(t, inbox.Spec{Name: name, Schedule: c.schedule, Zone: c.zone})
		if src.NextRun == nil || src.NextRun.Format(time.RFC3339) != c.want {
			t.Errorf("%s: got %v, want %s", name, src.NextRun, c.want)
		}
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
