package httpapi_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"
	"github.com/moatmetrics/moatmetrics/internal/reach"
)

// Every test here would fail without the guard that it is about.

// routes are method, path and operation id of all routes of the API.
func routes(t *testing.T) (out [][3]string) {
	t.Helper()
	text, err := httpapi.OpenAPI("test")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			out = append(out, [3]string{strings.ToUpper(method), strings.NewReplacer("{id}", "1", "{name}", "x", "{month}", "2026-01", "{file}", "1").Replace(path), op.OperationID})
		}
	}
	return out
}

func TestAnotherSiteChangesNothing(t *testing.T) {
	t.Parallel()
	s := serve(t)
	tried := 0
	for _, r := range routes(t) {
		if r[0] == http.MethodGet {
			continue
		}
		tried++
		for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://attacker.example"}, {"Origin", "null"}} {
			if a := as(t, s, "", r[0], r[1], "{}", header...); a.status != http.StatusForbidden {
				t.Errorf("%s %s with %v: %d %s", r[0], r[1], header, a.status, a.body)
			}
		}
	}
	if tried < 60 {
		t.Errorf("only %d routes tried", tried)
	}
	// A form of another site can only send these types, whatever the browser says of itself.
	for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/json; charset=utf-7", "application/json, text/plain"} {
		if a := as(t, s, "", http.MethodPost, "/api/v1/dashboards", `{"name":"x"}`, "Content-Type", media); a.status != http.StatusUnsupportedMediaType {
			t.Errorf("type %q: %d %s", media, a.status, a.body)
		}
	}
	if a := as(t, s, "", http.MethodPost, "/api/v1/dashboards", "\x1f\x8b\x08", "Content-Encoding", "gzip"); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("compressed: %d %s", a.status, a.body)
	}
	if a := as(t, s, "", http.MethodGet, "/api/v1/dashboards", ""); a.body != `{"items":[]}`+"\n" {
		t.Errorf("something was made: %s", a.body)
	}
}

func TestWithoutAccountsOnlyThisMachineIsAnswered(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, c := range []struct {
		name, peer, host string
		header           [2]string
		status           int
	}{
		{"the owner", "127.0.0.1:5000", "localhost:8080", [2]string{}, 200},
		{"the owner over IPv6", "[::1]:5000", "[::1]:8080", [2]string{}, 200},
		{"a name that was rebound", "127.0.0.1:5000", "attacker.example:8080", [2]string{}, 421},
		{"a name that looks local", "127.0.0.1:5000", "localhost.attacker.example", [2]string{}, 421},
		{"an address that looks local", "127.0.0.1:5000", "127.0.0.1.attacker.example", [2]string{}, 421},
		{"the machine's own name in the network", "127.0.0.1:5000", "192.168.1.4:8080", [2]string{}, 421},
		{"another machine that says localhost", "192.168.1.9:5000", "localhost:8080", [2]string{}, 403},
		{"somebody behind a proxy on this machine", "127.0.0.1:5000", "localhost:8080", [2]string{"X-Forwarded-For", "203.0.113.5"}, 403},
		{"the same with the standard header", "127.0.0.1:5000", "localhost:8080", [2]string{"Forwarded", "for=203.0.113.5"}, 403},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/datasets", nil)
		req.RemoteAddr, req.Host = c.peer, c.host
		if c.header[0] != "" {
			req.Header.Set(c.header[0], c.header[1])
		}
		w := httptest.NewRecorder()
		if s.Config.Handler.ServeHTTP(w, req); w.Code != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, w.Code, w.Body, c.status)
		}
	}
}

func TestWithAccountsNamesAreAnsweredThatWereConfigured(t *testing.T) {
	t.Parallel()
	hosts := []string{}
	s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) { withAccounts(d, o); o.Hosts = hosts })
	named, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		withAccounts(d, o)
		o.Hosts = []string{"moat.example.com"}
	})
	for _, c := range []struct {
		on     *httptest.Server
		host   string
		status int
	}{
		{s, "127.0.0.1", 200}, {s, "192.168.1.4:8080", 200}, {s, "[2001:db8::4]:8080", 200}, {s, "attacker.example", 421},
		{named, "moat.example.com", 200}, {named, "MOAT.example.com:443", 200}, {named, "localhost", 200}, {named, "attacker.example", 421}, {named, "192.168.1.4", 421},
	} {
		if a := as(t, c.on, "default/anna", http.MethodGet, "/api/v1/datasets", "", "Host", c.host); a.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.host, a.status, a.body, c.status)
		}
	}
}

const oddClients = `invoice_id,client_name,amount,date,status
I-1,"'; DROP TABLE invoices; --",10.00,2026-01-15,paid
I-2,"=HYPERLINK(""http://attacker.example"",""x"")",20.00,2026-01-15,paid
I-3,"<script>alert(1)</script>{{.}}${7*7}",30.00,2026-01-15,paid
I-4,Acme,40.00,2026-01-15,paid
`

