package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Filter says which reports are wanted; its zero value wants all.
type Filter struct {
	Template, Schedule, Client string
}

// List returns the reports that somebody may see, newest first; next is where the list goes
// on, "" at its end. A limit of 0 is 50.
func (s *Service) List(ctx context.Context, scope tenant.Scope, f Filter, limit int, cursor string) (out []*Report, next string, err error) {
	if err := scope.Check(); err != nil {
		return nil, "", err
	}
	if limit <= 0 {
		limit = 50
	}
	sent, err := s.sentTo(ctx, scope)
	if err != nil {
		return nil, "", err
	}
	before, id, _ := strings.Cut(cursor, " ")
	out = []*Report{}
	for len(out) <= limit {
		page, err := s.page(ctx, scope, f, limit+1, before, id)
		if err != nil {
			return nil, "", err
		}
		for _, r := range page {
			if covers(scope.Rights, r.rights) && (sent == nil || sent[r.ID]) && len(out) <= limit {
				out = append(out, r)
			}
		}
		if len(page) <= limit {
			break
		}
		last := page[len(page)-1]
		before, id = metadb.Now(last.MadeAt), last.ID
	}
	if len(out) > limit {
		last := out[limit-1]
		return out[:limit], metadb.Now(last.MadeAt) + " " + last.ID, nil
	}
	return out, "", nil
}

// page reads reports before one in time, newest first, whoever may see them.
func (s *Service) page(ctx context.Context, scope tenant.Scope, f Filter, limit int, before, id string) (out []*Report, err error) {
	err = s.DB.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list"), string(scope.Tenant), before, id, f.Template, f.Schedule, metadb.Text(f.Client), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scan(rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	return out, nil
}

// Newest returns of the newest reports, so many in all, those that somebody may see. Unlike
// List it reads no further for those who may see few, so that it takes the same time for all.
func (s *Service) Newest(ctx context.Context, scope tenant.Scope, limit int) ([]*Report, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	sent, err := s.sentTo(ctx, scope)
	if err != nil || sent != nil && len(sent) == 0 {
		return nil, err
	}
	page, err := s.page(ctx, scope, Filter{}, limit, "", "")
	return slices.DeleteFunc(page, func(r *Report) bool { return !covers(scope.Rights, r.rights) || sent != nil && !sent[r.ID] }), err
}

