package sample_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

func workload(t *testing.T, opt sample.WorkloadOptions) string {
	t.Helper()
	dir := t.TempDir()
	if err := sample.Workload(dir, opt); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOnlyTheTimeLogScales(t *testing.T) {
	t.Parallel()
	few := contents(t, workload(t, sample.WorkloadOptions{Logs: 1000}))
	same := contents(t, workload(t, sample.WorkloadOptions{Logs: 1000, Seed: 1, Clients: 300, Months: 36, Staff: 200, InvoicesPerClientMonth: 1, LicensesPerClient: 4}))
	more := contents(t, workload(t, sample.WorkloadOptions{Logs: 2000}))
	for _, name := range []string{"clients.csv", "invoices.csv", "licenses.csv", "time_logs.csv"} {
		if few[name] != same[name] {
			t.Errorf("%s differs between two runs with the same options", name)
		}
		if (few[name] == more[name]) == (name == "time_logs.csv") {
			t.Errorf("%s: got the wrong answer to more time logs", name)
		}
	}
}

func TestWorkloadHasTheReferenceShape(t *testing.T) {
	t.Parallel()
	dir := workload(t, sample.WorkloadOptions{Logs: 20_000, Seed: 7})
	for name, want := range map[string]int{"clients.csv": 300, "invoices.csv": 300 * 36, "time_logs.csv": 20_000, "licenses.csv": 300 * 4} {
		if got := len(read(t, dir, name)); got != want {
			t.Errorf("%s: got %d rows, want %d", name, got, want)
		}
	}
	billable, shortest, longest := 0, dec("99"), dec("0")
	for _, r := range read(t, dir, "time_logs.csv") {
		hours, rate := r.amount(t, "hours"), r.amount(t, "rate")
		shortest, longest = decimal.Min(shortest, hours), decimal.Max(longest, hours)
		if rate.LessThan(dec("90")) || rate.GreaterThan(dec("200")) || r["date"] < "2022-01-01" || r["date"] > "2024-12-31" {
			t.Fatalf("time log out of range: %v", r)
		}
		if r["billable"] == "True" {
			billable++
		}
	}
	if !shortest.Equal(dec("0.5")) || !longest.Equal(dec("8")) {
		t.Errorf("hours run from %s to %s, want 0.5 to 8", shortest, longest)
	}
	if billable < 16_500 || billable > 17_500 {
		t.Errorf("got %d billable logs of 20,000, want about 85 %%", billable)
	}
}

func TestWorkloadInvoiceTotalsMatchTheirLines(t *testing.T) {
	t.Parallel()
	dir := workload(t, sample.WorkloadOptions{Clients: 20, Months: 6, InvoicesPerClientMonth: 2})
	rows := read(t, dir, "invoices.csv")
	if len(rows) != 240 {
		t.Errorf("got %d invoices, want 240", len(rows))
	}
	for _, r := range rows {
		var lines []struct {
			Quantity, Discount int64
			UnitPrice          int64   `json:"unit_price"`
			TaxRate            float64 `json:"tax_rate"`
		}
		if err := json.Unmarshal([]byte(r["lines_json"]), &lines); err != nil {
			t.Fatal(err)
		}
		net := int64(0)
		for _, l := range lines {
			net += l.Quantity*l.UnitPrice - l.Discount
			if l.TaxRate != 0.08 {
				t.Errorf("tax rate: got %v, want 0.08", l.TaxRate)
			}
		}
		if want := dec(fmt.Sprint(net)).Mul(dec("1.08")); !r.amount(t, "total_amount").Equal(want) {
			t.Errorf("invoice %s: got %s, want %s", r["invoice_number"], r["total_amount"], want)
		}
	}
}

func TestWorkloadRefusesBadOptions(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]sample.WorkloadOptions{
		"logs": {Logs: -1}, "clients": {Clients: -3}, "months": {Months: 601}, "licenses_per_client": {LicensesPerClient: 11},
	} {
		err := sample.Workload(t.TempDir(), opt)
		if fields := fault.FieldsOf(err); len(fields) != 1 || fields[0].Path != name {
			t.Errorf("got %v with fields %v, want one about %s", err, fields, name)
		}
	}
}

func ExampleWorkload() {
	dir, err := os.MkdirTemp("", "workload")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	err = sample.Workload(dir, sample.WorkloadOptions{Logs: 10, Clients: 3, Months: 1})
	files, _ := os.ReadDir(dir)
	fmt.Println(len(files), err)
	// Output: 4 <nil>
}

func BenchmarkTimeLogs(b *testing.B) {
	dir := b.TempDir()
	if err := sample.Workload(dir, sample.WorkloadOptions{Logs: b.N}); err != nil {
		b.Fatal(err)
	}
}
