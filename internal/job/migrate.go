package job

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// Migrate brings the queue's own tables up to date. Several processes may start at once:
// the library takes no lock, so on PostgreSQL we take one, and on SQLite who comes second
// tries again with what the first has left to do.
func (q *Queue) Migrate(ctx context.Context) error {
	var err error
	if q.pg != nil {
		err = q.migratePostgres(ctx)
	} else {
		err = q.migrateSQLite(ctx)
	}
	if err != nil {
		return fmt.Errorf("job queue: %w", err)
	}
	return nil
}

func (q *Queue) migratePostgres(ctx context.Context) error {
	pool := q.db.Driver().(*pgxpool.Pool)
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: q.log})
	if err != nil {
		return err
	}
	if current, err := isCurrent(ctx, m); err != nil || current {
		return err
	}
	// A connection beside the pool, which may be as small as one: the lock lives as long as
	// the connection, also when this process dies.
	conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, queries.Get("lock_migration_postgres")); err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (q *Queue) migrateSQLite(ctx context.Context) error {
	m, err := rivermigrate.New(riversqlite.New(q.db.Driver().(*sql.DB)), &rivermigrate.Config{Logger: q.log})
	if err != nil {
		return err
	}
	for failedAt := -1; ; {
		if current, err := isCurrent(ctx, m); err != nil || current {
			return err
		}
		before, err := m.ExistingVersions(ctx)
		if err != nil {
			return err
		}
		if _, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil); err == nil {
			return nil
		}
		// The cause was another process only if it has moved the tables since.
		if len(before) <= failedAt || ctx.Err() != nil {
			return err
		}
		failedAt = len(before)
	}
}

// isCurrent tells whether nothing is left to do, without waiting for a writer.
func isCurrent[T any](ctx context.Context, m *rivermigrate.Migrator[T]) (bool, error) {
	there, err := m.ExistingVersions(ctx)
	return len(there) == len(m.AllVersions()), err
}
