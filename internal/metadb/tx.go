package metadb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Tx is a transaction. It is used by one goroutine.
type Tx struct {
	engine Engine
	lite   *sql.Tx
	pg     pgx.Tx
}

// Engine returns the program behind the transaction.
func (tx *Tx) Engine() Engine { return tx.engine }

// Driver returns the *sql.Tx or pgx.Tx. Only package job may ask.
func (tx *Tx) Driver() any {
	if tx.engine == Postgres {
		return tx.pg
	}
	return tx.lite
}

// Exec runs a statement and returns how many rows it touched.
func (tx *Tx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	if tx.engine == Postgres {
		tag, err := tx.pg.Exec(ctx, text, args...)
		return tag.RowsAffected(), linked(err)
	}
	res, err := tx.lite.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, kinded(ended(ctx, err))
	}
	n, err := res.RowsAffected()
	return n, kinded(err)
}

// Query runs a statement that yields rows. The caller closes them before the next
// statement of the transaction.
func (tx *Tx) Query(ctx context.Context, text string, args ...any) (*Rows, error) {
	if tx.engine == Postgres {
		rows, err := tx.pg.Query(ctx, text, args...)
		if err != nil {
			return nil, linked(err)
		}
		return &Rows{pg: rows}, nil
	}
	rows, err := tx.lite.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, kinded(ended(ctx, err))
	}
	return &Rows{lite: rows}, nil
}

// One runs a statement that yields one row and scans it; none is ErrNoRow.
func (tx *Tx) One(ctx context.Context, text string, args []any, dest ...any) error {
	var err error
	if tx.engine == Postgres {
		err = tx.pg.QueryRow(ctx, text, args...).Scan(dest...)
	} else {
		err = tx.lite.QueryRowContext(ctx, text, args...).Scan(dest...)
	}
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, pgx.ErrNoRows) {
		return ErrNoRow
	}
	if tx.engine == Postgres {
		return linked(err)
	}
	return kinded(ended(ctx, err))
}

// Rows is the result of Query.
type Rows struct {
	lite *sql.Rows
	pg   pgx.Rows
}

// Next moves to the next row.
func (r *Rows) Next() bool {
	if r.pg != nil {
		return r.pg.Next()
	}
	return r.lite.Next()
}

// Scan reads the row's columns; a column that may be null needs a pointer to a pointer.
func (r *Rows) Scan(dest ...any) error {
	if r.pg != nil {
		return r.pg.Scan(dest...)
	}
	return r.lite.Scan(dest...)
}

// Err returns the error that ended the rows, if any.
func (r *Rows) Err() error {
	if r.pg != nil {
		return linked(r.pg.Err())
	}
	return kinded(r.lite.Err())
}

// Close releases the rows; it may be called twice.
func (r *Rows) Close() {
	if r.pg != nil {
		r.pg.Close()
		return
	}
	r.lite.Close()
}
