package govern

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// HoldKind says what a hold is about.
type HoldKind string

// The kinds of holds.
const (
	HoldClient  HoldKind = "client"  // the rows of a client, by the name that leads
	HoldPerson  HoldKind = "person"  // the rows of a person, by key
	HoldDataset HoldKind = "dataset" // a dataset, "" for everything
)

// Hold says that something must not be deleted, erased or forgotten. What it covers may be
// corrected: the snapshots before a correction are kept, too, as long as any hold stands.
type Hold struct {
	ID       string             `json:"id"`
	Kind     HoldKind           `json:"kind"`
	Subject  string             `json:"subject"`
	Period   quantity.Period    `json:"-"` // of dated rows; unbounded ends are open
	From     quantity.Day       `json:"from"`
	To       quantity.Day       `json:"to"` // first day no longer held
	Reason   string             `json:"reason"`
	Snapshot warehouse.Snapshot `json:"snapshot"` // the current one when it began
	At       time.Time          `json:"at"`
	Author   tenant.Actor       `json:"author"`
	EndedAt  *time.Time         `json:"ended_at"` // null while it stands
	EndedBy  tenant.Actor       `json:"ended_by"`
	Label    string             `json:"label"` // what is held, in words
}

const maxReason = 2000

// Holds lists all holds, newest first, those that have ended included.
func (s *Service) Holds(ctx context.Context, scope tenant.Scope) ([]Hold, error) {
	if err := whole(scope); err != nil {
		return nil, err
	}
	out := []Hold{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_holds"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var h Hold
			var from, to, at, ended string
			if err := rows.Scan(&h.ID, &h.Kind, &h.Subject, &from, &to, &h.Reason, &h.Snapshot, &at, &h.Author, &ended, &h.EndedBy); err != nil {
				return err
			}
			if h.Period, err = quantity.ParsePeriod(from, to); err != nil {
				return err
			}
			h.From, h.To = h.Period.From, h.Period.To
			if h.At, err = metadb.ParseTime(at); err != nil {
				return err
			}
			if ended != "" {
				t, err := metadb.ParseTime(ended)
				if err != nil {
					return err
				}
				h.EndedAt = &t
			}
			out = append(out, h)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("legal holds: %w", err)
	}
	return out, s.labelHolds(ctx, scope, out)
}

func (s *Service) labelHolds(ctx context.Context, scope tenant.Scope, holds []Hold) error {
	var all []Person
	for i := range holds {
		h := &holds[i]
		switch h.Kind {
		case HoldPerson:
			if all == nil {
				var err error
				if all, err = s.people(ctx, scope); err != nil {
					return err
				}
			}
			h.Label = h.Subject
			for _, p := range all {
				if slices.Contains(p.Keys, h.Subject) {
					h.Label = p.Label()
				}
			}
		case HoldDataset:
			h.Label = cmp.Or(strings.ReplaceAll(h.Subject, "_", " "), "everything")
		default:
			h.Label = h.Subject
		}
	}
	return nil
}

// standing lists the holds that have not ended.
func (s *Service) standing(ctx context.Context, scope tenant.Scope) ([]Hold, error) {
	list, err := s.Holds(ctx, scope)
	return slices.DeleteFunc(list, func(h Hold) bool { return h.EndedAt != nil }), err
}

// Held reports whether any hold stands: no snapshot and no original of an import expires then.
func (s *Service) Held(ctx context.Context, scope tenant.Scope) (bool, error) {
	if err := scope.Check(); err != nil {
		return false, err
	}
	var n int64
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("count_standing"), []any{string(scope.Tenant)}, &n)
	})
	if err != nil {
		return false, fmt.Errorf("legal holds: %w", err)
	}
	return n > 0, nil
}

// MayRemoveReports refuses while a hold stands, and names each: a report may show anything, so
// that any hold keeps the files of all. What is held is said to those only who manage holds.
func (s *Service) MayRemoveReports(ctx context.Context, scope tenant.Scope) error {
	holds, err := s.standing(ctx, scope.Own())
	if err != nil || len(holds) == 0 {
		return err
	}
	tell := scope.Need(access.GovernanceManage) == nil && whole(scope) == nil
	var list []string
	for _, h := range holds {
		name := fmt.Sprintf("%s, since %s", h.ID, h.At.Format(time.DateOnly))
		if tell {
			name = fmt.Sprintf("%s (%s)", h.Label, name)
		}
		list = append(list, name)
	}
	return fault.Newf(fault.Conflict, "a legal hold keeps the files of all reports: %s; it has to end first; nothing was removed", strings.Join(list, "; "))
}

// HoldSpec is what to hold.
type HoldSpec struct {
	Kind     HoldKind
	Subject  string
	From, To string // days, "" when open
	Reason   string
}

