package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/search"
)

func TestSearchFindsWhatIsMeant(t *testing.T) {
	t.Parallel()
	s, _ := serveWith(t, func(d *httpapi.Deps, o *httpapi.Options) {
		withAccounts(d, o)
		d.Metrics = metric.New(d.Warehouse, metric.Options{Definitions: definition.New(d.DB, d.Audit, time.Now)})
		d.Insights = insight.New(d.Metrics, d.Warehouse, insight.Options{})
	})
	for _, files := range []map[string]string{
		{"invoices.csv": "invoice_id,client_name,amount,date,status\nI-1,Harbor Dental Group,1000.00,2026-01-15,paid\nI-2,Harper Dental,10.00,2026-01-20,sent\nI-3,Müller Logistik,50.00,2026-01-21,sent\n"},
		{"time_logs.csv": "staff_name,client_name,hours,rate,billable,date\nDana Harbison,Harbor Dental Group,50,50,yes,2026-01-10\n"},
		{"more.csv": "invoice_id,client_name,amount,date,status\nI-8,Müller Logistik,1.00,2026-02-21,sent\n"},
		{"licenses.csv": "client_name,product_name,seats_purchased,seats_used,cost_per_seat,status\nHarbor Dental Group,Microsoft 365 Business,50,5,22.00,active\n"},
	} {
		if a := upload(t, s, files, "Cookie", cookieOf(t, s, "acme/anna")); a.status != http.StatusCreated {
			t.Fatal(a.body)
		}
	}
	as(t, s, "acme/anna", http.MethodPost, "/api/v1/dashboards", `{"name":"Harbor weekly"}`)
	as(t, s, "acme/anna", http.MethodPost, "/api/v1/kpis", `{"name":"harbor_rate","label":"Harbor rate","formula":"revenue / hours_worked"}`)
	find := func(who, text string, header ...string) search.Answer {
		t.Helper()
		a := as(t, s, who, http.MethodGet, "/api/v1/search?limit=100&q="+url.QueryEscape(text), "", header...)
		if a.status != http.StatusOK {
			t.Fatalf("%q: %d %s", text, a.status, a.body)
		}
		return decoded[search.Answer](t, a)
	}
	for deadline := time.Now().Add(30 * time.Second); find("acme/anna", "harbor").Pending; {
		if time.Now().After(deadline) {
			t.Fatal("findings stay pending")
		}
		time.Sleep(20 * time.Millisecond)
	}
	for text, want := range map[string]search.Hit{
		"harbor dental":      {Kind: search.Client, Label: "Harbor Dental Group", Path: "/clients/Harbor%20Dental%20Group"},
		"HARB":               {Kind: search.Client, Label: "Harbor Dental Group", Path: "/clients/Harbor%20Dental%20Group"},
		"hrabor dentl":       {Kind: search.Client, Label: "Harbor Dental Group", Path: "/clients/Harbor%20Dental%20Group"},
		"group dental":       {Kind: search.Client, Label: "Harbor Dental Group", Path: "/clients/Harbor%20Dental%20Group"},
		"muller":             {Kind: search.Client, Label: "Müller Logistik", Path: "/clients/M%C3%BCller%20Logistik"},
		"harbison":           {Kind: search.Staff, Label: "Dana Harbison", Path: "/team", Where: `staff = "Dana Harbison"`},
		"microsft":           {Kind: search.Product, Label: "Microsoft 365 Business", Path: "/licenses", Where: `product = "Microsoft 365 Business"`},
		"harbor weekly":      {Kind: search.Board, Label: "Harbor weekly"},
		"harbor rate":        {Kind: search.KPI, Label: "Harbor rate", Path: "/kpis/edit/harbor_rate"},
		"margin change last": {Kind: search.Question, Label: "Why did the margin change last month?", Path: "/questions/margin-change"},
	} {
		hits := find("acme/anna", text).Hits
		if len(hits) == 0 {
			t.Errorf("%q finds nothing", text)
			continue
		}
		if got := hits[0]; got.Kind != want.Kind || got.Label != want.Label || want.Path != "" && got.Path != want.Path || want.Where != "" && got.Where != want.Where {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
	kinds := map[search.Kind]bool{}
	for _, h := range find("acme/anna", "harbor").Hits {
		kinds[h.Kind] = true
		if h.Kind == search.Finding && as(t, s, "acme/anna", http.MethodGet, "/api/v1/insights/"+h.Finding, "").status != http.StatusOK {
			t.Errorf("%+v leads to no finding", h)
		}
	}
	for _, k := range []search.Kind{search.Client, search.Board, search.KPI, search.Finding} {
		if !kinds[k] {
			t.Errorf("harbor finds no %s", k)
		}
	}
	for _, text := range []string{"zzzz", "1234567", "%", "'"} {
		if hits := find("acme/anna", text).Hits; len(hits) != 0 {
			t.Errorf("%q finds %+v", text, hits)
		}
	}
	if hits := find("bolt/bea", "harbor").Hits; len(hits) != 0 {
		t.Errorf("another tenant finds %+v", hits)
	}
	for _, q := range []string{"", "?q=", "?q=" + strings.Repeat("x", 201), "?q=%00%20", "?q=a&limit=101"} {
		a := as(t, s, "acme/anna", http.MethodGet, "/api/v1/search"+q, "")
		if a.status != http.StatusUnprocessableEntity && !(a.status == http.StatusOK && strings.Contains(a.body, `"hits":[]`)) {
			t.Errorf("%s: %d %s", q, a.status, a.body)
		}
	}
	// What is new is found at once.
	upload(t, s, map[string]string{"i.csv": "invoice_id,client_name,amount,date,status\nI-9,Newcomer Ltd,5.00,2026-01-25,paid\n"}, "Cookie", cookieOf(t, s, "acme/anna"))
	if hits := find("acme/anna", "newcomer").Hits; len(hits) == 0 || hits[0].Label != "Newcomer Ltd" {
		text, _ := json.Marshal(hits)
		t.Errorf("after an import: %s", text)
	}
}
