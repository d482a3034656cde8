package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/search"
)

// hits are what somebody finds of reports and their templates; header is instead of a cookie.
func (f *firm) hits(who, text string, header ...string) (out []search.Hit) {
	f.Helper()
	a := as(f.T, f.s, who, http.MethodGet, "/api/v1/search?limit=100&q="+url.QueryEscape(text), "", header...)
	if a.status != http.StatusOK {
		f.Fatalf("%s searches %q: %d %s", who, text, a.status, a.body)
	}
	return slices.DeleteFunc(decoded[search.Answer](f.T, a).Hits, func(h search.Hit) bool { return h.Kind != search.Report && h.Kind != search.Template })
}

const ownTemplate = "name: pulse\ntitle: Pulse of {{client}}\ndescription: Zebra stripes.\nfor: owner\nof_client: true\nsections:\n  - title: One\n    blocks:\n      - tiles: {measures: [revenue]}\n"

// Reports and templates are found by what people call them, by those alone who may see them,
// and as they are now.
func TestSearchFindsReportsAndTemplates(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	if hits := f.hits("acme/anna", "qbr birch"); len(hits) != 0 {
		t.Errorf("before any is made: %+v", hits)
	}
	id, _ := f.file("acme/anna", `{"template":"client-qbr","client":"Birch","format":"json","from":"2026-01","to":"2026-03"}`)
	cash, _ := f.file("acme/anna", `{"template":"cash-and-receivables","format":"csv"}`)
	f.want(http.StatusOK, "acme/anna", http.MethodPost, "/report-templates", templateBody(ownTemplate))

	for text, want := range map[string]search.Hit{
		"qbr birch":              {Kind: search.Report, Label: "Business review for Birch", Note: "January 2026 to February 2026, JSON", Path: "/reports", Report: id},
		"birch february review":  {Kind: search.Report, Label: "Business review for Birch", Path: "/reports", Report: id},
		"bussiness review birhc": {Kind: search.Report, Label: "Business review for Birch", Path: "/reports", Report: id},
		"cash":                   {Kind: search.Template, Label: "Cash and receivables", Path: "/reports", Template: "cash-and-receivables"},
		"qbr":                    {Kind: search.Template, Label: "Business review for a client", Path: "/reports", Template: "client-qbr"},
		"pays late":              {Kind: search.Template, Label: "Cash and receivables", Path: "/reports", Template: "cash-and-receivables"},
		"cash csv":               {Kind: search.Report, Label: "Cash and receivables", Path: "/reports", Report: cash},
		"pulse":                  {Kind: search.Template, Label: "Pulse of a client", Note: "Zebra stripes.", Path: "/reports", Template: "pulse"},
		"zebra":                  {Kind: search.Template, Label: "Pulse of a client", Path: "/reports", Template: "pulse"},
	} {
		hits := f.hits("acme/anna", text)
		if len(hits) == 0 {
			t.Errorf("%q finds nothing", text)
			continue
		}
		got := hits[0]
		if want.Note == "" {
			got.Note = ""
		}
		opened := "?report=" + want.Report
		if want.Template != "" {
			opened = "?preview=" + want.Template
		}
		if got.Address() != "/reports"+opened {
			t.Errorf("%q leads to %s", text, got.Address())
		}
		if got.Score = 0; got != want {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}

	// A key of hers sees the same figures, and so has the same index of names, but no templates.
	var key struct{ Key string }
	if err := json.Unmarshal([]byte(f.want(http.StatusOK, "acme/anna", http.MethodPost, "/profile/keys", `{"name":"k","actions":["figures.read"],"days":1}`)), &key); err != nil {
		t.Fatal(err)
	}
	f.join("nora", access.Standing{Role: access.Admin, Clients: []string{"Alder"}})
	f.join("vera", access.Standing{Role: access.Viewer})
	for _, c := range []struct {
		name, who, text string
		header          []string
		want            []search.Kind
	}{
		{"the owner finds both", "acme/anna", "cash", nil, []search.Kind{search.Template, search.Report}},
		{"a key without boards and exports finds neither", "", "cash", []string{"Authorization", "Bearer " + key.Key}, nil},
		{"who sees another client finds no file", "acme/nora", "cash", nil, []search.Kind{search.Template}},
		{"who sees another client does not learn of this one", "acme/nora", "qbr birch", nil, nil},
		{"who was sent nothing finds no file", "acme/vera", "cash", nil, []search.Kind{search.Template}},
		{"another tenant finds the built-in ones", "bolt/bea", "cash", nil, []search.Kind{search.Template}},
		{"another tenant finds no file", "bolt/bea", "qbr birch", nil, nil},
		{"another tenant finds no template of this one", "bolt/bea", "pulse", nil, nil},
	} {
		var got []search.Kind
		for _, h := range f.hits(c.who, c.text, c.header...) {
			if h.Score > 0.6 {
				got = append(got, h.Kind)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}

	// What is removed is not found any more, at once.
	for _, path := range []string{"/reports/" + cash, "/report-templates/pulse"} {
		if a := f.ask("acme/anna", http.MethodDelete, path, ""); a.status >= 300 {
			t.Fatal(path, a.status, a.body)
		}
	}
	for _, text := range []string{"cash csv", "pulse", "zebra"} {
		for _, h := range f.hits("acme/anna", text) {
			if h.Report == cash || h.Template == "pulse" {
				t.Errorf("%q still finds %+v", text, h)
			}
		}
	}
}

// Many files of one client leave room for what else fits.
func TestReportsDoNotCrowdOutTheOthers(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.want(http.StatusOK, "acme/anna", http.MethodPost, "/report-templates", templateBody(ownTemplate))
	for range 30 {
		f.made("acme/anna", "/reports", `{"template":"pulse","client":"Birch","format":"csv"}`)
	}
	for i := range 5 {
		f.made("acme/anna", "/dashboards", fmt.Sprintf(`{"name":"Later also of Birch, number %d"}`, i))
	}
	count := func(query string) (reports, others int, more bool) {
		a := decoded[search.Answer](t, f.ask("acme/anna", http.MethodGet, "/search?"+query, ""))
		for _, h := range a.Hits {
			if h.Kind == search.Report {
				reports++
			} else {
				others++
			}
			if h.Kind == search.Report && !strings.HasSuffix(h.Note, ", being made") {
				t.Errorf("it is not made yet: %+v", h)
			}
		}
		return reports, others, a.More
	}
	if reports, others, more := count("q=birch&limit=10"); reports+others != 10 || reports > 5 || reports == 0 || !more {
		t.Errorf("of ten %d are reports and %d others, more %v", reports, others, more)
	}
	if reports, _, more := count("q=birch&limit=100"); reports != 30 || more {
		t.Errorf("of a hundred %d are reports, more %v", reports, more)
	}
	if reports, others, more := count("q=pulse+birch+csv&limit=20"); reports != 20 || others != 0 || !more {
		t.Errorf("when only reports fit there are %d and %d others, more %v", reports, others, more)
	}
}
