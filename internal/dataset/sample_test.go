package dataset_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

// sumCSV adds up a column of a plain CSV file: an independent reading of it.
func sumCSV(t *testing.T, path, column string) (rows int64, sum decimal.Decimal) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range all[0] {
		if h != column {
			continue
		}
		for _, r := range all[1:] {
			if r[i] != "" {
				sum = sum.Add(decimal.RequireFromString(r[i]))
			}
		}
	}
	return int64(len(all) - 1), sum
}

func TestEveryFileOfTheSampleProviderImportsWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := sample.MSP(dir, sample.MSPOptions{Clients: 12, Months: 8}); err != nil {
		t.Fatal(err)
	}
	x := newWorld(t)
	sums := map[string]string{"invoices": "net_amount", "payments": "amount", "time_entries": "hours_worked", "licenses": "seats_purchased", "expenses": "net_amount", "staff": "cost_rate", "agreements": "amount", "agreement_additions": "quantity", "time_off": "hours", "surveys": "score", "projects": "budget_hours"}
	for _, name := range []string{"clients", "agreements", "agreement_additions", "invoices", "payments", "staff", "time_entries", "tickets", "licenses", "license_assignments", "assets", "expenses", "time_off", "holidays", "surveys", "projects"} {
		path := filepath.Join(dir, name+".csv")
		n, total := sumCSV(t, path, sums[name])
		for pass, added := range []int64{n, 0} {
			results, err := x.Import(t.Context(), acme, dataset.ImportRequest{Path: path})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			r := results[0]
			want(t, name+" dataset", r.Dataset, name)
			want(t, fmt.Sprintf("%s counts, pass %d", name, pass), counts(r), fmt.Sprint(n, added, 0, n-added, 0))
			for _, c := range r.Columns {
				if c.Field == nil {
					t.Errorf("%s: column %q is not known", name, c.Source)
				}
			}
		}
		if column := sums[name]; column != "" {
			got := x.rows(t, fmt.Sprintf("SELECT sum(%s) FROM %s", column, name), name)
			if !decimal.RequireFromString(got[0]).Equal(total) {
				t.Errorf("%s: sum of %s is %s, want %s", name, column, got[0], total)
			}
		}
	}
	list, err := x.Summary(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 16 {
		t.Errorf("got %d datasets in the summary, want 16", len(list))
	}
	for _, s := range list {
		if s.Quality == nil || *s.Quality < 0.5 || *s.Quality > 1 {
			t.Errorf("%s: got quality %v, want 0.5 to 1", s.Name, s.Quality)
		}
	}
	if leaks := x.rows(t, "SELECT count(*) FROM time_entries WHERE staff_key NOT LIKE 'p\\_%' ESCAPE '\\' OR length(staff_key) <> 18", "time_entries"); leaks[0] != "0" {
		t.Errorf("%s rows of time_entries hold something else than a pseudonym", leaks[0])
	}
	want(t, "every name is in people", x.rows(t, "SELECT count(*) FROM (SELECT DISTINCT staff_key FROM time_entries) e WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.person_key = e.staff_key AND p.name IS NOT NULL AND p.email IS NOT NULL)", "time_entries", "people"), []string{"0"})
}

func TestTheWorkloadImportsWholeAndItsLinesAddUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := sample.Workload(dir, sample.WorkloadOptions{Logs: 3000, Clients: 20, Months: 6}); err != nil {
		t.Fatal(err)
	}
	x := newWorld(t)
	for _, f := range []struct{ file, dataset string }{{"clients", "clients"}, {"invoices", "invoices"}, {"time_logs", "time_entries"}, {"licenses", "licenses"}} {
		path := filepath.Join(dir, f.file+".csv")
		n, _ := sumCSV(t, path, "")
		for _, added := range []int64{n, 0} {
			results, err := x.Import(t.Context(), acme, dataset.ImportRequest{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			r := results[0]
			want(t, f.file, []string{r.Dataset, counts(r)}, []string{f.dataset, fmt.Sprint(n, added, 0, n-added, 0)})
			for _, bad := range []string{"line_sum_ne_header", "tax_basis_unknown", "unknown_client", "unknown_word"} {
				if c, ok := codes(r)[bad]; ok {
					t.Errorf("%s: got finding %s for %d rows, want none", f.file, bad, c)
				}
			}
			for _, c := range r.Columns {
				if c.Field == nil {
					t.Errorf("%s: column %q is not known", f.file, c.Source)
				}
			}
		}
	}
	// net + tax of the lines is the documents' total, rounded to cents per document.
	_, total := sumCSV(t, filepath.Join(dir, "invoices.csv"), "total_amount")
	got := x.rows(t, "SELECT sum(r) FROM (SELECT round(sum(net_amount + tax_amount), 2) AS r FROM invoices GROUP BY client_key, invoice_number)", "invoices")
	if diff := decimal.RequireFromString(got[0]).Sub(total).Abs(); diff.GreaterThan(decimal.RequireFromString("0.05")) {
		t.Errorf("lines add up to %s, want %s", got[0], total)
	}
	want(t, "license states", x.rows(t, "SELECT DISTINCT status FROM licenses ORDER BY 1", "licenses"), []string{"active", "inactive"})
	text := readFile(t, filepath.Join(dir, "time_logs.csv"))
	want(t, "not billable", x.rows(t, "SELECT count(*) FROM time_entries WHERE NOT billable", "time_entries"), []string{fmt.Sprint(strings.Count(text, ",False\n"))})
}
