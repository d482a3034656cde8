package httpapi_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// account is somebody who asks everything.
type account struct {
	who      string // "tenant/name"
	standing access.Standing
	may      func(tenant.Action) bool
	words    *regexp.Regexp // that must not be told to them
	digits   int            // before the point, of a figure that must not be told to them
}

// matrix is a server with tenants whose data nobody could take for others', and who asks.
type matrix struct {
	s        *httptest.Server
	d        httpapi.Deps
	ids      map[string]map[string]string // of what there is, by tenant
	accounts []*account
}

var worlds = map[string]world{"acme": acme, "pearl": pearl}

// everything is all actions, none of which is hidden behind a role.
func everything() (out []tenant.Action) {
	for _, a := range access.Actions {
		out = append(out, a.Action)
	}
	return out
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	s, d := serveWhole(t)
	m := &matrix{s: s, d: d, ids: map[string]map[string]string{}}
	for _, name := range []string{"acme", "pearl"} {
		m.ids[name] = made(t, s, d, name+"/owner", worlds[name])
	}
	for name, hidden := range map[string]string{"partner": `"pay","cost","margin","personal"`, "payless": `"pay"`, "costless": `"cost","margin"`, "nameless": `"personal"`} {
		actions, _ := json.Marshal(everything())
		if a := as(t, s, "pearl/owner", http.MethodPost, "/api/v1/roles", fmt.Sprintf(`{"name":%q,"label":%q,"based_on":"viewer","actions":%s,"hidden":[%s]}`, name, name, actions, hidden)); a.status != http.StatusOK {
			t.Fatal(a.status, a.body)
		}
	}
	allowed := cells(t)
	all := func(tenant.Action) bool { return true }
	byRole := func(role string) func(tenant.Action) bool {
		return func(a tenant.Action) bool { return allowed[role][a] || a == access.SignedOut }
	}
	zebro, quill, foreign := regexp.MustCompile(`(?i)zebro`), regexp.MustCompile(`(?i)quill`), regexp.MustCompile(`(?i)zebro|quill|alder|cedar|quilldana|plainware`)
	alder, desk := []string{"Alder"}, []string{"Desk"}
	m.accounts = []*account{
		{who: "acme/one-client", standing: access.Standing{Role: access.Admin, Clients: alder}, may: all, words: zebro, digits: manyDigits},
		{who: "acme/one-team", standing: access.Standing{Role: access.Admin, Teams: desk}, may: all, words: zebro, digits: manyDigits},
		{who: "acme/technician", standing: access.Standing{Role: access.Technician, Teams: desk}, may: byRole(access.Technician), words: zebro, digits: manyDigits},
		{who: "acme/portal", standing: access.Standing{Role: access.ClientPortal, Clients: alder}, may: byRole(access.ClientPortal), words: zebro, digits: manyDigits},
		{who: "acme/nothing", standing: access.Standing{Role: access.ClientPortal}, may: byRole(access.ClientPortal), words: foreign, digits: manyDigits},
		{who: "pearl/partner", standing: access.Standing{Role: "partner"}, may: all, words: quill, digits: manyDigits},
		{who: "pearl/payless", standing: access.Standing{Role: "payless"}, may: all},
		{who: "pearl/costless", standing: access.Standing{Role: "costless"}, may: all, digits: manyDigits},
		{who: "pearl/nameless", standing: access.Standing{Role: "nameless"}, may: all, words: quill},
		{who: "bolt/stranger", standing: access.Standing{Role: access.Owner}, may: all, words: foreign, digits: manyDigits},
	}
	for _, r := range access.BuiltIn {
		a := &account{who: "pearl/" + r.Name, standing: access.Standing{Role: r.Name}, may: byRole(r.Name)}
		switch r.Name {
		case access.Owner, access.Admin, access.Finance:
		case access.Analyst, access.Reviewer:
			a.words = quill
		default:
			a.words, a.digits = quill, manyDigits
		}
		m.accounts = append(m.accounts, a)
	}
	p, _ := peopleOf.Load(s)
	for _, a := range m.accounts {
		in, name, _ := strings.Cut(a.who, "/")
		if a.who != "pearl/owner" {
			p.(*people).cookies[a.who] = p.(*people).join(t, in, name, a.standing)
		}
	}
	return m
}

