package metadb

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Migrations are forward-only, one change each, never edited once released.
//
//go:embed migrations
var migrations embed.FS

// Migrate brings the schema up to this version. Two processes may start at once: on
// SQLite the write lock and on PostgreSQL an advisory lock lets one go first.
func (db *DB) Migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, "migrations/"+string(db.engine))
	if err != nil {
		return err
	}
	var pool *sql.DB
	var opts []goose.ProviderOption
	dialect := goose.DialectSQLite3
	if db.engine == Postgres {
		dialect = goose.DialectPostgres
		pool = stdlib.OpenDBFromPool(db.pool)
		defer pool.Close()
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	} else {
		pool = db.writer
	}
	provider, err := goose.NewProvider(dialect, pool, dir, opts...)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err = provider.Up(ctx); err != nil {
		// A second process may have migrated the same file at the same moment.
		if _, again := provider.Up(ctx); again != nil {
			return dbFault(fmt.Errorf("migrations: %w", err))
		}
	}
	return nil
}
