package httpapi

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// The plain first pages: server-rendered, no script, one style sheet. The web app replaces
// them later.
//
//go:embed pages
var pageFiles embed.FS

var pageFuncs = template.FuncMap{
	"number": number, "signed": signed, "words": func(s string) string { return strings.ReplaceAll(s, "_", " ") },
	"negative": func(v any) bool { d, ok := v.(quantity.Decimal); return ok && d.Sign() < 0 },
	"percent":  func(f float64) string { return fmt.Sprintf("%.0f %%", 100*f) },
	"method":   strings.ToUpper,
}

var pageTemplates = template.Must(template.New("").Funcs(pageFuncs).ParseFS(pageFiles, "pages/*.html"))

func typeOf(v any) reflect.Type { return reflect.TypeOf(v) }

func (s *server) pages(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.overview)
	mux.HandleFunc("GET /insights/{id}", s.findingPage)
	mux.HandleFunc("GET /imports", s.importsPage)
	mux.HandleFunc("GET /imports/{id}", s.importPage)
	mux.HandleFunc("POST /imports", s.importForm)
	mux.HandleFunc("GET /api/docs", s.docs)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		text, _ := pageFiles.ReadFile("pages/style.css")
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Write(text)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.failPage(w, r, fault.Newf(fault.NotFound, "there is no page %s", r.URL.Path))
	})
}

