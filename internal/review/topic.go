package review

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Topic is how people judged a sort of questions lately.
type Topic struct {
	Topic    string     `json:"topic"`
	Rejected int        `json:"rejected"` // times in a row
	Quiet    bool       `json:"quiet"`    // so often that it comes last now
	LastAt   time.Time  `json:"last_at"`  // of the last decision
	ResetAt  *time.Time `json:"reset_at"` // since when rejections count, null for ever
}

// quietAfter is how many rejections in a row make a topic less insistent.
const quietAfter = 3

// Topics returns the topics that were decided on, in the order of their names.
func (q *Queue) Topics(ctx context.Context, scope tenant.Scope) ([]Topic, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	out := []Topic{}
	err := q.db.Read(ctx, func(tx *metadb.Tx) error {
		all, err := q.topics(ctx, scope, tx)
		out = out[:0]
		for _, t := range all {
			out = append(out, t)
		}
		return err
	})
	slices.SortFunc(out, func(a, b Topic) int { return strings.Compare(a.Topic, b.Topic) })
	if err != nil {
		return nil, fmt.Errorf("topics of reviews: %w", err)
	}
	return out, nil
}

func (q *Queue) topics(ctx context.Context, scope tenant.Scope, tx *metadb.Tx) (map[string]Topic, error) {
	rows, err := tx.Query(ctx, queries.Get("topic_decisions"), string(scope.Tenant))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]Topic{}
	over := map[string]bool{} // the row of rejections is interrupted
	for rows.Next() {
		var topic, verdict, decided, reset string
		if err := rows.Scan(&topic, &verdict, &decided, &reset); err != nil {
			return nil, err
		}
		t, seen := out[topic]
		if !seen {
			t.Topic = topic
			if t.LastAt, err = metadb.ParseTime(decided); err != nil {
				return nil, err
			}
			if reset != "" {
				at, err := metadb.ParseTime(reset)
				if err != nil {
					return nil, err
				}
				t.ResetAt = &at
			}
		}
		if over[topic] = over[topic] || !rejects(verdict) || decided <= reset; !over[topic] {
			t.Rejected++
		}
		t.Quiet = t.Rejected >= quietAfter
		out[topic] = t
	}
	return out, rows.Err()
}

// rejects reports whether a verdict of any kind with topics is a rejection.
func rejects(verdict string) bool {
	for _, k := range kinds {
		for _, v := range k.Verdicts {
			if v.Name == verdict && v.Sense == Reject {
				return true
			}
		}
	}
	return false
}

// ResetTopic makes a topic as insistent as it was: rejections count from now on.
func (q *Queue) ResetTopic(ctx context.Context, scope tenant.Scope, topic string) error {
	if err := scope.Check(); err != nil {
		return err
	}
	return q.db.Transact(ctx, func(tx *metadb.Tx) error {
		all, err := q.topics(ctx, scope, tx)
		if err != nil {
			return err
		}
		was, ok := all[topic]
		if !ok {
			return fault.Newf(fault.NotFound, "nothing was decided on %q", topic)
		}
		t, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("reset_topic"), t, topic, metadb.Now(q.now())); err != nil {
			return err
		}
		_, err = q.log.Append(ctx, scope, tx, audit.Event{Action: "review.reset", Subject: audit.Subject{Kind: "topic", ID: topic}, Detail: map[string]any{"rejected": was.Rejected}})
		return err
	})
}
