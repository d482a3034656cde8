package httpapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/insight"
)

func TestExplanationsAndRankingsOverHTTP(t *testing.T) {
	t.Parallel()
	s := serve(t)
	upload(t, s, map[string]string{"invoices.csv": "invoice_id,client_name,amount,date,status\nI-1,Acme,1000.00,2026-01-15,paid\nI-2,Bolt,250.50,2026-01-20,sent\nI-3,Acme,1200.10,2026-02-15,paid\nI-4,Bolt,200.00,2026-02-20,sent\n"})
	a := get(t, s, "/api/v1/explain?measure=revenue&from=2026-02&to=2026-03&by=client,factors")
	var e insight.Explanation
	if err := json.Unmarshal([]byte(a.body), &e); err != nil || a.status != 200 {
		t.Fatalf("%d %v %s", a.status, err, a.body)
	}
	sum := decimal.Zero
	for _, d := range e.Drivers {
		sum = sum.Add(d.Contribution)
		if len(d.Drivers) == 0 || d.Drivers[0].Name != "price" || !d.Drivers[0].Contribution.Equal(d.Contribution) {
			t.Errorf("%s is made of %+v", d.Name, d.Drivers)
		}
	}
	if e.Change == nil || e.Change.String() != "149.6" || !sum.Equal(*e.Change) || len(e.Steps) != 4 || e.Headline == "" || e.Doubt.Kind != "sum" {
		t.Errorf("%s", a.body)
	}
	a = get(t, s, "/api/v1/explain?measure=revenue&from=2026-02&to=2026-03&where=client+%3D+%22Bolt%22&versus=where&other_where=client+%3D+%22Acme%22")
	if a.status != 200 || !strings.Contains(a.body, `"change":"-1000.1"`) {
		t.Errorf("another cell: %d %s", a.status, a.body)
	}
	a = get(t, s, "/api/v1/rankings?measure=revenue&from=2026-01&to=2026-03")
	if a.status != 200 || !strings.Contains(a.body, `"by":"client"`) || !strings.Contains(a.body, `"raw":"450.5"`) || a.header.Get("ETag") == "" {
		t.Errorf("ranking: %d %s", a.status, a.body)
	}
	for path, says := range map[string]string{
		"/api/v1/explain?measure=revenue&versus=tomorrow": "is not a comparison",
		"/api/v1/explain?measure=revenue&versus=snapshot": "which snapshot",
		"/api/v1/explain?measure=revenue&below=much":      "is not a number",
		"/api/v1/explain?measure=revenue&depth=9":         "depth",
		"/api/v1/rankings?measure=nonsense":               "nonsense",
		"/api/v1/rankings?measure=revenue&by=month":       "cannot be ranked by month",
		"/api/v1/rankings?measure=revenue&limit=much":     "is not a number",
	} {
		if a := get(t, s, path); a.status != 422 || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s, want %q", path, a.status, a.body, says)
		}
	}
}
