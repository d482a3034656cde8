// Package notice tells people in the program that something needs them.
//
// It owns notices: to one person or to everybody who may act on them, and who has read
// which. It does not own what is worth a notice: whoever sends one says so, in the
// transaction of the change that it is about.
package notice

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Kind says what a notice is about.
type Kind string

// The kinds, with what their subject is.
const (
	SourceFailing   Kind = "source_failing"   // a source
	FileQuarantined Kind = "file_quarantined" // a source
	RowsRejected    Kind = "rows_rejected"    // a batch
	RowsForReview   Kind = "rows_for_review"  // a batch
	RuleHolds       Kind = "rule_holds"       // a rule
	Mentioned       Kind = "mentioned"        // a comment
	Assigned        Kind = "assigned"         // a proposal
	SecondWanted    Kind = "second_wanted"    // a proposal
	Answered        Kind = "answered"         // a proposal, to who asked for it
	Overdue         Kind = "overdue"          // a proposal, or "" for all of a day
	ReportReady     Kind = "report_ready"     // a report
	DeliveryFailed  Kind = "delivery_failed"  // a delivery
)

// What a notice to everybody needs of those who read it.
const (
	needsData    tenant.Action = "data.read"
	needsFigures tenant.Action = "figures.read"
	needsSending tenant.Action = "destinations.manage"
)

// kept is how long a notice is kept.
const kept = 90 * 24 * time.Hour

// Notice tells people of something that needs them.
type Notice struct {
	ID        string       `json:"id"`
	Kind      Kind         `json:"kind"`
	Subject   string       `json:"subject"` // id of what it is about
	Message   string       `json:"message"`
	Link      string       `json:"link"` // address in the app of what it is about
	To        tenant.Actor `json:"to"`   // "" for everybody who may act on it
	CreatedAt time.Time    `json:"created_at"`
	ReadAt    *time.Time   `json:"read_at"` // by who asks; null when not yet
	// Needs is what those must be allowed who read a notice to everybody; "" is what its
	// kind needs.
	Needs tenant.Action `json:"-"`
}

// Store keeps notices. It is safe for concurrent use.
type Store struct {
	db  *metadb.DB
	now func() time.Time
}

// New returns the notices in a control database.
func New(db *metadb.DB, now func() time.Time) *Store { return &Store{db, now} }

// Send adds a notice in the caller's transaction; its Kind, Subject, Message, To and what is
// given of Link and Needs count.
func (s *Store) Send(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, n Notice) error {
	now := s.now()
	t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
	if err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	if _, err := tx.Exec(ctx, queries.Get("forget"), t, metadb.Now(now.Add(-kept))); err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	if n.Needs == "" {
		n.Needs = needsOf(n.Kind)
	}
	if n.Link == "" {
		n.Link = linkOf(n.Kind, n.Subject)
	}
	_, err = tx.Exec(ctx, queries.Get("insert"), t, strings.ToLower(rand.Text()[:16]), string(n.Kind), metadb.Text(n.Subject), metadb.Text(n.Message),
		metadb.Now(now), metadb.Text(string(n.To)), metadb.Text(n.Link), string(n.Needs))
	if err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	return nil
}

// NotifyRule tells everybody in the caller's transaction that a rule has begun to hold.
func (s *Store) NotifyRule(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, rule, message string) error {
	return s.Send(ctx, scope, tx, Notice{Kind: RuleHolds, Subject: rule, Message: message})
}

// Withdraw takes back the notices of a kind about a subject in the caller's transaction.
func (s *Store) Withdraw(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind Kind, subject string) error {
	_, err := tx.Exec(ctx, queries.Get("withdraw"), string(scope.Tenant), string(kind), metadb.Text(subject))
	return err
}

func needsOf(k Kind) tenant.Action {
	switch k {
	case RuleHolds:
		return needsFigures
	case DeliveryFailed:
		return needsSending
	}
	return needsData
}

