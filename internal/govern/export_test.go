package govern

import "github.com/moatmetrics/moatmetrics/internal/metadb"

// NamedQueries lets the tests prepare every statement on both engines.
func NamedQueries() metadb.Queries { return queries }

// ControlColumns lists the declared columns of the control database.
func ControlColumns() []string {
	var out []string
	for _, t := range controlTables {
		for _, c := range t.columns {
			out = append(out, t.name+"."+c.name)
		}
	}
	return out
}
