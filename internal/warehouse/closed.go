package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// ClosedMonth is a month whose dated rows, and what is rolled up from them, must not change.
type ClosedMonth struct {
	Month quantity.Day // its first day
	At    time.Time
	Actor string
}

// ClosedMonths lists a tenant's closed months, oldest first.
func (w *Warehouse) ClosedMonths(ctx context.Context, scope tenant.Scope) ([]ClosedMonth, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out []ClosedMonth
	err := w.db.Read(ctx, func(tx *metadb.Tx) error {
		var err error
		out, err = closedMonths(ctx, tx, scope)
		return err
	})
	return out, err
}

func closedMonths(ctx context.Context, tx *metadb.Tx, scope tenant.Scope) ([]ClosedMonth, error) {
	rows, err := tx.Query(ctx, queries.Get("closed_months"), string(scope.Tenant))
	if err != nil {
		return nil, fmt.Errorf("closed months: %w", err)
	}
	defer rows.Close()
	var out []ClosedMonth
	for rows.Next() {
		var month, at string
		var c ClosedMonth
		if err := rows.Scan(&month, &at, &c.Actor); err != nil {
			return nil, fmt.Errorf("closed months: %w", err)
		}
		if c.Month, err = quantity.ParseDay(month); err != nil {
			return nil, fmt.Errorf("closed months: %w", err)
		}
		if c.At, err = metadb.ParseTime(at); err != nil {
			return nil, fmt.Errorf("closed months: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// CloseMonth closes a month that is over, or opens it again, in one transaction with what
// within writes (its audit event). changed is false when it was so already.
func (w *Warehouse) CloseMonth(ctx context.Context, scope tenant.Scope, month quantity.Day, closed bool, within func(context.Context, *metadb.Tx) error) (changed bool, err error) {
	if err := scope.Check(); err != nil {
		return false, err
	}
	if err := scope.Whole("closed months"); err != nil {
		return false, err
	}
	month = month.Month()
	if today := quantity.DayOf(w.now().UTC()); closed && today.Before(month.AddMonths(1)) {
		return false, fault.Newf(fault.Invalid, "%s is not over yet: it can be closed from %s on", month.String()[:7], month.AddMonths(1))
	}
	if err := w.ensureTenant(ctx, scope); err != nil {
		return false, err
	}
	err = w.db.Transact(ctx, func(tx *metadb.Tx) error {
		if err := lockCatalog(ctx, tx); err != nil { // a commit checks it under the same lock
			return err
		}
		now, err := closedMonths(ctx, tx, scope)
		if err != nil {
			return err
		}
		if changed = slices.ContainsFunc(now, func(c ClosedMonth) bool { return c.Month == month }) != closed; !changed {
			return nil
		}
		if closed {
			_, err = tx.Exec(ctx, queries.Get("close_month"), string(scope.Tenant), month.String(), metadb.Now(w.now()), metadb.Text(string(scope.Actor)))
		} else {
			_, err = tx.Exec(ctx, queries.Get("reopen_month"), string(scope.Tenant), month.String())
		}
		if err != nil || within == nil {
			return err
		}
		return within(ctx, tx)
	})
	return changed, err
}

// guardClosed refuses a plan that changes a row of a closed month in a dated table or a
// roll-up: labor cost changes there when a rate does. Undated tables (agreements, licenses)
// are not looked at.
func (w *Warehouse) guardClosed(ctx context.Context, scope tenant.Scope, p *plan) error {
	closed, err := w.ClosedMonths(ctx, scope)
	if err != nil {
		return err
	}
	p.closed = closed
	if len(closed) == 0 {
		return nil
	}
	months := make([]quantity.Day, len(closed))
	for i, c := range closed {
		months[i] = c.Month
	}
	for name, ch := range p.changed {
		t, ok := w.table(name)
		if !ok || t.Month == "" {
			continue
		}
		side := func(files []dataFile) string {
			return fmt.Sprintf("SELECT * FROM (%s) WHERE date_trunc('month', %s) IN (%s)", w.relation(t, files), QuoteIdent(t.Month), dayList(months))
		}
		was, is := side(ch.ended), side(ch.added)
		r, staleBefore := w.stale(p.base, name)
		if _, staleAfter := w.stale(p.next, name); staleBefore || staleAfter {
			// Another declaration is no change of the data: both sides by today's.
			was, is = w.rollupSQL(p.base, r, months), w.rollupSQL(p.next, r, months)
		}
		rows, err := queryRows(ctx, w.engine.db, fmt.Sprintf("SELECT DISTINCT strftime(%s, '%%Y-%%m') FROM (((%s) EXCEPT ALL (%s)) UNION ALL ((%s) EXCEPT ALL (%s))) ORDER BY 1", QuoteIdent(t.Month), was, is, is, was), nil, 0, nil)
		if err != nil {
			return err
		}
		if len(rows.Rows) == 0 {
			continue
		}
		var list []string
		for _, r := range rows.Rows {
			list = append(list, fmt.Sprint(r[0]))
		}
		return fault.Newf(fault.Conflict, "this would change %s of %s, which is closed: leave those rows out, or open the month with moatmetrics reopen %s; nothing was changed", strings.ReplaceAll(name, "_", " "), strings.Join(list, ", "), list[0])
	}
	return nil
}

// stillClosed returns errMoved when other months are closed than guardClosed saw.
func stillClosed(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, p *plan) error {
	now, err := closedMonths(ctx, tx, scope)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(now, p.closed, func(a, b ClosedMonth) bool { return a.Month == b.Month }) {
		return errMoved
	}
	return nil
}
