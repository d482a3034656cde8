package dataset

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Template returns a CSV file with the dataset's headers and two example rows, which can
// be imported as it stands. Fields that only stand in for others are left out.
func Template(name string) ([]byte, error) {
	fields, rows, err := templateOf(name)
	if err != nil {
		return nil, err
	}
	headers := make([]string, len(fields))
	for i, f := range fields {
		headers[i] = f.Name
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.WriteAll(append([][]string{headers}, rows...)); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// templateOf is the fields of a dataset's template and its example rows.
func templateOf(name string) (fields []Field, rows [][]string, err error) {
	d, ok := Find(name)
	if !ok {
		return nil, nil, fault.WithFields("there is no dataset "+name, fault.Field{Path: "dataset", Message: "unknown", Allowed: Names()})
	}
	var first, second []string
	for _, f := range d.Fields {
		if f.Example == "" && !f.Required {
			continue
		}
		other, err := d.second(f)
		if err != nil {
			return nil, nil, fmt.Errorf("template %s: %w", name, err)
		}
		fields, first, second = append(fields, f), append(first, f.Example), append(second, other)
	}
	return fields, [][]string{first, second}, nil
}

// second is a field's value in the second example row, which must not be the first again.
func (d Dataset) second(f Field) (string, error) {
	if f.Kind == Date && f.Name == d.Month || d.Month == "" && f.Name == "date" {
		day, err := quantity.ParseDay(f.Example)
		return day.AddDays(1).String(), err
	}
	switch f.Name {
	case d.IDField, "line_number", "client_id", "staff_id":
		return next(f.Example), nil
	case "invoice_number":
		if d.IDField == "" {
			return next(f.Example), nil
		}
	case "client_name":
		return "Bay Clinic", nil
	case "staff_name":
		return "Sam Reyes", nil
	case "staff_email":
		return "sam@example.com", nil
	case "account", "channel", "user_email", "contact_email":
		return "second " + f.Example, nil
	}
	return f.Example, nil
}

// examples warns of the template's example rows when they were left in a file.
func (l *load) examples(ctx context.Context) error {
	fields, rows, err := templateOf(l.d.Name)
	if err != nil || len(l.t.Layout.Header) < len(fields) {
		return err
	}
	cells := make([]string, len(fields))
	for i, f := range fields {
		if strings.TrimSpace(l.t.Layout.Header[i]) != f.Name {
			return nil
		}
		cells[i] = fmt.Sprintf("coalesce(c%d, '')", i)
	}
	var found []int64
	record := int64(0)
	err = l.s.Each(ctx, fmt.Sprintf("SELECT [%s] FROM %s LIMIT %d", strings.Join(cells, ", "), l.csvSQL(), len(rows)), func(row []any) error {
		record++
		for _, example := range rows {
			if slices.EqualFunc(list(row[0]), example, func(cell any, want string) bool {
				return strings.TrimSuffix(text(cell), ":00") == strings.TrimSuffix(want, ":00") // a workbook adds seconds
			}) {
				found = append(found, record)
			}
		}
		return nil
	})
	left := func(n int64) bool {
		return slices.ContainsFunc(l.m.Corrections, func(c Correction) bool { return c.Skip && c.Record == n })
	}
	found = slices.DeleteFunc(found, left)
	if err != nil || len(found) == 0 {
		return nil // a file that the engine cannot read as it stands is told of elsewhere
	}
	f := Finding{Code: "template_example", Severity: Warning, Count: int64(len(found)), Records: found, Message: plural(int64(len(found)), "row is an example", "rows are examples") + " of the template, not yours",
		Suggestion: "delete the example rows from the file"}
	fix := Fix{Label: "Leave the examples out", Scope: scopeFile}
	for _, n := range found {
		fix.Patch.Corrections = append(fix.Patch.Corrections, Correction{Record: n, Skip: true})
	}
	f.Fixes = []Fix{fix}
	l.noticed = append(l.noticed, f)
	return nil
}

// next is the example with its last digit, 0 to 8, counted up, or 1 appended.
func next(s string) string {
	if n := len(s); n > 0 && s[n-1] >= '0' && s[n-1] < '9' {
		return s[:n-1] + string(s[n-1]+1)
	}
	return s + "1"
}

// TableSummary is one dataset of a tenant: what is stored and how good it came in.
type TableSummary struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
	// Months are the first days of the first and the last month that hold rows; empty when
	// the dataset is undated or empty.
	Months []quantity.Day `json:"months"`
	// Quality is the mean score of the dataset's imports weighted by their rows, null
	// without imports.
	Quality *float64 `json:"quality"`
}

// summaryImports bounds how many imports count for the quality of a dataset.
const summaryImports = 1000

// Summary lists the tenant's datasets that hold rows, in the order of Datasets.
func (s *Service) Summary(ctx context.Context, scope tenant.Scope) ([]TableSummary, error) {
	if err := scope.Whole("stored tables"); err != nil {
		return nil, err
	}
	tables, err := s.w.Tables(ctx, scope, 0)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	imports, err := s.Imports(ctx, scope, summaryImports, 0)
	if err != nil {
		return nil, err
	}
	weight, sum := map[string]float64{}, map[string]float64{}
	for _, i := range imports {
		n := float64(i.Result.RowsRead)
		weight[i.Result.Dataset] += n
		sum[i.Result.Dataset] += n * i.Result.Quality.Score
	}
	out := []TableSummary{}
	for _, t := range tables {
		if _, ok := Find(t.Name); !ok || t.Rows == 0 {
			continue
		}
		x := TableSummary{Name: t.Name, Rows: t.Rows, Months: t.Months}
		if x.Months == nil {
			x.Months = []quantity.Day{}
		}
		if weight[t.Name] > 0 {
			mean := round4(sum[t.Name] / weight[t.Name])
			x.Quality = &mean
		}
		out = append(out, x)
	}
	return out, nil
}
