package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/moatmetrics/moatmetrics/internal/app"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/inbox/inboxtest"
	"github.com/moatmetrics/moatmetrics/internal/keyring"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// program runs the commands in processes of their own, all with one environment.
type program struct {
	data string
	env  []string
}

func (p program) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), p.env...), "MOAT_CHILD_ARGS="+strings.Join(append(args, "--data", p.data), "\x1f"))
	return cmd
}

func (p program) ok(t *testing.T, args ...string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("moatmetrics %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errOut.String())
	}
	return out.String()
}

// server is a running serve.
type server struct {
	url    string
	cookie string // of the session, "" before somebody signed in
	cmd    *exec.Cmd
	mu     sync.Mutex
	log    bytes.Buffer
	eof    chan struct{}
}

// serve starts the real server on a free port.
func (p program) serve(t *testing.T) *server {
	t.Helper()
	s := &server{cmd: p.command("serve", "--listen", "127.0.0.1:0"), eof: make(chan struct{})}
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill() })
	found := make(chan string, 1)
	go func() {
		defer close(s.eof)
		lines := bufio.NewScanner(pipe)
		for lines.Scan() {
			s.mu.Lock()
			s.log.WriteString(lines.Text() + "\n")
			s.mu.Unlock()
			if _, rest, ok := strings.Cut(lines.Text(), "serves on "); ok {
				found <- strings.Fields(rest)[0]
			}
		}
	}()
	select {
	case s.url = <-found:
	case <-s.eof:
		t.Fatalf("serve ended: %s", s.logged())
	case <-time.After(time.Minute):
		t.Fatalf("serve says no address: %s", s.logged())
	}
	return s
}

func (s *server) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// stop ends the server as an operator does.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.eof
	s.cmd.Wait()
}

