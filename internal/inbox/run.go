package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// RunResult says what a run did, in files.
type RunResult struct {
	Listed      int `json:"listed"`
	Imported    int `json:"imported"`
	Quarantined int `json:"quarantined"`
	Duplicates  int `json:"duplicates"` // their content was imported before
	Waiting     int `json:"waiting"`    // still being written; the next run takes them
}

const (
	// lease is how long a source belongs to the process that runs it without a sign of life.
	lease = time.Minute
	// beatEvery is how often it gives one.
	beatEvery = 15 * time.Second
	// retries is how often a source that cannot be reached is tried again before it is failing.
	retries = 5
	// firstRetry is the wait before the first of them; each later one waits twice as long.
	firstRetry = 30 * time.Second
	// maxSet is the most files that are imported as one.
	maxSet = 500
)

// errElsewhere means that the batch of an earlier run is not done.
var errElsewhere = errors.New("the files of an earlier run are still being imported")

// Run takes what is new at a source and imports it. A source that runs already gives a
// Conflict fault. When the source cannot be reached, the error says why and the source's
// status is kept.
func (s *Service) Run(ctx context.Context, scope tenant.Scope, id string) (RunResult, error) {
	if err := scope.Whole("sources"); err != nil {
		return RunResult{}, err
	}
	src, err := s.Source(ctx, scope, id)
	if err != nil {
		return RunResult{}, err
	}
	if err := s.claim(ctx, scope, src); err != nil {
		return RunResult{}, err
	}
	beating, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { s.beat(beating, scope, src.ID) })
	r := &run{Service: s, scope: scope, src: src}
	err = r.do(ctx)
	stop()
	wg.Wait()
	if kept := s.endRun(context.WithoutCancel(ctx), scope, src, err); kept != nil {
		err = errors.Join(err, kept)
	}
	if errors.Is(err, errElsewhere) {
		err = fault.Wrapf(fault.Conflict, err, "files of an earlier run of %s are still being imported: run it again in a minute", src.Name)
	}
	return r.result, err
}

func (s *Service) claim(ctx context.Context, scope tenant.Scope, src Source) error {
	now := s.now()
	var n int64
	err := s.db.Transact(ctx, func(tx *metadb.Tx) (err error) {
		n, err = tx.Exec(ctx, queries.Get("claim_source"), string(scope.Tenant), src.ID, metadb.Now(now.Add(lease)), metadb.Now(now))
		return err
	})
	if err == nil && n == 0 {
		err = fault.Newf(fault.Conflict, "%s is running: wait until it has ended", src.Name)
	}
	return err
}

func (s *Service) beat(ctx context.Context, scope tenant.Scope, id string) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// A beat that fails is left to the next.
		_ = s.db.Transact(ctx, func(tx *metadb.Tx) error {
			_, err := tx.Exec(ctx, queries.Get("beat_source"), string(scope.Tenant), id, metadb.Now(s.now().Add(lease)))
			return err
		})
	}
}

// endRun keeps how a run ended and when the next is due.
func (s *Service) endRun(ctx context.Context, scope tenant.Scope, src Source, failed error) error {
	now := s.now()
	status, problem, failures, due := OK, "", int64(0), s.due(src.Spec, now)
	switch kind := fault.KindOf(failed); {
	case failed == nil:
	case errors.Is(failed, errElsewhere), kind == fault.Canceled:
		status, problem, failures = src.Status, src.Problem, src.Failures
		due = now.Add(firstRetry)
	default:
		failures, problem = src.Failures+1, fault.Message(failed)
		status = Failing
		if kind == fault.Unavailable && failures <= retries {
			status = Retrying
			due = now.Add(firstRetry << (failures - 1))
		}
	}
	if src.Schedule == "" {
		due = time.Time{}
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		if status == Failing && src.Status != Failing {
			if err := s.notify(ctx, scope, tx, notice.SourceFailing, src.ID, fmt.Sprintf("%s: %s", src.Name, problem)); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, queries.Get("end_run"), string(scope.Tenant), src.ID, string(status), metadb.Text(problem), failures, timeText(due), metadb.Now(now))
		return err
	})
}

// run is one run of a source.
type run struct {
	*Service
	scope  tenant.Scope
	src    Source
	place  place
	result RunResult
}

