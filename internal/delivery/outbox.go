package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

const (
	// maxAttempts is after how many attempts a delivery fails. The queue of jobs goes on longer,
	// so that it is always we who say so.
	maxAttempts = 8
	// stranded is how long after its time a delivery is given a new job.
	stranded = time.Hour
	// kept is how long deliveries are kept that are over.
	kept = 400 * 24 * time.Hour
)

// wait is how long a job waits after its nth attempt (package job).
func wait(attempt int64) time.Duration {
	return time.Duration(attempt*attempt*attempt*attempt) * time.Second
}

// Work sends one delivery: it is what the job JobDeliver does. A delivery that is over is left
// as it is, so it bears repetition.
func (s *Service) Work(ctx context.Context, scope tenant.Scope, raw json.RawMessage) error {
	a, err := argsOf(raw)
	if err != nil {
		return err
	}
	d, taken, err := s.claim(ctx, scope, a.ID)
	if err != nil || !taken {
		return err
	}
	var r Receipt
	m, err := s.open(ctx, scope, d)
	if err == nil {
		m.ID, m.At, m.Kind = d.ID, d.CreatedAt, d.Kind
		to := ""
		if len(d.To) > 0 {
			to = d.To[0]
		}
		r, err = s.Send(ctx, scope, d.Destination, to, m)
	}
	if ctx.Err() != nil && err != nil { // the server stops: the attempt is made again
		err = fault.Wrapf(fault.Unavailable, err, "the server stopped while it was sent")
	}
	// What was said of an attempt is kept although the program ends meanwhile.
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return s.settle(done, scope, d, r, err)
}

// claim takes a delivery for an attempt; taken is false when there is nothing to do.
func (s *Service) claim(ctx context.Context, scope tenant.Scope, id string) (d Delivery, taken bool, err error) {
	now := s.now()
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("claim_delivery"), string(scope.Tenant), id, metadb.Now(now), metadb.Now(now.Add(s.opt.Timeout+max(time.Second, s.opt.Timeout/5))))
		taken = n > 0
		return err
	})
	if err != nil {
		return d, false, fmt.Errorf("delivery %s: %w", id, err)
	}
	d, err = s.Delivery(ctx, scope, id)
	if fault.KindOf(err) == fault.NotFound {
		return d, false, nil
	}
	if err != nil || taken || d.Status != Waiting {
		return d, taken, err
	}
	// Another worker has it, or had it when it was killed: its lease ends.
	return d, false, fault.Newf(fault.Unavailable, "delivery %s is being sent by another worker", id)
}

// open reads the content of a delivery.
func (s *Service) open(ctx context.Context, scope tenant.Scope, d Delivery) (Message, error) {
	s.mu.RLock()
	open, ok := s.openers[d.Kind]
	s.mu.RUnlock()
	if !ok {
		return Message{}, fault.Newf(fault.Unavailable, "nobody here knows what a delivery of kind %q holds: a newer version sends it", d.Kind)
	}
	m, err := open(ctx, scope, d)
	if kind := fault.KindOf(err); kind == fault.NotFound || kind == fault.Forbidden {
		return m, &nothing{err}
	}
	return m, err
}

// nothing says that there is nothing to send any more.
type nothing struct{ why error }

func (n *nothing) Error() string { return n.why.Error() }
func (n *nothing) Unwrap() error { return n.why }

