package govern

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// ReviewKind is the kind of the proposals to erase somebody; their subject is the request.
const ReviewKind = review.PersonErasure

// RequestKind says what a person asked for.
type RequestKind string

// The kinds of requests.
const (
	Access  RequestKind = "access"  // a copy of everything: GDPR Art. 15 and 20
	Erasure RequestKind = "erasure" // GDPR Art. 17
)

// State says where a request stands.
type State string

// The states. An access request is open, then done.
const (
	Open       State = "open"
	Waiting    State = "waiting"    // for a decision
	Rejected   State = "rejected"   //
	Approved   State = "approved"   // to be carried out; nothing is changed yet
	Cleaning   State = "cleaning"   // out of all tables; old files go next
	Compacting State = "compacting" // old files are gone; the control database gives back its old pages
	Done       State = "done"       //
)

// Request is what a person asked for.
type Request struct {
	ID         string          `json:"id"`
	Kind       RequestKind     `json:"kind"`
	Person     string          `json:"person"` // key
	Label      string          `json:"label"`  // the name while it is stored
	State      State           `json:"state"`
	ReceivedOn quantity.Day    `json:"received_on"`
	DueOn      quantity.Day    `json:"due_on"` // one month later: GDPR Art. 12(3)
	DaysLeft   int             `json:"days_left"`
	Proposal   string          `json:"proposal"` // in the review queue; "" for access
	Outcome    json.RawMessage `json:"outcome"`  // what was done, {} before
	CreatedAt  time.Time       `json:"created_at"`
	Author     tenant.Actor    `json:"author"`
	DecidedAt  *time.Time      `json:"decided_at"`
	DecidedBy  tenant.Actor    `json:"decided_by"`
	EndedAt    *time.Time      `json:"ended_at"`

	terms string // names and addresses as JSON, "" once they are gone
}

// RequestSpec is a request as it is noted.
type RequestSpec struct {
	Kind       RequestKind
	Person     string   // key
	ReceivedOn string   // day; "" is today
	Also       []string // further spellings to look for
}

// maxAlso is how many further spellings a request may name, and how long each may be.
const (
	maxAlso     = 20
	maxAlsoText = 200
)

// NewRequest notes a request. One to erase somebody also puts a proposal into the review
// queue: nothing is changed before somebody decided on it.
func (s *Service) NewRequest(ctx context.Context, scope tenant.Scope, spec RequestSpec) (Request, error) {
	if err := scope.Whole("requests of persons"); err != nil {
		return Request{}, err
	}
	p, err := s.Person(ctx, scope, spec.Person)
	if err != nil {
		return Request{}, err
	}
	now := s.opt.Now().UTC()
	r := Request{ID: strings.ToLower(rand.Text()[:12]), Kind: spec.Kind, Person: p.Key, Label: p.Label(), State: Open, ReceivedOn: quantity.DayOf(now), Outcome: json.RawMessage("{}"), CreatedAt: now, Author: scope.Actor}
	if spec.ReceivedOn != "" {
		if r.ReceivedOn, err = quantity.AskedDay(spec.ReceivedOn); err != nil {
			return r, err
		}
	}
	if quantity.DayOf(now).Before(r.ReceivedOn) {
		return r, fault.WithFields("this day is still to come", fault.Field{Path: "received_on", Message: "must be today or earlier"})
	}
	also := []string{}
	for _, a := range spec.Also {
		if a = strings.TrimSpace(a); a != "" && !slices.Contains(also, a) {
			also = append(also, a)
		}
	}
	if len(also) > maxAlso || slices.ContainsFunc(also, func(a string) bool { return len(a) > maxAlsoText || len([]rune(a)) < minWord }) {
		return r, fault.WithFields("these spellings cannot be looked for", fault.Field{Path: "also", Message: fmt.Sprintf("at most %d, each of %d to %d characters", maxAlso, minWord, maxAlsoText)})
	}
	r.DueOn = monthAfter(r.ReceivedOn)
	switch spec.Kind {
	case Access:
	case Erasure:
		r.State = Waiting
		list, err := s.Requests(ctx, scope)
		if err != nil {
			return r, err
		}
		for _, o := range list {
			if o.Kind == Erasure && o.Person == p.Key && o.State != Done && o.State != Rejected {
				return r, fault.Newf(fault.Conflict, "this person's request %s is still under way: decide that one", o.ID)
			}
		}
	default:
		return r, fault.WithFields(fmt.Sprintf("%q is nothing to ask for", spec.Kind), fault.Field{Path: "kind", Message: "unknown", Allowed: []string{string(Access), string(Erasure)}})
	}
	text, err := json.Marshal(spelling{Also: also})
	if err != nil {
		return r, err
	}
	r.terms = string(text)
	snapshot, err := s.w.Current(ctx, scope)
	if err != nil {
		return r, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_request"), id, r.ID, string(r.Kind), r.Person, metadb.Text(r.terms), string(r.State), r.ReceivedOn.String(), r.DueOn.String(), "", metadb.Now(now), string(scope.Actor)); err != nil {
			return fmt.Errorf("request: %w", err)
		}
		if err := s.append(ctx, scope, tx, "request.new", "request", r.ID, int64(snapshot), map[string]any{"kind": r.Kind, "person": r.Person, "due_on": r.DueOn}); err != nil || r.Kind != Erasure {
			return err
		}
		evidence, err := json.Marshal(map[string]any{"request": r.ID, "person": r.Person, "received_on": r.ReceivedOn, "due_on": r.DueOn})
		if err != nil {
			return err
		}
		if err := s.reviews.Propose(ctx, scope, tx, review.Proposal{Kind: ReviewKind, Subject: r.ID, Evidence: evidence, Weight: 1, Snapshot: int64(snapshot)}); err != nil {
			return err
		}
		if err := tx.One(ctx, queries.Get("open_proposal"), []any{string(scope.Tenant), ReviewKind, r.ID}, &r.Proposal); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, queries.Get("set_proposal"), string(scope.Tenant), r.ID, r.Proposal)
		return err
	})
	if err != nil {
		return r, err
	}
	return s.Request(ctx, scope, r.ID)
}

