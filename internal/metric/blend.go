package metric

import (
	"context"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// RunBlended answers a query, which must name its snapshot and a bounded period, as if some
// tables were between that snapshot and an earlier one: it tells what each difference
// between the two does to a figure. Nothing is cached and no roll-up is read.
//
// Errors: those of Run.
func (c *Catalog) RunBlended(ctx context.Context, scope tenant.Scope, q Query, blends map[string]warehouse.Blend) (*Result, error) {
	q = q.normal()
	if q.Snapshot == 0 || !q.Period.Bounded() || q.Compare != "" {
		return nil, fault.Newf(fault.Invalid, "a blended query names its snapshot and period and compares nothing")
	}
	checked, err := c.ask(ctx, scope, q)
	if err != nil {
		return nil, err
	}
	checked.blends = blends
	r, err := c.answer(ctx, scope, q, checked)
	if err != nil {
		return nil, err
	}
	return r, order(r, q)
}
