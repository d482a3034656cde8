package warehouse

import "github.com/moatmetrics/moatmetrics/internal/metadb"

// NamedQueries lets the tests prepare every statement on both engines.
func NamedQueries() metadb.Queries { return queries }

// HoldOnly bounds the rows held in memory and returns how many are held.
func (w *Warehouse) HoldOnly(rows int64) func() int64 {
	w.held.room = rows
	return func() int64 {
		w.held.mu.Lock()
		defer w.held.mu.Unlock()
		return w.held.rows
	}
}

// HeldUsers returns how many running statements the relations held in memory count.
func (w *Warehouse) HeldUsers() int {
	w.held.mu.Lock()
	defer w.held.mu.Unlock()
	n := 0
	for _, t := range w.held.tables {
		n += t.users
	}
	return n
}

// HeldTables returns how many relations are held, and how many tables of that kind the
// engine has.
func (w *Warehouse) HeldTables() (known, made int, err error) {
	w.held.mu.Lock()
	defer w.held.mu.Unlock()
	err = w.engine.db.QueryRow("SELECT count(*) FROM duckdb_tables() WHERE starts_with(table_name, '" + heldRelation + "')").Scan(&made)
	return len(w.held.tables), made, err
}
