package httpapi_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

func TestAFileIsSentInPartsLookedAtImportedAndUndone(t *testing.T) {
	s := serve(t)
	const text = "client_name,date,hours,staff_name\nHarbor,2026-03-01,2,Dana\nHarbor,2026-03-02,soon,Dana\n"
	call := func(method, path, body string, header ...string) (int, map[string]any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		out := map[string]any{}
		raw, _ := io.ReadAll(res.Body)
		if len(raw) > 0 && raw[0] == '{' {
			if err := json.Unmarshal(raw, &out); err != nil {
				t.Fatal(err)
			}
		} else {
			out["text"] = string(raw)
		}
		return res.StatusCode, out
	}
	const asJSON, asBytes = "application/json", "application/offset+octet-stream"
	code, up := call("POST", "/api/v1/uploads", `{"name": "time.csv", "bytes": `+strconv.Itoa(len(text))+`}`, "Content-Type", asJSON)
	if code != 201 {
		t.Fatalf("create: %d %v", code, up)
	}
	at := "/api/v1/uploads/" + up["id"].(string)
	patch := func(offset int, part string) (int, map[string]any) {
		t.Helper()
		return call("PATCH", at, part, "Content-Type", asBytes, "Upload-Offset", strconv.Itoa(offset))
	}
	if code, got := patch(0, text[:20]); code != 200 || got["received"] != 20.0 {
		t.Fatalf("first part: %d %v", code, got)
	}
	if code, got := patch(0, text[:20]); code != 409 {
		t.Errorf("the first part again: %d %v", code, got)
	}
	if code, got := patch(20, text[20:]+"x"); code != 422 {
		t.Errorf("a byte too many: %d %v", code, got)
	}
	if code, got := call("PATCH", at, "x", "Content-Type", asJSON, "Upload-Offset", "0"); code != 415 {
		t.Errorf("the wrong type: %d %v", code, got)
	}
	code, got := patch(len(text), "")
	if code != 200 || got["sha256"] == "" {
		t.Fatalf("complete: %d %v", code, got)
	}
	if code, got := call("GET", at+"/file", ""); code != 200 || got["text"] != text {
		t.Errorf("the file: %d %v", code, got)
	}
	batch := func(body string) map[string]any {
		t.Helper()
		code, b := call("POST", "/api/v1/batches", body, "Content-Type", asJSON)
		if code != 202 {
			t.Fatalf("batch: %d %v", code, b)
		}
		id := "/api/v1/batches/" + b["id"].(string)
		if last := lastEvent(t, s, id+"/events"); last != "end" {
			t.Fatalf("events end with %q", last)
		}
		_, b = call("GET", id, "")
		return b
	}
	file := `{"upload": "` + up["id"].(string) + `"`
	b := batch(`{"files": [` + file + `}], "dry_run": true}`)
	result := b["tables"].([]any)[0].(map[string]any)["result"].(map[string]any)
	if b["status"] != "done" || result["rows_added"] != 1.0 || result["rows_rejected"] != 1.0 || result["preview"] == nil || result["effect"] == nil {
		t.Fatalf("dry run: %v", b)
	}
	b = batch(`{"files": [` + file + `, "mapping": {"corrections": [{"column": "hours", "is": "soon", "set": "0.5"}]}}]}`)
	result = b["tables"].([]any)[0].(map[string]any)["result"].(map[string]any)
	if result["rows_added"] != 2.0 || result["upload"] != up["id"] {
		t.Fatalf("import: %v", b)
	}
	if code, got := call("POST", "/api/v1/batches", `{"files": [`+file+`, "mapping": {"options": {"date_order": "up"}}}]}`, "Content-Type", asJSON); code != 422 || !strings.Contains(string(mustJSON(t, got)), "files[0].options.date_order") {
		t.Errorf("a wrong mapping: %d %v", code, got)
	}
	if code, got := call("POST", "/api/v1/imports/"+strconv.Itoa(int(result["import_id"].(float64)))+"/undo", ""); code != 200 || got["changed"] != true {
		t.Errorf("undo: %d %v", code, got)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// lastEvent reads a stream of events to its end and returns the name of the last.
func lastEvent(t *testing.T, s *httptest.Server, path string) string {
	t.Helper()
	res, err := http.Get(s.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	last := ""
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			last = name
		}
	}
	return last
}
