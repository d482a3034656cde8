package httpapi_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/inbox/inboxtest"
	"github.com/moatmetrics/moatmetrics/internal/notice"
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
	notices := sent[list[notice.Notice]](t, s, http.MethodGet, "/api/v1/notices?unread=true", "", http.StatusOK).Items
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

func TestBucketsAndMailboxesAreSourcesOverHTTP(t *testing.T) {
	t.Parallel()
	s := serve(t)
	store, mail := inboxtest.StartS3(t, "exports", false), inboxtest.StartIMAP(t)
	store.Put(t, "psa/clients.csv", "client_name,industry\nAcorn,Legal\n")
	mail.Deliver(t, inboxtest.Message("anna@example.com", "Export", "1", inboxtest.File("clients.csv", "client_name,industry\nBirch,Health\n")))
	for name, body := range map[string]string{
		"bucket": fmt.Sprintf(`{"name":"bucket","kind":"s3","settings":{"endpoint":%q,"bucket":"exports","path":"psa","user":%q},"password":%q}`, store.URL, inboxtest.User, inboxtest.Password),
		"mail": fmt.Sprintf(`{"name":"mail","kind":"imap","settings":{"host":"127.0.0.1","port":%d,"tls":"none","user":%q,"senders":["anna@example.com"],"subject":"export"},"password":%q}`,
			mail.Plain, inboxtest.User, inboxtest.Password),
	} {
		made := sent[map[string]any](t, s, http.MethodPost, "/api/v1/sources", body, http.StatusCreated)
		if text := fmt.Sprint(made); strings.Contains(text, inboxtest.Password) {
			t.Errorf("the secret is shown: %s", text)
		}
		if got, want := sent[inbox.RunResult](t, s, http.MethodPost, "/api/v1/sources/"+name+"/run", "", http.StatusOK), (inbox.RunResult{Listed: 1, Imported: 1}); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	sent[none](t, s, http.MethodPost, "/api/v1/sources", `{"name":"x","kind":"s3","settings":{"endpoint":"http://169.254.169.254","bucket":"exports","user":"k"}}`, http.StatusUnprocessableEntity)
	sent[none](t, s, http.MethodPost, "/api/v1/sources", `{"name":"x","kind":"imap","settings":{"host":"imap.example.com","user":"anna","tls":"sometimes"}}`, http.StatusUnprocessableEntity)
	sent[none](t, s, http.MethodPost, "/api/v1/sources", `{"name":"x","kind":"ftp","settings":{"host":"ftp.example.com","user":"anna"}}`, http.StatusUnprocessableEntity)
}
