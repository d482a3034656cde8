package metadb_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

func TestParseQueries(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, text string
		want       metadb.Queries
		fault      string
	}{
		{name: "an empty file", text: "", want: metadb.Queries{}},
		{name: "what stands before the first name is a comment", text: "-- about\n-- name: a\nSELECT 1;\n", want: metadb.Queries{"a": "SELECT 1"}},
		{name: "two statements, the first with a comment", text: "-- name: a\n-- One.\nSELECT 1;\n\n-- name: b\nSELECT 2;", want: metadb.Queries{"a": "-- One.\nSELECT 1", "b": "SELECT 2"}},
		{name: "a semicolon inside stays", text: "-- name: a\nSELECT ';' ;", want: metadb.Queries{"a": "SELECT ';' "}},
		{name: "Windows line ends", text: "-- name: a\r\nSELECT 1;\r\n-- name: b\r\nSELECT 2;\r\n", want: metadb.Queries{"a": "SELECT 1", "b": "SELECT 2"}},
		{name: "no statement", text: "-- name: a\n\n-- name: b\nSELECT 2;", fault: `"a"`},
		{name: "no name", text: "-- name: \nSELECT 1;", fault: "no name"},
		{name: "the same name twice", text: "-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;", fault: "twice"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := metadb.ParseQueries(c.text)
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Fatalf("got %v, want an error with %q", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseQueries(f *testing.F) {
	f.Add("-- name: a\nSELECT 1;\n-- name: b\nSELECT 2;")
	f.Add("-- name: \n-- name: a\n;")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := metadb.ParseQueries(text)
		if err != nil {
			return
		}
		for name, body := range q {
			if strings.TrimSpace(name) == "" || strings.TrimSpace(body) == "" {
				t.Errorf("%q: %q", name, body)
			}
		}
	})
}
