package dataset

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// JobBatch is the kind of the job that sees to it that a batch ends, also when the process
// that began it does not.
const JobBatch = "import_batch"

// BatchRequest says what to import as one: files that were uploaded.
type BatchRequest struct {
	Files    []BatchFile `json:"files"`
	Together bool        `json:"together,omitempty"` // all or nothing, in one snapshot
	DryRun   bool        `json:"dry_run,omitempty"`  // find out everything, store nothing
}

// BatchFile is an upload and how to read it.
type BatchFile struct {
	Upload string `json:"upload"`
	TableChoice
	// Tables says how to read tables of an archive or a workbook, by name, each instead of the above.
	Tables map[string]TableChoice `json:"tables,omitempty"`
}

// BatchStatus says how far a batch is.
type BatchStatus string

// The statuses.
const (
	BatchQueued   BatchStatus = "queued"
	BatchRunning  BatchStatus = "running"
	BatchDone     BatchStatus = "done"     // each table's answer says what became of it
	BatchFailed   BatchStatus = "failed"   // nothing could be looked at; Problem says why
	BatchCanceled BatchStatus = "canceled" // a person stopped it, or the program ended during a dry run
)

// Ended reports whether nothing more will happen.
func (s BatchStatus) Ended() bool { return s != BatchQueued && s != BatchRunning }

// Batch is one import of several files.
type Batch struct {
	ID         string        `json:"id"`
	Status     BatchStatus   `json:"status"`
	Request    BatchRequest  `json:"request"`
	Progress   BatchProgress `json:"progress"`
	Tables     []BatchTable  `json:"tables"`
	Problem    *BatchProblem `json:"problem"`
	CreatedAt  time.Time     `json:"created_at"`
	FinishedAt *time.Time    `json:"finished_at"`
	Actor      tenant.Actor  `json:"actor"`
}

// BatchProgress says what is being done.
type BatchProgress struct {
	File  string `json:"file"`
	Phase string `json:"phase"` // "reading", "reading rows", "checking", "storing"
	Done  int64  `json:"done"`  // bytes when reading, otherwise rows
	Total int64  `json:"total"` // 0 when it is not known
}

// BatchTable is what became of one table of a batch.
type BatchTable struct {
	Upload  string `json:"upload"`
	Name    string `json:"name"`    // of the file, or of the table in it
	Dataset string `json:"dataset"` // what it was taken for, "" when that is not known
	// Result is null when the table is not stored, or for a dry run could not be read.
	Result  *ImportResult `json:"result"`
	Problem *BatchProblem `json:"problem"`
	Header  []string      `json:"header"`  // the file's columns, when it could be read that far
	Columns []ColumnUse   `json:"columns"` // what they were taken for, when that is known
	Sample  [][]string    `json:"sample"`  // the first rows as they stand, when Problem is set
}

// BatchProblem is why a table is not stored.
type BatchProblem struct {
	Kind    string        `json:"kind"`
	Message string        `json:"message"`
	Fields  []fault.Field `json:"fields"`
}

func batchProblem(err error) *BatchProblem {
	if err == nil {
		return nil
	}
	p := &BatchProblem{Kind: string(fault.KindOf(err)), Message: fault.Message(err), Fields: fault.FieldsOf(err)}
	if p.Fields == nil {
		p.Fields = []fault.Field{}
	}
	return p
}

const (
	// batchLease is how long a batch belongs to the process that runs it without a sign of life.
	batchLease = time.Minute
	// batchBeat is how often progress, and with it the sign of life, is written.
	batchBeat = 500 * time.Millisecond
	// maxBatchFiles bounds one batch.
	maxBatchFiles = 500
)

// runner is the batches that run in this process.
type runner struct {
	mu      sync.Mutex
	cancels map[string]context.CancelFunc
	ended   bool
	wg      sync.WaitGroup
}

// StartBatch checks a request, records it and begins with it in the background.
func (s *Service) StartBatch(ctx context.Context, scope tenant.Scope, req BatchRequest) (Batch, error) {
	b, err := s.NewBatch(ctx, scope, req, nil)
	if err == nil {
		s.background(ctx, scope, b.ID)
	}
	return b, err
}