func TestTextsOfPeopleAreNeverRun(t *testing.T) {
	t.Parallel()
	s := serve(t)
	if a := upload(t, s, map[string]string{"invoices.csv": oddClients}); a.status != http.StatusCreated {
		t.Fatal(a.body)
	}
	ask := func(where string) answer {
		return get(t, s, "/api/v1/query?measures=revenue&by=client&where="+url.QueryEscape(where))
	}
	// As data they are found and come back as they are.
	if a := ask(`client = "'; DROP TABLE invoices; --"`); !strings.Contains(a.body, `[["'; DROP TABLE invoices; --","10"]]`) {
		t.Errorf("a client named like SQL: %d %s", a.status, a.body)
	}
	if a := ask(`client = "<script>alert(1)</script>{{.}}${7*7}"`); !strings.Contains(a.body, `"30"`) || !strings.Contains(a.body, `{{.}}${7*7}`) || a.header.Get("Content-Type") != "application/json" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a client named like a script: %d %v %s", a.status, a.header, a.body)
	}
	// As conditions and formulas they are refused, or find nothing.
	for _, where := range []string{
		`client = "x" or 1 = 1`, `1 = 1`, `client = "x" UNION SELECT 1`, `client = 'x'; DROP TABLE invoices`, `client = (select 1)`, `read_csv("/etc/passwd") = "x"`,
		`client in (select name from clients)`, `getenv("HOME") = "x"`, `client matches "(a+)+$"`, `client == env("PATH")`, `true`, `client = "x" -- `,
	} {
		if a := ask(where); a.status != http.StatusUnprocessableEntity {
			t.Errorf("condition %q: %d %s", where, a.status, a.body)
		}
	}
	for _, formula := range []string{`read_csv("/etc/passwd")`, `revenue; drop table invoices`, `(select 1)`, `getenv("HOME")`, `revenue) from x --`} {
		body, _ := json.Marshal(map[string]any{"name": "bad", "label": "Bad", "formula": formula})
		if a := as(t, s, "", http.MethodPost, "/api/v1/kpis/preview", string(body)); a.status != http.StatusUnprocessableEntity {
			t.Errorf("formula %q: %d %s", formula, a.status, a.body)
		}
	}
	for _, path := range []string{"measures=revenue;drop", "measures=revenue&by=client;--", "measures=revenue&order=client);--", "measures=revenue&currency=USD'--", "measures=revenue&from=2026-01-01'--"} {
		if a := get(t, s, "/api/v1/query?"+strings.ReplaceAll(path, ";", "%3B")); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := get(t, s, "/api/v1/query?measures=revenue"); !strings.Contains(a.body, `[["100"]]`) {
		t.Errorf("what is left: %s", a.body)
	}
	// In a file no spreadsheet runs them.
	if a := get(t, s, "/api/v1/query/export?measures=revenue&by=client"); !strings.Contains(a.body, `"'=HYPERLINK(`) || strings.Contains(a.body, "\n=") || strings.Contains(a.body, "\n\"=") {
		t.Errorf("CSV: %s", a.body)
	}
}

// Every file that is for a spreadsheet, with texts that one would run.
func TestNoFileHoldsAFormula(t *testing.T) {
	t.Parallel()
	s := serve(t)
	const run = `"=HYPERLINK(""http://attacker.example"",""x"")"`
	text := "invoice_id,client_name,amount,date,status\nI-1," + run + ",10.00,2026-01-15,paid\nI-2,@SUM(1),10.00,2026-01-16,paid\n+1+1,Acme,-10.00,2026-01-17,paid\n-2-2,Acme," + run + ",2026-01-17,paid\n"
	if a := upload(t, s, map[string]string{"=cmd.csv": text}); a.status != http.StatusCreated {
		t.Fatal(a.body)
	}
	as(t, s, "", http.MethodPost, "/api/v1/dashboards", `{"name":"=HYPERLINK(1)"}`)
	for path, holds := range map[string]string{
		"/api/v1/query/export?measures=revenue&by=client": "HYPERLINK", "/api/v1/query/rows/export?measure=revenue": "HYPERLINK", "/api/v1/imports/1/rejects?format=csv": "HYPERLINK",
		"/api/v1/datasets/invoices/export": "HYPERLINK", "/api/v1/audit/export?format=csv": "", "/api/v1/datasets/invoices/template": "",
	} {
		a := get(t, s, path)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
		if a.status != http.StatusOK || err != nil || !strings.Contains(a.body, holds) {
			t.Errorf("%s: %d %v %.300s", path, a.status, err, a.body)
		}
		for _, row := range rows {
			for _, cell := range row {
				if _, err := strconv.ParseFloat(cell, 64); err != nil && strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") {
					t.Errorf("%s holds %q", path, cell)
				}
			}
		}
	}
}

