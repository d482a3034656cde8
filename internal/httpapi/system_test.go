package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func TestTheSystemTellsWhatItHolds(t *testing.T) {
	t.Parallel()
	broken := false
	s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		verify := d.Verify
		d.Verify = func(ctx context.Context, scope tenant.Scope) ([]warehouse.Problem, error) {
			if broken {
				return []warehouse.Problem{{What: "audit", Where: "entry 1", Detail: "changed"}}, nil
			}
			return verify(ctx, scope)
		}
		o.Version = "v1.2.3"
	})
	type answer struct {
		Version, Go, OS, Database string
		Snapshot, Snapshots       int
		Storage                   struct {
			Files int
			Bytes int64
			Free  int64 `json:"free_bytes"`
		}
		Jobs    map[string]int
		Cache   struct{ Hits, Misses int }
		Answers struct{ Entries, Bytes int }
		Tables  []struct {
			Name        string
			Rows, Files int
		}
		LastImport *string `json:"last_import_at"`
		Problems   []any
	}
	system := func() answer {
		t.Helper()
		a := get(t, s, "/api/v1/system")
		var out answer
		if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 {
			t.Fatalf("%d %s: %v", a.status, a.body, err)
		}
		return out
	}
	if x := system(); x.Snapshot != 0 || x.LastImport != nil || x.Tables == nil || x.Storage.Files != 0 {
		t.Errorf("empty: %+v", x)
	}
	upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	get(t, s, "/api/v1/query?measures=revenue")
	x := system()
	if x.Version != "v1.2.3" || x.Database != "sqlite" || x.Snapshot == 0 || x.Snapshots != 2 || x.LastImport == nil || x.Jobs["available"] != 1 ||
		x.Storage.Files == 0 || x.Storage.Bytes == 0 || x.Storage.Free == 0 || x.Cache.Misses == 0 || x.Answers.Entries != 1 || x.Answers.Bytes == 0 {
		t.Errorf("%+v", x)
	}
	if len(x.Tables) == 0 || x.Tables[0].Files == 0 {
		t.Errorf("tables: %+v", x.Tables)
	}
	check := func(says string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/system/verify", nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := do(t, req); a.status != 200 || !strings.Contains(a.body, says) {
			t.Errorf("verify: %d %s", a.status, a.body)
		}
	}
	check(`"ok":true,"problems":[]`)
	broken = true
	check(`"ok":false,"problems":[{"what":"audit","where":"entry 1","detail":"changed"}]`)
}
