package app_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/inbox/inboxtest"
)

const sourceClients = "client_name,industry,status,contract_value\nAcorn,Legal,active,1000\n"

func sourceNamed(t *testing.T, data, name string) inbox.Source {
	t.Helper()
	var list []inbox.Source
	if err := json.Unmarshal([]byte(ok(t, data, "source", "list", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no source %q in %+v", name, list)
	return inbox.Source{}
}

func TestBucketsAndMailboxesAreSourcesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	secret := write(t, t.TempDir(), "secret", inboxtest.Password+"\n")
	store, mail := inboxtest.StartS3(t, "exports", false), inboxtest.StartIMAP(t)
	store.Put(t, "psa/clients.csv", sourceClients)
	mail.Deliver(t, inboxtest.Message("anna@example.com", "Export", "1", inboxtest.File("clients.csv", sourceClients+"Birch,Health,active,2000\n")))
	mail.Deliver(t, inboxtest.Message("mallory@example.net", "Export", "2", inboxtest.File("false.csv", sourceClients)))
	ok(t, data, "source", "add", "bucket", "--kind", "s3", "--endpoint", store.URL, "--bucket", "exports", "--path", "psa", "--user", inboxtest.User, "--password-file", secret, "--after", "move")
	ok(t, data, "source", "add", "mail", "--kind", "imap", "--host", "127.0.0.1", "--port", fmt.Sprint(mail.Plain), "--tls", "none", "--user", inboxtest.User, "--password-file", secret,
		"--sender", "anna@example.com,@example.org", "--sender", "berta@example.net", "--after", "move")
	for name, path := range map[string]string{"bucket": "clients.csv", "mail": "/2/clients.csv"} {
		if out := ok(t, data, "source", "test", name); !strings.Contains(out, path) || strings.Contains(out, "false.csv") {
			t.Errorf("test %s: got %s", name, out)
		}
		var r inbox.RunResult
		if err := json.Unmarshal([]byte(ok(t, data, "source", "run", name, "--json")), &r); err != nil || r != (inbox.RunResult{Listed: 1, Imported: 1}) {
			t.Errorf("run %s: got %+v, %v", name, r, err)
		}
	}
	if keys := store.Keys(t); len(keys) != 1 || !strings.HasPrefix(keys[0], "psa/done/") {
		t.Errorf("got %v, want the object in done", keys)
	}
	if diff := cmp.Diff([]string{"false.csv"}, mail.Files(t, "INBOX")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"@example.org", "anna@example.com", "berta@example.net"}, slices.Sorted(slices.Values(sourceNamed(t, data, "mail").Settings.Senders))); diff != "" {
		t.Error(diff)
	}
}

func TestASourceIsChangedByTheFlagsThatAreGiven(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	store := inboxtest.StartS3(t, "exports", false)
	store.Put(t, "psa/clients.csv", sourceClients)
	mapping := write(t, dir, "mapping.yaml", "dataset: clients\ncolumns:\n  Customer: client_name\n")
	ok(t, data, "source", "add", "bucket", "--kind", "s3", "--endpoint", store.URL, "--bucket", "exports", "--path", "psa", "--user", inboxtest.User,
		"--password-file", write(t, dir, "secret", inboxtest.Password), "--schedule", "0 6 * * *", "--zone", "Europe/Berlin", "--all-or-nothing", "--mapping", mapping, "--after", "delete")
	was := sourceNamed(t, data, "bucket")
	ok(t, data, "source", "change", "bucket", "--pattern", "*.csv", "--name", "store", "--all-or-nothing=false", "--schedule", "", "--mapping", "")
	want := was.Spec
	want.Name, want.Settings.Pattern, want.AllOrNothing, want.Schedule, want.Mapping = "store", "*.csv", false, "", inbox.Spec{}.Mapping
	got := sourceNamed(t, data, "store").Spec
	if diff := cmp.Diff(asJSON(t, want), asJSON(t, got)); diff != "" {
		t.Error(diff)
	}
	if out := ok(t, data, "source", "test", "store"); !strings.Contains(out, "clients.csv") {
		t.Errorf("the secret was not kept: %s", out)
	}
	ok(t, data, "source", "change", "store", "--user", "berta")
	if code, _, errOut := run(t, data, "source", "test", "store"); code == 0 || !strings.Contains(errOut, "secret") {
		t.Errorf("another user: exit %d, %s; want that its secret is asked for", code, errOut)
	}
	if code, _, errOut := run(t, data, "source", "change", "store", "--endpoint", "http://169.254.169.254"); code == 0 || !strings.Contains(errOut, "network's own services") {
		t.Errorf("exit %d, %s", code, errOut)
	}
	if code, _, errOut := run(t, data, "source", "change", "nowhere", "--paused"); code == 0 || !strings.Contains(errOut, "no source") {
		t.Errorf("exit %d, %s", code, errOut)
	}
	folder := filepath.Join(dir, "exports")
	ok(t, data, "source", "change", "store", "--kind", "folder", "--path", folder, "--paused")
	if s := sourceNamed(t, data, "store"); s.Kind != inbox.Folder || s.Settings.Path != folder || !s.Paused || s.After != inbox.Delete {
		t.Errorf("got %+v", s.Spec)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
