package warehouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// maxRedo bounds how often a commit merges again because others committed meanwhile.
const maxRedo = 8

// errMoved says that a table the commit merged with has changed since its base.
var errMoved = errors.New("data moved")

// plan is what a commit will make of the catalog: for each changed table its old files
// that end and the new ones that begin.
type plan struct {
	base    *state
	next    *state
	changed map[string]tableChange
	read    map[string]bool // tables whose state the merge depends on
	shows   Snapshot        // the snapshot whose files a rollback shows again, 0 for other plans
	counts  map[int]Counts  // by group
	months  []quantity.Day
	closed  []ClosedMonth // the months that were closed when the plan was checked
}

type tableChange struct {
	ended []dataFile
	added []dataFile
}

// Commit merges the staged rows with the tenant's current data and makes one new
// snapshot, or none when every row is there already. Files are written and made durable
// first; the catalog, the roll-ups' files and what Change.Within writes become visible in
// one transaction. When another commit moved the same tables meanwhile, the merge is done
// again on top of it, one commit of a tenant at a time, so that of many at once each gets its
// turn; after maxRedo times a Conflict fault tells the caller to try later.
// An error that is metadb.ErrOutcomeUnknown may stand for a commit that happened.
func (w *Warehouse) Commit(ctx context.Context, scope tenant.Scope, c Change) (Outcome, error) {
	if err := scope.Check(); err != nil {
		return Outcome{}, err
	}
	for try := range maxRedo {
		if try == 1 {
			place, _ := w.again.LoadOrStore(scope.Tenant, make(chan struct{}, 1))
			select {
			case place.(chan struct{}) <- struct{}{}:
				defer func() { <-place.(chan struct{}) }()
			case <-ctx.Done():
				return Outcome{}, ctx.Err()
			}
		}
		base, err := w.currentState(ctx, scope)
		if err != nil {
			return Outcome{}, err
		}
		if base.epoch != c.Session.base.epoch {
			return Outcome{}, fault.Newf(fault.Conflict, "personal data was removed from the stored files while this was prepared from them: do it again; nothing was changed")
		}
		p, err := c.Session.merge(ctx, base, c)
		if err != nil {
			c.Session.discard(p)
			return Outcome{}, err
		}
		out, err := w.install(ctx, scope, p, c.Kind, c.Message, c.Within)
		if err == nil {
			return out, nil
		}
		if errors.Is(err, metadb.ErrOutcomeUnknown) {
			// The catalog may list the files by now. If it does not, the sweep removes them
			// when their lease is over.
			return Outcome{}, unconfirmed(err)
		}
		c.Session.discard(p)
		if !errors.Is(err, errMoved) {
			return Outcome{}, err
		}
	}
	return Outcome{}, fault.Newf(fault.Conflict, "other imports kept changing the same tables: try again when they are done; nothing was changed")
}

// unconfirmed is the error of a commit whose outcome is not known.
func unconfirmed(err error) error {
	return fault.Wrapf(fault.Unavailable, err, "the control database did not confirm the change, so it may have been stored: look at the snapshots, or do the same again: nothing is doubled by it")
}

// discard removes files of a plan that will not be installed. What it misses the sweep
// finds later.
func (s *Session) discard(p *plan) {
	if p == nil {
		return
	}
	for _, ch := range p.changed {
		for _, f := range ch.added {
			os.Remove(f.path)
		}
	}
}

// merge writes the files of the next state. The plan is returned also on an error, so
// that its files can be discarded.
func (s *Session) merge(ctx context.Context, base *state, c Change) (*plan, error) {
	p := &plan{base: base, next: base, changed: map[string]tableChange{}, read: map[string]bool{}}
	n := tally{}
	touched := map[string][]quantity.Day{}
	for _, st := range c.Staged {
		t, ok := s.w.table(st.Table)
		if !ok {
			return p, fmt.Errorf("commit: no table %q", st.Table)
		}
		start := time.Now()
		months, err := s.mergeTable(ctx, p, t, st, c.Today, n)
		s.w.log.DebugContext(ctx, "table merged", slog.String("table", t.Name), slog.Duration("elapsed", time.Since(start)))
		if err != nil {
			return p, fmt.Errorf("commit %s: %w", st.Table, err)
		}
		touched[st.Table] = append(touched[st.Table], months...)
		p.months = append(p.months, months...)
	}
	p.months = monthsOf(p.months)
	var err error
	if p.counts, err = n.counts(ctx, s); err != nil {
		return p, err
	}
	if len(p.changed) == 0 {
		return p, nil
	}
	return p, s.rebuildRollups(ctx, p, touched)
}

