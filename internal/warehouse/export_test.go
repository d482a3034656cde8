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
