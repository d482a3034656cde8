package app_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/report"
)

// bills imports an invoice of last month for each amount, of clients of their own.
func bills(t *testing.T, data string, amounts ...string) {
	t.Helper()
	y, m, _ := time.Now().UTC().Date()
	month := time.Date(y, m-1, 1, 0, 0, 0, 0, time.UTC).Format("2006-01") // the last that is over
	text := "invoice_id,client_name,amount,date,status\n"
	for i, amount := range amounts {
		n := string(rune('A' + i))
		text += "I-" + n + ",Client " + n + "," + amount + "," + month + "-10,paid\n"
	}
	ok(t, data, "import", write(t, t.TempDir(), "invoices.csv", text))
}

func TestAlertsAreListedToALimitThatIsTold(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	bills(t, data, "50", "60", "70", "5000")
	ok(t, data, "alerts", "add", "Small", "--measure", "revenue", "--below", "100", "--by", "client", "--in-app")
	ok(t, data, "alerts", "run")
	for _, c := range []struct {
		args []string
		rows int
		says bool
	}{{nil, 3, false}, {[]string{"--limit", "2"}, 2, true}, {[]string{"--limit", "3"}, 3, false}, {[]string{"--limit", "0", "--open"}, 3, false}, {[]string{"--limit", "1", "--open"}, 1, true}} {
		code, out, errOut := run(t, data, append([]string{"alerts", "list", "--json"}, c.args...)...)
		var list []struct{ ID string }
		if err := json.Unmarshal([]byte(out), &list); code != 0 || err != nil || len(list) != c.rows || strings.Contains(errOut, "There are more") != c.says {
			t.Errorf("%v: exit %d, %d alerts, %v, says %q", c.args, code, len(list), err, errOut)
		}
	}
	if code, _, errOut := run(t, data, "alerts", "--limit", "-1"); code == 0 || !strings.Contains(errOut, "--limit") {
		t.Errorf("exit %d, %q", code, errOut)
	}
}

func TestAScheduleTakesDestinationsByTheirName(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	ok(t, data, "destinations", "add", "share", "--kind", "s3", "--endpoint", "https://store.invalid", "--bucket", "reports", "--user", "anna", "--password-file", write(t, t.TempDir(), "secret", "correct horse"))
	var there []struct{ ID string }
	if err := json.Unmarshal([]byte(ok(t, data, "destinations", "list", "--json")), &there); err != nil || len(there) != 1 {
		t.Fatalf("%+v, %v", there, err)
	}
	add := func(name, to string) (int, string, string) {
		return run(t, data, "report", "schedule", "add", name, "--template", "service-desk", "--cron", "0 7 1 * *", "--to", to, "--json")
	}
	for name, to := range map[string]string{"by name": "share as viewer", "by id": there[0].ID + " as viewer"} {
		code, out, errOut := add(name, to)
		var s struct {
			Recipients []struct{ Destination, Role string }
		}
		if err := json.Unmarshal([]byte(out), &s); code != 0 || err != nil || len(s.Recipients) != 1 || s.Recipients[0].Destination != there[0].ID || s.Recipients[0].Role != "viewer" {
			t.Errorf("%s: exit %d, %+v, %v\n%s", name, code, s, err, errOut)
		}
	}
	for _, to := range []string{"nowhere as viewer", "board@client.example via nowhere as viewer"} {
		if code, _, errOut := add("nowhere", to); code == 0 || !strings.Contains(errOut, `there is no destination "nowhere"`) {
			t.Errorf("%s: exit %d, %q", to, code, errOut)
		}
	}
}

func TestAScheduleTakesTheClientsOfARecipient(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	bills(t, data, "50", "60", "70")
	ok(t, data, "destinations", "add", "office", "--kind", "email", "--host", "127.0.0.1", "--tls", "none", "--from", "reports@msp.example")
	ok(t, data, "destinations", "add", "share", "--kind", "s3", "--endpoint", "https://store.invalid", "--bucket", "reports", "--user", "anna", "--password-file", write(t, t.TempDir(), "secret", "correct horse"))
	add := func(name, to string) (int, string, string) {
		return run(t, data, "report", "schedule", "add", name, "--template", "client-qbr", "--every-client", "--cron", "0 7 1 * *", "--to", to, "--json")
	}
	for to, want := range map[string]string{
		"kim@a.example via office for Client A":                            " kim@a.example [Client A]",
		"kim@a.example via office as client-portal for client a; Client B": "client-portal kim@a.example [Client A Client B]",
		"share as viewer for Client C;Client C":                            "viewer  [Client C]",
		"share for Client B":                                               "  [Client B]",
		"share as viewer":                                                  "viewer  []",
	} {
		code, out, errOut := add(to, to)
		var s report.Schedule
		if err := json.Unmarshal([]byte(out), &s); code != 0 || err != nil || len(s.Recipients) != 1 {
			t.Errorf("%s: exit %d, %+v, %v\n%s", to, code, s, err, errOut)
			continue
		}
		if r := s.Recipients[0]; fmt.Sprint(r.Role, " ", r.Address, " ", r.Clients) != want || r.Destination == "" {
			t.Errorf("%s: %+v, want %s", to, r, want)
		}
	}
	for to, want := range map[string]string{
		"kim@a.example via office":              "say which clients it gets",
		"kim@a.example via office for Client Z": `there is no client "Client Z"`,
		"kim@a.example via office for":          "a client's name is missing",
		"share as viewer for Client A;":         "a client's name is missing",
		"user:1 for Client A":                   "leave role and clients out",
	} {
		if code, _, errOut := add("wrong", to); code == 0 || !strings.Contains(errOut, want) {
			t.Errorf("%s: exit %d, %q", to, code, errOut)
		}
	}
}

// What is written to a file may be confidential: the umask of whoever asks says who may read it.
func TestFilesAreReadableForWhomTheUmaskLets(t *testing.T) {
	t.Parallel()
	p := program{data: filepath.Join(t.TempDir(), "data")}
	bills(t, p.data, "50")
	out := t.TempDir()
	for umask, want := range map[string]fs.FileMode{"077": 0o600, "027": 0o640, "022": 0o644} {
		file := filepath.Join(out, umask+".html")
		asked := p.command("report", "client-profitability", "--format", "html", "-o", file)
		cmd := exec.Command("sh", "-c", `umask "$1"; exec "$2"`, "sh", umask, asked.Path)
		cmd.Env = asked.Env
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != want {
			t.Errorf("with a umask of %s: %v, %v, want %v", umask, info.Mode(), err, want)
		}
	}
	if left, err := os.ReadDir(out); err != nil || len(left) != 3 {
		t.Errorf("%d files, %v, want 3", len(left), err)
	}
}
