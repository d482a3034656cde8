package report

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// JobMake is the kind of the jobs that make reports.
const JobMake = "report-make"

// The states of a report.
const (
	Waiting  = "waiting"
	Running  = "running"
	Done     = "done"
	Failed   = "failed"
	Canceled = "canceled"
)

// Report is a file that was made or is being made, and what it was made from.
type Report struct {
	ID       string          `json:"id"`
	Template string          `json:"template"`
	Title    string          `json:"title"`
	Format   string          `json:"format"`
	Client   string          `json:"client,omitempty"`
	Period   quantity.Period `json:"period"`
	AsOf     quantity.Day    `json:"as_of"`
	Snapshot int64           `json:"snapshot"`
	// AuditSeq is the position of the record, Definitions the revision of what the tenant
	// defined, SettingsHash what it had set, InputHash all of what the file was made from.
	AuditSeq     int64      `json:"audit_position"`
	Definitions  int64      `json:"definitions_revision"`
	SettingsHash string     `json:"settings_hash"`
	InputHash    string     `json:"input_hash"`
	Role         string     `json:"role"` // whose rights it was made with
	State        string     `json:"state" enum:"waiting,running,done,failed,canceled"`
	Done         int        `json:"done"` // blocks
	Total        int        `json:"total"`
	Doing        string     `json:"doing,omitempty"`
	SHA256       string     `json:"sha256,omitempty"` // of the file
	Bytes        int64      `json:"bytes"`
	Problem      string     `json:"problem,omitempty"` // why it failed
	Notes        []string   `json:"notes" nullable:"false" doc:"what a reader must know: stale data, what could not be shown"`
	MadeBy       string     `json:"made_by"`
	MadeAt       time.Time  `json:"made_at"`
	FinishedAt   *time.Time `json:"finished_at"`
	RemovedAt    *time.Time `json:"removed_at" doc:"when the file was removed; the record of it stays"`
	Schedule     string     `json:"schedule,omitempty"`
	Product      string     `json:"product"` // version of the program
	Receipts     []Receipt  `json:"receipts,omitempty"`

	rights *tenant.Rights
}

// Receipt says who got a file, and how.
type Receipt struct {
	Receiver string    `json:"receiver"`
	Channel  string    `json:"channel"` // download, notice or delivery
	At       time.Time `json:"at"`
	// Delivery is what sent it, Status what became of that: waiting, sent, failed, canceled.
	Delivery string `json:"delivery,omitempty"`
	Status   string `json:"status,omitempty"`
	Problem  string `json:"problem,omitempty"`
}

// PeriodWords is the period as people say it: "April 2026 to June 2026".
func (r *Report) PeriodWords() string { return words(r.Period) }

// FileName is what the file is called when somebody saves it.
func (r *Report) FileName() string {
	f, _ := FormatOf(r.Format)
	name := r.Template
	if r.Client != "" {
		name += "-" + plainName(r.Client)
	}
	return name + "-" + r.Period.From.String()[:7] + "-to-" + r.Period.To.AddDays(-1).String()[:7] + "." + f.Extension
}

// plainName leaves of a name what every file system and mail program takes.
func plainName(s string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, s)
	for strings.Contains(out, "--") {
		out = strings.ReplaceAll(out, "--", "-")
	}
	return strings.Trim(out[:min(len(out), 60)], "-")
}

// Write writes the report of some inputs in a format. The same inputs give the same bytes.
func (s *Service) Write(ctx context.Context, scope tenant.Scope, in *Inputs, format string, w io.Writer, tell Progress) (notes []string, err error) {
	f, err := FormatOf(format)
	if err != nil {
		return nil, err
	}
	b, err := s.builder(scope, in)
	if err != nil {
		return nil, err
	}
	d, err := b.build(ctx, scope, tell)
	if err != nil {
		return nil, err
	}
	tmp := filepath.Join(s.opt.Dir, string(scope.Tenant))
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, fault.Wrapf(fault.Unavailable, err, "the folder of reports cannot be made")
	}
	if err := f.write(ctx, w, d, tmp); err != nil {
		return nil, fmt.Errorf("report %s as %s: %w", in.Name, format, err)
	}
	notes = append(notes, d.Warnings...)
	if b.t.Audience != audienceClient {
		for _, l := range b.left {
			notes = append(notes, "Left out for the role "+roleOf(in.Rights)+": "+l)
		}
	}
	return notes, nil
}

