// Package dataset knows the canonical tables and brings files into them.
//
// It owns: what a file's columns mean (schema, aliases, mapping), how cells are read,
// which rows are rejected, what is noticed about the others, keys, pseudonyms, and the
// record of imports. It does not own storage and merging (warehouse) or what the numbers
// mean (metric).
//
// A file is copied into the warehouse session's folder, looked at once, and read by the
// engine with SQL made from the schema: no cell passes through Go unless the file is
// irregular. Nouns: an upload is a file as it came; a table is a readable one; a load is
// its import; a record is one row of the file; a finding is something noticed; a reject
// is a record that is not stored, and why.
package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// JobAfterImport is the kind of the follow-up job of an import that changed something.
const JobAfterImport = "refresh_insights"

// Enqueuer takes follow-up work in the import's own transaction.
type Enqueuer interface {
	Enqueue(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind string, args any) error
}

// Service imports files and tells about imports.
type Service struct {
	w    *warehouse.Warehouse
	db   *metadb.DB
	log  *audit.Log
	jobs Enqueuer
	now  func() time.Time

	reviews *review.Queue
	running runner
	reports reports
}

// New returns a service; nil jobs means that no follow-up work is wanted.
func New(w *warehouse.Warehouse, db *metadb.DB, log *audit.Log, jobs Enqueuer, now func() time.Time) *Service {
	return &Service{w: w, db: db, log: log, jobs: jobs, now: now, reviews: review.New(db, log, now)}
}

// ImportRequest says what to import: a file by Path, or a Reader with a Name.
type ImportRequest struct {
	Path         string
	Reader       io.Reader
	Name         string // file name for messages and guessing; default: of Path
	Dataset      string // "" guesses from headers and name
	Mapping      []byte // YAML, see Mapping; may be nil
	SourceSystem string // default: the mapping's, else "csv"
	DryRun       bool   // find out everything, store nothing
	// Replace says that stored rows of the same source that the file does not hold are gone:
	// those of the days it spans (ReplacePeriod) or all of the dataset (ReplaceTable). The
	// default removes nothing. A file with rejected rows may not replace.
	Replace Replace
	// Progress is told how far a phase is: bytes when reading, otherwise rows; total may
	// be 0 when it is not known. It may be nil.
	Progress func(phase string, done, total int64)

	upload string                 // the kept original of the file
	tables map[string]TableChoice // choices for tables of an archive or workbook, by name
	saved  []SavedMapping         // what the tenant keeps for the source
}

// Import reads a file into the warehouse: one result, or one for each table of a zip
// archive, in the order of import. Results are returned also beside an error, which then
// is about another table of the archive. Nothing of a table is stored unless all of it is:
// rows, import record, audit event and follow-up job commit together.
func (s *Service) Import(ctx context.Context, scope tenant.Scope, req ImportRequest) ([]ImportResult, error) {
	if err := scope.Whole("imports"); err != nil {
		return nil, err
	}
	set, err := s.ImportSet(ctx, scope, []ImportRequest{req}, false)
	if err != nil {
		return nil, err
	}
	var results []ImportResult
	var errs []error
	for _, t := range set {
		switch {
		case t.Err == nil:
			results = append(results, t.Result)
		case len(set) == 1:
			return nil, t.Err
		default:
			errs = append(errs, fmt.Errorf("%s: %w", t.Name, t.Err))
		}
	}
	return results, errors.Join(errs...)
}

func (r ImportRequest) report(phase string, done, total int64) {
	if r.Progress != nil {
		r.Progress(phase, done, total)
	}
}

// openTable makes an upload readable and decides its dataset.
func openTable(ctx context.Context, dir string, u upload, m Mapping, req ImportRequest) (*table, Dataset, error) {
	if u.Bytes == 0 {
		return nil, Dataset{}, fault.Newf(fault.Invalid, "%s is empty", u.Name)
	}
	t, err := readTable(ctx, dir, u, m.Dataset, m, func(rows int64) { req.report("reading rows", rows, 0) })
	if err != nil {
		return nil, Dataset{}, err
	}
	if d, ok := Find(m.Dataset); ok {
		return t, d, nil
	}
	if x := savedFor(req.saved, t.Layout.Header, m); x != nil {
		d, _ := Find(x.Dataset)
		return t, d, nil
	}
	d, err := guess(u.Name, t.Layout.Titles, t.Layout.Header, m)
	return t, d, err
}

