// Package report puts figures, findings and answers together for people who read a page, a
// workbook or a deck.
//
// It owns templates (what a report holds), the inputs that a report is made from, its files
// and their history, schedules, and brands. It computes no figure: those come from metric,
// insight and question, over the snapshot, the definitions and the settings that the inputs
// name, with the rights of whoever will read it. The same inputs give the same bytes, so that
// any past file can be made again and compared.
//
// Reading order: template.go, inputs.go (what a report is made from), build.go and build_*.go
// (from a template and inputs to a document), make.go (files and history), schedule.go.
package report

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

// Parts are what reports are made from.
type Parts struct {
	DB        *metadb.DB
	Warehouse *warehouse.Warehouse
	Audit     *audit.Log
	Data      *dataset.Service
	Metrics   *metric.Catalog
	Insights  *insight.Service
	Reviews   *review.Queue
	Policies  *access.Policies
	Workspace *workspace.Store
	// Definitions keep the tenant's own templates and brand.
	Definitions *definition.Store
}

// Options tunes a Service.
type Options struct {
	// Dir is where files are kept, below it a folder a tenant.
	Dir string
	// Product names the version of the program, for the record of a file.
	Product string
	// Names returns what members are called, by how the record calls them. Nil: as the record does.
	Names func(ctx context.Context, scope tenant.Scope) (map[tenant.Actor]string, error)
	// Box seals whom schedules send to. Nil allows no schedules.
	Box *secret.Box
	// Enqueue puts a job before a worker, in the caller's transaction.
	Enqueue func(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind string, args any) error
	// ScopeOf is the scope of a member with the rights of now; Forbidden when it cannot sign in.
	ScopeOf func(ctx context.Context, t tenant.Slug, member tenant.Actor) (tenant.Scope, error)
	// Deliver enqueues what sends files; Sent says what became of one.
	Deliver func(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, d delivery.Delivery) ([]string, error)
	// Takes says whether a destination takes something for those who are named; nil takes all.
	Takes   func(ctx context.Context, scope tenant.Scope, destination string, to []string) error
	Sent    func(ctx context.Context, scope tenant.Scope, id string) (delivery.Delivery, error)
	Notices *notice.Store
	// MayRemove refuses to remove a file by hand, as while a legal hold stands. Nil allows it.
	MayRemove func(ctx context.Context, scope tenant.Scope) error
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// StaleAfter is after how many days without newer data a report says so. Zero means 45.
	StaleAfter int
}

// Service makes reports. It is safe for concurrent use.
type Service struct {
	Parts
	opt       Options
	templates []*Template
	running   running // see make.go
}

// New returns a Service. It panics when a built-in template is broken, which a test rules out.
func New(p Parts, opt Options) *Service {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.StaleAfter == 0 {
		opt.StaleAfter = 45
	}
	list, err := builtIn()
	if err != nil {
		panic(err)
	}
	return &Service{Parts: p, opt: opt, templates: list}
}

// Request asks for a report.
type Request struct {
	Template string // its name
	// Text is a template that is not kept, instead of Template.
	Text   string
	Client string // of a report about one client; "" takes the one with the highest revenue
	// Period is made of whole months; open ends are those of the template's own period.
	Period   quantity.Period
	Currency string       // amounts are converted to it; "" is what the settings say
	AsOf     quantity.Day // the day that is taken for today; zero is today
	Snapshot int64        // 0 is the current one
}

// Progress is told how far a report is: blocks done, blocks in all, what is made now.
type Progress func(done, of int, what string)

// Document builds the report that a request asks for, without keeping a file: what a preview
// shows.
//
// Errors: NotFound for an unknown template or client, Invalid for a wrong period or template,
// Forbidden when nothing of it may be seen.
func (s *Service) Document(ctx context.Context, scope tenant.Scope, req Request, tell Progress) (*document.Document, *Inputs, error) {
	in, err := s.Collect(ctx, scope, req)
	if err != nil {
		return nil, nil, err
	}
	d, err := s.Build(ctx, scope, in, tell)
	return d, in, err
}

// world is the services as they were at the inputs' moment.
type world struct {
	scope     tenant.Scope
	metrics   *metric.Catalog
	insights  *insight.Service
	questions *question.Service
	today     quantity.Day
}

