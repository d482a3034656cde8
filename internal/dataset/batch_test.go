package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

func (x *world) upload(t testing.TB, name, text string) string {
	t.Helper()
	u, err := x.NewUpload(t.Context(), acme, name, int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	if u, err = x.Append(t.Context(), acme, u.ID, 0, strings.NewReader(text)); err != nil || !u.Complete() {
		t.Fatalf("%s: %+v, %v", name, u, err)
	}
	return u.ID
}

// ended waits for a batch to end.
func (x *world) ended(t testing.TB, id string) dataset.Batch {
	t.Helper()
	for range 600 {
		b, err := x.BatchOf(t.Context(), acme, id)
		if err != nil {
			t.Fatal(err)
		}
		if b.Status.Ended() {
			return b
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("batch %s does not end", id)
	return dataset.Batch{}
}

func (x *world) batch(t testing.TB, req dataset.BatchRequest) dataset.Batch {
	t.Helper()
	b, err := x.StartBatch(t.Context(), acme, req)
	if err != nil {
		t.Fatal(err)
	}
	return x.ended(t, b.ID)
}

func TestAnUploadGoesOnWhereItWasCutOff(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	ctx := t.Context()
	text := knownClients
	u, err := x.NewUpload(ctx, acme, `C:\exports\clients.csv`, int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	want(t, "name", u.Name, "clients.csv")
	cut := errors.New("the line went dead")
	u, err = x.Append(ctx, acme, u.ID, 0, io.MultiReader(strings.NewReader(text[:40]), iotest.ErrReader(cut)))
	if fault.KindOf(err) != fault.Invalid || u.Received != 40 {
		t.Fatalf("cut off: %+v, %v", u, err)
	}
	if _, _, err := x.Original(ctx, acme, u.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("opened half: %v", err)
	}
	if _, err := x.StartBatch(ctx, acme, dataset.BatchRequest{Files: []dataset.BatchFile{{Upload: u.ID}, {Upload: "nothing"}}}); len(fault.FieldsOf(err)) != 2 {
		t.Errorf("a batch of half a file and none: %v %v", err, fault.FieldsOf(err))
	}
	if _, err := x.Append(ctx, acme, u.ID, 30, strings.NewReader(text[30:])); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "byte 40") {
		t.Errorf("a wrong offset: %v", err)
	}
	if u, err = x.Append(ctx, acme, u.ID, 40, strings.NewReader(text[40:])); err != nil || !u.Complete() {
		t.Fatalf("the rest: %+v, %v", u, err)
	}
	_, f, err := x.Original(ctx, acme, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, _ := io.ReadAll(f); string(got) != text {
		t.Errorf("got %q", got)
	}
	for name, bad := range map[string]error{
		"no name": second(x.NewUpload(ctx, acme, "..", 5)), "no bytes": second(x.NewUpload(ctx, acme, "a.csv", 0)), "too much": second(x.NewUpload(ctx, acme, "a.csv", 1<<50)),
		"a path": second(x.Append(ctx, acme, "../../etc/passwd", 0, strings.NewReader("x"))),
	} {
		if k := fault.KindOf(bad); k != fault.Invalid && k != fault.TooLarge && k != fault.NotFound {
			t.Errorf("%s: %v", name, bad)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestABatchIsLookedAtThenImportedAndKeepsItsFiles(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	files := []dataset.BatchFile{{Upload: x.upload(t, "time.csv", setBadTime)}, {Upload: x.upload(t, "clients.csv", knownClients)}, {Upload: x.upload(t, "odd.csv", "Foo,Bar\n1,2\n")}}
	dry := x.batch(t, dataset.BatchRequest{Files: files, DryRun: true})
	want(t, "dry", fmt.Sprint(dry.Status, len(dry.Tables), dry.Tables[0].Result.RowsAdded, dry.Tables[0].Result.RowsRejected, dry.Tables[1].Result.RowsAdded), "done3 2 1 4")
	odd := dry.Tables[2]
	want(t, "what cannot be read is shown", fmt.Sprint(odd.Header, odd.Sample, odd.Problem != nil), "[Foo Bar] [[1 2]] true")
	fix := dry.Tables[0].Result.Findings[slices.IndexFunc(dry.Tables[0].Result.Findings, func(f dataset.Finding) bool { return f.Severity == dataset.Error })].Fixes
	files[0].Mapping = files[0].Mapping.With(fix[len(fix)-1].Patch) // leave the row out
	done := x.batch(t, dataset.BatchRequest{Files: files[:2], Together: true})
	want(t, "done", fmt.Sprint(done.Status, done.Tables[0].Result.RowsAdded, done.Tables[1].Result.RowsAdded, done.Tables[0].Result.Snapshot == done.Tables[1].Result.Snapshot), "done2 4 true")
	if err := x.Discard(t.Context(), acme, files[0].Upload); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the original of an import discarded: %v", err)
	}
	if err := x.Discard(t.Context(), acme, files[2].Upload); err != nil {
		t.Error(err)
	}
	list, err := x.Batches(t.Context(), acme, 10, 0)
	if err != nil || len(list) != 2 {
		t.Errorf("list: %v, %v", list, err)
	}
}

func TestABatchWhoseProcessDiedIsTakenUp(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	ctx := t.Context()
	start := func(dry bool) string {
		b := x.batch(t, dataset.BatchRequest{Files: []dataset.BatchFile{{Upload: x.upload(t, "time.csv", setTime)}}, DryRun: dry})
		// As a kill leaves it: running, and no sign of life for longer than the lease.
		if err := x.db.Transact(ctx, func(tx *metadb.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE batch SET status = 'running', answer = '', finished_at = '', lease = '2020-01-01T00:00:00.000000Z' WHERE id = $1", b.ID)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return b.ID
	}
	stored, dry := start(false), start(true)
	next := &world{w: x.w, db: x.db} // the next process
	next.Service = dataset.New(x.w, x.db, audit.New(clock), nil, clock)
	for _, id := range []string{stored, dry} {
		if err := next.ResumeBatch(ctx, acme, id); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("resume: %v", err)
		}
	}
	b := next.ended(t, stored)
	want(t, "stored again", fmt.Sprint(b.Status, b.Tables[0].Result.RowsUnchanged), "done2")
	want(t, "rows", len(x.rows(t, "SELECT 1 FROM time_entries", "time_entries")), 2)
	if b := next.ended(t, dry); b.Status != dataset.BatchCanceled || b.Problem == nil {
		t.Errorf("dry run: %+v", b)
	}
	if err := next.ResumeBatch(ctx, acme, stored); err != nil {
		t.Errorf("resume an ended one: %v", err)
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
	if err := next.RunBatch(context.Background(), acme, stored); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("run after the end: %v", err)
	}
}

func TestWhatNobodyUsesIsSweptAway(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	ctx := t.Context()
	used, unused := x.upload(t, "time.csv", setTime), x.upload(t, "clients.csv", knownClients)
	x.batch(t, dataset.BatchRequest{Files: []dataset.BatchFile{{Upload: used}}})
	x.batch(t, dataset.BatchRequest{Files: []dataset.BatchFile{{Upload: unused}}, DryRun: true})
	if n, err := x.Sweep(ctx, acme); err != nil || n != 0 {
		t.Errorf("at once: %d, %v", n, err)
	}
	later := dataset.New(x.w, x.db, audit.New(clock), nil, func() time.Time { return clock().Add(8 * 24 * time.Hour) })
	if n, err := later.Sweep(ctx, acme); err != nil || n != 1 {
		t.Errorf("after a week: %d, %v", n, err)
	}
	if _, err := x.UploadOf(ctx, acme, unused); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unused: %v", err)
	}
	if _, f, err := x.Original(ctx, acme, used); err != nil {
		t.Errorf("used: %v", err)
	} else {
		f.Close()
	}
	list, err := x.Batches(ctx, acme, 10, 0)
	if err != nil || len(list) != 1 {
		t.Errorf("batches left: %d, %v", len(list), err)
	}
}

func TestABatchOfWhichEverythingIsLeftOutSaysSo(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	skip := dataset.TableChoice{Skip: true}
	whole := []dataset.BatchFile{{Upload: x.upload(t, "clients.csv", knownClients), TableChoice: skip}}
	members := []dataset.BatchFile{{Upload: x.upload(t, "all.zip", zipped(t, "clients.csv", knownClients)), Tables: map[string]dataset.TableChoice{"clients.csv": skip}}}
	for name, files := range map[string][]dataset.BatchFile{"files": whole, "tables of an archive": members} {
		for _, together := range []bool{false, true} {
			dry := x.batch(t, dataset.BatchRequest{Files: files, DryRun: true, Together: together})
			want(t, name+", looked at", fmt.Sprint(dry.Status, len(dry.Tables), dry.Problem == nil), "done0 true")
			done := x.batch(t, dataset.BatchRequest{Files: files, Together: together})
			if done.Status != dataset.BatchDone || len(done.Tables) != 0 || done.Problem == nil || !strings.Contains(done.Problem.Message, "everything is left out") {
				t.Errorf("%s: got %s, %+v, want done with a word that everything is left out", name, done.Status, done.Problem)
			}
		}
	}
}
