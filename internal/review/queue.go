package review

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// What those must be allowed who are told that a decision waits, and who read about one.
const (
	needsDecide tenant.Action = "reviews.decide"
	needsRead   tenant.Action = "reviews.read"
)

// Filter says which proposals are meant. Its zero value means all open ones.
type Filter struct {
	Status  Status   // Open unless given
	Kinds   []string // any of them; nil for all
	Mine    bool     // assigned to who asks
	Overdue bool
}

func (f Filter) fits(p Proposal, who tenant.Actor) bool {
	return (len(f.Kinds) == 0 || slices.Contains(f.Kinds, p.Kind)) && (!f.Mine || p.Assignee == who) && (!f.Overdue || p.Overdue)
}

// Find returns a page of the proposals that the actor may see. Open ones come in the order
// of their priority: what is overdue, then the most money at stake, then the most rows, then
// the oldest; topics that were rejected three times in a row come last. Decided ones come
// with the last decided first.
func (q *Queue) Find(ctx context.Context, scope tenant.Scope, f Filter, limit int, skip int64) ([]Proposal, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if f.Status == "" {
		f.Status = Open
	}
	var all []Proposal
	err := q.db.Read(ctx, func(tx *metadb.Tx) error {
		all = []Proposal{}
		quiet, err := q.topics(ctx, scope, tx)
		if err != nil {
			return err
		}
		last := []Proposal{}
		err = q.each(ctx, tx, queries.Get("list_proposals"), []any{string(scope.Tenant), string(f.Status), q.today().String()}, func(p Proposal) {
			if !p.visible(scope.Rights) || !f.fits(p, scope.Actor) {
				return
			}
			if p.Quiet = p.Topic != "" && quiet[p.Topic].Quiet; p.Quiet && f.Status == Open && !p.Overdue {
				last = append(last, p)
				return
			}
			all = append(all, p)
		})
		all = append(all, last...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("proposals: %w", err)
	}
	from := min(int(skip), len(all))
	return all[from:min(from+limit, len(all))], nil
}

func (q *Queue) each(ctx context.Context, tx *metadb.Tx, query string, args []any, f func(Proposal)) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		p, err := q.scan(rows.Scan)
		if err != nil {
			return err
		}
		f(p)
	}
	return rows.Err()
}

// List is Find for a status and, unless "", a kind.
func (q *Queue) List(ctx context.Context, scope tenant.Scope, status Status, kind string, limit int, skip int64) ([]Proposal, error) {
	f := Filter{Status: status}
	if kind != "" {
		f.Kinds = []string{kind}
	}
	return q.Find(ctx, scope, f, limit, skip)
}

// most bounds what is counted or looked through at once.
const most = 1 << 20

// Count returns how many proposals that the actor may see are open, by kind.
func (q *Queue) Count(ctx context.Context, scope tenant.Scope) (map[string]int64, error) {
	list, err := q.Find(ctx, scope, Filter{}, most, 0)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, p := range list {
		out[p.Kind]++
	}
	return out, nil
}

// Last returns the newest proposal of each subject of a kind, whatever became of it, without
// its evidence.
func (q *Queue) Last(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind string) (map[string]Proposal, error) {
	out := map[string]Proposal{}
	err := q.each(ctx, tx, queries.Get("last_of_kind"), []any{string(scope.Tenant), kind}, func(p Proposal) {
		// A decision stays in sight behind a question that was withdrawn or not answered.
		if was, ok := out[p.Subject]; !ok || was.Status != Decided || p.Status == Open || p.Status == Decided {
			out[p.Subject] = p
		}
	})
	return out, err
}