// world returns the services over the inputs' snapshot, definitions, settings and day.
func (s *Service) world(scope tenant.Scope, in *Inputs) (*world, error) {
	zone, err := time.LoadLocation(in.Settings.Zone)
	if err != nil {
		return nil, fault.Wrapf(fault.Internal, err, "time zone %q", in.Settings.Zone)
	}
	day := in.AsOf.Time()
	noon := time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, zone)
	w := &world{today: in.AsOf, scope: tenant.Scope{Tenant: scope.Tenant, Actor: scope.Actor, From: scope.From, Rights: in.Rights, Snapshot: in.Snapshot}}
	w.metrics = s.Metrics.As(in.Definitions, in.Settings, noon)
	now := func() time.Time { return noon }
	w.insights = insight.New(w.metrics, s.Warehouse, insight.Options{Thresholds: in.Thresholds, Now: now})
	w.questions = question.New(w.metrics, w.insights, scenario.New(w.metrics), s.Data, s.Warehouse, now)
	return w, nil
}

// topClient is the client with the highest revenue of a period.
func (w *world) topClient(ctx context.Context, p quantity.Period, currency string) (string, error) {
	r, err := w.metrics.Run(ctx, w.scope, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Period: p, Currency: currency, Order: []string{"-revenue", "client"}})
	if err != nil {
		return "", fmt.Errorf("client with the highest revenue: %w", err)
	}
	for _, row := range r.Rows {
		if name, ok := row[0].(string); ok && name != "unassigned" && row[1] != nil {
			return name, nil
		}
	}
	return "", fault.WithFields("there is no client with revenue in this period", fault.Field{Path: "client", Message: "name the client"})
}

// hasClient reports whether a client is known to the data that may be seen.
func (w *world) hasClient(ctx context.Context, name string) error {
	known, err := knownClients(ctx, w.metrics, w.scope)
	if err != nil || slices.Contains(known, name) {
		return err
	}
	return fault.WithFields(fmt.Sprintf("there is no client %q", name), fault.Field{Path: "client", Message: "write the name as it stands under Clients"})
}

// knownClients lists the clients that have revenue, work or tickets, of those that may be seen.
func knownClients(ctx context.Context, metrics *metric.Catalog, scope tenant.Scope) (out []string, err error) {
	for _, m := range []string{"revenue", "hours_worked", "ticket_count"} {
		r, err := metrics.Run(ctx, scope, metric.Query{Measures: []string{m}, Dimensions: []string{"client"}})
		if fault.KindOf(err) == fault.Forbidden {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, row := range r.Rows {
			if name, ok := row[0].(string); ok {
				out = append(out, name)
			}
		}
	}
	return out, nil
}

// periods are the periods that a template may name, by how many complete months they span.
var periodNames = []string{"last_12_months", "last_6_months", "last_quarter", "last_month", "year_to_date"}

// periodOf fills the open ends of a period from the complete months.
func periodOf(name string, asked, complete quantity.Period) (quantity.Period, error) {
	p := asked
	if p.To.IsZero() {
		p.To = complete.To
		if name == "last_quarter" && p.From.IsZero() {
			for m := p.To.Time().Month(); m != time.January && m != time.April && m != time.July && m != time.October; m = p.To.Time().Month() {
				p.To = p.To.AddMonths(-1)
			}
		}
	}
	if p.From.IsZero() {
		months := map[string]int{"last_6_months": 6, "last_quarter": 3, "last_month": 1}[name]
		switch {
		case name == "year_to_date":
			last := p.To.AddDays(-1)
			p.From = quantity.NewDay(last.Time().Year(), time.January, 1)
		case months > 0:
			p.From = p.To.AddMonths(-months)
		default:
			p.From = p.To.AddMonths(-12)
		}
		if p.From.Before(complete.From) && asked.To.IsZero() {
			p.From = complete.From
		}
	}
	if !p.From.Before(p.To) {
		return p, fault.WithFields("the period is empty", fault.Field{Path: "from", Message: "must be before the end, the first day not included"})
	}
	if !p.WholeMonths() {
		return p, fault.WithFields("reports are about whole months", fault.Field{Path: "from", Message: "begin on the first of a month and end before the first of another"})
	}
	return p, nil
}

// spoken is a name of a measure or table in a sentence.
func spoken(name string) string { return strings.ReplaceAll(name, "_", " ") }

var names = regexp.MustCompile(`[a-z0-9]+(_[a-z0-9]+)+`)

// inWords writes the names of measures in a sentence as people say them: "recurring revenue
// is zero".
func inWords(sentence string) string { return names.ReplaceAllStringFunc(sentence, spoken) }
