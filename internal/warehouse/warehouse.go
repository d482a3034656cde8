// Package warehouse keeps a tenant's facts: immutable Parquet files, the DuckLake
// catalog that says which of them make up a snapshot, and the embedded DuckDB that
// reads them.
//
// It owns files, snapshots, the commit protocol, merging by row key, roll-up rebuilds,
// rollback, sweeping, verification, and running statements within bounds. It does not own
// what a table means (dataset) or what a number means (metric): it knows tables, never
// metrics.
//
// Nouns. A Table has columns with stable ids and, if dated, is cut into parts: a month
// each, or a year for its small months. A Snapshot is a number; the snapshot of a tenant
// is the last one that changed the tenant's data. A Session is a scratch database in
// which an import prepares rows; Commit merges them and makes one new snapshot.
package warehouse

import (
	"context"
	"log/slog"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Snapshot numbers a state of the data; ids are unique over the whole catalog. 0 is the
// state before anything was stored.
type Snapshot int64

// Type is a column's type, written as DuckDB writes it: VARCHAR, BOOLEAN, BIGINT, UUID,
// DATE, TIMESTAMP, DECIMAL(18,4), DECIMAL(18,6), DECIMAL(9,4), DECIMAL(38,10), …
type Type string

// Column is one column of a table. ID is its Parquet field id: stable, unique in the
// table, never used again for another column.
type Column struct {
	ID   int
	Name string
	Type Type
}

// Table declares a stored table. Every table has the key column "row_id" (UUID).
type Table struct {
	Name    string
	Columns []Column
	// Month names the DATE column that places a row in a month; "" for undated tables.
	Month string
	// Effective tables hold one row per entity and first day: Upsert fills valid_from and
	// row_id itself (see Staged).
	Effective bool
	// Provenance names columns that do not count as a change when only they differ.
	Provenance []string
}

// Rollup declares a table of sums that are computed from others and belong to the same
// snapshot.
type Rollup struct {
	// Table has no row_id; its Month must be set. The first Keys columns say what the others,
	// sums, are grouped by.
	Table Table
	Keys  int
	// Source is the dated table it follows: the months touched there are rebuilt here.
	Source string
	// Joins are the other tables that Rows reads; any change in them rebuilds all months.
	Joins []string
	// Rows is the SELECT whose rows are summed: it yields the columns of Table and perhaps
	// more. It names its tables plainly; Source is already limited to the months being
	// rebuilt. Roll-ups of the same rows are computed in one pass over them.
	Rows string
}

// Schema is everything a warehouse stores.
type Schema struct {
	Tables  []Table
	Rollups []Rollup
}

// Options tunes a Warehouse. The zero value is ready to use.
type Options struct {
	// MemoryMB bounds the engine's memory. Zero means 800.
	MemoryMB int
	// Threads bounds the engine's threads. Zero means the number of processors.
	Threads int
	// Readers bounds the statements that run at once; others wait. Zero means 2 per thread.
	Readers int
	// Timeout bounds one statement, waiting included. Zero means 30 s. Imports are not bound by it.
	Timeout time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log receives slow statements and sweeps. Nil discards.
	Log *slog.Logger
}

// Staged is a relation of a Session whose rows Commit merges into Table.
//
// It has exactly the table's columns, by name. In a plain table row_id must be set and
// unique in the relation. In an Effective table row_id is ignored; source_system and
// source_id identify the entity; a null valid_from means "from now on": the first row of
// an entity then holds since ever, a row equal to the current one changes nothing, and a
// differing one begins on Change.Today. valid_from given is taken as it is.
type Staged struct {
	Table    string
	Relation string
	// Replace, when set, is a SQL condition over the table's columns: current rows that meet
	// it and are not in the relation are deleted (a source that says so; see design 6).
	Replace string
	// OwnRecords says that each row is a record of its own; Beside that the rows belong to
	// records of the change's first relation, or to none. Both save counting.
	OwnRecords, Beside bool
	// Exact says that the rows of an Effective table are taken as they are, row_id and
	// valid_from included: rows that were stored before.
	Exact bool
	// Group tells the rows of one file from those of another: Outcome.Groups counts them apart.
	Group int
}

// Change is one unit of new facts: everything in it commits or nothing does.
type Change struct {
	Session *Session
	Staged  []Staged
	Today   quantity.Day // the tenant's day, for effective rows without a date
	Kind    string       // "import", …: kept with the snapshot
	Message string       // for people: kept with the snapshot
	// Within runs in the commit's own transaction, after the catalog rows: the import
	// record, the audit event and the follow-up job commit with the facts or not at all. It
	// runs also when nothing changed (then Outcome.Snapshot is the current one). It may run
	// more than once; only the last run counts.
	Within func(ctx context.Context, tx *metadb.Tx, out Outcome) error
}

// Counts is what a commit did, in distinct values of the staged "record" column: a record
// is added when all its rows are new, unchanged when all were there as they are, updated
// otherwise.
type Counts struct {
	Added, Updated, Unchanged int64
	// Deleted counts stored rows that a Replace condition removed, side tables left out.
	Deleted int64
}

// Outcome is the result of a commit.
type Outcome struct {
	Snapshot Snapshot // the new snapshot, or the current one when nothing changed
	Changed  bool
	Counts   Counts
	Groups   map[int]Counts // by Staged.Group
	Bytes    int64          // bytes of Parquet written, roll-ups included
	Months   []quantity.Day
}

// SnapshotInfo describes a snapshot for people.
type SnapshotInfo struct {
	ID      Snapshot
	At      time.Time
	Kind    string
	Author  string
	Message string
	Rows    map[string]int64 // stored rows by table in this snapshot, roll-ups left out
}

// TableInfo describes a table in a snapshot.
type TableInfo struct {
	Name   string
	Rows   int64
	Bytes  int64
	Files  int
	Months []quantity.Day // first and last month that hold rows; empty when undated or empty
}

// TableUse names a table that a statement reads and, when dated, the part it needs:
// files outside [From, To) are not opened. It does not filter rows.
type TableUse struct {
	Name string
	quantity.Period
}

// Helper is a relation made of whole tables, such as labels, that a statement can name.
// It is worked out once and kept in memory while its tables are small and do not change.
type Helper struct {
	Name   string
	Tables []string // the tables it reads
	SQL    string   // SELECT, or WITH … SELECT
	Of     []Helper // others that it reads beside tables
	// Sums says that it has far fewer rows than its tables: it is kept in memory however
	// large they are, unless it has more than MaxSums rows itself.
	Sums bool
}

// Statement is a SELECT over a tenant's tables in one snapshot. SQL names tables plainly
// (FROM time_entries) and binds values as $1, $2, …; it must not come from a user.
type Statement struct {
	Snapshot Snapshot // 0 means the current one
	Uses     []TableUse
	Helpers  []Helper
	SQL      string
	Args     []any
	// Blends say, for tables that should not be as in Snapshot, which of the differences from
	// an earlier snapshot are there. A table that is not named is as in Snapshot. Roll-ups are
	// never blended: read the tables that they are made of.
	Blends map[string]Blend
	// MaxRows caps the result; more is a TooLarge fault, never a cut. Zero means 100,000.
	MaxRows int
	// Obeys is the Key of the rights that the statement itself keeps to: it reads no row and
	// no column that they hide. A scope with other rights is refused, so that a statement
	// whose author thought of none answers nobody who is limited.
	Obeys string
	// Each, when set, gets the rows as they come and may keep them; Rows.Rows stays empty.
	Each func(row []any)
}

// ResultColumn is a column of a result.
type ResultColumn struct {
	Name string
	Type Type
}

// Rows is a whole result in memory. Values are nil, string, bool, int64, float64,
// time.Time (DATE and TIMESTAMP, UTC), quantity.Decimal (DECIMAL and HUGEINT).
type Rows struct {
	Columns  []ResultColumn
	Rows     [][]any
	Snapshot Snapshot
}

// Problem is something Verify found.
type Problem struct {
	What   string // "missing file", "checksum", "row count", "roll-up", …
	Where  string
	Detail string
}
