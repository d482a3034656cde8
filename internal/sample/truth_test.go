package sample_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

// The planted facts are computed again here from the CSV files alone.
func TestPlantedTruthsComeOutOfTheFiles(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 5; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			dir, truth := generate(t, sample.MSPOptions{Seed: seed})
			books := recompute(t, dir)
			checkProfits(t, dir, truth, books)
			checkDrops(t, dir, truth, books)
			checkLicenses(t, dir, truth)
			checkUnbilled(t, dir, truth)
			checkLoads(t, dir, truth)
			checkVendors(t, truth, books)
			checkRates(t, dir, truth)
			checkOverrun(t, dir, truth)
		})
	}
}

// One running project comes out above its budget at its pace, by the files alone, and the
// others near theirs.
func checkOverrun(t *testing.T, dir string, truth sample.Truth) {
	t.Helper()
	if truth.Overrunning == nil {
		t.Fatal("no project overruns")
	}
	worked := map[string]decimal.Decimal{}
	for _, r := range read(t, dir, "time_entries.csv") {
		if r["project_name"] != "" {
			key := r["client_name"] + "/" + r["project_name"]
			worked[key] = worked[key].Add(dec(r["hours_worked"]))
		}
	}
	o, over := truth.Overrunning, 0
	for _, r := range read(t, dir, "projects.csv") {
		done := dec(r["percent_complete"][:len(r["percent_complete"])-1]).Shift(-2)
		hours, budget := worked[r["client_name"]+"/"+r["project_name"]], dec(r["budget_hours"])
		estimate := hours.DivRound(done, 2)
		if r["status"] == "Completed" || !hours.Div(budget).Sub(done).GreaterThan(dec("0.1")) {
			continue
		}
		over++
		if r["project_name"] != o.Project || r["client_name"] != o.Client || !budget.Equal(o.Budget) || !hours.Equal(o.Worked) || !done.Equal(o.Progress) || !estimate.Equal(o.Estimate) || !estimate.GreaterThan(budget) {
			t.Errorf("overrun: truth says %+v, the files say %v with %s hours", o, r, hours)
		}
	}
	if over != 1 {
		t.Errorf("%d running projects are at risk, want one", over)
	}
}

func checkProfits(t *testing.T, dir string, truth sample.Truth, books ledger) {
	t.Helper()
	from, to := month(truth.Period.From.String()), month(truth.Period.To.String())
	if from != "2025-07" || to != "2026-07" {
		t.Errorf("period: got %s, want the twelve months to June 2026", truth.Period)
	}
	var firm sample.Profit
	var losing, wanted []string
	for _, c := range truth.LossClients {
		wanted = append(wanted, c.Client)
		if got := books.profit(c.Client, from, to); !sameProfit(got, c.Profit) {
			t.Errorf("profit of %s: truth says %v, the files say %v", c.Client, c.Profit, got)
		}
	}
	for _, r := range read(t, dir, "clients.csv") {
		name := r["client_name"]
		if r["status"] == "internal" {
			continue
		}
		p := books.profit(name, from, to)
		firm.Revenue, firm.LaborCost, firm.DirectCost = firm.Revenue.Add(p.Revenue), firm.LaborCost.Add(p.LaborCost), firm.DirectCost.Add(p.DirectCost)
		switch {
		case p.GrossProfit.IsNegative():
			losing = append(losing, name)
		case !p.Revenue.IsZero() && p.GrossMargin.LessThan(dec("0.20")):
			t.Errorf("%s earns %s, want at least 0.20", name, p.GrossMargin)
		}
		share := p.Revenue.Div(truth.Firm.Revenue)
		if (name == truth.LargestClient.Client) != share.GreaterThan(dec("0.18")) {
			t.Errorf("%s has %s of the revenue, want only %s above 0.18", name, share.Round(4), truth.LargestClient.Client)
		}
	}
	slices.Sort(losing)
	slices.Sort(wanted)
	if diff := cmp.Diff(wanted, losing); diff != "" || len(losing) != 3 {
		t.Errorf("clients with a loss (-truth +files):\n%s", diff)
	}
	firm.GrossProfit = firm.Revenue.Sub(firm.LaborCost).Sub(firm.DirectCost)
	firm.GrossMargin = firm.GrossProfit.DivRound(firm.Revenue, 4)
	if !sameProfit(firm, truth.Firm) {
		t.Errorf("firm: truth says %v, the files say %v", truth.Firm, firm)
	}
	if firm.GrossMargin.LessThan(dec("0.40")) || firm.GrossMargin.GreaterThan(dec("0.48")) {
		t.Errorf("gross margin: got %s, want 0.40 to 0.48", firm.GrossMargin)
	}
}

