package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/search"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

var update = flag.Bool("update", false, "rewrite docs/openapi.json")

// serve starts the real handler over real services on a fresh data directory.
func serve(t *testing.T) *httptest.Server {
	t.Helper()
	s, _ := serveWith(t, nil)
	return s
}

// serveWith is serve with changes to what the handler is made of; it returns that, too.
func serveWith(t *testing.T, change func(*httpapi.Deps, *httpapi.Options)) (*httptest.Server, httpapi.Deps) {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	scope := tenant.Scope{Tenant: "default", Actor: "test"}
	dir := t.TempDir()
	w, err := warehouse.Open(t.Context(), db, dir, warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := audit.New(time.Now)
	jobs, err := job.New(db, nil, job.Options{Poll: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := jobs.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	settings := metric.NewSettings(db, log, nil)
	metrics := metric.New(w, metric.Options{Settings: settings})
	data := dataset.New(w, db, log, jobs, time.Now)
	insights, scenarios := insight.New(metrics, w, insight.Options{}), scenario.New(metrics)
	box := keyringtest.Box(t, db)
	questions, boards := question.New(metrics, insights, scenarios, data, w, nil), workspace.New(db, log, box, time.Now)
	policies := access.NewPolicies(db, log, time.Now, access.PolicyOptions{})
	deps, opt := httpapi.Deps{
		DB: db, Warehouse: w, Data: data, Notices: notice.New(db, time.Now), Inbox: inbox.New(db, data, log, time.Now, inbox.Options{Settle: time.Millisecond, DataDir: dir, Box: box}), Metrics: metrics, Settings: settings, Insights: insights, Scenarios: scenarios, Questions: questions, Audit: log, Workspace: boards, Policies: policies, Scope: scope,
		CloseMonth: func(ctx context.Context, scope tenant.Scope, month quantity.Day, closed bool) (bool, error) {
			return w.CloseMonth(ctx, scope, month, closed, nil)
		},
		Rollback: func(ctx context.Context, scope tenant.Scope, to warehouse.Snapshot) (warehouse.Outcome, error) {
			return w.Rollback(ctx, scope, to, nil)
		},
		Delivery: delivery.New(db, log, jobs, time.Now, delivery.Options{Box: box, Networks: reach.Networks{}}),
		Verify:   w.Verify, Jobs: jobs, Dir: dir,
		Access: access.New(db, log, box, time.Now, access.Options{Policies: policies}),
	}, httpapi.Options{}
	queue := review.New(db, log, time.Now)
	judge := insight.NewJudge(insights, db, queue)
	deps.Governance = govern.New(w, db, data, log, jobs, govern.Options{DataDir: dir, Box: box, Accounts: deps.Access})
	deciders := insight.Deciders(data, insights, judge, nil)
	deciders[govern.ReviewKind] = govern.Judge{Service: deps.Governance}
	deps.Reviews = review.NewDesk(queue, deciders, nil)
	if change != nil {
		change(&deps, &opt)
	}
	deps.Reports = reportsOf(t, deps, queue)
	deps.Search = search.New(deps.Metrics, deps.Insights, deps.Questions, deps.Workspace, deps.Warehouse, deps.Reports, nil)
	s := httptest.NewServer(httpapi.New(deps, opt))
	peopleOf.Store(s, &people{of: deps.Access, cookies: map[string]string{}})
	t.Cleanup(func() { s.Close(); deps.Data.Close(); w.Close() })
	return s, deps
}

type answer struct {
	status int
	header http.Header
	body   string
}

func do(t *testing.T, req *http.Request) answer {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func get(t *testing.T, s *httptest.Server, path string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(t, req)
}

func upload(t *testing.T, s *httptest.Server, files map[string]string, header ...string) answer {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for name, text := range files {
		part, err := form.CreateFormFile("file", name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(part, text)
	}
	form.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/imports", &b)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(t, req)
}

const invoicesCSV = "invoice_id,client_name,amount,date,status\nI-1,Acme,1000.00,2026-01-15,paid\nI-2,Bolt,250.50,2026-01-20,sent\nI-3,Bolt,oops,2026-01-21,sent\n"

func TestAnImportWithABadRowIsStoredReportedQueriedAndUndone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	up := upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	if up.status != http.StatusCreated {
		t.Fatalf("upload: %d %s", up.status, up.body)
	}
	var got struct{ Results []dataset.ImportResult }
	if err := json.Unmarshal([]byte(up.body), &got); err != nil {
		t.Fatal(err)
	}
	r := got.Results[0]
	if r.RowsRead != 3 || r.RowsAdded != 2 || r.RowsRejected != 1 || r.RowsRead != r.RowsAdded+r.RowsUpdated+r.RowsUnchanged+r.RowsRejected {
		t.Errorf("counts: %+v", r)
	}
	rejects := get(t, s, fmt.Sprintf("/api/v1/imports/%d/rejects", r.ImportID))
	for _, part := range []string{`"line":4`, `"value":"oops"`, `"suggestion":`} {
		if !strings.Contains(rejects.body, part) {
			t.Errorf("rejects %s: no %s", rejects.body, part)
		}
	}
	if file := get(t, s, fmt.Sprintf("/api/v1/imports/%d/rejects?format=csv", r.ImportID)); !strings.Contains(file.body, "oops") || !strings.HasPrefix(file.header.Get("Content-Type"), "text/csv") {
		t.Errorf("rejects file: %q", file.body)
	}
	query := get(t, s, "/api/v1/query?measures=revenue&by=client")
	if !strings.Contains(query.body, `[["Acme","1000"],["Bolt","250.5"]]`) {
		t.Errorf("query: %s", query.body)
	}
	undo, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("%s/api/v1/imports/%d/undo", s.URL, r.ImportID), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := do(t, undo); a.status != http.StatusOK {
		t.Fatalf("undo: %d %s", a.status, a.body)
	}
	if after := get(t, s, "/api/v1/query?measures=revenue&by=client"); !strings.Contains(after.body, `"rows":[]`) {
		t.Errorf("after undo: %s", after.body)
	}
	if again := do(t, undo.Clone(t.Context())); again.status != http.StatusConflict {
		t.Errorf("second undo: %d %s", again.status, again.body)
	}
}

func TestWrongRequestsGetProblemDetails(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	cases := []struct {
		path, says string
		status     int
	}{
		{"/api/v1/query?measures=revenu", `did you mean \"revenue\"?`, 422},
		{"/api/v1/query?measures=revenue&by=staff", "cannot be cut by staff", 422},
		{"/api/v1/query?measures=revenue&where=client+like+1", "filter", 422},
		{"/api/v1/query?measures=revenue&limit=99999999999", "limit", 422},
		{"/api/v1/query?measures=revenue&from=yesterday", "is not a date", 422},
		{"/api/v1/query?measures=revenue&from=2026-02&to=2026-01", "empty", 422},
		{"/api/v1/query?measures=revenue&snapshot=999", "snapshot 999", 404},
		{"/api/v1/imports/77", "", 404},
		{"/api/v1/imports/x/rejects", "", 404},
		{"/api/v1/datasets/nonsense/template", "", 422},
		{"/api/v1/insights/none", "", 404},
		{"/api/v1/explain?measure=nonsense", "nonsense", 422},
		{"/api/v1/snapshots?limit=100000", "", 422},
		{"/api/v1/unknown", "", 404},
	}
	for _, c := range cases {
		a := get(t, s, c.path)
		if a.status != c.status && !(c.status == 422 && a.status == 404) || !strings.Contains(a.header.Get("Content-Type"), "application/problem+json") || !strings.Contains(a.body, c.says) {
			t.Errorf("%s: got %d %s %s, want %d with %q", c.path, a.status, a.header.Get("Content-Type"), a.body, c.status, c.says)
		}
	}
	if a := upload(t, s, map[string]string{"x.csv": "what,is,this\n1,2,3\n"}); a.status != 422 || !strings.Contains(a.body, "dataset") {
		t.Errorf("an unknown file: %d %s", a.status, a.body)
	}
	if a := upload(t, s, nil); a.status != 422 {
		t.Errorf("no file: %d %s", a.status, a.body)
	}
}

func TestAnAnswerOfTheSameSnapshotIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	first := get(t, s, "/api/v1/query?measures=revenue")
	tag := first.header.Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	if a := get(t, s, "/api/v1/query?measures=revenue"); a.body != first.body || a.header.Get("ETag") != tag || a.header.Get("Content-Type") != first.header.Get("Content-Type") {
		t.Errorf("asked again: %+v, want the same answer %+v", a, first)
	}
	if a := get(t, s, "/api/v1/query?measures=revenue", "If-None-Match", tag); a.status != http.StatusNotModified {
		t.Errorf("same snapshot: %d", a.status)
	}
	upload(t, s, map[string]string{"more.csv": "invoice_id,client_name,amount,date,status\nI-9,Acme,1.00,2026-01-15,paid\n"})
	if a := get(t, s, "/api/v1/query?measures=revenue", "If-None-Match", tag); a.status != http.StatusOK || a.header.Get("ETag") == tag {
		t.Errorf("new snapshot: %d %s", a.status, a.header.Get("ETag"))
	}
	if a := get(t, s, "/api/v1/query?measures=nonsense"); a.header.Get("ETag") != "" {
		t.Error("an error carries an ETag")
	}
}

func TestAnIdempotencyKeyReplaysTheAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	first := upload(t, s, map[string]string{"invoices.csv": invoicesCSV}, "Idempotency-Key", "k1")
	second := upload(t, s, map[string]string{"invoices.csv": invoicesCSV}, "Idempotency-Key", "k1")
	if second.body != first.body || second.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("got %s, want the first answer again", second.body)
	}
	third := upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	if !strings.Contains(third.body, `"rows_unchanged":2`) {
		t.Errorf("without a key: %s", third.body)
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for i := range 3 {
		upload(t, s, map[string]string{"a.csv": fmt.Sprintf("invoice_id,client_name,amount,date,status\nI-%d,Acme,1.00,2026-01-15,paid\n", i)})
	}
	var seen []int64
	for cursor := int64(0); ; {
		var p struct {
			Items []struct{ ID int64 }
			Next  int64
		}
		a := get(t, s, fmt.Sprintf("/api/v1/imports?limit=2&cursor=%d", cursor))
		if err := json.Unmarshal([]byte(a.body), &p); err != nil {
			t.Fatal(err, a.body)
		}
		for _, i := range p.Items {
			seen = append(seen, i.ID)
		}
		if cursor = p.Next; cursor == 0 {
			break
		}
	}
	if len(seen) != 3 || seen[0] <= seen[2] {
		t.Errorf("got imports %v, want 3, newest first", seen)
	}
}

func TestInputsWithPartsAreReadWhole(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	if a := get(t, s, "/api/v1/query/rows?measure=revenue&limit=1&cursor=1"); strings.Contains(a.body, `"1000"`) || !strings.Contains(a.body, `"250.5"`) {
		t.Errorf("second page: %s", a.body)
	}
	if a := get(t, s, "/api/v1/insights/x?from=2020-01&to=2020-02"); a.status != 422 || !strings.Contains(a.body, "2020-01-01") {
		t.Errorf("period of a finding: %d %s", a.status, a.body)
	}
	if a := get(t, s, "/api/v1/insights/x/rows"); a.status != 404 || !strings.Contains(a.body, "finding x") {
		t.Errorf("id of a finding: %d %s", a.status, a.body)
	}
}

func TestPagesAreSafeAndComplete(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for path, want := range map[string]string{"/": "MoatMetrics", "/clients/Some%20client": "MoatMetrics", "/api/docs": "HTTP API"} {
		a := get(t, s, path)
		if a.status != 200 || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %.200s", path, a.status, a.body)
		}
		csp := a.header.Get("Content-Security-Policy")
		if strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "require-trusted-types-for 'script'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		for _, banned := range []string{"style=\"", "http://", "https://", "onclick"} {
			if strings.Contains(a.body, banned) {
				t.Errorf("%s contains %s", path, banned)
			}
		}
		if again := get(t, s, path, "If-None-Match", a.header.Get("ETag")); a.header.Get("ETag") != "" && again.status != 304 {
			t.Errorf("%s again: %d", path, again.status)
		}
	}
	for _, path := range []string{"/nothing.js", "/api/nothing", "/api/v1/nothing"} {
		if a := get(t, s, path); a.status != 404 || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, a.status, a.header.Get("Content-Type"))
		}
	}
}

