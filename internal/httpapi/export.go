package httpapi

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/parquet"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

const (
	csvType  = "text/csv; charset=utf-8"
	xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	// parquetType is the media type of Parquet files, https://www.iana.org/assignments/media-types/application/vnd.apache.parquet
	parquetType = "application/vnd.apache.parquet"
)

// fileOf describes a route that answers with a file.
func fileOf(api huma.API, id, path, summary string, asJSON any) huma.Operation {
	op := huma.Operation{OperationID: id, Method: http.MethodGet, Path: "/api/v1" + path, Summary: summary,
		Description: "All rows or, beyond 100,000, an error: never a part. In CSV, texts that a spreadsheet would run as a formula have a ' in front; null is an empty cell.",
		Errors:      []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
		Responses: map[string]*huma.Response{"200": {Description: "the file", Headers: map[string]*huma.Param{"Content-Disposition": {Description: "attachment with a speaking file name", Schema: &huma.Schema{Type: "string"}}},
			Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}, xlsxType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}}
	if asJSON != nil {
		op.Responses["200"].Content[parquetType] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
		op.Responses["200"].Content["application/json"] = &huma.MediaType{Schema: api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(asJSON), true, "")}
	}
	return op
}

// exportRoutes registers the answers as files.
func (s *server) exportRoutes(api huma.API) {
	huma.Register(api, fileOf(api, "export-query", "/query/export", "The answer of a query as a file", metric.Result{}), func(ctx context.Context, in *struct {
		QueryParams
		Format string `query:"format" enum:"csv,xlsx,json,parquet" default:"csv"`
	}) (*huma.StreamResponse, error) {
		r, err := s.query(ctx, in.body())
		if err != nil {
			return nil, problemOf(err)
		}
		name := exportName(in.body(), r)
		switch in.Format {
		case "json":
			return attachment(s.opt.Log, name+".json", "application/json", r.WriteJSON), nil
		case "xlsx":
			return s.workbook(ctx, name, s.resultTable(ctx, in.body(), r))
		case "parquet":
			t := s.resultTable(ctx, in.body(), r)
			return attachment(s.opt.Log, name+".parquet", parquetType, func(w io.Writer) error { return t.writeParquet(ctx, w) }), nil
		}
		return attachment(s.opt.Log, name+".csv", csvType, s.resultTable(ctx, in.body(), r).writeCSV), nil
	})
	huma.Register(api, fileOf(api, "export-rows", "/query/rows/export", "The stored rows behind a base measure as a file", nil), func(ctx context.Context, in *struct {
		RowsParams
		Format string `query:"format" enum:"csv,xlsx" default:"csv"`
	}) (*huma.StreamResponse, error) {
		q, err := in.query()
		if err != nil {
			return nil, problemOf(err)
		}
		r, err := s.Metrics.AllRowsBehind(ctx, s.scope(ctx), q)
		if err != nil {
			return nil, problemOf(err)
		}
		name := strings.Join(append([]string{"rows", "of", r.Measure}, periodName(q.Period)...), "-")
		t, err := s.rowsTable(ctx, in.RowsParams, r)
		if err != nil {
			return nil, problemOf(err)
		}
		if in.Format == "xlsx" {
			return s.workbook(ctx, name, t)
		}
		return attachment(s.opt.Log, name+".csv", csvType, t.writeCSV), nil
	})
}

// attachment is an answer that the browser saves under name.
func attachment(log *slog.Logger, name, media string, write func(io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", media)
		ctx.SetHeader("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
		if err := write(ctx.BodyWriter()); err != nil { // too late to tell the client
			log.WarnContext(ctx.Context(), "an export was cut off", slog.String("file", name), slog.Any("error", err))
		}
	}}
}

// nameMeasures is how many measures a file name lists.
const nameMeasures = 3

// exportName is the file name of an answer without its ending: gross_margin-by-client-2025-07-2026-06.
func exportName(q queryBody, r *metric.Result) string {
	parts := q.Measures
	if len(parts) > nameMeasures {
		parts = append(parts[:nameMeasures:nameMeasures], fmt.Sprintf("and-%d-more", len(q.Measures)-nameMeasures))
	}
	if len(q.By) > 0 {
		parts = append(parts[:len(parts):len(parts)], append([]string{"by"}, q.By...)...)
	}
	parts = append(parts[:len(parts):len(parts)], periodName(r.Period)...)
	if q.Versus > 0 {
		parts = append(parts, fmt.Sprintf("versus-snapshot-%d", q.Versus))
	}
	return strings.Join(parts, "-")
}

// periodName is the first and last month of a period of whole months, otherwise its first
// and last day.
func periodName(p quantity.Period) []string {
	var out []string
	cut := len("2026-03-01")
	if p.WholeMonths() {
		cut = len("2026-03")
	}
	if !p.From.IsZero() {
		out = append(out, p.From.String()[:cut])
	}
	if !p.To.IsZero() {
		if last := p.To.AddDays(-1).String()[:cut]; len(out) == 0 || out[0] != last {
			out = append(out, last)
		}
	}
	return out
}

// table is what an exported file shows.
type table struct {
	columns []metric.Column
	rows    [][]any // string, quantity.Decimal, int64, bool, time.Time or nil
	reasons metric.Reasons
	about   [][]any // label and values, for the sheet About
}

