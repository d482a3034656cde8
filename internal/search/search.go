// Package search finds what somebody types a part of: clients, agreements, people, products,
// findings, boards, KPIs, questions, reports and their templates, in one list, the best first.
//
// It owns the index of names, which is made once for a snapshot and a set of rights, and the
// ranking. What changes between snapshots, such as boards and reports, is read for each search. It owns no
// figures and reads no tables: names come from the semantic layer, so nobody finds what their
// rights hide. How alike two words are is match's to say.
package search

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/maypok86/otter/v2"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

// Kind is what was found.
type Kind string

// The kinds, in the order of equally good results.
const (
	Client    Kind = "client"
	Staff     Kind = "staff"
	Agreement Kind = "agreement"
	Product   Kind = "product"
	Finding   Kind = "finding"
	KPI       Kind = "kpi"
	Board     Kind = "board"
	Template  Kind = "template" // what a report is made of
	Report    Kind = "report"   // a file that was made, or is being made
	Question  Kind = "question"
)

// Kinds lists them in that order.
var Kinds = []Kind{Client, Staff, Agreement, Product, Finding, KPI, Board, Template, Report, Question}

// Hit is one result.
type Hit struct {
	Kind    Kind   `json:"kind" enum:"client,staff,agreement,product,finding,kpi,board,template,report,question"`
	Label   string `json:"label"`
	Note    string `json:"note,omitempty" doc:"what else tells it apart, such as what a finding is about"`
	Path    string `json:"path" doc:"page of the web app"`
	Where   string `json:"where,omitempty" doc:"filter to open the page with"`
	Finding string `json:"finding,omitempty" doc:"finding to open beside it"`
	// Template and Report are opened on the page of reports.
	Template string  `json:"template,omitempty" doc:"name of the template to look at on it"`
	Report   string  `json:"report,omitempty" doc:"id of the file to open on it"`
	Score    float64 `json:"score" doc:"0 to 1: how well it fits"`
}

// Address is the page with what is opened on it, as far as an address alone opens it.
func (h Hit) Address() string {
	switch {
	case h.Template != "":
		return h.Path + "?preview=" + url.QueryEscape(h.Template)
	case h.Report != "":
		return h.Path + "?report=" + url.QueryEscape(h.Report)
	}
	return h.Path
}

// Answer is what was found.
type Answer struct {
	Text string `json:"text"`
	Hits []Hit  `json:"hits" nullable:"false" doc:"the best first"`
	// More says that others fit, too.
	More bool `json:"more" doc:"whether others fit, too"`
	// Pending says that findings are still being computed: they are there when asked again.
	Pending bool `json:"pending" doc:"findings are still computed: ask again in a moment"`
}

// Bounds of a search.
const (
	MaxText = 200 // characters
	MaxHits = 100
)

// keptIndexes bounds the indexes in memory: one for each tenant and set of rights that asks.
const keptIndexes = 200

// Service searches. It is safe for concurrent use.
type Service struct {
	metrics   *metric.Catalog
	insights  *insight.Service
	questions *question.Service
	boards    *workspace.Store
	warehouse *warehouse.Warehouse
	reports   *report.Service
	now       func() time.Time

	indexes *otter.Cache[string, *index]
	making  sync.Mutex
}

// New returns a service over what it searches; nil reports are none, a nil now is time.Now.
func New(m *metric.Catalog, i *insight.Service, q *question.Service, b *workspace.Store, w *warehouse.Warehouse, r *report.Service, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{metrics: m, insights: i, questions: q, boards: b, warehouse: w, reports: r, now: now,
		indexes: otter.Must(&otter.Options[string, *index]{MaximumSize: keptIndexes, ExpiryCalculator: otter.ExpiryAccessing[string, *index](time.Hour)})}
}

// Search finds what fits a text best, at most limit (zero means 20).
//
// Errors: Invalid for no text, or one that is too long.
func (s *Service) Search(ctx context.Context, scope tenant.Scope, text string, limit int) (*Answer, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n == 0 || n > MaxText || !utf8.ValidString(text) {
		return nil, fault.WithFields("the search is not valid", fault.Field{Path: "q", Message: fmt.Sprintf("must be 1 to %d characters", MaxText)})
	}
	if limit <= 0 {
		limit = 20
	}
	x, err := s.index(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return s.searchIn(ctx, scope, x, text, limit)
}

// SearchAll is Search that waits for the findings.
func (s *Service) SearchAll(ctx context.Context, scope tenant.Scope, text string, limit int) (*Answer, error) {
	x, err := s.index(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	select {
	case <-x.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.Search(ctx, scope, text, limit)
}

func (s *Service) searchIn(ctx context.Context, scope tenant.Scope, x *index, text string, limit int) (*Answer, error) {
	boards, err := s.boardEntries(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("search: boards: %w", err)
	}
	files, err := s.reportEntries(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("search: reports: %w", err)
	}
	var templates []*entry
	if scope.Rights.May(access.BoardsRead) { // an index is of those who see the same, whatever they may do
		templates = x.templates
	}
	findings, pending := x.found()
	out := &Answer{Text: text, Hits: rank(text, x.names, findings, boards, templates, files), Pending: pending}
	out.Hits, out.More = some(out.Hits, min(limit, MaxHits))
	return out, nil
}

// index returns the names of what the scope sees in the current snapshot. One that is not there
// yet is made now; findings, which take longer, come by themselves.
func (s *Service) index(ctx context.Context, scope tenant.Scope) (*index, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	snap, err := s.warehouse.Current(ctx, scope)
	if err != nil {
		return nil, err
	}
	defined, err := s.metrics.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("%s\x00%q\x00%d\x00%d\x00%s", scope.Tenant, scope.Rights.Key(), snap, defined.Revision(), s.now().UTC().Format(time.DateOnly))
	if x, ok := s.indexes.GetIfPresent(key); ok {
		return x, nil
	}
	s.making.Lock() // whoever comes meanwhile waits for the same index
	defer s.making.Unlock()
	if x, ok := s.indexes.GetIfPresent(key); ok {
		return x, nil
	}
	x := &index{ready: make(chan struct{})}
	if x.names, err = s.names(ctx, scope); err != nil {
		return nil, err
	}
	for _, m := range defined.Measures() {
		if m.Custom {
			x.names = append(x.names, newEntry(Hit{Kind: KPI, Label: m.Label, Note: m.Name, Path: "/kpis/edit/" + pathPart(m.Name)}, m.Name, 0))
		}
	}
	for _, q := range s.questions.List() {
		x.names = append(x.names, newEntry(Hit{Kind: Question, Label: q.Text, Path: "/questions/" + pathPart(q.Name)}, q.Name+" "+q.Asks, 0))
	}
	if x.templates, err = s.templateEntries(ctx, scope); err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	s.indexes.Set(key, x)
	go s.findFor(context.WithoutCancel(ctx), scope, key, x)
	return x, nil
}

// findTime bounds the analyses behind an index.
const findTime = 2 * time.Minute

// findFor adds the findings to an index. When that fails the index is made anew by the next
// search.
func (s *Service) findFor(ctx context.Context, scope tenant.Scope, key string, x *index) {
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	entries, err := s.findingEntries(ctx, scope)
	if err != nil && fault.KindOf(err) != fault.Forbidden {
		s.indexes.Invalidate(key)
	}
	x.set(entries)
}
