package notice

import "github.com/moatmetrics/moatmetrics/internal/metadb"

// NamedQueries lets the tests prepare every statement on both engines.
func NamedQueries() metadb.Queries { return queries }