// Each planted drop is found by comparing three months with the three before, and the
// planted cause explains most of it. Nobody else's margin falls as far.
func checkDrops(t *testing.T, dir string, truth sample.Truth, books ledger) {
	t.Helper()
	if len(truth.MarginDrops) != 3 {
		t.Errorf("got %d planted drops, want 3", len(truth.MarginDrops))
	}
	planted := map[string]bool{}
	for _, c := range truth.LossClients {
		planted[c.Client] = true
	}
	for _, d := range truth.MarginDrops {
		planted[d.Client] = true
		at := func(months int) string { return month(d.Month.AddMonths(months).String()) }
		before, after := books.profit(d.Client, at(-3), at(0)), books.profit(d.Client, at(0), at(3))
		if !sameProfit(before, d.Before) || !sameProfit(after, d.After) {
			t.Errorf("drop of %s: truth says %v to %v, the files say %v to %v", d.Client, d.Before, d.After, before, after)
		}
		if before.GrossMargin.Sub(after.GrossMargin).LessThan(dec("0.20")) {
			t.Errorf("drop of %s: got %s to %s, want 20 points", d.Client, before.GrossMargin, after.GrossMargin)
		}
		hours := [2]decimal.Decimal{between(books.hours[d.Client], at(-3), at(0)), between(books.hours[d.Client], at(0), at(3))}
		rates := [2]decimal.Decimal{before.LaborCost.Div(hours[0]), after.LaborCost.Div(hours[1])}
		effects := map[sample.Cause]decimal.Decimal{
			sample.CauseRevenue:    before.Revenue.Sub(after.Revenue),
			sample.CauseDirectCost: after.DirectCost.Sub(before.DirectCost),
			sample.CauseHours:      hours[1].Sub(hours[0]).Mul(rates[0]),
			sample.CauseLaborRate:  rates[1].Sub(rates[0]).Mul(hours[1]),
		}
		if lost := before.GrossProfit.Sub(after.GrossProfit); effects[d.Cause].LessThan(lost.Mul(dec("0.7"))) {
			t.Errorf("drop of %s by %s: %s explains too little of %s (all: %v)", d.Client, lost, d.Cause, effects[d.Cause], effects)
		}
	}
	for _, r := range read(t, dir, "clients.csv") {
		name := r["client_name"]
		if planted[name] || r["status"] != "active" {
			continue
		}
		for m := truth.Period.From; m.AddMonths(2).Before(truth.Period.To); m = m.AddMonths(1) {
			at := func(months int) string { return month(m.AddMonths(months).String()) }
			before, after := books.profit(name, at(-3), at(0)), books.profit(name, at(0), at(3))
			if fall := before.GrossMargin.Sub(after.GrossMargin); !before.Revenue.IsZero() && fall.GreaterThan(dec("0.15")) {
				t.Errorf("margin of %s falls by %s in %s, which is not planted", name, fall, m)
			}
		}
	}
}

func checkLicenses(t *testing.T, dir string, truth sample.Truth) {
	t.Helper()
	latest := map[string]row{}
	for _, r := range read(t, dir, "licenses.csv") {
		if old := latest[r["license_id"]]; old == nil || r["valid_from"] > old["valid_from"] {
			latest[r["license_id"]] = r
		}
	}
	found := func(uses []sample.LicenseUse) map[string]string {
		m := map[string]string{}
		for _, u := range uses {
			m[u.License] = u.MonthlyMoney.StringFixed(2)
		}
		return m
	}
	wasted, over := map[string]string{}, map[string]string{}
	for id, r := range latest {
		if r["status"] != "active" {
			continue
		}
		bought, used, inactive := r.amount(t, "seats_purchased"), r.amount(t, "seats_used"), r.amount(t, "seats_inactive")
		cost := r.amount(t, "unit_cost")
		if r["billing_cycle"] == "yearly" {
			cost = cost.Div(dec("12"))
		}
		waste := decimal.Min(bought, decimal.Max(decimal.Zero, bought.Sub(used)).Add(inactive))
		if used.Div(bought).LessThan(dec("0.3")) || waste.Mul(cost).GreaterThan(dec("200")) {
			wasted[id] = waste.Mul(cost).StringFixed(2)
		}
		if used.GreaterThan(bought) {
			over[id] = used.Sub(bought).Mul(cost).StringFixed(2)
		}
	}
	if diff := cmp.Diff(found(truth.WastedLicenses), wasted); diff != "" || len(wasted) != 5 {
		t.Errorf("wasted licenses (-truth +files):\n%s", diff)
	}
	if diff := cmp.Diff(found(truth.OverDeployed), over); diff != "" || len(over) != 2 {
		t.Errorf("over-deployed licenses (-truth +files):\n%s", diff)
	}
}

