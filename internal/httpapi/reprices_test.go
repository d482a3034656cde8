package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestRepricesAndReconciliationsAreAnswered(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for path, want := range map[string]string{
		"/api/v1/reprices":                      `"items":[]`,
		"/api/v1/reconciliations":               `"revenue":[]`,
		"/api/v1/reprices?margin=0.5&rate=150":  `"margin":"0.5"`,
		"/api/v1/reprices?cap=0.1&efficiency=2": `"efficiency":"2"`,
	} {
		if a := get(t, s, path); a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for path, want := range map[string]string{
		"/api/v1/reprices?margin=much":        "margin is not a number",
		"/api/v1/reprices?margin=1":           "below 1",
		"/api/v1/reconciliations?from=monday": "monday",
	} {
		if a := get(t, s, path); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
