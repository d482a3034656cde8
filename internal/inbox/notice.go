package inbox

import (
	"context"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// notify tells everybody who may look after it, in the caller's transaction.
func (s *Service) notify(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind notice.Kind, subject, message string) error {
	return s.notices.Send(ctx, scope, tx, notice.Notice{Kind: kind, Subject: subject, Message: message})
}
