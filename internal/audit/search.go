package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Filter says which entries are wanted. Its zero value wants all.
type Filter struct {
	Actor   tenant.Actor
	Action  string // the beginning of it: "import." finds all of imports
	Subject Subject
	Source  string
	From    time.Time // the first instant
	To      time.Time // the first instant not included
	Text    string    // a part of the action, the subject, the reason or the detail, in any case
	Newest  bool      // the newest first
}

// Page is up to Limit entries that come after the one numbered After in the filter's order;
// 0 is where the order begins.
type Page struct {
	After int64
	Limit int
}

// Search returns a page of the entries that fit. Entries whose content was removed fit only
// by time.
func (l *Log) Search(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, f Filter, p Page) ([]Entry, error) {
	if err := errors.Join(scope.Check(), scope.AllRows("entries of the record")); err != nil {
		return nil, err
	}
	id, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
	if errors.Is(err, metadb.ErrNoRow) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	query := "search_up"
	if f.Newest {
		query = "search_down"
		if p.After == 0 {
			p.After = math.MaxInt64
		}
	}
	rows, err := tx.Query(ctx, queries.Get(query), id, p.After, metadb.Text(string(f.Actor)), metadb.Text(f.Action), metadb.Text(f.Subject.Kind), metadb.Text(f.Subject.ID), metadb.Text(f.Source),
		instant(f.From), instant(f.To), pattern(f.Text), p.Limit)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer rows.Close()
	return scan(rows)
}

// List returns up to limit entries after seq, oldest first.
func (l *Log) List(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, after int64, limit int) ([]Entry, error) {
	return l.Search(ctx, scope, tx, Filter{}, Page{After: after, Limit: limit})
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return metadb.Now(t)
}

// pattern finds a text anywhere, its own % and _ as they are.
func pattern(text string) string {
	if text = metadb.Text(strings.TrimSpace(text)); text == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text) + "%"
}

func scan(rows *metadb.Rows) ([]Entry, error) {
	var out []Entry
	for rows.Next() {
		var e Entry
		if err := rows.Scan(e.fields()...); err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// fields are where the columns of an entry go, in the order that all queries name them.
func (e *Entry) fields() []any {
	return []any{&e.Seq, &e.At, (*string)(&e.Actor), &e.Action, &e.Subject.Kind, &e.Subject.ID, &e.Snapshot, (*detailText)(&e.Detail), &e.PrevHash, &e.Hash,
		&e.Form, &e.Source, &e.Reason, &e.Salt, &e.Content, &e.RemovedBy}
}

// detailText reads a column of text into bytes of its own; nothing is nil, which is null as
// JSON.
type detailText []byte

// Scan takes the text.
func (d *detailText) Scan(v any) error {
	*d = nil
	switch v := v.(type) {
	case string:
		*d = append(*d, v...)
	case []byte:
		*d = append(*d, v...)
	default:
		return fmt.Errorf("a detail is %T, not a text", v)
	}
	return nil
}

// Seen lists who acted and what was done in the last entries, for choosing a filter.
type Seen struct {
	Actors  []string `json:"actors"`
	Actions []string `json:"actions"`
}

// seenEntries is how far back Seen looks.
const seenEntries = 10_000

// Seen returns what a filter may choose from.
func (l *Log) Seen(ctx context.Context, scope tenant.Scope, tx *metadb.Tx) (Seen, error) {
	out := Seen{Actors: []string{}, Actions: []string{}}
	if err := scope.Check(); err != nil {
		return out, err
	}
	id, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
	if errors.Is(err, metadb.ErrNoRow) {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("audit: %w", err)
	}
	for query, to := range map[string]*[]string{"recent_actors": &out.Actors, "recent_actions": &out.Actions} {
		if err := func() error {
			rows, err := tx.Query(ctx, queries.Get(query), id, seenEntries)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var s string
				if err := rows.Scan(&s); err != nil {
					return err
				}
				*to = append(*to, s)
			}
			return rows.Err()
		}(); err != nil {
			return out, fmt.Errorf("audit: %w", err)
		}
	}
	return out, nil
}