// settle keeps what became of an attempt, in one transaction with the record and the notice of
// it. It returns an error only when the job is to be tried again.
func (s *Service) settle(ctx context.Context, scope tenant.Scope, d Delivery, r Receipt, err error) error {
	var none *nothing
	status, action, problem := Sent, "delivery.sent", ""
	switch {
	case err == nil:
	case errors.As(err, &none), d.Destination == PushDestination && fault.KindOf(err) == fault.NotFound:
		status, action, problem = Canceled, "delivery.cancel", fault.Message(err)
	case again(err) && d.Attempts < maxAttempts:
		if uerr := s.db.Transact(ctx, func(tx *metadb.Tx) error {
			_, err := tx.Exec(ctx, queries.Get("postpone_delivery"), string(scope.Tenant), d.ID, metadb.Text(problemOf(err)), metadb.Now(s.now().Add(wait(d.Attempts))))
			return err
		}); uerr != nil {
			return uerr
		}
		return fault.Newf(fault.Unavailable, "delivery %s: %s", d.ID, problemOf(err))
	default:
		status, action, problem = Failed, "delivery.fail", problemOf(err)
		if fault.KindOf(err) == fault.Internal {
			s.opt.Log.ErrorContext(ctx, "a delivery failed by a defect", slog.String("delivery", d.ID), slog.Any("error", err))
		}
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("finish_delivery"), string(scope.Tenant), d.ID, string(status), metadb.Text(problem), r.SHA256, metadb.Text(r.Place), metadb.Now(s.now()))
		if err != nil || n == 0 { // canceled meanwhile
			return err
		}
		detail := map[string]any{"destination": d.Destination, "kind": d.Kind, "ref": d.Ref, "attempts": d.Attempts}
		if r.SHA256 != "" {
			detail["sha256"] = r.SHA256
		}
		if len(d.To) > 0 && isActor(d.To[0]) {
			detail["to"] = d.To[0]
		}
		if status == Failed {
			text := fmt.Sprintf("%s was not delivered: %s", labelOf(d), problem)
			if err := s.notices.Send(ctx, scope, tx, notice.Notice{Kind: notice.DeliveryFailed, Subject: d.ID, Message: text}); err != nil {
				return err
			}
		}
		return s.record(ctx, scope, tx, action, "delivery", d.ID, detail)
	})
}

// again reports whether trying again may help.
func again(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Conflict, fault.Canceled, fault.TooOften:
		return true
	}
	return false
}

// problemOf is what people read of an error.
func problemOf(err error) string { return cut(oneLine(fault.Message(err)), 500) }

func labelOf(d Delivery) string {
	if d.Label != "" {
		return d.Label
	}
	return "a " + d.Kind
}

// Filter chooses deliveries; what is "" chooses all.
type Filter struct {
	Status Status
	Kind   string
	Ref    string
}

// Deliveries lists what was delivered or is to be, the newest first.
func (s *Service) Deliveries(ctx context.Context, scope tenant.Scope, f Filter, limit int, skip int64) ([]Delivery, error) {
	return s.deliveries(ctx, scope, "", f, limit, skip)
}

// Delivery returns one, a NotFound fault when there is none.
func (s *Service) Delivery(ctx context.Context, scope tenant.Scope, id string) (Delivery, error) {
	list, err := s.deliveries(ctx, scope, metadb.Text(id), Filter{}, 1, 0)
	if err != nil {
		return Delivery{}, err
	}
	if id == "" || len(list) == 0 {
		return Delivery{}, fault.Newf(fault.NotFound, "there is no delivery %q", id)
	}
	return list[0], nil
}

func (s *Service) deliveries(ctx context.Context, scope tenant.Scope, id string, f Filter, limit int, skip int64) ([]Delivery, error) {
	if err := s.mayRead(scope); err != nil {
		return nil, err
	}
	type row struct {
		Delivery
		address string
	}
	var found []row
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		found = nil
		rows, err := tx.Query(ctx, queries.Get("list_deliveries"), string(scope.Tenant), id, string(f.Status), metadb.Text(f.Kind), metadb.Text(f.Ref), limit, skip)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d row
			var recipient, status, lease, created, due, done, actor string
			if err := rows.Scan(&d.ID, &d.Destination, &d.Kind, &d.Ref, &d.Label, &recipient, &d.address, &status, &d.Attempts, &d.Problem, &lease, &d.SHA256, &d.Place, &created, &due, &done, &actor); err != nil {
				return err
			}
			d.Status, d.Actor, d.To = Status(status), tenant.Actor(actor), []string{}
			if recipient != "" {
				d.To = append(d.To, recipient)
			}
			if d.CreatedAt, err = metadb.ParseTime(created); err != nil {
				return err
			}
			if d.DueAt, err = metadb.ParseTime(due); err != nil {
				return err
			}
			if d.DoneAt, err = optionalTime(done); err != nil {
				return err
			}
			found = append(found, d)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	out := make([]Delivery, len(found))
	for i, d := range found {
		if d.address != "" {
			address, err := addressColumn.Open(ctx, s.opt.Box, d.address, string(scope.Tenant), d.ID)
			if err != nil {
				return nil, fmt.Errorf("delivery %s: %w", d.ID, err)
			}
			d.To = append(d.To, address)
		}
		out[i] = d.Delivery
	}
	return out, nil
}

