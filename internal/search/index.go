package search

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/match"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

// index is what a scope can find in a snapshot.
type index struct {
	names     []*entry
	templates []*entry // for those who may read them: Service.searchIn

	ready    chan struct{} // closed when findings are there
	findings []*entry
}

// set adds the findings, once.
func (x *index) set(findings []*entry) {
	x.findings = findings
	close(x.ready)
}

// found returns the findings when they are there.
func (x *index) found() (findings []*entry, pending bool) {
	select {
	case <-x.ready:
		return x.findings, false
	default:
		return nil, true
	}
}

// entry is something that can be found.
type entry struct {
	hit    Hit
	label  []string // folded words
	beside []string // further words that it is found by, which count less
	weight float64  // in [0, 1): how large it is among its kind, for equally good results
}

func newEntry(h Hit, beside string, weight float64) *entry {
	return &entry{h, match.Words(h.Label), match.Words(h.Note + " " + beside), weight}
}

// members are the dimensions whose members are found, and the pages that show them: by any of
// some measures, since a client without invoices may have work. The first measure that knows a
// member says how large it is.
var members = []struct {
	kind     Kind
	by       string
	measures []string
	page     string
}{
	{Client, "client", []string{"revenue", "hours_worked", "mrr", "seats_purchased", "ticket_count"}, "/clients"},
	{Staff, "staff", []string{"hours_worked", "capacity_hours"}, "/team"},
	{Agreement, "agreement", []string{"mrr", "hours_worked", "revenue"}, "/agreements"},
	{Product, "product", []string{"seats_purchased", "license_waste"}, "/licenses"},
}

// nobody is the value of facts that have no member.
var nobody = map[Kind]string{Agreement: "no agreement"}

// names are the members of the dimensions.
func (s *Service) names(ctx context.Context, scope tenant.Scope) ([]*entry, error) {
	var out []*entry
	for _, m := range members {
		seen := map[string]bool{}
		for _, measure := range m.measures {
			r, err := s.metrics.Run(ctx, scope, metric.Query{Measures: []string{measure}, Dimensions: []string{m.by}})
			if kind := fault.KindOf(err); kind == fault.Forbidden || kind == fault.Invalid || kind == fault.NotFound {
				continue // not for these eyes, or not in the data
			}
			if err != nil {
				return nil, fmt.Errorf("%s by %s: %w", measure, m.kind, err)
			}
			for _, row := range r.Rows {
				name, ok := row[0].(string)
				if !ok || name == "" || seen[name] || name == nobody[m.kind] {
					continue
				}
				seen[name] = true
				weight := 0.0
				if d, ok := row[1].(quantity.Decimal); ok && d.Sign() > 0 {
					weight = math.Atan(quantity.Float(d)/1000) / (math.Pi / 2) * 0.999
				}
				h := Hit{Kind: m.kind, Label: name, Path: m.page, Where: m.by + " = " + strconv.Quote(name)}
				if m.kind == Client {
					h.Path, h.Where = h.Path+"/"+pathPart(name), ""
				}
				out = append(out, newEntry(h, "", weight))
			}
		}
	}
	return out, nil
}

// findingEntries are the findings of the last twelve complete months.
func (s *Service) findingEntries(ctx context.Context, scope tenant.Scope) ([]*entry, error) {
	all, err := s.insights.Analyze(ctx, scope, quantity.Period{})
	if err != nil {
		return nil, fmt.Errorf("findings: %w", err)
	}
	out := make([]*entry, len(all))
	for i, f := range all {
		h := Hit{Kind: Finding, Label: f.Headline, Note: f.Subject.String(), Path: "/", Finding: f.ID}
		out[i] = newEntry(h, string(f.Kind), 1-float64(i+1)/float64(len(all)+1)) // by importance
	}
	return out, nil
}

// mostBoards bounds the boards that are looked through.
const mostBoards = 500

// boardEntries are the boards as they are now: they do not belong to a snapshot.
func (s *Service) boardEntries(ctx context.Context, scope tenant.Scope) ([]*entry, error) {
	list, _, err := s.boards.List(ctx, scope, workspace.KindDashboard, false, 0, mostBoards)
	if fault.KindOf(err) == fault.Forbidden {
		return nil, nil
	}
	out := make([]*entry, len(list))
	for i, b := range list {
		out[i] = newEntry(Hit{Kind: Board, Label: b.Name, Path: "/dashboards/" + pathPart(b.ID)}, "", 0)
	}
	return out, err
}

// templateEntries are what reports can be made of. They change with what the tenant defines,
// and so does the index.
func (s *Service) templateEntries(ctx context.Context, scope tenant.Scope) ([]*entry, error) {
	if s.reports == nil {
		return nil, nil
	}
	list, err := s.reports.Templates(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := make([]*entry, len(list))
	for i, t := range list {
		out[i] = newEntry(Hit{Kind: Template, Label: t.Called(), Note: t.Description, Path: "/reports", Template: t.Name}, t.Name+" report for "+t.For, 0)
	}
	return out, nil
}

// mostReports bounds the reports that are looked through, the newest.
const mostReports = 2000

// reportEntries are the reports as they are now that the scope may see: who sees the same
// figures need not see the same files, so they are in no index. What failed, was canceled or
// has no file any more is left out.
func (s *Service) reportEntries(ctx context.Context, scope tenant.Scope) ([]*entry, error) {
	if s.reports == nil {
		return nil, nil
	}
	list, err := s.reports.Newest(ctx, scope, mostReports)
	if err != nil {
		return nil, err
	}
	var out []*entry
	for i, r := range list {
		if r.RemovedAt != nil || r.State == report.Failed || r.State == report.Canceled {
			continue
		}
		note := r.PeriodWords() + ", " + strings.ToUpper(r.Format)
		if r.Client != "" && !strings.Contains(r.Title, r.Client) {
			note = r.Client + ", " + note
		}
		if r.State != report.Done {
			note += ", being made"
		}
		h := Hit{Kind: Report, Label: r.Title, Note: note, Path: "/reports", Report: r.ID}
		out = append(out, newEntry(h, r.Template+" report", 1-float64(i+1)/float64(len(list)+1))) // the newest first
	}
	return out, nil
}

func pathPart(s string) string { return url.PathEscape(s) }