// Begin settles what a report is made from and puts it before a worker.
func (s *Service) Begin(ctx context.Context, scope tenant.Scope, req Request, format, schedule string) (*Report, error) {
	if _, err := FormatOf(format); err != nil {
		return nil, err
	}
	in, err := s.Collect(ctx, scope, req)
	if err != nil {
		return nil, err
	}
	var out *Report
	err = s.DB.Transact(ctx, func(tx *metadb.Tx) (err error) {
		if out, err = s.insert(ctx, scope, tx, in, format, schedule); err != nil {
			return err
		}
		return s.opt.Enqueue(ctx, scope, tx, JobMake, map[string]string{"id": out.ID})
	})
	return out, err
}

// Make makes a report now and keeps it. On an error the report is kept as failed or canceled.
func (s *Service) Make(ctx context.Context, scope tenant.Scope, req Request, format, schedule string, tell Progress) (*Report, error) {
	if _, err := FormatOf(format); err != nil {
		return nil, err
	}
	in, err := s.Collect(ctx, scope, req)
	if err != nil {
		return nil, err
	}
	return s.makeFrom(ctx, scope, in, format, schedule, tell)
}

// makeFrom makes a report of some inputs now and keeps it.
func (s *Service) makeFrom(ctx context.Context, scope tenant.Scope, in *Inputs, format, schedule string, tell Progress) (*Report, error) {
	var r *Report
	if err := s.DB.Transact(ctx, func(tx *metadb.Tx) (err error) {
		r, err = s.insert(ctx, scope, tx, in, format, schedule)
		return err
	}); err != nil {
		return nil, err
	}
	if err := s.produce(ctx, scope, r, in, tell); err != nil {
		if ctx.Err() == nil { // nobody tries this one again
			err = errors.Join(err, s.fail(ctx, scope, r, err))
		}
		return nil, err
	}
	return s.get(ctx, scope.Own(), r.ID)
}

func (s *Service) insert(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, in *Inputs, format, schedule string) (*Report, error) {
	now := s.opt.Now()
	t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
	if err != nil {
		return nil, err
	}
	template, err := ParseTemplate(in.Template)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	rights, err := json.Marshal(template.shown(in.Rights))
	if err != nil {
		return nil, err
	}
	r := &Report{ID: strings.ToLower(rand.Text()[:16])}
	if _, err := tx.Exec(ctx, queries.Get("keep_input"), t, in.Hash(), string(body), metadb.Now(now)); err != nil {
		return nil, err
	}
	title := fill(template.Title, map[string]string{"client": in.Client, "firm": in.Firm, "period": words(in.Period)})
	if _, err := tx.Exec(ctx, queries.Get("insert"), t, r.ID, in.Name, metadb.Text(title), format, metadb.Text(in.Client), in.Period.From.String(), in.Period.To.String(), in.AsOf.String(),
		in.Snapshot, in.Audit.Seq, in.Definitions.Revision, in.SettingsHash(), in.Hash(), string(rights), Waiting, len(template.blocks()), metadb.Text(string(scope.Actor)), metadb.Now(now), schedule, s.opt.Product); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return s.read(ctx, scope.Own(), tx, r.ID)
}

// Work makes a report that waits. Errors against which nothing helps are kept with it; others
// are returned, for another try, as with schedules.
func (s *Service) Work(ctx context.Context, scope tenant.Scope, id string) error {
	r, err := s.get(ctx, scope.Own(), id)
	if err != nil {
		return err
	}
	if r.State != Waiting && r.State != Running {
		return nil // done or canceled meanwhile
	}
	in, err := s.inputs(ctx, scope, r)
	if err != nil {
		return err
	}
	scope.Actor = tenant.Actor(r.MadeBy)
	err = s.produce(ctx, scope, r, in, nil)
	if err == nil || ctx.Err() != nil {
		return err // the server stops: another one goes on
	}
	if again(err) && !errors.Is(err, errErased) { // these inputs are not there again
		return err
	}
	return s.fail(ctx, scope, r, err)
}

