package sample_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

func TestSameOptionsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	first, _ := generate(t, sample.MSPOptions{})
	again, _ := generate(t, sample.MSPOptions{Clients: 40, Months: 24, Seed: 1, AsOf: quantity.NewDay(2026, 6, 30)})
	a, b := contents(t, first), contents(t, again)
	if len(a) != 21 {
		t.Errorf("got %d files, want 18 tables and the truth", len(a))
	}
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("%s differs between two runs with the same options", name)
		}
	}
	other, _ := generate(t, sample.MSPOptions{Seed: 2})
	if c := contents(t, other); c["time_entries.csv"] == a["time_entries.csv"] {
		t.Error("another seed gave the same time entries")
	}
}

func TestOptionsOutOfBoundsAreRefusedByName(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]sample.MSPOptions{
		"clients": {Clients: 7}, "months": {Months: 5}, "as_of": {AsOf: quantity.NewDay(1900, 1, 31)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sample.MSP(t.TempDir(), opt)
			if fields := fault.FieldsOf(err); fault.KindOf(err) != fault.Invalid || len(fields) != 1 || fields[0].Path != name {
				t.Errorf("got %v with fields %v, want an Invalid error about %s", err, fields, name)
			}
		})
	}
}

func TestFolderThatCannotBeWrittenIsUnavailable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sample.MSP(filepath.Join(file, "below"), sample.MSPOptions{Clients: 8, Months: 6}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v, want an Unavailable error", err)
	}
}

func TestDataEndsWithTheLastWholeMonth(t *testing.T) {
	t.Parallel()
	dir, truth := generate(t, sample.MSPOptions{Clients: 8, Months: 6, AsOf: quantity.NewDay(2026, 3, 14)})
	if want := "2025-09-01 to 2026-03-01"; truth.Period.String() != want {
		t.Errorf("period: got %s, want %s", truth.Period, want)
	}
	for file, column := range map[string]string{"time_entries.csv": "work_date", "invoices.csv": "invoice_date", "expenses.csv": "expense_date", "payments.csv": "payment_date", "surveys.csv": "responded_on", "tickets.csv": "created_at", "time_off.csv": "date"} {
		for _, r := range read(t, dir, file) {
			if r[column] < "2025-09-01" || r[column] >= "2026-03-01" {
				t.Errorf("%s: %s lies outside the data", file, r[column])
			}
		}
	}
}

func TestInvoiceLinesAddUp(t *testing.T) {
	t.Parallel()
	dir, _ := generate(t, sample.MSPOptions{})
	additions, hourly := wantedLines(t, dir)
	totals, status := map[string]decimal.Decimal{}, map[string]string{}
	recurring, byHour := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
	kinds := map[string]int{}
	for _, r := range read(t, dir, "invoices.csv") {
		net := r.amount(t, "net_amount")
		if want := r.amount(t, "quantity").Mul(r.amount(t, "unit_price")); !net.Equal(want) {
			t.Errorf("invoice %s line %s: got %s, want %s", r["invoice_number"], r["line_number"], net, want)
		}
		totals[r["invoice_number"]] = totals[r["invoice_number"]].Add(net).Add(r.amount(t, "tax_amount"))
		status[r["invoice_number"]] = r["status"]
		kinds[r["invoice_type"]+" "+r["status"]]++
		if (r["invoice_type"] == "Credit Memo") != net.IsNegative() {
			t.Errorf("%s %s has a line of %s", r["invoice_type"], r["invoice_number"], net)
		}
		key := r["client_name"] + " " + month(r["invoice_date"])
		switch {
		case r["status"] == "void" || r["invoice_type"] == "Credit Memo":
		case r["revenue_category"] == "recurring_labor" || r["revenue_category"] == "recurring_resale":
			recurring[key] = recurring[key].Add(net)
			if r["revenue_category"] == "recurring_resale" && r["unit_cost"] == "" {
				t.Errorf("resale line of %s has no unit cost", r["invoice_number"])
			}
		case r["description"] != "Cabling on site" && r["revenue_category"] != "hardware":
			byHour[key] = byHour[key].Add(net)
		}
	}
	compareAmounts(t, "recurring", additions, recurring)
	compareAmounts(t, "billed by the hour", hourly, byHour)
	for _, kind := range []string{"Invoice paid", "Invoice sent", "Invoice void", "Credit Memo paid"} {
		if kinds[kind] == 0 {
			t.Errorf("there is no line of an %s", kind)
		}
	}
	paid := map[string]decimal.Decimal{}
	for _, r := range read(t, dir, "payments.csv") {
		paid[r["invoice_number"]] = paid[r["invoice_number"]].Add(r.amount(t, "amount"))
	}
	for number, total := range totals {
		if status[number] != "paid" {
			total = decimal.Zero
		}
		if !paid[number].Equal(total) {
			t.Errorf("invoice %s is %s: %s paid, want %s", number, status[number], paid[number], total)
		}
	}
}

