package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
)

// listen opens an event stream and returns its lines; end leaves.
func listen(t *testing.T, s *httptest.Server) (lines <-chan string, end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	ch := make(chan string, 100)
	go func() {
		defer close(ch)
		defer res.Body.Close()
		for sc := bufio.NewScanner(res.Body); sc.Scan(); {
			if sc.Text() != "" {
				ch <- sc.Text()
			}
		}
	}()
	return ch, cancel
}

// expect waits for a line.
func expect(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	select {
	case got := <-lines:
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("no %q within a minute", want)
	}
}

// running counts the goroutines of event streams.
func running() int {
	var b strings.Builder
	pprof.Lookup("goroutine").WriteTo(&b, 2)
	return strings.Count(b.String(), "httpapi.(*hub).poll(") + strings.Count(b.String(), "httpapi.(*server).stream(")
}

func drained(t *testing.T) {
	t.Helper()
	for range 600 {
		if running() == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%d goroutines of event streams are left", running())
}

// The tests of streams are not parallel: they count goroutines.
func TestAnImportIsToldToOpenStreams(t *testing.T) {
	s, deps := serveWith(t, func(_ *httpapi.Deps, o *httpapi.Options) { o.Version = "v9" })
	upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	before, err := deps.Warehouse.Current(t.Context(), deps.Scope)
	if err != nil {
		t.Fatal(err)
	}
	hello := fmt.Sprintf(`data: {"snapshot":%d,"version":"v9"}`, before)
	first, end := listen(t, s)
	expect(t, first, "event: hello")
	expect(t, first, hello)
	second, endSecond := listen(t, s)
	expect(t, second, "event: hello")
	expect(t, second, hello)
	// Not through the handler, as another process would.
	if _, err := deps.Data.Import(t.Context(), deps.Scope, dataset.ImportRequest{Reader: strings.NewReader(strings.ReplaceAll(invoicesCSV, "1000.00", "1001.00")), Name: "invoices.csv"}); err != nil {
		t.Fatal(err)
	}
	snap, err := deps.Warehouse.Current(t.Context(), deps.Scope)
	if err != nil {
		t.Fatal(err)
	}
	for _, lines := range []<-chan string{first, second} {
		expect(t, lines, "event: snapshot")
		expect(t, lines, fmt.Sprintf(`data: {"snapshot":%d,"before":%d}`, snap, before))
	}
	end()
	third, endThird := listen(t, s)
	expect(t, third, "event: hello")
	expect(t, third, fmt.Sprintf(`data: {"snapshot":%d,"version":"v9"}`, snap))
	endSecond()
	endThird()
	drained(t)
	if a := get(t, s, "/metrics"); strings.Contains(a.body, "/events") {
		t.Error("the histogram counts streams")
	}
}

func TestStreamsEndWithTheServer(t *testing.T) {
	done := make(chan struct{})
	s, _ := serveWith(t, func(_ *httpapi.Deps, o *httpapi.Options) { o.Done = done })
	lines, end := listen(t, s)
	defer end()
	expect(t, lines, "event: hello")
	close(done)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := s.Config.Shutdown(ctx); err != nil {
		t.Errorf("the server waits for the stream: %v", err)
	}
	drained(t)
}

func TestOnlySoManyStreamsAreOpen(t *testing.T) {
	s := serve(t)
	var ends []func()
	for range 200 {
		lines, end := listen(t, s)
		expect(t, lines, "event: hello")
		ends = append(ends, end)
	}
	if a := get(t, s, "/api/v1/events"); a.status != http.StatusServiceUnavailable || !strings.Contains(a.header.Get("Content-Type"), "problem+json") {
		t.Errorf("one more: %d %s", a.status, a.body)
	}
	for _, end := range ends {
		end()
	}
	drained(t)
	lines, end := listen(t, s)
	expect(t, lines, "event: hello")
	end()
	drained(t)
}