// ask sends a request and returns all that came back.
func (m *matrix) ask(t *testing.T, a *account, r request) answer {
	t.Helper()
	header := []string{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	switch r.id {
	case "append-upload":
		header = []string{"Content-Type", "application/offset+octet-stream", "Upload-Offset", "0"}
	case "create-import":
		return upload(t, m.s, map[string]string{"more.csv": "invoice_id,client_name,amount,date,status\nX-" + a.who + ",Alder,1.00,2026-06-15,paid\n"}, "Cookie", cookieOf(t, m.s, a.who))
	}
	req, err := http.NewRequestWithContext(ctx, r.method, m.s.URL+r.address, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Cookie", cookieOf(t, m.s, a.who))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Error(r.id, err)
		return answer{header: http.Header{}}
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") == "text/event-stream" { // it was let in: what it says at first is enough
		defer time.AfterFunc(50*time.Millisecond, cancel).Stop()
	}
	text, _ := io.ReadAll(res.Body) // of a stream, until now
	return answer{res.StatusCode, res.Header, string(text)}
}

var figure = regexp.MustCompile(`(?:^|[^\w.+:-])-?(\d{1,3}(?:,\d{3}){2,}|\d+)(\.\d+)?(?:[eE]\+?\d+)?(?:$|[^\w-])`)

// leaks says what an answer holds that must not be told to an account. What the request itself
// named is no news.
func (a *account) leaks(r request, got answer) (out []string) {
	text, figures := unpacked([]byte(got.body))
	for _, name := range []string{"Content-Disposition", "Location", "Set-Cookie", "Link"} { // the others hold nothing of the data
		text += "\n" + strings.Join(got.header.Values(name), "\n")
	}
	if a.words != nil {
		said := unsaid(text, r, a.words)
		for _, at := range a.words.FindAllStringIndex(said, 3) {
			out = append(out, "…"+said[max(0, at[0]-60):min(len(said), at[1]+60)]+"…")
		}
	}
	if a.digits == 0 || slices.Contains(hashed, r.id) {
		return out
	}
	csv, text := strings.HasPrefix(got.header.Get("Content-Type"), "text/csv"), settings.ReplaceAllString(figures, "")
	for _, at := range figure.FindAllStringSubmatchIndex(text, -1) {
		whole := text[at[2]:at[3]]
		if strings.Contains(whole, ",") && csv {
			continue
		}
		digits := strings.ReplaceAll(whole, ",", "")
		if len(strings.TrimLeft(digits, "0")) >= a.digits {
			out = append(out, "…"+text[max(0, at[0]-80):min(len(text), at[1]+20)]+"…")
		}
		if len(out) >= 3 {
			break
		}
	}
	return out
}

// unsaid takes out of an answer what the request said.
func unsaid(text string, r request, words *regexp.Regexp) string {
	path, query, _ := strings.Cut(r.address, "?")
	values, _ := url.ParseQuery(query)
	said := strings.Split(path, "/")
	for _, list := range values {
		said = append(said, list...)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			said = append(said, v)
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	var body any
	if json.Unmarshal([]byte(r.body), &body) == nil {
		walk(body)
	}
	slices.SortFunc(said, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, s := range said {
		if words.MatchString(s) {
			quoted, _ := json.Marshal(s)
			text = strings.NewReplacer(s, "", strings.Trim(string(quoted), `"`), "", url.QueryEscape(s), "").Replace(text)
		}
	}
	return text
}

// settings is the hash that stands in reports: it is no figure.
var settings = regexp.MustCompile(`"label":"Settings","text":"[0-9a-f]{12}"`)

// unpacked is a body, and all that is in it if it is a PDF, a workbook or another archive: all
// of it for words, and for figures what is no mark-up, such as places on a slide.
func unpacked(body []byte) (words, figures string) {
	if bytes.HasPrefix(body, []byte("%PDF-")) {
		read := exec.Command("pdftotext", "-raw", "-", "-")
		read.Stdin = bytes.NewReader(body)
		text, err := read.Output()
		if err != nil {
			panic(fmt.Sprintf("pdftotext, which scripts/test-deps.sh installs, reads no text: %v", err))
		}
		return string(text), string(text)
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return string(body), string(body)
	}
	var w, n strings.Builder
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil || strings.Contains(f.Name, "/theme/") || f.Name == "xl/styles.xml" { // numbers of colors
			continue
		}
		part, _ := io.ReadAll(in)
		in.Close()
		words, figures := unpacked(part)
		w.WriteString("\n" + f.Name + "\n" + words)
		if strings.HasSuffix(f.Name, ".xml") {
			figures = tag.ReplaceAllString(figures, "\n")
		}
		n.WriteString("\n" + figures)
	}
	return w.String(), n.String()
}

var tag = regexp.MustCompile(`<[^>]*>`)

// check says what is wrong with an answer: refused or allowed otherwise than the policy says, or
// told what must not be.
func (a *account) check(t *testing.T, how string, r request, got answer) {
	t.Helper()
	may := a.may(r.need())
	refused := got.status == http.StatusForbidden && strings.Contains(got.body, `"path":"action"`)
	if may == refused {
		t.Errorf("%s %s %s, %s (needs %s): %d %.300s", a.who, r.method, r.address, how, r.need(), got.status, got.body)
	}
	if got.status >= 500 && got.status != http.StatusServiceUnavailable {
		t.Errorf("%s %s %s, %s: %d %.300s", a.who, r.method, r.address, how, got.status, got.body)
	}
	if found := a.leaks(r, got); len(found) > 0 && told[r.id] == "" {
		t.Errorf("LEAK %s to %s: %s %s %s, %s: %d\n\t%s", r.id, a.who, r.method, r.address, r.body, how, got.status, strings.Join(found, "\n\t"))
	}
}

// requests are those of an account to all routes that change nothing, or to the others, what is
// made before what is removed.
func (m *matrix) requests(t *testing.T, a *account, reads bool) (out []request) {
	in, name, _ := strings.Cut(a.who, "/")
	of, ids := worlds[in], m.ids[in]
	if in == "bolt" {
		of, ids = acme, m.ids["acme"]
	}
	for _, r := range allRoutes(t) {
		if r.reads() == reads {
			out = append(out, requestsOf(r, of, ids, name)...)
		}
	}
	rank := map[string]int{http.MethodPut: 1, http.MethodPatch: 1, http.MethodDelete: 2}
	slices.SortStableFunc(out, func(a, b request) int { return cmp.Compare(rank[a.method], rank[b.method]) })
	return out
}

// all asks everything that changes nothing of everybody, some beside each other.
func (m *matrix) all(t *testing.T, how string) {
	t.Helper()
	var running sync.WaitGroup
	free := make(chan struct{}, 4)
	for _, a := range m.accounts {
		free <- struct{}{}
		running.Go(func() {
			asked := map[string]bool{}
			for _, r := range m.requests(t, a, true) {
				if a.words == nil && a.digits == 0 && asked[r.id] { // only whether they may
					continue
				}
				asked[r.id] = true
				a.check(t, how, r, m.ask(t, a, r))
			}
			<-free
		})
	}
	running.Wait()
}

// told are the routes whose answers may name a client out of scope, and why.
var told = map[string]string{
	"get-link": "its random address was told by somebody who sees the client", "GET /s/{id}": "as get-link",
	"explain-decision": "it says again what it was asked", "check-report-template": "as explain-decision",
}

// hashed are the routes whose hashes and salts look like figures: only words are looked for.
var hashed = []string{"list-audit", "export-audit"}

// together asks what gives JSON again as operations of few requests.
func (m *matrix) together(t *testing.T, a *account) {
	t.Helper()
	var asked []request
	for _, r := range m.requests(t, a, true) {
		if r.method == http.MethodGet && strings.HasPrefix(r.address, "/api/v1/") && !strings.Contains(r.id, "export") && !slices.Contains([]string{"events", "batch-events", "get-upload-file", "get-template"}, r.id) {
			asked = append(asked, r)
		}
	}
	for part := range slices.Chunk(asked, 100) {
		type operation struct {
			Method string `json:"method"`
			Path   string `json:"path"`
		}
		var list []operation
		for _, r := range part {
			list = append(list, operation{r.method, r.address})
		}
		body, err := json.Marshal(map[string]any{"operations": list})
		if err != nil {
			t.Fatal(err)
		}
		got := m.ask(t, a, request{route: route{id: "operations", method: http.MethodPost}, address: "/api/v1/operations", body: string(body)})
		var answers struct {
			Results []struct {
				Status int
				Body   json.RawMessage
			}
		}
		if err := json.Unmarshal([]byte(got.body), &answers); err != nil || len(answers.Results) != len(part) {
			t.Errorf("%s: %d of %d operations are answered: %d %.300s", a.who, len(answers.Results), len(part), got.status, got.body)
			continue
		}
		for i, r := range part {
			if answers.Results[i].Status != http.StatusUnprocessableEntity { // some go alone only
				a.check(t, "together with others", r, answer{answers.Results[i].Status, http.Header{}, string(answers.Results[i].Body)})
			}
		}
	}
}

// TestNobodyIsToldWhatIsNotTheirs asks every route as every role, of the own tenant and of
// another, limited to a client or a team or not, for what is hidden from them: on cold caches,
// and after the owners filled them.
func TestNobodyIsToldWhatIsNotTheirs(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	m.all(t, "on cold caches")
	m.owners(t)
	m.all(t, "after the owners")
	for _, a := range m.accounts {
		if a.words != nil || a.digits > 0 {
			m.together(t, a)
		}
	}
	m.reports(t)
}

// owners ask everything and fill the caches. Each route answers them at least once: otherwise
// asking it would say nothing.
func (m *matrix) owners(t *testing.T) {
	t.Helper()
	for in := range m.ids {
		a := &account{who: in + "/owner", may: func(tenant.Action) bool { return true }}
		best := map[string]answer{}
		for _, r := range m.requests(t, a, true) {
			got := m.ask(t, a, r)
			a.check(t, "filling the caches", r, got)
			if was, asked := best[r.id]; !asked || got.status < was.status {
				best[r.id] = got
			}
		}
		for id, got := range best {
			if got.status >= 400 && in == "acme" && id != "get-audit-checkpoint" { // none is signed
				t.Errorf("%s answers nothing to the owner: ask it in a way that it can answer: %d %.300s", id, got.status, got.body)
			}
		}
	}
}
