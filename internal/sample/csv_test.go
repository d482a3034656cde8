package sample_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

// row is a record of a file by its header.
type row map[string]string

func (r row) amount(t *testing.T, column string) decimal.Decimal {
	t.Helper()
	d, err := decimal.NewFromString(r[column])
	if err != nil {
		t.Fatalf("column %s: %v", column, err)
	}
	return d
}

func (r row) day(t *testing.T, column string) quantity.Day {
	t.Helper()
	d, err := quantity.ParseDay(r[column])
	if err != nil {
		t.Fatalf("column %s: %v", column, err)
	}
	return d
}

// read returns the records of a file; every record must have a cell for each header.
func read(t *testing.T, dir, name string) []row {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll() // refuses records of another length
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var rows []row
	for _, record := range records[1:] {
		r := row{}
		for i, header := range records[0] {
			r[header] = record[i]
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no rows", name)
	}
	return rows
}

// generate writes a provider into a new folder.
func generate(t *testing.T, opt sample.MSPOptions) (string, sample.Truth) {
	t.Helper()
	dir := t.TempDir()
	truth, err := sample.MSP(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return dir, truth
}

// contents returns every file of a folder by name.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[f.Name()] = string(text)
	}
	return found
}

// month is the "2026-03" of a date.
func month(date string) string { return date[:len("2026-03")] }

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

const internal = "Northwind Managed IT (internal)"

// ledger is recomputed from the files alone: by client, then month.
type ledger struct {
	revenue, labor, direct, hours map[string]map[string]decimal.Decimal
	vendors                       map[string]map[string]decimal.Decimal
}

func add(m map[string]map[string]decimal.Decimal, key, month string, d decimal.Decimal) {
	if m[key] == nil {
		m[key] = map[string]decimal.Decimal{}
	}
	m[key][month] = m[key][month].Add(d)
}

// between adds up the months [from, to).
func between(m map[string]decimal.Decimal, from, to string) decimal.Decimal {
	var sum decimal.Decimal
	for month, d := range m {
		if month >= from && month < to {
			sum = sum.Add(d)
		}
	}
	return sum
}

func recompute(t *testing.T, dir string) ledger {
	t.Helper()
	type amounts = map[string]map[string]decimal.Decimal
	l := ledger{amounts{}, amounts{}, amounts{}, amounts{}, amounts{}}
	for _, r := range read(t, dir, "invoices.csv") {
		if r["status"] != "void" {
			add(l.revenue, r["client_name"], month(r["invoice_date"]), r.amount(t, "net_amount"))
		}
	}
	rates := map[string][]row{}
	for _, r := range read(t, dir, "staff.csv") {
		rates[r["staff_name"]] = append(rates[r["staff_name"]], r)
	}
	for _, r := range read(t, dir, "time_entries.csv") {
		var rate row
		for _, candidate := range rates[r["staff_name"]] {
			if candidate["valid_from"] <= r["work_date"] && (rate == nil || candidate["valid_from"] > rate["valid_from"]) {
				rate = candidate
			}
		}
		if rate == nil {
			t.Fatalf("no rate for %s on %s", r["staff_name"], r["work_date"])
		}
		hours := r.amount(t, "hours_worked")
		add(l.hours, r["client_name"], month(r["work_date"]), hours)
		add(l.labor, r["client_name"], month(r["work_date"]), hours.Mul(rate.amount(t, "cost_rate")))
	}
	for _, r := range read(t, dir, "expenses.csv") {
		net := r.amount(t, "net_amount")
		add(l.vendors, r["vendor"], month(r["expense_date"]), net)
		if strings.HasPrefix(r["category"], "cogs") {
			add(l.direct, r["client_name"], month(r["expense_date"]), net)
		}
	}
	return l
}

// profit adds up a client's months [from, to).
func (l ledger) profit(client, from, to string) sample.Profit {
	p := sample.Profit{
		Revenue: between(l.revenue[client], from, to), LaborCost: between(l.labor[client], from, to), DirectCost: between(l.direct[client], from, to),
	}
	p.GrossProfit = p.Revenue.Sub(p.LaborCost).Sub(p.DirectCost)
	if !p.Revenue.IsZero() {
		p.GrossMargin = p.GrossProfit.DivRound(p.Revenue, 4)
	}
	return p
}

func sameProfit(a, b sample.Profit) bool {
	return a.Revenue.Equal(b.Revenue) && a.LaborCost.Equal(b.LaborCost) && a.DirectCost.Equal(b.DirectCost) &&
		a.GrossProfit.Equal(b.GrossProfit) && a.GrossMargin.Equal(b.GrossMargin)
}
