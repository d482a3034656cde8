package metric

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// edited is the built-in catalog with one replacement in one file.
func edited(t *testing.T, file, old, new string) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	names, err := fs.Glob(catalogFiles, "catalog/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		text, err := catalogFiles.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		if n == "catalog/"+file+".yaml" {
			if !strings.Contains(string(text), old) {
				t.Fatalf("%s does not hold %q", file, old)
			}
			text = []byte(strings.Replace(string(text), old, new, 1))
		}
		out[n] = &fstest.MapFile{Data: text}
	}
	return out
}

func TestACatalogThatContradictsItselfIsRefused(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, file, old, new, want string }{
		{"twice", "revenue", "name: tax,", "name: revenue,", "stands twice"},
		{"unknown fact", "revenue", "fact: mrr,", "fact: arr,", `no fact "arr"`},
		{"unknown column", "people", "column: billable_hours", "column: billed", `no column "billed"`},
		{"unknown input", "margin", "gross_profit / revenue", "gross_profit / revenues", `"revenues", which is not a measure`},
		{"circle", "margin", "revenue - labor_cost - direct_cost", "gross_margin * revenue", "defined by itself"},
		{"no formula", "margin", `expr: "gross_profit / revenue", `, "", "neither a fact nor a formula"},
		{"function in a formula", "margin", "gross_profit / revenue", "largest(gross_profit, revenue)", "no function"},
		{"no version", "revenue", "version: 1,", "", "needs a label"},
		{"direction", "revenue", "up_good", "up", "direction"},
		{"unknown word", "revenue", "label:", "lable:", "unknown field"},
		{"dimension without SQL", "dimensions", "name: client,", "name: customer,", "has no SQL"},
		{"fact without a view", "facts", "name: surveys", "name: polls", "has no view"},
		{"special without a column", "desk", "column: response_hours, ", "", "has no column"},
		{"special of a formula", "growth", "expr: \"deals_timed\"", "expr: \"win_rate\"", "needs a base measure"},
		{"roll-up by a key without an id", "facts", "keys: [staff_key, work_type, billable]", "keys: [staff_key, mood]", "cannot be a key"},
		{"roll-up without a type", "facts", `{name: tax, type: "DECIMAL(38,4)"}`, "{name: tax}", "needs a type"},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			if _, err := load(edited(t, k.file, k.old, k.new)); err == nil || !strings.Contains(err.Error(), k.want) {
				t.Errorf("got %v, want %q", err, k.want)
			}
		})
	}
}

// Places of roll-up columns are stored in files: they may grow and never move.
func TestRollupFieldIDsDoNotMove(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"rollup_time_client":      "1 month,2 currency,10 client_key,12 agreement_id,13 work_type,14 billable,30 hours_worked,31 hours_billed,32 billable_hours,33 labor_cost,34 shadow_billable,35 hours_without_cost,36 entries,37 standard_value",
		"rollup_time_staff":       "1 month,2 currency,11 staff_key,13 work_type,14 billable,30 hours_worked,31 hours_billed,32 billable_hours,33 labor_cost,34 shadow_billable,35 hours_without_cost,36 entries,37 standard_value",
		"rollup_time_client_week": "3 week_part,2 currency,10 client_key,14 billable,30 hours_worked,31 hours_billed,32 billable_hours,33 labor_cost,34 shadow_billable,35 hours_without_cost,36 entries,37 standard_value",
		"rollup_time_staff_week":  "3 week_part,2 currency,11 staff_key,14 billable,30 hours_worked,31 hours_billed,32 billable_hours,33 labor_cost,34 shadow_billable,35 hours_without_cost,36 entries,37 standard_value",
		"rollup_invoices":         "1 month,2 currency,10 client_key,12 agreement_id,15 revenue_category,30 revenue,31 recurring_revenue,32 tax,33 revenue_tax_unknown,34 lines,35 service_revenue,36 invoiced_labor",
	}
	for _, r := range Rollups() {
		var got []string
		for _, c := range r.Table.Columns {
			got = append(got, fmt.Sprint(c.ID, " ", c.Name))
		}
		if strings.Join(got, ",") != want[r.Table.Name] {
			t.Errorf("%s:\n got %s\nwant %s", r.Table.Name, strings.Join(got, ","), want[r.Table.Name])
		}
		delete(want, r.Table.Name)
	}
	for name := range want {
		t.Errorf("%s is gone", name)
	}
}
