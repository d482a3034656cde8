package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestRisksAreAnswered(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for path, want := range map[string]string{
		"/api/v1/client-risks":              `"not_in_it":["when the client's contract ends`,
		"/api/v1/project-risks":             `"dataset":"projects"`,
		"/api/v1/project-risks?to=2026-07":  `"projects":[]`,
		"/api/v1/client-risks?from=2026-01": `"kind":"rules"`,
	} {
		if a := get(t, s, path); a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/api/v1/client-risks?from=monday", "/api/v1/project-risks?to=monday"} {
		if a := get(t, s, path); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "monday") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
