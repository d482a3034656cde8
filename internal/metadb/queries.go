package metadb

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed queries.sql
var queriesSQL string

var queries = MustParseQueries(queriesSQL)

// Queries are named statements of one queries.sql.
type Queries map[string]string

// ParseQueries reads blocks that begin with "-- name: x" and end with the next.
func ParseQueries(text string) (Queries, error) {
	q := Queries{}
	for i, block := range strings.Split("\n"+text, "\n-- name: ") {
		if i == 0 {
			continue // what stands before the first name
		}
		name, body, _ := strings.Cut(block, "\n")
		name, body = strings.TrimSpace(name), strings.TrimSuffix(strings.TrimSpace(body), ";")
		if name == "" || body == "" {
			return nil, fmt.Errorf("queries: block %d (%q) has no name or no statement", i, name)
		}
		if _, twice := q[name]; twice {
			return nil, fmt.Errorf("queries: %q stands twice", name)
		}
		q[name] = body
	}
	return q, nil
}

// MustParseQueries is ParseQueries for embedded files, whose faults show at start-up.
func MustParseQueries(text string) Queries {
	q, err := ParseQueries(text)
	if err != nil {
		panic(err)
	}
	return q
}

// Get returns the named statement. A missing name is a programmer's mistake and panics.
func (q Queries) Get(name string) string {
	text, ok := q[name]
	if !ok {
		panic(fmt.Sprintf("queries: no statement %q", name))
	}
	return text
}
