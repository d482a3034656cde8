package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/httpapi"
)

// fast is how long an answer to a body that is made to be expensive may take, with room for a
// busy machine; without the bounds these take minutes, or all memory.
const fast = 5 * time.Second

func TestJSONThatIsMadeToBeExpensiveIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	lever := func(percent string) string {
		return `{"levers":[{"kind":"price","percent":` + percent + `}]}`
	}
	for _, c := range []struct {
		name, path, body string
		status           int
	}{
		{"a deep nest of arrays", "/api/v1/query", `{"measures":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, 422},
		{"a deep nest of objects", "/api/v1/dashboards", `{"name":"x","content":` + strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000) + `}`, 422},
		{"very many values", "/api/v1/query", `{"measures":[` + strings.Repeat(`0,`, 300_000) + `0]}`, 422},
		{"a number of a million digits", "/api/v1/scenarios/run", lever(strings.Repeat("9", 900_000)), 422},
		{"a number with a huge exponent", "/api/v1/scenarios/run", lever("1e999999999"), 422},
		{"a text with one", "/api/v1/scenarios/run", lever(`"1e999999999"`), 422},
		{"a text with a small one", "/api/v1/scenarios/run", lever(`"1e-999999999"`), 422},
		{"a body above the bound", "/api/v1/query", `{"measures":["` + strings.Repeat("x", 1<<20) + `"]}`, 413},
		{"what is no JSON", "/api/v1/query", `{"measures":`, 400},
	} {
		began := time.Now()
		a := as(t, s, "", http.MethodPost, c.path, c.body)
		if took := time.Since(began); a.status != c.status || took > fast || !strings.Contains(a.header.Get("Content-Type"), "problem+json") {
			t.Errorf("%s: %d after %s, want %d: %.300s", c.name, a.status, took, c.status, a.body)
		}
	}
	for _, path := range []string{
		"/api/v1/rankings?measure=gross_margin&limit=1e999999999", "/api/v1/reprices?margin=1e-999999999", "/api/v1/reprices?rate=1e999999999",
		"/api/v1/query?measures=revenue&by=client&where=" + url.QueryEscape("revenue > 1e999999999"),
		"/api/v1/query?measures=revenue&where=" + url.QueryEscape(strings.Repeat("(", 5000)+`client = "x"`+strings.Repeat(")", 5000)),
		"/api/v1/query?measures=revenue&where=" + url.QueryEscape(strings.Repeat("not ", 5000)+`client = "x"`),
	} {
		began := time.Now()
		if a := get(t, s, path); a.status < 400 || a.status >= 500 || time.Since(began) > fast {
			t.Errorf("%.80s: %d after %s: %.300s", path, a.status, time.Since(began), a.body)
		}
	}
	if a := get(t, s, "/api/v1/datasets"); a.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
}

func TestUnknownAndRepeatedQueryParametersAreRefused(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for path, says := range map[string]string{
		"/api/v1/query?measures=revenue&frm=2026-01":        "frm",
		"/api/v1/query?measures=revenue&measures=mrr":       "more than once",
		"/api/v1/datasets?cachebuster=1":                    "cachebuster",
		"/api/v1/imports/1/rejects?formt=csv":               "formt",
		"/api/v1/query?measures=revenue&%zz":                "cannot be read",
		"/api/v1/datasets/clients/template?format=csv&x[]=": "x[]",
	} {
		if a := get(t, s, path); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// impatient serves with so short a patience that a test can outlast it.
func impatient(t *testing.T, pause time.Duration) *httptest.Server {
	t.Helper()
	s, _ := serveWith(t, func(_ *httpapi.Deps, o *httpapi.Options) { o.Pause = pause })
	return s
}

func TestABodyThatDripsIsCutOffAndOneThatFlowsIsNot(t *testing.T) {
	t.Parallel()
	const pause = 500 * time.Millisecond
	s := impatient(t, pause)
	send := func(path, header string, size int, chunk []byte, every time.Duration) (status string, took time.Duration) {
		t.Helper()
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		began := time.Now()
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\nContent-Length: %d\r\n\r\n", path, header, size)
		go func() {
			for sent := 0; sent < size; sent += len(chunk) {
				if _, err := conn.Write(chunk); err != nil {
					return
				}
				time.Sleep(every)
			}
		}()
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil {
			line = "closed"
		}
		return strings.TrimSpace(line), time.Since(began)
	}
	const asJSON = "Content-Type: application/json"
	for name, path := range map[string]string{"to a route": "POST /api/v1/query", "to no route": "POST /nothing", "to a route that reads none": "POST /api/v1/system/verify"} {
		if status, took := send(path, asJSON, 1000, []byte("x"), 50*time.Millisecond); took > 10*time.Second {
			t.Errorf("a byte now and then, %s: %s after %s", name, status, took)
		}
	}
	if status, took := send("POST /api/v1/query", asJSON, 1000, []byte("x"), time.Hour); !strings.Contains(status, "408") || took > 10*time.Second {
		t.Errorf("nothing more: %s after %s", status, took)
	}
	var up struct{ ID string }
	const chunk, size = 4096, 40 * 4096
	up = sent[struct{ ID string }](t, s, http.MethodPost, "/api/v1/uploads", fmt.Sprintf(`{"name":"a.csv","bytes":%d}`, size), http.StatusCreated)
	status, took := send("PATCH /api/v1/uploads/"+up.ID, "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0", size, []byte(strings.Repeat("a,b\n", chunk/4)), 50*time.Millisecond)
	if !strings.Contains(status, "200") || took < 3*pause {
		t.Errorf("a file that flows for longer than the patience: %s after %s", status, took)
	}
}

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	t.Parallel()
	s := impatient(t, 500*time.Millisecond)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const asked = 300
	go func() {
		for range asked {
			if _, err := io.WriteString(conn, "GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				return
			}
		}
	}()
	time.Sleep(4 * time.Second) // the server fills what the machine buffers, then waits
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	all, _ := io.ReadAll(conn) // until it is closed, with or without a reset
	if got := strings.Count(string(all), "HTTP/1.1 200"); got == 0 || got >= asked {
		t.Errorf("%d of %d answers came", got, asked)
	}
}