func TestStatusSaysWhatDataThereIs(t *testing.T) {
	t.Parallel()
	s := serve(t)
	type status struct {
		Empty      bool
		Currencies []string
		Complete   struct{ From, To string }
		Rows       int64
	}
	read := func() (out status) {
		if err := json.Unmarshal([]byte(get(t, s, "/api/v1/status").body), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := read(); !got.Empty {
		t.Errorf("before any import: %+v", got)
	}
	upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	if got := read(); got.Empty || got.Rows == 0 || got.Complete.From == "" {
		t.Errorf("after an import: %+v", got)
	}
}

func TestOnlyLocalHostNamesAndOwnPagesAreServed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v1/datasets", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "attacker.example"
	if a := do(t, req); a.status != http.StatusMisdirectedRequest {
		t.Errorf("foreign host: %d", a.status)
	}
	if a := upload(t, s, map[string]string{"invoices.csv": invoicesCSV}, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
		t.Errorf("another site's form: %d", a.status)
	}
}

func TestTheOpenAPIDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	got, err := httpapi.OpenAPI("dev")
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", " "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	file := filepath.Join("..", "..", "docs", "openapi.json")
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(want, pretty.Bytes()) {
		t.Errorf("docs/openapi.json is not current (%v): run make generate", err)
	}
	if !bytes.Contains(want, []byte(`"openapi": "3.1`)) {
		t.Error("not OpenAPI 3.1")
	}
}