// produce builds and writes a report and keeps its file, unless it is canceled meanwhile. After
// an error it is up to the caller whether the report has failed.
func (s *Service) produce(ctx context.Context, scope tenant.Scope, r *Report, in *Inputs, tell Progress) error {
	if n, err := s.exec(ctx, "take", string(scope.Tenant), r.ID); err != nil || n == 0 {
		return errors.Join(err, s.canceled(n))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.running.Store(r.ID, cancel)
	defer s.running.Delete(r.ID)
	path, sum, size, notes, err := s.file(ctx, scope, r, in, s.telling(ctx, scope, r, cancel, tell))
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errCanceled) {
		return s.canceled(0)
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(notes)
	if err != nil {
		return err
	}
	// The file is durable before the record names it: a crash between leaves a file that nobody
	// names, which is the same file when the report is made again.
	return s.DB.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("finish"), string(scope.Tenant), r.ID, Done, sum, size, "", metadb.Text(string(text)), metadb.Now(s.opt.Now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return s.canceled(0)
		}
		_, err = s.Audit.Append(ctx, scope, tx, audit.Event{Action: "report.make", Subject: audit.Subject{Kind: "report", ID: r.ID}, Snapshot: in.Snapshot,
			Detail: map[string]any{"template": in.Name, "format": r.Format, "sha256": sum, "inputs": r.InputHash, "file": filepath.Base(path), "role": roleOf(in.Rights), "schedule": r.Schedule}})
		return err
	})
}

// fail keeps a report as failed, and nothing of what it was made from when that was erased.
func (s *Service) fail(ctx context.Context, scope tenant.Scope, r *Report, why error) error {
	now := metadb.Now(s.opt.Now())
	return s.DB.Transact(ctx, func(tx *metadb.Tx) error {
		if _, err := tx.Exec(ctx, queries.Get("finish"), string(scope.Tenant), r.ID, Failed, "", int64(0), metadb.Text(fault.Message(why)), "[]", now); err != nil || !errors.Is(why, errErased) {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("remove"), string(scope.Tenant), r.ID, now); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, queries.Get("forget_input"), string(scope.Tenant), r.InputHash)
		return err
	})
}

var (
	errCanceled = errors.New("canceled")
	errErased   = errors.New("the epoch of the data changed")
)

// stillThere refuses inputs from before an erasure.
func (s *Service) stillThere(ctx context.Context, scope tenant.Scope, in *Inputs) error {
	own := scope.Own()
	if _, err := s.Warehouse.Current(ctx, own); err != nil { // looks for a new epoch
		return err
	}
	if s.Warehouse.Epoch(own) != in.Epoch {
		return fault.Wrapf(fault.Conflict, errErased, "personal data was erased while the report was made: make it again")
	}
	return nil
}

func (s *Service) canceled(n int64) error {
	if n > 0 {
		return nil
	}
	return fault.Wrapf(fault.Canceled, errCanceled, "the report was canceled")
}

// telling keeps how far a report is, twice a second, and stops it when it was canceled.
func (s *Service) telling(ctx context.Context, scope tenant.Scope, r *Report, cancel context.CancelCauseFunc, tell Progress) Progress {
	var last time.Time
	return func(done, of int, what string) {
		if tell != nil {
			tell(done, of, what)
		}
		if time.Since(last) < 500*time.Millisecond {
			return
		}
		last = time.Now()
		if n, err := s.exec(ctx, "progress", string(scope.Tenant), r.ID, done, of, metadb.Text(what)); err == nil && n == 0 {
			cancel(errCanceled)
		}
	}
}

// file writes a report's file under the name of its content.
func (s *Service) file(ctx context.Context, scope tenant.Scope, r *Report, in *Inputs, tell Progress) (path, sum string, size int64, notes []string, err error) {
	d, err := begin(s.path(scope, "draft"))
	if err != nil {
		return "", "", 0, nil, err
	}
	h := sha256.New()
	counted := &counting{w: io.MultiWriter(d, h)}
	if notes, err = s.Write(ctx, scope, in, r.Format, counted, tell); err == nil {
		err = s.stillThere(ctx, scope, in)
	}
	if err != nil {
		d.discard()
		return "", "", 0, nil, err
	}
	sum = hex.EncodeToString(h.Sum(nil))
	path = s.path(scope, sum)
	return path, sum, counted.n, notes, d.keep(path)
}

