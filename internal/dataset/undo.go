package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Undo takes an import back as a new snapshot, whatever came after it: rows that it added
// go, rows that it changed or deleted are as they were, unless a later import changed
// them again. What it was asked to review is withdrawn. It refuses when a later file held
// rows of it too, which would be lost. Names that were learned stay, unless the import is
// the newest change.
func (s *Service) Undo(ctx context.Context, scope tenant.Scope, id int64) (warehouse.Outcome, error) {
	return s.undo(ctx, scope, id, func(context.Context, *metadb.Tx, warehouse.Outcome) error { return nil })
}

// undo is Undo with what else is kept in the same step, before the import's open questions are withdrawn.
func (s *Service) undo(ctx context.Context, scope tenant.Scope, id int64, also func(context.Context, *metadb.Tx, warehouse.Outcome) error) (warehouse.Outcome, error) {
	if err := scope.Whole("imports"); err != nil {
		return warehouse.Outcome{}, err
	}
	imp, err := s.Record(ctx, scope, id)
	if err != nil {
		return warehouse.Outcome{}, err
	}
	switch imp.Status {
	case "committed":
	case "unchanged":
		return s.undoUnchanged(ctx, scope, id, also)
	default:
		return warehouse.Outcome{}, fault.Newf(fault.Conflict, "import %d is undone already, or stored nothing: there is nothing to undo", id)
	}
	list, err := s.w.Snapshots(ctx, scope)
	if err != nil {
		return warehouse.Outcome{}, err
	}
	i := slices.IndexFunc(list, func(x warehouse.SnapshotInfo) bool { return x.ID == imp.Result.Snapshot })
	if i < 0 || i+1 >= len(list) {
		return warehouse.Outcome{}, fault.Newf(fault.Conflict, "the data before import %d is not kept any more, so it cannot be brought back; import a corrected file instead", id)
	}
	before := list[i+1].ID
	within := func(ctx context.Context, tx *metadb.Tx, out warehouse.Outcome) error {
		if err := also(ctx, tx, out); err != nil {
			return err
		}
		return s.recordUndo(ctx, scope, tx, id, out)
	}
	alone, err := s.aloneIn(ctx, scope, imp)
	if err != nil {
		return warehouse.Outcome{}, err
	}
	if i == 0 && alone {
		return s.w.Rollback(ctx, scope, before, within)
	}
	if err := s.heldLater(ctx, scope, imp); err != nil {
		return warehouse.Outcome{}, err
	}
	return s.revert(ctx, scope, imp, before, within)
}

// undoUnchanged marks an import as undone that changed nothing.
func (s *Service) undoUnchanged(ctx context.Context, scope tenant.Scope, id int64, also func(context.Context, *metadb.Tx, warehouse.Outcome) error) (warehouse.Outcome, error) {
	now, err := s.w.Current(ctx, scope)
	if err != nil {
		return warehouse.Outcome{}, err
	}
	out := warehouse.Outcome{Snapshot: now}
	return out, s.db.Transact(ctx, func(tx *metadb.Tx) error {
		if err := also(ctx, tx, out); err != nil {
			return err
		}
		return s.recordUndo(ctx, scope, tx, id, out)
	})
}

// aloneIn reports whether no other import made the same snapshot.
func (s *Service) aloneIn(ctx context.Context, scope tenant.Scope, imp Import) (bool, error) {
	var n int64
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("count_imports_of_snapshot"), []any{string(scope.Tenant), int64(imp.Result.Snapshot)}, &n)
	})
	return n == 1, err
}

// heldLater refuses to undo an import whose rows a later file of the dataset held as well.
func (s *Service) heldLater(ctx context.Context, scope tenant.Scope, imp Import) error {
	var later []string
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		later = nil
		rows, err := tx.Query(ctx, queries.Get("later_imports_with_same_rows"), string(scope.Tenant), imp.Result.Dataset, imp.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var file string
			if err := rows.Scan(&id, &file); err != nil {
				return err
			}
			later = append(later, fmt.Sprintf("%d (%s)", id, file))
		}
		return rows.Err()
	})
	if err != nil || len(later) == 0 {
		return err
	}
	if len(later) > maxNamed {
		later = append(later[:maxNamed-1], "…")
	}
	return fault.Newf(fault.Conflict, "files that were imported later may hold the same rows, which would be lost: undo import %s first, or roll back to the snapshot before, which undoes everything since", strings.Join(later, ", "))
}

// revert commits the tables as they were before an import where its rows still stand.
func (s *Service) revert(ctx context.Context, scope tenant.Scope, imp Import, before warehouse.Snapshot, within func(context.Context, *metadb.Tx, warehouse.Outcome) error) (warehouse.Outcome, error) {
	session, err := s.w.NewSession(ctx, scope)
	if err != nil {
		return warehouse.Outcome{}, err
	}
	defer session.Close()
	if err := session.View(ctx, before, "before"); err != nil {
		return warehouse.Outcome{}, err
	}
	if err := session.View(ctx, imp.Result.Snapshot, "after"); err != nil {
		return warehouse.Outcome{}, err
	}
	today, err := s.today(ctx, scope)
	if err != nil {
		return warehouse.Outcome{}, err
	}
	change := warehouse.Change{Session: session, Today: today, Kind: "undo", Message: "Undo of " + imp.Result.File, Within: within}
	for n, t := range Tables() {
		if t.Name == TablePeople || t.Name == TableAliases {
			continue
		}
		table := warehouse.QuoteIdent(t.Name)
		cond := fmt.Sprintf("import_id = %d", imp.ID)
		name := fmt.Sprintf("back%d", n)
		if err := session.Exec(ctx, fmt.Sprintf(`CREATE TABLE %[1]s AS SELECT * FROM before.%[2]s
WHERE row_id IN (SELECT row_id FROM now.%[2]s WHERE %[3]s)
 OR row_id NOT IN (SELECT row_id FROM after.%[2]s) AND row_id NOT IN (SELECT row_id FROM now.%[2]s)`, name, table, cond)); err != nil {
			return warehouse.Outcome{}, err
		}
		rows, err := session.Query(ctx, fmt.Sprintf("SELECT (SELECT count(*) FROM %s), (SELECT count(*) FROM now.%s WHERE %s)", name, table, cond))
		if err != nil {
			return warehouse.Outcome{}, err
		}
		if rows.Rows[0][0].(int64)+rows.Rows[0][1].(int64) > 0 {
			change.Staged = append(change.Staged, warehouse.Staged{Table: t.Name, Relation: name, Replace: cond, Exact: true})
		}
	}
	return s.w.Commit(ctx, scope, change)
}

// recordUndo marks an import as undone, with its audit event and follow-up job.
func (s *Service) recordUndo(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id int64, out warehouse.Outcome) error {
	n, err := tx.Exec(ctx, queries.Get("mark_undone"), id)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.Newf(fault.Conflict, "import %d is undone already", id)
	}
	if err := s.reviews.WithdrawImport(ctx, scope, tx, id); err != nil {
		return err
	}
	if _, err := s.log.Append(ctx, scope, tx, audit.Event{Action: "import.undo", Subject: audit.Subject{Kind: "import", ID: fmt.Sprint(id)}, Snapshot: int64(out.Snapshot)}); err != nil {
		return err
	}
	if s.jobs == nil || !out.Changed {
		return nil
	}
	return s.jobs.Enqueue(ctx, scope, tx, JobAfterImport, map[string]int64{"import_id": id, "snapshot": int64(out.Snapshot)})
}