// wantedLines computes what each client should be billed a month: agreements and additions
// that are active on its first day, and billed hours of projects and on-call support.
func wantedLines(t *testing.T, dir string) (recurring, hourly map[string]decimal.Decimal) {
	t.Helper()
	recurring, hourly = map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
	bill := func(client string, from, until quantity.Day, every int, amount decimal.Decimal) {
		for m := from; m.Before(until) && m.Before(quantity.NewDay(2026, 7, 1)); m = m.AddMonths(every) {
			if !m.Before(quantity.NewDay(2024, 7, 1)) && !amount.IsZero() {
				key := client + " " + month(m.String())
				recurring[key] = recurring[key].Add(amount)
			}
		}
	}
	byTheHour, ends := map[string]bool{}, map[string]quantity.Day{}
	for _, r := range read(t, dir, "agreements.csv") {
		ends[r["agreement_id"]] = r.day(t, "end_date").AddDays(1)
		bill(r["client_name"], r.day(t, "start_date"), ends[r["agreement_id"]], 1, r.amount(t, "amount"))
		if r["billing_model"] == "t_and_m" {
			byTheHour[r["agreement_id"]] = true
		}
	}
	for _, r := range read(t, dir, "agreement_additions.csv") {
		until, every := ends[r["agreement_id"]], 1
		if r["cancelled_date"] != "" {
			until = r.day(t, "cancelled_date")
		}
		if r["billing_cycle"] == "yearly" {
			every = 12
		}
		units := r.amount(t, "quantity").Sub(r.amount(t, "included_quantity"))
		bill(r["client_name"], r.day(t, "effective_date"), until, every, units.Mul(r.amount(t, "unit_price")))
	}
	for _, r := range read(t, dir, "time_entries.csv") {
		if r["billable"] == "yes" && (r["project_name"] != "" || byTheHour[r["agreement_id"]]) && r["billed_amount"] != "0.00" {
			if want := r.amount(t, "hours_billed").Mul(r.amount(t, "bill_rate")); !want.Equal(r.amount(t, "billed_amount")) {
				t.Errorf("entry %s: %s billed, want %s", r["time_entry_id"], r["billed_amount"], want)
			}
			key := r["client_name"] + " " + month(r["work_date"])
			hourly[key] = hourly[key].Add(r.amount(t, "hours_billed").Mul(r.amount(t, "bill_rate")))
		}
	}
	return recurring, hourly
}

func compareAmounts(t *testing.T, what string, want, got map[string]decimal.Decimal) {
	t.Helper()
	sameDecimal := cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) })
	if diff := cmp.Diff(want, got, sameDecimal); diff != "" || len(want) == 0 {
		t.Errorf("%s (-want +invoiced):\n%.2000s", what, diff)
	}
}

