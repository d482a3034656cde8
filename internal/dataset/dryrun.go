package dataset

import (
	"context"

	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// dryRun counts what a commit would do, by comparing with what is stored now.
func (s *Service) dryRun(ctx context.Context, scope tenant.Scope, l *load, c warehouse.Change, r ImportResult) (ImportResult, error) {
	n, err := l.s.Preview(ctx, c)
	if err != nil {
		return r, err
	}
	r.RowsAdded, r.RowsUpdated, r.RowsUnchanged, r.RowsDeleted = n.Added, n.Updated, n.Unchanged+l.dropped, n.Deleted
	r.Snapshot, err = s.w.Current(ctx, scope)
	return r, err
}
