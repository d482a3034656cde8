package dataset

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Import is a recorded import.
type Import struct {
	ID         int64        `json:"id"`
	SHA256     string       `json:"sha256"` // of the file as it came
	Bytes      int64        `json:"bytes"`
	StartedAt  time.Time    `json:"started_at"`
	FinishedAt time.Time    `json:"finished_at"`
	Actor      tenant.Actor `json:"actor"`
	Status     string       `json:"status"` // "committed", "unchanged", "empty" or "undone"
	Result     ImportResult `json:"result"` // without rejects: Service.Rejects lists them
}

// RejectPage is a part of an import's rejected rows. Next is the ordinal to go on from, 0
// at the end.
type RejectPage struct {
	Rejects []Reject
	Next    int64
}

// Imports lists a tenant's imports before an id (0: from the newest), newest first, at
// most limit of them.
func (s *Service) Imports(ctx context.Context, scope tenant.Scope, limit int, before int64) ([]Import, error) {
	if err := scope.Whole("imports"); err != nil {
		return nil, err
	}
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if before <= 0 {
		before = math.MaxInt64
	}
	var out []Import
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_imports"), string(scope.Tenant), before, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			i, err := scanImport(rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, i)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("imports: %w", err)
	}
	return out, nil
}

// Record returns one recorded import, a NotFound fault when the tenant has none of that id.
func (s *Service) Record(ctx context.Context, scope tenant.Scope, id int64) (Import, error) {
	if err := scope.Whole("imports"); err != nil {
		return Import{}, err
	}
	if err := scope.Check(); err != nil {
		return Import{}, err
	}
	var out Import
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		var err error
		out, err = scanImport(func(dest ...any) error {
			return tx.One(ctx, queries.Get("get_import"), []any{string(scope.Tenant), id}, dest...)
		})
		return err
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return Import{}, fault.Newf(fault.NotFound, "there is no import %d", id)
	}
	if err != nil {
		return Import{}, fmt.Errorf("import %d: %w", id, err)
	}
	return out, nil
}

func scanImport(scan func(dest ...any) error) (Import, error) {
	var i Import
	var started, finished, actor, summary string
	if err := scan(&i.ID, &i.SHA256, &i.Bytes, &started, &finished, &actor, &i.Status, &summary); err != nil {
		return i, err
	}
	i.Actor = tenant.Actor(actor)
	var err error
	if i.StartedAt, err = metadb.ParseTime(started); err != nil {
		return i, err
	}
	if i.FinishedAt, err = metadb.ParseTime(finished); err != nil {
		return i, err
	}
	return i, json.Unmarshal([]byte(summary), &i.Result)
}

// Rejects pages through the rejected rows of an import in the order of the file; after is
// 0 or the Next of the page before.
func (s *Service) Rejects(ctx context.Context, scope tenant.Scope, id, after int64, limit int) (RejectPage, error) {
	if err := scope.Whole("rejected rows"); err != nil {
		return RejectPage{}, err
	}
	if _, err := s.Record(ctx, scope, id); err != nil {
		return RejectPage{}, err
	}
	var page RejectPage
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		page = RejectPage{}
		rows, err := tx.Query(ctx, queries.Get("list_rejects"), string(scope.Tenant), id, after, limit+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		var last int64
		for rows.Next() {
			var r Reject
			var ordinal int64
			if err := rows.Scan(&ordinal, &r.Record, &r.Line, &r.Column, &r.Value, &r.Code, &r.Message, &r.Suggestion, &r.Row); err != nil {
				return err
			}
			if len(page.Rejects) == limit {
				page.Next = last
				break
			}
			page.Rejects, last = append(page.Rejects, r), ordinal
		}
		return rows.Err()
	})
	if err != nil {
		return RejectPage{}, fmt.Errorf("rejects of import %d: %w", id, err)
	}
	return page, nil
}

// salt returns the tenant's secret for pseudonyms: 128 random bits made at first use.
func (s *Service) salt(ctx context.Context, scope tenant.Scope) (string, error) {
	fresh := make([]byte, 16)
	if _, err := rand.Read(fresh); err != nil {
		return "", fmt.Errorf("pseudonym salt: %w", err)
	}
	key := "staff_salt:" + string(scope.Tenant)
	var salt string
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("control_value"), []any{key}, &salt)
	})
	if errors.Is(err, metadb.ErrNoRow) {
		err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
			if _, err := tx.Exec(ctx, queries.Get("keep_control"), key, hex.EncodeToString(fresh)); err != nil {
				return err
			}
			return tx.One(ctx, queries.Get("control_value"), []any{key}, &salt)
		})
	}
	if err != nil {
		return "", fmt.Errorf("pseudonym salt: %w", err)
	}
	return salt, nil
}

// today returns the tenant's day.
func (s *Service) today(ctx context.Context, scope tenant.Scope) (quantity.Day, error) {
	zone := "UTC"
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("tenant_zone"), []any{string(scope.Tenant)}, &zone)
	})
	if err != nil && !errors.Is(err, metadb.ErrNoRow) {
		return quantity.Day{}, fmt.Errorf("tenant: %w", err)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return quantity.DayOf(s.now().In(loc)), nil
}

// rejectBatch is how many rejects are written in one transaction; more than that are
// written before the commit, under the same import.
const rejectBatch = 10_000

func insertRejects(ctx context.Context, tx *metadb.Tx, importID, first int64, rejects []Reject) error {
	for i, r := range rejects {
		if _, err := tx.Exec(ctx, queries.Get("insert_reject"), importID, first+int64(i), r.Record, r.Line, metadb.Text(r.Column), metadb.Text(r.Value), r.Code, metadb.Text(r.Message), metadb.Text(r.Suggestion), metadb.Text(r.Row)); err != nil {
			return err
		}
	}
	return nil
}