// send makes a request and returns the status and the answer.
func (s *server) send(ctx context.Context, method, path, body string, header ...string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if s.cookie != "" {
		req.Header.Set("Cookie", s.cookie)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	if path == "/api/v1/set-up" {
		s.cookie, _, _ = strings.Cut(res.Header.Get("Set-Cookie"), ";")
	}
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// must is send that expects success.
func (s *server) must(t *testing.T, method, path, body string) string {
	t.Helper()
	status, text, err := s.send(t.Context(), method, path, body)
	if err != nil || status >= 300 {
		t.Fatalf("%s %s: %d %s %v\n%s", method, path, status, text, err, s.logged())
	}
	return text
}

// setUp makes the owner, who signs in with a code from then on, and an invitation.
func (s *server) setUp(t *testing.T) {
	t.Helper()
	s.must(t, http.MethodPost, "/api/v1/set-up", fmt.Sprintf(`{"email":%q,"name":%q,"password":"three green boats on a lake"}`, owner, ownerName))
	var app struct{ Key, Challenge string }
	if err := json.Unmarshal([]byte(s.must(t, http.MethodPost, "/api/v1/profile/totp/begin", "")), &app); err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(app.Key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.must(t, http.MethodPost, "/api/v1/profile/totp", fmt.Sprintf(`{"challenge":%q,"code":%q}`, app.Challenge, code))
	s.must(t, http.MethodPost, "/api/v1/invitations", fmt.Sprintf(`{"email":%q,"role":"viewer"}`, invited))
}

// inFiles names the files below a folder that hold one of the texts.
func inFiles(t *testing.T, dir string, texts ...string) (found []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(content, []byte(text)) {
				found = append(found, path+" holds "+text)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

// cells returns every text of a control database by table.column.
func cells(t *testing.T, dsn string) map[string][]string {
	t.Helper()
	db, err := metadb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	columns := "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
	if db.Engine() == metadb.Postgres {
		columns = "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'"
	}
	out := map[string][]string{}
	err = db.Read(t.Context(), func(tx *metadb.Tx) error {
		var all [][2]string
		rows, err := tx.Query(t.Context(), columns)
		if err != nil {
			return err
		}
		for rows.Next() {
			var c [2]string
			if err := rows.Scan(&c[0], &c[1]); err != nil {
				return err
			}
			all = append(all, c)
		}
		rows.Close()
		for _, c := range all {
			rows, err := tx.Query(t.Context(), fmt.Sprintf(`SELECT CAST("%s" AS TEXT) FROM "%s" WHERE "%s" IS NOT NULL`, c[1], c[0], c[1]))
			if err != nil {
				return err
			}
			for rows.Next() {
				var text string
				if err := rows.Scan(&text); err != nil {
					return err
				}
				out[c[0]+"."+c[1]] = append(out[c[0]+"."+c[1]], text)
			}
			rows.Close()
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func keys(t *testing.T, p program) keyring.Ring {
	t.Helper()
	var ring keyring.Ring
	if err := json.Unmarshal([]byte(p.ok(t, "keys", "list", "--json")), &ring); err != nil {
		t.Fatal(err)
	}
	return ring
}

const (
	person    = "anna.petrov.private@example.com"
	owner     = "olga.owner.private@example.com"
	ownerName = "Olga Privately Owning"
	invited   = "ivan.invited.private@example.com"
	comment   = "Berta says the margins of Acorn are wrong"
)

// sourceBody is a mailbox, of a server that refuses a wrong password, with a person's name.
func sourceBody(mail *inboxtest.IMAP, name string) string {
	return fmt.Sprintf(`{"name":%q,"kind":"imap","settings":{"host":"127.0.0.1","port":%d,"tls":"none","user":%q,"senders":[%q]},"password":%q}`, name, mail.Plain, inboxtest.User, person, inboxtest.Password)
}

// load asks the server for what needs keys until ctx ends: secrets are changed, then used at
// a mailbox that refuses a wrong one, and comments are written and read.
func load(ctx context.Context, s *server, mail *inboxtest.IMAP, worker int) (asked int, failures []string) {
	name := fmt.Sprint("mail", worker)
	steps := [][3]string{
		{http.MethodPost, "/api/v1/sources/" + name + "/test", ""},
		{http.MethodPut, "/api/v1/sources/" + name, sourceBody(mail, name)},
		{http.MethodPost, "/api/v1/sources/" + name + "/test", ""},
		{http.MethodGet, "/api/v1/sources", ""},
		{http.MethodPost, "/api/v1/feedback", fmt.Sprintf(`{"score":9,"comment":%q}`, comment)},
		{http.MethodGet, "/api/v1/feedback?limit=20", ""},
		{http.MethodGet, "/api/v1/users", ""},
		{http.MethodGet, "/api/v1/invitations", ""},
	}
	says := map[string]string{"/api/v1/feedback?limit=20": comment, "/api/v1/sources": person, "/api/v1/users": ownerName, "/api/v1/invitations": invited}
	for ctx.Err() == nil {
		for _, step := range steps {
			status, text, err := s.send(context.WithoutCancel(ctx), step[0], step[1], step[2])
			asked++
			if err != nil || status >= 300 || !strings.Contains(text, says[step[1]]) {
				failures = append(failures, fmt.Sprintf("%s %s: %d %s %v", step[0], step[1], status, text, err))
			}
		}
	}
	return asked, failures
}

// TestKeysRotateWhileTheServerWorks rotates three times under load, one of them killed
// midway: no request fails, nothing is left under an old key, nothing lies in the clear.
func TestKeysRotateWhileTheServerWorks(t *testing.T) {
	t.Parallel()
	for _, engine := range metadbtest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			p := program{data: filepath.Join(t.TempDir(), "data")}
			p.env = []string{"MOAT_RATE_ACTOR=1000000", "MOAT_RATE_ADDRESS=1000000"} // this load is meant
			dsn := filepath.Join(p.data, "moatmetrics.db")
			if engine == metadb.Postgres {
				dsn = metadbtest.DSN(t, engine)
				p.env = append(p.env, "MOAT_DATABASE="+dsn)
			}
			s, mail := p.serve(t), inboxtest.StartIMAP(t)
			s.setUp(t)
			const workers = 3
			for i := range workers {
				s.must(t, http.MethodPost, "/api/v1/sources", sourceBody(mail, fmt.Sprint("mail", i)))
			}
			for range 400 {
				s.must(t, http.MethodPost, "/api/v1/feedback", fmt.Sprintf(`{"score":9,"comment":%q}`, comment))
			}
			p.ok(t, "audit", "checkpoint") // seals the key that signs it
			p.deliver(t, dsn, s)
			ctx, cancel := context.WithCancel(t.Context())
			var asked atomic.Int64
			var running sync.WaitGroup
			for i := range workers {
				running.Go(func() {
					n, failures := load(ctx, s, mail, i)
					asked.Add(int64(n))
					if len(failures) > 0 {
						t.Errorf("%d requests failed, the first: %s\n%s", len(failures), failures[0], s.logged())
					}
				})
			}
			defer func() { cancel(); running.Wait() }()

			p.ok(t, "keys", "rotate")
			killMidway(t, p)
			half := keys(t, p)
			if n := len(half.Keys); n != 3 || half.Keys[2].ResealedAt != nil || half.Keys[1].Values == 0 || half.Keys[2].Values == 0 {
				t.Errorf("got %+v, want a rotation that was cut off midway", half)
			}
			var resumed, last keyring.Rotation
			if err := json.Unmarshal([]byte(p.ok(t, "keys", "rotate", "--json")), &resumed); err != nil || !resumed.Resumed || resumed.Key != half.Keys[2].ID {
				t.Errorf("got %+v, %v, want the rotation to %s", resumed, err, half.Keys[2].ID)
			}
			if err := json.Unmarshal([]byte(p.ok(t, "keys", "rotate", "--retire", "old", "--new-master", "--json")), &last); err != nil || len(last.Retired) != 3 {
				t.Errorf("got %+v, %v, want three keys retired", last, err)
			}
			time.Sleep(time.Second) // the server goes on with the new master key only
			cancel()
			running.Wait()
			s.stop(t)
			t.Logf("%d requests", asked.Load())
			if asked.Load() < 100 {
				t.Errorf("only %d requests: that is no load", asked.Load())
			}
			after := keys(t, p)
			for _, k := range after.Keys {
				if current := k.ID == last.Key; current != (k.Values > 0) || current != (k.State == keyring.Primary) || !current && k.State != keyring.Retired {
					t.Errorf("got %+v, want all values under %s", k, last.Key)
				}
			}
			if after.Unnamed != 0 {
				t.Errorf("%d values are sealed under no key", after.Unnamed)
			}
			master, err := os.ReadFile(filepath.Join(p.data, "master.key"))
			if err != nil || bytes.Count(master, []byte("\n")) != 1 {
				t.Errorf("got %d lines, %v, want one master key", bytes.Count(master, []byte("\n")), err)
			}
			checkNothingInTheClear(t, p, dsn, strings.TrimSpace(string(master)))
			cookie := s.cookie
			s = p.serve(t) // a new process reads all of it
			s.cookie = cookie
			s.must(t, http.MethodPost, "/api/v1/sources/mail0/test", "")
			s.stop(t)
		})
	}
}

// deliver makes what sealed columns of deliveries hold: a destination with its password, a recipient
// by address, the key for browsers and a device.
func (p program) deliver(t *testing.T, dsn string, s *server) {
	t.Helper()
	var d struct{ ID string }
	if err := json.Unmarshal([]byte(s.must(t, http.MethodPost, "/api/v1/destinations", fmt.Sprintf(`{"name":"office","kind":"email","settings":{"host":"127.0.0.1","port":1,"user":%q,"from":%q},"password":%q}`, person, person, inboxtest.Password))), &d); err != nil {
		t.Fatal(err)
	}
	s.must(t, http.MethodGet, "/api/v1/push-key", "")
	s.must(t, http.MethodPost, "/api/v1/schedules", fmt.Sprintf(`{"name":"Monthly","template":"service-desk","formats":["pdf"],"cron":"0 7 1 * *","recipients":[{"address":%q,"destination":%q,"role":"viewer"}]}`, person, d.ID))
	s.must(t, http.MethodPost, "/api/v1/push-subscriptions", `{"endpoint":"https://push.example.com/x","keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`)
	c := app.Config{Data: p.data, Tenant: "default", MemoryMB: 100, LogLevel: "error"}
	if strings.HasPrefix(dsn, "postgres") {
		c.Database = dsn
	}
	a, err := app.Open(t.Context(), c, "cli:test", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.DB.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := a.Delivery.Enqueue(t.Context(), a.Scope, tx, delivery.Delivery{Destination: d.ID, To: []string{person}, Kind: "report", Ref: "1"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// killMidway kills a rotation as soon as it has sealed some comments anew.
func killMidway(t *testing.T, p program) {
	t.Helper()
	cmd := p.command("keys", "rotate")
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "workspace_feedback.comment: ") {
			break
		}
	}
	cmd.Process.Kill()
	if cmd.Wait() == nil {
		t.Error("the rotation ended before it was killed")
	}
}

// checkNothingInTheClear searches every file and every cell for what must not be readable,
// and finds sealed values only in columns that rotation knows.
func checkNothingInTheClear(t *testing.T, p program, dsn, master string) {
	t.Helper()
	clear := []string{inboxtest.Password, person, comment, owner, ownerName, invited}
	if found := inFiles(t, p.data, clear...); len(found) > 0 {
		t.Error(found)
	}
	var known []string
	for _, c := range app.SealedColumns() {
		known = append(known, c.Table+"."+c.Column)
	}
	sealed := map[string]bool{}
	for column, texts := range cells(t, dsn) {
		for _, text := range texts {
			if slices.ContainsFunc(append(clear, master), func(s string) bool { return strings.Contains(text, s) }) {
				t.Errorf("%s holds %s", column, text)
			}
			if secret.IsSealed(text) {
				sealed[column] = true
			}
		}
	}
	for column := range sealed {
		if !slices.Contains(known, column) {
			t.Errorf("%s holds sealed values that rotation does not know", column)
		}
	}
	if len(sealed) != len(known) {
		t.Errorf("got sealed values in %v, want some in each of %v", sealed, known)
	}
}

// TestValuesOfEarlierVersionsAreSealedByARotation: comments and sources lay in the clear.
func TestValuesOfEarlierVersionsAreSealedByARotation(t *testing.T) {
	t.Parallel()
	p := program{data: filepath.Join(t.TempDir(), "data")}
	dsn := filepath.Join(p.data, "moatmetrics.db")
	p.ok(t, "source", "add", "mail", "--kind", "imap", "--host", "127.0.0.1", "--tls", "none", "--user", person)
	db, err := metadb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	old := `{"name":"mail","kind":"imap","settings":{"host":"127.0.0.1","tls":"none","user":"` + person + `"},"after":"keep"}`
	if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		if _, err := tx.Exec(t.Context(), "UPDATE source SET config = $1", old); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "INSERT INTO workspace_feedback (tenant_id, id, at, score, comment, page) SELECT id, 1, '2026-01-01T00:00:00.000000Z', 9, $1, '/' FROM tenant", comment)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if found := inFiles(t, p.data, person, comment); len(found) == 0 {
		t.Fatal("the texts of the earlier version are not there")
	}
	s := p.serve(t) // keeps the write-ahead log alive
	defer s.stop(t)
	if ring := keys(t, p); ring.Unnamed != 2 {
		t.Errorf("got %+v, want 2 values of an earlier version", ring)
	}
	if out := p.ok(t, "source", "list"); !strings.Contains(out, person) {
		t.Errorf("before the rotation: %s", out)
	}
	p.ok(t, "keys", "rotate")
	if out := p.ok(t, "source", "list"); !strings.Contains(out, person) {
		t.Errorf("after the rotation: %s", out)
	}
	if found := inFiles(t, p.data, person, comment); len(found) > 0 {
		t.Error(found)
	}
}