func (s *server) render(w http.ResponseWriter, name string, code int, data any) {
	var b strings.Builder
	if err := pageTemplates.ExecuteTemplate(&b, name, data); err != nil {
		s.opt.Log.Error("page", "name", name, "error", err)
		writeProblem(w, problemOf(err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprint(w, b.String())
}

func (s *server) failPage(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if strings.HasPrefix(r.URL.Path, "/api/") {
		writeProblem(w, p)
		return
	}
	s.render(w, "problem.html", p.Status, p)
}

type clientRow struct {
	Name                                   string
	Revenue, Labor, Direct, Profit, Margin any
	Why                                    string
}

func (s *server) overview(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	tables, err := s.Data.Summary(ctx, s.scope())
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	if len(tables) == 0 {
		s.render(w, "empty.html", http.StatusOK, map[string]any{"Datasets": dataset.Names()})
		return
	}
	findings, err := s.Insights.Analyze(ctx, s.scope(), quantity.Period{})
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	const top = 6
	some := min(top, len(findings))
	data := map[string]any{"Findings": findings[:some], "More": findings[some:], "Tables": tables}
	if len(findings) > 0 {
		data["Review"] = countReview(findings)
	}
	clients, result, err := s.ranking(ctx, findings)
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	data["Clients"], data["Result"] = clients, result
	s.render(w, "overview.html", http.StatusOK, data)
}

func countReview(findings []insight.Finding) int {
	n := 0
	for _, f := range findings {
		if f.RequiresReview {
			n++
		}
	}
	return n
}

// ranking is every client by gross profit after labor over the analyses' period, worst
// first.
func (s *server) ranking(ctx context.Context, findings []insight.Finding) ([]clientRow, *metric.Result, error) {
	q := metric.Query{Measures: []string{"revenue", "labor_cost", "direct_cost", "gross_profit", "gross_margin"}, Dimensions: []string{"client"}, Where: `client_status != "internal"`, Order: []string{"gross_profit"}}
	for _, f := range findings {
		if f.Kind == insight.ClientProfitability {
			q.Period = f.Period
			break
		}
	}
	r, err := s.Metrics.Run(ctx, s.scope(), q)
	if err != nil {
		return nil, nil, err
	}
	var out []clientRow
	for i, row := range r.Rows {
		name, _ := row[0].(string)
		c := clientRow{Name: name, Revenue: row[1], Labor: row[2], Direct: row[3], Profit: row[4], Margin: row[5]}
		var why []string
		for _, reason := range r.Reasons[i] {
			why = append(why, reason)
		}
		sort.Strings(why)
		c.Why = strings.Join(slices.Compact(why), "; ")
		out = append(out, c)
	}
	return out, r, nil
}

func (s *server) findingPage(w http.ResponseWriter, r *http.Request) {
	f, err := s.finding(r.Context(), &FindingInput{ID: r.PathValue("id")})
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	rows, err := s.rowsOf(r.Context(), f, 50)
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	s.render(w, "finding.html", http.StatusOK, map[string]any{"F": f, "Rows": rows})
}

func (s *server) importsPage(w http.ResponseWriter, r *http.Request) {
	items, err := s.Data.Imports(r.Context(), s.scope(), 100, 0)
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	s.render(w, "imports.html", http.StatusOK, map[string]any{"Imports": items})
}

func (s *server) importPage(w http.ResponseWriter, r *http.Request) {
	var id int64
	if _, err := fmt.Sscan(r.PathValue("id"), &id); err != nil {
		s.failPage(w, r, notFound("import", r.PathValue("id")))
		return
	}
	imp, err := s.Data.Record(r.Context(), s.scope(), id)
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	rejects, err := s.Data.Rejects(r.Context(), s.scope(), id, 0, 200)
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	s.render(w, "import.html", http.StatusOK, map[string]any{"I": imp, "Rejects": rejects.Rejects, "More": rejects.Next != 0})
}

// importForm takes the upload form of the pages and shows what became of the files.
func (s *server) importForm(w http.ResponseWriter, r *http.Request) {
	answer, err := s.importParts(r.Context(), r.Header.Get("Content-Type"), r.Body)
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	if len(answer.Results) == 1 && answer.Problem == nil && answer.Results[0].ImportID != 0 {
		http.Redirect(w, r, fmt.Sprintf("/imports/%d", answer.Results[0].ImportID), http.StatusSeeOther)
		return
	}
	s.render(w, "uploaded.html", http.StatusOK, answer)
}

// docs renders the OpenAPI document as a plain page: no script, nothing from elsewhere.
func (s *server) docs(w http.ResponseWriter, r *http.Request) {
	text, err := OpenAPI(s.opt.Version)
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Summary     string `json:"summary"`
			Description string `json:"description"`
			Parameters  []struct {
				Name        string `json:"name"`
				In          string `json:"in"`
				Description string `json:"description"`
			} `json:"parameters"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		s.failPage(w, r, err)
		return
	}
	type operation struct {
		Method, Path, Summary, Description string
		Parameters                         any
	}
	var ops []operation
	for path, methods := range doc.Paths {
		for method, op := range methods {
			ops = append(ops, operation{method, path, op.Summary, op.Description, op.Parameters})
		}
	}
	sort.Slice(ops, func(i, j int) bool { return ops[i].Path+ops[i].Method < ops[j].Path+ops[j].Method })
	s.render(w, "docs.html", http.StatusOK, map[string]any{"Operations": ops, "Version": s.opt.Version})
}

// number writes a value with its unit, rounded half-even for reading.
func number(v any, u quantity.Unit) string {
	var d quantity.Decimal
	switch v := v.(type) {
	case quantity.Decimal:
		d = v
	case *quantity.Decimal:
		if v == nil {
			return "–"
		}
		d = *v
	case nil:
		return "–"
	default:
		return fmt.Sprint(v)
	}
	switch u {
	case quantity.Ratio:
		return minus(d.Mul(decimal.NewFromInt(100)).RoundBank(1).StringFixed(1)) + " %"
	case quantity.Count:
		return minus(grouped(d.RoundBank(0).StringFixed(0)))
	case quantity.Hours:
		return minus(grouped(d.RoundBank(1).StringFixed(1))) + " h"
	case quantity.MoneyPerHour:
		return minus(grouped(d.RoundBank(2).StringFixed(2))) + " / h"
	case quantity.MoneyPerMonth:
		return minus(grouped(d.RoundBank(2).StringFixed(2))) + " / month"
	}
	return minus(grouped(d.RoundBank(2).StringFixed(2)))
}

func signed(v quantity.Decimal, u quantity.Unit) string {
	text := number(v, u)
	if u == quantity.Ratio {
		text = strings.TrimSuffix(text, " %") + " points"
	}
	if v.Sign() > 0 {
		return "+" + text
	}
	return text
}

func minus(s string) string { return strings.Replace(s, "-", "−", 1) }

func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, frac, dot := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		whole += "." + frac
	}
	return sign + whole
}