// NewBatch checks a request and records it for RunBatch. Unless it is nil, with writes in the
// same transaction what the caller keeps about the batch.
func (s *Service) NewBatch(ctx context.Context, scope tenant.Scope, req BatchRequest, with func(tx *metadb.Tx, id string) error) (Batch, error) {
	if err := s.checkBatch(ctx, scope, req); err != nil {
		return Batch{}, err
	}
	text, err := json.Marshal(req)
	if err != nil {
		return Batch{}, fmt.Errorf("batch: %w", err)
	}
	id := strings.ToLower(rand.Text()[:16])
	now := s.now()
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_batch"), t, id, metadb.Text(string(text)), metadb.Now(now), metadb.Text(string(scope.Actor))); err != nil {
			return err
		}
		if with != nil {
			if err := with(tx, id); err != nil {
				return err
			}
		}
		if s.jobs == nil {
			return nil
		}
		return s.jobs.Enqueue(ctx, scope, tx, JobBatch, map[string]string{"id": id})
	})
	if err != nil {
		return Batch{}, fmt.Errorf("batch: %w", err)
	}
	return s.BatchOf(ctx, scope, id)
}

func (s *Service) checkBatch(ctx context.Context, scope tenant.Scope, req BatchRequest) error {
	if n := len(req.Files); n == 0 || n > maxBatchFiles {
		return fault.WithFields("name the files to import", fault.Field{Path: "files", Message: fmt.Sprintf("must be 1 to %d", maxBatchFiles)})
	}
	var wrong []fault.Field
	for i, f := range req.Files {
		at := fmt.Sprintf("files[%d].", i)
		u, err := s.UploadOf(ctx, scope, f.Upload)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			wrong = append(wrong, fault.Field{Path: at + "upload", Message: fault.Message(err)})
		case err != nil:
			return err
		case !u.Complete():
			wrong = append(wrong, fault.Field{Path: at + "upload", Message: fmt.Sprintf("%s is not all there: %d of %d bytes", u.Name, u.Received, u.Bytes)})
		}
		choices := map[string]TableChoice{"": f.TableChoice}
		for name, c := range f.Tables {
			choices["tables."+name+"."] = c
		}
		for name, c := range choices {
			for _, err := range []error{c.Mapping.check(), c.Replace.check()} {
				for _, w := range fault.FieldsOf(err) {
					w.Path = at + name + w.Path
					wrong = append(wrong, w)
				}
			}
		}
	}
	if wrong != nil {
		return fault.WithFields("the files cannot be imported like this", wrong...)
	}
	return nil
}

// RunBatch does a batch that waits, or one whose process is gone; another one's is left
// alone. An error means that it has to be looked at again.
func (s *Service) RunBatch(ctx context.Context, scope tenant.Scope, id string) error {
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

// answer is what is kept of an ended batch.
type batchAnswer struct {
	Tables  []BatchTable  `json:"tables"`
	Problem *BatchProblem `json:"problem"`
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

// BatchOf returns a batch, a NotFound fault when the tenant has none of that id.
func (s *Service) BatchOf(ctx context.Context, scope tenant.Scope, id string) (Batch, error) {
	list, err := s.batches(ctx, scope, "get_batch", id)
	if err != nil {
		return Batch{}, err
	}
	if len(list) == 0 {
		return Batch{}, fault.Newf(fault.NotFound, "there is no batch %q", id)
	}
	return list[0], nil
}

// Batches lists a tenant's batches, newest first.
func (s *Service) Batches(ctx context.Context, scope tenant.Scope, limit int, skip int64) ([]Batch, error) {
	return s.batches(ctx, scope, "list_batches", limit, skip)
}

func (s *Service) batches(ctx context.Context, scope tenant.Scope, query string, args ...any) ([]Batch, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out []Batch
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = []Batch{}
		rows, err := tx.Query(ctx, queries.Get(query), slices.Concat([]any{string(scope.Tenant)}, args)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			b, err := scanBatch(rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, b)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("batches: %w", err)
	}
	return out, nil
}

func scanBatch(scan func(...any) error) (Batch, error) {
	var b Batch
	var status, request, progress, answer, created, finished, actor string
	if err := scan(&b.ID, &status, &request, &progress, &answer, &created, &finished, &actor); err != nil {
		return b, err
	}
	b.Status, b.Actor, b.Tables = BatchStatus(status), tenant.Actor(actor), []BatchTable{}
	a := batchAnswer{}
	for text, to := range map[string]any{request: &b.Request, progress: &b.Progress, answer: &a} {
		if text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), to); err != nil {
			return b, err
		}
	}
	if a.Tables != nil {
		b.Tables = a.Tables
	}
	b.Problem = a.Problem
	var err error
	if b.CreatedAt, err = metadb.ParseTime(created); err != nil || finished == "" {
		return b, err
	}
	t, err := metadb.ParseTime(finished)
	b.FinishedAt = &t
	return b, err
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