// Preview counts what a commit of the change would do now, without writing anything.
func (s *Session) Preview(ctx context.Context, c Change) (Counts, error) {
	n := tally{}
	for _, st := range c.Staged {
		t, ok := s.w.table(st.Table)
		if !ok {
			return Counts{}, fmt.Errorf("preview: no table %q", st.Table)
		}
		if _, _, err := s.compare(ctx, t, st, s.base.files[st.Table], c.Today, n); err != nil {
			return Counts{}, fmt.Errorf("preview %s: %w", st.Table, err)
		}
	}
	counts, err := n.counts(ctx, s)
	return sum(counts), err
}

// tally is what becomes of the records of a change, by group.
type tally map[int]groupTally

// groupTally is relations whose rows are all new, and status tables (see compare) of the others.
type groupTally struct {
	fresh  []Staged
	status []statusTable
}

// counts counts each group.
func (n tally) counts(ctx context.Context, s *Session) (map[int]Counts, error) {
	out := map[int]Counts{}
	for group, g := range n {
		c, err := g.counts(ctx, s)
		if err != nil {
			return nil, err
		}
		out[group] = c
	}
	return out, nil
}

func sum(groups map[int]Counts) Counts {
	var c Counts
	for _, g := range groups {
		c.Added, c.Updated, c.Unchanged, c.Deleted = c.Added+g.Added, c.Updated+g.Updated, c.Unchanged+g.Unchanged, c.Deleted+g.Deleted
	}
	return c
}

type statusTable struct {
	name   string
	beside bool
}

// counts counts records, not stored rows: one is added when all its rows are, unchanged
// when all are there. Rows without a record number count for nothing.
func (n groupTally) counts(ctx context.Context, s *Session) (Counts, error) {
	var c Counts
	if len(n.status) == 0 {
		main := slices.DeleteFunc(slices.Clone(n.fresh), func(st Staged) bool { return st.Beside })
		if len(main) == 1 && main[0].OwnRecords {
			err := s.one(ctx, "SELECT count(*) FROM "+QuoteIdent(main[0].Relation), &c.Added)
			return c, err
		}
	}
	var parts []string
	for _, st := range n.fresh {
		parts = append(parts, "SELECT record, true AS fresh, false AS same FROM "+QuoteIdent(st.Relation))
	}
	for _, status := range n.status {
		parts = append(parts, "SELECT record, status = 'added' AS fresh, status = 'same' AS same FROM "+status.name+" WHERE status <> 'gone'")
	}
	if len(parts) == 0 {
		return c, nil
	}
	err := s.one(ctx, `SELECT count(*) FILTER (fresh), count(*) FILTER (NOT fresh AND NOT same), count(*) FILTER (same AND NOT fresh)
FROM (SELECT record, bool_and(fresh) AS fresh, bool_and(same) AS same FROM (`+strings.Join(parts, " UNION ALL ")+`) WHERE record IS NOT NULL GROUP BY record)`, &c.Added, &c.Updated, &c.Unchanged)
	for _, status := range n.status {
		var gone int64
		if err == nil && !status.beside {
			err = s.one(ctx, "SELECT count(*) FROM "+status.name+" WHERE status = 'gone'", &gone)
		}
		c.Deleted += gone
	}
	return c, err
}

// mergeTable merges one staged relation, notes what becomes of its records, and returns
// the months whose rows changed.
func (s *Session) mergeTable(ctx context.Context, p *plan, t Table, st Staged, today quantity.Day, n tally) ([]quantity.Day, error) {
	p.read[t.Name] = true
	current := p.next.files[t.Name]
	rel, status, err := s.compare(ctx, t, st, current, today, n)
	if err != nil {
		return nil, err
	}
	if status == "" {
		return s.replaceParts(ctx, p, t, nil, nil, fmt.Sprintf("SELECT %s FROM %s", columnList(t, ""), rel))
	}
	var moving int64
	if err := s.one(ctx, "SELECT count(*) FROM "+status+" WHERE status <> 'same'", &moving); err != nil || moving == 0 {
		return nil, err
	}
	months, err := s.changedMonths(ctx, t, status)
	if err != nil {
		return nil, err
	}
	in, kept := inParts(current, partsOf(t, months))
	sel := fmt.Sprintf("SELECT %s FROM (%s) c WHERE NOT EXISTS (SELECT 1 FROM %s x WHERE x.row_id = c.row_id AND x.status IN ('updated', 'gone'))\nUNION ALL\nSELECT %s FROM %s r WHERE EXISTS (SELECT 1 FROM %s x WHERE x.row_id = r.row_id AND x.status IN ('added', 'updated'))",
		columnList(t, "c"), s.w.relation(t, in), status, columnList(t, "r"), rel, status)
	if _, err := s.replaceParts(ctx, p, t, in, kept, sel); err != nil {
		return nil, err
	}
	return months, nil
}

