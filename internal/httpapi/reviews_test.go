package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
)

func TestReviewsCommentsAndNoticesByHTTP(t *testing.T) {
	t.Parallel()
	s, d := serveWith(t, nil)
	judge := insight.NewJudge(d.Insights, d.DB, d.Reviews.Queue)
	f := insight.Finding{Kind: insight.MarginDrop, Subject: insight.Subject{Dimension: "client", Value: "Acme"}, Measure: "gross_margin", RequiresReview: true,
		Identity: "margin of Acme", Headline: "The margin of Acme fell.", MoneyAtStake: quantity.Decimal{}}
	if _, err := judge.Ask(t.Context(), d.Scope, []insight.Finding{f}); err != nil {
		t.Fatal(err)
	}
	if err := d.DB.Transact(t.Context(), func(tx *metadb.Tx) error {
		return d.Notices.NotifyRule(t.Context(), d.Scope, tx, "Thin", "Thin: margin of Acme is 3 %")
	}); err != nil {
		t.Fatal(err)
	}
	open, err := d.Reviews.Find(t.Context(), d.Scope, review.Filter{}, 10, 0)
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	id := open[0].ID
	for _, c := range []struct {
		method, path, body string
		status             int
		holds              string
	}{
		{"GET", "/reviews", "", 200, `"title":"The margin of Acme fell."`},
		{"GET", "/reviews?kind=rule,client_match", "", 200, `"items":[]`},
		{"GET", "/reviews?kind=rule,finding", "", 200, id},
		{"GET", "/reviews?mine=true", "", 200, `"items":[]`},
		{"GET", "/reviews/count", "", 200, `{"finding":1}`},
		{"GET", "/reviews/kinds", "", 200, `"question":"Is this so, and does it matter?"`},
		{"PUT", "/reviews/kinds/finding", `{"due_days":30,"expire_days":20,"four_eyes":false}`, 422, "expire_days"},
		{"PUT", "/reviews/kinds/finding", `{"due_days":5,"expire_days":20,"four_eyes":false}`, 200, `"due_days":5`},
		{"PUT", "/reviews/kinds/none", `{"due_days":5,"expire_days":20,"four_eyes":false}`, 404, "none"},
		{"GET", "/reviews/people", "", 200, `"actor":"test"`},
		{"GET", "/reviews/" + id + "/preview?verdict=rejected", "", 200, "rejection 1 in a row"},
		{"POST", "/reviews/" + id + "/assign", `{"assignee":"test","due":"2026-07-01"}`, 200, `"due":"2026-07-01"`},
		{"POST", "/reviews/" + id + "/assign", `{"assignee":"nobody","due":""}`, 422, "nobody"},
		{"POST", "/reviews/" + id + "/decide", `{"verdict":"same"}`, 422, "accepted"},
		{"POST", "/reviews/" + id + "/decide", `{"verdict":"rejected"}`, 422, "reason"},
		{"POST", "/reviews/decide", `{"ids":["` + id + `","none"],"verdict":"rejected","reason":"a fixed fee"}`, 200, `"status":"failed"`},
		{"POST", "/reviews/" + id + "/decide", `{"verdict":"accepted"}`, 409, "test decided this already"},
		{"GET", "/reviews/standings", "", 200, `"reason":"a fixed fee"`},
		{"GET", "/reviews/topics", "", 200, `"rejected":1`},
		{"POST", "/reviews/topics/reset", `{"topic":"margin_drop"}`, 204, ""},
		{"POST", "/reviews/" + id + "/undo", "", 200, `"status":"open"`},
		{"POST", "/comments", `{"kind":"proposal","id":"` + id + `","text":"is this so?"}`, 200, `"label":"Findings: Margin drop of Acme"`},
		{"GET", "/comments?kind=proposal&id=" + id, "", 200, "is this so?"},
		{"POST", "/comments", `{"kind":"number","measure":"revenue","where":"client = \"Acme\"","from":"2026-05-01","to":"2026-06-01","text":"low"}`, 200, `"label":"Revenue, `},
		{"GET", "/comments?kind=number&measure=revenue&where=client+%3D+%22Acme%22&from=2026-05-01&to=2026-06-01", "", 200, "low"},
		{"GET", "/comments?kind=number&measure=revenue&from=2026-05-01&to=2026-06-01", "", 200, `"items":[]`},
		{"POST", "/comments", `{"kind":"number","measure":"revenue","text":"low"}`, 422, "period"},
		{"POST", "/comments", `{"kind":"number","measure":"nothing","from":"2026-05-01","to":"2026-06-01","text":"low"}`, 422, "nothing"},
		{"GET", "/comments/count?kind=number", "", 200, `:1}`},
		{"GET", "/notices/count", "", 200, `{"unread":1}`},
		{"GET", "/notices", "", 200, `"link":"/kpis?tab=rules"`},
		{"POST", "/notices/read", "", 204, ""},
		{"GET", "/notices/count", "", 200, `{"unread":0}`},
		{"POST", "/notices/none/read", "", 404, "none"},
	} {
		a := called(t, s, c.method, c.path, c.body)
		if a.status != c.status || !strings.Contains(a.body, c.holds) {
			t.Errorf("%s %s: got %d %s, want %d with %s", c.method, c.path, a.status, a.body, c.status, c.holds)
		}
	}
	if a := called(t, s, http.MethodGet, "/reviews?kind=finding", ""); !strings.Contains(a.body, `"identity":"margin of Acme"`) {
		t.Errorf("the evidence is not typed: %s", a.body)
	}
}
