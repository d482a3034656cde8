package workspace

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Feedback is what someone thinks of this program. It stays on the machine and does not
// say who gave it.
type Feedback struct {
	ID      int64
	At      time.Time
	Score   *int64 // 0 to 10: how likely they recommend it; nil when not said
	Comment string
	Page    string // path of the page it is about
}

// commentColumn is sealed: people write what they like, also of others.
var commentColumn = secret.Column{Table: "workspace_feedback", Column: "comment", Holds: "comments of feedback", WasClear: true}

// Sealed names the columns that are sealed.
func Sealed() []secret.Column { return []secret.Column{commentColumn} }

// FeedbackSummary is over all feedback of a tenant.
type FeedbackSummary struct {
	Count  int64  // of all
	Scored int64  // of those with a score
	NPS    *int64 // % of scores 9 and 10 less % of scores 0 to 6, half to even; nil without a score
}

const pageRunes = 500

// AddFeedback keeps feedback with a score, a comment or both.
func (s *Store) AddFeedback(ctx context.Context, scope tenant.Scope, f Feedback) (Feedback, error) {
	if err := scope.Check(); err != nil {
		return Feedback{}, err
	}
	f.Comment, f.Page = metadb.Text(strings.TrimSpace(f.Comment)), metadb.Text(strings.TrimSpace(f.Page))
	c := checker{}
	if f.Score == nil && f.Comment == "" {
		c.say("score", "is missing, and so is a comment: give one of them")
	}
	if f.Score != nil && (*f.Score < 0 || *f.Score > 10) {
		c.say("score", "must be 0 to 10")
	}
	c.text("comment", f.Comment, textRunes)
	c.text("page", f.Page, pageRunes)
	if err := c.err("the feedback is not valid"); err != nil {
		return Feedback{}, err
	}
	var err error
	if f.ID, err = s.db.NextID(ctx, "feedback"); err != nil {
		return Feedback{}, fmt.Errorf("feedback: %w", err)
	}
	at := metadb.Now(s.now())
	if f.At, err = metadb.ParseTime(at); err != nil {
		return Feedback{}, fmt.Errorf("feedback: %w", err)
	}
	comment, err := commentColumn.Seal(ctx, s.box, f.Comment, string(scope.Tenant), f.ID)
	if err != nil {
		return Feedback{}, fmt.Errorf("feedback: %w", err)
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), s.now())
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, queries.Get("insert_feedback"), t, f.ID, at, f.Score, comment, f.Page)
		return err
	})
	if err != nil {
		return Feedback{}, fmt.Errorf("feedback: %w", err)
	}
	return f, nil
}

// Feedback returns up to limit entries before an id (0: from the newest), newest first, and
// the summary of all.
func (s *Store) Feedback(ctx context.Context, scope tenant.Scope, before int64, limit int) ([]Feedback, FeedbackSummary, error) {
	if err := scope.Check(); err != nil {
		return nil, FeedbackSummary{}, err
	}
	if before <= 0 {
		before = math.MaxInt64
	}
	var out []Feedback
	var sum FeedbackSummary
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = nil
		var promoters, detractors int64
		if err := tx.One(ctx, queries.Get("sum_feedback"), []any{string(scope.Tenant)}, &sum.Count, &sum.Scored, &promoters, &detractors); err != nil {
			return err
		}
		sum.NPS = nps(promoters, detractors, sum.Scored)
		rows, err := tx.Query(ctx, queries.Get("list_feedback"), string(scope.Tenant), before, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f Feedback
			var at string
			if err := rows.Scan(&f.ID, &at, &f.Score, &f.Comment, &f.Page); err != nil {
				return err
			}
			if f.At, err = metadb.ParseTime(at); err != nil {
				return err
			}
			out = append(out, f)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, FeedbackSummary{}, fmt.Errorf("feedback: %w", err)
	}
	for i := range out {
		if out[i].Comment, err = commentColumn.Open(ctx, s.box, out[i].Comment, string(scope.Tenant), out[i].ID); err != nil {
			return nil, FeedbackSummary{}, fmt.Errorf("feedback %d: %w", out[i].ID, err)
		}
	}
	return out, sum, nil
}

// DeleteFeedback forgets one entry.
func (s *Store) DeleteFeedback(ctx context.Context, scope tenant.Scope, id int64) error {
	if err := scope.Check(); err != nil {
		return err
	}
	var n int64
	err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
		var err error
		n, err = tx.Exec(ctx, queries.Get("delete_feedback"), string(scope.Tenant), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("feedback %d: %w", id, err)
	}
	if n == 0 {
		return fault.Newf(fault.NotFound, "there is no feedback %d", id)
	}
	return nil
}

// nps returns 100 (promoters - detractors) / scored in whole points, half to even, nil
// without a score.
func nps(promoters, detractors, scored int64) *int64 {
	if scored == 0 {
		return nil
	}
	net := 100 * (promoters - detractors)
	points, rest := net/scored, net%scored // toward zero
	sign := int64(1)
	if net < 0 {
		sign, rest = -1, -rest
	}
	if 2*rest > scored || 2*rest == scored && points%2 != 0 {
		points += sign
	}
	return &points
}