// Standings returns the newest open or decided proposal of each subject of a kind that the
// actor may see, without its evidence, by subject.
func (q *Queue) Standings(ctx context.Context, scope tenant.Scope, kind string) ([]Proposal, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	out := []Proposal{}
	err := q.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		quiet, err := q.topics(ctx, scope, tx)
		if err != nil {
			return err
		}
		last, err := q.Last(ctx, scope, tx, kind)
		for _, p := range last {
			if (p.Status == Open || p.Status == Decided) && p.visible(scope.Rights) {
				p.Quiet, p.Evidence = quiet[p.Topic].Quiet, nil
				out = append(out, p)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("standing decisions: %w", err)
	}
	slices.SortFunc(out, func(a, b Proposal) int { return strings.Compare(a.Subject, b.Subject) })
	return out, nil
}

// Pinned returns the snapshots that open and decided proposals rest on.
func (q *Queue) Pinned(ctx context.Context, scope tenant.Scope) ([]int64, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out []int64
	err := q.db.Read(ctx, func(tx *metadb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, queries.Get("pinned_snapshots"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			out = append(out, id)
		}
		return rows.Err()
	})
	return out, err
}

// End notes in the caller's transaction that what proposals of a kind were about does not
// hold any more, and withdraws the open ones.
func (q *Queue) End(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind string, subjects []string) error {
	for _, s := range subjects {
		if _, err := tx.Exec(ctx, queries.Get("end_proposal"), string(scope.Tenant), kind, metadb.Text(s), metadb.Now(q.now())); err != nil {
			return fmt.Errorf("end of a proposal: %w", err)
		}
	}
	return q.Withdraw(ctx, scope, tx, kind, subjects)
}

// Value sets what is at stake in an open proposal in the caller's transaction.
func (q *Queue) Value(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string, money quantity.Decimal, currency string) error {
	_, err := tx.Exec(ctx, queries.Get("value_proposal"), string(scope.Tenant), id, money.String(), currency)
	return err
}

// OpenOf returns the id of the open proposal of a kind and subject, "" when there is none.
func (q *Queue) OpenOf(ctx context.Context, scope tenant.Scope, kind, subject string) (string, error) {
	var id string
	err := q.db.Read(ctx, func(tx *metadb.Tx) error {
		err := tx.One(ctx, queries.Get("open_of"), []any{string(scope.Tenant), kind, metadb.Text(subject)}, &id)
		if errors.Is(err, metadb.ErrNoRow) {
			return nil
		}
		return err
	})
	return id, err
}

// Assign gives an open proposal to somebody, who is told so, and sets until when; "" and the
// zero day are nobody and never.
func (q *Queue) Assign(ctx context.Context, scope tenant.Scope, id string, to tenant.Actor, due quantity.Day) (Proposal, error) {
	if err := scope.Check(); err != nil {
		return Proposal{}, err
	}
	err := q.db.Transact(ctx, func(tx *metadb.Tx) error {
		p, err := q.get(ctx, scope, tx, id)
		if err != nil {
			return err
		}
		if err := p.open(); err != nil {
			return err
		}
		if p.Assignee == to && p.Due == due {
			return nil
		}
		if _, err := tx.Exec(ctx, queries.Get("assign_proposal"), string(scope.Tenant), id, metadb.Text(string(to)), due.String()); err != nil {
			return err
		}
		if err := q.notices.Withdraw(ctx, scope, tx, notice.Assigned, id); err != nil {
			return err
		}
		if to != "" && to != scope.Actor {
			if err := q.notices.Send(ctx, scope, tx, notice.Notice{Kind: notice.Assigned, Subject: id, To: to, Message: "A decision is yours: " + p.name(), Link: linkTo(id)}); err != nil {
				return err
			}
		}
		_, err = q.log.Append(ctx, scope, tx, audit.Event{Action: "review.assign", Subject: audit.Subject{Kind: "proposal", ID: id}, Detail: map[string]any{"to": to, "due": due, "before": p.Assignee, "due_before": p.Due}})
		return err
	})
	if err != nil {
		return Proposal{}, err
	}
	return q.Get(ctx, scope, id)
}

func linkTo(id string) string { return "/review?row=" + id }

// Tended is what Tend did.
type Tended struct {
	Expired   []string `json:"expired"`   // ids of questions that are not asked any more
	Escalated []string `json:"escalated"` // ids of questions that became overdue
}

// Tend closes what nobody decided in time, and tells people once what is overdue: who it is
// assigned to, and everybody who may decide.
func (q *Queue) Tend(ctx context.Context, scope tenant.Scope) (Tended, error) {
	out := Tended{Expired: []string{}, Escalated: []string{}}
	if err := scope.Check(); err != nil {
		return out, err
	}
	err := q.db.Transact(ctx, func(tx *metadb.Tx) error {
		out = Tended{Expired: []string{}, Escalated: []string{}}
		late, err := q.late(ctx, scope, tx)
		if err != nil {
			return err
		}
		for _, p := range late {
			subject := audit.Subject{Kind: "proposal", ID: p.ID}
			if !p.Expires.IsZero() && !q.today().Before(p.Expires) {
				if _, err := tx.Exec(ctx, queries.Get("expire_proposal"), string(scope.Tenant), p.ID); err != nil {
					return err
				}
				if _, err := q.log.Append(ctx, scope, tx, audit.Event{Action: "review.expire", Subject: subject}); err != nil {
					return err
				}
				out.Expired = append(out.Expired, p.ID)
				continue
			}
			if _, err := tx.Exec(ctx, queries.Get("escalate_proposal"), string(scope.Tenant), p.ID, metadb.Now(q.now())); err != nil {
				return err
			}
			if p.Assignee != "" {
				if err := q.notices.Send(ctx, scope, tx, notice.Notice{Kind: notice.Overdue, Subject: p.ID, To: p.Assignee, Message: fmt.Sprintf("Overdue since %s: %s", p.Due, p.name()), Link: linkTo(p.ID)}); err != nil {
					return err
				}
			}
			if _, err := q.log.Append(ctx, scope, tx, audit.Event{Action: "review.escalate", Subject: subject, Detail: map[string]any{"due": p.Due, "assignee": p.Assignee}}); err != nil {
				return err
			}
			out.Escalated = append(out.Escalated, p.ID)
		}
		if len(out.Escalated) == 0 {
			return nil
		}
		if err := q.notices.Withdraw(ctx, scope, tx, notice.Overdue, ""); err != nil {
			return err
		}
		message := fmt.Sprintf("%d decisions became overdue", len(out.Escalated))
		if len(out.Escalated) == 1 {
			message = "A decision became overdue"
		}
		return q.notices.Send(ctx, scope, tx, notice.Notice{Kind: notice.Overdue, Message: message, Link: "/review?overdue=1", Needs: needsDecide})
	})
	if err != nil {
		return out, fmt.Errorf("overdue proposals: %w", err)
	}
	return out, nil
}

func (q *Queue) late(ctx context.Context, scope tenant.Scope, tx *metadb.Tx) ([]Proposal, error) {
	rows, err := tx.Query(ctx, queries.Get("late_proposals"), string(scope.Tenant), q.today().String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Proposal
	for rows.Next() {
		var p Proposal
		var assignee, due, expires string
		if err := rows.Scan(&p.ID, &p.Kind, &p.Label, &assignee, &due, &expires); err != nil {
			return nil, err
		}
		p.Assignee = tenant.Actor(assignee)
		if due != "" {
			if p.Due, err = quantity.ParseDay(due); err != nil {
				return nil, err
			}
		}
		if expires != "" {
			if p.Expires, err = quantity.ParseDay(expires); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, rows.Err()
}