func TestTimeIsBelievable(t *testing.T) {
	t.Parallel()
	dir, truth := generate(t, sample.MSPOptions{Seed: 3})
	staff, clients, away, tickets := map[string]row{}, map[string]row{}, map[string]bool{}, map[string]row{}
	for _, r := range read(t, dir, "staff.csv") {
		staff[r["staff_name"]] = r
	}
	for _, r := range read(t, dir, "clients.csv") {
		clients[r["client_name"]] = r
	}
	for _, r := range read(t, dir, "time_off.csv") {
		away[r["staff_name"]+" "+r["date"]] = true
	}
	holidays := map[string]bool{}
	for _, r := range read(t, dir, "holidays.csv") {
		holidays[r["date"]] = true
	}
	for _, r := range read(t, dir, "tickets.csv") {
		tickets[r["ticket_number"]] = r
	}
	perDay := map[string]decimal.Decimal{}
	special := map[string]bool{truth.Overloaded.Staff: true, truth.Underused.Staff: true}
	for _, r := range read(t, dir, "time_entries.csv") {
		s, c, on, where := staff[r["staff_name"]], clients[r["client_name"]], r["work_date"], r["time_entry_id"]
		hours := r.amount(t, "hours_worked")
		if hours.LessThan(dec("0.25")) || hours.GreaterThan(dec("4")) {
			t.Errorf("entry %s has %s hours", where, hours)
		}
		weekday := r.day(t, "work_date").Time().Weekday()
		switch {
		case s == nil || c == nil:
			t.Fatalf("entry %s has an unknown person or client", where)
		case on < s["hired_on"] || s["left_on"] != "" && on >= s["left_on"]:
			t.Errorf("%s worked on %s, outside %s to %s", r["staff_name"], on, s["hired_on"], s["left_on"])
		case c["acquired_on"] > on || c["lost_on"] != "" && on >= c["lost_on"]:
			t.Errorf("work for %s on %s, a client from %s to %s", r["client_name"], on, c["acquired_on"], c["lost_on"])
		case weekday == time.Saturday || weekday == time.Sunday || holidays[on] || away[r["staff_name"]+" "+on]:
			t.Errorf("%s worked on %s, a day off", r["staff_name"], on)
		case (r["client_name"] == internal) && r["billable"] != "no":
			t.Errorf("internal entry %s is billable", where)
		}
		if x := tickets[r["ticket_number"]]; r["ticket_number"] != "" && (x == nil || x["client_name"] != r["client_name"] || on < x["created_at"][:10]) {
			t.Errorf("entry %s on %s refers to ticket %v", where, on, x)
		}
		key := r["staff_name"] + " " + on
		perDay[key] = perDay[key].Add(hours)
	}
	var sum decimal.Decimal
	count := 0
	for key, hours := range perDay {
		if hours.GreaterThan(dec("14")) {
			t.Errorf("%s: %s hours", key, hours)
		}
		if name := key[:len(key)-len(" 2026-01-01")]; !special[name] && staff[name]["weekly_hours"] == "40" {
			sum = sum.Add(hours)
			count++
		}
	}
	if mean := sum.DivRound(decimal.NewFromInt(int64(count)), 2); mean.LessThan(dec("6")) || mean.GreaterThan(dec("7.5")) {
		t.Errorf("a usual day has %s hours, want 6 to 7.5", mean)
	}
}

func TestTicketTimesAreInOrder(t *testing.T) {
	t.Parallel()
	dir, _ := generate(t, sample.MSPOptions{})
	counts := map[string]int{}
	for _, r := range read(t, dir, "tickets.csv") {
		last := ""
		for _, column := range []string{"created_at", "responded_at", "resolved_at", "closed_at"} {
			at := r[column]
			if at == "" {
				continue
			}
			if _, err := time.Parse("2006-01-02 15:04", at); err != nil || at < last || at >= "2026-07-01" {
				t.Errorf("ticket %s: %s is %q after %q", r["ticket_number"], column, at, last)
			}
			last = at
		}
		if (r["resolved_at"] == "") != (r["sla_met"] == "") {
			t.Errorf("ticket %s: resolved %q, SLA met %q", r["ticket_number"], r["resolved_at"], r["sla_met"])
		}
		counts["sla "+r["sla_met"]]++
		counts[r["status"]]++
		counts[month(r["created_at"])]++
	}
	if share := counts["sla yes"] * 100 / (counts["sla yes"] + counts["sla no"]); share < 85 || share > 97 {
		t.Errorf("SLA met for %d %%, want 85 to 97", share)
	}
	if counts["In Progress"] == 0 || counts["In Progress"] > 200 {
		t.Errorf("got %d open tickets, want some", counts["In Progress"])
	}
	if quiet, busy := counts["2025-12"], counts["2026-01"]; quiet*100 > busy*95 {
		t.Errorf("December has %d tickets, January %d: there is no season", quiet, busy)
	}
}

func ExampleMSP() {
	dir, err := os.MkdirTemp("", "sample")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	truth, err := sample.MSP(dir, sample.MSPOptions{Clients: 8, Months: 6})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range truth.LossClients {
		fmt.Printf("%s loses %s: %s\n", c.Client, c.GrossProfit.Neg().StringFixed(2), c.Cause)
	}
	// Output: Whitewater Bend Manufacturing loses 2588.24: underpriced agreement
}
