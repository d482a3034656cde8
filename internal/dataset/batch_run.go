package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// This file runs batches: once in one process, taken up by another when that is gone.

const (
	// batchLease is how long a batch belongs to the process that runs it without a sign of life.
	batchLease = time.Minute
	// batchBeat is how often progress, and with it the sign of life, is written.
	batchBeat = 500 * time.Millisecond
)

// runner is the batches that run in this process.
type runner struct {
	mu      sync.Mutex
	cancels map[string]context.CancelFunc
	ended   bool
	wg      sync.WaitGroup
}

// RunBatch does a batch that waits, or one whose process is gone; another one's is left
// alone. An error means that it has to be looked at again.
func (s *Service) RunBatch(ctx context.Context, scope tenant.Scope, id string) error {
	if err := scope.Whole("imports"); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.running.mu.Lock()
	if s.running.ended {
		s.running.mu.Unlock()
		return fault.Newf(fault.Unavailable, "the program is ending")
	}
	if s.running.cancels == nil {
		s.running.cancels = map[string]context.CancelFunc{}
	}
	if _, mine := s.running.cancels[id]; mine {
		s.running.mu.Unlock()
		return fault.Newf(fault.Unavailable, "batch %s is running", id)
	}
	s.running.cancels[id] = cancel
	s.running.mu.Unlock()
	defer func() {
		s.running.mu.Lock()
		delete(s.running.cancels, id)
		s.running.mu.Unlock()
	}()
	b, err := s.BatchOf(ctx, scope, id)
	if err != nil {
		return err
	}
	if b.Status.Ended() {
		return nil
	}
	again := b.Status == BatchRunning
	now := s.now()
	var n int64
	if err := s.db.Transact(ctx, func(tx *metadb.Tx) (err error) {
		n, err = tx.Exec(ctx, queries.Get("claim_batch"), string(scope.Tenant), id, metadb.Now(now.Add(batchLease)), metadb.Now(now))
		return err
	}); err != nil {
		return err
	}
	if n == 0 {
		return fault.Newf(fault.Unavailable, "batch %s is running in another process", id)
	}
	if again && b.Request.DryRun {
		return s.endBatch(ctx, scope, id, BatchCanceled, nil, fault.Newf(fault.Unavailable, "the program ended during this dry run, which changed nothing: start it again"))
	}
	scope.Actor = b.Actor
	set, err := s.doBatch(ctx, scope, b)
	status := BatchDone
	switch {
	case ctx.Err() != nil && s.ending() && !b.Request.DryRun:
		return s.leaveBatch(context.WithoutCancel(ctx), scope, id)
	case ctx.Err() != nil:
		status, err = BatchCanceled, fault.Newf(fault.Canceled, "stopped; what was stored before stays, and is undone file by file")
	case err != nil:
		status = BatchFailed
	}
	if err == nil && len(set) == 0 && !b.Request.DryRun {
		err = fault.Newf(fault.Invalid, "everything is left out: nothing was imported")
	}
	return s.endBatch(context.WithoutCancel(ctx), scope, id, status, set, err)
}

// ResumeBatch looks after a batch whose process may be gone: it is taken up here when it
// has given no sign of life. An error says that it has not ended yet.
func (s *Service) ResumeBatch(ctx context.Context, scope tenant.Scope, id string) error {
	if err := scope.Whole("imports"); err != nil {
		return err
	}
	b, err := s.BatchOf(ctx, scope, id)
	if err != nil || b.Status.Ended() {
		return err
	}
	if b.Status == BatchRunning || s.now().Sub(b.CreatedAt) > batchLease {
		s.background(ctx, scope, id)
	}
	return fault.Newf(fault.Unavailable, "batch %s has not ended", id)
}

// background runs a batch apart from whoever asks for it.
func (s *Service) background(ctx context.Context, scope tenant.Scope, id string) {
	s.running.mu.Lock()
	defer s.running.mu.Unlock()
	if s.running.ended {
		return
	}
	s.running.wg.Go(func() {
		// The outcome is in the record; the job looks after what this process cannot end.
		_ = s.RunBatch(context.WithoutCancel(ctx), scope, id)
	})
}

func (s *Service) ending() bool {
	s.running.mu.Lock()
	defer s.running.mu.Unlock()
	return s.running.ended
}

// leaveBatch lets the next process take a batch over at once.
func (s *Service) leaveBatch(ctx context.Context, scope tenant.Scope, id string) error {
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("beat_batch"), string(scope.Tenant), id, "", "")
		return err
	})
}

