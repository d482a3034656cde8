package dataset

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// TableChoice says how one table is to be read.
type TableChoice struct {
	Mapping Mapping `json:"mapping,omitzero"`
	Replace Replace `json:"replace,omitempty"`
	Skip    bool    `json:"skip,omitempty"` // leave the table out
}

// SetResult is what became of one table of a set of files.
type SetResult struct {
	Request int    // index of the file in the requests
	Name    string // of the file, or of the table in it
	Dataset string // what it was taken for, "" when that is not known
	Result  ImportResult
	Err     error       // the table is not stored, and why
	Header  []string    // the table's columns, when it could be read that far
	Columns []ColumnUse // what they were taken for, when that is known
	Sample  [][]string  // its first rows as they stand, when Err is set
}

// setTable is a table on its way.
type setTable struct {
	SetResult
	req     ImportRequest
	m       Mapping
	t       *table
	d       Dataset
	started time.Time
}

// ImportSet imports several files in the order in which they build on each other: clients
// and staff before what names them. Results are in the order of the requests, an archive's
// tables in the order of import. Together makes it all or nothing: one snapshot, or none
// when a table cannot be read, or a row cannot be stored that nobody asked to leave out.
// A dry run looks at every file as if those before it were stored. The error is about the
// whole; what is wrong with one file is in its result.
func (s *Service) ImportSet(ctx context.Context, scope tenant.Scope, reqs []ImportRequest, together bool) ([]SetResult, error) {
	if err := scope.Whole("imports"); err != nil {
		return nil, err
	}
	if err := scope.Check(); err != nil {
		return nil, err
	}
	files, err := s.w.NewSession(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	defer files.Close()
	var set []*setTable
	for i, req := range reqs {
		tables, err := s.openFile(ctx, scope, files, i, req)
		if err != nil {
			tables = []*setTable{{SetResult: SetResult{Request: i, Name: req.name(), Err: err}, req: req}}
		}
		set = append(set, tables...)
	}
	slices.SortStableFunc(set, func(a, b *setTable) int {
		return cmp.Compare(slices.Index(Names(), a.d.Name), slices.Index(Names(), b.d.Name))
	})
	dry := slices.ContainsFunc(reqs, func(r ImportRequest) bool { return r.DryRun })
	if dry || together {
		err = s.importAsOne(ctx, scope, files, set, dry)
	} else {
		s.importEach(ctx, scope, set)
	}
	slices.SortStableFunc(set, func(a, b *setTable) int { return cmp.Compare(a.Request, b.Request) })
	out := make([]SetResult, len(set))
	for i, t := range set {
		if t.Dataset = t.d.Name; t.Err != nil && t.t != nil && ctx.Err() == nil {
			t.Sample = t.sample(ctx, files)
		}
		out[i] = t.SetResult
	}
	return out, err
}

// sampleRows is how many rows of a table that cannot be imported are shown.
const sampleRows = 5

// sample reads the first rows as they stand; none when that fails too.
func (t *setTable) sample(ctx context.Context, session *warehouse.Session) [][]string {
	cells := make([]string, len(t.Header))
	for i := range cells {
		cells[i] = fmt.Sprintf("coalesce(c%d, '')", i)
	}
	var out [][]string
	_ = session.Each(ctx, fmt.Sprintf("SELECT [%s] FROM %s LIMIT %d", strings.Join(cells, ", "), (&load{t: t.t}).csvSQL(), sampleRows), func(row []any) error {
		var cells []string
		for _, c := range list(row[0]) {
			cells = append(cells, cutText(text(c), 200))
		}
		out = append(out, cells)
		return nil
	})
	return out
}

func (r ImportRequest) name() string { return cmp.Or(r.Name, filepath.Base(r.Path)) }

// mapping is what the request says about how to read a table of that name.
func (r ImportRequest) mapping(table string) (Mapping, error) {
	m, err := ParseMapping(r.Mapping)
	if err != nil {
		return m, err
	}
	if c, ok := r.tables[table]; ok {
		m = c.Mapping
	}
	if r.Dataset != "" {
		if _, ok := Find(r.Dataset); !ok {
			return m, fault.WithFields("there is no dataset "+r.Dataset, fault.Field{Path: "dataset", Message: "unknown", Allowed: Names()})
		}
		m.Dataset = r.Dataset
	}
	m.Options.SourceSystem = cmp.Or(r.SourceSystem, m.Options.SourceSystem, "csv")
	return m, m.check()
}

// openFile copies a file into the session's folder and opens its tables.
func (s *Service) openFile(ctx context.Context, scope tenant.Scope, files *warehouse.Session, index int, req ImportRequest) ([]*setTable, error) {
	if err := req.Replace.check(); err != nil {
		return nil, err
	}
	m, err := req.mapping("")
	if err != nil {
		return nil, err
	}
	in, total, err := req.content()
	if err != nil {
		return nil, err
	}
	if c, ok := in.(io.Closer); ok && req.Reader == nil {
		defer c.Close()
	}
	if req.saved, err = s.savedOf(ctx, scope, m.Options.SourceSystem); err != nil {
		return nil, err
	}
	dir := filepath.Join(files.Dir(), fmt.Sprintf("file%d", index))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, diskFault(err)
	}
	c := &copier{dir: dir, engine: files, encoding: m.Options.Encoding, progress: func(done int64) { req.report("reading", done, total) }}
	uploads, err := c.open(ctx, req.name(), in)
	if err != nil {
		return nil, err
	}
	var out []*setTable
	for _, u := range uploads {
		if req.tables[u.Name].Skip {
			continue
		}
		t := &setTable{SetResult: SetResult{Request: index, Name: u.Name}, req: req, started: s.now()}
		if c, ok := req.tables[u.Name]; ok {
			t.req.Replace = c.Replace
		}
		if t.m, t.Err = req.mapping(u.Name); t.Err == nil {
			t.t, t.d, t.Err = openTable(ctx, dir, u, t.m, req)
		}
		if t.t != nil {
			t.Header = t.t.Layout.Header
		}
		out = append(out, t)
	}
	return out, nil
}

