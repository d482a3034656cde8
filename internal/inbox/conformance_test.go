package inbox_test

import (
	"context"
	"crypto/x509"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/inbox/inboxtest"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// depot is where a kind of source finds its files in a test.
type depot struct {
	spec inbox.Spec
	put  func(t *testing.T, name, text string)
	// left lists its files, also those in done and quarantine, without ids in names.
	left  func(t *testing.T) []string
	away  func() // from now on it cannot be reached
	fixed bool   // a file is never replaced: putting it again makes another
}

var depots = map[string]func(*testing.T, *world) depot{
	"folder": func(_ *testing.T, x *world) depot {
		return depot{spec: inbox.Spec{Kind: inbox.Folder, Settings: inbox.Settings{Path: x.dir}}, put: x.put, left: x.left, away: func() { x.dir += "-away" }}
	},
	"sftp": func(t *testing.T, x *world) depot {
		s := startSSH(t)
		return depot{spec: s.spec(x), put: x.put, left: x.left, away: func() { s.listener.Close() }}
	},
	"s3": func(t *testing.T, x *world) depot {
		s := inboxtest.StartS3(t, "exports", true)
		x.trust(s.Roots)
		return depot{spec: s3Spec(s), away: s.Close, left: func(t *testing.T) []string { return s3Left(t, s) },
			put: func(t *testing.T, name, text string) { s.Put(t, "psa/"+name, text) }}
	},
	"imap": func(t *testing.T, x *world) depot {
		s := inboxtest.StartIMAP(t)
		x.trust(s.Roots)
		return depot{spec: imapSpec(s), away: s.Stop, fixed: true, left: func(t *testing.T) []string { return imapLeft(t, s) },
			put: func(t *testing.T, name, text string) {
				s.Deliver(t, inboxtest.Message("anna@example.com", "Export", path.Base(t.TempDir())+name, inboxtest.File(name, text)))
			}}
	},
}

// trust starts the service over with a server's certificate.
func (x *world) trust(roots *x509.CertPool) {
	x.roots = roots
	x.settle(20 * time.Millisecond)
}

// everyKind runs a test on every kind of source.
func everyKind(t *testing.T, test func(*testing.T, *world, depot)) {
	t.Helper()
	t.Parallel()
	for kind, start := range depots {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			test(t, x, start(t, x))
		})
	}
}

func (d depot) with(change func(*inbox.Spec)) inbox.Spec {
	spec := d.spec
	spec.After = inbox.Keep
	change(&spec)
	return spec
}

func TestARunImportsWhatIsNewAndKeepsWhatItSaw(t *testing.T) {
	everyKind(t, func(t *testing.T, x *world, d depot) {
		src := x.add(t, d.with(func(*inbox.Spec) {}))
		d.put(t, "invoices.csv", invoices)
		d.put(t, "clients.csv", clients)
		d.put(t, ".hidden.csv", clients)
		d.put(t, "clients.csv.part", clients)
		if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2, Imported: 2}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2}); got != want {
			t.Errorf("again: got %+v, want %+v", got, want)
		}
		d.put(t, "copy.csv", clients)
		if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 3, Duplicates: 1}); got != want {
			t.Errorf("a copy: got %+v, want %+v", got, want)
		}
		d.put(t, "clients.csv", clients+"Cedar,Retail,active,3000\n")
		want, left := inbox.RunResult{Listed: 3, Imported: 1}, []string{".hidden.csv", "clients.csv", "clients.csv.part", "copy.csv", "invoices.csv"}
		if d.fixed {
			want.Listed, left = 4, slices.Insert(left, 1, "clients.csv")
		}
		if got := x.run(t, src.ID); got != want {
			t.Errorf("a changed file: got %+v, want %+v", got, want)
		}
		if n := x.imports(t); n != 3 {
			t.Errorf("got %d imports, want 3", n)
		}
		if diff := cmp.Diff(left, d.left(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTwoFilesOfOneRunThatHoldTheSameAreImportedOnce(t *testing.T) {
	everyKind(t, func(t *testing.T, x *world, d depot) {
		src := x.add(t, d.with(func(s *inbox.Spec) { s.After = inbox.Delete }))
		d.put(t, "a.csv", clients)
		d.put(t, "b.csv", clients)
		if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2, Imported: 1, Duplicates: 1}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if diff := cmp.Diff([]string{}, d.left(t)); diff != "" || x.imports(t) != 1 {
			t.Error(diff, x.imports(t))
		}
	})
}

func TestABadFileGoesToQuarantineAndCanBeReleasedWithAMapping(t *testing.T) {
	everyKind(t, releaseFromQuarantine)
}

func TestQuarantineWorksOnBothDatabases(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		x := newWorldOn(t, db)
		releaseFromQuarantine(t, x, depots["imap"](t, x)) // of whose queries one is for bundles only
	})
}

