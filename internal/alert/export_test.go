package alert

import (
	"context"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// NamedQueries lets the tests prepare every statement on both engines.
func NamedQueries() metadb.Queries { return queries }

// What the tests of times call.
var (
	UntilLoud = untilLoud
	NextAt    = nextAt
)

// End is when the window that an instant lies in ends.
func (w Window) End(t time.Time, zone *time.Location) (time.Time, bool) { return w.end(t, zone) }

// When is the instant at which a route tells of something.
func (r Route) When(t time.Time, critical bool, zone *time.Location) (time.Time, error) {
	return r.when(t, critical, zone)
}

// Looked is how much of what was told, and of who knows, each run reads.
func (s *Service) Looked(ctx context.Context, scope tenant.Scope) (dues, acks int, err error) {
	x, err := s.look(ctx, scope)
	for _, list := range x.known {
		dues += len(list)
	}
	return dues, len(x.acked), err
}