// content opens what is to be imported; the size is 0 when it is not known.
func (r ImportRequest) content() (io.Reader, int64, error) {
	if r.Reader != nil {
		return r.Reader, 0, nil
	}
	f, err := os.Open(r.Path)
	if err != nil {
		return nil, 0, fault.Wrapf(fault.Invalid, err, "the file %s cannot be opened: check its name and permissions", r.Path)
	}
	st, err := f.Stat()
	switch {
	case err != nil:
		f.Close()
		return nil, 0, diskFault(err)
	case st.IsDir():
		f.Close()
		return nil, 0, fault.Newf(fault.Invalid, "%s is a folder: name the files in it", r.Path)
	}
	return f, st.Size(), nil
}

// importEach stores each table in a snapshot of its own; one that fails does not keep the
// others from being stored.
func (s *Service) importEach(ctx context.Context, scope tenant.Scope, set []*setTable) {
	for _, t := range set {
		if t.Err != nil {
			continue
		}
		session, err := s.w.NewSession(ctx, scope)
		if err != nil {
			t.Err = fmt.Errorf("import: %w", err)
			continue
		}
		t.Err = s.importOne(ctx, scope, session, t)
		session.Close()
	}
}

func (s *Service) importOne(ctx context.Context, scope tenant.Scope, session *warehouse.Session, t *setTable) error {
	p, err := s.prepare(ctx, scope, session, t)
	if err != nil {
		return err
	}
	defer p.l.finish()
	t.req.report("storing", 0, t.t.Records)
	if err := s.commit(ctx, scope, p); err != nil {
		return fmt.Errorf("import %s: %w", t.Name, err)
	}
	t.Result = p.r
	t.req.report("storing", t.t.Records, t.t.Records)
	return nil
}

