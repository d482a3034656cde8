package metric_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// golden is a file of testdata: stored rows, and questions with their answers. Rows are
// written as their cells with " | " between; a null is its reason in brackets; numbers are
// exact. `go test -run TestGoldens -update` rewrites the answers.
type golden struct {
	About string            `yaml:"about"`
	Today string            `yaml:"today"` // the clock
	Data  map[string]string `yaml:"data"`  // table -> SELECT of some of its columns
	Cases []goldenCase      `yaml:"cases"`
}

type goldenCase struct {
	Name     string   `yaml:"name"`
	Measures []string `yaml:"measures,flow"`
	By       []string `yaml:"by,flow,omitempty"`
	Where    string   `yaml:"where,omitempty"`
	From     string   `yaml:"from,omitempty"`
	To       string   `yaml:"to,omitempty"`
	Grain    string   `yaml:"grain,omitempty"`
	Compare  string   `yaml:"compare,omitempty"`
	In       string   `yaml:"in,omitempty"` // the currency to convert to
	Order    []string `yaml:"order,flow,omitempty"`
	Limit    int      `yaml:"limit,omitempty"`
	Rows     []string `yaml:"rows,omitempty"`
	Notes    []string `yaml:"notes,omitempty"`
	AsOf     string   `yaml:"as_of,omitempty"`
	Partial  string   `yaml:"partial_month,omitempty"`
	Currency string   `yaml:"currency,omitempty"`
	Error    string   `yaml:"error,omitempty"`
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no goldens", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var g golden
			if err := yaml.UnmarshalWithOptions(text, &g, yaml.Strict()); err != nil {
				t.Fatal(err)
			}
			today, err := time.Parse("2006-01-02", g.Today)
			if err != nil {
				t.Fatal(err)
			}
			c, w := openAt(t, func() time.Time { return today })
			put(t, w, g.Data)
			for i, k := range g.Cases {
				got := k.answer(t, c)
				if diff := cmp.Diff(k, got); diff != "" && !*update {
					t.Errorf("%s (-want +got):\n%s", k.Name, diff)
				}
				g.Cases[i] = got
			}
			if *update {
				out, err := yaml.MarshalWithOptions(g, yaml.UseLiteralStyleIfMultiline(true), yaml.UseSingleQuote(false))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, out, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// answer is the case with the answer that the catalog gives.
func (k goldenCase) answer(t *testing.T, c *metric.Catalog) goldenCase {
	t.Helper()
	p, err := quantity.ParsePeriod(k.From, k.To)
	if err != nil {
		t.Fatalf("%s: %v", k.Name, err)
	}
	r, err := c.Run(t.Context(), acme, metric.Query{Measures: k.Measures, Dimensions: k.By, Where: k.Where, Period: p, Grain: quantity.Grain(k.Grain), Compare: k.Compare, Currency: k.In, Order: k.Order, Limit: k.Limit})
	k.Rows, k.Notes, k.AsOf, k.Partial, k.Currency, k.Error = nil, nil, "", "", "", ""
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			t.Errorf("%s: %v", k.Name, err)
		}
		k.Error = fault.Message(err)
		return k
	}
	if r.RowCount != len(r.Rows) || len(r.Reasons) != len(r.Rows) {
		t.Errorf("%s: %d rows, %d counted, %d reasons", k.Name, len(r.Rows), r.RowCount, len(r.Reasons))
	}
	for i, row := range r.Rows {
		cells := make([]string, len(row))
		for j, v := range row {
			switch v := v.(type) {
			case nil:
				cells[j] = "(" + r.Reasons[i][r.Columns[j].Name] + ")"
			case quantity.Decimal:
				cells[j] = v.String()
			case string:
				cells[j] = v
			default:
				t.Errorf("%s: a cell of type %T", k.Name, v)
			}
		}
		k.Rows = append(k.Rows, strings.Join(cells, " | "))
	}
	k.Notes, k.AsOf, k.Partial, k.Currency = r.Notes, r.AsOf.String(), r.PartialMonth.String(), r.Currency
	return k
}
