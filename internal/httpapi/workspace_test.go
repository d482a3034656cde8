package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

func send(t *testing.T, s *httptest.Server, method, path, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return do(t, req)
}

// sent is send that reads the answer, which must have a status.
func sent[T any](t *testing.T, s *httptest.Server, method, path, body string, status int) T {
	t.Helper()
	var out T
	a := send(t, s, method, path, body)
	if a.status != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, a.status, a.body, status)
	}
	if status == http.StatusNoContent {
		if a.body != "" {
			t.Errorf("%s %s: 204 with %q", method, path, a.body)
		}
		return out
	}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatal(err, a.body)
	}
	return out
}

type item struct {
	ID, Name  string
	Revision  int64
	Content   json.RawMessage
	DeletedAt string `json:"deleted_at"`
	CanUndo   bool   `json:"can_undo"`
	CanRedo   bool   `json:"can_redo"`
	Revisions []struct{ Revision int64 }
}

type items struct {
	Items []item
	Next  int64
}

func TestADashboardIsMadeSavedUndoneDeletedAndRestored(t *testing.T) {
	t.Parallel()
	s := serve(t)
	const all = "/api/v1/dashboards"
	made := sent[item](t, s, "POST", all, `{"name":"Mine","template":"owner"}`, 201)
	one := all + "/" + made.ID
	if made.Revision != 1 || made.CanUndo || !strings.Contains(string(made.Content), "gross_margin") {
		t.Errorf("made: %+v", made)
	}
	saved := sent[item](t, s, "PUT", one, `{"name":"Mine","content":{"period":"last3","tiles":[]},"revision":1,"autosave":true}`, 200)
	if saved.Revision != 2 || !saved.CanUndo || saved.CanRedo || string(saved.Content) != `{"period":"last3","tiles":[]}` || len(saved.Revisions) != 2 {
		t.Errorf("saved: %+v", saved)
	}
	if a := send(t, s, "PUT", one, `{"name":"Mine","content":{},"revision":1}`); a.status != 409 || !strings.Contains(a.body, "someone changed this dashboard meanwhile") || !strings.Contains(a.body, `"code":"conflict"`) {
		t.Errorf("an old revision: %d %s", a.status, a.body)
	}
	if u := sent[item](t, s, "POST", one+"/undo", "", 200); u.Revision != 1 || u.CanUndo || !u.CanRedo || string(u.Content) != string(made.Content) {
		t.Errorf("undone: %+v", u)
	}
	if a := send(t, s, "POST", one+"/undo", ""); a.status != 409 {
		t.Errorf("nothing to undo: %d %s", a.status, a.body)
	}
	if r := sent[item](t, s, "POST", one+"/redo", "", 200); r.Revision != 2 || !r.CanUndo || r.CanRedo {
		t.Errorf("redone: %+v", r)
	}
	sent[item](t, s, "POST", all, `{"name":"Empty"}`, 201)
	list := sent[items](t, s, "GET", all+"?limit=1", "", 200)
	if len(list.Items) != 1 || list.Items[0].Name != "Empty" || list.Items[0].Content != nil || list.Next == 0 {
		t.Errorf("list: %+v", list)
	}
	if rest := sent[items](t, s, "GET", fmt.Sprint(all, "?limit=1&cursor=", list.Next), "", 200); len(rest.Items) != 1 || rest.Items[0].ID != made.ID || rest.Next != 0 {
		t.Errorf("second page: %+v", rest)
	}
	sent[none](t, s, "DELETE", one, "", 204)
	if a := get(t, s, one); a.status != 404 || !strings.Contains(a.body, "restore it first") {
		t.Errorf("deleted: %d %s", a.status, a.body)
	}
	if gone := sent[items](t, s, "GET", all+"?deleted=true", "", 200); len(gone.Items) != 1 || gone.Items[0].ID != made.ID || gone.Items[0].DeletedAt == "" {
		t.Errorf("deleted ones: %+v", gone)
	}
	if back := sent[item](t, s, "POST", one+"/restore", "", 200); back.Revision != 2 || !back.CanUndo {
		t.Errorf("restored: %+v", back)
	}
	if a := get(t, s, "/api/v1/audit"); !strings.Contains(a.body, "dashboard.create") || strings.Contains(a.body, "dashboard.save") || strings.Contains(a.body, "Mine") {
		t.Errorf("audit: %s", a.body)
	}
}

type none struct{}

func TestWrongDashboardsGetEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	cases := []struct {
		method, path, body string
		status             int
		says               []string
	}{
		{"POST", "/api/v1/dashboards", `{"name":"","content":{"period":"x","tiles":[{"id":"a","x":0,"y":0,"w":13,"h":1,"kind":"pie","more":1}]}}`, 422, []string{`"path":"name"`, `"path":"period"`, `"path":"tiles[0].w"`, `"path":"tiles[0].kind"`, `"path":"tiles[0].more"`, `"allowed":["kpi","trend"`}},
		{"POST", "/api/v1/dashboards", `{"name":"x","template":"nonsense"}`, 422, []string{`"path":"template"`, `"owner"`}},
		{"POST", "/api/v1/dashboards", `{"name":"x","template":"owner","content":{}}`, 422, []string{`"path":"template"`}},
		{"POST", "/api/v1/dashboards", `{"name":"x","contents":{}}`, 422, []string{"contents"}},
		{"POST", "/api/v1/dashboards", `{"name":`, 422, nil},
		{"PUT", "/api/v1/dashboards/nothing", `{"name":"x","content":{},"revision":1}`, 404, []string{"nothing"}},
		{"PUT", "/api/v1/dashboards/nothing", `{"name":"x","revision":1}`, 422, []string{`"path":"content"`}},
		{"POST", "/api/v1/dashboards", `{"name":"x","content":{"where":"` + strings.Repeat("a", 256<<10) + `"}}`, 422, []string{"256 KiB"}},
		{"POST", "/api/v1/views", `{"name":"x","content":{"path":"//evil.example"}}`, 422, []string{`"path":"content.path"`}},
		{"POST", "/api/v1/links", `{"path":"https://evil.example"}`, 422, []string{`"path":"path"`}},
		{"GET", "/api/v1/links/nothing", "", 404, nil},
		{"GET", "/s/nothing", "", 404, []string{"nothing"}},
		{"PUT", "/api/v1/settings", `{"name":"","currency":"QQQ","locale":"","theme":"","density":""}`, 422, []string{"ISO 4217"}},
		{"PUT", "/api/v1/settings", `{"name":"","currency":"","locale":"","theme":"pink","density":""}`, 422, nil},
		{"POST", "/api/v1/feedback", `{"page":"/x"}`, 422, []string{`"path":"score"`}},
		{"GET", "/api/v1/feedback?limit=0", "", 422, []string{`"path":"limit"`}},
		{"GET", "/api/v1/feedback?format=xml", "", 422, []string{`"path":"format"`}},
		{"DELETE", "/api/v1/feedback/7", "", 404, nil},
		{"POST", "/api/v1/usage", `{"features":["Nope"]}`, 422, []string{`"path":"features[0]"`}},
		{"GET", "/api/v1/usage?days=401", "", 422, nil},
	}
	for _, c := range cases {
		a := send(t, s, c.method, c.path, c.body)
		if a.status != c.status || !strings.Contains(a.header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s %s %.60s: got %d %s %.300s", c.method, c.path, c.body, a.status, a.header.Get("Content-Type"), a.body)
		}
		for _, part := range c.says {
			if !strings.Contains(a.body, part) {
				t.Errorf("%s %s: %.400s does not say %s", c.method, c.path, a.body, part)
			}
		}
	}
}

func TestViewsAndLinksLeadBackToTheirPage(t *testing.T) {
	t.Parallel()
	s := serve(t)
	v := sent[item](t, s, "POST", "/api/v1/views", `{"name":"By client","content":{"path":"/explore?by=client"}}`, 201)
	v = sent[item](t, s, "PUT", "/api/v1/views/"+v.ID, `{"name":"By client","content":{"path":"/explore?by=team"},"revision":1}`, 200)
	if list := sent[items](t, s, "GET", "/api/v1/views", "", 200); v.Revision != 2 || len(list.Items) != 1 || string(list.Items[0].Content) != `{"path":"/explore?by=team"}` {
		t.Errorf("views: %+v", list)
	}
	sent[none](t, s, "DELETE", "/api/v1/views/"+v.ID, "", 204)
	sent[item](t, s, "POST", "/api/v1/views/"+v.ID+"/restore", "", 200)

	type link struct{ ID, Path, URL string }
	const path = `/explore?measures=revenue&where=client+%3D+%22A%22`
	l := sent[link](t, s, "POST", "/api/v1/links", `{"path":"`+path+`"}`, 200)
	if again := sent[link](t, s, "POST", "/api/v1/links", `{"path":"`+path+`"}`, 200); again != l || l.URL != "/s/"+l.ID || l.Path != path {
		t.Errorf("links %+v and %+v", l, again)
	}
	if got := sent[link](t, s, "GET", "/api/v1/links/"+l.ID, "", 200); got != l {
		t.Errorf("read %+v, want %+v", got, l)
	}
	if a := get(t, s, l.URL); a.status != http.StatusFound || a.header.Get("Location") != path {
		t.Errorf("followed: %d %q", a.status, a.header.Get("Location"))
	}
	sent[none](t, s, "DELETE", "/api/v1/links/"+l.ID, "", 204)
	if a := get(t, s, l.URL); a.status != 404 || !strings.Contains(a.header.Get("Content-Type"), "problem+json") {
		t.Errorf("deleted: %d %s", a.status, a.body)
	}
}