// Get returns a report with who got its file; NotFound also when somebody may not see it.
func (s *Service) Get(ctx context.Context, scope tenant.Scope, id string) (*Report, error) {
	r, err := s.get(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(tx *metadb.Tx) error {
		r.Receipts = []Receipt{}
		rows, err := tx.Query(ctx, queries.Get("receipts"), string(scope.Tenant), id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var x Receipt
			var at string
			if err := rows.Scan(&x.Receiver, &x.Channel, &at, &x.Delivery); err != nil {
				return err
			}
			if x.At, err = metadb.ParseTime(at); err != nil {
				return err
			}
			if !scope.Rights.May(access.FiguresExport) && x.Receiver != string(scope.Actor) {
				continue // who was sent a file is not told who else was
			}
			r.Receipts = append(r.Receipts, x)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	for i, x := range r.Receipts {
		if x.Delivery == "" || s.opt.Sent == nil {
			continue
		}
		d, err := s.opt.Sent(ctx, scope, x.Delivery)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return nil, err
		}
		r.Receipts[i].Status, r.Receipts[i].Problem = string(d.Status), d.Problem
	}
	return r, nil
}

func (s *Service) get(ctx context.Context, scope tenant.Scope, id string) (r *Report, err error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(tx *metadb.Tx) (err error) {
		r, err = s.read(ctx, scope, tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	sent, err := s.sentTo(ctx, scope)
	if err == nil && sent != nil && !sent[id] {
		err = fault.Newf(fault.NotFound, "there is no report %q", id)
	}
	return r, err
}

// sentTo are the reports that were sent to somebody who may not export figures, and who sees
// no others; nil for everybody else.
func (s *Service) sentTo(ctx context.Context, scope tenant.Scope) (map[string]bool, error) {
	if scope.Rights.May(access.FiguresExport) {
		return nil, nil
	}
	out := map[string]bool{}
	err := s.DB.Read(ctx, func(tx *metadb.Tx) error {
		rows, err := tx.Query(ctx, queries.Get("sent_to"), string(scope.Tenant), metadb.Text(string(scope.Actor)))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			out[id] = true
		}
		return rows.Err()
	})
	return out, err
}

func (s *Service) read(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string) (*Report, error) {
	r, err := scan(func(dest ...any) error {
		return tx.One(ctx, queries.Get("columns"), []any{string(scope.Tenant), id}, dest...)
	})
	if errors.Is(err, metadb.ErrNoRow) || err == nil && !covers(scope.Rights, r.rights) {
		return nil, fault.Newf(fault.NotFound, "there is no report %q", id)
	}
	return r, err
}

func scan(row func(dest ...any) error) (*Report, error) {
	r := &Report{Notes: []string{}}
	var from, to, asOf, rights, notes, made, finished, removed string
	var done, total int64
	if err := row(&r.ID, &r.Template, &r.Title, &r.Format, &r.Client, &from, &to, &asOf, &r.Snapshot, &r.AuditSeq, &r.Definitions, &r.SettingsHash, &r.InputHash, &rights,
		&r.State, &done, &total, &r.Doing, &r.SHA256, &r.Bytes, &r.Problem, &notes, &r.MadeBy, &made, &finished, &removed, &r.Schedule, &r.Product); err != nil {
		return nil, err
	}
	r.Done, r.Total = int(done), int(total)
	var err error
	if r.Period, err = quantity.ParsePeriod(from, to); err != nil {
		return nil, err
	}
	if r.AsOf, err = quantity.ParseDay(asOf); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(rights), &r.rights); err != nil {
		return nil, err
	}
	if notes != "" {
		if err := json.Unmarshal([]byte(notes), &r.Notes); err != nil {
			return nil, err
		}
	}
	if r.Notes == nil {
		r.Notes = []string{}
	}
	r.Role = roleOf(r.rights)
	if r.MadeAt, err = metadb.ParseTime(made); err != nil {
		return nil, err
	}
	for _, x := range []struct {
		text string
		into **time.Time
	}{{finished, &r.FinishedAt}, {removed, &r.RemovedAt}} {
		if x.text == "" {
			continue
		}
		at, err := metadb.ParseTime(x.text)
		if err != nil {
			return nil, err
		}
		*x.into = &at
	}
	return r, nil
}

// shown is what a reader of a file needs that was made with rights: its rows and classes, and
// of the actions those without which what it shows could not be read elsewhere.
func (t *Template) shown(made *tenant.Rights) *tenant.Rights {
	out := tenant.Rights{Role: roleOf(made)}
	if made != nil {
		out = *made
	}
	out.Actions = nil
	for _, b := range t.blocks() {
		for a, there := range map[tenant.Action]bool{access.AuditRead: b.Audit != nil, access.DataRead: b.Quality != nil} {
			if there && made.May(a) && !slices.Contains(out.Actions, a) {
				out.Actions = append(out.Actions, a)
			}
		}
	}
	slices.Sort(out.Actions)
	return &out
}

// covers reports whether somebody with rights may see all that a file shows; see shown.
func covers(who, file *tenant.Rights) bool {
	if who != nil && file != nil && slices.ContainsFunc(file.Actions, func(a tenant.Action) bool { return !who.May(a) }) {
		return false
	}
	if who.Unlimited() {
		return true
	}
	if file == nil {
		return false
	}
	for _, c := range tenant.Classes {
		if !who.Sees(c) && file.Sees(c) {
			return false
		}
	}
	within := func(mine, its []string) bool {
		if mine == nil {
			return true
		}
		if its == nil {
			return false
		}
		return !slices.ContainsFunc(its, func(name string) bool { return !slices.Contains(mine, name) })
	}
	return within(who.Clients, file.Clients) && within(who.Teams, file.Teams)
}