// prepare takes a load to the point where its rows are staged and everything about them
// is known.
func (l *load) prepare(ctx context.Context) error {
	if l.t.Clean || len(l.m.Corrections) > 0 || l.ours {
		// A clean copy has its own record numbers; its rows are looked at many times.
		if err := l.ensureRaw(ctx); err != nil {
			return err
		}
	}
	if err := l.formFindings(ctx); err != nil {
		return err
	}
	err := l.decide(ctx)
	if l.t.Layout.Regular && !l.t.Clean && (fault.KindOf(err) == fault.Internal || err == nil && l.rows != l.t.Records) {
		// The engine disagrees with our reading of a file that looked regular: read it the careful way.
		if err := l.carefully(ctx); err != nil {
			return err
		}
		err = l.decide(ctx)
	}
	if err != nil {
		return err
	}
	if err := l.check(ctx); err != nil {
		return err
	}
	if l.d.Name == "clients" || l.joinedProducts() {
		if err := l.ensureRaw(ctx); err != nil {
			return err
		}
	}
	if err := l.stage(ctx); err != nil {
		return err
	}
	if err := l.leaveErasedOut(ctx); err != nil {
		return err
	}
	if err := l.resolveDuplicates(ctx); err != nil {
		return err
	}
	if err := l.leaveHistory(ctx); err != nil {
		return err
	}
	return l.addOverlap(ctx)
}

// carefully rewrites a file and starts over with the copy.
func (l *load) carefully(ctx context.Context) error {
	l.finish()
	l.temps, l.rawTable, l.rejected, l.findings = nil, false, false, nil
	l.t.Records = 0
	if err := careful(ctx, l.s.Dir(), fmt.Sprintf("again%d", l.importID), l.t, l.m.Options.asIs(), headerScorer(l.d.Name, l.m), nil); err != nil {
		return err
	}
	l.t.Dialect.describe(l.t)
	l.forgetMarks()
	for _, in := range l.inputs {
		in.value, in.lookup, in.known = "", "", false
	}
	if err := l.ensureRaw(ctx); err != nil {
		return err
	}
	return l.formFindings(ctx)
}

