package app_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/app"
	"github.com/moatmetrics/moatmetrics/internal/inbox/inboxtest"
)

// closedPort is a port of this machine on which nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestNoSecretReachesTheLogOrAFile runs the real server at debug level through all ways in
// which it is told a secret, and searches what it wrote.
func TestNoSecretReachesTheLogOrAFile(t *testing.T) {
	t.Parallel()
	n := 0
	var secrets []string
	secret := func() string { // each its own, so that one that is found says where it came in
		n++
		s := fmt.Sprintf("S3CRET%02dxyzzy", n)
		secrets = append(secrets, s)
		return s
	}
	p := program{data: filepath.Join(t.TempDir(), "data"), env: []string{"MOAT_LOG_LEVEL=debug", "VAULT_TOKEN=" + secret()}}
	s, store, mail := p.serve(t), inboxtest.StartS3(t, "exports", false), inboxtest.StartIMAP(t)
	ask := func(method, path, body string, header ...string) int {
		t.Helper()
		status, _, err := s.send(t.Context(), method, path, body, header...)
		if err != nil {
			t.Fatal(err)
		}
		return status
	}

	// As those do who sign in, or hold a key.
	ask(http.MethodPost, "/api/v1/session", fmt.Sprintf(`{"email":"anna@example.com","password":%q,"code":%q}`, secret(), secret()))
	ask(http.MethodGet, "/api/v1/clients?access_token="+secret(), "", "Authorization", "Bearer "+secret(), "Cookie", "session="+secret())
	ask(http.MethodGet, "/api/v1/sources", "", "Authorization", "Basic "+secret(), "X-Api-Key", secret(), "Referer", "https://anna:"+secret()+"@example.com/")
	ask(http.MethodPost, "/api/v1/feedback", fmt.Sprintf(`{"comment":"x","password":%q`, secret())) // cut off
	ask(http.MethodGet, "/api/v1/query?measures=revenue&where="+url.QueryEscape(`client = "password=`+secret()), "")

	// Sources whose servers refuse the secret, are away, or are no such servers.
	for name, body := range map[string]string{
		"refused":  fmt.Sprintf(`{"name":"refused","kind":"s3","settings":{"endpoint":%q,"bucket":"exports","user":"berta"},"password":%q}`, store.URL, secret()),
		"mailbox":  fmt.Sprintf(`{"name":"mailbox","kind":"imap","settings":{"host":"127.0.0.1","port":%d,"tls":"none","user":"anna"},"password":%q}`, mail.Plain, secret()),
		"away":     fmt.Sprintf(`{"name":"away","kind":"sftp","settings":{"host":"127.0.0.1","port":%d,"user":"anna","host_key":"ssh-ed25519 SHA256:x"},"password":%q,"private_key":%q}`, closedPort(t), secret(), "-----BEGIN OPENSSH PRIVATE KEY-----\n"+secret()+"\n-----END OPENSSH PRIVATE KEY-----"),
		"mistaken": fmt.Sprintf(`{"name":"mistaken","kind":"imap","settings":{"host":"127.0.0.1","port":%s,"tls":"none","user":"anna"},"password":%q}`, s.url[strings.LastIndex(s.url, ":")+1:], secret()),
	} {
		if status := ask(http.MethodPost, "/api/v1/sources", body); status != http.StatusCreated {
			t.Errorf("%s: status %d", name, status)
		}
		for _, verb := range []string{"test", "run"} {
			if name == "mistaken" && verb == "run" {
				continue // it waits for a greeting that does not come
			}
			if status := ask(http.MethodPost, "/api/v1/sources/"+name+"/"+verb, ""); status < 400 {
				t.Errorf("%s %s: status %d, want that it fails", verb, name, status)
			}
		}
	}
	in := secret()
	if status := ask(http.MethodPost, "/api/v1/sources", fmt.Sprintf(`{"name":"inside","kind":"s3","settings":{"endpoint":"https://anna:%s@127.0.0.1","bucket":"exports","user":"anna"},"password":%q}`, in, in)); status != http.StatusUnprocessableEntity {
		t.Errorf("an address with a secret in it: status %d", status)
	}
	time.Sleep(1500 * time.Millisecond) // the next look for sources that are due
	s.stop(t)
	log := s.logged()
	if !strings.Contains(log, "msg=request") {
		t.Fatalf("the log has no requests, so it proves nothing: %s", log)
	}

	// Commands that cannot reach what needs a secret.
	port := closedPort(t)
	file := write(t, t.TempDir(), "secret", secret())
	for _, c := range []struct {
		env  string
		args []string
	}{
		{fmt.Sprintf("MOAT_DATABASE=postgres://moat:%s@127.0.0.1:%d/moat", secret(), port), []string{"datasets"}},
		{"MOAT_DATABASE=postgres://moat:" + secret() + "@127.0.0.1:notaport/moat", []string{"datasets"}},
		{"MOAT_DATABASE=postgres://moat:" + secret() + "@127.0.0.1:1/moat", []string{"config"}},
		{fmt.Sprintf("MOAT_MASTER_KEY_URI=vault://127.0.0.1:%d/transit/keys/moat", port), []string{"source", "add", "vaulted", "--kind", "s3", "--endpoint", store.URL, "--bucket", "b", "--user", "anna", "--password-file", file}},
		{"MOAT_MASTER_KEY_URI=vault://" + secret() + "@127.0.0.1/transit/keys/moat", []string{"keys", "rotate"}},
		{"MOAT_MASTER_KEY=" + secret(), []string{"keys", "rotate"}},
	} {
		cmd := p.command(c.args...)
		cmd.Env = append(cmd.Env, c.env)
		out, err := cmd.CombinedOutput()
		if (err == nil) != (c.args[0] == "config") {
			t.Errorf("%v: %v\n%s", c.args, err, out)
		}
		log += string(out)
	}

	if len(secrets) < 20 {
		t.Fatalf("only %d secrets were told", len(secrets))
	}
	for _, s := range secrets {
		if i := strings.Index(log, s); i >= 0 {
			t.Errorf("%s is in the log: %s", s, log[max(0, i-200):i+len(s)])
		}
	}
	if found := inFiles(t, p.data, secrets...); len(found) > 0 {
		t.Error(found)
	}
}

// TestTheProgramsOwnLogIsRedacted logs by mistake what must not be logged.
func TestTheProgramsOwnLogIsRedacted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a, err := app.Open(t.Context(), app.Config{Data: filepath.Join(t.TempDir(), "data"), Tenant: "default", MemoryMB: 100, LogLevel: "debug"}, "test", &out)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	a.Log.Debug("signing in with password=S3CRET", slog.String("password", "S3CRET"), slog.Any("error", &url.Error{Op: "Get", URL: "https://a:S3CRET@b", Err: errors.New("refused")}))
	if text := out.String(); strings.Contains(text, "S3CRET") || !strings.Contains(text, "refused") {
		t.Error(text)
	}
}