func TestAMonthIsClosedAndReopened(t *testing.T) {
	t.Parallel()
	s := serve(t)
	file := "invoice_id,client_name,amount,date,status\n%s,Acme,1.00,2026-01-15,paid\n"
	upload(t, s, map[string]string{"a.csv": fmt.Sprintf(file, "I-1")})
	send := func(path string) answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/closed-months/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return do(t, req)
	}
	if a := send("2026-01/close"); a.status != 200 || !strings.Contains(a.body, `"changed":true`) {
		t.Errorf("close: %d %s", a.status, a.body)
	}
	if a := get(t, s, "/api/v1/closed-months"); !strings.Contains(a.body, `"month":"2026-01"`) {
		t.Errorf("list: %s", a.body)
	}
	if a := upload(t, s, map[string]string{"a.csv": fmt.Sprintf(file, "I-2")}); a.status != http.StatusConflict || !strings.Contains(a.body, "closed") {
		t.Errorf("an import into the closed month: %d %s", a.status, a.body)
	}
	if a := send("2026-01/reopen"); a.status != 200 {
		t.Errorf("reopen: %d %s", a.status, a.body)
	}
	if a := upload(t, s, map[string]string{"a.csv": fmt.Sprintf(file, "I-2")}); a.status >= 300 {
		t.Errorf("an import after that: %d %s", a.status, a.body)
	}
	for _, wrong := range []string{"2026-13/close", "March/close", "9999-01/close"} {
		if a := send(wrong); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.header.Get("Content-Type"), "problem+json") {
			t.Errorf("%s: %d %s", wrong, a.status, a.body)
		}
	}
}

func TestPartsOfListsAreBoundFromTheAddress(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	var rows struct {
		Rows [][]any `json:"rows"`
		Next int     `json:"next"`
	}
	for path, want := range map[string]int{"limit=1": 1, "limit=1&cursor=1": 1} {
		a := get(t, s, "/api/v1/query/rows?measure=revenue&"+path)
		if err := json.Unmarshal([]byte(a.body), &rows); err != nil || len(rows.Rows) != want {
			t.Errorf("%s: %d rows, want %d: %v %.200s", path, len(rows.Rows), want, err, a.body)
		}
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name string }
		}
	}
	text, err := httpapi.OpenAPI("test")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			for _, part := range strings.Split(path, "/") {
				name, ok := strings.CutPrefix(part, "{")
				if !ok {
					continue
				}
				name = strings.TrimSuffix(name, "}")
				found := false
				for _, p := range op.Parameters {
					found = found || p.Name == name
				}
				if !found {
					t.Errorf("%s %s does not read {%s}", method, path, name)
				}
			}
		}
	}
}
