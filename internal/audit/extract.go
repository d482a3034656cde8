package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Position is a place of the record: the last entry that is no trace of reading it or of
// making and sending a report. Neither moves it, so a report on the record is not changed by
// being made.
type Position struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
	At   string `json:"at"`
}

// Position returns the tenant's place now; its zero value when nothing was recorded.
func (l *Log) Position(ctx context.Context, scope tenant.Scope, tx *metadb.Tx) (Position, error) {
	var p Position
	err := tx.One(ctx, queries.Get("position"), []any{string(scope.Tenant)}, &p.Seq, &p.Hash, &p.At)
	if errors.Is(err, metadb.ErrNoRow) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("audit: %w", err)
	}
	return p, nil
}

// Tally is how often something stands in the record.
type Tally struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Extract is a part of the record up to a position, without traces of reading and of reports.
type Extract struct {
	Count   int64   `json:"count"`   // entries in all
	Actions []Tally `json:"actions"` // the most frequent first
	Actors  []Tally `json:"actors"`
	Entries []Entry `json:"entries"` // newest first, as many as were asked for
}

// Extract returns the entries up to p from one instant up to another; zero instants do not
// limit, and most 0 asks for all entries.
func (l *Log) Extract(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, p Position, from, to time.Time, most int) (Extract, error) {
	var out Extract
	if err := errors.Join(scope.Check(), scope.AllRows("entries of the record")); err != nil {
		return out, err
	}
	args := []any{string(scope.Tenant), p.Seq, instant(from), instant(to)}
	for _, part := range []struct {
		query string
		into  *[]Tally
	}{{"extract_actions", &out.Actions}, {"extract_actors", &out.Actors}} {
		rows, err := tx.Query(ctx, queries.Get(part.query), args...)
		if err != nil {
			return out, fmt.Errorf("audit: %w", err)
		}
		for rows.Next() {
			var t Tally
			if err := rows.Scan(&t.Name, &t.Count); err != nil {
				rows.Close()
				return out, err
			}
			*part.into = append(*part.into, t)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return out, err
		}
	}
	for _, t := range out.Actions {
		out.Count += t.Count
	}
	if most <= 0 {
		most = int(max(out.Count, 1))
	}
	rows, err := tx.Query(ctx, queries.Get("extract_entries"), append(args, most)...)
	if err != nil {
		return out, fmt.Errorf("audit: %w", err)
	}
	defer rows.Close()
	out.Entries, err = scan(rows)
	return out, err
}