// checkLoads computes hours ÷ capacity of the last three months and of the period.
// checkUnbilled lays billable time without an amount, and the vendor's seats beside the
// billed ones, against the truth.
func checkUnbilled(t *testing.T, dir string, truth sample.Truth) {
	t.Helper()
	hourly, additions, leaked := map[string]bool{}, map[string]decimal.Decimal{}, map[string]string{}
	for _, r := range read(t, dir, "agreements.csv") {
		hourly[r["agreement_id"]] = r["billing_model"] == "t_and_m"
	}
	hours, amount := decimal.Zero, decimal.Zero
	for _, r := range read(t, dir, "time_entries.csv") {
		if r["billable"] == "yes" && r["billed_amount"] == "0.00" && (r["agreement_id"] == "" || hourly[r["agreement_id"]]) {
			if w := truth.Unbilled[0]; r["client_name"] != w.Client || month(r["work_date"]) != month(w.Month.String()) {
				t.Errorf("%s of %s is not billed, which is not planted", r["time_entry_id"], r["client_name"])
			}
			hours, amount = hours.Add(r.amount(t, "hours_billed")), amount.Add(r.amount(t, "hours_billed").Mul(r.amount(t, "bill_rate")))
		}
	}
	if len(truth.Unbilled) != 1 || !hours.Equal(truth.Unbilled[0].Hours) || !amount.Equal(truth.Unbilled[0].Amount) || !hours.IsPositive() {
		t.Errorf("unbilled work: truth says %v, the files %s h, %s", truth.Unbilled, hours, amount)
	}
	for _, r := range read(t, dir, "agreement_additions.csv") {
		if r["effective_date"] <= "2026-06-30" && (r["cancelled_date"] == "" || r["cancelled_date"] > "2026-06-30") {
			key := r["client_name"] + r["product_name"]
			additions[key] = additions[key].Add(r.amount(t, "quantity"))
		}
	}
	latest := map[string]row{}
	for _, r := range read(t, dir, "licenses.csv") {
		if old := latest[r["license_id"]]; old == nil || r["valid_from"] > old["valid_from"] {
			latest[r["license_id"]] = r
		}
	}
	for id, r := range latest {
		if missing := r.amount(t, "seats_purchased").Sub(additions[r["client_name"]+r["product_name"]]); r["status"] == "active" && missing.IsPositive() {
			leaked[id] = missing.Mul(r.amount(t, "unit_price")).StringFixed(2)
		}
	}
	want := map[string]string{}
	for _, l := range truth.Leaked {
		want[l.License] = l.MonthlyMoney.StringFixed(2)
	}
	if diff := cmp.Diff(want, leaked); diff != "" || len(want) != 2 {
		t.Errorf("leaked seats (-truth +files):\n%s", diff)
	}
}

func checkLoads(t *testing.T, dir string, truth sample.Truth) {
	t.Helper()
	closed := map[string]bool{}
	for _, r := range read(t, dir, "holidays.csv") {
		closed[r["date"]] = true
	}
	off := map[string]decimal.Decimal{}
	for _, r := range read(t, dir, "time_off.csv") {
		off[r["staff_name"]+r["date"]] = r.amount(t, "hours")
	}
	staff := map[string]row{}
	for _, r := range read(t, dir, "staff.csv") {
		staff[r["staff_name"]] = r
	}
	hours := map[string]map[string]decimal.Decimal{}
	for _, r := range read(t, dir, "time_entries.csv") {
		add(hours, r["staff_name"], month(r["work_date"]), r.amount(t, "hours_worked"))
	}
	load := func(name string, p quantity.Period) (worked, capacity decimal.Decimal) {
		s := staff[name]
		for d := p.From; d.Before(p.To); d = d.AddDays(1) {
			weekday := d.Time().Weekday()
			if weekday == time.Saturday || weekday == time.Sunday || closed[d.String()] ||
				d.Before(s.day(t, "hired_on")) || s["left_on"] != "" && !d.Before(s.day(t, "left_on")) {
				continue
			}
			capacity = capacity.Add(s.amount(t, "weekly_hours").Div(dec("5"))).Sub(off[name+d.String()])
		}
		return between(hours[name], month(p.From.String()), month(p.To.String())), capacity
	}
	var worked, capacity decimal.Decimal
	for name := range staff {
		h, c := load(name, truth.Period)
		worked, capacity = worked.Add(h), capacity.Add(c)
		h, c = load(name, truth.Overloaded.Period)
		if c.IsZero() {
			continue
		}
		use := h.DivRound(c, 4)
		switch name {
		case truth.Overloaded.Staff:
			if !use.Equal(truth.Overloaded.Utilization) || use.LessThan(dec("1.2")) {
				t.Errorf("%s: the files say %s, truth says %s, want above 1.2", name, use, truth.Overloaded.Utilization)
			}
		case truth.Underused.Staff:
			if !use.Equal(truth.Underused.Utilization) || use.GreaterThan(dec("0.5")) {
				t.Errorf("%s: the files say %s, truth says %s, want below 0.5", name, use, truth.Underused.Utilization)
			}
		default:
			if use.LessThan(dec("0.65")) || use.GreaterThan(dec("0.95")) {
				t.Errorf("%s: got a utilization of %s, want 0.65 to 0.95", name, use)
			}
		}
	}
	if use := worked.DivRound(capacity, 4); !use.Equal(truth.Utilization) || use.LessThan(dec("0.70")) || use.GreaterThan(dec("0.80")) {
		t.Errorf("utilization: the files say %s, truth says %s, want 0.70 to 0.80", use, truth.Utilization)
	}
}

