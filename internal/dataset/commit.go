package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// prepared is a load of which everything is known and nothing is stored.
type prepared struct {
	l          *load
	r          ImportResult
	upload     string // the kept original, "" when there is none
	staged     []warehouse.Staged
	extra      []warehouse.Staged // people and aliases
	freshExtra bool               // all of extra is new
	early      bool               // the rejects are too many for the commit's transaction
	started    time.Time
}

// assemble finds out all about a load whose rows are staged.
func (s *Service) assemble(ctx context.Context, l *load, req ImportRequest, started time.Time) (*prepared, error) {
	p := &prepared{l: l, started: started, upload: req.upload}
	main, err := l.relation(ctx)
	if err != nil {
		return nil, err
	}
	p.staged = append(p.staged, main)
	if private, ok, err := l.privateRelation(ctx, req.Replace != ""); err != nil {
		return nil, err
	} else if ok {
		p.staged = append(p.staged, private)
	}
	if err := l.replace(ctx, req.Replace, p.staged); err != nil {
		return nil, err
	}
	if p.extra, p.freshExtra, err = l.extras(ctx); err != nil {
		return nil, err
	}
	m, err := l.review(ctx)
	if err != nil {
		return nil, err
	}
	if req.Replace == "" {
		if err := l.overlap(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.rejectFindings(ctx); err != nil {
		return nil, err
	}
	l.doubts()
	l.suggestFixes()
	p.r = ImportResult{File: l.t.Upload.Name, Dataset: l.d.Name, RowsRead: l.t.Records, Dialect: l.dialect(), Columns: l.columns(), Findings: l.findings, Rejects: []Reject{}, ToReview: int64(len(l.found.proposals)), Upload: req.upload}
	r := &p.r
	if l.erasedSeen {
		for i := range r.Columns {
			r.Columns[i].Samples = nil
		}
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	if r.RowsRejected, err = l.countRejects(ctx); err != nil {
		return nil, err
	}
	if lost, err := l.countLost(ctx); err != nil {
		return nil, err
	} else if req.Replace != "" && lost > 0 {
		return nil, fault.Newf(fault.Invalid, "%s of %s cannot be stored, and what they stand for would be deleted: see them with a dry run, correct them, then replace; nothing was changed", plural(lost, "row", "rows"), l.t.Upload.Name)
	}
	twins := l.dropped
	for _, f := range l.findings {
		if f.Code == "possible_duplicates" {
			twins += f.Count
		}
	}
	r.Quality = score(m, r.RowsRead, r.RowsRejected, twins, l.today)
	err = l.listRejects(ctx, 0, maxListed, func(page []Reject) error { r.Rejects = append(r.Rejects, page...); return nil })
	return p, err
}

// commit stores prepared loads of one session in one snapshot: all or none.
func (s *Service) commit(ctx context.Context, scope tenant.Scope, ps ...*prepared) error {
	first := ps[0]
	change := warehouse.Change{Session: first.l.s, Today: first.l.today, Kind: "import", Message: first.l.d.Title + " from " + first.l.t.Upload.Name}
	if len(ps) > 1 {
		change.Message = fmt.Sprintf("%s and %s", first.l.t.Upload.Name, plural(int64(len(ps)-1), "more table", "more tables"))
	}
	forget := func() {
		for _, p := range ps {
			if p.early {
				s.forgetRejects(context.WithoutCancel(ctx), p.l.importID)
			}
		}
	}
	for i, p := range ps {
		p.r.ImportID = p.l.importID
		if p.early = p.r.RowsRejected > rejectBatch; p.early {
			if err := s.keepRejects(ctx, p.l); err != nil {
				forget()
				return err
			}
		}
		for _, st := range append(p.staged, p.extra...) {
			st.Group = i
			change.Staged = append(change.Staged, st)
		}
	}
	change.Within = func(ctx context.Context, tx *metadb.Tx, out warehouse.Outcome) error {
		for i, p := range ps {
			p.count(out, i)
			changed := out.Changed && (len(ps) == 1 || len(p.extra) > 0 || p.r.RowsAdded+p.r.RowsUpdated+p.r.RowsDeleted > 0)
			if err := s.record(ctx, scope, tx, p, changed); err != nil {
				return err
			}
		}
		return nil
	}
	out, err := s.w.Commit(ctx, scope, change)
	if err != nil {
		if !errors.Is(err, metadb.ErrOutcomeUnknown) {
			forget()
		}
		return err
	}
	for i, p := range ps {
		p.count(out, i)
	}
	return nil
}

// count takes the outcome's counts of a group. People and aliases have no record number:
// where the outcome counts them as one more record, it is taken off again.
func (p *prepared) count(out warehouse.Outcome, group int) {
	r, c := &p.r, out.Groups[group]
	r.Snapshot, r.RowsDeleted = out.Snapshot, c.Deleted
	r.RowsAdded, r.RowsUpdated, r.RowsUnchanged = c.Added, c.Updated, c.Unchanged
	if expected := r.RowsRead - r.RowsRejected - p.l.dropped; c.Added+c.Updated+c.Unchanged == expected+1 {
		switch {
		case p.freshExtra && r.RowsAdded > 0:
			r.RowsAdded--
		case r.RowsUpdated > 0:
			r.RowsUpdated--
		default:
			r.RowsUnchanged--
		}
	}
	r.RowsUnchanged += p.l.dropped
}

// record writes the import, its rejects, the audit event and the follow-up job.
func (s *Service) record(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, p *prepared, changed bool) error {
	l, r, now := p.l, p.r, s.now()
	id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
	if err != nil {
		return err
	}
	summary, err := r.summary()
	if err != nil {
		return fmt.Errorf("import record: %w", err)
	}
	if _, err := tx.Exec(ctx, queries.Get("insert_import"), r.ImportID, id, r.Dataset, metadb.Text(r.File), l.t.Upload.SHA256, l.t.Upload.Bytes, metadb.Now(p.started), metadb.Now(now),
		string(scope.Actor), int64(r.Snapshot), statusOf(changed, r.RowsRead), r.RowsRead, r.RowsAdded, r.RowsUpdated, r.RowsUnchanged, r.RowsRejected, r.RowsDeleted, summary); err != nil {
		return fmt.Errorf("import record: %w", err)
	}
	if !p.early {
		if err := insertRejects(ctx, tx, r.ImportID, 1, r.Rejects); err != nil {
			return fmt.Errorf("rejected rows: %w", err)
		}
	}
	if p.upload != "" {
		kept := 1
		if l.erasedSeen {
			kept, now = 0, time.Time{} // the next sweep takes it
		}
		if _, err := tx.Exec(ctx, queries.Get("keep_upload"), string(scope.Tenant), p.upload, metadb.Now(now), kept); err != nil {
			return fmt.Errorf("import record: %w", err)
		}
	}
	detail := map[string]any{"dataset": r.Dataset, "sha256": l.t.Upload.SHA256, "source_system": l.source, "rows_read": r.RowsRead, "rows_added": r.RowsAdded, "rows_updated": r.RowsUpdated, "rows_unchanged": r.RowsUnchanged, "rows_rejected": r.RowsRejected, "rows_deleted": r.RowsDeleted}
	if n := len(l.m.Corrections); n > 0 {
		detail["corrections"] = n
	}
	if _, err := s.log.Append(ctx, scope, tx, audit.Event{Action: "import.commit", Subject: audit.Subject{Kind: "import", ID: fmt.Sprint(r.ImportID)}, Snapshot: int64(r.Snapshot), Detail: detail}); err != nil {
		return err
	}
	if err := errors.Join(s.propose(ctx, scope, tx, l, r.Snapshot), s.proposeFixes(ctx, scope, tx, l, r)); err != nil {
		return err
	}
	if err := s.keepMapping(ctx, scope, tx, l, id, r.Snapshot); err != nil {
		return err
	}
	if s.jobs == nil || !changed {
		return nil
	}
	return s.jobs.Enqueue(ctx, scope, tx, JobAfterImport, map[string]int64{"import_id": r.ImportID, "snapshot": int64(r.Snapshot)})
}

// propose puts what the import is not sure of into the review queue, and takes out of it
// what the import has settled.
func (s *Service) propose(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, l *load, at warehouse.Snapshot) error {
	for _, p := range l.found.proposals {
		p.Snapshot = int64(at)
		if err := s.reviews.Propose(ctx, scope, tx, p); err != nil {
			return err
		}
	}
	for _, a := range l.found.aliases {
		if err := s.reviews.Withdraw(ctx, scope, tx, MatchKind(a.kind), []string{a.key}); err != nil {
			return err
		}
	}
	return nil
}

// columnSQL lists a table's columns over the staged rows.
func (l *load) columnSQL(t warehouse.Table, rowID string) string {
	cols := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		name := warehouse.QuoteIdent(c.Name)
		switch c.Name {
		case ColRowID:
			cols[i] = rowID + " AS row_id"
		case ColSource:
			cols[i] = q(l.source) + " AS source_system"
		case ColImport:
			cols[i] = fmt.Sprintf("%d::BIGINT AS import_id", l.importID)
		case ColAttributes:
			if cols[i] = name; t.Name != l.d.Name {
				cols[i] = "NULL::VARCHAR AS attributes"
			}
		case ColValidTo:
			cols[i] = "NULL::DATE AS valid_to"
		default:
			cols[i] = name
		}
	}
	return strings.Join(cols, ", ")
}

// relation is the staged rows as the dataset's table wants them.
func (l *load) relation(ctx context.Context) (warehouse.Staged, error) {
	replace, err := l.replacedLines(ctx)
	if err != nil {
		return warehouse.Staged{}, err
	}
	name, err := l.create(ctx, "VIEW", "rows", fmt.Sprintf("AS SELECT %s FROM %s", l.columnSQL(l.d.Table(), "row_id"), l.staged()))
	return warehouse.Staged{Table: l.d.Name, Relation: name, Replace: replace, OwnRecords: !l.numbered}, err
}

// privateRelation is the staged rows of the side table, false when the file has no
// private field; always asks for an empty relation then. Entities have one row, of their newest first day.
func (l *load) privateRelation(ctx context.Context, always bool) (warehouse.Staged, bool, error) {
	t, ok := l.d.privateTable()
	any := slices.ContainsFunc(l.d.Fields, func(f Field) bool { return f.Private && l.has(f.Name) })
	if !ok || !any && !always {
		return warehouse.Staged{}, false, nil
	}
	rowID, from := "row_id", l.staged()
	if l.d.Effective {
		rowID = fmt.Sprintf("md5(%s || chr(31) || source_id)::UUID", q(l.source))
		if l.exportColumn(exportKey) != "" { // blank cells of those who never had any
			from += fmt.Sprintf(" WHERE %s IS NOT NULL OR %s IN (SELECT row_id FROM now.%s)", l.anyPrivate(), rowID, t.Name)
		}
		from += " QUALIFY row_number() OVER (PARTITION BY source_id ORDER BY valid_from DESC NULLS LAST) = 1"
	}
	if !any {
		from = "(SELECT * FROM " + from + " LIMIT 0)"
	}
	name, err := l.create(ctx, "VIEW", "private", fmt.Sprintf("AS SELECT %s FROM %s", l.columnSQL(t, rowID), from))
	return warehouse.Staged{Table: t.Name, Relation: name, Beside: true}, true, err
}

// anyPrivate is the SQL of something in the private columns of a row, null when nothing is.
func (l *load) anyPrivate() string {
	parts := []string{"NULL"}
	for _, c := range l.d.Columns(true) {
		parts = append(parts, "CAST("+warehouse.QuoteIdent(c.Name)+" AS VARCHAR)")
	}
	return "coalesce(" + strings.Join(parts, ", ") + ")"
}

// extras are people and aliases that the file brings. fresh says that all are new.
func (l *load) extras(ctx context.Context) (staged []warehouse.Staged, fresh bool, err error) {
	fresh = true
	for _, x := range []struct {
		table string
		make  func(context.Context) (string, error)
	}{{TablePeople, l.people}, {TableAliases, l.aliases}} {
		rel, err := x.make(ctx)
		if err != nil {
			return nil, false, err
		}
		if rel == "" {
			continue
		}
		rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*), count(*) FILTER (row_id IN (SELECT row_id FROM now.%s)) FROM %s", x.table, rel))
		if err != nil {
			return nil, false, err
		}
		if rows.Rows[0][0].(int64) > 0 {
			staged = append(staged, warehouse.Staged{Table: x.table, Relation: rel, Beside: true})
			fresh = fresh && rows.Rows[0][1].(int64) == 0
		}
	}
	return staged, fresh, nil
}