type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func (s *Service) path(scope tenant.Scope, sum string) string {
	return filepath.Join(s.opt.Dir, string(scope.Tenant), "files", sum)
}

func (s *Service) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.DB.Transact(ctx, func(tx *metadb.Tx) (err error) {
		n, err = tx.Exec(ctx, queries.Get(query), args...)
		return err
	})
	return n, err
}

// inputs returns what a report was made from.
func (s *Service) inputs(ctx context.Context, scope tenant.Scope, r *Report) (*Inputs, error) {
	var body string
	err := s.DB.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("get_input"), []any{string(scope.Tenant), r.InputHash}, &body)
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return nil, fault.Newf(fault.NotFound, "what the report %s was made from is not kept any more: its file was removed, or a person was erased", r.ID)
	}
	if err != nil {
		return nil, err
	}
	in := &Inputs{}
	if err := json.Unmarshal([]byte(body), in); err != nil {
		return nil, fmt.Errorf("inputs of report %s: %w", r.ID, err)
	}
	return in, nil
}

// Cancel stops a report that is not done. Done ones stay.
func (s *Service) Cancel(ctx context.Context, scope tenant.Scope, id string) (*Report, error) {
	r, err := s.get(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	n, err := s.exec(ctx, "finish", string(scope.Tenant), r.ID, Canceled, "", int64(0), "", "[]", metadb.Now(s.opt.Now()))
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fault.Newf(fault.Conflict, "the report is %s already", r.State)
	}
	if cancel, ok := s.running.Load(id); ok {
		cancel.(context.CancelCauseFunc)(errCanceled)
	}
	return s.get(ctx, scope, id)
}

// Open opens a report's file for somebody, and notes that they got it.
func (s *Service) Open(ctx context.Context, scope tenant.Scope, id string) (*Report, *os.File, error) {
	r, err := s.get(ctx, scope, id)
	if err != nil {
		return nil, nil, err
	}
	f, err := s.open(scope, r)
	if err != nil {
		return nil, nil, err
	}
	if err := s.received(ctx, scope, r, string(scope.Actor), "download"); err != nil {
		f.Close()
		return nil, nil, err
	}
	return r, f, nil
}

func (s *Service) open(scope tenant.Scope, r *Report) (*os.File, error) {
	switch {
	case r.RemovedAt != nil:
		return nil, fault.Newf(fault.NotFound, "the file of this report was removed on %s: make it again", r.RemovedAt.Format(time.DateOnly))
	case r.State == Failed:
		return nil, fault.Newf(fault.Conflict, "the report failed: %s", r.Problem)
	case r.State != Done:
		return nil, fault.Newf(fault.Conflict, "the report is %s: wait until it is done", r.State)
	}
	return openFile(s.path(scope, r.SHA256))
}

// openFile opens the file of a report.
func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.Newf(fault.NotFound, "the file of this report is not there any more: make it again")
	case err != nil:
		return nil, fault.Wrapf(fault.Unavailable, err, "the file of this report cannot be read now: look at the disk, and at who may read the folder of reports")
	}
	return f, nil
}

// received notes that somebody got a file.
func (s *Service) received(ctx context.Context, scope tenant.Scope, r *Report, receiver, channel string) error {
	return s.DB.Transact(ctx, func(tx *metadb.Tx) error {
		if _, err := tx.Exec(ctx, queries.Get("insert_receipt"), string(scope.Tenant), r.ID, metadb.Text(receiver), channel, metadb.Now(s.opt.Now()), ""); err != nil {
			return err
		}
		_, err := s.Audit.Append(ctx, scope, tx, audit.Event{Action: "report.receive", Subject: audit.Subject{Kind: "report", ID: r.ID}, Detail: map[string]string{"channel": channel, "sha256": r.SHA256}})
		return err
	})
}

// running maps the reports that this process makes to what stops them.
type running = sync.Map