// compare returns the staged relation as it is to be stored, and a table (row_id, record,
// status, month, old_month) of what each of its rows means for the current ones: added,
// updated, same; and gone for current rows that the replace condition removes. A row that
// begins a new period of a known entity updates it. There is no status table when the
// stored table is empty: every row is added then.
func (s *Session) compare(ctx context.Context, t Table, st Staged, current []dataFile, today quantity.Day, n tally) (rel, status string, err error) {
	rel = QuoteIdent(st.Relation)
	g := n[st.Group]
	defer func() { n[st.Group] = g }()
	if t.Effective && !st.Exact {
		name, err := s.resolveEffective(ctx, t, rel, current, today)
		if err != nil {
			return "", "", err
		}
		st.Relation, rel = name, QuoteIdent(name)
	}
	if len(current) == 0 {
		g.fresh = append(g.fresh, st)
		return rel, "", nil
	}
	status, err = s.statusOf(ctx, t, rel, st.Replace, current)
	g.status = append(g.status, statusTable{status, st.Beside})
	return rel, status, err
}

func (s *Session) statusOf(ctx context.Context, t Table, rel, replace string, current []dataFile) (string, error) {
	month, oldMonth := "NULL::DATE", "NULL::DATE"
	if t.Month != "" {
		month = fmt.Sprintf("date_trunc('month', r.%s)::DATE", QuoteIdent(t.Month))
		oldMonth = fmt.Sprintf("date_trunc('month', c.%s)::DATE", QuoteIdent(t.Month))
	}
	// Rows keyed by their content (no source_id) are the same when their key is there, so
	// only rows with an id need their columns compared, and only those can have moved month.
	var keyed int64
	if err := s.one(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE source_id IS NOT NULL", rel), &keyed); err != nil {
		return "", err
	}
	files := current
	same := "true"
	if keyed > 0 {
		same = sameRow(t, "c", "r")
	} else if t.Month != "" && replace == "" {
		counts, err := s.monthRows(ctx, "SELECT * FROM "+rel, t.Month)
		if err != nil {
			return "", err
		}
		var months []quantity.Day
		for m := range counts {
			months = append(months, m)
		}
		files, _ = inParts(current, partsOf(t, months))
	}
	name, fresh, known := s.table("status"), "'added'", ""
	if t.Effective {
		fresh = "CASE WHEN e.source_id IS NULL THEN 'added' ELSE 'updated' END"
		known = fmt.Sprintf(" LEFT JOIN (SELECT DISTINCT source_system, source_id FROM (%s)) e ON e.source_system IS NOT DISTINCT FROM r.source_system AND e.source_id = r.source_id", s.w.relation(t, files))
	}
	err := s.Exec(ctx, fmt.Sprintf(`CREATE TABLE %s AS
SELECT r.row_id, r.record, CASE WHEN c.row_id IS NULL THEN %s WHEN %s THEN 'same' ELSE 'updated' END AS status, %s AS month, %s AS old_month
FROM %s r LEFT JOIN (%s) c ON c.row_id = r.row_id%s`, name, fresh, same, month, oldMonth, rel, s.w.relation(t, files), known))
	if err != nil || replace == "" {
		return name, err
	}
	return name, s.Exec(ctx, fmt.Sprintf(`INSERT INTO %s SELECT c.row_id, c.record, 'gone', NULL, %s FROM (%s) c
WHERE (%s) AND NOT EXISTS (SELECT 1 FROM %s r WHERE r.row_id = c.row_id)`, name, oldMonth, s.w.relation(t, current), replace, rel))
}

// sameRow is the condition that two rows agree in every column but the provenance.
func sameRow(t Table, a, b string) string {
	var parts []string
	for _, c := range t.Columns {
		if c.Name == "row_id" || slices.Contains(t.Provenance, c.Name) {
			continue
		}
		n := QuoteIdent(c.Name)
		parts = append(parts, fmt.Sprintf("%s.%s IS NOT DISTINCT FROM %s.%s", a, n, b, n))
	}
	if len(parts) == 0 {
		return "true"
	}
	return strings.Join(parts, " AND ")
}