func TestFeedbackUsageAndSettingsAreKept(t *testing.T) {
	t.Parallel()
	s := serve(t)
	if a := get(t, s, "/api/v1/feedback"); !strings.Contains(a.body, `"items":[]`) || !strings.Contains(a.body, `"nps":null`) {
		t.Errorf("no feedback: %s", a.body)
	}
	first := sent[struct{ ID int64 }](t, s, "POST", "/api/v1/feedback", `{"score":10,"comment":"=HYPERLINK(\"x\")","page":"/explore"}`, 201)
	sent[none](t, s, "POST", "/api/v1/feedback", `{"score":null,"comment":"slow"}`, 201)
	type feedback struct {
		Items   []struct{ Comment string }
		Next    int64
		Summary struct {
			Count int64
			NPS   *int64
		}
	}
	p := sent[feedback](t, s, "GET", "/api/v1/feedback?limit=1", "", 200)
	if len(p.Items) != 1 || p.Items[0].Comment != "slow" || p.Next == 0 || p.Summary.Count != 2 || *p.Summary.NPS != 100 {
		t.Errorf("feedback: %+v", p)
	}
	file := get(t, s, "/api/v1/feedback?format=csv")
	if !strings.Contains(file.body, `"'=HYPERLINK(""x"")"`) || !strings.HasPrefix(file.header.Get("Content-Type"), "text/csv") || !strings.Contains(file.header.Get("Content-Disposition"), "feedback.csv") {
		t.Errorf("file: %q %v", file.body, file.header)
	}
	sent[none](t, s, "DELETE", fmt.Sprint("/api/v1/feedback/", first.ID), "", 204)

	sent[none](t, s, "POST", "/api/v1/usage", `{"features":["explore","explore","undo"]}`, 204)
	if a := get(t, s, "/api/v1/usage?days=90"); !strings.Contains(a.body, `{"feature":"explore","uses":2,"people":1,"first":"20`) {
		t.Errorf("usage: %s", a.body)
	}

	if a := get(t, s, "/api/v1/settings"); a.body != `{"name":"","currency":"","locale":"en-US","theme":"","density":""}`+"\n" {
		t.Errorf("settings: %q", a.body)
	}
	put := sent[workspace.Settings](t, s, "PUT", "/api/v1/settings", `{"name":"Acme","currency":"USD","locale":"de-AT","theme":"dark","density":""}`, 200)
	if got := sent[workspace.Settings](t, s, "GET", "/api/v1/settings", "", 200); got != put || got.Theme != "dark" {
		t.Errorf("settings: %+v, put %+v", got, put)
	}
}

func TestTemplatesAskOnlyForWhatTheCatalogHas(t *testing.T) {
	t.Parallel()
	catalog := metric.New(nil, metric.Options{})
	for _, tpl := range workspace.Templates() {
		for _, tile := range tpl.Content.Tiles {
			for _, name := range tile.Measures {
				m, err := catalog.Measure(name)
				if err != nil {
					t.Errorf("%s, tile %s: %v", tpl.Key, tile.ID, err)
					continue
				}
				for _, by := range tile.By {
					if !slices.Contains(catalog.DimensionsOf(m), by) {
						t.Errorf("%s, tile %s: %s cannot be cut by %s", tpl.Key, tile.ID, name, by)
					}
				}
			}
			for _, o := range tile.Order {
				if name := strings.TrimPrefix(o, "-"); !slices.Contains(tile.Measures, name) && !slices.Contains(tile.By, name) {
					t.Errorf("%s, tile %s: ordered by %s, which it does not show", tpl.Key, tile.ID, o)
				}
			}
		}
	}
}

func TestEveryTemplateTileIsAnsweredByTheQuery(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	var p struct {
		Items []struct {
			Key     string
			Content workspace.Dashboard
		}
	}
	if err := json.Unmarshal([]byte(get(t, s, "/api/v1/dashboards/templates").body), &p); err != nil || len(p.Items) != 3 {
		t.Fatal(err, p)
	}
	for _, tpl := range p.Items {
		for _, tile := range tpl.Content.Tiles {
			if len(tile.Measures) == 0 {
				continue
			}
			path := fmt.Sprintf("/api/v1/query?measures=%s&by=%s&order=%s&limit=%d&from=2026-01&to=2026-02", strings.Join(tile.Measures, ","), strings.Join(tile.By, ","), strings.Join(tile.Order, ","), tile.Limit)
			if a := get(t, s, path); a.status != 200 {
				t.Errorf("%s, tile %s: %d %s", tpl.Key, tile.ID, a.status, a.body)
			}
		}
	}
}

// decoded is the body of an answer.
func decoded[T any](t *testing.T, a answer) (out T) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatal(err, a.body)
	}
	return out
}