func releaseFromQuarantine(t *testing.T, x *world, d depot) {
	t.Helper()
	src := x.add(t, d.with(func(s *inbox.Spec) { s.After = inbox.Move }))
	d.put(t, "clients.csv", clients)
	d.put(t, "odd.csv", unknown)
	d.put(t, "empty.csv", "")
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 3, Imported: 1, Quarantined: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"done/clients.csv", "quarantine/empty.csv", "quarantine/odd.csv"}, d.left(t)); diff != "" {
		t.Error(diff)
	}
	notices, err := x.notices.List(t.Context(), acme, true, 10, 0)
	if err != nil || len(notices) != 2 || notices[0].Kind != notice.FileQuarantined {
		t.Fatalf("got %+v, %v, want 2 notices of files in quarantine", notices, err)
	}
	if err := x.notices.Read(t.Context(), acme, notices[0].ID); err != nil {
		t.Fatal(err)
	}
	if rest, _ := x.notices.List(t.Context(), acme, true, 10, 0); len(rest) != 1 {
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
		if path.Base(f.Path) == "empty.csv" {
			_, err = x.Dismiss(t.Context(), acme, src.ID, f.ID)
		} else {
			if err := x.data.Discard(t.Context(), acme, f.Upload); err != nil { // as after a week: it is read again where it is now
				t.Fatal(err)
			}
			_, err = x.Release(t.Context(), acme, src.ID, f.ID, &dataset.Mapping{Dataset: "clients", Columns: map[string]string{"foo": "client_name", "bar": "industry"}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, want := x.run(t, src.ID), (inbox.RunResult{Imported: 1}); got != want {
		t.Errorf("released: got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"done/clients.csv", "done/odd.csv", "quarantine/empty.csv"}, d.left(t)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]inbox.FileStatus{"clients.csv": inbox.Imported, "odd.csv": inbox.Imported, "empty.csv": inbox.Dismissed}, x.fates(t, src.ID)); diff != "" {
		t.Error(diff)
	}
}

func TestAllOrNothingStoresNothingWhenOneFileIsBad(t *testing.T) {
	everyKind(t, func(t *testing.T, x *world, d depot) {
		src := x.add(t, d.with(func(s *inbox.Spec) { s.After, s.AllOrNothing = inbox.Delete, true }))
		d.put(t, "clients.csv", clients)
		d.put(t, "odd.csv", unknown)
		if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2, Quarantined: 2}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if diff := cmp.Diff([]string{"clients.csv", "odd.csv"}, d.left(t)); diff != "" || x.imports(t) != 0 {
			t.Error(diff, x.imports(t))
		}
	})
}

func TestARunThatWasKilledIsGoneOnWith(t *testing.T) {
	for name, until := range map[string]func(*world, context.Context, tenant.Scope, string) error{
		"after the files were fetched":      func(x *world, ctx context.Context, s tenant.Scope, id string) error { return x.FetchOnly(ctx, s, id) },
		"after the import, before the move": func(x *world, ctx context.Context, s tenant.Scope, id string) error { return x.ImportOnly(ctx, s, id) },
		"after the move, before it was recorded": func(x *world, ctx context.Context, s tenant.Scope, id string) error {
			return x.SettleUnrecorded(ctx, s, id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			everyKind(t, func(t *testing.T, x *world, d depot) {
				src := x.add(t, d.with(func(s *inbox.Spec) { s.After = inbox.Move }))
				d.put(t, "clients.csv", clients)
				d.put(t, "odd.csv", unknown)
				if err := until(x, t.Context(), acme, src.ID); err != nil {
					t.Fatal(err)
				}
				want := []string{"clients.csv", "odd.csv"}
				if strings.Contains(name, "recorded") {
					want = []string{"done/clients.csv", "quarantine/odd.csv"}
				}
				if diff := cmp.Diff(want, d.left(t)); diff != "" {
					t.Error(diff)
				}
				x.run(t, src.ID)
				x.run(t, src.ID)
				if diff := cmp.Diff([]string{"done/clients.csv", "quarantine/odd.csv"}, d.left(t)); diff != "" {
					t.Error(diff)
				}
				if n := x.imports(t); n != 1 {
					t.Errorf("got %d imports, want 1", n)
				}
				list, err := x.Files(t.Context(), acme, src.ID, "", 10, 0)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range list {
					if folder, _, _ := strings.Cut(f.MovedTo, "/"); folder != map[inbox.FileStatus]string{inbox.Imported: "done", inbox.Quarantined: "quarantine"}[f.Status] {
						t.Errorf("%s is %s, and kept as moved to %q", f.Path, f.Status, f.MovedTo)
					}
				}
			})
		})
	}
}

func TestAFileThatWasReplacedAfterItsImportIsNotDeleted(t *testing.T) {
	everyKind(t, func(t *testing.T, x *world, d depot) {
		if d.fixed {
			t.Skip("an e-mail is never replaced")
		}
		src := x.add(t, d.with(func(s *inbox.Spec) { s.After = inbox.Delete }))
		d.put(t, "clients.csv", clients)
		if err := x.ImportOnly(t.Context(), acme, src.ID); err != nil {
			t.Fatal(err)
		}
		d.put(t, "clients.csv", clients+"Cedar,Retail,active,3000\n")
		if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 1, Imported: 1}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestAFileThatIsReplacedAgainAndAgainWaits(t *testing.T) {
	everyKind(t, func(t *testing.T, x *world, d depot) {
		if d.fixed {
			t.Skip("an e-mail is never replaced")
		}
		x.settle(2 * time.Second) // also on a busy machine it is replaced within that
		src := x.add(t, d.with(func(s *inbox.Spec) { s.After = inbox.Delete }))
		text := clients
		d.put(t, "clients.csv", text)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
					text += "Cedar,Retail,active,3000\n"
					d.put(t, "clients.csv", text)
				}
			}
		})
		got := x.run(t, src.ID)
		close(stop)
		wg.Wait()
		if want := (inbox.RunResult{Listed: 1, Waiting: 1}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if diff := cmp.Diff([]string{"clients.csv"}, d.left(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestASourceThatCannotBeReachedIsTriedAgain(t *testing.T) {
	everyKind(t, func(t *testing.T, x *world, d depot) {
		dir := x.dir
		src := x.add(t, d.with(func(*inbox.Spec) {}))
		d.away()
		if x.dir != dir { // of a folder only its place can be away
			src.Settings.Path = x.dir
			if _, err := x.Change(t.Context(), acme, src.ID, src.Spec); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("got %v", err)
		}
		if src, err := x.Source(t.Context(), acme, src.ID); err != nil || src.Status != inbox.Retrying || src.Problem == "" {
			t.Errorf("got %+v, %v, want retrying with the reason", src, err)
		}
	})
}

func s3Spec(s *inboxtest.S3) inbox.Spec {
	return inbox.Spec{Name: "bucket", Kind: inbox.S3, Password: secret.NewText(inboxtest.Password), Settings: inbox.Settings{Endpoint: s.URL, Bucket: "exports", Path: "psa", User: inboxtest.User}}
}

func s3Left(t *testing.T, s *inboxtest.S3) []string {
	t.Helper()
	out := []string{}
	for _, key := range s.Keys(t) {
		out = append(out, withoutID(strings.TrimPrefix(key, "psa/")))
	}
	slices.Sort(out)
	return out
}

func imapSpec(s *inboxtest.IMAP) inbox.Spec {
	return inbox.Spec{Name: "mail", Kind: inbox.IMAP, Password: secret.NewText(inboxtest.Password), Settings: inbox.Settings{Host: "127.0.0.1", Port: s.Port, User: inboxtest.User}}
}

func imapLeft(t *testing.T, s *inboxtest.IMAP) []string {
	t.Helper()
	out := s.Files(t, "INBOX")
	for _, folder := range []string{"done", "quarantine"} {
		for _, name := range s.Files(t, "INBOX/"+folder) {
			out = append(out, folder+"/"+name)
		}
	}
	if out == nil {
		out = []string{}
	}
	slices.Sort(out)
	return out
}

// withoutID removes the id that moving puts before a name.
func withoutID(name string) string {
	dir, base := filepath.Split(name)
	if dir != "" {
		_, base, _ = strings.Cut(base, "-")
	}
	return dir + base
}