// resolveEffective gives staged rows of an effective-dated table their first day and
// their key: without a day, a row equal to the entity's newest one keeps its day, a
// differing one begins today, and the first of an entity holds since ever.
func (s *Session) resolveEffective(ctx context.Context, t Table, rel string, current []dataFile, today quantity.Day) (string, error) {
	undated := t
	undated.Provenance = append(slices.Clone(t.Provenance), "valid_from", "valid_to")
	var columns []string
	for _, c := range t.Columns {
		switch n := QuoteIdent(c.Name); c.Name {
		case "row_id":
			columns = append(columns, "md5(concat_ws(chr(31), source_system, source_id, coalesce(valid_from::VARCHAR, '')))::UUID AS row_id")
		default:
			columns = append(columns, n)
		}
	}
	name := s.table("effective")
	err := s.Exec(ctx, fmt.Sprintf(`CREATE TABLE %s AS WITH latest AS (
  SELECT * FROM (%s) QUALIFY row_number() OVER (PARTITION BY source_system, source_id ORDER BY valid_from DESC NULLS LAST) = 1),
dated AS (SELECT r.* REPLACE (CASE WHEN r.valid_from IS NOT NULL OR l.source_id IS NULL THEN r.valid_from WHEN %s THEN l.valid_from ELSE DATE %s END AS valid_from)
  FROM %s r LEFT JOIN latest l ON l.source_system IS NOT DISTINCT FROM r.source_system AND l.source_id = r.source_id)
SELECT %s FROM dated`, name, s.w.relation(t, current), sameRow(undated, "l", "r"), QuoteText(today.String()), rel, strings.Join(columns, ", ")))
	return name, err
}

// changedMonths returns the months that lose or gain rows; none for undated tables.
func (s *Session) changedMonths(ctx context.Context, t Table, status string) ([]quantity.Day, error) {
	if t.Month == "" {
		return nil, nil
	}
	counts, err := s.monthRows(ctx, fmt.Sprintf("SELECT unnest([month, old_month]) AS m FROM %s WHERE status <> 'same'", status), "m")
	if err != nil {
		return nil, err
	}
	var months []quantity.Day
	for m := range counts {
		if !m.IsZero() {
			months = append(months, m)
		}
	}
	return monthsOf(months), nil
}

// partsOf returns the parts that can hold rows of the months: each month's own, its
// year's, and rows without a date.
func partsOf(t Table, months []quantity.Day) map[string]bool {
	if t.Month == "" {
		return map[string]bool{partAll: true}
	}
	parts := map[string]bool{partUndated: true}
	for _, m := range months {
		if m.IsZero() {
			continue
		}
		parts[monthPart(m)] = true
		parts[yearPart(m)] = true
	}
	return parts
}

// replaceParts writes the SELECT's rows and plans them in place of the files that end.
// It returns the months of the rows written.
func (s *Session) replaceParts(ctx context.Context, p *plan, t Table, ended, kept []dataFile, sel string) ([]quantity.Day, error) {
	added, months, err := s.writeTable(ctx, t, sel)
	ch := p.changed[t.Name]
	// A table may be written twice in one commit; files of the first time just vanish.
	for _, f := range ended {
		if i := slices.IndexFunc(ch.added, func(a dataFile) bool { return a.path == f.path }); i >= 0 {
			os.Remove(f.path)
			ch.added = slices.Delete(ch.added, i, i+1)
			continue
		}
		ch.ended = append(ch.ended, f)
	}
	ch.added = append(ch.added, added...)
	if len(ch.added)+len(ch.ended) > 0 {
		p.changed[t.Name] = ch
	}
	if err != nil {
		return nil, err
	}
	p.next = p.next.with(t.Name, slices.Concat(kept, added))
	return months, nil
}

func columnList(t Table, alias string) string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = QuoteIdent(c.Name)
		if alias != "" {
			names[i] = alias + "." + names[i]
		}
	}
	return strings.Join(names, ", ")
}

func dayList(days []quantity.Day) string {
	list := make([]string, len(days))
	for i, d := range days {
		list[i] = "DATE " + QuoteText(d.String())
	}
	return strings.Join(list, ", ")
}

// install makes a plan the newest snapshot, in one transaction with what within writes.
func (w *Warehouse) install(ctx context.Context, scope tenant.Scope, p *plan, kind, message string, within func(context.Context, *metadb.Tx, Outcome) error) (Outcome, error) {
	var out Outcome
	if len(p.changed) > 0 {
		if err := w.guardClosed(ctx, scope, p); err != nil {
			return out, err
		}
	}
	err := w.db.Transact(ctx, func(tx *metadb.Tx) error {
		out = Outcome{Snapshot: p.base.snapshot, Counts: sum(p.counts), Groups: p.counts, Months: p.months}
		if len(p.changed) > 0 {
			for _, ch := range p.changed {
				for _, f := range ch.added {
					out.Bytes += f.bytes
				}
			}
			snap, err := w.writeCatalog(ctx, tx, scope, p, kind, message)
			if err != nil {
				return err
			}
			out.Snapshot, out.Changed = snap, true
		}
		if within == nil {
			return nil
		}
		return within(ctx, tx, out)
	})
	return out, err
}