func checkVendors(t *testing.T, truth sample.Truth, books ledger) {
	t.Helper()
	for vendor, bills := range books.vendors {
		before, after := between(bills, "2024-07", "2025-07"), between(bills, "2025-07", "2026-07")
		growth := after.Sub(before).DivRound(before, 4)
		if rising := vendor == truth.RisingVendor.Vendor; rising != growth.GreaterThan(dec("0.2")) {
			t.Errorf("bills of %s grew by %s, want only %s above 0.2", vendor, growth, truth.RisingVendor.Vendor)
		} else if rising && !growth.Equal(truth.RisingVendor.YearlyGrowth) {
			t.Errorf("growth of %s: truth says %s, the files say %s", vendor, truth.RisingVendor.YearlyGrowth, growth)
		}
	}
}

// checkRates compares what base fees earned an hour with the agreements' target rate.
func checkRates(t *testing.T, dir string, truth sample.Truth) {
	t.Helper()
	planted := map[string]bool{}
	for _, c := range truth.LossClients {
		planted[c.Client] = true
	}
	fees, hours := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
	for _, r := range read(t, dir, "invoices.csv") {
		if r["revenue_category"] == "recurring_labor" && r["status"] != "void" && truth.Period.Contains(r.day(t, "invoice_date")) {
			fees[r["client_name"]] = fees[r["client_name"]].Add(r.amount(t, "net_amount"))
		}
	}
	for _, r := range read(t, dir, "time_entries.csv") {
		if r["project_name"] == "" && truth.Period.Contains(r.day(t, "work_date")) {
			hours[r["client_name"]] = hours[r["client_name"]].Add(r.amount(t, "hours_worked"))
		}
	}
	for _, r := range read(t, dir, "agreements.csv") {
		name, target := r["client_name"], r.amount(t, "target_hourly_rate")
		if fees[name].IsZero() || hours[name].IsZero() || planted[name] {
			continue
		}
		if earned := fees[name].DivRound(hours[name], 2); earned.LessThan(target) {
			t.Errorf("the base fee of %s earns %s an hour, below the target of %s, which is not planted", name, earned, target)
		}
	}
	if len(fees) < 30 {
		t.Errorf("got base fees of %d clients, want most of 40", len(fees))
	}
}

func TestTruthFileHoldsWhatIsReturned(t *testing.T) {
	t.Parallel()
	dir, want := generate(t, sample.MSPOptions{Clients: 8, Months: 6})
	text, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got sample.Truth
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	sameDecimal := cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) })
	sameDay := cmp.Comparer(func(a, b quantity.Day) bool { return a == b })
	if diff := cmp.Diff(want, got, sameDecimal, sameDay); diff != "" {
		t.Errorf("truth.json (-returned +file):\n%s", diff)
	}
}

// MSP itself refuses data in which a planted truth does not show, so sizes need only be
// generated.
func TestTruthsScaleWithTheSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ clients, months, losses, drops int }{
		{8, 6, 1, 1}, {9, 7, 1, 1}, {12, 24, 1, 1}, {20, 12, 1, 1}, {27, 18, 2, 2}, {40, 6, 3, 3}, {60, 13, 4, 4}, {100, 24, 7, 7},
	} {
		t.Run(fmt.Sprintf("%d clients, %d months", c.clients, c.months), func(t *testing.T) {
			t.Parallel()
			_, truth := generate(t, sample.MSPOptions{Clients: c.clients, Months: c.months, Seed: uint64(c.clients)})
			if len(truth.LossClients) != c.losses || len(truth.MarginDrops) != c.drops {
				t.Errorf("got %d losses and %d drops, want %d and %d", len(truth.LossClients), len(truth.MarginDrops), c.losses, c.drops)
			}
			if len(truth.WastedLicenses) < 2 || len(truth.OverDeployed) == 0 || len(truth.LostClients) == 0 || len(truth.NewClients) == 0 || len(truth.LatePayers) == 0 {
				t.Errorf("a kind of truth is missing: %+v", truth)
			}
		})
	}
}
