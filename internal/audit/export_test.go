package audit

import (
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// NamedQueries lets the tests prepare every statement on both engines.
func NamedQueries() metadb.Queries { return queries }

// HashOf is the hash that an entry must have, for tests that forge one.
func HashOf(t tenant.Slug, e Entry) string { return new(digester).hash(string(t), &e) }

// SealOf is the seal of an entry's content.
func SealOf(e Entry) string { return new(digester).seal(&e) }
