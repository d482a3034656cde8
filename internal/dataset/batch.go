package dataset

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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

// maxBatchFiles bounds one batch.
const maxBatchFiles = 500

// StartBatch checks a request, records it and begins with it in the background.
func (s *Service) StartBatch(ctx context.Context, scope tenant.Scope, req BatchRequest) (Batch, error) {
	if err := scope.Whole("imports"); err != nil {
		return Batch{}, err
	}
	b, err := s.NewBatch(ctx, scope, req, nil)
	if err == nil {
		s.background(ctx, scope, b.ID)
	}
	return b, err
}

// NewBatch checks a request and records it for RunBatch. Unless it is nil, with writes in the
// same transaction what the caller keeps about the batch.
func (s *Service) NewBatch(ctx context.Context, scope tenant.Scope, req BatchRequest, with func(tx *metadb.Tx, id string) error) (Batch, error) {
	if err := scope.Whole("imports"); err != nil {
		return Batch{}, err
	}
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

// answer is what is kept of an ended batch.
type batchAnswer struct {
	Tables  []BatchTable  `json:"tables"`
	Problem *BatchProblem `json:"problem"`
}

// BatchOf returns a batch, a NotFound fault when the tenant has none of that id.
func (s *Service) BatchOf(ctx context.Context, scope tenant.Scope, id string) (Batch, error) {
	if err := scope.Whole("imports"); err != nil {
		return Batch{}, err
	}
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
	if err := scope.Whole("imports"); err != nil {
		return nil, err
	}
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