// Cancel ends a delivery that waits.
func (s *Service) Cancel(ctx context.Context, scope tenant.Scope, id string) (Delivery, error) {
	if err := s.mayManage(scope); err != nil {
		return Delivery{}, err
	}
	d, err := s.Delivery(ctx, scope, id)
	if err != nil {
		return d, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("cancel_delivery"), string(scope.Tenant), d.ID, metadb.Now(s.now()))
		if err != nil {
			return err
		}
		if n == 0 && d.Status == Waiting {
			return fault.Newf(fault.Conflict, "it is being sent now: look again in a minute")
		}
		if n == 0 {
			return fault.Newf(fault.Conflict, "it is %s already: there is nothing to cancel", d.Status)
		}
		return s.record(ctx, scope, tx, "delivery.cancel", "delivery", d.ID, nil)
	})
	if err != nil {
		return d, fmt.Errorf("cancel delivery: %w", err)
	}
	return s.Delivery(ctx, scope, id)
}

// Retry lets a delivery that failed or was canceled be tried again from the first attempt on.
func (s *Service) Retry(ctx context.Context, scope tenant.Scope, id string) (Delivery, error) {
	if err := s.mayManage(scope); err != nil {
		return Delivery{}, err
	}
	d, err := s.Delivery(ctx, scope, id)
	if err != nil {
		return d, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		if _, err := s.kindOf(ctx, scope, tx, d.Destination); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, queries.Get("retry_delivery"), string(scope.Tenant), d.ID, metadb.Now(s.now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Newf(fault.Conflict, "it is %s: only what failed or was canceled is tried again", d.Status)
		}
		if err := s.jobs.Enqueue(ctx, scope, tx, JobDeliver, args{ID: d.ID}); err != nil {
			return err
		}
		return s.record(ctx, scope, tx, "delivery.retry", "delivery", d.ID, nil)
	})
	if err != nil {
		return d, fmt.Errorf("retry delivery: %w", err)
	}
	return s.Delivery(ctx, scope, id)
}

// Revive gives deliveries that wait although their time came an hour ago a new job: theirs was
// given up by the queue, as after a long time without a working database.
func (s *Service) Revive(ctx context.Context, scope tenant.Scope) error {
	now := s.now()
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		rows, err := tx.Query(ctx, queries.Get("stranded_deliveries"), string(scope.Tenant), metadb.Now(now.Add(-stranded)), metadb.Now(now))
		if err != nil {
			return err
		}
		var ids []string
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				rows.Close()
				return err
			}
			ids = append(ids, id)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
		for _, id := range ids {
			n, err := tx.Exec(ctx, queries.Get("touch_delivery"), string(scope.Tenant), id, metadb.Now(now), metadb.Now(now.Add(-stranded)))
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if err := s.jobs.Enqueue(ctx, scope, tx, JobDeliver, args{ID: id}); err != nil {
				return err
			}
		}
		return nil
	})
}

// forget deletes what was over long ago.
func (s *Service) forget(ctx context.Context, scope tenant.Scope) error {
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("forget_deliveries"), string(scope.Tenant), metadb.Now(s.now().Add(-kept)))
		return err
	})
}
