package metadb

// NamedQueries lets the tests prepare every statement on both engines.
func NamedQueries() Queries { return queries }
