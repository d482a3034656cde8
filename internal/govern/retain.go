package govern

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Due is what a rule would delete now, and what stays although it is old enough.
type Due struct {
	Rule
	Cutoff quantity.Day   `json:"cutoff"`     // the first day that is kept
	Rows   int64          `json:"rows"`       // rows, or files of uploads and reports, that would go
	Of     []quantity.Day `json:"months_due"` // the first and last month of them
	Held   int64          `json:"held"`       // kept by a legal hold
	Closed int64          `json:"closed"`     // kept since their month is closed
	Holds  []Hold         `json:"holds"`      // the holds that keep them
}

// Preview says what a run would delete now, by rule.
func (s *Service) Preview(ctx context.Context, scope tenant.Scope) ([]Due, error) {
	if err := scope.Whole("rules of retention"); err != nil {
		return nil, err
	}
	r, err := s.due(ctx, scope)
	if err != nil {
		return nil, err
	}
	defer r.session.Close()
	return r.list, nil
}

// run is a look at what is due. Its session has, for each rule over rows, the table
// due_<what>_<dataset> of their keys.
type run struct {
	session *warehouse.Session
	today   quantity.Day
	list    []Due
}

func dueTable(r Rule) string { return "due_" + string(r.What) + "_" + r.Dataset }

func (s *Service) due(ctx context.Context, scope tenant.Scope) (*run, error) {
	rules, err := s.Rules(ctx, scope)
	if err != nil {
		return nil, err
	}
	holds, err := s.standing(ctx, scope)
	if err != nil {
		return nil, err
	}
	var people []Person
	for _, h := range holds {
		if h.Kind == HoldPerson && people == nil {
			if people, err = s.people(ctx, scope); err != nil {
				return nil, err
			}
		}
	}
	closed, err := s.w.ClosedMonths(ctx, scope)
	if err != nil {
		return nil, err
	}
	session, err := s.w.NewSession(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := &run{session: session, today: quantity.DayOf(s.opt.Now().UTC())}
	if err := session.ViewEver(ctx, "ever"); err != nil {
		session.Close()
		return nil, err
	}
	for _, r := range rules {
		d := Due{Rule: r, Cutoff: r.Cutoff(out.today), Of: []quantity.Day{}, Holds: []Hold{}}
		if r.Months > 0 {
			switch r.What {
			case Rows, Private:
				err = s.dueRows(ctx, session, &d, holds, people, closed)
			case Uploads:
				d.Rows, err = s.data.OldOriginals(ctx, scope, d.Cutoff.Time())
				if len(holds) > 0 {
					d.Held, d.Rows, d.Holds = d.Rows, 0, holds
				}
			case Rejects:
				d.Rows, err = s.data.OldRejects(ctx, scope, d.Cutoff.Time())
				if len(holds) > 0 {
					d.Held, d.Rows, d.Holds = d.Rows, 0, holds
				}
			case ReportFiles:
				err = s.dueFiles(ctx, scope, &d, holds)
			}
		}
		if err != nil {
			session.Close()
			return nil, fmt.Errorf("retention of %s: %w", ruleID(r.Dataset, r.What), err)
		}
		out.list = append(out.list, d)
	}
	return out, nil
}

// dueRows finds the rows that a rule over rows is about. Private columns are looked for in
// all kept snapshots, rows in the current one.
func (s *Service) dueRows(ctx context.Context, session *warehouse.Session, d *Due, holds []Hold, people []Person, closed []warehouse.ClosedMonth) error {
	ds, _ := dataset.Find(d.Dataset)
	day := warehouse.QuoteIdent(ds.Month)
	from := "now." + ds.Name + " r"
	closedMonth := "false"
	if d.What == Private {
		var filled []string
		for _, c := range ds.Columns(true) {
			filled = append(filled, warehouse.QuoteIdent(c.Name)+" IS NOT NULL")
		}
		from = fmt.Sprintf("(SELECT * FROM ever.%s m WHERE m.row_id IN (SELECT row_id FROM ever.%s WHERE %s)) r", ds.Name, dataset.PrivateTable(ds.Name), strings.Join(filled, " OR "))
	} else if len(closed) > 0 { // without the private columns the amounts of a closed month stay as they are
		var months []string
		for _, c := range closed {
			months = append(months, "DATE "+warehouse.QuoteText(c.Month.String()))
		}
		closedMonth = fmt.Sprintf("date_trunc('month', r.%s) IN (%s)", day, strings.Join(months, ", "))
	}
	held := []string{"false"}
	var of []Hold
	for _, h := range holds {
		if cond := h.covers(ds, "r", people); cond != "" {
			held = append(held, cond)
			of = append(of, h)
		}
	}
	name := dueTable(d.Rule)
	if err := session.Exec(ctx, fmt.Sprintf("CREATE TABLE %s AS SELECT r.row_id, max(r.%[2]s) AS day, bool_or(%[3]s) AS held, bool_or(%[4]s) AS closed FROM %[5]s WHERE r.%[2]s < DATE %[6]s GROUP BY 1",
		name, day, strings.Join(held, " OR "), closedMonth, from, warehouse.QuoteText(d.Cutoff.String()))); err != nil {
		return err
	}
	rows, err := session.Query(ctx, "SELECT count(*) FILTER (NOT held AND NOT closed), min(date_trunc('month', day)) FILTER (NOT held AND NOT closed), max(date_trunc('month', day)) FILTER (NOT held AND NOT closed), count(*) FILTER (held), count(*) FILTER (closed AND NOT held) FROM "+name)
	if err != nil {
		return err
	}
	row := rows.Rows[0]
	d.Rows, d.Held, d.Closed = row[0].(int64), row[3].(int64), row[4].(int64)
	for _, v := range row[1:3] {
		if t, ok := v.(time.Time); ok {
			d.Of = append(d.Of, quantity.DayOf(t))
		}
	}
	if d.Held > 0 {
		d.Holds = of
	}
	return session.Exec(ctx, "DELETE FROM "+name+" WHERE held OR closed")
}

// dueFiles finds the files of reports that a rule is about. A report may show anything, so that
// any hold keeps all of them.
func (s *Service) dueFiles(ctx context.Context, scope tenant.Scope, d *Due, holds []Hold) error {
	old, err := s.opt.Reports.Older(ctx, scope, d.Cutoff.Time())
	if err != nil || len(old) == 0 {
		return err
	}
	if len(holds) > 0 {
		d.Held, d.Holds = int64(len(old)), holds
		return nil
	}
	d.Rows = int64(len(old))
	d.Of = []quantity.Day{quantity.DayOf(old[0]).Month(), quantity.DayOf(old[len(old)-1]).Month()}
	return nil
}

// Applied is what a retention run did.
type Applied struct {
	Due      []Due              `json:"due"`      // what was deleted, by rule; rules without are left out
	Snapshot warehouse.Snapshot `json:"snapshot"` // the current one afterwards
	Expired  int                `json:"expired"`  // snapshots that were forgotten
}

// Apply deletes what is due: rows in one new snapshot, private columns in all kept
// snapshots, files and rejected rows. Closed months and legal holds are respected. It may be
// called again at any time: what was done is not due any more.
func (s *Service) Apply(ctx context.Context, scope tenant.Scope) (Applied, error) {
	if err := scope.Whole("rules of retention"); err != nil {
		return Applied{}, err
	}
	out := Applied{Due: []Due{}}
	r, err := s.due(ctx, scope)
	if err != nil {
		return out, err
	}
	defer r.session.Close()
	for _, d := range r.list {
		if d.Rows > 0 {
			out.Due = append(out.Due, d)
		}
	}
	if err := s.deleteRows(ctx, scope, r.session, out.Due); err != nil {
		return out, err
	}
	if err := s.deletePrivate(ctx, scope, out.Due); err != nil {
		return out, err
	}
	if err := s.SweepUploads(ctx, scope); err != nil {
		return out, err
	}
	for _, d := range out.Due {
		if d.What == Rejects {
			if err := s.deleteRejects(ctx, scope, d); err != nil {
				return out, err
			}
		}
	}
	for _, d := range out.Due {
		if d.What == ReportFiles {
			if err := s.deleteFiles(ctx, scope, d); err != nil {
				return out, err
			}
		}
	}
	// Last, since a snapshot is kept as long as a file that was made from it.
	if out.Expired, err = s.Expire(ctx, scope); err != nil {
		return out, err
	}
	if out.Snapshot, err = s.w.Current(ctx, scope); err != nil {
		return out, err
	}
	s.opt.Log.InfoContext(ctx, "retention applied", slog.Int("rules", len(out.Due)), slog.Int("expired", out.Expired))
	return out, nil
}

// Expire forgets old snapshots but those that a question or decision rests on, and returns how
// many; none while anything is held.
func (s *Service) Expire(ctx context.Context, scope tenant.Scope) (int, error) {
	held, err := s.Held(ctx, scope)
	if err != nil || held {
		return 0, err
	}
	var pinned map[warehouse.Snapshot]bool
	if s.opt.Pinned != nil {
		if pinned, err = s.opt.Pinned(ctx, scope); err != nil {
			return 0, err
		}
	}
	return s.w.Expire(ctx, scope, warehouse.Retention{}, pinned)
}

// SweepUploads removes files that no import used, and originals that are older than their
// rule says; a hold keeps the originals.
func (s *Service) SweepUploads(ctx context.Context, scope tenant.Scope) error {
	rules, err := s.Rules(ctx, scope)
	if err != nil {
		return err
	}
	held, err := s.Held(ctx, scope)
	if err != nil {
		return err
	}
	rule, _ := find(rules, "", Uploads)
	_, err = s.data.SweepKept(ctx, scope, dataset.Kept{Originals: rule.Cutoff(quantity.DayOf(s.opt.Now().UTC())).Time(), Hold: held})
	return err
}

// detail is what the audit record keeps of deletions.
func detail(due []Due, what What) []map[string]any {
	out := []map[string]any{}
	for _, d := range due {
		if d.What == what {
			out = append(out, map[string]any{"dataset": d.Dataset, "before": d.Cutoff, "rows": d.Rows})
		}
	}
	return out
}

// deleteRows removes rows, with their private columns, in one snapshot.
func (s *Service) deleteRows(ctx context.Context, scope tenant.Scope, session *warehouse.Session, due []Due) error {
	change := warehouse.Change{Session: session, Kind: "retention", Message: "Rows older than their retention"}
	for _, d := range due {
		if d.What != Rows {
			continue
		}
		tables := []string{d.Dataset}
		if ds, _ := dataset.Find(d.Dataset); len(ds.Columns(true)) > 0 {
			tables = append(tables, dataset.PrivateTable(d.Dataset))
		}
		for i, table := range tables {
			none := "none_" + table
			if err := session.Exec(ctx, fmt.Sprintf("CREATE TABLE %s AS SELECT * FROM now.%s LIMIT 0", none, table)); err != nil {
				return err
			}
			change.Staged = append(change.Staged, warehouse.Staged{Table: table, Relation: none, Replace: "row_id IN (SELECT row_id FROM " + dueTable(d.Rule) + ")", Beside: i > 0})
		}
	}
	if change.Staged == nil {
		return nil
	}
	change.Within = func(ctx context.Context, tx *metadb.Tx, out warehouse.Outcome) error {
		return s.append(ctx, scope, tx, "retention.rows", "retention", "rows", int64(out.Snapshot), map[string]any{"deleted": detail(due, Rows)})
	}
	_, err := s.w.Commit(ctx, scope, change)
	return err
}

// deletePrivate empties private columns in all kept snapshots.
func (s *Service) deletePrivate(ctx context.Context, scope tenant.Scope, due []Due) error {
	if len(detail(due, Private)) == 0 {
		return nil
	}
	r, err := s.due(ctx, scope) // in a session of its own: rows may be gone since
	if err != nil {
		return err
	}
	defer r.session.Close()
	rewriting := warehouse.Rewriting{Kind: "retention", Message: "Free text older than its retention"}
	for _, d := range r.list {
		if d.What != Private || d.Rows == 0 {
			continue
		}
		ds, _ := dataset.Find(d.Dataset)
		e := warehouse.Edit{Table: dataset.PrivateTable(d.Dataset), Set: map[string]string{}}
		in := "r.row_id IN (SELECT row_id FROM " + dueTable(d.Rule) + ")"
		var filled []string
		for _, c := range ds.Columns(true) {
			column := "r." + warehouse.QuoteIdent(c.Name)
			filled = append(filled, column+" IS NOT NULL")
			e.Set[c.Name] = fmt.Sprintf("CASE WHEN NOT (%s) THEN %s END", in, column)
		}
		e.Rows = in + " AND (" + strings.Join(filled, " OR ") + ")"
		rewriting.Edits = append(rewriting.Edits, e)
	}
	if rewriting.Edits == nil {
		return nil
	}
	rewriting.Within = func(ctx context.Context, tx *metadb.Tx, out warehouse.Rewritten) error {
		return s.append(ctx, scope, tx, "retention.private", "retention", "private", int64(out.Snapshot), map[string]any{"deleted": detail(due, Private), "epoch": out.Epoch, "files": len(out.Files), "files_digest": digest(out.Files)})
	}
	if _, err := r.session.Rewrite(ctx, rewriting); err != nil {
		return err
	}
	_, err = s.w.SweepNow(ctx, scope)
	return err
}

// deleteFiles removes files of reports, unless a hold began meanwhile.
func (s *Service) deleteFiles(ctx context.Context, scope tenant.Scope, d Due) error {
	if held, err := s.Held(ctx, scope); err != nil || held {
		return err
	}
	n, err := s.opt.Reports.RemoveOlder(ctx, scope, d.Cutoff.Time(), "kept for "+d.Words()+": its time is over")
	if err != nil || n == 0 {
		return err
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		return s.append(ctx, scope, tx, "retention.reports", "retention", string(ReportFiles), 0, map[string]any{"before": d.Cutoff, "files": n})
	})
}

func (s *Service) deleteRejects(ctx context.Context, scope tenant.Scope, d Due) error {
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := s.data.DeleteRejects(ctx, scope, tx, d.Cutoff.Time())
		if err != nil || n == 0 {
			return err
		}
		return s.append(ctx, scope, tx, "retention.rejects", "retention", "rejects", 0, map[string]any{"before": d.Cutoff, "rows": n})
	})
}
