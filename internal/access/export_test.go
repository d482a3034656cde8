package access

import "github.com/moatmetrics/moatmetrics/internal/metadb"

// NamedQueries are the statements of this package.
func NamedQueries() metadb.Queries { return queries }