func (t *table) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	line := make([]string, len(t.columns))
	for i, c := range t.columns {
		line[i] = c.Name
	}
	out.Write(line)
	for _, row := range t.rows {
		for i, v := range row {
			line[i] = csvCell(v)
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// writeParquet writes the rows for other programs, numbers as exact decimals.
func (t *table) writeParquet(ctx context.Context, w io.Writer) error {
	columns := make([]document.Column, len(t.columns))
	for i, c := range t.columns {
		columns[i] = document.Column{Name: c.Name, Unit: c.Unit}
	}
	return parquet.Write(ctx, w, columns, slices.Values(t.rows))
}

func csvCell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case quantity.Decimal:
		return v.String()
	case string:
		return document.Inert(v)
	case time.Time:
		return quantity.DayOf(v).String()
	}
	return document.Inert(fmt.Sprint(v))
}

// resultTable is the file of a query's answer.
func (s *server) resultTable(ctx context.Context, q queryBody, r *metric.Result) *table {
	t := &table{columns: r.Columns, rows: r.Rows, reasons: r.Reasons}
	t.addCurrencies(q.Measures, r)
	t.add("Period", r.Period.From.String(), lastDay(r.Period))
	t.add("Filter", orNone(q.Where))
	t.add("Cut by", orNone(strings.Join(q.By, ", ")))
	if q.Compare != "" {
		t.add("Compared with", q.Compare+" period, of the same length")
	}
	t.add("Currency", orElse(r.Currency, "none named, or several"))
	t.add("Snapshot", int64(r.Snapshot))
	if q.Versus > 0 {
		t.add("Compared with snapshot", q.Versus)
	}
	if !r.DataThrough.IsZero() {
		t.add("Data through", r.DataThrough.String())
	}
	if !r.AsOf.IsZero() {
		t.add("Stock measures as of", r.AsOf.String())
	}
	t.add("Rows", int64(len(r.Rows)))
	for _, n := range r.Notes {
		t.add("Note", n)
	}
	t.describe(ctx, s, q.Measures)
	return t
}

// addCurrencies adds a column with the currency of each measure of money when the answer
// has several.
func (t *table) addCurrencies(measures []string, r *metric.Result) {
	if r.Currencies == nil {
		return
	}
	t.columns, t.rows = slices.Clone(t.columns), slices.Clone(t.rows)
	for k, name := range measures {
		at := slices.IndexFunc(r.Columns, func(c metric.Column) bool { return c.Name == name })
		if !r.Columns[at].Unit.HasMoney() {
			continue
		}
		t.columns = append(t.columns, metric.Column{Name: name + "_currency", Unit: quantity.Text, Type: "text"})
		for i := range t.rows {
			t.rows[i] = append(slices.Clip(t.rows[i]), r.Currencies[i][k])
		}
	}
}

// rowsTable is the file of the rows behind a measure.
func (s *server) rowsTable(ctx context.Context, p RowsParams, r *metric.SourceRows) (*table, error) {
	m, err := s.Metrics.Lookup(ctx, s.scope(ctx), r.Measure)
	if err != nil {
		return nil, err
	}
	t := &table{rows: r.Rows}
	for i, name := range r.Columns {
		c := metric.Column{Name: name, Unit: quantity.Text, Type: "text"}
		switch {
		case i == len(r.Columns)-1:
			c.Unit, c.Type = m.Unit, "decimal"
		case name == "date":
			c.Unit, c.Type = quantity.Date, "date"
		}
		t.columns = append(t.columns, c)
	}
	t.add("Rows behind", m.Label)
	t.add("Period", orElse(p.From, "all"), orElse(p.To, "all")+" (not included)")
	if p.From == "" && p.To == "" {
		t.about[len(t.about)-1] = []any{"Period", "all"}
	}
	t.add("Filter", orNone(p.Where))
	t.add("Snapshot", int64(r.Snapshot))
	t.add("Rows", int64(len(r.Rows)))
	t.describe(ctx, s, []string{m.Name})
	return t, nil
}

func (t *table) add(label string, values ...any) {
	t.about = append(t.about, append([]any{label}, values...))
}

// describe adds what the measures mean and why cells are empty.
func (t *table) describe(ctx context.Context, s *server, measures []string) {
	t.add("")
	t.add("Measure", "Label", "Unit", "Version", "Formula")
	for _, name := range measures {
		if m, err := s.Metrics.Lookup(ctx, s.scope(ctx), name); err == nil {
			t.add(m.Name, m.Label, string(m.Unit), int64(m.Version), m.Formula)
		}
	}
	if t.reasons.IsZero() {
		return
	}
	type empty struct{ column, reason string }
	n, order := map[empty]int64{}, []empty{}
	for _, row := range t.reasons {
		for _, c := range t.columns {
			if why := row[c.Name]; why != "" {
				e := empty{c.Name, why}
				if n[e]++; n[e] == 1 {
					order = append(order, e)
				}
			}
		}
	}
	t.add("")
	t.add("Empty cells", "Why", "How many")
	for i, e := range order {
		if i == mostReasons {
			t.add("", fmt.Sprintf("%d further reasons are left out", len(order)-i))
			break
		}
		t.add(e.column, e.reason, n[e])
	}
}

// mostReasons bounds the different reasons that a workbook lists.
const mostReasons = 500

func lastDay(p quantity.Period) string {
	if p.To.IsZero() {
		return ""
	}
	return p.To.AddDays(-1).String()
}

func orNone(s string) string { return orElse(s, "none") }

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