// BeginHold holds something from now on.
func (s *Service) BeginHold(ctx context.Context, scope tenant.Scope, spec HoldSpec) (Hold, error) {
	if err := whole(scope); err != nil {
		return Hold{}, err
	}
	h := Hold{ID: strings.ToLower(rand.Text()[:12]), Kind: spec.Kind, Subject: strings.TrimSpace(spec.Subject), Reason: strings.TrimSpace(spec.Reason), At: s.opt.Now().UTC(), Author: scope.Actor}
	period, err := quantity.ParsePeriod(spec.From, spec.To)
	if err != nil {
		return h, err
	}
	h.Period, h.From, h.To = period, period.From, period.To
	if h.Reason == "" || utf8.RuneCountInString(h.Reason) > maxReason {
		return h, fault.WithFields("say why it is held", fault.Field{Path: "reason", Message: fmt.Sprintf("must be 1 to %d characters", maxReason)})
	}
	if err := s.checkSubject(ctx, scope, h); err != nil {
		return h, err
	}
	if h.Snapshot, err = s.w.Current(ctx, scope); err != nil {
		return h, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), h.At)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_hold"), id, h.ID, string(h.Kind), metadb.Text(h.Subject), h.From.String(), h.To.String(), metadb.Text(h.Reason), int64(h.Snapshot), metadb.Now(h.At), string(scope.Actor)); err != nil {
			return fmt.Errorf("legal hold: %w", err)
		}
		// The reason is free text, and a client's name may be a person's: the register has them.
		return s.append(ctx, scope, tx, "hold.begin", "hold", h.ID, int64(h.Snapshot), map[string]any{"kind": h.Kind, "from": h.From, "to": h.To})
	})
	if err != nil {
		return h, err
	}
	list := []Hold{h}
	return list[0], s.labelHolds(ctx, scope, list)
}

func (s *Service) checkSubject(ctx context.Context, scope tenant.Scope, h Hold) error {
	switch h.Kind {
	case HoldPerson:
		_, err := s.Person(ctx, scope, h.Subject)
		return err
	case HoldDataset:
		if _, ok := dataset.Find(h.Subject); !ok && h.Subject != "" {
			return fault.WithFields("there is no dataset "+h.Subject, fault.Field{Path: "subject", Message: "unknown", Allowed: dataset.Names()})
		}
		return nil
	case HoldClient:
		session, err := s.w.NewSession(ctx, scope)
		if err != nil {
			return err
		}
		defer session.Close()
		rows, err := session.Query(ctx, "SELECT count(*) FROM ("+clientKeys(h.Subject)+") WHERE key IN (SELECT client_key FROM now.clients UNION ALL SELECT client_key FROM now.invoices UNION ALL SELECT client_key FROM now.agreements UNION ALL SELECT client_key FROM now.time_entries UNION ALL SELECT client_key FROM now.tickets)")
		if err != nil {
			return err
		}
		if rows.Rows[0][0].(int64) == 0 {
			return fault.WithFields(fmt.Sprintf("there is no client %q: use the name as it is shown", h.Subject), fault.Field{Path: "subject", Message: "unknown"})
		}
		return nil
	}
	return fault.WithFields("a hold is on a client, a person or a dataset", fault.Field{Path: "kind", Message: "unknown", Allowed: []string{string(HoldClient), string(HoldPerson), string(HoldDataset)}})
}

// clientKeys is the SQL of the keys that mean a client.
func clientKeys(name string) string {
	return fmt.Sprintf("SELECT %[1]s AS key UNION SELECT key FROM now.aliases WHERE kind = 'client' AND canonical = %[1]s", warehouse.QuoteText(name))
}

// EndHold lifts a hold.
func (s *Service) EndHold(ctx context.Context, scope tenant.Scope, id string) error {
	if err := whole(scope); err != nil {
		return err
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("end_hold"), string(scope.Tenant), id, metadb.Now(s.opt.Now()), string(scope.Actor))
		if err != nil {
			return fmt.Errorf("legal hold: %w", err)
		}
		if n == 0 {
			return fault.Newf(fault.NotFound, "there is no hold %q that stands", id)
		}
		return s.append(ctx, scope, tx, "hold.end", "hold", id, 0, nil)
	})
}

// covers is the SQL condition that a row of a dataset, of the alias, is held; "" when none
// of them can be. people says whose keys a held person has.
func (h Hold) covers(d dataset.Dataset, alias string, people []Person) string {
	var cond string
	switch h.Kind {
	case HoldDataset:
		if h.Subject != "" && h.Subject != d.Name {
			return ""
		}
		cond = "true"
	case HoldClient:
		if !slices.ContainsFunc(d.Columns(false), func(c warehouse.Column) bool { return c.Name == dataset.ColClient }) {
			return ""
		}
		cond = fmt.Sprintf("coalesce(%s.client_key IN (%s), false)", alias, clientKeys(h.Subject))
	case HoldPerson:
		for _, p := range people {
			if slices.Contains(p.Keys, h.Subject) {
				cond = p.own(d, alias)
			}
		}
		if cond == "" {
			return ""
		}
	}
	if d.Month != "" && h.Period != (quantity.Period{}) {
		day := alias + "." + warehouse.QuoteIdent(d.Month)
		for _, end := range []struct {
			day quantity.Day
			op  string
		}{{h.From, ">="}, {h.To, "<"}} {
			if !end.day.IsZero() {
				cond = fmt.Sprintf("(%s) AND coalesce(%s %s DATE %s, true)", cond, day, end.op, warehouse.QuoteText(end.day.String()))
			}
		}
	}
	return "(" + cond + ")"
}
