package metadb

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Migrations are forward-only, one change each, never edited once released.
//
//go:embed migrations
var migrations embed.FS

// Migrate brings the schema up to this version. Several processes may start at once: on
// PostgreSQL an advisory lock lets one go first, on SQLite who comes second tries again
// with what the first has left to do. A schema of a newer version is refused as Invalid.
func (db *DB) Migrate(ctx context.Context) error {
	failedAt := int64(-1)
	for {
		from, err := db.migrate(ctx)
		if err == nil {
			return nil
		}
		// The cause was another process only if it has moved the schema since.
		if from <= failedAt || fault.KindOf(err) == fault.Invalid || ctx.Err() != nil {
			return fmt.Errorf("migrations: %w", kinded(err))
		}
		failedAt = from
	}
}

// migrate tries once and returns the version it started from, 0 when that is not known.
func (db *DB) migrate(ctx context.Context) (from int64, err error) {
	dir, err := fs.Sub(migrations, "migrations/"+string(db.engine))
	if err != nil {
		return 0, err
	}
	dialect, pool, opts := goose.DialectSQLite3, db.writer, []goose.ProviderOption(nil)
	if db.engine == Postgres {
		dialect, pool = goose.DialectPostgres, stdlib.OpenDBFromPool(db.pool)
		defer pool.Close()
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // ask every second, 300 times
		if err != nil {
			return 0, err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, pool, dir, opts...)
	if err != nil {
		return 0, err
	}
	from, known, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return 0, err
	case from > known:
		return from, fault.Newf(fault.Invalid, "the control database belongs to a newer version of moatmetrics (schema %d, this one knows %d): start the newer one", from, known)
	case from < known:
		_, err = provider.Up(ctx)
	}
	return from, err
}