// formFindings reports what was wrong with the file's form.
func (l *load) formFindings(ctx context.Context) error {
	t := l.t
	l.findings = append(l.findings, l.noticed...)
	if t.Records == 0 {
		l.add(Finding{Code: "no_rows", Severity: Warning, Message: "the file has a header line and no rows: nothing was imported", Suggestion: "check the export's filter and period"})
	}
	if t.RaggedN > 0 {
		l.add(Finding{Code: codeRagged, Severity: Warning, Count: t.RaggedN, Records: t.Ragged, Message: plural(t.RaggedN, "row has", "rows have") + " fewer cells than the header; the missing ones are taken as blank"})
	}
	if n := t.Upload.NULs; n > 0 {
		l.add(Finding{Code: "zero_bytes", Severity: Warning, Count: n, Message: plural(n, "zero byte was", "zero bytes were") + " left out of the text: the file may be damaged", Suggestion: "export the file again, or look at the names near it"})
	}
	for _, x := range []struct {
		noted
		code, what, suggestion string
	}{
		{t.Stray, codeStray, " a quote that closes nothing; it was taken as text", "double quotes inside quoted cells"},
		{t.Shifted, "shifted_row", " a blank cell too many; it was left out so that the others fit their columns", "look at these rows"},
		{t.Redone, string(otherDelimiter), " another delimiter than the file", "look at these rows"},
	} {
		if x.N > 0 {
			l.add(Finding{Code: x.code, Severity: Warning, Count: x.N, Records: x.First, Message: plural(x.N, "row has", "rows have") + x.what, Suggestion: x.suggestion})
		}
	}
	if n := t.Layout.Above; n > 0 {
		f := Finding{Code: "lines_above_header", Severity: Info, Count: n, Message: fmt.Sprintf("%s above the header on line %d and %s no part of the table", plural(n, "line stands", "lines stand"), t.Layout.HeaderLine, map[bool]string{true: "is", false: "are"}[n == 1])}
		if rows := t.Layout.AboveRows; rows > 2 {
			f.Severity, f.Suggestion = Warning, fmt.Sprintf("%d of them look like rows: if another line is the header, say which line it is (header_line)", rows)
		}
		l.add(f)
	}
	if n := t.Heads.N; n > 0 {
		l.add(Finding{Code: "repeated_header", Severity: Info, Count: n, Message: fmt.Sprintf("the header stands again %s (first on line %d); it is no row", plural(n, "time", "times"), t.Heads.First[0])})
	}
	if t.Others > 0 {
		l.add(Finding{Code: codeOtherTable, Severity: Warning, Count: t.Others, Message: plural(t.Others, "more table stands", "more tables stand") + " below the first; their lines are rejected", Suggestion: "save each table as a file of its own"})
	}
	if n := t.Upload.Invalid; n > 0 {
		l.add(Finding{Code: "invalid_bytes", Severity: Warning, Count: n, Message: plural(n, "byte is", "bytes are") + " not of the file's encoding and were replaced by \ufffd: the file may be damaged or cut off", Suggestion: "export the file again, or say its encoding (encoding)"})
	}
	l.sheetFindings()
	switch {
	case t.Cut && (t.broken == nil || t.Ragged != nil):
		l.add(Finding{Code: "truncated", Severity: Warning, Count: 1, Records: []int64{t.Records}, Message: "the last line has too few cells and no line end: the file is cut off", Suggestion: "export the file again"})
	case t.Open && t.Records > 0:
		l.add(Finding{Code: "no_final_line_end", Severity: Info, Count: 1, Message: "the last line has no line end: that is how some programs write files, and how a file ends that was cut off in its last cell"})
	}
	if slices.Contains(exportLimits, t.Records) {
		l.add(Finding{Code: "maybe_truncated", Severity: Warning, Count: t.Records, Message: fmt.Sprintf("the file has exactly %d rows, the limit of some exports: it may be cut off", t.Records), Suggestion: "export smaller periods"})
	}
	if t.broken == nil || t.broken.rows == 0 {
		return nil
	}
	if err := l.reject(ctx, fmt.Sprintf(`SELECT record, line, -1, "column", value, code, message, suggestion, source_row FROM %s`,
		readCSV(t.broken.path, ",", 0, 2*t.broken.long, []string{"'record': 'BIGINT'", "'line': 'BIGINT'", "'column': 'VARCHAR'", "'value': 'VARCHAR'", "'code': 'VARCHAR'", "'message': 'VARCHAR'", "'suggestion': 'VARCHAR'", "'source_row': 'VARCHAR'"}))); err != nil {
		return err
	}
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE code = %s", l.name("rejects"), q(codeUnterminated)))
	if err != nil {
		return err
	}
	if n := rows.Rows[0][0].(int64); n > 0 {
		return l.addRows(ctx, Finding{Code: "truncated", Severity: Warning, Count: n, Message: plural(n, "line opens", "lines open") + " a quote that never closes: the file may be cut off or badly quoted"},
			fmt.Sprintf("SELECT record FROM %s WHERE code = %s", l.name("rejects"), q(codeUnterminated)))
	}
	return nil
}

// exportLimits are the rows at which exports of common tools end without a word (domain: 1.4).
var exportLimits = []int64{5000, 10_000, 65_535, 1_048_575}

func statusOf(changed bool, read int64) string {
	switch {
	case read == 0:
		return "empty"
	case changed:
		return "committed"
	}
	return "unchanged"
}

// summary is the result as it is kept: without rejects, which have a table of their own.
func (r ImportResult) summary() (string, error) {
	r.Rejects = nil
	r.Columns = slices.Clone(r.Columns)
	for i := range r.Columns {
		r.Columns[i].Samples = nil
	}
	text, err := json.Marshal(r)
	return string(text), err
}
