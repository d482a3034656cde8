package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// What went wrong over HTTP in an earlier product of the same purpose: one upload blocked
// every other request, a failed one left its rows behind, and the retry doubled them.

const hoursCSV = "staff_name,client_name,date,hours\n"

// slowUpload begins an upload and sends the parts of the body as they are given. Closing
// the writer ends the form; closing it with an error breaks the connection off.
type slowUpload struct {
	body *io.PipeWriter
	done chan answer // status 0: the connection broke
	end  string
}

func beginUpload(ctx context.Context, s *httptest.Server, name string) *slowUpload {
	var frame bytes.Buffer
	form := multipart.NewWriter(&frame)
	form.CreateFormFile("file", name)
	head := frame.String()
	form.Close()
	r, w := io.Pipe()
	u := &slowUpload{body: w, done: make(chan answer, 1), end: strings.TrimPrefix(frame.String(), head)}
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v1/imports", r)
		if err != nil {
			u.done <- answer{body: err.Error()}
			return
		}
		req.Header.Set("Content-Type", form.FormDataContentType())
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			u.done <- answer{body: err.Error()}
			return
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		u.done <- answer{res.StatusCode, res.Header, string(text)}
	}()
	io.WriteString(w, head)
	return u
}

func (u *slowUpload) finish() answer {
	io.WriteString(u.body, u.end)
	u.body.Close()
	return <-u.done
}

func hours(t *testing.T, s *httptest.Server) string {
	t.Helper()
	_, rows, _ := strings.Cut(get(t, s, "/api/v1/query?measures=hours_worked").body, `"rows":`)
	rows, _, _ = strings.Cut(rows, "]]")
	return rows + "]]"
}

func TestAnUploadBlocksNobodyElse(t *testing.T) {
	t.Parallel()
	s := serve(t)
	slow := beginUpload(t.Context(), s, "slow.csv")
	io.WriteString(slow.body, hoursCSV+"Dana,Harbor,2026-03-01,1\n")
	// The upload is under way until finish: all of this is answered meanwhile.
	for _, path := range []string{"/healthz", "/api/v1/datasets", "/api/v1/imports", "/api/v1/query?measures=hours_worked"} {
		if a := get(t, s, path); a.status != http.StatusOK {
			t.Errorf("%s during an upload: %d %s", path, a.status, a.body)
		}
	}
	if a := upload(t, s, map[string]string{"time_other.csv": hoursCSV + "Sam,Bay,2026-03-02,2\n"}); a.status != http.StatusCreated {
		t.Errorf("another upload during an upload: %d %s", a.status, a.body)
	}
	if got := hours(t, s); got != `[["2"]]` {
		t.Errorf("hours before the slow upload ends: %s", got)
	}
	select {
	case a := <-slow.done:
		t.Fatalf("the slow upload ended by itself: %d %s", a.status, a.body)
	default:
	}
	if a := slow.finish(); a.status != http.StatusCreated {
		t.Errorf("the slow upload: %d %s", a.status, a.body)
	}
	if got := hours(t, s); got != `[["3"]]` {
		t.Errorf("hours: %s", got)
	}
}

func TestAFailedUploadLeavesNothingAndItsRetryStoresOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	text := hoursCSV + strings.Repeat("Dana,Harbor,2026-03-01,1\n", 50)
	broken := beginUpload(t.Context(), s, "time.csv")
	io.WriteString(broken.body, text)
	broken.body.CloseWithError(errors.New("the network is gone"))
	if a := <-broken.done; a.status == http.StatusCreated {
		t.Fatalf("a broken upload was stored: %s", a.body)
	}
	// One whose form ends inside the file is told so.
	if a := post(t, s, "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"time.csv\"\r\n\r\n"+text); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a form that is cut off: %d %s", a.status, a.body)
	}
	if list := get(t, s, "/api/v1/imports"); !strings.Contains(list.body, `"items":[]`) {
		t.Errorf("imports after the failures: %s", list.body)
	}
	if got := hours(t, s); strings.Contains(got, "50") {
		t.Errorf("hours after the failures: %s", got)
	}
	for range 3 { // the retry, and the retries of somebody who is not sure
		if a := upload(t, s, map[string]string{"time.csv": text}, "Idempotency-Key", "k1"); a.status != http.StatusCreated {
			t.Fatalf("retry: %d %s", a.status, a.body)
		}
		if a := upload(t, s, map[string]string{"time.csv": text}); a.status != http.StatusCreated {
			t.Fatalf("retry: %d %s", a.status, a.body)
		}
		if got := hours(t, s); got != `[["50"]]` {
			t.Fatalf("hours: %s", got)
		}
	}
}

func post(t *testing.T, s *httptest.Server, media, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/imports", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", media)
	return do(t, req)
}

func TestUploadsOfManyClientsAreAllStored(t *testing.T) {
	t.Parallel()
	s := serve(t)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			name := fmt.Sprintf("time%d.csv", i)
			if a := upload(t, s, map[string]string{name: hoursCSV + fmt.Sprintf("Person %d,Harbor,2026-03-%02d,1\n", i, i+1)}); a.status != http.StatusCreated {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		})
	}
	all.Wait()
	if got := hours(t, s); got != `[["16"]]` {
		t.Errorf("hours: %s", got)
	}
}