// doBatch imports the files of a batch. Files that an earlier run of it has stored are
// unchanged now.
func (s *Service) doBatch(ctx context.Context, scope tenant.Scope, b Batch) ([]BatchTable, error) {
	beat := s.newBeat(ctx, scope, b.ID)
	defer beat.stop()
	var reqs []ImportRequest
	for _, f := range b.Request.Files {
		if f.Skip {
			continue
		}
		u, file, err := s.Original(ctx, scope, f.Upload)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		text, err := json.Marshal(f.Mapping) // JSON is YAML
		if err != nil {
			return nil, err
		}
		if string(text) == "{}" {
			text = nil
		}
		reqs = append(reqs, ImportRequest{Reader: file, Name: u.Name, Mapping: text, DryRun: b.Request.DryRun, Replace: f.Replace, upload: u.ID, tables: f.Tables,
			Progress: func(phase string, done, total int64) {
				if phase == "reading" {
					total = u.Bytes
				}
				beat.set(BatchProgress{File: u.Name, Phase: phase, Done: done, Total: total})
			}})
	}
	set, err := s.ImportSet(ctx, scope, reqs, b.Request.Together)
	out := make([]BatchTable, len(set))
	for i, t := range set {
		out[i] = BatchTable{Upload: reqs[t.Request].upload, Name: t.Name, Dataset: t.Dataset, Problem: batchProblem(t.Err), Header: orEmpty(t.Header), Columns: orEmpty(t.Columns), Sample: orEmpty(t.Sample)}
		if t.Err == nil || t.Result.Dataset != "" {
			r := t.Result
			out[i].Result = &r
			if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == erasedPerson }) {
				out[i].Columns = slices.Clone(out[i].Columns) // they quote the file's first cells
				for c := range out[i].Columns {
					out[i].Columns[c].Samples = nil
				}
			}
		}
	}
	return out, err
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// beat writes a batch's progress now and then, and with it that its process lives.
type beat struct {
	mu   sync.Mutex
	p    BatchProgress
	done chan struct{}
	wg   sync.WaitGroup
}

func (b *beat) set(p BatchProgress) {
	b.mu.Lock()
	b.p = p
	b.mu.Unlock()
}

func (b *beat) stop() {
	close(b.done)
	b.wg.Wait()
}

func (s *Service) newBeat(ctx context.Context, scope tenant.Scope, id string) *beat {
	b := &beat{done: make(chan struct{})}
	b.wg.Go(func() {
		tick := time.NewTicker(batchBeat)
		defer tick.Stop()
		for {
			select {
			case <-b.done:
				return
			case <-tick.C:
			}
			b.mu.Lock()
			text, err := json.Marshal(b.p)
			b.mu.Unlock()
			if err != nil {
				continue
			}
			// A beat that fails is left to the next; without any for a minute another process takes over.
			_ = s.db.Transact(ctx, func(tx *metadb.Tx) error {
				_, err := tx.Exec(ctx, queries.Get("beat_batch"), string(scope.Tenant), id, metadb.Text(string(text)), metadb.Now(s.now().Add(batchLease)))
				return err
			})
		}
	})
	return b
}

// maxKept is how many rejected rows the record of a batch lists for a table; those of an
// import are all kept with it.
const maxKept = 200

func (s *Service) endBatch(ctx context.Context, scope tenant.Scope, id string, status BatchStatus, set []BatchTable, failed error) error {
	for _, t := range set {
		if t.Result != nil {
			t.Result.Rejects = t.Result.Rejects[:min(maxKept, len(t.Result.Rejects))]
		}
	}
	text, err := json.Marshal(batchAnswer{set, batchProblem(failed)})
	if err != nil {
		return fmt.Errorf("batch %s: %w", id, err)
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("end_batch"), string(scope.Tenant), id, string(status), metadb.Text(string(text)), metadb.Now(s.now()))
		return err
	})
}

// CancelBatch stops a batch. What it has stored stays; a batch that is all or nothing
// stores nothing then, unless it was about to end.
func (s *Service) CancelBatch(ctx context.Context, scope tenant.Scope, id string) (Batch, error) {
	if err := scope.Whole("imports"); err != nil {
		return Batch{}, err
	}
	b, err := s.BatchOf(ctx, scope, id)
	if err != nil || b.Status.Ended() {
		return b, err
	}
	s.running.mu.Lock()
	cancel := s.running.cancels[id]
	s.running.mu.Unlock()
	if cancel == nil {
		return b, fault.Newf(fault.Conflict, "this batch runs in another process, or has not begun: try again in a moment")
	}
	cancel()
	return b, nil
}

// Close stops the batches of this process and waits for them. Those that store go on in
// the next process that works jobs.
func (s *Service) Close() error {
	s.running.mu.Lock()
	s.running.ended = true
	for _, cancel := range s.running.cancels {
		cancel()
	}
	s.running.mu.Unlock()
	s.running.wg.Wait()
	return nil
}
