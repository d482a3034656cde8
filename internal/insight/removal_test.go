package insight_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

// beside are the datasets that the findings do not read.
var beside = []string{"payments", "tickets", "license_assignments", "assets", "surveys", "projects", "agreement_additions"}

// Leaving out a dataset or a field never makes a finding more certain.
func TestLessDataIsNeverMoreCertain(t *testing.T) {
	t.Parallel()
	dir, _ := msp(t, sample.MSPOptions{Clients: 14, Months: 15, Seed: 3})
	full := newWorld(t)
	full.load(t, dir, beside...)
	before := map[string]insight.Finding{}
	for _, f := range full.analyze(t) {
		before[f.ID] = f
	}
	if len(before) < 8 {
		t.Fatalf("only %d findings to begin with", len(before))
	}
	for name, less := range map[string]func(t *testing.T, dir string) (except []string){
		"no staff":        func(*testing.T, string) []string { return []string{"staff"} },
		"no time entries": func(*testing.T, string) []string { return []string{"time_entries"} },
		"no expenses":     func(*testing.T, string) []string { return []string{"expenses"} },
		"no clients":      func(*testing.T, string) []string { return []string{"clients"} },
		"no agreements":   func(*testing.T, string) []string { return []string{"agreements"} },
		"no time off":     func(*testing.T, string) []string { return []string{"time_off"} },
		"no holidays":     func(*testing.T, string) []string { return []string{"holidays"} },
		"no cost rate":    func(t *testing.T, dir string) []string { return without(t, dir, "staff", "cost_rate") },
		"no weekly hours": func(t *testing.T, dir string) []string { return without(t, dir, "staff", "weekly_hours") },
		"no hire dates":   func(t *testing.T, dir string) []string { return without(t, dir, "staff", "hired_on", "left_on") },
		"no inactivity":   func(t *testing.T, dir string) []string { return without(t, dir, "licenses", "seats_inactive") },
		"no terms":        func(t *testing.T, dir string) []string { return without(t, dir, "licenses", "term", "renewal_date") },
		"no unit cost":    func(t *testing.T, dir string) []string { return without(t, dir, "licenses", "unit_cost") },
		"no billable":     func(t *testing.T, dir string) []string { return without(t, dir, "time_entries", "billable") },
		"no tax":          func(t *testing.T, dir string) []string { return without(t, dir, "invoices", "tax_amount") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			x := newWorld(t)
			x.load(t, copied, append(less(t, copied), beside...)...)
			shared := 0
			for _, f := range x.analyze(t) {
				old, ok := before[f.ID]
				if ok {
					shared++
				}
				if ok && f.Confidence.Score > old.Confidence.Score+1e-9 {
					t.Errorf("%s %s: %.4f with all data, %.4f without\n%v\n%v", f.Kind, f.Subject, old.Confidence.Score, f.Confidence.Score, old.Confidence, f.Confidence)
				}
			}
			if shared < 4 {
				t.Errorf("only %d of %d findings are left to compare", shared, len(before))
			}
		})
	}
}

// without removes columns from a file; nothing is left out of the import.
func without(t *testing.T, dir, dataset string, columns ...string) []string {
	t.Helper()
	path := filepath.Join(dir, dataset+".csv")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var keep []int
	for i, name := range rows[0] {
		if !slices.Contains(columns, name) {
			keep = append(keep, i)
		}
	}
	if len(keep)+len(columns) != len(rows[0]) {
		t.Fatalf("%s has not all of %v: %v", dataset, columns, rows[0])
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for _, row := range rows {
		short := make([]string, len(keep))
		for i, at := range keep {
			short[i] = row[at]
		}
		if err := w.Write(short); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return nil
}