// importAsOne prepares all tables in one session, each seeing those before it, and stores
// them in one snapshot unless it is a dry run or something is wrong with one of them.
func (s *Service) importAsOne(ctx context.Context, scope tenant.Scope, session *warehouse.Session, set []*setTable, dry bool) error {
	var ready []*prepared
	var loads []*load
	var of []*setTable
	defer func() {
		for _, l := range loads {
			l.finish()
		}
	}()
	wrong := 0
	for i, t := range set {
		if t.Err == nil {
			p, err := s.prepare(ctx, scope, session, t)
			if err == nil {
				loads, ready, of = append(loads, p.l), append(ready, p), append(of, t)
				if dry { // before the table's own rows are among those that count as stored
					err = s.dryRun(ctx, scope, p)
					t.Result = p.r
				}
				if err == nil && i+1 < len(set) {
					err = p.show(ctx)
				}
			}
			t.Err = err
		}
		if t.Err != nil {
			wrong++
		}
	}
	if dry {
		return nil
	}
	for i, p := range ready {
		lost, err := p.l.countLost(ctx)
		if err != nil {
			return err
		}
		if lost > 0 {
			of[i].Err = fault.Newf(fault.Invalid, "%s cannot be stored: correct them or leave them out", plural(lost, "row", "rows"))
			wrong++
		}
		of[i].Result = p.r
	}
	if wrong > 0 {
		for _, t := range set {
			if t.Err == nil {
				t.Err = fault.Newf(fault.Conflict, "not stored, as another file cannot be and all or nothing was asked for")
			}
		}
		return nil
	}
	if len(ready) == 0 {
		return nil
	}
	if err := s.commit(ctx, scope, ready...); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	for i, p := range ready {
		of[i].Result = p.r
	}
	return nil
}

// show makes the load's rows part of what the session's next loads take for stored.
func (p *prepared) show(ctx context.Context) error {
	for _, st := range append(slices.Clone(p.staged), p.extra...) {
		if err := p.l.s.Overlay(ctx, st.Table, st.Relation); err != nil {
			return err
		}
	}
	return nil
}

// prepare takes a table to the point where all is known about it and nothing stored. The
// caller finishes the load.
func (s *Service) prepare(ctx context.Context, scope tenant.Scope, session *warehouse.Session, t *setTable) (*prepared, error) {
	m := t.m
	m.Dataset = t.d.Name
	if err := m.check(); err != nil {
		return nil, err
	}
	l := &load{d: t.d, t: t.t, m: m, told: m, s: session, source: m.Options.SourceSystem}
	l.useSaved(t.req.saved)
	l.leaveReasonsOut()
	bound, err := l.recognize(ctx)
	if err != nil {
		if bound != nil && l.bind(bound) == nil {
			t.Columns = l.columns()
		}
		return nil, err
	}
	if l.today, err = s.today(ctx, scope); err != nil {
		return nil, err
	}
	if l.salt, err = s.salt(ctx, scope); err != nil {
		return nil, err
	}
	if l.suppressed, err = s.Suppressed(ctx, scope); err != nil {
		return nil, err
	}
	if l.importID, err = s.db.NextID(ctx, "import"); err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	if l.before, err = s.importsOf(ctx, scope, t.t.Upload.SHA256); err != nil {
		return nil, err
	}
	if err := l.bind(bound); err != nil {
		return nil, err
	}
	t.Columns = l.columns()
	t.req.report("checking", 0, t.t.Records)
	err = l.prepare(ctx)
	var p *prepared
	if err == nil {
		p, err = s.assemble(ctx, l, t.req, t.started)
	}
	if err != nil {
		l.finish()
		return nil, fmt.Errorf("import %s: %w", t.Name, err)
	}
	if l.told.says() {
		p.r.Applied = &l.told
	}
	return p, nil
}
