package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// NoticeKind says what a notice is about.
type NoticeKind string

// The kinds, with what their subject is.
const (
	SourceFailing   NoticeKind = "source_failing"   // a source
	FileQuarantined NoticeKind = "file_quarantined" // a source
	RowsRejected    NoticeKind = "rows_rejected"    // a batch
	RowsForReview   NoticeKind = "rows_for_review"  // a batch
	RuleHolds       NoticeKind = "rule_holds"       // a rule
)

// noticeKept is how long a notice is kept.
const noticeKept = 90 * 24 * time.Hour

// Notice tells people of something that needs them.
type Notice struct {
	ID        string     `json:"id"`
	Kind      NoticeKind `json:"kind"`
	Subject   string     `json:"subject"` // id of what it is about
	Message   string     `json:"message"`
	CreatedAt time.Time  `json:"created_at"`
	ReadAt    *time.Time `json:"read_at"`
}

// NotifyRule tells people in the caller's transaction that a rule has begun to hold.
func (s *Service) NotifyRule(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, rule, message string) error {
	return s.notify(ctx, scope, tx, RuleHolds, rule, message)
}

func (s *Service) notify(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind NoticeKind, subject, message string) error {
	now := s.now()
	if _, err := tx.Exec(ctx, queries.Get("forget_notices"), string(scope.Tenant), metadb.Now(now.Add(-noticeKept))); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, queries.Get("insert_notice"), string(scope.Tenant), newID(), string(kind), subject, metadb.Text(message), metadb.Now(now))
	return err
}

// Notices lists a tenant's notices, newest first; with unread only those nobody has read.
func (s *Service) Notices(ctx context.Context, scope tenant.Scope, unread bool, limit int, skip int64) ([]Notice, error) {
	if !scope.Rights.Unlimited() { // they tell of files and of what rules found: nothing for who sees a part
		return []Notice{}, nil
	}
	if err := scope.Check(); err != nil {
		return nil, err
	}
	only := 0
	if unread {
		only = 1
	}
	out := []Notice{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_notices"), string(scope.Tenant), only, limit, skip)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n Notice
			var kind, created, read string
			if err := rows.Scan(&n.ID, &kind, &n.Subject, &n.Message, &created, &read); err != nil {
				return err
			}
			n.Kind = NoticeKind(kind)
			if n.CreatedAt, err = metadb.ParseTime(created); err != nil {
				return err
			}
			if n.ReadAt, err = optionalTime(read); err != nil {
				return err
			}
			out = append(out, n)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	return out, nil
}

// Read marks a notice as read.
func (s *Service) Read(ctx context.Context, scope tenant.Scope, id string) error {
	if err := scope.Whole("notices"); err != nil {
		return err
	}
	if err := scope.Check(); err != nil {
		return err
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("read_notice"), string(scope.Tenant), id, metadb.Now(s.now()))
		if err == nil && n == 0 {
			err = fault.Newf(fault.NotFound, "there is no notice %q", id)
		}
		return err
	})
}
