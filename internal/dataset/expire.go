package dataset

import (
	"context"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// OldOriginals counts the originals of imports that were last used before an instant.
func (s *Service) OldOriginals(ctx context.Context, scope tenant.Scope, before time.Time) (int64, error) {
	return s.count(ctx, scope, "old_originals", before)
}

// OldRejects counts the rejected rows of imports that ended before an instant.
func (s *Service) OldRejects(ctx context.Context, scope tenant.Scope, before time.Time) (int64, error) {
	return s.count(ctx, scope, "old_rejects", before)
}

func (s *Service) count(ctx context.Context, scope tenant.Scope, query string, before time.Time) (n int64, err error) {
	if err := scope.Whole("imports"); err != nil {
		return 0, err
	}
	err = s.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get(query), []any{string(scope.Tenant), metadb.Now(before)}, &n)
	})
	return n, err
}

// DeleteRejects removes the rejected rows of imports that ended before an instant, in the
// caller's transaction; that there were some, the imports still say.
func (s *Service) DeleteRejects(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, before time.Time) (int64, error) {
	if err := scope.Whole("rejected rows"); err != nil {
		return 0, err
	}
	n, err := tx.Exec(ctx, queries.Get("delete_old_rejects"), string(scope.Tenant), metadb.Now(before))
	if err != nil {
		return 0, fmt.Errorf("rejected rows: %w", err)
	}
	return n, nil
}

// Uploads lists the files that are kept, their names and hashes, oldest first.
func (s *Service) Uploads(ctx context.Context, scope tenant.Scope) ([]Upload, error) {
	if err := scope.Whole("uploads"); err != nil {
		return nil, err
	}
	var ids []string
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		ids = nil
		rows, err := tx.Query(ctx, queries.Get("list_uploads"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("uploads: %w", err)
	}
	out := make([]Upload, 0, len(ids))
	for _, id := range ids {
		u, err := s.UploadOf(ctx, scope, id)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

// UploadFile is where the bytes of an upload are.
func (s *Service) UploadFile(scope tenant.Scope, id string) (string, error) {
	if err := scope.Whole("uploads"); err != nil {
		return "", err
	}
	return s.uploadPath(scope, id)
}

// ForgetUpload removes the record of an upload, in the caller's transaction; the caller
// removes its file afterwards.
func (s *Service) ForgetUpload(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string) error {
	if err := scope.Whole("uploads"); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, queries.Get("forget_upload"), string(scope.Tenant), id)
	return err
}

// DatasetsOf are the datasets that the tenant's imports of a file with that hash went to.
func (s *Service) DatasetsOf(ctx context.Context, scope tenant.Scope, sha256 string) ([]string, error) {
	if err := scope.Whole("imports"); err != nil {
		return nil, err
	}
	var out []string
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, queries.Get("datasets_of_file"), string(scope.Tenant), sha256)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			out = append(out, name)
		}
		return rows.Err()
	})
	return out, err
}