// monthAfter is the day one month later, the last of the month when it has no such day.
func monthAfter(d quantity.Day) quantity.Day {
	next := d.Month().AddMonths(1)
	day := min(d.Time().Day(), next.AddMonths(1).AddDays(-1).Time().Day())
	return next.AddDays(day - 1)
}

// Requests lists all requests, newest first.
func (s *Service) Requests(ctx context.Context, scope tenant.Scope) ([]Request, error) {
	if err := whole(scope); err != nil {
		return nil, err
	}
	out := []Request{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_requests"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := s.scan(rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("requests: %w", err)
	}
	if len(out) == 0 {
		return out, nil
	}
	all, err := s.people(ctx, scope)
	for i := range out {
		out[i].Label = label(all, out[i].Person)
	}
	return out, err
}

func label(all []Person, key string) string {
	for _, p := range all {
		if slices.Contains(p.Keys, key) {
			return p.Label()
		}
	}
	return key
}

// Request returns one request, a NotFound fault when the tenant has none of that id.
func (s *Service) Request(ctx context.Context, scope tenant.Scope, id string) (Request, error) {
	if err := scope.Whole("requests of persons"); err != nil {
		return Request{}, err
	}
	r, err := s.request(ctx, scope, id)
	if err != nil {
		return r, err
	}
	all, err := s.people(ctx, scope)
	r.Label = label(all, r.Person)
	return r, err
}

func (s *Service) request(ctx context.Context, scope tenant.Scope, id string) (Request, error) {
	if err := whole(scope); err != nil {
		return Request{}, err
	}
	var r Request
	err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		r, err = s.scan(func(dest ...any) error {
			return tx.One(ctx, queries.Get("get_request"), []any{string(scope.Tenant), id}, dest...)
		})
		return err
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return r, fault.Newf(fault.NotFound, "there is no request %q", id)
	}
	return r, err
}

func (s *Service) scan(scan func(dest ...any) error) (Request, error) {
	var r Request
	var received, due, outcome, created, decided, ended string
	if err := scan(&r.ID, &r.Kind, &r.Person, &r.terms, &r.State, &received, &due, &r.Proposal, &outcome, &created, &r.Author, &decided, &r.DecidedBy, &ended); err != nil {
		return r, err
	}
	if r.Outcome = json.RawMessage(outcome); outcome == "" {
		r.Outcome = json.RawMessage("{}")
	}
	var err error
	if r.ReceivedOn, err = quantity.ParseDay(received); err != nil {
		return r, err
	}
	if r.DueOn, err = quantity.ParseDay(due); err != nil {
		return r, err
	}
	r.DaysLeft = quantity.DayOf(s.opt.Now().UTC()).DaysUntil(r.DueOn)
	if r.CreatedAt, err = metadb.ParseTime(created); err != nil {
		return r, err
	}
	for _, t := range []struct {
		text string
		dest **time.Time
	}{{decided, &r.DecidedAt}, {ended, &r.EndedAt}} {
		if t.text != "" {
			at, err := metadb.ParseTime(t.text)
			if err != nil {
				return r, err
			}
			*t.dest = &at
		}
	}
	return r, nil
}