func linkOf(k Kind, subject string) string {
	switch k {
	case SourceFailing, FileQuarantined:
		return "/sources/" + url.PathEscape(subject)
	case RowsRejected, RowsForReview:
		return "/import/batch/" + url.PathEscape(subject)
	case RuleHolds:
		return "/kpis?tab=rules"
	case DeliveryFailed:
		return "/destinations?tab=deliveries&row=" + url.QueryEscape(subject)
	}
	return ""
}

// List returns the notices to the actor and to everybody that the actor may read, newest
// first; with unread only those that the actor has not read.
func (s *Store) List(ctx context.Context, scope tenant.Scope, unread bool, limit int, skip int64) ([]Notice, error) {
	out := []Notice{}
	err := s.each(ctx, scope, func() { out = out[:0] }, func(n Notice) bool {
		if unread && n.ReadAt != nil {
			return true
		}
		if skip > 0 {
			skip--
			return true
		}
		out = append(out, n)
		return len(out) < limit
	})
	return out, err
}

// Unread counts what List returns of unread notices.
func (s *Store) Unread(ctx context.Context, scope tenant.Scope) (int64, error) {
	var n int64
	err := s.each(ctx, scope, func() { n = 0 }, func(x Notice) bool {
		if x.ReadAt == nil {
			n++
		}
		return true
	})
	return n, err
}

// each calls f for what the actor may read, newest first, until it returns false. The few
// notices of 90 days are told apart here, since what an actor may read is no column.
func (s *Store) each(ctx context.Context, scope tenant.Scope, begin func(), f func(Notice) bool) error {
	if err := scope.Check(); err != nil {
		return err
	}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		begin()
		rows, err := tx.Query(ctx, queries.Get("list"), string(scope.Tenant), string(scope.Actor))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n Notice
			var kind, created, read, to, needs string
			if err := rows.Scan(&n.ID, &kind, &n.Subject, &n.Message, &created, &to, &n.Link, &needs, &read); err != nil {
				return err
			}
			if n.Kind, n.To, n.Needs = Kind(kind), tenant.Actor(to), tenant.Action(needs); !n.readable(scope) {
				continue
			}
			if n.Link == "" {
				n.Link = linkOf(n.Kind, n.Subject) // kept before notices had links
			}
			if n.CreatedAt, err = metadb.ParseTime(created); err != nil {
				return err
			}
			if read != "" {
				at, err := metadb.ParseTime(read)
				if err != nil {
					return err
				}
				n.ReadAt = &at
			}
			if !f(n) {
				break
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("notices: %w", err)
	}
	return nil
}

// readable reports whether a notice is for the actor. One to everybody may tell of any file
// or figure: it is for those only who may see all of them.
func (n Notice) readable(scope tenant.Scope) bool {
	if n.To != "" {
		return n.To == scope.Actor
	}
	if n.Needs == "" {
		n.Needs = needsOf(n.Kind)
	}
	return scope.Rights.May(n.Needs) && scope.Rights.Unlimited()
}

// Read marks a notice as read by the actor; others have not read it by that.
func (s *Store) Read(ctx context.Context, scope tenant.Scope, id string) error {
	found := false
	if err := s.each(ctx, scope, func() { found = false }, func(n Notice) bool { found = n.ID == id; return !found }); err != nil {
		return err
	}
	if !found {
		return fault.Newf(fault.NotFound, "there is no notice %q", id)
	}
	return s.mark(ctx, scope, []string{id})
}

// ReadAll marks every notice as read by the actor.
func (s *Store) ReadAll(ctx context.Context, scope tenant.Scope) error {
	var ids []string
	err := s.each(ctx, scope, func() { ids = nil }, func(n Notice) bool {
		if n.ReadAt == nil {
			ids = append(ids, n.ID)
		}
		return true
	})
	if err != nil {
		return err
	}
	return s.mark(ctx, scope, ids)
}

func (s *Store) mark(ctx context.Context, scope tenant.Scope, ids []string) error {
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		for _, id := range ids {
			if _, err := tx.Exec(ctx, queries.Get("mark_read"), string(scope.Tenant), id, metadb.Text(string(scope.Actor)), metadb.Now(s.now())); err != nil {
				return fmt.Errorf("notice %s: %w", id, err)
			}
		}
		return nil
	})
}
