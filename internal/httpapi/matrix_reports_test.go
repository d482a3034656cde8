package httpapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Templates of somebody who asks for all that there is.
const (
	asked = `
    blocks:
      - tiles: {measures: [revenue, labor_cost, gross_margin, license_cost]}
      - table: {title: Clients, measures: [revenue, labor_cost, gross_profit], by: [client]}
      - table: {title: Others, measures: [revenue, hours_worked], by: [client], top: 1}
      - table: {title: People, measures: [hours_worked, labor_cost], by: [staff]}
      - table: {title: Managers, measures: [revenue], by: [account_manager]}
      - chart: {kind: bars, title: Who, measures: [labor_cost], by: staff}
      - chart: {kind: stacked, title: What, measures: [revenue], by: month, split: client}
      - series: {title: How, measure: labor_cost}
      - drivers: {title: Why, measure: gross_profit}
      - answer: {question: losing-clients}
      - answer: {question: concentration}
      - answer: {question: over-capacity}
      - answer: {question: reclaim}
      - findings: {title: All}
      - quality: {}
      - definitions: {}
`
	greedy          = "name: greedy\ntitle: Greedy\nsections:\n  - title: All" + asked
	greedyForClient = "name: greedy\ntitle: Greedy\naudience: client\nof_client: true\nsections:\n  - title: All" + asked
	withoutAudience = "name: greedy\ntitle: Greedy\nof_client: true\nsections:\n  - title: All" + asked
)

func preview(text, client string) string {
	body, _ := json.Marshal(map[string]string{"text": text, "client": client, "from": "2026-01", "to": "2026-07"})
	return " " + string(body)
}

// what are the reports that everybody makes who may, and as what.
func what(client string) (out []map[string]string) {
	for _, format := range []string{"json", "pdf", "xlsx", "pptx", "html", "csv"} {
		out = append(out, map[string]string{"template": "greedy", "format": format, "from": "2026-01", "to": "2026-07"})
	}
	for template, format := range map[string]string{"executive-summary": "json", "client-profitability": "xlsx", "agreement-repricing": "pptx", "license-optimization": "csv", "team-utilization": "html", "service-desk": "json", "cash-and-receivables": "pdf", "data-quality": "json", "audit": "json"} {
		out = append(out, map[string]string{"template": template, "format": format})
	}
	return append(out, map[string]string{"template": "client-qbr", "client": client, "format": "pdf"}, map[string]string{"template": "mine", "client": client, "format": "json"})
}

// reports has everybody make files who may, and then asks for all files as everybody: who made
// one, and whoever gets it, is told nothing that is not theirs.
func (m *matrix) reports(t *testing.T) {
	t.Helper()
	for in := range m.ids {
		if a := as(t, m.s, in+"/owner", http.MethodPost, "/api/v1/report-templates", templateBody(greedy)); a.status != http.StatusOK {
			t.Fatal(a.status, a.body)
		}
	}
	type file struct{ in, by, id, what string }
	var mu sync.Mutex
	var files []file
	begin := func(a *account) {
		in, _, _ := strings.Cut(a.who, "/")
		of := worlds[in]
		if in == "bolt" {
			of = acme
		}
		done := 0
		for _, body := range what(of.client) {
			text, _ := json.Marshal(body)
			r := request{route{"make-report", http.MethodPost, "/api/v1/reports"}, "/api/v1/reports", string(text)}
			got := m.ask(t, a, r)
			a.check(t, "making files", r, got)
			var made struct{ ID, State string }
			if json.Unmarshal([]byte(got.body), &made); got.status != http.StatusAccepted {
				continue
			}
			if err := m.d.Reports.Work(t.Context(), tenant.Scope{Tenant: tenant.Slug(in), Actor: "job:report-make"}, made.ID); err != nil {
				t.Errorf("%s: %s: %v", a.who, text, err)
			}
			if got := m.ask(t, a, request{route{"get-report", http.MethodGet, ""}, "/api/v1/reports/" + made.ID, ""}); strings.Contains(got.body, `"state":"done"`) {
				done++
			}
			mu.Lock()
			files = append(files, file{in, a.who, made.ID, string(text)})
			mu.Unlock()
		}
		if a.may(access.FiguresExport) && in != "bolt" && done < 8 {
			t.Errorf("%s got %d files only: that nothing leaks says nothing", a.who, done)
		}
	}
	owners := []*account{}
	for in := range m.ids {
		owners = append(owners, &account{who: in + "/owner", may: func(tenant.Action) bool { return true }})
	}
	everybody := slices.Concat(owners, slices.DeleteFunc(slices.Clone(m.accounts), func(a *account) bool { return a.who == "pearl/owner" }))
	each := func(do func(*account)) {
		var running sync.WaitGroup
		free := make(chan struct{}, 4)
		for _, a := range everybody {
			free <- struct{}{}
			running.Go(func() { do(a); <-free })
		}
		running.Wait()
	}
	each(begin)
	mine, others := 0, 0
	each(func(a *account) {
		for _, f := range files {
			for _, r := range []request{{route{"get-report", http.MethodGet, ""}, "/api/v1/reports/" + f.id, ""}, {route{"download-report", http.MethodGet, ""}, "/api/v1/reports/" + f.id + "/download", ""}} {
				got := m.ask(t, a, r)
				as := *a
				if strings.Contains(f.what, `"audit"`) {
					as.digits = 0 // hashes look like figures
				}
				as.check(t, "file "+f.what+" of "+f.by, r, got)
				in, _, _ := strings.Cut(a.who, "/")
				if got.status == http.StatusOK && in != f.in {
					t.Errorf("%s gets a file of %s", a.who, f.by)
				}
				if r.id == "download-report" && got.status == http.StatusOK {
					mu.Lock()
					if f.by == a.who {
						mine++
					} else {
						others++
					}
					mu.Unlock()
				}
			}
		}
		r := request{route{"list-reports", http.MethodGet, ""}, "/api/v1/reports?limit=200", ""}
		a.check(t, "all files", r, m.ask(t, a, r))
	})
	if mine < 80 || others < 80 {
		t.Errorf("%d files were got by who made them, %d by others", mine, others)
	}
}