func TestNamesOfFilesEndUpInNoHeaderAndNoPath(t *testing.T) {
	t.Parallel()
	dir := ""
	s, _ := serveWith(t, func(d *httpapi.Deps, _ *httpapi.Options) { dir = d.Dir })
	before := filesUnder(t, filepath.Dir(dir), dir)
	for _, name := range []string{"../../evil.csv", `..\..\evil.csv`, "/etc/evil.csv", "a\r\nX-Evil: 1\r\n.csv", `a"; filename="b.exe`, "a\x00.csv"} {
		body, _ := json.Marshal(map[string]any{"name": name, "bytes": 4})
		a := as(t, s, "", http.MethodPost, "/api/v1/uploads", string(body))
		if a.status >= 400 && a.status < 500 {
			continue // refused
		}
		var up struct{ ID string }
		if err := json.Unmarshal([]byte(a.body), &up); err != nil || a.status != http.StatusCreated {
			t.Fatalf("%q: %d %s", name, a.status, a.body)
		}
		as(t, s, "", http.MethodPatch, "/api/v1/uploads/"+up.ID, "a,b\n", "Content-Type", "application/offset+octet-stream", "Upload-Offset", "0")
		file := get(t, s, "/api/v1/uploads/"+up.ID+"/file")
		if file.status != http.StatusOK || file.header.Get("X-Evil") != "" || !strings.HasPrefix(file.header.Get("Content-Disposition"), "attachment") || file.header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%q: %d %v", name, file.status, file.header)
		}
	}
	if after := filesUnder(t, filepath.Dir(dir), dir); after != before {
		t.Errorf("files beside the data directory: %s, before %s", after, before)
	}
	long := get(t, s, "/api/v1/datasets", "X-Request-Id", strings.Repeat("x", 65))
	if id := long.header.Get("X-Request-Id"); len(id) > 64 || strings.Contains(id, "xx") {
		t.Errorf("a request id that is no id comes back: %q", id)
	}
}

// filesUnder lists the files of a folder without those of one in it.
func filesUnder(t *testing.T, dir, without string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && path == without {
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestNoAddressLeadsOutOfItsFolder(t *testing.T) {
	t.Parallel()
	s := serve(t)
	up := []string{"../", "..%2f", "..%5c", "%2e%2e/", "%2e%2e%2f", "..%252f", "....//", "..;/"}
	for _, at := range []string{"/", "/assets/", "/api/v1/datasets/", "/api/v1/uploads/", "/api/v1/imports/", "/api/v1/mappings/", "/api/v1/reports/", "/api/v1/report-templates/", "/api/v1/report-assets/", "/api/v1/schedules/", "/s/", "/api/docs/"} {
		for _, u := range up {
			for _, file := range []string{"etc/passwd", "etc%2fpasswd", "moatmetrics.db", "go.mod"} {
				for _, end := range []string{"", "/template", "/file", "/export", "/download"} {
					a := rawGet(t, s, at+strings.Repeat(u, 6)+file+end)
					for _, secret := range []string{"root:", "SQLite format", "module github.com"} {
						if strings.Contains(a, secret) {
							t.Fatalf("%s%s…%s%s answers %.200s", at, u, file, end, a)
						}
					}
				}
			}
		}
	}
}

// rawGet sends an address as it is, which http.Client would tidy, and returns all of the answer.
func rawGet(t *testing.T, s *httptest.Server, target string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", target)
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	var b bytes.Buffer
	if _, err := b.ReadFrom(conn); err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	return b.String()
}

func TestNoSourceReachesWhereItMayNot(t *testing.T) {
	t.Parallel()
	inside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close()
	reached := make(chan bool, 100)
	go func() {
		for {
			conn, err := inside.Accept()
			if err != nil {
				return
			}
			conn.Close()
			reached <- true
		}
	}()
	port := inside.Addr().(*net.TCPAddr).Port
	s, _ := serveWith(t, func(d *httpapi.Deps, _ *httpapi.Options) {
		d.Inbox = inbox.New(d.DB, d.Data, d.Audit, time.Now, inbox.Options{DataDir: d.Dir, Networks: reach.Networks{}, Box: keyringtest.Box(t, d.DB)})
	})
	hosts := []string{"127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "0.0.0.0", "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "10.0.0.1", "192.168.0.1", "fd00:ec2::254", "fe80::1", "100.100.100.200", "2130706433", "0x7f000001", "127.1"}
	for i, host := range hosts {
		inURL := host
		if strings.Contains(host, ":") {
			inURL = "[" + host + "]"
		}
		for kind, settings := range map[string]string{
			"s3":   fmt.Sprintf(`{"endpoint":"http://%s:%d","bucket":"exports","user":"k"}`, inURL, port),
			"sftp": fmt.Sprintf(`{"host":%q,"port":%d,"user":"anna"}`, host, port),
			"imap": fmt.Sprintf(`{"host":%q,"port":%d,"user":"anna","tls":"none"}`, host, port),
		} {
			name := fmt.Sprintf("%s-%d", kind, i)
			a := as(t, s, "", http.MethodPost, "/api/v1/sources", fmt.Sprintf(`{"name":%q,"kind":%q,"settings":%s,"password":"p"}`, name, kind, settings))
			if a.status == http.StatusUnprocessableEntity {
				continue // refused at once
			}
			if a = as(t, s, "", http.MethodPost, "/api/v1/sources/"+name+"/test", ""); a.status < 400 {
				t.Errorf("%s at %s: %d %s", kind, host, a.status, a.body)
			}
		}
	}
	select {
	case <-reached:
		t.Error("a server of this machine was reached")
	default:
	}
}