// do finishes what an earlier run left, then takes what is new.
func (r *run) do(ctx context.Context) error {
	var err error
	if r.place, err = r.dial(ctx, r.scope, r.src); err != nil {
		return err
	}
	defer r.place.Close()
	for _, step := range []func(context.Context) error{r.settle, r.fetchNew, r.importFetched, r.settle} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return fault.Wrapf(fault.Canceled, err, "stopped; the next run goes on")
			}
			return err
		}
	}
	return nil
}

// fetchNew takes files that were not seen and do not change any more.
func (r *run) fetchNew(ctx context.Context) error {
	fresh, err := r.unseen(ctx)
	if err != nil || len(fresh) == 0 {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(r.opt.Settle):
	}
	for _, e := range fresh {
		again, err := r.place.stat(ctx, e.Path)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			continue
		case err != nil:
			return err
		case again.Mark != e.Mark || again.Skip != "":
			r.result.Waiting++
			continue
		}
		if err := r.fetch(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// unseen lists the source's files that no run has taken, by path.
func (r *run) unseen(ctx context.Context) ([]Listing, error) {
	list, err := r.place.list(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[[2]string]bool{}
	err = r.db.Read(ctx, func(tx *metadb.Tx) error {
		rows, err := tx.Query(ctx, queries.Get("seen_files"), string(r.scope.Tenant), r.src.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key [2]string
			if err := rows.Scan(&key[0], &key[1]); err != nil {
				return err
			}
			seen[key] = true
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	var out []Listing
	for _, e := range list {
		if e.Skip == "" {
			e.Skip = skip(e.Path, r.src.Settings.Pattern)
		}
		if e.Skip != "" {
			continue
		}
		r.result.Listed++
		if !seen[[2]string{e.Path, e.Mark}] {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Listing) int { return cmp.Compare(a.Path, b.Path) })
	return out, nil
}

// fetch copies a file here and records it. One that changes meanwhile is left to the next run.
func (r *run) fetch(ctx context.Context, e Listing) error {
	u, err := r.download(ctx, e.Path, e)
	switch {
	case errors.Is(err, errChanging):
		r.result.Waiting++
		return nil
	case fault.KindOf(err) == fault.NotFound:
		return nil
	}
	f := File{ID: newID(), Path: e.Path, Mark: e.Mark, Bytes: cmp.Or(u.Bytes, e.Bytes), SHA256: u.SHA256, Status: Fetched, Upload: u.ID}
	refused := ""
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.TooLarge || kind == fault.Forbidden {
		f.Status, f.Upload, refused = Quarantined, "", fault.Message(err)
	} else if err != nil {
		return err
	}
	return r.db.Transact(ctx, func(tx *metadb.Tx) error {
		if _, err := tx.Exec(ctx, queries.Get("insert_file"), string(r.scope.Tenant), f.ID, r.src.ID, f.Path, f.Mark, f.Bytes, f.SHA256, string(f.Status), f.Upload, metadb.Now(r.now())); err != nil {
			return err
		}
		if refused == "" {
			return nil
		}
		return r.endFile(ctx, tx, f, Quarantined, refused)
	})
}

// errChanging means that a file changed while it was read.
var errChanging = errors.New("the file is still being written")

// download copies a file into an upload.
func (r *run) download(ctx context.Context, name string, e Listing) (dataset.Upload, error) {
	in, bytes, err := r.place.open(ctx, name)
	if err != nil {
		return dataset.Upload{}, err
	}
	defer in.Close()
	u, err := r.data.NewUpload(ctx, r.scope, path.Base(e.Path), bytes)
	if err != nil {
		return u, err
	}
	heard := &heard{Reader: in}
	u, err = r.data.Append(ctx, r.scope, u.ID, 0, heard)
	switch {
	case heard.err != nil:
		err = fault.Wrapf(fault.Unavailable, heard.err, "the connection broke while %s was read: it is tried again", name)
	case fault.KindOf(err) == fault.Invalid || err == nil && !u.Complete(): // more or fewer bytes than when it was opened
		err = errChanging
	case err == nil:
		after, statErr := r.place.stat(ctx, name)
		if err = statErr; err == nil && after.Mark != e.Mark {
			err = errChanging
		}
	}
	if err != nil {
		// What cannot be discarded now is swept after a week.
		_ = r.data.Discard(context.WithoutCancel(ctx), r.scope, u.ID)
	}
	return u, err
}

// heard remembers why reading ended.
type heard struct {
	io.Reader
	err error
}

func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		h.err = err
	}
	return n, err
}
