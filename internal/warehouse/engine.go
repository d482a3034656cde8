package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

const defaultMaxRows = 100_000

// engine is the embedded DuckDB: in memory, locked down to the data directory, bounded.
type engine struct {
	db      *sql.DB
	readers chan struct{}
	timeout time.Duration
	log     *slog.Logger
}

// openEngine starts an in-memory DuckDB that can read and write below dir and nowhere
// else, cannot load extensions, and cannot be configured any more.
func openEngine(ctx context.Context, dir string, opt Options) (*engine, error) {
	threads := opt.Threads
	if threads <= 0 {
		threads = runtime.NumCPU()
	}
	memory := opt.MemoryMB
	if memory <= 0 {
		memory = 800
	}
	readers := opt.Readers
	if readers <= 0 {
		readers = 2 * threads
	}
	timeout := opt.Timeout
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("query engine: %w", err)
	}
	db := sql.OpenDB(connector)
	spill := filepath.Join(dir, "tmp", "spill")
	for _, set := range []string{
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET TimeZone = 'UTC'",
		"SET threads = " + strconv.Itoa(threads),
		"SET memory_limit = '" + strconv.Itoa(memory) + "MB'",
		"SET temp_directory = " + QuoteText(spill),
		"SET parquet_metadata_cache = true",
		"SET allowed_directories = [" + QuoteText(dir+string(filepath.Separator)) + "]",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	} {
		if _, err := db.ExecContext(ctx, set); err != nil {
			db.Close()
			return nil, fmt.Errorf("query engine: %s: %w", set, err)
		}
	}
	db.SetMaxIdleConns(readers)
	return &engine{db: db, readers: make(chan struct{}, readers), timeout: timeout, log: opt.Log}, nil
}

func (e *engine) close() error { return e.db.Close() }

// query runs one bounded SELECT and returns its whole result, or gives its rows to each.
func (e *engine) query(ctx context.Context, text string, args []any, maxRows int, each func([]any)) (*Rows, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.timeout, errStatementTimeout)
	defer cancel()
	done, err := e.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	start := time.Now()
	rows, err := queryRows(ctx, e.db, text, args, maxRows, each)
	if d := time.Since(start); d > time.Second {
		e.log.InfoContext(ctx, "slow statement", slog.Duration("elapsed", d), slog.Int("bytes", len(text)))
	}
	return rows, err
}

// reader waits for one of the places of statements that run at once.
func (e *engine) reader(ctx context.Context) (done func(), err error) {
	select {
	case e.readers <- struct{}{}:
		return func() { <-e.readers }, nil
	case <-ctx.Done():
		return nil, engineFault(ctx, ctx.Err())
	}
}

var errStatementTimeout = errors.New("statement timeout")

// querier is a database or one of its connections.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// queryRows reads a whole result, or gives its rows to each; more than maxRows (0: no cap)
// is a TooLarge fault.
func queryRows(ctx context.Context, q querier, text string, args []any, maxRows int, each func([]any)) (*Rows, error) {
	out, n := &Rows{}, 0
	if each == nil {
		each = func(row []any) { out.Rows = append(out.Rows, row) }
	}
	err := eachRow(ctx, q, text, args, func(columns []ResultColumn) { out.Columns = columns }, func(row []any) error {
		if n++; maxRows > 0 && n > maxRows {
			return fault.Newf(fault.TooLarge, "the result has more than %d rows: narrow the period, add a filter or ask for fewer dimensions", maxRows)
		}
		each(row)
		return nil
	})
	return out, err
}

// eachRow streams a result; fn owns the row it gets.
func eachRow(ctx context.Context, q querier, text string, args []any, head func([]ResultColumn), fn func([]any) error) error {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return engineFault(ctx, err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return engineFault(ctx, err)
	}
	columns := make([]ResultColumn, len(types))
	for i, t := range types {
		columns[i] = ResultColumn{Name: t.Name(), Type: Type(t.DatabaseTypeName())}
	}
	if head != nil {
		head(columns)
	}
	scan := make([]any, len(columns))
	for rows.Next() {
		row := make([]any, len(columns))
		for i := range row {
			scan[i] = &row[i]
		}
		if err := rows.Scan(scan...); err != nil {
			return engineFault(ctx, err)
		}
		for i, v := range row {
			row[i] = plain(v)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return engineFault(ctx, rows.Err())
}

// plain turns the driver's values into the few kinds that Rows promises.
func plain(v any) any {
	switch v := v.(type) {
	case duckdb.Decimal:
		return shortDecimal(v.Value, int32(v.Scale))
	case *big.Int:
		return decimal.NewFromBigInt(v, 0)
	case duckdb.UUID:
		return v.String()
	case []byte:
		// A 16-byte value from a UUID column arrives as bytes; text never does.
		if len(v) == 16 {
			id := duckdb.UUID(v)
			return id.String()
		}
		return string(v)
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case int:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		return decimal.NewFromBigInt(new(big.Int).SetUint64(v), 0)
	case float32:
		return float64(v)
	case time.Time:
		return v.UTC()
	}
	return v
}

// shortDecimal returns value / 10^scale without trailing zeros, which sums of products
// have many of and all later arithmetic would carry along.
func shortDecimal(value *big.Int, scale int32) decimal.Decimal {
	if !value.IsInt64() {
		return decimal.NewFromBigInt(value, -scale)
	}
	n := value.Int64()
	for scale > 0 && n%10 == 0 {
		n /= 10
		scale--
	}
	return decimal.New(n, -scale)
}

// engineFault gives an engine's error its kind: the caller's limits and the disk are not
// our defects.
func engineFault(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errStatementTimeout):
		return fault.Wrapf(fault.TooLarge, err, "the query took longer than allowed: narrow the period or add a filter")
	case ctx.Err() != nil:
		return fault.Wrapf(fault.Canceled, err, "the query was canceled")
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "No space left on device"), strings.Contains(text, "Could not write all bytes"), strings.Contains(text, "disk quota"):
		return fault.Wrapf(fault.Unavailable, err, "the disk that holds the data directory is full: free some space and try again; nothing was changed")
	case strings.Contains(text, "Out of Memory"):
		return fault.Wrapf(fault.TooLarge, err, "the work needs more memory than allowed: raise memory_mb in the configuration or narrow the request")
	case os.IsPermission(err):
		return fault.Wrapf(fault.Unavailable, err, "the data directory may not be written: check its owner and permissions")
	}
	return fmt.Errorf("query engine: %w", err)
}

// QuoteIdent returns name as a SQL identifier.
func QuoteIdent(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// QuoteText returns s as a SQL text literal. Values of users are bound, not quoted; this
// is for paths and for our own constants.
func QuoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
