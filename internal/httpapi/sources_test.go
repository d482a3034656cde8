package httpapi_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/inbox"
)

func TestASourceIsMadeTestedRunAndItsBadFileReleased(t *testing.T) {
	t.Parallel()
	s := serve(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"clients.csv": "client_name,industry\nAcorn,Legal\n", "odd.csv": "foo,bar\nBirch,Health\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src := sent[inbox.Source](t, s, http.MethodPost, "/api/v1/sources", fmt.Sprintf(`{"name":"psa","kind":"folder","settings":{"path":%q},"after":"move"}`, dir), http.StatusCreated)
	type list[T any] struct{ Items []T }
	if got := sent[list[inbox.Listing]](t, s, http.MethodPost, "/api/v1/sources/psa/test", "", http.StatusOK); len(got.Items) != 2 {
		t.Errorf("test: got %+v, want 2 files", got)
	}
	if got, want := sent[inbox.RunResult](t, s, http.MethodPost, "/api/v1/sources/"+src.ID+"/run", "", http.StatusOK), (inbox.RunResult{Listed: 2, Imported: 1, Quarantined: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	bad := sent[list[inbox.File]](t, s, http.MethodGet, "/api/v1/sources/psa/files?status=quarantined", "", http.StatusOK).Items
	if len(bad) != 1 || bad[0].Path != "odd.csv" || bad[0].Problem == "" {
		t.Fatalf("got %+v, want odd.csv with a reason", bad)
	}
	notices := sent[list[inbox.Notice]](t, s, http.MethodGet, "/api/v1/notices?unread=true", "", http.StatusOK).Items
	if len(notices) != 1 {
		t.Fatalf("got %+v, want one notice", notices)
	}
	sent[none](t, s, http.MethodPost, "/api/v1/notices/"+notices[0].ID+"/read", "", http.StatusNoContent)
	at := "/api/v1/sources/psa/files/" + bad[0].ID
	sent[inbox.File](t, s, http.MethodPost, at+"/release", `{"mapping":{"dataset":"clients","columns":{"foo":"client_name","bar":"industry"}}}`, http.StatusOK)
	sent[none](t, s, http.MethodPost, at+"/dismiss", "", http.StatusConflict)
	if got, want := sent[inbox.RunResult](t, s, http.MethodPost, "/api/v1/sources/psa/run", "", http.StatusOK), (inbox.RunResult{Imported: 1}); got != want {
		t.Errorf("released: got %+v, want %+v", got, want)
	}
	sent[none](t, s, http.MethodPut, "/api/v1/sources/psa", fmt.Sprintf(`{"name":"psa","kind":"folder","settings":{"path":%q},"burn":true}`, dir), http.StatusUnprocessableEntity)
	sent[none](t, s, http.MethodPut, "/api/v1/sources/psa", `{"name":"psa","kind":"folder","settings":{"path":"relative"}}`, http.StatusUnprocessableEntity)
	sent[none](t, s, http.MethodDelete, "/api/v1/sources/psa", "", http.StatusNoContent)
	sent[none](t, s, http.MethodGet, "/api/v1/sources/psa", "", http.StatusNotFound)
}
