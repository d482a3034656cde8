package insight_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// files writes CSV files into a folder of their own.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// domain.md 7.2, license: 50 bought, 44 assigned, 7 inactive, 22 a month, annual term: 13
// wasted, 286 a month (3,432 a year), recoverable only at the renewal on September 1, 63 days
// after the end of the data: until then they cost 286 x 12 x 63 / 365.
func TestReclaimPlan(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	licenses := `license_id,client_name,vendor,product_name,term,billing_cycle,seats_purchased,seats_used,seats_inactive,unit_cost,start_date,renewal_date
L1,Acme,Microsoft,Suite,annual,monthly,50,44,7,22,2024-09-01,2026-09-01
L2,Acme,Coldvault,Backup,monthly,monthly,10,7,0,5,2026-01-15,
L3,Bolt,Microsoft,Phone,annual,yearly,10,8,0,120,2025-06-28,2026-06-28
L4,Bolt,Signal,Logs,,monthly,4,2,0,3,,
L5,Bolt,Microsoft,Suite,annual,monthly,20,20,0,22,2025-02-01,2027-02-01
L6,Core,Microsoft,Suite,annual,monthly,5,,,22,2025-02-01,2027-02-01
L7,Core,Microsoft,Design,triennial,monthly,5,4,0,,2020-03-01,2023-03-01
`
	base := map[string]string{
		"licenses.csv": licenses,
		"invoices.csv": "invoice_number,client_name,invoice_date,net_amount\n1,Acme,2026-06-30,100\n",
	}
	x.load(t, files(t, base))
	list := func() (out []string) {
		plan, err := x.Reclaims(t.Context(), northwind, quantity.Day{})
		if err != nil {
			t.Fatal(err)
		}
		if plan.AsOf.String() != "2026-06-30" || plan.Versions["wasted_seats"] == 0 || plan.Snapshot == 0 {
			t.Errorf("head: %+v", plan)
		}
		for _, r := range plan.Items {
			saving, until := "-", "-"
			if r.Saving != nil {
				saving = r.Saving.String()
			}
			if r.UntilTerm != nil {
				until = r.UntilTerm.String()
			}
			out = append(out, fmt.Sprintf("%s in %d: %s %s, %s seats, %s a month, %s, locked %s, %s %s", r.Deadline, r.DaysLeft, r.Client, r.Product, r.Seats, saving, r.State, until, r.Payer, r.SeatsUnpaid))
		}
		return out
	}
	want := []string{
		"2026-07-04 in 4: Bolt Phone, 2 seats, 20 a month, now, locked 0, unknown 0",
		"2026-07-15 in 15: Acme Backup, 3 seats, 15 a month, now, locked 0, unknown 0",
		"2026-09-01 in 63: Acme Suite, 13 seats, 286 a month, locked, locked 592.3726027397, unknown 0",
		"2029-03-01 in 975: Core Design, 1 seats, - a month, locked, locked -, unknown 0",
		" in 0: Bolt Logs, 2 seats, 6 a month, unknown, locked 0, unknown 0",
	}
	if diff := cmp.Diff(want, list()); diff != "" {
		t.Errorf("before agreements are known (-want +got):\n%s", diff)
	}
	x.load(t, files(t, map[string]string{
		"agreements.csv":          "agreement_id,client_name,agreement_name\nA1,Acme,Managed\nA2,Bolt,Managed\n",
		"agreement_additions.csv": "agreement_id,client_name,product_name,quantity,unit_price\nA1,Acme,Suite,50,30\nA2,Bolt,Phone,9,15\n",
	}))
	for i, payer := range []string{"both 1", "msp 3", "client 0", "msp 1", "msp 2"} {
		want[i] = want[i][:len(want[i])-len("unknown 0")] + payer
	}
	if diff := cmp.Diff(want, list()); diff != "" {
		t.Errorf("with agreements (-want +got):\n%s", diff)
	}
	// The plan adds up to the measure.
	r, err := x.metrics.Run(t.Context(), northwind, metric.Query{Measures: []string{"wasted_seats"}})
	if err != nil || fmt.Sprint(r.Rows[0][0]) != "21" {
		t.Errorf("wasted seats: %v %v, want 21", r.Rows, err)
	}
}

func TestReclaimPlanWithoutLicensesIsEmptyAndSaysWhy(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	plan, err := x.Reclaims(t.Context(), northwind, quantity.Day{})
	if err != nil || plan.Items == nil || len(plan.Items) != 0 || len(plan.Notes) == 0 {
		t.Errorf("got %+v %v", plan, err)
	}
}
