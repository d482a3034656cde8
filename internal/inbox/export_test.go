package inbox

import (
	"context"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Queries are prepared on both engines by a test.
var Queries = queries

// FetchOnly does a run as far as its files are here, as if the process died then.
func (s *Service) FetchOnly(ctx context.Context, scope tenant.Scope, id string) error {
	return s.partly(ctx, scope, id, (*run).fetchNew)
}

// ImportOnly does a run as far as its imports are committed, as if the process died then.
func (s *Service) ImportOnly(ctx context.Context, scope tenant.Scope, id string) error {
	return s.partly(ctx, scope, id, (*run).fetchNew, (*run).importFetched)
}

// SettleUnrecorded does a run, as if the process died between a move and its record.
func (s *Service) SettleUnrecorded(ctx context.Context, scope tenant.Scope, id string) error {
	err := s.partly(ctx, scope, id, (*run).fetchNew, (*run).importFetched, (*run).settle)
	if err != nil {
		return err
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE source_file SET settled = 0, moved_to = '' WHERE source_id = $1", id)
		return err
	})
}

func (s *Service) partly(ctx context.Context, scope tenant.Scope, id string, steps ...func(*run, context.Context) error) error {
	src, err := s.Source(ctx, scope, id)
	if err != nil {
		return err
	}
	r := &run{Service: s, scope: scope, src: src}
	if r.place, err = s.dial(ctx, scope, src); err != nil {
		return err
	}
	defer r.place.Close()
	for _, step := range steps {
		if err := step(r, ctx); err != nil {
			return err
		}
	}
	return nil
}

// Param reads a MIME parameter as IMAP servers hand it on.
var Param = param

// Decode undoes the encoding of an attachment.
var Decode = decode

// FileName is the name of a part's file.
var FileName = fileName
