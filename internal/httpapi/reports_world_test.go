package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/keyring/keyringtest"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// reportsOf makes reports from the parts of a server, as internal/app does. What it begins waits
// in the queue until the test has it worked: see work.
func reportsOf(t testing.TB, d httpapi.Deps, queue *review.Queue) *report.Service {
	reports := report.New(report.Parts{
		DB: d.DB, Warehouse: d.Warehouse, Audit: d.Audit, Data: d.Data, Metrics: d.Metrics, Insights: d.Insights, Reviews: queue,
		Policies: d.Policies, Workspace: d.Workspace, Definitions: definition.New(d.DB, d.Audit, time.Now),
	}, report.Options{
		Dir: filepath.Join(d.Dir, "reports"), Product: "test", Enqueue: d.Jobs.Enqueue, Notices: d.Notices, Deliver: d.Delivery.Enqueue, Takes: d.Delivery.Takes, Box: keyringtest.Box(t, d.DB),
		ScopeOf: func(ctx context.Context, t tenant.Slug, member tenant.Actor) (tenant.Scope, error) {
			return d.Access.ScopeOf(ctx, t, member, "")
		},
		Sent: func(ctx context.Context, scope tenant.Scope, id string) (delivery.Delivery, error) {
			return d.Delivery.Delivery(ctx, scope.Own(), id)
		},
	})
	d.Delivery.Register(report.DeliveryKind, reports.Message)
	d.Jobs.Register(report.JobSchedule, reports.WorkSchedule)
	d.Jobs.Register(report.JobMake, func(ctx context.Context, scope tenant.Scope, args json.RawMessage) error {
		var of struct{ ID string }
		if err := json.Unmarshal(args, &of); err != nil {
			return err
		}
		return reports.Work(ctx, scope, of.ID)
	})
	return reports
}

// work has the jobs of a server worked until done says that they are.
func work(t *testing.T, d httpapi.Deps, done func() bool) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Jobs.Run(ctx) }()
	for until := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Error("the jobs are not worked within a minute")
			break
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// firm is a server with accounts of one tenant, and what they do to it.
type firm struct {
	*testing.T
	s *httptest.Server
	d httpapi.Deps
}

func newFirm(t *testing.T) *firm {
	s, d := serveWhole(t)
	f := &firm{t, s, d}
	for _, file := range birch.files {
		if a := upload(t, s, file, "Cookie", cookieOf(t, s, "acme/anna")); a.status != http.StatusCreated {
			t.Fatal(a.body)
		}
	}
	return f
}

// join makes an account of a role and returns the actor that it is.
func (f *firm) join(name string, as access.Standing) string {
	f.Helper()
	p, _ := peopleOf.Load(f.s)
	p.(*people).cookies["acme/"+name] = p.(*people).join(f.T, "acme", name, as)
	var is struct{ Account string }
	if json.Unmarshal([]byte(f.want(200, "acme/"+name, http.MethodGet, "/session", "")), &is); is.Account == "" {
		f.Fatalf("%s has no account", name)
	}
	return "user:" + is.Account
}

func (f *firm) ask(who, method, path, body string) answer {
	f.Helper()
	return as(f.T, f.s, who, method, "/api/v1"+path, body)
}

func (f *firm) want(status int, who, method, path, body string) string {
	f.Helper()
	a := f.ask(who, method, path, body)
	if a.status != status {
		f.Fatalf("%s %s %s of %s: %d, want %d: %s", method, path, body, who, a.status, status, a.body)
	}
	return a.body
}

// made is the id of what was made.
func (f *firm) made(who, path, body string) string {
	f.Helper()
	a := f.ask(who, http.MethodPost, path, body)
	var is struct{ ID string }
	if json.Unmarshal([]byte(a.body), &is); a.status >= 300 || is.ID == "" {
		f.Fatalf("%s %s: %d %s", path, body, a.status, a.body)
	}
	return is.ID
}

// file makes a report and returns its answer when it is fetched.
func (f *firm) file(who, body string) (id string, got answer) {
	f.Helper()
	id = f.made(who, "/reports", body)
	work(f.T, f.d, func() bool {
		state := f.want(200, who, http.MethodGet, "/reports/"+id, "")
		return strings.Contains(state, `"state":"done"`) || strings.Contains(state, `"state":"failed"`)
	})
	return id, f.ask(who, http.MethodGet, "/reports/"+id+"/download", "")
}

// run runs a schedule now and returns what it says then.
func (f *firm) run(id string) (problem string) {
	f.Helper()
	last := func() (is struct {
		LastAt  string `json:"last_at"`
		Problem string
	}) {
		if err := json.Unmarshal([]byte(f.want(200, "acme/anna", http.MethodGet, "/schedules/"+id, "")), &is); err != nil {
			f.Fatal(err)
		}
		return is
	}
	before := last().LastAt
	f.want(202, "acme/anna", http.MethodPost, "/schedules/"+id+"/run", "")
	work(f.T, f.d, func() bool { return last().LastAt != before })
	return last().Problem
}

// count is how many of a list there are.
func (f *firm) count(who, path string) int {
	f.Helper()
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal([]byte(f.want(200, who, http.MethodGet, path, "")), &list); err != nil {
		f.Fatal(err)
	}
	return len(list.Items)
}

func (f *firm) hook(who string) string {
	return f.made(who, "/destinations", `{"name":"hook","kind":"webhook","settings":{"url":"https://hooks.example.com/x"},"password":"a secret of more than sixteen"}`)
}

func sends(template, recipient string) string {
	return fmt.Sprintf(`{"name":"s","template":%q,"formats":["json"],"cron":"0 7 1 * *","zone":"UTC","recipients":[%s]}`, template, recipient)
}
