package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/review"
)

// serveDefined is serve with definitions and rules.
func serveDefined(t *testing.T) *httptest.Server {
	t.Helper()
	s, _ := serveWith(t, func(d *httpapi.Deps, _ *httpapi.Options) {
		d.Metrics = metric.New(d.Warehouse, metric.Options{Definitions: definition.New(d.DB, d.Audit, time.Now)})
		d.Insights = insight.New(d.Metrics, d.Warehouse, insight.Options{})
		d.Rules = insight.NewWatch(d.Insights, d.DB, review.New(d.DB, d.Audit, time.Now), d.Notices, time.Now)
	})
	return s
}

func called(t *testing.T, s *httptest.Server, method, path, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, s.URL+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return do(t, req)
}

func TestDefinitionsByHTTP(t *testing.T) {
	t.Parallel()
	s := serveDefined(t)
	upload(t, s, map[string]string{"invoices.csv": invoicesCSV})
	tag := get(t, s, "/api/v1/metrics").header.Get("ETag")
	for _, step := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/kpis", "", 200, `"items":[]`},
		{"GET", "/segments", "", 200, `"items":[]`},
		{"GET", "/rules", "", 200, `"items":[]`},
		{"GET", "/rules/hits", "", 200, `"items":[]`},
		{"GET", "/kpis/functions", "", 200, "rolling(x, n)"},
		{"POST", "/kpis/preview", `{"formula":"revenue * 2"}`, 200, `"unit":"money"`},
		{"GET", "/metrics/twice", "", 422, "unknown measure"},
		{"POST", "/kpis", `{"name":"twice","formula":"revenue * 2"}`, 200, `"version":1`},
		{"POST", "/kpis", `{"name":"twice","formula":"revenue * 2"}`, 409, "already"},
		{"GET", "/metrics/twice", "", 200, `"expr":"revenue * 2"`},
		{"POST", "/kpis", `{"name":"wrong","formula":"revenue + hours_worked"}`, 422, "labor_cost_rate"},
		{"POST", "/kpis", `{"name":"wrong","formula":"revenue +"}`, 422, "character"},
		{"GET", "/query?measures=twice&by=client", "", 200, `[["Acme","2000"],["Bolt","501"]]`},
		{"GET", "/query?measures=revenue&by=client&where=twice+%3E+1000", "", 200, `[["Acme","1000"]]`},
		{"GET", "/query?measures=revenue&by=client&top=1", "", 200, `[["Acme","1000"],["others","250.5"]]`},
		{"POST", "/query", `{"measures":["revenue"],"by":["client"],"top":{"n":1,"by":"-revenue"}}`, 200, `[["Bolt","250.5"],["others","1000"]]`},
		{"GET", "/query/export?measures=twice&by=client&top=1&format=csv", "", 200, "others,501"},
		{"PUT", "/kpis/twice", `{"formula":"revenue * 3"}`, 200, `"version":2`},
		{"GET", "/query?measures=twice&by=client", "", 200, `[["Acme","3000"],["Bolt","751.5"]]`},
		{"GET", "/kpis/twice/versions", "", 200, `"formula":"revenue * 2"`},
		{"GET", "/metrics", "", 200, `"name":"twice"`},
		{"POST", "/segments", `{"name":"Large","dimension":"client","where":"twice > $1000"}`, 200, `"version":1`},
		{"GET", "/query?measures=revenue&by=client&where=segment+%3D+%22Large%22", "", 200, `[["Acme","1000"]]`},
		{"GET", "/query?measures=revenue&by=segment:Large", "", 200, `[["Large","1000"],["not Large","250.5"]]`},
		{"DELETE", "/kpis/twice", "", 409, `segment \"Large\"`},
		{"POST", "/rules", `{"name":"Thin","condition":"revenue < 500","dimension":"client","then":"review"}`, 200, `"version":1`},
		{"POST", "/rules", `{"name":"Bad","condition":"client = \"A\""}`, 422, "about measures"},
		{"POST", "/rules/evaluate", "", 200, `"rules":1`},
		{"POST", "/rules/evaluate?rule=None", "", 404, "no rule"},
		{"GET", "/rules/reviews", "", 200, `"items":`},
		{"PUT", "/rules/Thin", `{"condition":"revenue < 400","dimension":"client"}`, 200, `"version":2`},
		{"DELETE", "/rules/Thin", "", 204, ""},
		{"PUT", "/segments/Large", `{"dimension":"client","where":"revenue > 500"}`, 200, `"version":2`},
		{"DELETE", "/segments/Large", "", 204, ""},
		{"DELETE", "/kpis/twice", "", 204, ""},
		{"GET", "/kpis/twice", "", 404, "no KPI"},
		{"GET", "/kpis/twice/versions", "", 200, `"removed":true`},
		{"GET", "/query?measures=twice", "", 422, "twice"},
		{"PUT", "/calendar", `{"start_month":7,"weeks":"","ends_on":"","rule":""}`, 200, `"start_month":7`},
		{"PUT", "/calendar", `{"start_month":7,"weeks":"4-4-5","ends_on":"","rule":""}`, 422, "weekday"},
		{"GET", "/calendar", "", 200, `"start_month":7`},
		{"GET", "/query?measures=revenue&by=fiscal_year", "", 200, `"rows":[["20`},
	} {
		if a := called(t, s, step.method, step.path, step.body); a.status != step.status || !strings.Contains(a.body, step.says) {
			t.Errorf("%s %s %s: got %d %s, want %d with %q", step.method, step.path, step.body, a.status, a.body, step.status, step.says)
		}
	}
	if again := get(t, s, "/api/v1/metrics", "If-None-Match", tag); again.status == http.StatusNotModified {
		t.Error("the catalog's ETag is the same after definitions changed")
	}
}
